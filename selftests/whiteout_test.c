// SPDX-License-Identifier: GPL-2.0
/* Whiteouts are names like others, or are found by nobody, as the mount says. */

#include <linux/fs.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "lib/whiteout.h"

#define OPAQUE "trusted.overlay.opaque"
#define WHITE MNT "/w"
#define DIR_D MNT "/d"
#define LONG_NAME							\
	"0123456789012345678901234567890123456789012345678901234567890123"

FIXTURE(whiteout)
{
};

FIXTURE_VARIANT(whiteout)
{
	const char *options;
	bool is_hidden;
};

FIXTURE_VARIANT_ADD(whiteout, visible)
{
	.options = NULL,
};

FIXTURE_VARIANT_ADD(whiteout, hidden)
{
	.options = "whiteout=hidden",
	.is_hidden = true,
};

FIXTURE_SETUP(whiteout)
{
	if (!is_rumpfs() && variant->is_hidden)
		SKIP(return, "only rumpfs hides whiteouts");
	ASSERT_EQ(0, setup_mount(variant->options));
}

FIXTURE_TEARDOWN(whiteout)
{
	teardown_mount();
}

/* What differs altogether. */

FIXTURE(visible)
{
};

FIXTURE_SETUP(visible)
{
	ASSERT_EQ(0, setup_mount(NULL));
}

FIXTURE_TEARDOWN(visible)
{
	teardown_mount();
}

FIXTURE(hidden)
{
};

FIXTURE_SETUP(hidden)
{
	if (!is_rumpfs())
		SKIP(return, "only rumpfs hides whiteouts");
	ASSERT_EQ(0, setup_mount("whiteout=hidden"));
}

FIXTURE_TEARDOWN(hidden)
{
	teardown_mount();
}

static int move(const char *from, const char *to, unsigned int flags)
{
	return ERR(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
}

static int make_white(const char *path)
{
	return ERR(mknod(path, S_IFCHR, makedev(0, 0)));
}

static bool is_opaque(const char *path)
{
	char value[8];

	return getxattr(path, OPAQUE, value, sizeof(value)) == 1 &&
	       value[0] == 'y';
}

/* Is this what the mount shows of a whiteout, and listed once? */
static bool is_white(const char *dir, const char *name, bool is_hidden)
{
	char path[256];
	ino_t ino = 0;
	struct stat st;
	int type = listed_type(dir, name, &ino);

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (is_hidden)
		return lstat(path, &st) && errno == ENOENT && type == DT_WHT &&
		       ino == 1;
	return !lstat(path, &st) && S_ISCHR(st.st_mode) && !st.st_rdev &&
	       type == DT_CHR && ino == st.st_ino;
}

static unsigned long long used_inodes(void)
{
	struct statvfs st = {};

	statvfs(MNT, &st);
	return st.f_files - st.f_ffree;
}

TEST_F(whiteout, mknod_makes_one)
{
	ASSERT_EQ(0, make_white(WHITE));
	EXPECT_TRUE(is_white(MNT, "w", variant->is_hidden));
	EXPECT_EQ(1, count_names(MNT));
	/* Over another one: only where it cannot be seen. */
	EXPECT_EQ(variant->is_hidden ? 0 : EEXIST, make_white(WHITE));
	EXPECT_TRUE(is_white(MNT, "w", variant->is_hidden));
	/* Any other device is none. */
	ASSERT_EQ(0, mknod(MNT "/null", S_IFCHR | 0666, makedev(1, 3)));
	EXPECT_EQ(DT_CHR, listed_type(MNT, "null", NULL));
	EXPECT_EQ(0, open_err(MNT "/null", O_RDWR));
	ASSERT_EQ(0, mknod(MNT "/b", S_IFBLK | 0666, makedev(0, 0)));
	EXPECT_EQ(S_IFBLK | 0666, mode_of(MNT "/b"));
}

TEST_F(whiteout, rename_leaves_one)
{
	ASSERT_EQ(0, put_text(WHITE, "text"));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, move(WHITE, DIR_D "/f", RENAME_WHITEOUT));
	EXPECT_TRUE(is_white(MNT, "w", variant->is_hidden));
	EXPECT_EQ(0, text_is(DIR_D "/f", "text"));
	/* A directory as well, and within one directory. */
	ASSERT_EQ(0, move(DIR_D, MNT "/e", RENAME_WHITEOUT | RENAME_NOREPLACE));
	EXPECT_TRUE(is_white(MNT, "d", variant->is_hidden));
	EXPECT_EQ(0, text_is(MNT "/e/f", "text"));
	EXPECT_EQ(3, nlink_of(MNT));
	EXPECT_EQ(EINVAL,
		  move(MNT "/e", MNT "/f", RENAME_WHITEOUT | RENAME_EXCHANGE));
}

TEST_F(whiteout, nobody_needs_a_right_to_devices)
{
	ASSERT_EQ(0, mkdir(DIR_D, 0777));
	EXPECT_EQ(0, AS_USER(1000, make_white(DIR_D "/w")));
	EXPECT_TRUE(is_white(DIR_D, "w", variant->is_hidden));
	EXPECT_EQ(EPERM, AS_USER(1000, ERR(mknod(DIR_D "/n", S_IFCHR,
						 makedev(1, 3)))));
	EXPECT_EQ(EACCES, AS_USER(1000, make_white(WHITE)));
}

TEST_F(whiteout, none_is_found_where_it_is_hidden)
{
	int err = variant->is_hidden ? ENOENT : 0;

	ASSERT_EQ(0, make_white(WHITE));
	ASSERT_EQ(0, put_text(MNT "/f", "f"));
	EXPECT_EQ(err, stat_err(WHITE));
	EXPECT_EQ(err, open_err(WHITE, O_PATH));
	EXPECT_EQ(err, ERR(chmod(WHITE, 0600)));
	EXPECT_EQ(err, ERR(access(WHITE, F_OK)));
	EXPECT_EQ(err, ERR(link(WHITE, MNT "/l")));
	EXPECT_EQ(err, move(WHITE, MNT "/f", RENAME_EXCHANGE));
	EXPECT_EQ(err, move(MNT "/f", WHITE, RENAME_EXCHANGE));
	EXPECT_EQ(variant->is_hidden ? ENOENT : ENOTDIR, ERR(rmdir(WHITE)));
	EXPECT_EQ(err, move(WHITE, MNT "/x", 0));
	EXPECT_EQ(err, ERR(unlink(variant->is_hidden ? WHITE : MNT "/x")));
	EXPECT_EQ(variant->is_hidden ? ENOENT : ENXIO,
		  open_err(variant->is_hidden ? WHITE : MNT "/l", O_RDONLY));
	if (variant->is_hidden)
		EXPECT_TRUE(is_white(MNT, "w", true));
}

/* The name is what was made, and no whiteout comes back when it goes. */
static int is_replaced(int type)
{
	if (listed_type(MNT, "w", NULL) != type)
		return EILSEQ;
	if (type == DT_DIR ? rmdir(WHITE) : unlink(WHITE))
		return errno;
	return listed_type(MNT, "w", NULL) == -1 ? 0 : EEXIST;
}

static int bind_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), err;

	strcpy(addr.sun_path, path);
	err = ERR(bind(fd, (void *)&addr, sizeof(addr)));
	close(fd);
	return err;
}

static int link_tmpfile(const char *path)
{
	int fd = open(MNT, O_TMPFILE | O_RDWR, 0600);
	char proc[64];
	int err;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	err = ERR(linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
	close(fd);
	return err;
}

TEST_F(hidden, whatever_is_made_replaces_a_hidden_one)
{
	unsigned long long used;

	ASSERT_EQ(0, put_text(MNT "/f", "f"));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	used = used_inodes();

#define REPLACES(type, call) do {					\
	ASSERT_EQ(0, make_white(WHITE));				\
	EXPECT_EQ(used + 1, used_inodes());				\
	EXPECT_EQ(0, call);						\
	EXPECT_EQ(0, is_replaced(type));				\
} while (0)

	REPLACES(DT_REG, open_err(WHITE, O_RDWR | O_CREAT | O_EXCL));
	REPLACES(DT_REG, open_err(WHITE, O_RDWR | O_CREAT));
	REPLACES(DT_FIFO, ERR(mkfifo(WHITE, 0600)));
	REPLACES(DT_CHR, ERR(mknod(WHITE, S_IFCHR, makedev(1, 3))));
	REPLACES(DT_LNK, ERR(symlink("f", WHITE)));
	REPLACES(DT_REG, ERR(link(MNT "/f", WHITE)));
	REPLACES(DT_SOCK, bind_socket(WHITE));
	REPLACES(DT_REG, link_tmpfile(WHITE));
	REPLACES(DT_DIR, ERR(mkdir(WHITE, 0755)));
	EXPECT_EQ(used, used_inodes());
	/* These bring an inode that goes with the name. */
	REPLACES(DT_REG, move(MNT "/f", WHITE, 0));
	used--;
	REPLACES(DT_DIR, move(DIR_D, WHITE, RENAME_NOREPLACE));
	EXPECT_EQ(used - 1, used_inodes());
}

TEST_F(visible, one_is_in_the_way)
{
	ASSERT_EQ(0, make_white(WHITE));
	ASSERT_EQ(0, put_text(MNT "/f", "f"));
	EXPECT_EQ(EEXIST, open_err(WHITE, O_RDWR | O_CREAT | O_EXCL));
	EXPECT_EQ(EEXIST, ERR(mkdir(WHITE, 0755)));
	EXPECT_EQ(EEXIST, ERR(symlink("f", WHITE)));
	EXPECT_EQ(EEXIST, move(MNT "/f", WHITE, RENAME_NOREPLACE));
	EXPECT_EQ(0, move(MNT "/f", WHITE, 0));
	EXPECT_EQ(0, text_is(WHITE, "f"));
}

TEST_F(hidden, a_directory_over_a_hidden_one_is_opaque)
{
	ASSERT_EQ(0, make_white(WHITE));
	ASSERT_EQ(0, mkdir(WHITE, 0755));
	EXPECT_TRUE(is_opaque(WHITE));
	EXPECT_EQ(3, nlink_of(MNT));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	EXPECT_FALSE(is_opaque(DIR_D));
	EXPECT_EQ(-1, getxattr(DIR_D, OPAQUE, NULL, 0));
	EXPECT_EQ(ENODATA, errno);
	/* Only where there was one. */
	ASSERT_EQ(0, rmdir(WHITE));
	ASSERT_EQ(0, mkdir(WHITE, 0755));
	EXPECT_FALSE(is_opaque(WHITE));
}

TEST_F(hidden, an_unprivileged_mkdir_is_opaque_too)
{
	ASSERT_EQ(0, chmod(MNT, 0777));
	ASSERT_EQ(0, make_white(WHITE));
	ASSERT_EQ(0, AS_USER(1000, ERR(mkdir(WHITE, 0755))));
	EXPECT_TRUE(is_opaque(WHITE));
}

TEST_F(whiteout, a_directory_of_hidden_ones_is_empty)
{
	int err = variant->is_hidden ? 0 : ENOTEMPTY;
	unsigned long long used = used_inodes();

	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, make_white(DIR_D "/1"));
	ASSERT_EQ(0, make_white(DIR_D "/" LONG_NAME));
	EXPECT_EQ(used + 3, used_inodes());
	EXPECT_EQ(2, count_names(DIR_D));
	EXPECT_EQ(err, ERR(rmdir(DIR_D)));
	EXPECT_EQ(variant->is_hidden ? used : used + 3, used_inodes());
	if (!variant->is_hidden)
		return;

	/* One name more, and it is not. */
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	EXPECT_EQ(0, count_names(DIR_D));
	ASSERT_EQ(0, make_white(DIR_D "/1"));
	ASSERT_EQ(0, put_text(DIR_D "/f", "f"));
	EXPECT_EQ(ENOTEMPTY, ERR(rmdir(DIR_D)));
	ASSERT_EQ(0, unlink(DIR_D "/f"));

	/* Another directory may take its place. */
	ASSERT_EQ(0, mkdir(MNT "/e", 0755));
	ASSERT_EQ(0, put_text(MNT "/e/f", "f"));
	EXPECT_EQ(0, move(MNT "/e", DIR_D, 0));
	EXPECT_EQ(1, count_names(DIR_D));
	EXPECT_EQ(used + 2, used_inodes());
	EXPECT_EQ(3, nlink_of(MNT));
}

TEST_F(whiteout, they_move_with_their_directory)
{
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, make_white(DIR_D "/w"));
	ASSERT_EQ(0, move(DIR_D, MNT "/e", 0));
	EXPECT_TRUE(is_white(MNT "/e", "w", variant->is_hidden));
}

TEST_F(whiteout, a_listing_goes_on_where_it_was)
{
	char name[16], seen[400] = {};
	struct dirent *entry;
	DIR *stream;
	long at = 0;
	int i, n;

	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), MNT "/%d", i);
		ASSERT_EQ(0, i % 2 ? make_white(name) : put_text(name, ""));
	}
	stream = opendir(MNT);
	for (n = 0; n < 152 && (entry = readdir(stream)); n++) {
		if (entry->d_name[0] != '.')
			seen[atoi(entry->d_name)]++;
		at = telldir(stream);
	}
	/* Names come and go meanwhile. */
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), MNT "/%d", i);
		if (i % 10 < 2 && !seen[i])
			i % 2 && variant->is_hidden ?
				put_text(name, "") : unlink(name);
	}
	ASSERT_EQ(0, make_white(MNT "/300"));
	seekdir(stream, at);
	while ((entry = readdir(stream)))
		seen[atoi(entry->d_name)]++;
	closedir(stream);
	for (i = 0; i < 200; i++)
		if (i % 10 >= 2)
			EXPECT_EQ(1, seen[i]) {
				TH_LOG("%d", i);
			}
}

/* A name that a key hid lies behind a directory that has outlived its key. */
static int make_kept(void)
{
	int err = table("/d/x/key " HOST "/f reg");

	if (!err)
		err = put_text(DIR_D "/x/kept", "kept");
	return err ?: table("-/d/x/key");
}

TEST_F(whiteout, stands_before_what_keys_have_hidden)
{
	if (!is_rumpfs())
		SKIP(return, "no keys");
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, put_text(DIR_D "/x", "behind"));
	ASSERT_EQ(0, make_kept());
	ASSERT_EQ(0, move(DIR_D "/x", DIR_D "/y", RENAME_WHITEOUT));
	EXPECT_TRUE(is_white(DIR_D, "x", variant->is_hidden));
	EXPECT_EQ(2, count_names(DIR_D));
	/* A key stands before both, and whoever looks for the name again. */
	ASSERT_EQ(0, table("/d/x " HOST "/f reg"));
	EXPECT_EQ(0, text_is(DIR_D "/x", "host"));
	ASSERT_EQ(0, table("-/d/x"));
	EXPECT_TRUE(is_white(DIR_D, "x", variant->is_hidden));
	EXPECT_EQ(2, count_names(DIR_D));
	ASSERT_EQ(0, white_drop(DIR_D, "x"));
	EXPECT_EQ(0, text_is(DIR_D "/x", "behind"));
	EXPECT_EQ(2, count_names(DIR_D));
}

TEST_F(whiteout, stands_behind_what_outlived_its_keys)
{
	if (!is_rumpfs())
		SKIP(return, "no keys");
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, make_white(DIR_D "/x"));
	ASSERT_EQ(0, make_kept());
	EXPECT_EQ(0, text_is(DIR_D "/x/kept", "kept"));
	ASSERT_EQ(0, table("/d/x " HOST "/f reg"));
	EXPECT_EQ(0, text_is(DIR_D "/x", "host"));
	ASSERT_EQ(0, table("-/d/x"));
	EXPECT_EQ(0, text_is(DIR_D "/x/kept", "kept"));
	ASSERT_EQ(0, unlink(DIR_D "/x/kept"));
	ASSERT_EQ(0, rmdir(DIR_D "/x"));
	EXPECT_TRUE(is_white(DIR_D, "x", variant->is_hidden));
	EXPECT_EQ(1, count_names(DIR_D));
}

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int make_whites(const char *dir, int n)
{
	char name[64];
	int i, err = 0;

	for (i = 0; i < n && !err; i++) {
		snprintf(name, sizeof(name), "%s/name-%d", dir, i);
		err = make_white(name);
	}
	return err;
}

/* Replace some by files, remove those, make them again: the time of it. */
static double churn(const char *dir, int nr, int step, int *err)
{
	double begin = cpu_seconds();
	char name[64];
	int i;

	for (i = 0; i < nr && !*err; i++) {
		snprintf(name, sizeof(name), "%s/name-%d", dir, i * step);
		*err = ERR(mknod(name, S_IFREG, 0));
		if (!*err)
			*err = ERR(unlink(name));
		if (!*err)
			*err = make_white(name);
	}
	return cpu_seconds() - begin;
}

TEST_F(hidden, many_cost_no_more_each_than_few)
{
	int nr = turns(10000), err = 0, tries;
	double few = 0, many = 0;

	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, mkdir(MNT "/few", 0755));
	ASSERT_EQ(0, make_whites(DIR_D, nr));
	ASSERT_EQ(0, make_whites(MNT "/few", nr / 20));
	/* The machine is not ours alone. */
	for (tries = 0; tries < 3 && 3 * few <= many; tries++) {
		few = churn(MNT "/few", nr / 20, 1, &err);
		many = churn(DIR_D, nr / 20, 20, &err);
	}
	ASSERT_EQ(0, err);
	EXPECT_EQ(nr, count_names(DIR_D));
	/* The same, but for a tree of some levels more. */
	EXPECT_GT(3 * few, many) {
		TH_LOG("of %d: %f s, of %d: %f s", nr / 20, few, nr, many);
	}
	EXPECT_EQ(0, rmdir(DIR_D));
}

FIXTURE(charge)
{
};

FIXTURE_VARIANT(charge)
{
	const char *word;
};

FIXTURE_VARIANT_ADD(charge, visible)
{
	.word = "",
};

FIXTURE_VARIANT_ADD(charge, hidden)
{
	.word = ",whiteout=hidden",
};

FIXTURE_SETUP(charge)
{
	char options[64];

	if (!is_rumpfs() && variant->word[0])
		SKIP(return, "only rumpfs hides whiteouts");
	snprintf(options, sizeof(options), "size=64k,nr_inodes=4%s",
		 variant->word);
	ASSERT_EQ(0, setup_mount(options));
}

FIXTURE_TEARDOWN(charge)
{
	teardown_mount();
}

TEST_F(charge, a_whiteout_takes_an_inode)
{
	ASSERT_EQ(0, make_white(MNT "/1"));
	ASSERT_EQ(0, make_white(MNT "/2"));
	ASSERT_EQ(0, put_text(MNT "/3", ""));
	EXPECT_EQ(4, used_inodes());
	EXPECT_EQ(ENOSPC, make_white(MNT "/4"));
	EXPECT_EQ(ENOSPC, move(MNT "/3", MNT "/5", RENAME_WHITEOUT));
	EXPECT_EQ(0, stat_err(MNT "/3"));
	EXPECT_EQ(3, count_names(MNT));
}

TEST_F(charge, a_long_name_takes_bytes)
{
	char name[300] = MNT "/d/";
	int i, err = 0;

	if (!is_rumpfs())
		SKIP(return, "tmpfs does not count names");
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT, "nr_inodes=0"));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	memset(name + strlen(name), 'n', 250);
	for (i = 0; i < 1000 && !err; i++) {
		sprintf(name + strlen(MNT "/d/") + 240, "%d", i);
		err = make_white(name);
	}
	/* 64 KiB of some 245 bytes each. */
	EXPECT_EQ(ENOSPC, err);
	EXPECT_LT(250, i);
	EXPECT_GT(280, i);
	if (variant->word[0]) {
		ASSERT_EQ(0, rmdir(DIR_D));
		/* All is given back: there is room for the last page. */
		EXPECT_EQ(0, fill(MNT "/f", 16 * PAGE, 1));
	}
}

/* The mount's word */

FIXTURE(option)
{
};

FIXTURE_SETUP(option)
{
	if (!is_rumpfs())
		SKIP(return, "a word of rumpfs");
	ASSERT_EQ(0, load_module());
	ASSERT_EQ(0, enter_sandbox());
}

FIXTURE_TEARDOWN(option)
{
	umount2(MNT, MNT_DETACH);
}

static bool mounts_show(const char *word)
{
	char *text = slurp("/proc/self/mounts", 4096, NULL);
	char *line = text ? strstr(text, " " MNT " ") : NULL;
	bool shows;

	if (line)
		line = strtok(line, "\n");
	shows = line && strstr(line, word);
	free(text);
	return shows;
}

static int remount_at(const char *dir, const char *options)
{
	return ERR(mount(NULL, dir, NULL, MS_REMOUNT, options));
}

TEST_F(option, is_shown_unless_it_is_the_default)
{
	ASSERT_EQ(0, mount_at(MNT, "whiteout=visible"));
	EXPECT_FALSE(mounts_show("whiteout"));
	ASSERT_EQ(0, umount(MNT));
	ASSERT_EQ(0, mount_at(MNT, "whiteout=hidden"));
	EXPECT_TRUE(mounts_show("whiteout=hidden"));
}

TEST_F(option, stays_as_it_is)
{
	ASSERT_EQ(0, mount_at(MNT, "whiteout=hidden"));
	EXPECT_EQ(EINVAL, remount_at(MNT, "whiteout=visible"));
	EXPECT_EQ(0, remount_at(MNT, "whiteout=hidden"));
	EXPECT_EQ(0, remount_at(MNT, "size=1M"));
	EXPECT_TRUE(mounts_show("whiteout=hidden"));
	ASSERT_EQ(0, mount_at(MNT2, NULL));
	EXPECT_EQ(EINVAL, remount_at(MNT2, "whiteout=hidden"));
	EXPECT_EQ(0, remount_at(MNT2, "whiteout=visible"));
}

TEST_F(option, names_the_word_it_does_not_know)
{
	int fd = fsopen("rumpfs", FSOPEN_CLOEXEC);
	char log[256] = {};

	ASSERT_LE(0, fd);
	EXPECT_EQ(EINVAL, ERR(fsconfig(fd, FSCONFIG_SET_STRING, "whiteout",
				       "grey", 0)));
	ASSERT_LT(0, read(fd, log, sizeof(log) - 1));
	EXPECT_NE(NULL, strstr(log, "whiteout=grey"));
	EXPECT_EQ(EINVAL, ERR(fsconfig(fd, FSCONFIG_SET_FLAG, "whiteout", NULL,
				       0)));
	EXPECT_EQ(EINVAL, mount_at(MNT, "whiteout=Hidden"));
}

TEST_HARNESS_MAIN
