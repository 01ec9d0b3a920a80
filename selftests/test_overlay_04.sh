#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A user's own overlay on a user's own mount, without a right in the system.

# shellcheck disable=SC2015,SC2086,SC2119
cd "$(dirname "$0")" && . lib/overlay.sh

[ "$fstype" != rumpfs ] || loaded || load || fail "load"
cat >/mnt/host/inside <<'END'
set -e
mount -t "$1" none /mnt/rump
cd /mnt/rump
mkdir -p l/d/sub u w o
echo low | tee l/a l/b l/d/f l/d/sub/g >/dev/null
mount -t overlay -o lowerdir=l,upperdir=u,workdir=w,userxattr over o
echo more >>o/a
[ "$(cat o/a)" = "low
more" ]
rm o/b && [ "$(stat -c %F:%t:%T u/b)" = "character special file:0:0" ]
rm -r o/d && mkdir o/d && [ -z "$(ls -A o/d)" ]
[ "$(getfattr --absolute-names -n user.overlay.opaque --only-values u/d)" = y ]
echo new >o/d/new && mv o/d/new o/n && ln o/n o/n2 && ln -s n o/l && mkfifo o/p
mv o/d o/e && chmod 700 o/e && chown 0:0 o/n
[ "$(ls o | tr '\n' ' ')" = "a e l n n2 p " ]
rm -rf o/*
[ -z "$(ls -A o)" ]
umount o
END
setpriv --reuid 1000 --regid 1000 --clear-groups unshare --user true 2>/dev/null ||
	skip "requires user namespaces for everybody"
mark_log
setpriv --reuid 1000 --regid 1000 --clear-groups \
	unshare --user --map-root-user --mount bash -x /mnt/host/inside "$fstype" 2>/mnt/host/trace ||
	{ tail -n 3 /mnt/host/trace; log_said; fail "inside"; }
log_said && fail "the kernel complains of the layers"
exit 0
