/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that do different things to the same at once. */
#ifndef SELFTESTS_TOGETHER_H
#define SELFTESTS_TOGETHER_H

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * One thread goes on until the others, which count their turns, are done. A
 * thread that meets what must not be notes it in words; the first one stands.
 */
static bool stop;
static char complaint[256];

__attribute__((format(printf, 1, 2)))
static inline void complain(const char *fmt, ...)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	va_list args;

	pthread_mutex_lock(&lock);
	if (!complaint[0]) {
		va_start(args, fmt);
		vsnprintf(complaint, sizeof(complaint), fmt, args);
		va_end(args);
	}
	pthread_mutex_unlock(&lock);
}

static inline bool going_on(void)
{
	return !__atomic_load_n(&stop, __ATOMIC_ACQUIRE);
}

/* Run the workers to their end, and the watchers as long as they do. */
static inline void together(void *(**workers)(void *), int nr_workers,
			    void *(**watchers)(void *), int nr_watchers)
{
	pthread_t threads[16];
	long i;

	for (i = 0; i < nr_watchers; i++)
		pthread_create(&threads[i], NULL, watchers[i], (void *)i);
	for (i = 0; i < nr_workers; i++)
		pthread_create(&threads[nr_watchers + i], NULL, workers[i],
			       (void *)i);
	for (i = 0; i < nr_workers; i++)
		pthread_join(threads[nr_watchers + i], NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < nr_watchers; i++)
		pthread_join(threads[i], NULL);
}

/* Numbers that are the same each time. */
static inline unsigned int next(unsigned int *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

#endif /* SELFTESTS_TOGETHER_H */
