// SPDX-License-Identifier: GPL-2.0
/*
 * One stable listing of memory names and keys.
 *
 * A position is that of the next entry: names in memory come first, then hidden
 * whiteouts, then the table's. A directory that keys imply is listed with the
 * table, any other with memory, so that each comes once; and it stays there if
 * it outlives them.
 *
 * What was made since a pass began has a cookie above all there were then, and
 * waits for the next pass: else who makes a name for each that is read would
 * read for ever. Only once cookies have begun anew, some of it is seen.
 */
#include "names.h"

#include <linux/dcache.h>
#include <linux/stat.h>
#include <linux/string.h>

/* So many at once, as each look into an array begins at its root. */
#define RUMPFS_LIST_BATCH	32

/* Above what there was when the pass began, in this open file or before it. */
static unsigned long rumpfs_list_end(struct file *file, loff_t pos)
{
	u32 next = READ_ONCE(RUMPFS_DIR(file_inode(file))->next_cookie);

	if (!pos || !file->private_data)
		file->private_data = (void *)(unsigned long)next;
	return (unsigned long)file->private_data;
}

static bool rumpfs_list_dentry(struct dir_context *ctx,
			       const struct dentry *dentry)
{
	const struct inode *inode = d_inode(dentry);

	return dir_emit(ctx, dentry->d_name.name, dentry->d_name.len,
			inode->i_ino, fs_umode_to_dtype(inode->i_mode));
}

static bool rumpfs_list_memory(struct inode *dir, unsigned long end,
			       struct dir_context *ctx)
{
	struct dentry *some[RUMPFS_LIST_BATCH];
	unsigned int i, n;

	/* An empty one need not be. */
	if (!READ_ONCE(RUMPFS_DIR(dir)->is_listed))
		return true;
	do {
		n = rumpfs_entry_list(dir, ctx->pos, end, some,
				      RUMPFS_LIST_BATCH);
		for (i = 0; i < n; i++) {
			/* Pinned, and our i_rwsem keeps its name. */
			ctx->pos = rumpfs_cookie(some[i]);
			if (!rumpfs_list_dentry(ctx, some[i]))
				return false;
			ctx->pos++;
		}
	} while (n == RUMPFS_LIST_BATCH);
	return true;
}

static bool rumpfs_key_is_listed(const struct etfs_key *key,
				 struct rumpfs_listed *listed)
{
	const struct etfs_map *map;

	if (!etfs_life_is_on(&key->life))
		return false;
	map = etfs_key_map(key);
	/* Without a map it is a directory, unless both died at once. */
	if (map ? map->spec.flags & ETFS_MAP_HIDDEN :
		  !etfs_life_is_on(&key->life))
		return false;
	listed->type = map ? map->kind->type : S_IFDIR;
	listed->is_implied = !map;
	listed->ino = map ? map->ino : key->ino;
	listed->len = key->name_len;
	memcpy(listed->name, key->name, key->name_len);
	return true;
}

/* The next name at or behind *cookie. Return: 0 at the end, 1, or an errno. */
int rumpfs_list_key(struct inode *dir, unsigned long *cookie,
		    struct rumpfs_listed *listed)
{
	struct etfs_key *key = rumpfs_dir_key_begin(dir), *child;
	int ret = 0;

	if (IS_ERR_OR_NULL(key)) {
		ret = PTR_ERR_OR_ZERO(key);
		goto end;
	}
	for (child = xa_find(&key->below, cookie, S32_MAX, XA_PRESENT); child;
	     child = xa_find_after(&key->below, cookie, S32_MAX, XA_PRESENT)) {
		if (rumpfs_key_is_listed(child, listed)) {
			ret = 1;
			break;
		}
	}
end:
	rumpfs_dir_key_end();
	return ret;
}

/* Is this directory in memory anyway, and listed by itself? */
static bool rumpfs_is_in_memory(struct dentry *parent,
				const struct rumpfs_listed *listed)
{
	struct qstr name = QSTR_INIT(listed->name, listed->len);
	struct dentry *dentry;
	bool is_listed = false;

	if (!S_ISDIR(listed->type))
		return false;
	name.hash = full_name_hash(parent, name.name, name.len);
	dentry = d_lookup(parent, &name);
	if (dentry && d_is_dir(dentry) && !rumpfs_is_key(d_inode(dentry)))
		is_listed = !rumpfs_entry_is_tabled(d_inode(parent), dentry);
	dput(dentry);
	return is_listed;
}

static int rumpfs_list_keys(struct file *file, struct dir_context *ctx)
{
	unsigned long cookie = (ctx->pos - RUMPFS_KEYS_POS) / 2;
	struct inode *dir = file_inode(file);
	struct dentry *outlived;
	struct rumpfs_listed listed;
	int ret;

	outlived = rumpfs_entry_outlived(dir, cookie + (ctx->pos & 1));
	for (;;) {
		ret = rumpfs_list_key(dir, &cookie, &listed);
		if (ret < 0)
			return ret;
		if (outlived &&
		    (!ret || rumpfs_entry_place(outlived) <= cookie)) {
			cookie = rumpfs_entry_place(outlived);
			ctx->pos = RUMPFS_KEYS_POS + 2 * (u64)cookie;
			if (!rumpfs_list_dentry(ctx, outlived))
				return 0;
			ctx->pos++;
			outlived = rumpfs_entry_outlived(dir, cookie + 1);
			continue;
		}
		if (!ret)
			return 0;
		ctx->pos = RUMPFS_KEYS_POS + 2 * (u64)cookie + 1;
		if (!rumpfs_is_in_memory(file->f_path.dentry, &listed) &&
		    !dir_emit(ctx, listed.name, listed.len, listed.ino,
			      fs_umode_to_dtype(listed.type)))
			return 0;
		cookie++;
		ctx->pos++;
	}
}

static int rumpfs_iterate(struct file *file, struct dir_context *ctx)
{
	unsigned long end;
	int err;

	if (!rumpfs_entry_none(file_inode(file))) {
		err = rumpfs_entry_index(file->f_path.dentry, GFP_KERNEL);
		if (err)
			return err;
	}
	end = rumpfs_list_end(file, ctx->pos);
	if (!dir_emit_dots(file, ctx))
		return 0;
	if (ctx->pos < RUMPFS_WHITES_POS) {
		if (!rumpfs_list_memory(file_inode(file), end, ctx))
			return 0;
		ctx->pos = RUMPFS_WHITES_POS;
	}
	if (ctx->pos < RUMPFS_KEYS_POS) {
		if (!rumpfs_white_list(file->f_path.dentry, ctx))
			return 0;
		ctx->pos = RUMPFS_KEYS_POS;
	}
	return rumpfs_list_keys(file, ctx);
}

/* As on tmpfs: cookies have no end to count from, and no holes. */
static loff_t rumpfs_dir_llseek(struct file *file, loff_t offset, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	return generic_file_llseek(file, offset, whence);
}

const struct file_operations rumpfs_dir_operations = {
	.llseek		= rumpfs_dir_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= rumpfs_iterate,
	.unlocked_ioctl	= rumpfs_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.fsync		= noop_fsync,
	.setlease	= generic_setlease,
};
