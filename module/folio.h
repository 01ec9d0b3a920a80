/* SPDX-License-Identifier: GPL-2.0 */
/* What the page cache has of a file, read without a call for each step. */
#ifndef _RUMPFS_FOLIO_H
#define _RUMPFS_FOLIO_H

#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/uio.h>
#include <linux/xarray.h>

/* In file.c. As below, where there is more than one entry. */
struct folio *rumpfs_folio_get_deep(struct address_space *mapping,
				    pgoff_t index);

/*
 * The folio at index, a reference. Return: NULL, too, where it is about to go:
 * who must know better looks in the usual way. Context: any.
 */
static __always_inline struct folio *
rumpfs_folio_get(struct address_space *mapping, pgoff_t index)
{
	struct xarray *pages = &mapping->i_pages;
	struct folio *folio;
	bool is_it;

	/* RCU waits for this, too, and it is no call. */
	rcu_read_lock_sched();
	folio = rcu_dereference_sched(pages->xa_head);
	if (!folio || index || xa_is_internal(folio) || xa_is_value(folio) ||
	    !folio_try_get(folio)) {
		rcu_read_unlock_sched();
		return rumpfs_folio_get_deep(mapping, index);
	}
	is_it = folio == rcu_access_pointer(pages->xa_head);
	rcu_read_unlock_sched();
	/* It may have gone meanwhile, and be another's. */
	if (likely(is_it))
		return folio;
	folio_put(folio);
	return NULL;
}

/*
 * At once, where all of the folio has an address. Its caller keeps inside of
 * it, and pages of files are no object to be looked up, as for copy_to_iter().
 * Return: bytes. Context: may sleep.
 */
static inline size_t rumpfs_folio_copy(struct folio *folio, size_t offset,
				       size_t len, struct iov_iter *to)
{
	if (folio_test_highmem(folio))
		return copy_folio_to_iter(folio, offset, len, to);
	return _copy_to_iter(folio_address(folio) + offset, len, to);
}

/*
 * As file_accessed(), where mostly an access is none to be noted, as it is not
 * the first after a change, nor of a day.
 */
static inline void rumpfs_file_accessed(struct file *file)
{
	struct inode *inode = file_inode(file);
	/* Who changes one meanwhile is as if he did so before, or later. */
	struct timespec64 atime = data_race(inode_get_atime(inode));
	/* likewise */
	struct timespec64 mtime = data_race(inode_get_mtime(inode));
	/* likewise */
	struct timespec64 ctime = data_race(inode_get_ctime(inode));

	if ((file->f_path.mnt->mnt_flags & MNT_RELATIME) &&
	    timespec64_compare(&mtime, &atime) < 0 &&
	    timespec64_compare(&ctime, &atime) < 0 &&
	    ktime_get_real_seconds() - atime.tv_sec < 24 * 60 * 60)
		return;
	file_accessed(file);
}

#endif /* _RUMPFS_FOLIO_H */
