// SPDX-License-Identifier: GPL-2.0
/* A listing shows each name once, whatever else comes and goes meanwhile. */

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "lib/fixture.h"

#define DIR_D MNT "/d"
#define STAYING 100

FIXTURE(list)
{
};

FIXTURE_SETUP(list)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
}

FIXTURE_TEARDOWN(list)
{
	teardown_mount();
}

static int touch_nr(const char *prefix, int nr)
{
	char path[128];

	snprintf(path, sizeof(path), DIR_D "/%s%d", prefix, nr);
	return put_text(path, "");
}

static int remove_nr(const char *prefix, int nr)
{
	char path[128];

	snprintf(path, sizeof(path), DIR_D "/%s%d", prefix, nr);
	return ERR(unlink(path));
}

/* Note that a staying name was seen; what else there is does not matter. */
static void count(int *seen, const char *name)
{
	int nr;

	if (sscanf(name, "stay%d", &nr) == 1 && nr >= 0 && nr < STAYING)
		seen[nr]++;
}

static bool all_once(const int *seen)
{
	int nr;

	for (nr = 0; nr < STAYING; nr++)
		if (seen[nr] != 1)
			break;
	if (nr < STAYING)
		printf("# stay%d was seen %d times\n", nr, seen[nr]);
	return nr == STAYING;
}

/* A cookie is no byte offset: as on tmpfs. */
TEST_F(list, a_listing_is_not_sought_from_its_end)
{
	int fd = open(DIR_D, O_RDONLY);

	ASSERT_EQ(0, touch_nr("stay", 0));
	EXPECT_EQ(EINVAL, ERR(lseek(fd, 0, SEEK_END)));
	EXPECT_EQ(EINVAL, ERR(lseek(fd, 10, SEEK_END)));
	EXPECT_EQ(EINVAL, ERR(lseek(fd, 0, SEEK_DATA)));
	EXPECT_EQ(EINVAL, ERR(lseek(fd, 0, SEEK_HOLE)));
	EXPECT_EQ(EINVAL, ERR(lseek(fd, -1, SEEK_SET)));
	EXPECT_EQ(1, lseek(fd, 1, SEEK_SET));
	EXPECT_EQ(1, lseek(fd, 0, SEEK_CUR));
	close(fd);
}

TEST_F(list, types_and_inode_numbers_are_told)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX,
				    .sun_path = DIR_D "/sock" };
	const struct {
		const char *name;
		unsigned char type;
	} want[] = {
		{ "file", DT_REG },  { "dir", DT_DIR },	  { "link", DT_LNK },
		{ "fifo", DT_FIFO }, { "sock", DT_SOCK }, { "chr", DT_CHR },
		{ "blk", DT_BLK },   { ".", DT_DIR },	  { "..", DT_DIR },
	};
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	struct dirent *entry;
	char path[300];
	size_t i, n = 0;
	DIR *dir;

	ASSERT_EQ(0, put_text(DIR_D "/file", ""));
	ASSERT_EQ(0, mkdir(DIR_D "/dir", 0755));
	ASSERT_EQ(0, symlink("x", DIR_D "/link"));
	ASSERT_EQ(0, mkfifo(DIR_D "/fifo", 0644));
	ASSERT_EQ(0, bind(sock, (void *)&addr, sizeof(addr)));
	ASSERT_EQ(0, mknod(DIR_D "/chr", S_IFCHR, makedev(1, 3)));
	ASSERT_EQ(0, mknod(DIR_D "/blk", S_IFBLK, makedev(1, 3)));
	dir = opendir(DIR_D);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		for (i = 0; i < ARRAY_SIZE(want); i++)
			if (!strcmp(want[i].name, entry->d_name))
				break;
		ASSERT_LT(i, ARRAY_SIZE(want));
		EXPECT_EQ(want[i].type, entry->d_type) {
			TH_LOG("%s", entry->d_name);
		}
		snprintf(path, sizeof(path), DIR_D "/%s", entry->d_name);
		EXPECT_EQ(ino_of(path), entry->d_ino);
		n++;
	}
	EXPECT_EQ(ARRAY_SIZE(want), n);
	closedir(dir);
	close(sock);
}

TEST_F(list, every_name_once_in_a_large_directory)
{
	char buf[1024];
	int seen[STAYING] = {}, n = 0, i, got, fd;
	struct dirent64 *entry;

	for (i = 0; i < STAYING; i++)
		ASSERT_EQ(0, touch_nr("stay", i));
	for (i = 0; i < 900; i++)
		ASSERT_EQ(0, touch_nr("more", i));
	fd = open(DIR_D, O_RDONLY | O_DIRECTORY);
	while ((got = getdents64(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < got; i += entry->d_reclen, n++) {
			entry = (void *)(buf + i);
			count(seen, entry->d_name);
		}
	}
	EXPECT_EQ(0, got);
	EXPECT_EQ(1002, n);
	EXPECT_TRUE(all_once(seen));
	close(fd);
}

TEST_F(list, staying_names_are_seen_once_amid_changes)
{
	int seen[STAYING] = {}, made = 0, removed = 0, i, got, fd;
	struct dirent64 *entry;
	char buf[256];

	for (i = 0; i < STAYING; i++) {
		ASSERT_EQ(0, touch_nr("stay", i));
		ASSERT_EQ(0, touch_nr("go", i));
	}
	fd = open(DIR_D, O_RDONLY | O_DIRECTORY);
	while ((got = getdents64(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < got; i += entry->d_reclen) {
			entry = (void *)(buf + i);
			count(seen, entry->d_name);
		}
		/* The listing must end: stop making names some time. */
		for (i = 0; i < 5; i++) {
			if (made < 300)
				ASSERT_EQ(0, touch_nr("new", made++));
			if (removed < STAYING)
				ASSERT_EQ(0, remove_nr("go", removed++));
			if (made > 20 && made < 300)
				ASSERT_EQ(0, remove_nr("new", made - 20));
		}
	}
	EXPECT_EQ(0, got);
	EXPECT_TRUE(all_once(seen));
	close(fd);
}

TEST_F(list, names_removed_as_they_are_read_all_go)
{
	struct dirent64 *entry;
	int i, got, fd;
	char buf[256];

	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, touch_nr("gone", i));
	fd = open(DIR_D, O_RDONLY | O_DIRECTORY);
	while ((got = getdents64(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < got; i += entry->d_reclen) {
			entry = (void *)(buf + i);
			if (entry->d_name[0] != '.')
				ASSERT_EQ(0, unlinkat(fd, entry->d_name, 0));
		}
	}
	close(fd);
	EXPECT_EQ(0, rmdir(DIR_D));
}

/* Rename is what a listing by position gets wrong most easily. */
TEST_F(list, renames_of_others_do_not_disturb)
{
	int seen[STAYING] = {}, turn = 0, i, got, fd;
	struct dirent64 *entry;
	char buf[256];

	for (i = 0; i < STAYING; i++)
		ASSERT_EQ(0, touch_nr("stay", i));
	ASSERT_EQ(0, put_text(DIR_D "/a", ""));
	fd = open(DIR_D, O_RDONLY | O_DIRECTORY);
	while ((got = getdents64(fd, buf, sizeof(buf))) > 0 && turn < 1000) {
		for (i = 0; i < got; i += entry->d_reclen) {
			entry = (void *)(buf + i);
			count(seen, entry->d_name);
		}
		turn++;
		ASSERT_EQ(0, rename(turn & 1 ? DIR_D "/a" : DIR_D "/b",
				    turn & 1 ? DIR_D "/b" : DIR_D "/a"));
	}
	EXPECT_EQ(0, got);
	EXPECT_TRUE(all_once(seen));
	close(fd);
}

TEST_F(list, cookies_lead_back_to_the_same_name)
{
	char names[STAYING + 2][32];
	long cookies[STAYING + 2];
	struct dirent *entry;
	int i, n = 0;
	DIR *dir;

	for (i = 0; i < STAYING; i++)
		ASSERT_EQ(0, touch_nr("stay", i));
	dir = opendir(DIR_D);
	ASSERT_NE(NULL, dir);
	for (;;) {
		long at = telldir(dir);

		entry = readdir(dir);
		if (!entry)
			break;
		ASSERT_LT(n, STAYING + 2);
		cookies[n] = at;
		strcpy(names[n++], entry->d_name);
	}
	ASSERT_EQ(STAYING + 2, n);

	/* Others come and go; backwards through the cookies. */
	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, touch_nr("new", i));
	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, remove_nr("new", i));
	for (i = n - 1; i >= 0; i--) {
		seekdir(dir, cookies[i]);
		entry = readdir(dir);
		ASSERT_NE(NULL, entry);
		ASSERT_EQ(0, strcmp(names[i], entry->d_name)) {
			TH_LOG("%s instead of %s", entry->d_name, names[i]);
		}
	}
	closedir(dir);
}

TEST_F(list, a_cookie_of_a_removed_name_leads_to_the_next)
{
	int seen[STAYING] = {}, i, n = 0;
	struct dirent *entry;
	long cookie = 0;
	char name[256];
	DIR *dir;

	for (i = 0; i < STAYING; i++)
		ASSERT_EQ(0, touch_nr("stay", i));
	dir = opendir(DIR_D);
	ASSERT_NE(NULL, dir);
	while (n++ < 50) {
		cookie = telldir(dir);
		entry = readdir(dir);
		ASSERT_NE(NULL, entry);
		strcpy(name, entry->d_name);
		count(seen, name);
	}
	ASSERT_EQ(0, unlinkat(dirfd(dir), name, 0));
	seekdir(dir, cookie);
	while ((entry = readdir(dir)))
		count(seen, entry->d_name);
	EXPECT_TRUE(all_once(seen));
	closedir(dir);
}

TEST_F(list, rewind_shows_new_names)
{
	struct dirent *entry;
	DIR *dir;
	int n = 0;

	ASSERT_EQ(0, touch_nr("a", 0));
	dir = opendir(DIR_D);
	ASSERT_NE(NULL, dir);
	while (readdir(dir))
		n++;
	EXPECT_EQ(3, n);
	ASSERT_EQ(0, touch_nr("a", 1));
	rewinddir(dir);
	for (n = 0; (entry = readdir(dir)); n++)
		;
	EXPECT_EQ(4, n);
	closedir(dir);
}

TEST_F(list, a_removed_directory_lists_nothing)
{
	struct dirent64 *entry;
	char buf[1024];
	int fd = open(DIR_D, O_RDONLY | O_DIRECTORY), got, i;

	ASSERT_EQ(0, rmdir(DIR_D));
	got = getdents64(fd, buf, sizeof(buf));
	if (got < 0)
		EXPECT_EQ(ENOENT, errno);
	for (i = 0; i < got; i += entry->d_reclen) {
		entry = (void *)(buf + i);
		EXPECT_EQ('.', entry->d_name[0]);
	}
	close(fd);
}

TEST_HARNESS_MAIN
