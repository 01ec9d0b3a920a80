// SPDX-License-Identifier: GPL-2.0
/*
 * A walk on the host that the dcache answers.
 *
 * The VFS's own copies the path and keeps a state for all that a walk may meet:
 * for a short path that is most of what it costs. Most paths are names that
 * are known, in directories that the caller may search, and mounts. Such a one
 * is walked here name by name, as the VFS does it once it takes references;
 * whatever else there is, and each error, is the VFS's.
 */
#include "host.h"

#include <linux/audit.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/string.h>
#include <linux/stringhash.h>

/* Who has to be asked before a name is what it was. */
#define ETFS_ASKS \
	(DCACHE_OP_REVALIDATE | DCACHE_MANAGE_TRANSIT | DCACHE_NEED_AUTOMOUNT)
/* Directories whose names are compared in other ways. */
#define ETFS_COMPARES	(DCACHE_OP_HASH | DCACHE_OP_COMPARE)

/* How far it has come. */
struct etfs_dwalk {
	struct path at;
	/* as they were when it came there */
	unsigned int flags;
	/* references, once it is not where it began */
	bool is_held;
};

/* What is judged of a dentry is judged by one look, after which it has an inode. */
static void etfs_dwalk_look(struct etfs_dwalk *walk)
{
	/* Pairs with the release when a negative one becomes positive. */
	walk->flags = smp_load_acquire(&walk->at.dentry->d_flags);
}

static bool etfs_dwalk_is(const struct etfs_dwalk *walk, unsigned int type)
{
	return (walk->flags & DCACHE_ENTRY_TYPE) == type;
}

static bool etfs_dwalk_may_search(const struct etfs_dwalk *walk)
{
	return etfs_dwalk_is(walk, DCACHE_DIRECTORY_TYPE) &&
	       !(walk->flags & ETFS_COMPARES) &&
	       !inode_permission(path_mnt_idmap(&walk->at),
				 d_inode(walk->at.dentry), MAY_EXEC);
}

static bool etfs_dwalk_is_dots(const char *name, u32 len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

static void etfs_dwalk_end(const struct etfs_dwalk *walk)
{
	if (walk->is_held)
		path_put(&walk->at);
}

/* Go on to a name. Return: false if the VFS has to. */
static bool etfs_dwalk_step(struct etfs_dwalk *walk, const char *name, u32 len)
{
	struct path *at = &walk->at;
	struct qstr qstr = QSTR_INIT(name, len);
	struct dentry *dentry;

	if (len > NAME_MAX || etfs_dwalk_is_dots(name, len) ||
	    !etfs_dwalk_may_search(walk))
		return false;
	qstr.hash = full_name_hash(at->dentry, name, len);
	dentry = d_lookup(at->dentry, &qstr);
	if (!dentry)
		return false;
	if (walk->is_held)
		dput(at->dentry);
	else
		mntget(at->mnt);
	walk->is_held = true;
	at->dentry = dentry;
	do {
		etfs_dwalk_look(walk);
		if (walk->flags & ETFS_ASKS)
			return false;
	} while (unlikely(walk->flags & DCACHE_MOUNTED) && follow_down_one(at));
	return !etfs_dwalk_is(walk, DCACHE_MISS_TYPE) &&
	       !etfs_dwalk_is(walk, DCACHE_SYMLINK_TYPE);
}

/*
 * How much of a path leads to near->dir, bytes, or 0. It did so since the batch has
 * begun to find its hosts: it is as if one walk had taken as long.
 */
static u32 etfs_near_known(const struct etfs_near *near, const char *name)
{
	return near->len && !strncmp(name, near->name, near->len) &&
	       !d_unlinked(near->dir.dentry) &&
	       !d_mountpoint(near->dir.dentry) ? near->len : 0;
}

/* So many bytes of name lead to dir. */
static void etfs_near_set(struct etfs_near *near, const struct path *dir,
			  const char *name, u32 len)
{
	path_get(dir);
	etfs_near_end(near);
	near->dir = *dir;
	near->name = name;
	near->len = len;
}

void etfs_near_end(struct etfs_near *near)
{
	if (near->len)
		path_put(&near->dir);
	near->len = 0;
}

/* known: so many bytes lead to from. near: is told of the way, or NULL. */
static bool etfs_dwalk_from(const struct path *from, const char *whole,
			    u32 known, struct etfs_near *near,
			    struct path *path)
{
	struct etfs_dwalk walk = { .at = *from };
	const char *name = whole + known, *end;

	/* An audited call is told each path that is walked. */
	if (!audit_dummy_context())
		return false;
	etfs_dwalk_look(&walk);
	while (*name == '/')
		name++;
	do {
		end = strchrnul(name, '/');
		if (near && !*end && name - whole > known)
			etfs_near_set(near, &walk.at, whole, name - whole);
		/* Nothing is left behind a slash: a directory is meant. */
		if (end == name || !etfs_dwalk_step(&walk, name, end - name)) {
			etfs_dwalk_end(&walk);
			return false;
		}
		name = end;
		while (*name == '/')
			name++;
	} while (*end);
	*path = walk.at;
	return true;
}

bool etfs_dwalk(const struct path *from, const char *name, struct path *path)
{
	return etfs_dwalk_from(from, name, 0, NULL, path);
}

bool etfs_dwalk_near(const struct etfs_map *map, struct path *path)
{
	struct etfs_origin *origin = map->origin;
	struct etfs_near *near = &origin->near;
	const char *host = map->spec.host;
	u32 known = etfs_near_known(near, host);
	struct path root;
	bool is_found;

	if (known) {
		is_found = etfs_dwalk_from(&near->dir, host, known, near, path);
	} else {
		/* Nothing of it is in use while another host takes its time. */
		etfs_near_end(near);
		etfs_origin_root(origin, &root);
		is_found = etfs_dwalk_from(&root, host, 0, near, path);
		path_put(&root);
	}
	if (!is_found || !etfs_origin_is_gone(origin))
		return is_found;
	path_put(path);
	return false;
}
