// SPDX-License-Identifier: GPL-2.0
/*
 * A revoked key: whoever has it open or mapped is cut off from the host, and
 * when the call returns nothing that was under way reaches it any more.
 */

#include <linux/fs.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/device.h"

#define F HOST "/disk/f"
#define KEY MNT "/k"
#define PAGES 16
#define TOTAL (PAGES * PAGE)
#define SEED 3
#define RW (PROT_READ | PROT_WRITE)

static char buf[TOTAL];

/* The host lies on a file system of its own, so that umount tells who has it. */
FIXTURE(revoke)
{
	int fd;
	int host_fd;
	off_t offset;
	size_t len;
};

FIXTURE_VARIANT(revoke)
{
	const char *options;
	off_t offset;
	size_t len;
	bool is_aligned;
};

FIXTURE_VARIANT_ADD(revoke, whole) { "rw", 0, TOTAL, true };
FIXTURE_VARIANT_ADD(revoke, aligned) { "offset=16384,size=32768", 16384, 32768, true };
FIXTURE_VARIANT_ADD(revoke, unaligned) { "offset=100,size=30000", 100, 30000, false };

FIXTURE_SETUP(revoke)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mount_ext4(HOST "/disk", HOST "/img", 8));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	ASSERT_EQ(0, table("/k " F " reg %s,tag=t", variant->options));
	self->fd = open(KEY, O_RDWR);
	self->host_fd = open(F, O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->host_fd);
}

FIXTURE_TEARDOWN(revoke)
{
	close(self->fd);
	close(self->host_fd);
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
	if (sigsetjmp(on_bus, 1))
		return -1;
	return (unsigned char)*at;
}

static bool poke(volatile char *at, char byte)
{
	if (sigsetjmp(on_bus, 1))
		return false;
	*at = byte;
	return true;
}

static void catch_bus(void)
{
	struct sigaction action = { .sa_handler = bus };

	sigaction(SIGBUS, &action, NULL);
}

TEST_F(revoke, cuts_off_open_files)
{
	ASSERT_EQ(1, pread(self->fd, buf, 1, 0));
	ASSERT_EQ(0, table("-/k revoke"));
	EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_EQ(NULL, row_of("/k"));

	EXPECT_EQ(EIO, ERR(pread(self->fd, buf, 1, 0)));
	EXPECT_EQ(EIO, ERR(pwrite(self->fd, buf, 1, 0)));
	EXPECT_EQ(EIO, ERR(fsync(self->fd)));
	if (!variant->offset)
		EXPECT_EQ(EIO, ERR(ftruncate(self->fd, PAGE)));
	EXPECT_EQ(EIO, ERR(fallocate(self->fd, FALLOC_FL_KEEP_SIZE |
				     FALLOC_FL_PUNCH_HOLE, 0, PAGE)));
	EXPECT_EQ(EIO, ERR(lseek(self->fd, 0, SEEK_END)));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE,
				   self->fd, 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, fill_is(F, 0, TOTAL, 0, SEED));
}

TEST_F(revoke, lets_go_of_the_host)
{
	close(self->host_fd);
	ASSERT_EQ(EBUSY, ERR(umount(HOST "/disk")));
	ASSERT_EQ(0, table("-/k revoke"));
	/* The file is still open here, but not on the host. */
	EXPECT_EQ(0, ERR(umount(HOST "/disk")));
	EXPECT_EQ(EIO, ERR(pread(self->fd, buf, 1, 0)));
	self->host_fd = -1;
}

/* Who waits for a pipe has not begun to write: he holds nothing. */
static int revoke_before_pipe(int fd)
{
	int ends[2], err, status;
	pid_t pid;

	if (pipe(ends))
		return errno;
	pid = fork();
	if (!pid)
		_exit(ERR(splice(ends[0], NULL, fd, NULL, 100, 0)));
	err = WAIT_FOR(state_of(pid) == 'S') ? table("-/k revoke") : ETIME;
	err = err ?: ERR(umount(HOST "/disk"));
	if (write(ends[1], "x", 1) != 1)
		kill(pid, SIGKILL);
	status = wait_status(pid);
	close(ends[0]);
	close(ends[1]);
	return err ?: status == EIO ? 0 : EILSEQ;
}

TEST_F(revoke, lets_go_of_the_host_while_a_pipe_is_waited_for)
{
	close(self->host_fd);
	self->host_fd = -1;
	EXPECT_EQ(0, revoke_before_pipe(self->fd));
}

TEST_F(revoke, lets_go_of_the_host_of_a_device_while_a_pipe_is_waited_for)
{
	close(self->fd);
	close(self->host_fd);
	self->host_fd = -1;
	ASSERT_EQ(0, table("=/k " F " chr %s", variant->options));
	self->fd = open(KEY, O_RDWR);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, revoke_before_pipe(self->fd));
}

TEST_F(revoke, makes_mappings_fault)
{
	const size_t pages = variant->len / PAGE;
	char *shared = mmap(NULL, variant->len, variant->is_aligned ? RW :
			    PROT_READ, MAP_SHARED, self->fd, 0);
	char *copy = mmap(NULL, variant->len, RW, MAP_PRIVATE, self->fd, 0);
	pid_t child;
	size_t i;

	catch_bus();
	ASSERT_NE(MAP_FAILED, shared);
	ASSERT_NE(MAP_FAILED, copy);
	for (i = 0; i < pages; i += 2) {
		ASSERT_NE(-1, peek(shared + i * PAGE));
		ASSERT_NE(-1, peek(copy + i * PAGE));
	}
	/* A private copy that was made is the process' own. */
	ASSERT_TRUE(poke(copy, 'x'));
	close(self->fd);

	child = fork();
	if (!child) {
		/* What was mapped before the fork is cut off as well. */
		while (peek(shared) != -1)
			sched_yield();
		_exit(peek(shared + PAGE) == -1 ? 0 : 1);
	}
	ASSERT_EQ(0, table("-/k revoke"));
	for (i = 0; i < pages; i++) {
		EXPECT_EQ(-1, peek(shared + i * PAGE));
		if (i)
			EXPECT_EQ(-1, peek(copy + i * PAGE));
	}
	EXPECT_EQ('x', peek(copy));
	EXPECT_TRUE(poke(copy, 'y'));
	if (variant->is_aligned)
		EXPECT_FALSE(poke(shared, 'z'));
	EXPECT_EQ(0, wait_status(child));
	EXPECT_EQ(0, fill_is(F, 0, TOTAL, 0, SEED));
	munmap(shared, variant->len);
	munmap(copy, variant->len);
	self->fd = -1;
}

TEST_F(revoke, leaves_the_host_and_other_mappings_alone)
{
	char *host = mmap(NULL, TOTAL, RW, MAP_PRIVATE, self->host_fd, 0);
	char *other;
	int fd;

	ASSERT_NE(MAP_FAILED, host);
	host[variant->offset] = 'h';
	ASSERT_EQ(0, table("/o " F " reg %s", variant->options));
	fd = open(MNT "/o", O_RDONLY);
	other = mmap(NULL, variant->len, PROT_READ, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, other);
	EXPECT_EQ(-1, fill_differs(other, variant->len, variant->offset, SEED));

	ASSERT_EQ(0, table("-/k revoke"));
	EXPECT_EQ('h', host[variant->offset]);
	EXPECT_EQ(-1, fill_differs(host + variant->offset + 1,
				   variant->len - 1, variant->offset + 1, SEED));
	EXPECT_EQ(-1, fill_differs(other, variant->len, variant->offset, SEED));
	EXPECT_EQ(1, pread(fd, buf, 1, 0));
	close(fd);
	munmap(host, TOTAL);
	munmap(other, variant->len);
}

TEST_F(revoke, by_tag_and_by_flush)
{
	int fd;

	ASSERT_EQ(0, table("-@t revoke"));
	EXPECT_EQ(EIO, ERR(pread(self->fd, buf, 1, 0)));
	ASSERT_EQ(0, table("/k " F " reg %s", variant->options));
	fd = open(KEY, O_RDONLY);
	EXPECT_EQ(1, pread(fd, buf, 1, 0));
	ASSERT_EQ(0, table("flush revoke"));
	EXPECT_EQ(EIO, ERR(pread(fd, buf, 1, 0)));
	close(fd);
}

/* A batch that is refused revokes nothing; what it replaces stays open. */
TEST_F(revoke, only_if_the_batch_is_done)
{
	EXPECT_EQ(ENOENT, table("-/k revoke\n-/none"));
	EXPECT_EQ(1, pread(self->fd, buf, 1, 0));
	ASSERT_EQ(0, table("=/k " F " reg %s", variant->options));
	EXPECT_EQ(1, pread(self->fd, buf, 1, 0));
}

TEST_F(revoke, nobody_has_it_open)
{
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, table("-/k revoke"));
	ASSERT_EQ(0, table("/k " F " reg\n-/k revoke"));
	EXPECT_EQ(ENOENT, stat_err(KEY));
}

/* While others are at it */

struct busy {
	int fd;
	char *map;
	size_t len;
	unsigned int rounds;	/* in shared memory: of all who fault */
	bool saw_sentinel;
};

static void *write_on(void *arg)
{
	struct busy *busy = arg;
	char page[PAGE];

	memset(page, 'w', PAGE);
	while (pwrite(busy->fd, page, PAGE, 0) >= 0)
		;
	return (void *)(long)errno;
}

TEST_F(revoke, nothing_is_written_once_it_has_returned)
{
	struct busy busy = { .fd = self->fd };
	pthread_t writers[3];
	void *err;
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&writers[i], NULL, write_on,
					    &busy));
	ASSERT_TRUE(WAIT_FOR(pread(self->host_fd, buf, 1, variant->offset) ==
			     1 && buf[0] == 'w'));
	ASSERT_EQ(0, table("-/k revoke"));
	memset(buf, 's', TOTAL);
	ASSERT_EQ(TOTAL, pwrite(self->host_fd, buf, TOTAL, 0));
	for (i = 0; i < 3; i++) {
		pthread_join(writers[i], &err);
		EXPECT_EQ(EIO, (long)err);
	}
	ASSERT_EQ(TOTAL, pread(self->host_fd, buf, TOTAL, 0));
	EXPECT_EQ(-1, byte_differs(buf, TOTAL, 's'));
}

/* Faults pages in and throws them out until touching one brings SIGBUS. */
static void touch_on(struct busy *busy)
{
	size_t at;

	for (;;) {
		for (at = 0; at < busy->len; at += PAGE) {
			int byte = peek(busy->map + at);

			if (byte == -1)
				_exit(busy->saw_sentinel);
			if (byte == 's')
				busy->saw_sentinel = true;
		}
		madvise(busy->map, busy->len, MADV_DONTNEED);
		__atomic_add_fetch(&busy->rounds, 1, __ATOMIC_RELAXED);
	}
}

TEST_F(revoke, no_fault_shows_the_host_once_it_has_returned)
{
	const size_t len = variant->len & ~(PAGE - 1);
	struct busy *busy = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS,
				 -1, 0);
	pid_t pids[2];
	int i;

	catch_bus();
	ASSERT_NE(MAP_FAILED, busy);
	busy->len = len;
	busy->map = mmap(NULL, len, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, busy->map);
	memset(buf, 'b', TOTAL);
	ASSERT_EQ(TOTAL, pwrite(self->host_fd, buf, TOTAL, 0));
	for (i = 0; i < 2; i++) {
		pids[i] = fork();
		if (!pids[i])
			touch_on(busy);
	}
	ASSERT_TRUE(WAIT_FOR(__atomic_load_n(&busy->rounds,
					     __ATOMIC_RELAXED) > 10));
	ASSERT_EQ(0, table("-/k revoke"));
	memset(buf, 's', TOTAL);
	ASSERT_EQ(TOTAL, pwrite(self->host_fd, buf, TOTAL, 0));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, wait_status(pids[i]));
	EXPECT_EQ(-1, peek(busy->map));
	munmap(busy->map, len);
}

static void wake(int sig)
{
}

/* The errno of a revocation that a signal may end. */
static pid_t revoke_in_a_child(void)
{
	struct sigaction action = { .sa_handler = wake };
	pid_t pid = fork();

	if (pid)
		return pid;
	sigaction(SIGUSR1, &action, NULL);
	_exit(table("-/k revoke"));
}

static bool is_blocked(pid_t pid)
{
	return !run("grep -qE '^State:.(S|D)' /proc/%d/status", pid);
}

/*
 * A frozen host holds a writer up: the revocation waits for it. A signal ends
 * the wait, not the revocation.
 */
TEST_F(revoke, waits_for_who_is_inside)
{
	pid_t writer, impatient;
	int freezer = open(HOST "/disk", O_RDONLY);

	ASSERT_EQ(0, ERR(ioctl(freezer, FIFREEZE, 0)));
	writer = fork();
	if (!writer)
		_exit(pwrite(self->fd, "w", 1, 0) == 1 ? 0 : errno);
	ASSERT_TRUE(WAIT_FOR(is_blocked(writer)));
	impatient = revoke_in_a_child();
	ASSERT_TRUE(WAIT_FOR(stat_err(KEY) == ENOENT && is_blocked(impatient)));
	/* Others see the key gone, and the table is free. */
	EXPECT_EQ(0, table("/k2 " F " reg ro"));
	kill(impatient, SIGUSR1);
	EXPECT_EQ(EINTR, wait_status(impatient));
	EXPECT_EQ(EIO, ERR(pread(self->fd, buf, 1, 0)));
	EXPECT_EQ(ENOENT, table("-/k revoke"));

	ASSERT_EQ(0, ERR(ioctl(freezer, FITHAW, 0)));
	EXPECT_EQ(0, wait_status(writer));
	EXPECT_EQ(1, pread(self->host_fd, buf, 1, variant->offset));
	EXPECT_EQ('w', buf[0]);
	close(freezer);
}

/* A disk goes as if it had been pulled out. */

TEST_F(revoke, pulls_out_a_disk)
{
	int fd, nr;

	close(self->fd);
	close(self->host_fd);
	self->fd = -1;
	self->host_fd = -1;
	ASSERT_EQ(0, table("flush"));
	ASSERT_EQ(0, table("/k " F " blk %s", variant->options));
	nr = device_nr(KEY);
	ASSERT_LE(0, nr);
	fd = open(KEY, O_RDWR | O_DIRECT);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EBUSY, table("-/k busy"));
	ASSERT_EQ(0, table("-/k revoke"));
	EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_NE(0, run("test -e /sys/block/rumpblk%d", nr));
	EXPECT_GE(0, pread(fd, buf, 512, 0));
	EXPECT_GE(0, pwrite(fd, buf, 512, 0));
	/* Still open here, but not on the host. */
	EXPECT_EQ(0, ERR(umount(HOST "/disk")));
	close(fd);
}

TEST_F(revoke, a_mounted_disk)
{
	ASSERT_EQ(0, table("-/k revoke"));
	ASSERT_EQ(0, run("truncate -s 8M " F " && mkfs.ext4 -q " F));
	ASSERT_EQ(0, table("/k " F " blk"));
	ASSERT_EQ(0, run("mkdir /mnt/fs && mount -t ext4 -o errors=continue "
			 KEY " /mnt/fs && echo x > /mnt/fs/x"));
	ASSERT_EQ(0, table("-/k revoke"));
	/* Its file system errs and goes, and nobody hangs. */
	run("echo y > /mnt/fs/y; sync /mnt/fs/x");
	EXPECT_EQ(0, run("umount /mnt/fs"));
}

TEST_HARNESS_MAIN
