#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Work on a disk by processes that may have less memory than they write.

cd "$(dirname "$0")" && . lib/disk.sh

unless_slow

seed=${RUMPFS_SEED:-1} ops=${RUMPFS_OPS:-$(turns 100)}
allowed=$((24 + $(turns 40))) mbytes=$((6 + $(turns 14)))

# Text in which nothing comes twice, and no two begin at the same place.
stream() { tail -c +"$1"00 /mnt/text; }

# small OPTIONS
small()
{
	local nr pressed

	echo "# a disk with $1, 3 times $mbytes MB within $allowed"
	add_disk 192 "$1"
	make_fs ext4 "$disk"
	try mount "$disk" /mnt/disk
	mkdir /mnt/disk/work
	pressed=$(figure memory.events high)
	start_work /mnt/disk/work
	for nr in 1 2 3; do
		stream $nr >/mnt/disk/$nr &
		working+=("$!")
	done
	join_work
	[ "$(figure memory.events high)" -gt "$pressed" ] ||
		fail "there was memory enough"

	# Read back, there is as little of it.
	try umount /mnt/disk
	sync
	echo 1 >/proc/sys/vm/drop_caches
	try mount "$disk" /mnt/disk
	for nr in 1 2 3; do
		stream $nr | cmp - /mnt/disk/$nr &
		working+=("$!")
	done
	join_work
	check_work /mnt/disk/work
	try umount /mnt/disk
	wait_for remove_disk || fail "the disk is busy"
	fsck_file ext4
}

# Above it memory is taken back at once; nobody is to be killed before twice that,
# for what a busy machine does not write back in time.
make_group $((2 * allowed))
echo "${allowed}M" >"$group/memory.high"
make_host ext4 384
seq 1000000 9999999 | head -c ${mbytes}M >/mnt/text
before=$(killed)
enter_group
for way in $(ways dio -); do
	small "$way"
done
[ "$(killed)" = "$before" ] || fail "$(killed) were killed, $before before"
exit 0
