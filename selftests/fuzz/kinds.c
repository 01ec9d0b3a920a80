// SPDX-License-Identifier: GPL-2.0
/* What is below the table and beside it: kinds, origins, a mount. */
#include "fuzz.h"
#include "rumpfs.h"

struct etfs_table etfs_host_table;
unsigned int etfs_max_mappings;
long fuzz_live;
unsigned int fuzz_fail;

struct user_namespace init_user_ns;
struct file_system_type rumpfs_fs_type;

static long fuzz_bound, fuzz_shown;

bool fuzz_host_is(const struct etfs_spec *spec, const char *word)
{
	return strstr(spec->host, word);
}

static int fuzz_bind(struct etfs_map *map, struct etfs_reason *why)
{
	const struct etfs_spec *spec = &map->spec;

	check(!etfs_host_table.lock.held);
	if (fuzz_host_is(spec, "/none")) {
		etfs_refuse(why, "no such file");
		return -ENOENT;
	}
	map->is_pinned = spec->type == ETFS_BLK || spec->type == ETFS_CHR ||
			 spec->flags & ETFS_MAP_PIN;
	fuzz_bound++;
	fuzz_shown++;
	return 0;
}

static void fuzz_unbind(struct etfs_map *map)
{
	check(list_empty(&map->node));
	fuzz_bound--;
}

static void fuzz_remove(struct etfs_map *map)
{
	check(!etfs_host_table.lock.held);
	fuzz_shown--;
}

static int fuzz_revoke_wait(struct etfs_map *map)
{
	return fuzz_host_is(&map->spec, "/slow") ? -EINTR : 0;
}

#define FUZZ_KIND(word, bits) \
	const struct etfs_kind etfs_##word##_kind = { \
		.name = #word, .type = bits, .bind = fuzz_bind, \
		.unbind = fuzz_unbind, .remove = fuzz_remove, \
		.revoke = fuzz_remove, .revoke_wait = fuzz_revoke_wait, \
	}

FUZZ_KIND(reg, S_IFREG);
FUZZ_KIND(blk, S_IFBLK);
FUZZ_KIND(chr, S_IFCHR);
FUZZ_KIND(dir, S_IFDIR);
FUZZ_KIND(subdirs, S_IFDIR);

bool etfs_pin_update(struct etfs_map *map, char *buf)
{
	return !fuzz_host_is(&map->spec, "/lost") ||
	       etfs_host_table.generation & 1;
}

void fuzz_check_kinds(void)
{
	check(!fuzz_bound && !fuzz_shown);
}

/* Origins: a count is all there is. */

struct etfs_origin { int users; bool is_in_batch; };

struct etfs_origin *etfs_origin_new(const struct cred *cred)
{
	struct etfs_origin *origin = kzalloc(sizeof(*origin), GFP_KERNEL);

	return origin ? etfs_origin_get(origin) : NULL;
}

struct etfs_origin *etfs_origin_of_init(const struct cred *cred)
{
	return etfs_origin_new(cred);
}

struct etfs_origin *etfs_origin_get(struct etfs_origin *origin)
{
	if (origin)
		origin->users++;
	return origin;
}

void etfs_origin_put(struct etfs_origin *origin)
{
	if (origin && !--origin->users)
		kfree(origin);
}

/* Nobody's root stands on a file system of ours. */
void etfs_origin_begin(struct etfs_origin *origin)
{
	WARN_ON(origin->is_in_batch);
	origin->is_in_batch = true;
}

void etfs_origin_end(struct etfs_origin *origin)
{
	WARN_ON(!origin->is_in_batch);
	origin->is_in_batch = false;
}

const struct super_block *etfs_origin_sb(const struct etfs_origin *origin)
{
	return NULL;
}

/* No disk here has a partition. */
int etfs_parts_enter(struct etfs_batch *batch, struct etfs_map *map,
		     struct etfs_reason *why)
{
	return 0;
}

void etfs_parts_commit(struct etfs_map *map)
{
}

void etfs_parts_renew(struct etfs_table *table, struct etfs_map *map)
{
}

void etfs_gate_free(struct etfs_gate *gate)
{
	check(!gate);
}

/* One mount that shows the host table. */

static struct rumpfs_sb fuzz_sb;

void fuzz_mount(void)
{
	INIT_LIST_HEAD(&fuzz_sb.table_node);
	list_add_tail(&fuzz_sb.table_node, &etfs_host_table.mounts);
}

void fuzz_umount(void)
{
	list_del_init(&fuzz_sb.table_node);
}

bool rumpfs_names_is_mountpoint(struct rumpfs_sb *sbi,
				const struct etfs_map *map)
{
	return false;
}

/* All of the batch is seen, and nothing that it took away. */
void rumpfs_names_sync(struct rumpfs_sb *sbi, struct etfs_batch *batch)
{
	const struct etfs_key *key;
	struct etfs_map *map;

	list_for_each_entry(map, &batch->dead, node)
		check(etfs_key_map(map->key) != map);
	list_for_each_entry(map, &batch->born, born) {
		if (map->life.dead)
			continue;
		check(etfs_key_map(map->key) == map);
		if (fuzz_host_is(&map->spec, "/busy"))
			check(!etfs_map_use(map));
	}
	list_for_each_entry(key, &batch->touched, touched)
		check(!key->parent ||
		      etfs_life_is_on(&key->life) == !!key->nr_maps);
}

void rumpfs_key_forget(struct rumpfs_sb *sbi, const struct etfs_map *map)
{
	check(map->life.dead);
}
