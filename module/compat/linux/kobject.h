/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_KOBJECT_H
#define _RUMPFS_COMPAT_LINUX_KOBJECT_H

#include_next <linux/kobject.h>

typedef void (*compat_get_ownership_t)(struct kobject *, kuid_t *, kgid_t *);

#define COMPAT_GET_OWNERSHIP(fn)					\
static void __maybe_unused fn##_compat(struct kobject *kobj,		\
				       kuid_t *uid, kgid_t *gid)	\
{									\
	fn(kobj, uid, gid);						\
}

#endif /* _RUMPFS_COMPAT_LINUX_KOBJECT_H */
