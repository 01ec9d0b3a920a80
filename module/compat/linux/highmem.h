/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes of a folio are copied page by page. */
#ifndef _RUMPFS_COMPAT_LINUX_HIGHMEM_H
#define _RUMPFS_COMPAT_LINUX_HIGHMEM_H

#include_next <linux/highmem.h>

#ifndef HAVE_MEMCPY_FOLIO
static inline void memcpy_from_folio(char *to, struct folio *folio,
				     size_t offset, size_t len)
{
	size_t n;

	for (; len; len -= n, to += n, offset += n) {
		n = min_t(size_t, len, PAGE_SIZE - offset_in_page(offset));
		memcpy_from_page(to, folio_page(folio, offset >> PAGE_SHIFT),
				 offset_in_page(offset), n);
	}
}

static inline void memcpy_to_folio(struct folio *folio, size_t offset,
				   const char *from, size_t len)
{
	size_t n;

	for (; len; len -= n, from += n, offset += n) {
		n = min_t(size_t, len, PAGE_SIZE - offset_in_page(offset));
		memcpy_to_page(folio_page(folio, offset >> PAGE_SHIFT),
			       offset_in_page(offset), from, n);
	}
}
#endif

#endif /* _RUMPFS_COMPAT_LINUX_HIGHMEM_H */
