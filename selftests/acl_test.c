// SPDX-License-Identifier: GPL-2.0
/* Access control lists of inodes in memory. */

#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"
#define DIR_D MNT "/d"

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

/* The user of the tests, somebody else, and a group of nobody. */
#define USER 1000
#define OTHER 1001
#define GROUP 2000

/* A list as the kernel takes it: a version, then tag, permission and id. */
struct acl {
	uint32_t version;
	struct {
		uint16_t tag, perm;
		uint32_t id;
	} entries[100];
};

static const struct {
	const char *word;
	uint16_t tag;
} tags[] = {
	{ "u::", 0x01 }, { "u:", 0x02 }, { "g::", 0x04 }, { "g:", 0x08 },
	{ "m::", 0x10 }, { "o::", 0x20 },
};

#define NO_ID (~0U)

static size_t acl_size(int n)
{
	return 4 + n * sizeof(((struct acl *)0)->entries[0]);
}

/* From "u::6,u:1000:4,g::4,m::4,o::0"; how many entries. */
static int acl_parse(const char *text, struct acl *acl)
{
	char copy[2048], *entry, *save;
	int n = 0, t;

	acl->version = 2;
	strcpy(copy, text);
	for (entry = strtok_r(copy, ",", &save); entry;
	     entry = strtok_r(NULL, ",", &save), n++) {
		for (t = 0; strncmp(entry, tags[t].word, strlen(tags[t].word));)
			t++;
		entry += strlen(tags[t].word);
		acl->entries[n].tag = tags[t].tag;
		acl->entries[n].id = NO_ID;
		if (strchr(entry, ':'))
			acl->entries[n].id = strtoul(entry, &entry, 10);
		acl->entries[n].perm = atoi(entry + (*entry == ':'));
	}
	return n;
}

static int put_acl(const char *path, const char *type, const char *text)
{
	struct acl acl;
	int n = acl_parse(text, &acl);

	return ERR(lsetxattr(path, type, &acl, acl_size(n), 0));
}

/* The same text, or the name of the errno. */
static const char *get_acl(const char *path, const char *type)
{
	static char text[2048];
	struct acl acl;
	ssize_t len = lgetxattr(path, type, &acl, sizeof(acl));
	char *at = text;
	int i, t;

	if (len < 0)
		return strerrorname_np(errno);
	for (i = 0; acl_size(i) < (size_t)len; i++) {
		for (t = 0; tags[t].tag != acl.entries[i].tag;)
			t++;
		at += sprintf(at, "%s%s", i ? "," : "", tags[t].word);
		if (acl.entries[i].id != NO_ID)
			at += sprintf(at, "%u:", acl.entries[i].id);
		at += sprintf(at, "%u", acl.entries[i].perm);
	}
	return text;
}

static int perms(const char *path)
{
	return mode_of(path) & 07777;
}

static int listed_names(const char *path)
{
	char names[256];
	ssize_t len = llistxattr(path, names, sizeof(names)), at;
	int n = 0;

	for (at = 0; at < len; at++)
		n += !names[at];
	return len < 0 ? -errno : n;
}

FIXTURE(acl)
{
};

FIXTURE_SETUP(acl)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(FILE_A, "bytes"));
	ASSERT_EQ(0, chmod(FILE_A, 0640));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
}

FIXTURE_TEARDOWN(acl)
{
	teardown_mount();
}

#define LIST "u::6,u:1000:6,g::4,g:2000:4,m::6,o::0"

TEST_F(acl, list_is_read_back)
{
	EXPECT_STREQ("ENODATA", get_acl(FILE_A, ACCESS));
	EXPECT_STREQ("ENODATA", get_acl(DIR_D, DEFAULT));
	EXPECT_EQ(0, listed_names(FILE_A));

	EXPECT_EQ(0, put_acl(FILE_A, ACCESS, LIST));
	EXPECT_STREQ(LIST, get_acl(FILE_A, ACCESS));
	EXPECT_EQ(1, listed_names(FILE_A));
	EXPECT_EQ(0, put_acl(FILE_A, ACCESS, "u::7,u:7:7,g::0,m::7,o::0"));
	EXPECT_STREQ("u::7,u:7:7,g::0,m::7,o::0", get_acl(FILE_A, ACCESS));
	EXPECT_EQ(0, ERR(removexattr(FILE_A, ACCESS)));
	EXPECT_STREQ("ENODATA", get_acl(FILE_A, ACCESS));
	EXPECT_EQ(0, listed_names(FILE_A));

	EXPECT_EQ(0, put_acl(DIR_D, ACCESS, LIST));
	EXPECT_EQ(0, put_acl(DIR_D, DEFAULT, "u::7,g::5,o::0"));
	EXPECT_STREQ(LIST, get_acl(DIR_D, ACCESS));
	EXPECT_STREQ("u::7,g::5,o::0", get_acl(DIR_D, DEFAULT));
	EXPECT_EQ(2, listed_names(DIR_D));
	EXPECT_EQ(0, ERR(removexattr(DIR_D, DEFAULT)));
	EXPECT_STREQ("ENODATA", get_acl(DIR_D, DEFAULT));
	EXPECT_STREQ(LIST, get_acl(DIR_D, ACCESS));
}

TEST_F(acl, list_is_measured)
{
	struct acl acl;

	ASSERT_EQ(0, put_acl(FILE_A, ACCESS, LIST));
	EXPECT_EQ(acl_size(6), getxattr(FILE_A, ACCESS, NULL, 0));
	EXPECT_EQ(ERANGE, ERR(getxattr(FILE_A, ACCESS, &acl, acl_size(5))));
}

TEST_F(acl, list_that_is_a_mode_becomes_the_mode)
{
	EXPECT_EQ(0, put_acl(FILE_A, ACCESS, "u::7,g::5,o::1"));
	EXPECT_EQ(0751, perms(FILE_A));
	EXPECT_STREQ("ENODATA", get_acl(FILE_A, ACCESS));
}

TEST_F(acl, group_bits_are_the_mask)
{
	EXPECT_EQ(0, put_acl(FILE_A, ACCESS, "u::6,u:7:7,g::1,m::5,o::4"));
	EXPECT_EQ(0654, perms(FILE_A));
	/* The mode stays when the list goes. */
	EXPECT_EQ(0, ERR(removexattr(FILE_A, ACCESS)));
	EXPECT_EQ(0654, perms(FILE_A));
}

TEST_F(acl, chmod_changes_the_mask)
{
	ASSERT_EQ(0, put_acl(FILE_A, ACCESS, "u::6,u:7:7,g::1,m::5,o::4"));
	ASSERT_EQ(0, chmod(FILE_A, 0720));
	EXPECT_EQ(0720, perms(FILE_A));
	EXPECT_STREQ("u::7,u:7:7,g::1,m::2,o::0", get_acl(FILE_A, ACCESS));
	ASSERT_EQ(0, chmod(FILE_A, 04775));
	EXPECT_EQ(04775, perms(FILE_A));
	EXPECT_STREQ("u::7,u:7:7,g::1,m::7,o::5", get_acl(FILE_A, ACCESS));
}

TEST_F(acl, every_type_but_links_has_one)
{
	ASSERT_EQ(0, mkfifo(MNT "/p", 0600));
	ASSERT_EQ(0, symlink("a", MNT "/l"));
	EXPECT_EQ(0, put_acl(MNT "/p", ACCESS, LIST));
	EXPECT_STREQ(LIST, get_acl(MNT "/p", ACCESS));
	EXPECT_EQ(EOPNOTSUPP, put_acl(MNT "/l", ACCESS, LIST));
	EXPECT_STREQ("EOPNOTSUPP", get_acl(MNT "/l", ACCESS));

	/* Only a directory has a default. */
	EXPECT_EQ(EACCES, put_acl(FILE_A, DEFAULT, "u::7,g::5,o::0"));
	EXPECT_EQ(0, ERR(removexattr(FILE_A, DEFAULT)));
	EXPECT_STREQ("ENODATA", get_acl(FILE_A, DEFAULT));
}

TEST_F(acl, malformed_list_is_refused)
{
	struct acl acl = { .version = 1 };

	/* No mask for a named user; no others; out of order; twice. */
	EXPECT_EQ(EINVAL, put_acl(FILE_A, ACCESS, "u::6,u:7:7,g::4,o::0"));
	EXPECT_EQ(EINVAL, put_acl(FILE_A, ACCESS, "u::6,g::4"));
	EXPECT_EQ(EINVAL, put_acl(FILE_A, ACCESS, "g::4,u::6,o::0"));
	EXPECT_EQ(EINVAL, put_acl(FILE_A, ACCESS, "u::6,u::6,g::4,o::0"));
	EXPECT_EQ(EINVAL, put_acl(FILE_A, ACCESS, "u::9,g::4,o::0"));
	EXPECT_EQ(EOPNOTSUPP, ERR(setxattr(FILE_A, ACCESS, &acl, 28, 0)));
	EXPECT_EQ(0640, perms(FILE_A));
	EXPECT_STREQ("ENODATA", get_acl(FILE_A, ACCESS));
}

TEST_F(acl, only_the_owner_sets_it)
{
	ASSERT_EQ(0, chmod(FILE_A, 0666));
	EXPECT_EQ(EPERM, AS_USER(USER, put_acl(FILE_A, ACCESS, LIST)));
	EXPECT_EQ(EPERM, AS_USER(USER, ERR(removexattr(FILE_A, ACCESS))));
	ASSERT_EQ(0, chown(FILE_A, USER, USER));
	EXPECT_EQ(0, AS_USER(USER, put_acl(FILE_A, ACCESS, LIST)));
	/* Anybody may read it. */
	EXPECT_EQ(0, AS_USER(OTHER, strcmp(get_acl(FILE_A, ACCESS), LIST)));
	EXPECT_EQ(0, AS_USER(USER, ERR(removexattr(FILE_A, ACCESS))));
}

TEST_F(acl, setgid_goes_with_a_strange_group)
{
	ASSERT_EQ(0, chown(FILE_A, USER, GROUP));
	ASSERT_EQ(0, chmod(FILE_A, 02755));
	EXPECT_EQ(0, put_acl(FILE_A, ACCESS, "u::7,u:7:7,g::5,m::7,o::5"));
	EXPECT_EQ(02775, perms(FILE_A));
	EXPECT_EQ(0, AS_USER(USER, put_acl(FILE_A, ACCESS, "u::7,g::5,o::5")));
	EXPECT_EQ(0755, perms(FILE_A));
}

/* Access */

static int may(uid_t uid, const char *path, int flags)
{
	return AS_USER(uid, open_err(path, flags));
}

TEST_F(acl, list_decides_for_a_named_user)
{
	ASSERT_EQ(0, chmod(FILE_A, 0600));
	EXPECT_EQ(EACCES, may(USER, FILE_A, O_RDONLY));
	ASSERT_EQ(0, put_acl(FILE_A, ACCESS, "u::6,u:1000:4,g::0,m::6,o::0"));
	EXPECT_EQ(0, may(USER, FILE_A, O_RDONLY));
	EXPECT_EQ(EACCES, may(USER, FILE_A, O_RDWR));
	EXPECT_EQ(EACCES, may(OTHER, FILE_A, O_RDONLY));

	/* The mask takes away. */
	ASSERT_EQ(0, chmod(FILE_A, 0600));
	EXPECT_EQ(EACCES, may(USER, FILE_A, O_RDONLY));
	ASSERT_EQ(0, chmod(FILE_A, 0640));
	EXPECT_EQ(0, may(USER, FILE_A, O_RDONLY));

	/* Who is named is no other. */
	ASSERT_EQ(0, put_acl(FILE_A, ACCESS, "u::6,u:1000:0,g::4,m::4,o::4"));
	EXPECT_EQ(EACCES, may(USER, FILE_A, O_RDONLY));
	EXPECT_EQ(0, may(OTHER, FILE_A, O_RDONLY));

	ASSERT_EQ(0, ERR(removexattr(FILE_A, ACCESS)));
	EXPECT_EQ(0, may(USER, FILE_A, O_RDONLY));
}

TEST_F(acl, list_decides_for_a_named_group)
{
	/* The group of AS_USER(1001) is 1001. */
	ASSERT_EQ(0, put_acl(FILE_A, ACCESS, "u::6,g::0,g:1001:6,m::6,o::0"));
	EXPECT_EQ(0, may(OTHER, FILE_A, O_RDWR));
	EXPECT_EQ(EACCES, may(USER, FILE_A, O_RDONLY));
}

/* Again and again, so that the walk goes without references, too. */
TEST_F(acl, list_decides_on_the_way)
{
	int i;

	ASSERT_EQ(0, put_text(DIR_D "/f", "bytes"));
	ASSERT_EQ(0, put_acl(DIR_D, ACCESS, "u::7,u:1000:1,g::0,m::7,o::0"));
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(0, may(USER, DIR_D "/f", O_RDONLY));
		EXPECT_EQ(EACCES, may(USER, DIR_D, O_RDONLY));
		EXPECT_EQ(EACCES, may(OTHER, DIR_D "/f", O_RDONLY));
	}
}

/* Inheritance */

TEST_F(acl, default_list_is_inherited)
{
	const char *preset = "u::7,u:1000:7,g::5,m::7,o::5";

	ASSERT_EQ(0, put_acl(DIR_D, DEFAULT, preset));
	EXPECT_EQ(0755, perms(DIR_D));

	/* A file has it as its own list, limited by the mode it asks for. */
	ASSERT_EQ(0, put_text(DIR_D "/f", ""));
	EXPECT_STREQ("u::6,u:1000:7,g::5,m::4,o::4",
		     get_acl(DIR_D "/f", ACCESS));
	EXPECT_STREQ("ENODATA", get_acl(DIR_D "/f", DEFAULT));
	EXPECT_EQ(0644, perms(DIR_D "/f"));
	ASSERT_EQ(0, mkfifo(DIR_D "/p", 0620));
	EXPECT_STREQ("u::6,u:1000:7,g::5,m::2,o::0",
		     get_acl(DIR_D "/p", ACCESS));

	/* A directory hands it on. */
	ASSERT_EQ(0, mkdir(DIR_D "/d", 0770));
	EXPECT_STREQ("u::7,u:1000:7,g::5,m::7,o::0",
		     get_acl(DIR_D "/d", ACCESS));
	EXPECT_STREQ(preset, get_acl(DIR_D "/d", DEFAULT));
	ASSERT_EQ(0, mkdir(DIR_D "/d/d", 0777));
	EXPECT_STREQ(preset, get_acl(DIR_D "/d/d", ACCESS));
	EXPECT_STREQ(preset, get_acl(DIR_D "/d/d", DEFAULT));

	/* A link has no use for it. */
	ASSERT_EQ(0, symlink("f", DIR_D "/l"));
	EXPECT_EQ(0777, perms(DIR_D "/l"));
	EXPECT_EQ(0, listed_names(DIR_D "/l"));
}

TEST_F(acl, unnamed_file_inherits)
{
	char proc[64];
	int fd;

	ASSERT_EQ(0, put_acl(DIR_D, DEFAULT, "u::7,u:1000:6,g::5,m::7,o::5"));
	fd = open(DIR_D, O_TMPFILE | O_RDWR, 0660);
	ASSERT_LE(0, fd);
	sprintf(proc, "/proc/self/fd/%d", fd);
	ASSERT_EQ(0, linkat(AT_FDCWD, proc, AT_FDCWD, DIR_D "/f",
			    AT_SYMLINK_FOLLOW));
	close(fd);
	EXPECT_STREQ("u::6,u:1000:6,g::5,m::6,o::0",
		     get_acl(DIR_D "/f", ACCESS));
}

TEST_F(acl, default_list_that_is_a_mode_leaves_no_list)
{
	ASSERT_EQ(0, put_acl(DIR_D, DEFAULT, "u::7,g::5,o::0"));
	ASSERT_EQ(0, put_text(DIR_D "/f", ""));
	EXPECT_EQ(0640, perms(DIR_D "/f"));
	EXPECT_STREQ("ENODATA", get_acl(DIR_D "/f", ACCESS));
}

/* Make one of each in a directory with this umask; their modes. */
static void make_all(const char *dir, mode_t mask, int modes[4])
{
	char path[128], proc[64];
	int fd;

	umask(mask);
	sprintf(path, "%s/file", dir);
	close(open(path, O_CREAT | O_WRONLY, 0666));
	modes[0] = perms(path);
	sprintf(path, "%s/dir", dir);
	mkdir(path, 0777);
	modes[1] = perms(path);
	sprintf(path, "%s/fifo", dir);
	mkfifo(path, 0666);
	modes[2] = perms(path);
	fd = open(dir, O_TMPFILE | O_RDWR, 0666);
	sprintf(proc, "/proc/self/fd/%d", fd);
	sprintf(path, "%s/unnamed", dir);
	linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
	modes[3] = perms(path);
	close(fd);
	umask(0);
}

TEST_F(acl, umask_is_heeded_without_a_default)
{
	int modes[4];

	make_all(DIR_D, 027, modes);
	EXPECT_EQ(0640, modes[0]);
	EXPECT_EQ(0750, modes[1]);
	EXPECT_EQ(0640, modes[2]);
	EXPECT_EQ(0640, modes[3]);
}

TEST_F(acl, umask_is_ignored_with_a_default)
{
	int modes[4];

	ASSERT_EQ(0, put_acl(DIR_D, DEFAULT, "u::7,u:1000:7,g::7,m::7,o::5"));
	make_all(DIR_D, 077, modes);
	EXPECT_EQ(0664, modes[0]);
	EXPECT_EQ(0775, modes[1]);
	EXPECT_EQ(0664, modes[2]);
	EXPECT_EQ(0664, modes[3]);
}

TEST_F(acl, setgid_directory_hands_on_its_group)
{
	struct stat st;

	ASSERT_EQ(0, chown(DIR_D, 0, GROUP));
	ASSERT_EQ(0, chmod(DIR_D, 02777));
	ASSERT_EQ(0, put_acl(DIR_D, DEFAULT, "u::7,u:1000:7,g::7,m::7,o::5"));
	ASSERT_EQ(0, mkdir(DIR_D "/d", 0777));
	ASSERT_EQ(0, stat(DIR_D "/d", &st));
	EXPECT_EQ(GROUP, st.st_gid);
	EXPECT_EQ(02775, perms(DIR_D "/d"));
}

/* What is charged */

static long long room(void)
{
	struct statvfs st;

	return statvfs(MNT2, &st) ? -errno : (long long)st.f_bfree * PAGE;
}

/* A list of n users, of 8 bytes each in memory at least. */
static const char *long_list(int n)
{
	static char text[2048];
	char *at = text + sprintf(text, "u::6");
	int i;

	for (i = 0; i < n; i++)
		at += sprintf(at, ",u:%d:4", 3000 + i);
	sprintf(at, ",g::4,m::4,o::0");
	return text;
}

/* Take all but a few bytes. */
static void fill_up(const char *path)
{
	static char value[65536];
	char name[32];
	int len;

	for (len = sizeof(value); len; len /= 2) {
		sprintf(name, "user.%d", len);
		setxattr(path, name, value, len, 0);
	}
}

TEST_F(acl, limit_holds_and_nothing_is_lost)
{
	const char *path = MNT2 "/f", *text = "u::6,u:1000:4,g::4,m::4,o::0";

	if (!is_rumpfs())
		SKIP(return, "tmpfs does not charge lists");
	ASSERT_EQ(0, mount_at(MNT2, "size=16K"));
	ASSERT_EQ(0, put_text(path, ""));
	ASSERT_EQ(0, mkdir(MNT2 "/d", 0755));
	ASSERT_EQ(0, put_acl(path, ACCESS, text));
	ASSERT_EQ(0, put_acl(MNT2 "/d", DEFAULT, long_list(90)));
	fill_up(path);

	EXPECT_EQ(ENOSPC, put_acl(path, ACCESS, long_list(90)));
	EXPECT_STREQ(text, get_acl(path, ACCESS));
	EXPECT_EQ(0640, perms(path));
	EXPECT_EQ(ENOSPC, ERR(mkdir(MNT2 "/d/d", 0755)));
	EXPECT_EQ(ENOSPC, ERR(mkfifo(MNT2 "/d/p", 0644)));
	EXPECT_EQ(ENOSPC, ERR(open(MNT2 "/d", O_TMPFILE | O_RDWR, 0644)));
	EXPECT_EQ(0, count_names(MNT2 "/d"));
	EXPECT_EQ(2, nlink_of(MNT2 "/d"));
	/* What takes no more than before goes on. */
	EXPECT_EQ(0, chmod(path, 0600));
	EXPECT_EQ(0, put_acl(path, ACCESS, "u::6,u:1001:4,g::4,m::4,o::0"));
	ASSERT_EQ(0, umount(MNT2));
}

TEST_F(acl, all_is_given_back)
{
	char path[64];
	long long all;
	int i;

	if (!is_rumpfs())
		SKIP(return, "tmpfs does not charge lists");
	ASSERT_EQ(0, mount_at(MNT2, "size=64K"));
	ASSERT_EQ(0, mkdir(MNT2 "/d", 0755));
	ASSERT_EQ(0, put_acl(MNT2 "/d", DEFAULT, long_list(90)));
	all = room();
	/* Two lists each, of 93 entries of 8 bytes at least. */
	for (i = 0; i < 20; i++) {
		sprintf(path, MNT2 "/d/%d", i);
		ASSERT_EQ(0, mkdir(path, 0755));
	}
	EXPECT_GE(all - 20 * 2 * 93 * 8 + PAGE, room());
	for (i = 0; i < 20; i++) {
		sprintf(path, MNT2 "/d/%d", i);
		ASSERT_EQ(0, rmdir(path));
	}
	EXPECT_EQ(all, room());
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, mkdir(MNT2 "/d/d", 0755));
		ASSERT_EQ(0, put_acl(MNT2 "/d/d", ACCESS, LIST));
		ASSERT_EQ(0, put_acl(MNT2 "/d/d", ACCESS, long_list(50)));
		ASSERT_EQ(0, ERR(removexattr(MNT2 "/d/d", DEFAULT)));
		ASSERT_EQ(0, rmdir(MNT2 "/d/d"));
		ASSERT_EQ(0, mkfifo(MNT2 "/d/p", 0644));
		ASSERT_EQ(0, unlink(MNT2 "/d/p"));
	}
	EXPECT_EQ(all, room());
	ASSERT_EQ(0, umount(MNT2));
}

/* Beside the tree */

TEST_F(acl, change_changes_ctime)
{
	struct stat was, st;

	stat(FILE_A, &was);
	EXPECT_TRUE(WAIT_FOR(!put_acl(FILE_A, ACCESS, LIST) &&
			     !stat(FILE_A, &st) &&
			     (st.st_ctim.tv_sec != was.st_ctim.tv_sec ||
			      st.st_ctim.tv_nsec != was.st_ctim.tv_nsec)));
	EXPECT_EQ(0, memcmp(&st.st_mtim, &was.st_mtim, sizeof(st.st_mtim)));
}

TEST_F(acl, keys_have_none)
{
	if (!is_rumpfs())
		SKIP(return, "tmpfs has no keys");
	ASSERT_EQ(0, put_text(HOST "/h", "host"));
	ASSERT_EQ(0, chmod(HOST "/h", 0640));
	ASSERT_EQ(0, put_acl(HOST "/h", ACCESS, LIST));
	ASSERT_EQ(0, table("/k %s reg", HOST "/h"));
	EXPECT_EQ(EOPNOTSUPP, put_acl(MNT "/k", ACCESS, LIST));
	/* None there or none at all: that depends on the kernel. */
	EXPECT_NE(NULL, strstr("ENODATA EOPNOTSUPP",
			       get_acl(MNT "/k", ACCESS)));
	/* What the mode of the host says is what counts. */
	EXPECT_EQ(0660, perms(MNT "/k"));
	EXPECT_EQ(EACCES, may(USER, MNT "/k", O_RDONLY));
	EXPECT_EQ(0, chmod(MNT "/k", 0644));
	EXPECT_EQ(0, may(USER, MNT "/k", O_RDONLY));
}

TEST_F(acl, directory_of_a_key_stays_if_it_has_one)
{
	if (!is_rumpfs())
		SKIP(return, "tmpfs has no keys");
	ASSERT_EQ(0, put_text(HOST "/h", "host"));
	ASSERT_EQ(0, table("/k/x/y %s reg", HOST "/h"));
	ASSERT_EQ(0, put_acl(MNT "/k", DEFAULT, "u::7,g::5,o::0"));
	ASSERT_EQ(0, table("-/k/x/y"));
	EXPECT_STREQ("u::7,g::5,o::0", get_acl(MNT "/k", DEFAULT));
	EXPECT_EQ(ENOENT, stat_err(MNT "/k/x"));
}

TEST_HARNESS_MAIN
