/* SPDX-License-Identifier: GPL-2.0 */
/* As much of inodes and files as rumpfs.h names; there are none. */
#ifndef _FUZZ_FS_H
#define _FUZZ_FS_H

struct address_space;
struct dir_context;
struct folio;
struct iattr;
struct iov_iter;
struct kiocb;
struct kstat;
struct mnt_idmap;
struct pipe_inode_info;
struct vm_area_struct;

typedef unsigned long pgoff_t;

struct timespec64 { s64 tv_sec; long tv_nsec; };
struct qstr { const char *name; u32 len; };
struct file_system_type { int unused; };
struct super_block {
	void *s_fs_info;
	const struct file_system_type *s_type;
	struct user_namespace *s_user_ns;
	int s_stack_depth;
};

struct inode {
	struct super_block *i_sb;
	umode_t i_mode;
	dev_t i_rdev;
	int i_rwsem;
	void *i_private;
};

struct dentry {
	struct inode *d_inode;
	void *d_fsdata;
};

struct file { const struct cred *f_cred; };

static inline struct file *get_file(struct file *file)
{
	return file;
}

#define d_inode(dentry)		((dentry)->d_inode)
#define WHITEOUT_DEV		0
#define IS_WHITEOUT(inode)	((void)(inode), false)
#define fput(file)		((void)(file))
#define COMPAT_SET_ACL(fn)

#endif /* _FUZZ_FS_H */
