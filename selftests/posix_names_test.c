// SPDX-License-Identifier: GPL-2.0
/* What each call on a name answers, and what it leaves behind. */

#include "lib/posix.h"

/* Every call that takes a path, with the path as a %. */
static const char *const reading[] = {
	"stat %", "lstat %", "access % r", "readlink %", "statfs %",
	"open % O_RDONLY", "open % O_RDONLY,O_DIRECTORY", "open % O_PATH",
	"chdir %", NULL
};

/* Of those that change something: the name must be there, */
static const char *const changing[] = {
	"chmod % 0644", "chown % 1 1", "lchown % 1 1", "truncate % 0",
	"utimens % now now", "lutimens % 1 1", "utimenow %",
	"open % O_WRONLY", "open % O_RDWR,O_TRUNC", NULL
};

/* go, */
static const char *const removing[] = {
	"unlink %", "rmdir %", "rename % new", "link % new",
	"rename2 % new 1", "rename2 % other 2", "rename2 other % 2", NULL
};

/* or come. */
static const char *const making[] = {
	"mkdir % 0755", "create %", "open % O_RDWR,O_CREAT 0644",
	"mkfifo % 0644", "mknod % chr 0600 1 3", "mknod % blk 0600 1 3",
	"mknod % sock 0600", "mknod % reg 0600", "symlink x %",
	"link other %", "rename other %", "rename2 other % 1",
	"rename2 other % 4", NULL
};

static int play_all(const char *want, const char *path)
{
	return play_each(want, reading, path) +
	       play_each(want, changing, path) +
	       play_each(want, removing, path) + play_each(want, making, path);
}

TEST_F(posix, a_file_in_the_path_is_enotdir)
{
	PLAY("create f", "create other", "mkfifo p 0644", "symlink f l");
	EXPECT_EQ(0, play_all("ENOTDIR", "f/x"));
	EXPECT_EQ(0, play_all("ENOTDIR", "p/x"));
	EXPECT_EQ(0, play_all("ENOTDIR", "l/x"));
	EXPECT_EQ(0, play_all("ENOTDIR", "f/x/y"));
}

TEST_F(posix, a_missing_name_in_the_path_is_enoent)
{
	PLAY("create other", "symlink none dangling");
	EXPECT_EQ(0, play_all("ENOENT", "none/x"));
	EXPECT_EQ(0, play_all("ENOENT", "dangling/x"));
	EXPECT_EQ(0, play_all("ENOENT", "{0}"));
	EXPECT_EQ(0, play_each("ENOENT", changing, "none"));
	EXPECT_EQ(0, play_each("ENOENT", removing, "none"));
	/* A link that leads nowhere is there; what it names is not. */
	PLAY("ENOENT chmod dangling 0644", "ENOENT chown dangling 1 1",
	     "ENOENT stat dangling", "lstat dangling", "lchown dangling 1 1",
	     "ENOENT truncate dangling 0", "ENOENT open dangling O_RDWR",
	     "ENOENT utimens dangling 1 1", "lutimens dangling 1 1",
	     "EEXIST create dangling", "open dangling O_RDWR,O_CREAT 0600",
	     "is none type=reg mode=0600");
}

TEST_F(posix, a_removed_directory_takes_no_names)
{
	PLAY("mkdir d 0755", "create other", "chdir d", "rmdir ../d");
	EXPECT_EQ(0, play_each("ENOENT", (const char *const[]){
		"mkdir % 0755", "create %", "mkfifo % 0644", "symlink x %",
		"link ../other %", "rename ../other %", "stat %", "unlink %",
		"rmdir %", NULL }, "x"));
	PLAY("open . O_RDWR,O_TMPFILE 0600", "is . nlink=0",
	     "list . 0", "stat ..");
	ASSERT_EQ(NULL, getcwd(NULL, 0));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, chdir(MNT));
}

TEST_F(posix, names_end_at_255_bytes)
{
	PLAY("create other");
	EXPECT_EQ(0, play_all("ENAMETOOLONG", "{256}"));
	EXPECT_EQ(0, play_all("ENAMETOOLONG", "{256}/x"));
	EXPECT_EQ(0, play_all("ENAMETOOLONG", "./{300}"));
	PLAY("create {255}", "is {255} type=reg nlink=1", "chmod {255} 0600",
	     "link {255} {254}", "rename {254} {253}", "unlink {253}",
	     "ENAMETOOLONG rename {255} {256}", "truncate {255} 5",
	     "ENAMETOOLONG link {255} {256}", "list . 2", "unlink {255}",
	     "mkdir {255} 0755", "create {255}/{255}",
	     "unlink {255}/{255}", "rmdir {255}", "symlink x {255}",
	     "unlink {255}", "mkfifo {255} 0644", "unlink {255}");
}

TEST_F(posix, paths_end_at_4095_bytes)
{
	PLAY("create other");
	EXPECT_EQ(0, play_all("ENAMETOOLONG", "~4096~x"));
	EXPECT_EQ(0, play_all("ENAMETOOLONG", "~5000~x"));
	EXPECT_EQ(0, play_all("ENAMETOOLONG", "{4096}"));
	PLAY("create ~4095~x", "is ~4095~x type=reg", "chmod ~4095~x 0600",
	     "link ~4095~x ~4095~y", "rename ~4095~y ~4094~z", "list . 3",
	     "unlink ~4095~z", "unlink x", "mkdir ~4095~d 0755",
	     "rmdir ~4095~d", "symlink x ~4095~l", "readlink ~4095~l x",
	     "unlink l", "symlink {4095} l", "readlink l {4095}",
	     "is l type=link size=4095 mode=0777",
	     "ENAMETOOLONG symlink {4096} m", "ENOENT symlink {0} m");
}

TEST_F(posix, links_in_a_circle_are_eloop)
{
	PLAY("create other", "symlink a b", "symlink b a", "symlink self self");
	EXPECT_EQ(0, play_all("ELOOP", "a/x"));
	EXPECT_EQ(0, play_all("ELOOP", "self/x"));
	PLAY("ELOOP stat a", "ELOOP open a O_RDONLY", "ELOOP chmod self 0644",
	     "ELOOP truncate a 0", "ELOOP chown a 1 1", "lchown a 1 1",
	     "ELOOP utimens a 1 1", "ELOOP access a r", "ELOOP chdir a",
	     "ENOTDIR open other/../self O_RDONLY", "readlink a b",
	     "ELOOP open self O_RDWR,O_CREAT 0644", "EEXIST create self",
	     "ELOOP open a O_RDONLY,O_NOFOLLOW", "open a O_PATH,O_NOFOLLOW");
}

TEST_F(posix, forty_links_are_followed)
{
	char name[8], next[8];
	int i;

	ASSERT_EQ(0, mkdir("l0", 0755));
	for (i = 0; i < 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(next, sizeof(next), "l%d", i + 1);
		ASSERT_EQ(0, symlink(name, next));
	}
	PLAY("stat l40", "ELOOP stat l41", "create l40/x", "unlink l40/x");
}

TEST_F(posix, a_bad_address_is_efault)
{
	PLAY("create other");
	EXPECT_EQ(0, play_all("EFAULT", "{bad}"));
	PLAY("EFAULT symlink {bad} l", "ENOENT lstat l");
}

TEST_F(posix, a_name_that_is_taken_is_eexist)
{
	static const char *const taken[] = {
		"f", "d", "p", "l", "c", "s", "dangling", "d/", NULL
	};
	int i;

	PLAY("create f", "mkdir d 0755", "mkfifo p 0644", "symlink f l",
	     "mknod c chr 0600 1 3", "mknod s sock 0600", "create other",
	     "symlink none dangling");
	for (i = 0; taken[i]; i++)
		EXPECT_EQ(0, play_each("EEXIST", (const char *const[]){
			"mkdir % 0755", "mkfifo % 0644", "symlink x %",
			"mknod % chr 0600 1 3", "mknod % sock 0600",
			"mknod % reg 0600", "link other %",
			"rename2 other % 1", NULL }, taken[i]));
	EXPECT_EQ(0, play_each("EEXIST", (const char *const[]){
		"create %", "mkdir % 0755", "link other %", NULL }, "."));
	PLAY("EEXIST mkdir / 0755", "EEXIST mkdir .. 0755", "list . 8");
}

TEST_F(posix, a_slash_behind_a_name_asks_for_a_directory)
{
	PLAY("create f", "mkdir d 0755", "symlink d ld", "symlink f lf",
	     "symlink none dangling",
	     "ENOTDIR stat f/", "ENOTDIR open f/ O_RDONLY", "ENOTDIR unlink f/",
	     "ENOTDIR rename f/ g", "ENOTDIR link f/ g", "ENOTDIR chmod f/ 0644",
	     "ENOTDIR truncate f/ 0", "ENOTDIR rmdir f/",
	     "EISDIR open none/ O_RDWR,O_CREAT 0644", "ENOENT mkfifo none/ 0644",
	     "ENOENT symlink x none/", "ENOENT link f none/",
	     "ENOENT mknod none/ chr 0600 1 3",
	     "ENOTDIR rename f none/", "mkdir e/ 0755", "rename e/ g/",
	     "rmdir g/", "stat ld/", "is ld/ type=dir", "ENOTDIR stat lf/",
	     "ENOTDIR rmdir ld/", "ENOTDIR unlink ld/", "is ld type=link",
	     "EISDIR unlink d/", "EEXIST mkdir dangling/ 0755");
}

TEST_F(posix, the_wrong_type_is_said)
{
	PLAY("create f", "mkdir d 0755", "symlink d l", "mkdir full 0755",
	     "create full/x", "mknod s sock 0644", "mkfifo p 0644",
	     "EISDIR unlink d", "ENOTDIR rmdir f", "ENOTDIR rmdir l",
	     "ENOTDIR rmdir p", "EPERM link d hard", "EISDIR truncate d 0",
	     "EINVAL truncate p 0", "EINVAL truncate s 0",
	     "EISDIR open d O_WRONLY", "EISDIR open d O_RDWR",
	     "EISDIR open d O_RDONLY,O_TRUNC",
	     "EISDIR open d O_RDONLY,O_CREAT 0644",
	     "EEXIST open d O_RDONLY,O_CREAT,O_EXCL 0644",
	     "ENOTDIR open f O_RDONLY,O_DIRECTORY",
	     "ENOTDIR open p O_RDONLY,O_DIRECTORY",
	     "ELOOP open l O_RDONLY,O_NOFOLLOW",
	     "ENOTDIR open l O_RDONLY,O_NOFOLLOW,O_DIRECTORY",
	     "EINVAL readlink f", "EINVAL readlink d", "ENXIO open s O_RDONLY",
	     "ENXIO open p O_WRONLY,O_NONBLOCK", "ENOTEMPTY rmdir full",
	     "EINVAL rmdir .", "ENOTEMPTY rmdir full/..", "EINVAL rmdir d/.",
	     "EISDIR unlink .", "EISDIR unlink d/..", "ENOTDIR chdir f",
	     "ENOTDIR open f O_RDWR,O_TMPFILE 0600",
	     "EINVAL open . O_RDONLY,O_TMPFILE 0600", "list . 6");
}

TEST_F(posix, rename_asks_for_types_that_fit)
{
	PLAY("create f", "create g", "mkdir d 0755", "mkdir e 0755",
	     "mkdir full 0755", "create full/x", "symlink f l",
	     "EISDIR rename f d", "ENOTDIR rename d f", "EISDIR rename l d",
	     "ENOTDIR rename d l", "ENOTEMPTY rename d full", "rename full e",
	     "rename e full", "EINVAL rename full full/sub",
	     "mkdir full/deep 0755", "EINVAL rename full full/deep/x",
	     "EINVAL rename full full/deep", "ENOTEMPTY rename full/deep full",
	     "EBUSY rename . x", "EBUSY rename d/. x", "EBUSY rename d/.. x",
	     "EBUSY rename f .", "EBUSY rename f d/..", "EBUSY rename d full/.",
	     /* A name onto another of the same file: nothing happens. */
	     "link f f2", "rename f f2", "is f nlink=2", "is f2 nlink=2 same=f",
	     "rename f f", "rename d d", "rename l f2", "is f2 type=link",
	     "is f nlink=1", "rename f g", "is g nlink=1", "ENOENT stat f",
	     "rename g full/x", "is full/x type=reg nlink=1");
}

TEST_F(posix, rename_flags_are_held)
{
	PLAY("create f", "chmod f 0601", "mkdir d 0755", "create d/x",
	     "mkdir e 0755", "EEXIST rename2 f d 1", "rename2 f g 1",
	     "EINVAL rename2 g d 3", "EINVAL rename2 g d 6",
	     "EINVAL rename2 g d 8", "ENOENT rename2 g none 2",
	     "rename2 g d 2", "is d type=reg mode=0601", "is g type=dir",
	     "stat g/x", "rename2 d g/x 2", "is g/x mode=0601",
	     "rename2 g e 2", "stat e/x", "list g 0",
	     "EINVAL rename2 e e/x 2", "EINVAL rename2 e/x e 2",
	     "rename2 e/x e/x 2", "EEXIST rename2 e/x e/x 1",
	     /* A whiteout stays where the name was. */
	     "rename2 e/x h 4", "is e/x type=chr major=0 minor=0 mode=0",
	     "is h mode=0601", "EEXIST rename2 h e/x 5", "rename2 h e/x 4",
	     "is h type=chr major=0 minor=0", "is e/x mode=0601",
	     "rename2 e i 4", "is e type=chr", "stat i/x", "list . 5");
}

TEST_F(posix, links_of_directories_are_counted)
{
	PLAY("is . nlink=2", "mkdir a 0755", "mkdir b 0755", "mkdir a/x 0755",
	     "is . nlink=4", "is a nlink=3", "create a/f", "symlink x a/l",
	     "is a nlink=3", "rename a/x b/x", "is a nlink=2", "is b nlink=3",
	     "rename2 a/f b/x 2", "is a nlink=3", "is b nlink=2",
	     "rename2 a b 2", "is a nlink=2", "is b nlink=3", "rmdir b/f",
	     "is b nlink=2", "mkdir c 0755", "is . nlink=5", "rename a a2",
	     "rename c b/c", "is . nlink=4", "is b nlink=3", "mkdir d 0755",
	     "rename d b/c", "is b nlink=3", "is . nlink=4",
	     "rename2 b/c e 4", "is b nlink=2", "is . nlink=5");
}

TEST_F(posix, links_of_files_are_counted)
{
	PLAY("mkdir d 0755", "create f", "link f d/g", "is f nlink=2",
	     "keep 0 f O_RDWR", "chmod d/g 0640", "is f mode=0640",
	     "rename f d/g", "is f nlink=2", "unlink f", "fis 0 nlink=1",
	     "create h", "rename h d/g", "fis 0 nlink=0", "write 0 abc",
	     "fis 0 size=3", "ENOENT linkfd 0 again", "close 0",
	     "symlink x l", "link l m", "is m type=link nlink=2 same=l",
	     "mkfifo p 0644", "link p q", "is q nlink=2", "unlink p",
	     "mknod c chr 0600 1 3", "link c c2", "is c2 major=1 minor=3",
	     "keep 0 . O_RDWR,O_TMPFILE 0640", "fis 0 nlink=0 mode=0640",
	     "linkfd 0 t", "linkfd 0 u", "fis 0 nlink=2", "unlink t",
	     "is u nlink=1", "keep 1 . O_RDWR,O_TMPFILE,O_EXCL 0600",
	     "ENOENT linkfd 1 v");
}

TEST_F(posix, link_of_a_link_is_the_link)
{
	PLAY("create f", "symlink f l", "link l m", "is m type=link same=l",
	     "is f nlink=1", "keep 0 l O_PATH", "linkfd 0 h",
	     "is h same=f nlink=2", "symlink none d", "link d e",
	     "is e type=link nlink=2");
}

TEST_F(posix, another_mount_is_exdev)
{
	ASSERT_EQ(0, mount_at(MNT2, NULL));
	PLAY("create f", "mkdir d 0755", "EXDEV link f ../rump2/g",
	     "EXDEV rename f ../rump2/g", "EXDEV rename d ../rump2/e",
	     "EXDEV rename2 f ../rump2/g 2", "is f nlink=1", "list ../rump2 0");
	/* Two mounts of one tree are two mounts. */
	ASSERT_EQ(0, umount(MNT2));
	ASSERT_EQ(0, mount(MNT, MNT2, NULL, MS_BIND, NULL));
	PLAY("EXDEV rename f ../rump2/g", "is ../rump2/f same=f");
}

TEST_F(posix, a_mount_point_is_ebusy)
{
	PLAY("mkdir d 0755", "mkdir e 0755", "create f");
	ASSERT_EQ(0, mount("none", "d", "tmpfs", 0, NULL));
	PLAY("EBUSY rmdir d", "EBUSY rename d x", "EBUSY rename e d",
	     "EBUSY rename2 d e 2");
	ASSERT_EQ(0, mount("/proc/self/comm", "f", NULL, MS_BIND, NULL));
	PLAY("EBUSY unlink f", "EBUSY rename f x");
	ASSERT_EQ(0, umount("f"));
	ASSERT_EQ(0, umount("d"));
	PLAY("rmdir d", "unlink f");
}

TEST_F(posix, a_read_only_mount_is_erofs)
{
	PLAY("create f", "create other", "mkdir d 0755", "symlink f l",
	     "remount 1");
	EXPECT_EQ(0, play_each("EROFS", changing, "f"));
	EXPECT_EQ(0, play_each("EROFS", making, "new"));
	EXPECT_EQ(0, play_each("EEXIST", (const char *const[]){
		"mkdir % 0755", "mkfifo % 0644", "symlink x %", NULL }, "f"));
	PLAY("EROFS unlink f", "EROFS rmdir d", "EROFS rename f g",
	     "EROFS link f g", "EROFS rename2 f other 2",
	     "EROFS open . O_RDWR,O_TMPFILE 0600", "EROFS access f w",
	     "access f r", "stat f", "open f O_RDONLY", "readlink l f",
	     "open f O_RDONLY,O_CREAT 0644", "mark f",
	     "open f O_RDONLY", "moved f -", "remount 0", "unlink f");
}

TEST_F(posix, types_of_nodes_are_kept)
{
	PLAY("mknod r reg 0604", "is r type=reg mode=0604 size=0",
	     "mknod p fifo 0640", "is p type=fifo mode=0640",
	     "mknod s sock 0777", "is s type=sock mode=0777",
	     "mknod c chr 0600 511 1048575",
	     "is c type=chr major=511 minor=1048575",
	     "mknod b blk 0660 8 1", "is b type=blk major=8 minor=1",
	     "EPERM mknod d dir 0755", "EINVAL mknod l link 0777",
	     "mknod w chr 0 0 0", "is w type=chr major=0 minor=0",
	     "EINVAL mknod x 0170000 0644");
}

TEST_HARNESS_MAIN
