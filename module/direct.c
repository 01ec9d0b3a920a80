// SPDX-License-Identifier: GPL-2.0
/*
 * The bios of a disk with dio: the host reads and writes their own pages.
 *
 * A bio is one kiocb that nobody waits for: a worker issues all that have come,
 * neighbours together, and they complete by themselves. What comes back short is
 * done again, to the end, as any other bio.
 *
 * IOCB_NOWAIT or not, a host file system may read a block of its own, of extents
 * or of an inode whose atime changes, and a bio that is waited for below
 * ->submit_bio never leaves. So a submitter issues a kiocb only where the host's
 * bios may leave before he is back: a user's own request for a device that nobody
 * has claimed. No file system is above, with transactions, locks or its share of
 * the stack. A user may have locks of any kind, as that of his memory; but the
 * host only tries for the lock of its file, takes no memory that waits for I/O,
 * and who has such a lock would wait for the request with it in any case.
 */
#include "disk.h"

#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/llist.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

bool etfs_direct_may(const struct etfs_disk *disk, struct bio *bio,
		     const struct etfs_span *span)
{
	return disk->host->f_flags & O_DIRECT && bio_has_data(bio) &&
	       span->len && span->len == bio->bi_iter.bi_size &&
	       !(bio->bi_opf & (REQ_PREFLUSH | REQ_FUA));
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

/* Nobody waits here for a host that is frozen: others are behind this one. */
static ssize_t etfs_direct_write(struct kiocb *kiocb, struct iov_iter *iter)
{
	struct super_block *sb = file_inode(kiocb->ki_filp)->i_sb;
	ssize_t ret;

	if (!sb_start_write_trylock(sb))
		return -EAGAIN;
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	/* By this a stacked host knows what to end. */
	kiocb->ki_flags |= IOCB_WRITE;
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
	ret = op_is_write(bio_op(bio)) ?
		etfs_direct_write(&io->kiocb, &iter) :
		host->f_op->read_iter(&io->kiocb, &iter);
	etfs_io_put(io);
	return ret;
}

/*
 * A write of the submitter's own: what is written back may be anybody's, and is
 * not to fail by the limits of who came by. The host asks for those.
 */
static bool etfs_direct_is_own_write(const struct etfs_io *io)
{
	const blk_opf_t opf = io->bio->bi_opf & (REQ_IDLE | REQ_META);

	return opf == REQ_IDLE &&
	       io->span.off + io->span.len <= rlimit(RLIMIT_FSIZE);
}

/*
 * Nobody has claimed the device, as file systems, swap and devices made of others
 * do; no worker submits for others, and no bio waits for us to be back, which the
 * host might wait for.
 */
static bool etfs_direct_may_now(const struct etfs_io *io)
{
	const unsigned int others = PF_KTHREAD | PF_MEMALLOC |
				    PF_MEMALLOC_NOIO | PF_MEMALLOC_NOFS;
	const struct bio_list *lists = current->bio_list;

	return io->disk->has_nowait && !READ_ONCE(io->bio->bi_bdev->bd_holder) &&
	       !etfs_bio_is_clone(io->bio) &&
	       !current->journal_info && !(current->flags & others) &&
	       lists && bio_list_empty(&lists[0]) &&
	       bio_list_empty(&lists[1]) &&
	       (!op_is_write(bio_op(io->bio)) || etfs_direct_is_own_write(io));
}

static void etfs_direct_issue_now(struct etfs_io *io)
{
	struct bio_list *lists = current->bio_list;
	unsigned int noio = memalloc_noio_save();
	ssize_t ret;

	/* The host's bios leave at once. */
	current->bio_list = NULL;
	ret = etfs_direct_issue(io, IOCB_NOWAIT);
	current->bio_list = lists;
	memalloc_noio_restore(noio);
	/* A worker hears what it is about. */
	if (ret != -EIOCBQUEUED)
		etfs_direct_done(io, ret < 0 ? -EAGAIN : ret);
}

void etfs_direct_submit(struct etfs_io *io)
{
	if (etfs_direct_may_now(io))
		etfs_direct_issue_now(io);
	else
		etfs_io_enlist(io);
}

void etfs_direct_issue_listed(struct work_struct *work)
{
	struct etfs_disk *disk = container_of(work, struct etfs_disk,
					      list_work);
	struct llist_node *listed = etfs_ios_take(&disk->listed);
	struct etfs_io *io, *next;
	bool is_sync = false;
	struct etfs_task task;
	struct blk_plug plug;
	ssize_t ret;

	blk_start_plug(&plug);
	llist_for_each_entry_safe(io, next, listed, node) {
		/* A host that does them one by one is given them side by side. */
		if (is_sync) {
			etfs_io_queue(io);
			continue;
		}
		etfs_task_begin(&task, io->bio);
		ret = etfs_direct_issue(io, 0);
		etfs_task_end(&task);
		if (ret != -EIOCBQUEUED) {
			is_sync = ret > 0;
			etfs_direct_done(io, ret);
		}
		cond_resched();
	}
	blk_finish_plug(&plug);
}
