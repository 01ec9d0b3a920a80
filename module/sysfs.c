// SPDX-License-Identifier: GPL-2.0
/* /sys/fs/rumpfs: the host table as text, and what this module can do. */
#include "etfs.h"

#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/string.h>
#include <linux/sysfs.h>

/* The last refusal in words. */
static DEFINE_SPINLOCK(etfs_error_lock);
static struct etfs_reason etfs_error;

void etfs_error_set(const struct etfs_reason *why)
{
	spin_lock(&etfs_error_lock);
	etfs_error = *why;
	spin_unlock(&etfs_error_lock);
}

static ssize_t last_error_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	ssize_t len = 0;

	spin_lock(&etfs_error_lock);
	if (etfs_error.line)
		len = sysfs_emit(buf, "%u:%u: %s%s%s\n", etfs_error.line,
				 etfs_error.col, etfs_error.key,
				 etfs_error.key[0] ? ": " : "",
				 etfs_error.text);
	spin_unlock(&etfs_error_lock);
	return len;
}

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%s\n", RUMPFS_VERSION);
}

/* The host table */

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
		if (batch->err)
			return 0;
		if (op->verb != ETFS_NOTHING)
			batch->nr_ops++;
		at = newline ? newline + 1 : end;
	}
	return 0;
}

/* Context: kernfs holds the open file's own mutex. */
static ssize_t etfs_write(struct file *file, struct kobject *kobj,
			  const struct bin_attribute *attr, char *buf,
			  loff_t pos, size_t count)
{
	struct etfs_origin *origin;
	struct etfs_batch batch;
	int err;

	if (!etfs_table_may(&etfs_host_table, file))
		return -EPERM;
	count = etfs_whole_lines(buf, count);
	origin = etfs_origin_new(file->f_cred);
	if (!origin)
		return -ENOMEM;
	err = etfs_batch_init(&batch, &etfs_host_table, origin);
	if (err)
		goto put_origin;
	batch.may_devices = etfs_file_may_devices(file);
	err = etfs_batch_read(&batch, buf, count);
	if (!err)
		err = etfs_batch_apply(&batch);
	if (err && batch.why.line)
		etfs_error_set(&batch.why);
	etfs_batch_exit(&batch);
put_origin:
	etfs_origin_put(origin);
	return err ?: count;
}

COMPAT_BIN_WRITE(etfs_write)

static ssize_t etfs_read(struct file *file, struct kobject *kobj,
			 const struct bin_attribute *attr, char *buf,
			 loff_t pos, size_t count)
{
	ssize_t n;

	mutex_lock(&etfs_host_table.lock);
	n = etfs_table_print(&etfs_host_table, buf, pos, count);
	mutex_unlock(&etfs_host_table.lock);
	return n;
}

COMPAT_BIN_READ(etfs_read)

static const struct bin_attribute etfs_attribute = {
	.attr	= { .name = "etfs", .mode = 0600 },
	.read	= compat_op(bin_attribute, read, etfs_read),
	.write	= compat_op(bin_attribute, write, etfs_write),
};

static struct kobj_attribute last_error_attribute =
	__ATTR(last_error, 0400, last_error_show, NULL);
static struct kobj_attribute version_attribute = __ATTR_RO(version);

static struct attribute *etfs_attributes[] = {
	&last_error_attribute.attr,
	&version_attribute.attr,
	NULL
};

static const struct attribute_group etfs_group = {
	.attrs = etfs_attributes,
};

/* Features: a file for each thing a program may want to know of */

static ssize_t feature_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "supported\n");
}

#define ETFS_FEATURE(name) \
	static struct kobj_attribute etfs_feature_##name = \
		__ATTR(name, 0444, feature_show, NULL)

ETFS_FEATURE(apply);
ETFS_FEATURE(blk);
ETFS_FEATURE(chr);
ETFS_FEATURE(dir);
ETFS_FEATURE(list);
ETFS_FEATURE(reg);
ETFS_FEATURE(stat);
ETFS_FEATURE(subdirs);
ETFS_FEATURE(whiteout);

static struct attribute *etfs_features[] = {
	&etfs_feature_apply.attr,
	&etfs_feature_blk.attr,
	&etfs_feature_chr.attr,
	&etfs_feature_dir.attr,
	&etfs_feature_list.attr,
	&etfs_feature_reg.attr,
	&etfs_feature_stat.attr,
	&etfs_feature_subdirs.attr,
	&etfs_feature_whiteout.attr,
	NULL
};

static const struct attribute_group etfs_feature_group = {
	.name = "features",
	.attrs = etfs_features,
};

static const struct attribute_group *etfs_groups[] = {
	&etfs_group,
	&etfs_feature_group,
	NULL
};

static struct kobject *etfs_kobject;

int etfs_sysfs_init(void)
{
	int err;

	etfs_kobject = kobject_create_and_add("rumpfs", fs_kobj);
	if (!etfs_kobject)
		return -ENOMEM;
	err = sysfs_create_groups(etfs_kobject, etfs_groups);
	if (!err)
		err = sysfs_create_bin_file(etfs_kobject, &etfs_boot_attribute);
	if (!err)
		err = sysfs_create_bin_file(etfs_kobject, &etfs_attribute);
	/* The groups go with the kobject. */
	if (err)
		kobject_put(etfs_kobject);
	return err;
}

/* Waits for whoever is in one of the files. */
void etfs_sysfs_exit(void)
{
	sysfs_remove_bin_file(etfs_kobject, &etfs_attribute);
	sysfs_remove_bin_file(etfs_kobject, &etfs_boot_attribute);
	sysfs_remove_groups(etfs_kobject, etfs_groups);
	kobject_put(etfs_kobject);
}
