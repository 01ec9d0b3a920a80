// SPDX-License-Identifier: GPL-2.0
/* A node is born, measured, changed and let go. */
#include "names.h"
#include "open.h"

#include <linux/blk_types.h>
#include <linux/pagemap.h>
#include <linux/posix_acl.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/user_namespace.h>

static struct kmem_cache *rumpfs_node_cache;

struct rumpfs_dir rumpfs_dir_none __ro_after_init = {
	.entries = XARRAY_INIT(rumpfs_dir_none.entries, 0),
	.outlived = XARRAY_INIT(rumpfs_dir_none.outlived, XA_FLAGS_ACCOUNT),
};

/* Seconds and nanoseconds in one. */
static inline s64 rumpfs_btime_pack(struct timespec64 time)
{
	return time.tv_sec << 30 | time.tv_nsec;
}

static inline struct timespec64 rumpfs_btime_unpack(s64 btime)
{
	return (struct timespec64){
		.tv_sec = btime >> 30,
		.tv_nsec = btime & GENMASK(29, 0),
	};
}

static void rumpfs_node_once(void *object)
{
	struct rumpfs_node *node = object;

	inode_init_once(&node->inode);
}

int rumpfs_inode_init(void)
{
	rumpfs_node_cache =
		kmem_cache_create("rumpfs_node", sizeof(struct rumpfs_node), 0,
				  SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
				  rumpfs_node_once);
	return rumpfs_node_cache ? 0 : -ENOMEM;
}

/* All mounts are gone; the last nodes may still wait for a grace period. */
void rumpfs_inode_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(rumpfs_node_cache);
}

struct inode *rumpfs_alloc_inode(struct super_block *sb)
{
	struct rumpfs_node *node;

	node = alloc_inode_sb(sb, rumpfs_node_cache, GFP_KERNEL);
	if (!node)
		return NULL;
	memset_after(node, 0, inode);
	/* If the inode cannot be made it is freed as it is. */
	node->inode.i_mode = 0;
	node->inode.i_private = NULL;
	return &node->inode;
}

/* In memory, a file or a directory, with nothing of its own beside the inode. */
static inline bool rumpfs_node_is_plain(const struct inode *inode)
{
	return inode->i_private ? inode->i_private == &rumpfs_dir_none :
				  S_ISREG(inode->i_mode);
}

void rumpfs_free_inode(struct inode *inode)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);

	if (rumpfs_node_is_plain(inode))
		goto free;
	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	if (rumpfs_is_chr(inode)) {
		kfree(node->chr);
	} else if (!node->is_mapped) {
		if (inode->i_private && inode->i_private != &rumpfs_dir_none)
			kfree(inode->i_private);
	} else if (S_ISDIR(inode->i_mode)) {
		kfree(node->dir);
	} else if (node->is_mirrored) {
		kfree(node->mirrored);
	}
free:
	kmem_cache_free(rumpfs_node_cache, node);
}

struct rumpfs_dir *rumpfs_dir_new(gfp_t gfp)
{
	struct rumpfs_dir *dir = kzalloc(sizeof(*dir), gfp | __GFP_ACCOUNT);

	if (!dir)
		return NULL;
	xa_init(&dir->entries);
	xa_init_flags(&dir->outlived, XA_FLAGS_ACCOUNT);
	return dir;
}

struct rumpfs_dir *rumpfs_dir_make_own(struct inode *inode, gfp_t gfp)
{
	struct rumpfs_dir *dir = rumpfs_dir_new(gfp);
	void *other;

	if (!dir)
		return NULL;
	/* Another may do the same. */
	other = cmpxchg(&inode->i_private, &rumpfs_dir_none, dir);
	if (other == &rumpfs_dir_none)
		return dir;
	kfree(dir);
	return other;
}

/* What fewer nodes in memory have. */
static void rumpfs_evict_rest(struct inode *inode)
{
	if (S_ISLNK(inode->i_mode))
		rumpfs_uncharge(RUMPFS_SB(inode->i_sb), inode->i_size + 1);
	if (S_ISDIR(inode->i_mode))
		rumpfs_white_remove_all(inode);
	if (inode->i_acl || inode->i_default_acl)
		rumpfs_acl_evict(inode);
	if (rcu_access_pointer(*rumpfs_xattrs_at(inode)))
		rumpfs_xattr_evict(inode);
}

void rumpfs_evict_inode(struct inode *inode)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);

	/* Else it takes the lock once more, and looks. */
	if (!mapping_empty(&inode->i_data))
		truncate_inode_pages_final(&inode->i_data);
	if (node->is_charged) {
		rumpfs_uncharge(RUMPFS_SB(inode->i_sb),
				(u64)inode->i_blocks << SECTOR_SHIFT);
		if (!rumpfs_node_is_plain(inode) || inode->i_acl ||
		    inode->i_default_acl)
			rumpfs_evict_rest(inode);
		rumpfs_uncharge_inode(RUMPFS_SB(inode->i_sb));
	} else if (node->is_mapped) {
		etfs_cover_evict_key(inode);
	} else if (inode->i_data.a_ops == &etfs_cover_aops) {
		etfs_cover_evict(inode);
	}
	clear_inode(inode);
	/* A walk under RCU may still look at the map. */
	if (node->is_mapped)
		etfs_map_put(rumpfs_map(inode));
}

int rumpfs_getattr(struct mnt_idmap *idmap, const struct path *path,
		   struct kstat *stat, u32 request_mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct rumpfs_node *node = RUMPFS_NODE(inode);
	u32 attrs = READ_ONCE(node->attrs);

	generic_fillattr(idmap, request_mask, inode, stat);
	if (unlikely(attrs))
		stat->attributes |= rumpfs_attr_statx(attrs);
	stat->attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND |
				 STATX_ATTR_NODUMP;
	if (request_mask & STATX_BTIME) {
		stat->result_mask |= STATX_BTIME;
		stat->btime = rumpfs_btime_unpack(rumpfs_is_chr(inode) ?
						  node->chr->btime :
						  node->btime);
	}
	if (S_ISDIR(inode->i_mode))
		stat->nlink += rumpfs_names_nr_dirs(inode);
	return 0;
}

int rumpfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		   struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (S_ISREG(inode->i_mode) && (attr->ia_valid & ATTR_SIZE)) {
		if (attr->ia_size != i_size_read(inode))
			inode_set_mtime_to_ts(inode,
					      rumpfs_node_changed(inode));
		rumpfs_file_truncate(inode, attr->ia_size);
	}
	setattr_copy(idmap, inode, attr);
	rumpfs_node_inc_version(inode);
	rumpfs_dir_keep(inode);
	if (attr->ia_valid & ATTR_MODE)
		err = posix_acl_chmod(idmap, dentry, inode->i_mode);
	return err;
}

const struct inode_operations rumpfs_special_inode_operations = {
	.getattr	= rumpfs_getattr,
	.setattr	= rumpfs_setattr,
	.listxattr	= rumpfs_listxattr,
	.set_acl	= compat_op(inode_operations, set_acl, rumpfs_set_acl),
};

const struct inode_operations rumpfs_symlink_inode_operations = {
	.get_link	= simple_get_link,
	.getattr	= rumpfs_getattr,
	.setattr	= rumpfs_setattr,
	.listxattr	= rumpfs_listxattr,
};

static void rumpfs_node_init(struct inode *inode, dev_t dev)
{
	umode_t mode = inode->i_mode;

	switch (mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &rumpfs_file_inode_operations;
		inode->i_fop = &rumpfs_file_operations;
		rumpfs_file_map_init(inode->i_mapping);
		break;
	case S_IFDIR:
		inode->i_op = &rumpfs_dir_inode_operations;
		inode->i_fop = &rumpfs_dir_operations;
		inode->i_private = &rumpfs_dir_none;
		/* "." */
		inc_nlink(inode);
		inode->i_size = 2 * RUMPFS_NAME_SIZE;
		break;
	case S_IFLNK:
		inode->i_op = &rumpfs_symlink_inode_operations;
		break;
	default:
		inode->i_op = &rumpfs_special_inode_operations;
		init_special_inode(inode, mode, dev);
	}
}

struct inode *rumpfs_node_alloc(struct mnt_idmap *idmap,
				struct super_block *sb, struct inode *dir,
				umode_t mode, dev_t dev)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(sb);
	bool is_chr = S_ISCHR(mode) && dev != WHITEOUT_DEV;
	struct rumpfs_chr *chr = NULL;
	struct rumpfs_node *node;
	struct timespec64 now;
	struct inode *inode;

	if (unlikely(is_chr))
		chr = kzalloc(sizeof(*chr), GFP_KERNEL_ACCOUNT);
	inode = !is_chr || chr ? new_inode(sb) : NULL;
	if (!inode) {
		kfree(chr);
		return NULL;
	}
	node = RUMPFS_NODE(inode);
	node->is_charged = true;
	cache_no_acl(inode);
	inode->i_ino = atomic64_inc_return(&sbi->last_ino);
	inode->i_generation = sbi->generation;
	inode_init_owner(idmap, inode, dir, mode);
	now = simple_inode_init_ts(inode);
	if (chr) {
		node->chr = chr;
		chr->btime = rumpfs_btime_pack(now);
	} else {
		node->btime = rumpfs_btime_pack(now);
	}
	if (dir && unlikely(READ_ONCE(RUMPFS_NODE(dir)->attrs)))
		rumpfs_attr_inherit(inode, dir);
	rumpfs_node_init(inode, dev);
	return inode;
}

struct inode *rumpfs_node_unnamed(struct mnt_idmap *idmap,
				  struct super_block *sb, struct inode *dir,
				  umode_t mode, dev_t dev)
{
	struct inode *inode = rumpfs_node_alloc(idmap, sb, dir, mode, dev);

	if (!inode)
		return NULL;
	RUMPFS_NODE(inode)->is_charged = false;
	inode->i_opflags &= ~IOP_XATTR;
	clear_nlink(inode);
	return inode;
}

/*
 * A directory that a key needs: of the root of the mount's user namespace, and
 * counted but never refused, as no limit of a mount can be allowed to make a
 * key unreachable.
 */
struct inode *rumpfs_node_implied(struct super_block *sb, u64 ino, u32 place)
{
	struct inode *inode;

	inode = rumpfs_node_alloc(&nop_mnt_idmap, sb, NULL, S_IFDIR | 0755, 0);
	if (!inode)
		return NULL;
	atomic64_inc(&RUMPFS_SB(sb)->inodes_used);
	inode->i_ino = ino;
	/* Where that namespace has no root nobody owns it. */
	inode->i_uid = make_kuid(sb->s_user_ns, 0);
	inode->i_gid = make_kgid(sb->s_user_ns, 0);
	RUMPFS_NODE(inode)->is_implied = true;
	RUMPFS_NODE(inode)->is_keyed = true;
	RUMPFS_NODE(inode)->is_uncounted = true;
	if (!rumpfs_dir_own(inode, GFP_KERNEL)) {
		iput(inode);
		return NULL;
	}
	RUMPFS_DIR(inode)->place = place;
	return inode;
}

struct inode *rumpfs_node_of(struct super_block *sb, struct etfs_map *map)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	if (S_ISDIR(map->kind->type)) {
		RUMPFS_NODE(inode)->dir = rumpfs_dir_new(GFP_KERNEL);
		if (!RUMPFS_NODE(inode)->dir) {
			iput(inode);
			return NULL;
		}
	}
	rumpfs_set_map(inode, map);
	/* Nothing is kept for a mapped node but what key.c keeps. */
	inode->i_opflags &= ~IOP_XATTR;
	cache_no_acl(inode);
	inode->i_ino = map->ino;
	inode->i_generation = etfs_generation;
	simple_inode_init_ts(inode);
	inode->i_op = &rumpfs_key_inode_operations;
	inode->i_mode = map->kind->type;
	if (!S_ISDIR(inode->i_mode))
		rumpfs_key_load(inode);
	map->kind->node(inode, map);
	return inode;
}
