/* SPDX-License-Identifier: GPL-2.0 */
/* A line of a table while it is taken apart; for parse.c and options.c. */
#ifndef _RUMPFS_PARSE_H
#define _RUMPFS_PARSE_H

#include "etfs.h"

/* A field of a line; text is NUL-terminated once it is unescaped. */
struct etfs_field {
	char *text;
	size_t len;
	/* column of the first byte, 1 = the start of the line */
	u32 col;
};

/* The options; a set of them has BIT(word). */
enum etfs_word {
	WORD_RW, WORD_RO, WORD_OFFSET, WORD_SIZE, WORD_PIN, WORD_MODE, WORD_UID,
	WORD_GID, WORD_HIDDEN, WORD_TAG, WORD_BS, WORD_DIO, WORD_PART, WORD_FAIL,
};

struct etfs_line {
	char *start, *at, *end;
	struct etfs_reason *why;
	/* of what is refused, unless why says so already; or NULL */
	const char *key;
	/* an errno that only counts if nothing else is wrong */
	int late;
	/* what why says then */
	u32 late_col;
	char late_text[ETFS_REASON_SIZE];
};

/* In parse.c */
u32 etfs_line_col(const struct etfs_line *line, const char *at);
/* Return: err, with *line->why filled. */
__printf(4, 5)
int etfs_line_refuse(struct etfs_line *line, u32 col, int err,
		     const char *fmt, ...);
int etfs_line_unescape(struct etfs_line *line, struct etfs_field *field);
/* What line->why says counts if nothing else is wrong, and is no name too long. */
void etfs_line_later(struct etfs_line *line, u32 col, int err);
/* Bring a key that is unescaped into its canonical form. */
int etfs_line_canonical(struct etfs_line *line, struct etfs_field *field);
bool etfs_field_is(const struct etfs_field *field, const char *word);
/* Make op an empty one of this line. text: NULL if it is not of a text. */
void etfs_line_begin(struct etfs_line *line, char *text, size_t len,
		     struct etfs_op *op, struct etfs_reason *why);
/* The first three unescape the field and put it into op. */
int etfs_line_key(struct etfs_line *line, struct etfs_field *field);
int etfs_line_host(struct etfs_line *line, struct etfs_op *op,
		   struct etfs_field *field);
int etfs_line_type(struct etfs_line *line, struct etfs_op *op,
		   const struct etfs_field *field);
/*
 * Return: err, or else what only counts if nothing else is wrong; why names the
 * key then.
 */
int etfs_line_done(struct etfs_line *line, int err);
/* Last, of a text: is the row a line again? Return: 0 or -E2BIG. */
int etfs_line_row(struct etfs_line *line, const struct etfs_op *op);

/* In options.c */
int etfs_line_tag(struct etfs_line *line, struct etfs_op *op,
		  struct etfs_field *field);
/* Of what a program gives as numbers. Return: 0, -EINVAL or -EISDIR. */
int etfs_words_may(u32 words, enum etfs_type type, struct etfs_reason *why);
/* The type is known by now, these two; seen begins with 0. */
int etfs_line_option(struct etfs_line *line, struct etfs_op *op,
		     struct etfs_field *item, u32 *seen);
int etfs_line_options(struct etfs_line *line, struct etfs_op *op,
		      const struct etfs_field *field);

#endif /* _RUMPFS_PARSE_H */
