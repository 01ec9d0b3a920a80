// SPDX-License-Identifier: GPL-2.0
/*
 * A disk as the table knows it: bound to a map, handed on to the one that
 * replaces it, removed and revoked.
 */
#include "disk.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm_types.h>
#include <linux/part_stat.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/stat.h>

static int etfs_disk_judge_blocks(const struct etfs_map *map,
				  const struct file *host,
				  struct etfs_reason *why)
{
	u32 bs = etfs_disk_bs(map, host), align = etfs_host_dio_align(host);
	u64 size = etfs_disk_size(map, host);

	if (align > 1 && (bs < align || !IS_ALIGNED(map->spec.win.offset, align) ||
			  !IS_ALIGNED(size, align))) {
		etfs_refuse(why, "dio is by %u bytes here, not window %llu+%llu with bs=%u",
			    align, map->spec.win.offset, size, bs);
		return -EINVAL;
	}
	if (bs == SECTOR_SIZE || IS_ALIGNED(size, bs))
		return 0;
	etfs_refuse(why, "the window's %llu bytes are no multiple of bs=%u",
		    size, bs);
	return -EINVAL;
}

/* A host file that a disk can be made of. */
static struct file *etfs_disk_open_host(struct etfs_map *map,
					struct etfs_reason *why)
{
	int flags = map->spec.flags & ETFS_MAP_RO ? O_RDONLY : O_RDWR;
	struct file *host;
	int err;

	if (map->spec.flags & ETFS_MAP_DIO)
		flags |= O_DIRECT;
	host = etfs_host_open(map, flags | O_LARGEFILE, why);
	if (IS_ERR(host))
		return host;
	err = etfs_disk_judge_blocks(map, host, why);
	if (!err)
		return host;
	fput(host);
	return ERR_PTR(err);
}

/*
 * Would the disk be the same but for its window and what fails? Then it lends
 * its host; it may be on its way out.
 */
static struct file *etfs_disk_fits(struct etfs_map *old,
				   const struct etfs_map *map,
				   const struct file *host)
{
	const struct etfs_disk *disk = old->disk;
	struct file *has = etfs_map_get_host(old);

	if (has && file_inode(has) == file_inode(host) &&
	    !((has->f_flags ^ host->f_flags) & O_DIRECT) &&
	    disk->is_ro == !!(map->spec.flags & ETFS_MAP_RO) &&
	    disk->bs == etfs_disk_bs(map, host) &&
	    disk->target == etfs_disk_target(map, host))
		return has;
	if (has)
		fput(has);
	return NULL;
}

static void etfs_bdev_sync(struct block_device *bdev)
{
	sync_blockdev(bdev);
}

/* What was written to the window as it is goes there. */
static void etfs_disk_sync(struct etfs_disk *disk)
{
	struct gendisk *gd = etfs_disk_get_gd(disk);

	if (!gd)
		return;
	etfs_bdev_sync(gd->part0);
	etfs_parts_each(gd, etfs_bdev_sync);
	put_disk(gd);
}

/* The map it is at keeps the disk there meanwhile. */
static void etfs_disk_bind_old(struct etfs_map *map, struct etfs_disk *disk,
			       struct file *host)
{
	refcount_inc(&disk->ref);
	map->disk = disk;
	etfs_map_set_host(map, host);
	map->is_pinned = true;
}

static int etfs_disk_follow(struct etfs_map *map, struct etfs_map *old,
			    struct etfs_reason *why)
{
	struct file *host = etfs_disk_open_host(map, why), *has = NULL;

	if (IS_ERR(host))
		return PTR_ERR(host);
	if (old)
		has = etfs_disk_fits(old, map, host);
	if (has) {
		etfs_disk_bind_old(map, old->disk, has);
		fput(host);
		return 1;
	}
	etfs_map_set_host(map, host);
	map->is_pinned = true;
	return 0;
}

static int etfs_disk_bind(struct etfs_map *map, struct etfs_reason *why)
{
	return etfs_disk_follow(map, NULL, why);
}

/* A new disk reads its partitions, one that goes on lends what it has. */
static int etfs_disk_find_parts(struct etfs_map *map, struct etfs_reason *why)
{
	struct gendisk *gd;
	dev_t *devts;
	bool is_new;
	int err;

	if (!(map->spec.flags & ETFS_MAP_PART))
		return 0;
	gd = etfs_disk_get_gd(map->disk);
	if (!gd)
		return 0;
	spin_lock(&map->disk->lock);
	is_new = map->disk->map == map;
	spin_unlock(&map->disk->lock);
	if (is_new)
		etfs_parts_scan(gd, true);
	devts = etfs_parts_list(gd);
	put_disk(gd);
	err = devts ? etfs_parts_make(map, devts) : -ENOMEM;
	kfree(devts);
	if (err)
		etfs_refuse(why, "its partitions cannot be shown: %pe",
			    ERR_PTR(err));
	return err;
}

/* The disk may be there already, if its partitions could not be found. */
static int etfs_disk_make(struct etfs_map *map, struct etfs_reason *why)
{
	struct etfs_disk *disk = map->disk;
	int err;

	if (disk) {
		if (etfs_disk_window(disk).offset != map->spec.win.offset)
			etfs_disk_sync(disk);
	} else {
		etfs_refuse(why, "the disk cannot be made");
		err = etfs_disk_add(map, get_file(map->host));
		if (err) {
			fput(map->host);
			return err;
		}
	}
	return etfs_disk_find_parts(map, why);
}

/* Who has it open has the new map open from now on. */
static void etfs_disk_adopt(struct etfs_map *map, struct etfs_map *old)
{
	struct etfs_disk *disk = map->disk;

	etfs_map_get(map);
	spin_lock(&disk->lock);
	atomic_add(disk->nr_open, &map->users);
	atomic_sub(disk->nr_open, &old->users);
	etfs_disk_set_map(disk, map);
	spin_unlock(&disk->lock);
	set_capacity_and_notify(disk->gd, DIV_ROUND_UP_ULL(disk->win.size,
							   SECTOR_SIZE));
	/* Its own page cache is of other bytes now, and each partition's. */
	if (old->spec.win.offset != map->spec.win.offset) {
		invalidate_bdev(disk->gd->part0);
		etfs_parts_each(disk->gd, invalidate_bdev);
	}
	etfs_disk_drop_hosts(old);
	etfs_map_put(old);
}

/* Return: is anything left to be done? Not for one that has handed it on. */
static bool etfs_disk_leave(struct etfs_map *map, bool is_dead)
{
	struct etfs_disk *disk = map->disk;
	bool is_due;

	spin_lock(&disk->lock);
	is_due = disk->map == map;
	if (is_due) {
		disk->is_removed = true;
		disk->is_dead = is_dead;
		is_due = is_dead || !disk->nr_open;
	}
	spin_unlock(&disk->lock);
	return is_due;
}

static void etfs_disk_remove(struct etfs_map *map)
{
	if (map->disk && etfs_disk_leave(map, false))
		etfs_disk_delete_soon(map->disk);
}

/* Most of a deletion is grace periods, which those of a batch share. */
static void etfs_disk_remove_wait(struct etfs_map *map)
{
	struct etfs_disk *disk = map->disk;
	bool is_due;

	if (!disk)
		return;
	spin_lock(&disk->lock);
	is_due = disk->map == map && !disk->nr_open;
	spin_unlock(&disk->lock);
	if (is_due)
		wait_for_completion(&disk->deleted);
}

/* As if somebody had pulled it out. */
static void etfs_disk_revoke(struct etfs_map *map)
{
	if (!etfs_disk_leave(map, true))
		return;
	blk_mark_disk_dead(map->disk->gd);
	etfs_disk_delete_soon(map->disk);
}

static int etfs_disk_revoke_wait(struct etfs_map *map)
{
	return wait_for_completion_interruptible(&map->disk->deleted) ?
		-EINTR : 0;
}

static void etfs_disk_unbind(struct etfs_map *map)
{
	struct etfs_disk *disk = map->disk;

	etfs_map_drop_host(map);
	map->disk = NULL;
	etfs_parts_put(map->part);
	map->part = NULL;
	if (disk)
		etfs_disk_put(disk);
}

/* Areas of memory that show pages of the disk. */
static u32 etfs_disk_nr_areas(struct address_space *mapping)
{
	struct vm_area_struct *vma, *next;
	u32 nr = 0;

	i_mmap_lock_read(mapping);
	rbtree_postorder_for_each_entry_safe(vma, next,
					     &mapping->i_mmap.rb_root,
					     shared.rb)
		nr++;
	i_mmap_unlock_read(mapping);
	return nr;
}

static void etfs_disk_stat(struct etfs_map *map, struct etfs_usage *usage)
{
	struct block_device *whole = map->disk->gd->part0;

	usage->rdev = map->disk->devt;
	usage->maps = etfs_disk_nr_areas(whole->bd_mapping);
	usage->bytes_read = (u64)part_stat_read(whole, sectors[STAT_READ]) <<
			    SECTOR_SHIFT;
	usage->bytes_written = (u64)part_stat_read(whole, sectors[STAT_WRITE]) <<
			       SECTOR_SHIFT;
}

/* A map that was replaced knows the disk still; one that is there has it. */
static struct file *etfs_disk_get_held(struct etfs_map *map)
{
	return etfs_disk_get_host(map->disk);
}

static void etfs_disk_node(struct inode *inode, struct etfs_map *map)
{
	init_special_inode(inode, S_IFBLK | (inode->i_mode & 07777),
			   map->disk->devt);
}

static dev_t etfs_disk_rdev(struct etfs_map *map)
{
	return completion_done(&map->disk->deleted) ? 0 : map->disk->devt;
}

const struct etfs_kind etfs_blk_kind = {
	.name		= "blk",
	.type		= S_IFBLK,
	.bind		= etfs_disk_bind,
	.make		= etfs_disk_make,
	.follow		= etfs_disk_follow,
	.adopt		= etfs_disk_adopt,
	.unbind		= etfs_disk_unbind,
	.node		= etfs_disk_node,
	.rdev		= etfs_disk_rdev,
	.remove		= etfs_disk_remove,
	.remove_wait	= etfs_disk_remove_wait,
	.revoke		= etfs_disk_revoke,
	.revoke_wait	= etfs_disk_revoke_wait,
	.get_held	= etfs_disk_get_held,
	.stat		= etfs_disk_stat,
};
