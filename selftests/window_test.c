// SPDX-License-Identifier: GPL-2.0
/* Bytes of a host file read and written through a key, and not one beside them. */

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "lib/fixture.h"

/*
 * The host file and the window in it. What stands before and after the window
 * must never change, whatever is done to the key.
 *
 *	0          offset         offset+size          TOTAL
 *	|##########|...............|####################|
 */
#define TOTAL 65536
#define SEED 3
#define KEY MNT "/k"

static unsigned char buf[2 * TOTAL];

FIXTURE(window)
{
	char host[64];
	off_t size;		/* of the key */
};

FIXTURE_VARIANT(window)
{
	off_t offset;
	off_t size; /* 0: to the end of the host file, following it */
	bool on_disk;
};

FIXTURE_VARIANT_ADD(window, whole) { .offset = 0 };
FIXTURE_VARIANT_ADD(window, aligned) { .offset = 8192, .size = 16384 };
FIXTURE_VARIANT_ADD(window, odd) { .offset = 12345, .size = 9999 };
FIXTURE_VARIANT_ADD(window, odd_to_the_end) { .offset = 777 };
FIXTURE_VARIANT_ADD(window, one_byte) { .offset = 4095, .size = 1 };
FIXTURE_VARIANT_ADD(window, up_to_the_end) { .offset = 60000, .size = 5536 };
FIXTURE_VARIANT_ADD(window, whole_on_ext4) { .offset = 0, .on_disk = true };
FIXTURE_VARIANT_ADD(window, odd_on_ext4) { .offset = 511, .size = 7777, .on_disk = true };

FIXTURE_SETUP(window)
{
	ASSERT_EQ(0, setup_mount(NULL));
	if (variant->on_disk)
		ASSERT_EQ(0, mount_ext4(HOST "/disk", HOST "/img", 8));
	strcpy(self->host, variant->on_disk ? HOST "/disk/f" : HOST "/f");
	ASSERT_EQ(0, fill(self->host, TOTAL, SEED));
	if (variant->size) {
		ASSERT_EQ(0, table("/k %s reg offset=%lld,size=%lld",
				   self->host, (long long)variant->offset,
				   (long long)variant->size));
	} else {
		ASSERT_EQ(0, table("/k %s reg offset=%lld", self->host,
				   (long long)variant->offset));
	}
	self->size = variant->size ?: TOTAL - variant->offset;
}

FIXTURE_TEARDOWN(window)
{
	off_t end = variant->offset + variant->size;

	/* The canaries, whatever the test did. */
	EXPECT_EQ(0, fill_is(self->host, 0, variant->offset, 0, SEED));
	if (variant->size) {
		EXPECT_EQ(TOTAL, size_of(self->host));
		EXPECT_EQ(0, fill_is(self->host, end, TOTAL - end, 0, SEED));
	}
	teardown_mount();
}

TEST_F(window, shows_its_bytes)
{
	EXPECT_EQ(self->size, size_of(KEY));
	EXPECT_EQ(0, fill_is(KEY, 0, self->size, variant->offset, SEED));
	EXPECT_EQ(self->size, get_bytes(KEY, buf, sizeof(buf), 0));
}

TEST_F(window, reads_stop_at_the_end)
{
	off_t size = self->size;
	int fd = open(KEY, O_RDONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(size, pread(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(1, pread(fd, buf, sizeof(buf), size - 1));
	EXPECT_EQ(-1, fill_differs(buf, 1, variant->offset + size - 1, SEED));
	EXPECT_EQ(0, pread(fd, buf, sizeof(buf), size));
	EXPECT_EQ(0, pread(fd, buf, sizeof(buf), size + 1));
	EXPECT_EQ(0, pread(fd, buf, sizeof(buf), 1LL << 40));
	EXPECT_EQ(0, pread(fd, buf, TOTAL, INT64_MAX - 4 * TOTAL));
	EXPECT_EQ(0, pread(fd, buf, 0, 0));
	EXPECT_EQ(EINVAL, ERR(pread(fd, buf, 1, -1)));

	/* By the file's own position, in odd pieces. */
	for (size = 0; size < self->size; ) {
		ssize_t got = read(fd, buf, 1001);

		ASSERT_LT(0, got);
		ASSERT_EQ(-1,
			  fill_differs(buf, got, variant->offset + size, SEED));
		size += got;
		ASSERT_EQ(size, lseek(fd, 0, SEEK_CUR));
	}
	EXPECT_EQ(self->size, size);
	EXPECT_EQ(0, read(fd, buf, 1));
	close(fd);
}

TEST_F(window, writes_reach_the_host)
{
	off_t size = self->size;
	int fd = open(KEY, O_RDWR);

	ASSERT_LE(0, fd);
	memset(buf, 0, sizeof(buf));
	EXPECT_EQ(1, pwrite(fd, buf, 1, 0));
	EXPECT_EQ(1, pwrite(fd, buf, 1, size - 1));
	EXPECT_EQ(1, get_bytes(self->host, buf, 1, variant->offset));
	EXPECT_EQ(0, buf[0]);
	EXPECT_EQ(1, get_bytes(self->host, buf, 1, variant->offset + size - 1));
	EXPECT_EQ(0, buf[0]);
	if (size > 2) {
		EXPECT_EQ(0, fill_is(self->host, variant->offset + 1, size - 2,
				     0, SEED));
	}

	/* All of it at once, and read back at both ends. */
	memset(buf, 0xaa, sizeof(buf));
	EXPECT_EQ(size, pwrite(fd, buf, size, 0));
	EXPECT_EQ(size, get_bytes(self->host, buf, size, variant->offset));
	EXPECT_EQ(-1, byte_differs(buf, size, 0xaa));
	EXPECT_EQ(size, get_bytes(KEY, buf, sizeof(buf), 0));
	EXPECT_EQ(-1, byte_differs(buf, size, 0xaa));
	EXPECT_EQ(size, size_of(KEY));
	EXPECT_EQ(0, fsync(fd));
	EXPECT_EQ(0, fdatasync(fd));
	close(fd);
}

TEST_F(window, what_the_host_writes_is_read)
{
	int fd = open(KEY, O_RDONLY), host = open(self->host, O_RDWR);

	ASSERT_EQ(1, pread(fd, buf, 1, 0));
	ASSERT_EQ(1, pwrite(host, "\0", 1, variant->offset));
	ASSERT_EQ(1, pread(fd, buf, 1, 0));
	EXPECT_EQ(0, buf[0]);
	close(host);
	close(fd);
}

TEST_F(window, writes_are_cut_at_a_fixed_end)
{
	off_t size = self->size;
	int fd = open(KEY, O_RDWR);

	memset(buf, 0x55, sizeof(buf));
	if (!variant->size) {
		/* A window that follows the host makes it grow. */
		EXPECT_EQ(100, pwrite(fd, buf, 100, size - 1));
		EXPECT_EQ(TOTAL + 99, size_of(self->host));
		EXPECT_EQ(size + 99, size_of(KEY));
		close(fd);
		return;
	}
	EXPECT_EQ(1, pwrite(fd, buf, 100, size - 1));
	EXPECT_EQ(size, pwrite(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(ENOSPC, ERR(pwrite(fd, buf, 1, size)));
	EXPECT_EQ(ENOSPC, ERR(pwrite(fd, buf, 100, size + 1)));
	EXPECT_EQ(ENOSPC, ERR(pwrite(fd, buf, 100, TOTAL)));
	EXPECT_EQ(ENOSPC, ERR(pwrite(fd, buf, 100, 1LL << 40)));
	EXPECT_EQ(0, pwrite(fd, buf, 0, size));
	EXPECT_EQ(size, size_of(KEY));

	/* The position goes as far as the write came. */
	EXPECT_EQ(size - 1, lseek(fd, size - 1, SEEK_SET));
	EXPECT_EQ(1, write(fd, buf, 10));
	EXPECT_EQ(size, lseek(fd, 0, SEEK_CUR));
	EXPECT_EQ(ENOSPC, ERR(write(fd, buf, 10)));
	close(fd);
}

TEST_F(window, append_goes_to_the_end)
{
	int fd = open(KEY, O_WRONLY | O_APPEND);

	ASSERT_LE(0, fd);
	if (variant->size) {
		EXPECT_EQ(ENOSPC, ERR(write(fd, "appended", 8)));
		EXPECT_EQ(ENOSPC, ERR(pwrite(fd, "appended", 8, 0)));
		EXPECT_EQ(0,
			  fill_is(KEY, 0, self->size, variant->offset, SEED));
		close(fd);
		return;
	}
	EXPECT_EQ(8, write(fd, "appended", 8));
	EXPECT_EQ(self->size + 8, lseek(fd, 0, SEEK_CUR));
	EXPECT_EQ(TOTAL + 8, size_of(self->host));

	/* Behind what the host itself appends. */
	ASSERT_EQ(0, run("printf more >>%s", self->host));
	EXPECT_EQ(2, write(fd, "!!", 2));
	EXPECT_EQ(TOTAL + 14, size_of(self->host));
	EXPECT_EQ(14, get_bytes(KEY, buf, sizeof(buf), self->size));
	EXPECT_EQ(0, memcmp(buf, "appendedmore!!", 14));
	close(fd);

	/* O_APPEND taken back is taken back on the host too. */
	fd = open(KEY, O_WRONLY | O_APPEND);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
	EXPECT_EQ(1, pwrite(fd, "x", 1, 0));
	EXPECT_EQ(TOTAL + 14, size_of(self->host));
	close(fd);
}

TEST_F(window, truncate_works_or_is_refused)
{
	off_t size = self->size;

	if (variant->size) {
		EXPECT_EQ(EINVAL, ERR(truncate(KEY, size - 1)));
		EXPECT_EQ(EINVAL, ERR(truncate(KEY, size + 1)));
		EXPECT_EQ(EINVAL, ERR(truncate(KEY, 0)));
		EXPECT_EQ(0, ERR(truncate(KEY, size)));

		/* O_TRUNC is ignored, as on a block device. */
		EXPECT_EQ(0, open_err(KEY, O_WRONLY | O_TRUNC));
		EXPECT_EQ(0, fill_is(KEY, 0, size, variant->offset, SEED));
		return;
	}
	EXPECT_EQ(0, ERR(truncate(KEY, size - 10)));
	EXPECT_EQ(TOTAL - 10, size_of(self->host));
	EXPECT_EQ(size - 10, size_of(KEY));
	EXPECT_EQ(0, ERR(truncate(KEY, size)));
	EXPECT_EQ(TOTAL, size_of(self->host));
	EXPECT_EQ(10, get_bytes(KEY, buf, sizeof(buf), size - 10));
	EXPECT_EQ(-1, byte_differs(buf, 10, 0));
	EXPECT_EQ(0, open_err(KEY, O_WRONLY | O_TRUNC));
	EXPECT_EQ(variant->offset, size_of(self->host));
	EXPECT_EQ(0, size_of(KEY));
	EXPECT_EQ(0, put_text(KEY, "new"));
	EXPECT_EQ(variant->offset + 3, size_of(self->host));
}

TEST_F(window, ends_are_where_they_are_for_seek)
{
	off_t size = self->size;
	int fd = open(KEY, O_RDONLY);

	EXPECT_EQ(size, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(0, lseek(fd, -size, SEEK_END));
	EXPECT_EQ(size + 5, lseek(fd, 5, SEEK_END));
	EXPECT_EQ(EINVAL, ERR(lseek(fd, -size - 1, SEEK_END)));
	EXPECT_EQ(EINVAL, ERR(lseek(fd, -1, SEEK_SET)));

	/* All of it is data; the hole begins at the end. */
	EXPECT_EQ(0, lseek(fd, 0, SEEK_DATA));
	EXPECT_EQ(size - 1, lseek(fd, size - 1, SEEK_DATA));
	EXPECT_EQ(size, lseek(fd, 0, SEEK_HOLE));
	EXPECT_EQ(ENXIO, ERR(lseek(fd, size, SEEK_DATA)));
	EXPECT_EQ(ENXIO, ERR(lseek(fd, size, SEEK_HOLE)));
	close(fd);
}

TEST_F(window, sendfile_stops_at_the_end)
{
	int in = open(KEY, O_RDONLY),
	    out = open(HOST "/out", O_RDWR | O_CREAT, 0644);
	ssize_t got, sum = 0;

	while ((got = sendfile(out, in, NULL, sizeof(buf))) > 0)
		sum += got;
	EXPECT_EQ(0, got);
	EXPECT_EQ(self->size, sum);
	EXPECT_EQ(self->size, size_of(HOST "/out"));
	EXPECT_EQ(0,
		  fill_is(HOST "/out", 0, self->size, variant->offset, SEED));
	close(in);
	close(out);
}

TEST_F(window, splice_stops_at_the_end)
{
	int in = open(KEY, O_RDWR), ends[2];
	loff_t pos = self->size - 1;

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(1, splice(in, &pos, ends[1], NULL, 4096, 0));
	EXPECT_EQ(0, splice(in, &pos, ends[1], NULL, 4096, SPLICE_F_NONBLOCK));
	pos = 1LL << 40;
	EXPECT_EQ(0, splice(in, &pos, ends[1], NULL, 4096, SPLICE_F_NONBLOCK));
	EXPECT_EQ(1, read(ends[0], buf, 4096));
	EXPECT_EQ(-1,
		  fill_differs(buf, 1, variant->offset + self->size - 1, SEED));

	/* Into the key: as a write is. */
	memset(buf, 0x77, 4096);
	ASSERT_EQ(4096, write(ends[1], buf, 4096));
	pos = self->size - 1;
	EXPECT_EQ(variant->size ? 1 : 4096,
		  splice(ends[0], NULL, in, &pos, 4096, 0));
	EXPECT_EQ(1, pread(in, buf, 1, self->size - 1));
	EXPECT_EQ(0x77, buf[0]);
	if (variant->size)
		EXPECT_EQ(ENOSPC, ERR(splice(ends[0], NULL, in, &pos, 100, 0)));
	close(in);
	close(ends[0]);
	close(ends[1]);
}

TEST_F(window, copy_file_range_stops_at_the_end)
{
	int in = open(KEY, O_RDWR),
	    out = open(HOST "/out", O_RDWR | O_CREAT, 0644);
	loff_t from = 0, to = 0;
	ssize_t got, sum = 0;

	while ((got = copy_file_range(in, &from, out, &to, sizeof(buf), 0)) > 0)
		sum += got;
	if (got < 0 && errno == EXDEV) {
		/* Between file systems of different kinds: the caller copies. */
		EXPECT_EQ(0, sum);
		sum = sendfile(out, in, NULL, sizeof(buf));
	}
	EXPECT_EQ(self->size, sum);
	EXPECT_EQ(self->size, size_of(HOST "/out"));
	EXPECT_EQ(0,
		  fill_is(HOST "/out", 0, self->size, variant->offset, SEED));

	/* The other way the canaries tell. */
	ASSERT_EQ(0, fill(HOST "/out", TOTAL, 9));
	from = 0;
	to = self->size - 1;
	got = copy_file_range(out, &from, in, &to, 4096, 0);
	EXPECT_TRUE((got < 0 && errno == EXDEV) ||
		    got == (variant->size ? 1 : 4096));
	close(in);
	close(out);
}

/* Space is taken and given back inside the window, and nothing is moved. */
TEST_F(window, fallocate_stops_at_the_end)
{
	const int keep = FALLOC_FL_KEEP_SIZE;
	const int punch = FALLOC_FL_PUNCH_HOLE | keep;
	off_t size = self->size, half = size / 2;
	int fd = open(KEY, O_RDWR);

	EXPECT_EQ(0, ERR(fallocate(fd, 0, 0, size)));
	EXPECT_EQ(0, fill_is(KEY, 0, size, variant->offset, SEED));
	EXPECT_EQ(EOPNOTSUPP,
		  ERR(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE)));
	EXPECT_EQ(EOPNOTSUPP,
		  ERR(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, PAGE)));
	if (variant->size) {
		EXPECT_EQ(ENOSPC, ERR(fallocate(fd, 0, 0, size + 1)));
		EXPECT_EQ(ENOSPC, ERR(fallocate(fd, keep, size, 1)));
		/* A hole past the end is none. */
		EXPECT_EQ(0, ERR(fallocate(fd, punch, size, TOTAL)));
	} else {
		EXPECT_EQ(0, ERR(fallocate(fd, 0, size, 100)));
		EXPECT_EQ(size + 100, size_of(KEY));
		EXPECT_EQ(TOTAL + 100, size_of(self->host));
	}
	EXPECT_EQ(0, ERR(fallocate(fd, punch, half, TOTAL)));
	EXPECT_EQ(0, fill_is(KEY, 0, half, variant->offset, SEED));
	EXPECT_EQ(size - half, pread(fd, buf, size - half, half));
	EXPECT_EQ(-1, byte_differs(buf, size - half, 0));
	close(fd);
}

TEST_F(window, vectors_are_cut_as_well)
{
	struct iovec iov[3] = { { buf, 3000 },
				{ buf + 3000, 5000 },
				{ buf + 8000, TOTAL } };
	int fd = open(KEY, O_RDWR);

	EXPECT_EQ(self->size, preadv(fd, iov, 3, 0));
	EXPECT_EQ(-1, fill_differs(buf, self->size, variant->offset, SEED));
	if (variant->size) {
		memset(buf, 1, sizeof(buf));
		EXPECT_EQ(self->size, pwritev(fd, iov, 3, 0));
		EXPECT_EQ(ENOSPC, ERR(pwritev(fd, iov, 3, self->size)));
	}
	close(fd);
}

TEST_F(window, memory_that_faults_is_efault)
{
	void *gone =
		mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(KEY, O_RDWR);

	EXPECT_EQ(EFAULT, ERR(pread(fd, gone, 1, 0)));
	EXPECT_EQ(EFAULT, ERR(pwrite(fd, gone, 1, 0)));
	EXPECT_EQ(0, fill_is(KEY, 0, self->size, variant->offset, SEED));
	close(fd);
}

TEST_F(window, nobody_has_a_lease_that_the_host_would_not_break)
{
	int fd = open(KEY, O_RDONLY);

	EXPECT_EQ(EINVAL, ERR(fcntl(fd, F_SETLEASE, F_RDLCK)));
	EXPECT_EQ(F_UNLCK, fcntl(fd, F_GETLEASE));
	close(fd);
}

TEST_HARNESS_MAIN
