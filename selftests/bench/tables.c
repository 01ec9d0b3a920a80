// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of many keys, each for a host file of its own, beside as many bind
 * mounts and symlinks. The subject's path is a mounted rumpfs for rumpfs and
 * rumpfs-pin, else a folder of the same file system as the files.
 */
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "bench.h"

#define FILES 100000
/* So many are looked up in a large table. */
#define VISITS 5000

/* All names and host paths, and how many of the files are there. */
static char *names;
static char (*hosts)[40];
static unsigned int made;

static const char *metric(const char *what, unsigned int count)
{
	static char text[64];
	const char *unit = count < 1000 ? "" : "k";

	snprintf(text, sizeof(text), "%s %u%s", what,
		 count < 1000 ? count : count / 1000, unit);
	return text;
}

static void make_files(unsigned int count)
{
	if (!names) {
		names = names_make("/key", FILES);
		hosts = malloc(FILES * sizeof(*hosts));
	}
	for (; made < count; made++) {
		snprintf(hosts[made], sizeof(hosts[made]), "/h/files%s",
			 name_at(names, made));
		close(must(open(hosts[made], O_CREAT | O_WRONLY, 0644)));
	}
}

static bool is_rumpfs(const struct subject *subject)
{
	return !strncmp(subject->name, "rumpfs", 6);
}

static void add_keys(const struct subject *subject, unsigned int count)
{
	unsigned int pin = strcmp(subject->name, "rumpfs") ? RUMPFS_MAP_PIN : 0;
	struct rumpfs_op *ops = malloc(count * sizeof(*ops));
	uint64_t start;
	unsigned int i;

	for (i = 0; i < count; i++)
		ops[i] = key_op(name_at(names, i), hosts[i], RUMPFS_TYPE_REG,
				pin);
	start = now();
	apply(subject->path, ops, count);
	emit(metric("add", count), subject->name, start, count);
	free(ops);
}

static void list_keys(const struct subject *subject, unsigned int count)
{
	size_t size = 1 << 16;
	struct rumpfs_list list = { .buf = (uintptr_t)memory(size) };
	int fd = must(open(subject->path, O_RDONLY | O_DIRECTORY));
	uint64_t start = now();

	do {
		list.buf_len = size;
		must(ioctl(fd, RUMPFS_IOC_LIST, &list));
	} while (list.buf_len);
	emit(metric("list", count), subject->name, start, count);
	close(fd);
	free((void *)(uintptr_t)list.buf);
}

static void flush_keys(const struct subject *subject, unsigned int count)
{
	struct rumpfs_op op = { .op = RUMPFS_OP_FLUSH, .host_fd = -1 };
	uint64_t start = now();

	apply(subject->path, &op, 1);
	emit(metric("flush", count), subject->name, start, count);
}

static void visit(const struct subject *subject, unsigned int count,
		  const char *what)
{
	unsigned int visits = count < VISITS ? count : VISITS, i;
	unsigned int repeat = count < VISITS ? VISITS / count : 1, r;
	unsigned int step = count / visits;
	uint64_t start = now();

	/* The first look at a name happens once. */
	if (*what == 'f')
		repeat = 1;
	for (r = 0; r < repeat; r++)
		for (i = 0; i < visits; i++)
			close(must(open(name_at(names, i * step) + 1,
					O_RDONLY)));
	emit(metric(what, count), subject->name, start, visits * repeat);
}

static void visits(const struct subject *subject, unsigned int count)
{
	must(chdir(subject->path));
	visit(subject, count, "first open+close");
	visit(subject, count, "open+close");
	must(chdir("/"));
}

static void keys(const struct subject *subject, unsigned int count)
{
	add_keys(subject, count);
	visits(subject, count);
	list_keys(subject, count);
	flush_keys(subject, count);
}

static void symlinks(const struct subject *subject, unsigned int count)
{
	uint64_t start;
	unsigned int i;

	must(chdir(subject->path));
	start = now();
	for (i = 0; i < count; i++)
		must(symlink(hosts[i], name_at(names, i) + 1));
	emit(metric("add", count), subject->name, start, count);
	visits(subject, count);
	must(chdir(subject->path));
	start = now();
	for (i = 0; i < count; i++)
		must(unlink(name_at(names, i) + 1));
	emit(metric("flush", count), subject->name, start, count);
	must(chdir("/"));
}

/* Where they are mounted must exist; that is not counted. */
static void binds(const struct subject *subject, unsigned int count)
{
	uint64_t start;
	unsigned int i;

	must(chdir(subject->path));
	for (i = 0; i < count; i++)
		close(must(open(name_at(names, i) + 1, O_CREAT | O_WRONLY,
				0644)));
	start = now();
	for (i = 0; i < count; i++)
		must(mount(hosts[i], name_at(names, i) + 1, NULL, MS_BIND,
			   NULL));
	emit(metric("add", count), subject->name, start, count);
	visits(subject, count);
	must(chdir(subject->path));
	/* It waits for RCU, which no count of instructions can tell. */
	for (i = 0; i < count; i++) {
		must(umount2(name_at(names, i) + 1, MNT_DETACH));
		must(unlink(name_at(names, i) + 1));
	}
	must(chdir("/"));
}

static void one_size(const struct subject *subject, unsigned int count)
{
	make_files(count);
	settle();
	if (is_rumpfs(subject))
		keys(subject, count);
	else if (!strcmp(subject->name, "bind"))
		binds(subject, count);
	else
		symlinks(subject, count);
}

void bench_tables(const struct subject *subject)
{
	one_size(subject, 10);
	one_size(subject, 1000);
	if (bench_round != 1)
		return;
	one_size(subject, 10000);
	/* Bind mounts take the square of it. */
	if (strcmp(subject->name, "bind"))
		one_size(subject, 100000);
}
