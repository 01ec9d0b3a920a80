// SPDX-License-Identifier: GPL-2.0
/*
 * What stat, truncate and access say of a host object seen through.
 *
 * A node's mode and ids are a copy of the host's, taken anew by each walk over
 * its name and by each look at it, so that the usual checks see them live.
 */
#include "mirror.h"
#include "open.h"

#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/xattr.h>

bool etfs_mirror_learn(struct inode *inode, const struct kstat *host)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);
	struct etfs_map *map = rumpfs_map(inode);
	const struct etfs_attr *attr = &map->attr;
	u32 own = etfs_mirror_is_top(inode) ? map->spec.flags : 0;
	umode_t mode = own & ETFS_MAP_MODE ? attr->mode : host->mode & 07777;
	kuid_t uid = own & ETFS_MAP_UID ? attr->uid : host->uid;
	kgid_t gid = own & ETFS_MAP_GID ? attr->gid : host->gid;
	bool changed;

	mode |= READ_ONCE(inode->i_mode) & S_IFMT;
	spin_lock(&inode->i_lock);
	changed = inode->i_mode != mode || !uid_eq(inode->i_uid, uid) ||
		  !gid_eq(inode->i_gid, gid);
	if (changed) {
		WRITE_ONCE(map->attr_changed, jiffies);
		/* As in rumpfs_attr_set(); who learns has the lock, too. */
		smp_wmb();
		WRITE_ONCE(node->attr_seq, node->attr_seq + 1);
		/* Likewise. */
		smp_wmb();
	}
	WRITE_ONCE(inode->i_mode, mode);
	WRITE_ONCE(inode->i_uid, uid);
	WRITE_ONCE(inode->i_gid, gid);
	set_nlink(inode, host->nlink);
	i_size_write(inode, host->size);
	inode_set_mtime_to_ts(inode, host->mtime);
	inode_set_ctime_to_ts(inode, host->ctime);
	spin_unlock(&inode->i_lock);
	return changed;
}

/* The host file of whoever has the node open, or NULL. */
static struct file *etfs_mirror_opened(struct inode *inode)
{
	const struct rumpfs_mirrored *mirrored = RUMPFS_MIRRORED(inode);
	struct file *host = NULL;

	if (!S_ISREG(READ_ONCE(inode->i_mode)) || hlist_empty(&mirrored->opens))
		return NULL;
	spin_lock(&inode->i_lock);
	if (!hlist_empty(&mirrored->opens))
		host = etfs_gate_get_host(hlist_entry(mirrored->opens.first,
						      struct etfs_open,
						      sibling));
	spin_unlock(&inode->i_lock);
	return host;
}

bool etfs_mirror_is_same(struct inode *inode, const struct etfs_host_id *id,
			 const struct kstat *stat)
{
	return (READ_ONCE(inode->i_mode) & S_IFMT) == (stat->mode & S_IFMT) &&
	       !memcmp(&RUMPFS_MIRRORED(inode)->host, id, sizeof(*id));
}

/* What the host has at the name of a node. Return: 1 if it is another one. */
static int etfs_mirror_find_name(struct dentry *dentry, struct path *path,
				 struct kstat *stat)
{
	struct inode *inode = d_inode(dentry);
	struct etfs_host_id id;
	struct etfs_rel rel;
	int err;

	err = etfs_mirror_path(NULL, dentry, &rel);
	if (!err)
		err = etfs_host_find_below(rumpfs_map(inode), rel.path,
					   ETFS_ASK_LINK, NULL, path, stat);
	etfs_rel_put(&rel);
	if (err || etfs_mirror_is_top(inode))
		return err;
	id = etfs_host_id(path, stat);
	return !etfs_mirror_is_same(inode, &id, stat);
}

static int etfs_mirror_find_path(struct dentry *dentry, struct path *path,
				 struct kstat *stat)
{
	int ret = etfs_mirror_find_name(dentry, path, stat);

	if (ret <= 0)
		return ret;
	path_put(path);
	return -ESTALE;
}

/* Find the host object of a node, by an open file of it or else by its path. */
static int etfs_mirror_find(struct dentry *dentry, struct path *path,
			    struct kstat *stat)
{
	struct inode *inode = d_inode(dentry);
	struct file *host;
	int err;

	if (etfs_map_has_ended(rumpfs_map(inode)))
		return -ESTALE;
	host = etfs_mirror_opened(inode);
	if (!host)
		return etfs_mirror_find_path(dentry, path, stat);
	err = etfs_host_fgetattr(host, stat);
	if (!err) {
		*path = host->f_path;
		path_get(path);
	}
	fput(host);
	return err;
}

/* What the host has at the name of a node, if the caller may go there. */
static int etfs_mirror_find_now(struct dentry *dentry, struct path *path,
				struct kstat *stat)
{
	struct etfs_rel rel;
	int err;

	err = etfs_mirror_path(NULL, dentry, &rel);
	if (!err)
		err = etfs_host_find_below(rumpfs_map(d_inode(dentry)),
					   rel.path, ETFS_ASK_WAY, NULL, path,
					   stat);
	etfs_rel_put(&rel);
	return err;
}

/* The host object of a node; or what has its name by now, see ->is_sought. */
static int etfs_mirror_find_sought(struct dentry *dentry, struct path *path,
				   struct kstat *stat)
{
	struct inode *inode = d_inode(dentry);
	int err = etfs_mirror_find(dentry, path, stat);

	if (err != -ESTALE || !etfs_mirror_is_sought(inode) ||
	    etfs_map_has_ended(rumpfs_map(inode)))
		return err;
	return etfs_mirror_find_now(dentry, path, stat);
}

/*
 * Refresh the copy in the inode from the host, and ask the host. *is_found
 * tells an answer from why there is none.
 */
static int etfs_mirror_ask(struct mnt_idmap *idmap, struct inode *inode,
			   int mask, bool *is_found)
{
	struct dentry *dentry;
	struct kstat stat;
	struct path path;
	int err;

	*is_found = etfs_mirror_is_implied(inode);
	if (*is_found)
		return 0;
	dentry = d_find_any_alias(inode);
	if (!dentry)
		return -ESTALE;
	err = etfs_mirror_find(dentry, &path, &stat);
	dput(dentry);
	if (err)
		return err;
	*is_found = true;
	etfs_mirror_learn(inode, &stat);
	err = rumpfs_key_ask_list(idmap, inode, &path, mask);
	path_put(&path);
	return err;
}

/* Has the host object gone, and who holds the node only remembers it? */
static bool etfs_mirror_is_gone(const struct inode *inode, int err)
{
	return !etfs_mirror_is_top(inode) &&
	       (err == -ENOENT || err == -ESTALE || err == -ENOTDIR);
}

int etfs_mirror_getattr(struct mnt_idmap *idmap, const struct path *path,
			struct kstat *stat, u32 request_mask,
			unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct kstat host;
	struct path found;
	int err = 0;

	/* The host's changes move no counter of ours: its ctime tells. */
	request_mask &= ~STATX_CHANGE_COOKIE;
	if (etfs_mirror_is_implied(inode)) {
		generic_fillattr(idmap, request_mask, inode, stat);
		return 0;
	}
	err = etfs_mirror_find(path->dentry, &found, &host);
	if (etfs_mirror_is_gone(inode, err)) {
		generic_fillattr(idmap, request_mask, inode, stat);
		stat->nlink = 0;
		return 0;
	}
	if (err)
		return err;
	path_put(&found);
	etfs_mirror_learn(inode, &host);
	generic_fillattr(idmap, request_mask, inode, stat);
	stat->size = host.size;
	stat->blocks = host.blocks;
	stat->blksize = host.blksize;
	stat->nlink = host.nlink;
	stat->atime = host.atime;
	stat->mtime = host.mtime;
	stat->ctime = host.ctime;
	stat->btime = host.btime;
	stat->result_mask |= host.result_mask & STATX_BTIME;
	return 0;
}

/* Of who has it open; for reading alone, if that was with O_TRUNC. */
static struct file *etfs_mirror_cut_opened(struct etfs_open *open)
{
	struct file *host = etfs_gate_get_host(open), *writer;

	if (!host)
		return ERR_PTR(-EIO);
	writer = etfs_host_get_writer(open->map, host);
	fput(host);
	return writer;
}

/* The host file to be cut, open for writing. */
static struct file *etfs_mirror_cut_open(struct dentry *dentry,
					 const struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct etfs_rel rel;
	struct kstat stat;
	struct file *host;
	int err;

	if ((attr->ia_valid & ATTR_FILE) && attr->ia_file->private_data)
		return etfs_mirror_cut_opened(attr->ia_file->private_data);
	err = etfs_mirror_path(NULL, dentry, &rel);
	host = err ? ERR_PTR(err) :
	       etfs_host_open_below(rumpfs_map(inode), rel.path,
				    O_WRONLY, &RUMPFS_MIRRORED(inode)->host,
				    etfs_mirror_is_sought(inode) ? MAY_WRITE : 0,
				    &stat);
	etfs_rel_put(&rel);
	return host;
}

/*
 * To open the host file may take until somebody has said that it may be, who
 * may want our inode first: its lock is let go meanwhile.
 */
static int etfs_mirror_truncate(struct mnt_idmap *idmap, struct dentry *dentry,
				const struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct file *host;
	int err;

	inode_unlock(inode);
	host = etfs_mirror_cut_open(dentry, attr);
	/* Who has it open for writing was asked then. */
	err = PTR_ERR_OR_ZERO(host);
	if (!err && !((attr->ia_valid & ATTR_FILE) &&
		      (attr->ia_file->f_mode & FMODE_WRITE)))
		err = rumpfs_key_ask_list(idmap, inode, &host->f_path,
					  MAY_WRITE);
	if (!err)
		err = etfs_host_want_write(host);
	if (err) {
		inode_lock(inode);
		goto put_host;
	}
	etfs_host_lock_above(host, inode);
	err = etfs_host_truncate(host, attr->ia_size, attr->ia_valid);
	if (!err)
		rumpfs_key_set_size(inode, attr->ia_size);
	etfs_host_drop_write(host);
put_host:
	if (!IS_ERR(host))
		fput(host);
	return err;
}

/* A file can be cut; nothing else of a host object is changed. */
int etfs_mirror_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct etfs_map *map = rumpfs_map(inode);
	int err;

	if (!(attr->ia_valid & ATTR_SIZE) || !S_ISREG(READ_ONCE(inode->i_mode)))
		return -EOPNOTSUPP;
	err = etfs_gate_make(map) ?: etfs_map_use(map);
	if (err)
		return err;
	err = -EIO;
	if (etfs_map_enter(map)) {
		err = etfs_mirror_truncate(idmap, dentry, attr);
		etfs_map_leave(map);
	}
	etfs_map_unuse(map);
	return err;
}

static int etfs_mirror_file_permission(struct mnt_idmap *idmap,
				       struct inode *inode, int mask)
{
	bool is_found;
	int err;

	if ((mask & MAY_WRITE) &&
	    (rumpfs_map(inode)->spec.flags & ETFS_MAP_RO))
		return -EROFS;
	err = generic_permission(idmap, inode, mask);
	/* The walk that led here has asked; an open file may be older. */
	if (err != -EACCES)
		return err;
	if (mask & MAY_NOT_BLOCK)
		return -ECHILD;
	if (etfs_mirror_ask(idmap, inode, mask, &is_found))
		return err;
	return generic_permission(idmap, inode, mask);
}

/*
 * The host has another object at a directory's name, or none. Return: whether
 * it had the name until now.
 */
static bool etfs_mirror_forget(struct inode *inode)
{
	struct dentry *dentry = d_find_any_alias(inode);
	bool had_name = dentry && !d_unhashed(dentry);

	if (had_name)
		d_invalidate(dentry);
	dput(dentry);
	return had_name;
}

/*
 * A walk goes on by the name of a directory that is not there any more: may it
 * pass the one that is, and might it pass the one that was, which may be back
 * at once? Where there is none, a key may lie below, and the last known rights
 * go on. Ids that the mount maps cannot be asked for.
 */
static int etfs_mirror_may_pass(struct mnt_idmap *idmap, struct inode *inode,
				int mask)
{
	struct dentry *dentry = d_find_any_alias(inode);
	struct kstat stat;
	struct path path;
	int err, may_once;

	if (!dentry)
		return -ESTALE;
	may_once = generic_permission(idmap, inode, mask);
	err = etfs_mirror_find_now(dentry, &path, &stat);
	dput(dentry);
	if (err)
		return etfs_mirror_is_gone(inode, err) ? may_once : err;
	if (!S_ISDIR(stat.mode))
		err = 0;
	else if (idmap != &nop_mnt_idmap)
		err = -ESTALE;
	else
		err = inode_permission(path_mnt_idmap(&path),
				       d_inode(path.dentry), mask);
	path_put(&path);
	return err ?: may_once;
}

/*
 * Asked before each step into a directory: then it is the one look at the host
 * that a walk through it takes, see etfs_mirror_revalidate(). If the host says
 * that this is not the directory any more, the walk is told to begin again; if
 * that was done already, or who walks is in it, he goes on by its name.
 *
 * Nothing is made or removed here, so nobody need be asked who may; who would
 * ask holds locks.
 */
int etfs_mirror_dir_permission(struct mnt_idmap *idmap, struct inode *inode,
			       int mask)
{
	const int unlocked = MAY_OPEN | MAY_ACCESS | MAY_CHDIR;
	bool is_found;
	int err;

	if (etfs_host_is_walking())
		return -ELOOP;
	if ((mask & MAY_WRITE) && !(mask & unlocked))
		return generic_permission(idmap, inode, mask);
	if (mask & MAY_NOT_BLOCK)
		return -ECHILD;
	err = etfs_mirror_ask(idmap, inode, mask, &is_found);
	if (is_found || mask != MAY_EXEC || err == -ENOMEM ||
	    etfs_mirror_is_top(inode))
		return err == -EACCES ? err :
					generic_permission(idmap, inode, mask);
	if (!etfs_mirror_is_gone(inode, err))
		return err;
	if (etfs_mirror_forget(inode) && !etfs_mirror_is_sought(inode))
		return -ESTALE;
	return etfs_mirror_may_pass(idmap, inode, mask);
}

/* Extended attributes */

ssize_t etfs_mirror_listxattr(struct dentry *dentry, char *list, size_t size)
{
	struct kstat stat;
	struct path path;
	ssize_t ret;

	if (etfs_mirror_is_implied(d_inode(dentry)))
		return 0;
	ret = etfs_mirror_find_sought(dentry, &path, &stat);
	if (ret)
		return ret;
	ret = vfs_listxattr(path.dentry, list, size);
	path_put(&path);
	return ret;
}

/* The VFS has asked our node who may; the registrant reads. */
ssize_t etfs_mirror_getxattr(struct dentry *dentry, struct inode *inode,
			     const char *name, void *buf, size_t size)
{
	struct kstat stat;
	struct path path;
	ssize_t ret;

	if (etfs_mirror_is_implied(inode))
		return -ENODATA;
	ret = etfs_mirror_find_sought(dentry, &path, &stat);
	if (ret)
		return ret;
	/* It gives nobody more rights than where it is mounted. */
	if (!strcmp(name, XATTR_NAME_CAPS) && !etfs_host_has_suid(&path))
		ret = -ENODATA;
	else
		ret = vfs_getxattr(path_mnt_idmap(&path), path.dentry, name,
				   buf, size);
	path_put(&path);
	return ret;
}

const struct inode_operations etfs_mirror_file_inode_operations = {
	.getattr	= etfs_mirror_getattr,
	.setattr	= etfs_mirror_setattr,
	.permission	= etfs_mirror_file_permission,
	.listxattr	= etfs_mirror_listxattr,
};
