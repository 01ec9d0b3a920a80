/* SPDX-License-Identifier: GPL-2.0 */
/* The text of a table in sysfs; for door.c and who has one. */
#ifndef _RUMPFS_DOOR_H
#define _RUMPFS_DOOR_H

#include "etfs.h"

/*
 * A directory of sysfs that shows and takes a table as text. Freed when sysfs
 * has let go of it; table and sbi are there until it is removed.
 */
struct etfs_door {
	struct kobject kobject;
	/* I: */
	struct etfs_table *table;
	/* I: whose directory it is; NULL: the module's own */
	const struct rumpfs_sb *sbi;
	/* covers why; a leaf */
	spinlock_t lock;
	/* what last_error tells; line 0: nothing */
	struct etfs_reason why;
};

static inline struct etfs_door *ETFS_DOOR(struct kobject *kobj)
{
	return container_of(kobj, struct etfs_door, kobject);
}

/* In door.c: the text of a table */
struct etfs_door *etfs_door_new(struct etfs_table *table,
				const struct rumpfs_sb *sbi,
				struct kobject *parent, const char *name);
void etfs_door_remove(struct etfs_door *door);
/* What its last_error says from now on. */
void etfs_door_refuse(struct etfs_door *door, const struct etfs_reason *why);

#endif /* _RUMPFS_DOOR_H */
