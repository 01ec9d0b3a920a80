/* SPDX-License-Identifier: GPL-2.0 */
/* A mapped file or device that is open, and its pages. */
#ifndef _RUMPFS_OPEN_H
#define _RUMPFS_OPEN_H

#include "rumpfs.h"

#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/magic.h>

/* How short reads may take pages of a host file, see paged.h. */
enum etfs_paged {
	ETFS_NOT_PAGED,
	/* tmpfs */
	ETFS_SHMEM,
	/* others, which may refuse to be read */
	ETFS_CACHED,
	/* and which read with the inode's lock, shared */
	ETFS_CACHED_LOCKED,
};

/*
 * An open mapped file or device. Owned by its struct file.
 *
 * I set once - G under gate->lock
 */
struct etfs_open {
	/* I: */
	struct etfs_map *map;
	/* between etfs_open_enter() and _leave() it is there */
	struct file *host;
	/* I: a reference: the inode with the pages of an unaligned window */
	struct inode *cover;
	/* I: a program runs from it: nobody may write to the host file */
	bool denies_write;
	/* I: the host wants to hear of each close(2) */
	bool has_flush;
	/* I: the window is all of a regular host file, as long as that is */
	bool is_whole;
	/* I: of the host file */
	enum etfs_paged paged;
	/* of its kind and its host file: it can be a spare one, see spare.c */
	bool may_spare;
	/*
	 * when the registrant was asked about the host file, jiffies, and with
	 * what attributes, as map->attr_seq
	 */
	unsigned long asked;
	u32 asked_seq;
	/* of a spare one that is bound by its path: how that leads to it */
	struct etfs_trail *trail;
	/* it does not do so by names alone; there was a walk to a spare one */
	bool has_no_trail, was_walked;
	/* G: in gate->opens, a spare one, too */
	struct list_head node;
	/* in the node's list of opens, if it is mirrored: under its i_lock */
	struct hlist_node sibling;
};

/* Did an attribute change that the VFS may not have seen when it asked of it? */
static inline bool etfs_map_is_fresh(const struct etfs_map *map)
{
	return time_before_eq(jiffies,
			      READ_ONCE(map->attr_changed) + ETFS_ATTR_FRESH);
}

/* Return: 0, or -EIO once the mapping is revoked. Context: any. */
static inline int etfs_open_enter(const struct etfs_open *open)
{
	return etfs_map_enter(open->map) ? 0 : -EIO;
}

static inline void etfs_open_leave(const struct etfs_open *open)
{
	etfs_map_leave(open->map);
}

static inline void etfs_open_count_read(const struct etfs_open *open,
					ssize_t bytes)
{
	this_cpu_add(open->map->gate->counts->bytes_read, bytes);
}

static inline void etfs_open_count_written(const struct etfs_open *open,
					   ssize_t bytes)
{
	this_cpu_add(open->map->gate->counts->bytes_written, bytes);
}

/* In window.c: a mapped file. Context: inside the mapping. */
/* What the window has of the host file now, bytes. */
static inline u64 etfs_window_now(const struct etfs_window *win,
				  const struct file *host)
{
	/* As etfs_host_size() */
	return etfs_window_size(win, i_size_read(host->f_mapping->host));
}

static inline u64 etfs_open_size(const struct etfs_open *open)
{
	return etfs_window_now(&open->map->spec.win, open->host);
}

void etfs_window_resize(struct inode *inode, const struct etfs_window *win,
			const struct file *host);
/* Generic code reads i_size of our inode without asking for attributes. */
static inline void etfs_window_refresh(struct inode *inode,
				       const struct etfs_window *win,
				       const struct file *host)
{
	if (unlikely(i_size_read(inode) != etfs_window_now(win, host)))
		etfs_window_resize(inode, win, host);
}

static inline void etfs_open_refresh(const struct etfs_open *open,
				     struct inode *inode)
{
	etfs_window_refresh(inode, &open->map->spec.win, open->host);
}

/* The same, for one whose window is the whole file. */
static inline void etfs_open_refresh_whole(const struct etfs_open *open,
					   struct inode *inode)
{
	if (unlikely(i_size_read(inode) !=
		     i_size_read(open->host->f_mapping->host)))
		etfs_window_resize(inode, &open->map->spec.win, open->host);
}

/* Return: where it is on the host; -EFBIG where a host file has no byte. */
static inline loff_t etfs_window_off(const struct etfs_window *win, loff_t pos)
{
	u64 off = pos + win->offset;

	return off < win->offset || off > S64_MAX ? -EFBIG : off;
}

bool etfs_is_window(const struct file *file);
/* The host file has a flush method: if it is a window it gets one, too. */
void etfs_window_use_flush(struct file *file);
/* Of a file whose private_data is an etfs_open, a device's too. */
ssize_t etfs_window_read_iter(struct kiocb *iocb, struct iov_iter *to);
/*
 * Who changes bytes takes the setuid and setgid bits of the key, as of a file.
 * Context: outside of the mapping, no locks. Return: 0; -EAGAIN if asked not
 * to wait, or what setattr says.
 */
int etfs_file_kill_privs(struct file *file, bool is_nowait);
static inline int etfs_file_drop_privs(struct file *file, bool is_nowait)
{
	if (likely(!(READ_ONCE(file_inode(file)->i_mode) & (S_ISUID | S_ISGID))))
		return 0;
	return etfs_file_kill_privs(file, is_nowait);
}

/*
 * is_started: verified, the key's bits dropped, and the caller has called
 * etfs_host_start_write().
 */
typedef ssize_t etfs_write(struct kiocb *iocb, struct iov_iter *from,
			   bool is_started);
etfs_write etfs_window_write;
/* In chardev.c: of a device */
etfs_write etfs_chardev_write;
/* In splice.c: of either */
ssize_t etfs_splice_write(struct pipe_inode_info *pipe, struct file *file,
			  loff_t *ppos, size_t len, unsigned int flags);
ssize_t etfs_window_splice_read(struct file *file, loff_t *ppos,
				struct pipe_inode_info *pipe, size_t len,
				unsigned int flags);
loff_t etfs_window_llseek(struct file *file, loff_t pos, int whence);
int etfs_window_flush(struct file *file, fl_owner_t id);
int etfs_window_fsync(struct file *file, loff_t start, loff_t end,
		      int datasync);

/* In open.c: ->open, ->release of a mapped file */
int etfs_window_open(struct inode *inode, struct file *file);
int etfs_window_release(struct inode *inode, struct file *file);
/* Nobody has it any more; it may be in gate->opens. */
void etfs_open_free(struct etfs_open *open);

/* In reopen.c: the same file once more, as the registrant */
int etfs_reopen_init(void);
void etfs_reopen_exit(void);
struct file *etfs_host_reopen(struct etfs_map *map, const struct file *host,
			      int flags);
/*
 * Nobody is asked who might look at this process' memory. Return: also -EINTR.
 * Context: it may be locked.
 */
struct file *etfs_host_reopen_locked(struct etfs_map *map, struct file *host,
				     int flags);
/* Open for writing: this one, or if it is not, another. Return: a reference. */
struct file *etfs_host_get_writer(struct etfs_map *map, struct file *host);

/* In spare.c: host files of keys, kept open; see spare.h, too */
/* May opens of the host file be fewer than opens of the key? */
bool etfs_spare_may(const struct etfs_open *open);
/*
 * Of one that is being closed. Return: was it taken over, with its host file?
 * Context: a user of the mapping.
 */
bool etfs_spare_give(struct etfs_open *open);
/* From here on there is none. Context: may be called again. */
void etfs_spare_end(struct etfs_gate *gate);
/* Who was found idle before that has let go of his host. Context: may sleep. */
void etfs_spare_wait(void);
void etfs_spare_exit(void);

/*
 * In trail.c: how a path leads to a spare file. Context: inside the mapping, may
 * sleep.
 */
/* Does it do so now, and may the registrant go there? Else a walk must tell. */
bool etfs_trail_holds(const struct etfs_open *open);
/* Around a walk that came to the file: it holds if nothing changed meanwhile. */
void etfs_trail_begin(struct etfs_open *open);
void etfs_trail_end(struct etfs_open *open);
/* It is another file by now, or none. */
void etfs_trail_forget(struct etfs_open *open);

/* In async.c: kiocb is what the host gets, user what we got. Context: same. */
ssize_t etfs_async_read(struct etfs_open *open, struct kiocb *user,
			struct kiocb *kiocb, struct iov_iter *to);
ssize_t etfs_async_write(struct etfs_open *open, struct kiocb *user,
			 struct kiocb *kiocb, struct iov_iter *from);

/* In copy.c: ->copy_file_range of any file, ->remap_file_range of mapped ones */
ssize_t rumpfs_copy_file_range(struct file *in, loff_t pos_in,
			       struct file *out, loff_t pos_out, size_t len,
			       unsigned int flags);
loff_t etfs_remap_file_range(struct file *in, loff_t pos_in, struct file *out,
			     loff_t pos_out, loff_t len, unsigned int flags);

/* In gate.c: open files of a mapping, for who revokes it */
void etfs_gate_add_open(struct etfs_open *open);
struct file *etfs_gate_take_open(struct etfs_open *open);
/* Return: a reference, or NULL once revoked. Context: any. */
struct file *etfs_gate_get_host(struct etfs_open *open);

/* In window.c: all of a reg, or of a file below a mapped directory */
#define ETFS_OPEN_FLAGS	(O_ACCMODE | O_DIRECT | O_SYNC | O_DSYNC | O_NOATIME)
/* A new node is one. */
void etfs_window_set_file(struct inode *inode);
/*
 * Who watches the host file may refuse. The LSM was asked when it was opened,
 * and is asked of our own file each time; the window has checked the position.
 */
int etfs_host_ask(int op, struct file *host, loff_t pos, size_t len);

static inline int etfs_host_verify(int op, struct file *host, loff_t pos,
				   size_t len)
{
	if (likely(!FMODE_FSNOTIFY_ACCESS_PERM(host->f_mode) &&
		   !FMODE_FSNOTIFY_HSM(host->f_mode)))
		return 0;
	/* Older kernels do not say so in the mode. */
	if (!fsnotify_sb_has_watchers(file_inode(host)->i_sb))
		return 0;
	return etfs_host_ask(op, host, pos, len);
}

/*
 * To lockdep all overlays are one: the host's, whose freeze protection is taken
 * below locks of ours, and one that stands on us and takes ours below its own.
 * They are never the same, see host.c. Around both ends of the protection.
 */
static inline void etfs_host_lockdep_off(const struct super_block *sb)
{
	if (IS_ENABLED(CONFIG_LOCKDEP) && sb->s_stack_depth)
		lockdep_off();
}

static inline void etfs_host_lockdep_on(const struct super_block *sb)
{
	if (IS_ENABLED(CONFIG_LOCKDEP) && sb->s_stack_depth)
		lockdep_on();
}

/* Keep the host's file system from being frozen, if it is on one. */
static inline void etfs_sb_start_write(struct super_block *sb)
{
	etfs_host_lockdep_off(sb);
	/* Mostly there is no need for what may sleep; lockdep is to see it. */
	if (IS_ENABLED(CONFIG_LOCKDEP) || !sb_start_write_trylock(sb))
		sb_start_write(sb);
	etfs_host_lockdep_on(sb);
}

static inline void etfs_sb_end_write(struct super_block *sb)
{
	etfs_host_lockdep_off(sb);
	sb_end_write(sb);
	etfs_host_lockdep_on(sb);
}

static inline void etfs_host_start_write(struct file *host)
{
	if (S_ISREG(READ_ONCE(file_inode(host)->i_mode)))
		etfs_sb_start_write(file_inode(host)->i_sb);
}

static inline void etfs_host_end_write(struct file *host)
{
	if (S_ISREG(READ_ONCE(file_inode(host)->i_mode)))
		etfs_sb_end_write(file_inode(host)->i_sb);
}

/* In cover.c: a window's pages in somebody's address space */
int etfs_cover_mmap(struct etfs_open *open, struct vm_area_struct *vma);
void etfs_cover_exit(void);
/* The gate is shut and empty: no area shows a page of the host any more. */
void etfs_covers_unmap(struct etfs_gate *gate);
/*
 * Take pages from start to before end out of all areas, ULONG_MAX for all;
 * copies that a process has made of private ones stay its own.
 */
void etfs_unmap_pages(struct address_space *mapping, pgoff_t start,
		      pgoff_t end);

/*
 * Does the file system decide by more than mode, ids and list who may read a file
 * or search a directory? Btrfs does so only of writing, where all is read-only.
 */
static inline bool etfs_host_asks_more(const struct inode *inode)
{
	return inode->i_op->permission &&
	       inode->i_sb->s_magic != BTRFS_SUPER_MAGIC;
}

/* Can a host file refuse what its mode allows? Without a list that says it all. */
static inline bool etfs_host_has_list(const struct inode *inode)
{
	return IS_POSIXACL(inode) &&
	       (inode->i_op->permission || READ_ONCE(inode->i_acl));
}

/* In cached.c: pages of an unaligned window */
extern const struct address_space_operations etfs_cover_aops;
int etfs_cover_open_some(struct etfs_open *open, struct inode *node,
			 struct file *file);
static inline int etfs_cover_open(struct etfs_open *open, struct inode *node,
				  struct file *file)
{
	return etfs_window_is_aligned(&open->map->spec.win) ? 0 :
		etfs_cover_open_some(open, node, file);
}

int etfs_cover_mmap_cached(struct etfs_open *open, struct vm_area_struct *vma);
/*
 * Files below a mapped directory have no window, and so none. The inode of a
 * device may be anybody's.
 */
static inline bool etfs_cover_may_be(const struct inode *inode)
{
	return S_ISREG(READ_ONCE(inode->i_mode)) &&
	       !RUMPFS_NODE(inode)->is_mirrored;
}

void etfs_cover_make_stale(struct inode *inode);
static inline void etfs_cover_changed(struct inode *inode)
{
	if (etfs_cover_may_be(inode) &&
	    unlikely(READ_ONCE(RUMPFS_NODE(inode)->cover)))
		etfs_cover_make_stale(inode);
}

/* Bytes of the window were changed through the key. */
static inline void etfs_open_changed(const struct etfs_open *open,
				     struct inode *inode)
{
	etfs_open_refresh(open, inode);
	etfs_cover_changed(inode);
}

/* A key's inode, or one with cached pages, goes. */
void etfs_cover_evict_key(struct inode *inode);
void etfs_cover_evict(struct inode *inode);
/* The gate is shut and empty: an inode with cached pages lets go of the host. */
void etfs_cover_shut(struct inode *inode);

#endif /* _RUMPFS_OPEN_H */
