// SPDX-License-Identifier: GPL-2.0
/* One line of the table: what it may say, what it may not, how it is printed. */

#include "lib/fixture.h"

#define F HOST "/f"	/* 1 MB */

/*
 * Lines that are refused, each with its errno and a word of the reason, if the
 * reason is of a kind that has to be told. "/k" is always the key.
 */
FIXTURE(bad)
{
};

FIXTURE_SETUP(bad)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(F, "bytes"));
	ASSERT_EQ(0, truncate(F, 1 << 20));
}

FIXTURE_TEARDOWN(bad)
{
	teardown_mount();
}

FIXTURE_VARIANT(bad)
{
	const char *line;
	int expected_errno;
};

#define BAD(name, text, err) \
	FIXTURE_VARIANT_ADD(bad, name) { .line = text, .expected_errno = err }

/* The form of the line. */
BAD(key_alone, "/k", EINVAL);
BAD(no_type, "/k " F, EINVAL);
BAD(five_fields, "/k " F " reg ro more", EINVAL);
BAD(word, "hello", EINVAL);
BAD(word_with_fields, "hello " F " reg", EINVAL);
BAD(flush_what, "flush now", EINVAL);
BAD(flush_twice, "flush lazy lazy", EINVAL);
BAD(flushed, "flushed", EINVAL);
BAD(remove_how, "-/k gently", EINVAL);
BAD(remove_how_twice, "-/k lazy busy", EINVAL);
BAD(remove_nothing, "-", EINVAL);
BAD(remove_relative, "-k", EINVAL);
BAD(remove_tag_empty, "-@", EINVAL);
BAD(remove_tag_how, "-@t softly", EINVAL);
BAD(replace_relative, "=k " F " reg", EINVAL);
BAD(replace_blank, "= /k " F " reg", EINVAL);

/* The key. */
BAD(key_relative, "k " F " reg", EINVAL);
BAD(key_root, "/ " F " reg", EINVAL);
BAD(key_slashes_only, "/// " F " reg", EINVAL);
BAD(key_dot, "/k/./l " F " reg", EINVAL);
BAD(key_dot_last, "/k/. " F " reg", EINVAL);
BAD(key_dotdot, "/k/../l " F " reg", EINVAL);
BAD(key_dotdot_first, "/.. " F " reg", EINVAL);
BAD(key_dot_escaped, "/k/\\056\\056/l " F " reg", EINVAL);

/* The escapes. */
BAD(escape_at_the_end, "/k\\ " F " reg", EINVAL);
BAD(escape_two_digits, "/k\\04 " F " reg", EINVAL);
BAD(escape_letter, "/k\\n " F " reg", EINVAL);
BAD(escape_backslash, "/k\\\\ " F " reg", EINVAL);
BAD(escape_eight, "/k\\080 " F " reg", EINVAL);
BAD(escape_too_large, "/k\\400 " F " reg", EINVAL);
BAD(escape_nul, "/k\\000 " F " reg", EINVAL);
BAD(escape_nul_host, "/k " F "\\000 reg", EINVAL);
BAD(escape_bad_in_host, "/k " F "\\9 reg", EINVAL);
BAD(escape_bad_in_option, "/k " F " reg tag=\\x41", EINVAL);

/* The host path. */
BAD(host_relative, "/k f reg", EINVAL);

/* The type. */
BAD(type_unknown, "/k " F " file", EINVAL);
BAD(type_upper, "/k " F " REG", EINVAL);
BAD(type_longer, "/k " F " regs", EINVAL);

/* The options. */
BAD(option_unknown, "/k " F " reg fast", EINVAL);
BAD(option_empty, "/k " F " reg ro,", EINVAL);
BAD(option_empty_first, "/k " F " reg ,ro", EINVAL);
BAD(option_dash_and_more, "/k " F " reg -,ro", EINVAL);
BAD(option_twice, "/k " F " reg ro,ro", EINVAL);
BAD(option_hidden_twice, "/k " F " reg hidden,hidden", EINVAL);
BAD(option_offset_twice, "/k " F " reg offset=0,offset=0", EINVAL);
BAD(option_both_ways, "/k " F " reg ro,rw", EINVAL);
BAD(option_value_for_flag, "/k " F " reg ro=1", EINVAL);
BAD(option_no_value, "/k " F " reg offset", EINVAL);
BAD(offset_empty, "/k " F " reg offset=", EINVAL);
BAD(offset_negative, "/k " F " reg offset=-1", EINVAL);
BAD(offset_unit, "/k " F " reg offset=1q", EINVAL);
BAD(offset_two_units, "/k " F " reg offset=1KK", EINVAL);
BAD(offset_unit_alone, "/k " F " reg offset=K", EINVAL);
BAD(offset_fraction, "/k " F " reg offset=1.5K", EINVAL);
BAD(offset_hex_alone, "/k " F " reg offset=0x", EINVAL);
BAD(offset_host, "/k " F " reg offset=host", EINVAL);
BAD(offset_64_bits, "/k " F " reg offset=18446744073709551616", EINVAL);
BAD(offset_unit_overflow, "/k " F " reg offset=99999999999999T", EINVAL);
BAD(offset_unit_wraps, "/k " F " reg offset=36028797018963968s", EINVAL);
BAD(size_word, "/k " F " reg size=all", EINVAL);
BAD(size_empty, "/k " F " reg size=", EINVAL);
BAD(mode_not_octal, "/k " F " reg mode=0689", EINVAL);
BAD(mode_with_type, "/k " F " reg mode=100644", EINVAL);
BAD(uid_word, "/k " F " reg uid=root", EINVAL);
BAD(uid_none, "/k " F " reg uid=4294967295", EINVAL);
BAD(gid_too_large, "/k " F " reg gid=4294967296", EINVAL);
BAD(tag_empty, "/k " F " reg tag=", EINVAL);
BAD(tag_64_bytes,
    "/k " F " reg "
    "tag=0123456789012345678901234567890123456789012345678901234567890123",
    EINVAL);
BAD(bs_on_reg, "/k " F " reg bs=512", EINVAL);
BAD(dio_on_reg, "/k " F " reg dio", EINVAL);
BAD(part_on_reg, "/k " F " reg part", EINVAL);
BAD(fail_on_reg, "/k " F " reg fail=1/1", EINVAL);
BAD(pin_on_blk, "/k " F " blk pin", EINVAL);
BAD(pin_on_chr, "/k " F " chr pin", EINVAL);
BAD(bs_on_chr, "/k " F " chr bs=512", EINVAL);
BAD(dio_on_chr, "/k " F " chr dio", EINVAL);
BAD(part_on_chr, "/k " F " chr part", EINVAL);
BAD(part_twice, "/k " F " blk part,part", EINVAL);
BAD(part_with_value, "/k " F " blk part=1", EINVAL);
BAD(fail_without_seed, "/k " F " blk fail=1", EINVAL);
BAD(fail_none, "/k " F " blk fail=0/1", EINVAL);
BAD(fail_too_many, "/k " F " blk fail=10001/1", EINVAL);
BAD(fail_seed_missing, "/k " F " blk fail=1/", EINVAL);
BAD(fail_seed_too_big, "/k " F " blk fail=1/4294967296", EINVAL);
BAD(fail_on_chr, "/k " F " chr fail=1/1", EINVAL);
BAD(bs_too_small, "/k " F " blk bs=256", EINVAL);
BAD(bs_too_large, "/k " F " blk bs=8192", EINVAL);
BAD(bs_odd, "/k " F " blk bs=1000", EINVAL);

/* The window against the file: 1 MB. */
BAD(window_past_the_end, "/k " F " reg offset=512K,size=1M", EINVAL);
BAD(window_one_byte_past, "/k " F " reg offset=1,size=1M", EINVAL);
BAD(window_size_past, "/k " F " reg size=1048577", EINVAL);
BAD(window_offset_past, "/k " F " reg offset=1048577", EINVAL);
BAD(window_far_away, "/k " F " reg offset=1T,size=1", EINVAL);
BAD(window_sum_overflows, "/k " F " reg offset=9223372036854775807,size=9223372036854775807",
    EINVAL);
BAD(window_sum_wraps, "/k " F " reg offset=4096,size=18446744073709551615", EINVAL);
BAD(window_sum_wraps_to_1, "/k " F " reg offset=18446744073709551615,size=2", EINVAL);
BAD(window_blk_past, "/k " F " blk offset=512K,size=1M", EINVAL);
BAD(window_chr_past, "/k " F " chr offset=1,size=1M", EINVAL);

TEST_F(bad, is_refused_and_explained)
{
	unsigned long long gen = table_gen();
	unsigned int line, column;

	EXPECT_EQ(variant->expected_errno, table("%s", variant->line));

	/* Where: the first line, a column within it. */
	ASSERT_EQ(2, sscanf(last_error(), "%u:%u: ", &line, &column)) {
		TH_LOG("last_error: %s", last_error());
	}
	EXPECT_EQ(1, line);
	EXPECT_LE(1, column);
	EXPECT_GE(strlen(variant->line) + 1, column);

	/* And nothing is changed. */
	EXPECT_EQ(0, rows_are(""));
	EXPECT_EQ(gen, table_gen());
	EXPECT_EQ(0, count_names(MNT));
}

/* Lines that are taken, and how their row is printed. */
FIXTURE(good)
{
};

FIXTURE_SETUP(good)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(F, "bytes"));
	ASSERT_EQ(0, truncate(F, 1 << 20));
	ASSERT_EQ(0, put_text(HOST "/a b", "blank"));
	ASSERT_EQ(0, put_text(HOST "/x,y", "comma"));
}

FIXTURE_TEARDOWN(good)
{
	teardown_mount();
}

FIXTURE_VARIANT(good)
{
	const char *line;
	const char *expected_row;
};

#define GOOD(name, text, row)                          \
	FIXTURE_VARIANT_ADD(good, name)                \
	{                                              \
		.line = text, .expected_row = row "\n" \
	}

GOOD(shortest, "/k " F " reg", "/k " F " reg rw");
GOOD(dash, "/k " F " reg -", "/k " F " reg rw");
GOOD(explicit_rw, "/k " F " reg rw", "/k " F " reg rw");
GOOD(ro, "/k " F " reg ro", "/k " F " reg ro");
GOOD(blanks, " \t /k\t  " F "\treg \t ro  ", "/k " F " reg ro");
GOOD(slashes, "//k///l// " F " reg", "/k/l " F " reg rw");
GOOD(replace_of_nothing, "=/k " F " reg", "/k " F " reg rw");
GOOD(key_like_command, "/-k " F " reg", "/-k " F " reg rw");
GOOD(key_with_hash, "/#k " F " reg", "/#k " F " reg rw");
GOOD(key_with_dots, "/..k/k../... " F " reg", "/..k/k../... " F " reg rw");
GOOD(key_comma, "/x,y " F " reg", "/x,y " F " reg rw");
GOOD(key_blank, "/a\\040b " F " reg", "/a\\040b " F " reg rw");
GOOD(key_tab, "/a\\011b " F " reg", "/a\\011b " F " reg rw");
GOOD(key_newline, "/a\\012b " F " reg", "/a\\012b " F " reg rw");
GOOD(key_backslash, "/a\\134b " F " reg", "/a\\134b " F " reg rw");
GOOD(key_control, "/a\\001b " F " reg", "/a\\001b " F " reg rw");
GOOD(key_letter_escaped, "/\\101 " F " reg", "/A " F " reg rw");
GOOD(key_utf8, "/\303\244 " F " reg", "/\303\244 " F " reg rw");
GOOD(host_blank, "/k " HOST "/a\\040b reg", "/k " HOST "/a\\040b reg rw");
GOOD(host_comma, "/k " HOST "/x,y reg", "/k " HOST "/x,y reg rw");
GOOD(offset_zero, "/k " F " reg offset=0", "/k " F " reg rw");
GOOD(size_of_host, "/k " F " reg size=host", "/k " F " reg rw");
GOOD(offset_decimal, "/k " F " reg offset=1000", "/k " F " reg rw,offset=1000");
GOOD(offset_hex, "/k " F " reg offset=0x1fF", "/k " F " reg rw,offset=511");
GOOD(offset_sectors, "/k " F " reg offset=3s", "/k " F " reg rw,offset=1536");
GOOD(offset_kilo, "/k " F " reg offset=3K", "/k " F " reg rw,offset=3072");
GOOD(offset_hex_kilo, "/k " F " reg offset=0x10K", "/k " F " reg rw,offset=16384");
GOOD(size_mega, "/k " F " reg size=1M", "/k " F " reg rw,size=1048576");
GOOD(size_decimal, "/k " F " reg size=7", "/k " F " reg rw,size=7");
GOOD(uid, "/k " F " reg uid=1234", "/k " F " reg rw,uid=1234");
GOOD(gid, "/k " F " reg gid=4294967294", "/k " F " reg rw,gid=4294967294");
GOOD(hidden, "/k " F " reg hidden", "/k " F " reg rw,hidden");
GOOD(tag, "/k " F " reg tag=web", "/k " F " reg rw,tag=web");
GOOD(tag_comma, "/k " F " reg tag=a\\054b", "/k " F " reg rw,tag=a\\054b");
GOOD(tag_blank, "/k " F " reg tag=a\\040b", "/k " F " reg rw,tag=a\\040b");
GOOD(tag_equals, "/k " F " reg tag=a=b", "/k " F " reg rw,tag=a=b");
GOOD(tag_63_bytes, "/k " F " reg "
     "tag=012345678901234567890123456789012345678901234567890123456789012",
     "/k " F " reg rw,"
     "tag=012345678901234567890123456789012345678901234567890123456789012");
GOOD(blk, "/k " F " blk ro", "/k " F " blk ro");
GOOD(blk_bs, "/k " F " blk bs=4096", "/k " F " blk rw,bs=4096");
GOOD(chr, "/k " F " chr", "/k " F " chr rw");
GOOD(chr_ro, "/k " F " chr ro,tag=t", "/k " F " chr ro,tag=t");
GOOD(chr_window, "/k " F " chr size=3,offset=1",
     "/k " F " chr rw,offset=1,size=3");

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Put the options at the end of a row in order: only the set of them counts. */
static char *sorted(const char *row)
{
	char *copy = strdup(row), *words[16], *word, *options, *out;
	int n = 0, i;

	copy[strcspn(copy, "\n")] = '\0';
	options = strrchr(copy, ' ');
	if (!options)
		return copy;
	for (word = strtok(options + 1, ","); word && n < 16;
	     word = strtok(NULL, ","))
		words[n++] = word;
	qsort(words, n, sizeof(*words), by_text);
	out = malloc(strlen(row) + 16);
	*options = '\0';
	strcpy(out, copy);
	for (i = 0; i < n; i++) {
		strcat(out, i ? "," : " ");
		strcat(out, words[i]);
	}
	free(copy);
	return out;
}

static bool only_row_is(const char *expected)
{
	char *rows = table_rows();
	char *a = sorted(rows ?: ""), *b = sorted(expected);
	bool same = rows && strchr(rows, '\n') == rows + strlen(rows) - 1 &&
		    !strcmp(a, b);

	if (!same)
		printf("# the rows are:\n%s", rows ?: "unreadable\n");
	free(rows);
	free(a);
	free(b);
	return same;
}

TEST_F(good, is_taken_and_printed)
{
	char *printed;

	ASSERT_EQ(0, table("%s", variant->line)) {
		TH_LOG("last_error: %s", last_error());
	}
	EXPECT_TRUE(only_row_is(variant->expected_row));

	/* What is printed says the same when it is read again. */
	printed = table_rows();
	ASSERT_NE(NULL, printed);
	ASSERT_EQ(0, table("flush"));
	ASSERT_EQ(0, table_write(printed, strlen(printed)));
	EXPECT_EQ(0, rows_are(printed));
	free(printed);
}

static int escape(char *out, int byte)
{
	return sprintf(out, "\\%03o", byte);
}

static int save_flush_restore(void)
{
	char *before = slurp(TABLE, 65536, NULL), *rows = table_rows(), *at,
	     *end;
	int err = before && rows ? table("flush") : EIO;

	if (!err)
		err = rows_are("");

	/* As cat would: the whole text, at most 4096 bytes and whole lines each. */
	for (at = before; !err && *at; at = end) {
		end = strlen(at) > 4096 ? at + 4096 : at + strlen(at);
		while (end[-1] != '\n')
			end--;
		err = table_write(at, end - at);
	}
	if (!err)
		err = rows_are(rows);
	free(before);
	free(rows);
	return err;
}

FIXTURE(text)
{
};

FIXTURE_SETUP(text)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(F, "bytes"));
	ASSERT_EQ(0, truncate(F, 1 << 20));
}

FIXTURE_TEARDOWN(text)
{
	teardown_mount();
}

TEST_F(text, modes_are_octal)
{
	const char *row;

	ASSERT_EQ(0, table("/k " F " reg mode=0640"));
	row = row_of("/k");
	ASSERT_NE(NULL, row);
	ASSERT_NE(NULL, strstr(row, "mode="));
	EXPECT_EQ(0640, strtol(strstr(row, "mode=") + 5, NULL, 8));
	EXPECT_EQ(S_IFREG | 0640, mode_of(MNT "/k"));
	ASSERT_EQ(0, table("=/k " F " reg mode=7755"));
	EXPECT_EQ(07755, strtol(strstr(row_of("/k"), "mode=") + 5, NULL, 8));
}

TEST_F(text, all_options_together)
{
	ASSERT_EQ(0, table("/k " F " reg ro,offset=4K,size=8K,"
			   "mode=600,uid=1,gid=2,hidden,tag=t"));
	EXPECT_EQ(8, row_options("/k"));
	EXPECT_TRUE(row_has("/k", "ro"));
	EXPECT_TRUE(row_has("/k", "offset=4096"));
	EXPECT_TRUE(row_has("/k", "size=8192"));
	EXPECT_TRUE(row_has("/k", "uid=1"));
	EXPECT_TRUE(row_has("/k", "gid=2"));
	EXPECT_TRUE(row_has("/k", "hidden"));
	EXPECT_TRUE(row_has("/k", "tag=t"));
}

TEST_F(text, components_end_at_255_bytes)
{
	char name[257] = {}, row[512];

	memset(name, 'n', 255);
	EXPECT_EQ(0, table("/%s/%s " F " reg", name, name));
	EXPECT_EQ(0, table("-/%s/%s", name, name));
	name[255] = 'n';
	EXPECT_EQ(ENAMETOOLONG, table("/%s " F " reg", name));
	EXPECT_EQ(ENAMETOOLONG, table("/k/%s/l " F " reg", name));

	/* It is the name that counts, not its spelling. */
	EXPECT_EQ(0, table("/\\156%s " F " reg", name + 2));
	name[255] = '\0';
	snprintf(row, sizeof(row), "/%s " F " reg rw\n", name);
	EXPECT_EQ(0, rows_are(row));
}

TEST_F(text, lines_end_at_4095_bytes)
{
	static char line[8192];
	size_t len;

	/* A comment of 4095 bytes, with a newline and without. */
	memset(line, '#', sizeof(line));
	line[4095] = '\n';
	EXPECT_EQ(0, table_write(line, 4096));
	EXPECT_EQ(0, table_write(line, 4095));
	line[4095] = '#';
	EXPECT_EQ(E2BIG, table_write(line, 4096));
	EXPECT_EQ(E2BIG, table_write(line, 4097));
	EXPECT_EQ(E2BIG, table_write(line, 8192));

	/* A key of many components in a line that is just short enough. */
	len = sprintf(line, "/k");
	while (len + 2 < 4095 - strlen(" " F " reg rw"))
		len += sprintf(line + len, "/k");
	len += sprintf(line + len, " " F " reg rw");
	EXPECT_EQ(0, table_write(line, len)) {
		TH_LOG("last_error: %s", last_error());
	}
	EXPECT_EQ(0, save_flush_restore());
	EXPECT_EQ(0, table("flush"));
	EXPECT_EQ(0, count_names(MNT));
}

TEST_F(text, comments_and_blank_lines_are_ignored)
{
	unsigned long long gen = table_gen();

	EXPECT_EQ(0,
		  table("# a comment\n\n  \t \n  # another\n#\n#\\bad escape"));
	EXPECT_EQ(0, rows_are(""));
	EXPECT_EQ(gen, table_gen());
	EXPECT_EQ(0, table("#/k " F " reg\n/l " F " reg\n\n# end"));
	EXPECT_EQ(0, rows_are("/l " F " reg rw\n"));
}

TEST_F(text, a_nul_byte_is_refused)
{
	const char line[] = "/k\0 " F " reg\n";

	EXPECT_EQ(EINVAL, table_write(line, sizeof(line) - 1));
	EXPECT_EQ(0, rows_are(""));
}

TEST_F(text, the_last_newline_may_be_missing)
{
	const char line[] = "/k " F " reg";

	EXPECT_EQ(0, table_write(line, sizeof(line) - 1));
	EXPECT_EQ(0, rows_are("/k " F " reg rw\n"));
}

TEST_F(text, every_byte_survives_save_and_restore)
{
	char name[8], path[64], key[64], quoted[16];
	int byte;

	for (byte = 1; byte < 256; byte++) {
		if (byte == '/')
			continue;
		sprintf(name, "%cx", byte);
		escape(quoted, byte);
		snprintf(path, sizeof(path), HOST "/%s", name);
		ASSERT_EQ(0, put_text(path, name));
		ASSERT_EQ(0, table("/%sx " HOST "/%sx reg tag=%sx", quoted,
				   quoted, quoted)) {
			TH_LOG("byte %d: %s", byte, last_error());
		}
		snprintf(key, sizeof(key), MNT "/%s", name);
		EXPECT_EQ(0, text_is(key, name)) {
			TH_LOG("byte %d", byte);
		}
	}
	ASSERT_EQ(254, count_names(MNT));
	ASSERT_EQ(0, save_flush_restore()) {
		TH_LOG("last_error: %s", last_error());
	}
	for (byte = 1; byte < 256; byte++) {
		if (byte == '/')
			continue;
		sprintf(name, "%cx", byte);
		snprintf(key, sizeof(key), MNT "/%s", name);
		EXPECT_EQ(0, text_is(key, name)) {
			TH_LOG("byte %d", byte);
		}
		escape(quoted, byte);
		EXPECT_EQ(0, table("-@%sx", quoted)) {
			TH_LOG("byte %d: %s", byte, last_error());
		}
	}
	EXPECT_EQ(0, rows_are(""));
}

TEST_F(text, raw_bytes_are_taken_where_nothing_else_is_meant)
{
	char line[64], key[32];
	int byte;

	for (byte = 1; byte < 256; byte++) {
		if (strchr("\t\n /\\.", byte))
			continue;
		snprintf(line, sizeof(line), "/%c " F " reg", byte);
		/* Other control bytes may be asked to be escaped. */
		if (table_write(line, strlen(line)) &&
		    (byte < 32 || byte == 127))
			continue;
		snprintf(key, sizeof(key), MNT "/%c", byte);
		EXPECT_EQ(1 << 20, size_of(key)) {
			TH_LOG("byte %d", byte);
		}
	}
}

TEST_F(text, header_and_footer_frame_the_rows)
{
	unsigned long long gen, n, end, last = table_gen();
	size_t header, i;
	char *text, *footer;

	text = slurp(TABLE, 65536, NULL);
	ASSERT_NE(NULL, text);
	header = strcspn(text, "\n");
	free(text);
	for (i = 1; i < 15; i++) {
		ASSERT_EQ(0, table("/k%02zu " F " reg", i));
		text = slurp(TABLE, 65536, NULL);
		ASSERT_NE(NULL, text);
		ASSERT_EQ(2,
			  sscanf(text, "# etfs 1 gen=%llu n=%llu", &gen, &n));
		EXPECT_EQ(i, n);
		EXPECT_LT(last, gen);
		last = gen;
		EXPECT_EQ(header, strcspn(text, "\n"));
		footer = strstr(text, "# end");
		ASSERT_NE(NULL, footer);
		ASSERT_EQ(1, sscanf(footer, "# end gen=%llu", &end));
		EXPECT_EQ(gen, end);
		EXPECT_EQ('\n', footer[strlen(footer) - 1]);
		free(text);
	}
	ASSERT_EQ(0, table("-/k01"));
	EXPECT_LT(last, table_gen());

	/* What is refused does not count. */
	last = table_gen();
	EXPECT_EQ(EEXIST, table("/k02 " F " reg"));
	EXPECT_EQ(ENOENT, table("-/k01"));
	EXPECT_EQ(last, table_gen());
}

TEST_F(text, rows_are_sorted_by_bytes)
{
	ASSERT_EQ(0, table("/b " F " reg\n/a/z " F " reg\n/a-b " F " reg\n/B " F
			   " reg\n"
			   "/\303\244 " F " reg\n/a0 " F " reg\n/a\\001 " F
			   " reg"));
	EXPECT_EQ(0, rows_are("/B " F " reg rw\n/a\\001 " F " reg rw\n/a-b " F
			      " reg rw\n"
			      "/a/z " F " reg rw\n/a0 " F " reg rw\n/b " F
			      " reg rw\n"
			      "/\303\244 " F " reg rw\n"));
}

TEST_F(text, reads_in_any_pieces_are_equal)
{
	const size_t pieces[] = { 1, 7, 4095, 4097 };
	size_t len, i, nr = is_sanitized() ? 170 : 250;
	char *whole, *text;

	for (i = 0; i < nr; i++)
		ASSERT_EQ(0,
			  table("/dir%zu/key%zu " F " reg offset=%zu,size=%zu",
				i % 7, i, i, 1000 * i + 1));
	whole = slurp(TABLE, 65536, &len);
	ASSERT_NE(NULL, whole);
	EXPECT_LT(8192, len);
	for (i = is_sanitized(); i < ARRAY_SIZE(pieces); i++) {
		text = slurp(TABLE, pieces[i], NULL);
		ASSERT_NE(NULL, text);
		EXPECT_EQ(0, strcmp(whole, text)) {
			TH_LOG("in pieces of %zu", pieces[i]);
		}
		free(text);
	}

	/* From the middle, too. */
	text = malloc(len);
	EXPECT_EQ(1000, get_bytes(TABLE, text, 1000, len / 2));
	EXPECT_EQ(0, memcmp(text, whole + len / 2, 1000));
	EXPECT_EQ(0, get_bytes(TABLE, text, 1000, len));
	free(text);
	free(whole);
	ASSERT_EQ(0, save_flush_restore());
}

TEST_F(text, a_long_row_is_not_cut)
{
	char key[1021] = {}, expected[1100];
	int i;

	for (i = 0; i < 255; i++)
		escape(key + 4 * i, 1 + i % 8);
	ASSERT_EQ(0, table("/%s " F " reg", key));
	snprintf(expected, sizeof(expected), "/%s " F " reg rw\n", key);
	EXPECT_EQ(0, rows_are(expected));
}

/* A line of the shortest components whose row has len bytes. */
static char *line_of_row(char *line, size_t len, const char *rest,
			 const char *added)
{
	size_t end = len - strlen(rest) - strlen(added), at = 0;

	while (at + 3 < end)
		at += sprintf(line + at, "/k");
	while (at < end)
		line[at++] = 'k';
	strcpy(line + at, rest);
	return line;
}

/* Else a saved table would not load: such a line is E2BIG. */
TEST_F(text, a_row_that_no_line_can_hold_is_refused)
{
	static const char lost[] = "# unrestorable: ";
	static char line[8192];
	size_t len = 0;
	char *rows;

	/* " rw" is added to what is written. */
	EXPECT_EQ(0, table("%s", line_of_row(line, 4095, " " F " reg", " rw")));
	EXPECT_EQ(0, save_flush_restore());
	EXPECT_EQ(0, table("flush"));
	EXPECT_EQ(E2BIG,
		  table("%s", line_of_row(line, 4096, " " F " reg", " rw")));
	EXPECT_TRUE(last_error_has("1:1: /k/k"));
	EXPECT_TRUE(last_error_has("a row of 4096 bytes"));

	/* A bound file may lose its name, and then that is told, too. */
	EXPECT_EQ(0, table("%s", line_of_row(line, 4095, " " F " reg rw,pin",
					     lost)));
	ASSERT_EQ(0, unlink(F));
	ASSERT_EQ(0, put_text(F, "another"));
	EXPECT_EQ(0, table("/l " F " reg"));
	rows = table_rows();
	ASSERT_NE(NULL, rows);
	EXPECT_EQ(0, strncmp(rows, lost, strlen(lost)));
	EXPECT_EQ(4095, strchr(rows, '\n') - rows);
	EXPECT_EQ(0, table("flush"));
	EXPECT_EQ(0, table_write(rows, 4096));
	EXPECT_EQ(0, rows_are(""));
	free(rows);
	EXPECT_EQ(E2BIG, table("%s", line_of_row(line, 4096,
						 " " F " reg rw,pin", lost)));
	EXPECT_EQ(E2BIG, table("%s", line_of_row(line, 4096,
						 " " F " blk rw", lost)));

	/* A control byte is written as one, and printed as four. */
	while (len < 1400)
		len += sprintf(line + len, "/\001\001\001");
	strcpy(line + len, " " F " reg");
	EXPECT_EQ(E2BIG, table("%s", line));
	EXPECT_EQ(0, rows_are(""));
}

TEST_HARNESS_MAIN
