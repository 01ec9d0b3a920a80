/* SPDX-License-Identifier: GPL-2.0 */
/* Time stands still. */
#ifndef _FUZZ_JIFFIES_H
#define _FUZZ_JIFFIES_H

#define HZ		250
#define jiffies		((unsigned long)HZ)

#endif /* _FUZZ_JIFFIES_H */
