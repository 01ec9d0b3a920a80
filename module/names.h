/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that know of keys and names in memory share. */
#ifndef _RUMPFS_NAMES_H
#define _RUMPFS_NAMES_H

#include "rumpfs.h"

static inline struct etfs_table *rumpfs_table(const struct inode *inode)
{
	return RUMPFS_SB(inode->i_sb)->table;
}

/* In dirkey.c. Context: RCU read section. Return: false if it is void. */
bool rumpfs_dir_key_cached(const struct inode *dir, struct etfs_key **key);

/* In names.c. Context: i_rwsem of dir */
/* Does the table's name stand in the way of one in memory? */
bool rumpfs_key_hides(const struct etfs_key *key, const struct dentry *dentry);
void rumpfs_name_hide(struct inode *dir, struct dentry *dentry);
/*
 * Shared is enough. A directory that is back before the mount was told stays
 * where it is until then.
 */
void rumpfs_name_show(struct inode *dir, struct dentry *dentry);

#endif /* _RUMPFS_NAMES_H */
