// SPDX-License-Identifier: GPL-2.0
/* A window of a host file is a disk, sector for sector. */

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/param.h>

#define TYPE "blk"
#define NAME "/disk"
#define KEY MNT NAME

#include "lib/window.h"

/* Of the disk over it: whole sectors. */
#define DISK_BYTES roundup(self->bytes, 512)

static unsigned char buf[TOTAL] __attribute__((aligned(4096)));

static long long disk_bytes(const char *path)
{
	unsigned long long bytes = 0;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes))
		return -errno;
	close(fd);
	return bytes;
}

/* The text of an attribute of the disk, newline cut off. */
static const char *attr(int nr, const char *name)
{
	return device_attr("block/rumpblk", nr, name);
}

/* Read from the disk itself, not from what the page cache has of it. */
static ssize_t read_disk(const char *path, void *to, size_t len, off_t pos)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	ioctl(fd, BLKFLSBUF, 0);
	got = pread(fd, to, len, pos);
	close(fd);
	return got;
}

static int write_disk(const char *path, const void *from, size_t len, off_t pos)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), err;
	ssize_t done;

	if (fd < 0)
		return errno;
	done = pwrite(fd, from, len, pos);
	err = done < 0 ? errno : done == (ssize_t)len ? ERR(fsync(fd)) : EIO;
	close(fd);
	return err;
}

static bool dev_is_there(int nr)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/rumpblk%d", nr);
	return !stat_err(path);
}

TEST_F(window, shows_its_bytes)
{
	EXPECT_EQ(DISK_BYTES, disk_bytes(KEY));
	EXPECT_EQ(DISK_BYTES, read_disk(KEY, buf, sizeof(buf), 0));
	EXPECT_EQ(-1, fill_differs(buf, self->bytes, variant->offset, SEED));
	EXPECT_EQ(-1, byte_differs(buf + self->bytes,
				   DISK_BYTES - self->bytes, 0));
}

TEST_F(window, has_a_device_and_a_node)
{
	char dev[64];
	struct stat key, node;

	snprintf(dev, sizeof(dev), "/dev/rumpblk%d", self->nr);
	ASSERT_EQ(0, stat(KEY, &key));
	ASSERT_EQ(0, stat(dev, &node));
	EXPECT_EQ(S_IFBLK, node.st_mode & S_IFMT);
	EXPECT_EQ(node.st_rdev, key.st_rdev);
	EXPECT_EQ(1, listed(MNT, "disk"));
	EXPECT_EQ(0, strcmp("/disk", attr(self->nr, "etfs/key")));
	EXPECT_EQ(0, strcmp(F, attr(self->nr, "etfs/backing_file")));
	EXPECT_EQ(variant->offset, atoll(attr(self->nr, "etfs/offset")));
	EXPECT_EQ(self->bytes, atoll(attr(self->nr, "etfs/size")));
	EXPECT_EQ(DISK_BYTES / 512, atoll(attr(self->nr, "size")));
	EXPECT_EQ(0, atoi(attr(self->nr, "ro")));
	EXPECT_EQ(512, atoi(attr(self->nr, "queue/logical_block_size")));
}

TEST_F(window, writes_reach_the_host)
{
	off_t last = DISK_BYTES - 512;

	memset(buf, 0xcc, sizeof(buf));
	ASSERT_EQ(0, write_disk(KEY, buf, 512, 0));
	ASSERT_EQ(0, write_disk(KEY, buf, 512, last));

	/* On the host after fsync: the first sector, and what the last has of it. */
	ASSERT_EQ(MIN(512, self->bytes),
		  get_bytes(F, buf, MIN(512, self->bytes), variant->offset));
	EXPECT_EQ(-1, byte_differs(buf, MIN(512, self->bytes), 0xcc));
	ASSERT_EQ(self->bytes - last, get_bytes(F, buf, self->bytes - last,
						variant->offset + last));
	EXPECT_EQ(-1, byte_differs(buf, self->bytes - last, 0xcc));

	/* The tail of the last sector reads as zeros ever after. */
	ASSERT_EQ(512, read_disk(KEY, buf, 512, last));
	EXPECT_EQ(-1, byte_differs(buf, self->bytes - last, 0xcc));
	EXPECT_EQ(-1, byte_differs(buf + self->bytes - last,
				   last + 512 - self->bytes, 0));
}

TEST_F(window, all_of_it_can_be_written)
{
	off_t i;

	for (i = 0; i < DISK_BYTES; i++)
		buf[i] = fill_byte(i, 77);
	ASSERT_EQ(0, write_disk(KEY, buf, DISK_BYTES, 0));
	EXPECT_EQ(self->bytes, get_bytes(F, buf, self->bytes, variant->offset));
	EXPECT_EQ(-1, fill_differs(buf, self->bytes, 0, 77));
	EXPECT_EQ(DISK_BYTES, read_disk(KEY, buf, sizeof(buf), 0));
	EXPECT_EQ(-1, fill_differs(buf, self->bytes, 0, 77));

	/* Nothing beyond. */
	EXPECT_EQ(ENOSPC, write_disk(KEY, buf, 512, DISK_BYTES));
	EXPECT_EQ(0, read_disk(KEY, buf, 512, DISK_BYTES));
}

TEST_F(window, direct_io_is_the_same)
{
	size_t len = MIN(4096, DISK_BYTES);
	int fd = open(KEY, O_RDWR | O_DIRECT);

	ASSERT_LE(0, fd);
	EXPECT_EQ(len, pread(fd, buf, len, 0));
	EXPECT_EQ(-1, fill_differs(buf, MIN((off_t)len, self->bytes),
				   variant->offset, SEED));
	memset(buf, 0x11, len);
	EXPECT_EQ(len, pwrite(fd, buf, len, 0));
	EXPECT_EQ(1, get_bytes(F, buf, 1, variant->offset));
	EXPECT_EQ(0x11, buf[0]);
	close(fd);
}

TEST_F(window, zeroes_can_be_asked_for)
{
	uint64_t range[2] = { 0, MIN(8192, DISK_BYTES) };
	int fd = open(KEY, O_RDWR);
	off_t len = MIN((off_t)range[1], self->bytes);

	ASSERT_EQ(0, ioctl(fd, BLKZEROOUT, range));
	ASSERT_EQ(0, fsync(fd));
	close(fd);
	EXPECT_EQ(len, get_bytes(F, buf, len, variant->offset));
	EXPECT_EQ(-1, byte_differs(buf, len, 0));
	EXPECT_EQ(0, fill_is(F, variant->offset + len, self->bytes - len, 0,
			     SEED));
}

TEST_F(window, goes_with_its_key)
{
	ASSERT_EQ(0, table("-/disk busy"));
	EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_TRUE(WAIT_FOR(!dev_is_there(self->nr)));
	EXPECT_EQ(0, strcmp("unreadable", attr(self->nr, "size")));
}

FIXTURE(disk)
{
};

FIXTURE_SETUP(disk)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
}

FIXTURE_TEARDOWN(disk)
{
	teardown_mount();
}

TEST_F(disk, read_only_disks_refuse_writers)
{
	int fd, ro = 0;

	ASSERT_EQ(0, table("/disk " F " blk ro"));
	EXPECT_EQ(EACCES, open_err(KEY, O_RDWR));
	EXPECT_EQ(EACCES, open_err(KEY, O_WRONLY));
	fd = open(KEY, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, BLKROGET, &ro));
	EXPECT_EQ(1, ro);

	/* Nor can it be made writable. */
	ro = 0;
	if (!ioctl(fd, BLKROSET, &ro))
		EXPECT_NE(0, write_disk(KEY, buf, 512, 0));
	EXPECT_EQ(0, fill_is(F, 0, TOTAL, 0, SEED));
	close(fd);
}

TEST_F(disk, block_size_can_be_chosen)
{
	const int sizes[] = { 512, 1024, 2048, 4096 };
	size_t i;
	int fd, bs;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, table("/disk " F " blk bs=%d", sizes[i]));
		fd = open(KEY, O_RDONLY);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, ioctl(fd, BLKSSZGET, &bs));
		EXPECT_EQ(sizes[i], bs);
		close(fd);
		EXPECT_EQ(TOTAL, disk_bytes(KEY));
		ASSERT_EQ(0, table("-/disk"));
	}
}

TEST_F(disk, the_node_has_the_mode_it_is_given)
{
	struct stat st;

	ASSERT_EQ(0, table("/disk " F " blk mode=640,uid=3,gid=4"));
	ASSERT_EQ(0, stat(KEY, &st));
	EXPECT_EQ(S_IFBLK | 0640, st.st_mode);
	EXPECT_EQ(3, st.st_uid);
	EXPECT_EQ(4, st.st_gid);
	EXPECT_EQ(EACCES, AS_USER(1000, open_err(KEY, O_RDONLY)));
	EXPECT_EQ(0, AS_USER(3, open_err(KEY, O_RDWR)));
}

TEST_F(disk, several_disks_on_one_file)
{
	int a, b, c;

	ASSERT_EQ(0, table("/a " F " blk size=64K\n/b " F
			   " blk offset=64K,size=64K\n"
			   "/dir/c " F " blk offset=1,size=1000"));
	a = device_nr(MNT "/a");
	b = device_nr(MNT "/b");
	c = device_nr(MNT "/dir/c");
	EXPECT_LE(0, a);
	EXPECT_LE(0, b);
	EXPECT_LE(0, c);
	EXPECT_NE(a, b);
	EXPECT_NE(b, c);
	EXPECT_EQ(512, read_disk(MNT "/b", buf, 512, 0));
	EXPECT_EQ(-1, fill_differs(buf, 512, 65536, SEED));
	memset(buf, 0, 512);
	EXPECT_EQ(0, write_disk(MNT "/a", buf, 512, 65024));
	EXPECT_EQ(0, fill_is(F, 65536, 512, 0, SEED));
	EXPECT_EQ(0, table("-/b"));
	EXPECT_EQ(512, read_disk(MNT "/a", buf, 512, 0));
	EXPECT_EQ(0, strcmp("/dir/c", attr(c, "etfs/key")));
}

TEST_F(disk, the_host_is_bound_for_good)
{
	ASSERT_EQ(0, table("/disk " F " blk"));
	ASSERT_EQ(0, put_text(HOST "/g", "other"));
	ASSERT_EQ(0, rename(HOST "/g", F));
	EXPECT_EQ(512, read_disk(KEY, buf, 512, 0));
	EXPECT_EQ(-1, fill_differs(buf, 512, 0, SEED));

	/* The node is that of the bound file, which has no path any more. */
	ASSERT_EQ(0, unlink(F));
	EXPECT_TRUE(S_ISBLK(mode_of(KEY)));
	ASSERT_EQ(0, put_text(F, "a third"));

	/* What no path restores is told as such, so that the table loads. */
	ASSERT_EQ(0, table("/other " F " reg"));
	EXPECT_EQ(NULL, row_of("/disk"));
	EXPECT_NE(NULL, strstr(table_rows(), "# unrestorable: ")) {
		TH_LOG("%s", table_rows());
	}
}

TEST_F(disk, busy_removal_is_refused_to_an_open_disk)
{
	int fd, path;

	ASSERT_EQ(0, table("/disk " F " blk\n/other " F " reg"));
	fd = open(KEY, O_RDONLY);
	EXPECT_EQ(EBUSY, table("-/disk busy"));
	EXPECT_EQ(EBUSY, table("flush busy"));
	EXPECT_TRUE(row_has("/other", "rw"));
	path = open(KEY, O_PATH);
	close(fd);
	EXPECT_TRUE(WAIT_FOR(!table("-/disk busy")));
	close(path);
}

TEST_F(disk, lazy_removal_waits_for_the_last_close)
{
	char dev[32];
	int nr, a, b;

	ASSERT_EQ(0, table("/disk " F " blk"));
	nr = device_nr(KEY);
	a = open(KEY, O_RDWR);
	b = open(KEY, O_RDONLY);
	ASSERT_EQ(0, table("-/disk lazy"));
	EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_EQ(0, rows_are(""));

	/* Who has it open goes on. */
	EXPECT_EQ(512, pread(b, buf, 512, 8192));
	EXPECT_EQ(-1, fill_differs(buf, 512, 8192, SEED));
	memset(buf, 0x42, 512);
	EXPECT_EQ(512, pwrite(a, buf, 512, 0));
	EXPECT_EQ(0, fsync(a));
	EXPECT_EQ(1, get_bytes(F, buf, 1, 0));
	EXPECT_EQ(0x42, buf[0]);

	/* The name is free for another. */
	EXPECT_EQ(0, table("/disk " F " blk"));
	EXPECT_NE(nr, device_nr(KEY));
	close(a);
	EXPECT_EQ(512, pread(b, buf, 512, 16384));

	/* It goes at the last close, and can be opened until then. */
	snprintf(dev, sizeof(dev), "/dev/rumpblk%d", nr);
	a = open(dev, O_RDWR);
	EXPECT_LE(0, a);
	close(b);
	EXPECT_EQ(0, open_err(dev, O_RDONLY));
	EXPECT_EQ(512, pwrite(a, buf, 512, 0));
	close(a);
	EXPECT_NE(0, open_err(dev, O_RDONLY));
	EXPECT_TRUE(WAIT_FOR(!dev_is_there(nr)));
}

/* The whole way: a file system on a window, checked from the host's side. */
TEST_F(disk, a_file_system_lives_on_it)
{
	int nr;

	ASSERT_EQ(0, run("truncate -s 9M %s && printf canary >%s.c", F, F));
	ASSERT_EQ(0, table("/disk " F " blk offset=1M,size=8M"));
	nr = device_nr(KEY);
	ASSERT_EQ(0, run("mkfs.ext4 -q -E nodiscard %s", KEY));
	ASSERT_EQ(0, mkdir(HOST "/m", 0755));
	ASSERT_EQ(0, ERR(mount(KEY, HOST "/m", "ext4", 0, NULL)));
	ASSERT_EQ(0, fill(HOST "/m/file", 300000, 8));
	EXPECT_EQ(EBUSY, table("-/disk busy"));
	EXPECT_EQ(0, fill_is(HOST "/m/file", 0, 300000, 0, 8));

	/* Lazily removed, it stays until it is unmounted. */
	ASSERT_EQ(0, table("-/disk"));
	EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_EQ(0, fill(HOST "/m/late", 100000, 9));
	ASSERT_EQ(0, umount(HOST "/m"));
	EXPECT_TRUE(WAIT_FOR(!dev_is_there(nr)));

	/* The host finds a clean file system, by its own loop device or none. */
	ASSERT_EQ(0, run("tail -c +1048577 %s >%s && e2fsck -fn %s", F,
			 HOST "/img", HOST "/img"));
	ASSERT_EQ(0, run("debugfs -R 'dump /file %s' %s", HOST "/out",
			 HOST "/img"));
	EXPECT_EQ(0, fill_is(HOST "/out", 0, 300000, 0, 8));
	ASSERT_EQ(0, run("debugfs -R 'dump /late %s' %s", HOST "/out",
			 HOST "/img"));
	EXPECT_EQ(0, fill_is(HOST "/out", 0, 100000, 0, 9));
	EXPECT_EQ(0, fill_is(F, 0, TOTAL, 0, SEED));
}

TEST_F(disk, a_disk_on_a_disk_file_system)
{
	ASSERT_EQ(0, mount_ext4(HOST "/disk", HOST "/img", 16));
	ASSERT_EQ(0, run("truncate -s 8M " HOST "/disk/f"));
	ASSERT_EQ(0, table("/disk " HOST "/disk/f blk"));
	ASSERT_EQ(0, run("mkfs.ext4 -q %s", KEY));
	ASSERT_EQ(0, mkdir(HOST "/m", 0755));
	ASSERT_EQ(0, ERR(mount(KEY, HOST "/m", "ext4", 0, NULL)));
	ASSERT_EQ(0, fill(HOST "/m/file", 500000, 8));
	ASSERT_EQ(0, umount(HOST "/m"));
	EXPECT_EQ(0, run("e2fsck -fn " HOST "/disk/f"));
	ASSERT_EQ(0, ERR(mount(KEY, HOST "/m", "ext4", MS_RDONLY, NULL)));
	EXPECT_EQ(0, fill_is(HOST "/m/file", 0, 500000, 0, 8));
	ASSERT_EQ(0, umount(HOST "/m"));
	ASSERT_EQ(0, table("flush"));
}

TEST_HARNESS_MAIN
