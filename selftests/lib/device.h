/* SPDX-License-Identifier: GPL-2.0 */
/* Devices of keys. */
#ifndef SELFTESTS_DEVICE_H
#define SELFTESTS_DEVICE_H

#include <string.h>
#include <sys/sysmacros.h>

#include "fixture.h"

/* The number N of /dev/rumpblkN or /dev/rumpchrN behind a node, or -1. */
static inline int device_nr(const char *path)
{
	char link[64], target[256];
	struct stat st;
	ssize_t len;
	char *name;
	int nr;

	if (stat(path, &st) || (!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode)))
		return -1;
	snprintf(link, sizeof(link), "/sys/dev/%s/%u:%u",
		 S_ISBLK(st.st_mode) ? "block" : "char", major(st.st_rdev),
		 minor(st.st_rdev));
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return -1;
	target[len] = '\0';
	name = strrchr(target, '/');
	return name && sscanf(name, S_ISBLK(st.st_mode) ? "/rumpblk%d" :
							  "/rumpchr%d",
			      &nr) == 1 ? nr : -1;
}

/* The text of an attribute of the device at a node, newline cut off. */
static inline const char *device_attr(const char *class, int nr,
				      const char *name)
{
	static char text[4200];
	char path[128];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/class/%s%d/%s", class, nr, name);
	len = get_bytes(path, text, sizeof(text) - 1, 0);
	if (len < 0)
		return "unreadable";
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text;
}

#endif /* SELFTESTS_DEVICE_H */
