// SPDX-License-Identifier: GPL-2.0
/* Names that keys hide come back, and many cost no more each than few. */

#include "lib/fixture.h"

#define DIR_ MNT "/dir"
#define FEW 2000
#define MANY 20000

FIXTURE(hidden)
{
};

FIXTURE_SETUP(hidden)
{
	if (is_sanitized())
		SKIP(return, "takes too long where each access is checked");
	ASSERT_EQ(0, setup_mount("size=0,nr_inodes=0"));
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, mkdir(DIR_, 0755));
}

FIXTURE_TEARDOWN(hidden)
{
	teardown_mount();
}

/* Of this process: others share the machine. */
static long long cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static int make(int n)
{
	char path[64];
	int i, err = 0;

	for (i = 0; i < n && !err; i++) {
		sprintf(path, DIR_ "/%d", i);
		err = ERR(mknod(path, S_IFREG | 0644, 0));
	}
	return err;
}

/* A row for each, as many in a write as it takes. */
static int hide(int n, const char *row)
{
	char text[4096];
	int i, len = 0, err = 0;

	for (i = 0; i < n && !err; i++) {
		len += sprintf(text + len, row, i);
		if (len < 4000 && i < n - 1)
			continue;
		err = table_write(text, len);
		len = 0;
	}
	return err;
}

/* How many have this size. */
static int count_size(int n, long long size)
{
	int i, count = 0;
	char path[64];

	for (i = 0; i < n; i++) {
		sprintf(path, DIR_ "/%d", i);
		count += size_of(path) == size;
	}
	return count;
}

/* Hide so many, look at each, and show them again: CPU time for each, ns. */
static long long cost(int n)
{
	long long begin;

	if (make(n))
		return -1;
	begin = cpu_us();
	if (hide(n, "/dir/%d /mnt/host/f reg\n") || count_size(n, 4) != n ||
	    hide(n, "-/dir/%d\n") || count_size(n, 0) != n)
		return -1;
	begin = cpu_us() - begin;
	return run("rm -r " DIR_) || mkdir(DIR_, 0755) ? -1 : begin * 1000 / n;
}

TEST_F_TIMEOUT(hidden, ten_times_as_many_cost_ten_times_as_much, 600)
{
	long long few = 0, many = 0;
	int tries;

	/* The machine is not ours alone. */
	for (tries = 0; tries < 3; tries++) {
		few = cost(FEW);
		ASSERT_LT(0, few);
		many = cost(MANY);
		ASSERT_LT(0, many);
		if (many < 3 * few)
			break;
	}
	printf("# a name of %d: %lld ns, of %d: %lld ns\n", FEW, few, MANY,
	       many);
	EXPECT_LT(many, 3 * few);
}

/* A key before the directory of other keys: what those implied in it stays. */
TEST_F_TIMEOUT(hidden, implied_names_stay_among_many, 600)
{
	long long us[2];
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, make(i ? MANY : 0));
		ASSERT_EQ(0, hide(FEW, "/dir/x%d/key /mnt/host/f reg\n"));
		ASSERT_EQ(0, run("cat " DIR_ "/x*/key"));
		us[i] = cpu_us();
		ASSERT_EQ(0, table("/dir /mnt/host dir"));
		us[i] = cpu_us() - us[i];
		EXPECT_EQ(0, text_is(DIR_ "/f", "host"));
		ASSERT_EQ(0, table("-/dir"));
		EXPECT_EQ(0, text_is(DIR_ "/x1/key", "host"));
		ASSERT_EQ(0, table("flush"));
		EXPECT_EQ(i ? MANY : 0, count_names(DIR_));
	}
	printf("# among 0: %lld us, among %d: %lld us\n", us[0], MANY, us[1]);
	/* To look at all of them for each name would take far longer. */
	EXPECT_LT(us[1], 10 * us[0]);
}

TEST_F(hidden, a_name_hidden_twice_comes_back_in_turn)
{
	ASSERT_EQ(0, put_text(DIR_ "/a", "first"));
	/* A directory that outlives its key stands before the file. */
	ASSERT_EQ(0, table("/dir/a/key /mnt/host/f reg"));
	ASSERT_EQ(0, put_text(DIR_ "/a/kept", "second"));
	ASSERT_EQ(0, table("-/dir/a/key"));
	EXPECT_EQ(0, text_is(DIR_ "/a/kept", "second"));
	/* A key stands before both. */
	ASSERT_EQ(0, table("/dir/a /mnt/host/f reg"));
	EXPECT_EQ(0, text_is(DIR_ "/a", "host"));
	EXPECT_EQ(1, count_names(DIR_));
	EXPECT_EQ(0, table("-/dir/a"));

	EXPECT_EQ(0, text_is(DIR_ "/a/kept", "second"));
	EXPECT_EQ(1, count_names(DIR_));
	EXPECT_EQ(3, nlink_of(DIR_));
	EXPECT_EQ(0, unlink(DIR_ "/a/kept"));
	EXPECT_EQ(0, rmdir(DIR_ "/a"));
	EXPECT_EQ(0, text_is(DIR_ "/a", "first"));
	EXPECT_EQ(2, nlink_of(DIR_));
}

/* What is hidden while the mount goes, goes. */
TEST_F(hidden, a_mount_goes_with_its_hidden_names)
{
	ASSERT_EQ(0, make(100));
	ASSERT_EQ(0, mkdir(DIR_ "/sub", 0755));
	ASSERT_EQ(0, put_text(DIR_ "/sub/x", ""));
	ASSERT_EQ(0, hide(100, "/dir/%d /mnt/host/f reg\n"));
	ASSERT_EQ(0, table("/dir/sub /mnt/host/f reg"));
	EXPECT_EQ(0, umount(MNT));
	EXPECT_EQ(0, table("flush"));
}

TEST_HARNESS_MAIN
