// SPDX-License-Identifier: GPL-2.0
/*
 * Work on a file system, and what must be there after it.
 *
 *	fs_work do|check DIR SEED OPS WORKERS
 *
 * do: each worker has a directory below DIR, and does OPS random calls there: a
 * mix of all that changes files, their bytes and their names. check: the same is
 * done to a model in memory alone, for the same SEED, OPS and WORKERS; the files
 * must be as it is. Exit status 1: a call failed, or a file differs.
 */
#include <linux/falloc.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/xattr.h>

#include "lib/check.h"
#include "lib/dice.h"

#define NR_NAMES 12
#define NR_DIRS 3
#define ROOM (128 * PAGE)
#define XATTR "user.mark"

/* What a name leads to; of several names the one is the other's. */
struct file {
	unsigned char bytes[ROOM];
	size_t size;
	int nlink;
	unsigned int mark;
};

static struct file files[NR_NAMES];
/* Name n is n in directory n % NR_DIRS, and leads here or nowhere. */
static struct file *names[NR_NAMES];
static unsigned char piece[ROOM] __attribute__((aligned(PAGE)));
static struct dice dice;
/* Otherwise the model alone is worked on. */
static bool is_real;
static long op_nr;

#define ROLL(sides) ((size_t)dice_roll(&dice, sides))

static const char *path_of(int name)
{
	static char paths[2][16];
	static unsigned int turn;
	char *path = paths[turn++ % 2];

	snprintf(path, sizeof(paths[0]), "%d/%d", name % NR_DIRS, name);
	return path;
}

__attribute__((noreturn))
static void give_up(const char *what, const char *path, const char *why)
{
	printf("# %s, call %ld: %s %s: %s\n", is_real ? "do" : "check", op_nr,
	       what, path, why);
	exit(1);
}

/* Do this where files are real; it must succeed. */
#define REAL(path, call)						\
	do {								\
		if (is_real && (call) < 0)				\
			give_up(#call, path, strerror(errno));		\
	} while (0)

static int open_name(int name, int flags)
{
	int fd = open(path_of(name), flags | O_CLOEXEC, 0644);

	if (fd < 0)
		give_up("open", path_of(name), strerror(errno));
	return fd;
}

/* Names */

static struct file *new_file(void)
{
	struct file *file = files;

	while (file->nlink)
		file++;
	memset(file, 0, sizeof(*file));
	file->nlink = 1;
	return file;
}

static void create(int name)
{
	names[name] = new_file();
	if (is_real)
		close(open_name(name, O_RDWR | O_CREAT | O_EXCL));
}

static int any_name(void)
{
	int name = ROLL(NR_NAMES);

	if (!names[name])
		create(name);
	return name;
}

static void forget_name(int name)
{
	if (names[name])
		names[name]->nlink--;
	names[name] = NULL;
}

static void do_unlink(void)
{
	int name = any_name();

	forget_name(name);
	REAL(path_of(name), unlink(path_of(name)));
}

static void do_rename(void)
{
	int from = any_name(), to = ROLL(NR_NAMES);

	REAL(path_of(to), rename(path_of(from), path_of(to)));
	/* Two names of one file both stay. */
	if (names[from] == names[to])
		return;
	forget_name(to);
	names[to] = names[from];
	names[from] = NULL;
}

static void do_link(void)
{
	int from = any_name(), to = ROLL(NR_NAMES);

	if (names[to])
		return;
	REAL(path_of(to), link(path_of(from), path_of(to)));
	names[to] = names[from];
	names[to]->nlink++;
}

static void do_dirs(void)
{
	REAL("x", mkdir("x", 0755));
	REAL("x/y", mkdir("x/y", 0755));
	REAL("x/y/z", symlink("nowhere", "x/y/z"));
	REAL("y", rename("x/y", "y"));
	REAL("x", rename("y", "x"));
	REAL("x/z", unlink("x/z"));
	REAL("x", rmdir("x"));
}

static void do_mark(void)
{
	int name = any_name();
	unsigned int mark = 1 + ROLL(1000000);

	names[name]->mark = mark;
	REAL(path_of(name), setxattr(path_of(name), XATTR, &mark, sizeof(mark),
				     0));
}

/* Bytes */

/* Odd ranges, some that end where a page does, and a few long ones. */
static size_t pick_range(size_t *pos)
{
	size_t len;

	*pos = ROLL(ROOM - 1);
	len = 1 + ROLL(ROLL(8) ? 4 * PAGE : 48 * PAGE);
	if (!ROLL(4))
		*pos &= ~(PAGE - 1);
	if (!ROLL(4))
		len = (len | (PAGE - 1)) + 1;
	return len < ROOM - *pos ? len : ROOM - *pos;
}

static void fresh(size_t len)
{
	unsigned int seed = ROLL(255);
	size_t i;

	for (i = 0; i < len; i++)
		piece[i] = fill_byte(i, seed);
}

static void put_piece(struct file *file, size_t pos, size_t len)
{
	memcpy(file->bytes + pos, piece, len);
	if (pos + len > file->size)
		file->size = pos + len;
}

static void write_piece(int name, size_t pos, size_t len, int flags)
{
	int fd;

	put_piece(names[name], pos, len);
	if (!is_real)
		return;
	fd = open_name(name, O_WRONLY | flags);
	if (pwrite(fd, piece, len, pos) != (ssize_t)len)
		give_up("pwrite", path_of(name), strerror(errno));
	close(fd);
}

static void do_write(void)
{
	int name = any_name();
	size_t pos, len = pick_range(&pos);

	fresh(len);
	write_piece(name, pos, len, ROLL(16) ? 0 : O_DSYNC);
}

static void do_append(void)
{
	int name = any_name();
	size_t pos, len = pick_range(&pos);

	pos = names[name]->size;
	len = len < ROOM - pos ? len : ROOM - pos;
	fresh(len);
	write_piece(name, pos, len, 0);
}

static void do_direct(void)
{
	int name = any_name();
	size_t pos, len = pick_range(&pos);

	pos &= ~(PAGE - 1);
	len = (len + PAGE - 1) & ~(PAGE - 1);
	fresh(len);
	write_piece(name, pos, len, O_DIRECT);
}

static void do_map(void)
{
	int name = any_name();
	struct file *file = names[name];
	size_t pos, len = pick_range(&pos);
	bool is_synced = !ROLL(4);
	char *map;
	int fd;

	if (pos >= file->size)
		return;
	len = len < file->size - pos ? len : file->size - pos;
	fresh(len);
	put_piece(file, pos, len);
	if (!is_real)
		return;
	fd = open_name(name, O_RDWR);
	map = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		give_up("mmap", path_of(name), strerror(errno));
	memcpy(map + pos, piece, len);
	if (is_synced && msync(map, file->size, MS_SYNC))
		give_up("msync", path_of(name), strerror(errno));
	munmap(map, file->size);
	close(fd);
}

static void do_truncate(void)
{
	int name = any_name();
	struct file *file = names[name];
	size_t size = ROLL(ROOM + 1);

	if (size < file->size)
		memset(file->bytes + size, 0, file->size - size);
	file->size = size;
	REAL(path_of(name), truncate(path_of(name), size));
}

static void do_fallocate(void)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	};
	int name = any_name(), mode = modes[ROLL(5)], fd;
	struct file *file = names[name];
	size_t pos, len = pick_range(&pos);

	if (mode & (FALLOC_FL_ZERO_RANGE | FALLOC_FL_PUNCH_HOLE))
		memset(file->bytes + pos, 0, len);
	if (!(mode & FALLOC_FL_KEEP_SIZE) && pos + len > file->size)
		file->size = pos + len;
	if (!is_real)
		return;
	fd = open_name(name, O_RDWR);
	REAL(path_of(name), fallocate(fd, mode, pos, len));
	close(fd);
}

static void do_collapse(void)
{
	int name = any_name(), fd;
	struct file *file = names[name];
	size_t pos, len = pick_range(&pos);

	pos &= ~(PAGE - 1);
	len = (len + PAGE - 1) & ~(PAGE - 1);
	if (pos + len >= file->size)
		return;
	memmove(file->bytes + pos, file->bytes + pos + len,
		file->size - pos - len);
	memset(file->bytes + file->size - len, 0, len);
	file->size -= len;
	if (!is_real)
		return;
	fd = open_name(name, O_RDWR);
	REAL(path_of(name), fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, pos, len));
	close(fd);
}

static void do_copy(void)
{
	int from = any_name(), to = any_name(), in, out;
	size_t pos, len = pick_range(&pos);
	struct file *file = names[from];
	off_t off_in = pos, off_out = pos;
	ssize_t n;

	if (pos >= file->size || file == names[to])
		return;
	len = len < file->size - pos ? len : file->size - pos;
	memcpy(piece, file->bytes + pos, len);
	put_piece(names[to], pos, len);
	if (!is_real)
		return;
	in = open_name(from, O_RDONLY);
	out = open_name(to, O_WRONLY);
	for (; len; len -= n) {
		n = copy_file_range(in, &off_in, out, &off_out, len, 0);
		if (n <= 0)
			give_up("copy_file_range", path_of(to),
				strerror(errno));
	}
	close(in);
	close(out);
}

static void do_sync(void)
{
	int name = any_name(), how = ROLL(8), fd;

	if (!is_real)
		return;
	fd = open_name(name, O_RDWR);
	REAL(path_of(name), how ? how % 2 ? fsync(fd) : fdatasync(fd) :
			    syncfs(fd));
	close(fd);
}

/* The file against the model, read by the cache or past it. */
static void compare(int name, int flags)
{
	struct file *file = names[name];
	int fd = open_name(name, O_RDONLY | flags);
	ssize_t len = pread(fd, piece, ROOM, 0);
	char where[32];
	size_t i;

	close(fd);
	if (len != (ssize_t)file->size)
		give_up("size of", path_of(name),
			len < 0 ? strerror(errno) : "another");
	for (i = 0; i < file->size && piece[i] == file->bytes[i]; i++)
		;
	snprintf(where, sizeof(where), "differ at %zu", i);
	if (i < file->size)
		give_up("bytes of", path_of(name), where);
}

static void do_read(void)
{
	int name = any_name(), flags = ROLL(2) ? O_DIRECT : 0;

	if (is_real)
		compare(name, flags);
}

static void (*const calls[])(void) = {
	do_write, do_write, do_write, do_append, do_append, do_direct, do_map,
	do_map, do_truncate, do_fallocate, do_fallocate, do_collapse, do_copy,
	do_sync, do_read, do_rename, do_link, do_unlink, do_dirs, do_mark,
};

/* All */

static void check_name(int name)
{
	struct file *file = names[name];
	unsigned int mark = 0;

	if (!file) {
		if (stat_err(path_of(name)) != ENOENT)
			give_up("name", path_of(name), "is there");
		return;
	}
	compare(name, 0);
	if (nlink_of(path_of(name)) != file->nlink)
		give_up("links of", path_of(name), "another number");
	if (getxattr(path_of(name), XATTR, &mark, sizeof(mark)) < 0 &&
	    errno != ENODATA)
		give_up("getxattr", path_of(name), strerror(errno));
	if (mark != file->mark)
		give_up("mark of", path_of(name), "another");
}

static void check_all(void)
{
	int name, listed = 0, there = 0;
	char dir[8];

	for (name = 0; name < NR_NAMES; name++) {
		check_name(name);
		there += !!names[name];
	}
	for (name = 0; name < NR_DIRS; name++) {
		snprintf(dir, sizeof(dir), "%d", name);
		listed += count_names(dir);
	}
	if (listed != there || count_names(".") != NR_DIRS)
		give_up("names in", ".", "too many");
}

static int work(const char *dir, long nr_ops)
{
	char name[8];
	int i;

	REAL(dir, mkdir(dir, 0755));
	if (chdir(dir))
		give_up("chdir", dir, strerror(errno));
	for (i = 0; i < NR_DIRS; i++) {
		snprintf(name, sizeof(name), "%d", i);
		REAL(name, mkdir(name, 0755));
	}
	for (op_nr = 0; op_nr < nr_ops; op_nr++)
		calls[ROLL(sizeof(calls) / sizeof(*calls))]();
	if (!is_real)
		check_all();
	return 0;
}

int main(int argc, char **argv)
{
	int nr_workers, i, status, failed = 0;
	char dir[PATH_MAX];
	pid_t pid;

	if (argc != 6 || (strcmp(argv[1], "do") && strcmp(argv[1], "check"))) {
		fprintf(stderr, "fs_work do|check DIR SEED OPS WORKERS\n");
		return 2;
	}
	is_real = !strcmp(argv[1], "do");
	nr_workers = atoi(argv[5]);
	for (i = 0; i < nr_workers; i++) {
		dice.state = strtoull(argv[3], NULL, 0) * 1000003 + i + 1;
		snprintf(dir, sizeof(dir), "%s/w%d", argv[2], i);
		pid = fork();
		if (!pid)
			return work(dir, atol(argv[4]));
		failed |= pid < 0;
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
