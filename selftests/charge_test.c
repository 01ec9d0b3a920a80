// SPDX-License-Identifier: GPL-2.0
/* What names take is given back to the byte. RUMPFS_SEED repeats a run. */

#include <linux/fs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "lib/twin.h"

#define LENS { 1, 31, 32, 33, 100, 255 }

/* A name of so many bytes, all of this letter; from 32 on it is charged. */
static const char *name_of(char letter, size_t len)
{
	static char room[32][512];
	static int next;
	char *path = room[next++ % 32];
	int at = sprintf(path, MNT "/");

	memset(path + at, letter, len);
	path[at + len] = '\0';
	return path;
}

static int move(const char *from, const char *to, int flags)
{
	return ERR(syscall(__NR_renameat2, AT_FDCWD, from, AT_FDCWD, to,
			   flags));
}

/* The rest is less than a page: this is exact only where nothing is used. */
static bool is_unused(void)
{
	struct statvfs st;

	if (statvfs(MNT, &st))
		return false;
	if (st.f_bfree == st.f_blocks && st.f_ffree == st.f_files - 1)
		return true;
	printf("# blocks %lu of %lu, inodes %lu of %lu are free\n",
	       (long)st.f_bfree, (long)st.f_blocks, (long)st.f_ffree,
	       (long)st.f_files);
	return false;
}

FIXTURE(charge)
{
};

FIXTURE_VARIANT(charge)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(charge, visible)
{
	.options = "size=1M,nr_inodes=8192",
};

FIXTURE_VARIANT_ADD(charge, hidden)
{
	.options = "size=1M,nr_inodes=8192,whiteout=hidden",
};

FIXTURE_SETUP(charge)
{
	ASSERT_EQ(0, setup_mount(variant->options));
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
}

FIXTURE_TEARDOWN(charge)
{
	teardown_mount();
}

/* Pages first, then names of 255 bytes, then of 32. */
static int fill_up(void)
{
	char path[512];
	int fd = open(MNT "/fill", O_RDWR | O_CREAT | O_APPEND, 0644), n;
	static char bytes[PAGE];

	if (fd < 0)
		return errno;
	while (write(fd, bytes, PAGE) > 0)
		;
	close(fd);
	/* A page for names alone. */
	if (truncate(MNT "/fill", size_of(MNT "/fill") - PAGE))
		return errno;
	for (n = 0; n < 1000; n++) {
		sprintf(path, MNT "/%0*d", n < 500 ? 255 : 32, n);
		if (put_text(path, "") == ENOSPC && n >= 500)
			return 0;
	}
	return ERANGE;
}

TEST_F(charge, a_full_mount_renames_what_takes_no_more)
{
	const char *a = name_of('a', 200), *b = name_of('b', 255);

	ASSERT_EQ(0, put_text(a, "a"));
	ASSERT_EQ(0, put_text(b, "b"));
	ASSERT_EQ(0, fill_up());
	EXPECT_EQ(ENOSPC, open_err(name_of('x', 32), O_CREAT | O_WRONLY));

	/* As long, shorter, and longer: that is too much. */
	EXPECT_EQ(0, move(a, name_of('c', 200), 0));
	EXPECT_EQ(0, move(name_of('c', 200), name_of('d', 150), 0));
	EXPECT_EQ(ENOSPC, move(name_of('d', 150), name_of('e', 250), 0));
	EXPECT_EQ(0, text_is(name_of('d', 150), "a"));
	EXPECT_EQ(ENOENT, stat_err(name_of('e', 250)));

	/* A longer name that is there is paid. */
	EXPECT_EQ(0, move(name_of('d', 150), b, RENAME_EXCHANGE));
	EXPECT_EQ(0, text_is(b, "a"));
	EXPECT_EQ(0, move(name_of('d', 150), b, 0));
	EXPECT_EQ(0, text_is(b, "b"));
	EXPECT_EQ(0, run("rm -rf " MNT "/*"));
	EXPECT_TRUE(is_unused());
}

/*
 * What goes may show what it stood in front of, once more at each level. Nobody
 * finds a hidden whiteout; who makes a name over it takes it away.
 */
static void sweep(void)
{
	static const int lens[] = LENS;
	char letter;
	int i;

	for (i = 0; i < 6 && count_names(MNT); i++)
		run("rm -rf " MNT "/*");
	for (letter = 'a'; letter < 'e'; letter++) {
		for (i = 0; i < 6; i++) {
			put_text(name_of(letter, lens[i]), "");
			unlink(name_of(letter, lens[i]));
		}
	}
}

TEST_F(charge, the_size_of_a_directory_is_of_names_in_memory)
{
	ASSERT_EQ(0, put_text(MNT "/file", ""));
	ASSERT_EQ(0, mkdir(MNT "/dir", 0755));
	ASSERT_EQ(0, table("/file /mnt/host/f reg\n/key /mnt/host/f reg\n"
			   "/implied/key /mnt/host/f reg"));
	EXPECT_EQ(0, stat_err(MNT "/implied/key"));
	EXPECT_EQ(80, size_of(MNT));
	EXPECT_EQ(40, size_of(MNT "/implied"));

	/* What keeps it adds to it, but not to where a lookup has made it. */
	ASSERT_EQ(0, put_text(MNT "/implied/kept", ""));
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(60, size_of(MNT "/implied"));
	EXPECT_EQ(80, size_of(MNT));
	EXPECT_EQ(0, move(MNT "/implied", MNT "/dir", RENAME_EXCHANGE));
	EXPECT_EQ(100, size_of(MNT));
	EXPECT_EQ(0, unlink(MNT "/dir/kept"));
	EXPECT_EQ(0, rmdir(MNT "/dir"));
	EXPECT_EQ(80, size_of(MNT));

	ASSERT_EQ(0, table("/implied2/key /mnt/host/f reg"));
	ASSERT_EQ(0, put_text(MNT "/implied2/kept", ""));
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(0, move(MNT "/implied2", MNT "/implied/moved", 0));
	EXPECT_EQ(80, size_of(MNT));
	EXPECT_EQ(60, size_of(MNT "/implied"));
	sweep();
	EXPECT_EQ(40, size_of(MNT));
}

static const char *pick_name(struct dice *dice)
{
	static const int lens[] = LENS;
	char *path = (char *)name_of('a' + dice_roll(dice, 4),
				     lens[dice_roll(dice, 6)]);

	/* One in two lies in a directory, if that is there. */
	if (strlen(path) > sizeof(MNT) + 30 && dice_roll(dice, 2))
		path[sizeof(MNT) + 1] = '/';
	return path;
}

/* A key comes to stand before a name, or goes; most are refused or in vain. */
static void toggle_key(struct dice *dice)
{
	const char *key = pick_name(dice) + strlen(MNT);

	if (dice_roll(dice, 2))
		table("%s%s /mnt/host/f reg", key,
		      dice_roll(dice, 2) ? "" : "/below");
	else
		table("-%s", key);
}

static void make_unnamed(const char *path)
{
	int fd = open(MNT, O_TMPFILE | O_RDWR, 0600);
	char proc[32];

	sprintf(proc, "/proc/self/fd/%d", fd);
	linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
	close(fd);
}

static void step(struct dice *dice)
{
	const char *a = pick_name(dice), *b = pick_name(dice);

	switch (dice_roll(dice, 16)) {
	case 0:
		mkdir(a, 0755);
		break;
	case 1:
		rmdir(a);
		break;
	case 2:
	case 3:
		put_text(a, b);
		break;
	case 4:
		unlink(a);
		break;
	case 5:
		link(a, b);
		break;
	case 6:
		symlink(a, b);
		break;
	case 7:
		mknod(a, S_IFCHR, makedev(0, 0));
		break;
	case 8:
		setxattr(a, "user.x", b, strlen(b), 0);
		break;
	case 9:
		make_unnamed(a);
		break;
	case 10:
	case 11:
		toggle_key(dice);
		break;
	default:
		move(a, b, dice_roll(dice, 6));
	}
}

TEST_F(charge, all_comes_back_whatever_was_done)
{
	struct dice dice = { .state = dice_seed("RUMPFS_SEED") };
	int rounds = is_sanitized() ? 2 : 12, round, i;

	printf("# RUMPFS_SEED=%llu\n", (unsigned long long)dice.state);
	for (round = 0; round < rounds; round++) {
		/* In every other round the mount is full. */
		if (round % 2)
			ASSERT_EQ(0, fill_up());
		for (i = 0; i < 400; i++)
			step(&dice);
		ASSERT_EQ(0, table("flush"));
		sweep();
		ASSERT_TRUE(is_unused());
	}
}

TEST_HARNESS_MAIN
