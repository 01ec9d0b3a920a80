/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User namespaces: to go into one, to map a mount by one, and a root shell that
 * stays outside and is asked what it sees.
 */
#ifndef SELFTESTS_USERNS_H
#define SELFTESTS_USERNS_H

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>

#include "fixture.h"

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

/* The ids inside, the same number of them outside, from these on. */
struct id_map {
	unsigned int inside, outside, count;
};

static int witness_ask = -1, witness_answer = -1;

/* Start the shell that stays. It ends with who started it. */
static inline int start_witness(void)
{
	int ask[2], answer[2], status;
	char cmd[1024];
	pid_t pid;

	if (pipe(ask) || pipe(answer))
		return errno;
	pid = fork();
	if (pid < 0)
		return errno;
	if (!pid) {
		close(ask[1]);
		close(answer[0]);
		while (read(ask[0], cmd, sizeof(cmd)) == sizeof(cmd)) {
			status = run("%s", cmd);
			if (write(answer[1], &status, sizeof(status)) < 0)
				break;
		}
		_exit(0);
	}
	close(ask[0]);
	close(answer[1]);
	witness_ask = ask[1];
	witness_answer = answer[0];
	return 0;
}

/* Run a command as root outside; its exit status. */
__attribute__((format(printf, 1, 2)))
static inline int outside(const char *fmt, ...)
{
	char cmd[1024] = "";
	va_list args;
	int status;

	va_start(args, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, args);
	va_end(args);
	if (write(witness_ask, cmd, sizeof(cmd)) != sizeof(cmd) ||
	    read(witness_answer, &status, sizeof(status)) != sizeof(status))
		return -1;
	return status;
}

/*
 * Become the outside user of a map's first id, without a capability, and then
 * the inside one, with all of them, in a user and a mount namespace of one's
 * own. Needs the witness.
 */
static inline int enter_userns(const struct id_map *map)
{
	pid_t me = getpid();

	if (setgroups(0, NULL) ||
	    setresgid(map->outside, map->outside, map->outside) ||
	    setresuid(map->outside, map->outside, map->outside) ||
	    prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return errno;
	return outside("echo %u %u %u >/proc/%d/uid_map && echo %u %u %u >/proc/%d/gid_map",
		       map->inside, map->outside, map->count, me, map->inside,
		       map->outside, map->count, me) ? EIO : 0;
}

/* A user namespace with this map that nobody is in; minus the errno. */
static inline int userns_fd(const struct id_map *map)
{
	char path[64], text[64];
	int gate[2], fd = -1, err;
	pid_t pid;
	char byte;

	if (pipe(gate))
		return -errno;
	pid = fork();
	if (!pid) {
		byte = unshare(CLONE_NEWUSER) ? errno : 0;
		if (write(gate[1], &byte, 1) == 1)
			pause();
		_exit(0);
	}
	err = pid < 0 || read(gate[0], &byte, 1) != 1 ? EIO : byte;
	snprintf(text, sizeof(text), "%u %u %u", map->inside, map->outside,
		 map->count);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	err = err ?: put_text(path, text);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	err = err ?: put_text(path, text);
	if (!err) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		err = ERR(fd);
	}
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(gate[0]);
	close(gate[1]);
	return err ? -err : fd;
}

struct mount_attr_compat {
	uint64_t attr_set, attr_clr, propagation, userns_fd;
};

/* The mount at @from once more at @to, with its ids mapped. */
static inline int mount_idmapped(const char *from, const char *to,
				 const struct id_map *map)
{
	struct mount_attr_compat attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int tree, ns, err;

	ns = userns_fd(map);
	if (ns < 0)
		return -ns;
	attr.userns_fd = ns;
	tree = open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	err = ERR(tree);
	if (!err)
		err = ERR(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH,
				  &attr, sizeof(attr)));
	if (!err)
		err = ERR(move_mount(tree, "", AT_FDCWD, to,
				     MOVE_MOUNT_F_EMPTY_PATH));
	if (tree >= 0)
		close(tree);
	close(ns);
	return err;
}

#endif /* SELFTESTS_USERNS_H */
