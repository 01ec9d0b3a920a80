// SPDX-License-Identifier: GPL-2.0
/*
 * Partitions come into the table, and go, with the key of their disk.
 *
 * Their maps are chained to the disk's by ->part, under table->lock once that
 * is listed. They have keys, but no rows: nobody removes or replaces one alone.
 */
#include "batch.h"
#include "disk.h"
#include "rumpfs.h"

#include <linux/slab.h>

int etfs_parts_enter(struct etfs_batch *batch, struct etfs_map *map,
		     struct etfs_reason *why)
{
	struct etfs_map *part;
	int err;

	for (part = map->part; part; part = part->part) {
		err = etfs_table_add(batch, part, false, why);
		if (err) {
			etfs_refuse(why, "of its partitions, %s cannot be: %pe",
				    part->spec.key, ERR_PTR(err));
			return err;
		}
	}
	return 0;
}

void etfs_parts_commit(struct etfs_map *map)
{
	struct etfs_map *part;

	for (part = map->part; part; part = part->part)
		etfs_map_get(part);
}

/* A key of its own that was there first stays: that partition has no node. */
static void etfs_parts_enter_free(struct etfs_batch *batch,
				  struct etfs_map *map)
{
	struct etfs_map **at = &map->part, *part;

	while ((part = *at)) {
		if (!etfs_table_add(batch, part, false, &batch->why)) {
			etfs_map_get(part);
			at = &part->part;
			continue;
		}
		etfs_refuse_key(&batch->why, part->spec.key);
		pr_warn("%s: %s\n", batch->why.key, batch->why.text);
		*at = part->part;
		part->part = NULL;
		etfs_map_put(part);
	}
}

/* The old ones go and the new ones come at once. Context: table->lock. */
static void etfs_parts_swap(struct etfs_batch *batch, struct etfs_map *map,
			    const dev_t *devts)
{
	struct etfs_map *old = map->part;
	int err;

	map->part = NULL;
	err = etfs_parts_make(map, devts);
	if (err) {
		etfs_refuse_key(&batch->why, map->spec.key);
		pr_warn("%s: its partitions cannot be shown: %pe\n",
			batch->why.key, ERR_PTR(err));
	}
	if (old)
		etfs_table_remove(batch, old);
	etfs_parts_enter_free(batch, map);
	etfs_batch_publish(batch);
	etfs_parts_put(old);
}

void etfs_parts_renew(struct etfs_table *table, struct etfs_map *map)
{
	struct gendisk *gd = etfs_disk_get_gd(map->disk);
	struct etfs_batch *batch;
	dev_t *devts;

	if (!gd)
		return;
	etfs_parts_scan(gd, map->spec.flags & ETFS_MAP_PART);
	devts = etfs_parts_list(gd);
	put_disk(gd);
	batch = kmalloc(sizeof(*batch), GFP_KERNEL);
	if (!devts || !batch || etfs_batch_init(batch, table, NULL))
		goto free;
	/* Those that are still open although nobody asks for them. */
	if (!(map->spec.flags & ETFS_MAP_PART))
		memset(devts, 0, DISK_MAX_PARTS * sizeof(*devts));
	mutex_lock(&table->lock);
	if (etfs_life_is_on(&map->life) && !etfs_parts_are(map, devts))
		etfs_parts_swap(batch, map, devts);
	mutex_unlock(&table->lock);
	etfs_batch_release(&batch->dead);
	etfs_batch_exit(batch);
free:
	kfree(batch);
	kfree(devts);
}
