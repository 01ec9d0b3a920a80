// SPDX-License-Identifier: GPL-2.0
/*
 * The maps of a batch: made, bound to their hosts, and given their devices.
 *
 * No lock is held: a host may take as long as it likes.
 */
#include "batch.h"

#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

static const struct etfs_kind * const etfs_kinds[] = {
	[ETFS_REG] = &etfs_reg_kind,
	[ETFS_BLK] = &etfs_blk_kind,
	[ETFS_CHR] = &etfs_chr_kind,
	[ETFS_DIR] = &etfs_dir_kind,
	[ETFS_SUBDIRS] = &etfs_subdirs_kind,
};

static bool etfs_op_adds(const struct etfs_op *op)
{
	return op->verb == ETFS_ADD || op->verb == ETFS_SET;
}

int etfs_batch_make_maps(struct etfs_batch *batch)
{
	struct user_namespace *ns = etfs_table_ns(batch->table);
	const kuid_t uid = make_kuid(ns, 0);
	const kgid_t gid = make_kgid(ns, 0);
	struct etfs_op *op;

	for (op = batch->ops; op < batch->ops + batch->nr_ops; op++) {
		if (!etfs_op_adds(op))
			continue;
		op->map = etfs_map_new(&op->spec, etfs_kinds[op->spec.type],
				       batch->origin);
		if (!op->map) {
			etfs_batch_blame(batch, op, op->key_col);
			etfs_refuse(&batch->why, "out of memory");
			return -ENOMEM;
		}
		/* Until the host tells, unless the options do. */
		op->map->attr.uid = op->spec.flags & ETFS_MAP_UID ?
			make_kuid(ns, op->spec.uid) : uid;
		op->map->attr.gid = op->spec.flags & ETFS_MAP_GID ?
			make_kgid(ns, op->spec.gid) : gid;
		cond_resched();
	}
	return 0;
}

/* The map at the key of one that may replace it, with a reference, or NULL. */
static struct etfs_map *etfs_op_find_old(const struct etfs_batch *batch,
					 const struct etfs_op *op)
{
	const struct etfs_kind *kind = op->map->kind;
	struct etfs_map *old;

	if (op->verb != ETFS_SET || op->is_new || !kind->follow)
		return NULL;
	mutex_lock(&batch->table->lock);
	old = etfs_table_find(batch->table, op->spec.key);
	if (old && old->kind == kind)
		etfs_map_get(old);
	else
		old = NULL;
	mutex_unlock(&batch->table->lock);
	return old;
}

static int etfs_op_do_bind(const struct etfs_batch *batch, struct etfs_op *op,
			   struct etfs_reason *why)
{
	const struct etfs_kind *kind = op->map->kind;
	struct etfs_map *old = etfs_op_find_old(batch, op);
	int ret;

	ret = old ? kind->follow(op->map, old, why) :
		    kind->bind(op->map, why);
	op->map->is_bound = ret >= 0;
	op->map->is_following = ret > 0;
	if (ret > 0)
		op->follows = old;
	else if (old)
		etfs_map_put(old);
	return min(ret, 0);
}

void etfs_op_unfollow(struct etfs_op *op)
{
	if (!op->given)
		op->given = get_file(op->map->host);
	op->map->kind->unbind(op->map);
	op->map->is_bound = false;
	op->map->is_following = false;
	op->is_ready = false;
	op->is_made = false;
	op->is_new = true;
	etfs_map_put(op->follows);
	op->follows = NULL;
}

static int etfs_op_bind(const struct etfs_batch *batch, struct etfs_op *op,
			struct etfs_reason *why)
{
	struct etfs_map *map = op->map;
	int err;

	/* It is lent: who goes on with it has put a file of its own there. */
	map->host = op->given;
	err = etfs_op_do_bind(batch, op, why);
	if (map->host == op->given)
		map->host = NULL;
	return err;
}

/* Bind up to the operation at nr. Return: how far it went. */
static u32 etfs_batch_find_some(struct etfs_batch *batch, u32 nr, int *err,
				struct etfs_reason *why)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		struct etfs_op *op = &batch->ops[i];

		if (!op->map || op->is_ready)
			continue;
		*err = fatal_signal_pending(current) ? -EINTR :
			etfs_batch_judge_root(batch, why) ?:
			etfs_op_bind(batch, op, why);
		if (*err)
			return i;
		op->is_ready = true;
		cond_resched();
	}
	return nr;
}

static u32 etfs_batch_find_hosts(struct etfs_batch *batch, u32 nr, int *err,
				 struct etfs_reason *why)
{
	if (!batch->origin)
		return etfs_batch_find_some(batch, nr, err, why);
	etfs_origin_begin(batch->origin);
	nr = etfs_batch_find_some(batch, nr, err, why);
	etfs_origin_end(batch->origin);
	return nr;
}

static bool etfs_op_is_to_make(const struct etfs_op *op)
{
	return op->map && op->map->kind->make && !op->is_made;
}

u32 etfs_batch_bind(struct etfs_batch *batch, u32 nr, int *err,
		    struct etfs_reason *why)
{
	u32 i = etfs_batch_find_hosts(batch, nr, err, why);

	if (i < batch->nr_ops || batch->err || batch->is_dry)
		return i;
	for (i = 0; i < nr; i++) {
		struct etfs_op *op = &batch->ops[i];

		if (!etfs_op_is_to_make(op))
			continue;
		*err = fatal_signal_pending(current) ? -EINTR :
			op->map->kind->make(op->map, why);
		if (*err)
			return i;
		op->is_made = true;
		cond_resched();
	}
	return nr;
}

bool etfs_batch_is_made(const struct etfs_batch *batch)
{
	const struct etfs_op *op;

	for (op = batch->ops; op < batch->ops + batch->nr_ops; op++)
		if (etfs_op_is_to_make(op))
			return false;
	return true;
}

bool etfs_batch_is_ready(const struct etfs_batch *batch, u32 nr)
{
	const struct etfs_op *op;

	for (op = batch->ops; op < batch->ops + nr; op++)
		if (op->map && !op->is_ready)
			return false;
	return true;
}
