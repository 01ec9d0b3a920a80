#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Swap on a disk over a file on ext4: pages come back, whatever becomes of the key.

# shellcheck disable=SC2015,SC2154
cd "$(dirname "$0")" && . lib/disk.sh

unless_slow

mbytes=24 allowed=16
command -v mkswap >/dev/null || skip "there is no mkswap"
[ -e /proc/swaps ] || skip "this kernel has no swap"

# Is all of the process that has no room in swap? Nobody is killed for the rest,
# as he would be by a limit while others keep the disk's worker from running.
is_out()
{
	[ "$(cat "$group/memory.swap.current")" -ge $(((mbytes - allowed) << 20)) ] ||
		{ echo 1M >"$group/memory.reclaim"; false; }
} 2>/dev/null

# Each page of the process is right, and is written anew.
look()
{
	wait_for is_out || fail "$(cat "$group/memory.swap.current") bytes in swap"
	echo >&"${holder[1]}"
	read -r -t 200 said <&"${holder[0]}" && [ "$said" = held ] ||
		fail "pages are ${said:-gone} $1"
}

# swap OPTIONS
swap()
{
	local device

	echo "# swap on a disk with $1, $mbytes MB within $allowed"
	add_disk 128 "$1"
	device=/dev/$(basename "$(readlink -f "${etfs%/etfs}")")
	try mkswap "$device" >/dev/null
	try swapon "$device"
	echo "${allowed}M" >"$group/memory.high"
	enter_group
	coproc holder { exec ./hold_pages "$mbytes"; }
	leave_group
	read -r -t 200 said <&"${holder[0]}" || fail "pages are not held"

	# Whoever swaps to it has it open.
	remove_disk && fail "a busy removal of swap"
	said=$( (echo "-/d busy" >"$table") 2>&1)
	[[ $said = *"Device or resource busy"* ]] || fail "busy removal: $said"
	look "after a busy removal"
	echo "-/d" >"$table" || fail "a lazy removal of swap"
	[ ! -e "$disk" ] || fail "the name of removed swap"
	look "after a lazy removal"

	echo max >"$group/memory.high"
	try swapoff "$device"
	allowed=$mbytes look "after swapoff"
	eval "exec ${holder[1]}>&-"
	wait "$holder_PID" || fail "the process ended with $?"
	gone() { [ ! -e "$device" ]; }
	wait_for gone || fail "$device is there"
}

make_group 64
[ -e "$group/memory.reclaim" ] || skip "no memory.reclaim"
make_host ext4 256
for way in $(ways - dio); do
	swap "$way"
done
exit 0
