// SPDX-License-Identifier: GPL-2.0
/*
 * A window's pages in somebody's address space.
 *
 * An aligned window is mapped by the host's own pages: the area's file is then
 * a host file, as the host's fault handlers expect one. That file is private
 * to the mapping and its operations are replaced by ours, or remap_file_pages
 * and MADV_REMOVE would walk out of the window through it; the area's own
 * operations are a copy of the host's that refuses pages past the window's end.
 *
 * Any other window has pages of its own, filled by reading the host file, in
 * an inode that stands for one host file behind one key. They are as of a
 * stamp of that file, which is compared at each mmap and each fault.
 */
#include "rumpfs.h"

#include <linux/file.h>
#include <linux/folio_batch.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

/* The operations of a host file that is seen through a mapping alone */

/* One for each table of operations a host has; freed with the module. */
struct etfs_fops {
	struct list_head node;
	const struct file_operations *host;
	struct file_operations ours;
};

static DEFINE_MUTEX(etfs_fops_lock);
static LIST_HEAD(etfs_fops_list);

static const struct file_operations *etfs_fops_host(const struct file *file)
{
	return container_of(file->f_op, struct etfs_fops, ours)->host;
}

/* msync(2) */
static int etfs_fops_fsync(struct file *file, loff_t start, loff_t end,
			   int datasync)
{
	const struct file_operations *host = etfs_fops_host(file);

	return host->fsync ? host->fsync(file, start, end, datasync) : -EINVAL;
}

static int etfs_fops_release(struct inode *inode, struct file *file)
{
	const struct file_operations *host = etfs_fops_host(file);

	if (host->release)
		host->release(inode, file);
	/* Its super block keeps it; our own reference goes with ->owner. */
	module_put(host->owner);
	return 0;
}

static struct etfs_fops *etfs_fops_get(const struct file_operations *host)
{
	struct etfs_fops *fops;

	mutex_lock(&etfs_fops_lock);
	list_for_each_entry(fops, &etfs_fops_list, node)
		if (fops->host == host)
			goto unlock;
	fops = kzalloc(sizeof(*fops), GFP_KERNEL);
	if (!fops)
		goto unlock;
	fops->host = host;
	fops->ours.owner = THIS_MODULE;
	fops->ours.fsync = etfs_fops_fsync;
	fops->ours.release = etfs_fops_release;
	/* No ->mmap: remap_file_pages says ENODEV. No ->fallocate. */
	list_add(&fops->node, &etfs_fops_list);
unlock:
	mutex_unlock(&etfs_fops_lock);
	return fops;
}

void etfs_cover_exit(void)
{
	struct etfs_fops *fops, *next;

	/* Each file with such operations held the module. */
	list_for_each_entry_safe(fops, next, &etfs_fops_list, node)
		kfree(fops);
}

/* Mapping the host's own pages */

/*
 * One mmap and what was split or forked from it.
 *
 * I set once - G under gate->lock
 */
struct etfs_cover {
	refcount_t ref;
	/* I: a reference, and a user */
	struct etfs_map *map;
	/* I: pages of the host file: the window's first, the first past it */
	pgoff_t start, end;
	/* I: what the areas have for a file; they hold it */
	struct file *file;
	/* G: in gate->covers while there is an area */
	struct list_head node;
	const struct vm_operations_struct *host;
	struct vm_operations_struct ours;
};

static struct etfs_cover *etfs_cover_of(const struct vm_area_struct *vma)
{
	return container_of(vma->vm_ops, struct etfs_cover, ours);
}

static void etfs_cover_put(struct etfs_cover *cover)
{
	struct etfs_gate *gate = cover->map->gate;

	if (!refcount_dec_and_test(&cover->ref))
		return;
	spin_lock(&gate->lock);
	list_del_init(&cover->node);
	spin_unlock(&gate->lock);
	etfs_map_unuse(cover->map);
	etfs_map_put(cover->map);
	kfree(cover);
}

static void etfs_cover_vma_open(struct vm_area_struct *vma)
{
	struct etfs_cover *cover = etfs_cover_of(vma);

	refcount_inc(&cover->ref);
	if (cover->host->open)
		cover->host->open(vma);
}

static void etfs_cover_vma_close(struct vm_area_struct *vma)
{
	struct etfs_cover *cover = etfs_cover_of(vma);

	if (cover->host->close)
		cover->host->close(vma);
	/* The area may outlive the operations for a moment. */
	vma->vm_ops = cover->host;
	etfs_cover_put(cover);
}

/* See gate.c: until it is in a page table the page's lock stands for it. */
static vm_fault_t etfs_fault_lock(struct vm_fault *vmf, vm_fault_t ret)
{
	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY |
		   VM_FAULT_LOCKED | VM_FAULT_DONE_COW) || !vmf->page)
		return ret;
	lock_page(vmf->page);
	return ret | VM_FAULT_LOCKED;
}

typedef vm_fault_t etfs_fault_t(struct vm_fault *vmf);

static vm_fault_t etfs_cover_do_fault(struct vm_fault *vmf,
				      struct etfs_cover *cover,
				      etfs_fault_t *fault)
{
	struct etfs_map *map = cover->map;
	vm_fault_t ret;

	if (vmf->pgoff >= cover->end || !etfs_map_enter(map))
		return VM_FAULT_SIGBUS;
	/* The host may let go of the mmap lock, and then the area may go. */
	etfs_map_get(map);
	ret = etfs_fault_lock(vmf, fault(vmf));
	etfs_map_leave(map);
	etfs_map_put(map);
	return ret;
}

static vm_fault_t etfs_cover_vma_fault(struct vm_fault *vmf)
{
	struct etfs_cover *cover = etfs_cover_of(vmf->vma);

	return etfs_cover_do_fault(vmf, cover, cover->host->fault);
}

/*
 * An area that ends past the window: the core would map all of a large folio
 * that we hand over, so of one that does so, too, only the one page is mapped.
 * A private copy is of one page anyway.
 */
static vm_fault_t etfs_fault_edge(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct etfs_cover *cover = etfs_cover_of(vma);
	pgoff_t end = cover->end;
	vm_fault_t ret;
	int err;

	ret = etfs_fault_lock(vmf, cover->host->fault(vmf));
	if (!(ret & VM_FAULT_LOCKED) || vmf->cow_page ||
	    folio_next_index(page_folio(vmf->page)) <= end)
		return ret;
	err = vm_insert_page(vma, vmf->address & PAGE_MASK, vmf->page);
	unlock_page(vmf->page);
	put_page(vmf->page);
	vmf->page = NULL;
	/* -EBUSY: somebody else's fault was first. */
	return err && err != -EBUSY ? vmf_error(err) : VM_FAULT_NOPAGE;
}

static vm_fault_t etfs_cover_vma_fault_edge(struct vm_fault *vmf)
{
	return etfs_cover_do_fault(vmf, etfs_cover_of(vmf->vma),
				   etfs_fault_edge);
}

/* A page that was mapped for reading is about to be stored to. */
static vm_fault_t etfs_cover_vma_page_mkwrite(struct vm_fault *vmf)
{
	struct etfs_cover *cover = etfs_cover_of(vmf->vma);

	return etfs_cover_do_fault(vmf, cover, cover->host->page_mkwrite);
}

static vm_fault_t etfs_cover_vma_pfn_mkwrite(struct vm_fault *vmf)
{
	struct etfs_cover *cover = etfs_cover_of(vmf->vma);

	return etfs_cover_do_fault(vmf, cover, cover->host->pfn_mkwrite);
}

/* Context: RCU read section; must not sleep. */
static vm_fault_t etfs_cover_vma_map_pages(struct vm_fault *vmf, pgoff_t start,
					   pgoff_t end)
{
	struct etfs_cover *cover = etfs_cover_of(vmf->vma);

	struct etfs_map *map = cover->map;
	vm_fault_t ret;

	if (start >= cover->end || !etfs_map_enter(map))
		return 0;
	ret = cover->host->map_pages(vmf, start, min(end, cover->end - 1));
	etfs_map_leave(map);
	return ret;
}

/*
 * Whatever else a host can do to an area (huge faults, userfaultfd) would go
 * past our fault handler: it is left out.
 */
static void etfs_cover_set_ops(struct etfs_cover *cover,
			       const struct vm_operations_struct *host,
			       bool is_edge)
{
	struct vm_operations_struct *ours = &cover->ours;

	cover->host = host;
	ours->open = etfs_cover_vma_open;
	ours->close = etfs_cover_vma_close;
	ours->may_split = host->may_split;
	ours->mprotect = host->mprotect;
	ours->fault = is_edge ? etfs_cover_vma_fault_edge :
				etfs_cover_vma_fault;
	if (host->map_pages && !is_edge)
		ours->map_pages = etfs_cover_vma_map_pages;
	if (host->page_mkwrite)
		ours->page_mkwrite = etfs_cover_vma_page_mkwrite;
	if (host->pfn_mkwrite)
		ours->pfn_mkwrite = etfs_cover_vma_pfn_mkwrite;
}

/*
 * An area over a window with an end stays as long as it is, so that it is
 * known here whether it reaches past that end; and nobody puts huge pages into
 * it behind our back. Return: whether it does.
 */
static bool etfs_cover_set_flags(const struct etfs_cover *cover,
				 struct vm_area_struct *vma)
{
	if (cover->end == ULONG_MAX)
		return false;
	vm_flags_set(vma, VM_DONTEXPAND);
	if (vma->vm_pgoff + vma_pages(vma) <= cover->end)
		return false;
	/* For vm_insert_page() in a fault. */
	vm_flags_set(vma, VM_MIXEDMAP);
	return true;
}

static struct etfs_cover *etfs_cover_new(struct etfs_map *map)
{
	const struct etfs_window *win = &map->spec.win;
	struct etfs_cover *cover = kzalloc(sizeof(*cover), GFP_KERNEL_ACCOUNT);

	if (!cover)
		return NULL;
	if (etfs_map_use(map)) {
		kfree(cover);
		return NULL;
	}
	refcount_set(&cover->ref, 1);
	INIT_LIST_HEAD(&cover->node);
	etfs_map_get(map);
	cover->map = map;
	cover->start = win->offset >> PAGE_SHIFT;
	cover->end = etfs_window_is_fixed(win) ?
		(win->offset + win->size) >> PAGE_SHIFT : ULONG_MAX;
	return cover;
}

static void etfs_cover_add(struct etfs_cover *cover, struct file *file)
{
	struct etfs_gate *gate = cover->map->gate;

	cover->file = file;
	spin_lock(&gate->lock);
	list_add_tail(&cover->node, &gate->covers);
	spin_unlock(&gate->lock);
}

static int etfs_cover_mmap_host(struct etfs_open *open,
				struct vm_area_struct *vma)
{
	pgoff_t first = open->map->spec.win.offset >> PAGE_SHIFT;
	struct etfs_cover *cover;
	struct etfs_fops *fops;
	struct file *host;
	int err;

	if (vma->vm_pgoff + vma_pages(vma) + first < first)
		return -EOVERFLOW;
	cover = etfs_cover_new(open->map);
	if (!cover)
		return -ENOMEM;
	host = etfs_host_reopen(open->map, open->host,
				open->host->f_flags & O_ACCMODE);
	if (IS_ERR(host)) {
		err = PTR_ERR(host);
		goto put_cover;
	}
	/* Huge page files are known by their operations: not to be replaced. */
	err = -ENODEV;
	if (file_inode(host)->i_sb->s_magic == HUGETLBFS_MAGIC ||
	    !can_mmap_file(host))
		goto put_host;
	err = -EPERM;
	if (etfs_host_is_noexec(host)) {
		if (vma->vm_flags & VM_EXEC)
			goto put_host;
		vm_flags_clear(vma, VM_MAYEXEC);
	}
	vma->vm_pgoff += first;
	vma_set_file(vma, host);
	err = vfs_mmap(host, vma);
	if (err)
		goto put_host;
	err = -ENODEV;
	if (!vma->vm_ops || !vma->vm_ops->fault)
		goto put_host;
	/* A host that is stacked itself has put the file below it there. */
	err = -ENOMEM;
	fops = etfs_fops_get(vma->vm_file->f_op);
	if (!fops)
		goto close_host;
	__module_get(THIS_MODULE);
	vma->vm_file->f_op = &fops->ours;
	etfs_cover_set_ops(cover, vma->vm_ops,
			   etfs_cover_set_flags(cover, vma));
	vma->vm_ops = &cover->ours;
	etfs_cover_add(cover, vma->vm_file);
	fput(host);
	return 0;

close_host:
	if (vma->vm_ops->close)
		vma->vm_ops->close(vma);
put_host:
	fput(host);
put_cover:
	etfs_cover_put(cover);
	return err;
}

/* Taking the host's pages out of all areas; see gate.c */

static void etfs_lock_each_folio(struct address_space *mapping, pgoff_t start,
				 pgoff_t end)
{
	struct folio_batch batch;
	unsigned int i;

	folio_batch_init(&batch);
	while (filemap_get_folios(mapping, &start, end, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			folio_lock(batch.folios[i]);
			folio_unlock(batch.folios[i]);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
}

/* Copies that a process has made of private pages stay its own. */
static void etfs_unmap_pages(struct address_space *mapping, pgoff_t start,
			     pgoff_t end)
{
	loff_t len = end == ULONG_MAX ? 0 : (loff_t)(end - start) << PAGE_SHIFT;

	etfs_lock_each_folio(mapping, start, end - 1);
	unmap_mapping_range(mapping, (loff_t)start << PAGE_SHIFT, len, 0);
}

void etfs_covers_unmap(struct etfs_gate *gate)
{
	struct etfs_cover *cover;
	pgoff_t start, end;
	struct file *file;

	for (;;) {
		spin_lock(&gate->lock);
		cover = list_first_entry_or_null(&gate->covers,
						 struct etfs_cover, node);
		if (!cover)
			break;
		list_del_init(&cover->node);
		start = cover->start;
		end = cover->end;
		/* An area has it until it has left the list. */
		file = get_file(cover->file);
		spin_unlock(&gate->lock);
		etfs_unmap_pages(file->f_mapping, start, end);
		fput(file);
	}
	spin_unlock(&gate->lock);
}

/* Pages of our own */

/* Covers the weak pointers between a key's inode and that of its pages. */
static DEFINE_SPINLOCK(etfs_cached_lock);

static struct etfs_cached *etfs_cached_of(const struct inode *inode)
{
	return &RUMPFS_NODE(inode)->cached;
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
 * Times move in ticks: a file that was changed just now can change again
 * without another stamp.
 */
static bool etfs_stamp_is_fresh(const struct etfs_stamp *stamp)
{
	struct timespec64 now, age;

	ktime_get_coarse_real_ts64(&now);
	age = timespec64_sub(now, stamp->ctime);
	return age.tv_sec < 0 || (!age.tv_sec &&
				  age.tv_nsec < 4 * TICK_NSEC);
}

/*
 * Part of one page of the host's page cache. Not by the host's own read: that
 * may take a lock which a write has, whose buffer we are faulting in.
 */
static ssize_t etfs_cached_copy(struct file *host, void *to, size_t len,
				loff_t off)
{
	size_t offset = offset_in_page(off);
	struct folio *folio;

	len = min(len, PAGE_SIZE - offset);
	folio = read_mapping_folio(host->f_mapping, off >> PAGE_SHIFT, host);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	memcpy_from_page(to, folio_file_page(folio, off >> PAGE_SHIFT), offset,
			 len);
	folio_put(folio);
	return len;
}

static ssize_t etfs_cached_read_host(struct file *host, void *to, size_t len,
				     loff_t off)
{
	/* tmpfs and overlayfs have none; tmpfs takes no lock. */
	if (host->f_mapping->a_ops->read_folio)
		return etfs_cached_copy(host, to, len, off);
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
	if (err || first || last != ULONG_MAX || etfs_stamp_is_fresh(&stamp))
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

static const struct vm_operations_struct etfs_cached_vm_ops = {
	.fault = etfs_cached_fault,
};

static struct inode *etfs_cached_new(struct inode *node,
				     struct etfs_open *open)
{
	struct etfs_cached *cached;
	struct inode *inode;
	struct file *host;

	/* Pages are read as they are, whatever this open is for. */
	host = etfs_host_reopen(open->map, open->host, O_RDONLY);
	if (IS_ERR(host))
		return ERR_CAST(host);
	inode = new_inode(node->i_sb);
	if (!inode) {
		fput(host);
		return ERR_PTR(-ENOMEM);
	}
	inode->i_ino = node->i_ino;
	inode->i_mode = S_IFREG;
	i_size_write(inode, etfs_open_size(open));
	inode->i_mapping->a_ops = &etfs_cover_aops;
	mapping_set_gfp_mask(inode->i_mapping, GFP_KERNEL);
	cached = etfs_cached_of(inode);
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
	old = RUMPFS_NODE(node)->key.cover;
	if (old && etfs_cached_is_of(etfs_cached_of(old), open->host) &&
	    igrab(old)) {
		spin_unlock(&etfs_cached_lock);
		iput(new);
		return old;
	}
	if (old)
		etfs_cached_of(old)->node = NULL;
	RUMPFS_NODE(node)->key.cover = new;
	etfs_cached_of(new)->node = node;
	spin_unlock(&etfs_cached_lock);
	return new;
}

void etfs_cover_changed(struct inode *inode)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);

	if (!READ_ONCE(node->key.cover))
		return;
	spin_lock(&etfs_cached_lock);
	if (node->key.cover)
		WRITE_ONCE(etfs_cached_of(node->key.cover)->is_stale, true);
	spin_unlock(&etfs_cached_lock);
}

void etfs_cover_evict_key(struct inode *inode)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);

	if (!S_ISREG(inode->i_mode))
		return;
	spin_lock(&etfs_cached_lock);
	if (node->key.cover)
		etfs_cached_of(node->key.cover)->node = NULL;
	spin_unlock(&etfs_cached_lock);
}

void etfs_cover_evict(struct inode *inode)
{
	struct etfs_cached *cached = etfs_cached_of(inode);

	spin_lock(&etfs_cached_lock);
	if (cached->node && RUMPFS_NODE(cached->node)->key.cover == inode)
		RUMPFS_NODE(cached->node)->key.cover = NULL;
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
int etfs_cover_open(struct etfs_open *open, struct inode *node,
		    struct file *file)
{
	struct inode *cover;

	if (etfs_window_is_aligned(&open->map->spec.win) ||
	    !(file->f_mode & FMODE_READ))
		return 0;
	cover = etfs_cached_get(node, open);
	if (IS_ERR(cover))
		return PTR_ERR(cover);
	open->cover = cover;
	file->f_mapping = open->cover->i_mapping;
	return 0;
}

static int etfs_cover_mmap_cached(struct etfs_open *open,
				  struct vm_area_struct *vma)
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
	return 0;
}

/* Context: inside the mapping. */
int etfs_cover_mmap(struct etfs_open *open, struct vm_area_struct *vma)
{
	if (etfs_window_is_aligned(&open->map->spec.win))
		return etfs_cover_mmap_host(open, vma);
	return etfs_cover_mmap_cached(open, vma);
}
