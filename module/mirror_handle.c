// SPDX-License-Identifier: GPL-2.0
/*
 * Handles of nodes below mapped directories.
 *
 * The host's objects are found by path alone, so a handle has the key's number,
 * what the host object is known by, and the path from the key, as far as there
 * is room: some 90 bytes. It leads to that path, if the same object is there.
 * One whose path has no room finds its node while that is in memory, and is
 * stale then; so is one whose object was moved or removed on the host.
 */
#include "mirror.h"

#include <linux/dcache.h>
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>

/* In words of 32 bits; the path follows, in whole words. */
struct etfs_mirror_fid {
	/* of the key's node: number, low half first, and generation */
	u32 map_ino[2];
	u32 map_gen;
	/* all 0 for a directory that keys imply */
	u32 host_ino[2];
	u32 host_dev;
	u32 host_gen;
	/* of a directory, else 0 */
	u32 place;
	/* bytes; 0 if there is no room */
	u32 path_len;
	char path[];
};

#define ETFS_FID_WORDS	(sizeof(struct etfs_mirror_fid) / sizeof(u32))
#define ETFS_FID_MAX	(MAX_HANDLE_SZ / sizeof(u32))

static u64 etfs_fid_map_ino(const struct etfs_mirror_fid *fid)
{
	return fid->map_ino[0] | (u64)fid->map_ino[1] << 32;
}

static struct etfs_host_id etfs_fid_host(const struct etfs_mirror_fid *fid)
{
	return (struct etfs_host_id) {
		.ino = fid->host_ino[0] | (u64)fid->host_ino[1] << 32,
		.dev = fid->host_dev,
		.gen = fid->host_gen,
	};
}

static u32 etfs_fid_place(struct inode *inode)
{
	return S_ISDIR(READ_ONCE(inode->i_mode)) ? RUMPFS_MIRRORED(inode)->place : 0;
}

static void etfs_fid_fill(struct etfs_mirror_fid *fid, struct inode *inode,
			  const char *path, size_t len)
{
	const struct rumpfs_mirrored *mirrored = RUMPFS_MIRRORED(inode);
	u64 map_ino = rumpfs_map(inode)->ino;

	*fid = (struct etfs_mirror_fid) {
		.map_ino = { lower_32_bits(map_ino), upper_32_bits(map_ino) },
		.map_gen = etfs_generation,
		.host_ino = { lower_32_bits(mirrored->host.ino),
			      upper_32_bits(mirrored->host.ino) },
		.host_dev = mirrored->host.dev,
		.host_gen = mirrored->host.gen,
		.place = etfs_fid_place(inode),
		.path_len = len,
	};
	memset(fid->path, 0, round_up(len, sizeof(u32)));
	memcpy(fid->path, path, len);
}

bool etfs_mirror_fid_put(struct inode *inode, u32 *fid, int *words)
{
	struct dentry *dentry = d_find_alias(inode);
	struct etfs_rel rel = { };
	size_t len = 0;
	bool fits;
	int need;

	if (dentry && !etfs_mirror_path(NULL, dentry, &rel))
		len = strlen(rel.path);
	need = ETFS_FID_WORDS + DIV_ROUND_UP(len, sizeof(u32));
	/* Who has room for a handle, but not for this one, gets a shorter. */
	if (need > ETFS_FID_MAX ||
	    (*words >= ETFS_FID_WORDS && *words < need)) {
		len = 0;
		need = ETFS_FID_WORDS;
	}
	fits = *words >= need;
	if (fits)
		etfs_fid_fill((void *)fid, inode, rel.path, len);
	*words = need;
	etfs_rel_put(&rel);
	dput(dentry);
	return fits;
}

static bool etfs_fid_is(struct inode *inode, const struct etfs_mirror_fid *fid)
{
	struct etfs_host_id host = etfs_fid_host(fid);

	return RUMPFS_NODE(inode)->is_mirrored &&
	       RUMPFS_MIRRORED(inode)->map_ino == etfs_fid_map_ino(fid) &&
	       !memcmp(&RUMPFS_MIRRORED(inode)->host, &host, sizeof(host)) &&
	       etfs_fid_place(inode) == fid->place;
}

static int etfs_fid_test(struct inode *inode, void *data)
{
	return etfs_fid_is(inode, data);
}

/* Does a name in memory still lead to its object? */
static bool etfs_fid_is_there(struct dentry *dentry)
{
	struct dentry *parent = dget_parent(dentry);
	bool is_there = !d_unhashed(dentry) &&
			etfs_mirror_revalidate(d_inode(parent), dentry, 0) > 0;

	dput(parent);
	return is_there;
}

static struct dentry *etfs_fid_cached(struct super_block *sb,
				      struct etfs_mirror_fid *fid)
{
	struct etfs_host_id host = etfs_fid_host(fid);
	struct dentry *dentry = NULL;
	struct inode *inode;

	if (!host.dev)
		return NULL;
	inode = ilookup5(sb, etfs_mirror_ino_known(&host), etfs_fid_test,
			 fid);
	if (!inode)
		return NULL;
	if (rumpfs_node_is_live(inode))
		dentry = d_find_alias(inode);
	iput(inode);
	if (dentry && etfs_fid_is_there(dentry))
		return dentry;
	dput(dentry);
	return NULL;
}

static struct dentry *etfs_fid_walk(struct super_block *sb,
				    const struct etfs_mirror_fid *fid)
{
	struct dentry *top, *dentry;
	char *path;

	top = rumpfs_key_dentry(sb, etfs_fid_map_ino(fid));
	if (IS_ERR_OR_NULL(top))
		return top;
	path = kmemdup_nul(fid->path, fid->path_len, GFP_KERNEL);
	if (!path) {
		dput(top);
		return ERR_PTR(-ENOMEM);
	}
	dentry = rumpfs_walk(top, path);
	kfree(path);
	if (IS_ERR_OR_NULL(dentry))
		return dentry;
	if (d_really_is_positive(dentry) && etfs_fid_is(d_inode(dentry), fid))
		return dentry;
	dput(dentry);
	return NULL;
}

struct dentry *etfs_mirror_fid_find(struct super_block *sb, u32 *words, int nr)
{
	struct etfs_mirror_fid *fid = (void *)words;
	struct dentry *dentry;

	if (nr < ETFS_FID_WORDS || fid->map_gen != etfs_generation ||
	    fid->path_len > (nr - ETFS_FID_WORDS) * sizeof(u32))
		return NULL;
	dentry = etfs_fid_cached(sb, fid);
	if (dentry || !fid->path_len)
		return dentry;
	return etfs_fid_walk(sb, fid);
}
