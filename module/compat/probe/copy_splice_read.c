// SPDX-License-Identifier: GPL-2.0
// Is there a splice_read on top of read_iter?
// needs: copy_splice_read
#include <linux/fs.h>
void *probe(void);
void *probe(void)
{
	return copy_splice_read;
}
