/* SPDX-License-Identifier: GPL-2.0 */
/* The table by ioctl: one call does one thing and returns 0 or an errno. */
#ifndef SELFTESTS_APPLY_H
#define SELFTESTS_APPLY_H

#include <sys/ioctl.h>

#include "../../module/uapi/rumpfs.h"
#include "fixture.h"

#define AT(ptr) ((uintptr_t)(ptr))

/* A test names what it wants otherwise; the last initializer counts. */
#pragma GCC diagnostic ignored "-Woverride-init"

/* Fields of an operation that adds, all that is not named at its default. */
#define MAP(op_, key_, host_, type_, ...)				\
	.op = RUMPFS_OP_ ## op_, .type = RUMPFS_TYPE_ ## type_,		\
	.key = AT(key_), .host = AT(host_), .host_fd = -1,		\
	.size = RUMPFS_SIZE_HOST, ## __VA_ARGS__

#define ADD(key, host, ...) \
	((struct rumpfs_op){ MAP(ADD, key, host, REG, ## __VA_ARGS__) })
#define SET(key, host, ...) \
	((struct rumpfs_op){ MAP(SET, key, host, REG, ## __VA_ARGS__) })
#define REMOVE(key_, ...)						\
	((struct rumpfs_op){ .op = RUMPFS_OP_REMOVE, .host_fd = -1,	\
			     .key = AT(key_), ## __VA_ARGS__ })
#define REMOVE_TAG(tag_, ...)						\
	((struct rumpfs_op){ .op = RUMPFS_OP_REMOVE_TAG, .host_fd = -1, \
			     .tag = AT(tag_), ## __VA_ARGS__ })
#define FLUSH(...)							\
	((struct rumpfs_op){ .op = RUMPFS_OP_FLUSH, .host_fd = -1,	\
			     ## __VA_ARGS__ })

/* What the last call of one of these said. */
static struct rumpfs_apply applied;
static char sentence[512];

static inline int apply_call(int fd, const struct rumpfs_op *ops,
			     unsigned int nr, unsigned int flags,
			     unsigned long long generation)
{
	memset(sentence, 'z', sizeof(sentence));
	applied = (struct rumpfs_apply){
		.ops = AT(ops),
		.nr_ops = nr,
		.op_size = sizeof(*ops),
		.flags = flags,
		.failed_op = 12345,
		.generation = generation,
		.message = AT(sentence),
		.message_len = sizeof(sentence),
	};
	return ERR(ioctl(fd, RUMPFS_IOC_APPLY, &applied));
}

/* Some operations, written where they are used. */
#define APPLY_FLAGS(fd, flags, ...) ({					\
	struct rumpfs_op ops_[] = { __VA_ARGS__ };			\
									\
	apply_call(fd, ops_, sizeof(ops_) / sizeof(*ops_), flags, 0); })
#define APPLY(fd, ...) APPLY_FLAGS(fd, 0, __VA_ARGS__)

static inline bool sentence_has(const char *word)
{
	bool has = !!strstr(sentence, word);

	if (!has)
		printf("# the message: %s\n", sentence);
	return has;
}

/* The message is whole, of the length that is told, and empty on success. */
static inline bool sentence_is_sound(int err)
{
	size_t len = strnlen(sentence, sizeof(sentence));

	return err ? len && len == applied.message_len &&
			     !strchr(sentence, '\n')
		   : !applied.message_len;
}

static inline struct rumpfs_list list_begin(char *buf, unsigned int len)
{
	return (struct rumpfs_list){ .buf = AT(buf), .buf_len = len };
}

/* One more piece. */
static inline int list_next(int fd, struct rumpfs_list *list, unsigned int len)
{
	list->buf_len = len;
	return ERR(ioctl(fd, RUMPFS_IOC_LIST, list));
}

/*
 * All rows, by pieces of this size that is enlarged as ERANGE asks for; to be
 * freed. Pieces that are not whole rows make it NULL.
 */
static inline char *list_rows(int fd, unsigned int piece)
{
	size_t room = 65536, len = 0;
	struct rumpfs_list list = {};
	char *text = malloc(room);
	unsigned int want = piece;
	int err;

	for (;;) {
		while (room - len < want + 1)
			text = realloc(text, room *= 2);
		list.buf = AT(text + len);
		err = list_next(fd, &list, want);
		if (err == ERANGE && list.buf_len > want) {
			want = list.buf_len;
			continue;
		}
		if (err || !list.buf_len || list.buf_len > want)
			break;
		len += list.buf_len;
		want = piece;
		err = text[len - 1] == '\n' ? 0 : EBADMSG;
		if (err)
			break;
	}
	text[len] = '\0';
	if (!err && !list.buf_len)
		return text;
	printf("# a listing ended with %s\n", strerror(err));
	free(text);
	return NULL;
}

/* 0 if a directory lists exactly these rows, EILSEQ if not. */
static inline int rows_at(int fd, const char *rows)
{
	char *text = list_rows(fd, 65536);
	int err = text && !strcmp(text, rows) ? 0 : EILSEQ;

	if (err && text)
		printf("# the rows are:\n%s", text);
	free(text);
	return err;
}

static inline unsigned long long generation_at(int fd)
{
	struct rumpfs_list list = {};
	char *room = malloc(65536);

	list.buf = AT(room);
	if (list_next(fd, &list, 65536))
		list.generation = 0;
	free(room);
	return list.generation;
}

static inline int stat_key(int fd, const char *key, struct rumpfs_stat *out)
{
	*out = (struct rumpfs_stat){ .key = AT(key) };
	return ERR(ioctl(fd, RUMPFS_IOC_STAT, out));
}

/* A path of this many bytes that begins with a slash; none is a long name. */
static inline char *long_path(char *path, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		path[i] = i % 200 ? 'a' + i / 200 % 26 : '/';
	if (path[len - 1] == '/')
		path[len - 1] = 'z';
	path[len] = '\0';
	return path;
}

#ifdef __x86_64__
#include <sys/mman.h>

/* As a 32-bit program calls. */
static inline int ioctl32(int fd, unsigned int cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80" : "=a"(ret)
		     : "a"(54), "b"(fd), "c"(cmd), "d"(arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

/* Zeroed memory that such a program can name. */
static inline void *low_memory(size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
}

static inline bool runs_32bit(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(ioctl32(-1, 0, NULL) != -EBADF);
	return !wait_status(pid);
}
#endif

#endif /* SELFTESTS_APPLY_H */
