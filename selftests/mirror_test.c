// SPDX-License-Identifier: GPL-2.0
/* A host directory is seen through: what is in it, live, and who may. */

#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/xattr.h>

#include "lib/fixture.h"

#define USER 1000

#define D HOST "/d"
#define K MNT "/k"

/*
 *	/mnt/host/d	(mapped by the test)
 *	|-- f		"file"
 *	|-- fifo
 *	`-- sub/
 *	    |-- g	"below"
 *	    `-- deep/
 *	        `-- h	"deep"
 */
static int make_tree(void)
{
	if ((mkdir(D, 0755) && errno != EEXIST) || mkdir(D "/sub", 0755) ||
	    mkdir(D "/sub/deep", 0755) || mkfifo(D "/fifo", 0666))
		return errno;
	return put_text(D "/f", "file") ?: put_text(D "/sub/g", "below") ?:
	       put_text(D "/sub/deep/h", "deep");
}

/* The same on each kind of host file system. */
FIXTURE(host_kind)
{
};

FIXTURE_VARIANT(host_kind)
{
	const char *name;
};

FIXTURE_VARIANT_ADD(host_kind, tmpfs) { .name = "tmpfs" };
FIXTURE_VARIANT_ADD(host_kind, ext4) { .name = "ext4" };
FIXTURE_VARIANT_ADD(host_kind, overlay) { .name = "overlay" };
FIXTURE_VARIANT_ADD(host_kind, xfs) { .name = "xfs" };
FIXTURE_VARIANT_ADD(host_kind, btrfs) { .name = "btrfs" };

FIXTURE_SETUP(host_kind)
{
	ASSERT_EQ(0, setup_mount(NULL));
	if (!has_kind(variant->name))
		SKIP(return, "no %s here", variant->name);
	ASSERT_EQ(0, mount_kind(variant->name, D));
	ASSERT_EQ(0, make_tree());
	ASSERT_EQ(0, table("/k " D " subdirs"));
}

FIXTURE_TEARDOWN(host_kind)
{
	teardown_mount();
}

TEST_F(host_kind, is_seen_through)
{
	unsigned long long ino;

	EXPECT_EQ(0, text_is(K "/f", "file"));
	EXPECT_EQ(0, text_is(K "/sub/deep/h", "deep"));
	EXPECT_EQ(1, listed(K, "f"));
	EXPECT_EQ(1, listed(K, "sub"));
	EXPECT_EQ(0, listed(K, "fifo"));
	EXPECT_EQ(1, listed(K, "."));
	EXPECT_EQ(1, listed(K, ".."));
	EXPECT_EQ(2, count_names(K "/sub"));

	/* What comes and goes there is seen here. */
	ASSERT_EQ(0, put_text(D "/sub/new", "new"));
	EXPECT_EQ(0, text_is(K "/sub/new", "new"));
	EXPECT_EQ(1, listed(K "/sub", "new"));
	ASSERT_EQ(0, rename(D "/sub/new", D "/sub/newer"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/new"));
	EXPECT_EQ(0, text_is(K "/sub/newer", "new"));
	ASSERT_EQ(0, put_text(D "/other", "other"));
	ASSERT_EQ(0, rename(D "/other", D "/sub/newer"));
	EXPECT_EQ(0, text_is(K "/sub/newer", "other"));
	ASSERT_EQ(0, unlink(D "/sub/newer"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/newer"));
	EXPECT_EQ(0, listed(K "/sub", "newer"));

	/* What is written here is written there. */
	ASSERT_EQ(0, put_text(K "/sub/g", "written"));
	EXPECT_EQ(0, text_is(D "/sub/g", "written"));
	ASSERT_EQ(0, truncate(K "/sub/g", 3));
	EXPECT_EQ(0, text_is(D "/sub/g", "wri"));
	EXPECT_EQ(3, size_of(K "/sub/g"));

	/* Numbers are the same after all that was remembered is dropped. */
	ino = ino_of(K "/sub/deep/h");
	ASSERT_EQ(0, put_text("/proc/sys/vm/drop_caches", "2"));
	EXPECT_EQ(ino, ino_of(K "/sub/deep/h"));
	EXPECT_EQ(0, text_is(K "/sub/deep/h", "deep"));
}

/* Every name exactly once, whatever is done between the calls. */
TEST_F(host_kind, is_listed_once_from_any_position)
{
	enum { MOST = 1200, STEP = 97 };
	const int files = is_sanitized() ? 400 : MOST;
	static long at[MOST + 64];
	static char names[MOST + 64][16];
	struct dirent *entry;
	char name[64];
	int i, n = 0;
	DIR *dir;

	for (i = 0; i < files; i++) {
		snprintf(name, sizeof(name), D "/sub/n%d", i);
		ASSERT_EQ(0, close(open(name, O_WRONLY | O_CREAT, 0644)));
	}
	EXPECT_EQ(files + 2, count_names(K "/sub"));
	EXPECT_EQ(0, run("test $(ls -f " K "/sub | sort -u | wc -l) = %d",
			 files + 4));

	dir = opendir(K "/sub");
	ASSERT_NE(NULL, dir);
	for (;;) {
		ASSERT_GT(files + 64, n);
		at[n] = telldir(dir);
		entry = readdir(dir);
		if (!entry)
			break;
		snprintf(names[n++], 16, "%.15s", entry->d_name);
	}
	EXPECT_EQ(files + 4, n);
	for (i = n - 1; i >= 0; i -= STEP) {
		seekdir(dir, at[i]);
		entry = readdir(dir);
		ASSERT_NE(NULL, entry);
		EXPECT_STREQ(names[i], entry->d_name);
	}
	rewinddir(dir);
	for (i = 0; readdir(dir); i++)
		;
	EXPECT_EQ(n, i);
	closedir(dir);
}

/* Whoever has it open does; all that was looked at does not. */
TEST_F(host_kind, is_not_held_while_idle)
{
	int fd;

	EXPECT_EQ(0, run("ls -lR " K "; cat " K "/f"));
	fd = open(K "/f", O_RDONLY);
	EXPECT_EQ(EBUSY, ERR(umount(D)));
	close(fd);
	fd = open(K, O_RDONLY | O_DIRECTORY);
	EXPECT_EQ(EBUSY, ERR(umount(D)));
	close(fd);
	EXPECT_TRUE(WAIT_FOR(!umount(D)));
	EXPECT_EQ(ENOENT, stat_err(K "/f"));
	EXPECT_EQ(0, count_names(K));
}

TEST_F(host_kind, is_crossed_and_not_held_below)
{
	ASSERT_EQ(0, mkdir(HOST "/e", 0755));
	ASSERT_EQ(0, mkdir(HOST "/e/m", 0755));
	ASSERT_EQ(0, put_text(HOST "/e/m/under", "under"));
	ASSERT_EQ(0, table("=/k " HOST "/e subdirs"));
	EXPECT_EQ(0, text_is(K "/m/under", "under"));
	ASSERT_EQ(0, mount_kind(variant->name, HOST "/e/m"));
	ASSERT_EQ(0, put_text(HOST "/e/m/f", "in it"));
	ASSERT_EQ(0, mkdir(HOST "/e/m/d", 0755));
	ASSERT_EQ(0, put_text(HOST "/e/m/d/g", "deep in it"));
	EXPECT_EQ(ENOENT, stat_err(K "/m/under"));
	EXPECT_EQ(0, text_is(K "/m/f", "in it"));
	EXPECT_EQ(1, listed(K "/m/d", "g"));
	EXPECT_EQ(0, run("find " K " -type f | xargs cat"));
	EXPECT_TRUE(WAIT_FOR(!umount(HOST "/e/m")));
	EXPECT_EQ(0, text_is(K "/m/under", "under"));
	EXPECT_EQ(ENOENT, stat_err(K "/m/f"));
}

TEST_F(host_kind, files_are_mapped_and_run)
{
	char *map;
	int fd;

	fd = open(K "/f", O_RDWR);
	ASSERT_LE(0, fd);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, memcmp(map, "file", 4));
	map[0] = 'F';
	EXPECT_EQ(0, text_is(D "/f", "File"));
	EXPECT_EQ(EBUSY, table("-/k busy"));
	close(fd);
	EXPECT_EQ(EBUSY, table("-/k busy"));
	munmap(map, PAGE);

	ASSERT_EQ(0, run("cp /bin/true " D "/prog && chmod 755 " D "/prog"));
	EXPECT_EQ(0, run(K "/prog"));
	ASSERT_EQ(0, chmod(D "/prog", 0644));
	EXPECT_EQ(126, run(K "/prog"));
	EXPECT_TRUE(WAIT_FOR(!table("-/k busy")));
}

FIXTURE(mirror)
{
};

FIXTURE_SETUP(mirror)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_tree());
}

FIXTURE_TEARDOWN(mirror)
{
	teardown_mount();
}

TEST_F(mirror, dir_is_one_level_and_subdirs_the_tree)
{
	ASSERT_EQ(0, table("/k " D " dir\n/s " D " subdirs"));
	EXPECT_EQ(0, rows_are("/k " D " dir rw\n/s " D " subdirs rw\n"));
	EXPECT_EQ(1, count_names(K));
	EXPECT_EQ(0, text_is(K "/f", "file"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/g"));
	EXPECT_EQ(ENOENT, stat_err(K "/fifo"));
	EXPECT_EQ(2, count_names(MNT "/s"));
	EXPECT_EQ(0, text_is(MNT "/s/sub/g", "below"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/s/fifo"));
	EXPECT_EQ(4, nlink_of(MNT));
	EXPECT_EQ(1, listed(MNT, "k"));
}

TEST_F(mirror, nothing_is_made_removed_or_changed)
{
	ASSERT_EQ(0, put_text(MNT "/mine", "mine"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(EOPNOTSUPP, open_err(K "/new", O_WRONLY | O_CREAT));
	EXPECT_EQ(EOPNOTSUPP, ERR(mkdir(K "/new", 0755)));
	EXPECT_EQ(EOPNOTSUPP, ERR(mkfifo(K "/new", 0644)));
	EXPECT_EQ(EOPNOTSUPP, ERR(symlink("x", K "/new")));
	EXPECT_EQ(EOPNOTSUPP, open_err(K, O_WRONLY | O_TMPFILE));
	EXPECT_EQ(EOPNOTSUPP, ERR(link(K "/f", K "/new")));
	EXPECT_EQ(EOPNOTSUPP, ERR(link(K "/f", MNT "/new")));
	EXPECT_EQ(EOPNOTSUPP, ERR(link(MNT "/mine", K "/new")));
	EXPECT_EQ(EOPNOTSUPP, ERR(unlink(K "/f")));
	EXPECT_EQ(EOPNOTSUPP, ERR(rmdir(K "/sub")));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(K "/f", K "/new")));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(K "/f", K "/sub/g")));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(K "/f", MNT "/new")));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(MNT "/mine", K "/new")));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(MNT "/mine", K "/f")));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(MNT "/mine", K "/sub/g")));
	EXPECT_EQ(EOPNOTSUPP, ERR(renameat2(AT_FDCWD, MNT "/mine", AT_FDCWD,
					    K "/f", RENAME_EXCHANGE)));
	EXPECT_EQ(EOPNOTSUPP, ERR(chmod(K "/f", 0600)));
	EXPECT_EQ(EOPNOTSUPP, ERR(chmod(K "/sub", 0700)));
	EXPECT_EQ(EOPNOTSUPP, ERR(chmod(K, 0700)));
	EXPECT_EQ(EOPNOTSUPP, ERR(chown(K "/f", 1, 1)));
	EXPECT_EQ(EOPNOTSUPP, ERR(utimensat(AT_FDCWD, K "/f", NULL, 0)));
	EXPECT_EQ(EOPNOTSUPP, ERR(setxattr(K "/f", "user.x", "y", 1, 0)));
	EXPECT_EQ(EOPNOTSUPP, ERR(removexattr(K "/f", "trusted.x")));

	/* The key itself, too. */
	EXPECT_EQ(EOPNOTSUPP, ERR(rmdir(K)));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(K, MNT "/new")));
	EXPECT_EQ(EINVAL, ERR(rename(K, K "/sub/new")));

	EXPECT_EQ(0, text_is(MNT "/mine", "mine"));
	EXPECT_EQ(0, text_is(D "/f", "file"));
	EXPECT_EQ(3, count_names(D));
	EXPECT_EQ(EEXIST, open_err(K "/f", O_WRONLY | O_CREAT | O_EXCL));
	EXPECT_EQ(EEXIST, ERR(mkdir(K "/sub", 0755)));
	EXPECT_EQ(0, open_err(K "/f", O_WRONLY | O_CREAT));
}

TEST_F(mirror, attributes_are_the_hosts)
{
	struct timespec times[2] = { { 1000, 5 }, { 2000, 6 } };
	struct stat host, st;

	ASSERT_EQ(0, table("/k " D " subdirs"));
	ASSERT_EQ(0, chown(D "/f", 7, 8));
	ASSERT_EQ(0, chmod(D "/f", 0640));
	ASSERT_EQ(0, link(D "/f", D "/hard"));
	ASSERT_EQ(0, utimensat(AT_FDCWD, D "/f", times, 0));
	ASSERT_EQ(0, stat(D "/f", &host));
	ASSERT_EQ(0, stat(K "/f", &st));
	EXPECT_EQ(S_IFREG | 0640, st.st_mode);
	EXPECT_EQ(7, st.st_uid);
	EXPECT_EQ(8, st.st_gid);
	EXPECT_EQ(2, st.st_nlink);
	EXPECT_EQ(4, st.st_size);
	EXPECT_EQ(host.st_blocks, st.st_blocks);
	EXPECT_EQ(2000, st.st_mtim.tv_sec);
	EXPECT_EQ(6, st.st_mtim.tv_nsec);
	EXPECT_EQ(1000, st.st_atim.tv_sec);
	EXPECT_EQ(host.st_ctim.tv_nsec, st.st_ctim.tv_nsec);
	EXPECT_EQ(ino_of(K "/f"), ino_of(K "/hard"));
	EXPECT_NE(ino_of(K "/f"), ino_of(K "/sub/g"));
	EXPECT_EQ(st.st_dev, (stat(MNT, &host), host.st_dev));

	ASSERT_EQ(0, chmod(D "/sub", 0711));
	EXPECT_EQ(S_IFDIR | 0711, mode_of(K "/sub"));
	ASSERT_EQ(0, chmod(D, 0751));
	EXPECT_EQ(S_IFDIR | 0751, mode_of(K));
}

/* Of two hosts: numbers are unique within the mount. */
TEST_F(mirror, numbers_of_two_hosts_differ)
{
	ASSERT_EQ(0, mount("none", D "/sub/deep", "tmpfs", 0, NULL));
	ASSERT_EQ(0, put_text(D "/sub/deep/a", "a"));
	ASSERT_EQ(0, mkdir(HOST "/e", 0755));
	ASSERT_EQ(0, mount("none", HOST "/e", "tmpfs", 0, NULL));
	ASSERT_EQ(0, put_text(HOST "/e/a", "a"));
	ASSERT_EQ(ino_of(D "/sub/deep/a"), ino_of(HOST "/e/a"));
	ASSERT_EQ(0, table("/k " D " subdirs\n/e " HOST "/e dir"));
	EXPECT_NE(ino_of(K "/sub/deep/a"), ino_of(MNT "/e/a"));
	EXPECT_NE(0, ino_of(MNT "/e/a"));
	EXPECT_EQ(0, run("test -z \"$(find " MNT " -printf '%%i\\n' | sort | uniq -d)\""));
}

TEST_F(mirror, the_key_has_a_mode_and_ids_of_its_own)
{
	struct stat st;

	ASSERT_EQ(0, table("/k " D " subdirs mode=700,uid=1000,gid=5"));
	ASSERT_EQ(0, stat(K, &st));
	EXPECT_EQ(S_IFDIR | 0700, st.st_mode);
	EXPECT_EQ(1000, st.st_uid);
	EXPECT_EQ(5, st.st_gid);
	EXPECT_EQ(S_IFDIR | 0755, mode_of(K "/sub"));
	EXPECT_EQ(S_IFREG | 0644, mode_of(K "/f"));
	EXPECT_EQ(0, AS_USER(USER, text_is(K "/f", "file")));
	EXPECT_EQ(EACCES, AS_USER(1001, text_is(K "/f", "file")));
	EXPECT_EQ(S_IFDIR | 0755, mode_of(D));
}

TEST_F(mirror, who_may_is_asked_of_what_the_host_says_now)
{
	/* Nobody but root comes this way on the host. */
	ASSERT_EQ(0, mkdir(HOST "/closed", 0700));
	ASSERT_EQ(0, rename(D, HOST "/closed/d"));
#define C HOST "/closed/d"
	ASSERT_EQ(0, table("/k " C " subdirs"));
	EXPECT_EQ(0, AS_USER(USER, text_is(K "/sub/g", "below")));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(K "/f", O_WRONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, ERR(truncate(K "/f", 0))));
	ASSERT_EQ(0, chmod(C "/f", 0666));
	EXPECT_EQ(0, AS_USER(USER, put_text(K "/f", "theirs")));
	EXPECT_EQ(0, text_is(C "/f", "theirs"));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(K "/new", O_WRONLY | O_CREAT)));

	ASSERT_EQ(0, chmod(C "/sub", 0700));
	EXPECT_EQ(EACCES, AS_USER(USER, text_is(K "/sub/g", "below")));
	EXPECT_EQ(EACCES, AS_USER(USER, -count_names(K "/sub")));
	ASSERT_EQ(0, chmod(C "/sub", 0711));
	EXPECT_EQ(0, AS_USER(USER, text_is(K "/sub/g", "below")));
	EXPECT_EQ(EACCES, AS_USER(USER, -count_names(K "/sub")));
	ASSERT_EQ(0, chmod(C, 0700));
	EXPECT_EQ(EACCES, AS_USER(USER, text_is(K "/f", "theirs")));
	ASSERT_EQ(0, chown(C, USER, 0));
	EXPECT_EQ(0, AS_USER(USER, text_is(K "/f", "theirs")));
#undef C
}

/* A list that refuses more than the mode tells is kept. */
TEST_F(mirror, lists_of_the_host_are_kept)
{
	ASSERT_EQ(0, chown(D "/f", 0, USER));
	ASSERT_EQ(0, chown(D "/sub", 0, USER));
	if (run("setfacl -m u::rw,g::-,u:1001:rw,o::- " D "/f && "
		"setfacl -m u::rwx,g::-,u:1001:rx,o::- " D "/sub"))
		SKIP(return, "setfacl is not there");
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(S_IFREG | 0660, mode_of(K "/f"));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(D "/f", O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(K "/f", O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, ERR(truncate(K "/f", 0))));
	EXPECT_EQ(EACCES, AS_USER(USER, text_is(K "/sub/g", "below")));
	EXPECT_EQ(EACCES, AS_USER(USER, -count_names(K "/sub")));
	EXPECT_EQ(0, text_is(K "/f", "file"));
}

/* From inside, too: rights that were taken are gone. */
TEST_F(mirror, a_working_directory_is_asked_again)
{
	ASSERT_EQ(0, table("/k " D " subdirs"));
	ASSERT_EQ(0, chdir(K "/sub"));
	EXPECT_EQ(0, AS_USER(USER, text_is("g", "below")));
	ASSERT_EQ(0, chmod(D "/sub", 0700));
	EXPECT_EQ(EACCES, AS_USER(USER, text_is("g", "below")));
	ASSERT_EQ(0, chdir("/"));
}

TEST_F(mirror, ro_is_never_written)
{
	ASSERT_EQ(0, table("/k " D " subdirs ro"));
	EXPECT_EQ(0, row_has("/k", "ro") ? 0 : 1);
	EXPECT_EQ(0, text_is(K "/f", "file"));
	EXPECT_EQ(EROFS, open_err(K "/f", O_WRONLY));
	EXPECT_EQ(EROFS, open_err(K "/f", O_RDWR));
	EXPECT_EQ(EROFS, open_err(K "/sub/g", O_RDONLY | O_TRUNC));
	EXPECT_EQ(EROFS, ERR(truncate(K "/f", 1)));
	EXPECT_EQ(EROFS, ERR(access(K "/f", W_OK)));
	EXPECT_EQ(0, text_is(D "/sub/g", "below"));
}

TEST_F(mirror, a_setuid_file_or_a_program_of_a_closed_mount_is_not_run)
{
	int fd;

	ASSERT_EQ(0, run("cp /bin/true " D "/prog && chmod 4755 " D "/prog"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(S_IFREG | 04755, mode_of(K "/prog"));
	EXPECT_EQ(0, run(K "/prog"));
	ASSERT_EQ(0, mount(D, D, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount(NULL, D, NULL, MS_BIND | MS_REMOUNT | MS_NOSUID |
			   MS_NOEXEC, NULL));
	EXPECT_EQ(S_IFREG | 0755, mode_of(K "/prog"));
	EXPECT_EQ(126, run(K "/prog"));
	fd = open(K "/prog", O_RDONLY);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_EXEC,
				   MAP_PRIVATE, fd, 0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_NE(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	close(fd);
}

/* The ways to cut a file to a size it may have already. */
static int cut_by(int how, const char *path, off_t size)
{
	int fd, err;

	if (how == 0)
		return ERR(truncate(path, size));
	fd = open(path, how == 1 ? O_WRONLY : O_WRONLY | O_TRUNC);
	if (fd < 0)
		return errno;
	err = how == 1 ? ERR(ftruncate(fd, size)) : 0;
	close(fd);
	return err;
}

static int capability_err(const char *path)
{
	return ERR(getxattr(path, "security.capability", NULL, 0));
}

/* As on the host, whoever cuts it. */
TEST_F(mirror, a_file_that_is_cut_loses_its_capabilities)
{
	/* Revision 2: CAP_CHOWN may be had. */
	const __u32 cap[5] = { 0x02000000, 1 };
	const char *path[] = { D "/f", K "/f", MNT "/r" };
	int i, how;

	ASSERT_EQ(0, table("/k " D " subdirs\n/r " D "/f reg"));
	for (i = 0; i < 3; i++) {
		for (how = 0; how < 3; how++) {
			ASSERT_EQ(0, put_text(D "/f", "file"));
			ASSERT_EQ(0, setxattr(D "/f", "security.capability",
					      cap, sizeof(cap), 0));
			EXPECT_EQ(0, cut_by(how, path[i], 2));
			EXPECT_EQ(ENODATA, capability_err(D "/f")) {
				TH_LOG("%s by %d", path[i], how);
			}
			EXPECT_EQ(how == 2 ? 0 : 2, size_of(D "/f"));
		}
	}
}

TEST_F(mirror, a_file_that_is_cut_loses_bits_of_others)
{
	const char *path[] = { D "/f", K "/f", MNT "/r" };
	int i, how;

	ASSERT_EQ(0, table("/k " D " subdirs\n/r " D "/f reg"));
	for (i = 0; i < 3; i++) {
		for (how = 0; how < 3; how++) {
			ASSERT_EQ(0, chmod(D "/f", 06777));
			EXPECT_EQ(0, AS_USER(USER, cut_by(how, path[i], 2)));
			EXPECT_EQ(S_IFREG | 0777, mode_of(D "/f"));
			ASSERT_EQ(0, chmod(D "/f", 06777));
			EXPECT_EQ(0, cut_by(how, path[i], 1));
			EXPECT_EQ(S_IFREG | 06777, mode_of(D "/f"));
		}
	}
}

/* Did it move the time of the last change? */
static int cut_moves(int how, const char *path)
{
	struct timespec times[2] = { { 1000, 5 }, { 2000, 6 } };
	struct stat st;
	int err;

	err = put_text(D "/f", how == 2 ? "" : "file") ?:
	      ERR(utimensat(AT_FDCWD, D "/f", times, 0)) ?:
	      cut_by(how, path, 4) ?: ERR(stat(D "/f", &st));
	return err ? -err : st.st_mtim.tv_sec != 2000;
}

TEST_F(mirror, times_move_as_on_the_host_if_the_size_stays)
{
	int how;

	ASSERT_EQ(0, table("/k " D " subdirs\n/r " D "/f reg"));
	for (how = 0; how < 3; how++) {
		int host = cut_moves(how, D "/f");

		EXPECT_LE(0, host);
		/* Of truncate(2) it is the host's to say. */
		if (how)
			EXPECT_EQ(1, host);
		EXPECT_EQ(host, cut_moves(how, K "/f"));
		EXPECT_EQ(host, cut_moves(how, MNT "/r"));
	}
}

TEST_F(mirror, attributes_of_the_host_can_be_read)
{
	char text[64];

	ASSERT_EQ(0, setxattr(D "/f", "trusted.x", "yes", 3, 0));
	ASSERT_EQ(0, setxattr(D "/sub", "trusted.y", "dir", 3, 0));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(3, getxattr(K "/f", "trusted.x", text, sizeof(text)));
	EXPECT_EQ(0, memcmp(text, "yes", 3));
	EXPECT_EQ(3, getxattr(K "/sub", "trusted.y", text, sizeof(text)));
	EXPECT_EQ(ENODATA, ERR(getxattr(K "/f", "trusted.z", NULL, 0)));
	EXPECT_EQ(10, listxattr(K "/f", text, sizeof(text)));
	EXPECT_EQ(0, memcmp(text, "trusted.x", 10));
	EXPECT_EQ(0, AS_USER(USER, listxattr(K "/f", NULL, 0)));
}

TEST_F(mirror, open_files_and_directories_outlive_their_names)
{
	struct stat st;
	char text[8];
	int fd, dir;

	ASSERT_EQ(0, table("/k " D " subdirs"));
	fd = open(K "/f", O_RDWR);
	dir = open(K "/sub", O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, dir);
	ASSERT_EQ(0, unlink(D "/f"));
	EXPECT_EQ(4, pread(fd, text, 8, 0));
	EXPECT_EQ(6, pwrite(fd, "longer", 6, 0));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(6, st.st_size);
	EXPECT_EQ(0, st.st_nlink);
	EXPECT_EQ(0, ftruncate(fd, 2));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(2, st.st_size);

	/* Removed from the table, lazily. */
	ASSERT_EQ(0, fchdir(dir));
	ASSERT_EQ(EBUSY, table("-/k busy"));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(ENOENT, stat_err(K));
	EXPECT_EQ(0, listed(MNT, "k"));
	EXPECT_EQ(2, pread(fd, text, 8, 0));
	EXPECT_EQ(0, text_is("g", "below"));
	EXPECT_EQ(0, text_is("deep/h", "deep"));
	close(fd);
	close(dir);
	ASSERT_EQ(0, chdir("/"));
}

/* Who is inside, by no more than a name, looks at the host no longer. */
TEST_F(mirror, a_revoked_one_is_not_looked_into)
{
	const char *how[] = { "revoke", "busy" };
	int i, top, file, fd;
	struct stat st;

	ASSERT_EQ(0, setxattr(D "/f", "trusted.x", "yes", 3, 0));
	ASSERT_EQ(0, setxattr(D "/sub", "trusted.x", "yes", 3, 0));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, table("/k " D " subdirs\n/other " D " dir"));
		top = open(K, O_PATH);
		file = open(K "/f", O_PATH);
		ASSERT_EQ(0, ERR(chdir(K "/sub")));
		EXPECT_EQ(0, text_is("g", "below"));
		EXPECT_EQ(3, getxattr(".", "trusted.x", NULL, 0));
		ASSERT_EQ(0, chmod(D "/f", 0644));
		ASSERT_EQ(0, fstat(file, &st));
		EXPECT_EQ(S_IFREG | 0644, st.st_mode);

		/* One that is refused ends nothing. */
		fd = open(MNT "/other/f", O_RDONLY);
		EXPECT_EQ(EBUSY, table("-/k busy\n-/other busy"));
		close(fd);
		EXPECT_EQ(0, text_is("g", "below"));

		ASSERT_EQ(0, table("-/k %s\n-/other", how[i]));
		EXPECT_EQ(ESTALE, stat_err("g"));
		EXPECT_EQ(ESTALE, stat_err("none"));
		EXPECT_EQ(ESTALE, open_err("g", O_RDONLY));
		EXPECT_EQ(ESTALE, open_err(".", O_RDONLY));
		EXPECT_EQ(ESTALE, ERR(getxattr(".", "trusted.x", NULL, 0)));
		EXPECT_EQ(ESTALE, ERR(listxattr(".", NULL, 0)));
		EXPECT_EQ(ESTALE, ERR(fstatat(top, "f", &st, 0)));
		EXPECT_EQ(ESTALE, ERR(fstatat(top, "none", &st, 0)));
		/* What is remembered is told. */
		ASSERT_EQ(0, chmod(D "/f", 0600));
		EXPECT_EQ(0, fstat(file, &st));
		EXPECT_EQ(S_IFREG | 0644, st.st_mode);
		EXPECT_EQ(0, st.st_nlink);
		close(top);
		close(file);
		ASSERT_EQ(0, chdir("/"));
	}
}

TEST_F(mirror, busy_counts_what_is_open_mapped_or_mounted_below)
{
	int fd;

	ASSERT_EQ(0, table("/k " D " subdirs"));
	fd = open(K "/sub/g", O_RDONLY);
	EXPECT_EQ(EBUSY, table("-/k busy"));
	EXPECT_TRUE(last_error_has("in use"));
	close(fd);
	fd = open(K "/sub/deep", O_RDONLY | O_DIRECTORY);
	EXPECT_EQ(EBUSY, table("-/k busy"));
	close(fd);
	ASSERT_EQ(0, mount("none", K "/sub/deep", "tmpfs", 0, NULL));
	EXPECT_EQ(EBUSY, table("-/k busy"));
	EXPECT_EQ(0, umount(K "/sub/deep"));
	ASSERT_EQ(0, mount("none", K, "tmpfs", 0, NULL));
	EXPECT_EQ(EBUSY, table("-/k busy"));
	EXPECT_EQ(0, umount(K));

	/* A key below one is busy for itself. */
	ASSERT_EQ(0, table("/k/key " D "/f reg"));
	ASSERT_EQ(0, put_text(HOST "/x", "x"));
	ASSERT_EQ(0, stat_err(K "/key"));
	ASSERT_EQ(0, mount(HOST "/x", K "/key", NULL, MS_BIND, NULL));
	EXPECT_EQ(EBUSY, table("-/k/key busy"));
	EXPECT_EQ(0, umount(K "/key"));
	EXPECT_EQ(0, table("-/k/key busy"));

	/* Working directories and path handles do not count. */
	fd = open(K "/f", O_PATH);
	ASSERT_EQ(0, chdir(K "/sub"));
	EXPECT_TRUE(WAIT_FOR(!table("-/k busy")));
	EXPECT_EQ(ESTALE, stat_err("g"));
	EXPECT_EQ(ESTALE, open_err("g", O_RDONLY));
	ASSERT_EQ(0, chdir("/"));
	close(fd);
}

/* What is mounted on a name is gone together with it. */
TEST_F(mirror, lazy_removal_takes_mounts_below_along)
{
	ASSERT_EQ(0, table("/k " D " subdirs"));
	ASSERT_EQ(0, mount("none", K "/sub/deep", "tmpfs", 0, NULL));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(ENOENT, stat_err(K));
	EXPECT_EQ(0, run("! grep -q ' " K "' /proc/self/mounts"));
}

TEST_F(mirror, replacing_leaves_who_is_inside)
{
	int fd;

	ASSERT_EQ(0, mkdir(HOST "/e", 0755));
	ASSERT_EQ(0, put_text(HOST "/e/f", "another"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	fd = open(K "/f", O_RDONLY);
	ASSERT_EQ(0, chdir(K "/sub"));
	ASSERT_EQ(0, table("=/k " HOST "/e dir"));
	EXPECT_EQ(0, text_is(K "/f", "another"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub"));
	EXPECT_EQ(0, text_is("g", "below"));
	EXPECT_EQ(4, lseek(fd, 0, SEEK_END));
	close(fd);
	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, table("=/k " D "/f reg"));
	EXPECT_EQ(0, text_is(K, "file"));
}

TEST_F(mirror, locks_are_local_and_watches_see_what_passes)
{
	struct inotify_event event;
	char buf[512];
	int watch = inotify_init1(IN_NONBLOCK), a, b;

	ASSERT_EQ(0, link(D "/f", D "/hard"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	a = open(K "/f", O_RDWR);
	b = open(K "/hard", O_RDWR);
	ASSERT_EQ(0, flock(a, LOCK_EX));
	EXPECT_EQ(EWOULDBLOCK, ERR(flock(b, LOCK_EX | LOCK_NB)));
	close(b);
	b = open(D "/f", O_RDWR);
	EXPECT_EQ(0, ERR(flock(b, LOCK_EX | LOCK_NB)));
	close(a);
	close(b);

	/* Also when all that was idle has been dropped. */
	ASSERT_LE(0, inotify_add_watch(watch, K "/sub", IN_MODIFY));
	ASSERT_EQ(0, put_text("/proc/sys/vm/drop_caches", "2"));
	ASSERT_EQ(0, put_text(K "/sub/g", "seen"));
	ASSERT_LT(0, read(watch, buf, sizeof(buf)));
	memcpy(&event, buf, sizeof(event));
	EXPECT_EQ(IN_MODIFY, event.mask);
	close(watch);
}

/* Refusals at registration */

FIXTURE(bad_dir)
{
};

FIXTURE_VARIANT(bad_dir)
{
	const char *host;
	const char *options;
	int expected_errno;
};

#define BAD_DIR(name, path, words, errno_)				\
	FIXTURE_VARIANT_ADD(bad_dir, name) {				\
		.host = path, .options = words, .expected_errno = errno_ }

BAD_DIR(file, D "/f", "", ENOTDIR);
BAD_DIR(fifo, D "/fifo", "", ENOTDIR);
BAD_DIR(file_with_slash, D "/f/", "", ENOTDIR);
BAD_DIR(below_a_file, D "/f/x", "", ENOTDIR);
BAD_DIR(nothing, D "/none", "", ENOENT);
BAD_DIR(loop, HOST "/loop", "", ELOOP);
BAD_DIR(rumpfs, MNT, "", ELOOP);
BAD_DIR(deep_overlay, HOST "/o2", "", ELOOP);
BAD_DIR(read_only_mount, HOST "/ro", "", EROFS);
BAD_DIR(open_file, "/proc/self/fd/3", "", ENOTDIR);
BAD_DIR(below_an_open_file, "/proc/self/fd/3/x", "", ENOTDIR);
BAD_DIR(offset, D, "offset=1", EISDIR);
BAD_DIR(size, D, "size=4096", EISDIR);
BAD_DIR(bs, D, "bs=512", EINVAL);
BAD_DIR(good, D, "", 0);
BAD_DIR(good_link, HOST "/link", "", 0);
BAD_DIR(good_pin, D, "pin", 0);
BAD_DIR(open_directory, "/proc/self/fd/0", "", 0);
BAD_DIR(below_an_open_directory, "/proc/self/fd/0/sub", "", 0);
BAD_DIR(read_only, HOST "/ro", "ro", 0);
BAD_DIR(overlay, HOST "/o1", "", 0);

static int make_overlays(void)
{
	return run("cd " HOST " && mkdir l1 l2 u1 w1 u2 w2 o1 o2 && "
		   "mount -t overlay o -o lowerdir=l1,upperdir=u1,workdir=w1 o1 && "
		   "mount -t overlay o -o lowerdir=o1,upperdir=u2,workdir=w2 o2");
}

FIXTURE_SETUP(bad_dir)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_tree());
	ASSERT_EQ(0, symlink("loop", HOST "/loop"));
	ASSERT_EQ(0, symlink("d", HOST "/link"));
	ASSERT_EQ(0, mkdir(HOST "/ro", 0755));
	ASSERT_EQ(0, mount("none", HOST "/ro", "tmpfs", MS_RDONLY, NULL));
	ASSERT_EQ(0, make_overlays());
}

FIXTURE_TEARDOWN(bad_dir)
{
	teardown_mount();
}

TEST_F(bad_dir, is_refused)
{
	int fd = open(D, O_RDONLY | O_DIRECTORY);

	ASSERT_EQ(0, dup2(fd, 0));
	ASSERT_EQ(3, dup2(open(D "/f", O_RDONLY), 3));
	EXPECT_EQ(variant->expected_errno,
		  table("/k %s dir %s", variant->host,
			*variant->options ? variant->options : "-"));
	EXPECT_EQ(variant->expected_errno,
		  table("/s %s subdirs %s", variant->host,
			*variant->options ? variant->options : "-"));
	EXPECT_EQ(variant->expected_errno ? ENOENT : 0, stat_err(K));
	if (variant->expected_errno)
		EXPECT_EQ(0, rows_are(""));
}

TEST_HARNESS_MAIN
