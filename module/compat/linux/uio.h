/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_UIO_H
#define _RUMPFS_COMPAT_LINUX_UIO_H

#include_next <linux/uio.h>

/* A folio of one page is all that such a kernel is given. */
#ifndef HAVE_COPY_FOLIO_FROM_ITER_ATOMIC
#define copy_folio_from_iter_atomic(folio, offset, bytes, iter) \
	copy_page_from_iter_atomic(folio_page(folio, 0), offset, bytes, iter)
#endif

#endif /* _RUMPFS_COMPAT_LINUX_UIO_H */
