// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes to and from a window.
 *
 * splice(2) into a host file takes the freeze protection of its file system
 * first and the pipe's lock below. So must whoever writes through a key, or
 * the two and a freezer wait for each other: it is taken here, and not once
 * more by each write. All of that is inside the mapping, so nobody waits there
 * for a pipe to be filled: that comes before.
 */
#include "open.h"

#include <linux/bvec.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include <linux/wait.h>

static ssize_t etfs_open_splice_read(struct etfs_open *open, struct file *file,
				     loff_t *ppos,
				     struct pipe_inode_info *pipe,
				     size_t len, unsigned int flags)
{
	const struct etfs_window *win = &open->map->spec.win;
	loff_t off = etfs_window_off(win, *ppos);
	struct file *host = open->host;
	ssize_t ret;

	/* The host ends by itself, as in a read. */
	if (off < 0 || (etfs_window_is_fixed(win) && *ppos >= win->size))
		return 0;
	if (!host->f_op->splice_read || (file->f_flags & O_DIRECT))
		return copy_splice_read(file, ppos, pipe, len, flags);
	if (etfs_window_is_fixed(win))
		len = min_t(u64, len, win->size - *ppos);
	ret = etfs_host_verify(READ, host, off, len);
	if (ret)
		return ret;
	ret = host->f_op->splice_read(host, &off, pipe, len, flags);
	if (ret > 0) {
		*ppos += ret;
		etfs_open_count_read(open, ret);
		fsnotify_access(host);
	}
	return ret;
}

ssize_t etfs_window_splice_read(struct file *file, loff_t *ppos,
				struct pipe_inode_info *pipe, size_t len,
				unsigned int flags)
{
	struct etfs_open *open = file->private_data;
	ssize_t ret = etfs_open_enter(open);

	if (ret)
		return ret;
	ret = etfs_open_splice_read(open, file, ppos, pipe, len, flags);
	etfs_open_leave(open);
	return ret;
}

struct etfs_splice {
	struct file *file;
	etfs_write *write;
	/* it got something to write */
	bool is_fed;
};

/* What one buffer of the pipe holds goes to the file. */
static int etfs_splice_actor(struct pipe_inode_info *pipe,
			     struct pipe_buffer *buf, struct splice_desc *sd)
{
	struct etfs_splice *splice = sd->u.data;
	struct iov_iter from;
	struct bio_vec bvec;
	struct kiocb iocb;

	splice->is_fed = true;
	init_sync_kiocb(&iocb, splice->file);
	/* It says where; O_APPEND was set since, and appends are in order. */
	iocb.ki_flags &= ~IOCB_APPEND;
	iocb.ki_pos = sd->pos;
	bvec_set_page(&bvec, buf->page, sd->len, buf->offset);
	iov_iter_bvec(&from, ITER_SOURCE, &bvec, 1, sd->len);
	return splice->write(&iocb, &from, true);
}

/* What the pipe holds, or -EAGAIN. Context: inside the mapping. */
static ssize_t etfs_open_splice_write(struct etfs_open *open,
				      struct pipe_inode_info *pipe,
				      struct splice_desc *sd)
{
	struct file *host = open->host;
	loff_t off = etfs_window_off(&open->map->spec.win, sd->pos);
	ssize_t ret = 0;

	/* Whoever is asked before a write may freeze what it is on. */
	if (off >= 0)
		ret = etfs_host_verify(WRITE, host, off, sd->total_len);
	if (ret)
		return ret;
	etfs_host_start_write(host);
	pipe_lock(pipe);
	ret = __splice_from_pipe(pipe, sd, etfs_splice_actor);
	pipe_unlock(pipe);
	etfs_host_end_write(host);
	return ret;
}

static bool etfs_pipe_is_idle(const struct pipe_inode_info *pipe)
{
	unsigned int head = READ_ONCE(pipe->head);
	unsigned int tail = READ_ONCE(pipe->tail);

	return pipe_empty(head, tail) && READ_ONCE(pipe->writers);
}

ssize_t etfs_splice_write(struct pipe_inode_info *pipe, struct file *file,
			  loff_t *ppos, size_t len, unsigned int flags)
{
	struct etfs_splice splice = {
		.file = file,
		.write = etfs_is_window(file) ? etfs_window_write :
						etfs_chardev_write,
	};
	struct splice_desc sd = {
		.total_len	= len,
		.flags		= flags | SPLICE_F_NONBLOCK,
		.pos		= *ppos,
		.u.data		= &splice,
	};
	struct etfs_open *open = file->private_data;
	ssize_t ret;

	ret = etfs_file_drop_privs(file, false);
	if (ret)
		return ret;
	for (;;) {
		ret = etfs_open_enter(open);
		if (ret)
			return ret;
		ret = etfs_open_splice_write(open, pipe, &sd);
		etfs_open_leave(open);
		if (ret != -EAGAIN || splice.is_fed ||
		    (flags & SPLICE_F_NONBLOCK))
			break;
		ret = wait_event_interruptible(pipe->rd_wait,
					       !etfs_pipe_is_idle(pipe));
		if (ret)
			return ret;
	}
	if (ret > 0)
		*ppos = sd.pos;
	return ret;
}
