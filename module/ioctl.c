// SPDX-License-Identifier: GPL-2.0
/* What an open directory can be asked: one table of calls. */
#include "names.h"

#include <linux/dcache.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/* Whiteouts */

/* A name of one component; name holds a NUL more than the longest. */
static int rumpfs_copy_name(char *name, size_t size, u64 from)
{
	long len = strncpy_from_user(name, u64_to_user_ptr(from), size);

	if (len < 0)
		return len;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	if (!len || strchr(name, '/') || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return -EINVAL;
	return 0;
}

/* Context: dentry comes from start_creating(). */
static int rumpfs_whiteout_do(struct mnt_idmap *idmap, struct dentry *dentry,
			      u32 op)
{
	struct inode *dir = d_inode(dentry->d_parent);
	bool is_whiteout;
	int err;

	err = rumpfs_white_show(dir, dentry);
	if (err)
		return err;
	is_whiteout = d_really_is_positive(dentry) &&
		      !rumpfs_is_key(d_inode(dentry)) &&
		      IS_WHITEOUT(d_inode(dentry));
	if (op == RUMPFS_WHITEOUT_CREATE)
		return d_really_is_positive(dentry) ? -EEXIST :
			vfs_mknod(idmap, dir, dentry, S_IFCHR | WHITEOUT_MODE,
				  WHITEOUT_DEV, NULL);
	if (!is_whiteout)
		return -ENOENT;
	if (op == RUMPFS_WHITEOUT_DELETE)
		return vfs_unlink(idmap, dir, dentry, NULL);
	return 0;
}

static int rumpfs_ioctl_whiteout(struct file *file, void *arg)
{
	const struct rumpfs_whiteout *white = arg;
	struct mnt_idmap *idmap = file_mnt_idmap(file);
	char text[NAME_MAX + 2];
	struct dentry *dentry;
	struct qstr name;
	int err;

	if (white->flags || white->op < RUMPFS_WHITEOUT_CREATE ||
	    white->op > RUMPFS_WHITEOUT_LOOKUP)
		return -EINVAL;
	err = rumpfs_copy_name(text, sizeof(text), white->name);
	if (err)
		return err;
	if (white->op != RUMPFS_WHITEOUT_LOOKUP)
		err = mnt_want_write_file(file);
	if (err)
		return err;
	name = (struct qstr)QSTR_INIT(text, strlen(text));
	dentry = start_creating(idmap, file->f_path.dentry, &name);
	err = PTR_ERR_OR_ZERO(dentry);
	if (!err)
		err = rumpfs_whiteout_do(idmap, dentry, white->op);
	end_creating(dentry);
	if (white->op != RUMPFS_WHITEOUT_LOOKUP)
		mnt_drop_write_file(file);
	return err;
}

/* The calls */

struct rumpfs_call {
	unsigned int nr;
	/* of the struct as this version knows it, bytes */
	size_t size;
	/* what a caller must give of it */
	size_t min_size;
	/* the caller gets it back, as far as it gave room */
	bool is_answered;
	/* arg is a copy in the kernel */
	int (*run)(struct file *file, void *arg);
};

static const struct rumpfs_call rumpfs_calls[] = {
	{
		.nr = _IOC_NR(RUMPFS_IOC_APPLY),
		.size = sizeof(struct rumpfs_apply),
		.min_size = offsetofend(struct rumpfs_apply, reserved),
		.is_answered = true,
		.run = rumpfs_ioctl_apply,
	},
	{
		.nr = _IOC_NR(RUMPFS_IOC_LIST),
		.size = sizeof(struct rumpfs_list),
		.min_size = offsetofend(struct rumpfs_list, reserved),
		.is_answered = true,
		.run = rumpfs_ioctl_list,
	},
	{
		.nr = _IOC_NR(RUMPFS_IOC_STAT),
		.size = sizeof(struct rumpfs_stat),
		.min_size = offsetofend(struct rumpfs_stat, key),
		.is_answered = true,
		.run = rumpfs_ioctl_stat,
	},
	{
		.nr = _IOC_NR(RUMPFS_IOC_WHITEOUT),
		.size = sizeof(struct rumpfs_whiteout),
		.min_size = offsetofend(struct rumpfs_whiteout, op),
		.run = rumpfs_ioctl_whiteout,
	},
};

/* The longest struct of a call. */
union rumpfs_call_arg {
	struct rumpfs_apply apply;
	struct rumpfs_list list;
	struct rumpfs_stat stat;
	struct rumpfs_whiteout whiteout;
};

static const struct rumpfs_call *rumpfs_call_find(unsigned int cmd)
{
	const struct rumpfs_call *call;

	if (_IOC_TYPE(cmd) != _IOC_TYPE(RUMPFS_IOC_WHITEOUT))
		return NULL;
	for (call = rumpfs_calls; call < rumpfs_calls + ARRAY_SIZE(rumpfs_calls);
	     call++)
		if (call->nr == _IOC_NR(cmd))
			return call;
	return NULL;
}

long rumpfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct rumpfs_call *call = rumpfs_call_find(cmd);
	void __user *user = (void __user *)arg;
	union rumpfs_call_arg copy;
	size_t size;
	int err;

	if (!call)
		return -ENOTTY;
	if (_IOC_SIZE(cmd) < call->min_size)
		return -EINVAL;
	err = copy_struct_from_user(&copy, call->size, user, _IOC_SIZE(cmd));
	if (err)
		return err;
	size = min_t(size_t, call->size, _IOC_SIZE(cmd));
	/* Who cannot be answered is told before anything is done. */
	if (call->is_answered && copy_to_user(user, &copy, size))
		return -EFAULT;
	err = call->run(file, &copy);
	if (call->is_answered && copy_to_user(user, &copy, size))
		return -EFAULT;
	return err;
}
