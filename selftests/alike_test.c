// SPDX-License-Identifier: GPL-2.0
/*
 * What nobody has a use for in memory, and what lies at an edge, is answered as
 * tmpfs answers it.
 *
 * Each scene is played in a directory of tmpfs and in one of rumpfs, and tells
 * what it got, a line for each call. Where tmpfs of an older kernel is known to
 * say something else, the line has the release since when it speaks as here.
 */
#define _GNU_SOURCE
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <signal.h>

#include "lib/fixture.h"

#define MAX_LINES 300
#define MAX (0x7fffffffffffffffLL)

/* What a scene has told. */
static struct line {
	char what[80];
	long long result;
	int since;
} *told;
static int nr_told;

/* 6.12 is 612. */
static int release(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	return major * 100 + minor;
}

static void tell_since(int since, const char *what, long long result)
{
	struct line *line = &told[nr_told++];

	line->result = result < 0 ? -errno : result;
	line->since = since;
	snprintf(line->what, sizeof(line->what), "%s", what);
}

#define TELL(call) tell_since(0, #call, call)
#define TELL_SINCE(since, call) tell_since(since, #call, call)

static long move(const char *from, const char *to, int flags)
{
	return syscall(__NR_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static long long mode(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : st.st_mode;
}

static long long group(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : st.st_gid;
}

static long long links(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : (long long)st.st_nlink;
}

static long make(const char *path, mode_t mode)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, mode);

	return fd < 0 ? fd : close(fd);
}

/* The effective user and group, and one more group. */
static void be(uid_t uid, gid_t gid, gid_t more)
{
	syscall(__NR_setresuid, -1, 0, -1);
	syscall(__NR_setgroups, 1, &more);
	syscall(__NR_setresgid, -1, gid, -1);
	syscall(__NR_setresuid, -1, uid, -1);
}

/* The scenes */

static void ask_of_file(int fd)
{
	struct fstrim_range trim = { .len = MAX };
	struct fiemap map = { .fm_length = MAX };
	struct fsxattr fsx = {};
	int value = 0;
	long wide = 0;

	TELL(ioctl(fd, FIFREEZE, 0));
	TELL(ioctl(fd, FITHAW, 0));
	TELL(ioctl(fd, FITRIM, &trim));
	TELL(ioctl(fd, _IOR('v', 1, long), &wide));
	TELL(ioctl(fd, _IOW('v', 2, long), &wide));
	TELL(ioctl(fd, FS_IOC_FIEMAP, &map));
	TELL(ioctl(fd, FIBMAP, &value));
	TELL(ioctl(fd, FIGETBSZ, &value));
	TELL(value);
	TELL(ioctl(fd, 0x5460 /* FIOQSIZE */, &wide));
	TELL(ioctl(fd, 0x541b /* FIONREAD */, &value));
	TELL(ioctl(fd, FS_IOC_FSGETXATTR, &fsx));
	TELL(ioctl(fd, FS_IOC_FSSETXATTR, &fsx));
	TELL(ioctl(fd, FS_IOC_GETFLAGS, &value));
	TELL(ioctl(fd, 0x12345678, &value));
	TELL(fcntl(fd, F_GETLEASE));
	TELL(fcntl(fd, F_NOTIFY, 0));
	TELL(fcntl(fd, F_GETPIPE_SZ));
	TELL(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	TELL(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL));
	TELL(posix_fadvise(fd, 0, 0, 77));
	TELL(readahead(fd, 0, 10000));
	TELL(readahead(fd, -1, 10000));
	TELL(sync_file_range(fd, 0, 0, 7));
	TELL(sync_file_range(fd, -1, 0, 7));
	TELL(sync_file_range(fd, 0, 0, 8));
	TELL(fsync(fd));
	TELL(fdatasync(fd));
	TELL(syncfs(fd));
}

static void scene_ask(void)
{
	int fd = open("f", O_RDWR | O_CREAT, 0644), dir = open(".", O_RDONLY);
	char bytes[100] = "";

	TELL(write(fd, bytes, 100));
	ask_of_file(fd);
	ask_of_file(dir);
	TELL(close(fd));
	TELL(close(dir));
}

static void share(int from, int to)
{
	struct file_clone_range range = { .src_fd = from, .src_length = PAGE };
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} same = { .range = { .src_length = PAGE, .dest_count = 1 },
		   .info = { .dest_fd = to } };

	TELL(ioctl(to, FICLONE, from));
	TELL(ioctl(to, FICLONERANGE, &range));
	TELL(ioctl(from, FIDEDUPERANGE, &same));
	TELL(same.info.status);
	same.range.reserved1 = 1;
	TELL(ioctl(from, FIDEDUPERANGE, &same));
}

static void scene_clone(void)
{
	int a = open("a", O_RDWR | O_CREAT, 0644);
	int b = open("b", O_RDWR | O_CREAT, 0644);
	int dir = open(".", O_RDONLY);

	TELL(ftruncate(a, PAGE));
	TELL(ftruncate(b, PAGE));
	share(a, b);
	share(a, a);
	share(a, dir);
	share(dir, a);
}

static void scene_seek(void)
{
	int dir = open(".", O_RDONLY);
	int fd = open("f", O_RDWR | O_CREAT, 0644);

	TELL(lseek(dir, 0, SEEK_CUR));
	TELL(lseek(dir, 5, SEEK_SET));
	TELL(lseek(dir, -1, SEEK_SET));
	TELL(lseek(dir, -100, SEEK_CUR));
	TELL(lseek(dir, 0, SEEK_END));
	TELL(lseek(dir, 0, SEEK_DATA));
	TELL(lseek(dir, 0, SEEK_HOLE));
	TELL(lseek(dir, 0, 9));
	TELL(lseek(fd, MAX, SEEK_SET));
	TELL(lseek(fd, 1, SEEK_CUR));
	TELL(lseek(fd, -1, SEEK_SET));
	TELL(lseek(fd, 0, 9));
	TELL(lseek(fd, 0, SEEK_DATA));
	TELL(lseek(fd, 0, SEEK_HOLE));
	TELL(lseek(fd, -1, SEEK_DATA));
}

static void scene_directory(void)
{
	int dir, path = open(".", O_PATH);
	char bytes[100];

	TELL(mkdir("d", 0755));
	dir = open("d", O_RDONLY);
	TELL(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, dir, 0) == MAP_FAILED ?
	     -1 : 0);
	TELL(read(dir, bytes, 100));
	TELL(pread(dir, bytes, 100, 0));
	TELL(write(dir, bytes, 100));
	TELL(ftruncate(dir, 0));
	TELL(truncate("d", 0));
	TELL(fallocate(dir, 0, 0, 100));
	TELL(open("d", O_RDWR));
	TELL(open("d", O_CREAT | O_RDONLY, 0644));
	TELL_SINCE(606, open("d", O_RDONLY | O_DIRECT) < 0 ? -1 : 0);
	TELL(splice(dir, NULL, path, NULL, 100, 0));
	TELL(sendfile(dir, dir, NULL, 100));
	TELL(copy_file_range(dir, NULL, dir, NULL, 100, 0));
	TELL(execl("d", "d", NULL));
	TELL(readlink("d", bytes, 100));
	TELL_SINCE(606, setxattr("d", "user.", "", 0, 0));
	TELL(link("d", "e"));
	TELL(unlink("d"));
	TELL(mknod("x", S_IFDIR | 0755, 0));
	TELL(fchmod(path, 0755));
	TELL(rmdir("."));
	TELL(rmdir("d/."));
	TELL(rmdir("d/.."));
	TELL(mkdir("d/.", 0755));
	TELL(mkdir("", 0755));
	TELL(rmdir("d"));
	TELL(openat(dir, "x", O_CREAT | O_RDWR, 0644));
	TELL(openat(dir, ".", O_TMPFILE | O_RDWR, 0644) < 0 ? -1 : 0);
	TELL(fchmod(dir, 0700));
	TELL(fchown(dir, 1, 1));
}

static void scene_exec(void)
{
	TELL(make("f", 0644));
	TELL(execl("f", "f", NULL));
	TELL(chmod("f", 0755));
	TELL(execl("f", "f", NULL));
	TELL(access("f", X_OK));
	TELL(chmod("f", 0644));
	TELL(access("f", X_OK));
	TELL(mkfifo("p", 0777));
	TELL(execl("p", "p", NULL));
	TELL(symlink("s", "s"));
	TELL(execl("s", "s", NULL));
	TELL(execl("f/", "f", NULL));
}

static void scene_direct(void)
{
	int fd = open("f", O_RDWR | O_CREAT | O_DIRECT, 0644), plain;
	char bytes[100] = "direct";

	TELL_SINCE(606, fd < 0 ? -1 : 0);
	plain = open("f", O_RDWR | O_CREAT, 0644);
	TELL_SINCE(606, fcntl(plain, F_SETFL, O_DIRECT));
	TELL_SINCE(606, pwrite(fd, bytes, 33, 1));
	TELL_SINCE(606, pread(fd, bytes, 100, 3));
	TELL_SINCE(606, pread(fd, bytes, 100, 77));
	TELL(open("f", O_RDONLY | O_NOATIME) < 0 ? -1 : 0);
	TELL(open("none", O_RDONLY | O_DIRECT));
}

static void scene_vectors(void)
{
	int fd = open("f", O_RDWR | O_CREAT, 0644);
	char bytes[200] = "vector";
	struct iovec iov[2] = { { bytes, 100 }, { bytes, 100 } };
	/* What the compiler must not know. */
	char *volatile null = NULL, *volatile one = (char *)1;
	volatile int minus = -1;

	TELL(pwritev(fd, iov, 2, 10));
	TELL(preadv(fd, iov, 2, 50));
	TELL(pwritev(fd, iov, minus, 0));
	TELL(pwritev(fd, iov, 2, -5));
	TELL(pwritev2(fd, iov, 2, 0, RWF_NOWAIT));
	TELL(preadv2(fd, iov, 2, 0, RWF_NOWAIT));
	TELL(preadv2(fd, iov, 2, 0, RWF_HIPRI));
	TELL(pwritev2(fd, iov, 2, 0, RWF_DSYNC));
	TELL(pwritev2(fd, iov, 2, 0, RWF_APPEND));
	TELL(pwritev2(fd, iov, 2, 0, 0x40 /* RWF_ATOMIC */));
	TELL(pwritev2(fd, iov, 2, 0, 0x80 /* RWF_DONTCACHE */));
	TELL(pwrite(fd, null, 10, 0));
	TELL(pread(fd, one, 10, 0));
	TELL(pwrite(fd, one, 0, 0));
	TELL(size_of("f"));
}

static void scene_pipes(void)
{
	int in = open("in", O_RDWR | O_CREAT, 0644);
	int out = open("out", O_RDWR | O_CREAT, 0644);
	int append = open("out", O_WRONLY | O_APPEND);
	char bytes[3000] = "pipe";
	struct iovec iov = { bytes, 3000 };
	int a[2], b[2];
	off_t pos = 0;

	TELL(pipe(a));
	TELL(pipe(b));
	TELL(write(in, bytes, 3000));
	TELL(splice(in, &pos, a[1], NULL, 100, 0));
	TELL(pos);
	TELL(splice(in, &pos, a[1], NULL, 10000, SPLICE_F_NONBLOCK));
	TELL(splice(in, &pos, a[1], NULL, 10000, SPLICE_F_NONBLOCK));
	TELL(tee(a[0], b[1], 200, 0));
	TELL(tee(a[0], in, 200, 0));
	TELL(tee(in, a[1], 200, 0));
	pos = 7;
	TELL(splice(a[0], NULL, out, &pos, 50, 0));
	TELL(pos);
	TELL(splice(a[0], NULL, append, NULL, 50, 0));
	TELL(splice(a[0], NULL, out, NULL, 0, 0));
	TELL(vmsplice(b[1], &iov, 1, SPLICE_F_NONBLOCK));
	TELL(splice(b[0], NULL, out, NULL, 10000, 0));
	TELL(vmsplice(out, &iov, 1, 0));
	TELL(splice(in, NULL, out, NULL, 100, 0));
	TELL(splice(in, &pos, a[1], &pos, 100, 0));
	pos = -1;
	TELL(splice(in, &pos, a[1], NULL, 100, 0));
	TELL(size_of("out"));
	TELL(sendfile(out, in, NULL, 100));
	pos = 2990;
	TELL(sendfile(out, in, &pos, 100));
	TELL(sendfile(append, in, &pos, 100));
	TELL(sendfile(a[1], in, NULL, 100));
	TELL(size_of("out"));
}

static void scene_copy(void)
{
	int in = open("in", O_RDWR | O_CREAT, 0644);
	int out = open("out", O_RDWR | O_CREAT, 0644);
	int append = open("out", O_WRONLY | O_APPEND);
	int elsewhere = open(HOST "/elsewhere", O_RDWR | O_CREAT, 0644);
	loff_t from = 0, to = 0;

	TELL(ftruncate(in, 10000));
	TELL(copy_file_range(in, NULL, out, NULL, 100, 0));
	TELL(copy_file_range(in, NULL, out, NULL, 100, 1));
	TELL(copy_file_range(in, NULL, append, NULL, 100, 0));
	TELL(copy_file_range(in, &from, in, &to, 100, 0));
	to = 50;
	TELL(copy_file_range(in, &from, in, &to, 100, 0));
	from = 20000;
	TELL(copy_file_range(in, &from, out, &to, 100, 0));
	from = 0;
	to = MAX;
	TELL(copy_file_range(in, &from, out, &to, 100, 0));
	TELL(copy_file_range(in, &from, elsewhere, NULL, 100, 0));
	TELL(copy_file_range(elsewhere, NULL, in, &from, 100, 0));
	TELL(copy_file_range(in, &from, out, NULL, 0, 0));
}

static void scene_size(void)
{
	struct rlimit old, limit;
	int fd = open("f", O_RDWR | O_CREAT, 0644);
	char bytes[100] = "";
	struct stat st;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 50;
	setrlimit(RLIMIT_FSIZE, &limit);
	TELL(write(fd, bytes, 100));
	TELL(write(fd, bytes, 100));
	TELL(truncate("f", 51));
	TELL(ftruncate(fd, 51));
	TELL(fallocate(fd, 0, 0, 51));
	TELL(fallocate(fd, 1, 0, 51));
	setrlimit(RLIMIT_FSIZE, &old);
	TELL(fstat(fd, &st));
	TELL(st.st_size);
	TELL(truncate("f", MAX));
	TELL(pwrite(fd, bytes, 1, MAX - 1));
	TELL(pwrite(fd, bytes, 100, MAX - 1));
	TELL(pwrite(fd, bytes, 1, MAX));
	TELL(size_of("f"));
	TELL(truncate("f", -1));
	TELL(fallocate(fd, 0, MAX, 1));
	TELL(fallocate(fd, 0, -1, 1));
	TELL(fallocate(fd, 0, 0, 0));
	TELL(fallocate(fd, 2, 0, 1));
	TELL(fallocate(fd, 3, 0, MAX));
	TELL(fallocate(fd, 0x8, 0, PAGE));
	TELL(fallocate(fd, 0x20, 0, PAGE));
	TELL(fallocate(fd, 0x40, 0, PAGE));
	TELL(fallocate(fd, 0x1000, 0, PAGE));
	TELL(truncate("f", 0));
}

static char *repeat(const char *piece, size_t len)
{
	static char room[4][5000];
	static int next;
	char *text = room[next++ % 4];
	size_t i, n = strlen(piece);

	for (i = 0; i < len; i++)
		text[i] = piece[i % n];
	text[len] = '\0';
	return text;
}

static void scene_lengths(void)
{
	TELL(symlink(repeat("t", 4095), "s4095"));
	TELL(readlink("s4095", repeat("x", 4999), 4999));
	TELL(symlink(repeat("t", 4096), "s4096"));
	TELL(symlink(repeat("t", 1), "s1"));
	TELL(symlink("", "s0"));
	TELL(make(repeat("n", 255), 0644));
	TELL(make(repeat("n", 256), 0644));
	TELL(mkdir(repeat("m", 256), 0755));
	TELL(symlink("x", repeat("m", 256)));
	TELL(link("s1", repeat("m", 256)));
	TELL(move("s1", repeat("m", 256), 0));
	TELL(move(repeat("m", 256), "x", 0));
	TELL(unlink(repeat("m", 256)));
	TELL(rmdir(repeat("m", 256)));
	TELL(stat_err(repeat("m", 256)));
	TELL(stat_err(repeat("a/", 4095)));
	TELL(stat_err(repeat("a/", 4096)));
	TELL(stat_err(repeat("./", 4094)));
	TELL(mknod(repeat("m", 256), S_IFIFO, 0));
	TELL(setxattr("s4095", repeat("user.a", 256), "", 0, 0));
	TELL_SINCE(606, setxattr(repeat("n", 255), repeat("user.a", 255),
				 repeat("v", 100), 100, 0));
	TELL(setxattr(repeat("n", 255), repeat("user.a", 256), "", 0, 0));
}

/* Everything groups() may have made. */
static int remove_all(void)
{
	char path[] = "g/?";
	const char *name;
	int left = 0;

	for (name = "dsfnpcwbklt"; *name; name++) {
		path[2] = *name;
		if (remove(path) && errno != ENOENT)
			left++;
	}
	return left;
}

/* Who may: as root, as a member of the group of the directory, as another. */
static void groups(uid_t uid, gid_t gid, gid_t more)
{
	int fd;

	be(uid, gid, more);
	TELL(mkdir("g/d", 0777));
	TELL(mode("g/d"));
	TELL(group("g/d"));
	TELL(mkdir("g/s", 02777));
	TELL(mode("g/s"));
	TELL(make("g/f", 02775));
	TELL(mode("g/f"));
	TELL(group("g/f"));
	TELL(make("g/n", 02765));
	TELL(mode("g/n"));
	TELL(mknod("g/p", S_IFIFO | 06775, 0));
	TELL(mode("g/p"));
	TELL(mknod("g/c", S_IFCHR | 0666, makedev(1, 3)));
	TELL(mknod("g/w", S_IFCHR | 0666, 0));
	TELL(mknod("g/b", S_IFBLK | 0666, makedev(7, 0)));
	TELL(mknod("g/k", S_IFSOCK | 02775, 0));
	TELL(mode("g/k"));
	TELL(symlink("x", "g/l"));
	TELL(group("g/l"));
	fd = open("g", O_TMPFILE | O_RDWR, 02775);
	TELL(fd < 0 ? -1 : linkat(fd, "", AT_FDCWD, "g/t", AT_EMPTY_PATH));
	close(fd);
	TELL(mode("g/t"));
	TELL(group("g/t"));
	TELL(chmod("g/f", 02775));
	TELL(mode("g/f"));
	TELL(chown("g/f", -1, 6));
	TELL(mode("g/f"));
	TELL(chown("g/f", uid + 1, -1));
	TELL(chmod("g", 02777));
	TELL(move("g/f", "g/n", RENAME_EXCHANGE));
	be(0, 0, 0);
	TELL(remove_all());
}

static void scene_groups(void)
{
	int i;

	for (i = 0; i < 4; i++) {
		TELL(mkdir("g", 0777));
		TELL(chown("g", 7, 6));
		TELL(chmod("g", 0777 | (i & 1 ? S_ISGID : 0) |
				(i & 2 ? S_ISVTX : 0)));
		groups(0, 0, 0);
		groups(1000, 6, 6);
		groups(1000, 1000, 6);
		groups(1000, 1000, 1001);
		groups(7, 1000, 1001);
		TELL(rmdir("g"));
	}
}

static void scene_sticky(void)
{
	TELL(mkdir("t", 01777));
	TELL(chmod("t", 01777));
	be(1000, 1000, 1000);
	TELL(make("t/f", 0666));
	TELL(mkdir("t/d", 0777));
	be(1001, 1001, 1001);
	TELL(unlink("t/f"));
	TELL(rmdir("t/d"));
	TELL(move("t/f", "t/g", 0));
	TELL(make("t/mine", 0666));
	TELL(move("t/mine", "t/f", 0));
	TELL(move("t/mine", "t/f", RENAME_EXCHANGE));
	TELL(link("t/f", "t/h"));
	TELL(open("t/f", O_RDWR | O_CREAT, 0666) < 0 ? -1 : 0);
	TELL(utimensat(AT_FDCWD, "t/f", NULL, 0));
	TELL(chmod("t/f", 0));
	TELL(truncate("t/f", 100));
	TELL(chown("t/mine", 1000, -1));
	TELL(chown("t/mine", 1001, 1001));
	TELL(setxattr("t/f", "trusted.a", "", 0, 0));
	TELL(unlink("t/mine"));
	be(0, 0, 0);
	TELL(unlink("t/f"));
}

static int link_fd(int fd, const char *to)
{
	char proc[40];

	sprintf(proc, "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, proc, AT_FDCWD, to, AT_SYMLINK_FOLLOW);
}

static void scene_links(void)
{
	int fd;

	TELL(symlink("none", "s"));
	TELL(link("s", "t"));
	TELL(mode("t"));
	TELL(links("s"));
	TELL(linkat(AT_FDCWD, "s", AT_FDCWD, "u", AT_SYMLINK_FOLLOW));
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	TELL(link_fd(fd, "u"));
	TELL(link_fd(fd, "u"));
	TELL(link_fd(fd, "v"));
	TELL(links("v"));
	TELL(unlink("u"));
	TELL(unlink("v"));
	TELL(link_fd(fd, "v"));
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	TELL(link_fd(fd, "w"));
	TELL(open(".", O_TMPFILE | O_RDONLY, 0600));
	TELL(open("s", O_TMPFILE | O_RDWR, 0600));
	TELL(open("s", O_CREAT | O_EXCL | O_RDWR, 0600));
	TELL(open("s", O_RDONLY | O_NOFOLLOW));
	TELL(chmod("s", 0600));
	TELL(unlink("s/"));
	TELL(lchown("s", 5, 5));
	TELL(group("t"));
	TELL(mknod("s", S_IFREG | 0644, 0));
	TELL(mknod("q", 0644, 0));
	TELL(mode("q"));
	TELL(mknod("r", S_IFLNK | 0644, 0));
	TELL(mknod("r", 0150000, 0));
}

static void scene_rename(void)
{
	TELL(mkdir("d", 0755));
	TELL(mkdir("d/e", 0755));
	TELL(make("f", 0644));
	TELL(move("d", "f", RENAME_EXCHANGE));
	TELL(mode("d"));
	TELL(mode("f"));
	TELL(links("."));
	TELL(move("f/e", "d", RENAME_EXCHANGE));
	TELL(links("."));
	TELL(links("f"));
	TELL(move("f", "f/e", 0));
	TELL(move("f", "f/e", RENAME_EXCHANGE));
	TELL(move("f/e", "f", RENAME_EXCHANGE));
	TELL(move("f/e", "none", RENAME_EXCHANGE));
	TELL(move("f/e", "d", RENAME_NOREPLACE));
	TELL(move("f/e", "f/e", RENAME_NOREPLACE));
	TELL(move("f/e", "f/e", RENAME_EXCHANGE));
	TELL(move("f/e", "f/e", 0));
	TELL(move("f/e", "x", 3));
	TELL(move("f/e", "x", 6));
	TELL(move("f/e", "d", RENAME_WHITEOUT));
	TELL(move("f/e", "x", 5));
	TELL(mode("f/e"));
	TELL(move("d", "x", RENAME_WHITEOUT));
	TELL(mode("d"));
	TELL(links("d"));
	TELL(move("f", "g/", 0));
	TELL(move("x", "y/", 0));
	TELL(move("g/.", "h", 0));
	TELL(move("g", ".", 0));
	TELL(move("g", "g", 8));
	TELL(move("g", HOST "/g", 0));
	TELL(link("x", HOST "/x"));
}

static void scene_times(void)
{
	struct timespec old = { 1000, 5 }, omit = { 0, UTIME_OMIT };
	struct timespec now = { 0, UTIME_NOW }, bad = { 0, 1000000000 };
	struct timespec far = { 1LL << 40, 0 }, past = { -(1LL << 40), 0 };
	struct stat st;

#define TIMES(a, b) (utimensat(AT_FDCWD, "f",				\
			       ((struct timespec[]) { a, b }), 0))
	TELL(make("f", 0644));
	TELL(TIMES(old, old));
	TELL(TIMES(omit, now));
	TELL(lstat("f", &st));
	TELL(st.st_atim.tv_sec * 10 + st.st_atim.tv_nsec);
	TELL(TIMES(old, omit));
	TELL(TIMES(bad, omit));
	TELL(TIMES(omit, omit));
	TELL(TIMES(far, past));
	TELL(lstat("f", &st));
	TELL(st.st_atim.tv_sec);
	TELL(st.st_mtim.tv_sec);
	TELL(chmod("f", 0666));
	be(1000, 1000, 1000);
	TELL(TIMES(omit, omit));
	TELL(TIMES(now, now));
	TELL(TIMES(now, omit));
	TELL(TIMES(old, old));
	TELL(utimensat(AT_FDCWD, "f", NULL, 0));
	be(0, 0, 0);
	TELL(chmod("f", 0600));
	be(1000, 1000, 1000);
	TELL(TIMES(now, now));
	TELL(TIMES(omit, omit));
	be(0, 0, 0);
	TELL(utimensat(AT_FDCWD, "none", NULL, 0));
	TELL(utimensat(AT_FDCWD, "f", NULL, 0x1234));
}

/* Of so many changes, each looked at, how many had a time of their own? */
static int count_times(int n)
{
	int fd = open("f", O_RDWR | O_CREAT, 0644), i, count = 0;
	struct stat st, last = {};

	for (i = 0; i < n; i++, last = st) {
		if (pwrite(fd, "x", 1, 0) != 1 || fstat(fd, &st))
			return -1;
		count += st.st_mtim.tv_nsec != last.st_mtim.tv_nsec ||
			 st.st_mtim.tv_sec != last.st_mtim.tv_sec;
	}
	close(fd);
	return count;
}

static void scene_ticks(void)
{
	TELL(count_times(1000) == 1000);
}

/* What gives rights is taken off by who writes, cuts or gives away. */
static void rights(mode_t bits)
{
	int fd;

#define AGAIN() (be(0, 0, 0), chmod("f", bits), be(1000, 1000, 1000))
	fd = open("f", O_RDWR);
	AGAIN();
	TELL(write(fd, "x", 1));
	TELL(mode("f"));
	AGAIN();
	TELL(truncate("f", 10));
	TELL(mode("f"));
	AGAIN();
	TELL(ftruncate(fd, 20));
	TELL(mode("f"));
	AGAIN();
	TELL(fallocate(fd, 0, 0, 100));
	TELL(mode("f"));
	AGAIN();
	TELL(fallocate(fd, 3, 0, 100));
	TELL(mode("f"));
	AGAIN();
	TELL(open("f", O_RDWR | O_TRUNC) < 0 ? -1 : 0);
	TELL(mode("f"));
	AGAIN();
	TELL(copy_file_range(open("src", O_RDONLY), NULL, fd, NULL, 10, 0));
	TELL(mode("f"));
	be(0, 0, 0);
	TELL(chmod("f", bits));
	TELL(write(fd, "x", 1));
	TELL(mode("f"));
	TELL(chown("f", 3, -1));
	TELL(mode("f"));
	TELL(chmod("f", bits));
	TELL(chown("f", -1, -1));
	TELL(mode("f"));
	close(fd);
}

static void scene_rights(void)
{
	TELL(make("src", 0666));
	TELL(truncate("src", 100));
	TELL(make("f", 0666));
	rights(06777);
	rights(06767);
	rights(02666);
	rights(04666);
}

static void scene_no_rights(void)
{
	TELL(chmod(".", 0777));
	be(1000, 1000, 1000);
	TELL(mknod("c", S_IFCHR | 0666, makedev(1, 3)));
	TELL(mknod("w", S_IFCHR | 0666, 0));
	TELL(mknod("b", S_IFBLK | 0666, makedev(7, 0)));
	TELL(mknod("p", S_IFIFO | 0666, 0));
	TELL(mknod("f", S_IFREG | 0666, 0));
	TELL(move("f", "g", RENAME_WHITEOUT));
	TELL(mode("f"));
	TELL(setxattr("g", "trusted.a", "", 0, 0));
	TELL(setxattr("g", "security.a", "", 0, 0));
	TELL_SINCE(606, getxattr("g", "user.a", NULL, 0));
	TELL(chown("g", 0, -1));
	TELL(chown("g", -1, 0));
	TELL(chroot("."));
	TELL(open(".", O_RDONLY | O_NOATIME) < 0 ? -1 : 0);
	be(0, 0, 0);
	TELL(chown("g", 5, 5));
	be(1000, 1000, 1000);
	TELL(open("g", O_RDONLY | O_NOATIME) < 0 ? -1 : 0);
	be(0, 0, 0);
}

static void scene_locks(void)
{
	int fd = open("f", O_RDWR | O_CREAT, 0644);
	int read_only = open("f", O_RDONLY), path = open("f", O_PATH);
	struct flock lock = { .l_type = F_WRLCK, .l_len = 10 };

	signal(SIGIO, SIG_IGN);
	TELL(fcntl(read_only, F_SETLK, &lock));
	TELL(fcntl(fd, F_SETLK, &lock));
	TELL(fcntl(fd, F_SETLEASE, F_RDLCK));
	TELL(fcntl(read_only, F_SETLEASE, F_RDLCK));
	close(fd);
	TELL(fcntl(read_only, F_SETLEASE, F_RDLCK));
	TELL(fcntl(read_only, F_GETLEASE));
	TELL(open("f", O_RDWR | O_NONBLOCK));
	TELL(fcntl(read_only, F_SETLEASE, F_UNLCK));
	TELL(fcntl(path, F_SETLK, &lock));
	fd = open(".", O_RDONLY);
	TELL(fcntl(fd, F_SETLK, &lock));
	TELL_SINCE(700, fcntl(fd, F_SETLEASE, F_RDLCK));
	TELL(fcntl(fd, F_SETLEASE, F_WRLCK));
}

/* Both play it */

static const char *const roots[] = { MNT2, MNT };
static struct line lines[2][MAX_LINES * 3];

FIXTURE(alike)
{
};

FIXTURE_SETUP(alike)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mount("none", MNT2, "tmpfs", 0, "mode=0755"));
}

FIXTURE_TEARDOWN(alike)
{
	teardown_mount();
}

/* How many lines differ. */
static int play_both(void (*scene)(void))
{
	int i, n[2], differ = 0;

	for (i = 0; i < 2; i++) {
		if (chdir(roots[i]))
			return -1;
		told = lines[i];
		nr_told = 0;
		scene();
		n[i] = nr_told;
	}
	for (i = 0; i < n[0] && i < n[1]; i++) {
		const struct line *x = &lines[0][i], *y = &lines[1][i];

		if (x->result == y->result || release() < x->since)
			continue;
		printf("# %d: %s: tmpfs %lld, rumpfs %lld\n", i, x->what,
		       x->result, y->result);
		differ++;
	}
	return differ + abs(n[0] - n[1]) + (chdir("/") ? 1 : 0);
}

#define SCENE(name)							\
TEST_F(alike, name)							\
{									\
	EXPECT_EQ(0, play_both(scene_##name));				\
}

SCENE(ask)
SCENE(clone)
SCENE(seek)
SCENE(directory)
SCENE(exec)
SCENE(direct)
SCENE(vectors)
SCENE(pipes)
SCENE(copy)
SCENE(size)
SCENE(lengths)
SCENE(groups)
SCENE(sticky)
SCENE(links)
SCENE(rename)
SCENE(times)
SCENE(rights)
SCENE(ticks)
SCENE(no_rights)
SCENE(locks)

TEST_HARNESS_MAIN
