#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Mapped directories and nfs: exported to a client, and mapped from a server.
#
# Server and client are in a network namespace of this test alone, where they
# meet on the loopback device; version 4 needs no other service.

# shellcheck disable=SC2015,SC2086,SC2119
[ -n "$IN_NET" ] || [ "$(id -u)" != 0 ] ||
	IN_NET=1 exec unshare --net bash "$0" "$@"
cd "$(dirname "$0")" && . lib/common.sh

for program in rpc.nfsd rpc.mountd exportfs mount.nfs4 busybox; do
	command -v $program >/dev/null || skip "no $program here"
done
for module in nfsd nfsv4; do
	modprobe $module 2>/dev/null || skip "this kernel has no $module"
done
load 2>/dev/null || loaded || fail "load"

nfs=/mnt/nfs
rump=/mnt/rump
tree=/mnt/host/tree
# The programs keep their state here.
mount -t tmpfs none /var/lib/nfs && touch /var/lib/nfs/{etab,rmtab} || fail "no state"
mountpoint -q /proc/fs/nfsd && umount /proc/fs/nfsd
mount -t nfsd nfsd /proc/fs/nfsd || fail "no nfsd control"
busybox ip link set lo up || fail "no loopback"

mountd=
# shellcheck disable=SC2317,SC2329
finish()
{
	umount -l $nfs
	exportfs -ua
	rpc.nfsd 0
	[ -z "$mountd" ] || kill "$mountd"
	echo flush >$table
} 2>/dev/null
trap finish EXIT

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

mkdir -p $nfs $tree/a/b/c
long=$(printf '%0.sx' {1..60})
mkdir $tree/$long && echo long >$tree/$long/$long
echo deep >$tree/a/b/c/f
echo top >$tree/f
ln -s a/b/c/f $tree/link
mount -t rumpfs none $rump || fail "mount"
echo "/tree $tree subdirs" >$table || fail "table"
exportfs -o rw,no_root_squash,fsid=0,no_subtree_check 127.0.0.1:$rump ||
	fail "export"
rpc.mountd -F -N 2 -N 3 &
mountd=$!
rpc.nfsd -N 3 -V 4 -L 10 -G 10 2 || fail "rpc.nfsd"
wait_for mount -t nfs4 127.0.0.1:/ $nfs || fail "mount.nfs4"

# A client of a mount that shows a host directory.
for option in no_subtree_check subtree_check; do
	exportfs -o rw,no_root_squash,fsid=0,$option 127.0.0.1:$rump ||
		fail "export with $option"
	forget
	same "$(cd $nfs/tree && find . | sort | tr '\n' ' ')" \
		"$(cd $rump/tree && find . | sort | tr '\n' ' ')" "names"
	same "$(cat $nfs/tree/f $nfs/tree/a/b/c/f $nfs/tree/link)" \
		"$(printf 'top\ndeep\ndeep')" "contents"
	same "$(cat $nfs/tree/$long/$long)" long "a long path"
	forget
	same "$(cat $nfs/tree/a/b/c/f)" deep "forgotten"
	echo "$option" >$nfs/tree/f || fail "write"
	sync -f $nfs
	same "$(cat $tree/f)" "$option" "the host file"
	echo top >$tree/f

	# What the host changes comes through.
	echo new >$tree/a/new
	wait_for grep -qx new $nfs/tree/a/new || fail "a new file"
	rm $tree/a/new
	wait_for eval "! cat $nfs/tree/a/new" || fail "a removed file is read"
	mkdir $nfs/tree/x 2>/dev/null && fail "mkdir through a mapped directory"
done
umount $nfs || fail "umount"
exportfs -ua

# A host on nfs, as a directory and as a file.
echo flush >$table
mount -t tmpfs none $tree || fail "tmpfs"
mkdir $tree/d && echo one >$tree/f && echo two >$tree/d/g || fail "files"
exportfs -o rw,no_root_squash,fsid=0,no_subtree_check 127.0.0.1:$tree ||
	fail "export of the host"
wait_for mount -t nfs4 -o noac 127.0.0.1:/ $nfs || fail "mount.nfs4 of the host"
printf '/t %s subdirs\n/k %s/f reg\n/p %s subdirs pin\n' $nfs $nfs $nfs/d >$table ||
	fail "keys"
same "$(cat $rump/t/f $rump/t/d/g $rump/k $rump/p/g)" \
	"$(printf 'one\ntwo\none\ntwo')" "contents of nfs"
same "$(ls $rump/t)" "$(printf 'd\nf')" "names of nfs"
echo longer >$rump/k || fail "write to nfs"
echo also >>$rump/t/f || fail "append to nfs"
same "$(cat $tree/f)" "$(printf 'longer\nalso')" "the server's file"
mv $tree/f $tree/moved
wait_for eval "! cat $rump/k" || fail "a renamed file is read"
wait_for cat $rump/t/moved >/dev/null || fail "the new name is not there"
[ "$(ls $rump/t)" = "$(printf 'd\nmoved')" ] || fail "names after a rename"
umount $nfs 2>/dev/null && fail "a pinned directory does not hold nfs"
echo "-/p" >$table
wait_for umount $nfs || fail "nfs is held"
cat $rump/t/moved 2>/dev/null && fail "read without a server"
exit 0
