/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table: keys, what they map to, and who defines what.
 *
 * A *key* is a path inside rumpfs, a *map* is what it stands for, a *kind* is
 * how a map behaves (reg, blk, chr), the *host* is the file system name space
 * outside the mount, a *window* is a byte range of a host file, a *batch* is
 * a list of operations of which all or none take effect.
 *
 * Locks, outermost first:
 *
 *	table->lock	a mutex: every change of a table, and its listing.
 *	  inode->i_rwsem	of one directory of one mount at a time.
 *	    d_lock, xa_lock, i_lock	as everywhere.
 *
 * File system methods run under i_rwsem, so they never take table->lock; they
 * read a table under RCU alone. Nothing looks up or opens a host file under
 * table->lock.
 *
 * How a batch appears at once: each map, and each directory that exists only
 * because of the keys below it, has a *life* of two epochs, born and dead. A
 * batch hangs all it adds and removes on one epoch of its own and then turns
 * that on with one store.
 */
#ifndef _RUMPFS_ETFS_H
#define _RUMPFS_ETFS_H

#include "spec.h"

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

struct bin_attribute;
struct etfs_chunk;
struct rumpfs_op;
struct cred;
struct etfs_chardev;
struct etfs_disk;
struct etfs_map;
struct etfs_origin;
struct etfs_partition;
struct file;
struct inode;
struct kstat;
struct path;
struct rumpfs_sb;
struct super_block;
struct user_namespace;

/* One store of ->on makes a whole batch true. Freed after a grace period. */
struct etfs_epoch {
	bool on;
	struct rcu_head rcu;
};

/* R: both; NULL dead = not dying. */
struct etfs_life {
	struct etfs_epoch *born;
	struct etfs_epoch *dead;
};

/* Context: RCU read section, or table->lock. */
static inline bool etfs_life_is_born(const struct etfs_life *life)
{
	/* Pairs with the release in etfs_table_commit(). */
	return smp_load_acquire(&READ_ONCE(life->born)->on);
}

static inline bool etfs_life_is_on(const struct etfs_life *life)
{
	const struct etfs_epoch *dead;

	if (!etfs_life_is_born(life))
		return false;
	dead = READ_ONCE(life->dead);
	/* Pairs with the release in etfs_table_commit(). */
	return !dead || !smp_load_acquire(&dead->on);
}

/*
 * A component of some key. Lives in its table while a map is at it or below
 * it; freed after a grace period.
 *
 * I set once - L under table->lock - R read under RCU, written under L
 */
struct etfs_key {
	/* I: NULL for the root */
	struct etfs_key *parent;
	/* R: in table->keys, by parent and name */
	struct rhash_head hash;
	/* R: the components below, by cookie */
	struct xarray below;
	/* L: where the next cookie is looked for */
	u32 next_cookie;
	/* I: place in parent->below, never 0 */
	u32 cookie;
	/* R: the newest map at this name, older ones behind it */
	struct etfs_map __rcu *map;
	/* R: of the name itself */
	struct etfs_life life;
	/* L: maps here and below, dying ones not counted */
	u32 nr_maps;
	/* L: directories directly below; the mount reads it */
	u32 nr_dirs;
	/* I: inode number of the directory this name implies */
	u64 ino;
	union {
		/* L: in batch->touched while a batch is on */
		struct list_head touched;
		/* once it is in no table */
		struct rcu_head rcu;
	};
	/* L: counted in parent->nr_dirs */
	bool is_dir;
	/* I: */
	u8 name_len;
	char name[] __counted_by(name_len);
};

/* Of one processor. */
struct etfs_counts {
	u64 bytes_read, bytes_written;
	/* went in here, less what came out here, before the gate was shut */
	long inside;
};

/*
 * Who is inside a map's host file, and who has it open; see gate.c. Made with
 * the first open, freed with the map.
 *
 * I set once - G under lock
 */
struct etfs_gate {
	/* never cleared */
	bool is_shut;
	/* I: */
	struct etfs_map *map;
	struct etfs_counts __percpu *counts;
	/* users that are mappings; areas of memory */
	atomic_t nr_covers, nr_areas;
	/* a leaf */
	spinlock_t lock;
	/* G: struct etfs_open; struct etfs_cover */
	struct list_head opens, covers;
	/* once it is shut: who is inside yet; see gate.c */
	atomic_long_t rest;
	struct rcu_work settle;
	/* when the last one is out */
	struct work_struct drain;
	struct completion shut;
	/* appends that the host does not order; above the host's locks */
	struct mutex append_lock;
	/*
	 * see spare.c: one of opens that nobody has, for the next reader, or
	 * NULL. It is put here under lock, and taken by xchg()
	 */
	struct etfs_open *spare;
	/* G: there is no next one; it is in spares; since the last sweep */
	bool takes_no_spare, is_spare_listed, is_spare_used;
	/* in etfs_spares.gates, under its lock */
	struct list_head spares;
};

/* Between the VFS' question and an open there is no more, in jiffies. */
#define ETFS_ATTR_FRESH	(10 * HZ)

/*
 * One line of a table. The table holds a reference while the map is listed,
 * each inode and each open file that shows it hold one more. Released by a
 * work item after a grace period, as letting go of the host may sleep.
 */
struct etfs_map {
	refcount_t ref;
	/*
	 * openers and mappings, and INT_MIN more once a busy removal has
	 * claimed it or a revocation has ended it
	 */
	atomic_t users;
	/* I: once it is there; before users is more than 0 for the first time */
	struct etfs_gate *gate;
	/* I: valid while the map is alive or table->lock is held */
	struct etfs_key *key;
	/* R: what this map replaces, until the batch is settled */
	struct etfs_map __rcu *older;
	struct etfs_life life;
	/* I: */
	const struct etfs_kind *kind;
	/* I: but for .host, which is L if the host is bound for good */
	struct etfs_spec spec;
	/* I: */
	struct etfs_origin *origin;
	/* I: inode number of its node, the same in every mount */
	u64 ino;
	/* L: in table->inos, while the table lists it or its disk */
	struct rb_node by_ino;
	union {
		struct {
			/* L: in table->rows, ordered by key */
			struct rb_node row;
			/* L: printed length of this row, and of its subtree */
			u16 row_len;
			/* L: once it is removed: how, of enum etfs_removal */
			u8 removal;
			/*
			 * L: 1 + the number of the operation a busy removal
			 * was asked by; 0 for others
			 */
			u32 claimed_by;
			size_t rows_len;
			/* L: in batch->born */
			struct list_head born;
		};
		/* once nobody has a reference */
		struct rcu_work release;
	};
	/*
	 * L: in table->pinned while it is listed and its host file is bound
	 * for good, in batch->dead once it is removed
	 */
	struct list_head node;
	/* more before and after each change of attr, and by one of a mount's own */
	u32 attr_seq;
	/* covers attr and attr_seq */
	spinlock_t attr_lock;
	/*
	 * when a change was noticed last that the host made, jiffies; long ago
	 * if none was
	 */
	unsigned long attr_changed;
	/*
	 * what the node shows, but for what a mount has changed: what the
	 * options say, or what the host file had when last looked at
	 */
	struct etfs_attr {
		kuid_t uid;
		kgid_t gid;
		umode_t mode;
	} attr;
	/* L: it has no path to be restored from any more */
	bool is_unrestorable;
	/* I: bind was done, unbind is due */
	bool is_bound;
	/* I: its host file was bound for good */
	bool is_pinned;
	/* I: what it is bound to it has from older, while that is there */
	bool is_following;
	/*
	 * the host file while it is bound for good; lock: attr_lock. Before
	 * that, during its registration, what the operation was given.
	 */
	struct file *host;
	/* I: of kind blk, of kind chr, and of a partition */
	union {
		struct etfs_disk *disk;
		struct etfs_chardev *chardev;
		struct etfs_partition *partition;
	};
	/*
	 * L: a reference on the first partition of a disk, and on the next of a
	 * partition; see partkey.c
	 */
	struct etfs_map *part;
	/* L: where the bound host was when spec.host was written, if not there */
	char *own_path;
};

/* How a key is used. */
struct etfs_usage {
	u32 opens;
	/* areas of memory */
	u32 maps;
	dev_t rdev;
	u64 bytes_read, bytes_written;
};

/*
 * How a type behaves. All may sleep; none is called under table->lock.
 */
struct etfs_kind {
	const char *name;
	/* type bits of the node at the key */
	umode_t type;
	/* its maps come and go with another one's, and are no rows */
	bool is_implied;
	/*
	 * Find the host, refuse what it cannot do. On error *why tells it and
	 * unbind is not called.
	 */
	int (*bind)(struct etfs_map *map, struct etfs_reason *why);
	/*
	 * Make the device of one that is bound, unless there is one to go on
	 * with, and chain the maps that come and go with it; not in a dry run.
	 * NULL: there is none.
	 */
	int (*make)(struct etfs_map *map, struct etfs_reason *why);
	/*
	 * Bind, or go on with what old, which is to be replaced, is bound to if
	 * that would be the same. Return: 1 if it was, 0, or an errno. NULL:
	 * that is never done.
	 */
	int (*follow)(struct etfs_map *map, struct etfs_map *old,
		      struct etfs_reason *why);
	/* It is replaced: map takes over. Context: table->lock. */
	void (*adopt)(struct etfs_map *map, struct etfs_map *old);
	/* The last reference is gone. */
	void (*unbind)(struct etfs_map *map);
	/* Make a new inode the node of this map; mode and ids are set. */
	void (*node)(struct inode *inode, struct etfs_map *map);
	/*
	 * Open the host file behind a node below the mapped directory; changed
	 * tells whether the node's mode or ids are others now. NULL: there are
	 * no such nodes.
	 */
	struct file *(*open)(struct inode *inode, struct file *file,
			     bool *changed);
	/*
	 * The number of the node's device, 0 if that is gone: the number may be
	 * another one's then. Context: any. NULL: the node tells.
	 */
	dev_t (*rdev)(struct etfs_map *map);
	/*
	 * The name is gone for everyone, or never came; openers may remain. It
	 * was bound, but may not have been made.
	 */
	void (*remove)(struct etfs_map *map);
	/*
	 * What goes on in the background after that is done. All maps of a batch
	 * are told first. NULL: nothing does.
	 */
	void (*remove_wait)(struct etfs_map *map);
	/*
	 * The same, but the host is taken from openers, too. All maps of a
	 * batch are told first and waited for then.
	 */
	void (*revoke)(struct etfs_map *map);
	/* Return: 0, or -EINTR: the rest goes on by itself. */
	int (*revoke_wait)(struct etfs_map *map);
	/*
	 * The host file of who has it open, a reference, or NULL; though it is
	 * removed, or replaced. NULL: its gate knows.
	 */
	struct file *(*get_held)(struct etfs_map *map);
	/* Add what a map's gate does not know, under table->lock. NULL: nothing. */
	void (*stat)(struct etfs_map *map, struct etfs_usage *usage);
};

/*
 * All maps of one name space.
 *
 * L under lock - R read under RCU - A atomic
 */
struct etfs_table {
	/* outermost: see above */
	struct mutex lock;
	/* I: of the mount it belongs to and dies with; NULL: the host table */
	struct super_block *sb;
	/* I: the name "/", always there */
	struct etfs_key *root;
	/* R: every other name, by parent and component */
	struct rhashtable keys;
	/* L: live maps in key order */
	struct rb_root rows;
	/* L: the one that came last and the one behind it, or NULL */
	struct rb_node *last_row, *next_row;
	/* L: those and their partitions by inode number, the highest first */
	struct rb_root_cached inos;
	u32 nr_maps;
	/* R: the same as of the last commit */
	u32 nr_committed;
	/* R: names below the root; 0 = no lookup need ask */
	u32 nr_keys;
	/* L: one more with each batch */
	u64 generation;
	/*
	 * A: changes whenever a directory may have other keys below it than
	 * before: what rumpfs_node caches of the table is tagged with it
	 */
	atomic64_t shape;
	/* L: mounts that show this table */
	struct list_head mounts;
	/* L: maps with a bound host file */
	struct list_head pinned;
};

/* A list of operations of which all or none take effect. */
struct etfs_batch {
	struct etfs_table *table;
	struct etfs_origin *origin;
	struct etfs_op *ops;
	u32 nr_ops, max_ops;
	/* what strings of operations point into */
	struct etfs_chunk *chunks;
	/* say what would be refused, change nothing */
	bool is_dry;
	/* what the table must be at, or 0 */
	u64 generation;
	/* may it add block and character devices? */
	bool may_devices;
	/* the first op that cannot be, found while reading: its errno */
	int err;
	struct etfs_reason why;
	/* filled under table->lock */
	struct etfs_epoch *epoch;
	struct list_head born, dead, touched;
	/* PATH_MAX bytes, so that a commit needs no memory */
	char *path;
};

/* In text.c: maps to text */
size_t etfs_text_escape(char *buf, size_t size, const char *s, bool in_option);
size_t etfs_text_print(char *buf, size_t size, const struct etfs_spec *spec,
		       bool is_unrestorable);
size_t etfs_text_row_len(const struct etfs_spec *spec);
const char *etfs_type_name(enum etfs_type type);
__printf(2, 3)
void etfs_refuse(struct etfs_reason *why, const char *fmt, ...);
void etfs_refuse_key(struct etfs_reason *why, const char *key);

/* In parse.c and options.c: text to operations; see parse.h, and boot.c */
int etfs_text_parse(char *text, size_t len, struct etfs_op *op,
		    struct etfs_reason *why);

/* In keys.c: names. Context: RCU read section. Return: NULL if there is none. */
struct etfs_key *etfs_key_find(struct etfs_table *table,
			       const struct etfs_key *parent,
			       const char *name, u32 len);
struct etfs_key *etfs_key_walk(struct etfs_table *table, const char *path);
/* The path of a name, written to the end of buf. Context: as above, or L. */
char *etfs_key_path(const struct etfs_key *key, char *buf, size_t size);

/* In table.c: maps at names; under table->lock unless said */
int etfs_table_init(struct etfs_table *table);
void etfs_table_exit(struct etfs_table *table);
/* Context: RCU read section. Return: NULL if there is none. */
struct etfs_map *etfs_key_map(const struct etfs_key *key);
/* The map at a path once the running batch is done, or NULL. */
struct etfs_map *etfs_table_find(struct etfs_table *table, const char *path);
int etfs_table_add(struct etfs_batch *batch, struct etfs_map *map,
		   bool replace, struct etfs_reason *why);
void etfs_table_remove(struct etfs_batch *batch, struct etfs_map *map);
void etfs_table_undo(struct etfs_batch *batch);
void etfs_table_commit(struct etfs_batch *batch);
void etfs_table_settle(struct etfs_batch *batch);

/* In rows.c: maps in key order, and what they print; under table->lock */
void etfs_rows_insert(struct etfs_table *table, struct etfs_map *map);
void etfs_rows_erase(struct etfs_table *table, struct etfs_map *map);
struct etfs_map *etfs_table_first(struct etfs_table *table);
/* By the inode number of its node; or NULL. */
struct etfs_map *etfs_table_find_ino(struct etfs_table *table, u64 ino);
struct etfs_map *etfs_map_next(struct etfs_map *map);
void etfs_table_reprint(struct etfs_table *table, struct etfs_map *map,
			bool is_unrestorable);
/*
 * Whole rows from byte *cursor of all rows on, which becomes that of the next.
 * Return: bytes, without the NUL that buf has room for beyond room; more than
 * room if not one row fits; -EINVAL if no row begins at *cursor.
 */
ssize_t etfs_table_list(struct etfs_table *table, u64 *cursor, char *buf,
			size_t room);
ssize_t etfs_table_print(struct etfs_table *table, char *buf, loff_t pos,
			 size_t len);

/* In map.c: the life of one map */
extern u32 etfs_generation;
u64 etfs_ino_new(void);
static inline bool etfs_ino_is_key(u64 ino)
{
	return ino & BIT_ULL(62);
}

int etfs_map_init(void);
void etfs_map_exit(void);
struct etfs_map *etfs_map_new(const struct etfs_spec *spec,
			      const struct etfs_kind *kind,
			      struct etfs_origin *origin);
void etfs_map_get(struct etfs_map *map);
bool etfs_map_tryget(struct etfs_map *map);
void etfs_map_put(struct etfs_map *map);
/* It has this path from now on; takes it over. Context: not listed, or L. */
void etfs_map_set_host_path(struct etfs_map *map, char *path);
/* A kind that binds its host file lends it, and takes it back with NULL. */
void etfs_map_set_host(struct etfs_map *map, struct file *host);
void etfs_map_drop_host(struct etfs_map *map);
/* Return: a reference, or NULL: the host is bound by path. */
struct file *etfs_map_get_host(struct etfs_map *map);
/* The rest of etfs_map_use(). */
int etfs_map_use_claimed(struct etfs_map *map);
/* A busy removal that only claims it is enough to fail. Context: any. */
static inline int etfs_map_try_use(struct etfs_map *map)
{
	return atomic_inc_unless_negative(&map->users) ? 0 : -ESTALE;
}

/* Return: -ESTALE once a removal has ended the map. Context: may sleep. */
static inline int etfs_map_use(struct etfs_map *map)
{
	return likely(!etfs_map_try_use(map)) ? 0 : etfs_map_use_claimed(map);
}

/* By one of its users, though it may have ended. */
static inline void etfs_map_use_more(struct etfs_map *map)
{
	atomic_inc(&map->users);
}

static inline void etfs_map_unuse(struct etfs_map *map)
{
	atomic_dec(&map->users);
}

/* Revoked, or removed while idle: nobody looks at the host any more. */
bool etfs_map_has_ended(const struct etfs_map *map);
/* Nobody can use it any more; who does goes on. */
void etfs_map_end(struct etfs_map *map);
bool etfs_map_is_busy(const struct etfs_map *map);
bool etfs_map_claim(struct etfs_map *map);
void etfs_map_unclaim(struct etfs_map *map);

/* In gate.c: who is inside a mapping; see struct etfs_gate */
extern struct workqueue_struct *etfs_map_wq;
int etfs_gate_make_first(struct etfs_map *map);
/* A map has a gate before it can have users. Return: -ENOMEM. */
static inline int etfs_gate_make(struct etfs_map *map)
{
	/* Pairs with the cmpxchg() in etfs_gate_make_first(). */
	return likely(smp_load_acquire(&map->gate)) ? 0 :
						     etfs_gate_make_first(map);
}

void etfs_gate_free(struct etfs_gate *gate);
void etfs_gate_shut(struct etfs_map *map);
/* Context: as etfs_map_leave(), no preemption. */
void etfs_gate_leave_shut(struct etfs_gate *gate);
int etfs_gate_wait(struct etfs_map *map);
/* Context: a reference on the map. */
void etfs_map_stat(struct etfs_map *map, struct etfs_usage *usage);

/* Context: any; the map has a user. Return: false once it is revoked. */
static inline bool etfs_map_enter(struct etfs_map *map)
{
	const struct etfs_gate *gate = map->gate;
	bool is_open;

	/* A grace period of RCU waits for this, too. */
	preempt_disable();
	is_open = likely(!READ_ONCE(gate->is_shut));
	if (is_open)
		this_cpu_inc(gate->counts->inside);
	preempt_enable();
	return is_open;
}

/* Once more, for who is inside already. Context: any. */
static inline void etfs_map_enter_again(struct etfs_map *map)
{
	struct etfs_gate *gate = map->gate;

	preempt_disable();
	if (likely(!READ_ONCE(gate->is_shut)))
		this_cpu_inc(gate->counts->inside);
	else
		atomic_long_inc(&gate->rest);
	preempt_enable();
}

/* Context: any. The caller may lose the map with it. */
static inline void etfs_map_leave(struct etfs_map *map)
{
	struct etfs_gate *gate = map->gate;

	preempt_disable();
	if (likely(!READ_ONCE(gate->is_shut)))
		this_cpu_dec(gate->counts->inside);
	else
		etfs_gate_leave_shut(gate);
	preempt_enable();
}

/*
 * The host file of somebody who has it open, a reference; or NULL.
 * Context: a reference on the map.
 */
struct file *etfs_map_get_held(struct etfs_map *map);

/* In origin.c: who registers mappings */
struct etfs_origin *etfs_origin_new(const struct cred *cred);
struct etfs_origin *etfs_origin_of_init(const struct cred *cred);
struct etfs_origin *etfs_origin_get(struct etfs_origin *origin);
void etfs_origin_put(struct etfs_origin *origin);
/*
 * Around the registrations of one batch, whose host paths mostly go on where the
 * last one led. Context: may sleep; one batch at a time.
 */
void etfs_origin_begin(struct etfs_origin *origin);
void etfs_origin_end(struct etfs_origin *origin);
/* Of the root it holds, or NULL: init's root of the moment. */
const struct super_block *etfs_origin_sb(const struct etfs_origin *origin);
/*
 * In host.c, which alone looks up host files and opens them, and host_stat.c; see
 * host.h
 */
/* At registration with why, which is filled on error; at each open without. */
struct file *etfs_host_open(struct etfs_map *map, int flags,
			    struct etfs_reason *why);
/*
 * At registration of what is opened again each time: could it be opened? Where
 * an open does nothing else it is not made.
 */
int etfs_host_check(struct etfs_map *map, int flags, struct etfs_reason *why);
/*
 * What was opened for reading before is opened so once more. is_asked: the
 * registrant may. Return: the same, as it was, if the key leads there still,
 * or another, a reference.
 */
struct file *etfs_host_open_again(struct etfs_map *map, struct file *host,
				  bool is_asked);
/* Is it on the mount that is the registrant's root? Context: may sleep. */
bool etfs_host_is_on_root(const struct etfs_map *map, const struct file *host);
/* is_locked: the caller may hold a lock of ours, see way.c. */
int etfs_host_getattr(struct etfs_map *map, struct kstat *stat, bool is_locked);
/* Of an open file. */
int etfs_host_fgetattr(const struct file *host, struct kstat *stat);
/* No more than what rumpfs_key_learn() takes. */
int etfs_host_fgetattr_few(const struct file *host, struct kstat *stat);
/*
 * Freeze protection and a mount that can be written, for a truncation: before
 * the lock of any inode of ours, as what waits for it may hold up others long.
 */
int etfs_host_want_write(struct file *host);
void etfs_host_drop_write(struct file *host);
/*
 * Take that lock, below the protection of this host. An overlay takes that of
 * the file system it is on below its own inode's, so the lock of a key there is
 * above the one of a key whose host lies on the other.
 */
void etfs_host_lock_above(const struct file *host, struct inode *inode);
/*
 * As the caller, who has the file open for writing. valid: ATTR_MTIME, ...
 * Context: between the two above.
 */
int etfs_host_truncate(struct file *host, u64 size, unsigned int valid);
/* May a file give who runs it more rights, by its mode or its capabilities? */
bool etfs_host_has_suid(const struct path *path);
u64 etfs_host_size(const struct file *host);
/* What direct I/O is a multiple of, bytes; 0 if it was not asked for. */
u32 etfs_host_dio_align(const struct file *host);
/*
 * Is it on a disk of this machine, or in its memory, with no server and no other
 * layer to ask? Context: any.
 */
bool etfs_host_is_on_disk(const struct super_block *sb);
bool etfs_host_is_local(const struct super_block *sb);
/* May a program of the mount this file is on be run? */
bool etfs_host_is_noexec(const struct file *host);

/*
 * In below.c, for mapped directories: rel is a path below one, "" is the
 * directory itself. Context: may sleep; a directory's i_rwsem may be held.
 */
int etfs_host_bind_dir(struct etfs_map *map, struct etfs_reason *why);
/*
 * Who walks is the registrant. The caller is asked whether he may go to where a
 * symbolic link leads; of other directories our own nodes were asked, unless
 * the host may have others there by now.
 */
enum etfs_ask {
	ETFS_ASK_LINK,
	ETFS_ASK_WAY,
};

/* A directory of the host, and who may search it by its mode. */
struct etfs_host_dir {
	struct etfs_host_id id;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
};

/*
 * parent: NULL, or what the directory that has it is, if no link led to it.
 * Return: 0 with a path to be put; -ENOENT for what is not visible.
 */
int etfs_host_find_below(struct etfs_map *map, const char *rel,
			 enum etfs_ask ask, struct etfs_host_dir *parent,
			 struct path *path, struct kstat *stat);
struct etfs_host_id etfs_host_id(const struct path *path,
				 const struct kstat *stat);
/*
 * id: NULL, or what it must be: else -ESTALE, or with a mask of MAY_READ,
 * MAY_WRITE what the caller may do that to. MAY_NOT_BLOCK: -EWOULDBLOCK where
 * opening it would wait, or take locks that a caller with one must not.
 */
struct file *etfs_host_open_below(struct etfs_map *map, const char *rel,
				  int flags, const struct etfs_host_id *id,
				  int mask, struct kstat *stat);
/*
 * Does a list of the host refuse what its mode allows? As the caller; mask is
 * of MAY_READ, MAY_WRITE, MAY_EXEC.
 */
int etfs_host_may(const struct path *path, int mask);
/* Is this task looking for a host object, and has come back to us? */
bool etfs_host_is_walking(void);

/* In pin.c */
/*
 * Of a map in the table: spec.host is from now on where its bound host is.
 * Return: false if no path leads there. Context: table->lock; buf has PATH_MAX
 * bytes.
 */
bool etfs_pin_update(struct etfs_map *map, char *buf);

/* The kinds: window.c, disk.c, chardev.c, mirror.c */
extern const struct etfs_kind etfs_reg_kind;
extern const struct etfs_kind etfs_blk_kind;
extern const struct etfs_kind etfs_chr_kind;
extern const struct etfs_kind etfs_dir_kind;
extern const struct etfs_kind etfs_subdirs_kind;

/* In disk.c */
int etfs_disk_init(void);
void etfs_disk_exit(void);

/* In chardev.c */
int etfs_chardev_init(void);
void etfs_chardev_exit(void);

/* In show.c: what a device tells in sysfs of what it was made of */
ssize_t etfs_show_key(struct etfs_map *map, char *buf);
ssize_t etfs_show_backing_file(struct etfs_map *map, char *buf);

/* In batch.c: operations */
int etfs_batch_init(struct etfs_batch *batch, struct etfs_table *table,
		    struct etfs_origin *origin);
struct etfs_op *etfs_batch_next(struct etfs_batch *batch);
/* Let go of what was given with one that is not to be done. */
void etfs_op_forget(struct etfs_op *op);
/* Return: memory that goes with the batch, or NULL. */
char *etfs_batch_alloc(struct etfs_batch *batch, size_t size);
/*
 * The same in steps, for what has an end of its own: where some is free, and how
 * many bytes; or others; so many of them are taken.
 */
size_t etfs_batch_room(const struct etfs_batch *batch, char **at);
char *etfs_batch_make_room(struct etfs_batch *batch, size_t size);
void etfs_batch_take_room(struct etfs_batch *batch, size_t size);
void etfs_batch_exit(struct etfs_batch *batch);

/* In apply.c: prepare everything, then commit everything */
int etfs_batch_apply(struct etfs_batch *batch);
int etfs_table_flush(struct etfs_table *table, enum etfs_removal removal);

/* In partkey.c: a disk's partitions; the first two under table->lock */
int etfs_parts_enter(struct etfs_batch *batch, struct etfs_map *map,
		     struct etfs_reason *why);
/* The table has them from now on. */
void etfs_parts_commit(struct etfs_map *map);
/* A disk goes on under another map: read them again if none is open. */
void etfs_parts_renew(struct etfs_table *table, struct etfs_map *map);

/* In may.c: who may change a table, and what no table and no host decides */
struct user_namespace *etfs_table_ns(const struct etfs_table *table);
/* By this open file, the current process. */
bool etfs_table_may(const struct etfs_table *table, const struct file *file);
bool etfs_file_may_devices(const struct file *file);
bool etfs_op_is_device(const struct etfs_op *op);
/* Return: -EPERM and why, if this is for somebody else. */
int etfs_batch_may_op(const struct etfs_batch *batch, const struct etfs_op *op,
		      struct etfs_reason *why);
void etfs_batch_judge(struct etfs_batch *batch);
/* Return: -ELOOP and why, if the mount would never go with such a map. */
int etfs_batch_judge_root(const struct etfs_batch *batch,
			  struct etfs_reason *why);

extern unsigned int etfs_max_mappings;

/*
 * In spec.c: what a program gives. Context: may sleep. On error batch->why
 * tells it, without a line or a column.
 */
int etfs_op_read(struct etfs_batch *batch, struct etfs_op *op,
		 const struct rumpfs_op *from);
/* A key at this address, in canonical form. */
int etfs_spec_read_key(struct etfs_batch *batch, u64 from, const char **key);

/* In boot.c: the table to begin with */
extern const struct bin_attribute etfs_boot_attribute;
int etfs_boot_init(void);
void etfs_boot_apply(void);
void etfs_boot_exit(void);

/* In sysfs.c: the directory of the module */
int etfs_sysfs_init(void);
void etfs_sysfs_exit(void);
struct kobject *etfs_sysfs_root(void);
/* What last_error of the host table says from now on. */
void etfs_error_set(const struct etfs_reason *why);

/* The table shared by all mounts. */
extern struct etfs_table etfs_host_table;

#endif /* _RUMPFS_ETFS_H */
