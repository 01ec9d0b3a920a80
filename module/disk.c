// SPDX-License-Identifier: GPL-2.0
/*
 * A window of a host file is a block device. Its bios are in disk_io.c.
 *
 * How a disk goes:
 *
 *	remove		no more opens; if it is open, the rest is for a worker
 *			after the last close
 *	delete		/dev/rumpblkN and /sys/block/rumpblkN are gone, the
 *			host file is closed
 *	free_disk	nobody in the block layer knows it any more: the disk
 *			lets go of its map
 *	unbind		nobody knows the map any more
 *
 * Lock: disk->lock, a leaf, inside gd->open_mutex.
 */
#include "disk.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/magic.h>
#include <linux/mm_types.h>
#include <linux/module.h>
#include <linux/part_stat.h>
#include <linux/rbtree.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/sysfs.h>
#include <linux/wait_bit.h>

static DEFINE_IDA(etfs_disk_nrs);
static struct workqueue_struct *etfs_disk_wq;
/* Disks made and not yet unbound */
static atomic_t etfs_nr_disks = ATOMIC_INIT(0);

static int etfs_disk_open(struct gendisk *gd, blk_mode_t mode)
{
	struct etfs_disk *disk = gd->private_data;
	int err = -ENXIO;

	lockdep_assert_held(&gd->open_mutex);
	spin_lock(&disk->lock);
	/* A busy removal claims the map before it removes it. */
	if (!disk->is_removed && !etfs_map_use(disk->map)) {
		disk->nr_open++;
		err = 0;
	}
	spin_unlock(&disk->lock);
	return err;
}

COMPAT_OPEN(etfs_disk_open)

/* The last one must not delete the disk: the caller holds its open_mutex. */
static void etfs_disk_release(struct gendisk *gd)
{
	struct etfs_disk *disk = gd->private_data;

	lockdep_assert_held(&gd->open_mutex);
	spin_lock(&disk->lock);
	etfs_map_unuse(disk->map);
	if (!--disk->nr_open && disk->is_removed && !disk->is_dead)
		queue_work(etfs_disk_wq, &disk->delete);
	spin_unlock(&disk->lock);
}

COMPAT_RELEASE(etfs_disk_release)

static void etfs_disk_free(struct gendisk *gd)
{
	struct etfs_disk *disk = gd->private_data;
	struct etfs_map *map;

	spin_lock(&disk->lock);
	map = disk->map;
	disk->map = NULL;
	spin_unlock(&disk->lock);
	etfs_map_put(map);
}

static const struct block_device_operations etfs_disk_ops = {
	.owner = THIS_MODULE,
	.submit_bio = etfs_disk_submit_bio,
	.open = compat_op(block_device_operations, open, etfs_disk_open),
	.release = compat_op(block_device_operations, release, etfs_disk_release),
	.free_disk = etfs_disk_free,
};

/* In /sys/block/rumpblkN/etfs */

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

static const struct attribute_group *etfs_disk_groups[] = {
	&etfs_disk_group,
	NULL
};

/* Context: table->lock, or the map is in no table any more. */
static void etfs_disk_drop_hosts(struct etfs_map *map)
{
	for (; map; map = map->part)
		etfs_map_drop_host(map);
}

/*
 * Nobody can open it, and nobody has it open or it is dead: then bios that are
 * already with a worker are waited for, and no other gets there.
 */
static void etfs_disk_delete(struct work_struct *work)
{
	struct etfs_disk *disk = container_of(work, struct etfs_disk, delete);

	del_gendisk(disk->gd);
	etfs_disk_io_stop(disk);
	etfs_disk_drop_hosts(disk->map);
	fput(disk->host);
	flush_delayed_fput();
	ida_free(&etfs_disk_nrs, disk->nr);
	complete_all(&disk->deleted);
	put_disk(disk->gd);
}

static u64 etfs_disk_size(const struct etfs_map *map, const struct file *host)
{
	return etfs_window_size(&map->spec.win, etfs_host_size(host));
}

static u32 etfs_disk_bs(const struct etfs_map *map, const struct file *host)
{
	return map->spec.bs ?: max_t(u32, SECTOR_SIZE,
				     etfs_host_dio_align(host));
}

/* A host that can fallocate can punch holes anywhere, but for these. */
static bool etfs_host_has_holes(const struct file *host)
{
	return host->f_op->fallocate && !S_ISBLK(file_inode(host)->i_mode) &&
	       file_inode(host)->i_sb->s_magic != MSDOS_SUPER_MAGIC;
}

static bool etfs_host_has_flush(const struct file *host)
{
	return host->f_op->fsync && host->f_op->fsync != noop_fsync;
}

/* The gendisk of a disk, not yet known to anybody. */
static int etfs_disk_alloc_gd(struct etfs_disk *disk)
{
	struct queue_limits lim = {
		.logical_block_size	= disk->bs,
		.max_hw_sectors		= SZ_4M >> SECTOR_SHIFT,
		.max_segments		= USHRT_MAX,
		.max_segment_size	= UINT_MAX,
		/* the processor copies; 0 would mean 511 */
		.dma_alignment		= 3,
	};
	blk_features_t features = BLK_FEAT_NOWAIT;
	struct gendisk *gd;

	/* The host's direct I/O looks at the memory, too. */
	if (disk->host->f_flags & O_DIRECT)
		lim.dma_alignment = disk->bs - 1;
	if (etfs_host_has_holes(disk->host) && !disk->is_ro) {
		lim.discard_granularity = PAGE_SIZE;
		lim.max_hw_discard_sectors = UINT_MAX >> SECTOR_SHIFT;
		lim.max_write_zeroes_sectors = UINT_MAX >> SECTOR_SHIFT;
	}
	if (etfs_host_has_flush(disk->host))
		features |= BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA;
	gd = compat_alloc_disk(&lim, features, disk->target,
			       disk->win.offset >> SECTOR_SHIFT);
	if (IS_ERR(gd))
		return PTR_ERR(gd);
	gd->flags |= GENHD_FL_NO_PART;
	gd->fops = &etfs_disk_ops;
	gd->private_data = disk;
	snprintf(gd->disk_name, sizeof(gd->disk_name), "rumpblk%d", disk->nr);
	set_capacity(gd, DIV_ROUND_UP_ULL(disk->win.size, SECTOR_SIZE));
	set_disk_ro(gd, disk->is_ro);
	disk->gd = gd;
	return 0;
}

/* Whole blocks of a device of the host go to it as they are. */
static struct block_device *etfs_disk_target(const struct etfs_map *map,
					     const struct file *host)
{
	struct inode *inode = host->f_mapping->host;
	u64 size = etfs_disk_size(map, host);
	struct block_device *bdev;

	if (!S_ISBLK(inode->i_mode))
		return NULL;
	bdev = I_BDEV(inode);
	return IS_ALIGNED(map->spec.win.offset | size,
			  bdev_logical_block_size(bdev)) ? bdev : NULL;
}

/* Context: disk->lock held. */
static void etfs_disk_set_map(struct etfs_disk *disk, struct etfs_map *map)
{
	disk->map = map;
	write_seqcount_begin(&disk->win_seq);
	disk->win.offset = map->spec.win.offset;
	disk->win.size = etfs_disk_size(map, disk->host);
	write_seqcount_end(&disk->win_seq);
	WRITE_ONCE(disk->fail, map->spec.fail);
	WRITE_ONCE(disk->fail_seed, map->spec.fail_seed);
}

/* On success the disk is there for everyone and has host and a map reference. */
static int etfs_disk_add(struct etfs_map *map, struct file *host)
{
	struct etfs_disk *disk;
	int err = -ENOMEM;

	disk = kzalloc(sizeof(*disk), GFP_KERNEL_ACCOUNT);
	if (!disk)
		return err;
	refcount_set(&disk->ref, 1);
	spin_lock_init(&disk->lock);
	seqcount_spinlock_init(&disk->win_seq, &disk->lock);
	disk->host = host;
	disk->is_ro = map->spec.flags & ETFS_MAP_RO;
	disk->bs = etfs_disk_bs(map, host);
	disk->target = etfs_disk_target(map, host);
	spin_lock(&disk->lock);
	etfs_disk_set_map(disk, map);
	spin_unlock(&disk->lock);
	INIT_WORK(&disk->delete, etfs_disk_delete);
	init_completion(&disk->deleted);
	disk->nr = ida_alloc(&etfs_disk_nrs, GFP_KERNEL);
	if (disk->nr < 0)
		goto free_disk;
	err = etfs_disk_io_init(disk);
	if (err)
		goto free_nr;
	err = etfs_disk_alloc_gd(disk);
	if (err)
		goto exit_io;
	err = device_add_disk(NULL, disk->gd, etfs_disk_groups);
	if (err)
		goto put_gd;
	disk->devt = disk_devt(disk->gd);
	etfs_map_get(map);
	atomic_inc(&etfs_nr_disks);
	map->disk = disk;
	return 0;

put_gd:
	/* ->free_disk is not called: it was never added. */
	put_disk(disk->gd);
exit_io:
	etfs_disk_io_stop(disk);
	etfs_disk_io_exit(disk);
free_nr:
	ida_free(&etfs_disk_nrs, disk->nr);
free_disk:
	kfree(disk);
	return err;
}

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

/* The disk may be on its way out: until that has begun it has its gendisk. */
struct gendisk *etfs_disk_get_gd(struct etfs_disk *disk)
{
	struct gendisk *gd = NULL;

	spin_lock(&disk->lock);
	if (!disk->is_removed) {
		gd = disk->gd;
		get_device(disk_to_dev(gd));
	}
	spin_unlock(&disk->lock);
	return gd;
}

/* What was written to the window as it is goes there. */
static void etfs_disk_sync(struct etfs_disk *disk)
{
	struct gendisk *gd = etfs_disk_get_gd(disk);

	if (!gd)
		return;
	sync_blockdev(gd->part0);
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
	/* Its own page cache is of other bytes now. */
	if (old->spec.win.offset != map->spec.win.offset)
		invalidate_bdev(disk->gd->part0);
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
		queue_work(etfs_disk_wq, &map->disk->delete);
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
	queue_work(etfs_disk_wq, &map->disk->delete);
}

static int etfs_disk_revoke_wait(struct etfs_map *map)
{
	return wait_for_completion_interruptible(&map->disk->deleted) ?
		-EINTR : 0;
}

void etfs_disk_put(struct etfs_disk *disk)
{
	if (!refcount_dec_and_test(&disk->ref))
		return;
	etfs_disk_io_exit(disk);
	kfree(disk);
	if (atomic_dec_and_test(&etfs_nr_disks))
		wake_up_var(&etfs_nr_disks);
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

struct file *etfs_disk_get_host(struct etfs_disk *disk)
{
	struct etfs_map *map;
	struct file *host;

	spin_lock(&disk->lock);
	map = disk->map;
	if (map)
		etfs_map_get(map);
	spin_unlock(&disk->lock);
	if (!map)
		return NULL;
	host = etfs_map_get_host(map);
	etfs_map_put(map);
	return host;
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

const struct etfs_kind etfs_blk_kind = {
	.name		= "blk",
	.type		= S_IFBLK,
	.bind		= etfs_disk_bind,
	.make		= etfs_disk_make,
	.follow		= etfs_disk_follow,
	.adopt		= etfs_disk_adopt,
	.unbind		= etfs_disk_unbind,
	.node		= etfs_disk_node,
	.remove		= etfs_disk_remove,
	.remove_wait	= etfs_disk_remove_wait,
	.revoke		= etfs_disk_revoke,
	.revoke_wait	= etfs_disk_revoke_wait,
	.get_held	= etfs_disk_get_held,
	.stat		= etfs_disk_stat,
};

int etfs_disk_init(void)
{
	etfs_disk_wq = alloc_workqueue("rumpblk", WQ_UNBOUND, 0);
	return etfs_disk_wq ? 0 : -ENOMEM;
}

/*
 * All disks were removed and closed: an open one holds the module. Wait for the
 * deletions their last closes began, and until the block layer has forgotten
 * them, as it calls ->free_disk in this module; before etfs_map_exit().
 */
void etfs_disk_exit(void)
{
	destroy_workqueue(etfs_disk_wq);
	wait_var_event(&etfs_nr_disks, !atomic_read(&etfs_nr_disks));
}
