// SPDX-License-Identifier: GPL-2.0
/* A door: a directory of sysfs with a table as text and its last refusal. */
#include "door.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernfs.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/user_namespace.h>

/* The last refusal in words */

void etfs_door_refuse(struct etfs_door *door, const struct etfs_reason *why)
{
	spin_lock(&door->lock);
	door->why = *why;
	spin_unlock(&door->lock);
}

static ssize_t last_error_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	struct etfs_door *door = ETFS_DOOR(kobj);
	struct etfs_reason *why = &door->why;
	ssize_t len = 0;

	spin_lock(&door->lock);
	if (why->line)
		len = sysfs_emit(buf, "%u:%u: %s%s%s\n", why->line, why->col,
				 why->key, why->key[0] ? ": " : "", why->text);
	spin_unlock(&door->lock);
	return len;
}

static struct kobj_attribute last_error_attribute =
	__ATTR(last_error, 0400, last_error_show, NULL);

static struct attribute *etfs_door_attrs[] = {
	&last_error_attribute.attr,
	NULL
};
ATTRIBUTE_GROUPS(etfs_door);

/* The table */

/*
 * Whole lines of a piece that the kernel has cut at a page: a line without an
 * end is the last one if the piece is short, else it comes with the next.
 */
static size_t etfs_whole_lines(const char *buf, size_t count)
{
	size_t len;

	if (count < PAGE_SIZE)
		return count;
	for (len = count; len; len--)
		if (buf[len - 1] == '\n')
			return len;
	return count;
}

/* Read operations up to the first line that is none. */
static int etfs_batch_read(struct etfs_batch *batch, char *buf, size_t count)
{
	char *at = buf, *end = buf + count;
	u32 line;

	for (line = 1; at < end; line++) {
		char *newline = memchr(at, '\n', end - at);
		struct etfs_op *op = etfs_batch_next(batch);

		batch->why.line = line;
		if (!op) {
			batch->why.col = 1;
			batch->why.key[0] = '\0';
			etfs_refuse(&batch->why, "out of memory");
			return -ENOMEM;
		}
		batch->err = etfs_text_parse(at, (newline ?: end) - at, op,
					     &batch->why);
		/* Who may not have a device is not told what is wrong with it. */
		if (batch->err)
			batch->err = etfs_batch_may_op(batch, op, &batch->why) ?:
				     batch->err;
		if (batch->err)
			return 0;
		if (op->verb != ETFS_NOTHING)
			batch->nr_ops++;
		at = newline ? newline + 1 : end;
	}
	return 0;
}

/* Context: kernfs holds the open file's own mutex, and keeps the door. */
/*
 * Sysfs has a lock for each open file, and to lockdep they are all one. The lock
 * of one that a key leads to is below a pipe's, by splice(2), which is far below
 * a table's. That of this file is above the table's, but who waits for it reads
 * or writes by this very file: lockdep is not to see it meanwhile.
 */
static __maybe_unused struct lockdep_map *etfs_door_map(const struct file *file)
{
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	const struct seq_file *seq = file->private_data;
	struct kernfs_open_file *open = seq->private;

	return &open->mutex.dep_map;
#else
	return NULL;
#endif
}

static void etfs_door_lockdep_begin(const struct file *file)
{
	mutex_release(etfs_door_map(file), _THIS_IP_);
}

static void etfs_door_lockdep_end(const struct file *file)
{
	mutex_acquire(etfs_door_map(file), 0, 1, _THIS_IP_);
}

static ssize_t etfs_write(struct file *file, struct kobject *kobj,
			  const struct bin_attribute *attr, char *buf,
			  loff_t pos, size_t count)
{
	struct etfs_door *door = ETFS_DOOR(kobj);
	struct etfs_origin *origin;
	struct etfs_batch batch;
	int err;

	if (!etfs_table_may(door->table, file))
		return -EPERM;
	etfs_door_lockdep_begin(file);
	count = etfs_whole_lines(buf, count);
	origin = etfs_origin_new(file->f_cred);
	err = origin ? etfs_batch_init(&batch, door->table, origin) : -ENOMEM;
	if (err)
		goto put_origin;
	batch.may_devices = etfs_file_may_devices(file);
	err = etfs_batch_read(&batch, buf, count);
	if (!err)
		err = etfs_batch_apply(&batch);
	if (err && batch.why.line)
		etfs_door_refuse(door, &batch.why);
	etfs_batch_exit(&batch);
put_origin:
	if (origin)
		etfs_origin_put(origin);
	etfs_door_lockdep_end(file);
	return err ?: count;
}

COMPAT_BIN_WRITE(etfs_write)

static ssize_t etfs_read(struct file *file, struct kobject *kobj,
			 const struct bin_attribute *attr, char *buf,
			 loff_t pos, size_t count)
{
	struct etfs_table *table = ETFS_DOOR(kobj)->table;
	ssize_t n;

	etfs_door_lockdep_begin(file);
	mutex_lock(&table->lock);
	n = etfs_table_print(table, buf, pos, count);
	mutex_unlock(&table->lock);
	etfs_door_lockdep_end(file);
	return n;
}

COMPAT_BIN_READ(etfs_read)

static const struct bin_attribute etfs_attribute = {
	.attr	= { .name = "etfs", .mode = 0600 },
	.read	= compat_op(bin_attribute, read, etfs_read),
	.write	= compat_op(bin_attribute, write, etfs_write),
};

/* The life of a door */

static void etfs_door_release(struct kobject *kobj)
{
	kfree(ETFS_DOOR(kobj));
}

/* All in it is of the root of the namespace that the table belongs to. */
static void etfs_door_get_ownership(const struct kobject *kobj, kuid_t *uid,
				    kgid_t *gid)
{
	const struct etfs_door *door =
		container_of_const(kobj, struct etfs_door, kobject);
	struct user_namespace *ns = etfs_table_ns(door->table);
	kuid_t root_uid = make_kuid(ns, 0);
	kgid_t root_gid = make_kgid(ns, 0);

	if (uid_valid(root_uid))
		*uid = root_uid;
	if (gid_valid(root_gid))
		*gid = root_gid;
}

COMPAT_GET_OWNERSHIP(etfs_door_get_ownership)

static const struct kobj_type etfs_door_type = {
	.release	= etfs_door_release,
	.sysfs_ops	= &kobj_sysfs_ops,
	.default_groups	= etfs_door_groups,
	.get_ownership	= compat_op(kobj_type, get_ownership,
				    etfs_door_get_ownership),
};

struct etfs_door *etfs_door_new(struct etfs_table *table,
				const struct rumpfs_sb *sbi,
				struct kobject *parent, const char *name)
{
	struct etfs_door *door = kzalloc(sizeof(*door), GFP_KERNEL_ACCOUNT);
	int err;

	if (!door)
		return ERR_PTR(-ENOMEM);
	door->table = table;
	door->sbi = sbi;
	spin_lock_init(&door->lock);
	err = kobject_init_and_add(&door->kobject, &etfs_door_type, parent,
				   "%s", name);
	if (!err)
		err = sysfs_create_bin_file(&door->kobject, &etfs_attribute);
	if (err) {
		kobject_put(&door->kobject);
		return ERR_PTR(err);
	}
	return door;
}

/*
 * Take the directory away with all that is in it. Context: waits for whoever
 * is in one of the files, so nothing that a write needs is held.
 */
void etfs_door_remove(struct etfs_door *door)
{
	kobject_del(&door->kobject);
	kobject_put(&door->kobject);
}
