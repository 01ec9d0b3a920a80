// SPDX-License-Identifier: GPL-2.0
/*
 * Where a memory file has no pages: found, punched, filled.
 *
 * An unwritten page, one that is not up to date, counts as a hole. Only
 * fallocate leaves such pages behind, and i_rwsem keeps a second one out, so
 * those in a range being filled are its own if the older ones in its way have
 * been made whole: that is what it takes back when it must give up.
 */
#include "tree.h"

#include <linux/falloc.h>
#include <linux/folio_batch.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

/* Finding */

/* Where the data at or after pos begins; end if there is none. */
static loff_t rumpfs_hole_next_data(struct address_space *mapping, loff_t pos,
				    loff_t end)
{
	pgoff_t index = pos >> PAGE_SHIFT, last = (end - 1) >> PAGE_SHIFT;
	struct folio_batch batch;
	loff_t found = end;
	unsigned int i, n;

	folio_batch_init(&batch);
	while (found == end &&
	       (n = filemap_get_folios(mapping, &index, last, &batch))) {
		for (i = 0; i < n; i++) {
			if (!folio_test_uptodate(batch.folios[i]))
				continue;
			found = max(pos, folio_pos(batch.folios[i]));
			break;
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	return found;
}

/* Where the data at pos ends: pos if it is in a hole; at most end. */
static loff_t rumpfs_hole_next(struct address_space *mapping, loff_t pos,
			       loff_t end)
{
	pgoff_t index = pos >> PAGE_SHIFT, last = (end - 1) >> PAGE_SHIFT;
	struct folio_batch batch;
	bool is_hole = false;
	unsigned int i, n;

	folio_batch_init(&batch);
	while (!is_hole &&
	       (n = filemap_get_folios(mapping, &index, last, &batch))) {
		for (i = 0; i < n && !is_hole; i++) {
			struct folio *folio = batch.folios[i];

			is_hole = folio_pos(folio) > pos ||
				  !folio_test_uptodate(folio);
			if (!is_hole)
				pos = min_t(u64, end, folio_pos(folio) +
					    folio_size(folio));
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	return pos;
}

loff_t rumpfs_file_llseek(struct file *file, loff_t pos, int whence)
{
	struct inode *inode = file_inode(file);
	loff_t size;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(file, pos, whence);
	/* No page leaves, so none that was passed can be missing. */
	inode_lock_shared(inode);
	size = i_size_read(inode);
	if (pos < 0 || pos >= size)
		pos = -ENXIO;
	else if (whence == SEEK_HOLE)
		pos = rumpfs_hole_next(inode->i_mapping, pos, size);
	else
		pos = rumpfs_hole_next_data(inode->i_mapping, pos, size);
	if (whence == SEEK_DATA && pos == size)
		pos = -ENXIO;
	inode_unlock_shared(inode);
	return pos < 0 ? pos : vfs_setpos(file, pos, inode->i_sb->s_maxbytes);
}

/* Filling */

void rumpfs_hole_undo(struct inode *inode, pgoff_t begin, pgoff_t end)
{
	struct address_space *mapping = inode->i_mapping;
	struct folio_batch batch;
	unsigned int i, n;

	lockdep_assert_held_write(&inode->i_rwsem);
	folio_batch_init(&batch);
	filemap_invalidate_lock(mapping);
	while (begin < end &&
	       (n = filemap_get_folios(mapping, &begin, end - 1, &batch))) {
		for (i = 0; i < n; i++) {
			struct folio *folio = batch.folios[i];
			loff_t pos = folio_pos(folio);

			if (!folio_test_uptodate(folio))
				truncate_inode_pages_range(mapping, pos, pos +
							   folio_size(folio) -
							   1);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	rumpfs_file_recount(inode);
	filemap_invalidate_unlock(mapping);
}

/* How many pages there are with begin <= index < end. */
static u64 rumpfs_hole_count(struct address_space *mapping, pgoff_t begin,
			     pgoff_t end)
{
	pgoff_t index = begin;
	struct folio_batch batch;
	unsigned int i, n;
	u64 count = 0;

	folio_batch_init(&batch);
	while ((n = filemap_get_folios(mapping, &index, end - 1, &batch))) {
		for (i = 0; i < n; i++) {
			struct folio *folio = batch.folios[i];

			count += min(end, folio_next_index(folio)) -
				 max(begin, folio->index);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	return count;
}

/* One folio of the range that is being filled; room is what is charged. */
static int rumpfs_hole_fill_one(struct inode *inode, pgoff_t *index, u64 *room)
{
	struct folio *folio;

	do {
		folio = filemap_lock_folio(inode->i_mapping, *index);
		if (!IS_ERR(folio)) {
			rumpfs_folio_complete(folio, 0, 0);
			break;
		}
		folio = rumpfs_file_add(inode, *index, 0);
		if (!IS_ERR(folio))
			*room -= 1;
	} while (folio == ERR_PTR(-EEXIST));
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	folio_mark_dirty(folio);
	*index = folio_next_index(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

/*
 * A page for each begin <= index < end, or none but those that are there. No
 * page leaves meanwhile, so the room counted at first is enough.
 */
static int rumpfs_hole_fill(struct inode *inode, pgoff_t begin, pgoff_t end)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(inode->i_sb);
	pgoff_t index = begin;
	u64 room;
	int err;

	room = end - begin - rumpfs_hole_count(inode->i_mapping, begin, end);
	/* Without a limit there is still the memory. */
	if (room > totalram_pages())
		return -ENOSPC;
	err = rumpfs_charge(sbi, room << PAGE_SHIFT);
	if (err)
		return err;
	while (!err && index < end) {
		err = fatal_signal_pending(current) ?
			-EINTR : rumpfs_hole_fill_one(inode, &index, &room);
		cond_resched();
	}
	if (err)
		rumpfs_hole_undo(inode, begin, index);
	rumpfs_uncharge(sbi, room << PAGE_SHIFT);
	return err;
}

/* Zeros in place, for whoever reads or has mapped what is there. */
static void rumpfs_hole_zero(struct address_space *mapping, loff_t pos,
			     loff_t end)
{
	pgoff_t index = pos >> PAGE_SHIFT, last = (end - 1) >> PAGE_SHIFT;
	struct folio_batch batch;
	unsigned int i, n;

	folio_batch_init(&batch);
	while ((n = filemap_get_folios(mapping, &index, last, &batch))) {
		for (i = 0; i < n; i++) {
			struct folio *folio = batch.folios[i];
			loff_t begin = folio_pos(folio);
			size_t from = max(pos - begin, 0LL);
			size_t to = min_t(u64, end - begin, folio_size(folio));

			folio_lock(folio);
			folio_zero_segment(folio, from, to);
			flush_dcache_folio(folio);
			folio_unlock(folio);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
}

static int rumpfs_hole_allocate(struct inode *inode, int mode, loff_t pos,
				loff_t end)
{
	int err;

	err = inode_newsize_ok(inode, end);
	if (err)
		return err;
	err = rumpfs_hole_fill(inode, pos >> PAGE_SHIFT,
			       DIV_ROUND_UP((u64)end, PAGE_SIZE));
	if (err)
		return err;
	if (mode & FALLOC_FL_ZERO_RANGE)
		rumpfs_hole_zero(inode->i_mapping, pos, end);
	if (end <= i_size_read(inode))
		return 0;
	if (mode & FALLOC_FL_KEEP_SIZE)
		RUMPFS_NODE(inode)->has_behind = true;
	else
		rumpfs_file_truncate(inode, end);
	return 0;
}

/* Punching */

static void rumpfs_hole_punch(struct inode *inode, loff_t pos, loff_t end)
{
	filemap_invalidate_lock(inode->i_mapping);
	truncate_pagecache_range(inode, pos, end - 1);
	rumpfs_file_recount(inode);
	filemap_invalidate_unlock(inode->i_mapping);
}

long rumpfs_file_fallocate(struct file *file, int mode, loff_t pos, loff_t len)
{
	struct inode *inode = file_inode(file);
	int err = 0;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
		     FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	inode_lock(inode);
	if (mode & FALLOC_FL_PUNCH_HOLE)
		rumpfs_hole_punch(inode, pos, pos + len);
	else
		err = rumpfs_hole_allocate(inode, mode, pos, pos + len);
	if (!err)
		err = file_modified(file);
	inode_unlock(inode);
	return err;
}
