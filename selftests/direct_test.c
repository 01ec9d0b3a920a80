// SPDX-License-Identifier: GPL-2.0
/*
 * A key is as direct and as asynchronous as its host file: O_DIRECT, AIO,
 * requests that must not wait, copies that the host makes.
 */

#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "lib/fixture.h"

#define F HOST "/disk/f"
#define KEY MNT "/k"
#define TOTAL 1048576
#define SEED 9

static char buf[65536] __attribute__((aligned(4096)));

FIXTURE(direct)
{
	int fd;
	int host_fd;
};

FIXTURE_VARIANT(direct)
{
	const char *options;
	off_t offset;
	size_t len;
};

FIXTURE_VARIANT_ADD(direct, whole) { "rw", 0, TOTAL };
FIXTURE_VARIANT_ADD(direct, aligned) { "offset=64K,size=256K", 65536, 262144 };
FIXTURE_VARIANT_ADD(direct, sectors) { "offset=3s,size=99s", 1536, 50688 };

FIXTURE_SETUP(direct)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mount_ext4(HOST "/disk", HOST "/img", 16));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, run("sync -f " F));
	ASSERT_EQ(0, table("/k " F " reg %s", variant->options));
	self->fd = open(KEY, O_RDWR | O_DIRECT);
	self->host_fd = open(F, O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(direct)
{
	/* Not a byte beside the window was touched. */
	EXPECT_EQ(0, fill_is(F, 0, variant->offset, 0, SEED));
	EXPECT_EQ(0, fill_is(F, variant->offset + variant->len,
			     TOTAL - variant->offset - variant->len, 0, SEED));
	close(self->fd);
	close(self->host_fd);
	teardown_mount();
}

TEST_F(direct, reads_and_writes)
{
	ASSERT_EQ(8192, pread(self->fd, buf, 8192, 4096));
	EXPECT_EQ(-1, fill_differs(buf, 8192, variant->offset + 4096, SEED));
	memset(buf, 'd', 4096);
	ASSERT_EQ(4096, pwrite(self->fd, buf, 4096, 512));
	ASSERT_EQ(4096, pread(self->host_fd, buf, 4096, variant->offset + 512));
	EXPECT_EQ(-1, byte_differs(buf, 4096, 'd'));
	/* As strict as the host. */
	EXPECT_EQ(EINVAL, ERR(pread(self->fd, buf, 4096, 1)));
	EXPECT_EQ(EINVAL, ERR(pread(self->fd, buf + 1, 4096, 0)));
}

TEST_F(direct, ends_with_the_window)
{
	const size_t last = variant->len - 512;

	EXPECT_EQ(512, pread(self->fd, buf, 4096, last));
	EXPECT_EQ(-1, fill_differs(buf, 512, variant->offset + last, SEED));
	EXPECT_EQ(0, pread(self->fd, buf, 4096, variant->len));
	if (variant->len == TOTAL)
		return;
	memset(buf, 'e', 4096);
	EXPECT_EQ(512, pwrite(self->fd, buf, 4096, last));
	EXPECT_EQ(ENOSPC, ERR(pwrite(self->fd, buf, 4096, variant->len)));
}

/* One asynchronous request: what it says in the end, or minus the errno. */
static long aio(int fd, int op, void *data, size_t len, off_t pos)
{
	struct timespec deadline = { .tv_sec = 20 };
	struct io_event event = { };
	aio_context_t context = 0;
	struct iocb request = {
		.aio_lio_opcode = op, .aio_fildes = fd,
		.aio_buf = (unsigned long)data, .aio_nbytes = len,
		.aio_offset = pos,
	}, *requests = &request;
	long ret;

	if (syscall(__NR_io_setup, 1, &context))
		return -errno;
	ret = syscall(__NR_io_submit, context, 1, &requests);
	if (ret == 1)
		ret = syscall(__NR_io_getevents, context, 1, 1, &event,
			      &deadline) == 1 ? event.res : -ETIMEDOUT;
	else
		ret = -errno;
	syscall(__NR_io_destroy, context);
	return ret;
}

TEST_F(direct, asynchronously)
{
	struct iovec iov[2] = { { buf, 4096 }, { buf + 8192, 4096 } };

	EXPECT_EQ(16384, aio(self->fd, IOCB_CMD_PREAD, buf, 16384, 8192));
	EXPECT_EQ(-1, fill_differs(buf, 16384, variant->offset + 8192, SEED));
	EXPECT_EQ(512, aio(self->fd, IOCB_CMD_PREAD, buf, 16384,
			   variant->len - 512));
	EXPECT_EQ(0, aio(self->fd, IOCB_CMD_PREAD, buf, 16384, variant->len));
	EXPECT_EQ(-EINVAL, aio(self->fd, IOCB_CMD_PREAD, buf, 16384, 5));

	memset(buf, 'a', 16384);
	EXPECT_EQ(8192, aio(self->fd, IOCB_CMD_PWRITEV, iov, 2, 4096));
	memset(buf, 0, 16384);
	ASSERT_EQ(8192, pread(self->host_fd, buf, 8192, variant->offset + 4096));
	EXPECT_EQ(-1, byte_differs(buf, 8192, 'a'));
	if (variant->len != TOTAL)
		EXPECT_EQ(-ENOSPC, aio(self->fd, IOCB_CMD_PWRITE, buf, 4096,
				       variant->len));
	EXPECT_EQ(0, aio(self->fd, IOCB_CMD_FSYNC, NULL, 0, 0));
}

/* Requests under way go with the file that is closed behind them. */
/* As a file of so many bytes. */
TEST_F(direct, reads_to_an_end_within_a_sector)
{
	int fd;

	ASSERT_EQ(0, table("=/l " F " reg offset=4096,size=9192"));
	fd = open(MNT "/l", O_RDONLY | O_DIRECT);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1000, pread(fd, buf, 4096, 8192));
	EXPECT_EQ(-1, fill_differs(buf, 1000, 12288, SEED));
	EXPECT_EQ(9192, pread(fd, buf, 65536, 0));
	EXPECT_EQ(-1, fill_differs(buf, 9192, 4096, SEED));
	EXPECT_EQ(1000, aio(fd, IOCB_CMD_PREAD, buf, 4096, 8192));
	EXPECT_EQ(EINVAL, ERR(pread(fd, buf, 100, 0)));
	EXPECT_EQ(O_DIRECT, fcntl(fd, F_GETFL) & O_DIRECT);
	close(fd);
}

FIXTURE(xfs)
{
	int fd;
};

FIXTURE_SETUP(xfs)
{
	ASSERT_EQ(0, setup_mount(NULL));
	if (!has_kind("xfs"))
		SKIP(return, "no XFS here");
	ASSERT_EQ(0, mount_kind("xfs", HOST "/disk"));
	ASSERT_EQ(0, put_text(F, ""));
	ASSERT_EQ(0, table("/k " F " reg"));
	self->fd = open(KEY, O_RDWR | O_DIRECT);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(xfs)
{
	close(self->fd);
	teardown_mount();
}

/* XFS lets nobody wait for a write that moves the end. */
TEST_F(xfs, copies_what_an_asynchronous_write_has_added)
{
	loff_t from = 0, to = 0;
	int out = open(MNT "/copy", O_RDWR | O_CREAT, 0644);

	ASSERT_LE(0, out);
	memset(buf, 'x', sizeof(buf));
	ASSERT_EQ(65536, aio(self->fd, IOCB_CMD_PWRITE, buf, 65536, 0));
	EXPECT_EQ(65536, copy_file_range(self->fd, &from, out, &to, 65536, 0));
	close(out);
}

TEST_F(direct, many_at_once)
{
	static struct iocb requests[64], *list[64];
	static struct io_event events[64];
	struct timespec deadline = { .tv_sec = 30 };
	aio_context_t context = 0;
	int i, done, bad = 0;

	for (i = 0; i < 64; i++) {
		list[i] = &requests[i];
		requests[i] = (struct iocb) {
			.aio_lio_opcode = IOCB_CMD_PREAD,
			.aio_fildes = self->fd,
			.aio_buf = (unsigned long)(buf + i * 512),
			.aio_nbytes = 512, .aio_offset = i * 512,
		};
	}
	ASSERT_EQ(0, syscall(__NR_io_setup, 64, &context));
	ASSERT_EQ(64, syscall(__NR_io_submit, context, 64, list));
	ASSERT_EQ(0, table("-/k"));
	close(self->fd);
	done = syscall(__NR_io_getevents, context, 64, 64, events, &deadline);
	EXPECT_EQ(64, done);
	for (i = 0; i < done; i++)
		bad += events[i].res != 512;
	EXPECT_EQ(0, bad);
	EXPECT_EQ(-1, fill_differs(buf, 32768, variant->offset, SEED));
	syscall(__NR_io_destroy, context);
	self->fd = -1;
}

TEST_F(direct, by_fcntl)
{
	int fd = open(KEY, O_RDONLY);

	EXPECT_EQ(0, ERR(fcntl(fd, F_SETFL, O_DIRECT)));
	EXPECT_EQ(EINVAL, ERR(pread(fd, buf, 4096, 1)));
	EXPECT_EQ(4096, pread(fd, buf, 4096, 0));
	close(fd);
}

/* Is the page of a file that holds this byte out of memory? Touches nothing. */
static bool is_cold(int fd, off_t pos)
{
	unsigned char is_there = 1;
	void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd,
			 pos & ~(PAGE - 1));

	if (map == MAP_FAILED)
		return false;
	mincore(map, PAGE, &is_there);
	munmap(map, PAGE);
	return !(is_there & 1);
}

/*
 * What is cold has to be waited for, and so is not had. But it is read ahead at
 * once, and on a busy machine it is often there before it is missed.
 */
static bool is_not_waited_for(int fd, int host_fd, off_t offset)
{
	struct iovec iov = { buf, 4096 };

	return !run("sync; echo 3 > /proc/sys/vm/drop_caches") &&
	       is_cold(host_fd, offset + 16384) &&
	       ERR(preadv2(fd, &iov, 1, 16384, RWF_NOWAIT)) == EAGAIN;
}

TEST_F(direct, nowait)
{
	struct iovec iov = { buf, 4096 };
	int fd = open(KEY, O_RDWR);

	bool is_missed = false;
	int i;

	for (i = 0; !is_missed && i < 6; i++)
		is_missed = WAIT_FOR(is_not_waited_for(fd, self->host_fd,
						       variant->offset));
	ASSERT_TRUE(is_missed);
	ASSERT_EQ(4096, pread(fd, buf, 4096, 16384));
	EXPECT_EQ(4096, preadv2(fd, &iov, 1, 16384, RWF_NOWAIT));
	EXPECT_EQ(-1, fill_differs(buf, 4096, variant->offset + 16384, SEED));
	close(fd);
}

TEST_F(direct, nowait_says_what_the_host_says)
{
	int there = open(HOST "/t", O_RDWR | O_CREAT, 0600), here;
	struct iovec iov = { buf, 10 };
	int expected;

	ASSERT_EQ(10, pwrite(there, buf, 10, 0));
	expected = ERR(preadv2(there, &iov, 1, 0, RWF_NOWAIT));
	ASSERT_EQ(0, table("/t " HOST "/t reg"));
	here = open(MNT "/t", O_RDWR);
	EXPECT_EQ(expected, ERR(preadv2(here, &iov, 1, 0, RWF_NOWAIT)));
	close(here);
	close(there);
}

/* Pipes */

TEST_F(direct, what_a_pipe_has_ends_with_the_window)
{
	loff_t pos = variant->len - 100;
	int pipes[2], fd = open(KEY, O_RDWR);

	ASSERT_EQ(0, pipe(pipes));
	memset(buf, 'p', 4096);
	ASSERT_EQ(4096, write(pipes[1], buf, 4096));
	if (variant->len != TOTAL) {
		EXPECT_EQ(100, splice(pipes[0], NULL, fd, &pos, 4096, 0));
		EXPECT_EQ(variant->len, pos);
		EXPECT_EQ(ENOSPC, ERR(splice(pipes[0], NULL, fd, &pos, 1, 0)));
		ASSERT_EQ(3996, read(pipes[0], buf, 4096));
		ASSERT_EQ(100, pread(fd, buf, 100, variant->len - 100));
		EXPECT_EQ(-1, byte_differs(buf, 100, 'p'));
		ASSERT_EQ(4096, write(pipes[1], buf, 4096));
	}
	/* The same pipe serves the key and its host, whose locks it orders. */
	pos = 512;
	EXPECT_EQ(1000, splice(pipes[0], NULL, fd, &pos, 1000, 0));
	EXPECT_EQ(1512, pos);
	pos += variant->offset;
	EXPECT_EQ(1000, splice(pipes[0], NULL, self->host_fd, &pos, 1000, 0));
	ASSERT_EQ(2000, pread(fd, buf + 4096, 2000, 512));
	EXPECT_EQ(0, memcmp(buf, buf + 4096, 2000));
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

/* Copies between keys */

TEST_F(direct, copy_file_range_between_keys)
{
	off_t from = 4096, to = 100;
	int in = open(KEY, O_RDONLY), out;

	ASSERT_EQ(0, fill(HOST "/disk/g", 65536, SEED + 1));
	ASSERT_EQ(0, table("/g " HOST "/disk/g reg offset=1000,size=9000"));
	out = open(MNT "/g", O_RDWR);
	EXPECT_EQ(5000, copy_file_range(in, &from, out, &to, 5000, 0));
	EXPECT_EQ(0, fill_is(MNT "/g", 0, 100, 1000, SEED + 1));
	EXPECT_EQ(5000, pread(out, buf, 5000, 100));
	EXPECT_EQ(-1, fill_differs(buf, 5000, variant->offset + 4096, SEED));
	EXPECT_EQ(0, fill_is(MNT "/g", 5100, 3900, 1000, SEED + 1));

	/* Cut at the end of either window. */
	from = variant->len - 10;
	to = 0;
	EXPECT_EQ(10, copy_file_range(in, &from, out, &to, 5000, 0));
	from = 0;
	to = 8990;
	EXPECT_EQ(10, copy_file_range(in, &from, out, &to, 5000, 0));
	EXPECT_EQ(ENOSPC, ERR(copy_file_range(in, &from, out, &to, 5000, 0)));
	EXPECT_EQ(0, fill_is(HOST "/disk/g", 10000, 65536 - 10000, 0,
			     SEED + 1));
	close(in);
	close(out);
}

TEST_F(direct, copy_file_range_to_and_from_memory)
{
	off_t from = 0, to = 0;
	int in = open(KEY, O_RDONLY);
	int out = open(MNT "/m", O_RDWR | O_CREAT, 0600);

	EXPECT_EQ(10000, copy_file_range(in, &from, out, &to, 10000, 0));
	EXPECT_EQ(10000, pread(out, buf, 65536, 0));
	EXPECT_EQ(-1, fill_differs(buf, 10000, variant->offset, SEED));
	from = 0;
	to = 0;
	close(in);
	in = open(KEY, O_RDWR);
	EXPECT_EQ(10000, copy_file_range(out, &from, in, &to, 10000, 0));
	EXPECT_EQ(0, fill_is(KEY, 0, 10000, variant->offset, SEED));
	close(in);
	close(out);
}

TEST_F(direct, cannot_share_where_the_host_cannot)
{
	int in = open(KEY, O_RDONLY), out;

	ASSERT_EQ(0, put_text(HOST "/disk/g", "g"));
	ASSERT_EQ(0, table("/g " HOST "/disk/g reg"));
	out = open(MNT "/g", O_RDWR);
	EXPECT_EQ(EOPNOTSUPP, ERR(ioctl(out, FICLONE, in)));
	close(out);
	out = open(MNT "/m", O_RDWR | O_CREAT, 0600);
	EXPECT_NE(0, ERR(ioctl(out, FICLONE, in)));
	close(out);
	close(in);
}

/* Who runs a program from a key keeps writers away from the host file. */
TEST_F(direct, a_running_program_is_not_written_to)
{
	int pipe_fd[2];
	pid_t pid;

	ASSERT_EQ(0, run("cp /bin/cat " HOST "/disk/cat"));
	ASSERT_EQ(0, table("/cat " HOST "/disk/cat reg"));
	ASSERT_EQ(0, pipe(pipe_fd));
	pid = fork();
	if (!pid) {
		dup2(pipe_fd[0], 0);
		dup2(open("/dev/null", O_WRONLY), 1);
		close(pipe_fd[1]);
		execl(MNT "/cat", "cat", NULL);
		_exit(127);
	}
	ASSERT_TRUE(WAIT_FOR(!run("readlink /proc/%d/exe | grep -q /cat$",
				  pid)));
	EXPECT_EQ(ETXTBSY, open_err(HOST "/disk/cat", O_WRONLY));
	EXPECT_EQ(ETXTBSY, open_err(MNT "/cat", O_WRONLY));
	close(pipe_fd[1]);
	EXPECT_EQ(0, wait_status(pid));
	EXPECT_TRUE(WAIT_FOR(!open_err(HOST "/disk/cat", O_WRONLY)));

	/* And while it is written to it is not run. */
	pid = open(HOST "/disk/cat", O_WRONLY);
	EXPECT_EQ(126, run(MNT "/cat < /dev/null"));
	close(pid);
}

/* The file system below an overlay counts those who write, and each is done. */
TEST(a_host_below_an_overlay_freezes_after_all_writes)
{
	int fd, i, status = -1;
	pid_t pid;

	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mount_ext4(HOST "/e", HOST "/image", 32));
	ASSERT_EQ(0, run("cd " HOST " && mkdir low e/up e/work o && "
			 "mount -t overlay -o lowerdir=low,upperdir=e/up,"
			 "workdir=e/work o o"));
	ASSERT_EQ(0, fill(HOST "/o/f", 65536, SEED));
	ASSERT_EQ(0, table("/k " HOST "/o/f reg\n/d " HOST "/o/f blk dio"));
	fd = open(MNT "/k", O_RDWR | O_DIRECT);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(4096, aio(fd, IOCB_CMD_PWRITE, buf, 4096, i * 4096));
	close(fd);
	fd = open(MNT "/d", O_RDWR | O_DIRECT);
	for (i = 8; i < 16; i++)
		EXPECT_EQ(4096, pwrite(fd, buf, 4096, i * 4096));
	close(fd);

	pid = fork();
	if (!pid) {
		fd = open(HOST "/e", O_RDONLY);
		_exit(ioctl(fd, FIFREEZE, 0) || ioctl(fd, FITHAW, 0));
	}
	EXPECT_TRUE(WAIT_FOR(waitpid(pid, &status, WNOHANG) == pid));
	EXPECT_EQ(0, status);
	teardown_mount();
}

TEST_HARNESS_MAIN
