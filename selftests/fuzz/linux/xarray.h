/* SPDX-License-Identifier: GPL-2.0 */
/* An array that is as long as its entries are many, and no memory when empty. */
#ifndef _FUZZ_XARRAY_H
#define _FUZZ_XARRAY_H

#include <linux/slab.h>

struct xa_entry { u32 index; void *entry; };
struct xa_limit { u32 min, max; };

struct xarray {
	struct xa_entry *entries;
	u32 nr, max;
};

#define XA_MARK_1		1
#define XA_FLAGS_ALLOC1		0
#define XA_LIMIT(min, max)	((struct xa_limit) { min, max })
#define xa_init_flags(xa, flags)	(*(xa) = (struct xarray) { })

static inline int xa_insert(struct xarray *xa, u32 index, void *entry,
			    gfp_t gfp)
{
	if (fuzz_refuses())
		return -ENOMEM;
	if (xa->nr == xa->max) {
		fuzz_live += !xa->max;
		xa->max = xa->max ? xa->max * 2 : 4;
		xa->entries = reallocarray(xa->entries, xa->max,
					   sizeof(*xa->entries));
	}
	xa->entries[xa->nr++] = (struct xa_entry) { index, entry };
	return 0;
}

/* The indices never come round: no input is long enough. */
static inline int xa_alloc_cyclic(struct xarray *xa, u32 *index, void *entry,
				  struct xa_limit limit, u32 *next, gfp_t gfp)
{
	WARN_ON(true);
	return -EBUSY;
}

static inline void xa_erase(struct xarray *xa, u32 index)
{
	u32 i = 0;

	while (i < xa->nr && xa->entries[i].index != index)
		i++;
	WARN_ON(i == xa->nr);
	xa->entries[i] = xa->entries[--xa->nr];
	if (xa->nr)
		return;
	kfree(xa->entries);
	*xa = (struct xarray) { };
}

#endif /* _FUZZ_XARRAY_H */
