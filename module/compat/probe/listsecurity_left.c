// SPDX-License-Identifier: GPL-2.0
// Does security_inode_listsecurity() move on in a buffer?
#include <linux/security.h>
int probe(struct inode *inode, char **buffer, ssize_t *left);
int probe(struct inode *inode, char **buffer, ssize_t *left)
{
	return security_inode_listsecurity(inode, buffer, left);
}
