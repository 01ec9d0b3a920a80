// SPDX-License-Identifier: GPL-2.0
// Are pinned dentries marked as such?
// needs: d_make_discardable
#include <linux/dcache.h>
unsigned int probe(struct dentry *dentry);
unsigned int probe(struct dentry *dentry)
{
	d_make_discardable(dentry);
	return DCACHE_PERSISTENT;
}
