// SPDX-License-Identifier: GPL-2.0
/* All operations of one call take effect, or none does. */

#include <sys/socket.h>

#include <linux/netlink.h>

#include "lib/apply.h"

#define F HOST "/f"
#define G HOST "/g"
#define D HOST "/d"
#define KEY MNT "/k"

#define OLD_ROWS "/dir/old " G " reg rw\n/old " F " reg rw,tag=t\n"

static int make_hosts(void)
{
	int err = fill(F, 65536, 1) ?: put_text(G, "other");

	if (err || mkdir(D, 0755))
		return err ?: errno;
	return put_text(D "/a", "in d");
}

static int count_disks(void)
{
	DIR *stream = opendir("/sys/block");
	struct dirent *entry;
	int n = 0;

	while (stream && (entry = readdir(stream)))
		n += !strncmp(entry->d_name, "rumpblk", 7);
	closedir(stream);
	return n;
}

/* Hear of devices; what was heard of until now is forgotten. */
static int listen_begin(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int sock = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			  NETLINK_KOBJECT_UEVENT);

	if (bind(sock, (struct sockaddr *)&kernel, sizeof(kernel)))
		return -1;
	return sock;
}

/* How many disks came that we have heard of. */
static int disks_heard(int sock)
{
	char event[4096];
	ssize_t len;
	int n = 0;

	while ((len = recv(sock, event, sizeof(event) - 1, 0)) > 0) {
		event[len] = '\0';
		n += !strncmp(event, "add@", 4) && strstr(event, "/rumpblk");
	}
	return n;
}

FIXTURE(apply)
{
	int fd;
	unsigned long long gen;
	int disks;
};

FIXTURE_SETUP(apply)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_hosts());
	ASSERT_EQ(0, table("/old " F " reg tag=t\n/dir/old " G " reg"));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
	self->gen = table_gen();
	ASSERT_NE(0, self->gen);
	self->disks = count_disks();
}

FIXTURE_TEARDOWN(apply)
{
	teardown_mount();
}

#define EXPECT_UNCHANGED() do {						\
	EXPECT_EQ(0, rows_are(OLD_ROWS));				\
	EXPECT_EQ(self->gen, table_gen());				\
	EXPECT_EQ(self->disks, count_disks());				\
	EXPECT_EQ(2, count_names(MNT));					\
	EXPECT_EQ(0, text_is(MNT "/dir/old", "other"));			\
} while (0)

TEST_F(apply, no_operations_do_nothing)
{
	EXPECT_EQ(0, apply_call(self->fd, NULL, 0, 0, 0));
	EXPECT_EQ(0, applied.failed_op);
	EXPECT_EQ(0, apply_call(self->fd, NULL, 0, 0, self->gen));
	EXPECT_EQ(EAGAIN, apply_call(self->fd, NULL, 0, 0, self->gen + 99));
	EXPECT_EQ(0, rows_are(OLD_ROWS));
}

TEST_F(apply, operations_follow_each_other)
{
	EXPECT_EQ(0, APPLY(self->fd, ADD("/a", F), REMOVE("/a"), ADD("/a", G),
			   ADD("/b", F, .tag = AT("u")), REMOVE_TAG("u"),
			   ADD("/c", F), SET("/c", G), REMOVE("/old"),
			   ADD("/old/below", G)));
	EXPECT_EQ(0, rows_are("/a " G " reg rw\n/c " G " reg rw\n"
			      "/dir/old " G " reg rw\n"
			      "/old/below " G " reg rw\n"));
	EXPECT_EQ(0, text_is(MNT "/c", "other"));
	EXPECT_EQ(0, APPLY(self->fd, FLUSH(), ADD("/dir", G)));
	EXPECT_EQ(0, rows_are("/dir " G " reg rw\n"));
	EXPECT_EQ(1, count_names(MNT));

	/* What is made and removed leaves nothing, not even a parent. */
	EXPECT_EQ(0, APPLY(self->fd, ADD("/e/f/g", F), REMOVE("/e/f/g")));
	EXPECT_EQ(0, APPLY(self->fd, ADD("/e", F), FLUSH()));
	EXPECT_EQ(0, count_names(MNT));
}

TEST_F(apply, one_key_twice)
{
	EXPECT_EQ(EEXIST, APPLY(self->fd, ADD("/a", F), ADD("/a", G)));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(EEXIST, APPLY(self->fd, SET("/a", F), ADD("/a", G)));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(ENOENT, APPLY(self->fd, REMOVE("/old"), REMOVE("/old")));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(ENOENT, APPLY(self->fd, FLUSH(), REMOVE("/old")));
	EXPECT_EQ(ENOENT, APPLY(self->fd, REMOVE("/old"), REMOVE_TAG("t")));
	EXPECT_EQ(ENOTDIR, APPLY(self->fd, ADD("/a", F), ADD("/a/b", G)));
	EXPECT_EQ(ENOTEMPTY, APPLY(self->fd, ADD("/a/b", F), ADD("/a", G)));
	EXPECT_UNCHANGED();
	EXPECT_EQ(0, APPLY(self->fd, SET("/a", F), SET("/a", G),
			   SET("/a", G, .flags = RUMPFS_MAP_RO)));
	EXPECT_TRUE(row_has("/a", "ro"));
	EXPECT_EQ(0, text_is(MNT "/a", "other"));
}

TEST_F(apply, the_first_bad_operation_is_told)
{
	struct rumpfs_op bad = { .op = 99 };

	EXPECT_EQ(ENOENT, APPLY(self->fd, ADD("/a", F), ADD("/b", D "/none"),
				bad, ADD("/a", F)));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_TRUE(sentence_has("/b"));
	EXPECT_EQ(EEXIST, APPLY(self->fd, ADD("/old", D "/none"), bad));
	EXPECT_EQ(0, applied.failed_op);
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("/a", F), bad, ADD("/old", F)));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(EFAULT, APPLY(self->fd, ADD("/a", F), ADD(-4096L, F), bad));
	EXPECT_EQ(1, applied.failed_op);
	/* The table is asked before the host, and its form before the table. */
	EXPECT_EQ(EEXIST, APPLY(self->fd, ADD("/old", D)));
	EXPECT_EQ(ENOTDIR, APPLY(self->fd, ADD("/old/x", D "/none")));
	EXPECT_EQ(ENOTEMPTY, APPLY(self->fd, ADD("/dir", D "/none")));
	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("/old", D, .bs = 512)));
	EXPECT_EQ(EISDIR, APPLY(self->fd, ADD("/old", D, .offset = 5,
					      .type = RUMPFS_TYPE_DIR)));
	ASSERT_EQ(0, put_text(MAX_MAPPINGS, "3\n"));
	EXPECT_EQ(E2BIG, APPLY(self->fd, ADD("/a", F), ADD("/b", D "/none")));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, RUMPFS_APPLY_DRY_RUN,
				 REMOVE("/old"), ADD("/a", F), ADD("/b", F)));
	EXPECT_UNCHANGED();
}

TEST_F(apply, says_what_is_wrong_with_numbers)
{
	char room[16];

	EXPECT_EQ(EINVAL, APPLY(self->fd, ADD("/img/p2", F, .offset = 32768,
					      .size = 65536)));
	EXPECT_TRUE(sentence_is_sound(EINVAL));
	EXPECT_TRUE(sentence_has("/img/p2"));
	EXPECT_TRUE(sentence_has("32768"));
	EXPECT_TRUE(sentence_has("65536"));

	/* A name of odd bytes is told escaped, on one line. */
	EXPECT_EQ(ENOENT, APPLY(self->fd, ADD("/a\nb", D "/no\nne")));
	EXPECT_TRUE(sentence_is_sound(ENOENT));
	EXPECT_TRUE(sentence_has("/a\\012b"));

	/* It is cut to fit. */
	EXPECT_EQ(EEXIST, APPLY(self->fd, ADD("/old", F)));
	for (unsigned int len = 0; len <= sizeof(room); len++) {
		unsigned int whole = strlen(sentence);
		struct rumpfs_op op = ADD("/old", F);
		struct rumpfs_apply arg = {
			.ops = AT(&op), .nr_ops = 1, .op_size = sizeof(op),
			.message = AT(room), .message_len = len,
		};

		memset(room, 'z', sizeof(room));
		EXPECT_EQ(EEXIST, ERR(ioctl(self->fd, RUMPFS_IOC_APPLY, &arg)));
		EXPECT_EQ(whole, arg.message_len);
		if (len) {
			EXPECT_EQ(len - 1, strnlen(room, len));
			EXPECT_EQ(0, memcmp(room, sentence, len - 1));
		}
		EXPECT_EQ(-1, byte_differs(room + len, sizeof(room) - len,
					   'z'));
		/* Without room the length is told all the same. */
		arg.message = 0;
		arg.message_len = 0;
		EXPECT_EQ(EEXIST, ERR(ioctl(self->fd, RUMPFS_IOC_APPLY, &arg)));
		EXPECT_EQ(whole, arg.message_len);
		EXPECT_EQ(0, arg.failed_op);
	}
	EXPECT_EQ(0, APPLY(self->fd, ADD("/a", F)));
	EXPECT_EQ(0, applied.message_len);
}

/* Nobody hears of a device before all of the batch is known to be good. */
TEST_F(apply, no_disk_is_made_in_vain)
{
	struct rumpfs_op disk = ADD("/b", F, .type = RUMPFS_TYPE_BLK);
	struct rumpfs_op chr = ADD("/c", F, .type = RUMPFS_TYPE_CHR);
	int sock = listen_begin();

	ASSERT_LE(0, sock);
	EXPECT_EQ(ENOENT, APPLY(self->fd, disk, chr, ADD("/x", D "/none")));
	EXPECT_EQ(2, applied.failed_op);
	EXPECT_EQ(ENOENT, APPLY(self->fd, disk, chr,
				ADD("/x", D "/none", .type = RUMPFS_TYPE_BLK)));
	EXPECT_EQ(2, applied.failed_op);
	EXPECT_EQ(EEXIST, APPLY(self->fd, disk, ADD("/old", F)));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(ENOENT, APPLY(self->fd, disk, REMOVE("/none")));
	EXPECT_EQ(EINVAL, APPLY(self->fd, disk, chr,
				(struct rumpfs_op){ .op = 99 }));
	EXPECT_EQ(2, applied.failed_op);
	EXPECT_EQ(0, disks_heard(sock));
	EXPECT_UNCHANGED();
	EXPECT_EQ(0, APPLY(self->fd, disk, chr));
	EXPECT_EQ(1, disks_heard(sock));
	close(sock);
}

TEST_F(apply, no_disk_is_made_for_another_table)
{
	struct rumpfs_op disk = ADD("/b", F, .type = RUMPFS_TYPE_BLK);
	int sock = listen_begin();

	ASSERT_LE(0, sock);
	EXPECT_EQ(EAGAIN, apply_call(self->fd, &disk, 1, 0, self->gen + 1));
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, RUMPFS_APPLY_DRY_RUN, disk));
	EXPECT_EQ(0, disks_heard(sock));
	EXPECT_UNCHANGED();
	EXPECT_EQ(0, apply_call(self->fd, &disk, 1, 0, self->gen));
	EXPECT_EQ(1, disks_heard(sock));
	close(sock);
}

/* A rehearsal. */

TEST_F(apply, a_dry_run_changes_nothing)
{
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, RUMPFS_APPLY_DRY_RUN, ADD("/a", F),
				 ADD("/b", F, .type = RUMPFS_TYPE_BLK),
				 ADD("/c", F, .type = RUMPFS_TYPE_CHR),
				 ADD("/d", D, .type = RUMPFS_TYPE_SUBDIRS),
				 ADD("/e", F, .flags = RUMPFS_MAP_PIN),
				 REMOVE_TAG("t"), SET("/dir/old", F),
				 REMOVE("/dir/old")));
	EXPECT_EQ(8, applied.failed_op);
	EXPECT_EQ(0, applied.message_len);
	EXPECT_UNCHANGED();
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, RUMPFS_APPLY_DRY_RUN,
				 FLUSH(.flags = RUMPFS_MAP_REVOKE),
				 ADD("/old", G)));
	EXPECT_EQ(2, applied.failed_op);
	EXPECT_UNCHANGED();
	EXPECT_EQ(0, fill_is(MNT "/old", 0, 65536, 0, 1));
}

TEST_F(apply, a_dry_run_tells_what_would_be_refused)
{
	int fd = open(MNT "/old", O_RDONLY);
	const unsigned int dry = RUMPFS_APPLY_DRY_RUN;
	struct rumpfs_op ops[1];

	EXPECT_EQ(EEXIST, APPLY_FLAGS(self->fd, dry, ADD("/a", F),
				      ADD("/a", F)));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_TRUE(sentence_has("/a"));
	EXPECT_EQ(EEXIST, APPLY_FLAGS(self->fd, dry, ADD("/old", F)));
	EXPECT_EQ(ENOENT, APPLY_FLAGS(self->fd, dry, REMOVE("/none")));
	EXPECT_EQ(ENOENT, APPLY_FLAGS(self->fd, dry, REMOVE("/old"),
				      REMOVE_TAG("t")));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(EBUSY, APPLY_FLAGS(self->fd, dry,
				     REMOVE("/old", .flags = RUMPFS_MAP_BUSY)));
	EXPECT_EQ(EBUSY, APPLY_FLAGS(self->fd, dry,
				     FLUSH(.flags = RUMPFS_MAP_BUSY)));
	EXPECT_EQ(EBUSY, APPLY_FLAGS(self->fd, dry,
				     REMOVE_TAG("t",
						.flags = RUMPFS_MAP_BUSY)));
	EXPECT_EQ(ENOENT, APPLY_FLAGS(self->fd, dry, ADD("/a", D "/none")));
	EXPECT_EQ(EISDIR, APPLY_FLAGS(self->fd, dry, ADD("/a", D)));
	EXPECT_EQ(EINVAL, APPLY_FLAGS(self->fd, dry, ADD("/a", F,
							 .size = 65537)));
	EXPECT_EQ(EINVAL, APPLY_FLAGS(self->fd, dry,
				      ADD("/a", F, .offset = 65537,
					  .type = RUMPFS_TYPE_BLK)));
	EXPECT_EQ(EINVAL, APPLY_FLAGS(self->fd, dry,
				      ADD("/a", F, .size = 65537,
					  .type = RUMPFS_TYPE_CHR)));
	EXPECT_EQ(EINVAL, APPLY_FLAGS(self->fd, dry, ADD("/a", F, .bs = 1)));
	EXPECT_EQ(EAGAIN, apply_call(self->fd, NULL, 0, dry, self->gen + 1));
	EXPECT_UNCHANGED();
	close(fd);
	ops[0] = REMOVE("/old", .flags = RUMPFS_MAP_BUSY);
	EXPECT_TRUE(WAIT_FOR(!apply_call(self->fd, ops, 1, dry, 0)));
	EXPECT_UNCHANGED();
}

/* The rehearsal and the call agree on what a disk's file must be able to do. */
TEST_F(apply, a_dry_run_asks_the_host_of_a_disk)
{
	struct rumpfs_op ops[] = {
		ADD("/b", F, .type = RUMPFS_TYPE_BLK,
		    .flags = RUMPFS_MAP_DIO),
		ADD("/b", F, .type = RUMPFS_TYPE_BLK, .offset = 1,
		    .flags = RUMPFS_MAP_DIO),
		ADD("/b", F, .type = RUMPFS_TYPE_BLK, .bs = 4096, .size = 512),
		ADD("/b", HOST "/none", .type = RUMPFS_TYPE_BLK),
		ADD("/b", HOST "/null", .type = RUMPFS_TYPE_BLK),
		ADD("/b", HOST "/empty", .type = RUMPFS_TYPE_BLK),
	};
	int i, dry;

	ASSERT_EQ(0, mknod(HOST "/null", S_IFCHR | 0666, 0x103));
	ASSERT_EQ(0, put_text(HOST "/empty", ""));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		dry = apply_call(self->fd, &ops[i], 1, RUMPFS_APPLY_DRY_RUN, 0);
		EXPECT_EQ(dry, apply_call(self->fd, &ops[i], 1, 0, 0)) {
			TH_LOG("operation %d: %s", i, sentence);
		}
		APPLY(self->fd, REMOVE("/b"));
	}
}

/* In use is what goes on to be used, not what was only at the key before. */
TEST_F(apply, busy_asks_what_the_batch_has_made)
{
	struct rumpfs_op same = SET("/b", F, .type = RUMPFS_TYPE_BLK);
	struct rumpfs_op moved = SET("/b", F, .type = RUMPFS_TYPE_BLK,
				     .offset = 512);
	struct rumpfs_op other = SET("/b", G, .type = RUMPFS_TYPE_BLK);
	struct rumpfs_op remove = REMOVE("/b", .flags = RUMPFS_MAP_BUSY);
	const unsigned int dry = RUMPFS_APPLY_DRY_RUN;
	char byte;
	int fd;

	ASSERT_EQ(0, APPLY(self->fd, same));
	fd = open(MNT "/b", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EBUSY, APPLY_FLAGS(self->fd, dry, same, remove));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(EBUSY, APPLY(self->fd, same, remove));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_TRUE(sentence_has("/b"));
	EXPECT_EQ(EBUSY, APPLY(self->fd, moved, remove));
	EXPECT_EQ(EBUSY, APPLY(self->fd, same,
			       FLUSH(.flags = RUMPFS_MAP_BUSY)));
	EXPECT_TRUE(row_has("/b", "rw"));
	EXPECT_EQ(1, read(fd, &byte, 1));

	/* Another disk is nobody's; this one goes as one that is replaced. */
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, dry, other, remove));
	EXPECT_EQ(0, APPLY(self->fd, other, remove));
	EXPECT_EQ(self->disks + 1, count_disks());
	EXPECT_EQ(1, read(fd, &byte, 1));
	close(fd);
	EXPECT_TRUE(WAIT_FOR(count_disks() == self->disks));
	EXPECT_EQ(0, rows_are(OLD_ROWS));

	ASSERT_EQ(0, APPLY(self->fd, same));
	EXPECT_EQ(0, APPLY(self->fd, moved, remove));
	EXPECT_TRUE(WAIT_FOR(count_disks() == self->disks));
	EXPECT_EQ(0, rows_are(OLD_ROWS));

	fd = open(MNT "/old", O_RDONLY);
	EXPECT_EQ(EBUSY, APPLY(self->fd, REMOVE("/old",
						.flags = RUMPFS_MAP_BUSY)));
	EXPECT_EQ(0, APPLY(self->fd, SET("/old", G),
			   REMOVE("/old", .flags = RUMPFS_MAP_BUSY)));
	EXPECT_EQ(1, read(fd, &byte, 1));
	close(fd);
}

/* The whole table at once. */

TEST_F(apply, replace_all_leaves_what_is_given)
{
	const unsigned int all = RUMPFS_APPLY_REPLACE_ALL;
	int fd = open(MNT "/old", O_RDONLY);
	char byte;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, all | RUMPFS_APPLY_DRY_RUN,
				 SET("/a", G)));
	EXPECT_UNCHANGED();
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, all, SET("/a", G),
				 ADD("/b", F, .type = RUMPFS_TYPE_BLK)));
	EXPECT_EQ(0, rows_are("/a " G " reg rw\n/b " F " blk rw\n"));
	EXPECT_EQ(2, count_names(MNT));
	EXPECT_EQ(self->disks + 1, count_disks());
	/* They go lazily. */
	EXPECT_EQ(1, read(fd, &byte, 1));
	close(fd);

	/* Keys that are in the way of new ones go first. */
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, all, SET("/a/b", F),
				 SET("/c", G))) {
		TH_LOG("%s", sentence);
	}
	EXPECT_EQ(0, rows_are("/a/b " F " reg rw\n/c " G " reg rw\n"));
	EXPECT_TRUE(WAIT_FOR(count_disks() == self->disks));
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, all, SET("/a", G), SET("/c", G))) {
		TH_LOG("%s", sentence);
	}
	EXPECT_EQ(0, rows_are("/a " G " reg rw\n/c " G " reg rw\n"));
	EXPECT_EQ(0, text_is(MNT "/a", "other"));
	EXPECT_EQ(0, apply_call(self->fd, NULL, 0, all, 0));
	EXPECT_EQ(0, rows_are(""));
	EXPECT_EQ(0, count_names(MNT));
}

TEST_F(apply, replace_all_takes_what_adds)
{
	const unsigned int all = RUMPFS_APPLY_REPLACE_ALL;

	EXPECT_EQ(EINVAL, APPLY_FLAGS(self->fd, all, SET("/a", F),
				      REMOVE("/old")));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(EINVAL, APPLY_FLAGS(self->fd, all, FLUSH()));
	EXPECT_EQ(EINVAL, APPLY_FLAGS(self->fd, all, REMOVE_TAG("t")));
	EXPECT_EQ(EEXIST, APPLY_FLAGS(self->fd, all, ADD("/a", F),
				      ADD("/a", F)));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(ENOENT, APPLY_FLAGS(self->fd, all, ADD("/a", F),
				      SET("/b", D "/none")));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(EINVAL, APPLY_FLAGS(self->fd, 4, ADD("/a", F)));
	EXPECT_EQ(EINVAL, APPLY_FLAGS(self->fd, 1U << 31, ADD("/a", F)));
	EXPECT_UNCHANGED();
	/* As many as the table may hold, whatever it holds now. */
	ASSERT_EQ(0, put_text(MAX_MAPPINGS, "2\n"));
	EXPECT_EQ(E2BIG, APPLY_FLAGS(self->fd, all, ADD("/a", F), ADD("/b", F),
				     ADD("/c", F)));
	EXPECT_EQ(2, applied.failed_op);
	EXPECT_UNCHANGED();
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, all, ADD("/a", F), ADD("/b", F)));
	EXPECT_EQ(0, rows_are("/a " F " reg rw\n/b " F " reg rw\n"));
	/* No key is taken to begin with. */
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, all, ADD("/a", G)));
	EXPECT_EQ(0, rows_are("/a " G " reg rw\n"));
}

/* Generations. */

TEST_F(apply, the_table_must_be_where_it_is_said_to_be)
{
	struct rumpfs_op op = SET("/a", G);

	EXPECT_EQ(self->gen, generation_at(self->fd));
	EXPECT_EQ(EAGAIN, apply_call(self->fd, &op, 1, 0, self->gen - 1));
	EXPECT_EQ(1, applied.failed_op);
	EXPECT_EQ(EAGAIN, apply_call(self->fd, &op, 1, 0, self->gen + 1));
	EXPECT_EQ(EAGAIN, apply_call(self->fd, &op, 1, 0, ~0ULL));
	EXPECT_UNCHANGED();
	EXPECT_EQ(0, apply_call(self->fd, &op, 1, 0, self->gen));
	EXPECT_EQ(self->gen + 1, table_gen());
	EXPECT_EQ(EAGAIN, apply_call(self->fd, &op, 1, 0, self->gen));
	/* A change by text is one too. */
	ASSERT_EQ(0, table("-/old"));
	EXPECT_EQ(EAGAIN, apply_call(self->fd, &op, 1, 0, self->gen + 1));
	EXPECT_EQ(0, apply_call(self->fd, &op, 1, 0, table_gen()));
	EXPECT_EQ(table_gen(), generation_at(self->fd));
}

/* How to remove. */

FIXTURE(removal)
{
	int fd;
	int file;
};

FIXTURE_VARIANT(removal)
{
	struct rumpfs_op op;
	int expected_errno;
	int expected_read;
};

#define REMOVAL(name, err, read_err, ...)			\
	FIXTURE_VARIANT_ADD(removal, name) {			\
		.expected_errno = err, .expected_read = read_err, \
		.op = { .host_fd = -1, __VA_ARGS__ } }

REMOVAL(one_lazily, 0, 0, .op = RUMPFS_OP_REMOVE, .key = AT("/k"));
REMOVAL(one_busily, EBUSY, 0, .op = RUMPFS_OP_REMOVE, .key = AT("/k"),
	.flags = RUMPFS_MAP_BUSY);
REMOVAL(one_by_revoking, 0, EIO, .op = RUMPFS_OP_REMOVE, .key = AT("/k"),
	.flags = RUMPFS_MAP_REVOKE);
REMOVAL(tagged_lazily, 0, 0, .op = RUMPFS_OP_REMOVE_TAG, .tag = AT("t"));
REMOVAL(tagged_busily, EBUSY, 0, .op = RUMPFS_OP_REMOVE_TAG, .tag = AT("t"),
	.flags = RUMPFS_MAP_BUSY);
REMOVAL(tagged_by_revoking, 0, EIO, .op = RUMPFS_OP_REMOVE_TAG, .tag = AT("t"),
	.flags = RUMPFS_MAP_REVOKE);
REMOVAL(all_lazily, 0, 0, .op = RUMPFS_OP_FLUSH);
REMOVAL(all_busily, EBUSY, 0, .op = RUMPFS_OP_FLUSH, .flags = RUMPFS_MAP_BUSY);
REMOVAL(all_by_revoking, 0, EIO, .op = RUMPFS_OP_FLUSH,
	.flags = RUMPFS_MAP_REVOKE);

FIXTURE_SETUP(removal)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, make_hosts());
	ASSERT_EQ(0, table("/k " G " reg tag=t\n/l " G " reg tag=t\n"
			   "/other " G " reg"));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	self->file = open(KEY, O_RDWR);
	ASSERT_LE(0, self->file);
}

FIXTURE_TEARDOWN(removal)
{
	teardown_mount();
}

TEST_F(removal, of_what_is_open)
{
	const __u32 op = variant->op.op;
	char byte;
	int left;

	EXPECT_EQ(variant->expected_errno,
		  apply_call(self->fd, &variant->op, 1, RUMPFS_APPLY_DRY_RUN,
			     0));
	EXPECT_EQ(3, count_names(MNT));
	EXPECT_EQ(1, pread(self->file, &byte, 1, 0));
	EXPECT_EQ(variant->expected_errno,
		  apply_call(self->fd, &variant->op, 1, 0, 0)) {
		TH_LOG("%s", sentence);
	}
	EXPECT_TRUE(sentence_is_sound(variant->expected_errno));
	EXPECT_EQ(variant->expected_errno ? 0 : 1, applied.failed_op);
	EXPECT_EQ(variant->expected_read, ERR(pread(self->file, &byte, 1, 0)));
	left = op == RUMPFS_OP_REMOVE ? 2 : op == RUMPFS_OP_FLUSH ? 0 : 1;
	EXPECT_EQ(variant->expected_errno ? 3 : left, count_names(MNT));
	if (!variant->expected_errno)
		return;
	EXPECT_TRUE(sentence_has("/k"));
	close(self->file);
	EXPECT_TRUE(WAIT_FOR(!apply_call(self->fd, &variant->op, 1, 0, 0)));
	EXPECT_EQ(left, count_names(MNT));
}

TEST_HARNESS_MAIN
