// SPDX-License-Identifier: GPL-2.0
/*
 * Handles of nodes, for open_by_handle_at(), nfsd and overlayfs.
 *
 * A handle is an inode number and a generation. A node is entered into the
 * VFS's table of inodes when its handle is first asked for, so that those
 * that nobody asks for pay nothing. A node in memory has dentries as long as it
 * lives. That of a key may be gone and come again: then the key is looked for
 * in the table, and walked to by its name. Numbers of keys are not used twice,
 * and the generation tells one life of the module from the next. Handles below
 * mapped directories are those of mirror_handle.c.
 */
#include "rumpfs.h"

#include <linux/dcache.h>
#include <linux/exportfs.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uuid.h>

/* Types of handles; other file systems use these two in the same sense. */
#define RUMPFS_FID		0x81
#define RUMPFS_FID_PARENT	0x82
/* Of what lies below a mapped directory: see mirror_handle.c */
#define RUMPFS_FID_MIRRORED	0x83

/* A node in a handle, in words; with RUMPFS_FID_PARENT its parent follows. */
#define RUMPFS_FID_WORDS	3

/* Covers the step from not hashed to hashed. Order: before the VFS's own. */
static DEFINE_SPINLOCK(rumpfs_hash_lock);

static u64 rumpfs_fid_ino(const u32 *fid)
{
	return fid[0] | (u64)fid[1] << 32;
}

static void rumpfs_fid_put(u32 *fid, struct inode *inode)
{
	if (inode_unhashed(inode)) {
		spin_lock(&rumpfs_hash_lock);
		if (inode_unhashed(inode))
			__insert_inode_hash(inode, inode->i_ino);
		spin_unlock(&rumpfs_hash_lock);
	}
	fid[0] = lower_32_bits(inode->i_ino);
	fid[1] = upper_32_bits(inode->i_ino);
	fid[2] = inode->i_generation;
}

static int rumpfs_fid_is(struct inode *inode, void *data)
{
	const u32 *fid = data;

	return inode->i_ino == rumpfs_fid_ino(fid) &&
	       inode->i_generation == fid[2];
}

static int rumpfs_encode_fh(struct inode *inode, u32 *fid, int *len,
			    struct inode *parent)
{
	int words;

	if (RUMPFS_NODE(inode)->is_mirrored)
		return etfs_mirror_fid_put(inode, fid, len) ?
			RUMPFS_FID_MIRRORED : FILEID_INVALID;
	/* What is found by its path has its parents. */
	if (parent && RUMPFS_NODE(parent)->is_mirrored)
		parent = NULL;
	words = parent ? 2 * RUMPFS_FID_WORDS : RUMPFS_FID_WORDS;
	if (*len < words) {
		*len = words;
		return FILEID_INVALID;
	}
	*len = words;
	rumpfs_fid_put(fid, inode);
	if (!parent)
		return RUMPFS_FID;
	rumpfs_fid_put(fid + RUMPFS_FID_WORDS, parent);
	return RUMPFS_FID_PARENT;
}

/* Keys */

/* Return: the path of a key, to be freed; NULL if there is no such key. */
static char *rumpfs_key_path(struct etfs_table *table, u64 ino)
{
	struct etfs_map *map;
	char *path = NULL;

	mutex_lock(&table->lock);
	map = etfs_table_find_ino(table, ino);
	if (map)
		path = kstrdup(map->spec.key, GFP_KERNEL);
	mutex_unlock(&table->lock);
	return path;
}

/* Context: no lock held. */
struct dentry *rumpfs_walk(struct dentry *dir, char *path)
{
	struct dentry *dentry;
	char *component;

	while ((component = strsep(&path, "/"))) {
		struct qstr name = QSTR_INIT(component, strlen(component));

		if (!d_is_dir(dir)) {
			dput(dir);
			return NULL;
		}
		dentry = lookup_noperm_unlocked(&name, dir);
		dput(dir);
		if (IS_ERR(dentry))
			return dentry;
		dir = dentry;
	}
	return dir;
}

struct dentry *rumpfs_key_dentry(struct super_block *sb, u64 ino)
{
	struct dentry *dentry;
	char *path;

	path = rumpfs_key_path(RUMPFS_SB(sb)->table, ino);
	if (!path)
		return NULL;
	/* Begins with a slash. */
	dentry = rumpfs_walk(dget(sb->s_root), path + 1);
	kfree(path);
	if (IS_ERR_OR_NULL(dentry))
		return dentry;
	/* It may have gone meanwhile, and another one come. */
	if (d_really_is_positive(dentry) && d_inode(dentry)->i_ino == ino)
		return dentry;
	dput(dentry);
	return NULL;
}

/* Return: NULL, which is ESTALE, if there is no such node. */
static struct dentry *rumpfs_fid_find(struct super_block *sb, u32 *fid)
{
	u64 ino = rumpfs_fid_ino(fid);
	struct dentry *dentry = NULL;
	struct inode *inode;

	inode = ilookup5(sb, ino, rumpfs_fid_is, fid);
	if (inode) {
		/* One that is hashed, if there is any. */
		if (rumpfs_node_is_live(inode))
			dentry = d_find_alias(inode) ?: d_find_any_alias(inode);
		iput(inode);
	}
	if (!dentry && etfs_ino_is_key(ino) && fid[2] == etfs_generation)
		dentry = rumpfs_key_dentry(sb, ino);
	return dentry;
}

static struct dentry *rumpfs_fh_to_dentry(struct super_block *sb,
					  struct fid *fid, int len, int type)
{
	if (type == RUMPFS_FID_MIRRORED)
		return etfs_mirror_fid_find(sb, fid->raw, len);
	if ((type != RUMPFS_FID && type != RUMPFS_FID_PARENT) ||
	    len < RUMPFS_FID_WORDS)
		return NULL;
	return rumpfs_fid_find(sb, fid->raw);
}

static struct dentry *rumpfs_fh_to_parent(struct super_block *sb,
					  struct fid *fid, int len, int type)
{
	if (type != RUMPFS_FID_PARENT || len < 2 * RUMPFS_FID_WORDS)
		return NULL;
	return rumpfs_fid_find(sb, fid->raw + RUMPFS_FID_WORDS);
}

/* No dentry is ever disconnected, so nobody asks for parents or names. */
static const struct export_operations rumpfs_export_operations = {
	.encode_fh	= rumpfs_encode_fh,
	.fh_to_dentry	= rumpfs_fh_to_dentry,
	.fh_to_parent	= rumpfs_fh_to_parent,
};

void rumpfs_export_init(struct super_block *sb)
{
	uuid_t uuid;

	uuid_gen(&uuid);
	super_set_uuid(sb, uuid.b, sizeof(uuid.b));
	sb->s_export_op = &rumpfs_export_operations;
}
