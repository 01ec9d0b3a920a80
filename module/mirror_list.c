// SPDX-License-Identifier: GPL-2.0
/*
 * A host directory's listing, and the keys in it.
 *
 * Each open directory has the host's open, whose positions are its own; the
 * table's names come behind all that a host can have, each once and in place
 * of the host's. A look at the host must not be taken while it lists, as that
 * holds the host directory's lock: entries are collected, then told.
 */
#include "mirror.h"

#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/path.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>

/* Where the names of the table are listed. */
#define ETFS_KEYS_POS	(S64_MAX - S32_MAX)

/* An open directory. Owned by its struct file. */
struct etfs_open_dir {
	/* I: NULL if the directory exists for the keys below it alone */
	struct file *host;
	/* I: of the host directory */
	u32 dev;
};

static struct etfs_open_dir *etfs_open_dir_new(struct file *file)
{
	struct inode *inode = file_inode(file);
	struct rumpfs_mirrored *mirrored = RUMPFS_MIRRORED(inode);
	struct rumpfs_node *node = RUMPFS_NODE(inode);
	struct etfs_open_dir *open;
	struct kstat stat = { };
	struct etfs_rel rel;
	int err;

	open = kzalloc(sizeof(*open), GFP_KERNEL_ACCOUNT);
	if (!open)
		return ERR_PTR(-ENOMEM);
	if (node->is_mirrored && !mirrored->host.dev)
		return open;
	err = etfs_mirror_path(NULL, file->f_path.dentry, &rel);
	open->host = err ? ERR_PTR(err) :
		     etfs_host_open_below(rumpfs_map(inode), rel.path,
					  O_RDONLY | O_DIRECTORY,
					  node->is_mirrored ?
					  &mirrored->host : NULL,
					  etfs_mirror_is_sought(inode) ?
					  MAY_READ : 0, &stat);
	etfs_rel_put(&rel);
	open->dev = stat.dev;
	if (IS_ERR(open->host)) {
		struct file *host = open->host;

		if (host == ERR_PTR(-ESTALE) && node->is_mirrored)
			etfs_mirror_set_swift(file->f_path.dentry);
		kfree(open);
		return ERR_CAST(host);
	}
	return open;
}

static int etfs_mirror_dir_open(struct inode *inode, struct file *file)
{
	struct etfs_map *map = rumpfs_map(inode);
	struct etfs_open_dir *open;
	int err;

	err = etfs_gate_make(map) ?: etfs_map_use(map);
	if (err)
		return err;
	open = etfs_open_dir_new(file);
	if (IS_ERR(open)) {
		etfs_map_unuse(map);
		return PTR_ERR(open);
	}
	file->private_data = open;
	return 0;
}

static int etfs_mirror_dir_release(struct inode *inode, struct file *file)
{
	struct etfs_open_dir *open = file->private_data;

	if (open->host)
		fput(open->host);
	kfree(open);
	etfs_map_unuse(rumpfs_map(inode));
	return 0;
}

/* Collecting */

/* One entry of the host's, as it told it. */
struct etfs_entry {
	u64 ino;
	loff_t pos;
	unsigned int type;
	u32 len;
	char name[];
};

/* A page of them. */
struct etfs_entries {
	struct dir_context ctx;
	size_t used;
	bool is_full;
	char *buf;
};

static size_t etfs_entry_size(u32 len)
{
	return ALIGN(sizeof(struct etfs_entry) + len + 1, sizeof(u64));
}

/* Context: i_rwsem of the host directory held. */
static bool etfs_entries_add(struct dir_context *ctx, const char *name, int len,
			     loff_t pos, u64 ino, unsigned int type)
{
	struct etfs_entries *entries = container_of(ctx, struct etfs_entries,
						    ctx);
	size_t size = etfs_entry_size(len);
	struct etfs_entry *entry;

	if (size > PAGE_SIZE - entries->used) {
		entries->is_full = true;
		return false;
	}
	entry = (void *)(entries->buf + entries->used);
	entry->ino = ino;
	entry->pos = pos;
	entry->type = type;
	entry->len = len;
	memcpy(entry->name, name, len);
	entry->name[len] = '\0';
	entries->used += size;
	return true;
}

static int etfs_entries_collect(struct etfs_entries *entries, struct file *host,
				loff_t pos)
{
	loff_t at;

	entries->used = 0;
	entries->is_full = false;
	if (host->f_pos != pos) {
		at = vfs_llseek(host, pos, SEEK_SET);
		if (at < 0)
			return at;
	}
	at = iterate_dir(host, &entries->ctx);
	/* Nothing is in a directory that was removed. */
	return at == -ENOENT && IS_DEADDIR(file_inode(host)) ? 0 : at;
}

/* Telling */

static bool etfs_entry_is_dots(const struct etfs_entry *entry)
{
	return entry->name[0] == '.' &&
	       (entry->len == 1 || (entry->len == 2 && entry->name[1] == '.'));
}

/* What a symbolic link leads to. Return: false if it is not to be seen. */
static bool etfs_entry_resolve(struct file *file, struct etfs_entry *entry,
			       struct etfs_host_id *id)
{
	struct etfs_map *map = rumpfs_map(file_inode(file));
	struct etfs_rel rel;
	struct kstat stat;
	struct path path;
	char *name = NULL;
	int err;

	err = etfs_mirror_path(NULL, file->f_path.dentry, &rel);
	if (!err)
		name = kasprintf(GFP_KERNEL, "%s%s%s", rel.path,
				 *rel.path ? "/" : "", entry->name);
	etfs_rel_put(&rel);
	err = name ? etfs_host_find_below(map, name, ETFS_ASK_LINK, NULL, &path,
					  &stat) : -ENOMEM;
	kfree(name);
	if (err)
		return false;
	*id = etfs_host_id(&path, &stat);
	path_put(&path);
	entry->type = fs_umode_to_dtype(stat.mode);
	return true;
}

/* Return: 0 for an entry that is not told, 1, or an errno. */
static int etfs_entry_is_listed(struct file *file, struct etfs_entry *entry,
				struct etfs_host_id *id)
{
	struct inode *dir = file_inode(file);
	struct etfs_map *map;
	int err;
	u64 ino;

	err = rumpfs_names_key(dir, entry->name, entry->len, &map, &ino);
	if (err)
		return err;
	if (map)
		etfs_map_put(map);
	/* It is listed with the table, or hidden there. */
	if (map || ino)
		return 0;
	if ((entry->type == DT_LNK || entry->type == DT_UNKNOWN) &&
	    !etfs_entry_resolve(file, entry, id))
		return 0;
	return (entry->type == DT_REG && etfs_mirror_shows(dir, S_IFREG)) ||
	       (entry->type == DT_DIR && etfs_mirror_shows(dir, S_IFDIR));
}

/* Return: 1 if the reader's buffer took it or need not, 0, or an errno. */
static int etfs_entry_emit(struct file *file, struct dir_context *ctx,
			   struct etfs_entry *entry)
{
	struct etfs_open_dir *open = file->private_data;
	struct etfs_host_id id = { .ino = entry->ino, .dev = open->dev };
	int ret;

	ctx->pos = entry->pos;
	if (etfs_entry_is_dots(entry)) {
		return entry->len == 1 ? dir_emit_dot(file, ctx) :
					 dir_emit_dotdot(file, ctx);
	}
	ret = etfs_entry_is_listed(file, entry, &id);
	if (ret <= 0)
		return ret ?: 1;
	return dir_emit(ctx, entry->name, entry->len, etfs_mirror_ino(&id),
			entry->type);
}

/* Return: 1 at the end of the host's entries, 0 if the reader is full. */
static int etfs_list_host(struct file *file, struct dir_context *ctx,
			  struct etfs_entries *entries)
{
	struct etfs_open_dir *open = file->private_data;
	size_t at;
	int ret;

	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = etfs_entries_collect(entries, open->host, ctx->pos);
		if (ret)
			return ret;
		for (at = 0; at < entries->used;) {
			struct etfs_entry *entry = (void *)(entries->buf + at);

			ret = etfs_entry_emit(file, ctx, entry);
			if (ret <= 0)
				return ret;
			at += etfs_entry_size(entry->len);
		}
		/* Where the host goes on. */
		ctx->pos = open->host->f_pos;
		cond_resched();
	} while (entries->used);
	return entries->is_full ? -EIO : 1;
}

/* A directory that keys imply has the number of the host's, if there is one. */
static u64 etfs_listed_ino(struct file *file, const struct rumpfs_listed *listed)
{
	struct etfs_host_id id;
	struct etfs_entry *entry;
	u64 ino = listed->ino;

	if (!listed->is_implied ||
	    !etfs_mirror_shows(file_inode(file), S_IFDIR))
		return ino;
	entry = kzalloc(etfs_entry_size(listed->len), GFP_KERNEL);
	if (!entry)
		return ino;
	memcpy(entry->name, listed->name, listed->len);
	if (etfs_entry_resolve(file, entry, &id) && entry->type == DT_DIR)
		ino = etfs_mirror_ino(&id);
	kfree(entry);
	return ino;
}

static int etfs_list_keys(struct file *file, struct dir_context *ctx)
{
	unsigned long cookie = ctx->pos - ETFS_KEYS_POS;
	struct rumpfs_listed *listed;
	int ret;

	listed = kmalloc(sizeof(*listed), GFP_KERNEL);
	if (!listed)
		return -ENOMEM;
	while ((ret = rumpfs_list_key(file_inode(file), &cookie, listed)) > 0) {
		ctx->pos = ETFS_KEYS_POS + cookie;
		if (!dir_emit(ctx, listed->name, listed->len,
			      etfs_listed_ino(file, listed),
			      fs_umode_to_dtype(listed->type))) {
			ret = 0;
			break;
		}
		cookie++;
		ctx->pos = ETFS_KEYS_POS + cookie;
	}
	kfree(listed);
	return ret;
}

static int etfs_mirror_list(struct file *file, struct dir_context *ctx)
{
	struct etfs_open_dir *open = file->private_data;
	struct etfs_entries entries = { .ctx.actor = etfs_entries_add };
	int ret = 1;

	if (ctx->pos >= ETFS_KEYS_POS)
		return etfs_list_keys(file, ctx);
	if (open->host) {
		entries.buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
		if (!entries.buf)
			return -ENOMEM;
		ret = etfs_list_host(file, ctx, &entries);
		kfree(entries.buf);
	} else if (!dir_emit_dots(file, ctx)) {
		return 0;
	}
	if (ret <= 0)
		return ret;
	ctx->pos = ETFS_KEYS_POS;
	return etfs_list_keys(file, ctx);
}

static int etfs_mirror_iterate(struct file *file, struct dir_context *ctx)
{
	struct etfs_map *map = rumpfs_map(file_inode(file));
	int ret = -EIO;

	if (!etfs_map_enter(map))
		return ret;
	ret = etfs_mirror_list(file, ctx);
	etfs_map_leave(map);
	return ret;
}

/* Any position is the host's to judge, when it is next listed from there. */
static loff_t etfs_mirror_dir_llseek(struct file *file, loff_t pos, int whence)
{
	if (whence == SEEK_CUR)
		pos += file->f_pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	return vfs_setpos(file, pos, S64_MAX);
}

static int etfs_mirror_dir_fsync(struct file *file, loff_t start, loff_t end,
				 int datasync)
{
	struct etfs_map *map = rumpfs_map(file_inode(file));
	struct etfs_open_dir *open = file->private_data;
	int ret = 0;

	if (!etfs_map_enter(map))
		return -EIO;
	if (open->host)
		ret = vfs_fsync(open->host, datasync);
	etfs_map_leave(map);
	return ret;
}

const struct file_operations etfs_mirror_dir_operations = {
	.open		= etfs_mirror_dir_open,
	.release	= etfs_mirror_dir_release,
	.llseek		= etfs_mirror_dir_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= etfs_mirror_iterate,
	.fsync		= etfs_mirror_dir_fsync,
	.unlocked_ioctl	= rumpfs_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	/* What changes on the host would break none. */
	.setlease	= no_setlease,
};
