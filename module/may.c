// SPDX-License-Identifier: GPL-2.0
/* Who may change a table, and what is asked of a batch before all else. */
#include "rumpfs.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/user_namespace.h>

struct user_namespace *etfs_table_ns(const struct etfs_table *table)
{
	return table->sb ? table->sb->s_user_ns : &init_user_ns;
}

/* The opener of the file and who uses it now must both be allowed. */
static bool etfs_file_may(const struct file *file, struct user_namespace *ns)
{
	return file_ns_capable(file, ns, CAP_SYS_ADMIN) &&
	       ns_capable(ns, CAP_SYS_ADMIN);
}

bool etfs_table_may(const struct etfs_table *table, const struct file *file)
{
	return etfs_file_may(file, etfs_table_ns(table));
}

int rumpfs_table_may(const struct rumpfs_sb *sbi, const struct file *file)
{
	return etfs_table_may(sbi->table, file) ? 0 : -EPERM;
}

/* A device is seen by the whole machine, so its root alone makes one. */
bool etfs_file_may_devices(const struct file *file)
{
	return etfs_file_may(file, &init_user_ns);
}

bool etfs_op_is_device(const struct etfs_op *op)
{
	return (op->verb == ETFS_ADD || op->verb == ETFS_SET) &&
	       (op->spec.type == ETFS_BLK || op->spec.type == ETFS_CHR);
}

int etfs_batch_may_op(const struct etfs_batch *batch, const struct etfs_op *op,
		      struct etfs_reason *why)
{
	if (batch->may_devices || !etfs_op_is_device(op))
		return 0;
	etfs_refuse(why, "%s takes CAP_SYS_ADMIN in the initial user namespace",
		    etfs_type_name(op->spec.type));
	return -EPERM;
}

/* Ids are those of the namespace the table belongs to. */
static int etfs_batch_judge_ids(const struct etfs_batch *batch,
				const struct etfs_op *op,
				struct etfs_reason *why)
{
	struct user_namespace *ns = etfs_table_ns(batch->table);
	const struct etfs_spec *spec = &op->spec;

	if ((spec->flags & ETFS_MAP_UID) &&
	    !uid_valid(make_kuid(ns, spec->uid))) {
		etfs_refuse(why, "uid=%u: no such user here", spec->uid);
		return -EINVAL;
	}
	if ((spec->flags & ETFS_MAP_GID) &&
	    !gid_valid(make_kgid(ns, spec->gid))) {
		etfs_refuse(why, "gid=%u: no such group here", spec->gid);
		return -EINVAL;
	}
	return 0;
}

/*
 * The first operation that may not be, whatever table and host say, ends the
 * batch: the rest is never looked at, as after one that could not be read.
 */
void etfs_batch_judge(struct etfs_batch *batch)
{
	struct etfs_op *op, *end;
	int err;

	for (op = batch->ops; op < batch->ops + batch->nr_ops; op++) {
		err = etfs_batch_may_op(batch, op, &batch->why) ?:
		      etfs_batch_judge_ids(batch, op, &batch->why);
		if (!err)
			continue;
		batch->err = err;
		batch->why.line = op->line;
		batch->why.col = op->key_col;
		etfs_refuse_key(&batch->why, op->spec.key);
		break;
	}
	end = batch->ops + batch->nr_ops;
	batch->nr_ops = op - batch->ops;
	for (; op < end; op++)
		etfs_op_forget(op);
}

/*
 * A map holds the writer's root. If that keeps a private table mounted, the
 * two hold each other for good; an overlay above a rumpfs is two deep.
 */
int etfs_batch_judge_root(const struct etfs_batch *batch,
			  struct etfs_reason *why)
{
	const struct super_block *root = etfs_origin_sb(batch->origin);
	bool holds;

	if (!batch->table->sb || !root)
		return 0;
	if (root->s_type == &rumpfs_fs_type)
		holds = rumpfs_is_private(RUMPFS_SB(root));
	else
		holds = root->s_stack_depth > 1;
	if (!holds)
		return 0;
	etfs_refuse(why, "the writer's root may stand on a mount with a private table");
	return -ELOOP;
}
