// SPDX-License-Identifier: GPL-2.0
/* The node of a key tells what the host file is, each time anew. */

#include <sched.h>
#include <signal.h>
#include <utime.h>

#include "lib/fixture.h"

#define F HOST "/f"
#define G HOST "/g"
#define KEY MNT "/k"

FIXTURE(node)
{
};

FIXTURE_SETUP(node)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, 10000, 1));
	ASSERT_EQ(0, chmod(F, 0640));
	ASSERT_EQ(0, chown(F, 11, 22));
	ASSERT_EQ(0, put_text(G, "other"));
}

FIXTURE_TEARDOWN(node)
{
	teardown_mount();
}

static struct stat stat_of(const char *path)
{
	struct stat st = {};

	lstat(path, &st);
	return st;
}

TEST_F(node, attributes_are_those_of_the_host)
{
	struct stat key, host;

	ASSERT_EQ(0, table("/k " F " reg"));
	key = stat_of(KEY);
	host = stat_of(F);
	EXPECT_EQ(S_IFREG | 0640, key.st_mode);
	EXPECT_EQ(11, key.st_uid);
	EXPECT_EQ(22, key.st_gid);
	EXPECT_EQ(10000, key.st_size);
	EXPECT_EQ(1, key.st_nlink);
	EXPECT_EQ(host.st_mtim.tv_sec, key.st_mtim.tv_sec);
	EXPECT_EQ(host.st_mtim.tv_nsec, key.st_mtim.tv_nsec);
	EXPECT_EQ(stat_of(MNT).st_dev, key.st_dev);
}

TEST_F(node, attributes_follow_the_host)
{
	ASSERT_EQ(0, table("/k " F " reg"));
	ASSERT_EQ(10000, size_of(KEY));
	ASSERT_EQ(0, chmod(F, 0604));
	ASSERT_EQ(0, chown(F, 33, 44));
	EXPECT_EQ(S_IFREG | 0604, mode_of(KEY));
	EXPECT_EQ(33, stat_of(KEY).st_uid);
	EXPECT_EQ(44, stat_of(KEY).st_gid);
	ASSERT_EQ(0, truncate(F, 123));
	EXPECT_EQ(123, size_of(KEY));
	ASSERT_EQ(0, truncate(F, 1 << 20));
	EXPECT_EQ(1 << 20, size_of(KEY));
}

TEST_F(node, attributes_can_be_set_in_the_table)
{
	struct stat key;

	ASSERT_EQ(0, table("/k " F " reg mode=4751,uid=1001,gid=1002"));
	key = stat_of(KEY);
	EXPECT_EQ(S_IFREG | 04751, key.st_mode);
	EXPECT_EQ(1001, key.st_uid);
	EXPECT_EQ(1002, key.st_gid);

	/* And stay so. */
	ASSERT_EQ(0, chmod(F, 0600));
	ASSERT_EQ(0, chown(F, 5, 5));
	key = stat_of(KEY);
	EXPECT_EQ(S_IFREG | 04751, key.st_mode);
	EXPECT_EQ(1001, key.st_uid);

	/* One set, the others live. */
	ASSERT_EQ(0, table("=/k " F " reg uid=7"));
	key = stat_of(KEY);
	EXPECT_EQ(7, key.st_uid);
	EXPECT_EQ(5, key.st_gid);
	EXPECT_EQ(S_IFREG | 0600, key.st_mode);
}

/* "chmod/chown/utimes change the mapped node only, in memory" */
TEST_F(node, changes_stay_in_memory)
{
	struct timespec set[2] = { { 1000000001, 5 }, { 1000000002, 6 } };
	struct stat host = stat_of(F), key;

	ASSERT_EQ(0, table("/k " F " reg"));
	EXPECT_EQ(0, chmod(KEY, 0777));
	EXPECT_EQ(0, chown(KEY, 1, 2));
	EXPECT_EQ(0, utimensat(AT_FDCWD, KEY, set, 0));
	key = stat_of(KEY);
	EXPECT_EQ(S_IFREG | 0777, key.st_mode);
	EXPECT_EQ(1, key.st_uid);
	EXPECT_EQ(2, key.st_gid);
	EXPECT_EQ(1000000001, key.st_atim.tv_sec);
	EXPECT_EQ(1000000002, key.st_mtim.tv_sec);
	EXPECT_EQ(6, key.st_mtim.tv_nsec);

	/* The host has heard of none of it. */
	key = stat_of(F);
	EXPECT_EQ(host.st_mode, key.st_mode);
	EXPECT_EQ(host.st_uid, key.st_uid);
	EXPECT_EQ(host.st_gid, key.st_gid);
	EXPECT_EQ(host.st_mtim.tv_sec, key.st_mtim.tv_sec);
	EXPECT_EQ(host.st_ctim.tv_sec, key.st_ctim.tv_sec);
	EXPECT_EQ(host.st_ctim.tv_nsec, key.st_ctim.tv_nsec);

	/* A changed mode is a mode that counts. */
	EXPECT_EQ(0, chmod(KEY, 0600));
	EXPECT_EQ(EACCES, AS_USER(1000, open_err(KEY, O_RDONLY)));
	EXPECT_EQ(0, AS_USER(1, open_err(KEY, O_RDWR)));
}

TEST_F(node, each_mount_changes_its_own_node)
{
	ASSERT_EQ(0, table("/k " F " reg"));
	ASSERT_EQ(0, mount_at(MNT2, NULL));
	ASSERT_EQ(0, chmod(KEY, 0711));
	EXPECT_EQ(S_IFREG | 0711, mode_of(KEY));
	EXPECT_EQ(S_IFREG | 0640, mode_of(MNT2 "/k"));
}

TEST_F(node, changes_outlive_the_cache)
{
	ASSERT_EQ(0, table("/k " F " reg\n/d/k " F " reg"));
	ASSERT_EQ(0, chmod(KEY, 0711));
	ASSERT_EQ(0, chown(MNT "/d/k", 77, 88));
	ASSERT_EQ(0, put_text("/proc/sys/vm/drop_caches", "2\n"));
	EXPECT_EQ(S_IFREG | 0711, mode_of(KEY));
	EXPECT_EQ(77, stat_of(MNT "/d/k").st_uid);
}

TEST_F(node, inode_numbers_outlive_the_cache)
{
	unsigned long long ino;

	ASSERT_EQ(0, table("/k " F " reg\n/d/k " F " reg"));
	ino = ino_of(MNT "/d/k");
	ASSERT_NE(0, ino);
	ASSERT_EQ(0, put_text("/proc/sys/vm/drop_caches", "2\n"));
	EXPECT_EQ(ino, ino_of(MNT "/d/k"));
}

TEST_F(node, only_the_owner_changes_it)
{
	ASSERT_EQ(0, table("/k " F " reg uid=1000,mode=644"));
	EXPECT_EQ(0, AS_USER(1000, ERR(chmod(KEY, 0600))));
	EXPECT_EQ(EPERM, AS_USER(1001, ERR(chmod(KEY, 0666))));
	EXPECT_EQ(EPERM, AS_USER(1000, ERR(chown(KEY, 1001, -1))));
	EXPECT_EQ(S_IFREG | 0600, mode_of(KEY));
}

/* Until it is killed: the owner is another, and setuid bits go. */
static void change_owner(void)
{
	for (;;) {
		chown(KEY, 1000, 1000);
		chown(KEY, 1001, 1001);
	}
}

TEST_F(node, a_change_of_owner_takes_no_change_of_mode_back)
{
	int i, lost = 0, kept = 0, nr = turns(3000);
	pid_t pid;

	ASSERT_EQ(0, table("/k " F " reg"));
	pid = fork();
	if (!pid)
		change_owner();
	ASSERT_LT(0, pid);
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, chmod(KEY, 04755));
		ASSERT_EQ(0, chmod(KEY, 0600));
		sched_yield();
		lost += mode_of(KEY) != (S_IFREG | 0600);
	}
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(0, lost);

	/* And leaves none where a new owner would get it. */
	ASSERT_EQ(0, chmod(KEY, 06755));
	ASSERT_EQ(0, chown(KEY, 5, 5));
	EXPECT_EQ(S_IFREG | 0755, mode_of(KEY));
	ASSERT_EQ(0, chmod(KEY, 02644));
	ASSERT_EQ(0, chown(KEY, 6, -1));
	kept = mode_of(KEY);
	ASSERT_EQ(0, chmod(G, 02644));
	ASSERT_EQ(0, chown(G, 6, -1));
	EXPECT_EQ(mode_of(G), kept);
}

TEST_F(node, read_only_keys_refuse_writers)
{
	ASSERT_EQ(0, table("/k " F " reg ro,mode=666"));
	EXPECT_EQ(0, open_err(KEY, O_RDONLY));
	EXPECT_EQ(EROFS, open_err(KEY, O_WRONLY));
	EXPECT_EQ(EROFS, open_err(KEY, O_RDWR));
	EXPECT_EQ(EROFS, open_err(KEY, O_WRONLY | O_TRUNC));
	EXPECT_EQ(EROFS, open_err(KEY, O_RDONLY | O_TRUNC));
	EXPECT_EQ(EROFS, open_err(KEY, O_WRONLY | O_APPEND));
	EXPECT_EQ(EROFS, ERR(truncate(KEY, 0)));
	EXPECT_EQ(0, fill_is(F, 0, 10000, 0, 1));
	EXPECT_EQ(10000, size_of(F));
}

TEST_F(node, a_file_replaced_by_rename_is_seen)
{
	char byte;
	int fd;

	ASSERT_EQ(0, table("/k " F " reg"));
	fd = open(KEY, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rename(G, F));
	EXPECT_EQ(0, text_is(KEY, "other"));
	EXPECT_EQ(5, size_of(KEY));

	/* What is open stays what it was. */
	EXPECT_EQ(1, pread(fd, &byte, 1, 9999));
	EXPECT_EQ(-1, fill_differs(&byte, 1, 9999, 1));
	EXPECT_EQ(1, pwrite(fd, "x", 1, 0));
	EXPECT_EQ(0, text_is(KEY, "other"));
	close(fd);

	/* Again, and by an editor's way through a key that is open elsewhere. */
	ASSERT_EQ(0, put_text(G, "third"));
	ASSERT_EQ(0, rename(G, F));
	EXPECT_EQ(0, text_is(KEY, "third"));
}

TEST_F(node, a_directory_of_the_path_may_be_replaced)
{
	ASSERT_EQ(0, run("cd %s && mkdir v1 v2 && echo -n one >v1/f &&"
			 "echo -n two >v2/f && ln -s v1 now", HOST));
	ASSERT_EQ(0, table("/k " HOST "/now/f reg"));
	EXPECT_EQ(0, text_is(KEY, "one"));
	ASSERT_EQ(0, run("ln -sfn v2 %s/now", HOST));
	EXPECT_EQ(0, text_is(KEY, "two"));
}

TEST_F(node, a_removed_file_leaves_its_name_listed)
{
	struct stat st;

	ASSERT_EQ(0, table("/k " F " reg\n/l " G " reg"));
	ASSERT_EQ(10000, size_of(KEY));
	ASSERT_EQ(0, unlink(F));
	EXPECT_EQ(ENOENT, open_err(KEY, O_RDONLY));
	EXPECT_EQ(ENOENT, ERR(stat(KEY, &st)));
	EXPECT_EQ(ENOENT, ERR(truncate(KEY, 0)));
	EXPECT_EQ(1, listed(MNT, "k"));
	EXPECT_EQ(2, count_names(MNT));
	EXPECT_TRUE(row_has("/k", "rw"));

	/* Opening does not make it, not with O_CREAT either. */
	EXPECT_NE(0, open_err(KEY, O_RDWR | O_CREAT));
	EXPECT_EQ(ENOENT, stat_err(F));

	/* And it is there again when the host has it again. */
	ASSERT_EQ(0, put_text(F, "again"));
	EXPECT_EQ(0, text_is(KEY, "again"));

	/* A key of a missing file can be removed. */
	ASSERT_EQ(0, unlink(F));
	EXPECT_EQ(0, table("-/k busy"));
	EXPECT_EQ(1, count_names(MNT));
}

/* Who could open it gets the host's errno, though nobody has looked at it yet. */
TEST_F(node, attributes_are_remembered_from_the_registration)
{
	ASSERT_EQ(0, mkdir(HOST "/d", 0750));
	ASSERT_EQ(0, chown(HOST "/d", 11, 22));
	ASSERT_EQ(0, put_text(HOST "/d/x", "in d"));
	ASSERT_EQ(0, table("/k " F " reg\n/d " HOST "/d subdirs"));
	ASSERT_EQ(0, unlink(F));
	ASSERT_EQ(0, ERR(rename(HOST "/d", HOST "/away")));
	EXPECT_EQ(ENOENT, AS_USER(11, open_err(KEY, O_RDWR)));
	EXPECT_EQ(ENOENT, AS_USER(22, open_err(KEY, O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(22, open_err(KEY, O_RDWR)));
	EXPECT_EQ(EACCES, AS_USER(33, open_err(KEY, O_RDONLY)));
	EXPECT_EQ(ENOENT, AS_USER(22, open_err(MNT "/d/x", O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(33, open_err(MNT "/d/x", O_RDONLY)));
}

TEST_F(node, a_directory_in_the_place_of_the_file)
{
	ASSERT_EQ(0, table("/k " F " reg"));
	ASSERT_EQ(0, unlink(F));
	ASSERT_EQ(0, mkdir(F, 0755));
	EXPECT_EQ(EISDIR, open_err(KEY, O_RDONLY));
	EXPECT_EQ(EISDIR, open_err(KEY, O_WRONLY));
	EXPECT_EQ(1, listed(MNT, "k"));
	ASSERT_EQ(0, rmdir(F));
	ASSERT_EQ(0, symlink("f", F));
	EXPECT_EQ(ELOOP, open_err(KEY, O_RDONLY));
}

TEST_F(node, a_window_over_a_host_that_shrank)
{
	char buf[100];
	int fd;

	ASSERT_EQ(0, table("/k " F " reg offset=1000,size=5000\n/l " F
			   " reg offset=8000"));
	fd = open(KEY, O_RDWR);
	ASSERT_EQ(0, truncate(F, 2000));

	/* Bytes end with the host; nothing is made up, nothing crashes. */
	EXPECT_EQ(100, pread(fd, buf, 100, 0));
	EXPECT_EQ(1, pread(fd, buf, 100, 999));
	EXPECT_EQ(0, pread(fd, buf, 100, 1000));
	EXPECT_EQ(0, pread(fd, buf, 100, 3000));
	EXPECT_EQ(0, size_of(MNT "/l"));
	EXPECT_EQ(0, get_bytes(MNT "/l", buf, 100, 0));

	/* A write within the window makes the host grow again, zeros between. */
	EXPECT_EQ(1, pwrite(fd, "x", 1, 4999));
	EXPECT_EQ(6000, size_of(F));
	EXPECT_EQ(100, pread(fd, buf, 100, 2000));
	EXPECT_EQ(-1, byte_differs(buf, 100, 0));
	close(fd);
}

TEST_F(node, size_follows_a_growing_host)
{
	char buf[100];
	int fd, host;

	ASSERT_EQ(0, table("/k " F " reg offset=9000"));
	EXPECT_EQ(1000, size_of(KEY));
	fd = open(KEY, O_RDONLY);
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	host = open(F, O_WRONLY | O_APPEND);
	ASSERT_EQ(4, write(host, "tail", 4));
	EXPECT_EQ(4, pread(fd, buf, 100, 1000));
	EXPECT_EQ(0, memcmp(buf, "tail", 4));
	EXPECT_EQ(1004, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(1004, size_of(KEY));
	ASSERT_EQ(4, write(host, "more", 4));
	EXPECT_EQ(1008, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(4, pread(fd, buf, 100, 1004));
	close(host);
	close(fd);
}

TEST_F(node, inode_numbers_stay)
{
	unsigned long long ino;
	struct stat st;
	int fd;

	ASSERT_EQ(0, table("/k " F " reg\n/l " F " reg"));
	ino = ino_of(KEY);
	EXPECT_NE(ino, ino_of(MNT "/l"));
	fd = open(KEY, O_RDONLY);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(ino, st.st_ino);
	EXPECT_EQ(ino, ino_of(KEY));
	close(fd);
}

TEST_F(node, execution_needs_the_bit)
{
	ASSERT_EQ(0, run("cp /bin/sh %s && chmod 644 %s", G, G));
	ASSERT_EQ(0, table("/k " G " reg mode=755\n/l " G " reg"));
	EXPECT_EQ(42, run(KEY " -c 'exit 42'"));
	EXPECT_EQ(126, run(MNT "/l -c 'exit 42'"));
	ASSERT_EQ(0, chmod(G, 0755));
	EXPECT_EQ(42, run(MNT "/l -c 'exit 42'"));
}

TEST_F(node, locks_are_taken)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int a, b;

	ASSERT_EQ(0, table("/k " F " reg"));
	a = open(KEY, O_RDWR);
	b = open(KEY, O_RDWR);
	EXPECT_EQ(0, fcntl(a, F_OFD_SETLK, &lock));
	EXPECT_EQ(EAGAIN, ERR(fcntl(b, F_OFD_SETLK, &lock)));
	close(a);
	close(b);
}

TEST_F(node, attributes_can_be_asked_of_the_open_file)
{
	struct stat st;
	int fd;

	ASSERT_EQ(0, table("/k " F " reg offset=1,size=77"));
	fd = open(KEY, O_RDWR);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(77, st.st_size);
	EXPECT_EQ(S_IFREG | 0640, st.st_mode);
	EXPECT_EQ(0, fchmod(fd, 0600));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(S_IFREG | 0600, st.st_mode);
	EXPECT_EQ(0, ERR(ftruncate(fd, 77)));
	EXPECT_EQ(EINVAL, ERR(ftruncate(fd, 78)));
	close(fd);
}

TEST_HARNESS_MAIN
