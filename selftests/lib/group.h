/* SPDX-License-Identifier: GPL-2.0 */
/* A memory cgroup for one test. */
#ifndef SELFTESTS_GROUP_H
#define SELFTESTS_GROUP_H

#include "fixture.h"

#define CGROUPS "/sys/fs/cgroup"
#define GROUP CGROUPS "/rumpfs-test"

/* Return: an errno where there is no cgroup2 with memory. */
static inline int make_group(void)
{
	rmdir(GROUP);
	put_text(CGROUPS "/cgroup.subtree_control", "+memory\n");
	if (mkdir(GROUP, 0755))
		return errno;
	return stat_err(GROUP "/memory.current");
}

static inline void remove_group(void)
{
	WAIT_FOR(!rmdir(GROUP) || errno == ENOENT);
}

/* This process, as itself in the child of a test. */
static inline int enter_group(void)
{
	return put_text(GROUP "/cgroup.procs", "0\n");
}

static inline int leave_group(void)
{
	return put_text(CGROUPS "/cgroup.procs", "0\n");
}

/* A figure of the group; -1 if there is none. */
static inline long long figure(const char *file, const char *word)
{
	char path[256], *text, *at;
	long long n = -1;

	snprintf(path, sizeof(path), GROUP "/%s", file);
	text = slurp(path, 4096, NULL);
	at = text && *word ? strstr(text, word) : text;
	if (at)
		n = atoll(at + strlen(word));
	free(text);
	return n;
}

/* Run in a child that is in the group; its exit status, or its signal. */
#define IN_GROUP(statement) ({						\
	pid_t pid_ = fork();						\
									\
	if (!pid_) {							\
		if (enter_group())					\
			_exit(255);					\
		_exit(statement);					\
	}								\
	pid_ < 0 ? -1 : wait_status(pid_); })

#endif /* SELFTESTS_GROUP_H */
