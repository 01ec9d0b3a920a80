// SPDX-License-Identifier: GPL-2.0
/* A full mount says so exactly, loses nothing, and gives back what is freed. */

#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"
#define FILE_B MNT "/b"
#define PAGES 256		/* of size=1M */
#define INODES 20

static char page[PAGE];

FIXTURE(limits)
{
	struct statvfs empty;
};

FIXTURE_SETUP(limits)
{
	ASSERT_EQ(0, setup_mount("size=1M,nr_inodes=20"));
	ASSERT_EQ(0, statvfs(MNT, &self->empty));
	memset(page, 'p', PAGE);
}

FIXTURE_TEARDOWN(limits)
{
	teardown_mount();
}

static struct statvfs now(void)
{
	struct statvfs st = {};

	statvfs(MNT, &st);
	return st;
}

/* Write whole pages until it fails; how many were taken. */
static int write_pages(const char *path, int *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	int n = 0;

	if (fd < 0) {
		*err = errno;
		return 0;
	}
	while (n < 2 * PAGES && write(fd, page, PAGE) == PAGE)
		n++;
	*err = errno;
	close(fd);
	return n;
}

TEST_F(limits, statfs_tells_both_limits)
{
	EXPECT_EQ(PAGES, self->empty.f_blocks * self->empty.f_frsize / PAGE);
	EXPECT_EQ(INODES, self->empty.f_files);
	EXPECT_EQ(PAGES, self->empty.f_bfree * self->empty.f_frsize / PAGE);
	EXPECT_EQ(self->empty.f_bfree, self->empty.f_bavail);

	/* The root directory is one of the inodes. */
	EXPECT_EQ(INODES - 1, self->empty.f_ffree);
}

TEST_F(limits, exactly_the_pages_can_be_written)
{
	int err;

	EXPECT_EQ(PAGES, write_pages(FILE_A, &err));
	EXPECT_EQ(ENOSPC, err);
	EXPECT_EQ(PAGES * PAGE, size_of(FILE_A));
	EXPECT_EQ(0, now().f_bfree);

	/* What is there can be read and overwritten. */
	EXPECT_EQ(PAGE, get_bytes(FILE_A, page, PAGE, (PAGES - 1) * PAGE));
	EXPECT_EQ(-1, byte_differs(page, PAGE, 'p'));
	err = open(FILE_A, O_WRONLY);
	EXPECT_EQ(PAGE, pwrite(err, page, PAGE, 17));
	close(err);

	/* One page given back is one page to be had. */
	ASSERT_EQ(0, truncate(FILE_A, (PAGES - 1) * PAGE));
	EXPECT_EQ(1, write_pages(FILE_B, &err));
	EXPECT_EQ(ENOSPC, err);
}

TEST_F(limits, one_large_write_is_cut_at_the_limit)
{
	char *buf = calloc(2 * PAGES, PAGE);
	int fd = open(FILE_A, O_WRONLY | O_CREAT, 0644);

	EXPECT_EQ(PAGES * PAGE, write(fd, buf, 2 * PAGES * PAGE));
	EXPECT_EQ(ENOSPC, ERR(write(fd, buf, 1)));
	close(fd);
	EXPECT_EQ(PAGES * PAGE, size_of(FILE_A));
	free(buf);
}

TEST_F(limits, all_is_given_back)
{
	int err, round, fd;

	for (round = 0; round < 3; round++) {
		ASSERT_EQ(PAGES, write_pages(FILE_A, &err));
		ASSERT_EQ(0, round ? unlink(FILE_A) : truncate(FILE_A, 0));
		EXPECT_EQ(self->empty.f_bfree, now().f_bfree);
	}
	EXPECT_EQ(self->empty.f_ffree, now().f_ffree);

	/* An open file keeps what it holds until it is closed. */
	ASSERT_EQ(PAGES, write_pages(FILE_A, &err));
	fd = open(FILE_A, O_RDWR);
	ASSERT_EQ(0, unlink(FILE_A));
	EXPECT_EQ(0, now().f_bfree);
	EXPECT_EQ(self->empty.f_ffree - 1, now().f_ffree);
	close(fd);
	EXPECT_TRUE(WAIT_FOR(now().f_bfree == self->empty.f_bfree));
	EXPECT_EQ(self->empty.f_ffree, now().f_ffree);
}

TEST_F(limits, names_and_links_are_given_back)
{
	static char target[4096];
	char path[300];
	int round, i;

	memset(target, 't', 4000);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 6; i++) {
			snprintf(path, sizeof(path), MNT "/%0200d", i);
			ASSERT_EQ(0, symlink(target, path));
			snprintf(path, sizeof(path), MNT "/d%0200d", i);
			ASSERT_EQ(0, mkdir(path, 0755));
			snprintf(path, sizeof(path), MNT "/d%0200d/f", i);
			ASSERT_EQ(0, put_text(path, "x"));
		}
		for (i = 0; i < 6; i++) {
			snprintf(path, sizeof(path), MNT "/%0200d", i);
			ASSERT_EQ(0, rename(path, MNT "/short"));
			ASSERT_EQ(0, unlink(MNT "/short"));
			snprintf(path, sizeof(path), MNT "/d%0200d/f", i);
			ASSERT_EQ(0, unlink(path));
			snprintf(path, sizeof(path), MNT "/d%0200d", i);
			ASSERT_EQ(0, rmdir(path));
		}
	}
	EXPECT_EQ(self->empty.f_bfree, now().f_bfree);
	EXPECT_EQ(self->empty.f_ffree, now().f_ffree);
}

/* Stores through a mapping are charged as writes are, and stopped as exactly. */
TEST_F(limits, mapped_stores_stop_at_the_limit)
{
	int *n = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = open(FILE_A, O_RDWR | O_CREAT, 0644);
	char *map;
	pid_t pid;

	ASSERT_EQ(0, ftruncate(fd, 2 * PAGES * PAGE));
	map = mmap(NULL, 2 * PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	pid = fork();
	if (!pid) {
		for (*n = 0; *n < 2 * PAGES; ++*n)
			map[*n * PAGE] = 'm';
		_exit(0);
	}
	EXPECT_EQ(128 + SIGBUS, wait_status(pid));
	EXPECT_EQ(PAGES, *n);
	EXPECT_EQ('m', map[(PAGES - 1) * PAGE]);
	munmap(map, 2 * PAGES * PAGE);
	close(fd);
	ASSERT_EQ(0, unlink(FILE_A));
	EXPECT_TRUE(WAIT_FOR(now().f_bfree == self->empty.f_bfree));
}

/* A private copy is the process' own memory. */
TEST_F(limits, private_copies_are_not_charged)
{
	char *map;
	int err, fd;

	ASSERT_EQ(PAGES, write_pages(FILE_A, &err));
	fd = open(FILE_A, O_RDONLY);
	map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
		   0);
	ASSERT_NE(MAP_FAILED, map);
	memset(map, 'c', PAGES * PAGE);
	EXPECT_EQ(0, now().f_bfree);
	munmap(map, PAGES * PAGE);
	close(fd);
	EXPECT_EQ(PAGE, get_bytes(FILE_A, page, PAGE, 0));
	EXPECT_EQ(-1, byte_differs(page, PAGE, 'p'));
}

TEST_F(limits, a_gap_costs_only_the_pages_written)
{
	int fd = open(FILE_A, O_RDWR | O_CREAT, 0644);
	int i;

	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(1, pwrite(fd, "x", 1, (off_t)i << 20));
	EXPECT_EQ(ENOSPC, ERR(pwrite(fd, "x", 1, (off_t)i << 20)));
	EXPECT_EQ(((off_t)(PAGES - 1) << 20) + 1, size_of(FILE_A));
	close(fd);
}

TEST_F(limits, exactly_the_inodes_can_be_made)
{
	char path[64];
	int n;

	for (n = 0; n < 2 * INODES; n++) {
		snprintf(path, sizeof(path), MNT "/%d", n);
		if (mkdir(path, 0755))
			break;
	}
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(INODES - 1, n);
	EXPECT_EQ(0, now().f_ffree);
	EXPECT_EQ(INODES - 1, count_names(MNT));
	EXPECT_EQ(ENOSPC, open_err(FILE_A, O_RDWR | O_CREAT));
	EXPECT_EQ(ENOSPC, open_err(MNT, O_TMPFILE | O_RDWR));
	EXPECT_EQ(ENOSPC, ERR(symlink("x", FILE_A)));
	EXPECT_EQ(ENOSPC, ERR(mkfifo(FILE_A, 0644)));

	/* Nothing is half done: the name stays where it was. */
	EXPECT_EQ(ENOSPC, ERR(renameat2(AT_FDCWD, MNT "/0", AT_FDCWD, FILE_A,
					RENAME_WHITEOUT)));
	EXPECT_EQ(0, stat_err(MNT "/0"));
	EXPECT_EQ(ENOENT, stat_err(FILE_A));
	EXPECT_EQ(0, rename(MNT "/0", FILE_A));
	ASSERT_EQ(0, rmdir(FILE_A));
	EXPECT_EQ(0, put_text(FILE_A, "x"));
}

TEST_F(limits, remount_changes_the_limits)
{
	int err;

	ASSERT_EQ(0,
		  mount(NULL, MNT, NULL, MS_REMOUNT, "size=64k,nr_inodes=5"));
	EXPECT_EQ(16, write_pages(FILE_A, &err));
	EXPECT_EQ(ENOSPC, err);
	EXPECT_EQ(0, mkdir(MNT "/d1", 0755));
	EXPECT_EQ(0, mkdir(MNT "/d2", 0755));
	EXPECT_EQ(0, mkdir(MNT "/d3", 0755));
	EXPECT_EQ(ENOSPC, ERR(mkdir(MNT "/d4", 0755)));
	ASSERT_EQ(0,
		  mount(NULL, MNT, NULL, MS_REMOUNT, "size=128k,nr_inodes=6"));
	EXPECT_EQ(16, write_pages(FILE_A, &err));
	EXPECT_EQ(0, mkdir(MNT "/d4", 0755));
	EXPECT_EQ(ENOSPC, ERR(mkdir(MNT "/d5", 0755)));
}

TEST_F(limits, remount_below_what_is_used_is_refused)
{
	int err;

	ASSERT_EQ(PAGES, write_pages(FILE_A, &err));
	ASSERT_EQ(0, mkdir(MNT "/d", 0755));
	EXPECT_EQ(EINVAL, ERR(mount(NULL, MNT, NULL, MS_REMOUNT, "size=512k")));
	EXPECT_EQ(EINVAL,
		  ERR(mount(NULL, MNT, NULL, MS_REMOUNT, "nr_inodes=2")));
	EXPECT_EQ(self->empty.f_blocks, now().f_blocks);
	EXPECT_EQ(self->empty.f_files, now().f_files);
}

/* Change one option of the mount: the errno, and what the log says. */
static int change_option(const char *key, const char *value, char *log,
			 size_t len)
{
	int fd = fspick(AT_FDCWD, MNT, FSPICK_CLOEXEC), err;
	ssize_t got;

	if (fd < 0)
		return errno;
	err = ERR(fsconfig(fd, FSCONFIG_SET_STRING, key, value, 0));
	if (!err)
		err = ERR(fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL,
				   0));
	got = read(fd, log, len - 1);
	log[got < 0 ? 0 : got] = '\0';
	close(fd);
	return err;
}

TEST_F(limits, the_refusal_tells_the_numbers)
{
	char log[512];

	if (!is_rumpfs())
		SKIP(return, "tmpfs tells no numbers");
	ASSERT_EQ(0, put_bytes(FILE_A, page, PAGE));
	ASSERT_EQ(0, put_bytes(FILE_B, page, PAGE));
	EXPECT_EQ(EINVAL, change_option("size", "4k", log, sizeof(log)));
	EXPECT_EQ(0, strcmp(log, "e rumpfs: size=4096: below the 8192 in use\n")) {
		TH_LOG("%s", log);
	}
	EXPECT_EQ(EINVAL, change_option("nr_inodes", "2", log, sizeof(log)));
	EXPECT_EQ(0, strcmp(log, "e rumpfs: nr_inodes=2: below the 3 in use\n")) {
		TH_LOG("%s", log);
	}

	/* What is in use is enough, and then there is no more. */
	EXPECT_EQ(0, change_option("size", "8192", log, sizeof(log)));
	EXPECT_EQ(0, change_option("nr_inodes", "3", log, sizeof(log)));
	EXPECT_EQ(0, now().f_bfree);
	EXPECT_EQ(0, now().f_ffree);
	EXPECT_EQ(ENOSPC, open_err(MNT "/c", O_RDWR | O_CREAT));
	ASSERT_EQ(0, unlink(FILE_B));
	EXPECT_EQ(1, now().f_bfree);
	EXPECT_EQ(0, put_bytes(MNT "/c", page, PAGE));
}

TEST_F(limits, a_limit_can_be_lifted_and_set_again)
{
	int err;

	ASSERT_EQ(PAGES, write_pages(FILE_A, &err));
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT, "size=2m"));
	EXPECT_EQ(2 * PAGES, now().f_blocks);
	EXPECT_EQ(PAGES, now().f_bfree);
	EXPECT_EQ(PAGES, write_pages(FILE_B, &err));
	EXPECT_EQ(ENOSPC, err);
	if (!is_rumpfs())
		SKIP(return, "tmpfs refuses to go from a limit to none");
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT, "size=0,nr_inodes=0"));
	EXPECT_EQ(0, now().f_blocks);
	EXPECT_EQ(2 * PAGES, write_pages(FILE_B, &err));

	/* What was taken meanwhile counts. */
	EXPECT_EQ(EINVAL, ERR(mount(NULL, MNT, NULL, MS_REMOUNT, "size=3m")));
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT, "size=4m,nr_inodes=3"));
	EXPECT_EQ(0, now().f_bfree);
	EXPECT_EQ(0, now().f_ffree);
}

/* A write that is cut in the middle leaves what was written before it. */
TEST_F(limits, a_full_mount_leaves_a_file_as_it_was)
{
	int fd = open(FILE_A, O_RDWR | O_CREAT, 0644), err;
	char *buf = malloc(PAGES * PAGE);
	struct stat st;

	memset(buf, 'b', PAGES * PAGE);
	ASSERT_EQ(100, pwrite(fd, page, 100, 0));
	err = open(FILE_B, O_RDWR | O_CREAT, 0644);
	ASSERT_EQ(0, fallocate(err, 0, 0, (PAGES - 3) * PAGE));
	close(err);

	/* Two pages are left, and the first is there. */
	EXPECT_EQ(3 * PAGE - 50, pwrite(fd, buf, 10 * PAGE, 50));
	EXPECT_EQ(3 * PAGE, size_of(FILE_A));
	EXPECT_EQ(ENOSPC, ERR(pwrite(fd, buf, 10 * PAGE, 3 * PAGE)));
	EXPECT_EQ(ENOSPC, ERR(pwrite(fd, buf, 1, 1 << 30)));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(3 * PAGE, st.st_size);
	EXPECT_EQ(3 * PAGE / 512, st.st_blocks);
	EXPECT_EQ(0, now().f_bfree);

	/* Up to the end of a page no more is needed. */
	ASSERT_EQ(0, ftruncate(fd, 2 * PAGE + 10));
	EXPECT_EQ(PAGE - 10, pwrite(fd, buf, PAGE, 2 * PAGE + 10));
	EXPECT_EQ(3 * PAGE, size_of(FILE_A));
	close(fd);
	free(buf);
}

TEST_F(limits, zero_means_no_limit)
{
	char path[64];
	int i;

	ASSERT_EQ(0, mount_at(MNT2, "size=0,nr_inodes=0"));
	for (i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), MNT2 "/%d", i);
		ASSERT_EQ(0, put_bytes(path, page, PAGE));
	}
	umount2(MNT2, MNT_DETACH);
}

TEST_HARNESS_MAIN
