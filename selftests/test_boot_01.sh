#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The table begins with what is given at load; a bad entry hinders nobody.

# shellcheck disable=SC2119
cd "$(dirname "$0")" && . lib/common.sh

status=/sys/fs/rumpfs/boot_status

# Boot paths begin at init's root, which knows nothing of this test's mounts.
dir=$(mktemp -d /tmp/rumpfs-boot.XXXXXX) || fail "no place"
trap 'rm -rf "$dir"' EXIT
echo host >"$dir/f"
echo odd >"$dir/x;y,z"
truncate -s 1M "$dir/img"

status_is()
{
	local said
	said=$(cat $status) || fail "boot_status cannot be read"
	[ "$said" = "$1" ] || fail "boot_status is: $said"
}

last_error_has()
{
	grep -qE "$1" /sys/fs/rumpfs/last_error ||
		fail "last_error is: $(cat /sys/fs/rumpfs/last_error)"
}

unload || fail "cannot begin without the module"
load || fail "load without a table"
status_is ''
[ "$(stat -c %a $status)" = 400 ] || fail "the mode of boot_status"

# Good ones in the words of any order, bad ones among them.
unload || fail "rmmod"
load "etfs=key=/a,hostpath=$dir/f,type=reg;key=/b,hostpath=$dir/none,type=reg;\
key=/d/disk,hostpath=$dir/img,type=blk,offset=1s,size=8K,ro;;\
type=chr,ro,hostpath=$dir/img,key=//e//chr/,size=0x10;\
key=/a,hostpath=$dir/f,type=reg;key=/a/below,hostpath=$dir/f,type=reg;\
key=/s\\073e\\054m\\040x,hostpath=$dir/x\\073y\\054z,type=reg,tag=a\\054b,hidden;" ||
	fail "load"
status_is '0 /a
2 /b
0 /d/disk
0 /e/chr
17 /a
20 /a/below
0 /s;e,m\040x'
[ "$(rows)" = "/a $dir/f reg rw
/d/disk $dir/img blk ro,offset=512,size=8192
/e/chr $dir/img chr ro,size=16
/s;e,m\\040x $dir/x;y,z reg rw,hidden,tag=a\\054b" ] || fail "the table is: $(rows)"
last_error_has '^6:[0-9]+: /a/below: .*reg'
mount -t rumpfs none /mnt/rump || fail "mount"
[ "$(cat /mnt/rump/a)" = host ] || fail "/a does not show the host"
[ "$(cat '/mnt/rump/s;e,m x')" = odd ] || fail "the odd name does not show the host"
[ -b /mnt/rump/d/disk ] || fail "/d/disk is no disk"
[ "$(blockdev --getsize64 /mnt/rump/e/chr)" = 16 ] || fail "/e/chr has no 16 bytes"
[ "$(cat /sys/class/rumpchr/rumpchr0/key)" = /e/chr ] || fail "no device for /e/chr"

# It is the table of everybody: to be changed and restored as any other.
rows >"$dir/saved"
echo flush >"$table" || fail "flush"
cat "$dir/saved" >"$table" || fail "restore"
rows | cmp -s - "$dir/saved" || fail "the table was not restored"
wait_for umount /mnt/rump || fail "umount"

# Given twice, both count; more text than a page; blanks between entries.
unload || fail "rmmod"
list=
for i in {100..299}; do
	list+="key=/n/$i,hostpath=$dir/f,type=reg,tag=t$i;"
done
load "etfs=$list" "etfs=\"key=/o,hostpath=$dir/f,type=reg; key=/p,hostpath=$dir/f,type=reg \"" ||
	fail "load of ${#list} bytes"
[ "$(grep -c '^0 /n/' $status)" = 200 ] || fail "not all of 200 are there"
[ "$(tail -n 2 $status)" = '0 /o
0 /p' ] || fail "the second list: $(tail -n 2 $status)"
[ "$(rows | wc -l)" = 202 ] || fail "rows: $(rows | wc -l)"
[ "$(dd if=$status bs=1 skip=2700 2>/dev/null)" = "$(tail -c +2701 $status)" ] ||
	fail "boot_status in pieces differs"

# The limit holds for them, too; and the right to change the table.
unload || fail "rmmod"
load max_mappings=1 "etfs=key=/a,hostpath=$dir/f,type=reg;key=/b,hostpath=$dir/f,type=reg" ||
	fail "load with a limit"
status_is '0 /a
7 /b'
unload || fail "rmmod"
if [ -n "$RUMPFS_KO" ]; then
	setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin \
		insmod "$RUMPFS_KO" "etfs=key=/a,hostpath=$dir/f,type=reg" ||
		fail "load without CAP_SYS_ADMIN"
	status_is '1 /a'
	[ -z "$(rows)" ] || fail "a table without the right to change it"
	unload || fail "rmmod"

	# From init's root, even if the one who loads has another.
	mkdir /mnt/root || fail "mkdir"
	mount --rbind / /mnt/root || fail "another root"
	mount -t tmpfs none "/mnt/root$dir" || fail "another folder"
	echo other >"/mnt/root$dir/f" || fail "another file"
	cp "$RUMPFS_KO" "/mnt/root$dir/rumpfs.ko" || fail "cp"
	chroot /mnt/root insmod "$dir/rumpfs.ko" "etfs=key=/a,hostpath=$dir/f,type=reg" ||
		fail "load from another root"
	umount -l /mnt/root
	mount -t rumpfs none /mnt/rump || fail "mount"
	[ "$(cat /mnt/rump/a)" = host ] || fail "/a shows another root's file"
	wait_for umount /mnt/rump || fail "umount"
	unload || fail "rmmod"
fi
load || fail "load at the end"
exit 0
