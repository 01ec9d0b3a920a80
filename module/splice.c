// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes to and from a window.
 *
 * splice(2) into a host file takes the freeze protection of its file system
 * first and the pipe's lock below. So must whoever writes through a key, or
 * the two and a freezer wait for each other: it is taken here, and not once
 * more by each write.
 */
#include "etfs.h"
#include "rumpfs.h"

#include <linux/bvec.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>
#include <linux/uio.h>

static ssize_t etfs_open_splice_read(struct etfs_open *open, struct file *file,
				     loff_t *ppos,
				     struct pipe_inode_info *pipe,
				     size_t len, unsigned int flags)
{
	u64 size = etfs_open_size(open);
	struct file *host = open->host;
	ssize_t ret;
	loff_t off;

	if (*ppos >= size)
		return 0;
	ret = etfs_window_off(&open->map->spec.win, *ppos, &off);
	if (ret)
		return ret;
	if (!host->f_op->splice_read || (file->f_flags & O_DIRECT))
		return copy_splice_read(file, ppos, pipe, len, flags);
	len = min_t(u64, len, size - *ppos);
	ret = etfs_host_verify(READ, host, &off, len);
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
};

/* What one buffer of the pipe holds goes to the file. */
static int etfs_splice_actor(struct pipe_inode_info *pipe,
			     struct pipe_buffer *buf, struct splice_desc *sd)
{
	struct etfs_splice *splice = sd->u.data;
	struct iov_iter from;
	struct bio_vec bvec;
	struct kiocb iocb;

	init_sync_kiocb(&iocb, splice->file);
	iocb.ki_pos = sd->pos;
	bvec_set_page(&bvec, buf->page, sd->len, buf->offset);
	iov_iter_bvec(&from, ITER_SOURCE, &bvec, 1, sd->len);
	return splice->write(&iocb, &from, true);
}

ssize_t etfs_splice_write(struct pipe_inode_info *pipe, struct file *file,
			  loff_t *ppos, size_t len, unsigned int flags,
			  etfs_write *write)
{
	struct etfs_splice splice = { file, write };
	struct splice_desc sd = {
		.total_len	= len,
		.flags		= flags,
		.pos		= *ppos,
		.u.data		= &splice,
	};
	struct etfs_open *open = file->private_data;
	struct file *host = etfs_gate_get_host(open);
	ssize_t ret = 0;
	loff_t off;

	if (!host)
		return -EIO;
	/* Whoever is asked before a write may freeze what it is on. */
	if (!etfs_window_off(&open->map->spec.win, *ppos, &off))
		ret = etfs_host_verify(WRITE, host, &off, len);
	if (ret)
		goto put;
	etfs_host_start_write(host);
	pipe_lock(pipe);
	ret = __splice_from_pipe(pipe, &sd, etfs_splice_actor);
	pipe_unlock(pipe);
	etfs_host_end_write(host);
	if (ret > 0)
		*ppos = sd.pos;
put:
	fput(host);
	return ret;
}
