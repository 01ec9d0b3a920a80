/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_MM_H
#define _RUMPFS_COMPAT_LINUX_MM_H

#include_next <linux/mm.h>

#ifndef HAVE_VM_FLAGS_CLEAR
static inline void vm_flags_clear(struct vm_area_struct *vma,
				  unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* A method that is only for areas made by ->mmap_prepare. */
static inline void vm_ops_clear_mapped(struct vm_operations_struct *ops)
{
#ifdef HAVE_VM_OPS_MAPPED
	ops->mapped = NULL;
#endif
}

#endif /* _RUMPFS_COMPAT_LINUX_MM_H */
