// SPDX-License-Identifier: GPL-2.0
/*
 * The pages of a window that the host's own cannot stand for.
 *
 * A window that begins or ends amid a page has pages of its own, filled from
 * the host's, in an inode that stands for one host file behind one key. They
 * are as of a stamp of that file, which is compared at each mmap and each
 * fault.
 */
#include "open.h"

#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

struct etfs_cached {
	/* the key's inode, weak */
	struct inode *node;
	/* I: a reference; the pages go when it is revoked */
	struct etfs_map *map;
	/* where the pages are read from; a reference */
	struct file *host;
	/* I: of which bytes */
	struct etfs_window win;
	/* as of when the pages are: under invalidate_lock */
	struct etfs_stamp {
		u64 size;
		struct timespec64 mtime, ctime;
	} stamp;
	/* the stamp proves nothing: refill at the next look */
	bool is_stale;
	/* jiffies of the last check that dropped pages */
	unsigned long checked;
};

/* Covers the weak pointers between a key's inode and that of its pages. */
static DEFINE_SPINLOCK(etfs_cached_lock);

static struct etfs_cached *etfs_cached_of(const struct inode *inode)
{
	return inode->i_private;
}

static struct etfs_stamp etfs_stamp_take(const struct file *host)
{
	const struct inode *inode = file_inode(host);

	return (struct etfs_stamp) {
		.size = etfs_host_size(host),
		.mtime = inode_get_mtime(inode),
		.ctime = inode_get_ctime(inode),
	};
}

static bool etfs_stamp_equal(const struct etfs_stamp *a,
			     const struct etfs_stamp *b)
{
	return a->size == b->size && timespec64_equal(&a->mtime, &b->mtime) &&
	       timespec64_equal(&a->ctime, &b->ctime);
}

/*
 * Times move in ticks, or in what the file system can store, seconds or two of
 * them: a file that was changed just now can change again without another
 * stamp.
 */
static bool etfs_stamp_is_fresh(const struct etfs_stamp *stamp,
				const struct file *host)
{
	u64 step = 4 * TICK_NSEC + file_inode(host)->i_sb->s_time_gran;
	struct timespec64 now, age;

	/* FAT does not tell. */
	if (!stamp->ctime.tv_nsec)
		step += 2 * NSEC_PER_SEC;
	ktime_get_coarse_real_ts64(&now);
	age = timespec64_sub(now, stamp->ctime);
	return age.tv_sec < 0 || timespec64_to_ns(&age) < step;
}

/*
 * Part of one page of the host's page cache. Not by the host's own read: that
 * may take a lock which a write has, whose buffer we are faulting in.
 */
static ssize_t etfs_cached_copy(struct address_space *mapping,
				struct file *file, void *to, size_t len,
				loff_t off)
{
	size_t offset = offset_in_page(off);
	struct folio *folio;

	len = min(len, PAGE_SIZE - offset);
	folio = read_mapping_folio(mapping, off >> PAGE_SHIFT, file);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	memcpy_from_page(to, folio_file_page(folio, off >> PAGE_SHIFT), offset,
			 len);
	folio_put(folio);
	return len;
}

/* What lives in memory takes no lock to read. */
static bool etfs_cached_can_copy(struct address_space *mapping)
{
	return mapping->a_ops->read_folio && !mapping_unevictable(mapping);
}

/*
 * Overlayfs has no pages of its own, and a file below it is not ours to have:
 * those on a disk do without one.
 */
static bool etfs_cached_can_copy_below(struct inode *real)
{
	return etfs_host_is_on_disk(real->i_sb) &&
	       etfs_cached_can_copy(real->i_mapping);
}

static ssize_t etfs_cached_read_host(struct file *host, void *to, size_t len,
				     loff_t off)
{
	struct inode *real;

	if (etfs_cached_can_copy(host->f_mapping))
		return etfs_cached_copy(host->f_mapping, host, to, len, off);
	real = d_real_inode(host->f_path.dentry);
	if (etfs_cached_can_copy_below(real))
		return etfs_cached_copy(real->i_mapping, NULL, to, len, off);
	return kernel_read(host, to, len, &off);
}

static ssize_t etfs_cached_read(const struct etfs_cached *cached,
				struct folio *folio)
{
	u64 size = etfs_window_size(&cached->win,
				    etfs_host_size(cached->host));
	size_t want = 0, done = 0;
	loff_t pos = folio_pos(folio);
	ssize_t n = 0;

	if (pos < size)
		want = min_t(u64, size - pos, PAGE_SIZE);
	while (done < want) {
		n = etfs_cached_read_host(cached->host,
					  folio_address(folio) + done,
					  want - done,
					  cached->win.offset + pos + done);
		if (n <= 0)
			return n ?: done;
		done += n;
	}
	return done;
}

static int etfs_cached_fill(struct file *file, struct folio *folio)
{
	const struct etfs_cached *cached =
		etfs_cached_of(folio->mapping->host);
	ssize_t n = -EIO;

	if (etfs_map_enter(cached->map)) {
		n = etfs_cached_read(cached, folio);
		etfs_map_leave(cached->map);
	}
	if (n >= 0) {
		folio_zero_segment(folio, n, folio_size(folio));
		flush_dcache_folio(folio);
		folio_mark_uptodate(folio);
	}
	folio_unlock(folio);
	return min_t(ssize_t, n, 0);
}

const struct address_space_operations etfs_cover_aops = {
	.read_folio	= etfs_cached_fill,
};

/* Is what was read when the stamp was taken what the host file has now? */
static bool etfs_cached_is_current(struct inode *inode)
{
	struct etfs_cached *cached = etfs_cached_of(inode);
	struct etfs_stamp stamp = etfs_stamp_take(cached->host);
	bool is_current;

	filemap_invalidate_lock_shared(inode->i_mapping);
	is_current = !READ_ONCE(cached->is_stale) &&
		     etfs_stamp_equal(&stamp, &cached->stamp);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return is_current;
}

/*
 * Drop the pages from first to last if the host file is not as it was when
 * they were read. Context: inside the mapping.
 */
static int etfs_cached_check(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct etfs_cached *cached = etfs_cached_of(inode);
	struct etfs_stamp stamp;
	int err;

	if (etfs_cached_is_current(inode))
		return 0;
	filemap_invalidate_lock(inode->i_mapping);
	WRITE_ONCE(cached->is_stale, false);
	/* Before the pages are read again, so that a change is not missed. */
	smp_mb();
	stamp = etfs_stamp_take(cached->host);
	i_size_write(inode, etfs_window_size(&cached->win, stamp.size));
	err = invalidate_inode_pages2_range(inode->i_mapping, first, last);
	/* A part says nothing of the rest. */
	if (err || first || last != ULONG_MAX ||
	    etfs_stamp_is_fresh(&stamp, cached->host))
		WRITE_ONCE(cached->is_stale, true);
	cached->stamp = stamp;
	WRITE_ONCE(cached->checked, jiffies);
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}

static int etfs_cached_check_all(struct inode *inode)
{
	return etfs_cached_check(inode, 0, ULONG_MAX);
}

/*
 * An instruction may need two pages, and the host file may change all the
 * time: within a tick each fault drops none but its own page.
 */
static int etfs_cached_check_page(struct inode *inode, pgoff_t index)
{
	unsigned long checked = READ_ONCE(etfs_cached_of(inode)->checked);

	if (time_after(jiffies, checked))
		return etfs_cached_check_all(inode);
	return etfs_cached_check(inode, index, index);
}

/* No ->map_pages: each fault is to be checked. */
static vm_fault_t etfs_cached_fault(struct vm_fault *vmf)
{
	struct inode *inode = vmf->vma->vm_file->f_mapping->host;
	struct etfs_map *map = etfs_cached_of(inode)->map;
	vm_fault_t ret;
	int err;

	if (!etfs_map_enter(map))
		return VM_FAULT_SIGBUS;
	/* See etfs_cover_do_fault(). */
	etfs_map_get(map);
	err = etfs_cached_check_page(inode, vmf->pgoff);
	ret = err ? vmf_error(err) : filemap_fault(vmf);
	etfs_map_leave(map);
	etfs_map_put(map);
	return ret;
}

static void etfs_cached_vma_count(const struct vm_area_struct *vma, int change)
{
	struct inode *inode = vma->vm_file->f_mapping->host;

	atomic_add(change, &etfs_cached_of(inode)->map->gate->nr_areas);
}

static void etfs_cached_vma_open(struct vm_area_struct *vma)
{
	etfs_cached_vma_count(vma, 1);
}

static void etfs_cached_vma_close(struct vm_area_struct *vma)
{
	etfs_cached_vma_count(vma, -1);
}

static const struct vm_operations_struct etfs_cached_vm_ops = {
	.open = etfs_cached_vma_open,
	.close = etfs_cached_vma_close,
	.fault = etfs_cached_fault,
};

static struct inode *etfs_cached_new(struct inode *node,
				     struct etfs_open *open)
{
	struct etfs_cached *cached;
	struct inode *inode;
	struct file *host;

	/*
	 * Pages are read as they are, whatever this open is for. Whom fanotify
	 * asks was asked; at a fault he would be under the mmap lock.
	 */
	host = etfs_host_reopen(open->map, open->host, O_RDONLY | O_NONOTIFY);
	if (IS_ERR(host))
		return ERR_CAST(host);
	cached = kzalloc(sizeof(*cached), GFP_KERNEL_ACCOUNT);
	inode = cached ? new_inode(node->i_sb) : NULL;
	if (!inode) {
		kfree(cached);
		fput(host);
		return ERR_PTR(-ENOMEM);
	}
	inode->i_private = cached;
	inode->i_ino = node->i_ino;
	inode->i_mode = S_IFREG;
	i_size_write(inode, etfs_open_size(open));
	inode->i_mapping->a_ops = &etfs_cover_aops;
	mapping_set_gfp_mask(inode->i_mapping, GFP_KERNEL);
	cached->map = open->map;
	etfs_map_get(cached->map);
	cached->host = host;
	cached->win = open->map->spec.win;
	cached->is_stale = true;
	return inode;
}

/* Context: etfs_cached_lock. */
static bool etfs_cached_is_of(const struct etfs_cached *cached,
			      const struct file *host)
{
	return cached->host && file_inode(cached->host) == file_inode(host);
}

/* The pages of this host file behind this key, shared by who has it open. */
static struct inode *etfs_cached_get(struct inode *node,
				     struct etfs_open *open)
{
	struct inode *new = etfs_cached_new(node, open), *old;

	if (IS_ERR(new))
		return new;
	spin_lock(&etfs_cached_lock);
	old = RUMPFS_NODE(node)->cover;
	if (old && etfs_cached_is_of(etfs_cached_of(old), open->host) &&
	    igrab(old)) {
		spin_unlock(&etfs_cached_lock);
		iput(new);
		/* Generic code reads it without a fault; see the check. */
		filemap_invalidate_lock(old->i_mapping);
		i_size_write(old, etfs_open_size(open));
		filemap_invalidate_unlock(old->i_mapping);
		return old;
	}
	if (old)
		etfs_cached_of(old)->node = NULL;
	RUMPFS_NODE(node)->cover = new;
	etfs_cached_of(new)->node = node;
	spin_unlock(&etfs_cached_lock);
	return new;
}

void etfs_cover_make_stale(struct inode *inode)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);

	spin_lock(&etfs_cached_lock);
	if (node->cover)
		WRITE_ONCE(etfs_cached_of(node->cover)->is_stale, true);
	spin_unlock(&etfs_cached_lock);
}

void etfs_cover_evict_key(struct inode *inode)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);

	if (!etfs_cover_may_be(inode))
		return;
	spin_lock(&etfs_cached_lock);
	if (node->cover)
		etfs_cached_of(node->cover)->node = NULL;
	spin_unlock(&etfs_cached_lock);
}

void etfs_cover_evict(struct inode *inode)
{
	struct etfs_cached *cached = etfs_cached_of(inode);

	spin_lock(&etfs_cached_lock);
	if (cached->node && RUMPFS_NODE(cached->node)->cover == inode)
		RUMPFS_NODE(cached->node)->cover = NULL;
	spin_unlock(&etfs_cached_lock);
	if (cached->host)
		fput(cached->host);
	etfs_map_put(cached->map);
}

void etfs_cover_shut(struct inode *inode)
{
	struct etfs_cached *cached = etfs_cached_of(inode);
	struct file *host;

	etfs_unmap_pages(inode->i_mapping, 0, ULONG_MAX);
	truncate_inode_pages(inode->i_mapping, 0);
	spin_lock(&etfs_cached_lock);
	host = cached->host;
	cached->host = NULL;
	spin_unlock(&etfs_cached_lock);
	if (host)
		fput(host);
}

/*
 * The file gets the mapping it will be mapped by before anybody has the file:
 * mmap(2) counts in it before it calls us.
 */
int etfs_cover_open_some(struct etfs_open *open, struct inode *node,
			 struct file *file)
{
	struct inode *cover;

	if (!(file->f_mode & FMODE_READ))
		return 0;
	cover = etfs_cached_get(node, open);
	if (IS_ERR(cover))
		return PTR_ERR(cover);
	open->cover = cover;
	file->f_mapping = open->cover->i_mapping;
	return 0;
}

int etfs_cover_mmap_cached(struct etfs_open *open, struct vm_area_struct *vma)
{
	int err;

	if (vma->vm_flags & VM_SHARED) {
		if (vma->vm_flags & VM_WRITE)
			return -ENODEV;
		/* Nor by mprotect later. */
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	/* Its reads take a lock that the writer of our pages may have. */
	if (IS_DAX(file_inode(open->host)))
		return -ENODEV;
	err = etfs_cached_check_all(open->cover);
	if (err)
		return err;
	vma->vm_ops = &etfs_cached_vm_ops;
	etfs_cached_vma_open(vma);
	return 0;
}
