/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUMPFS_COMPAT_LINUX_FS_STRUCT_H
#define _RUMPFS_COMPAT_LINUX_FS_STRUCT_H

#include_next <linux/fs_struct.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>

/* The root of the init process, wherever switch_root has put it. */
static inline void get_init_root(struct path *root)
{
#ifdef HAVE_USERSPACE_INIT_FS
	get_fs_root(userspace_init_fs, root);
#else
	struct task_struct *init = init_pid_ns.child_reaper;

	task_lock(init);
	get_fs_root(init->fs, root);
	task_unlock(init);
#endif
}

/* Context: any. */
static inline bool is_init_root(const struct path *path)
{
	unsigned int seq;
	bool is_it;

#ifdef HAVE_USERSPACE_INIT_FS
	do {
		seq = read_seqbegin(&userspace_init_fs->seq);
		is_it = path_equal(&userspace_init_fs->root, path);
	} while (read_seqretry(&userspace_init_fs->seq, seq));
#else
	struct task_struct *init = init_pid_ns.child_reaper;

	task_lock(init);
	do {
		seq = read_seqcount_begin(&init->fs->seq);
		is_it = path_equal(&init->fs->root, path);
	} while (read_seqcount_retry(&init->fs->seq, seq));
	task_unlock(init);
#endif
	return is_it;
}

#endif /* _RUMPFS_COMPAT_LINUX_FS_STRUCT_H */
