// SPDX-License-Identifier: GPL-2.0
/*
 * A client of nfsd sees each of two changes that come at the same time.
 *
 *	same_tick SERVER CLIENT
 *
 * Two views of one directory, the second by NFS without cached attributes. The
 * clock is held back for each change, so that ctime cannot tell one from the
 * other. Where the file system makes ctime finer than that, ctime tells.
 */
#include "lib/check.h"

static struct timespec held, began;

/* Now it is as late as it was, for a tick at least. */
static int hold(void)
{
	return ERR(clock_settime(CLOCK_REALTIME, &held));
}

static void release(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	held.tv_sec += now.tv_sec - began.tv_sec;
	hold();
}

static bool is_held(const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_ctim.tv_sec == held.tv_sec &&
	       st.st_ctim.tv_nsec == held.tv_nsec;
}

/* Do it until it has the time that is held; a tick seldom comes between. */
#define HELD(path, call) ({						\
	int tries_ = 0, err_;						\
									\
	do {								\
		err_ = hold() ?: (call);				\
	} while (!err_ && !is_held(path) && ++tries_ < 100);		\
	err_; })

static int overwrite(int fd, const char *text)
{
	return pwrite(fd, text, strlen(text), 0) < 0 ? errno : 0;
}

static int contents(const char *server, const char *client)
{
	int fd = open(server, O_RDWR | O_CREAT, 0644), err;

	if (fd < 0)
		return errno;
	err = HELD(server, overwrite(fd, "one")) ?: text_is(client, "one");
	err = err ?: HELD(server, overwrite(fd, "two")) ?:
		text_is(client, "two");
	close(fd);
	return err;
}

static int modes(const char *server, const char *client)
{
	int err = HELD(server, ERR(chmod(server, 0600)));

	if (!err && mode_of(client) != (S_IFREG | 0600))
		err = EILSEQ;
	err = err ?: HELD(server, ERR(chmod(server, 0640)));
	return err ?: mode_of(client) == (S_IFREG | 0640) ? 0 : EILSEQ;
}

/* A name is gone, there and gone. */
static int remake(const char *path)
{
	unlink(path);
	return put_text(path, "");
}

static int names(const char *dir, const char *server, const char *client)
{
	int err = put_text(server, "") ?: HELD(dir, (unlink(server), 0));

	if (!err && stat_err(client) != ENOENT)
		err = ESTALE;
	err = err ?: HELD(dir, remake(server)) ?: stat_err(client);
	return err ?: HELD(dir, (unlink(server), 0)) ?:
		stat_err(client) == ENOENT ? 0 : EEXIST;
}

static int tell(const char *what, int err)
{
	if (err)
		printf("# %s: %s\n", what, strerror(err));
	return err;
}

int main(int argc, char **argv)
{
	char server[2][PAGE], client[2][PAGE];
	int i, err;

	if (argc != 3)
		return 2;
	for (i = 0; i < 2; i++) {
		snprintf(server[i], PAGE, "%s/tick%d", argv[1], i);
		snprintf(client[i], PAGE, "%s/tick%d", argv[2], i);
	}
	clock_gettime(CLOCK_REALTIME, &held);
	clock_gettime(CLOCK_MONOTONIC, &began);
	err = tell("contents", contents(server[0], client[0])) ?:
		tell("modes", modes(server[0], client[0])) ?:
		tell("names", names(argv[1], server[1], client[1]));
	release();
	return !!err;
}
