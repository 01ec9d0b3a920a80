// SPDX-License-Identifier: GPL-2.0
// A control: must not compile, or the compiler's answers mean nothing.
#include <linux/fs.h>
int control(struct super_block *sb);
int control(struct super_block *sb)
{
	return no_such_function_in_any_kernel(sb);
}
