// SPDX-License-Identifier: GPL-2.0
/*
 * Trails: how the path of a key leads to its host file, name by name.
 *
 * A host file that is kept open, see spare.c, is the next reader's only if the
 * path leads to it now. A walk tells, and costs as much again as all else. What
 * it went by is written down here: of each name the count that its dentry moves
 * when it is renamed, removed or replaced, and of each directory the mode and
 * the ids by which the registrant may search it. While those are what they were,
 * and nothing is mounted on the way, a walk would end where it did.
 *
 * That is so for a path without links and dots, on the mount that is the
 * registrant's root, of a file system whose dentries are all there is to ask. For
 * the sake of security modules there is a walk each second all the same.
 */
#include "host.h"
#include "open.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

/* Names, at most. */
#define ETFS_TRAIL_NAMES	16
/* Dentries that a walk does not pass by their name alone. */
#define ETFS_TRAIL_ASKS							\
	(DCACHE_MOUNTED | DCACHE_MANAGE_TRANSIT | DCACHE_NEED_AUTOMOUNT | \
	 DCACHE_OP_REVALIDATE | DCACHE_OP_HASH | DCACHE_OP_COMPARE)

/* Owned by its etfs_open. */
struct etfs_trail {
	/* 0: it does not hold */
	u32 nr;
	/* the registrant may search any directory, whatever its mode */
	bool may_any;
	/* the first is the file, the last the registrant's root */
	struct etfs_trail_step {
		/* but the last: of the dentry */
		unsigned int seq;
		/* but the first: of the inode */
		umode_t mode;
		kuid_t uid;
		kgid_t gid;
	} steps[];
};

/* Do mode and ids tell who may search this directory, and are they those? */
static bool etfs_trail_may(const struct etfs_trail_step *step,
			   const struct inode *inode)
{
	return inode && !(READ_ONCE(inode->i_acl) && IS_POSIXACL(inode)) &&
	       READ_ONCE(inode->i_mode) == step->mode &&
	       uid_eq(READ_ONCE(inode->i_uid), step->uid) &&
	       gid_eq(READ_ONCE(inode->i_gid), step->gid);
}

static bool etfs_trail_ends(const struct etfs_origin *origin,
			    const struct path *path)
{
	return origin->is_init ? is_init_root(path) :
				 path_equal(&origin->root, path);
}

bool etfs_trail_holds(const struct etfs_open *open)
{
	const struct etfs_origin *origin = open->map->origin;
	const struct etfs_trail *trail = open->trail;
	const struct etfs_trail_step *step, *last;
	struct path at = open->host->f_path;
	bool holds = false, may_any;
	struct dentry *up;

	/* An audited call is told each path that is walked. */
	if (!trail || !trail->nr || !audit_dummy_context())
		return false;
	last = &trail->steps[trail->nr - 1];
	may_any = trail->may_any;
	/*
	 * Parents are there as long as their children are. RCU waits for this, as
	 * in gate.c, and it is no call.
	 */
	rcu_read_lock_sched();
	for (step = trail->steps; step != last; step++) {
		if (!may_any && step != trail->steps &&
		    !etfs_trail_may(step, d_inode_rcu(at.dentry)))
			goto out;
		up = READ_ONCE(at.dentry->d_parent);
		/* It was its parent, if this has not moved since. */
		if ((READ_ONCE(at.dentry->d_flags) & ETFS_TRAIL_ASKS) ||
		    read_seqcount_retry(&at.dentry->d_seq, step->seq))
			goto out;
		at.dentry = up;
	}
	holds = may_any || etfs_trail_may(step, d_inode_rcu(at.dentry));
out:
	rcu_read_unlock_sched();
	return holds && etfs_trail_ends(origin, &at) &&
	       !etfs_origin_is_gone(origin);
}

/* Return: how many names, which are no more than fit; 0 if it has no trail. */
static u32 etfs_trail_count(const char *path)
{
	u32 nr = 0;

	while (*path) {
		if (*path++ == '/' && *path && *path != '/')
			nr++;
	}
	return path[-1] == '/' || nr > ETFS_TRAIL_NAMES ? 0 : nr;
}

/* Is this the last name of what ends at *end? Then that is before it. */
static bool etfs_trail_take_name(struct dentry *dentry, const char *path,
				 const char **end)
{
	struct name_snapshot name;
	bool is_it;
	u32 len;

	take_dentry_name_snapshot(&name, dentry);
	len = name.name.len;
	is_it = *end - path > len && (*end)[-1 - (int)len] == '/' &&
		!memcmp(*end - len, name.name.name, len);
	release_dentry_name_snapshot(&name);
	if (!is_it)
		return false;
	*end -= len;
	while (*end > path && (*end)[-1] == '/')
		(*end)--;
	return true;
}

static bool etfs_trail_may_any(const struct etfs_origin *origin)
{
	const struct cred *cred = origin->cred;

	return cred->user_ns == &init_user_ns &&
	       cap_raised(cred->cap_effective, CAP_DAC_READ_SEARCH);
}

/* Return: are those the names of the path? */
static bool etfs_trail_fill(struct etfs_trail *trail, u32 nr,
			    const struct etfs_open *open)
{
	const char *path = open->map->spec.host, *end = path + strlen(path);
	struct dentry *dentry = open->host->f_path.dentry;
	const struct inode *inode;
	u32 i;

	trail->may_any = etfs_trail_may_any(open->map->origin);
	rcu_read_lock();
	for (i = 0; i <= nr; i++) {
		struct etfs_trail_step *step = &trail->steps[i];

		step->seq = raw_seqcount_begin(&dentry->d_seq);
		inode = d_inode_rcu(dentry);
		if (!inode || etfs_host_asks_more(inode))
			break;
		step->mode = READ_ONCE(inode->i_mode);
		step->uid = READ_ONCE(inode->i_uid);
		step->gid = READ_ONCE(inode->i_gid);
		if (i < nr && (d_unhashed(dentry) ||
			       !etfs_trail_take_name(dentry, path, &end)))
			break;
		dentry = READ_ONCE(dentry->d_parent);
	}
	rcu_read_unlock();
	return i > nr;
}

void etfs_trail_begin(struct etfs_open *open)
{
	u32 nr;

	if (open->has_no_trail || etfs_trail_holds(open))
		return;
	/* It does not pay for the second who opens, only for those after him. */
	if (!open->was_walked) {
		open->was_walked = true;
		return;
	}
	nr = etfs_trail_count(open->map->spec.host);
	if (nr && !open->trail)
		open->trail = kzalloc(struct_size(open->trail, steps, nr + 1),
				      GFP_KERNEL_ACCOUNT);
	open->has_no_trail = true;
	if (!open->trail)
		return;
	open->trail->nr = 0;
	if (!etfs_trail_fill(open->trail, nr, open))
		return;
	open->trail->nr = nr + 1;
	open->has_no_trail = false;
}

void etfs_trail_forget(struct etfs_open *open)
{
	kfree(open->trail);
	open->trail = NULL;
	open->has_no_trail = false;
	open->was_walked = false;
}

void etfs_trail_end(struct etfs_open *open)
{
	if (open->trail && !etfs_trail_holds(open))
		open->trail->nr = 0;
}
