// SPDX-License-Identifier: GPL-2.0
/* Birth and death, in order, and nothing else. */
#include "names.h"
#include "open.h"

#include <linux/init.h>
#include <linux/module.h>
#include <linux/sched.h>

struct etfs_table etfs_host_table;

unsigned int etfs_max_mappings = 1000000;
module_param_named(max_mappings, etfs_max_mappings, uint, 0644);
MODULE_PARM_DESC(max_mappings, "mappings a table takes (default 1000000)");

/* No mount shows the table any more, and nobody can change it. */
static void rumpfs_flush(void)
{
	while (etfs_table_flush(&etfs_host_table, ETFS_LAZY))
		schedule_timeout_uninterruptible(1);
}

static int __init rumpfs_init(void)
{
	int err;

	err = etfs_boot_init();
	if (err)
		return err;
	err = etfs_map_init();
	if (err)
		goto exit_boot;
	err = etfs_reopen_init();
	if (err)
		goto exit_map;
	err = rumpfs_inode_init();
	if (err)
		goto exit_reopen;
	err = rumpfs_entry_init();
	if (err)
		goto exit_inode;
	err = etfs_disk_init();
	if (err)
		goto exit_entry;
	err = etfs_chardev_init();
	if (err)
		goto exit_disk;
	err = etfs_table_init(&etfs_host_table);
	if (err)
		goto exit_chardev;
	err = etfs_sysfs_init();
	if (err)
		goto exit_table;
	err = register_filesystem(&rumpfs_fs_type);
	if (err)
		goto exit_sysfs;
	/* Nothing can fail any more: names are there from here on. */
	etfs_boot_apply();
	return 0;

exit_sysfs:
	etfs_sysfs_exit();
	rumpfs_flush();
exit_table:
	etfs_table_exit(&etfs_host_table);
exit_chardev:
	etfs_chardev_exit();
exit_disk:
	etfs_disk_exit();
exit_entry:
	rumpfs_entry_exit();
exit_inode:
	rumpfs_inode_exit();
exit_reopen:
	etfs_reopen_exit();
exit_map:
	etfs_map_exit();
exit_boot:
	etfs_boot_exit();
	return err;
}

static void __exit rumpfs_exit(void)
{
	unregister_filesystem(&rumpfs_fs_type);
	etfs_sysfs_exit();
	rumpfs_flush();
	etfs_disk_exit();
	etfs_chardev_exit();
	/* What is still being opened for nobody has a mapping. */
	etfs_reopen_exit();
	etfs_table_exit(&etfs_host_table);
	rumpfs_entry_exit();
	rumpfs_inode_exit();
	etfs_map_exit();
	etfs_cover_exit();
	etfs_spare_exit();
	etfs_mirror_exit();
	etfs_boot_exit();
}

module_init(rumpfs_init);
module_exit(rumpfs_exit);

MODULE_DESCRIPTION("A tmpfs in which a name can be a window onto a host file");
MODULE_AUTHOR("The rumpfs authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(RUMPFS_VERSION);
