// SPDX-License-Identifier: GPL-2.0
/* What a disk says of that which its host cannot do, and what goes on meanwhile. */

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/device.h"

#define F HOST "/d/f"
#define NODE HOST "/node"
#define KEY MNT "/disk"
#define TOTAL (4 * 1024 * 1024)
/* So many zeros are written by one request. */
#define PART (1024 * 1024)
#define SEED 9

static unsigned char buf[4096] __attribute__((aligned(4096)));

FIXTURE(error)
{
};

FIXTURE_SETUP(error)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
}

FIXTURE_TEARDOWN(error)
{
	teardown_mount();
}

static bool can_read(int fd, off_t pos)
{
	return pread(fd, buf, sizeof(buf), pos) == sizeof(buf);
}

/*
 * Zeros are written by requests of which the first report to the last: each
 * fails in the device below where a read of its first sector does.
 */
TEST_F(error, a_part_that_fails_below_fails_the_whole)
{
	uint64_t all[2] = { 0, TOTAL };
	int fd, seed, ends_well = 0;
	bool any;
	off_t at;

	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/below " F " blk"));
	ASSERT_EQ(0, run("cp -a " MNT "/below " NODE));
	ASSERT_EQ(0, table("/disk " NODE " blk"));
	fd = open(KEY, O_RDWR | O_DIRECT);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ERR(ioctl(fd, BLKZEROOUT, all)));
	for (seed = 1; seed <= 16; seed++) {
		ASSERT_EQ(0, table("=/below " F " blk fail=3000/%d", seed));
		any = false;
		for (at = 0; at < TOTAL; at += PART)
			any |= !can_read(fd, at);
		ends_well += any && can_read(fd, TOTAL - PART);
		EXPECT_EQ(any ? EIO : 0, ERR(ioctl(fd, BLKZEROOUT, all))) {
			TH_LOG("seed %d", seed);
		}
	}
	EXPECT_LT(0, ends_well);
	close(fd);
	EXPECT_EQ(0, table("-/disk\n-/below"));
}

TEST_F(error, bad_memory_of_the_host_is_an_error)
{
	int fd, host, status;
	char *map;
	pid_t pid;

	ASSERT_EQ(0, fill(F, 65536, SEED));
	ASSERT_EQ(0, table("/disk " F " blk"));
	fd = open(KEY, O_RDWR | O_DIRECT);
	host = open(F, O_RDWR);
	ASSERT_LE(0, fd);
	map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, host, 0);
	ASSERT_NE(MAP_FAILED, map);
	pid = fork();
	if (!pid) {
		map[4096] = 'x';
		_exit(madvise(map + 4096, 4096, MADV_HWPOISON) &&
		      errno == EINVAL);
	}
	status = wait_status(pid);
	if (status == 1)
		SKIP(return, "no memory failure in this kernel");
	EXPECT_EQ(EIO, ERR(pread(host, buf, 4096, 4096)));
	EXPECT_EQ(EIO, ERR(pread(fd, buf, 4096, 4096)));
	EXPECT_EQ(EIO, ERR(pwrite(fd, buf, 4096, 4096)));
	EXPECT_TRUE(can_read(fd, 8192));
	munmap(map, 65536);
	close(host);
	close(fd);
}

static int nr_writing(const char *inflight)
{
	int reads = 0, writes = 0;
	char *text = slurp(inflight, 64, NULL);

	if (text)
		sscanf(text, "%d %d", &reads, &writes);
	free(text);
	return writes;
}

/* More writes than a disk has workers wait for the host to be thawed. */
TEST_F(error, reads_pass_writes_to_a_frozen_host)
{
	int fd, top, i, nr = 40, status;
	pid_t writers[40], reader;
	char inflight[64];

	ASSERT_EQ(0, mount_ext4(HOST "/d", HOST "/image", 32));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/disk " F " blk dio,bs=4096"));
	snprintf(inflight, sizeof(inflight),
		 "/sys/class/block/rumpblk%d/inflight", device_nr(KEY));
	fd = open(KEY, O_RDWR | O_DIRECT);
	ASSERT_LE(0, fd);
	top = open(HOST "/d", O_RDONLY);
	ASSERT_EQ(0, ERR(ioctl(top, FIFREEZE, 0)));
	for (i = 0; i < nr; i++) {
		writers[i] = fork();
		if (!writers[i])
			_exit(pwrite(fd, buf, 4096, i * 4096) != 4096);
	}
	EXPECT_TRUE(WAIT_FOR(nr_writing(inflight) == nr));
	reader = fork();
	if (!reader)
		_exit(!can_read(fd, TOTAL - 4096));
	EXPECT_TRUE(WAIT_FOR(waitpid(reader, &status, WNOHANG) == reader)) {
		status = 1;
	}
	EXPECT_EQ(0, status);
	EXPECT_EQ(nr, nr_writing(inflight));
	EXPECT_EQ(0, ERR(ioctl(top, FITHAW, 0)));
	close(top);
	for (i = 0; i < nr; i++)
		EXPECT_EQ(0, wait_status(writers[i]));
	close(fd);
}

/* A device below that wants pages to stay as they are while they are written. */
TEST_F(error, stable_pages_are_asked_for_with_the_device_below)
{
	char *text;

	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/below " F " blk"));
	ASSERT_EQ(0, run("cp -a " MNT "/below " NODE));
	ASSERT_EQ(0, run("echo 1 >/sys/class/block/rumpblk%d/queue/"
			 "stable_writes", device_nr(NODE)));
	ASSERT_EQ(0, table("/disk " NODE " blk"));
	ASSERT_EQ(0, run("cat /sys/class/block/rumpblk%d/queue/stable_writes >"
			 HOST "/said", device_nr(KEY)));
	text = slurp(HOST "/said", 64, NULL);
	EXPECT_STREQ("1\n", text);
	free(text);
	EXPECT_EQ(0, table("-/disk\n-/below"));
}

TEST_HARNESS_MAIN
