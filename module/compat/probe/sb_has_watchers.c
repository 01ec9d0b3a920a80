// SPDX-License-Identifier: GPL-2.0
// Can a super block be asked whether anything on it is watched?
#include <linux/fsnotify.h>
bool probe(struct super_block *sb);
bool probe(struct super_block *sb)
{
	return fsnotify_sb_has_watchers(sb);
}
