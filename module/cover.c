// SPDX-License-Identifier: GPL-2.0
/*
 * A window's pages in somebody's address space.
 *
 * An aligned window is mapped by the host's own pages: the area's file is then
 * a host file, as the host's fault handlers expect one. That file is private
 * to the mapping and its operations are replaced by ours, or remap_file_pages
 * and MADV_REMOVE would walk out of the window through it; the area's own
 * operations go to the host's and refuse pages past the window's end.
 *
 * Any other window has pages of its own: see cached.c.
 */
#include "open.h"

#include <linux/file.h>
#include <linux/folio_batch.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

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
	/* I: that counts us as a writer, or NULL; the areas' file has it */
	struct address_space *written;
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
	atomic_dec(&gate->nr_covers);
	if (cover->written)
		mapping_unmap_writable(cover->written);
	etfs_map_unuse(cover->map);
	etfs_map_put(cover->map);
	kfree(cover);
}

static void etfs_cover_vma_open(struct vm_area_struct *vma)
{
	struct etfs_cover *cover = etfs_cover_of(vma);

	refcount_inc(&cover->ref);
	atomic_inc(&cover->map->gate->nr_areas);
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
	atomic_dec(&cover->map->gate->nr_areas);
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
 * So it is of a huge one, which the core would lose track of in an area that
 * takes single pages. A private copy is of one page anyway.
 */
static vm_fault_t etfs_fault_edge(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct etfs_cover *cover = etfs_cover_of(vma);
	pgoff_t end = cover->end;
	struct folio *folio;
	vm_fault_t ret;
	int err;

	ret = etfs_fault_lock(vmf, cover->host->fault(vmf));
	if (!(ret & VM_FAULT_LOCKED) || vmf->cow_page)
		return ret;
	folio = page_folio(vmf->page);
	if (folio_next_index(folio) <= end && !folio_test_pmd_mappable(folio))
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
 * An area stays as long as it is, so that it is known here whether it reaches
 * past the window's end; and nobody puts huge pages into it behind our back, as
 * MADV_COLLAPSE would once it is revoked. Return: whether it does.
 */
static bool etfs_cover_set_flags(const struct etfs_cover *cover,
				 struct vm_area_struct *vma)
{
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
		return ERR_PTR(-ENOMEM);
	/* Revoked; we are inside until its drain may begin. */
	if (etfs_map_use(map)) {
		kfree(cover);
		return ERR_PTR(-EIO);
	}
	refcount_set(&cover->ref, 1);
	atomic_inc(&map->gate->nr_covers);
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
	atomic_inc(&gate->nr_areas);
	spin_lock(&gate->lock);
	list_add_tail(&cover->node, &gate->covers);
	spin_unlock(&gate->lock);
}

/* May the host file be mapped so, with operations of ours before its own? */
static int etfs_cover_may_map(struct file *host, struct vm_area_struct *vma)
{
	/* Huge page files are known by their operations: not to be replaced. */
	if (file_inode(host)->i_sb->s_magic == HUGETLBFS_MAGIC ||
	    !can_mmap_file(host))
		return -ENODEV;
	if (etfs_host_is_noexec(host)) {
		if (vma->vm_flags & VM_EXEC)
			return -EPERM;
		vm_flags_clear(vma, VM_MAYEXEC);
	}
	return 0;
}

/*
 * The core has asked the key's file for seals; they are the host's. Who may
 * store counts as a writer from here on, so that no seal comes in between.
 */
static int etfs_cover_obey_seals(struct etfs_cover *cover, struct file *host,
				 struct vm_area_struct *vma)
{
	struct inode *inode = host->f_mapping->host;
	int err;

	if (!IS_ENABLED(CONFIG_SHMEM) || !(vma->vm_flags & VM_SHARED) ||
	    inode->i_sb->s_magic != TMPFS_MAGIC)
		return 0;
	if (READ_ONCE(SHMEM_I(inode)->seals) &
	    (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) {
		if (vma->vm_flags & VM_WRITE)
			return -EPERM;
		/* Nor by mprotect later. */
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	if (!vma_is_shared_maywrite(vma))
		return 0;
	err = mapping_map_writable(host->f_mapping);
	if (!err)
		cover->written = host->f_mapping;
	return err;
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
	if (IS_ERR(cover))
		return PTR_ERR(cover);
	host = etfs_host_reopen_locked(open->map, open->host,
				       open->host->f_flags & O_ACCMODE);
	if (IS_ERR(host)) {
		etfs_cover_put(cover);
		return PTR_ERR(host);
	}
	err = etfs_cover_may_map(host, vma) ?:
	      etfs_cover_obey_seals(cover, host, vma);
	if (err)
		goto put_host;
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
	etfs_cover_put(cover);
	fput(host);
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

void etfs_unmap_pages(struct address_space *mapping, pgoff_t start,
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

/* Context: inside the mapping. */
int etfs_cover_mmap(struct etfs_open *open, struct vm_area_struct *vma)
{
	if (etfs_window_is_aligned(&open->map->spec.win))
		return etfs_cover_mmap_host(open, vma);
	return etfs_cover_mmap_cached(open, vma);
}
