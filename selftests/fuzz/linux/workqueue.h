/* SPDX-License-Identifier: GPL-2.0 */
/* Work that is done at once. */
#ifndef _FUZZ_WORKQUEUE_H
#define _FUZZ_WORKQUEUE_H

struct work_struct { void (*func)(struct work_struct *work); };
struct rcu_work { struct work_struct work; };

#define to_rcu_work(w)			container_of(w, struct rcu_work, work)
#define INIT_RCU_WORK(rwork, fn)	((rwork)->work.func = (fn))
#define queue_rcu_work(wq, rwork)	((rwork)->work.func(&(rwork)->work))
#define alloc_workqueue(name, ...) \
	({ static char wq_; (struct workqueue_struct *)&wq_; })
#define flush_workqueue(wq)		((void)(wq))
#define destroy_workqueue(wq)		((void)(wq))

#endif /* _FUZZ_WORKQUEUE_H */
