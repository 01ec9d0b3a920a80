// SPDX-License-Identifier: GPL-2.0
/*
 * A mount goes in a time that grows with its names, however they are nested.
 * RUMPFS_FILES and RUMPFS_DEPTH make the large one larger.
 */

#include "lib/fixture.h"

#define FILES_A_DIR 100

FIXTURE(large)
{
};

FIXTURE_SETUP(large)
{
	if (is_sanitized())
		SKIP(return, "takes too long where each access is checked");
	ASSERT_EQ(0, load_module());
	ASSERT_EQ(0, enter_sandbox());
}

FIXTURE_TEARDOWN(large)
{
	umount2(MNT, MNT_DETACH);
}

static long env_number(const char *name, long otherwise)
{
	const char *said = getenv(name);

	return said ? strtol(said, NULL, 0) : otherwise;
}

/* Of this process: others share the machine. */
static long long cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* A hundred files in each directory, and ten directories in each. */
static int make_wide(long files)
{
	char path[96] = MNT "/d", name[128], number[24];
	const char *digit;
	int err = ERR(mkdir(path, 0755));
	long i;

	for (i = 0; i < files && !err; i++) {
		if (i && i % FILES_A_DIR == 0) {
			sprintf(path, MNT "/d");
			sprintf(number, "%ld", i / FILES_A_DIR);
			for (digit = number; *digit; digit++)
				sprintf(path + strlen(path), "/%c", *digit);
			err = ERR(mkdir(path, 0755));
		}
		sprintf(name, "%s/f%ld", path, i);
		err = err ?: ERR(mknod(name, S_IFREG | 0644, 0));
	}
	return err;
}

static int make_deep(long depth)
{
	int err = ERR(chdir(MNT));

	while (depth-- && !err)
		err = ERR(mkdir("d", 0755)) ?: ERR(chdir("d"));
	return err ?: ERR(chdir("/"));
}

/* What umount takes for each of so many names: CPU time, ns. */
static long long cost(int (*make)(long n), long n)
{
	long long begin;

	if (mount_at(MNT, "size=0,nr_inodes=0") || make(n))
		return -1;
	begin = cpu_us();
	if (umount(MNT))
		return -1;
	begin = cpu_us() - begin;
	printf("# umount with %ld names: %lld us\n", n, begin);
	return begin * 1000 / n;
}

static void compare(struct __test_metadata *_metadata, int (*make)(long n),
		    long few, long many)
{
	long long few_ns = 0, many_ns = 0;
	int tries;

	/* The machine is not ours alone. */
	for (tries = 0; tries < 3; tries++) {
		few_ns = cost(make, few);
		ASSERT_LT(0, few_ns);
		many_ns = cost(make, many);
		ASSERT_LT(0, many_ns);
		if (many_ns < 3 * few_ns)
			break;
	}
	EXPECT_LT(many_ns, 3 * few_ns);
}

TEST_F_TIMEOUT(large, many_files_in_many_directories, 1200)
{
	compare(_metadata, make_wide, 2000,
		env_number("RUMPFS_FILES", 20000));
}

TEST_F_TIMEOUT(large, a_directory_nested_deep, 1200)
{
	compare(_metadata, make_deep, 500, env_number("RUMPFS_DEPTH", 5000));
}

TEST_HARNESS_MAIN
