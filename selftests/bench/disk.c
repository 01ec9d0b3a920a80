// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to a disk past its page cache: for each request, or for each 4K of the
 * large ones. The subject's path is a block device of at least 64M.
 */
#include <linux/aio_abi.h>
#include <sys/syscall.h>

#include "bench.h"

#define SIZE (64u << 20)
#define LARGE (128u << 10)
#define REQUESTS 4096
#define DEPTH 16

static char *block;

static void sequential(const struct subject *subject, int fd)
{
	uint64_t start = now();
	unsigned int at;

	for (at = 0; at < SIZE; at += LARGE)
		must(pwrite(fd, block, LARGE, at));
	emit("seq write 128K, per 4K", subject->name, start, SIZE / PAGE);
	start = now();
	for (at = 0; at < SIZE; at += LARGE)
		must(pread(fd, block, LARGE, at));
	emit("seq read 128K, per 4K", subject->name, start, SIZE / PAGE);
}

static off_t somewhere(uint32_t *seed)
{
	return (off_t)(next_random(seed) % (SIZE / PAGE)) * PAGE;
}

static void one_by_one(const struct subject *subject, int fd)
{
	uint64_t start = now();
	uint32_t seed = 1;
	unsigned int i;

	for (i = 0; i < REQUESTS; i++)
		must(pread(fd, block, PAGE, somewhere(&seed)));
	emit("randread 4K QD1", subject->name, start, REQUESTS);
	start = now();
	for (i = 0; i < REQUESTS; i++)
		must(pwrite(fd, block, PAGE, somewhere(&seed)));
	emit("randwrite 4K QD1", subject->name, start, REQUESTS);
}

/* As many as that are always on their way; those that are done go again. */
static void queued(const struct subject *subject, int fd, const char *what,
		   unsigned int opcode)
{
	struct iocb iocbs[DEPTH] = {}, *ready[DEPTH];
	struct io_event events[DEPTH];
	aio_context_t context = 0;
	unsigned int done = 0;
	uint32_t seed = 1;
	uint64_t start;
	long n = DEPTH, i;

	must(syscall(SYS_io_setup, DEPTH, &context));
	for (i = 0; i < DEPTH; i++) {
		iocbs[i].aio_fildes = fd;
		iocbs[i].aio_lio_opcode = opcode;
		iocbs[i].aio_buf = (uintptr_t)(block + i * PAGE);
		iocbs[i].aio_nbytes = PAGE;
		ready[i] = &iocbs[i];
	}
	start = now();
	for (; done < REQUESTS * 2; done += n) {
		for (i = 0; i < n; i++)
			ready[i]->aio_offset = somewhere(&seed);
		if (must(syscall(SYS_io_submit, context, n, ready)) != n)
			die(__FILE__, __LINE__, "io_submit");
		n = must(syscall(SYS_io_getevents, context, 1, DEPTH, events,
				 NULL));
		for (i = 0; i < n; i++) {
			if (events[i].res != PAGE)
				die(__FILE__, __LINE__, "a request");
			ready[i] = (struct iocb *)(uintptr_t)events[i].obj;
		}
	}
	emit(what, subject->name, start, done);
	must(syscall(SYS_io_destroy, context));
}

void bench_disk(const struct subject *subject)
{
	int fd = must(open(subject->path, O_RDWR | O_DIRECT));

	if (!block)
		block = memory(LARGE);
	sequential(subject, fd);
	one_by_one(subject, fd);
	queued(subject, fd, "randread 4K QD16", IOCB_CMD_PREAD);
	queued(subject, fd, "randwrite 4K QD16", IOCB_CMD_PWRITE);
	close(fd);
}
