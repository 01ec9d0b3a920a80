/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_FS_H
#define _RUMPFS_COMPAT_LINUX_FS_H

#include_next <linux/fs.h>

#ifdef HAVE_FILELOCK_HEADER
#include <linux/filelock.h>
#endif

#ifndef HAVE_MNT_IDMAP
#define mnt_idmap user_namespace
#define nop_mnt_idmap init_user_ns
#define file_mnt_idmap(file) file_mnt_user_ns(file)
#endif

/* Only called in places that name the function, never the struct. */
static inline struct mnt_idmap *path_mnt_idmap(const struct path *path)
{
#ifdef HAVE_MNT_IDMAP
	return mnt_idmap(path->mnt);
#else
	return mnt_user_ns(path->mnt);
#endif
}

#ifndef HAVE_FILLATTR_MASK
#define generic_fillattr(idmap, mask, inode, stat) \
	generic_fillattr(idmap, inode, stat)
#endif

/* There a time is as coarse as a tick. */
#ifndef FS_MGTIME
#define FS_MGTIME 0
#endif

/* Without a method everybody had leases. */
#ifdef HAVE_SIMPLE_NOSETLEASE
#define no_setlease simple_nosetlease
#else
#define no_setlease NULL
#endif

/*
 * A file that fanotify is not asked of. Newer kernels have a call for it, which
 * is not exported: see reopen.c.
 */
#ifdef __FMODE_NONOTIFY
#define O_NONOTIFY __FMODE_NONOTIFY
#else
#define O_NONOTIFY 0
#endif

/* Is somebody asked before this file is read? Unknown: perhaps. */
#ifndef FMODE_FSNOTIFY_ACCESS_PERM
#ifdef FMODE_FSNOTIFY_PERM
#define FMODE_FSNOTIFY_ACCESS_PERM(mode) FMODE_FSNOTIFY_PERM(mode)
#else
#define FMODE_FSNOTIFY_ACCESS_PERM(mode) 1
#endif
#endif

#ifndef HAVE_INODE_JUST_DROP
#define inode_just_drop generic_delete_inode
#endif

/* Here and not in fileattr.h, as the methods' types name it. */
#ifndef HAVE_FILE_KATTR
#define file_kattr fileattr
#endif

#ifndef HAVE_MKNOD_DELEGATED
#define vfs_mknod(idmap, dir, dentry, mode, dev, delegated) \
	vfs_mknod(idmap, dir, dentry, mode, dev)
#endif

#ifndef HAVE_SUPER_SET_UUID
static inline void super_set_uuid(struct super_block *sb, const u8 *uuid,
				  unsigned int len)
{
	memcpy(&sb->s_uuid, uuid, len);
}
#endif

#ifndef HAVE_COPY_SPLICE_READ
#define copy_splice_read generic_file_splice_read
#endif

#ifndef HAVE_VFS_MMAP
#define can_mmap_file(file) (!!(file)->f_op->mmap)
#define vfs_mmap(file, vma) call_mmap(file, vma)
#endif

#ifndef HAVE_INODE_TIME_ACCESSORS
static inline struct timespec64 inode_get_atime(const struct inode *inode)
{
	return inode->i_atime;
}

static inline struct timespec64 inode_get_mtime(const struct inode *inode)
{
	return inode->i_mtime;
}

static inline struct timespec64 inode_set_mtime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	inode->i_mtime = ts;
	return ts;
}

static inline struct timespec64 simple_inode_init_ts(struct inode *inode)
{
	struct timespec64 ts = inode_set_ctime_current(inode);

	inode->i_atime = ts;
	return inode_set_mtime_to_ts(inode, ts);
}
#endif

/* Dentries; here, as they need to know a super block */

/* Unpin what d_add_pinned() has pinned. */
#ifndef HAVE_PERSISTENT_DENTRIES
#define d_make_discardable(dentry) dput(dentry)
#define DCACHE_PERSISTENT 0
#endif

/*
 * Name an inode and keep the name until d_drop_pinned(). The dentry may
 * be one that a lookup is filling, or one of d_add_negative().
 */
static inline void d_add_pinned(struct dentry *dentry, struct inode *inode)
{
	if (d_unhashed(dentry))
		d_add(dentry, inode);
	else
		d_instantiate(dentry, inode);
	if (!DCACHE_PERSISTENT &&
	    likely(!(dentry->d_flags & DCACHE_OP_REVALIDATE))) {
		dget(dentry);
		return;
	}
	spin_lock(&dentry->d_lock);
	dentry->d_flags &= ~DCACHE_OP_REVALIDATE;
	dentry->d_flags |= DCACHE_PERSISTENT;
	dget_dlock(dentry);
	spin_unlock(&dentry->d_lock);
}

/* Nobody finds the name, and no more is it kept than by references. */
static inline void d_drop_pinned(struct dentry *dentry)
{
	bool is_last;

	spin_lock(&dentry->d_lock);
	__d_drop(dentry);
	is_last = dentry->d_lockref.count == 1;
	if (!is_last) {
		dentry->d_flags &= ~DCACHE_PERSISTENT;
		dentry->d_lockref.count--;
	}
	spin_unlock(&dentry->d_lock);
	if (is_last)
		d_make_discardable(dentry);
}

/*
 * d_use_revalidate() once for a super block, then d_set_revalidate() on each
 * dentry, still in lookup, that is to be asked; no other one is.
 */
#ifdef HAVE_DEFAULT_D_OP
static inline void d_use_revalidate(struct super_block *sb,
				    const struct dentry_operations *ops)
{
	set_default_d_op(sb, ops);
	sb->s_d_flags &= ~(DCACHE_OP_REVALIDATE | DCACHE_OP_WEAK_REVALIDATE);
}

static inline void d_set_revalidate(struct dentry *dentry,
				    const struct dentry_operations *ops)
{
	spin_lock(&dentry->d_lock);
	dentry->d_flags |= DCACHE_OP_REVALIDATE | DCACHE_OP_WEAK_REVALIDATE;
	spin_unlock(&dentry->d_lock);
}

/*
 * A name that is not there. Who holds it may come back and have it made or
 * moved to, which takes a hashed dentry; it is asked at each lookup all the
 * same, and goes with its last holder. Older kernels take one that is not hashed.
 */
static inline void d_add_negative(struct dentry *dentry)
{
	spin_lock(&dentry->d_lock);
	dentry->d_flags |= DCACHE_OP_REVALIDATE | DCACHE_DONTCACHE;
	spin_unlock(&dentry->d_lock);
	d_add(dentry, NULL);
}
#else
#define d_add_negative(dentry) do { } while (0)
#define d_use_revalidate(sb, ops) do { } while (0)
#define d_set_revalidate(dentry, ops) d_set_d_op(dentry, ops)
#endif

/* The methods whose type changed */

typedef int (*compat_d_revalidate_t)(struct dentry *dentry, unsigned int flags);

#define COMPAT_D_REVALIDATE(fn)						\
static int __maybe_unused fn##_compat(struct dentry *dentry,		\
				      unsigned int flags)		\
{									\
	struct dentry *parent;						\
	struct inode *dir;						\
	int ret;							\
									\
	if (flags & LOOKUP_RCU) {					\
		dir = d_inode_rcu(READ_ONCE(dentry->d_parent));		\
		if (!dir)						\
			return -ECHILD;					\
		return fn(dir, &dentry->d_name, dentry, flags);		\
	}								\
	parent = dget_parent(dentry);					\
	ret = fn(d_inode(parent), &dentry->d_name, dentry, flags);	\
	dput(parent);							\
	return ret;							\
}

typedef int (*compat_create_t)(struct mnt_idmap *, struct inode *,
			       struct dentry *, umode_t, bool);

#define COMPAT_CREATE(fn)						\
static int __maybe_unused fn##_compat(struct mnt_idmap *idmap,		\
				      struct inode *dir,		\
				      struct dentry *dentry,		\
				      umode_t mode, bool excl)		\
{									\
	return fn(idmap, dir, dentry, mode);				\
}

typedef int (*compat_mkdir_t)(struct mnt_idmap *, struct inode *,
			      struct dentry *, umode_t);

#define COMPAT_MKDIR(fn)						\
static int __maybe_unused fn##_compat(struct mnt_idmap *idmap,		\
				      struct inode *dir,		\
				      struct dentry *dentry,		\
				      umode_t mode)			\
{									\
	return PTR_ERR_OR_ZERO(fn(idmap, dir, dentry, mode));		\
}

typedef int (*compat_set_acl_t)(struct mnt_idmap *, struct inode *,
				struct posix_acl *, int);

/* The caller has a dentry of the inode. */
#define COMPAT_SET_ACL(fn)						\
static int __maybe_unused fn##_compat(struct mnt_idmap *idmap,		\
				      struct inode *inode,		\
				      struct posix_acl *acl, int type)	\
{									\
	struct dentry *dentry = d_find_any_alias(inode);		\
	int err = fn(idmap, dentry, acl, type);				\
									\
	dput(dentry);							\
	return err;							\
}

#endif /* _RUMPFS_COMPAT_LINUX_FS_H */
