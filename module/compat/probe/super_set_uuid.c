// SPDX-License-Identifier: GPL-2.0
// Is the UUID of a super block set by a call?
#include <linux/fs.h>
void probe(struct super_block *sb, const u8 *uuid);
void probe(struct super_block *sb, const u8 *uuid)
{
	super_set_uuid(sb, uuid, 16);
}
