/* SPDX-License-Identifier: GPL-2.0 */
/* Small helpers that do one thing to a file and return 0 or an errno. */
#ifndef SELFTESTS_CHECK_H
#define SELFTESTS_CHECK_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* 0, or the errno of a call that answers -1. */
#define ERR(call) ((call) == -1 ? errno : 0)

#define PAGE 4096

/*
 * The runner makes our output unbuffered by a library that is preloaded, which
 * whatever we run has no use for: it would take twice as long to start.
 */
__attribute__((constructor)) static inline void drop_preload(void)
{
	unsetenv("LD_PRELOAD");
}

/* The errno of an open, or 0; nothing stays open. */
static inline int open_err(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		return errno;
	return ERR(close(fd));
}

static inline int stat_err(const char *path)
{
	struct stat st;

	return ERR(lstat(path, &st));
}

/* The size that stat tells, or minus the errno. */
static inline long long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : (long long)st.st_size;
}

static inline unsigned long long ino_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_ino;
}

/* The whole of st_mode, or 0 if there is no such name. */
static inline mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_mode;
}

static inline int nlink_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -errno : (int)st.st_nlink;
}

/* Make the file, or overwrite it, with these bytes and no others. */
static inline int put_bytes(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t done = 0;
	int err = 0;

	if (fd < 0)
		return errno;
	if (len) {
		done = write(fd, data, len);
		err = done < 0 ? errno : (size_t)done == len ? 0 : EIO;
	}
	if (close(fd) && !err)
		err = errno;
	return err;
}

static inline int put_text(const char *path, const char *text)
{
	return put_bytes(path, text, strlen(text));
}

/* The byte that fill() puts at a position: no period that divides a page. */
static inline unsigned char fill_byte(unsigned long long pos, unsigned int seed)
{
	return (pos * 7 + pos / 251 + pos / PAGE * 13 + seed) % 255 + 1;
}

/* Make a file whose every byte is non-zero and tells where it stands. */
static inline int fill(const char *path, size_t len, unsigned int seed)
{
	unsigned char *buf = malloc(len ? len : 1);
	size_t pos;
	int err;

	if (!buf)
		return ENOMEM;
	for (pos = 0; pos < len; pos++)
		buf[pos] = fill_byte(pos, seed);
	err = put_bytes(path, buf, len);
	free(buf);
	return err;
}

/* Where the buffer first differs from what fill() put at @pos, or -1. */
static inline long fill_differs(const void *data, size_t len,
				unsigned long long pos, unsigned int seed)
{
	const unsigned char *bytes = data;
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i] != fill_byte(pos + i, seed))
			return i;
	return -1;
}

/* Where the buffer first differs from one repeated byte, or -1. */
static inline long byte_differs(const void *data, size_t len,
				unsigned char byte)
{
	const unsigned char *bytes = data;
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i] != byte)
			return i;
	return -1;
}

/* Read from @pos until @len bytes or the end; the count, or minus the errno. */
static inline ssize_t get_bytes(const char *path, void *buf, size_t len,
				off_t pos)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 0, done;

	if (fd < 0)
		return -errno;
	while ((size_t)got < len) {
		done = pread(fd, (char *)buf + got, len - got, pos + got);
		if (done < 0) {
			got = -errno;
			break;
		}
		if (!done)
			break;
		got += done;
	}
	close(fd);
	return got;
}

/* 0 if the file holds exactly this text, EILSEQ if not, else the errno. */
static inline int text_is(const char *path, const char *text)
{
	size_t len = strlen(text);
	char *buf = malloc(len + 1);
	ssize_t got;
	int err;

	if (!buf)
		return ENOMEM;
	got = get_bytes(path, buf, len + 1, 0);
	err = got < 0					      ? -got
	      : (size_t)got == len && !memcmp(buf, text, len) ? 0
							      : EILSEQ;
	free(buf);
	return err;
}

/*
 * 0 if all of [pos, pos + len) is what fill() put @base bytes further on, EILSEQ
 * if not. A window's base is its offset in the host file.
 */
static inline int fill_is(const char *path, off_t pos, size_t len, off_t base,
			  unsigned int seed)
{
	char *buf = malloc(len ? len : 1);
	ssize_t got;
	int err;

	if (!buf)
		return ENOMEM;
	got = get_bytes(path, buf, len, pos);
	err = got < 0 ? -got : EILSEQ;
	if (got == (ssize_t)len &&
	    fill_differs(buf, len, base + pos, seed) == -1)
		err = 0;
	free(buf);
	return err;
}

/* How many times a directory lists the name, or minus the errno. */
static inline int listed(const char *dir, const char *name)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	int n = 0;

	if (!stream)
		return -errno;
	while ((entry = readdir(stream)))
		n += !strcmp(entry->d_name, name);
	closedir(stream);
	return n;
}

/* The d_type of a name that is listed once, -1 if it is not, -2 if twice. */
static inline int listed_type(const char *dir, const char *name, ino_t *ino)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	int type = -1;

	if (!stream)
		return -errno - 1000;
	while ((entry = readdir(stream))) {
		if (strcmp(entry->d_name, name))
			continue;
		type = type == -1 ? entry->d_type : -2;
		if (ino)
			*ino = entry->d_ino;
	}
	closedir(stream);
	return type;
}

/* How many names a directory lists beside . and .., or minus the errno. */
static inline int count_names(const char *dir)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	int n = 0;

	if (!stream)
		return -errno;
	while ((entry = readdir(stream)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(stream);
	return n;
}

/* The exit status of a child, or 128 plus the signal that ended it. */
static inline int wait_status(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run a shell command quietly; its exit status. */
__attribute__((format(printf, 1, 2)))
static inline int run(const char *fmt, ...)
{
	char cmd[4096];
	va_list args;
	pid_t pid;
	int fd;

	va_start(args, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, args);
	va_end(args);
	pid = fork();
	if (pid)
		return pid < 0 ? -1 : wait_status(pid);
	fd = open("/dev/null", O_RDWR);
	dup2(fd, 0);
	dup2(fd, 1);
	if (!getenv("VERBOSE"))
		dup2(fd, 2);
	execl("/bin/sh", "sh", "-c", cmd, NULL);
	_exit(127);
}

static inline long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/*
 * Ask again until the condition holds, for at most ten seconds. For what the
 * kernel finishes on its own (udev-less device nodes, a last deferred fput).
 */
#define WAIT_FOR(condition) ({						\
	long long deadline_ = now_ms() + 10000;				\
	bool holds_;							\
									\
	for (int turn_ = 0; !(holds_ = (condition)) &&			\
	     now_ms() < deadline_; turn_++)				\
		turn_ < 100 ? sched_yield() : usleep(1000);		\
	holds_; })

/*
 * Does this kernel look at each access? Then all takes ten times as long. Only
 * root can tell; asked for the first time while we are.
 */
static inline bool is_sanitized(void)
{
	static int is = -1;

	if (is < 0)
		is = !access("/sys/kernel/debug/kmemleak", F_OK);
	return is;
}

/* What is done over and over is done less often there. */
static inline int turns(int nr)
{
	return is_sanitized() ? (nr + 9) / 10 : nr;
}

/* 1 if the file ever has this text, so long as it is looked at. */
static inline int never_read(const char *path, const char *text, int ms)
{
	long long end = now_ms() + ms;

	while (now_ms() < end)
		if (!text_is(path, text))
			return 1;
	return 0;
}

/* What lasts where it is done side by side. */
static inline int half(int nr)
{
	return is_sanitized() ? nr / 2 : nr;
}

/* Of a thread, as in /proc/PID/stat: R, S asleep, D no signal wakes it, ... */
static inline char state_of(pid_t tid)
{
	char path[64], text[512], *state;
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	got = get_bytes(path, text, sizeof(text) - 1, 0);
	text[got < 0 ? 0 : got] = '\0';
	state = strrchr(text, ')');
	return state ? state[2] : 0;
}

/* A child that does this and ends. */
static inline pid_t start(void (*what)(void))
{
	pid_t pid = fork();

	if (!pid) {
		what();
		_exit(0);
	}
	return pid;
}

#endif /* SELFTESTS_CHECK_H */
