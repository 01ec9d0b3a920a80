// SPDX-License-Identifier: GPL-2.0
/* One write is one transaction: all of its lines, or none. */

#include "lib/fixture.h"

#define F HOST "/f"
#define G HOST "/g"

FIXTURE(batch)
{
};

FIXTURE_SETUP(batch)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, 65536, 1));
	ASSERT_EQ(0, put_text(G, "other"));
}

FIXTURE_TEARDOWN(batch)
{
	teardown_mount();
}

/* The line that last_error names, 0 if it names none. */
static unsigned int error_line(void)
{
	unsigned int line = 0, column;

	return sscanf(last_error(), "%u:%u: ", &line, &column) == 2 ? line : 0;
}

TEST_F(batch, lines_are_applied_in_order)
{
	ASSERT_EQ(0, table("/a " F " reg\n-/a\n/a " G " reg\n/b " F
			   " reg tag=t\n-@t\n"
			   "/c " F " reg\n=/c " G " reg ro"));
	EXPECT_EQ(0, rows_are("/a " G " reg rw\n/c " G " reg ro\n"));
	ASSERT_EQ(0, table("flush\n/d " G " reg"));
	EXPECT_EQ(0, rows_are("/d " G " reg rw\n"));
	EXPECT_EQ(1, count_names(MNT));

	/* Made and removed at once leaves nothing, not even a parent. */
	ASSERT_EQ(0, table("/e/f/g " F " reg\n-/e/f/g"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/e"));

	/* A key may take the place of a parent, and the other way round. */
	ASSERT_EQ(0, table("/p/q " F " reg"));
	ASSERT_EQ(0, table("-/p/q\n/p " G " reg"));
	EXPECT_EQ(0, text_is(MNT "/p", "other"));
	ASSERT_EQ(0, table("-/p\n/p/q " G " reg"));
	EXPECT_EQ(0, text_is(MNT "/p/q", "other"));
}

/* Each of these fails in its last line, whatever that is. */
FIXTURE(undone)
{
};

FIXTURE_SETUP(undone)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, 65536, 1));
	ASSERT_EQ(0, put_text(G, "other"));
	ASSERT_EQ(0, put_text(MNT "/mine", "mine"));
	ASSERT_EQ(0, table("/old " G " reg tag=t\n/dir/old " G " reg"));
}

FIXTURE_TEARDOWN(undone)
{
	teardown_mount();
}

FIXTURE_VARIANT(undone)
{
	const char *last_line;
	int expected_errno;
};

FIXTURE_VARIANT_ADD(undone, by_syntax) { "rubbish", EINVAL };
FIXTURE_VARIANT_ADD(undone, by_a_taken_key) { "/dir/old " F " reg", EEXIST };
FIXTURE_VARIANT_ADD(undone, by_a_key_of_its_own) { "/new " F " reg", EEXIST };
FIXTURE_VARIANT_ADD(undone, by_a_missing_key) { "-/none", ENOENT };
FIXTURE_VARIANT_ADD(undone, by_a_missing_tag) { "-@none", ENOENT };
FIXTURE_VARIANT_ADD(undone, by_a_key_above) { "/new/below " F " reg", ENOTDIR };
FIXTURE_VARIANT_ADD(undone, by_a_key_below) { "/dir " F " reg", ENOTEMPTY };
FIXTURE_VARIANT_ADD(undone, by_the_host) { "/x " HOST "/none reg", ENOENT };
FIXTURE_VARIANT_ADD(undone, by_the_window) { "/x " F " reg size=1M", EINVAL };
FIXTURE_VARIANT_ADD(undone, by_a_directory) { "/x " HOST " reg", EISDIR };
FIXTURE_VARIANT_ADD(undone, by_a_disk) { "/x " F " blk size=1M", EINVAL };

TEST_F(undone, leaves_all_as_it_was)
{
	char *before = slurp(TABLE, 65536, NULL), *after;
	char byte = 0;
	int fd = open(MNT "/old", O_RDONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(variant->expected_errno,
		  table("# comment\n/new " F " reg\n/disk " F " blk\n/mine " F
			" reg\n"
			"=/dir/old " F " reg\n-@t\n/made/deep/k " F
			" reg\n\n%s",
			variant->last_line));
	EXPECT_EQ(9, error_line()) {
		TH_LOG("last_error: %s", last_error());
	}
	after = slurp(TABLE, 65536, NULL);
	ASSERT_NE(NULL, before);
	ASSERT_NE(NULL, after);
	EXPECT_EQ(0, strcmp(before, after));
	EXPECT_EQ(0, text_is(MNT "/mine", "mine"));
	EXPECT_EQ(0, text_is(MNT "/old", "other"));
	EXPECT_EQ(0, text_is(MNT "/dir/old", "other"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/new"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/disk"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/made"));
	EXPECT_EQ(3, count_names(MNT));
	EXPECT_EQ(1, pread(fd, &byte, 1, 0));
	EXPECT_EQ('o', byte);
	close(fd);
	free(before);
	free(after);
}

TEST_F(undone, a_flush_is_taken_back_too)
{
	EXPECT_EQ(variant->expected_errno,
		  table("=/old " G " reg\n/new " F " reg\n/m " F
			" reg tag=m\n-@m\n%s",
			variant->last_line));
	EXPECT_EQ(5, error_line());
	EXPECT_EQ(EINVAL, table("flush\n/new " F " reg\nrubbish"));
	EXPECT_EQ(3, error_line());
	EXPECT_TRUE(row_has("/old", "tag=t"));
	EXPECT_TRUE(row_has("/dir/old", "rw"));
}

/*
 * Which of two faults of one line is told: the earlier of syntax, table, host.
 * The table holds the keys /taken, /dir/key and /disk (blk).
 */
FIXTURE(order)
{
};

FIXTURE_SETUP(order)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, 65536, 1));
	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
	ASSERT_EQ(0, table("/taken " F " reg\n/dir/key " F " reg\n/disk " F
			   " blk"));
}

FIXTURE_TEARDOWN(order)
{
	teardown_mount();
}

FIXTURE_VARIANT(order)
{
	const char *line;
	int expected_errno;
	int expected_full;	/* if another when the table is full */
};

#define N256 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	     "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	     "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	     "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

FIXTURE_VARIANT_ADD(order, syntax_before_taken) { "/taken " F " reg bogus", EINVAL };
FIXTURE_VARIANT_ADD(order, type_before_taken) { "/taken " F " regg", EINVAL };
FIXTURE_VARIANT_ADD(order, syntax_before_long_name) { "/" N256 " " F " reg bogus", EINVAL };
FIXTURE_VARIANT_ADD(order, syntax_before_below) { "/taken/x " F " reg ro,ro", EINVAL };
FIXTURE_VARIANT_ADD(order, syntax_before_missing) { "-/none softly", EINVAL };
FIXTURE_VARIANT_ADD(order, syntax_before_host) { "/x " HOST "/none reg bogus", EINVAL };
FIXTURE_VARIANT_ADD(order, long_name_before_below) { "/taken/" N256 " " F " reg", ENAMETOOLONG };
FIXTURE_VARIANT_ADD(order, long_name_before_host) { "/" N256 " " HOST "/none reg", ENAMETOOLONG };
FIXTURE_VARIANT_ADD(order, taken_before_host) { "/taken " HOST "/none reg", EEXIST };
FIXTURE_VARIANT_ADD(order, taken_before_kind) { "/taken " HOST "/d reg", EEXIST };
FIXTURE_VARIANT_ADD(order, taken_before_window) { "/taken " F " reg offset=1M", EEXIST };
FIXTURE_VARIANT_ADD(order, below_before_host) { "/taken/x " HOST "/none reg", ENOTDIR };
FIXTURE_VARIANT_ADD(order, below_a_disk) { "/disk/x/y " HOST "/none reg", ENOTDIR };
FIXTURE_VARIANT_ADD(order, above_before_host) { "/dir " HOST "/none reg", ENOTEMPTY };
FIXTURE_VARIANT_ADD(order, disk_above_before_host) { "/dir " HOST "/none blk", ENOTEMPTY };
FIXTURE_VARIANT_ADD(order, replace_above) { "=/dir " HOST "/none reg", ENOTEMPTY };
FIXTURE_VARIANT_ADD(order, replace_below) { "=/taken/x " HOST "/none reg", ENOTDIR };
FIXTURE_VARIANT_ADD(order, implied_is_no_key) { "-/dir", ENOENT };
FIXTURE_VARIANT_ADD(order, kind_before_window) { "/x " HOST "/d reg offset=1T", EISDIR, E2BIG };
FIXTURE_VARIANT_ADD(order, host_before_window) { "/x " HOST "/none reg offset=1T", ENOENT, E2BIG };

TEST_F(order, the_earlier_kind_of_fault_is_told)
{
	EXPECT_EQ(variant->expected_errno, table("%s", variant->line)) {
		TH_LOG("last_error: %s", last_error());
	}
}

TEST_F(order, the_first_bad_line_is_told)
{
	/* A later line of an earlier kind of fault does not come first. */
	EXPECT_EQ(variant->expected_errno,
		  table("/ok " F " reg\n%s\nrubbish", variant->line));
	EXPECT_EQ(2, error_line()) {
		TH_LOG("last_error: %s", last_error());
	}
	EXPECT_EQ(ENOENT, table("/x " HOST "/none reg\n%s", variant->line));
	EXPECT_EQ(1, error_line());
}

TEST_F(order, a_full_table_is_told_before_the_host)
{
	ASSERT_EQ(0, put_text(MAX_MAPPINGS, "3\n"));
	EXPECT_EQ(E2BIG, table("/x " HOST "/none reg"));
	EXPECT_EQ(variant->expected_full ?: variant->expected_errno,
		  table("%s", variant->line));
}

TEST_F(batch, last_error_names_the_place_and_the_key)
{
	unsigned int line, column;

	EXPECT_EQ(EINVAL, table("# one\n\n/img/p2 " F " reg offset=1,fast=1"));
	ASSERT_EQ(2, sscanf(last_error(), "%u:%u: /img/p2: ", &line, &column));
	EXPECT_TRUE(last_error_has(": /img/p2: "));
	EXPECT_EQ(3, line);
	EXPECT_LE(strlen("/img/p2 " F " reg ") + 1, column);
	EXPECT_GE(strlen("/img/p2 " F " reg offset=1,fast=1") + 1, column);

	EXPECT_EQ(EINVAL, table("/k " F " what"));
	ASSERT_EQ(2, sscanf(last_error(), "%u:%u: /k: ", &line, &column));
	EXPECT_LE(strlen("/k " F " ") + 1, column);
	EXPECT_GE(strlen("/k " F " what") + 1, column);

	/* A window past the end: in numbers. */
	EXPECT_EQ(EINVAL, table("/img/p2 " F " reg offset=32K,size=64K"));
	EXPECT_TRUE(last_error_has("/img/p2: "));
	EXPECT_TRUE(last_error_has("32768"));
	EXPECT_TRUE(last_error_has("65536"));

	EXPECT_EQ(ENOENT, table("/k " HOST "/none reg"));
	EXPECT_TRUE(last_error_has(": /k: "));
	EXPECT_EQ(EEXIST, table("/a " F " reg\n/a " F " reg"));
	EXPECT_TRUE(last_error_has("2:"));
	EXPECT_TRUE(last_error_has(": /a: "));

	/* One line of text, with a newline. */
	EXPECT_EQ('\n', last_error()[strlen(last_error()) - 1]);
	EXPECT_EQ(strlen(last_error()) - 1, strcspn(last_error(), "\n"));
}

/* A key of odd bytes must not break the line that reports it. */
TEST_F(batch, last_error_escapes_names)
{
	EXPECT_EQ(ENOENT, table("/a\\012b " HOST "/no\\012ne reg"));
	EXPECT_TRUE(last_error_has("/a\\012b: "));
	EXPECT_EQ(strlen(last_error()) - 1, strcspn(last_error(), "\n"));
}

/* What a long write leaves over is for the next one: cat and tee go on. */
TEST_F(batch, a_long_write_takes_whole_lines)
{
	static char text[12000];
	size_t len = 0, done = 0;
	int n = 0, writes = 0, fd;
	ssize_t got;

	while (len < 10000)
		len += sprintf(text + len,
			       "/dir/key-%04d " F " reg offset=%d\n", n, n),
			n++;
	fd = open(TABLE, O_WRONLY);
	ASSERT_LE(0, fd);
	while (done < len) {
		got = write(fd, text + done, len - done);
		ASSERT_LT(0, got);
		EXPECT_GE(4096, got);
		done += got;
		EXPECT_EQ('\n', text[done - 1]);
		writes++;
	}
	close(fd);
	EXPECT_EQ(3, writes);
	EXPECT_EQ(n, count_names(MNT "/dir"));
}

TEST_F(batch, cat_restores_a_long_table)
{
	static char text[4096];
	char *before, *after;
	size_t len;
	int i, j;

	for (i = 0; i < 5; i++) {
		for (len = 0, j = 0; j < 60; j++)
			len += sprintf(text + len,
				       "/d%d/key-%d " F " reg offset=%d\n",
				       j % 3, 100 * i + j, 100 * i + j);
		ASSERT_EQ(0, table_write(text, len));
	}
	before = table_rows();
	ASSERT_EQ(0, run("cat " TABLE " >" HOST "/saved"));
	ASSERT_EQ(0, table("flush"));
	ASSERT_EQ(0, run("cat " HOST "/saved >" TABLE));
	after = table_rows();
	ASSERT_NE(NULL, before);
	ASSERT_NE(NULL, after);
	EXPECT_EQ(0, strcmp(before, after));
	free(before);
	free(after);
	EXPECT_EQ(100, count_names(MNT "/d0"));
}

TEST_F(batch, a_refused_write_takes_nothing)
{
	int fd = open(TABLE, O_WRONLY);

	EXPECT_EQ(EINVAL, ERR(write(fd, "/k " F " reg\nbad\n",
				    strlen("/k " F " reg\nbad\n"))));
	EXPECT_EQ(0, rows_are(""));

	/* The same open file can be written again, at whatever offset. */
	EXPECT_EQ(strlen("/k " F " reg\n"),
		  write(fd, "/k " F " reg\n", strlen("/k " F " reg\n")));
	EXPECT_EQ(strlen("/l " F " reg\n"),
		  write(fd, "/l " F " reg\n", strlen("/l " F " reg\n")));
	close(fd);
	EXPECT_EQ(0, rows_are("/k " F " reg rw\n/l " F " reg rw\n"));
}

TEST_F(batch, many_lines_of_one_write_appear_together)
{
	static char text[4096];
	size_t len = 0;
	int i;

	for (i = 0; i < 100; i++)
		len += sprintf(text + len, "/k%d " G " reg\n", i);
	ASSERT_EQ(0, table_write(text, len));
	EXPECT_EQ(100, count_names(MNT));
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(0, count_names(MNT));
}

/* Nor is it seen before it is whole: this one never is. */
TEST_F(batch, nothing_is_seen_of_a_batch_that_is_refused)
{
	static char text[4096];
	int i, seen = 0, status;
	size_t len = 0;
	pid_t pid;

	for (i = 0; i < 150; i++)
		len += sprintf(text + len, "/k%d " G " reg\n", i);
	len += sprintf(text + len, "/k " HOST "/none reg\n");
	pid = fork();
	if (!pid) {
		for (i = 0; i < turns(50); i++)
			if (table_write(text, len) != ENOENT)
				_exit(1);
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG))
		seen += !!count_names(MNT);
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, seen);
}

TEST_HARNESS_MAIN
