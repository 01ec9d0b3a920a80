// SPDX-License-Identifier: GPL-2.0
/* SEEK_DATA and SEEK_HOLE tell exactly which pages were written. */

#include <linux/falloc.h>
#include <sys/mman.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"
#define TOP 0x7fffffffffffffffLL

FIXTURE(seek)
{
	int fd;
};

FIXTURE_SETUP(seek)
{
	ASSERT_EQ(0, setup_mount("size=8M"));
	self->fd = open(FILE_A, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(seek)
{
	close(self->fd);
	teardown_mount();
}

/* The position, or minus the errno. */
static long long data_at(int fd, off_t pos)
{
	off_t got = lseek(fd, pos, SEEK_DATA);

	return got < 0 ? -errno : got;
}

static long long hole_at(int fd, off_t pos)
{
	off_t got = lseek(fd, pos, SEEK_HOLE);

	return got < 0 ? -errno : got;
}

static int put(int fd, off_t pos, size_t len)
{
	char *buf = malloc(len);
	ssize_t done;

	memset(buf, 'd', len);
	done = pwrite(fd, buf, len, pos);
	free(buf);
	return done == (ssize_t)len ? 0 : EIO;
}

TEST_F(seek, an_empty_file_has_neither)
{
	EXPECT_EQ(-ENXIO, data_at(self->fd, 0));
	EXPECT_EQ(-ENXIO, hole_at(self->fd, 0));
}

TEST_F(seek, a_file_without_holes_has_one_at_its_end)
{
	ASSERT_EQ(0, put(self->fd, 0, 100 * PAGE + 5));
	EXPECT_EQ(0, data_at(self->fd, 0));
	EXPECT_EQ(77, data_at(self->fd, 77));
	EXPECT_EQ(100 * PAGE + 4, data_at(self->fd, 100 * PAGE + 4));
	EXPECT_EQ(100 * PAGE + 5, hole_at(self->fd, 0));
	EXPECT_EQ(100 * PAGE + 5, hole_at(self->fd, 50 * PAGE + 1));
	EXPECT_EQ(-ENXIO, data_at(self->fd, 100 * PAGE + 5));
	EXPECT_EQ(-ENXIO, hole_at(self->fd, 100 * PAGE + 5));
	EXPECT_EQ(-ENXIO, data_at(self->fd, -1));
	EXPECT_EQ(-ENXIO, hole_at(self->fd, -1));
}

TEST_F(seek, a_file_without_data_is_a_hole)
{
	ASSERT_EQ(0, ftruncate(self->fd, 1LL << 40));
	EXPECT_EQ(-ENXIO, data_at(self->fd, 0));
	EXPECT_EQ(0, hole_at(self->fd, 0));
	EXPECT_EQ(12345, hole_at(self->fd, 12345));
	EXPECT_EQ((1LL << 40) - 1, hole_at(self->fd, (1LL << 40) - 1));
	EXPECT_EQ(-ENXIO, hole_at(self->fd, 1LL << 40));

	/* Reading it, or mapping it to look, writes nothing. */
	EXPECT_EQ(0, run("head -c 1000000 " FILE_A));
	EXPECT_EQ(-ENXIO, data_at(self->fd, 0));
}

TEST_F(seek, the_position_follows)
{
	ASSERT_EQ(0, put(self->fd, 3 * PAGE, PAGE));
	EXPECT_EQ(3 * PAGE, data_at(self->fd, 0));
	EXPECT_EQ(3 * PAGE, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(4 * PAGE, hole_at(self->fd, 3 * PAGE));
	EXPECT_EQ(4 * PAGE, lseek(self->fd, 0, SEEK_CUR));

	/* A refusal does not move it. */
	EXPECT_EQ(-ENXIO, data_at(self->fd, 4 * PAGE));
	EXPECT_EQ(4 * PAGE, lseek(self->fd, 0, SEEK_CUR));
}

TEST_F(seek, the_other_ways_are_as_ever)
{
	ASSERT_EQ(0, put(self->fd, 0, 100));
	EXPECT_EQ(90, lseek(self->fd, -10, SEEK_END));
	EXPECT_EQ(95, lseek(self->fd, 5, SEEK_CUR));
	EXPECT_EQ(TOP, lseek(self->fd, TOP, SEEK_SET));
	EXPECT_EQ(EINVAL, ERR(lseek(self->fd, 1, SEEK_CUR)));
	EXPECT_EQ(EINVAL, ERR(lseek(self->fd, -1, SEEK_SET)));
	EXPECT_EQ(EINVAL, ERR(lseek(self->fd, -101, SEEK_END)));
	EXPECT_EQ(EINVAL, ERR(lseek(self->fd, 0, 99)));
}

/* Whatever the pattern of pages, the answers are those of the pattern. */
#define SLOTS 300

FIXTURE(pattern)
{
	int fd;
	char has[SLOTS + 1];
};

FIXTURE_VARIANT(pattern)
{
	unsigned int seed;
	unsigned int of_eight;
	int step;
};

FIXTURE_VARIANT_ADD(pattern, thin) { .seed = 1, .of_eight = 1, .step = 1 };
FIXTURE_VARIANT_ADD(pattern, even) { .seed = 2, .of_eight = 4, .step = 1 };
FIXTURE_VARIANT_ADD(pattern, thick) { .seed = 3, .of_eight = 7, .step = 1 };
FIXTURE_VARIANT_ADD(pattern, alternating) { .of_eight = 8, .step = 2 };
FIXTURE_VARIANT_ADD(pattern, runs) { .of_eight = 8, .step = 70 };

FIXTURE_SETUP(pattern)
{
	unsigned int seed = variant->seed;
	int i;

	ASSERT_EQ(0, setup_mount("size=8M"));
	self->fd = open(FILE_A, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ftruncate(self->fd, SLOTS * PAGE - 10));
	for (i = 0; i < SLOTS; i++) {
		seed = seed * 1103515245 + 12345;
		self->has[i] = (seed >> 16) % 8 < variant->of_eight &&
			       i / variant->step % 2 == 0;
		if (self->has[i])
			ASSERT_EQ(0, put(self->fd, i * PAGE + 7, 1));
	}
}

FIXTURE_TEARDOWN(pattern)
{
	close(self->fd);
	teardown_mount();
}

/* From inside of a page that does not have it, the next one that does. */
static long long expected_at(const char *has, int slot, int off, int want)
{
	const off_t size = SLOTS * PAGE - 10;
	int i = slot;

	while (i < SLOTS && has[i] != want)
		i++;
	if (i == slot)
		return slot * PAGE + off;
	if (i < SLOTS)
		return i * PAGE;
	return want ? -ENXIO : size;
}

TEST_F(pattern, is_told_from_every_page)
{
	int slot, off;

	for (slot = 0; slot < SLOTS; slot++) {
		for (off = 0; off < PAGE; off += 1234) {
			ASSERT_EQ(expected_at(self->has, slot, off, 1),
				  data_at(self->fd, slot * PAGE + off)) {
				TH_LOG("data after %d+%d", slot, off);
			}
			ASSERT_EQ(expected_at(self->has, slot, off, 0),
				  hole_at(self->fd, slot * PAGE + off)) {
				TH_LOG("hole after %d+%d", slot, off);
			}
		}
	}
}

TEST_F(seek, unwritten_pages_are_holes)
{
	ASSERT_EQ(0, fallocate(self->fd, 0, 0, 100 * PAGE));
	EXPECT_EQ(-ENXIO, data_at(self->fd, 0));
	EXPECT_EQ(5, hole_at(self->fd, 5));

	/* One of them is written, another mapped and stored to. */
	ASSERT_EQ(0, put(self->fd, 50 * PAGE + 50, 1));
	EXPECT_EQ(50 * PAGE, data_at(self->fd, 0));
	EXPECT_EQ(51 * PAGE, hole_at(self->fd, 50 * PAGE));
	EXPECT_EQ(-ENXIO, data_at(self->fd, 51 * PAGE));
}

TEST_F(seek, stores_through_a_mapping_are_data)
{
	char *map;

	ASSERT_EQ(0, ftruncate(self->fd, 1LL << 30));
	map = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   self->fd, 1LL << 20);
	ASSERT_NE(MAP_FAILED, map);
	map[3 * PAGE] = 1;
	EXPECT_EQ((1LL << 20) + 3 * PAGE, data_at(self->fd, 0));
	EXPECT_EQ((1LL << 20) + 4 * PAGE,
		  hole_at(self->fd, (1LL << 20) + 3 * PAGE));
	munmap(map, 64 * PAGE);
}

TEST_F(seek, what_was_punched_is_a_hole)
{
	ASSERT_EQ(0, put(self->fd, 0, 10 * PAGE));
	ASSERT_EQ(0, fallocate(self->fd,
			       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       3 * PAGE - 1, 4 * PAGE + 2));
	EXPECT_EQ(3 * PAGE, hole_at(self->fd, 0));
	EXPECT_EQ(7 * PAGE, data_at(self->fd, 3 * PAGE));
	EXPECT_EQ(10 * PAGE, hole_at(self->fd, 7 * PAGE));
	ASSERT_EQ(0, ftruncate(self->fd, 5 * PAGE));
	ASSERT_EQ(0, ftruncate(self->fd, 10 * PAGE));
	EXPECT_EQ(-ENXIO, data_at(self->fd, 3 * PAGE));
}

/* It takes as long as there are pages, however far apart. */
TEST_F(seek, the_ends_of_the_longest_file)
{
	long long begin = now_ms();

	ASSERT_EQ(0, put(self->fd, 5, 1));
	ASSERT_EQ(0, put(self->fd, 1LL << 50, 1));
	ASSERT_EQ(0, put(self->fd, TOP - 1, 1));
	EXPECT_EQ(TOP, size_of(FILE_A));
	EXPECT_EQ(PAGE, hole_at(self->fd, 0));
	EXPECT_EQ(1LL << 50, data_at(self->fd, PAGE));
	EXPECT_EQ((1LL << 50) + PAGE, hole_at(self->fd, 1LL << 50));
	EXPECT_EQ(TOP / PAGE * PAGE, data_at(self->fd, (1LL << 50) + PAGE));
	EXPECT_EQ(TOP, hole_at(self->fd, TOP - 1));
	EXPECT_EQ(TOP, hole_at(self->fd, TOP / PAGE * PAGE));
	EXPECT_EQ(TOP - 1, data_at(self->fd, TOP - 1));
	EXPECT_EQ(-ENXIO, data_at(self->fd, TOP));
	EXPECT_GT(5000, now_ms() - begin);
}

TEST_F(seek, a_copy_keeps_the_holes)
{
	struct stat st;

	ASSERT_EQ(0, ftruncate(self->fd, 1LL << 36));
	ASSERT_EQ(0, put(self->fd, 1LL << 33, 3 * PAGE));
	ASSERT_EQ(0, run("cp --sparse=auto " FILE_A " " MNT "/b"));
	ASSERT_EQ(0, stat(MNT "/b", &st));
	EXPECT_EQ(1LL << 36, st.st_size);
	EXPECT_EQ(3 * PAGE / 512, st.st_blocks);
}

TEST_HARNESS_MAIN
