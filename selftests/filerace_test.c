// SPDX-License-Identifier: GPL-2.0
/* One memory file, used in every way at once. */

#include <linux/falloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include "lib/fixture.h"
#include "lib/together.h"

#define FILE_A MNT "/a"
#define SOURCE HOST "/source"
#define PAGES 96
#define LEN ((off_t)PAGES * PAGE)
#define SEED 7
#define TURNS 1000

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

FIXTURE(filerace)
{
	struct statvfs empty;
};

FIXTURE_SETUP(filerace)
{
	ASSERT_EQ(0, setup_mount("size=16M,nr_inodes=1000"));
	ASSERT_EQ(0, statvfs(MNT, &self->empty));
	ASSERT_EQ(0, fill(SOURCE, LEN, SEED));
	ASSERT_EQ(0, put_text(FILE_A, ""));
}

FIXTURE_TEARDOWN(filerace)
{
	EXPECT_EQ(0, strcmp("", complaint)) {
		TH_LOG("%s", complaint);
	}
	teardown_mount();
}

static long used(void)
{
	struct statvfs st = {};

	statvfs(MNT, &st);
	return st.f_blocks - st.f_bfree;
}

static long pages_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : st.st_blocks * 512L / PAGE;
}

/* Where a byte is neither zero nor what belongs there, or -1. */
static long stranger(const char *buf, size_t len, off_t pos)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (buf[i] && (unsigned char)buf[i] != fill_byte(pos + i, SEED))
			return pos + i;
	return -1;
}

/* A range that ends within the file's greatest length. */
static off_t range(unsigned int *seed, size_t most, size_t *len)
{
	off_t pos = next(seed) % LEN;

	*len = 1 + next(seed) % most;
	if (*len > LEN - pos)
		*len = LEN - pos;
	return pos;
}

static void *write_it(void *arg)
{
	int fd = open(FILE_A, O_RDWR), source = open(SOURCE, O_RDONLY);
	unsigned int seed = 100 + (long)arg;
	char buf[5 * PAGE];
	size_t len;
	int turn;

	for (turn = 0; turn < TURNS; turn++) {
		off_t pos = range(&seed, sizeof(buf), &len);

		pread(source, buf, len, pos);
		if (pwrite(fd, buf, len, pos) != (ssize_t)len)
			complain("write: %d", errno);
	}
	close(fd);
	close(source);
	return NULL;
}

static void *cut_it(void *arg)
{
	const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		is_rumpfs() ? FALLOC_FL_ZERO_RANGE : 0,
	};
	unsigned int seed = 200 + (long)arg;
	int fd = open(FILE_A, O_RDWR), turn;
	size_t len;

	for (turn = 0; turn < TURNS; turn++) {
		off_t pos = range(&seed, 20 * PAGE, &len);
		unsigned int what = next(&seed) % 6;

		if (what < 4 ? fallocate(fd, modes[what], pos, len) :
			       ftruncate(fd, what == 4 ? pos : LEN))
			complain("cut %u: %d", what, errno);
	}
	close(fd);
	return NULL;
}

/* Store through a mapping, by a system call, which has EFAULT for SIGBUS. */
static void *store_to_it(void *arg)
{
	int fd = open(FILE_A, O_RDWR), source = open(SOURCE, O_RDONLY);
	unsigned int seed = 300 + (long)arg;
	size_t len;
	char *map;
	int turn;

	for (turn = 0; turn < TURNS; turn++) {
		off_t pos = range(&seed, 3 * PAGE, &len);

		if (turn % 100 == 0)
			map = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
				   MAP_SHARED, fd, 0);
		if (pread(source, map + pos, len, pos) < 0 && errno != EFAULT)
			complain("store: %d", errno);
		if (turn % 100 == 99)
			munmap(map, LEN);
	}
	close(fd);
	close(source);
	return NULL;
}

static void *read_it(void *arg)
{
	unsigned int seed = 400 + (long)arg;
	int fd = open(FILE_A, O_RDWR);
	char buf[4 * PAGE];
	size_t len;

	while (going_on()) {
		off_t pos = range(&seed, sizeof(buf), &len);
		ssize_t got = pread(fd, buf, len, pos);

		if (got < 0)
			complain("read: %d", errno);
		else if (stranger(buf, got, pos) != -1)
			complain("a strange byte was read at %ld",
				 stranger(buf, got, pos));
	}
	close(fd);
	return NULL;
}

static void *look_at_it(void *arg)
{
	int fd = open(FILE_A, O_RDWR), scratch = open(HOST "/s", O_RDWR |
						      O_CREAT, 0644);
	unsigned int seed = 500 + (long)arg;
	char buf[3 * PAGE];
	ssize_t got;
	size_t len;
	char *map;

	map = mmap(NULL, LEN, PROT_READ, MAP_SHARED, fd, 0);
	while (going_on()) {
		off_t pos = range(&seed, sizeof(buf), &len);

		got = pwrite(scratch, map + pos, len, 0);
		if (got < 0 && errno != EFAULT)
			complain("look: %d", errno);
		got = got > 0 ? pread(scratch, buf, got, 0) : 0;
		if (stranger(buf, got, pos) != -1)
			complain("a strange byte was mapped at %ld",
				 stranger(buf, got, pos));
		lseek(fd, pos, SEEK_DATA);
		lseek(fd, pos, SEEK_HOLE);
	}
	munmap(map, LEN);
	close(fd);
	close(scratch);
	return NULL;
}

/* The kernel moves pages about, and tries to be rid of some. */
static void *shake_memory(void *arg)
{
	while (going_on()) {
		put_text("/proc/sys/vm/compact_memory", "1\n");
		put_text("/proc/sys/vm/drop_caches", "1\n");
	}
	return NULL;
}

TEST_F(filerace, holds_what_was_written_and_counts_what_it_holds)
{
	void *(*workers[])(void *) = { write_it, cut_it, store_to_it };
	void *(*watchers[])(void *) = { read_it, look_at_it, shake_memory };
	char *map;
	int fd;

	together(workers, 3, watchers, 3);
	EXPECT_EQ(pages_of(FILE_A), used());

	/* With a page for each place the count is the number of places. */
	fd = open(FILE_A, O_RDWR);
	ASSERT_EQ(0, ftruncate(fd, LEN));
	map = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, madvise(map, LEN, MADV_POPULATE_WRITE));
	EXPECT_EQ(-1, stranger(map, LEN, 0));
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       LEN, LEN));
	EXPECT_EQ(PAGES, pages_of(FILE_A));
	EXPECT_EQ(PAGES, used());
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       0, LEN));
	EXPECT_EQ(0, pages_of(FILE_A));
	EXPECT_EQ(0, used());
	munmap(map, LEN);
	close(fd);
}

/* Several that want the last pages: as many get one as there are. */
static void *take_pages(void *arg)
{
	int nr = turns(300), fd, turn, i;
	char path[64];

	snprintf(path, sizeof(path), MNT "/take%ld", (long)arg);
	for (turn = 0; turn < nr; turn++) {
		fd = open(path, O_RDWR | O_CREAT, 0644);
		for (i = 0; i < 40; i++)
			if (pwrite(fd, "x", 1, i * PAGE) != 1)
				complain("a page that must be there: %d",
					 errno);
		close(fd);
		unlink(path);
	}
	return NULL;
}

static void *want_too_much(void *arg)
{
	int fd = open(FILE_A, O_RDWR);

	/* What does not fit must not push aside for a moment what does. */
	while (going_on())
		if (!fallocate(fd, 0, 0, 2000 * PAGE) || errno != ENOSPC)
			complain("more than there is: %d", errno);
	close(fd);
	return NULL;
}

TEST_F(filerace, a_large_refusal_disturbs_no_small_write)
{
	void *(*workers[])(void *) = { take_pages, take_pages };
	void *(*watchers[])(void *) = { want_too_much };

	if (!is_rumpfs())
		SKIP(return, "tmpfs takes the pages before it gives up");
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT, "size=320k"));
	together(workers, 2, watchers, 1);
	EXPECT_EQ(0, used());
}

/*
 * The writer fills two pages and cuts them off again; whoever reads meets
 * what was written or the end, and never a zero.
 */
static unsigned long reads_done;

static void *fill_and_cut(void *arg)
{
	char buf[2 * PAGE];
	long long deadline = now_ms() + 5000;
	int fd = open(FILE_A, O_RDWR), turn;

	memset(buf, 'x', sizeof(buf));
	for (turn = 0; turn < 4000 && now_ms() < deadline; turn++) {
		unsigned long seen;

		pwrite(fd, buf, sizeof(buf), 0);
		seen = __atomic_load_n(&reads_done, __ATOMIC_ACQUIRE);
		WAIT_FOR(__atomic_load_n(&reads_done, __ATOMIC_ACQUIRE) !=
			 seen);
		if (ftruncate(fd, 0))
			complain("truncate: %d", errno);

		/* Until no read is left that began before. */
		seen = __atomic_load_n(&reads_done, __ATOMIC_ACQUIRE);
		WAIT_FOR(__atomic_load_n(&reads_done, __ATOMIC_ACQUIRE) >=
			 seen + 2);
	}
	close(fd);
	return NULL;
}

static void *read_no_zeros(void *arg)
{
	char buf[2 * PAGE];
	int fd = open(FILE_A, O_RDWR);
	ssize_t got;

	while (going_on()) {
		got = pread(fd, buf, sizeof(buf), 0);
		if (got > 0 && byte_differs(buf, got, 'x') != -1)
			complain("a zero at %ld of %zd",
				 byte_differs(buf, got, 'x'), got);
		__atomic_add_fetch(&reads_done, 1, __ATOMIC_ACQ_REL);
	}
	close(fd);
	return NULL;
}

TEST_F(filerace, a_read_meets_the_end_and_no_zeros)
{
	void *(*workers[])(void *) = { fill_and_cut };
	void *(*watchers[])(void *) = { read_no_zeros };

	together(workers, 1, watchers, 1);
}

TEST_HARNESS_MAIN
