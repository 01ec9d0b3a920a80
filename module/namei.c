// SPDX-License-Identifier: GPL-2.0
/* Names: create, link, unlink, rename. */
#include "names.h"

#include <linux/dcache.h>
#include <linux/fs_struct.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>

static struct dentry *rumpfs_lookup(struct inode *dir, struct dentry *dentry,
				    unsigned int flags)
{
	struct dentry *found = NULL;

	if (dentry->d_name.len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (!rumpfs_names_none(dir))
		found = rumpfs_names_lookup(dir, dentry);
	/* What says nothing of its purpose, as overlayfs, keeps the dentry. */
	if (!found && !flags && d_really_is_negative(dentry))
		d_add_negative(dentry);
	return found;
}

static void rumpfs_dir_changed(struct inode *dir)
{
	inode_set_mtime_to_ts(dir, rumpfs_node_changed(dir));
}

/* At the same time as inode a moment ago: where times are coarse it still is. */
static inline void rumpfs_dir_changed_with(struct inode *dir,
					   const struct inode *inode)
{
	if (FS_MGTIME) {
		rumpfs_dir_changed(dir);
		return;
	}
	rumpfs_node_inc_version(dir);
	inode_set_ctime_to_ts(dir, inode_get_ctime(inode));
	inode_set_mtime_to_ts(dir, inode_get_ctime(inode));
}

static int rumpfs_label(struct inode *inode, struct inode *dir,
			const struct qstr *name)
{
	initxattrs store = NULL;
	int err;

	/* Who could take labels is given memory for them, needed or not. */
	if (unlikely(RUMPFS_SB(inode->i_sb)->has_labels) &&
	    rumpfs_xattr_has_label(inode))
		store = rumpfs_xattr_add_labels;
	err = security_inode_init_security(inode, dir, name, store, NULL);
	return err == -EOPNOTSUPP ? 0 : err;
}

/* What a new inode has from its directory and from the security modules. */
static __always_inline int rumpfs_inherit(struct inode *inode,
					  struct inode *dir,
					  const struct qstr *name, umode_t type)
{
	int err = 0;

	/* Without a default list the umask counts: the VFS leaves it to us. */
	if (unlikely(READ_ONCE(dir->i_default_acl)))
		err = rumpfs_acl_inherit(inode, dir);
	else if (type != S_IFLNK)
		inode->i_mode &= ~current_umask();
	return err ?: rumpfs_label(inode, dir, name);
}

/* A new inode of a type that the compiler mostly knows gets its name, or goes. */
static __always_inline int rumpfs_enter(struct inode *dir,
					struct dentry *dentry,
					struct inode *inode, umode_t type)
{
	int err;

	err = rumpfs_inherit(inode, dir, &dentry->d_name, type);
	/* What another layer has at the name does not shine through. */
	if (!err && type == S_IFDIR && rumpfs_white_maybe(dir) &&
	    rumpfs_white_is(dir, &dentry->d_name))
		err = rumpfs_xattr_set(inode, "trusted.overlay.opaque", "y", 1,
				       0);
	if (!err)
		err = rumpfs_names_add(dir, dentry, inode);
	if (err) {
		iput(inode);
		return err;
	}
	if (type == S_IFDIR)
		inc_nlink(dir);
	rumpfs_dir_changed_with(dir, inode);
	return 0;
}

static __always_inline int rumpfs_make(struct mnt_idmap *idmap,
				       struct inode *dir,
				       struct dentry *dentry, umode_t mode,
				       umode_t type, dev_t dev)
{
	struct inode *inode = rumpfs_node_new(idmap, dir->i_sb, dir,
					      mode | type, dev);

	return IS_ERR(inode) ? PTR_ERR(inode) :
			       rumpfs_enter(dir, dentry, inode, type);
}

static int rumpfs_mknod(struct mnt_idmap *idmap, struct inode *dir,
			struct dentry *dentry, umode_t mode, dev_t dev)
{
	int err;

	if (S_ISCHR(mode) && dev == WHITEOUT_DEV &&
	    RUMPFS_SB(dir->i_sb)->hides_whiteouts) {
		err = rumpfs_white_make(idmap, dir, dentry, mode);
		if (!err)
			rumpfs_dir_changed(dir);
		return err;
	}
	return rumpfs_make(idmap, dir, dentry, mode, mode & S_IFMT, dev);
}

static int rumpfs_create(struct mnt_idmap *idmap, struct inode *dir,
			 struct dentry *dentry, umode_t mode)
{
	return rumpfs_make(idmap, dir, dentry, mode, S_IFREG, 0);
}

COMPAT_CREATE(rumpfs_create)

static struct dentry *rumpfs_mkdir(struct mnt_idmap *idmap, struct inode *dir,
				   struct dentry *dentry, umode_t mode)
{
	return ERR_PTR(rumpfs_make(idmap, dir, dentry, mode, S_IFDIR, 0));
}

COMPAT_MKDIR(rumpfs_mkdir)

static int rumpfs_symlink(struct mnt_idmap *idmap, struct inode *dir,
			  struct dentry *dentry, const char *target)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(dir->i_sb);
	size_t len = strlen(target);
	struct inode *inode;
	int err;

	err = rumpfs_charge(sbi, len + 1);
	if (err)
		return err;
	inode = rumpfs_node_new(idmap, dir->i_sb, dir, S_IFLNK | 0777, 0);
	if (IS_ERR(inode)) {
		err = PTR_ERR(inode);
		goto uncharge;
	}
	/* From here on the inode has the charge, by its size. */
	inode->i_size = len;
	inode->i_link = kmemdup_nul(target, len, GFP_KERNEL_ACCOUNT);
	if (!inode->i_link) {
		iput(inode);
		return -ENOMEM;
	}
	return rumpfs_enter(dir, dentry, inode, S_IFLNK);

uncharge:
	rumpfs_uncharge(sbi, len + 1);
	return err;
}

static int rumpfs_tmpfile(struct mnt_idmap *idmap, struct inode *dir,
			  struct file *file, umode_t mode)
{
	struct inode *inode;
	int err;

	inode = rumpfs_node_new(idmap, dir->i_sb, dir, mode | S_IFREG, 0);
	if (IS_ERR(inode))
		return finish_open_simple(file, PTR_ERR(inode));
	err = rumpfs_inherit(inode, dir, &file_dentry(file)->d_name, S_IFREG);
	if (err)
		iput(inode);
	else
		d_tmpfile(file, inode);
	return finish_open_simple(file, err);
}

/*
 * Each further name of an inode counts as an inode, as its dentry is memory
 * that nothing else bounds. The first name of an O_TMPFILE file is none.
 */
static int rumpfs_link(struct dentry *old, struct inode *dir,
		       struct dentry *dentry)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(dir->i_sb);
	struct inode *inode = d_inode(old);
	bool is_further = inode->i_nlink;
	int err = 0;

	if (rumpfs_is_key(inode))
		return -EOPNOTSUPP;
	if (is_further)
		err = rumpfs_charge_inode(sbi);
	if (err)
		return err;
	ihold(inode);
	err = rumpfs_names_add(dir, dentry, inode);
	if (err) {
		iput(inode);
		if (is_further)
			rumpfs_uncharge_inode(sbi);
		return err;
	}
	inc_nlink(inode);
	rumpfs_node_changed(inode);
	rumpfs_dir_changed_with(dir, inode);
	return 0;
}

/* A name goes for good, and with it what link() has counted. */
static __always_inline void rumpfs_leave_now(struct inode *dir,
					     struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);

	if (rumpfs_white_is_shown(dentry)) {
		rumpfs_white_remove(dir, &dentry->d_name);
		rumpfs_dir_changed(dir);
		return;
	}
	if (S_ISDIR(inode->i_mode)) {
		drop_nlink(dir);
		clear_nlink(inode);
		rumpfs_white_remove_all(inode);
	} else {
		if (inode->i_nlink > 1)
			rumpfs_uncharge_inode(RUMPFS_SB(dir->i_sb));
		drop_nlink(inode);
	}
	rumpfs_dir_changed(dir);
	rumpfs_node_inc_version(inode);
	inode_set_ctime_to_ts(inode, inode_get_ctime(dir));
	rumpfs_names_remove(dir, dentry);
}

static noinline void rumpfs_leave(struct inode *dir, struct dentry *dentry)
{
	rumpfs_leave_now(dir, dentry);
}

static int rumpfs_unlink(struct inode *dir, struct dentry *dentry)
{
	if (rumpfs_is_key(d_inode(dentry)))
		return -EOPNOTSUPP;
	rumpfs_leave_now(dir, dentry);
	rumpfs_names_uncover(dir, &dentry->d_name);
	return 0;
}

/* Return: 0, -ENOTEMPTY or -ENOMEM. */
static inline int rumpfs_may_rmdir(struct inode *dir)
{
	int below;

	if (!rumpfs_entry_none(dir))
		return -ENOTEMPTY;
	if (likely(!READ_ONCE(rumpfs_table(dir)->nr_keys)))
		return 0;
	below = rumpfs_names_below(dir);
	return below > 0 ? -ENOTEMPTY : below;
}

static int rumpfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	int err;

	if (rumpfs_is_key(d_inode(dentry)))
		return -EOPNOTSUPP;
	err = rumpfs_may_rmdir(d_inode(dentry));
	if (err)
		return err;
	/* The keys below are gone, but the mount may not have been told. */
	rumpfs_names_set_keyed(dir, dentry, false);
	rumpfs_leave_now(dir, dentry);
	rumpfs_names_uncover(dir, &dentry->d_name);
	return 0;
}

/* Has a name that is to be moved or replaced a key, or keys below? */
static int rumpfs_may_move(struct inode *dir, struct dentry *dentry)
{
	int below;

	if (rumpfs_is_key(d_inode(dentry)))
		return -EOPNOTSUPP;
	/* It has a name for the one who made it alone. */
	if (rumpfs_white_is_shown(dentry))
		return -ENOENT;
	if (!d_is_dir(dentry))
		return 0;
	if (!READ_ONCE(RUMPFS_SB(dir->i_sb)->has_moved)) {
		/* Before keys are looked for: until it is moved one may come. */
		smp_store_mb(RUMPFS_SB(dir->i_sb)->has_moved, true);
	}
	if (rumpfs_name_is_stray(dir, dentry))
		rumpfs_names_set_keyed(dir, dentry, false);
	/* If the keys went just now, what they implied would come along. */
	if (RUMPFS_NODE(d_inode(dentry))->is_keyed)
		return -EOPNOTSUPP;
	below = rumpfs_names_below(d_inode(dentry));
	return below > 0 ? -EOPNOTSUPP : below;
}

/* A directory that changes its parent takes its link along. */
static void rumpfs_move_link(const struct dentry *dentry, struct inode *from,
			     struct inode *to)
{
	if (from == to || !d_is_dir(dentry))
		return;
	drop_nlink(from);
	inc_nlink(to);
}

static void rumpfs_rename_times(struct inode *old_dir, struct dentry *old,
				struct inode *new_dir, struct dentry *new)
{
	rumpfs_dir_changed(old_dir);
	if (new_dir != old_dir)
		rumpfs_dir_changed(new_dir);
	rumpfs_node_changed(d_inode(old));
	if (d_really_is_positive(new))
		rumpfs_node_changed(d_inode(new));
}

static int rumpfs_rename_exchange(struct inode *old_dir, struct dentry *old,
				  struct inode *new_dir, struct dentry *new)
{
	int err = rumpfs_may_move(new_dir, new);

	if (err)
		return err;
	rumpfs_names_exchange(old_dir, old, new_dir, new);
	rumpfs_move_link(old, old_dir, new_dir);
	rumpfs_move_link(new, new_dir, old_dir);
	rumpfs_rename_times(old_dir, old, new_dir, new);
	return 0;
}

/* What the name leaves behind; hashed beside it until the VFS moves it. */
static struct dentry *rumpfs_whiteout_new(struct mnt_idmap *idmap,
					  struct inode *dir,
					  const struct dentry *old)
{
	struct dentry *whiteout;
	int err;

	whiteout = d_alloc(old->d_parent, &old->d_name);
	if (!whiteout)
		return ERR_PTR(-ENOMEM);
	err = rumpfs_mknod(idmap, dir, whiteout, S_IFCHR | WHITEOUT_MODE,
			   WHITEOUT_DEV);
	if (!err)
		return whiteout;
	dput(whiteout);
	return ERR_PTR(err);
}

/* May new be replaced by what old is? */
static int rumpfs_may_replace(struct dentry *new)
{
	if (d_really_is_negative(new))
		return 0;
	if (rumpfs_is_key(d_inode(new)))
		return -EOPNOTSUPP;
	return d_is_dir(new) ? rumpfs_may_rmdir(d_inode(new)) : 0;
}

static int rumpfs_rename(struct mnt_idmap *idmap, struct inode *old_dir,
			 struct dentry *old, struct inode *new_dir,
			 struct dentry *new, unsigned int flags)
{
	struct dentry *whiteout = NULL;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	/* Into a mapped directory, or below. */
	if (rumpfs_is_key(new_dir))
		return -EOPNOTSUPP;
	err = rumpfs_may_move(old_dir, old);
	if (err)
		return err;
	if (flags & RENAME_EXCHANGE)
		return rumpfs_rename_exchange(old_dir, old, new_dir, new);
	err = rumpfs_may_replace(new);
	if (err)
		return err;
	if (flags & RENAME_WHITEOUT) {
		whiteout = rumpfs_whiteout_new(idmap, old_dir, old);
		if (IS_ERR(whiteout))
			return PTR_ERR(whiteout);
		rumpfs_names_leave_whiteout(old_dir, old, whiteout);
	}
	err = rumpfs_names_move(old_dir, old, new_dir, new);
	if (err) {
		if (whiteout)
			rumpfs_leave(old_dir, whiteout);
		goto put_whiteout;
	}
	rumpfs_rename_times(old_dir, old, new_dir, new);
	if (d_really_is_positive(new)) {
		rumpfs_names_set_keyed(new_dir, new, false);
		rumpfs_leave(new_dir, new);
	}
	rumpfs_move_link(old, old_dir, new_dir);
	/* Hashed beside the name until the VFS moves that. */
	if (!whiteout)
		rumpfs_names_uncover(old_dir, &old->d_name);
put_whiteout:
	dput(whiteout);
	return err;
}

const struct inode_operations rumpfs_dir_inode_operations = {
	.lookup		= rumpfs_lookup,
	.create		= compat_op(inode_operations, create, rumpfs_create),
	.link		= rumpfs_link,
	.unlink		= rumpfs_unlink,
	.symlink	= rumpfs_symlink,
	.mkdir		= compat_op(inode_operations, mkdir, rumpfs_mkdir),
	.rmdir		= rumpfs_rmdir,
	.mknod		= rumpfs_mknod,
	.rename		= rumpfs_rename,
	.tmpfile	= rumpfs_tmpfile,
	.getattr	= rumpfs_getattr,
	.setattr	= rumpfs_setattr,
	.listxattr	= rumpfs_listxattr,
	.set_acl	= compat_op(inode_operations, set_acl, rumpfs_set_acl),
	.fileattr_get	= rumpfs_fileattr_get,
	.fileattr_set	= rumpfs_fileattr_set,
};
