// SPDX-License-Identifier: GPL-2.0
/* A directory is asked by ioctl: whiteouts, and how structs may grow. */

#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "lib/whiteout.h"

#define DIR_D MNT "/d"

FIXTURE(ioctl)
{
	int fd;
};

FIXTURE_VARIANT(ioctl)
{
	const char *options;
	bool is_hidden;
};

FIXTURE_VARIANT_ADD(ioctl, visible)
{
	.options = NULL,
};

FIXTURE_VARIANT_ADD(ioctl, hidden)
{
	.options = "whiteout=hidden",
	.is_hidden = true,
};

FIXTURE_SETUP(ioctl)
{
	if (!is_rumpfs())
		SKIP(return, "calls of rumpfs");
	ASSERT_EQ(0, setup_mount(variant->options));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(ioctl)
{
	close(self->fd);
	teardown_mount();
}

static struct timespec mtime_of(const char *path)
{
	struct stat st = {};

	stat(path, &st);
	return st.st_mtim;
}

static bool same(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

TEST_F(ioctl, whiteouts_are_made_found_and_deleted)
{
	EXPECT_EQ(ENOENT, white_find(MNT, "w"));
	EXPECT_EQ(ENOENT, white_drop(MNT, "w"));
	EXPECT_EQ(0, white_make(MNT, "w"));
	EXPECT_EQ(0, white_find(MNT, "w"));
	EXPECT_EQ(EEXIST, white_make(MNT, "w"));
	EXPECT_EQ(variant->is_hidden ? DT_WHT : DT_CHR,
		  listed_type(MNT, "w", NULL));
	EXPECT_EQ(variant->is_hidden ? ENOENT : 0, stat_err(MNT "/w"));
	EXPECT_EQ(0, white_drop(MNT, "w"));
	EXPECT_EQ(ENOENT, white_find(MNT, "w"));
	EXPECT_EQ(ENOENT, white_drop(MNT, "w"));
	EXPECT_EQ(-1, listed_type(MNT, "w", NULL));

	/* It finds what others made, in any directory. */
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, mknod(DIR_D "/w", S_IFCHR, 0));
	EXPECT_EQ(0, white_find(DIR_D, "w"));
	EXPECT_EQ(EEXIST, white_make(DIR_D, "w"));
	EXPECT_EQ(0, white_drop(DIR_D, "w"));
	EXPECT_EQ(0, rmdir(DIR_D));
}

TEST_F(ioctl, other_names_are_no_whiteouts)
{
	ASSERT_EQ(0, put_text(MNT "/f", "f"));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, mknod(MNT "/null", S_IFCHR, makedev(1, 3)));
	EXPECT_EQ(EEXIST, white_make(MNT, "f"));
	EXPECT_EQ(EEXIST, white_make(MNT, "d"));
	EXPECT_EQ(ENOENT, white_find(MNT, "f"));
	EXPECT_EQ(ENOENT, white_find(MNT, "null"));
	EXPECT_EQ(ENOENT, white_drop(MNT, "f"));
	EXPECT_EQ(ENOENT, white_drop(MNT, "d"));
	EXPECT_EQ(ENOENT, white_drop(MNT, "null"));
	EXPECT_EQ(0, text_is(MNT "/f", "f"));
}

TEST_F(ioctl, names_must_be_names)
{
	char name[258];
	__u32 op;

	for (op = RUMPFS_WHITEOUT_CREATE; op <= RUMPFS_WHITEOUT_LOOKUP; op++) {
		EXPECT_EQ(EINVAL, white(MNT, op, ""));
		EXPECT_EQ(EINVAL, white(MNT, op, "."));
		EXPECT_EQ(EINVAL, white(MNT, op, ".."));
		EXPECT_EQ(EINVAL, white(MNT, op, "a/b"));
		EXPECT_EQ(EINVAL, white(MNT, op, "/a"));
		EXPECT_EQ(EFAULT, white(MNT, op, NULL));
		EXPECT_EQ(EFAULT, white(MNT, op, (char *)-1L));
		memset(name, 'n', sizeof(name));
		name[257] = '\0';
		EXPECT_EQ(ENAMETOOLONG, white(MNT, op, name));
		name[256] = '\0';
		EXPECT_EQ(ENAMETOOLONG, white(MNT, op, name));
		name[255] = '\0';
		EXPECT_EQ(op == RUMPFS_WHITEOUT_CREATE ? 0 :
			  op == RUMPFS_WHITEOUT_DELETE ? 0 : ENOENT,
			  white(MNT, op, name));
		EXPECT_EQ(op == RUMPFS_WHITEOUT_CREATE ? 0 :
			  op == RUMPFS_WHITEOUT_DELETE ? 0 : ENOENT,
			  white(MNT, op, "..."));
	}
}

TEST_F(ioctl, what_is_not_known_is_refused)
{
	struct rumpfs_whiteout arg = { .name = (uintptr_t)"w", .op = 3 };
	struct rumpfs_whiteout bad = arg;

	EXPECT_EQ(EINVAL, white(MNT, 0, "w"));
	EXPECT_EQ(EINVAL, white(MNT, 4, "w"));
	EXPECT_EQ(EINVAL, white(MNT, ~0, "w"));
	bad.flags = 1;
	EXPECT_EQ(EINVAL, ERR(ioctl(self->fd, RUMPFS_IOC_WHITEOUT, &bad)));
	EXPECT_EQ(EFAULT, ERR(ioctl(self->fd, RUMPFS_IOC_WHITEOUT, NULL)));
	EXPECT_EQ(ENOTTY, ERR(ioctl(self->fd, _IOW('r', 0x7f, arg), &arg)));
	EXPECT_EQ(ENOTTY, ERR(ioctl(self->fd, _IOW('s', 0x43, arg), &arg)));
	/* What wine asks of every directory: VFAT_IOCTL_READDIR_BOTH. */
	EXPECT_EQ(ENOTTY, ERR(ioctl(self->fd, _IOR('r', 1, char[560]), &arg)));
	EXPECT_EQ(ENOENT, ERR(ioctl(self->fd, RUMPFS_IOC_WHITEOUT, &arg)));
}

TEST_F(ioctl, structs_may_be_shorter_and_longer)
{
	struct {
		struct rumpfs_whiteout now;
		char later[112];
	} arg = { .now = { .name = (uintptr_t)"w", .op = 1 } };
	const unsigned int nr = _IOC_NR(RUMPFS_IOC_WHITEOUT);

#define SIZED(size) ERR(ioctl(self->fd, _IOC(_IOC_WRITE, 'r', nr, size), &arg))
	ASSERT_EQ(16, sizeof(arg.now));
	EXPECT_EQ(0, SIZED(sizeof(arg)));
	arg.now.op = RUMPFS_WHITEOUT_LOOKUP;
	EXPECT_EQ(0, SIZED(17));
	/* Without flags, and those that are given are not looked at. */
	arg.now.flags = 1;
	EXPECT_EQ(0, SIZED(12));
	EXPECT_EQ(EINVAL, SIZED(11));
	EXPECT_EQ(EINVAL, SIZED(0));
	EXPECT_EQ(EINVAL, SIZED(13));
	arg.now.flags = 0;
	arg.later[100] = 1;
	EXPECT_EQ(E2BIG, SIZED(sizeof(arg)));
	EXPECT_EQ(0, SIZED(16 + 100));
	EXPECT_EQ(E2BIG, SIZED(16 + 101));
	EXPECT_EQ(EFAULT, ERR(ioctl(self->fd,
				    _IOC(_IOC_WRITE, 'r', nr, 16000),
				    (void *)-4096L)));
}

TEST_F(ioctl, only_directories_are_asked)
{
	struct rumpfs_whiteout arg = { .name = (uintptr_t)"w", .op = 3 };
	int fd;

	ASSERT_EQ(0, put_text(MNT "/f", "f"));
	fd = open(MNT "/f", O_RDWR);
	EXPECT_EQ(ENOTTY, ERR(ioctl(fd, RUMPFS_IOC_WHITEOUT, &arg)));
	close(fd);
	fd = open(MNT, O_PATH);
	EXPECT_EQ(EBADF, ERR(ioctl(fd, RUMPFS_IOC_WHITEOUT, &arg)));
	close(fd);
}

TEST_F(ioctl, a_removed_directory_has_none)
{
	struct rumpfs_whiteout arg = { .name = (uintptr_t)"w", .op = 1 };
	int fd;

	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	fd = open(DIR_D, O_RDONLY);
	ASSERT_EQ(0, rmdir(DIR_D));
	for (arg.op = 1; arg.op <= 3; arg.op++)
		EXPECT_EQ(ENOENT, ERR(ioctl(fd, RUMPFS_IOC_WHITEOUT, &arg)));
	close(fd);
}

TEST_F(ioctl, rights_are_those_of_mknod_and_unlink)
{
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, white_make(DIR_D, "root"));
	EXPECT_EQ(EACCES, AS_USER(1000, white_make(DIR_D, "user")));
	EXPECT_EQ(EACCES, AS_USER(1000, white_drop(DIR_D, "root")));
	EXPECT_EQ(0, AS_USER(1000, white_find(DIR_D, "root")));

	/* To be listed is not to be searched. */
	ASSERT_EQ(0, chmod(DIR_D, 0766));
	EXPECT_EQ(EACCES, AS_USER(1000, white_make(DIR_D, "user")));
	EXPECT_EQ(EACCES, AS_USER(1000, white_drop(DIR_D, "root")));
	EXPECT_EQ(EACCES, AS_USER(1000, white_find(DIR_D, "root")));

	ASSERT_EQ(0, chmod(DIR_D, 0777));
	EXPECT_EQ(0, AS_USER(1000, white_make(DIR_D, "user")));
	EXPECT_EQ(0, AS_USER(1000, white_drop(DIR_D, "root")));

	/* In a sticky directory only its maker takes it away. */
	ASSERT_EQ(0, chmod(DIR_D, 01777));
	ASSERT_EQ(0, white_make(DIR_D, "root"));
	EXPECT_EQ(EPERM, AS_USER(1000, white_drop(DIR_D, "root")));
	EXPECT_EQ(EPERM, AS_USER(1001, white_drop(DIR_D, "user")));
	EXPECT_EQ(0, AS_USER(1000, white_drop(DIR_D, "user")));
	EXPECT_EQ(0, white_find(DIR_D, "root"));
}

TEST_F(ioctl, a_read_only_mount_has_them_but_takes_none)
{
	ASSERT_EQ(0, white_make(MNT, "w"));
	ASSERT_EQ(0, mount(NULL, MNT, NULL,
			   MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	EXPECT_EQ(EROFS, white_make(MNT, "x"));
	EXPECT_EQ(EROFS, white_drop(MNT, "w"));
	EXPECT_EQ(0, white_find(MNT, "w"));
	EXPECT_EQ(ENOENT, white_find(MNT, "x"));
	if (variant->is_hidden) {
		EXPECT_EQ(EROFS, ERR(mkdir(MNT "/w", 0755)));
		EXPECT_EQ(EROFS, open_err(MNT "/w", O_RDWR | O_CREAT));
	}
	/* The file system as a whole, too. */
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT | MS_BIND, NULL));
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_EQ(EROFS, white_make(MNT, "x"));
	EXPECT_EQ(EROFS, white_drop(MNT, "w"));
}

TEST_F(ioctl, a_full_mount_gives_them_up)
{
	ASSERT_EQ(0, white_make(MNT, "w"));
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT, "nr_inodes=2"));
	EXPECT_EQ(ENOSPC, white_make(MNT, "x"));
	EXPECT_EQ(0, white_find(MNT, "w"));
	EXPECT_EQ(ENOENT, white_find(MNT, "x"));
	EXPECT_EQ(0, white_drop(MNT, "w"));
	EXPECT_EQ(0, white_make(MNT, "x"));
}

TEST_F(ioctl, watchers_hear_of_them)
{
	int fd = inotify_init1(IN_NONBLOCK);
	struct {
		struct inotify_event event;
		char name[16];
	} got;

	ASSERT_LE(0, inotify_add_watch(fd, MNT, IN_CREATE | IN_DELETE));
	ASSERT_EQ(0, white_make(MNT, "w"));
	ASSERT_LT(0, read(fd, &got, sizeof(got)));
	EXPECT_EQ(IN_CREATE, got.event.mask);
	EXPECT_STREQ("w", got.event.name);
	ASSERT_EQ(0, white_drop(MNT, "w"));
	ASSERT_LT(0, read(fd, &got, sizeof(got)));
	EXPECT_EQ(IN_DELETE, got.event.mask);
	EXPECT_STREQ("w", got.event.name);
	/* Nobody hears of what did not happen. */
	EXPECT_EQ(ENOENT, white_drop(MNT, "w"));
	EXPECT_EQ(ENOENT, white_find(MNT, "w"));
	EXPECT_EQ(-1, read(fd, &got, sizeof(got)));
	EXPECT_EQ(EAGAIN, errno);
	close(fd);
}

TEST_F(ioctl, the_directory_is_changed_by_them)
{
	struct timespec before = { .tv_sec = 1 };
	struct timespec times[2] = { before, before };

	ASSERT_EQ(0, utimensat(AT_FDCWD, MNT, times, 0));
	ASSERT_EQ(0, white_make(MNT, "w"));
	EXPECT_FALSE(same(before, mtime_of(MNT)));
	ASSERT_EQ(0, utimensat(AT_FDCWD, MNT, times, 0));
	ASSERT_EQ(0, white_find(MNT, "w"));
	EXPECT_TRUE(same(before, mtime_of(MNT)));
	ASSERT_EQ(0, white_drop(MNT, "w"));
	EXPECT_FALSE(same(before, mtime_of(MNT)));
}

#ifdef __x86_64__
/* As a 32-bit program calls. */
static int ioctl32(int fd, unsigned int cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80" : "=a"(ret)
		     : "a"(54), "b"(fd), "c"(cmd), "d"(arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

TEST_F(ioctl, programs_of_32_bits_call_as_well)
{
	struct rumpfs_whiteout *arg;
	char *name;
	pid_t pid;

	arg = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, arg);
	name = (char *)(arg + 1);
	strcpy(name, "w");
	arg->name = (uintptr_t)name;
	arg->op = RUMPFS_WHITEOUT_CREATE;
	pid = fork();
	if (!pid)
		_exit(ioctl32(-1, RUMPFS_IOC_WHITEOUT, arg) != -EBADF);
	if (wait_status(pid))
		SKIP(return, "the kernel runs no such programs");
	EXPECT_EQ(0, ioctl32(self->fd, RUMPFS_IOC_WHITEOUT, arg));
	EXPECT_EQ(-EEXIST, ioctl32(self->fd, RUMPFS_IOC_WHITEOUT, arg));
	EXPECT_EQ(0, white_find(MNT, "w"));
	EXPECT_EQ(-ENOTTY, ioctl32(self->fd, _IOW('r', 0x7f, int), arg));
}
#endif

/* Keys over them */

TEST_F(ioctl, a_key_hides_a_whiteout)
{
	ASSERT_EQ(0, white_make(MNT, "w"));
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, table("/w " HOST "/f reg"));
	EXPECT_EQ(0, text_is(MNT "/w", "host"));
	EXPECT_EQ(DT_REG, listed_type(MNT, "w", NULL));
	EXPECT_EQ(ENOENT, white_find(MNT, "w"));
	EXPECT_EQ(ENOENT, white_drop(MNT, "w"));
	EXPECT_EQ(EEXIST, white_make(MNT, "w"));
	ASSERT_EQ(0, table("-/w"));
	EXPECT_EQ(0, white_find(MNT, "w"));
	EXPECT_EQ(variant->is_hidden ? DT_WHT : DT_CHR,
		  listed_type(MNT, "w", NULL));
	EXPECT_EQ(0, white_drop(MNT, "w"));
}

TEST_F(ioctl, a_key_that_is_not_listed_hides_it_too)
{
	ASSERT_EQ(0, white_make(MNT, "w"));
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, table("/w " HOST "/f reg hidden"));
	EXPECT_EQ(-1, listed_type(MNT, "w", NULL));
	ASSERT_EQ(0, table("-/w"));
	EXPECT_EQ(0, white_find(MNT, "w"));
}

TEST_F(ioctl, a_directory_above_keys_hides_a_whiteout)
{
	ASSERT_EQ(0, white_make(MNT, "w"));
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, table("/w/k " HOST "/f reg"));
	/* Before anybody has looked, and after. */
	EXPECT_EQ(DT_DIR, listed_type(MNT, "w", NULL));
	EXPECT_EQ(0, text_is(MNT "/w/k", "host"));
	EXPECT_EQ(DT_DIR, listed_type(MNT, "w", NULL));
	EXPECT_EQ(EEXIST, white_make(MNT, "w"));
	ASSERT_EQ(0, table("-/w/k"));
	EXPECT_EQ(0, white_find(MNT, "w"));
	EXPECT_EQ(variant->is_hidden ? DT_WHT : DT_CHR,
		  listed_type(MNT, "w", NULL));

	/* It stays for what was put there, and then goes as any other. */
	ASSERT_EQ(0, table("/w/k " HOST "/f reg"));
	ASSERT_EQ(0, put_text(MNT "/w/mine", "mine"));
	ASSERT_EQ(0, table("-/w/k"));
	EXPECT_EQ(DT_DIR, listed_type(MNT, "w", NULL));
	EXPECT_EQ(0, text_is(MNT "/w/mine", "mine"));
	ASSERT_EQ(0, unlink(MNT "/w/mine"));
	ASSERT_EQ(0, rmdir(MNT "/w"));
	EXPECT_EQ(0, white_find(MNT, "w"));
}

TEST_F(ioctl, a_whiteout_keeps_the_directory_it_is_in)
{
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, table("/d/k " HOST "/f reg"));
	ASSERT_EQ(0, white_make(DIR_D, "w"));
	EXPECT_EQ(EEXIST, white_make(DIR_D, "k"));
	EXPECT_EQ(2, count_names(DIR_D));
	EXPECT_EQ(ENOTEMPTY, ERR(rmdir(DIR_D)));
	ASSERT_EQ(0, table("-/d/k"));
	EXPECT_EQ(0, white_find(DIR_D, "w"));
	EXPECT_EQ(DT_DIR, listed_type(MNT, "d", NULL));
	EXPECT_EQ(variant->is_hidden ? 0 : ENOTEMPTY, ERR(rmdir(DIR_D)));
}

TEST_HARNESS_MAIN
