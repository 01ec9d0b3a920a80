// SPDX-License-Identifier: GPL-2.0
/* A key is removed while it is in use: lazily at once, busily not at all. */

#include <sys/mman.h>

#include "lib/fixture.h"
#include "lib/together.h"

#define F HOST "/f"
#define G HOST "/g"
#define KEY MNT "/k"
#define TOTAL 65536

FIXTURE(use)
{
	int fd;
	char *map;
	pid_t child;
	int pipe[2];
};

FIXTURE_VARIANT(use)
{
	bool open, path, map, run, mount;
	int expected_busy;	/* what a busy removal says meanwhile */
	const char *options;
};

FIXTURE_VARIANT_ADD(use, nothing) { .expected_busy = 0 };
FIXTURE_VARIANT_ADD(use, an_open_file) { .open = true, .expected_busy = EBUSY };
FIXTURE_VARIANT_ADD(use, a_path_handle) { .path = true, .expected_busy = 0 };
FIXTURE_VARIANT_ADD(use, a_mapping) { .map = true, .expected_busy = EBUSY };
FIXTURE_VARIANT_ADD(use, a_mapping_unaligned) {
	.map = true, .options = "offset=1", .expected_busy = EBUSY };
FIXTURE_VARIANT_ADD(use, both) { .open = true, .map = true, .expected_busy = EBUSY };
FIXTURE_VARIANT_ADD(use, a_running_program) { .run = true, .expected_busy = EBUSY };
FIXTURE_VARIANT_ADD(use, a_mount_on_it) { .mount = true, .expected_busy = EBUSY };

FIXTURE_SETUP(use)
{
	int fd;

	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, variant->run ? run("cp /bin/cat %s", F) : fill(F, TOTAL, 1));
	ASSERT_EQ(0, put_text(G, "other"));
	ASSERT_EQ(0, table("/k " F " reg %s,mode=755,tag=t\n/other " G
			   " reg tag=t",
			   variant->options ?: "rw"));
	fd = open(KEY, variant->path ? O_PATH : O_RDONLY);
	ASSERT_LE(0, fd);
	self->fd = -1;
	if (variant->map) {
		self->map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		ASSERT_NE(MAP_FAILED, self->map);
	}
	if (variant->open || variant->path)
		self->fd = fd;
	else
		close(fd);
	if (variant->run) {
		ASSERT_EQ(0, pipe(self->pipe));
		self->child = fork();
		if (!self->child) {
			dup2(self->pipe[0], 0);
			dup2(open("/dev/null", O_WRONLY), 1);
			close(self->pipe[1]);
			execl(KEY, "cat", NULL);
			_exit(127);
		}
		/* Once the pipe is drained the program runs. */
		ASSERT_EQ(1, write(self->pipe[1], "\n", 1));
		ASSERT_TRUE(WAIT_FOR(!run("readlink /proc/%d/exe | grep -q /k$",
					  self->child)));
	}
	if (variant->mount)
		ASSERT_EQ(0, ERR(mount(G, KEY, NULL, MS_BIND, NULL)));
}

FIXTURE_TEARDOWN(use)
{
	teardown_mount();
}

/* Let go of all that the setup holds. */
static void release(FIXTURE_DATA(use) * self,
		    const FIXTURE_VARIANT(use) * variant)
{
	if (self->fd >= 0)
		close(self->fd);
	if (variant->map)
		munmap(self->map, PAGE);
	if (variant->run) {
		close(self->pipe[1]);
		wait_status(self->child);
	}
	if (variant->mount)
		umount(KEY);
}

TEST_F(use, stops_a_busy_removal)
{
	EXPECT_EQ(variant->expected_busy, table("-/k busy"));
	if (!variant->expected_busy)
		return;
	EXPECT_TRUE(last_error_has("/k"));
	EXPECT_TRUE(row_has("/k", "tag=t"));

	/* Of many, none goes if one is in use. */
	EXPECT_EQ(EBUSY, table("flush busy"));
	EXPECT_EQ(EBUSY, table("-@t busy"));
	EXPECT_EQ(EBUSY, table("-/other\n-/k busy"));
	EXPECT_TRUE(row_has("/other", "tag=t"));
	EXPECT_EQ(0, text_is(MNT "/other", "other"));
	release(self, variant);
	EXPECT_TRUE(WAIT_FOR(!table("-/k busy")));
	EXPECT_EQ(ENOENT, stat_err(KEY));
}

TEST_F(use, goes_on_after_a_lazy_removal)
{
	char byte = 0;

	ASSERT_EQ(0, table("-/k lazy"));
	if (!variant->mount)
		EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_EQ(NULL, row_of("/k"));
	if (variant->open) {
		EXPECT_EQ(1, pread(self->fd, &byte, 1, 5000));
		EXPECT_EQ(-1, fill_differs(&byte, 1, 5000, 1));
	}
	if (variant->map)
		EXPECT_EQ(-1, fill_differs(self->map, PAGE,
					   variant->options ? 1 : 0, 1));
	/* A handle opens what has no name any more, as that of any file. */
	if (variant->path) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
		EXPECT_EQ(1, get_bytes(path, &byte, 1, 5000));
		EXPECT_EQ(-1, fill_differs(&byte, 1, 5000, 1));
	}
	release(self, variant);

	/* The name is free, and a new key has nothing of the old one. */
	ASSERT_EQ(0, table("/k " G " reg"));
	EXPECT_EQ(0, text_is(KEY, "other"));
	EXPECT_EQ(0, table("flush busy"));
}

TEST_F(use, does_not_stop_a_replacement)
{
	ASSERT_EQ(0, table("=/k " G " reg"));
	if (!variant->mount)
		EXPECT_EQ(0, text_is(KEY, "other"));
	release(self, variant);
	EXPECT_EQ(0, text_is(KEY, "other"));
	EXPECT_EQ(0, table("-/k busy"));
}

FIXTURE(removal)
{
};

FIXTURE_SETUP(removal)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, TOTAL, 1));
	ASSERT_EQ(0, put_text(G, "other"));
}

FIXTURE_TEARDOWN(removal)
{
	teardown_mount();
}

TEST_F(removal, writers_write_on)
{
	int fd;

	ASSERT_EQ(0, table("/k " F " reg offset=4096,size=4096"));
	fd = open(KEY, O_RDWR);
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(3, pwrite(fd, "end", 3, 4000));
	EXPECT_EQ(ENOSPC, ERR(pwrite(fd, "x", 1, 4096)));
	EXPECT_NE(0, fill_is(F, 8096, 3, 0, 1));
	EXPECT_EQ(0, fill_is(F, 8192, 100, 0, 1));
	EXPECT_EQ(0, fsync(fd));
	close(fd);
}

TEST_F(removal, use_in_another_mount_counts)
{
	int fd;

	ASSERT_EQ(0, mount_at(MNT2, NULL));
	ASSERT_EQ(0, table("/k " F " reg"));
	fd = open(MNT2 "/k", O_RDONLY);
	EXPECT_EQ(EBUSY, table("-/k busy"));
	close(fd);
	EXPECT_EQ(0, table("-/k busy"));
}

TEST_F(removal, a_working_directory_does_not_count)
{
	ASSERT_EQ(0, table("/d/k " F " reg"));
	ASSERT_EQ(0, chdir(MNT "/d"));
	EXPECT_EQ(0, table("-/d/k busy"));
	EXPECT_EQ(ENOENT, stat_err("k"));
	EXPECT_EQ(0, chdir("/"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/d"));
}

TEST_F(removal, what_the_host_has_open_does_not_count)
{
	int fd = open(F, O_RDWR);

	ASSERT_EQ(0, table("/k " F " reg"));
	EXPECT_EQ(0, table("-/k busy"));
	close(fd);
}

/* The name is gone for everyone when the call returns. */
TEST_F(removal, cached_names_are_gone_at_once)
{
	char path[64];
	int i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, table("/d/k%d " F " reg", i));
		snprintf(path, sizeof(path), MNT "/d/k%d", i);
		ASSERT_EQ(0, stat_err(path));
		ASSERT_EQ(0, table("-/d/k%d", i));
		ASSERT_EQ(ENOENT, stat_err(path));
	}
	EXPECT_EQ(ENOENT, stat_err(MNT "/d"));
}

TEST_F(removal, umount_ends_with_open_files_of_removed_keys)
{
	char byte;
	int fd;

	ASSERT_EQ(0, table("/k " F " reg"));
	fd = open(KEY, O_RDONLY);
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(EBUSY, ERR(umount(MNT)));
	EXPECT_EQ(1, pread(fd, &byte, 1, 0));
	close(fd);
	EXPECT_TRUE(WAIT_FOR(!umount(MNT)));
}

TEST_F(removal, the_host_is_let_go)
{
	int fd;

	ASSERT_EQ(0, mkdir(HOST "/m", 0755));
	ASSERT_EQ(0, mount("none", HOST "/m", "tmpfs", 0, NULL));
	ASSERT_EQ(0, fill(HOST "/m/f", TOTAL, 1));
	ASSERT_EQ(0, table("/k " HOST "/m/f reg\n/disk " HOST "/m/f blk"));
	fd = open(KEY, O_RDONLY);
	EXPECT_EQ(EBUSY, ERR(umount(HOST "/m")));
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(EBUSY, ERR(umount(HOST "/m")));
	close(fd);
	EXPECT_TRUE(WAIT_FOR(!umount(HOST "/m")));
}

/* The size that fstat tells, or minus the errno. */
static long long fsize_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -errno : (long long)st.st_size;
}

FIXTURE(kept)
{
	int fd;
};

FIXTURE_VARIANT(kept)
{
	const char *type, *set;
	/* what fstat tells of a file; a device has no size */
	long long size;
	bool keeps;
};

FIXTURE_VARIANT_ADD(kept, reg) {
	.type = "reg", .set = "=/k " G " reg", .size = TOTAL };
FIXTURE_VARIANT_ADD(kept, reg_pin) {
	.type = "reg pin", .set = "=/k " G " reg", .size = TOTAL,
	.keeps = true };
FIXTURE_VARIANT_ADD(kept, reg_removed) {
	.type = "reg", .set = "-/k", .size = TOTAL };
FIXTURE_VARIANT_ADD(kept, blk) { .type = "blk", .set = "=/k " G " blk" };
FIXTURE_VARIANT_ADD(kept, blk_same) {
	.type = "blk", .set = "=/k " F " blk offset=512" };
FIXTURE_VARIANT_ADD(kept, blk_removed) { .type = "blk", .set = "-/k" };
FIXTURE_VARIANT_ADD(kept, chr) { .type = "chr", .set = "=/k " G " chr" };
FIXTURE_VARIANT_ADD(kept, chr_removed) { .type = "chr", .set = "-/k" };

FIXTURE_SETUP(kept)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, TOTAL, 1));
	ASSERT_EQ(0, chmod(F, 0640));
	ASSERT_EQ(0, put_text(G, "other"));
	ASSERT_EQ(0, table("/k " F " %s", variant->type));
	self->fd = open(KEY, O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(kept)
{
	close(self->fd);
	teardown_mount();
}

/* Who has it open asks the file that is open, wherever that went. */
TEST_F(kept, attributes_are_those_of_the_open_file)
{
	struct stat st;

	ASSERT_EQ(0, table("%s", variant->set));
	ASSERT_EQ(0, rename(F, HOST "/elsewhere"));
	EXPECT_EQ(variant->size, fsize_of(self->fd));
	ASSERT_EQ(0, chmod(HOST "/elsewhere", 0604));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(0604, st.st_mode & 07777);

	ASSERT_EQ(0, put_text(F, "another"));
	EXPECT_EQ(variant->size, fsize_of(self->fd));
	ASSERT_EQ(0, unlink(HOST "/elsewhere"));
	EXPECT_EQ(variant->size, fsize_of(self->fd));
	EXPECT_EQ(0, ERR(fchmod(self->fd, 0600)));
}

/* A name of it that nobody has open asks in vain, but for one that is pinned. */
TEST_F(kept, a_path_handle_alone_keeps_no_host)
{
	struct stat st;
	int fd = open(KEY, O_PATH);

	ASSERT_LE(0, fd);
	close(self->fd);
	ASSERT_EQ(0, table("%s", variant->set));
	ASSERT_EQ(0, table("flush"));
	ASSERT_EQ(0, unlink(F));
	EXPECT_TRUE(WAIT_FOR(ERR(fstat(fd, &st)) ==
			     (variant->keeps ? 0 : ESTALE)));
	self->fd = fd;
}

#define TURNS 60
#define PINNED 400

static unsigned int opens;

/* So that no call of open(2) meets two removals. */
static void wait_for_opens(void)
{
	unsigned int was = __atomic_load_n(&opens, __ATOMIC_ACQUIRE);

	if (!WAIT_FOR(__atomic_load_n(&opens, __ATOMIC_ACQUIRE) - was >= 2))
		complain("nobody opens the key");
}

static void *add_and_remove_busily(void *arg)
{
	int i, err;

	for (i = 0; i < TURNS; i++) {
		err = table("=/k " F " reg pin,tag=t");
		if (err)
			complain("adding the key: %s", strerror(err));
		wait_for_opens();
		err = table("-@t busy");
		if (err && err != EBUSY)
			complain("removing the key: %s", strerror(err));
		wait_for_opens();
	}
	return arg;
}

static void *open_and_close(void *arg)
{
	while (going_on()) {
		int fd = open(KEY, O_RDONLY);

		if (fd < 0 && errno != ENOENT)
			complain("opening the key: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		__atomic_add_fetch(&opens, 1, __ATOMIC_ACQ_REL);
	}
	return arg;
}

FIXTURE(busily)
{
};

FIXTURE_SETUP(busily)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(F, ""));
}

FIXTURE_TEARDOWN(busily)
{
	teardown_mount();
}

/* A claim takes a while where many are pinned. */
TEST_F(busily, an_opener_sees_the_key_or_none)
{
	void *(*workers[])(void *) = { add_and_remove_busily };
	void *(*watchers[])(void *) = { open_and_close };
	int i;

	for (i = 0; i < PINNED; i++)
		ASSERT_EQ(0, table("/pinned%d " F " reg pin", i));
	together(workers, 1, watchers, 1);
	EXPECT_STREQ("", complaint);
}

TEST_HARNESS_MAIN
