// SPDX-License-Identifier: GPL-2.0
/*
 * Maps of one table: find, add, remove, all of a batch or none.
 *
 * The names they are at are in keys.c. The maps are also rows, in key order:
 * see rows.c.
 */
#include "keys.h"

#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/string.h>

/* What every settled map and name is born of, and every removed one died of. */
static struct etfs_epoch etfs_always = { .on = true };

/* Maps at a name */

/*
 * A batch that replaces a map may be committed between two looks, and then the
 * old one is dead or unlinked already. The new one was either seen before it
 * was born, or had not been put in front yet: a second pass finds it.
 */
struct etfs_map *etfs_key_map(const struct etfs_key *key)
{
	const struct etfs_map *unborn;
	struct etfs_map *map, *first;

	do {
		unborn = NULL;
		first = rcu_dereference(key->map);
		for (map = first; map; map = rcu_dereference(map->older)) {
			/* Asked once: it may be born between two looks. */
			if (!etfs_life_is_born(&map->life))
				unborn = unborn ?: map;
			else if (etfs_life_is_on(&map->life))
				return map;
		}
	} while (first != rcu_dereference(key->map) ||
		 (unborn && etfs_life_is_born(&unborn->life)));
	return NULL;
}

#define etfs_locked(table, pointer) \
	rcu_dereference_protected(pointer, lockdep_is_held(&(table)->lock))

static struct etfs_map *etfs_key_map_pending(struct etfs_table *table,
					     const struct etfs_key *key)
{
	struct etfs_map *map;

	for (map = etfs_locked(table, key->map); map;
	     map = etfs_locked(table, map->older))
		if (!map->life.dead)
			return map;
	return NULL;
}

struct etfs_map *etfs_table_find(struct etfs_table *table, const char *path)
{
	struct etfs_key *key;

	lockdep_assert_held(&table->lock);
	rcu_read_lock();
	key = etfs_key_walk(table, path);
	rcu_read_unlock();
	return key ? etfs_key_map_pending(table, key) : NULL;
}

static void etfs_key_unlink(struct etfs_table *table, struct etfs_map *map)
{
	struct etfs_map __rcu **at = &map->key->map;
	struct etfs_map *other;

	while ((other = etfs_locked(table, *at)) != map)
		at = &other->older;
	/* Readers that stand on map still find what is behind it. */
	rcu_assign_pointer(*at, etfs_locked(table, map->older));
}

/*
 * Count one map more or less at a name and above. A name without any dies at
 * the commit, not before: the batch may yet give it another. Of names that die
 * the lower is told to the mounts before the upper.
 */
static void etfs_key_count(struct etfs_batch *batch, struct etfs_key *key,
			   int change)
{
	for (; key; key = key->parent) {
		bool was = key->nr_maps;

		key->nr_maps += change;
		if (was != !!key->nr_maps && key->parent)
			list_move_tail(&key->touched, &batch->touched);
	}
}

/* The batch */

static bool etfs_map_is_leaf(const struct etfs_map *map)
{
	return !S_ISDIR(map->kind->type);
}

/*
 * What the table itself has against a new map. If nothing, *spot is how far the
 * names of its key are there.
 */
static int etfs_table_may_add(struct etfs_table *table,
			      const struct etfs_map *map, bool replace,
			      struct etfs_spot *spot, struct etfs_reason *why)
{
	struct etfs_map *above = NULL, *old = NULL;
	struct etfs_key *key;
	u32 nr_below = 0;

	*spot = (struct etfs_spot) {
		.key = table->root, .rest = map->spec.key,
	};
	rcu_read_lock();
	while ((spot->len = etfs_path_next(&spot->rest))) {
		if (old && etfs_map_is_leaf(old))
			above = old;
		key = etfs_key_find(table, spot->key, spot->rest, spot->len);
		old = key ? etfs_key_map_pending(table, key) : NULL;
		if (!key)
			break;
		spot->key = key;
		spot->rest += spot->len;
	}
	if (!spot->len)
		nr_below = spot->key->nr_maps - !!old;
	rcu_read_unlock();

	if (old && (!replace || old->kind->is_implied)) {
		etfs_refuse(why, "the key is taken by type %s",
			    old->kind->name);
		return -EEXIST;
	}
	if (above) {
		etfs_refuse(why, "the key lies below one of type %s",
			    above->kind->name);
		return -ENOTDIR;
	}
	if (nr_below && etfs_map_is_leaf(map)) {
		etfs_refuse(why, "keys lie below: %u", nr_below);
		return -ENOTEMPTY;
	}
	if (!old && !map->kind->is_implied &&
	    table->nr_maps >= READ_ONCE(etfs_max_mappings)) {
		etfs_refuse(why, "the table has %u mappings, max_mappings is %u",
			    table->nr_maps, READ_ONCE(etfs_max_mappings));
		return -E2BIG;
	}
	return 0;
}

int etfs_table_add(struct etfs_batch *batch, struct etfs_map *map,
		   bool replace, struct etfs_reason *why)
{
	struct etfs_table *table = batch->table;
	struct etfs_map *old;
	struct etfs_spot spot;
	struct etfs_key *key;
	int err;

	lockdep_assert_held(&table->lock);
	err = etfs_table_may_add(table, map, replace, &spot, why);
	if (err)
		return err;
	key = etfs_key_make(batch, &spot);
	if (IS_ERR(key)) {
		etfs_refuse(why, "out of memory");
		return PTR_ERR(key);
	}
	old = etfs_key_map_pending(table, key);
	if (old)
		etfs_table_remove(batch, old);

	map->key = key;
	map->life.born = batch->epoch;
	map->life.dead = NULL;
	RCU_INIT_POINTER(map->older, etfs_locked(table, key->map));
	rcu_assign_pointer(key->map, map);
	etfs_key_touch(batch, key);
	etfs_key_count(batch, key, 1);
	etfs_rows_insert(table, map);
	if (map->is_pinned)
		list_add_tail(&map->node, &table->pinned);
	list_add_tail(&map->born, &batch->born);
	return 0;
}

static void etfs_table_remove_one(struct etfs_batch *batch,
				  struct etfs_map *map)
{
	struct etfs_table *table = batch->table;

	WRITE_ONCE(map->life.dead, batch->epoch);
	etfs_key_touch(batch, map->key);
	etfs_key_count(batch, map->key, -1);
	etfs_rows_erase(table, map);
	list_del_init(&map->node);
	list_add_tail(&map->node, &batch->dead);
}

/* And its partitions, or those that follow a partition. */
void etfs_table_remove(struct etfs_batch *batch, struct etfs_map *map)
{
	lockdep_assert_held(&batch->table->lock);
	for (; map; map = map->part)
		etfs_table_remove_one(batch, map);
}

/* Take back all that was added and removed since the batch began. */
void etfs_table_undo(struct etfs_batch *batch)
{
	struct etfs_table *table = batch->table;
	struct etfs_map *map, *next;

	lockdep_assert_held(&table->lock);
	list_for_each_entry_safe_reverse(map, next, &batch->dead, node) {
		list_del_init(&map->node);
		WRITE_ONCE(map->life.dead, NULL);
		etfs_key_count(batch, map->key, 1);
		etfs_rows_insert(table, map);
		if (map->is_pinned)
			list_add_tail(&map->node, &table->pinned);
		cond_resched();
	}
	list_for_each_entry_safe_reverse(map, next, &batch->born, born) {
		list_del_init(&map->born);
		list_del_init(&map->node);
		etfs_key_unlink(table, map);
		etfs_key_count(batch, map->key, -1);
		etfs_rows_erase(table, map);
		cond_resched();
	}
	etfs_keys_sweep(batch);
}

/* From here on every lookup sees the whole batch. */
void etfs_table_commit(struct etfs_batch *batch)
{
	struct etfs_table *table = batch->table;
	struct etfs_key *key;

	lockdep_assert_held(&table->lock);
	list_for_each_entry(key, &batch->touched, touched)
		if (!key->nr_maps)
			WRITE_ONCE(key->life.dead, batch->epoch);
	/*
	 * Who sees any of the batch must not go on without names of it that
	 * are below directories that had none.
	 */
	atomic64_inc_return(&table->shape);
	/* Pairs with the acquires in etfs_life_is_born() and _is_on(). */
	smp_store_release(&batch->epoch->on, true);
	table->generation++;
	WRITE_ONCE(table->nr_committed, table->nr_maps);
	/* A full barrier, as in etfs_keys_sweep(). */
	atomic64_inc_return(&table->shape);
}

static void etfs_key_settle(struct etfs_table *table, struct etfs_key *key)
{
	struct etfs_map *map = etfs_key_map_pending(table, key);
	bool is_dir = key->nr_maps && (!map || !etfs_map_is_leaf(map));

	WRITE_ONCE(key->life.born, &etfs_always);
	if (key->life.dead)
		WRITE_ONCE(key->life.dead, &etfs_always);
	if (key->parent && key->is_dir != is_dir) {
		key->is_dir = is_dir;
		WRITE_ONCE(key->parent->nr_dirs,
			   key->parent->nr_dirs + (is_dir ? 1 : -1));
	}
}

/*
 * The mounts know of the batch: forget its epoch and what it removed. The
 * caller still owns the table's reference on each map of batch->dead.
 */
void etfs_table_settle(struct etfs_batch *batch)
{
	struct etfs_table *table = batch->table;
	struct etfs_map *map, *next;
	struct etfs_key *key;

	lockdep_assert_held(&table->lock);
	list_for_each_entry(map, &batch->dead, node) {
		etfs_key_unlink(table, map);
		WRITE_ONCE(map->life.dead, &etfs_always);
		cond_resched();
	}
	list_for_each_entry_safe(map, next, &batch->born, born) {
		WRITE_ONCE(map->life.born, &etfs_always);
		list_del_init(&map->born);
		cond_resched();
	}
	list_for_each_entry(key, &batch->touched, touched) {
		etfs_key_settle(table, key);
		cond_resched();
	}
	etfs_keys_sweep(batch);
}

/* The life of a table */

int etfs_table_init(struct etfs_table *table)
{
	int err;

	memset(table, 0, sizeof(*table));
	mutex_init(&table->lock);
	table->rows = RB_ROOT;
	table->inos = RB_ROOT_CACHED;
	/* 0 is what a directory that never asked has. */
	atomic64_set(&table->shape, 1);
	INIT_LIST_HEAD(&table->mounts);
	INIT_LIST_HEAD(&table->pinned);
	err = etfs_keys_init(table);
	if (err)
		return err;
	table->root->life.born = &etfs_always;
	return 0;
}

/* The table is empty and shown by no mount. */
void etfs_table_exit(struct etfs_table *table)
{
	WARN_ON(table->nr_maps || !list_empty(&table->mounts));
	etfs_keys_exit(table);
}
