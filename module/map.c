// SPDX-License-Identifier: GPL-2.0
/* The life of one map: made, counted, used, claimed, let go. */
#include "etfs.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

/*
 * Inode numbers of keys and of the directories they imply: bit 62 set, which
 * no number of the in-memory tree has.
 */
static atomic64_t etfs_next_ino = ATOMIC64_INIT(0);

/* Of the nodes of keys, in this life of the module. */
u32 etfs_generation;

u64 etfs_ino_new(void)
{
	return BIT_ULL(62) | atomic64_inc_return(&etfs_next_ino);
}

struct workqueue_struct *etfs_map_wq;
static struct kmem_cache *etfs_map_cache;

int etfs_map_init(void)
{
	etfs_generation = get_random_u32();
	etfs_map_cache = KMEM_CACHE(etfs_map, SLAB_ACCOUNT);
	if (!etfs_map_cache)
		return -ENOMEM;
	etfs_map_wq = alloc_workqueue("rumpfs", WQ_UNBOUND, 0);
	if (etfs_map_wq)
		return 0;
	kmem_cache_destroy(etfs_map_cache);
	return -ENOMEM;
}

/*
 * All maps were put, but for what a drain puts. A gate settles after a grace
 * period, which queues its drain, and what that puts is released after one
 * more.
 */
void etfs_map_exit(void)
{
	rcu_barrier();
	/* What has settled queues more. */
	flush_workqueue(etfs_map_wq);
	flush_workqueue(etfs_map_wq);
	rcu_barrier();
	/* Waits until the last one is released. */
	destroy_workqueue(etfs_map_wq);
	kmem_cache_destroy(etfs_map_cache);
}

/* The host's string is behind the key's, unless it was set since. */
void etfs_map_set_host_path(struct etfs_map *map, char *path)
{
	if (map->spec.host != map->spec.key + strlen(map->spec.key) + 1)
		kfree(map->spec.host);
	map->spec.host = path;
}

static void etfs_map_release(struct work_struct *work)
{
	struct etfs_map *map = container_of(to_rcu_work(work), struct etfs_map,
					    release);

	if (map->is_bound)
		map->kind->unbind(map);
	etfs_origin_put(map->origin);
	etfs_gate_free(map->gate);
	etfs_map_set_host_path(map, NULL);
	kfree(map->own_path);
	kfree(map->spec.key);
	kmem_cache_free(etfs_map_cache, map);
}

struct etfs_map *etfs_map_new(const struct etfs_spec *spec,
			      const struct etfs_kind *kind,
			      struct etfs_origin *origin)
{
	size_t key_size = strlen(spec->key) + 1;
	size_t host_size = strlen(spec->host) + 1;
	size_t tag_size = spec->tag ? strlen(spec->tag) + 1 : 0;
	struct etfs_map *map;
	char *at;

	map = kmem_cache_zalloc(etfs_map_cache, GFP_KERNEL);
	if (!map)
		return NULL;
	at = kmalloc(key_size + host_size + tag_size, GFP_KERNEL_ACCOUNT);
	if (!at) {
		kmem_cache_free(etfs_map_cache, map);
		return NULL;
	}
	refcount_set(&map->ref, 1);
	map->kind = kind;
	map->spec = *spec;
	map->spec.key = memcpy(at, spec->key, key_size);
	map->spec.host = memcpy(at + key_size, spec->host, host_size);
	if (tag_size)
		map->spec.tag = memcpy(at + key_size + host_size, spec->tag,
				       tag_size);
	map->origin = etfs_origin_get(origin);
	map->ino = etfs_ino_new();
	INIT_LIST_HEAD(&map->born);
	INIT_LIST_HEAD(&map->node);
	spin_lock_init(&map->attr_lock);
	map->attr_changed = jiffies - ETFS_ATTR_FRESH - 1;
	return map;
}

void etfs_map_get(struct etfs_map *map)
{
	refcount_inc(&map->ref);
}

/* Context: RCU read section. */
bool etfs_map_tryget(struct etfs_map *map)
{
	return refcount_inc_not_zero(&map->ref);
}

void etfs_map_put(struct etfs_map *map)
{
	if (!refcount_dec_and_test(&map->ref))
		return;
	INIT_RCU_WORK(&map->release, etfs_map_release);
	queue_rcu_work(etfs_map_wq, &map->release);
}

void etfs_map_set_host(struct etfs_map *map, struct file *host)
{
	spin_lock(&map->attr_lock);
	map->host = host;
	spin_unlock(&map->attr_lock);
}

void etfs_map_drop_host(struct etfs_map *map)
{
	struct file *host;

	spin_lock(&map->attr_lock);
	host = map->host;
	map->host = NULL;
	spin_unlock(&map->attr_lock);
	if (host)
		fput(host);
}

struct file *etfs_map_get_host(struct etfs_map *map)
{
	struct file *host;

	spin_lock(&map->attr_lock);
	host = map->host;
	if (host)
		get_file(host);
	spin_unlock(&map->attr_lock);
	return host;
}

int etfs_map_use_claimed(struct etfs_map *map)
{
	/*
	 * A claim alone is given up, or its batch gets true, in a moment: that
	 * waits for no inode. Nobody is to hear of one that was refused.
	 */
	while (etfs_map_try_use(map)) {
		if (etfs_map_has_ended(map) || fatal_signal_pending(current))
			return -ESTALE;
		schedule_timeout_killable(1);
	}
	return 0;
}

void etfs_map_end(struct etfs_map *map)
{
	/* Full barrier: pairs with etfs_map_use() after etfs_gate_make(). */
	atomic_add_return(INT_MIN, &map->users);
}

/* A claim alone may still be given up. */
bool etfs_map_has_ended(const struct etfs_map *map)
{
	bool is_on;

	if (atomic_read(&map->users) >= 0)
		return false;
	rcu_read_lock();
	is_on = etfs_life_is_on(&map->life);
	rcu_read_unlock();
	return !is_on;
}

bool etfs_map_is_busy(const struct etfs_map *map)
{
	return atomic_read(&map->users) > 0;
}

/* Take an idle map, so that nobody can use it any more. */
bool etfs_map_claim(struct etfs_map *map)
{
	return atomic_cmpxchg(&map->users, 0, INT_MIN) == 0;
}

void etfs_map_unclaim(struct etfs_map *map)
{
	atomic_set(&map->users, 0);
}
