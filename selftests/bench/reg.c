// SPDX-License-Identifier: GPL-2.0
/*
 * One host file by several ways. The subject's path is a directory with the
 * files "file" and "small" in it; the names of those that cannot be written end
 * in -lower.
 */
#include <sys/mman.h>

#include "bench.h"

#define SIZE (16u << 20)
#define PAGES (SIZE / PAGE)
#define SMALL_READS 3000

static const struct {
	const char *name;
	size_t size;
} blocks[] = { { "4K", 4096 }, { "64K", 65536 }, { "1M", 1 << 20 } };

static char *block;

static void metric(const struct subject *subject, const char *what,
		   const char *size, uint64_t start)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %s", what, size);
	emit(text, subject->name, start, PAGES);
}

static void blocks_of(const struct subject *subject, int fd, bool writes)
{
	uint64_t start;
	size_t i, at;

	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		start = now();
		for (at = 0; at < SIZE; at += blocks[i].size)
			must(pread(fd, block, blocks[i].size, at));
		metric(subject, "read", blocks[i].name, start);
		if (!writes)
			continue;
		start = now();
		for (at = 0; at < SIZE; at += blocks[i].size)
			must(pwrite(fd, block, blocks[i].size, at));
		metric(subject, "overwrite", blocks[i].name, start);
	}
}

static void touches(const struct subject *subject, int fd, bool writes)
{
	volatile char *mem = must(mmap(NULL, SIZE, PROT_READ, MAP_SHARED,
				       fd, 0));
	uint64_t start = now();
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		(void)mem[(size_t)i * PAGE];
	emit("mmap read", subject->name, start, PAGES);
	munmap((void *)mem, SIZE);
	if (!writes)
		return;
	mem = must(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	start = now();
	for (i = 0; i < PAGES; i++)
		mem[(size_t)i * PAGE] = 1;
	emit("mmap write cached", subject->name, start, PAGES);
	munmap((void *)mem, SIZE);
}

static void small(const struct subject *subject, const char *path)
{
	uint64_t start = now();
	struct stat st;
	unsigned int i;
	int fd;

	for (i = 0; i < SMALL_READS; i++) {
		fd = must(open(path, O_RDONLY));
		must(read(fd, block, 100));
		close(fd);
	}
	emit("open+read 100+close", subject->name, start, SMALL_READS);
	start = now();
	for (i = 0; i < SMALL_READS; i++)
		must(stat(path, &st));
	emit("stat", subject->name, start, SMALL_READS);
	fd = must(open(path, O_RDONLY));
	start = now();
	for (i = 0; i < SMALL_READS; i++)
		must(pread(fd, block, 1, 0));
	emit("pread 1 byte", subject->name, start, SMALL_READS);
	start = now();
	for (i = 0; i < SMALL_READS; i++)
		must(fstat(fd, &st));
	emit("fstat", subject->name, start, SMALL_READS);
	close(fd);
}

static bool writable(const struct subject *subject)
{
	return !strstr(subject->name, "-lower");
}

static const char *path_in(const struct subject *subject, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", subject->path, name);
	if (!block)
		block = memory(1 << 20);
	return path;
}

void bench_reg(const struct subject *subject)
{
	bool writes = writable(subject);
	int fd = must(open(path_in(subject, "file"),
			   writes ? O_RDWR : O_RDONLY));

	blocks_of(subject, fd, writes);
	touches(subject, fd, writes);
	small(subject, path_in(subject, "small"));
	close(fd);
}

void bench_reg_small(const struct subject *subject)
{
	small(subject, path_in(subject, "small"));
}

void bench_reg_direct(const struct subject *subject)
{
	bool writes = writable(subject);
	int fd = must(open(path_in(subject, "file"),
			   O_DIRECT | (writes ? O_RDWR : O_RDONLY)));

	blocks_of(subject, fd, writes);
	close(fd);
}
