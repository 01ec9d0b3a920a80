// SPDX-License-Identifier: GPL-2.0
// Is an idmapping a type of its own, and no user namespace?
#include <linux/fs.h>
struct mnt_idmap *probe(struct file *file);
struct mnt_idmap *probe(struct file *file)
{
	return file_mnt_idmap(file);
}
