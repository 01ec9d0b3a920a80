/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two worlds, tmpfs and rumpfs, in which the same is done by the same dice.
 *
 *	/mnt/rump2	tmpfs, which says what is right
 *	/mnt/rump	rumpfs
 */
#ifndef SELFTESTS_TWIN_H
#define SELFTESTS_TWIN_H

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "dice.h"
#include "fixture.h"

#define NR_SLOTS 8
#define NR_MAPS 4
#define MAP_LEN (8 * PAGE)
#define MAX_DATA (20 * PAGE)

static inline long env_number(const char *name, long otherwise)
{
	const char *said = getenv(name);

	return said && *said ? strtol(said, NULL, 0) : otherwise;
}

/* RUMPFS_WITHOUT names what the module does not have yet. */
static inline bool has_feature(const char *name)
{
	const char *without = getenv("RUMPFS_WITHOUT");

	return !without || !strstr(without, name);
}

struct world {
	const char *root;
	int fd[NR_SLOTS];
	struct {
		char *at;
		int fd;
		off_t pos;
	} map[NR_MAPS];
};

static inline void world_init(struct world *world, const char *root)
{
	int i;

	*world = (struct world){ .root = root };
	for (i = 0; i < NR_SLOTS; i++)
		world->fd[i] = -1;
	for (i = 0; i < NR_MAPS; i++)
		world->map[i].fd = -1;
}

static inline void world_exit(struct world *world)
{
	int i;

	for (i = 0; i < NR_SLOTS; i++)
		if (world->fd[i] >= 0)
			close(world->fd[i]);
	for (i = 0; i < NR_MAPS; i++) {
		if (world->map[i].fd < 0)
			continue;
		munmap(world->map[i].at, MAP_LEN);
		close(world->map[i].fd);
	}
}

static inline const char *world_path(const struct world *world,
				     const char *path)
{
	static char room[4][4 * PAGE];
	static int next;
	char *full = room[next++ % 4];

	snprintf(full, sizeof(room[0]), "%s/%s", world->root, path);
	return full;
}

static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *bytes = data;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	return hash;
}

static inline uint64_t hash_text(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text, strlen(text) + 1);
}

static inline uint64_t hash_number(uint64_t hash, uint64_t number)
{
	return hash_bytes(hash, &number, sizeof(number));
}

/*
 * What of a stat is the same on both. Blocks are not even on two tmpfs: it may
 * forget a page that was made by a look into a hole.
 */
static inline uint64_t hash_stat(uint64_t hash, const struct stat *st)
{
	hash = hash_number(hash, st->st_mode);
	hash = hash_number(hash, st->st_uid);
	hash = hash_number(hash, st->st_gid);
	hash = hash_number(hash, st->st_nlink);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		hash = hash_number(hash, st->st_rdev);
	return hash_number(hash, st->st_size);
}

/* The contents: all of a small file, both ends of a big one. */
static inline uint64_t hash_file(uint64_t hash, const char *path, off_t size)
{
	static char data[16 * PAGE];
	int fd = open(path, O_RDONLY | O_NOATIME | O_NOFOLLOW);
	off_t pos = 0;
	ssize_t got;

	while (fd >= 0 && pos < size) {
		if (pos >= 2 * (off_t)sizeof(data) && size - pos > 4 * PAGE)
			pos = size - 4 * PAGE;
		got = pread(fd, data, sizeof(data), pos);
		if (got <= 0)
			break;
		hash = hash_bytes(hash_number(hash, pos), data, got);
		pos += got;
	}
	if (fd >= 0)
		close(fd);
	return hash;
}

static inline int by_name(const void *a, const void *b)
{
	const struct dirent *const *x = a, *const *y = b;

	return strcmp((*x)->d_name, (*y)->d_name);
}

/* The names of a directory in order, to be freed; their number, or -1. */
static inline int list_sorted(const char *path, struct dirent ***namesp)
{
	struct dirent **names = malloc(4096 * sizeof(*names)), *entry;
	DIR *stream = opendir(path);
	int n = 0;

	while (stream && n < 4096 && (entry = readdir(stream))) {
		names[n] = malloc(sizeof(*entry));
		memcpy(names[n++], entry, entry->d_reclen);
	}
	if (stream)
		closedir(stream);
	qsort(names, n, sizeof(*names), by_name);
	*namesp = names;
	return stream ? n : -1;
}

static inline void list_free(struct dirent **names, int n)
{
	while (n-- > 0)
		free(names[n]);
	free(names);
}

static inline uint64_t hash_list(uint64_t hash, const char *path)
{
	struct dirent **names;
	int i, n = list_sorted(path, &names);

	for (i = 0; i < n; i++)
		hash = hash_number(hash_text(hash, names[i]->d_name),
				   names[i]->d_type);
	list_free(names, n);
	return hash_number(hash, n);
}

static inline uint64_t hash_node(const char *path, mode_t *mode)
{
	uint64_t hash = 1;
	struct stat st;
	char target[PAGE];
	ssize_t len;

	if (lstat(path, &st))
		return 0;
	*mode = st.st_mode;
	hash = hash_stat(hash, &st);
	if (S_ISREG(st.st_mode))
		hash = hash_file(hash, path, st.st_size);
	if (S_ISLNK(st.st_mode)) {
		len = readlink(path, target, sizeof(target));
		hash = hash_bytes(hash, target, len > 0 ? len : 0);
	}
	if (S_ISDIR(st.st_mode))
		hash = hash_list(hash, path);
	return hash;
}

/* Say what of two nodes is not the same. */
static inline void explain(const char *a, const char *b)
{
	struct stat x = {}, y = {};
	char p[PAGE], q[PAGE];
	ssize_t n, m, i;
	off_t pos;

	lstat(a, &x);
	lstat(b, &y);
	printf("#   mode %o %o, uid %d %d, gid %d %d, nlink %d %d, size %lld %lld\n",
	       x.st_mode, y.st_mode, x.st_uid, y.st_uid, x.st_gid, y.st_gid,
	       (int)x.st_nlink, (int)y.st_nlink, (long long)x.st_size,
	       (long long)y.st_size);
	for (pos = 0; S_ISREG(x.st_mode) && pos < x.st_size; pos += PAGE) {
		n = get_bytes(a, p, PAGE, pos);
		m = get_bytes(b, q, PAGE, pos);
		for (i = 0; i < n && i < m && p[i] == q[i];)
			i++;
		if (i == n && n == m)
			continue;
		printf("#   byte %lld of %zd %zd: %x %x\n",
		       (long long)pos + i, n, m, p[i], q[i]);
		break;
	}
	fflush(stdout);
}

/* How many nodes below this path differ. */
static inline int trees_differ(const struct world *a, const struct world *b,
			       const char *path)
{
	char below[PAGE / 4];
	struct dirent **names;
	mode_t mode_a = 0, mode_b = 0;
	int differ = 0, i, n;

	if (hash_node(world_path(a, path), &mode_a) !=
	    hash_node(world_path(b, path), &mode_b)) {
		printf("# %s differs: %o and %o\n", path, mode_a, mode_b);
		explain(world_path(a, path), world_path(b, path));
		return 1;
	}
	if (!S_ISDIR(mode_a) || strlen(path) > 700)
		return 0;
	n = list_sorted(world_path(a, path), &names);
	for (i = 0; i < n && !differ; i++) {
		if (!strcmp(names[i]->d_name, ".") ||
		    !strcmp(names[i]->d_name, ".."))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name);
		differ += trees_differ(a, b, below);
	}
	list_free(names, n);
	return differ;
}

/* Effective ids of this thread. */
static inline void act_as(uid_t uid)
{
	syscall(__NR_setresuid, -1, 0, -1);
	syscall(__NR_setresgid, -1, uid, -1);
	if (uid)
		syscall(__NR_setresuid, -1, uid, -1);
}

static sigjmp_buf on_bus;

static inline void catch_bus(int sig)
{
	siglongjmp(on_bus, 1);
}

#endif /* SELFTESTS_TWIN_H */
