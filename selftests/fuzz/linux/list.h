/* SPDX-License-Identifier: GPL-2.0 */
/* Rings. */
#ifndef _FUZZ_LIST_H
#define _FUZZ_LIST_H

struct list_head { struct list_head *next, *prev; };
struct hlist_node { struct hlist_node *next; };
struct hlist_head { struct hlist_node *first; };

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_add_tail(struct list_head *item, struct list_head *head)
{
	/* It is in no other ring. */
	WARN_ON(!list_empty(item));
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

static inline void list_del_init(struct list_head *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	INIT_LIST_HEAD(item);
}

static inline void list_move_tail(struct list_head *item,
				  struct list_head *head)
{
	list_del_init(item);
	list_add_tail(item, head);
}

#define list_entry_(at, item, member) container_of(at, typeof(*(item)), member)
#define list_walk_(item, head, member, to) \
	for (item = list_entry_((head)->to, item, member); \
	     &item->member != (head); \
	     item = list_entry_(item->member.to, item, member))
#define list_walk_safe_(item, other, head, member, to) \
	for (item = list_entry_((head)->to, item, member), \
	     other = list_entry_(item->member.to, item, member); \
	     &item->member != (head); \
	     item = other, other = list_entry_(item->member.to, item, member))

#define list_for_each_entry(item, head, member) \
	list_walk_(item, head, member, next)
#define list_for_each_entry_safe(item, other, head, member) \
	list_walk_safe_(item, other, head, member, next)
#define list_for_each_entry_safe_reverse(item, other, head, member) \
	list_walk_safe_(item, other, head, member, prev)

#endif /* _FUZZ_LIST_H */
