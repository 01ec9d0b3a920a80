// SPDX-License-Identifier: GPL-2.0
/*
 * A window of a host file is a block device. Its bios are in disk_io.c; what the
 * table asks of it, in disk_map.c.
 *
 * How a disk goes:
 *
 *	remove		no more opens, unless it is open: then the rest is for
 *			a worker after the last close
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
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

static DEFINE_IDA(etfs_disk_nrs);
static struct workqueue_struct *etfs_disk_wq;
/* Disks made and not yet unbound */
static atomic_t etfs_nr_disks = ATOMIC_INIT(0);

static int etfs_disk_open(struct gendisk *gd, blk_mode_t mode)
{
	struct etfs_disk *disk = gd->private_data;
	int err = 0;

	lockdep_assert_held(&gd->open_mutex);
	spin_lock(&disk->lock);
	/*
	 * Who has it open may need it once more, as swapoff(2) opens what it
	 * ends. A busy removal claims the map before it removes it.
	 */
	if (disk->nr_open && !disk->is_dead)
		etfs_map_use_more(disk->map);
	else if (disk->is_removed || etfs_map_try_use(disk->map))
		err = -ENXIO;
	if (!err)
		disk->nr_open++;
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

void etfs_disk_drop_hosts(struct etfs_map *map)
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
	/* A worker may close it at once, and who waits for this counts on it. */
	__fput_sync(disk->host);
	ida_free(&etfs_disk_nrs, disk->nr);
	complete_all(&disk->deleted);
	put_disk(disk->gd);
}

void etfs_disk_delete_soon(struct etfs_disk *disk)
{
	queue_work(etfs_disk_wq, &disk->delete);
}

u64 etfs_disk_size(const struct etfs_map *map, const struct file *host)
{
	return etfs_window_size(&map->spec.win, etfs_host_size(host));
}

u32 etfs_disk_bs(const struct etfs_map *map, const struct file *host)
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

struct block_device *etfs_disk_target(const struct etfs_map *map,
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

void etfs_disk_set_map(struct etfs_disk *disk, struct etfs_map *map)
{
	lockdep_assert_held(&disk->lock);
	disk->map = map;
	write_seqcount_begin(&disk->win_seq);
	disk->win.offset = map->spec.win.offset;
	disk->win.size = etfs_disk_size(map, disk->host);
	write_seqcount_end(&disk->win_seq);
	WRITE_ONCE(disk->fail, map->spec.fail);
	WRITE_ONCE(disk->fail_seed, map->spec.fail_seed);
}

int etfs_disk_add(struct etfs_map *map, struct file *host)
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

void etfs_disk_put(struct etfs_disk *disk)
{
	if (!refcount_dec_and_test(&disk->ref))
		return;
	etfs_disk_io_exit(disk);
	kfree(disk);
	if (atomic_dec_and_test(&etfs_nr_disks))
		wake_up_var(&etfs_nr_disks);
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
