// SPDX-License-Identifier: GPL-2.0
/* Keys whose host file is kept open for the next reader. */

#include <linux/capability.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "lib/fixture.h"
#include "lib/together.h"

#define F HOST "/disk/f"
#define KEY MNT "/k"

FIXTURE(spare)
{
	int fd;
};

FIXTURE_VARIANT(spare)
{
	const char *kind;
};

FIXTURE_VARIANT_ADD(spare, tmpfs) { .kind = "tmpfs" };
FIXTURE_VARIANT_ADD(spare, ext4) { .kind = "ext4" };
FIXTURE_VARIANT_ADD(spare, btrfs) { .kind = "btrfs" };

FIXTURE_SETUP(spare)
{
	ASSERT_EQ(0, setup_mount(NULL));
	if (!has_kind(variant->kind))
		SKIP(return, "no %s here", variant->kind);
	ASSERT_EQ(0, mount_kind(variant->kind, HOST "/disk"));
	ASSERT_EQ(0, put_text(F, "first"));
	ASSERT_EQ(0, table("/k " F " reg pin"));
	self->fd = -1;
	/* Now there is one. */
	ASSERT_EQ(0, text_is(KEY, "first"));
}

FIXTURE_TEARDOWN(spare)
{
	close(self->fd);
	EXPECT_STREQ("", complaint);
	teardown_mount();
}

/* A lease for writing is to be had only where nobody has the file open. */
static int lease(int fd)
{
	int err = ERR(fcntl(fd, F_SETLEASE, F_WRLCK));

	if (!err)
		fcntl(fd, F_SETLEASE, F_UNLCK);
	return err;
}

TEST_F(spare, is_let_go_when_it_lies_idle)
{
	self->fd = open(F, O_RDWR);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(EAGAIN, lease(self->fd));
	EXPECT_TRUE(WAIT_FOR(!lease(self->fd)));
	ASSERT_EQ(0, text_is(KEY, "first"));
	EXPECT_EQ(EAGAIN, lease(self->fd));
}

TEST_F(spare, goes_with_its_key)
{
	static const char *const removals[] = { "", "busy", "revoke" };
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(EBUSY, ERR(umount(HOST "/disk")));
		ASSERT_EQ(0, table("-/k %s", removals[i]));
		EXPECT_TRUE(WAIT_FOR(!umount(HOST "/disk")));
		ASSERT_EQ(0, mount_kind(variant->kind, HOST "/disk"));
		ASSERT_EQ(0, put_text(F, "first"));
		ASSERT_EQ(0, table("/k " F " reg pin"));
		ASSERT_EQ(0, text_is(KEY, "first"));
	}
}

TEST_F(spare, is_of_the_file_as_it_is_now)
{
	char buf[8];
	int i;

	ASSERT_EQ(0, put_text(F, "a longer text"));
	EXPECT_EQ(0, text_is(KEY, "a longer text"));
	ASSERT_EQ(0, truncate(F, 1));
	EXPECT_EQ(0, text_is(KEY, "a"));
	/* Where the last reader was, nobody is told. */
	for (i = 0; i < 2; i++) {
		self->fd = open(KEY, O_RDONLY);
		EXPECT_EQ(1, read(self->fd, buf, sizeof(buf)));
		EXPECT_EQ(1, lseek(self->fd, 0, SEEK_HOLE));
		close(self->fd);
	}
	ASSERT_EQ(0, put_text(KEY, "from the key"));
	EXPECT_EQ(0, text_is(F, "from the key"));
}

/* What does a registrant without these rights say? */
static int table_without_dac(const char *line)
{
	return IN_CHILD(drop_cap(CAP_DAC_OVERRIDE) ?:
			drop_cap(CAP_DAC_READ_SEARCH) ?: table("%s", line));
}

TEST_F(spare, is_not_there_once_the_registrant_may_not_read)
{
	int i;

	ASSERT_EQ(0, table("-/k"));
	ASSERT_EQ(0, table_without_dac("/k " F " reg pin"));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, text_is(KEY, "first"));
		/* By its mode, and its owner. */
		ASSERT_EQ(0, chmod(F, 0044));
		EXPECT_EQ(EACCES, open_err(KEY, O_RDONLY));
		ASSERT_EQ(0, chmod(F, 0604));
		ASSERT_EQ(0, text_is(KEY, "first"));
		ASSERT_EQ(0, text_is(KEY, "first"));
		ASSERT_EQ(0, chown(F, 1000, 0));
		EXPECT_EQ(EACCES, open_err(KEY, O_RDONLY));
		ASSERT_EQ(0, chown(F, 1000, 1000));
		ASSERT_EQ(0, text_is(KEY, "first"));
		ASSERT_EQ(0, chown(F, 0, 0));
		ASSERT_EQ(0, chmod(F, 0644));
	}
}

TEST_F(spare, is_not_there_once_a_list_refuses_the_registrant)
{
	int i;

	ASSERT_EQ(0, table("-/k"));
	ASSERT_EQ(0, chown(F, 1000, 1000));
	ASSERT_EQ(0, table_without_dac("/k " F " reg pin,ro"));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, text_is(KEY, "first"));
	/* The mode is as it was. */
	if (run("setfacl -m u:0:-,g::r " F))
		SKIP(return, "setfacl is not there");
	EXPECT_EQ(EACCES, open_err(KEY, O_RDONLY));
	ASSERT_EQ(0, run("setfacl -b " F));
	EXPECT_EQ(0, text_is(KEY, "first"));
}

/* One who may read the key has left it for one who may not. */
TEST_F(spare, is_not_for_who_may_not_read_the_key)
{
	ASSERT_EQ(0, AS_USER(1000, text_is(KEY, "first")));
	ASSERT_EQ(0, chmod(F, 0640));
	EXPECT_EQ(EACCES, AS_USER(1000, open_err(KEY, O_RDONLY)));
	EXPECT_EQ(0, text_is(KEY, "first"));
	EXPECT_EQ(EACCES, AS_USER(1000, open_err(KEY, O_RDONLY)));
	ASSERT_EQ(0, chmod(F, 0644));
	EXPECT_EQ(0, text_is(KEY, "first"));
	EXPECT_EQ(0, AS_USER(1000, text_is(KEY, "first")));
}

/*
 * Who stats learns of the new mode between the two halves of an open, or tells
 * late of the old one.
 */
static pid_t stat_all_the_time(const char *key)
{
	struct stat st;
	pid_t pid = fork();

	while (!pid)
		stat(key, &st);
	return pid;
}

/* Return: how often one could open it who may not by now, -1 on errors. */
static int opened_by_an_old_mode(const char *key, const char *host)
{
	const int turns = is_sanitized() ? 200 : 2000;
	pid_t pids[] = { stat_all_the_time(key), stat_all_the_time(key) };
	int i, fd, bad = 0;

	for (i = 0; i < turns && bad >= 0; i++) {
		if (chmod(host, 0644) || close(open(key, O_RDONLY)) ||
		    chmod(host, 0600) || syscall(__NR_setresuid, -1, 1000, -1))
			bad = -1;
		fd = open(key, O_RDONLY);
		bad += fd >= 0;
		close(fd);
		if (syscall(__NR_setresuid, -1, 0, -1))
			bad = -1;
	}
	for (i = 0; i < 2; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return bad;
}

TEST_F(spare, is_not_for_who_was_asked_of_an_old_mode)
{
	EXPECT_EQ(0, opened_by_an_old_mode(KEY, F));
	ASSERT_EQ(0, table("=/k " F " reg"));
	EXPECT_EQ(0, opened_by_an_old_mode(KEY, F));
	ASSERT_EQ(0, table("=/k " HOST "/disk dir"));
	EXPECT_EQ(0, opened_by_an_old_mode(KEY "/f", F));
}

TEST_F(spare, is_for_one_reader_at_a_time)
{
	int other = open(KEY, O_RDONLY);
	char a[4] = {}, b[4] = {};

	self->fd = open(KEY, O_RDONLY);
	ASSERT_EQ(3, read(self->fd, a, 3));
	ASSERT_EQ(3, read(other, b, 3));
	EXPECT_EQ(0, memcmp(a, b, 4));
	close(other);
	EXPECT_EQ(2, pread(self->fd, a, 4, 3));
}

TEST_F(spare, is_not_for_who_reads_in_another_way)
{
	int direct = open(KEY, O_RDONLY | O_DIRECT);

	/* Tmpfs may not know it. */
	if (direct >= 0)
		close(direct);
	EXPECT_EQ(0, text_is(KEY, "first"));
	self->fd = open(KEY, O_RDONLY);
	EXPECT_EQ(0, fcntl(self->fd, F_GETFL) & O_DIRECT);
	fcntl(self->fd, F_SETFL, O_DIRECT);
	close(self->fd);
	self->fd = open(KEY, O_RDONLY);
	EXPECT_EQ(0, fcntl(self->fd, F_GETFL) & O_DIRECT);
	EXPECT_EQ(0, text_is(KEY, "first"));
}

TEST_F(spare, keeps_programs_running)
{
	ASSERT_EQ(0, run("cp /bin/true " F));
	ASSERT_EQ(0, chmod(F, 0755));
	EXPECT_EQ(0, run(KEY));
	EXPECT_EQ(0, run(F));
	/* Nor is a writer kept away when it is over. */
	EXPECT_EQ(0, open_err(F, O_WRONLY));
	EXPECT_EQ(0, open_err(KEY, O_WRONLY));
}

/* Is it told that the host file was closed? Before 6.5 nobody told of the open. */
static bool is_close_told(int fd)
{
	char buf[4096] __attribute__((aligned(8)));

	return read(fd, buf, sizeof(buf)) > 0;
}

TEST_F(spare, hides_no_open_from_who_watches)
{
	int i;

	self->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	ASSERT_LE(0, inotify_add_watch(self->fd, F, IN_CLOSE_NOWRITE));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, text_is(KEY, "first"));
		EXPECT_TRUE(is_close_told(self->fd));
		EXPECT_FALSE(is_close_told(self->fd));
	}
}

static void *change_the_key(void *arg)
{
	static const char *const removals[] = { "lazy", "busy", "revoke" };
	int turn, err;

	for (turn = 0; turn < 200; turn++) {
		err = table(turn % 5 ? "=/k " F " reg pin" : "=/k " F " reg");
		if (err)
			complain("set: %d, %s", err, last_error());
		err = table("-/k %s", removals[turn % 3]);
		if (err && err != EBUSY)
			complain("remove: %d, %s", err, last_error());
	}
	return NULL;
}

static void *read_the_key(void *arg)
{
	char buf[8];
	ssize_t got;
	int fd;

	while (going_on()) {
		fd = open(KEY, O_RDONLY);
		/* Another key each time it looked, as often as open(2) does. */
		if (fd < 0 && errno != ENOENT && errno != ESTALE)
			complain("open: %d", errno);
		got = fd < 0 ? 5 : pread(fd, buf, sizeof(buf), 0);
		if (got != 5 && !(got < 0 && errno == EIO))
			complain("read: %zd, %d", got, errno);
		close(fd);
	}
	return NULL;
}

TEST_F(spare, comes_and_goes_as_the_key_does)
{
	void *(*workers[])(void *) = { change_the_key };
	void *(*watchers[])(void *) = { read_the_key, read_the_key,
					read_the_key };

	together(workers, 1, watchers, 3);
	table("-/k");
	EXPECT_TRUE(WAIT_FOR(!umount(HOST "/disk")));
}

/* Bound by its path, from a root that is the mount of the host file. */
FIXTURE(path)
{
	int fd;
};

FIXTURE_VARIANT(path)
{
	const char *kind;
};

FIXTURE_VARIANT_ADD(path, tmpfs) { .kind = "tmpfs" };
FIXTURE_VARIANT_ADD(path, ext4) { .kind = "ext4" };
FIXTURE_VARIANT_ADD(path, btrfs) { .kind = "btrfs" };

FIXTURE_SETUP(path)
{
	ASSERT_EQ(0, setup_mount(NULL));
	if (!has_kind(variant->kind))
		SKIP(return, "no %s here", variant->kind);
	ASSERT_EQ(0, mount_kind(variant->kind, HOST "/disk"));
	ASSERT_EQ(0, put_text(F, "first"));
	ASSERT_EQ(0, IN_CHILD(table_write_from(HOST "/disk", "/k /f reg\n")));
	self->fd = open(F, O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(path)
{
	close(self->fd);
	teardown_mount();
}

TEST_F(path, is_kept_and_let_go_when_it_lies_idle)
{
	ASSERT_EQ(0, text_is(KEY, "first"));
	EXPECT_EQ(EAGAIN, lease(self->fd));
	EXPECT_TRUE(WAIT_FOR(!lease(self->fd)));
}

TEST_F(path, goes_with_its_key)
{
	ASSERT_EQ(0, text_is(KEY, "first"));
	ASSERT_EQ(0, table("-/k revoke"));
	EXPECT_EQ(0, lease(self->fd));
}

TEST_F(path, is_not_for_who_writes)
{
	ASSERT_EQ(0, put_text(KEY, "again"));
	EXPECT_EQ(0, lease(self->fd));
}

TEST_F(path, is_of_no_large_file)
{
	char buf[16];
	int fd;

	ASSERT_EQ(0, ftruncate(self->fd, 65537));
	fd = open(KEY, O_RDONLY);
	ASSERT_EQ(16, read(fd, buf, sizeof(buf)));
	close(fd);
	EXPECT_EQ(0, lease(self->fd));
	ASSERT_EQ(0, ftruncate(self->fd, 65536));
	fd = open(KEY, O_RDONLY);
	close(fd);
	EXPECT_EQ(EAGAIN, lease(self->fd));
}

TEST_F(path, pins_no_mount_but_the_root)
{
	const char *line = "=/l /sub/f reg\n";
	int i;

	ASSERT_EQ(0, mkdir(HOST "/disk/sub", 0755));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, mount_kind("tmpfs", HOST "/disk/sub"));
		ASSERT_EQ(0, put_text(HOST "/disk/sub/f", "below"));
		ASSERT_EQ(0, IN_CHILD(table_write_from(HOST "/disk", line)));
		EXPECT_EQ(0, text_is(MNT "/l", "below"));
		EXPECT_EQ(0, text_is(MNT "/l", "below"));
		EXPECT_EQ(0, ERR(umount(HOST "/disk/sub")));
	}
}

static fsfilcnt_t free_inodes(void)
{
	struct statvfs st;

	return statvfs(HOST "/disk", &st) ? 0 : st.f_ffree;
}

TEST_F(path, keeps_no_file_that_is_removed)
{
	fsfilcnt_t before = free_inodes();
	int fd = open(KEY, O_RDONLY);

	close(self->fd);
	if (!before)
		SKIP(return, "%s counts no inodes", variant->kind);
	ASSERT_EQ(0, ERR(unlink(F)));
	/* With the last reader, if that is later. */
	EXPECT_EQ(before, free_inodes());
	close(fd);
	EXPECT_EQ(before + 1, free_inodes());
	/* When it lies idle, if that was before. */
	ASSERT_EQ(0, put_text(F, "second"));
	EXPECT_EQ(0, text_is(KEY, "second"));
	ASSERT_EQ(0, ERR(unlink(F)));
	EXPECT_EQ(ENOENT, open_err(KEY, O_RDONLY));
	EXPECT_TRUE(WAIT_FOR(free_inodes() == before + 1));
	self->fd = -1;
}

TEST_HARNESS_MAIN
