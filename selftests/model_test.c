// SPDX-License-Identifier: GPL-2.0
/*
 * A file holds what was written, wherever it was written from.
 *
 * Random calls of every kind on one file, and the same on an array: after each
 * call what was touched is the same, and now and then all of it.
 * RUMPFS_SEED and RUMPFS_OPS as in twin_test.c.
 */

#include "lib/twin.h"

#define FILE_A MNT "/a"
#define ROOM (64 * PAGE)
#define KEEP_SIZE 1
#define PUNCH_HOLE 3
#define ZERO_RANGE 0x10

/* The file, and what it should be. */
struct model {
	struct dice dice;
	int fd;
	/* the whole of ROOM, mapped shared */
	char *map;
	off_t size;
	bool has_fallocate;
};

static char model[ROOM], piece[ROOM];

FIXTURE(model)
{
	struct model file;
};

FIXTURE_SETUP(model)
{
	struct model *file = &self->file;

	ASSERT_EQ(0, setup_mount("size=16M"));
	file->dice.state = dice_seed("RUMPFS_SEED");
	file->fd = open(FILE_A, O_RDWR | O_CREAT, 0644);
	ASSERT_LE(0, file->fd);
	file->map = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED,
			 file->fd, 0);
	ASSERT_NE(MAP_FAILED, file->map);
	file->has_fallocate = has_feature("fallocate");
	file->size = 0;
}

FIXTURE_TEARDOWN(model)
{
	munmap(self->file.map, ROOM);
	close(self->file.fd);
	teardown_mount();
}

#define ROLL(sides) dice_roll(&self->dice, sides)

/* Odd ranges, and some that begin or end where a page does. */
static void pick_range(struct model *self, off_t *pos, size_t *len)
{
	*pos = ROLL(ROOM - 1);
	*len = 1 + ROLL(ROLL(4) ? 3 * PAGE : 20 * PAGE);
	if (ROLL(4) == 0)
		*pos &= ~(off_t)(PAGE - 1);
	if (ROLL(4) == 0)
		*len = (*len | (PAGE - 1)) + 1;
	if (*pos + *len > ROOM)
		*len = ROOM - *pos;
}

static void fresh(struct model *self, size_t len)
{
	unsigned int seed = ROLL(1000);
	size_t i;

	for (i = 0; i < len; i++)
		piece[i] = fill_byte(i, seed);
}

static void grow(struct model *self, off_t end)
{
	if (end > self->size)
		self->size = end;
}

static int do_write(struct model *self, off_t pos, size_t len)
{
	fresh(self, len);
	memcpy(model + pos, piece, len);
	grow(self, pos + len);
	return pwrite(self->fd, piece, len, pos) == (ssize_t)len ? 0 : errno;
}

static int do_append(struct model *self, off_t pos, size_t len)
{
	int fd = open(FILE_A, O_WRONLY | O_APPEND);
	ssize_t done;

	if (self->size + len > ROOM)
		len = ROOM - self->size;
	fresh(self, len);
	memcpy(model + self->size, piece, len);
	self->size += len;
	done = write(fd, piece, len);
	close(fd);
	return done == (ssize_t)len ? 0 : errno;
}

static int do_truncate(struct model *self, off_t pos, size_t len)
{
	if (pos < self->size)
		memset(model + pos, 0, self->size - pos);
	self->size = pos;
	return ERR(len % 2 ? ftruncate(self->fd, pos) : truncate(FILE_A, pos));
}

/* Through the mapping, to the end of the file at most. */
static int do_store(struct model *self, off_t pos, size_t len)
{
	if (pos >= self->size)
		return 0;
	if (pos + (off_t)len > self->size)
		len = self->size - pos;
	fresh(self, len);
	memcpy(model + pos, piece, len);
	memcpy(self->map + pos, piece, len);
	return 0;
}

/* Past the end in its last page: nobody ever sees it in the file. */
static int do_store_behind(struct model *self, off_t pos, size_t len)
{
	size_t tail = self->size % PAGE;

	/* tmpfs shows it when the file grows. */
	if (tail && is_rumpfs())
		memset(self->map + self->size, 0xee, PAGE - tail);
	return 0;
}

static int do_private_store(struct model *self, off_t pos, size_t len)
{
	char *map = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			 self->fd, 0);

	if (map == MAP_FAILED)
		return errno;
	if (pos < self->size)
		map[pos] ^= 0xff;
	return ERR(munmap(map, ROOM));
}

static int do_forget(struct model *self, off_t pos, size_t len)
{
	return ERR(madvise(self->map, ROOM, MADV_DONTNEED));
}

static int do_copy(struct model *self, off_t pos, size_t len)
{
	off_t to = ROLL(ROOM - len + 1), from = pos, end;
	int err = 0;

	if (pos >= self->size)
		return 0;
	if (pos + (off_t)len > self->size)
		len = self->size - pos;
	if (llabs(to - pos) < (long long)len)
		return 0;
	memcpy(piece, model + pos, len);
	memcpy(model + to, piece, len);
	end = to + len;
	while (len && !err) {
		ssize_t n = copy_file_range(self->fd, &from, self->fd, &to,
					    len, 0);

		err = n > 0 ? 0 : n ? errno : EIO;
		len -= n;
	}
	grow(self, end);
	return err;
}

static int do_fallocate(struct model *self, off_t pos, size_t len)
{
	bool keep = ROLL(2);

	if (!self->has_fallocate)
		return 0;
	if (!keep)
		grow(self, pos + len);
	return ERR(fallocate(self->fd, keep ? KEEP_SIZE : 0, pos, len));
}

static int do_punch(struct model *self, off_t pos, size_t len)
{
	if (!self->has_fallocate)
		return 0;
	memset(model + pos, 0, len);
	return ERR(fallocate(self->fd, PUNCH_HOLE, pos, len));
}

/* Where the file system has it; tmpfs has not. */
static int do_zero(struct model *self, off_t pos, size_t len)
{
	bool keep = ROLL(2);
	off_t zeros = self->size - pos < (off_t)len ? self->size - pos : len;

	if (!self->has_fallocate || !is_rumpfs())
		return 0;
	if (zeros > 0)
		memset(model + pos, 0, zeros);
	if (!keep)
		grow(self, pos + len);
	return ERR(fallocate(self->fd, ZERO_RANGE | (keep ? KEEP_SIZE : 0),
			     pos, len));
}

static int do_reopen(struct model *self, off_t pos, size_t len)
{
	int fd = open(FILE_A, O_RDWR);

	if (fd < 0)
		return errno;
	close(self->fd);
	self->fd = fd;
	return 0;
}

#define ENTRY(name) { #name, do_##name }
static const struct {
	const char *name;
	int (*call)(struct model *self, off_t pos, size_t len);
} kinds[] = {
	ENTRY(write), ENTRY(write), ENTRY(write), ENTRY(append), ENTRY(truncate),
	ENTRY(truncate), ENTRY(store), ENTRY(store), ENTRY(store_behind),
	ENTRY(private_store), ENTRY(forget), ENTRY(copy), ENTRY(copy),
	ENTRY(fallocate), ENTRY(punch), ENTRY(punch), ENTRY(zero),
	ENTRY(reopen),
};

/* Where the file differs from the model in this range, or -1. */
static long long differs(struct model *self, off_t pos, size_t len)
{
	ssize_t got = pread(self->fd, piece, len, pos), i;
	off_t want = self->size - pos;

	if (want < 0)
		want = 0;
	if (got != (want < (off_t)len ? want : (off_t)len))
		return pos + got;
	for (i = 0; i < got; i++)
		if (piece[i] != model[pos + i])
			return pos + i;
	return -1;
}

/* The same through the mapping, to the end of the last page. */
static long long map_differs(struct model *self)
{
	off_t i;

	for (i = 0; i < self->size; i++)
		if (self->map[i] != model[i])
			return i;
	return -1;
}

/* Data where a byte is set, and holes nowhere but at zeros. */
static long long holes_differ(struct model *self)
{
	off_t pos = 0, data, hole, i;

	if (!has_feature("seek"))
		return -1;
	while (pos < self->size) {
		data = lseek(self->fd, pos, SEEK_DATA);
		if (data < 0 && errno != ENXIO)
			return pos;
		for (i = pos; i < (data < 0 ? self->size : data); i++)
			if (model[i])
				return i;
		if (data < 0)
			break;
		hole = lseek(self->fd, data, SEEK_HOLE);
		if (hole <= data || hole > self->size)
			return data;
		pos = hole;
	}
	return -1;
}

static long long step(struct model *self)
{
	size_t kind = ROLL(sizeof(kinds) / sizeof(*kinds)), len;
	long long at;
	off_t pos;
	int err;

	pick_range(self, &pos, &len);
	err = kinds[kind].call(self, pos, len);
	at = differs(self, pos, len);
	if (at < 0 && ROLL(20) == 0)
		at = differs(self, 0, ROOM);
	if (at < 0 && ROLL(40) == 0)
		at = map_differs(self);
	if (at < 0 && ROLL(20) == 0)
		at = holes_differ(self);
	if (getenv("VERBOSE") || err || at >= 0)
		printf("# %s(%lld, %zu) size %lld: %s, differs at %lld\n",
		       kinds[kind].name, (long long)pos, len,
		       (long long)self->size, strerror(err), at);
	return err ? ROOM + err : at;
}

TEST_F(model, a_file_is_what_was_written)
{
	long i, n = env_number("RUMPFS_OPS", 4000);
	struct model *file = &self->file;
	struct stat st;

	printf("# RUMPFS_SEED=%llu\n", (unsigned long long)file->dice.state);
	for (i = 0; i < n; i++)
		if (step(file) != -1)
			break;
	EXPECT_EQ(n, i);
	EXPECT_EQ(-1, differs(file, 0, ROOM));
	EXPECT_EQ(-1, map_differs(file));
	EXPECT_EQ(file->size, size_of(FILE_A));

	/* What it takes is what it gives back. */
	ASSERT_EQ(0, fstat(file->fd, &st));
	EXPECT_GE(ROOM / 512, st.st_blocks);
	ASSERT_EQ(0, ftruncate(file->fd, 0));
	ASSERT_EQ(0, fstat(file->fd, &st));
	EXPECT_EQ(0, st.st_blocks);
}

TEST_HARNESS_MAIN
