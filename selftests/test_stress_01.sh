#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything stress-ng has for file systems, and what fio can verify, at once.
#
# RUMPFS_STRESS is the seconds for each stressor: 2 are enough to see that they
# run, a debug kernel wants a minute. RUMPFS_FSTYPE=tmpfs for comparison.

# shellcheck disable=SC2119
cd "$(dirname "$0")" && . lib/common.sh

seconds=${RUMPFS_STRESS:-2}
type=${RUMPFS_FSTYPE:-rumpfs}

command -v stress-ng >/dev/null || skip "there is no stress-ng"
command -v fio >/dev/null || skip "there is no fio"
[ "$type" != rumpfs ] || loaded || load || fail "load"
mount -t "$type" -o size=512M none /mnt/rump || fail "mount"
before=$(stat -fc '%f %d' /mnt/rump)
mkdir /mnt/rump/stress /mnt/rump/fio

# Not those of the class that are about something else; fanotify's taints the
# kernel by its permission events.
exclude=bind-mount,binderfs,eventfd,fanotify,ioprio,procfs,sync-file,verity
stress-ng --class filesystem --seq 2 --timeout "${seconds}s" --oom-avoid \
	--temp-path /mnt/rump/stress --exclude "$exclude" --metrics-brief \
	--verify >/mnt/host/stress 2>&1
status=$?
# 2: a stressor failed; 3: one could not begin; 4: one is not implemented.
grep -E 'fail|error' /mnt/host/stress | grep -v 'failed: 0' | sed 's/^/# /'
[ $status != 2 ] || fail "stress-ng ended with $status"
grep -q 'passed: [1-9]' /mnt/host/stress || grep -q 'successful run' /mnt/host/stress ||
	fail "stress-ng did nothing: $(tail -n1 /mnt/host/stress)"

# With reads amid writes, over and over, fio looks for what it has written over.
for engine in psync mmap libaio pvsync2 splice; do
	fio --name="$engine" --ioengine=$engine --directory=/mnt/rump/fio \
		--rw=randwrite --bsrange=512-64k --bs_unaligned=1 --size=8M \
		--loops=$(((seconds + 1) / 2)) --verify=crc32c --verify_fatal=1 \
		--numjobs=2 --randseed=1 --output=/mnt/host/fio ||
		{ sed 's/^/# /' /mnt/host/fio; fail "fio with $engine"; }
	rm -f /mnt/rump/fio/*
done

rm -rf /mnt/rump/stress /mnt/rump/fio
[ -z "$(ls -A /mnt/rump)" ] || fail "names are left over"
same() { [ "$(stat -fc '%f %d' /mnt/rump)" = "$before" ]; }
wait_for same || fail "figures: $before, then $(stat -fc '%f %d' /mnt/rump)"
wait_for umount /mnt/rump || fail "umount"
exit 0
