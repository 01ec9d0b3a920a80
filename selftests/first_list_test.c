// SPDX-License-Identifier: GPL-2.0
/*
 * A directory that was never read, or was emptied since, is listed for the first
 * time: whatever was done to its names before is seen as it is now.
 */
#include "lib/apply.h"
#include "lib/fixture.h"
#include "lib/together.h"

#define A MNT "/a"
#define B MNT "/b"
#define MANY 3000

FIXTURE(first_list)
{
};

FIXTURE_SETUP(first_list)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(A, 0755));
	ASSERT_EQ(0, mkdir(B, 0755));
}

FIXTURE_TEARDOWN(first_list)
{
	teardown_mount();
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The names a directory lists, sorted, each with a blank behind. */
static const char *names_in(const char *dir)
{
	static char text[4096];
	struct dirent **names;
	int i, n = scandir(dir, &names, no_dots, by_name);

	text[0] = '\0';
	for (i = 0; i < n; i++) {
		strcat(strcat(text, names[i]->d_name), " ");
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return text;
}

static int touch_nr(const char *dir, const char *prefix, int nr)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s%04d", dir, prefix, nr);
	return put_text(path, "");
}

static int unlink_nr(const char *dir, const char *prefix, int nr)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s%04d", dir, prefix, nr);
	return ERR(unlink(path));
}

TEST_F(first_list, what_is_open_only_is_no_name)
{
	int gone, nameless;

	ASSERT_EQ(0, put_text(A "/stays", ""));
	ASSERT_EQ(0, put_text(A "/gone", ""));
	ASSERT_EQ(0, put_text(A "/replaced", "x"));
	ASSERT_EQ(0, put_text(A "/new", "y"));
	gone = open(A "/gone", O_RDONLY);
	nameless = open(A, O_TMPFILE | O_RDWR, 0644);
	ASSERT_LE(0, gone);
	ASSERT_LE(0, nameless);
	ASSERT_EQ(0, unlink(A "/gone"));
	ASSERT_EQ(0, rename(A "/new", A "/replaced"));
	EXPECT_EQ(ENOENT, stat_err(A "/missing"));
	EXPECT_STREQ("replaced stays ", names_in(A));
	EXPECT_EQ(4 * 20, size_of(A));
	close(gone);
	close(nameless);
	EXPECT_STREQ("replaced stays ", names_in(A));
}

/* In all four combinations of directories that have been read and have not. */
TEST_F(first_list, names_move_between_directories_read_and_not)
{
	int mask;

	for (mask = 0; mask < 4; mask++) {
		ASSERT_EQ(0, put_text(A "/1", ""));
		ASSERT_EQ(0, put_text(A "/2", ""));
		ASSERT_EQ(0, put_text(A "/3", ""));
		ASSERT_EQ(0, put_text(B "/4", ""));
		ASSERT_EQ(0, mkdir(B "/5", 0755));
		ASSERT_EQ(0, put_text(B "/6", ""));
		if (mask & 1)
			EXPECT_STREQ("1 2 3 ", names_in(A));
		if (mask & 2)
			EXPECT_STREQ("4 5 6 ", names_in(B));
		ASSERT_EQ(0, rename(A "/1", B "/7"));
		ASSERT_EQ(0, rename(B "/4", A "/2"));
		ASSERT_EQ(0, renameat2(AT_FDCWD, A "/3", AT_FDCWD, B "/5",
				       RENAME_EXCHANGE));
		ASSERT_EQ(0, renameat2(AT_FDCWD, B "/6", AT_FDCWD, A "/8",
				       RENAME_WHITEOUT));
		EXPECT_STREQ("2 3 8 ", names_in(A));
		EXPECT_STREQ("5 6 7 ", names_in(B));
		EXPECT_EQ(S_IFDIR | 0755, mode_of(A "/3"));
		EXPECT_EQ(S_IFCHR, mode_of(B "/6") & S_IFMT);
		EXPECT_EQ(0, rmdir(A "/3"));
		EXPECT_EQ(0, unlink(A "/2"));
		EXPECT_EQ(0, unlink(A "/8"));
		EXPECT_STREQ("", names_in(A));
		EXPECT_EQ(0, unlink(B "/5"));
		EXPECT_EQ(0, unlink(B "/6"));
		EXPECT_EQ(0, unlink(B "/7"));
		EXPECT_EQ(0, rmdir(A));
		EXPECT_EQ(0, rmdir(B));
		ASSERT_EQ(0, mkdir(A, 0755));
		ASSERT_EQ(0, mkdir(B, 0755));
	}
}

TEST_F(first_list, the_oldest_name_comes_first)
{
	struct dirent *entry;
	char want[32];
	int i = 0;
	DIR *dir;

	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, touch_nr(A, "n", i));
	ASSERT_EQ(0, unlink_nr(A, "n", 0));
	ASSERT_EQ(0, unlink_nr(A, "n", 199));
	i = 1;
	dir = opendir(A);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(want, sizeof(want), "n%04d", i++);
		ASSERT_STREQ(want, entry->d_name);
	}
	EXPECT_EQ(199, i);
	closedir(dir);
}

/* All that is done to names of one directory before anybody lists it. */
TEST_F(first_list, names_change_places_within)
{
	char path[64];
	int i, fd;

	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, touch_nr(A, "n", i));
	ASSERT_EQ(0, renameat2(AT_FDCWD, A "/n0001", AT_FDCWD, A "/n0002",
			       RENAME_EXCHANGE));
	ASSERT_EQ(0, rename(A "/n0003", A "/n0004"));
	ASSERT_EQ(0, rename(A "/n0005", A "/m"));
	ASSERT_EQ(0, link(A "/n0006", A "/l"));
	ASSERT_EQ(0, unlink(A "/n0006"));
	fd = open(A, O_TMPFILE | O_RDWR, 0644);
	ASSERT_LE(0, fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ASSERT_EQ(0, linkat(AT_FDCWD, path, AT_FDCWD, A "/t",
			    AT_SYMLINK_FOLLOW));
	close(fd);
	EXPECT_STREQ("l m n0000 n0001 n0002 n0004 n0007 n0008 n0009 t ",
		     names_in(A));
	EXPECT_EQ(12 * 20, size_of(A));
}

/* Some of the names are keys, which are not pinned and come in between. */
TEST_F(first_list, keys_lie_among_the_names)
{
	char path[64];
	int i;

	ASSERT_EQ(0, put_text(HOST "/file", "host"));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, touch_nr(A, "n", i));
		ASSERT_EQ(0, table("/a/k%d " HOST "/file reg", i));
		snprintf(path, sizeof(path), A "/k%d", i);
		EXPECT_EQ(0, text_is(path, "host"));
	}
	EXPECT_EQ(200, count_names(A));
	reset_table();
	EXPECT_EQ(100, count_names(A));
}

TEST_F(first_list, a_key_hides_a_name_that_was_never_listed)
{
	ASSERT_EQ(0, put_text(HOST "/file", "host"));
	ASSERT_EQ(0, put_text(A "/x", "memory"));
	ASSERT_EQ(0, put_text(A "/y", "memory"));
	ASSERT_EQ(0, table("/a/x " HOST "/file reg"));
	EXPECT_EQ(0, text_is(A "/x", "host"));
	EXPECT_STREQ("x y ", names_in(A));
	ASSERT_EQ(0, unlink(A "/y"));
	EXPECT_EQ(ENOTEMPTY, ERR(rmdir(A)));
	ASSERT_EQ(0, table("-/a/x"));
	EXPECT_EQ(0, text_is(A "/x", "memory"));
	EXPECT_STREQ("x ", names_in(A));
	ASSERT_EQ(0, unlink(A "/x"));
	EXPECT_EQ(0, rmdir(A));
}

TEST_F(first_list, an_implied_directory_enters_among_names)
{
	ASSERT_EQ(0, put_text(HOST "/file", "host"));
	ASSERT_EQ(0, put_text(A "/x", ""));
	ASSERT_EQ(0, table("/a/d/k " HOST "/file reg"));
	EXPECT_EQ(0, text_is(A "/d/k", "host"));
	ASSERT_EQ(0, put_text(A "/y", ""));
	EXPECT_STREQ("d x y ", names_in(A));
	ASSERT_EQ(0, table("-/a/d/k"));
	EXPECT_STREQ("x y ", names_in(A));
	ASSERT_EQ(0, unlink(A "/x"));
	ASSERT_EQ(0, unlink(A "/y"));
	EXPECT_EQ(0, rmdir(A));
}

/* Behind all that was there, so a pass that is under way comes to its end. */
TEST_F(first_list, a_directory_is_emptied_and_filled_amid_a_pass)
{
	int seen[100] = {}, i, got, nr, fd, turns = 0, all = 0;
	struct dirent64 *entry;
	char buf[256];

	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, touch_nr(A, "n", i));
	fd = open(A, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, fd);
	while ((got = getdents64(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < got; i += entry->d_reclen) {
			entry = (void *)(buf + i);
			if (sscanf(entry->d_name, "n%d", &nr) == 1) {
				seen[nr]++;
				all++;
			}
		}
		ASSERT_GT(1000, turns++);
		for (i = 0; i < 100; i++)
			ASSERT_EQ(0, unlink_nr(A, "n", i));
		for (i = 0; i < 100; i++)
			ASSERT_EQ(0, touch_nr(A, "n", i));
		/* Another reader gives them their places. */
		ASSERT_EQ(100, count_names(A));
	}
	EXPECT_EQ(0, got);
	for (i = 0; i < 100; i++)
		EXPECT_GE(1, seen[i]);
	EXPECT_LT(0, all);
	close(fd);
}

static int apply_all(const struct rumpfs_op *ops, unsigned int n)
{
	int fd = open(MNT, O_RDONLY), err = apply_call(fd, ops, n, 0, 0);

	close(fd);
	return err;
}

#define IMPLIED 20

/* Lookups make directories for keys meanwhile. */
static void *list_many(void *unused)
{
	int n = count_names(A);

	if (n != MANY + IMPLIED)
		complain("%d names", n);
	return NULL;
}

static void *imply_many(void *unused)
{
	char path[64];
	int i;

	for (i = 0; i < IMPLIED; i++) {
		snprintf(path, sizeof(path), A "/i%d/k", i);
		if (text_is(path, "host"))
			complain("%s is not there", path);
	}
	return NULL;
}

TEST_F(first_list, all_who_read_it_first_at_once_see_each_name_once)
{
	void *(*readers[])(void *) = { list_many, list_many, list_many,
				       list_many, imply_many, imply_many };
	int i, turn;

	ASSERT_EQ(0, put_text(HOST "/file", "host"));
	for (turn = 0; turn < 4 && !complaint[0]; turn++) {
		for (i = 0; i < MANY; i++)
			ASSERT_EQ(0, touch_nr(A, "n", i));
		for (i = 0; i < IMPLIED; i++)
			ASSERT_EQ(0, table("/a/i%d/k " HOST "/file reg", i));
		together(readers, 6, NULL, 0);
		for (i = 0; i < MANY; i++)
			ASSERT_EQ(0, unlink_nr(A, "n", i));
		/* And what they implied; then A is not listed any more. */
		reset_table();
	}
	EXPECT_STREQ("", complaint);
	EXPECT_EQ(0, rmdir(A));
}

/* Keys that were opened come before the only name. */
TEST_F(first_list, many_others_lie_before_a_name)
{
	struct rumpfs_op *ops = calloc(MANY, sizeof(*ops));
	char (*keys)[32] = calloc(MANY, sizeof(*keys)), path[64];
	int i;

	ASSERT_EQ(0, put_text(HOST "/file", "host"));
	ASSERT_EQ(0, put_text(A "/name", ""));
	for (i = 0; i < MANY; i++) {
		snprintf(keys[i], sizeof(keys[i]), "/a/k%d", i);
		ops[i] = ADD(keys[i], HOST "/file");
	}
	ASSERT_EQ(0, apply_all(ops, MANY));
	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), MNT "%s", keys[i]);
		ASSERT_EQ(0, open_err(path, O_RDONLY));
	}
	EXPECT_EQ(MANY + 1, count_names(A));
	EXPECT_EQ(1, listed(A, "name"));
	reset_table();
	EXPECT_STREQ("name ", names_in(A));
	free(keys);
	free(ops);
}

/* One batch hides some of many names that nobody has listed. */
TEST_F(first_list, a_batch_hides_names_that_were_never_listed)
{
	struct rumpfs_op ops[30] = {};
	char keys[30][32];
	int i;

	ASSERT_EQ(0, put_text(HOST "/file", "host"));
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, touch_nr(A, "n", i));
	for (i = 0; i < 30; i++) {
		snprintf(keys[i], sizeof(keys[i]), "/a/n%04d", i * 5);
		ops[i] = ADD(keys[i], HOST "/file");
	}
	ASSERT_EQ(0, apply_all(ops, 30));
	EXPECT_EQ(200, count_names(A));
	EXPECT_EQ(0, text_is(A "/n0005", "host"));
	EXPECT_EQ(0, text_is(A "/n0006", ""));
	reset_table();
	EXPECT_EQ(200, count_names(A));
	EXPECT_EQ(0, text_is(A "/n0005", ""));
}

/* What was never listed must be found when the mount goes. */
TEST_F(first_list, a_mount_goes_with_names_that_nobody_has_listed)
{
	char path[64];
	int i;

	ASSERT_EQ(0, put_text(HOST "/file", "host"));
	ASSERT_EQ(0, table("/a/s/k " HOST "/file reg"));
	for (i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), A "/d%d", i);
		ASSERT_EQ(0, mkdir(path, 0755));
		ASSERT_EQ(0, touch_nr(path, "n", i));
		EXPECT_EQ(ENOENT, stat_err(strcat(path, "/missing")));
	}
	EXPECT_EQ(EEXIST, ERR(mkdir(A "/s", 0755)));
	EXPECT_EQ(0, text_is(A "/s/k", "host"));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_EQ(0, mount_at(MNT, NULL));
	/* The keys' directories are the table's. */
	EXPECT_STREQ("a ", names_in(MNT));
}

TEST_HARNESS_MAIN
