/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_DCACHE_H
#define _RUMPFS_COMPAT_LINUX_DCACHE_H

#include_next <linux/dcache.h>

/* The dentries of an inode. Context: i_lock held. */
#ifndef for_each_alias
#define for_each_alias(dentry, inode) \
	hlist_for_each_entry(dentry, &(inode)->i_dentry, d_u.d_alias)
#endif

#endif /* _RUMPFS_COMPAT_LINUX_DCACHE_H */
