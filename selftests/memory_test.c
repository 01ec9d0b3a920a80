// SPDX-License-Identifier: GPL-2.0
/* What a table takes of the machine's memory, besides its names. */

#include <limits.h>
#include <sys/ioctl.h>

#include "lib/fixture.h"
#include "../module/uapi/rumpfs.h"

#define KEYS 40000
#define F HOST "/f"

FIXTURE(memory)
{
	int dir;
	struct rumpfs_op *ops;
	char (*keys)[16];
};

FIXTURE_SETUP(memory)
{
	int nr;

	if (is_sanitized())
		SKIP(return, "sanitizers put memory of their own beside each object");
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(F, "x"));
	self->dir = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->dir);
	self->ops = calloc(KEYS, sizeof(*self->ops));
	self->keys = calloc(KEYS, sizeof(*self->keys));
	for (nr = 0; nr < KEYS; nr++) {
		snprintf(self->keys[nr], sizeof(*self->keys), "/d/%d", nr);
		self->ops[nr] = (struct rumpfs_op) {
			.op = RUMPFS_OP_ADD,
			.type = RUMPFS_TYPE_REG,
			.host_fd = -1,
			.key = (uintptr_t)self->keys[nr],
			.host = (uintptr_t)F,
			.size = RUMPFS_SIZE_HOST,
		};
	}
}

FIXTURE_TEARDOWN(memory)
{
	free(self->ops);
	free(self->keys);
	close(self->dir);
	teardown_mount();
}

/* Bytes of the kernel's own small objects, as far as they are not cached. */
static long slab_bytes(void)
{
	char line[128];
	long kb = -1;
	FILE *file;

	sync();
	put_text("/proc/sys/vm/drop_caches", "3");
	file = fopen("/proc/meminfo", "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %ld", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb * 1024;
}

static int apply(int dir, struct rumpfs_op *ops, int nr)
{
	struct rumpfs_apply apply = {
		.ops = (uintptr_t)ops, .nr_ops = nr, .op_size = sizeof(*ops),
	};

	return ERR(ioctl(dir, RUMPFS_IOC_APPLY, &apply));
}

TEST_F(memory, a_mapping_takes_at_most_512_bytes)
{
	struct rumpfs_op flush = { .op = RUMPFS_OP_FLUSH };
	const long most = 512L * KEYS;
	long before, bytes, names = 0, least = LONG_MAX;
	int turn, nr;

	/* A mapping has its key and its host's path; a key has its last name. */
	for (nr = 0; nr < KEYS; nr++)
		names += strlen(self->keys[nr]) + sizeof(F) +
			 strlen(strrchr(self->keys[nr], '/'));
	/* Once, so that what stays for good is there. */
	ASSERT_EQ(0, apply(self->dir, self->ops, KEYS));
	ASSERT_EQ(0, apply(self->dir, &flush, 1));
	/* Others take memory, too: the least of some turns is the table's. */
	for (turn = 0; turn < 3 || (turn < 10 && least - names > most);
	     turn++) {
		before = slab_bytes();
		ASSERT_EQ(0, apply(self->dir, self->ops, KEYS));
		bytes = slab_bytes() - before;
		if (bytes < least)
			least = bytes;
		ASSERT_EQ(0, apply(self->dir, &flush, 1));
		/* What was removed is freed after a while. */
		ASSERT_TRUE(WAIT_FOR(slab_bytes() - before < bytes / 8));
	}
	TH_LOG("%ld bytes a mapping, and %ld its names", (least - names) / KEYS,
	       names / KEYS);
	EXPECT_LT(names, least);
	EXPECT_GE(most, least - names);
}

TEST_HARNESS_MAIN
