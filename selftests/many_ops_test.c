// SPDX-License-Identifier: GPL-2.0
/* Calls of many operations, calls of many at once, and calls that are killed. */

#include <signal.h>

#include "lib/apply.h"
#include "lib/together.h"

#define F HOST "/f"
#define G HOST "/g"
#define D HOST "/d"

#define OLD_ROWS "/dir/old " G " reg rw\n/old " F " reg rw,tag=t\n"

static int make_hosts(void)
{
	return fill(F, 65536, 1) ?: put_text(G, "other") ?: ERR(mkdir(D, 0755));
}

/* Additions of /many/0, /many/1 and so on. */
static struct rumpfs_op *many_adds(int nr)
{
	struct rumpfs_op *ops = calloc(nr, sizeof(*ops));
	char (*keys)[24] = calloc(nr, sizeof(*keys));
	int i;

	for (i = 0; i < nr; i++) {
		sprintf(keys[i], "/many/%d", i);
		ops[i] = ADD(keys[i], G);
	}
	return ops;
}

#define EXPECT_UNCHANGED() do {						\
	EXPECT_EQ(0, rows_are(OLD_ROWS));				\
	EXPECT_EQ(self->gen, table_gen());				\
	EXPECT_EQ(2, count_names(MNT));					\
	EXPECT_EQ(0, text_is(MNT "/dir/old", "other"));			\
} while (0)

/* In the middle of many one is refused. */
FIXTURE(many)
{
	int fd;
	unsigned long long gen;
};

FIXTURE_VARIANT(many)
{
	int nr;
};

FIXTURE_VARIANT_ADD(many, two) { 2 };
FIXTURE_VARIANT_ADD(many, a_thousand) { 1000 };
FIXTURE_VARIANT_ADD(many, five_thousand) { 5000 };

FIXTURE_SETUP(many)
{
	if (is_sanitized())
		SKIP(return, "takes too long where each access is checked");
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_hosts());
	ASSERT_EQ(0, table("/old " F " reg tag=t\n/dir/old " G " reg"));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
	self->gen = table_gen();
}

FIXTURE_TEARDOWN(many)
{
	teardown_mount();
}

TEST_F(many, all_or_none)
{
	struct rumpfs_op *ops = many_adds(variant->nr), good;
	int middle = variant->nr / 2;

	ops[0] = REMOVE("/old");
	good = ops[middle];
	ops[middle] = ADD("/x", D "/none");
	EXPECT_EQ(ENOENT, apply_call(self->fd, ops, variant->nr, 0, 0));
	EXPECT_EQ(middle, applied.failed_op);
	EXPECT_UNCHANGED();
	ops[middle] = REMOVE("/none");
	EXPECT_EQ(ENOENT, apply_call(self->fd, ops, variant->nr, 0, 0));
	EXPECT_EQ(middle, applied.failed_op);
	ops[middle] = ADD("/dir/old", F);
	EXPECT_EQ(EEXIST, apply_call(self->fd, ops, variant->nr, 0, 0));
	EXPECT_EQ(middle, applied.failed_op);
	ops[middle] = ADD("/x", F, .size = 12345678);
	EXPECT_EQ(EINVAL, apply_call(self->fd, ops, variant->nr, 0, 0));
	EXPECT_EQ(middle, applied.failed_op);
	ops[middle] = ADD(8, F);
	EXPECT_EQ(EFAULT, apply_call(self->fd, ops, variant->nr, 0, 0));
	EXPECT_EQ(middle, applied.failed_op);
	EXPECT_UNCHANGED();

	/* The last one. */
	ops[middle] = good;
	good = ops[variant->nr - 1];
	ops[variant->nr - 1] = ADD("/x", D);
	EXPECT_EQ(EISDIR, apply_call(self->fd, ops, variant->nr, 0, 0));
	EXPECT_EQ(variant->nr - 1, applied.failed_op);
	EXPECT_UNCHANGED();
	ops[variant->nr - 1] = good;
	EXPECT_EQ(0, apply_call(self->fd, ops, variant->nr, 0, 0)) {
		TH_LOG("%u: %s", applied.failed_op, sentence);
	}
	EXPECT_EQ(variant->nr, applied.failed_op);
	EXPECT_EQ(variant->nr - 1, count_names(MNT "/many"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/old"));
	EXPECT_LT(self->gen, table_gen());
}

FIXTURE(big)
{
	int fd;
	unsigned long long gen;
};

FIXTURE_SETUP(big)
{
	if (is_sanitized())
		SKIP(return, "takes too long where each access is checked");
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_hosts());
	ASSERT_EQ(0, table("/old " F " reg tag=t\n/dir/old " G " reg"));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
	self->gen = table_gen();
}

FIXTURE_TEARDOWN(big)
{
	teardown_mount();
}

/* Only to the table that was seen. */

#define TURNS 100

static int shared_fd;
static int successes[2];

/* Add one key after the other, each only to the table that was seen. */
static void *compare_and_swap(void *arg)
{
	long who = (long)arg;
	char key[32];
	int i, err;

	for (i = 0; i < TURNS; i++) {
		struct rumpfs_op op = ADD(key, G);
		struct rumpfs_apply arg = {
			.ops = AT(&op), .nr_ops = 1, .op_size = sizeof(op),
		};

		sprintf(key, "/cas/%ld-%d", who, i);
		do {
			arg.generation = generation_at(shared_fd);
			err = ERR(ioctl(shared_fd, RUMPFS_IOC_APPLY, &arg));
		} while (err == EAGAIN);
		if (err) {
			complain("%s: %s", key, strerror(err));
			break;
		}
		successes[who]++;
	}
	return NULL;
}

TEST_F(big, generations_compare_and_swap)
{
	void *(*workers[])(void *) = { compare_and_swap, compare_and_swap };

	shared_fd = self->fd;
	together(workers, 2, NULL, 0);
	EXPECT_STREQ("", complaint);
	EXPECT_EQ(TURNS, successes[0]);
	EXPECT_EQ(TURNS, successes[1]);
	EXPECT_EQ(self->gen + 2 * TURNS, table_gen());
	EXPECT_EQ(2 * TURNS, count_names(MNT "/cas"));
}

#define BIG 20000

/* Each answer comes within this, on a machine that is emulated and shared. */
#define LIMIT_MS 30000

static long long slowest;

static void *ask_meanwhile(void *arg)
{
	struct rumpfs_stat st;
	long turns = 0;

	while (going_on() || !turns++) {
		long long begin = now_ms(), took;
		bool is_last, is_first;
		int err, n;

		err = stat_key(shared_fd, "/old", &st);
		if (err)
			complain("asked for a key: %s", strerror(err));
		err = fill_is(MNT "/old", 0, 64, 0, 1);
		if (err)
			complain("read a key: %s", strerror(err));
		is_last = !stat_err(MNT "/many/19999");
		is_first = !stat_err(MNT "/many/0");
		if (is_last && !is_first)
			complain("the last is there and the first is not");
		n = count_names(MNT);
		if (n != 2 && n != 3)
			complain("%d names are listed", n);
		took = now_ms() - begin;
		if (took > slowest)
			slowest = took;
	}
	return NULL;
}

static struct rumpfs_op *big_ops;

static void *apply_big(void *arg)
{
	struct rumpfs_apply call = {
		.ops = AT(big_ops), .nr_ops = BIG, .op_size = sizeof(*big_ops),
	};
	long long begin = now_ms();
	int err = ERR(ioctl(shared_fd, RUMPFS_IOC_APPLY, &call));

	if (err)
		complain("%u: %s", call.failed_op, strerror(err));
	printf("# %d additions took %lld ms\n", BIG, now_ms() - begin);
	return NULL;
}

TEST_F(big, others_go_on_while_many_are_added)
{
	void *(*worker[])(void *) = { apply_big };
	void *(*watcher[])(void *) = { ask_meanwhile };

	shared_fd = self->fd;
	big_ops = many_adds(BIG);
	together(worker, 1, watcher, 1);
	EXPECT_STREQ("", complaint);
	EXPECT_GT(LIMIT_MS, slowest);
	printf("# the slowest answer took %lld ms\n", slowest);
	EXPECT_EQ(BIG, count_names(MNT "/many"));
	EXPECT_EQ(self->gen + 1, table_gen());
}

/* Kill a child that is at it, so long after it began; whether it was too late. */
static bool killed_too_late(int fd, int after_ms, int *bad)
{
	long long begin;
	int pipes[2], n;
	pid_t pid;
	char byte;

	*bad = pipe(pipes);
	pid = fork();
	if (!pid) {
		*bad = write(pipes[1], "", 1);
		apply_call(fd, big_ops, BIG, 0, 0);
		_exit(0);
	}
	*bad |= read(pipes[0], &byte, 1) != 1;
	begin = now_ms();
	while (now_ms() < begin + after_ms)
		sched_yield();
	kill(pid, SIGKILL);
	*bad |= !WAIT_FOR(waitpid(pid, NULL, WNOHANG) == pid);
	close(pipes[0]);
	close(pipes[1]);
	/* Whole or untouched. */
	n = count_names(MNT "/many");
	*bad |= n != -ENOENT && n != BIG;
	return n == BIG;
}

TEST_F(big, a_killed_call_is_whole_or_nothing)
{
	int bad, after, untouched = 0;

	big_ops = many_adds(BIG);
	for (after = 0; after < 20000; after = after * 3 + 5) {
		bool is_whole = killed_too_late(self->fd, after, &bad);

		ASSERT_EQ(0, bad);
		if (is_whole) {
			EXPECT_LT(self->gen, table_gen());
			break;
		}
		EXPECT_UNCHANGED();
		untouched++;
	}
	EXPECT_LT(0, untouched);
	EXPECT_GT(20000, after);
	EXPECT_EQ(0, APPLY(self->fd, FLUSH()));
	EXPECT_EQ(0, count_names(MNT));
}

TEST_HARNESS_MAIN
