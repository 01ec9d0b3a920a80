// SPDX-License-Identifier: GPL-2.0
/*
 * The grammar: text to operations.
 *
 * A line is taken apart where it stands: fields are unescaped in place, which
 * only ever shortens them, and the strings of an operation point into the
 * line. Nothing here knows of inodes or files.
 */
#include "parse.h"

#include <linux/errno.h>
#include <linux/stdarg.h>
#include <linux/string.h>

static bool etfs_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

u32 etfs_line_col(const struct etfs_line *line, const char *at)
{
	return at - line->start + 1;
}

int etfs_line_refuse(struct etfs_line *line, u32 col, int err,
		     const char *fmt, ...)
{
	va_list args;

	line->why->col = col;
	va_start(args, fmt);
	vsnprintf(line->why->text, sizeof(line->why->text), fmt, args);
	va_end(args);
	return err;
}

/* Of names too long the first counts, and only if all else is right. */
static void etfs_line_too_long(struct etfs_line *line, u32 col,
			       const char *what, size_t len, size_t max)
{
	if (line->late)
		return;
	line->late = -ENAMETOOLONG;
	line->late_col = col;
	snprintf(line->late_text, sizeof(line->late_text),
		 "%s of %zu bytes, at most %zu", what, len, max);
}

void etfs_line_later(struct etfs_line *line, u32 col, int err)
{
	if (line->late && line->late != -ENAMETOOLONG)
		return;
	line->late = err;
	line->late_col = col;
	memcpy(line->late_text, line->why->text, sizeof(line->late_text));
}

static bool etfs_line_field(struct etfs_line *line, struct etfs_field *field)
{
	while (line->at < line->end && etfs_is_blank(*line->at))
		line->at++;
	field->text = line->at;
	field->col = etfs_line_col(line, line->at);
	while (line->at < line->end && !etfs_is_blank(*line->at))
		line->at++;
	field->len = line->at - field->text;
	return field->len;
}

static int etfs_octal(const char *s, size_t len)
{
	int i, value = 0;

	if (len < 3)
		return -1;
	for (i = 0; i < 3; i++) {
		if (s[i] < '0' || s[i] > '7')
			return -1;
		value = value * 8 + s[i] - '0';
	}
	return value;
}

/*
 * A field's own NUL overwrites the blank behind it, which line->at has already
 * passed or the caller will not look at again.
 */
int etfs_line_unescape(struct etfs_line *line, struct etfs_field *field)
{
	size_t from, to = 0;

	for (from = 0; from < field->len; from++, to++) {
		int byte;

		if (field->text[from] != '\\') {
			field->text[to] = field->text[from];
			continue;
		}
		byte = etfs_octal(field->text + from + 1,
				  field->len - from - 1);
		if (byte < 0 || byte > 255)
			return etfs_line_refuse(line, field->col + from,
						-EINVAL,
						"a backslash begins three octal digits, \\000 to \\377");
		if (!byte)
			return etfs_line_refuse(line, field->col + from,
						-EINVAL,
						"no name holds the byte \\000");
		field->text[to] = byte;
		from += 3;
	}
	field->text[to] = '\0';
	field->len = to;
	return 0;
}

bool etfs_field_is(const struct etfs_field *field, const char *word)
{
	return field->len == strlen(word) &&
	       !memcmp(field->text, word, field->len);
}

static void etfs_line_name_key(struct etfs_line *line)
{
	if (line->key)
		etfs_refuse_key(line->why, line->key);
	line->key = NULL;
}

/* Collapse slashes, drop a trailing one, refuse what is no key. */
int etfs_line_canonical(struct etfs_line *line, struct etfs_field *field)
{
	char *from = field->text, *to = field->text;
	char *end;

	line->key = field->text;
	end = field->text + field->len;
	if (*from != '/')
		return etfs_line_refuse(line, field->col, -EINVAL,
					"a key starts with /");
	while (from < end) {
		char *name;
		size_t len;

		while (*from == '/')
			from++;
		/* It is about to become another: a refusal tells of this one. */
		if (from != to + 1 || from == end)
			etfs_line_name_key(line);
		if (from == end)
			break;
		name = from;
		while (from < end && *from != '/')
			from++;
		len = from - name;
		if ((len == 1 && name[0] == '.') ||
		    (len == 2 && name[0] == '.' && name[1] == '.'))
			return etfs_line_refuse(line, field->col, -EINVAL,
						"a key has no component . or ..");
		if (len > NAME_MAX)
			etfs_line_too_long(line, field->col, "a component",
					   len, NAME_MAX);
		*to++ = '/';
		if (to != name)
			memmove(to, name, len);
		to += len;
	}
	if (to == field->text)
		return etfs_line_refuse(line, field->col, -EINVAL,
					"the root of the mount is no key");
	*to = '\0';
	field->len = to - field->text;
	if (field->len > ETFS_MAX_KEY)
		etfs_line_too_long(line, field->col, "a key", field->len,
				   ETFS_MAX_KEY);
	return 0;
}

int etfs_line_key(struct etfs_line *line, struct etfs_field *field)
{
	return etfs_line_unescape(line, field) ?:
	       etfs_line_canonical(line, field);
}

int etfs_line_host(struct etfs_line *line, struct etfs_op *op,
		   struct etfs_field *field)
{
	int err = etfs_line_unescape(line, field);

	if (err)
		return err;
	if (field->text[0] != '/')
		return etfs_line_refuse(line, field->col, -EINVAL,
					"a host path starts with /");
	op->spec.host = field->text;
	op->host_col = field->col;
	return 0;
}

int etfs_line_type(struct etfs_line *line, struct etfs_op *op,
		   const struct etfs_field *field)
{
	enum etfs_type type;

	for (type = ETFS_REG; type <= ETFS_SUBDIRS; type++) {
		if (etfs_field_is(field, etfs_type_name(type))) {
			op->spec.type = type;
			return 0;
		}
	}
	return etfs_line_refuse(line, field->col, -EINVAL,
				"a type is reg, blk, chr, dir or subdirs");
}

static int etfs_line_removal(struct etfs_line *line, struct etfs_op *op)
{
	struct etfs_field field;

	if (!etfs_line_field(line, &field) || etfs_field_is(&field, "lazy")) {
		op->removal = ETFS_LAZY;
		return 0;
	}
	if (etfs_field_is(&field, "busy")) {
		op->removal = ETFS_BUSY;
		return 0;
	}
	if (etfs_field_is(&field, "revoke")) {
		op->removal = ETFS_REVOKE;
		return 0;
	}
	return etfs_line_refuse(line, field.col, -EINVAL,
				"a removal is lazy, busy or revoke");
}

static int etfs_line_end(struct etfs_line *line)
{
	struct etfs_field field;

	if (!etfs_line_field(line, &field))
		return 0;
	return etfs_line_refuse(line, field.col, -EINVAL,
				"nothing may follow here");
}

static int etfs_line_mapping(struct etfs_line *line, struct etfs_op *op)
{
	struct etfs_field key, host, type, options;
	bool has_options;
	int err;

	if (!etfs_line_field(line, &key))
		return etfs_line_refuse(line, key.col, -EINVAL,
					"a key is missing");
	op->key_col = key.col;
	if (!etfs_line_field(line, &host) || !etfs_line_field(line, &type)) {
		err = etfs_line_key(line, &key);
		return err ?: etfs_line_refuse(line,
					       etfs_line_col(line, line->end),
					       -EINVAL,
					       "a mapping is KEY HOSTPATH TYPE OPTIONS");
	}
	has_options = etfs_line_field(line, &options);
	err = etfs_line_end(line);
	if (err)
		return err;

	err = etfs_line_key(line, &key);
	if (err)
		return err;
	op->spec.key = key.text;
	err = etfs_line_host(line, op, &host);
	if (err)
		return err;
	err = etfs_line_type(line, op, &type);
	if (err)
		return err;
	return has_options ? etfs_line_options(line, op, &options) : 0;
}

static int etfs_line_remove(struct etfs_line *line, struct etfs_op *op)
{
	struct etfs_field name;
	int err;

	if (!etfs_line_field(line, &name))
		return etfs_line_refuse(line, name.col, -EINVAL,
					"a key or @TAG follows the -");
	op->key_col = name.col;
	err = etfs_line_removal(line, op);
	if (err)
		return err;
	err = etfs_line_end(line);
	if (err)
		return err;
	if (name.text[0] == '@') {
		op->verb = ETFS_REMOVE_TAG;
		name.text++;
		name.len--;
		name.col++;
		return etfs_line_tag(line, op, &name);
	}
	op->verb = ETFS_REMOVE;
	op->spec.key = name.text;
	return etfs_line_key(line, &name);
}

static int etfs_line_flush(struct etfs_line *line, struct etfs_op *op)
{
	struct etfs_field word;
	int err;

	etfs_line_field(line, &word);
	if (!etfs_field_is(&word, "flush"))
		return etfs_line_refuse(line, word.col, -EINVAL,
					"a line is KEY ..., =KEY ..., -KEY, -@TAG, flush or # comment");
	op->verb = ETFS_FLUSH;
	err = etfs_line_removal(line, op);
	return err ?: etfs_line_end(line);
}

void etfs_line_begin(struct etfs_line *line, char *text, size_t len,
		     struct etfs_op *op, struct etfs_reason *why)
{
	line->start = text;
	line->at = text;
	line->end = text + len;
	line->why = why;
	line->key = NULL;
	line->late = 0;
	memset(op, 0, sizeof(*op));
	op->spec.win.size = ETFS_SIZE_HOST;
	op->line = why->line;
	why->key[0] = '\0';
}

/* A line that has escapes or options added to it when it is printed grows. */
int etfs_line_row(struct etfs_line *line, const struct etfs_op *op)
{
	size_t len;

	if (op->verb != ETFS_ADD && op->verb != ETFS_SET)
		return 0;
	len = etfs_text_row_len(&op->spec);
	if (len <= ETFS_MAX_LINE)
		return 0;
	etfs_line_name_key(line);
	return etfs_line_refuse(line, 1, -E2BIG,
				"a row of %zu bytes in a listing, at most %d",
				len, ETFS_MAX_LINE);
}

int etfs_line_done(struct etfs_line *line, int err)
{
	if (err || line->late)
		etfs_line_name_key(line);
	if (err || !line->late)
		return err;
	line->why->col = line->late_col;
	memcpy(line->why->text, line->late_text, sizeof(line->late_text));
	return line->late;
}

/*
 * Read one line of len bytes, without its newline, into op, whose strings
 * point into the line. line[len] is overwritten.
 */
int etfs_text_parse(char *text, size_t len, struct etfs_op *op,
		    struct etfs_reason *why)
{
	struct etfs_line line;
	char *nul;
	int err;

	etfs_line_begin(&line, text, len, op, why);
	if (len > ETFS_MAX_LINE)
		return etfs_line_refuse(&line, 1, -E2BIG,
					"a line of %zu bytes, at most %d", len,
					ETFS_MAX_LINE);
	nul = memchr(text, '\0', len);
	if (nul)
		return etfs_line_refuse(&line, etfs_line_col(&line, nul),
					-EINVAL, "a NUL byte");

	while (line.at < line.end && etfs_is_blank(*line.at))
		line.at++;
	if (line.at == line.end || *line.at == '#')
		return 0;
	if ((*line.at == '=' || *line.at == '-') &&
	    (line.at + 1 == line.end || etfs_is_blank(line.at[1])))
		return etfs_line_refuse(&line, etfs_line_col(&line, line.at),
					-EINVAL, "a key follows %c at once",
					*line.at);
	switch (*line.at) {
	case '/':
		op->verb = ETFS_ADD;
		err = etfs_line_mapping(&line, op);
		break;
	case '=':
		op->verb = ETFS_SET;
		line.at++;
		err = etfs_line_mapping(&line, op);
		break;
	case '-':
		line.at++;
		err = etfs_line_remove(&line, op);
		break;
	default:
		err = etfs_line_flush(&line, op);
	}
	return etfs_line_done(&line, err) ?: etfs_line_row(&line, op);
}
