// SPDX-License-Identifier: GPL-2.0
/* The ways into and out of a memory file beside read and write. */

#include <elf.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"
#define FILE_B MNT "/b"
#define LEN (40 * PAGE + 123)
#define TOP 0x7fffffffffffffffLL

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

FIXTURE(io)
{
	int fd;
};

FIXTURE_SETUP(io)
{
	ASSERT_EQ(0, setup_mount("size=4M"));
	ASSERT_EQ(0, fill(FILE_A, LEN, 5));
	self->fd = open(FILE_A, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(io)
{
	close(self->fd);
	teardown_mount();
}

static long pages_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : st.st_blocks * 512L / PAGE;
}

static long used(void)
{
	struct statvfs st = {};

	statvfs(MNT, &st);
	return st.f_blocks - st.f_bfree;
}

TEST_F(io, preadv2_and_pwritev2_know_the_flags)
{
	char buf[PAGE];
	struct iovec iov = { buf, sizeof(buf) };

	memset(buf, 'v', sizeof(buf));
	EXPECT_EQ(0, preadv2(self->fd, &iov, 0, 0, 0));
	EXPECT_EQ(PAGE, pwritev2(self->fd, &iov, 1, 10, RWF_DSYNC | RWF_SYNC));
	EXPECT_EQ(PAGE, pwritev2(self->fd, &iov, 1, 10, RWF_HIPRI));
	EXPECT_EQ(PAGE, pwritev2(self->fd, &iov, 1, 0, RWF_APPEND));
	EXPECT_EQ(LEN + PAGE, size_of(FILE_A));
	EXPECT_EQ(PAGE, preadv2(self->fd, &iov, 1, LEN, RWF_HIPRI));
	EXPECT_EQ(-1, byte_differs(buf, PAGE, 'v'));

	/* Whether a page is there cannot be known without waiting for locks. */
	EXPECT_EQ(EOPNOTSUPP,
		  ERR(preadv2(self->fd, &iov, 1, 0, RWF_NOWAIT)));
	EXPECT_EQ(EOPNOTSUPP,
		  ERR(pwritev2(self->fd, &iov, 1, 0, RWF_NOWAIT)));
	EXPECT_EQ(EOPNOTSUPP,
		  ERR(pwritev2(self->fd, &iov, 1, 0, 0x40000000)));
	EXPECT_EQ(EINVAL, ERR(preadv2(self->fd, &iov, 1, -2, 0)));
}

/* Taken, of any alignment, and the same as without. */
TEST_F(io, o_direct_changes_nothing)
{
	char buf[100];
	int fd = open(FILE_A, O_RDWR | O_DIRECT);

	ASSERT_LE(0, fd);
	EXPECT_EQ(100, pread(fd, buf, 100, 77));
	EXPECT_EQ(-1, fill_differs(buf, 100, 77, 5));
	EXPECT_EQ(7, pwrite(fd, "seven-7", 7, 3));
	EXPECT_EQ(7, pread(self->fd, buf, 7, 3));
	EXPECT_EQ(0, memcmp(buf, "seven-7", 7));
	close(fd);
	EXPECT_EQ(0, ERR(fcntl(self->fd, F_SETFL, O_DIRECT)));
	EXPECT_EQ(100, pread(self->fd, buf, 100, 99));
	EXPECT_EQ(-1, fill_differs(buf, 100, 99, 5));
}

/* All of it, by steps of a pipe; 0 or an errno. */
static int splice_all(int in, int out)
{
	int ends[2], err = 0;
	ssize_t got = 1, put;

	if (pipe(ends))
		return errno;
	while (!err && got) {
		got = splice(in, NULL, ends[1], NULL, 3 * PAGE + 17, 0);
		if (got < 0)
			err = errno;
		while (!err && got > 0) {
			put = splice(ends[0], NULL, out, NULL, got, 0);
			if (put <= 0)
				err = put ? errno : EPIPE;
			got -= put;
			if (!got) {
				got = 1;
				break;
			}
		}
	}
	close(ends[0]);
	close(ends[1]);
	return err;
}

TEST_F(io, splice_goes_both_ways)
{
	int fd = open(FILE_B, O_RDWR | O_CREAT, 0644);

	EXPECT_EQ(0, splice_all(self->fd, fd));
	close(fd);
	EXPECT_EQ(LEN, size_of(FILE_B));
	EXPECT_EQ(0, fill_is(FILE_B, 0, LEN, 0, 5));
}

/* What a pipe was given is a copy: a punch cannot change it any more. */
TEST_F(io, a_hole_goes_through_a_pipe_as_zeros)
{
	char buf[PAGE];
	int ends[2];

	ASSERT_EQ(0, ftruncate(self->fd, 0));
	ASSERT_EQ(0, ftruncate(self->fd, 3 * PAGE));
	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(2 * PAGE, splice(self->fd, NULL, ends[1], NULL, 2 * PAGE, 0));
	EXPECT_EQ(0, pages_of(FILE_A));
	EXPECT_EQ(3, pwrite(self->fd, "abc", 3, 0));
	EXPECT_EQ(PAGE, read(ends[0], buf, PAGE));
	EXPECT_EQ(-1, byte_differs(buf, PAGE, 0));
	close(ends[0]);
	close(ends[1]);
}

TEST_F(io, sendfile_and_copy_file_range)
{
	int fd = open(FILE_B, O_RDWR | O_CREAT, 0644);
	off_t pos = 1000, out = 5000;
	ssize_t n = 1, sum = 0;

	for (; n > 0; sum += n)
		n = sendfile(fd, self->fd, &pos, 70000);
	EXPECT_EQ(0, n);
	EXPECT_EQ(LEN - 1000, sum);
	EXPECT_EQ(LEN - 1000, size_of(FILE_B));
	EXPECT_EQ(0, fill_is(FILE_B, 0, LEN - 1000, 1000, 5));

	ASSERT_EQ(0, ftruncate(fd, 0));
	pos = 17;
	EXPECT_EQ(9 * PAGE,
		  copy_file_range(self->fd, &pos, fd, &out, 9 * PAGE, 0));
	EXPECT_EQ(5000 + 9 * PAGE, size_of(FILE_B));
	EXPECT_EQ(0, fill_is(FILE_B, 5000, 9 * PAGE, 17 - 5000, 5));
	close(fd);
}

TEST_F(io, pages_given_to_a_pipe_are_written)
{
	static char buf[2 * PAGE] __attribute__((aligned(PAGE)));
	struct iovec iov = { buf, sizeof(buf) };
	int fd = open(FILE_B, O_RDWR | O_CREAT, 0644), ends[2];

	memset(buf, 'g', sizeof(buf));
	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(2 * PAGE, vmsplice(ends[1], &iov, 1, SPLICE_F_GIFT));
	EXPECT_EQ(2 * PAGE, splice(ends[0], NULL, fd, NULL, 2 * PAGE,
				   SPLICE_F_MOVE));
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(PAGE, pread(fd, buf, PAGE, PAGE));
	EXPECT_EQ(-1, byte_differs(buf, PAGE, 'g'));
	EXPECT_EQ(2, pages_of(FILE_B));
	close(fd);
}

/* There is no other copy: no advice makes a page go or come. */
TEST_F(io, advice_and_sync_lose_nothing)
{
	const int advice[] = { POSIX_FADV_DONTNEED, POSIX_FADV_WILLNEED,
			       POSIX_FADV_RANDOM, POSIX_FADV_NOREUSE };
	size_t i;

	ASSERT_EQ(0, fallocate(self->fd, 0, 0, 60 * PAGE));
	for (i = 0; i < ARRAY_SIZE(advice); i++)
		EXPECT_EQ(0, posix_fadvise(self->fd, 0, 0, advice[i]));
	EXPECT_EQ(0, ERR(readahead(self->fd, 0, 1 << 20)));
	EXPECT_EQ(0, ERR(fsync(self->fd)));
	EXPECT_EQ(0, ERR(fdatasync(self->fd)));
	EXPECT_EQ(0, ERR(syncfs(self->fd)));
	EXPECT_EQ(0, ERR(sync_file_range(self->fd, 0, 0,
					 SYNC_FILE_RANGE_WAIT_BEFORE |
						 SYNC_FILE_RANGE_WRITE |
						 SYNC_FILE_RANGE_WAIT_AFTER)));
	EXPECT_EQ(0, put_text("/proc/sys/vm/drop_caches", "3\n"));
	EXPECT_EQ(60, pages_of(FILE_A));
	EXPECT_EQ(60, used());
	EXPECT_EQ(0, fill_is(FILE_A, 0, LEN, 0, 5));
}

TEST_F(io, mappings_are_advised_locked_and_synced)
{
	const size_t len = 100 * PAGE;
	char *map;

	ASSERT_EQ(0, ftruncate(self->fd, len));
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, ERR(madvise(map, len, MADV_WILLNEED)));
	EXPECT_EQ(41, used());
	EXPECT_EQ(0, ERR(madvise(map, 50 * PAGE, MADV_POPULATE_READ)));
	EXPECT_EQ(50, used());
	EXPECT_EQ(0, ERR(madvise(map, 60 * PAGE, MADV_POPULATE_WRITE)));
	EXPECT_EQ(60, used());
	EXPECT_EQ(0, ERR(mlock(map, len)));
	EXPECT_EQ(100, used());
	EXPECT_EQ(EINVAL, ERR(madvise(map, PAGE, MADV_REMOVE)));
	EXPECT_EQ(0, ERR(munlock(map, len)));
	map[70 * PAGE] = 'm';
	EXPECT_EQ(0, ERR(msync(map, len, MS_SYNC)));
	EXPECT_EQ(0, ERR(msync(map, len, MS_ASYNC)));
	EXPECT_EQ(0, ERR(madvise(map, len, MADV_DONTNEED)));
	EXPECT_EQ('m', map[70 * PAGE]);
	EXPECT_EQ(-1, fill_differs(map, LEN, 0, 5));

	/* Past the end there is nothing to populate. */
	ASSERT_EQ(0, ftruncate(self->fd, 10 * PAGE));
	EXPECT_EQ(EFAULT, ERR(madvise(map, len, MADV_POPULATE_WRITE)));
	EXPECT_EQ(10, used());
	munmap(map, len);
}

TEST_F(io, files_end_at_the_largest_offset)
{
	char byte;

	EXPECT_EQ(0, ERR(ftruncate(self->fd, 0)));
	EXPECT_EQ(1, pwrite(self->fd, "x", 1, TOP - 1));
	EXPECT_EQ(TOP, size_of(FILE_A));
	EXPECT_EQ(1, pages_of(FILE_A));
	EXPECT_EQ(EINVAL, ERR(pwrite(self->fd, "x", 1, TOP)));
	EXPECT_EQ(TOP - 1, lseek(self->fd, -1, SEEK_END));
	EXPECT_EQ(1, read(self->fd, &byte, 1));
	EXPECT_EQ('x', byte);
	EXPECT_EQ(EINVAL, ERR(read(self->fd, &byte, 1)));
	EXPECT_EQ(0, ERR(ftruncate(self->fd, TOP)));
	EXPECT_EQ(0, ERR(ftruncate(self->fd, 1)));
	EXPECT_EQ(0, pages_of(FILE_A));
	EXPECT_EQ(0, used());
}

/* In a child, with files of at most two pages; its answer, or its signal. */
#define LIMITED(call) ({						\
	struct rlimit limit_ = { 2 * PAGE, 2 * PAGE };			\
	pid_t pid_ = fork();						\
									\
	if (!pid_) {							\
		setrlimit(RLIMIT_CORE, &(struct rlimit){});		\
		setrlimit(RLIMIT_FSIZE, &limit_);			\
		_exit(ERR(call));					\
	}								\
	wait_status(pid_); })

TEST_F(io, files_end_at_the_limit_of_the_process)
{
	static char buf[3 * PAGE];

	ASSERT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_EQ(128 + SIGXFSZ, LIMITED(pwrite(self->fd, "x", 1, 2 * PAGE)));
	EXPECT_EQ(128 + SIGXFSZ, LIMITED(ftruncate(self->fd, 2 * PAGE + 1)));
	signal(SIGXFSZ, SIG_IGN);
	EXPECT_EQ(EFBIG, LIMITED(pwrite(self->fd, "x", 1, 2 * PAGE)));
	EXPECT_EQ(EFBIG, LIMITED(ftruncate(self->fd, 2 * PAGE + 1)));
	EXPECT_EQ(0, size_of(FILE_A));

	/* What fits is written. */
	EXPECT_EQ(0, LIMITED(pwrite(self->fd, buf, 3 * PAGE, 0)));
	EXPECT_EQ(2 * PAGE, size_of(FILE_A));
}

TEST_F(io, a_bad_source_leaves_no_page)
{
	char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, ftruncate(self->fd, 0));
	memset(map, 'm', PAGE);
	ASSERT_EQ(0, mprotect(map + PAGE, PAGE, PROT_NONE));
	EXPECT_EQ(EFAULT, ERR(pwrite(self->fd, map + PAGE, 10, 0)));
	EXPECT_EQ(0, size_of(FILE_A));
	if (is_rumpfs())
		EXPECT_EQ(0, used());

	/* What could be read counts. */
	EXPECT_EQ(10, pwrite(self->fd, map + PAGE - 10, 20, 100));
	EXPECT_EQ(110, size_of(FILE_A));
	EXPECT_EQ(1, used());
	EXPECT_EQ(EFAULT, ERR(pread(self->fd, map + PAGE, 10, 0)));
	EXPECT_EQ(5, pread(self->fd, map + PAGE - 5, 10, 100));
	munmap(map, 2 * PAGE);
}

static char *flickering;
static bool stop;

static void *flicker(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		madvise(flickering, PAGE, MADV_DONTNEED);
		mprotect(flickering, PAGE, PROT_NONE);
		mprotect(flickering, PAGE, PROT_READ | PROT_WRITE);
	}
	return NULL;
}

/* Readable when it is looked at, and gone when it is copied. */
TEST_F(io, a_source_that_goes_away_leaves_no_page)
{
	long nr = turns(60000), turn, taken = 0, failed = 0;
	pthread_t thread;

	if (!is_rumpfs())
		SKIP(return, "tmpfs leaves one now and then");
	flickering = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	pthread_create(&thread, NULL, flicker, NULL);
	for (turn = 0; turn < nr; turn++) {
		ssize_t n = pwrite(self->fd, flickering, 1, turn * PAGE);

		ASSERT_TRUE(n == 1 || (n < 0 && errno == EFAULT));
		failed += n < 0;
		taken += n > 0;
		if (n > 0 && taken % 512 == 0) {
			ASSERT_EQ(512, pages_of(FILE_A));
			ASSERT_EQ(0, ftruncate(self->fd, 0));
		}
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_EQ(taken % 512, pages_of(FILE_A));
	EXPECT_EQ(taken % 512, used());
	EXPECT_LT(0, taken);
	EXPECT_LT(0, failed);
	munmap(flickering, PAGE);
}

/* What cannot be read any more is not zeros. */
/* Pages alone, holes, room that was never written, and what was one write. */
static void make_patchwork(int fd, char *model, int pages)
{
	int i, n;

	ftruncate(fd, 0);
	ftruncate(fd, pages * PAGE);
	memset(model, 0, pages * PAGE);
	for (i = 0; i < pages; i += n) {
		n = i % 11 == 7 ? 16 : 1;
		if (i + n > pages)
			n = pages - i;
		if (n == 1 && i % 3 == 1)
			continue;
		if (n == 1 && i % 5 == 2) {
			fallocate(fd, 0, i * PAGE, PAGE);
			continue;
		}
		memset(model + i * PAGE, 'a' + i % 26, n * PAGE);
		pwrite(fd, model + i * PAGE, n * PAGE, i * PAGE);
	}
}

TEST_F(io, one_read_goes_over_pages_and_holes)
{
	enum { PAGES = 200 };
	char *model = malloc(PAGES * PAGE), *buf = malloc(PAGES * PAGE);
	unsigned int seed = 1;
	long pos, len, want;
	int i;

	make_patchwork(self->fd, model, PAGES);
	for (i = 0; i < 300; i++) {
		pos = rand_r(&seed) % (PAGES * PAGE);
		len = i % 3 ? rand_r(&seed) % (20 * PAGE) : PAGES * PAGE;
		if (i % 7 == 0)
			pos &= ~(PAGE - 1L);
		want = len < PAGES * PAGE - pos ? len : PAGES * PAGE - pos;
		memset(buf, 'X', PAGES * PAGE);
		ASSERT_EQ(want, pread(self->fd, buf, len, pos)) {
			TH_LOG("%ld bytes at %ld", len, pos);
		}
		ASSERT_EQ(0, memcmp(buf, model + pos, want)) {
			TH_LOG("%ld bytes at %ld", len, pos);
		}
	}
	EXPECT_EQ(0, pread(self->fd, buf, PAGE, PAGES * PAGE));
	free(model);
	free(buf);
}

TEST_F(io, a_read_ends_where_its_buffer_does)
{
	enum { PAGES = 40 };
	char *model = malloc(PAGES * PAGE), *buf;
	int i;

	make_patchwork(self->fd, model, PAGES);
	buf = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, buf);
	for (i = PAGES - 1; i > 0; i -= 5) {
		ASSERT_EQ(0, munmap(buf + i * PAGE, PAGE));
		EXPECT_EQ(i * PAGE - 128, pread(self->fd, buf + 128,
						PAGES * PAGE - 128, 0));
		EXPECT_EQ(0, memcmp(buf + 128, model, i * PAGE - 128));
	}
	EXPECT_EQ(EFAULT, ERR(pread(self->fd, buf + 4 * PAGE, PAGE, 0)));
	munmap(buf, PAGES * PAGE);
	free(model);
}

TEST_F(io, memory_that_fails_is_an_error)
{
	char *map = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->fd, 0);
	char buf[2 * PAGE];
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, map);
	pid = fork();
	if (!pid) {
		map[3 * PAGE] = 'x';
		_exit(madvise(map + 3 * PAGE, PAGE, MADV_HWPOISON) &&
		      errno == EINVAL);
	}
	status = wait_status(pid);
	if (status == 1)
		SKIP(return, "no memory failure in this kernel");
	EXPECT_TRUE(status == 0 || status == 128 + SIGBUS);

	EXPECT_EQ(EIO, ERR(pread(self->fd, buf, PAGE, 3 * PAGE)));
	EXPECT_EQ(PAGE, pread(self->fd, buf, 2 * PAGE, 2 * PAGE));
	EXPECT_EQ(EIO, ERR(pwrite(self->fd, buf, 1, 3 * PAGE)));
	EXPECT_EQ(EFAULT, ERR(pwrite(self->fd, map + 3 * PAGE, 1, 0)));
	EXPECT_EQ(PAGE, pread(self->fd, buf, PAGE, 4 * PAGE));
	EXPECT_EQ(41, used());

	/* Its place can be had back. */
	ASSERT_EQ(0, fallocate(self->fd,
			       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       3 * PAGE, PAGE));
	EXPECT_EQ(40, used());
	EXPECT_EQ(PAGE, pread(self->fd, buf, PAGE, 3 * PAGE));
	EXPECT_EQ(-1, byte_differs(buf, PAGE, 0));
	EXPECT_EQ(1, pwrite(self->fd, "y", 1, 3 * PAGE));
	EXPECT_EQ('y', map[3 * PAGE]);
	EXPECT_EQ(41, used());
	munmap(map, LEN);
}

/* Probes in what is run and mapped. */

#define TRACE HOST "/trace"
#define PROG MNT "/prog"
#define SPARSE MNT "/sparse"

FIXTURE(uprobe)
{
};

FIXTURE_SETUP(uprobe)
{
	ASSERT_EQ(0, setup_mount("size=4M"));
	ASSERT_EQ(0, mkdir(TRACE, 0755));
	if (mount("none", TRACE, "tracefs", 0, NULL) ||
	    access(TRACE "/uprobe_events", F_OK))
		SKIP(return, "no uprobes in this kernel");
}

static int remove_probe(void)
{
	return run("cd " TRACE "; ! [ -e events/rump/at ] || "
		   "{ echo 0 >events/rump/at/enable; echo >uprobe_events; }");
}

FIXTURE_TEARDOWN(uprobe)
{
	remove_probe();
	umount2(TRACE, MNT_DETACH);
	teardown_mount();
}

/* Where in its file a program begins; -1 if that is no such file. */
static long entry_of(const char *path)
{
	Elf64_Phdr part;
	Elf64_Ehdr head;
	long at = -1;
	int fd = open(path, O_RDONLY);

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
		head.e_phnum = 0;
	for (int i = 0; i < head.e_phnum; i++) {
		off_t pos = head.e_phoff + i * sizeof(part);

		if (pread(fd, &part, sizeof(part), pos) == sizeof(part) &&
		    part.p_type == PT_LOAD && head.e_entry >= part.p_vaddr &&
		    head.e_entry - part.p_vaddr < part.p_filesz)
			at = head.e_entry - part.p_vaddr + part.p_offset;
	}
	close(fd);
	return at;
}

static int add_probe(const char *path, long at)
{
	return run("echo 'p:rump/at %s:0x%lx' >" TRACE "/uprobe_events && "
		   "echo 1 >" TRACE "/events/rump/at/enable", path, at);
}

TEST_F(uprobe, counts_the_runs_of_a_program)
{
	ASSERT_EQ(0, run("cp /bin/true " PROG));
	ASSERT_LT(0, entry_of(PROG));
	ASSERT_EQ(0, add_probe(PROG, entry_of(PROG)));
	EXPECT_EQ(0, run(PROG));
	EXPECT_EQ(0, run(PROG));
	EXPECT_EQ(0, run("grep -Eq ' at +2( |$)' " TRACE "/uprobe_profile"));
}

TEST_F(uprobe, makes_no_page_in_a_hole)
{
	struct stat st;
	char *map;
	int fd;

	ASSERT_EQ(0, put_text(SPARSE, ""));
	ASSERT_EQ(0, truncate(SPARSE, 4 * PAGE));
	ASSERT_EQ(0, add_probe(SPARSE, PAGE));
	fd = open(SPARSE, O_RDWR);
	map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	munmap(map, 4 * PAGE);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_blocks);

	/* What is allocated and was never written is a page of zeros. */
	ASSERT_EQ(0, fallocate(fd, 0, PAGE, PAGE));
	map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_NE(0, map[PAGE]);
	EXPECT_EQ(0, map[PAGE + 1]);
	EXPECT_EQ(0, remove_probe());
	EXPECT_EQ(0, map[PAGE]);
	munmap(map, 4 * PAGE);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(PAGE / 512, st.st_blocks);
	close(fd);
}

TEST_HARNESS_MAIN
