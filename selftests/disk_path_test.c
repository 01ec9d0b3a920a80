// SPDX-License-Identifier: GPL-2.0
/* Which way requests to a disk take, and how many of them went there. */

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

#include "lib/apply.h"
#include "lib/device.h"
#include "lib/dice.h"

#define F HOST "/d/f"
#define KEY MNT "/disk"
#define TOTAL (4 * 1024 * 1024)
#define SEED 11
#define WRITERS 8
#define BLOCK 4096

static unsigned char buf[BLOCK] __attribute__((aligned(4096)));

/* A count of the disk at the key, or -1. */
static long long count(const char *name)
{
	char path[128], text[32] = {};
	struct stat st;

	if (stat(KEY, &st))
		return -1;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/etfs/%s",
		 major(st.st_rdev), minor(st.st_rdev), name);
	return get_bytes(path, text, sizeof(text) - 1, 0) > 0 ? atoll(text) : -1;
}

FIXTURE(path)
{
	int fd;			/* of the mount */
};

FIXTURE_SETUP(path)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(path)
{
	close(self->fd);
	teardown_mount();
}

static int make_file_on_ext4(void)
{
	int err = mount_ext4(HOST "/d", HOST "/image", 32);

	return err ?: fill(F, TOTAL, SEED) ?:
	       run("sync; echo 3 >/proc/sys/vm/drop_caches");
}

TEST_F(path, tmpfs_is_served_from_its_pages)
{
	int fd;

	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/disk " F " blk -"));
	fd = open(KEY, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, count("reads_cached"));
	EXPECT_EQ(BLOCK, pread(fd, buf, BLOCK, 0));
	EXPECT_EQ(BLOCK, pread(fd, buf, BLOCK, BLOCK));
	EXPECT_EQ(BLOCK, pwrite(fd, buf, BLOCK, 0));
	EXPECT_EQ(2, count("reads_cached"));
	EXPECT_EQ(1, count("writes_cached"));
	EXPECT_EQ(0, count("reads_worker"));
	EXPECT_EQ(0, count("writes_worker"));
	close(fd);
}

TEST_F(path, a_miss_goes_to_a_worker)
{
	int fd;

	ASSERT_EQ(0, make_file_on_ext4());
	ASSERT_EQ(0, table("/disk " F " blk -"));
	fd = open(KEY, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(BLOCK, pread(fd, buf, BLOCK, 0));
	EXPECT_EQ(1, count("reads_worker"));
	EXPECT_EQ(BLOCK, pread(fd, buf, BLOCK, 0));
	EXPECT_EQ(1, count("reads_worker"));
	EXPECT_EQ(1, count("reads_cached"));
	EXPECT_EQ(BLOCK, pwrite(fd, buf, BLOCK, 0));
	EXPECT_EQ(1, count("writes_worker"));
	EXPECT_EQ(0, count("writes_cached"));
	close(fd);
}

TEST_F(path, what_fails_on_purpose_is_counted)
{
	int fd;

	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/disk " F " blk fail=10000/1"));
	fd = open(KEY, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EIO, ERR(pread(fd, buf, BLOCK, 0)));
	EXPECT_EQ(EIO, ERR(pwrite(fd, buf, BLOCK, 0)));
	EXPECT_EQ(2, count("failed"));
	EXPECT_EQ(0, count("reads_cached"));
	close(fd);
}

TEST_F(path, bytes_are_told_by_stat)
{
	struct rumpfs_stat stat;
	int fd;

	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/disk " F " blk -"));
	fd = open(KEY, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(BLOCK, pread(fd, buf, BLOCK, 0));
	EXPECT_EQ(512, pwrite(fd, buf, 512, 0));
	EXPECT_EQ(0, stat_key(self->fd, "/disk", &stat));
	EXPECT_EQ(BLOCK, stat.bytes_read);
	EXPECT_EQ(512, stat.bytes_written);
	close(fd);
}

/* One of several; the bytes of a block are those of its writer's next round. */
static int write_blocks(int who, int rounds)
{
	int fd = open(KEY, O_RDWR | O_DIRECT | O_CLOEXEC), nr, err = 0;

	if (fd < 0)
		return errno;
	for (nr = who; nr < rounds * WRITERS && !err; nr += WRITERS) {
		memset(buf, nr % 251 + 1, BLOCK);
		err = ERR(pwrite(fd, buf, BLOCK, (off_t)nr * BLOCK));
		memset(buf, 0, BLOCK);
		if (!err)
			err = ERR(pread(fd, buf, BLOCK, (off_t)nr * BLOCK));
		if (!err && byte_differs(buf, BLOCK, nr % 251 + 1) >= 0)
			err = EILSEQ;
	}
	close(fd);
	return err;
}

/* With dio: issued by who submits them, or where somebody has a claim by a worker. */
FIXTURE(direct)
{
	int claim;
};

FIXTURE_VARIANT(direct)
{
	bool is_claimed;
};

FIXTURE_VARIANT_ADD(direct, free) { };
FIXTURE_VARIANT_ADD(direct, claimed) { .is_claimed = true };

FIXTURE_SETUP(direct)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
	self->claim = -1;
}

FIXTURE_TEARDOWN(direct)
{
	close(self->claim);
	teardown_mount();
}

/* As a file system does it that is mounted. */
static int claim(int *fd, bool is_claimed)
{
	if (!is_claimed)
		return 0;
	*fd = open(KEY, O_RDONLY | O_EXCL | O_CLOEXEC);
	return *fd < 0 ? errno : 0;
}

TEST_F(direct, requests_run_side_by_side)
{
	int rounds = TOTAL / 2 / BLOCK / WRITERS, who, nr, fd;
	pid_t pids[WRITERS];

	ASSERT_EQ(0, make_file_on_ext4());
	ASSERT_EQ(0, table("/disk " F " blk dio,offset=65536,size=%d",
			   TOTAL / 2));
	ASSERT_EQ(0, claim(&self->claim, variant->is_claimed));
	for (who = 0; who < WRITERS; who++) {
		pids[who] = fork();
		if (!pids[who])
			_exit(write_blocks(who, rounds));
	}
	for (who = 0; who < WRITERS; who++)
		EXPECT_EQ(0, wait_status(pids[who]));
	EXPECT_EQ(rounds * WRITERS, count("writes_direct"));
	EXPECT_EQ(rounds * WRITERS, count("reads_direct"));
	EXPECT_EQ(0, count("writes_worker"));

	fd = open(F, O_RDONLY | O_CLOEXEC);
	for (nr = 0; nr < rounds * WRITERS; nr++) {
		ASSERT_EQ(BLOCK, pread(fd, buf, BLOCK,
				       65536 + (off_t)nr * BLOCK));
		ASSERT_EQ(-1, byte_differs(buf, BLOCK, nr % 251 + 1));
	}
	close(fd);
	EXPECT_EQ(0, fill_is(F, 0, 65536, 0, SEED));
	EXPECT_EQ(0, fill_is(F, 65536 + TOTAL / 2, 65536, 0, SEED));
}

/* A hole has no blocks yet: the host cannot do that without waiting. */
TEST_F(direct, writes_fill_holes)
{
	int fd;

	ASSERT_EQ(0, mount_ext4(HOST "/d", HOST "/image", 32));
	ASSERT_EQ(0, fill(F, 0, SEED));
	ASSERT_EQ(0, truncate(F, TOTAL));
	ASSERT_EQ(0, table("/disk " F " blk dio"));
	ASSERT_EQ(0, claim(&self->claim, variant->is_claimed));
	fd = open(KEY, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(BLOCK, pread(fd, buf, BLOCK, 65536));
	EXPECT_EQ(-1, byte_differs(buf, BLOCK, 0));
	memset(buf, 5, BLOCK);
	EXPECT_EQ(BLOCK, pwrite(fd, buf, BLOCK, 65536));
	EXPECT_EQ(0, fsync(fd));
	close(fd);
	EXPECT_EQ(BLOCK, get_bytes(F, buf, BLOCK, 65536));
	EXPECT_EQ(-1, byte_differs(buf, BLOCK, 5));
}

TEST_F(direct, reads_of_a_file_that_shrank_are_zeros)
{
	int fd;

	ASSERT_EQ(0, make_file_on_ext4());
	ASSERT_EQ(0, table("/disk " F " blk dio"));
	ASSERT_EQ(0, claim(&self->claim, variant->is_claimed));
	fd = open(KEY, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, truncate(F, BLOCK));
	memset(buf, 1, BLOCK);
	EXPECT_EQ(BLOCK, pread(fd, buf, BLOCK, BLOCK));
	EXPECT_EQ(-1, byte_differs(buf, BLOCK, 0));
	close(fd);
}

/* Writers that nobody stops get errors, and then the host file is let go. */
TEST_F(direct, revoke_ends_requests_under_way)
{
	pid_t pids[WRITERS];
	int who, status;

	ASSERT_EQ(0, make_file_on_ext4());
	ASSERT_EQ(0, table("/disk " F " blk dio"));
	ASSERT_EQ(0, claim(&self->claim, variant->is_claimed));
	for (who = 0; who < WRITERS; who++) {
		pids[who] = fork();
		if (pids[who])
			continue;
		while (!(status = write_blocks(who, 16)))
			;
		_exit(status);
	}
	EXPECT_TRUE(WAIT_FOR(count("writes_direct") >= WRITERS));
	EXPECT_EQ(0, table("-/disk revoke"));
	for (who = 0; who < WRITERS; who++)
		EXPECT_NE(0, wait_status(pids[who]));
	close(self->claim);
	self->claim = -1;
	EXPECT_EQ(0, ERR(umount(HOST "/d")));
}

static int limit_files(rlim_t bytes)
{
	struct rlimit limit = { bytes, bytes };

	return ERR(setrlimit(RLIMIT_FSIZE, &limit));
}

/* Of a process that may write no long files, with SIGXFSZ as it is. */
static int write_past_the_limit(void)
{
	int fd = open(KEY, O_WRONLY | O_DIRECT | O_CLOEXEC);

	memset(buf, 6, BLOCK);
	return limit_files(BLOCK) ?: ERR(pwrite(fd, buf, BLOCK, 16 * BLOCK));
}

/* What others have written to the device, by one who may write nothing. */
static int sync_past_the_limit(void)
{
	int err = limit_files(0);

	sync();
	return err;
}

TEST_F(direct, no_process_limit_counts_in_the_host)
{
	int fd;

	ASSERT_EQ(0, make_file_on_ext4());
	ASSERT_EQ(0, table("/disk " F " blk dio"));
	ASSERT_EQ(0, claim(&self->claim, variant->is_claimed));
	EXPECT_EQ(0, IN_CHILD(write_past_the_limit()));
	fd = open(KEY, O_RDWR | O_CLOEXEC);
	memset(buf, 7, BLOCK);
	ASSERT_EQ(BLOCK, pwrite(fd, buf, BLOCK, 32 * BLOCK));
	EXPECT_EQ(0, IN_CHILD(sync_past_the_limit()));
	EXPECT_EQ(0, fsync(fd));
	close(fd);
	ASSERT_EQ(BLOCK, get_bytes(F, buf, BLOCK, 16 * BLOCK));
	EXPECT_EQ(-1, byte_differs(buf, BLOCK, 6));
	ASSERT_EQ(BLOCK, get_bytes(F, buf, BLOCK, 32 * BLOCK));
	EXPECT_EQ(-1, byte_differs(buf, BLOCK, 7));
}

/* Every second block of the file is a hole, so that its extents fill a block. */
static int punch_holes(void)
{
	int fd = open(F, O_RDWR | O_CLOEXEC), err = 0;
	off_t at;

	for (at = BLOCK; !err && at < TOTAL; at += 2 * BLOCK)
		err = ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				    FALLOC_FL_KEEP_SIZE, at, BLOCK));
	close(fd);
	return err;
}

static int read_blocks(int who)
{
	int fd = open(KEY, O_RDONLY | O_DIRECT | O_CLOEXEC), err = 0, i;
	struct dice dice = { .state = who + 1 };
	off_t nr;

	if (fd < 0)
		return errno;
	for (i = 0; i < 100 && !err; i++) {
		nr = dice_roll(&dice, TOTAL / BLOCK);
		err = ERR(pread(fd, buf, BLOCK, nr * BLOCK));
		if (!err && (nr % 2 ? byte_differs(buf, BLOCK, 0) :
			     fill_differs(buf, BLOCK, nr * BLOCK, SEED)) != -1)
			err = EILSEQ;
	}
	close(fd);
	return err;
}

/* The host has to read its own blocks first: extents, and an inode for its atime. */
TEST_F(direct, reads_find_a_host_that_knows_nothing_yet)
{
	pid_t pids[WRITERS];
	int who;

	ASSERT_EQ(0, make_file_on_ext4());
	ASSERT_EQ(0, punch_holes());
	ASSERT_EQ(0, umount(HOST "/d"));
	ASSERT_EQ(0, mount_image("ext4", HOST "/image", HOST "/d"));
	ASSERT_EQ(0, table("/disk " F " blk dio"));
	ASSERT_EQ(0, claim(&self->claim, variant->is_claimed));
	for (who = 0; who < WRITERS; who++) {
		pids[who] = fork();
		if (!pids[who])
			_exit(read_blocks(who));
	}
	for (who = 0; who < WRITERS; who++)
		EXPECT_EQ(0, wait_status(pids[who]));
	EXPECT_EQ(WRITERS * 100, count("reads_direct"));
}

/* Many at once */

static int add_many(int fd, int many)
{
	struct rumpfs_op *ops = calloc(many, sizeof(*ops));
	char (*keys)[16] = calloc(many, sizeof(*keys));
	int nr, err;

	for (nr = 0; nr < many; nr++) {
		snprintf(keys[nr], sizeof(keys[nr]), "/d%d", nr);
		ops[nr] = ADD(keys[nr], F, .type = RUMPFS_TYPE_BLK,
			      .offset = 512 * nr, .size = 512);
	}
	err = apply_call(fd, ops, many, 0, 0);
	free(ops);
	free(keys);
	return err;
}

TEST_F_TIMEOUT(path, a_thousand_disks_are_there_at_once, 400)
{
	int many = turns(1030), round, nr;
	char path[64];
	bool *seen = calloc(many, 1);

	ASSERT_EQ(0, fill(F, 512 * many, SEED));
	/* Numbers are used again. */
	for (round = 0; round < 2; round++, many = 20) {
		memset(seen, 0, many);
		ASSERT_EQ(0, add_many(self->fd, many)) TH_LOG("%s", sentence);
		for (nr = 0; nr < many; nr++) {
			int is;

			snprintf(path, sizeof(path), MNT "/d%d", nr);
			is = device_nr(path);
			ASSERT_LE(0, is);
			ASSERT_GT(many, is);
			ASSERT_EQ(false, seen[is]);
			seen[is] = true;
			if (nr % 100 == 0)
				EXPECT_EQ(0, fill_is(path, 0, 512, 512 * nr,
						     SEED));
		}
		/* udev may have some open for a moment. */
		ASSERT_EQ(0, table("flush lazy"));
		EXPECT_NE(0, stat_err("/sys/block/rumpblk0"));
		snprintf(path, sizeof(path), "/dev/rumpblk%d", many - 1);
		EXPECT_EQ(ENOENT, stat_err(path));
	}
	free(seen);
}

TEST_HARNESS_MAIN
