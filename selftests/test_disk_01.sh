#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ext4 on a disk over a file on ext4, while all is worked on at once.

# shellcheck disable=SC2034
cd "$(dirname "$0")" && . lib/disk.sh

seed=${RUMPFS_SEED:-1} ops=${RUMPFS_OPS:-$(turns 200)}
make_host ext4 256
for way in $(ways - dio); do
	stacked ext4 128 "$way"
done
exit 0
