// SPDX-License-Identifier: GPL-2.0
/* Short reads of a key, of whatever the host has there, as the host file's own. */

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/fixture.h"
#include "lib/together.h"

#define F HOST "/disk/f"
#define KEY MNT "/k"
#define PAGE 4096
#define PAGES 600
#define SEED 7

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN _IOR('X', 125, __u32)
#endif

FIXTURE(paged)
{
	int host;
	int key;
};

FIXTURE_VARIANT(paged)
{
	const char *kind;
	const char *options;	/* of its mount */
	off_t offset;		/* of the window, pages */
};

FIXTURE_VARIANT_ADD(paged, tmpfs) { .kind = "tmpfs" };
FIXTURE_VARIANT_ADD(paged, window_on_tmpfs) { .kind = "tmpfs", .offset = 1 };
FIXTURE_VARIANT_ADD(paged, huge_tmpfs) {
	.kind = "tmpfs", .options = "huge=always" };
FIXTURE_VARIANT_ADD(paged, ext4) { .kind = "ext4" };
FIXTURE_VARIANT_ADD(paged, window_on_ext4) { .kind = "ext4", .offset = 1 };
FIXTURE_VARIANT_ADD(paged, xfs) { .kind = "xfs" };
FIXTURE_VARIANT_ADD(paged, btrfs) { .kind = "btrfs" };

FIXTURE_SETUP(paged)
{
	ASSERT_EQ(0, setup_mount(NULL));
	if (!has_kind(variant->kind))
		SKIP(return, "no %s here", variant->kind);
	ASSERT_EQ(0, mount_kind(variant->kind, HOST "/disk"));
	if (variant->options)
		ASSERT_EQ(0, ERR(mount(NULL, HOST "/disk", NULL, MS_REMOUNT,
				       variant->options)));
	ASSERT_EQ(0, fill(F, PAGES * PAGE, SEED));
	ASSERT_EQ(0, table("/k " F " reg offset=%lld",
			   (long long)variant->offset * PAGE));
	self->host = open(F, O_RDWR);
	self->key = open(KEY, O_RDWR);
	ASSERT_LE(0, self->host);
	ASSERT_LE(0, self->key);
}

FIXTURE_TEARDOWN(paged)
{
	close(self->host);
	close(self->key);
	EXPECT_STREQ("", complaint);
	teardown_mount();
}

/* Both files say the same of size bytes at pos. Return: -1 if not, and errno. */
static ssize_t same(int host, int key, off_t offset, size_t size, off_t pos)
{
	static char is[2 * PAGE], should[2 * PAGE];
	ssize_t n, want;
	int err;

	want = pread(host, should, size, pos + offset * PAGE);
	err = want < 0 ? errno : 0;
	n = pread(key, is, size, pos);
	if (n != want || (n < 0 && errno != err) ||
	    (n > 0 && memcmp(is, should, n))) {
		fprintf(stderr, "# %zd bytes at %lld: %zd, not %zd\n", size,
			(long long)pos, n, want);
		return -1;
	}
	errno = err;
	return n;
}

#define SAME(size, pos) same(self->host, self->key, variant->offset, size, pos)

TEST_F(paged, any_part_of_a_page)
{
	static const int at[] = { 0, 1, 100, 2048, 4000, 4095 };
	static const int sizes[] = { 1, 96, 97, 2048, 4095, 4096, 4097 };
	unsigned int i, j, page;

	for (page = 0; page < PAGES - 2; page += 199)
		for (i = 0; i < ARRAY_SIZE(at); i++)
			for (j = 0; j < ARRAY_SIZE(sizes); j++)
				EXPECT_EQ(sizes[j], SAME(sizes[j],
							 page * PAGE + at[i]));
	EXPECT_EQ(0, SAME(0, 0));
}

TEST_F(paged, the_end)
{
	off_t size = (PAGES - variant->offset) * PAGE;

	EXPECT_EQ(1, SAME(100, size - 1));
	EXPECT_EQ(0, SAME(100, size));
	EXPECT_EQ(0, SAME(100, size + PAGE));
	/* Within its only page, too. */
	ASSERT_EQ(0, ftruncate(self->host, variant->offset * PAGE + 10));
	EXPECT_EQ(10, SAME(100, 0));
	EXPECT_EQ(1, SAME(100, 9));
	EXPECT_EQ(0, SAME(100, 10));
	/* What was cut off does not come back. */
	ASSERT_EQ(0, ftruncate(self->host, (PAGES + 1) * PAGE));
	EXPECT_EQ(100, SAME(100, 0));
	EXPECT_EQ(100, SAME(100, PAGE));
	EXPECT_EQ(100, SAME(100, size));
}

TEST_F(paged, holes_and_what_is_only_allocated)
{
	const int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	EXPECT_EQ(100, SAME(100, PAGE));
	ASSERT_EQ(0, fallocate(self->host, punch, (variant->offset + 1) * PAGE,
			       PAGE));
	EXPECT_EQ(100, SAME(100, PAGE));
	EXPECT_EQ(PAGE, SAME(PAGE, PAGE));
	EXPECT_EQ(100, SAME(100, 2 * PAGE));
	ASSERT_EQ(0, fallocate(self->host, 0, PAGES * PAGE, 2 * PAGE));
	EXPECT_EQ(100, SAME(100, (PAGES - variant->offset) * PAGE));
	EXPECT_EQ(PAGE, SAME(PAGE, (PAGES + 1 - variant->offset) * PAGE));
}

TEST_F(paged, memory_that_faults)
{
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(page + PAGE, PAGE));
	EXPECT_EQ(EFAULT, ERR(pread(self->key, page + PAGE, 100, 0)));
	EXPECT_EQ(pread(self->host, page + PAGE - 10, 100,
			variant->offset * PAGE),
		  pread(self->key, page + PAGE - 10, 100, 0));
	munmap(page, PAGE);
}

TEST_F(paged, bad_memory)
{
	const off_t pos = variant->offset * PAGE;
	char *map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->host, 0);
	char byte[1];
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, map);
	pid = fork();
	if (!pid) {
		map[pos + PAGE] = 'x';
		_exit(madvise(map + pos + PAGE, PAGE, MADV_HWPOISON) &&
		      errno == EINVAL);
	}
	status = wait_status(pid);
	munmap(map, PAGES * PAGE);
	if (status == 1)
		SKIP(return, "no memory failure in this kernel");
	/* Others have it on disk. */
	EXPECT_EQ(strcmp(variant->kind, "tmpfs") ? 0 : EIO,
		  ERR(pread(self->key, byte, 1, PAGE)));
	EXPECT_EQ(100, SAME(100, 0));
	EXPECT_EQ(100, SAME(100, 3 * PAGE));
	/* Of a folio the host may refuse all, or the page. */
	EXPECT_EQ(100, SAME(100, (PAGES - 2) * PAGE));
}

/* Return: 1 if atime has moved, 0 if not; it is set to this before. -1: neither. */
static int reading_moves(int host, int key, time_t seconds)
{
	const struct timespec ts[2] = { { .tv_sec = seconds },
					{ .tv_sec = 1000000 } };
	struct stat st;
	char byte;

	if (futimens(host, ts) || pread(key, &byte, 1, 0) != 1 ||
	    fstat(host, &st))
		return -1;
	return st.st_atime != seconds;
}

/* The change of the times is a change, too: it is before any later access. */
TEST_F(paged, access_is_noted_as_the_host_does)
{
	time_t now = time(NULL), soon = now + 1000;

	/* Before the last change of its bytes, or of the rest. */
	EXPECT_EQ(1, reading_moves(self->host, self->key, 999999));
	EXPECT_EQ(1, reading_moves(self->host, self->key, 1000001));
	/* After both, not long ago. */
	EXPECT_EQ(0, reading_moves(self->host, self->key, soon));
	ASSERT_EQ(0, ERR(mount(NULL, HOST "/disk", NULL,
			       MS_REMOUNT | MS_BIND | MS_NOATIME, NULL)));
	EXPECT_EQ(0, reading_moves(self->host, self->key, 999999));
	ASSERT_EQ(0, ERR(mount(NULL, HOST "/disk", NULL,
			       MS_REMOUNT | MS_BIND | MS_STRICTATIME, NULL)));
	EXPECT_EQ(1, reading_moves(self->host, self->key, soon));
}

/* The file system may be without its disk from one moment to the next. */
TEST_F(paged, a_host_that_is_shut_down)
{
	const __u32 without_log = 2;
	char byte[1];
	int err;

	EXPECT_EQ(100, SAME(100, 0));
	err = ERR(ioctl(self->host, FS_IOC_SHUTDOWN, &without_log));
	if (err == ENOTTY)
		SKIP(return, "%s is not shut down", variant->kind);
	ASSERT_EQ(0, err);
	EXPECT_EQ(EIO, ERR(pread(self->host, byte, 1, 0)));
	EXPECT_EQ(EIO, ERR(pread(self->key, byte, 1, 0)));
	EXPECT_EQ(EIO, ERR(pread(self->key, byte, 1, PAGE + 10)));
}

/* Read in order, each page is there before it is asked for, but the first. */
static int reads_ahead(const char *path, int host)
{
	unsigned char *map, is_there = 1;
	int fd = open(path, O_RDONLY), i;
	char buf[PAGE / 4];

	map = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_SHARED, host, 0);
	if (map == MAP_FAILED || fsync(host) ||
	    posix_fadvise(host, 0, 0, POSIX_FADV_DONTNEED))
		return errno;
	for (i = 0; i < 64 * 4 && is_there & 1; i++) {
		if (pread(fd, buf, sizeof(buf), i * sizeof(buf)) <= 0)
			return errno;
		if (i % 4 == 3)
			WAIT_FOR(!mincore(map + (i + 1) / 4 * PAGE, PAGE,
					  &is_there) && is_there & 1);
	}
	munmap(map, PAGES * PAGE);
	close(fd);
	return is_there & 1 ? 0 : ENODATA;
}

TEST_F(paged, is_read_ahead_as_the_host_file_is)
{
	if (variant->offset)
		return;
	/* Of large folios it is too late for this in the first. */
	if (reads_ahead(F, self->host) == ENODATA)
		SKIP(return, "%s itself does not", variant->kind);
	EXPECT_EQ(0, reads_ahead(KEY, self->host));
	/* By a file that is kept open, too. */
	EXPECT_EQ(0, reads_ahead(KEY, self->host));
}

static int racing_host, racing_key;

static void *cut_and_grow(void *arg)
{
	char page[PAGE];
	int turn;

	memset(page, 'a', sizeof(page));
	for (turn = 0; turn < (is_sanitized() ? 1000 : 3000); turn++) {
		if (pwrite(racing_host, page, PAGE, 0) != PAGE)
			complain("write: %d", errno);
		if (ftruncate(racing_host, 100) || ftruncate(racing_host, PAGE))
			complain("truncate: %d", errno);
		if (turn % 7 == 0 && ftruncate(racing_host, 0))
			complain("truncate: %d", errno);
	}
	return NULL;
}

/* There is 'a' where it was written, zero where it was cut, nothing else. */
static void *read_short(void *arg)
{
	char buf[200];
	ssize_t n;
	int i;

	while (going_on()) {
		memset(buf, 'x', sizeof(buf));
		n = pread(racing_key, buf, sizeof(buf), 0);
		if (n < 0)
			complain("read: %d", errno);
		for (i = 0; i < (int)sizeof(buf); i++) {
			if (i < n ? buf[i] && buf[i] != 'a' : buf[i] != 'x')
				complain("byte %d of %zd is %d", i, n, buf[i]);
		}
	}
	return NULL;
}

TEST_F(paged, races_with_what_cuts_it)
{
	void *(*workers[])(void *) = { cut_and_grow };
	void *(*watchers[])(void *) = { read_short, read_short };

	if (variant->offset)
		return;
	racing_host = self->host;
	racing_key = self->key;
	ASSERT_EQ(0, ftruncate(self->host, 0));
	together(workers, 1, watchers, 2);
}

TEST_HARNESS_MAIN
