#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The root of a system: moved, pivoted to, and the old root unmounted.

# shellcheck disable=SC2015,SC2119
cd "$(dirname "$0")" && . lib/common.sh

busybox=$(command -v busybox) && ! ldd "$busybox" >/dev/null 2>&1 ||
	skip "requires busybox, linked statically"
mount_tested /mnt/first
mkdir -p /mnt/first/{bin,proc,sys,dev,old,host,tmp}
cp "$busybox" /mnt/first/bin/
ln -s busybox /mnt/first/bin/sh
mknod -m 666 /mnt/first/dev/null c 1 3

# A mount that is moved goes on, with what is open in it.
exec 3>/mnt/first/open
try mount --move /mnt/first /mnt/rump
echo written >&3 && [ "$(cat /mnt/rump/open)" = written ] || fail "an open file of a moved mount"
exec 3>&-
[ -z "$(ls /mnt/first)" ] || fail "it is still in its old place"

cat >/mnt/rump/job <<'END'
export PATH=/bin
/bin/busybox --install -s /bin
fail() { echo "# $*"; exit 1; }
mount -t proc proc /proc && mount -t sysfs sys /sys || fail "mounts"
umount -l /old || fail "umount of the old root"
rmdir /old || fail "rmdir of its place"
[ "$(stat -f -c %t /)" = "$1" ] || fail "the root is of type $(stat -f -c %t /)"
grep -q ' / ' /proc/mounts || fail "no root in /proc/mounts"
mkdir -p /a/b/c && echo x >/a/b/c/d && mv /a /e || fail "a tree"
echo x >/dev/null || fail "a device"
mkdir /again && cp /bin/busybox /again/sh && /again/sh -c 'exit 7'
[ $? = 7 ] || fail "a program that was just written"
[ "$(readlink /proc/self/root)" = / ] || fail "/proc/self/root"
# A key written from here is found from here.
if [ -e /sys/fs/rumpfs/etfs ]; then
	mount -t tmpfs host /host && echo bytes >/host/f || fail "a host"
	echo '/k/f /host/f reg' >/sys/fs/rumpfs/etfs || fail "a key"
	[ "$(cat /k/f)" = bytes ] || fail "its bytes"
	echo '/loop /k/f reg' 2>/dev/null >/sys/fs/rumpfs/etfs && fail "a key to a key"
	echo flush >/sys/fs/rumpfs/etfs || fail "flush"
	[ ! -e /k ] || fail "the key stays"
fi
echo done >/done
END
type=$(stat -f -c %t /mnt/rump)
mkdir /mnt/seen && mount --bind /mnt/rump /mnt/seen || fail "bind"
unshare --mount --propagation private --pid --fork bash -c '
	cd /mnt/rump && pivot_root . old && exec /bin/sh /job "$1"' - "$type" ||
	fail "the job in the new root"
[ "$(cat /mnt/seen/done)" = "done" ] || fail "what the job wrote"
[ "$(cat /mnt/seen/e/b/c/d)" = x ] || fail "what the job moved"
umount /mnt/seen
wait_for umount /mnt/rump || fail "umount at the end"
exit 0
