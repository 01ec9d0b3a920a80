// SPDX-License-Identifier: GPL-2.0
/*
 * Room is taken beforehand, given back in the middle, and zeroed in place.
 *
 *	page	0	1	2	3	4 ...
 *		|-------|-------|-------|-------|
 *		  ^ a punch from here to here ^
 *		  zeroed| freed | freed |zeroed
 */

#include <linux/falloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"
#define FILE_B MNT "/b"
#define PAGES 256		/* of size=1M */
#define KEEP FALLOC_FL_KEEP_SIZE
#define PUNCH (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZERO FALLOC_FL_ZERO_RANGE

FIXTURE(fallocate)
{
	int fd;
};

FIXTURE_SETUP(fallocate)
{
	ASSERT_EQ(0, setup_mount("size=1M,nr_inodes=100"));
	self->fd = open(FILE_A, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(fallocate)
{
	close(self->fd);
	teardown_mount();
}

/* Pages a file holds, as du counts them. */
static long pages_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : st.st_blocks * 512L / PAGE;
}

/* Pages the whole mount holds. */
static long used(void)
{
	struct statvfs st = {};

	statvfs(MNT, &st);
	return st.f_blocks - st.f_bfree;
}

static int allocate(int fd, int mode, off_t pos, off_t len)
{
	return ERR(fallocate(fd, mode, pos, len));
}

/* 0 if all of [pos, pos + len) is this byte, EILSEQ if not, or an errno. */
static int bytes_are(int fd, off_t pos, size_t len, char byte)
{
	char *buf = malloc(len);
	ssize_t got = pread(fd, buf, len, pos);
	int err = got < 0 ? errno : EILSEQ;

	if (got == (ssize_t)len && byte_differs(buf, len, byte) == -1)
		err = 0;
	free(buf);
	return err;
}

/* Overwrite [pos, pos + len) with one byte. */
static int put(int fd, off_t pos, size_t len, char byte)
{
	char *buf = malloc(len);
	ssize_t done;

	memset(buf, byte, len);
	done = pwrite(fd, buf, len, pos);
	free(buf);
	return done < 0 ? errno : done == (ssize_t)len ? 0 : ENOSPC;
}

TEST_F(fallocate, takes_room_and_grows_the_file)
{
	ASSERT_EQ(0, allocate(self->fd, 0, 0, 10 * PAGE));
	EXPECT_EQ(10 * PAGE, size_of(FILE_A));
	EXPECT_EQ(10, pages_of(FILE_A));
	EXPECT_EQ(10, used());
	EXPECT_EQ(0, bytes_are(self->fd, 0, 10 * PAGE, 0));

	/* The rest is taken by another file: what is allocated stays ours. */
	ASSERT_EQ(0, run("head -c %d /dev/zero >" FILE_B, (PAGES - 10) * PAGE));
	EXPECT_EQ(ENOSPC, put(self->fd, 10 * PAGE, 1, 'x'));
	EXPECT_EQ(0, put(self->fd, 0, 10 * PAGE, 'x'));
	EXPECT_EQ(0, bytes_are(self->fd, 0, 10 * PAGE, 'x'));
	EXPECT_EQ(PAGES, used());
}

TEST_F(fallocate, keeps_the_size_if_told)
{
	ASSERT_EQ(0, put(self->fd, 0, 100, 'x'));
	ASSERT_EQ(0, allocate(self->fd, KEEP, 0, 10 * PAGE));
	EXPECT_EQ(100, size_of(FILE_A));
	EXPECT_EQ(10, pages_of(FILE_A));
	EXPECT_EQ(10, used());

	/* The end moves over them: zeros. */
	ASSERT_EQ(0, ftruncate(self->fd, 5 * PAGE));
	EXPECT_EQ(0, bytes_are(self->fd, 100, 5 * PAGE - 100, 0));
	EXPECT_EQ(10, pages_of(FILE_A));

	/* What lies behind the end goes with the next truncation. */
	ASSERT_EQ(0, ftruncate(self->fd, 5 * PAGE));
	EXPECT_EQ(5, pages_of(FILE_A));
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_EQ(0, used());
}

TEST_F(fallocate, room_behind_the_end_is_written)
{
	int i;

	ASSERT_EQ(0, allocate(self->fd, KEEP, 0, PAGES * PAGE));
	EXPECT_EQ(ENOSPC, put_text(FILE_B, "x"));
	for (i = 0; i < PAGES; i += 16)
		ASSERT_EQ(0, put(self->fd, i * PAGE, 16 * PAGE, 'a' + i / 16));
	EXPECT_EQ(PAGES * PAGE, size_of(FILE_A));
	EXPECT_EQ(PAGES, used());
	for (i = 0; i < PAGES; i += 16)
		EXPECT_EQ(0, bytes_are(self->fd, i * PAGE, 16 * PAGE,
				       'a' + i / 16));
}

TEST_F(fallocate, a_page_behind_the_end_is_in_the_middle_of_a_write)
{
	ASSERT_EQ(0, allocate(self->fd, KEEP, 8 * PAGE, PAGE));
	ASSERT_EQ(0, put(self->fd, 0, 16 * PAGE, 'x'));
	EXPECT_EQ(0, bytes_are(self->fd, 0, 16 * PAGE, 'x'));
	EXPECT_EQ(16, pages_of(FILE_A));
	EXPECT_EQ(16, used());
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_EQ(0, used());
}

TEST_F(fallocate, counts_pages_that_are_touched)
{
	ASSERT_EQ(0, allocate(self->fd, 0, 100, 1));
	EXPECT_EQ(101, size_of(FILE_A));
	EXPECT_EQ(1, pages_of(FILE_A));
	ASSERT_EQ(0, allocate(self->fd, 0, 2 * PAGE - 1, 2));
	EXPECT_EQ(2 * PAGE + 1, size_of(FILE_A));
	EXPECT_EQ(3, pages_of(FILE_A));
	ASSERT_EQ(0, allocate(self->fd, 0, 1LL << 40, 1));
	EXPECT_EQ((1LL << 40) + 1, size_of(FILE_A));
	EXPECT_EQ(4, pages_of(FILE_A));
}

TEST_F(fallocate, leaves_what_is_there)
{
	ASSERT_EQ(0, put(self->fd, 2 * PAGE, 3 * PAGE, 'x'));
	ASSERT_EQ(0, allocate(self->fd, 0, 0, 8 * PAGE));
	EXPECT_EQ(8, pages_of(FILE_A));
	EXPECT_EQ(0, bytes_are(self->fd, 0, 2 * PAGE, 0));
	EXPECT_EQ(0, bytes_are(self->fd, 2 * PAGE, 3 * PAGE, 'x'));
	EXPECT_EQ(0, bytes_are(self->fd, 5 * PAGE, 3 * PAGE, 0));

	/* Twice is once. */
	ASSERT_EQ(0, allocate(self->fd, 0, 0, 8 * PAGE));
	EXPECT_EQ(8, pages_of(FILE_A));
	EXPECT_EQ(0, bytes_are(self->fd, 0, 2 * PAGE, 0));
	EXPECT_EQ(0, bytes_are(self->fd, 2 * PAGE, 3 * PAGE, 'x'));
	EXPECT_EQ(8, used());
}

TEST_F(fallocate, without_room_takes_none)
{
	ASSERT_EQ(0, put(self->fd, 3 * PAGE, PAGE, 'x'));
	ASSERT_EQ(0, put(self->fd, 5 * PAGE, 100, 'y'));
	ASSERT_EQ(0, allocate(self->fd, KEEP, 7 * PAGE, 2 * PAGE));
	ASSERT_EQ(0, run("head -c %d /dev/zero >" FILE_B, 100 * PAGE));

	EXPECT_EQ(ENOSPC, allocate(self->fd, 0, 0, 157 * PAGE));
	EXPECT_EQ(5 * PAGE + 100, size_of(FILE_A));
	EXPECT_EQ(4, pages_of(FILE_A));
	EXPECT_EQ(104, used());
	EXPECT_EQ(0, bytes_are(self->fd, 3 * PAGE, PAGE, 'x'));
	EXPECT_EQ(0, bytes_are(self->fd, 5 * PAGE, 100, 'y'));
	EXPECT_EQ(0, bytes_are(self->fd, 4 * PAGE, PAGE, 0));

	/* Exactly what is left can be had. */
	EXPECT_EQ(0, allocate(self->fd, 0, 0, 156 * PAGE));
	EXPECT_EQ(156, pages_of(FILE_A));
	EXPECT_EQ(PAGES, used());
	EXPECT_EQ(0, bytes_are(self->fd, 3 * PAGE, PAGE, 'x'));
}

TEST_F(fallocate, of_more_than_there_can_be_is_quick)
{
	long long begin = now_ms();

	EXPECT_EQ(ENOSPC, allocate(self->fd, 0, 0, 1LL << 50));
	EXPECT_EQ(ENOSPC, allocate(self->fd, KEEP, 1LL << 60, 1LL << 50));
	EXPECT_GT(5000, now_ms() - begin);
	EXPECT_EQ(0, size_of(FILE_A));
	EXPECT_EQ(0, used());
}

/* No size= is no licence to run the machine out of memory. */
TEST_F(fallocate, of_more_than_the_memory_is_refused_without_a_limit)
{
	int fd;

	if (!is_rumpfs())
		SKIP(return, "tmpfs allocates until the memory is gone");
	ASSERT_EQ(0, mount_at(MNT2, "size=0"));
	fd = open(MNT2 "/a", O_RDWR | O_CREAT, 0644);
	EXPECT_EQ(ENOSPC, allocate(fd, 0, 0, 1LL << 50));
	EXPECT_EQ(0, allocate(fd, 0, 0, 300 * PAGE));
	EXPECT_EQ(300, pages_of(MNT2 "/a"));
	close(fd);
	umount2(MNT2, MNT_DETACH);
}

TEST_F(fallocate, punches_pages_out)
{
	ASSERT_EQ(0, put(self->fd, 0, 6 * PAGE, 'x'));
	ASSERT_EQ(0, allocate(self->fd, PUNCH, 100, 3 * PAGE));
	EXPECT_EQ(6 * PAGE, size_of(FILE_A));
	EXPECT_EQ(4, pages_of(FILE_A));
	EXPECT_EQ(4, used());
	EXPECT_EQ(0, bytes_are(self->fd, 0, 100, 'x'));
	EXPECT_EQ(0, bytes_are(self->fd, 100, 3 * PAGE, 0));
	EXPECT_EQ(0, bytes_are(self->fd, 3 * PAGE + 100, 3 * PAGE - 100, 'x'));

	/* Less than a page frees none; a hole, or past the end, is no error. */
	ASSERT_EQ(0, allocate(self->fd, PUNCH, 5 * PAGE + 10, 20));
	EXPECT_EQ(0, bytes_are(self->fd, 5 * PAGE, 10, 'x'));
	EXPECT_EQ(0, bytes_are(self->fd, 5 * PAGE + 10, 20, 0));
	EXPECT_EQ(0, bytes_are(self->fd, 5 * PAGE + 30, PAGE - 30, 'x'));
	EXPECT_EQ(4, pages_of(FILE_A));
	EXPECT_EQ(0, allocate(self->fd, PUNCH, PAGE, PAGE));
	EXPECT_EQ(0, allocate(self->fd, PUNCH, 5 * PAGE, 1LL << 60));
	EXPECT_EQ(6 * PAGE, size_of(FILE_A));
	EXPECT_EQ(3, used());

	/* Unwritten pages behind the end can be given back so. */
	ASSERT_EQ(0, allocate(self->fd, KEEP, 6 * PAGE, 10 * PAGE));
	EXPECT_EQ(13, used());
	EXPECT_EQ(0, allocate(self->fd, PUNCH, 6 * PAGE, 10 * PAGE));
	EXPECT_EQ(3, used());
}

TEST_F(fallocate, punches_under_a_mapping)
{
	char *shared, *private;

	ASSERT_EQ(0, put(self->fd, 0, 4 * PAGE, 'x'));
	shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      self->fd, 0);
	private = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		       self->fd, 0);
	ASSERT_NE(MAP_FAILED, shared);
	ASSERT_NE(MAP_FAILED, private);
	EXPECT_EQ(-1, byte_differs(shared, 4 * PAGE, 'x'));
	EXPECT_EQ(-1, byte_differs(private, 4 * PAGE, 'x'));
	private[PAGE] = 'p';

	ASSERT_EQ(0, allocate(self->fd, PUNCH, 100, 3 * PAGE));
	EXPECT_EQ(2, used());
	EXPECT_EQ(-1, byte_differs(shared, 100, 'x'));
	EXPECT_EQ(-1, byte_differs(shared + 100, 3 * PAGE, 0));
	EXPECT_EQ(-1, byte_differs(shared + 3 * PAGE + 100, PAGE - 100, 'x'));

	/* A copy is the process' own. */
	EXPECT_EQ('p', private[PAGE]);
	EXPECT_EQ('x', private[PAGE + 1]);
	EXPECT_EQ(0, private[2 * PAGE]);

	/* A store fills the hole again. */
	shared[2 * PAGE] = 's';
	EXPECT_EQ(0, bytes_are(self->fd, 2 * PAGE, 1, 's'));
	EXPECT_EQ(0, bytes_are(self->fd, 2 * PAGE + 1, PAGE - 1, 0));

	/* MADV_REMOVE is the same from the other side. */
	EXPECT_EQ(0, ERR(madvise(shared + 2 * PAGE, PAGE, MADV_REMOVE)));
	EXPECT_EQ(0, shared[2 * PAGE]);
	EXPECT_EQ(0, bytes_are(self->fd, 2 * PAGE, PAGE, 0));
	EXPECT_EQ(EACCES, ERR(madvise(private, PAGE, MADV_REMOVE)));
	munmap(shared, 4 * PAGE);
	munmap(private, 4 * PAGE);
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_EQ(0, used());
}

TEST_F(fallocate, unwritten_pages_can_be_mapped)
{
	char *map;

	ASSERT_EQ(0, allocate(self->fd, 0, 0, 8 * PAGE));
	map = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd,
		   0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, byte_differs(map, 4 * PAGE, 0));
	memset(map + 2 * PAGE, 'm', 4 * PAGE);
	EXPECT_EQ(8, used());
	EXPECT_EQ(0, bytes_are(self->fd, 0, 2 * PAGE, 0));
	EXPECT_EQ(0, bytes_are(self->fd, 2 * PAGE, 4 * PAGE, 'm'));
	EXPECT_EQ(0, bytes_are(self->fd, 6 * PAGE, 2 * PAGE, 0));

	/* Part of one is written: the rest is zeros. */
	ASSERT_EQ(0, put(self->fd, 7 * PAGE + 10, 10, 'w'));
	EXPECT_EQ(-1, byte_differs(map + 7 * PAGE, 10, 0));
	EXPECT_EQ(-1, byte_differs(map + 7 * PAGE + 10, 10, 'w'));
	EXPECT_EQ(-1, byte_differs(map + 7 * PAGE + 20, PAGE - 20, 0));
	munmap(map, 8 * PAGE);
}

TEST_F(fallocate, zeroes_in_place)
{
	char *map;

	if (!is_rumpfs())
		SKIP(return, "tmpfs has no FALLOC_FL_ZERO_RANGE");
	ASSERT_EQ(0, put(self->fd, 0, 4 * PAGE, 'x'));
	map = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ('x', map[PAGE]);

	ASSERT_EQ(0, allocate(self->fd, ZERO, 100, 2 * PAGE));
	EXPECT_EQ(4, used());
	EXPECT_EQ(4 * PAGE, size_of(FILE_A));
	EXPECT_EQ(0, bytes_are(self->fd, 0, 100, 'x'));
	EXPECT_EQ(0, bytes_are(self->fd, 100, 2 * PAGE, 0));
	EXPECT_EQ(0, bytes_are(self->fd, 2 * PAGE + 100, 2 * PAGE - 100, 'x'));
	EXPECT_EQ(-1, byte_differs(map + 100, 2 * PAGE, 0));
	EXPECT_EQ('x', map[2 * PAGE + 100]);
	munmap(map, 4 * PAGE);

	/* Holes are filled, and the file grows unless told not to. */
	ASSERT_EQ(0, allocate(self->fd, ZERO | KEEP, 3 * PAGE, 3 * PAGE));
	EXPECT_EQ(4 * PAGE, size_of(FILE_A));
	EXPECT_EQ(6, pages_of(FILE_A));
	EXPECT_EQ(0, bytes_are(self->fd, 3 * PAGE, PAGE, 0));
	ASSERT_EQ(0, allocate(self->fd, ZERO, 5 * PAGE, 2 * PAGE + 1));
	EXPECT_EQ(7 * PAGE + 1, size_of(FILE_A));
	EXPECT_EQ(8, pages_of(FILE_A));
	EXPECT_EQ(8, used());
}

TEST_F(fallocate, zeroes_nothing_without_room)
{
	if (!is_rumpfs())
		SKIP(return, "tmpfs has no FALLOC_FL_ZERO_RANGE");
	ASSERT_EQ(0, put(self->fd, 0, 4 * PAGE, 'x'));
	EXPECT_EQ(ENOSPC, allocate(self->fd, ZERO, 0, (PAGES + 1) * PAGE));
	EXPECT_EQ(4 * PAGE, size_of(FILE_A));
	EXPECT_EQ(4, used());
	EXPECT_EQ(0, bytes_are(self->fd, 0, 4 * PAGE, 'x'));
	EXPECT_EQ(0, allocate(self->fd, ZERO, 0, PAGES * PAGE));
	EXPECT_EQ(0, bytes_are(self->fd, 0, PAGES * PAGE, 0));
	EXPECT_EQ(PAGES, used());
}

/*
 * A mapping reaches the end of the page that holds the end of the file. What
 * was stored there never shows when the end moves on, whoever moves it.
 */
FIXTURE(stale)
{
	int fd;
};

FIXTURE_SETUP(stale)
{
	ASSERT_EQ(0, setup_mount("size=1M"));
	self->fd = open(FILE_A, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(stale)
{
	close(self->fd);
	teardown_mount();
}

FIXTURE_VARIANT(stale)
{
	bool by_truncate;
	bool by_write;
	int mode;
};

FIXTURE_VARIANT_ADD(stale, truncate) { .by_truncate = true };
FIXTURE_VARIANT_ADD(stale, write) { .by_write = true };
FIXTURE_VARIANT_ADD(stale, allocate) { .mode = 0 };
FIXTURE_VARIANT_ADD(stale, zero) { .mode = ZERO };
FIXTURE_VARIANT_ADD(stale, keep) { .mode = KEEP, .by_truncate = true };
FIXTURE_VARIANT_ADD(stale, punch) { .mode = PUNCH, .by_truncate = true };

TEST_F(stale, bytes_past_the_end_do_not_show)
{
	char *map;

	if (!is_rumpfs())
		SKIP(return, "tmpfs shows them");
	ASSERT_EQ(0, put(self->fd, 0, PAGE + 100, 'x'));
	map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd,
		   0);
	ASSERT_NE(MAP_FAILED, map);
	memset(map + PAGE + 100, 's', PAGE - 100);

	if (!variant->by_write)
		ASSERT_EQ(0, allocate(self->fd, variant->mode, PAGE + 3000,
				      PAGE));
	if (variant->by_truncate)
		ASSERT_EQ(0, ftruncate(self->fd, 2 * PAGE));
	if (variant->by_write)
		ASSERT_EQ(0, put(self->fd, 2 * PAGE - 10, 10, 0));
	EXPECT_EQ(0, bytes_are(self->fd, 0, PAGE + 100, 'x'));
	EXPECT_EQ(0, bytes_are(self->fd, PAGE + 100, PAGE - 100, 0));
	EXPECT_EQ(-1, byte_differs(map + PAGE + 100, PAGE - 100, 0));
	munmap(map, 2 * PAGE);
}

FIXTURE(refused)
{
	int fd;
};

FIXTURE_SETUP(refused)
{
	ASSERT_EQ(0, setup_mount("size=1M"));
	self->fd = open(FILE_A, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, put(self->fd, 0, 3 * PAGE, 'x'));
}

FIXTURE_TEARDOWN(refused)
{
	close(self->fd);
	teardown_mount();
}

FIXTURE_VARIANT(refused)
{
	int mode;
	off_t pos, len;
	int expected;
};

#define TOP 0x7fffffffffffffffLL
FIXTURE_VARIANT_ADD(refused, collapse) {
	FALLOC_FL_COLLAPSE_RANGE, 0, PAGE, EOPNOTSUPP };
FIXTURE_VARIANT_ADD(refused, insert) {
	FALLOC_FL_INSERT_RANGE, 0, PAGE, EOPNOTSUPP };
FIXTURE_VARIANT_ADD(refused, unshare) {
	FALLOC_FL_UNSHARE_RANGE, 0, PAGE, EOPNOTSUPP };
FIXTURE_VARIANT_ADD(refused, punch_that_grows) {
	FALLOC_FL_PUNCH_HOLE, 0, PAGE, EOPNOTSUPP };
FIXTURE_VARIANT_ADD(refused, punch_and_zero) {
	PUNCH | ZERO, 0, PAGE, EOPNOTSUPP };
FIXTURE_VARIANT_ADD(refused, unknown) { 0x4000, 0, PAGE, EOPNOTSUPP };
FIXTURE_VARIANT_ADD(refused, nothing) { 0, 0, 0, EINVAL };
FIXTURE_VARIANT_ADD(refused, before_the_file) { 0, -1, PAGE, EINVAL };
FIXTURE_VARIANT_ADD(refused, negative) { PUNCH, 0, -1, EINVAL };
FIXTURE_VARIANT_ADD(refused, overflow) { 0, TOP, 1, EFBIG };
FIXTURE_VARIANT_ADD(refused, punch_overflow) { PUNCH, 1, TOP, EFBIG };

TEST_F(refused, and_nothing_is_changed)
{
	EXPECT_EQ(variant->expected, allocate(self->fd, variant->mode,
					      variant->pos, variant->len));
	EXPECT_EQ(3 * PAGE, size_of(FILE_A));
	EXPECT_EQ(3, used());
	EXPECT_EQ(0, bytes_are(self->fd, 0, 3 * PAGE, 'x'));
}

TEST_F(fallocate, needs_a_file_open_for_writing)
{
	int fd = open(FILE_A, O_RDONLY);

	EXPECT_EQ(EBADF, allocate(fd, 0, 0, PAGE));
	EXPECT_EQ(EBADF, allocate(fd, PUNCH, 0, PAGE));
	close(fd);
	fd = open(MNT, O_RDONLY);
	EXPECT_EQ(EBADF, allocate(fd, 0, 0, PAGE));
	close(fd);
}

TEST_F(fallocate, up_to_the_last_byte)
{
	EXPECT_EQ(0, allocate(self->fd, KEEP, TOP - 2 * PAGE, PAGE));
	EXPECT_EQ(0, allocate(self->fd, PUNCH, 0, TOP));
	EXPECT_EQ(0, used());
	if (!is_rumpfs())
		SKIP(return, "tmpfs rounds up past the last byte: EFBIG");
	EXPECT_EQ(0, allocate(self->fd, 0, TOP - 1, 1));
	EXPECT_EQ(TOP, size_of(FILE_A));
	EXPECT_EQ(1, used());
	EXPECT_EQ(ENOSPC, allocate(self->fd, 0, 0, TOP));
	EXPECT_EQ(0, allocate(self->fd, PUNCH, TOP - 1, 1));
	EXPECT_EQ(1, used());
	EXPECT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_EQ(0, used());
}

/* In a child, with files of at most two pages. */
static int allocate_limited(int mode, off_t pos, off_t len, bool ignore)
{
	struct rlimit limit = { 2 * PAGE, 2 * PAGE };
	pid_t pid = fork();

	if (!pid) {
		int fd = open(FILE_A, O_RDWR);

		signal(SIGXFSZ, ignore ? SIG_IGN : SIG_DFL);
		setrlimit(RLIMIT_CORE, &(struct rlimit){});
		_exit(setrlimit(RLIMIT_FSIZE, &limit) ? 255 :
		      allocate(fd, mode, pos, len));
	}
	return wait_status(pid);
}

TEST_F(fallocate, stops_at_the_limit_of_the_process)
{
	EXPECT_EQ(0, allocate_limited(0, 0, 2 * PAGE, false));
	EXPECT_EQ(EFBIG, allocate_limited(0, 0, 2 * PAGE + 1, true));
	EXPECT_EQ(EFBIG, allocate_limited(KEEP, PAGE, 2 * PAGE, true));
	EXPECT_EQ(128 + SIGXFSZ, allocate_limited(0, 0, 2 * PAGE + 1, false));
	EXPECT_EQ(0, allocate_limited(PUNCH, 0, 3 * PAGE, false));
	EXPECT_EQ(2 * PAGE, size_of(FILE_A));
	EXPECT_EQ(0, used());
}

static long long ns_of(struct timespec ts)
{
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

TEST_F(fallocate, is_a_change_of_the_file)
{
	const int modes[] = { 0, KEEP, PUNCH, ZERO };
	struct timespec old[2] = { { 1, 0 }, { 1, 0 } };
	struct stat before, after;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (modes[i] == ZERO && !is_rumpfs())
			continue;
		ASSERT_EQ(0, futimens(self->fd, old));
		ASSERT_EQ(0, fstat(self->fd, &before));
		ASSERT_TRUE(WAIT_FOR(!allocate(self->fd, modes[i], 0, PAGE) &&
				     !fstat(self->fd, &after) &&
				     ns_of(after.st_ctim) >
					     ns_of(before.st_ctim)));
		EXPECT_EQ(ns_of(after.st_ctim), ns_of(after.st_mtim));
		EXPECT_EQ(1, after.st_atim.tv_sec);

		/* And a change of it takes its privileges. */
		ASSERT_EQ(0, fchown(self->fd, 1000, 1000));
		ASSERT_EQ(0, fchmod(self->fd, 06777));
		EXPECT_EQ(0, AS_USER(1000, allocate(self->fd, modes[i], 0,
						    PAGE)));
		EXPECT_EQ(S_IFREG | 0777, mode_of(FILE_A)) {
			TH_LOG("mode %d", modes[i]);
		}
	}
}

/* A fatal signal ends it, and all it has taken is given back. */
TEST_F(fallocate, ends_when_killed)
{
	struct statvfs st;
	long taken = 0;
	int turn;
	pid_t pid;

	ASSERT_EQ(0, mount_at(MNT2, "size=70%"));
	for (turn = 0; turn < 5; turn++) {
		int fd = open(MNT2 "/a", O_RDWR | O_CREAT, 0644);

		ASSERT_EQ(0, statvfs(MNT2, &st));
		pid = fork();
		if (!pid)
			_exit(allocate(fd, 0, 0, (off_t)st.f_bfree * PAGE));
		ASSERT_TRUE(WAIT_FOR(pages_of(MNT2 "/a")));
		kill(pid, SIGKILL);
		wait_status(pid);
		taken = pages_of(MNT2 "/a");

		/* Killed on the way, or just done. */
		EXPECT_TRUE(!taken || taken == (long)st.f_bfree);
		EXPECT_EQ(taken * PAGE, size_of(MNT2 "/a"));
		close(fd);
		ASSERT_EQ(0, unlink(MNT2 "/a"));
		if (!taken)
			break;
	}
	EXPECT_EQ(0, taken) {
		TH_LOG("it was never killed on the way");
	}
	ASSERT_EQ(0, statvfs(MNT2, &st));
	EXPECT_TRUE(WAIT_FOR(!statvfs(MNT2, &st) && st.f_bfree == st.f_blocks));
	umount2(MNT2, MNT_DETACH);
}

TEST_HARNESS_MAIN
