// SPDX-License-Identifier: GPL-2.0
// Is a block device opened as a file?
// needs: bdev_file_open_by_dev
#include <linux/blkdev.h>
struct file *probe(dev_t dev);
struct file *probe(dev_t dev)
{
	return bdev_file_open_by_dev(dev, BLK_OPEN_READ, NULL, NULL);
}
