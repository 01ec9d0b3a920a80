// SPDX-License-Identifier: GPL-2.0
/*
 * Names and maps of one table: find, add, remove.
 *
 * A trie of path components, which lookups read under RCU: a hash for one
 * name, an array below each name for listings. The maps are also rows, in key
 * order: see rows.c.
 */
#include "etfs.h"

#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>

/* What every settled map and name is born of, and every removed one died of. */
static struct etfs_epoch etfs_always = { .on = true };

static bool etfs_life_is_born(const struct etfs_life *life)
{
	/* Pairs with the release in etfs_table_commit(). */
	return smp_load_acquire(&READ_ONCE(life->born)->on);
}

bool etfs_life_is_on(const struct etfs_life *life)
{
	const struct etfs_epoch *dead;

	if (!etfs_life_is_born(life))
		return false;
	dead = READ_ONCE(life->dead);
	/* Pairs with the release in etfs_table_commit(). */
	return !dead || !smp_load_acquire(&dead->on);
}

/* The names */

struct etfs_name {
	const struct etfs_key *parent;
	const char *name;
	u32 len;
};

static u32 etfs_name_hash(const struct etfs_key *parent, const char *name,
			  u32 len, u32 seed)
{
	return jhash(name, len, jhash(&parent, sizeof(parent), seed));
}

static u32 etfs_keys_hashfn(const void *data, u32 len, u32 seed)
{
	const struct etfs_name *name = data;

	return etfs_name_hash(name->parent, name->name, name->len, seed);
}

static u32 etfs_keys_obj_hashfn(const void *data, u32 len, u32 seed)
{
	const struct etfs_key *key = data;

	return etfs_name_hash(key->parent, key->name, key->name_len, seed);
}

static int etfs_keys_obj_cmpfn(struct rhashtable_compare_arg *arg,
			       const void *obj)
{
	const struct etfs_name *name = arg->key;
	const struct etfs_key *key = obj;

	return key->parent != name->parent || key->name_len != name->len ||
	       memcmp(key->name, name->name, name->len);
}

static const struct rhashtable_params etfs_keys_params = {
	.head_offset = offsetof(struct etfs_key, hash),
	.hashfn = etfs_keys_hashfn,
	.obj_hashfn = etfs_keys_obj_hashfn,
	.obj_cmpfn = etfs_keys_obj_cmpfn,
	.automatic_shrinking = true,
};

struct etfs_key *etfs_key_find(struct etfs_table *table,
			       const struct etfs_key *parent,
			       const char *name, u32 len)
{
	struct etfs_name arg = { parent, name, len };

	return rhashtable_lookup(&table->keys, &arg, etfs_keys_params);
}

/* The next component of a path, and how long it is; 0 at the end. */
static u32 etfs_path_next(const char **path)
{
	while (**path == '/')
		(*path)++;
	return strchrnul(*path, '/') - *path;
}

/* Context: RCU read section. Return: NULL if the table has no such name. */
struct etfs_key *etfs_key_walk(struct etfs_table *table, const char *path)
{
	struct etfs_key *key = table->root;
	u32 len;

	while (key && (len = etfs_path_next(&path))) {
		key = etfs_key_find(table, key, path, len);
		path += len;
	}
	return key;
}

/* No path is longer than a key. */
char *etfs_key_path(const struct etfs_key *key, char *buf, size_t size)
{
	char *at = buf + size - 1;

	*at = '\0';
	for (; key->parent; key = key->parent) {
		at -= key->name_len;
		memcpy(at, key->name, key->name_len);
		*--at = '/';
	}
	return at;
}

static struct etfs_key *etfs_key_new(struct etfs_key *parent, const char *name,
				     u32 len)
{
	struct etfs_key *key;

	/* A short name fits behind the last member. */
	key = kzalloc(max(sizeof(*key), offsetof(struct etfs_key, name) + len),
		      GFP_KERNEL_ACCOUNT);
	if (!key)
		return NULL;
	key->parent = parent;
	key->ino = etfs_ino_new();
	key->name_len = len;
	memcpy(key->name, name, len);
	xa_init_flags(&key->below, XA_FLAGS_ALLOC1);
	INIT_LIST_HEAD(&key->touched);
	return key;
}

static void etfs_key_touch(struct etfs_batch *batch, struct etfs_key *key)
{
	if (list_empty(&key->touched))
		list_add_tail(&key->touched, &batch->touched);
}

/* A name nobody sees before the batch is committed. */
static struct etfs_key *etfs_key_add(struct etfs_batch *batch,
				     struct etfs_key *parent, const char *name,
				     u32 len)
{
	struct etfs_table *table = batch->table;
	struct etfs_key *key;
	int err;

	key = etfs_key_new(parent, name, len);
	if (!key)
		return ERR_PTR(-ENOMEM);
	key->life.born = batch->epoch;
	err = rhashtable_insert_fast(&table->keys, &key->hash,
				     etfs_keys_params);
	if (err)
		goto free_key;
	err = xa_alloc_cyclic(&parent->below, &key->cookie, key,
			      XA_LIMIT(1, S32_MAX), &parent->next_cookie,
			      GFP_KERNEL_ACCOUNT);
	if (err < 0)
		goto remove_key;
	WRITE_ONCE(table->nr_keys, table->nr_keys + 1);
	etfs_key_touch(batch, key);
	return key;

remove_key:
	rhashtable_remove_fast(&table->keys, &key->hash, etfs_keys_params);
free_key:
	/* Somebody may have found it in the meantime, and seen it unborn. */
	kfree_rcu(key, rcu);
	return ERR_PTR(-ENOMEM);
}

static struct etfs_key *etfs_key_make(struct etfs_batch *batch,
				      const char *path)
{
	struct etfs_table *table = batch->table;
	struct etfs_key *key = table->root, *next;
	u32 len;

	while ((len = etfs_path_next(&path))) {
		rcu_read_lock();
		next = etfs_key_find(table, key, path, len);
		rcu_read_unlock();
		if (!next)
			next = etfs_key_add(batch, key, path, len);
		if (IS_ERR(next))
			return next;
		key = next;
		path += len;
	}
	return key;
}

/*
 * Free the touched names that no map needs. All are unlinked before one is
 * freed, as their order says nothing of who is below whom.
 */
static void etfs_keys_sweep(struct etfs_batch *batch)
{
	struct etfs_table *table = batch->table;
	struct etfs_key *key, *next;

	list_for_each_entry_safe(key, next, &batch->touched, touched) {
		if (key->nr_maps || !key->parent) {
			list_del_init(&key->touched);
			continue;
		}
		rhashtable_remove_fast(&table->keys, &key->hash,
				       etfs_keys_params);
		xa_erase(&key->parent->below, key->cookie);
		WRITE_ONCE(table->nr_keys, table->nr_keys - 1);
	}
	/*
	 * No directory may go on using what it remembers of these names, nor
	 * what it computed while it was being renamed and the batch committed.
	 * A full barrier: who sees this shape sees what is gone.
	 */
	atomic64_inc_return(&table->shape);
	list_for_each_entry_safe(key, next, &batch->touched, touched)
		kfree_rcu(key, rcu);
	INIT_LIST_HEAD(&batch->touched);
}

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

/* What the table itself has against a new map. */
static int etfs_table_may_add(struct etfs_table *table,
			      const struct etfs_map *map, bool replace,
			      struct etfs_reason *why)
{
	const char *path = map->spec.key;
	struct etfs_key *key = table->root;
	struct etfs_map *above = NULL, *old = NULL;
	u32 len, nr_below = 0;

	rcu_read_lock();
	while (key && (len = etfs_path_next(&path))) {
		if (old && etfs_map_is_leaf(old))
			above = old;
		key = etfs_key_find(table, key, path, len);
		old = key ? etfs_key_map_pending(table, key) : NULL;
		path += len;
	}
	if (key)
		nr_below = key->nr_maps - !!old;
	rcu_read_unlock();

	if (old && !replace) {
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
	if (!old && table->nr_maps >= READ_ONCE(etfs_max_mappings)) {
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
	struct etfs_key *key;
	int err;

	lockdep_assert_held(&table->lock);
	err = etfs_table_may_add(table, map, replace, why);
	if (err)
		return err;
	key = etfs_key_make(batch, map->spec.key);
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

void etfs_table_remove(struct etfs_batch *batch, struct etfs_map *map)
{
	struct etfs_table *table = batch->table;

	lockdep_assert_held(&table->lock);
	WRITE_ONCE(map->life.dead, batch->epoch);
	etfs_key_touch(batch, map->key);
	etfs_key_count(batch, map->key, -1);
	etfs_rows_erase(table, map);
	list_del_init(&map->node);
	list_add_tail(&map->node, &batch->dead);
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
	}
	list_for_each_entry_safe_reverse(map, next, &batch->born, born) {
		list_del_init(&map->born);
		list_del_init(&map->node);
		etfs_key_unlink(table, map);
		etfs_key_count(batch, map->key, -1);
		etfs_rows_erase(table, map);
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
	/* Pairs with the acquires in etfs_life_is_born() and _is_on(). */
	smp_store_release(&batch->epoch->on, true);
	table->generation++;
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
	}
	list_for_each_entry_safe(map, next, &batch->born, born) {
		WRITE_ONCE(map->life.born, &etfs_always);
		list_del_init(&map->born);
	}
	list_for_each_entry(key, &batch->touched, touched)
		etfs_key_settle(table, key);
	etfs_keys_sweep(batch);
}

/* The life of a table */

int etfs_table_init(struct etfs_table *table)
{
	int err;

	memset(table, 0, sizeof(*table));
	mutex_init(&table->lock);
	table->rows = RB_ROOT;
	table->inos = RB_ROOT;
	/* 0 is what a directory that never asked has. */
	atomic64_set(&table->shape, 1);
	INIT_LIST_HEAD(&table->mounts);
	INIT_LIST_HEAD(&table->pinned);
	err = rhashtable_init(&table->keys, &etfs_keys_params);
	if (err)
		return err;
	table->root = etfs_key_new(NULL, "", 0);
	if (!table->root) {
		rhashtable_destroy(&table->keys);
		return -ENOMEM;
	}
	table->root->life.born = &etfs_always;
	return 0;
}

/* The table is empty and shown by no mount. */
void etfs_table_exit(struct etfs_table *table)
{
	WARN_ON(table->nr_maps || !list_empty(&table->mounts));
	rhashtable_destroy(&table->keys);
	/* A directory that is gone may be remembered under RCU, with its key. */
	kfree_rcu(table->root, rcu);
}
