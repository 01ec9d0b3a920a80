// SPDX-License-Identifier: GPL-2.0
/*
 * The same random calls on tmpfs and rumpfs have the same results.
 *
 * RUMPFS_SEED repeats a run, RUMPFS_OPS makes it longer, RUMPFS_EVERY tells how
 * often the trees are compared, RUMPFS_WITHOUT names features that are left
 * out: xattr acl fallocate seek flags.
 *
 * Where the two are meant to differ, nothing is asked: what a store past the
 * end of a file leaves for when it grows (tmpfs shows it again); whether a
 * truncation to the same size moves times; ENOSPC; FALLOC_FL_ZERO_RANGE, which
 * tmpfs does not know.
 */

#include "lib/twin_ops.h"

#define ENTRY(name, weight) { #name, op_##name, weight, NULL }
#define FEATURE(name, weight, feature) { #name, op_##name, weight, feature }
static const struct {
	const char *name;
	long (*op)(struct world *w, const struct args *a, struct result *r);
	int weight;
	const char *feature;
} ops[] = {
	ENTRY(mkdir, 6), ENTRY(rmdir, 3), ENTRY(unlink, 4), ENTRY(link, 4),
	ENTRY(rename, 5), ENTRY(symlink, 3), ENTRY(rename2, 5),
	ENTRY(linkat, 2), ENTRY(linkfd, 3), ENTRY(mknod, 3),
	ENTRY(readlink, 1), ENTRY(list, 2), ENTRY(seekdir, 2),
	ENTRY(stand, 1), ENTRY(chdir, 1), ENTRY(chmod, 4), ENTRY(chown, 2),
	ENTRY(lchown, 2), ENTRY(fchmod, 2), ENTRY(fchown, 2),
	ENTRY(truncate, 2), ENTRY(access, 2), ENTRY(statx, 2),
	ENTRY(utimens, 2), ENTRY(statfs, 1), ENTRY(open, 8),
	ENTRY(openfile, 12), ENTRY(close, 2), ENTRY(dup, 2),
	ENTRY(pwrite, 10), ENTRY(write, 5), ENTRY(ftruncate, 5),
	ENTRY(flock, 2), ENTRY(fsync, 1), ENTRY(pread, 6), ENTRY(read, 4),
	ENTRY(lseek, 4), ENTRY(copy, 4), ENTRY(sendfile, 3),
	ENTRY(splice, 4), ENTRY(mmap, 4), ENTRY(load, 6), ENTRY(store, 6),
	FEATURE(seekhole, 5, "seek"), FEATURE(fallocate, 6, "fallocate"),
	FEATURE(setxattr, 4, "xattr"), FEATURE(getxattr, 4, "xattr"),
	FEATURE(removexattr, 2, "xattr"), FEATURE(listxattr, 2, "xattr"),
	FEATURE(setacl, 3, "acl"), FEATURE(getacl, 3, "acl"),
	FEATURE(setflags, 3, "flags"),
};

#define NR_OPS (sizeof(ops) / sizeof(*ops))

static size_t pick_op(struct dice *dice)
{
	int total = 0, at;
	size_t i;

	for (i = 0; i < NR_OPS; i++)
		total += ops[i].weight;
	for (at = dice_roll(dice, total), i = 0; at >= ops[i].weight; i++)
		at -= ops[i].weight;
	return i;
}

/* One to three of a few names, so that calls meet. */
static void pick_path(struct dice *dice, char *path)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f" };
	int depth = 1 + dice_roll(dice, 2) + dice_roll(dice, 3) / 2;

	*path = '\0';
	while (depth--) {
		char *end = path + strlen(path);
		int kind = dice_roll(dice, 40);

		/* Never out of the mount. */
		if (kind == 0 && end > path + 1 && end[-2] != '.')
			strcpy(end, "..");
		else if (kind == 1)
			strcpy(end, ".");
		else if (kind < 5)
			sprintf(end, "%0*d", 28 + (int)dice_roll(dice, 8), kind);
		else if (kind == 5)
			sprintf(end, "%0*d", 254 + (int)dice_roll(dice, 3), kind);
		else
			strcpy(end, names[dice_roll(dice, 6)]);
		if (depth || dice_one_in(dice, 50))
			strcat(path, "/");
	}
}

/* Mostly within a few pages, at odd places and at page borders. */
static off_t pick_pos(struct dice *dice)
{
	switch (dice_roll(dice, 12)) {
	case 0:
		return dice_roll(dice, 20) * PAGE;
	case 1:
		return (1ULL << dice_roll(dice, 45)) + dice_roll(dice, 3) - 1;
	case 2:
		return dice_one_in(dice, 5) ? -(off_t)dice_roll(dice, 100) : 0;
	default:
		return dice_roll(dice, 16 * PAGE);
	}
}

static int pick_open_flags(struct dice *dice)
{
	static const int odd[] = { O_EXCL, O_TRUNC, O_APPEND, O_TMPFILE,
				   O_DIRECTORY, O_NOFOLLOW, O_PATH, O_NOATIME,
				   O_SYNC, O_TRUNC, O_EXCL };
	int flags = dice_roll(dice, 4) | O_NONBLOCK | O_CLOEXEC;

	if (dice_roll(dice, 2))
		flags |= O_CREAT;
	while (dice_roll(dice, 5) < 2)
		flags |= odd[dice_roll(dice, 11)];
	return flags;
}

static void pick_args(struct dice *dice, struct args *a)
{
	static const mode_t modes[] = { 0777, 0755, 0644, 0700, 0, 07777, 01777,
					02775, 04755, 06711, 0222, 0444 };
	int i;

	pick_path(dice, a->path[0]);
	pick_path(dice, a->path[1]);
	a->a = dice_roll(dice, NR_SLOTS);
	a->b = dice_roll(dice, NR_SLOTS);
	for (i = 0; i < 6; i++)
		a->roll[i] = dice_roll(dice, 1 << 30);
	a->pos = pick_pos(dice);
	a->pos2 = pick_pos(dice);
	a->len = dice_one_in(dice, 4) ? dice_roll(dice, 16 * PAGE) :
					dice_roll(dice, 5000);
	a->mode = modes[dice_roll(dice, 12)];
	a->open_flags = pick_open_flags(dice);
	a->uid = dice_roll(dice, 3) ? 0 : 1000 + dice_roll(dice, 2);
}

static struct result do_op(size_t op, struct world *w, const struct args *a)
{
	struct result result = { .hash = 1 };

	act_as(a->uid);
	errno = 0;
	result.ret = ops[op].op(w, a, &result);
	result.err = result.ret < 0 ? errno : 0;
	act_as(0);
	see_stat(&result, world_path(w, a->path[0]));
	see_stat(&result, world_path(w, a->path[1]));
	if (w->fd[a->a] >= 0)
		see_fd(&result, w->fd[a->a]);
	if (w->fd[a->b] >= 0)
		see_fd(&result, w->fd[a->b]);
	return result;
}

static void describe(size_t op, const struct args *a, const struct result *x,
		     const struct result *y)
{
	printf("# %s(%s, %s, fds %d %d, pos %lld %lld len %zu, "
	       "mode %o, flags %o, uid %d, rolls %llu %llu %llu)\n",
	       ops[op].name, a->path[0], a->path[1], a->a, a->b,
	       (long long)a->pos, (long long)a->pos2, a->len, a->mode,
	       a->open_flags, a->uid, (unsigned long long)a->roll[0],
	       (unsigned long long)a->roll[1], (unsigned long long)a->roll[2]);
	printf("# tmpfs: %ld %s, hash %llx; rumpfs: %ld %s, hash %llx\n",
	       x->ret, strerror(x->err), (unsigned long long)x->hash, y->ret,
	       strerror(y->err), (unsigned long long)y->hash);
}

static bool tmpfs_has_xattrs;

FIXTURE(twin)
{
	struct world tmpfs, rumpfs;
	struct dice dice;
};

FIXTURE_SETUP(twin)
{
	ASSERT_EQ(0, setup_mount("size=0,nr_inodes=0,mode=0777"));
	ASSERT_EQ(0, mount("none", MNT2, "tmpfs", 0,
			   "size=0,nr_inodes=0,mode=0777"));
	/* Since 6.6; before, rumpfs has what tmpfs has not. */
	tmpfs_has_xattrs = !setxattr(MNT2, "user.probe", "", 0, 0) &&
			   !removexattr(MNT2, "user.probe");
	world_init(&self->tmpfs, MNT2);
	world_init(&self->rumpfs, MNT);
	self->dice.state = dice_seed("RUMPFS_SEED");
	signal(SIGBUS, catch_bus);
	signal(SIGPIPE, SIG_IGN);
}

FIXTURE_TEARDOWN(twin)
{
	world_exit(&self->tmpfs);
	world_exit(&self->rumpfs);
	teardown_mount();
}

static bool may_ask(const char *feature)
{
	if (!feature)
		return true;
	return has_feature(feature) &&
	       (tmpfs_has_xattrs || strcmp(feature, "xattr"));
}

/* Return: whether all went the same way. */
static bool step(struct dice *dice, struct world *tmpfs, struct world *rumpfs)
{
	struct args args;
	struct result x, y;
	size_t op = pick_op(dice);

	pick_args(dice, &args);
	if (!may_ask(ops[op].feature))
		return true;
	x = do_op(op, tmpfs, &args);
	y = do_op(op, rumpfs, &args);
	if (getenv("VERBOSE"))
		describe(op, &args, &x, &y);
	if (x.ret == y.ret && x.err == y.err && x.hash == y.hash)
		return true;
	describe(op, &args, &x, &y);
	return false;
}

TEST_F(twin, both_answer_alike)
{
	long n = env_number("RUMPFS_OPS", is_sanitized() ? 1500 : 6000), i;
	long every = env_number("RUMPFS_EVERY", 250);
	size_t at;

	printf("# RUMPFS_SEED=%llu\n", (unsigned long long)self->dice.state);
	for (at = 0; at < sizeof(data); at++)
		data[at] = fill_byte(at, 1);
	for (i = 0; i < n; i++) {
		if (!step(&self->dice, &self->tmpfs, &self->rumpfs))
			break;
		if (i % every == 0 || i == n - 1)
			ASSERT_EQ(0, trees_differ(&self->tmpfs, &self->rumpfs,
						  ""));
	}
	if (i < n)
		trees_differ(&self->tmpfs, &self->rumpfs, "");
	EXPECT_EQ(n, i);
}

TEST_HARNESS_MAIN
