#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Ask the compiler which of the probes a kernel's headers accept.
#
#	probe.sh KDIR
#
# Writes probed.h beside itself: HAVE_NAME for each probe/NAME.c that compiles
# and whose "// needs: SYMBOL" lines are exported to modules. Two probes are
# controls, one must compile and one must not: a broken build environment is
# an error and never a very old kernel.
set -eu

kdir=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$here/probing
rm -rf "$work"
mkdir "$work"
trap 'rm -rf "$work"' EXIT
cp "$here"/probe/*.c "$work"

names=$(cd "$work" && for f in *.c; do echo "${f%.c}"; done)
targets=
for name in $names; do
	echo "obj-m += $name.o" >>"$work/Kbuild"
	targets="$targets $name.s"
done
# Assembly needs neither objtool nor modpost, so nothing else can fail.
# shellcheck disable=SC2086
make -s -k -C "$kdir" M="$work" $targets >"$work/log" 2>&1 || :

has()
{
	[ -f "$work/$1.s" ] || return 1
	for symbol in $(sed -n 's|^// needs: ||p' "$work/$1.c"); do
		awk -v s="$symbol" '$2 == s { found = 1 } END { exit !found }' \
			"$kdir/Module.symvers" || return 1
	done
}

if ! has control_yes || has control_no; then
	cat "$work/log" >&2
	echo "probe: no module can be built against $kdir" >&2
	exit 1
fi

{
	echo "/* Written by probe.sh for $kdir */"
	for name in $names; do
		case $name in control_*) continue ;; esac
		if has "$name"; then
			echo "#define HAVE_$(echo "$name" | tr '[:lower:]' '[:upper:]') 1"
		fi
	done
} >"$work/probed.h"
cmp -s "$work/probed.h" "$here/probed.h" || mv "$work/probed.h" "$here/probed.h"
