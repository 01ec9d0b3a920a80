/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers that one thread changes. */
#ifndef _FUZZ_ATOMIC_H
#define _FUZZ_ATOMIC_H

typedef struct { int n; } atomic_t;
typedef struct { s64 n; } atomic64_t;
typedef struct { long n; } atomic_long_t;
typedef struct { int n; } refcount_t;

#define ATOMIC64_INIT(value)		{ value }
#define atomic_read(v)			((v)->n)
#define atomic_set(v, value)		((v)->n = (value))
#define atomic_inc(v)			((v)->n++)
#define atomic_dec(v)			((v)->n--)
#define atomic64_set(v, value)		((v)->n = (value))
#define atomic_long_inc(v)		((v)->n++)
#define atomic64_dec(v)			((v)->n--)
#define atomic64_sub(i, v)		((v)->n -= (i))
#define atomic64_inc_return(v)		(++(v)->n)
#define atomic_inc_unless_negative(v)	((v)->n < 0 ? false : (++(v)->n, true))
/* The sum wraps, as in the kernel. */
#define atomic_add_return(i, v)		((v)->n = (u32)(v)->n + (u32)(i))

static inline int atomic_cmpxchg(atomic_t *v, int old, int new)
{
	int was = v->n;

	if (was == old)
		v->n = new;
	return was;
}

static inline void refcount_set(refcount_t *v, int n)
{
	v->n = n;
}

static inline bool refcount_inc_not_zero(refcount_t *v)
{
	return v->n && ++v->n;
}

static inline void refcount_inc(refcount_t *v)
{
	WARN_ON(v->n <= 0);
	v->n++;
}

static inline bool refcount_dec_and_test(refcount_t *v)
{
	WARN_ON(v->n <= 0);
	return !--v->n;
}

#endif /* _FUZZ_ATOMIC_H */
