// SPDX-License-Identifier: GPL-2.0
/*
 * Host files that are kept open for the next reader of a key.
 *
 * To open the host file costs as much as all else that an open of a key does.
 * One that was read and closed is kept for a while, for one who opens the key
 * next; he has it for himself. Each time it is looked at whether it would be the
 * same file: unless the key is bound for good the path leads to it as it did, see
 * trail.c, and mode, ids and access list are those by which the registrant may
 * open it. Else he walks and is asked anew, as he is after a second for the sake
 * of security modules.
 *
 * A file is kept only where nobody watches the host's file system, and where no
 * server and no layer could hear of an open. It is let go when it has lain idle,
 * and with the mapping. Of a key that is bound by its path it is small, and lies
 * on the mount that is the registrant's root: no other is busy for it.
 *
 * Locks: etfs_spares.lock, then gate->lock.
 */
#include "spare.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

/* Of all keys; how many are looked at in one go, under the lock. */
#define ETFS_MAX_SPARES		16384
#define ETFS_SWEEP_BATCH	64
/* For how long one may lie idle, at least. */
#define ETFS_SPARE_IDLE		HZ
/* Bytes of the largest that is kept, if it is not bound for good. */
#define ETFS_SPARE_SIZE		SZ_64K

static void etfs_spares_sweep(struct work_struct *work);

static struct etfs_spares {
	/* covers gates; above gate->lock */
	spinlock_t lock;
	/* gates that have one, or had when last looked at */
	struct list_head gates;
	/* written under lock */
	unsigned int nr;
	struct delayed_work sweep;
} etfs_spares = {
	.lock = __SPIN_LOCK_UNLOCKED(etfs_spares.lock),
	.gates = LIST_HEAD_INIT(etfs_spares.gates),
	.sweep = __DELAYED_WORK_INITIALIZER(etfs_spares.sweep,
					    etfs_spares_sweep, 0),
};

static bool etfs_spare_is_read(const struct file *host)
{
	return host->f_flags == (O_RDONLY | O_LARGEFILE);
}

bool etfs_spare_may(const struct etfs_open *open)
{
	const struct inode *inode = file_inode(open->host);

	/* The key of an encrypted one can be taken away while it is closed. */
	return open->map->kind == &etfs_reg_kind && S_ISREG(inode->i_mode) &&
	       etfs_spare_is_read(open->host) && !open->denies_write &&
	       !open->cover && !open->has_flush && !IS_ENCRYPTED(inode) &&
	       etfs_host_is_local(inode->i_sb) &&
	       (open->map->is_pinned ||
		etfs_host_is_on_root(open->map, open->host));
}

/*
 * It is in no list any more. Context: a kernel thread, which would leave it to
 * another one, whom nobody waits for.
 */
static void etfs_spare_free(struct etfs_open *open)
{
	if (!open)
		return;
	__fput_sync(open->host);
	kfree(open->trail);
	kfree(open);
}

/*
 * Context: gate->lock. Return: the spare one, to be freed, or NULL. Who opens
 * the key takes it without the lock.
 */
static struct etfs_open *etfs_spare_remove(struct etfs_gate *gate)
{
	struct etfs_open *open = xchg(&gate->spare, NULL);

	lockdep_assert_held(&gate->lock);
	if (open)
		list_del_init(&open->node);
	return open;
}

/* Context: gate->lock. */
static bool etfs_spare_has_room(const struct etfs_gate *gate)
{
	lockdep_assert_held(&gate->lock);
	return !READ_ONCE(gate->spare) && !gate->takes_no_spare &&
	       (gate->is_spare_listed ||
		READ_ONCE(etfs_spares.nr) < ETFS_MAX_SPARES);
}

static void etfs_spare_list(struct etfs_gate *gate)
{
	spin_lock(&etfs_spares.lock);
	list_add_tail(&gate->spares, &etfs_spares.gates);
	WRITE_ONCE(etfs_spares.nr, etfs_spares.nr + 1);
	spin_unlock(&etfs_spares.lock);
	schedule_delayed_work(&etfs_spares.sweep, ETFS_SPARE_IDLE);
}

/* Would nobody miss what it holds? */
static bool etfs_spare_is_small(const struct etfs_open *open)
{
	const struct inode *inode = file_inode(open->host);

	return open->map->is_pinned ||
	       (inode->i_nlink && i_size_read(inode) <= ETFS_SPARE_SIZE);
}

/*
 * Has nobody changed how it is read, and nobody has it besides? Context:
 * gate->lock.
 */
static bool etfs_spare_is_fit(const struct etfs_open *open)
{
	struct file *host = open->host;

	/* Without one it was revoked. */
	return host && etfs_spare_is_read(host) && file_count(host) == 1 &&
	       !etfs_spare_is_watched(open) && etfs_spare_is_small(open);
}

bool etfs_spare_give(struct etfs_open *open)
{
	struct etfs_gate *gate = open->map->gate;
	bool is_taken, is_new = false;

	if (!open->may_spare)
		return false;
	spin_lock(&gate->lock);
	is_taken = etfs_spare_is_fit(open) && etfs_spare_has_room(gate);
	if (is_taken) {
		/* Pairs with the xchg() of who takes it. */
		smp_store_release(&gate->spare, open);
		gate->is_spare_used = true;
		is_new = !gate->is_spare_listed;
		gate->is_spare_listed = true;
	}
	spin_unlock(&gate->lock);
	if (is_new)
		etfs_spare_list(gate);
	return is_taken;
}

/* Context: etfs_spares.lock. Return: what it had, to be freed, or NULL. */
static struct etfs_open *etfs_spare_unlist(struct etfs_gate *gate)
{
	struct etfs_open *open;

	lockdep_assert_held(&etfs_spares.lock);
	spin_lock(&gate->lock);
	open = etfs_spare_remove(gate);
	if (!list_empty(&gate->spares)) {
		list_del_init(&gate->spares);
		gate->is_spare_listed = false;
		WRITE_ONCE(etfs_spares.nr, etfs_spares.nr - 1);
	}
	spin_unlock(&gate->lock);
	return open;
}

static bool etfs_spare_is_idle(struct etfs_gate *gate)
{
	bool is_idle;

	spin_lock(&gate->lock);
	is_idle = !gate->is_spare_used;
	gate->is_spare_used = false;
	spin_unlock(&gate->lock);
	return is_idle;
}

/* Look at up to n. Those let go are in idle. Return: how many it looked at. */
static unsigned int etfs_spares_sweep_some(unsigned int n,
					   struct list_head *idle)
{
	struct etfs_gate *gate;
	struct etfs_open *open;
	unsigned int i;

	spin_lock(&etfs_spares.lock);
	for (i = 0; i < n && !list_empty(&etfs_spares.gates); i++) {
		gate = list_first_entry(&etfs_spares.gates, struct etfs_gate,
					spares);
		list_move_tail(&gate->spares, &etfs_spares.gates);
		open = etfs_spare_is_idle(gate) ? etfs_spare_unlist(gate) : NULL;
		if (open)
			list_add(&open->node, idle);
	}
	spin_unlock(&etfs_spares.lock);
	return i;
}

static void etfs_spares_sweep(struct work_struct *work)
{
	unsigned int left = READ_ONCE(etfs_spares.nr), n;
	struct etfs_open *open, *next;
	LIST_HEAD(idle);

	do {
		n = etfs_spares_sweep_some(min(left, ETFS_SWEEP_BATCH), &idle);
		left -= n;
		cond_resched();
	} while (n && left);
	list_for_each_entry_safe(open, next, &idle, node) {
		etfs_spare_free(open);
		cond_resched();
	}
	spin_lock(&etfs_spares.lock);
	if (!list_empty(&etfs_spares.gates))
		schedule_delayed_work(&etfs_spares.sweep, ETFS_SPARE_IDLE);
	spin_unlock(&etfs_spares.lock);
}

void etfs_spare_end(struct etfs_gate *gate)
{
	struct etfs_open *open;

	spin_lock(&gate->lock);
	gate->takes_no_spare = true;
	spin_unlock(&gate->lock);
	spin_lock(&etfs_spares.lock);
	open = etfs_spare_unlist(gate);
	spin_unlock(&etfs_spares.lock);
	etfs_spare_free(open);
}

/*
 * Wait for one that was found idle and is being let go. Context: it may sleep, and
 * is no work of the system's.
 */
void etfs_spare_wait(void)
{
	flush_work(&etfs_spares.sweep.work);
}

void etfs_spare_exit(void)
{
	cancel_delayed_work_sync(&etfs_spares.sweep);
}
