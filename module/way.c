// SPDX-License-Identifier: GPL-2.0
/*
 * Ways: a walk on the host by one who may hold a lock of ours.
 *
 * Who looks for a host object below a mapped directory often holds that
 * directory's lock, and the way may lead through a rumpfs. There it could come
 * to a lock whose holder waits for the first: a rename, or an rmdir of the
 * mapped directory. So a walk here never waits for a lock of ours, whoever
 * makes it.
 *
 * The whole way is tried without locks first. If that fails it is gone one
 * name at a time, each by a walk of the VFS that ends with that name: it takes
 * no lock but that of the directory it is in, for which nobody waits who holds
 * one of ours, or which is below ours. Where it is one of ours, or of a file
 * system that may stand on us, the name is found without a lock or is not
 * there. A way leads out of a rumpfs through what is mounted in it, and that
 * keeps all names that lead to it in memory.
 */
#include "host.h"

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/delayed_call.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/stringhash.h>

/* A rename or a mount anywhere lets a walk without locks fail. */
#define ETFS_WAY_TRIES	100

struct etfs_way {
	/* it never leaves it, and absolute links begin at it */
	const struct path *root;
	/*
	 * LOOKUP_FOLLOW, _DIRECTORY: the end; _BENEATH: no way out, either;
	 * _CACHED: no host is asked
	 */
	unsigned int flags;
	/* how far it has come; a reference */
	struct path at;
	/* what is left, in memory of its own; NULL once that is nothing */
	char *rest;
	char *memory;
	int nr_links;
};

static struct dentry *etfs_way_known(struct dentry *dir, const char *name)
{
	struct qstr qstr = QSTR_INIT(name, strlen(name));

	qstr.hash = full_name_hash(dir, qstr.name, qstr.len);
	return d_lookup(dir, &qstr);
}

/* What is not known is not there; what is, but has to be asked, is a key. */
static int etfs_way_miss(struct dentry *dir, const char *name)
{
	struct dentry *dentry = etfs_way_known(dir, name);

	if (!dentry)
		return -ENOENT;
	dput(dentry);
	return -ELOOP;
}

static int etfs_way_find_cached(const struct path *at, const char *name,
				struct path *path)
{
	int tries = ETFS_WAY_TRIES, err;

	do {
		err = etfs_host_look(at, name, LOOKUP_CACHED, path);
	} while (err == -EAGAIN && --tries);
	return err == -EAGAIN ? etfs_way_miss(at->dentry, name) : err;
}

/* As it is in memory; neither the directory nor the host is asked. */
static int etfs_way_find_known(const struct path *at, const char *name,
			       struct path *path)
{
	path->dentry = etfs_way_known(at->dentry, name);
	if (!path->dentry)
		return -ENOENT;
	path->mnt = mntget(at->mnt);
	while (d_mountpoint(path->dentry) && follow_down_one(path))
		;
	if (!d_is_negative(path->dentry))
		return 0;
	path_put(path);
	return -ENOENT;
}

/* One name, which is not followed if it is a link. */
static int etfs_way_find(const struct etfs_way *way, const char *name,
			 struct path *path)
{
	bool is_end = !way->rest && !(way->flags & LOOKUP_DIRECTORY);

	if (way->flags & LOOKUP_CACHED)
		return etfs_way_find_known(&way->at, name, path);
	if (etfs_host_is_deep(way->at.dentry->d_sb))
		return etfs_way_find_cached(&way->at, name, path);
	/* What is mounted on demand is, on the way to something else. */
	return etfs_host_look(&way->at, name, is_end ? 0 : LOOKUP_AUTOMOUNT,
			      path);
}

/* As ".." leads: not out of the root, nor beside a mount. */
static int etfs_way_up(struct etfs_way *way)
{
	struct path *at = &way->at;
	struct dentry *parent;

	while (!path_equal(at, way->root)) {
		if (at->dentry == at->mnt->mnt_root) {
			if (!follow_up(at))
				break;
			continue;
		}
		if (IS_ROOT(at->dentry))
			return -ENOENT;
		parent = dget_parent(at->dentry);
		dput(at->dentry);
		at->dentry = parent;
		/* Who came down here came out in what is mounted on it. */
		return path_is_mountpoint(at) ? -ENOENT : 0;
	}
	return way->flags & LOOKUP_BENEATH ? -EXDEV : 0;
}

/*
 * The VFS asks the same; whether links of strangers in a directory for all are
 * followed is a setting that it keeps to itself, so here they never are.
 */
static int etfs_way_may_follow(const struct etfs_way *way,
			       const struct path *link)
{
	/* sticky, and others may write */
	const umode_t for_all = 01002;
	struct inode *inode = d_inode(link->dentry);
	struct inode *dir = d_inode(way->at.dentry);

	/* Only a link that leads elsewhere than it says has ->readlink. */
	if (inode->i_op->readlink || link->mnt->mnt_flags & MNT_NOSYMFOLLOW)
		return -ELOOP;
	if ((READ_ONCE(dir->i_mode) & for_all) == for_all &&
	    !uid_eq(inode->i_uid, current_fsuid()) &&
	    !uid_eq(inode->i_uid, dir->i_uid))
		return -EACCES;
	return 0;
}

/* What is left is now what the link says, and then what was left. */
static int etfs_way_prepend(struct etfs_way *way, const struct path *link)
{
	DEFINE_DELAYED_CALL(done);
	const char *to;
	char *memory;

	if ((way->flags & LOOKUP_CACHED) && !d_inode(link->dentry)->i_link)
		return -EAGAIN;
	to = vfs_get_link(link->dentry, &done);
	if (IS_ERR(to))
		return PTR_ERR(to);
	memory = kasprintf(GFP_KERNEL, "%s%s%s", to, way->rest ? "/" : "",
			   way->rest ?: "");
	do_delayed_call(&done);
	if (!memory)
		return -ENOMEM;
	kfree(way->memory);
	way->memory = memory;
	way->rest = memory;
	if (strlen(memory) >= PATH_MAX)
		return -ENAMETOOLONG;
	return *memory ? 0 : -ENOENT;
}

static int etfs_way_follow(struct etfs_way *way, const struct path *link)
{
	int err = etfs_way_may_follow(way, link);

	if (!err && ++way->nr_links > MAXSYMLINKS)
		err = -ELOOP;
	if (!err)
		err = etfs_way_prepend(way, link);
	if (err || *way->rest != '/')
		return err;
	if (way->flags & LOOKUP_BENEATH)
		return -EXDEV;
	path_put(&way->at);
	way->at = *way->root;
	path_get(&way->at);
	return 0;
}

static int etfs_way_step(struct etfs_way *way, const char *name)
{
	struct path next;
	int err;

	/* Also of "file/", "file/." and "file/..". */
	if (!d_can_lookup(way->at.dentry))
		return -ENOTDIR;
	if (!*name || !strcmp(name, "."))
		return 0;
	if (!strcmp(name, ".."))
		return etfs_way_up(way);
	err = etfs_way_find(way, name, &next);
	if (err)
		return err;
	if (d_is_symlink(next.dentry) &&
	    (way->rest || way->flags & LOOKUP_FOLLOW)) {
		err = etfs_way_follow(way, &next);
		path_put(&next);
		return err;
	}
	path_put(&way->at);
	way->at = next;
	return 0;
}

/* The directories on the way may have been moved meanwhile. */
static int etfs_way_judge(const struct etfs_way *way)
{
	if (!path_is_under(&way->at, way->root))
		return way->flags & LOOKUP_BENEATH ? -EXDEV : -ENOENT;
	if (way->flags & LOOKUP_DIRECTORY && !d_can_lookup(way->at.dentry))
		return -ENOTDIR;
	return 0;
}

static int etfs_way_go(const struct path *from, const char *rel,
		       unsigned int flags, struct path *path)
{
	struct etfs_way way = {
		.root = from, .at = *from, .flags = flags,
	};
	int err = 0;

	way.memory = kstrdup(rel, GFP_KERNEL);
	if (!way.memory)
		return -ENOMEM;
	way.rest = way.memory;
	path_get(&way.at);
	while (!err && way.rest) {
		char *name = strsep(&way.rest, "/");

		err = fatal_signal_pending(current) ? -EINTR :
						      etfs_way_step(&way, name);
	}
	kfree(way.memory);
	if (!err)
		err = etfs_way_judge(&way);
	if (err)
		path_put(&way.at);
	else
		*path = way.at;
	return err;
}

int etfs_way_walk(const struct path *from, const char *rel, unsigned int flags,
		  struct path *path)
{
	int err;

	flags |= LOOKUP_NO_MAGICLINKS;
	err = etfs_host_look(from, rel, flags | LOOKUP_CACHED, path);
	return err == -EAGAIN ? etfs_way_go(from, rel, flags, path) : err;
}

int etfs_way_walk_known(const struct path *from, const char *rel,
			unsigned int flags, struct path *path)
{
	return etfs_way_go(from, rel, flags | LOOKUP_CACHED, path);
}
