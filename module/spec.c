// SPDX-License-Identifier: GPL-2.0
/* A struct of a program becomes an operation; see uapi/rumpfs.h. */
#include "parse.h"

#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/limits.h>
#include <linux/path.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "uapi/rumpfs.h"

#define RUMPFS_REMOVALS	(RUMPFS_MAP_BUSY | RUMPFS_MAP_REVOKE)

/* What a flag says, and which word of a line says it. */
static const struct etfs_spec_flag {
	u32 uapi;
	enum etfs_word word;
	u32 flag;
} etfs_spec_flags[] = {
	{ RUMPFS_MAP_RO,	WORD_RO,	ETFS_MAP_RO },
	{ RUMPFS_MAP_PIN,	WORD_PIN,	ETFS_MAP_PIN },
	{ RUMPFS_MAP_HIDDEN,	WORD_HIDDEN,	ETFS_MAP_HIDDEN },
	{ RUMPFS_MAP_DIO,	WORD_DIO,	ETFS_MAP_DIO },
	{ RUMPFS_MAP_PART,	WORD_PART,	ETFS_MAP_PART },
	{ RUMPFS_MAP_MODE,	WORD_MODE,	ETFS_MAP_MODE },
	{ RUMPFS_MAP_UID,	WORD_UID,	ETFS_MAP_UID },
	{ RUMPFS_MAP_GID,	WORD_GID,	ETFS_MAP_GID },
};

/* Strings */

/*
 * A string of the program's, kept by the batch. A longer one than max bytes
 * comes as that many and one more, so that the caller sees it. Return: how long
 * it is, or an errno.
 */
static int etfs_spec_string(struct etfs_batch *batch, struct etfs_line *line,
			    u64 from, size_t max, const char *what, char **to)
{
	const char __user *user = u64_to_user_ptr(from);
	long room, len;

	/* And one more for its end. */
	room = min_t(long, (long)etfs_batch_room(batch, to) - 1, max + 1);
	len = room > 0 ? strncpy_from_user(*to, user, room) : room;
	/* Mostly it ends where there is room. */
	if (len < room || room == max + 1)
		goto copied;
	len = strnlen_user(user, max + 1);
	if (!len)
		goto fault;
	/* It may be another by the time it is copied: no more than that. */
	room = min_t(long, len, max + 1);
	*to = etfs_batch_make_room(batch, room + 1);
	if (!*to)
		return etfs_line_refuse(line, 0, -ENOMEM, "out of memory");
	len = strncpy_from_user(*to, user, room);
copied:
	if (len < 0)
		goto fault;
	(*to)[len] = '\0';
	etfs_batch_take_room(batch, len + 1);
	return len;
fault:
	return etfs_line_refuse(line, 0, -EFAULT, "%s cannot be read", what);
}

static int etfs_spec_key(struct etfs_batch *batch, struct etfs_line *line,
			 struct etfs_op *op, u64 from)
{
	struct etfs_field field = { .col = 1 };
	bool is_cut;
	int err;

	if (!from)
		return etfs_line_refuse(line, 0, -EINVAL, "a key is missing");
	err = etfs_spec_string(batch, line, from, ETFS_MAX_KEY, "the key",
			       &field.text);
	if (err < 0)
		return err;
	field.len = err;
	is_cut = field.len > ETFS_MAX_KEY;
	op->spec.key = field.text;
	err = etfs_line_canonical(line, &field);
	if (err || !is_cut || line->late)
		return err;
	/* Whatever it would collapse to: its end was not read. */
	etfs_line_refuse(line, 0, 0, "a key of more than %d bytes",
			 ETFS_MAX_KEY);
	etfs_line_later(line, 0, -ENAMETOOLONG);
	return 0;
}

static int etfs_spec_tag(struct etfs_batch *batch, struct etfs_line *line,
			 struct etfs_op *op, u64 from)
{
	int len;

	if (!from)
		return etfs_line_refuse(line, 0, -EINVAL, "a tag is missing");
	len = etfs_spec_string(batch, line, from, ETFS_MAX_TAG, "the tag",
			       &op->spec.tag);
	if (len < 0)
		return len;
	if (len && len <= ETFS_MAX_TAG)
		return 0;
	return etfs_line_refuse(line, 0, -EINVAL, "a tag has 1 to %d bytes",
				ETFS_MAX_TAG);
}

/* The host */

static int etfs_spec_dir(int fd, struct path *path)
{
	struct file *dir;
	int err = -ENOTDIR;

	if (fd == AT_FDCWD) {
		get_fs_pwd(current->fs, path);
		return 0;
	}
	dir = fget_raw(fd);
	if (!dir)
		return -EBADF;
	if (S_ISDIR(file_inode(dir)->i_mode)) {
		*path = dir->f_path;
		path_get(path);
		err = 0;
	}
	fput(dir);
	return err;
}

/* What the caller would call it, at the end of buf. */
static char *etfs_spec_path(const struct path *path, char *buf, size_t size)
{
	struct path root;
	bool is_below;

	get_fs_root(current->fs, &root);
	is_below = path_is_under(path, &root) && !d_unlinked(path->dentry);
	path_put(&root);
	return is_below ? d_path(path, buf, size) : ERR_PTR(-ENOENT);
}

/*
 * A relative path becomes what its directory is called now, and that path. Return:
 * how long it is, or an errno.
 */
static int etfs_spec_relative(struct etfs_batch *batch, struct etfs_line *line,
			      struct etfs_op *op, int fd)
{
	const char *rel = op->spec.host;
	struct path dir;
	char *name;
	int err;

	err = etfs_spec_dir(fd, &dir);
	if (err)
		return etfs_line_refuse(line, 0, err,
					"a relative host path begins at a directory");
	name = etfs_spec_path(&dir, batch->path, PATH_MAX);
	path_put(&dir);
	if (IS_ERR(name))
		return etfs_line_refuse(line, 0, PTR_ERR(name),
					"the directory has no path from here");
	op->spec.host = etfs_batch_alloc(batch, strlen(name) + strlen(rel) + 2);
	if (!op->spec.host)
		return etfs_line_refuse(line, 0, -ENOMEM, "out of memory");
	return sprintf(op->spec.host, "%s/%s", strcmp(name, "/") ? name : "",
		       rel);
}

/* The file itself, told by the name it has. */
static int etfs_spec_given(struct etfs_batch *batch, struct etfs_line *line,
			   struct etfs_op *op, int fd)
{
	if (fd < 0)
		return etfs_line_refuse(line, 0, fd == -1 ? -EINVAL : -EBADF,
					"neither a host path nor an open file");
	op->given = fget_raw(fd);
	if (!op->given)
		return etfs_line_refuse(line, 0, -EBADF, "no file is open at %d",
					fd);
	op->spec.host = etfs_batch_alloc(batch, 1);
	if (!op->spec.host)
		return etfs_line_refuse(line, 0, -ENOMEM, "out of memory");
	op->spec.host[0] = '\0';
	return 0;
}

static int etfs_spec_host(struct etfs_batch *batch, struct etfs_line *line,
			  struct etfs_op *op, const struct rumpfs_op *from)
{
	int len;

	if (!from->host)
		return etfs_spec_given(batch, line, op, from->host_fd);
	len = etfs_spec_string(batch, line, from->host, PATH_MAX - 1,
			       "the host path", &op->spec.host);
	if (!len)
		return etfs_line_refuse(line, 0, -ENOENT,
					"the host path is empty");
	if (len > 0 && op->spec.host[0] != '/')
		len = etfs_spec_relative(batch, line, op, from->host_fd);
	if (len < PATH_MAX)
		return min(len, 0);
	return etfs_line_refuse(line, 0, -ENAMETOOLONG,
				"a host path of more than %d bytes",
				PATH_MAX - 1);
}

/* Numbers */

static int etfs_spec_numbers(struct etfs_line *line, struct etfs_op *op,
			     const struct rumpfs_op *from, u32 *words)
{
	struct etfs_spec *spec = &op->spec;
	bool is_dir = spec->type == ETFS_DIR || spec->type == ETFS_SUBDIRS;

	if (from->mode > 07777 || (from->mode && !(spec->flags & ETFS_MAP_MODE)))
		return etfs_line_refuse(line, 0, -EINVAL,
					"a mode is at most 7777, octal, and has a flag");
	if ((from->uid && !(spec->flags & ETFS_MAP_UID)) ||
	    (from->gid && !(spec->flags & ETFS_MAP_GID)) ||
	    from->uid == U32_MAX || from->gid == U32_MAX)
		return etfs_line_refuse(line, 0, -EINVAL,
					"an id is below 4294967295 and has a flag");
	if (from->bs && (from->bs < 512 || from->bs > 4096 ||
			 (from->bs & (from->bs - 1))))
		return etfs_line_refuse(line, 0, -EINVAL,
					"bs is 512, 1024, 2048 or 4096");
	if (from->offset > S64_MAX ||
	    (from->size > S64_MAX && from->size != RUMPFS_SIZE_HOST))
		return etfs_line_refuse(line, 0, -EINVAL,
					"a window is bytes below 2^63");
	if (from->fail > ETFS_MAX_FAIL || from->fail_seed > U32_MAX ||
	    (from->fail_seed && !from->fail))
		return etfs_line_refuse(line, 0, -EINVAL,
					"fail is at most 10000, with a seed below 4294967296");
	spec->mode = from->mode;
	spec->uid = from->uid;
	spec->gid = from->gid;
	spec->bs = from->bs;
	spec->win.offset = from->offset;
	if (from->size != RUMPFS_SIZE_HOST && (from->size || !is_dir)) {
		spec->win.size = from->size;
		*words |= BIT(WORD_SIZE);
	}
	if (from->bs) {
		spec->flags |= ETFS_MAP_BS;
		*words |= BIT(WORD_BS);
	}
	if (from->offset)
		*words |= BIT(WORD_OFFSET);
	if (from->fail) {
		spec->fail = from->fail;
		spec->fail_seed = from->fail_seed;
		spec->flags |= ETFS_MAP_FAIL;
		*words |= BIT(WORD_FAIL);
	}
	return 0;
}

/* Returns the errno of what only counts if nothing else is wrong, too. */
static int etfs_spec_words(struct etfs_line *line, struct etfs_op *op,
			   const struct rumpfs_op *from)
{
	const struct etfs_spec_flag *flag = etfs_spec_flags;
	u32 left = from->flags, words = 0;
	int err;

	for (; left && flag < etfs_spec_flags + ARRAY_SIZE(etfs_spec_flags);
	     flag++) {
		if (!(left & flag->uapi))
			continue;
		left &= ~flag->uapi;
		words |= BIT(flag->word);
		op->spec.flags |= flag->flag;
	}
	if (left)
		return etfs_line_refuse(line, 0, -EINVAL,
					"flags %#x are not for this operation",
					left);
	err = etfs_spec_numbers(line, op, from, &words);
	return err ?: etfs_words_may(words, op->spec.type, line->why);
}

/* Operations */

static int etfs_spec_mapping(struct etfs_batch *batch, struct etfs_line *line,
			     struct etfs_op *op, const struct rumpfs_op *from)
{
	int err;

	if (from->type < RUMPFS_TYPE_REG || from->type > RUMPFS_TYPE_SUBDIRS)
		return etfs_line_refuse(line, 0, -EINVAL, "there is no type %u",
					from->type);
	err = etfs_spec_words(line, op, from);
	if (err == -EISDIR) {
		etfs_line_later(line, 1, err);
		err = 0;
	}
	if (!err && from->tag)
		err = etfs_spec_tag(batch, line, op, from->tag);
	return err ?: etfs_spec_host(batch, line, op, from);
}

/* All but what names the mappings is as if it were not there. */
static int etfs_spec_removal(struct etfs_batch *batch, struct etfs_line *line,
			     struct etfs_op *op, const struct rumpfs_op *from)
{
	struct rumpfs_op rest = *from;

	rest.op = 0;
	rest.flags &= ~RUMPFS_REMOVALS;
	if (rest.host_fd == -1)
		rest.host_fd = 0;
	if (rest.size == RUMPFS_SIZE_HOST)
		rest.size = 0;
	if (op->verb == ETFS_REMOVE)
		rest.key = 0;
	if (op->verb == ETFS_REMOVE_TAG)
		rest.tag = 0;
	if (memchr_inv(&rest, 0, sizeof(rest)))
		return etfs_line_refuse(line, 0, -EINVAL,
					"a removal takes a key or a tag and how to remove, nothing else");
	if ((from->flags & RUMPFS_REMOVALS) == RUMPFS_REMOVALS)
		return etfs_line_refuse(line, 0, -EINVAL,
					"a removal is lazy, busy or revoke");
	if (from->flags & RUMPFS_MAP_BUSY)
		op->removal = ETFS_BUSY;
	if (from->flags & RUMPFS_MAP_REVOKE)
		op->removal = ETFS_REVOKE;
	if (op->verb == ETFS_REMOVE_TAG)
		return etfs_spec_tag(batch, line, op, from->tag);
	return 0;
}

static int etfs_spec_fill(struct etfs_batch *batch, struct etfs_line *line,
			  struct etfs_op *op, const struct rumpfs_op *from)
{
	static const enum etfs_verb verbs[] = {
		[RUMPFS_OP_ADD] = ETFS_ADD,
		[RUMPFS_OP_SET] = ETFS_SET,
		[RUMPFS_OP_REMOVE] = ETFS_REMOVE,
		[RUMPFS_OP_REMOVE_TAG] = ETFS_REMOVE_TAG,
		[RUMPFS_OP_FLUSH] = ETFS_FLUSH,
	};
	int err = 0;

	if (!from->op || from->op >= ARRAY_SIZE(verbs))
		return etfs_line_refuse(line, 0, -EINVAL,
					"there is no operation %u", from->op);
	if (from->reserved)
		return etfs_line_refuse(line, 0, -EINVAL,
					"what is reserved is 0");
	op->verb = verbs[from->op];
	/* Before it is judged: it may be of a type that is not for everyone. */
	if (from->type >= RUMPFS_TYPE_REG && from->type <= RUMPFS_TYPE_SUBDIRS)
		op->spec.type = from->type - RUMPFS_TYPE_REG + ETFS_REG;
	if (op->verb != ETFS_REMOVE_TAG && op->verb != ETFS_FLUSH)
		err = etfs_spec_key(batch, line, op, from->key);
	if (err)
		return err;
	if (op->verb == ETFS_ADD || op->verb == ETFS_SET)
		return etfs_spec_mapping(batch, line, op, from);
	return etfs_spec_removal(batch, line, op, from);
}

int etfs_op_read(struct etfs_batch *batch, struct etfs_op *op,
		 const struct rumpfs_op *from)
{
	struct etfs_line line;

	etfs_line_begin(&line, NULL, 0, op, &batch->why);
	return etfs_line_done(&line, etfs_spec_fill(batch, &line, op, from));
}

int etfs_spec_read_key(struct etfs_batch *batch, u64 from, const char **key)
{
	struct etfs_line line;
	struct etfs_op op;
	int err;

	etfs_line_begin(&line, NULL, 0, &op, &batch->why);
	err = etfs_line_done(&line, etfs_spec_key(batch, &line, &op, from));
	*key = op.spec.key;
	return err;
}
