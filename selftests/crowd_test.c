// SPDX-License-Identifier: GPL-2.0
/*
 * Many threads make, move and remove names in a few directories at once; what
 * must hold while they do and when they are done.
 *
 * RUMPFS_OPS makes it longer: calls of each thread.
 */

#include <pthread.h>
#include <sys/statvfs.h>

#include "lib/twin.h"

#define NR_THREADS 4
#define NR_DIRS 4
#define STAYING 50
#define DIRS MNT "/dirs"

FIXTURE(crowd)
{
	struct statvfs before;
};

static struct crowd {
	pthread_t thread;
	struct dice dice;
	long ops;
} crowd[NR_THREADS];

static bool is_done;

static long nr_ops(void)
{
	return env_number("RUMPFS_OPS", is_sanitized() ? 1000 : 5000);
}

static void staying_name(char *path, size_t size, int dir, int nr)
{
	snprintf(path, size, DIRS "/%d/stay%d", dir, nr);
}

FIXTURE_SETUP(crowd)
{
	char path[128];
	int dir, nr;

	ASSERT_EQ(0, setup_mount("size=64M,nr_inodes=20000"));
	ASSERT_EQ(0, statvfs(MNT, &self->before));
	ASSERT_EQ(0, mkdir(DIRS, 0755));
	for (dir = 0; dir < NR_DIRS; dir++) {
		snprintf(path, sizeof(path), DIRS "/%d", dir);
		ASSERT_EQ(0, mkdir(path, 0755));
		for (nr = 0; nr < STAYING; nr++) {
			staying_name(path, sizeof(path), dir, nr);
			ASSERT_EQ(0, put_text(path, ""));
		}
	}
	is_done = false;
}

FIXTURE_TEARDOWN(crowd)
{
	teardown_mount();
}

/* One of few names, some of them long, so that threads meet. */
static const char *pick_name(struct dice *dice, char *path, size_t size)
{
	int nr = dice_roll(dice, 12);

	snprintf(path, size, DIRS "/%d/%0*d", (int)dice_roll(dice, NR_DIRS),
		 nr % 4 ? 3 : 40 + nr * 10, nr);
	/* Directories among them get names too. */
	if (dice_one_in(dice, 6))
		strcat(path, "/x");
	return path;
}

static void one_call(struct dice *dice)
{
	char a[512], b[512];
	int fd;

	pick_name(dice, a, sizeof(a));
	pick_name(dice, b, sizeof(b));
	switch (dice_roll(dice, 12)) {
	case 0:
		mkdir(a, 0755);
		break;
	case 1:
		rmdir(a);
		break;
	case 2:
	case 3:
		unlink(a);
		break;
	case 4:
		link(a, b);
		break;
	case 5:
		symlink(b, a);
		break;
	case 6:
	case 7:
		rename(a, b);
		break;
	case 8:
		syscall(__NR_renameat2, AT_FDCWD, a, AT_FDCWD, b,
			1 << dice_roll(dice, 3));
		break;
	case 9:
		fd = open(DIRS, O_TMPFILE | O_RDWR, 0600);
		snprintf(b, sizeof(b), "/proc/self/fd/%d", fd);
		linkat(AT_FDCWD, b, AT_FDCWD, a, AT_SYMLINK_FOLLOW);
		close(fd);
		break;
	default:
		fd = open(a, O_CREAT | O_RDWR | O_NONBLOCK | O_NOFOLLOW, 0644);
		if (fd < 0)
			break;
		pwrite(fd, a, 300, dice_roll(dice, 10000));
		if (dice_one_in(dice, 3))
			ftruncate(fd, dice_roll(dice, 5000));
		close(fd);
	}
}

static void *make_calls(void *arg)
{
	struct crowd *one = arg;

	while (one->ops--)
		one_call(&one->dice);
	return NULL;
}

static void crowd_begin(void)
{
	uint64_t seed = dice_seed("RUMPFS_SEED");
	int i;

	printf("# RUMPFS_SEED=%llu\n", (unsigned long long)seed);
	for (i = 0; i < NR_THREADS; i++) {
		crowd[i].dice.state = seed + i;
		crowd[i].ops = nr_ops();
		pthread_create(&crowd[i].thread, NULL, make_calls, &crowd[i]);
	}
}

static void crowd_end(void)
{
	int i;

	for (i = 0; i < NR_THREADS; i++)
		pthread_join(crowd[i].thread, NULL);
	__atomic_store_n(&is_done, true, __ATOMIC_RELEASE);
}

static void count_staying(int *seen, const char *name)
{
	int nr;

	if (sscanf(name, "stay%d", &nr) == 1 && nr >= 0 && nr < STAYING)
		seen[nr]++;
}

static int not_once(const int *seen)
{
	int nr, wrong = 0;

	for (nr = 0; nr < STAYING; nr++) {
		if (seen[nr] == 1)
			continue;
		printf("# stay%d was seen %d times\n", nr, seen[nr]);
		wrong++;
	}
	return wrong;
}

/* A whole listing, begun again from a cookie in the middle of it. */
static int list_once(int dir, struct dice *dice)
{
	int before[STAYING] = {}, after[STAYING] = {}, all[STAYING], i;
	long cookie, stop = dice_roll(dice, 2 * STAYING);
	struct dirent *entry;
	char path[64];
	DIR *stream;

	snprintf(path, sizeof(path), DIRS "/%d", dir);
	stream = opendir(path);
	while (stop-- && (entry = readdir(stream)))
		count_staying(before, entry->d_name);
	cookie = telldir(stream);
	while ((entry = readdir(stream)))
		count_staying(after, entry->d_name);
	for (i = 0; i < STAYING; i++)
		all[i] = before[i] + after[i];
	if (not_once(all)) {
		closedir(stream);
		return 1;
	}
	seekdir(stream, cookie);
	while ((entry = readdir(stream)))
		count_staying(before, entry->d_name);
	closedir(stream);
	return !!not_once(before);
}

static void *make_listings(void *arg)
{
	struct dice dice = { .state = dice_seed("RUMPFS_SEED") };
	long wrong = 0, n = 0;

	while (!__atomic_load_n(&is_done, __ATOMIC_ACQUIRE) || !n)
		wrong += list_once(n++ % NR_DIRS, &dice);
	return (void *)wrong;
}

/* The links of each inode, as told and as found. */
struct seen {
	uint64_t ino;
	int told, found;
	bool is_dir;
};

static struct seen seen[20000];

static struct seen *seen_of(const struct stat *st)
{
	size_t i = st->st_ino % ARRAY_SIZE(seen);

	while (seen[i].ino && seen[i].ino != st->st_ino)
		i = (i + 1) % ARRAY_SIZE(seen);
	seen[i].ino = st->st_ino;
	seen[i].told = st->st_nlink;
	seen[i].is_dir = S_ISDIR(st->st_mode);
	return &seen[i];
}

static void walk(const char *path, struct seen *parent)
{
	struct dirent **names, *entry;
	char below[PAGE / 2];
	struct stat st;
	struct seen *here;
	int i, n;

	if (lstat(path, &st)) {
		printf("# %s is listed and not there\n", path);
		seen[0].found = 1000;
		return;
	}
	here = seen_of(&st);
	here->found++;
	if (!here->is_dir)
		return;
	/* Its own dot; its subdirectories add theirs. */
	here->found++;
	if (parent)
		parent->found++;
	n = list_sorted(path, &names);
	for (i = 0; i < n; i++) {
		entry = names[i];
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		walk(below, here);
	}
	list_free(names, n);
}

static int links_wrong(void)
{
	int wrong = 0;
	size_t i;

	memset(seen, 0, sizeof(seen));
	walk(MNT, NULL);
	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		if (seen[i].told == seen[i].found)
			continue;
		printf("# inode %llu has %d links and says %d\n",
		       (unsigned long long)seen[i].ino, seen[i].found,
		       seen[i].told);
		wrong++;
	}
	return wrong;
}

TEST_F(crowd, names_and_links_agree_in_the_end)
{
	struct statvfs after;

	crowd_begin();
	crowd_end();
	EXPECT_EQ(0, links_wrong());
	EXPECT_EQ(0, run("rm -r " DIRS));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(2, nlink_of(MNT));

	/* What was open or moved is let go a moment later. */
	EXPECT_TRUE(WAIT_FOR(!statvfs(MNT, &after) &&
			     after.f_ffree == self->before.f_ffree &&
			     after.f_bfree == self->before.f_bfree)) {
		TH_LOG("inodes %llu of %llu, blocks %llu of %llu",
		       (unsigned long long)after.f_ffree,
		       (unsigned long long)self->before.f_ffree,
		       (unsigned long long)after.f_bfree,
		       (unsigned long long)self->before.f_bfree);
	}
}

TEST_F(crowd, what_stays_is_listed_once)
{
	pthread_t lister;
	void *wrong;

	crowd_begin();
	ASSERT_EQ(0, pthread_create(&lister, NULL, make_listings, NULL));
	crowd_end();
	ASSERT_EQ(0, pthread_join(lister, &wrong));
	EXPECT_EQ(0, (long)wrong);
}

/* A name that is moved to and fro is always at one of its places. */
static void *move_about(void *arg)
{
	while (!__atomic_load_n(&is_done, __ATOMIC_ACQUIRE)) {
		rename(DIRS "/0/mover", DIRS "/1/mover");
		rename(DIRS "/1/mover", DIRS "/0/mover");
	}
	return NULL;
}

/* Two names that change places are never away. */
static void *change_places(void *arg)
{
	while (!__atomic_load_n(&is_done, __ATOMIC_ACQUIRE))
		syscall(__NR_renameat2, AT_FDCWD, DIRS "/2/left", AT_FDCWD,
			DIRS "/3/right", 2);
	return NULL;
}

/* Nor is one that is replaced again and again. */
static void *replace(void *arg)
{
	while (!__atomic_load_n(&is_done, __ATOMIC_ACQUIRE)) {
		put_text(DIRS "/2/new", "text");
		rename(DIRS "/2/new", DIRS "/2/target");
	}
	return NULL;
}

TEST_F(crowd, what_is_replaced_is_never_away)
{
	long nr = nr_ops(), i;
	pthread_t threads[3];

	ASSERT_EQ(0, put_text(DIRS "/0/mover", "text"));
	ASSERT_EQ(0, put_text(DIRS "/2/left", "text"));
	ASSERT_EQ(0, mkdir(DIRS "/3/right", 0755));
	ASSERT_EQ(0, put_text(DIRS "/2/target", "text"));
	pthread_create(&threads[0], NULL, move_about, NULL);
	pthread_create(&threads[1], NULL, change_places, NULL);
	pthread_create(&threads[2], NULL, replace, NULL);
	for (i = 0; i < nr; i++) {
		if (stat_err(DIRS "/2/left") || stat_err(DIRS "/3/right") ||
		    stat_err(DIRS "/2/target") || text_is(DIRS "/2/target", "text"))
			break;
	}
	__atomic_store_n(&is_done, true, __ATOMIC_RELEASE);
	EXPECT_EQ(nr, i);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(1, !stat_err(DIRS "/0/mover") + !stat_err(DIRS "/1/mover"));
	EXPECT_EQ(0, links_wrong());
}

TEST_HARNESS_MAIN
