// SPDX-License-Identifier: GPL-2.0
/* Partitions of a disk are there, as devices and as keys, with the disk. */

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "lib/apply.h"

#define F HOST "/f"
#define TOTAL (1024 * 1024)
#define SEED 3
#define KEY MNT "/disk"

/* First sector and number of sectors; a table ends with 0 sectors. */
struct extent {
	unsigned int from, nr;
};

static const struct extent two[] = { { 64, 256 }, { 512, 128 }, { 0, 0 } };
static const struct extent none[] = { { 0, 0 } };
static const struct extent three[] = {
	{ 64, 64 }, { 512, 128 }, { 1024, 32 }, { 0, 0 }
};

static void put_le(unsigned char *to, unsigned long long n, int bytes)
{
	while (bytes--) {
		*to++ = n;
		n >>= 8;
	}
}

static unsigned int crc32(const unsigned char *data, size_t len)
{
	unsigned int crc = ~0U;
	int bit;

	while (len--) {
		crc ^= *data++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static int put_at(const char *path, const void *data, size_t len, off_t pos)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return errno;
	done = pwrite(fd, data, len, pos);
	close(fd);
	return done == (ssize_t)len ? 0 : EIO;
}

/* A sector of its own at the front of the window says it all. */
static int put_mbr(const char *path, off_t at, const struct extent *parts,
		   unsigned int bs)
{
	unsigned char sector[512] = {};
	unsigned char *entry = sector + 446;

	for (; parts->nr; parts++, entry += 16) {
		entry[4] = 0x83;
		put_le(entry + 8, parts->from * 512ULL / bs, 4);
		put_le(entry + 12, parts->nr * 512ULL / bs, 4);
	}
	sector[510] = 0x55;
	sector[511] = 0xaa;
	return put_at(path, sector, sizeof(sector), at);
}

/* A protective MBR, a header and 128 entries; the spare ones at the end. */
static int put_gpt(const char *path, off_t at, const struct extent *parts,
		   unsigned int bs, off_t bytes)
{
	static unsigned char entries[128 * 128];
	unsigned char mbr[512] = {}, head[512] = {}, *entry = entries;
	unsigned long long last = bytes / bs - 1;
	int n = 0, err;

	memset(entries, 0, sizeof(entries));
	for (; parts->nr; parts++, entry += 128) {
		memset(entry, 0xaf, 16);
		memset(entry + 16, ++n, 16);
		put_le(entry + 32, parts->from * 512ULL / bs, 8);
		put_le(entry + 40, (parts->from + parts->nr) * 512ULL / bs - 1,
		       8);
	}
	mbr[446 + 4] = 0xee;
	put_le(mbr + 446 + 8, 1, 4);
	put_le(mbr + 446 + 12, last, 4);
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
	memcpy(head, "EFI PART\0\0\1\0\x5c\0\0\0", 16);
	put_le(head + 24, 1, 8);
	put_le(head + 32, last, 8);
	put_le(head + 40, 1 + 1 + sizeof(entries) / bs, 8);
	put_le(head + 48, last - 1 - sizeof(entries) / bs, 8);
	memset(head + 56, 7, 16);
	put_le(head + 72, 2, 8);
	put_le(head + 80, 128, 4);
	put_le(head + 84, 128, 4);
	put_le(head + 88, crc32(entries, sizeof(entries)), 4);
	put_le(head + 16, crc32(head, 92), 4);
	err = put_at(path, mbr, sizeof(mbr), at);
	return err ?: put_at(path, head, sizeof(head), at + bs) ?:
		      put_at(path, entries, sizeof(entries), at + 2 * bs);
}

static dev_t rdev_of(const char *path)
{
	struct stat st;

	return stat(path, &st) || !S_ISBLK(st.st_mode) ? 0 : st.st_rdev;
}

/* The name of a device in /sys, or "". */
static const char *name_of(dev_t dev)
{
	static char target[256];
	char link[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(dev),
		 minor(dev));
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return "";
	target[len] = '\0';
	return strrchr(target, '/') + 1;
}

static long long bytes_of(const char *path)
{
	unsigned long long bytes = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = ERR(ioctl(fd, BLKGETSIZE64, &bytes));
	close(fd);
	return err ? -err : (long long)bytes;
}

/* The nodes of these partitions are at the key, in /dev too, and no other. */
static int parts_are(const char *key, const struct extent *parts)
{
	char path[128], dev[128], disk[64];
	int nr;

	snprintf(disk, sizeof(disk), "%s", name_of(rdev_of(key)));
	for (nr = 1; parts->nr; parts++, nr++) {
		snprintf(path, sizeof(path), "%sp%d", key, nr);
		snprintf(dev, sizeof(dev), "/dev/%sp%d", disk, nr);
		if (bytes_of(path) != parts->nr * 512LL ||
		    rdev_of(path) != rdev_of(dev)) {
			printf("# %s: %lld bytes, %s has %lld\n", path,
			       bytes_of(path), dev, bytes_of(dev));
			return EILSEQ;
		}
	}
	snprintf(path, sizeof(path), "%sp%d", key, nr);
	snprintf(dev, sizeof(dev), "/dev/%sp%d", disk, nr);
	if (stat_err(path) != ENOENT || stat_err(dev) != ENOENT)
		return EEXIST;
	return 0;
}

static int blk_listed(const char *dir, const char *name)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	int n = 0;

	while (d && (entry = readdir(d)))
		n += !strcmp(entry->d_name, name) && entry->d_type == DT_BLK;
	if (d)
		closedir(d);
	return n;
}

FIXTURE(label)
{
	int unused;
};

FIXTURE_VARIANT(label)
{
	bool is_gpt;
	off_t offset, size;
	unsigned int bs;
	const char *options;
};

FIXTURE_VARIANT_ADD(label, mbr) { false, 0, TOTAL, 512, "part" };
FIXTURE_VARIANT_ADD(label, gpt) { true, 0, TOTAL, 512, "part" };
FIXTURE_VARIANT_ADD(label, mbr_ro) { false, 0, TOTAL, 512, "part,ro" };
FIXTURE_VARIANT_ADD(label, mbr_4k) { false, 0, TOTAL, 4096, "part,bs=4096" };
FIXTURE_VARIANT_ADD(label, gpt_4k) { true, 0, TOTAL, 4096, "part,bs=4096" };
FIXTURE_VARIANT_ADD(label, mbr_odd) { false, 1001, 700001, 512, "part,offset=1001,size=700001" };
FIXTURE_VARIANT_ADD(label, gpt_odd) { true, 513, 700416, 512, "offset=513,size=700416,part" };

FIXTURE_SETUP(label)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, variant->is_gpt ?
		  put_gpt(F, variant->offset, two, variant->bs, variant->size) :
		  put_mbr(F, variant->offset, two, variant->bs));
}

FIXTURE_TEARDOWN(label)
{
	teardown_mount();
}

TEST_F(label, partitions_are_there)
{
	char *row;

	ASSERT_EQ(0, table("/disk " F " blk %s", variant->options)) {
		TH_LOG("last_error: %s", last_error());
	}
	EXPECT_EQ(0, parts_are(KEY, two));
	EXPECT_EQ(0, fill_is(KEY "p1", 0, two[0].nr * 512,
			     variant->offset + two[0].from * 512, SEED));
	EXPECT_EQ(0, fill_is(KEY "p2", 0, two[1].nr * 512,
			     variant->offset + two[1].from * 512, SEED));
	EXPECT_EQ(1, blk_listed(MNT, "disk"));
	EXPECT_EQ(1, blk_listed(MNT, "diskp1"));
	EXPECT_EQ(1, blk_listed(MNT, "diskp2"));

	/* They are no rows, and the disk's loads again as it is printed. */
	EXPECT_TRUE(row_has("/disk", "part"));
	EXPECT_EQ(NULL, row_of("/diskp1"));
	ASSERT_NE(NULL, row_of("/disk"));
	row = strdup(row_of("/disk"));
	EXPECT_EQ(0, table("-/disk"));
	EXPECT_EQ(ENOENT, stat_err(KEY "p1"));
	EXPECT_EQ(0, blk_listed(MNT, "diskp1"));
	EXPECT_EQ(0, table("%s", row));
	EXPECT_EQ(0, parts_are(KEY, two));
	free(row);
}

FIXTURE(part)
{
	int fd;			/* of the mount */
};

FIXTURE_SETUP(part)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, put_mbr(F, 0, two, 512));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(part)
{
	close(self->fd);
	teardown_mount();
}

TEST_F(part, disk_without_a_table_has_none)
{
	ASSERT_EQ(0, put_mbr(F, 0, none, 512));
	ASSERT_EQ(0, table("/disk " F " blk part"));
	EXPECT_EQ(0, parts_are(KEY, none));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/d2 " F " blk part"));
	EXPECT_EQ(0, parts_are(MNT "/d2", none));
	ASSERT_EQ(0, put_mbr(F, 0, two, 512));
	ASSERT_EQ(0, table("/d3 " F " blk -"));
	EXPECT_EQ(0, parts_are(MNT "/d3", none));
	EXPECT_EQ(0, put_bytes(HOST "/empty", "", 0));
	EXPECT_EQ(0, table("/d4 " HOST "/empty blk part"));
	EXPECT_EQ(0, parts_are(MNT "/d4", none));
}

TEST_F(part, feature_is_told)
{
	EXPECT_EQ(0, stat_err("/sys/fs/rumpfs/features/part"));
}

/* A table that fails to be read is as one that is not there. */
TEST_F(part, unreadable_table_has_none)
{
	ASSERT_EQ(0, table("/disk " F " blk part,fail=10000/1"));
	EXPECT_EQ(0, parts_are(KEY, none));
}

TEST_F(part, nodes_have_the_attributes_of_the_key)
{
	struct stat disk, part;

	ASSERT_EQ(0, table("/disk " F " blk part,mode=0640,uid=7,gid=8,hidden"));
	ASSERT_EQ(0, stat(KEY, &disk));
	ASSERT_EQ(0, stat(KEY "p1", &part));
	EXPECT_EQ(S_IFBLK | 0640, part.st_mode);
	EXPECT_EQ(7, part.st_uid);
	EXPECT_EQ(8, part.st_gid);
	EXPECT_NE(disk.st_ino, part.st_ino);
	EXPECT_EQ(0, blk_listed(MNT, "diskp1"));
	ASSERT_EQ(0, table("/ro " F " blk part,ro"));
	EXPECT_EQ(EACCES, open_err(MNT "/rop1", O_WRONLY));
	EXPECT_EQ(0, open_err(MNT "/rop1", O_RDONLY));
}

TEST_F(part, nodes_cannot_be_changed_alone)
{
	ASSERT_EQ(0, table("/disk " F " blk part"));
	EXPECT_EQ(EOPNOTSUPP, ERR(unlink(KEY "p1")));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(KEY "p1", MNT "/x")));
	EXPECT_EQ(EOPNOTSUPP, ERR(link(KEY "p1", MNT "/x")));
	EXPECT_EQ(ENOENT, table("-/diskp1"));
	EXPECT_EQ(EEXIST, table("/diskp1 " F " reg"));
	EXPECT_EQ(EEXIST, table("=/diskp1 " F " reg"));
	EXPECT_EQ(ENOTDIR, table("/diskp1/x " F " reg"));
	EXPECT_EQ(0, parts_are(KEY, two));
}

TEST_F(part, taken_name_refuses_the_disk)
{
	ASSERT_EQ(0, table("/diskp2 " F " reg"));
	EXPECT_EQ(EEXIST, table("/disk " F " blk part"));
	EXPECT_TRUE(last_error_has("diskp2"));
	EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_EQ(ENOENT, stat_err(KEY "p1"));
	EXPECT_EQ(TOTAL, size_of(KEY "p2"));
	/* In one batch the name is free. */
	EXPECT_EQ(0, table("-/diskp2\n/disk " F " blk part"));
	EXPECT_EQ(0, parts_are(KEY, two));
	EXPECT_EQ(0, table("-/disk\n/diskp1 " F " reg"));
	EXPECT_EQ(TOTAL, size_of(KEY "p1"));
}

TEST_F(part, name_in_memory_is_hidden_meanwhile)
{
	ASSERT_EQ(0, put_text(KEY "p1", "mine"));
	ASSERT_EQ(0, table("/disk " F " blk part"));
	EXPECT_EQ(0, parts_are(KEY, two));
	ASSERT_EQ(0, table("-/disk"));
	EXPECT_EQ(0, text_is(KEY "p1", "mine"));
}

TEST_F(part, name_too_long_is_refused)
{
	char name[256];

	memset(name, 'n', 255);
	name[255] = '\0';
	EXPECT_EQ(ENAMETOOLONG, table("/%s " F " blk part", name));
	name[253] = '\0';
	EXPECT_EQ(0, table("/%s " F " blk part", name));
}

TEST_F(part, busy_counts_who_has_one_open)
{
	struct rumpfs_stat stat;
	int fd;

	ASSERT_EQ(0, table("/disk " F " blk part"));
	fd = open(KEY "p2", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EBUSY, table("-/disk busy"));
	EXPECT_EQ(0, parts_are(KEY, two));
	EXPECT_EQ(0, stat_key(self->fd, "/diskp2", &stat));
	EXPECT_EQ(1, stat.opens);
	EXPECT_EQ(RUMPFS_TYPE_BLK, stat.type);
	EXPECT_EQ(0, stat_key(self->fd, "/diskp1", &stat));
	EXPECT_EQ(0, stat.opens);
	EXPECT_EQ(0, stat_key(self->fd, "/disk", &stat));
	EXPECT_EQ(1, stat.opens);
	close(fd);
	EXPECT_EQ(0, table("-/disk busy"));
	EXPECT_EQ(ENOENT, stat_err(KEY "p1"));
}

TEST_F(part, lazy_removal_lets_an_open_one_go_on)
{
	char byte;
	int fd;

	ASSERT_EQ(0, table("/disk " F " blk part"));
	fd = open(KEY "p2", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, table("-/disk"));
	EXPECT_EQ(ENOENT, stat_err(KEY "p2"));
	EXPECT_EQ(1, pread(fd, &byte, 1, 1000));
	close(fd);
}

TEST_F(part, revoke_ends_it)
{
	char block[512] __attribute__((aligned(512)));
	int fd;

	ASSERT_EQ(0, table("/disk " F " blk part"));
	fd = open(KEY "p2", O_RDONLY | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(512, pread(fd, block, 512, 0));
	ASSERT_EQ(0, table("-/disk revoke"));
	EXPECT_GE(0, pread(fd, block, 512, 512));
	EXPECT_EQ(ENOENT, stat_err(KEY "p2"));
	close(fd);
}

TEST_F(part, set_reads_them_again)
{
	dev_t dev;

	ASSERT_EQ(0, table("/disk " F " blk part"));
	dev = rdev_of(KEY);
	ASSERT_EQ(0, put_mbr(F, 0, three, 512));
	ASSERT_EQ(0, table("=/disk " F " blk part"));
	EXPECT_EQ(dev, rdev_of(KEY));
	EXPECT_EQ(0, parts_are(KEY, three));
	ASSERT_EQ(0, put_mbr(F, 0, none, 512));
	ASSERT_EQ(0, table("=/disk " F " blk part"));
	EXPECT_EQ(0, parts_are(KEY, none));
}

TEST_F(part, set_reads_them_in_the_new_window)
{
	ASSERT_EQ(0, put_mbr(F, 4096, three, 512));
	ASSERT_EQ(0, table("/disk " F " blk part"));
	ASSERT_EQ(0, table("=/disk " F " blk part,offset=4096"));
	EXPECT_EQ(0, parts_are(KEY, three));
	EXPECT_EQ(0, fill_is(KEY "p3", 0, 512, 4096 + three[2].from * 512,
			     SEED));
}

TEST_F(part, set_makes_them_and_lets_them_go)
{
	dev_t dev;

	ASSERT_EQ(0, table("/disk " F " blk"));
	dev = rdev_of(KEY);
	ASSERT_EQ(0, table("=/disk " F " blk part"));
	EXPECT_EQ(dev, rdev_of(KEY));
	EXPECT_EQ(0, parts_are(KEY, two));
	ASSERT_EQ(0, table("=/disk " F " blk"));
	EXPECT_EQ(dev, rdev_of(KEY));
	EXPECT_EQ(0, parts_are(KEY, none));
}

TEST_F(part, set_keeps_those_that_are_open)
{
	int fd;

	ASSERT_EQ(0, table("/disk " F " blk part"));
	fd = open(KEY "p2", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, put_mbr(F, 0, three, 512));
	ASSERT_EQ(0, table("=/disk " F " blk part"));
	EXPECT_EQ(0, parts_are(KEY, two));
	close(fd);
	ASSERT_EQ(0, table("=/disk " F " blk part"));
	EXPECT_EQ(0, parts_are(KEY, three));
}

TEST_F(part, set_takes_open_ones_to_the_new_window)
{
	const off_t at = two[0].from * 512;
	static unsigned char buf[4096];
	int fd;

	ASSERT_EQ(0, table("/disk " F " blk part,size=512K"));
	fd = open(KEY "p1", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	memset(buf, 'x', sizeof(buf));
	ASSERT_EQ(sizeof(buf), pwrite(fd, buf, sizeof(buf), 0));
	ASSERT_EQ(0, table("=/disk " F " blk part,size=512K,offset=4096"));
	ASSERT_EQ(sizeof(buf), pread(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(-1, fill_differs(buf, sizeof(buf), at + 4096, SEED));
	ASSERT_EQ(0, fsync(fd));
	close(fd);
	ASSERT_EQ(sizeof(buf), get_bytes(F, buf, sizeof(buf), at));
	EXPECT_EQ(-1, byte_differs(buf, sizeof(buf), 'x'));
	EXPECT_EQ(0, fill_is(F, at + 4096, 65536, 0, SEED));
}

TEST_F(part, set_leaves_a_taken_name_alone)
{
	ASSERT_EQ(0, table("/disk " F " blk part\n/diskp3 " F " reg"));
	ASSERT_EQ(0, put_mbr(F, 0, three, 512));
	ASSERT_EQ(0, table("=/disk " F " blk part"));
	EXPECT_EQ(TOTAL, size_of(KEY "p3"));
	EXPECT_EQ(three[0].nr * 512, bytes_of(KEY "p1"));
	EXPECT_EQ(0, table("-/disk"));
	EXPECT_EQ(TOTAL, size_of(KEY "p3"));
}

TEST_F(part, set_with_another_file_has_its_own)
{
	ASSERT_EQ(0, fill(HOST "/g", TOTAL, SEED));
	ASSERT_EQ(0, put_mbr(HOST "/g", 0, three, 512));
	ASSERT_EQ(0, table("/disk " F " blk part"));
	ASSERT_EQ(0, table("=/disk " HOST "/g blk part"));
	EXPECT_EQ(0, parts_are(KEY, three));
	ASSERT_EQ(0, table("=/disk " F " reg"));
	EXPECT_EQ(ENOENT, stat_err(KEY "p1"));
}

/* The block layer reads them again whenever somebody asks it to. */
TEST_F(part, node_of_one_that_is_gone_does_not_open)
{
	int fd;

	ASSERT_EQ(0, table("/disk " F " blk part"));
	ASSERT_EQ(0, put_mbr(F, 0, none, 512));
	fd = open(KEY, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ERR(ioctl(fd, BLKRRPART)));
	close(fd);
	EXPECT_EQ(ENXIO, open_err(KEY "p1", O_RDONLY));
	ASSERT_EQ(0, table("=/disk " F " blk part"));
	EXPECT_EQ(ENOENT, stat_err(KEY "p1"));
}

/* Until another disk, or one of its own, has this number. */
static int take_number(dev_t dev)
{
	char path[64];
	int i, err = 0;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev),
		 minor(dev));
	for (i = 0; i < 16 && !err && access(path, F_OK); i++)
		err = table("/other%d " HOST "/g blk part", i);
	return err ?: ERR(access(path, F_OK));
}

static int mount_err(const char *device)
{
	return ERR(mount(device, "/mnt/host", "ext4", 0, NULL));
}

/* Older kernels say ENXIO of number 0. */
static bool mounts_none(const char *device)
{
	int err = mount_err(device);

	return err == ENODEV || err == ENXIO;
}

/* mount(2) goes by the number alone. */
TEST_F(part, node_of_one_that_is_gone_mounts_no_other)
{
	char path[64];
	int fd, held;
	dev_t dev;

	ASSERT_EQ(0, fill(HOST "/g", TOTAL, SEED));
	ASSERT_EQ(0, put_mbr(HOST "/g", 0, three, 512));
	ASSERT_EQ(0, table("/disk " F " blk part"));
	dev = rdev_of(KEY "p1");
	EXPECT_EQ(EINVAL, mount_err(KEY "p1"));
	held = open(KEY "p1", O_PATH | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
	ASSERT_EQ(0, put_mbr(F, 0, none, 512));
	fd = open(KEY, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ERR(ioctl(fd, BLKRRPART)));
	close(fd);
	EXPECT_EQ(0, take_number(dev));
	EXPECT_TRUE(mounts_none(KEY "p1"));
	EXPECT_TRUE(mounts_none(path));
	ASSERT_EQ(0, table("-/disk"));
	EXPECT_TRUE(mounts_none(path));
	close(held);
}

TEST_F(part, node_of_a_disk_that_is_gone_mounts_no_other)
{
	char path[64];
	int held;

	ASSERT_EQ(0, table("/disk " F " blk"));
	EXPECT_EQ(EINVAL, mount_err(KEY));
	held = open(KEY, O_PATH | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
	EXPECT_EQ(EINVAL, mount_err(path));
	ASSERT_EQ(0, table("-/disk"));
	ASSERT_EQ(0, table("/other " F " blk"));
	EXPECT_TRUE(mounts_none(path));
	close(held);
}

TEST_F(part, every_mount_shows_them)
{
	ASSERT_EQ(0, mount_at(MNT2, NULL));
	ASSERT_EQ(0, table("/disk " F " blk part"));
	EXPECT_EQ(rdev_of(KEY "p1"), rdev_of(MNT2 "/diskp1"));
	ASSERT_EQ(0, table("-/disk"));
	EXPECT_EQ(ENOENT, stat_err(MNT2 "/diskp1"));
	EXPECT_EQ(0, ERR(umount(MNT2)));
}

TEST_F(part, bytes_are_counted)
{
	char block[4096] __attribute__((aligned(4096)));
	struct rumpfs_stat stat;
	int fd;

	ASSERT_EQ(0, table("/disk " F " blk part"));
	fd = open(KEY "p2", O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(4096, pread(fd, block, 4096, 0));
	EXPECT_EQ(4096, pwrite(fd, block, 4096, 4096));
	EXPECT_EQ(0, stat_key(self->fd, "/diskp2", &stat));
	EXPECT_EQ(4096, stat.bytes_read);
	EXPECT_EQ(4096, stat.bytes_written);
	close(fd);
}

TEST_HARNESS_MAIN
