// SPDX-License-Identifier: GPL-2.0
/*
 * One batch: prepare everything, then commit everything.
 *
 *	1. make a map of each addition	no lock
 *	2. would the table take them?	table->lock, undone again
 *	3. find hosts			no lock; may sleep for long
 *	4. make devices			", if all of that went well
 *	5. enter all into the table	table->lock, seen by nobody
 *	6. claim what must be idle	"
 *	7. turn the epoch on		" from here on everybody sees it
 *	8. tell each mount		", one directory lock at a time
 *	9. let go of what was removed	no lock; may sleep for long
 *
 * Until 7 everything can be undone. Of several operations that cannot be, the
 * first is reported, and what the table has against it before what the host
 * has. Step 2 is for batches with devices, so that none appears in vain.
 */
#include "rumpfs.h"

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

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

char *etfs_batch_alloc(struct etfs_batch *batch, size_t size)
{
	struct etfs_chunk *chunk = batch->chunks;
	size_t room = max_t(size_t, size, SZ_64K - sizeof(*chunk));
	char *bytes;

	if (!chunk || chunk->size - chunk->len < size) {
		chunk = kvmalloc(struct_size(chunk, bytes, room),
				 GFP_KERNEL_ACCOUNT);
		if (!chunk)
			return NULL;
		chunk->next = batch->chunks;
		chunk->len = 0;
		chunk->size = room;
		batch->chunks = chunk;
	}
	bytes = chunk->bytes + chunk->len;
	chunk->len += size;
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

/* What was bound and is in no table goes: its name never came. */
void etfs_batch_exit(struct etfs_batch *batch)
{
	struct etfs_op *op;

	for (op = batch->ops; op < batch->ops + batch->nr_ops; op++) {
		etfs_op_forget(op);
		if (op->follows)
			etfs_map_put(op->follows);
		if (!op->map)
			continue;
		if (op->map->is_bound)
			op->map->kind->remove(op->map);
		etfs_map_put(op->map);
		cond_resched();
	}
	kvfree(batch->ops);
	etfs_batch_free_chunks(batch);
	kfree(batch->path);
	kfree_rcu(batch->epoch, rcu);
}

static void etfs_batch_blame(struct etfs_batch *batch, const struct etfs_op *op,
			     u32 col)
{
	batch->why.line = op->line;
	batch->why.col = col;
	if (op->spec.key)
		etfs_refuse_key(&batch->why, op->spec.key);
	else
		batch->why.key[0] = '\0';
}

static int etfs_batch_make_maps(struct etfs_batch *batch)
{
	struct user_namespace *ns = etfs_table_ns(batch->table);
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
		/* Of no meaning unless the options say so. */
		op->map->attr.uid = make_kuid(ns, op->spec.uid);
		op->map->attr.gid = make_kgid(ns, op->spec.gid);
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

/* Another one is at the key by now: the same file again, but anew. */
static void etfs_op_unfollow(struct etfs_op *op)
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
static u32 etfs_batch_bind(struct etfs_batch *batch, u32 nr, int *err,
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

static bool etfs_op_is_to_make(const struct etfs_op *op)
{
	return op->map && op->map->kind->make && !op->is_made;
}

/* The same, and make all devices if all was well. */
static u32 etfs_batch_bind_and_make(struct etfs_batch *batch, u32 nr, int *err,
				    struct etfs_reason *why)
{
	u32 i = etfs_batch_bind(batch, nr, err, why);

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

static bool etfs_batch_is_made(const struct etfs_batch *batch)
{
	const struct etfs_op *op;

	for (op = batch->ops; op < batch->ops + batch->nr_ops; op++)
		if (etfs_op_is_to_make(op))
			return false;
	return true;
}

static bool etfs_batch_is_ready(const struct etfs_batch *batch, u32 nr)
{
	const struct etfs_op *op;

	for (op = batch->ops; op < batch->ops + nr; op++)
		if (op->map && !op->is_ready)
			return false;
	return true;
}

/* What a map of this batch is bound to, too, and replaces; or NULL. */
static struct etfs_map *etfs_batch_followed(const struct etfs_batch *batch,
					    const struct etfs_map *map)
{
	if (list_empty(&map->born) || !map->is_following)
		return NULL;
	return rcu_dereference_protected(map->older,
					 lockdep_is_held(&batch->table->lock));
}

/*
 * Has anybody the key open, mapped or as a mount point? Of this batch, only one
 * that goes on with what it replaces can be in use.
 */
static bool etfs_batch_is_busy(const struct etfs_batch *batch,
			       const struct etfs_map *map)
{
	const struct etfs_map *followed = etfs_batch_followed(batch, map);
	struct rumpfs_sb *sbi;

	if (!list_empty(&map->born))
		return followed && etfs_map_is_busy(followed);
	if (etfs_map_is_busy(map))
		return true;
	list_for_each_entry(sbi, &batch->table->mounts, table_node)
		if (rumpfs_names_is_mountpoint(sbi, map))
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
		map->claimed_by = op;
		if (followed)
			followed->claimed_by = op;
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

	switch (op->verb) {
	case ETFS_ADD:
	case ETFS_SET:
		if (op->follows && op->follows !=
		    etfs_table_find(batch->table, op->spec.key))
			etfs_op_unfollow(op);
		return etfs_table_add(batch, op->map, op->verb == ETFS_SET,
				      &batch->why);
	case ETFS_REMOVE:
		map = etfs_table_find(batch->table, op->spec.key);
		if (!map) {
			etfs_refuse(&batch->why, "there is no such key");
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

		etfs_batch_blame(batch, op, op->key_col);
		*err = etfs_batch_enter(batch, op);
		if (*err)
			return i;
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
	struct etfs_map *map;

	list_for_each_entry(map, &batch->dead, node) {
		if (!map->claimed_by || etfs_map_claim(map))
			continue;
		etfs_batch_unclaim(batch, map);
		etfs_batch_blame(batch, map->claimed_by,
				 map->claimed_by->key_col);
		etfs_refuse(&batch->why, "%s is in use", map->spec.key);
		return -EBUSY;
	}
	return 0;
}

static void etfs_batch_undo(struct etfs_batch *batch)
{
	struct etfs_map *map;

	list_for_each_entry(map, &batch->dead, node) {
		map->claimed_by = NULL;
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

static void etfs_batch_commit(struct etfs_batch *batch)
{
	struct etfs_table *table = batch->table;
	struct rumpfs_sb *sbi;
	struct etfs_map *map;
	struct etfs_op *op;

	list_for_each_entry(map, &batch->dead, node)
		map->claimed_by = NULL;
	/* The table has taken over what the operations held. */
	for (op = batch->ops; op < batch->ops + batch->nr_ops; op++) {
		if (op->follows)
			op->map->kind->adopt(op->map, op->follows);
		op->map = NULL;
	}
	etfs_batch_recheck_pinned(batch);
	etfs_table_commit(batch);
	list_for_each_entry(sbi, &table->mounts, table_node) {
		rumpfs_names_sync(sbi, batch);
		list_for_each_entry(map, &batch->dead, node)
			rumpfs_key_forget(sbi, map);
	}
	etfs_table_settle(batch);
}

/*
 * Let go of what was removed. Return: 0, or -EINTR if a signal came before the
 * host was taken from all who had a revoked key open.
 */
static int etfs_batch_release(struct list_head *dead)
{
	struct etfs_map *map, *next;
	int err = 0;

	list_for_each_entry(map, dead, node)
		if (map->removal == ETFS_REVOKE)
			map->kind->revoke(map);
	list_for_each_entry_safe(map, next, dead, node) {
		list_del_init(&map->node);
		if (map->removal != ETFS_REVOKE)
			map->kind->remove(map);
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
		bound = etfs_batch_bind_and_make(batch, nr, &err, &late);
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
