// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes from one file of a mount to another.
 *
 * Between two mapped files the host does it, who may share them instead of
 * copying; all others are copied through a pipe, as the VFS does.
 */
#include "open.h"

#include <linux/fs.h>
#include <linux/splice.h>

/* A range of two mapped files, and where it is on the host. */
struct etfs_range {
	struct etfs_open *in, *out;
	loff_t off_in, off_out;
	u64 len;
};

/* Return: 0, or -EIO; on success etfs_range_leave() is due. */
static int etfs_range_enter(struct etfs_range *range, struct file *in,
			    struct file *out)
{
	range->in = in->private_data;
	range->out = out->private_data;
	if (etfs_open_enter(range->in))
		return -EIO;
	if (etfs_open_enter(range->out)) {
		etfs_open_leave(range->in);
		return -EIO;
	}
	return 0;
}

static void etfs_range_leave(struct etfs_range *range)
{
	etfs_open_leave(range->out);
	etfs_open_leave(range->in);
}

/* Bytes that there are from pos_in on, and room for them at pos_out. */
static int etfs_range_locate(struct etfs_range *range, loff_t pos_in,
			     loff_t pos_out, u64 *room)
{
	const struct etfs_window *win = &range->out->map->spec.win;
	u64 size = etfs_open_size(range->in);

	range->len = pos_in < size ? size - pos_in : 0;
	*room = S64_MAX - pos_out;
	if (etfs_window_is_fixed(win))
		*room = pos_out < win->size ? win->size - pos_out : 0;
	range->off_in = etfs_window_off(&range->in->map->spec.win, pos_in);
	range->off_out = etfs_window_off(win, pos_out);
	return range->off_in < 0 || range->off_out < 0 ? -EFBIG : 0;
}

static ssize_t etfs_range_copy(struct etfs_range *range, loff_t pos_in,
			       loff_t pos_out, size_t len)
{
	ssize_t ret;
	u64 room;

	ret = etfs_range_locate(range, pos_in, pos_out, &room);
	if (ret)
		return ret;
	len = min_t(u64, len, range->len);
	if (!len)
		return 0;
	if (!room)
		return -ENOSPC;
	/* Devices are no files to copy between. */
	if (!S_ISREG(file_inode(range->in->host)->i_mode) ||
	    !S_ISREG(file_inode(range->out->host)->i_mode))
		return -EXDEV;
	ret = vfs_copy_file_range(range->in->host, range->off_in,
				  range->out->host, range->off_out,
				  min_t(u64, len, room), 0);
	if (ret > 0) {
		etfs_open_count_read(range->in, ret);
		etfs_open_count_written(range->out, ret);
	}
	return ret;
}

static ssize_t etfs_copy_file_range(struct file *in, loff_t pos_in,
				    struct file *out, loff_t pos_out,
				    size_t len)
{
	struct etfs_range range;
	ssize_t ret;

	ret = etfs_file_drop_privs(out, false) ?:
	      etfs_range_enter(&range, in, out);
	if (ret)
		return ret;
	ret = etfs_range_copy(&range, pos_in, pos_out, len);
	if (ret > 0)
		etfs_open_changed(range.out, file_inode(out));
	etfs_range_leave(&range);
	return ret;
}

ssize_t rumpfs_copy_file_range(struct file *in, loff_t pos_in,
			       struct file *out, loff_t pos_out, size_t len,
			       unsigned int flags)
{
	ssize_t ret = -EXDEV;

	if (etfs_is_window(in) && etfs_is_window(out))
		ret = etfs_copy_file_range(in, pos_in, out, pos_out, len);
	if (ret != -EXDEV && ret != -EOPNOTSUPP)
		return ret;
	return splice_copy_file_range(in, pos_in, out, pos_out, len);
}

/* Nothing is shared past the end of either window. */
static loff_t etfs_range_remap(struct etfs_range *range, loff_t pos_in,
			       loff_t pos_out, loff_t len, unsigned int flags)
{
	struct file *in = range->in->host, *out = range->out->host;
	loff_t ret;
	u64 room;

	ret = etfs_range_locate(range, pos_in, pos_out, &room);
	if (ret)
		return ret;
	/* 0 is all there is. */
	if (!len)
		len = range->len;
	if (len > range->len || len > room)
		return -EINVAL;
	if (flags & REMAP_FILE_DEDUP)
		return vfs_dedupe_file_range_one(in, range->off_in, out,
						 range->off_out, len, flags);
	return vfs_clone_file_range(in, range->off_in, out, range->off_out,
				    len, flags);
}

loff_t etfs_remap_file_range(struct file *in, loff_t pos_in, struct file *out,
			     loff_t pos_out, loff_t len, unsigned int flags)
{
	struct etfs_range range;
	loff_t ret;

	if (!etfs_is_window(in) || !etfs_is_window(out))
		return -EXDEV;
	ret = 0;
	if (!(flags & REMAP_FILE_DEDUP))
		ret = etfs_file_drop_privs(out, false);
	ret = ret ?: etfs_range_enter(&range, in, out);
	if (ret)
		return ret;
	ret = etfs_range_remap(&range, pos_in, pos_out, len, flags);
	if (ret > 0)
		etfs_open_changed(range.out, file_inode(out));
	etfs_range_leave(&range);
	return ret;
}
