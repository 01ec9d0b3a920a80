// SPDX-License-Identifier: GPL-2.0
/*
 * The attributes of chattr(1). The node keeps them; i_flags has a copy of
 * those that the VFS enforces.
 */
#include "names.h"

#include <linux/fileattr.h>
#include <linux/stat.h>

#define RUMPFS_ATTRS \
	(FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL)
#define RUMPFS_ATTRS_INHERITED	(FS_NODUMP_FL | FS_NOATIME_FL)

/* Context: i_rwsem held, or nobody else knows the inode yet. */
static void rumpfs_attr_set(struct inode *inode, u32 attrs)
{
	unsigned int flags = 0;

	if (attrs & FS_IMMUTABLE_FL)
		flags |= S_IMMUTABLE;
	if (attrs & FS_APPEND_FL)
		flags |= S_APPEND;
	if (attrs & FS_NOATIME_FL)
		flags |= S_NOATIME;
	WRITE_ONCE(RUMPFS_NODE(inode)->attrs, attrs);
	inode_set_flags(inode, flags, S_IMMUTABLE | S_APPEND | S_NOATIME);
}

void rumpfs_attr_inherit(struct inode *inode, const struct inode *dir)
{
	u32 attrs = READ_ONCE(RUMPFS_NODE(dir)->attrs) & RUMPFS_ATTRS_INHERITED;

	if (attrs)
		rumpfs_attr_set(inode, attrs);
}

u64 rumpfs_attr_statx(u32 attrs)
{
	return (attrs & FS_IMMUTABLE_FL ? STATX_ATTR_IMMUTABLE : 0) |
	       (attrs & FS_APPEND_FL ? STATX_ATTR_APPEND : 0) |
	       (attrs & FS_NODUMP_FL ? STATX_ATTR_NODUMP : 0);
}

int rumpfs_fileattr_get(struct dentry *dentry, struct file_kattr *attr)
{
	fileattr_fill_flags(attr, READ_ONCE(RUMPFS_NODE(d_inode(dentry))->attrs));
	return 0;
}

/* The VFS has asked for the owner, and for CAP_LINUX_IMMUTABLE. */
int rumpfs_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry,
			struct file_kattr *attr)
{
	struct inode *inode = d_inode(dentry);

	lockdep_assert_held_write(&inode->i_rwsem);
	if (fileattr_has_fsx(attr) || (attr->flags & ~RUMPFS_ATTRS))
		return -EOPNOTSUPP;
	rumpfs_attr_set(inode, attr->flags);
	rumpfs_node_changed(inode);
	rumpfs_dir_keep(inode);
	return 0;
}
