// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes of nodes in memory.
 *
 * They are in an array sorted by name. A value that is replaced changes one
 * slot; a name that comes or goes makes a new array. So a reader, under RCU
 * alone, sees each value whole and each list of names as it was at one time.
 * Writers hold i_rwsem, or nobody else knows the inode yet.
 */
#include "names.h"

#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/posix_acl_xattr.h>
#include <linux/rcupdate.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xattr.h>

struct rumpfs_xattr {
	struct rcu_head rcu;
	/* I: bytes of the value */
	u32 size;
	/* I: of the name, without its NUL; the value stands behind that */
	u32 name_len;
	char name[];
};

struct rumpfs_xattrs {
	struct rcu_head rcu;
	/* I: slots, one at least */
	u32 nr;
	/* R: in the order of strcmp() */
	struct rumpfs_xattr __rcu *slots[];
};

static const char *rumpfs_xattr_value(const struct rumpfs_xattr *xattr)
{
	return xattr->name + xattr->name_len + 1;
}

/* What one attribute takes of the mount, its slot included. */
static u64 rumpfs_xattr_bytes(size_t name_len, size_t size)
{
	return sizeof(struct rumpfs_xattr) + sizeof(struct rumpfs_xattr *) +
	       name_len + 1 + size;
}

static u64 rumpfs_xattr_held(const struct rumpfs_xattr *xattr)
{
	return rumpfs_xattr_bytes(xattr->name_len, xattr->size);
}

/* An inode without a dentry is its maker's alone. */
static bool rumpfs_xattr_may_write(const struct inode *inode)
{
	return lockdep_is_held_type(&inode->i_rwsem, 0) ||
	       hlist_empty(&inode->i_dentry);
}

static struct rumpfs_xattrs *rumpfs_xattrs_own(const struct inode *inode)
{
	return rcu_dereference_protected(*rumpfs_xattrs_at(inode),
					 rumpfs_xattr_may_write(inode));
}

/*
 * The attribute of this name, or NULL; *at is its slot, or where it belongs.
 * Context: RCU read section, or as a writer.
 */
static struct rumpfs_xattr *
rumpfs_xattr_find(const struct rumpfs_xattrs *xattrs, const char *name,
		  u32 *at)
{
	u32 begin = 0, end = xattrs ? xattrs->nr : 0;
	struct rumpfs_xattr *xattr;
	int order;

	while (begin < end) {
		*at = begin + (end - begin) / 2;
		xattr = rcu_dereference_raw(xattrs->slots[*at]);
		order = strcmp(name, xattr->name);
		if (!order)
			return xattr;
		if (order < 0)
			end = *at;
		else
			begin = *at + 1;
	}
	*at = begin;
	return NULL;
}

/* Writing */

static struct rumpfs_xattr *rumpfs_xattr_new(const char *name,
					     const void *value, size_t size)
{
	size_t name_len = strlen(name);
	struct rumpfs_xattr *xattr;

	xattr = kvmalloc(sizeof(*xattr) + name_len + 1 + size,
			 GFP_KERNEL_ACCOUNT);
	if (!xattr)
		return NULL;
	xattr->size = size;
	xattr->name_len = name_len;
	memcpy(xattr->name, name, name_len + 1);
	memcpy(xattr->name + name_len + 1, value, size);
	return xattr;
}

static struct rumpfs_xattrs *rumpfs_xattrs_new(u32 nr)
{
	struct rumpfs_xattrs *xattrs;

	xattrs = kvmalloc(struct_size(xattrs, slots, nr), GFP_KERNEL_ACCOUNT);
	if (xattrs)
		xattrs->nr = nr;
	return xattrs;
}

static void rumpfs_xattrs_copy(struct rumpfs_xattrs *to, u32 to_at,
			       const struct rumpfs_xattrs *from, u32 from_at,
			       u32 nr)
{
	while (nr--)
		RCU_INIT_POINTER(to->slots[to_at++],
				 rcu_dereference_raw(from->slots[from_at++]));
}

static void rumpfs_xattrs_publish(struct inode *inode,
				  struct rumpfs_xattrs *old,
				  struct rumpfs_xattrs *new)
{
	/* Pairs with rcu_dereference() in _get() and _list(). */
	rcu_assign_pointer(*rumpfs_xattrs_at(inode), new);
	if (old)
		kvfree_rcu(old, rcu);
}

static int rumpfs_xattr_add(struct inode *inode, u32 at, const char *name,
			    const void *value, size_t size)
{
	struct rumpfs_xattrs *old = rumpfs_xattrs_own(inode), *new;
	u64 bytes = rumpfs_xattr_bytes(strlen(name), size);
	u32 nr = old ? old->nr : 0;
	struct rumpfs_xattr *xattr = NULL;
	int err;

	err = rumpfs_charge(RUMPFS_SB(inode->i_sb), bytes);
	if (err)
		return err;
	if (!S_ISDIR(inode->i_mode) || rumpfs_dir_own(inode, GFP_KERNEL))
		xattr = rumpfs_xattr_new(name, value, size);
	new = xattr ? rumpfs_xattrs_new(nr + 1) : NULL;
	if (!new) {
		kvfree(xattr);
		rumpfs_uncharge(RUMPFS_SB(inode->i_sb), bytes);
		return -ENOMEM;
	}
	rumpfs_xattrs_copy(new, 0, old, 0, at);
	RCU_INIT_POINTER(new->slots[at], xattr);
	rumpfs_xattrs_copy(new, at + 1, old, at, nr - at);
	rumpfs_xattrs_publish(inode, old, new);
	return 0;
}

static int rumpfs_xattr_remove(struct inode *inode, u32 at,
			       struct rumpfs_xattr *xattr)
{
	struct rumpfs_xattrs *old = rumpfs_xattrs_own(inode), *new = NULL;

	if (old->nr > 1) {
		new = rumpfs_xattrs_new(old->nr - 1);
		if (!new)
			return -ENOMEM;
		rumpfs_xattrs_copy(new, 0, old, 0, at);
		rumpfs_xattrs_copy(new, at, old, at + 1, new->nr - at);
	}
	rumpfs_xattrs_publish(inode, old, new);
	rumpfs_uncharge(RUMPFS_SB(inode->i_sb), rumpfs_xattr_held(xattr));
	kvfree_rcu(xattr, rcu);
	return 0;
}

/* Only what the new value takes more is charged. */
static int rumpfs_xattr_replace(struct inode *inode, u32 at,
				struct rumpfs_xattr *old, const void *value,
				size_t size)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(inode->i_sb);
	struct rumpfs_xattr *new;
	int err;

	err = size > old->size ? rumpfs_charge(sbi, size - old->size) : 0;
	if (err)
		return err;
	new = rumpfs_xattr_new(old->name, value, size);
	if (!new) {
		if (size > old->size)
			rumpfs_uncharge(sbi, size - old->size);
		return -ENOMEM;
	}
	if (size < old->size)
		rumpfs_uncharge(sbi, old->size - size);
	rcu_assign_pointer(rumpfs_xattrs_own(inode)->slots[at], new);
	kvfree_rcu(old, rcu);
	return 0;
}

int rumpfs_xattr_set(struct inode *inode, const char *name, const void *value,
		     size_t size, int flags)
{
	struct rumpfs_xattr *old;
	u32 at;

	lockdep_assert(rumpfs_xattr_may_write(inode));
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	old = rumpfs_xattr_find(rumpfs_xattrs_own(inode), name, &at);
	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	if (old && value)
		return rumpfs_xattr_replace(inode, at, old, value, size);
	if (old)
		return rumpfs_xattr_remove(inode, at, old);
	return value ? rumpfs_xattr_add(inode, at, name, value, size) : 0;
}

/* No reader is left, as each one has a reference to the inode. */
void rumpfs_xattr_evict(struct inode *inode)
{
	struct rumpfs_xattrs *xattrs =
		rcu_dereference_protected(*rumpfs_xattrs_at(inode), true);
	struct rumpfs_xattr *xattr;
	u32 at;

	if (!xattrs)
		return;
	RCU_INIT_POINTER(*rumpfs_xattrs_at(inode), NULL);
	for (at = 0; at < xattrs->nr; at++) {
		xattr = rcu_dereference_protected(xattrs->slots[at], true);
		rumpfs_uncharge(RUMPFS_SB(inode->i_sb),
				rumpfs_xattr_held(xattr));
		kvfree(xattr);
		cond_resched();
	}
	kvfree(xattrs);
}

/* Reading */

static int rumpfs_xattr_get(const struct inode *inode, const char *name,
			    void *buffer, size_t size)
{
	struct rumpfs_xattr *xattr;
	int ret = -ENODATA;
	u32 at;

	rcu_read_lock();
	xattr = rumpfs_xattr_find(rcu_dereference(*rumpfs_xattrs_at(inode)),
				  name, &at);
	if (xattr)
		ret = xattr->size;
	if (xattr && buffer) {
		if (xattr->size <= size)
			memcpy(buffer, rumpfs_xattr_value(xattr), xattr->size);
		else
			ret = -ERANGE;
	}
	rcu_read_unlock();
	return ret;
}

static bool rumpfs_xattr_is_trusted(const char *name)
{
	return !strncmp(name, XATTR_TRUSTED_PREFIX, XATTR_TRUSTED_PREFIX_LEN);
}

/* To be told what the privileged keep to themselves: no reason for an audit. */
static bool rumpfs_xattr_list_trusted(struct dentry *dentry)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/* One more name for a list that is used bytes long; no buffer: count only. */
static int rumpfs_xattr_list_name(char *buffer, size_t size, size_t *used,
				  const char *name, size_t name_len)
{
	if (buffer) {
		if (size - *used < name_len + 1)
			return -ERANGE;
		memcpy(buffer + *used, name, name_len + 1);
	}
	*used += name_len + 1;
	return 0;
}

/* The access control lists are in the inode; see acl.c. */
static int rumpfs_xattr_list_acls(const struct inode *inode, char *buffer,
				  size_t size, size_t *used)
{
	static const char access[] = XATTR_NAME_POSIX_ACL_ACCESS;
	static const char preset[] = XATTR_NAME_POSIX_ACL_DEFAULT;
	int err = 0;

	if (READ_ONCE(inode->i_acl))
		err = rumpfs_xattr_list_name(buffer, size, used, access,
					     sizeof(access) - 1);
	if (READ_ONCE(inode->i_default_acl) && !err)
		err = rumpfs_xattr_list_name(buffer, size, used, preset,
					     sizeof(preset) - 1);
	return err;
}

/*
 * What a security module knows of an inode, stored or not, as it tells the value,
 * too. Return: an errno.
 */
static int rumpfs_xattr_list_labels(struct inode *inode, char *buffer,
				    size_t size, size_t *used)
{
	ssize_t room = size - *used, left = room;
	int err;

	if (buffer)
		buffer += *used;
	err = security_inode_listsecurity(inode, &buffer, &left);
	*used += room - left;
	return err;
}

/* Is there such a module, and has it what it needs? */
bool rumpfs_xattr_has_label(struct inode *inode)
{
	size_t used = 0;

	return !rumpfs_xattr_list_labels(inode, NULL, 0, &used) && used;
}

static bool rumpfs_xattr_is_label(const struct rumpfs_xattr *xattr)
{
	return !strncmp(xattr->name, XATTR_SECURITY_PREFIX,
			XATTR_SECURITY_PREFIX_LEN) &&
	       security_ismaclabel(xattr->name + XATTR_SECURITY_PREFIX_LEN);
}

ssize_t rumpfs_listxattr(struct dentry *dentry, char *buffer, size_t size)
{
	bool is_trusted = rumpfs_xattr_list_trusted(dentry);
	struct inode *inode = d_inode(dentry);
	struct rumpfs_xattrs *xattrs;
	struct rumpfs_xattr *xattr;
	bool has_label;
	size_t used = 0;
	int err;
	u32 at;

	err = rumpfs_xattr_list_labels(inode, buffer, size, &used);
	has_label = used;
	if (!err)
		err = rumpfs_xattr_list_acls(inode, buffer, size, &used);
	rcu_read_lock();
	xattrs = rcu_dereference(*rumpfs_xattrs_at(inode));
	for (at = 0; xattrs && at < xattrs->nr && !err; at++) {
		xattr = rcu_dereference(xattrs->slots[at]);
		if (!is_trusted && rumpfs_xattr_is_trusted(xattr->name))
			continue;
		if (has_label && rumpfs_xattr_is_label(xattr))
			continue;
		err = rumpfs_xattr_list_name(buffer, size, &used, xattr->name,
					     xattr->name_len);
	}
	rcu_read_unlock();
	return err ?: used;
}

/*
 * The handlers: the VFS has asked who may. Of keys only mapped directories, and
 * what is below, come here.
 */

static int rumpfs_xattr_handler_get(const struct xattr_handler *handler,
				    struct dentry *dentry, struct inode *inode,
				    const char *name, void *buffer,
				    size_t size)
{
	name = xattr_full_name(handler, name);
	if (rumpfs_is_key(inode))
		return etfs_mirror_getxattr(dentry, inode, name, buffer, size);
	return rumpfs_xattr_get(inode, name, buffer, size);
}

static int rumpfs_xattr_handler_set(const struct xattr_handler *handler,
				    struct mnt_idmap *idmap,
				    struct dentry *dentry, struct inode *inode,
				    const char *name, const void *value,
				    size_t size, int flags)
{
	int err;

	if (rumpfs_is_key(inode))
		return -EOPNOTSUPP;
	err = rumpfs_xattr_set(inode, xattr_full_name(handler, name), value,
			       size, flags);
	if (err)
		return err;
	rumpfs_node_changed(inode);
	rumpfs_dir_keep(inode);
	return 0;
}

static const struct xattr_handler rumpfs_security_xattr_handler = {
	.prefix	= XATTR_SECURITY_PREFIX,
	.get	= rumpfs_xattr_handler_get,
	.set	= rumpfs_xattr_handler_set,
};

static const struct xattr_handler rumpfs_trusted_xattr_handler = {
	.prefix	= XATTR_TRUSTED_PREFIX,
	.list	= rumpfs_xattr_list_trusted,
	.get	= rumpfs_xattr_handler_get,
	.set	= rumpfs_xattr_handler_set,
};

static const struct xattr_handler rumpfs_user_xattr_handler = {
	.prefix	= XATTR_USER_PREFIX,
	.get	= rumpfs_xattr_handler_get,
	.set	= rumpfs_xattr_handler_set,
};

static const struct xattr_handler *const rumpfs_xattr_handlers[] =
	XATTR_HANDLERS(&rumpfs_user_xattr_handler,
		       &rumpfs_trusted_xattr_handler,
		       &rumpfs_security_xattr_handler);

void rumpfs_xattr_use(struct super_block *sb)
{
	sb_set_xattr_handlers(sb, rumpfs_xattr_handlers);
	sb->s_flags |= SB_POSIXACL;
	/* All that gives an inode privileges comes through the VFS. */
	sb->s_flags |= SB_NOSEC;
	/* Of those that the kernel has: does it run? */
	RUMPFS_SB(sb)->has_labels = security_ismaclabel(XATTR_SELINUX_SUFFIX) ||
				    security_ismaclabel(XATTR_SMACK_SUFFIX);
}

/* Labels */

static int rumpfs_xattr_add_label(struct inode *inode,
				  const struct xattr *label)
{
	char *name = kasprintf(GFP_KERNEL, XATTR_SECURITY_PREFIX "%s",
			       label->name);
	int err;

	if (!name)
		return -ENOMEM;
	err = rumpfs_xattr_set(inode, name, label->value, label->value_len,
			       XATTR_CREATE);
	kfree(name);
	return err;
}

int rumpfs_xattr_add_labels(struct inode *inode, const struct xattr *labels,
			    void *unused)
{
	int err = 0;

	for (; labels->name && !err; labels++)
		err = rumpfs_xattr_add_label(inode, labels);
	return err;
}
