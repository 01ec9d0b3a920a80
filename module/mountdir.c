// SPDX-License-Identifier: GPL-2.0
/* The door of one mount, /sys/fs/rumpfs/MAJOR:MINOR, and its figures. */
#include "door.h"
#include "rumpfs.h"

#include <linux/err.h>
#include <linux/kdev_t.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>

static const struct rumpfs_sb *rumpfs_mountdir_sb(struct kobject *kobj)
{
	return ETFS_DOOR(kobj)->sbi;
}

static ssize_t nr_mappings_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	/*
	 * Sysfs holds a lock, so that of the table must not be taken: whoever
	 * splices a key of some sysfs file takes such a lock with one of ours.
	 */
	return sysfs_emit(buf, "%u\n",
			  READ_ONCE(ETFS_DOOR(kobj)->table->nr_committed));
}

static ssize_t bytes_used_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", (long long)
			  atomic64_read(&rumpfs_mountdir_sb(kobj)->bytes_used));
}

static ssize_t inodes_used_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", (long long)
			  atomic64_read(&rumpfs_mountdir_sb(kobj)->inodes_used));
}

static ssize_t table_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  rumpfs_is_private(rumpfs_mountdir_sb(kobj)) ?
			  "private" : "host");
}

static struct kobj_attribute nr_mappings_attribute = __ATTR_RO(nr_mappings);
static struct kobj_attribute bytes_used_attribute = __ATTR_RO(bytes_used);
static struct kobj_attribute inodes_used_attribute = __ATTR_RO(inodes_used);
static struct kobj_attribute table_attribute = __ATTR_RO(table);

static struct attribute *rumpfs_mountdir_attrs[] = {
	&nr_mappings_attribute.attr,
	&bytes_used_attribute.attr,
	&inodes_used_attribute.attr,
	&table_attribute.attr,
	NULL
};

static const struct attribute_group rumpfs_mountdir_group = {
	.attrs = rumpfs_mountdir_attrs,
};

int rumpfs_mountdir_add(struct rumpfs_sb *sbi)
{
	dev_t dev = sbi->sb->s_dev;
	struct etfs_door *door;
	char name[24];
	int err;

	snprintf(name, sizeof(name), "%u:%u", MAJOR(dev), MINOR(dev));
	door = etfs_door_new(sbi->table, sbi, etfs_sysfs_root(), name);
	if (IS_ERR(door))
		return PTR_ERR(door);
	err = sysfs_create_group(&door->kobject, &rumpfs_mountdir_group);
	if (err)
		etfs_door_remove(door);
	else
		sbi->door = door;
	return err;
}

void rumpfs_mountdir_remove(struct rumpfs_sb *sbi)
{
	if (sbi->door)
		etfs_door_remove(sbi->door);
	sbi->door = NULL;
}
