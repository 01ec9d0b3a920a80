// SPDX-License-Identifier: GPL-2.0
/* The attributes of chattr(1), on inodes in memory. */

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"
#define DIR_D MNT "/d"

#define USER 1000

#ifndef __NR_file_getattr
#define __NR_file_getattr 468
#define __NR_file_setattr 469
#endif

#define ATTRS (FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL)

/* The flags, or minus the errno. */
static int flags_of(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), err;
	unsigned int flags = 0;

	if (fd < 0)
		return -errno;
	err = ERR(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	close(fd);
	return err ? -err : (int)flags;
}

static int put_flags(const char *path, unsigned int flags)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), err;

	if (fd < 0)
		return errno;
	err = ERR(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
	return err;
}

static struct statx statx_of(const char *path)
{
	struct statx st = {};

	statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st);
	return st;
}

static int rename_err(const char *from, const char *to, unsigned int flags)
{
	return ERR(syscall(__NR_renameat2, AT_FDCWD, from, AT_FDCWD, to,
			   flags));
}

FIXTURE(flags)
{
};

FIXTURE_SETUP(flags)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(FILE_A, "bytes"));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, put_text(DIR_D "/f", "inside"));
	ASSERT_EQ(0, mkdir(DIR_D "/d", 0755));
}

FIXTURE_TEARDOWN(flags)
{
	put_flags(FILE_A, 0);
	put_flags(DIR_D, 0);
	teardown_mount();
}

TEST_F(flags, flags_are_read_back)
{
	const char *const paths[] = { FILE_A, DIR_D };
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, flags_of(paths[i]));
		EXPECT_EQ(0, put_flags(paths[i], ATTRS));
		EXPECT_EQ(ATTRS, flags_of(paths[i]));
		EXPECT_EQ(0, put_flags(paths[i], FS_NODUMP_FL));
		EXPECT_EQ(FS_NODUMP_FL, flags_of(paths[i]));
		EXPECT_EQ(0, put_flags(paths[i], 0));
		EXPECT_EQ(0, flags_of(paths[i]));
	}
}

TEST_F(flags, other_flags_are_refused)
{
	const unsigned int others[] = {
		FS_SYNC_FL, FS_COMPR_FL, FS_NOCOW_FL, FS_DIRSYNC_FL, FS_DAX_FL,
		FS_PROJINHERIT_FL, FS_SECRM_FL, FS_NODUMP_FL | FS_UNRM_FL
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_EQ(EOPNOTSUPP, put_flags(FILE_A, others[i]));
	EXPECT_EQ(0, flags_of(FILE_A));
}

TEST_F(flags, only_the_privileged_protect)
{
	EXPECT_EQ(EPERM, AS_USER(USER, put_flags(FILE_A, FS_NODUMP_FL)));
	ASSERT_EQ(0, chown(FILE_A, USER, USER));
	EXPECT_EQ(0, AS_USER(USER, put_flags(FILE_A, FS_NODUMP_FL)));
	EXPECT_EQ(EPERM, AS_USER(USER, put_flags(FILE_A, FS_IMMUTABLE_FL)));
	EXPECT_EQ(EPERM, AS_USER(USER, put_flags(FILE_A, FS_APPEND_FL)));
	EXPECT_EQ(FS_NODUMP_FL, flags_of(FILE_A));
	ASSERT_EQ(0, put_flags(FILE_A, FS_IMMUTABLE_FL));
	EXPECT_EQ(EPERM, AS_USER(USER, put_flags(FILE_A, 0)));
	EXPECT_EQ(FS_IMMUTABLE_FL, flags_of(FILE_A));
}

/* +i */

TEST_F(flags, immutable_file_cannot_be_changed)
{
	const struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	int fd = open(FILE_A, O_RDWR);

	ASSERT_EQ(0, setxattr(FILE_A, "trusted.x", "1", 1, 0));
	ASSERT_EQ(0, put_text(MNT "/b", "other"));
	ASSERT_EQ(0, put_flags(FILE_A, FS_IMMUTABLE_FL));

	EXPECT_EQ(EPERM, open_err(FILE_A, O_WRONLY));
	EXPECT_EQ(EPERM, open_err(FILE_A, O_RDWR));
	EXPECT_EQ(EPERM, open_err(FILE_A, O_WRONLY | O_APPEND));
	EXPECT_EQ(EPERM, open_err(FILE_A, O_WRONLY | O_TRUNC));
	EXPECT_EQ(EPERM, ERR(truncate(FILE_A, 1)));
	EXPECT_EQ(EPERM, ERR(chmod(FILE_A, 0600)));
	EXPECT_EQ(EPERM, ERR(chown(FILE_A, 1, 1)));
	EXPECT_EQ(EPERM, ERR(utimensat(AT_FDCWD, FILE_A, times, 0)));
	EXPECT_EQ(EPERM, ERR(utimensat(AT_FDCWD, FILE_A, NULL, 0)));
	EXPECT_EQ(EPERM, ERR(setxattr(FILE_A, "trusted.x", "2", 1, 0)));
	EXPECT_EQ(EPERM, ERR(removexattr(FILE_A, "trusted.x")));
	EXPECT_EQ(EPERM, ERR(removexattr(FILE_A, "system.posix_acl_access")));
	EXPECT_EQ(EPERM, ERR(access(FILE_A, W_OK)));

	/* Its name cannot either. */
	EXPECT_EQ(EPERM, ERR(unlink(FILE_A)));
	EXPECT_EQ(EPERM, ERR(link(FILE_A, MNT "/c")));
	EXPECT_EQ(EPERM, rename_err(FILE_A, MNT "/c", 0));
	EXPECT_EQ(EPERM, rename_err(MNT "/b", FILE_A, 0));
	EXPECT_EQ(EPERM, rename_err(MNT "/b", FILE_A, RENAME_EXCHANGE));
	EXPECT_EQ(EPERM, rename_err(FILE_A, MNT "/c", RENAME_WHITEOUT));

	/* Who has it open for writing does not allocate. */
	EXPECT_EQ(EPERM, ERR(fallocate(fd, 0, 0, PAGE)));
	EXPECT_EQ(EPERM, ERR(fchmod(fd, 0600)));
	close(fd);

	EXPECT_EQ(0, text_is(FILE_A, "bytes"));
	EXPECT_EQ(1, getxattr(FILE_A, "trusted.x", NULL, 0));
	ASSERT_EQ(0, put_flags(FILE_A, 0));
	EXPECT_EQ(0, put_text(FILE_A, "new"));
	EXPECT_EQ(0, ERR(unlink(FILE_A)));
}

TEST_F(flags, immutable_directory_keeps_its_names)
{
	ASSERT_EQ(0, put_flags(DIR_D, FS_IMMUTABLE_FL));
	EXPECT_EQ(EPERM, open_err(DIR_D "/n", O_WRONLY | O_CREAT));
	EXPECT_EQ(EPERM, open_err(DIR_D, O_WRONLY | O_TMPFILE));
	EXPECT_EQ(EPERM, ERR(mkdir(DIR_D "/n", 0755)));
	EXPECT_EQ(EPERM, ERR(mkfifo(DIR_D "/n", 0644)));
	EXPECT_EQ(EPERM, ERR(symlink("f", DIR_D "/n")));
	EXPECT_EQ(EPERM, ERR(link(FILE_A, DIR_D "/n")));
	EXPECT_EQ(EPERM, ERR(unlink(DIR_D "/f")));
	EXPECT_EQ(EPERM, ERR(rmdir(DIR_D "/d")));
	EXPECT_EQ(EPERM, rename_err(DIR_D "/f", DIR_D "/n", 0));
	EXPECT_EQ(EPERM, rename_err(DIR_D "/f", MNT "/n", 0));
	EXPECT_EQ(EPERM, rename_err(FILE_A, DIR_D "/n", 0));
	EXPECT_EQ(EPERM, rename_err(FILE_A, DIR_D "/f", 0));
	EXPECT_EQ(EPERM, rename_err(FILE_A, DIR_D "/f", RENAME_EXCHANGE));
	EXPECT_EQ(EPERM, rename_err(DIR_D, MNT "/n", 0));
	EXPECT_EQ(EPERM, ERR(chmod(DIR_D, 0700)));
	EXPECT_EQ(2, count_names(DIR_D));

	/* What is inside is not it. */
	EXPECT_EQ(0, put_text(DIR_D "/f", "changed"));
	EXPECT_EQ(0, put_text(DIR_D "/d/n", "new"));
	EXPECT_EQ(0, ERR(unlink(DIR_D "/d/n")));

	ASSERT_EQ(0, put_flags(DIR_D, 0));
	ASSERT_EQ(0, unlink(DIR_D "/f"));
	ASSERT_EQ(0, rmdir(DIR_D "/d"));
	ASSERT_EQ(0, put_flags(DIR_D, FS_IMMUTABLE_FL));
	EXPECT_EQ(EPERM, ERR(rmdir(DIR_D)));
}

/* +a */

TEST_F(flags, append_only_file_grows_at_its_end)
{
	const struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	int fd;

	ASSERT_EQ(0, put_flags(FILE_A, FS_APPEND_FL));
	EXPECT_EQ(EPERM, open_err(FILE_A, O_WRONLY));
	EXPECT_EQ(EPERM, open_err(FILE_A, O_RDWR));
	EXPECT_EQ(EPERM, open_err(FILE_A, O_WRONLY | O_APPEND | O_TRUNC));
	fd = open(FILE_A, O_RDWR | O_APPEND);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5, pwrite(fd, " more", 5, 0));
	EXPECT_EQ(0, text_is(FILE_A, "bytes more"));
	EXPECT_EQ(EPERM, ERR(fcntl(fd, F_SETFL, 0)));
	EXPECT_EQ(EPERM, ERR(ftruncate(fd, 0)));
	EXPECT_EQ(EPERM, ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE |
				       FALLOC_FL_KEEP_SIZE, 0, PAGE)));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0));
	EXPECT_EQ(EACCES, errno);
	close(fd);

	EXPECT_EQ(EPERM, ERR(truncate(FILE_A, 1)));
	EXPECT_EQ(EPERM, ERR(truncate(FILE_A, 100)));
	EXPECT_EQ(EPERM, ERR(chmod(FILE_A, 0600)));
	EXPECT_EQ(EPERM, ERR(chown(FILE_A, 1, 1)));
	EXPECT_EQ(EPERM, ERR(utimensat(AT_FDCWD, FILE_A, times, 0)));
	EXPECT_EQ(0, ERR(utimensat(AT_FDCWD, FILE_A, NULL, 0)));
	EXPECT_EQ(EPERM, ERR(setxattr(FILE_A, "trusted.x", "2", 1, 0)));
	EXPECT_EQ(EPERM, ERR(unlink(FILE_A)));
	EXPECT_EQ(EPERM, ERR(link(FILE_A, MNT "/c")));
	EXPECT_EQ(EPERM, rename_err(FILE_A, MNT "/c", 0));
	EXPECT_EQ(EPERM, rename_err(DIR_D "/f", FILE_A, 0));
	EXPECT_EQ(0, text_is(FILE_A, "bytes more"));

	ASSERT_EQ(0, put_flags(FILE_A, 0));
	EXPECT_EQ(0, ERR(truncate(FILE_A, 1)));
}

TEST_F(flags, append_only_directory_only_gains_names)
{
	ASSERT_EQ(0, put_flags(DIR_D, FS_APPEND_FL));
	EXPECT_EQ(0, put_text(DIR_D "/n", "new"));
	EXPECT_EQ(0, ERR(mkdir(DIR_D "/m", 0755)));
	EXPECT_EQ(0, ERR(link(FILE_A, DIR_D "/l")));
	EXPECT_EQ(0, put_text(DIR_D "/f", "changed"));
	EXPECT_EQ(EPERM, ERR(unlink(DIR_D "/n")));
	EXPECT_EQ(EPERM, ERR(rmdir(DIR_D "/m")));
	EXPECT_EQ(EPERM, rename_err(DIR_D "/n", DIR_D "/o", 0));
	EXPECT_EQ(EPERM, rename_err(DIR_D "/n", MNT "/n", RENAME_WHITEOUT));
	EXPECT_EQ(EPERM, rename_err(FILE_A, DIR_D "/n", 0));
	EXPECT_EQ(0, rename_err(FILE_A, DIR_D "/o", 0));
	EXPECT_EQ(EPERM, rename_err(DIR_D, MNT "/e", 0));
	EXPECT_EQ(6, count_names(DIR_D));
}

/* +A and +d */

static bool atime_moves(const char *path)
{
	struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	struct stat st;
	char byte;

	utimensat(AT_FDCWD, path, times, 0);
	if (get_bytes(path, &byte, 1, 0) == -EISDIR)
		count_names(path);
	stat(path, &st);
	return st.st_atim.tv_sec != 1;
}

TEST_F(flags, noatime_keeps_the_time_of_access)
{
	EXPECT_TRUE(atime_moves(FILE_A));
	EXPECT_TRUE(atime_moves(DIR_D));
	ASSERT_EQ(0, put_flags(FILE_A, FS_NOATIME_FL));
	ASSERT_EQ(0, put_flags(DIR_D, FS_NOATIME_FL));
	EXPECT_FALSE(atime_moves(FILE_A));
	EXPECT_FALSE(atime_moves(DIR_D));
	ASSERT_EQ(0, put_flags(FILE_A, 0));
	EXPECT_TRUE(atime_moves(FILE_A));
}

TEST_F(flags, nodump_and_noatime_are_inherited)
{
	unsigned int handed_on = FS_NODUMP_FL | FS_NOATIME_FL;

	ASSERT_EQ(0, put_flags(DIR_D, handed_on | FS_APPEND_FL));
	ASSERT_EQ(0, put_text(DIR_D "/n", "new"));
	ASSERT_EQ(0, mkdir(DIR_D "/m", 0755));
	ASSERT_EQ(0, symlink("n", DIR_D "/l"));
	EXPECT_EQ(handed_on, flags_of(DIR_D "/n"));
	EXPECT_EQ(handed_on, flags_of(DIR_D "/m"));
	EXPECT_EQ(0, flags_of(DIR_D "/f"));
	EXPECT_TRUE(statx_of(DIR_D "/l").stx_attributes & STATX_ATTR_NODUMP);
	EXPECT_FALSE(atime_moves(DIR_D "/n"));
	ASSERT_EQ(0, mkdir(DIR_D "/m/m", 0755));
	EXPECT_EQ(handed_on, flags_of(DIR_D "/m/m"));
}

/* The doors */

TEST_F(flags, statx_tells)
{
	const char *const paths[] = { FILE_A, DIR_D, MNT "/l", MNT "/p" };
	const uint64_t all = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND |
			     STATX_ATTR_NODUMP;
	int i;

	ASSERT_EQ(0, symlink("a", MNT "/l"));
	ASSERT_EQ(0, mkfifo(MNT "/p", 0600));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(all, statx_of(paths[i]).stx_attributes_mask & all);
		EXPECT_EQ(0, statx_of(paths[i]).stx_attributes & all);
	}
	ASSERT_EQ(0, put_flags(FILE_A, FS_IMMUTABLE_FL));
	EXPECT_EQ(STATX_ATTR_IMMUTABLE, statx_of(FILE_A).stx_attributes & all);
	ASSERT_EQ(0, put_flags(FILE_A, FS_APPEND_FL | FS_NODUMP_FL));
	EXPECT_EQ(STATX_ATTR_APPEND | STATX_ATTR_NODUMP,
		  statx_of(FILE_A).stx_attributes & all);
}

TEST_F(flags, fsxattr_is_the_same_in_other_words)
{
	struct fsxattr attr = {};
	int fd = open(FILE_A, O_RDONLY);

	ASSERT_EQ(0, put_flags(FILE_A, FS_IMMUTABLE_FL | FS_NOATIME_FL));
	ASSERT_EQ(0, ioctl(fd, FS_IOC_FSGETXATTR, &attr));
	EXPECT_EQ(FS_XFLAG_IMMUTABLE | FS_XFLAG_NOATIME, attr.fsx_xflags);
	attr.fsx_xflags = FS_XFLAG_APPEND | FS_XFLAG_NODUMP;
	EXPECT_EQ(0, ERR(ioctl(fd, FS_IOC_FSSETXATTR, &attr)));
	EXPECT_EQ(FS_APPEND_FL | FS_NODUMP_FL, flags_of(FILE_A));

	attr.fsx_xflags = FS_XFLAG_SYNC;
	EXPECT_EQ(EOPNOTSUPP, ERR(ioctl(fd, FS_IOC_FSSETXATTR, &attr)));
	attr.fsx_xflags = FS_XFLAG_NODEFRAG;
	EXPECT_EQ(EOPNOTSUPP, ERR(ioctl(fd, FS_IOC_FSSETXATTR, &attr)));
	attr.fsx_xflags = 0;
	attr.fsx_projid = 7;
	EXPECT_EQ(EOPNOTSUPP, ERR(ioctl(fd, FS_IOC_FSSETXATTR, &attr)));
	attr.fsx_projid = 0;
	attr.fsx_xflags = FS_XFLAG_EXTSIZE;
	attr.fsx_extsize = PAGE;
	EXPECT_EQ(EOPNOTSUPP, ERR(ioctl(fd, FS_IOC_FSSETXATTR, &attr)));
	EXPECT_EQ(FS_APPEND_FL | FS_NODUMP_FL, flags_of(FILE_A));
	close(fd);
}

/* struct file_attr, which older headers lack. */
struct attr {
	uint64_t xflags;
	uint32_t extsize, nextents, projid, cowextsize;
};

TEST_F(flags, system_calls_go_by_path)
{
	struct attr attr = {};
	long ret;

	ret = syscall(__NR_file_getattr, AT_FDCWD, FILE_A, &attr,
		      sizeof(attr), 0);
	if (ret && errno == ENOSYS)
		SKIP(return, "this kernel has no file_getattr()");
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, attr.xflags);
	attr.xflags = FS_XFLAG_NODUMP;
	EXPECT_EQ(0, ERR(syscall(__NR_file_setattr, AT_FDCWD, FILE_A, &attr,
				 sizeof(attr), 0)));
	EXPECT_EQ(FS_NODUMP_FL, flags_of(FILE_A));
	ASSERT_EQ(0, symlink("a", MNT "/l"));
	EXPECT_EQ(EOPNOTSUPP,
		  ERR(syscall(__NR_file_getattr, AT_FDCWD, MNT "/l", &attr,
			      sizeof(attr), AT_SYMLINK_NOFOLLOW)));
}

TEST_F(flags, special_files_have_none)
{
	ASSERT_EQ(0, mkfifo(MNT "/p", 0600));
	EXPECT_EQ(-ENOTTY, flags_of(MNT "/p"));
	EXPECT_EQ(ENOTTY, put_flags(MNT "/p", 0));
}

TEST_F(flags, read_only_mount_refuses)
{
	ASSERT_EQ(0, mount(MNT, MNT, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY,
			   NULL));
	EXPECT_EQ(EROFS, put_flags(FILE_A, FS_NODUMP_FL));
	EXPECT_EQ(0, flags_of(FILE_A));
	ASSERT_EQ(0, umount(MNT));
}

TEST_F(flags, change_changes_ctime)
{
	struct stat was, st;

	stat(FILE_A, &was);
	EXPECT_TRUE(WAIT_FOR(!put_flags(FILE_A, FS_NODUMP_FL) &&
			     !stat(FILE_A, &st) &&
			     (st.st_ctim.tv_sec != was.st_ctim.tv_sec ||
			      st.st_ctim.tv_nsec != was.st_ctim.tv_nsec)));
}

/* Beside the tree */

TEST_F(flags, keys_have_none)
{
	if (!is_rumpfs())
		SKIP(return, "tmpfs has no keys");
	ASSERT_EQ(0, put_text(HOST "/h", "host"));
	ASSERT_EQ(0, table("/k %s reg", HOST "/h"));
	EXPECT_EQ(-ENOTTY, flags_of(MNT "/k"));
	EXPECT_EQ(ENOTTY, put_flags(MNT "/k", FS_NODUMP_FL));
}

TEST_F(flags, directory_of_a_key_stays_if_it_has_one)
{
	if (!is_rumpfs())
		SKIP(return, "tmpfs has no keys");
	ASSERT_EQ(0, put_text(HOST "/h", "host"));
	ASSERT_EQ(0, table("/k/x/y %s reg", HOST "/h"));
	ASSERT_EQ(0, put_flags(MNT "/k", FS_NODUMP_FL));
	ASSERT_EQ(0, table("-/k/x/y"));
	EXPECT_EQ(FS_NODUMP_FL, flags_of(MNT "/k"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/k/x"));
}

TEST_HARNESS_MAIN
