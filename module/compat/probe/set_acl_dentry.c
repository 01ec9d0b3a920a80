// SPDX-License-Identifier: GPL-2.0
// Are access control lists methods of a dentry, and no xattr handlers?
#include <linux/fs.h>
#include <linux/posix_acl.h>
int probe(struct mnt_idmap *idmap, struct dentry *dentry);
int probe(struct mnt_idmap *idmap, struct dentry *dentry)
{
	return posix_acl_chmod(idmap, dentry, 0);
}
