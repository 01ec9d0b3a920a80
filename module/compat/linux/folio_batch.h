/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_FOLIO_BATCH_H
#define _RUMPFS_COMPAT_LINUX_FOLIO_BATCH_H

/* The header's older name still has it. */
#ifdef HAVE_FOLIO_BATCH_HEADER
#include_next <linux/folio_batch.h>
#else
#include <linux/pagevec.h>
#endif

#endif /* _RUMPFS_COMPAT_LINUX_FOLIO_BATCH_H */
