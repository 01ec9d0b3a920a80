/* SPDX-License-Identifier: GPL-2.0 */
/* What table.c asks of the names of a table. Context: table->lock. */
#ifndef _RUMPFS_KEYS_H
#define _RUMPFS_KEYS_H

#include "etfs.h"

int etfs_keys_init(struct etfs_table *table);
/* No name but the root is left. */
void etfs_keys_exit(struct etfs_table *table);
/* The next component of a path, and how long it is; 0 at the end. */
u32 etfs_path_next(const char **path);
/* How far the names of a path are there. */
struct etfs_spot {
	/* the last that is */
	struct etfs_key *key;
	/* what comes behind it, and how long the first component of that is, or 0 */
	const char *rest;
	u32 len;
};

/* The name at the end of the path, of which no more is there than that. */
struct etfs_key *etfs_key_make(struct etfs_batch *batch,
			       const struct etfs_spot *spot);
/* The mounts are to be told of it. */
void etfs_key_touch(struct etfs_batch *batch, struct etfs_key *key);
/* The batch is over: free the touched names that no map needs. */
void etfs_keys_sweep(struct etfs_batch *batch);

#endif /* _RUMPFS_KEYS_H */
