// SPDX-License-Identifier: GPL-2.0
/*
 * A mount is brought in line with a batch, name by name.
 *
 * The batch is true in the table already. Each name it touched is looked for
 * where its directory is in memory, hidden or not; of names that are gone the
 * lower come before the upper.
 */
#include "names.h"

#include <linux/dcache.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/string.h>

/* The keys below an implied directory are gone: it goes, if nothing was put. */
static bool rumpfs_implied_remove(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	bool removed = false;

	inode_lock(inode);
	if (RUMPFS_NODE(inode)->is_implied && !d_mountpoint(dentry) &&
	    rumpfs_entry_none(inode) &&
	    !rumpfs_white_any(inode)) {
		inode->i_flags |= S_DEAD;
		dont_mount(dentry);
		clear_nlink(inode);
		rumpfs_names_set_keyed(dir, dentry, true);
		rumpfs_names_remove(dir, dentry);
		removed = true;
	}
	/* Or it stays for good. */
	RUMPFS_NODE(inode)->is_implied = false;
	inode_unlock(inode);
	if (!removed)
		rumpfs_entry_outlive(dir, dentry);
	return removed;
}

static bool rumpfs_sync_hides(const struct etfs_key *key,
			      const struct dentry *dentry)
{
	bool hides;

	rcu_read_lock();
	hides = rumpfs_key_hides(key, dentry);
	rcu_read_unlock();
	return hides;
}

/*
 * Bring one name in memory in line. A directory that is hidden may be one that
 * keys imply: it is asked when it comes back. Return: whether it stays hashed.
 * Context: i_rwsem of dir.
 */
static bool rumpfs_sync_entry(struct inode *dir, struct dentry *dentry,
			      struct etfs_key *key)
{
	bool is_on;

	if (rumpfs_sync_hides(key, dentry)) {
		rumpfs_name_hide(dir, dentry);
		return false;
	}
	rcu_read_lock();
	is_on = etfs_life_is_on(&key->life);
	rcu_read_unlock();
	rumpfs_names_set_keyed(dir, dentry, is_on);
	return is_on || !d_is_dir(dentry) ||
	       !rumpfs_implied_remove(dir, dentry);
}

static bool rumpfs_is_stale_key(const struct inode *inode,
				const struct etfs_key *key)
{
	bool stale;

	rcu_read_lock();
	stale = rumpfs_map(inode) != etfs_key_map(key);
	rcu_read_unlock();
	return stale;
}

/* Nothing in memory has this name: the first that may comes back. */
static void rumpfs_sync_hidden(struct inode *dir, const struct qstr *name,
			       struct etfs_key *key)
{
	struct dentry *hidden;

	while ((hidden = rumpfs_name_behind(dir, name)) &&
	       !rumpfs_sync_hides(key, hidden)) {
		rumpfs_name_show(dir, hidden);
		if (rumpfs_sync_entry(dir, hidden, key))
			break;
	}
}

/* Return: a dentry to be invalidated when no lock is held, with a reference. */
static struct dentry *rumpfs_sync_name(struct dentry *parent,
				       struct etfs_key *key)
{
	struct qstr name = QSTR_INIT(key->name, key->name_len);
	struct inode *dir = d_inode(parent);
	struct dentry *dentry, *drop = NULL;
	bool taken = false;

	inode_lock_nested(dir, I_MUTEX_PARENT);
	/* A client of nfsd is to ask for this name again. */
	rumpfs_node_inc_version(dir);
	name.hash = full_name_hash(parent, name.name, name.len);
	dentry = d_lookup(parent, &name);
	if (dentry && d_really_is_negative(dentry)) {
		drop = dentry;
	} else if (dentry && rumpfs_is_key(d_inode(dentry))) {
		if (rumpfs_is_stale_key(d_inode(dentry), key))
			drop = dentry;
	} else if (dentry && !rumpfs_cookie(dentry)) {
		/* A whiteout that is to be found by nobody. */
		drop = dentry;
	} else if (dentry) {
		taken = rumpfs_sync_entry(dir, dentry, key);
	}
	if (!drop)
		dput(dentry);
	if (!taken)
		rumpfs_sync_hidden(dir, &name, key);
	inode_unlock(dir);
	return drop;
}

static bool rumpfs_is_dir_in_memory(const struct dentry *dentry)
{
	return dentry && d_is_dir(dentry) && !rumpfs_is_key(d_inode(dentry));
}

/*
 * The directory in memory at a name, with a reference. One that a key hides is
 * kept in line like any other: who has it open goes on in it, and it comes back
 * as it is.
 */
static struct dentry *rumpfs_sync_step(struct dentry *dir, struct qstr *name)
{
	struct dentry *child;

	name->hash = full_name_hash(dir, name->name, name->len);
	inode_lock_shared_nested(d_inode(dir), I_MUTEX_PARENT);
	child = d_lookup(dir, name);
	if (!rumpfs_is_dir_in_memory(child)) {
		dput(child);
		child = dget(rumpfs_hidden_find(d_inode(dir), name));
	}
	inode_unlock_shared(d_inode(dir));
	if (rumpfs_is_dir_in_memory(child))
		return child;
	dput(child);
	return NULL;
}

/*
 * The directory in memory of a name's parent, as far as there is one. Each
 * step waits for a rename under way, which has not seen the batch. Names below
 * a mapped directory are asked about at each lookup. buf: PATH_MAX bytes.
 */
static struct dentry *rumpfs_sync_find(struct super_block *sb,
				       const struct etfs_key *key, char *buf)
{
	struct dentry *dir = dget(sb->s_root), *child;
	const char *path;

	if (!key->parent->parent)
		return dir;
	path = etfs_key_path(key, buf, PATH_MAX);
	while (dir) {
		const char *end = strchr(++path, '/');
		struct qstr name;

		if (!end)
			break;
		name = (struct qstr)QSTR_INIT(path, end - path);
		path = end;
		child = rumpfs_sync_step(dir, &name);
		dput(dir);
		dir = child;
	}
	return dir;
}

bool rumpfs_names_is_mountpoint(struct rumpfs_sb *sbi,
				const struct etfs_map *map)
{
	struct dentry *dentry = dget(sbi->sb->s_root), *child;
	const char *path = map->spec.key, *end;
	struct qstr name;
	bool is_mounted;

	lockdep_assert_held(&sbi->table->lock);
	while (dentry && *path) {
		end = strchrnul(++path, '/');
		name = (struct qstr)QSTR_INIT(path, end - path);
		name.hash = full_name_hash(dentry, name.name, name.len);
		path = end;
		child = d_lookup(dentry, &name);
		dput(dentry);
		dentry = child;
	}
	is_mounted = dentry && d_mountpoint(dentry);
	dput(dentry);
	return is_mounted || (S_ISDIR(map->kind->type) &&
			      etfs_mirror_is_mountpoint(sbi->sb, map));
}

void rumpfs_names_sync(struct rumpfs_sb *sbi, struct etfs_batch *batch)
{
	struct dentry *parent, *drop;
	struct etfs_key *key;

	lockdep_assert_held(&sbi->table->lock);
	list_for_each_entry(key, &batch->touched, touched) {
		parent = rumpfs_sync_find(sbi->sb, key, batch->path);
		if (!parent)
			continue;
		drop = rumpfs_sync_name(parent, key);
		/*
		 * What is hidden keeps its mounts; what is gone does not, and
		 * is unhashed here: else there would be nothing to detach.
		 */
		if (drop) {
			d_invalidate(drop);
			dput(drop);
		}
		dput(parent);
		cond_resched();
	}
}
