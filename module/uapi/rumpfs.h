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
 * EFAULT: memory that is not the caller's, and nothing is changed. ENOTTY: no
 * such call.
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

/**
 * enum rumpfs_op_code - what one operation does
 * @RUMPFS_OP_ADD: add a mapping. EEXIST: the key is taken.
 * @RUMPFS_OP_SET: add one, or replace the one at the key; open files keep the
 *	old target.
 * @RUMPFS_OP_REMOVE: remove the mapping at the key. ENOENT: there is none.
 * @RUMPFS_OP_REMOVE_TAG: remove all with the tag. ENOENT: none bears it.
 * @RUMPFS_OP_FLUSH: remove all.
 */
enum rumpfs_op_code {
	RUMPFS_OP_ADD = 1,
	RUMPFS_OP_SET = 2,
	RUMPFS_OP_REMOVE = 3,
	RUMPFS_OP_REMOVE_TAG = 4,
	RUMPFS_OP_FLUSH = 5,
};

/**
 * enum rumpfs_type - what a key is
 * @RUMPFS_TYPE_REG: a regular file
 * @RUMPFS_TYPE_BLK: a block device
 * @RUMPFS_TYPE_CHR: a character device
 * @RUMPFS_TYPE_DIR: a host directory's regular files
 * @RUMPFS_TYPE_SUBDIRS: a host directory with all below it
 */
enum rumpfs_type {
	RUMPFS_TYPE_REG = 1,
	RUMPFS_TYPE_BLK = 2,
	RUMPFS_TYPE_CHR = 3,
	RUMPFS_TYPE_DIR = 4,
	RUMPFS_TYPE_SUBDIRS = 5,
};

/*
 * Flags of an operation. These are for RUMPFS_OP_ADD and _SET; _MODE, _UID and
 * _GID say that the member of that name counts. EINVAL: a type does not take it.
 */
#define RUMPFS_MAP_RO		0x001
#define RUMPFS_MAP_PIN		0x002
#define RUMPFS_MAP_HIDDEN	0x004
#define RUMPFS_MAP_DIO		0x008
#define RUMPFS_MAP_PART		0x010
#define RUMPFS_MAP_MODE		0x020
#define RUMPFS_MAP_UID		0x040
#define RUMPFS_MAP_GID		0x080
/*
 * How to remove, for RUMPFS_OP_REMOVE, _REMOVE_TAG and _FLUSH. EBUSY: _BUSY, and
 * something has it open, mapped or mounted. EINVAL: both.
 */
#define RUMPFS_MAP_LAZY		0x000
#define RUMPFS_MAP_BUSY		0x100
#define RUMPFS_MAP_REVOKE	0x200

/** RUMPFS_SIZE_HOST - a window without an end of its own follows the host's. */
#define RUMPFS_SIZE_HOST	(~0ULL)

/**
 * struct rumpfs_op - one operation of RUMPFS_IOC_APPLY
 * @op: one of enum rumpfs_op_code.
 * @type: one of enum rumpfs_type for ADD and SET, else 0.
 * @flags: RUMPFS_MAP_*.
 * @host_fd: ADD and SET: where a relative @host begins, as in openat(2), or with
 *	no @host the file itself, which may be open with O_PATH; -1 for none. What
 *	is bound by its file alone is bound for good, as with RUMPFS_MAP_PIN.
 *	EINVAL: neither @host nor this. EBADF: no such file, or a relative @host
 *	without one. ENOTDIR: no directory.
 *	ENOENT: the directory has no path from the caller's root.
 * @key: address of the key, with a NUL at its end; for all but REMOVE_TAG and
 *	FLUSH. EINVAL: it is 0, does not start with "/", has a component "." or
 *	"..", or is "/". ENAMETOOLONG: more than 4095 bytes, or 255 in a component.
 * @host: address of the host path, with a NUL at its end, or 0.
 * @offset: first byte of the window in the host file. EISDIR: not 0 on a directory.
 * @size: bytes of the window, or RUMPFS_SIZE_HOST; a directory has either that or 0.
 * @mode: permission bits of the node, with RUMPFS_MAP_MODE. EINVAL: above 07777.
 * @uid: its owner, with RUMPFS_MAP_UID.
 * @gid: its group, with RUMPFS_MAP_GID.
 * @bs: block size of a disk: 512, 1024, 2048, 4096, or 0 for the default.
 * @fail: of 10000 requests to a disk, so many fail.
 * @reserved: 0.
 * @fail_seed: chooses which of them.
 * @tag: address of the user's label, 1 to 63 bytes and a NUL, or 0; of
 *	REMOVE_TAG, which needs one, the label of what is to be removed.
 *
 * A member that an operation does not take is 0 (@host_fd may be -1, @size
 * RUMPFS_SIZE_HOST). EINVAL: it is not. Beside these the errors are those of a
 * line of the table file.
 */
struct rumpfs_op {
	__u32 op;
	__u32 type;
	__u32 flags;
	__s32 host_fd;
	__aligned_u64 key;
	__aligned_u64 host;
	__aligned_u64 offset;
	__aligned_u64 size;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 bs;
	__u32 fail;
	__u32 reserved;
	__aligned_u64 fail_seed;
	__aligned_u64 tag;
};

/* Flags of RUMPFS_IOC_APPLY: */
/* say what would be refused, change nothing and make no device */
#define RUMPFS_APPLY_DRY_RUN		0x01
/* the table begins empty, what it had goes lazily; all must be ADD or SET */
#define RUMPFS_APPLY_REPLACE_ALL	0x02

/**
 * struct rumpfs_apply - argument of RUMPFS_IOC_APPLY
 * @ops: address of an array of struct rumpfs_op.
 * @nr_ops: how many there are; any number.
 * @op_size: sizeof(struct rumpfs_op) as the caller knows it. EINVAL: shorter
 *	than the first version's. E2BIG: longer, and the rest of one is not zero.
 * @flags: RUMPFS_APPLY_*.
 * @failed_op: out: index of the operation that was refused; @nr_ops if none was.
 * @generation: 0, or what the table must be at. EAGAIN: it is not.
 * @message: address of room for a sentence, or 0.
 * @message_len: bytes of that room; out: bytes the sentence has without its NUL, 0
 *	for none. It is cut to fit, and ends with a NUL.
 * @reserved: 0.
 *
 * All operations take effect, in this order and at once for every lookup, or
 * none does. EPERM: the opener of the directory and the caller need
 * CAP_SYS_ADMIN, for a private table in the mount's user namespace, for the
 * host's in the initial one. EINTR: a fatal signal came, and nothing is changed;
 * or any signal while revoked keys were drained, and all is (@failed_op tells
 * neither: it is @nr_ops). ENOMEM: nothing is changed.
 */
struct rumpfs_apply {
	__aligned_u64 ops;
	__u32 nr_ops;
	__u32 op_size;
	__u32 flags;
	__u32 failed_op;
	__aligned_u64 generation;
	__aligned_u64 message;
	__u32 message_len;
	__u32 reserved;
};

/**
 * struct rumpfs_list - argument of RUMPFS_IOC_LIST
 * @buf: address of room for text.
 * @cursor: 0 to begin with; out: where the next call goes on.
 * @generation: out: what the table is at. In: what the last call said, unless
 *	@cursor is 0. EAGAIN: the table has changed since; begin again.
 * @buf_len: bytes of room; out: bytes that were filled, 0 at the end. ERANGE:
 *	the next row needs this many.
 * @reserved: 0.
 *
 * Rows are whole, in key order, and as the table file prints them, without its
 * first and last line; no NUL follows. EINVAL: no call gave this cursor. EPERM:
 * as RUMPFS_IOC_APPLY. A call that is refused can be made again: it has gone no
 * further.
 */
struct rumpfs_list {
	__aligned_u64 buf;
	__aligned_u64 cursor;
	__aligned_u64 generation;
	__u32 buf_len;
	__u32 reserved;
};

/**
 * struct rumpfs_stat - argument of RUMPFS_IOC_STAT
 * @key: address of the key, as in struct rumpfs_op.
 * @type: out: one of enum rumpfs_type.
 * @opens: out: how often it is open, a directory's with all below it. A mapping
 *	of a window that is not aligned keeps its file open.
 * @maps: out: areas of memory that show it.
 * @reserved: 0.
 * @rdev: out: the device's number as in st_rdev, 0 for other types.
 * @bytes_read: out: what was read through it since it was mapped.
 * @bytes_written: out: the same for writing.
 *
 * Faults and I/O of a mapping do not count as bytes. ENOENT: no such key. EPERM:
 * as RUMPFS_IOC_APPLY.
 */
struct rumpfs_stat {
	__aligned_u64 key;
	__u32 type;
	__u32 opens;
	__u32 maps;
	__u32 reserved;
	__aligned_u64 rdev;
	__aligned_u64 bytes_read;
	__aligned_u64 bytes_written;
};

/** RUMPFS_IOC_APPLY - change the table that the mount shows, all or none. */
#define RUMPFS_IOC_APPLY _IOWR('r', 0x40, struct rumpfs_apply)
/** RUMPFS_IOC_LIST - read that table. */
#define RUMPFS_IOC_LIST _IOWR('r', 0x41, struct rumpfs_list)
/** RUMPFS_IOC_STAT - how a key is used. */
#define RUMPFS_IOC_STAT _IOWR('r', 0x42, struct rumpfs_stat)

#endif /* _UAPI_RUMPFS_H */
