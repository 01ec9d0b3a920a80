/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_SECURITY_H
#define _RUMPFS_COMPAT_LINUX_SECURITY_H

#include_next <linux/security.h>

#ifndef HAVE_LISTSECURITY_LEFT
static inline int compat_inode_listsecurity(struct inode *inode, char **buffer,
					    ssize_t *left)
{
	int len = security_inode_listsecurity(inode, *buffer,
					      *buffer ? *left : 0);

	if (len <= 0)
		return len;
	if (*buffer) {
		if (len > *left)
			return -ERANGE;
		*buffer += len;
	}
	*left -= len;
	return 0;
}

#define security_inode_listsecurity compat_inode_listsecurity
#endif

#endif /* _RUMPFS_COMPAT_LINUX_SECURITY_H */
