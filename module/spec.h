/* SPDX-License-Identifier: GPL-2.0 */
/* What one mapping says, and what is to be done with it. */
#ifndef _RUMPFS_SPEC_H
#define _RUMPFS_SPEC_H

#include <linux/bits.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/types.h>

struct etfs_map;
struct file;

/* The longest key and the longest line of text, bytes without a NUL. */
#define ETFS_MAX_KEY	4095
#define ETFS_MAX_LINE	4095
#define ETFS_MAX_TAG	63
/* Of so many requests to a disk fail= tells how many do. */
#define ETFS_MAX_FAIL	10000

/* A window without an end of its own follows the host file's. */
#define ETFS_SIZE_HOST	U64_MAX

enum etfs_type {
	ETFS_REG,
	ETFS_BLK,
	ETFS_CHR,
	ETFS_DIR,
	ETFS_SUBDIRS,
};

/* What an option said; the words are in options.c. */
#define ETFS_MAP_RO	BIT(0)
#define ETFS_MAP_HIDDEN	BIT(1)
#define ETFS_MAP_MODE	BIT(2)
#define ETFS_MAP_UID	BIT(3)
#define ETFS_MAP_GID	BIT(4)
#define ETFS_MAP_BS	BIT(5)
#define ETFS_MAP_PIN	BIT(6)
#define ETFS_MAP_DIO	BIT(7)
#define ETFS_MAP_FAIL	BIT(8)
#define ETFS_MAP_PART	BIT(9)

enum etfs_verb {
	ETFS_NOTHING,	/* a comment or a blank line */
	ETFS_ADD,
	ETFS_SET,
	ETFS_REMOVE,
	ETFS_REMOVE_TAG,
	ETFS_FLUSH,
};

enum etfs_removal {
	ETFS_LAZY,
	ETFS_BUSY,
	ETFS_REVOKE,
};

/* A byte range of a host file. */
struct etfs_window {
	/* first byte, in the host file */
	u64 offset;
	/* bytes, or ETFS_SIZE_HOST */
	u64 size;
};

/* Bytes the window holds while the host file has host_size of them. */
static inline u64 etfs_window_size(const struct etfs_window *win, u64 host_size)
{
	u64 room = host_size > win->offset ? host_size - win->offset : 0;

	return min(win->size, room);
}

static inline bool etfs_window_is_fixed(const struct etfs_window *win)
{
	return win->size != ETFS_SIZE_HOST;
}

/* Can the window's pages be the host's own? */
static inline bool etfs_window_is_aligned(const struct etfs_window *win)
{
	return PAGE_ALIGNED(win->offset) &&
	       (!etfs_window_is_fixed(win) || PAGE_ALIGNED(win->size));
}

/* Which host object it is, told without holding it; dev is 0 for none. */
struct etfs_host_id {
	u64 ino;
	u32 dev;
	u32 gen;
};

/* What one mapping says. Strings are NUL-terminated and hold no other NUL. */
struct etfs_spec {
	/* in canonical form: "/a/b" */
	char *key;
	char *host;
	/* NULL for none */
	char *tag;
	struct etfs_window win;
	u32 flags;
	u32 uid, gid;
	/* so many of 10000 requests to a disk fail, and which */
	u32 fail_seed;
	u16 fail;
	/* logical block size, bytes; 0 = the default */
	u16 bs;
	umode_t mode;
	/* enum etfs_type */
	u8 type;
};

/* Bytes with the NUL. */
#define ETFS_REASON_SIZE	256

/*
 * Why something was refused, for last_error. Filled once, where the fact is
 * known; text is a sentence without a full stop.
 */
struct etfs_reason {
	/* 1 = the first line of the write */
	u32 line;
	/* byte of the line, 1 = the first */
	u32 col;
	/* the key it is about, escaped as in a listing and cut to fit */
	char key[ETFS_REASON_SIZE];
	char text[ETFS_REASON_SIZE];
};

struct etfs_op {
	enum etfs_verb verb;
	enum etfs_removal removal;
	u32 line;
	/* of the key, and of the host path */
	u32 key_col, host_col;
	/* REMOVE: key alone; REMOVE_TAG: tag alone */
	struct etfs_spec spec;
	/* ADD and SET: the host file itself, a reference; NULL: by its path */
	struct file *given;
	/* ADD and SET: the map to be, made by etfs_batch_make_maps() */
	struct etfs_map *map;
	/* it is bound; its device is there */
	bool is_ready, is_made;
	/* SET: bound to what this map is, a reference; else NULL */
	struct etfs_map *follows;
	/* that was another one when the table was asked */
	bool is_new;
	/* the map, a reference, if it has replaced what it follows */
	struct etfs_map *renewed;
};

#endif /* _RUMPFS_SPEC_H */
