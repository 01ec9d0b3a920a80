# SPDX-License-Identifier: GPL-2.0
# An overlay on what is tested, mounted without a complaint.
#
#	/mnt/host	lower layer, on tmpfs
#	/mnt/rump/l	lower layer \
#	/mnt/rump/u	upper layer  } on what is tested
#	/mnt/rump/w	its work    /
#	/mnt/o		the overlay

# shellcheck disable=SC2119
. lib/common.sh

lower=/mnt/host upper=/mnt/rump/u work=/mnt/rump/w o=/mnt/o

# The kernel's complaints about overlays since the mark.
mark_log() { log_mark=$(dmesg | wc -l); }
log_said()
{
	dmesg | tail -n +$((log_mark + 1)) | grep 'overlayfs:' |
		grep -v 'feature enabled'
}

# overlay [OPTIONS]: the layers are $lower (a:b for two), $upper and $work.
overlay()
{
	mark_log
	mkdir -p $o "$upper" "$work"
	mount -t overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$work${1:+,$1}" \
		over $o || { log_said; fail "mount overlay ${1:-}"; }
	log_said && fail "the kernel complains of the layers"
	! grep -q "^over .*[, ]ro" /proc/self/mounts || fail "it is read-only"
}

# Is this entry of the upper layer a whiteout?
is_whiteout() { [ "$(stat -c '%F %t %T' "$1")" = "character special file 0 0" ]; }

# holds FILE TEXT: is this its text?
holds() { [ "$(cat "$1")" = "$2" ] || fail "$1 holds '$(cat "$1")', not '$2'"; }

# The names of a directory, in order.
names() { (cd "$1" && echo *); }
