/* SPDX-License-Identifier: GPL-2.0 */
/* A hash that does not grow, and lets a check keep notes in its entries. */
#ifndef _FUZZ_RHASHTABLE_H
#define _FUZZ_RHASHTABLE_H

#include <linux/slab.h>

#define FUZZ_BUCKETS	64

struct rhash_head {
	struct rhash_head *next;
	/* what fuzz_check() counts */
	u32 nr_maps, nr_below, nr_dirs;
};

struct rhashtable_compare_arg { const void *key; };

struct rhashtable_params {
	size_t head_offset;
	u32 (*hashfn)(const void *key, u32 len, u32 seed);
	u32 (*obj_hashfn)(const void *obj, u32 len, u32 seed);
	int (*obj_cmpfn)(struct rhashtable_compare_arg *arg, const void *obj);
	u16 min_size;
	bool automatic_shrinking;
};

struct rhashtable { struct rhash_head *buckets[FUZZ_BUCKETS]; };

static inline int rhashtable_init(struct rhashtable *table,
				  const struct rhashtable_params *params)
{
	*table = (struct rhashtable) { };
	return fuzz_refuses() ? -ENOMEM : 0;
}

static inline void rhashtable_destroy(struct rhashtable *table)
{
	u32 i;

	for (i = 0; i < FUZZ_BUCKETS; i++)
		WARN_ON(table->buckets[i]);
}

static inline void *rhashtable_lookup(struct rhashtable *table, const void *key,
				      const struct rhashtable_params params)
{
	u32 hash = params.hashfn(key, 0, 0) % FUZZ_BUCKETS;
	struct rhashtable_compare_arg arg = { key };
	struct rhash_head *at;

	for (at = table->buckets[hash]; at; at = at->next) {
		void *obj = (char *)at - params.head_offset;

		if (!params.obj_cmpfn(&arg, obj))
			return obj;
	}
	return NULL;
}

static inline struct rhash_head **
rhashtable_bucket(struct rhashtable *table, struct rhash_head *head,
		  const struct rhashtable_params *params)
{
	const void *obj = (char *)head - params->head_offset;

	return &table->buckets[params->obj_hashfn(obj, 0, 0) % FUZZ_BUCKETS];
}

static inline int rhashtable_insert_fast(struct rhashtable *table,
					 struct rhash_head *head,
					 const struct rhashtable_params params)
{
	struct rhash_head **bucket = rhashtable_bucket(table, head, &params);

	if (fuzz_refuses())
		return -ENOMEM;
	head->next = *bucket;
	*bucket = head;
	return 0;
}

static inline int rhashtable_remove_fast(struct rhashtable *table,
					 struct rhash_head *head,
					 const struct rhashtable_params params)
{
	struct rhash_head **at = rhashtable_bucket(table, head, &params);

	while (*at != head) {
		WARN_ON(!*at);
		at = &(*at)->next;
	}
	*at = head->next;
	return 0;
}

#endif /* _FUZZ_RHASHTABLE_H */
