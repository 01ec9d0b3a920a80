// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes of slab that a name of each kind takes. The subject's path is a mounted
 * file system.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "bench.h"

#define COUNT 20000
/* Go into what others have left free. */
#define FILLERS 4000

static double slab(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long kilobytes;
	char line[128];
	double bytes = -1;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Slab: %llu", &kilobytes) == 1)
			bytes = kilobytes * 1024.;
	if (bytes < 0)
		die(__FILE__, __LINE__, "/proc/meminfo");
	fclose(file);
	return bytes;
}

/* What was freed is gone, and what could be is. */
static void reclaim(void)
{
	unsigned int i;
	int fd;

	for (i = 0; i < 4; i++) {
		must(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
		fd = must(open("/proc/sys/vm/drop_caches", O_WRONLY));
		must(write(fd, "2", 1));
		close(fd);
	}
}

static void empty(const char *name)
{
	close(must(open(name, O_CREAT | O_WRONLY, 0644)));
}

static void one_page(const char *name)
{
	static char page[PAGE];
	int fd = must(open(name, O_CREAT | O_WRONLY, 0644));

	must(write(fd, page, sizeof(page)));
	close(fd);
}

static void directory(const char *name)
{
	must(mkdir(name, 0755));
}

static void link_to(const char *name)
{
	must(symlink("../where/it/leads", name));
}

static void measure(const struct subject *subject, const char *what,
		    void (*make)(const char *name))
{
	char *names = names_make("name", FILLERS + COUNT);
	unsigned int i;
	double before;

	settle();
	reclaim();
	for (i = 0; i < FILLERS; i++)
		make(name_at(names, i));
	before = slab();
	for (; i < FILLERS + COUNT; i++)
		make(name_at(names, i));
	emit_value(what, subject->name, (slab() - before) / COUNT);
	for (i = 0; i < FILLERS + COUNT; i++)
		must(remove(name_at(names, i)));
	free(names);
}

/* All for one host file: what that takes is not counted. */
static void measure_keys(const struct subject *subject, const char *what,
			 unsigned int flags)
{
	struct rumpfs_op *ops = malloc(COUNT * sizeof(*ops));
	struct rumpfs_op flush = { .op = RUMPFS_OP_FLUSH, .host_fd = -1 };
	char *names = names_make("/name", COUNT);
	unsigned int i;
	double before;

	empty("/file");
	for (i = 0; i < COUNT; i++)
		ops[i] = key_op(name_at(names, i), "/file", RUMPFS_TYPE_REG,
				flags);
	settle();
	reclaim();
	before = slab();
	apply(subject->path, ops, COUNT);
	emit_value(what, subject->name, (slab() - before) / COUNT);
	apply(subject->path, &flush, 1);
	free(names);
	free(ops);
}

void bench_memory(const struct subject *subject)
{
	/* Bytes need no warming up, and differ little from round to round. */
	if (bench_round != 1)
		return;
	must(chdir(subject->path));
	measure(subject, "empty file", empty);
	measure(subject, "file of one page", one_page);
	measure(subject, "directory", directory);
	measure(subject, "symlink", link_to);
	must(chdir("/"));
	if (strcmp(subject->name, "rumpfs"))
		return;
	measure_keys(subject, "key", 0);
	measure_keys(subject, "key with pin", RUMPFS_MAP_PIN);
}
