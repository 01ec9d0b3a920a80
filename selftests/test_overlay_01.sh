#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# As upper layer of an overlay: copy-up, whiteouts, opaque directories, renames.

# shellcheck disable=SC2015,SC2086,SC2119
cd "$(dirname "$0")" && . lib/overlay.sh

mount_tested /mnt/rump
mkdir -p $lower/d/sub $lower/gone/deep $lower/r
echo low | tee $lower/{a,b,c,m,d/f,d/sub/g,gone/deep/x,r/y} >/dev/null
chmod 640 $lower/a && chown 3:4 $lower/a && touch -d @1234567.5 $lower/a
setfattr -n user.u -v 1 $lower/a 2>/dev/null || :
setfattr -n trusted.t -v 2 $lower/a || fail "trusted xattr on tmpfs"
setfacl -m u:5:rw $lower/a || fail "ACL on tmpfs"
overlay

# Copy-up takes everything along, and the lower file stays.
echo more >>$o/a || fail "append"
[ "$(cat $o/a)" = "low
more" ] || fail "the copy lost bytes"
[ "$(stat -c %a:%u:%g $o/a)" = 660:3:4 ] || fail "ids or mode: $(stat -c %a:%u:%g $o/a)"
[ "$(getfattr --absolute-names -n trusted.t --only-values $upper/a)" = 2 ] || fail "trusted xattr"
getfacl -cnp $o/a | grep -q '^user:5:rw-' || fail "ACL"
holds $lower/a low
touch -d @1234567.5 $lower/t && chmod 600 $o/t && [ "$(stat -c %Y $o/t)" = 1234567 ] ||
	fail "times of a copy"

# What is removed leaves a whiteout; what is made again over one is opaque.
rm $o/b && is_whiteout $upper/b || fail "no whiteout of a file"
[ ! -e $o/b ] || fail "it is still there"
echo new >$o/b || fail "create over a whiteout"
holds $o/b new
rm -r $o/gone && is_whiteout $upper/gone || fail "no whiteout of a directory"
mkdir $o/gone && [ -z "$(ls -A $o/gone)" ] || fail "not opaque"
[ "$(getfattr --absolute-names -n trusted.overlay.opaque --only-values $upper/gone)" = y ] ||
	fail "no mark of an opaque directory"
try mv $o/c $o/c2
holds $o/c2 low
is_whiteout $upper/c || fail "rename of a file"
try mv $o/c2 $o/m
holds $o/m low

# Without redirect_dir a lower directory is copied by mv: EXDEV inside.
try mv $o/r $o/r2
holds $o/r2/y low
is_whiteout $upper/r || fail "rename of a directory"
ln $o/m $o/link && [ "$(stat -c %h $o/link)" = 2 ] || fail "hard link"
mkfifo $o/d/fifo && ln -s x $o/d/l && [ "$(readlink $o/d/l)" = x ] || fail "special files"
echo s >$o/d/sub/s || fail "create below"
holds $o/d/sub/g low
rm -rf ${o:?}/* && [ -z "$(ls -A $o)" ] || fail "rm -rf: $(ls -A $o)"
[ "$(cat $lower/d/sub/g)" = low ] || fail "the lower layer changed"
try umount $o

# The upper layer keeps it for another time.
overlay && [ -z "$(ls -A $o)" ] || fail "it comes back"
exit 0
