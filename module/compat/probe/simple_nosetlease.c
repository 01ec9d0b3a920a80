// SPDX-License-Identifier: GPL-2.0
// Does it take a method to refuse leases?
// needs: simple_nosetlease
#include <linux/fs.h>
#if __has_include(<linux/filelock.h>)
#include <linux/filelock.h>
#endif
void *probe(void);
void *probe(void)
{
	return simple_nosetlease;
}
