/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_PAGEMAP_H
#define _RUMPFS_COMPAT_LINUX_PAGEMAP_H

#include_next <linux/pagemap.h>

/* Older kernels say NULL for "not there". True of any kernel, so no probe. */
static inline struct folio *compat_folio_or_error(struct folio *folio)
{
	return folio ?: ERR_PTR(-ENOENT);
}

#define filemap_get_folio(mapping, index) \
	compat_folio_or_error(filemap_get_folio(mapping, index))
#define filemap_lock_folio(mapping, index) \
	compat_folio_or_error(filemap_lock_folio(mapping, index))

#ifndef HAVE_FOLIO_MEMPOLICY
static inline struct folio *compat_filemap_alloc_folio(gfp_t gfp,
						       unsigned int order)
{
	return filemap_alloc_folio(gfp, order);
}

#undef filemap_alloc_folio
#define filemap_alloc_folio(gfp, order, policy) \
	compat_filemap_alloc_folio(gfp, order)
#endif

/* Where a mapping cannot bound its folios from above it has single pages. */
#ifndef HAVE_FOLIO_ORDER_RANGE
#define mapping_set_folio_order_range(mapping, min, max) \
	((void)(mapping))
#define folio_contain_hwpoisoned_page(folio) \
	(folio_test_hwpoison(folio) || \
	 (folio_test_large(folio) && folio_test_has_hwpoisoned(folio)))
#endif

#ifndef HAVE_ERROR_REMOVE_FOLIO
static inline int generic_error_remove_folio(struct address_space *mapping,
					     struct folio *folio)
{
	return generic_error_remove_page(mapping, &folio->page);
}
#endif

#endif /* _RUMPFS_COMPAT_LINUX_PAGEMAP_H */
