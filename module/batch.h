/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that carry out a batch share: apply.c, bind.c and batch.c. */
#ifndef _RUMPFS_BATCH_H
#define _RUMPFS_BATCH_H

#include "etfs.h"

/* In batch.c: batch->why is about this operation from now on. */
void etfs_batch_blame(struct etfs_batch *batch, const struct etfs_op *op,
		      u32 col);
/* What goes on in the background after its removal is done. May sleep. */
void etfs_map_remove_wait(struct etfs_map *map);

/* In bind.c. Context: may sleep, but where said */
int etfs_batch_make_maps(struct etfs_batch *batch);
/*
 * Find the hosts of the operations up to nr, and make all devices if all was
 * well. Return: how far it went; less than nr with *err and *why.
 */
u32 etfs_batch_bind(struct etfs_batch *batch, u32 nr, int *err,
		    struct etfs_reason *why);
/* Were the hosts of the operations up to nr found? Context: any. */
bool etfs_batch_is_ready(const struct etfs_batch *batch, u32 nr);
/* Is every device there? Context: any. */
bool etfs_batch_is_made(const struct etfs_batch *batch);
/*
 * Another map is at the key by now than the one it goes on with: it is to be
 * bound to the same file again, but anew. Context: table->lock.
 */
void etfs_op_unfollow(struct etfs_op *op);

/* In apply.c: what the last steps of a batch are */
/* Make true what was entered. Context: table->lock. */
void etfs_batch_publish(struct etfs_batch *batch);
/*
 * Let go of what was removed. Return: 0, or -EINTR if a signal came before the
 * host was taken from all who had a revoked key open.
 */
int etfs_batch_release(struct list_head *dead);

#endif /* _RUMPFS_BATCH_H */
