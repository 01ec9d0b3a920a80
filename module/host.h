/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that look at the host share; see host.c, below.c and way.c. */
#ifndef _RUMPFS_HOST_H
#define _RUMPFS_HOST_H

#include "etfs.h"

#include <linux/mount.h>
#include <linux/path.h>
#include <linux/refcount.h>

/* Where the last path of a batch led, so that the next may go on from there. */
struct etfs_near {
	/* it is kept */
	bool is_on;
	/* a directory, a reference, if len */
	struct path dir;
	/* so many bytes of this path lead there, with a slash behind them */
	const char *name;
	u32 len;
};

/* Who registered a mapping, and from where. Shared by the maps of a batch. */
struct etfs_origin {
	refcount_t ref;
	const struct cred *cred;
	/*
	 * The writer's root was init's: then init's root of the moment counts,
	 * so that keys of an initramfs survive switch_root, and none is held.
	 */
	bool is_init;
	struct path root;
	/* while a batch finds its hosts: of these walks alone */
	struct etfs_near near;
};

/* In origin.c */
/* Become the registrant. Return: what revert_creds() takes. */
const struct cred *etfs_origin_act(const struct etfs_origin *origin);
/*
 * The registrant's mount namespace is gone, or what was its root was taken out
 * of it: below that root, where other mounts were, are now the files that lay
 * under them. The mark is set before any mount is cut off, under the lock that
 * a walk checks, so a walk that came too late sees it afterwards. Context: any.
 */
static inline bool etfs_origin_is_gone(const struct etfs_origin *origin)
{
	return !origin->is_init &&
	       (READ_ONCE(origin->root.mnt->mnt_flags) & MNT_UMOUNT);
}

/* The registrant's root, with a reference. Context: any. */
void etfs_origin_root(const struct etfs_origin *origin, struct path *root);
/*
 * In host.c, host_stat.c. Context: may sleep; as the registrant, but where
 * said.
 */
/* A walk from a path, which is its root, too. Return: 0 with a path to put. */
int etfs_host_look(const struct path *from, const char *rel, unsigned int flags,
		   struct path *path);
/* At registration. A magic link makes the map one that is bound for good. */
int etfs_host_find(struct etfs_map *map, struct path *path,
		   struct etfs_reason *why);
/* How a path is walked: etfs_host_look(), or etfs_way_walk() with a lock. */
typedef int etfs_walk_t(const struct path *from, const char *rel,
			unsigned int flags, struct path *path);
/* What the map is bound to, or what its path leads to now. */
int etfs_host_path(struct etfs_map *map, etfs_walk_t *walk, unsigned int flags,
		   struct path *path);
/* Is it a rumpfs, or may it stand on one? Context: any. */
bool etfs_host_is_deep(const struct super_block *sb);
/* May anything of this file system stand behind a key? Context: any. */
int etfs_host_judge_depth(const struct super_block *sb,
			  struct etfs_reason *why);
/* Can what was opened be read, and written if it is open for that? */
int etfs_host_judge_file(const struct file *host, struct etfs_reason *why);
/* Open what was judged. */
struct file *etfs_host_open_as(const struct etfs_map *map,
			       const struct path *path, int flags);
/* A file gives nobody more rights than it does where it is mounted. */
int etfs_host_stat(const struct path *path, struct kstat *stat);
/* Bind the map to the object: see etfs_map_drop_host(). */
int etfs_host_pin(struct etfs_map *map, const struct path *path,
		  struct etfs_reason *why);
/* What the node shows until somebody looks at the host again. */
void etfs_host_remember(struct etfs_map *map, const struct path *path);

/* In dwalk.c */
/*
 * As etfs_host_look() with LOOKUP_FOLLOW, where the dcache knows all of the way
 * and nothing but mounts is on it. Return: false if it has to be walked.
 */
bool etfs_dwalk(const struct path *from, const char *name, struct path *path);
/*
 * The same for the host of a map that is being registered, going on from where the
 * last of the batch led. Context: the registrant's credentials.
 */
bool etfs_dwalk_near(const struct etfs_map *map, struct path *path);
/* Nothing of that is known any more. Context: may sleep, may unmount. */
void etfs_near_end(struct etfs_near *near);

/* In way.c */
/*
 * As etfs_host_look(), and never through a magic link. Context: may sleep; any
 * lock of ours may be held, and none is waited for.
 */
int etfs_way_walk(const struct path *from, const char *rel, unsigned int flags,
		  struct path *path);
/*
 * Where a way leads that is in memory as a whole. No host is asked, nor whether
 * anybody may go there. Context: sleeps, but waits for nobody.
 */
int etfs_way_walk_known(const struct path *from, const char *rel,
			unsigned int flags, struct path *path);

/* In pin.c */
/* At registration: this is what the written path leads to. */
int etfs_pin_begin(struct etfs_map *map, const struct path *host,
		   struct etfs_reason *why);

#endif /* _RUMPFS_HOST_H */
