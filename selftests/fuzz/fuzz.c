// SPDX-License-Identifier: GPL-2.0
/* An input: its writes, one by one, to the table and to the model. */
#include "fuzz.h"

#include <sanitizer/asan_interface.h>

static struct fuzz_model model;

/*
 * Memory of the harness itself. What lies between the pieces is poisoned, as
 * malloc() would have it, which takes longer.
 */
static char fuzz_kept[64 << 20] __attribute__((aligned(8)));
static size_t fuzz_used = sizeof(fuzz_kept);

void *fuzz_keep(size_t size)
{
	char *piece = fuzz_kept + fuzz_used;

	fuzz_used += (size + 7) / 8 * 8 + 16;
	check(fuzz_used <= sizeof(fuzz_kept));
	__asan_unpoison_memory_region(piece, size);
	return piece;
}

static void fuzz_keep_none(void)
{
	__asan_poison_memory_region(fuzz_kept, fuzz_used);
	fuzz_used = 0;
}

/* A number below max, the same each time an input is run. */
static u32 fuzz_seed;

u32 fuzz_random(u32 max)
{
	fuzz_seed = fuzz_seed * 1664525u + 1013904223u;
	return (fuzz_seed >> 8) % max;
}

static void fuzz_check_blame(const struct fuzz_ops *ops)
{
	const struct etfs_reason *why = fuzz_last_error;
	char key[sizeof(why->key)] = "";
	const struct etfs_op *op;

	check(why->text[0]);
	if (!model.blamed) {
		check(why->line == ops->why.line && why->col == ops->why.col);
		check(!strcmp(why->text, ops->why.text));
		check(!strcmp(why->key, ops->why.key));
		return;
	}
	op = &model.blamed->op;
	check(why->line == op->line);
	check(why->col == (model.is_host_to_blame ? op->host_col :
						    op->key_col));
	if (op->spec.key)
		etfs_text_escape(key, sizeof(key), op->spec.key, false);
	check(!strcmp(why->key, key));
}

/* What the kernel hands over at once, and which of it is whole lines. */
static size_t fuzz_whole_lines(const char *text, size_t len)
{
	const char *newline;

	if (len < PAGE_SIZE)
		return len;
	newline = memrchr(text, '\n', PAGE_SIZE);
	return newline ? newline + 1 - text : PAGE_SIZE;
}

/* Return: bytes taken, or an errno. */
static ssize_t fuzz_write_once(const char *text, size_t len)
{
	size_t whole = fuzz_whole_lines(text, len);
	bool may_fail = fuzz_fail;
	struct fuzz_ops ops = { };
	int expected;
	ssize_t err;
	char *buf;

	len = min(len, PAGE_SIZE);
	buf = fuzz_keep(len + 1);
	memcpy(buf, text, len);
	buf[len] = '\0';
	fuzz_last_error->line = 0;
	err = fuzz_write(buf, len);
	if (may_fail && !fuzz_fail && err == -ENOMEM) {
		check(!fuzz_last_error->line || fuzz_last_error->text[0]);
		return err;
	}
	/* It is for the module, not for what looks at it. */
	fuzz_fail = 0;
	fuzz_read_lines(&ops, text, whole);
	expected = fuzz_model_apply(&model, &ops);
	check(err == (expected ?: (ssize_t)whole));
	if (model.err)
		fuzz_check_blame(&ops);
	else
		check(!fuzz_last_error->line);
	return err;
}

static void fuzz_lines(const char *text, size_t len)
{
	ssize_t n;

	for (; len; text += n, len -= n) {
		n = fuzz_write_once(text, len);
		fuzz_fail = 0;
		fuzz_check(&model);
		if (n < 0)
			break;
	}
}

static void fuzz_boot_entry(const char *entry, char **at)
{
	struct fuzz_ops ops = { };
	int status = strtol(*at, at, 10), err;
	char *end = strchr(*at, '\n');
	const char *key;
	size_t size;
	char *text;

	check(**at == ' ' && end);
	*end = '\0';
	key = *at + 1;
	*at = end + 1;
	/* No memory: it is the model that has to believe it. */
	if (status == ENOMEM)
		return;
	err = fuzz_read_spec(&ops, entry, strlen(entry)) ?:
		fuzz_model_apply(&model, &ops);
	check(status == -err);
	if (!ops.nr)
		return;
	size = etfs_text_escape(NULL, 0, ops.ops[0].op.spec.key, false) + 1;
	text = fuzz_keep(size);
	etfs_text_escape(text, size, ops.ops[0].op.spec.key, false);
	check(!strcmp(key, text) || fuzz_fail);
}

static void fuzz_boot_table(const char *value)
{
	size_t size = 8 * strlen(value) + 64, len, pos;
	char *status = fuzz_keep(size), *piece = fuzz_keep(size);
	char *rest = fuzz_keep(strlen(value) + 1), *at = status, *entry;
	int err;

	strcpy(rest, value);
	err = fuzz_boot(value);
	fuzz_fail = 0;
	if (err) {
		check(err == -ENOMEM);
		fuzz_boot_exit();
		return;
	}
	len = fuzz_boot_status(status, 0, size);
	check(len < size);
	status[len] = '\0';
	pos = fuzz_random(len + 1);
	size = fuzz_random(len + 2);
	check((size_t)fuzz_boot_status(piece, pos, size) ==
	      min(size, len - pos));
	check(!memcmp(piece, status + pos, min(size, len - pos)));
	while ((entry = strsep(&rest, ";"))) {
		entry = strim(entry);
		if (*entry)
			fuzz_boot_entry(entry, &at);
	}
	check(!*at);
	fuzz_boot_exit();
	fuzz_check(&model);
}

/* A number that a comment for the harness gives. */
static bool fuzz_takes(char **text, const char *name, unsigned int *value)
{
	size_t len = strlen(name);

	if (strncmp(*text, name, len) || !isdigit((u8)(*text)[len]))
		return false;
	*value = strtoul(*text + len, text, 10) % 1000000;
	return true;
}

static void fuzz_piece(const char *data, size_t len)
{
	char *text = fuzz_keep(len + 1), *end = text + len;

	memcpy(text, data, len);
	*end = '\0';
	fuzz_fail = 0;
	while (fuzz_takes(&text, "#max=", &etfs_max_mappings) ||
	       fuzz_takes(&text, "#fail=", &fuzz_fail))
		if (*text == '\n')
			text++;
	model.max_mappings = etfs_max_mappings;
	if (!strncmp(text, "etfs=", 5))
		fuzz_boot_table(text + 5);
	else
		fuzz_lines(text, end - text);
}

/* Who allocated what is of no use until something fails, and takes long. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "malloc_context_size=1:quarantine_size_mb=4:"
	       "max_malloc_fill_size=256";
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return etfs_map_init();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size, *next;

	fuzz_keep_none();
	fuzz_fail = 0;
	fuzz_seed = jhash(data, size, 0);
	etfs_max_mappings = 1000000;
	model = (struct fuzz_model) { };
	check(!etfs_table_init(&etfs_host_table));
	fuzz_mount();
	for (; at < end; at = next + 3) {
		next = memmem(at, end - at, "\n%\n", 3) ?: end;
		fuzz_piece(at, next - at);
		if (next == end)
			break;
	}
	fuzz_fail = 0;
	check(!etfs_table_flush(&etfs_host_table, ETFS_LAZY));
	fuzz_umount();
	etfs_table_exit(&etfs_host_table);
	fuzz_check_kinds();
	check(!fuzz_live);
	return 0;
}
