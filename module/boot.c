// SPDX-License-Identifier: GPL-2.0
/*
 * The boot table: mappings given when the module is loaded.
 *
 *	etfs="key=/d0,hostpath=/x.img,type=blk,size=host,ro;key=..."
 *
 * An entry is a comma list, as NetBSD's rump_server has it; the words beside
 * key, hostpath and type are the options of a line of text, and escapes are
 * the same, \073 for a semicolon. Each entry is a batch of its own, so a bad
 * one is told in boot_status and hinders nobody.
 */
#include "parse.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

/* More than there are options, so one of them is wrong. */
#define ETFS_MAX_WORDS	24

/* I set once - B under etfs_boot_lock */
struct etfs_boot_entry {
	/* I: a piece of etfs_boot_text, good until it is tried */
	char *text;
	/* B: escaped as in a listing; "-" if there is none */
	char *key;
	/* B: -1 until it is tried, then 0 or an errno */
	int status;
};

/* A leaf. */
static DEFINE_MUTEX(etfs_boot_lock);
static struct etfs_boot_entry *etfs_boot_entries;
static u32 etfs_nr_boot;

/* The parameter, until it is tried. */
static char *etfs_boot_text;

/* Given twice, by modprobe.d and the kernel's command line, both count. */
static int etfs_boot_set(const char *value, const struct kernel_param *param)
{
	char **text = param->arg;
	char *longer;

	longer = *text ? kasprintf(GFP_KERNEL, "%s;%s", *text, value) :
			 kstrdup(value, GFP_KERNEL);
	if (!longer)
		return -ENOMEM;
	kfree(*text);
	*text = longer;
	return 0;
}

static void etfs_boot_free(void *arg)
{
	char **text = arg;

	kfree(*text);
	*text = NULL;
}

/* A charp would end at 1024 bytes. */
static const struct kernel_param_ops etfs_boot_param = {
	.set	= etfs_boot_set,
	.free	= etfs_boot_free,
};

module_param_cb(etfs, &etfs_boot_param, &etfs_boot_text, 0);
MODULE_PARM_DESC(etfs, "mappings to begin with: key=K,hostpath=H,type=T[,OPTION...];...");

/* One entry to an operation */

/* Return: how many words there are; of too many not all are in the array. */
static u32 etfs_spec_split(const struct etfs_line *line,
			   struct etfs_field *words)
{
	char *at = line->start;
	u32 nr;

	for (nr = 0; nr < ETFS_MAX_WORDS; nr++) {
		char *comma = memchr(at, ',', line->end - at);

		words[nr] = (struct etfs_field) {
			.text = at,
			.len = (comma ?: line->end) - at,
			.col = etfs_line_col(line, at),
		};
		if (!comma)
			return nr + 1;
		at = comma + 1;
	}
	return ETFS_MAX_WORDS + 1;
}

static bool etfs_word_is(const struct etfs_field *word, const char *name)
{
	size_t len = strlen(name);

	return word->text && word->len > len && word->text[len] == '=' &&
	       !memcmp(word->text, name, len);
}

/* Take the value of a word that must be there once out of the list. */
static int etfs_spec_take(struct etfs_line *line, struct etfs_field *words,
			  u32 nr, const char *name, struct etfs_field *value)
{
	struct etfs_field *word;
	size_t skip = strlen(name) + 1;

	value->text = NULL;
	for (word = words; word < words + nr; word++) {
		if (!etfs_word_is(word, name))
			continue;
		if (value->text)
			return etfs_line_refuse(line, word->col, -EINVAL,
						"%s is said twice", name);
		value->text = word->text + skip;
		value->len = word->len - skip;
		value->col = word->col + skip;
		word->text = NULL;
	}
	if (!value->text)
		return etfs_line_refuse(line, etfs_line_col(line, line->end),
					-EINVAL, "%s= is missing", name);
	return 0;
}

static int etfs_spec_options(struct etfs_line *line, struct etfs_op *op,
			     struct etfs_field *words, u32 nr)
{
	struct etfs_field *word;
	u32 seen = 0;
	int err;

	for (word = words; word < words + nr; word++) {
		err = word->text ? etfs_line_option(line, op, word, &seen) : 0;
		if (err)
			return err;
	}
	return 0;
}

static int etfs_spec_fields(struct etfs_line *line, struct etfs_op *op)
{
	struct etfs_field words[ETFS_MAX_WORDS], key, host, type;
	u32 nr = etfs_spec_split(line, words);
	int err;

	if (nr > ETFS_MAX_WORDS)
		return etfs_line_refuse(line, 1, -EINVAL,
					"an entry has at most %d words",
					ETFS_MAX_WORDS);
	err = etfs_spec_take(line, words, nr, "key", &key);
	if (!err)
		err = etfs_line_key(line, &key);
	if (err)
		return err;
	op->key_col = key.col;
	op->spec.key = key.text;
	err = etfs_spec_take(line, words, nr, "hostpath", &host);
	if (!err)
		err = etfs_line_host(line, op, &host);
	if (!err)
		err = etfs_spec_take(line, words, nr, "type", &type);
	if (!err)
		err = etfs_line_type(line, op, &type);
	if (!err)
		err = etfs_spec_options(line, op, words, nr);
	return err;
}

/* The strings of op point into the text, which is overwritten. */
static int etfs_spec_parse(char *text, struct etfs_op *op,
			   struct etfs_reason *why)
{
	struct etfs_line line;

	etfs_line_begin(&line, text, strlen(text), op, why);
	op->verb = ETFS_ADD;
	return etfs_line_done(&line, etfs_spec_fields(&line, op)) ?:
	       etfs_line_row(&line, op);
}

/* What boot_status tells */

static char *etfs_boot_escape(const char *key)
{
	size_t size = etfs_text_escape(NULL, 0, key, false) + 1;
	char *text = kmalloc(size, GFP_KERNEL);

	if (text)
		etfs_text_escape(text, size, key, false);
	return text;
}

/* The key of an entry as it was written, before anybody judges it. */
static char *etfs_boot_peek(char *entry, struct etfs_reason *unheard)
{
	struct etfs_line line = {
		.start = entry, .end = entry + strlen(entry), .why = unheard,
	};
	struct etfs_field words[ETFS_MAX_WORDS], key, copy;
	u32 nr = min_t(u32, etfs_spec_split(&line, words), ETFS_MAX_WORDS);
	char *text;

	/* Of two the first, as the entry will be refused. */
	etfs_spec_take(&line, words, nr, "key", &key);
	if (!key.text)
		return kstrdup("-", GFP_KERNEL);
	copy = key;
	copy.text = kstrndup(key.text, key.len, GFP_KERNEL);
	if (!copy.text)
		return NULL;
	/* What cannot be unescaped is told with its backslashes. */
	if (etfs_line_unescape(&line, &copy))
		memcpy(copy.text, key.text, key.len);
	text = etfs_boot_escape(copy.text);
	kfree(copy.text);
	return text;
}

/* The next entry that is not empty, without the blanks around it, or NULL. */
static char *etfs_boot_next(char **text)
{
	char *entry;

	while ((entry = strsep(text, ";"))) {
		entry = strim(entry);
		if (*entry)
			return entry;
	}
	return NULL;
}

static int etfs_boot_split(struct etfs_reason *unheard)
{
	char *text = etfs_boot_text, *at;
	u32 max = 1;

	for (at = text; *at; at++)
		max += *at == ';';
	etfs_boot_entries = kvcalloc(max, sizeof(*etfs_boot_entries),
				     GFP_KERNEL);
	if (!etfs_boot_entries)
		return -ENOMEM;
	while ((at = etfs_boot_next(&text))) {
		struct etfs_boot_entry *entry =
			&etfs_boot_entries[etfs_nr_boot];

		entry->text = at;
		entry->status = -1;
		entry->key = etfs_boot_peek(at, unheard);
		if (!entry->key)
			return -ENOMEM;
		etfs_nr_boot++;
	}
	return 0;
}

/* Take the entries apart, so that boot_status knows them from the start. */
int etfs_boot_init(void)
{
	struct etfs_reason *unheard;
	int err;

	if (!etfs_boot_text)
		return 0;
	unheard = kmalloc(sizeof(*unheard), GFP_KERNEL);
	if (!unheard)
		return -ENOMEM;
	err = etfs_boot_split(unheard);
	kfree(unheard);
	if (err)
		etfs_boot_exit();
	return err;
}

void etfs_boot_exit(void)
{
	while (etfs_nr_boot)
		kfree(etfs_boot_entries[--etfs_nr_boot].key);
	kvfree(etfs_boot_entries);
	etfs_boot_entries = NULL;
}

static size_t etfs_boot_copy(char *to, size_t room, const char *piece,
			     size_t *skip)
{
	size_t len = strlen(piece), n;

	if (*skip >= len) {
		*skip -= len;
		return 0;
	}
	n = min(room, len - *skip);
	memcpy(to, piece + *skip, n);
	*skip = 0;
	return n;
}

static ssize_t etfs_boot_read(struct file *file, struct kobject *kobj,
			      const struct bin_attribute *attr, char *buf,
			      loff_t pos, size_t count)
{
	size_t skip = pos, done = 0;
	struct etfs_boot_entry *entry;
	char status[16];

	mutex_lock(&etfs_boot_lock);
	for (entry = etfs_boot_entries;
	     entry < etfs_boot_entries + etfs_nr_boot && done < count;
	     entry++) {
		snprintf(status, sizeof(status), "%d ", entry->status);
		done += etfs_boot_copy(buf + done, count - done, status, &skip);
		done += etfs_boot_copy(buf + done, count - done, entry->key,
				       &skip);
		done += etfs_boot_copy(buf + done, count - done, "\n", &skip);
	}
	mutex_unlock(&etfs_boot_lock);
	return done;
}

COMPAT_BIN_READ(etfs_boot_read)

const struct bin_attribute etfs_boot_attribute = {
	.attr	= { .name = "boot_status", .mode = 0400 },
	.read	= compat_op(bin_attribute, read, etfs_boot_read),
};

/* The table is filled */

/* The key in its canonical form replaces the one that was written. */
static void etfs_boot_rename(struct etfs_boot_entry *entry, const char *key)
{
	char *text = etfs_boot_escape(key);

	if (!text)
		return;
	mutex_lock(&etfs_boot_lock);
	swap(entry->key, text);
	mutex_unlock(&etfs_boot_lock);
	kfree(text);
}

static int etfs_boot_try(struct etfs_boot_entry *entry, u32 nr,
			 struct etfs_origin *origin)
{
	struct etfs_batch batch;
	struct etfs_op *op;
	int err;

	err = etfs_batch_init(&batch, &etfs_host_table, origin);
	if (err)
		return err;
	batch.may_devices = true;
	err = -ENOMEM;
	op = etfs_batch_next(&batch);
	if (!op)
		goto exit_batch;
	batch.why.line = nr;
	batch.err = etfs_spec_parse(entry->text, op, &batch.why);
	if (op->spec.key)
		etfs_boot_rename(entry, op->spec.key);
	if (!batch.err)
		batch.nr_ops++;
	err = etfs_batch_apply(&batch);
	if (err)
		etfs_error_set(&batch.why);
exit_batch:
	etfs_batch_exit(&batch);
	return err;
}

/*
 * As the process that loads the module, but from init's root. Context: the
 * table is there for everybody.
 */
void etfs_boot_apply(void)
{
	bool allowed = capable(CAP_SYS_ADMIN);
	struct etfs_origin *origin;
	u32 i;

	if (!etfs_nr_boot)
		return;
	origin = etfs_origin_of_init(current_cred());
	for (i = 0; i < etfs_nr_boot && !fatal_signal_pending(current); i++) {
		struct etfs_boot_entry *entry = &etfs_boot_entries[i];
		int err = allowed ? -ENOMEM : -EPERM;

		if (allowed && origin)
			err = etfs_boot_try(entry, i + 1, origin);
		mutex_lock(&etfs_boot_lock);
		entry->status = -err;
		mutex_unlock(&etfs_boot_lock);
	}
	if (origin)
		etfs_origin_put(origin);
	etfs_boot_free(&etfs_boot_text);
}
