// SPDX-License-Identifier: GPL-2.0
/* The doors of the host table, which are static where they are. */
#include "fuzz.h"

#include "door.c"
#include "boot.c"

static struct etfs_door fuzz_door = { .table = &etfs_host_table };

struct etfs_reason *const fuzz_last_error = &fuzz_door.why;

void etfs_error_set(const struct etfs_reason *why)
{
	etfs_door_refuse(&fuzz_door, why);
}

ssize_t fuzz_write(char *text, size_t len)
{
	struct file file = { };

	return etfs_attribute.write(&file, &fuzz_door.kobject, &etfs_attribute,
				    text, 0, len);
}

int fuzz_boot(const char *value)
{
	int err;

	err = etfs_boot_param.set(value, &fuzz_param_etfs);
	if (!err)
		err = etfs_boot_init();
	if (!err)
		etfs_boot_apply();
	return err;
}

void fuzz_boot_exit(void)
{
	etfs_boot_exit();
	etfs_boot_param.free(&etfs_boot_text);
}

ssize_t fuzz_boot_status(char *buf, loff_t pos, size_t len)
{
	return etfs_boot_read(NULL, NULL, &etfs_boot_attribute, buf, pos, len);
}

int fuzz_parse_spec(char *text, struct etfs_op *op, struct etfs_reason *why)
{
	return etfs_spec_parse(text, op, why);
}
