/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel, as far as text and tables know it, in one thread of a program.
 * Comes before every source. Headers that are not in this folder are empty.
 */
#ifndef _FUZZ_KERNEL_H
#define _FUZZ_KERNEL_H

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef unsigned long long u64;
typedef long long s64;
typedef unsigned short umode_t;
typedef unsigned int gfp_t;
typedef struct { u32 val; } kuid_t, kgid_t;

#define U32_MAX		UINT32_MAX
#define S32_MAX		INT32_MAX
#define U64_MAX		((u64)UINT64_MAX)
#define S64_MAX		((s64)INT64_MAX)
#define PATH_MAX	4096
#define NAME_MAX	255
#define PAGE_SIZE	4096ul
#define SZ_1K			0x400
#define SZ_64K		65536
#define PAGE_ALIGNED(x)	(!((x) & (PAGE_SIZE - 1)))
#define BIT(n)		(1ul << (n))
#define BIT_ULL(n)	(1ull << (n))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define __rcu
#define __percpu
#define __user
#define __counted_by(member)
#define __acquires(lock)
#define __releases(lock)
#define __printf(fmt, args)	__attribute__((format(printf, fmt, args)))

#define min(a, b) \
	({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) \
	({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define __ffs(n)		__builtin_ctzl(n)
#define swap(a, b) \
	do { typeof(a) t_ = (a); (a) = (b); (b) = t_; } while (0)
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define container_of_const(ptr, type, member) \
	container_of(ptr, type, member)
#define struct_size(p, member, n) \
	(sizeof(*(p)) + sizeof((p)->member[0]) * (n))

#define likely(x)			(x)
#define unlikely(x)			(x)
#define READ_ONCE(x)			(*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value)		((x) = (value))
/* Between threads, so here they are none. */
#define smp_load_acquire(p)		(*(p))
/* The same. */
#define smp_store_release(p, value)	(*(p) = (value))

#define ERR_PTR(err)		((void *)(long)(err))
#define PTR_ERR(p)		((long)(p))
#define IS_ERR(p)		((unsigned long)(p) >= -4095ul)

/* Says where and ends the program, as a sanitizer does. */
#define WARN_ON(condition) \
	do { \
		if (condition) { \
			fprintf(stderr, "%s:%d: WARN_ON(%s)\n", __FILE__, \
				__LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* As snprintf(), but tells what is there, not what would have been. */
#define scnprintf(buf, size, ...) \
	min((size_t)snprintf(buf, size, __VA_ARGS__), (size_t)(size) - 1)

/* Locks: there is one thread. */
struct mutex { bool held; };
#define DEFINE_MUTEX(name)	struct mutex name
#define mutex_init(lock)	((lock)->held = false)

#define __maybe_unused __attribute__((unused))
struct lockdep_map;
#define mutex_acquire(map, subclass, trylock, ip) do { } while (0)
#define mutex_release(map, ip) do { } while (0)

static inline void mutex_lock(struct mutex *lock)
{
	WARN_ON(lock->held);
	lock->held = true;
}

static inline void mutex_unlock(struct mutex *lock)
{
	WARN_ON(!lock->held);
	lock->held = false;
}

#define lockdep_is_held(lock)		((lock)->held)
#define lockdep_assert_held(lock)	WARN_ON(!lockdep_is_held(lock))
#define lockdep_assert_held_write(lock)	((void)(lock))

typedef struct { int unused; } spinlock_t;
#define DEFINE_SPINLOCK(name)	spinlock_t name
#define spin_lock_init(lock)	((void)(lock))
#define spin_lock(lock)		((void)(lock))
#define spin_unlock(lock)	((void)(lock))

struct completion { int unused; };
struct percpu_ref { int unused; };
#define percpu_ref_tryget_live(ref)	((void)(ref), true)
#define percpu_ref_put(ref)		((void)(ref))
#define this_cpu_add(x, n)		((x) += (n))
#define this_cpu_inc(x)			((x)++)
#define this_cpu_dec(x)			((x)--)
#define preempt_disable()		((void)0)
#define preempt_enable()		((void)0)

#define current			NULL
#define current_cred()		NULL
#define CAP_SYS_ADMIN		21
struct user_namespace { int unused; };
extern struct user_namespace init_user_ns;
#define capable(cap)		true
#define ns_capable(ns, cap)	((void)(ns), true)
#define file_ns_capable(file, ns, cap)	((void)(file), true)
#define make_kuid(ns, id)	((void)(ns), (kuid_t) { id })
#define make_kgid(ns, id)	((void)(ns), (kgid_t) { id })
#define uid_valid(id)		((id).val != U32_MAX)
#define gid_valid(id)		((id).val != U32_MAX)
#define fatal_signal_pending(task)	false
#define cond_resched()		((void)0)
/* There is nobody to wait for. */
#define schedule_timeout_killable(jiffies)	abort()
#define get_random_u32()	4u

static inline u32 hash_ptr(const void *ptr, unsigned int bits)
{
	return (uintptr_t)ptr >> 4;
}

static inline u32 jhash(const void *data, u32 len, u32 seed)
{
	const u8 *byte = data;

	while (len--)
		seed = (seed ^ *byte++) * 16777619u;
	return seed;
}

static inline char *strim(char *s)
{
	char *end = s + strlen(s);

	while (end > s && isspace((u8)end[-1]))
		*--end = '\0';
	while (isspace((u8)*s))
		s++;
	return s;
}

/* Parameters of a module. */
struct kernel_param { void *arg; };
struct kernel_param_ops {
	int (*set)(const char *value, const struct kernel_param *param);
	void (*free)(void *arg);
};

#define module_param_cb(name, ops, arg, mode) \
	struct kernel_param fuzz_param_##name = { arg }; \
	const struct kernel_param_ops *fuzz_param_ops_##name = ops
#define MODULE_PARM_DESC(name, text)	struct fuzz_unused

#endif /* _FUZZ_KERNEL_H */
