/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_XATTR_H
#define _RUMPFS_COMPAT_LINUX_XATTR_H

#include_next <linux/xattr.h>

/* Older kernels do not promise to leave the array alone, but they do. */
#define sb_set_xattr_handlers(sb, handlers) \
	((sb)->s_xattr = (typeof((sb)->s_xattr))(handlers))

#endif /* _RUMPFS_COMPAT_LINUX_XATTR_H */
