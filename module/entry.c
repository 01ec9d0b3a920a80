// SPDX-License-Identifier: GPL-2.0
/*
 * The names in memory of one directory, by listing cookie.
 *
 * A directory that nobody lists needs none: until then its names are dentries
 * below its own and no more. They are counted off when it is first read, or one
 * of them is to be hidden, those that came to their place in the tree last being
 * the last; from then on it is kept up, until the last is gone. That costs a
 * name a hundredth of what its maker is charged for it, and is charged to
 * nobody: who lists or removes did not make it, and may have nothing left.
 *
 * From then on a cookie is that of a name, whatever the name stands for
 * meanwhile, so that a listing under way shows a name that stays once: what
 * replaces another has its cookie. A name that is new in its directory is the
 * last, but one that a
 * rename there made is where the other was, so that a listing comes to an end.
 *
 * Cookies mostly follow each other, so the array is one of chunks, which cost a
 * name less than a slot each. What is in a chunk is written under i_rwsem, or
 * under the lock of the array by who has that shared, as a name may enter and
 * get a mark then; names leave, and chunks with the last, under i_rwsem alone,
 * so who has it shared needs no lock to read.
 */
#include "names.h"

#include <linux/dcache.h>
#include <linux/slab.h>

/* Where listing cookies start: 0 and 1 are . and .. */
#define RUMPFS_FIRST_COOKIE	2u
/* In next_cookie, above the highest: they have begun anew. */
#define RUMPFS_COOKIES_TURNED	BIT(31)

#define RUMPFS_CHUNK		BITS_PER_LONG

/* So many dentries are passed before others have a turn. */
#define RUMPFS_INDEX_STEPS	1024

/* Names with cookies from a multiple of RUMPFS_CHUNK on. */
struct rumpfs_chunk {
	unsigned long index;
	/* which there are; not 0, and one is there before its bit */
	unsigned long present;
	/* of these: listed by nobody */
	unsigned long hidden;
	/* pinned */
	struct dentry *at[RUMPFS_CHUNK];
};

static struct kmem_cache *rumpfs_chunk_cache;

int rumpfs_entry_init(void)
{
	rumpfs_chunk_cache = KMEM_CACHE(rumpfs_chunk, 0);
	return rumpfs_chunk_cache ? 0 : -ENOMEM;
}

void rumpfs_entry_exit(void)
{
	kmem_cache_destroy(rumpfs_chunk_cache);
}

static struct xarray *rumpfs_entries(const struct inode *dir)
{
	return &RUMPFS_DIR(dir)->entries;
}

/* Of a name that is in the directory. */
static struct rumpfs_chunk *rumpfs_chunk_of(const struct inode *dir,
					    const struct dentry *dentry)
{
	return xa_load(rumpfs_entries(dir),
		       rumpfs_cookie(dentry) / RUMPFS_CHUNK);
}

static unsigned long rumpfs_chunk_bit(const struct dentry *dentry)
{
	return BIT(rumpfs_cookie(dentry) % RUMPFS_CHUNK);
}

/* Another may make it at the same time. Return: what is there now, or NULL. */
static struct rumpfs_chunk *rumpfs_chunk_make(struct rumpfs_dir *dir,
					      unsigned long index, gfp_t gfp)
{
	struct rumpfs_chunk *chunk, *other;

	chunk = kmem_cache_zalloc(rumpfs_chunk_cache, gfp);
	if (!chunk)
		return NULL;
	chunk->index = index;
	other = xa_cmpxchg(&dir->entries, index, NULL, chunk, gfp);
	if (!other)
		return chunk;
	kmem_cache_free(rumpfs_chunk_cache, chunk);
	return xa_is_err(other) ? NULL : other;
}

/* Mostly the one that was found before. Context: as for a name to be added. */
static inline struct rumpfs_chunk *rumpfs_chunk_find(struct rumpfs_dir *dir,
						     unsigned long index)
{
	struct rumpfs_chunk *chunk = dir->recent;

	if (unlikely(!chunk || chunk->index != index)) {
		chunk = xa_load(&dir->entries, index);
		dir->recent = chunk;
	}
	return chunk;
}

/*
 * Give a name the next cookie. A search for free ones would cost each name more
 * than the few steps over old names once the cookies have come round.
 *
 * Context: i_rwsem of dir, and its array locked unless that is held for
 * writing. Return: false if there is no chunk for it; *index is which.
 */
static __always_inline bool rumpfs_entry_enter(struct rumpfs_dir *dir,
					       struct dentry *dentry,
					       unsigned long *index)
{
	struct rumpfs_chunk *chunk;
	unsigned long bit;
	u32 next, cookie;

	do {
		next = dir->next_cookie;
		cookie = max(next & S32_MAX, RUMPFS_FIRST_COOKIE);
		*index = cookie / RUMPFS_CHUNK;
		chunk = rumpfs_chunk_find(dir, *index);
		if (!chunk)
			return false;
		/* Whoever lists reads it under a shared i_rwsem, as we may. */
		WRITE_ONCE(dir->next_cookie,
			   (cookie + 1) | (next & RUMPFS_COOKIES_TURNED));
		bit = BIT(cookie % RUMPFS_CHUNK);
	} while (chunk->present & bit);
	chunk->at[cookie % RUMPFS_CHUNK] = dentry;
	/* Pairs with the acquire in rumpfs_entry_list(). */
	smp_store_release(&chunk->present, chunk->present | bit);
	dentry->d_fsdata = (void *)(unsigned long)cookie;
	return true;
}

/* Counting off */

/* Where the cookies of so many names begin, and what comes after the last. */
static u32 rumpfs_index_begin(const struct rumpfs_dir *dir, u32 nr, u32 *next)
{
	u32 turned = dir->next_cookie & RUMPFS_COOKIES_TURNED;
	u32 begin = max(dir->next_cookie & S32_MAX, RUMPFS_FIRST_COOKIE);

	if (nr > S32_MAX - begin) {
		begin = RUMPFS_FIRST_COOKIE;
		turned = RUMPFS_COOKIES_TURNED;
	}
	*next = (begin + nr) | turned;
	return begin;
}

/* One that is being freed already has no references. */
static bool rumpfs_child_get(struct dentry *child)
{
	bool is_alive;

	spin_lock_nested(&child->d_lock, DENTRY_D_LOCK_NESTED);
	is_alive = child->d_lockref.count >= 0;
	if (is_alive)
		dget_dlock(child);
	spin_unlock(&child->d_lock);
	return is_alive;
}

/*
 * Give the names behind cursor their cookies, *end - 1 to the first, as the
 * newest comes first, as far as the chunk or a turn goes. What is no name lies
 * among them, and like them is not moved.
 *
 * Return: the new cursor, with a reference; NULL if there are not so many.
 */
static struct dentry *rumpfs_index_some(struct rumpfs_chunk *chunk,
					struct dentry *parent,
					struct dentry *cursor, u32 begin,
					u32 *end)
{
	u32 least = max_t(u32, begin, chunk->index * RUMPFS_CHUNK);
	unsigned int steps = 0;
	struct dentry *child;

	spin_lock(&parent->d_lock);
	child = cursor ? d_next_sibling(cursor) : d_first_child(parent);
	for (; child; child = d_next_sibling(child)) {
		if (child->d_fsdata) {
			*end -= 1;
			child->d_fsdata = (void *)(unsigned long)*end;
			chunk->at[*end % RUMPFS_CHUNK] = child;
			chunk->present |= BIT(*end % RUMPFS_CHUNK);
		}
		if ((*end == least || ++steps >= RUMPFS_INDEX_STEPS) &&
		    rumpfs_child_get(child))
			break;
	}
	spin_unlock(&parent->d_lock);
	return child;
}

static void rumpfs_index_undo(struct rumpfs_dir *dir)
{
	struct rumpfs_chunk *chunk;
	unsigned long index;

	xa_for_each(&dir->entries, index, chunk)
		kmem_cache_free(rumpfs_chunk_cache, chunk);
	xa_destroy(&dir->entries);
}

static int rumpfs_index_fill(struct rumpfs_dir *dir, struct dentry *parent,
			     gfp_t gfp)
{
	struct dentry *cursor = NULL, *next_cursor;
	u32 nr = rumpfs_names_counted(d_inode(parent)), next;
	u32 begin = rumpfs_index_begin(dir, nr, &next), end = begin + nr;
	struct rumpfs_chunk *chunk = NULL;
	int err = 0;

	while (!err && end > begin) {
		u32 index = (end - 1) / RUMPFS_CHUNK;

		if (!chunk || chunk->index != index)
			chunk = rumpfs_chunk_make(dir, index, gfp);
		if (!chunk) {
			err = -ENOMEM;
			break;
		}
		next_cursor = rumpfs_index_some(chunk, parent, cursor, begin,
						&end);
		dput(cursor);
		cursor = next_cursor;
		/* The size of the directory says that there are more. */
		if (WARN_ON_ONCE(!cursor))
			err = -EIO;
		cond_resched();
	}
	dput(cursor);
	if (err)
		rumpfs_index_undo(dir);
	else
		WRITE_ONCE(dir->next_cookie, next);
	return err;
}

int rumpfs_entry_index(struct dentry *parent, gfp_t gfp)
{
	struct inode *inode = d_inode(parent);
	struct rumpfs_dir *dir = rumpfs_dir_own(inode, gfp);
	int err = 0;

	lockdep_assert_held(&inode->i_rwsem);
	if (!dir)
		return -ENOMEM;
	/* Pairs with the release below. */
	if (smp_load_acquire(&dir->is_listed))
		return 0;
	/* Of all who have i_rwsem shared, one does it. */
	filemap_invalidate_lock(inode->i_mapping);
	if (!dir->is_listed) {
		err = rumpfs_index_fill(dir, parent, gfp);
		if (!err) {
			/* Pairs with the acquire above. */
			smp_store_release(&dir->is_listed, true);
		}
	}
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}

/* One by one */

int rumpfs_entry_add_listed(struct inode *inode, struct dentry *dentry)
{
	struct rumpfs_dir *dir = RUMPFS_DIR(inode);
	unsigned long index;

	while (!rumpfs_entry_enter(dir, dentry, &index))
		if (!rumpfs_chunk_make(dir, index, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}

int rumpfs_entry_add_shared(struct inode *inode, struct dentry *dentry)
{
	int err = rumpfs_entry_index(dentry->d_parent, GFP_KERNEL);
	struct rumpfs_dir *dir = RUMPFS_DIR(inode);
	unsigned long index;
	bool is_in;

	lockdep_assert_held(&inode->i_rwsem);
	if (err)
		return err;
	for (;;) {
		xa_lock(&dir->entries);
		is_in = rumpfs_entry_enter(dir, dentry, &index);
		xa_unlock(&dir->entries);
		if (is_in)
			return 0;
		if (!rumpfs_chunk_make(dir, index, GFP_KERNEL))
			return -ENOMEM;
	}
}

void rumpfs_entry_erase(struct inode *inode, const struct dentry *dentry)
{
	struct rumpfs_dir *dir = RUMPFS_DIR(inode);
	unsigned long bit = rumpfs_chunk_bit(dentry);
	struct rumpfs_chunk *chunk;

	chunk = rumpfs_chunk_find(dir, rumpfs_cookie(dentry) / RUMPFS_CHUNK);
	chunk->hidden &= ~bit;
	chunk->present &= ~bit;
	if (chunk->present)
		return;
	dir->recent = NULL;
	xa_erase(&dir->entries, chunk->index);
	kmem_cache_free(rumpfs_chunk_cache, chunk);
	dir->is_listed = !xa_empty(&dir->entries);
}

/* Its cookie is of another dentry now. Context: i_rwsem of dir. */
static void rumpfs_entry_give(struct inode *dir, const struct dentry *dentry,
			      struct dentry *other)
{
	if (RUMPFS_DIR(dir)->is_listed)
		rumpfs_chunk_of(dir, dentry)->at[rumpfs_cookie(dentry) %
						 RUMPFS_CHUNK] = other;
}

void rumpfs_entry_swap(struct inode *dir, struct dentry *entry,
		       struct inode *other_dir, struct dentry *other)
{
	rumpfs_entry_give(dir, entry, other);
	rumpfs_entry_give(other_dir, other, entry);
	swap(entry->d_fsdata, other->d_fsdata);
}

int rumpfs_entry_move(struct inode *old_dir, struct dentry *old,
		      struct inode *new_dir, struct dentry *new)
{
	bool replaces = d_really_is_positive(new) && new->d_fsdata;
	void *cookie = old->d_fsdata;
	int err;

	if (!replaces && old_dir == new_dir)
		return 0;
	if (!replaces) {
		err = rumpfs_entry_add(new_dir, old);
		if (err)
			return err;
		swap(old->d_fsdata, cookie);
	}
	if (RUMPFS_DIR(old_dir)->is_listed)
		rumpfs_entry_erase(old_dir, old);
	if (replaces) {
		rumpfs_entry_give(new_dir, new, old);
		cookie = new->d_fsdata;
		new->d_fsdata = NULL;
	}
	old->d_fsdata = cookie;
	return 0;
}

struct dentry *rumpfs_entry_any(struct dentry *parent)
{
	struct inode *dir = d_inode(parent);
	struct rumpfs_chunk *chunk;
	unsigned long index = 0;
	struct dentry *child;

	if (RUMPFS_DIR(dir)->is_listed) {
		chunk = xa_find(rumpfs_entries(dir), &index, ULONG_MAX,
				XA_PRESENT);
		return chunk ? chunk->at[__ffs(chunk->present)] : NULL;
	}
	spin_lock(&parent->d_lock);
	child = d_first_child(parent);
	while (child && !child->d_fsdata)
		child = d_next_sibling(child);
	spin_unlock(&parent->d_lock);
	return child;
}

static bool rumpfs_entry_is_listed(struct inode *dir,
				   const struct dentry *dentry)
{
	/* None, or no type yet: a lookup beside us is making an implied one. */
	const struct inode *inode = d_inode_rcu(dentry);

	return inode && (!S_ISDIR(inode->i_mode) ||
			 !READ_ONCE(RUMPFS_DIR(inode)->place) ||
			 rumpfs_name_is_stray(dir, dentry));
}

unsigned int rumpfs_entry_list(struct inode *dir, unsigned long from,
			       unsigned long end, struct dentry **some,
			       unsigned int most)
{
	unsigned long index = from / RUMPFS_CHUNK, start, bits;
	struct rumpfs_chunk *chunk;
	unsigned int n = 0, bit;

	while ((chunk = xa_find(rumpfs_entries(dir), &index, ULONG_MAX,
				XA_PRESENT))) {
		start = index * RUMPFS_CHUNK;
		/* Pairs with the release in rumpfs_entry_enter(). */
		bits = smp_load_acquire(&chunk->present) &
		       ~READ_ONCE(chunk->hidden);
		if (start < from)
			bits &= ~0ul << (from - start);
		for_each_set_bit(bit, &bits, RUMPFS_CHUNK) {
			if (n == most || start + bit >= end)
				return n;
			if (rumpfs_entry_is_listed(dir, chunk->at[bit]))
				some[n++] = chunk->at[bit];
		}
		index++;
	}
	return n;
}

void rumpfs_entry_hide(struct inode *dir, struct dentry *dentry, bool is_hidden)
{
	struct rumpfs_chunk *chunk = rumpfs_chunk_of(dir, dentry);
	unsigned long bit = rumpfs_chunk_bit(dentry);

	xa_lock(rumpfs_entries(dir));
	WRITE_ONCE(chunk->hidden, is_hidden ? chunk->hidden | bit :
					      chunk->hidden & ~bit);
	xa_unlock(rumpfs_entries(dir));
}

/*
 * Places: a directory that keys implied has the cookie of its key, and is among
 * those that have outlived theirs once that is gone.
 */

static struct xarray *rumpfs_outlived(const struct inode *dir)
{
	return &RUMPFS_DIR(dir)->outlived;
}

void rumpfs_entry_outlive(struct inode *dir, struct dentry *dentry)
{
	u32 place = rumpfs_entry_place(dentry);
	struct dentry *other;

	if (!place)
		return;
	other = xa_cmpxchg(rumpfs_outlived(dir), place, NULL, dentry,
			   GFP_KERNEL);
	/*
	 * The keys of dir itself went and came: their cookies began anew. Or
	 * there is no memory: a listing under way may miss it.
	 */
	if (other && other != dentry)
		rumpfs_entry_unplace(dir, dentry);
}

void rumpfs_entry_unplace_dir(struct inode *dir, struct dentry *dentry,
			      u32 place)
{
	/* Another may be there. */
	xa_cmpxchg(rumpfs_outlived(dir), place, dentry, NULL, 0);
	WRITE_ONCE(RUMPFS_DIR(d_inode(dentry))->place, 0);
}

bool rumpfs_entry_is_tabled(struct inode *dir, const struct dentry *dentry)
{
	u32 place = rumpfs_entry_place(dentry);

	return place && xa_load(rumpfs_outlived(dir), place) != dentry;
}

static bool rumpfs_entry_is_hidden(const struct inode *dir,
				   const struct dentry *dentry)
{
	return READ_ONCE(rumpfs_chunk_of(dir, dentry)->hidden) &
	       rumpfs_chunk_bit(dentry);
}

struct dentry *rumpfs_entry_outlived(struct inode *dir, unsigned long place)
{
	struct dentry *dentry = xa_find(rumpfs_outlived(dir), &place,
					ULONG_MAX, XA_PRESENT);

	while (dentry && rumpfs_entry_is_hidden(dir, dentry))
		dentry = xa_find_after(rumpfs_outlived(dir), &place, ULONG_MAX,
				       XA_PRESENT);
	return dentry;
}
