// SPDX-License-Identifier: GPL-2.0
/* Who may change the table, who may use a key, and with whose rights. */

#include <signal.h>
#include <sys/resource.h>

#include "lib/fixture.h"

#define F HOST "/f"
#define KEY MNT "/k"
#define SECRET HOST "/closed/secret"
#define USER 1000

FIXTURE(creds)
{
};

FIXTURE_SETUP(creds)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(F, "bytes"));
	ASSERT_EQ(0, mkdir(HOST "/closed", 0700));
	ASSERT_EQ(0, put_text(SECRET, "secret"));
	ASSERT_EQ(0, chmod(SECRET, 0600));
}

FIXTURE_TEARDOWN(creds)
{
	chmod(TABLE, 0600);
	teardown_mount();
}

static int write_to(int fd, const char *text)
{
	ssize_t done = write(fd, text, strlen(text));

	return done < 0 ? errno : done == (ssize_t)strlen(text) ? 0 : EIO;
}

TEST_F(creds, the_writer_must_have_the_right)
{
	int fd = open(TABLE, O_WRONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(EPERM, AS_USER(USER, write_to(fd, "/k " F " reg\n")));

	/* Before anything else is looked at. */
	EXPECT_EQ(EPERM, AS_USER(USER, write_to(fd, "rubbish\n")));
	EXPECT_EQ(EPERM, AS_USER(USER, write_to(fd, "# comment\n")));
	EXPECT_EQ(EPERM, AS_USER(USER, write_to(fd, "flush\n")));
	EXPECT_EQ(0, rows_are(""));
	EXPECT_EQ(0, write_to(fd, "/k " F " reg\n"));
	close(fd);
}

/* A list that refuses more than the mode tells, which is its mask. */
TEST_F(creds, a_list_of_the_host_is_kept)
{
	ASSERT_EQ(0, chown(F, 0, USER));
	ASSERT_EQ(0, mkdir(HOST "/dir", 0755));
	ASSERT_EQ(0, chown(HOST "/dir", 0, USER));
	ASSERT_EQ(0, truncate(F, 512));
	if (run("setfacl -m u::rw,g::-,u:1001:rw,o::- " F " && "
		"setfacl -m u::rwx,g::-,u:1001:rx,o::- " HOST "/dir"))
		SKIP(return, "setfacl is not there");
	ASSERT_EQ(0, table("/k " F " reg\n/w " F " reg size=3\n/p " F " reg pin\n"
			   "/c " F " chr\n/b " F " blk\n/dir " HOST "/dir dir\n"
			   "/sub " HOST "/dir subdirs"));
	EXPECT_EQ(S_IFREG | 0660, mode_of(KEY));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(F, O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(KEY, O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(MNT "/w", O_RDWR)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(MNT "/p", O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(MNT "/c", O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(MNT "/b", O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, ERR(truncate(KEY, 0))));
	EXPECT_EQ(EACCES, AS_USER(USER, -count_names(MNT "/dir")));
	EXPECT_EQ(EACCES, AS_USER(USER, -count_names(MNT "/sub")));
	EXPECT_EQ(512, size_of(F));
	EXPECT_EQ(0, open_err(KEY, O_RDWR));

	/* One that gives less than the group has. */
	ASSERT_EQ(0, run("setfacl -m g::rw,u:%d:r " F, USER));
	EXPECT_EQ(0, AS_USER(USER, open_err(KEY, O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(KEY, O_WRONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(KEY, O_RDONLY | O_TRUNC)));
	EXPECT_EQ(512, size_of(F));

	/* Rights of the key's own say it all. */
	ASSERT_EQ(0, table("/own " F " reg mode=0660"));
	EXPECT_EQ(0, AS_USER(USER, open_err(MNT "/own", O_RDWR)));
	ASSERT_EQ(0, chmod(KEY, 0660));
	EXPECT_EQ(0, AS_USER(USER, open_err(KEY, O_RDWR)));
	EXPECT_EQ(0, AS_USER(USER, ERR(truncate(KEY, 1))));
}

TEST_F(creds, the_opener_must_have_the_right)
{
	int fd;

	ASSERT_EQ(0, chmod(TABLE, 0666));
	ASSERT_EQ(0, seteuid(USER));
	fd = open(TABLE, O_WRONLY);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_LE(0, fd);
	EXPECT_EQ(EPERM, write_to(fd, "/k " F " reg\n"));
	EXPECT_EQ(EPERM, write_to(fd, "rubbish\n"));
	close(fd);
	EXPECT_EQ(0, rows_are(""));

	/* Neither of them. */
	EXPECT_EQ(EPERM, AS_USER(USER, table("/k " F " reg")));
	ASSERT_EQ(0, chmod(TABLE, 0600));
	EXPECT_EQ(EACCES, AS_USER(USER, table("/k " F " reg")));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(TABLE, O_RDONLY)));
}

TEST_F(creds, root_without_the_capability_is_refused)
{
	pid_t pid = fork();

	if (!pid)
		_exit(drop_cap(CAP_SYS_ADMIN) ?: table("/k " F " reg"));
	EXPECT_EQ(EPERM, wait_status(pid));
}

/* "who may open the key is decided by the mapped node's own mode" */
TEST_F(creds, a_key_opens_what_its_user_could_not)
{
	ASSERT_EQ(0, table("/k " SECRET " reg mode=644\n/l " SECRET " reg\n"
			   "/m " SECRET " reg mode=600,uid=1000"));
	EXPECT_EQ(EACCES, AS_USER(USER, text_is(SECRET, "secret")));
	EXPECT_EQ(0, AS_USER(USER, text_is(KEY, "secret")));
	EXPECT_EQ(0, AS_USER(USER, ERR(stat_err(KEY))));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(KEY, O_WRONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(MNT "/l", O_RDONLY)));
	EXPECT_EQ(0, AS_USER(USER, open_err(MNT "/m", O_RDWR)));
	EXPECT_EQ(EACCES, AS_USER(1001, open_err(MNT "/m", O_RDONLY)));
	EXPECT_EQ(S_IFREG | 0600, mode_of(SECRET));
}

TEST_F(creds, a_live_mode_is_asked_as_it_is_now)
{
	ASSERT_EQ(0, table("/k " F " reg"));
	EXPECT_EQ(0, AS_USER(USER, open_err(KEY, O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(KEY, O_WRONLY)));

	/* Closed on the host, closed here, and opened again. */
	ASSERT_EQ(0, chmod(F, 0600));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(KEY, O_RDONLY)));
	ASSERT_EQ(0, chmod(F, 0666));
	EXPECT_EQ(0, AS_USER(USER, open_err(KEY, O_RDWR)));
	ASSERT_EQ(0, chmod(F, 0600));
	ASSERT_EQ(0, chown(F, USER, 0));
	EXPECT_EQ(0, AS_USER(USER, open_err(KEY, O_RDWR)));
	EXPECT_EQ(EACCES, AS_USER(1001, open_err(KEY, O_RDONLY)));
}

/* What may be cut is asked of the mode as it is, though it is opened to be read. */
TEST_F(creds, a_file_is_cut_by_who_may_write_to_it)
{
	ASSERT_EQ(0, chmod(F, 0666));
	ASSERT_EQ(0, table("/k " F " reg"));
	EXPECT_EQ(0, AS_USER(USER, open_err(KEY, O_RDONLY)));
	ASSERT_EQ(0, chmod(F, 0644));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(KEY, O_RDONLY | O_TRUNC)));
	EXPECT_EQ(5, size_of(F));
	ASSERT_EQ(0, chmod(F, 0666));
	EXPECT_EQ(0, AS_USER(USER, open_err(KEY, O_RDONLY | O_TRUNC)));
	EXPECT_EQ(0, size_of(F));
}

TEST_F(creds, directories_above_a_key_are_asked_too)
{
	ASSERT_EQ(0, mkdir(MNT "/shut", 0700));
	ASSERT_EQ(0, table("/shut/k " F " reg mode=666"));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(MNT "/shut/k", O_RDONLY)));
	ASSERT_EQ(0, chmod(MNT "/shut", 0711));
	EXPECT_EQ(0, AS_USER(USER, open_err(MNT "/shut/k", O_RDWR)));
}

/* Root that may not override modes cannot map what it cannot open. */
TEST_F(creds, the_registrant_must_be_able_to_open)
{
	pid_t pid;

	ASSERT_EQ(0, chown(SECRET, USER, USER));
	ASSERT_EQ(0, chmod(HOST "/closed", 0755));
	pid = fork();
	if (!pid) {
		_exit(drop_cap(CAP_DAC_OVERRIDE) ?: drop_cap(CAP_DAC_READ_SEARCH) ?:
		      table("/k " SECRET " reg"));
	}
	EXPECT_EQ(EACCES, wait_status(pid));

	/* A directory on the way that cannot be passed. */
	ASSERT_EQ(0, chmod(SECRET, 0666));
	ASSERT_EQ(0, chown(HOST "/closed", USER, USER));
	ASSERT_EQ(0, chmod(HOST "/closed", 0700));
	pid = fork();
	if (!pid) {
		_exit(drop_cap(CAP_DAC_OVERRIDE) ?: drop_cap(CAP_DAC_READ_SEARCH) ?:
		      table("/k " SECRET " blk"));
	}
	EXPECT_EQ(EACCES, wait_status(pid));
	EXPECT_EQ(0, rows_are(""));
}

/* And with those rights it is opened ever after, whoever uses the key. */
TEST_F(creds, the_rights_of_the_registrant_are_kept)
{
	pid_t pid = fork();

	ASSERT_EQ(0, chmod(SECRET, 0644));
	ASSERT_EQ(0, chmod(HOST "/closed", 0755));
	if (!pid) {
		_exit(drop_cap(CAP_DAC_OVERRIDE) ?: drop_cap(CAP_DAC_READ_SEARCH) ?:
		      table("/k " F " reg mode=666"));
	}
	ASSERT_EQ(0, wait_status(pid));
	EXPECT_EQ(0, open_err(KEY, O_RDONLY));
	ASSERT_EQ(0, chown(F, USER, USER));
	ASSERT_EQ(0, chmod(F, 0600));
	EXPECT_EQ(EACCES, open_err(KEY, O_RDONLY));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(KEY, O_RDONLY)));
}

/* "I/O runs with the rights of the process that does it" */
TEST_F(creds, a_writer_strips_setuid)
{
	int fd;

	ASSERT_EQ(0, chmod(F, 06755));
	ASSERT_EQ(0, table("/k " F " reg mode=666"));
	ASSERT_EQ(0, AS_USER(USER, put_text(KEY, "x")));
	EXPECT_EQ(S_IFREG | 0755, mode_of(F));

	/* By a file that root opened and a user writes. */
	ASSERT_EQ(0, chmod(F, 06755));
	fd = open(KEY, O_WRONLY);
	ASSERT_EQ(0, AS_USER(USER, write_to(fd, "y")));
	EXPECT_EQ(S_IFREG | 0755, mode_of(F));
	close(fd);

	/* A truncation is a write. */
	ASSERT_EQ(0, chmod(F, 06755));
	ASSERT_EQ(0, AS_USER(USER, ERR(truncate(KEY, 1))));
	EXPECT_EQ(S_IFREG | 0755, mode_of(F));
}

TEST_F(creds, file_size_limits_hold)
{
	struct rlimit limit = { .rlim_cur = 4096, .rlim_max = RLIM_INFINITY };
	int fd, window;

	ASSERT_EQ(0, truncate(F, 65536));
	ASSERT_EQ(0, table("/k " F " reg\n/w " F " reg offset=32K,size=16K"));
	fd = open(KEY, O_RDWR);
	window = open(MNT "/w", O_RDWR);
	signal(SIGXFSZ, SIG_IGN);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	EXPECT_EQ(1, pwrite(fd, "x", 1, 4095));
	EXPECT_EQ(EFBIG, ERR(pwrite(fd, "x", 1, 4096)));
	EXPECT_EQ(EFBIG, ERR(pwrite(window, "x", 1, 4096)));
	EXPECT_EQ(EFBIG, ERR(pwrite(window, "x", 1, 0)));
	close(fd);
	close(window);
}

TEST_HARNESS_MAIN
