/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A search tree that augments as the kernel's does. Balanced by chance: each
 * node has a random rank, and none a higher one than its parent.
 */
#ifndef _FUZZ_RBTREE_H
#define _FUZZ_RBTREE_H

struct rb_node {
	struct rb_node *rb_parent, *rb_left, *rb_right;
	u32 rank;
};

struct rb_root { struct rb_node *rb_node; };
#define RB_ROOT ((struct rb_root) { })
/* Here the leftmost is looked for. */
struct rb_root_cached { struct rb_root rb_root; };
#define RB_ROOT_CACHED ((struct rb_root_cached) { })
#define rb_parent(node)		((node)->rb_parent)

struct rb_augment_callbacks {
	void (*propagate)(struct rb_node *node, struct rb_node *stop);
	void (*rotate)(struct rb_node *from, struct rb_node *to);
};

#define rb_entry(ptr, type, member) container_of(ptr, type, member)
#define rb_entry_safe(ptr, type, member) \
	({ struct rb_node *p_ = (ptr); \
	   p_ ? rb_entry(p_, type, member) : NULL; })

#define RB_DECLARE_CALLBACKS(static_, name, type, node, sum, compute) \
static_ void name ## _rotate(struct rb_node *from, struct rb_node *to); \
static_ void name ## _propagate(struct rb_node *at, struct rb_node *stop) \
{ \
	while (at != stop && !compute(rb_entry(at, type, node), true)) \
		at = at->rb_parent; \
} \
static_ const struct rb_augment_callbacks name = { \
	name ## _propagate, name ## _rotate \
}; \
static_ void name ## _rotate(struct rb_node *from, struct rb_node *to) \
{ \
	rb_entry(to, type, node)->sum = rb_entry(from, type, node)->sum; \
	compute(rb_entry(from, type, node), false); \
}

static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	static u32 seed = 1;

	seed = seed * 1664525u + 1013904223u;
	*node = (struct rb_node) { .rb_parent = parent, .rank = seed >> 8 };
	*link = node;
}

static inline struct rb_node **rb_link_to(struct rb_node *node,
					  struct rb_root *root)
{
	struct rb_node *parent = node->rb_parent;

	if (!parent)
		return &root->rb_node;
	return parent->rb_left == node ? &parent->rb_left : &parent->rb_right;
}

/* A node takes the place of its parent, which comes below it. */
static inline void rb_lift(struct rb_node *node, struct rb_root *root,
			   const struct rb_augment_callbacks *augment)
{
	struct rb_node *parent = node->rb_parent, *child;
	struct rb_node **link = rb_link_to(parent, root);

	if (parent->rb_left == node) {
		child = node->rb_right;
		parent->rb_left = child;
		node->rb_right = parent;
	} else {
		child = node->rb_left;
		parent->rb_right = child;
		node->rb_left = parent;
	}
	if (child)
		child->rb_parent = parent;
	node->rb_parent = parent->rb_parent;
	parent->rb_parent = node;
	*link = node;
	augment->rotate(parent, node);
}

static inline void rb_insert_augmented(struct rb_node *node,
				       struct rb_root *root,
				       const struct rb_augment_callbacks *augment)
{
	while (node->rb_parent && node->rank > node->rb_parent->rank)
		rb_lift(node, root, augment);
}

static inline void rb_erase_augmented(struct rb_node *node,
				      struct rb_root *root,
				      const struct rb_augment_callbacks *augment)
{
	while (node->rb_left || node->rb_right) {
		struct rb_node *left = node->rb_left, *right = node->rb_right;

		if (!right || (left && left->rank > right->rank))
			rb_lift(left, root, augment);
		else
			rb_lift(right, root, augment);
	}
	*rb_link_to(node, root) = NULL;
	augment->propagate(node->rb_parent, NULL);
}

/* A tree that sums nothing up. */
static inline void rb_no_rotate(struct rb_node *from, struct rb_node *to)
{
}

static inline void rb_no_propagate(struct rb_node *at, struct rb_node *stop)
{
}

static const struct rb_augment_callbacks rb_no_sums = {
	rb_no_propagate, rb_no_rotate
};

#define rb_insert_color(node, root) \
	rb_insert_augmented(node, root, &rb_no_sums)
#define rb_erase(node, root)	rb_erase_augmented(node, root, &rb_no_sums)

static inline struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

#define rb_first_cached(root)	rb_first(&(root)->rb_root)
#define rb_insert_color_cached(node, root, is_leftmost) \
	((void)(is_leftmost), rb_insert_color(node, &(root)->rb_root))
#define rb_erase_cached(node, root)	rb_erase(node, &(root)->rb_root)

static inline struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *next = node->rb_right;

	if (next) {
		while (next->rb_left)
			next = next->rb_left;
		return next;
	}
	while (node->rb_parent && node->rb_parent->rb_right == node)
		node = node->rb_parent;
	return node->rb_parent;
}

#endif /* _FUZZ_RBTREE_H */
