#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# As lower layer of an overlay, also the only one, and with keys in it.

# shellcheck disable=SC2015,SC2086,SC2119
cd "$(dirname "$0")" && . lib/overlay.sh

mount_tested /mnt/rump
mkdir -p /mnt/rump/l1/d /mnt/rump/l2/d /mnt/t/{u,w}
echo one | tee /mnt/rump/l1/{a,d/x} >/dev/null
echo two | tee /mnt/rump/l2/{a,b,d/y} >/dev/null
ln -s b /mnt/rump/l2/s && mknod /mnt/rump/l1/b c 0 0
setfattr -n trusted.overlay.opaque -v y /mnt/rump/l1/d || fail "opaque mark"

# Of two layers the first wins; its whiteouts and opaque directories hold.
mkdir $o && mark_log
mount -t overlay -o lowerdir=/mnt/rump/l1:/mnt/rump/l2 over $o || fail "two lower layers"
holds $o/a one
[ ! -e $o/b ] || fail "the whiteout does not hide"
[ "$(ls $o/d)" = x ] || fail "the opaque directory does not hide: $(ls $o/d)"
[ "$(names $o)" = "a d s" ] || fail "lists $(names $o)"
try umount $o
log_said && fail "the kernel complains"

# Below an upper layer somewhere else.
lower=/mnt/rump/l2 upper=/mnt/t/u work=/mnt/t/w
overlay redirect_dir=on,index=on
echo more >>$o/a && mv $o/d $o/e && rm $o/s && ln $o/b $o/b2 || fail "changes"
holds $o/a "two
more"
holds $o/e/y two
holds /mnt/rump/l2/a two
umount $o
[ "$fstype" = rumpfs ] || exit 0

# A window is seen through the overlay, as it is now.
echo 0123456789 >/mnt/host/f
printf '/l2/k /mnt/host/f reg offset=2,size=4\n/l2/n/k /mnt/host/f reg ro\n' >"$table" || fail "keys"
upper=/mnt/t/u2 work=/mnt/t/w2
overlay
holds $o/k 2345
holds $o/n/k 0123456789
printf xx | try dd of=/mnt/host/f bs=1 seek=3 conv=notrunc status=none
holds $o/k 2xx5
[ "$(names $o)" = "a b d k n s" ] || fail "lists $(names $o)"
printf y | try dd of=$o/k bs=1 conv=notrunc status=none
holds $o/k yxx5
holds /mnt/host/f 012xx56789
# Whatever keys lead to: it counts as stacked one deep.
mkdir -p /mnt/o2 /mnt/t/{u4,w4}
mount -t overlay -o "lowerdir=$o,upperdir=/mnt/t/u4,workdir=/mnt/t/w4" over /mnt/o2 2>/dev/null &&
	fail "an overlay on an overlay on it"
try umount $o
echo flush >"$table"
exit 0
