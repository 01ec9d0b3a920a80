/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_POSIX_ACL_H
#define _RUMPFS_COMPAT_LINUX_POSIX_ACL_H

#include_next <linux/posix_acl.h>

#ifndef HAVE_SET_ACL_DENTRY
#define posix_acl_chmod(idmap, dentry, mode) \
	posix_acl_chmod(idmap, d_inode(dentry), mode)
#define get_inode_acl(inode, type) get_acl(inode, type)
#endif

#endif /* _RUMPFS_COMPAT_LINUX_POSIX_ACL_H */
