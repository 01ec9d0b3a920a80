/* SPDX-License-Identifier: GPL-2.0 */
/* Whiteouts by ioctl. */
#ifndef SELFTESTS_WHITEOUT_H
#define SELFTESTS_WHITEOUT_H

#include <sys/ioctl.h>

#include "../../module/uapi/rumpfs.h"
#include "fixture.h"

/* One RUMPFS_IOC_WHITEOUT: 0 or the errno. */
static inline int white(const char *dir, __u32 op, const char *name)
{
	struct rumpfs_whiteout arg = { .name = (uintptr_t)name, .op = op };
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0)
		return errno;
	err = ERR(ioctl(fd, RUMPFS_IOC_WHITEOUT, &arg));
	close(fd);
	return err;
}

static inline int white_make(const char *dir, const char *name)
{
	return white(dir, RUMPFS_WHITEOUT_CREATE, name);
}

static inline int white_drop(const char *dir, const char *name)
{
	return white(dir, RUMPFS_WHITEOUT_DELETE, name);
}

static inline int white_find(const char *dir, const char *name)
{
	return white(dir, RUMPFS_WHITEOUT_LOOKUP, name);
}

#endif /* SELFTESTS_WHITEOUT_H */
