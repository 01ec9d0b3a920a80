// SPDX-License-Identifier: GPL-2.0
/* What a batch is made of: its operations, and memory for their strings. */
#include "batch.h"

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

int etfs_batch_init(struct etfs_batch *batch, struct etfs_table *table,
		    struct etfs_origin *origin)
{
	memset(batch, 0, sizeof(*batch));
	batch->table = table;
	batch->origin = origin;
	INIT_LIST_HEAD(&batch->born);
	INIT_LIST_HEAD(&batch->dead);
	INIT_LIST_HEAD(&batch->touched);
	batch->epoch = kzalloc(sizeof(*batch->epoch), GFP_KERNEL);
	batch->path = kmalloc(PATH_MAX, GFP_KERNEL);
	if (batch->epoch && batch->path)
		return 0;
	kfree(batch->epoch);
	kfree(batch->path);
	return -ENOMEM;
}

/* Room for one more operation, all zero; it counts once nr_ops says so. */
struct etfs_op *etfs_batch_next(struct etfs_batch *batch)
{
	u32 max = batch->max_ops ? batch->max_ops * 2 : 16;
	struct etfs_op *ops;

	if (batch->nr_ops == batch->max_ops) {
		ops = kvcalloc(max, sizeof(*ops), GFP_KERNEL_ACCOUNT |
			       __GFP_NOWARN);
		if (!ops)
			return NULL;
		if (batch->nr_ops)
			memcpy(ops, batch->ops, batch->nr_ops * sizeof(*ops));
		kvfree(batch->ops);
		batch->ops = ops;
		batch->max_ops = max;
	}
	return &batch->ops[batch->nr_ops];
}

/* Memory for the strings of operations. */
struct etfs_chunk {
	struct etfs_chunk *next;
	size_t len, size;
	char bytes[];
};

/* The next chunk has twice the room of the last: most batches are short. */
static size_t etfs_chunk_room(const struct etfs_chunk *last, size_t size)
{
	size_t room = last ? 2 * last->size : SZ_1K;

	return max_t(size_t, size, min_t(size_t, room, SZ_64K) - sizeof(*last));
}

size_t etfs_batch_room(const struct etfs_batch *batch, char **at)
{
	struct etfs_chunk *chunk = batch->chunks;

	if (!chunk)
		return 0;
	*at = chunk->bytes + chunk->len;
	return chunk->size - chunk->len;
}

char *etfs_batch_make_room(struct etfs_batch *batch, size_t size)
{
	size_t room = etfs_chunk_room(batch->chunks, size);
	struct etfs_chunk *chunk;

	chunk = kvmalloc(struct_size(chunk, bytes, room), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return NULL;
	chunk->next = batch->chunks;
	chunk->len = 0;
	chunk->size = room;
	batch->chunks = chunk;
	return chunk->bytes;
}

void etfs_batch_take_room(struct etfs_batch *batch, size_t size)
{
	batch->chunks->len += size;
}

char *etfs_batch_alloc(struct etfs_batch *batch, size_t size)
{
	char *bytes;

	if (etfs_batch_room(batch, &bytes) < size)
		bytes = etfs_batch_make_room(batch, size);
	if (bytes)
		etfs_batch_take_room(batch, size);
	return bytes;
}

static void etfs_batch_free_chunks(struct etfs_batch *batch)
{
	struct etfs_chunk *chunk;

	while ((chunk = batch->chunks)) {
		batch->chunks = chunk->next;
		kvfree(chunk);
	}
}

void etfs_op_forget(struct etfs_op *op)
{
	if (op->given)
		fput(op->given);
	op->given = NULL;
}

void etfs_map_remove_wait(struct etfs_map *map)
{
	if (map->kind->remove_wait)
		map->kind->remove_wait(map);
}

/* What was bound and is in no table goes: its name never came. */
void etfs_batch_exit(struct etfs_batch *batch)
{
	struct etfs_op *op;

	for (op = batch->ops; op < batch->ops + batch->nr_ops; op++)
		if (op->map && op->map->is_bound)
			op->map->kind->remove(op->map);
	for (op = batch->ops; op < batch->ops + batch->nr_ops; op++) {
		etfs_op_forget(op);
		if (op->follows)
			etfs_map_put(op->follows);
		if (op->renewed)
			etfs_map_put(op->renewed);
		if (!op->map)
			continue;
		if (op->map->is_bound)
			etfs_map_remove_wait(op->map);
		etfs_map_put(op->map);
		cond_resched();
	}
	kvfree(batch->ops);
	etfs_batch_free_chunks(batch);
	kfree(batch->path);
	kfree_rcu(batch->epoch, rcu);
}

void etfs_batch_blame(struct etfs_batch *batch, const struct etfs_op *op,
		      u32 col)
{
	batch->why.line = op->line;
	batch->why.col = col;
	if (op->spec.key)
		etfs_refuse_key(&batch->why, op->spec.key);
	else
		batch->why.key[0] = '\0';
}
