/* SPDX-License-Identifier: GPL-2.0 */
/* A disk over a window of a host file; for the sources that are about disks. */
#ifndef _RUMPFS_DISK_H
#define _RUMPFS_DISK_H

#include "etfs.h"

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/llist.h>
#include <linux/mempool.h>
#include <linux/semaphore.h>
#include <linux/seqlock.h>

/* Bios of one disk with a worker at a time, and how many need no memory. */
#define ETFS_MAX_IOS	16
/* Of swap so many are written at a time, before whoever swaps is slowed down. */
#define ETFS_MAX_SWAP	128

/* How a request was served; see disk_io.c. Reads at even numbers. */
enum etfs_served {
	/* by its submitter, from or to the host's page cache */
	ETFS_READ_CACHED,
	ETFS_WRITE_CACHED,
	/* past the host's page cache */
	ETFS_READ_DIRECT,
	ETFS_WRITE_DIRECT,
	/* through the host file system by a worker */
	ETFS_READ_WORKER,
	ETFS_WRITE_WORKER,
	/* failed, as fail= says */
	ETFS_FAILED,
	ETFS_NR_SERVED,
};

struct etfs_disk_counts {
	u64 nr[ETFS_NR_SERVED];
};

/*
 * Each map that is bound to it has a reference: the one whose key it is at, and
 * what that one replaces or is about to be replaced by.
 *
 * I set once - S under lock - A atomic
 */
struct etfs_disk {
	refcount_t ref;
	/* S: whose key it is at; held until free_disk, then NULL */
	struct etfs_map *map;
	struct gendisk *gd;
	/* I: of the node; gd may be gone before the last node */
	dev_t devt;
	/* I: the N of rumpblkN */
	int nr;
	/* I: open until delete */
	struct file *host;
	/* S: of a fixed size; read by etfs_disk_window() */
	struct etfs_window win;
	seqcount_spinlock_t win_seq;
	/* I: */
	bool is_ro;
	/* I: bytes of a block */
	u32 bs;
	/* S: see struct etfs_spec */
	u16 fail;
	u32 fail_seed;
	/* I: bios go on to this device; NULL: the file is read and written */
	struct block_device *target;
	/* I: what is in the host's page cache is served by the submitter */
	bool has_read_hits, has_write_hits;
	/* I: with dio: the host can be asked not to wait */
	bool has_nowait;
	/* A: the host file's times are behind its bytes */
	unsigned long is_touched;
	struct delayed_work touch;
	struct workqueue_struct *wq;
	/* struct etfs_io */
	mempool_t ios;
	/* how many more of swap there may be */
	struct semaphore swap_room;
	/* clones for target */
	struct bio_set clones;
	struct etfs_disk_counts __percpu *counts;
	/* A: those that one worker will go through, last first */
	struct llist_head listed;
	struct work_struct list_work;
	/* A: the same, which wait for a frozen host */
	struct llist_head frozen;
	struct work_struct frozen_work;
	/* clones, and struct etfs_io */
	struct percpu_ref inflight;
	struct completion idle;
	/* a leaf */
	spinlock_t lock;
	/* S: */
	unsigned int nr_open;
	/* S: the name is gone */
	bool is_removed;
	/* S: revoked: it is deleted under who has it open */
	bool is_dead;
	/* delete it after the last close, or at once */
	struct work_struct delete;
	struct completion deleted;
};

static inline struct etfs_window etfs_disk_window(const struct etfs_disk *disk)
{
	struct etfs_window win;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&disk->win_seq);
		win = disk->win;
	} while (read_seqcount_retry(&disk->win_seq, seq));
	return win;
}

/* Bytes of the host file that a bio is about. */
struct etfs_span {
	u64 off, len;
};

/* A bio that is not done when ->submit_bio returns. */
struct etfs_io {
	/* whoever serves it, and the submitter of kiocb */
	refcount_t ref;
	union {
		struct work_struct work;
		/* in disk->listed */
		struct llist_node node;
	};
	struct etfs_disk *disk;
	/* gone once it has ended; the disk is not */
	struct bio *bio;
	/* of the window it was submitted to */
	struct etfs_span span;
	/* jiffies */
	unsigned long start;
	/* swap_room is to be given back */
	bool has_room;
	/* with dio */
	struct kiocb kiocb;
};

/* How a worker was before it served a bio. */
struct etfs_task {
	unsigned int flags, noio;
	/* whose pages the host's are; NULL: nobody's */
	struct cgroup_subsys_state *memcg;
	struct mem_cgroup *old_memcg;
};

/* In disk.c: a disk */
/* Bytes, and bytes of a block, of a disk over this host. */
u64 etfs_disk_size(const struct etfs_map *map, const struct file *host);
u32 etfs_disk_bs(const struct etfs_map *map, const struct file *host);
/* Whole blocks of a device of the host go to it as they are; NULL: they do not. */
struct block_device *etfs_disk_target(const struct etfs_map *map,
				      const struct file *host);
/* On success the disk is there for everyone and has host and a map reference. */
int etfs_disk_add(struct etfs_map *map, struct file *host);
/* Context: disk->lock held. */
void etfs_disk_set_map(struct etfs_disk *disk, struct etfs_map *map);
/* A worker will, once: nobody can open it, nobody has it open or it is dead. */
void etfs_disk_delete_soon(struct etfs_disk *disk);
/* Context: table->lock, or the map is in no table any more. */
void etfs_disk_drop_hosts(struct etfs_map *map);
/*
 * It may be on its way out: until that has begun it has its gendisk.
 * Return: a reference, or NULL once the name is gone.
 */
struct gendisk *etfs_disk_get_gd(struct etfs_disk *disk);
void etfs_disk_put(struct etfs_disk *disk);
/* Return: the host file, a reference, or NULL once nobody has the disk open. */
struct file *etfs_disk_get_host(struct etfs_disk *disk);

/* In disk_sysfs.c */
extern const struct attribute_group *etfs_disk_groups[];

/* In direct.c: bios of a disk with dio */
/* Is it one for the host's direct I/O, and all of it within the host file? */
bool etfs_direct_may(const struct etfs_disk *disk, struct bio *bio,
		     const struct etfs_span *span);
/* At once, or by the list. Context: the submitter. */
void etfs_direct_submit(struct etfs_io *io);
/* The list_work of such a disk. */
void etfs_direct_issue_listed(struct work_struct *work);

/* In part.c: partitions */
/* Read them again, or let go of them. Context: no lock of ours. */
void etfs_parts_scan(struct gendisk *gd, bool has_parts);
/* Return: the device numbers, by partition, 0 for none; or NULL. */
dev_t *etfs_parts_list(struct gendisk *gd);
/* Those that there are; fn may sleep. */
void etfs_parts_each(struct gendisk *gd, void (*fn)(struct block_device *bdev));
/* Are these what the map has? */
bool etfs_parts_are(const struct etfs_map *map, const dev_t *devts);
/* Chain maps of them to that of the disk, which has none. */
int etfs_parts_make(struct etfs_map *map, const dev_t *devts);
/* All that are chained to this one, and it. */
void etfs_parts_put(struct etfs_map *part);

/* In disk_io.c: bios */
void etfs_disk_submit_bio(struct bio *bio);
u64 etfs_disk_count(const struct etfs_disk *disk, enum etfs_served how);
/* len bytes of a bio's data from done on; it may begin amid its first bvec. */
void etfs_bio_iter(struct bio *bio, size_t done, size_t len,
		   struct iov_iter *iter);
/* As a worker that may enter the host. Return: 0 once all is done. */
int etfs_disk_serve(struct etfs_disk *disk, struct bio *bio,
		    const struct etfs_span *span);
/* Has a disk of ours sent it on, who knows for whom? */
bool etfs_bio_is_clone(const struct bio *bio);
/* The accounting that began at start ends with the bio. Context: any. */
void etfs_bio_end(struct bio *bio, unsigned long start, int err);
/* What the disk can do by itself with this host file. */
int etfs_disk_io_init(struct etfs_disk *disk);
/* Context: no bio comes any more; waits for those on their way. */
void etfs_disk_io_stop(struct etfs_disk *disk);
void etfs_disk_io_exit(struct etfs_disk *disk);

/* In disk_queue.c: bios with a worker */
/* Context of these: the submitter; may wait for memory, and a moment for swap. */
struct etfs_io *etfs_io_new(struct etfs_disk *disk, struct bio *bio,
			    const struct etfs_span *span,
			    unsigned long start);
/* A worker will serve it: the one of the list, or one of its own. */
void etfs_io_submit(struct etfs_io *io);
/* The one of the list, at once or when the submitter's plug goes. */
void etfs_io_enlist(struct etfs_io *io);
/* Context of these: any. */
void etfs_io_queue(struct etfs_io *io);
void etfs_io_end(struct etfs_io *io, int err);
void etfs_io_put(struct etfs_io *io);
/* Those that have come, in order. */
struct llist_node *etfs_ios_take(struct llist_head *ios);
/* A worker is about to serve this bio, or has. */
void etfs_task_begin(struct etfs_task *task, struct bio *bio);
void etfs_task_end(struct etfs_task *task);
/* disk->wq, list_work and ios. */
int etfs_disk_queue_init(struct etfs_disk *disk);

#endif /* _RUMPFS_DISK_H */
