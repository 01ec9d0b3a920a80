// SPDX-License-Identifier: GPL-2.0
/* How a key is used is told by ioctl. */

#include <signal.h>
#include <sys/mman.h>

#include "lib/apply.h"
#include "lib/together.h"

#define F HOST "/f"
#define G HOST "/g"
#define D HOST "/d"
#define KEY MNT "/k"
#define TOTAL 65536

FIXTURE(stat)
{
	int fd;
	struct rumpfs_stat st;
};

FIXTURE_SETUP(stat)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, TOTAL, 1));
	ASSERT_EQ(0, put_text(G, "other"));
	ASSERT_EQ(0, mkdir(D, 0755));
	ASSERT_EQ(0, mkdir(D "/sub", 0755));
	ASSERT_EQ(0, put_text(D "/a", "in d"));
	ASSERT_EQ(0, put_text(D "/sub/b", "in sub"));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(stat)
{
	teardown_mount();
}

#define EXPECT_STAT(key, field, expected)				\
	EXPECT_EQ(expected, (stat_key(self->fd, key, &self->st), self->st.field))

static unsigned int opens_of(int fd, const char *key)
{
	struct rumpfs_stat st;

	return stat_key(fd, key, &st) ? ~0U : st.opens;
}

static unsigned int maps_of(int fd, const char *key)
{
	struct rumpfs_stat st;

	return stat_key(fd, key, &st) ? ~0U : st.maps;
}

/* The areas of a process that show the key, or the host file behind it. */
static unsigned int areas(pid_t pid)
{
	static const char *paths[] = { " " KEY, " " F };
	char name[64], line[512];
	unsigned int n = 0, i;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	maps = fopen(name, "r");
	while (maps && fgets(line, sizeof(line), maps)) {
		line[strcspn(line, "\n")] = '\0';
		for (i = 0; i < ARRAY_SIZE(paths); i++)
			n += strlen(line) > strlen(paths[i]) &&
			     !strcmp(line + strlen(line) - strlen(paths[i]),
				     paths[i]);
	}
	fclose(maps);
	return n;
}

TEST_F(stat, tells_the_type)
{
	struct stat node;

	ASSERT_EQ(0, APPLY(self->fd, ADD("/reg", F),
			   ADD("/blk", F, .type = RUMPFS_TYPE_BLK),
			   ADD("/chr", F, .type = RUMPFS_TYPE_CHR),
			   ADD("/dir", D, .type = RUMPFS_TYPE_DIR),
			   ADD("/subdirs", D, .type = RUMPFS_TYPE_SUBDIRS),
			   ADD("/up/hid", F, .flags = RUMPFS_MAP_HIDDEN)));
	EXPECT_STAT("/reg", type, RUMPFS_TYPE_REG);
	EXPECT_EQ(0, self->st.rdev);
	EXPECT_EQ(0, self->st.opens);
	EXPECT_EQ(0, self->st.maps);
	EXPECT_EQ(0, self->st.bytes_read);
	EXPECT_EQ(0, self->st.bytes_written);
	EXPECT_STAT("/dir", type, RUMPFS_TYPE_DIR);
	EXPECT_EQ(0, self->st.rdev);
	EXPECT_STAT("/subdirs", type, RUMPFS_TYPE_SUBDIRS);
	EXPECT_STAT("/up/hid", type, RUMPFS_TYPE_REG);
	EXPECT_STAT("/blk", type, RUMPFS_TYPE_BLK);
	ASSERT_EQ(0, stat(MNT "/blk", &node));
	EXPECT_EQ(node.st_rdev, self->st.rdev);
	EXPECT_STAT("/chr", type, RUMPFS_TYPE_CHR);
	ASSERT_EQ(0, stat(MNT "/chr", &node));
	EXPECT_EQ(node.st_rdev, self->st.rdev);
	EXPECT_NE(0, node.st_rdev);
	/* Slashes are those of any key. */
	EXPECT_STAT("//up///hid/", type, RUMPFS_TYPE_REG);
}

TEST_F(stat, knows_keys_only)
{
	struct rumpfs_stat st = { .key = AT("/k"), .reserved = 1 };

	ASSERT_EQ(0, mkdir(MNT "/mem", 0755));
	ASSERT_EQ(0, APPLY(self->fd, ADD("/k", F), ADD("/up/l", F),
			   ADD("/s", D, .type = RUMPFS_TYPE_SUBDIRS)));
	EXPECT_EQ(0, stat_key(self->fd, "/k", &self->st));
	EXPECT_EQ(ENOENT, stat_key(self->fd, "/none", &self->st));
	EXPECT_EQ(ENOENT, stat_key(self->fd, "/mem", &self->st));
	EXPECT_EQ(ENOENT, stat_key(self->fd, "/up", &self->st));
	EXPECT_EQ(ENOENT, stat_key(self->fd, "/k/x", &self->st));
	EXPECT_EQ(ENOENT, stat_key(self->fd, "/s/a", &self->st));
	EXPECT_EQ(EINVAL, stat_key(self->fd, "k", &self->st));
	EXPECT_EQ(EINVAL, stat_key(self->fd, "", &self->st));
	EXPECT_EQ(EINVAL, stat_key(self->fd, "/", &self->st));
	EXPECT_EQ(EINVAL, stat_key(self->fd, "/./k", &self->st));
	EXPECT_EQ(EINVAL, stat_key(self->fd, "/up/../k", &self->st));
	EXPECT_EQ(EFAULT, stat_key(self->fd, (char *)8, &self->st));
	EXPECT_EQ(EFAULT, stat_key(self->fd, (char *)-4096L, &self->st));
	EXPECT_EQ(EINVAL, stat_key(self->fd, NULL, &self->st));
	EXPECT_EQ(EFAULT, ERR(ioctl(self->fd, RUMPFS_IOC_STAT, NULL)));
	EXPECT_EQ(EINVAL, ERR(ioctl(self->fd, RUMPFS_IOC_STAT, &st)));
	ASSERT_EQ(0, APPLY(self->fd, REMOVE("/k")));
	EXPECT_EQ(ENOENT, stat_key(self->fd, "/k", &self->st));
}

TEST_F(stat, counts_what_is_open)
{
	int a, b, c;

	ASSERT_EQ(0, APPLY(self->fd, ADD("/k", F),
			   ADD("/c", F, .type = RUMPFS_TYPE_CHR)));
	a = open(KEY, O_RDONLY);
	EXPECT_STAT("/k", opens, 1);
	b = open(KEY, O_RDWR);
	EXPECT_STAT("/k", opens, 2);
	/* The same open file, and a handle that opens nothing. */
	c = dup(a);
	EXPECT_STAT("/k", opens, 2);
	close(c);
	c = open(KEY, O_PATH);
	EXPECT_STAT("/k", opens, 2);
	close(c);
	close(b);
	EXPECT_TRUE(WAIT_FOR(opens_of(self->fd, "/k") == 1));
	close(a);
	EXPECT_TRUE(WAIT_FOR(!opens_of(self->fd, "/k")));
	a = open(MNT "/c", O_RDONLY);
	EXPECT_STAT("/c", opens, 1);
	close(a);
	EXPECT_TRUE(WAIT_FOR(!opens_of(self->fd, "/c")));
}

TEST_F(stat, counts_a_disk_that_is_open)
{
	int a, b;

	ASSERT_EQ(0, APPLY(self->fd, ADD("/b", F, .type = RUMPFS_TYPE_BLK)));
	EXPECT_STAT("/b", opens, 0);
	a = open(MNT "/b", O_RDONLY);
	ASSERT_LE(0, a);
	EXPECT_STAT("/b", opens, 1);
	b = open(MNT "/b", O_RDONLY);
	EXPECT_STAT("/b", opens, 2);
	close(a);
	close(b);
	EXPECT_TRUE(WAIT_FOR(!opens_of(self->fd, "/b")));
}

TEST_F(stat, counts_what_is_open_below_a_directory)
{
	int dir, a, b;

	ASSERT_EQ(0, APPLY(self->fd,
			   ADD("/s", D, .type = RUMPFS_TYPE_SUBDIRS)));
	a = open(MNT "/s/a", O_RDONLY);
	EXPECT_STAT("/s", opens, 1);
	b = open(MNT "/s/sub/b", O_RDONLY);
	EXPECT_STAT("/s", opens, 2);
	dir = open(MNT "/s", O_RDONLY);
	EXPECT_STAT("/s", opens, 3);
	close(a);
	close(b);
	EXPECT_TRUE(WAIT_FOR(opens_of(self->fd, "/s") == 1));
	close(dir);
	EXPECT_TRUE(WAIT_FOR(!opens_of(self->fd, "/s")));
}

FIXTURE(area)
{
	int fd;
};

FIXTURE_VARIANT(area)
{
	int type;
	unsigned long long offset;
	int flags;
	/* of mremap(2) to more; one of the host's pages does not grow */
	int grows;
};

FIXTURE_VARIANT_ADD(area, reg_shared) {
	RUMPFS_TYPE_REG, 0, MAP_SHARED, EFAULT
};

FIXTURE_VARIANT_ADD(area, reg_private) {
	RUMPFS_TYPE_REG, 0, MAP_PRIVATE, EFAULT
};

FIXTURE_VARIANT_ADD(area, unaligned) { RUMPFS_TYPE_REG, 1, MAP_PRIVATE, 0 };
FIXTURE_VARIANT_ADD(area, blk) { RUMPFS_TYPE_BLK, 0, MAP_SHARED, 0 };

FIXTURE_SETUP(area)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, TOTAL, 1));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, APPLY(self->fd, ADD("/k", F, .type = variant->type,
					 .offset = variant->offset)));
}

FIXTURE_TEARDOWN(area)
{
	teardown_mount();
}

/* As many as /proc/PID/maps shows, and that is at least so many. */
#define EXPECT_AREAS(n) do {						\
	EXPECT_LE(n, areas(getpid()));					\
	EXPECT_EQ(areas(getpid()), maps_of(self->fd, "/k"));		\
} while (0)

TEST_F(area, is_counted_as_the_kernel_does)
{
	int file = open(KEY, O_RDONLY), pipes[2];
	unsigned int before;
	char *map, *moved;
	pid_t child;
	char byte;

	map = mmap(NULL, 8 * PAGE, PROT_READ, variant->flags, file, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(1, maps_of(self->fd, "/k"));
	EXPECT_AREAS(1);
	ASSERT_EQ(0, munmap(map + 2 * PAGE, PAGE));
	EXPECT_EQ(2, maps_of(self->fd, "/k"));
	EXPECT_AREAS(2);
	ASSERT_EQ(0, mprotect(map + 5 * PAGE, PAGE, PROT_NONE));
	EXPECT_AREAS(4);
	/* The kernel may join them again, or not. */
	ASSERT_EQ(0, mprotect(map + 5 * PAGE, PAGE, PROT_READ));
	EXPECT_AREAS(2);

	/* A child has its own of each. */
	before = maps_of(self->fd, "/k");
	ASSERT_EQ(0, pipe(pipes));
	child = fork();
	if (!child) {
		close(pipes[1]);
		byte = read(pipes[0], &byte, 1);
		_exit(0);
	}
	EXPECT_EQ(before, areas(child));
	EXPECT_EQ(2 * before, maps_of(self->fd, "/k"));
	close(pipes[1]);
	EXPECT_EQ(0, wait_status(child));
	EXPECT_TRUE(WAIT_FOR(maps_of(self->fd, "/k") == before));

	/* What grows, shrinks and is moved is one still. */
	moved = mremap(map, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	EXPECT_EQ(variant->grows, moved == MAP_FAILED ? errno : 0);
	EXPECT_AREAS(1);
	moved = variant->grows ? mremap(map, 2 * PAGE, PAGE, 0) :
				 mremap(moved, 3 * PAGE, PAGE, 0);
	ASSERT_NE(MAP_FAILED, moved);
	EXPECT_EQ(before, maps_of(self->fd, "/k"));
	map = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ(map, mremap(moved, PAGE, PAGE,
			      MREMAP_MAYMOVE | MREMAP_FIXED, map));
	EXPECT_EQ(before, maps_of(self->fd, "/k"));
	EXPECT_AREAS(2);
	map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 8 * PAGE);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_AREAS(3);
	/* Without a file descriptor too. */
	close(file);
	EXPECT_EQ(before + 1, maps_of(self->fd, "/k"));
	/* Another mapping put in the place of one. */
	ASSERT_EQ(map, mmap(map, PAGE, PROT_READ,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(before, maps_of(self->fd, "/k"));
	EXPECT_AREAS(2);
}

TEST_F(stat, counts_no_areas_of_processes_that_are_gone)
{
	pid_t pid;
	int fd;

	ASSERT_EQ(0, APPLY(self->fd, ADD("/k", F)));
	pid = fork();
	if (!pid) {
		fd = open(KEY, O_RDONLY);
		mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
		close(fd);
		pause();
		_exit(0);
	}
	EXPECT_TRUE(WAIT_FOR(maps_of(self->fd, "/k") == 2));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, wait_status(pid));
	EXPECT_TRUE(WAIT_FOR(maps_of(self->fd, "/k") == 0));
	EXPECT_TRUE(WAIT_FOR(opens_of(self->fd, "/k") == 0));
}

TEST_F(stat, counts_maps_below_a_directory)
{
	char *map;
	int file;

	ASSERT_EQ(0, APPLY(self->fd,
			   ADD("/s", D, .type = RUMPFS_TYPE_SUBDIRS)));
	file = open(MNT "/s/sub/b", O_RDONLY);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_STAT("/s", maps, 1);
	EXPECT_EQ(1, self->st.opens);
	munmap(map, PAGE);
	EXPECT_STAT("/s", maps, 0);
	close(file);
}

FIXTURE(bytes)
{
	int fd;
	struct rumpfs_stat st;
};

FIXTURE_VARIANT(bytes)
{
	int type;
	unsigned long long offset, size;
};

FIXTURE_VARIANT_ADD(bytes, of_a_reg) { RUMPFS_TYPE_REG, 0, RUMPFS_SIZE_HOST };
FIXTURE_VARIANT_ADD(bytes, of_a_window) { RUMPFS_TYPE_REG, 100, 20000 };
FIXTURE_VARIANT_ADD(bytes, of_a_chr) { RUMPFS_TYPE_CHR, 100, 20000 };

FIXTURE_SETUP(bytes)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, TOTAL, 1));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_EQ(0, APPLY(self->fd, ADD("/k", F, .type = variant->type,
					 .offset = variant->offset,
					 .size = variant->size)));
}

FIXTURE_TEARDOWN(bytes)
{
	teardown_mount();
}

TEST_F(bytes, are_counted_as_they_are_moved)
{
	unsigned long long end = variant->size == RUMPFS_SIZE_HOST
					 ? TOTAL : variant->size;
	int file = open(KEY, O_RDWR);
	static char buf[TOTAL];
	struct stat node;

	ASSERT_LE(0, file);
	EXPECT_EQ(1000, pread(file, buf, 1000, 5));
	EXPECT_STAT("/k", bytes_read, 1000);
	EXPECT_EQ(0, self->st.bytes_written);
	EXPECT_EQ(7, read(file, buf, 7));
	EXPECT_STAT("/k", bytes_read, 1007);
	EXPECT_EQ(300, pwrite(file, buf, 300, 1));
	EXPECT_STAT("/k", bytes_written, 300);
	EXPECT_EQ(1007, self->st.bytes_read);
	/* Those that were moved, not those that were asked for. */
	EXPECT_EQ(10, pread(file, buf, 100, end - 10));
	EXPECT_EQ(0, pread(file, buf, 100, end));
	EXPECT_EQ(-1, pread(file, (void *)-4096L, 100, 0));
	EXPECT_STAT("/k", bytes_read, 1017);
	/* Another open file of it, and a look at it, are no difference. */
	EXPECT_EQ(20, get_bytes(KEY, buf, 20, 0));
	ASSERT_EQ(0, stat(KEY, &node));
	EXPECT_STAT("/k", bytes_read, 1037);
	EXPECT_EQ(300, self->st.bytes_written);

	/* Since it was mapped. */
	ASSERT_EQ(0, APPLY(self->fd, REMOVE("/k"), ADD("/k", F)));
	EXPECT_STAT("/k", bytes_read, 0);
	EXPECT_EQ(0, self->st.bytes_written);
	EXPECT_EQ(1, pread(file, buf, 1, 0));
	EXPECT_STAT("/k", bytes_read, 0);
	EXPECT_EQ(0, self->st.opens);
	close(file);
}

TEST_F(stat, counts_what_is_spliced)
{
	int file, pipes[2];

	ASSERT_EQ(0, APPLY(self->fd, ADD("/k", F)));
	file = open(KEY, O_RDWR);
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(PAGE, splice(file, NULL, pipes[1], NULL, PAGE, 0));
	EXPECT_STAT("/k", bytes_read, PAGE);
	EXPECT_EQ(PAGE, splice(pipes[0], NULL, file, NULL, PAGE, 0));
	EXPECT_STAT("/k", bytes_written, PAGE);
	close(file);
}

static int shared_fd;

static void *make_disks(void *arg)
{
	int i, err;

	for (i = 0; i < 20; i++) {
		err = APPLY(shared_fd,
			    ADD("/b", F, .type = RUMPFS_TYPE_BLK));
		if (!err)
			err = APPLY(shared_fd, REMOVE("/b", .flags = i % 2 ?
						      RUMPFS_MAP_REVOKE : 0));
		if (err)
			complain("turn %d: %s", i, strerror(err));
	}
	return NULL;
}

static void *ask_for_disks(void *arg)
{
	struct rumpfs_stat st;

	while (going_on()) {
		int err = stat_key(shared_fd, "/b", &st);

		if (err && err != ENOENT)
			complain("asked: %s", strerror(err));
		if (!err && (st.type != RUMPFS_TYPE_BLK || !st.rdev))
			complain("type %u, rdev %llx", st.type,
				 (unsigned long long)st.rdev);
	}
	return NULL;
}

TEST_F(stat, asks_for_a_disk_that_comes_and_goes)
{
	void *(*worker[])(void *) = { make_disks };
	void *(*watcher[])(void *) = { ask_for_disks };

	shared_fd = self->fd;
	together(worker, 1, watcher, 1);
	EXPECT_STREQ("", complaint);
}

TEST_F(stat, counts_no_bytes_of_a_mapping)
{
	char *map;
	int file;

	ASSERT_EQ(0, APPLY(self->fd, ADD("/k", F)));
	file = open(KEY, O_RDWR);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, map);
	map[0] = map[1];
	EXPECT_STAT("/k", bytes_read, 0);
	EXPECT_EQ(0, self->st.bytes_written);
	munmap(map, PAGE);
	close(file);
}

TEST_F(stat, counts_bytes_below_a_directory)
{
	ASSERT_EQ(0, APPLY(self->fd,
			   ADD("/s", D, .type = RUMPFS_TYPE_SUBDIRS)));
	EXPECT_EQ(0, text_is(MNT "/s/a", "in d"));
	EXPECT_EQ(0, text_is(MNT "/s/sub/b", "in sub"));
	EXPECT_STAT("/s", bytes_read, 10);
	EXPECT_EQ(0, put_text(MNT "/s/sub/b", "123"));
	EXPECT_STAT("/s", bytes_written, 3);
}

TEST_F(stat, counts_bytes_of_a_disk)
{
	static char buf[8192];
	int file;

	ASSERT_EQ(0, APPLY(self->fd, ADD("/b", F, .type = RUMPFS_TYPE_BLK)));
	file = open(MNT "/b", O_RDWR);
	ASSERT_LE(0, file);
	EXPECT_EQ(8192, pread(file, buf, 8192, 0));
	EXPECT_EQ(8192, pwrite(file, buf, 8192, 8192));
	ASSERT_EQ(0, fsync(file));
	EXPECT_EQ(0, stat_key(self->fd, "/b", &self->st));
	/* The kernel reads ahead. */
	EXPECT_LE(8192, self->st.bytes_read);
	EXPECT_GE(2 * TOTAL, self->st.bytes_read);
	EXPECT_EQ(8192, self->st.bytes_written);
	close(file);
}

TEST_HARNESS_MAIN
