/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that know of keys and names in memory share. */
#ifndef _RUMPFS_NAMES_H
#define _RUMPFS_NAMES_H

#include <linux/dcache.h>
#include <linux/iversion.h>

#include "tree.h"

/* Who has not read the counter cannot tell that it stands. */
static inline void rumpfs_node_inc_version(struct inode *inode)
{
	/* After the change, as in inode_maybe_inc_iversion(). */
	smp_mb();
	if (unlikely(inode_peek_iversion_raw(inode) & I_VERSION_QUERIED))
		inode_maybe_inc_iversion(inode, false);
}

/*
 * Set ctime, and move the counter that tells nfsd and IMA of a change.
 * Context: i_rwsem held, or the inode has no dentry yet. Return: ctime.
 */
static inline struct timespec64 rumpfs_node_changed(struct inode *inode)
{
	rumpfs_node_inc_version(inode);
	return inode_set_ctime_current(inode);
}

static inline struct etfs_table *rumpfs_table(const struct inode *inode)
{
	return RUMPFS_SB(inode->i_sb)->table;
}

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

/* Has the table no name at all, and the directory none that keys have hidden? */
static inline bool rumpfs_names_none(const struct inode *dir)
{
	return !READ_ONCE(rumpfs_table(dir)->nr_keys) &&
	       !rumpfs_hidden_any(dir);
}

/* See dirkey.c. Context: RCU read section. Return: false if it is void. */
static inline bool rumpfs_dir_key_cached(const struct inode *dir,
					 struct etfs_key **key)
{
	const struct rumpfs_dir *own = RUMPFS_DIR(dir);
	u64 shape = atomic64_read_acquire(&rumpfs_table(dir)->shape);

	/* Pairs with rumpfs_dir_key_store(). */
	if (smp_load_acquire(&own->shape) != shape)
		return false;
	*key = READ_ONCE(own->key);
	/* The key is of that shape only if no other was stored meanwhile. */
	smp_rmb();
	return READ_ONCE(own->shape) == shape;
}

/* In entry.c: names by cookie. Context: i_rwsem of dir */
int rumpfs_entry_init(void);
void rumpfs_entry_exit(void);
/*
 * The directory is about to be listed: its names get their cookies. Shared is
 * enough; may sleep. Return: -ENOMEM, or -EIO if its size is wrong.
 */
int rumpfs_entry_index(struct dentry *parent, gfp_t gfp);
/* Of a name in a directory that is not listed. */
#define RUMPFS_NO_COOKIE	((void *)1ul)

int rumpfs_entry_add_listed(struct inode *dir, struct dentry *dentry);
/* Context: held for writing. Return: -ENOMEM. */
static inline int rumpfs_entry_add(struct inode *dir, struct dentry *dentry)
{
	lockdep_assert_held_write(&dir->i_rwsem);
	if (unlikely(RUMPFS_DIR(dir)->is_listed))
		return rumpfs_entry_add_listed(dir, dentry);
	dentry->d_fsdata = RUMPFS_NO_COOKIE;
	return 0;
}

/* The same, for who has i_rwsem shared. */
int rumpfs_entry_add_shared(struct inode *dir, struct dentry *dentry);
void rumpfs_entry_erase(struct inode *dir, const struct dentry *dentry);
static inline void rumpfs_entry_remove(struct inode *dir, struct dentry *dentry)
{
	/* What was replaced has none any more. */
	if (!dentry->d_fsdata)
		return;
	if (RUMPFS_DIR(dir)->is_listed)
		rumpfs_entry_erase(dir, dentry);
	dentry->d_fsdata = NULL;
}

/* Each has the other's place. */
void rumpfs_entry_swap(struct inode *dir, struct dentry *entry,
		       struct inode *other_dir, struct dentry *other);
/* The name new is for what old is; new has no place then. Return: an errno. */
int rumpfs_entry_move(struct inode *old_dir, struct dentry *old,
		      struct inode *new_dir, struct dentry *new);

/* How many names the size of the directory counts. */
static inline u32 rumpfs_names_counted(const struct inode *dir)
{
	return div_u64(dir->i_size, RUMPFS_NAME_SIZE) - 2;
}

/* Shared is enough, or dir is nobody else's. */
static inline bool rumpfs_entry_none(const struct inode *dir)
{
	if (dir->i_size != 2 * RUMPFS_NAME_SIZE)
		return false;
	/*
	 * What the size does not count is in a directory that is listed; a
	 * lookup beside us may be about to enter it.
	 */
	return data_race(xa_empty(&RUMPFS_DIR(dir)->entries));
}

/* Some name, or NULL. Context: the mount is going. */
struct dentry *rumpfs_entry_any(struct dentry *parent);
/*
 * Up to most names that are listed with memory, those with from <= cookie < end,
 * in order. Shared is enough. Return: how many.
 */
unsigned int rumpfs_entry_list(struct inode *dir, unsigned long from,
			       unsigned long end, struct dentry **some,
			       unsigned int most);
/* Shared is enough to show it again. */
void rumpfs_entry_hide(struct inode *dir, struct dentry *dentry,
		       bool is_hidden);

/*
 * A directory that keys imply has a place of its own among them now, so that it
 * is listed where it was when they are gone. Shared is enough.
 */
void rumpfs_entry_outlive(struct inode *dir, struct dentry *dentry);
/* Is a directory in memory listed with the key that implies it? */
bool rumpfs_entry_is_tabled(struct inode *dir, const struct dentry *dentry);
/* The first that has outlived its keys, at such a place or behind, or NULL. */
struct dentry *rumpfs_entry_outlived(struct inode *dir, unsigned long place);
static inline u32 rumpfs_entry_place(const struct dentry *dentry)
{
	return d_is_dir(dentry) ?
		READ_ONCE(RUMPFS_DIR(d_inode(dentry))->place) : 0;
}

/* What is moved is listed with memory. */
void rumpfs_entry_unplace_dir(struct inode *dir, struct dentry *dentry,
			      u32 place);
static inline void rumpfs_entry_unplace(struct inode *dir,
					struct dentry *dentry)
{
	u32 place = rumpfs_entry_place(dentry);

	if (unlikely(place))
		rumpfs_entry_unplace_dir(dir, dentry, place);
}

/* In names.c. Context: i_rwsem of dir, or the mount is going */
static inline void rumpfs_dir_grow(struct inode *dir, loff_t change)
{
	i_size_write(dir, dir->i_size + change);
}

/*
 * The size of a directory: each name in memory adds to it, as on tmpfs. A
 * directory that keys imply adds nothing before somebody moves it, as a lookup
 * alone made it.
 */
static inline loff_t rumpfs_name_size(const struct dentry *dentry)
{
	if (d_is_dir(dentry) &&
	    RUMPFS_NODE(d_inode(dentry))->is_uncounted)
		return 0;
	return RUMPFS_NAME_SIZE;
}

/* Enter a name in memory; here, as the calls of a chain add up. */
static inline int rumpfs_names_add(struct inode *dir, struct dentry *dentry,
				   struct inode *inode)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(dir->i_sb);
	u64 cost = rumpfs_name_cost(&dentry->d_name);
	int err;

	err = rumpfs_charge(sbi, cost);
	if (err)
		return err;
	err = rumpfs_entry_add(dir, dentry);
	if (err) {
		rumpfs_uncharge(sbi, cost);
		return err;
	}
	d_add_pinned(dentry, inode);
	rumpfs_dir_grow(dir, RUMPFS_NAME_SIZE);
	if (rumpfs_white_maybe(dir))
		rumpfs_white_remove(dir, &dentry->d_name);
	return 0;
}

/* Take it out, and the dentry with it unless the caller has a reference. */
static __always_inline void rumpfs_names_remove(struct inode *dir,
						struct dentry *dentry)
{
	if (unlikely(rumpfs_hidden_any(dir)))
		rumpfs_hidden_remove(dir, dentry);
	rumpfs_entry_unplace(dir, dentry);
	rumpfs_entry_remove(dir, dentry);
	rumpfs_dir_grow(dir, -rumpfs_name_size(dentry));
	rumpfs_uncharge(RUMPFS_SB(dir->i_sb),
			rumpfs_name_cost(&dentry->d_name));
	/* Else the VFS makes it a negative one, and hashed. */
	d_drop_pinned(dentry);
}

int rumpfs_names_move(struct inode *old_dir, struct dentry *old,
		      struct inode *new_dir, struct dentry *new);
/* A whiteout just made has the place of a name that is about to be moved. */
void rumpfs_names_leave_whiteout(struct inode *dir, struct dentry *dentry,
				 struct dentry *whiteout);
void rumpfs_names_exchange(struct inode *old_dir, struct dentry *old,
			   struct inode *new_dir, struct dentry *new);
/*
 * Was a directory made for keys whose path was another's by the time it was
 * there? The table lists it nowhere. Shared is enough.
 */
bool rumpfs_name_is_stray(struct inode *dir, const struct dentry *dentry);
/* Does the table's name stand in the way of one in memory? */
bool rumpfs_key_hides(const struct etfs_key *key, const struct dentry *dentry);
void rumpfs_name_hide(struct inode *dir, struct dentry *dentry);
/*
 * What keys have hidden at a name and nothing but a key keeps from coming back;
 * or NULL. Shared is enough.
 */
struct dentry *rumpfs_name_behind(struct inode *dir, const struct qstr *name);
/*
 * Shared is enough. A directory that is back before the mount was told stays
 * where it is until then.
 */
void rumpfs_name_show(struct inode *dir, struct dentry *dentry);

#endif /* _RUMPFS_NAMES_H */
