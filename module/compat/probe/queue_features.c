// SPDX-License-Identifier: GPL-2.0
// Are the features of a disk among its queue_limits?
#include <linux/blkdev.h>
struct gendisk *probe(struct queue_limits *lim);
struct gendisk *probe(struct queue_limits *lim)
{
	lim->features = BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA;
	return blk_alloc_disk(lim, NUMA_NO_NODE);
}
