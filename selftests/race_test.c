// SPDX-License-Identifier: GPL-2.0
/* Several at once: what must stay true stays true, and nothing is left over. */

#include <linux/fs.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include "lib/fixture.h"
#include "lib/together.h"

#define F HOST "/f"
#define G HOST "/g"
#define DIR_D MNT "/d"

FIXTURE(race)
{
	struct statvfs empty;
};

FIXTURE_SETUP(race)
{
	ASSERT_EQ(0, setup_mount("size=16M,nr_inodes=1000"));
	ASSERT_EQ(0, statvfs(MNT, &self->empty));
	ASSERT_EQ(0, fill(F, 65536, 1));
	ASSERT_EQ(0, put_text(G, "other"));
}

FIXTURE_TEARDOWN(race)
{
	EXPECT_EQ(0, strcmp("", complaint)) {
		TH_LOG("%s", complaint);
	}
	teardown_mount();
}

static void *change_names(void *arg)
{
	unsigned int seed = 17 + (long)arg;
	char a[64], b[64];
	int turn, fd;

	for (turn = 0; turn < half(1500); turn++) {
		snprintf(a, sizeof(a), DIR_D "/%u", next(&seed) % 8);
		snprintf(b, sizeof(b), DIR_D "/%u", next(&seed) % 8);
		switch (next(&seed) % 8) {
		case 0:
		case 1:
			fd = open(a, O_RDWR | O_CREAT, 0644);
			if (fd >= 0 && write(fd, "x", 1) != 1)
				complain("write: %d", errno);
			if (fd >= 0)
				close(fd);
			break;
		case 2:
			unlink(a);
			break;
		case 3:
			rename(a, b);
			break;
		case 4:
			renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
			break;
		case 5:
			link(a, b);
			break;
		case 6:
			mkdir(a, 0755);
			break;
		case 7:
			rmdir(a);
		}
	}
	return NULL;
}

static void *list_names(void *arg)
{
	struct dirent *entry;
	int seen;
	DIR *dir;

	while (going_on()) {
		dir = opendir(DIR_D);
		seen = 0;
		while (dir && (entry = readdir(dir)))
			seen += !strcmp(entry->d_name, "stays");
		if (dir)
			closedir(dir);
		if (seen != 1)
			complain("a name that stays was listed %d times", seen);
	}
	return NULL;
}

TEST_F(race, names_in_one_directory)
{
	void *(*workers[])(void *) = { change_names, change_names,
				       change_names };
	void *(*watchers[])(void *) = { list_names };
	struct statvfs now;

	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, put_text(DIR_D "/stays", "x"));
	together(workers, 3, watchers, 1);
	ASSERT_EQ(0, run("rm -r %s", DIR_D));

	/* All counts are back where they were. */
	EXPECT_EQ(2, nlink_of(MNT));
	ASSERT_EQ(0, statvfs(MNT, &now));
	EXPECT_EQ(self->empty.f_ffree, now.f_ffree);
	EXPECT_EQ(self->empty.f_bfree, now.f_bfree);
}

static void *write_and_cut(void *arg)
{
	unsigned int seed = 3 + (long)arg;
	static char buf[3 * PAGE];
	int fd = open(MNT "/file", O_RDWR), turn;

	for (turn = 0; turn < half(400); turn++) {
		off_t pos = next(&seed) % 100000;

		if (next(&seed) % 4)
			pwrite(fd, buf, sizeof(buf), pos);
		else if (ftruncate(fd, pos))
			complain("truncate: %d", errno);
	}
	close(fd);
	return NULL;
}

static void *read_meanwhile(void *arg)
{
	int fd = open(MNT "/file", O_RDWR);
	char buf[PAGE];

	while (going_on())
		if (pread(fd, buf, PAGE, 50000) < 0)
			complain("read: %d", errno);
	close(fd);
	return NULL;
}

TEST_F(race, writes_and_truncates_of_one_file)
{
	void *(*workers[])(void *) = { write_and_cut, write_and_cut };
	void *(*watchers[])(void *) = { read_meanwhile };
	struct statvfs now;

	ASSERT_EQ(0, put_text(MNT "/file", ""));
	together(workers, 2, watchers, 1);
	ASSERT_EQ(0, unlink(MNT "/file"));
	ASSERT_EQ(0, statvfs(MNT, &now));
	EXPECT_EQ(self->empty.f_bfree, now.f_bfree);
}

static void *add_and_remove(void *arg)
{
	long id = (long)arg;
	int turn, err;

	for (turn = 0; turn < half(300); turn++) {
		err = table("/d/%ld-%d " F " reg\n/d/%ld-%d " F " reg offset=1",
			    id, turn % 5, id, turn % 5 + 5);
		if (err)
			complain("add: %d, %s", err, last_error());
		err = table("-/d/%ld-%d\n-/d/%ld-%d", id, turn % 5, id,
			    turn % 5 + 5);
		if (err)
			complain("remove: %d, %s", err, last_error());
	}
	return NULL;
}

static void *look_up_the_permanent(void *arg)
{
	while (going_on()) {
		int err = stat_err(DIR_D "/always");

		if (err)
			complain("stat of a permanent key: %d", err);
		err = text_is(DIR_D "/always", "other");
		if (err)
			complain("open of a permanent key: %d", err);
		err = stat_err(DIR_D "/0-1");
		if (err && err != ENOENT)
			complain("stat of a passing key: %d", err);
	}
	return NULL;
}

static void *list_the_permanent(void *arg)
{
	while (going_on()) {
		int n = listed(DIR_D, "always");

		if (n != 1)
			complain("a permanent key was listed %d times", n);
	}
	return NULL;
}

/* Directories that only keys imply are made by the lookup that needs them. */

static void *imply_and_remove(void *arg)
{
	int turn, err;

	for (turn = 0; turn < half(300); turn++) {
		err = table("/a%d/k " G " reg\n/b%d/k " G " reg", turn % 4,
			    turn % 4);
		if (!err)
			err = table("-/a%d/k\n-/b%d/k", turn % 4, turn % 4);
		if (err)
			complain("imply: %d, %s", err, last_error());
	}
	return NULL;
}

static void *look_up_the_implied(void *arg)
{
	char path[64];
	int turn;

	for (turn = 0; going_on(); turn++) {
		snprintf(path, sizeof(path), MNT "/%c%d/k", "ab"[turn & 1],
			 turn / 2 % 4);
		if (open_err(path, O_RDONLY) & ~ENOENT)
			complain("open below an implied directory");
	}
	return NULL;
}

static void *list_the_implied(void *arg)
{
	while (going_on())
		if (listed(MNT, "none"))
			complain("a name that was never there");
	return NULL;
}

TEST_F(race, implied_directories_are_listed_as_they_are_made)
{
	void *(*workers[])(void *) = { imply_and_remove };
	void *(*watchers[])(void *) = { look_up_the_implied, list_the_implied,
					list_the_implied };

	together(workers, 1, watchers, 3);
	EXPECT_EQ(0, count_names(MNT));
}

TEST_F(race, a_permanent_key_among_passing_ones)
{
	void *(*workers[])(void *) = { add_and_remove, add_and_remove };
	void *(*watchers[])(void *) = { look_up_the_permanent,
					list_the_permanent };

	ASSERT_EQ(0, table("/d/always " G " reg"));
	together(workers, 2, watchers, 2);
	EXPECT_EQ(0, rows_are("/d/always " G " reg rw\n"));
	EXPECT_EQ(1, count_names(DIR_D));
}

/*
 * Each batch moves both keys to the next version, and a batch's names go
 * together. Who saw one at a version never sees the other at an earlier one.
 */
#define VERSIONS 8

static int version_of(const char *path)
{
	char byte;
	ssize_t got = get_bytes(path, &byte, 1, 0);

	return got == 1 ? byte - '0' : -100 + (int)got;
}

static int turns_done;

static void *switch_versions(void *arg)
{
	int turn, err;

	for (turn = 1; turn < half(400); turn++) {
		__atomic_store_n(&turns_done, turn, __ATOMIC_RELEASE);
		err = table("=/v/one " HOST "/v%d reg\n=/v/two " HOST
			    "/v%d reg",
			    turn % VERSIONS, turn % VERSIONS);
		if (err)
			complain("switch: %d, %s", err, last_error());
	}
	return NULL;
}

static void *compare_versions(void *arg)
{
	const char *first = (long)arg ? MNT "/v/two" : MNT "/v/one";
	const char *then = (long)arg ? MNT "/v/one" : MNT "/v/two";

	while (going_on()) {
		int before = __atomic_load_n(&turns_done, __ATOMIC_ACQUIRE);
		int a = version_of(first);
		int b = version_of(then);
		int after = __atomic_load_n(&turns_done, __ATOMIC_ACQUIRE);

		if (a < 0 || b < 0)
			complain("a switched key was not there: %d %d", a, b);

		/* Within a few turns the versions can be told apart. */
		else if (after - before < VERSIONS / 2 - 1 &&
			 (b - a + VERSIONS) % VERSIONS >= VERSIONS / 2)
			complain("version %d after version %d, turns %d to %d",
				 b, a, before, after);
	}
	return NULL;
}

TEST_F(race, two_keys_switched_by_one_write)
{
	void *(*workers[])(void *) = { switch_versions };
	void *(*watchers[])(void *) = { compare_versions, compare_versions };
	char path[64], text[8];
	int i;

	for (i = 0; i < VERSIONS; i++) {
		snprintf(path, sizeof(path), HOST "/v%d", i);
		snprintf(text, sizeof(text), "%d", i);
		ASSERT_EQ(0, put_text(path, text));
	}
	ASSERT_EQ(0, table("/v/one " HOST "/v0 reg\n/v/two " HOST "/v0 reg"));
	together(workers, 1, watchers, 2);
}

static void *mount_and_umount(void *arg)
{
	const char *dir = (long)arg ? MNT2 : HOST "/m";
	char path[64];
	int turn, err;

	for (turn = 0; turn < 60; turn++) {
		err = mount_at(dir, NULL);
		if (err) {
			complain("mount: %d", err);
			break;
		}
		snprintf(path, sizeof(path), "%s/d/always", dir);
		err = text_is(path, "other");
		if (err)
			complain("a key in a new mount: %d", err);
		snprintf(path, sizeof(path), "%s/d", dir);
		count_names(path);
		snprintf(path, sizeof(path), "%s/d/0-1", dir);
		put_text(path, "x");
		if (!WAIT_FOR(!umount(dir)))
			complain("umount: %d", errno);
	}
	return NULL;
}

TEST_F(race, mounts_come_and_go_as_the_table_changes)
{
	void *(*workers[])(void *) = { mount_and_umount, mount_and_umount,
				       add_and_remove };
	void *(*watchers[])(void *) = { list_the_permanent };

	ASSERT_EQ(0, mkdir(HOST "/m", 0755));
	ASSERT_EQ(0, table("/d/always " G " reg"));
	together(workers, 3, watchers, 1);
	EXPECT_EQ(0, rows_are("/d/always " G " reg rw\n"));
}

static void *map_the_path(void *arg)
{
	int turn, err;

	for (turn = 0; turn < half(400); turn++) {
		err = table("/d/e/k " F " reg");
		if (err)
			complain("add: %d, %s", err, last_error());
		err = table("-/d/e/k");
		if (err)
			complain("remove: %d, %s", err, last_error());
	}
	return NULL;
}

static bool one_of(int err, int a, int b, int c, int d)
{
	return !err || err == a || err == b || err == c || err == d;
}

static void *make_the_path(void *arg)
{
	while (going_on()) {
		int err = ERR(mkdir(DIR_D, 0755));

		if (!one_of(err, EEXIST, 0, 0, 0))
			complain("mkdir of the parent: %d", err);
		err = ERR(mkdir(DIR_D "/e", 0755));
		if (!one_of(err, EEXIST, ENOENT, 0, 0))
			complain("mkdir: %d", err);
		err = ERR(mkdir(DIR_D "/e/k", 0755));
		if (!one_of(err, EEXIST, ENOENT, 0, 0))
			complain("mkdir of the key: %d", err);
		err = ERR(rmdir(DIR_D "/e/k"));
		if (!one_of(err, ENOTDIR, ENOENT, EOPNOTSUPP, ENOTEMPTY))
			complain("rmdir of the key: %d", err);
		err = ERR(rename(DIR_D "/e", DIR_D "/x"));
		if (!one_of(err, EOPNOTSUPP, ENOENT, 0, 0))
			complain("rename: %d", err);
		err = ERR(rmdir(DIR_D "/x"));
		if (!one_of(err, ENOENT, ENOTEMPTY, 0, 0))
			complain("rmdir of the moved: %d", err);
		/* What was made under the key's name went along. */
		rmdir(DIR_D "/x/k");
		rmdir(DIR_D "/x");
		err = ERR(rmdir(DIR_D));
		if (!one_of(err, ENOTEMPTY, ENOENT, 0, 0))
			complain("rmdir of the parent: %d", err);
	}
	return NULL;
}

TEST_F(race, a_key_and_a_directory_want_one_name)
{
	void *(*workers[])(void *) = { map_the_path };
	void *(*watchers[])(void *) = { make_the_path };
	struct statvfs now;

	together(workers, 1, watchers, 1);

	/* Whatever won, the tree is whole and can be emptied. */
	run("rm -rf %s", DIR_D);
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(2, nlink_of(MNT));
	EXPECT_EQ(0, table("/d/e/k " G " reg"));
	EXPECT_EQ(0, text_is(DIR_D "/e/k", "other"));
	EXPECT_EQ(0, table("-/d/e/k"));
	EXPECT_EQ(0, count_names(MNT));
	ASSERT_EQ(0, statvfs(MNT, &now));
	EXPECT_TRUE(WAIT_FOR(!statvfs(MNT, &now) &&
			     now.f_ffree == self->empty.f_ffree));
}

static void *map_below_the_path(void *arg)
{
	int turn, err;

	for (turn = 0; turn < half(400); turn++) {
		err = table("/d/e/k " F " reg\n/d/s/e/k " F " reg") ?:
		      table("-/d/e/k\n-/d/s/e/k");
		if (err)
			complain("table: %d, %s", err, last_error());
	}
	return NULL;
}

/* Refused as long as the call is under way that brought the key. */
static int in_the_end(int (*remove)(const char *path), const char *path)
{
	int err = 0;

	WAIT_FOR((err = ERR(remove(path))) != ENOTEMPTY && err != EOPNOTSUPP);
	return err;
}

static int move_to_z(const char *path)
{
	return rename(path, MNT "/z");
}

/* No key is below this path: what is here can be seen, moved and removed. */
static void take_away(const char *dir, bool moves)
{
	char below[64];
	struct stat st;
	int err;

	snprintf(below, sizeof(below), "%s/e", dir);
	/* Who removes the key may be about to take it along. */
	if (!WAIT_FOR(stat(below, &st) || listed(dir, "e")))
		complain("a directory that is not listed");
	if (moves && !stat(below, &st)) {
		err = in_the_end(move_to_z, below);
		if (!one_of(err, ENOENT, 0, 0, 0))
			complain("rename of what was implied: %d", err);
		snprintf(below, sizeof(below), MNT "/z");
	}
	err = in_the_end(rmdir, below);
	if (!one_of(err, ENOENT, 0, 0, 0))
		complain("rmdir of what was implied: %d", err);
	/* Keys may have implied it, too. */
	err = in_the_end(rmdir, dir);
	if (!one_of(err, ENOENT, 0, 0, 0))
		complain("rmdir of what was moved: %d", err);
}

static void *move_the_parent(void *arg)
{
	int turn;

	for (turn = 0; going_on(); turn++) {
		mkdir(DIR_D, 0755);
		mkdir(DIR_D "/s", 0755);
		if (rename(DIR_D, MNT "/x"))
			continue;
		take_away(MNT "/x/s", turn % 3);
		take_away(MNT "/x", turn % 3);
	}
	return NULL;
}

static void *look_up_the_path(void *arg)
{
	int dir = -1;

	while (going_on()) {
		/* By path, and by a directory that moves meanwhile. */
		open_err(DIR_D "/e/k", O_RDONLY);
		open_err(DIR_D "/s/e/k", O_RDONLY);
		close(dir);
		dir = open(DIR_D, O_PATH | O_DIRECTORY);
		faccessat(dir, "e/k", R_OK, 0);
		faccessat(dir, "s/e/k", R_OK, 0);
	}
	close(dir);
	return NULL;
}

TEST_F(race, a_directory_moves_as_a_key_comes_below)
{
	void *(*workers[])(void *) = { map_below_the_path };
	void *(*watchers[])(void *) = { move_the_parent, look_up_the_path,
					look_up_the_path };

	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, mkdir(DIR_D "/s", 0755));
	together(workers, 1, watchers, 3);
	run("rm -rf %s", DIR_D);
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(2, nlink_of(MNT));
}

static void *hide_and_uncover(void *arg)
{
	int turn, err;

	for (turn = 0; turn < half(300); turn++) {
		err = table("/name " G " reg");
		if (err)
			complain("add: %d, %s", err, last_error());
		err = text_is(MNT "/name", "other");
		if (err)
			complain("the key after the call: %d", err);
		err = table("-/name");
		if (err)
			complain("remove: %d, %s", err, last_error());
		err = text_is(MNT "/name", "mine");
		if (err)
			complain("the name after the call: %d", err);
	}
	return NULL;
}

static void *read_the_name(void *arg)
{
	char byte;

	/* One or the other, or for a moment neither; never anything else. */
	while (going_on()) {
		ssize_t got = get_bytes(MNT "/name", &byte, 1, 0);

		if (got == 1 ? byte != 'm' && byte != 'o' : got != -ENOENT)
			complain("read of a changing name: %zd", got);
		listed(MNT, "name");
	}
	return NULL;
}

TEST_F(race, a_name_is_hidden_and_uncovered)
{
	void *(*workers[])(void *) = { hide_and_uncover };
	void *(*watchers[])(void *) = { read_the_name, read_the_name };

	ASSERT_EQ(0, put_text(MNT "/name", "mine"));
	together(workers, 1, watchers, 2);
	EXPECT_EQ(0, text_is(MNT "/name", "mine"));
	EXPECT_EQ(1, count_names(MNT));
}

static void *add_and_remove_disks(void *arg)
{
	long id = (long)arg;
	int turn, err;

	for (turn = 0; turn < 25; turn++) {
		err = table("/disk%ld " F " blk", id);
		if (err)
			complain("add: %d, %s", err, last_error());
		err = table("-/disk%ld", id);
		if (err)
			complain("remove: %d, %s", err, last_error());
	}
	return NULL;
}

static void *read_disks(void *arg)
{
	char buf[512];

	while (going_on()) {
		int got = get_bytes(MNT "/disk0", buf, 512, 0);

		/* There, or not there any more. */
		if (got > 0 && fill_differs(buf, got, 0, 1) != -1)
			complain("a disk with other bytes");
	}
	return NULL;
}

TEST_F(race, disks_come_and_go_while_they_are_read)
{
	void *(*workers[])(void *) = { add_and_remove_disks,
				       add_and_remove_disks };
	void *(*watchers[])(void *) = { read_disks };

	together(workers, 2, watchers, 1);
	EXPECT_EQ(0, rows_are(""));
	EXPECT_EQ(0, fill_is(F, 0, 65536, 0, 1));
}

static void *read_the_table(void *arg)
{
	while (going_on()) {
		char *text = slurp(TABLE, 333, NULL);
		unsigned long long gen, n, end;
		char *footer = text ? strstr(text, "# end gen=") : NULL;
		int rows = 0;
		char *at;

		if (!footer ||
		    sscanf(text, "# etfs 1 gen=%llu n=%llu", &gen, &n) != 2 ||
		    sscanf(footer, "# end gen=%llu", &end) != 1) {
			complain("a table without its frame");
		} else if (gen == end) {
			/* Unchanged while it was read: then it is whole. */
			for (at = text; at < footer; at++)
				rows += *at == '\n';
			if (rows - 1 != (int)n)
				complain("%d rows of %llu", rows - 1, n);
		}
		free(text);
	}
	return NULL;
}

TEST_F(race, the_table_is_read_as_it_changes)
{
	void *(*workers[])(void *) = { add_and_remove };
	void *(*watchers[])(void *) = { read_the_table };
	int i;

	for (i = 0; i < 40; i++)
		ASSERT_EQ(0, table("/d/always-and-ever-%d " G " reg", i));
	together(workers, 1, watchers, 1);
}

TEST_HARNESS_MAIN
