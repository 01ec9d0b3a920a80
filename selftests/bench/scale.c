// SPDX-License-Identifier: GPL-2.0
/*
 * One task and two at once, apart and together: what a call takes each of them.
 * Two that keep out of each other's way take as long as one. The subject's path
 * is a mounted file system.
 */
#include <sys/wait.h>

#include "bench.h"

#define TASKS 2
#define FILES 4000
#define PIECE (64 * 1024)
#define SIZE (16 * 1024 * 1024)
#define PASSES 4

struct task {
	unsigned int nr;
	/* all of them meet in it, or each has its own */
	bool is_shared;
	/* made before the clock runs */
	char *names, *block;
	int fd;
};

/* "create, two apart" */
static const char *metric(const char *what, unsigned int tasks, bool is_shared)
{
	static char text[32];

	snprintf(text, sizeof(text), "%s, %s", what,
		 tasks == 1 ? "one task" :
		 is_shared ? "two together" : "two apart");
	return text;
}

static void prepare(struct task *task)
{
	char name[24];

	snprintf(name, sizeof(name), "name%u-", task->nr);
	task->names = names_make(name, FILES);
	task->block = memory(PIECE);
	snprintf(name, sizeof(name), "data%u", task->is_shared ? 0 : task->nr);
	task->fd = must(open(name, O_RDWR));
	if (!task->is_shared) {
		snprintf(name, sizeof(name), "%u", task->nr);
		must(chdir(name));
	}
}

static void create(struct task *task)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		must(close(must(open(name_at(task->names, i),
				     O_CREAT | O_EXCL | O_RDWR, 0644))));
}

static void lookup(struct task *task)
{
	struct stat st;
	unsigned int i;

	for (i = 0; i < FILES; i++)
		must(stat(name_at(task->names, i), &st));
}

static void unlink_all(struct task *task)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		must(unlink(name_at(task->names, i)));
}

/* The two of one file have a half of it each. */
static off_t at(const struct task *task, off_t pos)
{
	off_t half = SIZE / TASKS;

	return task->is_shared ? pos / TASKS + task->nr * half : pos;
}

static void transfer(struct task *task, bool is_write)
{
	off_t pos;
	int i;

	for (i = 0; i < PASSES; i++)
		for (pos = 0; pos < SIZE; pos += PIECE)
			must(is_write ? pwrite(task->fd, task->block, PIECE,
					       at(task, pos)) :
					pread(task->fd, task->block, PIECE,
					      at(task, pos)));
}

static void overwrite(struct task *task)
{
	transfer(task, true);
}

static void read_all(struct task *task)
{
	transfer(task, false);
}

static void child(unsigned int nr, bool is_shared, void (*work)(struct task *),
		  int ready, int go)
{
	struct task task = { .nr = nr, .is_shared = is_shared };
	char byte = 0;

	prepare(&task);
	must(write(ready, &byte, 1));
	must(read(go, &byte, 1));
	work(&task);
	_exit(0);
}

static void run(const struct subject *subject, const char *name,
		unsigned int tasks, bool is_shared,
		void (*work)(struct task *), unsigned int count)
{
	int ready[2], go[2], status;
	char bytes[TASKS] = "";
	uint64_t start;
	unsigned int i;

	must(pipe(ready));
	must(pipe(go));
	for (i = 0; i < tasks; i++)
		if (!must(fork()))
			child(i, is_shared, work, ready[1], go[0]);
	for (i = 0; i < tasks; i++)
		must(read(ready[0], bytes, 1));
	start = now();
	must(write(go[1], bytes, tasks));
	for (i = 0; i < tasks; i++) {
		must(wait(&status));
		if (status)
			exit(1);
	}
	emit(name, subject->name, start, count);
	for (i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
	}
}

static void all(const struct subject *subject, unsigned int tasks,
		bool is_shared)
{
	static const struct {
		const char *what;
		void (*work)(struct task *task);
		unsigned int count;
	} works[] = {
		{ "create", create, FILES },
		{ "stat", lookup, FILES },
		{ "unlink", unlink_all, FILES },
		{ "write 64K", overwrite, PASSES * SIZE / PIECE },
		{ "read 64K", read_all, PASSES * SIZE / PIECE },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(works); i++)
		run(subject, metric(works[i].what, tasks, is_shared), tasks,
		    is_shared, works[i].work, works[i].count);
}

void bench_scale(const struct subject *subject)
{
	char name[8];
	unsigned int i;

	must(chdir(subject->path));
	must(mkdir("scale", 0755));
	must(chdir("scale"));
	for (i = 0; i < TASKS; i++) {
		snprintf(name, sizeof(name), "data%u", i);
		close(file_of(name, 0, SIZE));
		must(mkdir(name + 4, 0755));
	}
	all(subject, 1, false);
	all(subject, TASKS, false);
	all(subject, TASKS, true);
	for (i = 0; i < TASKS; i++) {
		snprintf(name, sizeof(name), "data%u", i);
		must(unlink(name));
		must(rmdir(name + 4));
	}
	must(chdir(subject->path));
	must(rmdir("scale"));
	must(chdir("/"));
}
