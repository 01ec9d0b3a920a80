// SPDX-License-Identifier: GPL-2.0
/*
 * A direct request that its submitter does not wait for.
 *
 * It has a kiocb of its own, which may outlive the call that submitted it. Two
 * hold it: the submitter, as hosts look at a kiocb again after they have queued
 * it, and the completion. Until it is complete it is inside the mapping, so a
 * revocation waits for it.
 */
#include "open.h"

#include <linux/file.h>
#include <linux/fsnotify.h>
#include <linux/slab.h>
#include <linux/uio.h>

/* I: all but kiocb and ref. */
struct etfs_async {
	struct kiocb kiocb;
	refcount_t ref;
	struct kiocb *user;
	struct etfs_map *map;
	bool is_write;
};

static void etfs_async_put(struct etfs_async *async)
{
	if (refcount_dec_and_test(&async->ref))
		kfree(async);
}

static void etfs_async_end(struct etfs_async *async, ssize_t done)
{
	struct etfs_map *map = async->map;
	struct etfs_counts __percpu *counts = map->gate->counts;

	if (async->is_write) {
		kiocb_end_write(&async->kiocb);
		if (done > 0)
			this_cpu_add(counts->bytes_written, done);
	} else if (done > 0) {
		this_cpu_add(counts->bytes_read, done);
	}
	etfs_map_leave(map);
}

/*
 * Generic code reads i_size of the key. Who moves the end of the host file
 * completes in a task, where i_lock may be taken.
 */
static void etfs_async_refresh(const struct etfs_async *async)
{
	if (async->is_write && in_task() && !irqs_disabled())
		etfs_window_refresh(file_inode(async->user->ki_filp),
				    &async->map->spec.win,
				    async->kiocb.ki_filp);
}

/* Context: any; interrupts may be off. */
static void etfs_async_complete(struct kiocb *kiocb, long ret)
{
	struct etfs_async *async = container_of(kiocb, struct etfs_async,
						kiocb);
	struct kiocb *user = async->user;

	user->ki_pos = kiocb->ki_pos - async->map->spec.win.offset;
	if (ret > 0)
		etfs_async_refresh(async);
	etfs_async_end(async, ret);
	etfs_async_put(async);
	/* The user's file, and with it the map, may go from here on. */
	user->ki_complete(user, ret);
}

/* kiocb says what to do; the caller is inside the mapping. */
static struct etfs_async *etfs_async_new(struct etfs_open *open,
					 struct kiocb *user,
					 const struct kiocb *kiocb)
{
	bool nowait = user->ki_flags & IOCB_NOWAIT;
	struct etfs_async *async;

	async = kmalloc(sizeof(*async),
			nowait ? GFP_NOWAIT | __GFP_NOWARN : GFP_KERNEL);
	if (!async)
		return ERR_PTR(nowait ? -EAGAIN : -ENOMEM);
	refcount_set(&async->ref, 2);
	async->kiocb = *kiocb;
	async->kiocb.ki_complete = etfs_async_complete;
	async->user = user;
	async->map = open->map;
	async->is_write = false;
	etfs_map_enter_again(open->map);
	return async;
}

/* Return: ret; -EIOCBQUEUED if the completion will tell. */
static ssize_t etfs_async_submitted(struct etfs_async *async,
				    struct kiocb *kiocb, ssize_t ret)
{
	if (ret != -EIOCBQUEUED) {
		kiocb->ki_pos = async->kiocb.ki_pos;
		/* The caller counts. */
		etfs_async_end(async, 0);
		etfs_async_put(async);
	}
	etfs_async_put(async);
	return ret;
}

ssize_t etfs_async_read(struct etfs_open *open, struct kiocb *user,
			struct kiocb *kiocb, struct iov_iter *to)
{
	struct etfs_async *async = etfs_async_new(open, user, kiocb);
	ssize_t ret;

	if (IS_ERR(async))
		return PTR_ERR(async);
	ret = open->host->f_op->read_iter(&async->kiocb, to);
	if (ret == -EIOCBQUEUED)
		fsnotify_access(open->host);
	return etfs_async_submitted(async, kiocb, ret);
}

/* Freeze protection as etfs_host_write() has it, until the completion. */
static int etfs_async_start_write(struct etfs_async *async)
{
	struct super_block *sb = file_inode(async->kiocb.ki_filp)->i_sb;

	if (!(async->kiocb.ki_flags & IOCB_NOWAIT)) {
		etfs_host_lockdep_off(sb);
		kiocb_start_write(&async->kiocb);
		etfs_host_lockdep_on(sb);
	} else {
		if (!sb_start_write_trylock(sb))
			return -EAGAIN;
		__sb_writers_release(sb, SB_FREEZE_WRITE);
	}
	async->is_write = true;
	return 0;
}

ssize_t etfs_async_write(struct etfs_open *open, struct kiocb *user,
			 struct kiocb *kiocb, struct iov_iter *from)
{
	struct file *host = open->host;
	struct etfs_async *async;
	ssize_t ret;

	ret = etfs_host_verify(WRITE, host, kiocb->ki_pos,
			       iov_iter_count(from));
	if (ret)
		return ret;
	async = etfs_async_new(open, user, kiocb);
	if (IS_ERR(async))
		return PTR_ERR(async);
	ret = etfs_async_start_write(async);
	if (!ret)
		ret = host->f_op->write_iter(&async->kiocb, from);
	if (ret == -EIOCBQUEUED)
		fsnotify_modify(host);
	return etfs_async_submitted(async, kiocb, ret);
}
