// SPDX-License-Identifier: GPL-2.0
/* The rows of a table, piece by piece, through a directory. */

#include <sys/mman.h>

#include "lib/apply.h"

#define F HOST "/f"
#define G HOST "/g"
#define NR_ROWS 300

FIXTURE(list)
{
	int fd;
	char *rows;
	char buf[70000];
};

FIXTURE_SETUP(list)
{
	static char key[3000], tag[64];
	int memory = memfd_create("m", 0), i;
	char name[64];

	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, 65536, 1));
	ASSERT_EQ(0, put_text(G, "other"));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < NR_ROWS; i++) {
		sprintf(name, "/d%d/%.*s%d", i % 7, i % 30,
			"a name of some length that is odd", i);
		memset(tag, 0, sizeof(tag));
		memset(tag, 'a' + i % 26, i % 64);
		ASSERT_EQ(0, APPLY(self->fd,
				   ADD(name, i % 2 ? F : G,
				       .tag = i % 64 ? AT(tag) : 0)));
	}
	ASSERT_EQ(0, APPLY(self->fd, ADD(long_path(key, 2999), G),
			   ADD("/dir7", 0, .host_fd = memory)));
	self->rows = table_rows();
	ASSERT_NE(NULL, self->rows);
}

FIXTURE_TEARDOWN(list)
{
	teardown_mount();
}

TEST_F(list, pieces_of_any_size_make_the_same_text)
{
	static const unsigned int sizes[] = { 0, 1, 100, 101, 127, 128, 255,
		256, 1000, 3018, 3019, 3020, 4095, 4096, 4097, 5000, 8192,
		65535, 65536, 65537, 1 << 20 };
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *text = list_rows(self->fd, sizes[i]);

		ASSERT_NE(NULL, text) TH_LOG("pieces of %u", sizes[i]);
		EXPECT_EQ(0, strcmp(text, self->rows)) {
			TH_LOG("pieces of %u differ", sizes[i]);
		}
		free(text);
	}
}

TEST_F(list, says_how_much_room_a_row_needs)
{
	struct rumpfs_list list = list_begin(self->buf, 0);
	unsigned int need = strchr(self->rows, '\n') + 1 - self->rows;

	EXPECT_EQ(ERANGE, list_next(self->fd, &list, 0));
	EXPECT_EQ(need, list.buf_len);
	list = list_begin(self->buf, 0);
	EXPECT_EQ(ERANGE, list_next(self->fd, &list, need - 1));
	EXPECT_EQ(need, list.buf_len);
	list = list_begin(self->buf, 0);
	memset(self->buf, 'z', sizeof(self->buf));
	ASSERT_EQ(0, list_next(self->fd, &list, need));
	EXPECT_EQ(need, list.buf_len);
	EXPECT_EQ(0, memcmp(self->buf, self->rows, need));
	/* No NUL follows, and nothing else. */
	EXPECT_EQ('z', self->buf[need]);
	EXPECT_EQ(table_gen(), list.generation);

	/* A later row too, and the call can be repeated. */
	need = strchr(self->rows + need, '\n') + 1 - self->rows - need;
	EXPECT_EQ(ERANGE, list_next(self->fd, &list, 1));
	EXPECT_EQ(need, list.buf_len);
	EXPECT_EQ(0, list_next(self->fd, &list, need));
	EXPECT_EQ(need, list.buf_len);
}

TEST_F(list, ends_with_nothing)
{
	struct rumpfs_list list = list_begin(self->buf, 0);

	ASSERT_EQ(0, list_next(self->fd, &list, sizeof(self->buf)));
	EXPECT_EQ(strlen(self->rows), list.buf_len);
	EXPECT_EQ(0, list_next(self->fd, &list, sizeof(self->buf)));
	EXPECT_EQ(0, list.buf_len);
	/* The end is the end, with no room as well. */
	EXPECT_EQ(0, list_next(self->fd, &list, 0));
	EXPECT_EQ(0, list.buf_len);
	list.buf = 0;
	EXPECT_EQ(0, list_next(self->fd, &list, 0));

	/* An empty table has nothing else. */
	ASSERT_EQ(0, APPLY(self->fd, FLUSH()));
	list = list_begin(self->buf, 0);
	EXPECT_EQ(0, list_next(self->fd, &list, sizeof(self->buf)));
	EXPECT_EQ(0, list.buf_len);
	EXPECT_EQ(table_gen(), list.generation);
	EXPECT_EQ(0, rows_at(self->fd, ""));
}

TEST_F(list, a_table_that_changed_is_listed_again)
{
	struct rumpfs_list list = list_begin(self->buf, 0), kept;

	ASSERT_EQ(0, list_next(self->fd, &list, 4096));
	kept = list;
	ASSERT_EQ(0, APPLY(self->fd, ADD("/zzz", F)));
	EXPECT_EQ(EAGAIN, list_next(self->fd, &list, 4096));
	/* Who asks again and again does not get the rest of another table. */
	EXPECT_EQ(EAGAIN, list_next(self->fd, &list, 4096));
	EXPECT_EQ(kept.generation, list.generation);
	EXPECT_EQ(kept.cursor, list.cursor);
	list = kept;
	ASSERT_EQ(0, APPLY(self->fd, REMOVE("/zzz")));
	EXPECT_EQ(EAGAIN, list_next(self->fd, &list, 4096));
	/* From the beginning whatever it is said to be at. */
	list = kept;
	list.cursor = 0;
	EXPECT_EQ(0, list_next(self->fd, &list, 4096));
	EXPECT_EQ(table_gen(), list.generation);
	EXPECT_EQ(0, list_next(self->fd, &list, 4096));
	/* What changed nothing is no change. */
	EXPECT_EQ(ENOENT, APPLY(self->fd, REMOVE("/none")));
	EXPECT_EQ(0, APPLY_FLAGS(self->fd, RUMPFS_APPLY_DRY_RUN, FLUSH()));
	EXPECT_EQ(0, list_next(self->fd, &list, 4096));
	/* Other directories of the mount go on with it. */
	ASSERT_EQ(0, mkdir(MNT "/mine", 0755));
	close(self->fd);
	self->fd = open(MNT "/mine", O_RDONLY);
	EXPECT_EQ(0, list_next(self->fd, &list, 4096));
}

TEST_F(list, a_cursor_must_be_given)
{
	static const unsigned long long odd[] = { 1ULL << 40, 1ULL << 63,
						  ~0ULL, 1 << 20 };
	struct rumpfs_list list = list_begin(self->buf, 0), kept;
	int i;

	ASSERT_EQ(0, list_next(self->fd, &list, 4096));
	kept = list;
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		list = kept;
		list.cursor = odd[i];
		EXPECT_EQ(EINVAL, list_next(self->fd, &list, 4096)) {
			TH_LOG("cursor %llx", odd[i]);
		}
	}
	list = kept;
	list.reserved = 1;
	EXPECT_EQ(EINVAL, list_next(self->fd, &list, 4096));
	list = kept;
	list.generation = 0;
	EXPECT_EQ(EAGAIN, list_next(self->fd, &list, 4096));
}

TEST_F(list, memory_must_be_the_caller_s)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rumpfs_list list;
	unsigned int need = strchr(self->rows, '\n') + 1 - self->rows;

	list = list_begin(NULL, 0);
	EXPECT_EQ(EFAULT, list_next(self->fd, &list, 4096));
	list = list_begin((char *)-4096L, 0);
	EXPECT_EQ(EFAULT, list_next(self->fd, &list, 4096));
	EXPECT_EQ(EFAULT, ERR(ioctl(self->fd, RUMPFS_IOC_LIST, NULL)));
	ASSERT_EQ(0, munmap(pages + PAGE, PAGE));
	list = list_begin(pages + PAGE - need, 0);
	EXPECT_EQ(0, list_next(self->fd, &list, need));
	list = list_begin(pages + PAGE - need + 1, 0);
	EXPECT_EQ(EFAULT, list_next(self->fd, &list, need));
	/* It has gone no further by that. */
	list.buf = AT(pages + PAGE - need);
	EXPECT_EQ(0, list_next(self->fd, &list, need));
	EXPECT_EQ(0, memcmp(pages + PAGE - need, self->rows, need));
	/* Room that says it is more than there is takes what fits the rows. */
	ASSERT_EQ(0, APPLY(self->fd, FLUSH(), ADD("/k", G)));
	need = strlen("/k " G " reg rw\n");
	list = list_begin(pages + PAGE - need, 0);
	EXPECT_EQ(0, list_next(self->fd, &list, 1 << 30));
	EXPECT_EQ(need, list.buf_len);
	list = list_begin(pages + PAGE - need, 0);
	EXPECT_EQ(0, list_next(self->fd, &list, ~0U));
	EXPECT_EQ(need, list.buf_len);
}

/* A table so large that a listing takes long is listed whole all the same. */
TEST_F(list, many_rows)
{
	const int nr = turns(20000);
	struct rumpfs_op *ops = calloc(nr, sizeof(*ops));
	char (*keys)[24] = calloc(nr, sizeof(*keys));
	char *text, *rows;
	int i;

	for (i = 0; i < nr; i++) {
		sprintf(keys[i], "/many/%d", i);
		ops[i] = ADD(keys[i], G);
	}
	ASSERT_EQ(0, apply_call(self->fd, ops, nr, 0, 0));
	rows = table_rows();
	ASSERT_NE(NULL, rows);
	text = list_rows(self->fd, 1 << 16);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, strcmp(text, rows));
	free(text);
	text = list_rows(self->fd, 4096);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, strcmp(text, rows));
	text = list_rows(self->fd, 1 << 24);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, strcmp(text, rows));
}

TEST_HARNESS_MAIN
