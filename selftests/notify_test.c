// SPDX-License-Identifier: GPL-2.0
/* inotify and fanotify tell what happens to names in memory, and to keys. */

#include <poll.h>
#include <pthread.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/xattr.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"
#define FILE_B MNT "/b"
#define DIR_D MNT "/d"

FIXTURE(notify)
{
	int fd;
};

FIXTURE_SETUP(notify)
{
	ASSERT_EQ(0, setup_mount(NULL));
	self->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(notify)
{
	close(self->fd);
	teardown_mount();
}

static const struct {
	unsigned int bit;
	const char *word;
} words[] = {
	{ IN_ACCESS, "access" },
	{ IN_MODIFY, "modify" },
	{ IN_ATTRIB, "attrib" },
	{ IN_CLOSE_WRITE, "close_write" },
	{ IN_CLOSE_NOWRITE, "close_nowrite" },
	{ IN_OPEN, "open" },
	{ IN_MOVED_FROM, "moved_from" },
	{ IN_MOVED_TO, "moved_to" },
	{ IN_CREATE, "create" },
	{ IN_DELETE, "delete" },
	{ IN_DELETE_SELF, "delete_self" },
	{ IN_MOVE_SELF, "move_self" },
	{ IN_UNMOUNT, "unmount" },
	{ IN_IGNORED, "ignored" },
};

/* Cookies of the last two moves that events() has seen. */
static unsigned int cookies[2];

/* All that is queued, as "create:a open:a delete:d/": a directory has a slash. */
static const char *events(int fd)
{
	static char text[4096];
	char buf[8192] __attribute__((aligned(8)));
	ssize_t got, at;
	size_t len = 0, i;

	text[0] = '\0';
	while ((got = read(fd, buf, sizeof(buf))) > 0) {
		for (at = 0; at < got;) {
			struct inotify_event *event = (void *)(buf + at);

			for (i = 0; i < ARRAY_SIZE(words); i++)
				if (event->mask & words[i].bit)
					break;
			len += snprintf(text + len, sizeof(text) - len,
					"%s%s%s%s%s", len ? " " : "",
					i < ARRAY_SIZE(words) ? words[i].word :
								"unknown",
					event->len ? ":" : "",
					event->len ? event->name : "",
					event->mask & IN_ISDIR ? "/" : "");
			if (event->mask & IN_MOVE) {
				cookies[0] = cookies[1];
				cookies[1] = event->cookie;
			}
			at += sizeof(*event) + event->len;
		}
	}
	return text;
}

#define EXPECT_EVENTS(said) EXPECT_STREQ(said, events(self->fd))

TEST_F(notify, a_new_file_is_told)
{
	ASSERT_LE(0, inotify_add_watch(self->fd, MNT, IN_ALL_EVENTS));
	ASSERT_EQ(0, put_text(FILE_A, "x"));
	EXPECT_EVENTS("create:a open:a modify:a close_write:a");
	ASSERT_EQ(0, text_is(FILE_A, "x"));
	EXPECT_EVENTS("open:a access:a close_nowrite:a");
	/* Truncation by open, and by path. */
	ASSERT_LE(0, inotify_add_watch(self->fd, MNT, IN_MODIFY | IN_CLOSE));
	ASSERT_EQ(0, put_text(FILE_A, ""));
	EXPECT_EVENTS("modify:a close_write:a");
	ASSERT_EQ(0, truncate(FILE_A, 100));
	EXPECT_EVENTS("modify:a");
}

TEST_F(notify, every_kind_of_name_is_told)
{
	ASSERT_LE(0, inotify_add_watch(self->fd, MNT, IN_CREATE | IN_DELETE));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, symlink("x", MNT "/l"));
	ASSERT_EQ(0, mkfifo(MNT "/f", 0644));
	ASSERT_EQ(0, mknod(FILE_A, S_IFREG | 0644, 0));
	ASSERT_EQ(0, link(FILE_A, FILE_B));
	EXPECT_EVENTS("create:d/ create:l create:f create:a create:b");
	ASSERT_EQ(0, rmdir(DIR_D));
	ASSERT_EQ(0, unlink(MNT "/l"));
	ASSERT_EQ(0, unlink(MNT "/f"));
	ASSERT_EQ(0, unlink(FILE_A));
	ASSERT_EQ(0, unlink(FILE_B));
	EXPECT_EVENTS("delete:d/ delete:l delete:f delete:a delete:b");

	/* What is refused is not told. */
	EXPECT_EQ(ENOENT, ERR(unlink(FILE_A)));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	EXPECT_EQ(EEXIST, ERR(mkdir(DIR_D, 0755)));
	EXPECT_EVENTS("create:d/");
}

TEST_F(notify, changed_attributes_are_told)
{
	ASSERT_EQ(0, put_text(FILE_A, "x"));
	ASSERT_LE(0, inotify_add_watch(self->fd, MNT, IN_ALL_EVENTS));
	ASSERT_EQ(0, chmod(FILE_A, 0600));
	EXPECT_EVENTS("attrib:a");
	ASSERT_EQ(0, chown(FILE_A, 5, 5));
	EXPECT_EVENTS("attrib:a");
	ASSERT_EQ(0, utimensat(AT_FDCWD, FILE_A, NULL, 0));
	EXPECT_EVENTS("attrib:a");
}

TEST_F(notify, changed_xattrs_are_told)
{
	ASSERT_EQ(0, put_text(FILE_A, "x"));
	ASSERT_LE(0, inotify_add_watch(self->fd, MNT, IN_ALL_EVENTS));
	ASSERT_EQ(0, setxattr(FILE_A, "trusted.t", "x", 1, 0));
	EXPECT_EVENTS("attrib:a");
	ASSERT_EQ(0, removexattr(FILE_A, "trusted.t"));
	EXPECT_EVENTS("attrib:a");
}

TEST_F(notify, a_move_is_told_in_two_halves)
{
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, put_text(FILE_A, "x"));
	ASSERT_LE(0, inotify_add_watch(self->fd, MNT, IN_ALL_EVENTS));
	ASSERT_LE(0, inotify_add_watch(self->fd, DIR_D, IN_MOVE));
	ASSERT_LE(0, inotify_add_watch(self->fd, FILE_A, IN_MOVE_SELF));
	ASSERT_EQ(0, rename(FILE_A, DIR_D "/b"));
	EXPECT_EVENTS("moved_from:a moved_to:b move_self");
	EXPECT_EQ(cookies[0], cookies[1]);
	EXPECT_NE(0, cookies[0]);

	ASSERT_EQ(0, put_text(MNT "/c", "x"));
	events(self->fd);
	ASSERT_EQ(0, ERR(renameat2(AT_FDCWD, MNT "/c", AT_FDCWD, DIR_D "/b",
				   RENAME_EXCHANGE)));
	EXPECT_EVENTS("moved_from:c moved_to:b moved_from:b moved_to:c move_self");
	ASSERT_EQ(0, ERR(renameat2(AT_FDCWD, MNT "/c", AT_FDCWD, FILE_A,
				   RENAME_WHITEOUT)));
	EXPECT_EVENTS("moved_from:c moved_to:a move_self");
	ASSERT_EQ(0, rename(DIR_D, MNT "/e"));
	EXPECT_EVENTS("moved_from:d/ moved_to:e/");
}

TEST_F(notify, the_end_of_a_file_is_told)
{
	int fd;

	ASSERT_EQ(0, put_text(FILE_A, "x"));
	ASSERT_EQ(0, link(FILE_A, FILE_B));
	ASSERT_LE(0, inotify_add_watch(self->fd, FILE_A,
				       IN_ATTRIB | IN_DELETE_SELF));
	ASSERT_EQ(0, unlink(FILE_B));
	EXPECT_EVENTS("attrib");
	fd = open(FILE_A, O_RDONLY);
	ASSERT_EQ(0, unlink(FILE_A));
	EXPECT_EVENTS("attrib");
	close(fd);
	EXPECT_EVENTS("delete_self ignored");

	/* Replaced by another. */
	ASSERT_EQ(0, put_text(FILE_A, "x"));
	ASSERT_EQ(0, put_text(FILE_B, "y"));
	ASSERT_LE(0, inotify_add_watch(self->fd, FILE_A, IN_DELETE_SELF));
	ASSERT_EQ(0, rename(FILE_B, FILE_A));
	EXPECT_EVENTS("delete_self ignored");

	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_LE(0, inotify_add_watch(self->fd, DIR_D, IN_DELETE_SELF));
	ASSERT_EQ(0, rmdir(DIR_D));
	EXPECT_EVENTS("delete_self ignored");
}

TEST_F(notify, an_unmount_is_told)
{
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, put_text(DIR_D "/a", "x"));
	ASSERT_LE(0, inotify_add_watch(self->fd, DIR_D "/a", IN_ALL_EVENTS));
	ASSERT_TRUE(WAIT_FOR(!umount(MNT)));
	EXPECT_EVENTS("unmount ignored");
}

/* A watch keeps the inode, and the inode keeps its bytes. */
TEST_F(notify, a_watch_lives_as_long_as_the_file)
{
	ASSERT_EQ(0, put_text(FILE_A, "x"));
	ASSERT_LE(0, inotify_add_watch(self->fd, FILE_A, IN_MODIFY));
	ASSERT_EQ(0, run("echo 3 >/proc/sys/vm/drop_caches"));
	ASSERT_EQ(0, truncate(FILE_A, 0));
	EXPECT_EVENTS("modify");
	/* The watcher goes first. */
	close(self->fd);
	self->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	ASSERT_EQ(0, unlink(FILE_A));
}

/* Keys: what passes through rumpfs is told there, and on the host as ever. */
FIXTURE(key)
{
	int fd;
};

FIXTURE_SETUP(key)
{
	if (!is_rumpfs())
		SKIP(return, "tmpfs has no keys");
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, table("/d/k " HOST "/f reg"));
	self->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(key)
{
	close(self->fd);
	teardown_mount();
}

TEST_F(key, its_directory_is_told)
{
	ASSERT_LE(0, inotify_add_watch(self->fd, DIR_D, IN_MODIFY | IN_CLOSE));
	ASSERT_EQ(0, put_text(DIR_D "/k", "new"));
	EXPECT_EVENTS("modify:k close_write:k");
	ASSERT_LE(0, inotify_add_watch(self->fd, DIR_D, IN_ALL_EVENTS));
	ASSERT_EQ(0, text_is(DIR_D "/k", "new"));
	EXPECT_EVENTS("open:k access:k close_nowrite:k");
	ASSERT_EQ(0, chmod(DIR_D "/k", 0600));
	EXPECT_EVENTS("attrib:k");
}

TEST_F(key, it_is_told_itself_and_so_is_the_host)
{
	int host = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	ASSERT_LE(0, inotify_add_watch(self->fd, DIR_D "/k", IN_MODIFY));
	ASSERT_LE(0, inotify_add_watch(host, HOST "/f", IN_MODIFY));
	ASSERT_EQ(0, run("echo more >>" DIR_D "/k"));
	EXPECT_EVENTS("modify");
	EXPECT_STREQ("modify", events(host));
	/* What does not pass through rumpfs is the host's alone. */
	ASSERT_EQ(0, run("echo more >>" HOST "/f"));
	EXPECT_EVENTS("");
	EXPECT_STREQ("modify", events(host));
	close(host);
}

TEST_F(key, a_directory_that_goes_with_it_is_told)
{
	ASSERT_LE(0, inotify_add_watch(self->fd, DIR_D, IN_DELETE_SELF));
	ASSERT_EQ(0, table("-/d/k"));
	EXPECT_EQ(ENOENT, stat_err(DIR_D));
	EXPECT_EVENTS("delete_self ignored");
}

TEST_F(key, a_watched_one_goes)
{
	ASSERT_LE(0, inotify_add_watch(self->fd, DIR_D "/k", IN_ALL_EVENTS));
	ASSERT_EQ(0, table("-/d/k"));
	EXPECT_EQ(ENOENT, stat_err(DIR_D "/k"));
	ASSERT_EQ(0, table("/d/k " HOST "/f reg"));
	EXPECT_EQ(0, text_is(DIR_D "/k", "host"));
	events(self->fd);
	ASSERT_TRUE(WAIT_FOR(!umount(MNT)));
	EXPECT_EVENTS("unmount ignored");
}

/* fanotify */

FIXTURE(fan)
{
	int fd;
};

FIXTURE_SETUP(fan)
{
	ASSERT_EQ(0, setup_mount(NULL));
	self->fd = -1;
}

FIXTURE_TEARDOWN(fan)
{
	close(self->fd);
	teardown_mount();
}

/* The path of the next event's file, with what happened; NULL if none came. */
static const char *next_event(int fd, unsigned long long *mask)
{
	static char path[256];
	char link[64], buf[4096] __attribute__((aligned(8)));
	struct fanotify_event_metadata *event = (void *)buf;
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t len;

	if (poll(&ready, 1, 10000) != 1 ||
	    read(fd, buf, sizeof(*event)) != sizeof(*event))
		return NULL;
	*mask = event->mask;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", event->fd);
	len = readlink(link, path, sizeof(path) - 1);
	close(event->fd);
	path[len < 0 ? 0 : len] = '\0';
	return path;
}

TEST_F(fan, a_marked_mount_tells_files)
{
	unsigned long long mask = 0;

	self->fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, fanotify_mark(self->fd, FAN_MARK_ADD | FAN_MARK_MOUNT,
				   FAN_CLOSE_WRITE, AT_FDCWD, MNT));
	ASSERT_EQ(0, put_text(FILE_A, "x"));
	EXPECT_STREQ(FILE_A, next_event(self->fd, &mask));
	EXPECT_EQ(FAN_CLOSE_WRITE, mask);
	if (!is_rumpfs())
		return;
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, table("/k " HOST "/f reg"));
	ASSERT_EQ(0, put_text(MNT "/k", "new"));
	EXPECT_STREQ(MNT "/k", next_event(self->fd, &mask));
	EXPECT_EQ(FAN_CLOSE_WRITE, mask);
}

/* One who answers the question whether a file may be opened. */
struct gate {
	int fd;
	unsigned int response;
	/* what is done before the answer */
	int (*meanwhile)(void);
};

/* Be asked of a file before that is done to it. Return: a file, or -1. */
static int guard(unsigned long long what, const char *path)
{
	int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);

	if (fd < 0 || !fanotify_mark(fd, FAN_MARK_ADD, what, AT_FDCWD, path))
		return fd;
	close(fd);
	return -1;
}

/* As a guard of programs does: what was the one called who asks? */
static void look_at(pid_t pid)
{
	char path[64], buf[4096];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

static void *gatekeeper(void *arg)
{
	struct gate *gate = arg;
	struct fanotify_event_metadata event;
	struct fanotify_response answer;
	bool has_failed;

	if (read(gate->fd, &event, sizeof(event)) != sizeof(event))
		return NULL;
	look_at(event.pid);
	has_failed = gate->meanwhile && gate->meanwhile();
	answer.fd = event.fd;
	answer.response = gate->response;
	if (write(gate->fd, &answer, sizeof(answer)) < 0)
		return NULL;
	close(event.fd);
	return has_failed ? NULL : gate;
}

TEST_F(fan, an_open_can_be_forbidden)
{
	unsigned int responses[] = { FAN_ALLOW, FAN_DENY };
	int expected[] = { 0, EPERM };
	struct gate gate;
	pthread_t thread;
	pid_t pid;
	int i;

	ASSERT_EQ(0, put_text(FILE_A, "x"));
	self->fd = guard(FAN_OPEN_PERM, FILE_A);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < 2; i++) {
		gate = (struct gate){ self->fd, responses[i] };
		pthread_create(&thread, NULL, gatekeeper, &gate);
		pid = fork();
		if (!pid)
			_exit(open_err(FILE_A, O_RDONLY));
		EXPECT_EQ(expected[i], wait_status(pid));
		pthread_join(thread, NULL);
	}
}

static int switch_version(void)
{
	return table("=/k " HOST "/new reg") ?: unlink(HOST "/old");
}

/* The key always leads to a file, but not the node that was found. */
TEST_F(fan, an_open_of_a_key_that_is_replaced_has_the_new_file)
{
	struct gate gate = { .response = FAN_ALLOW, .meanwhile = switch_version };
	pthread_t thread;
	pid_t pid;

	if (!is_rumpfs())
		return;
	ASSERT_EQ(0, put_text(HOST "/old", "old"));
	ASSERT_EQ(0, put_text(HOST "/new", "new"));
	ASSERT_EQ(0, table("/k " HOST "/old reg"));
	self->fd = guard(FAN_OPEN_PERM, MNT "/k");
	ASSERT_LE(0, self->fd);
	gate.fd = self->fd;
	pthread_create(&thread, NULL, gatekeeper, &gate);
	pid = fork();
	if (!pid)
		_exit(text_is(MNT "/k", "new"));
	EXPECT_EQ(0, wait_status(pid));
	pthread_join(thread, NULL);
}

static int unmount_the_first(void)
{
	return ERR(umount(HOST "/disk"));
}

/* Of a batch: one key is on a file system, and who guards another's file is asked. */
TEST_F(fan, a_registration_that_waits_keeps_no_mount_busy)
{
	struct gate gate = { .response = FAN_ALLOW,
			     .meanwhile = unmount_the_first };
	pthread_t thread;
	void *passed;
	pid_t pid;

	if (!is_rumpfs())
		return;
	ASSERT_EQ(0, ERR(mkdir(HOST "/disk", 0755)));
	ASSERT_EQ(0, ERR(mount("none", HOST "/disk", "tmpfs", 0, NULL)));
	ASSERT_EQ(0, put_text(HOST "/disk/a", "a"));
	ASSERT_EQ(0, put_text(HOST "/f", "f"));
	ASSERT_EQ(0, ERR(symlink(".", HOST "/here")));
	self->fd = guard(FAN_OPEN_PERM, HOST "/f");
	ASSERT_LE(0, self->fd);
	gate.fd = self->fd;
	pthread_create(&thread, NULL, gatekeeper, &gate);
	pid = fork();
	if (!pid)
		/* From a root whose names are walked without the VFS. */
		_exit(table_write_from(HOST, "/a /disk/a reg\n/b /here/f reg\n"));
	EXPECT_EQ(0, wait_status(pid));
	pthread_join(thread, &passed);
	EXPECT_NE(NULL, passed);
}

/* Let all pass until the pipe's other end is closed. Return: how many. */
static int let_pass(int fd, int pipe)
{
	struct pollfd ready[2] = { { pipe, POLLIN }, { fd, POLLIN } };
	struct gate gate = { fd, FAN_ALLOW };
	int n = 0;

	while (poll(ready, 2, 10000) > 0) {
		if (ready[1].revents & POLLIN) {
			gatekeeper(&gate);
			n++;
		} else {
			return n;
		}
	}
	return -1;
}

/*
 * The host file is opened once more for a mapping, with the caller's memory
 * locked. Since Linux 7 a module cannot say that nobody is to be asked, and
 * somebody who has no memory is the one who asks.
 */
TEST_F(fan, a_mapping_holds_up_nobody_who_is_asked)
{
	struct utsname kernel;
	int end[2], asked, fd;
	pid_t pid;

	if (!is_rumpfs())
		return;
	ASSERT_EQ(0, put_text(HOST "/f", "x"));
	ASSERT_EQ(0, table("/k " HOST "/f reg"));
	fd = open(MNT "/k", O_RDONLY);
	self->fd = guard(FAN_OPEN_PERM, HOST "/f");
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, pipe(end));
	pid = fork();
	if (!pid) {
		close(end[0]);
		_exit(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) ==
		      MAP_FAILED ? errno : 0);
	}
	close(end[1]);
	asked = let_pass(self->fd, end[0]);
	EXPECT_EQ(0, wait_status(pid));
	close(end[0]);
	close(fd);
	ASSERT_EQ(0, uname(&kernel));
	EXPECT_EQ(atoi(kernel.release) < 7 ? 0 : 1, asked);
}

/* Who is killed while somebody is asked for him does not wait. */
TEST_F(fan, a_mapping_that_waits_can_be_killed)
{
	struct pollfd ready = { .events = POLLIN };
	struct gate gate = { .response = FAN_ALLOW };
	struct utsname kernel;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, uname(&kernel));
	if (!is_rumpfs() || atoi(kernel.release) < 7)
		return;
	ASSERT_EQ(0, put_text(HOST "/f", "x"));
	ASSERT_EQ(0, table("/k " HOST "/f reg"));
	fd = open(MNT "/k", O_RDONLY);
	self->fd = guard(FAN_OPEN_PERM, HOST "/f");
	ASSERT_LE(0, self->fd);
	pid = fork();
	if (!pid)
		_exit(!mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	ready.fd = self->fd;
	EXPECT_EQ(1, poll(&ready, 1, 10000));
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(0, table("-/k revoke"));
	close(fd);
	/* The worker still waits for the answer. */
	gate.fd = self->fd;
	EXPECT_NE(NULL, gatekeeper(&gate));
}

/*
 * Nor does a fault on a window whose pages are read, which has it locked; since
 * Linux 7 it does.
 */
TEST_F(fan, a_fault_asks_nobody_on_the_host)
{
	struct utsname kernel;
	int end[2], asked, fd;
	pid_t pid;

	if (!is_rumpfs())
		return;
	ASSERT_EQ(0, put_text(HOST "/f", "xyz"));
	ASSERT_EQ(0, table("/k " HOST "/f reg offset=1"));
	self->fd = guard(FAN_ACCESS_PERM, HOST "/f");
	ASSERT_LE(0, self->fd);
	fd = open(MNT "/k", O_RDONLY);
	ASSERT_EQ(0, pipe(end));
	pid = fork();
	if (!pid) {
		volatile char *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE,
					  fd, 0);

		close(end[0]);
		_exit(map == MAP_FAILED || map[0] != 'y');
	}
	close(end[1]);
	asked = let_pass(self->fd, end[0]);
	EXPECT_EQ(0, wait_status(pid));
	close(end[0]);
	close(fd);
	ASSERT_EQ(0, uname(&kernel));
	if (atoi(kernel.release) < 7)
		EXPECT_EQ(0, asked);
}

/* The names told by a group that reports directory and name, as "+a -a". */
static const char *names_told(int fd)
{
	static char text[1024];
	char buf[8192] __attribute__((aligned(8)));
	struct fanotify_event_metadata *event = (void *)buf;
	size_t len = 0;
	ssize_t got;

	text[0] = '\0';
	got = read(fd, buf, sizeof(buf));
	for (; got > 0 && FAN_EVENT_OK(event, got);
	     event = FAN_EVENT_NEXT(event, got)) {
		struct fanotify_event_info_fid *fid = (void *)(event + 1);
		struct file_handle *handle = (void *)fid->handle;
		const char *sign = event->mask & FAN_CREATE	? "+"
				   : event->mask & FAN_DELETE	? "-"
				   : event->mask & FAN_MOVED_FROM ? "<"
				   : event->mask & FAN_MOVED_TO	? ">"
								: "?";

		if (fid->hdr.info_type != FAN_EVENT_INFO_TYPE_DFID_NAME)
			sign = "!";
		len += snprintf(text + len, sizeof(text) - len, "%s%s%s",
				len ? " " : "", sign,
				(char *)handle->f_handle + handle->handle_bytes);
	}
	return text;
}

FIXTURE(fan_name)
{
	int fd;
};

FIXTURE_VARIANT(fan_name)
{
	unsigned int mark;
};

FIXTURE_VARIANT_ADD(fan_name, directory) { .mark = FAN_MARK_ADD };
FIXTURE_VARIANT_ADD(fan_name, file_system) { .mark = FAN_MARK_ADD | FAN_MARK_FILESYSTEM };

FIXTURE_SETUP(fan_name)
{
	ASSERT_EQ(0, setup_mount(NULL));
	self->fd = -1;
}

FIXTURE_TEARDOWN(fan_name)
{
	close(self->fd);
	teardown_mount();
}

TEST_F(fan_name, is_told_with_its_directory)
{
	self->fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME |
				 FAN_CLOEXEC | FAN_NONBLOCK, 0);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ERR(fanotify_mark(self->fd, variant->mark,
				       FAN_CREATE | FAN_DELETE | FAN_MOVE |
				       FAN_ONDIR, AT_FDCWD, MNT)));
	ASSERT_EQ(0, put_text(FILE_A, "x"));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	EXPECT_STREQ("+a +d", names_told(self->fd));
	ASSERT_EQ(0, rename(FILE_A, FILE_B));
	EXPECT_STREQ("<a >b", names_told(self->fd));
	ASSERT_EQ(0, unlink(FILE_B));
	ASSERT_EQ(0, rmdir(DIR_D));
	EXPECT_STREQ("-b -d", names_told(self->fd));
}

TEST_HARNESS_MAIN
