/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_XATTR_H
#define _RUMPFS_COMPAT_LINUX_XATTR_H

#include_next <linux/xattr.h>

/* Older kernels do not promise to leave the array alone, but they do. */
#define sb_set_xattr_handlers(sb, handlers) \
	((sb)->s_xattr = (typeof((sb)->s_xattr))(handlers))

/* The whole array; access control lists were attributes like others. */
#ifdef HAVE_SET_ACL_DENTRY
#define XATTR_HANDLERS(...) { __VA_ARGS__, NULL }
#else
#define XATTR_HANDLERS(...)						\
	{								\
		&posix_acl_access_xattr_handler,			\
		&posix_acl_default_xattr_handler,			\
		__VA_ARGS__, NULL					\
	}
#endif

#endif /* _RUMPFS_COMPAT_LINUX_XATTR_H */
