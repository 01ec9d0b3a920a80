// SPDX-License-Identifier: GPL-2.0
/* A window of a host file is a character device, byte for byte. */

#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/param.h>

#define TYPE "chr"
#define NAME "/dev"
#define KEY MNT NAME

#include "lib/window.h"

#define MANY 1100

static unsigned char buf[TOTAL + 1] __attribute__((aligned(4096)));

static const char *dev_of(int nr)
{
	static char path[64];

	snprintf(path, sizeof(path), "/dev/rumpchr%d", nr);
	return path;
}

static dev_t rdev_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_rdev;
}

static long long chr_bytes(const char *path)
{
	uint64_t bytes = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = ERR(ioctl(fd, BLKGETSIZE64, &bytes));
	close(fd);
	return err ? -err : (long long)bytes;
}

/* The text of an attribute of the device, newline cut off. */
static const char *attr(int nr, const char *name)
{
	return device_attr("rumpchr/rumpchr", nr, name);
}

/* The count, or minus the errno. */
static ssize_t write_at(const char *path, const void *from, size_t len,
			off_t pos)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return -errno;
	done = pwrite(fd, from, len, pos);
	if (done < 0)
		done = -errno;
	close(fd);
	return done;
}

TEST_F(window, shows_its_bytes_and_no_others)
{
	EXPECT_EQ(self->bytes, get_bytes(KEY, buf, sizeof(buf), 0));
	EXPECT_EQ(-1, fill_differs(buf, self->bytes, variant->offset, SEED));
	EXPECT_EQ(self->bytes, get_bytes(dev_of(self->nr), buf, sizeof(buf), 0));
	EXPECT_EQ(-1, fill_differs(buf, self->bytes, variant->offset, SEED));
	EXPECT_EQ(self->bytes, chr_bytes(KEY));
	EXPECT_EQ(0, get_bytes(KEY, buf, 1, self->bytes));
	EXPECT_EQ(0, get_bytes(KEY, buf, 1, self->bytes + 100000));
}

TEST_F(window, is_read_at_any_byte)
{
	const off_t starts[] = { 1, 511, 512, 4095, self->bytes / 2,
				 self->bytes - 1 };
	const size_t lens[] = { 1, 2, 511, 4097, TOTAL };
	size_t i, j, expected;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		if (starts[i] >= self->bytes)
			continue;
		for (j = 0; j < ARRAY_SIZE(lens); j++) {
			expected = MIN((off_t)lens[j],
				       self->bytes - starts[i]);
			EXPECT_EQ(expected,
				  get_bytes(KEY, buf, lens[j], starts[i]));
			EXPECT_EQ(-1, fill_differs(buf, expected,
						   variant->offset + starts[i],
						   SEED));
		}
	}
}

TEST_F(window, is_written_at_any_byte)
{
	off_t middle = self->bytes / 2, last = self->bytes - 1;

	ASSERT_EQ(1, write_at(KEY, "m", 1, middle));
	ASSERT_EQ(1, write_at(KEY, "l", 1, last));
	EXPECT_EQ(1, get_bytes(F, buf, 1, variant->offset + last));
	EXPECT_EQ('l', buf[0]);
	EXPECT_EQ(1, get_bytes(F, buf, 1, variant->offset + middle));
	EXPECT_EQ(middle == last ? 'l' : 'm', buf[0]);
	EXPECT_EQ(0, fill_is(F, variant->offset, middle, 0, SEED));
	if (middle < last)
		EXPECT_EQ(0, fill_is(F, variant->offset + middle + 1,
				     last - middle - 1, 0, SEED));
}

TEST_F(window, writes_are_cut_at_its_end)
{
	off_t i;

	for (i = 0; i < TOTAL; i++)
		buf[i] = fill_byte(i, 77);
	EXPECT_EQ(self->bytes, write_at(KEY, buf, self->bytes + 1, 0));
	EXPECT_EQ(0, fill_is(KEY, 0, self->bytes, 0, 77));
	EXPECT_EQ(0, fill_is(F, variant->offset, self->bytes,
			     -variant->offset, 77));
	EXPECT_EQ(1, write_at(KEY, buf, TOTAL, self->bytes - 1));
	EXPECT_EQ(-ENOSPC, write_at(KEY, buf, 1, self->bytes));
	EXPECT_EQ(-ENOSPC, write_at(KEY, buf, 1, self->bytes + 5000));
	EXPECT_EQ(0, write_at(KEY, buf, 0, self->bytes));
}

TEST_F(window, has_a_device_and_a_node)
{
	struct stat key, node;

	EXPECT_EQ(1, get_bytes(KEY, buf, 1, 0));
	EXPECT_EQ(1, get_bytes(dev_of(self->nr), buf, 1, 0));
	ASSERT_EQ(0, stat(KEY, &key));
	ASSERT_EQ(0, stat(dev_of(self->nr), &node));
	EXPECT_EQ(S_IFCHR | 0600, node.st_mode);
	EXPECT_EQ(0, node.st_uid);
	EXPECT_EQ(S_IFCHR | 0644, key.st_mode);
	EXPECT_EQ(node.st_rdev, key.st_rdev);
	EXPECT_EQ(0, key.st_size);
	EXPECT_EQ(0, node.st_size);
	EXPECT_EQ(1, listed(MNT, "dev"));
	EXPECT_EQ(0, strcmp("/dev", attr(self->nr, "key")));
	EXPECT_EQ(0, strcmp(F, attr(self->nr, "backing_file")));
	EXPECT_EQ(variant->offset, atoll(attr(self->nr, "offset")));
	EXPECT_EQ(self->bytes, atoll(attr(self->nr, "size")));
	EXPECT_EQ(0, strcmp("0", attr(self->nr, "ro")));
}

TEST_F(window, is_spliced)
{
	size_t len = MIN(self->bytes, 60000);
	int fd = open(KEY, O_RDWR | O_CLOEXEC), pipes[2];
	loff_t pos = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(1, splice(fd, &pos, pipes[1], NULL, 1, 0));
	EXPECT_EQ(1, pos);
	EXPECT_EQ(1, read(pipes[0], buf, 1));
	EXPECT_EQ(fill_byte(variant->offset, SEED), buf[0]);
	pos = self->bytes;
	EXPECT_EQ(0, splice(fd, &pos, pipes[1], NULL, 1, 0));

	/* From a pipe, cut at the end. */
	memset(buf, 0xcc, len);
	ASSERT_EQ(len, write(pipes[1], buf, len));
	pos = self->bytes - 1;
	EXPECT_EQ(1, splice(pipes[0], NULL, fd, &pos, len, 0));
	EXPECT_EQ(self->bytes, pos);
	EXPECT_EQ(1, get_bytes(KEY, buf, 1, self->bytes - 1));
	EXPECT_EQ(0xcc, buf[0]);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

TEST_F(window, goes_with_its_key)
{
	ASSERT_EQ(0, table("-/dev busy"));
	EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_EQ(ENOENT, stat_err(dev_of(self->nr)));
	EXPECT_EQ(0, strcmp("unreadable", attr(self->nr, "size")));
}

FIXTURE(chardev)
{
};

FIXTURE_SETUP(chardev)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
}

FIXTURE_TEARDOWN(chardev)
{
	teardown_mount();
}

TEST_F(chardev, tells_its_size_as_a_disk_does)
{
	unsigned long sectors = 0;
	int fd, value = -1;

	ASSERT_EQ(0, table("/dev " F " chr size=5000"));
	fd = open(KEY, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5000, chr_bytes(KEY));
	EXPECT_EQ(0, ioctl(fd, BLKGETSIZE, &sectors));
	EXPECT_EQ(9, sectors);
	EXPECT_EQ(0, ioctl(fd, BLKSSZGET, &value));
	EXPECT_EQ(512, value);
	EXPECT_EQ(0, ioctl(fd, BLKROGET, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(EFAULT, ERR(ioctl(fd, BLKGETSIZE64, NULL)));
	EXPECT_EQ(ENOTTY, ERR(ioctl(fd, BLKFLSBUF, 0)));
	EXPECT_EQ(ENOTTY, ERR(ioctl(fd, FIONREAD, &value)));
	EXPECT_EQ(ENOTTY, ERR(ioctl(fd, BLKRRPART, 0)));
	close(fd);
	EXPECT_EQ(0, run("[ $(blockdev --getsize64 " KEY ") = 5000 ]"));
}

TEST_F(chardev, is_sought)
{
	int fd;

	ASSERT_EQ(0, table("/dev " F " chr offset=1000,size=5000"));
	fd = open(KEY, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5000, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(0, read(fd, buf, 1));
	EXPECT_EQ(4990, lseek(fd, -10, SEEK_END));
	EXPECT_EQ(10, read(fd, buf, 100));
	EXPECT_EQ(-1, fill_differs(buf, 10, 5990, SEED));
	EXPECT_EQ(5000, lseek(fd, 0, SEEK_CUR));
	EXPECT_EQ(7, lseek(fd, 7, SEEK_SET));
	EXPECT_EQ(9, lseek(fd, 2, SEEK_CUR));
	EXPECT_EQ(1, read(fd, buf, 1));
	EXPECT_EQ(fill_byte(1009, SEED), buf[0]);
	EXPECT_EQ(EINVAL, ERR(lseek(fd, -1, SEEK_SET)));
	EXPECT_EQ(EINVAL, ERR(lseek(fd, -5001, SEEK_END)));
	EXPECT_EQ(6000, lseek(fd, 6000, SEEK_SET));
	EXPECT_EQ(0, read(fd, buf, 1));
	close(fd);
}

TEST_F(chardev, knows_data_from_holes)
{
	int fd;

	ASSERT_EQ(0, put_text(HOST "/s", ""));
	ASSERT_EQ(0, truncate(HOST "/s", 40960));
	ASSERT_EQ(1, write_at(HOST "/s", "x", 1, 20480));
	ASSERT_EQ(0, table("/dev " HOST "/s chr offset=4096,size=32768"));
	fd = open(KEY, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, lseek(fd, 0, SEEK_HOLE));
	EXPECT_EQ(16384, lseek(fd, 0, SEEK_DATA));
	EXPECT_EQ(20480, lseek(fd, 16384, SEEK_HOLE));
	EXPECT_EQ(ENXIO, ERR(lseek(fd, 20480, SEEK_DATA)));
	EXPECT_EQ(ENXIO, ERR(lseek(fd, 32768, SEEK_HOLE)));
	close(fd);
}

TEST_F(chardev, refuses_what_is_not_for_a_device)
{
	int fd;

	ASSERT_EQ(0, table("/dev " F " chr"));
	fd = open(KEY, O_RDWR | O_TRUNC | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(TOTAL, size_of(F));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(ENODEV, ERR(fallocate(fd, 0, 0, 4096)));
	EXPECT_EQ(EINVAL, ERR(ftruncate(fd, 0)));
	EXPECT_EQ(EINVAL, ERR(truncate(KEY, 0)));
	EXPECT_EQ(TOTAL, size_of(F));
	EXPECT_EQ(0, ERR(fsync(fd)));
	EXPECT_EQ(0, ERR(fdatasync(fd)));
	close(fd);
}

TEST_F(chardev, read_only_devices_refuse_writers)
{
	int fd, ro = 0, nr;

	ASSERT_EQ(0, table("/dev " F " chr ro"));
	nr = device_nr(KEY);
	EXPECT_EQ(EACCES, open_err(KEY, O_RDWR));
	EXPECT_EQ(EACCES, open_err(KEY, O_WRONLY));
	EXPECT_EQ(EACCES, open_err(dev_of(nr), O_RDWR));
	EXPECT_EQ(EACCES, open_err(dev_of(nr), O_WRONLY));
	EXPECT_EQ(0, open_err(dev_of(nr), O_RDONLY));
	fd = open(KEY, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, BLKROGET, &ro));
	EXPECT_EQ(1, ro);
	EXPECT_EQ(EBADF, ERR(pwrite(fd, buf, 1, 0)));
	EXPECT_EQ(0, strcmp("1", attr(nr, "ro")));
	close(fd);
	EXPECT_EQ(0, table("-/dev busy"));
}

TEST_F(chardev, read_only_backing_must_be_asked_for_so)
{
	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
	ASSERT_EQ(0, ERR(mount("none", HOST "/d", "tmpfs", 0, NULL)));
	ASSERT_EQ(0, fill(HOST "/d/f", 4096, SEED));
	ASSERT_EQ(0, ERR(mount("none", HOST "/d", NULL,
			       MS_REMOUNT | MS_RDONLY, NULL)));
	EXPECT_EQ(EACCES, table("/dev " HOST "/d/f chr"));
	EXPECT_TRUE(last_error_has("/dev"));
	EXPECT_EQ(0, rows_are(""));
	ASSERT_EQ(0, table("/dev " HOST "/d/f chr ro"));
	EXPECT_EQ(0, fill_is(KEY, 0, 4096, 0, SEED));

	/* And no device is left of those that were refused. */
	EXPECT_EQ(1, count_names("/sys/class/rumpchr"));
}

TEST_F(chardev, the_host_decides_what_can_be_one)
{
	ASSERT_EQ(0, mkfifo(HOST "/fifo", 0600));
	EXPECT_EQ(ENOENT, table("/dev " HOST "/none chr"));
	EXPECT_EQ(EISDIR, table("/dev " HOST " chr"));
	EXPECT_EQ(EINVAL, table("/dev " HOST "/fifo chr"));
	EXPECT_EQ(EINVAL, table("/dev /dev/null chr"));
	EXPECT_EQ(EINVAL, table("/dev " F " chr offset=%d", TOTAL + 1));
	ASSERT_EQ(0, put_text(MNT "/mem", "in memory"));
	EXPECT_EQ(ELOOP, table("/dev " MNT "/mem chr"));

	/* What the table has against it is told first, and makes no device. */
	ASSERT_EQ(0, table("/dev " F " reg"));
	EXPECT_EQ(EEXIST, table("/dev " F " chr"));
	EXPECT_EQ(ENOTDIR, table("/dev/below " F " chr"));
	EXPECT_EQ(ENOTEMPTY, table("/a/b " F " reg\n/a " F " chr"));
	EXPECT_EQ(0, count_names("/sys/class/rumpchr"));
}

TEST_F(chardev, the_node_has_the_mode_it_is_given)
{
	struct stat st;
	int nr;

	ASSERT_EQ(0, table("/dev " F " chr mode=640,uid=3,gid=4"));
	ASSERT_EQ(0, stat(KEY, &st));
	EXPECT_EQ(S_IFCHR | 0640, st.st_mode);
	EXPECT_EQ(3, st.st_uid);
	EXPECT_EQ(4, st.st_gid);
	nr = device_nr(KEY);
	EXPECT_EQ(EACCES, AS_USER(1000, open_err(KEY, O_RDONLY)));
	EXPECT_EQ(0, AS_USER(3, open_err(KEY, O_RDWR)));
	EXPECT_EQ(EACCES, AS_USER(3, open_err(dev_of(nr), O_RDONLY)));

	/* What the host file allows is of no consequence. */
	ASSERT_EQ(0, chmod(F, 0600));
	EXPECT_EQ(0, AS_USER(3, get_bytes(KEY, buf, 16, 0) != 16));
}

TEST_F(chardev, follows_the_host_as_it_grows)
{
	int fd;

	ASSERT_EQ(0, table("/dev " F " chr offset=100"));
	ASSERT_EQ(0, table("/fixed " F " chr offset=100,size=%d", TOTAL - 100));
	fd = open(KEY, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, "x", 1, TOTAL - 100));
	EXPECT_EQ(ENOSPC, errno);
	ASSERT_EQ(0, truncate(F, TOTAL + 10));
	EXPECT_EQ(TOTAL - 90, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(TOTAL - 90, chr_bytes(KEY));
	EXPECT_EQ(TOTAL - 90, atoll(attr(device_nr(KEY), "size")));
	EXPECT_EQ(TOTAL - 100, chr_bytes(MNT "/fixed"));
	EXPECT_EQ(10, pwrite(fd, "0123456789more", 14, TOTAL - 100));
	EXPECT_EQ(TOTAL + 10, size_of(F));

	/* Where it ends early, so do both, and no write moves its end. */
	ASSERT_EQ(0, truncate(F, 1100));
	EXPECT_EQ(1000, chr_bytes(KEY));
	EXPECT_EQ(1000, chr_bytes(MNT "/fixed"));
	EXPECT_EQ(1000, get_bytes(MNT "/fixed", buf, TOTAL, 0));
	EXPECT_EQ(1, write_at(MNT "/fixed", "xy", 2, 999));
	EXPECT_EQ(-ENOSPC, write_at(MNT "/fixed", "x", 1, 1000));
	EXPECT_EQ(-ENOSPC, write_at(KEY, "x", 1, 1000));
	ASSERT_EQ(0, truncate(F, 50));
	EXPECT_EQ(0, chr_bytes(KEY));
	EXPECT_EQ(0, get_bytes(KEY, buf, 1, 0));
	EXPECT_EQ(50, size_of(F));
	close(fd);
}

/* As on a disk: there is no end to append at. */
TEST_F(chardev, append_is_ignored)
{
	int fd;

	ASSERT_EQ(0, table("/dev " F " chr\n/fixed " F " chr offset=8,size=8"));
	fd = open(KEY, O_WRONLY | O_APPEND | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(3, write(fd, "abc", 3));
	EXPECT_EQ(3, write(fd, "def", 3));
	close(fd);
	fd = open(MNT "/fixed", O_WRONLY | O_APPEND | O_CLOEXEC);
	EXPECT_EQ(8, write(fd, "ghijklmnop", 10));
	EXPECT_EQ(-1, write(fd, "q", 1));
	EXPECT_EQ(ENOSPC, errno);
	close(fd);
	EXPECT_EQ(16, get_bytes(F, buf, 16, 0));
	EXPECT_EQ(0, memcmp(buf, "abcdef", 6));
	EXPECT_EQ(0, memcmp(buf + 8, "ghijklmn", 8));
	EXPECT_EQ(0, fill_is(F, 16, TOTAL - 16, 0, SEED));
	EXPECT_EQ(TOTAL, size_of(F));
}

TEST_F(chardev, each_opener_has_a_position)
{
	int a, b;

	ASSERT_EQ(0, table("/dev " F " chr offset=1"));
	a = open(KEY, O_RDONLY | O_CLOEXEC);
	b = open(KEY, O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(1000, read(a, buf, 1000));
	EXPECT_EQ(1, read(b, buf, 1));
	EXPECT_EQ(fill_byte(1, SEED), buf[0]);
	EXPECT_EQ(1, read(a, buf, 1));
	EXPECT_EQ(fill_byte(1001, SEED), buf[0]);
	close(a);
	close(b);
}

TEST_F(chardev, shows_what_a_file_of_the_same_window_shows)
{
	unsigned char *map;
	int fd;

	ASSERT_EQ(0, table("/dev " F " chr offset=4097,size=10000\n"
			   "/reg " F " reg offset=4097,size=10000\n"
			   "/page " F " reg offset=4096,size=12288"));
	fd = open(MNT "/page", O_RDWR | O_CLOEXEC);
	map = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(5, write_at(KEY, "12345", 5, 5000));
	EXPECT_EQ(5, get_bytes(MNT "/reg", buf, 5, 5000));
	EXPECT_EQ(0, memcmp(buf, "12345", 5));
	EXPECT_EQ(0, memcmp(map + 5001, "12345", 5));
	ASSERT_EQ(5, write_at(MNT "/reg", "abcde", 5, 9995));
	EXPECT_EQ(5, get_bytes(KEY, buf, 10, 9995));
	EXPECT_EQ(0, memcmp(buf, "abcde", 5));
	map[101] = '#';
	EXPECT_EQ(1, get_bytes(KEY, buf, 1, 100));
	EXPECT_EQ('#', buf[0]);
	munmap(map, 12288);
	close(fd);
}

TEST_F(chardev, programs_read_and_write_it)
{
	ASSERT_EQ(0, table("/dev " F " chr offset=777,size=10001"));
	EXPECT_EQ(0, run("tail -c +778 %s | head -c 10001 >%s", F, HOST "/win"));
	EXPECT_EQ(0, run("cmp %s %s", KEY, HOST "/win"));
	EXPECT_EQ(0, run("[ \"$(od -An -tx1 -j 9999 %s)\" = \"$(od -An -tx1 -j 9999 %s)\" ]",
			 KEY, HOST "/win"));
	EXPECT_EQ(0, run("dd if=%s bs=1000 skip=2 count=3 | cmp - %s -i 0:2000 -n 3000",
			 KEY, HOST "/win"));
	EXPECT_EQ(0, run("printf hello | dd of=%s bs=1 seek=4000 conv=notrunc,fsync",
			 KEY));
	EXPECT_EQ(5, get_bytes(F, buf, 5, 4777));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));

	/* No space is left on the device, once it is full. */
	EXPECT_EQ(1, run("dd if=/dev/zero of=%s bs=1000", KEY));
	EXPECT_EQ(10001, get_bytes(F, buf, 10001, 777));
	EXPECT_EQ(-1, byte_differs(buf, 10001, 0));
	EXPECT_EQ(0, fill_is(F, 0, 777, 0, SEED));
	EXPECT_EQ(0, fill_is(F, 10778, TOTAL - 10778, 0, SEED));
}

TEST_F(chardev, direct_io_is_what_the_host_can)
{
	int fd;

	ASSERT_EQ(0, mount_ext4(HOST "/disk", HOST "/img", 16));
	ASSERT_EQ(0, fill(HOST "/disk/f", TOTAL, SEED));
	ASSERT_EQ(0, table("/dev " HOST "/disk/f chr offset=4096,size=65536\n"
			   "/odd " HOST "/disk/f chr offset=1"));
	fd = open(KEY, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(4096, pread(fd, buf, 4096, 8192));
	EXPECT_EQ(-1, fill_differs(buf, 4096, 12288, SEED));
	memset(buf, 0xcc, 4096);
	EXPECT_EQ(4096, pwrite(fd, buf, 4096, 61440));
	EXPECT_EQ(-1, pwrite(fd, buf, 4096, 65536));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(EINVAL, ERR(pread(fd, buf + 1, 4096, 0)));
	close(fd);
	EXPECT_EQ(4096, get_bytes(HOST "/disk/f", buf, 4096, 65536));
	EXPECT_EQ(-1, byte_differs(buf, 4096, 0xcc));
	EXPECT_EQ(0, fill_is(HOST "/disk/f", 0, 65536, 0, SEED));
	fd = open(MNT "/odd", O_RDONLY | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EINVAL, ERR(pread(fd, buf, 4096, 0)));
	close(fd);

	/* A host file that cannot says so at open, as it does itself. */
	ASSERT_EQ(0, table("=/dev " F " chr"));
	EXPECT_EQ(open_err(F, O_RDONLY | O_DIRECT),
		  open_err(KEY, O_RDONLY | O_DIRECT));
	ASSERT_EQ(0, table("flush"));
}

TEST_F(chardev, stands_on_a_block_device)
{
	char dev[64] = {};

	ASSERT_EQ(0, run("losetup -f --show " F " >" HOST "/name"));
	ASSERT_LT(0, get_bytes(HOST "/name", dev, sizeof(dev) - 1, 0));
	dev[strcspn(dev, "\n")] = '\0';
	EXPECT_EQ(0, table("/dev %s chr offset=1001,size=5000", dev)) {
		TH_LOG("last_error: %s", last_error());
	}
	EXPECT_EQ(5000, chr_bytes(KEY));
	EXPECT_EQ(0, fill_is(KEY, 0, 5000, 1001, SEED));
	EXPECT_EQ(3, write_at(KEY, "abcdef", 6, 4997));
	EXPECT_EQ(0, run("sync %s", dev));
	EXPECT_EQ(0, fill_is(F, 0, 5998, 0, SEED));
	EXPECT_EQ(3, get_bytes(F, buf, 3, 5998));
	EXPECT_EQ(0, memcmp(buf, "abc", 3));
	EXPECT_EQ(0, fill_is(F, 6001, TOTAL - 6001, 0, SEED));
	EXPECT_EQ(0, table("flush"));
	EXPECT_EQ(0, run("losetup -d %s", dev));
}

TEST_F(chardev, the_host_is_bound_for_good)
{
	ASSERT_EQ(0, table("/dev " F " chr"));
	ASSERT_EQ(0, put_text(HOST "/g", "other"));
	ASSERT_EQ(0, rename(HOST "/g", F));
	EXPECT_EQ(0, fill_is(KEY, 0, TOTAL, 0, SEED));

	/* Also without a path, for those who open it now. */
	ASSERT_EQ(0, unlink(F));
	EXPECT_TRUE(S_ISCHR(mode_of(KEY)));
	EXPECT_EQ(3, write_at(KEY, "abc", 3, 0));
	ASSERT_EQ(0, put_text(F, "a third"));
	EXPECT_EQ(TOTAL, get_bytes(KEY, buf, TOTAL, 0));
	EXPECT_EQ(0, memcmp(buf, "abc", 3));

	/* What no path restores is told as such, so that the table loads. */
	ASSERT_EQ(0, table("/other " F " reg"));
	EXPECT_EQ(NULL, row_of("/dev"));
	EXPECT_NE(NULL, strstr(table_rows(), "# unrestorable: ")) {
		TH_LOG("%s", table_rows());
	}
}

TEST_F(chardev, busy_removal_is_refused_to_an_open_device)
{
	int fd, path;

	ASSERT_EQ(0, table("/dev " F " chr\n/other " F " reg"));
	fd = open(KEY, O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(EBUSY, table("-/dev busy"));
	EXPECT_EQ(EBUSY, table("flush busy"));
	EXPECT_TRUE(row_has("/other", "rw"));
	close(fd);
	fd = open(dev_of(device_nr(KEY)), O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(EBUSY, table("-/dev busy"));
	path = open(KEY, O_PATH | O_CLOEXEC);
	close(fd);
	EXPECT_EQ(0, table("-/dev busy"));
	close(path);
}

TEST_F(chardev, lazy_removal_leaves_it_to_who_has_it_open)
{
	int nr, a, b;
	dev_t dev;

	ASSERT_EQ(0, table("/dev " F " chr"));
	nr = device_nr(KEY);
	dev = rdev_of(KEY);
	ASSERT_EQ(0, mknod(MNT "/mem", S_IFCHR | 0600, dev));
	ASSERT_EQ(0, mknod("/dev/rumpchr.test", S_IFCHR | 0600, dev));
	EXPECT_EQ(0, fill_is(MNT "/mem", 0, 100, 0, SEED));
	EXPECT_EQ(0, open_err("/dev/rumpchr.test", O_RDWR));
	a = open(KEY, O_RDWR | O_CLOEXEC);
	b = open(MNT "/mem", O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, table("-/dev lazy"));

	/* Gone for everyone else, by any name. */
	EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_EQ(ENOENT, stat_err(dev_of(nr)));
	EXPECT_EQ(ENXIO, open_err(MNT "/mem", O_RDONLY));
	EXPECT_EQ(ENXIO, open_err("/dev/rumpchr.test", O_RDWR));
	EXPECT_EQ(0, rows_are(""));

	/* Who has it open goes on. */
	EXPECT_EQ(512, pread(b, buf, 512, 8192));
	EXPECT_EQ(-1, fill_differs(buf, 512, 8192, SEED));
	EXPECT_EQ(1, pwrite(a, "x", 1, 0));
	EXPECT_EQ(0, fsync(a));
	EXPECT_EQ(1, get_bytes(F, buf, 1, 0));
	EXPECT_EQ('x', buf[0]);

	/* The name is free for another, the number is not. */
	ASSERT_EQ(0, table("/dev " F " chr ro"));
	EXPECT_NE(nr, device_nr(KEY));
	EXPECT_EQ(ENXIO, open_err(MNT "/mem", O_RDONLY));
	ASSERT_EQ(0, table("-/dev"));
	close(a);
	EXPECT_EQ(1, pread(b, buf, 1, 0));
	close(b);
	EXPECT_EQ(ENXIO, open_err(MNT "/mem", O_RDONLY));

	/* It is then: a node is a number, and the same device's nowhere. */
	ASSERT_EQ(0, table("/dev " F " chr ro"));
	EXPECT_TRUE(WAIT_FOR(!table("=/dev " F " chr ro") &&
			     rdev_of(KEY) == dev));
	EXPECT_EQ(0, open_err(MNT "/mem", O_RDONLY));
	EXPECT_EQ(EACCES, open_err("/dev/rumpchr.test", O_RDWR));
	unlink("/dev/rumpchr.test");
}

TEST_F(chardev, replaced_it_is_another_device)
{
	dev_t old;
	int fd;

	ASSERT_EQ(0, table("/dev " F " chr size=10"));
	ASSERT_EQ(0, fill(HOST "/g", 100, 9));
	old = rdev_of(KEY);
	fd = open(KEY, O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, table("=/dev " HOST "/g chr ro"));
	EXPECT_NE(old, rdev_of(KEY));
	EXPECT_EQ(100, chr_bytes(KEY));
	EXPECT_EQ(0, fill_is(KEY, 0, 100, 0, 9));
	EXPECT_EQ(10, read(fd, buf, 100));
	EXPECT_EQ(-1, fill_differs(buf, 10, 0, SEED));
	close(fd);

	/* By another kind, and back. */
	ASSERT_EQ(0, table("=/dev " F " reg"));
	EXPECT_TRUE(S_ISREG(mode_of(KEY)));
	ASSERT_EQ(0, table("=/dev " F " chr"));
	EXPECT_EQ(0, fill_is(KEY, 0, TOTAL, 0, SEED));
	EXPECT_EQ(1, count_names("/sys/class/rumpchr"));
}

TEST_F(chardev, there_are_more_than_a_thousand)
{
	static char text[4096];
	static bool seen[MANY];
	const int many = turns(MANY);
	char path[64];
	size_t len = 0;
	int i, nr;

	for (i = 0; i < many; i++) {
		len += sprintf(text + len, "/many/%d " F " chr offset=%d\n", i,
			       i);
		if (len < 4000 && i < many - 1)
			continue;
		ASSERT_EQ(0, table_write(text, len)) {
			TH_LOG("at %d: %s", i, last_error());
		}
		len = 0;
	}
	EXPECT_EQ(many, count_names("/sys/class/rumpchr"));
	for (i = 0; i < many; i++) {
		snprintf(path, sizeof(path), MNT "/many/%d", i);
		ASSERT_EQ(1, get_bytes(path, buf, 1, 0));
		ASSERT_EQ(fill_byte(i, SEED), buf[0]);
		nr = device_nr(path);
		ASSERT_LE(0, nr);
		ASSERT_GT(many, nr);
		ASSERT_FALSE(seen[nr]);
		seen[nr] = true;
	}
	ASSERT_EQ(0, table("flush busy"));
	EXPECT_EQ(0, count_names("/sys/class/rumpchr"));
	EXPECT_EQ(ENOENT, stat_err(dev_of(many - 1)));
}

/* Until it is killed: one number, now a public key's, now a private one's. */
static void take_turns(void)
{
	for (;;) {
		table("/dev " HOST "/public chr mode=0666");
		table("-/dev");
		table("/private " HOST "/private chr mode=0600");
		table("-/private");
	}
}

TEST_F(chardev, an_open_is_of_no_other_key_of_that_number)
{
	pid_t pid;

	ASSERT_EQ(0, put_text(HOST "/public", "public"));
	ASSERT_EQ(0, put_text(HOST "/private", "private"));
	pid = start(take_turns);
	EXPECT_EQ(0, AS_USER(1000, never_read(KEY, "private", 3000)));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_HARNESS_MAIN
