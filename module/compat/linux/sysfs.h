/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_SYSFS_H
#define _RUMPFS_COMPAT_LINUX_SYSFS_H

#include_next <linux/sysfs.h>

typedef ssize_t (*compat_read_t)(struct file *, struct kobject *,
				 struct bin_attribute *, char *, loff_t,
				 size_t);
typedef compat_read_t compat_write_t;

#define COMPAT_BIN_READ(fn)						\
static ssize_t __maybe_unused fn##_compat(struct file *file,		\
					  struct kobject *kobj,		\
					  struct bin_attribute *attr,	\
					  char *buf, loff_t pos,	\
					  size_t count)			\
{									\
	return fn(file, kobj, attr, buf, pos, count);			\
}

#define COMPAT_BIN_WRITE(fn) COMPAT_BIN_READ(fn)

#endif /* _RUMPFS_COMPAT_LINUX_SYSFS_H */
