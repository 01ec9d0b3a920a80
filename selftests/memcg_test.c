// SPDX-License-Identifier: GPL-2.0
/*
 * What a tree takes is charged to the memory cgroup of whoever makes it, but for
 * the places of its names in a listing.
 */

#include <signal.h>
#include <sys/statvfs.h>

#include "lib/fixture.h"
#include "lib/group.h"

#define FILE_A MNT "/a"
#define PRINTK "/proc/sys/kernel/printk"
#define MB (1024 * 1024)

FIXTURE(memcg)
{
};

FIXTURE_SETUP(memcg)
{
	ASSERT_EQ(0, setup_mount("size=256M,nr_inodes=100000"));
	if (make_group())
		SKIP(return, "no cgroup2 with memory at " CGROUPS);
}

FIXTURE_TEARDOWN(memcg)
{
	teardown_mount();
	remove_group();
}

static int write_zeros(const char *path, long bytes)
{
	static char buf[65536];
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	int err = fd < 0 ? errno : 0;

	for (; !err && bytes > 0; bytes -= sizeof(buf))
		err = ERR(write(fd, buf, sizeof(buf)));
	if (fd >= 0)
		close(fd);
	return err;
}

TEST_F(memcg, pages_are_charged_to_the_writer)
{
	long long before = figure("memory.stat", "\nfile ");

	EXPECT_EQ(0, IN_GROUP(write_zeros(FILE_A, 16 * MB)));
	EXPECT_LE(16 * MB, figure("memory.stat", "\nfile ") - before);
	EXPECT_GE(20 * MB, figure("memory.stat", "\nfile ") - before);
	EXPECT_LE(16 * MB, figure("memory.current", ""));

	/* Who reads or writes them later pays nothing; they are given back. */
	EXPECT_EQ(0, write_zeros(MNT "/b", 16 * MB));
	EXPECT_GE(20 * MB, figure("memory.stat", "\nfile ") - before);
	ASSERT_EQ(0, unlink(FILE_A));
	EXPECT_TRUE(WAIT_FOR(figure("memory.stat", "\nfile ") < 4 * MB));
}

static int allocate(const char *path, long bytes)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644);

	return fd < 0 ? errno : ERR(fallocate(fd, 0, 0, bytes));
}

#define DIRECT (16 * MB)

/* Past the cache of the disk, so that the bio itself is the writer's. */
static int write_direct(const char *path)
{
	int fd = open(path, O_WRONLY | O_DIRECT), err = fd < 0 ? errno : 0;
	void *buf = aligned_alloc(4096, MB);
	int i;

	if (!buf)
		return ENOMEM;
	memset(buf, 1, MB);
	for (i = 0; !err && i < DIRECT / MB; i++)
		err = pwrite(fd, buf, MB, (off_t)i * MB) == MB ? 0 : EIO;
	free(buf);
	return err;
}

TEST_F(memcg, what_a_disk_writes_on_the_host_is_charged_to_its_writer)
{
	long long before;
	int fd;

	if (put_text(CGROUPS "/cgroup.subtree_control", "+io\n"))
		SKIP(return, "no cgroup2 with io at " CGROUPS);
	fd = open(HOST "/disk", O_RDWR | O_CREAT, 0600);
	ASSERT_EQ(0, ERR(ftruncate(fd, DIRECT)));
	close(fd);
	ASSERT_EQ(0, table("/d " HOST "/disk blk"));
	before = figure("memory.stat", "\nfile ");
	EXPECT_EQ(0, IN_GROUP(write_direct(MNT "/d")));
	EXPECT_LE(DIRECT, figure("memory.stat", "\nfile ") - before);
	EXPECT_EQ(0, table("-/d"));
}

TEST_F(memcg, allocated_pages_are_charged)
{
	long long before = figure("memory.stat", "\nfile ");

	EXPECT_EQ(0, IN_GROUP(allocate(FILE_A, 16 * MB)));
	EXPECT_LE(16 * MB, figure("memory.stat", "\nfile ") - before);
	EXPECT_GE(20 * MB, figure("memory.stat", "\nfile ") - before);
}

static int write_large(const char *path, int mbytes)
{
	int fd = open(path, O_WRONLY), i, err = fd < 0 ? errno : 0;
	char *buf = malloc(MB);

	memset(buf, 'x', MB);
	for (i = 0; !err && i < mbytes; i++)
		err = write(fd, buf, MB) == MB ? 0 : errno ?: EIO;
	free(buf);
	return err;
}

/* Nor does it take some for a moment. */
TEST_F(memcg, room_that_is_there_is_written_without_more)
{
	long long peak;
	int fd = open(FILE_A, O_RDWR | O_CREAT, 0644);

	ASSERT_LE(0, fd);
	/* The buffer counts, too. */
	EXPECT_EQ(0, IN_GROUP(write_large("/dev/null", 1) ?:
			      ERR(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0,
					    16 * MB)) ?:
			      write_large("/dev/null", 4)));
	peak = figure("memory.peak", "");
	if (peak < 0)
		SKIP(return, "no memory.peak in this kernel");
	EXPECT_EQ(0, IN_GROUP(write_large(FILE_A, 16)));
	EXPECT_EQ(16 * MB, size_of(FILE_A));
	EXPECT_GE(MB / 2, figure("memory.peak", "") - peak);
	close(fd);
}

static int make_names(int n)
{
	static char target[2000];
	char path[512];
	int i, err = 0;

	memset(target, 't', sizeof(target) - 1);
	for (i = 0; !err && i < n; i++) {
		snprintf(path, sizeof(path), MNT "/%0200d", i);
		err = ERR(symlink(target, path));
	}
	return err;
}

/* An inode, a dentry, a long name and a target: 3 KB at least. */
TEST_F(memcg, names_are_charged_to_their_maker)
{
	long long before = figure("memory.stat", "\nslab ");
	int nr = turns(4000);

	EXPECT_EQ(0, IN_GROUP(make_names(nr)));
	EXPECT_TRUE(WAIT_FOR(figure("memory.stat", "\nslab ") - before >
			     nr * (2048 + 256 + 192 + 512))) {
		TH_LOG("%lld", figure("memory.stat", "\nslab ") - before);
	}
}

static int fill_until_killed(void)
{
	char path[64];
	int i;

	for (i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), FILE_A "%d", i);
		if (write_zeros(path, MB))
			return 1;
	}
	return 0;
}

/*
 * Out of memory is what these two are after. The kernel's word about it has a
 * call trace, and on the console that would be taken for a complaint.
 */
FIXTURE(limit)
{
	char printk[64];
};

FIXTURE_SETUP(limit)
{
	ASSERT_EQ(0, setup_mount("size=256M,nr_inodes=100000"));
	if (make_group())
		SKIP(return, "no cgroup2 with memory at " CGROUPS);
	ASSERT_EQ(0, put_text(GROUP "/memory.max", "24M\n"));
	put_text(GROUP "/memory.swap.max", "0\n");
	ASSERT_LT(0, get_bytes(PRINTK, self->printk, sizeof(self->printk) - 1,
			       0));
	ASSERT_EQ(0, put_text(PRINTK, "1\n"));
}

FIXTURE_TEARDOWN(limit)
{
	teardown_mount();
	put_text(PRINTK, self->printk);
	remove_group();
}

TEST_F(limit, hits_the_writer_alone)
{
	struct statvfs st;
	int status;

	status = IN_GROUP(fill_until_killed());
	EXPECT_TRUE(status == 128 + SIGKILL || status == 1) {
		TH_LOG("status %d", status);
	}
	EXPECT_GE(24 * MB, figure("memory.current", ""));
	EXPECT_LT(0, figure("memory.events", "oom "));

	/* Everybody else goes on, and the counts are right. */
	EXPECT_EQ(0, write_zeros(MNT "/b", 40 * MB));
	EXPECT_EQ(40 * MB, size_of(MNT "/b"));
	EXPECT_EQ(0, run("rm " MNT "/*"));
	ASSERT_EQ(0, statvfs(MNT, &st));
	EXPECT_EQ(st.f_blocks, st.f_bfree);
	EXPECT_EQ(st.f_files - 1, st.f_ffree);
}

/* A range that the group has no memory for is not left half allocated. */
TEST_F(limit, undoes_an_allocation)
{
	int status, fd = open(FILE_A, O_RDWR | O_CREAT, 0644);
	struct statvfs st;

	status = IN_GROUP(allocate(FILE_A, 64 * MB));
	EXPECT_TRUE(status == 128 + SIGKILL || status == ENOMEM) {
		TH_LOG("status %d", status);
	}
	EXPECT_EQ(0, size_of(FILE_A));
	ASSERT_EQ(0, statvfs(MNT, &st));
	EXPECT_EQ(st.f_blocks, st.f_bfree);
	close(fd);
}

TEST_HARNESS_MAIN
