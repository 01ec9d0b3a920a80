// SPDX-License-Identifier: GPL-2.0
/* Root of a user namespace mounts, and gets nothing that was not his before. */

#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "lib/userns.h"

#define MAGIC 0x72756d70
#define FILE_A MNT "/a"

/* What the witness calls the file system that was mounted inside. */
#define SEEN "/proc/%d/root" MNT

FIXTURE(userns)
{
	pid_t me;
};

FIXTURE_VARIANT(userns)
{
	struct id_map map;
};

/*
 * With a range the namespace has users, with one id nobody but its root; and
 * some have no root at all.
 */
FIXTURE_VARIANT_ADD(userns, range) { .map = { 0, 100000, 65536 } };
FIXTURE_VARIANT_ADD(userns, one_id) { .map = { 0, 1000, 1 } };
FIXTURE_VARIANT_ADD(userns, rootless) { .map = { 1000, 1000, 1 } };

/* Opened by root of the machine. */
static int open_table;

static int enter(const struct id_map *map)
{
	int err;

	is_sanitized();
	err = load_module();
	if (!err)
		err = enter_sandbox();
	if (err)
		return err;
	reset_table();
	open_table = open(TABLE, O_WRONLY | O_CLOEXEC);
	err = put_text(HOST "/f", "host") ?: start_witness();
	return err ?: enter_userns(map);
}

FIXTURE_SETUP(userns)
{
	int err = enter(&variant->map);

	if (err == EPERM || err == ENOSPC)
		SKIP(return, "requires user namespaces for everybody");
	ASSERT_EQ(0, err);
	self->me = getpid();
}

FIXTURE_TEARDOWN(userns)
{
	umount2(MNT, MNT_DETACH);
	if (is_rumpfs())
		outside("echo flush >" TABLE);
}

/* What is said of the mount at MNT: its options. */
static const char *shown(void)
{
	static char line[1024], options[512];
	FILE *file = fopen("/proc/self/mounts", "r");
	char at[128];

	options[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %127s %*s %511s", at, options) == 2 &&
		    !strcmp(at, MNT))
			break;
		options[0] = '\0';
	}
	if (file)
		fclose(file);
	return options;
}

TEST_F(userns, its_root_mounts)
{
	uid_t owner = variant->map.inside;
	struct statfs fs;
	struct stat st;

	ASSERT_EQ(0, mount_at(MNT, NULL));
	ASSERT_EQ(0, stat(MNT, &st));
	EXPECT_EQ(owner, st.st_uid);
	EXPECT_EQ(owner, st.st_gid);
	ASSERT_EQ(0, statfs(MNT, &fs));
	if (is_rumpfs()) {
		EXPECT_EQ(S_IFDIR | 0755, st.st_mode);
		EXPECT_EQ(MAGIC, fs.f_type);
	}
	EXPECT_LT(0, fs.f_blocks);
	EXPECT_LT(0, fs.f_files);

	EXPECT_EQ(0, put_text(FILE_A, "bytes"));
	EXPECT_EQ(0, text_is(FILE_A, "bytes"));
	EXPECT_EQ(0, mkdir(MNT "/d", 0755));
	EXPECT_EQ(0, rename(FILE_A, MNT "/d/a"));
	EXPECT_EQ(0, outside("test $(stat -c %%u " SEEN "/d/a) = %u", self->me,
			     variant->map.outside));
	EXPECT_EQ(0, umount(MNT));
}

TEST_F(userns, shows_nothing_that_is_the_default_there)
{
	if (!is_rumpfs())
		SKIP(return, "tmpfs shows more");
	ASSERT_EQ(0, mount_at(MNT, NULL));
	EXPECT_EQ(NULL, strstr(shown(), "etfs="));
	EXPECT_EQ(NULL, strstr(shown(), "mode="));
	EXPECT_EQ(NULL, strstr(shown(), "size="));
	/* Without a root the owner of the tree is no default. */
	EXPECT_EQ(variant->map.inside != 0, !!strstr(shown(), ",uid=1000"));
	EXPECT_EQ(variant->map.inside != 0, !!strstr(shown(), ",gid=1000"));
	ASSERT_EQ(0, umount(MNT));
	ASSERT_EQ(0, mount_at(MNT, "etfs=private"));
	EXPECT_EQ(NULL, strstr(shown(), "etfs="));
}

TEST_F(userns, the_host_table_is_refused_in_words)
{
	char log[512] = "";
	int fd;

	if (!is_rumpfs())
		SKIP(return, "tmpfs has no table");
	EXPECT_EQ(EPERM, mount_at(MNT, "etfs=host"));
	fd = fsopen(fs_name(), FSOPEN_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EPERM, ERR(fsconfig(fd, FSCONFIG_SET_STRING, "etfs", "host",
				      0)));
	EXPECT_LT(0, read(fd, log, sizeof(log) - 1));
	EXPECT_EQ(0, strncmp(log, "e rumpfs: etfs=host: ", 21)) {
		TH_LOG("the log says: %s", log);
	}
	close(fd);
	ASSERT_EQ(0, mount_at(MNT, NULL));
	EXPECT_EQ(EPERM,
		  ERR(mount(NULL, MNT, NULL, MS_REMOUNT, "etfs=host")));
	EXPECT_EQ(0, ERR(mount(NULL, MNT, NULL, MS_REMOUNT, "etfs=private")));
}

TEST_F(userns, no_host_key_is_seen)
{
	struct stat st;

	if (!is_rumpfs())
		SKIP(return, "tmpfs has no table");
	ASSERT_EQ(0, outside("echo '/k /mnt/host/f reg' >" TABLE));
	ASSERT_EQ(0, mount_at(MNT, NULL));
	ASSERT_EQ(0, outside("echo '/d/k /mnt/host/f reg' >" TABLE));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(ENOENT, stat_err(MNT "/k"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/d"));
	EXPECT_EQ(2, nlink_of(MNT));

	/* The names are free, and a key that comes or goes leaves them alone. */
	EXPECT_EQ(0, put_text(MNT "/k", "mine"));
	EXPECT_EQ(0, mkdir(MNT "/d", 0755));
	EXPECT_EQ(0, put_text(MNT "/d/m", "mine"));
	ASSERT_EQ(0, outside("echo '/d/m /mnt/host/f reg' >" TABLE));
	EXPECT_EQ(0, text_is(MNT "/d/m", "mine"));
	ASSERT_EQ(0, outside("echo flush >" TABLE));
	EXPECT_EQ(0, text_is(MNT "/k", "mine"));
	EXPECT_EQ(0, rename(MNT "/d", MNT "/e"));
	EXPECT_EQ(0, unlink(MNT "/e/m"));
	EXPECT_EQ(0, rmdir(MNT "/e"));

	/* Nor is the table itself within reach. */
	EXPECT_EQ(0, stat(TABLE, &st));
	EXPECT_EQ(EACCES, open_err(TABLE, O_RDONLY));
	EXPECT_EQ(EACCES, open_err(TABLE, O_WRONLY));
}

TEST_F(userns, a_table_opened_outside_takes_nothing)
{
	if (!is_rumpfs())
		SKIP(return, "tmpfs has no table");
	ASSERT_LE(0, open_table);
	EXPECT_EQ(EPERM, ERR(write(open_table, "/k /mnt/host/f reg\n", 19)));
	EXPECT_EQ(EPERM, ERR(write(open_table, "flush\n", 6)));
}

TEST_F(userns, ids_are_of_the_namespace)
{
	struct stat st;

	if (variant->map.count == 1) {
		EXPECT_EQ(EINVAL, mount_at(MNT, "uid=5"));
		EXPECT_EQ(EINVAL, mount_at(MNT, "gid=5"));
		ASSERT_EQ(0, mount_at(MNT, NULL));
		ASSERT_EQ(0, put_text(FILE_A, ""));
		EXPECT_EQ(EINVAL, ERR(chown(FILE_A, 5, -1)));
		EXPECT_EQ(EINVAL, ERR(chown(FILE_A, -1, 5)));
		return;
	}
	EXPECT_EQ(EINVAL, mount_at(MNT, "uid=65536"));
	ASSERT_EQ(0, mount_at(MNT, "uid=5,gid=6"));
	ASSERT_EQ(0, stat(MNT, &st));
	EXPECT_EQ(5, st.st_uid);
	EXPECT_EQ(6, st.st_gid);
	if (is_rumpfs()) {
		EXPECT_NE(NULL, strstr(shown(), ",uid=5"));
		EXPECT_NE(NULL, strstr(shown(), ",gid=6"));
	}
	EXPECT_EQ(0, outside("test $(stat -c %%u:%%g " SEEN ") = 100005:100006",
			     self->me));
	ASSERT_EQ(0, put_text(FILE_A, ""));
	EXPECT_EQ(0, chown(FILE_A, 7, 8));
	EXPECT_EQ(0, outside("test $(stat -c %%u:%%g " SEEN
			     "/a) = 100007:100008", self->me));
	EXPECT_EQ(EINVAL, ERR(chown(FILE_A, 65536, -1)));
}

/* Root of the machine has no id there, so it can leave nothing behind: EOVERFLOW. */
TEST_F(userns, who_has_no_id_makes_nothing)
{
	const char *makers[] = { "touch", "mkdir", "mkfifo", "ln -s x" };
	size_t i;

	ASSERT_EQ(0, mount_at(MNT, "mode=0777"));
	for (i = 0; i < ARRAY_SIZE(makers); i++)
		EXPECT_EQ(0, outside("LC_ALL=C %s " SEEN "/new 2>&1 | grep -q 'Value too large'",
				     makers[i], self->me)) {
			TH_LOG("%s", makers[i]);
		}
	EXPECT_EQ(0, count_names(MNT));
	/* What there is, it may change. */
	ASSERT_EQ(0, put_text(FILE_A, "x"));
	EXPECT_EQ(0, outside("echo y >>" SEEN "/a", self->me));
	EXPECT_EQ(0, outside("chmod 600 " SEEN "/a", self->me));
	EXPECT_EQ(0, text_is(FILE_A, "xy\n"));
}

static int make_socket(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), err;

	strcpy(name.sun_path, path);
	err = ERR(bind(fd, (void *)&name, sizeof(name)));
	close(fd);
	return err;
}

TEST_F(userns, devices_are_refused)
{
	ASSERT_EQ(0, mount_at(MNT, NULL));
	EXPECT_EQ(EPERM, ERR(mknod(FILE_A, S_IFCHR | 0666, makedev(1, 3))));
	EXPECT_EQ(EPERM, ERR(mknod(FILE_A, S_IFBLK | 0666, makedev(7, 0))));
	EXPECT_EQ(ENOENT, stat_err(FILE_A));
	EXPECT_EQ(0, mkfifo(MNT "/fifo", 0644));
	EXPECT_EQ(0, make_socket(MNT "/socket"));
	/* A whiteout is no device. */
	EXPECT_EQ(0, mknod(MNT "/white", S_IFCHR, 0));
	ASSERT_EQ(0, put_text(FILE_A, ""));
	EXPECT_EQ(0, ERR(renameat2(AT_FDCWD, FILE_A, AT_FDCWD, MNT "/b",
				   RENAME_WHITEOUT)));
	EXPECT_EQ(S_IFCHR, mode_of(FILE_A) & S_IFMT);
}

TEST_F(userns, limits_hold_and_can_be_changed)
{
	struct statfs fs;

	ASSERT_EQ(0, mount_at(MNT, "size=64k,nr_inodes=4"));
	EXPECT_EQ(0, fill(FILE_A, 65536, 1));
	EXPECT_EQ(ENOSPC, put_text(MNT "/b", "x"));
	EXPECT_EQ(0, mkdir(MNT "/d", 0755));
	EXPECT_EQ(ENOSPC, ERR(mkdir(MNT "/e", 0755)));
	EXPECT_EQ(0, ERR(mount(NULL, MNT, NULL, MS_REMOUNT,
			       "size=1M,nr_inodes=5")));
	EXPECT_EQ(0, mkdir(MNT "/e", 0755));
	ASSERT_EQ(0, statfs(MNT, &fs));
	EXPECT_EQ(256, fs.f_blocks);
	EXPECT_EQ(5, fs.f_files);
}

/* Depth has no limit but memory: nothing may recurse over it. */
TEST_F(userns, a_deep_tree_is_unmounted)
{
	int depth = turns(10000), fd, next, i;

	ASSERT_EQ(0, mount_at(MNT, NULL));
	fd = open(MNT, O_PATH | O_DIRECTORY);
	for (i = 0; i < depth; i++) {
		ASSERT_EQ(0, mkdirat(fd, "d", 0755));
		next = openat(fd, "d", O_PATH | O_DIRECTORY);
		ASSERT_LE(0, next);
		close(fd);
		fd = next;
	}
	EXPECT_EQ(0, mknodat(fd, "f", S_IFREG | 0644, 0));
	close(fd);
	EXPECT_TRUE(WAIT_FOR(!umount(MNT)));
}

/* Where root of the machine is root of the namespace: devices stay dead. */
TEST(a_device_made_from_outside_cannot_be_opened)
{
	const struct id_map all = { 0, 0, 65536 };
	pid_t me = getpid();

	ASSERT_EQ(0, enter(&all));
	ASSERT_EQ(0, mount_at(MNT, NULL));
	EXPECT_EQ(EPERM, ERR(mknod(FILE_A, S_IFCHR | 0666, makedev(1, 3))));
	EXPECT_EQ(0, outside("mknod -m 666 " SEEN "/a c 1 3", me));
	EXPECT_EQ(EACCES, open_err(FILE_A, O_RDONLY));
	EXPECT_EQ(EACCES, open_err(FILE_A, O_WRONLY));
	EXPECT_NE(0, outside("cat " SEEN "/a", me));
	umount2(MNT, MNT_DETACH);
}

TEST_HARNESS_MAIN
