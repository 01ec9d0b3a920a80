// SPDX-License-Identifier: GPL-2.0
// Has the mode of a block device's open a type of its own?
#include <linux/blkdev.h>
bool probe(blk_mode_t mode);
bool probe(blk_mode_t mode)
{
	return mode & BLK_OPEN_WRITE;
}
