// SPDX-License-Identifier: GPL-2.0
/*
 * Plain memory files: read, write, truncate and map. Holes are hole.c's.
 *
 * A page is charged before it enters the mapping and dirty from birth, so none
 * leaves by itself: i_blocks counts what was charged, mapping->nrpages is what
 * is held, and after a truncation the difference is given back. Pages enter
 * under i_rwsem (write, fallocate) or invalidate_lock (fault) and leave under
 * both. Reading a hole makes no page.
 *
 * A write makes the largest folios that lie whole within it; all others are
 * of one page. A large folio is whole when its lock is first let go. A folio
 * that reaches past the end of the file is not split: the core would take
 * the part behind the end for dirty pages of a disk, and miscount those.
 *
 * A page that is not up to date was allocated and never written: it reads as
 * zeros, is mapped nowhere, and becomes whole in its first write or fault.
 * One whose memory has failed stays where it is, and is EIO, until it is cut
 * off or punched out.
 */
#include "folio.h"
#include "open.h"
#include "tree.h"

#include <linux/folio_batch.h>
#include <linux/highmem.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/blk_types.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include <linux/writeback.h>

/*
 * Nothing is kept beside the page. Once a file has had a large folio, the core
 * asks before it splits one, with the folio locked.
 */
static bool rumpfs_file_release(struct folio *folio, gfp_t gfp)
{
	loff_t size = i_size_read(folio->mapping->host);

	return folio_pos(folio) + folio_size(folio) <= PAGE_ALIGN(size);
}

void rumpfs_folio_complete(struct folio *folio, size_t from, size_t to)
{
	if (folio_test_uptodate(folio))
		return;
	/* With nothing to zero it still looks at each page. */
	if (from || to < folio_size(folio))
		folio_zero_segments(folio, 0, from, to, folio_size(folio));
	flush_dcache_folio(folio);
	folio_mark_uptodate(folio);
}

/*
 * For a uprobe, which looks at what a program has in memory. A hole has no
 * program: the page that the core made for it was never charged, so it goes.
 */
static int rumpfs_file_fill(struct file *file, struct folio *folio)
{
	int err = 0;

	if (folio_test_dirty(folio)) {
		rumpfs_folio_complete(folio, 0, 0);
	} else {
		generic_error_remove_folio(folio->mapping, folio);
		err = -EIO;
	}
	folio_unlock(folio);
	return err;
}

static const struct address_space_operations rumpfs_file_aops = {
	.read_folio	= rumpfs_file_fill,
	.dirty_folio	= noop_dirty_folio,
	.migrate_folio	= filemap_migrate_folio,
	.release_folio	= rumpfs_file_release,
};

void rumpfs_file_map_init(struct address_space *mapping)
{
	mapping->a_ops = &rumpfs_file_aops;
	/* Its pages have no other home: reclaim must not look. */
	mapping_set_unevictable(mapping);
	/*
	 * Below a whole table of pages, which would be mapped across the end
	 * of the file, and which khugepaged would hold the mount for.
	 */
	mapping_set_folio_order_range(mapping, 0, PMD_ORDER - 1);
}

struct folio *rumpfs_file_add(struct inode *inode, pgoff_t index,
			      unsigned int order)
{
	struct address_space *mapping = inode->i_mapping;
	gfp_t gfp = mapping_gfp_mask(mapping);
	struct folio *folio;
	int err;

	if (order) {
		/* Smaller ones do as well. */
		gfp |= __GFP_NORETRY | __GFP_NOWARN;
		/* Of single pages nobody need be asked. */
		if (!mapping_release_always(mapping))
			mapping_set_release_always(mapping);
	}
	folio = filemap_alloc_folio(gfp, order, NULL);
	if (!folio)
		return ERR_PTR(-ENOMEM);
	err = filemap_add_folio(mapping, folio, index, gfp);
	if (!err) {
		/* A fault beside us may count, too. */
		spin_lock(&inode->i_lock);
		inode->i_blocks += RUMPFS_PAGE_BLOCKS << order;
		spin_unlock(&inode->i_lock);
		return folio;
	}
	folio_put(folio);
	return ERR_PTR(err);
}

/* A page that is there, locked; -EIO if its memory has failed. */
static struct folio *rumpfs_file_lock(struct inode *inode, pgoff_t index)
{
	struct folio *folio = filemap_lock_folio(inode->i_mapping, index);

	if (IS_ERR(folio) || !folio_contain_hwpoisoned_page(folio))
		return folio;
	folio_unlock(folio);
	folio_put(folio);
	return ERR_PTR(-EIO);
}

/* A charged folio of its own; -EEXIST if any of its pages is there. */
static struct folio *rumpfs_file_make(struct inode *inode, pgoff_t index,
				      unsigned int order)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(inode->i_sb);
	int err = rumpfs_charge(sbi, PAGE_SIZE << order);
	struct folio *folio;

	if (err)
		return ERR_PTR(err);
	folio = rumpfs_file_add(inode, index, order);
	if (IS_ERR(folio))
		rumpfs_uncharge(sbi, PAGE_SIZE << order);
	return folio;
}

/*
 * The largest order that is aligned at index and fits into nr pages, of which
 * none is there if that is looked for.
 */
static unsigned int rumpfs_file_order(struct address_space *mapping,
				      pgoff_t index, unsigned long nr,
				      bool looks)
{
	unsigned long next = index;

	if (nr < 2)
		return 0;
	nr = min(nr, mapping_max_folio_size(mapping) >> PAGE_SHIFT);
	if (index)
		nr = min(nr, 1UL << __ffs(index));
	if (looks && xa_find(&mapping->i_pages, &next, index + nr - 1,
			     XA_PRESENT))
		nr = max(next - index, 1UL);
	return ilog2(nr);
}

/*
 * The folio at index is there, or is made, over at most nr pages: charged,
 * locked, not up to date, and not dirty until its maker says so.
 */
static struct folio *rumpfs_file_folio(struct inode *inode, pgoff_t index,
				       unsigned long nr)
{
	bool looks = RUMPFS_NODE(inode)->has_behind ||
		     index < DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE);
	struct folio *folio;
	unsigned int order;

	do {
		if (looks) {
			folio = rumpfs_file_lock(inode, index);
			if (folio != ERR_PTR(-ENOENT))
				return folio;
		}
		order = rumpfs_file_order(inode->i_mapping, index, nr, looks);
		folio = rumpfs_file_make(inode, index, order);
		/* Without room for so many there may be room for fewer. */
		nr = 1UL << order >> 1;
		looks |= folio == ERR_PTR(-EEXIST);
	} while (folio == ERR_PTR(-EEXIST) || (IS_ERR(folio) && order));
	return folio;
}

/* Reading */

struct folio *rumpfs_folio_get_deep(struct address_space *mapping,
				    pgoff_t index)
{
	XA_STATE(xas, &mapping->i_pages, index);
	struct folio *folio;

	rcu_read_lock();
	folio = xas_load(&xas);
	if (!folio || xa_is_internal(folio) || xa_is_value(folio) ||
	    !folio_try_get(folio)) {
		folio = NULL;
	} else if (unlikely(folio != xas_reload(&xas))) {
		folio_put(folio);
		folio = NULL;
	}
	rcu_read_unlock();
	return folio;
}

/* What a page, or the lack of one, has for the reader; or -EFAULT, -EIO. */
static ssize_t rumpfs_folio_read(struct folio *folio, loff_t pos, size_t len,
				 struct iov_iter *to)
{
	size_t copied;

	if (!IS_ERR(folio) && folio_contain_hwpoisoned_page(folio))
		return -EIO;
	if (IS_ERR(folio) || !folio_test_uptodate(folio))
		copied = iov_iter_zero(len, to);
	else
		copied = rumpfs_folio_copy(folio, offset_in_folio(folio, pos),
					   len, to);
	return len && !copied ? -EFAULT : copied;
}

/* As far as one folio goes; 0 at the end. Was it not a large one? */
static ssize_t rumpfs_file_read_folio(struct inode *inode, loff_t pos,
				      struct iov_iter *to, bool *is_small)
{
	loff_t size = i_size_read(inode);
	size_t len = PAGE_SIZE - offset_in_page(pos);
	struct folio *folio;
	ssize_t done;

	if (pos >= size)
		return 0;
	/* A hole is one only while the size that was read before stands. */
	smp_rmb();
	folio = rumpfs_folio_get(inode->i_mapping, pos >> PAGE_SHIFT) ?:
		filemap_get_folio(inode->i_mapping, pos >> PAGE_SHIFT);
	if (!IS_ERR(folio))
		len = folio_size(folio) - offset_in_folio(folio, pos);
	/* And where the file was cut meanwhile, there is none. */
	smp_rmb();
	size = min(size, i_size_read(inode));
	len = min_t(u64, len, max(size - pos, 0LL));
	done = rumpfs_folio_read(folio, pos, min(len, iov_iter_count(to)), to);
	*is_small = IS_ERR(folio) || !folio_test_large(folio);
	if (!IS_ERR(folio))
		folio_put(folio);
	return done;
}

/*
 * The same, for pages that one look finds, and the holes between. None is split
 * while it is held.
 */
static ssize_t rumpfs_batch_read(struct folio_batch *batch, loff_t pos,
				 loff_t end, struct iov_iter *to)
{
	unsigned int i = 0, nr = folio_batch_count(batch);
	ssize_t done = 0, n;

	while (pos < end) {
		struct folio *folio = i < nr ? batch->folios[i] : NULL;
		loff_t stop = end;

		/* What is behind the last of many has not been looked for. */
		if (!folio && nr == ARRAY_SIZE(batch->folios))
			break;
		if (folio && folio_pos(folio) <= pos) {
			stop = min_t(u64, end,
				     folio_pos(folio) + folio_size(folio));
			i++;
		} else {
			if (folio)
				stop = min(end, folio_pos(folio));
			folio = ERR_PTR(-ENOENT);
		}
		n = rumpfs_folio_read(folio, pos, stop - pos, to);
		if (n < 0)
			return done ?: n;
		done += n;
		if (n < stop - pos)
			break;
		pos = stop;
	}
	return done;
}

static ssize_t rumpfs_file_read_batch(struct inode *inode, loff_t pos,
				      struct iov_iter *to)
{
	loff_t end = i_size_read(inode);
	pgoff_t index = pos >> PAGE_SHIFT;
	struct folio_batch batch;
	unsigned int i;
	ssize_t done;

	if (pos >= end)
		return 0;
	end = min_t(u64, end, pos + min(iov_iter_count(to), SZ_1M));
	folio_batch_init(&batch);
	/* As above, for holes. */
	smp_rmb();
	filemap_get_folios(inode->i_mapping, &index, (end - 1) >> PAGE_SHIFT,
			   &batch);
	/* As above, for what was cut. */
	smp_rmb();
	end = min(end, i_size_read(inode));
	done = rumpfs_batch_read(&batch, pos, end, to);
	for (i = 0; i < folio_batch_count(&batch); i++)
		folio_put(batch.folios[i]);
	return done;
}

static ssize_t rumpfs_file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	bool is_small = false;
	ssize_t done = 0, n = 0;

	while (iov_iter_count(to)) {
		/* Large ones are faster found one by one. */
		n = is_small ? rumpfs_file_read_batch(inode, iocb->ki_pos, to) :
			       rumpfs_file_read_folio(inode, iocb->ki_pos, to,
						      &is_small);
		if (n <= 0)
			break;
		iocb->ki_pos += n;
		done += n;
		cond_resched();
	}
	rumpfs_file_accessed(iocb->ki_filp);
	return done ?: n;
}

/* Writing */

/*
 * What a shared mapping stored past the end of the file must not show when
 * the end moves on: zero the rest of the folio that holds it.
 */
static void rumpfs_file_zero_tail(struct inode *inode)
{
	loff_t size = i_size_read(inode);
	struct folio *folio;

	folio = filemap_lock_folio(inode->i_mapping, size >> PAGE_SHIFT);
	if (IS_ERR(folio))
		return;
	/* What was allocated only is no data yet, and zeros anyhow. */
	if (folio_test_uptodate(folio))
		folio_zero_segment(folio, offset_in_folio(folio, size),
				   folio_size(folio));
	folio_unlock(folio);
	folio_put(folio);
}

/*
 * As much of len bytes as one folio takes; 0 if the source went away between
 * the two looks at it.
 */
static ssize_t rumpfs_file_write_folio(struct inode *inode, loff_t pos,
				       size_t len, struct iov_iter *from)
{
	pgoff_t index = pos >> PAGE_SHIFT;
	size_t offset, copied;
	struct folio *folio;
	bool is_new;

	folio = rumpfs_file_folio(inode, index,
				  ((pos + len) >> PAGE_SHIFT) - index);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	is_new = !folio_test_dirty(folio);
	offset = offset_in_folio(folio, pos);
	len = min(len, folio_size(folio) - offset);
	copied = copy_folio_from_iter_atomic(folio, offset, len, from);
	if (copied < len && is_new && folio_test_large(folio)) {
		/* Whole, or not at all. */
		iov_iter_revert(from, copied);
		copied = 0;
	}
	if (copied) {
		flush_dcache_folio(folio);
		rumpfs_folio_complete(folio, offset, offset + copied);
	}
	folio_mark_dirty(folio);
	if (copied && pos + copied > i_size_read(inode))
		i_size_write(inode, pos + copied);
	folio_unlock(folio);
	folio_put(folio);
	if (!copied && is_new)
		rumpfs_hole_undo(inode, index, index + 1);
	return copied;
}

static ssize_t rumpfs_file_write(struct inode *inode, loff_t pos,
				 struct iov_iter *from)
{
	size_t most = mapping_max_folio_size(inode->i_mapping), ready = 0;
	ssize_t done = 0, n;

	if (pos > i_size_read(inode))
		rumpfs_file_zero_tail(inode);
	while (iov_iter_count(from)) {
		if (fatal_signal_pending(current))
			return done ?: -EINTR;
		if (!ready) {
			/* The copy may not fault: not on this very folio. */
			ready = min(most - (pos & (most - 1)),
				    iov_iter_count(from));
			ready -= fault_in_iov_iter_readable(from, ready);
			if (!ready)
				return done ?: -EFAULT;
		}
		n = rumpfs_file_write_folio(inode, pos, ready, from);
		if (n < 0)
			return done ?: n;
		if (!n)
			most = PAGE_SIZE;
		ready = n ? ready - n : 0;
		done += n;
		pos += n;
		cond_resched();
	}
	return done;
}

static ssize_t rumpfs_file_write_iter(struct kiocb *iocb,
				      struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	ssize_t ret;

	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		goto unlock;
	ret = file_remove_privs(file);
	if (ret)
		goto unlock;
	ret = file_update_time(file);
	if (ret)
		goto unlock;
	ret = rumpfs_file_write(inode, iocb->ki_pos, from);
	if (ret > 0)
		iocb->ki_pos += ret;
unlock:
	inode_unlock(inode);
	return ret;
}

/* Truncation */

/*
 * A page that was never charged may be passing through, see rumpfs_file_fill():
 * then there is one too much till the next time.
 */
void rumpfs_file_recount(struct inode *inode)
{
	u64 held = (u64)inode->i_mapping->nrpages * RUMPFS_PAGE_BLOCKS, had;

	lockdep_assert_held_write(&inode->i_rwsem);
	lockdep_assert_held_write(&inode->i_mapping->invalidate_lock);
	spin_lock(&inode->i_lock);
	had = inode->i_blocks;
	inode->i_blocks = held;
	spin_unlock(&inode->i_lock);
	rumpfs_uncharge(RUMPFS_SB(inode->i_sb), (had - held) << SECTOR_SHIFT);
}

/*
 * Before the end of the file comes down to size: split the folio it falls
 * into. One that others hold on to stays whole, zeroed behind the end and
 * charged, till the next truncation.
 */
static void rumpfs_file_split(struct inode *inode, loff_t size)
{
	struct folio *folio;
	loff_t begin, end;

	folio = filemap_get_folio(inode->i_mapping, size >> PAGE_SHIFT);
	if (IS_ERR(folio))
		return;
	begin = folio_pos(folio);
	end = begin + folio_size(folio);
	folio_put(folio);
	if (begin < size && end - begin > PAGE_SIZE)
		truncate_pagecache_range(inode, size, end - 1);
}

void rumpfs_file_truncate(struct inode *inode, loff_t size)
{
	unsigned long next = DIV_ROUND_UP((u64)size, PAGE_SIZE);

	lockdep_assert_held_write(&inode->i_rwsem);
	if (size > i_size_read(inode)) {
		rumpfs_file_zero_tail(inode);
		i_size_write(inode, size);
		return;
	}
	filemap_invalidate_lock(inode->i_mapping);
	rumpfs_file_split(inode, size);
	truncate_setsize(inode, size);
	rumpfs_file_recount(inode);
	/* A folio that was not split has some of its pages there. */
	RUMPFS_NODE(inode)->has_behind = !mapping_empty(inode->i_mapping) &&
		xa_find(&inode->i_mapping->i_pages, &next, ULONG_MAX,
			XA_PRESENT);
	filemap_invalidate_unlock(inode->i_mapping);
}

/* Mapping */

static vm_fault_t rumpfs_file_fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct address_space *mapping = inode->i_mapping;
	vm_fault_t ret = VM_FAULT_LOCKED;
	struct folio *folio;

	filemap_invalidate_lock_shared(mapping);
	if (vmf->pgoff >= DIV_ROUND_UP(i_size_read(inode), PAGE_SIZE)) {
		ret = VM_FAULT_SIGBUS;
		goto unlock;
	}
	folio = rumpfs_file_folio(inode, vmf->pgoff, 1);
	if (IS_ERR(folio)) {
		/* As on tmpfs: past the limit a store has nowhere to go. */
		ret = folio == ERR_PTR(-ENOMEM) ? VM_FAULT_OOM :
		      folio == ERR_PTR(-EIO) ? VM_FAULT_HWPOISON :
					       VM_FAULT_SIGBUS;
		goto unlock;
	}
	rumpfs_folio_complete(folio, 0, 0);
	folio_mark_dirty(folio);
	vmf->page = folio_file_page(folio, vmf->pgoff);
unlock:
	/* Truncation waits for the folio lock, which the caller now has. */
	filemap_invalidate_unlock_shared(mapping);
	return ret;
}

static const struct vm_operations_struct rumpfs_file_vm_ops = {
	.fault		= rumpfs_file_fault,
	.map_pages	= filemap_map_pages,
};

static int rumpfs_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	file_accessed(file);
	vma->vm_ops = &rumpfs_file_vm_ops;
	return 0;
}

/* The tables */

static int rumpfs_file_open(struct inode *inode, struct file *file)
{
	/* As on tmpfs: O_DIRECT is taken and changes nothing. */
	file->f_mode |= FMODE_CAN_ODIRECT;
	/* As generic_file_open(), which would be a call. */
	return !(file->f_flags & O_LARGEFILE) &&
	       i_size_read(inode) > MAX_NON_LFS ? -EOVERFLOW : 0;
}

const struct file_operations rumpfs_file_operations = {
	.open		= rumpfs_file_open,
	.llseek		= rumpfs_file_llseek,
	.read_iter	= rumpfs_file_read_iter,
	.write_iter	= rumpfs_file_write_iter,
	.mmap		= rumpfs_file_mmap,
	.fsync		= noop_fsync,
	.splice_read	= copy_splice_read,
	.splice_write	= iter_file_splice_write,
	.fallocate	= rumpfs_file_fallocate,
	.copy_file_range = rumpfs_copy_file_range,
	.setlease	= generic_setlease,
};

const struct inode_operations rumpfs_file_inode_operations = {
	.getattr	= rumpfs_getattr,
	.setattr	= rumpfs_setattr,
	.listxattr	= rumpfs_listxattr,
	.set_acl	= compat_op(inode_operations, set_acl, rumpfs_set_acl),
	.fileattr_get	= rumpfs_fileattr_get,
	.fileattr_set	= rumpfs_fileattr_set,
};
