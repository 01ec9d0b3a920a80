// SPDX-License-Identifier: GPL-2.0
/* What becomes of a file key while its host lives on. */

#include <linux/fs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "lib/fixture.h"

#define D HOST "/d"
#define F D "/f"
#define KEY MNT "/k"
#define BELOW MNT "/m/f"

/* The same on each kind of host file system: as a key, and below one. */
FIXTURE(host_life)
{
};

FIXTURE_VARIANT(host_life)
{
	const char *name;
	const char *file;
};

FIXTURE_VARIANT_ADD(host_life, tmpfs) { .name = "tmpfs", .file = KEY };
FIXTURE_VARIANT_ADD(host_life, below_tmpfs) { .name = "tmpfs", .file = BELOW };
FIXTURE_VARIANT_ADD(host_life, ext4) { .name = "ext4", .file = KEY };
FIXTURE_VARIANT_ADD(host_life, below_ext4) { .name = "ext4", .file = BELOW };
FIXTURE_VARIANT_ADD(host_life, overlay) { .name = "overlay", .file = KEY };
FIXTURE_VARIANT_ADD(host_life, below_overlay) { .name = "overlay", .file = BELOW };
FIXTURE_VARIANT_ADD(host_life, xfs) { .name = "xfs", .file = KEY };
FIXTURE_VARIANT_ADD(host_life, below_xfs) { .name = "xfs", .file = BELOW };
FIXTURE_VARIANT_ADD(host_life, btrfs) { .name = "btrfs", .file = KEY };
FIXTURE_VARIANT_ADD(host_life, below_btrfs) { .name = "btrfs", .file = BELOW };

FIXTURE_SETUP(host_life)
{
	ASSERT_EQ(0, setup_mount(NULL));
	if (!has_kind(variant->name))
		SKIP(return, "no %s here", variant->name);
	ASSERT_EQ(0, mount_kind(variant->name, D));
	ASSERT_EQ(0, put_text(F, "first"));
	ASSERT_EQ(0, table("/k " F " reg\n/m " D " subdirs"));
}

FIXTURE_TEARDOWN(host_life)
{
	teardown_mount();
}

struct blocked {
	int fd;
	int err;
	bool is_done;
};

static void *write_one(void *arg)
{
	struct blocked *blocked = arg;

	blocked->err = ERR(pwrite(blocked->fd, "thawed", 6, 0));
	__atomic_store_n(&blocked->is_done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Is the thread asleep where no signal wakes it? */
static bool is_stuck(pid_t tid)
{
	return state_of(tid) == 'D';
}

static pid_t other_thread(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	pid_t tid = 0;

	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name) && atoi(entry->d_name) != getpid())
			tid = atoi(entry->d_name);
	closedir(dir);
	return tid;
}

TEST_F(host_life, frozen)
{
	struct iovec iov = { "nowait", 6 };
	struct blocked blocked = { };
	pthread_t thread;
	int dir;

	dir = open(D, O_RDONLY | O_DIRECTORY);
	blocked.fd = open(variant->file, O_RDWR);
	ASSERT_LE(0, blocked.fd);
	if (ioctl(dir, FIFREEZE, 0)) {
		EXPECT_EQ(EOPNOTSUPP, errno);
		SKIP(return, "%s cannot be frozen", variant->name);
	}
	EXPECT_EQ(EAGAIN, ERR(pwritev2(blocked.fd, &iov, 1, 0, RWF_NOWAIT)));
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_one, &blocked));
	EXPECT_TRUE(WAIT_FOR(is_stuck(other_thread())));
	EXPECT_FALSE(__atomic_load_n(&blocked.is_done, __ATOMIC_ACQUIRE));
	/* It can be read meanwhile. */
	EXPECT_EQ(0, text_is(variant->file, "first"));
	ASSERT_EQ(0, ERR(ioctl(dir, FITHAW, 0)));
	EXPECT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, blocked.err);
	EXPECT_EQ(0, text_is(F, "thawed"));
}

static const char *cut_path;

static void *cut_one(void *data)
{
	struct blocked *blocked = data;

	blocked->err = ERR(truncate(cut_path, 2));
	__atomic_store_n(&blocked->is_done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void *chmod_one(void *data)
{
	struct blocked *blocked = data;

	blocked->err = ERR(chmod(cut_path, 0600));
	__atomic_store_n(&blocked->is_done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Who waits for the host has no lock that others want. */
TEST_F(host_life, frozen_while_it_is_cut)
{
	struct blocked cut = { }, other = { };
	pthread_t threads[2];
	int dir;

	dir = open(D, O_RDONLY | O_DIRECTORY);
	cut_path = variant->file;
	if (ioctl(dir, FIFREEZE, 0)) {
		EXPECT_EQ(EOPNOTSUPP, errno);
		SKIP(return, "%s cannot be frozen", variant->name);
	}
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, cut_one, &cut));
	EXPECT_TRUE(WAIT_FOR(is_stuck(other_thread())));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, chmod_one, &other));
	EXPECT_TRUE(WAIT_FOR(__atomic_load_n(&other.is_done,
					     __ATOMIC_ACQUIRE)));
	EXPECT_FALSE(__atomic_load_n(&cut.is_done, __ATOMIC_ACQUIRE));
	ASSERT_EQ(0, ERR(ioctl(dir, FITHAW, 0)));
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_EQ(0, cut.err);
	EXPECT_EQ(2, size_of(F));
}

TEST_F(host_life, full)
{
	static char buf[1 << 20];
	unsigned long long sum = 0;
	ssize_t done;
	int fd, err;

	if (!strcmp(variant->name, "overlay"))
		SKIP(return, "an overlay is as large as what it is on");
	memset(buf, 'x', sizeof(buf));
	fd = open(variant->file, O_WRONLY | O_TRUNC);
	ASSERT_LE(0, fd);
	while ((done = write(fd, buf, sizeof(buf))) > 0)
		sum += done;
	err = errno;
	EXPECT_EQ(-1, done);
	EXPECT_EQ(ENOSPC, err);
	EXPECT_LT(4 << 20, sum);
	/* What was counted is there, and nothing else. */
	EXPECT_EQ(sum, size_of(F));
	EXPECT_EQ(sum, size_of(variant->file));
	/* A full btrfs may have no room to cut a file, either. */
	if (!strcmp(variant->name, "btrfs"))
		return;
	EXPECT_EQ(0, ERR(ftruncate(fd, 0)));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, ERR(fsync(open(F, O_RDONLY))));
	EXPECT_EQ(0, put_text(variant->file, "room again"));
	EXPECT_EQ(0, text_is(F, "room again"));
}

TEST_F(host_life, read_only)
{
	ASSERT_EQ(0, ERR(mount(NULL, D, NULL, MS_REMOUNT | MS_RDONLY, NULL)));
	EXPECT_EQ(EROFS, open_err(variant->file, O_WRONLY));
	EXPECT_EQ(EROFS, open_err(variant->file, O_RDWR));
	EXPECT_EQ(EROFS, ERR(truncate(variant->file, 0)));
	EXPECT_EQ(0, text_is(variant->file, "first"));
	ASSERT_EQ(0, ERR(mount(NULL, D, NULL, MS_REMOUNT, NULL)));
	EXPECT_EQ(0, put_text(variant->file, "again"));
	EXPECT_EQ(0, text_is(F, "again"));

	/* The mount alone. */
	ASSERT_EQ(0, ERR(mount(NULL, D, NULL,
			       MS_REMOUNT | MS_BIND | MS_RDONLY, NULL)));
	EXPECT_EQ(EROFS, open_err(variant->file, O_WRONLY));
	EXPECT_EQ(EROFS, ERR(truncate(variant->file, 0)));
	EXPECT_EQ(0, text_is(variant->file, "again"));
}

TEST_F(host_life, removed_and_made_again)
{
	int fd = open(variant->file, O_RDWR);
	char text[8];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ERR(unlink(F)));
	EXPECT_EQ(ENOENT, open_err(variant->file, O_RDONLY));
	EXPECT_EQ(ENOENT, stat_err(variant->file));
	EXPECT_EQ(ENOENT, ERR(truncate(variant->file, 0)));
	EXPECT_EQ(5, pread(fd, text, sizeof(text), 0));
	ASSERT_EQ(0, put_text(F, "again"));
	EXPECT_EQ(0, text_is(variant->file, "again"));
	EXPECT_EQ(5, pread(fd, text, sizeof(text), 0));
	EXPECT_EQ(0, memcmp(text, "first", 5));
	close(fd);
}

TEST_F(host_life, is_not_held_while_idle)
{
	int fd = open(variant->file, O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(EBUSY, ERR(umount(D)));
	ASSERT_EQ(3, write(fd, "end", 3));
	close(fd);
	EXPECT_EQ(0, text_is(variant->file, "endst"));
	EXPECT_TRUE(WAIT_FOR(!umount(D)));
	EXPECT_EQ(ENOENT, open_err(variant->file, O_RDONLY));
	EXPECT_EQ(ENOENT, stat_err(variant->file));
}

/* Another object in the place of the file */

static int make_fifo(void)
{
	return ERR(mkfifo(F, 0666));
}

static int make_directory(void)
{
	return ERR(mkdir(F, 0755));
}

static int make_link_back(void)
{
	return put_text(MNT "/mine", "mine") ?: ERR(symlink(MNT "/mine", F));
}

static int make_link_to_itself(void)
{
	return ERR(symlink(KEY, F));
}

static int make_loop(void)
{
	return ERR(symlink("f", F));
}

static int make_null(void)
{
	return ERR(mknod(F, S_IFCHR | 0666, 0x103));
}

static int make_no_directory(void)
{
	return ERR(rmdir(D)) ?: put_text(D, "a file");
}

FIXTURE(replaced)
{
};

FIXTURE_VARIANT(replaced)
{
	int (*make)(void);
	int expected_errno;
};

#define BY(what, errno_)						\
	FIXTURE_VARIANT_ADD(replaced, by_##what) {			\
		.make = make_##what, .expected_errno = errno_ }

BY(fifo, EINVAL);
BY(directory, EISDIR);
BY(link_back, ELOOP);
BY(link_to_itself, ELOOP);
BY(loop, ELOOP);
BY(null, EINVAL);
BY(no_directory, ENOTDIR);

FIXTURE_SETUP(replaced)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(D, 0755));
	ASSERT_EQ(0, put_text(F, "first"));
	ASSERT_EQ(0, table("/k " F " reg"));
	ASSERT_EQ(0, text_is(KEY, "first"));
}

FIXTURE_TEARDOWN(replaced)
{
	teardown_mount();
}

TEST_F(replaced, is_refused_at_once)
{
	int fd = open(KEY, O_RDWR);
	char text[8];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ERR(unlink(F)));
	ASSERT_EQ(0, variant->make());
	EXPECT_EQ(variant->expected_errno, open_err(KEY, O_RDONLY));
	EXPECT_EQ(variant->expected_errno, open_err(KEY, O_WRONLY));
	EXPECT_EQ(variant->expected_errno, open_err(KEY, O_RDWR | O_TRUNC));
	EXPECT_EQ(variant->expected_errno, stat_err(KEY));
	EXPECT_EQ(variant->expected_errno, ERR(truncate(KEY, 0)));
	EXPECT_EQ(1, listed(MNT, "k"));
	/* Who has it open goes on. */
	EXPECT_EQ(5, pread(fd, text, sizeof(text), 0));
	EXPECT_EQ(5, pwrite(fd, "later", 5, 0));
	close(fd);
}

TEST_HARNESS_MAIN
