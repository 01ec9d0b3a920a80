/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_DCACHE_H
#define _RUMPFS_COMPAT_LINUX_DCACHE_H

#include_next <linux/dcache.h>

/* The dentries of an inode. Context: i_lock held. */
#ifndef for_each_alias
#define for_each_alias(dentry, inode) \
	hlist_for_each_entry(dentry, &(inode)->i_dentry, d_u.d_alias)
#endif

/* Context: d_lock of the parent held. */
#ifndef HAVE_D_CHILDREN
static inline struct dentry *d_first_child(const struct dentry *dentry)
{
	return list_empty(&dentry->d_subdirs) ? NULL :
		list_entry(dentry->d_subdirs.next, struct dentry, d_child);
}

static inline struct dentry *d_next_sibling(const struct dentry *dentry)
{
	return list_is_last(&dentry->d_child, &dentry->d_parent->d_subdirs) ?
		NULL : list_entry(dentry->d_child.next, struct dentry, d_child);
}
#endif

#endif /* _RUMPFS_COMPAT_LINUX_DCACHE_H */
