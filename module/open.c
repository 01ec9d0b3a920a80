// SPDX-License-Identifier: GPL-2.0
/*
 * A mapped file is opened, and let go.
 *
 * The host file is found anew and judged as it is now. All of it happens inside
 * the mapping: a revocation waits for an open under way, and then finds it.
 */
#include "mirror.h"
#include "spare.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/posix_acl.h>
#include <linux/slab.h>

/* How often the attributes may be others meanwhile. */
#define ETFS_OPEN_LOOKS	64

/* What the host file is, is being looked at. */
struct etfs_look {
	/* attr_seq, from before */
	u32 seq;
	/* the VFS may have asked whether this opener may, of something else */
	bool is_doubtful;
	/* the node shows it */
	bool is_learned;
};

static int etfs_open_mask(const struct file *file)
{
	int mask = 0;

	if (file->f_flags & __FMODE_EXEC)
		return MAY_EXEC;
	if (file->f_mode & FMODE_READ)
		mask |= MAY_READ;
	if (file->f_mode & FMODE_WRITE)
		mask |= MAY_WRITE;
	/* It is cut after the open, for which nobody is asked any more. */
	if (file->f_flags & O_TRUNC)
		mask |= MAY_WRITE;
	return mask;
}

static struct file *etfs_open_find_host(const struct etfs_open *open,
					struct inode *inode, struct file *file,
					struct etfs_look *look)
{
	struct file *host;
	bool changed = false;

	if (open->map->kind->open) {
		/* One that was opened before this is not looked at now. */
		look->is_learned = !file->private_data;
		host = open->map->kind->open(inode, file, &changed);
		look->is_doubtful |= changed;
		return host;
	}
	return etfs_host_open(open->map, file->f_flags & ETFS_OPEN_FLAGS, NULL);
}

/*
 * Does the inode of a host file, a local one, say what is known of it? Otherwise,
 * and where something else may count, it is asked in full.
 */
static bool etfs_open_is_known(const struct etfs_open *open,
			       const struct inode *inode)
{
	const struct etfs_map *map = open->map;

	return !(map->spec.flags &
		 (ETFS_MAP_MODE | ETFS_MAP_UID | ETFS_MAP_GID)) &&
	       xa_empty(&RUMPFS_SB(inode->i_sb)->own) &&
	       file_mnt_idmap(open->host) == &nop_mnt_idmap &&
	       !(READ_ONCE(inode->i_mode) & (S_ISUID | S_ISGID)) &&
	       etfs_open_is_same(open, inode);
}

/* One that has no list is known to have none only after somebody has asked. */
static void etfs_open_find_list(struct inode *host)
{
	struct posix_acl *list;

	if (!IS_POSIXACL(host) || !is_uncached_acl(READ_ONCE(host->i_acl)))
		return;
	list = get_inode_acl(host, ACL_TYPE_ACCESS);
	if (!IS_ERR(list))
		posix_acl_release(list);
}

/* Is that settled, for as long as the attributes are the same? */
static bool etfs_open_is_settled(const struct etfs_open *open,
				 const struct inode *inode)
{
	if (etfs_host_asks_more(file_inode(open->host)) ||
	    !etfs_open_is_known(open, inode))
		return false;
	/* Pairs with rumpfs_attr_set(). */
	smp_rmb();
	return !etfs_map_is_fresh(open->map);
}

/*
 * The VFS has asked whether the inode may be opened, maybe of what it was before
 * somebody else learned what it is now. Was that not long ago, or may somebody who
 * watches us have held up the opener meanwhile? Context: ->open has begun.
 */
static bool etfs_open_is_doubtful(const struct inode *inode)
{
	return etfs_map_is_fresh(rumpfs_map(inode)) ||
	       fsnotify_sb_has_watchers(inode->i_sb);
}

/* How often mode and ids have changed, of all nodes or of a mirrored one. */
static u32 etfs_look_seq(const struct inode *inode)
{
	const struct rumpfs_node *node = RUMPFS_NODE(inode);

	return node->is_mirrored ? READ_ONCE(node->attr_seq) :
				   READ_ONCE(rumpfs_map(inode)->attr_seq);
}

static struct etfs_look etfs_look_begin(const struct inode *inode,
					bool is_doubtful)
{
	struct etfs_look look = {
		.seq = etfs_look_seq(inode),
		.is_doubtful = is_doubtful,
	};

	/* Pairs with rumpfs_attr_set(). */
	smp_rmb();
	return look;
}

/* Learn of the host file what is not known. Return: 1 if anything was new. */
static int etfs_open_learn(const struct etfs_open *open, struct inode *inode)
{
	struct file *host = open->host;
	struct kstat stat;
	int err;

	if (RUMPFS_NODE(inode)->is_mirrored)
		return etfs_host_fgetattr(host, &stat) ?:
			etfs_mirror_learn(inode, &stat);
	if (etfs_host_is_local(file_inode(host)->i_sb) &&
	    etfs_open_is_known(open, inode))
		return 0;
	err = etfs_host_fgetattr_few(host, &stat);
	return err ?: rumpfs_key_learn(inode, &stat);
}

/*
 * Ask of what the host file is now. Who learned long ago what it was may say
 * so between two steps of this: then it is learned again.
 */
static int etfs_open_ask_mode(const struct etfs_open *open, struct inode *inode,
			      struct file *file, struct etfs_look look)
{
	int i, err;

	for (i = 0; i < ETFS_OPEN_LOOKS; i++) {
		if (!look.is_learned) {
			err = etfs_open_learn(open, inode);
			if (err < 0)
				return err;
			look.is_doubtful |= err;
		}
		/* Another may have learned it a moment ago: rumpfs_attr_set(). */
		smp_rmb();
		if (!look.is_doubtful && !etfs_map_is_fresh(open->map))
			return 0;
		err = inode_permission(file_mnt_idmap(file), inode,
				       etfs_open_mask(file));
		/* What is counted later, it has not read. */
		smp_rmb();
		if (look.seq == etfs_look_seq(inode))
			return err;
		look = etfs_look_begin(inode, true);
	}
	return err ?: -ESTALE;
}

/* May this file be opened as it is now, not as it was remembered? */
static int etfs_open_judge(const struct etfs_open *open, struct inode *inode,
			   struct file *file, struct etfs_look look)
{
	int err = etfs_open_ask_mode(open, inode, file, look);

	if (!err && etfs_host_has_list(file_inode(open->host)))
		err = rumpfs_key_ask_list(file_mnt_idmap(file), inode,
					  &open->host->f_path,
					  etfs_open_mask(file));
	return err;
}

static noinline int etfs_open_host(struct etfs_open *open, struct inode *inode,
				   struct file *file)
{
	struct etfs_look look = etfs_look_begin(inode,
						etfs_open_is_doubtful(inode));
	struct file *host;

	host = etfs_open_find_host(open, inode, file, &look);
	if (IS_ERR(host))
		return rumpfs_key_judge(inode, PTR_ERR(host));
	open->host = host;
	return etfs_open_judge(open, inode, file, look);
}

/* The same for a spare one, which may get another host file. */
static noinline int etfs_open_again(struct etfs_open *open, struct inode *inode,
				    struct file *file, bool is_asked)
{
	struct etfs_look look = etfs_look_begin(inode,
						etfs_open_is_doubtful(inode));
	struct file *host;

	if (!is_asked) {
		etfs_open_find_list(file_inode(open->host));
		/* Pairs with rumpfs_attr_set(). */
		smp_rmb();
		etfs_spare_set_asked(open, etfs_open_is_settled(open, inode),
				     look.seq);
		file_ra_state_init(&open->host->f_ra, open->host->f_mapping);
	}
	if (!open->map->is_pinned)
		etfs_trail_begin(open);
	host = etfs_host_open_again(open->map, open->host, is_asked);
	if (host != open->host) {
		etfs_spare_set_asked(open, false, look.seq);
		fput(etfs_gate_take_open(open));
		etfs_trail_forget(open);
		if (IS_ERR(host))
			return rumpfs_key_judge(inode, PTR_ERR(host));
		open->host = host;
	} else {
		etfs_trail_end(open);
		open->may_spare = etfs_spare_may(open);
		if (is_asked)
			return 0;
	}
	return etfs_open_judge(open, inode, file, look);
}

/*
 * A program is to be run from it: not where the host's mount says that none is,
 * and writers are kept away from the host file as the VFS does it for ours.
 */
static noinline int etfs_open_exec(struct etfs_open *open)
{
	int err;

	if (etfs_host_is_noexec(open->host))
		return -EACCES;
	err = deny_write_access(open->host);
	open->denies_write = !err;
	return err;
}

static void etfs_open_put_host(const struct etfs_open *open, struct file *host)
{
	if (open->denies_write)
		allow_write_access(host);
	fput(host);
}

/* So that a node without a name finds its host. */
static void etfs_open_link(struct etfs_open *open, struct inode *inode)
{
	if (!RUMPFS_NODE(inode)->is_mirrored)
		return;
	spin_lock(&inode->i_lock);
	hlist_add_head(&open->sibling, &RUMPFS_MIRRORED(inode)->opens);
	spin_unlock(&inode->i_lock);
}

static void etfs_open_unlink(struct etfs_open *open, struct inode *inode)
{
	if (!RUMPFS_NODE(inode)->is_mirrored)
		return;
	spin_lock(&inode->i_lock);
	hlist_del(&open->sibling);
	spin_unlock(&inode->i_lock);
}

/*
 * Context: inside the mapping. On error open->host may be there, or not. is_asked:
 * a spare one is as it was, only the way has to be walked.
 */
static noinline int etfs_open_ask(struct etfs_open *open, struct inode *inode,
				  struct file *file, bool is_asked)
{
	int err;

	err = open->host ? etfs_open_again(open, inode, file, is_asked) :
			   etfs_open_host(open, inode, file);
	if (err)
		return err;
	etfs_open_refresh(open, inode);
	err = generic_file_open(inode, file);
	if (!err && (file->f_flags & __FMODE_EXEC))
		err = etfs_open_exec(open);
	err = err ?: etfs_cover_open(open, inode, file);
	if (err || !list_empty(&open->node))
		return err;
	/* Before the gate is left, so that a revocation finds it. */
	etfs_gate_add_open(open);
	if (open->has_flush)
		etfs_window_use_flush(file);
	etfs_open_link(open, inode);
	return 0;
}

/*
 * The same for a spare one that is as it was, and whose path leads to it. Nothing
 * is there to be asked, run, or told of a close(2).
 */
static int etfs_open_as_it_was(const struct etfs_open *open,
			       struct inode *inode, struct file *file)
{
	if (likely(open->is_whole))
		etfs_open_refresh_whole(open, inode);
	else
		etfs_open_refresh(open, inode);
	return likely(file->f_flags & O_LARGEFILE) ?
		0 : generic_file_open(inode, file);
}

/* Context: inside the mapping. open is a spare one, or a new one. */
static int etfs_open_make(struct etfs_open *open, struct inode *inode,
			  struct file *file)
{
	bool is_asked = open->host && etfs_spare_is_asked(open, inode);
	int err;

	if (is_asked && (open->map->is_pinned || etfs_trail_holds(open)))
		err = etfs_open_as_it_was(open, inode, file);
	else
		err = etfs_open_ask(open, inode, file, is_asked);
	if (unlikely(err))
		return err;
	/* io_uring and open(2) judge our file by what the host's can. */
	file->f_mode |= open->host->f_mode & (FMODE_NOWAIT | FMODE_CAN_ODIRECT);
	file->private_data = open;
	return 0;
}

static noinline struct etfs_open *etfs_open_new(struct etfs_map *map)
{
	struct etfs_open *open = kzalloc(sizeof(*open), GFP_KERNEL_ACCOUNT);

	if (!open)
		return NULL;
	INIT_LIST_HEAD(&open->node);
	open->map = map;
	etfs_spare_set_asked(open, false, 0);
	return open;
}

void etfs_open_free(struct etfs_open *open)
{
	struct file *host = etfs_gate_take_open(open);

	if (host)
		etfs_open_put_host(open, host);
	iput(open->cover);
	kfree(open->trail);
	kfree(open);
}

/* Context: inside the mapping. */
static int etfs_open_begin(struct etfs_map *map, struct inode *inode,
			   struct file *file)
{
	struct etfs_open *open = etfs_spare_take(map, file->f_flags);
	int err;

	if (!open)
		open = etfs_open_new(map);
	if (!open)
		return -ENOMEM;
	err = etfs_open_make(open, inode, file);
	if (err)
		etfs_open_free(open);
	return err;
}

int etfs_window_open(struct inode *inode, struct file *file)
{
	/* As rumpfs_map(): it is mapped. */
	struct etfs_map *map = inode->i_private;
	int err;

	err = etfs_gate_make(map) ?: etfs_map_use(map);
	if (err)
		return err;
	err = -ESTALE;
	if (etfs_map_enter(map)) {
		err = etfs_open_begin(map, inode, file);
		etfs_map_leave(map);
	}
	if (err)
		etfs_map_unuse(map);
	return err;
}

int etfs_window_release(struct inode *inode, struct file *file)
{
	struct etfs_open *open = file->private_data;
	struct etfs_map *map = open->map;

	etfs_open_unlink(open, inode);
	if (!etfs_spare_give(open))
		etfs_open_free(open);
	etfs_map_unuse(map);
	return 0;
}
