/* SPDX-License-Identifier: GPL-2.0 */
/* RCU without readers: nobody is there to be waited for. */
#ifndef _FUZZ_RCUPDATE_H
#define _FUZZ_RCUPDATE_H

struct rcu_head { int unused; };

#define rcu_read_lock()			((void)0)
#define rcu_read_unlock()		((void)0)
#define rcu_barrier()			((void)0)
#define rcu_dereference(p)		(p)
#define rcu_dereference_protected(p, condition) \
	({ WARN_ON(!(condition)); (p); })
#define rcu_assign_pointer(p, value)	((p) = (value))
#define RCU_INIT_POINTER(p, value)	((p) = (value))

#endif /* _FUZZ_RCUPDATE_H */
