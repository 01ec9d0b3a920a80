#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module stays while it is mounted, and goes with keys left in the table.

# shellcheck disable=SC2119
cd "$(dirname "$0")" && . lib/common.sh

unload || fail "cannot begin without the module"
load || fail "load"
mount -t rumpfs none /mnt/rump || fail "mount"
echo mine >/mnt/rump/mine
echo host >/mnt/host/f
truncate -s 1M /mnt/host/img

printf '/d/k /mnt/host/f reg\n/disk /mnt/host/img blk\n/mine /mnt/host/f reg\n/chr /mnt/host/img chr\n' >"$table" ||
	fail "keys"
[ "$(cat /mnt/rump/d/k)" = host ] || fail "the key does not show the host"
rmmod rumpfs 2>/dev/null && fail "rmmod while mounted"
[ "$(cat /mnt/rump/d/k)" = host ] || fail "the key is gone after a refused rmmod"

# A file that is open holds the mount, a disk that is open holds the module.
exec 3</mnt/rump/disk
umount /mnt/rump 2>/dev/null && fail "umount with an open node"
exec 3<&-
wait_for umount /mnt/rump || fail "umount"
disk=$(echo /dev/rumpblk*)
exec 3<"$disk"
rmmod rumpfs 2>/dev/null && fail "rmmod with an open disk"
exec 3<&-

chr=$(echo /dev/rumpchr*)
mknod /dev/rumpchr.test c "0x$(stat -c %t "$chr")" "0x$(stat -c %T "$chr")"
exec 3</dev/rumpchr.test
rmmod rumpfs 2>/dev/null && fail "rmmod with an open device"
exec 3<&-

[ "$(rows | wc -l)" = 4 ] || fail "the table changed"
wait_for rmmod rumpfs || fail "rmmod after umount"
[ -e "$disk" ] && fail "$disk is left over"
[ -e "$chr" ] && fail "$chr is left over"
[ -e /sys/class/rumpchr ] && fail "the class is left over"
grep -qw rumpchr /proc/devices && fail "the major number is left over"
# A node that was opened before knows nothing of a device any more.
head -c 1 /dev/rumpchr.test >/dev/null 2>&1 && fail "a node of a removed module can be opened"
rm /dev/rumpchr.test
[ -e /sys/fs/rumpfs ] && fail "/sys/fs/rumpfs is left over"
grep -qw rumpfs /proc/filesystems && fail "the file system is left over"

# A new life begins empty.
load || fail "load again"
[ -z "$(rows)" ] || fail "the table of a new module has rows"
mount -t rumpfs none /mnt/rump || fail "mount again"
[ -z "$(ls -A /mnt/rump)" ] || fail "a new mount has names"
exit 0
