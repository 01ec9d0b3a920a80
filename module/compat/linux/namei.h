/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_NAMEI_H
#define _RUMPFS_COMPAT_LINUX_NAMEI_H

#include_next <linux/namei.h>

/* Exported long before a header said so. */
#ifndef HAVE_VFS_PATH_LOOKUP
int vfs_path_lookup(struct dentry *dentry, struct vfsmount *mnt,
		    const char *name, unsigned int flags, struct path *path);
#endif

#endif /* _RUMPFS_COMPAT_LINUX_NAMEI_H */
