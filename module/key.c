// SPDX-License-Identifier: GPL-2.0
/*
 * What stat, chmod and access say of a mapped node.
 *
 * Mode and ids are the host's, live, unless an option said otherwise; that is
 * kept with the map. What chmod, chown and utimes said is kept by the mount
 * they were said in, until the key goes. The inode has a copy of both, which
 * is refreshed by each stat and open, and before anyone is refused.
 */
#include "open.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/stat.h>

/* What a mount has changed of a node. Covered by the lock of sbi->own. */
struct rumpfs_own {
	/* ETFS_MAP_MODE, _UID, _GID */
	u32 flags;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	/* until the host's mtime is another */
	bool has_times;
	struct timespec64 atime, mtime, host_mtime;
};

static unsigned long rumpfs_own_index(const struct etfs_map *map)
{
	return map->ino & ~BIT_ULL(62);
}

static struct xarray *rumpfs_owns(const struct inode *inode)
{
	return &RUMPFS_SB(inode->i_sb)->own;
}

/* Context: xa_lock held. */
static struct rumpfs_own *rumpfs_own_find(const struct inode *inode)
{
	return xa_load(rumpfs_owns(inode),
		       rumpfs_own_index(rumpfs_map(inode)));
}

/* There is one to be changed, from now on. */
static int rumpfs_own_make(struct inode *inode)
{
	struct rumpfs_own *own = kzalloc(sizeof(*own), GFP_KERNEL_ACCOUNT);
	int err;

	if (!own)
		return -ENOMEM;
	err = xa_insert(rumpfs_owns(inode),
			rumpfs_own_index(rumpfs_map(inode)), own,
			GFP_KERNEL_ACCOUNT);
	if (err)
		kfree(own);
	return err == -EBUSY ? 0 : err;
}

void rumpfs_key_forget(struct rumpfs_sb *sbi, const struct etfs_map *map)
{
	if (!xa_empty(&sbi->own))
		kfree(xa_erase(&sbi->own, rumpfs_own_index(map)));
}

void rumpfs_key_forget_all(struct rumpfs_sb *sbi)
{
	struct rumpfs_own *own;
	unsigned long index;

	xa_for_each(&sbi->own, index, own)
		kfree(own);
	xa_destroy(&sbi->own);
}

void rumpfs_key_load(struct inode *inode)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);
	struct etfs_map *map = rumpfs_map(inode);
	struct rumpfs_own *own;
	struct etfs_attr attr;
	u32 seq;

	/* Who reads the map later is also later in the inode. */
	xa_lock(rumpfs_owns(inode));
	spin_lock(&map->attr_lock);
	attr = map->attr;
	seq = map->attr_seq;
	spin_unlock(&map->attr_lock);
	own = rumpfs_own_find(inode);
	if (own && (own->flags & ETFS_MAP_MODE))
		attr.mode = own->mode;
	if (own && (own->flags & ETFS_MAP_UID))
		attr.uid = own->uid;
	if (own && (own->flags & ETFS_MAP_GID))
		attr.gid = own->gid;
	WRITE_ONCE(inode->i_mode, (inode->i_mode & S_IFMT) | attr.mode);
	WRITE_ONCE(inode->i_uid, attr.uid);
	WRITE_ONCE(inode->i_gid, attr.gid);
	/* Pairs with rumpfs_key_permission(): who finds it finds these. */
	smp_store_release(&node->attr_seq, seq);
	xa_unlock(rumpfs_owns(inode));
}

/* What the options say stays as it is. */
static struct etfs_attr rumpfs_attr_now(const struct etfs_map *map,
					const struct kstat *host)
{
	const u32 flags = map->spec.flags;
	const struct etfs_attr *attr = &map->attr;

	return (struct etfs_attr) {
		.uid = flags & ETFS_MAP_UID ? attr->uid : host->uid,
		.gid = flags & ETFS_MAP_GID ? attr->gid : host->gid,
		.mode = flags & ETFS_MAP_MODE ? attr->mode :
						host->mode & 07777,
	};
}

/* Context: attr_lock, or it is asked again with it. */
static bool rumpfs_attr_is(const struct etfs_attr *a, const struct etfs_attr *b)
{
	return uid_eq(READ_ONCE(a->uid), b->uid) &&
	       gid_eq(READ_ONCE(a->gid), b->gid) &&
	       READ_ONCE(a->mode) == b->mode;
}

static void rumpfs_attr_set(struct etfs_map *map, const struct etfs_attr *now)
{
	spin_lock(&map->attr_lock);
	if (!rumpfs_attr_is(&map->attr, now)) {
		WRITE_ONCE(map->attr_changed, jiffies);
		/* Who sees the count, without the lock, sees the time. */
		smp_wmb();
		WRITE_ONCE(map->attr_seq, map->attr_seq + 1);
		/* And who sees the attributes sees the count. */
		smp_wmb();
		WRITE_ONCE(map->attr.uid, now->uid);
		WRITE_ONCE(map->attr.gid, now->gid);
		WRITE_ONCE(map->attr.mode, now->mode);
		/* Who began to look amid this has not seen the end of it. */
		smp_wmb();
		WRITE_ONCE(map->attr_seq, map->attr_seq + 1);
	}
	spin_unlock(&map->attr_lock);
}

bool rumpfs_key_learn(struct inode *inode, const struct kstat *host)
{
	struct etfs_map *map = rumpfs_map(inode);
	const struct etfs_attr now = rumpfs_attr_now(map, host);
	struct rumpfs_own *own;
	bool changed;

	if (!rumpfs_attr_is(&map->attr, &now))
		rumpfs_attr_set(map, &now);
	if (!xa_empty(rumpfs_owns(inode))) {
		xa_lock(rumpfs_owns(inode));
		own = rumpfs_own_find(inode);
		if (own && !timespec64_equal(&own->host_mtime, &host->mtime))
			own->has_times = false;
		xa_unlock(rumpfs_owns(inode));
	}
	/* Pairs with rumpfs_attr_set(). */
	smp_rmb();
	changed = READ_ONCE(map->attr_seq) !=
		  READ_ONCE(RUMPFS_NODE(inode)->attr_seq);
	if (changed)
		rumpfs_key_load(inode);
	return changed;
}

bool rumpfs_key_owns(struct inode *inode, u32 flags)
{
	struct rumpfs_node *node = RUMPFS_NODE(inode);
	struct rumpfs_own *own;
	bool owns;

	if (node->is_mirrored)
		return false;
	if (rumpfs_map(inode)->spec.flags & flags)
		return true;
	/* Mostly nobody has changed anything: no lock for all of a mount. */
	if (xa_empty(rumpfs_owns(inode)))
		return false;
	xa_lock(rumpfs_owns(inode));
	own = rumpfs_own_find(inode);
	owns = own && (own->flags & flags);
	xa_unlock(rumpfs_owns(inode));
	return owns;
}

int rumpfs_key_ask_list(struct mnt_idmap *idmap, struct inode *inode,
			const struct path *host, int mask)
{
	if (idmap != &nop_mnt_idmap ||
	    rumpfs_key_owns(inode, ETFS_MAP_MODE | ETFS_MAP_UID | ETFS_MAP_GID))
		return 0;
	return etfs_host_may(host, mask & (MAY_READ | MAY_WRITE | MAY_EXEC));
}

void rumpfs_key_set_size(struct inode *inode, u64 size)
{
	spin_lock(&inode->i_lock);
	i_size_write(inode, size);
	spin_unlock(&inode->i_lock);
}

/* Of a node in memory: true. An open file may keep that of a key that is gone. */
bool rumpfs_node_is_live(const struct inode *inode)
{
	const struct etfs_map *map = rumpfs_map(inode);
	bool is_live;

	if (!map)
		return true;
	rcu_read_lock();
	is_live = etfs_life_is_on(&map->life);
	rcu_read_unlock();
	return is_live;
}

/*
 * What the host says. The path of a key that is gone may lead nowhere, or to
 * what is another key's: who has it open has its host file.
 */
static int rumpfs_key_look(struct inode *inode, struct kstat *stat,
			   bool is_locked)
{
	struct etfs_map *map = rumpfs_map(inode);
	struct file *host = NULL;
	int err;

	if (!rumpfs_node_is_live(inode))
		host = etfs_map_get_held(map);
	if (!host)
		return etfs_host_getattr(map, stat, is_locked);
	err = etfs_host_fgetattr(host, stat);
	fput(host);
	return err;
}

static int rumpfs_key_getattr(struct mnt_idmap *idmap, const struct path *path,
			      struct kstat *stat, u32 request_mask,
			      unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct etfs_map *map = rumpfs_map(inode);
	const struct etfs_window *win = &map->spec.win;
	struct rumpfs_own *own;
	struct kstat host;
	int err;

	err = rumpfs_key_judge(inode, rumpfs_key_look(inode, &host, false));
	if (err)
		return err;
	rumpfs_key_learn(inode, &host);
	/* The host's changes move no counter of ours: its ctime tells. */
	request_mask &= ~STATX_CHANGE_COOKIE;
	generic_fillattr(idmap, request_mask, inode, stat);
	stat->atime = host.atime;
	stat->mtime = host.mtime;
	stat->ctime = host.ctime;
	stat->btime = host.btime;
	stat->result_mask |= host.result_mask & STATX_BTIME;
	stat->blksize = host.blksize;
	stat->nlink = 1;
	xa_lock(rumpfs_owns(inode));
	own = rumpfs_own_find(inode);
	if (own && own->has_times) {
		stat->atime = own->atime;
		stat->mtime = own->mtime;
	}
	xa_unlock(rumpfs_owns(inode));
	if (!S_ISREG(READ_ONCE(inode->i_mode)))
		return 0;
	stat->size = etfs_window_size(win, host.size);
	stat->blocks = min_t(u64, host.blocks, DIV_ROUND_UP(stat->size, 512));
	if (!etfs_window_is_fixed(win) && !win->offset)
		stat->blocks = host.blocks;
	rumpfs_key_set_size(inode, stat->size);
	return 0;
}

/* Refresh the copy in the inode from the host. */
static int rumpfs_key_ask(struct inode *inode, bool is_locked)
{
	struct kstat host;
	int err;

	err = rumpfs_key_look(inode, &host, is_locked);
	if (!err)
		rumpfs_key_learn(inode, &host);
	return err;
}

/* A device is opened without its host file: that is asked before. */
static int rumpfs_key_ask_held(struct mnt_idmap *idmap, struct inode *inode,
			       int mask)
{
	struct file *host;
	int err;

	if (!(mask & MAY_OPEN) || S_ISREG(READ_ONCE(inode->i_mode)))
		return 0;
	host = etfs_map_get_held(rumpfs_map(inode));
	if (!host)
		return 0;
	err = rumpfs_key_ask_list(idmap, inode, &host->f_path, mask);
	fput(host);
	return err;
}

static noinline int rumpfs_key_permission_any(struct mnt_idmap *idmap,
					      struct inode *inode, int mask)
{
	/* Only open(2), access(2) and chdir(2) surely have no lock. */
	const int unlocked = MAY_OPEN | MAY_ACCESS | MAY_CHDIR;
	struct rumpfs_node *node = RUMPFS_NODE(inode);
	struct etfs_map *map = rumpfs_map(inode);
	int err;

	/*
	 * A device that has gone since the name was looked up, and its number
	 * may be another's by now: the VFS looks again. A file opens as one
	 * without a name does.
	 */
	if ((mask & MAY_OPEN) && !S_ISREG(READ_ONCE(inode->i_mode)) &&
	    !rumpfs_node_is_live(inode))
		return -ESTALE;
	if ((mask & MAY_OPEN) && map->kind->rdev &&
	    !map->kind->rdev(map))
		return -ENXIO;
	if ((mask & MAY_WRITE) && (map->spec.flags & ETFS_MAP_RO))
		return S_ISREG(READ_ONCE(inode->i_mode)) ? -EROFS : -EACCES;
	/* Somebody else's chmod, in another mount. */
	if (READ_ONCE(node->attr_seq) != READ_ONCE(map->attr_seq)) {
		if (mask & MAY_NOT_BLOCK)
			return -ECHILD;
		rumpfs_key_load(inode);
	}
	err = generic_permission(idmap, inode, mask);
	if (err == -EACCES) {
		if (mask & MAY_NOT_BLOCK)
			return -ECHILD;
		if (rumpfs_key_ask(inode, !(mask & unlocked)))
			return err;
		err = generic_permission(idmap, inode, mask);
	}
	return err ?: rumpfs_key_ask_held(idmap, inode, mask);
}

static int rumpfs_key_permission(struct mnt_idmap *idmap, struct inode *inode,
				 int mask)
{
	const struct etfs_map *map = rumpfs_map(inode);
	umode_t mode;
	u32 seq;

	/* Mostly it is a file that everybody may read, as is known. */
	if ((mask & (MAY_READ | MAY_WRITE | MAY_EXEC)) != MAY_READ)
		return rumpfs_key_permission_any(idmap, inode, mask);
	/* Pairs with the release in rumpfs_key_load(). */
	seq = smp_load_acquire(&RUMPFS_NODE(inode)->attr_seq);
	mode = READ_ONCE(inode->i_mode);
	if (seq == READ_ONCE(map->attr_seq) && S_ISREG(mode) &&
	    (mode & 0444) == 0444)
		return 0;
	return rumpfs_key_permission_any(idmap, inode, mask);
}

/* A host file to be truncated, and what keeps it there meanwhile. */
struct rumpfs_cut {
	struct etfs_map *map;
	/* open for writing; a reference */
	struct file *host;
	/* of who has it open, or NULL */
	struct etfs_open *open;
};

/* O_TRUNC means nothing on a window with an end of its own, as on a disk. */
static int rumpfs_key_may_cut(const struct etfs_window *win,
			      const struct iattr *attr)
{
	if (!etfs_window_is_fixed(win) || attr->ia_valid & ATTR_OPEN ||
	    attr->ia_size == win->size)
		return 0;
	return -EINVAL;
}

/* An open for reading with O_TRUNC has the host file for reading alone. */
static int rumpfs_cut_open(struct rumpfs_cut *cut, struct mnt_idmap *idmap,
			   struct inode *inode, const struct file *file)
{
	int err = etfs_open_enter(cut->open);

	if (err)
		return err;
	cut->host = etfs_host_get_writer(cut->map, cut->open->host);
	err = PTR_ERR_OR_ZERO(cut->host);
	if (err)
		goto leave;
	/* Who has it open for writing was asked then. */
	if (!(file->f_mode & FMODE_WRITE))
		err = rumpfs_key_ask_list(idmap, inode, &cut->host->f_path,
					  MAY_WRITE);
	if (!err)
		return 0;
	fput(cut->host);
leave:
	etfs_open_leave(cut->open);
	return err;
}

static int rumpfs_cut_find(struct rumpfs_cut *cut, struct mnt_idmap *idmap,
			   struct inode *inode, const struct iattr *attr)
{
	struct etfs_map *map = rumpfs_map(inode);
	int err;

	cut->map = map;
	/* An O_TRUNC that comes before ->open has none. */
	cut->open = attr->ia_valid & ATTR_FILE ?
		attr->ia_file->private_data : NULL;
	if (cut->open)
		return rumpfs_cut_open(cut, idmap, inode, attr->ia_file);
	err = etfs_gate_make(map) ?: etfs_map_use(map);
	if (err)
		return err;
	cut->host = etfs_host_open(map, O_WRONLY, NULL);
	err = PTR_ERR_OR_ZERO(cut->host);
	if (err)
		goto unuse;
	err = rumpfs_key_ask_list(idmap, inode, &cut->host->f_path, MAY_WRITE);
	if (!err && etfs_map_enter(map))
		return 0;
	fput(cut->host);
	err = err ?: -EIO;
unuse:
	etfs_map_unuse(map);
	return err;
}

static void rumpfs_cut_put(struct rumpfs_cut *cut)
{
	fput(cut->host);
	etfs_map_leave(cut->map);
	if (!cut->open)
		etfs_map_unuse(cut->map);
}

/* Context: no locks held. On success rumpfs_cut_end() is due. */
static int rumpfs_cut_begin(struct rumpfs_cut *cut, struct mnt_idmap *idmap,
			    struct inode *inode, const struct iattr *attr)
{
	int err = rumpfs_cut_find(cut, idmap, inode, attr);

	if (err)
		return err;
	err = etfs_host_want_write(cut->host);
	if (err)
		rumpfs_cut_put(cut);
	return err;
}

static void rumpfs_cut_end(struct rumpfs_cut *cut)
{
	etfs_host_drop_write(cut->host);
	rumpfs_cut_put(cut);
}

static int rumpfs_key_truncate(struct inode *inode, struct rumpfs_cut *cut,
			       const struct iattr *attr)
{
	int err;

	err = etfs_host_truncate(cut->host,
				 attr->ia_size + cut->map->spec.win.offset,
				 attr->ia_valid);
	if (!err) {
		rumpfs_key_set_size(inode, attr->ia_size);
		etfs_cover_changed(inode);
	}
	return err;
}

/* Keep what attr says, and put it into the inode. */
static void rumpfs_key_keep(struct mnt_idmap *idmap, struct inode *inode,
			    const struct iattr *attr, const struct kstat *host)
{
	struct etfs_map *map = rumpfs_map(inode);
	unsigned int valid = attr->ia_valid;
	struct rumpfs_own *own;

	xa_lock(rumpfs_owns(inode));
	own = rumpfs_own_find(inode);
	/* The key may have gone meanwhile, and with it what is kept. */
	if (!own)
		goto unlock;
	setattr_copy(idmap, inode, attr);
	if (valid & ATTR_MODE) {
		own->mode = inode->i_mode & 07777;
		own->flags |= ETFS_MAP_MODE;
	}
	if (valid & ATTR_UID) {
		own->uid = inode->i_uid;
		own->flags |= ETFS_MAP_UID;
	}
	if (valid & ATTR_GID) {
		own->gid = inode->i_gid;
		own->flags |= ETFS_MAP_GID;
	}
	if (valid & (ATTR_ATIME | ATTR_MTIME)) {
		if (!own->has_times) {
			own->atime = host->atime;
			own->mtime = host->mtime;
		}
		if (valid & ATTR_ATIME)
			own->atime = inode_get_atime(inode);
		if (valid & ATTR_MTIME)
			own->mtime = inode_get_mtime(inode);
		own->host_mtime = host->mtime;
		own->has_times = true;
	}
unlock:
	xa_unlock(rumpfs_owns(inode));
	/* An older inode of this key may still be about. */
	spin_lock(&map->attr_lock);
	WRITE_ONCE(map->attr_seq, map->attr_seq + 1);
	spin_unlock(&map->attr_lock);
}

/* All but the size, which is the host's. */
static int rumpfs_key_change(struct mnt_idmap *idmap, struct inode *inode,
			     const struct iattr *attr,
			     const struct kstat *host)
{
	int err = rumpfs_own_make(inode);

	if (err)
		return err;
	rumpfs_key_keep(idmap, inode, attr, host);
	/* It went before it was kept, or it will be forgotten. */
	if (!rumpfs_node_is_live(inode))
		rumpfs_key_forget(RUMPFS_SB(inode->i_sb),
				  rumpfs_map(inode));
	rumpfs_key_load(inode);
	return 0;
}

/* A truncation takes the setuid bits from where they live. */
static void rumpfs_key_leave_to_host(struct inode *inode, struct iattr *attr)
{
	const unsigned int times = ATTR_ATIME_SET | ATTR_MTIME_SET |
				   ATTR_TIMES_SET;

	attr->ia_valid &= ~ATTR_SIZE;
	if (!rumpfs_key_owns(inode, ETFS_MAP_MODE))
		attr->ia_valid &= ~ATTR_MODE;
	/* The host's own times tell of it. */
	if (!(attr->ia_valid & times))
		attr->ia_valid &= ~(ATTR_ATIME | ATTR_MTIME);
}

/*
 * Who changes the owner takes the setuid and setgid bits, which the VFS has
 * asked for before the lock was let go: of the mode that is there by now.
 */
static void rumpfs_key_kill(struct inode *inode, struct iattr *attr)
{
	umode_t mode = inode->i_mode;

	if (!(attr->ia_valid & (ATTR_KILL_SUID | ATTR_KILL_SGID)))
		return;
	if (attr->ia_valid & ATTR_KILL_SUID)
		mode &= ~S_ISUID;
	/* Of who is in the group it goes only if the group may run it. */
	if ((attr->ia_valid & ATTR_KILL_SGID) || (mode & 0010))
		mode &= ~S_ISGID;
	attr->ia_valid &= ~ATTR_MODE;
	if (mode == inode->i_mode)
		return;
	attr->ia_valid |= ATTR_MODE;
	attr->ia_mode = mode;
}

/*
 * Attributes of the node change in memory alone; the host never knows. The
 * lock of the inode is let go while the host is walked and opened, which may
 * wait for a directory of ours, or for somebody, who waits for this inode.
 */
static int rumpfs_key_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			      struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct etfs_map *map = rumpfs_map(inode);
	bool is_size = attr->ia_valid & ATTR_SIZE && S_ISREG(inode->i_mode);
	bool is_cut = is_size && !etfs_window_is_fixed(&map->spec.win);
	/* By a write to an open file, whose path may lead nowhere any more. */
	bool is_forced = attr->ia_valid & ATTR_FORCE && !is_size;
	struct kstat host = { };
	struct rumpfs_cut cut;
	int err, unknown;

	if (is_size) {
		err = rumpfs_key_may_cut(&map->spec.win, attr);
		if (err)
			return err;
	}
	inode_unlock(inode);
	unknown = rumpfs_key_look(inode, &host, false);
	err = is_forced ? 0 : unknown;
	if (!err && is_cut)
		err = rumpfs_cut_begin(&cut, idmap, inode, attr);
	if (!err && is_cut)
		etfs_host_lock_above(cut.host, inode);
	else
		inode_lock(inode);
	if (err)
		return err;
	if (!unknown)
		rumpfs_key_learn(inode, &host);
	rumpfs_key_kill(inode, attr);
	err = setattr_prepare(idmap, dentry, attr);
	if (!err && is_cut)
		err = rumpfs_key_truncate(inode, &cut, attr);
	if (is_cut)
		rumpfs_cut_end(&cut);
	if (err)
		return err;
	if (is_size)
		rumpfs_key_leave_to_host(inode, attr);
	if (attr->ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME |
			      ATTR_MTIME))
		err = rumpfs_key_change(idmap, inode, attr, &host);
	return err;
}

const struct inode_operations rumpfs_key_inode_operations = {
	.getattr	= rumpfs_key_getattr,
	.setattr	= rumpfs_key_setattr,
	.permission	= rumpfs_key_permission,
};
