// SPDX-License-Identifier: GPL-2.0
/* What open, read, write, truncate and fallocate answer for a file. */

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "lib/posix.h"

static char page[PAGE], other[PAGE];

TEST_F(posix, open_makes_what_it_is_asked_for)
{
	PLAY("umask 022", "open f O_RDWR,O_CREAT 0777", "is f mode=0755",
	     "open f O_RDWR,O_CREAT 0600", "is f mode=0755",
	     "open g O_RDONLY,O_CREAT 0444", "is g mode=0444 size=0",
	     "EEXIST open f O_RDWR,O_CREAT,O_EXCL 0600", "symlink h l",
	     "open l O_RDWR,O_CREAT 0640", "is h type=reg mode=0640",
	     "EEXIST open l O_RDWR,O_CREAT,O_EXCL 0600",
	     "open n O_RDONLY,O_CREAT,O_TRUNC 0600", "is n size=0",
	     "mkdir d 0755", "open d O_RDONLY", "open d O_RDONLY,O_DIRECTORY",
	     "open d O_PATH", "open f O_RDONLY,O_SYNC",
	     "open t O_RDWR,O_CREAT,O_NOFOLLOW 0600", "keep 0 f O_WRONLY",
	     "EBADF read 0", "close 0", "keep 0 f O_RDONLY", "EBADF write 0 x",
	     "EINVAL ftruncate 0 0", "close 0", "EBADF fchmod 0 0600",
	     "keep 0 f O_PATH", "EBADF read 0", "EBADF fchmod 0 0600",
	     "EBADF fchown 0 1 1", "EBADF ftruncate 0 0", "fis 0 same=f",
	     "close 0", "keep 0 d O_RDONLY", "EISDIR read 0", "EBADF write 0 x",
	     "EINVAL ftruncate 0 0", "fsync 0", "umask 0");
}

/* (tmpfs does so since 6.6.) */
TEST_F(posix, direct_io_is_taken)
{
	int fd;

	ASSERT_EQ(0, fill("f", 10000, 1));
	fd = open("f", O_RDWR | O_DIRECT);
	ASSERT_LE(0, fd);
	EXPECT_EQ(777, pread(fd, page + 1, 777, 4001));
	EXPECT_EQ(-1, fill_differs(page + 1, 777, 4001, 1));
	EXPECT_EQ(3, pwrite(fd, "abc", 3, 9999));
	EXPECT_EQ(10002, size_of("f"));
	close(fd);
	PLAY("mkdir d 0755", "EINVAL open d O_RDONLY,O_DIRECT",
	     "create g", "open g O_RDONLY,O_DIRECT");
}

TEST_F(posix, truncate_answers_for_its_length)
{
	PLAY("create f", "truncate f 1234567", "is f size=1234567",
	     "truncate f 567", "is f size=567", "EINVAL truncate f -1",
	     "keep 0 f O_RDWR", "EINVAL ftruncate 0 -1", "ftruncate 0 99",
	     "is f size=99", "keep 1 f O_RDONLY", "EINVAL ftruncate 1 0",
	     "truncate f 0x7fffffffffffffff",
	     "is f size=0x7fffffffffffffff", "truncate f 0",
	     "mkfifo p 0600", "keep 2 p O_RDWR", "EINVAL ftruncate 2 0");
}

TEST_F(posix, a_file_size_limit_is_efbig)
{
	struct rlimit limit = { 10000, RLIM_INFINITY };
	int fd = open("f", O_RDWR | O_CREAT, 0644);

	signal(SIGXFSZ, SIG_IGN);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	PLAY("EFBIG truncate f 10001", "is f size=0", "truncate f 10000",
	     "keep 1 f O_RDWR", "EFBIG ftruncate 1 20000");
	EXPECT_EQ(PAGE, pwrite(fd, page, PAGE, 5000));
	EXPECT_EQ(1000, pwrite(fd, page, PAGE, 9000));
	EXPECT_EQ(EFBIG, ERR(pwrite(fd, page, 1, 10000)));
	EXPECT_EQ(EFBIG, ERR(pwrite(fd, page, 1, 1LL << 40)));
	EXPECT_EQ(10000, size_of("f"));
	close(fd);
}

TEST_F(posix, the_last_byte_can_be_written)
{
	const off_t last = 0x7fffffffffffffff;
	int fd = open("f", O_RDWR | O_CREAT, 0644);

	EXPECT_EQ(EINVAL, ERR(pwrite(fd, page, 1, -1)));
	EXPECT_EQ(EINVAL, ERR(pread(fd, page, 1, -1)));
	EXPECT_EQ(1, pwrite(fd, "x", 1, last - 1));
	EXPECT_EQ(last, size_of("f"));
	EXPECT_EQ(1, pread(fd, page, 1, last - 1));
	EXPECT_EQ('x', page[0]);
	EXPECT_EQ(last, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(EINVAL, ERR(pread(fd, page, 1, last)));
	EXPECT_EQ(EINVAL, ERR(pwrite(fd, page, 1, last)));
	EXPECT_EQ(EINVAL, ERR(lseek(fd, 1, SEEK_END)));
	close(fd);
}

TEST_F(posix, a_bad_buffer_is_efault)
{
	struct iovec iov[2] = { { page, 100 }, { (void *)16, 100 } };
	char *two, *hole = mmap(NULL, PAGE, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("f", O_RDWR | O_CREAT, 0644);

	EXPECT_EQ(EFAULT, ERR(write(fd, hole, 10)));
	EXPECT_EQ(0, size_of("f"));
	EXPECT_EQ(10000, (fill("g", 10000, 1), size_of("g")));
	EXPECT_EQ(100, pwritev(fd, iov, 2, 0));
	EXPECT_EQ(100, size_of("f"));
	EXPECT_EQ(EFAULT, ERR(pread(fd, hole, 10, 0)));
	EXPECT_EQ(0, pread(fd, hole, 10, 100));
	EXPECT_EQ(50, preadv(fd, (struct iovec[]){ { page, 50 }, iov[1] }, 2, 0));

	/* What is readable of a buffer is written. */
	two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, two);
	ASSERT_EQ(0, munmap(two + PAGE, PAGE));
	memset(two, 7, PAGE);
	EXPECT_EQ(PAGE, pwrite(fd, two, 2 * PAGE, 0));
	EXPECT_EQ(100, pwrite(fd, two + PAGE - 100, 200, 10000));
	EXPECT_EQ(10100, size_of("f"));
	ASSERT_EQ(100, pread(fd, page, PAGE, 10000));
	EXPECT_EQ(-1, byte_differs(page, 100, 7));
	ASSERT_EQ(PAGE, pread(fd, page, PAGE, 4096));
	EXPECT_EQ(-1, byte_differs(page, PAGE, 0));
	EXPECT_EQ(EFAULT, ERR(pwrite(fd, two + PAGE, 1, 20000)));
	close(fd);
}

/* A file as the source of a write to itself, through a mapping of the same page. */
TEST_F(posix, a_page_is_written_from_itself)
{
	unsigned char *map;
	int fd;

	ASSERT_EQ(0, fill("f", 3 * PAGE, 1));
	fd = open("f", O_RDWR);
	map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(100, pwrite(fd, map + 1000, 100, 0));
	EXPECT_EQ(-1, fill_differs(map, 100, 1000, 1));
	ASSERT_EQ(0, madvise(map, 3 * PAGE, MADV_DONTNEED));
	ASSERT_EQ(PAGE, pwrite(fd, map + PAGE, PAGE, 2 * PAGE));
	EXPECT_EQ(-1, fill_differs(map + 2 * PAGE, PAGE, PAGE, 1));
	ASSERT_EQ(0, madvise(map, 3 * PAGE, MADV_DONTNEED));
	ASSERT_EQ(PAGE, pread(fd, map + PAGE, PAGE, 2 * PAGE));
	EXPECT_EQ(-1, fill_differs(map + PAGE, PAGE, PAGE, 1));
	munmap(map, 3 * PAGE);
	close(fd);
}

TEST_F(posix, an_append_is_at_the_end)
{
	int a = open("f", O_WRONLY | O_CREAT | O_APPEND, 0644);
	int b = open("f", O_RDWR | O_APPEND);
	struct iovec iov = { (void *)"five", 4 };

	EXPECT_EQ(3, write(a, "one", 3));
	EXPECT_EQ(3, write(b, "two", 3));
	EXPECT_EQ(5, write(a, "three", 5));
	/* As Linux has it: even with a position. */
	EXPECT_EQ(4, pwrite(b, "four", 4, 0));
	EXPECT_EQ(4, pwritev2(a, &iov, 1, -1, 0));
	EXPECT_EQ(0, text_is("f", "onetwothreefourfive"));
	EXPECT_EQ(19, lseek(a, 0, SEEK_CUR));
	ASSERT_EQ(0, ftruncate(a, 2));
	EXPECT_EQ(1, write(b, "!", 1));
	EXPECT_EQ(0, text_is("f", "on!"));
	close(a);
	a = open("f", O_WRONLY);
	EXPECT_EQ(4, pwritev2(a, &iov, 1, 0, RWF_APPEND));
	EXPECT_EQ(0, text_is("f", "on!five"));
	close(a);
	close(b);
}

TEST_F(posix, mappings_see_what_is_written)
{
	char *shared, *private;
	int fd;

	ASSERT_EQ(0, fill("f", 2 * PAGE, 1));
	fd = open("f", O_RDWR);
	shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, shared);
	ASSERT_NE(MAP_FAILED, private);
	private[5] = 'p';
	ASSERT_EQ(4, pwrite(fd, "abcd", 4, 5));
	EXPECT_EQ(0, memcmp(shared + 5, "abcd", 4));
	EXPECT_EQ('p', private[5]);
	ASSERT_EQ(4, pwrite(fd, "efgh", 4, PAGE + 5));
	EXPECT_EQ(0, memcmp(private + PAGE + 5, "efgh", 4));
	shared[7] = 's';
	ASSERT_EQ(4, pread(fd, page, 4, 5));
	EXPECT_EQ(0, memcmp(page, "absd", 4));

	/* Cut and grown again, both show zeros; a private copy is gone. */
	ASSERT_EQ(0, ftruncate(fd, 0));
	ASSERT_EQ(0, ftruncate(fd, 2 * PAGE));
	EXPECT_EQ(-1, byte_differs(shared, 2 * PAGE, 0));
	EXPECT_EQ(-1, byte_differs(private, 2 * PAGE, 0));
	/* Open for reading alone, it is not mapped for shared stores. */
	close(fd);
	fd = open("f", O_RDONLY);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_NE(MAP_FAILED, mmap(NULL, PAGE, PROT_WRITE, MAP_PRIVATE, fd, 0));
	close(fd);
	fd = open("f", O_WRONLY);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(EACCES, errno);
	close(fd);
}

static sigjmp_buf on_bus;

static void catch_bus(int sig)
{
	siglongjmp(on_bus, 1);
}

/* Does a load or a store of this byte end in SIGBUS? */
static bool is_bus(volatile char *at, bool store)
{
	if (sigsetjmp(on_bus, 1))
		return true;
	if (store)
		*at = 1;
	else
		(void)*at;
	return false;
}

TEST_F(posix, pages_past_the_end_are_sigbus)
{
	char *map;
	int fd;

	signal(SIGBUS, catch_bus);
	ASSERT_EQ(0, fill("f", PAGE + 10, 1));
	fd = open("f", O_RDWR);
	map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_FALSE(is_bus(map + 2 * PAGE - 1, true));
	EXPECT_TRUE(is_bus(map + 2 * PAGE, false));
	EXPECT_TRUE(is_bus(map + 3 * PAGE, true));
	ASSERT_EQ(0, ftruncate(fd, 4 * PAGE));
	EXPECT_FALSE(is_bus(map + 3 * PAGE, true));
	ASSERT_EQ(0, ftruncate(fd, 1));
	EXPECT_TRUE(is_bus(map + PAGE, false));
	EXPECT_TRUE(is_bus(map + 3 * PAGE, false));
	EXPECT_FALSE(is_bus(map, false));
	ASSERT_EQ(0, ftruncate(fd, 0));
	EXPECT_TRUE(is_bus(map, false));
	ASSERT_EQ(1, pwrite(fd, "x", 1, 0));
	EXPECT_EQ('x', map[0]);
	EXPECT_EQ(1, size_of("f"));
	close(fd);
}

TEST_F(posix, fallocate_answers_for_its_range)
{
	PLAY("create f", "keep 0 f O_RDWR", "posix_fallocate 0 0 1000",
	     "is f size=1000", "posix_fallocate 0 500 100", "is f size=1000",
	     "posix_fallocate 0 5000 5000", "is f size=10000",
	     "EINVAL fallocate 0 0 0 0", "EINVAL fallocate 0 0 -1 10",
	     "EINVAL fallocate 0 0 0 -10",
	     "EFBIG fallocate 0 0 0x7ffffffffffff000 0x2000",
	     "fallocate 0 1 20000 10000", "is f size=10000",
	     "fallocate 0 3 0 5000", "is f size=10000",
	     "EOPNOTSUPP fallocate 0 2 0 100", "EOPNOTSUPP fallocate 0 8 0 4096",
	     "EOPNOTSUPP fallocate 0 0x20 0 4096",
	     "EOPNOTSUPP fallocate 0 0x1000 0 4096",
	     "keep 1 f O_RDONLY", "EBADF fallocate 1 0 0 10",
	     "EBADF posix_fallocate 1 0 10", "mkfifo p 0600", "keep 2 p O_RDWR",
	     "ESPIPE fallocate 2 0 0 10", "keep 3 . O_RDONLY",
	     "EBADF fallocate 3 0 0 10");
}

TEST_F(posix, fallocate_keeps_what_is_there)
{
	int fd;

	ASSERT_EQ(0, fill("f", 10000, 1));
	fd = open("f", O_RDWR);
	ASSERT_EQ(0, fallocate(fd, 0, 5000, 20000));
	EXPECT_EQ(25000, size_of("f"));
	EXPECT_EQ(0, fill_is("f", 0, 10000, 0, 1));
	ASSERT_EQ(PAGE, pread(fd, page, PAGE, 10000));
	EXPECT_EQ(-1, byte_differs(page, PAGE, 0));
	PLAY("mark f", "keep 0 f O_RDWR", "fallocate 0 0 0 1000", "moved f mc",
	     "mark f", "fallocate 0 3 0 100", "moved f mc");
	ASSERT_EQ(0, fallocate(fd, 3, 4000, 4192));
	ASSERT_EQ(PAGE, pread(fd, page, PAGE, 4000));
	EXPECT_EQ(-1, byte_differs(page, PAGE, 0));
	EXPECT_EQ(0, fill_is("f", 100, 3900, 0, 1));
	EXPECT_EQ(0, fill_is("f", 8192, 1808, 0, 1));
	close(fd);
}

TEST_F(posix, a_full_mount_is_enospc)
{
	int fd, n = 0;

	ASSERT_EQ(0, mount_at(MNT2, "size=64k,nr_inodes=8"));
	ASSERT_EQ(0, chdir(MNT2));
	fd = open("f", O_RDWR | O_CREAT, 0644);
	while (n < 100 && pwrite(fd, page, PAGE, n * PAGE) == PAGE)
		n++;
	EXPECT_EQ(ENOSPC, ERR(pwrite(fd, page, PAGE, n * PAGE)));
	EXPECT_LE(15, n);
	EXPECT_EQ(n * PAGE, size_of("f"));
	/* What is there can be changed, and a hole costs nothing. */
	EXPECT_EQ(PAGE, pwrite(fd, page, PAGE, 0));
	EXPECT_EQ(0, ftruncate(fd, 1 << 30));
	EXPECT_EQ(PAGE, pread(fd, other, PAGE, 1 << 29));
	/* A write over the limit takes what fits. */
	ASSERT_EQ(0, ftruncate(fd, (n - 1) * PAGE));
	EXPECT_EQ(PAGE, pwrite(fd, page, PAGE, (n - 1) * PAGE));
	ASSERT_EQ(0, ftruncate(fd, 0));
	EXPECT_EQ(PAGE, pwrite(fd, page, PAGE, 0));
	for (n = 0; n < 20; n++) {
		snprintf(other, sizeof(other), "n%d", n);
		if (mkdir(other, 0755))
			break;
	}
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_LE(5, n);
	EXPECT_EQ(ENOSPC, ERR(symlink("x", "l")));
	EXPECT_EQ(ENOSPC, open_err("g", O_RDWR | O_CREAT));
	EXPECT_EQ(ENOENT, stat_err("g"));
	EXPECT_EQ(ENOSPC, open_err(".", O_RDWR | O_TMPFILE));
	EXPECT_EQ(0, open_err("f", O_RDWR | O_CREAT));
	EXPECT_EQ(0, rmdir("n0"));
	EXPECT_EQ(0, open_err("g", O_RDWR | O_CREAT));
	close(fd);
	ASSERT_EQ(0, chdir(MNT));
	EXPECT_EQ(0, umount(MNT2));
}

TEST_HARNESS_MAIN
