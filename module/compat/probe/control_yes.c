// SPDX-License-Identifier: GPL-2.0
// A control: must compile, or the build environment is broken.
#include <linux/fs.h>
struct inode *control(struct super_block *sb);
struct inode *control(struct super_block *sb)
{
	return new_inode(sb);
}
