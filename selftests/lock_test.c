// SPDX-License-Identifier: GPL-2.0
/* Locks and leases: POSIX, of open files, flock; and who breaks a lease. */

#include <signal.h>
#include <sys/file.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"

FIXTURE(lock)
{
	/* two open files of one name */
	int fd, other;
};

FIXTURE_VARIANT(lock)
{
	/* is the name a key? */
	bool is_key;
};

FIXTURE_VARIANT_ADD(lock, memory) { .is_key = false };
FIXTURE_VARIANT_ADD(lock, key) { .is_key = true };

FIXTURE_SETUP(lock)
{
	if (variant->is_key && !is_rumpfs())
		SKIP(return, "tmpfs has no keys");
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(variant->is_key ? HOST "/f" : FILE_A, "0123456789"));
	if (variant->is_key)
		ASSERT_EQ(0, table("/a " HOST "/f reg"));
	self->fd = open(FILE_A, O_RDWR);
	self->other = open(FILE_A, O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(lock)
{
	close(self->fd);
	close(self->other);
	teardown_mount();
}

static int set_lock(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET,
			      .l_start = start, .l_len = len };

	return ERR(fcntl(fd, cmd, &lock));
}

/* What stands in the way of a lock: its type, with the owner and the range. */
static int get_lock(int fd, int cmd, int type, off_t start, off_t len,
		    struct flock *found)
{
	*found = (struct flock){ .l_type = type, .l_whence = SEEK_SET,
				 .l_start = start, .l_len = len };
	return fcntl(fd, cmd, found) ? -errno : found->l_type;
}

/* The same in another process. */
#define ELSEWHERE(statement) ({						\
	pid_t pid_ = fork();						\
									\
	if (!pid_)							\
		_exit(statement);					\
	wait_status(pid_); })

TEST_F(lock, posix_locks_keep_other_processes_out)
{
	struct flock found;
	pid_t pid = getpid();

	EXPECT_EQ(0, set_lock(self->fd, F_SETLK, F_WRLCK, 2, 3));
	EXPECT_EQ(EAGAIN, ELSEWHERE(set_lock(self->fd, F_SETLK, F_RDLCK, 4, 1)));
	EXPECT_EQ(EAGAIN, ELSEWHERE(set_lock(self->fd, F_SETLK, F_WRLCK, 0, 0)));
	EXPECT_EQ(0, ELSEWHERE(set_lock(self->fd, F_SETLK, F_WRLCK, 0, 2)));
	EXPECT_EQ(0, ELSEWHERE(set_lock(self->fd, F_SETLK, F_WRLCK, 5, 0)));
	EXPECT_EQ(0, ELSEWHERE(get_lock(self->fd, F_GETLK, F_RDLCK, 0, 0,
					&found) != F_WRLCK ||
			       found.l_pid != pid || found.l_start != 2 ||
			       found.l_len != 3));

	/* Its own do not: they are joined and split. */
	EXPECT_EQ(0, set_lock(self->other, F_SETLK, F_RDLCK, 3, 1));
	EXPECT_EQ(0, ELSEWHERE(set_lock(self->fd, F_SETLK, F_RDLCK, 3, 1)));
	EXPECT_EQ(EAGAIN, ELSEWHERE(set_lock(self->fd, F_SETLK, F_RDLCK, 2, 1)));

	/* The first close of the file by the process takes them all. */
	close(dup(self->other));
	EXPECT_EQ(0, ELSEWHERE(set_lock(self->fd, F_SETLK, F_WRLCK, 0, 0)));
}

TEST_F(lock, posix_locks_are_waited_for)
{
	int gate[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(gate));
	ASSERT_EQ(0, set_lock(self->fd, F_SETLK, F_WRLCK, 0, 0));
	pid = fork();
	if (!pid) {
		struct flock found;

		if (write(gate[1], "x", 1) != 1 ||
		    set_lock(self->fd, F_SETLKW, F_WRLCK, 0, 0))
			_exit(1);
		_exit(get_lock(self->fd, F_GETLK, F_WRLCK, 0, 0, &found) !=
		      F_UNLCK);
	}
	ASSERT_EQ(1, read(gate[0], &byte, 1));
	/* Not there, unless it waited. */
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	ASSERT_EQ(0, set_lock(self->fd, F_SETLK, F_UNLCK, 0, 0));
	EXPECT_EQ(0, wait_status(pid));
	close(gate[0]);
	close(gate[1]);
}

TEST_F(lock, a_read_lock_needs_a_file_open_for_reading)
{
	int reader = open(FILE_A, O_RDONLY), writer = open(FILE_A, O_WRONLY);

	EXPECT_EQ(EBADF, set_lock(reader, F_SETLK, F_WRLCK, 0, 0));
	EXPECT_EQ(EBADF, set_lock(writer, F_SETLK, F_RDLCK, 0, 0));
	EXPECT_EQ(0, set_lock(reader, F_SETLK, F_RDLCK, 0, 0));
	EXPECT_EQ(EINVAL, set_lock(reader, F_SETLK, 77, 0, 0));
	EXPECT_EQ(EINVAL, set_lock(reader, F_SETLK, F_RDLCK, -1, 0));
	close(reader);
	close(writer);
}

TEST_F(lock, locks_of_open_files_keep_each_other_out)
{
	struct flock found;

	EXPECT_EQ(0, set_lock(self->fd, F_OFD_SETLK, F_WRLCK, 2, 3));
	EXPECT_EQ(EAGAIN, set_lock(self->other, F_OFD_SETLK, F_RDLCK, 4, 1));
	EXPECT_EQ(0, set_lock(self->other, F_OFD_SETLK, F_WRLCK, 5, 0));
	EXPECT_EQ(F_WRLCK, get_lock(self->other, F_OFD_GETLK, F_RDLCK, 0, 5,
				    &found));
	EXPECT_EQ(-1, found.l_pid);
	EXPECT_EQ(2, found.l_start);
	/* They stand against those of processes, too. */
	EXPECT_EQ(EAGAIN, set_lock(self->fd, F_SETLK, F_WRLCK, 2, 1));
	/* A child has the same open file. */
	EXPECT_EQ(0, ELSEWHERE(set_lock(self->fd, F_OFD_SETLK, F_RDLCK, 2, 3)));
	close(dup(self->fd));
	EXPECT_EQ(EAGAIN, set_lock(self->other, F_OFD_SETLK, F_WRLCK, 2, 1));
	close(self->fd);
	EXPECT_EQ(0, set_lock(self->other, F_OFD_SETLK, F_WRLCK, 0, 0));
}

TEST_F(lock, flock_is_of_the_open_file)
{
	EXPECT_EQ(0, flock(self->fd, LOCK_EX));
	EXPECT_EQ(EWOULDBLOCK, ERR(flock(self->other, LOCK_SH | LOCK_NB)));
	EXPECT_EQ(0, flock(self->fd, LOCK_SH));
	EXPECT_EQ(0, flock(self->other, LOCK_SH | LOCK_NB));
	EXPECT_EQ(EWOULDBLOCK, ERR(flock(self->other, LOCK_EX | LOCK_NB)));
	/* It has nothing to do with the others. */
	EXPECT_EQ(0, ELSEWHERE(set_lock(self->other, F_SETLK, F_WRLCK, 0, 0)));
	EXPECT_EQ(0, flock(self->other, LOCK_UN));
	EXPECT_EQ(0, flock(self->fd, LOCK_EX | LOCK_NB));
	close(self->fd);
	EXPECT_EQ(0, flock(self->other, LOCK_EX | LOCK_NB));
}

/* Directories, symbolic links' targets and fifos as tmpfs has them. */
TEST_F(lock, a_directory_can_be_locked)
{
	int fd = open(MNT, O_RDONLY), other = open(MNT, O_RDONLY);

	EXPECT_EQ(0, flock(fd, LOCK_EX));
	EXPECT_EQ(EWOULDBLOCK, ERR(flock(other, LOCK_EX | LOCK_NB)));
	EXPECT_EQ(0, set_lock(fd, F_SETLK, F_RDLCK, 0, 0));
	EXPECT_EQ(EBADF, set_lock(fd, F_SETLK, F_WRLCK, 0, 0));
	close(fd);
	close(other);
}

TEST_F(lock, locks_go_with_the_last_name)
{
	ASSERT_EQ(0, flock(self->fd, LOCK_EX));
	ASSERT_EQ(0, variant->is_key ? table("-/a") : ERR(unlink(FILE_A)));
	EXPECT_EQ(EWOULDBLOCK, ERR(flock(self->other, LOCK_SH | LOCK_NB)));
	ASSERT_EQ(0, put_text(FILE_A, "another"));
	close(self->other);
	self->other = open(FILE_A, O_RDWR);
	EXPECT_EQ(0, flock(self->other, LOCK_EX | LOCK_NB));
}

TEST_F(lock, locks_of_a_key_are_not_the_hosts)
{
	int host;

	if (!variant->is_key)
		return;
	host = open(HOST "/f", O_RDWR);
	ASSERT_EQ(0, flock(self->fd, LOCK_EX));
	ASSERT_EQ(0, set_lock(self->fd, F_OFD_SETLK, F_WRLCK, 0, 0));
	EXPECT_EQ(0, flock(host, LOCK_EX | LOCK_NB));
	EXPECT_EQ(0, set_lock(host, F_OFD_SETLK, F_WRLCK, 0, 0));
	close(host);
}

/* Leases */

FIXTURE(lease)
{
	int fd;
};

FIXTURE_SETUP(lease)
{
	sigset_t signals;

	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(FILE_A, "x"));
	self->fd = open(FILE_A, O_RDONLY);
	ASSERT_LE(0, self->fd);
	sigemptyset(&signals);
	sigaddset(&signals, SIGIO);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &signals, NULL));
}

FIXTURE_TEARDOWN(lease)
{
	close(self->fd);
	teardown_mount();
}

/* Did the signal of a broken lease come? */
static bool was_broken(void)
{
	const struct timespec limit = { .tv_sec = 10 };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGIO);
	return sigtimedwait(&signals, NULL, &limit) == SIGIO;
}

/* Somebody who breaks a lease by what he does, and waits until he may. */
enum breaker { WRITER, TRUNCATER };

static pid_t start_breaker(enum breaker how)
{
	pid_t pid = fork();

	if (!pid)
		_exit(how == WRITER ? open_err(FILE_A, O_WRONLY) :
				      ERR(truncate(FILE_A, 0)));
	return pid;
}

TEST_F(lease, it_is_told_and_given_up)
{
	enum breaker how;
	pid_t pid;

	EXPECT_EQ(F_UNLCK, fcntl(self->fd, F_GETLEASE));
	for (how = WRITER; how <= TRUNCATER; how++) {
		ASSERT_EQ(0, ERR(fcntl(self->fd, F_SETLEASE, F_RDLCK)));
		EXPECT_EQ(F_RDLCK, fcntl(self->fd, F_GETLEASE));
		/* Readers do not mind. */
		EXPECT_EQ(0, ELSEWHERE(open_err(FILE_A, O_RDONLY)));
		pid = start_breaker(how);
		EXPECT_TRUE(was_broken());
		EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
		EXPECT_EQ(F_UNLCK, fcntl(self->fd, F_GETLEASE));
		EXPECT_EQ(0, ERR(fcntl(self->fd, F_SETLEASE, F_UNLCK)));
		EXPECT_EQ(0, wait_status(pid));
	}
}

TEST_F(lease, a_write_lease_is_broken_by_a_reader)
{
	int fd = open(FILE_A, O_RDWR);

	/* Nobody else may have it open. */
	EXPECT_EQ(EAGAIN, ERR(fcntl(fd, F_SETLEASE, F_WRLCK)));
	close(self->fd);
	ASSERT_EQ(0, ERR(fcntl(fd, F_SETLEASE, F_WRLCK)));
	EXPECT_EQ(F_WRLCK, fcntl(fd, F_GETLEASE));
	EXPECT_EQ(EWOULDBLOCK,
		  ELSEWHERE(open_err(FILE_A, O_RDONLY | O_NONBLOCK)));
	EXPECT_TRUE(was_broken());
	EXPECT_EQ(0, ERR(fcntl(fd, F_SETLEASE, F_UNLCK)));
	EXPECT_EQ(0, ELSEWHERE(open_err(FILE_A, O_RDONLY | O_NONBLOCK)));
	close(fd);
	self->fd = open(FILE_A, O_RDONLY);
}

TEST_F(lease, a_writer_stands_against_it)
{
	int fd = open(FILE_A, O_WRONLY);

	EXPECT_EQ(EAGAIN, ERR(fcntl(self->fd, F_SETLEASE, F_RDLCK)));
	EXPECT_EQ(EAGAIN, ERR(fcntl(fd, F_SETLEASE, F_RDLCK)));
	close(fd);
	EXPECT_EQ(0, ERR(fcntl(self->fd, F_SETLEASE, F_RDLCK)));
	EXPECT_EQ(EINVAL, ERR(fcntl(self->fd, F_SETLEASE, 77)));
}

TEST_F(lease, it_is_for_the_owner)
{
	EXPECT_EQ(EACCES, AS_USER(1000, ERR(fcntl(self->fd, F_SETLEASE,
						  F_RDLCK))));
	ASSERT_EQ(0, chown(FILE_A, 1000, 1000));
	EXPECT_EQ(0, AS_USER(1000, ERR(fcntl(self->fd, F_SETLEASE, F_RDLCK))));
}

TEST_F(lease, only_regular_files_have_one)
{
	int fd;

	ASSERT_EQ(0, mkfifo(MNT "/fifo", 0644));
	fd = open(MNT "/fifo", O_RDWR);
	EXPECT_EQ(EINVAL, ERR(fcntl(fd, F_SETLEASE, F_RDLCK)));
	close(fd);
	fd = open(MNT, O_RDONLY);
	EXPECT_EQ(EINVAL, ERR(fcntl(fd, F_SETLEASE, F_RDLCK)));
	close(fd);
}

TEST_HARNESS_MAIN
