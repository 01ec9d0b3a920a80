// SPDX-License-Identifier: GPL-2.0
/* The table as a sorted list, and the rules of its contract read slowly. */
#include "fuzz.h"

static const struct etfs_spec *fuzz_spec(const struct fuzz_row *row)
{
	return &row->line->op.spec;
}

static bool fuzz_is_leaf(const struct etfs_spec *spec)
{
	return spec->type != ETFS_DIR && spec->type != ETFS_SUBDIRS;
}

static bool fuzz_is_pinned(const struct etfs_spec *spec)
{
	return spec->type == ETFS_BLK || spec->type == ETFS_CHR ||
	       spec->flags & ETFS_MAP_PIN;
}

/* Of two keys: which comes first, and does it hold the other? */
static int fuzz_compare(const char *a, const char *b, bool *is_above)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	*is_above = (!*a && *b == '/') || (!*b && *a == '/');
	return (u8)*a - (u8)*b;
}

/* A batch in the making: a copy of the rows. */
struct fuzz_batch {
	const struct fuzz_ops *ops;
	struct fuzz_row *rows;
	size_t nr;
	u32 max_mappings;
	bool changes, is_slow;
};

/* Nobody has what this very batch adds. */
static bool fuzz_is_busy(const struct fuzz_batch *batch,
			 const struct fuzz_row *row)
{
	bool is_new = row->line >= batch->ops->ops &&
		      row->line < batch->ops->ops + batch->ops->nr;

	return !is_new && fuzz_host_is(fuzz_spec(row), "/busy");
}

static int fuzz_add(struct fuzz_batch *batch, const struct fuzz_op *line)
{
	const struct etfs_spec *spec = &line->op.spec;
	bool has_above = false, has_below = false, is_taken = false;
	size_t i, at = 0;

	for (i = 0; i < batch->nr; i++) {
		const struct etfs_spec *other = fuzz_spec(&batch->rows[i]);
		bool is_above;
		int order = fuzz_compare(other->key, spec->key, &is_above);

		at += order < 0;
		is_taken |= !order;
		has_above |= is_above && order < 0 && fuzz_is_leaf(other);
		has_below |= is_above && order > 0;
	}
	if (is_taken && line->op.verb == ETFS_ADD)
		return -EEXIST;
	if (has_above)
		return -ENOTDIR;
	if (has_below && fuzz_is_leaf(spec))
		return -ENOTEMPTY;
	if (!is_taken && batch->nr >= batch->max_mappings)
		return -E2BIG;
	if (!is_taken) {
		memmove(&batch->rows[at + 1], &batch->rows[at],
			(batch->nr - at) * sizeof(*batch->rows));
		batch->nr++;
	}
	batch->rows[at] = (struct fuzz_row) { .line = line };
	batch->changes = true;
	return 0;
}

static bool fuzz_is_meant(const struct etfs_op *op,
			  const struct etfs_spec *spec)
{
	switch (op->verb) {
	case ETFS_REMOVE:
		return !strcmp(spec->key, op->spec.key);
	case ETFS_REMOVE_TAG:
		return spec->tag && !strcmp(spec->tag, op->spec.tag);
	default:
		return true;
	}
}

static int fuzz_remove(struct fuzz_batch *batch, const struct etfs_op *op)
{
	size_t i, left = 0;

	for (i = 0; i < batch->nr; i++) {
		const struct etfs_spec *spec = fuzz_spec(&batch->rows[i]);

		if (!fuzz_is_meant(op, spec)) {
			batch->rows[left++] = batch->rows[i];
			continue;
		}
		if (op->removal == ETFS_BUSY &&
		    fuzz_is_busy(batch, &batch->rows[i]))
			return -EBUSY;
		if (op->removal == ETFS_REVOKE && fuzz_host_is(spec, "/slow"))
			batch->is_slow = true;
		batch->changes = true;
	}
	if (left == batch->nr && op->verb != ETFS_FLUSH)
		return -ENOENT;
	batch->nr = left;
	return 0;
}

/* Of one line the table speaks first, then the host. */
static int fuzz_enter(struct fuzz_batch *batch, struct fuzz_model *model,
		      const struct fuzz_op *line)
{
	const struct etfs_op *op = &line->op;
	bool adds = op->verb == ETFS_ADD || op->verb == ETFS_SET;
	int err;

	model->is_host_to_blame = false;
	err = adds ? fuzz_add(batch, line) : fuzz_remove(batch, op);
	if (err || !adds || !fuzz_host_is(&op->spec, "/none"))
		return err;
	model->is_host_to_blame = true;
	return -ENOENT;
}

int fuzz_model_apply(struct fuzz_model *model, const struct fuzz_ops *ops)
{
	struct fuzz_batch batch = {
		.ops = ops, .nr = model->nr, .max_mappings = model->max_mappings,
	};
	size_t i;
	u32 nr;

	batch.rows = fuzz_keep((model->nr + ops->nr) * sizeof(*batch.rows));
	if (model->nr)
		memcpy(batch.rows, model->rows,
		       model->nr * sizeof(*batch.rows));
	for (nr = 0; nr < ops->nr; nr++) {
		model->blamed = &ops->ops[nr];
		model->err = fuzz_enter(&batch, model, model->blamed);
		if (model->err)
			return model->err;
	}
	model->blamed = NULL;
	model->err = ops->err;
	if (model->err)
		return model->err;
	if (!batch.changes)
		return 0;
	for (i = 0; i < batch.nr; i++) {
		const struct etfs_spec *spec = fuzz_spec(&batch.rows[i]);

		batch.rows[i].is_unrestorable = fuzz_is_pinned(spec) &&
			fuzz_host_is(spec, "/lost") && !(model->generation & 1);
	}
	model->rows = batch.rows;
	model->nr = batch.nr;
	model->generation++;
	return batch.is_slow ? -EINTR : 0;
}
