/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File systems of the disk kinds, each on a loop device over an image.
 *
 * Making one takes longer than most tests: it is made once for each kind and
 * size, kept below /run, and copied from then on.
 */
#ifndef SELFTESTS_IMAGE_H
#define SELFTESTS_IMAGE_H

#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "check.h"

/* Copy what is not a hole. */
static inline int copy_image(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), err = 0;
	int out = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	static char buf[1 << 16];
	off_t at = 0, end;
	struct stat st;
	ssize_t n;

	if (in < 0 || out < 0 || fstat(in, &st) || ftruncate(out, st.st_size))
		err = errno;
	while (!err && (at = lseek(in, at, SEEK_DATA)) >= 0) {
		end = lseek(in, at, SEEK_HOLE);
		for (; !err && at < end; at += n) {
			n = pread(in, buf, end - at < (off_t)sizeof(buf) ?
				  end - at : (off_t)sizeof(buf), at);
			if (n <= 0 || pwrite(out, buf, n, at) != n)
				err = EIO;
		}
	}
	close(in);
	close(out);
	return err;
}

/* *device: a loop device that goes with its last user. *fd: the first. */
static inline int attach_loop(const char *image, char device[32], int *fd)
{
	int file = open(image, O_RDWR | O_CLOEXEC), err, nr;
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_config config = {
		.fd = file, .info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};

	snprintf((char *)config.info.lo_file_name, LO_NAME_SIZE, "%s", image);
	do {
		nr = ioctl(control, LOOP_CTL_GET_FREE);
		snprintf(device, 32, "/dev/loop%d", nr);
		*fd = nr < 0 ? -1 : open(device, O_RDWR | O_CLOEXEC);
		err = *fd < 0 ? errno : ERR(ioctl(*fd, LOOP_CONFIGURE, &config));
		if (err && *fd >= 0)
			close(*fd);
	} while (err == EBUSY);
	close(control);
	close(file);
	return err;
}

/* Mount an image that has a file system of this kind. */
static inline int mount_image(const char *kind, const char *image,
			      const char *dir)
{
	char device[32];
	int fd, err = attach_loop(image, device, &fd);

	if (err)
		return err;
	err = ERR(mount(device, dir, kind, 0,
			strcmp(kind, "xfs") ? NULL : "nouuid"));
	close(fd);
	return err;
}

/* An image as mkfs leaves it. */
static inline int make_image(const char *kind, const char *mkfs, int mbytes,
			     const char *image)
{
	char kept[128], made[160];

	/* Two of one identity are one to btrfs. */
	if (!strcmp(kind, "btrfs"))
		return run("truncate -s %dM %s && %s %s", mbytes, image, mkfs,
			   image) ? EIO : 0;
	snprintf(kept, sizeof(kept), "/run/rumpfs-test-%s-%d", kind, mbytes);
	if (access(kept, F_OK)) {
		snprintf(made, sizeof(made), "%s.%d", kept, getpid());
		if (run("truncate -s %dM %s && %s %s", mbytes, made, mkfs,
			made) || rename(made, kept)) {
			unlink(made);
			return EIO;
		}
	}
	return copy_image(kept, image);
}

#endif /* SELFTESTS_IMAGE_H */
