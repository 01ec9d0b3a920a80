// SPDX-License-Identifier: GPL-2.0
/* Names below a mapped directory: links, mounts, keys, and who meddles. */

#include <signal.h>
#include <sys/xattr.h>

#include "lib/fixture.h"

#define USER 1000

#define D HOST "/d"
#define K MNT "/k"
#define F HOST "/key_target"

/*
 *	/mnt/host
 *	|-- d/
 *	|   |-- f	"file"
 *	|   `-- sub/
 *	|       |-- g	"below"
 *	|       `-- deep/
 *	|           `-- h	"deep"
 *	|-- key_target	"target"
 *	`-- outside	"outside"
 */
static int make_tree(void)
{
	if (mkdir(D, 0755) || mkdir(D "/sub", 0755) ||
	    mkdir(D "/sub/deep", 0755))
		return errno;
	return put_text(D "/f", "file") ?: put_text(D "/sub/g", "below") ?:
	       put_text(D "/sub/deep/h", "deep") ?: put_text(F, "target") ?:
	       put_text(HOST "/outside", "outside");
}

/* The type that a listing tells, or DT_UNKNOWN. */
static int type_of(const char *dir, const char *name)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	int type = DT_UNKNOWN;

	while (stream && (entry = readdir(stream)))
		if (!strcmp(entry->d_name, name))
			type = entry->d_type;
	if (stream)
		closedir(stream);
	return type;
}

/* The inode number that a listing tells, or 0. */
static unsigned long long listed_ino(const char *dir, const char *name)
{
	DIR *stream = opendir(dir);
	unsigned long long ino = 0;
	struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		if (!strcmp(entry->d_name, name))
			ino = entry->d_ino;
	if (stream)
		closedir(stream);
	return ino;
}

/* Symbolic links of the host */

FIXTURE(host_link)
{
};

FIXTURE_VARIANT(host_link)
{
	const char *target;	/* of the link /mnt/host/d/sub/l */
	int type;		/* what it leads to, 0: nowhere */
};

#define LINK(name, to, leads)				\
	FIXTURE_VARIANT_ADD(host_link, name) { .target = to, .type = leads }

LINK(to_a_file, "g", DT_REG);
LINK(to_a_file_below, "deep/h", DT_REG);
LINK(to_a_file_above, "../f", DT_REG);
LINK(to_a_directory, "deep", DT_DIR);
LINK(to_the_one_it_is_in, ".", DT_DIR);
LINK(to_the_mapped_directory, "..", DT_DIR);
LINK(through_a_chain, "chain", DT_REG);
LINK(in_and_out_and_in, "deep/../../sub/g", DT_REG);
LINK(out, "../../outside", 0);
LINK(out_and_in_again, "../../d/f", 0);
LINK(absolute, HOST "/outside", 0);
LINK(absolute_below, D "/f", 0);
LINK(dangling, "none", 0);
LINK(to_itself, "l", 0);
LINK(through_a_file, "g/x", 0);
LINK(to_a_fifo, "../fifo", 0);
LINK(chain_out, "chain_out", 0);

FIXTURE_SETUP(host_link)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_tree());
	ASSERT_EQ(0, mkfifo(D "/fifo", 0666));
	ASSERT_EQ(0, symlink("chain2", D "/sub/chain"));
	ASSERT_EQ(0, symlink("../f", D "/sub/chain2"));
	ASSERT_EQ(0, symlink("../../outside", D "/sub/chain_out"));
	ASSERT_EQ(0, symlink(variant->target, D "/sub/l"));
	ASSERT_EQ(0, table("/k " D " subdirs\n/one " D "/sub dir"));
}

FIXTURE_TEARDOWN(host_link)
{
	teardown_mount();
}

TEST_F(host_link, is_what_it_leads_to_while_it_stays_below)
{
	struct stat st, host;

	EXPECT_EQ(variant->type ? 1 : 0, listed(K "/sub", "l"));
	EXPECT_EQ(variant->type, type_of(K "/sub", "l"));
	if (!variant->type) {
		EXPECT_EQ(ENOENT, stat_err(K "/sub/l"));
		EXPECT_EQ(ENOENT, open_err(K "/sub/l", O_RDONLY));
		return;
	}
	ASSERT_EQ(0, lstat(K "/sub/l", &st));
	ASSERT_EQ(0, stat(D "/sub/l", &host));
	EXPECT_EQ(DTTOIF(variant->type), st.st_mode & S_IFMT);
	EXPECT_EQ(host.st_size, st.st_size);
	if (variant->type == DT_REG)
		EXPECT_EQ(st.st_ino, listed_ino(K "/sub", "l"));
	EXPECT_EQ(0, open_err(K "/sub/l", O_RDONLY));
}

/* The mapped directory is another one, so less is below. */
TEST_F(host_link, of_dir_leads_to_files_below_it_alone)
{
	bool is_below = variant->type == DT_REG && variant->target[0] != '.' &&
			strcmp(variant->target, "chain") &&
			!strstr(variant->target, "..");

	EXPECT_EQ(is_below, listed(MNT "/one", "l"));
	EXPECT_EQ(is_below ? 0 : ENOENT, stat_err(MNT "/one/l"));
}

FIXTURE(below)
{
};

FIXTURE_SETUP(below)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_tree());
}

FIXTURE_TEARDOWN(below)
{
	teardown_mount();
}

/* A link is no way around a directory that is closed to the caller. */
static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_F(below, links_lead_nobody_where_he_may_not_go)
{
	ASSERT_EQ(0, symlink("sub/deep/h", D "/l"));
	ASSERT_EQ(0, symlink("sub/deep", D "/ld"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(0, AS_USER(USER, text_is(K "/l", "deep")));
	EXPECT_EQ(0, AS_USER(USER, text_is(K "/ld/h", "deep")));
	ASSERT_EQ(0, chmod(D "/sub", 0700));
	EXPECT_EQ(0, text_is(K "/l", "deep"));
	EXPECT_EQ(EACCES, AS_USER(USER, text_is(K "/l", "deep")));
	EXPECT_EQ(EACCES, AS_USER(USER, text_is(K "/ld/h", "deep")));
	EXPECT_EQ(0, text_is(K "/ld/h", "deep"));
}

/* Nor once a walk has come to the directory anew. */
TEST_F(below, links_lead_nobody_there_by_a_new_node_either)
{
	ASSERT_EQ(0, symlink("sub/deep", D "/ld"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(0, text_is(K "/ld/h", "deep"));
	ASSERT_EQ(0, run("cd " D "/sub; mv deep old; cp -a old deep"));
	EXPECT_EQ(0, text_is(K "/ld/h", "deep"));
	ASSERT_EQ(0, mkdir(D "/sub/deep/on", 0755));
	ASSERT_EQ(0, mount("none", K "/ld/on", "tmpfs", 0, NULL));
	ASSERT_EQ(0, chmod(D "/sub", 0700));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(K "/ld/h", O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, stat_err(K "/ld/none")));
	/* What is refused to him is there for others, with what is mounted. */
	EXPECT_EQ(0, run("mountpoint -q " K "/ld/on"));
	EXPECT_EQ(0, umount(K "/ld/on"));
}

/* Until it is killed: the name is that of a private directory, and is not. */
static void exchange_private(void)
{
	for (;;)
		renameat2(AT_FDCWD, D "/sub", AT_FDCWD, D "/new",
			  RENAME_EXCHANGE);
}

TEST_F(below, nobody_reads_what_was_private_all_the_time)
{
	pid_t pid;

	ASSERT_EQ(0, table("/k " D " subdirs"));
	ASSERT_EQ(0, mkdir(D "/new", 0700));
	ASSERT_EQ(0, put_text(D "/new/g", "private"));
	pid = start(exchange_private);
	EXPECT_EQ(0, AS_USER(USER, never_read(K "/sub/g", "private", 4000)));
	stop(pid);
}

/* Who may write to our node is not who may write to the host file. */
TEST_F(below, an_open_that_truncates_asks_the_host)
{
	pid_t pid;

	ASSERT_EQ(0, run("cp /bin/tail " D "/prog"));
	ASSERT_EQ(0, table("/k " D " subdirs\n/reg " D "/prog reg"));
	pid = fork();
	/* Not while we have it open for writing, to see whether we can. */
	while (!pid)
		execl(D "/prog", "tail", "-f", "/dev/null", NULL);
	ASSERT_TRUE(WAIT_FOR(open_err(D "/prog", O_WRONLY) == ETXTBSY));
	EXPECT_EQ(ETXTBSY, open_err(K "/prog", O_RDONLY | O_TRUNC));
	EXPECT_EQ(ETXTBSY, open_err(MNT "/reg", O_RDONLY | O_TRUNC));
	EXPECT_LT(0, size_of(D "/prog"));
	stop(pid);
	EXPECT_EQ(0, open_err(MNT "/reg", O_RDONLY | O_TRUNC));
	EXPECT_EQ(0, size_of(D "/prog"));
	ASSERT_EQ(0, put_text(D "/prog", "again"));
	EXPECT_EQ(0, open_err(K "/prog", O_RDONLY | O_TRUNC));
	EXPECT_EQ(0, size_of(D "/prog"));
}

TEST_F(below, capabilities_end_at_a_mount_without_them)
{
	/* Revision 2, effective: cap_net_raw. */
	const unsigned char caps[20] = { 1, 0, 0, 2, 0, 0x20 };
	unsigned char got[64];

	ASSERT_EQ(0, table("/k " D " subdirs"));
	ASSERT_EQ(0, ERR(setxattr(D "/f", "security.capability", caps,
				  sizeof(caps), 0)));
	EXPECT_EQ(sizeof(caps), getxattr(K "/f", "security.capability", got,
					 sizeof(got)));
	ASSERT_EQ(0, ERR(mount(D, D, NULL, MS_BIND, NULL)));
	ASSERT_EQ(0, ERR(mount(NULL, D, NULL, MS_REMOUNT | MS_BIND | MS_NOSUID,
			       NULL)));
	EXPECT_EQ(ENODATA, ERR(getxattr(K "/f", "security.capability", got,
					sizeof(got))));
	EXPECT_EQ(0, umount(D));
}

TEST_F(below, parents_and_working_directories_are_ours)
{
	char cwd[256];

	ASSERT_EQ(0, table("/k " D " subdirs"));
	ASSERT_EQ(0, chdir(K "/sub/deep"));
	ASSERT_NE(NULL, getcwd(cwd, sizeof(cwd)));
	EXPECT_STREQ(K "/sub/deep", cwd);
	EXPECT_EQ(0, text_is("../g", "below"));
	EXPECT_EQ(ino_of(K), ino_of("../.."));
	EXPECT_EQ(ino_of(MNT), ino_of("../../.."));
	EXPECT_EQ(ino_of(K "/sub"), listed_ino(".", ".."));
	EXPECT_EQ(ino_of(K "/sub/deep"), listed_ino(".", "."));
	EXPECT_EQ(ino_of(MNT), listed_ino(K, ".."));
	EXPECT_EQ(ino_of("h"), listed_ino(".", "h"));

	/* The name goes; who is in it stays in what has no names any more. */
	ASSERT_EQ(0, run("rm -r " D "/sub/deep"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/deep"));
	EXPECT_EQ(ENOENT, stat_err("h"));
	EXPECT_EQ(0, stat_err("."));
	EXPECT_EQ(NULL, getcwd(cwd, sizeof(cwd)));
	ASSERT_EQ(0, chdir("/"));
}

TEST_F(below, host_mounts_are_crossed)
{
	ASSERT_EQ(0, mkdir(HOST "/e", 0755));
	ASSERT_EQ(0, put_text(HOST "/e/x", "mounted"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(0, text_is(K "/sub/deep/h", "deep"));
	ASSERT_EQ(0, mount(HOST "/e", D "/sub/deep", NULL, MS_BIND, NULL));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/deep/h"));
	EXPECT_EQ(0, text_is(K "/sub/deep/x", "mounted"));
	EXPECT_EQ(1, count_names(K "/sub/deep"));
	ASSERT_EQ(0, mount(HOST "/outside", D "/f", NULL, MS_BIND, NULL));
	EXPECT_EQ(0, text_is(K "/f", "outside"));
	EXPECT_EQ(0, ERR(umount(D "/f")));
	EXPECT_EQ(0, ERR(umount(D "/sub/deep")));
	EXPECT_EQ(0, text_is(K "/sub/deep/h", "deep"));
	EXPECT_EQ(0, text_is(K "/f", "file"));

	/* A directory at two places is two, and neither moves the other. */
	ASSERT_EQ(0, mkdir(D "/twin", 0755));
	ASSERT_EQ(0, mount(D "/sub", D "/twin", NULL, MS_BIND, NULL));
	ASSERT_EQ(0, chdir(K "/sub/deep"));
	EXPECT_EQ(0, text_is(K "/twin/deep/h", "deep"));
	EXPECT_EQ(ino_of(K "/sub"), ino_of("../../sub"));
	EXPECT_EQ(0, run("cd " K "/twin/deep && test \"$(/bin/pwd)\" = " K "/twin/deep"));
	EXPECT_EQ(0, text_is("h", "deep"));
	EXPECT_EQ(0, run("test \"$(/bin/pwd)\" = " K "/sub/deep"));
	ASSERT_EQ(0, chdir("/"));
}

/* Judged at each look, not at registration alone. */
TEST_F(below, a_mount_that_may_not_be_mapped_is_refused)
{
	ASSERT_EQ(0, put_text(MNT "/mine", "mine"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(0, stat_err(K "/sub/deep"));
	ASSERT_EQ(0, mount(MNT, D "/sub/deep", NULL, MS_BIND, NULL));
	EXPECT_EQ(ELOOP, stat_err(K "/sub/deep"));
	EXPECT_EQ(ELOOP, stat_err(K "/sub/deep/mine"));
	EXPECT_EQ(ELOOP, open_err(K "/sub/deep/k/f", O_RDONLY));
	EXPECT_EQ(0, text_is(K "/sub/g", "below"));
	ASSERT_EQ(0, umount(D "/sub/deep"));

	ASSERT_EQ(0, run("cd " HOST " && mkdir l1 l2 u1 w1 u2 w2 o1 && "
		"mount -t overlay o -o lowerdir=l1,upperdir=u1,workdir=w1 o1 && "
		"mount -t overlay o -o lowerdir=o1,upperdir=u2,workdir=w2 "
		D "/sub/deep"));
	EXPECT_EQ(ELOOP, stat_err(K "/sub/deep"));
	ASSERT_EQ(0, umount(D "/sub/deep"));
	EXPECT_EQ(0, text_is(K "/sub/deep/h", "deep"));

	/* The mapped directory itself. */
	ASSERT_EQ(0, rename(D, HOST "/away"));
	EXPECT_EQ(ENOENT, stat_err(K));
	EXPECT_EQ(1, listed(MNT, "k"));
	ASSERT_EQ(0, symlink(MNT, D));
	EXPECT_EQ(ELOOP, stat_err(K));
	EXPECT_EQ(ELOOP, stat_err(K "/mine"));
	ASSERT_EQ(0, unlink(D));
	ASSERT_EQ(0, put_text(D, "a file"));
	EXPECT_EQ(ENOTDIR, stat_err(K));
	ASSERT_EQ(0, unlink(D));
	ASSERT_EQ(0, rename(HOST "/away", D));
	EXPECT_EQ(0, text_is(K "/f", "file"));
}

/* A host path through the directory it is mapped to comes to an end. */
TEST_F(below, a_way_through_itself_is_refused)
{
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(0, stat_err(K "/sub"));
	ASSERT_EQ(0, mount("none", K "/sub", "tmpfs", 0, NULL));
	ASSERT_EQ(0, mkdir(K "/sub/inner", 0755));
	EXPECT_EQ(ELOOP, table("/l " K "/sub/inner subdirs"));
	ASSERT_EQ(0, rename(D, HOST "/away"));
	ASSERT_EQ(0, symlink(K "/sub/inner", D));
	EXPECT_EQ(ELOOP, stat_err(K "/f"));
	EXPECT_EQ(ELOOP, stat_err(K "/inner"));
	EXPECT_EQ(ELOOP, open_err(K "/x", O_WRONLY | O_CREAT));
	EXPECT_EQ(0, ERR(unlink(D)));
	ASSERT_EQ(0, rename(HOST "/away", D));
	EXPECT_EQ(0, text_is(K "/f", "file"));
}

/* Looked at through each call that walks, cached or not. */
static int reach(const char *dir, const char *text)
{
	char path[128];
	int err;

	snprintf(path, sizeof(path), "%s/g", dir);
	err = text_is(path, text) ?: stat_err(path) ?:
	      ERR(access(path, W_OK)) ?: ERR(truncate(path, strlen(text)));
	if (err)
		return err;
	return listed(dir, "g") != 1 ? ENOENT : ERR(chdir(dir));
}

/* A directory of another name, or none, is in the place of one that is known. */
TEST_F(below, a_directory_in_the_place_of_another)
{
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(0, reach(K "/sub", "below"));
	ASSERT_EQ(0, mkdir(D "/new", 0755));
	ASSERT_EQ(0, put_text(D "/new/g", "another"));
	ASSERT_EQ(0, renameat2(AT_FDCWD, D "/new", AT_FDCWD, D "/sub",
			       RENAME_EXCHANGE));
	EXPECT_EQ(0, text_is(K "/sub/g", "another"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/deep/h"));
	EXPECT_EQ(0, reach(K "/sub", "another"));
	EXPECT_EQ(0, reach(K "/new", "below"));
	ASSERT_EQ(0, chdir("/"));

	/* One call each on what is stale. */
	ASSERT_EQ(0, renameat2(AT_FDCWD, D "/new", AT_FDCWD, D "/sub",
			       RENAME_EXCHANGE));
	EXPECT_EQ(0, stat_err(K "/sub/deep/h"));
	ASSERT_EQ(0, rename(D "/sub/deep", D "/sub/away"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/deep/h"));
	ASSERT_EQ(0, rename(D "/sub/away", D "/sub/deep"));
	EXPECT_EQ(0, open_err(K "/sub/deep/h", O_RDONLY));
	ASSERT_EQ(0, run("rm -r " D "/sub/deep && touch " D "/sub/deep"));
	EXPECT_EQ(ENOTDIR, open_err(K "/sub/deep/h", O_RDONLY));
	EXPECT_EQ(ENOTDIR, ERR(mkdir(K "/sub/deep/h", 0755)));
	ASSERT_EQ(0, run("rm " D "/sub/deep && mkdir " D "/sub/deep"));
	EXPECT_EQ(EOPNOTSUPP, ERR(mkdir(K "/sub/deep/h", 0755)));
	ASSERT_EQ(0, rmdir(D "/sub/deep"));
	EXPECT_EQ(ENOENT, ERR(mkdir(K "/sub/deep/h", 0755)));
	EXPECT_EQ(ENOENT, ERR(chdir(K "/sub/deep")));
}

TEST_F(below, who_is_in_one_that_was_replaced_is_asked_of_the_other)
{
	ASSERT_EQ(0, table("/k " D " subdirs"));
	ASSERT_EQ(0, mkdir(D "/new", 0700));
	ASSERT_EQ(0, put_text(D "/new/g", "private"));
	ASSERT_EQ(0, chdir(K "/sub"));
	EXPECT_EQ(0, AS_USER(USER, text_is("g", "below")));
	ASSERT_EQ(0, renameat2(AT_FDCWD, D "/new", AT_FDCWD, D "/sub",
			       RENAME_EXCHANGE));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err("g", O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, stat_err("g")));
	EXPECT_EQ(0, text_is("g", "private"));
	EXPECT_EQ(0, chdir("/"));
}

TEST_F(below, a_key_outlives_the_directory_around_it)
{
	int sub;

	ASSERT_EQ(0, table("/k " D " subdirs\n/k/sub/key " F " reg"));
	EXPECT_EQ(0, text_is(K "/sub/key", "target"));
	EXPECT_EQ(0, text_is(K "/sub/g", "below"));
	sub = open(K "/sub", O_PATH | O_DIRECTORY);
	ASSERT_EQ(0, rename(D "/sub", HOST "/away"));
	EXPECT_EQ(0, text_is(K "/sub/key", "target"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/g"));
	ASSERT_EQ(0, ERR(fchdir(sub)));
	EXPECT_EQ(ENOENT, stat_err("g"));
	ASSERT_EQ(0, rename(HOST "/away", D "/sub"));
	EXPECT_EQ(0, text_is(K "/sub/g", "below"));
	EXPECT_EQ(0, text_is(K "/sub/key", "target"));
	ASSERT_EQ(0, chdir("/"));
}

TEST_F(below, a_mount_goes_with_the_directory_it_is_on)
{
	ASSERT_EQ(0, table("/k " D " subdirs"));
	ASSERT_EQ(0, mount("none", K "/sub/deep", "tmpfs", 0, NULL));
	ASSERT_EQ(0, put_text(K "/sub/deep/x", "x"));
	ASSERT_EQ(0, rename(D "/sub", HOST "/away"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/deep/x"));
	EXPECT_EQ(1, run("grep -q " K "/sub /proc/self/mounts"));
	ASSERT_EQ(0, rename(HOST "/away", D "/sub"));
	EXPECT_EQ(0, text_is(K "/sub/deep/h", "deep"));
	ASSERT_EQ(0, mount("none", K "/sub/deep", "tmpfs", 0, NULL));
	ASSERT_EQ(0, run("rm -r " D "/sub/deep"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/deep/x"));
	EXPECT_EQ(1, run("grep -q " K "/sub /proc/self/mounts"));
}

/*
 * The host path leads through a directory whose lock a rename holds: it may
 * not be walked then.
 */
TEST_F(below, a_rename_does_not_wait_for_itself)
{
	ASSERT_EQ(0, mkdir(MNT "/m", 0755));
	ASSERT_EQ(0, mount("none", MNT "/m", "tmpfs", 0, NULL));
	ASSERT_EQ(0, mkdir(MNT "/m/d", 0755));
	ASSERT_EQ(0, put_text(MNT "/m/d/f", "file"));
	ASSERT_EQ(0, put_text(MNT "/mine", "mine"));
	ASSERT_EQ(0, table("/k " MNT "/m/d subdirs"));
	EXPECT_EQ(0, text_is(K "/f", "file"));
	ASSERT_EQ(0, umount(MNT "/m"));
	ASSERT_EQ(0, rmdir(MNT "/m"));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(K "/f", MNT "/new")));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(K "/none", MNT "/new")));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(MNT "/mine", K "/f")));
	EXPECT_EQ(EOPNOTSUPP, ERR(rename(MNT "/mine", K "/none")));
	EXPECT_EQ(EOPNOTSUPP, ERR(renameat2(AT_FDCWD, MNT "/mine", AT_FDCWD,
					    K "/f", RENAME_EXCHANGE)));
	EXPECT_EQ(0, text_is(MNT "/mine", "mine"));
	EXPECT_EQ(ENOENT, stat_err(K "/f"));
}

/* Keys below a mapped directory, registered before it or after */

FIXTURE(order)
{
};

FIXTURE_VARIANT(order)
{
	bool key_first;
	const char *type;
};

FIXTURE_VARIANT_ADD(order, key_first) { .key_first = true, .type = "subdirs" };
FIXTURE_VARIANT_ADD(order, key_last) { .key_first = false, .type = "subdirs" };
FIXTURE_VARIANT_ADD(order, dir_key_first) { .key_first = true, .type = "dir" };
FIXTURE_VARIANT_ADD(order, dir_key_last) { .key_first = false, .type = "dir" };

#define KEYS "/k/f " F " reg\n/k/new " F " reg\n/k/sub/key " F " reg\n" \
	     "/k/made/up/key " F " reg"

FIXTURE_SETUP(order)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_tree());
	if (variant->key_first) {
		ASSERT_EQ(0, table(KEYS));
		/* They were there to be seen. */
		ASSERT_EQ(0, text_is(K "/sub/key", "target"));
		ASSERT_EQ(0, text_is(K "/made/up/key", "target"));
	}
	ASSERT_EQ(0, table("/k " D " %s", variant->type));
	ASSERT_EQ(0, stat_err(K));
	if (!variant->key_first) {
		EXPECT_EQ(ENOENT, stat_err(K "/made"));
		ASSERT_EQ(0, table(KEYS));
	}
}

FIXTURE_TEARDOWN(order)
{
	teardown_mount();
}

TEST_F(order, the_longest_key_wins)
{
	bool is_subdirs = !strcmp(variant->type, "subdirs");

	EXPECT_EQ(0, text_is(K "/f", "target"));
	EXPECT_EQ(0, text_is(K "/new", "target"));
	EXPECT_EQ(0, text_is(K "/sub/key", "target"));
	EXPECT_EQ(0, text_is(K "/made/up/key", "target"));
	EXPECT_EQ(4, count_names(K));
	EXPECT_EQ(1, listed(K, "f"));
	EXPECT_EQ(1, listed(K, "new"));
	EXPECT_EQ(1, listed(K, "sub"));
	EXPECT_EQ(1, listed(K, "made"));
	EXPECT_EQ(ino_of(K "/sub"), listed_ino(K, "sub"));
	EXPECT_EQ(ino_of(K "/made"), listed_ino(K, "made"));
	EXPECT_EQ(ino_of(K "/f"), listed_ino(K, "f"));
	EXPECT_EQ(1, listed(K "/sub", "key"));
	EXPECT_EQ(1, listed(K "/made/up", "key"));

	/* The host's directory, if it is to be seen. */
	EXPECT_EQ(is_subdirs ? 0 : ENOENT, stat_err(K "/sub/g"));
	EXPECT_EQ(is_subdirs ? 3 : 1, count_names(K "/sub"));
	EXPECT_EQ(S_IFDIR | 0755, mode_of(K "/made/up"));
	EXPECT_EQ(EOPNOTSUPP, open_err(K "/made/x", O_WRONLY | O_CREAT));
	EXPECT_EQ(ENOTEMPTY, ERR(rmdir(K "/made")));
	EXPECT_EQ(EOPNOTSUPP, ERR(unlink(K "/f")));

	/* It comes to be on the host, and goes. */
	ASSERT_EQ(0, mkdir(D "/made", 0700));
	ASSERT_EQ(0, put_text(D "/made/x", "host"));
	EXPECT_EQ(is_subdirs ? S_IFDIR | 0700 : S_IFDIR | 0755,
		  mode_of(K "/made"));
	EXPECT_EQ(is_subdirs ? 0 : ENOENT, stat_err(K "/made/x"));
	EXPECT_EQ(0, text_is(K "/made/up/key", "target"));
	EXPECT_EQ(4, count_names(K));
	EXPECT_EQ(ino_of(K "/made"), listed_ino(K, "made"));
	ASSERT_EQ(0, run("rm -r " D "/made && touch " D "/made"));
	EXPECT_EQ(0, text_is(K "/made/up/key", "target"));
	EXPECT_EQ(S_IFDIR | 0755, mode_of(K "/made"));
	ASSERT_EQ(0, unlink(D "/made"));
}

TEST_F(order, without_the_keys_the_host_is_back)
{
	bool is_subdirs = !strcmp(variant->type, "subdirs");

	ASSERT_EQ(0, stat_err(K "/made/up/key"));
	ASSERT_EQ(0, table("-/k/f\n-/k/new\n-/k/sub/key\n-/k/made/up/key"));
	EXPECT_EQ(0, text_is(K "/f", "file"));
	EXPECT_EQ(ENOENT, stat_err(K "/new"));
	EXPECT_EQ(ENOENT, stat_err(K "/made"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/key"));
	EXPECT_EQ(is_subdirs ? 2 : 1, count_names(K));
	EXPECT_EQ(is_subdirs ? 0 : ENOENT, stat_err(K "/sub/g"));
	EXPECT_EQ(3, nlink_of(MNT));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(ENOENT, stat_err(K));
	EXPECT_EQ(2, nlink_of(MNT));
	EXPECT_EQ(0, count_names(MNT));
}

TEST_F(order, without_the_directory_the_keys_remain)
{
	ASSERT_EQ(0, stat_err(K "/made/up/key"));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(0, text_is(K "/f", "target"));
	EXPECT_EQ(0, text_is(K "/made/up/key", "target"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/g"));
	EXPECT_EQ(1, count_names(K "/sub"));
	EXPECT_EQ(4, count_names(K));
	EXPECT_EQ(3, nlink_of(MNT));
	ASSERT_EQ(0, table("flush"));
	EXPECT_EQ(ENOENT, stat_err(K));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(2, nlink_of(MNT));
}

TEST_F(below, a_mapped_directory_lies_below_another)
{
	ASSERT_EQ(0, mkdir(HOST "/e", 0755));
	ASSERT_EQ(0, put_text(HOST "/e/x", "other"));
	ASSERT_EQ(0, table("/k " D " subdirs\n/k/sub " HOST "/e subdirs"));
	EXPECT_EQ(0, text_is(K "/sub/x", "other"));
	EXPECT_EQ(ENOENT, stat_err(K "/sub/g"));
	EXPECT_EQ(2, count_names(K));
	EXPECT_EQ(1, count_names(K "/sub"));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(0, text_is(K "/sub/x", "other"));
	EXPECT_EQ(ENOENT, stat_err(K "/f"));
	ASSERT_EQ(0, table("/k " D " dir"));
	EXPECT_EQ(0, text_is(K "/sub/x", "other"));
	EXPECT_EQ(0, text_is(K "/f", "file"));
}

TEST_F(below, hidden_keys_hide_and_are_not_listed)
{
	ASSERT_EQ(0, table("/k " D " subdirs\n/k/f " F " reg hidden\n"
			   "/k/h " F " reg hidden\n/d2 " D " subdirs hidden"));
	EXPECT_EQ(0, text_is(K "/f", "target"));
	EXPECT_EQ(0, text_is(K "/h", "target"));
	EXPECT_EQ(0, listed(K, "f"));
	EXPECT_EQ(0, listed(K, "h"));
	EXPECT_EQ(1, count_names(K));
	EXPECT_EQ(0, listed(MNT, "d2"));
	EXPECT_EQ(0, text_is(MNT "/d2/f", "file"));
}

TEST_F(below, a_mapped_directory_hides_names_in_memory)
{
	ASSERT_EQ(0, mkdir(K, 0700));
	ASSERT_EQ(0, put_text(K "/mine", "mine"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(ENOENT, stat_err(K "/mine"));
	EXPECT_EQ(0, text_is(K "/f", "file"));
	EXPECT_EQ(1, listed(MNT, "k"));
	EXPECT_EQ(3, nlink_of(MNT));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(0, text_is(K "/mine", "mine"));
	EXPECT_EQ(S_IFDIR | 0700, mode_of(K));
	EXPECT_EQ(3, nlink_of(MNT));
	EXPECT_EQ(ENOTDIR, (table("/l " F " reg"), table("/l/d " D " dir")));
}

TEST_F(below, keys_are_listed_from_any_position)
{
	static char names[700][16];
	static long at[701];
	struct dirent *entry;
	int i, n = 0;
	DIR *dir;

	ASSERT_EQ(0, table("/k " D " subdirs"));
	for (i = 0; i < 300; i++) {
		char path[64];

		ASSERT_EQ(0, table("/k/sub/key%d " F " reg", i));
		snprintf(path, sizeof(path), D "/sub/host%d", i);
		ASSERT_EQ(0, put_text(path, "host"));
		snprintf(path, sizeof(path), D "/sub/key%d", i);
		if (i % 3 == 0)
			ASSERT_EQ(0, put_text(path, "hidden"));
	}
	dir = opendir(K "/sub");
	ASSERT_NE(NULL, dir);
	for (;;) {
		ASSERT_GT(700, n);
		at[n] = telldir(dir);
		entry = readdir(dir);
		if (!entry)
			break;
		snprintf(names[n++], 16, "%.15s", entry->d_name);
	}
	EXPECT_EQ(300 + 300 + 4, n);
	EXPECT_EQ(1, listed(K "/sub", "key0"));
	for (i = 0; i < n; i += 41) {
		seekdir(dir, at[i]);
		entry = readdir(dir);
		ASSERT_NE(NULL, entry);
		EXPECT_STREQ(names[i], entry->d_name);
	}
	closedir(dir);
}

/* Until it is killed: names come, go and change places on the host. */
static void meddle(void)
{
	for (;;) {
		rename(D "/sub", D "/bus");
		symlink("bus/deep", D "/l");
		rename(D "/f", D "/bus/f");
		rename(D "/bus/deep", D "/deep");
		mkdir(D "/bus/x", 0755);
		rename(D "/bus/f", D "/f");
		unlink(D "/l");
		rename(D "/deep", D "/bus/deep");
		rmdir(D "/bus/x");
		rename(D "/bus", D "/sub");
	}
}

TEST_F(below, a_storm_of_renames_does_no_harm)
{
	long long end = now_ms() + 5000;
	pid_t meddler, keyer;

	ASSERT_EQ(0, table("/k " D " subdirs"));
	meddler = start(meddle);
	keyer = fork();
	if (!keyer) {
		for (;;) {
			table("/k/sub/deep/key " F " reg");
			table("-/k/sub/deep/key");
		}
	}
	while (now_ms() < end)
		run("find -L " K " -ls; cat " K "/*/*; ls -l " K "/sub/deep");
	stop(keyer);
	stop(meddler);
	table("-/k/sub/deep/key");
	run("cd " D "; mv bus sub; mv deep sub; mv sub/f .; rm -f l; rmdir sub/x");
	EXPECT_EQ(0, text_is(K "/f", "file"));
	EXPECT_EQ(0, text_is(K "/sub/deep/h", "deep"));
	EXPECT_EQ(2, count_names(K));
	EXPECT_EQ(0, ERR(umount(MNT)));
	ASSERT_EQ(0, mount_at(MNT, NULL));
}

/* Until it is killed: at each name there is always one of two objects. */
static void exchange(void)
{
	for (;;) {
		renameat2(AT_FDCWD, D "/sub", AT_FDCWD, D "/bus",
			  RENAME_EXCHANGE);
		renameat2(AT_FDCWD, D "/sub/g", AT_FDCWD, D "/sub/f",
			  RENAME_EXCHANGE);
	}
}

TEST_F(below, a_walk_through_what_changes_places_is_never_stale)
{
	long long end = now_ms() + 5000;
	struct stat st;
	int err = 0;
	pid_t pid;

	ASSERT_EQ(0, run("cd " D "; cp f sub; cp -a sub bus"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	pid = start(exchange);
	while (!err && now_ms() < end)
		err = ERR(stat(K "/sub/g", &st)) ?:
		      ERR(access(K "/sub/deep/h", W_OK)) ?:
		      ERR(chdir(K "/sub/deep"));
	stop(pid);
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, chdir("/"));
}

/* Until it is killed: there is always a file at the name, and always another. */
static void replace(void)
{
	for (;;) {
		close(open(D "/new", O_WRONLY | O_CREAT, 0644));
		rename(D "/new", D "/f");
	}
}

TEST_F(below, an_open_of_what_is_replaced_is_never_stale)
{
	const int flags[] = {
		O_RDONLY, O_WRONLY, O_RDWR | O_TRUNC, O_WRONLY | O_CREAT,
		O_RDWR | O_APPEND,
	};
	long long end = now_ms() + 5000;
	int err = 0, opened = 0, fd;
	pid_t pid;

	ASSERT_EQ(0, table("/k " D " subdirs"));
	pid = start(replace);
	for (; !err && now_ms() < end; opened++)
		err = open_err(K "/f", flags[opened % ARRAY_SIZE(flags)]);
	stop(pid);
	EXPECT_EQ(0, err) {
		TH_LOG("after %d times", opened);
	}
	/* It says what a walk says otherwise. */
	EXPECT_EQ(ENOENT, open_err(K "/none", O_RDONLY));
	EXPECT_EQ(EOPNOTSUPP, open_err(K "/none", O_RDONLY | O_CREAT));
	EXPECT_EQ(EEXIST, open_err(K "/f", O_RDONLY | O_CREAT | O_EXCL));
	EXPECT_EQ(ENOTDIR, open_err(K "/f", O_RDONLY | O_DIRECTORY));
	EXPECT_EQ(EISDIR, open_err(K "/sub", O_WRONLY));
	EXPECT_EQ(0, open_err(K "/sub", O_RDONLY));

	/* Nor does the host hear of one who may not write. */
	ASSERT_EQ(0, put_text(D "/fresh", "x"));
	fd = open(D "/fresh", O_RDONLY);
	ASSERT_EQ(0, ERR(fcntl(fd, F_SETLEASE, F_RDLCK)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(K "/fresh", O_WRONLY)));
	EXPECT_EQ(F_RDLCK, fcntl(fd, F_GETLEASE));
	close(fd);
}

/* What else is done to a name that is another file's or directory's each time. */
TEST_F(below, no_call_by_a_name_is_stale)
{
	long long end = now_ms() + 5000;
	int err = 0, fd;
	char buf[16];
	pid_t pid;

	ASSERT_EQ(0, run("cd " D "; cp f sub; cp -a sub bus; "
			 "setfattr -n trusted.a -v b f sub/f sub/g"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	pid = start(exchange);
	while (!err && now_ms() < end) {
		fd = open(K "/sub", O_RDONLY | O_DIRECTORY);
		err = fd < 0 ? errno : 0;
		close(fd);
		err = err ?: ERR(truncate(K "/sub/g", 4));
		if (!err && getxattr(K "/sub/g", "trusted.a", buf, 16) < 0 &&
		    errno != ENODATA)
			err = errno;
		if (!err && listxattr(K "/sub/g", buf, 0) < 0)
			err = errno;
	}
	stop(pid);
	EXPECT_EQ(0, err);
}

/* A link to above makes a tree without an end: find knows it by its numbers. */
TEST_F(below, loops_of_links_are_known_by_their_numbers)
{
	ASSERT_EQ(0, symlink("..", D "/sub/up"));
	ASSERT_EQ(0, table("/k " D " subdirs"));
	EXPECT_EQ(ino_of(K), ino_of(K));
	EXPECT_EQ(ino_of(K "/sub"), ino_of(K "/sub/up/sub"));
	EXPECT_EQ(0, text_is(K "/sub/up/sub/up/f", "file"));
	EXPECT_EQ(0, run("timeout 60 find -L " K " >/dev/null; test $? != 124"));
}

TEST_HARNESS_MAIN
