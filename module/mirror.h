/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the kinds dir and subdirs share; see mirror.c. */
#ifndef _RUMPFS_MIRROR_H
#define _RUMPFS_MIRROR_H

#include "rumpfs.h"

#include <linux/slab.h>

/* The key's own node, or one below it? */
static inline bool etfs_mirror_is_top(const struct inode *inode)
{
	return !RUMPFS_NODE(inode)->is_mirrored;
}

/* Does this directory exist for the keys below it alone? */
static inline bool etfs_mirror_is_implied(struct inode *inode)
{
	return RUMPFS_NODE(inode)->is_mirrored &&
	       !RUMPFS_MIRRORED(inode)->host.dev;
}

/* In mirror.c */
/*
 * Where a name below a mapped directory is, from that on; "" for the directory.
 * dentry may be in lookup, dir is its parent then. Paths that do not fit the
 * room have memory of their own, so etfs_rel_put() is always due.
 */
struct etfs_rel {
	const char *path;
	char *memory;
	char room[128];
};

int etfs_mirror_path(struct inode *dir, struct dentry *dentry,
		     struct etfs_rel *rel);
static inline void etfs_rel_put(struct etfs_rel *rel)
{
	kfree(rel->memory);
}

/* Is a host object of this type to be seen in this directory? */
bool etfs_mirror_shows(struct inode *dir, umode_t type);

/* In mirror_ino.c */
/* The inode number that a host object has here. */
u64 etfs_mirror_ino(const struct etfs_host_id *id);
/* The same of what a stranger made up: no device gets an index for it. */
u64 etfs_mirror_ino_known(const struct etfs_host_id *id);

/* In mirror_attr.c */
/* The host object says this; return whether i_mode or an id changed. */
bool etfs_mirror_learn(struct inode *inode, const struct kstat *host);
bool etfs_mirror_is_same(struct inode *inode, const struct etfs_host_id *id,
			 const struct kstat *stat);
/* Does the host refuse the caller what the mode allows? */
int etfs_mirror_may(struct mnt_idmap *idmap, const struct path *path, int mask);
int etfs_mirror_getattr(struct mnt_idmap *idmap, const struct path *path,
			struct kstat *stat, u32 request_mask,
			unsigned int flags);
int etfs_mirror_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			struct iattr *attr);
int etfs_mirror_dir_permission(struct mnt_idmap *idmap, struct inode *inode,
			       int mask);
ssize_t etfs_mirror_listxattr(struct dentry *dentry, char *list, size_t size);
extern const struct inode_operations etfs_mirror_file_inode_operations;

/* In mirror_list.c */
extern const struct file_operations etfs_mirror_dir_operations;

#endif /* _RUMPFS_MIRROR_H */
