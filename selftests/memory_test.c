// SPDX-License-Identifier: GPL-2.0
/* What a table takes of the machine's memory, besides its names. */

#include <sys/ioctl.h>

#include "lib/fixture.h"
#include "lib/group.h"
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
	if (make_group())
		SKIP(return, "no cgroup2 with memory at " CGROUPS);
	ASSERT_EQ(0, enter_group());
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
	leave_group();
	remove_group();
}

/* Bytes of the kernel's small objects that this process has asked for. */
static long slab_bytes(void)
{
	return figure("memory.stat", "slab_unreclaimable ");
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
	long before, bytes = 0, names = 0;
	int nr;

	/* A mapping has its key and its host's path; a key has its last name. */
	for (nr = 0; nr < KEYS; nr++)
		names += strlen(self->keys[nr]) + sizeof(F) +
			 strlen(strrchr(self->keys[nr], '/'));
	before = slab_bytes();
	ASSERT_LT(0, before);
	ASSERT_EQ(0, apply(self->dir, self->ops, KEYS));
	/* Host files that were looked at are freed after a while. */
	EXPECT_TRUE(WAIT_FOR((bytes = slab_bytes() - before) - names <=
			     512L * KEYS));
	TH_LOG("%ld bytes a mapping, and %ld its names",
	       (bytes - names) / KEYS, names / KEYS);
	EXPECT_LT(names, bytes);
	/* So is what was removed. */
	ASSERT_EQ(0, apply(self->dir, &flush, 1));
	EXPECT_TRUE(WAIT_FOR(slab_bytes() - before < bytes / 8));
}

TEST_HARNESS_MAIN
