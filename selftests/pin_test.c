// SPDX-License-Identifier: GPL-2.0
/* A key bound to an inode: what its path leads to later does not matter. */

#include <sys/mman.h>

#include "lib/fixture.h"

#define F HOST "/f"
#define G HOST "/g"
#define KEY MNT "/k"

FIXTURE(pin)
{
};

FIXTURE_SETUP(pin)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(F, "first"));
	ASSERT_EQ(0, put_text(G, "other"));
}

FIXTURE_TEARDOWN(pin)
{
	teardown_mount();
}

TEST_F(pin, stays_when_the_path_is_replaced)
{
	ASSERT_EQ(0, table("/k " F " reg pin\n/p " F " reg"));
	EXPECT_EQ(0, rows_are("/k " F " reg rw,pin\n/p " F " reg rw\n"));
	ASSERT_EQ(0, ERR(rename(G, F)));
	EXPECT_EQ(0, text_is(KEY, "first"));
	EXPECT_EQ(5, size_of(KEY));
	EXPECT_EQ(0, text_is(MNT "/p", "other"));
	ASSERT_EQ(0, put_text(KEY, "new"));
	EXPECT_EQ(0, text_is(KEY, "new"));
	EXPECT_EQ(0, text_is(F, "other"));
}

TEST_F(pin, outlives_the_host_name)
{
	ASSERT_EQ(0, table("/k " F " reg pin"));
	ASSERT_EQ(0, ERR(unlink(F)));
	EXPECT_EQ(0, text_is(KEY, "first"));

	/* It says so when the table changes next, and a saved table loads. */
	ASSERT_EQ(0, table("/p " G " reg"));
	EXPECT_EQ(0, rows_are("# unrestorable: /k " F " reg rw,pin\n"
			      "/p " G " reg rw\n"));
	EXPECT_EQ(0, text_is(KEY, "first"));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(0, rows_are("/p " G " reg rw\n"));
}

/* Where a bound file is, as of the last change of the table */

static int change_table(void)
{
	return table("/change " G " reg\n-/change");
}

TEST_F(pin, a_row_follows_the_file)
{
	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
	ASSERT_EQ(0, put_text(HOST "/d/x", "in d"));
	ASSERT_EQ(0, table("/a " G " reg\n/k " F " reg pin,tag=t\n"
			   "/l " HOST "/d/x reg pin,ro\n/m " G " reg"));
	ASSERT_EQ(0, ERR(rename(F, HOST "/a longer name")));
	ASSERT_EQ(0, ERR(rename(HOST "/d", HOST "/e")));
	ASSERT_EQ(0, put_text(F, "another"));
	ASSERT_EQ(0, change_table());
	EXPECT_EQ(0, rows_are("/a " G " reg rw\n"
			      "/k " HOST "/a\\040longer\\040name reg rw,pin,tag=t\n"
			      "/l " HOST "/e/x reg ro,pin\n"
			      "/m " G " reg rw\n"));
	EXPECT_EQ(0, text_is(KEY, "first"));

	/* As of the last change, and not before the next. */
	ASSERT_EQ(0, ERR(rename(HOST "/a longer name", HOST "/s")));
	EXPECT_EQ(NULL, strstr(row_of("/k"), "/s "));
	ASSERT_EQ(0, change_table());
	EXPECT_STREQ("/k " HOST "/s reg rw,pin,tag=t", row_of("/k"));
}

/* A reader finds its place by the lengths of the rows. */
TEST_F(pin, a_row_that_grew_is_read_in_pieces)
{
	char *whole, *pieces;
	int i;

	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, table("/k%02d " F " reg pin\n/p%02d " G " reg",
				   i, i));
	ASSERT_EQ(0, ERR(rename(F, HOST "/a name that is a lot longer")));
	ASSERT_EQ(0, change_table());
	whole = slurp(TABLE, 65536, NULL);
	pieces = slurp(TABLE, 7, NULL);
	ASSERT_NE(NULL, whole);
	ASSERT_NE(NULL, pieces);
	EXPECT_STREQ(whole, pieces);
	ASSERT_EQ(0, ERR(unlink(HOST "/a name that is a lot longer")));
	ASSERT_EQ(0, change_table());
	free(pieces);
	free(whole);
	whole = slurp(TABLE, 65536, NULL);
	pieces = slurp(TABLE, 7, NULL);
	EXPECT_STREQ(whole, pieces);
	free(pieces);
	free(whole);
}

TEST_F(pin, a_saved_table_binds_the_same_file)
{
	char *rows;

	ASSERT_EQ(0, table("/k " F " reg pin\n/b " F " blk ro"));
	ASSERT_EQ(0, ERR(rename(F, HOST "/moved")));
	ASSERT_EQ(0, put_text(F, "another"));
	ASSERT_EQ(0, change_table());
	rows = table_rows();
	ASSERT_NE(NULL, rows);
	EXPECT_STREQ("/b " HOST "/moved blk ro\n/k " HOST "/moved reg rw,pin\n",
		     rows);
	ASSERT_EQ(0, table("flush"));
	ASSERT_EQ(0, table("%s", rows));
	free(rows);
	EXPECT_EQ(0, text_is(KEY, "first"));
}

/* What was written is told while it leads there: it may say more. */
TEST_F(pin, a_row_keeps_the_path_that_was_written)
{
	ASSERT_EQ(0, symlink("f", HOST "/link"));
	ASSERT_EQ(0, table("/k " HOST "/link reg pin"));
	ASSERT_EQ(0, change_table());
	EXPECT_STREQ("/k " HOST "/link reg rw,pin", row_of("/k"));
	ASSERT_EQ(0, ERR(rename(F, HOST "/moved")));
	ASSERT_EQ(0, change_table());
	EXPECT_STREQ("/k " HOST "/moved reg rw,pin", row_of("/k"));
	ASSERT_EQ(0, ERR(rename(HOST "/moved", F)));
	ASSERT_EQ(0, change_table());
	EXPECT_STREQ("/k " F " reg rw,pin", row_of("/k"));
}

/* A link that leads elsewhere by now, or nowhere, would bind another file. */
TEST_F(pin, a_row_through_links_binds_the_same_file)
{
	char *rows;

	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
	ASSERT_EQ(0, mkdir(HOST "/e", 0755));
	ASSERT_EQ(0, put_text(HOST "/d/x", "in d"));
	ASSERT_EQ(0, put_text(HOST "/e/x", "in e"));
	ASSERT_EQ(0, symlink("f", HOST "/to"));
	ASSERT_EQ(0, symlink("f", HOST "/gone"));
	ASSERT_EQ(0, symlink(HOST "/d", HOST "/dir"));
	ASSERT_EQ(0, table("/a " HOST "/to reg pin\n/b " HOST "/gone blk ro\n"
			   "/c " HOST "/dir/x reg pin\n"
			   "/d " HOST "/dir subdirs pin\n"
			   "/e " HOST "/dir/../f reg pin"));
	EXPECT_STREQ("/c " HOST "/dir/x reg rw,pin", row_of("/c"));
	ASSERT_EQ(0, unlink(HOST "/to"));
	ASSERT_EQ(0, unlink(HOST "/gone"));
	ASSERT_EQ(0, unlink(HOST "/dir"));
	ASSERT_EQ(0, symlink("g", HOST "/to"));
	ASSERT_EQ(0, symlink("e", HOST "/dir"));
	ASSERT_EQ(0, change_table());
	rows = table_rows();
	ASSERT_NE(NULL, rows);
	EXPECT_STREQ("/a " F " reg rw,pin\n"
		     "/b " F " blk ro\n"
		     "/c " HOST "/d/x reg rw,pin\n"
		     "/d " HOST "/d subdirs rw,pin\n"
		     "/e " HOST "/dir/../f reg rw,pin\n", rows);
	ASSERT_EQ(0, table("flush"));
	ASSERT_EQ(0, table("%s", rows));
	free(rows);
	EXPECT_EQ(0, text_is(MNT "/a", "first"));
	EXPECT_EQ(0, text_is(MNT "/c", "in d"));
	EXPECT_EQ(0, text_is(MNT "/d/x", "in d"));
	EXPECT_EQ(0, text_is(MNT "/e", "first"));
}

TEST_F(pin, a_file_under_a_mount_has_no_path)
{
	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
	ASSERT_EQ(0, put_text(HOST "/d/x", "covered"));
	ASSERT_EQ(0, table("/d " HOST "/d/x reg pin\n/k " F " reg pin"));
	ASSERT_EQ(0, mount("none", HOST "/d", "tmpfs", 0, NULL));
	ASSERT_EQ(0, mount(G, F, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, change_table());
	EXPECT_EQ(0, rows_are("# unrestorable: /d " HOST "/d/x reg rw,pin\n"
			      "# unrestorable: /k " F " reg rw,pin\n"));
	EXPECT_EQ(0, text_is(MNT "/d", "covered"));
	EXPECT_EQ(0, text_is(KEY, "first"));

	/* On top of what is mounted there is a path. */
	ASSERT_EQ(0, table("/t " F " reg pin"));
	EXPECT_STREQ("/t " F " reg rw,pin", row_of("/t"));
	EXPECT_EQ(0, text_is(MNT "/t", "other"));
	ASSERT_EQ(0, table("-/t"));
	EXPECT_TRUE(WAIT_FOR(!umount(F)));
	ASSERT_EQ(0, umount(HOST "/d"));
	ASSERT_EQ(0, change_table());
	EXPECT_EQ(0, rows_are("/d " HOST "/d/x reg rw,pin\n"
			      "/k " F " reg rw,pin\n"));
}

TEST_F(pin, a_row_is_told_from_the_root_of_who_wrote_it)
{
	ASSERT_EQ(0, IN_CHILD(table_write_from(HOST, "/k /f reg pin\n")));
	EXPECT_STREQ("/k /f reg rw,pin", row_of("/k"));
	ASSERT_EQ(0, ERR(rename(F, HOST "/moved")));
	ASSERT_EQ(0, change_table());
	EXPECT_STREQ("/k /moved reg rw,pin", row_of("/k"));
	ASSERT_EQ(0, ERR(rename(HOST "/moved", "/mnt/out")));
	ASSERT_EQ(0, change_table());
	EXPECT_EQ(0, rows_are("# unrestorable: /k /moved reg rw,pin\n"));
	EXPECT_EQ(0, text_is(KEY, "first"));
}

TEST_F(pin, lets_programs_in_the_host_file_run)
{
	ASSERT_EQ(0, run("cp /bin/true " F " && chmod 755 " F));
	ASSERT_EQ(0, table("/k " F " reg pin"));
	EXPECT_EQ(0, run(F));
	EXPECT_EQ(0, run(KEY));
}

TEST_F(pin, keeps_the_modes_of_opening)
{
	ASSERT_EQ(0, ERR(chmod(F, 0600)));
	ASSERT_EQ(0, table("/k " F " reg pin,mode=666\n/r " F " reg pin,ro"));
	EXPECT_EQ(0, AS_USER(1000, open_err(KEY, O_RDWR)));
	EXPECT_EQ(EROFS, open_err(MNT "/r", O_WRONLY));
	EXPECT_EQ(0, open_err(MNT "/r", O_RDONLY));
}

TEST_F(pin, a_window)
{
	ASSERT_EQ(0, fill(F, 10000, 1));
	ASSERT_EQ(0, table("/k " F " reg pin,offset=1000,size=5000"));
	ASSERT_EQ(0, ERR(rename(G, F)));
	EXPECT_EQ(5000, size_of(KEY));
	EXPECT_EQ(0, fill_is(KEY, 0, 5000, 1000, 1));
}

/* /proc/self/fd/N is an open file, not a path to be walked again. */

TEST_F(pin, binds_an_open_file)
{
	int fd = open(F, O_RDONLY);

	ASSERT_EQ(0, table("/k /proc/self/fd/%d reg", fd));
	EXPECT_EQ(0, rows_are("/k " F " reg rw,pin\n"));
	close(fd);
	ASSERT_EQ(0, ERR(rename(G, F)));
	EXPECT_EQ(0, text_is(KEY, "first"));
}

TEST_F(pin, binds_a_file_without_a_name)
{
	int fd = open(HOST, O_TMPFILE | O_RDWR, 0600);

	ASSERT_EQ(3, write(fd, "tmp", 3));
	ASSERT_EQ(0, table("/k /proc/self/fd/%d reg ro", fd));
	close(fd);
	EXPECT_EQ(0, text_is(KEY, "tmp"));
	/* There is no row that could bring it back. */
	EXPECT_EQ(NULL, row_of("/k"));
	EXPECT_EQ(0, table("-/k"));
	EXPECT_EQ(0, rows_are(""));
}

TEST_F(pin, binds_memory)
{
	int fd = memfd_create("m y", 0);

	ASSERT_EQ(6, write(fd, "memory", 6));
	ASSERT_EQ(0, table("/k /proc/self/fd/%d reg\n/b /proc/self/fd/%d blk",
			   fd, fd));
	EXPECT_EQ(0, text_is(KEY, "memory"));
	ASSERT_EQ(2, pwrite(fd, "MM", 2, 0));
	EXPECT_EQ(0, text_is(KEY, "MMmory"));
	EXPECT_EQ(0, rows_are("# unrestorable: /b /memfd:m\\040y\\040(deleted) blk rw\n"
			      "# unrestorable: /k /memfd:m\\040y\\040(deleted) reg rw,pin\n"));
	close(fd);
	EXPECT_EQ(0, text_is(KEY, "MMmory"));
}

TEST_F(pin, refuses_what_is_no_file)
{
	int fds[2], dir = open(HOST, O_RDONLY | O_DIRECTORY);

	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(EINVAL, table("/k /proc/self/fd/%d reg", fds[0]));
	EXPECT_EQ(EISDIR, table("/k /proc/self/fd/%d reg", dir));
	EXPECT_EQ(ENOENT, table("/k /proc/self/fd/999 reg"));
	EXPECT_EQ(EINVAL, table("/k /dev/null reg pin"));
	EXPECT_EQ(0, rows_are(""));
}

/* A pinned file holds its mount, a path does not. */
TEST_F(pin, holds_the_mount)
{
	ASSERT_EQ(0, mount_ext4(HOST "/disk", HOST "/img", 8));
	ASSERT_EQ(0, put_text(HOST "/disk/f", "x"));
	ASSERT_EQ(0, table("/k " HOST "/disk/f reg pin"));
	EXPECT_EQ(EBUSY, ERR(umount(HOST "/disk")));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_TRUE(WAIT_FOR(!umount(HOST "/disk")));
}

/*
 * A directory that is bound for good
 *
 *	/mnt/host/d	mapped by the test
 *	|-- f		"file"
 *	|-- out		-> ../g
 *	`-- sub/
 *	    |-- g	"below"
 *	    `-- up	-> ../f
 */
#define D HOST "/d"

FIXTURE(pinned)
{
};

FIXTURE_VARIANT(pinned)
{
	const char *type;
};

FIXTURE_VARIANT_ADD(pinned, dir) { .type = "dir" };
FIXTURE_VARIANT_ADD(pinned, subdirs) { .type = "subdirs" };

FIXTURE_SETUP(pinned)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(G, "other"));
	ASSERT_EQ(0, mkdir(D, 0755));
	ASSERT_EQ(0, mkdir(D "/sub", 0755));
	ASSERT_EQ(0, put_text(D "/f", "file"));
	ASSERT_EQ(0, put_text(D "/sub/g", "below"));
	ASSERT_EQ(0, symlink("../f", D "/sub/up"));
	ASSERT_EQ(0, symlink("../g", D "/out"));
	ASSERT_EQ(0, table("/k " D " %s pin", variant->type));
}

FIXTURE_TEARDOWN(pinned)
{
	teardown_mount();
}

static bool is_row(const char *host, const char *type)
{
	char row[256];

	snprintf(row, sizeof(row), "/k %s %s rw,pin\n", host, type);
	return !rows_are(row);
}

TEST_F(pinned, is_seen_wherever_it_is)
{
	bool is_subdirs = !strcmp(variant->type, "subdirs");

	EXPECT_TRUE(is_row(D, variant->type));
	EXPECT_EQ(0, text_is(KEY "/f", "file"));
	ASSERT_EQ(0, mkdir(HOST "/e", 0755));
	ASSERT_EQ(0, ERR(rename(D, HOST "/e/moved")));
	ASSERT_EQ(0, mkdir(D, 0755));
	ASSERT_EQ(0, put_text(D "/f", "another"));
	EXPECT_EQ(0, text_is(KEY "/f", "file"));
	EXPECT_EQ(is_subdirs ? 2 : 1, count_names(KEY));
	if (is_subdirs) {
		EXPECT_EQ(0, text_is(KEY "/sub/g", "below"));
		EXPECT_EQ(0, text_is(KEY "/sub/up", "file"));
	}
	EXPECT_EQ(ENOENT, stat_err(KEY "/out"));

	/* What is in it is live. */
	ASSERT_EQ(0, put_text(HOST "/e/moved/new", "new"));
	EXPECT_EQ(0, text_is(KEY "/new", "new"));
	ASSERT_EQ(0, put_text(KEY "/new", "written"));
	EXPECT_EQ(0, text_is(HOST "/e/moved/new", "written"));
	ASSERT_EQ(0, unlink(HOST "/e/moved/new"));
	EXPECT_EQ(ENOENT, stat_err(KEY "/new"));
	ASSERT_EQ(0, chmod(HOST "/e/moved", 0711));
	EXPECT_EQ(S_IFDIR | 0711, mode_of(KEY));

	/* The row tells where it is. */
	EXPECT_TRUE(is_row(D, variant->type));
	ASSERT_EQ(0, change_table());
	EXPECT_TRUE(is_row(HOST "/e/moved", variant->type));
}

TEST_F(pinned, is_empty_once_it_was_removed)
{
	int dir = open(KEY, O_RDONLY | O_DIRECTORY);

	ASSERT_LE(0, dir);
	ASSERT_EQ(0, table("/k/key " G " reg"));
	ASSERT_EQ(0, run("rm -r " D));
	EXPECT_EQ(ENOENT, stat_err(KEY "/f"));
	EXPECT_EQ(ENOENT, stat_err(KEY "/sub"));
	EXPECT_EQ(0, stat_err(KEY));
	EXPECT_EQ(1, count_names(KEY));
	EXPECT_EQ(1, listed(KEY, "key"));
	EXPECT_EQ(0, text_is(KEY "/key", "other"));
	ASSERT_EQ(0, ERR(fchdir(dir)));
	EXPECT_EQ(1, count_names("."));
	ASSERT_EQ(0, chdir("/"));
	close(dir);
	ASSERT_EQ(0, table("-/k/key"));
	EXPECT_EQ(0, count_names(KEY));
	EXPECT_EQ(NULL, row_of("/k"));
	EXPECT_EQ(1, run("grep -q '^/k' " TABLE));
	EXPECT_EQ(0, run("grep -q '^# unrestorable: /k " D " ' " TABLE));
	ASSERT_EQ(0, mkdir(D, 0755));
	ASSERT_EQ(0, put_text(D "/f", "another"));
	EXPECT_EQ(ENOENT, stat_err(KEY "/f"));
}

TEST_F(pinned, is_seen_under_a_mount)
{
	ASSERT_EQ(0, mount("none", D, "tmpfs", 0, NULL));
	EXPECT_EQ(0, text_is(KEY "/f", "file"));
	ASSERT_EQ(0, table("/p " D " %s", variant->type));
	EXPECT_EQ(ENOENT, stat_err(MNT "/p/f"));
	EXPECT_EQ(0, run("grep -q '^# unrestorable: /k ' " TABLE));
	ASSERT_EQ(0, umount(D));
	EXPECT_EQ(0, text_is(MNT "/p/f", "file"));
}

TEST_F(pinned, binds_an_open_directory)
{
	int dir = open(D, O_RDONLY | O_DIRECTORY);
	int path = open(D "/sub", O_PATH);

	ASSERT_EQ(0, table("=/k /proc/self/fd/%d %s", dir, variant->type));
	EXPECT_TRUE(is_row(D, variant->type));
	ASSERT_EQ(0, table("/p /proc/self/fd/%d %s ro", path, variant->type));
	close(dir);
	close(path);
	ASSERT_EQ(0, ERR(rename(D, HOST "/moved")));
	EXPECT_EQ(0, text_is(KEY "/f", "file"));
	EXPECT_EQ(0, text_is(MNT "/p/g", "below"));
	EXPECT_EQ(EROFS, open_err(MNT "/p/g", O_WRONLY));
}

TEST_F(pinned, holds_the_mount_until_it_goes)
{
	const char * const removal[] = { "lazy", "busy", "revoke" };
	int i;

	ASSERT_EQ(0, mount_ext4(HOST "/disk", HOST "/img", 8));
	ASSERT_EQ(0, mkdir(HOST "/disk/sub", 0755));
	ASSERT_EQ(0, put_text(HOST "/disk/sub/f", "x"));
	ASSERT_EQ(0, put_text(HOST "/disk/f", "x"));
	for (i = 0; i < 3; i++) {
		if (i)
			ASSERT_EQ(0, run("mount -o loop " HOST "/img "
					 HOST "/disk"));
		ASSERT_EQ(0, table("=/k " HOST "/disk %s pin", variant->type));
		ASSERT_EQ(0, run("find " KEY " -ls; cat " KEY "/f"));
		EXPECT_EQ(EBUSY, ERR(umount(HOST "/disk")));
		ASSERT_EQ(0, table("-/k %s", removal[i]));
		EXPECT_TRUE(WAIT_FOR(!umount(HOST "/disk")));
	}
}

TEST_F(pinned, is_the_same_in_a_saved_table)
{
	char *rows;

	ASSERT_EQ(0, ERR(rename(D, HOST "/moved")));
	ASSERT_EQ(0, mkdir(D, 0755));
	ASSERT_EQ(0, change_table());
	rows = table_rows();
	ASSERT_NE(NULL, rows);
	ASSERT_EQ(0, table("flush\n%s", rows));
	EXPECT_EQ(0, rows_are(rows));
	free(rows);
	EXPECT_EQ(0, text_is(KEY "/f", "file"));
}

TEST_HARNESS_MAIN
