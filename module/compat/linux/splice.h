/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_SPLICE_H
#define _RUMPFS_COMPAT_LINUX_SPLICE_H

#include_next <linux/splice.h>

#ifndef HAVE_SPLICE_COPY_FILE_RANGE
#define splice_copy_file_range(in, pos_in, out, pos_out, len) \
	generic_copy_file_range(in, pos_in, out, pos_out, len, 0)
#endif

#endif /* _RUMPFS_COMPAT_LINUX_SPLICE_H */
