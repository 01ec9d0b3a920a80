/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the sections of the benchmark share: subjects to compare, a clock, and
 * one line of output for each figure.
 */
#ifndef SELFTESTS_BENCH_H
#define SELFTESTS_BENCH_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../module/uapi/rumpfs.h"

#define PAGE 4096
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* One of those that do the same work: its name in the table, its path. */
struct subject {
	const char *name;
	const char *path;
};

/* The round that runs; the first warms caches and is left out. */
extern int bench_round;
extern const char *bench_section;

/* Ends the program unless a call succeeded. */
#define must(call) ({							\
	__auto_type ret_ = (call);					\
									\
	if (ret_ == (typeof(ret_))-1)					\
		die(__FILE__, __LINE__, #call);				\
	ret_; })

void __attribute__((noreturn)) die(const char *file, int line,
				   const char *what);

/* Nanoseconds; with -icount each is an instruction. */
static inline uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* One figure: what @metric costs @subject for each of @count. */
void emit(const char *metric, const char *subject, uint64_t start,
	  double count);
void emit_value(const char *metric, const char *subject, double value);

/* Names made before the clock runs: @prefix and a number. */
char *names_make(const char *prefix, unsigned int count);
#define NAME_SIZE 24
static inline const char *name_at(const char *names, unsigned int i)
{
	return names + (size_t)i * NAME_SIZE;
}

/* Lets the kernel do what it was left to do later: it is nobody else's cost. */
void settle(void);

/* Page-aligned memory that is there. */
void *memory(size_t size);

/* A file of that size, written by pieces of 64K. */
int file_of(const char *path, int flags, size_t size);

/* A number that looks random and is the same in each run. */
static inline uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Fields of an operation that maps @key. */
struct rumpfs_op key_op(const char *key, const char *host, unsigned int type,
			unsigned int flags);
/* One batch for the table of the mount at @dir. */
void apply(const char *dir, const struct rumpfs_op *ops, unsigned int count);

void bench_names(const struct subject *subject);
void bench_data(const struct subject *subject);
void bench_reg(const struct subject *subject);
void bench_reg_direct(const struct subject *subject);
void bench_reg_small(const struct subject *subject);
void bench_tables(const struct subject *subject);
void bench_memory(const struct subject *subject);
void bench_disk(const struct subject *subject);
void bench_scale(const struct subject *subject);

#endif /* SELFTESTS_BENCH_H */
