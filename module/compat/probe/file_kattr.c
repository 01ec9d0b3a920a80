// SPDX-License-Identifier: GPL-2.0
// Is struct fileattr called file_kattr?
#include <linux/fs.h>
#include <linux/fileattr.h>
void probe(struct file_kattr *attr);
void probe(struct file_kattr *attr)
{
	attr->flags = 0;
}
