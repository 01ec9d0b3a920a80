// SPDX-License-Identifier: GPL-2.0
/*
 * Pins: where a host that is bound for good lies, as its row tells.
 *
 * The row says what was written while that leads to the host, and from then on
 * the path it has. Where no path leads to it, because its name is gone or
 * something is mounted over it, no row can bring the mapping back.
 */
#include "host.h"

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/string.h>

/* Names may change places while a path is put together. */
#define ETFS_PIN_TRIES	3

/* Put the name of at before to and go to its parent. Return: NULL: no way. */
static char *etfs_pin_step(struct path *at, const char *buf, char *to)
{
	struct dentry *dentry = at->dentry;
	struct name_snapshot name;

	/* Files without any name, as memfd's, never had one to be hashed by. */
	if (IS_ROOT(dentry) || d_unhashed(dentry))
		return NULL;
	take_dentry_name_snapshot(&name, dentry);
	if (to - buf > name.name.len) {
		to -= name.name.len;
		memcpy(to, name.name.name, name.name.len);
		*--to = '/';
	} else {
		to = NULL;
	}
	release_dentry_name_snapshot(&name);
	at->dentry = dget_parent(dentry);
	dput(dentry);
	return to;
}

static char *etfs_pin_climb(const struct path *host, const struct path *root,
			    char *buf)
{
	char *to = buf + PATH_MAX - 1;
	struct path at = *host;
	bool is_under = false;

	*to = '\0';
	path_get(&at);
	while (to && !path_equal(&at, root)) {
		/* Who walks down comes out in what is mounted here. */
		if (!is_under && path_is_mountpoint(&at)) {
			to = NULL;
		} else if (at.dentry == at.mnt->mnt_root) {
			is_under = follow_up(&at);
			if (!is_under)
				to = NULL;
		} else {
			is_under = false;
			to = etfs_pin_step(&at, buf, to);
		}
	}
	path_put(&at);
	if (to && !*to)
		*--to = '/';
	return to;
}

/*
 * The path of host from the registrant's root, in buf of PATH_MAX bytes.
 * Return: NULL if there is none.
 */
static char *etfs_pin_path(const struct etfs_map *map, const struct path *host,
			   char *buf)
{
	int tries = ETFS_PIN_TRIES;
	struct path root;
	unsigned int seq;
	char *path;

	etfs_origin_root(map->origin, &root);
	do {
		seq = read_seqbegin(&rename_lock);
		path = etfs_pin_climb(host, &root, buf);
	} while (read_seqretry(&rename_lock, seq) && --tries);
	path_put(&root);
	return tries ? path : NULL;
}

int etfs_pin_begin(struct etfs_map *map, const struct path *host,
		   struct etfs_reason *why)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL), *path;
	int err = buf ? 0 : -ENOMEM;

	path = buf ? etfs_pin_path(map, host, buf) : NULL;
	kfree(map->own_path);
	map->own_path = NULL;
	if (path && strcmp(path, map->spec.host)) {
		map->own_path = kstrdup(path, GFP_KERNEL_ACCOUNT);
		if (!map->own_path)
			err = -ENOMEM;
	}
	kfree(buf);
	if (err)
		etfs_refuse(why, "out of memory");
	return err;
}

/*
 * Does what was written, through links or mounts perhaps, lead to the host as
 * far as is known without asking anybody? A row may not do so: the path that
 * the host has is right in any case.
 */
static bool etfs_pin_is_led_to(const struct etfs_map *map)
{
	const struct cred *old = etfs_origin_act(map->origin);
	struct path root, path;
	bool is_led = false;

	etfs_origin_root(map->origin, &root);
	if (!etfs_way_walk_known(&root, map->spec.host, LOOKUP_FOLLOW, &path)) {
		is_led = path_equal(&path, &map->host->f_path);
		path_put(&path);
	}
	path_put(&root);
	revert_creds(old);
	return is_led;
}

bool etfs_pin_update(struct etfs_map *map, char *buf)
{
	/* The table asks only of maps that are in it: these have their host. */
	char *path = etfs_pin_path(map, &map->host->f_path, buf);

	if (!path)
		return false;
	if (!strcmp(path, map->own_path ?: map->spec.host) &&
	    (!map->own_path || etfs_pin_is_led_to(map)))
		return true;
	path = kstrdup(path, GFP_KERNEL_ACCOUNT);
	/* What the row says would be another file. */
	if (!path)
		return false;
	kfree(map->own_path);
	map->own_path = NULL;
	etfs_map_set_host_path(map, path);
	return true;
}
