// SPDX-License-Identifier: GPL-2.0
/*
 * The host: the only file that looks up, opens and stats host files.
 *
 * A path is walked from the registrant's root with the registrant's
 * credentials, each time anew; nothing of the host is held in between but that
 * root. What a walk leads to is judged at every open: it may have changed.
 *
 * Rumpfs counts as stacked one deep and takes hosts stacked at most one deep:
 * an overlay above a rumpfs is two deep, so no chain of keys leads back to
 * itself.
 */
#include "etfs.h"

#include <linux/blkdev.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/stat.h>

#include "uapi/rumpfs.h"

/* A host file system may itself stand on one other. */
#define ETFS_MAX_DEPTH	1

/* Who registered a mapping, and from where. Shared by the maps of a batch. */
struct etfs_origin {
	refcount_t ref;
	const struct cred *cred;
	/*
	 * The writer's root was init's: then init's root of the moment counts,
	 * so that keys of an initramfs survive switch_root, and none is held.
	 */
	bool is_init;
	struct path root;
};

struct etfs_origin *etfs_origin_new(const struct cred *cred)
{
	struct etfs_origin *origin = kzalloc(sizeof(*origin), GFP_KERNEL);
	struct path init_root;

	if (!origin)
		return NULL;
	refcount_set(&origin->ref, 1);
	origin->cred = get_cred(cred);
	get_fs_root(current->fs, &origin->root);
	get_init_root(&init_root);
	origin->is_init = path_equal(&origin->root, &init_root);
	path_put(&init_root);
	if (origin->is_init)
		path_put(&origin->root);
	return origin;
}

struct etfs_origin *etfs_origin_get(struct etfs_origin *origin)
{
	refcount_inc(&origin->ref);
	return origin;
}

/* Context: may sleep, may unmount. */
void etfs_origin_put(struct etfs_origin *origin)
{
	if (!refcount_dec_and_test(&origin->ref))
		return;
	if (!origin->is_init)
		path_put(&origin->root);
	put_cred(origin->cred);
	kfree(origin);
}

static void etfs_origin_root(const struct etfs_origin *origin,
			     struct path *root)
{
	if (origin->is_init) {
		get_init_root(root);
	} else {
		*root = origin->root;
		path_get(root);
	}
}

/* The caller has taken on the registrant's credentials. */
static int etfs_host_walk(const struct etfs_map *map, unsigned int flags,
			  struct path *path)
{
	struct path root;
	int err;

	etfs_origin_root(map->origin, &root);
	err = vfs_path_lookup(root.dentry, root.mnt, map->spec.host,
			      LOOKUP_FOLLOW | flags, path);
	path_put(&root);
	return err;
}

static struct file *etfs_host_open_path(const struct etfs_map *map, int flags)
{
	struct path root;
	struct file *host;

	etfs_origin_root(map->origin, &root);
	/* O_NONBLOCK: what was a file may be a fifo by now. */
	host = file_open_root(&root, map->spec.host,
			      flags | O_NONBLOCK | O_LARGEFILE, 0);
	path_put(&root);
	if (IS_ERR(host))
		return host;
	spin_lock(&host->f_lock);
	host->f_flags &= ~O_NONBLOCK;
	spin_unlock(&host->f_lock);
	return host;
}

/* May this object stand behind a key at all? */
static int etfs_host_judge(const struct inode *inode, struct etfs_reason *why)
{
	const struct super_block *sb = inode->i_sb;

	if (S_ISDIR(inode->i_mode)) {
		etfs_refuse(why, "the host path is a directory");
		return -EISDIR;
	}
	if (!S_ISREG(inode->i_mode) && !S_ISBLK(inode->i_mode)) {
		etfs_refuse(why, "the host path is neither a regular file nor a block device");
		return -EINVAL;
	}
	if (sb->s_magic == RUMPFS_SUPER_MAGIC) {
		etfs_refuse(why, "the host path is on a rumpfs mount");
		return -ELOOP;
	}
	if (sb->s_stack_depth > ETFS_MAX_DEPTH) {
		etfs_refuse(why, "the host file system is stacked %d deep, at most %d",
			    sb->s_stack_depth, ETFS_MAX_DEPTH);
		return -ELOOP;
	}
	return 0;
}

static int etfs_host_judge_file(const struct file *host,
				struct etfs_reason *why)
{
	int err = etfs_host_judge(file_inode(host), why);

	if (err)
		return err;
	if (!host->f_op->read_iter ||
	    ((host->f_mode & FMODE_WRITE) && !host->f_op->write_iter)) {
		etfs_refuse(why, "the host file cannot be read and written by bytes");
		return -EINVAL;
	}
	return 0;
}

/* Bytes of an open host file or block device. */
u64 etfs_host_size(const struct file *host)
{
	/* A block device's size is that of its own inode, not of the node. */
	return i_size_read(host->f_mapping->host);
}

static int etfs_host_judge_window(const struct etfs_map *map,
				  const struct file *host,
				  struct etfs_reason *why)
{
	const struct etfs_window *win = &map->spec.win;
	u64 size = etfs_host_size(host);
	u64 len = etfs_window_is_fixed(win) ? win->size : 0;

	if (win->offset <= size && len <= size - win->offset)
		return 0;
	etfs_refuse(why, "window %llu+%llu ends after the host file (%llu bytes)",
		    win->offset, len, size);
	return -EINVAL;
}

/*
 * At registration the path is judged before it is opened: opening a tape
 * rewinds it.
 */
static int etfs_host_check(const struct etfs_map *map, struct etfs_reason *why)
{
	struct path path;
	int err;

	err = etfs_host_walk(map, LOOKUP_NO_MAGICLINKS, &path);
	if (err == -ELOOP && !etfs_host_walk(map, 0, &path)) {
		/* /proc/self/fd/1 is somebody else's file next time. */
		path_put(&path);
		if (map->spec.type == ETFS_REG) {
			etfs_refuse(why, "binding an open file is not in this version");
			return -EINVAL;
		}
		err = etfs_host_walk(map, 0, &path);
	}
	if (err) {
		etfs_refuse(why, "the host path cannot be found (error %d)",
			    -err);
		return err;
	}
	err = etfs_host_judge(d_inode(path.dentry), why);
	path_put(&path);
	return err;
}

int etfs_host_fgetattr(const struct file *host, struct kstat *stat)
{
	return vfs_getattr(&host->f_path, stat,
			   STATX_BASIC_STATS | STATX_BTIME,
			   AT_STATX_SYNC_AS_STAT);
}

/* What the node shows until somebody looks at the host again. */
static void etfs_host_remember(struct etfs_map *map, const struct file *host)
{
	struct kstat stat;

	if (etfs_host_fgetattr(host, &stat))
		return;
	map->attr = (struct etfs_attr) {
		.flags = map->spec.flags,
		.mode = map->spec.flags & ETFS_MAP_MODE ? map->spec.mode :
							  stat.mode & 07777,
		.uid = map->spec.flags & ETFS_MAP_UID ?
			make_kuid(&init_user_ns, map->spec.uid) : stat.uid,
		.gid = map->spec.flags & ETFS_MAP_GID ?
			make_kgid(&init_user_ns, map->spec.gid) : stat.gid,
	};
}

/*
 * Open what the path leads to now, as the registrant. With why this is a
 * registration: the window is checked, too, and the reason for a refusal told.
 */
struct file *etfs_host_open(struct etfs_map *map, int flags,
			    struct etfs_reason *why)
{
	const struct cred *old = override_creds(map->origin->cred);
	struct etfs_reason unheard;
	struct file *host;
	int err = 0;

	if (why)
		err = etfs_host_check(map, why);
	if (err) {
		host = ERR_PTR(err);
		goto revert;
	}
	host = etfs_host_open_path(map, flags);
	if (IS_ERR(host)) {
		if (why)
			etfs_refuse(why, "the host file cannot be opened for %s (error %ld)",
				    flags & O_ACCMODE ? "writing" : "reading",
				    -PTR_ERR(host));
		goto revert;
	}
	err = etfs_host_judge_file(host, why ?: &unheard);
	if (!err && why) {
		err = etfs_host_judge_window(map, host, why);
		etfs_host_remember(map, host);
	}
	if (err) {
		fput(host);
		host = ERR_PTR(err);
	}
revert:
	revert_creds(old);
	return host;
}

/* One more open file of what host is open on, for a mapping. */
struct file *etfs_host_reopen(struct etfs_map *map, const struct file *host)
{
	return dentry_open(&host->f_path,
			   (host->f_flags & O_ACCMODE) | O_LARGEFILE,
			   map->origin->cred);
}

/*
 * The file was opened for writing, so nobody need be asked again. The caller
 * is who loses the setuid bits of a file that is not his.
 */
int etfs_host_truncate(struct file *host, u64 size)
{
	struct dentry *dentry = host->f_path.dentry;
	struct iattr attr = { .ia_valid = ATTR_SIZE, .ia_size = size };
	int err;

	if (size > S64_MAX)
		return -EFBIG;
	if (!S_ISREG(file_inode(host)->i_mode))
		return -EINVAL;
	if (!capable(CAP_FSETID))
		attr.ia_valid |= ATTR_KILL_SUID | ATTR_KILL_SGID;
	err = mnt_want_write_file(host);
	if (err)
		return err;
	inode_lock(d_inode(dentry));
	err = notify_change(path_mnt_idmap(&host->f_path), dentry, &attr,
			    NULL);
	inode_unlock(d_inode(dentry));
	mnt_drop_write_file(host);
	return err;
}

/* Attributes of what the path leads to now; a device has its size. */
int etfs_host_getattr(struct etfs_map *map, struct kstat *stat)
{
	const struct cred *old = override_creds(map->origin->cred);
	struct etfs_reason unheard;
	struct path path;
	int err = 0;

	if (map->host) {
		path = map->host->f_path;
		path_get(&path);
	} else {
		err = etfs_host_walk(map, 0, &path);
	}
	if (err)
		goto revert;
	err = etfs_host_judge(d_inode(path.dentry), &unheard);
	if (!err)
		err = vfs_getattr(&path, stat, STATX_BASIC_STATS | STATX_BTIME,
				  AT_STATX_SYNC_AS_STAT);
	path_put(&path);
	if (!err && S_ISBLK(stat->mode)) {
		struct file *host = etfs_host_open_path(map, O_RDONLY);

		if (IS_ERR(host)) {
			err = PTR_ERR(host);
			goto revert;
		}
		stat->size = etfs_host_size(host);
		stat->blocks = stat->size >> 9;
		fput(host);
	}
revert:
	revert_creds(old);
	return err;
}
