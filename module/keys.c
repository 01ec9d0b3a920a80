// SPDX-License-Identifier: GPL-2.0
/*
 * The names of one table.
 *
 * A trie of path components, which lookups read under RCU: a hash for one
 * name, an array below each name for listings.
 */
#include "keys.h"

#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

struct etfs_name {
	const struct etfs_key *parent;
	const char *name;
	u32 len;
};

static u32 etfs_name_hash(const struct etfs_key *parent, const char *name,
			  u32 len, u32 seed)
{
	return jhash(name, len, seed + hash_ptr(parent, 32));
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
	/* As large as it begins: a table that was emptied need not grow again. */
	.min_size = 64,
	.automatic_shrinking = true,
};

struct etfs_key *etfs_key_find(struct etfs_table *table,
			       const struct etfs_key *parent,
			       const char *name, u32 len)
{
	struct etfs_name arg = { parent, name, len };

	return rhashtable_lookup(&table->keys, &arg, etfs_keys_params);
}

u32 etfs_path_next(const char **path)
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
	key->next_cookie = 1;
	key->name_len = len;
	memcpy(key->name, name, len);
	xa_init_flags(&key->below, XA_FLAGS_ALLOC1);
	INIT_LIST_HEAD(&key->touched);
	return key;
}

void etfs_key_touch(struct etfs_batch *batch, struct etfs_key *key)
{
	if (list_empty(&key->touched))
		list_add_tail(&key->touched, &batch->touched);
}

/* Find a cookie: the next, unless somebody has had it for 2^31 names. */
static int etfs_key_enter(struct etfs_key *parent, struct etfs_key *key)
{
	int err;

	key->cookie = parent->next_cookie;
	err = xa_insert(&parent->below, key->cookie, key, GFP_KERNEL_ACCOUNT);
	if (err == -EBUSY)
		err = xa_alloc_cyclic(&parent->below, &key->cookie, key,
				      XA_LIMIT(1, S32_MAX),
				      &parent->next_cookie,
				      GFP_KERNEL_ACCOUNT);
	if (err >= 0)
		parent->next_cookie = key->cookie % S32_MAX + 1;
	return err;
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
	err = etfs_key_enter(parent, key);
	if (err < 0)
		goto free_key;
	/* Last, as a directory may remember what is found by name. */
	err = rhashtable_insert_fast(&table->keys, &key->hash,
				     etfs_keys_params);
	if (err)
		goto erase_key;
	WRITE_ONCE(table->nr_keys, table->nr_keys + 1);
	etfs_key_touch(batch, key);
	return key;

erase_key:
	xa_erase(&parent->below, key->cookie);
free_key:
	/* A listing may have come by in the meantime, and seen it unborn. */
	kfree_rcu(key, rcu);
	return ERR_PTR(-ENOMEM);
}

struct etfs_key *etfs_key_make(struct etfs_batch *batch,
			       const struct etfs_spot *spot)
{
	struct etfs_key *key = spot->key;
	const char *path = spot->rest;
	u32 len = spot->len;

	while (len) {
		key = etfs_key_add(batch, key, path, len);
		if (IS_ERR(key))
			break;
		path += len;
		len = etfs_path_next(&path);
	}
	return key;
}

/* Their order says nothing of who is below whom: all are unlinked first. */
void etfs_keys_sweep(struct etfs_batch *batch)
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
		cond_resched();
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

int etfs_keys_init(struct etfs_table *table)
{
	int err = rhashtable_init(&table->keys, &etfs_keys_params);

	if (err)
		return err;
	table->root = etfs_key_new(NULL, "", 0);
	if (table->root)
		return 0;
	rhashtable_destroy(&table->keys);
	return -ENOMEM;
}

void etfs_keys_exit(struct etfs_table *table)
{
	rhashtable_destroy(&table->keys);
	/* A directory that is gone may be remembered under RCU, with its key. */
	kfree_rcu(table->root, rcu);
}
