#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Mapped directories and nfs: exported to a client, and mapped from a server.

# shellcheck disable=SC2015,SC2086
cd "$(dirname "$0")" && . lib/nfs.sh

tree=/mnt/host/tree
mkdir -p $tree/a/b/c
long=$(printf '%0.sx' {1..60})
mkdir $tree/$long && echo long >$tree/$long/$long
echo deep >$tree/a/b/c/f
echo top >$tree/f
ln -s a/b/c/f $tree/link
echo "/tree $tree subdirs" >$table || fail "table"
export_with no_subtree_check
serve

# A client of a mount that shows a host directory.
for option in no_subtree_check subtree_check; do
	export_with $option
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
