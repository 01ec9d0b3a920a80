// SPDX-License-Identifier: GPL-2.0
/* What a device tells in sysfs of the window it was made of. */
#include "etfs.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

/* What does not fit a page is not shown at all. */
static ssize_t etfs_show_name(const char *name, char *buf)
{
	size_t len = etfs_text_escape(buf, PAGE_SIZE - 1, name, false);

	if (len >= PAGE_SIZE - 1)
		return -ENAMETOOLONG;
	buf[len] = '\n';
	return len + 1;
}

ssize_t etfs_show_key(struct etfs_map *map, char *buf)
{
	return etfs_show_name(map->spec.key, buf);
}

/* Where the bound file is now, seen from the reader's root. */
ssize_t etfs_show_backing_file(struct etfs_map *map, char *buf)
{
	struct file *host = etfs_map_get_host(map);
	const char *path;
	ssize_t len;
	char *room;

	if (!host)
		return -ENODEV;
	room = kmalloc(PATH_MAX, GFP_KERNEL);
	path = room ? file_path(host, room, PATH_MAX) : ERR_PTR(-ENOMEM);
	len = IS_ERR(path) ? PTR_ERR(path) : etfs_show_name(path, buf);
	kfree(room);
	fput(host);
	return len;
}
