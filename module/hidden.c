// SPDX-License-Identifier: GPL-2.0
/*
 * Names in memory that keys hide, each found by its name.
 *
 * The dcache does not know them and the array of their directory knows only
 * cookies, yet whoever looks for a name the dcache has not must ask for it
 * here. A directory has a tree of them; i_lock covers it, as lookups under a
 * shared i_rwsem take names out. Names enter under i_rwsem alone, and one that
 * is hidden is neither moved nor renamed.
 */
#include "names.h"

#include <linux/dcache.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/string.h>

struct rumpfs_hidden {
	struct rb_node by_name;
	/* pinned by its directory */
	struct dentry *dentry;
	/*
	 * what the same name hid before: a directory that outlived the keys
	 * that implied it stands in front of a name, and may be hidden itself
	 */
	struct rumpfs_hidden *older;
};

static int rumpfs_hidden_compare(const struct rb_node *node,
				 const struct qstr *name)
{
	const struct qstr *own =
		&rb_entry(node, struct rumpfs_hidden, by_name)->dentry->d_name;

	if (own->len != name->len)
		return own->len < name->len ? -1 : 1;
	return memcmp(own->name, name->name, name->len);
}

static struct rb_root *rumpfs_hidden(struct inode *dir)
{
	return &RUMPFS_DIR(dir)->hidden;
}

/* Where a name is, or belongs. Return: the newest that is there. */
static struct rumpfs_hidden *rumpfs_hidden_place(struct inode *dir,
						 const struct qstr *name,
						 struct rb_node **parent,
						 struct rb_node ***link)
{
	lockdep_assert_held(&dir->i_lock);
	*parent = NULL;
	*link = &rumpfs_hidden(dir)->rb_node;
	while (**link) {
		int diff = rumpfs_hidden_compare(**link, name);

		*parent = **link;
		if (!diff)
			return rb_entry(*parent, struct rumpfs_hidden, by_name);
		*link = diff < 0 ? &(*parent)->rb_right : &(*parent)->rb_left;
	}
	return NULL;
}

void rumpfs_hidden_add(struct inode *dir, struct dentry *dentry)
{
	struct rumpfs_hidden *hidden, *older;
	struct rb_node *parent, **link;

	lockdep_assert_held_write(&dir->i_rwsem);
	/* The batch is true already: there is no way back. */
	hidden = kmalloc(sizeof(*hidden), GFP_KERNEL | __GFP_NOFAIL);
	hidden->dentry = dentry;
	spin_lock(&dir->i_lock);
	older = rumpfs_hidden_place(dir, &dentry->d_name, &parent, &link);
	hidden->older = older;
	if (older) {
		rb_replace_node(&older->by_name, &hidden->by_name,
				rumpfs_hidden(dir));
	} else {
		rb_link_node(&hidden->by_name, parent, link);
		rb_insert_color(&hidden->by_name, rumpfs_hidden(dir));
	}
	spin_unlock(&dir->i_lock);
}

struct dentry *rumpfs_hidden_find(struct inode *dir, const struct qstr *name)
{
	struct rb_node *parent, **link;
	struct rumpfs_hidden *hidden;
	struct dentry *dentry;

	if (!rumpfs_hidden_any(dir))
		return NULL;
	spin_lock(&dir->i_lock);
	hidden = rumpfs_hidden_place(dir, name, &parent, &link);
	dentry = hidden ? hidden->dentry : NULL;
	spin_unlock(&dir->i_lock);
	return dentry;
}

/* Return: the one that is out, to be freed, or NULL. */
static struct rumpfs_hidden *rumpfs_hidden_take(struct inode *dir,
						const struct dentry *dentry)
{
	struct rumpfs_hidden *first, *hidden, **at;
	struct rb_node *parent, **link;

	first = rumpfs_hidden_place(dir, &dentry->d_name, &parent, &link);
	for (at = &first; *at; at = &(*at)->older)
		if ((*at)->dentry == dentry)
			break;
	hidden = *at;
	if (!hidden)
		return NULL;
	*at = hidden->older;
	if (!first)
		rb_erase(&hidden->by_name, rumpfs_hidden(dir));
	else if (first == hidden->older)
		rb_replace_node(&hidden->by_name, &first->by_name,
				rumpfs_hidden(dir));
	return hidden;
}

void rumpfs_hidden_remove(struct inode *dir, const struct dentry *dentry)
{
	struct rumpfs_hidden *hidden;

	spin_lock(&dir->i_lock);
	hidden = rumpfs_hidden_take(dir, dentry);
	spin_unlock(&dir->i_lock);
	kfree(hidden);
}
