// SPDX-License-Identifier: GPL-2.0
/* A file in memory is born, written, measured and let go. */

#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <sys/un.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"
#define FILE_B MNT "/b"
#define DIR_D MNT "/d"

#ifndef STATX_BTIME
#define STATX_BTIME 0x800U
#endif

static char page[PAGE];

FIXTURE(tree)
{
};

FIXTURE_SETUP(tree)
{
	ASSERT_EQ(0, setup_mount(NULL));
}

FIXTURE_TEARDOWN(tree)
{
	teardown_mount();
}

static struct stat stat_of(const char *path)
{
	struct stat st = {};

	lstat(path, &st);
	return st;
}

static bool later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec ||
	       (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static long long blocks_of(const char *path)
{
	return stat_of(path).st_blocks;
}

TEST_F(tree, written_bytes_are_read_back)
{
	/* An odd length over several pages, written in odd pieces. */
	ASSERT_EQ(0, fill(FILE_A, 50021, 1));
	EXPECT_EQ(50021, size_of(FILE_A));
	EXPECT_EQ(0, fill_is(FILE_A, 0, 50021, 0, 1));
	EXPECT_EQ(0, fill_is(FILE_A, 4095, 8195, 0, 1));

	/* A read ends at the end of the file, and beyond it gives nothing. */
	EXPECT_EQ(1, get_bytes(FILE_A, page, 100, 50020));
	EXPECT_EQ(0, get_bytes(FILE_A, page, 100, 50021));
	EXPECT_EQ(0, get_bytes(FILE_A, page, 100, 1LL << 40));
}

TEST_F(tree, odd_pieces_join)
{
	int fd = open(FILE_A, O_RDWR | O_CREAT, 0644);
	unsigned char piece[1234];
	long pos, i;

	ASSERT_LE(0, fd);
	for (pos = 0; pos < 20000; pos += sizeof(piece)) {
		for (i = 0; i < (long)sizeof(piece); i++)
			piece[i] = fill_byte(pos + i, 2);
		ASSERT_EQ(sizeof(piece), write(fd, piece, sizeof(piece)));
	}
	close(fd);
	EXPECT_EQ(0, fill_is(FILE_A, 0, 20000, 0, 2));
}

TEST_F(tree, append_goes_to_the_end)
{
	int fd;

	ASSERT_EQ(0, put_text(FILE_A, "one"));
	fd = open(FILE_A, O_WRONLY | O_APPEND);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	EXPECT_EQ(3, write(fd, "two", 3));
	EXPECT_EQ(6, lseek(fd, 0, SEEK_CUR));
	close(fd);
	EXPECT_EQ(0, text_is(FILE_A, "onetwo"));
}

TEST_F(tree, truncate_cuts_and_grows_with_zeros)
{
	ASSERT_EQ(0, fill(FILE_A, 10000, 3));
	ASSERT_EQ(0, truncate(FILE_A, 4100));
	EXPECT_EQ(4100, size_of(FILE_A));
	ASSERT_EQ(0, truncate(FILE_A, 10000));
	EXPECT_EQ(0, fill_is(FILE_A, 0, 4100, 0, 3));
	ASSERT_EQ(PAGE, get_bytes(FILE_A, page, PAGE, 4100));
	EXPECT_EQ(-1, byte_differs(page, PAGE, 0));

	/* To the size it has: nothing happens to the bytes. */
	ASSERT_EQ(0, truncate(FILE_A, 10000));
	EXPECT_EQ(0, fill_is(FILE_A, 0, 4100, 0, 3));
	EXPECT_EQ(EINVAL, ERR(truncate(FILE_A, -1)));
}

TEST_F(tree, open_with_trunc_empties)
{
	ASSERT_EQ(0, fill(FILE_A, 9000, 3));
	EXPECT_EQ(0, open_err(FILE_A, O_WRONLY | O_TRUNC));
	EXPECT_EQ(0, size_of(FILE_A));
	EXPECT_EQ(0, blocks_of(FILE_A));
}

/*
 * What a store past the end left in the last page must not be seen later. (tmpfs
 * does show it: there this test fails.)
 */
TEST_F(tree, stale_bytes_do_not_come_back)
{
	const char grow[] = "x";
	char *map;
	int fd = open(FILE_A, O_RDWR | O_CREAT, 0644);

	ASSERT_LE(0, fd);
	ASSERT_EQ(100, pwrite(fd, page, 100, 0));
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);

	/* Grown by truncate. */
	memset(map + 100, 0xee, PAGE - 100);
	ASSERT_EQ(0, ftruncate(fd, 1000));
	ASSERT_EQ(900, pread(fd, page, 900, 100));
	EXPECT_EQ(-1, byte_differs(page, 900, 0)) {
		TH_LOG("after truncate");
	}

	/* Grown by a write that leaves a gap in the same page. */
	memset(map + 1000, 0xee, PAGE - 1000);
	ASSERT_EQ(1, pwrite(fd, grow, 1, 2000));
	ASSERT_EQ(1000, pread(fd, page, 1000, 1000));
	EXPECT_EQ(-1, byte_differs(page, 1000, 0)) {
		TH_LOG("after a write in the page");
	}

	/* Grown by a write to a later page. */
	memset(map + 2001, 0xee, PAGE - 2001);
	ASSERT_EQ(1, pwrite(fd, grow, 1, 3 * PAGE));
	ASSERT_EQ(PAGE - 2001, pread(fd, page, PAGE - 2001, 2001));
	EXPECT_EQ(-1, byte_differs(page, PAGE - 2001, 0)) {
		TH_LOG("after a write to a later page");
	}
	munmap(map, PAGE);
	close(fd);
}

TEST_F(tree, sparse_files_cost_nothing)
{
	struct statvfs before, after;
	long long i;

	ASSERT_EQ(0, statvfs(MNT, &before));
	ASSERT_EQ(0, put_text(FILE_A, ""));
	ASSERT_EQ(0, truncate(FILE_A, 1LL << 40));
	EXPECT_EQ(1LL << 40, size_of(FILE_A));

	/* Not when they are read, either. */
	for (i = 0; i < 64; i++) {
		memset(page, 1, PAGE);
		ASSERT_EQ(PAGE, get_bytes(FILE_A, page, PAGE, i << 34));
		ASSERT_EQ(-1, byte_differs(page, PAGE, 0));
	}
	EXPECT_EQ(0, blocks_of(FILE_A));
	ASSERT_EQ(0, statvfs(MNT, &after));
	EXPECT_GE(2, before.f_bfree - after.f_bfree);

	/* One byte far out is one page. */
	i = open(FILE_A, O_WRONLY);
	ASSERT_EQ(1, pwrite(i, "x", 1, (1LL << 40) - 1));
	close(i);
	EXPECT_EQ(PAGE / 512, blocks_of(FILE_A));
	EXPECT_EQ(1, get_bytes(FILE_A, page, PAGE, (1LL << 40) - 1));
	EXPECT_EQ('x', page[0]);
}

TEST_F(tree, shared_mapping_and_file_are_one)
{
	char *map;
	int fd;

	ASSERT_EQ(0, fill(FILE_A, 3 * PAGE, 4));
	fd = open(FILE_A, O_RDWR);
	map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, fill_differs(map, 3 * PAGE, 0, 4));
	map[PAGE + 5] = 'M';
	ASSERT_EQ(1, pread(fd, page, 1, PAGE + 5));
	EXPECT_EQ('M', page[0]);
	ASSERT_EQ(1, pwrite(fd, "W", 1, 7));
	EXPECT_EQ('W', map[7]);
	EXPECT_EQ(0, msync(map, 3 * PAGE, MS_SYNC));
	munmap(map, 3 * PAGE);
	close(fd);
}

TEST_F(tree, private_mapping_keeps_its_stores)
{
	char *map;
	int fd;

	ASSERT_EQ(0, fill(FILE_A, PAGE, 4));
	fd = open(FILE_A, O_RDONLY);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	map[9] = 'P';
	EXPECT_EQ(0, fill_is(FILE_A, 0, PAGE, 0, 4));
	EXPECT_EQ('P', map[9]);
	EXPECT_EQ(EACCES,
		  ERR((long)mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0)));
	munmap(map, PAGE);
	close(fd);
}

TEST_F_SIGNAL(tree, fault_past_the_end_is_sigbus, SIGBUS)
{
	volatile char *map;
	int fd = open(FILE_A, O_RDWR | O_CREAT, 0644);

	ASSERT_EQ(1, write(fd, "x", 1));
	map = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ('x', map[0]);
	ASSERT_EQ(0, map[PAGE - 1]);
	(void)map[PAGE];
}

TEST_F(tree, sendfile_and_splice_carry_the_bytes)
{
	off_t pos = 5000;
	int in, out, ends[2];

	ASSERT_EQ(0, fill(FILE_A, 20000, 5));
	in = open(FILE_A, O_RDONLY);
	out = open(FILE_B, O_RDWR | O_CREAT, 0644);
	ASSERT_EQ(15000, sendfile(out, in, &pos, 100000));
	EXPECT_EQ(20000, pos);
	EXPECT_EQ(0, fill_is(FILE_B, 0, 15000, 5000, 5));

	/* File to pipe, pipe to file. */
	ASSERT_EQ(0, pipe(ends));
	pos = 100;
	ASSERT_EQ(6000, splice(in, &pos, ends[1], NULL, 6000, 0));
	ASSERT_EQ(0, ftruncate(out, 0));
	pos = 0;
	ASSERT_EQ(6000, splice(ends[0], NULL, out, &pos, 6000, 0));
	EXPECT_EQ(0, fill_is(FILE_B, 0, 6000, 100, 5));
	close(ends[0]);
	close(ends[1]);

	/* A hole is carried as zeros. */
	ASSERT_EQ(0, ftruncate(out, 0));
	ASSERT_EQ(0, truncate(FILE_A, 30000));
	pos = 20000;
	ASSERT_EQ(10000, sendfile(out, in, &pos, 10000));
	ASSERT_EQ(PAGE, get_bytes(FILE_B, page, PAGE, 2000));
	EXPECT_EQ(-1, byte_differs(page, PAGE, 0));
	close(in);
	close(out);
}

TEST_F(tree, open_unlinked_file_lives_on)
{
	struct stat st;
	int fd;

	ASSERT_EQ(0, fill(FILE_A, 9000, 6));
	fd = open(FILE_A, O_RDWR);
	ASSERT_EQ(0, unlink(FILE_A));
	EXPECT_EQ(ENOENT, stat_err(FILE_A));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_nlink);
	EXPECT_EQ(9000, st.st_size);
	ASSERT_EQ(100, pread(fd, page, 100, 8000));
	EXPECT_EQ(-1, fill_differs(page, 100, 8000, 6));
	EXPECT_EQ(1, pwrite(fd, "x", 1, 20000));
	close(fd);
}

TEST_F(tree, tmpfile_gets_a_name_by_linkat)
{
	char proc[64];
	struct stat st;
	int fd = open(MNT, O_TMPFILE | O_RDWR, 0640);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, count_names(MNT));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_nlink);
	EXPECT_EQ(S_IFREG | 0640, st.st_mode);
	ASSERT_EQ(4, write(fd, "temp", 4));
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	ASSERT_EQ(0,
		  linkat(AT_FDCWD, proc, AT_FDCWD, FILE_A, AT_SYMLINK_FOLLOW));
	EXPECT_EQ(1, nlink_of(FILE_A));
	EXPECT_EQ(0, text_is(FILE_A, "temp"));
	close(fd);

	/* O_EXCL forbids a name for ever. */
	fd = open(MNT, O_TMPFILE | O_RDWR | O_EXCL, 0600);
	ASSERT_LE(0, fd);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	EXPECT_EQ(ENOENT, ERR(linkat(AT_FDCWD, proc, AT_FDCWD, FILE_B,
				     AT_SYMLINK_FOLLOW)));
	close(fd);
}

TEST_F(tree, symlinks_hold_up_to_4095_bytes)
{
	static char target[4097], back[4097];

	memset(target, 't', 4095);
	ASSERT_EQ(0, symlink(target, FILE_A));
	ASSERT_EQ(4095, readlink(FILE_A, back, sizeof(back)));
	EXPECT_EQ(0, memcmp(target, back, 4095));
	EXPECT_EQ(4095, stat_of(FILE_A).st_size);
	EXPECT_EQ(S_IFLNK | 0777, mode_of(FILE_A));
	target[4095] = 't';
	EXPECT_EQ(ENAMETOOLONG, ERR(symlink(target, FILE_B)));
	EXPECT_EQ(ENOENT, ERR(symlink("", FILE_B)));

	ASSERT_EQ(0, put_text(FILE_B, "b"));
	ASSERT_EQ(0, symlink("b", DIR_D));
	EXPECT_EQ(0, text_is(DIR_D, "b"));
	ASSERT_EQ(0, symlink("loop", MNT "/loop"));
	EXPECT_EQ(ELOOP, open_err(MNT "/loop", O_RDONLY));
}

TEST_F(tree, a_fifo_joins_two_ends)
{
	int in, out;

	ASSERT_EQ(0, mkfifo(FILE_A, 0622));
	EXPECT_EQ(S_IFIFO | 0622, mode_of(FILE_A));
	EXPECT_EQ(ENXIO, open_err(FILE_A, O_WRONLY | O_NONBLOCK));
	in = open(FILE_A, O_RDONLY | O_NONBLOCK);
	out = open(FILE_A, O_WRONLY);
	ASSERT_LE(0, in);
	ASSERT_LE(0, out);
	ASSERT_EQ(3, write(out, "abc", 3));
	EXPECT_EQ(3, read(in, page, 10));
	close(in);
	close(out);
}

TEST_F(tree, a_socket_is_bound_and_reached)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = FILE_A };
	int server = socket(AF_UNIX, SOCK_STREAM, 0),
	    client = socket(AF_UNIX, SOCK_STREAM, 0);

	ASSERT_EQ(0, bind(server, (void *)&addr, sizeof(addr)));
	ASSERT_EQ(0, listen(server, 1));
	EXPECT_EQ(S_IFSOCK, mode_of(FILE_A) & S_IFMT);
	EXPECT_EQ(0, connect(client, (void *)&addr, sizeof(addr)));
	EXPECT_EQ(ENXIO, open_err(FILE_A, O_RDONLY));
	EXPECT_EQ(EADDRINUSE, ERR(bind(client, (void *)&addr, sizeof(addr))));
	close(server);
	close(client);
}

TEST_F(tree, device_nodes_work)
{
	struct stat st;

	/* 1:3 is null, 1:5 is zero. */
	ASSERT_EQ(0, mknod(FILE_A, S_IFCHR | 0666, makedev(1, 5)));
	ASSERT_EQ(0, mknod(FILE_B, S_IFBLK | 0600, makedev(240, 77)));
	st = stat_of(FILE_A);
	EXPECT_EQ(S_IFCHR | 0666, st.st_mode);
	EXPECT_EQ(makedev(1, 5), st.st_rdev);
	memset(page, 1, PAGE);
	ASSERT_EQ(PAGE, get_bytes(FILE_A, page, PAGE, 0));
	EXPECT_EQ(-1, byte_differs(page, PAGE, 0));
	st = stat_of(FILE_B);
	EXPECT_EQ(S_IFBLK | 0600, st.st_mode);
	EXPECT_EQ(makedev(240, 77), st.st_rdev);
	ASSERT_EQ(0, chmod(MNT, 0777));
	EXPECT_EQ(EPERM,
		  AS_USER(1000, ERR(mknod(MNT "/c", S_IFCHR, makedev(1, 3)))));
}

TEST_F(tree, links_are_counted)
{
	ASSERT_EQ(2, nlink_of(MNT));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	EXPECT_EQ(3, nlink_of(MNT));
	EXPECT_EQ(2, nlink_of(DIR_D));
	ASSERT_EQ(0, put_text(FILE_A, "a"));
	EXPECT_EQ(1, nlink_of(FILE_A));
	ASSERT_EQ(0, link(FILE_A, DIR_D "/b"));
	EXPECT_EQ(2, nlink_of(FILE_A));
	EXPECT_EQ(ino_of(FILE_A), ino_of(DIR_D "/b"));
	ASSERT_EQ(0, mkdir(DIR_D "/e", 0755));
	EXPECT_EQ(3, nlink_of(DIR_D));

	/* A directory that moves takes its link to the parent along. */
	ASSERT_EQ(0, rename(DIR_D "/e", MNT "/e"));
	EXPECT_EQ(2, nlink_of(DIR_D));
	EXPECT_EQ(4, nlink_of(MNT));

	/* Over an empty directory: one link of the parent goes. */
	ASSERT_EQ(0, mkdir(MNT "/f", 0755));
	EXPECT_EQ(5, nlink_of(MNT));
	ASSERT_EQ(0, rename(MNT "/e", MNT "/f"));
	EXPECT_EQ(4, nlink_of(MNT));
	ASSERT_EQ(0, rmdir(MNT "/f"));
	EXPECT_EQ(3, nlink_of(MNT));
	ASSERT_EQ(0, unlink(FILE_A));
	EXPECT_EQ(1, nlink_of(DIR_D "/b"));
	EXPECT_EQ(0, text_is(DIR_D "/b", "a"));
}

TEST_F(tree, times_tell_what_happened)
{
	struct stat file, dir, after;
	struct timespec set[2] = { { 1000000001, 123456789 },
				   { 1000000002, 987654321 } };

	ASSERT_EQ(0, put_text(FILE_A, "a"));
	ASSERT_EQ(0, utimensat(AT_FDCWD, FILE_A, set, 0));
	file = stat_of(FILE_A);
	EXPECT_EQ(1000000001, file.st_atim.tv_sec);
	EXPECT_EQ(123456789, file.st_atim.tv_nsec);
	EXPECT_EQ(1000000002, file.st_mtim.tv_sec);
	EXPECT_EQ(987654321, file.st_mtim.tv_nsec);

	/* A write moves mtime and ctime, truncate too. */
	EXPECT_EQ(0, put_text(FILE_A, "b"));
	after = stat_of(FILE_A);
	EXPECT_TRUE(later(after.st_mtim, file.st_mtim));
	EXPECT_FALSE(later(file.st_ctim, after.st_ctim));

	/* A chmod moves ctime alone. */
	ASSERT_EQ(0, utimensat(AT_FDCWD, FILE_A, set, 0));
	file = stat_of(FILE_A);
	ASSERT_TRUE(WAIT_FOR(!chmod(FILE_A, 0600) &&
			     later(stat_of(FILE_A).st_ctim, file.st_ctim)));
	EXPECT_EQ(file.st_mtim.tv_nsec, stat_of(FILE_A).st_mtim.tv_nsec);

	/* Names made and removed move the directory's mtime and ctime. */
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, utimensat(AT_FDCWD, DIR_D, set, 0));
	ASSERT_EQ(0, put_text(DIR_D "/x", ""));
	EXPECT_TRUE(later(stat_of(DIR_D).st_mtim, set[1]));
	ASSERT_EQ(0, utimensat(AT_FDCWD, DIR_D, set, 0));
	ASSERT_EQ(0, rename(DIR_D "/x", DIR_D "/y"));
	EXPECT_TRUE(later(stat_of(DIR_D).st_mtim, set[1]));
	ASSERT_EQ(0, utimensat(AT_FDCWD, DIR_D, set, 0));
	dir = stat_of(DIR_D);
	ASSERT_EQ(0, unlink(DIR_D "/y"));
	EXPECT_TRUE(later(stat_of(DIR_D).st_mtim, dir.st_mtim));

	/* link moves the file's ctime; read with relatime an older atime. */
	file = stat_of(FILE_A);
	ASSERT_TRUE(WAIT_FOR(!unlink(FILE_B) || errno == ENOENT) &&
		    WAIT_FOR((unlink(FILE_B), !link(FILE_A, FILE_B)) &&
			     later(stat_of(FILE_A).st_ctim, file.st_ctim)));
	ASSERT_EQ(1, get_bytes(FILE_A, page, 1, 0));
	EXPECT_TRUE(later(stat_of(FILE_A).st_atim, file.st_atim));
}

TEST_F(tree, locks_and_leases_work)
{
	struct flock lock = { .l_type = F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = 10,
			      .l_len = 5 };
	int a, b;

	ASSERT_EQ(0, put_text(FILE_A, "0123456789"));
	a = open(FILE_A, O_RDWR);
	b = open(FILE_A, O_RDWR);
	ASSERT_EQ(0, flock(a, LOCK_EX));
	EXPECT_EQ(EWOULDBLOCK, ERR(flock(b, LOCK_EX | LOCK_NB)));
	ASSERT_EQ(0, flock(a, LOCK_UN));
	EXPECT_EQ(0, flock(b, LOCK_EX | LOCK_NB));

	/* Of the open file: seen by the other one; by process: by a child. */
	ASSERT_EQ(0, fcntl(a, F_OFD_SETLK, &lock));
	EXPECT_EQ(EAGAIN, ERR(fcntl(b, F_OFD_SETLK, &lock)));
	lock.l_type = F_UNLCK;
	ASSERT_EQ(0, fcntl(a, F_OFD_SETLK, &lock));
	lock.l_type = F_WRLCK;
	ASSERT_EQ(0, fcntl(a, F_SETLK, &lock));
	EXPECT_EQ(EAGAIN, AS_USER(0, ERR(fcntl(b, F_SETLK, &lock))));
	close(b);

	/* A write lease while nobody else has it open; a read lease not. */
	signal(SIGIO, SIG_IGN);
	EXPECT_EQ(0, fcntl(a, F_SETLEASE, F_WRLCK));
	EXPECT_EQ(F_WRLCK, fcntl(a, F_GETLEASE));
	EXPECT_EQ(EWOULDBLOCK, open_err(FILE_A, O_RDONLY | O_NONBLOCK));
	EXPECT_EQ(0, fcntl(a, F_SETLEASE, F_UNLCK));
	close(a);
}

TEST_F(tree, fsync_and_seek_to_the_end_succeed)
{
	int fd;

	ASSERT_EQ(0, fill(FILE_A, 5000, 1));
	fd = open(FILE_A, O_RDWR);
	EXPECT_EQ(0, fsync(fd));
	EXPECT_EQ(0, fdatasync(fd));
	EXPECT_EQ(5000, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(EINVAL, ERR(lseek(fd, -1, SEEK_SET)));
	close(fd);
	fd = open(MNT, O_RDONLY);
	EXPECT_EQ(0, fsync(fd));
	EXPECT_EQ(EISDIR, ERR(read(fd, page, 1)));
	close(fd);
}

TEST_F(tree, blocks_follow_what_is_held)
{
	ASSERT_EQ(0, fill(FILE_A, 3 * PAGE + 1, 1));
	EXPECT_EQ(4 * PAGE / 512, blocks_of(FILE_A));
	ASSERT_EQ(0, truncate(FILE_A, PAGE));
	EXPECT_EQ(PAGE / 512, blocks_of(FILE_A));
	ASSERT_EQ(0, truncate(FILE_A, 0));
	EXPECT_EQ(0, blocks_of(FILE_A));
}

TEST_F(tree, birth_time_is_told)
{
	static const char *const names[] = {
		FILE_A, FILE_B, DIR_D, MNT "/l", MNT "/w"
	};
	struct statx stx;
	unsigned int i;

	ASSERT_EQ(0, put_text(FILE_A, "a"));
	ASSERT_EQ(0, mknod(FILE_B, S_IFCHR | 0666, makedev(1, 5)));
	ASSERT_EQ(0, setxattr(FILE_B, "trusted.a", "1", 1, 0));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, setxattr(DIR_D, "trusted.a", "1", 1, 0));
	ASSERT_EQ(0, symlink("a", MNT "/l"));
	ASSERT_EQ(0, mknod(MNT "/w", S_IFCHR | 0666, makedev(0, 0)));
	ASSERT_EQ(0, setxattr(MNT "/w", "trusted.a", "1", 1, 0));
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ASSERT_EQ(0, statx(AT_FDCWD, names[i], AT_SYMLINK_NOFOLLOW,
				   STATX_BTIME | STATX_BASIC_STATS, &stx));
		ASSERT_TRUE(stx.stx_mask & STATX_BTIME);
		EXPECT_LT(time(NULL) - 1000, stx.stx_btime.tv_sec);
		EXPECT_GE(time(NULL), stx.stx_btime.tv_sec);
	}
}

TEST_F(tree, a_program_runs_from_it)
{
	ASSERT_EQ(0, run("cp /bin/sh " FILE_A " && chmod 755 " FILE_A));
	EXPECT_EQ(42, run(FILE_A " -c 'exit 42'"));
	/* A running program cannot be written, a written one cannot be run. */
	EXPECT_EQ(0, run(FILE_A " -c '(: >>" FILE_A
				") 2>/dev/null && exit 1; exit 0'"));
}

TEST_HARNESS_MAIN
