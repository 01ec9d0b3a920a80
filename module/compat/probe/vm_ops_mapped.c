// SPDX-License-Identifier: GPL-2.0
// Is there a method for an area that was just mapped?
#include <linux/mm.h>
void probe(struct vm_operations_struct *ops);
void probe(struct vm_operations_struct *ops)
{
	ops->mapped = NULL;
}
