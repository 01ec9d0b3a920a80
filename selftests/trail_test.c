// SPDX-License-Identifier: GPL-2.0
/*
 * A key that is bound by its path shows what that leads to, though its host file
 * is kept open: each change of the way is seen by the next who opens it.
 */

#include <linux/capability.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "lib/fixture.h"
#include "lib/together.h"

#define D HOST "/disk"
#define KEY MNT "/k"

FIXTURE(trail)
{
	bool init_is_there;
};

FIXTURE_VARIANT(trail)
{
	const char *kind;
	const char *path;	/* of the host file, from D */
	bool is_plain;		/* a registrant without rights over modes */
	bool is_init;		/* its root is that of the init process */
};

FIXTURE_VARIANT_ADD(trail, tmpfs) { .kind = "tmpfs", .path = "/a/b/f" };
FIXTURE_VARIANT_ADD(trail, ext4) { .kind = "ext4", .path = "/a/b/f" };
FIXTURE_VARIANT_ADD(trail, xfs) { .kind = "xfs", .path = "/a/b/f" };
FIXTURE_VARIANT_ADD(trail, plain) {
	.kind = "tmpfs", .path = "/a/b/f", .is_plain = true };
FIXTURE_VARIANT_ADD(trail, plain_on_ext4) {
	.kind = "ext4", .path = "/a/b/f", .is_plain = true };
FIXTURE_VARIANT_ADD(trail, slashes) { .kind = "tmpfs", .path = "//a///b/f" };
FIXTURE_VARIANT_ADD(trail, dot) { .kind = "tmpfs", .path = "/a/./b/f" };
FIXTURE_VARIANT_ADD(trail, dots) { .kind = "tmpfs", .path = "/a/b/../b/f" };
FIXTURE_VARIANT_ADD(trail, link) { .kind = "tmpfs", .path = "/l/b/f" };
FIXTURE_VARIANT_ADD(trail, from_init) {
	.kind = "tmpfs", .path = "/a/b/f", .is_init = true };

#ifdef __x86_64__
/* Stop the init process where it waits in a system call, whose two bytes it passed. */
static int stop_init(struct user_regs_struct *regs)
{
	int status;

	if (ptrace(PTRACE_SEIZE, 1, 0, 0))
		return errno;
	if (ptrace(PTRACE_INTERRUPT, 1, 0, 0) || waitpid(1, &status, 0) != 1 ||
	    ptrace(PTRACE_GETREGS, 1, 0, regs))
		return errno;
	if ((ptrace(PTRACE_PEEKTEXT, 1, regs->rip - 2, 0) & 0xffff) == 0x050f &&
	    (long)regs->orig_rax >= 0)
		return 0;
	ptrace(PTRACE_DETACH, 1, 0, 0);
	return EAGAIN;
}

static bool init_is_stopped(struct user_regs_struct *regs, int *err)
{
	*err = stop_init(regs);
	return *err != EAGAIN;
}

static int poke(unsigned long at, const char *text)
{
	size_t i;
	long word;

	for (i = 0; i <= strlen(text); i += sizeof(word)) {
		word = 0;
		memcpy(&word, text + i, strnlen(text + i, sizeof(word)));
		if (ptrace(PTRACE_POKEDATA, 1, at + i, word))
			return errno;
	}
	return 0;
}

/* Have the init process call chroot(2). Return: 0, or an errno. */
static int chroot_init(const char *path)
{
	struct user_regs_struct regs, call;
	int status, err;

	err = EAGAIN;
	if (!WAIT_FOR(init_is_stopped(&regs, &err)) || err)
		return err;
	call = regs;
	call.rip -= 2;
	call.rax = __NR_chroot;
	call.orig_rax = -1;
	call.rdi = regs.rsp - 1024;
	err = poke(call.rdi, path);
	if (err || ptrace(PTRACE_SETREGS, 1, 0, &call))
		return err ?: errno;
	do {
		if (ptrace(PTRACE_SINGLESTEP, 1, 0, 0) ||
		    waitpid(1, &status, 0) != 1)
			return errno;
	} while (WSTOPSIG(status) != SIGTRAP);
	if (ptrace(PTRACE_GETREGS, 1, 0, &call) ||
	    ptrace(PTRACE_SETREGS, 1, 0, &regs) ||
	    ptrace(PTRACE_DETACH, 1, 0, 0))
		return errno;
	return -(int)call.rax;
}
#else
static int chroot_init(const char *path)
{
	return ENOSYS;
}
#endif

static int bring_init_here(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root" D, getpid());
	return chroot_init(path);
}

/* What does the key show? The second time of a file that was kept, then so on. */
#define SHOWS(text) do {				\
	EXPECT_EQ(0, text_is(KEY, text));		\
	EXPECT_EQ(0, text_is(KEY, text));		\
	EXPECT_EQ(0, text_is(KEY, text));		\
	EXPECT_EQ(0, text_is(KEY, text));		\
} while (0)

static int make_way(void)
{
	return ERR(mkdir(D "/a", 0755)) ?: ERR(mkdir(D "/a/b", 0755)) ?:
	       ERR(mkdir(D "/other", 0755)) ?: ERR(mkdir(D "/other/b", 0755)) ?:
	       ERR(symlink("a", D "/l")) ?: put_text(D "/a/b/f", "first") ?:
	       put_text(D "/other/b/f", "second");
}

static int add_key(const char *path, bool is_plain)
{
	char line[128];

	snprintf(line, sizeof(line), "/k %s reg\n", path);
	if (is_plain && (drop_cap(CAP_DAC_OVERRIDE) ||
			 drop_cap(CAP_DAC_READ_SEARCH)))
		return EPERM;
	return table_write_from(D, line);
}

FIXTURE_SETUP(trail)
{
	ASSERT_EQ(0, setup_mount(NULL));
	if (mount_kind(variant->kind, D)) {
		ASSERT_STREQ("xfs", variant->kind);
		SKIP(return, "no xfs");
	}
	ASSERT_EQ(0, make_way());
	if (variant->is_init) {
		ASSERT_EQ(0, bring_init_here());
		self->init_is_there = true;
	}
	ASSERT_EQ(0, IN_CHILD(add_key(variant->path, variant->is_plain)));
	SHOWS("first");
}

FIXTURE_TEARDOWN(trail)
{
	/* Where it works. */
	if (self->init_is_there)
		EXPECT_EQ(0, chroot_init("."));
	EXPECT_STREQ("", complaint);
	teardown_mount();
}

TEST_F(trail, a_file_that_is_replaced)
{
	ASSERT_EQ(0, put_text(D "/a/b/new", "renamed"));
	ASSERT_EQ(0, ERR(rename(D "/a/b/new", D "/a/b/f")));
	SHOWS("renamed");
	ASSERT_EQ(0, ERR(unlink(D "/a/b/f")));
	EXPECT_EQ(ENOENT, open_err(KEY, O_RDONLY));
	EXPECT_EQ(ENOENT, open_err(KEY, O_RDONLY));
	ASSERT_EQ(0, put_text(D "/a/b/f", "made anew"));
	SHOWS("made anew");
	ASSERT_EQ(0, ERR(rename(D "/a/b/f", D "/a/b/away")));
	EXPECT_EQ(ENOENT, open_err(KEY, O_RDONLY));
	ASSERT_EQ(0, ERR(rename(D "/a/b/away", D "/a/b/f")));
	SHOWS("made anew");
	/* By one of its own names. */
	ASSERT_EQ(0, ERR(link(D "/a/b/f", D "/a/b/g")));
	ASSERT_EQ(0, ERR(unlink(D "/a/b/f")));
	EXPECT_EQ(ENOENT, open_err(KEY, O_RDONLY));
	ASSERT_EQ(0, ERR(symlink("g", D "/a/b/f")));
	SHOWS("made anew");
	ASSERT_EQ(0, put_text(D "/a/b/new", "another"));
	ASSERT_EQ(0, ERR(rename(D "/a/b/new", D "/a/b/g")));
	SHOWS("another");
}

/* Dentries count what happens to them: of these, once for one as for the other. */
TEST_F(trail, a_file_that_becomes_a_link)
{
	ASSERT_EQ(0, ERR(rename(D "/other/b/f", D "/other/b/x")));
	ASSERT_EQ(0, put_text(D "/a/b/x", "third"));
	ASSERT_EQ(0, ERR(rename(D "/a/b/x", D "/a/b/y")));
	ASSERT_EQ(0, ERR(unlink(D "/a/b/f")));
	ASSERT_EQ(0, ERR(symlink("../../other/b/x", D "/a/b/f")));
	SHOWS("second");
	ASSERT_EQ(0, ERR(unlink(D "/a/b/f")));
	ASSERT_EQ(0, ERR(symlink("y", D "/a/b/f")));
	SHOWS("third");
	ASSERT_EQ(0, ERR(unlink(D "/a/b/f")));
	ASSERT_EQ(0, ERR(symlink("../../other/b/x", D "/a/b/f")));
	SHOWS("second");
}

static int exchange(const char *a, const char *b)
{
	return ERR(renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE));
}

TEST_F(trail, directories_that_change_places)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, exchange(D "/a", D "/other"));
		SHOWS("second");
		ASSERT_EQ(0, exchange(D "/a/b", D "/other/b"));
		SHOWS("first");
		ASSERT_EQ(0, exchange(D "/a/b/f", D "/other/b/f"));
		SHOWS("second");
		ASSERT_EQ(0, exchange(D "/a/b/f", D "/other/b/f"));
		ASSERT_EQ(0, exchange(D "/a/b", D "/other/b"));
		ASSERT_EQ(0, exchange(D "/a", D "/other"));
		SHOWS("first");
	}
	ASSERT_EQ(0, ERR(rename(D "/a", D "/away")));
	EXPECT_EQ(ENOENT, open_err(KEY, O_RDONLY));
	ASSERT_EQ(0, ERR(rename(D "/other", D "/a")));
	SHOWS("second");
}

TEST_F(trail, a_link_that_leads_elsewhere)
{
	int i;

	ASSERT_EQ(0, ERR(unlink(D "/l")));
	ASSERT_EQ(0, ERR(symlink("other", D "/l")));
	SHOWS(variant->path[1] == 'l' ? "second" : "first");
	/* A directory becomes one, a link to what is as like it as can be. */
	ASSERT_EQ(0, ERR(mkdir(D "/third", 0755)));
	ASSERT_EQ(0, ERR(mkdir(D "/third/b", 0755)));
	ASSERT_EQ(0, put_text(D "/third/b/f", "third"));
	ASSERT_EQ(0, ERR(unlink(D "/l")));
	ASSERT_EQ(0, ERR(symlink("a", D "/l")));
	ASSERT_EQ(0, ERR(rename(D "/a", D "/away")));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ERR(symlink("other", D "/a")));
		SHOWS("second");
		SHOWS("second");
		ASSERT_EQ(0, ERR(unlink(D "/a")));
		ASSERT_EQ(0, ERR(symlink("third", D "/a")));
		SHOWS("third");
		SHOWS("third");
		ASSERT_EQ(0, ERR(unlink(D "/a")));
	}
	ASSERT_EQ(0, ERR(rename(D "/away", D "/a")));
	SHOWS("first");
}

TEST_F(trail, mounts_on_the_way)
{
	static const char *const ways[][2] = {
		{ D "/other/b/f", D "/a/b/f" }, { D "/other/b", D "/a/b" },
		{ D "/other", D "/a" }
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		ASSERT_EQ(0, ERR(mount(ways[i][0], ways[i][1], NULL, MS_BIND,
				       NULL)));
		SHOWS("second");
		ASSERT_EQ(0, ERR(umount(ways[i][1])));
		SHOWS("first");
	}
}

TEST_F(trail, directories_that_may_not_be_searched)
{
	const int err = variant->is_plain ? EACCES : 0;
	static const char *const dirs[] = { D, D "/a", D "/a/b" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		ASSERT_EQ(0, chmod(dirs[i], 0600));
		EXPECT_EQ(err, open_err(KEY, O_RDONLY));
		EXPECT_EQ(err, open_err(KEY, O_RDONLY));
		ASSERT_EQ(0, chmod(dirs[i], 0705));
		SHOWS("first");
		ASSERT_EQ(0, chown(dirs[i], 1000, 0));
		EXPECT_EQ(err, open_err(KEY, O_RDONLY));
		ASSERT_EQ(0, chown(dirs[i], 1000, 1000));
		SHOWS("first");
		ASSERT_EQ(0, chown(dirs[i], 0, 0));
		ASSERT_EQ(0, chmod(dirs[i], 0755));
		SHOWS("first");
		ASSERT_EQ(0, chown(dirs[i], 1000, 1000));
		SHOWS("first");
		if (run("setfacl -m u:0:-,g::rx %s", dirs[i]))
			SKIP(return, "setfacl is not there");
		EXPECT_EQ(err, open_err(KEY, O_RDONLY));
		ASSERT_EQ(0, run("setfacl -b %s", dirs[i]));
		ASSERT_EQ(0, chmod(dirs[i], 0755));
		ASSERT_EQ(0, chown(dirs[i], 0, 0));
		SHOWS("first");
	}
}

TEST_F(trail, a_path_too_long_for_it)
{
	char path[128] = D;
	int i;

	for (i = 0; i < 20; i++) {
		strcat(path, "/d");
		ASSERT_EQ(0, mkdir(path, 0755));
	}
	strcat(path, "/f");
	ASSERT_EQ(0, put_text(path, "deep"));
	ASSERT_EQ(0, table("-/k"));
	ASSERT_EQ(0, IN_CHILD(add_key(path + strlen(D), false)));
	SHOWS("deep");
	ASSERT_EQ(0, ERR(unlink(path)));
	ASSERT_EQ(0, put_text(path, "new"));
	SHOWS("new");
}

TEST_F(trail, an_init_that_goes_elsewhere)
{
	char path[64];

	if (!variant->is_init)
		return;
	ASSERT_EQ(0, mkdir(D "/root", 0755));
	ASSERT_EQ(0, mkdir(D "/root/a", 0755));
	ASSERT_EQ(0, mkdir(D "/root/a/b", 0755));
	ASSERT_EQ(0, put_text(D "/root/a/b/f", "in the new root"));
	snprintf(path, sizeof(path), "/proc/%d/root" D "/root", getpid());
	ASSERT_EQ(0, chroot_init("."));
	ASSERT_EQ(0, chroot_init(path));
	SHOWS("in the new root");
	ASSERT_EQ(0, chroot_init("."));
	ASSERT_EQ(0, bring_init_here());
	SHOWS("first");
}

static void *change_the_way(void *arg)
{
	int turn, err;

	for (turn = 0; turn < 1500; turn++) {
		switch (turn % 3) {
		case 0:
			err = exchange(D "/a", D "/other");
			break;
		case 1:
			err = exchange(D "/a/b", D "/other/b");
			break;
		default:
			err = exchange(D "/a/b/f", D "/other/b/f");
		}
		if (err)
			complain("exchange: %d", err);
	}
	return NULL;
}

static void *follow_the_way(void *arg)
{
	char buf[16];
	ssize_t n;
	int fd;

	while (going_on()) {
		fd = open(KEY, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
		if (n < 0 || (memcmp(buf, "first", n) && memcmp(buf, "second", n)))
			complain("open, read: %d, %d", fd, errno);
		close(fd);
	}
	return NULL;
}

TEST_F(trail, leads_on_while_the_way_changes)
{
	void *(*workers[])(void *) = { change_the_way };
	void *(*watchers[])(void *) = { follow_the_way, follow_the_way };

	together(workers, 1, watchers, 2);
	/* An even number of each. */
	SHOWS("first");
}

TEST_HARNESS_MAIN
