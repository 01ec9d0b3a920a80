// SPDX-License-Identifier: GPL-2.0
/*
 * Who registers mappings, and from where: the credentials and the root of all
 * walks that are made for him later.
 */
#include "host.h"

#include <linux/cred.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/path.h>
#include <linux/sched.h>
#include <linux/slab.h>

/* From init's root of the moment. */
struct etfs_origin *etfs_origin_of_init(const struct cred *cred)
{
	struct etfs_origin *origin = kzalloc(sizeof(*origin), GFP_KERNEL);

	if (!origin)
		return NULL;
	refcount_set(&origin->ref, 1);
	origin->cred = get_cred(cred);
	origin->is_init = true;
	return origin;
}

/* From the caller's root. */
struct etfs_origin *etfs_origin_new(const struct cred *cred)
{
	struct etfs_origin *origin = etfs_origin_of_init(cred);
	struct path init_root;

	if (!origin)
		return NULL;
	get_fs_root(current->fs, &origin->root);
	get_init_root(&init_root);
	origin->is_init = path_equal(&origin->root, &init_root);
	path_put(&init_root);
	if (origin->is_init)
		path_put(&origin->root);
	return origin;
}

struct etfs_origin *etfs_origin_get(struct etfs_origin *origin)
{
	refcount_inc(&origin->ref);
	return origin;
}

/* Context: may sleep, may unmount. */
void etfs_origin_put(struct etfs_origin *origin)
{
	if (!refcount_dec_and_test(&origin->ref))
		return;
	if (!origin->is_init)
		path_put(&origin->root);
	put_cred(origin->cred);
	kfree(origin);
}

void etfs_origin_begin(struct etfs_origin *origin)
{
	origin->near.is_on = true;
}

void etfs_origin_end(struct etfs_origin *origin)
{
	origin->near.is_on = false;
	etfs_near_end(&origin->near);
}

const struct super_block *etfs_origin_sb(const struct etfs_origin *origin)
{
	return origin->is_init ? NULL : origin->root.mnt->mnt_sb;
}

const struct cred *etfs_origin_act(const struct etfs_origin *origin)
{
	return override_creds(origin->cred);
}

void etfs_origin_root(const struct etfs_origin *origin, struct path *root)
{
	if (origin->is_init) {
		get_init_root(root);
	} else {
		*root = origin->root;
		path_get(root);
	}
}
