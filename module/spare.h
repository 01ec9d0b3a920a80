/* SPDX-License-Identifier: GPL-2.0 */
/* Of spare.c: what each open does. */
#ifndef _RUMPFS_SPARE_H
#define _RUMPFS_SPARE_H

#include "open.h"

#include <linux/atomic.h>
#include <linux/errseq.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/jiffies.h>
#include <linux/pagemap.h>

/* For how long the answer of a security module is good. */
#define ETFS_SPARE_ASKED	HZ

/*
 * Does the inode of the key show what the host file has, as the map does? What
 * the map learns it counts before it is shown: so that is looked at last.
 */
static inline bool etfs_open_is_same(const struct etfs_open *open,
				     const struct inode *inode)
{
	const struct inode *host = file_inode(open->host);

	if (READ_ONCE(inode->i_mode) != READ_ONCE(host->i_mode) ||
	    !uid_eq(READ_ONCE(inode->i_uid), READ_ONCE(host->i_uid)) ||
	    !gid_eq(READ_ONCE(inode->i_gid), READ_ONCE(host->i_gid)))
		return false;
	/* Pairs with rumpfs_attr_set() and rumpfs_key_load(). */
	smp_rmb();
	return READ_ONCE(open->map->attr_seq) ==
	       READ_ONCE(RUMPFS_NODE(inode)->attr_seq);
}

/*
 * The registrant is about to be asked about a host file. is_settled: of what is
 * known of it, and has been for a while, so that the VFS asks the opener of that;
 * seq: map->attr_seq, from before that was looked at.
 */
static inline void etfs_spare_set_asked(struct etfs_open *open, bool is_settled,
					u32 seq)
{
	open->asked = jiffies;
	open->asked_seq = is_settled ? seq : seq - 1;
}

/*
 * Was that so a moment ago, is it still, and is there nobody else who would have
 * to be asked, as for a lease, or who could have held up the opener?
 */
static inline bool etfs_spare_is_asked(const struct etfs_open *open,
				       const struct inode *inode)
{
	const struct inode *host = file_inode(open->host);

	if (!etfs_open_is_same(open, inode) ||
	    (READ_ONCE(host->i_acl) && IS_POSIXACL(host)) ||
	    locks_inode_context(host) ||
	    fsnotify_sb_has_watchers(inode->i_sb))
		return false;
	/* As above. */
	smp_rmb();
	return open->asked_seq == READ_ONCE(open->map->attr_seq) &&
	       time_before(jiffies, open->asked + ETFS_SPARE_ASKED);
}

static inline bool etfs_spare_is_watched(const struct etfs_open *open)
{
	return fsnotify_sb_has_watchers(file_inode(open->host)->i_sb);
}

/* As if it had been opened now. */
static inline void etfs_spare_renew(struct file *host)
{
	host->f_pos = 0;
	/* How far it may read ahead is asked with the rest. */
	host->f_ra = (struct file_ra_state) {
		.ra_pages = host->f_ra.ra_pages,
		.prev_pos = -1,
	};
	/* Mostly nothing has ever failed. */
	if (unlikely(READ_ONCE(host->f_mapping->wb_err)))
		host->f_wb_err = filemap_sample_wb_err(host->f_mapping);
	if (unlikely(READ_ONCE(host->f_path.dentry->d_sb->s_wb_err)))
		host->f_sb_err = file_sample_sb_err(host);
}

/* For this reader alone, or NULL. Context: inside the mapping. */
static inline struct etfs_open *etfs_spare_take(const struct etfs_map *map,
						unsigned int flags)
{
	struct etfs_gate *gate = map->gate;
	struct etfs_open *open;

	if ((flags & (ETFS_OPEN_FLAGS | __FMODE_EXEC)) != O_RDONLY ||
	    !READ_ONCE(gate->spare))
		return NULL;
	open = xchg(&gate->spare, NULL);
	if (!open)
		return NULL;
	if (unlikely(etfs_spare_is_watched(open))) {
		etfs_open_free(open);
		return NULL;
	}
	etfs_spare_renew(open->host);
	return open;
}

#endif /* _RUMPFS_SPARE_H */
