// SPDX-License-Identifier: GPL-2.0
/*
 * Inode numbers of host objects seen through.
 *
 * Bit 63, an index of the device, the host's own number in 48 bits; where that
 * has more, or there are too many devices, bit 63 and a hash of both.
 */
#include "mirror.h"

#include <linux/bits.h>
#include <linux/hash.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

static DEFINE_MUTEX(etfs_devs_lock);
/* A device's index, never given to another. */
static DEFINE_XARRAY(etfs_devs);
static u32 etfs_nr_devs;

#define ETFS_MAX_DEVS	BIT(15)

static u32 etfs_dev_index(u32 dev)
{
	void *entry = xa_load(&etfs_devs, dev);

	if (entry)
		return xa_to_value(entry);
	mutex_lock(&etfs_devs_lock);
	entry = xa_load(&etfs_devs, dev);
	if (!entry && etfs_nr_devs < ETFS_MAX_DEVS) {
		entry = xa_mk_value(etfs_nr_devs);
		if (xa_is_err(xa_store(&etfs_devs, dev, entry,
				       GFP_KERNEL | __GFP_NOFAIL)))
			entry = NULL;
		else
			etfs_nr_devs++;
	}
	mutex_unlock(&etfs_devs_lock);
	return entry ? xa_to_value(entry) : ETFS_MAX_DEVS;
}

static u64 etfs_ino_of(const struct etfs_host_id *id, u32 index)
{
	if (id->ino >> 48 || index == ETFS_MAX_DEVS)
		return BIT_ULL(63) |
		       hash_64_generic(id->ino ^ hash_64_generic(id->dev, 64),
				       63);
	return BIT_ULL(63) | (u64)index << 48 | id->ino;
}

u64 etfs_mirror_ino(const struct etfs_host_id *id)
{
	return etfs_ino_of(id, etfs_dev_index(id->dev));
}

u64 etfs_mirror_ino_known(const struct etfs_host_id *id)
{
	void *entry = xa_load(&etfs_devs, id->dev);

	return etfs_ino_of(id, entry ? xa_to_value(entry) : ETFS_MAX_DEVS);
}

void etfs_mirror_exit(void)
{
	xa_destroy(&etfs_devs);
}
