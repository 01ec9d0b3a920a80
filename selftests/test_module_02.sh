#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loaded, used and unloaded again and again, the module leaves nothing.

# shellcheck disable=SC2119
cd "$(dirname "$0")" && . lib/common.sh

unload || fail "cannot begin without the module"
echo host >/mnt/host/f
truncate -s 64K /mnt/host/img
for turn in 1 2 3 4 5; do
	load || fail "load, turn $turn"
	mount -t rumpfs none /mnt/rump || fail "mount, turn $turn"
	printf '/a/b/c /mnt/host/f reg\n/disk /mnt/host/img blk\n/chr /mnt/host/img chr\n' >"$table" || fail "keys"
	mkdir -p /mnt/rump/x/y /mnt/rump/a/b && echo x >/mnt/rump/x/y/z
	[ "$(cat /mnt/rump/a/b/c)" = host ] || fail "the key, turn $turn"
	case $turn in
	1) echo flush >"$table" ;;
	2) echo '-/disk' >"$table" ;;
	3) rm -r /mnt/rump/x ;;
	esac
	wait_for umount /mnt/rump || fail "umount, turn $turn"
	wait_for rmmod rumpfs || fail "rmmod, turn $turn"
done
compgen -G '/dev/rump*' && fail "disks are left over"
load || fail "load at the end"
exit 0
