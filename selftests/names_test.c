// SPDX-License-Identifier: GPL-2.0
/* Names are made, moved, exchanged and removed, and refuse what they must. */

#include <linux/fs.h>
#include <sys/sysmacros.h>

#include "lib/fixture.h"

/*
 *	/mnt/rump
 *	|-- file	"file"
 *	|-- other	"other"
 *	|-- empty/
 *	|-- full/
 *	|   `-- x
 *	`-- link	-> file
 */
#define FILE_ MNT "/file"
#define OTHER MNT "/other"
#define EMPTY MNT "/empty"
#define FULL MNT "/full"
#define LINK_ MNT "/link"
#define NONE MNT "/none"

FIXTURE(names)
{
};

FIXTURE_SETUP(names)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(FILE_, "file"));
	ASSERT_EQ(0, put_text(OTHER, "other"));
	ASSERT_EQ(0, mkdir(EMPTY, 0755));
	ASSERT_EQ(0, mkdir(FULL, 0755));
	ASSERT_EQ(0, put_text(FULL "/x", "x"));
	ASSERT_EQ(0, symlink("file", LINK_));
}

FIXTURE_TEARDOWN(names)
{
	teardown_mount();
}

static int move(const char *from, const char *to, unsigned int flags)
{
	return ERR(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
}

TEST_F(names, taken_names_are_refused)
{
	EXPECT_EQ(EEXIST, open_err(FILE_, O_RDWR | O_CREAT | O_EXCL));
	EXPECT_EQ(EEXIST, ERR(mkdir(FILE_, 0755)));
	EXPECT_EQ(EEXIST, ERR(mkdir(EMPTY, 0755)));
	EXPECT_EQ(EEXIST, ERR(mknod(FILE_, S_IFREG | 0644, 0)));
	EXPECT_EQ(EEXIST, ERR(mkfifo(LINK_, 0644)));
	EXPECT_EQ(EEXIST, ERR(symlink("x", FILE_)));
	EXPECT_EQ(EEXIST, ERR(link(FILE_, OTHER)));
	EXPECT_EQ(EEXIST, move(FILE_, OTHER, RENAME_NOREPLACE));
	EXPECT_EQ(0, text_is(OTHER, "other"));
}

TEST_F(names, names_that_are_not_there)
{
	EXPECT_EQ(ENOENT, open_err(NONE, O_RDONLY));
	EXPECT_EQ(ENOENT, ERR(unlink(NONE)));
	EXPECT_EQ(ENOENT, ERR(rmdir(NONE)));
	EXPECT_EQ(ENOENT, move(NONE, OTHER, 0));
	EXPECT_EQ(ENOENT, move(FILE_, NONE, RENAME_EXCHANGE));
	EXPECT_EQ(ENOENT, ERR(link(NONE, MNT "/n2")));
	EXPECT_EQ(ENOENT, ERR(mkdir(NONE "/sub", 0755)));
	EXPECT_EQ(ENOTDIR, open_err(FILE_ "/sub", O_RDONLY));

	/* A name looked for in vain can be made afterwards. */
	EXPECT_EQ(0, mkdir(NONE, 0755));
	EXPECT_EQ(0, stat_err(NONE));
}

TEST_F(names, directories_and_files_are_told_apart)
{
	EXPECT_EQ(EISDIR, ERR(unlink(EMPTY)));
	EXPECT_EQ(ENOTDIR, ERR(rmdir(FILE_)));
	EXPECT_EQ(ENOTDIR, ERR(rmdir(LINK_)));
	EXPECT_EQ(ENOTEMPTY, ERR(rmdir(FULL)));
	EXPECT_EQ(EISDIR, move(FILE_, EMPTY, 0));
	EXPECT_EQ(ENOTDIR, move(EMPTY, FILE_, 0));
	EXPECT_EQ(ENOTEMPTY, move(EMPTY, FULL, 0));
	EXPECT_EQ(EINVAL, move(FULL, FULL "/below", 0));
	EXPECT_EQ(EPERM, ERR(link(EMPTY, NONE)));
	EXPECT_EQ(EISDIR, open_err(EMPTY, O_WRONLY));
	EXPECT_EQ(EINVAL, ERR(rmdir(EMPTY "/.")));
	EXPECT_EQ(EBUSY, ERR(rmdir(MNT)));
}

/* Twenty bytes each, the dots among them: what tools take for an empty one. */
TEST_F(names, a_directory_is_as_large_as_its_names)
{
	EXPECT_EQ(40, size_of(EMPTY));
	ASSERT_EQ(0, put_text(EMPTY "/a", ""));
	ASSERT_EQ(0, link(EMPTY "/a", EMPTY "/b"));
	ASSERT_EQ(0, symlink("a", EMPTY "/c"));
	ASSERT_EQ(0, mkdir(EMPTY "/d", 0755));
	EXPECT_EQ(120, size_of(EMPTY));

	EXPECT_EQ(0, move(EMPTY "/a", EMPTY "/d/a", 0));
	EXPECT_EQ(0, move(EMPTY "/b", EMPTY "/c", 0));
	EXPECT_EQ(80, size_of(EMPTY));
	EXPECT_EQ(60, size_of(EMPTY "/d"));
	EXPECT_EQ(0, move(EMPTY "/c", EMPTY "/d/a", RENAME_EXCHANGE));
	EXPECT_EQ(80, size_of(EMPTY));
	EXPECT_EQ(60, size_of(EMPTY "/d"));
	EXPECT_EQ(0, unlink(EMPTY "/d/a"));
	EXPECT_EQ(0, rmdir(EMPTY "/d"));
	EXPECT_EQ(60, size_of(EMPTY));
}

TEST_F(names, long_names_end_at_255_bytes)
{
	char path[400] = MNT "/";
	size_t at = strlen(path);

	memset(path + at, 'n', 255);
	EXPECT_EQ(0, put_text(path, "x"));
	EXPECT_EQ(1, listed(MNT, path + at));
	path[at + 255] = 'n';
	EXPECT_EQ(ENAMETOOLONG, open_err(path, O_RDWR | O_CREAT));
	EXPECT_EQ(ENAMETOOLONG, stat_err(path));
}

TEST_F(names, any_byte_but_slash_and_nul_is_a_name)
{
	char path[64] = MNT "/";
	size_t at = strlen(path);
	int byte;

	for (byte = 1; byte < 256; byte++) {
		if (byte == '/' || byte == '.')
			continue;
		path[at] = byte;
		ASSERT_EQ(0, put_text(path, "x"));
		ASSERT_EQ(1, listed(MNT, path + at));
		ASSERT_EQ(0, unlink(path));
	}
}

TEST_F(names, rename_moves_and_replaces)
{
	unsigned long long ino = ino_of(FILE_);

	ASSERT_EQ(0, rename(FILE_, FULL "/moved"));
	EXPECT_EQ(ENOENT, stat_err(FILE_));
	EXPECT_EQ(ino, ino_of(FULL "/moved"));
	ASSERT_EQ(0, rename(FULL "/moved", OTHER));
	EXPECT_EQ(0, text_is(OTHER, "file"));
	EXPECT_EQ(1, nlink_of(OTHER));

	/* Two names of one file: nothing happens. */
	ASSERT_EQ(0, link(OTHER, NONE));
	ASSERT_EQ(0, rename(OTHER, NONE));
	EXPECT_EQ(0, stat_err(OTHER));
	EXPECT_EQ(2, nlink_of(NONE));

	/* A directory takes what is in it along, and .. follows. */
	ASSERT_EQ(0, rename(FULL, EMPTY));
	EXPECT_EQ(0, text_is(EMPTY "/x", "x"));
	ASSERT_EQ(0, mkdir(MNT "/up", 0755));
	ASSERT_EQ(0, rename(EMPTY, MNT "/up/e"));
	EXPECT_EQ(ino_of(MNT "/up"), ino_of(MNT "/up/e/.."));
}

/* A listing knows names by numbers, and these are of another hundred. */
TEST_F(names, replaces_where_the_first_names_are_gone)
{
	char name[64];
	int i;

	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), EMPTY "/%d", i);
		ASSERT_EQ(0, put_text(name, "old"));
	}
	ASSERT_EQ(0, mkdir(EMPTY "/a", 0755));
	ASSERT_EQ(0, mkdir(EMPTY "/b", 0755));
	for (i = 0; i < 198; i++) {
		snprintf(name, sizeof(name), EMPTY "/%d", i);
		ASSERT_EQ(0, unlink(name));
	}
	EXPECT_EQ(0, move(EMPTY "/198", EMPTY "/199", 0));
	EXPECT_EQ(0, move(EMPTY "/a", EMPTY "/b", 0));
	EXPECT_EQ(0, move(EMPTY "/199", OTHER, 0));
	EXPECT_EQ(0, text_is(OTHER, "old"));
	EXPECT_EQ(0, move(EMPTY "/b", NONE, 0));
	EXPECT_EQ(0, count_names(EMPTY));
	EXPECT_EQ(0, rmdir(EMPTY));
}

TEST_F(names, replaced_file_lives_while_open)
{
	char byte = 0;
	int fd = open(OTHER, O_RDONLY);

	ASSERT_EQ(0, rename(FILE_, OTHER));
	EXPECT_EQ(1, pread(fd, &byte, 1, 1));
	EXPECT_EQ('t', byte);
	close(fd);
}

TEST_F(names, exchange_swaps_two_names)
{
	unsigned long long file = ino_of(FILE_), other = ino_of(OTHER),
			   full = ino_of(FULL);
	int links = nlink_of(MNT);

	ASSERT_EQ(0, move(FILE_, OTHER, RENAME_EXCHANGE));
	EXPECT_EQ(other, ino_of(FILE_));
	EXPECT_EQ(file, ino_of(OTHER));

	/* A file and a directory, in one directory and across. */
	ASSERT_EQ(0, move(FILE_, FULL, RENAME_EXCHANGE));
	EXPECT_EQ(full, ino_of(FILE_));
	EXPECT_EQ(0, text_is(FILE_ "/x", "x"));
	EXPECT_EQ(other, ino_of(FULL));
	EXPECT_EQ(links, nlink_of(MNT));
	ASSERT_EQ(0, mkdir(EMPTY "/sub", 0755));
	ASSERT_EQ(0, move(OTHER, EMPTY "/sub", RENAME_EXCHANGE));
	EXPECT_EQ(2, nlink_of(EMPTY));
	EXPECT_EQ(links + 1, nlink_of(MNT));
	EXPECT_EQ(0, text_is(EMPTY "/sub", "file"));
	EXPECT_EQ(ino_of(MNT), ino_of(OTHER "/.."));
	EXPECT_EQ(EINVAL, move(FILE_, FILE_ "/x", RENAME_EXCHANGE));
	EXPECT_EQ(EINVAL,
		  move(FILE_, OTHER, RENAME_EXCHANGE | RENAME_NOREPLACE));
}

TEST_F(names, noreplace_moves_to_a_free_name)
{
	ASSERT_EQ(0, move(FILE_, NONE, RENAME_NOREPLACE));
	EXPECT_EQ(ENOENT, stat_err(FILE_));
	EXPECT_EQ(0, text_is(NONE, "file"));
}

TEST_F(names, rename_can_leave_a_whiteout)
{
	struct stat st;

	ASSERT_EQ(0, move(FILE_, NONE, RENAME_WHITEOUT));
	EXPECT_EQ(0, text_is(NONE, "file"));
	ASSERT_EQ(0, lstat(FILE_, &st));
	EXPECT_EQ(S_IFCHR, st.st_mode & S_IFMT);
	EXPECT_EQ(makedev(0, 0), st.st_rdev);
	EXPECT_EQ(1, st.st_nlink);
	EXPECT_EQ(1, listed(MNT, "file"));

	/* Over a name, and away again. */
	ASSERT_EQ(0, move(OTHER, NONE, RENAME_WHITEOUT));
	EXPECT_EQ(0, text_is(NONE, "other"));
	EXPECT_EQ(0, unlink(OTHER));
	EXPECT_EQ(0, unlink(FILE_));
	EXPECT_EQ(EINVAL, move(NONE, FULL, RENAME_WHITEOUT | RENAME_EXCHANGE));
}

TEST_F(names, nothing_is_made_in_a_removed_directory)
{
	int fd = open(EMPTY, O_RDONLY | O_DIRECTORY);

	ASSERT_EQ(0, rmdir(EMPTY));
	EXPECT_EQ(ENOENT, ERR(openat(fd, "x", O_RDWR | O_CREAT, 0644)));
	EXPECT_EQ(ENOENT, ERR(mkdirat(fd, "x", 0755)));
	EXPECT_EQ(ENOENT, ERR(symlinkat("y", fd, "x")));
	EXPECT_EQ(ENOENT, ERR(renameat(AT_FDCWD, FILE_, fd, "x")));
	close(fd);
	EXPECT_EQ(0, stat_err(FILE_));
}

TEST_F(names, setgid_directories_hand_on_their_group)
{
	struct stat st;

	ASSERT_EQ(0, chown(EMPTY, 0, 4321));
	ASSERT_EQ(0, chmod(EMPTY, 02777));
	ASSERT_EQ(0, put_text(EMPTY "/f", ""));
	ASSERT_EQ(0, mkdir(EMPTY "/d", 0755));
	ASSERT_EQ(0, lstat(EMPTY "/f", &st));
	EXPECT_EQ(4321, st.st_gid);
	EXPECT_EQ(S_IFREG | 0644, st.st_mode);
	ASSERT_EQ(0, lstat(EMPTY "/d", &st));
	EXPECT_EQ(4321, st.st_gid);
	EXPECT_EQ(S_IFDIR | 02755, st.st_mode);
}

TEST_F(names, a_new_file_belongs_to_its_maker)
{
	struct stat st;

	ASSERT_EQ(0, chmod(MNT, 0777));
	ASSERT_EQ(0, AS_USER(1000, put_text(NONE, "x")));
	ASSERT_EQ(0, lstat(NONE, &st));
	EXPECT_EQ(1000, st.st_uid);
	EXPECT_EQ(1000, st.st_gid);
	EXPECT_EQ(0, AS_USER(1000, ERR(chmod(NONE, 0600))));
	EXPECT_EQ(EPERM, AS_USER(1001, ERR(chmod(NONE, 0666))));
	EXPECT_EQ(EPERM, AS_USER(1000, ERR(chown(NONE, 1001, -1))));
	EXPECT_EQ(EACCES, AS_USER(1001, open_err(NONE, O_RDONLY)));
}

TEST_F(names, sticky_directories_protect_the_owner)
{
	ASSERT_EQ(0, chmod(EMPTY, 01777));
	ASSERT_EQ(0, AS_USER(1000, put_text(EMPTY "/mine", "x")));
	EXPECT_EQ(EPERM, AS_USER(1001, ERR(unlink(EMPTY "/mine"))));
	EXPECT_EQ(EPERM, AS_USER(1001, ERR(rename(EMPTY "/mine", EMPTY "/x"))));
	EXPECT_EQ(0, AS_USER(1000, ERR(unlink(EMPTY "/mine"))));
}

TEST_F(names, permission_of_the_directory_is_asked)
{
	ASSERT_EQ(0, chmod(MNT, 0755));
	EXPECT_EQ(EACCES, AS_USER(1000, put_text(NONE, "x")));
	EXPECT_EQ(EACCES, AS_USER(1000, ERR(unlink(FILE_))));
	EXPECT_EQ(EACCES, AS_USER(1000, ERR(mkdir(NONE, 0755))));
	EXPECT_EQ(EACCES, AS_USER(1000, ERR(rename(FILE_, NONE))));
	ASSERT_EQ(0, chmod(FULL, 0700));
	EXPECT_EQ(EACCES, AS_USER(1000, stat_err(FULL "/x")));
}

TEST_F(names, setuid_goes_when_another_writes)
{
	ASSERT_EQ(0, chmod(FILE_, 06777));
	ASSERT_EQ(0, AS_USER(1000, ERR(truncate(FILE_, 1))));
	EXPECT_EQ(S_IFREG | 0777, mode_of(FILE_));
	ASSERT_EQ(0, chmod(FILE_, 06777));
	ASSERT_EQ(0, chown(FILE_, 5, 5));
	EXPECT_EQ(S_IFREG | 0777, mode_of(FILE_));
}

TEST_F(names, a_mount_point_is_busy)
{
	ASSERT_EQ(0, mount("none", EMPTY, "tmpfs", 0, NULL));
	EXPECT_EQ(EBUSY, ERR(rmdir(EMPTY)));
	EXPECT_EQ(EBUSY, ERR(rename(EMPTY, NONE)));
	EXPECT_EQ(EXDEV, ERR(link(FILE_, EMPTY "/f")));
	EXPECT_EQ(EXDEV, ERR(rename(FILE_, EMPTY "/f")));
	ASSERT_EQ(0, umount(EMPTY));
	EXPECT_EQ(0, rmdir(EMPTY));
}

TEST_F(names, a_read_only_mount_refuses_changes)
{
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_EQ(EROFS, put_text(NONE, "x"));
	EXPECT_EQ(EROFS, ERR(mkdir(NONE, 0755)));
	EXPECT_EQ(EROFS, ERR(unlink(FILE_)));
	EXPECT_EQ(EROFS, ERR(rename(FILE_, NONE)));
	EXPECT_EQ(EROFS, ERR(chmod(FILE_, 0600)));
	EXPECT_EQ(EROFS, open_err(FILE_, O_WRONLY));
	EXPECT_EQ(0, text_is(FILE_, "file"));
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT, NULL));
	EXPECT_EQ(0, put_text(NONE, "x"));
}

TEST_HARNESS_MAIN
