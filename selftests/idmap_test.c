// SPDX-License-Identifier: GPL-2.0
/*
 * Through an idmapped mount every id is another.
 *
 *	/mnt/rump	ids as the file system has them:     0 ..  9999
 *	/mnt/rump2	the same tree, its ids mapped to 10000 .. 19999
 */

#include "lib/userns.h"

#define PLAIN MNT
#define MAPPED MNT2
#define BASE 10000
#define USER 7

static const struct id_map map = { 0, BASE, 10000 };

FIXTURE(idmap)
{
};

FIXTURE_SETUP(idmap)
{
	ASSERT_EQ(0, setup_mount("mode=0777"));
	ASSERT_EQ(0, mount_idmapped(PLAIN, MAPPED, &map));
}

FIXTURE_TEARDOWN(idmap)
{
	umount2(MAPPED, MNT_DETACH);
	teardown_mount();
}

/* "uid:gid", or the errno. */
static const char *ids_of(const char *path)
{
	static char text[64];
	struct stat st;

	if (lstat(path, &st))
		return strerror(errno);
	snprintf(text, sizeof(text), "%u:%u", st.st_uid, st.st_gid);
	return text;
}

#define EXPECT_IDS(path, ids) EXPECT_STREQ(ids, ids_of(path))

/* The errno of something done as this user. */
#define AS(id, call) AS_USER(id, ERR(call))

TEST_F(idmap, ids_are_shown_mapped)
{
	ASSERT_EQ(0, put_text(PLAIN "/a", ""));
	ASSERT_EQ(0, chown(PLAIN "/a", 5, 9999));
	EXPECT_IDS(PLAIN "/a", "5:9999");
	EXPECT_IDS(MAPPED "/a", "10005:19999");
	EXPECT_IDS(MAPPED, "10000:10000");

	/* Without a mapping nobody's. */
	ASSERT_EQ(0, chown(PLAIN "/a", BASE, 20000));
	EXPECT_IDS(MAPPED "/a", "65534:65534");
}

/* Everything that makes a name, as somebody with these ids. */
static int make_all(const char *dir)
{
	char path[64], fd_path[64];
	int fd, err = 0;

	if (chdir(dir))
		return errno;
	err = err ?: put_text("file", "");
	err = err ?: ERR(mkdir("dir", 0755));
	err = err ?: ERR(mkfifo("fifo", 0644));
	err = err ?: ERR(mknod("white", S_IFCHR, 0));
	err = err ?: ERR(symlink("x", "symlink"));
	err = err ?: ERR(link("file", "link"));
	err = err ?: put_text("moved", "");
	err = err ?: ERR(renameat2(AT_FDCWD, "moved", AT_FDCWD, "there",
				   RENAME_WHITEOUT));
	if (err)
		return err;
	fd = open(".", O_TMPFILE | O_RDWR, 0644);
	if (fd < 0)
		return errno;
	snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", fd);
	snprintf(path, sizeof(path), "tmpfile");
	err = ERR(linkat(AT_FDCWD, fd_path, AT_FDCWD, path,
			 AT_SYMLINK_FOLLOW));
	close(fd);
	return err;
}

TEST_F(idmap, each_new_name_has_the_id_mapped_back)
{
	const char *names[] = { "file", "dir", "fifo", "white", "symlink",
				"link", "moved", "there", "tmpfile" };
	char path[64];
	size_t i;

	EXPECT_EQ(0, AS_USER(BASE + USER, make_all(MAPPED)));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), PLAIN "/%s", names[i]);
		EXPECT_IDS(path, "7:7") {
			TH_LOG("%s", path);
		}
		snprintf(path, sizeof(path), MAPPED "/%s", names[i]);
		EXPECT_IDS(path, "10007:10007") {
			TH_LOG("%s", path);
		}
	}
}

TEST_F(idmap, who_has_no_mapping_makes_nothing)
{
	/* Root of the machine among them. */
	EXPECT_EQ(EOVERFLOW, put_text(MAPPED "/new", ""));
	EXPECT_EQ(EOVERFLOW, ERR(mkdir(MAPPED "/new", 0755)));
	EXPECT_EQ(EOVERFLOW, ERR(mkfifo(MAPPED "/new", 0755)));
	EXPECT_EQ(EOVERFLOW, ERR(mknod(MAPPED "/new", S_IFCHR, 0)));
	EXPECT_EQ(EOVERFLOW, ERR(symlink("x", MAPPED "/new")));
	EXPECT_EQ(EOVERFLOW, open_err(MAPPED, O_TMPFILE | O_RDWR));
	ASSERT_EQ(0, put_text(PLAIN "/a", ""));
	EXPECT_EQ(EOVERFLOW, ERR(renameat2(AT_FDCWD, MAPPED "/a", AT_FDCWD,
					   MAPPED "/new", RENAME_WHITEOUT)));
	EXPECT_EQ(1, count_names(PLAIN));
	EXPECT_EQ(0, stat_err(PLAIN "/a"));
	EXPECT_EQ(EOVERFLOW, AS_USER(USER, put_text(MAPPED "/new", "")));
	EXPECT_EQ(EOVERFLOW, AS_USER(20000, put_text(MAPPED "/new", "")));

	/* What is there can be written and removed, but has no new name. */
	EXPECT_EQ(0, put_text(MAPPED "/a", "x"));
	EXPECT_EQ(EOVERFLOW, ERR(rename(MAPPED "/a", MAPPED "/b")));
	EXPECT_EQ(EOVERFLOW, ERR(link(MAPPED "/a", MAPPED "/b")));
	EXPECT_EQ(0, unlink(MAPPED "/a"));
}

TEST_F(idmap, chown_maps_back)
{
	ASSERT_EQ(0, put_text(PLAIN "/a", ""));
	EXPECT_EQ(0, chown(MAPPED "/a", BASE + 9, BASE + 8));
	EXPECT_IDS(PLAIN "/a", "9:8");
	EXPECT_IDS(MAPPED "/a", "10009:10008");
	EXPECT_EQ(EOVERFLOW, ERR(chown(MAPPED "/a", 5, -1)));
	EXPECT_EQ(EOVERFLOW, ERR(chown(MAPPED "/a", -1, 20000)));
	EXPECT_IDS(PLAIN "/a", "9:8");

	/* The owner may give it to a group that is the owner's, no other. */
	EXPECT_EQ(0, AS(BASE + 9, chown(MAPPED "/a", -1, BASE + 9)));
	EXPECT_IDS(PLAIN "/a", "9:9");
	EXPECT_EQ(EPERM, AS(BASE + 9, chown(MAPPED "/a", -1, BASE + 8)));
	EXPECT_EQ(EPERM, AS(9, chown(MAPPED "/a", -1, BASE + 8)));
	EXPECT_EQ(EPERM, AS(BASE + 9, chown(PLAIN "/a", -1, BASE + 9)));
}

TEST_F(idmap, what_has_no_mapping_cannot_be_changed)
{
	ASSERT_EQ(0, put_text(PLAIN "/a", "x"));
	ASSERT_EQ(0, chown(PLAIN "/a", 20000, 20000));
	EXPECT_EQ(EOVERFLOW, ERR(chmod(MAPPED "/a", 0600)));
	EXPECT_EQ(EACCES, ERR(utimensat(AT_FDCWD, MAPPED "/a", NULL, 0)));
	EXPECT_EQ(EACCES, open_err(MAPPED "/a", O_WRONLY));
	EXPECT_EQ(EACCES, ERR(truncate(MAPPED "/a", 0)));
	EXPECT_EQ(0, text_is(MAPPED "/a", "x"));
	/* Given to somebody who has a mapping, it can. */
	EXPECT_EQ(0, chown(MAPPED "/a", BASE, BASE));
	EXPECT_EQ(0, chmod(MAPPED "/a", 0600));
	EXPECT_EQ(S_IFREG | 0600, mode_of(PLAIN "/a"));
}

TEST_F(idmap, the_owner_is_asked_by_the_mapped_id)
{
	ASSERT_EQ(0, put_text(PLAIN "/a", "x"));
	ASSERT_EQ(0, chown(PLAIN "/a", USER, USER));
	ASSERT_EQ(0, chmod(PLAIN "/a", 0600));
	EXPECT_EQ(0, AS_USER(USER, open_err(PLAIN "/a", O_RDWR)));
	EXPECT_EQ(EACCES, AS_USER(BASE + USER, open_err(PLAIN "/a", O_RDWR)));
	EXPECT_EQ(0, AS_USER(BASE + USER, open_err(MAPPED "/a", O_RDWR)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(MAPPED "/a", O_RDWR)));

	EXPECT_EQ(EPERM, AS(USER, chmod(MAPPED "/a", 0640)));
	EXPECT_EQ(0, AS(BASE + USER, chmod(MAPPED "/a", 0640)));
	EXPECT_EQ(S_IFREG | 0640, mode_of(PLAIN "/a"));
	EXPECT_EQ(EACCES, AS(USER, truncate(MAPPED "/a", 0)));
	EXPECT_EQ(0, AS(BASE + USER, truncate(MAPPED "/a", 0)));
}

TEST_F(idmap, a_directory_asks_by_the_mapped_id)
{
	ASSERT_EQ(0, mkdir(PLAIN "/d", 0700));
	ASSERT_EQ(0, chown(PLAIN "/d", USER, USER));
	EXPECT_EQ(EACCES, AS(USER, mkdir(MAPPED "/d/x", 0755)));
	EXPECT_EQ(0, AS(BASE + USER, mkdir(MAPPED "/d/x", 0755)));
	EXPECT_EQ(EACCES, AS(USER, rmdir(MAPPED "/d/x")));
	EXPECT_EQ(0, AS(BASE + USER, rmdir(MAPPED "/d/x")));

	/* In a sticky one only the owner removes. */
	ASSERT_EQ(0, mkdir(PLAIN "/s", 01777));
	ASSERT_EQ(0, chmod(PLAIN "/s", 01777));
	ASSERT_EQ(0, put_text(PLAIN "/s/a", ""));
	ASSERT_EQ(0, chown(PLAIN "/s/a", USER, USER));
	EXPECT_EQ(EPERM, AS(USER, unlink(MAPPED "/s/a")));
	EXPECT_EQ(EPERM, AS(BASE + 8, unlink(MAPPED "/s/a")));
	EXPECT_EQ(0, AS(BASE + USER, unlink(MAPPED "/s/a")));
}

TEST_F(idmap, a_setgid_directory_hands_on_its_own_group)
{
	ASSERT_EQ(0, mkdir(PLAIN "/d", 0777));
	ASSERT_EQ(0, chown(PLAIN "/d", 0, 33));
	ASSERT_EQ(0, chmod(PLAIN "/d", 02777));
	EXPECT_EQ(0, AS_USER(BASE + USER, put_text(MAPPED "/d/a", "")));
	EXPECT_IDS(PLAIN "/d/a", "7:33");
	EXPECT_EQ(0, AS(BASE + USER, mkdir(MAPPED "/d/e", 0755)));
	EXPECT_IDS(PLAIN "/d/e", "7:33");
	EXPECT_EQ(S_IFDIR | 02755, mode_of(PLAIN "/d/e"));
	/* Who is not in that group cannot make a file of it setgid. */
	EXPECT_EQ(0, AS(BASE + USER, chmod(MAPPED "/d/a", 02755)));
	EXPECT_EQ(S_IFREG | 0755, mode_of(PLAIN "/d/a"));
}

static int append(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND), err;

	if (fd < 0)
		return errno;
	err = ERR(write(fd, "x", 1));
	close(fd);
	return err;
}

TEST_F(idmap, a_write_takes_the_setuid_bit)
{
	ASSERT_EQ(0, put_text(PLAIN "/a", "x"));
	ASSERT_EQ(0, chown(PLAIN "/a", USER, USER));
	ASSERT_EQ(0, chmod(PLAIN "/a", 06777));
	EXPECT_EQ(0, AS_USER(BASE + USER, append(MAPPED "/a")));
	EXPECT_EQ(S_IFREG | 0777, mode_of(PLAIN "/a"));
}

/* A tree of its own for what only rumpfs has. */
FIXTURE(mapped_key)
{
};

FIXTURE_SETUP(mapped_key)
{
	if (!is_rumpfs())
		SKIP(return, "tmpfs has no keys");
	ASSERT_EQ(0, setup_mount("mode=0777"));
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, chown(HOST "/f", USER, USER));
	ASSERT_EQ(0, chmod(HOST "/f", 0600));
	ASSERT_EQ(0, table("/k " HOST "/f reg\n/d/k " HOST "/f reg uid=9,gid=8,mode=0640"));
	ASSERT_EQ(0, mount_idmapped(PLAIN, MAPPED, &map));
}

FIXTURE_TEARDOWN(mapped_key)
{
	umount2(MAPPED, MNT_DETACH);
	teardown_mount();
}

TEST_F(mapped_key, ids_are_shown_mapped)
{
	EXPECT_IDS(PLAIN "/k", "7:7");
	EXPECT_IDS(MAPPED "/k", "10007:10007");
	EXPECT_IDS(MAPPED "/d/k", "10009:10008");
	EXPECT_IDS(MAPPED "/d", "10000:10000");
	ASSERT_EQ(0, chown(HOST "/f", 20000, 20000));
	EXPECT_IDS(MAPPED "/k", "65534:65534");
}

TEST_F(mapped_key, who_may_open_is_asked_by_the_mapped_id)
{
	EXPECT_EQ(0, AS_USER(USER, open_err(PLAIN "/k", O_RDWR)));
	EXPECT_EQ(EACCES, AS_USER(BASE + USER, open_err(PLAIN "/k", O_RDWR)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(MAPPED "/k", O_RDWR)));
	EXPECT_EQ(0, AS_USER(BASE + USER, open_err(MAPPED "/k", O_RDWR)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(MAPPED "/d/k", O_RDONLY)));
	EXPECT_EQ(0, AS_USER(BASE + 8, open_err(MAPPED "/d/k", O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(BASE + 8, open_err(MAPPED "/d/k", O_RDWR)));

	/* As the host file is now, not as it was remembered. */
	ASSERT_EQ(0, chown(HOST "/f", 33, 33));
	EXPECT_EQ(EACCES, AS_USER(BASE + USER, open_err(MAPPED "/k", O_RDWR)));
	EXPECT_EQ(0, AS_USER(BASE + 33, open_err(MAPPED "/k", O_RDWR)));
	EXPECT_EQ(EACCES, AS_USER(33, open_err(MAPPED "/k", O_RDWR)));
}

TEST_F(mapped_key, chown_and_chmod_map_back)
{
	EXPECT_EQ(0, chown(MAPPED "/k", BASE + 9, BASE + 8));
	EXPECT_IDS(PLAIN "/k", "9:8");
	EXPECT_IDS(MAPPED "/k", "10009:10008");
	EXPECT_IDS(HOST "/f", "7:7");
	EXPECT_EQ(EOVERFLOW, ERR(chown(MAPPED "/k", 5, -1)));
	EXPECT_EQ(EOVERFLOW, ERR(chown(MAPPED "/k", -1, 20000)));

	EXPECT_EQ(EPERM, AS(9, chmod(MAPPED "/k", 0666)));
	EXPECT_EQ(0, AS(BASE + 9, chmod(MAPPED "/k", 0666)));
	EXPECT_EQ(S_IFREG | 0666, mode_of(PLAIN "/k"));
	EXPECT_EQ(S_IFREG | 0600, mode_of(HOST "/f"));
	EXPECT_EQ(0, AS_USER(USER, open_err(MAPPED "/k", O_RDWR)));

	EXPECT_EQ(EACCES, AS(USER, utimensat(AT_FDCWD, MAPPED "/d/k", NULL, 0)));
	EXPECT_EQ(0, AS(BASE + 9, utimensat(AT_FDCWD, MAPPED "/d/k", NULL, 0)));
}

TEST_F(mapped_key, what_has_no_mapping_cannot_be_changed)
{
	ASSERT_EQ(0, chown(HOST "/f", 20000, 20000));
	EXPECT_IDS(MAPPED "/k", "65534:65534");
	EXPECT_EQ(EOVERFLOW, ERR(chmod(MAPPED "/k", 0666)));
	EXPECT_EQ(EACCES, open_err(MAPPED "/k", O_WRONLY));
	EXPECT_EQ(EACCES, open_err(MAPPED "/k", O_RDONLY));
	EXPECT_EQ(S_IFREG | 0600, mode_of(PLAIN "/k"));
}

/* Also once the host has replaced it, and a walk has come to it anew. */
TEST_F(mapped_key, who_may_search_is_asked_by_the_mapped_id)
{
	ASSERT_EQ(0, mkdir(HOST "/h", 0755));
	ASSERT_EQ(0, mkdir(HOST "/h/sub", 0700));
	ASSERT_EQ(0, put_text(HOST "/h/sub/g", "below"));
	ASSERT_EQ(0, run("chown -R %d:%d " HOST "/h", USER, USER));
	ASSERT_EQ(0, table("/h " HOST "/h subdirs"));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, AS_USER(BASE + USER, text_is(MAPPED "/h/sub/g", "below")));
		EXPECT_EQ(0, AS_USER(BASE + USER, text_is(MAPPED "/h/sub/g", "below")));
		EXPECT_EQ(EACCES, AS_USER(USER, text_is(MAPPED "/h/sub/g", "below")));
		EXPECT_EQ(0, AS_USER(USER, text_is(PLAIN "/h/sub/g", "below")));
		ASSERT_EQ(0, run("cd " HOST "/h; mv sub old%d; cp -a old%d sub", i, i));
	}
}

TEST_HARNESS_MAIN
