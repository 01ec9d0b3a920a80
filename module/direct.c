// SPDX-License-Identifier: GPL-2.0
/*
 * The bios of a disk with dio: the host reads and writes their own pages.
 *
 * A bio is one kiocb that nobody waits for. Where the host may be entered from
 * the submitter's context at all, and says so by FMODE_NOWAIT, it is tried
 * there first: with IOCB_NOWAIT it waits for nobody, and the bios it makes leave
 * when ->submit_bio returns. A submitter amid a transaction of an upper file
 * system or in reclaim, and whatever the host cannot do so, has a worker. What
 * comes back short is done again, to the end, as any other bio.
 */
#include "disk.h"

#include <linux/fs.h>
#include <linux/sched/mm.h>
#include <linux/uio.h>

bool etfs_direct_may(const struct etfs_disk *disk, struct bio *bio,
		     const struct etfs_span *span)
{
	return disk->host->f_flags & O_DIRECT && bio_has_data(bio) &&
	       span->len && span->len == bio->bi_iter.bi_size &&
	       !(bio->bi_opf & (REQ_PREFLUSH | REQ_FUA));
}

static bool etfs_direct_may_inline(const struct etfs_disk *disk)
{
	return disk->host->f_mode & FMODE_NOWAIT && !current->journal_info &&
	       !(current->flags & (PF_MEMALLOC | PF_MEMALLOC_NOIO |
				   PF_MEMALLOC_NOFS));
}

/* Context: any; interrupts may be off. */
static void etfs_direct_done(struct etfs_io *io, ssize_t ret)
{
	if (ret == io->span.len)
		etfs_io_end(io, 0);
	else if (ret < 0 && ret != -EAGAIN && ret != -EOPNOTSUPP)
		etfs_io_end(io, ret);
	else
		etfs_io_queue(io);
}

static void etfs_direct_complete(struct kiocb *kiocb, long ret)
{
	struct etfs_io *io = container_of(kiocb, struct etfs_io, kiocb);

	if (op_is_write(bio_op(io->bio)))
		kiocb_end_write(kiocb);
	etfs_direct_done(io, ret);
}

static int etfs_direct_start_write(struct kiocb *kiocb)
{
	struct super_block *sb = file_inode(kiocb->ki_filp)->i_sb;

	if (!(kiocb->ki_flags & IOCB_NOWAIT)) {
		kiocb_start_write(kiocb);
		return 0;
	}
	if (!sb_start_write_trylock(sb))
		return -EAGAIN;
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return 0;
}

static ssize_t etfs_direct_write(struct etfs_io *io, struct iov_iter *iter)
{
	struct kiocb *kiocb = &io->kiocb;
	ssize_t ret = etfs_direct_start_write(kiocb);

	if (ret)
		return ret;
	ret = kiocb->ki_filp->f_op->write_iter(kiocb, iter);
	if (ret != -EIOCBQUEUED)
		kiocb_end_write(kiocb);
	return ret;
}

/* Return: as the host; on -EIOCBQUEUED the io may be gone. */
static ssize_t etfs_direct_issue(struct etfs_io *io, int flags)
{
	struct file *host = io->disk->host;
	struct bio *bio = io->bio;
	struct iov_iter iter;
	ssize_t ret;

	/* The host looks at a kiocb again after it was queued. */
	refcount_inc(&io->ref);
	init_sync_kiocb(&io->kiocb, host);
	io->kiocb.ki_flags |= flags;
	io->kiocb.ki_pos = io->span.off;
	io->kiocb.ki_ioprio = bio->bi_ioprio;
	io->kiocb.ki_complete = etfs_direct_complete;
	etfs_bio_iter(bio, 0, io->span.len, &iter);
	ret = op_is_write(bio_op(bio)) ? etfs_direct_write(io, &iter) :
					 host->f_op->read_iter(&io->kiocb,
							       &iter);
	etfs_io_put(io);
	return ret;
}

static void etfs_direct_work(struct work_struct *work)
{
	struct etfs_io *io = container_of(work, struct etfs_io, work);
	struct etfs_task task;
	ssize_t ret;

	etfs_task_begin(&task, io->bio);
	ret = etfs_direct_issue(io, 0);
	etfs_task_end(&task);
	if (ret != -EIOCBQUEUED)
		etfs_direct_done(io, ret);
}

void etfs_direct_submit(struct etfs_io *io)
{
	bool is_nowait = io->bio->bi_opf & REQ_NOWAIT;
	unsigned int noio;
	ssize_t ret = -EAGAIN;

	if (etfs_direct_may_inline(io->disk)) {
		noio = memalloc_noio_save();
		ret = etfs_direct_issue(io, IOCB_NOWAIT);
		memalloc_noio_restore(noio);
	}
	if (ret == -EIOCBQUEUED)
		return;
	if (ret == io->span.len) {
		etfs_io_end(io, 0);
	} else if (is_nowait) {
		etfs_io_end(io, ret < 0 ? ret : -EAGAIN);
	} else {
		INIT_WORK(&io->work, etfs_direct_work);
		queue_work(io->disk->wq, &io->work);
	}
}
