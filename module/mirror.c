// SPDX-License-Identifier: GPL-2.0
/*
 * Kinds dir, subdirs: a host directory seen through.
 *
 * The path is the truth: each look at a node below the key walks from the
 * registrant's root again, or from the directory that a pin holds, and what is
 * found is compared with what the node stood for. A node holds nothing of the
 * host, only its identity; who opens a file or a directory holds the host's.
 *
 * So nothing here is found under RCU alone. An answer without a lock or a sleep
 * would need the host's dentry at hand; what holds that, or its inode, keeps
 * the host's mount busy, and a pointer that holds nothing may be to memory that
 * is something else by now. The first step into a mapped directory therefore
 * leaves RCU, and each component takes one look at the host, which pays for
 * all components above it: the last one takes two.
 *
 * At a name below the directory there is, in this order: a map of the table; a
 * host directory, or a host file if no key lies below the name; a directory
 * that exists for the keys below it alone. Nothing is ever put into any.
 *
 * Locks: i_rwsem of a directory here, then all that a look at the host takes,
 * which is no lock of ours: see way.c.
 */
#include "mirror.h"
#include "open.h"

#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/posix_acl.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/stringhash.h>

bool etfs_mirror_shows(struct inode *dir, umode_t type)
{
	if (rumpfs_map(dir)->spec.type == ETFS_SUBDIRS)
		return S_ISREG(type) || S_ISDIR(type);
	return S_ISREG(type) && etfs_mirror_is_top(dir);
}

/* Paths */

/* How many components below the key a name is. */
static u32 etfs_mirror_depth(struct dentry *dentry)
{
	struct dentry *parent;
	u32 depth;

	if (d_is_dir(dentry))
		return RUMPFS_MIRRORED(d_inode(dentry))->depth;
	parent = dget_parent(dentry);
	depth = RUMPFS_MIRRORED(d_inode(parent))->depth + 1;
	dput(parent);
	return depth;
}

int etfs_mirror_path(struct inode *dir, struct dentry *dentry,
		     struct etfs_rel *rel)
{
	u32 depth = dir ? RUMPFS_MIRRORED(dir)->depth + 1 :
			  etfs_mirror_depth(dentry);
	const char *path, *at;

	rel->memory = NULL;
	path = dentry_path_raw(dentry, rel->room, sizeof(rel->room));
	if (path == ERR_PTR(-ENAMETOOLONG)) {
		rel->memory = kmalloc(PATH_MAX, GFP_KERNEL);
		path = rel->memory ? dentry_path_raw(dentry, rel->memory,
						     PATH_MAX) :
				     ERR_PTR(-ENOMEM);
	}
	if (IS_ERR(path))
		return PTR_ERR(path);
	at = path + strlen(path);
	for (; depth; depth--)
		do {
			if (at == path)
				return -ENOENT;
		} while (*--at != '/');
	rel->path = *at ? at + 1 : at;
	return 0;
}

/* Nodes */

static const struct inode_operations etfs_mirror_dir_inode_operations;

static struct lock_class_key etfs_mirror_dir_lock;

static void etfs_mirror_set_dir(struct inode *inode)
{
	/* The host's directories are locked under ours. */
	lockdep_set_class(&inode->i_rwsem, &etfs_mirror_dir_lock);
	inode->i_op = &etfs_mirror_dir_inode_operations;
	inode->i_fop = &etfs_mirror_dir_operations;
}

/* Has the directory a name is in one itself? It goes when it is replaced. */
static bool etfs_mirror_is_named(const struct dentry *dentry)
{
	bool is_named;

	rcu_read_lock();
	is_named = !d_unhashed(READ_ONCE(dentry->d_parent));
	rcu_read_unlock();
	return is_named;
}

/*
 * Is that the directory whose node was asked who may search it? Who comes by
 * another one's name, or by none, may have been let pass when it was as the
 * node remembers it.
 */
static bool etfs_mirror_was_asked(struct inode *dir,
				  const struct etfs_host_dir *host,
				  bool is_astray)
{
	bool was_asked;

	if (memcmp(&host->id, &RUMPFS_MIRRORED(dir)->host, sizeof(host->id)))
		return false;
	if (!is_astray)
		return true;
	spin_lock(&dir->i_lock);
	was_asked = dir->i_mode == host->mode &&
		    uid_eq(dir->i_uid, host->uid) &&
		    gid_eq(dir->i_gid, host->gid);
	spin_unlock(&dir->i_lock);
	return was_asked;
}

/*
 * If the host has another directory there by now than the one that was asked,
 * the walk begins again. Who has done so, or is in a directory without a name,
 * is asked for all that lead there.
 */
static int etfs_mirror_find_in(struct inode *dir, const struct dentry *dentry,
			       const char *rel, struct path *path,
			       struct kstat *stat)
{
	struct etfs_map *map = rumpfs_map(dir);
	struct etfs_host_dir parent = { };
	bool is_astray;
	int err;

	if (etfs_mirror_is_top(dir))
		return etfs_host_find_below(map, rel, ETFS_ASK_LINK, NULL, path,
					    stat);
	is_astray = etfs_mirror_is_sought(dir) || !etfs_mirror_is_named(dentry);
	err = etfs_host_find_below(map, rel, ETFS_ASK_LINK, &parent, path,
				   stat);
	if (err || !parent.id.dev ||
	    etfs_mirror_was_asked(dir, &parent, is_astray))
		return err;
	path_put(path);
	if (is_astray)
		return etfs_host_find_below(map, rel, ETFS_ASK_WAY, NULL, path,
					    stat);
	/* Who is in it comes back here without having looked for it. */
	WRITE_ONCE(RUMPFS_MIRRORED(dir)->is_sought, true);
	return 1;
}

static int etfs_mirror_look_host(struct inode *dir, const struct dentry *dentry,
				 const char *rel, struct etfs_seen *seen)
{
	struct path path;
	int err;

	if (rumpfs_map(dir)->spec.type == ETFS_DIR &&
	    !etfs_mirror_is_top(dir))
		return 0;
	err = etfs_mirror_find_in(dir, dentry, rel, &path, &seen->stat);
	if (err > 0)
		return -ESTALE;
	/* Keys below a name need no host. */
	if (err == -ENOENT || err == -ENOTDIR ||
	    (seen->ino && err && err != -EINTR && err != -ENOMEM && err != -EIO))
		return 0;
	if (err)
		return err;
	if (etfs_mirror_shows(dir, seen->stat.mode) &&
	    (!seen->ino || S_ISDIR(seen->stat.mode)))
		seen->id = etfs_host_id(&path, &seen->stat);
	path_put(&path);
	return 0;
}

int etfs_mirror_look(struct inode *dir, struct dentry *dentry,
		     struct etfs_seen *seen)
{
	struct etfs_rel rel;
	const char *name;
	int err;

	memset(seen, 0, offsetof(struct etfs_seen, stat));
	err = etfs_mirror_path(dir, dentry, &rel);
	if (!err) {
		name = kbasename(rel.path);
		err = rumpfs_names_key(dir, name, strlen(name), &seen->map,
				       &seen->ino);
	}
	if (!err && !seen->map)
		err = etfs_mirror_look_host(dir, dentry, rel.path, seen);
	etfs_rel_put(&rel);
	return err;
}

/* inode is what is looked for, data what it would be. */
static int etfs_mirror_test(struct inode *inode, void *data)
{
	const struct rumpfs_node *node = RUMPFS_NODE(inode);
	struct inode *new = data;

	return node->is_mirrored && rumpfs_map(inode) == rumpfs_map(new) &&
	       (READ_ONCE(inode->i_mode) & S_IFMT) == (new->i_mode & S_IFMT) &&
	       inode->i_ino == new->i_ino &&
	       RUMPFS_MIRRORED(inode)->place == RUMPFS_MIRRORED(new)->place &&
	       !memcmp(&RUMPFS_MIRRORED(inode)->host,
		       &RUMPFS_MIRRORED(new)->host,
		       sizeof(struct etfs_host_id));
}

static void etfs_mirror_init(struct inode *inode, struct inode *dir,
			     const struct qstr *name,
			     const struct etfs_seen *seen)
{
	struct rumpfs_mirrored *above = RUMPFS_MIRRORED(dir), *mirrored;
	bool is_host = seen->id.dev;

	inode->i_mode = is_host ? seen->stat.mode & S_IFMT : S_IFDIR | 0755;
	inode->i_ino = is_host ? etfs_mirror_ino(&seen->id) : seen->ino;
	/* Times are the host's, and nothing is changed in memory alone. */
	inode->i_flags |= S_NOATIME | S_NOCMTIME;
	simple_inode_init_ts(inode);
	mirrored = RUMPFS_MIRRORED(inode);
	mirrored->host = seen->id;
	mirrored->map_ino = rumpfs_map(dir)->ino;
	if (S_ISDIR(inode->i_mode)) {
		/* One at two places of the host is two directories here. */
		mirrored->depth = above->depth + 1;
		mirrored->place = full_name_hash((void *)(unsigned long)
						 above->place, name->name,
						 name->len);
		etfs_mirror_set_dir(inode);
	} else {
		inode->i_op = &etfs_mirror_file_inode_operations;
		etfs_window_set_file(inode);
	}
	if (is_host)
		etfs_mirror_learn(inode, &seen->stat);
	else
		set_nlink(inode, 2);
}

/* Return: false without memory. */
static bool etfs_mirror_alloc(struct inode *inode, bool is_dir)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);

	if (is_dir) {
		node->dir = rumpfs_dir_new(GFP_KERNEL);
		return node->dir;
	}
	node->mirrored = kzalloc(sizeof(*node->mirrored), GFP_KERNEL_ACCOUNT);
	return node->mirrored;
}

/*
 * One node for all names of a host file, so that its locks and watches are the
 * same, and again the same after its dentry was reclaimed.
 */
struct inode *etfs_mirror_node(struct inode *dir, const struct qstr *name,
			       const struct etfs_seen *seen)
{
	struct inode *inode = new_inode(dir->i_sb), *old;
	bool is_host = seen->id.dev;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!etfs_mirror_alloc(inode, !is_host || S_ISDIR(seen->stat.mode))) {
		iput(inode);
		return ERR_PTR(-ENOMEM);
	}
	etfs_map_get(rumpfs_map(dir));
	rumpfs_set_map(inode, rumpfs_map(dir));
	RUMPFS_NODE(inode)->is_mirrored = true;
	cache_no_acl(inode);
	etfs_mirror_init(inode, dir, name, seen);
	old = inode_insert5(inode, inode->i_ino, etfs_mirror_test, NULL, inode);
	if (old == inode) {
		unlock_new_inode(inode);
		return inode;
	}
	iput(inode);
	if (!old)
		return ERR_PTR(-ENOMEM);
	if (is_host)
		etfs_mirror_learn(old, &seen->stat);
	return old;
}

/*
 * Is the caller renaming from one directory of the mount to another? He will be
 * refused whatever the host has, so it is not asked.
 */
static bool etfs_mirror_is_renaming(struct super_block *sb)
{
	return mutex_is_mine(&sb->s_vfs_rename_mutex);
}

struct dentry *etfs_mirror_lookup(struct inode *dir, struct dentry *dentry,
				  unsigned int flags)
{
	struct etfs_seen seen;
	struct inode *inode;
	int err;

	if (dentry->d_name.len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (etfs_mirror_is_renaming(dir->i_sb))
		return flags & LOOKUP_RENAME_TARGET ? NULL :
						      ERR_PTR(-EOPNOTSUPP);
	err = etfs_mirror_look(dir, dentry, &seen);
	if (err)
		return ERR_PTR(err);
	if (seen.map)
		return rumpfs_names_add_key(dir, dentry, seen.map);
	/* What is not there is asked for again each time. */
	if (!seen.id.dev && !seen.ino)
		return NULL;
	inode = etfs_mirror_node(dir, &dentry->d_name, &seen);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	rumpfs_names_watch(dentry);
	etfs_mirror_seek(inode, flags);
	return d_splice_alias(inode, dentry);
}

/*
 * Is a directory on the way about to be asked who may search it? That looks at
 * the host, too, and tells if it is another one by now. Who comes out in what
 * is mounted here asks nothing of this directory.
 */
static bool etfs_mirror_is_asked(struct dentry *dentry, unsigned int flags)
{
	return (flags & LOOKUP_PARENT) && !(flags & LOOKUP_REVAL) &&
	       d_is_dir(dentry) && !d_mountpoint(dentry) &&
	       !etfs_mirror_is_implied(d_inode(dentry));
}

/*
 * A file that was another one each time it was opened: not what the dcache has
 * is opened then, see mirror_open.c.
 */
static bool etfs_mirror_is_reopened(struct inode *dir, struct dentry *dentry,
				    unsigned int flags)
{
	return (flags & LOOKUP_OPEN) && (flags & LOOKUP_REVAL) &&
	       READ_ONCE(RUMPFS_MIRRORED(dir)->is_swift) &&
	       d_is_reg(dentry) && !d_mountpoint(dentry);
}

/* Has the name become a key? Return: as ->d_revalidate. */
static int etfs_mirror_revalidate_key(struct inode *dir, struct dentry *dentry)
{
	struct name_snapshot name;
	struct etfs_map *map;
	int err;
	u64 ino;

	take_dentry_name_snapshot(&name, dentry);
	err = rumpfs_names_key(dir, name.name.name, name.name.len, &map, &ino);
	release_dentry_name_snapshot(&name);
	if (err)
		return err;
	if (map)
		etfs_map_put(map);
	return !map;
}

int etfs_mirror_revalidate(struct inode *dir, struct dentry *dentry,
			   unsigned int flags)
{
	struct inode *inode = d_inode(dentry);
	struct etfs_seen seen;
	int err;

	if (!inode || !rumpfs_is_key(dir))
		return 0;
	if (etfs_mirror_is_renaming(dir->i_sb))
		return 1;
	if (etfs_mirror_is_reopened(dir, dentry, flags))
		return 0;
	if (etfs_mirror_is_asked(dentry, flags))
		return etfs_mirror_revalidate_key(dir, dentry);
	err = etfs_mirror_look(dir, dentry, &seen);
	if (err)
		return err;
	if (seen.map) {
		etfs_map_put(seen.map);
		return 0;
	}
	if (!seen.id.dev)
		return etfs_mirror_is_implied(inode) &&
		       inode->i_ino == seen.ino;
	if (!etfs_mirror_is_same(inode, &seen.id, &seen.stat))
		return 0;
	etfs_mirror_learn(inode, &seen.stat);
	etfs_mirror_seek(inode, flags);
	return 1;
}

bool etfs_mirror_is_mountpoint(struct super_block *sb,
			       const struct etfs_map *map)
{
	struct dentry *dentry;
	struct inode *inode;
	bool found = false;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		if (rumpfs_map(inode) != map)
			continue;
		spin_lock(&inode->i_lock);
		for_each_alias(dentry, inode)
			found |= d_mountpoint(dentry);
		spin_unlock(&inode->i_lock);
		if (found)
			break;
	}
	spin_unlock(&sb->s_inode_list_lock);
	return found;
}

/* Nothing is made, removed or renamed on the host */

static int etfs_mirror_mknod(struct mnt_idmap *idmap, struct inode *dir,
			     struct dentry *dentry, umode_t mode, dev_t dev)
{
	return -EOPNOTSUPP;
}

static int etfs_mirror_create(struct mnt_idmap *idmap, struct inode *dir,
			      struct dentry *dentry, umode_t mode)
{
	return -EOPNOTSUPP;
}

COMPAT_CREATE(etfs_mirror_create)

static struct dentry *etfs_mirror_mkdir(struct mnt_idmap *idmap,
					struct inode *dir,
					struct dentry *dentry, umode_t mode)
{
	return ERR_PTR(-EOPNOTSUPP);
}

COMPAT_MKDIR(etfs_mirror_mkdir)

static int etfs_mirror_symlink(struct mnt_idmap *idmap, struct inode *dir,
			       struct dentry *dentry, const char *target)
{
	return -EOPNOTSUPP;
}

static int etfs_mirror_link(struct dentry *old, struct inode *dir,
			    struct dentry *dentry)
{
	return -EOPNOTSUPP;
}

static int etfs_mirror_unlink(struct inode *dir, struct dentry *dentry)
{
	return -EOPNOTSUPP;
}

static int etfs_mirror_rmdir(struct inode *dir, struct dentry *dentry)
{
	int below = 0;

	if (RUMPFS_NODE(d_inode(dentry))->is_mirrored)
		below = rumpfs_names_below(d_inode(dentry));
	return below > 0 ? -ENOTEMPTY : below ?: -EOPNOTSUPP;
}

static int etfs_mirror_rename(struct mnt_idmap *idmap, struct inode *old_dir,
			      struct dentry *old, struct inode *new_dir,
			      struct dentry *new, unsigned int flags)
{
	return -EOPNOTSUPP;
}

static const struct inode_operations etfs_mirror_dir_inode_operations = {
	.lookup		= etfs_mirror_lookup,
	.atomic_open	= etfs_mirror_atomic_open,
	.create		= compat_op(inode_operations, create,
				    etfs_mirror_create),
	.link		= etfs_mirror_link,
	.unlink		= etfs_mirror_unlink,
	.symlink	= etfs_mirror_symlink,
	.mkdir		= compat_op(inode_operations, mkdir,
				    etfs_mirror_mkdir),
	.rmdir		= etfs_mirror_rmdir,
	.mknod		= etfs_mirror_mknod,
	.rename		= etfs_mirror_rename,
	.getattr	= etfs_mirror_getattr,
	.setattr	= etfs_mirror_setattr,
	.permission	= etfs_mirror_dir_permission,
	.listxattr	= etfs_mirror_listxattr,
};

/* The kinds */

/* The key's own node, as it was last known to be. */
static void etfs_mirror_top(struct inode *inode, struct etfs_map *map)
{
	inode->i_flags |= S_NOATIME | S_NOCMTIME;
	inode->i_mode = S_IFDIR | map->attr.mode;
	inode->i_uid = map->attr.uid;
	inode->i_gid = map->attr.gid;
	/* The host's can be read. */
	inode->i_opflags |= IOP_XATTR;
	set_nlink(inode, 2);
	etfs_mirror_set_dir(inode);
}

static void etfs_mirror_remove(struct etfs_map *map)
{
}

#define ETFS_MIRROR_KIND(kind)				\
	const struct etfs_kind etfs_##kind##_kind = {	\
		.name	= #kind,			\
		.type	= S_IFDIR,			\
		.bind	= etfs_host_bind_dir,		\
		.unbind	= etfs_map_drop_host,		\
		.node	= etfs_mirror_top,		\
		.open	= etfs_mirror_open,		\
		.remove	= etfs_mirror_remove,		\
		.revoke	= etfs_gate_shut,		\
		.revoke_wait = etfs_gate_wait,		\
	}

ETFS_MIRROR_KIND(dir);
ETFS_MIRROR_KIND(subdirs);
