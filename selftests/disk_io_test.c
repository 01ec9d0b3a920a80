// SPDX-License-Identifier: GPL-2.0
/* What becomes of the requests to a disk, whatever its host file stands on. */

#include <linux/fs.h>
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "lib/fixture.h"

#define F HOST "/d/f"
#define KEY MNT "/disk"
#define OTHER MNT "/other"
/* More than one folio of any size that a small file gets, and unaligned. */
#define TOTAL (4 * 1024 * 1024)
#define SEED 9
#define SECTOR 512

static unsigned char buf[65536] __attribute__((aligned(4096)));

/*
 *	host file   |--------[ window of the disk ]---------|
 *	             keep     offset               keep
 */
FIXTURE(disk)
{
	int fd;
	off_t bytes;
};

FIXTURE_VARIANT(disk)
{
	bool on_ext4;
	off_t offset, size;
};

FIXTURE_VARIANT_ADD(disk, on_tmpfs) { .size = TOTAL };
FIXTURE_VARIANT_ADD(disk, on_tmpfs_amid) { .offset = 8192, .size = 1048576 };
FIXTURE_VARIANT_ADD(disk, on_tmpfs_unaligned) { .offset = 8193, .size = 1048575 };
FIXTURE_VARIANT_ADD(disk, on_ext4) { .on_ext4 = true, .size = TOTAL };
FIXTURE_VARIANT_ADD(disk, on_ext4_unaligned) {
	.on_ext4 = true, .offset = 511, .size = 1048577 };

FIXTURE_SETUP(disk)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
	if (variant->on_ext4)
		ASSERT_EQ(0, mount_ext4(HOST "/d", HOST "/image", 32));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/disk " F " blk offset=%lld,size=%lld",
			   (long long)variant->offset,
			   (long long)variant->size));
	self->bytes = variant->size;
	self->fd = open(KEY, O_RDWR | O_DIRECT);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(disk)
{
	close(self->fd);
	teardown_mount();
}

TEST_F(disk, reads_what_the_host_writes_at_once)
{
	off_t at = 65536 + 512;

	ASSERT_EQ(4096, pread(self->fd, buf, 4096, at));
	EXPECT_EQ(-1, fill_differs(buf, 4096, variant->offset + at, SEED));

	int host = open(F, O_RDWR);

	memset(buf, 0x5a, 4096);
	ASSERT_EQ(4096, pwrite(host, buf, 4096, variant->offset + at));
	memset(buf, 0, 4096);
	ASSERT_EQ(4096, pread(self->fd, buf, 4096, at));
	EXPECT_EQ(-1, byte_differs(buf, 4096, 0x5a));
	close(host);
}

TEST_F(disk, writes_what_the_host_reads_at_once_and_nothing_else)
{
	off_t at = 131072 - 512, from = variant->offset + at;

	memset(buf, 0xa5, 8192);
	ASSERT_EQ(8192, pwrite(self->fd, buf, 8192, at));
	ASSERT_EQ(8192, get_bytes(F, buf, 8192, from));
	EXPECT_EQ(-1, byte_differs(buf, 8192, 0xa5));
	EXPECT_EQ(0, fill_is(F, 0, from, 0, SEED));
	EXPECT_EQ(0, fill_is(F, from + 8192, TOTAL - from - 8192, 0, SEED));
}

TEST_F(disk, the_last_sector_ends_with_zeros_that_are_never_written)
{
	off_t last = (self->bytes - 1) / SECTOR * SECTOR;
	size_t in = self->bytes - last;

	memset(buf, 0xff, SECTOR);
	ASSERT_EQ(SECTOR, pread(self->fd, buf, SECTOR, last));
	EXPECT_EQ(-1, fill_differs(buf, in, variant->offset + last, SEED));
	EXPECT_EQ(-1, byte_differs(buf + in, SECTOR - in, 0));
	memset(buf, 0x77, SECTOR);
	ASSERT_EQ(SECTOR, pwrite(self->fd, buf, SECTOR, last));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, fill_is(F, variant->offset + self->bytes,
			     TOTAL - variant->offset - self->bytes, 0, SEED));
	ASSERT_EQ(SECTOR, pread(self->fd, buf, SECTOR, last));
	EXPECT_EQ(-1, byte_differs(buf, in, 0x77));
	EXPECT_EQ(-1, byte_differs(buf + in, SECTOR - in, 0));
}

TEST_F(disk, a_write_is_seen_in_the_host_files_times)
{
	struct stat before, now;

	ASSERT_EQ(0, stat(F, &before));
	ASSERT_EQ(SECTOR, pwrite(self->fd, buf, SECTOR, 0));
	EXPECT_TRUE(WAIT_FOR(!stat(F, &now) &&
			     (now.st_mtim.tv_sec != before.st_mtim.tv_sec ||
			      now.st_mtim.tv_nsec != before.st_mtim.tv_nsec)));
}

TEST_F(disk, discard_takes_pages_from_the_host_and_reads_as_zeros)
{
	uint64_t range[2] = { 65536, 524288 };
	off_t from = variant->offset + range[0];
	struct stat before, now;

	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, run("sync %s", F));
	ASSERT_EQ(0, stat(F, &before));
	ASSERT_EQ(0, ERR(ioctl(self->fd, BLKDISCARD, range)));
	ASSERT_EQ(0, stat(F, &now));
	/* All but the pages at the edges. */
	EXPECT_LE(now.st_blocks, before.st_blocks - (524288 - 8192) / SECTOR);
	EXPECT_EQ(before.st_size, now.st_size);
	ASSERT_EQ(65536, pread(self->fd, buf, 65536, range[0]));
	EXPECT_EQ(-1, byte_differs(buf, 65536, 0));
	EXPECT_EQ(0, fill_is(F, 0, from, 0, SEED));
	EXPECT_EQ(0, fill_is(F, from + range[1], TOTAL - from - range[1],
			     0, SEED));
}

TEST_F(disk, zeros_are_written_and_nothing_beside_them)
{
	uint64_t range[2] = { 512, 100352 };
	off_t from = variant->offset + range[0];

	ASSERT_EQ(0, ERR(ioctl(self->fd, BLKZEROOUT, range)));
	ASSERT_EQ(65536, pread(self->fd, buf, 65536, range[0]));
	EXPECT_EQ(-1, byte_differs(buf, 65536, 0));
	EXPECT_EQ(0, fill_is(F, 0, from, 0, SEED));
	EXPECT_EQ(0, fill_is(F, from + range[1], TOTAL - from - range[1],
			     0, SEED));
}

TEST_F(disk, nowait_reads_what_is_in_memory_and_says_so_of_the_rest)
{
	struct iovec iov = { buf, 4096 };

	/* Cached by the read before. */
	ASSERT_EQ(4096, pread(self->fd, buf, 4096, 16384));
	ASSERT_EQ(4096, preadv2(self->fd, &iov, 1, 16384, RWF_NOWAIT));
	EXPECT_EQ(-1, fill_differs(buf, 4096, variant->offset + 16384, SEED));
	if (!variant->on_ext4)
		return;
	ASSERT_EQ(0, run("sync; echo 3 >/proc/sys/vm/drop_caches"));
	EXPECT_EQ(EAGAIN, ERR(preadv2(self->fd, &iov, 1, 524288, RWF_NOWAIT)));
	ASSERT_EQ(4096, pread(self->fd, buf, 4096, 524288));
	EXPECT_EQ(-1, fill_differs(buf, 4096, variant->offset + 524288, SEED));
}

TEST_F(disk, a_host_file_that_shrank_reads_as_zeros)
{
	ASSERT_EQ(4096, pread(self->fd, buf, 4096, 65536));
	ASSERT_EQ(0, truncate(F, variant->offset + 65536 + 100));
	ASSERT_EQ(4096, pread(self->fd, buf, 4096, 65536));
	EXPECT_EQ(-1, fill_differs(buf, 100, variant->offset + 65536, SEED));
	EXPECT_EQ(-1, byte_differs(buf + 100, 4096 - 100, 0));
}

/* Options and hosts of a kind of their own */

FIXTURE(host)
{
};

FIXTURE_SETUP(host)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
}

FIXTURE_TEARDOWN(host)
{
	teardown_mount();
}

TEST_F(host, a_sealed_file_is_not_written_to)
{
	int memfd = memfd_create("sealed", MFD_ALLOW_SEALING), fd;

	ASSERT_EQ(0, ftruncate(memfd, 65536));
	ASSERT_EQ(0, table("/disk /proc/self/fd/%d blk", memfd));
	fd = open(KEY, O_RDWR | O_DIRECT);
	ASSERT_LE(0, fd);
	memset(buf, 1, 4096);
	ASSERT_EQ(4096, pwrite(fd, buf, 4096, 0));
	ASSERT_EQ(0, fcntl(memfd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	memset(buf, 2, 4096);
	EXPECT_EQ(EIO, ERR(pwrite(fd, buf, 4096, 0)));
	ASSERT_EQ(4096, pread(memfd, buf, 4096, 0));
	EXPECT_EQ(-1, byte_differs(buf, 4096, 1));
	close(fd);
	close(memfd);
}

/* Which of a disk's blocks cannot be read, as a string of 0 and 1. */
static const char *failures(const char *path)
{
	static char text[2][1025];
	static int which;
	char *map = text[which ^= 1];
	int fd = open(path, O_RDONLY | O_DIRECT), nr;

	for (nr = 0; nr < 1024; nr++)
		map[nr] = pread(fd, buf, 4096, nr * 4096L) == 4096 ? '0' : '1';
	close(fd);
	return map;
}

TEST_F(host, the_same_requests_fail_for_the_same_seed)
{
	char first[1025];
	int count = 0, nr;

	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/disk " F " blk fail=1000/7\n"
			   "/other " F " blk fail=1000/7"));
	EXPECT_EQ(0, rows_are("/disk " F " blk rw,fail=1000/7\n"
			      "/other " F " blk rw,fail=1000/7\n"));
	strcpy(first, failures(KEY));
	for (nr = 0; nr < 1024; nr++)
		count += first[nr] == '1';
	/* A tenth of 1024, give or take four deviations. */
	EXPECT_LT(63, count);
	EXPECT_GT(141, count);
	EXPECT_STREQ(first, failures(KEY));
	EXPECT_STREQ(first, failures(OTHER));

	ASSERT_EQ(0, table("=/disk " F " blk fail=1000/8"));
	EXPECT_STRNE(first, failures(KEY));
	ASSERT_EQ(0, table("=/disk " F " blk fail=10000/1"));
	EXPECT_EQ(NULL, strchr(failures(KEY), '0'));
}

/* Has a block of the image this byte throughout? */
static bool image_has(int byte)
{
	static unsigned char block[1024];
	int fd = open(HOST "/image", O_RDONLY);
	bool has = false;

	while (!has && read(fd, block, sizeof(block)) == sizeof(block))
		has = byte_differs(block, sizeof(block), byte) < 0;
	close(fd);
	return has;
}

TEST_F(host, a_flush_reaches_the_hosts_storage)
{
	int fd;

	ASSERT_EQ(0, mount_ext4(HOST "/d", HOST "/image", 32));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, run("sync"));
	ASSERT_EQ(0, table("/disk " F " blk"));
	fd = open(KEY, O_RDWR | O_DIRECT);
	memset(buf, 0xa7, 4096);
	ASSERT_EQ(4096, pwrite(fd, buf, 4096, 8192));
	/* It is in the host's page cache, and not for long. */
	EXPECT_FALSE(image_has(0xa7));
	EXPECT_EQ(0, fsync(fd));
	EXPECT_TRUE(image_has(0xa7));
	close(fd);
}

TEST_F(host, direct_io_leaves_nothing_in_the_hosts_cache)
{
	unsigned char in_core = 1;
	void *map;
	int fd;

	ASSERT_EQ(0, mount_ext4(HOST "/d", HOST "/image", 32));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, run("sync; echo 3 >/proc/sys/vm/drop_caches"));
	ASSERT_EQ(0, table("/disk " F " blk dio"));
	EXPECT_EQ(0, rows_are("/disk " F " blk rw,dio\n"));
	fd = open(KEY, O_RDWR | O_DIRECT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(65536, pread(fd, buf, 65536, 1048576));
	EXPECT_EQ(-1, fill_differs(buf, 65536, 1048576, SEED));
	memset(buf, 3, 4096);
	ASSERT_EQ(4096, pwrite(fd, buf, 4096, 8192));
	close(fd);
	fd = open(F, O_RDONLY);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1048576);
	ASSERT_EQ(0, mincore(map, PAGE, &in_core));
	EXPECT_EQ(0, in_core & 1);
	munmap(map, PAGE);
	ASSERT_EQ(4096, pread(fd, buf, 4096, 8192));
	EXPECT_EQ(-1, byte_differs(buf, 4096, 3));
	close(fd);
}

TEST_F(host, direct_io_that_cannot_be_is_refused)
{
	/* ramfs has none; ext4 has it by blocks. */
	ASSERT_EQ(0, ERR(mount("ram", HOST "/d", "ramfs", 0, NULL)));
	ASSERT_EQ(0, fill(F, 65536, SEED));
	EXPECT_EQ(EINVAL, table("/disk " F " blk dio"));
	EXPECT_TRUE(last_error_has("/disk"));
	ASSERT_EQ(0, umount(HOST "/d"));

	ASSERT_EQ(0, mount_ext4(HOST "/d", HOST "/image", 32));
	ASSERT_EQ(0, fill(F, 65536 + 100, SEED));
	EXPECT_EQ(EINVAL, table("/disk " F " blk dio,offset=1,size=65536"));
	EXPECT_EQ(EINVAL, table("/disk " F " blk dio"));
	EXPECT_TRUE(last_error_has("dio is by"));
	EXPECT_EQ(0, table("/disk " F " blk dio,size=65536"));
}

TEST_F(host, a_disk_stands_on_a_device_of_the_host)
{
	char below[64], link[64];
	struct stat st;
	int fd;

	/* A disk of our own is as good as any. */
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/below " F " blk"));
	ASSERT_EQ(0, stat(MNT "/below", &st));
	snprintf(below, sizeof(below), HOST "/node");
	ASSERT_EQ(0, ERR(mknod(below, S_IFBLK | 0600, st.st_rdev)));
	snprintf(link, sizeof(link), "%s", below);
	ASSERT_EQ(0, table("/disk %s blk offset=1M,size=2M\n"
			   "/other %s blk offset=1,size=65536", link, link));
	fd = open(KEY, O_RDWR | O_DIRECT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(65536, pread(fd, buf, 65536, 512));
	EXPECT_EQ(-1, fill_differs(buf, 65536, 1048576 + 512, SEED));
	memset(buf, 4, 4096);
	ASSERT_EQ(4096, pwrite(fd, buf, 4096, 2097152 - 4096));
	EXPECT_EQ(ENOSPC, ERR(pwrite(fd, buf, 4096, 2097152)));
	ASSERT_EQ(0, fsync(fd));
	close(fd);
	ASSERT_EQ(4096, get_bytes(F, buf, 4096, 3145728 - 4096));
	EXPECT_EQ(-1, byte_differs(buf, 4096, 4));
	EXPECT_EQ(0, fill_is(F, 3145728, TOTAL - 3145728, 0, SEED));

	/* Not by whole sectors: through its page cache. */
	fd = open(OTHER, O_RDONLY | O_DIRECT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(4096, pread(fd, buf, 4096, 4096));
	EXPECT_EQ(-1, fill_differs(buf, 4096, 4097, SEED));
	close(fd);
	EXPECT_EQ(0, table("-/disk\n-/other"));
	EXPECT_EQ(0, table("-/below busy"));
}

TEST_F(host, revoking_a_disk_on_a_device_waits_for_its_requests)
{
	struct stat st;
	int fd;

	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/below " F " blk"));
	ASSERT_EQ(0, stat(MNT "/below", &st));
	ASSERT_EQ(0, ERR(mknod(HOST "/node", S_IFBLK | 0600, st.st_rdev)));
	ASSERT_EQ(0, table("/disk " HOST "/node blk"));
	fd = open(KEY, O_RDWR | O_DIRECT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(4096, pread(fd, buf, 4096, 0));
	EXPECT_EQ(0, table("-/disk revoke"));
	EXPECT_NE(4096, pread(fd, buf, 4096, 0));
	/* The host's device is free, though the dead disk is still open. */
	EXPECT_TRUE(WAIT_FOR(!table("-/below busy")));
	close(fd);
}

static dev_t rdev_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_rdev;
}

static long long capacity(int fd)
{
	unsigned long long bytes;

	return ioctl(fd, BLKGETSIZE64, &bytes) ? -errno : (long long)bytes;
}

TEST_F(host, a_key_set_again_keeps_its_disk_and_takes_the_window)
{
	dev_t rdev;
	int fd;

	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/disk " F " blk size=1M"));
	rdev = rdev_of(KEY);
	fd = open(KEY, O_RDWR | O_DIRECT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1048576, capacity(fd));

	ASSERT_EQ(0, table("=/disk " F " blk"));
	EXPECT_EQ(rdev, rdev_of(KEY));
	EXPECT_EQ(TOTAL, capacity(fd));
	ASSERT_EQ(4096, pread(fd, buf, 4096, 2097152));
	EXPECT_EQ(-1, fill_differs(buf, 4096, 2097152, SEED));
	EXPECT_EQ(0, rows_are("/disk " F " blk rw\n"));

	/* The file has grown, and the disk does when it is told. */
	ASSERT_EQ(0, truncate(F, TOTAL + 65536));
	EXPECT_EQ(TOTAL, capacity(fd));
	ASSERT_EQ(0, table("=/disk " F " blk"));
	EXPECT_EQ(TOTAL + 65536, capacity(fd));

	ASSERT_EQ(0, table("=/disk " F " blk offset=512,size=64K"));
	EXPECT_EQ(65536, capacity(fd));
	ASSERT_EQ(4096, pread(fd, buf, 4096, 0));
	EXPECT_EQ(-1, fill_differs(buf, 4096, 512, SEED));
	EXPECT_EQ(rdev, rdev_of(KEY));

	/* Who had it open before still counts. */
	EXPECT_EQ(EBUSY, table("-/disk busy"));
	close(fd);
	EXPECT_EQ(0, table("-/disk busy"));
	EXPECT_EQ(ENOENT, stat_err(KEY));
}

TEST_F(host, a_window_that_moves_leaves_what_was_written_where_it_was)
{
	int fd;

	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/disk " F " blk size=1M"));
	/* Dirty in the disk's own page cache. */
	fd = open(KEY, O_RDWR);
	ASSERT_LE(0, fd);
	memset(buf, 7, 4096);
	ASSERT_EQ(4096, pwrite(fd, buf, 4096, 0));
	ASSERT_EQ(0, table("=/disk " F " blk offset=1M,size=1M"));
	ASSERT_EQ(4096, pread(fd, buf, 4096, 0));
	EXPECT_EQ(-1, fill_differs(buf, 4096, 1048576, SEED));
	ASSERT_EQ(0, fsync(fd));
	close(fd);
	ASSERT_EQ(4096, get_bytes(F, buf, 4096, 0));
	EXPECT_EQ(-1, byte_differs(buf, 4096, 7));
	EXPECT_EQ(0, fill_is(F, 4096, TOTAL - 4096, 0, SEED));
}

TEST_F(host, a_key_set_to_something_else_has_another_disk)
{
	dev_t rdev;
	int fd;

	ASSERT_EQ(0, fill(F, 65536, SEED));
	ASSERT_EQ(0, fill(HOST "/d/g", 65536, SEED + 1));
	ASSERT_EQ(0, table("/disk " F " blk"));
	rdev = rdev_of(KEY);
	fd = open(KEY, O_RDONLY | O_DIRECT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, table("=/disk " HOST "/d/g blk"));
	EXPECT_NE(rdev, rdev_of(KEY));
	ASSERT_EQ(4096, pread(fd, buf, 4096, 0));
	EXPECT_EQ(-1, fill_differs(buf, 4096, 0, SEED));
	close(fd);

	rdev = rdev_of(KEY);
	ASSERT_EQ(0, table("=/disk " HOST "/d/g blk ro"));
	EXPECT_NE(rdev, rdev_of(KEY));

	/* Set twice at once: the first of them is gone again. */
	ASSERT_EQ(0, table("=/disk " HOST "/d/g blk ro\n=/disk " HOST
			   "/d/g blk ro,size=512"));
	EXPECT_EQ(0, rows_are("/disk " HOST "/d/g blk ro,size=512\n"));
	EXPECT_EQ(0, table("-/disk busy"));

	/* What is refused leaves the disk as it was. */
	ASSERT_EQ(0, table("/disk " F " blk size=4K"));
	fd = open(KEY, O_RDONLY);
	EXPECT_EQ(ENOENT, table("=/disk " F " blk\n-/none"));
	EXPECT_EQ(4096, capacity(fd));
	close(fd);
	EXPECT_EQ(0, table("-/disk busy"));
}

TEST_HARNESS_MAIN
