/* SPDX-License-Identifier: GPL-2.0 */
/* Disks: their limits, and how they are opened. */
#ifndef _RUMPFS_COMPAT_LINUX_BLKDEV_H
#define _RUMPFS_COMPAT_LINUX_BLKDEV_H

#include_next <linux/blkdev.h>
#include <linux/err.h>

#ifndef HAVE_BLK_MODE
#define blk_mode_t fmode_t
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
 * flags of the queue. Copied are the limits that rumpfs sets. Return: an
 * ERR_PTR() on failure.
 */
#ifdef HAVE_QUEUE_FEATURES
static inline struct gendisk *
compat_alloc_disk(struct queue_limits *lim, blk_features_t features, int node)
{
	lim->features = features;
	return blk_alloc_disk(lim, node);
}
#else
#define blk_features_t		unsigned int
#define BLK_FEAT_WRITE_CACHE	BIT(0)
#define BLK_FEAT_FUA		BIT(1)

static inline struct gendisk *
compat_alloc_disk(struct queue_limits *lim, blk_features_t features, int node)
{
	struct gendisk *gd = blk_alloc_disk(node);
	struct request_queue *q;

	if (!gd)
		return ERR_PTR(-ENOMEM);
	q = gd->queue;
	blk_queue_logical_block_size(q, lim->logical_block_size);
	blk_queue_max_hw_sectors(q, lim->max_hw_sectors);
	blk_queue_max_segments(q, lim->max_segments);
	blk_queue_max_segment_size(q, lim->max_segment_size);
	blk_queue_dma_alignment(q, lim->dma_alignment);
	blk_queue_write_cache(q, features & BLK_FEAT_WRITE_CACHE,
			      features & BLK_FEAT_FUA);
	/* What is not said to be rotational is not. */
	blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	return gd;
}
#endif

#endif /* _RUMPFS_COMPAT_LINUX_BLKDEV_H */
