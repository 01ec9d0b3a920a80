// SPDX-License-Identifier: GPL-2.0
/*
 * What stat, chmod and access say of a mapped node.
 *
 * Mode and ids are the host's, live, unless an option or chmod or chown said
 * otherwise; that is kept with the map, for all mounts. The inode has a copy,
 * which is refreshed by each stat and open, and before anyone is refused.
 */
#include "rumpfs.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/stat.h>

void rumpfs_key_load(struct inode *inode)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);
	struct etfs_map *map = node->map;

	spin_lock(&map->attr_lock);
	inode->i_mode = (inode->i_mode & S_IFMT) | map->attr.mode;
	inode->i_uid = map->attr.uid;
	inode->i_gid = map->attr.gid;
	WRITE_ONCE(node->key.attr_seq, map->attr_seq);
	spin_unlock(&map->attr_lock);
}

bool rumpfs_key_learn(struct inode *inode, const struct kstat *host)
{
	struct etfs_map *map = RUMPFS_NODE(inode)->map;
	struct etfs_attr *attr = &map->attr;
	bool changed = false;

	spin_lock(&map->attr_lock);
	if (!(attr->flags & ETFS_MAP_MODE) &&
	    attr->mode != (host->mode & 07777)) {
		attr->mode = host->mode & 07777;
		changed = true;
	}
	if (!(attr->flags & ETFS_MAP_UID) && !uid_eq(attr->uid, host->uid)) {
		attr->uid = host->uid;
		changed = true;
	}
	if (!(attr->flags & ETFS_MAP_GID) && !gid_eq(attr->gid, host->gid)) {
		attr->gid = host->gid;
		changed = true;
	}
	if (attr->has_times &&
	    !timespec64_equal(&attr->host_mtime, &host->mtime))
		attr->has_times = false;
	if (changed)
		WRITE_ONCE(map->attr_seq, map->attr_seq + 1);
	spin_unlock(&map->attr_lock);
	changed = READ_ONCE(map->attr_seq) !=
		  READ_ONCE(RUMPFS_NODE(inode)->key.attr_seq);
	if (changed)
		rumpfs_key_load(inode);
	return changed;
}

static int rumpfs_key_getattr(struct mnt_idmap *idmap, const struct path *path,
			      struct kstat *stat, u32 request_mask,
			      unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct etfs_map *map = RUMPFS_NODE(inode)->map;
	const struct etfs_window *win = &map->spec.win;
	struct kstat host;
	int err;

	err = etfs_host_getattr(map, &host);
	if (err)
		return err;
	rumpfs_key_learn(inode, &host);
	generic_fillattr(idmap, request_mask, inode, stat);
	stat->atime = host.atime;
	stat->mtime = host.mtime;
	stat->ctime = host.ctime;
	stat->btime = host.btime;
	stat->result_mask |= host.result_mask & STATX_BTIME;
	stat->blksize = host.blksize;
	stat->nlink = 1;
	spin_lock(&map->attr_lock);
	if (map->attr.has_times) {
		stat->atime = map->attr.atime;
		stat->mtime = map->attr.mtime;
	}
	spin_unlock(&map->attr_lock);
	if (!S_ISREG(inode->i_mode))
		return 0;
	stat->size = etfs_window_size(win, host.size);
	stat->blocks = min_t(u64, host.blocks, DIV_ROUND_UP(stat->size, 512));
	if (!etfs_window_is_fixed(win) && !win->offset)
		stat->blocks = host.blocks;
	i_size_write(inode, stat->size);
	return 0;
}

/* Refresh the copy in the inode from the host. */
static int rumpfs_key_ask(struct inode *inode)
{
	struct kstat host;
	int err;

	err = etfs_host_getattr(RUMPFS_NODE(inode)->map, &host);
	if (!err)
		rumpfs_key_learn(inode, &host);
	return err;
}

static int rumpfs_key_permission(struct mnt_idmap *idmap, struct inode *inode,
				 int mask)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);
	int err;

	if ((mask & MAY_WRITE) && (node->map->spec.flags & ETFS_MAP_RO))
		return S_ISREG(inode->i_mode) ? -EROFS : -EACCES;
	/* Somebody else's chmod, in another mount. */
	if (READ_ONCE(node->key.attr_seq) != READ_ONCE(node->map->attr_seq)) {
		if (mask & MAY_NOT_BLOCK)
			return -ECHILD;
		rumpfs_key_load(inode);
	}
	err = generic_permission(idmap, inode, mask);
	if (err != -EACCES)
		return err;
	if (mask & MAY_NOT_BLOCK)
		return -ECHILD;
	if (rumpfs_key_ask(inode))
		return err;
	return generic_permission(idmap, inode, mask);
}

/* O_TRUNC means nothing on a window with an end of its own, as on a disk. */
static int rumpfs_key_truncate(struct inode *inode, const struct iattr *attr)
{
	struct etfs_map *map = RUMPFS_NODE(inode)->map;
	const struct etfs_window *win = &map->spec.win;
	struct etfs_open *open;
	struct file *host;
	int err;

	if (etfs_window_is_fixed(win)) {
		if (attr->ia_valid & ATTR_OPEN || attr->ia_size == win->size)
			return 0;
		return -EINVAL;
	}
	if (attr->ia_valid & ATTR_FILE) {
		open = attr->ia_file->private_data;
		/* An O_TRUNC that comes before ->open has none. */
		host = open ? get_file(open->host) :
			      etfs_host_open(map, O_WRONLY, NULL);
	} else {
		host = etfs_host_open(map, O_WRONLY, NULL);
	}
	if (IS_ERR(host))
		return PTR_ERR(host);
	err = etfs_host_truncate(host, attr->ia_size + win->offset);
	fput(host);
	if (!err) {
		i_size_write(inode, attr->ia_size);
		etfs_cover_changed(inode);
	}
	return err;
}

/* Attributes of the node change in memory alone; the host never knows. */
static int rumpfs_key_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			      struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct etfs_map *map = RUMPFS_NODE(inode)->map;
	const unsigned int times = ATTR_ATIME_SET | ATTR_MTIME_SET |
				   ATTR_TIMES_SET;
	bool is_size = attr->ia_valid & ATTR_SIZE;
	struct kstat host = { };
	int err;

	err = rumpfs_key_ask(inode);
	if (err)
		return err;
	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (is_size && S_ISREG(inode->i_mode)) {
		err = rumpfs_key_truncate(inode, attr);
		if (err)
			return err;
	}
	/* The host's own times tell of a truncation. */
	if (is_size && !(attr->ia_valid & times))
		attr->ia_valid &= ~(ATTR_ATIME | ATTR_MTIME);
	if (attr->ia_valid & (ATTR_ATIME | ATTR_MTIME)) {
		err = etfs_host_getattr(map, &host);
		if (err)
			return err;
	}
	setattr_copy(idmap, inode, attr);

	spin_lock(&map->attr_lock);
	if (attr->ia_valid & ATTR_MODE) {
		map->attr.mode = inode->i_mode & 07777;
		map->attr.flags |= ETFS_MAP_MODE;
	}
	if (attr->ia_valid & ATTR_UID) {
		map->attr.uid = inode->i_uid;
		map->attr.flags |= ETFS_MAP_UID;
	}
	if (attr->ia_valid & ATTR_GID) {
		map->attr.gid = inode->i_gid;
		map->attr.flags |= ETFS_MAP_GID;
	}
	if (attr->ia_valid & (ATTR_ATIME | ATTR_MTIME)) {
		if (!map->attr.has_times) {
			map->attr.atime = host.atime;
			map->attr.mtime = host.mtime;
		}
		if (attr->ia_valid & ATTR_ATIME)
			map->attr.atime = inode_get_atime(inode);
		if (attr->ia_valid & ATTR_MTIME)
			map->attr.mtime = inode_get_mtime(inode);
		map->attr.host_mtime = host.mtime;
		map->attr.has_times = true;
	}
	WRITE_ONCE(map->attr_seq, map->attr_seq + 1);
	spin_unlock(&map->attr_lock);
	rumpfs_key_load(inode);
	return 0;
}

const struct inode_operations rumpfs_key_inode_operations = {
	.getattr	= rumpfs_key_getattr,
	.setattr	= rumpfs_key_setattr,
	.permission	= rumpfs_key_permission,
};
