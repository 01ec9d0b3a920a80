/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the kinds dir and subdirs share; see mirror.c. */
#ifndef _RUMPFS_MIRROR_H
#define _RUMPFS_MIRROR_H

#include "names.h"

#include <linux/namei.h>
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

/*
 * Who was told to begin a walk again is not told so once more, or he would get
 * the errno of it: the host is asked who may have what is there by now.
 */
static inline void etfs_mirror_seek(struct inode *inode, unsigned int flags)
{
	if (flags & LOOKUP_REVAL)
		WRITE_ONCE(RUMPFS_MIRRORED(inode)->is_sought, true);
}

static inline bool etfs_mirror_is_sought(const struct inode *inode)
{
	return READ_ONCE(RUMPFS_MIRRORED(inode)->is_sought);
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

/* What there is at a name of a mapped directory. */
struct etfs_seen {
	/* a key; a reference */
	struct etfs_map *map;
	/* the number of a directory that keys imply, if nothing else is set */
	u64 ino;
	/* a host object, if .dev is not 0 */
	struct etfs_host_id id;
	struct kstat stat;
};

/* Return: 0 with what there is, if anything. Context: i_rwsem of dir, or not. */
int etfs_mirror_look(struct inode *dir, struct dentry *dentry,
		     struct etfs_seen *seen);
/* A reference on the node of a host object, or of a directory keys imply. */
struct inode *etfs_mirror_node(struct inode *dir, const struct qstr *name,
			       const struct etfs_seen *seen);
struct dentry *etfs_mirror_lookup(struct inode *dir, struct dentry *dentry,
				  unsigned int flags);

/* In mirror_open.c: ->open of the kinds, and of a directory for what is in it */
struct file *etfs_mirror_open(struct inode *inode, struct file *file,
			      bool *changed);
/* It was another one when it was opened: see ->is_swift. */
void etfs_mirror_set_swift(struct dentry *dentry);
int etfs_mirror_atomic_open(struct inode *dir, struct dentry *dentry,
			    struct file *file, unsigned int flags,
			    umode_t mode);

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
