// SPDX-License-Identifier: GPL-2.0
/* The keys and host files that a directory is given for its mount's table. */

#include <sys/mman.h>
#include <sys/socket.h>

#include "lib/apply.h"

#define F HOST "/f"
#define G HOST "/g"
#define D HOST "/d"
#define KEY MNT "/k"
#define TOTAL 65536

static int make_hosts(void)
{
	int err = fill(F, TOTAL, 1) ?: put_text(G, "other");

	if (err || mkdir(D, 0755) || mkdir(D "/sub", 0755))
		return err ?: errno;
	return put_text(D "/a", "in d");
}

FIXTURE(apply)
{
	int fd;
};

FIXTURE_SETUP(apply)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_hosts());
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(apply)
{
	teardown_mount();
}

TEST_F(apply, what_a_removal_does_not_take_may_say_so)
{
	ASSERT_EQ(0, APPLY(self->fd, ADD("/a", F), ADD("/b", F),
			   ADD("/c", F, .tag = AT("t"))));
	EXPECT_EQ(0, APPLY(self->fd, REMOVE("/a", .host_fd = 0),
			   REMOVE("/b", .size = RUMPFS_SIZE_HOST),
			   REMOVE_TAG("t", .size = RUMPFS_SIZE_HOST),
			   FLUSH(.host_fd = 0, .size = RUMPFS_SIZE_HOST)));
	EXPECT_EQ(0, rows_are(""));
}

TEST_F(apply, nodes_bear_the_mode_and_the_owner)
{
	struct stat st;
	char *row;

	ASSERT_EQ(0, APPLY(self->fd,
			   ADD("/k", F, .mode = 07640, .uid = 7, .gid = 8,
			       .flags = RUMPFS_MAP_MODE | RUMPFS_MAP_UID |
					RUMPFS_MAP_GID),
			   ADD("/z", F, .flags = RUMPFS_MAP_MODE)));
	ASSERT_EQ(0, stat(KEY, &st));
	EXPECT_EQ(S_IFREG | 07640, st.st_mode);
	EXPECT_EQ(7, st.st_uid);
	EXPECT_EQ(8, st.st_gid);
	EXPECT_EQ(S_IFREG, mode_of(MNT "/z"));
	row = row_of("/k");
	ASSERT_NE(NULL, row);
	ASSERT_NE(NULL, strstr(row, "mode="));
	EXPECT_EQ(07640, strtol(strstr(row, "mode=") + 5, NULL, 8));
}

TEST_F(apply, a_host_path_may_be_relative)
{
	int dir = open(HOST, O_RDONLY | O_DIRECTORY);
	int handle = open(D, O_PATH);

	ASSERT_EQ(0, chdir(D));
	EXPECT_EQ(0, APPLY(self->fd,
			   ADD("/cwd", "a", .host_fd = AT_FDCWD),
			   ADD("/fd", "f", .host_fd = dir),
			   ADD("/fd2", "./d/../g", .host_fd = dir),
			   ADD("/handle", "a", .host_fd = handle),
			   ADD("/up", "../g", .host_fd = handle))) {
		TH_LOG("%s", sentence);
	}
	EXPECT_EQ(0, text_is(MNT "/cwd", "in d"));
	EXPECT_EQ(0, fill_is(MNT "/fd", 0, TOTAL, 0, 1));
	EXPECT_EQ(0, text_is(MNT "/fd2", "other"));
	EXPECT_EQ(0, text_is(MNT "/handle", "in d"));
	EXPECT_EQ(0, text_is(MNT "/up", "other"));
	EXPECT_TRUE(!strcmp(row_of("/cwd"), "/cwd " D "/a reg rw"));
	EXPECT_TRUE(!strcmp(row_of("/fd"), "/fd " F " reg rw"));
	EXPECT_TRUE(!strcmp(row_of("/handle"), "/handle " D "/a reg rw"));

	/* It is a path that is bound: what is replaced there is seen. */
	close(handle);
	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, put_text(HOST "/new", "new"));
	ASSERT_EQ(0, rename(HOST "/new", D "/a"));
	EXPECT_EQ(0, text_is(MNT "/cwd", "new"));
	EXPECT_EQ(0, text_is(MNT "/handle", "new"));
	close(dir);
}

TEST_F(apply, a_relative_path_begins_at_a_directory_that_has_a_path)
{
	int file = open(F, O_RDONLY), gone, pipes[2];
	pid_t pid;

	EXPECT_EQ(ENOTDIR, APPLY(self->fd, ADD("/k", "f", .host_fd = file)));
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(ENOTDIR,
		  APPLY(self->fd, ADD("/k", "f", .host_fd = pipes[0])));
	gone = open(D "/sub", O_RDONLY);
	ASSERT_EQ(0, rmdir(D "/sub"));
	EXPECT_EQ(ENOENT, APPLY(self->fd, ADD("/k", "f", .host_fd = gone)));
	EXPECT_EQ(ENOENT, APPLY(self->fd, ADD("/k", "../a", .host_fd = gone)));
	close(gone);
	/* One outside of the caller's root. */
	gone = open(D, O_RDONLY);
	pid = fork();
	if (!pid) {
		if (mkdir(HOST "/jail", 0755) || chroot(HOST "/jail") ||
		    chdir("/"))
			_exit(255);
		_exit(APPLY(self->fd, ADD("/k", "a", .host_fd = gone)));
	}
	EXPECT_EQ(ENOENT, wait_status(pid));
	EXPECT_EQ(0, rows_are(""));
	EXPECT_EQ(0, applied.failed_op);
}

TEST_F(apply, a_path_is_that_of_the_caller_s_root)
{
	pid_t pid = fork();

	if (!pid) {
		if (chroot(HOST) || chdir("/"))
			_exit(255);
		_exit(APPLY(self->fd, ADD("/k", "/g"),
			    ADD("/l", "g", .host_fd = AT_FDCWD)));
	}
	EXPECT_EQ(0, wait_status(pid));
	EXPECT_EQ(0, text_is(KEY, "other"));
	EXPECT_EQ(0, text_is(MNT "/l", "other"));
}

TEST_F(apply, an_open_file_is_bound_for_good)
{
	int fd = open(G, O_RDONLY), handle = open(F, O_PATH);

	EXPECT_EQ(0, APPLY(self->fd, ADD("/fd", 0, .host_fd = fd),
			   ADD("/handle", 0, .host_fd = handle),
			   ADD("/blk", 0, .host_fd = handle,
			       .type = RUMPFS_TYPE_BLK),
			   ADD("/chr", 0, .host_fd = handle, .offset = 4096,
			       .type = RUMPFS_TYPE_CHR))) {
		TH_LOG("%s", sentence);
	}
	EXPECT_EQ(0, rows_are("/blk " F " blk rw\n"
			      "/chr " F " chr rw,offset=4096\n"
			      "/fd " G " reg rw,pin\n"
			      "/handle " F " reg rw,pin\n"));
	close(fd);
	close(handle);
	ASSERT_EQ(0, put_text(HOST "/new", "new"));
	ASSERT_EQ(0, rename(HOST "/new", G));
	EXPECT_EQ(0, text_is(MNT "/fd", "other"));
	EXPECT_EQ(0, fill_is(MNT "/handle", 0, TOTAL, 0, 1));
	EXPECT_EQ(0, fill_is(MNT "/chr", 0, TOTAL - 4096, 4096, 1));
	EXPECT_EQ(0, put_text(MNT "/fd", "OTHER"));
	EXPECT_EQ(0, text_is(MNT "/fd", "OTHER"));
}

TEST_F(apply, an_open_directory_is_bound_for_good)
{
	int fd = open(D, O_RDONLY), handle = open(D, O_PATH);

	EXPECT_EQ(0, APPLY_FLAGS(self->fd, RUMPFS_APPLY_DRY_RUN,
				 ADD("/dir", D, .type = RUMPFS_TYPE_DIR,
				     .flags = RUMPFS_MAP_PIN)));
	EXPECT_EQ(0, APPLY(self->fd,
			   ADD("/dir", 0, .host_fd = fd,
			       .type = RUMPFS_TYPE_DIR),
			   ADD("/subdirs", 0, .host_fd = handle, .size = 0,
			       .type = RUMPFS_TYPE_SUBDIRS))) {
		TH_LOG("%s", sentence);
	}
	EXPECT_EQ(0, rows_are("/dir " D " dir rw,pin\n"
			      "/subdirs " D " subdirs rw,pin\n"));
	close(fd);
	close(handle);
	ASSERT_EQ(0, rename(D, HOST "/moved"));
	EXPECT_EQ(0, text_is(MNT "/dir/a", "in d"));
	EXPECT_EQ(0, text_is(MNT "/subdirs/a", "in d"));
	EXPECT_EQ(1, count_names(MNT "/dir"));
	EXPECT_EQ(2, count_names(MNT "/subdirs"));
	ASSERT_EQ(0, APPLY(self->fd, ADD("/x", F)));
	EXPECT_TRUE(row_has("/dir", "pin"));
	EXPECT_TRUE(!!strstr(row_of("/dir"), HOST "/moved dir"));
}

TEST_F(apply, the_first_file_of_all_is_one_too)
{
	int fd = open(G, O_RDONLY), saved = dup(0);

	ASSERT_EQ(0, dup2(fd, 0));
	EXPECT_EQ(0, APPLY(self->fd, ADD("/k", 0, .host_fd = 0)));
	dup2(saved, 0);
	EXPECT_EQ(0, rows_are("/k " G " reg rw,pin\n"));
}

TEST_F(apply, what_has_no_path_is_bound_and_told_as_such)
{
	int memory = memfd_create("m y", 0), gone = open(G, O_RDWR);

	ASSERT_EQ(6, write(memory, "memory", 6));
	ASSERT_EQ(0, unlink(G));
	EXPECT_EQ(0, APPLY(self->fd, ADD("/gone", 0, .host_fd = gone),
			   ADD("/k", F), ADD("/mem", 0, .host_fd = memory),
			   ADD("/mem2", 0, .host_fd = memory,
			       .type = RUMPFS_TYPE_CHR))) {
		TH_LOG("%s", sentence);
	}
	close(memory);
	close(gone);
	EXPECT_EQ(0, text_is(MNT "/gone", "other"));
	EXPECT_EQ(0, text_is(MNT "/mem", "memory"));
	EXPECT_EQ(0, text_is(MNT "/mem2", "memory"));
#define UNRESTORABLE							\
	"# unrestorable: /gone " G "\\040(deleted) reg rw,pin\n"	\
	"/k " F " reg rw\n"						\
	"# unrestorable: /mem /memfd:m\\040y\\040(deleted) reg rw,pin\n" \
	"# unrestorable: /mem2 /memfd:m\\040y\\040(deleted) chr rw\n"
	EXPECT_EQ(0, rows_are(UNRESTORABLE));
	EXPECT_EQ(0, rows_at(self->fd, UNRESTORABLE));
}

TEST_F(apply, a_file_is_what_it_must_be_by_fd_too)
{
	int pipes[2], sock = socket(AF_UNIX, SOCK_STREAM, 0);
	int null = open("/dev/null", O_RDWR), dir = open(D, O_RDONLY);
	int ours, file = open(F, O_RDONLY);

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, put_text(MNT "/mine", "mine"));
	ours = open(MNT "/mine", O_RDWR);
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("/k", 0, .host_fd = pipes[0])));
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("/k", 0, .host_fd = sock)));
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("/k", 0, .host_fd = null)));
	EXPECT_EQ(EISDIR, APPLY(self->fd, ADD("/k", 0, .host_fd = dir)));
	EXPECT_EQ(ELOOP, APPLY(self->fd, ADD("/k", 0, .host_fd = ours)));
	EXPECT_EQ(ENOTDIR, APPLY(self->fd, ADD("/k", 0, .host_fd = file,
					       .type = RUMPFS_TYPE_DIR)));
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("/k", 0, .host_fd = file,
					      .offset = TOTAL + 1)));
	EXPECT_EQ(0, rows_are(""));
}

TEST_F(apply, a_writable_mapping_needs_a_writable_mount)
{
	int fd;

	ASSERT_EQ(0, mount(D, D, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount(NULL, D, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
			   NULL));
	fd = open(D "/a", O_RDONLY);
	EXPECT_EQ(EROFS, APPLY(self->fd, ADD("/k", D "/a")));
	EXPECT_EQ(EROFS, APPLY(self->fd, ADD("/k", 0, .host_fd = fd)));
	EXPECT_EQ(EACCES, APPLY(self->fd, ADD("/k", 0, .host_fd = fd,
					      .type = RUMPFS_TYPE_BLK)));
	EXPECT_EQ(EACCES, APPLY(self->fd, ADD("/k", 0, .host_fd = fd,
					      .type = RUMPFS_TYPE_CHR)));
	EXPECT_EQ(0, APPLY(self->fd, ADD("/k", 0, .host_fd = fd,
					 .flags = RUMPFS_MAP_RO)));
	EXPECT_EQ(0, text_is(KEY, "in d"));
	close(fd);
}

TEST_F(apply, a_key_may_have_4095_bytes)
{
	static char key[4200], rows[4400];
	struct rumpfs_stat st;
	int fd;

	EXPECT_EQ(ENAMETOOLONG,
		  APPLY(self->fd, ADD(long_path(key, 4096), G)));
	EXPECT_EQ(0, applied.failed_op);
	EXPECT_EQ(ENAMETOOLONG, APPLY(self->fd, REMOVE(key)));
	EXPECT_EQ(ENAMETOOLONG, stat_key(self->fd, key, &st));
	/* Nor is one meant that is left when its end is cut off. */
	EXPECT_EQ(0, APPLY(self->fd, ADD("/a", G)));
	memset(key, '/', 4098);
	key[1] = 'a';
	key[4097] = 'b';
	key[4098] = '\0';
	EXPECT_EQ(ENAMETOOLONG, APPLY(self->fd, REMOVE(key)));
	EXPECT_EQ(ENAMETOOLONG, stat_key(self->fd, key, &st));
	EXPECT_EQ(0, APPLY(self->fd, REMOVE("/a")));
	EXPECT_EQ(0, APPLY(self->fd, ADD(long_path(key, 4095), G)));
	snprintf(rows, sizeof(rows), "%s " G " reg rw\n", key);
	EXPECT_EQ(0, rows_are(rows));
	EXPECT_EQ(0, rows_at(self->fd, rows));
	EXPECT_EQ(0, stat_key(self->fd, key, &st));
	fd = openat(self->fd, key + 1, O_RDONLY);
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_EQ(EEXIST, APPLY(self->fd, ADD(key, G)));
	EXPECT_EQ(0, APPLY(self->fd, REMOVE(key)));
	EXPECT_EQ(0, count_names(MNT));

	/* And a component 255, a host path 4095. */
	memset(key, 'c', sizeof(key));
	key[0] = '/';
	key[257] = '\0';
	EXPECT_EQ(ENAMETOOLONG, APPLY(self->fd, ADD(key, G)));
	key[256] = '\0';
	EXPECT_EQ(0, APPLY(self->fd, ADD(key, G), REMOVE(key)));
	EXPECT_EQ(ENOENT, APPLY(self->fd, ADD("/k", long_path(key, 4095))));
	EXPECT_EQ(ENAMETOOLONG,
		  APPLY(self->fd, ADD("/k", long_path(key, 4096))));
}

/* A string that ends with the last byte of memory is read, one beyond is not. */
TEST_F(apply, strings_end_where_memory_ends)
{
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *end = page + PAGE;

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(end, PAGE));
	memcpy(end - 3, "/k", 3);
	EXPECT_EQ(0, APPLY(self->fd, ADD(end - 3, G)));
	memcpy(end - 2, "/k", 2);
	EXPECT_EQ(EFAULT, APPLY(self->fd, ADD(end - 2, G)));
	EXPECT_EQ(EFAULT, APPLY(self->fd, ADD("/l", end - 2)));
	EXPECT_EQ(EFAULT, APPLY(self->fd, ADD("/l", G, .tag = AT(end - 2))));
	EXPECT_EQ(EFAULT, APPLY(self->fd, REMOVE_TAG(end - 2)));
	EXPECT_EQ(EFAULT, APPLY(self->fd, REMOVE(end - 2)));
	EXPECT_EQ(0, rows_are("/k " G " reg rw\n"));
}

/* Of one call, wherever one ends in the memory that holds them meanwhile. */
TEST_F(apply, strings_have_any_length)
{
	static struct rumpfs_op ops[254];
	static char keys[254][256], tags[254][64], rows[254 * 512];
	size_t len = 0;
	int i, n;

	for (n = 0; n < 3; n++) {
		len = 0;
		for (i = 0; i < 254; i++) {
			memset(keys[i], 'k', sizeof(keys[i]));
			keys[i][0] = '/';
			keys[i][i + 2] = '\0';
			snprintf(tags[i], sizeof(tags[i]), "%0*d",
				 1 + i * n % 60, 7);
			ops[i] = ADD(keys[i], G, .tag = AT(tags[i]));
			len += sprintf(rows + len, "%s " G " reg rw,tag=%s\n",
				       keys[i], tags[i]);
		}
		ASSERT_EQ(0, apply_call(self->fd, ops, 254, 0, 0));
		EXPECT_EQ(0, rows_at(self->fd, rows));
		EXPECT_EQ(254, count_names(MNT));
		ASSERT_EQ(0, APPLY(self->fd, FLUSH()));
	}
}

TEST_F(apply, tells_of_a_key_as_it_was_written)
{
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("//a//../", G)));
	EXPECT_TRUE(sentence_has("//a//../: a key has no component"));
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("/a/..", G)));
	EXPECT_TRUE(sentence_has("/a/..: a key has no component"));
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("///", G)));
	EXPECT_TRUE(sentence_has("///: the root of the mount"));
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("/a//b/", G, .mode = 010000)));
	EXPECT_TRUE(sentence_has("/a//b/: a mode is"));
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("/a/", G, .mode = 010000)));
	EXPECT_TRUE(sentence_has("/a/: a mode is"));
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("a", G)));
	EXPECT_TRUE(sentence_has("a: a key starts with /"));
	EXPECT_EQ(EINVAL, table("//a//.. " G " reg"));
	EXPECT_TRUE(last_error_has("1:1: //a//..: a key has no component"));
	EXPECT_EQ(EINVAL, table("/a//b/ " G " reg mode=9"));
	EXPECT_TRUE(last_error_has(": /a//b/: "));
	EXPECT_EQ(0, rows_are(""));
}

/* Every byte in a key, a host path and a tag, and the text of it loads again. */
TEST_F(apply, names_have_any_byte)
{
	static char key[256][8], host[256][32], tag[256][8];
	static struct rumpfs_op ops[256];
	char *before, *after, *list;
	int byte, fd, nr = 0;

	for (byte = 1; byte < 256; byte++) {
		sprintf(key[byte], "/%cx", byte == '/' ? 'a' : byte);
		sprintf(tag[byte], "%cx", byte);
		sprintf(host[byte], HOST "/%cx", byte == '/' ? 'a' : byte);
		ASSERT_EQ(0, put_text(host[byte], tag[byte]));
		if (byte != '/')
			ops[nr++] = ADD(key[byte], host[byte],
					.tag = AT(tag[byte]));
	}
	ops[nr++] = ADD("/slash", G, .tag = AT("/x"));
	ASSERT_EQ(0, apply_call(self->fd, ops, nr, 0, 0)) {
		TH_LOG("%u: %s", applied.failed_op, sentence);
	}
	for (byte = 1; byte < 256; byte++) {
		if (byte == '/' || byte == 'a')
			continue;
		fd = openat(self->fd, key[byte] + 1, O_RDONLY);
		ASSERT_LE(0, fd);
		ASSERT_EQ(2, read(fd, host[byte], 8));
		ASSERT_EQ(0, memcmp(host[byte], tag[byte], 2));
		close(fd);
	}
	list = list_rows(self->fd, 4000);
	before = table_rows();
	ASSERT_NE(NULL, list);
	ASSERT_NE(NULL, before);
	EXPECT_EQ(0, strcmp(list, before));
	ASSERT_EQ(0, put_text(HOST "/saved", list));
	ASSERT_EQ(0, APPLY(self->fd, FLUSH()));
	ASSERT_EQ(0, run("cat " HOST "/saved >" TABLE));
	after = table_rows();
	ASSERT_NE(NULL, after);
	EXPECT_EQ(0, strcmp(before, after));
	for (byte = 1; byte < 256; byte++)
		ASSERT_EQ(0, APPLY(self->fd, REMOVE_TAG(tag[byte]))) {
			TH_LOG("byte %d: %s", byte, sentence);
		}
	EXPECT_EQ(0, rows_are(""));
}

TEST_F(apply, any_directory_of_the_mount_is_asked)
{
	struct rumpfs_apply none = {};
	int fd;

	ASSERT_EQ(0, mkdir(MNT "/mem", 0755));
	ASSERT_EQ(0, put_text(MNT "/file", "x"));
	ASSERT_EQ(0, APPLY(self->fd, ADD("/k", F),
			   ADD("/up/l", G),
			   ADD("/s", D, .type = RUMPFS_TYPE_SUBDIRS)));
#define ASK(path, ...) ({						\
	int fd_ = open(path, O_RDONLY), err_ = APPLY(fd_, __VA_ARGS__);	\
									\
	close(fd_);							\
	err_; })
	EXPECT_EQ(0, ASK(MNT "/mem", ADD("/1", F)));
	EXPECT_EQ(0, ASK(MNT "/up", ADD("/2", F)));
	EXPECT_EQ(0, ASK(MNT "/s", ADD("/3", F)));
	EXPECT_EQ(0, ASK(MNT "/s/sub", ADD("/4", F)));
	EXPECT_EQ(9, count_names(MNT));
	EXPECT_EQ(ENOTTY, ASK(MNT "/file", ADD("/5", F)));
	EXPECT_EQ(ENOTTY, ASK(KEY, ADD("/5", F)));
	EXPECT_EQ(ENOTTY, ASK(MNT "/s/a", ADD("/5", F)));
	EXPECT_EQ(ENOTTY, ASK(D, ADD("/5", F)));
	fd = open(MNT, O_PATH);
	EXPECT_EQ(EBADF, APPLY(fd, ADD("/5", F)));
	close(fd);
	fd = open(MNT "/file", O_RDWR);
	EXPECT_EQ(ENOTTY, ERR(ioctl(fd, RUMPFS_IOC_APPLY, &none)));
	EXPECT_EQ(ENOTTY, ERR(ioctl(fd, RUMPFS_IOC_LIST, &none)));
	EXPECT_EQ(ENOTTY, ERR(ioctl(fd, RUMPFS_IOC_STAT, &none)));
	close(fd);
	/* A removed one too: it is still of this mount. */
	fd = open(MNT "/mem", O_RDONLY);
	ASSERT_EQ(0, rmdir(MNT "/mem"));
	EXPECT_EQ(0, APPLY(fd, ADD("/6", F)));
	close(fd);
}

TEST_HARNESS_MAIN
