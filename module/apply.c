// SPDX-License-Identifier: GPL-2.0
/*
 * One batch: prepare everything, then commit everything.
 *
 *	1. make a map of each addition	no lock
 *	2. would the table take them?	table->lock, undone again
 *	3. find hosts			no lock; may sleep for long
 *	4. make devices and partitions	", if all of that went well
 *	5. enter all into the table	table->lock, seen by nobody
 *	6. claim what must be idle	"
 *	7. turn the epoch on		" from here on everybody sees it
 *	8. tell each mount		", one directory lock at a time
 *	9. let go of what was removed	no lock; may sleep for long
 *
 * Until 7 everything can be undone. Of several operations that cannot be, the
 * first is reported, and what the table has against it before what the host
 * has. Step 2 is for batches with devices, so that none appears in vain but for
 * one with a partition whose name is taken, which only a device can tell.
 */
#include "batch.h"
#include "rumpfs.h"

#include <linux/list.h>

/* What a map of this batch is bound to, too, and replaces; or NULL. */
static struct etfs_map *etfs_batch_followed(const struct etfs_batch *batch,
					    const struct etfs_map *map)
{
	if (list_empty(&map->born) || !map->is_following)
		return NULL;
	return rcu_dereference_protected(map->older,
					 lockdep_is_held(&batch->table->lock));
}

static bool etfs_map_is_mountpoint(const struct etfs_table *table,
				   const struct etfs_map *map)
{
	struct rumpfs_sb *sbi;

	list_for_each_entry(sbi, &table->mounts, table_node)
		if (rumpfs_names_is_mountpoint(sbi, map))
			return true;
	return false;
}

/*
 * Has anybody the key open, mapped or as a mount point? Of this batch, only one
 * that goes on with what it replaces can be in use.
 */
static bool etfs_batch_is_busy(const struct etfs_batch *batch,
			       const struct etfs_map *map)
{
	const struct etfs_map *followed = etfs_batch_followed(batch, map);

	if (!list_empty(&map->born))
		return followed && etfs_map_is_busy(followed);
	if (etfs_map_is_busy(map))
		return true;
	for (; map; map = map->part)
		if (etfs_map_is_mountpoint(batch->table, map))
			return true;
	return false;
}

static int etfs_batch_remove(struct etfs_batch *batch, const struct etfs_op *op,
			     struct etfs_map *map)
{
	struct etfs_map *followed = etfs_batch_followed(batch, map);

	if (op->removal == ETFS_BUSY) {
		if (etfs_batch_is_busy(batch, map)) {
			etfs_refuse(&batch->why, "%s is in use",
				    map->spec.key);
			return -EBUSY;
		}
		map->claimed_by = op - batch->ops + 1;
		if (followed)
			followed->claimed_by = map->claimed_by;
	}
	map->removal = op->removal;
	etfs_table_remove(batch, map);
	return 0;
}

static int etfs_batch_remove_all(struct etfs_batch *batch,
				 const struct etfs_op *op, const char *tag)
{
	struct etfs_map *map, *next;
	bool found = false;
	int err;

	for (map = etfs_table_first(batch->table); map; map = next) {
		next = etfs_map_next(map);
		if (tag && (!map->spec.tag || strcmp(tag, map->spec.tag)))
			continue;
		found = true;
		err = etfs_batch_remove(batch, op, map);
		if (err)
			return err;
	}
	if (tag && !found) {
		etfs_refuse(&batch->why, "no key bears this tag");
		return -ENOENT;
	}
	return 0;
}

static int etfs_batch_enter(struct etfs_batch *batch, struct etfs_op *op)
{
	struct etfs_map *map;
	int err;

	switch (op->verb) {
	case ETFS_ADD:
	case ETFS_SET:
		if (op->follows && op->follows !=
		    etfs_table_find(batch->table, op->spec.key))
			etfs_op_unfollow(op);
		err = etfs_table_add(batch, op->map, op->verb == ETFS_SET,
				     &batch->why);
		return err ?: etfs_parts_enter(batch, op->map, &batch->why);
	case ETFS_REMOVE:
		map = etfs_table_find(batch->table, op->spec.key);
		if (!map || map->kind->is_implied) {
			etfs_refuse(&batch->why, map ?
				    "a partition goes with its disk" :
				    "there is no such key");
			return -ENOENT;
		}
		return etfs_batch_remove(batch, op, map);
	case ETFS_REMOVE_TAG:
		return etfs_batch_remove_all(batch, op, op->spec.tag);
	case ETFS_FLUSH:
		return etfs_batch_remove_all(batch, op, NULL);
	default:
		return 0;
	}
}

/* Enter operations into the table up to nr. Return: how far it went. */
static u32 etfs_batch_prepare(struct etfs_batch *batch, u32 nr, int *err)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		struct etfs_op *op = &batch->ops[i];

		*err = etfs_batch_enter(batch, op);
		if (*err) {
			etfs_batch_blame(batch, op, op->key_col);
			return i;
		}
		cond_resched();
	}
	return nr;
}

static void etfs_batch_unclaim(struct etfs_batch *batch, struct etfs_map *stop)
{
	struct etfs_map *map;

	list_for_each_entry(map, &batch->dead, node) {
		if (map == stop)
			break;
		if (map->claimed_by)
			etfs_map_unclaim(map);
	}
}

static int etfs_batch_claim(struct etfs_batch *batch)
{
	const struct etfs_op *op;
	struct etfs_map *map;

	list_for_each_entry(map, &batch->dead, node) {
		if (!map->claimed_by || etfs_map_claim(map))
			continue;
		etfs_batch_unclaim(batch, map);
		op = &batch->ops[map->claimed_by - 1];
		etfs_batch_blame(batch, op, op->key_col);
		etfs_refuse(&batch->why, "%s is in use", map->spec.key);
		return -EBUSY;
	}
	return 0;
}

static void etfs_batch_undo(struct etfs_batch *batch)
{
	struct etfs_map *map;

	list_for_each_entry(map, &batch->dead, node) {
		map->claimed_by = 0;
		map->removal = ETFS_LAZY;
	}
	etfs_table_undo(batch);
}

/* Rows of bound files say where these are, as of this change. */
static void etfs_batch_recheck_pinned(struct etfs_batch *batch)
{
	struct etfs_table *table = batch->table;
	struct etfs_map *map;

	list_for_each_entry(map, &table->pinned, node) {
		etfs_table_reprint(table, map,
				   !etfs_pin_update(map, batch->path));
		cond_resched();
	}
}

/* The table takes over what the operation holds. */
static void etfs_op_commit(struct etfs_op *op)
{
	struct etfs_map *map = op->map;

	op->map = NULL;
	if (!map)
		return;
	etfs_parts_commit(map);
	if (!op->follows)
		return;
	map->kind->adopt(map, op->follows);
	if ((map->spec.flags | op->follows->spec.flags) & ETFS_MAP_PART) {
		etfs_map_get(map);
		op->renewed = map;
	}
}

void etfs_batch_publish(struct etfs_batch *batch)
{
	struct etfs_table *table = batch->table;
	struct rumpfs_sb *sbi;
	struct etfs_map *map;

	etfs_batch_recheck_pinned(batch);
	etfs_table_commit(batch);
	list_for_each_entry(sbi, &table->mounts, table_node) {
		rumpfs_names_sync(sbi, batch);
		list_for_each_entry(map, &batch->dead, node)
			rumpfs_key_forget(sbi, map);
	}
	etfs_table_settle(batch);
}

static void etfs_batch_commit(struct etfs_batch *batch)
{
	struct etfs_map *map;
	struct etfs_op *op;

	list_for_each_entry(map, &batch->dead, node)
		map->claimed_by = 0;
	for (op = batch->ops; op < batch->ops + batch->nr_ops; op++)
		etfs_op_commit(op);
	etfs_batch_publish(batch);
}

int etfs_batch_release(struct list_head *dead)
{
	struct etfs_map *map, *next;
	int err = 0;

	list_for_each_entry(map, dead, node)
		if (map->removal == ETFS_REVOKE)
			map->kind->revoke(map);
		else
			map->kind->remove(map);
	list_for_each_entry_safe(map, next, dead, node) {
		list_del_init(&map->node);
		if (map->removal != ETFS_REVOKE)
			etfs_map_remove_wait(map);
		else if (!err)
			err = map->kind->revoke_wait(map);
		etfs_map_put(map);
		cond_resched();
	}
	return err;
}

static bool etfs_batch_has_devices(const struct etfs_batch *batch)
{
	const struct etfs_op *op;

	for (op = batch->ops; op < batch->ops + batch->nr_ops; op++)
		if (etfs_op_is_device(op))
			return true;
	return false;
}

static int etfs_batch_judge_generation(struct etfs_batch *batch)
{
	u64 is = batch->table->generation;

	if (!batch->generation || batch->generation == is)
		return 0;
	batch->why.line = 0;
	batch->why.key[0] = '\0';
	etfs_refuse(&batch->why, "the table is at generation %llu, not %llu",
		    is, batch->generation);
	return -EAGAIN;
}

/* How many of the operations the table would take, all before them done. */
static u32 etfs_batch_rehearse(struct etfs_batch *batch)
{
	u32 nr = 0;
	int err;

	mutex_lock(&batch->table->lock);
	if (!etfs_batch_judge_generation(batch))
		nr = etfs_batch_prepare(batch, batch->nr_ops, &err);
	etfs_batch_undo(batch);
	mutex_unlock(&batch->table->lock);
	return nr;
}

/* An operation that is entered is not bound yet, or has no device yet. */
#define ETFS_BIND_MORE	1

/*
 * Enter *nr operations, unless late_err is what comes after due of them.
 * Return: 0, an errno, or ETFS_BIND_MORE if one was entered that is not bound,
 * before what is to be told, or not made; *nr is then how many were entered.
 */
static int etfs_batch_enter_all(struct etfs_batch *batch, u32 *nr, u32 due,
				int late_err, const struct etfs_reason *late)
{
	int err = 0;
	u32 done = etfs_batch_prepare(batch, *nr, &err);

	if (!etfs_batch_is_ready(batch, min(done, due))) {
		*nr = done;
		return ETFS_BIND_MORE;
	}
	if (done < *nr)
		return err;
	if (late_err) {
		batch->why = *late;
		return late_err;
	}
	/* Whether it is in use was asked; a claim would be seen. */
	if (batch->is_dry)
		return 0;
	return etfs_batch_is_made(batch) ? etfs_batch_claim(batch) :
					   ETFS_BIND_MORE;
}

/* The same, and commit. */
static int etfs_batch_try(struct etfs_batch *batch, u32 *nr, u32 due,
			  int late_err, const struct etfs_reason *late)
{
	struct etfs_table *table = batch->table;
	int err;

	mutex_lock(&table->lock);
	err = etfs_batch_judge_generation(batch) ?:
	      etfs_batch_enter_all(batch, nr, due, late_err, late);
	if (err || batch->is_dry)
		etfs_batch_undo(batch);
	else if (!list_empty(&batch->born) || !list_empty(&batch->dead))
		etfs_batch_commit(batch);
	mutex_unlock(&table->lock);
	return err;
}

/*
 * All or none. On error batch->why says which line and why, and nothing is
 * changed; but on -EINTR without a line all is done, only what was revoked is
 * not yet idle.
 *
 * Context: may sleep for as long as the host takes; no locks held.
 */
int etfs_batch_apply(struct etfs_batch *batch)
{
	/* what reading found, and binding, for the line after all good ones */
	struct etfs_reason read, late;
	struct etfs_op *op;
	int err, late_err;
	u32 bound, nr;

	etfs_batch_judge(batch);
	read = batch->why;
	nr = batch->nr_ops;
	err = etfs_batch_make_maps(batch);
	if (err)
		return err;
	if (etfs_batch_has_devices(batch))
		nr = etfs_batch_rehearse(batch);
	do {
		late = read;
		late_err = batch->err;
		bound = etfs_batch_bind(batch, nr, &err, &late);
		if (bound < nr) {
			late_err = err;
			late.line = batch->ops[bound].line;
			late.col = batch->ops[bound].host_col;
			etfs_refuse_key(&late, batch->ops[bound].spec.key);
			nr = bound + 1;
		} else {
			nr = batch->nr_ops;
			bound = nr;
		}
		/* Again if the table takes more than when it was rehearsed. */
		err = etfs_batch_try(batch, &nr, bound, late_err, &late);
	} while (err == ETFS_BIND_MORE);
	if (err)
		return err;
	batch->why.line = 0;
	for (op = batch->ops; op < batch->ops + batch->nr_ops; op++)
		if (op->renewed)
			etfs_parts_renew(batch->table, op->renewed);
	return etfs_batch_release(&batch->dead);
}

/* Remove all maps of a table. */
int etfs_table_flush(struct etfs_table *table, enum etfs_removal removal)
{
	struct etfs_batch batch;
	struct etfs_op *op;
	int err;

	err = etfs_batch_init(&batch, table, NULL);
	if (err)
		return err;
	op = etfs_batch_next(&batch);
	if (op) {
		op->verb = ETFS_FLUSH;
		op->removal = removal;
		batch.nr_ops++;
		err = etfs_batch_apply(&batch);
	} else {
		err = -ENOMEM;
	}
	etfs_batch_exit(&batch);
	return err;
}
