// SPDX-License-Identifier: GPL-2.0
/* Which of atime, mtime and ctime a call moves, of the file and its directory. */

#include <sys/mman.h>

#include "lib/posix.h"

/* The four inodes of these tests stay in this state from line to line. */
#define STAGE "mkdir d 0755", "mkdir e 0755", "create d/f", "symlink f d/l"
#define MARK "mark d/f d e d/l"

TEST_F(posix, of_a_new_name)
{
	PLAY(STAGE, MARK, "create d/n", "moved d mc", "moved d/f -",
	     MARK, "mkdir d/m 0755", "moved d mc",
	     MARK, "symlink x d/s", "moved d mc",
	     MARK, "mkfifo d/p 0644", "moved d mc",
	     MARK, "mknod d/c chr 0600 1 3", "moved d mc",
	     MARK, "mknod d/k sock 0600", "moved d mc",
	     MARK, "open d/o O_RDWR,O_CREAT 0600", "moved d mc",
	     MARK, "link d/f e/g", "moved d -", "moved e mc", "moved d/f c",
	     MARK, "keep 0 e O_RDWR,O_TMPFILE 0600", "moved e -",
	     "linkfd 0 e/t", "moved e mc");
}

TEST_F(posix, of_a_removed_name)
{
	PLAY(STAGE, "link d/f e/g", "mkdir d/m 0755", MARK,
	     "unlink d/f", "moved d mc", "moved e/g=d/f c", "moved e -",
	     "mark d e", "rmdir d/m", "moved d mc", "mark d e",
	     "unlink d/l", "moved d mc", "moved e -");
}

TEST_F(posix, of_a_moved_name)
{
	PLAY(STAGE, "create e/g", "mkdir d/m 0755", MARK,
	     "rename d/f d/f2", "moved d mc", "moved d/f2=d/f c", "moved e -",
	     "rename d/f2 d/f", MARK, "rename d/f e/f", "moved d mc",
	     "moved e mc", "moved e/f=d/f c", "rename e/f d/f", MARK,
	     "rename2 d/f e/g 2", "moved d mc", "moved e mc", "moved e/g=d/f c",
	     "rename2 d/f e/g 2", MARK, "rename d/f e/g", "moved d mc",
	     "moved e mc", "mark d/m d e", "rename d/m e/m", "moved e/m=d/m c",
	     "moved d mc", "moved e mc", "rename e/g d/f", MARK,
	     "rename2 d/f d/f3 4", "moved d mc", "moved d/f3=d/f c",
	     "rename d/f3 d/f", "link d/f d/h", MARK, "rename d/f d/h",
	     "moved d -", "moved d/f -");
}

TEST_F(posix, of_a_replaced_name)
{
	PLAY(STAGE, "create e/x", "link d/f e/g", "create d/new", MARK,
	     "rename e/x d/f", "moved e/g=d/f c", "moved d mc", "moved e mc");
}

TEST_F(posix, of_a_call_that_fails)
{
	PLAY(STAGE, "mkdir d/m 0755", "create d/m/x", "create e/x", MARK,
	     "EEXIST create d/f", "EEXIST mkdir d/f 0755", "EEXIST link e/x d/f",
	     "EEXIST symlink x d/f", "EEXIST mkfifo d/f 0600",
	     "ENOTDIR rmdir d/f", "EISDIR unlink d/m", "ENOTEMPTY rmdir d/m",
	     "EISDIR rename d/f d/m", "EEXIST rename2 d/f e/x 1",
	     "ENOENT unlink d/n", "ENOENT rename d/n e/n", "EINVAL rename d d/m",
	     "EINVAL truncate d/f -1", "EISDIR truncate d 0",
	     "@1000 EACCES create d/n", "@1000 EACCES unlink d/f",
	     "@1000 EPERM chmod d/f 0777", "@1000 EPERM chown d/f 1000 -1",
	     "@1000 EACCES truncate d/f 5", "@1000 EPERM utimens d/f 1 1",
	     "@1000 EPERM chmod d 0777", "EINVAL utimens d/f bad bad",
	     "@1000 EACCES open d/f O_RDWR,O_TRUNC", "EPERM link d e/d",
	     "moved d/f -", "moved d -", "moved e -", "moved d/l -");
}

TEST_F(posix, of_changed_attributes)
{
	PLAY(STAGE, MARK, "chmod d/f 0600", "moved d/f c", "moved d -",
	     MARK, "chmod d/f 0600", "moved d/f c",
	     MARK, "chown d/f 5 5", "moved d/f c", "moved d -",
	     MARK, "chown d/f 5 5", "moved d/f c",
	     MARK, "chmod d 0777", "moved d c", "moved d/f -",
	     MARK, "chown d 5 5", "moved d c", MARK, "lchown d/l 5 5",
	     "moved d/l c", "moved d/f -", MARK, "chown d/l 6 6",
	     "moved d/f c", MARK, "utimens d/f omit omit",
	     "moved d/f -", MARK, "utimens d/f 1 omit", "moved d/f ac",
	     MARK, "utimens d/f omit 1", "moved d/f mc", MARK,
	     "utimens d/f 1 1", "moved d/f c", MARK, "utimenow d/f",
	     "moved d/f amc", MARK, "utimens d now now", "moved d amc",
	     MARK, "lutimens d/l 1 1", "moved d/l amc", "moved d/f -");
}

/* -1 and -1 ask for nothing, and yet it is a change by POSIX' leave. */
TEST_F(posix, of_a_chown_of_nothing)
{
	PLAY(STAGE, MARK, "chown d/f -1 -1", "moved d/f c", MARK,
	     "@1000 chown d/f -1 -1", "moved d/f c");
}

TEST_F(posix, of_written_and_cut_files)
{
	PLAY(STAGE, "keep 0 d/f O_RDWR", MARK, "write 0 abc", "moved d/f mc",
	     "moved d -", MARK, "write 0 {0}", "moved d/f -", MARK,
	     "ftruncate 0 2", "moved d/f mc", MARK, "ftruncate 0 2",
	     "moved d/f mc", MARK, "truncate d/f 100", "moved d/f mc", MARK,
	     "truncate d/f 0",
	     "moved d/f mc", MARK, "open d/f O_RDWR,O_TRUNC", "moved d/f mc",
	     MARK, "open d/f O_RDWR,O_CREAT 0600", "moved d/f -", MARK,
	     "open d/f O_RDWR", "open d/f O_WRONLY,O_APPEND", "moved d/f -",
	     "fsync 0", "moved d/f -", "keep 1 d/f O_WRONLY,O_APPEND", MARK,
	     "write 1 x", "moved d/f mc", "close 1", "close 0", "moved d -");
	/* To the size it has, where there are no pages to look at. */
	PLAY("create g", "truncate g 100", "mark g", "truncate g 100",
	     "moved g -");
}

TEST_F(posix, of_read_files)
{
	/* relatime: the access time moves when it is not after the others. */
	PLAY(STAGE, "keep 0 d/f O_RDWR", "write 0 abc", "chmod d/f 0600",
	     "close 0", MARK, "keep 0 d/f O_RDONLY", "read 0", "moved d/f a",
	     MARK, "read 0", "moved d/f -", "close 0", "chmod d/f 0644", MARK,
	     "keep 0 d/f O_RDONLY,O_NOATIME", "read 0", "moved d/f -",
	     "stat d/f", "access d/f r", "moved d/f -", "close 0",
	     MARK, "list d", "moved d a", MARK, "list d", "moved d -",
	     MARK, "readlink d/l f", "moved d/l a", MARK, "readlink d/l",
	     "moved d/l -", "lchown d/l 0 0", MARK, "stat d/l", "moved d/l a");
}

TEST_F(posix, of_mapped_files)
{
	char *map;
	int fd;

	ASSERT_EQ(0, fill("f", 2 * PAGE, 1));
	fd = open("f", O_RDWR);
	map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	PLAY("mark f", "chmod f 0600", "moved f c");
	/* A store that faults is noticed, one into a mapped page is not. */
	PLAY("mark f");
	map[10] = 'x';
	ASSERT_EQ(0, msync(map, 2 * PAGE, MS_SYNC));
	PLAY("moved f mc", "mark f");
	map[11] = 'y';
	PLAY("moved f -");
	munmap(map, 2 * PAGE);
	close(fd);
}

TEST_HARNESS_MAIN
