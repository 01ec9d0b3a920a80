/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scripts of system calls and what each must answer.
 *
 *	PLAY("mkdir d 0700",
 *	     "@1000 EACCES unlink d/f",
 *	     "is d type=dir mode=0700 nlink=2");
 *
 * A line is [@UID[:GID[,GROUP...]]] [ERRNO] CALL ARGUMENT...; without an errno
 * the call must succeed. A path may hold {N} for N letters, and ~N~PATH is PATH
 * led by slashes and dots to N bytes in all; {bad} is no address at all.
 */
#ifndef SELFTESTS_PLAY_H
#define SELFTESTS_PLAY_H

#include <sys/fsuid.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "fixture.h"

#define MAX_ARGS 12
#define MAX_LINE 16384

#define PLAY(...) \
	EXPECT_EQ(0, play((const char *const[]){ __VA_ARGS__, NULL }))

/* Words for numbers, ended by a NULL. */
struct word {
	const char *name;
	long value;
};

static const struct word errnos[] = {
	{ "EPERM", EPERM }, { "ENOENT", ENOENT }, { "ENXIO", ENXIO },
	{ "EBADF", EBADF }, { "EACCES", EACCES }, { "EFAULT", EFAULT },
	{ "EBUSY", EBUSY }, { "EEXIST", EEXIST }, { "EXDEV", EXDEV },
	{ "ENODEV", ENODEV }, { "ENOTDIR", ENOTDIR }, { "EISDIR", EISDIR },
	{ "EINVAL", EINVAL }, { "ETXTBSY", ETXTBSY }, { "EFBIG", EFBIG },
	{ "ENOSPC", ENOSPC }, { "EROFS", EROFS }, { "EMLINK", EMLINK },
	{ "ENAMETOOLONG", ENAMETOOLONG }, { "ENOTEMPTY", ENOTEMPTY },
	{ "ELOOP", ELOOP }, { "EOPNOTSUPP", EOPNOTSUPP },
	{ "EWOULDBLOCK", EWOULDBLOCK }, { "ESPIPE", ESPIPE },
	{ "EADDRINUSE", EADDRINUSE }, { }
};

#define FLAG(name) { #name, name }
static const struct word open_flags[] = {
	FLAG(O_RDONLY), FLAG(O_WRONLY), FLAG(O_RDWR), FLAG(O_CREAT),
	FLAG(O_EXCL), FLAG(O_TRUNC), FLAG(O_APPEND), FLAG(O_DIRECTORY),
	FLAG(O_NOFOLLOW), FLAG(O_PATH), FLAG(O_TMPFILE), FLAG(O_NOATIME),
	FLAG(O_NONBLOCK), FLAG(O_DIRECT), FLAG(O_SYNC), FLAG(O_ASYNC), { }
};

static const struct word types[] = {
	{ "reg", S_IFREG }, { "dir", S_IFDIR }, { "fifo", S_IFIFO },
	{ "chr", S_IFCHR }, { "blk", S_IFBLK }, { "sock", S_IFSOCK },
	{ "link", S_IFLNK }, { }
};

/* -1 if there is no such word. */
static inline long word_value(const struct word *words, const char *name)
{
	for (; words->name; words++)
		if (!strcmp(words->name, name))
			return words->value;
	return -1;
}

/* A comma list, or'ed. */
static inline int word_flags(const struct word *words, const char *list)
{
	char copy[256], *word, *rest = copy;
	int flags = 0;

	snprintf(copy, sizeof(copy), "%s", list);
	while ((word = strsep(&rest, ",")))
		flags |= word_value(words, word);
	return flags;
}

/* A path as it is meant, in a buffer that the next dozen do not touch. */
static inline const char *expand(const char *from)
{
	static char room[MAX_ARGS][MAX_LINE];
	static int next;
	char *to = room[next++ % MAX_ARGS], *end;
	size_t len = 0, n, rest;

	if (!strcmp(from, "{bad}"))
		return (const char *)16;
	if (*from == '~') {
		n = strtoul(from + 1, &end, 10);
		rest = strlen(end + 1);
		for (; len + rest < n; len++)
			to[len] = len % 2 || len + rest + 1 == n ? '/' : '.';
		from = end + 1;
	}
	for (; *from; from++) {
		if (*from != '{') {
			to[len++] = *from;
			continue;
		}
		n = strtoul(from + 1, &end, 10);
		memset(to + len, 'n', n);
		len += n;
		from = end;
	}
	to[len] = '\0';
	return to;
}

/* Open files by number, kept from line to line. */
static int slots[10];

static inline int *slot(const char *name)
{
	return &slots[atoi(name) % 10];
}

static inline long num(const char *text)
{
	return strtol(text, NULL, 0);
}

/* The calls: 0 or the errno; a line of its own if that does not say it. */
#define CALL(name) static inline int call_##name(char **a, int n)

CALL(mkdir) { return ERR(mkdir(expand(a[0]), num(a[1]))); }
CALL(rmdir) { return ERR(rmdir(expand(a[0]))); }
CALL(unlink) { return ERR(unlink(expand(a[0]))); }
CALL(link) { return ERR(link(expand(a[0]), expand(a[1]))); }
CALL(symlink) { return ERR(symlink(expand(a[0]), expand(a[1]))); }
CALL(rename) { return ERR(rename(expand(a[0]), expand(a[1]))); }
CALL(chmod) { return ERR(chmod(expand(a[0]), num(a[1]))); }
CALL(chown) { return ERR(chown(expand(a[0]), num(a[1]), num(a[2]))); }
CALL(lchown) { return ERR(lchown(expand(a[0]), num(a[1]), num(a[2]))); }
CALL(truncate) { return ERR(truncate(expand(a[0]), num(a[1]))); }
CALL(mkfifo) { return ERR(mkfifo(expand(a[0]), num(a[1]))); }
CALL(chdir) { return ERR(chdir(expand(a[0]))); }
CALL(umask) { umask(num(a[0])); return 0; }
CALL(fchmod) { return ERR(fchmod(*slot(a[0]), num(a[1]))); }
CALL(fchown) { return ERR(fchown(*slot(a[0]), num(a[1]), num(a[2]))); }
CALL(ftruncate) { return ERR(ftruncate(*slot(a[0]), num(a[1]))); }
CALL(fsync) { return ERR(fsync(*slot(a[0]))); }

CALL(mknod)
{
	mode_t type = word_value(types, a[1]);

	return ERR(mknod(expand(a[0]), type | num(a[2]),
			 n > 4 ? makedev(num(a[3]), num(a[4])) : 0));
}

CALL(rename2)
{
	return ERR(syscall(__NR_renameat2, AT_FDCWD, expand(a[0]), AT_FDCWD,
			   expand(a[1]), num(a[2])));
}

CALL(create)
{
	int fd = open(expand(a[0]), O_CREAT | O_EXCL | O_WRONLY,
		      n > 1 ? num(a[1]) : 0644);

	return fd < 0 ? errno : ERR(close(fd));
}

CALL(open)
{
	int fd = open(expand(a[0]), word_flags(open_flags, a[1]),
		      n > 2 ? num(a[2]) : 0);

	return fd < 0 ? errno : ERR(close(fd));
}

/* keep SLOT PATH FLAGS [MODE]: the file stays open under that number. */
CALL(keep)
{
	*slot(a[0]) = open(expand(a[1]), word_flags(open_flags, a[2]),
			   n > 3 ? num(a[3]) : 0);
	return *slot(a[0]) < 0 ? errno : 0;
}

CALL(close) { return ERR(close(*slot(a[0]))); }

CALL(write)
{
	const char *text = expand(a[1]);
	ssize_t done = write(*slot(a[0]), text, strlen(text));

	return done < 0 ? errno : (size_t)done == strlen(text) ? 0 : EIO;
}

CALL(read)
{
	char byte;

	return ERR(read(*slot(a[0]), &byte, 1));
}

CALL(fallocate)
{
	return ERR(fallocate(*slot(a[0]), num(a[1]), num(a[2]), num(a[3])));
}

CALL(posix_fallocate)
{
	return posix_fallocate(*slot(a[0]), num(a[1]), num(a[2]));
}

/* An O_PATH or O_TMPFILE file gets a name. */
CALL(linkfd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", *slot(a[0]));
	return ERR(linkat(AT_FDCWD, path, AT_FDCWD, expand(a[1]),
			  AT_SYMLINK_FOLLOW));
}

CALL(stat)
{
	struct stat st;

	return ERR(stat(expand(a[0]), &st));
}

CALL(lstat)
{
	struct stat st;

	return ERR(lstat(expand(a[0]), &st));
}

CALL(statfs)
{
	struct statfs st;

	return ERR(statfs(expand(a[0]), &st));
}

CALL(access)
{
	int mode = !!strchr(a[1], 'r') * R_OK | !!strchr(a[1], 'w') * W_OK |
		   !!strchr(a[1], 'x') * X_OK;

	/* With the effective ids, as they are what a line changes. */
	return ERR(faccessat(AT_FDCWD, expand(a[0]), mode, AT_EACCESS));
}

CALL(readlink)
{
	char buf[PAGE];
	ssize_t len = readlink(expand(a[0]), buf, sizeof(buf));
	const char *want = n > 1 ? expand(a[1]) : NULL;

	if (len < 0)
		return errno;
	return !want || ((size_t)len == strlen(want) &&
			 !memcmp(buf, want, len)) ? 0 : EILSEQ;
}

CALL(list)
{
	int count = count_names(expand(a[0]));

	if (count < 0)
		return -count;
	return n < 2 || count == num(a[1]) ? 0 : EILSEQ;
}

CALL(exec) { return run("exec ./%s", a[0]); }
CALL(remount) { return ERR(mount(NULL, MNT, NULL, MS_REMOUNT | num(a[0]), NULL)); }

static inline struct timespec time_of_word(const char *word)
{
	struct timespec ts = { .tv_nsec = !strcmp(word, "now")	? UTIME_NOW :
					  !strcmp(word, "omit") ? UTIME_OMIT :
					  !strcmp(word, "bad")	? 1000000000 : 0 };

	if (!ts.tv_nsec) {
		char *end;

		ts.tv_sec = strtol(word, &end, 10);
		ts.tv_nsec = *end ? num(end + 1) : 0;
	}
	return ts;
}

/* utimens PATH ATIME MTIME: now, omit, bad, or seconds[.nanoseconds] */
static inline int utimens(char **a, int flags)
{
	struct timespec ts[2] = { time_of_word(a[1]), time_of_word(a[2]) };

	return ERR(utimensat(AT_FDCWD, expand(a[0]), ts, flags));
}

CALL(utimens) { return utimens(a, 0); }
CALL(lutimens) { return utimens(a, AT_SYMLINK_NOFOLLOW); }
CALL(utimenow) { return ERR(utimensat(AT_FDCWD, expand(a[0]), NULL, 0)); }

/* Does a KEY=VALUE hold? */
static inline bool stat_has(const struct stat *st, const char *key,
			    const char *value)
{
	if (!strcmp(key, "type"))
		return (st->st_mode & S_IFMT) == word_value(types, value);
	if (!strcmp(key, "mode"))
		return (st->st_mode & 07777) == num(value);
	if (!strcmp(key, "uid"))
		return st->st_uid == num(value);
	if (!strcmp(key, "gid"))
		return st->st_gid == num(value);
	if (!strcmp(key, "nlink"))
		return st->st_nlink == num(value);
	if (!strcmp(key, "size"))
		return st->st_size == num(value);
	if (!strcmp(key, "major"))
		return major(st->st_rdev) == num(value);
	if (!strcmp(key, "minor"))
		return minor(st->st_rdev) == num(value);
	if (!strcmp(key, "atime"))
		return st->st_atim.tv_sec == num(value);
	if (!strcmp(key, "mtime"))
		return st->st_mtim.tv_sec == num(value);
	if (!strcmp(key, "mnsec"))
		return st->st_mtim.tv_nsec == num(value);
	return !strcmp(key, "same") && st->st_ino == ino_of(expand(value));
}

static inline int stat_matches(const struct stat *st, char **a, int n)
{
	int i, err = 0;

	for (i = 0; i < n; i++) {
		char key[16], value[64];

		if (sscanf(a[i], "%15[a-z]=%63s", key, value) == 2 &&
		    stat_has(st, key, value))
			continue;
		err = EILSEQ;
		printf("#   not %s: mode=%06o uid=%u gid=%u nlink=%u size=%lld\n",
		       a[i], st->st_mode, st->st_uid, st->st_gid,
		       (int)st->st_nlink, (long long)st->st_size);
	}
	return err;
}

CALL(is)
{
	struct stat st;

	return lstat(expand(a[0]), &st) ? errno :
					  stat_matches(&st, a + 1, n - 1);
}

CALL(fis)
{
	struct stat st;

	return fstat(*slot(a[0]), &st) ? errno :
					 stat_matches(&st, a + 1, n - 1);
}

/* Times as of the last line "mark". */
static struct marked {
	char path[64];
	struct stat st;
} marks[4];

static inline bool time_differs(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
}

static inline bool clock_passed(struct timespec ts)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now.tv_sec > ts.tv_sec ||
	       (now.tv_sec == ts.tv_sec && now.tv_nsec > ts.tv_nsec);
}

/* mark PATH...: remember, and let the clock go on by a tick. */
CALL(mark)
{
	struct timespec now;
	int i;

	for (i = 0; i < n; i++) {
		snprintf(marks[i].path, sizeof(marks[i].path), "%s", a[i]);
		if (lstat(a[i], &marks[i].st))
			return errno;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	return WAIT_FOR(clock_passed(now)) ? 0 : ETIMEDOUT;
}

/* moved PATH[=MARKED] LETTERS: these of a, m and c changed and no others. */
CALL(moved)
{
	const char *marked = strchr(a[0], '=');
	char letters[4] = "", *to = letters;
	struct stat st;
	size_t i;

	if (marked)
		a[0][marked++ - a[0]] = '\0';
	if (lstat(a[0], &st))
		return errno;
	for (i = 0; i < 4; i++) {
		const struct stat *old = &marks[i].st;

		if (strcmp(marks[i].path, marked ? marked : a[0]))
			continue;
		if (time_differs(st.st_atim, old->st_atim))
			*to++ = 'a';
		if (time_differs(st.st_mtim, old->st_mtim))
			*to++ = 'm';
		if (time_differs(st.st_ctim, old->st_ctim))
			*to++ = 'c';
		if (!strcmp(letters, n > 1 && strcmp(a[1], "-") ? a[1] : ""))
			return 0;
		printf("#   of %s moved '%s'\n", a[0], letters);
		return EILSEQ;
	}
	return ENOENT;
}

#define ENTRY(name, least) { #name, call_##name, least }
static const struct {
	const char *name;
	int (*call)(char **a, int n);
	int least;
} calls[] = {
	ENTRY(mkdir, 2), ENTRY(rmdir, 1), ENTRY(unlink, 1), ENTRY(link, 2),
	ENTRY(symlink, 2), ENTRY(rename, 2), ENTRY(rename2, 3),
	ENTRY(chmod, 2), ENTRY(chown, 3), ENTRY(lchown, 3),
	ENTRY(truncate, 2), ENTRY(mkfifo, 2), ENTRY(mknod, 3),
	ENTRY(chdir, 1), ENTRY(umask, 1), ENTRY(fchmod, 2),
	ENTRY(fchown, 3), ENTRY(ftruncate, 2), ENTRY(fsync, 1),
	ENTRY(create, 1), ENTRY(open, 2), ENTRY(keep, 3), ENTRY(close, 1),
	ENTRY(write, 2), ENTRY(read, 1), ENTRY(fallocate, 4),
	ENTRY(posix_fallocate, 3), ENTRY(linkfd, 2), ENTRY(stat, 1),
	ENTRY(lstat, 1), ENTRY(statfs, 1), ENTRY(access, 2),
	ENTRY(readlink, 1), ENTRY(list, 1), ENTRY(exec, 1),
	ENTRY(remount, 1), ENTRY(utimens, 3), ENTRY(lutimens, 3),
	ENTRY(utimenow, 1), ENTRY(is, 2), ENTRY(fis, 2), ENTRY(mark, 1),
	ENTRY(moved, 2),
};

/* "@1000:100,7": these effective ids and groups; NULL: root again. */
static inline int become(const char *who)
{
	gid_t groups[8] = { 0 }, gid;
	int n = 0;
	char *at;
	uid_t uid;

	if (syscall(__NR_setresuid, -1, 0, -1))
		return errno;
	uid = who ? strtoul(who + 1, &at, 10) : 0;
	gid = who ? uid : 0;
	if (who && *at == ':')
		gid = strtoul(at + 1, &at, 10);
	while (who && *at == ',' && n < 8)
		groups[n++] = strtoul(at + 1, &at, 10);
	if (syscall(__NR_setgroups, n, groups) ||
	    syscall(__NR_setresgid, -1, gid, -1) ||
	    syscall(__NR_setresuid, -1, uid, -1))
		return errno;
	return 0;
}

static inline int call_by_name(char **words, int n)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(calls[i].name, words[0]) && n > calls[i].least)
			return calls[i].call(words + 1, n - 1);
	/* No such call, or too few arguments for it. */
	return EDOM;
}

static inline const char *errno_name(int err)
{
	const struct word *word;

	for (word = errnos; word->name; word++)
		if (word->value == err)
			return word->name;
	return err ? strerror(err) : "success";
}

/* One line: whether it went as it says. */
static inline bool play_line(const char *line)
{
	char copy[1024], *words[MAX_ARGS], **word = words, *rest = copy;
	int n = 0, want = 0, got;

	snprintf(copy, sizeof(copy), "%s", line);
	while (n < MAX_ARGS && (words[n] = strsep(&rest, " ")))
		n += *words[n] != '\0';
	got = become(*word[0] == '@' ? word[0] : NULL);
	if (got)
		return false;
	if (*word[0] == '@')
		word++, n--;
	if (word_value(errnos, word[0]) >= 0) {
		want = word_value(errnos, word[0]);
		word++, n--;
	}
	got = call_by_name(word, n);
	become(NULL);
	if (got == want)
		return true;
	printf("# %s: %s\n", line, errno_name(got));
	return false;
}

/* How many lines did not go as they say. */
static inline int play(const char *const *lines)
{
	const char *const *line;
	int wrong = 0;

	for (line = lines; *line; line++) {
		if (play_line(*line))
			continue;
		printf("#   was line %zu of the script\n", line - lines + 1);
		wrong++;
	}
	return wrong;
}

/* One line for each call of a list, with the path in place of the %. */
static inline int play_each(const char *want, const char *const *list,
			    const char *path)
{
	int wrong = 0;

	for (; *list; list++) {
		const char *at = strchr(*list, '%');
		char line[1024];

		snprintf(line, sizeof(line), "%s %.*s%s%s", want,
			 (int)(at - *list), *list, path, at + 1);
		wrong += !play_line(line);
	}
	return wrong;
}

#endif /* SELFTESTS_PLAY_H */
