// SPDX-License-Identifier: GPL-2.0
// Does a block device have its pages at hand?
#include <linux/blkdev.h>
struct address_space *probe(struct block_device *bdev);
struct address_space *probe(struct block_device *bdev)
{
	return bdev->bd_mapping;
}
