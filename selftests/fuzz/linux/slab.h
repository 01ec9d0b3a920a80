/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that is counted, and of which a chosen piece is not to be had. */
#ifndef _FUZZ_SLAB_H
#define _FUZZ_SLAB_H

#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define __GFP_NOWARN		0

/* Pieces not yet freed. */
extern long fuzz_live;
/* The piece that is refused, 1 = the next; 0 = none, or it has been. */
extern unsigned int fuzz_fail;

static inline bool fuzz_refuses(void)
{
	return fuzz_fail && !--fuzz_fail;
}

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	if (fuzz_refuses())
		return NULL;
	fuzz_live++;
	return calloc(1, size);
}

/* The sanitizer fills it with what nobody expects. */
static inline void *kmalloc(size_t size, gfp_t gfp)
{
	if (fuzz_refuses())
		return NULL;
	fuzz_live++;
	return malloc(size);
}

/* Of one kind of object, which is all a cache is here. */
struct kmem_cache { size_t size; };
#define SLAB_ACCOUNT		0
#define KMEM_CACHE(type, flags) \
	({ static struct kmem_cache cache_ = { sizeof(struct type) }; \
	   &cache_; })
#define kmem_cache_zalloc(cache, gfp)	kzalloc((cache)->size, gfp)
#define kmem_cache_destroy(cache)	((void)(cache))
#define kmem_cache_free(cache, p)	kfree(p)

#define kvmalloc(size, gfp)	kmalloc(size, gfp)
#define kvcalloc(n, size, gfp)	kzalloc((n) * (size), gfp)

static inline void kfree(const void *p)
{
	fuzz_live -= !!p;
	free((void *)p);
}

#define kvfree(p)		kfree(p)
/* Nobody reads under RCU while a table changes: the sooner, the stricter. */
#define kfree_rcu(p, member)	kfree(p)

static inline char *kstrndup(const char *s, size_t len, gfp_t gfp)
{
	char *copy;

	len = strnlen(s, len);
	copy = kzalloc(len + 1, gfp);
	return copy ? memcpy(copy, s, len) : NULL;
}

#define kstrdup(s, gfp)		kstrndup(s, strlen(s), gfp)

static inline __printf(2, 3)
char *kasprintf(gfp_t gfp, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	if (fuzz_refuses())
		return NULL;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0)
		fuzz_live++;
	va_end(args);
	return text;
}

#endif /* _FUZZ_SLAB_H */
