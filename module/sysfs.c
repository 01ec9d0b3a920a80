// SPDX-License-Identifier: GPL-2.0
/* /sys/fs/rumpfs: the host table as text, and what this module can do. */
#include "door.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>

static struct etfs_door *etfs_host_door;

void etfs_error_set(const struct etfs_reason *why)
{
	etfs_door_refuse(etfs_host_door, why);
}

struct kobject *etfs_sysfs_root(void)
{
	return &etfs_host_door->kobject;
}

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%s\n", RUMPFS_VERSION);
}

static struct kobj_attribute version_attribute = __ATTR_RO(version);

static struct attribute *etfs_attributes[] = {
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
ETFS_FEATURE(part);
ETFS_FEATURE(private);
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
	&etfs_feature_part.attr,
	&etfs_feature_private.attr,
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

int etfs_sysfs_init(void)
{
	struct etfs_door *door;
	int err;

	door = etfs_door_new(&etfs_host_table, NULL, fs_kobj, "rumpfs");
	if (IS_ERR(door))
		return PTR_ERR(door);
	etfs_host_door = door;
	err = sysfs_create_groups(&door->kobject, etfs_groups);
	if (!err)
		err = sysfs_create_bin_file(&door->kobject,
					    &etfs_boot_attribute);
	if (err)
		etfs_door_remove(door);
	return err;
}

/* Waits for whoever is in one of the files. */
void etfs_sysfs_exit(void)
{
	etfs_door_remove(etfs_host_door);
}
