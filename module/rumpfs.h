/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tree: a mount, its nodes and names, and who defines what.
 *
 * The dcache is the tree: each name in memory is a pinned dentry, which its
 * directory also keeps in an array by listing cookie. Keys are laid over that:
 * a lookup that the dcache cannot answer asks the table, and makes an ordinary
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

struct file_kattr;
struct fs_context;
struct posix_acl;
struct rumpfs_xattrs;
struct xattr;

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
		/* I: in memory: when it was made; see rumpfs_btime_pack() */
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
		/* mapped: that of the map when i_mode and the ids were set */
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
	/* D: a directory that is not in the size of its parent */
	bool is_uncounted;
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
	return unlikely(S_ISCHR(inode->i_mode)) && !rumpfs_is_key(inode) &&
	       inode->i_rdev != WHITEOUT_DEV;
}

/* Where a node in memory has its extended attributes. */
static inline struct rumpfs_xattrs __rcu **
rumpfs_xattrs_at(const struct inode *inode)
{
	if (S_ISDIR(inode->i_mode))
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
	return S_ISDIR(inode->i_mode) ? &RUMPFS_NODE(inode)->dir->mirrored :
					RUMPFS_NODE(inode)->mirrored;
}

/* In super.c: a mount */
extern struct file_system_type rumpfs_fs_type;
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

/* In mountdir.c: the directory of a mount in sysfs. Context: s_umount held. */
int rumpfs_mountdir_add(struct rumpfs_sb *sbi);
void rumpfs_mountdir_remove(struct rumpfs_sb *sbi);

/* In may.c */
/*
 * May this process, by this open file, change the table of the mount?
 * Return: 0 or -EPERM.
 */
int rumpfs_table_may(const struct rumpfs_sb *sbi, const struct file *file);

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

/* In dirkey.c: what a directory remembers of the table */
/*
 * The table's name of a directory, or NULL; an ERR_PTR without memory.
 * Context: may sleep first, returns in an RCU read section in any case.
 */
struct etfs_key *rumpfs_dir_key_begin(struct inode *dir) __acquires(RCU);
static inline void rumpfs_dir_key_end(void)
	__releases(RCU)
{
	rcu_read_unlock();
}

/* Does the table have names below this directory? 0, 1 or an errno. */
int rumpfs_names_below(struct inode *dir);
/* Directories the table adds to a directory's links. */
u32 rumpfs_names_nr_dirs(struct inode *dir);

/*
 * In hidden.c: names in memory that keys hide. Context: dir's i_rwsem, shared
 * or not; to add one, held for writing.
 */
void rumpfs_hidden_add(struct inode *dir, struct dentry *dentry);
static inline bool rumpfs_hidden_any(const struct inode *dir)
{
	return READ_ONCE(RUMPFS_DIR(dir)->hidden.rb_node);
}

/* Return: no reference, as its directory pins it. */
struct dentry *rumpfs_hidden_find(struct inode *dir, const struct qstr *name);
/* Or nothing, if it is not hidden. */
void rumpfs_hidden_remove(struct inode *dir, const struct dentry *dentry);

/* In names.c: keys and names in memory, in one directory */
void rumpfs_names_use_ops(struct super_block *sb);
/* Bytes a name is charged: one too long for its dentry is memory of its own. */
static inline u64 rumpfs_name_cost(const struct qstr *name)
{
	return name->len < 32 ? 0 : name->len + 1;
}

/*
 * The map at a name of a directory, with a reference, or the inode number of
 * the directory that keys below that name imply; neither if the table has no
 * such name.
 */
int rumpfs_names_key(struct inode *dir, const char *name, u32 len,
		     struct etfs_map **map, u64 *ino);
/* A dentry in lookup shows this map; takes over a reference. */
struct dentry *rumpfs_names_add_key(struct inode *dir, struct dentry *dentry,
				    struct etfs_map *map);
/* A dentry in lookup is to be asked about whenever it is found. */
void rumpfs_names_watch(struct dentry *dentry);
/* ->lookup. Context: dir's i_rwsem held, shared or not. */
struct dentry *rumpfs_names_lookup(struct inode *dir, struct dentry *dentry);
/* Show again what is hidden under a name that has just gone. Context: same. */
void rumpfs_names_uncover_some(struct inode *dir, const struct qstr *name);
static inline void rumpfs_names_uncover(struct inode *dir,
					const struct qstr *name)
{
	if (rumpfs_hidden_any(dir))
		rumpfs_names_uncover_some(dir, name);
}

/* A directory is counted by the table, or its parent. Context: same. */
void rumpfs_names_set_keyed_dir(struct inode *dir, struct inode *inode,
				bool is_keyed);
static inline void rumpfs_names_set_keyed(struct inode *dir,
					  struct dentry *dentry, bool is_keyed)
{
	struct inode *inode = d_inode(dentry);

	if (S_ISDIR(inode->i_mode) && RUMPFS_NODE(inode)->is_keyed != is_keyed)
		rumpfs_names_set_keyed_dir(dir, inode, is_keyed);
}

void rumpfs_names_unpin_all(struct super_block *sb);

/* In sync.c: a mount and the table. Context: table->lock. */
/* Tell a mount of a committed batch. */
void rumpfs_names_sync(struct rumpfs_sb *sbi, struct etfs_batch *batch);
/* Is something mounted on the node of a key? */
bool rumpfs_names_is_mountpoint(struct rumpfs_sb *sbi,
				const struct etfs_map *map);

/* In whiteout.c: whiteouts that no lookup finds. Context: dir's i_rwsem. */
static inline bool rumpfs_white_maybe(const struct inode *dir)
{
	return RUMPFS_DIR(dir)->whites;
}

bool rumpfs_white_is(const struct inode *dir, const struct qstr *name);
/* Does one keep a name that keys have hidden from coming back? */
bool rumpfs_white_keeps(const struct inode *dir, const struct dentry *hidden);
bool rumpfs_white_any(const struct inode *dir);
void rumpfs_white_remove(struct inode *dir, const struct qstr *name);
/* Of a directory that goes. */
void rumpfs_white_remove_some(struct inode *dir);
static inline void rumpfs_white_remove_all(struct inode *dir)
{
	if (unlikely(rumpfs_white_maybe(dir)))
		rumpfs_white_remove_some(dir);
}

/* Make one; the dentry gets an inode, but the name stays unfound. */
int rumpfs_white_make(struct mnt_idmap *idmap, struct inode *dir,
		      struct dentry *dentry, umode_t mode);
/* Give a negative dentry an inode if a whiteout has its name. */
int rumpfs_white_show(struct inode *dir, struct dentry *dentry);
/* Is it such an inode? */
static inline bool rumpfs_white_is_shown(const struct dentry *dentry)
{
	const struct inode *inode = d_inode(dentry);

	return IS_WHITEOUT(inode) && !rumpfs_is_key(inode) &&
	       RUMPFS_SB(inode->i_sb)->hides_whiteouts;
}

/* From ctx->pos on. Return: whether all were taken. */
bool rumpfs_white_list(struct dentry *parent, struct dir_context *ctx);

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

/* One name of the table, copied out of the RCU section. */
struct rumpfs_listed {
	char name[NAME_MAX];
	u32 len;
	u64 ino;
	umode_t type;
	/* no map is at it: other keys lie below */
	bool is_implied;
};

/* In dir.c: the next listed name of the table, see there */
int rumpfs_list_key(struct inode *dir, unsigned long *cookie,
		    struct rumpfs_listed *listed);

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
