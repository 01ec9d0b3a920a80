#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The main job of rumpfs on real input: a disk image, its partitions as names.
# As far as the first table it is the session that README begins with.
#
# Runs as root on a kernel that has no rumpfs yet, best in a machine of its
# own: `make demo`. $RUMPFS_KO is the module.
set -euo pipefail

# Show a command as it would be typed, then do it.
run()
{
	printf '\n# %s\n' "$*"
	bash -o pipefail -c "$*" 2>&1
}

say() { printf '\n## %s\n' "$*"; }

ko=${RUMPFS_KO:?the module}
etfs=/sys/fs/rumpfs/etfs
mkdir /tmp/demo
cd /tmp/demo
cp "$ko" rumpfs.ko

say "A disk image with two partitions"
run "truncate -s 96M disk.img"
run "printf 'size=32M,type=uefi\ntype=linux\n' | sfdisk -q --label gpt disk.img"
run "sfdisk -q -l -o device,start,sectors,type disk.img"
start=$(sfdisk -d disk.img | sed -n 's/.*img2 : start= *\([0-9]*\),.*/\1/p')
sectors=$(sfdisk -d disk.img | sed -n 's/.*img2.*size= *\([0-9]*\),.*/\1/p')
window="offset=${start}s,size=${sectors}s"

say "The module, and a mount"
run "insmod rumpfs.ko"
run "mkdir /mnt/r && mount -t rumpfs none /mnt/r"

say "A partition is a plain file: no loop device, no udev"
run "echo \"/img/p2 \$PWD/disk.img reg $window\" > $etfs"
run "mkfs.ext4 -q -L root /mnt/r/img/p2"
run "e2fsck -f -y /mnt/r/img/p2 2>&1 | tail -n 1"

say "The same bytes as a block device"
run "echo \"/dev/p2 \$PWD/disk.img blk $window\" > $etfs"
run "mkdir /mnt/p2 && mount /mnt/r/dev/p2 /mnt/p2"

say "A mistake is answered with a sentence"
if run "echo \"/img/p3 \$PWD/disk.img reg offset=1G\" > $etfs"; then
	exit 1
fi
run "cat /sys/fs/rumpfs/last_error"

say "The whole table, as it can be written back"
run "cat $etfs"

say "What is written through one name is there through the other"
run "ls -l /mnt/r/img/p2 /mnt/r/dev/p2"
run "echo 'put here through a mount' > /mnt/p2/note && df -h /mnt/p2 | tail -n 1"
run "umount /mnt/p2"
run "debugfs -R 'cat note' /mnt/r/img/p2 2>/dev/null"
run "echo 'put here without a mount' > more"
run "debugfs -w -R 'write more more' /mnt/r/img/p2 2>&1 | tail -n 1"
run "mount /mnt/r/dev/p2 /mnt/p2 && cat /mnt/p2/more && umount /mnt/p2"
run "e2fsck -f -n /mnt/r/img/p2 2>&1 | tail -n 1"

say "A FAT partition beside it"
run "echo \"/img/p1 \$PWD/disk.img reg offset=2048s,size=32M\" > $etfs"
run "mkfs.fat -n BOOT /mnt/r/img/p1"
run "fsck.fat -n /mnt/r/img/p1 | tail -n 1"

say "A file that is replaced on the host is never stale"
run "echo 'colour=blue' > app.conf"
run "echo \"/etc/app.conf \$PWD/app.conf reg ro\" > $etfs"
run "cat /mnt/r/etc/app.conf"
run "echo 'colour=green' > new && mv new app.conf"
run "cat /mnt/r/etc/app.conf"

say "All gone"
run "echo flush > $etfs"
run "umount /mnt/r && rmmod rumpfs"
run "grep -c '^rumpfs ' /proc/modules || true"
