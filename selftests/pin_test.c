// SPDX-License-Identifier: GPL-2.0
/* A key bound to an inode: what its path leads to later does not matter. */

#include <sys/mman.h>

#include "lib/fixture.h"

#define F HOST "/f"
#define G HOST "/g"
#define KEY MNT "/k"

FIXTURE(pin)
{
};

FIXTURE_SETUP(pin)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(F, "first"));
	ASSERT_EQ(0, put_text(G, "other"));
}

FIXTURE_TEARDOWN(pin)
{
	teardown_mount();
}

TEST_F(pin, stays_when_the_path_is_replaced)
{
	ASSERT_EQ(0, table("/k " F " reg pin\n/p " F " reg"));
	EXPECT_EQ(0, rows_are("/k " F " reg rw,pin\n/p " F " reg rw\n"));
	ASSERT_EQ(0, ERR(rename(G, F)));
	EXPECT_EQ(0, text_is(KEY, "first"));
	EXPECT_EQ(5, size_of(KEY));
	EXPECT_EQ(0, text_is(MNT "/p", "other"));
	ASSERT_EQ(0, put_text(KEY, "new"));
	EXPECT_EQ(0, text_is(KEY, "new"));
	EXPECT_EQ(0, text_is(F, "other"));
}

TEST_F(pin, outlives_the_host_name)
{
	ASSERT_EQ(0, table("/k " F " reg pin"));
	ASSERT_EQ(0, ERR(unlink(F)));
	EXPECT_EQ(0, text_is(KEY, "first"));

	/* It says so when the table changes next, and a saved table loads. */
	ASSERT_EQ(0, table("/p " G " reg"));
	EXPECT_EQ(0, rows_are("# unrestorable: /k " F " reg rw,pin\n"
			      "/p " G " reg rw\n"));
	EXPECT_EQ(0, text_is(KEY, "first"));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(0, rows_are("/p " G " reg rw\n"));
}

TEST_F(pin, lets_programs_in_the_host_file_run)
{
	ASSERT_EQ(0, run("cp /bin/true " F " && chmod 755 " F));
	ASSERT_EQ(0, table("/k " F " reg pin"));
	EXPECT_EQ(0, run(F));
	EXPECT_EQ(0, run(KEY));
}

TEST_F(pin, keeps_the_modes_of_opening)
{
	ASSERT_EQ(0, ERR(chmod(F, 0600)));
	ASSERT_EQ(0, table("/k " F " reg pin,mode=666\n/r " F " reg pin,ro"));
	EXPECT_EQ(0, AS_USER(1000, open_err(KEY, O_RDWR)));
	EXPECT_EQ(EROFS, open_err(MNT "/r", O_WRONLY));
	EXPECT_EQ(0, open_err(MNT "/r", O_RDONLY));
}

TEST_F(pin, a_window)
{
	ASSERT_EQ(0, fill(F, 10000, 1));
	ASSERT_EQ(0, table("/k " F " reg pin,offset=1000,size=5000"));
	ASSERT_EQ(0, ERR(rename(G, F)));
	EXPECT_EQ(5000, size_of(KEY));
	EXPECT_EQ(0, fill_is(KEY, 0, 5000, 1000, 1));
}

/* /proc/self/fd/N is an open file, not a path to be walked again. */

TEST_F(pin, binds_an_open_file)
{
	int fd = open(F, O_RDONLY);

	ASSERT_EQ(0, table("/k /proc/self/fd/%d reg", fd));
	EXPECT_EQ(0, rows_are("/k " F " reg rw,pin\n"));
	close(fd);
	ASSERT_EQ(0, ERR(rename(G, F)));
	EXPECT_EQ(0, text_is(KEY, "first"));
}

TEST_F(pin, binds_a_file_without_a_name)
{
	int fd = open(HOST, O_TMPFILE | O_RDWR, 0600);

	ASSERT_EQ(3, write(fd, "tmp", 3));
	ASSERT_EQ(0, table("/k /proc/self/fd/%d reg ro", fd));
	close(fd);
	EXPECT_EQ(0, text_is(KEY, "tmp"));
	/* There is no row that could bring it back. */
	EXPECT_EQ(NULL, row_of("/k"));
	EXPECT_EQ(0, table("-/k"));
	EXPECT_EQ(0, rows_are(""));
}

TEST_F(pin, binds_memory)
{
	int fd = memfd_create("m y", 0);

	ASSERT_EQ(6, write(fd, "memory", 6));
	ASSERT_EQ(0, table("/k /proc/self/fd/%d reg\n/b /proc/self/fd/%d blk",
			   fd, fd));
	EXPECT_EQ(0, text_is(KEY, "memory"));
	ASSERT_EQ(2, pwrite(fd, "MM", 2, 0));
	EXPECT_EQ(0, text_is(KEY, "MMmory"));
	EXPECT_EQ(0, rows_are("# unrestorable: /b /memfd:m\\040y\\040(deleted) blk rw\n"
			      "# unrestorable: /k /memfd:m\\040y\\040(deleted) reg rw,pin\n"));
	close(fd);
	EXPECT_EQ(0, text_is(KEY, "MMmory"));
}

TEST_F(pin, refuses_what_is_no_file)
{
	int fds[2], dir = open(HOST, O_RDONLY | O_DIRECTORY);

	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(EINVAL, table("/k /proc/self/fd/%d reg", fds[0]));
	EXPECT_EQ(EISDIR, table("/k /proc/self/fd/%d reg", dir));
	EXPECT_EQ(ENOENT, table("/k /proc/self/fd/999 reg"));
	EXPECT_EQ(EINVAL, table("/k /dev/null reg pin"));
	EXPECT_EQ(0, rows_are(""));
}

/* A pinned file holds its mount, a path does not. */
TEST_F(pin, holds_the_mount)
{
	ASSERT_EQ(0, mount_ext4(HOST "/disk", HOST "/img", 8));
	ASSERT_EQ(0, put_text(HOST "/disk/f", "x"));
	ASSERT_EQ(0, table("/k " HOST "/disk/f reg pin"));
	EXPECT_EQ(EBUSY, ERR(umount(HOST "/disk")));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_TRUE(WAIT_FOR(!umount(HOST "/disk")));
}

TEST_HARNESS_MAIN
