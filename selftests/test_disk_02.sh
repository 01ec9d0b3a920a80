#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# xfs on a disk over a file on xfs, while all is worked on at once.

# shellcheck disable=SC2034
cd "$(dirname "$0")" && . lib/disk.sh

seed=${RUMPFS_SEED:-1} ops=${RUMPFS_OPS:-$(turns 200)}
make_host xfs 256
stacked xfs 128 -
stacked xfs 128 dio
exit 0
