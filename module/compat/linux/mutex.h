/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_MUTEX_H
#define _RUMPFS_COMPAT_LINUX_MUTEX_H

#include_next <linux/mutex.h>

#include <asm/current.h>

/* Does the caller hold it? No kernel tells; the owner's low bits are flags. */
static inline bool mutex_is_mine(struct mutex *lock)
{
#ifdef CONFIG_PREEMPT_RT
	return false;
#else
	return (atomic_long_read(&lock->owner) & ~7UL) ==
	       (unsigned long)current;
#endif
}

#endif /* _RUMPFS_COMPAT_LINUX_MUTEX_H */
