// SPDX-License-Identifier: GPL-2.0
/* Which operations on its mount's table a directory takes, and which not. */

#include "lib/apply.h"

#define F HOST "/f"
#define G HOST "/g"
#define D HOST "/d"
#define KEY MNT "/k"
#define TOTAL 65536

#define TAG63 "012345678901234567890123456789012345678901234567890123456789012"

static int make_hosts(void)
{
	int err = fill(F, TOTAL, 1) ?: put_text(G, "other");

	if (err || mkdir(D, 0755) || mkdir(D "/sub", 0755))
		return err ?: errno;
	return put_text(D "/a", "in d");
}

/* What is taken, and the row it makes. */
FIXTURE(taken)
{
	int fd;
};

FIXTURE_VARIANT(taken)
{
	struct rumpfs_op op;
	const char *row;
};

#define TAKEN(name, row_, type, ...)				\
	FIXTURE_VARIANT_ADD(taken, name) {			\
		.row = row_,					\
		.op = { MAP(ADD, "/k", F, type, ## __VA_ARGS__) } }

TAKEN(reg, F " reg rw", REG);
TAKEN(blk, F " blk rw", BLK);
TAKEN(chr, F " chr rw", CHR);
TAKEN(dir, D " dir rw", DIR, .host = AT(D));
TAKEN(subdirs, D " subdirs rw", SUBDIRS, .host = AT(D));
TAKEN(dir_without_size, D " dir rw", DIR, .host = AT(D), .size = 0);
TAKEN(subdirs_without_size, D " subdirs rw", SUBDIRS, .host = AT(D), .size = 0);
TAKEN(ro, F " reg ro", REG, .flags = RUMPFS_MAP_RO);
TAKEN(blk_ro, F " blk ro", BLK, .flags = RUMPFS_MAP_RO);
TAKEN(chr_ro, F " chr ro", CHR, .flags = RUMPFS_MAP_RO);
TAKEN(dir_ro, D " dir ro", DIR, .host = AT(D), .flags = RUMPFS_MAP_RO);
TAKEN(pin, F " reg rw,pin", REG, .flags = RUMPFS_MAP_PIN);
TAKEN(dir_pin, D " dir rw,pin", DIR, .host = AT(D), .flags = RUMPFS_MAP_PIN);
TAKEN(subdirs_pin, D " subdirs rw,pin", SUBDIRS, .host = AT(D),
      .flags = RUMPFS_MAP_PIN);
TAKEN(hidden, F " reg rw,hidden", REG, .flags = RUMPFS_MAP_HIDDEN);
TAKEN(blk_hidden, F " blk rw,hidden", BLK, .flags = RUMPFS_MAP_HIDDEN);
TAKEN(uid, F " reg rw,uid=7", REG, .flags = RUMPFS_MAP_UID, .uid = 7);
TAKEN(uid_zero, F " reg rw,uid=0", REG, .flags = RUMPFS_MAP_UID);
TAKEN(gid, F " chr rw,gid=8", CHR, .flags = RUMPFS_MAP_GID, .gid = 8);
TAKEN(dir_uid, D " dir rw,uid=9", DIR, .host = AT(D), .flags = RUMPFS_MAP_UID,
      .uid = 9);
TAKEN(window, F " reg rw,offset=4096,size=8192", REG, .offset = 4096,
      .size = 8192);
TAKEN(blk_window, F " blk rw,offset=513,size=1000", BLK, .offset = 513,
      .size = 1000);
TAKEN(chr_window, F " chr rw,offset=1,size=2", CHR, .offset = 1, .size = 2);
TAKEN(window_whole, F " reg rw,size=65536", REG, .size = TOTAL);
TAKEN(tag, F " reg rw,tag=t", REG, .tag = AT("t"));
TAKEN(tag_longest, F " reg rw,tag=" TAG63, REG, .tag = AT(TAG63));
TAKEN(bs, F " blk rw,bs=4096", BLK, .bs = 4096);
TAKEN(bs_1024, F " blk rw,bs=1024", BLK, .bs = 1024);
TAKEN(part, F " blk rw,part", BLK, .flags = RUMPFS_MAP_PART);
TAKEN(fail, F " blk rw,fail=5/77", BLK, .fail = 5, .fail_seed = 77);
TAKEN(fail_all, F " blk rw,fail=10000/0", BLK, .fail = 10000);
TAKEN(slashes, F " reg rw", REG, .key = AT("///k//"));
TAKEN(absolute_beside_a_fd, F " reg rw", REG, .host_fd = 9999);
TAKEN(absolute_at_cwd, F " reg rw", REG, .host_fd = AT_FDCWD);

FIXTURE_SETUP(taken)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_hosts());
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(taken)
{
	teardown_mount();
}

TEST_F(taken, makes_a_row)
{
	struct rumpfs_op op = variant->op;
	char row[512];
	int err;

	snprintf(row, sizeof(row), "/k %s\n", variant->row);
	err = apply_call(self->fd, &op, 1, RUMPFS_APPLY_DRY_RUN, 0);
	EXPECT_EQ(0, err) TH_LOG("%s", sentence);
	EXPECT_EQ(0, rows_are(""));
	EXPECT_EQ(0, apply_call(self->fd, &op, 1, 0, 0)) {
		TH_LOG("%s", sentence);
	}
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_TRUE(sentence_is_sound(0));
	EXPECT_EQ(0, rows_are(row));
	EXPECT_EQ(0, rows_at(self->fd, row));
	EXPECT_EQ(0, stat_err(KEY));

	/* It is taken now, but may be set again. */
	EXPECT_EQ(EEXIST, apply_call(self->fd, &op, 1, 0, 0));
	op.op = RUMPFS_OP_SET;
	EXPECT_EQ(0, apply_call(self->fd, &op, 1, 0, 0));
	EXPECT_EQ(0, rows_are(row));
	EXPECT_EQ(0, APPLY(self->fd, REMOVE("/k")));
	EXPECT_EQ(0, rows_are(""));
	EXPECT_EQ(ENOENT, stat_err(KEY));
	EXPECT_EQ(0, apply_call(self->fd, &op, 1, 0, 0));
	EXPECT_EQ(0, rows_are(row));
}

/* What is refused, and how. */
FIXTURE(refused)
{
	int fd;
};

FIXTURE_VARIANT(refused)
{
	struct rumpfs_op op;
	int expected_errno;
	bool is_keyless;
};

#define REFUSED(name, err, type, ...)				\
	FIXTURE_VARIANT_ADD(refused, name) {			\
		.expected_errno = err,				\
		.op = { MAP(ADD, "/k", F, type, ## __VA_ARGS__) } }
/* The same, and no key is there to be named. */
#define KEYLESS(name, err, type, ...)				\
	FIXTURE_VARIANT_ADD(refused, name) {			\
		.expected_errno = err, .is_keyless = true,	\
		.op = { MAP(ADD, "/k", F, type, ## __VA_ARGS__) } }
#define ODD_REMOVE(name, err, ...)				\
	FIXTURE_VARIANT_ADD(refused, name) {			\
		.expected_errno = err,				\
		.op = { .op = RUMPFS_OP_REMOVE, .host_fd = -1,	\
			.key = AT("/old"), ## __VA_ARGS__ } }
#define ODD_TAG(name, err, ...)					\
	FIXTURE_VARIANT_ADD(refused, name) {			\
		.expected_errno = err, .is_keyless = true,	\
		.op = { .op = RUMPFS_OP_REMOVE_TAG,		\
			.host_fd = -1, .tag = AT("t"), ## __VA_ARGS__ } }
#define ODD_FLUSH(name, err, ...)				\
	FIXTURE_VARIANT_ADD(refused, name) {			\
		.expected_errno = err, .is_keyless = true,	\
		.op = { .op = RUMPFS_OP_FLUSH,			\
			.host_fd = -1, ## __VA_ARGS__ } }

KEYLESS(op_none, EINVAL, REG, .op = 0);
KEYLESS(op_unknown, EINVAL, REG, .op = 6);
KEYLESS(op_far, EINVAL, REG, .op = ~0U);
REFUSED(type_none, EINVAL, REG, .type = 0);
REFUSED(type_unknown, EINVAL, REG, .type = 6);
REFUSED(type_far, EINVAL, REG, .type = ~0U);
REFUSED(flag_unknown, EINVAL, REG, .flags = 1U << 10);
REFUSED(flag_far, EINVAL, REG, .flags = 1U << 31);
KEYLESS(reserved, EINVAL, REG, .reserved = 1);
REFUSED(add_busy, EINVAL, REG, .flags = RUMPFS_MAP_BUSY);
REFUSED(add_revoke, EINVAL, REG, .flags = RUMPFS_MAP_REVOKE);
REFUSED(set_busy, EINVAL, REG, .op = RUMPFS_OP_SET, .flags = RUMPFS_MAP_BUSY);

REFUSED(blk_pin, EINVAL, BLK, .flags = RUMPFS_MAP_PIN);
REFUSED(chr_pin, EINVAL, CHR, .flags = RUMPFS_MAP_PIN);
REFUSED(reg_dio, EINVAL, REG, .flags = RUMPFS_MAP_DIO);
REFUSED(chr_dio, EINVAL, CHR, .flags = RUMPFS_MAP_DIO);
REFUSED(dir_dio, EINVAL, DIR, .host = AT(D), .flags = RUMPFS_MAP_DIO);
REFUSED(reg_part, EINVAL, REG, .flags = RUMPFS_MAP_PART);
REFUSED(chr_part, EINVAL, CHR, .flags = RUMPFS_MAP_PART);
REFUSED(subdirs_part, EINVAL, SUBDIRS, .host = AT(D), .flags = RUMPFS_MAP_PART);
REFUSED(reg_bs, EINVAL, REG, .bs = 512);
REFUSED(chr_bs, EINVAL, CHR, .bs = 512);
REFUSED(dir_bs, EINVAL, DIR, .host = AT(D), .bs = 512);
REFUSED(reg_fail, EINVAL, REG, .fail = 1);
REFUSED(chr_fail, EINVAL, CHR, .fail = 1);
REFUSED(dir_fail, EINVAL, DIR, .host = AT(D), .fail = 1);
REFUSED(reg_fail_seed, EINVAL, REG, .fail_seed = 1);
REFUSED(blk_fail_too_many, EINVAL, BLK, .fail = 10001);
REFUSED(bs_small, EINVAL, BLK, .bs = 256);
REFUSED(bs_large, EINVAL, BLK, .bs = 8192);
REFUSED(bs_odd, EINVAL, BLK, .bs = 513);
REFUSED(bs_far, EINVAL, BLK, .bs = 1U << 31);

REFUSED(dir_offset, EISDIR, DIR, .host = AT(D), .offset = 1);
REFUSED(dir_size, EISDIR, DIR, .host = AT(D), .size = 1);
REFUSED(subdirs_offset, EISDIR, SUBDIRS, .host = AT(D), .offset = 1);
REFUSED(subdirs_size, EISDIR, SUBDIRS, .host = AT(D), .size = 4096);
REFUSED(mode_without_flag, EINVAL, REG, .mode = 0644);
REFUSED(uid_without_flag, EINVAL, REG, .uid = 1);
REFUSED(gid_without_flag, EINVAL, REG, .gid = 1);
REFUSED(mode_of_a_file, EINVAL, REG, .flags = RUMPFS_MAP_MODE, .mode = 0100644);
REFUSED(mode_far, EINVAL, REG, .flags = RUMPFS_MAP_MODE, .mode = ~0U);
REFUSED(mode_just_above, EINVAL, REG, .flags = RUMPFS_MAP_MODE, .mode = 010000);
REFUSED(uid_none, EINVAL, REG, .flags = RUMPFS_MAP_UID, .uid = ~0U);
REFUSED(gid_none, EINVAL, REG, .flags = RUMPFS_MAP_GID, .gid = ~0U);
REFUSED(tag_empty, EINVAL, REG, .tag = AT(""));
REFUSED(tag_long, EINVAL, REG, .tag = AT(TAG63 "4"));

KEYLESS(key_empty, EINVAL, REG, .key = AT(""));
KEYLESS(key_without_slash, EINVAL, REG, .key = AT("k"));
KEYLESS(key_root, EINVAL, REG, .key = AT("/"));
KEYLESS(key_slashes, EINVAL, REG, .key = AT("///"));
KEYLESS(key_dot, EINVAL, REG, .key = AT("/k/."));
KEYLESS(key_dot_within, EINVAL, REG, .key = AT("/k/./l"));
KEYLESS(key_dotdot, EINVAL, REG, .key = AT("/.."));
KEYLESS(key_dotdot_within, EINVAL, REG, .key = AT("/a/../k"));
KEYLESS(key_unmapped, EFAULT, REG, .key = 4096 - 64);
KEYLESS(key_null, EINVAL, REG, .key = 0);
KEYLESS(key_of_the_kernel, EFAULT, REG, .key = -4096ULL);
REFUSED(host_unmapped, EFAULT, REG, .host = 4096 - 64);
REFUSED(host_of_the_kernel, EFAULT, REG, .host = -4096ULL);
REFUSED(tag_unmapped, EFAULT, REG, .tag = 4096 - 64);
REFUSED(tag_of_the_kernel, EFAULT, REG, .tag = -4096ULL);

REFUSED(taken, EEXIST, REG, .key = AT("/old"));
REFUSED(below_a_reg, ENOTDIR, REG, .key = AT("/old/k"));
REFUSED(above_a_reg, ENOTEMPTY, REG, .key = AT("/dir"));
REFUSED(set_above, ENOTEMPTY, REG, .op = RUMPFS_OP_SET, .key = AT("/dir"));
REFUSED(set_below, ENOTDIR, REG, .op = RUMPFS_OP_SET, .key = AT("/old/k"));

REFUSED(host_missing, ENOENT, REG, .host = AT(HOST "/none"));
REFUSED(host_empty, ENOENT, REG, .host = AT(""), .host_fd = AT_FDCWD);
REFUSED(host_below_a_file, ENOTDIR, REG, .host = AT(F "/x"));
REFUSED(host_a_directory, EISDIR, REG, .host = AT(D));
REFUSED(blk_a_directory, EISDIR, BLK, .host = AT(D));
REFUSED(dir_no_directory, ENOTDIR, DIR);
REFUSED(subdirs_no_directory, ENOTDIR, SUBDIRS);
REFUSED(host_a_device, EINVAL, REG, .host = AT("/dev/null"));
REFUSED(host_on_a_mount_of_ours, ELOOP, DIR, .host = AT(MNT));
REFUSED(window_past_the_end, EINVAL, REG, .offset = TOTAL - 1, .size = 2);
REFUSED(window_overflows, EINVAL, REG, .offset = -4096ULL, .size = 8192);
REFUSED(window_far, EINVAL, CHR, .offset = 1, .size = RUMPFS_SIZE_HOST - 1);
REFUSED(blk_window_past_the_end, EINVAL, BLK, .offset = TOTAL + 1);

REFUSED(fd_none_and_no_path, EINVAL, REG, .host = 0);
REFUSED(fd_closed, EBADF, REG, .host = 0, .host_fd = 9999);
REFUSED(fd_cwd_and_no_path, EBADF, REG, .host = 0, .host_fd = AT_FDCWD);
REFUSED(relative_to_nothing, EBADF, REG, .host = AT("f"));
REFUSED(relative_to_a_closed_fd, EBADF, REG, .host = AT("f"), .host_fd = 9999);
REFUSED(relative_and_negative, EBADF, REG, .host = AT("f"), .host_fd = -2);

ODD_REMOVE(remove_missing, ENOENT, .key = AT("/none"));
ODD_REMOVE(remove_implied, ENOENT, .key = AT("/dir"));
ODD_REMOVE(remove_below, ENOENT, .key = AT("/old/x"));
ODD_REMOVE(remove_type, EINVAL, .type = RUMPFS_TYPE_REG);
ODD_REMOVE(remove_host, EINVAL, .host = AT(F));
ODD_REMOVE(remove_host_fd, EINVAL, .host_fd = 3);
ODD_REMOVE(remove_host_fd_cwd, EINVAL, .host_fd = AT_FDCWD);
ODD_REMOVE(remove_offset, EINVAL, .offset = 1);
ODD_REMOVE(remove_size, EINVAL, .size = 1);
ODD_REMOVE(remove_mode, EINVAL, .mode = 0644);
ODD_REMOVE(remove_uid, EINVAL, .uid = 1);
ODD_REMOVE(remove_gid, EINVAL, .gid = 1);
ODD_REMOVE(remove_bs, EINVAL, .bs = 512);
ODD_REMOVE(remove_fail, EINVAL, .fail = 1);
ODD_REMOVE(remove_fail_seed, EINVAL, .fail_seed = 1);
ODD_REMOVE(remove_tag, EINVAL, .tag = AT("t"));
ODD_REMOVE(remove_ro, EINVAL, .flags = RUMPFS_MAP_RO);
ODD_REMOVE(remove_with_mode_flag, EINVAL, .flags = RUMPFS_MAP_MODE);
ODD_REMOVE(remove_unknown_flag, EINVAL, .flags = 1U << 10);
ODD_REMOVE(remove_both_ways, EINVAL,
	   .flags = RUMPFS_MAP_BUSY | RUMPFS_MAP_REVOKE);
KEYLESS(remove_reserved, EINVAL, REG, .op = RUMPFS_OP_REMOVE, .reserved = 1);
ODD_TAG(tag_missing, ENOENT, .tag = AT("none"));
ODD_TAG(tag_part_of_one, ENOENT, .tag = AT("ta"));
ODD_TAG(tag_of_none, EINVAL, .tag = AT(""));
ODD_TAG(tag_too_long, EINVAL, .tag = AT(TAG63 "4"));
ODD_TAG(tag_none_given, EINVAL, .tag = 0);
ODD_TAG(tag_in_no_memory, EFAULT, .tag = 4096 - 64);
ODD_TAG(tag_key, EINVAL, .key = AT("/old"));
ODD_TAG(tag_host, EINVAL, .host = AT(F));
ODD_TAG(tag_type, EINVAL, .type = RUMPFS_TYPE_REG);
ODD_TAG(tag_reserved, EINVAL, .reserved = 1);
ODD_TAG(tag_pin, EINVAL, .flags = RUMPFS_MAP_PIN);
ODD_TAG(tag_both_ways, EINVAL, .flags = RUMPFS_MAP_BUSY | RUMPFS_MAP_REVOKE);
ODD_FLUSH(flush_key, EINVAL, .key = AT("/old"));
ODD_FLUSH(flush_tag, EINVAL, .tag = AT("t"));
ODD_FLUSH(flush_type, EINVAL, .type = RUMPFS_TYPE_DIR);
ODD_FLUSH(flush_offset, EINVAL, .offset = 512);
ODD_FLUSH(flush_reserved, EINVAL, .reserved = 1);
ODD_FLUSH(flush_hidden, EINVAL, .flags = RUMPFS_MAP_HIDDEN);
ODD_FLUSH(flush_both_ways, EINVAL, .flags = RUMPFS_MAP_BUSY | RUMPFS_MAP_REVOKE);

#define OLD_ROWS "/dir/old " G " reg rw\n/old " G " reg rw,tag=t\n"

FIXTURE_SETUP(refused)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_hosts());
	ASSERT_EQ(0, table("/old " G " reg tag=t\n/dir/old " G " reg"));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(refused)
{
	teardown_mount();
}

TEST_F(refused, with_words_and_nothing_is_changed)
{
	struct rumpfs_op ops[] = { ADD("/new/first", F), variant->op,
				   { .op = 77 } };
	unsigned long long gen = table_gen();

	EXPECT_EQ(variant->expected_errno,
		  apply_call(self->fd, ops, 3, RUMPFS_APPLY_DRY_RUN, 0));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(variant->expected_errno, apply_call(self->fd, ops, 3, 0, 0)) {
		TH_LOG("%s", sentence);
	}
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_TRUE(sentence_is_sound(1));
	if (!variant->is_keyless)
		EXPECT_TRUE(sentence_has((char *)(uintptr_t)variant->op.key));
	EXPECT_EQ(0, rows_are(OLD_ROWS));
	EXPECT_EQ(gen, table_gen());
	EXPECT_EQ(ENOENT, stat_err(MNT "/new"));
	EXPECT_EQ(0, text_is(MNT "/old", "other"));
}

TEST_HARNESS_MAIN
