#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A mount is exported by nfsd: names, contents and open files of a client last.

# shellcheck disable=SC2010,SC2015,SC2086
cd "$(dirname "$0")" && . lib/nfs.sh

now=/mnt/nfs_now
export_with no_subtree_check
serve

for option in no_subtree_check subtree_check; do
	export_with $option
	at=$nfs/$option there=$rump/$option
	mkdir $at || fail "mkdir"

	# Bytes, both ways.
	head -c 300000 /dev/urandom >/mnt/bytes
	cp /mnt/bytes $at/bytes || fail "write"
	forget
	cmp /mnt/bytes $there/bytes || fail "the server has other bytes"
	cmp /mnt/bytes $at/bytes || fail "the client reads other bytes"

	# Every kind of name.
	mkdir -p $at/a/b/c && echo deep >$at/a/b/c/file &&
		ln -s a/b/c/file $at/link && ln $at/a/b/c/file $at/hard &&
		mkfifo $at/fifo && mknod $at/null c 1 3 || fail "names"
	forget
	same "$(cat $at/link)" deep "through a symbolic link"
	same "$(stat -c '%h %i' $at/hard)" "2 $(stat -c %i $there/a/b/c/file)" \
		"links and number"
	same "$(stat -c '%F %t:%T' $at/null)" "character special file 1:3" "device"

	# Renamed with all caches gone in between, and open meanwhile.
	exec 3<$at/a/b/c/file
	mv $at/a $at/moved && mv $at/moved/b/c/file $at/file || fail "rename"
	forget
	same "$(cat <&3)" deep "an open file that was renamed"
	exec 3<&-
	same "$(cat $at/hard $at/file)" "$(printf 'deep\ndeep')" "renamed"
	[ ! -e $there/a ] && [ -d $there/moved/b/c ] || fail "rename at the server"

	# Unlinked while open: the client keeps it under a name of its own.
	echo open >$at/open
	exec 3<>$at/open
	rm $at/open || fail "unlink"
	forget
	same "$(cat <&3)" open "a file that was unlinked"
	echo more >&3
	ls -A $there | grep -q '^\.nfs' || fail "no name for the open file"
	exec 3<&-
	wait_for eval "! ls -A $there | grep -q '^\.nfs'" ||
		fail "a name is left of the open file"
	[ ! -e $at/open ] || fail "the unlinked file is there"

	# A long listing, in many replies.
	mkdir $at/many
	for i in {1..700}; do
		echo "$i"
	done | (cd $there/many && xargs touch)
	forget
	same "$(find $at/many -type f | wc -l)" 700 "names listed"
	same "$(find $at/many -type f -printf '%f\n' | sort -n | uniq | wc -l)" \
		700 "names listed once"
	rm -r $at/many || fail "rm -r"
	[ ! -e $there/many ] || fail "the directory is left at the server"

	# What is gone at the server is stale.
	echo stale >$at/stale
	forget
	exec 3<$there/stale
	rm $there/stale
	exec 3<&-
	wait_for eval "! cat $at/stale" || fail "a removed file is read"
done

# What changes is seen at once where the client asks, at whatever time it is.
mkdir $now && mount -t nfs4 -o noac,nosharecache 127.0.0.1:/ $now ||
	fail "mount.nfs4 without cached attributes"
./same_tick $rump $now || fail "a change is missed"
echo host >/mnt/host/f
[ ! -e $now/late ] || fail "late is early"
printf '/late /mnt/host/f reg\n' >$table || fail "key"
same "$(cat $now/late)" host "a key that came late"
echo HOST >$rump/late
same "$(cat $now/late)" HOST "a key that was written to"
echo -/late >$table || fail "key"
[ ! -e $now/late ] || fail "a key that is gone"
umount $now || fail "umount without cached attributes"

# A key is a file for the client, too.
echo host >/mnt/host/f
printf '/key /mnt/host/f reg\n/x/key /mnt/host/f reg\n' >$table || fail "keys"
wait_for cat $nfs/x/key >/dev/null || fail "the key is not there"
forget
same "$(cat $nfs/key $nfs/x/key)" "$(printf 'host\nhost')" "keys"
echo longer >$nfs/key || fail "write to a key"
forget
same "$(cat /mnt/host/f)" longer "the host file"
ls -A $nfs | grep -qx key || fail "the key is not listed"

# All is there when the server was stopped and begins anew.
umount $nfs || fail "umount"
rpc.nfsd 0
exportfs -f
serve
cmp /mnt/bytes $nfs/subtree_check/bytes || fail "the file does not survive"
umount $nfs || fail "umount again"
exit 0
