// SPDX-License-Identifier: GPL-2.0
/* A listing ends, and shows what stays once, though names change meanwhile. */

#include <dirent.h>

#include "lib/fixture.h"

#define DIR_D MNT "/d"
#define MANY 2000

/* Make the files 0 to MANY - 1. */
static int touch_many(void)
{
	char path[128];
	int i, err = 0;

	for (i = 0; i < MANY && !err; i++) {
		snprintf(path, sizeof(path), DIR_D "/%d", i);
		err = put_text(path, "");
	}
	return err;
}

/*
 * How often a listing shows a name, with change() called once so many entries
 * were read. The buffer holds about ten of them. Return: -1 if anything failed.
 */
static int times_seen(const char *name, int when, int (*change)(void))
{
	int times = 0, n = 0, i, got, fd = open(DIR_D, O_RDONLY | O_DIRECTORY);
	struct dirent64 *entry;
	/* A few at a time, so that the cookies between them matter. */
	char buf[256];

	while ((got = getdents64(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < got; i += entry->d_reclen, n++) {
			entry = (void *)(buf + i);
			times += !strcmp(name, entry->d_name);
		}
		if (n >= when && change) {
			if (change())
				break;
			change = NULL;
		}
	}
	close(fd);
	return got ? -1 : times;
}

static int replace_cfg(void)
{
	return put_text(DIR_D "/cfg.tmp", "") ?:
	       ERR(rename(DIR_D "/cfg.tmp", DIR_D "/cfg"));
}

static int replace_cfg_from_elsewhere(void)
{
	return put_text(MNT "/cfg", "") ?:
	       ERR(rename(MNT "/cfg", DIR_D "/cfg"));
}

static int exchange_cfg(void)
{
	return put_text(DIR_D "/cfg.tmp", "") ?:
	       ERR(renameat2(AT_FDCWD, DIR_D "/cfg.tmp", AT_FDCWD,
			     DIR_D "/cfg", RENAME_EXCHANGE));
}

static int leave_whiteout_at_cfg(void)
{
	return ERR(renameat2(AT_FDCWD, DIR_D "/cfg", AT_FDCWD,
			     DIR_D "/cfg.old", RENAME_WHITEOUT));
}

FIXTURE(list_change)
{
};

FIXTURE_VARIANT(list_change)
{
	int (*change)(void);
};

FIXTURE_VARIANT_ADD(list_change, replaced)
{
	.change = replace_cfg,
};

FIXTURE_VARIANT_ADD(list_change, replaced_from_elsewhere)
{
	.change = replace_cfg_from_elsewhere,
};

FIXTURE_VARIANT_ADD(list_change, exchanged)
{
	.change = exchange_cfg,
};

FIXTURE_VARIANT_ADD(list_change, moved_from_under_a_whiteout)
{
	.change = leave_whiteout_at_cfg,
};

FIXTURE_SETUP(list_change)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
}

FIXTURE_TEARDOWN(list_change)
{
	teardown_mount();
}

TEST_F(list_change, a_name_that_was_read_is_not_seen_again)
{
	ASSERT_EQ(0, put_text(DIR_D "/cfg", ""));
	ASSERT_EQ(0, touch_many());
	EXPECT_EQ(1, times_seen("cfg", 10, variant->change));
	EXPECT_EQ(1, times_seen("cfg", 0, NULL));
}

TEST_F(list_change, a_name_that_was_not_read_is_seen)
{
	ASSERT_EQ(0, touch_many());
	ASSERT_EQ(0, put_text(DIR_D "/cfg", ""));
	EXPECT_EQ(1, times_seen("cfg", 10, variant->change));
	EXPECT_EQ(1, times_seen("cfg", 0, NULL));
}

FIXTURE(list_end)
{
};

FIXTURE_SETUP(list_end)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, touch_many());
}

FIXTURE_TEARDOWN(list_end)
{
	teardown_mount();
}

static int rename_away_and_back(int fd, const char *name)
{
	return ERR(renameat(fd, name, fd, "away")) ?:
	       ERR(renameat(fd, "away", fd, name));
}

static int make_another(int fd, const char *name)
{
	char other[300];
	int file;

	snprintf(other, sizeof(other), "%s.x", name);
	file = openat(fd, other, O_CREAT | O_WRONLY, 0644);
	return file < 0 ? errno : ERR(close(file));
}

/*
 * Entries a listing has, with a change for each one that is read; it is given
 * up at some more than most.
 */
static int entries_read(int (*change)(int fd, const char *name), int most)
{
	int fd = open(DIR_D, O_RDONLY | O_DIRECTORY), n = 0, i, got;
	struct dirent64 *entry;
	char buf[1024];

	while ((got = getdents64(fd, buf, sizeof(buf))) > 0 && n < most) {
		for (i = 0; i < got; i += entry->d_reclen, n++) {
			entry = (void *)(buf + i);
			if (entry->d_name[0] != '.' &&
			    change(fd, entry->d_name))
				return -1;
		}
	}
	close(fd);
	return got < 0 ? -1 : n;
}

TEST_F(list_end, each_name_that_is_read_is_renamed_and_back)
{
	EXPECT_EQ(MANY + 2, entries_read(rename_away_and_back, 2 * MANY));
}

TEST_F(list_end, a_name_is_made_for_each_that_is_read)
{
	EXPECT_EQ(MANY + 2, entries_read(make_another, 2 * MANY));
	/* The next pass has those, too. */
	EXPECT_EQ(2 * MANY + 2, entries_read(rename_away_and_back, 4 * MANY));
}

/* A directory that keys imply, among keys */

#define KEYS 300

static int add_keys(void)
{
	int i, err = 0;

	for (i = 0; i < KEYS && !err; i += 2)
		err = table("/d/k%d " HOST "/f reg\n/d/k%d " HOST "/f reg", i,
			    i + 1);
	return err;
}

static int chmod_implied(void)
{
	return ERR(chmod(DIR_D "/x", 0700));
}

/* It is not empty, and stays. */
static int remove_last_key(void)
{
	return table("-/d/x/k");
}

static int remove_and_add_again(void)
{
	return table("-/d/x/k") ?: table("/d/x/other " HOST "/f reg");
}

FIXTURE(list_implied)
{
};

FIXTURE_VARIANT(list_implied)
{
	int (*change)(void);
};

FIXTURE_VARIANT_ADD(list_implied, chmod)
{
	.change = chmod_implied,
};

FIXTURE_VARIANT_ADD(list_implied, last_key_removed)
{
	.change = remove_last_key,
};

FIXTURE_VARIANT_ADD(list_implied, last_key_removed_and_another_added)
{
	.change = remove_and_add_again,
};

FIXTURE_SETUP(list_implied)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(HOST "/f", ""));
}

FIXTURE_TEARDOWN(list_implied)
{
	teardown_mount();
}

TEST_F(list_implied, what_was_read_is_not_seen_again)
{
	ASSERT_EQ(0, table("/d/x/k " HOST "/f reg"));
	ASSERT_EQ(0, add_keys());
	ASSERT_EQ(0, put_text(DIR_D "/x/file", ""));
	EXPECT_EQ(1, times_seen("x", 10, variant->change));
	EXPECT_EQ(1, times_seen("x", 0, NULL));
}

TEST_F(list_implied, what_was_not_read_is_seen)
{
	ASSERT_EQ(0, add_keys());
	ASSERT_EQ(0, table("/d/x/k " HOST "/f reg"));
	ASSERT_EQ(0, put_text(DIR_D "/x/file", ""));
	EXPECT_EQ(1, times_seen("x", 10, variant->change));
	EXPECT_EQ(1, times_seen("x", 0, NULL));
}

TEST_F(list_implied, what_is_moved_since_is_seen_once)
{
	ASSERT_EQ(0, add_keys());
	ASSERT_EQ(0, table("/d/x/k " HOST "/f reg"));
	ASSERT_EQ(0, put_text(DIR_D "/x/file", ""));
	ASSERT_EQ(0, variant->change());
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(1, times_seen("x", 0, NULL));
	ASSERT_EQ(0, put_text(DIR_D "/file", ""));
	ASSERT_EQ(0, renameat2(AT_FDCWD, DIR_D "/x", AT_FDCWD, DIR_D "/file",
			       RENAME_EXCHANGE));
	EXPECT_EQ(1, times_seen("x", 0, NULL));
	EXPECT_EQ(1, times_seen("file", 0, NULL));
	ASSERT_EQ(0, rename(DIR_D "/file", DIR_D "/y"));
	EXPECT_EQ(0, times_seen("file", 0, NULL));
	EXPECT_EQ(1, times_seen("y", 0, NULL));
}

/* Keys begin anew below a directory that went: their places come again. */
TEST_F(list_implied, what_outlives_keys_of_several_lives_is_seen_once)
{
	char key[32], path[64], file[80];
	int life;

	for (life = 0; life < 3; life++) {
		sprintf(key, "/d/x%d/k", life);
		sprintf(path, DIR_D "/x%d", life);
		sprintf(file, "%s/file", path);
		ASSERT_EQ(0, table("%s " HOST "/f reg", key));
		ASSERT_EQ(0, put_text(file, ""));
		ASSERT_EQ(0, table("-%s", key));
	}
	ASSERT_EQ(0, table("/d/x/k " HOST "/f reg"));
	EXPECT_EQ(1, times_seen("x", 0, NULL));
	EXPECT_EQ(1, times_seen("x0", 0, NULL));
	EXPECT_EQ(1, times_seen("x1", 0, NULL));
	EXPECT_EQ(1, times_seen("x2", 0, NULL));
	ASSERT_EQ(0, add_keys());
	EXPECT_EQ(1, times_seen("x1", 0, NULL));
	EXPECT_EQ(1, times_seen("k299", 0, NULL));
	EXPECT_EQ(1, times_seen("k0", 0, NULL));
}

TEST_HARNESS_MAIN
