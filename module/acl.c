// SPDX-License-Identifier: GPL-2.0
/*
 * Access control lists. The inode's own cache is where they live, so nothing
 * ever has to be read and a walk under RCU is never sent away.
 */
#include "names.h"

#include <linux/posix_acl.h>

static u64 rumpfs_acl_bytes(const struct posix_acl *acl)
{
	return acl ? struct_size(acl, a_entries, acl->a_count) : 0;
}

/* Context: i_rwsem held, or nobody else knows the inode yet. */
static int rumpfs_acl_store(struct inode *inode, struct posix_acl *acl,
			    int type)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(inode->i_sb);
	struct posix_acl *old = get_cached_acl(inode, type);
	u64 held = rumpfs_acl_bytes(old), bytes = rumpfs_acl_bytes(acl);
	int err;

	posix_acl_release(old);
	err = bytes > held ? rumpfs_charge(sbi, bytes - held) : 0;
	if (err)
		return err;
	set_cached_acl(inode, type, acl);
	if (bytes < held)
		rumpfs_uncharge(sbi, held - bytes);
	return 0;
}

int rumpfs_set_acl(struct mnt_idmap *idmap, struct dentry *dentry,
		   struct posix_acl *acl, int type)
{
	struct inode *inode = d_inode(dentry);
	umode_t mode = inode->i_mode;
	int err = 0;

	lockdep_assert_held_write(&inode->i_rwsem);
	/* A list that says no more than the mode becomes the mode. */
	if (type == ACL_TYPE_ACCESS)
		err = posix_acl_update_mode(idmap, inode, &mode, &acl);
	if (!err)
		err = rumpfs_acl_store(inode, acl, type);
	if (err)
		return err;
	inode->i_mode = mode;
	rumpfs_node_changed(inode);
	rumpfs_dir_keep(inode);
	return 0;
}

/* What the directory's default list says of a new inode. */
int rumpfs_acl_inherit(struct inode *inode, struct inode *dir)
{
	struct posix_acl *preset, *acl;
	int err;

	err = posix_acl_create(dir, &inode->i_mode, &preset, &acl);
	if (err)
		return err;
	if (preset)
		err = rumpfs_acl_store(inode, preset, ACL_TYPE_DEFAULT);
	if (acl && !err)
		err = rumpfs_acl_store(inode, acl, ACL_TYPE_ACCESS);
	posix_acl_release(preset);
	posix_acl_release(acl);
	return err;
}

/* The VFS lets go of the lists themselves. */
void rumpfs_acl_evict(struct inode *inode)
{
	u64 bytes = rumpfs_acl_bytes(inode->i_acl) +
		    rumpfs_acl_bytes(inode->i_default_acl);

	if (bytes)
		rumpfs_uncharge(RUMPFS_SB(inode->i_sb), bytes);
}
