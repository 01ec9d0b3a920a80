// SPDX-License-Identifier: GPL-2.0
/*
 * The bios of a disk.
 *
 * While ->submit_bio runs, bios of its own that a host file system waits for
 * would queue up behind ours, it would take an upper file system's transaction
 * for its own, and an upper reclaim could end up in it. So a submitter does not
 * enter the host file system, but for direct.c where none of this can be:
 *
 *	on a block device	a clone goes on to that device
 *	bytes in the cache	copied from or to the host's folios, without a
 *				lock that could be waited for
 *	dio			see direct.c
 *	the rest		a worker, see disk_queue.c
 *
 * Writes are copied only into a file system that is nothing but its page cache.
 * A bio that is copied and another with a worker may overlap; whose bytes stay
 * is open, as on any disk.
 */
#include "disk.h"

#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/highmem.h>
#include <linux/magic.h>
#include <linux/pagemap.h>
#include <linux/percpu.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/uio.h>

/* How long the host file's times may be behind. */
#define ETFS_TOUCH_DELAY	HZ

static struct etfs_disk *etfs_bio_disk(const struct bio *bio)
{
	return bio->bi_bdev->bd_disk->private_data;
}

static struct etfs_span etfs_bio_span(const struct etfs_disk *disk,
				      const struct bio *bio)
{
	const struct etfs_window win = etfs_disk_window(disk);
	u64 pos = (u64)bio->bi_iter.bi_sector << SECTOR_SHIFT;

	/* The window may end within the disk's last sector, or have shrunk. */
	return (struct etfs_span) {
		.off = win.offset + pos,
		.len = pos < win.size ? min_t(u64, bio->bi_iter.bi_size,
					      win.size - pos) : 0,
	};
}

/* What has no bytes, and what clears, is counted by the block layer alone. */
static void etfs_disk_served(const struct etfs_disk *disk,
			     struct bio *bio, enum etfs_served how)
{
	if (!bio_has_data(bio))
		return;
	this_cpu_inc(disk->counts->nr[how + op_is_write(bio_op(bio))]);
}

u64 etfs_disk_count(const struct etfs_disk *disk, enum etfs_served how)
{
	u64 nr = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		nr += READ_ONCE(per_cpu_ptr(disk->counts, cpu)->nr[how]);
	return nr;
}

void etfs_bio_end(struct bio *bio, unsigned long start, int err)
{
	bio_end_io_acct(bio, start);
	if (err)
		bio->bi_status = errno_to_blk_status(err);
	bio_endio(bio);
}

/* Bytes that are in the page cache */

/* Of a file that shrank, or of bad memory, nothing is told here. */
static bool etfs_folio_has(struct folio *folio,
			   const struct address_space *mapping, u64 end)
{
	return folio->mapping == mapping && folio_test_uptodate(folio) &&
	       !folio_contain_hwpoisoned_page(folio) &&
	       end <= i_size_read(mapping->host);
}

/* Between a folio's bytes and what is next in data. Return: all of them? */
static bool etfs_folio_copy(struct folio *folio, size_t at, size_t len,
			    struct iov_iter *data)
{
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(at));
		char *page = kmap_local_folio(folio, at);
		size_t done;

		done = iov_iter_rw(data) == WRITE ?
			copy_from_iter(page, n, data) :
			copy_to_iter(page, n, data);
		kunmap_local(page);
		if (done != n)
			return false;
		at += n;
		len -= n;
	}
	return true;
}

/* Context: the folio has a reference. Return: were all bytes copied? */
static bool etfs_hit_read(struct folio *folio,
			  const struct address_space *mapping, u64 off,
			  size_t len, struct iov_iter *data)
{
	if (!folio_test_uptodate(folio) ||
	    folio_contain_hwpoisoned_page(folio) ||
	    !etfs_folio_copy(folio, offset_in_folio(folio, off), len, data))
		return false;
	/* It was the file's meanwhile, if it is now. */
	smp_rmb();
	folio_mark_accessed(folio);
	return etfs_folio_has(folio, mapping, off + len);
}

static bool etfs_hit_write(struct folio *folio,
			   const struct address_space *mapping, u64 off,
			   size_t len, struct iov_iter *data)
{
	bool done = false;

	if (!folio_trylock(folio))
		return false;
	if (etfs_folio_has(folio, mapping, off + len)) {
		done = etfs_folio_copy(folio, offset_in_folio(folio, off), len,
				       data);
		flush_dcache_folio(folio);
		folio_mark_dirty(folio);
	}
	folio_unlock(folio);
	return done;
}

/*
 * Between a bio's data and the host's bytes from off on. Of one that fails here
 * some bytes may be there, as all will be soon.
 */
static bool etfs_disk_copy(const struct etfs_disk *disk, struct bio *bio,
			   u64 off)
{
	struct address_space *mapping = disk->host->f_mapping;
	struct iov_iter data;

	etfs_bio_iter(bio, 0, bio->bi_iter.bi_size, &data);
	while (iov_iter_count(&data)) {
		struct folio *folio;
		bool hit;
		size_t n;

		folio = filemap_get_folio(mapping, off >> PAGE_SHIFT);
		if (IS_ERR_OR_NULL(folio))
			return false;
		n = min_t(size_t, iov_iter_count(&data),
			  folio_size(folio) - offset_in_folio(folio, off));
		hit = iov_iter_rw(&data) == WRITE ?
			etfs_hit_write(folio, mapping, off, n, &data) :
			etfs_hit_read(folio, mapping, off, n, &data);
		folio_put(folio);
		if (!hit)
			return false;
		off += n;
	}
	return true;
}

static void etfs_bio_flush_dcache(struct bio *bio)
{
	struct bvec_iter iter;
	struct bio_vec bvec;

	if (!ARCH_IMPLEMENTS_FLUSH_DCACHE_PAGE)
		return;
	bio_for_each_segment(bvec, bio, iter)
		flush_dcache_page(bvec.bv_page);
}

/* No sealed file is written to. */
static bool etfs_disk_may_hit(const struct etfs_disk *disk,
			      const struct bio *bio,
			      const struct etfs_span *span)
{
	struct inode *inode = disk->host->f_mapping->host;

	if (!span->len || span->len < bio->bi_iter.bi_size ||
	    bio->bi_opf & (REQ_PREFLUSH | REQ_FUA))
		return false;
	if (bio_op(bio) == REQ_OP_READ)
		return disk->has_read_hits;
	return disk->has_write_hits && bio_op(bio) == REQ_OP_WRITE &&
	       !(READ_ONCE(SHMEM_I(inode)->seals) &
		 (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE));
}

/* Who seals the file has its lock, and after that nothing is written. */
static bool etfs_disk_hit(struct etfs_disk *disk, struct bio *bio,
			  const struct etfs_span *span)
{
	struct inode *inode = disk->host->f_mapping->host;
	bool hit;

	if (!op_is_write(bio_op(bio))) {
		hit = etfs_disk_may_hit(disk, bio, span) &&
		      etfs_disk_copy(disk, bio, span->off);
		if (hit)
			etfs_bio_flush_dcache(bio);
		return hit;
	}
	if (!disk->has_write_hits || !inode_trylock_shared(inode))
		return false;
	hit = etfs_disk_may_hit(disk, bio, span) &&
	      etfs_disk_copy(disk, bio, span->off);
	inode_unlock_shared(inode);
	if (hit && !test_and_set_bit(0, &disk->is_touched))
		queue_delayed_work(disk->wq, &disk->touch, ETFS_TOUCH_DELAY);
	return hit;
}

static void etfs_disk_touch(struct work_struct *work)
{
	struct etfs_disk *disk = container_of(to_delayed_work(work),
					      struct etfs_disk, touch);

	clear_bit(0, &disk->is_touched);
	file_update_time(disk->host);
}

/* Bytes that the host file system moves */

void etfs_bio_iter(struct bio *bio, size_t done, size_t len,
		   struct iov_iter *iter)
{
	const struct bio_vec *first = __bvec_iter_bvec(bio->bi_io_vec,
						       bio->bi_iter);
	unsigned long nr_bvecs = 0;
	struct bvec_iter at;
	struct bio_vec bvec;

	bio_for_each_bvec(bvec, bio, at)
		nr_bvecs++;
	iov_iter_bvec(iter, op_is_write(bio_op(bio)) ? ITER_SOURCE : ITER_DEST,
		      first, nr_bvecs, bio->bi_iter.bi_size);
	iter->iov_offset = mp_bvec_iter_offset(bio->bi_io_vec, bio->bi_iter) -
			   first->bv_offset;
	iov_iter_advance(iter, done);
	iov_iter_truncate(iter, len);
}

/* Return: bytes done; fewer than len where the host file ends. */
static ssize_t etfs_disk_rw(struct etfs_disk *disk, struct bio *bio, u64 off,
			    size_t len)
{
	struct file *host = disk->host;
	struct kiocb kiocb;
	struct iov_iter iter;
	size_t done = 0;
	ssize_t n;

	init_sync_kiocb(&kiocb, host);
	kiocb.ki_ioprio = bio->bi_ioprio;
	while (done < len) {
		kiocb.ki_pos = off + done;
		etfs_bio_iter(bio, done, len - done, &iter);
		if (op_is_write(bio_op(bio))) {
			kiocb_start_write(&kiocb);
			n = host->f_op->write_iter(&kiocb, &iter);
			kiocb_end_write(&kiocb);
		} else {
			n = host->f_op->read_iter(&kiocb, &iter);
		}
		if (n < 0)
			return n;
		if (!n)
			break;
		done += n;
	}
	return done;
}

static int etfs_disk_read(struct etfs_disk *disk, struct bio *bio, u64 off,
			  size_t len)
{
	ssize_t n = etfs_disk_rw(disk, bio, off, len);
	struct iov_iter iter;

	if (n < 0)
		return n;
	/* Zeros follow the window's end, and the host file's if it shrank. */
	len = bio->bi_iter.bi_size - n;
	etfs_bio_iter(bio, n, len, &iter);
	return iov_iter_zero(len, &iter) == len ? 0 : -EIO;
}

static int etfs_disk_write(struct etfs_disk *disk, struct bio *bio, u64 off,
			   size_t len)
{
	ssize_t n = 0;

	/* Bios that were completed before are in the host's page cache. */
	if (bio->bi_opf & REQ_PREFLUSH)
		n = vfs_fsync(disk->host, 1);
	if (n)
		return n;
	n = etfs_disk_rw(disk, bio, off, len);
	if (n != len)
		return n < 0 ? n : -EIO;
	if (len && bio->bi_opf & REQ_FUA)
		return vfs_fsync_range(disk->host, off, off + len - 1, 1);
	return 0;
}

/* What the window has not is zero, and stays so. */
static int etfs_disk_clear(struct etfs_disk *disk, const struct bio *bio,
			   u64 off, size_t len)
{
	int mode = FALLOC_FL_PUNCH_HOLE;

	if (bio_op(bio) == REQ_OP_WRITE_ZEROES && bio->bi_opf & REQ_NOUNMAP)
		mode = FALLOC_FL_ZERO_RANGE;
	return len ? vfs_fallocate(disk->host, mode | FALLOC_FL_KEEP_SIZE, off,
				   len) : 0;
}

int etfs_disk_serve(struct etfs_disk *disk, struct bio *bio,
		    const struct etfs_span *span)
{
	u64 off = span->off, len = span->len;

	switch (bio_op(bio)) {
	case REQ_OP_READ:
		return etfs_disk_read(disk, bio, off, len);
	case REQ_OP_WRITE:
		return etfs_disk_write(disk, bio, off, len);
	case REQ_OP_DISCARD:
	case REQ_OP_WRITE_ZEROES:
		return etfs_disk_clear(disk, bio, off, len);
	default:
		return -EOPNOTSUPP;
	}
}

/* Bios for a device of the host */

/* What a clone carries in front of it. */
struct etfs_clone {
	struct bio *bio;
	unsigned long start;
	struct bio clone;
};

static void etfs_clone_end(struct bio *bio)
{
	struct etfs_clone *clone = container_of(bio, struct etfs_clone, clone);
	struct bio *orig = clone->bio;
	struct etfs_disk *disk = etfs_bio_disk(orig);

	bio_end_io_acct(orig, clone->start);
	/* It may have failed already: by a part of it that was split off. */
	if (bio->bi_status)
		orig->bi_status = bio->bi_status;
	bio_put(bio);
	bio_endio(orig);
	percpu_ref_put(&disk->inflight);
}

bool etfs_bio_is_clone(const struct bio *bio)
{
	return bio->bi_end_io == etfs_clone_end;
}

static void etfs_disk_remap(struct etfs_disk *disk, struct bio *bio,
			    const struct etfs_span *span)
{
	struct etfs_clone *clone;
	struct bio *to;

	percpu_ref_get(&disk->inflight);
	to = bio_alloc_clone(disk->target, bio, GFP_NOIO, &disk->clones);
	clone = container_of(to, struct etfs_clone, clone);
	clone->bio = bio;
	clone->start = bio_start_io_acct(bio);
	to->bi_end_io = etfs_clone_end;
	to->bi_iter.bi_sector = span->off >> SECTOR_SHIFT;
	submit_bio_noacct(to);
}

/* All of them */

/* Of 10000 requests so many fail: the same for the same seed. */
static bool etfs_disk_fails(const struct etfs_disk *disk,
			    const struct bio *bio)
{
	u16 fail = READ_ONCE(disk->fail);
	u64 which = (u64)hash_32(READ_ONCE(disk->fail_seed), 32) << 32;

	if (!fail || !bio_sectors(bio))
		return false;
	if (hash_64(bio->bi_iter.bi_sector ^ which, 32) % ETFS_MAX_FAIL >= fail)
		return false;
	this_cpu_inc(disk->counts->nr[ETFS_FAILED]);
	return true;
}

/*
 * The block layer only warns of writes, and the host file is not asked again. A
 * device below is not asked for what a window that has shrunk lacks.
 */
static bool etfs_disk_refuses(const struct etfs_disk *disk,
			      const struct bio *bio,
			      const struct etfs_span *span)
{
	if (op_is_write(bio_op(bio)) && bio_sectors(bio) && disk->is_ro)
		return true;
	if (disk->target && span->len < bio->bi_iter.bi_size)
		return true;
	return etfs_disk_fails(disk, bio);
}

void etfs_disk_submit_bio(struct bio *bio)
{
	struct etfs_disk *disk = etfs_bio_disk(bio);
	struct etfs_span span = etfs_bio_span(disk, bio);
	unsigned long start;

	if (etfs_disk_refuses(disk, bio, &span)) {
		bio_io_error(bio);
		return;
	}
	if (disk->target) {
		etfs_disk_served(disk, bio, ETFS_READ_DIRECT);
		etfs_disk_remap(disk, bio, &span);
		return;
	}
	start = bio_start_io_acct(bio);
	if (etfs_disk_hit(disk, bio, &span)) {
		etfs_disk_served(disk, bio, ETFS_READ_CACHED);
		etfs_bio_end(bio, start, 0);
	} else if (bio->bi_opf & REQ_NOWAIT) {
		etfs_bio_end(bio, start, -EAGAIN);
	} else if (etfs_direct_may(disk, bio, &span)) {
		etfs_disk_served(disk, bio, ETFS_READ_DIRECT);
		etfs_direct_submit(etfs_io_new(disk, bio, &span, start));
	} else {
		etfs_disk_served(disk, bio, ETFS_READ_WORKER);
		etfs_io_submit(etfs_io_new(disk, bio, &span, start));
	}
}

/* A disk's means */

static void etfs_disk_is_idle(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct etfs_disk, inflight)->idle);
}

/*
 * Pages of a remote file may be stale without its file system, those of a
 * stacked one are another's, and DAX has none.
 */
static void etfs_disk_find_ways(struct etfs_disk *disk)
{
	const struct inode *inode = disk->host->f_mapping->host;
	bool is_local = S_ISBLK(inode->i_mode) ||
			etfs_host_is_on_disk(inode->i_sb);

	if (disk->host->f_flags & O_DIRECT) {
		disk->has_nowait = is_local &&
				   disk->host->f_mode & FMODE_NOWAIT;
	} else if (IS_DAX(inode)) {
		return;
	} else if (IS_ENABLED(CONFIG_SHMEM) &&
		   inode->i_sb->s_magic == TMPFS_MAGIC) {
		disk->has_read_hits = true;
		disk->has_write_hits = true;
	} else {
		disk->has_read_hits = is_local;
	}
}

int etfs_disk_io_init(struct etfs_disk *disk)
{
	int err = -ENOMEM;

	etfs_disk_find_ways(disk);
	INIT_DELAYED_WORK(&disk->touch, etfs_disk_touch);
	init_completion(&disk->idle);
	disk->counts = alloc_percpu_gfp(struct etfs_disk_counts,
					GFP_KERNEL_ACCOUNT);
	if (!disk->counts)
		return err;
	err = percpu_ref_init(&disk->inflight, etfs_disk_is_idle, 0,
			      GFP_KERNEL_ACCOUNT);
	if (err)
		goto free_counts;
	if (disk->target)
		err = bioset_init(&disk->clones, BIO_POOL_SIZE,
				  offsetof(struct etfs_clone, clone), 0);
	if (err)
		goto exit_ref;
	err = etfs_disk_queue_init(disk);
	if (!err)
		return 0;
	if (disk->target)
		bioset_exit(&disk->clones);
exit_ref:
	percpu_ref_exit(&disk->inflight);
free_counts:
	free_percpu(disk->counts);
	return err;
}

void etfs_disk_io_stop(struct etfs_disk *disk)
{
	percpu_ref_kill(&disk->inflight);
	wait_for_completion(&disk->idle);
	flush_delayed_work(&disk->touch);
	destroy_workqueue(disk->wq);
	disk->wq = NULL;
}

void etfs_disk_io_exit(struct etfs_disk *disk)
{
	if (disk->target)
		bioset_exit(&disk->clones);
	percpu_ref_exit(&disk->inflight);
	mempool_exit(&disk->ios);
	free_percpu(disk->counts);
}
