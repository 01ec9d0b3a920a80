// SPDX-License-Identifier: GPL-2.0
/* The host table beside the model: its text in any pieces, its names. */
#include "fuzz.h"

#define FUZZ_EDGE	128

static char *fuzz_expected(const struct fuzz_model *model, size_t *len)
{
	static const char lost[] = "# unrestorable: ";
	size_t size = FUZZ_EDGE, i;
	char *text, *at;

	for (i = 0; i < model->nr; i++)
		size += model->rows[i].line->row_len + sizeof(lost);
	text = fuzz_keep(size);
	at = text + sprintf(text, "# etfs 1 gen=%020llu n=%010zu\n",
			    model->generation, model->nr);
	for (i = 0; i < model->nr; i++) {
		if (model->rows[i].is_unrestorable)
			at = stpcpy(at, lost);
		at = mempcpy(at, model->rows[i].line->row,
			     model->rows[i].line->row_len);
	}
	at += sprintf(at, "# end gen=%020llu\n", model->generation);
	*len = at - text;
	return text;
}

/* A piece of the text, into a buffer of its size. */
static void fuzz_check_piece(const char *text, size_t len, size_t pos,
			     size_t room)
{
	size_t left = pos < len ? len - pos : 0;
	size_t expected = min(left, room);
	char *buf = fuzz_keep(room);

	check(etfs_table_print(&etfs_host_table, buf, pos, room) ==
	      (ssize_t)expected);
	check(!memcmp(buf, text + (left ? pos : 0), expected));
}

static void fuzz_check_text(const struct fuzz_model *model)
{
	size_t len;
	char *text = fuzz_expected(model, &len);

	fuzz_check_piece(text, len, 0, len + 1);
	fuzz_check_piece(text, len, fuzz_random(len + 2),
			 fuzz_random(FUZZ_EDGE));
	fuzz_check_piece(text, len, fuzz_random(len + 2),
			 fuzz_random(len + 2));
}

typedef void (*fuzz_visitor)(struct etfs_key *key);

static u32 fuzz_each_key(fuzz_visitor visit)
{
	struct etfs_table *table = &etfs_host_table;
	struct rhash_head *at;
	u32 i, nr = 0;

	visit(table->root);
	for (i = 0; i < FUZZ_BUCKETS; i++) {
		for (at = table->keys.buckets[i]; at; at = at->next, nr++)
			visit(container_of(at, struct etfs_key, hash));
	}
	return nr;
}

static void fuzz_forget_key(struct etfs_key *key)
{
	key->hash.nr_maps = 0;
	key->hash.nr_below = 0;
	key->hash.nr_dirs = 0;
}

static void fuzz_count_key(struct etfs_key *key)
{
	const struct etfs_map *map = etfs_key_map(key);
	bool is_dir = !map || S_ISDIR(map->kind->type);

	check(key->parent || !map);
	check(!map || (map->key == key && !map->older));
	if (key->parent) {
		check(key->is_dir == is_dir);
		key->parent->hash.nr_below++;
		key->parent->hash.nr_dirs += is_dir;
	}
	for (; map && key; key = key->parent)
		key->hash.nr_maps++;
}

static void fuzz_check_key(struct etfs_key *key)
{
	check(key->nr_maps == key->hash.nr_maps);
	check(key->nr_dirs == key->hash.nr_dirs);
	check(key->below.nr == key->hash.nr_below);
	check(list_empty(&key->touched));
	check(etfs_life_is_on(&key->life) && !key->life.dead);
	check(key->nr_maps || !key->parent);
}

static void fuzz_check_keys(const struct fuzz_model *model)
{
	struct etfs_table *table = &etfs_host_table;

	fuzz_each_key(fuzz_forget_key);
	check(fuzz_each_key(fuzz_count_key) == table->nr_keys);
	fuzz_each_key(fuzz_check_key);
	check(table->root->nr_maps == model->nr);
	check(table->nr_maps == model->nr);
	check(table->generation == model->generation);
}

/* Rows in order, each found by its key, which is the path of its name. */
static void fuzz_check_rows(const struct fuzz_model *model)
{
	struct etfs_map *map = etfs_table_first(&etfs_host_table);
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < model->nr; i++, map = etfs_map_next(map)) {
		const char *key = model->rows[i].line->op.spec.key;

		check(map && !strcmp(map->spec.key, key));
		check(etfs_table_find(&etfs_host_table, key) == map);
		check(!strcmp(etfs_key_path(map->key, path, PATH_MAX), key));
		check(map->is_bound && !map->claimed_by);
	}
	check(!map);
}

void fuzz_check(const struct fuzz_model *model)
{
	mutex_lock(&etfs_host_table.lock);
	fuzz_check_text(model);
	fuzz_check_rows(model);
	fuzz_check_keys(model);
	mutex_unlock(&etfs_host_table.lock);
}
