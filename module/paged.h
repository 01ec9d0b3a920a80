/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Short reads of host files that are nothing but pages: those of tmpfs.
 *
 * What is in memory is copied from there, as the file's own method would do it,
 * with fewer questions: neither has a lock while it copies, and both look at the
 * size once they have the page. All else is that method's: the end of the file,
 * holes, what was swapped out, bad memory, requests of more than a page, and a
 * page whose lock has to be waited for, as somebody writes to it.
 */
#ifndef _RUMPFS_PAGED_H
#define _RUMPFS_PAGED_H

#include "folio.h"

#include <linux/fs.h>
#include <linux/shmem_fs.h>
#include <linux/uio.h>

static inline bool etfs_host_is_paged(const struct file *host)
{
	return shmem_mapping(host->f_mapping);
}

/* Return: bytes; 0 if none is to be had here. */
static __always_inline size_t etfs_paged_copy(struct address_space *mapping,
					      struct folio *folio, loff_t pos,
					      struct iov_iter *to)
{
	loff_t size;
	size_t done;

	if (!folio_test_uptodate(folio) || folio_test_locked(folio) ||
	    folio_contain_hwpoisoned_page(folio))
		return 0;
	if (ARCH_IMPLEMENTS_FLUSH_DCACHE_PAGE && mapping_writably_mapped(mapping))
		flush_dcache_folio(folio);
	size = i_size_read(mapping->host);
	if (pos >= size)
		return 0;
	done = rumpfs_folio_copy(folio, offset_in_folio(folio, pos),
				 min_t(u64, iov_iter_count(to), size - pos), to);
	if (done && !offset_in_page(pos))
		folio_mark_accessed(folio);
	return done;
}

/*
 * As ->read_iter() of such a host file, which is iocb->ki_filp. Return: bytes; 0
 * if that has to be called, after all.
 */
static __always_inline size_t etfs_paged_read(struct kiocb *iocb,
					      struct iov_iter *to)
{
	struct file *host = iocb->ki_filp;
	struct address_space *mapping = host->f_mapping;
	struct folio *folio;
	size_t done;

	if (offset_in_page(iocb->ki_pos) + iov_iter_count(to) > PAGE_SIZE)
		return 0;
	folio = rumpfs_folio_get(mapping, iocb->ki_pos >> PAGE_SHIFT);
	if (!folio)
		return 0;
	done = etfs_paged_copy(mapping, folio, iocb->ki_pos, to);
	folio_put(folio);
	if (done) {
		iocb->ki_pos += done;
		rumpfs_file_accessed(host);
	}
	return done;
}

#endif /* _RUMPFS_PAGED_H */
