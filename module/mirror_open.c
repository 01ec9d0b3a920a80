// SPDX-License-Identifier: GPL-2.0
/*
 * A host file below a mapped directory is opened.
 *
 * A walk finds a node, then the node is opened by its path; if the host has
 * replaced the file meanwhile, the VFS is told to walk again. It does so once:
 * where files are replaced all the time the second walk comes too late as well.
 * So a directory in which that has happened opens a file while it looks for
 * the name, and looks again as often as it takes.
 *
 * Its i_rwsem is held then, while somebody may be asked whether the file may be
 * opened: that is why it is not done everywhere, and not where overlayfs would
 * copy the file first.
 */
#include "mirror.h"
#include "open.h"

#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>

/* How often another file may be there before it is an error. */
#define ETFS_MIRROR_LOOKS	256

void etfs_mirror_set_swift(struct dentry *dentry)
{
	struct dentry *parent = dget_parent(dentry);

	WRITE_ONCE(RUMPFS_MIRRORED(d_inode(parent))->is_swift, true);
	dput(parent);
}

static struct file *etfs_mirror_open_host(struct inode *inode,
					  struct file *file, struct kstat *stat)
{
	struct dentry *dentry = file->f_path.dentry;
	struct etfs_rel rel;
	struct file *host;
	int err;

	err = etfs_mirror_path(NULL, dentry, &rel);
	host = err ? ERR_PTR(err) :
	       etfs_host_open_below(rumpfs_map(inode), rel.path,
				    file->f_flags & ETFS_OPEN_FLAGS,
				    &RUMPFS_MIRRORED(inode)->host, 0, stat);
	etfs_rel_put(&rel);
	if (host == ERR_PTR(-ESTALE))
		etfs_mirror_set_swift(dentry);
	return host;
}

struct file *etfs_mirror_open(struct inode *inode, struct file *file,
			      bool *changed)
{
	/* Of etfs_mirror_atomic_open(), which has it from just now. */
	struct file *host = file->private_data;
	struct kstat stat;

	file->private_data = NULL;
	if (host)
		return host;
	host = etfs_mirror_open_host(inode, file, &stat);
	if (!IS_ERR(host))
		*changed = etfs_mirror_learn(inode, &stat);
	return host;
}

/*
 * The VFS asks who may open it later than this; but that somebody has opened it
 * for writing, the host would notice.
 */
static int etfs_mirror_may_write(struct inode *node, const struct file *file)
{
	int err;

	err = generic_permission(path_mnt_idmap(&file->f_path), node,
				 MAY_WRITE);
	return err ?: __mnt_is_readonly(file->f_path.mnt) ? -EROFS : 0;
}

/* May the file that was just seen be opened for writing? */
static int etfs_mirror_ask_seen(struct inode *dir, struct dentry *dentry,
				const struct file *file,
				const struct etfs_seen *seen)
{
	struct inode *node;
	int err;

	if ((file->f_flags & O_ACCMODE) == O_RDONLY)
		return 0;
	node = etfs_mirror_node(dir, &dentry->d_name, seen);
	if (IS_ERR(node))
		return PTR_ERR(node);
	err = etfs_mirror_may_write(node, file);
	iput(node);
	return err;
}

/* The same that was seen: who may go where it is was asked of that. */
static struct file *etfs_mirror_open_seen(struct inode *dir,
					  struct dentry *dentry,
					  const struct file *file,
					  struct etfs_seen *seen)
{
	struct etfs_rel rel;
	struct file *host;
	int err;

	err = etfs_mirror_path(dir, dentry, &rel);
	host = err ? ERR_PTR(err) :
	       etfs_host_open_below(rumpfs_map(dir), rel.path,
				    file->f_flags & ETFS_OPEN_FLAGS, &seen->id,
				    MAY_NOT_BLOCK, &seen->stat);
	etfs_rel_put(&rel);
	return host;
}

/*
 * The host file at a name and its node, both of the same moment, references.
 * Return: 0 with no node if there is anything but a host file.
 */
static int etfs_mirror_look_open(struct inode *dir, struct dentry *dentry,
				 struct file *file, struct inode **node,
				 struct file **host)
{
	struct etfs_seen seen;
	int err;

	*node = NULL;
	err = etfs_mirror_look(dir, dentry, &seen);
	if (err)
		return err;
	if (seen.map)
		etfs_map_put(seen.map);
	if (seen.map || !seen.id.dev || !S_ISREG(seen.stat.mode))
		return 0;
	err = etfs_mirror_ask_seen(dir, dentry, file, &seen);
	if (err)
		return err;
	*host = etfs_mirror_open_seen(dir, dentry, file, &seen);
	if (IS_ERR(*host))
		return PTR_ERR(*host);
	*node = etfs_mirror_node(dir, &dentry->d_name, &seen);
	if (!IS_ERR(*node))
		return 0;
	fput(*host);
	return PTR_ERR(*node);
}

/* Context: inside the mapping. Return: 1 if it is to be looked up as ever. */
static int etfs_mirror_open_found(struct inode *dir, struct dentry *dentry,
				  struct file *file)
{
	struct inode *node;
	struct file *host;
	int err, looks = 0;

	do {
		err = etfs_mirror_look_open(dir, dentry, file, &node, &host);
	} while ((err == -ESTALE || err == -ENOENT) &&
		 !fatal_signal_pending(current) &&
		 ++looks < ETFS_MIRROR_LOOKS);
	if (err == -EWOULDBLOCK || (!err && !node))
		return 1;
	if (err)
		return err;
	rumpfs_names_watch(dentry);
	d_add(dentry, node);
	file->private_data = host;
	err = finish_open(file, dentry, NULL);
	/* It was refused before it came to etfs_mirror_open(). */
	if (err && file->private_data == host) {
		file->private_data = NULL;
		fput(host);
	}
	return err;
}

static int etfs_mirror_open_swift(struct inode *dir, struct dentry *dentry,
				  struct file *file)
{
	struct etfs_map *map = rumpfs_map(dir);
	int err;

	err = etfs_gate_make(map) ?: etfs_map_use(map);
	if (err)
		return err;
	err = -ESTALE;
	if (etfs_map_enter(map)) {
		err = etfs_mirror_open_found(dir, dentry, file);
		etfs_map_leave(map);
	}
	etfs_map_unuse(map);
	return err;
}

int etfs_mirror_atomic_open(struct inode *dir, struct dentry *dentry,
			    struct file *file, unsigned int flags,
			    umode_t mode)
{
	const struct etfs_map *map = rumpfs_map(dir);
	struct dentry *found = NULL;
	int err;

	if (!d_in_lookup(dentry))
		goto is_found;
	if (READ_ONCE(RUMPFS_MIRRORED(dir)->is_swift) &&
	    !(flags & (O_DIRECTORY | O_EXCL)) &&
	    !((flags & O_ACCMODE) && (map->spec.flags & ETFS_MAP_RO))) {
		err = etfs_mirror_open_swift(dir, dentry, file);
		if (err <= 0)
			return err;
	}
	/* The VFS does not tell whether it walks again: here it may. */
	found = etfs_mirror_lookup(dir, dentry, LOOKUP_OPEN |
				   (READ_ONCE(RUMPFS_MIRRORED(dir)->is_swift) ?
				    LOOKUP_REVAL : 0));
	if (IS_ERR(found))
		return PTR_ERR(found);
is_found:
	if ((flags & O_CREAT) && d_really_is_negative(found ?: dentry)) {
		dput(found);
		return -EOPNOTSUPP;
	}
	return finish_no_open(file, found);
}
