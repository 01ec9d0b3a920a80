// SPDX-License-Identifier: GPL-2.0
/* A key appears, hides what was there, and gives it back. */

#include <linux/fs.h>
#include <sys/sysmacros.h>

#include "lib/fixture.h"

/*
 *	/mnt/host	f (SIZE of pattern), g "other", d/
 *	/mnt/rump	empty
 */
#define F HOST "/f"
#define G HOST "/g"
#define KEY MNT "/k"
#define SIZE 65536

FIXTURE(table)
{
};

FIXTURE_SETUP(table)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, SIZE, 1));
	ASSERT_EQ(0, put_text(G, "other"));
	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
}

FIXTURE_TEARDOWN(table)
{
	teardown_mount();
}

static int move(const char *from, const char *to, unsigned int flags)
{
	return ERR(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
}

TEST_F(table, the_module_says_what_it_can_do)
{
	char text[64];

	EXPECT_LT(1, get_bytes(SYSFS "/version", text, sizeof(text), 0));
	EXPECT_EQ(0, stat_err(SYSFS "/features/reg"));
	EXPECT_EQ(0, stat_err(SYSFS "/features/blk"));
	EXPECT_EQ(0, stat_err(SYSFS "/features/chr"));
	EXPECT_EQ(0, stat_err(SYSFS "/features/whiteout"));
	EXPECT_EQ(0, stat_err(SYSFS "/features/private"));
	EXPECT_EQ(0, stat_err(SYSFS "/features/dir"));
	EXPECT_EQ(0, stat_err(SYSFS "/features/subdirs"));
	EXPECT_EQ(S_IFREG | 0600, mode_of(TABLE));
	EXPECT_EQ(S_IFREG | 0644, mode_of(MAX_MAPPINGS));
}

TEST_F(table, a_key_comes_and_goes)
{
	EXPECT_EQ(ENOENT, stat_err(KEY));
	ASSERT_EQ(0, table("/k " F " reg"));
	EXPECT_EQ(0, fill_is(KEY, 0, SIZE, 0, 1));
	EXPECT_EQ(1, listed(MNT, "k"));
	EXPECT_EQ(1, nlink_of(KEY));
	EXPECT_EQ(EEXIST, table("/k " G " reg"));
	EXPECT_TRUE(last_error_has("/k"));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(ENOENT, table("-/k"));
	EXPECT_EQ(0, rows_are(""));
}

TEST_F(table, replace_adds_or_replaces)
{
	char byte = 0;
	int fd;

	ASSERT_EQ(0, table("=/k " G " reg"));
	EXPECT_EQ(0, text_is(KEY, "other"));
	fd = open(KEY, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, table("=/k " F " reg ro"));
	EXPECT_EQ(0, fill_is(KEY, 0, SIZE, 0, 1));
	EXPECT_EQ(0, rows_are("/k " F " reg ro\n"));

	/* The open file keeps the old target. */
	EXPECT_EQ(1, pread(fd, &byte, 1, 1));
	EXPECT_EQ('t', byte);
	close(fd);
	EXPECT_EQ(1, count_names(MNT));

	/* What cannot be mapped does not replace. */
	EXPECT_EQ(ENOENT, table("=/k " HOST "/none reg"));
	EXPECT_EQ(0, rows_are("/k " F " reg ro\n"));
}

TEST_F(table, every_way_to_remove)
{
	int round;

	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, table("/k " F " reg\n/l/m " F " reg tag=t\n/n " F
				   " reg tag=t"));
		switch (round) {
		case 0:
			EXPECT_EQ(0, table("-/k lazy"));
			EXPECT_EQ(0, table("-/l/m busy"));
			EXPECT_EQ(0, table("-//n/"));
			break;
		case 1:
			EXPECT_EQ(0, table("-@t"));
			EXPECT_EQ(0, rows_are("/k " F " reg rw\n"));
			EXPECT_EQ(ENOENT, table("-@t"));
			EXPECT_EQ(0, table("flush busy"));
			break;
		case 2:
			EXPECT_EQ(0, table("-@t busy"));
			EXPECT_EQ(0, table("flush lazy"));
			EXPECT_EQ(0, table("flush"));
		}
		EXPECT_EQ(0, rows_are(""));
		EXPECT_EQ(0, count_names(MNT));
	}
	EXPECT_EQ(ENOENT, table("-@t"));
	EXPECT_EQ(ENOENT, table("-/l"));
}

TEST_F(table, all_mounts_show_the_same_keys)
{
	ASSERT_EQ(0, table("/a " F " reg"));
	ASSERT_EQ(0, mount_at(MNT2, NULL));
	ASSERT_EQ(0, table("/d/b " G " reg"));
	EXPECT_EQ(0, fill_is(MNT2 "/a", 0, 100, 0, 1));
	EXPECT_EQ(0, text_is(MNT "/d/b", "other"));
	EXPECT_EQ(0, text_is(MNT2 "/d/b", "other"));
	EXPECT_EQ(2, count_names(MNT2));
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(ENOENT, stat_err(MNT2 "/a"));
	EXPECT_EQ(ENOENT, stat_err(MNT2 "/d"));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(0, count_names(MNT2));
}

TEST_F(table, keys_survive_their_mounts)
{
	ASSERT_EQ(0, table("/d/a " G " reg"));
	ASSERT_EQ(0, text_is(MNT "/d/a", "other"));
	EXPECT_TRUE(WAIT_FOR(!umount(MNT)));
	EXPECT_EQ(0, rows_are("/d/a " G " reg rw\n"));
	ASSERT_EQ(0, mount_at(MNT, NULL));
	EXPECT_EQ(0, text_is(MNT "/d/a", "other"));
}

TEST_F(table, missing_parents_are_made_and_go)
{
	struct stat st;

	ASSERT_EQ(0, table("/a/b/c " F " reg\n/a/d " F " reg"));
	ASSERT_EQ(0, stat(MNT "/a/b", &st));
	EXPECT_EQ(S_IFDIR | 0755, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_gid);
	EXPECT_EQ(2, count_names(MNT "/a"));
	EXPECT_EQ(1, listed(MNT, "a"));
	EXPECT_EQ(SIZE, size_of(MNT "/a/b/c"));
	ASSERT_EQ(0, table("-/a/b/c"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/a/b"));
	EXPECT_EQ(1, count_names(MNT "/a"));
	ASSERT_EQ(0, table("-/a/d"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/a"));
	EXPECT_EQ(0, count_names(MNT));
}

TEST_F(table, a_made_parent_stays_when_it_is_used)
{
	ASSERT_EQ(0, table("/a/b/c " F " reg"));
	ASSERT_EQ(0, put_text(MNT "/a/b/mine", "mine"));
	ASSERT_EQ(0, table("-/a/b/c"));
	EXPECT_EQ(0, text_is(MNT "/a/b/mine", "mine"));
	EXPECT_EQ(1, count_names(MNT "/a/b"));

	/* It is an ordinary directory by then. */
	ASSERT_EQ(0, unlink(MNT "/a/b/mine"));
	EXPECT_EQ(0, rmdir(MNT "/a/b"));
	EXPECT_EQ(0, rmdir(MNT "/a"));
}

TEST_F(table, a_directory_in_the_way_is_used)
{
	unsigned long long ino;

	ASSERT_EQ(0, mkdir(MNT "/a", 0700));
	ASSERT_EQ(0, put_text(MNT "/a/mine", "mine"));
	ino = ino_of(MNT "/a");
	ASSERT_EQ(0, table("/a/k " G " reg"));
	EXPECT_EQ(ino, ino_of(MNT "/a"));
	EXPECT_EQ(S_IFDIR | 0700, mode_of(MNT "/a"));
	EXPECT_EQ(0, text_is(MNT "/a/mine", "mine"));
	EXPECT_EQ(0, text_is(MNT "/a/k", "other"));
	EXPECT_EQ(2, count_names(MNT "/a"));
	ASSERT_EQ(0, table("-/a/k"));
	EXPECT_EQ(0, text_is(MNT "/a/mine", "mine"));
	EXPECT_EQ(1, count_names(MNT "/a"));
}

TEST_F(table, a_hidden_file_comes_back)
{
	unsigned long long ino;

	ASSERT_EQ(0, put_text(KEY, "mine"));
	ASSERT_EQ(0, chmod(KEY, 0604));
	ino = ino_of(KEY);
	ASSERT_EQ(0, table("/k " G " reg"));
	EXPECT_EQ(0, text_is(KEY, "other"));
	EXPECT_NE(ino, ino_of(KEY));
	EXPECT_EQ(1, listed(MNT, "k"));
	EXPECT_EQ(1, count_names(MNT));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(0, text_is(KEY, "mine"));
	EXPECT_EQ(ino, ino_of(KEY));
	EXPECT_EQ(S_IFREG | 0604, mode_of(KEY));
	EXPECT_EQ(1, listed(MNT, "k"));
	EXPECT_EQ(0, unlink(KEY));
}

TEST_F(table, a_hidden_directory_comes_back_whole)
{
	char byte = 0;
	int dir, file;

	ASSERT_EQ(0, mkdir(KEY, 0750));
	ASSERT_EQ(0, mkdir(KEY "/sub", 0755));
	ASSERT_EQ(0, put_text(KEY "/sub/x", "x"));
	dir = open(KEY, O_RDONLY | O_DIRECTORY);
	file = open(KEY "/sub/x", O_RDWR);
	ASSERT_EQ(0, table("/k " G " reg"));
	EXPECT_EQ(0, text_is(KEY, "other"));
	EXPECT_EQ(ENOTDIR, stat_err(KEY "/sub"));

	/* Who was inside goes on. */
	EXPECT_EQ(0, ERR(faccessat(dir, "sub/x", R_OK, 0)));
	EXPECT_EQ(1, pread(file, &byte, 1, 0));
	EXPECT_EQ('x', byte);
	EXPECT_EQ(0, ERR(mkdirat(dir, "made", 0755)));
	close(dir);
	close(file);
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(0, text_is(KEY "/sub/x", "x"));
	EXPECT_EQ(2, count_names(KEY));
	EXPECT_EQ(S_IFDIR | 0750, mode_of(KEY));
}

TEST_F(table, hidden_names_of_other_kinds_come_back)
{
	ASSERT_EQ(0, symlink("elsewhere", KEY));
	ASSERT_EQ(0, mkfifo(MNT "/p", 0600));
	ASSERT_EQ(0, table("/k " G " reg\n/p " G " reg"));
	EXPECT_EQ(0, text_is(KEY, "other"));
	EXPECT_EQ(0, text_is(MNT "/p", "other"));
	EXPECT_EQ(S_IFREG, mode_of(KEY) & S_IFMT);
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(S_IFLNK | 0777, mode_of(KEY));
	EXPECT_EQ(S_IFIFO | 0600, mode_of(MNT "/p"));
}

/* "anything else in the way is hidden as under a key" */
TEST_F(table, a_file_where_a_parent_must_be_is_hidden)
{
	ASSERT_EQ(0, put_text(MNT "/a", "mine"));
	ASSERT_EQ(0, symlink("/tmp", MNT "/b"));
	ASSERT_EQ(0, table("/a/k " G " reg\n/b/c/k " G " reg"));
	EXPECT_EQ(0, text_is(MNT "/a/k", "other"));
	EXPECT_EQ(0, text_is(MNT "/b/c/k", "other"));
	EXPECT_EQ(S_IFDIR | 0755, mode_of(MNT "/a"));
	EXPECT_EQ(2, count_names(MNT));
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(0, text_is(MNT "/a", "mine"));
	EXPECT_EQ(S_IFLNK | 0777, mode_of(MNT "/b"));
	EXPECT_EQ(2, count_names(MNT));
}

TEST_F(table, hiding_happens_in_every_mount)
{
	ASSERT_EQ(0, mount_at(MNT2, NULL));
	ASSERT_EQ(0, put_text(KEY, "one"));
	ASSERT_EQ(0, mkdir(MNT2 "/k", 0755));
	ASSERT_EQ(0, table("/k " G " reg"));
	EXPECT_EQ(0, text_is(KEY, "other"));
	EXPECT_EQ(0, text_is(MNT2 "/k", "other"));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(0, text_is(KEY, "one"));
	EXPECT_EQ(S_IFDIR | 0755, mode_of(MNT2 "/k"));
}

TEST_F(table, a_mapped_name_cannot_be_changed)
{
	ASSERT_EQ(0, table("/k " F " reg\n/d/k " F " reg"));
	ASSERT_EQ(0, put_text(MNT "/mine", "mine"));
	EXPECT_EQ(EOPNOTSUPP, ERR(unlink(KEY)));
	EXPECT_EQ(EOPNOTSUPP, ERR(unlink(MNT "/d/k")));
	EXPECT_EQ(EOPNOTSUPP, move(KEY, MNT "/l", 0));
	EXPECT_EQ(EOPNOTSUPP, move(KEY, MNT "/l", RENAME_NOREPLACE));
	EXPECT_EQ(EOPNOTSUPP, move(MNT "/mine", KEY, 0));
	EXPECT_EQ(EOPNOTSUPP, move(MNT "/mine", KEY, RENAME_EXCHANGE));
	EXPECT_EQ(EOPNOTSUPP, move(KEY, MNT "/mine", RENAME_EXCHANGE));
	EXPECT_EQ(EOPNOTSUPP, ERR(link(KEY, MNT "/l")));

	/* It is taken, for whoever wants the name. */
	EXPECT_EQ(EEXIST, ERR(mkdir(KEY, 0755)));
	EXPECT_EQ(EEXIST, ERR(symlink("x", KEY)));
	EXPECT_EQ(EEXIST, ERR(link(MNT "/mine", KEY)));
	EXPECT_EQ(EEXIST, open_err(KEY, O_RDWR | O_CREAT | O_EXCL));
	EXPECT_EQ(EEXIST, move(MNT "/mine", KEY, RENAME_NOREPLACE));
	EXPECT_EQ(ENOTDIR, ERR(rmdir(KEY)));
	EXPECT_EQ(0, fill_is(KEY, 0, SIZE, 0, 1));
	EXPECT_EQ(0, text_is(MNT "/mine", "mine"));
	EXPECT_EQ(0, fill_is(F, 0, SIZE, 0, 1));
}

TEST_F(table, a_directory_with_keys_below_cannot_go_or_move)
{
	ASSERT_EQ(0, mkdir(MNT "/a", 0755));
	ASSERT_EQ(0, mkdir(MNT "/a/b", 0755));
	ASSERT_EQ(0, mkdir(MNT "/free", 0755));
	ASSERT_EQ(0, table("/a/b/k " F " reg hidden\n/made/k " F " reg"));
	EXPECT_EQ(0, count_names(MNT "/a/b"));
	EXPECT_EQ(ENOTEMPTY, ERR(rmdir(MNT "/a/b")));
	EXPECT_EQ(ENOTEMPTY, ERR(rmdir(MNT "/made")));
	EXPECT_EQ(EOPNOTSUPP, move(MNT "/a", MNT "/c", 0));
	EXPECT_EQ(EOPNOTSUPP, move(MNT "/a/b", MNT "/c", 0));
	EXPECT_EQ(EOPNOTSUPP, move(MNT "/made", MNT "/c", 0));
	EXPECT_EQ(EOPNOTSUPP, move(MNT "/a", MNT "/free", RENAME_EXCHANGE));
	EXPECT_EQ(EOPNOTSUPP, move(MNT "/free", MNT "/a", RENAME_EXCHANGE));
	EXPECT_EQ(ENOTEMPTY, move(MNT "/free", MNT "/a", 0));
	EXPECT_EQ(ENOTEMPTY, move(MNT "/free", MNT "/a/b", 0));
	EXPECT_EQ(ENOTEMPTY, move(MNT "/free", MNT "/made", 0));
	EXPECT_EQ(SIZE, size_of(MNT "/a/b/k"));
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(0, rmdir(MNT "/a/b"));
	EXPECT_EQ(0, move(MNT "/a", MNT "/c", 0));
}

/* Not listed, but found. */
TEST_F(table, hidden_keys_are_found_by_name_only)
{
	ASSERT_EQ(0, table("/k " G " reg hidden\n/d/l " G
			   " reg hidden\n/seen " G " reg"));
	EXPECT_EQ(0, listed(MNT, "k"));
	EXPECT_EQ(0, text_is(KEY, "other"));
	EXPECT_EQ(0, text_is(MNT "/d/l", "other"));
	EXPECT_EQ(0, listed(MNT "/d", "l"));
	EXPECT_EQ(1, listed(MNT, "seen"));

	/* And again without. */
	ASSERT_EQ(0, table("=/k " G " reg"));
	EXPECT_EQ(1, listed(MNT, "k"));
}

TEST_F(table, a_lookup_in_vain_does_not_hide_a_later_key)
{
	EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_EQ(ENOENT, stat_err(MNT "/a/b"));
	ASSERT_EQ(0, table("/k " G " reg\n/a/b " G " reg"));
	EXPECT_EQ(0, text_is(KEY, "other"));
	EXPECT_EQ(0, text_is(MNT "/a/b", "other"));
	ASSERT_EQ(0, mkdir(MNT "/m", 0755));
	EXPECT_EQ(ENOENT, stat_err(MNT "/m/k"));
	ASSERT_EQ(0, table("/m/k " G " reg"));
	EXPECT_EQ(0, text_is(MNT "/m/k", "other"));
}

TEST_F(table, names_made_beside_keys_are_listed_with_them)
{
	char name[64];
	int i;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, table("/k%d " G " reg", i));
		snprintf(name, sizeof(name), MNT "/m%d", i);
		ASSERT_EQ(0, put_text(name, ""));
	}
	EXPECT_EQ(200, count_names(MNT));
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		ASSERT_EQ(1, listed(MNT, name));
	}
}

TEST_F(table, listed_type_and_number_are_those_of_stat)
{
	struct dirent *entry;
	DIR *dir;
	int n = 0;

	ASSERT_EQ(0, table("/k " G " reg\n/d/k " G " reg"));
	dir = opendir(MNT);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, "k")) {
			EXPECT_EQ(DT_REG, entry->d_type);
			EXPECT_EQ(ino_of(KEY), entry->d_ino);
			n++;
		} else if (!strcmp(entry->d_name, "d")) {
			EXPECT_EQ(DT_DIR, entry->d_type);
			EXPECT_EQ(ino_of(MNT "/d"), entry->d_ino);
			n++;
		}
	}
	closedir(dir);
	EXPECT_EQ(2, n);
	EXPECT_NE(ino_of(KEY), ino_of(MNT "/d/k"));
	EXPECT_EQ(3, nlink_of(MNT));
}

TEST_F(table, a_count_has_a_limit)
{
	ASSERT_EQ(0, put_text(MAX_MAPPINGS, "3\n"));
	ASSERT_EQ(0, table("/1 " G " reg\n/2 " G " reg"));
	EXPECT_EQ(E2BIG, table("/3 " G " reg\n/4 " G " reg"));
	EXPECT_EQ(0, rows_are("/1 " G " reg rw\n/2 " G " reg rw\n"));
	EXPECT_EQ(0, table("/3 " G " reg"));
	EXPECT_EQ(E2BIG, table("/4 " G " reg"));
	EXPECT_EQ(EEXIST, table("/3 " G " reg"));

	/* To replace needs no room, and what is removed makes room. */
	EXPECT_EQ(0, table("=/3 " F " reg"));
	EXPECT_EQ(0, table("-/3\n/4 " G " reg"));
	EXPECT_EQ(E2BIG, table("=/5 " G " reg"));

	/* A lower limit takes nothing away. */
	ASSERT_EQ(0, put_text(MAX_MAPPINGS, "1\n"));
	EXPECT_EQ(0, text_is(MNT "/4", "other"));
	EXPECT_EQ(E2BIG, table("/5 " G " reg"));
	EXPECT_EQ(0, table("-/1\n-/2\n-/4\n/5 " G " reg"));
}

TEST_F(table, one_file_may_have_many_keys)
{
	ASSERT_EQ(0, table("/a " F " reg offset=0,size=4096\n/b " F
			   " reg offset=4096,size=4096\n"
			   "/c/d " F " reg ro"));
	EXPECT_EQ(0, fill_is(MNT "/a", 0, 4096, 0, 1));
	EXPECT_EQ(0, fill_is(MNT "/b", 0, 4096, 4096, 1));
	EXPECT_EQ(0, fill_is(MNT "/c/d", 0, SIZE, 0, 1));
}

TEST_F(table, a_key_is_compared_by_component)
{
	ASSERT_EQ(0, table("/abc " G " reg\n/ab " F " reg\n/abcd/e " G
			   " reg\n/a " F " reg"));
	EXPECT_EQ(0, text_is(MNT "/abc", "other"));
	EXPECT_EQ(SIZE, size_of(MNT "/ab"));
	EXPECT_EQ(0, text_is(MNT "/abcd/e", "other"));
	ASSERT_EQ(0, table("-/a\n-/ab"));
	EXPECT_EQ(0, text_is(MNT "/abc", "other"));
	EXPECT_EQ(0, text_is(MNT "/abcd/e", "other"));
}

/* A directory that was moved is no longer where the keys are. */
TEST_F(table, keys_stay_at_their_path)
{
	ASSERT_EQ(0, mkdir(MNT "/a", 0755));
	ASSERT_EQ(0, table("/a/k " G " reg"));
	ASSERT_EQ(0, text_is(MNT "/a/k", "other"));
	ASSERT_EQ(0, table("-/a/k"));
	ASSERT_EQ(0, rename(MNT "/a", MNT "/b"));
	ASSERT_EQ(0, table("/a/k " G " reg"));
	EXPECT_EQ(0, text_is(MNT "/a/k", "other"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/b/k"));
	ASSERT_EQ(0, table("/b/k " F " reg"));
	EXPECT_EQ(SIZE, size_of(MNT "/b/k"));
	EXPECT_EQ(0, text_is(MNT "/a/k", "other"));
}

TEST_HARNESS_MAIN
