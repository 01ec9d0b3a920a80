// SPDX-License-Identifier: GPL-2.0
/*
 * Whiteouts that no lookup finds.
 *
 * With whiteout=hidden a whiteout has neither dentry nor inode, as nobody ever
 * reaches one: its directory has it in a tree by name and, for listings, in an
 * array by cookie. A lookup need not ask, as the answer is the same; whoever
 * makes a name in memory takes the whiteout of that name away. One may lie
 * below a key or a directory that keys imply; it is not listed then. Who brings
 * back a name that a key has hidden must ask: one made later stands before it.
 *
 * Where the VFS wants to see a whiteout, to make or to delete it, it gets an
 * inode for the time of the call, under a dentry that is not hashed.
 */
#include "names.h"

#include <linux/dcache.h>
#include <linux/lockdep.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>

/* Counts as one inode, and a long name by its bytes. */
struct rumpfs_white {
	struct rb_node by_name;
	/* who made it, for sticky directories */
	kuid_t uid;
	kgid_t gid;
	/*
	 * the newest name that keys had hidden when it was made: it stands
	 * before that, and behind whatever was hidden later
	 */
	const struct dentry *before;
	u32 cookie;
	u8 len;
	char name[];
};

/* All of a directory; made with the first. D: all. */
struct rumpfs_whites {
	struct rb_root by_name;
	struct xarray by_cookie;
	u32 next_cookie;
};

static struct rumpfs_whites *rumpfs_whites(const struct inode *dir)
{
	return RUMPFS_DIR(dir)->whites;
}

static int rumpfs_white_compare(const struct rumpfs_white *white,
				const struct qstr *name)
{
	if (white->len != name->len)
		return white->len < name->len ? -1 : 1;
	return memcmp(white->name, name->name, name->len);
}

/* Where a name is, or belongs. Return: the whiteout that is there. */
static struct rumpfs_white *rumpfs_white_place(struct rumpfs_whites *whites,
					       const struct qstr *name,
					       struct rb_node **parent,
					       struct rb_node ***link)
{
	*parent = NULL;
	*link = &whites->by_name.rb_node;
	while (**link) {
		struct rumpfs_white *white =
			rb_entry(**link, struct rumpfs_white, by_name);
		int diff = rumpfs_white_compare(white, name);

		if (!diff)
			return white;
		*parent = **link;
		*link = diff < 0 ? &(*parent)->rb_right : &(*parent)->rb_left;
	}
	return NULL;
}

static struct rumpfs_white *rumpfs_white_find(const struct inode *dir,
					      const struct qstr *name)
{
	struct rumpfs_whites *whites = rumpfs_whites(dir);
	struct rb_node *parent, **link;

	return whites ? rumpfs_white_place(whites, name, &parent, &link) : NULL;
}

bool rumpfs_white_is(const struct inode *dir, const struct qstr *name)
{
	return rumpfs_white_find(dir, name);
}

bool rumpfs_white_keeps(const struct inode *dir, const struct dentry *hidden)
{
	struct rumpfs_white *white = rumpfs_white_find(dir, &hidden->d_name);

	return white && white->before == hidden;
}

bool rumpfs_white_any(const struct inode *dir)
{
	struct rumpfs_whites *whites = rumpfs_whites(dir);

	return whites && !RB_EMPTY_ROOT(&whites->by_name);
}

static int rumpfs_whites_make(struct inode *dir)
{
	struct rumpfs_whites *whites;

	if (rumpfs_whites(dir))
		return 0;
	whites = rumpfs_dir_own(dir, GFP_KERNEL) ?
		 kmalloc(sizeof(*whites), GFP_KERNEL_ACCOUNT) : NULL;
	if (!whites)
		return -ENOMEM;
	whites->by_name = RB_ROOT;
	xa_init_flags(&whites->by_cookie, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	whites->next_cookie = 0;
	RUMPFS_DIR(dir)->whites = whites;
	return 0;
}

static int rumpfs_white_charge(struct rumpfs_sb *sbi, const struct qstr *name)
{
	int err = rumpfs_charge(sbi, rumpfs_name_cost(name));

	if (err)
		return err;
	err = rumpfs_charge_inode(sbi);
	if (err)
		rumpfs_uncharge(sbi, rumpfs_name_cost(name));
	return err;
}

static void rumpfs_white_uncharge(struct rumpfs_sb *sbi,
				  const struct qstr *name)
{
	rumpfs_uncharge_inode(sbi);
	rumpfs_uncharge(sbi, rumpfs_name_cost(name));
}

static void rumpfs_white_free(struct rumpfs_sb *sbi, struct rumpfs_white *white)
{
	struct qstr name = QSTR_INIT(white->name, white->len);

	rumpfs_white_uncharge(sbi, &name);
	kfree(white);
}

/* A whiteout with its cookie, in no tree yet. */
static struct rumpfs_white *rumpfs_white_new(struct rumpfs_whites *whites,
					     const struct qstr *name)
{
	struct rumpfs_white *white;
	int err;

	white = kmalloc(struct_size(white, name, name->len),
			GFP_KERNEL_ACCOUNT);
	if (!white)
		return ERR_PTR(-ENOMEM);
	white->len = name->len;
	memcpy(white->name, name->name, name->len);
	err = xa_alloc_cyclic(&whites->by_cookie, &white->cookie, white,
			      XA_LIMIT(0, S32_MAX),
			      &whites->next_cookie, GFP_KERNEL);
	if (err < 0) {
		kfree(white);
		return ERR_PTR(err == -EBUSY ? -ENOSPC : err);
	}
	return white;
}

/* A whiteout of the same name is replaced by one of another owner. */
static int rumpfs_white_add(struct inode *dir, const struct qstr *name,
			    const struct inode *owner)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(dir->i_sb);
	struct rb_node *parent, **link;
	struct rumpfs_white *white;
	int err;

	lockdep_assert_held_write(&dir->i_rwsem);
	err = rumpfs_whites_make(dir);
	if (err)
		return err;
	white = rumpfs_white_place(rumpfs_whites(dir), name, &parent, &link);
	if (!white) {
		err = rumpfs_white_charge(sbi, name);
		if (err)
			return err;
		white = rumpfs_white_new(rumpfs_whites(dir), name);
		if (IS_ERR(white)) {
			rumpfs_white_uncharge(sbi, name);
			return PTR_ERR(white);
		}
		rb_link_node(&white->by_name, parent, link);
		rb_insert_color(&white->by_name,
				&rumpfs_whites(dir)->by_name);
	}
	white->uid = owner->i_uid;
	white->gid = owner->i_gid;
	white->before = rumpfs_hidden_find(dir, name);
	return 0;
}

void rumpfs_white_remove(struct inode *dir, const struct qstr *name)
{
	struct rumpfs_white *white = rumpfs_white_find(dir, name);

	if (!white)
		return;
	lockdep_assert_held_write(&dir->i_rwsem);
	rb_erase(&white->by_name, &rumpfs_whites(dir)->by_name);
	xa_erase(&rumpfs_whites(dir)->by_cookie, white->cookie);
	rumpfs_white_free(RUMPFS_SB(dir->i_sb), white);
}

void rumpfs_white_remove_some(struct inode *dir)
{
	struct rumpfs_whites *whites = rumpfs_whites(dir);
	struct rumpfs_white *white;
	unsigned long cookie;

	RUMPFS_DIR(dir)->whites = NULL;
	xa_for_each(&whites->by_cookie, cookie, white) {
		rumpfs_white_free(RUMPFS_SB(dir->i_sb), white);
		cond_resched();
	}
	xa_destroy(&whites->by_cookie);
	kfree(whites);
}

/* For the VFS to look at */

int rumpfs_white_make(struct mnt_idmap *idmap, struct inode *dir,
		      struct dentry *dentry, umode_t mode)
{
	struct inode *inode;
	int err;

	inode = rumpfs_node_unnamed(idmap, dir->i_sb, dir, mode, WHITEOUT_DEV);
	if (!inode)
		return -ENOMEM;
	err = rumpfs_white_add(dir, &dentry->d_name, inode);
	if (err)
		iput(inode);
	else
		d_instantiate(dentry, inode);
	return err;
}

int rumpfs_white_show(struct inode *dir, struct dentry *dentry)
{
	struct rumpfs_white *white = rumpfs_white_find(dir, &dentry->d_name);
	struct inode *inode;

	if (!white || d_really_is_positive(dentry))
		return 0;
	inode = rumpfs_node_unnamed(&nop_mnt_idmap, dir->i_sb, NULL,
				    S_IFCHR | WHITEOUT_MODE, WHITEOUT_DEV);
	if (!inode)
		return -ENOMEM;
	inode->i_uid = white->uid;
	inode->i_gid = white->gid;
	d_instantiate(dentry, inode);
	return 0;
}

/* Listing */

/* Is there a name in memory, or one of the table, over a whiteout? */
static bool rumpfs_white_is_covered(struct dentry *parent,
				    const struct rumpfs_white *white)
{
	struct qstr name = QSTR_INIT(white->name, white->len);
	struct inode *dir = d_inode(parent);
	struct etfs_key *key;
	struct dentry *dentry;
	bool is_covered;

	name.hash = full_name_hash(parent, name.name, name.len);
	dentry = d_lookup(parent, &name);
	if (dentry) {
		dput(dentry);
		return true;
	}
	key = rumpfs_dir_key_begin(dir);
	if (!IS_ERR_OR_NULL(key))
		key = etfs_key_find(RUMPFS_SB(dir->i_sb)->table, key,
				    name.name, name.len);
	is_covered = !IS_ERR_OR_NULL(key) && etfs_life_is_on(&key->life);
	rumpfs_dir_key_end();
	return is_covered;
}

bool rumpfs_white_list(struct dentry *parent, struct dir_context *ctx)
{
	struct rumpfs_whites *whites = rumpfs_whites(d_inode(parent));
	struct rumpfs_white *white;
	unsigned long cookie;

	if (!whites)
		return true;
	xa_for_each_start(&whites->by_cookie, cookie, white,
			  ctx->pos - RUMPFS_WHITES_POS) {
		ctx->pos = RUMPFS_WHITES_POS + cookie;
		if (!rumpfs_white_is_covered(parent, white) &&
		    !dir_emit(ctx, white->name, white->len, RUMPFS_WHITE_INO,
			      DT_WHT))
			return false;
	}
	return true;
}
