// SPDX-License-Identifier: GPL-2.0
// Is vfs_path_lookup() declared to everybody?
// needs: vfs_path_lookup
#include <linux/namei.h>
void *probe(void);
void *probe(void)
{
	return vfs_path_lookup;
}
