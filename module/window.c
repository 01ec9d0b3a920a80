// SPDX-License-Identifier: GPL-2.0
/*
 * Kind reg: a byte range of a host file is a file.
 *
 * Each open has the host file, see open.c. Reads and writes go
 * straight to that file's own methods, as the process that does them; pos is
 * a position in the key, off one in the host file, and one function leads from
 * one to the other. The devices of chardev.c move their bytes here, too.
 *
 * What the VFS asked of our file and need not be asked of the host's again:
 * the open modes, the size of a request, the access to the buffer.
 *
 * Each method has an outer half, which goes in through the gate of the mapping
 * and out again, and an inner one that may use the host file.
 */
#include "rumpfs.h"

#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uio.h>

u64 etfs_open_size(const struct etfs_open *open)
{
	return etfs_window_size(&open->map->spec.win,
				etfs_host_size(open->host));
}

/*
 * Generic code reads i_size of our inode without asking for attributes. The
 * inode of a device may be anybody's.
 */
void etfs_open_refresh(const struct etfs_open *open, struct inode *inode)
{
	u64 size = etfs_open_size(open);

	if (i_size_read(inode) == size || !S_ISREG(inode->i_mode))
		return;
	spin_lock(&inode->i_lock);
	i_size_write(inode, size);
	spin_unlock(&inode->i_lock);
}

int etfs_window_off(const struct etfs_window *win, loff_t pos, loff_t *off)
{
	return check_add_overflow((u64)pos, win->offset, (u64 *)off) ||
	       *off < 0 ? -EFBIG : 0;
}

/* Bytes of the window were changed through the key. */
void etfs_open_changed(const struct etfs_open *open, struct inode *inode)
{
	etfs_open_refresh(open, inode);
	if (S_ISREG(inode->i_mode))
		etfs_cover_changed(inode);
}

/* Reading and writing */

/*
 * Direct requests stay asynchronous. The pages that an unaligned window has of
 * its own are checked when a write is done, so there the submitter waits.
 */
static bool etfs_kiocb_is_async(const struct etfs_open *open,
				struct kiocb *iocb)
{
	return (iocb->ki_flags & IOCB_DIRECT) && !is_sync_kiocb(iocb) &&
	       etfs_window_is_aligned(&open->map->spec.win);
}

/*
 * Our kiocb may be asynchronous; one through the page cache is done, or says
 * -EAGAIN under IOCB_NOWAIT. A host mounted with sync is so through us.
 */
static int etfs_kiocb_init(struct kiocb *kiocb, const struct kiocb *iocb,
			   struct etfs_open *open, loff_t off)
{
	const int passed = IOCB_NOWAIT | IOCB_DSYNC | IOCB_SYNC | IOCB_DIRECT |
			   IOCB_APPEND | IOCB_WRITE;
	struct file *host = open->host;

	if ((iocb->ki_flags & IOCB_DIRECT) &&
	    !(host->f_mode & FMODE_CAN_ODIRECT))
		return -EINVAL;
	init_sync_kiocb(kiocb, host);
	kiocb->ki_flags = (kiocb->ki_flags & (IOCB_DSYNC | IOCB_SYNC)) |
			  (iocb->ki_flags & passed);
	kiocb->ki_ioprio = iocb->ki_ioprio;
	kiocb->ki_pos = off;
	return 0;
}

int etfs_host_verify(int op, struct file *host, const loff_t *pos, size_t len)
{
	if (likely(!FMODE_FSNOTIFY_ACCESS_PERM(host->f_mode) &&
		   !FMODE_FSNOTIFY_HSM(host->f_mode)))
		return 0;
	return rw_verify_area(op, host, pos, len);
}

static ssize_t etfs_open_read(struct etfs_open *open, struct kiocb *iocb,
			      struct iov_iter *to)
{
	const struct etfs_window *win = &open->map->spec.win;
	size_t count = iov_iter_count(to), cut;
	u64 size = etfs_open_size(open);
	struct file *host = open->host;
	struct kiocb kiocb;
	loff_t off;
	ssize_t ret;

	if (!count || iocb->ki_pos >= size)
		return 0;
	ret = etfs_window_off(win, iocb->ki_pos, &off);
	if (!ret)
		ret = etfs_kiocb_init(&kiocb, iocb, open, off);
	if (ret)
		return ret;
	/*
	 * The host ends by itself: a direct read past its end must not be cut
	 * to what is no multiple of a sector.
	 */
	if (etfs_window_is_fixed(win))
		iov_iter_truncate(to, win->size - iocb->ki_pos);
	cut = count - iov_iter_count(to);
	ret = etfs_host_verify(READ, host, &off, iov_iter_count(to));
	if (!ret && etfs_kiocb_is_async(open, iocb))
		ret = etfs_async_read(open, iocb, &kiocb, to);
	else if (!ret)
		ret = host->f_op->read_iter(&kiocb, to);
	if (ret > 0) {
		iocb->ki_pos += ret;
		etfs_open_count_read(open, ret);
		fsnotify_access(host);
	}
	iov_iter_reexpand(to, iov_iter_count(to) + cut);
	etfs_open_refresh(open, file_inode(iocb->ki_filp));
	return ret;
}

ssize_t etfs_window_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct etfs_open *open = iocb->ki_filp->private_data;
	ssize_t ret = etfs_open_enter(open);

	if (ret)
		return ret;
	ret = etfs_open_read(open, iocb, to);
	etfs_open_leave(open);
	return ret;
}

/* The process' limit counts in the key; the host counts in its own. */
static int etfs_check_rlimit(loff_t pos, struct iov_iter *from)
{
	unsigned long limit = rlimit(RLIMIT_FSIZE);

	if (limit == RLIM_INFINITY)
		return 0;
	if (pos >= limit) {
		send_sig(SIGXFSZ, current, 0);
		return -EFBIG;
	}
	iov_iter_truncate(from, limit - pos);
	return 0;
}

/*
 * Of a whole file the host orders appends. It must not do so if the window
 * begins behind its end, or ends before it.
 */
static bool etfs_open_appends_on_host(const struct etfs_open *open)
{
	const struct etfs_window *win = &open->map->spec.win;

	return !etfs_window_is_fixed(win) && !win->offset;
}

/* Where a write goes, and how much of it. */
static int etfs_write_checks(struct kiocb *iocb, struct iov_iter *from,
			     struct etfs_open *open)
{
	const struct etfs_window *win = &open->map->spec.win;

	if (iocb->ki_flags & IOCB_APPEND)
		iocb->ki_pos = etfs_open_size(open);
	if (etfs_window_is_fixed(win)) {
		/* The window's end, not the host's: that may be short of it. */
		if (iocb->ki_flags & IOCB_APPEND)
			iocb->ki_pos = win->size;
		if (iocb->ki_pos >= win->size)
			return -ENOSPC;
		iov_iter_truncate(from, win->size - iocb->ki_pos);
	}
	return etfs_check_rlimit(iocb->ki_pos, from);
}

/* Freeze protection of the host, as its own write(2) has it. */
void etfs_host_start_write(struct file *host)
{
	if (S_ISREG(file_inode(host)->i_mode))
		sb_start_write(file_inode(host)->i_sb);
}

void etfs_host_end_write(struct file *host)
{
	if (S_ISREG(file_inode(host)->i_mode))
		sb_end_write(file_inode(host)->i_sb);
}

static bool etfs_host_try_write(struct file *host)
{
	return !S_ISREG(file_inode(host)->i_mode) ||
	       sb_start_write_trylock(file_inode(host)->i_sb);
}

static ssize_t etfs_host_write(struct kiocb *kiocb, struct iov_iter *from,
			       bool is_started)
{
	struct file *host = kiocb->ki_filp;
	ssize_t ret;

	if (is_started)
		return host->f_op->write_iter(kiocb, from);
	ret = etfs_host_verify(WRITE, host, &kiocb->ki_pos,
			       iov_iter_count(from));
	if (ret)
		return ret;
	if (!(kiocb->ki_flags & IOCB_NOWAIT))
		etfs_host_start_write(host);
	else if (!etfs_host_try_write(host))
		return -EAGAIN;
	ret = host->f_op->write_iter(kiocb, from);
	etfs_host_end_write(host);
	return ret;
}

static ssize_t etfs_open_write(struct etfs_open *open, struct kiocb *iocb,
			       struct iov_iter *from, bool is_started)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	const struct etfs_window *win = &open->map->spec.win;
	size_t count = iov_iter_count(from), cut;
	struct kiocb kiocb;
	loff_t off;
	ssize_t ret;

	if (!count)
		return 0;
	ret = etfs_write_checks(iocb, from, open);
	cut = count - iov_iter_count(from);
	if (!ret)
		ret = etfs_window_off(win, iocb->ki_pos, &off);
	if (!ret)
		ret = etfs_kiocb_init(&kiocb, iocb, open, off);
	if (ret)
		goto reexpand;
	/* Where the host's end may lie before the window it must not append. */
	if (!etfs_open_appends_on_host(open))
		kiocb.ki_flags &= ~IOCB_APPEND;
	if (etfs_kiocb_is_async(open, iocb))
		ret = etfs_async_write(open, iocb, &kiocb, from);
	else
		ret = etfs_host_write(&kiocb, from, is_started);
	if (ret > 0) {
		iocb->ki_pos = kiocb.ki_pos - win->offset;
		etfs_open_count_written(open, ret);
		fsnotify_modify(open->host);
		etfs_open_changed(open, inode);
	}
reexpand:
	iov_iter_reexpand(from, iov_iter_count(from) + cut);
	return ret;
}

/* Appends that the host does not order are ordered here. */
static ssize_t etfs_open_append(struct etfs_open *open, struct kiocb *iocb,
				struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (!(iocb->ki_flags & IOCB_NOWAIT))
		inode_lock(inode);
	else if (!inode_trylock(inode))
		return -EAGAIN;
	ret = etfs_open_write(open, iocb, from, false);
	inode_unlock(inode);
	return ret;
}

ssize_t etfs_window_write(struct kiocb *iocb, struct iov_iter *from,
			  bool is_started)
{
	struct etfs_open *open = iocb->ki_filp->private_data;
	ssize_t ret = etfs_open_enter(open);

	if (ret)
		return ret;
	if ((iocb->ki_flags & IOCB_APPEND) && !etfs_open_appends_on_host(open))
		ret = etfs_open_append(open, iocb, from);
	else
		ret = etfs_open_write(open, iocb, from, is_started);
	etfs_open_leave(open);
	return ret;
}

static ssize_t etfs_window_write_iter(struct kiocb *iocb,
				      struct iov_iter *from)
{
	return etfs_window_write(iocb, from, false);
}

static ssize_t etfs_window_splice_write(struct pipe_inode_info *pipe,
					struct file *file, loff_t *ppos,
					size_t len, unsigned int flags)
{
	return etfs_splice_write(pipe, file, ppos, len, flags,
				 etfs_window_write);
}

/* Positions */

static loff_t etfs_window_seek_data(struct etfs_open *open, struct file *file,
				    loff_t pos, int whence)
{
	const struct etfs_window *win = &open->map->spec.win;
	u64 size = etfs_open_size(open);
	loff_t off;
	int err;

	if (pos < 0 || pos >= size)
		return -ENXIO;
	err = etfs_window_off(win, pos, &off);
	if (err)
		return err;
	off = vfs_llseek(open->host, off, whence);
	if (off < 0)
		return off;
	pos = off - win->offset;
	if (pos >= size) {
		if (whence == SEEK_DATA)
			return -ENXIO;
		pos = size;
	}
	return vfs_setpos(file, pos, S64_MAX);
}

loff_t etfs_window_llseek(struct file *file, loff_t pos, int whence)
{
	struct etfs_open *open = file->private_data;
	loff_t ret = etfs_open_enter(open);

	if (ret)
		return ret;
	if (whence == SEEK_DATA || whence == SEEK_HOLE)
		ret = etfs_window_seek_data(open, file, pos, whence);
	else
		ret = generic_file_llseek_size(file, pos, whence, S64_MAX,
					       etfs_open_size(open));
	etfs_open_leave(open);
	return ret;
}

/* Space and durability */

int etfs_window_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct etfs_open *open = file->private_data;
	const struct etfs_window *win = &open->map->spec.win;
	loff_t from, to;
	int ret = etfs_open_enter(open);

	if (ret)
		return ret;
	if (etfs_window_off(win, start, &from))
		from = S64_MAX;
	if (etfs_window_off(win, end, &to))
		to = S64_MAX;
	ret = vfs_fsync_range(open->host, from, to, datasync);
	etfs_open_leave(open);
	return ret;
}

/* No mode moves bytes, and none takes space past the end of the window. */
static long etfs_open_fallocate(struct etfs_open *open, struct file *file,
				int mode, loff_t pos, loff_t len)
{
	const struct etfs_window *win = &open->map->spec.win;
	loff_t off;
	long ret;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
		     FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (etfs_window_is_fixed(win) && pos + len > win->size) {
		if (!(mode & FALLOC_FL_PUNCH_HOLE))
			return -ENOSPC;
		if (pos >= win->size)
			return 0;
		len = win->size - pos;
	}
	ret = etfs_window_off(win, pos, &off);
	if (!ret)
		ret = vfs_fallocate(open->host, mode, off, len);
	if (!ret)
		etfs_open_changed(open, file_inode(file));
	return ret;
}

static long etfs_window_fallocate(struct file *file, int mode, loff_t pos,
				  loff_t len)
{
	struct etfs_open *open = file->private_data;
	long ret = etfs_open_enter(open);

	if (ret)
		return ret;
	ret = etfs_open_fallocate(open, file, mode, pos, len);
	etfs_open_leave(open);
	return ret;
}

static int etfs_window_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct etfs_open *open = file->private_data;
	int ret = etfs_open_enter(open);

	if (ret)
		return ret;
	ret = etfs_cover_mmap(open, vma);
	etfs_open_leave(open);
	return ret;
}

static const struct file_operations etfs_window_operations = {
	.open		= etfs_window_open,
	.release	= etfs_window_release,
	.llseek		= etfs_window_llseek,
	.read_iter	= etfs_window_read_iter,
	.write_iter	= etfs_window_write_iter,
	.splice_read	= etfs_window_splice_read,
	.splice_write	= etfs_window_splice_write,
	.fsync		= etfs_window_fsync,
	.fallocate	= etfs_window_fallocate,
	.mmap		= etfs_window_mmap,
	.copy_file_range = rumpfs_copy_file_range,
	.remap_file_range = etfs_remap_file_range,
	/* What changes on the host would break none. */
	.setlease	= no_setlease,
};

bool etfs_is_window(const struct file *file)
{
	return file->f_op == &etfs_window_operations;
}

/* The kind */

static int etfs_window_bind(struct etfs_map *map, struct etfs_reason *why)
{
	int flags = map->spec.flags & ETFS_MAP_RO ? O_RDONLY : O_RDWR;
	struct file *host = etfs_host_open(map, flags, why);

	if (IS_ERR(host))
		return PTR_ERR(host);
	/* Each open finds it again, by its path or pinned. */
	fput(host);
	return 0;
}

static struct lock_class_key etfs_window_lock;

void etfs_window_set_file(struct inode *inode)
{
	/*
	 * The host is written to and cut under this lock, and a pipe's lock,
	 * which is held over that of a file in memory, never under it.
	 */
	lockdep_set_class(&inode->i_rwsem, &etfs_window_lock);
	inode->i_fop = &etfs_window_operations;
}

static void etfs_window_node(struct inode *inode, struct etfs_map *map)
{
	etfs_window_set_file(inode);
}

static void etfs_window_remove(struct etfs_map *map)
{
}

static void etfs_window_revoke(struct etfs_map *map)
{
	etfs_gate_shut(map);
}

const struct etfs_kind etfs_reg_kind = {
	.name	= "reg",
	.type	= S_IFREG,
	.bind	= etfs_window_bind,
	.unbind	= etfs_map_drop_host,
	.node	= etfs_window_node,
	.remove	= etfs_window_remove,
	.revoke	= etfs_window_revoke,
	.revoke_wait = etfs_gate_wait,
};
