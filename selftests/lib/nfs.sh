# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# An nfs server and its client, for the shell tests: in a network namespace of
# the test alone, where both meet on the loopback device; version 4 needs no
# other service. Sourced in place of common.sh.

# shellcheck disable=SC2015,SC2119
[ -n "$IN_NET" ] || [ "$(id -u)" != 0 ] ||
	IN_NET=1 exec unshare --net bash "$0" "$@"
. lib/common.sh

for program in rpc.nfsd rpc.mountd exportfs mount.nfs4 busybox; do
	command -v $program >/dev/null || skip "no $program here"
done
for module in nfsd nfsv4; do
	modprobe $module 2>/dev/null || skip "this kernel has no $module"
done
load 2>/dev/null || loaded || fail "load"

nfs=/mnt/nfs
rump=/mnt/rump
mkdir $nfs
# The programs keep their state here.
mount -t tmpfs none /var/lib/nfs && touch /var/lib/nfs/{etab,rmtab} ||
	fail "no state"
mountpoint -q /proc/fs/nfsd && umount /proc/fs/nfsd
mount -t nfsd nfsd /proc/fs/nfsd || fail "no nfsd control"
busybox ip link set lo up || fail "no loopback"
mount -t rumpfs none $rump || fail "mount"

mountd=
# shellcheck disable=SC2317,SC2329
finish()
{
	exec 3<&-
	umount -l /mnt/nfs*
	exportfs -ua
	rpc.nfsd 0
	[ -z "$mountd" ] || kill "$mountd"
	echo flush >"$table"
} 2>/dev/null
trap finish EXIT

export_with()
{
	exportfs -ua
	exportfs -o "rw,no_root_squash,fsid=0,$1" 127.0.0.1:$rump ||
		fail "export with $1"
}

# Ten seconds of grace are the fewest there are.
serve()
{
	rpc.nfsd -N 3 -V 4 -L 10 -G 10 2 || fail "rpc.nfsd"
	if [ -z "$mountd" ]; then
		rpc.mountd -F -N 2 -N 3 &
		mountd=$!
	fi
	wait_for mount -t nfs4 127.0.0.1:/ $nfs || fail "mount.nfs4"
}

# Client and server forget what they can find again.
forget()
{
	sync -f $nfs
	echo 3 >/proc/sys/vm/drop_caches
}

same()
{
	[ "$1" = "$2" ] || fail "$3: '$1' is not '$2'"
}
