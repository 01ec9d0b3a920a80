/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An input is a few writes to the host table, with a line of % between them:
 *
 *	#max=N		so many mappings at most, from here on
 *	#fail=N		of this write, the Nth piece of memory is refused
 *	etfs=...	a boot table instead of lines
 *
 * Each is done by the module's own sources and by a model of them, and what
 * they say must agree. A host path that holds one of these is special:
 *
 *	/none		there is no such file
 *	/busy		the key is in use once its batch is done
 *	/slow		a revocation is interrupted
 *	/lost		after each second batch the bound file has no name
 */
#ifndef _FUZZ_FUZZ_H
#define _FUZZ_FUZZ_H

#include "parse.h"

#define check(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
				__LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* An operation, and what is known of it without the table. */
struct fuzz_op {
	struct etfs_op op;
	/* what a listing says of ADD and SET, with its newline */
	char *row;
	size_t row_len;
};

struct fuzz_ops {
	struct fuzz_op *ops;
	u32 nr, max;
	/* what the line behind them has against it, or 0 */
	int err;
	struct etfs_reason why;
};

/* In fuzz.c: memory until the end of the input */
void *fuzz_keep(size_t size);
u32 fuzz_random(u32 max);

/* In lines.c: what holds for a line whatever the table says */
void fuzz_read_lines(struct fuzz_ops *ops, const char *text, size_t len);
/* Return: 0 or an errno; op is added on success. */
int fuzz_read_spec(struct fuzz_ops *ops, const char *text, size_t len);

/* In model.c: what a table should be */
struct fuzz_row {
	const struct fuzz_op *line;
	bool is_unrestorable;
};

struct fuzz_model {
	struct fuzz_row *rows;
	size_t nr, max;
	u64 generation;
	u32 max_mappings;
	/* of a write that is refused */
	int err;
	/* the operation to blame, or NULL for what could not be read */
	const struct fuzz_op *blamed;
	bool is_host_to_blame;
};

/* Apply all or none. Return: what a write of these would. */
int fuzz_model_apply(struct fuzz_model *model, const struct fuzz_ops *ops);

/* In check.c: is the host table what the model says, however it is read? */
void fuzz_check(const struct fuzz_model *model);

/* In kinds.c: hosts that are names alone */
bool fuzz_host_is(const struct etfs_spec *spec, const char *word);
/* Every map that was bound was told that it goes, and then let go. */
void fuzz_check_kinds(void);
void fuzz_mount(void);
void fuzz_umount(void);

/* In doors.c: what user space calls */
extern struct etfs_reason *const fuzz_last_error;
ssize_t fuzz_write(char *text, size_t len);
/* In boot_status: how many entries; *status gets the text. */
int fuzz_boot(const char *value);
void fuzz_boot_exit(void);
ssize_t fuzz_boot_status(char *buf, loff_t pos, size_t len);
int fuzz_parse_spec(char *text, struct etfs_op *op, struct etfs_reason *why);

/* In fuzz.c: what libFuzzer or replay.c calls, first the one, for inputs the other */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* _FUZZ_FUZZ_H */
