/* SPDX-License-Identifier: GPL-2.0 */
/* Files of sysfs that nobody but a caller of their methods sees. */
#ifndef _FUZZ_SYSFS_H
#define _FUZZ_SYSFS_H

#include <linux/kobject.h>

struct file;

struct attribute { const char *name; umode_t mode; };
struct attribute_group { const char *name; struct attribute **attrs; };
#define ATTRIBUTE_GROUPS(name) \
	static const struct attribute_group name##_group = { NULL, name##_attrs }, \
		*name##_groups[] = { &name##_group, NULL }

struct kobj_attribute {
	struct attribute attr;
	ssize_t (*show)(struct kobject *kobj, struct kobj_attribute *attr,
			char *buf);
	void *store;
};

struct bin_attribute {
	struct attribute attr;
	ssize_t (*read)(struct file *file, struct kobject *kobj,
			const struct bin_attribute *attr, char *buf, loff_t pos,
			size_t count);
	ssize_t (*write)(struct file *file, struct kobject *kobj,
			 const struct bin_attribute *attr, char *buf,
			 loff_t pos, size_t count);
};

#define __ATTR(file, bits, get, put) \
	{ .attr = { .name = #file, .mode = bits }, .show = get, .store = put }
#define sysfs_emit(buf, ...)		snprintf(buf, PAGE_SIZE, __VA_ARGS__)
#define compat_op(type, slot, fn)	fn
#define COMPAT_BIN_READ(fn)
#define COMPAT_BIN_WRITE(fn)
#define COMPAT_GET_OWNERSHIP(fn)

#define sysfs_create_bin_file(kobj, file)	((void)(file), 0)

#endif /* _FUZZ_SYSFS_H */
