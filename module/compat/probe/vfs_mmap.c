// SPDX-License-Identifier: GPL-2.0
// Is there one call for both kinds of mmap methods?
#include <linux/fs.h>
int probe(struct file *file, struct vm_area_struct *vma);
int probe(struct file *file, struct vm_area_struct *vma)
{
	return can_mmap_file(file) ? vfs_mmap(file, vma) : 0;
}
