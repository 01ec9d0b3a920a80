/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* What a program may know of rumpfs without asking the kernel. */
#ifndef _UAPI_RUMPFS_H
#define _UAPI_RUMPFS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/** RUMPFS_SUPER_MAGIC - f_type of statfs(2) on a rumpfs mount. */
#define RUMPFS_SUPER_MAGIC 0x72756d70

/*
 * The calls below are made on a file descriptor of any directory of a mount.
 * A struct may grow in later versions; its size travels in the number of the
 * call. Members that a shorter, older one lacks are taken as zero, and a longer,
 * newer one is good as long as what this version does not know is zero (else
 * E2BIG). EINVAL: shorter than the first version's members that must be given.
 * EFAULT: memory that is not the caller's. ENOTTY: no such call.
 */

/**
 * enum rumpfs_whiteout_op - what RUMPFS_IOC_WHITEOUT does
 * @RUMPFS_WHITEOUT_CREATE: make a whiteout, as mknod(2) of a character device
 *	0:0 does. EEXIST: the name is taken, be it by a whiteout. EACCES, EPERM,
 *	EROFS, ENOSPC: as mknod(2).
 * @RUMPFS_WHITEOUT_DELETE: take one away, as unlink(2) does. ENOENT: no
 *	whiteout has this name. EACCES, EPERM (sticky directories), EROFS: as
 *	unlink(2).
 * @RUMPFS_WHITEOUT_LOOKUP: is there one? ENOENT: no whiteout has this name.
 *	EACCES: the directory may not be searched.
 */
enum rumpfs_whiteout_op {
	RUMPFS_WHITEOUT_CREATE = 1,
	RUMPFS_WHITEOUT_DELETE = 2,
	RUMPFS_WHITEOUT_LOOKUP = 3,
};

/**
 * struct rumpfs_whiteout - argument of RUMPFS_IOC_WHITEOUT
 * @name: address of a name in the directory, with a NUL at its end. EINVAL: it
 *	is empty, "." or "..", or has a "/". ENAMETOOLONG: more than 255 bytes.
 *	EFAULT: it cannot be read.
 * @op: one of enum rumpfs_whiteout_op. EINVAL: none of them.
 * @flags: 0. EINVAL: anything else.
 *
 * A whiteout below a key is not there, as a key hides what is in memory. The
 * directory may have been removed: ENOENT.
 */
struct rumpfs_whiteout {
	__aligned_u64 name;
	__u32 op;
	__u32 flags;
};

/**
 * RUMPFS_IOC_WHITEOUT - make, delete or find a whiteout, whether the mount
 * hides whiteouts or not.
 */
#define RUMPFS_IOC_WHITEOUT _IOW('r', 0x43, struct rumpfs_whiteout)

#endif /* _UAPI_RUMPFS_H */
