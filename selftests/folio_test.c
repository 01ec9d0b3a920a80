// SPDX-License-Identifier: GPL-2.0
/*
 * Many pages in one: what large writes lay down is held, cut, shared and
 * counted as single pages are.
 */

#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"
#define KIB 1024
#define MIB (1024 * KIB)
#define SEED 11
#define PUNCH (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
/* Of a word in /proc/kpageflags */
#define KPF_COMPOUND (3ull << 15)

FIXTURE(folio)
{
	unsigned char *model;
	int fd;
};

FIXTURE_SETUP(folio)
{
	ASSERT_EQ(0, setup_mount("size=8M,nr_inodes=100"));
	self->fd = open(FILE_A, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ASSERT_LE(0, self->fd);
	self->model = calloc(1, 4 * MIB);
	ASSERT_NE(NULL, self->model);
}

FIXTURE_TEARDOWN(folio)
{
	free(self->model);
	close(self->fd);
	teardown_mount();
}

static long pages_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -errno : st.st_blocks * 512L / PAGE;
}

/* Pages the whole mount holds. */
static long used(void)
{
	struct statvfs st = {};

	statvfs(MNT, &st);
	return st.f_blocks - st.f_bfree;
}

/* Write what fill() would put at these positions. */
static ssize_t put(int fd, off_t pos, size_t len)
{
	unsigned char *buf = malloc(len);
	ssize_t done;
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = fill_byte(pos + i, SEED);
	done = pwrite(fd, buf, len, pos);
	free(buf);
	return done;
}

/* Where the file first differs from the buffer, or -1. */
static long differs(int fd, const unsigned char *model, size_t len)
{
	unsigned char *buf = malloc(len + 1);
	ssize_t got = pread(fd, buf, len + 1, 0);
	long at = got == (ssize_t)len ? -1 : (long)len;
	size_t i;

	for (i = 0; at == -1 && i < len; i++)
		if (buf[i] != model[i])
			at = i;
	free(buf);
	return at;
}

/* Is the page at this position one of many? -1 if nobody can tell. */
static int is_compound(int fd, off_t pos)
{
	int maps = open("/proc/self/pagemap", O_RDONLY);
	int flags = open("/proc/kpageflags", O_RDONLY);
	uint64_t entry = 0, word = 0;
	char *map;
	int ret = -1;

	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, pos);
	if (map != MAP_FAILED && *(volatile char *)map != -1 &&
	    pread(maps, &entry, 8, (uintptr_t)map / PAGE * 8) == 8 &&
	    pread(flags, &word, 8, (entry & ((1ull << 55) - 1)) * 8) == 8)
		ret = !!(word & KPF_COMPOUND);
	munmap(map, PAGE);
	close(maps);
	close(flags);
	return ret;
}

static bool has_large_folios(void)
{
	int major = 0, minor = 0;
	struct utsname name;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	return major > 6 || (major == 6 && minor >= 12);
}

TEST_F(folio, large_writes_make_large_ones_where_the_kernel_can)
{
	ASSERT_EQ(MIB, put(self->fd, 0, MIB));
	EXPECT_EQ(is_rumpfs() && has_large_folios(),
		  is_compound(self->fd, 512 * KIB));
	ASSERT_EQ(PAGE, put(self->fd, 2 * MIB, PAGE));
	EXPECT_EQ(0, is_compound(self->fd, 2 * MIB));
	EXPECT_EQ(257, pages_of(self->fd));
}

TEST_F(folio, a_write_takes_no_more_pages_than_it_touches)
{
	size_t len;
	off_t pos;

	for (len = 1; len < 3 * MIB; len = len * 5 / 2 + 3)
		for (pos = 0; pos < 700 * KIB; pos = pos * 3 + 1234) {
			ASSERT_EQ(0, ftruncate(self->fd, 0));
			ASSERT_EQ(len, put(self->fd, pos, len));
			ASSERT_EQ((pos + len + PAGE - 1) / PAGE - pos / PAGE,
				  pages_of(self->fd));
		}
}

TEST_F(folio, writes_between_pages_that_are_there)
{
	size_t i;

	for (i = 0; i < 2 * MIB; i += 7 * PAGE)
		ASSERT_EQ(PAGE, put(self->fd, i, PAGE));
	ASSERT_EQ(2 * MIB, put(self->fd, 0, 2 * MIB));
	EXPECT_EQ(512, pages_of(self->fd));
	EXPECT_EQ(0, fill_is(FILE_A, 0, 2 * MIB, 0, SEED));
}

TEST_F(folio, a_limit_is_met_to_the_page)
{
	long room = 2048 - used();
	unsigned char *buf = calloc(1, 9 * MIB);

	EXPECT_EQ(room * PAGE, pwrite(self->fd, buf, 9 * MIB, 0));
	EXPECT_EQ(2048, used());
	EXPECT_EQ(ENOSPC, ERR(pwrite(self->fd, buf, 1, room * PAGE)));
	EXPECT_EQ(room * PAGE, size_of(FILE_A));
	free(buf);
}

TEST_F(folio, truncation_inside_one_gives_back_what_is_behind)
{
	off_t end;

	for (end = 900 * KIB + 5; end; end /= 3) {
		ASSERT_EQ(0, ftruncate(self->fd, 0));
		ASSERT_EQ(MIB, put(self->fd, 0, MIB));
		ASSERT_EQ(0, ftruncate(self->fd, end));
		ASSERT_EQ((end + PAGE - 1) / PAGE, pages_of(self->fd));
		/* And what comes back is zeros. */
		ASSERT_EQ(0, ftruncate(self->fd, MIB));
		memset(self->model, 0, MIB);
		ASSERT_EQ(end, pread(self->fd, self->model, end, 0));
		ASSERT_EQ(-1, fill_differs(self->model, end, 0, SEED));
		ASSERT_EQ(-1, differs(self->fd, self->model, MIB));
	}
	EXPECT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_EQ(0, pages_of(self->fd));
}

TEST_F(folio, a_punch_inside_one_gives_back_whole_pages)
{
	ASSERT_EQ(MIB, put(self->fd, 0, MIB));
	ASSERT_EQ(0, fallocate(self->fd, PUNCH, 100 * KIB + 1, 300 * KIB));
	EXPECT_EQ(256 - 74, pages_of(self->fd));
	memset(self->model, 0, MIB);
	EXPECT_EQ(100 * KIB + 1,
		  pread(self->fd, self->model, 100 * KIB + 1, 0));
	EXPECT_EQ(-1, fill_differs(self->model, 100 * KIB + 1, 0, SEED));
	EXPECT_EQ(MIB - 400 * KIB - 1,
		  pread(self->fd, self->model + 400 * KIB + 1,
			MIB - 400 * KIB - 1, 400 * KIB + 1));
	EXPECT_EQ(-1, differs(self->fd, self->model, MIB));
	EXPECT_EQ(-1, fill_differs(self->model + 400 * KIB + 1,
				   MIB - 400 * KIB - 1, 400 * KIB + 1, SEED));
}

/* The whole machine's: what waits to be written to disks. */
static long dirty_pages(void)
{
	FILE *file = fopen("/proc/vmstat", "r");
	char line[128];
	long n = -1;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "nr_dirty %ld", &n) == 1)
			break;
	if (file)
		fclose(file);
	return n;
}

#define WRITEBACK "/proc/sys/vm/dirty_writeback_centisecs"

TEST_F(folio, cutting_leaves_the_dirty_pages_of_disks_alone)
{
	char interval[32] = "";
	long least;
	int i;

	/* Nobody writes them back meanwhile. */
	ASSERT_LT(0, get_bytes(WRITEBACK, interval, sizeof(interval) - 1, 0));
	ASSERT_EQ(0, put_text(WRITEBACK, "0"));
	/* So many of them that an error cannot hide below zero. */
	ASSERT_EQ(0, mount_ext4(HOST "/disk", HOST "/image", 96));
	/* What replaces a file would be written back by ext4 when it is closed. */
	EXPECT_TRUE(WAIT_FOR((!unlink(HOST "/disk/f") || errno == ENOENT) &&
			     !fill(HOST "/disk/f", 12 * MIB, SEED) &&
			     dirty_pages() > 2048));
	least = dirty_pages() - 1024;
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(MIB, put(self->fd, 0, MIB));
		ASSERT_EQ(0, ftruncate(self->fd, 5 * PAGE));
		ASSERT_EQ(MIB, put(self->fd, 0, MIB));
		ASSERT_EQ(0, fallocate(self->fd, PUNCH, PAGE, 100 * PAGE));
		ASSERT_EQ(0, ftruncate(self->fd, 0));
	}
	EXPECT_LE(least, dirty_pages());
	EXPECT_EQ(0, put_text(WRITEBACK, interval));
	umount(HOST "/disk");
}

/* What others hold cannot be cut: zeroed, charged, and given back later. */
TEST_F(folio, one_that_a_pipe_holds_is_zeroed_and_kept)
{
	struct iovec iov = { .iov_len = PAGE };
	int pipes[2];
	char *map;

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(MIB, put(self->fd, 0, MIB));
	map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	iov.iov_base = map + 200 * PAGE;
	ASSERT_EQ(PAGE, vmsplice(pipes[1], &iov, 1, 0));
	ASSERT_EQ(0, ftruncate(self->fd, 100 * PAGE));
	EXPECT_LE(100, pages_of(self->fd));
	EXPECT_EQ(0, ftruncate(self->fd, MIB));
	memset(self->model, 0, MIB);
	ASSERT_EQ(100 * PAGE, pread(self->fd, self->model, 100 * PAGE, 0));
	EXPECT_EQ(-1, fill_differs(self->model, 100 * PAGE, 0, SEED));
	EXPECT_EQ(-1, differs(self->fd, self->model, MIB));
	close(pipes[0]);
	close(pipes[1]);
	munmap(map, MIB);
	EXPECT_EQ(0, ftruncate(self->fd, 50 * PAGE));
	EXPECT_EQ(50, pages_of(self->fd));
}

TEST_F(folio, a_source_that_ends_in_the_middle)
{
	char *map = mmap(NULL, 2 * MIB, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, map);
	memset(map, 'x', 2 * MIB);
	ASSERT_EQ(0, munmap(map + 700 * KIB, PAGE));
	EXPECT_EQ(700 * KIB, pwrite(self->fd, map, 2 * MIB, 0));
	EXPECT_EQ(700 * KIB, size_of(FILE_A));
	EXPECT_EQ(175, pages_of(self->fd));
	EXPECT_EQ(EFAULT, ERR(pwrite(self->fd, map + 700 * KIB, MIB, MIB)));
	EXPECT_EQ(175, pages_of(self->fd));
	munmap(map, 2 * MIB);
}

TEST_F(folio, a_file_is_written_from_its_own_mapping)
{
	char *map;

	ASSERT_EQ(2 * MIB, put(self->fd, 0, 2 * MIB));
	map = mmap(NULL, 2 * MIB, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(MIB, pwrite(self->fd, map, MIB, MIB));
	EXPECT_EQ(-1, fill_differs(map + MIB, MIB, 0, SEED));
	EXPECT_EQ(2 * MIB, pwrite(self->fd, map, 2 * MIB, 3 * MIB));
	EXPECT_EQ(0, fill_is(FILE_A, 3 * MIB, MIB, -3 * MIB, SEED));
	munmap(map, 2 * MIB);
}

/* What a mapping stored behind the end does not come back. */
TEST_F(folio, stores_behind_the_end_are_gone_when_the_file_grows)
{
	char *map;

	ASSERT_EQ(MIB - 100, put(self->fd, 0, MIB - 100));
	map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	memset(map + MIB - 100, 'x', 100);
	EXPECT_EQ(1, pwrite(self->fd, "y", 1, 2 * MIB));
	EXPECT_EQ(100, pread(self->fd, self->model, 100, MIB - 100));
	EXPECT_EQ(-1, byte_differs(self->model, 100, 0));
	munmap(map, MIB);
}

/* One step of the storm, done to the file and to the model of it. */
static int storm_step(int fd, unsigned char *model, size_t *size)
{
	off_t pos = random() % (2 * MIB);
	size_t len = 1 + random() % (random() % 4 ? 64 * KIB : 2 * MIB);
	unsigned char byte = random();
	char *map;

	switch (random() % 6) {
	case 0:
		*size = pos;
		memset(model + pos, 0, 4 * MIB - pos);
		return ERR(ftruncate(fd, pos));
	case 1:
		memset(model + pos, 0, len);
		return ERR(fallocate(fd, PUNCH, pos, len));
	case 2:
		if ((size_t)pos + len > *size)
			*size = pos + len;
		return ERR(fallocate(fd, 0, pos, len));
	case 3:
		if ((size_t)pos >= *size)
			return 0;
		map = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED,
			   fd, 0);
		len = 1 + random() % 100;
		if (pos + len > *size)
			len = *size - pos;
		memset(map + pos, byte, len);
		memset(model + pos, byte, len);
		return ERR(munmap(map, 4 * MIB));
	default:
		memset(model + pos, byte, len);
		if ((size_t)pos + len > *size)
			*size = pos + len;
		return pwrite(fd, model + pos, len, pos) == (ssize_t)len ?
			0 : EIO;
	}
}

TEST_F(folio, a_storm_of_cuts_and_writes_leaves_what_a_model_has)
{
	long before = used();
	size_t size = 0;
	int i;

	srandom(SEED);
	for (i = 0; i < 400; i++) {
		ASSERT_EQ(0, storm_step(self->fd, self->model, &size));
		if (i % 8)
			continue;
		ASSERT_EQ(-1, differs(self->fd, self->model, size)) {
			TH_LOG("after step %d", i);
		}
	}
	EXPECT_EQ(before + pages_of(self->fd), used());
	EXPECT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_EQ(0, pages_of(self->fd));
	EXPECT_EQ(before, used());
}

TEST_HARNESS_MAIN
