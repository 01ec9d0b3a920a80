/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host file system that a process of the test serves: one file, "f", whose
 * size is told by the test, while its bytes are FUSE_TEXT. Reads are not cached.
 */
#ifndef SELFTESTS_FUSE_H
#define SELFTESTS_FUSE_H

#include <linux/fuse.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/mount.h>

#include "check.h"

#define FUSE_TEXT "what no size tells of\n"
#define FUSE_LEN (sizeof(FUSE_TEXT) - 1)

/* What the test and the server tell each other. */
struct fuse_word {
	long long size;
	/* what a flush answers */
	int flush_err;
	/* the next open waits while this is set */
	bool holds_open;
	bool is_held;
	int nr_flushes;
};

struct fuse_host {
	volatile struct fuse_word *word;
	pid_t pid;
};

static inline void fuse_attr_fill(struct fuse_attr *attr, long long size,
				  uint64_t nodeid)
{
	attr->ino = nodeid;
	attr->mode = nodeid == 1 ? S_IFDIR | 0755 : S_IFREG | 0666;
	attr->nlink = 1;
	attr->size = nodeid == 1 ? 0 : size;
	attr->blksize = PAGE;
}

/* Return: bytes of the answer in out, or minus the errno. */
static inline int fuse_answer(volatile struct fuse_word *word,
			      const struct fuse_in_header *in, void *out)
{
	const struct fuse_read_in *read = (const void *)(in + 1);
	const struct fuse_write_in *write = (const void *)(in + 1);
	struct fuse_entry_out *entry = out;
	struct fuse_write_out *written = out;
	struct fuse_attr_out *attr = out;
	struct fuse_open_out *open = out;
	struct fuse_init_out *init = out;
	size_t len;

	switch (in->opcode) {
	case FUSE_INIT:
		init->major = FUSE_KERNEL_VERSION;
		init->minor = 31;
		init->max_write = 65536;
		init->max_readahead = 65536;
		return sizeof(*init);
	case FUSE_LOOKUP:
		if (strcmp((const char *)(in + 1), "f"))
			return -ENOENT;
		entry->nodeid = 2;
		fuse_attr_fill(&entry->attr, word->size, 2);
		return sizeof(*entry);
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		fuse_attr_fill(&attr->attr, word->size, in->nodeid);
		return sizeof(*attr);
	case FUSE_OPEN:
		word->is_held = word->holds_open;
		while (word->holds_open)
			usleep(1000);
		open->open_flags = FOPEN_DIRECT_IO;
		return sizeof(*open);
	case FUSE_READ:
		if (read->offset >= FUSE_LEN)
			return 0;
		len = FUSE_LEN - read->offset;
		len = len < read->size ? len : read->size;
		memcpy(out, FUSE_TEXT + read->offset, len);
		return len;
	case FUSE_WRITE:
		written->size = write->size;
		return sizeof(*written);
	case FUSE_FLUSH:
		word->nr_flushes++;
		return -word->flush_err;
	case FUSE_RELEASE:
		return 0;
	default:
		return -ENOSYS;
	}
}

static inline void fuse_serve(int fd, volatile struct fuse_word *word)
{
	static char in[FUSE_MIN_READ_BUFFER + 65536 + PAGE];
	static char out[sizeof(struct fuse_out_header) + 65536];
	struct fuse_in_header *ask = (void *)in;
	struct fuse_out_header *head = (void *)out;
	int ret;

	while (read(fd, in, sizeof(in)) > 0 || errno == ENOENT ||
	       errno == EINTR) {
		if (ask->opcode == FUSE_FORGET ||
		    ask->opcode == FUSE_BATCH_FORGET ||
		    ask->opcode == FUSE_INTERRUPT)
			continue;
		memset(out, 0, sizeof(out));
		ret = fuse_answer(word, ask, head + 1);
		head->unique = ask->unique;
		head->error = ret < 0 ? ret : 0;
		head->len = sizeof(*head) + (ret < 0 ? 0 : ret);
		if (write(fd, out, head->len) < 0 && errno != ENOENT)
			break;
	}
	_exit(0);
}

/* Mount one there; 0 or an errno. ENODEV: this kernel has no such hosts. */
static inline int fuse_mount(struct fuse_host *fuse, const char *dir,
			     long long size)
{
	char options[128];
	int fd;

	run("modprobe fuse");
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return ENODEV;
	fuse->word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fuse->word->size = size;
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if ((mkdir(dir, 0755) && errno != EEXIST) ||
	    mount("fuse", dir, "fuse", 0, options))
		return errno;
	fuse->pid = fork();
	if (!fuse->pid)
		fuse_serve(fd, fuse->word);
	close(fd);
	return fuse->pid < 0 ? errno : 0;
}

static inline void fuse_end(struct fuse_host *fuse)
{
	if (fuse->pid <= 0)
		return;
	kill(fuse->pid, SIGKILL);
	wait_status(fuse->pid);
}

#endif /* SELFTESTS_FUSE_H */
