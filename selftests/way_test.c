// SPDX-License-Identifier: GPL-2.0
/*
 * Ways to a mapped directory and below it: what is not in memory is found name
 * by name, and no lock of a rumpfs is waited for on the way.
 */

#include <signal.h>

#include "lib/fixture.h"

#define DISK HOST "/disk"
#define D DISK "/a/b/d"
#define K MNT "/k"

/*
 * On a file system whose names can be forgotten:
 *
 *	/mnt/host/disk
 *	|-- a/b/d/
 *	|   |-- f		"file"
 *	|   `-- sub/g		"below"
 *	|-- relative	-> a/b/d
 *	|-- up/up	-> ../a/./b/d/
 *	|-- absolute	-> /mnt/host/disk/a/b/d
 *	|-- chain	-> two/d
 *	|-- two		-> /mnt/host/disk/up/../a/b
 *	`-- all		for all, sticky; strangers' -> ../a/b/d
 *	/mnt/host/link	-> disk/relative
 */
static int make_tree(void)
{
	int err = mount_ext4(DISK, HOST "/img", 8);

	if (err)
		return err;
	if (mkdir(DISK "/a", 0755) || mkdir(DISK "/a/b", 0755) ||
	    mkdir(D, 0755) || mkdir(D "/sub", 0755) || mkdir(DISK "/up", 0755) ||
	    mkdir(DISK "/all", 0755) || chmod(DISK "/all", 01777) ||
	    symlink("a/b/d", DISK "/relative") ||
	    symlink("../a/./b/d/", DISK "/up/up") ||
	    symlink(D, DISK "/absolute") || symlink("two/d", DISK "/chain") ||
	    symlink(DISK "/up/../a/b", DISK "/two") ||
	    symlink("../a/b/d", DISK "/all/strangers") ||
	    lchown(DISK "/all/strangers", 1000, 1000) ||
	    symlink("disk/relative", HOST "/link"))
		return errno;
	return put_text(D "/f", "file") ?: put_text(D "/sub/g", "below");
}

/* No name is in memory but those that something holds. */
static int forget(void)
{
	return put_text("/proc/sys/vm/drop_caches", "2");
}

FIXTURE(way)
{
};

FIXTURE_VARIANT(way)
{
	const char *host;
};

FIXTURE_VARIANT_ADD(way, straight) { D };
FIXTURE_VARIANT_ADD(way, dots) { DISK "/a/../a/./b//d/" };
FIXTURE_VARIANT_ADD(way, above_the_root) { "/../.." D };
FIXTURE_VARIANT_ADD(way, beside_a_mount) { DISK "/../../host/disk/a/b/d" };
FIXTURE_VARIANT_ADD(way, relative) { DISK "/relative" };
FIXTURE_VARIANT_ADD(way, relative_and_on) { DISK "/relative/../d" };
FIXTURE_VARIANT_ADD(way, up) { DISK "/up/up" };
FIXTURE_VARIANT_ADD(way, absolute) { DISK "/absolute" };
FIXTURE_VARIANT_ADD(way, chain) { DISK "/chain" };
FIXTURE_VARIANT_ADD(way, from_another_mount) { HOST "/link" };
FIXTURE_VARIANT_ADD(way, through_a_rumpfs) { MNT "/in/a/b/d" };
FIXTURE_VARIANT_ADD(way, by_a_link_in_a_rumpfs) { MNT "/link" };

FIXTURE_SETUP(way)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_tree());
	ASSERT_EQ(0, mkdir(MNT "/in", 0755));
	ASSERT_EQ(0, mount(DISK, MNT "/in", NULL, MS_BIND, NULL));
	ASSERT_EQ(0, symlink("in/chain", MNT "/link"));
	ASSERT_EQ(0, table("/k %s subdirs", variant->host));
}

FIXTURE_TEARDOWN(way)
{
	teardown_mount();
}

TEST_F(way, is_found_though_nothing_is_known)
{
	ASSERT_EQ(0, forget());
	EXPECT_EQ(0, text_is(K "/f", "file"));
	ASSERT_EQ(0, forget());
	EXPECT_EQ(1, listed(K "/sub", "g"));
	ASSERT_EQ(0, forget());
	EXPECT_EQ(ENOENT, stat_err(K "/none"));
	ASSERT_EQ(0, forget());
	EXPECT_EQ(0, ERR(truncate(K "/sub/g", 3)));
	EXPECT_EQ(0, text_is(D "/sub/g", "bel"));
}

/* A link is made on the host, nothing is known, and it is looked at here. */
FIXTURE(way_below)
{
};

FIXTURE_VARIANT(way_below)
{
	const char *target;	/* of the link d/sub/l */
	int expected_err;
};

#define WAY_BELOW(name, to, err)			\
	FIXTURE_VARIANT_ADD(way_below, name) { to, err }

WAY_BELOW(to_a_file, "g", 0);
WAY_BELOW(to_a_file_above, "../f", 0);
WAY_BELOW(around, "../sub/.././sub/g", 0);
WAY_BELOW(to_a_directory, "..", 0);
WAY_BELOW(through_a_chain, "chain", 0);
WAY_BELOW(through_a_mount, "in/x", 0);
WAY_BELOW(through_a_mount_and_back, "in/../g", 0);
WAY_BELOW(out, "../../other", ENOENT);
WAY_BELOW(out_and_in_again, "../../d/f", ENOENT);
WAY_BELOW(absolute, D "/f", ENOENT);
WAY_BELOW(dangling, "none", ENOENT);
WAY_BELOW(to_itself, "l", ENOENT);
WAY_BELOW(through_a_file, "g/x", ENOENT);
WAY_BELOW(a_file_as_a_directory, "g/", ENOENT);
WAY_BELOW(a_file_and_dots, "g/..", ENOENT);

FIXTURE_SETUP(way_below)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_tree());
	ASSERT_EQ(0, put_text(D "/../other", "outside"));
	ASSERT_EQ(0, symlink("../sub/l2", D "/sub/chain"));
	ASSERT_EQ(0, symlink("../f", D "/sub/l2"));
	ASSERT_EQ(0, mkdir(D "/sub/in", 0755));
	ASSERT_EQ(0, mount("none", D "/sub/in", "tmpfs", 0, NULL));
	ASSERT_EQ(0, put_text(D "/sub/in/x", "inner"));
	ASSERT_EQ(0, symlink(variant->target, D "/sub/l"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
}

FIXTURE_TEARDOWN(way_below)
{
	teardown_mount();
}

TEST_F(way_below, is_judged_though_nothing_is_known)
{
	int warm = stat_err(K "/sub/l");

	EXPECT_EQ(variant->expected_err, warm);
	ASSERT_EQ(0, forget());
	EXPECT_EQ(variant->expected_err, stat_err(K "/sub/l"));
	ASSERT_EQ(0, forget());
	EXPECT_EQ(!variant->expected_err, listed(K "/sub", "l"));
}

FIXTURE(lock)
{
};

FIXTURE_SETUP(lock)
{
	ASSERT_EQ(0, setup_mount(NULL));
}

FIXTURE_TEARDOWN(lock)
{
	teardown_mount();
}

static void look(void)
{
	int i, n = turns(2000);

	for (i = 0; i < n; i++) {
		stat_err(K "/none");
		listed(K, "none");
	}
}

static void remove_key(void)
{
	int i, n = turns(2000);

	for (i = 0; i < n; i++) {
		rmdir(K);
		rename(K, MNT "/other");
	}
}

static void rename_into(void)
{
	int i, n = turns(2000);

	for (i = 0; i < n; i++)
		rename(MNT "/mine", K "/none");
}

/*
 * The way leads through the directory the key is in, whose lock somebody has
 * who waits for that of the key. A child that is stuck cannot even be killed.
 */
TEST_F(lock, of_the_directory_on_the_way_is_not_waited_for)
{
	void (*const all[])(void) = { look, look, remove_key, rename_into };
	struct timespec limit = { .tv_sec = 60 };
	const int nr = ARRAY_SIZE(all);
	sigset_t children;
	int i, done = 0;

	ASSERT_EQ(0, mkdir(MNT "/m", 0755));
	ASSERT_EQ(0, mount("none", MNT "/m", "tmpfs", 0, NULL));
	ASSERT_EQ(0, mkdir(MNT "/m/d", 0755));
	ASSERT_EQ(0, put_text(MNT "/mine", "mine"));
	ASSERT_EQ(0, table("/k " MNT "/m/d subdirs"));
	ASSERT_EQ(0, stat_err(K));
	/* From now on a walk finds no such name there. */
	ASSERT_EQ(0, umount(MNT "/m"));
	ASSERT_EQ(0, rmdir(MNT "/m"));

	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	for (i = 0; i < nr; i++)
		ASSERT_LT(0, start(all[i]));
	while (done < nr) {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			done++;
		else if (sigtimedwait(&children, NULL, &limit) != SIGCHLD)
			break;
	}
	EXPECT_EQ(nr, done);
	sigprocmask(SIG_UNBLOCK, &children, NULL);
}

TEST_HARNESS_MAIN
