#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# As upper layer with redirect_dir, metacopy, index and nfs_export, alone and together.

# shellcheck disable=SC2015,SC2086,SC2119
cd "$(dirname "$0")" && . lib/overlay.sh

# The mount keeps the words it was given.
kept()
{
	local word
	for word; do
		grep '^over ' /proc/self/mounts | grep -qE "[, ]$word(,| )" ||
			fail "$word is gone: $(grep '^over ' /proc/self/mounts)"
	done
}

prepare()
{
	umount $o /mnt/rump 2>/dev/null
	rm -rf ${lower:?}/*
	mount_tested /mnt/rump
	mkdir -p $lower/d/sub
	echo low | tee $lower/{a,h1,d/sub/f} >/dev/null
	head -c 1M /dev/zero | tr '\0' x >$lower/big
	ln $lower/h1 $lower/h2
}

prepare
overlay redirect_dir=on
kept redirect_dir=on
try mv $o/d $o/e
holds $o/e/sub/f low
[ "$(getfattr --absolute-names -n trusted.overlay.redirect --only-values $upper/e)" = d ] ||
	fail "no redirection"
try umount $o
overlay redirect_dir=on
holds $o/e/sub/f low

prepare
overlay metacopy=on,redirect_dir=on
kept metacopy=on
chmod 600 $o/big && [ "$(stat -c %b $upper/big)" = 0 ] || fail "the data was copied"
getfattr --absolute-names -n trusted.overlay.metacopy $upper/big >/dev/null || fail "no mark of metacopy"
cmp $o/big $lower/big || fail "metacopy shows other bytes"
echo y >>$o/big && [ "$(stat -c %s $upper/big)" = $((2 ** 20 + 2)) ] || fail "data copy-up"
[ "$(head -c 1M $o/big | cmp - $lower/big)" = "" ] || fail "the bytes of the copy"

prepare
overlay index=on
kept index=on
ino=$(stat -c %i $o/h2)
echo more >>$o/h1 && [ "$(cat $o/h2)" = "$(cat $o/h1)" ] || fail "the hard link is broken"
[ "$(stat -c %i $o/h2)" = "$ino" ] && [ "$(stat -c %i $o/h1)" = "$ino" ] ||
	fail "the copy has another number"
[ "$(find $work/index -type f | wc -l)" = 1 ] || fail "no index: $(ls $work/index)"
try umount $o
overlay index=on
[ "$(cat $o/h2)" = "$(cat $o/h1)" ] || fail "index at a second mount"

prepare
overlay index=on,nfs_export=on
kept nfs_export=on
mv $o/a $o/b && echo x >$o/new && rm $o/new && rm -r $o/d || fail "changes under nfs_export"
try umount $o
overlay index=on,nfs_export=on
holds $o/b low

prepare
overlay redirect_dir=on,metacopy=on,index=on,xino=on
kept metacopy=on index=on
mv $o/d $o/e && chmod 600 $o/big && echo more >>$o/h1 && rm -rf $o/e || fail "all together"
holds $o/h2 "low
more"
exit 0
