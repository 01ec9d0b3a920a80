#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The root of a container: a small system below, its changes on what is tested.

# shellcheck disable=SC2015,SC2086,SC2119
cd "$(dirname "$0")" && . lib/overlay.sh

busybox=$(command -v busybox) && ! ldd "$busybox" >/dev/null 2>&1 ||
	skip "requires busybox, linked statically"
mount_tested /mnt/rump
lower=/mnt/rump/l
mkdir -p $lower/{bin,etc,proc,dev,tmp,var/lib,usr/share/{a,b,c}}
cp "$busybox" $lower/bin/busybox
try chroot $lower /bin/busybox --install -s /bin
echo 'root:x:0:0::/:/bin/sh' >$lower/etc/passwd
for i in a b c; do
	for j in 1 2 3 4 5 6 7 8 9; do echo $i$j >$lower/usr/share/$i/$j; done
done
cp -a $lower /mnt/host/before
overlay redirect_dir=on,metacopy=on,index=on

cat >$o/etc/job <<'END'
set -e
mount -t proc proc /proc
[ $$ = 1 ] && [ "$(whoami)" = root ]
cp -r /usr/share /usr/copy && diff -r /usr/share /usr/copy
# As a package manager does it: unpack beside, then rename over.
tar -cf /tmp/t.tar -C / usr/share && mkdir /tmp/x && tar -xf /tmp/t.tar -C /tmp/x
for f in $(find /tmp/x -type f); do
	echo new >>$f && mv $f ${f#/tmp/x}.new && mv ${f#/tmp/x}.new ${f#/tmp/x}
done
grep -rl new /usr/share | wc -l | grep -qx 27
mv /usr/share /usr/shared && [ "$(cat /usr/shared/a/1 | wc -l)" = 2 ]
rm -rf /usr/copy /tmp/x && chmod 600 /etc/passwd && chown 1:1 /bin/busybox
ln /etc/passwd /etc/passwd- && mkfifo /tmp/p && mknod /dev/null c 1 3 && mknod /dev/urandom c 1 9
echo gone >/dev/null && dd if=/dev/urandom of=/var/lib/db bs=64k count=16 2>/dev/null
cp /var/lib/db /var/lib/db2 && cmp /var/lib/db /var/lib/db2 && sync
END
unshare --mount --pid --fork chroot $o /bin/sh -e /etc/job || fail "the job in the container"
holds $o/usr/shared/c/9 "c9
new"
[ "$(stat -c %a:%h $o/etc/passwd)" = 600:2 ] || fail "attributes"
diff -r --no-dereference $lower /mnt/host/before || fail "the lower layer changed"
try umount $o
overlay redirect_dir=on,metacopy=on,index=on
cmp $o/var/lib/db $o/var/lib/db2 && [ ! -e $o/usr/share ] || fail "a second start"
exit 0
