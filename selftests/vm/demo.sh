#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The main job of rumpfs on real input: a disk image, its partitions as names.
#
# Runs as root on a kernel that has no rumpfs yet, best in a machine of its
# own: `make demo`. $RUMPFS_KO is the module.
set -euo pipefail

# Show a command as it would be typed, then do it.
run()
{
	printf '\n# %s\n' "$*"
	eval "$*"
}

say() { printf '\n## %s\n' "$*"; }

ko=${RUMPFS_KO:?the module}
etfs=/sys/fs/rumpfs/etfs
mkdir /tmp/demo
cd /tmp/demo
cp "$ko" rumpfs.ko

say "A disk image with a GPT, a FAT and an ext4 partition"
run "truncate -s 96M disk.img"
run "printf 'size=32M,type=uefi\ntype=linux\n' | sfdisk -q --label gpt disk.img"
run "sfdisk -q -l -o device,start,sectors,type disk.img"
start=$(sfdisk -d disk.img | sed -n 's/.*img2 : start= *\([0-9]*\),.*/\1/p')
sectors=$(sfdisk -d disk.img | sed -n 's/.*img2.*size= *\([0-9]*\),.*/\1/p')

say "The module, and a mount"
run "insmod rumpfs.ko"
run "mkdir /mnt/r && mount -t rumpfs none /mnt/r"

say "Each partition is a plain file: no loop device, no udev"
run "echo '/img/p1 /tmp/demo/disk.img reg offset=2048s,size=32M' > $etfs"
run "echo '/img/p2 /tmp/demo/disk.img reg offset=${start}s,size=${sectors}s' > $etfs"
run "ls -l /mnt/r/img"
run "mkfs.fat -n BOOT /mnt/r/img/p1"
run "mkfs.ext4 -q -L root /mnt/r/img/p2"
run "e2fsck -f -y /mnt/r/img/p2 2>&1 | tail -n 1"
run "echo 'put here without a mount' > note"
run "debugfs -w -R 'write note note' /mnt/r/img/p2 2>&1 | tail -n 1"
run "debugfs -R 'cat note' /mnt/r/img/p2 2>/dev/null"

say "The same bytes as a block device, mounted and written"
run "echo '/dev/p2 /tmp/demo/disk.img blk offset=${start}s,size=${sectors}s' > $etfs"
run "ls -l /mnt/r/dev/p2"
run "mkdir /mnt/p2 && mount /mnt/r/dev/p2 /mnt/p2"
run "cat /mnt/p2/note && echo more > /mnt/p2/more && ls /mnt/p2"
run "df -h /mnt/p2 | tail -n 1"
run "umount /mnt/p2"
run "e2fsck -f -n /mnt/r/img/p2 2>&1 | tail -n 1"
run "fsck.fat -n /mnt/r/img/p1 | tail -n 1"

say "A file that is replaced on the host is never stale"
run "echo 'colour=blue' > app.conf"
run "echo '/etc/app.conf /tmp/demo/app.conf reg ro' > $etfs"
run "cat /mnt/r/etc/app.conf"
run "echo 'colour=green' > new && mv new app.conf"
run "cat /mnt/r/etc/app.conf"

say "A mistake is answered with a sentence"
run "echo '/img/p3 /tmp/demo/disk.img reg offset=1G' > $etfs || cat /sys/fs/rumpfs/last_error"

say "The whole table, as it can be written back"
run "cat $etfs"

say "All gone"
run "echo flush > $etfs"
run "umount /mnt/r && rmmod rumpfs"
run "grep -c '^rumpfs ' /proc/modules || true"
