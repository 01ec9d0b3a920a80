// SPDX-License-Identifier: GPL-2.0
/* Maps to text: what is printed here, parse.c reads back. */
#include "etfs.h"

#include <linux/stdarg.h>
#include <linux/string.h>

static const char * const etfs_type_names[] = {
	[ETFS_REG] = "reg",
	[ETFS_BLK] = "blk",
	[ETFS_CHR] = "chr",
	[ETFS_DIR] = "dir",
	[ETFS_SUBDIRS] = "subdirs",
};

const char *etfs_type_name(enum etfs_type type)
{
	return etfs_type_names[type];
}

void etfs_refuse(struct etfs_reason *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
}

void etfs_refuse_key(struct etfs_reason *why, const char *key)
{
	etfs_text_escape(why->key, sizeof(why->key), key, false);
}

/* Text being put together; len goes on counting where size ends. */
struct etfs_print {
	char *buf;
	size_t size, len;
};

static void etfs_print_char(struct etfs_print *p, char c)
{
	if (p->len + 1 < p->size)
		p->buf[p->len] = c;
	p->len++;
}

static void etfs_print_bytes(struct etfs_print *p, const char *s, size_t n)
{
	if (p->len + 1 < p->size)
		memcpy(p->buf + p->len, s, min(n, p->size - 1 - p->len));
	p->len += n;
}

static void etfs_print_string(struct etfs_print *p, const char *s)
{
	etfs_print_bytes(p, s, strlen(s));
}

/* What is escaped: bit 0 in a key or path, bit 1 in an option. */
static const u8 etfs_chars_escaped[256] = {
	[0 ... ' '] = 3, ['\\'] = 3, [0x7f] = 3, [','] = 2,
};

static void etfs_print_escaped(struct etfs_print *p, const char *s,
			       bool in_option)
{
	const u8 bit = in_option ? 2 : 1;

	for (;;) {
		const char *run = s;
		unsigned char c;

		while (!(etfs_chars_escaped[(unsigned char)*s] & bit))
			s++;
		etfs_print_bytes(p, run, s - run);
		c = *s++;
		if (!c)
			return;
		etfs_print_char(p, '\\');
		etfs_print_char(p, '0' + (c >> 6));
		etfs_print_char(p, '0' + (c >> 3 & 7));
		etfs_print_char(p, '0' + (c & 7));
	}
}

__printf(2, 3)
static void etfs_print_number(struct etfs_print *p, const char *fmt, ...)
{
	char number[40];
	va_list args;

	va_start(args, fmt);
	vsnprintf(number, sizeof(number), fmt, args);
	va_end(args);
	etfs_print_string(p, number);
}

static size_t etfs_print_end(struct etfs_print *p)
{
	if (p->size)
		p->buf[min(p->len, p->size - 1)] = '\0';
	return p->len;
}

/* Return: bytes without the NUL, as snprintf() counts them. */
size_t etfs_text_escape(char *buf, size_t size, const char *s, bool in_option)
{
	struct etfs_print p = { buf, size };

	etfs_print_escaped(&p, s, in_option);
	return etfs_print_end(&p);
}

/* A row of a listing with its newline. Return: as snprintf(). */
size_t etfs_text_print(char *buf, size_t size, const struct etfs_spec *spec,
		       bool is_unrestorable)
{
	struct etfs_print p = { buf, size };

	if (is_unrestorable)
		etfs_print_string(&p, "# unrestorable: ");
	etfs_print_escaped(&p, spec->key, false);
	etfs_print_char(&p, ' ');
	etfs_print_escaped(&p, spec->host, false);
	etfs_print_char(&p, ' ');
	etfs_print_string(&p, etfs_type_name(spec->type));
	etfs_print_string(&p, spec->flags & ETFS_MAP_RO ? " ro" : " rw");
	if (spec->win.offset)
		etfs_print_number(&p, ",offset=%llu", spec->win.offset);
	if (etfs_window_is_fixed(&spec->win))
		etfs_print_number(&p, ",size=%llu", spec->win.size);
	if (spec->flags & ETFS_MAP_MODE)
		etfs_print_number(&p, ",mode=%o", spec->mode);
	if (spec->flags & ETFS_MAP_UID)
		etfs_print_number(&p, ",uid=%u", spec->uid);
	if (spec->flags & ETFS_MAP_GID)
		etfs_print_number(&p, ",gid=%u", spec->gid);
	if (spec->flags & ETFS_MAP_PIN)
		etfs_print_string(&p, ",pin");
	if (spec->flags & ETFS_MAP_HIDDEN)
		etfs_print_string(&p, ",hidden");
	if (spec->tag) {
		etfs_print_string(&p, ",tag=");
		etfs_print_escaped(&p, spec->tag, true);
	}
	if (spec->flags & ETFS_MAP_BS && spec->bs != 512)
		etfs_print_number(&p, ",bs=%u", spec->bs);
	if (spec->flags & ETFS_MAP_DIO)
		etfs_print_string(&p, ",dio");
	if (spec->flags & ETFS_MAP_PART)
		etfs_print_string(&p, ",part");
	if (spec->flags & ETFS_MAP_FAIL)
		etfs_print_number(&p, ",fail=%u/%u", spec->fail,
				  spec->fail_seed);
	etfs_print_char(&p, '\n');
	return etfs_print_end(&p);
}

/*
 * The longest line, without its newline, that a listing may ever have for this:
 * a host file that is bound for good can lose its name. Of more than
 * ETFS_MAX_LINE a saved table would not load.
 */
size_t etfs_text_row_len(const struct etfs_spec *spec)
{
	bool is_bound = spec->type == ETFS_BLK || spec->type == ETFS_CHR ||
			spec->flags & ETFS_MAP_PIN;

	return etfs_text_print(NULL, 0, spec, is_bound) - 1;
}
