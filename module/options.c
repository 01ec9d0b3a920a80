// SPDX-License-Identifier: GPL-2.0
/* The grammar of options: words, what they take and for which types. */
#include "parse.h"

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/string.h>

#define IS(type)	BIT(ETFS_##type)
#define IN_WINDOWS	(IS(REG) | IS(BLK) | IS(CHR))
#define IN_DIRS		(IS(DIR) | IS(SUBDIRS))
#define IN_ALL		(IN_WINDOWS | IN_DIRS)

static const struct etfs_option {
	const char *name;
	/* types that take it */
	u8 types;
	bool has_value;
} etfs_options[] = {
	[WORD_RW]	= { "rw", IN_ALL, false },
	[WORD_RO]	= { "ro", IN_ALL, false },
	[WORD_OFFSET]	= { "offset", IN_WINDOWS, true },
	[WORD_SIZE]	= { "size", IN_WINDOWS, true },
	[WORD_PIN]	= { "pin", IS(REG) | IN_DIRS, false },
	[WORD_MODE]	= { "mode", IN_ALL, true },
	[WORD_UID]	= { "uid", IN_ALL, true },
	[WORD_GID]	= { "gid", IN_ALL, true },
	[WORD_HIDDEN]	= { "hidden", IN_ALL, false },
	[WORD_TAG]	= { "tag", IN_ALL, true },
	[WORD_BS]	= { "bs", IS(BLK), true },
	[WORD_DIO]	= { "dio", IS(BLK), false },
	[WORD_PART]	= { "part", IS(BLK), false },
	[WORD_FAIL]	= { "fail", IS(BLK), true },
};

/* Digits of a base, at least one, into 63 bits. */
static bool etfs_digits(const char **s, const char *end, unsigned int base,
			u64 *value)
{
	const char *start = *s;
	u64 n = 0;

	for (; *s < end; (*s)++) {
		unsigned int digit;

		if (isdigit(**s))
			digit = **s - '0';
		else if (base == 16 && isxdigit(**s))
			digit = tolower(**s) - 'a' + 10;
		else
			break;
		if (digit >= base)
			break;
		if (n > (S64_MAX - digit) / base)
			return false;
		n = n * base + digit;
	}
	*value = n;
	return *s > start;
}

/* Bytes: decimal or 0x hex, with s, K, M, G or T behind it. */
static bool etfs_bytes(const struct etfs_field *field, u64 *value)
{
	const char *s = field->text, *end = s + field->len;
	unsigned int base = 10, shift = 0;

	if (field->len > 2 && s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	if (!etfs_digits(&s, end, base, value))
		return false;
	if (s < end) {
		switch (*s++) {
		case 's':
			shift = 9;
			break;
		case 'K':
			shift = 10;
			break;
		case 'M':
			shift = 20;
			break;
		case 'G':
			shift = 30;
			break;
		case 'T':
			shift = 40;
			break;
		default:
			return false;
		}
	}
	if (s != end || *value > (u64)S64_MAX >> shift)
		return false;
	*value <<= shift;
	return true;
}

/* A plain number up to max, all of the field. */
static bool etfs_number(const struct etfs_field *field, unsigned int base,
			u64 max, u64 *value)
{
	const char *s = field->text, *end = s + field->len;

	return etfs_digits(&s, end, base, value) && s == end && *value <= max;
}

/* N of 10000 requests, and which. */
static bool etfs_fail(const struct etfs_field *field, struct etfs_spec *spec)
{
	const char *s = field->text, *end = s + field->len;
	u64 n, seed;

	if (!etfs_digits(&s, end, 10, &n) || !n || n > ETFS_MAX_FAIL ||
	    s == end || *s++ != '/' || !etfs_digits(&s, end, 10, &seed) ||
	    s != end || seed > U32_MAX)
		return false;
	spec->fail = n;
	spec->fail_seed = seed;
	spec->flags |= ETFS_MAP_FAIL;
	return true;
}

int etfs_line_tag(struct etfs_line *line, struct etfs_op *op,
		  struct etfs_field *field)
{
	int err = etfs_line_unescape(line, field);

	if (err)
		return err;
	if (!field->len)
		return etfs_line_refuse(line, field->col, -EINVAL,
					"a tag has at least one byte");
	if (field->len > ETFS_MAX_TAG)
		return etfs_line_refuse(line, field->col, -EINVAL,
					"a tag of %zu bytes, at most %d",
					field->len, ETFS_MAX_TAG);
	op->spec.tag = field->text;
	return 0;
}

static int etfs_line_value(struct etfs_line *line, struct etfs_op *op,
			   enum etfs_word word, struct etfs_field *value)
{
	struct etfs_spec *spec = &op->spec;
	u64 n;

	switch (word) {
	case WORD_OFFSET:
		if (etfs_bytes(value, &spec->win.offset))
			return 0;
		return etfs_line_refuse(line, value->col, -EINVAL,
					"an offset is bytes below 2^63: 512, 0x200, 1s, 4K");
	case WORD_SIZE:
		if (etfs_field_is(value, "host") ||
		    etfs_bytes(value, &spec->win.size))
			return 0;
		return etfs_line_refuse(line, value->col, -EINVAL,
					"a size is \"host\" or bytes below 2^63: 512, 0x200, 1s, 4K");
	case WORD_MODE:
		if (!etfs_number(value, 8, 07777, &n))
			return etfs_line_refuse(line, value->col, -EINVAL,
						"a mode is octal, at most 7777");
		spec->mode = n;
		spec->flags |= ETFS_MAP_MODE;
		return 0;
	case WORD_UID:
	case WORD_GID:
		if (!etfs_number(value, 10, U32_MAX - 1, &n))
			return etfs_line_refuse(line, value->col, -EINVAL,
						"an id is a decimal number below 4294967295");
		if (word == WORD_UID) {
			spec->uid = n;
			spec->flags |= ETFS_MAP_UID;
		} else {
			spec->gid = n;
			spec->flags |= ETFS_MAP_GID;
		}
		return 0;
	case WORD_TAG:
		return etfs_line_tag(line, op, value);
	case WORD_BS:
		if (!etfs_bytes(value, &n) || n < 512 || n > 4096 ||
		    (n & (n - 1)))
			return etfs_line_refuse(line, value->col, -EINVAL,
						"bs is 512, 1024, 2048 or 4096");
		spec->bs = n;
		spec->flags |= ETFS_MAP_BS;
		return 0;
	case WORD_FAIL:
		if (etfs_fail(value, spec))
			return 0;
		return etfs_line_refuse(line, value->col, -EINVAL,
					"fail is N/SEED: 1 to 10000, and a number below 4294967296");
	default:
		return 0;
	}
}

/* Which option a word of the list is; value is empty without a "=". */
static int etfs_line_word(struct etfs_line *line, const struct etfs_field *item,
			  struct etfs_field *value, enum etfs_word *word)
{
	const char *equals = memchr(item->text, '=', item->len);
	struct etfs_field name = *item;

	if (equals)
		name.len = equals - item->text;
	for (*word = 0; *word < ARRAY_SIZE(etfs_options); (*word)++)
		if (etfs_field_is(&name, etfs_options[*word].name))
			break;
	if (*word == ARRAY_SIZE(etfs_options))
		return etfs_line_refuse(line, item->col, -EINVAL,
					"unknown option \"%.*s\"",
					(int)min_t(size_t, name.len, 64),
					name.text);
	if (etfs_options[*word].has_value != !!equals)
		return etfs_line_refuse(line, item->col, -EINVAL,
					"option %s takes %s value",
					etfs_options[*word].name,
					equals ? "no" : "a");
	if (equals) {
		value->text = item->text + name.len + 1;
		value->len = item->len - name.len - 1;
		value->col = item->col + name.len + 1;
	}
	return 0;
}

/* May it be said for this type? A window on a directory has its own errno. */
static int etfs_option_may(enum etfs_word word, enum etfs_type type,
			   struct etfs_reason *why)
{
	const struct etfs_option *option = &etfs_options[word];

	if (option->types & BIT(type))
		return 0;
	if (word == WORD_OFFSET || word == WORD_SIZE) {
		etfs_refuse(why, "a directory has no %s", option->name);
		return -EISDIR;
	}
	etfs_refuse(why, "option %s is not for type %s", option->name,
		    etfs_type_name(type));
	return -EINVAL;
}

int etfs_words_may(u32 words, enum etfs_type type, struct etfs_reason *why)
{
	enum etfs_word word;
	u32 windows = 0;
	int err;

	for (; words; words &= words - 1) {
		word = __ffs(words);
		err = etfs_option_may(word, type, why);
		if (err == -EISDIR)
			windows |= BIT(word);
		else if (err)
			return err;
	}
	return windows ? etfs_option_may(__ffs(windows), type, why) : 0;
}

int etfs_line_option(struct etfs_line *line, struct etfs_op *op,
		     struct etfs_field *item, u32 *seen)
{
	struct etfs_field value = { };
	const struct etfs_option *option;
	enum etfs_word word;
	u32 bit;
	int err;

	err = etfs_line_word(line, item, &value, &word);
	if (err)
		return err;
	option = &etfs_options[word];
	/* rw and ro are two words for one thing. */
	bit = word == WORD_RO ? BIT(WORD_RW) : BIT(word);
	if (*seen & bit)
		return etfs_line_refuse(line, item->col, -EINVAL,
					"option %s is said twice",
					option->name);
	*seen |= bit;
	err = etfs_option_may(word, op->spec.type, line->why);
	if (err == -EISDIR)
		etfs_line_later(line, item->col, err);
	else if (err)
		goto blame;
	if (word == WORD_RO)
		op->spec.flags |= ETFS_MAP_RO;
	if (word == WORD_PIN)
		op->spec.flags |= ETFS_MAP_PIN;
	if (word == WORD_DIO)
		op->spec.flags |= ETFS_MAP_DIO;
	if (word == WORD_HIDDEN)
		op->spec.flags |= ETFS_MAP_HIDDEN;
	if (word == WORD_PART)
		op->spec.flags |= ETFS_MAP_PART;
	return etfs_line_value(line, op, word, &value);
blame:
	line->why->col = item->col;
	return err;
}

int etfs_line_options(struct etfs_line *line, struct etfs_op *op,
		      const struct etfs_field *field)
{
	char *at = field->text, *end = at + field->len;
	u32 seen = 0;
	int err;

	if (etfs_field_is(field, "-"))
		return 0;
	for (;;) {
		char *comma = memchr(at, ',', end - at);
		struct etfs_field item = {
			.text = at,
			.len = (comma ?: end) - at,
			.col = etfs_line_col(line, at),
		};

		err = etfs_line_option(line, op, &item, &seen);
		if (err)
			return err;
		if (!comma)
			return 0;
		at = comma + 1;
	}
}
