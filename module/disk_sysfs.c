// SPDX-License-Identifier: GPL-2.0
/* In /sys/block/rumpblkN/etfs: what a disk is, and how it was used. */
#include "disk.h"

#include <linux/fs.h>
#include <linux/sysfs.h>

#define ETFS_DISK_ATTR(_name, emit)					\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	struct etfs_disk *disk = dev_to_disk(dev)->private_data;	\
									\
	return emit;							\
}									\
static DEVICE_ATTR_RO(_name)

/* Whose key it is at, with a reference. */
static struct etfs_map *etfs_disk_get_map(struct etfs_disk *disk)
{
	struct etfs_map *map;

	spin_lock(&disk->lock);
	map = disk->map;
	etfs_map_get(map);
	spin_unlock(&disk->lock);
	return map;
}

static ssize_t etfs_disk_show(struct etfs_disk *disk, char *buf,
			      ssize_t (*show)(struct etfs_map *map, char *buf))
{
	struct etfs_map *map = etfs_disk_get_map(disk);
	ssize_t len = show(map, buf);

	etfs_map_put(map);
	return len;
}

ETFS_DISK_ATTR(key, etfs_disk_show(disk, buf, etfs_show_key));
ETFS_DISK_ATTR(backing_file, etfs_disk_show(disk, buf, etfs_show_backing_file));
ETFS_DISK_ATTR(offset, sysfs_emit(buf, "%llu\n",
				  etfs_disk_window(disk).offset));
ETFS_DISK_ATTR(size, sysfs_emit(buf, "%llu\n", etfs_disk_window(disk).size));
ETFS_DISK_ATTR(dio, sysfs_emit(buf, "%d\n",
			       !!(disk->host->f_flags & O_DIRECT)));
ETFS_DISK_ATTR(ro, sysfs_emit(buf, "%d\n", disk->is_ro));

#define ETFS_DISK_COUNT(name, how)					\
	ETFS_DISK_ATTR(name, sysfs_emit(buf, "%llu\n",			\
					etfs_disk_count(disk, how)))

ETFS_DISK_COUNT(reads_cached, ETFS_READ_CACHED);
ETFS_DISK_COUNT(writes_cached, ETFS_WRITE_CACHED);
ETFS_DISK_COUNT(reads_direct, ETFS_READ_DIRECT);
ETFS_DISK_COUNT(writes_direct, ETFS_WRITE_DIRECT);
ETFS_DISK_COUNT(reads_worker, ETFS_READ_WORKER);
ETFS_DISK_COUNT(writes_worker, ETFS_WRITE_WORKER);
ETFS_DISK_COUNT(failed, ETFS_FAILED);

static struct attribute *etfs_disk_attrs[] = {
	&dev_attr_key.attr,
	&dev_attr_backing_file.attr,
	&dev_attr_offset.attr,
	&dev_attr_size.attr,
	&dev_attr_dio.attr,
	&dev_attr_ro.attr,
	&dev_attr_reads_cached.attr,
	&dev_attr_writes_cached.attr,
	&dev_attr_reads_direct.attr,
	&dev_attr_writes_direct.attr,
	&dev_attr_reads_worker.attr,
	&dev_attr_writes_worker.attr,
	&dev_attr_failed.attr,
	NULL
};

static const struct attribute_group etfs_disk_group = {
	.name = "etfs", .attrs = etfs_disk_attrs,
};

const struct attribute_group *etfs_disk_groups[] = {
	&etfs_disk_group,
	NULL
};
