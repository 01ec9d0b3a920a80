// SPDX-License-Identifier: GPL-2.0
/*
 * Keys and names in memory, in one directory.
 *
 *	dcache		array, if it is listed		table
 *	hashed, pinned	present				-	in memory
 *	unhashed	present, hidden			a map	hidden by a key
 *	hashed, idle	-				a map	a key
 *	hashed, pinned	present, is_implied		a name	keys lie below
 *
 * A negative dentry answers nobody: the next lookup asks again, so that a new
 * key is seen at once. A batch becomes true in the table first; then sync.c
 * brings each name in line under its directory's i_rwsem. A lookup in between
 * may find a name in memory that is about to be hidden, and brings back by
 * itself one that is not hidden any more, so that nobody can make another of
 * that name. A directory that is hidden has the keys below its path all the
 * while, and its names are brought in line like any others.
 */
#include "names.h"

#include <linux/dcache.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/string.h>

/* Names in memory */

static void rumpfs_name_count(const struct dentry *dentry)
{
	if (d_is_dir(dentry))
		RUMPFS_NODE(d_inode(dentry))->is_uncounted = false;
}

void rumpfs_names_leave_whiteout(struct inode *dir, struct dentry *dentry,
				 struct dentry *whiteout)
{
	/* One that nobody finds is listed elsewhere. */
	if (!rumpfs_cookie(whiteout))
		return;
	rumpfs_entry_unplace(dir, dentry);
	rumpfs_entry_swap(dir, dentry, dir, whiteout);
}

/* Nothing but the name is another: it costs the same, where it was. */
static bool rumpfs_name_moves_alone(const struct inode *old_dir,
				    const struct dentry *old,
				    const struct inode *new_dir,
				    const struct dentry *new)
{
	return old_dir == new_dir && !d_is_dir(old) &&
	       d_really_is_negative(new) && !rumpfs_name_cost(&old->d_name) &&
	       !rumpfs_name_cost(&new->d_name) && !rumpfs_white_maybe(new_dir);
}

/*
 * The name old takes the place of new; the VFS moves the dentry. A longer name
 * costs what it is longer; where there is one already, that has paid, and is
 * about to get it back.
 */
int rumpfs_names_move(struct inode *old_dir, struct dentry *old,
		      struct inode *new_dir, struct dentry *new)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(old_dir->i_sb);
	s64 longer = rumpfs_name_cost(&new->d_name) -
		     rumpfs_name_cost(&old->d_name);
	s64 charged = d_really_is_positive(new) ? 0 : max(longer, 0LL);
	int err;

	if (likely(rumpfs_name_moves_alone(old_dir, old, new_dir, new)))
		return 0;
	err = rumpfs_charge(sbi, charged);
	if (err)
		return err;
	rumpfs_entry_unplace(old_dir, old);
	if (d_really_is_positive(new))
		rumpfs_entry_unplace(new_dir, new);
	err = rumpfs_entry_move(old_dir, old, new_dir, new);
	if (err) {
		rumpfs_uncharge(sbi, charged);
		return err;
	}
	rumpfs_dir_grow(old_dir, -rumpfs_name_size(old));
	rumpfs_name_count(old);
	rumpfs_dir_grow(new_dir, RUMPFS_NAME_SIZE);
	if (longer != charged)
		atomic64_add(longer - charged, &sbi->bytes_used);
	if (rumpfs_white_maybe(new_dir))
		rumpfs_white_remove(new_dir, &new->d_name);
	return 0;
}

void rumpfs_names_exchange(struct inode *old_dir, struct dentry *old,
			   struct inode *new_dir, struct dentry *new)
{
	rumpfs_entry_unplace(old_dir, old);
	rumpfs_entry_unplace(new_dir, new);
	rumpfs_entry_swap(old_dir, old, new_dir, new);
	rumpfs_dir_grow(old_dir, RUMPFS_NAME_SIZE - rumpfs_name_size(old));
	rumpfs_dir_grow(new_dir, RUMPFS_NAME_SIZE - rumpfs_name_size(new));
	rumpfs_name_count(old);
	rumpfs_name_count(new);
}

/* Links of a directory; lookups change them under a shared i_rwsem. */
static void rumpfs_links_add(struct inode *dir, int change)
{
	spin_lock(&dir->i_lock);
	set_nlink(dir, dir->i_nlink + change);
	spin_unlock(&dir->i_lock);
}

void rumpfs_names_set_keyed_dir(struct inode *dir, struct inode *inode,
				bool is_keyed)
{
	RUMPFS_NODE(inode)->is_keyed = is_keyed;
	rumpfs_links_add(dir, is_keyed ? -1 : 1);
}

/* Hiding */

bool rumpfs_key_hides(const struct etfs_key *key, const struct dentry *dentry)
{
	if (!key || !etfs_life_is_on(&key->life))
		return false;
	/* A directory above keys is used as it is. */
	return !d_is_dir(dentry) || etfs_key_map(key);
}

void rumpfs_name_hide(struct inode *dir, struct dentry *dentry)
{
	/* The batch is true already: there is no way back. */
	rumpfs_entry_index(dentry->d_parent, GFP_KERNEL | __GFP_NOFAIL);
	rumpfs_entry_hide(dir, dentry, true);
	rumpfs_hidden_add(dir, dentry);
	rumpfs_names_set_keyed(dir, dentry, true);
	/* It stays pinned, and whoever has it open goes on. */
	d_drop(dentry);
}

struct dentry *rumpfs_name_behind(struct inode *dir, const struct qstr *name)
{
	struct dentry *hidden;

	if (!rumpfs_hidden_any(dir))
		return NULL;
	hidden = rumpfs_hidden_find(dir, name);

	if (hidden && rumpfs_white_maybe(dir) &&
	    rumpfs_white_keeps(dir, hidden))
		return NULL;
	return hidden;
}

void rumpfs_name_show(struct inode *dir, struct dentry *dentry)
{
	rumpfs_hidden_remove(dir, dentry);
	rumpfs_entry_hide(dir, dentry, false);
	/* What implied it may be gone. */
	rumpfs_entry_outlive(dir, dentry);
	d_rehash(dentry);
}

/*
 * A directory that keys implied has outlived them, and it or what was put in
 * its place goes now: what it stood in front of comes back.
 */
void rumpfs_names_uncover_some(struct inode *dir, const struct qstr *name)
{
	struct dentry *hidden = rumpfs_name_behind(dir, name);
	struct etfs_key *key;
	bool hides = true;

	if (!hidden)
		return;
	key = rumpfs_dir_key_begin(dir);
	if (!IS_ERR(key)) {
		if (key)
			key = etfs_key_find(rumpfs_table(dir), key, name->name,
					    name->len);
		hides = rumpfs_key_hides(key, hidden);
	}
	rumpfs_dir_key_end();
	if (!hides)
		rumpfs_name_show(dir, hidden);
}

/* Asking again */

/* Context: RCU read section. Return: 0, 1, or the error that key is. */
static inline int rumpfs_map_is_below(const struct etfs_map *map,
				      const struct etfs_key *key)
{
	if (IS_ERR(key))
		return PTR_ERR(key);
	return etfs_life_is_on(&map->life) && map->key->parent == key;
}

/* mount(2) opens what a node's number says, and asks nobody who may. */
static inline void rumpfs_node_renumber(struct inode *inode)
{
	struct etfs_map *map = rumpfs_map(inode);

	if (S_ISBLK(READ_ONCE(inode->i_mode)) && map && map->kind->rdev)
		WRITE_ONCE(inode->i_rdev, map->kind->rdev(map));
}

/*
 * Only dentries of keys, of missing names, and of what lies below mapped
 * directories, come here. A key that is gone, or whose directory was renamed
 * while the key was made, is looked up again.
 */
static noinline int rumpfs_key_revalidate_ref(struct inode *dir,
					      struct dentry *dentry,
					      unsigned int flags)
{
	struct inode *inode = d_inode(dentry);
	struct etfs_key *key;
	struct etfs_map *map;
	int ret;

	if (!inode)
		return 0;
	map = rumpfs_map(inode);
	/* It was made a moment ago, where there was no name. */
	if (!map)
		return 1;
	if (RUMPFS_NODE(inode)->is_mirrored)
		return etfs_mirror_revalidate(dir, dentry, flags);
	rumpfs_node_renumber(inode);
	key = rumpfs_dir_key_begin(dir);
	ret = rumpfs_map_is_below(map, key);
	rumpfs_dir_key_end();
	return ret;
}

static __always_inline int rumpfs_key_revalidate_rcu(const struct inode *dir,
						     struct dentry *dentry)
{
	struct inode *inode = d_inode_rcu(dentry);
	struct etfs_map *map;
	struct etfs_key *key;

	if (!inode)
		return -ECHILD;
	map = rumpfs_map(inode);
	if (!map)
		return 1;
	if (RUMPFS_NODE(inode)->is_mirrored)
		return -ECHILD;
	rumpfs_node_renumber(inode);
	return rumpfs_dir_key_cached(dir, &key) ?
		rumpfs_map_is_below(map, key) : -ECHILD;
}

static __always_inline int rumpfs_key_revalidate(struct inode *dir,
						 const struct qstr *name,
						 struct dentry *dentry,
						 unsigned int flags)
{
	return flags & LOOKUP_RCU ? rumpfs_key_revalidate_rcu(dir, dentry) :
			rumpfs_key_revalidate_ref(dir, dentry, flags);
}

COMPAT_D_REVALIDATE(rumpfs_key_revalidate)

/* A walk came here by an open file of the node. */
static int rumpfs_key_weak_revalidate(struct dentry *dentry, unsigned int flags)
{
	if (d_really_is_positive(dentry))
		rumpfs_node_renumber(d_inode(dentry));
	return 1;
}

static const struct dentry_operations rumpfs_key_dentry_operations = {
	.d_revalidate = compat_op(dentry_operations, d_revalidate,
				  rumpfs_key_revalidate),
	.d_weak_revalidate = rumpfs_key_weak_revalidate,
};

/* Dentries have these operations, and only those of keys ask them. */
void rumpfs_names_use_ops(struct super_block *sb)
{
	d_use_revalidate(sb, &rumpfs_key_dentry_operations);
}

void rumpfs_names_watch(struct dentry *dentry)
{
	d_set_revalidate(dentry, &rumpfs_key_dentry_operations);
}

/* Lookup */

struct dentry *rumpfs_names_add_key(struct inode *dir, struct dentry *dentry,
				    struct etfs_map *map)
{
	struct inode *inode = rumpfs_node_of(dir->i_sb, map);

	if (!inode) {
		etfs_map_put(map);
		return ERR_PTR(-ENOMEM);
	}
	rumpfs_names_watch(dentry);
	d_add(dentry, inode);
	return NULL;
}

static struct dentry *rumpfs_lookup_implied(struct inode *dir,
					    struct dentry *dentry, u64 ino,
					    u32 place)
{
	struct inode *inode = rumpfs_node_implied(dir->i_sb, ino, place);
	int err;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	err = rumpfs_entry_add_shared(dir, dentry);
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}
	atomic64_add(rumpfs_name_cost(&dentry->d_name),
		     &RUMPFS_SB(dir->i_sb)->bytes_used);
	d_add_pinned(dentry, inode);
	return NULL;
}

/* What a name of the table stands for. Context: RCU read section. */
static void rumpfs_key_take(const struct etfs_key *key, struct etfs_map **map,
			    u64 *ino)
{
	*map = NULL;
	*ino = 0;
	while (key && etfs_life_is_on(&key->life)) {
		*map = etfs_key_map(key);
		/* A map that was let go meanwhile has another after it. */
		if (*map && !etfs_map_tryget(*map))
			continue;
		/* Without a map it is a directory, unless both died at once. */
		if (*map || etfs_life_is_on(&key->life))
			*ino = key->ino;
		break;
	}
}

int rumpfs_names_key(struct inode *dir, const char *name, u32 len,
		     struct etfs_map **map, u64 *ino)
{
	struct etfs_key *key = rumpfs_dir_key_begin(dir);

	if (!IS_ERR_OR_NULL(key))
		key = etfs_key_find(rumpfs_table(dir), key, name, len);
	if (!IS_ERR(key))
		rumpfs_key_take(key, map, ino);
	rumpfs_dir_key_end();
	return PTR_ERR_OR_ZERO(key);
}

bool rumpfs_name_is_stray(struct inode *dir, const struct dentry *dentry)
{
	const struct qstr *name = &dentry->d_name;
	struct etfs_map *map;
	u64 ino;

	if (likely(!READ_ONCE(RUMPFS_SB(dir->i_sb)->has_moved)) ||
	    !rumpfs_entry_is_tabled(dir, dentry) ||
	    rumpfs_names_key(dir, name->name, name->len, &map, &ino))
		return false;
	if (map)
		etfs_map_put(map);
	return !map && !ino;
}

/*
 * The dcache has no such name. Two lookups of one name in one directory never
 * run at once, and no name is made or hidden meanwhile.
 */
struct dentry *rumpfs_names_lookup(struct inode *dir, struct dentry *dentry)
{
	struct dentry *hidden = rumpfs_name_behind(dir, &dentry->d_name);
	struct etfs_key *key = rumpfs_dir_key_begin(dir), *child = NULL;
	struct etfs_map *map;
	u32 place;
	u64 ino;

	if (IS_ERR(key)) {
		rumpfs_dir_key_end();
		return ERR_CAST(key);
	}
	if (key)
		child = etfs_key_find(rumpfs_table(dir), key,
				      dentry->d_name.name, dentry->d_name.len);
	if (hidden && !rumpfs_key_hides(child, hidden)) {
		rumpfs_dir_key_end();
		rumpfs_name_show(dir, hidden);
		return dget(hidden);
	}
	rumpfs_key_take(child, &map, &ino);
	place = child ? child->cookie : 0;
	rumpfs_dir_key_end();
	if (map)
		return rumpfs_names_add_key(dir, dentry, map);
	if (ino)
		return rumpfs_lookup_implied(dir, dentry, ino, place);
	return NULL;
}

/*
 * The mount is going: unpin every name, the deepest first, without recursion
 * as the depth has no limit.
 */
void rumpfs_names_unpin_all(struct super_block *sb)
{
	struct dentry *dir = sb->s_root, *entry, *parent;

	/* What else is below a directory would be passed again for each name. */
	shrink_dcache_sb(sb);
	for (;;) {
		entry = NULL;
		if (d_is_dir(dir))
			entry = rumpfs_entry_any(dir);
		if (entry) {
			dir = entry;
			continue;
		}
		if (dir == sb->s_root)
			return;
		parent = dir->d_parent;
		rumpfs_names_remove(d_inode(parent), dir);
		dir = parent;
		cond_resched();
	}
}
