// SPDX-License-Identifier: GPL-2.0
/*
 * The names in memory of one directory, by listing cookie.
 *
 * A cookie is that of a name, whatever the name stands for meanwhile, so that a
 * listing under way shows a name that stays once: what replaces another has
 * its cookie. A name that is new in its directory is the last, but one that a
 * rename there made is where the other was, so that a listing comes to an end.
 */
#include "names.h"

#include <linux/dcache.h>

/* Where listing cookies start: 0 and 1 are . and .. */
#define RUMPFS_FIRST_COOKIE	2u
/* In next_cookie, above the highest: they have begun anew. */
#define RUMPFS_COOKIES_TURNED	BIT(31)

int rumpfs_entry_add(struct inode *dir, struct dentry *dentry)
{
	struct rumpfs_node *node = RUMPFS_NODE(dir);
	struct xarray *entries = &node->dir.entries;
	u32 cookie, next;
	int err;

	/*
	 * A search for free ones would cost each name more than the few steps
	 * over old names once the cookies have come round.
	 */
	xa_lock(entries);
	do {
		next = node->dir.next_cookie;
		cookie = max(next & S32_MAX, RUMPFS_FIRST_COOKIE);
		/* Whoever lists reads it under a shared i_rwsem, as we may. */
		WRITE_ONCE(node->dir.next_cookie,
			   (cookie + 1) | (next & RUMPFS_COOKIES_TURNED));
		err = __xa_insert(entries, cookie, dentry, GFP_KERNEL);
	} while (err == -EBUSY);
	xa_unlock(entries);
	if (err)
		return err;
	dentry->d_fsdata = (void *)(unsigned long)cookie;
	return 0;
}

void rumpfs_entry_remove(struct inode *dir, struct dentry *dentry)
{
	rumpfs_hidden_remove(dir, dentry);
	xa_erase(&RUMPFS_NODE(dir)->dir.entries, rumpfs_cookie(dentry));
}

void rumpfs_entry_swap(struct inode *dir, struct dentry *entry,
		       struct inode *other_dir, struct dentry *other)
{
	/* Both exist: it takes no memory and cannot fail. */
	xa_store(&RUMPFS_NODE(dir)->dir.entries, rumpfs_cookie(entry), other,
		 GFP_KERNEL);
	xa_store(&RUMPFS_NODE(other_dir)->dir.entries, rumpfs_cookie(other),
		 entry, GFP_KERNEL);
	swap(entry->d_fsdata, other->d_fsdata);
}

int rumpfs_entry_move(struct inode *old_dir, struct dentry *old,
		      struct inode *new_dir, struct dentry *new)
{
	struct xarray *entries = &RUMPFS_NODE(old_dir)->dir.entries;
	bool replaces = d_really_is_positive(new) && rumpfs_cookie(new);
	unsigned long cookie = rumpfs_cookie(old);
	int err = 0;

	if (!replaces && old_dir == new_dir)
		return 0;
	if (replaces) {
		xa_store(&RUMPFS_NODE(new_dir)->dir.entries, rumpfs_cookie(new),
			 old, GFP_KERNEL);
		old->d_fsdata = new->d_fsdata;
		new->d_fsdata = NULL;
	} else {
		err = rumpfs_entry_add(new_dir, old);
	}
	if (!err)
		xa_erase(entries, cookie);
	return err;
}

/* Places */

void rumpfs_entry_outlive(struct inode *dir, struct dentry *dentry)
{
	struct xarray *entries = &RUMPFS_NODE(dir)->dir.entries;
	struct dentry *other;
	unsigned long cookie;

	if (!rumpfs_entry_place(dentry))
		return;
	/* The keys of dir itself went and came: their cookies began anew. */
	xa_for_each_marked(entries, cookie, other, RUMPFS_OUTLIVED) {
		if (other != dentry &&
		    rumpfs_entry_place(other) == rumpfs_entry_place(dentry)) {
			rumpfs_entry_unplace(dir, dentry);
			return;
		}
	}
	xa_set_mark(entries, rumpfs_cookie(dentry), RUMPFS_OUTLIVED);
}

void rumpfs_entry_unplace(struct inode *dir, struct dentry *dentry)
{
	if (!rumpfs_entry_place(dentry))
		return;
	xa_clear_mark(&RUMPFS_NODE(dir)->dir.entries, rumpfs_cookie(dentry),
		      RUMPFS_OUTLIVED);
	RUMPFS_NODE(d_inode(dentry))->dir.place = 0;
}

bool rumpfs_entry_is_tabled(struct inode *dir, const struct dentry *dentry)
{
	return rumpfs_entry_place(dentry) &&
	       !xa_get_mark(&RUMPFS_NODE(dir)->dir.entries,
			    rumpfs_cookie(dentry), RUMPFS_OUTLIVED);
}

struct dentry *rumpfs_entry_outlived(struct inode *dir, unsigned long place)
{
	struct xarray *entries = &RUMPFS_NODE(dir)->dir.entries;
	struct dentry *dentry, *first = NULL;
	unsigned long cookie;

	/* Few do, and most directories have none. */
	xa_for_each_marked(entries, cookie, dentry, RUMPFS_OUTLIVED) {
		if (rumpfs_entry_place(dentry) < place ||
		    xa_get_mark(entries, cookie, RUMPFS_HIDDEN))
			continue;
		if (!first ||
		    rumpfs_entry_place(dentry) < rumpfs_entry_place(first))
			first = dentry;
	}
	return first;
}
