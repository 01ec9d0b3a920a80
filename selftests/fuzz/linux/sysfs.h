/* SPDX-License-Identifier: GPL-2.0 */
/* Files of sysfs that nobody but a caller of their methods sees. */
#ifndef _FUZZ_SYSFS_H
#define _FUZZ_SYSFS_H

struct file;
struct kobject;

struct attribute { const char *name; umode_t mode; };
struct attribute_group { const char *name; struct attribute **attrs; };

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
#define __ATTR_RO(file)			__ATTR(file, 0444, file ## _show, NULL)
#define sysfs_emit(buf, ...)		snprintf(buf, PAGE_SIZE, __VA_ARGS__)
#define compat_op(type, slot, fn)	fn
#define COMPAT_BIN_READ(fn)
#define COMPAT_BIN_WRITE(fn)

#define kobject_create_and_add(name, parent)	NULL
#define kobject_put(kobj)			((void)(kobj))
#define sysfs_create_groups(kobj, groups)	((void)(groups), 0)
#define sysfs_remove_groups(kobj, groups)	((void)(groups))
#define sysfs_create_bin_file(kobj, file)	((void)(file), 0)
#define sysfs_remove_bin_file(kobj, file)	((void)(file))

#endif /* _FUZZ_SYSFS_H */
