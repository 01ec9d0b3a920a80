/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Short reads of host files that are pages of the page cache.
 *
 * What is in memory is copied from there, as the file's own method would do it,
 * with fewer questions: both look at the size once they have the page, and copy
 * without a lock, or with the inode's where the file system promises that a read
 * has all of a write or nothing. All else is that method's: the end of the file,
 * holes, what is not in memory or asks for more to be read, bad memory, requests
 * of more than a page, and a page whose lock has to be waited for.
 */
#ifndef _RUMPFS_PAGED_H
#define _RUMPFS_PAGED_H

#include "folio.h"

#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/shmem_fs.h>
#include <linux/uio.h>

static inline enum etfs_paged etfs_host_paged(const struct file *host)
{
	const struct inode *inode = file_inode(host);

	if (shmem_mapping(host->f_mapping))
		return ETFS_SHMEM;
	if (!S_ISREG(READ_ONCE(inode->i_mode)) || IS_DAX(inode))
		return ETFS_NOT_PAGED;
	if (inode->i_sb->s_magic == XFS_SUPER_MAGIC)
		return ETFS_CACHED_LOCKED;
	return host->f_op->read_iter == generic_file_read_iter ||
	       inode->i_sb->s_magic == EXT4_SUPER_MAGIC ||
	       inode->i_sb->s_magic == BTRFS_SUPER_MAGIC ?
		ETFS_CACHED : ETFS_NOT_PAGED;
}

/*
 * Others than tmpfs may refuse any read, as when they are shut down: they do so
 * when they are asked for nothing, too. Who would lock for that does not if it is
 * to be read directly.
 */
static inline bool etfs_cached_may_read(struct kiocb *iocb, enum etfs_paged how)
{
	struct iov_iter none;
	bool may_read;

	if (iocb->ki_flags & IOCB_DIRECT)
		return false;
	iov_iter_ubuf(&none, ITER_DEST, NULL, 0);
	if (how == ETFS_CACHED_LOCKED)
		iocb->ki_flags |= IOCB_DIRECT;
	may_read = !iocb->ki_filp->f_op->read_iter(iocb, &none);
	iocb->ki_flags &= ~IOCB_DIRECT;
	return may_read;
}

/* A folio counts as used once for a reader who takes it piece by piece. */
static inline void etfs_cached_accessed(struct file *host, struct folio *folio,
					loff_t pos, size_t done)
{
	loff_t last = READ_ONCE(host->f_ra.prev_pos) - 1;

	if ((last ^ pos) >> folio_shift(folio))
		folio_mark_accessed(folio);
	/* Where it misses it tells by this whether it is read in order. */
	WRITE_ONCE(host->f_ra.prev_pos, pos + done);
}

/* As far as the file goes. Return: bytes. */
static __always_inline size_t etfs_paged_copy(struct folio *folio,
					      struct address_space *mapping,
					      loff_t pos, struct iov_iter *to)
{
	loff_t size;

	if (ARCH_IMPLEMENTS_FLUSH_DCACHE_PAGE && mapping_writably_mapped(mapping))
		flush_dcache_folio(folio);
	size = i_size_read(mapping->host);
	if (pos >= size)
		return 0;
	return rumpfs_folio_copy(folio, offset_in_folio(folio, pos),
				 min_t(u64, iov_iter_count(to), size - pos), to);
}

static inline size_t etfs_cached_copy(struct folio *folio, struct kiocb *iocb,
				      struct iov_iter *to, enum etfs_paged how)
{
	struct file *host = iocb->ki_filp;
	struct address_space *mapping = host->f_mapping;
	size_t done;

	if (folio_test_readahead(folio) || !etfs_cached_may_read(iocb, how))
		return 0;
	if (how == ETFS_CACHED_LOCKED && !inode_trylock_shared(mapping->host))
		return 0;
	/* Who had the lock before may have put another page there. */
	done = READ_ONCE(folio->mapping) == mapping ?
	       etfs_paged_copy(folio, mapping, iocb->ki_pos, to) : 0;
	if (how == ETFS_CACHED_LOCKED)
		inode_unlock_shared(mapping->host);
	if (done)
		etfs_cached_accessed(host, folio, iocb->ki_pos, done);
	return done;
}

/* Return: bytes; 0 if none is to be had here. */
static __always_inline size_t etfs_paged_read_folio(struct folio *folio,
						    struct kiocb *iocb,
						    struct iov_iter *to,
						    enum etfs_paged how)
{
	size_t done;

	if (!folio_test_uptodate(folio) || folio_test_locked(folio) ||
	    folio_contain_hwpoisoned_page(folio))
		return 0;
	if (how != ETFS_SHMEM)
		return etfs_cached_copy(folio, iocb, to, how);
	done = etfs_paged_copy(folio, iocb->ki_filp->f_mapping, iocb->ki_pos,
			       to);
	if (done && !offset_in_page(iocb->ki_pos))
		folio_mark_accessed(folio);
	return done;
}

/*
 * As ->read_iter() of such a host file, which is iocb->ki_filp. Return: bytes; 0
 * if that has to be called, after all.
 */
static __always_inline size_t etfs_paged_read(struct kiocb *iocb,
					      struct iov_iter *to,
					      enum etfs_paged how)
{
	struct file *host = iocb->ki_filp;
	struct folio *folio;
	size_t done;

	if (offset_in_page(iocb->ki_pos) + iov_iter_count(to) > PAGE_SIZE)
		return 0;
	folio = rumpfs_folio_get(host->f_mapping, iocb->ki_pos >> PAGE_SHIFT);
	if (!folio)
		return 0;
	done = etfs_paged_read_folio(folio, iocb, to, how);
	folio_put(folio);
	if (done) {
		iocb->ki_pos += done;
		rumpfs_file_accessed(host);
	}
	return done;
}

#endif /* _RUMPFS_PAGED_H */
