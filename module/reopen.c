// SPDX-License-Identifier: GPL-2.0
/*
 * One more open file of what a host file is open on.
 *
 * For a mapping that happens with the memory of its process locked. Whom
 * fanotify asks may want to see that memory before he answers, so he is not
 * asked; where a module cannot have that, he is asked of a worker, which has
 * none. Who then waits for the worker can be killed, and the worker may have the
 * host file until there is an answer.
 */
#include "host.h"
#include "open.h"

#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

static struct workqueue_struct *etfs_reopen_queue;

int etfs_reopen_init(void)
{
	etfs_reopen_queue = alloc_workqueue("rumpfs_open", WQ_UNBOUND, 0);
	return etfs_reopen_queue ? 0 : -ENOMEM;
}

void etfs_reopen_exit(void)
{
	/* Nobody may wait any more for what is still being opened. */
	destroy_workqueue(etfs_reopen_queue);
}

struct file *etfs_host_reopen(struct etfs_map *map, const struct file *host,
			      int flags)
{
	const struct cred *old = etfs_origin_act(map->origin);
	struct file *again = dentry_open(&host->f_path, flags | O_LARGEFILE,
					 current_cred());

	revert_creds(old);
	return again;
}

struct file *etfs_host_get_writer(struct etfs_map *map, struct file *host)
{
	const struct cred *old;
	struct file *writer;

	if (host->f_mode & FMODE_WRITE)
		return get_file(host);
	old = etfs_origin_act(map->origin);
	writer = etfs_host_open_as(map, &host->f_path, O_WRONLY);
	revert_creds(old);
	return writer;
}

/* Owned by the worker and by who waits for him. */
struct etfs_reopen {
	struct work_struct work;
	struct completion done;
	refcount_t ref;
	/* references */
	struct etfs_map *map;
	struct file *host;
	int flags;
	/* once it is done: a reference, an error, or NULL if it was taken */
	struct file *again;
};

static void etfs_reopen_put(struct etfs_reopen *reopen)
{
	if (!refcount_dec_and_test(&reopen->ref))
		return;
	module_put(THIS_MODULE);
	if (!IS_ERR_OR_NULL(reopen->again))
		fput(reopen->again);
	fput(reopen->host);
	etfs_map_put(reopen->map);
	kfree(reopen);
}

static void etfs_reopen_work(struct work_struct *work)
{
	struct etfs_reopen *reopen = container_of(work, struct etfs_reopen,
						  work);

	reopen->again = etfs_host_reopen(reopen->map, reopen->host,
					 reopen->flags);
	complete(&reopen->done);
	etfs_reopen_put(reopen);
}

static struct file *etfs_reopen_by_worker(struct etfs_map *map,
					  struct file *host, int flags)
{
	struct etfs_reopen *reopen = kzalloc(sizeof(*reopen), GFP_KERNEL);
	struct file *again;

	if (!reopen)
		return ERR_PTR(-ENOMEM);
	/* Nobody unloads it before there is an answer. */
	__module_get(THIS_MODULE);
	INIT_WORK(&reopen->work, etfs_reopen_work);
	init_completion(&reopen->done);
	refcount_set(&reopen->ref, 2);
	etfs_map_get(map);
	reopen->map = map;
	reopen->host = get_file(host);
	reopen->flags = flags;
	queue_work(etfs_reopen_queue, &reopen->work);
	if (wait_for_completion_state(&reopen->done,
				      TASK_KILLABLE | TASK_FREEZABLE)) {
		again = ERR_PTR(-EINTR);
	} else {
		again = reopen->again;
		reopen->again = NULL;
	}
	etfs_reopen_put(reopen);
	return again;
}

/* Who has such a priority is asked whether a file may be opened, or read. */
static bool etfs_is_asked(const struct inode *inode)
{
	return fsnotify_sb_has_priority_watchers(inode->i_sb,
						 FSNOTIFY_PRIO_CONTENT);
}

struct file *etfs_host_reopen_locked(struct etfs_map *map, struct file *host,
				     int flags)
{
	/* Who comes this moment is asked of this process. */
	if (etfs_is_asked(file_inode(host)) ||
	    etfs_is_asked(d_real_inode(host->f_path.dentry)))
		return etfs_reopen_by_worker(map, host, flags);
	return etfs_host_reopen(map, host, flags | O_NONOTIFY);
}
