/* SPDX-License-Identifier: GPL-2.0 */
/* Nodes in memory: made, charged, kept and let go. */
#ifndef _RUMPFS_TREE_H
#define _RUMPFS_TREE_H

#include <linux/atomic.h>
#include <linux/fs.h>

#include "rumpfs.h"

struct file_kattr;
struct posix_acl;
struct xattr;

/* In super.c */
/* Limits: what is taken is counted before it is had, and given back after. */
static inline int rumpfs_take(atomic64_t *used, u64 n, u64 max)
{
	s64 had = atomic64_read(used);

	/* What does not fit is not counted for a moment, as others look. */
	do {
		if (max && (n > max || had > max - n))
			return -ENOSPC;
	} while (!atomic64_try_cmpxchg(used, &had, had + n));
	return 0;
}

int rumpfs_charge_some(struct rumpfs_sb *sbi, u64 bytes);
/* Return: 0 or -ENOSPC. */
static inline int rumpfs_charge(struct rumpfs_sb *sbi, u64 bytes)
{
	/* As a short name does; no reason to take the line from others. */
	return bytes ? rumpfs_charge_some(sbi, bytes) : 0;
}

static inline void rumpfs_uncharge(struct rumpfs_sb *sbi, u64 bytes)
{
	if (bytes)
		atomic64_sub(bytes, &sbi->bytes_used);
}

/* Return: 0 or -ENOSPC. */
static inline int rumpfs_charge_inode(struct rumpfs_sb *sbi)
{
	return rumpfs_take(&sbi->inodes_used, 1, READ_ONCE(sbi->max_inodes));
}

static inline void rumpfs_uncharge_inode(struct rumpfs_sb *sbi)
{
	atomic64_dec(&sbi->inodes_used);
}

/* In inode.c: a node is born, measured, changed and let go */
int rumpfs_inode_init(void);
void rumpfs_inode_exit(void);
struct inode *rumpfs_alloc_inode(struct super_block *sb);
void rumpfs_free_inode(struct inode *inode);
void rumpfs_evict_inode(struct inode *inode);
/*
 * An inode in memory, whose charge is the caller's until it is there. Return:
 * NULL without memory.
 */
struct inode *rumpfs_node_alloc(struct mnt_idmap *idmap,
				struct super_block *sb, struct inode *dir,
				umode_t mode, dev_t dev);
/* The same, charged. Return: ERR_PTR(-ENOSPC or -ENOMEM). */
static inline struct inode *rumpfs_node_new(struct mnt_idmap *idmap,
					    struct super_block *sb,
					    struct inode *dir, umode_t mode,
					    dev_t dev)
{
	int err = rumpfs_charge_inode(RUMPFS_SB(sb));
	struct inode *inode;

	if (err)
		return ERR_PTR(err);
	inode = rumpfs_node_alloc(idmap, sb, dir, mode, dev);
	if (inode)
		return inode;
	rumpfs_uncharge_inode(RUMPFS_SB(sb));
	return ERR_PTR(-ENOMEM);
}

/* The same, but no charge and no link. Return: NULL without memory. */
struct inode *rumpfs_node_unnamed(struct mnt_idmap *idmap,
				  struct super_block *sb, struct inode *dir,
				  umode_t mode, dev_t dev);
struct rumpfs_dir *rumpfs_dir_new(gfp_t gfp);
/*
 * A directory in memory is about to have something. Context: its i_rwsem, shared
 * is enough, or nobody else knows it; may sleep. Return: its own, or NULL
 * without memory.
 */
struct rumpfs_dir *rumpfs_dir_make_own(struct inode *inode, gfp_t gfp);
static inline struct rumpfs_dir *rumpfs_dir_own(struct inode *inode, gfp_t gfp)
{
	struct rumpfs_dir *dir = RUMPFS_DIR(inode);

	return likely(dir != &rumpfs_dir_none) ? dir :
						 rumpfs_dir_make_own(inode, gfp);
}

/* The directory that keys below it need. Return: NULL without memory. */
struct inode *rumpfs_node_implied(struct super_block *sb, u64 ino, u32 place);
/* The node of a map; takes over a reference. Return: NULL without memory. */
struct inode *rumpfs_node_of(struct super_block *sb, struct etfs_map *map);
int rumpfs_getattr(struct mnt_idmap *idmap, const struct path *path,
		   struct kstat *stat, u32 request_mask, unsigned int flags);
int rumpfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		   struct iattr *attr);

/* In xattr.c: extended attributes of nodes in memory */
/*
 * By its full name; value NULL removes. Charged to the mount; ctime is the
 * caller's. Context: i_rwsem held, or the inode has no dentry yet.
 * Return: -EEXIST, -ENODATA by flags as setxattr(2), -ENOSPC, -ENOMEM.
 */
int rumpfs_xattr_set(struct inode *inode, const char *full_name,
		     const void *value, size_t size, int flags);
ssize_t rumpfs_listxattr(struct dentry *dentry, char *buffer, size_t size);
/* Will somebody say how to label an inode that is being made? */
bool rumpfs_xattr_has_label(struct inode *inode);
/* To store labels; an initxattrs. */
int rumpfs_xattr_add_labels(struct inode *inode, const struct xattr *labels,
			    void *unused);
void rumpfs_xattr_use(struct super_block *sb);
void rumpfs_xattr_evict(struct inode *inode);

/* In acl.c: access control lists of nodes in memory */
int rumpfs_set_acl(struct mnt_idmap *idmap, struct dentry *dentry,
		   struct posix_acl *acl, int type);
COMPAT_SET_ACL(rumpfs_set_acl)
/* Lists and mode of an inode made where there is a default list. */
int rumpfs_acl_inherit(struct inode *inode, struct inode *dir);
void rumpfs_acl_evict(struct inode *inode);

/* In attr.c: what chattr(1) knows of nodes in memory */
int rumpfs_fileattr_get(struct dentry *dentry, struct file_kattr *attr);
int rumpfs_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry,
			struct file_kattr *attr);
void rumpfs_attr_inherit(struct inode *inode, const struct inode *dir);
/* As statx(2) says it. */
u64 rumpfs_attr_statx(u32 attrs);

/* In namei.c, dir.c, file.c: the operations tables */
extern const struct inode_operations rumpfs_dir_inode_operations;
extern const struct inode_operations rumpfs_symlink_inode_operations;
extern const struct inode_operations rumpfs_special_inode_operations;
extern const struct file_operations rumpfs_dir_operations;
extern const struct inode_operations rumpfs_file_inode_operations;
extern const struct file_operations rumpfs_file_operations;
/* The pages of a new file. */
void rumpfs_file_map_init(struct address_space *mapping);
/* Context: i_rwsem held. */
void rumpfs_file_truncate(struct inode *inode, loff_t size);
/*
 * A folio already charged enters: locked, neither up to date nor dirty.
 * Return: ERR_PTR(-EEXIST) if any of its pages is there, ERR_PTR(-ENOMEM).
 */
struct folio *rumpfs_file_add(struct inode *inode, pgoff_t index,
			      unsigned int order);
/* A page that is not up to date becomes so: zero but for [from, to). */
void rumpfs_folio_complete(struct folio *folio, size_t from, size_t to);
/* Give back what left the mapping. Context: i_rwsem, invalidate_lock held. */
void rumpfs_file_recount(struct inode *inode);

/* In hole.c: where a file in memory has no pages, or unwritten ones */
loff_t rumpfs_file_llseek(struct file *file, loff_t pos, int whence);
long rumpfs_file_fallocate(struct file *file, int mode, loff_t pos,
			   loff_t len);
/*
 * Take out the unwritten pages with begin <= index < end.
 * Context: i_rwsem held.
 */
void rumpfs_hole_undo(struct inode *inode, pgoff_t begin, pgoff_t end);

#endif /* _RUMPFS_TREE_H */
