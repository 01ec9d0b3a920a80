# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A file system on a disk over a file on a file system of the same kind, for the
# shell tests. Sourced in place of common.sh.
#
#	/dev/rumpfs-test	memory as a block device, charged to nobody
#	/mnt/host		a file system on it
#	/mnt/host/disk		the host file
#	/mnt/rump/d		the disk over it
#	/mnt/disk		a file system on the disk

# shellcheck disable=SC2034,SC2119,SC2154
. lib/common.sh

memory=/dev/rumpfs-test file=/mnt/host/disk disk=/mnt/rump/d
config=/mnt/config/nullb/rumpfs-test group=

# What is done over and over is done less often where each access is looked at.
is_sanitized() { [ -e /sys/kernel/debug/kmemleak ]; }
turns() { is_sanitized && echo $((($1 + 9) / 10)) || echo "$1"; }

# And in one way only of the ways there are.
ways() { is_sanitized && echo "$1" || echo "$@"; }

# Some would take four minutes there.
unless_slow()
{
	[ -n "$RUMPFS_SLOW" ] || ! is_sanitized ||
		skip "it takes minutes with sanitizers; RUMPFS_SLOW=1 runs it"
}

# shellcheck disable=SC2317,SC2329
finish()
{
	local job

	for job in $(jobs -p); do
		kill "$job" && wait "$job"
	done
	[ -z "$group" ] || echo max | tee "$group"/memory.{high,max} >/dev/null
	swapoff /dev/rumpblk*
	umount /mnt/disk
	[ ! -e $disk ] || wait_for remove_disk
	umount /mnt/host
	rmdir "$config"
	[ -z "$group" ] || { leave_group; wait_for rmdir "$group"; }
} 2>/dev/null

# make_fs KIND DEVICE
make_fs()
{
	case $1 in
	ext4) try mkfs.ext4 -qF "$2" ;;
	xfs) try mkfs.xfs -qf --unsupported -l size=16m "$2" ;;
	esac
}

# What /mnt/host is.
make_host()
{
	local kind=$1 mbytes=$2

	command -v "mkfs.$kind" >/dev/null || skip "there is no mkfs.$kind"
	grep -qw "$kind" /proc/filesystems || modprobe "$kind" 2>/dev/null ||
		skip "this kernel has no $kind"
	modprobe null_blk nr_devices=0 2>/dev/null ||
		[ -e /sys/module/null_blk ] || skip "this kernel has no null_blk"
	mkdir -p /mnt/config /mnt/disk
	try mount -t configfs none /mnt/config
	trap finish EXIT
	try mkdir "$config"
	echo "$mbytes" >"$config/size"
	echo 1 >"$config/memory_backed"
	echo 1 >"$config/discard"
	echo 1 >"$config/power" || fail "no memory as a device"
	make_fs "$kind" "$memory"
	try mount "$memory" /mnt/host
	mount_tested /mnt/rump
}

# add_disk MBYTES [OPTIONS]: of a new file.
add_disk()
{
	rm -f $file
	try truncate -s "$1M" $file
	echo "/d $file blk ${2:--}" >"$table" || fail "add a disk with ${2:--}"
	etfs=/sys/dev/block/$(stat -c '%Hr:%Lr' $disk)/etfs
}

remove_disk() { echo "-/d busy" >"$table"; } 2>/dev/null

count() { cat "$etfs/$1"; }

# The file as a file is a whole file system.
fsck_file()
{
	case $1 in
	ext4) e2fsck -fn $file ;;
	xfs) xfs_repair -n $file ;;
	esac >/mnt/fsck 2>&1 && return
	sed 's/^/# /' /mnt/fsck
	fail "$1 in the file is not whole"
}

# Work on a file system beside what else is done; start_work DIR, join_work.
start_work()
{
	./fs_work "do" "$1" "$seed" "$ops" 3 &
	working+=("$!")
}

join_work()
{
	local job

	for job in "${working[@]}"; do
		wait "$job" || fail "work with seed $seed"
	done
	working=()
}

check_work() { ./fs_work check "$1" "$seed" "$ops" 3 || fail "seed $seed in $1"; }

# Work on the disk and its host at once, and see that all of it stays.
# stacked KIND MBYTES OPTIONS
stacked()
{
	local kind=$1 before

	echo "# $kind, a disk with $3"
	add_disk "$2" "$3"
	make_fs "$kind" $disk
	try mount $disk /mnt/disk
	rm -rf /mnt/host/beside
	mkdir /mnt/disk/work /mnt/host/beside
	start_work /mnt/disk/work
	start_work /mnt/host/beside
	for _ in 1 2 3; do
		try sync -f /mnt/disk
		try fstrim /mnt/disk
		echo 3 >/proc/sys/vm/drop_caches
	done
	join_work

	# What is deleted above is given back below.
	head -c 8M /dev/urandom >/mnt/disk/big || fail "write 8M"
	try sync -f /mnt/disk
	before=$(stat -c %b $file)
	try rm /mnt/disk/big
	try sync -f /mnt/disk
	try fstrim /mnt/disk
	[ "$(stat -c %b $file)" -le $((before - (7 << 11))) ] ||
		fail "$(stat -c %b $file) sectors held after fstrim, $before before"

	# From the host's cache, then from its disk.
	try umount /mnt/disk
	try mount $disk /mnt/disk
	check_work /mnt/disk/work
	try umount /mnt/disk
	sync
	echo 3 >/proc/sys/vm/drop_caches
	try mount $disk /mnt/disk
	check_work /mnt/host/beside &
	working=("$!")
	check_work /mnt/disk/work
	join_work
	case $3 in
	*dio*) [ "$(count writes_direct)" -gt 0 ] ;;
	*) [ "$(count reads_cached)" -gt 0 ] && [ "$(count writes_worker)" -gt 0 ] ;;
	esac || fail "the disk went another way: $(grep -H . "$etfs"/*s_*)"
	try umount /mnt/disk
	wait_for remove_disk || fail "the disk is busy"
	fsck_file "$kind"
}

# make_group MBYTES: a memory cgroup that may hold so much.
make_group()
{
	local root=/sys/fs/cgroup

	group=$root/rumpfs-disk
	echo "+memory +io" >$root/cgroup.subtree_control ||
		skip "no cgroup2 with memory at $root"
	mkdir "$group" 2>/dev/null
	echo "$1M" >"$group/memory.max" || skip "no memory.max"
}

# Run what follows in the group, or outside of it again.
enter_group() { echo $$ >"$group/cgroup.procs" || fail "into the group"; }
leave_group() { echo $$ >/sys/fs/cgroup/cgroup.procs; }

# The number beside a word in a file of the group.
figure() { sed -n "s/^$2 //p" "$group/$1"; }
killed() { sed -n 's/^oom_kill //p' /proc/vmstat; }
