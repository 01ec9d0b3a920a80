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
#include "open.h"
#include "paged.h"

#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uio.h>

void etfs_window_resize(struct inode *inode, const struct etfs_window *win,
			const struct file *host)
{
	/* The inode of a device may be anybody's. */
	if (!S_ISREG(READ_ONCE(inode->i_mode)))
		return;
	/* Whoever is last has looked last. */
	spin_lock(&inode->i_lock);
	i_size_write(inode, etfs_window_now(win, host));
	spin_unlock(&inode->i_lock);
}

/* Reading and writing */

/*
 * Direct requests stay asynchronous. The pages that an unaligned window has of
 * its own are checked when a write is done, so there the submitter waits.
 */
static bool etfs_kiocb_is_async(const struct etfs_open *open,
				const struct kiocb *iocb)
{
	return (iocb->ki_flags & IOCB_DIRECT) &&
	       etfs_window_is_aligned(&open->map->spec.win);
}

/*
 * The host may keep an asynchronous kiocb, so it has one of our own; through
 * the page cache that is done at once, or says -EAGAIN under IOCB_NOWAIT. Of a
 * synchronous one nobody knows but its caller: it is lent to the host, as it
 * is.
 */
static void etfs_kiocb_init(struct kiocb *kiocb, const struct kiocb *iocb,
			    struct file *host, loff_t off)
{
	const int passed = IOCB_NOWAIT | IOCB_DSYNC | IOCB_SYNC | IOCB_DIRECT |
			   IOCB_APPEND | IOCB_WRITE;

	init_sync_kiocb(kiocb, host);
	kiocb->ki_flags = iocb->ki_flags & passed;
	kiocb->ki_ioprio = iocb->ki_ioprio;
	kiocb->ki_pos = off;
}

noinline int etfs_host_ask(int op, struct file *host, loff_t pos, size_t len)
{
	return rw_verify_area(op, host, &pos, len);
}

/* iocb is the host file's. */
static __always_inline ssize_t etfs_host_read_plain(const struct etfs_open *open,
						    struct kiocb *iocb,
						    struct iov_iter *to)
{
	size_t done = 0;

	if (open->paged == ETFS_SHMEM)
		done = etfs_paged_read(iocb, to, ETFS_SHMEM);
	else if (open->paged)
		done = etfs_paged_read(iocb, to, open->paged);
	return done ?: open->host->f_op->read_iter(iocb, to);
}

static noinline ssize_t etfs_host_read_lent(struct etfs_open *open,
					    struct kiocb *iocb,
					    struct iov_iter *to, loff_t off)
{
	struct file *file = iocb->ki_filp;
	loff_t pos = iocb->ki_pos;
	ssize_t ret;

	iocb->ki_filp = open->host;
	iocb->ki_pos = off;
	ret = etfs_host_read_plain(open, iocb, to);
	iocb->ki_filp = file;
	iocb->ki_pos = pos;
	return ret;
}

static noinline ssize_t etfs_host_read_own(struct etfs_open *open,
					   struct kiocb *iocb,
					   struct iov_iter *to, loff_t off)
{
	struct kiocb kiocb;

	etfs_kiocb_init(&kiocb, iocb, open->host, off);
	return etfs_kiocb_is_async(open, iocb) ?
	       etfs_async_read(open, iocb, &kiocb, to) :
	       open->host->f_op->read_iter(&kiocb, to);
}

static ssize_t etfs_host_read(struct etfs_open *open, struct kiocb *iocb,
			      struct iov_iter *to)
{
	loff_t off = etfs_window_off(&open->map->spec.win, iocb->ki_pos);
	struct file *host = open->host;
	int err;

	/* There is no byte. */
	if (off < 0)
		return 0;
	if ((iocb->ki_flags & IOCB_DIRECT) &&
	    !(host->f_mode & FMODE_CAN_ODIRECT))
		return -EINVAL;
	err = etfs_host_verify(READ, host, off, iov_iter_count(to));
	if (err)
		return err;
	return is_sync_kiocb(iocb) ? etfs_host_read_lent(open, iocb, to, off) :
				     etfs_host_read_own(open, iocb, to, off);
}

/*
 * A file may end within a block, where a direct read ends, too. So may a
 * window, but the host goes on there and refuses: that piece is not direct.
 */
static bool etfs_read_ends_in_block(const struct etfs_open *open,
				    const struct kiocb *iocb,
				    const struct iov_iter *to)
{
	const struct inode *host = open->host->f_mapping->host;

	return (iocb->ki_flags & IOCB_DIRECT) &&
	       iov_iter_count(to) & (i_blocksize(host) - 1);
}

/* The host ends behind the window. */
static noinline ssize_t etfs_open_read_fixed(struct etfs_open *open,
					     struct kiocb *iocb,
					     struct iov_iter *to)
{
	const struct etfs_window *win = &open->map->spec.win;
	size_t count = iov_iter_count(to), cut;
	bool is_partial;
	ssize_t ret;

	if (iocb->ki_pos >= win->size)
		return 0;
	iov_iter_truncate(to, win->size - iocb->ki_pos);
	cut = count - iov_iter_count(to);
	is_partial = cut && etfs_read_ends_in_block(open, iocb, to);
	if (is_partial)
		iocb->ki_flags &= ~IOCB_DIRECT;
	ret = etfs_host_read(open, iocb, to);
	if (is_partial)
		iocb->ki_flags |= IOCB_DIRECT;
	iov_iter_reexpand(to, iov_iter_count(to) + cut);
	return ret;
}

static ssize_t etfs_open_read(struct etfs_open *open, struct kiocb *iocb,
			      struct iov_iter *to)
{
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	/*
	 * The host ends by itself: not all tell their size, or the latest, and
	 * a direct read past the end must not be cut to what is no multiple of
	 * a sector.
	 */
	ret = unlikely(etfs_window_is_fixed(&open->map->spec.win)) ?
	      etfs_open_read_fixed(open, iocb, to) :
	      etfs_host_read(open, iocb, to);
	if (ret > 0) {
		iocb->ki_pos += ret;
		etfs_open_count_read(open, ret);
		fsnotify_access(open->host);
	}
	etfs_open_refresh(open, file_inode(iocb->ki_filp));
	return ret;
}

/*
 * Most reads and writes: of a whole file, where positions are the host's and
 * nobody keeps the kiocb, that nobody watches, with none of the other flags.
 */
static inline bool etfs_open_is_plain(const struct etfs_open *open,
				      struct kiocb *iocb, int other_flags)
{
	return likely(open->is_whole && is_sync_kiocb(iocb) &&
		      !(iocb->ki_flags & (IOCB_DIRECT | other_flags)) &&
		      !fsnotify_sb_has_watchers(file_inode(open->host)->i_sb));
}

static ssize_t etfs_plain_read(struct etfs_open *open, struct kiocb *iocb,
			       struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	ssize_t ret;

	iocb->ki_filp = open->host;
	ret = etfs_host_read_plain(open, iocb, to);
	iocb->ki_filp = file;
	if (ret > 0)
		etfs_open_count_read(open, ret);
	etfs_open_refresh_whole(open, file_inode(file));
	return ret;
}

ssize_t etfs_window_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct etfs_open *open = iocb->ki_filp->private_data;
	ssize_t ret = etfs_open_enter(open);

	if (ret)
		return ret;
	ret = etfs_open_is_plain(open, iocb, 0) ?
	      etfs_plain_read(open, iocb, to) : etfs_open_read(open, iocb, to);
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

static bool etfs_host_try_write(struct file *host)
{
	struct super_block *sb = file_inode(host)->i_sb;
	bool has;

	if (!S_ISREG(READ_ONCE(file_inode(host)->i_mode)))
		return true;
	etfs_host_lockdep_off(sb);
	has = sb_start_write_trylock(sb);
	etfs_host_lockdep_on(sb);
	return has;
}

static ssize_t etfs_host_write(struct kiocb *kiocb, struct iov_iter *from,
			       bool is_started)
{
	struct file *host = kiocb->ki_filp;
	ssize_t ret;

	if (is_started)
		return host->f_op->write_iter(kiocb, from);
	ret = etfs_host_verify(WRITE, host, kiocb->ki_pos,
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

/* A host mounted with sync is so through us. */
static int etfs_write_flags(const struct etfs_open *open, int flags)
{
	flags |= open->host->f_iocb_flags & (IOCB_DSYNC | IOCB_SYNC);
	/* Where the host's end may lie before the window it must not append. */
	return etfs_open_appends_on_host(open) ? flags : flags & ~IOCB_APPEND;
}

static ssize_t etfs_host_write_lent(struct etfs_open *open, struct kiocb *iocb,
				    struct iov_iter *from, loff_t off,
				    bool is_started)
{
	u64 offset = open->map->spec.win.offset;
	struct file *file = iocb->ki_filp;
	int flags = iocb->ki_flags;
	loff_t pos = iocb->ki_pos;
	ssize_t ret;

	iocb->ki_filp = open->host;
	iocb->ki_pos = off;
	iocb->ki_flags = etfs_write_flags(open, flags);
	ret = etfs_host_write(iocb, from, is_started);
	iocb->ki_filp = file;
	iocb->ki_pos = ret > 0 ? iocb->ki_pos - offset : pos;
	iocb->ki_flags = flags;
	return ret;
}

static noinline ssize_t etfs_host_write_own(struct etfs_open *open,
					    struct kiocb *iocb,
					    struct iov_iter *from, loff_t off,
					    bool is_started)
{
	struct kiocb kiocb;
	ssize_t ret;

	etfs_kiocb_init(&kiocb, iocb, open->host, off);
	kiocb.ki_flags = etfs_write_flags(open, kiocb.ki_flags);
	if (etfs_kiocb_is_async(open, iocb))
		ret = etfs_async_write(open, iocb, &kiocb, from);
	else
		ret = etfs_host_write(&kiocb, from, is_started);
	/* Nobody knows where a queued one is now. */
	if (ret > 0)
		iocb->ki_pos = kiocb.ki_pos - open->map->spec.win.offset;
	return ret;
}

static ssize_t etfs_open_write(struct etfs_open *open, struct kiocb *iocb,
			       struct iov_iter *from, bool is_started)
{
	size_t count = iov_iter_count(from), cut;
	loff_t off;
	ssize_t ret;

	if (!count)
		return 0;
	ret = etfs_write_checks(iocb, from, open);
	cut = count - iov_iter_count(from);
	if (!ret && (iocb->ki_flags & IOCB_DIRECT) &&
	    !(open->host->f_mode & FMODE_CAN_ODIRECT))
		ret = -EINVAL;
	off = etfs_window_off(&open->map->spec.win, iocb->ki_pos);
	if (!ret && off < 0)
		ret = off;
	if (ret)
		goto reexpand;
	if (is_sync_kiocb(iocb))
		ret = etfs_host_write_lent(open, iocb, from, off, is_started);
	else
		ret = etfs_host_write_own(open, iocb, from, off, is_started);
	if (ret > 0) {
		etfs_open_count_written(open, ret);
		fsnotify_modify(open->host);
		etfs_open_changed(open, file_inode(iocb->ki_filp));
	}
reexpand:
	iov_iter_reexpand(from, iov_iter_count(from) + cut);
	return ret;
}

/* Appends that the host does not order are ordered here. Return: -EAGAIN. */
static noinline int etfs_open_lock_append(struct etfs_open *open,
					  const struct kiocb *iocb)
{
	struct mutex *lock = &open->map->gate->append_lock;

	if (!(iocb->ki_flags & IOCB_NOWAIT))
		mutex_lock(lock);
	else if (!mutex_trylock(lock))
		return -EAGAIN;
	return 0;
}

/* A mode that is the host's loses them on the host. */
noinline int etfs_file_kill_privs(struct file *file, bool is_nowait)
{
	struct inode *inode = file_inode(file);
	int err;

	if (!S_ISREG(READ_ONCE(inode->i_mode)) ||
	    !rumpfs_key_owns(inode, ETFS_MAP_MODE) ||
	    !setattr_should_drop_suidgid(file_mnt_idmap(file), inode))
		return 0;
	if (is_nowait)
		return -EAGAIN;
	inode_lock(inode);
	err = file_remove_privs(file);
	inode_unlock(inode);
	return err;
}

/* Is there nothing that has to be asked or added before a plain write? */
static bool etfs_write_is_plain(const struct etfs_open *open,
				struct kiocb *iocb)
{
	return etfs_open_is_plain(open, iocb, IOCB_APPEND | IOCB_NOWAIT) &&
	       likely(!(open->host->f_iocb_flags & (IOCB_DSYNC | IOCB_SYNC)) &&
		      rlimit(RLIMIT_FSIZE) == RLIM_INFINITY);
}

static ssize_t etfs_plain_write(struct etfs_open *open, struct kiocb *iocb,
				struct iov_iter *from)
{
	struct file *file = iocb->ki_filp, *host = open->host;
	ssize_t ret;

	etfs_sb_start_write(file_inode(host)->i_sb);
	iocb->ki_filp = host;
	ret = host->f_op->write_iter(iocb, from);
	iocb->ki_filp = file;
	etfs_sb_end_write(file_inode(host)->i_sb);
	if (ret > 0)
		etfs_open_count_written(open, ret);
	etfs_open_refresh_whole(open, file_inode(file));
	return ret;
}

/* Context: inside the mapping. */
static noinline ssize_t etfs_write_inside(struct etfs_open *open,
					  struct kiocb *iocb,
					  struct iov_iter *from,
					  bool is_started)
{
	bool is_ordered = (iocb->ki_flags & IOCB_APPEND) &&
			  !etfs_open_appends_on_host(open);
	ssize_t ret;

	if (!is_ordered)
		return etfs_open_write(open, iocb, from, is_started);
	ret = etfs_open_lock_append(open, iocb);
	if (ret)
		return ret;
	ret = etfs_open_write(open, iocb, from, is_started);
	mutex_unlock(&open->map->gate->append_lock);
	return ret;
}

ssize_t etfs_window_write(struct kiocb *iocb, struct iov_iter *from,
			  bool is_started)
{
	struct etfs_open *open = iocb->ki_filp->private_data;
	ssize_t ret = 0;

	if (!is_started)
		ret = etfs_file_drop_privs(iocb->ki_filp,
					   iocb->ki_flags & IOCB_NOWAIT);
	ret = ret ?: etfs_open_enter(open);
	if (ret)
		return ret;
	ret = etfs_write_inside(open, iocb, from, is_started);
	etfs_open_leave(open);
	return ret;
}

static ssize_t etfs_window_write_iter(struct kiocb *iocb,
				      struct iov_iter *from)
{
	struct etfs_open *open = iocb->ki_filp->private_data;
	ssize_t ret;

	ret = etfs_file_drop_privs(iocb->ki_filp,
				   iocb->ki_flags & IOCB_NOWAIT) ?:
	      etfs_open_enter(open);
	if (unlikely(ret))
		return ret;
	ret = etfs_write_is_plain(open, iocb) ?
	      etfs_plain_write(open, iocb, from) :
	      etfs_write_inside(open, iocb, from, false);
	etfs_open_leave(open);
	return ret;
}

/* Positions */

static loff_t etfs_window_seek_data(struct etfs_open *open, struct file *file,
				    loff_t pos, int whence)
{
	const struct etfs_window *win = &open->map->spec.win;
	u64 size = etfs_open_size(open);
	loff_t off;

	if (pos < 0 || pos >= size)
		return -ENXIO;
	off = etfs_window_off(win, pos);
	if (off < 0)
		return off;
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
	/* A device knows no holes. */
	if ((whence == SEEK_DATA || whence == SEEK_HOLE) &&
	    S_ISREG(READ_ONCE(file_inode(open->host)->i_mode)))
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
	loff_t from = etfs_window_off(win, start);
	loff_t to = etfs_window_off(win, end);
	int ret = etfs_open_enter(open);

	if (ret)
		return ret;
	ret = vfs_fsync_range(open->host, from < 0 ? S64_MAX : from,
			      to < 0 ? S64_MAX : to, datasync);
	etfs_open_leave(open);
	return ret;
}

/* Some hosts write back at close(2), and tell then what failed. */
int etfs_window_flush(struct file *file, fl_owner_t id)
{
	struct etfs_open *open = file->private_data;
	int ret = 0;

	/* Who lost the host knows it by now, and close(2) tells no more. */
	if (!open->has_flush || etfs_open_enter(open))
		return 0;
	ret = open->host->f_op->flush(open->host, id);
	etfs_open_leave(open);
	return ret;
}

/* No mode moves bytes, and none takes space past the end of the window. */
static long etfs_open_fallocate(struct etfs_open *open, struct file *file,
				int mode, loff_t pos, loff_t len)
{
	const struct etfs_window *win = &open->map->spec.win;
	loff_t off;
	long err;

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
	off = etfs_window_off(win, pos);
	err = off < 0 ? off : vfs_fallocate(open->host, mode, off, len);
	if (!err)
		etfs_open_changed(open, file_inode(file));
	return err;
}

static long etfs_window_fallocate(struct file *file, int mode, loff_t pos,
				  loff_t len)
{
	struct etfs_open *open = file->private_data;
	long ret = etfs_file_drop_privs(file, false) ?: etfs_open_enter(open);

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

/* What changes on the host would break no lease. */
#define ETFS_WINDOW_OPERATIONS				\
	.open		= etfs_window_open,		\
	.release	= etfs_window_release,		\
	.llseek		= etfs_window_llseek,		\
	.read_iter	= etfs_window_read_iter,	\
	.write_iter	= etfs_window_write_iter,	\
	.splice_read	= etfs_window_splice_read,	\
	.splice_write	= etfs_splice_write,		\
	.fsync		= etfs_window_fsync,		\
	.fallocate	= etfs_window_fallocate,	\
	.mmap		= etfs_window_mmap,		\
	.copy_file_range = rumpfs_copy_file_range,	\
	.remap_file_range = etfs_remap_file_range,	\
	.setlease	= no_setlease

static const struct file_operations etfs_window_operations = {
	ETFS_WINDOW_OPERATIONS,
};

/* Once it is open, where the host wants to hear of each close(2). */
static const struct file_operations etfs_window_flush_operations = {
	ETFS_WINDOW_OPERATIONS,
	.flush		= etfs_window_flush,
};

void etfs_window_use_flush(struct file *file)
{
	if (file->f_op == &etfs_window_operations)
		file->f_op = &etfs_window_flush_operations;
}

bool etfs_is_window(const struct file *file)
{
	return file->f_op == &etfs_window_operations ||
	       file->f_op == &etfs_window_flush_operations;
}

/* The kind */

static int etfs_window_bind(struct etfs_map *map, struct etfs_reason *why)
{
	/* Each open finds it again, by its path or pinned. */
	return etfs_host_check(map, map->spec.flags & ETFS_MAP_RO ? O_RDONLY :
								   O_RDWR,
			       why);
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
