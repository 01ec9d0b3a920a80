#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# udev says of a disk that it is no drive for a desktop, and lsblk and blkid tell
# what is on it.

# shellcheck disable=SC2119,SC2154
cd "$(dirname "$0")" && . lib/common.sh

rules=60-rumpfs.rules
[ -e $rules ] || rules=../module/$rules

remove() { echo '-/d busy' >"$table"; } 2>/dev/null

mount_tested /mnt/rump
trap 'wait_for remove; umount /mnt/rump' EXIT
truncate -s 16M /mnt/host/f
echo '/d /mnt/host/f blk' >"$table" || fail "add a disk"
mkfs.ext4 -qF -L label /mnt/rump/d || fail "mkfs"
name=$(basename "$(readlink -f /sys/dev/block/"$(stat -c '%Hr:%Lr' /mnt/rump/d)")")

[ "$(lsblk -dnbo NAME,SIZE,TYPE "/dev/$name" | tr -s ' ')" = \
	"$name 16777216 disk" ] || fail "lsblk: $(lsblk -dnb "/dev/$name")"
[ "$(blkid -p -s LABEL -o value /mnt/rump/d)" = label ] ||
	fail "blkid: $(blkid -p /mnt/rump/d)"

command -v udevadm >/dev/null || skip "there is no udevadm"
mkdir -p /run/udev/rules.d
try cp $rules /run/udev/rules.d/
udevadm test --action=add "/sys/block/$name" 2>&1 |
	grep -qx 'UDISKS_IGNORE=1' || fail "udev does not say so"
exit 0
