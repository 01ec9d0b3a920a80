// SPDX-License-Identifier: GPL-2.0
/* A window mapped into memory: shared where it can be, exact everywhere. */

#include <signal.h>
#include <sys/mman.h>

#include "lib/fixture.h"

/* Host file of 16 pages; the aligned window is pages 4 to 7. */
#define PAGES 16
#define TOTAL (PAGES * PAGE)
#define FIRST 4
#define COUNT 4
#define SEED 7
#define KEY MNT "/k"
#define RW (PROT_READ | PROT_WRITE)

static const off_t offset = FIRST * PAGE;
static const size_t len = COUNT * PAGE;

/* The signal that touching the byte brings, 0 if none. */
static int touch(volatile char *byte, bool store)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		char was = *byte;

		if (store)
			*byte = was;
		_exit(0);
	}
	status = wait_status(pid);
	return status > 128 ? status - 128 : status;
}

static long map_err(size_t size, int prot, int flags, int fd, off_t pos)
{
	void *map = mmap(NULL, size, prot, flags, fd, pos);

	if (map == MAP_FAILED)
		return errno;
	munmap(map, size);
	return 0;
}

FIXTURE(aligned)
{
	char host[64];
	int host_fd;
	int fd;
};

FIXTURE_VARIANT(aligned)
{
	bool on_disk;
};

FIXTURE_VARIANT_ADD(aligned, tmpfs) { .on_disk = false };
FIXTURE_VARIANT_ADD(aligned, ext4) { .on_disk = true };

FIXTURE_SETUP(aligned)
{
	ASSERT_EQ(0, setup_mount(NULL));
	if (variant->on_disk)
		ASSERT_EQ(0, mount_ext4(HOST "/disk", HOST "/img", 8));
	strcpy(self->host, variant->on_disk ? HOST "/disk/f" : HOST "/f");
	ASSERT_EQ(0, fill(self->host, TOTAL, SEED));
	ASSERT_EQ(0, table("/k %s reg offset=%lld,size=%zu", self->host,
			   (long long)offset, len));
	self->host_fd = open(self->host, O_RDWR);
	self->fd = open(KEY, O_RDWR);
	ASSERT_LE(0, self->host_fd);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(aligned)
{
	EXPECT_EQ(0, fill_is(self->host, 0, offset, 0, SEED));
	EXPECT_EQ(0, fill_is(self->host, offset + len, TOTAL - offset - len, 0,
			     SEED));
	close(self->fd);
	close(self->host_fd);
	teardown_mount();
}

TEST_F(aligned, shared_stores_go_both_ways)
{
	char *map = mmap(NULL, len, RW, MAP_SHARED, self->fd, 0), byte = 0;
	char *host = mmap(NULL, TOTAL, RW, MAP_SHARED, self->host_fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_NE(MAP_FAILED, host);
	EXPECT_EQ(-1, fill_differs(map, len, offset, SEED));

	/* From the key to the host, from the host to the key: one page. */
	map[PAGE + 3] = '1';
	EXPECT_EQ('1', host[offset + PAGE + 3]);
	EXPECT_EQ(1, pread(self->host_fd, &byte, 1, offset + PAGE + 3));
	EXPECT_EQ('1', byte);
	host[offset + 2 * PAGE] = '2';
	EXPECT_EQ('2', map[2 * PAGE]);
	ASSERT_EQ(1, pwrite(self->host_fd, "3", 1, offset));
	EXPECT_EQ('3', map[0]);
	ASSERT_EQ(1, pwrite(self->fd, "4", 1, len - 1));
	EXPECT_EQ('4', map[len - 1]);
	EXPECT_EQ('4', host[offset + len - 1]);
	EXPECT_EQ(0, msync(map, len, MS_SYNC));
	munmap(map, len);
	munmap(host, TOTAL);
}

TEST_F(aligned, a_part_of_the_window)
{
	char *map = mmap(NULL, PAGE, RW, MAP_SHARED, self->fd, 2 * PAGE);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, fill_differs(map, PAGE, offset + 2 * PAGE, SEED));
	map[0] = 0;
	EXPECT_NE(0, fill_is(KEY, 2 * PAGE, 1, offset, SEED));
	munmap(map, PAGE);
}

TEST_F(aligned, mappings_outlive_the_file_descriptor)
{
	char *map = mmap(NULL, len, RW, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	close(self->fd);
	EXPECT_EQ(-1, fill_differs(map, len, offset, SEED));
	map[5] = 0;
	EXPECT_NE(0, fill_is(self->host, offset + 5, 1, 0, SEED));
	munmap(map, len);
}

TEST_F(aligned, private_stores_stay_private)
{
	char *map = mmap(NULL, len, RW, MAP_PRIVATE, self->fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	memset(map, 0, len);
	EXPECT_EQ(0, fill_is(self->host, 0, TOTAL, 0, SEED));
	EXPECT_EQ(-1, byte_differs(map, len, 0));
	munmap(map, len);
}

TEST_F(aligned, faults_past_the_end_are_sigbus)
{
	char *map = mmap(NULL, len + 2 * PAGE, RW, MAP_SHARED, self->fd, 0);
	char *private =
		mmap(NULL, len + 2 * PAGE, RW, MAP_PRIVATE, self->fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_NE(MAP_FAILED, private);
	EXPECT_EQ(0, touch(map + len - 1, true));
	EXPECT_EQ(SIGBUS, touch(map + len, false));
	EXPECT_EQ(SIGBUS, touch(map + len, true));
	EXPECT_EQ(SIGBUS, touch(map + len + PAGE, false));
	EXPECT_EQ(SIGBUS, touch(private + len, false));
	EXPECT_EQ(SIGBUS, touch(private + len, true));

	/* Not by faulting around a neighbour, nor ahead of time. */
	EXPECT_EQ(-1, fill_differs(map, len, offset, SEED));
	EXPECT_EQ(SIGBUS, touch(map + len, false));
	madvise(map, len + 2 * PAGE, MADV_WILLNEED);
	madvise(map, len + 2 * PAGE, MADV_POPULATE_READ);
	EXPECT_EQ(SIGBUS, touch(map + len, false));
	munmap(map, len + 2 * PAGE);
	munmap(private, len + 2 * PAGE);
}

TEST_F(aligned, mremap_cannot_reach_past_the_window)
{
	char *map = mmap(NULL, len, RW, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(MAP_FAILED, mremap(map, len, 2 * len, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, fill_differs(map, len, offset, SEED));
	munmap(map, len);
}

/* Punching past the end would zero the host's bytes. */
TEST_F(aligned, madvise_cannot_reach_past_the_window)
{
	char *map = mmap(NULL, 2 * len, RW, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_NE(0, madvise(map + len, len, MADV_REMOVE));
	EXPECT_EQ(SIGBUS, touch(map + len, true));
	EXPECT_EQ(0, fill_is(self->host, 0, TOTAL, 0, SEED));
	munmap(map, 2 * len);
}

TEST_F(aligned, remap_file_pages_is_refused)
{
	char *map = mmap(NULL, len, RW, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(ENODEV, ERR(remap_file_pages(map, PAGE, 0, 0, 0)));
	EXPECT_EQ(ENODEV, ERR(remap_file_pages(map, PAGE, 0, 10, 0)));
	EXPECT_EQ(-1, fill_differs(map, len, offset, SEED));
	munmap(map, len);
}

TEST_F(aligned, access_modes_count)
{
	int fd = open(KEY, O_RDONLY);
	char *map;

	EXPECT_EQ(EACCES, map_err(len, RW, MAP_SHARED, fd, 0));
	EXPECT_EQ(0, map_err(len, RW, MAP_PRIVATE, fd, 0));
	map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(EACCES, ERR(mprotect(map, len, RW)));
	munmap(map, len);
	close(fd);
	fd = open(KEY, O_WRONLY);
	EXPECT_EQ(EACCES, map_err(len, PROT_READ, MAP_PRIVATE, fd, 0));
	close(fd);
}

TEST_F(aligned, a_fork_and_a_split_keep_it_whole)
{
	char *map = mmap(NULL, len, RW, MAP_SHARED, self->fd, 0);
	pid_t pid;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, munmap(map + PAGE, PAGE));
	pid = fork();
	if (!pid) {
		map[2 * PAGE] = 'c';
		_exit(0);
	}
	ASSERT_EQ(0, wait_status(pid));
	EXPECT_EQ('c', map[2 * PAGE]);
	EXPECT_EQ(-1, fill_differs(map, PAGE, offset, SEED));
	ASSERT_EQ(0, munmap(map, PAGE));
	ASSERT_EQ(0, munmap(map + 2 * PAGE, 2 * PAGE));

	/* All of it gone: nothing keeps the key busy. */
	close(self->fd);
	EXPECT_EQ(0, table("-/k busy"));
}

TEST_F(aligned, a_window_that_follows_the_host)
{
	char *map;
	int fd;

	ASSERT_EQ(0, table("/l %s reg offset=%d", self->host, 15 * PAGE));
	fd = open(MNT "/l", O_RDWR);
	map = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, fill_differs(map, PAGE, 15 * PAGE, SEED));
	EXPECT_EQ(SIGBUS, touch(map + PAGE, false));
	ASSERT_EQ(1, pwrite(self->host_fd, "g", 1, 16 * PAGE));
	EXPECT_EQ('g', map[PAGE]);
	munmap(map, 2 * PAGE);
	close(fd);
	ASSERT_EQ(0, ftruncate(self->host_fd, TOTAL));
}

TEST_F(aligned, stores_move_the_host_time)
{
	struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	char *map = mmap(NULL, len, RW, MAP_SHARED, self->fd, 0);
	struct stat st;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, futimens(self->host_fd, old));
	map[0] = 'x';
	ASSERT_EQ(0, msync(map, len, MS_SYNC));
	ASSERT_EQ(0, fstat(self->host_fd, &st));
	if (variant->on_disk)
		EXPECT_LT(1000000000, st.st_mtim.tv_sec);
	munmap(map, len);
}

/* The same host file through a window at an odd offset, of odd size. */
#define ODD_OFFSET 5001
#define ODD_SIZE 9001

FIXTURE(unaligned)
{
	int host_fd;
	int fd;
};

FIXTURE_SETUP(unaligned)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(HOST "/f", TOTAL, SEED));
	ASSERT_EQ(0, table("/k " HOST "/f reg offset=%d,size=%d", ODD_OFFSET,
			   ODD_SIZE));
	self->host_fd = open(HOST "/f", O_RDWR);
	self->fd = open(KEY, O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(unaligned)
{
	EXPECT_EQ(0, fill_is(HOST "/f", 0, ODD_OFFSET, 0, SEED));
	EXPECT_EQ(0, fill_is(HOST "/f", ODD_OFFSET + ODD_SIZE,
			     TOTAL - ODD_OFFSET - ODD_SIZE, 0, SEED));
	teardown_mount();
}

TEST_F(unaligned, shows_the_bytes_and_zeros_behind)
{
	const int flags[] = { MAP_SHARED, MAP_PRIVATE };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		char *map =
			mmap(NULL, 4 * PAGE, PROT_READ, flags[i], self->fd, 0);

		ASSERT_NE(MAP_FAILED, map);
		EXPECT_EQ(-1, fill_differs(map, ODD_SIZE, ODD_OFFSET, SEED));
		EXPECT_EQ(-1,
			  byte_differs(map + ODD_SIZE, 3 * PAGE - ODD_SIZE, 0));
		EXPECT_EQ(SIGBUS, touch(map + 3 * PAGE, false));
		munmap(map, 4 * PAGE);
	}
}

TEST_F(unaligned, writable_shared_is_refused)
{
	char *map;

	EXPECT_EQ(ENODEV, map_err(PAGE, RW, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(ENODEV, map_err(PAGE, PROT_WRITE, MAP_SHARED, self->fd, 0));
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(EACCES, ERR(mprotect(map, PAGE, RW)));
	munmap(map, PAGE);
}

TEST_F(unaligned, private_stores_stay_private)
{
	char *map = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, self->fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	memset(map, 0, 3 * PAGE);
	EXPECT_EQ(0, fill_is(HOST "/f", 0, TOTAL, 0, SEED));
	munmap(map, 3 * PAGE);
}

/* "checked against the host file at each open, mmap and page fault" */
TEST_F(unaligned, a_new_mapping_shows_what_the_host_wrote)
{
	char *map = mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, self->fd, 0);
	char new[3] = "new";

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(-1, fill_differs(map, ODD_SIZE, ODD_OFFSET, SEED));
	munmap(map, 3 * PAGE);
	ASSERT_EQ(3, pwrite(self->host_fd, new, 3, ODD_OFFSET + 100));
	map = mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map) {
		TH_LOG("errno %d", errno);
	}
	EXPECT_EQ(0, memcmp(map + 100, "new", 3));
	munmap(map, 3 * PAGE);

	/* Through the key itself, too. */
	ASSERT_EQ(3, pwrite(self->fd, "key", 3, 5000));
	map = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, memcmp(map + 5000, "key", 3));
	munmap(map, 3 * PAGE);
}

TEST_F(unaligned, a_window_that_follows_the_host)
{
	char *map;
	int fd;

	ASSERT_EQ(0, table("/l " HOST "/f reg offset=%d", TOTAL - 10));
	fd = open(MNT "/l", O_RDONLY);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, fill_differs(map, 10, TOTAL - 10, SEED));
	EXPECT_EQ(-1, byte_differs(map + 10, PAGE - 10, 0));
	munmap(map, PAGE);
	ASSERT_EQ(4, pwrite(self->host_fd, "grow", 4, TOTAL));
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, memcmp(map + 10, "grow", 4));
	munmap(map, PAGE);
	close(fd);
	ASSERT_EQ(0, ftruncate(self->host_fd, TOTAL));
}

TEST_F(unaligned, a_program_runs_from_it)
{
	struct stat st;

	ASSERT_EQ(0, stat("/bin/sh", &st));
	ASSERT_EQ(0, run("(head -c 777 /dev/zero; cat /bin/sh; echo tail) >%s",
			 HOST "/sh"));
	ASSERT_EQ(0, table("/sh " HOST "/sh reg offset=777,size=%lld,mode=755",
			   (long long)st.st_size));
	EXPECT_EQ(42, run(MNT "/sh -c 'exit 42'"));
	EXPECT_EQ(0, run("cmp /bin/sh " MNT "/sh"));

	/* A program of an aligned window, and of a whole file. */
	ASSERT_EQ(0, run("(head -c 8192 /dev/zero; cat /bin/sh) >%s",
			 HOST "/sh2"));
	ASSERT_EQ(0, table("/sh2 " HOST
			   "/sh2 reg offset=8K,mode=755\n/sh3 /bin/sh reg ro"));
	EXPECT_EQ(42, run(MNT "/sh2 -c 'exit 42'"));
	EXPECT_EQ(42, run(MNT "/sh3 -c 'exit 42'"));
}

TEST_HARNESS_MAIN
