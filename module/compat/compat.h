/* SPDX-License-Identifier: GPL-2.0 */
/* What every shim starts from: the probes' answers and slot adapters. */
#ifndef _RUMPFS_COMPAT_H
#define _RUMPFS_COMPAT_H

#include "probed.h"

/*
 * compat_op(struct tag, slot, function): the function for a slot whose type
 * changed. The main code has the newest shape; COMPAT_<SLOT>(function), placed
 * under it, makes the old one as function_compat. The slot's own type picks;
 * a wrong new shape falls to default: and is an incompatible pointer.
 */
#define compat_op(tag, slot, fn)					\
	_Generic(((struct tag *)0)->slot,				\
		 compat_##slot##_t : fn##_compat, default : fn)

#endif /* _RUMPFS_COMPAT_H */
