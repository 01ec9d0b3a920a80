// SPDX-License-Identifier: GPL-2.0
// Does it take a method to refuse leases?
// needs: simple_nosetlease
#include <linux/fs.h>
void *probe(void);
void *probe(void)
{
	return simple_nosetlease;
}
