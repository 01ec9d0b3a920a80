// SPDX-License-Identifier: GPL-2.0
/* Who may do what, and whose the result is. */

#include "lib/posix.h"

TEST_F(posix, no_search_right_is_eacces)
{
	static const char *const calls[] = {
		"stat %", "lstat %", "access % r", "readlink %", "statfs %",
		"open % O_RDONLY", "open % O_PATH", "chdir %", "chmod % 0644",
		"chown % 1000 1000", "lchown % 1000 1000", "truncate % 0",
		"utimens % now now", "lutimens % 1 1", "open % O_WRONLY",
		"unlink %", "rmdir %", "rename % new", "rename own %",
		"link % new", "link own %", "mkdir % 0755", "create %",
		"open % O_RDWR,O_CREAT 0644", "mkfifo % 0644",
		"mknod % sock 0644", "symlink x %", "rename2 % own 2", NULL
	};

	PLAY("mkdir d 0755", "mkdir d/e 0755", "create d/e/f",
	     "chown d/e/f 1000 1000", "chown d/e 1000 1000", "chmod d 0666",
	     "mkdir w 0777", "chdir w", "@1000 create own");
	EXPECT_EQ(0, play_each("@1000 EACCES", calls, "../d/e"));
	EXPECT_EQ(0, play_each("@1000 EACCES", calls, "../d/e/f"));
	PLAY("stat ../d/e/f", "@1000 list ../d 1",
	     "@0:0 chmod ../d 0111", "@1000 stat ../d/e/f",
	     "@1000 EACCES list ../d", "@1000 EACCES open .. O_RDWR,O_TMPFILE 0600");
}

TEST_F(posix, no_write_right_in_the_directory_is_eacces)
{
	static const char *const calls[] = {
		"unlink %/f", "rmdir %/e", "rename %/f own2", "rename own %/g",
		"link own %/g", "mkdir %/g 0755",
		"create %/g", "open %/g O_RDWR,O_CREAT 0644",
		"mkfifo %/g 0644", "mknod %/g sock 0644", "symlink x %/g",
		"rename2 %/f own 2", "open % O_RDWR,O_TMPFILE 0600", NULL
	};

	PLAY("mkdir d 0755", "create d/f", "mkdir d/e 0755",
	     "chown d/f 1000 1000", "chown d/e 1000 1000", "mkdir w 0777",
	     "chdir w", "@1000 create own");
	EXPECT_EQ(0, play_each("@1000 EACCES", calls, "../d"));
	/* A name that is taken is said before the right is asked. */
	PLAY("@1000 EEXIST mkdir ../d/e 0755", "@1000 EEXIST create ../d/f",
	     "@1000 EEXIST symlink x ../d/f",
	     "@1000 open ../d/f O_RDWR,O_CREAT 0644",
	     "@1000 ENOENT unlink ../d/none", "is ../d nlink=3", "list ../d 2",
	     /* By group and by the rest, the first that fits decides. */
	     "chown ../d 7 1000", "chmod ../d 0775", "@1000 create ../d/g",
	     "chmod ../d 0757", "@1000 EACCES unlink ../d/g",
	     "@1000:5,1000 EACCES unlink ../d/g", "@1001 unlink ../d/g",
	     "chown ../d 1000 7", "chmod ../d 0577",
	     "@1000:7,7 EACCES create ../d/g", "@1001:7 create ../d/g");
}

TEST_F(posix, rights_of_a_file_are_held)
{
	PLAY("create f", "chown f 1000 100", "chmod f 0640",
	     "@1000 open f O_RDWR", "@1000 truncate f 5",
	     "@1001:100 open f O_RDONLY", "@1001:5,100 open f O_RDONLY",
	     "@1001:100 EACCES open f O_WRONLY",
	     "@1001:100 EACCES truncate f 0",
	     "@1001:100 EACCES open f O_RDONLY,O_TRUNC",
	     "@1001 EACCES open f O_RDONLY", "@1001 EACCES access f r",
	     "@1001 access f -", "@1001:100 access f r",
	     "@1001:100 EACCES access f w", "EACCES access f x",
	     "@1001 stat f", "@1001 open f O_PATH",
	     "@1001:100 EPERM open f O_RDONLY,O_NOATIME",
	     "@1000 open f O_RDONLY,O_NOATIME", "is f size=5",
	     "chmod f 0404", "@1000 EACCES open f O_WRONLY",
	     "@1001 open f O_RDONLY", "@1001:100 EACCES open f O_RDONLY",
	     "open f O_RDWR", "chmod f 0", "open f O_RDWR", "EACCES access f x",
	     "@1000 EACCES open f O_RDONLY",
	     /* What is open stays open. */
	     "chmod f 0600", "@1000 keep 0 f O_RDWR", "chmod f 0",
	     "@1000 write 0 abc", "@1001 write 0 abc", "@1001 ftruncate 0 1");
}

TEST_F(posix, a_file_may_be_made_without_rights)
{
	PLAY("mkdir w 0777", "@1000 keep 0 w/f O_RDWR,O_CREAT,O_EXCL 0",
	     "@1000 write 0 abc", "is w/f mode=0 size=3 uid=1000 gid=1000",
	     "@1000 EACCES open w/f O_RDONLY", "@1000 unlink w/f",
	     "@1000 mkdir w/d 0", "@1000 EACCES create w/d/x",
	     "@1000 rmdir w/d", "umask 077", "@1000 create w/g 0666",
	     "is w/g mode=0600", "@1000 mkdir w/e 0777", "is w/e mode=0700",
	     "@1000 mkfifo w/p 0644", "is w/p mode=0600",
	     "@1000 symlink x w/l", "is w/l mode=0777", "umask 0");
}

TEST_F(posix, chmod_is_for_the_owner)
{
	PLAY("create f", "chown f 1000 100", "@1000 chmod f 0111",
	     "is f mode=0111", "@1001 EPERM chmod f 0777",
	     "@1001:100 EPERM chmod f 0111", "chmod f 07777",
	     "is f mode=07777", "mkdir w 0777", "@1000 create w/g",
	     "@1000 chmod w/g 06755", "is w/g mode=06755",
	     /* Of a group that is not one's own the bit goes. */
	     "chown w/g 1000 5", "@1000 chmod w/g 06755", "is w/g mode=04755",
	     "@1000:1000,5 chmod w/g 06755", "is w/g mode=06755",
	     /* The sticky bit of a file is anybody's who owns it. */
	     "@1000 chmod w/g 01644", "is w/g mode=01644", "@1000 mkdir w/d 0755",
	     "@1000 chmod w/d 03775", "is w/d mode=03775", "chown w/d 1000 5",
	     "@1000 chmod w/d 02775", "is w/d mode=0775",
	     "symlink f l", "chmod l 0600", "is f mode=0600", "is l mode=0777",
	     "@1000 keep 0 f O_RDWR", "@1001 EPERM fchmod 0 0644",
	     "@1000 fchmod 0 0644", "is f mode=0644");
}

TEST_F(posix, chown_is_for_root)
{
	PLAY("create f", "chown f 1000 100", "is f uid=1000 gid=100",
	     "@1000:100,200 chown f 1000 200", "is f gid=200",
	     "@1000:100,200 chown f -1 100", "is f gid=100",
	     "@1000:100 EPERM chown f -1 300", "@1000 EPERM chown f 1001 -1",
	     "@1000:100 chown f 1000 100", "@1000 chown f -1 -1",
	     "@1001:100 EPERM chown f -1 100", "@1001 chown f -1 -1",
	     "@1001 EPERM chown f 1001 -1", "chown f 1001 -1",
	     "is f uid=1001 gid=100", "chown f -1 0", "is f uid=1001 gid=0",
	     "symlink f l", "lchown l 5 6", "is l uid=5 gid=6",
	     "is f uid=1001", "chown l 7 8", "is f uid=7 gid=8", "is l uid=5",
	     "@5:6,9 lchown l -1 9", "is l gid=9", "@7:8,9 chown l -1 9",
	     "is f gid=9", "@7:9 keep 0 f O_RDWR", "@8 EPERM fchown 0 8 -1",
	     "fchown 0 8 8", "is f uid=8 gid=8");
}

/* After these, the set-id bits of a file are as the second string has it. */
static int set_ids_after(const char *line, int before, int after)
{
	char restore[32], is[32];
	int wrong;

	snprintf(restore, sizeof(restore), "chmod f %#o", before);
	snprintf(is, sizeof(is), "is f mode=%#o", after);
	wrong = play((const char *const[]) {
		"chown f 1000 1000", restore, line, is, NULL });
	if (wrong)
		printf("# after %s\n", line);
	return wrong;
}

TEST_F(posix, set_id_bits_go_with_chown)
{
	PLAY("create f");
	EXPECT_EQ(0, set_ids_after("chown f 1000 1000", 06755, 0755));
	EXPECT_EQ(0, set_ids_after("chown f -1 -1", 06755, 0755));
	EXPECT_EQ(0, set_ids_after("chown f 5 -1", 06755, 0755));
	EXPECT_EQ(0, set_ids_after("chown f -1 5", 07711, 01711));
	EXPECT_EQ(0, set_ids_after("@1000 chown f -1 1000", 06755, 0755));
	EXPECT_EQ(0, set_ids_after("@1000 chown f -1 -1", 06755, 0755));
	/* Without group execution it means locking, and only that of others goes. */
	EXPECT_EQ(0, set_ids_after("chown f 5 5", 06745, 02745));
	EXPECT_EQ(0, set_ids_after("@1000 chown f -1 1000", 06745, 02745));
	EXPECT_EQ(0, set_ids_after("@1000 EPERM chown f 5 5", 06755, 06755));
	PLAY("mkdir d 0755", "chmod d 07775", "chown d 1000 1000",
	     "is d mode=07775", "@1000 chown d -1 1000", "is d mode=07775");
}

TEST_F(posix, set_id_bits_go_when_others_write)
{
	PLAY("create f", "chmod f 0666", "keep 0 f O_RDWR", "keep 1 f O_RDONLY");
	EXPECT_EQ(0, set_ids_after("write 0 x", 06777, 06777));
	EXPECT_EQ(0, set_ids_after("@1000 write 0 x", 06777, 0777));
	EXPECT_EQ(0, set_ids_after("@1001 write 0 x", 06777, 0777));
	EXPECT_EQ(0, set_ids_after("@1001 write 0 x", 04666, 0666));
	EXPECT_EQ(0, set_ids_after("@1001 write 0 x", 02676, 0676));
	EXPECT_EQ(0, set_ids_after("@1000 write 0 {0}", 06777, 06777));
	EXPECT_EQ(0, set_ids_after("@1001 read 1", 06777, 06777));
	EXPECT_EQ(0, set_ids_after("truncate f 3", 06777, 06777));
	EXPECT_EQ(0, set_ids_after("@1001 truncate f 0", 06777, 0777));
	EXPECT_EQ(0, set_ids_after("@1000 ftruncate 0 7", 06777, 0777));
	EXPECT_EQ(0, set_ids_after("@1001 open f O_WRONLY,O_TRUNC", 06777, 0777));
	EXPECT_EQ(0, set_ids_after("@1001 open f O_WRONLY", 06777, 06777));
	EXPECT_EQ(0, set_ids_after("fallocate 0 0 0 10", 06777, 06777));
	EXPECT_EQ(0, set_ids_after("@1000 fallocate 0 0 0 10", 06777, 0777));
}

TEST_F(posix, a_directory_hands_its_group_on)
{
	PLAY("mkdir d 0777", "chown d 5 6", "chmod d 02777",
	     "@1000 create d/f", "is d/f uid=1000 gid=6 mode=0644",
	     "@1000 mkdir d/e 0755", "is d/e uid=1000 gid=6 mode=02755",
	     "@1000 mkdir d/e/g 0700", "is d/e/g gid=6 mode=02700",
	     "@1000 mkfifo d/p 0644", "is d/p gid=6", "@1000 symlink x d/l",
	     "is d/l gid=6 uid=1000", "@1000 mknod d/s sock 0644", "is d/s gid=6",
	     "@1000 keep 0 d O_RDWR,O_TMPFILE 0640", "fis 0 gid=6 mode=0640",
	     /* A set-group bit for a group of which one is not goes, */
	     "@1000 keep 1 d/x O_RDWR,O_CREAT 02777", "is d/x gid=6 mode=0777",
	     "@1000:6 keep 1 d/y O_RDWR,O_CREAT 02777", "is d/y mode=02777",
	     "@1000:1,6 keep 1 d/z O_RDWR,O_CREAT 02777", "is d/z mode=02777",
	     "keep 1 d/r O_RDWR,O_CREAT 02777", "is d/r mode=02777",
	     "@1000 keep 1 d/u O_RDWR,O_CREAT 04777", "is d/u mode=04777",
	     /* and a directory does not take one that was asked for. */
	     "mkdir n 0777", "@1000 mkdir n/d 02777",
	     "is n/d uid=1000 gid=1000 mode=0777", "@1000:7 create n/f",
	     "is n/f gid=7", "@1000 mkdir n/t 01777", "is n/t mode=01777",
	     /* What moves keeps its group. */
	     "rename n/f d/moved", "is d/moved gid=7");
}

/*
 * In a sticky directory a name goes only by the owner of the directory, of the
 * file, or by root.
 */
static int sticky(int dir_owner, int owner, int who, const char *call,
		  int expected)
{
	char dir[40], file[40], line[64];

	snprintf(dir, sizeof(dir), "chown d %d 0", dir_owner);
	snprintf(file, sizeof(file), "lchown d/f %d 0", owner);
	snprintf(line, sizeof(line), "@%d %s %s", who,
		 expected ? errno_name(expected) : "", call);
	return play((const char *const[]){ dir, file, line, NULL });
}

FIXTURE(sticky)
{
};

FIXTURE_VARIANT(sticky)
{
	const char *make;
	/* of d/f, and back: what may be asked of it */
	const char *calls[5][2];
};

FIXTURE_VARIANT_ADD(sticky, file)
{
	.make = "create d/f",
	.calls = { { "unlink d/f", "create d/f" },
		   { "rename d/f d/g", "rename d/g d/f" },
		   { "rename d/f w/g", "rename w/g d/f" },
		   { "rename w/file d/f", "create w/file" },
		   { "rename2 w/file d/f 2", "rename2 w/file d/f 2" } },
};

FIXTURE_VARIANT_ADD(sticky, directory)
{
	.make = "mkdir d/f 0777",
	.calls = { { "rmdir d/f", "mkdir d/f 0777" },
		   { "rename d/f d/g", "rename d/g d/f" },
		   { "rename w/dir d/f", "mkdir w/dir 0777" },
		   { "rename2 w/file d/f 2", "rename2 w/file d/f 2" } },
};

FIXTURE_VARIANT_ADD(sticky, symlink)
{
	.make = "symlink x d/f",
	.calls = { { "unlink d/f", "symlink x d/f" },
		   { "rename d/f d/g", "rename d/g d/f" },
		   { "rename d/f w/g", "rename w/g d/f" },
		   { "rename w/file d/f", "create w/file" } },
};

FIXTURE_VARIANT_ADD(sticky, fifo)
{
	.make = "mkfifo d/f 0644",
	.calls = { { "unlink d/f", "mkfifo d/f 0644" },
		   { "rename d/f d/g", "rename d/g d/f" },
		   { "rename w/file d/f", "create w/file" } },
};

FIXTURE_SETUP(sticky)
{
	ASSERT_EQ(0, setup_mount("mode=0755"));
	ASSERT_EQ(0, chdir(MNT));
}

FIXTURE_TEARDOWN(sticky)
{
	become(NULL);
	ASSERT_EQ(0, chdir("/"));
	teardown_mount();
}

TEST_F(sticky, names_go_by_their_owners)
{
	static const int owners[] = { 0, 1000, 1001 };
	int dir, file, who, i;

	PLAY("mkdir d 01777", "mkdir w 0777", "create w/file",
	     "mkdir w/dir 0777", variant->make);
	for (i = 0; i < 5 && variant->calls[i][0]; i++)
		for (dir = 0; dir < 3; dir++)
			for (file = 0; file < 3; file++)
				for (who = 0; who < 3; who++) {
					const char *call = variant->calls[i][0];
					bool may = !who || who == dir ||
						   who == file;

					EXPECT_EQ(0, sticky(owners[dir],
							    owners[file],
							    owners[who], call,
							    may ? 0 : EPERM));
					if (may)
						PLAY(variant->calls[i][1]);
				}
}

TEST_F(posix, a_sticky_directory_keeps_what_is_replaced)
{
	PLAY("mkdir d 01777", "mkdir w 0777", "@1000 create d/mine",
	     "@1001 create d/theirs", "@1000 EPERM rename d/mine d/theirs",
	     "@1000 EPERM rename2 d/mine d/theirs 2", "@1000 link d/mine d/m2",
	     "@1001 EPERM unlink d/m2", "@1000 rename d/mine d/other",
	     "@1000 create w/x", "@1001 rename w/x d/x", "is d/x uid=1000",
	     "@1001 EPERM unlink d/x", "@1000 unlink d/x",
	     /* One's own directory keeps its parent link when moved away. */
	     "@1000 mkdir d/sub 0755", "chown d/sub 1001 1001",
	     "@1000 EPERM rename d/sub w/sub", "@1001 rename d/sub w/sub");
}

TEST_F(posix, a_directory_of_others_keeps_its_parent)
{
	/* Moving it to another parent changes it, which takes write access. */
	PLAY("mkdir a 0777", "mkdir b 0777", "mkdir a/d 0755",
	     "@1000 EACCES rename a/d b/d", "@1000 rename a/d a/e",
	     "mkdir b/f 0755", "@1000 EACCES rename2 a/e b/f 2",
	     "@1000 create b/g", "@1000 EACCES rename2 b/g a/e 2",
	     "chown a/e 1000 1000", "@1000 rename a/e b/d", "is b nlink=4");
}

TEST_F(posix, times_are_set_by_who_may)
{
	PLAY("create f", "chown f 1000 1000", "chmod f 0626",
	     "@1000 utimens f 5 6.7", "is f atime=5 mtime=6 mnsec=7",
	     "@1001 EPERM utimens f 1 2", "@1001 utimens f now now",
	     "@1001 utimenow f", "@1001 EPERM utimens f now omit",
	     "@1001 EPERM utimens f omit now", "@1001 utimens f omit omit",
	     "@1001 EPERM utimens f now 5", "@1000 utimens f 5 omit",
	     "chmod f 0644", "@1001 EACCES utimens f now now",
	     "@1001 EACCES utimenow f", "@1001 utimens f omit omit",
	     "@1001 EPERM utimens f 1 omit", "utimens f 9 10",
	     "is f atime=9 mtime=10", "EINVAL utimens f bad 1",
	     "EINVAL utimens f 1 bad", "is f atime=9 mtime=10",
	     "utimens f 1 omit", "is f atime=1 mtime=10",
	     "utimens f omit 3.999999999", "is f atime=1 mtime=3 mnsec=999999999",
	     "utimens f -1 -2.5", "is f atime=-1 mtime=-2 mnsec=5",
	     "utimens f 0 4294967296", "is f atime=0 mtime=4294967296",
	     "symlink f l", "lutimens l 4 4", "is l mtime=4",
	     "is f mtime=4294967296", "utimens l 8 8", "is f mtime=8");
}

TEST_F(posix, device_nodes_are_for_root)
{
	PLAY("mkdir w 0777", "@1000 EPERM mknod w/c chr 0666 1 3",
	     "@1000 EPERM mknod w/b blk 0666 1 3",
	     "@1000 mknod w/p fifo 0644", "@1000 mknod w/s sock 0644",
	     "@1000 mknod w/r reg 0644", "list w 3",
	     /* A whiteout is one that anybody may make. */
	     "@1000 mknod w/w chr 0 0 0", "is w/w uid=1000 type=chr",
	     "@1000 rename2 w/r w/r2 4", "is w/r type=chr uid=1000",
	     "mknod n chr 0600 1 3", "@1000 EACCES open n O_RDONLY",
	     "chmod n 0666", "@1000 open n O_RDWR");
}

TEST_F(posix, links_to_files_of_others_need_rights)
{
	PLAY("mkdir w 0777", "create w/f", "create w/open 0666",
	     "chmod w/open 04666", "@1000 create w/own");
	if (text_is("/proc/sys/fs/protected_hardlinks", "1\n"))
		SKIP(return, "fs.protected_hardlinks is not set");
	PLAY("@1000 EPERM link w/f w/g", "@1000 link w/own w/g",
	     "@1000 EPERM link w/open w/h", "chmod w/open 0666",
	     "@1000 link w/open w/h", "link w/f w/i");
}

TEST_F(posix, a_running_program_is_not_written)
{
	int ends[2], started[2], pid;
	char byte;

	ASSERT_EQ(0, run("cp /bin/cat prog && chmod 755 prog"));
	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(0, pipe2(started, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		dup2(ends[0], 0);
		close(ends[0]);
		close(ends[1]);
		execl("./prog", "prog", NULL);
		_exit(1);
	}
	close(started[1]);
	ASSERT_EQ(0, read(started[0], &byte, 1));
	PLAY("ETXTBSY open prog O_RDWR", "ETXTBSY truncate prog 0",
	     "ETXTBSY open prog O_RDONLY,O_TRUNC", "open prog O_RDONLY",
	     "chmod prog 0700", "rename prog p", "unlink p");
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(0, wait_status(pid));
}

TEST_HARNESS_MAIN
