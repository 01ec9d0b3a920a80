#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What an entry of the boot table may not say: its errno, and the key if any.

# shellcheck disable=SC2119
cd "$(dirname "$0")" && . lib/common.sh

dir=$(mktemp -d /tmp/rumpfs-boot.XXXXXX) || fail "no place"
trap 'rm -rf "$dir"' EXIT
echo host >"$dir/f"
long=$(printf 'n%.0s' {1..256})
words=$(printf 'ro,%.0s' {1..30})

# ENTRY, then the line of boot_status, then a word of the reason.
list='' expected='' nr=0
entries=() reasons=()
entry()
{
	list+="$1;"
	expected+="$2"$'\n'
	entries+=("$1")
	reasons+=("$3")
	nr=$((nr + 1))
}

host="hostpath=$dir/f"
entry "$host,type=reg" '22 -' 'key= is missing'
entry "key=/k,type=reg" '22 /k' 'hostpath= is missing'
entry "key=/k,$host" '22 /k' 'type= is missing'
entry "key=/k,$host,type=file" '22 /k' 'a type is'
entry "key=/k,$host,type=" '22 /k' 'a type is'
entry "key=/k,key=/l,$host,type=reg" '22 /k' 'key is said twice'
entry "key=/k,$host,$host,type=reg" '22 /k' 'hostpath is said twice'
entry "key=/k,$host,type=reg,type=reg" '22 /k' 'type is said twice'
entry "key=k,$host,type=reg" '22 k' 'starts with /'
entry "key=,$host,type=reg" '22 ' 'starts with /'
entry "key=/,$host,type=reg" '22 /' 'root of the mount'
entry "key=/a/../b,$host,type=reg" '22 /a/../b' 'component'
entry "key=/a\\040b/.,$host,type=reg" '22 /a\040b/.' 'component'
entry "key=/k\\9,$host,type=reg" '22 /k\1349' 'three octal digits'
entry "key=/k\\000,$host,type=reg" '22 /k\134000' 'the byte'
entry "key=/k,hostpath=f,type=reg" '22 /k' 'a host path starts with /'
entry "key=/k,hostpath=/f\\,type=reg" '22 /k' 'three octal digits'
entry "key=/k,$host,type=reg,fast" '22 /k' 'unknown option "fast"'
entry "key=/k,$host,type=reg," '22 /k' 'unknown option ""'
entry "key=/k,$host,type=reg,ro,rw" '22 /k' 'said twice'
entry "key=/k,$host,type=reg,bs=512" '22 /k' 'not for type reg'
entry "key=/k,$host,type=reg,offset" '22 /k' 'takes a value'
entry "key=/k,$host,type=reg,size=-1" '22 /k' 'a size is'
entry "key=/k,$host,type=reg,tag=" '22 /k' 'at least one byte'
entry "key=/k,$host,type=reg,offset=1T" '22 /k' 'ends after the host file'
entry "key=/k,$host,type=reg,${words%,}" '22 /k' 'words'
entry "key=/$long,$host,type=reg" "36 /$long" '256 bytes, at most 255'
entry "key=/k,hostpath=$dir,type=blk" '21 /k' 'directory'
entry "key=/k,hostpath=/dev/null,type=chr" '22 /k' 'neither'
entry "/k $dir/f reg" '22 -' 'key= is missing'
entry "-/k" '22 -' 'key= is missing'
entry "flush" '22 -' 'key= is missing'
entry "KEY=/k,$host,type=reg" '22 -' 'key= is missing'

unload || fail "cannot begin without the module"
load "etfs=\"$list\"" || fail "load with bad entries alone"
[ "$(cat /sys/fs/rumpfs/boot_status)"$'\n' = "$expected" ] ||
	fail "boot_status: $(diff <(cat /sys/fs/rumpfs/boot_status) - <<<"${expected%$'\n'}")"
[ -z "$(rows)" ] || fail "the table has rows"

# Each alone, as last_error keeps but one.
for ((i = 0; i < nr; i++)); do
	unload || fail "rmmod"
	load "etfs=\"${entries[i]}\"" || fail "load: ${entries[i]}"
	said=$(cat /sys/fs/rumpfs/last_error)
	[[ $said =~ ^1:[0-9]+:\ .*"${reasons[i]}" ]] ||
		fail "${entries[i]}: last_error is: $said"
done
exit 0
