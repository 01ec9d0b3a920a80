/* SPDX-License-Identifier: GPL-2.0 */
/* Nobody counts them: what holds one is static. */
#ifndef _FUZZ_KOBJECT_H
#define _FUZZ_KOBJECT_H

struct sysfs_ops { int unused; };
static const struct sysfs_ops kobj_sysfs_ops;

struct kobject { int unused; };

struct kobj_type {
	void (*release)(struct kobject *kobj);
	const struct sysfs_ops *sysfs_ops;
	const struct attribute_group **default_groups;
	void (*get_ownership)(const struct kobject *kobj, kuid_t *uid,
			      kgid_t *gid);
};

#define kobject_init_and_add(kobj, type, parent, ...) \
	((void)(parent), (void)(type), 0)
#define kobject_del(kobj)		((void)(kobj))
#define kobject_put(kobj)		((void)(kobj))

#endif /* _FUZZ_KOBJECT_H */
