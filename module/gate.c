// SPDX-License-Identifier: GPL-2.0
/*
 * A gate: who is inside a mapping, and how it is shut for good.
 *
 * Each method that touches the host file of an open key runs between enter
 * and leave. To shut the gate is to take away the host under all who have the
 * key open:
 *
 *	1. no more opens	map->users is negative; those under way are inside
 *	2. no more entries	is_shut: EIO, SIGBUS
 *	3. all inside are out	rest is zero
 *	4. no page of the host is about to be mapped, and none is
 *	5. no open file holds the host any more
 *
 * Why 3 is so. Who goes in or out counts on his processor, with preemption off,
 * having seen that the gate is open. After a grace period nobody does so any
 * more, and the sum over all processors is how many were inside then; less who
 * went out since, which each takes from rest. That begins so high that none of
 * them finds zero before the sum is in it. So entry and exit cost a file that
 * is read no atomic operation, and no call.
 *
 * Why 4 is so. A fault puts its page into the page table after our handler has
 * returned, so after 3 some may still be at it; but the handler hands the page
 * over locked. Once each page of the window has been locked and unlocked, what
 * they put is there, and can be unmapped; whoever faults later finds the gate
 * shut. map_pages puts its pages itself, before it leaves.
 *
 * Lock: gate->lock, a leaf.
 */
#include "open.h"
#include "paged.h"

#include <linux/file.h>
#include <linux/slab.h>

/* More than can be inside. */
#define ETFS_GATE_UNSETTLED	(LONG_MAX / 2)

void etfs_gate_leave_shut(struct etfs_gate *gate)
{
	if (!atomic_long_dec_return(&gate->rest))
		queue_work(etfs_map_wq, &gate->drain);
}

/* A grace period after it was shut. */
static void etfs_gate_settle(struct work_struct *work)
{
	struct etfs_gate *gate = container_of(to_rcu_work(work),
					      struct etfs_gate, settle);
	long inside = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		inside += per_cpu_ptr(gate->counts, cpu)->inside;
	if (!atomic_long_add_return(inside - ETFS_GATE_UNSETTLED, &gate->rest))
		queue_work(etfs_map_wq, &gate->drain);
}

void etfs_gate_add_open(struct etfs_open *open)
{
	const struct etfs_window *win = &open->map->spec.win;
	struct etfs_gate *gate = open->map->gate;

	open->has_flush = open->host->f_op->flush;
	open->is_whole = S_ISREG(file_inode(open->host)->i_mode) &&
			 !win->offset && !etfs_window_is_fixed(win);
	open->paged = etfs_host_paged(open->host);
	open->may_spare = etfs_spare_may(open);
	spin_lock(&gate->lock);
	list_add_tail(&open->node, &gate->opens);
	spin_unlock(&gate->lock);
}

/* Return: a reference, or NULL: nobody has it open. */
static struct file *etfs_gate_get_any_host(struct etfs_map *map)
{
	/* Pairs with the cmpxchg() in etfs_gate_make_first(). */
	struct etfs_gate *gate = smp_load_acquire(&map->gate);
	struct etfs_open *open;
	struct file *host = NULL;

	if (!gate)
		return NULL;
	spin_lock(&gate->lock);
	list_for_each_entry(open, &gate->opens, node) {
		if (open != READ_ONCE(gate->spare)) {
			host = get_file(open->host);
			break;
		}
	}
	spin_unlock(&gate->lock);
	return host;
}

struct file *etfs_map_get_held(struct etfs_map *map)
{
	struct file *host = NULL;

	if (map->kind->get_held)
		host = map->kind->get_held(map);
	return host ?: etfs_gate_get_any_host(map);
}

/* Return: the host file that it had, with its reference; NULL once revoked. */
struct file *etfs_gate_take_open(struct etfs_open *open)
{
	struct etfs_gate *gate = open->map->gate;
	struct file *host;

	spin_lock(&gate->lock);
	list_del_init(&open->node);
	host = open->host;
	open->host = NULL;
	spin_unlock(&gate->lock);
	return host;
}

struct file *etfs_gate_get_host(struct etfs_open *open)
{
	struct etfs_gate *gate = open->map->gate;
	struct file *host;

	spin_lock(&gate->lock);
	host = open->host;
	if (host)
		get_file(host);
	spin_unlock(&gate->lock);
	return host;
}

/* Take the host from one that has the key open. Return: was there one? */
static bool etfs_gate_close_one(struct etfs_gate *gate)
{
	struct etfs_open *open, was;

	spin_lock(&gate->lock);
	open = list_first_entry_or_null(&gate->opens, struct etfs_open, node);
	if (!open) {
		spin_unlock(&gate->lock);
		return false;
	}
	list_del_init(&open->node);
	was = *open;
	open->host = NULL;
	/* Its file has the mapping of that inode until it is released. */
	if (was.cover)
		ihold(was.cover);
	spin_unlock(&gate->lock);

	if (was.cover)
		etfs_cover_shut(was.cover);
	iput(was.cover);
	if (was.denies_write)
		allow_write_access(was.host);
	/* At once: nobody could wait for it. */
	__fput_sync(was.host);
	return true;
}

/* Context: nobody is inside, and nobody gets in. */
static void etfs_gate_drain(struct work_struct *work)
{
	struct etfs_gate *gate = container_of(work, struct etfs_gate, drain);
	struct etfs_map *map = gate->map;

	etfs_covers_unmap(gate);
	etfs_spare_end(gate);
	while (etfs_gate_close_one(gate))
		cond_resched();
	etfs_spare_wait();
	/* The host can be unmounted as soon as the revoker has returned. */
	flush_delayed_fput();
	complete_all(&gate->shut);
	etfs_map_put(map);
}

static struct etfs_gate *etfs_gate_new(struct etfs_map *map)
{
	struct etfs_gate *gate = kzalloc(sizeof(*gate), GFP_KERNEL_ACCOUNT);

	if (!gate)
		return NULL;
	gate->counts = alloc_percpu_gfp(struct etfs_counts, GFP_KERNEL_ACCOUNT);
	if (!gate->counts) {
		kfree(gate);
		return NULL;
	}
	atomic_long_set(&gate->rest, ETFS_GATE_UNSETTLED);
	spin_lock_init(&gate->lock);
	INIT_LIST_HEAD(&gate->opens);
	INIT_LIST_HEAD(&gate->covers);
	INIT_LIST_HEAD(&gate->spares);
	init_completion(&gate->shut);
	mutex_init(&gate->append_lock);
	INIT_RCU_WORK(&gate->settle, etfs_gate_settle);
	INIT_WORK(&gate->drain, etfs_gate_drain);
	gate->map = map;
	return gate;
}

void etfs_gate_free(struct etfs_gate *gate)
{
	if (!gate)
		return;
	etfs_spare_end(gate);
	free_percpu(gate->counts);
	kfree(gate);
}

int etfs_gate_make_first(struct etfs_map *map)
{
	struct etfs_gate *gate = etfs_gate_new(map);

	if (!gate)
		return -ENOMEM;
	if (cmpxchg(&map->gate, NULL, gate))
		etfs_gate_free(gate);
	return 0;
}

/*
 * From here on nobody opens, and nobody who has it open gets in; those inside
 * are on their way out. Once for each map.
 */
void etfs_gate_shut(struct etfs_map *map)
{
	etfs_map_end(map);
	/* Without a gate nobody had it open, and no more will. */
	if (!map->gate)
		return;
	/* For the drain. */
	etfs_map_get(map);
	WRITE_ONCE(map->gate->is_shut, true);
	queue_rcu_work(etfs_map_wq, &map->gate->settle);
}

/* Return: -EINTR if a signal came first; the drain goes on by itself. */
int etfs_gate_wait(struct etfs_map *map)
{
	/* Pairs with the cmpxchg() in etfs_gate_make_first(). */
	struct etfs_gate *gate = smp_load_acquire(&map->gate);

	/* One made after the map had ended was not shut: nobody is inside. */
	if (!gate || !READ_ONCE(gate->is_shut))
		return 0;
	return wait_for_completion_interruptible(&gate->shut) ? -EINTR : 0;
}

static void etfs_gate_count(struct etfs_gate *gate, struct etfs_usage *usage)
{
	int cpu;

	usage->opens -= atomic_read(&gate->nr_covers);
	usage->maps = atomic_read(&gate->nr_areas);
	for_each_possible_cpu(cpu) {
		const struct etfs_counts *counts =
			per_cpu_ptr(gate->counts, cpu);

		usage->bytes_read += READ_ONCE(counts->bytes_read);
		usage->bytes_written += READ_ONCE(counts->bytes_written);
	}
}

void etfs_map_stat(struct etfs_map *map, struct etfs_usage *usage)
{
	/* Pairs with the cmpxchg() in etfs_gate_make_first(). */
	struct etfs_gate *gate = smp_load_acquire(&map->gate);

	memset(usage, 0, sizeof(*usage));
	usage->opens = atomic_read(&map->users) & INT_MAX;
	if (gate)
		etfs_gate_count(gate, usage);
	if (map->kind->stat)
		map->kind->stat(map, usage);
}
