// SPDX-License-Identifier: GPL-2.0
/*
 * The partitions of a disk are block nodes beside its key.
 *
 * Each has a map of its own, chained to that of the disk by ->part, which the
 * table enters and removes with it; see partkey.c. Whoever opens a partition
 * opens the disk, so users are counted there. The block layer may read the
 * partitions again at any time, as it does for sfdisk(8): a node whose
 * partition is gone then opens as one without a device.
 */
#include "disk.h"

#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/part_stat.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>

/* I: all */
struct etfs_partition {
	/* a reference */
	struct etfs_disk *disk;
	dev_t devt;
	unsigned int nr;
};

/* Context: RCU read section, disk->lock. Return: NULL if it is gone. */
static struct block_device *etfs_partition_find(const struct etfs_map *map)
{
	const struct etfs_partition *is = map->partition;
	struct block_device *bdev;

	lockdep_assert_held(&is->disk->lock);
	if (is->disk->is_removed)
		return NULL;
	bdev = xa_load(&is->disk->gd->part_tbl, is->nr);
	return bdev && bdev->bd_dev == is->devt ? bdev : NULL;
}

static dev_t etfs_partition_rdev(struct etfs_map *map)
{
	struct etfs_disk *disk = map->partition->disk;
	bool is_there;

	rcu_read_lock();
	spin_lock(&disk->lock);
	is_there = etfs_partition_find(map);
	spin_unlock(&disk->lock);
	rcu_read_unlock();
	return is_there ? map->partition->devt : 0;
}

static void etfs_partition_stat(struct etfs_map *map, struct etfs_usage *usage)
{
	struct etfs_disk *disk = map->partition->disk;
	struct block_device *bdev;

	usage->rdev = map->partition->devt;
	rcu_read_lock();
	spin_lock(&disk->lock);
	bdev = etfs_partition_find(map);
	if (bdev) {
		usage->opens = atomic_read(&bdev->bd_openers);
		usage->bytes_read =
			(u64)part_stat_read(bdev, sectors[STAT_READ]) <<
			SECTOR_SHIFT;
		usage->bytes_written =
			(u64)part_stat_read(bdev, sectors[STAT_WRITE]) <<
			SECTOR_SHIFT;
	}
	spin_unlock(&disk->lock);
	rcu_read_unlock();
}

static void etfs_partition_node(struct inode *inode, struct etfs_map *map)
{
	init_special_inode(inode, S_IFBLK | (inode->i_mode & 07777),
			   map->partition->devt);
}

static void etfs_partition_unbind(struct etfs_map *map)
{
	etfs_map_drop_host(map);
	etfs_disk_put(map->partition->disk);
	kfree(map->partition);
}

static struct file *etfs_partition_get_held(struct etfs_map *map)
{
	return etfs_disk_get_host(map->partition->disk);
}

/* The disk's own are told. */
static void etfs_partition_remove(struct etfs_map *map)
{
}

static const struct etfs_kind etfs_partition_kind = {
	.name		= "blk",
	.type		= S_IFBLK,
	.is_implied	= true,
	.rdev		= etfs_partition_rdev,
	.unbind		= etfs_partition_unbind,
	.node		= etfs_partition_node,
	.remove		= etfs_partition_remove,
	.get_held	= etfs_partition_get_held,
	.stat		= etfs_partition_stat,
};

/* What the block layer knows */

void etfs_parts_scan(struct gendisk *gd, bool has_parts)
{
	struct compat_bdev *bdev = compat_bdev_open(gd);

	/* It is going, and its partitions with it. */
	if (IS_ERR(bdev))
		return;
	mutex_lock(&gd->open_mutex);
	if (has_parts)
		gd->flags &= ~GENHD_FL_NO_PART;
	else
		gd->flags |= GENHD_FL_NO_PART;
	/*
	 * While one is open all stay what they are, and a disk whose table
	 * cannot be read has none.
	 */
	bdev_disk_changed(gd, false);
	mutex_unlock(&gd->open_mutex);
	compat_bdev_close(bdev);
}

dev_t *etfs_parts_list(struct gendisk *gd)
{
	dev_t *devts = kcalloc(DISK_MAX_PARTS, sizeof(*devts), GFP_KERNEL);
	struct block_device *bdev;
	unsigned long nr;

	if (!devts)
		return NULL;
	rcu_read_lock();
	xa_for_each_range(&gd->part_tbl, nr, bdev, 1, DISK_MAX_PARTS - 1)
		devts[nr] = bdev->bd_dev;
	rcu_read_unlock();
	return devts;
}

void etfs_parts_each(struct gendisk *gd, void (*fn)(struct block_device *bdev))
{
	struct block_device *bdev;
	unsigned int nr;

	for (nr = 1; nr < DISK_MAX_PARTS; nr++) {
		rcu_read_lock();
		bdev = xa_load(&gd->part_tbl, nr);
		if (bdev && !kobject_get_unless_zero(bdev_kobj(bdev)))
			bdev = NULL;
		rcu_read_unlock();
		if (!bdev)
			continue;
		fn(bdev);
		put_device(&bdev->bd_device);
	}
}

bool etfs_parts_are(const struct etfs_map *map, const dev_t *devts)
{
	const struct etfs_map *part = map->part;
	unsigned int nr;

	for (nr = 1; nr < DISK_MAX_PARTS; nr++) {
		if (!devts[nr])
			continue;
		if (!part || part->partition->nr != nr ||
		    part->partition->devt != devts[nr])
			return false;
		part = part->part;
	}
	return !part;
}

/* Maps of them */

static int etfs_partition_name(char *key, size_t size, const char *disk,
			       unsigned int nr)
{
	int len = snprintf(key, size, "%sp%u", disk, nr);

	return len > ETFS_MAX_KEY || strlen(strrchr(key, '/') + 1) > NAME_MAX ?
		-ENAMETOOLONG : 0;
}

static struct etfs_map *etfs_partition_new(struct etfs_map *map, char *key,
					   unsigned int nr, dev_t devt)
{
	struct etfs_spec spec = map->spec;
	struct etfs_map *part;

	spec.key = key;
	spec.tag = NULL;
	part = etfs_map_new(&spec, &etfs_partition_kind, map->origin);
	if (!part)
		return NULL;
	part->partition = kmalloc(sizeof(*part->partition), GFP_KERNEL_ACCOUNT);
	if (!part->partition) {
		etfs_map_put(part);
		return NULL;
	}
	refcount_inc(&map->disk->ref);
	*part->partition = (struct etfs_partition) {
		.disk = map->disk, .devt = devt, .nr = nr,
	};
	part->is_bound = true;
	spin_lock(&map->attr_lock);
	part->attr = map->attr;
	spin_unlock(&map->attr_lock);
	etfs_map_set_host(part, etfs_map_get_host(map));
	return part;
}

int etfs_parts_make(struct etfs_map *map, const dev_t *devts)
{
	struct etfs_map **last = &map->part;
	size_t size = ETFS_MAX_KEY + 2;
	char *key = kmalloc(size, GFP_KERNEL);
	unsigned int nr;
	int err = 0;

	if (!key)
		return -ENOMEM;
	for (nr = 1; nr < DISK_MAX_PARTS && !err; nr++) {
		if (!devts[nr])
			continue;
		err = etfs_partition_name(key, size, map->spec.key, nr);
		if (err)
			break;
		*last = etfs_partition_new(map, key, nr, devts[nr]);
		if (*last)
			last = &(*last)->part;
		else
			err = -ENOMEM;
	}
	kfree(key);
	if (err) {
		etfs_parts_put(map->part);
		map->part = NULL;
	}
	return err;
}

void etfs_parts_put(struct etfs_map *part)
{
	struct etfs_map *next;

	for (; part; part = next) {
		next = part->part;
		part->part = NULL;
		etfs_map_put(part);
	}
}
