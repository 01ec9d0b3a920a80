/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_NAMEI_H
#define _RUMPFS_COMPAT_LINUX_NAMEI_H

#include_next <linux/namei.h>

/* Exported long before a header said so. */
#ifndef HAVE_VFS_PATH_LOOKUP
int vfs_path_lookup(struct dentry *dentry, struct vfsmount *mnt,
		    const char *name, unsigned int flags, struct path *path);
#endif

/*
 * start_creating() looks a name up and returns with its directory locked, also
 * if the name is there; end_creating() takes what it returned, errors too.
 */
#ifndef HAVE_START_CREATING
#include <linux/dcache.h>
#include <linux/fs.h>

static inline struct dentry *start_creating(struct mnt_idmap *idmap,
					    struct dentry *parent,
					    struct qstr *name)
{
	struct dentry *dentry;

	inode_lock_nested(d_inode(parent), I_MUTEX_PARENT);
	dentry = lookup_one(idmap, name->name, parent, name->len);
	if (IS_ERR(dentry))
		inode_unlock(d_inode(parent));
	return dentry;
}

static inline void end_creating(struct dentry *child)
{
	if (IS_ERR(child))
		return;
	inode_unlock(d_inode(child->d_parent));
	dput(child);
}

/* Checks the right to search base all the same. */
static inline struct dentry *lookup_noperm_unlocked(struct qstr *name,
						    struct dentry *base)
{
	return lookup_one_len_unlocked(name->name, base, name->len);
}
#endif

#endif /* _RUMPFS_COMPAT_LINUX_NAMEI_H */
