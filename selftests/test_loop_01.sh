#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A disk image in it: loop device, file system, and discarded blocks are holes.

# shellcheck disable=SC2015,SC2119
cd "$(dirname "$0")" && . lib/common.sh

image=/mnt/rump/image
blocks() { stat -c %b $image; }

mount_tested /mnt/rump
mkdir /mnt/disk
truncate -s 64M $image
loop=$(losetup --find --show $image) || skip "requires loop devices"
trap 'umount /mnt/disk 2>/dev/null; losetup -d "$loop" 2>/dev/null' EXIT
[ "$(blockdev --getsize64 "$loop")" = $((64 << 20)) ] || fail "size of $loop"
umount /mnt/rump 2>/dev/null && fail "umount below a loop device"

try mkfs.ext4 -q "$loop"
try mount "$loop" /mnt/disk
head -c 20M /dev/urandom >/mnt/disk/big || fail "write"
echo kept >/mnt/disk/small
sync -f /mnt/disk
full=$(blocks)
[ "$full" -ge $((20 << 11)) ] || fail "20M written, $full sectors held"

# What is deleted above is given back below.
sum=$(sha256sum </mnt/disk/big)
cp /mnt/disk/big /mnt/host/big
try rm /mnt/disk/big
sync -f /mnt/disk
try fstrim /mnt/disk
[ "$(blocks)" -le $((full - (19 << 11))) ] || fail "$(blocks) sectors held after fstrim, $full before"
cp /mnt/host/big /mnt/disk/big || fail "write into holes"
try umount /mnt/disk
try losetup -d "$loop"

# It is all in the image.
try e2fsck -fn $image >/dev/null 2>&1
loop=$(losetup --find --show --read-only $image) || fail "losetup -r"
try mount -o ro "$loop" /mnt/disk
[ "$(cat /mnt/disk/small)" = kept ] || fail "bytes of a small file"
[ "$(sha256sum </mnt/disk/big)" = "$sum" ] || fail "bytes of a big file"
try umount /mnt/disk
try losetup -d "$loop"

loop=$(losetup --find --show $image) || fail "losetup again"
try blkdiscard -f "$loop" 2>/dev/null
[ "$(blocks)" = 0 ] || fail "$(blocks) sectors held after blkdiscard"
exit 0
