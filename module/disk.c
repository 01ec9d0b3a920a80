// SPDX-License-Identifier: GPL-2.0
/*
 * A window of a host file is a block device.
 *
 * A bio is served by a worker, never by its submitter: in there the host's file
 * system could not wait for bios of its own (they queue up behind ours), it
 * would take an upper file system's transaction for its own, and an upper
 * reclaim could end up in it. Each disk has its own workqueue with a rescuer,
 * as disks may stand on each other.
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
#include "etfs.h"

#include <linux/bio.h>
#include <linux/blk-cgroup.h>
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/kthread.h>
#include <linux/mempool.h>
#include <linux/module.h>
#include <linux/part_stat.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uio.h>
#include <linux/wait_bit.h>

/* Bios of one disk in work at a time, and how many need no memory. */
#define ETFS_MAX_IOS	16

/* I set once - S under lock */
struct etfs_disk {
	/* I: held from bind until free_disk */
	struct etfs_map *map;
	struct gendisk *gd;
	/* I: of the node; gd may be gone before the last node */
	dev_t devt;
	/* I: the N of rumpblkN */
	int nr;
	/* I: open until delete */
	struct file *host;
	/* I: of a fixed size */
	struct etfs_window win;
	struct workqueue_struct *wq;
	/* struct etfs_io */
	mempool_t ios;
	/* protects nr_open, is_removed */
	spinlock_t lock;
	/* S: */
	unsigned int nr_open;
	/* S: the name is gone */
	bool is_removed;
	/* S: revoked: it is deleted under who has it open */
	bool is_dead;
	/* delete it after the last close, or at once */
	struct work_struct delete;
	struct completion deleted;
};

/* A bio on its way through a worker. */
struct etfs_io {
	struct work_struct work;
	struct bio *bio;
	/* jiffies */
	unsigned long start;
};

static DEFINE_IDA(etfs_disk_nrs);
static struct workqueue_struct *etfs_disk_wq;
/* Disks made and not yet unbound */
static atomic_t etfs_nr_disks = ATOMIC_INIT(0);

static bool etfs_disk_is_ro(const struct etfs_disk *disk)
{
	return disk->map->spec.flags & ETFS_MAP_RO;
}

/* len bytes of a bio's data from done on; it may begin amid its first bvec. */
static void etfs_bio_iter(struct bio *bio, size_t done, size_t len,
			  struct iov_iter *iter)
{
	const struct bio_vec *first = __bvec_iter_bvec(bio->bi_io_vec,
						       bio->bi_iter);
	unsigned long nr_bvecs = 0;
	struct bvec_iter at;
	struct bio_vec bvec;

	bio_for_each_bvec(bvec, bio, at)
		nr_bvecs++;
	iov_iter_bvec(iter, op_is_write(bio_op(bio)) ? ITER_SOURCE : ITER_DEST,
		      first, nr_bvecs, bio->bi_iter.bi_size);
	iter->iov_offset = mp_bvec_iter_offset(bio->bi_io_vec, bio->bi_iter) -
			   first->bv_offset;
	iov_iter_advance(iter, done);
	iov_iter_truncate(iter, len);
}

/* Return: bytes done; fewer than len where the host file ends. */
static ssize_t etfs_disk_rw(struct etfs_disk *disk, struct bio *bio, u64 off,
			    size_t len)
{
	struct file *host = disk->host;
	struct kiocb kiocb;
	struct iov_iter iter;
	size_t done = 0;
	ssize_t n;

	init_sync_kiocb(&kiocb, host);
	kiocb.ki_ioprio = bio->bi_ioprio;
	while (done < len) {
		kiocb.ki_pos = off + done;
		etfs_bio_iter(bio, done, len - done, &iter);
		if (op_is_write(bio_op(bio))) {
			kiocb_start_write(&kiocb);
			n = host->f_op->write_iter(&kiocb, &iter);
			kiocb_end_write(&kiocb);
		} else {
			n = host->f_op->read_iter(&kiocb, &iter);
		}
		if (n < 0)
			return n;
		if (!n)
			break;
		done += n;
	}
	return done;
}

static int etfs_disk_read(struct etfs_disk *disk, struct bio *bio, u64 off,
			  size_t len)
{
	ssize_t n = etfs_disk_rw(disk, bio, off, len);
	struct iov_iter iter;

	if (n < 0)
		return n;
	/* Zeros follow the window's end, and the host file's if it shrank. */
	len = bio->bi_iter.bi_size - n;
	etfs_bio_iter(bio, n, len, &iter);
	return iov_iter_zero(len, &iter) == len ? 0 : -EIO;
}

static int etfs_disk_write(struct etfs_disk *disk, struct bio *bio, u64 off,
			   size_t len)
{
	ssize_t n = 0;

	/* Bios that were completed before are in the host's page cache. */
	if (bio->bi_opf & REQ_PREFLUSH)
		n = vfs_fsync(disk->host, 1);
	if (n)
		return n;
	n = etfs_disk_rw(disk, bio, off, len);
	if (n != len)
		return n < 0 ? n : -EIO;
	if (len && bio->bi_opf & REQ_FUA)
		return vfs_fsync_range(disk->host, off, off + len - 1, 1);
	return 0;
}

static int etfs_disk_serve(struct etfs_disk *disk, struct bio *bio)
{
	u64 pos = (u64)bio->bi_iter.bi_sector << SECTOR_SHIFT;
	u64 off = disk->win.offset + pos;
	size_t len = bio->bi_iter.bi_size;

	/* The window may end within the disk's last sector. */
	len = pos < disk->win.size ? min_t(u64, len, disk->win.size - pos) : 0;
	if (bio_op(bio) == REQ_OP_READ)
		return etfs_disk_read(disk, bio, off, len);
	if (bio_op(bio) == REQ_OP_WRITE)
		return etfs_disk_write(disk, bio, off, len);
	return -EOPNOTSUPP;
}

/*
 * Memory that the host takes must not wait for I/O, which may be to this disk;
 * and who writes out this disk's pages is not to be slowed down for dirtying
 * the host's.
 */
static void etfs_io_work(struct work_struct *work)
{
	struct etfs_io *io = container_of(work, struct etfs_io, work);
	struct bio *bio = io->bio;
	struct etfs_disk *disk = bio->bi_bdev->bd_disk->private_data;
	unsigned int flags = current->flags;
	unsigned int noio = memalloc_noio_save();
	int err;

	current->flags |= PF_LOCAL_THROTTLE;
	kthread_associate_blkcg(bio_blkcg_css(bio));
	err = etfs_disk_serve(disk, bio);
	kthread_associate_blkcg(NULL);
	current_restore_flags(flags, PF_LOCAL_THROTTLE);
	memalloc_noio_restore(noio);

	bio_end_io_acct(bio, io->start);
	mempool_free(io, &disk->ios);
	if (err)
		bio->bi_status = errno_to_blk_status(err);
	bio_endio(bio);
}

static void etfs_disk_submit_bio(struct bio *bio)
{
	struct etfs_disk *disk = bio->bi_bdev->bd_disk->private_data;
	struct etfs_io *io;

	bio = bio_split_to_limits(bio);
	if (!bio)
		return;
	/* The block layer only warns, and the host file is not asked again. */
	if (op_is_write(bio_op(bio)) && bio_sectors(bio) &&
	    etfs_disk_is_ro(disk)) {
		bio_io_error(bio);
		return;
	}
	io = mempool_alloc(&disk->ios, GFP_NOIO);
	INIT_WORK(&io->work, etfs_io_work);
	io->bio = bio;
	io->start = bio_start_io_acct(bio);
	queue_work(disk->wq, &io->work);
}

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
	etfs_map_put(((struct etfs_disk *)gd->private_data)->map);
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

ETFS_DISK_ATTR(key, etfs_show_key(disk->map, buf));
ETFS_DISK_ATTR(backing_file, etfs_show_backing_file(disk->map, buf));
ETFS_DISK_ATTR(offset, sysfs_emit(buf, "%llu\n", disk->win.offset));
ETFS_DISK_ATTR(size, sysfs_emit(buf, "%llu\n", disk->win.size));
ETFS_DISK_ATTR(ro, sysfs_emit(buf, "%d\n", etfs_disk_is_ro(disk)));

static struct attribute *etfs_disk_attrs[] = {
	&dev_attr_key.attr,
	&dev_attr_backing_file.attr,
	&dev_attr_offset.attr,
	&dev_attr_size.attr,
	&dev_attr_ro.attr,
	NULL
};

static const struct attribute_group etfs_disk_group = {
	.name = "etfs", .attrs = etfs_disk_attrs,
};

static const struct attribute_group *etfs_disk_groups[] = {
	&etfs_disk_group,
	NULL
};

/*
 * Nobody can open it, and nobody has it open or it is dead: then bios that are
 * already with a worker are waited for, and no other gets there.
 */
static void etfs_disk_delete(struct work_struct *work)
{
	struct etfs_disk *disk = container_of(work, struct etfs_disk, delete);

	del_gendisk(disk->gd);
	destroy_workqueue(disk->wq);
	etfs_map_set_host(disk->map, NULL);
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

/* The gendisk of a disk, not yet known to anybody. */
static int etfs_disk_alloc_gd(struct etfs_disk *disk)
{
	struct queue_limits lim = {
		.logical_block_size	= disk->map->spec.bs ?: SECTOR_SIZE,
		.max_hw_sectors		= SZ_4M >> SECTOR_SHIFT,
		.max_segments		= USHRT_MAX,
		.max_segment_size	= UINT_MAX,
		/* the processor copies; 0 would mean 511 */
		.dma_alignment		= 3,
	};
	struct gendisk *gd;

	gd = compat_alloc_disk(&lim, disk->host->f_op->fsync ?
			       BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA : 0,
			       NUMA_NO_NODE);
	if (IS_ERR(gd))
		return PTR_ERR(gd);
	gd->flags |= GENHD_FL_NO_PART;
	gd->fops = &etfs_disk_ops;
	gd->private_data = disk;
	snprintf(gd->disk_name, sizeof(gd->disk_name), "rumpblk%d", disk->nr);
	set_capacity(gd, DIV_ROUND_UP_ULL(disk->win.size, SECTOR_SIZE));
	set_disk_ro(gd, etfs_disk_is_ro(disk));
	disk->gd = gd;
	return 0;
}

/* On success the disk is there for everyone and has host and a map reference. */
static int etfs_disk_add(struct etfs_map *map, struct file *host)
{
	struct etfs_disk *disk;
	int err = -ENOMEM;

	disk = kzalloc(sizeof(*disk), GFP_KERNEL);
	if (!disk)
		return err;
	disk->map = map;
	disk->host = host;
	disk->win.offset = map->spec.win.offset;
	disk->win.size = etfs_disk_size(map, host);
	spin_lock_init(&disk->lock);
	INIT_WORK(&disk->delete, etfs_disk_delete);
	init_completion(&disk->deleted);
	if (mempool_init_kmalloc_pool(&disk->ios, ETFS_MAX_IOS,
				      sizeof(struct etfs_io)))
		goto free_disk;
	disk->nr = ida_alloc(&etfs_disk_nrs, GFP_KERNEL);
	if (disk->nr < 0)
		goto free_ios;
	disk->wq = alloc_workqueue("rumpblk%d", WQ_UNBOUND | WQ_MEM_RECLAIM,
				   ETFS_MAX_IOS, disk->nr);
	if (!disk->wq)
		goto free_nr;
	err = etfs_disk_alloc_gd(disk);
	if (err)
		goto free_wq;
	err = device_add_disk(NULL, disk->gd, etfs_disk_groups);
	if (err)
		goto put_gd;
	disk->devt = disk_devt(disk->gd);
	etfs_map_get(map);
	atomic_inc(&etfs_nr_disks);
	map->disk = disk;
	return 0;

put_gd:
	put_disk(disk->gd);
free_wq:
	destroy_workqueue(disk->wq);
free_nr:
	ida_free(&etfs_disk_nrs, disk->nr);
free_ios:
	mempool_exit(&disk->ios);
free_disk:
	kfree(disk);
	return err;
}

/* A host file that a disk can be made of. */
static struct file *etfs_disk_open_host(struct etfs_map *map,
					struct etfs_reason *why)
{
	int flags = map->spec.flags & ETFS_MAP_RO ? O_RDONLY : O_RDWR;
	struct file *host = etfs_host_open(map, flags | O_LARGEFILE, why);
	u32 bs = map->spec.bs ?: SECTOR_SIZE;
	u64 size;

	if (IS_ERR(host))
		return host;
	size = etfs_disk_size(map, host);
	if (bs == SECTOR_SIZE || IS_ALIGNED(size, bs))
		return host;
	etfs_refuse(why, "the window's %llu bytes are no multiple of bs=%u",
		    size, bs);
	fput(host);
	return ERR_PTR(-EINVAL);
}

static int etfs_disk_check(struct etfs_map *map, struct etfs_reason *why)
{
	struct file *host = etfs_disk_open_host(map, why);

	if (IS_ERR(host))
		return PTR_ERR(host);
	fput(host);
	return 0;
}

static int etfs_disk_bind(struct etfs_map *map, struct etfs_reason *why)
{
	struct file *host = etfs_disk_open_host(map, why);
	int err;

	if (IS_ERR(host))
		return PTR_ERR(host);
	etfs_refuse(why, "the disk cannot be made");
	etfs_map_set_host(map, host);
	err = etfs_disk_add(map, host);
	if (err) {
		etfs_map_set_host(map, NULL);
		fput(host);
	}
	map->is_pinned = !err;
	return err;
}

static void etfs_disk_remove(struct etfs_map *map)
{
	struct etfs_disk *disk = map->disk;
	bool is_open;

	spin_lock(&disk->lock);
	disk->is_removed = true;
	is_open = disk->nr_open;
	spin_unlock(&disk->lock);
	if (!is_open)
		etfs_disk_delete(&disk->delete);
}

/* As if somebody had pulled it out. */
static void etfs_disk_revoke(struct etfs_map *map)
{
	struct etfs_disk *disk = map->disk;

	spin_lock(&disk->lock);
	disk->is_removed = true;
	disk->is_dead = true;
	spin_unlock(&disk->lock);
	blk_mark_disk_dead(disk->gd);
	queue_work(etfs_disk_wq, &disk->delete);
}

static int etfs_disk_revoke_wait(struct etfs_map *map)
{
	return wait_for_completion_interruptible(&map->disk->deleted) ?
		-EINTR : 0;
}

static void etfs_disk_unbind(struct etfs_map *map)
{
	mempool_exit(&map->disk->ios);
	kfree(map->disk);
	if (atomic_dec_and_test(&etfs_nr_disks))
		wake_up_var(&etfs_nr_disks);
}

static void etfs_disk_stat(struct etfs_map *map, struct etfs_usage *usage)
{
	struct block_device *whole = map->disk->gd->part0;

	usage->rdev = map->disk->devt;
	usage->bytes_read = (u64)part_stat_read(whole, sectors[STAT_READ]) <<
			    SECTOR_SHIFT;
	usage->bytes_written = (u64)part_stat_read(whole, sectors[STAT_WRITE]) <<
			       SECTOR_SHIFT;
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
	.check		= etfs_disk_check,
	.unbind		= etfs_disk_unbind,
	.node		= etfs_disk_node,
	.remove		= etfs_disk_remove,
	.revoke		= etfs_disk_revoke,
	.revoke_wait	= etfs_disk_revoke_wait,
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
