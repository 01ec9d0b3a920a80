// SPDX-License-Identifier: GPL-2.0
// Does generic_fillattr() take the mask that was asked for?
#include <linux/fs.h>
void probe(struct inode *inode, struct kstat *stat);
void probe(struct inode *inode, struct kstat *stat)
{
	generic_fillattr(&nop_mnt_idmap, STATX_BASIC_STATS, inode, stat);
}
