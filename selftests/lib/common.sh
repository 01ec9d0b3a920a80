# SPDX-License-Identifier: GPL-2.0
# Loading, unloading and a private mount for the shell tests.

# What the runner preloads is for this shell's output alone, and slow to start.
unset LD_PRELOAD

table=/sys/fs/rumpfs/etfs

fail()
{
	echo "# $*"
	exit 1
}

# Run what must succeed.
try()
{
	"$@" || fail "$*"
}

skip()
{
	echo "# SKIP: $*"
	exit 4
}

loaded()
{
	[ -e /sys/module/rumpfs ]
}

# Load with these parameters, if any.
# shellcheck disable=SC2120
load()
{
	if [ -n "$RUMPFS_KO" ]; then
		insmod "$RUMPFS_KO" "$@"
	else
		modprobe rumpfs "$@"
	fi
}

# What is tested, in the tests of the tree: RUMPFS_FSTYPE=tmpfs to compare.
fstype=${RUMPFS_FSTYPE:-rumpfs}

# Mount it on a directory, with options if any.
mount_tested()
{
	[ "$fstype" != rumpfs ] || loaded || load || fail "load"
	mkdir -p "$1" && mount -t "$fstype" -o "rw${2:+,$2}" none "$1" ||
		fail "mount $fstype on $1 ${2:-}"
}

# Ask again until the command succeeds, for at most ten seconds.
wait_for()
{
	local deadline=$((SECONDS + 10))

	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
	done 2>/dev/null
}

unload()
{
	! loaded || wait_for rmmod rumpfs
}

# The rows of the table.
rows()
{
	grep -v '^#' "$table"
}

[ "$(id -u)" = 0 ] || skip "requires root"

# Everything below happens in a mount namespace of this test alone.
if [ -z "$IN_SANDBOX" ]; then
	IN_SANDBOX=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
mount -t tmpfs none /mnt && mkdir /mnt/host /mnt/rump || fail "no scratch place"
