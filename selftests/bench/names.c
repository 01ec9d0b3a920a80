// SPDX-License-Identifier: GPL-2.0
/*
 * Names in one directory: what each call costs as the directory grows. The
 * subject's path is a mounted file system.
 */
#include <dirent.h>

#include "bench.h"

/* "create 10k" */
static const char *metric(const char *what, unsigned int count)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s %uk", what, count / 1000);
	return text;
}

/*
 * One call on each of the names, as a metric of its own: what the one before has
 * left to be freed is not its own.
 */
#define each(what, call) do {						\
	uint64_t start_ = (settle(), now());				\
	unsigned int i;							\
									\
	for (i = 0; i < count; i++)					\
		must(call);						\
	emit(metric(what, count), subject->name, start_, count);	\
} while (0)

static int open_close(const char *name, int flags)
{
	int fd = open(name, flags, 0644);

	return fd < 0 ? fd : close(fd);
}

static int stat_name(const char *name)
{
	struct stat st;

	return stat(name, &st);
}

static int read_names(unsigned int count)
{
	DIR *dir = opendir(".");
	unsigned int seen = 0;

	while (readdir(dir))
		seen++;
	closedir(dir);
	return seen == count + 2 ? 0 : -1;
}

static void files(const struct subject *subject, unsigned int count,
		  const char *a, const char *b)
{
	unsigned int repeat = count < 10000 ? 5 : 1, r;
	uint64_t start;

	each("create", open_close(name_at(a, i), O_CREAT | O_EXCL | O_RDWR));
	each("stat", stat_name(name_at(a, i)));
	each("stat missing", stat_name(name_at(b, i)) + 1 ? -1 : 0);
	each("open+close", open_close(name_at(a, i), O_RDONLY));
	start = now();
	for (r = 0; r < repeat; r++)
		must(read_names(count));
	emit(metric("readdir", count), subject->name, start, count * repeat);
	each("rename", rename(name_at(a, i), name_at(b, i)));
	each("unlink", unlink(name_at(b, i)));
}

static void one_size(const struct subject *subject, unsigned int count)
{
	char *a = names_make("name", count), *b = names_make("other", count);

	must(chdir(subject->path));
	must(mkdir("names", 0755));
	must(chdir("names"));
	files(subject, count, a, b);
	each("mkdir", mkdir(name_at(a, i), 0755));
	each("rmdir", rmdir(name_at(a, i)));
	each("symlink", symlink("../where/it/leads", name_at(a, i)));
	each("unlink symlink", unlink(name_at(a, i)));
	must(chdir("/"));
	must(rmdir(strcat(strcpy(a, subject->path), "/names")));
	free(a);
	free(b);
}

void bench_names(const struct subject *subject)
{
	unsigned int i;

	/* So few calls differ from time to time by what the slabs have left. */
	for (i = 0; i < 7; i++)
		one_size(subject, 1000);
	/* Large directories take long and differ little from round to round. */
	if (bench_round && bench_round <= 2)
		one_size(subject, 10000);
	if (bench_round == 1)
		one_size(subject, 50000);
}
