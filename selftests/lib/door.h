/* SPDX-License-Identifier: GPL-2.0 */
/* The directory of a mount in sysfs: its table as text, and its figures. */
#ifndef SELFTESTS_DOOR_H
#define SELFTESTS_DOOR_H

#include <sys/sysmacros.h>

#include "fixture.h"

/* The path of a file there; good until it is asked for eight others. */
static inline const char *door(const char *mnt, const char *file)
{
	static char paths[8][128];
	static unsigned int turn;
	char *path = paths[turn++ % 8];
	struct stat st = {};

	stat(mnt, &st);
	snprintf(path, sizeof(paths[0]), SYSFS "/%u:%u/%s", major(st.st_dev),
		 minor(st.st_dev), file);
	return path;
}

/* One write(2) to an open table: 0 if it took all of it, EMSGSIZE if less. */
static inline int write_all(int fd, const char *text)
{
	ssize_t done = write(fd, text, strlen(text));

	return done < 0 ? errno : (size_t)done == strlen(text) ? 0 : EMSGSIZE;
}

/* The same to the table of the mount at @mnt, by its own door. */
static inline int tell(const char *mnt, const char *text)
{
	int fd = open(door(mnt, "etfs"), O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return errno;
	err = write_all(fd, text);
	close(fd);
	return err;
}

/* A figure, -1 if there is none. */
static inline long long figure(const char *mnt, const char *name)
{
	char text[32] = "", *end;
	long long n;

	if (get_bytes(door(mnt, name), text, sizeof(text) - 1, 0) <= 0)
		return -1;
	n = strtoll(text, &end, 10);
	return strcmp(end, "\n") ? -1 : n;
}

/* What the door's last_error says. */
static inline const char *door_error(const char *mnt)
{
	static char text[1024];
	ssize_t got = get_bytes(door(mnt, "last_error"), text,
				sizeof(text) - 1, 0);

	text[got < 0 ? 0 : got] = '\0';
	return text;
}

/* 0 if the door shows these rows and no others, EILSEQ if not. */
static inline int door_rows_are(const char *mnt, const char *rows)
{
	char *text = slurp(door(mnt, "etfs"), 65536, NULL);
	char *begin = text ? strchr(text, '\n') : NULL;
	char *end = text ? strstr(text, "# end gen=") : NULL;
	int err = EILSEQ;

	if (begin && end > begin) {
		*end = '\0';
		err = strcmp(begin + 1, rows) ? EILSEQ : 0;
		if (err)
			printf("# the rows are:\n%s", begin + 1);
	}
	free(text);
	return err;
}

#endif /* SELFTESTS_DOOR_H */
