/* SPDX-License-Identifier: GPL-2.0 */
/* The calls that twin_test makes in one world, and what it sees of each. */
#ifndef SELFTESTS_TWIN_OPS_H
#define SELFTESTS_TWIN_OPS_H

#include <linux/fs.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include "twin.h"

/* What the dice said for one call. */
struct args {
	char path[2][1024];
	int a, b;
	uint64_t roll[6];
	off_t pos, pos2;
	size_t len;
	mode_t mode;
	int open_flags;
	uid_t uid;
};

/* How it went. */
struct result {
	long ret;
	int err;
	uint64_t hash;
};

static char data[MAX_DATA], back[MAX_DATA];

#define OP(name) static long op_##name(struct world *w, const struct args *a, \
				       struct result *r)
#define PATH(i) world_path(w, a->path[i])

static void see_stat(struct result *r, const char *path)
{
	struct stat st;

	if (!lstat(path, &st))
		r->hash = hash_stat(r->hash, &st);
}

static void see_fd(struct result *r, int fd)
{
	int err = errno;
	struct stat st;

	if (!fstat(fd, &st))
		r->hash = hash_stat(r->hash, &st);
	r->hash = hash_number(r->hash, lseek(fd, 0, SEEK_CUR));
	errno = err;
}

/* Names */

OP(mkdir) { return mkdir(PATH(0), a->mode & 01777); }
OP(rmdir) { return rmdir(PATH(0)); }
OP(unlink) { return unlink(PATH(0)); }
OP(link) { return link(PATH(0), PATH(1)); }
OP(rename) { return rename(PATH(0), PATH(1)); }
OP(symlink) { return symlink(a->path[1], PATH(0)); }

OP(rename2)
{
	return syscall(__NR_renameat2, AT_FDCWD, PATH(0), AT_FDCWD, PATH(1),
		       a->roll[0] % 9);
}

OP(linkat)
{
	return linkat(AT_FDCWD, PATH(0), AT_FDCWD, PATH(1),
		      a->roll[0] % 2 ? AT_SYMLINK_FOLLOW : 0);
}

OP(linkfd)
{
	char proc[32];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", w->fd[a->a]);
	return linkat(AT_FDCWD, proc, AT_FDCWD, PATH(0), AT_SYMLINK_FOLLOW);
}

OP(mknod)
{
	static const mode_t types[] = { S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR,
					S_IFBLK, S_IFDIR, 0 };
	static const dev_t devices[] = { 0, 0xfff00, 0x103, 0x105 };
	const mode_t type = types[a->roll[0] % 7];

	/* No block device that is there: one alone can have it with O_EXCL. */
	return mknod(PATH(0), type | a->mode,
		     devices[a->roll[1] % (type == S_IFBLK ? 2 : 4)]);
}

OP(readlink)
{
	ssize_t len = readlink(PATH(0), back, 1 + a->roll[0] % 1000);

	if (len > 0)
		r->hash = hash_bytes(r->hash, back, len);
	return len;
}

OP(list)
{
	r->hash = hash_list(r->hash, PATH(0));
	return 0;
}

/* A listing in pieces, from a cookie of its own. */
OP(seekdir)
{
	DIR *stream = opendir(PATH(0));
	struct dirent *entry = NULL;
	long skip = a->roll[0] % 5, cookie, n = 0;

	if (!stream)
		return -1;
	while (skip-- && (entry = readdir(stream)))
		n++;
	cookie = telldir(stream);
	while (readdir(stream))
		n++;
	seekdir(stream, cookie);
	while (readdir(stream))
		n += 1000;
	rewinddir(stream);
	while (readdir(stream))
		n += 1000000;
	closedir(stream);
	return n;
}

/* In a directory that goes while one stands in it. */
OP(stand)
{
	char cwd[4 * PAGE];
	const char *dir = PATH(0);
	int n = 0;

	if (mkdir(dir, 0777))
		return -1;
	if (chdir(dir) || rmdir(dir))
		return chdir("/"), -1;
	n += !!getcwd(cwd, sizeof(cwd));
	n = n * 100 + ERR(mkdir("x", 0777));
	n = n * 100 + open_err("y", O_CREAT | O_RDWR);
	n = n * 100 + ERR(chdir(".."));
	r->hash = hash_text(r->hash, getcwd(cwd, sizeof(cwd)) ?
					     cwd + strlen(w->root) : "");
	return chdir("/") ?: n;
}

OP(chdir)
{
	char cwd[8 * PAGE];

	if (chdir(PATH(0)))
		return -1;
	if (getcwd(cwd, sizeof(cwd)))
		r->hash = hash_text(r->hash, cwd + strlen(w->root));
	return chdir("/");
}

/* Attributes */

OP(chmod) { return chmod(PATH(0), a->mode); }
OP(chown) { return chown(PATH(0), (int)(a->roll[0] % 4) - 1 ?: 1000,
			 (int)(a->roll[1] % 4) - 1); }
OP(lchown) { return lchown(PATH(0), a->uid, a->roll[0] % 3); }
OP(fchmod) { return fchmod(w->fd[a->a], a->mode); }
OP(fchown) { return fchown(w->fd[a->a], a->uid, -1); }
OP(truncate) { return truncate(PATH(0), a->pos); }

OP(access)
{
	return faccessat(AT_FDCWD, PATH(0), a->roll[0] % 8, AT_EACCESS);
}

OP(statx)
{
	struct statx stx = {};
	long ret = statx(AT_FDCWD, PATH(0), a->roll[0] % 2 ?
			 AT_SYMLINK_NOFOLLOW : 0, a->roll[1] % 0x1000, &stx);

	/* 0xfff: all up to the birth time. */
	r->hash = hash_number(r->hash, stx.stx_mask & a->roll[1] & 0xfff);
	r->hash = hash_number(r->hash, stx.stx_attributes);
	r->hash = hash_number(r->hash, stx.stx_blksize);
	return ret;
}

OP(utimens)
{
	static const long nsec[] = { 0, 1, 999999999, 1000000000, UTIME_NOW,
				     UTIME_OMIT };
	struct timespec ts[2] = {
		{ a->roll[0] % 100000, nsec[a->roll[1] % 6] },
		{ (long)(a->roll[2] % 200000) - 100000, nsec[a->roll[3] % 6] } };
	long ret = utimensat(AT_FDCWD, PATH(0), ts, a->roll[4] % 2 ?
			     AT_SYMLINK_NOFOLLOW : 0);
	struct stat st;

	if (!ret && a->roll[4] % 2 && !lstat(PATH(0), &st)) {
		if (ts[0].tv_nsec < 1000000000)
			r->hash = hash_bytes(r->hash, &st.st_atim, 16);
		if (ts[1].tv_nsec < 1000000000)
			r->hash = hash_bytes(r->hash, &st.st_mtim, 16);
	}
	return ret;
}

OP(statfs)
{
	struct statfs st;
	long ret = statfs(PATH(0), &st);

	if (!ret)
		r->hash = hash_number(r->hash, st.f_namelen * 8192 + st.f_bsize);
	return ret;
}

static const char *const xattrs[] = {
	"user.a", "user.b", "trusted.a", "security.a", "user.", "system.a",
	"nonsense", "system.posix_acl_access"
};

OP(setxattr)
{
	return lsetxattr(PATH(0), xattrs[a->roll[0] % 7], data,
			 a->len % 3000, a->roll[1] % 3);
}

OP(getxattr)
{
	ssize_t len = lgetxattr(PATH(0), xattrs[a->roll[0] % 7], back,
				a->roll[1] % 4000);

	if (len > 0 && a->roll[1] % 4000)
		r->hash = hash_bytes(r->hash, back, len);
	return len;
}

OP(removexattr)
{
	return lremovexattr(PATH(0), xattrs[a->roll[0] % 7]);
}

OP(listxattr)
{
	return llistxattr(PATH(0), back, a->roll[0] % 3 ? sizeof(back) :
							  a->roll[1] % 30);
}

OP(setacl)
{
	/* version 2; user::rwx user:1000:? group::r-x mask::? other::--- */
	uint16_t acl[] = { 2, 0, 1, 7, -1, -1, 2, a->roll[0] % 8, 1000, 0,
			   4, 5, -1, -1, 16, a->roll[1] % 8, -1, -1,
			   32, 0, -1, -1 };

	return setxattr(PATH(0), a->roll[2] % 2 ? "system.posix_acl_access" :
			"system.posix_acl_default", acl, sizeof(acl), 0);
}

OP(getacl)
{
	ssize_t len = getxattr(PATH(0), a->roll[0] % 2 ?
			       "system.posix_acl_access" :
			       "system.posix_acl_default", back, sizeof(back));

	if (len > 0)
		r->hash = hash_bytes(r->hash, back, len);
	return len;
}

OP(setflags)
{
	static const int flags[] = { FS_IMMUTABLE_FL, FS_APPEND_FL, FS_NODUMP_FL,
				     FS_NOATIME_FL, FS_SYNC_FL, 0, 0, 0 };
	int fd = open(PATH(0), O_RDONLY | O_NONBLOCK), value;
	long ret = fd;

	value = flags[a->roll[0] % 8];
	if (fd >= 0) {
		ret = ioctl(fd, FS_IOC_SETFLAGS, &value);
		value = 0;
		if (!ioctl(fd, FS_IOC_GETFLAGS, &value))
			r->hash = hash_number(r->hash, value);
		value = 0;
		/* Nothing is to stay undeletable for long. */
		if (a->roll[1] % 4)
			ioctl(fd, FS_IOC_SETFLAGS, &value);
		close(fd);
	}
	return ret;
}

/* Open files */

OP(open)
{
	int fd = open(PATH(0), a->open_flags, a->mode);

	if (fd < 0)
		return fd;
	if (w->fd[a->a] >= 0)
		close(w->fd[a->a]);
	w->fd[a->a] = fd;
	see_fd(r, fd);
	return fcntl(fd, F_GETFL);
}

/* Without the odd flags, so that there are files to do something with. */
OP(openfile)
{
	struct args plain = *a;

	plain.open_flags &= ~(O_TMPFILE | O_PATH | O_EXCL | O_NOFOLLOW);
	plain.open_flags |= O_CREAT | O_RDWR;
	return op_open(w, &plain, r);
}

OP(close)
{
	int fd = w->fd[a->a];

	w->fd[a->a] = -1;
	return close(fd);
}

OP(dup)
{
	int fd = dup(w->fd[a->a]);

	if (fd < 0)
		return fd;
	if (w->fd[a->b] >= 0)
		close(w->fd[a->b]);
	w->fd[a->b] = fd;
	return 0;
}

OP(pwrite) { return pwrite(w->fd[a->a], data + a->roll[0] % PAGE, a->len, a->pos); }
OP(write) { return write(w->fd[a->a], data + a->roll[0] % PAGE, a->len); }
OP(ftruncate) { return ftruncate(w->fd[a->a], a->pos); }
OP(flock) { return flock(w->fd[a->a], LOCK_NB | (1 << a->roll[0] % 4)); }
OP(fsync) { return fsync(w->fd[a->a]); }

static long see_data(struct result *r, long len)
{
	if (len > 0)
		r->hash = hash_bytes(r->hash, back, len);
	return len;
}

OP(pread) { return see_data(r, pread(w->fd[a->a], back, a->len, a->pos)); }
OP(read) { return see_data(r, read(w->fd[a->a], back, a->len)); }
OP(lseek) { return lseek(w->fd[a->a], a->pos - (a->roll[0] % 4 ? 0 : 1 << 20),
			 a->roll[1] % 3); }
OP(seekhole) { return lseek(w->fd[a->a], a->pos,
			    a->roll[1] % 2 ? SEEK_DATA : SEEK_HOLE); }

OP(fallocate)
{
	static const int modes[] = { 0, 1, 3, 3, 3, 2, 8, 0x20, 9 };

	return fallocate(w->fd[a->a], modes[a->roll[0] % 9], a->pos, a->len);
}

OP(copy)
{
	off_t from = a->pos, to = a->pos2;

	return copy_file_range(w->fd[a->a], a->roll[0] % 2 ? &from : NULL,
			       w->fd[a->b], a->roll[1] % 2 ? &to : NULL,
			       a->len, 0);
}

/*
 * tmpfs puts the pages of the file themselves in a pipe, so that a copy of a
 * file onto itself reads what it has just written, and a fifo is full after
 * so many pages; rumpfs puts a copy of the bytes there.
 */
static bool pages_show(int from, int to)
{
	struct stat x = {}, y = {};

	fstat(from, &x);
	fstat(to, &y);
	return x.st_ino == y.st_ino || S_ISFIFO(y.st_mode);
}

OP(sendfile)
{
	off_t from = a->pos;

	if (pages_show(w->fd[a->a], w->fd[a->b]))
		return -2;
	return sendfile(w->fd[a->b], w->fd[a->a],
			a->roll[0] % 2 ? &from : NULL, a->len);
}

OP(splice)
{
	off_t from = a->pos, to = a->pos2;
	int ends[2];
	long n, m = 0;

	if (pages_show(w->fd[a->a], w->fd[a->b]) || pipe(ends))
		return -2;
	n = splice(w->fd[a->a], &from, ends[1], NULL, a->len % (14 * PAGE),
		   SPLICE_F_NONBLOCK);
	if (n > 0)
		m = splice(ends[0], NULL, w->fd[a->b], &to, n, SPLICE_F_NONBLOCK);
	close(ends[0]);
	close(ends[1]);
	return n < 0 ? n : m < 0 ? m : n * 1000000 + m;
}

/* Mappings */

OP(mmap)
{
	int i = a->roll[0] % NR_MAPS;
	char *at = mmap(NULL, MAP_LEN, PROT_READ | PROT_WRITE, a->roll[1] % 3 ?
			MAP_SHARED : MAP_PRIVATE, w->fd[a->a],
			a->pos & ~(off_t)(PAGE - 1));

	if (at == MAP_FAILED)
		return -1;
	if (w->map[i].fd >= 0) {
		munmap(w->map[i].at, MAP_LEN);
		close(w->map[i].fd);
	}
	w->map[i].at = at;
	w->map[i].fd = dup(w->fd[a->a]);
	w->map[i].pos = a->pos & ~(off_t)(PAGE - 1);
	return 0;
}

/* Bytes from there to the end of the file, at most len; none behind it. */
static size_t map_room(const struct world *w, int i, size_t at, size_t len)
{
	struct stat st = {};
	off_t end;

	fstat(w->map[i].fd, &st);
	end = st.st_size - w->map[i].pos;
	return end <= (off_t)at ? 0 : end - at < len ? end - at : len;
}

OP(load)
{
	int i = a->roll[0] % NR_MAPS;
	size_t at = a->roll[1] % MAP_LEN, len = MAP_LEN - at;

	if (w->map[i].fd < 0)
		return -2;
	len = map_room(w, i, at, a->roll[2] % len);
	if (sigsetjmp(on_bus, 1))
		return -3;
	if (!len)
		(void)*(volatile char *)(w->map[i].at + at);
	memcpy(back, w->map[i].at + at, len);
	return see_data(r, len);
}

OP(store)
{
	int i = a->roll[0] % NR_MAPS;
	size_t at = a->roll[1] % (MAP_LEN - 300);
	size_t len = a->roll[2] % 300;

	if (w->map[i].fd < 0)
		return -2;
	len = map_room(w, i, at, len);
	if (sigsetjmp(on_bus, 1))
		return -3;
	memcpy(w->map[i].at + at, data, len);
	return msync(w->map[i].at, MAP_LEN, a->roll[3] % 2 ? MS_SYNC :
							     MS_ASYNC) ?: len;
}

#endif /* SELFTESTS_TWIN_OPS_H */
