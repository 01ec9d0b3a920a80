// SPDX-License-Identifier: GPL-2.0
/* Directories that keys hide are kept in line with the table all the while. */

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/fixture.h"

#define F HOST "/f"
#define D HOST "/d"
#define DIR_ MNT "/dir"

FIXTURE(behind)
{
	int fd;
};

FIXTURE_SETUP(behind)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(F, "host"));
	ASSERT_EQ(0, mkdir(D, 0755));
	ASSERT_EQ(0, mkdir(DIR_, 0755));
	self->fd = open(DIR_, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(behind)
{
	close(self->fd);
	teardown_mount();
}

static int found_at(int dir, const char *path)
{
	return ERR(faccessat(dir, path, F_OK, 0));
}

static int links_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -errno : (int)st.st_nlink;
}

TEST_F(behind, what_keys_imply_there_goes_with_them)
{
	ASSERT_EQ(0, table("/dir " D " dir\n/dir/x/y/key " F " reg"));
	ASSERT_EQ(0, found_at(self->fd, "x/y/key"));
	EXPECT_EQ(3, links_of(self->fd));
	ASSERT_EQ(0, table("-/dir/x/y/key"));
	EXPECT_EQ(ENOENT, found_at(self->fd, "x"));
	EXPECT_EQ(2, links_of(self->fd));
	ASSERT_EQ(0, table("/dir/x/y/key " F " reg"));
	ASSERT_EQ(0, found_at(self->fd, "x/y/key"));
	/* From above and from below. */
	ASSERT_EQ(0, table("-/dir\n-/dir/x/y/key"));
	EXPECT_EQ(0, count_names(DIR_));
	EXPECT_EQ(2, nlink_of(DIR_));
	EXPECT_EQ(3, nlink_of(MNT));
	EXPECT_EQ(0, rmdir(DIR_));
	EXPECT_EQ(2, nlink_of(MNT));
}

TEST_F(behind, what_keys_imply_there_comes_back)
{
	ASSERT_EQ(0, table("/dir/x/y/key " F " reg"));
	ASSERT_EQ(0, text_is(DIR_ "/x/y/key", "host"));
	ASSERT_EQ(0, table("/dir " D " dir"));
	EXPECT_EQ(0, found_at(self->fd, "x/y/key"));
	ASSERT_EQ(0, table("-/dir"));
	EXPECT_EQ(0, text_is(DIR_ "/x/y/key", "host"));
	EXPECT_EQ(3, nlink_of(DIR_));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(DIR_ "/x", MNT "/x")));
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(0, count_names(DIR_));
	EXPECT_EQ(0, rename(DIR_, MNT "/other"));
}

/* One that keys imply is hidden itself: it goes, unless something is put. */
TEST_F(behind, an_implied_directory_goes_with_what_it_is_for)
{
	ASSERT_EQ(0, table("/i/x/key " F " reg\n/j/x/key " F " reg"));
	ASSERT_EQ(0, text_is(MNT "/i/x/key", "host"));
	ASSERT_EQ(0, text_is(MNT "/j/x/key", "host"));
	ASSERT_EQ(0, put_text(MNT "/j/kept", "kept"));
	ASSERT_EQ(0, table("/i " D " dir\n/j " D " dir"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/j/kept"));
	ASSERT_EQ(0, table("-/i/x/key\n-/j/x/key"));
	EXPECT_EQ(5, nlink_of(MNT));
	ASSERT_EQ(0, table("-/i\n-/j"));
	EXPECT_EQ(0, listed(MNT, "i"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/i"));
	EXPECT_EQ(1, listed(MNT, "j"));
	EXPECT_EQ(1, count_names(MNT "/j"));
	EXPECT_EQ(0, text_is(MNT "/j/kept", "kept"));
	EXPECT_EQ(4, nlink_of(MNT));

	/* And all of it at once. */
	ASSERT_EQ(0, table("/i/x/key " F " reg"));
	ASSERT_EQ(0, text_is(MNT "/i/x/key", "host"));
	ASSERT_EQ(0, table("/i " D " dir"));
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(0, listed(MNT, "i"));
	EXPECT_EQ(4, nlink_of(MNT));
}

/* A name in it that a key hides of its own comes back when that key goes. */
TEST_F(behind, names_in_it_come_back)
{
	ASSERT_EQ(0, put_text(DIR_ "/a", "mine"));
	ASSERT_EQ(0, mkdir(DIR_ "/sub", 0755));
	ASSERT_EQ(0, put_text(DIR_ "/sub/b", "mine"));
	ASSERT_EQ(0, table("/dir/a " F " reg\n/dir/sub/b " F " reg\n"
			   "/dir " D " dir"));
	ASSERT_EQ(0, table("-/dir/a\n-/dir/sub/b"));
	ASSERT_EQ(0, table("-/dir"));
	EXPECT_EQ(2, count_names(DIR_));
	EXPECT_EQ(1, count_names(DIR_ "/sub"));
	EXPECT_EQ(0, text_is(DIR_ "/a", "mine"));
	EXPECT_EQ(0, text_is(DIR_ "/sub/b", "mine"));
	EXPECT_EQ(3, nlink_of(DIR_));
	EXPECT_EQ(0, rename(DIR_ "/sub", MNT "/sub"));

	/* And is hidden in it when that key comes. */
	ASSERT_EQ(0, table("/dir " D " dir"));
	ASSERT_EQ(0, table("/dir/a " F " reg"));
	ASSERT_EQ(0, table("-/dir"));
	EXPECT_EQ(0, text_is(DIR_ "/a", "host"));
	EXPECT_EQ(1, count_names(DIR_));
}

TEST_F(behind, a_removed_directory_has_no_keys)
{
	ASSERT_EQ(0, rmdir(DIR_));
	ASSERT_EQ(0, table("/dir/x/key " F " reg"));
	EXPECT_EQ(0, links_of(self->fd));
	EXPECT_EQ(ENOENT, found_at(self->fd, "x"));
	EXPECT_EQ(0, text_is(DIR_ "/x/key", "host"));
}

/* A file behind a directory that outlived its keys. */
static int put_before(const char *name)
{
	char path[64];
	int err;

	snprintf(path, sizeof(path), MNT "/%s", name);
	err = put_text(path, "behind") ?: table("/%s/key " F " reg", name);
	if (err)
		return err;
	snprintf(path, sizeof(path), MNT "/%s/kept", name);
	return put_text(path, "kept") ?: table("-/%s/key", name);
}

TEST_F(behind, a_name_comes_back_when_what_is_before_it_moves)
{
	ASSERT_EQ(0, put_before("a"));
	ASSERT_EQ(0, put_before("b"));
	ASSERT_EQ(0, put_before("c"));
	ASSERT_EQ(0, put_text(MNT "/file", "file"));

	/* Listed before anybody looks it up. */
	ASSERT_EQ(0, rename(MNT "/a", MNT "/moved"));
	EXPECT_EQ(1, listed(MNT, "a"));
	EXPECT_EQ(0, text_is(MNT "/a", "behind"));
	EXPECT_EQ(0, text_is(MNT "/moved/kept", "kept"));

	ASSERT_EQ(0, renameat2(AT_FDCWD, MNT "/b", AT_FDCWD, MNT "/file",
			       RENAME_EXCHANGE));
	EXPECT_EQ(0, text_is(MNT "/b", "file"));
	ASSERT_EQ(0, unlink(MNT "/b"));
	EXPECT_EQ(1, listed(MNT, "b"));
	EXPECT_EQ(0, text_is(MNT "/b", "behind"));

	/* A whiteout takes the place as well. */
	ASSERT_EQ(0, renameat2(AT_FDCWD, MNT "/c", AT_FDCWD, MNT "/gone",
			       RENAME_WHITEOUT));
	EXPECT_EQ(S_IFCHR, mode_of(MNT "/c") & S_IFMT);
	ASSERT_EQ(0, unlink(MNT "/c"));
	EXPECT_EQ(1, listed(MNT, "c"));
	EXPECT_EQ(0, text_is(MNT "/c", "behind"));
	EXPECT_EQ(7, count_names(MNT));
}

/* A listing of a directory stands still: all that would change it waits. */
struct standstill {
	int uffd, dir;
	char *page;
	pthread_t lister, writer;
	int err;
};

static void *list_dir(void *arg)
{
	struct standstill *still = arg;

	syscall(__NR_getdents64, still->dir, still->page, PAGE);
	return NULL;
}

static int standstill_begin(struct standstill *still, const char *path)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffd_msg msg;

	still->dir = open(path, O_RDONLY | O_DIRECTORY);
	still->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	still->uffd = syscall(__NR_userfaultfd, O_CLOEXEC);
	reg.range.start = (uintptr_t)still->page;
	reg.range.len = PAGE;
	if (still->dir < 0 || still->uffd < 0 ||
	    ioctl(still->uffd, UFFDIO_API, &api) ||
	    ioctl(still->uffd, UFFDIO_REGISTER, &reg))
		return errno;
	pthread_create(&still->lister, NULL, list_dir, still);
	/* It has the lock, and wants the page. */
	return read(still->uffd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : EIO;
}

static void standstill_end(struct standstill *still)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)still->page, .len = PAGE },
	};

	ioctl(still->uffd, UFFDIO_ZEROPAGE, &zero);
	pthread_join(still->lister, NULL);
	close(still->uffd);
	close(still->dir);
}

static void *remove_keys(void *arg)
{
	struct standstill *still = arg;

	still->err = table("-/still/key\n-/dir/x/key");
	return NULL;
}

/* The keys are gone, but the mount was not told of all of them yet. */
TEST_F(behind, a_directory_is_not_moved_with_what_keys_implied)
{
	struct standstill still = {};

	ASSERT_EQ(0, mkdir(MNT "/still", 0755));
	ASSERT_EQ(0, mkdir(MNT "/free", 0755));
	ASSERT_EQ(0, table("/still/key " F " reg\n/dir/x/key " F " reg"));
	ASSERT_EQ(0, text_is(DIR_ "/x/key", "host"));
	ASSERT_EQ(0, text_is(MNT "/still/key", "host"));
	if (standstill_begin(&still, MNT "/still"))
		SKIP(return, "no userfaultfd");
	pthread_create(&still.writer, NULL, remove_keys, &still);
	EXPECT_TRUE(WAIT_FOR(found_at(self->fd, "x/key") == ENOENT));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(DIR_, MNT "/moved")));
	EXPECT_EQ(EOPNOTSUPP, ERR(renameat2(AT_FDCWD, DIR_, AT_FDCWD,
					    MNT "/free", RENAME_EXCHANGE)));
	EXPECT_EQ(EOPNOTSUPP, ERR(renameat2(AT_FDCWD, MNT "/free", AT_FDCWD,
					    DIR_, RENAME_EXCHANGE)));
	standstill_end(&still);
	pthread_join(still.writer, NULL);
	EXPECT_EQ(0, still.err);
	EXPECT_EQ(0, count_names(DIR_));
	EXPECT_EQ(0, rename(DIR_, MNT "/moved"));
	EXPECT_EQ(0, rmdir(MNT "/moved"));
}

TEST_HARNESS_MAIN
