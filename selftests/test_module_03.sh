#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A module parameter holds from the start, and can be changed later.

# shellcheck disable=SC2119
cd "$(dirname "$0")" && . lib/common.sh

limit=/sys/module/rumpfs/parameters/max_mappings

unload || fail "cannot begin without the module"
load max_mappings=2 || fail "load"
echo host >/mnt/host/f
[ "$(cat $limit)" = 2 ] || fail "the parameter was not taken"
printf '/a /mnt/host/f reg\n/b /mnt/host/f reg\n' >"$table" || fail "two keys"
echo '/c /mnt/host/f reg' >"$table" 2>/dev/null && fail "a third key of two"
echo 3 >$limit || fail "the parameter cannot be written"
echo '/c /mnt/host/f reg' >"$table" || fail "a third key of three"
unload || fail "rmmod"

load || fail "load without"
[ "$(cat $limit)" = 1000000 ] || fail "the default is $(cat $limit)"
exit 0
