// SPDX-License-Identifier: GPL-2.0
/*
 * Kind chr: a window of a host file is a character device.
 *
 * One region and one cdev serve all devices; an open finds its own by the
 * minor. The bytes move as those of kind reg do, see window.c: each opener has
 * the bound file open once more, with a read-ahead and flags of its own. The
 * device's end is the window's, or the host file's of the moment; no write
 * moves that.
 *
 * How a device goes:
 *
 *	remove		no more opens, wherever a node of it may be; its own
 *			node and its folder in sysfs are gone
 *	release		of the last opener, if there is one: the minor is free
 *	unbind		nobody knows the map any more
 *
 * Locks: etfs_chardev_making, then xa_lock of etfs_chardevs.
 */
#include "open.h"

#include <linux/blkdev.h>
#include <linux/cdev.h>
#include <linux/compat.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/xarray.h>

/* I set once - X under xa_lock of etfs_chardevs */
struct etfs_chardev {
	/* I: each opener holds a reference, and the table while it is listed */
	struct etfs_map *map;
	/* I: until the name is gone */
	struct device *dev;
	/* I: the N of rumpchrN */
	u32 minor;
	/* X: openers, and one for the name; the minor is taken until 0 */
	unsigned int nr_holders;
	/* X: the name is gone */
	bool is_removed;
};

/* By minor: NULL while a device is being made */
static DEFINE_XARRAY_ALLOC(etfs_chardevs);

/* Held while a device is made: its node is there a little before its entry. */
static DEFINE_MUTEX(etfs_chardev_making);

static dev_t etfs_chardev_base;
static struct cdev *etfs_chardev_cdev;
static struct class etfs_chardev_class = { .name = "rumpchr" };

static dev_t etfs_chardev_devt(const struct etfs_chardev *chr)
{
	return MKDEV(MAJOR(etfs_chardev_base), chr->minor);
}

static bool etfs_map_is_ro(const struct etfs_map *map)
{
	return map->spec.flags & ETFS_MAP_RO;
}

/* Opening */

/* Return: NULL, or a device that is held, and its map used and held. */
static struct etfs_chardev *etfs_chardev_try_get(u32 minor)
{
	struct etfs_chardev *chr;

	xa_lock(&etfs_chardevs);
	chr = xa_load(&etfs_chardevs, minor);
	/* A busy removal claims the map before it removes it. */
	if (chr && (chr->is_removed || etfs_map_try_use(chr->map)))
		chr = NULL;
	if (chr) {
		etfs_map_get(chr->map);
		chr->nr_holders++;
	}
	xa_unlock(&etfs_chardevs);
	return chr;
}

static struct etfs_chardev *etfs_chardev_get(u32 minor)
{
	struct etfs_chardev *chr = etfs_chardev_try_get(minor);

	if (chr)
		return chr;
	mutex_lock(&etfs_chardev_making);
	chr = etfs_chardev_try_get(minor);
	mutex_unlock(&etfs_chardev_making);
	return chr;
}

static void etfs_chardev_drop(struct etfs_chardev *chr)
{
	xa_lock(&etfs_chardevs);
	if (!--chr->nr_holders)
		__xa_erase(&etfs_chardevs, chr->minor);
	xa_unlock(&etfs_chardevs);
}

static void etfs_chardev_put(struct etfs_chardev *chr)
{
	struct etfs_map *map = chr->map;

	etfs_map_unuse(map);
	etfs_chardev_drop(chr);
	etfs_map_put(map);
}

static int etfs_chardev_open_host(struct etfs_open *open, struct file *file)
{
	const int passed = O_ACCMODE | O_DIRECT | O_SYNC | O_DSYNC | O_NOATIME;
	struct file *bound;

	if ((file->f_mode & FMODE_WRITE) && etfs_map_is_ro(open->map))
		return -EACCES;
	bound = etfs_map_get_host(open->map);
	/* Removed since it was found. */
	if (!bound)
		return -ENXIO;
	open->host = etfs_host_reopen(open->map, bound,
				      file->f_flags & passed);
	fput(bound);
	return PTR_ERR_OR_ZERO(open->host);
}

/* Context: inside the mapping. */
static int etfs_chardev_open_make(struct etfs_open *open, struct file *file)
{
	int err = etfs_chardev_open_host(open, file);

	if (err)
		return err;
	/* io_uring and open(2) judge our file by what the host's can. */
	file->f_mode |= open->host->f_mode & (FMODE_NOWAIT | FMODE_CAN_ODIRECT);
	file->private_data = open;
	/* Before the gate is left, so that a revocation finds it. */
	etfs_gate_add_open(open);
	return 0;
}

/* Permission was asked of a key's node whose number is another key's by now. */
static bool etfs_chardev_is_another(const struct etfs_chardev *chr,
				    const struct inode *inode)
{
	return inode->i_sb->s_type == &rumpfs_fs_type && rumpfs_is_key(inode) &&
	       rumpfs_map(inode) != chr->map;
}

static int etfs_chardev_open(struct inode *inode, struct file *file)
{
	struct etfs_chardev *chr;
	struct etfs_open *open;
	int err = -ENXIO;

	open = kzalloc(sizeof(*open), GFP_KERNEL_ACCOUNT);
	if (!open)
		return -ENOMEM;
	chr = etfs_chardev_get(iminor(inode));
	if (!chr)
		goto free_open;
	open->map = chr->map;
	if (etfs_chardev_is_another(chr, inode)) {
		err = -ESTALE;
	} else if (etfs_map_enter(open->map)) {
		err = etfs_chardev_open_make(open, file);
		etfs_map_leave(open->map);
	}
	if (!err)
		return 0;
	etfs_chardev_put(chr);
free_open:
	kfree(open);
	return err;
}

static int etfs_chardev_release(struct inode *inode, struct file *file)
{
	struct etfs_open *open = file->private_data;
	struct file *host = etfs_gate_take_open(open);

	if (host)
		fput(host);
	etfs_chardev_put(open->map->chardev);
	kfree(open);
	return 0;
}

/* Using */

static ssize_t etfs_open_write_device(struct etfs_open *open,
				      struct kiocb *iocb,
				      struct iov_iter *from, bool is_started)
{
	size_t count = iov_iter_count(from), cut;
	u64 size = etfs_open_size(open);
	ssize_t ret;

	if (!count)
		return 0;
	if (iocb->ki_pos >= size)
		return -ENOSPC;
	iocb->ki_flags &= ~IOCB_APPEND;
	iov_iter_truncate(from, size - iocb->ki_pos);
	cut = count - iov_iter_count(from);
	ret = etfs_window_write(iocb, from, is_started);
	iov_iter_reexpand(from, iov_iter_count(from) + cut);
	return ret;
}

/* A device has no end to append at, and none that could be moved. */
ssize_t etfs_chardev_write(struct kiocb *iocb, struct iov_iter *from,
			   bool is_started)
{
	struct etfs_open *open = iocb->ki_filp->private_data;
	ssize_t ret = etfs_open_enter(open);

	if (ret)
		return ret;
	ret = etfs_open_write_device(open, iocb, from, is_started);
	etfs_open_leave(open);
	return ret;
}

static ssize_t etfs_chardev_write_iter(struct kiocb *iocb,
				       struct iov_iter *from)
{
	return etfs_chardev_write(iocb, from, false);
}

/* Bytes of the device, or -EIO. */
static s64 etfs_chardev_size(struct file *file)
{
	struct etfs_open *open = file->private_data;
	s64 size = etfs_open_enter(open);

	if (size)
		return size;
	size = etfs_open_size(open);
	etfs_open_leave(open);
	return size;
}

/* What a disk tells of itself, so that programs find the size. */
static long etfs_chardev_ioctl(struct file *file, unsigned int cmd,
			       unsigned long arg)
{
	struct etfs_open *open = file->private_data;
	s64 size = etfs_chardev_size(file);

	if (size < 0)
		return size;
	switch (cmd) {
	case BLKGETSIZE64:
		return put_user((u64)size, (u64 __user *)arg);
	case BLKGETSIZE:
		if ((u64)size >> SECTOR_SHIFT > ULONG_MAX)
			return -EFBIG;
		return put_user((unsigned long)(size >> SECTOR_SHIFT),
				(unsigned long __user *)arg);
	case BLKSSZGET:
		return put_user(SECTOR_SIZE, (int __user *)arg);
	case BLKROGET:
		return put_user(etfs_map_is_ro(open->map), (int __user *)arg);
	default:
		return -ENOTTY;
	}
}

#ifdef CONFIG_COMPAT
/* In the number of BLKGETSIZE64 is the size of a size_t, not of its u64. */
#define BLKGETSIZE64_32	_IOR(0x12, 114, int)

static long etfs_chardev_compat_ioctl(struct file *file, unsigned int cmd,
				      unsigned long arg)
{
	s64 size = etfs_chardev_size(file);

	if (size < 0)
		return size;
	if (cmd == BLKGETSIZE) {
		if (size >> SECTOR_SHIFT > U32_MAX)
			return -EFBIG;
		return put_user((compat_ulong_t)(size >> SECTOR_SHIFT),
				(compat_ulong_t __user *)compat_ptr(arg));
	}
	return etfs_chardev_ioctl(file, cmd == BLKGETSIZE64_32 ? BLKGETSIZE64 :
								 cmd,
				  (unsigned long)compat_ptr(arg));
}
#else
#define etfs_chardev_compat_ioctl NULL
#endif

static const struct file_operations etfs_chardev_operations = {
	.owner		= THIS_MODULE,
	.open		= etfs_chardev_open,
	.flush		= etfs_window_flush,
	.release	= etfs_chardev_release,
	.llseek		= etfs_window_llseek,
	.read_iter	= etfs_window_read_iter,
	.write_iter	= etfs_chardev_write_iter,
	.splice_read	= etfs_window_splice_read,
	.splice_write	= etfs_splice_write,
	.fsync		= etfs_window_fsync,
	.unlocked_ioctl	= etfs_chardev_ioctl,
	.compat_ioctl	= etfs_chardev_compat_ioctl,
};

/* In /sys/class/rumpchr/rumpchrN */

static ssize_t etfs_chardev_show_size(struct etfs_map *map, char *buf)
{
	struct file *host = etfs_map_get_host(map);
	u64 size;

	if (!host)
		return -ENODEV;
	size = etfs_window_size(&map->spec.win, etfs_host_size(host));
	fput(host);
	return sysfs_emit(buf, "%llu\n", size);
}

#define ETFS_CHARDEV_ATTR(_name, emit)					\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	struct etfs_chardev *chr = dev_get_drvdata(dev);		\
									\
	return emit;							\
}									\
static DEVICE_ATTR_RO(_name)

ETFS_CHARDEV_ATTR(key, etfs_show_key(chr->map, buf));
ETFS_CHARDEV_ATTR(backing_file, etfs_show_backing_file(chr->map, buf));
ETFS_CHARDEV_ATTR(offset, sysfs_emit(buf, "%llu\n", chr->map->spec.win.offset));
ETFS_CHARDEV_ATTR(size, etfs_chardev_show_size(chr->map, buf));
ETFS_CHARDEV_ATTR(ro, sysfs_emit(buf, "%d\n", etfs_map_is_ro(chr->map)));

static struct attribute *etfs_chardev_attrs[] = {
	&dev_attr_key.attr,
	&dev_attr_backing_file.attr,
	&dev_attr_offset.attr,
	&dev_attr_size.attr,
	&dev_attr_ro.attr,
	NULL
};
ATTRIBUTE_GROUPS(etfs_chardev);

/* The kind */

/* On success the device is there for everyone. */
static int etfs_chardev_add(struct etfs_chardev *chr, struct etfs_reason *why)
{
	int err;

	mutex_lock(&etfs_chardev_making);
	err = xa_alloc(&etfs_chardevs, &chr->minor, NULL,
		       XA_LIMIT(0, MINORMASK), GFP_KERNEL);
	if (err == -EBUSY) {
		etfs_refuse(why, "all %u minor numbers are taken",
			    MINORMASK + 1);
		err = -E2BIG;
	}
	if (err)
		goto unlock;
	chr->dev = device_create_with_groups(&etfs_chardev_class, NULL,
					     etfs_chardev_devt(chr), chr,
					     etfs_chardev_groups, "rumpchr%u",
					     chr->minor);
	err = PTR_ERR_OR_ZERO(chr->dev);
	/* The entry is there, so this takes no memory. */
	if (err)
		xa_erase(&etfs_chardevs, chr->minor);
	else
		xa_store(&etfs_chardevs, chr->minor, chr, GFP_KERNEL);
unlock:
	mutex_unlock(&etfs_chardev_making);
	return err;
}

static int etfs_chardev_bind(struct etfs_map *map, struct etfs_reason *why)
{
	struct file *host;

	host = etfs_host_open(map, etfs_map_is_ro(map) ? O_RDONLY : O_RDWR,
			      why);
	if (IS_ERR(host))
		return PTR_ERR(host);
	etfs_map_set_host(map, host);
	map->is_pinned = true;
	return 0;
}

static int etfs_chardev_make(struct etfs_map *map, struct etfs_reason *why)
{
	struct etfs_chardev *chr;
	int err = -ENOMEM;

	/* Gives way to a better one. */
	etfs_refuse(why, "the device cannot be made");
	chr = kzalloc(sizeof(*chr), GFP_KERNEL_ACCOUNT);
	/* An open finds the device under a lock, and could not make it there. */
	if (!chr || etfs_gate_make(map))
		goto free_chardev;
	chr->map = map;
	chr->nr_holders = 1;
	map->chardev = chr;
	err = etfs_chardev_add(chr, why);
	if (!err)
		return 0;
	map->chardev = NULL;
free_chardev:
	kfree(chr);
	return err;
}

/* The name goes last, so that no other device gets it before that. */
static void etfs_chardev_remove(struct etfs_map *map)
{
	struct etfs_chardev *chr = map->chardev;

	if (!chr)
		return;
	xa_lock(&etfs_chardevs);
	chr->is_removed = true;
	xa_unlock(&etfs_chardevs);
	device_unregister(chr->dev);
	etfs_map_drop_host(map);
	etfs_chardev_drop(chr);
}

static void etfs_chardev_revoke(struct etfs_map *map)
{
	etfs_chardev_remove(map);
	etfs_gate_shut(map);
}

static void etfs_chardev_unbind(struct etfs_map *map)
{
	etfs_map_drop_host(map);
	kfree(map->chardev);
}

static void etfs_chardev_stat(struct etfs_map *map, struct etfs_usage *usage)
{
	usage->rdev = etfs_chardev_devt(map->chardev);
}

static void etfs_chardev_node(struct inode *inode, struct etfs_map *map)
{
	init_special_inode(inode, S_IFCHR | (inode->i_mode & 07777),
			   etfs_chardev_devt(map->chardev));
}

const struct etfs_kind etfs_chr_kind = {
	.name		= "chr",
	.type		= S_IFCHR,
	.bind		= etfs_chardev_bind,
	.make		= etfs_chardev_make,
	.unbind		= etfs_chardev_unbind,
	.node		= etfs_chardev_node,
	.remove		= etfs_chardev_remove,
	.revoke		= etfs_chardev_revoke,
	.revoke_wait	= etfs_gate_wait,
	.stat		= etfs_chardev_stat,
	.get_held	= etfs_map_get_host,
};

int etfs_chardev_init(void)
{
	int err;

	err = alloc_chrdev_region(&etfs_chardev_base, 0, MINORMASK + 1,
				  etfs_chardev_class.name);
	if (err)
		return err;
	err = class_register(&etfs_chardev_class);
	if (err)
		goto unregister_region;
	/* Nodes elsewhere remember it, until it takes itself from them. */
	err = -ENOMEM;
	etfs_chardev_cdev = cdev_alloc();
	if (!etfs_chardev_cdev)
		goto unregister_class;
	etfs_chardev_cdev->owner = THIS_MODULE;
	etfs_chardev_cdev->ops = &etfs_chardev_operations;
	err = cdev_add(etfs_chardev_cdev, etfs_chardev_base, MINORMASK + 1);
	if (!err)
		return 0;
	kobject_put(&etfs_chardev_cdev->kobj);
unregister_class:
	class_unregister(&etfs_chardev_class);
unregister_region:
	unregister_chrdev_region(etfs_chardev_base, MINORMASK + 1);
	return err;
}

/* All devices were removed and closed: an open one holds the module. */
void etfs_chardev_exit(void)
{
	cdev_del(etfs_chardev_cdev);
	class_unregister(&etfs_chardev_class);
	unregister_chrdev_region(etfs_chardev_base, MINORMASK + 1);
	WARN_ON(!xa_empty(&etfs_chardevs));
	xa_destroy(&etfs_chardevs);
}
