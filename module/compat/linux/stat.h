/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_STAT_H
#define _RUMPFS_COMPAT_LINUX_STAT_H

#include_next <linux/stat.h>

/* There nfsd reads the counter itself, and adds it to ctime. */
#ifndef STATX_CHANGE_COOKIE
#define STATX_CHANGE_COOKIE 0
#endif

#endif /* _RUMPFS_COMPAT_LINUX_STAT_H */
