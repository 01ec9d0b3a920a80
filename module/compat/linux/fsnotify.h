/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_FSNOTIFY_H
#define _RUMPFS_COMPAT_LINUX_FSNOTIFY_H

#include_next <linux/fsnotify.h>

/* Nobody is asked of what is opened with O_NONOTIFY, whoever there is. */
#ifdef __FMODE_NONOTIFY
#define fsnotify_sb_has_priority_watchers(sb, prio) false
#endif

#ifndef HAVE_SB_HAS_WATCHERS
#define fsnotify_sb_has_watchers(sb) \
	atomic_long_read(&(sb)->s_fsnotify_connectors)
#endif

#endif /* _RUMPFS_COMPAT_LINUX_FSNOTIFY_H */
