// SPDX-License-Identifier: GPL-2.0
/*
 * What a directory remembers of the table: its own name there.
 *
 * It is found by the path of the directory, and good for as long as the shape
 * of the table stays. A directory that a key hides has its path still.
 */
#include "names.h"

#include <linux/dcache.h>
#include <linux/slab.h>

static void rumpfs_dir_key_store(struct inode *dir, struct etfs_key *key,
				 u64 shape)
{
	struct rumpfs_dir *own = RUMPFS_DIR(dir);

	spin_lock(&dir->i_lock);
	WRITE_ONCE(own->shape, 0);
	/* Pairs with rumpfs_dir_key_cached(). */
	smp_wmb();
	WRITE_ONCE(own->key, key);
	/* See above. */
	smp_store_release(&own->shape, shape);
	spin_unlock(&dir->i_lock);
}

static int rumpfs_dir_key_update(struct inode *dir)
{
	struct etfs_table *table = rumpfs_table(dir);
	u64 shape = atomic64_read_acquire(&table->shape);
	struct dentry *alias = d_find_any_alias(dir);
	char *buf, *path;

	if (!alias)
		return -ENOENT;
	buf = rumpfs_dir_own(dir, GFP_KERNEL) ?
	      kmalloc(PATH_MAX, GFP_KERNEL) : NULL;
	if (!buf) {
		dput(alias);
		return -ENOMEM;
	}
	path = dentry_path_raw(alias, buf, PATH_MAX);
	rcu_read_lock();
	/* Too long a path is longer than any key. */
	rumpfs_dir_key_store(dir, IS_ERR(path) ? NULL :
			     etfs_key_walk(table, path), shape);
	rcu_read_unlock();
	kfree(buf);
	dput(alias);
	return 0;
}

struct etfs_key *rumpfs_dir_key_begin(struct inode *dir) __acquires(RCU)
{
	struct etfs_key *key = NULL;
	int err;

	rcu_read_lock();
	/* One that was removed has no path: its own may be another's by now. */
	if (!READ_ONCE(rumpfs_table(dir)->nr_keys) || IS_DEADDIR(dir))
		return NULL;
	while (!rumpfs_dir_key_cached(dir, &key)) {
		rcu_read_unlock();
		err = rumpfs_dir_key_update(dir);
		rcu_read_lock();
		if (err)
			return ERR_PTR(err);
	}
	return key;
}

int rumpfs_names_below(struct inode *dir)
{
	struct etfs_key *key = rumpfs_dir_key_begin(dir);
	int ret;

	if (IS_ERR(key))
		ret = PTR_ERR(key);
	else
		ret = key && key->parent && etfs_life_is_on(&key->life);
	rumpfs_dir_key_end();
	return ret;
}

u32 rumpfs_names_nr_dirs(struct inode *dir)
{
	struct etfs_key *key = rumpfs_dir_key_begin(dir);
	u32 nr = 0;

	if (!IS_ERR_OR_NULL(key))
		nr = READ_ONCE(key->nr_dirs);
	rumpfs_dir_key_end();
	return nr;
}
