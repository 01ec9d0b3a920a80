// SPDX-License-Identifier: GPL-2.0
// Have leases and locks a header of their own?
#include <linux/filelock.h>
void *probe(void);
void *probe(void)
{
	return generic_setlease;
}
