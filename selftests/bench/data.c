// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes of one file, for each page where nothing else is said. The subject's
 * path is a mounted file system.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "bench.h"

#define SIZE (16u << 20)
#define PAGES (SIZE / PAGE)
#define RECORD 100
#define RECORDS 10000
#define SMALL_FILES 1000
#define FORKS 20

static const struct {
	const char *name;
	size_t size;
} blocks[] = { { "4K", 4096 }, { "64K", 65536 }, { "1M", 1 << 20 } };

static char *block;

static const char *metric(const char *what, const char *size)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s %s", what, size);
	return text;
}

static void write_all(int fd, size_t size)
{
	size_t at;

	for (at = 0; at < SIZE; at += size)
		must(pwrite(fd, block, size, at));
}

static void read_all(int fd, size_t size)
{
	size_t at;

	for (at = 0; at < SIZE; at += size)
		must(pread(fd, block, size, at));
}

static void sequential(const struct subject *subject, const char *name,
		       size_t size)
{
	int fd = must(open("data", O_RDWR | O_CREAT | O_EXCL, 0644));
	uint64_t start = now();

	write_all(fd, size);
	emit(metric("write new", name), subject->name, start, PAGES);
	start = now();
	write_all(fd, size);
	emit(metric("overwrite", name), subject->name, start, PAGES);
	start = now();
	read_all(fd, size);
	emit(metric("read", name), subject->name, start, PAGES);
	start = now();
	must(ftruncate(fd, 0));
	emit(metric("truncate written", name), subject->name, start, PAGES);
	close(fd);
	must(unlink("data"));
}

static void random_blocks(const struct subject *subject)
{
	int fd = file_of("data", 0, SIZE);
	uint32_t seed = 1, i;
	uint64_t start = now();

	for (i = 0; i < PAGES; i++)
		must(pread(fd, block, PAGE, next_random(&seed) % PAGES * PAGE));
	emit("random read 4K", subject->name, start, PAGES);
	start = now();
	for (i = 0; i < PAGES; i++)
		must(pwrite(fd, block, PAGE,
			    next_random(&seed) % PAGES * PAGE));
	emit("random write 4K", subject->name, start, PAGES);
	must(ftruncate(fd, 0));
	close(fd);
	must(unlink("data"));
}

static void small_records(const struct subject *subject)
{
	int fd = must(open("data", O_WRONLY | O_CREAT | O_APPEND, 0644));
	uint64_t start = now();
	unsigned int i;

	for (i = 0; i < RECORDS; i++)
		must(write(fd, block, RECORD));
	emit("append 100 bytes", subject->name, start, RECORDS);
	close(fd);
	must(unlink("data"));
}

static void small_files(const struct subject *subject)
{
	char *names = names_make("small", SMALL_FILES);
	uint64_t start = now();
	unsigned int i;
	int fd;

	for (i = 0; i < SMALL_FILES; i++) {
		fd = must(open(name_at(names, i), O_WRONLY | O_CREAT, 0644));
		must(write(fd, block, PAGE));
		close(fd);
	}
	emit("create+write 4K+close", subject->name, start, SMALL_FILES);
	start = now();
	for (i = 0; i < SMALL_FILES; i++)
		must(unlink(name_at(names, i)));
	emit("unlink a 4K file", subject->name, start, SMALL_FILES);
	free(names);
}

static char *map(int fd)
{
	return must(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 0));
}

static void touch(const struct subject *subject, const char *what,
		  volatile char *mem, bool store)
{
	uint64_t start = now();
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (store)
			mem[(size_t)i * PAGE] = 1;
		else
			(void)mem[(size_t)i * PAGE];
	emit(what, subject->name, start, PAGES);
}

static void forks(const struct subject *subject)
{
	uint64_t start = now();
	unsigned int i;
	pid_t pid;

	for (i = 0; i < FORKS; i++) {
		pid = must(fork());
		if (!pid)
			_exit(0);
		must(waitpid(pid, NULL, 0));
	}
	emit("fork+exit with 16M mapped", subject->name, start, FORKS);
}

static void mapped(const struct subject *subject)
{
	int fd = must(open("data", O_RDWR | O_CREAT | O_EXCL, 0644));
	uint64_t start;
	char *mem;

	must(ftruncate(fd, SIZE));
	mem = map(fd);
	touch(subject, "mmap write new", mem, true);
	forks(subject);
	munmap(mem, SIZE);
	/* Processes are freed later. */
	settle();
	start = now();
	must(ftruncate(fd, 0));
	emit("truncate touched", subject->name, start, PAGES);
	close(fd);

	fd = file_of("data", 0, SIZE);
	mem = map(fd);
	touch(subject, "mmap read", mem, false);
	munmap(mem, SIZE);
	mem = map(fd);
	touch(subject, "mmap write cached", mem, true);
	munmap(mem, SIZE);
	close(fd);
	must(unlink("data"));
}

void bench_data(const struct subject *subject)
{
	size_t i;

	if (!block)
		block = memory(1 << 20);
	must(chdir(subject->path));
	for (i = 0; i < ARRAY_SIZE(blocks); i++)
		sequential(subject, blocks[i].name, blocks[i].size);
	random_blocks(subject);
	small_records(subject);
	small_files(subject);
	mapped(subject);
	must(chdir("/"));
}
