/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* What a program may know of rumpfs without asking the kernel. */
#ifndef _UAPI_RUMPFS_H
#define _UAPI_RUMPFS_H

/** RUMPFS_SUPER_MAGIC - f_type of statfs(2) on a rumpfs mount. */
#define RUMPFS_SUPER_MAGIC 0x72756d70

#endif /* _UAPI_RUMPFS_H */
