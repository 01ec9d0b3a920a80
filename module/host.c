// SPDX-License-Identifier: GPL-2.0
/*
 * The host: what looks up host files and opens them. What is open already may be
 * opened once more by reopen.c, and nothing else is by any other file.
 *
 * A path is walked from the registrant's root with the registrant's
 * credentials, each time anew; nothing of the host is held in between but that
 * root, and a directory while a batch goes on from it. What a walk leads to is
 * judged at every open: it may have changed.
 *
 * Rumpfs counts as stacked one deep and takes hosts stacked at most one deep:
 * an overlay above a rumpfs is two deep, so no chain of keys leads back to
 * itself.
 */
#include "host.h"
#include "open.h"

#include <linux/blk_types.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/fsnotify.h>
#include <linux/gfs2_ondisk.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/stat.h>

#include "uapi/rumpfs.h"

/* A host file system may itself stand on one other. */
#define ETFS_MAX_DEPTH	1

int etfs_host_look(const struct path *from, const char *rel, unsigned int flags,
		   struct path *path)
{
	const unsigned int common = LOOKUP_FOLLOW | LOOKUP_NO_MAGICLINKS;

	if (!(flags & ~common) && etfs_dwalk(from, rel, path))
		return 0;
	return vfs_path_lookup(from->dentry, from->mnt, rel, flags, path);
}

/* The caller has taken on the registrant's credentials. */
static int etfs_host_walk(const struct etfs_map *map, etfs_walk_t *walk,
			  unsigned int flags, struct path *path)
{
	const struct etfs_origin *origin = map->origin;
	struct path root;
	int err;

	flags |= LOOKUP_FOLLOW;
	if (origin->is_init) {
		get_init_root(&root);
		err = walk(&root, map->spec.host, flags, path);
		path_put(&root);
	} else {
		err = walk(&origin->root, map->spec.host, flags, path);
	}
	if (!etfs_origin_is_gone(origin))
		return err;
	if (!err)
		path_put(path);
	return -ESTALE;
}

bool etfs_host_is_deep(const struct super_block *sb)
{
	return sb->s_magic == RUMPFS_SUPER_MAGIC ||
	       sb->s_stack_depth > ETFS_MAX_DEPTH;
}

bool etfs_host_is_on_disk(const struct super_block *sb)
{
	/* Other machines have the disk of these, too. */
	return (sb->s_type->fs_flags & FS_REQUIRES_DEV) &&
	       sb->s_magic != FUSE_SUPER_MAGIC && sb->s_magic != GFS2_MAGIC &&
	       sb->s_magic != OCFS2_SUPER_MAGIC;
}

bool etfs_host_is_local(const struct super_block *sb)
{
	return sb->s_magic == TMPFS_MAGIC || etfs_host_is_on_disk(sb);
}

int etfs_host_judge_depth(const struct super_block *sb,
			  struct etfs_reason *why)
{
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

/* May this object stand behind a key that is no directory? */
static int etfs_host_judge(const struct inode *inode, struct etfs_reason *why)
{
	umode_t mode = READ_ONCE(inode->i_mode);
	int err = etfs_host_judge_depth(inode->i_sb, why);

	if (err)
		return err;
	if (S_ISDIR(mode)) {
		etfs_refuse(why, "the host path is a directory");
		return -EISDIR;
	}
	if (!S_ISREG(mode) && !S_ISBLK(mode)) {
		etfs_refuse(why, "the host path is neither a regular file nor a block device");
		return -EINVAL;
	}
	return 0;
}

/*
 * What open(2) asks before it opens a file that exists; dentry_open() asks the
 * mount and the security modules, but not this.
 */
static int etfs_host_may_open(const struct path *path, int flags)
{
	struct inode *inode = d_inode(path->dentry);
	int mask = MAY_OPEN;

	if (S_ISBLK(READ_ONCE(inode->i_mode)) &&
	    ((path->mnt->mnt_flags & MNT_NODEV) ||
	     (inode->i_sb->s_iflags & SB_I_NODEV)))
		return -EACCES;
	if ((flags & O_ACCMODE) != O_WRONLY)
		mask |= MAY_READ;
	if ((flags & O_ACCMODE) != O_RDONLY) {
		mask |= MAY_WRITE;
		if (IS_APPEND(inode))
			return -EPERM;
	}
	return inode_permission(path_mnt_idmap(path), inode, mask);
}

struct file *etfs_host_open_as(const struct etfs_map *map,
			       const struct path *path, int flags)
{
	int err = etfs_host_may_open(path, flags);

	return err ? ERR_PTR(err) : dentry_open(path, flags | O_LARGEFILE, map->origin->cred);
}

static void etfs_host_refuse_open(int flags, int err, struct etfs_reason *why)
{
	etfs_refuse(why, "the host file cannot be opened for %s (%pe)",
		    flags & O_ACCMODE ? "writing" : "reading", ERR_PTR(err));
}

/*
 * Judged before it is opened: a tape would rewind, a fifo wait, and a key that
 * leads back to itself never end.
 */
static struct file *etfs_host_open_path(const struct etfs_map *map,
					const struct path *path, int flags,
					struct etfs_reason *why)
{
	struct file *host;
	int err;

	err = etfs_host_judge(d_inode(path->dentry), why);
	if (err)
		return ERR_PTR(err);
	host = etfs_host_open_as(map, path, flags);
	/* A device says so as open(2) of a device does. */
	if (host == ERR_PTR(-EROFS) &&
	    (map->spec.type == ETFS_BLK || map->spec.type == ETFS_CHR))
		host = ERR_PTR(-EACCES);
	if (IS_ERR(host))
		etfs_host_refuse_open(flags, PTR_ERR(host), why);
	return host;
}

static int etfs_host_judge_ops(const struct file_operations *ops, bool writes,
			       struct etfs_reason *why)
{
	if (ops->read_iter && (!writes || ops->write_iter))
		return 0;
	etfs_refuse(why, "the host file cannot be read and written by bytes");
	return -EINVAL;
}

int etfs_host_judge_file(const struct file *host, struct etfs_reason *why)
{
	return etfs_host_judge_ops(host->f_op, host->f_mode & FMODE_WRITE, why);
}

static int etfs_host_judge_window(const struct etfs_map *map, u64 size,
				  struct etfs_reason *why)
{
	const struct etfs_window *win = &map->spec.win;
	u64 len = etfs_window_is_fixed(win) ? win->size : 0;

	if (win->offset <= size && len <= size - win->offset)
		return 0;
	etfs_refuse(why, "window %llu+%llu ends after the host file (%llu bytes)",
		    win->offset, len, size);
	return -EINVAL;
}

/*
 * A magic link led here: from now on this file is meant, and its own path is
 * told. A file without one is told by what the kernel calls it.
 */
static int etfs_host_rename(struct etfs_map *map, struct path *path,
			    struct etfs_reason *why)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL), *own;
	const char *name;

	name = buf ? d_path(path, buf, PATH_MAX) : ERR_PTR(-ENOMEM);
	own = IS_ERR(name) ? NULL : kstrdup(name, GFP_KERNEL_ACCOUNT);
	kfree(buf);
	if (!own) {
		path_put(path);
		etfs_refuse(why, "the open file has no path of its own (%pe)",
			    IS_ERR(name) ? name : ERR_PTR(-ENOMEM));
		return IS_ERR(name) ? PTR_ERR(name) : -ENOMEM;
	}
	etfs_map_set_host_path(map, own);
	if (map->spec.type != ETFS_BLK && map->spec.type != ETFS_CHR)
		map->spec.flags |= ETFS_MAP_PIN;
	return 0;
}

/*
 * What is bound for good is what all of its path leads to at one moment; the path of
 * others is walked again.
 */
static bool etfs_host_is_for_good(const struct etfs_map *map)
{
	return map->host || map->spec.type == ETFS_BLK ||
	       map->spec.type == ETFS_CHR || (map->spec.flags & ETFS_MAP_PIN);
}

int etfs_host_find(struct etfs_map *map, struct path *path,
		   struct etfs_reason *why)
{
	struct etfs_near *near = &map->origin->near;
	int err;

	if (etfs_host_is_for_good(map))
		etfs_near_end(near);
	else if (near->is_on && etfs_dwalk_near(map, path))
		return 0;
	if (map->host) {
		*path = map->host->f_path;
		path_get(path);
		return etfs_host_rename(map, path, why);
	}
	err = etfs_host_walk(map, etfs_host_look, LOOKUP_NO_MAGICLINKS, path);
	/* /proc/self/fd/1 is somebody else's file next time. */
	if (err == -ELOOP) {
		err = etfs_host_walk(map, etfs_host_look, 0, path);
		if (!err) {
			/* Its name goes, which may be kept there. */
			etfs_near_end(near);
			return etfs_host_rename(map, path, why);
		}
	}
	if (err)
		etfs_refuse(why, "the host path cannot be found (%pe)",
			    ERR_PTR(err));
	return err;
}

/* Of one that was just found: all that only a registration asks. */
static int etfs_host_register(struct etfs_map *map, const struct path *path,
			      u64 size, struct etfs_reason *why)
{
	int err = etfs_host_judge_window(map, size, why);

	if (err)
		return err;
	etfs_host_remember(map, path);
	if (map->spec.type == ETFS_REG && !(map->spec.flags & ETFS_MAP_PIN))
		return 0;
	err = etfs_pin_begin(map, path, why);
	return err || map->spec.type != ETFS_REG ? err :
	       etfs_host_pin(map, path, why);
}

int etfs_host_path(struct etfs_map *map, etfs_walk_t *walk, unsigned int flags,
		   struct path *path)
{
	struct file *host = etfs_map_get_host(map);

	if (!host)
		return etfs_host_walk(map, walk, flags, path);
	*path = host->f_path;
	path_get(path);
	fput(host);
	return 0;
}

/* As the registrant. Without why this is no registration. */
static struct file *etfs_host_open_found(struct etfs_map *map,
					 const struct path *path, int flags,
					 struct etfs_reason *why)
{
	struct etfs_reason unheard;
	struct file *host;
	int err;

	host = etfs_host_open_path(map, path, flags, why ?: &unheard);
	if (IS_ERR(host))
		return host;
	err = etfs_host_judge_file(host, why ?: &unheard);
	if (!err && why)
		err = etfs_host_register(map, &host->f_path,
					 etfs_host_size(host), why);
	if (!err)
		return host;
	fput(host);
	return ERR_PTR(err);
}

/*
 * Open what the path leads to now, as the registrant. With why this is a
 * registration: the window is checked, too, and the reason for a refusal told.
 */
struct file *etfs_host_open(struct etfs_map *map, int flags,
			    struct etfs_reason *why)
{
	const struct cred *old = etfs_origin_act(map->origin);
	struct file *host;
	struct path path;
	int err;

	err = why ? etfs_host_find(map, &path, why) :
		    etfs_host_path(map, etfs_host_look, 0, &path);
	if (!err) {
		host = etfs_host_open_found(map, &path, flags, why);
		path_put(&path);
	}
	revert_creds(old);
	return err ? ERR_PTR(err) : host;
}

/* Who was given the file to himself meanwhile, as a server, hears of it. */
static int etfs_host_may_open_again(struct file *host)
{
	return etfs_host_may_open(&host->f_path, host->f_flags) ?:
	       break_lease(file_inode(host), host->f_flags);
}

/* As the registrant. */
static struct file *etfs_host_find_again(struct etfs_map *map,
					 struct file *host, bool is_asked)
{
	struct path path;
	int err;

	if (map->is_pinned) {
		err = is_asked ? 0 : etfs_host_may_open_again(host);
		return err ? ERR_PTR(err) : host;
	}
	err = etfs_host_walk(map, etfs_host_look, 0, &path);
	if (err)
		return ERR_PTR(err);
	if (path_equal(&path, &host->f_path))
		err = is_asked ? 0 : etfs_host_may_open_again(host);
	else
		host = etfs_host_open_found(map, &path, O_RDONLY, NULL);
	path_put(&path);
	return err ? ERR_PTR(err) : host;
}

struct file *etfs_host_open_again(struct etfs_map *map, struct file *host,
				  bool is_asked)
{
	const struct cred *old = etfs_origin_act(map->origin);
	struct file *again = etfs_host_find_again(map, host, is_asked);

	revert_creds(old);
	return again;
}

bool etfs_host_is_on_root(const struct etfs_map *map, const struct file *host)
{
	const struct etfs_origin *origin = map->origin;
	struct path root;
	bool is_on_root;

	if (!origin->is_init)
		return origin->root.mnt == host->f_path.mnt;
	get_init_root(&root);
	is_on_root = root.mnt == host->f_path.mnt;
	path_put(&root);
	return is_on_root;
}

/*
 * Does an open do no more than ask what we can ask as well? Nobody hears of
 * it, and the file system adds nothing to it.
 */
static bool etfs_host_opens_plainly(const struct inode *inode)
{
	return S_ISREG(READ_ONCE(inode->i_mode)) &&
	       etfs_host_is_local(inode->i_sb) &&
	       !IS_ENCRYPTED(inode) && !IS_VERITY(inode) &&
	       !fsnotify_sb_has_watchers(inode->i_sb);
}

/* Would such an open succeed? It is not made. */
static int etfs_host_try_open(const struct path *path, int flags)
{
	struct inode *inode = d_inode(path->dentry);
	int err = etfs_host_may_open(path, flags);

	if (err || (flags & O_ACCMODE) == O_RDONLY)
		return err;
	/* It is being run. */
	if (atomic_read(&inode->i_writecount) < 0)
		return -ETXTBSY;
	return __mnt_is_readonly(path->mnt) ? -EROFS : 0;
}

/* As the registrant. */
static int etfs_host_check_plain(struct etfs_map *map, const struct path *path,
				 int flags, struct etfs_reason *why)
{
	const struct inode *inode = d_inode(path->dentry);
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	int err;

	err = etfs_host_judge_depth(inode->i_sb, why);
	if (err)
		return err;
	err = etfs_host_try_open(path, flags);
	if (err) {
		etfs_host_refuse_open(flags, err, why);
		return err;
	}
	return etfs_host_judge_ops(inode->i_fop, writes, why) ?:
	       etfs_host_register(map, path, i_size_read(inode), why);
}

int etfs_host_check(struct etfs_map *map, int flags, struct etfs_reason *why)
{
	const struct cred *old = etfs_origin_act(map->origin);
	struct file *host;
	struct path path;
	int err;

	err = etfs_host_find(map, &path, why);
	if (err)
		goto revert;
	if (etfs_host_opens_plainly(d_inode(path.dentry))) {
		err = etfs_host_check_plain(map, &path, flags, why);
	} else {
		host = etfs_host_open_found(map, &path, flags, why);
		err = PTR_ERR_OR_ZERO(host);
		if (!err)
			fput(host);
	}
	path_put(&path);
revert:
	revert_creds(old);
	return err;
}

/*
 * No file is kept open that could be read or written, so programs in the host
 * file can still be run.
 */
int etfs_host_pin(struct etfs_map *map, const struct path *path,
		  struct etfs_reason *why)
{
	struct file *host = dentry_open(path, O_PATH, map->origin->cred);

	if (IS_ERR(host)) {
		etfs_refuse(why, "the host file cannot be held (%pe)", host);
		return PTR_ERR(host);
	}
	map->is_pinned = true;
	etfs_map_set_host(map, host);
	return 0;
}

int etfs_host_want_write(struct file *host)
{
	const struct super_block *sb = file_inode(host)->i_sb;
	int err;

	etfs_host_lockdep_off(sb);
	err = mnt_want_write_file(host);
	etfs_host_lockdep_on(sb);
	return err;
}

void etfs_host_drop_write(struct file *host)
{
	const struct super_block *sb = file_inode(host)->i_sb;

	etfs_host_lockdep_off(sb);
	mnt_drop_write_file(host);
	etfs_host_lockdep_on(sb);
}

void etfs_host_lock_above(const struct file *host, struct inode *inode)
{
	inode_lock_nested(inode, file_inode(host)->i_sb->s_stack_depth);
}

/*
 * The file was opened for writing, so nobody need be asked again. The caller
 * is who loses the setuid bits of a file that is not his; its capabilities go
 * whoever cuts it. The times move for those calls that move them on the host.
 */
int etfs_host_truncate(struct file *host, u64 size, unsigned int valid)
{
	struct mnt_idmap *idmap = path_mnt_idmap(&host->f_path);
	struct dentry *dentry = host->f_path.dentry;
	struct inode *inode = d_inode(dentry);
	struct iattr attr = {
		.ia_valid = ATTR_SIZE | ATTR_FILE | ATTR_FORCE |
			    ATTR_KILL_PRIV |
			    (valid & (ATTR_MTIME | ATTR_CTIME)),
		.ia_size = size,
		.ia_file = host,
	};
	int err;

	if (WARN_ON_ONCE(!(host->f_mode & FMODE_WRITE)))
		return -EBADF;
	if (size > S64_MAX)
		return -EFBIG;
	if (!S_ISREG(READ_ONCE(file_inode(host)->i_mode)))
		return -EINVAL;
	inode_lock(inode);
	attr.ia_valid |= setattr_should_drop_suidgid(idmap, inode);
	err = notify_change(idmap, dentry, &attr, NULL);
	inode_unlock(inode);
	return err;
}

/* The size of a device is not in its node's attributes. */
static int etfs_host_getattr_size(const struct etfs_map *map,
				  const struct path *path, struct kstat *stat)
{
	struct etfs_reason unheard;
	struct file *host;

	host = etfs_host_open_path(map, path, O_RDONLY, &unheard);
	if (IS_ERR(host))
		return PTR_ERR(host);
	stat->size = etfs_host_size(host);
	stat->blocks = stat->size >> SECTOR_SHIFT;
	fput(host);
	return 0;
}

/* Attributes of what the path leads to now. */
int etfs_host_getattr(struct etfs_map *map, struct kstat *stat, bool is_locked)
{
	const struct cred *old = etfs_origin_act(map->origin);
	struct etfs_reason unheard;
	struct path path;
	int err;

	err = etfs_host_path(map, is_locked ? etfs_way_walk : etfs_host_look, 0,
			     &path);
	if (err)
		goto revert;
	err = etfs_host_judge(d_inode(path.dentry), &unheard);
	if (!err)
		err = etfs_host_stat(&path, stat);
	if (!err && S_ISBLK(stat->mode))
		err = etfs_host_getattr_size(map, &path, stat);
	path_put(&path);
revert:
	revert_creds(old);
	return err;
}
