/* SPDX-License-Identifier: GPL-2.0 */
/* Disks: their limits, and how they are opened. */
#ifndef _RUMPFS_COMPAT_LINUX_BLKDEV_H
#define _RUMPFS_COMPAT_LINUX_BLKDEV_H

#include_next <linux/blkdev.h>
#include <linux/err.h>
#include <linux/file.h>

struct compat_bdev;

#ifndef HAVE_BLK_MODE
#define blk_mode_t fmode_t
#endif

#ifndef HAVE_BD_MAPPING
#define bd_mapping bd_inode->i_mapping
#endif

/* A disk, opened for a moment; closed when compat_bdev_close() returns. */
#ifdef HAVE_BDEV_FILE
static inline struct compat_bdev *compat_bdev_open(struct gendisk *gd)
{
	return (void *)bdev_file_open_by_dev(disk_devt(gd), BLK_OPEN_READ,
					     NULL, NULL);
}

static inline void compat_bdev_close(struct compat_bdev *bdev)
{
	__fput_sync((struct file *)bdev);
}
#else
static inline struct compat_bdev *compat_bdev_open(struct gendisk *gd)
{
	return (void *)blkdev_get_by_dev(disk_devt(gd), FMODE_READ, NULL);
}

static inline void compat_bdev_close(struct compat_bdev *bdev)
{
	blkdev_put((struct block_device *)bdev, FMODE_READ);
}
#endif

typedef int (*compat_open_t)(struct block_device *bdev, fmode_t mode);
typedef void (*compat_release_t)(struct gendisk *gd, fmode_t mode);

#define COMPAT_OPEN(fn)							\
static int __maybe_unused fn##_compat(struct block_device *bdev, fmode_t mode) \
{									\
	return fn(bdev->bd_disk, (__force blk_mode_t)mode);		\
}

#define COMPAT_RELEASE(fn)						\
static void __maybe_unused fn##_compat(struct gendisk *gd, fmode_t mode) \
{									\
	fn(gd);								\
}

/*
 * Limits were set one by one after the disk was made, and its features were
 * flags of the queue. Copied are the limits that rumpfs sets. A disk whose bios
 * go on to target from a sector on has that one's limits, too. Return: an
 * ERR_PTR() on failure.
 */
#ifdef HAVE_QUEUE_FEATURES
static inline struct gendisk *
compat_alloc_disk(struct queue_limits *lim, blk_features_t features,
		  struct block_device *target, sector_t start)
{
	u32 bs = lim->logical_block_size;

	if (target) {
		blk_set_stacking_limits(lim);
		lim->logical_block_size = bs;
		/* Stacking clears what the target lacks. */
		lim->features |= features;
		queue_limits_stack_bdev(lim, target, start, "rumpblk");
	} else {
		lim->features = features;
	}
	return blk_alloc_disk(lim, NUMA_NO_NODE);
}
#else
#define blk_features_t		unsigned int
#define BLK_FEAT_WRITE_CACHE	BIT(0)
#define BLK_FEAT_FUA		BIT(1)
#define BLK_FEAT_NOWAIT		BIT(2)

static inline void compat_stack_limits(struct gendisk *gd,
				       struct block_device *target,
				       sector_t start)
{
	struct request_queue *below = bdev_get_queue(target);

	blk_set_stacking_limits(&gd->queue->limits);
	disk_stack_limits(gd, target, start << SECTOR_SHIFT);
	blk_queue_write_cache(gd->queue,
			      test_bit(QUEUE_FLAG_WC, &below->queue_flags),
			      test_bit(QUEUE_FLAG_FUA, &below->queue_flags));
	if (test_bit(QUEUE_FLAG_NOWAIT, &below->queue_flags))
		blk_queue_flag_set(QUEUE_FLAG_NOWAIT, gd->queue);
	if (blk_queue_stable_writes(below))
		blk_queue_flag_set(QUEUE_FLAG_STABLE_WRITES, gd->queue);
	if (!blk_queue_nonrot(below))
		blk_queue_flag_clear(QUEUE_FLAG_NONROT, gd->queue);
}

static inline struct gendisk *
compat_alloc_disk(struct queue_limits *lim, blk_features_t features,
		  struct block_device *target, sector_t start)
{
	struct gendisk *gd = blk_alloc_disk(NUMA_NO_NODE);
	struct request_queue *q;

	if (!gd)
		return ERR_PTR(-ENOMEM);
	q = gd->queue;
	/* What is not said to be rotational is not. */
	blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	if (target) {
		compat_stack_limits(gd, target, start);
		blk_queue_logical_block_size(q,
					     max(lim->logical_block_size,
						 queue_logical_block_size(q)));
		return gd;
	}
	blk_queue_logical_block_size(q, lim->logical_block_size);
	blk_queue_max_hw_sectors(q, lim->max_hw_sectors);
	blk_queue_max_segments(q, lim->max_segments);
	blk_queue_max_segment_size(q, lim->max_segment_size);
	blk_queue_dma_alignment(q, lim->dma_alignment);
	q->limits.discard_granularity = lim->discard_granularity;
	blk_queue_max_discard_sectors(q, lim->max_hw_discard_sectors);
	blk_queue_max_write_zeroes_sectors(q, lim->max_write_zeroes_sectors);
	if (features & BLK_FEAT_NOWAIT)
		blk_queue_flag_set(QUEUE_FLAG_NOWAIT, q);
	blk_queue_write_cache(q, features & BLK_FEAT_WRITE_CACHE,
			      features & BLK_FEAT_FUA);
	return gd;
}
#endif

#endif /* _RUMPFS_COMPAT_LINUX_BLKDEV_H */
