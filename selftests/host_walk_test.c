// SPDX-License-Identifier: GPL-2.0
/*
 * Where the path of a key leads: as open(2) goes, each time anew. On a root
 * whose names the dcache knows, and on one that has to be asked for each.
 */

#include "lib/fixture.h"

#define D HOST "/d"
#define F D "/f"
#define KEY MNT "/k"
#define USER 1000

FIXTURE(walk)
{
	const char *root, *below;
};

FIXTURE_VARIANT(walk)
{
	bool is_asked;
};

FIXTURE_VARIANT_ADD(walk, on_tmpfs) { .is_asked = false };
FIXTURE_VARIANT_ADD(walk, on_the_root) { .is_asked = true };

FIXTURE_SETUP(walk)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(D, 0755));
	ASSERT_EQ(0, put_text(F, "first"));
	self->root = variant->is_asked ? "/" : HOST;
	self->below = variant->is_asked ? HOST : "";
}

FIXTURE_TEARDOWN(walk)
{
	teardown_mount();
}

/* Set the key to a path below HOST, from the root of the variant. */
#define SET(path, options) ({						\
	char line_[8192];						\
									\
	snprintf(line_, sizeof(line_), "=/k %s%s reg %s\n",		\
		 self->below, path, options);				\
	IN_CHILD(table_write_from(self->root, line_)); })

TEST_F(walk, goes_through_what_is_mounted)
{
	ASSERT_EQ(0, SET("/d/f", ""));
	EXPECT_EQ(0, text_is(KEY, "first"));
	ASSERT_EQ(0, mount_kind("tmpfs", D));
	EXPECT_EQ(ENOENT, open_err(KEY, O_RDONLY));
	ASSERT_EQ(0, put_text(F, "mounted"));
	EXPECT_EQ(0, text_is(KEY, "mounted"));
	/* And one more on top, and a file on the file. */
	ASSERT_EQ(0, mount_kind("tmpfs", D));
	ASSERT_EQ(0, put_text(F, "on top"));
	EXPECT_EQ(0, text_is(KEY, "on top"));
	ASSERT_EQ(0, put_text(HOST "/g", "a file"));
	ASSERT_EQ(0, ERR(mount(HOST "/g", F, NULL, MS_BIND, NULL)));
	EXPECT_EQ(0, text_is(KEY, "a file"));
	ASSERT_EQ(0, umount(F));
	EXPECT_EQ(0, text_is(KEY, "on top"));
	ASSERT_EQ(0, umount(D));
	EXPECT_EQ(0, text_is(KEY, "mounted"));
	ASSERT_EQ(0, umount(D));
	EXPECT_EQ(0, text_is(KEY, "first"));
}

/* Set the keys /0, /1 and so on to paths below HOST, in one write. */
static int set_all(const char *root, const char *below,
		   const char *const *paths, int nr, const char *options)
{
	static char lines[8192];
	size_t len = 0;
	int i;

	for (i = 0; i < nr; i++)
		len += snprintf(lines + len, sizeof(lines) - len,
				"=/%d %s%s reg %s\n", i, below, paths[i],
				options);
	return IN_CHILD(table_write_from(root, lines));
}

#define SET_ALL(options, ...) ({					\
	const char *const paths_[] = { __VA_ARGS__ };			\
									\
	set_all(self->root, self->below, paths_, ARRAY_SIZE(paths_),	\
		options); })

static bool keys_are(const char *const *texts, int nr)
{
	char key[32];
	int i;

	for (i = 0; i < nr; i++) {
		snprintf(key, sizeof(key), MNT "/%d", i);
		if (text_is(key, texts[i])) {
			printf("# %s is not %s\n", key, texts[i]);
			return false;
		}
	}
	return true;
}

#define KEYS_ARE(...) ({						\
	const char *const texts_[] = { __VA_ARGS__ };			\
									\
	keys_are(texts_, ARRAY_SIZE(texts_)); })

/* The next of a table may go on from where the last led, if it does lead there. */
TEST_F(walk, leads_from_directory_to_directory)
{
	ASSERT_EQ(0, run("cd " HOST " && mkdir dd d/sub d/mnt && ln -s dd link &&"
			 "ln -s sub/f d/l && touch d/m"));
	ASSERT_EQ(0, put_text(D "/b", "b in d"));
	ASSERT_EQ(0, put_text(D "/sub/f", "in sub"));
	ASSERT_EQ(0, put_text(HOST "/dd/f", "in dd"));
	ASSERT_EQ(0, put_text(HOST "/g", "other"));
	ASSERT_EQ(0, mount_kind("tmpfs", D "/mnt"));
	ASSERT_EQ(0, put_text(D "/mnt/f", "on a mount"));
	ASSERT_EQ(0, ERR(mount(HOST "/g", D "/m", NULL, MS_BIND, NULL)));
	ASSERT_EQ(0, SET_ALL("", "/d/f", "/d/b", "/d/sub/f", "/d/sub/../b",
			     "/d/sub//f", "/d//b", "/dd/f", "/link/f",
			     "/link/./f", "/d/l", "/d/mnt/f", "/d/mnt/../b",
			     "/d/m", "/d/b", "/g"));
	EXPECT_TRUE(KEYS_ARE("first", "b in d", "in sub", "b in d", "in sub",
			     "b in d", "in dd", "in dd", "in dd", "in sub",
			     "on a mount", "b in d", "other", "b in d",
			     "other"));
	ASSERT_EQ(0, table("flush"));
	ASSERT_EQ(0, SET_ALL("pin", "/d/f", "/d/b", "/dd/f", "/d/mnt/f", "/d/m"));
	EXPECT_TRUE(KEYS_ARE("first", "b in d", "in dd", "on a mount", "other"));
	ASSERT_EQ(0, table("flush"));
	/* Each open walks again: only what is refused tells of the first walk. */
	ASSERT_EQ(0, put_text(HOST "/c", "not in d"));
	EXPECT_EQ(ENOENT, SET_ALL("", "/d/f", "/d/c"));
	EXPECT_EQ(ENOENT, SET_ALL("", "/d/b", "/dd/b"));
	EXPECT_EQ(ENOENT, SET_ALL("", "/d/sub/f", "/d/sub/b"));
	EXPECT_EQ(ENOTDIR, SET_ALL("", "/d/f", "/d/f/f"));
	EXPECT_EQ(EISDIR, SET_ALL("", "/d/f", "/d/sub"));
	EXPECT_EQ(EISDIR, SET_ALL("", "/d/f", "/d/"));
	/* Nothing of it is in use afterwards. */
	EXPECT_TRUE(WAIT_FOR(!umount(D "/mnt")));
	EXPECT_TRUE(WAIT_FOR(!umount(D "/m")));
}

TEST_F(walk, follows_links)
{
	ASSERT_EQ(0, symlink("d", HOST "/to_d"));
	ASSERT_EQ(0, symlink("f", D "/to_f"));
	ASSERT_EQ(0, SET("/to_d/to_f", ""));
	EXPECT_EQ(0, text_is(KEY, "first"));
	ASSERT_EQ(0, put_text(D "/g", "other"));
	ASSERT_EQ(0, ERR(unlink(D "/to_f")));
	ASSERT_EQ(0, symlink("g", D "/to_f"));
	EXPECT_EQ(0, text_is(KEY, "other"));
	ASSERT_EQ(0, ERR(unlink(D "/to_f")));
	ASSERT_EQ(0, symlink("to_f", D "/to_f"));
	EXPECT_EQ(ELOOP, open_err(KEY, O_RDONLY));
	EXPECT_EQ(ELOOP, SET("/d/to_f", ""));
}

TEST_F(walk, takes_dots_and_slashes_as_open_does)
{
	static const char *const ways[] = {
		"//d///f", "/d/./f", "/./d/f", "/d/../d/f", "/d/f/../f",
		"/d/f/.", "/d/f/", "/d/", "/d/.", "/d//",
	};
	static const int errs[] = {
		0, 0, 0, 0, ENOTDIR, ENOTDIR, ENOTDIR, EISDIR, EISDIR, EISDIR,
	};
	unsigned int i;

	for (i = 0; i < sizeof(errs) / sizeof(*errs); i++) {
		EXPECT_EQ(errs[i], SET(ways[i], ""))
			TH_LOG("%s", ways[i]);
		if (!errs[i])
			EXPECT_EQ(0, text_is(KEY, "first"));
	}
}

TEST_F(walk, says_why_it_leads_nowhere)
{
	char name[300] = "/d/";

	EXPECT_EQ(ENOENT, SET("/d/missing", ""));
	EXPECT_EQ(ENOENT, SET("/missing/f", ""));
	EXPECT_EQ(ENOTDIR, SET("/d/f/below", ""));
	memset(name + 3, 'n', 256);
	EXPECT_EQ(ENAMETOOLONG, SET(name, ""));
	name[3 + 255] = '\0';
	EXPECT_EQ(ENOENT, SET(name, ""));
	EXPECT_EQ(0, rows_are(""));
}

/* Each time the reader before has left a file behind. */
TEST_F(walk, comes_to_what_is_there_now)
{
	int i;

	ASSERT_EQ(0, SET("/d/f", ""));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, text_is(KEY, "first"));
		ASSERT_EQ(0, put_text(D "/g", "replaced"));
		ASSERT_EQ(0, ERR(rename(D "/g", F)));
		EXPECT_EQ(0, text_is(KEY, "replaced"));
		ASSERT_EQ(0, ERR(unlink(F)));
		EXPECT_EQ(ENOENT, open_err(KEY, O_RDONLY));
		ASSERT_EQ(0, put_text(F, "made anew"));
		EXPECT_EQ(0, text_is(KEY, "made anew"));
		/* Another directory in the place of that. */
		ASSERT_EQ(0, mkdir(HOST "/e", 0755));
		ASSERT_EQ(0, put_text(HOST "/e/f", "first"));
		ASSERT_EQ(0, ERR(renameat2(AT_FDCWD, HOST "/e", AT_FDCWD, D,
					   RENAME_EXCHANGE)));
		EXPECT_EQ(0, text_is(KEY, "first"));
		ASSERT_EQ(0, run("rm -r " HOST "/e"));
	}
	ASSERT_EQ(0, ERR(rename(D, HOST "/away")));
	EXPECT_EQ(ENOENT, open_err(KEY, O_RDONLY));
	ASSERT_EQ(0, symlink("away", D));
	EXPECT_EQ(0, text_is(KEY, "first"));
}

TEST_F(walk, asks_who_may_search_each_time)
{
	pid_t pid = fork();
	char line[256];

	snprintf(line, sizeof(line), "/k %s/d/f reg ro\n", self->below);
	if (!pid)
		_exit(drop_cap(CAP_DAC_OVERRIDE) ?: drop_cap(CAP_DAC_READ_SEARCH) ?:
		      table_write_from(self->root, line));
	ASSERT_EQ(0, wait_status(pid));
	EXPECT_EQ(0, text_is(KEY, "first"));
	ASSERT_EQ(0, chown(D, USER, USER));
	ASSERT_EQ(0, chmod(D, 0700));
	EXPECT_EQ(EACCES, open_err(KEY, O_RDONLY));
	ASSERT_EQ(0, chmod(D, 0711));
	EXPECT_EQ(0, text_is(KEY, "first"));
	/* And who may read the file. */
	ASSERT_EQ(0, chown(F, USER, USER));
	ASSERT_EQ(0, chmod(F, 0600));
	EXPECT_EQ(EACCES, open_err(KEY, O_RDONLY));
	ASSERT_EQ(0, chmod(F, 0604));
	EXPECT_EQ(0, text_is(KEY, "first"));
}

/* What an open would refuse a registration does, whether it opens or not. */
TEST_F(walk, ends_at_what_can_be_opened)
{
	char cat[] = D "/cat";
	int in[2], out[2];
	pid_t pid;

	ASSERT_EQ(0, run("cp /bin/cat %s", cat));
	ASSERT_EQ(0, pipe(in));
	ASSERT_EQ(0, pipe(out));
	pid = fork();
	if (!pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		execl(cat, cat, NULL);
		_exit(255);
	}
	ASSERT_EQ(1, write(in[1], "x", 1));
	ASSERT_EQ(1, read(out[0], in, 1));
	EXPECT_EQ(ETXTBSY, SET("/d/cat", ""));
	EXPECT_EQ(0, SET("/d/cat", "ro"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	EXPECT_EQ(0, SET("/d/cat", ""));

	ASSERT_EQ(0, ERR(mount(D, D, NULL, MS_BIND, NULL)));
	ASSERT_EQ(0, ERR(mount(NULL, D, NULL,
			       MS_REMOUNT | MS_BIND | MS_RDONLY, NULL)));
	EXPECT_EQ(EROFS, SET("/d/f", ""));
	EXPECT_TRUE(last_error_has("the host file cannot be opened for writing"));
	EXPECT_EQ(0, SET("/d/f", "ro"));
	ASSERT_EQ(0, umount(D));
	EXPECT_EQ(EISDIR, SET("/d", ""));
	EXPECT_EQ(0, SET("/d/f", "offset=5"));
	EXPECT_EQ(EINVAL, SET("/d/f", "offset=6"));
	EXPECT_TRUE(last_error_has("ends after the host file (5 bytes)"));
	ASSERT_EQ(0, mkfifo(D "/fifo", 0666));
	EXPECT_EQ(EINVAL, SET("/d/fifo", ""));
}

TEST_HARNESS_MAIN
