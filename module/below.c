// SPDX-License-Identifier: GPL-2.0
/*
 * Below: what lies in a host directory that is mapped.
 *
 * A name below the directory is walked to from there, and from nowhere else:
 * what leads out of it, by ".." or by a symbolic link, is not there. Each walk
 * begins anew, at what the mapped path leads to or at the directory that is
 * bound for good, and holds nothing of the host when it is over.
 */
#include "host.h"
#include "open.h"

#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/stat.h>

/*
 * Who is looking for a host object below a mapped directory. A walk that comes
 * through a mapped directory itself would start another one, and wait for the
 * lock of a directory it may hold: such a directory lets no walk through.
 */
struct etfs_walk {
	struct hlist_node node;
	const struct task_struct *task;
};

#define ETFS_WALK_BITS	6

static struct etfs_walks {
	/* covers list; a leaf */
	spinlock_t lock;
	struct hlist_head list;
} etfs_walks[1 << ETFS_WALK_BITS] = {
	[0 ... (1 << ETFS_WALK_BITS) - 1] = {
		.lock = __SPIN_LOCK_UNLOCKED(etfs_walks.lock),
	},
};

static struct etfs_walks *etfs_walks_of(const struct task_struct *task)
{
	return &etfs_walks[hash_ptr(task, ETFS_WALK_BITS)];
}

bool etfs_host_is_walking(void)
{
	struct etfs_walks *walks = etfs_walks_of(current);
	struct etfs_walk *walk;
	bool found = false;

	if (hlist_empty(&walks->list))
		return false;
	spin_lock(&walks->lock);
	hlist_for_each_entry(walk, &walks->list, node)
		found |= walk->task == current;
	spin_unlock(&walks->lock);
	return found;
}

static void etfs_walk_begin(struct etfs_walk *walk)
{
	struct etfs_walks *walks = etfs_walks_of(current);

	walk->task = current;
	spin_lock(&walks->lock);
	hlist_add_head(&walk->node, &walks->list);
	spin_unlock(&walks->lock);
}

static void etfs_walk_end(struct etfs_walk *walk)
{
	struct etfs_walks *walks = etfs_walks_of(current);

	spin_lock(&walks->lock);
	hlist_del(&walk->node);
	spin_unlock(&walks->lock);
}

/* What leads out of the directory, or nowhere, is not there. */
static int etfs_host_walk_from(const struct path *top, const char *rel,
			       unsigned int flags, struct path *path)
{
	int err = etfs_way_walk(top, rel, flags | LOOKUP_BENEATH, path);

	return err == -EXDEV || err == -ELOOP ? -ENOENT : err;
}

/* The mapped directory. As the registrant. */
static int etfs_host_walk_top(struct etfs_map *map, struct path *top)
{
	struct etfs_reason unheard;
	int err;

	err = etfs_host_path(map, etfs_way_walk, LOOKUP_DIRECTORY, top);
	if (err)
		return err;
	err = etfs_host_judge_depth(top->dentry->d_sb, &unheard);
	if (err)
		path_put(top);
	return err;
}

/*
 * The directories on the way to where a symbolic link has led were asked as
 * the registrant: may the caller go there? Our own nodes answer for those that
 * a path through rumpfs names.
 */
static int etfs_host_may_reach(const struct path *top, const struct path *path)
{
	struct path at = *path;
	struct dentry *parent;
	int err = 0;

	path_get(&at);
	while (!err && !path_equal(&at, top)) {
		if (at.dentry == at.mnt->mnt_root) {
			if (!follow_up(&at))
				err = -ENOENT;
			continue;
		}
		if (IS_ROOT(at.dentry)) {
			err = -ENOENT;
			continue;
		}
		parent = dget_parent(at.dentry);
		dput(at.dentry);
		at.dentry = parent;
		if (!path_equal(&at, top))
			err = inode_permission(path_mnt_idmap(&at),
					       d_inode(parent), MAY_EXEC);
	}
	path_put(&at);
	return err;
}

/* As the registrant. Return: 1 if a symbolic link at the end was followed. */
static int etfs_host_walk_below(const struct path *top, const char *rel,
				struct path *path)
{
	int err;

	if (!*rel) {
		*path = *top;
		path_get(path);
		return 0;
	}
	err = etfs_host_walk_from(top, rel, 0, path);
	if (err || !d_is_symlink(path->dentry))
		return err;
	path_put(path);
	return etfs_host_walk_from(top, rel, LOOKUP_FOLLOW, path) ?: 1;
}

static int etfs_host_judge_below(const struct path *path, struct kstat *stat)
{
	struct etfs_reason unheard;
	umode_t mode = READ_ONCE(d_inode(path->dentry)->i_mode);

	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return -ENOENT;
	return etfs_host_judge_depth(path->dentry->d_sb, &unheard) ?:
	       etfs_host_stat(path, stat);
}

struct etfs_host_id etfs_host_id(const struct path *path,
				 const struct kstat *stat)
{
	return (struct etfs_host_id) {
		.ino = stat->ino,
		.dev = stat->dev,
		.gen = d_inode(path->dentry)->i_generation,
	};
}

/* Of the directory that has it; a mount is had by the one it is mounted on. */
static int etfs_host_parent(const struct path *path, struct etfs_host_dir *dir)
{
	struct path at = *path;
	struct dentry *parent;
	struct kstat stat;
	int err;

	path_get(&at);
	while (at.dentry == at.mnt->mnt_root && follow_up(&at))
		;
	parent = dget_parent(at.dentry);
	dput(at.dentry);
	at.dentry = parent;
	err = vfs_getattr_nosec(&at, &stat, STATX_INO | STATX_MODE | STATX_UID |
				STATX_GID, AT_STATX_DONT_SYNC);
	if (!err)
		*dir = (struct etfs_host_dir) {
			.id = etfs_host_id(&at, &stat),
			.mode = stat.mode, .uid = stat.uid, .gid = stat.gid,
		};
	path_put(&at);
	return err;
}

int etfs_host_find_below(struct etfs_map *map, const char *rel,
			 enum etfs_ask ask, struct etfs_host_dir *parent,
			 struct path *path, struct kstat *stat)
{
	const struct cred *old;
	struct etfs_walk walk;
	struct path top;
	int err, is_link = 0;

	if (etfs_host_is_walking())
		return -ELOOP;
	if (etfs_map_has_ended(map))
		return -ESTALE;
	old = etfs_origin_act(map->origin);
	etfs_walk_begin(&walk);
	err = etfs_host_walk_top(map, &top);
	if (err)
		goto end;
	is_link = etfs_host_walk_below(&top, rel, path);
	err = min(is_link, 0);
	if (!err) {
		err = etfs_origin_is_gone(map->origin) ? -ESTALE :
		      etfs_host_judge_below(path, stat);
		if (!err && parent && !is_link && !path_equal(&top, path))
			err = etfs_host_parent(path, parent);
		if (err)
			path_put(path);
	}
	if (err)
		path_put(&top);
end:
	etfs_walk_end(&walk);
	revert_creds(old);
	if (err)
		return err;
	if (is_link || ask == ETFS_ASK_WAY)
		err = etfs_host_may_reach(&top, path);
	path_put(&top);
	if (err)
		path_put(path);
	return err;
}

int etfs_host_may(const struct path *path, int mask)
{
	struct inode *inode = d_inode(path->dentry);

	if (!etfs_host_has_list(inode))
		return 0;
	/* A security module knows the registrant alone. */
	if (inode->i_op->permission)
		return inode->i_op->permission(path_mnt_idmap(path), inode,
					       mask);
	return generic_permission(path_mnt_idmap(path), inode, mask);
}

/* Find what id says; or, if the caller may do that to it, what is there now. */
static int etfs_host_find_known(struct etfs_map *map, const char *rel,
				const struct etfs_host_id *id, int mask,
				struct path *path, struct kstat *stat)
{
	struct etfs_host_id found;
	int err;

	err = etfs_host_find_below(map, rel, ETFS_ASK_LINK, NULL, path, stat);
	if (err || !id)
		return err;
	found = etfs_host_id(path, stat);
	if (!memcmp(&found, id, sizeof(found)))
		return 0;
	path_put(path);
	if (!(mask & (MAY_READ | MAY_WRITE)))
		return -ESTALE;
	err = etfs_host_find_below(map, rel, ETFS_ASK_WAY, NULL, path, stat);
	if (err)
		return err;
	err = inode_permission(path_mnt_idmap(path), d_inode(path->dentry),
			       mask);
	if (err)
		path_put(path);
	return err;
}

/* Overlayfs copies what is opened for writing; leases are waited for. */
static struct file *etfs_host_try_open(const struct etfs_map *map,
				       const struct path *path, int flags)
{
	struct file *host;

	if ((flags & O_ACCMODE) && path->dentry->d_sb->s_stack_depth)
		return ERR_PTR(-EWOULDBLOCK);
	host = etfs_host_open_as(map, path, flags | O_NONBLOCK);
	if (!IS_ERR(host))
		host->f_flags &= ~O_NONBLOCK;
	return host;
}

struct file *etfs_host_open_below(struct etfs_map *map, const char *rel,
				  int flags, const struct etfs_host_id *id,
				  int mask, struct kstat *stat)
{
	const struct cred *old;
	struct etfs_reason unheard;
	struct file *host;
	struct path path;
	int err;

	err = etfs_host_find_known(map, rel, id, mask, &path, stat);
	if (err)
		return ERR_PTR(err);
	old = etfs_origin_act(map->origin);
	host = mask & MAY_NOT_BLOCK ? etfs_host_try_open(map, &path, flags) :
				      etfs_host_open_as(map, &path, flags);
	revert_creds(old);
	path_put(&path);
	if (IS_ERR(host) || S_ISDIR(stat->mode))
		return host;
	err = etfs_host_judge_file(host, &unheard);
	if (err) {
		fput(host);
		return ERR_PTR(err);
	}
	return host;
}

static int etfs_host_judge_dir(const struct etfs_map *map,
			       const struct path *path, struct etfs_reason *why)
{
	int err = etfs_host_judge_depth(path->dentry->d_sb, why);

	if (err)
		return err;
	if (!d_is_dir(path->dentry)) {
		etfs_refuse(why, "the host path is no directory");
		return -ENOTDIR;
	}
	err = inode_permission(path_mnt_idmap(path), d_inode(path->dentry),
			       MAY_READ | MAY_EXEC);
	if (err) {
		etfs_refuse(why, "the host directory cannot be read (%pe)",
			    ERR_PTR(err));
		return err;
	}
	if (map->spec.flags & ETFS_MAP_RO)
		return 0;
	if (__mnt_is_readonly(path->mnt)) {
		etfs_refuse(why, "the host directory is on a read-only mount");
		return -EROFS;
	}
	return 0;
}

static int etfs_host_pin_dir(struct etfs_map *map, const struct path *path,
			     struct etfs_reason *why)
{
	return etfs_pin_begin(map, path, why) ?: etfs_host_pin(map, path, why);
}

/* At registration. Nothing stays bound but by pin: each lookup finds it. */
int etfs_host_bind_dir(struct etfs_map *map, struct etfs_reason *why)
{
	const struct cred *old = etfs_origin_act(map->origin);
	struct etfs_walk walk;
	struct path path;
	int err;

	etfs_walk_begin(&walk);
	err = etfs_host_find(map, &path, why);
	if (!err) {
		err = etfs_host_judge_dir(map, &path, why);
		if (!err)
			etfs_host_remember(map, &path);
		if (!err && (map->spec.flags & ETFS_MAP_PIN))
			err = etfs_host_pin_dir(map, &path, why);
		path_put(&path);
	}
	etfs_walk_end(&walk);
	revert_creds(old);
	return err;
}
