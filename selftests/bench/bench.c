// SPDX-License-Identifier: GPL-2.0
/*
 * bench SECTION ROUNDS ROOT NAME=PATH...
 *
 * Does a section's work for each subject in turn, all of them in each round, in
 * a root of its own so that no path crosses the machine's. Writes lines of
 * section, metric, subject, round and cost, with tabs between.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>

#include "bench.h"

int bench_round;
const char *bench_section;

void die(const char *file, int line, const char *what)
{
	fprintf(stderr, "bench: %s:%d: %s: %s\n", file, line, what,
		strerror(errno));
	exit(1);
}

void emit_value(const char *metric, const char *subject, double value)
{
	printf("%s\t%s\t%s\t%d\t%.2f\n", bench_section, metric, subject,
	       bench_round, value);
	fflush(stdout);
}

void emit(const char *metric, const char *subject, uint64_t start, double count)
{
	emit_value(metric, subject, (now() - start) / count);
}

char *names_make(const char *prefix, unsigned int count)
{
	char *names = malloc((size_t)count * NAME_SIZE);
	unsigned int i;

	for (i = 0; i < count; i++)
		snprintf(names + (size_t)i * NAME_SIZE, NAME_SIZE, "%s%06u",
			 prefix, i);
	return names;
}

/* How many tasks would run now, this one among them; 0 if nobody tells. */
static int nr_running(void)
{
	FILE *file = fopen("/proc/loadavg", "r");
	int n = 0;

	if (file && fscanf(file, "%*f %*f %*f %d/", &n) != 1)
		n = 0;
	if (file)
		fclose(file);
	return n;
}

/* Until what was put off is freed, and nobody has work left; a second at most. */
void settle(void)
{
	uint64_t deadline = now() + 1000000000;

	syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	while (nr_running() > 1 && now() < deadline)
		sched_yield();
	syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void *memory(size_t size)
{
	void *mem = aligned_alloc(PAGE, size);

	if (!mem)
		die(__FILE__, __LINE__, "memory");
	memset(mem, 'r', size);
	return mem;
}

int file_of(const char *path, int flags, size_t size)
{
	int fd = must(open(path, O_RDWR | O_CREAT | O_TRUNC | flags, 0644));
	char *block = memory(65536);

	for (; size; size -= size < 65536 ? size : 65536)
		must(write(fd, block, size < 65536 ? size : 65536));
	free(block);
	return fd;
}

struct rumpfs_op key_op(const char *key, const char *host, unsigned int type,
			unsigned int flags)
{
	return (struct rumpfs_op){
		.op = RUMPFS_OP_SET,
		.type = type,
		.flags = flags,
		.key = (uintptr_t)key,
		.host = (uintptr_t)host,
		.host_fd = -1,
		.size = RUMPFS_SIZE_HOST,
	};
}

void apply(const char *dir, const struct rumpfs_op *ops, unsigned int count)
{
	char message[512] = "";
	struct rumpfs_apply call = {
		.ops = (uintptr_t)ops,
		.nr_ops = count,
		.op_size = sizeof(*ops),
		.message = (uintptr_t)message,
		.message_len = sizeof(message),
	};
	int fd = must(open(dir, O_RDONLY | O_DIRECTORY));

	if (ioctl(fd, RUMPFS_IOC_APPLY, &call))
		die(__FILE__, __LINE__, message);
	close(fd);
}

/* bench map 1 ROOT MOUNT KEY HOSTPATH TYPE [pin]... [dio]: one key. */
static int map(char **arg)
{
	static const char * const types[] = {
		"", "reg", "blk", "chr", "dir", "subdirs",
	};
	unsigned int type = 0, flags = 0;
	struct rumpfs_op op;
	char **word;

	must(chroot(arg[0]));
	must(chdir("/"));
	while (type < 5 && strcmp(types[type], arg[4]))
		type++;
	for (word = arg + 5; *word; word++)
		flags |= !strcmp(*word, "pin") ? RUMPFS_MAP_PIN
					       : RUMPFS_MAP_DIO;
	op = key_op(arg[2], arg[3], type, flags);
	apply(arg[1], &op, 1);
	return 0;
}

static const struct section {
	const char *name;
	void (*run)(const struct subject *subject);
} sections[] = {
	{ "names", bench_names },
	{ "data", bench_data },
	{ "reg", bench_reg },
	{ "reg-direct", bench_reg_direct },
	{ "reg-ext4", bench_reg_small },
	{ "reg-xfs", bench_reg_small },
	{ "reg-btrfs", bench_reg_small },
	{ "tables", bench_tables },
	{ "memory", bench_memory },
	{ "disk", bench_disk },
	{ "scale", bench_scale },
};

static const struct section *find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sections); i++)
		if (!strcmp(sections[i].name, name))
			return &sections[i];
	fprintf(stderr, "bench: no section %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	const struct section *section;
	struct subject subject;
	int rounds, i;

	if (argc < 5)
		return 2;
	if (!strcmp(argv[1], "map"))
		return argc < 8 ? 2 : map(argv + 3);
	section = find(argv[1]);
	bench_section = section->name;
	rounds = atoi(argv[2]);
	must(chroot(argv[3]));
	must(chdir("/"));
	for (bench_round = 0; bench_round <= rounds; bench_round++) {
		for (i = 4; i < argc; i++) {
			char *name = strdup(argv[i]);
			char *path = strchr(name, '=');

			*path = '\0';
			subject = (struct subject){ name, path + 1 };
			settle();
			section->run(&subject);
			free(name);
		}
	}
	return 0;
}
