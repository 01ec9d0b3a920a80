// SPDX-License-Identifier: GPL-2.0
/*
 * The bios of a disk that a worker has.
 *
 * Each disk has a workqueue with a rescuer of its own, as disks stand on each
 * other. There one worker goes through a list of those that are soon done or
 * would wait for each other, the others are served side by side:
 *
 *	listed		with dio: they are only issued, see direct.c; writes to
 *			a file's page cache, as they exclude each other there
 *	side by side	reads, which wait for the host's disk; what flushes or
 *			clears; writes to a host that is mounted with sync. Of
 *			these, writes to a host that is frozen are another list
 */
#include "disk.h"

#include <linux/blk-cgroup.h>
#include <linux/cgroup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/llist.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#if defined(CONFIG_MEMCG) && defined(CONFIG_BLK_CGROUP)
/*
 * The host's pages are charged to whose bio it is; but not to who swaps, as he
 * has no room.
 */
static void etfs_task_charge(struct etfs_task *task, struct bio *bio)
{
	struct cgroup_subsys_state *blkcg = bio_blkcg_css(bio);

	task->memcg = NULL;
	if (!blkcg || bio->bi_opf & REQ_SWAP)
		return;
	task->memcg = cgroup_get_e_css(blkcg->cgroup, &memory_cgrp_subsys);
	task->old_memcg = set_active_memcg(mem_cgroup_from_css(task->memcg));
}

static void etfs_task_uncharge(struct etfs_task *task)
{
	if (!task->memcg)
		return;
	set_active_memcg(task->old_memcg);
	css_put(task->memcg);
}
#else
static void etfs_task_charge(struct etfs_task *task, struct bio *bio)
{
}

static void etfs_task_uncharge(struct etfs_task *task)
{
}
#endif

/*
 * Memory that the host takes must not wait for I/O, which may be to this disk;
 * and who writes out this disk's pages is not to be slowed down for dirtying
 * the host's.
 */
void etfs_task_begin(struct etfs_task *task, struct bio *bio)
{
	task->flags = current->flags;
	task->noio = memalloc_noio_save();
	current->flags |= PF_LOCAL_THROTTLE;
	kthread_associate_blkcg(bio_blkcg_css(bio));
	etfs_task_charge(task, bio);
}

void etfs_task_end(struct etfs_task *task)
{
	etfs_task_uncharge(task);
	kthread_associate_blkcg(NULL);
	current_restore_flags(task->flags, PF_LOCAL_THROTTLE);
	memalloc_noio_restore(task->noio);
}

void etfs_io_put(struct etfs_io *io)
{
	struct etfs_disk *disk;

	if (!refcount_dec_and_test(&io->ref))
		return;
	disk = io->disk;
	if (io->has_room)
		up(&disk->swap_room);
	mempool_free(io, &disk->ios);
	percpu_ref_put(&disk->inflight);
}

void etfs_io_end(struct etfs_io *io, int err)
{
	etfs_bio_end(io->bio, io->start, err);
	etfs_io_put(io);
}

static void etfs_io_serve(struct etfs_io *io)
{
	struct etfs_task task;
	int err;

	etfs_task_begin(&task, io->bio);
	err = etfs_disk_serve(io->disk, io->bio, &io->span);
	etfs_task_end(&task);
	etfs_io_end(io, err);
}

/* Is it to wait until the host's file system is thawed? */
static bool etfs_io_is_frozen(const struct etfs_io *io)
{
	const struct super_block *sb = file_inode(io->disk->host)->i_sb;

	return op_is_write(bio_op(io->bio)) &&
	       READ_ONCE(sb->s_writers.frozen) != SB_UNFROZEN;
}

/*
 * Those that wait for a frozen host do so behind each other, not all workers.
 * Return: it is with those, and may be gone.
 */
static bool etfs_io_awaits_thaw(struct etfs_io *io)
{
	struct etfs_disk *disk = io->disk;

	if (!etfs_io_is_frozen(io))
		return false;
	percpu_ref_get(&disk->inflight);
	llist_add(&io->node, &disk->frozen);
	queue_work(disk->wq, &disk->frozen_work);
	percpu_ref_put(&disk->inflight);
	return true;
}

static void etfs_io_work(struct work_struct *work)
{
	struct etfs_io *io = container_of(work, struct etfs_io, work);

	/* Perhaps since it was queued. */
	if (!etfs_io_awaits_thaw(io))
		etfs_io_serve(io);
}

void etfs_io_queue(struct etfs_io *io)
{
	if (etfs_io_awaits_thaw(io))
		return;
	INIT_WORK(&io->work, etfs_io_work);
	queue_work(io->disk->wq, &io->work);
}

/*
 * Reclaim that may swap out all of a cgroup at once finds no page to free, and
 * kills. So whoever swaps is slowed down, as he would be by a lack of tags; but
 * he may hold what a worker needs of the host, so that is not for ever.
 */
static bool etfs_swap_room(struct etfs_disk *disk, const struct bio *bio)
{
	return bio->bi_opf & REQ_SWAP && op_is_write(bio_op(bio)) &&
	       !down_timeout(&disk->swap_room, HZ / 10);
}

struct etfs_io *etfs_io_new(struct etfs_disk *disk, struct bio *bio,
			    const struct etfs_span *span,
			    unsigned long start)
{
	bool has_room = etfs_swap_room(disk, bio);
	struct etfs_io *io = mempool_alloc(&disk->ios, GFP_NOIO);

	percpu_ref_get(&disk->inflight);
	refcount_set(&io->ref, 1);
	io->disk = disk;
	io->bio = bio;
	io->span = *span;
	io->start = start;
	io->has_room = has_room;
	return io;
}

/* Who submits many has a plug, and calls the worker once for all of them. */
struct etfs_plug {
	struct blk_plug_cb cb;
	/* the disk is kept until it has called */
	bool has_disk;
};

/* Context: of the submitter, who may be about to sleep. */
static void etfs_disk_unplug(struct blk_plug_cb *cb, bool from_schedule)
{
	struct etfs_plug *plug = container_of(cb, struct etfs_plug, cb);
	struct etfs_disk *disk = cb->data;

	queue_work(disk->wq, &disk->list_work);
	percpu_ref_put(&disk->inflight);
	kfree(plug);
}

/* One worker takes it from there, in order. */
void etfs_io_enlist(struct etfs_io *io)
{
	struct etfs_disk *disk = io->disk;
	struct etfs_plug *plug;
	struct blk_plug_cb *cb;

	cb = blk_check_plugged(etfs_disk_unplug, disk, sizeof(*plug));
	if (cb) {
		plug = container_of(cb, struct etfs_plug, cb);
		if (!plug->has_disk)
			percpu_ref_get(&disk->inflight);
		plug->has_disk = true;
	}
	/* From here on it may be gone. */
	llist_add(&io->node, &disk->listed);
	if (!cb)
		queue_work(disk->wq, &disk->list_work);
}

struct llist_node *etfs_ios_take(struct llist_head *ios)
{
	return llist_reverse_order(llist_del_all(ios));
}

static void etfs_ios_serve(struct llist_head *ios)
{
	struct etfs_io *io, *next;

	llist_for_each_entry_safe(io, next, etfs_ios_take(ios), node) {
		etfs_io_serve(io);
		cond_resched();
	}
}

static void etfs_disk_write_listed(struct work_struct *work)
{
	etfs_ios_serve(&container_of(work, struct etfs_disk,
				     list_work)->listed);
}

static void etfs_disk_serve_frozen(struct work_struct *work)
{
	etfs_ios_serve(&container_of(work, struct etfs_disk,
				     frozen_work)->frozen);
}

static bool etfs_io_is_write(const struct etfs_io *io)
{
	const struct inode *inode = io->disk->host->f_mapping->host;

	return bio_op(io->bio) == REQ_OP_WRITE &&
	       !(io->bio->bi_opf & (REQ_PREFLUSH | REQ_FUA)) &&
	       S_ISREG(inode->i_mode) && !IS_SYNC(inode) &&
	       !(io->disk->host->f_flags & O_DIRECT);
}

void etfs_io_submit(struct etfs_io *io)
{
	if (etfs_io_is_write(io))
		etfs_io_enlist(io);
	else
		etfs_io_queue(io);
}

int etfs_disk_queue_init(struct etfs_disk *disk)
{
	bool is_direct = disk->host->f_flags & O_DIRECT;

	sema_init(&disk->swap_room, ETFS_MAX_SWAP);
	init_llist_head(&disk->frozen);
	INIT_WORK(&disk->frozen_work, etfs_disk_serve_frozen);
	init_llist_head(&disk->listed);
	INIT_WORK(&disk->list_work,
		  is_direct ? etfs_direct_issue_listed :
			      etfs_disk_write_listed);
	if (mempool_init_kmalloc_pool(&disk->ios, ETFS_MAX_IOS,
				      sizeof(struct etfs_io)))
		return -ENOMEM;
	/* Who only issues is soon done, and the host's disk idles before. */
	disk->wq = alloc_workqueue("rumpblk%d", WQ_UNBOUND | WQ_MEM_RECLAIM |
				   (is_direct ? WQ_HIGHPRI : 0),
				   ETFS_MAX_IOS, disk->nr);
	if (disk->wq)
		return 0;
	mempool_exit(&disk->ios);
	return -ENOMEM;
}
