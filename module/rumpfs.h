/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tree: a mount, its nodes and names, and who defines what.
 *
 * The dcache is the tree: each name in memory is a pinned dentry, which its
 * directory, once it is listed, has in an array by cookie, too. Keys are laid
 * over that: a lookup that the dcache cannot answer asks the table, and makes an
 * ordinary
 * dentry that may be evicted, or a directory in memory if keys lie below. A
 * name in memory that a key hides is unhashed and marked in the array.
 *
 * Locks: inode->i_rwsem of a directory covers its array and names, shared for
 * a lookup and a listing; then its invalidate_lock, then its dentry's d_lock,
 * cover the making of the array; i_rwsem of a file, then its mapping's
 * invalidate_lock, cover what the file is charged; i_rwsem of any inode covers
 * its attributes and access control lists. See etfs.h for the table.
 */
#ifndef _RUMPFS_RUMPFS_H
#define _RUMPFS_RUMPFS_H

#include <linux/fs.h>
#include <linux/rbtree.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "etfs.h"
#include "uapi/rumpfs.h"

struct fs_context;
struct rumpfs_xattrs;

/*
 * A mount. Owned by its super block, freed after a grace period.
 *
 * I set once - A atomic - S under s_umount - L under table->lock
 */
struct rumpfs_sb {
	struct super_block *sb;
	/* S: bytes all of the tree may take, 0 = no limit */
	u64 max_bytes;
	/* A: by pages, long names, symlink targets, attributes and lists */
	atomic64_t bytes_used;
	/* S: inodes and further names of an inode, 0 = no limit */
	u64 max_inodes;
	/* A: */
	atomic64_t inodes_used;
	/* A: inode numbers given out; bits 62 and 63 stay clear */
	atomic64_t last_ino;
	/* I: of its inodes, whose numbers never come again */
	u32 generation;
	/* I: of the root directory, for /proc/mounts */
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	/*
	 * a directory was about to be renamed: a lookup may have made another
	 * below it, for keys below the old path; never cleared
	 */
	bool has_moved;
	/* I: a security module that labels files may be there */
	bool has_labels;
	/* I: whiteouts are found by nobody, as on BSD */
	bool hides_whiteouts;
	/* I: the table this mount shows: the host's, or private */
	struct etfs_table *table;
	/* unused if it shows the host's */
	struct etfs_table private;
	/* L: in table->mounts */
	struct list_head table_node;
	/* S: its directory in sysfs */
	struct etfs_door *door;
	/* what chmod, chown and utimes said of mapped nodes; see key.c */
	struct xarray own;
	struct rcu_head rcu;
};

/*
 * Listing positions: 0 and 1 are the dots, names in memory have their cookie,
 * at most S32_MAX; whiteouts follow by cookies of their own, and the table's
 * names by twice theirs and one. Below that one is what has outlived such a name.
 */
#define RUMPFS_WHITES_POS	BIT_ULL(31)
#define RUMPFS_KEYS_POS		BIT_ULL(32)

/* What each name adds to the size of a directory, the dots among them. */
#define RUMPFS_NAME_SIZE	20

/* Of 512 bytes, as i_blocks counts them: what a file is charged. */
#define RUMPFS_PAGE_BLOCKS	(PAGE_SIZE / SECTOR_SIZE)

/* What a listing tells of each hidden whiteout, as on BSD. */
#define RUMPFS_WHITE_INO	1

/*
 * An inode: what each has besides, so little that it costs a slab hardly more
 * than an inode alone. What fewer of them have is behind i_private, which the
 * inode has for its file system:
 *
 *	mapped			struct etfs_map; a reference
 *	a cover			struct etfs_cached; owned
 *	a directory in memory	struct rumpfs_dir; owned, or rumpfs_dir_none
 *	a character device	NULL, as its driver may look there
 *	others in memory	struct rumpfs_xattrs, or NULL; see xattr.c
 *
 * I set once - D under i_rwsem of the directory
 */
struct rumpfs_node {
	struct inode inode;
	union {
		/* I: in memory: when it was made; see inode.c */
		s64 btime;
		/* I: a character device in memory; owned */
		struct rumpfs_chr *chr;
		/* I: a mapped directory; owned */
		struct rumpfs_dir *dir;
		/* I: a mirrored file; owned */
		struct rumpfs_mirrored *mirrored;
		/* another mapped file: the inode with its pages, weak */
		struct inode *cover;
	};
	union {
		/* in memory: what chattr(1) has set, FS_*_FL; under i_rwsem */
		u32 attrs;
		/*
		 * mapped: that of the map when i_mode and the ids were set;
		 * mirrored, or a mapped directory: one more with each change
		 * of them, under i_lock
		 */
		u32 attr_seq;
	};
	/* I: it counts against the limits of the mount */
	bool is_charged:1;
	/* I: i_private is its map */
	bool is_mapped:1;
	/* I: it lies below the directory of its map; see mirror.c */
	bool is_mirrored:1;
	/*
	 * D: a directory made for the keys below, goes with the last; if
	 * hidden then, when it would come back
	 */
	bool is_implied;
	/*
	 * Under i_rwsem of its parent: a directory that is not in the links of
	 * that, as keys below it are or were when the mount was last told, and
	 * the table counts it; or as it is hidden. It is not moved.
	 */
	bool is_keyed;
	union {
		/* D: a directory that is not in the size of its parent */
		bool is_uncounted;
		/* a file: pages may lie behind its end; under i_rwsem */
		bool has_behind;
	};
};

/* A character device in memory, but for whiteouts. */
struct rumpfs_chr {
	/* I: as in rumpfs_node */
	s64 btime;
	/* see xattr.c */
	struct rumpfs_xattrs __rcu *xattrs;
};

/* What lies below a mapped directory, or that directory itself. */
struct rumpfs_mirrored {
	/* I: the host object it shows */
	struct etfs_host_id host;
	/* I: the inode number of the map, which may be gone before the inode */
	u64 map_ino;
	/* I: components below the key */
	u32 depth;
	/* I: of a directory: a hash of its path */
	u32 place;
	/* of a file: struct etfs_open; under i_lock */
	struct hlist_head opens;
	/* a walk that was told to begin again has come to it; never cleared */
	bool is_sought;
	/*
	 * of a directory: a file in it was replaced between a look and its
	 * open; never cleared
	 */
	bool is_swift;
};

/*
 * What a directory has once it is listed, or there is a name in it of the table,
 * or an attribute.
 *
 * I set once - D under i_rwsem of the directory
 */
struct rumpfs_dir {
	/* D: names by listing cookie, if it is listed; see entry.c */
	struct xarray entries;
	/* D: by place: directories that outlived their keys */
	struct xarray outlived;
	/* under the lock of entries: where names came or went */
	struct rumpfs_chunk *recent;
	/* above all there are, even if they began anew */
	u32 next_cookie;
	/*
	 * D: where the table lists it: the cookie of the key it was made for;
	 * or 0, it is listed with memory
	 */
	u32 place;
	/* D, set under invalidate_lock */
	bool is_listed;
	/*
	 * This directory's name in the table, or NULL, as of
	 * table->shape == shape. Written under i_lock, read by
	 * rumpfs_dir_key() with two looks at shape.
	 */
	u64 shape;
	struct etfs_key *key;
	/* D: whiteouts that are hidden, or NULL */
	struct rumpfs_whites *whites;
	/* in memory: extended attributes, or NULL; see xattr.c */
	struct rumpfs_xattrs __rcu *xattrs;
	union {
		/* in memory: names that keys hide; see hidden.c */
		struct rb_root hidden;
		/* mapped */
		struct rumpfs_mirrored mirrored;
	};
};

static inline struct rumpfs_node *RUMPFS_NODE(const struct inode *inode)
{
	return container_of(inode, struct rumpfs_node, inode);
}

static inline struct rumpfs_sb *RUMPFS_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

/* Does the mount's table belong to it alone? */
static inline bool rumpfs_is_private(const struct rumpfs_sb *sbi)
{
	return sbi->table == &sbi->private;
}

/* Is this the node of a mapping? */
static inline bool rumpfs_is_key(const struct inode *inode)
{
	return RUMPFS_NODE(inode)->is_mapped;
}

/* What a mapped node shows; NULL in memory. It holds a reference. */
static inline struct etfs_map *rumpfs_map(const struct inode *inode)
{
	return rumpfs_is_key(inode) ? inode->i_private : NULL;
}

/* Takes over a reference. Context: nobody else knows the inode yet. */
static inline void rumpfs_set_map(struct inode *inode, struct etfs_map *map)
{
	RUMPFS_NODE(inode)->is_mapped = true;
	inode->i_private = map;
}

/* What any other directory has: read only. */
extern struct rumpfs_dir rumpfs_dir_none;

/* To be read; who writes to it knows that rumpfs_dir_own() was called. */
static inline struct rumpfs_dir *RUMPFS_DIR(const struct inode *inode)
{
	return rumpfs_is_key(inode) ? RUMPFS_NODE(inode)->dir :
				      READ_ONCE(inode->i_private);
}

static inline bool rumpfs_is_chr(const struct inode *inode)
{
	return unlikely(S_ISCHR(READ_ONCE(inode->i_mode))) &&
	       !rumpfs_is_key(inode) && inode->i_rdev != WHITEOUT_DEV;
}

/* Where a node in memory has its extended attributes. */
static inline struct rumpfs_xattrs __rcu **
rumpfs_xattrs_at(const struct inode *inode)
{
	if (S_ISDIR(READ_ONCE(inode->i_mode)))
		return &RUMPFS_DIR(inode)->xattrs;
	if (rumpfs_is_chr(inode))
		return &RUMPFS_NODE(inode)->chr->xattrs;
	return (struct rumpfs_xattrs __rcu **)&inode->i_private;
}

/* 0 if it is no name in memory. Of a directory that is not listed no more. */
static inline unsigned long rumpfs_cookie(const struct dentry *dentry)
{
	return (unsigned long)dentry->d_fsdata;
}

/* A directory that somebody has changed does not go with the keys below. */
static inline void rumpfs_dir_keep(struct inode *inode)
{
	lockdep_assert_held_write(&inode->i_rwsem);
	RUMPFS_NODE(inode)->is_implied = false;
}

static inline struct rumpfs_mirrored *
RUMPFS_MIRRORED(const struct inode *inode)
{
	return S_ISDIR(READ_ONCE(inode->i_mode)) ?
		&RUMPFS_NODE(inode)->dir->mirrored :
		RUMPFS_NODE(inode)->mirrored;
}

/* In super.c: a mount */
extern struct file_system_type rumpfs_fs_type;
/* In mountdir.c: the directory of a mount in sysfs. Context: s_umount held. */
int rumpfs_mountdir_add(struct rumpfs_sb *sbi);
void rumpfs_mountdir_remove(struct rumpfs_sb *sbi);

/* In may.c */
/*
 * May this process, by this open file, change the table of the mount?
 * Return: 0 or -EPERM.
 */
int rumpfs_table_may(const struct rumpfs_sb *sbi, const struct file *file);

/* In sync.c: a mount and the table. Context: table->lock. */
/* Tell a mount of a committed batch. */
void rumpfs_names_sync(struct rumpfs_sb *sbi, struct etfs_batch *batch);
/* Is something mounted on the node of a key? */
bool rumpfs_names_is_mountpoint(struct rumpfs_sb *sbi,
				const struct etfs_map *map);

/* In ioctl.c: what a directory can be asked */
long rumpfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* In calls.c: the calls that are about the table; arg as in uapi/rumpfs.h */
int rumpfs_ioctl_apply(struct file *file, void *arg);
int rumpfs_ioctl_list(struct file *file, void *arg);
int rumpfs_ioctl_stat(struct file *file, void *arg);

/* In export.c: handles of nodes */
void rumpfs_export_init(struct super_block *sb);
/* Of a key's node, by its number. Return: NULL if there is none, or an errno. */
struct dentry *rumpfs_key_dentry(struct super_block *sb, u64 ino);
/* Walk from dir, whose reference goes; path is taken apart. Return: as above. */
struct dentry *rumpfs_walk(struct dentry *dir, char *path);

/* In key.c: what stat, chmod and access say of a mapped node */
extern const struct inode_operations rumpfs_key_inode_operations;
/* Is the key of this node still there? Context: any. */
bool rumpfs_node_is_live(const struct inode *inode);
/*
 * What the host said of a key that has gone or been replaced meanwhile need not
 * be true of the name: the VFS is to look it up again.
 */
static inline int rumpfs_key_judge(const struct inode *inode, int err)
{
	return err && !rumpfs_node_is_live(inode) ? -ESTALE : err;
}

/* Is any of these of a key its own, and not the host's? ETFS_MAP_MODE, ... */
bool rumpfs_key_owns(struct inode *inode, u32 flags);
/*
 * Does a list of the host object refuse the caller what mode and ids allow? Ids
 * that are not the host's, or that the mount maps, are no answer to that.
 */
int rumpfs_key_ask_list(struct mnt_idmap *idmap, struct inode *inode,
			const struct path *host, int mask);
/* i_mode and the ids from what the map knows. */
void rumpfs_key_load(struct inode *inode);
/* The host file says this; did i_mode or an id change? */
bool rumpfs_key_learn(struct inode *inode, const struct kstat *host);
/* Its i_size has several writers, none of whom has i_rwsem. Context: any. */
void rumpfs_key_set_size(struct inode *inode, u64 size);
/* Drop what a mount has changed of a node that is gone, or of all. */
void rumpfs_key_forget(struct rumpfs_sb *sbi, const struct etfs_map *map);
void rumpfs_key_forget_all(struct rumpfs_sb *sbi);

/* In mirror.c: a host directory is seen through */
/* 1, 0 or an errno, as ->d_revalidate. Context: may sleep. */
int etfs_mirror_revalidate(struct inode *dir, struct dentry *dentry,
			   unsigned int flags);
bool etfs_mirror_is_mountpoint(struct super_block *sb,
			       const struct etfs_map *map);
void etfs_mirror_use_xattrs(struct super_block *sb);
/* name is a full one. Return: bytes, or an errno. */
ssize_t etfs_mirror_getxattr(struct dentry *dentry, struct inode *inode,
			     const char *name, void *buf, size_t size);
void etfs_mirror_exit(void);

/* In mirror_handle.c; sizes in words */
/* Return: whether it fits; *words is what it takes. */
bool etfs_mirror_fid_put(struct inode *inode, u32 *fid, int *words);
struct dentry *etfs_mirror_fid_find(struct super_block *sb, u32 *fid, int words);

#endif /* _RUMPFS_RUMPFS_H */
