// SPDX-License-Identifier: GPL-2.0
/* What a host file says of itself: size, mode, owner, times. */
#include "host.h"
#include "open.h"

#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/stat.h>

/* Bytes of an open host file or block device. */
u64 etfs_host_size(const struct file *host)
{
	/* A block device's size is that of its own inode, not of the node. */
	return i_size_read(host->f_mapping->host);
}

u32 etfs_host_dio_align(const struct file *host)
{
	struct inode *inode = host->f_mapping->host;
	struct block_device *bdev = inode->i_sb->s_bdev;
	struct kstat stat;

	if (!(host->f_flags & O_DIRECT))
		return 0;
	if (S_ISBLK(READ_ONCE(inode->i_mode)))
		return bdev_logical_block_size(I_BDEV(inode));
	if (!vfs_getattr(&host->f_path, &stat, STATX_DIOALIGN,
			 AT_STATX_DONT_SYNC) &&
	    (stat.result_mask & STATX_DIOALIGN) && stat.dio_offset_align)
		return stat.dio_offset_align;
	return bdev ? bdev_logical_block_size(bdev) : SECTOR_SIZE;
}

bool etfs_host_has_suid(const struct path *path)
{
	return !(path->mnt->mnt_flags & MNT_NOSUID);
}

static void etfs_host_hide_setid(const struct path *path, struct kstat *stat)
{
	if (!S_ISDIR(stat->mode) && !etfs_host_has_suid(path))
		stat->mode &= ~(S_ISUID | S_ISGID);
}

int etfs_host_stat(const struct path *path, struct kstat *stat)
{
	int err = vfs_getattr(path, stat, STATX_BASIC_STATS | STATX_BTIME,
			      AT_STATX_SYNC_AS_STAT);

	if (!err)
		etfs_host_hide_setid(path, stat);
	return err;
}

bool etfs_host_is_noexec(const struct file *host)
{
	const struct vfsmount *mnt = host->f_path.mnt;

	return (mnt->mnt_flags & MNT_NOEXEC) ||
	       (mnt->mnt_sb->s_iflags & SB_I_NOEXEC);
}

int etfs_host_fgetattr(const struct file *host, struct kstat *stat)
{
	/* The LSM was asked when it was opened. */
	int err = vfs_getattr_nosec(&host->f_path, stat, STATX_BASIC_STATS |
				    STATX_BTIME, AT_STATX_SYNC_AS_STAT);

	if (err)
		return err;
	etfs_host_hide_setid(&host->f_path, stat);
	/* The size of a device is not in its node's attributes. */
	if (S_ISBLK(stat->mode)) {
		stat->size = etfs_host_size(host);
		stat->blocks = stat->size >> SECTOR_SHIFT;
	}
	return 0;
}

/* A local file system tells no more than its inodes have. Return: is it one? */
static bool etfs_host_stat_few(const struct path *path, struct kstat *stat)
{
	const struct inode *inode = d_inode(path->dentry);
	struct mnt_idmap *idmap = path_mnt_idmap(path);

	stat->mode = READ_ONCE(inode->i_mode);
	if (!S_ISREG(stat->mode) || !etfs_host_is_local(inode->i_sb))
		return false;
	stat->uid = vfsuid_into_kuid(i_uid_into_vfsuid(idmap, inode));
	stat->gid = vfsgid_into_kgid(i_gid_into_vfsgid(idmap, inode));
	stat->mtime = inode_get_mtime(inode);
	etfs_host_hide_setid(path, stat);
	return true;
}

int etfs_host_fgetattr_few(const struct file *host, struct kstat *stat)
{
	return etfs_host_stat_few(&host->f_path, stat) ?
	       0 : etfs_host_fgetattr(host, stat);
}

void etfs_host_remember(struct etfs_map *map, const struct path *path)
{
	struct etfs_attr *attr = &map->attr;
	struct kstat stat;

	/* What the options say holds even if the host says nothing. */
	if (map->spec.flags & ETFS_MAP_MODE)
		attr->mode = map->spec.mode;
	if (!etfs_host_stat_few(path, &stat) && etfs_host_stat(path, &stat))
		return;
	if (!(map->spec.flags & ETFS_MAP_MODE))
		attr->mode = stat.mode & 07777;
	if (!(map->spec.flags & ETFS_MAP_UID))
		attr->uid = stat.uid;
	if (!(map->spec.flags & ETFS_MAP_GID))
		attr->gid = stat.gid;
}
