// SPDX-License-Identifier: GPL-2.0
/* The table of a mount through any directory of it: change, list, ask. */
#include "rumpfs.h"

#include <linux/cred.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/* A text that is read at once; a longer one takes further calls. */
#define ETFS_MAX_LIST	SZ_1M

static struct rumpfs_sb *rumpfs_sb_of(const struct file *file)
{
	return RUMPFS_SB(file_inode(file)->i_sb);
}

/* Apply */

/* Operations that replace the table begin with the end of what it has. */
static int etfs_apply_begin(struct etfs_batch *batch,
			    const struct rumpfs_apply *apply)
{
	struct etfs_op *op;

	if (!(apply->flags & RUMPFS_APPLY_REPLACE_ALL))
		return 0;
	op = etfs_batch_next(batch);
	if (!op)
		return -ENOMEM;
	op->verb = ETFS_FLUSH;
	batch->nr_ops++;
	return 0;
}

static int etfs_apply_read_op(struct etfs_batch *batch, struct etfs_op *op,
			      const struct rumpfs_apply *apply, u32 nr)
{
	struct rumpfs_op from;
	int err;

	batch->why.key[0] = '\0';
	err = copy_struct_from_user(&from, sizeof(from),
				    u64_to_user_ptr(apply->ops) +
				    (size_t)nr * apply->op_size,
				    apply->op_size);
	if (err) {
		etfs_refuse(&batch->why, err == -E2BIG ?
			    "the operation has what this version does not know" :
			    "the operation cannot be read");
		return err;
	}
	if ((apply->flags & RUMPFS_APPLY_REPLACE_ALL) &&
	    from.op != RUMPFS_OP_ADD && from.op != RUMPFS_OP_SET) {
		etfs_refuse(&batch->why, "what replaces the table only adds");
		return -EINVAL;
	}
	err = etfs_op_read(batch, op, &from);
	/* Who may not have a device is not told what is wrong with it. */
	return err ? etfs_batch_may_op(batch, op, &batch->why) ?: err : 0;
}

/* Up to the first that is none, which is batch->err then. */
static int etfs_apply_read(struct etfs_batch *batch,
			   const struct rumpfs_apply *apply)
{
	u32 nr;

	for (nr = 0; nr < apply->nr_ops; nr++) {
		struct etfs_op *op = etfs_batch_next(batch);

		if (fatal_signal_pending(current))
			return -EINTR;
		if (!op)
			return -ENOMEM;
		batch->why.line = nr + 1;
		batch->err = etfs_apply_read_op(batch, op, apply, nr);
		if (batch->err) {
			etfs_op_forget(op);
			return 0;
		}
		batch->nr_ops++;
		cond_resched();
	}
	return 0;
}

/* What is told of a call that refuses no operation. */
static int etfs_apply_answer_none(struct rumpfs_apply *apply, u32 room)
{
	apply->failed_op = apply->nr_ops;
	apply->message_len = 0;
	return apply->message && room ?
		put_user('\0', (char __user *)u64_to_user_ptr(apply->message)) :
		0;
}

/* Who failed, and why, as far as there is room. */
static void etfs_apply_answer(struct rumpfs_apply *apply, u32 room,
			      const struct etfs_reason *why)
{
	char *text;
	u32 len;

	if (why->line)
		apply->failed_op = why->line - 1;
	text = kasprintf(GFP_KERNEL, "%s%s%s", why->key,
			 why->key[0] ? ": " : "", why->text);
	if (!text)
		return;
	len = min_t(size_t, room, strlen(text) + 1);
	apply->message_len = strlen(text);
	if (apply->message && len) {
		text[len - 1] = '\0';
		/* That it can be written was tried; the errno is told anyway. */
		if (copy_to_user(u64_to_user_ptr(apply->message), text, len))
			apply->message_len = 0;
	}
	kfree(text);
}

static int etfs_apply_judge(const struct rumpfs_apply *apply)
{
	if (apply->flags & ~(RUMPFS_APPLY_DRY_RUN | RUMPFS_APPLY_REPLACE_ALL) ||
	    apply->reserved ||
	    apply->op_size < offsetofend(struct rumpfs_op, tag))
		return -EINVAL;
	return apply->op_size > PAGE_SIZE ? -E2BIG : 0;
}

static int etfs_apply_do(struct etfs_batch *batch, const struct file *file,
			 const struct rumpfs_apply *apply)
{
	int err;

	batch->may_devices = etfs_file_may_devices(file);
	batch->is_dry = apply->flags & RUMPFS_APPLY_DRY_RUN;
	batch->generation = apply->generation;
	err = etfs_apply_begin(batch, apply) ?: etfs_apply_read(batch, apply);
	if (err)
		batch->why.line = 0;
	return err ?: etfs_batch_apply(batch);
}

int rumpfs_ioctl_apply(struct file *file, void *arg)
{
	struct rumpfs_sb *sbi = rumpfs_sb_of(file);
	struct rumpfs_apply *apply = arg;
	struct etfs_origin *origin;
	struct etfs_batch *batch;
	u32 room = apply->message_len;
	int err;

	/* Before anything is changed: there is a place for the answer. */
	err = etfs_apply_answer_none(apply, room);
	err = rumpfs_table_may(sbi, file) ?: err ?: etfs_apply_judge(apply);
	if (err)
		return err;
	batch = kmalloc(sizeof(*batch), GFP_KERNEL);
	origin = etfs_origin_new(current_cred());
	err = -ENOMEM;
	if (!batch || !origin)
		goto free_batch;
	err = etfs_batch_init(batch, sbi->table, origin);
	if (err)
		goto free_batch;
	err = etfs_apply_do(batch, file, apply);
	if (err)
		etfs_apply_answer(apply, room, &batch->why);
	etfs_batch_exit(batch);
free_batch:
	if (origin)
		etfs_origin_put(origin);
	kfree(batch);
	return err;
}

/* List */

static ssize_t etfs_list_read(struct etfs_table *table,
			      struct rumpfs_list *list, char *buf, size_t room)
{
	ssize_t n;

	mutex_lock(&table->lock);
	if (list->cursor && list->generation != table->generation)
		n = -EAGAIN;
	else
		n = etfs_table_list(table, &list->cursor, buf, room);
	if (n >= 0)
		list->generation = table->generation;
	mutex_unlock(&table->lock);
	return n;
}

int rumpfs_ioctl_list(struct file *file, void *arg)
{
	struct rumpfs_sb *sbi = rumpfs_sb_of(file);
	struct rumpfs_list *list = arg, next = *list;
	size_t room = min(list->buf_len, ETFS_MAX_LIST);
	char *buf;
	ssize_t n;
	int err;

	err = rumpfs_table_may(sbi, file);
	if (err)
		return err;
	if (list->reserved)
		return -EINVAL;
	buf = kvmalloc(room + 1, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	n = etfs_list_read(sbi->table, &next, buf, room);
	if (n > 0 && n <= room &&
	    copy_to_user(u64_to_user_ptr(list->buf), buf, n))
		n = -EFAULT;
	kvfree(buf);
	/* A refused call can be made again: it goes on from where it was. */
	if (n < 0)
		return n;
	next.buf_len = n;
	*list = next;
	return n > room ? -ERANGE : 0;
}

/* Stat */

/* Under the lock: a map lets go of its device only after it left the table. */
static int etfs_stat_ask(struct etfs_table *table, const char *path,
			 struct rumpfs_stat *stat)
{
	struct etfs_usage usage;
	struct etfs_map *map;

	mutex_lock(&table->lock);
	map = etfs_table_find(table, path);
	if (map) {
		etfs_map_stat(map, &usage);
		stat->type = map->spec.type - ETFS_REG + RUMPFS_TYPE_REG;
	}
	mutex_unlock(&table->lock);
	if (!map)
		return -ENOENT;
	stat->opens = usage.opens;
	stat->maps = usage.maps;
	stat->rdev = new_encode_dev(usage.rdev);
	stat->bytes_read = usage.bytes_read;
	stat->bytes_written = usage.bytes_written;
	return 0;
}

int rumpfs_ioctl_stat(struct file *file, void *arg)
{
	struct rumpfs_sb *sbi = rumpfs_sb_of(file);
	struct rumpfs_stat *stat = arg;
	struct etfs_batch *batch;
	const char *key;
	int err;

	err = rumpfs_table_may(sbi, file);
	if (err)
		return err;
	if (stat->reserved)
		return -EINVAL;
	batch = kmalloc(sizeof(*batch), GFP_KERNEL);
	if (!batch)
		return -ENOMEM;
	err = etfs_batch_init(batch, sbi->table, NULL);
	if (err)
		goto free_batch;
	err = etfs_spec_read_key(batch, stat->key, &key) ?:
	      etfs_stat_ask(sbi->table, key, stat);
	etfs_batch_exit(batch);
free_batch:
	kfree(batch);
	return err;
}
