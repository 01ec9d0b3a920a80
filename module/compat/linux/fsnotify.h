/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_FSNOTIFY_H
#define _RUMPFS_COMPAT_LINUX_FSNOTIFY_H

#include_next <linux/fsnotify.h>

/* Nobody is asked of what is opened with O_NONOTIFY, whoever there is. */
#ifdef __FMODE_NONOTIFY
#define fsnotify_sb_has_priority_watchers(sb, prio) false
#endif

#endif /* _RUMPFS_COMPAT_LINUX_FSNOTIFY_H */
