// SPDX-License-Identifier: GPL-2.0
/* Extended attributes of inodes in memory. */

#include <pthread.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"
#define DIR_D MNT "/d"
#define LINK_L MNT "/l"
#define FIFO_P MNT "/p"

#define MAX_VALUE 65536
#define USER 1000

static char value[MAX_VALUE + 1], names[MAX_VALUE];

FIXTURE(xattr)
{
};

FIXTURE_SETUP(xattr)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(FILE_A, "bytes"));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, symlink("a", LINK_L));
	ASSERT_EQ(0, mkfifo(FIFO_P, 0666));
}

FIXTURE_TEARDOWN(xattr)
{
	teardown_mount();
}

/* The helpers do not follow a link. */
static int set(const char *path, const char *name, const char *text)
{
	return ERR(lsetxattr(path, name, text, strlen(text), 0));
}

static int set_bytes(const char *path, const char *name, char byte, size_t len)
{
	memset(value, byte, sizeof(value));
	return ERR(lsetxattr(path, name, value, len, 0));
}

static int drop(const char *path, const char *name)
{
	return ERR(lremovexattr(path, name));
}

/* 0 if the value is this text, EILSEQ if not, or the errno. */
static int is(const char *path, const char *name, const char *text)
{
	ssize_t len = lgetxattr(path, name, value, sizeof(value) - 1);

	if (len < 0)
		return errno;
	value[len] = '\0';
	return len == (ssize_t)strlen(text) && !memcmp(value, text, len) ?
		0 : EILSEQ;
}

/* The same for one repeated byte. */
static int is_bytes(const char *path, const char *name, char byte, size_t len)
{
	ssize_t got = lgetxattr(path, name, value, sizeof(value));

	if (got < 0)
		return errno;
	return (size_t)got == len && byte_differs(value, len, byte) == -1 ?
		0 : EILSEQ;
}

/* How many times the list has the name; of all names if that is NULL. */
static int named(const char *path, const char *name)
{
	ssize_t len = llistxattr(path, names, sizeof(names));
	const char *at;
	int n = 0;

	for (at = names; len > 0 && at < names + len; at += strlen(at) + 1)
		n += !name || !strcmp(at, name);
	return len < 0 ? -errno : n;
}

/* Free bytes of the second mount, in whole pages. */
static long long room(void)
{
	struct statvfs st;

	return statvfs(MNT2, &st) ? -errno : (long long)st.f_bfree * PAGE;
}

TEST_F(xattr, values_are_read_back)
{
	const char *const spaces[] = { "user.x", "trusted.x", "security.x" };
	const char *const paths[] = { FILE_A, DIR_D };
	int p, s;

	for (p = 0; p < 2; p++) {
		for (s = 0; s < 3; s++) {
			EXPECT_EQ(ENODATA, is(paths[p], spaces[s], "one"));
			EXPECT_EQ(0, set(paths[p], spaces[s], "one"));
			EXPECT_EQ(0, is(paths[p], spaces[s], "one"));
			EXPECT_EQ(0, set(paths[p], spaces[s], "another"));
			EXPECT_EQ(0, is(paths[p], spaces[s], "another"));
		}
		EXPECT_EQ(3, named(paths[p], NULL));
	}
	EXPECT_EQ(0, text_is(FILE_A, "bytes"));
}

TEST_F(xattr, size_is_told_and_small_buffers_refused)
{
	ASSERT_EQ(0, set(FILE_A, "user.x", "12345"));
	EXPECT_EQ(5, getxattr(FILE_A, "user.x", NULL, 0));
	EXPECT_EQ(ERANGE, ERR(getxattr(FILE_A, "user.x", value, 4)));
	EXPECT_EQ(5, getxattr(FILE_A, "user.x", value, 5));
}

TEST_F(xattr, empty_value_is_a_value)
{
	ASSERT_EQ(0, set(FILE_A, "user.x", ""));
	EXPECT_EQ(0, is(FILE_A, "user.x", ""));
	EXPECT_EQ(0, getxattr(FILE_A, "user.x", NULL, 0));
	EXPECT_EQ(1, named(FILE_A, "user.x"));
	ASSERT_EQ(0, set(FILE_A, "user.x", "full"));
	ASSERT_EQ(0, set(FILE_A, "user.x", ""));
	EXPECT_EQ(0, is(FILE_A, "user.x", ""));
}

TEST_F(xattr, create_and_replace_are_heeded)
{
	const char *path = FILE_A, *name = "user.x";

	EXPECT_EQ(ENODATA, ERR(setxattr(path, name, "1", 1, XATTR_REPLACE)));
	EXPECT_EQ(0, named(path, NULL));
	EXPECT_EQ(0, ERR(setxattr(path, name, "1", 1, XATTR_CREATE)));
	EXPECT_EQ(EEXIST, ERR(setxattr(path, name, "2", 1, XATTR_CREATE)));
	EXPECT_EQ(0, is(path, name, "1"));
	EXPECT_EQ(0, ERR(setxattr(path, name, "3", 1, XATTR_REPLACE)));
	EXPECT_EQ(0, is(path, name, "3"));
	EXPECT_EQ(EINVAL, ERR(setxattr(path, name, "4", 1, 0x80)));
}

TEST_F(xattr, removed_is_gone)
{
	EXPECT_EQ(ENODATA, drop(FILE_A, "user.x"));
	ASSERT_EQ(0, set(FILE_A, "user.x", "1"));
	ASSERT_EQ(0, set(FILE_A, "user.y", "2"));
	EXPECT_EQ(0, drop(FILE_A, "user.x"));
	EXPECT_EQ(ENODATA, drop(FILE_A, "user.x"));
	EXPECT_EQ(ENODATA, is(FILE_A, "user.x", "1"));
	EXPECT_EQ(0, is(FILE_A, "user.y", "2"));
	EXPECT_EQ(0, drop(FILE_A, "user.y"));
	EXPECT_EQ(0, named(FILE_A, NULL));
	EXPECT_EQ(0, set(FILE_A, "user.x", "3"));
	EXPECT_EQ(0, is(FILE_A, "user.x", "3"));
}

TEST_F(xattr, names_have_a_form)
{
	char longest[300] = "user.";

	memset(longest + 5, 'n', 250);
	EXPECT_EQ(0, set(FILE_A, longest, "1"));
	EXPECT_EQ(0, is(FILE_A, longest, "1"));
	EXPECT_EQ(1, named(FILE_A, longest));
	longest[255] = 'n';
	EXPECT_EQ(ERANGE, set(FILE_A, longest, "1"));
	EXPECT_EQ(ERANGE, set(FILE_A, "", "1"));
	EXPECT_EQ(EINVAL, set(FILE_A, "user.", "1"));
	EXPECT_EQ(EOPNOTSUPP, set(FILE_A, "other.x", "1"));
	EXPECT_EQ(EOPNOTSUPP, set(FILE_A, "system.x", "1"));
	EXPECT_EQ(EOPNOTSUPP, is(FILE_A, "other.x", "1"));
	EXPECT_EQ(EOPNOTSUPP, drop(FILE_A, "other.x"));
}

TEST_F(xattr, values_go_up_to_64k)
{
	EXPECT_EQ(0, set_bytes(FILE_A, "user.x", 'x', MAX_VALUE));
	EXPECT_EQ(0, is_bytes(FILE_A, "user.x", 'x', MAX_VALUE));
	EXPECT_EQ(E2BIG, set_bytes(FILE_A, "user.x", 'y', MAX_VALUE + 1));
	EXPECT_EQ(0, is_bytes(FILE_A, "user.x", 'x', MAX_VALUE));
}

TEST_F(xattr, every_type_has_trusted_and_security)
{
	const char *const paths[] = {
		FILE_A, DIR_D, LINK_L, FIFO_P, MNT "/sock", MNT "/null"
	};
	struct sockaddr_un addr = { AF_UNIX, MNT "/sock" };
	int i, fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	close(fd);
	ASSERT_EQ(0, mknod(MNT "/null", S_IFCHR | 0666, makedev(1, 3)));
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(0, set(paths[i], "trusted.x", paths[i]));
		EXPECT_EQ(0, set(paths[i], "security.x", "s"));
		EXPECT_EQ(0, is(paths[i], "trusted.x", paths[i]));
		EXPECT_EQ(2, named(paths[i], NULL));
		EXPECT_EQ(0, drop(paths[i], "trusted.x"));
		EXPECT_EQ(1, named(paths[i], NULL));
	}
}

TEST_F(xattr, user_is_for_files_and_directories)
{
	const char *const paths[] = { LINK_L, FIFO_P, MNT "/null" };
	int i;

	ASSERT_EQ(0, mknod(MNT "/null", S_IFCHR | 0666, makedev(1, 3)));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(EPERM, set(paths[i], "user.x", "1"));
		EXPECT_EQ(ENODATA, is(paths[i], "user.x", "1"));
		EXPECT_EQ(EPERM, drop(paths[i], "user.x"));
	}
	EXPECT_EQ(0, named(FILE_A, NULL));
}

TEST_F(xattr, list_is_measured_and_stable)
{
	static char again[MAX_VALUE];
	ssize_t len;

	EXPECT_EQ(0, listxattr(FILE_A, NULL, 0));
	ASSERT_EQ(0, set(FILE_A, "user.bb", "1"));
	ASSERT_EQ(0, set(FILE_A, "trusted.a", "2"));
	ASSERT_EQ(0, set(FILE_A, "user.a", "3"));
	len = listxattr(FILE_A, NULL, 0);
	EXPECT_EQ(8 + 10 + 7, len);
	EXPECT_EQ(ERANGE, ERR(listxattr(FILE_A, names, len - 1)));
	ASSERT_EQ(len, listxattr(FILE_A, names, len));
	EXPECT_EQ(1, named(FILE_A, "user.bb"));
	EXPECT_EQ(1, named(FILE_A, "trusted.a"));
	EXPECT_EQ(1, named(FILE_A, "user.a"));

	/* Values come and go, the order stays. */
	ASSERT_EQ(0, set(FILE_A, "user.bb", "longer"));
	ASSERT_EQ(0, set(FILE_A, "trusted.a", ""));
	ASSERT_EQ(len, listxattr(FILE_A, again, sizeof(again)));
	EXPECT_EQ(0, memcmp(names, again, len));
}

#define MANY 1000

TEST_F(xattr, many_are_kept_apart)
{
	char name[64], text[64];
	int i;

	for (i = 0; i < MANY; i++) {
		sprintf(name, "user.of.many.%d", i * 7919 % MANY);
		sprintf(text, "value %d", i * 7919 % MANY);
		ASSERT_EQ(0, set(DIR_D, name, text));
	}
	EXPECT_EQ(MANY, named(DIR_D, NULL));
	for (i = 0; i < MANY; i += 2) {
		sprintf(name, "user.of.many.%d", i);
		ASSERT_EQ(0, drop(DIR_D, name));
	}
	EXPECT_EQ(MANY / 2, named(DIR_D, NULL));
	for (i = 0; i < MANY; i++) {
		sprintf(name, "user.of.many.%d", i);
		sprintf(text, "value %d", i);
		ASSERT_EQ(i % 2 ? 0 : ENODATA, is(DIR_D, name, text));
	}
	EXPECT_EQ(1, named(DIR_D, "user.of.many.1"));
	EXPECT_EQ(0, named(DIR_D, "user.of.many.2"));
}

TEST_F(xattr, list_past_64k_is_refused)
{
	char name[256] = "trusted.";
	int i;

	memset(name + 8, 'n', 240);
	for (i = 0; i < 300; i++) {
		sprintf(name + 248, "%03d", i);
		ASSERT_EQ(0, set(FILE_A, name, "1"));
	}
	EXPECT_EQ(E2BIG, -named(FILE_A, NULL));
	EXPECT_EQ(0, is(FILE_A, name, "1"));
	for (i = 0; i < 300; i++) {
		sprintf(name + 248, "%03d", i);
		ASSERT_EQ(0, drop(FILE_A, name));
	}
	EXPECT_EQ(0, named(FILE_A, NULL));
}

TEST_F(xattr, trusted_is_hidden_from_users)
{
	ASSERT_EQ(0, chmod(FILE_A, 0666));
	ASSERT_EQ(0, set(FILE_A, "trusted.x", "1"));
	ASSERT_EQ(0, set(FILE_A, "security.x", "2"));
	ASSERT_EQ(0, set(FILE_A, "user.x", "3"));
	EXPECT_EQ(3, named(FILE_A, NULL));
	EXPECT_EQ(2, AS_USER(USER, named(FILE_A, NULL)));
	EXPECT_EQ(0, AS_USER(USER, named(FILE_A, "trusted.x")));
	EXPECT_EQ(1, AS_USER(USER, named(FILE_A, "security.x")));
	EXPECT_EQ(18, AS_USER(USER, listxattr(FILE_A, NULL, 0)));

	EXPECT_EQ(ENODATA, AS_USER(USER, is(FILE_A, "trusted.x", "1")));
	EXPECT_EQ(0, AS_USER(USER, is(FILE_A, "security.x", "2")));
	EXPECT_EQ(EPERM, AS_USER(USER, set(FILE_A, "trusted.x", "4")));
	EXPECT_EQ(EPERM, AS_USER(USER, drop(FILE_A, "trusted.x")));
	EXPECT_EQ(0, AS_USER(USER, set(FILE_A, "user.x", "4")));
	EXPECT_EQ(0, is(FILE_A, "user.x", "4"));
}

/*
 * Who changes security attributes is up to the security modules: EPERM, but
 * where an old kernel's BPF module forgets to ask. Then tmpfs is open too.
 */
TEST_F(xattr, security_is_left_to_the_modules)
{
	int expected;

	ASSERT_EQ(0, put_text(HOST "/h", "tmpfs"));
	ASSERT_EQ(0, chmod(HOST "/h", 0666));
	ASSERT_EQ(0, chmod(FILE_A, 0666));
	ASSERT_EQ(0, set(FILE_A, "security.x", "1"));
	expected = AS_USER(USER, set(HOST "/h", "security.x", "2"));
	EXPECT_EQ(expected, AS_USER(USER, set(FILE_A, "security.x", "2")));
	EXPECT_EQ(0, is(FILE_A, "security.x", expected ? "1" : "2"));
	EXPECT_EQ(expected, AS_USER(USER, drop(FILE_A, "security.x")));
}

TEST_F(xattr, user_goes_by_the_mode)
{
	ASSERT_EQ(0, set(FILE_A, "user.x", "1"));
	ASSERT_EQ(0, chmod(FILE_A, 0644));
	EXPECT_EQ(0, AS_USER(USER, is(FILE_A, "user.x", "1")));
	EXPECT_EQ(EACCES, AS_USER(USER, set(FILE_A, "user.x", "2")));
	EXPECT_EQ(EACCES, AS_USER(USER, drop(FILE_A, "user.x")));
	ASSERT_EQ(0, chmod(FILE_A, 0600));
	EXPECT_EQ(EACCES, AS_USER(USER, is(FILE_A, "user.x", "1")));

	/* Who may write to a sticky directory does not own it. */
	ASSERT_EQ(0, chmod(DIR_D, 01777));
	EXPECT_EQ(EPERM, AS_USER(USER, set(DIR_D, "user.x", "1")));
	ASSERT_EQ(0, chown(DIR_D, USER, USER));
	EXPECT_EQ(0, AS_USER(USER, set(DIR_D, "user.x", "1")));
}

TEST_F(xattr, read_only_mount_refuses)
{
	ASSERT_EQ(0, set(FILE_A, "user.x", "1"));
	ASSERT_EQ(0, mount(MNT, MNT, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY,
			   NULL));
	EXPECT_EQ(EROFS, set(FILE_A, "user.x", "2"));
	EXPECT_EQ(EROFS, drop(FILE_A, "user.x"));
	EXPECT_EQ(0, is(FILE_A, "user.x", "1"));
	ASSERT_EQ(0, umount(MNT));
}

static bool ctime_moved(const char *path, struct stat *was)
{
	struct stat st;
	bool moved;

	stat(path, &st);
	moved = st.st_ctim.tv_sec != was->st_ctim.tv_sec ||
		st.st_ctim.tv_nsec != was->st_ctim.tv_nsec;
	moved &= st.st_mtim.tv_sec == was->st_mtim.tv_sec &&
		 st.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
	*was = st;
	return moved;
}

/* The clock of files is coarse: try until it has ticked. */
TEST_F(xattr, change_changes_ctime_alone)
{
	struct stat was;

	stat(FILE_A, &was);
	EXPECT_TRUE(WAIT_FOR(!set(FILE_A, "user.x", "1") &&
			     ctime_moved(FILE_A, &was)));
	EXPECT_TRUE(WAIT_FOR(!set(FILE_A, "user.x", "1") &&
			     !drop(FILE_A, "user.x") &&
			     ctime_moved(FILE_A, &was)));
	EXPECT_EQ(ENODATA, drop(FILE_A, "user.x"));
	EXPECT_FALSE(ctime_moved(FILE_A, &was));
}

TEST_F(xattr, belongs_to_the_inode)
{
	int fd = open(FILE_A, O_RDWR), path = open(FILE_A, O_PATH);

	ASSERT_EQ(0, link(FILE_A, MNT "/b"));
	ASSERT_EQ(0, set(FILE_A, "user.x", "1"));
	EXPECT_EQ(0, is(MNT "/b", "user.x", "1"));
	ASSERT_EQ(0, rename(FILE_A, DIR_D "/c"));
	EXPECT_EQ(0, is(DIR_D "/c", "user.x", "1"));
	ASSERT_EQ(0, unlink(DIR_D "/c"));
	ASSERT_EQ(0, unlink(MNT "/b"));
	EXPECT_EQ(1, fgetxattr(fd, "user.x", value, 10));
	EXPECT_EQ(0, ERR(fsetxattr(fd, "user.y", "12", 2, 0)));
	EXPECT_EQ(2, fgetxattr(fd, "user.y", value, 10));
	EXPECT_EQ(14, flistxattr(fd, NULL, 0));
	EXPECT_EQ(EBADF, ERR(fgetxattr(path, "user.x", value, 10)));
	close(fd);
	close(path);

	/* Another inode under the old name has none. */
	ASSERT_EQ(0, put_text(FILE_A, ""));
	EXPECT_EQ(0, named(FILE_A, NULL));
}

/* A write drops what setcap has set, each time. */
TEST_F(xattr, write_drops_capabilities)
{
	const uint32_t caps[5] = { 0x02000001, 0x400 };
	const char *name = "security.capability";
	int i, fd = open(FILE_A, O_RDWR);

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, pwrite(fd, "x", 1, 0));
		ASSERT_EQ(0, ERR(setxattr(FILE_A, name, caps, 20, 0)));
		EXPECT_EQ(1, named(FILE_A, name));
		ASSERT_EQ(1, pwrite(fd, "x", 1, 0));
		EXPECT_EQ(ENODATA, is(FILE_A, name, ""));
		EXPECT_EQ(0, named(FILE_A, name));
	}
	/* The mode is watched too. */
	ASSERT_EQ(0, chmod(FILE_A, 06777));
	EXPECT_EQ(1, AS_USER(USER, pwrite(fd, "x", 1, 0)));
	EXPECT_EQ(0777, mode_of(FILE_A) & 07777);
	close(fd);
}

/* What is charged */

#define FILE_S MNT2 "/s"

TEST_F(xattr, limit_holds_and_nothing_is_lost)
{
	const char *path = FILE_S;
	long long all;

	if (!is_rumpfs())
		SKIP(return, "tmpfs takes attributes from nr_inodes=");
	ASSERT_EQ(0, mount_at(MNT2, "size=128K"));
	ASSERT_EQ(0, put_text(path, ""));
	all = room();
	ASSERT_EQ(0, set_bytes(path, "user.x", 'x', MAX_VALUE));
	ASSERT_EQ(0, set_bytes(path, "user.y", 'y', 32768));
	EXPECT_EQ(ENOSPC, set_bytes(path, "user.z", 'z', 32768));
	EXPECT_EQ(ENOSPC, set_bytes(path, "user.y", 'z', MAX_VALUE));
	EXPECT_EQ(0, is_bytes(path, "user.x", 'x', MAX_VALUE));
	EXPECT_EQ(0, is_bytes(path, "user.y", 'y', 32768));
	EXPECT_EQ(2, named(path, NULL));

	/* As long as it was: that needs no room. */
	EXPECT_EQ(0, set_bytes(path, "user.x", 'X', MAX_VALUE));
	EXPECT_EQ(0, is_bytes(path, "user.x", 'X', MAX_VALUE));
	/* A shorter one gives back, a removed one too. */
	EXPECT_EQ(0, set_bytes(path, "user.x", 'x', 1));
	EXPECT_LE(MAX_VALUE, room());
	EXPECT_EQ(0, set_bytes(path, "user.y", 'z', MAX_VALUE));
	EXPECT_EQ(0, drop(path, "user.y"));
	EXPECT_EQ(0, drop(path, "user.x"));
	EXPECT_EQ(all, room());
	ASSERT_EQ(0, umount(MNT2));
}

/* So often that each byte forgotten would sum up to pages. */
TEST_F(xattr, all_is_given_back)
{
	int nr = turns(5000), i;
	char name[32], path[64];
	long long all;

	if (!is_rumpfs())
		SKIP(return, "tmpfs takes attributes from nr_inodes=");
	ASSERT_EQ(0, mount_at(MNT2, "size=512K"));
	ASSERT_EQ(0, put_text(FILE_S, ""));
	all = room();
	for (i = 0; i < nr; i++) {
		sprintf(name, "user.%d", i);
		ASSERT_EQ(0, set(FILE_S, name, "long"));
		ASSERT_EQ(0, set(FILE_S, name, "longer"));
		ASSERT_EQ(0, set(FILE_S, name, "short"));
		ASSERT_EQ(0, drop(FILE_S, name));
	}
	EXPECT_EQ(all, room());
	for (i = 0; i < 300; i++) {
		sprintf(name, "user.%d", i);
		ASSERT_EQ(0, set(FILE_S, name, "value"));
	}
	EXPECT_GT(all, room());
	ASSERT_EQ(0, unlink(FILE_S));
	EXPECT_EQ(all, room());

	/* An inode each, of every kind of death. */
	for (i = 0; i < 300; i++) {
		sprintf(path, MNT2 "/%d", i % 2);
		ASSERT_EQ(0, i % 3 ? mkfifo(path, 0600) : mkdir(path, 0700));
		ASSERT_EQ(0, set_bytes(path, "trusted.x", 'x', 1000));
		ASSERT_EQ(0, i % 3 ? unlink(path) : rmdir(path));
	}
	EXPECT_EQ(all, room());
	ASSERT_EQ(0, umount(MNT2));
}

/* What happens at once */

static volatile bool is_over;
static int torn, lists_wrong;

/* One byte over and over; it tells the length of the value. */
static ssize_t length_of(char byte)
{
	return (byte - 'a') % 3 ? MAX_VALUE : 100;
}

static void *replace_values(void *path)
{
	static char buf[MAX_VALUE];
	int nr = turns(1000), i;

	for (i = 0; i < nr; i++) {
		memset(buf, 'a' + i % 24, sizeof(buf));
		if (setxattr(path, "user.m", buf, length_of(buf[0]), 0))
			__atomic_add_fetch(&torn, 1, __ATOMIC_RELAXED);
		/* Neighbors come and go on both sides of it. */
		if (setxattr(path, "user.a", buf, 10, 0) ||
		    setxattr(path, "user.z", buf, 10, 0) ||
		    removexattr(path, "user.a") ||
		    removexattr(path, "user.z"))
			__atomic_add_fetch(&torn, 1, __ATOMIC_RELAXED);
	}
	is_over = true;
	return NULL;
}

static void *read_values(void *path)
{
	char *buf = malloc(MAX_VALUE);
	ssize_t len;

	while (!is_over) {
		len = getxattr(path, "user.m", buf, MAX_VALUE);
		if (len != length_of(buf[0]) || memcmp(buf, buf + 1, len - 1))
			__atomic_add_fetch(&torn, 1, __ATOMIC_RELAXED);
	}
	free(buf);
	return NULL;
}

/* user.m is there all the time, and the list is sorted or not at all. */
static void *read_lists(void *path)
{
	char buf[64];
	ssize_t len;

	while (!is_over) {
		len = listxattr(path, buf, sizeof(buf));
		if ((len != 7 && len != 14 && len != 21) ||
		    !memmem(buf, len, "user.m", 7))
			__atomic_add_fetch(&lists_wrong, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST_F(xattr, readers_see_whole_values)
{
	pthread_t threads[4];
	int i;

	ASSERT_EQ(0, set_bytes(FILE_A, "user.m", 'a', 100));
	pthread_create(&threads[0], NULL, read_values, FILE_A);
	pthread_create(&threads[1], NULL, read_values, FILE_A);
	pthread_create(&threads[2], NULL, read_lists, FILE_A);
	pthread_create(&threads[3], NULL, replace_values, FILE_A);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, torn);
	EXPECT_EQ(0, lists_wrong);
	EXPECT_EQ(1, named(FILE_A, NULL));
}

/* Beside the tree */

TEST_F(xattr, keys_have_none)
{
	if (!is_rumpfs())
		SKIP(return, "tmpfs has no keys");
	ASSERT_EQ(0, put_text(HOST "/h", "host"));
	ASSERT_EQ(0, set(HOST "/h", "trusted.x", "host's"));
	ASSERT_EQ(0, table("/k %s reg", HOST "/h"));
	EXPECT_EQ(EOPNOTSUPP, set(MNT "/k", "user.x", "1"));
	EXPECT_EQ(EOPNOTSUPP, set(MNT "/k", "trusted.x", "1"));
	EXPECT_EQ(EOPNOTSUPP, is(MNT "/k", "trusted.x", "host's"));
	EXPECT_EQ(EOPNOTSUPP, drop(MNT "/k", "trusted.x"));
	EXPECT_EQ(0, named(MNT "/k", NULL));
	EXPECT_EQ(0, is(HOST "/h", "trusted.x", "host's"));
}

TEST_F(xattr, directory_of_a_key_stays_if_it_has_one)
{
	if (!is_rumpfs())
		SKIP(return, "tmpfs has no keys");
	ASSERT_EQ(0, put_text(HOST "/h", "host"));
	ASSERT_EQ(0, table("/k/x/y %s reg", HOST "/h"));
	ASSERT_EQ(0, set(MNT "/k", "user.x", "1"));
	ASSERT_EQ(0, table("-/k/x/y"));
	EXPECT_EQ(0, is(MNT "/k", "user.x", "1"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/k/x"));
}

TEST_HARNESS_MAIN
