/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mount of rumpfs and some host files, in a mount namespace of its own.
 *
 *	/mnt		tmpfs, seen by this test alone
 *	|-- host/	host files: what keys map to
 *	|-- rump/	rumpfs
 *	`-- rump2/	a second mount, where a test wants one
 *
 * Whatever a test leaves behind goes with its namespace. Only the host table
 * outlives it, so it is flushed at both ends.
 */
#ifndef SELFTESTS_FIXTURE_H
#define SELFTESTS_FIXTURE_H

#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "check.h"
#include "image.h"
#include "kselftest_harness.h"

/* An emulated machine is some fifteen times slower than a real one. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

#define HOST "/mnt/host"
#define MNT "/mnt/rump"
#define MNT2 "/mnt/rump2"

#define SYSFS "/sys/fs/rumpfs"
#define TABLE SYSFS "/etfs"
#define LAST_ERROR SYSFS "/last_error"
#define MAX_MAPPINGS "/sys/module/rumpfs/parameters/max_mappings"

/* The tests of the in-memory tree hold on tmpfs too: RUMPFS_FSTYPE=tmpfs. */
static inline const char *fs_name(void)
{
	const char *name = getenv("RUMPFS_FSTYPE");

	return name ? name : "rumpfs";
}

static inline bool is_rumpfs(void)
{
	return !strcmp(fs_name(), "rumpfs");
}

static inline bool fs_is_known(void)
{
	char line[128], word[128];
	bool known = false;
	FILE *file = fopen("/proc/filesystems", "r");

	if (!file)
		return false;
	while (!known && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "nodev %127s", word) == 1)
			known = !strcmp(word, fs_name());
	}
	fclose(file);
	return known;
}

/* Load the module unless the file system is there: $RUMPFS_KO or modprobe. */
static inline int load_module(void)
{
	const char *path = getenv("RUMPFS_KO");
	int fd, err;

	if (fs_is_known())
		return 0;
	if (!path)
		return run("modprobe %s", fs_name()) ? ENODEV : 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	err = ERR(syscall(__NR_finit_module, fd, "", 0));
	close(fd);
	return err;
}

static inline int mount_at(const char *dir, const char *options)
{
	return ERR(mount("none", dir, fs_name(), 0, options));
}

/* One write(2) to the table: 0 if it took all of it, EMSGSIZE if less. */
static inline int table_write(const char *text, size_t len)
{
	int fd = open(TABLE, O_WRONLY | O_CLOEXEC);
	ssize_t done;
	int err;

	if (fd < 0)
		return errno;
	done = write(fd, text, len);
	err = done < 0 ? errno : (size_t)done == len ? 0 : EMSGSIZE;
	close(fd);
	return err;
}

/* The same with words put in; a newline at the end is added. */
__attribute__((format(printf, 1, 2)))
static inline int table(const char *fmt, ...)
{
	char text[8192];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text) - 1, fmt, args);
	va_end(args);
	if (len < 0 || len >= (int)sizeof(text) - 1)
		return EOVERFLOW;
	text[len++] = '\n';
	return table_write(text, len);
}

/* The same, from another root, as a line; for a child. */
static inline int table_write_from(const char *root, const char *line)
{
	int fd = open(TABLE, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || chroot(root) || chdir("/"))
		return errno;
	return write(fd, line, strlen(line)) < 0 ? errno : 0;
}

/* Give up a capability, keeping the others. */
static inline int drop_cap(int cap)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = {};

	if (syscall(__NR_capget, &header, data))
		return errno;
	data[cap / 32].effective &= ~(1U << cap % 32);
	return ERR(syscall(__NR_capset, &header, data));
}

/* All that a file has to say, with a NUL behind it; to be freed. */
static inline char *slurp(const char *path, size_t piece, size_t *lenp)
{
	size_t room = 65536, len = 0;
	char *text = malloc(room);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	while (text && fd >= 0) {
		if (room - len <= piece) {
			char *more = realloc(text, room *= 2);

			if (!more)
				break;
			text = more;
		}
		got = read(fd, text + len, piece);
		if (got <= 0)
			break;
		len += got;
	}
	if (fd >= 0)
		close(fd);
	if (got) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	if (lenp)
		*lenp = len;
	return text;
}

/* The rows of the table, without header and footer; to be freed. */
static inline char *table_rows(void)
{
	char *text = slurp(TABLE, 65536, NULL);
	char *begin, *end;

	if (!text)
		return NULL;
	begin = strchr(text, '\n');
	end = strstr(text, "# end gen=");
	if (strncmp(text, "# etfs 1 gen=", 13) || !begin || !end ||
	    end < begin + 1) {
		free(text);
		return NULL;
	}
	*end = '\0';
	memmove(text, begin + 1, end - begin);
	return text;
}

/* 0 if these are all rows of the table, EILSEQ if not. */
static inline int rows_are(const char *rows)
{
	char *text = table_rows();
	int err = text && !strcmp(text, rows) ? 0 : EILSEQ;

	if (err && text)
		printf("# the rows are:\n%s", text);
	free(text);
	return err;
}

/* The generation the table is at, 0 if it cannot be read. */
static inline unsigned long long table_gen(void)
{
	unsigned long long gen = 0, n, end;
	char *text = slurp(TABLE, 65536, NULL);
	char *footer = text ? strstr(text, "# end gen=") : NULL;

	if (!footer ||
	    sscanf(text, "# etfs 1 gen=%llu n=%llu", &gen, &n) != 2 ||
	    sscanf(footer, "# end gen=%llu", &end) != 1 || gen != end)
		gen = 0;
	free(text);
	return gen;
}

/* The row of a key as printed, newline cut off; NULL if there is none. */
static inline char *row_of(const char *key)
{
	static char row[8192];
	char *text = table_rows();
	size_t len = strlen(key);
	char *line, *next, *found = NULL;

	for (line = text; line && *line && !found; line = next) {
		next = strchr(line, '\n');
		if (!next)
			break;
		*next++ = '\0';
		if (!strncmp(line, key, len) && line[len] == ' ')
			found = strcpy(row, line);
	}
	free(text);
	return found;
}

/* Whether the comma list at the end of a key's row has this word. */
static inline bool row_has(const char *key, const char *word)
{
	char *row = row_of(key);
	char *option = row ? strrchr(row, ' ') : NULL;

	if (!option)
		return false;
	for (option = strtok(option + 1, ","); option;
	     option = strtok(NULL, ","))
		if (!strcmp(option, word))
			return true;
	return false;
}

/* How many options a key's row prints, -1 if there is no row. */
static inline int row_options(const char *key)
{
	char *row = row_of(key);
	char *at = row ? strrchr(row, ' ') : NULL;
	int n = 1;

	if (!at)
		return -1;
	while ((at = strchr(at + 1, ',')))
		n++;
	return n;
}

/* The last refusal in words. */
static inline const char *last_error(void)
{
	static char text[8192];
	ssize_t got = get_bytes(LAST_ERROR, text, sizeof(text) - 1, 0);

	text[got < 0 ? 0 : got] = '\0';
	return text;
}

static inline bool last_error_has(const char *word)
{
	bool has = strstr(last_error(), word);

	if (!has)
		printf("# last_error: %s", last_error());
	return has;
}

/* A namespace of its own with the scratch tmpfs on /mnt. */
static inline int enter_sandbox(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/mnt", "tmpfs", 0, "mode=0755") ||
	    mkdir(HOST, 0755) || mkdir(MNT, 0755) || mkdir(MNT2, 0755))
		return errno;
	umask(0);
	return 0;
}

static inline void reset_table(void)
{
	if (!is_rumpfs())
		return;
	put_text(MAX_MAPPINGS, "1000000\n");
	table("flush lazy");
}

/* What every fixture begins with; @options are those of the mount. */
static inline int setup_mount(const char *options)
{
	int err = load_module();

	if (!err)
		err = enter_sandbox();
	if (err)
		return err;
	reset_table();
	return mount_at(MNT, options);
}

/* And ends with. Mounts and files go with the namespace. */
static inline void teardown_mount(void)
{
	reset_table();
	umount2(MNT, MNT_DETACH);
}

/* A host directory on a file system of the disk kind, made for this test. */
static inline int mount_ext4(const char *dir, const char *image, int mbytes)
{
	int err = make_image("ext4", "mkfs.ext4 -q -O ^has_journal -E nodiscard",
			     mbytes, image);

	if (err)
		return err;
	if (mkdir(dir, 0755) && errno != EEXIST)
		return errno;
	return mount_image("ext4", image, dir);
}

/* Can a file system of that kind be made and mounted? */
static inline bool has_kind(const char *kind)
{
	return !strcmp(kind, "tmpfs") || !strcmp(kind, "ext4") ||
	       !strcmp(kind, "overlay") ||
	       !run("command -v mkfs.%s && { grep -qw %s /proc/filesystems || "
		    "modprobe %s; }", kind, kind, kind);
}

/*
 * Make a file system of this kind and mount it there; its image or layers are
 * beside, in a directory of their own. Of those that has_kind() knows.
 */
static inline int mount_kind(const char *kind, const char *dir)
{
	const int mbytes = is_sanitized() ? 12 : 32;
	char image[256], size[16];
	int err;

	if (mkdir(dir, 0755) && errno != EEXIST)
		return errno;
	snprintf(size, sizeof(size), "size=%dM", mbytes);
	if (!strcmp(kind, "tmpfs"))
		return ERR(mount("none", dir, "tmpfs", 0, size));
	snprintf(image, sizeof(image), "%s.%s", dir, kind);
	if (!strcmp(kind, "ext4"))
		return mount_ext4(dir, image, mbytes);
	if (!strcmp(kind, "overlay"))
		return run("i=%s; mkdir -p $i/low $i/up $i/work && "
			   "echo low >$i/low/low && mount -t overlay o -o "
			   "lowerdir=$i/low,upperdir=$i/up,workdir=$i/work %s",
			   image, dir) ? EIO : 0;
	err = make_image(kind, !strcmp(kind, "xfs") ?
			 "mkfs.xfs --unsupported -q -f -K" :
			 "mkfs.btrfs -q -f -K --mixed", 64, image);
	return err ?: mount_image(kind, image, dir);
}

/* Run in a child; its exit status. */
#define IN_CHILD(statement) ({						\
	pid_t pid_ = fork();						\
									\
	if (!pid_)							\
		_exit(statement);					\
	pid_ < 0 ? -1 : wait_status(pid_); })

/* Run in a child as this user, with no capability; its exit status. */
#define AS_USER(id, statement) ({					\
	pid_t pid_ = fork();						\
									\
	if (!pid_) {							\
		if (syscall(__NR_setgroups, 0, NULL) ||			\
		    setresgid(id, id, id) || setresuid(id, id, id))	\
			_exit(255);					\
		_exit(statement);					\
	}								\
	pid_ < 0 ? -1 : wait_status(pid_); })

#endif /* SELFTESTS_FIXTURE_H */
