#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A new file has the label that a security module gives it, and lists it once.

# shellcheck disable=SC2119
cd "$(dirname "$0")" && . lib/common.sh

label=security.selinux

[ -e /sys/kernel/security/lsm ] ||
	mount -t securityfs none /sys/kernel/security
grep -qw selinux /sys/kernel/security/lsm || skip "SELinux is not on"
command -v secilc >/dev/null || skip "there is no secilc"
[ -e /sys/fs/selinux/load ] || try mount -t selinuxfs none /sys/fs/selinux

# The label of a file, and how often it is listed.
label_of() { getfattr -h --only-values -n $label "$1" | tr -d '\0'; } 2>/dev/null
listed() { getfattr -h -m - "$1" 2>/dev/null | grep -cx $label; }

# is FILE LABEL
is()
{
	[ "$(label_of "$1")" = "$2" ] || fail "$1 is $(label_of "$1"), not $2"
	[ "$(listed "$1")" = 1 ] || fail "$1 lists its label $(listed "$1") times"
}

cd /mnt || exit
mount_tested /mnt/rump
touch rump/before
[ "$(listed rump/before)" = 0 ] || fail "a label without a policy"
touch rump/given
try setfattr -n $label -v u:r:newdir_t rump/given
is rump/given u:r:newdir_t

try secilc -M false -c 31 -o policy -f contexts "$OLDPWD/lib/label.cil"
cat policy >/sys/fs/selinux/load || fail "the kernel refuses the policy"

# What was there.
is rump u:r:t
is rump/given u:r:newdir_t
# What is made: from its directory, or as the policy has it of its kind.
touch rump/file && is rump/file u:object_r:new_t
mkdir rump/dir && is rump/dir u:object_r:newdir_t
ln -s target rump/link && is rump/link u:object_r:t
mkfifo rump/fifo && is rump/fifo u:object_r:t
touch rump/dir/file && is rump/dir/file u:object_r:newdir_t
ln rump/file rump/again && is rump/again u:object_r:new_t
mv rump/dir/file rump/moved && is rump/moved u:object_r:newdir_t
# A key has what the registrant's policy says of the mount.
echo host >host/file
echo '/key /mnt/host/file reg' >"$table" || fail "add a key"
is rump/key u:r:t
# It can be changed, and others stay beside it.
try setfattr -n $label -v u:r:newdir_t rump/file
try setfattr -n security.other -v other rump/file
try setfattr -n user.name -v value rump/file
is rump/file u:r:newdir_t
[ "$(getfattr -m - rump/file 2>/dev/null | grep -c '\.')" = 3 ] ||
	fail "not three attributes"

echo -/key >"$table" || fail "remove the key"

# The registrant may read no more what is secret by now: within a second.
echo '/pin /mnt/host/file reg pin' >"$table" || fail "add a pinned key"
echo 1 >/sys/fs/selinux/enforce || fail "enforce the policy"
may_not_read() { cat rump/pin && return 1; [[ $(cat rump/pin 2>&1) = *denied* ]]; }
for _ in 1 2 3; do
	[ "$(cat rump/pin)" = host ] || fail "the key cannot be read"
	try setfattr -n $label -v u:object_r:secret_t host/file
	wait_for may_not_read >/dev/null || fail "a secret can be read"
	try setfattr -n $label -v u:object_r:newdir_t host/file
done
echo 0 >/sys/fs/selinux/enforce
try umount rump
exit 0
