// SPDX-License-Identifier: GPL-2.0
/*
 * Rows: the live maps of a table in key order, and by inode number; its listing.
 * Partitions have a number, but no row.
 *
 * Each subtree knows how many bytes it prints, so any offset of a listing is
 * found in a few steps.
 */
#include "etfs.h"

#include <linux/mm.h>
#include <linux/rbtree_augmented.h>
#include <linux/string.h>

static inline bool etfs_row_compute(struct etfs_map *map, bool exit)
{
	size_t len = map->row_len;

	if (map->row.rb_left)
		len += rb_entry(map->row.rb_left, struct etfs_map,
				row)->rows_len;
	if (map->row.rb_right)
		len += rb_entry(map->row.rb_right, struct etfs_map,
				row)->rows_len;
	if (exit && map->rows_len == len)
		return true;
	map->rows_len = len;
	return false;
}

RB_DECLARE_CALLBACKS(static, etfs_rows, struct etfs_map, row, rows_len,
		     etfs_row_compute)

static void etfs_inos_insert(struct etfs_table *table, struct etfs_map *map)
{
	struct rb_node **link = &table->inos.rb_root.rb_node, *parent = NULL;
	struct rb_node *highest = rb_first_cached(&table->inos);
	bool is_highest = true;

	/* Mostly it is a new one. */
	if (highest &&
	    map->ino > rb_entry(highest, struct etfs_map, by_ino)->ino) {
		parent = highest;
		link = &highest->rb_left;
	}
	while (*link) {
		parent = *link;
		if (map->ino > rb_entry(parent, struct etfs_map, by_ino)->ino) {
			link = &parent->rb_left;
		} else {
			link = &parent->rb_right;
			is_highest = false;
		}
	}
	rb_link_node(&map->by_ino, parent, link);
	rb_insert_color_cached(&map->by_ino, &table->inos, is_highest);
}

struct etfs_map *etfs_table_find_ino(struct etfs_table *table, u64 ino)
{
	struct rb_node *node = table->inos.rb_root.rb_node;

	lockdep_assert_held(&table->lock);
	while (node) {
		struct etfs_map *map = rb_entry(node, struct etfs_map, by_ino);

		if (map->ino == ino)
			return map;
		node = ino > map->ino ? node->rb_left : node->rb_right;
	}
	return NULL;
}

static bool etfs_row_is_before(const struct etfs_map *map,
			       const struct rb_node *row)
{
	return strcmp(map->spec.key,
		      rb_entry(row, struct etfs_map, row)->spec.key) < 0;
}

/* Most come in order: is this one right behind the last? Else NULL. */
static struct rb_node **etfs_rows_behind_last(struct etfs_table *table,
					      const struct etfs_map *map,
					      struct rb_node **parent)
{
	struct rb_node *last = table->last_row, *next = table->next_row;

	if (!last || etfs_row_is_before(map, last) ||
	    (next && !etfs_row_is_before(map, next)))
		return NULL;
	/* Of two neighbours one has no child between them. */
	*parent = last->rb_right ? next : last;
	return last->rb_right ? &next->rb_left : &last->rb_right;
}

static struct rb_node **etfs_rows_place(struct etfs_table *table,
					const struct etfs_map *map,
					struct rb_node **parent)
{
	struct rb_node **link = &table->rows.rb_node;

	*parent = NULL;
	while (*link) {
		*parent = *link;
		link = etfs_row_is_before(map, *parent) ? &(*parent)->rb_left :
							  &(*parent)->rb_right;
	}
	return link;
}

void etfs_rows_insert(struct etfs_table *table, struct etfs_map *map)
{
	struct rb_node **link, *parent, *above;
	bool is_next;

	etfs_inos_insert(table, map);
	if (map->kind->is_implied)
		return;
	map->row_len = etfs_text_print(NULL, 0, &map->spec,
				       map->is_unrestorable);
	link = etfs_rows_behind_last(table, map, &parent);
	is_next = link;
	if (!is_next)
		link = etfs_rows_place(table, map, &parent);
	for (above = parent; above; above = rb_parent(above))
		rb_entry(above, struct etfs_map, row)->rows_len += map->row_len;
	map->rows_len = map->row_len;
	rb_link_node(&map->row, parent, link);
	rb_insert_augmented(&map->row, &table->rows, &etfs_rows);
	table->last_row = &map->row;
	if (!is_next)
		table->next_row = rb_next(&map->row);
	table->nr_maps++;
}

void etfs_rows_erase(struct etfs_table *table, struct etfs_map *map)
{
	rb_erase_cached(&map->by_ino, &table->inos);
	if (map->kind->is_implied)
		return;
	if (table->last_row == &map->row || table->next_row == &map->row)
		table->last_row = NULL;
	rb_erase_augmented(&map->row, &table->rows, &etfs_rows);
	table->nr_maps--;
}

struct etfs_map *etfs_table_first(struct etfs_table *table)
{
	lockdep_assert_held(&table->lock);
	return rb_entry_safe(rb_first(&table->rows), struct etfs_map, row);
}

struct etfs_map *etfs_map_next(struct etfs_map *map)
{
	return rb_entry_safe(rb_next(&map->row), struct etfs_map, row);
}

/* A row says from now on where its host file is, or that it cannot be found. */
void etfs_table_reprint(struct etfs_table *table, struct etfs_map *map,
			bool is_unrestorable)
{
	size_t len = etfs_text_print(NULL, 0, &map->spec, is_unrestorable);

	lockdep_assert_held(&table->lock);
	map->is_unrestorable = is_unrestorable;
	if (map->row_len == len)
		return;
	map->row_len = len;
	etfs_rows.propagate(&map->row, NULL);
}

/* The listing */

#define ETFS_HEAD	"# etfs 1 gen=%020llu n=%010u\n"
#define ETFS_TAIL	"# end gen=%020llu\n"

/* Find the row that prints byte *pos of all rows; *pos becomes its own byte. */
static struct etfs_map *etfs_rows_at(struct etfs_table *table, size_t *pos)
{
	struct rb_node *node = table->rows.rb_node;

	while (node) {
		struct etfs_map *map = rb_entry(node, struct etfs_map, row);
		size_t left = 0;

		if (node->rb_left)
			left = rb_entry(node->rb_left, struct etfs_map,
					row)->rows_len;
		if (*pos < left) {
			node = node->rb_left;
			continue;
		}
		*pos -= left;
		if (*pos < map->row_len)
			return map;
		*pos -= map->row_len;
		node = node->rb_right;
	}
	return NULL;
}

/* Copy what lies at *skip of a piece; *skip is 0 after the first copy. */
static size_t etfs_copy_piece(char *to, size_t room, const char *piece,
			      size_t len, size_t *skip)
{
	size_t n = min(room, len - *skip);

	memcpy(to, piece + *skip, n);
	*skip = 0;
	return n;
}

static ssize_t etfs_rows_print(struct etfs_table *table, char *buf, size_t skip,
			       size_t room)
{
	struct etfs_map *map = etfs_rows_at(table, &skip);
	size_t done = 0;

	for (; map && done < room; map = etfs_map_next(map)) {
		char *row = kvmalloc(map->row_len + 1, GFP_KERNEL);

		if (!row)
			return -ENOMEM;
		etfs_text_print(row, map->row_len + 1, &map->spec,
				map->is_unrestorable);
		done += etfs_copy_piece(buf + done, room - done, row,
					map->row_len, &skip);
		kvfree(row);
	}
	return done;
}

ssize_t etfs_table_list(struct etfs_table *table, u64 *cursor, char *buf,
			size_t room)
{
	size_t skip = *cursor, done = 0;
	struct etfs_map *map = etfs_rows_at(table, &skip);

	lockdep_assert_held(&table->lock);
	if (skip)
		return -EINVAL;
	for (; map && map->row_len <= room - done; map = etfs_map_next(map)) {
		/* A byte more is there, for the NUL. */
		etfs_text_print(buf + done, map->row_len + 1, &map->spec,
				map->is_unrestorable);
		done += map->row_len;
	}
	if (map && !done)
		return map->row_len;
	*cursor += done;
	return done;
}

/*
 * Bytes of the listing from pos on. Return: how many of len there were, 0 at
 * the end.
 */
ssize_t etfs_table_print(struct etfs_table *table, char *buf, loff_t pos,
			 size_t len)
{
	char line[64];
	size_t head_len, rows_len = 0, done = 0, skip = pos;
	ssize_t n;

	lockdep_assert_held(&table->lock);
	head_len = scnprintf(line, sizeof(line), ETFS_HEAD, table->generation,
			     table->nr_maps);
	if (table->rows.rb_node)
		rows_len = rb_entry(table->rows.rb_node, struct etfs_map,
				    row)->rows_len;
	if (skip < head_len)
		done = etfs_copy_piece(buf, len, line, head_len, &skip);
	else
		skip -= head_len;

	if (done < len && skip < rows_len) {
		n = etfs_rows_print(table, buf + done, skip, len - done);
		if (n < 0)
			return n;
		done += n;
		skip = 0;
	} else if (done < len) {
		skip -= rows_len;
	}

	head_len = scnprintf(line, sizeof(line), ETFS_TAIL, table->generation);
	if (done < len && skip < head_len)
		done += etfs_copy_piece(buf + done, len - done, line, head_len,
					&skip);
	return done;
}
