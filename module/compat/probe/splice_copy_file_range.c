// SPDX-License-Identifier: GPL-2.0
// Is there a copy through a pipe for ->copy_file_range?
#include <linux/fs.h>
#include <linux/splice.h>
void *probe(void);
void *probe(void)
{
	return splice_copy_file_range;
}
