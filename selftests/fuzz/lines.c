// SPDX-License-Identifier: GPL-2.0
/* A line alone: what it is read as, and that this is what it is printed as. */
#include "fuzz.h"

typedef int (*fuzz_parser)(char *text, size_t len, struct etfs_op *op,
			   struct etfs_reason *why);

/* A spec of a boot table ends where its text does. */
static int fuzz_parse_entry(char *text, size_t len, struct etfs_op *op,
			    struct etfs_reason *why)
{
	text[len] = '\0';
	return fuzz_parse_spec(text, op, why);
}

static bool fuzz_strings_are_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void fuzz_check_same(const struct etfs_op *a, const struct etfs_op *b)
{
	const struct etfs_spec *s = &a->spec, *t = &b->spec;

	check(fuzz_strings_are_same(s->key, t->key));
	check(fuzz_strings_are_same(s->host, t->host));
	check(fuzz_strings_are_same(s->tag, t->tag));
	check(s->type == t->type && s->mode == t->mode);
	/* bs=512 is the default, and not printed. */
	check((s->flags & ~ETFS_MAP_BS) == (t->flags & ~ETFS_MAP_BS));
	check((s->bs ?: 512) == (t->bs ?: 512));
	check(s->win.offset == t->win.offset && s->win.size == t->win.size);
	check(s->uid == t->uid && s->gid == t->gid);
}

static void fuzz_check_range(const struct etfs_spec *spec)
{
	const char *at;

	check(spec->key[0] == '/' && spec->key[1]);
	check(strlen(spec->key) <= ETFS_MAX_KEY);
	check(!strstr(spec->key, "//"));
	check(spec->key[strlen(spec->key) - 1] != '/');
	for (at = spec->key; at; at = strchr(at, '/')) {
		size_t len = strcspn(++at, "/");

		check(len && len <= NAME_MAX);
		check(!(len == 1 && at[0] == '.'));
		check(!(len == 2 && at[0] == '.' && at[1] == '.'));
	}
	if (!spec->host)
		return;
	check(spec->host[0] == '/');
	check(!spec->tag || (*spec->tag && strlen(spec->tag) <= ETFS_MAX_TAG));
	check(spec->win.offset <= S64_MAX);
	check(spec->win.size <= S64_MAX || spec->win.size == ETFS_SIZE_HOST);
	check(spec->mode <= 07777);
	check(spec->uid < U32_MAX && spec->gid < U32_MAX);
}

/* What is taken has no backslash but for a byte, \001 to \377. */
static void fuzz_check_escapes(const char *text, size_t len)
{
	const char *at = text, *end = text + len;

	while ((at = memchr(at, '\\', end - at))) {
		check(end - at > 3);
		check(at[1] >= '0' && at[1] <= '3' && at[2] >= '0' &&
		      at[2] <= '7' && at[3] >= '0' && at[3] <= '7');
		check(memcmp(at, "\\000", 4));
		at += 4;
	}
}

/* A copy that ends where the line does, but for the byte it may overwrite. */
static char *fuzz_copy(const char *text, size_t len, char after)
{
	char *copy = fuzz_keep(len + 1);

	memcpy(copy, text, len);
	copy[len] = after;
	return copy;
}

/* What is printed is read as the same, and printed as the same. */
static void fuzz_check_row(const struct fuzz_op *line)
{
	struct etfs_reason why = { };
	struct etfs_op op;
	size_t len;
	char *row;

	row = fuzz_copy(line->row, line->row_len - 1, '\n');
	check(!etfs_text_parse(row, line->row_len - 1, &op, &why));
	check(op.verb == ETFS_ADD);
	fuzz_check_same(&line->op, &op);
	row = fuzz_keep(line->row_len + 1);
	len = etfs_text_print(row, line->row_len + 1, &op.spec, false);
	check(len == line->row_len && !strcmp(row, line->row));
	/* And as a comment once the host file is lost. */
	len = etfs_text_row_len(&op.spec);
	check(len >= line->row_len - 1 && len <= ETFS_MAX_LINE);
}

static void fuzz_print(struct fuzz_op *line)
{
	const struct etfs_spec *spec = &line->op.spec;
	size_t len = etfs_text_print(NULL, 0, spec, false), size, i;
	char *row;

	line->row_len = len;
	line->row = fuzz_keep(len + 1);
	check(etfs_text_print(line->row, len + 1, spec, false) == len);
	check(strlen(line->row) == len && line->row[len - 1] == '\n');
	for (i = 0; i < len - 1; i++)
		check((u8)line->row[i] >= ' ' && line->row[i] != 0x7f);
	/* Cut short it is the same as far as it goes. */
	size = 1 + fuzz_random(len);
	row = fuzz_keep(size);
	check(etfs_text_print(row, size, spec, false) == len);
	check(strlen(row) == size - 1 && !memcmp(row, line->row, size - 1));
}

static struct fuzz_op *fuzz_ops_add(struct fuzz_ops *ops,
				    const struct etfs_op *op)
{
	struct fuzz_op *more;

	if (ops->nr == ops->max) {
		ops->max = ops->max ? ops->max * 2 : 8;
		more = fuzz_keep(ops->max * sizeof(*more));
		if (ops->nr)
			memcpy(more, ops->ops, ops->nr * sizeof(*more));
		ops->ops = more;
	}
	ops->ops[ops->nr] = (struct fuzz_op) { .op = *op };
	return &ops->ops[ops->nr++];
}

static void fuzz_check_refusal(const struct etfs_reason *why, int err,
			       size_t len)
{
	check(err == -EINVAL || err == -E2BIG || err == -EISDIR ||
	      err == -ENAMETOOLONG);
	check(why->col >= 1 && why->col <= len + 1);
	check(why->text[0] && strlen(why->text) < sizeof(why->text));
	check(strlen(why->key) < sizeof(why->key));
}

/* Read it twice, with other bytes behind it and in what is filled. */
static int fuzz_read(struct fuzz_ops *ops, fuzz_parser parse, const char *text,
		     size_t len, u32 nr)
{
	struct etfs_reason why, again;
	struct etfs_op op, other;
	struct fuzz_op *line;
	int err;

	memset(&why, 0x5a, sizeof(why));
	memset(&again, 0xa5, sizeof(again));
	memset(&op, 0x5a, sizeof(op));
	memset(&other, 0xa5, sizeof(other));
	why.line = nr;
	again.line = nr;
	err = parse(fuzz_copy(text, len, '\n'), len, &op, &why);
	check(parse(fuzz_copy(text, len, '7'), len, &other, &again) == err);
	check(op.verb == other.verb && op.removal == other.removal);
	if (err) {
		fuzz_check_refusal(&why, err, len);
		check(why.col == again.col && why.line == nr);
		check(!strcmp(why.text, again.text));
		check(!strcmp(why.key, again.key));
		ops->err = err;
		ops->why = why;
		return err;
	}
	check(op.line == nr && op.key_col == other.key_col);
	fuzz_check_same(&op, &other);
	if (op.verb == ETFS_NOTHING)
		return 0;
	fuzz_check_escapes(text, len);
	if (op.spec.key)
		fuzz_check_range(&op.spec);
	line = fuzz_ops_add(ops, &op);
	if (op.verb == ETFS_ADD || op.verb == ETFS_SET) {
		fuzz_print(line);
		fuzz_check_row(line);
	}
	return 0;
}

void fuzz_read_lines(struct fuzz_ops *ops, const char *text, size_t len)
{
	const char *end = text + len, *next;
	u32 nr = 1;

	for (; text < end && !ops->err; text = next + 1, nr++) {
		next = memchr(text, '\n', end - text) ?: end;
		fuzz_read(ops, etfs_text_parse, text, next - text, nr);
	}
}

int fuzz_read_spec(struct fuzz_ops *ops, const char *text, size_t len)
{
	return fuzz_read(ops, fuzz_parse_entry, text, len, 1);
}
