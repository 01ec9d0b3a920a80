// SPDX-License-Identifier: GPL-2.0
/* Mappings of keys whose host is memory: huge pages, seals, and stale pages. */

#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/fixture.h"

#define KEY MNT "/k"
#define HUGE (2048 * 1024)
#define SEED 3
#define RW (PROT_READ | PROT_WRITE)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

FIXTURE(cover)
{
	int fd;
};

FIXTURE_SETUP(cover)
{
	ASSERT_EQ(0, setup_mount(NULL));
	self->fd = -1;
}

FIXTURE_TEARDOWN(cover)
{
	close(self->fd);
	teardown_mount();
}

static sigjmp_buf on_bus;

static void bus(int sig)
{
	siglongjmp(on_bus, 1);
}

/* The byte, or -1 if touching it brings SIGBUS. */
static int peek(volatile char *at)
{
	struct sigaction action = { .sa_handler = bus };

	sigaction(SIGBUS, &action, NULL);
	if (sigsetjmp(on_bus, 1))
		return -1;
	return (unsigned char)*at;
}

/* Map a file where a huge page could be. */
static char *map_aligned(int fd, size_t len, int prot)
{
	char *room = mmap(NULL, len + HUGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t at = ((uintptr_t)room + HUGE - 1) / HUGE * HUGE;

	if (room == MAP_FAILED)
		return room;
	return mmap((void *)at, len, prot, MAP_SHARED | MAP_FIXED, fd, 0);
}

TEST_F(cover, a_revoked_area_takes_no_huge_page)
{
	char *host, *map;
	int host_fd;

	ASSERT_EQ(0, fill(HOST "/f", HUGE, SEED));
	ASSERT_EQ(0, table("/k " HOST "/f reg rw"));
	self->fd = open(KEY, O_RDWR);
	host_fd = open(HOST "/f", O_RDWR);
	map = map_aligned(self->fd, HUGE, RW);
	host = map_aligned(host_fd, HUGE, RW);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_NE(MAP_FAILED, host);
	ASSERT_NE(-1, peek(map));
	ASSERT_EQ(0, table("-/k revoke"));
	ASSERT_EQ(-1, peek(map));
	/* Now the host has one. */
	if (madvise(host, HUGE, MADV_COLLAPSE))
		SKIP(return, "requires huge pages of files");
	EXPECT_EQ(EINVAL, ERR(madvise(map, HUGE, MADV_COLLAPSE)));
	EXPECT_EQ(-1, peek(map));
	EXPECT_EQ(-1, peek(map + HUGE - 1));
	munmap(map, HUGE);
	munmap(host, HUGE);
	close(host_fd);
}

/* In bytes, about: what is mapped of memory that is shared. */
static long rss_shmem(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	long kib = -1;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssShmem: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib * 1024;
}

/* An area that reaches past the window's end, above huge pages. */
TEST_F(cover, huge_pages_at_the_edge_are_given_back)
{
	const size_t len = 2 * HUGE + PAGE;
	long before = rss_shmem();
	char *map;

	mkdir(HOST "/huge", 0755);
	if (mount("none", HOST "/huge", "tmpfs", 0, "size=16M,huge=always"))
		SKIP(return, "requires huge pages in tmpfs");
	ASSERT_EQ(0, fill(HOST "/huge/f", 3 * HUGE, SEED));
	ASSERT_EQ(0, table("/k " HOST "/huge/f reg size=4M"));
	self->fd = open(KEY, O_RDWR);
	map = map_aligned(self->fd, len, RW);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-1, fill_differs(map, 2 * HUGE, 0, SEED));
	map[1] = map[1];
	EXPECT_EQ(-1, peek(map + 2 * HUGE));
	/* One page of a huge one, and then the rest. */
	ASSERT_EQ(0, munmap(map + 5 * PAGE, PAGE));
	EXPECT_EQ(-1, fill_differs(map, PAGE, 0, SEED));
	ASSERT_EQ(0, munmap(map, len));
	/* What is counted is some pages behind. */
	EXPECT_GT(before + HUGE, rss_shmem());
}

/* The first byte of the key as a new mapping has it. */
static int first_mapped(int fd)
{
	char *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	int byte = map == MAP_FAILED ? -1 : map[0];

	munmap(map, PAGE);
	return byte;
}

static long clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static time_t change_time(int fd)
{
	struct stat st = {};

	fstat(fd, &st);
	return st.st_ctim.tv_nsec ? -1 : st.st_ctim.tv_sec;
}

/* A host that counts seconds, changed twice within one. */
TEST_F(cover, a_change_within_the_second_is_mapped)
{
	bool is_same = false;
	int host, i;
	long begin;

	ASSERT_EQ(0, run("truncate -s 8M %s && mkfs.ext4 -q -I 128 -O ^has_journal %s",
			 HOST "/img", HOST "/img"));
	ASSERT_EQ(0, mkdir(HOST "/disk", 0755));
	ASSERT_EQ(0, mount_image("ext4", HOST "/img", HOST "/disk"));
	ASSERT_EQ(0, put_text(HOST "/disk/f", "-abc"));
	ASSERT_EQ(0, table("/k " HOST "/disk/f reg offset=1"));
	host = open(HOST "/disk/f", O_RDWR);
	self->fd = open(KEY, O_RDWR);
	for (i = 0; i < 20 && !is_same; i++) {
		ASSERT_TRUE(WAIT_FOR(clock_ms() % 1000 < 200));
		ASSERT_EQ(1, pwrite(host, "A", 1, 1));
		begin = change_time(host);
		ASSERT_NE(-1, begin);
		ASSERT_EQ('A', first_mapped(self->fd));
		ASSERT_TRUE(WAIT_FOR(clock_ms() > begin * 1000 + 300));
		ASSERT_EQ('A', first_mapped(self->fd));
		ASSERT_EQ(1, pwrite(host, "B", 1, 1));
		is_same = change_time(host) == begin;
	}
	ASSERT_TRUE(is_same);
	EXPECT_EQ('B', first_mapped(self->fd));
	close(host);
}

/* A loop device asks the pages' own inode how long the key is. */
TEST_F(cover, a_new_open_has_the_new_size)
{
	unsigned long long bytes = 0;
	char device[32];
	int fd, loop;

	ASSERT_EQ(0, fill(HOST "/f", 65536 + 1, SEED));
	ASSERT_EQ(0, table("/k " HOST "/f reg offset=1"));
	self->fd = open(KEY, O_RDWR);
	ASSERT_EQ(0, truncate(HOST "/f", 2 * 65536 + 1));
	ASSERT_EQ(0, attach_loop(KEY, device, &fd));
	loop = open(device, O_RDONLY);
	EXPECT_EQ(0, ERR(ioctl(loop, BLKGETSIZE64, &bytes)));
	EXPECT_EQ(2 * 65536, bytes);
	close(loop);
	close(fd);
}

FIXTURE(sealed)
{
	int memfd, fd;
};

FIXTURE_VARIANT(sealed)
{
	int seal;
};

FIXTURE_VARIANT_ADD(sealed, for_writing) { F_SEAL_WRITE };
FIXTURE_VARIANT_ADD(sealed, for_the_future) { F_SEAL_FUTURE_WRITE };

FIXTURE_SETUP(sealed)
{
	ASSERT_EQ(0, setup_mount(NULL));
	self->memfd = memfd_create("sealed", MFD_ALLOW_SEALING);
	ASSERT_EQ(0, ftruncate(self->memfd, 4 * PAGE));
	ASSERT_EQ(0, table("/k /proc/self/fd/%d reg", self->memfd));
	self->fd = open(KEY, O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(sealed)
{
	close(self->fd);
	close(self->memfd);
	teardown_mount();
}

TEST_F(sealed, a_host_is_not_written_through_a_mapping)
{
	char *map;

	ASSERT_EQ(0, fcntl(self->memfd, F_ADD_SEALS, variant->seal));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, RW, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(EPERM, errno);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, map[0]);
	EXPECT_EQ(EACCES, ERR(mprotect(map, PAGE, RW)));
	munmap(map, PAGE);
	map = mmap(NULL, PAGE, RW, MAP_PRIVATE, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	map[0] = 'x';
	munmap(map, PAGE);
	/* Nor has any of it undone the seal. */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, RW, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, RW, MAP_SHARED, self->memfd, 0));
	EXPECT_EQ(EPERM, errno);
}

TEST_F(sealed, who_maps_a_host_for_writing_keeps_seals_away)
{
	char *map = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, munmap(map + PAGE, PAGE));
	EXPECT_EQ(EBUSY, ERR(fcntl(self->memfd, F_ADD_SEALS, F_SEAL_WRITE)));
	map[0] = 'x';
	munmap(map, PAGE);
	EXPECT_EQ(0, ERR(fcntl(self->memfd, F_ADD_SEALS, variant->seal)));
}

/* A host file is written to from a mapping of an unaligned key onto itself. */
FIXTURE(own_bytes)
{
	int fd;
};

FIXTURE_VARIANT(own_bytes)
{
	const char *disk;
	/* the mapping goes through an overlay */
	bool is_below;
};

FIXTURE_VARIANT_ADD(own_bytes, xfs) { .disk = "xfs" };
FIXTURE_VARIANT_ADD(own_bytes, below_on_xfs) { "xfs", true };
FIXTURE_VARIANT_ADD(own_bytes, ext4) { .disk = "ext4" };
FIXTURE_VARIANT_ADD(own_bytes, below_on_ext4) { "ext4", true };

FIXTURE_SETUP(own_bytes)
{
	ASSERT_EQ(0, setup_mount(NULL));
	if (!has_kind(variant->disk))
		SKIP(return, "no %s here", variant->disk);
	ASSERT_EQ(0, mount_kind(variant->disk, HOST "/disk"));
	ASSERT_EQ(0, run("cd " HOST "/disk && mkdir low up work over"));
	ASSERT_EQ(0, fill(HOST "/disk/up/f", 4 * PAGE, SEED));
	ASSERT_EQ(0, run("cd " HOST "/disk && mount -t overlay o -o "
			 "lowerdir=low,upperdir=up,workdir=work over"));
	self->fd = open(HOST "/disk/up/f", O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, table("/k %s/f reg ro,offset=1", variant->is_below ?
			   HOST "/disk/over" : HOST "/disk/up"));
}

FIXTURE_TEARDOWN(own_bytes)
{
	close(self->fd);
	teardown_mount();
}

TEST_F(own_bytes, are_written_where_they_came_from)
{
	int key = open(KEY, O_RDONLY);
	static char back[2 * PAGE];
	char *map;

	ASSERT_LE(0, key);
	map = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, key, 0);
	ASSERT_NE(MAP_FAILED, map);
	/* No page of it is there: the write waits for them with its locks. */
	ASSERT_EQ(2 * PAGE, pwrite(self->fd, map + 100, 2 * PAGE, PAGE));
	ASSERT_EQ(2 * PAGE, pread(self->fd, back, 2 * PAGE, PAGE));
	/* The first page as it was; the second may have seen the first. */
	EXPECT_EQ(-1, fill_differs(back, 3900, 101, SEED));
	munmap(map, 3 * PAGE);
	close(key);
}

TEST_HARNESS_MAIN
