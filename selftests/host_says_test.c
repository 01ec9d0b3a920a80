// SPDX-License-Identifier: GPL-2.0
/* Where a key begins and ends, and what went wrong, is what its host says. */

#include <grp.h>
#include <poll.h>
#include <signal.h>

#include "lib/fixture.h"
#include "lib/fuse.h"

#define DIR HOST "/fuse"
#define F DIR "/f"
#define KEY MNT "/k"

/* A host that a process serves. */
FIXTURE(served)
{
	struct fuse_host fuse;
};

FIXTURE_SETUP(served)
{
	int err;

	ASSERT_EQ(0, setup_mount(NULL));
	err = fuse_mount(&self->fuse, DIR, 0);
	if (err == ENODEV)
		SKIP(return, "this kernel has no FUSE");
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(served)
{
	self->fuse.word->holds_open = false;
	teardown_mount();
	umount2(DIR, MNT_DETACH);
	fuse_end(&self->fuse);
}

TEST_F(served, close_tells_what_the_host_could_not_write)
{
	static const char * const types[] = { "reg", "chr" };
	unsigned int i;
	int fd;

	self->fuse.word->size = PAGE;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, table("/k " F " %s", types[i]));
		self->fuse.word->flush_err = EDQUOT;
		fd = open(KEY, O_RDWR);
		ASSERT_LE(0, fd);
		EXPECT_EQ(3, write(fd, "abc", 3));
		self->fuse.word->nr_flushes = 0;
		EXPECT_EQ(EDQUOT, ERR(close(fd)));
		EXPECT_EQ(1, self->fuse.word->nr_flushes);
		self->fuse.word->flush_err = 0;
		fd = open(KEY, O_RDWR);
		EXPECT_EQ(0, ERR(close(fd)));

		/* Who has lost the host is not told of it here. */
		fd = open(KEY, O_RDWR);
		ASSERT_LE(0, fd);
		self->fuse.word->flush_err = EDQUOT;
		ASSERT_EQ(0, table("-/k revoke"));
		self->fuse.word->nr_flushes = 0;
		EXPECT_EQ(0, ERR(close(fd)));
		EXPECT_EQ(0, self->fuse.word->nr_flushes);
	}
}

/* All that there is, by a pipe; 0 if it is this text. */
static int spliced_is(const char *path, const char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ends[2];
	char got[256] = {};
	ssize_t len = -1;

	if (fd >= 0 && !pipe(ends)) {
		len = splice(fd, NULL, ends[1], NULL, sizeof(got), 0);
		close(ends[1]);
		if (len > 0 && read(ends[0], got, sizeof(got)) != len)
			len = -1;
		close(ends[0]);
	}
	close(fd);
	return len == (ssize_t)strlen(text) && !strcmp(got, text) ? 0 : EILSEQ;
}

TEST_F(served, a_host_without_a_size_is_read_to_its_end)
{
	ASSERT_EQ(0, text_is(F, FUSE_TEXT));
	ASSERT_EQ(0, table("/k " F " reg"));
	EXPECT_EQ(0, size_of(KEY));
	EXPECT_EQ(0, text_is(KEY, FUSE_TEXT));
}

TEST_F(served, files_of_cgroups_are_read_through_a_key)
{
	const char *path = HOST "/group/cgroup.controllers";
	char text[256] = {};

	ASSERT_EQ(0, mkdir(HOST "/group", 0755));
	ASSERT_EQ(0, mount("none", HOST "/group", "cgroup2", 0, NULL));
	ASSERT_LT(0, get_bytes(path, text, sizeof(text) - 1, 0));
	ASSERT_EQ(0, table("/k %s reg ro", path)) {
		TH_LOG("last_error: %s", last_error());
	}
	EXPECT_EQ(0, text_is(KEY, text));
	EXPECT_EQ(0, spliced_is(KEY, text));
}

/* Has it ended within so many milliseconds? */
static bool has_ended(int pidfd, int ms)
{
	struct pollfd poll_for = { .fd = pidfd, .events = POLLIN };

	return poll(&poll_for, 1, ms) == 1;
}

TEST_F(served, a_revocation_waits_for_an_open_of_a_device)
{
	long long deadline = now_ms() + 20000;
	pid_t opener, revoker;
	int pidfd;

	self->fuse.word->size = PAGE;
	ASSERT_EQ(0, table("/k " F " chr"));
	self->fuse.word->holds_open = true;
	opener = fork();
	if (!opener) {
		int fd = open(KEY, O_RDWR);

		/* Stay, whatever came of it. */
		kill(getpid(), SIGSTOP);
		_exit(fd < 0);
	}
	while (!self->fuse.word->is_held)
		ASSERT_GT(deadline, now_ms());
	revoker = fork();
	if (!revoker)
		_exit(!!table("-/k revoke"));
	pidfd = syscall(SYS_pidfd_open, revoker, 0);
	ASSERT_LE(0, pidfd);
	/* The host is asked for the file: it is not yet taken from anyone. */
	EXPECT_TRUE(WAIT_FOR(strchr("SDZ", state_of(revoker))));
	EXPECT_FALSE(has_ended(pidfd, 0));
	self->fuse.word->holds_open = false;
	EXPECT_TRUE(has_ended(pidfd, 20000));
	EXPECT_EQ(0, wait_status(revoker));
	EXPECT_EQ(opener, waitpid(opener, NULL, WUNTRACED));
	/* The opener is still there, and its host is not. */
	EXPECT_EQ(0, ERR(umount(DIR)));
	kill(opener, SIGKILL);
	wait_status(opener);
	close(pidfd);
}

/* As a member of the group; 0 or an errno. */
static int as_member(int (*does)(int fd))
{
	pid_t pid = fork();
	int fd, err;

	if (pid)
		return wait_status(pid);
	if (setgroups(0, NULL) || setgid(100) || setuid(1000))
		_exit(errno);
	fd = open(KEY, O_RDWR);
	err = fd < 0 ? errno : does(fd);
	_exit(err);
}

static int writes(int fd)
{
	return ERR(pwrite(fd, "abc", 3, 0));
}

static int splices(int fd)
{
	int ends[2];

	if (pipe(ends) || write(ends[1], "abc", 3) != 3)
		return EIO;
	return ERR(splice(ends[0], NULL, fd, NULL, 3, 0));
}

static int truncates(int fd)
{
	return ERR(ftruncate(fd, 100));
}

static int allocates(int fd)
{
	return ERR(fallocate(fd, 0, 0, 200));
}

static int copies(int fd)
{
	loff_t from = 0, to = 500;

	return ERR(copy_file_range(fd, &from, fd, &to, 100, 0));
}

/* An own mode loses its setuid bit as that of a file in memory does. */
TEST_F(served, who_writes_takes_the_setuid_bit)
{
	static int (* const ways[])(int) = {
		writes, splices, allocates, copies, truncates,
	};
	unsigned int i;

	ASSERT_EQ(0, fill(HOST "/f", PAGE, 1));
	ASSERT_EQ(0, chmod(HOST "/f", 0666));
	ASSERT_EQ(0, chmod(HOST, 0777));
	ASSERT_EQ(0, table("/k " HOST "/f reg mode=04775,gid=100"));
	EXPECT_EQ(0104775, mode_of(KEY));
	for (i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		ASSERT_EQ(0, chmod(KEY, 06775));
		EXPECT_EQ(0, as_member(ways[i]));
		EXPECT_EQ(0100775, mode_of(KEY)) {
			TH_LOG("way %u", i);
		}
	}
	/* Root keeps it. */
	ASSERT_EQ(0, chmod(KEY, 04775));
	EXPECT_EQ(0, run("printf abc | dd of=" KEY " conv=notrunc"));
	EXPECT_EQ(0104775, mode_of(KEY));
	EXPECT_EQ(0100666, mode_of(HOST "/f"));
	/* Given with the key, it goes as well. */
	ASSERT_EQ(0, table("=/k " HOST "/f reg mode=04775,gid=100"));
	EXPECT_EQ(0, as_member(writes));
	EXPECT_EQ(0100775, mode_of(KEY));
}

static int writes_without_a_name(int fd)
{
	return unlink(HOST "/f") ? errno : writes(fd);
}

/* Who has it open writes on, wherever its path leads. */
TEST_F(served, a_write_with_a_setuid_bit_needs_no_path)
{
	ASSERT_EQ(0, fill(HOST "/f", PAGE, 1));
	ASSERT_EQ(0, chmod(HOST "/f", 0666));
	ASSERT_EQ(0, chmod(HOST, 0777));
	ASSERT_EQ(0, table("/k " HOST "/f reg mode=04775,gid=100"));
	EXPECT_EQ(0, as_member(writes_without_a_name));
	ASSERT_EQ(0, put_text(HOST "/f", "again"));
	EXPECT_EQ(0100775, mode_of(KEY));
}

#define BYTES 65536
#define SEED 4

FIXTURE(device)
{
	char dev[32];
	int fd;
};

FIXTURE_SETUP(device)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(HOST "/img", BYTES, SEED));
	ASSERT_EQ(0, attach_loop(HOST "/img", self->dev, &self->fd));
}

FIXTURE_TEARDOWN(device)
{
	teardown_mount();
	close(self->fd);
}

TEST_F(device, windows_of_a_device_are_copied)
{
	loff_t from = 100, to = 200;
	int in, out;

	ASSERT_EQ(0, table("/k %s reg size=16384", self->dev));
	ASSERT_EQ(0, table("/l %s reg offset=32768,size=16384", self->dev));
	in = open(KEY, O_RDONLY);
	out = open(MNT "/l", O_WRONLY);
	ASSERT_LE(0, in);
	ASSERT_LE(0, out);
	EXPECT_EQ(5000, copy_file_range(in, &from, out, &to, 5000, 0));
	EXPECT_EQ(0, fill_is(MNT "/l", 0, 200, 32768, SEED));
	EXPECT_EQ(0, fill_is(MNT "/l", 200, 5000, -100, SEED));
	close(in);
	close(out);
}

TEST_F(device, a_device_is_all_data)
{
	static const char * const types[] = { "reg", "chr" };
	unsigned int i;
	int fd;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, table("=/k %s %s offset=1000,size=9000",
				   self->dev, types[i]));
		fd = open(KEY, O_RDONLY);
		ASSERT_LE(0, fd);
		EXPECT_EQ(100, lseek(fd, 100, SEEK_DATA));
		EXPECT_EQ(9000, lseek(fd, 100, SEEK_HOLE));
		EXPECT_EQ(ENXIO, ERR(lseek(fd, 9000, SEEK_DATA)));
		EXPECT_EQ(ENXIO, ERR(lseek(fd, 9000, SEEK_HOLE)));
		close(fd);
	}
}

TEST_HARNESS_MAIN
