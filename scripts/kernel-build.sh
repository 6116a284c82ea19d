#!/bin/sh
# Builds a small kernel with CONFIG_DEBUG_INFO_BTF=y twice, once with pahole and once with btfbatch under that name. Compares the
# BTF of vmlinux, of every module, and of an external module with a distilled base. Prints what the encoders took in the two builds.
#
#   scripts/kernel-build.sh [-c] [-j N] [-k VERSION | -s SOURCE] [-w FOLDER]
#
#   -c           compile twice as well; by default only linking and BTF are repeated, from the same objects
#   -j N         jobs of make (default: one per processor)
#   -k VERSION   Debian's kernel to build: linux-source-VERSION, by apt-get download (default: 6.12)
#   -s SOURCE    another kernel to build: a folder, a tar file or a linux-source-*.deb
#   -w FOLDER    working folder, which is kept and reused (default: a new one, which is removed)
#
# Needs gcc make flex bison bc libelf-dev libssl-dev xz-utils, go, and pahole 1.32 as $PEER or $LAB/bin/pahole (LAB defaults to
# ../.lab beside the checkout). The first build takes about 15 minutes of CPU time, the second one or two.
# Exit codes: 0 all equal, 1 something differs or cannot be built, 2 wrong usage.
set -eu

repo=$(cd "$(dirname "$0")/.." && pwd)
lab=${LAB:-$repo/../.lab}
peer=${PEER:-$lab/bin/pahole}
jobs=$(nproc) version=6.12 source='' work='' twice=no
usage() { sed -n '5,11p' "$0" >&2; exit 2; }
while getopts cj:k:s:w: opt; do
	case $opt in
	c) twice=yes ;;
	j) jobs=$OPTARG ;;
	k) version=$OPTARG ;;
	s) source=$(realpath "$OPTARG") ;;
	w) work=$OPTARG ;;
	*) usage ;;
	esac
done
[ $OPTIND -gt $# ] || usage
[ -x "$peer" ] || { echo "kernel-build.sh: $peer is missing" >&2; exit 2; }
if [ -z "$work" ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
work=$(cd "$work" && pwd)
cd "$work"

# Only BTF may differ between two builds.
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_USER=btfbatch KBUILD_BUILD_HOST=btfbatch KBUILD_BUILD_VERSION=1 LC_ALL=C

say() { echo "== $*" >&2; }

# unpack SOURCE: unpacks the kernel's files into src.
unpack() {
	mkdir src.part
	case $1 in
	*.deb) dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' | tar -xJ -C src.part --strip-components=1 ;;
	*) tar -xf "$1" -C src.part --strip-components=1 ;;
	esac
	mv src.part src
}

# fetch: downloads Debian's package into $work unless it is there, and prints its name.
fetch() {
	set -- "linux-source-$version"_*.deb
	[ -e "$1" ] || apt-get download "linux-source-$version" >&2
	set -- "linux-source-$version"_*.deb
	echo "$1"
}

# configure OBJ PAHOLE: tinyconfig, plus the options for BTF, per-CPU variables, kfuncs and modules.
configure() {
	cat >fragment <<-'E'
		CONFIG_64BIT=y
		CONFIG_SMP=y
		CONFIG_PRINTK=y
		CONFIG_BLK_DEV_INITRD=y
		CONFIG_RD_GZIP=y
		CONFIG_BINFMT_ELF=y
		CONFIG_BINFMT_SCRIPT=y
		CONFIG_TTY=y
		CONFIG_SERIAL_8250=y
		CONFIG_SERIAL_8250_CONSOLE=y
		CONFIG_PROC_FS=y
		CONFIG_SYSFS=y
		CONFIG_KALLSYMS=y
		CONFIG_KALLSYMS_ALL=y
		CONFIG_FUTEX=y
		CONFIG_EPOLL=y
		CONFIG_POSIX_TIMERS=y
		CONFIG_MULTIUSER=y
		CONFIG_BPF_SYSCALL=y
		CONFIG_BPF_JIT=y
		CONFIG_HYPERVISOR_GUEST=y
		CONFIG_PVH=y
		CONFIG_MODULES=y
		CONFIG_MODULE_UNLOAD=y
		CONFIG_DEBUG_KERNEL=y
		CONFIG_DEBUG_INFO_DWARF5=y
		CONFIG_DEBUG_INFO_BTF=y
		CONFIG_DEBUG_INFO_BTF_MODULES=y
		CONFIG_PERF_EVENTS=y
		CONFIG_FTRACE=y
		CONFIG_FUNCTION_TRACER=y
		CONFIG_DYNAMIC_FTRACE=y
		CONFIG_KPROBES=y
		CONFIG_KPROBE_EVENTS=y
		CONFIG_BPF_EVENTS=y
		CONFIG_NET=y
		CONFIG_INET=y
		CONFIG_UNIX=y
		CONFIG_CGROUPS=y
		CONFIG_CGROUP_BPF=y
		CONFIG_ACPI=y
		CONFIG_PCI=y
		CONFIG_BLOCK=y
		CONFIG_BLK_DEV=y
		CONFIG_BLK_DEV_NULL_BLK=m
		CONFIG_BLK_DEV_LOOP=m
		CONFIG_NETDEVICES=y
		CONFIG_NET_CORE=y
		CONFIG_DUMMY=m
		CONFIG_TUN=m
		CONFIG_VETH=m
		CONFIG_BRIDGE=m
		CONFIG_VLAN_8021Q=m
		CONFIG_VFAT_FS=m
		CONFIG_EXT4_FS=m
	E
	mkdir -p "$1"
	build "$1" "$2" tinyconfig >"$1.log"
	(cd "$src" && scripts/kconfig/merge_config.sh -O "$1" -m "$1/.config" "$work/fragment") >>"$1.log"
	build "$1" "$2" olddefconfig >>"$1.log"
	grep -q '^CONFIG_DEBUG_INFO_BTF_MODULES=y' "$1/.config" || {
		echo "kernel-build.sh: the configuration lost CONFIG_DEBUG_INFO_BTF_MODULES; see $1.log" >&2
		exit 1
	}
}

# build OBJ PAHOLE TARGET...
build() {
	obj=$1 pahole=$2
	shift 2
	nice make -C "$src" O="$obj" PAHOLE="$pahole" -j"$jobs" "$@"
}

# external: writes the files of an out-of-tree module.
external() {
	mkdir -p ext
	echo 'obj-m := btfbatch_ext.o' >ext/Kbuild
	cat >ext/btfbatch_ext.c <<-'E'
		#include <linux/module.h>
		#include <linux/percpu.h>
		#include <linux/skbuff.h>

		struct btfbatch_own { struct sk_buff *skb; struct list_head list; u64 bits : 5; };

		DEFINE_PER_CPU(struct btfbatch_own, btfbatch_state);
		int btfbatch_look(struct btfbatch_own *own, const struct net_device *dev);
		int btfbatch_look(struct btfbatch_own *own, const struct net_device *dev)
		{
			return own->skb && own->skb->dev == dev && own->bits;
		}
		EXPORT_SYMBOL_GPL(btfbatch_look);
		MODULE_DESCRIPTION("a module outside the kernel's tree");
		MODULE_LICENSE("Dual MIT/GPL");
	E
}

# make_with NAME PAHOLE OBJ: builds, and keeps the results in the folder NAME.
make_with() {
	say "building with $1: $2"
	rm -f "$3/vmlinux" "$3"/.tmp_vmlinux* "$3/.btf.vmlinux.bin.o"
	find "$3" -name '*.ko' -exec rm {} +
	rm -rf "$1"
	mkdir -p "$1"
	: >"bin/$1/times"
	build "$3" "$2" vmlinux modules >"$1.log" 2>&1 || { tail -n 20 "$1.log" >&2; exit 1; }
	rm -rf "$1.ext"
	cp -r ext "$1.ext"
	build "$3" "$2" M="$work/$1.ext" modules >>"$1.log" 2>&1 || { tail -n 20 "$1.log" >&2; exit 1; }
	cp "$3/vmlinux" "$1/"
	(cd "$3" && find . -name '*.ko') | while read -r ko; do
		mkdir -p "$1/$(dirname "$ko")"
		cp "$3/$ko" "$1/$ko"
	done
	cp "$1.ext/btfbatch_ext.ko" "$1/"
}

# section FILE NAME OUT: writes the content of a section; an empty file if there is none.
section() {
	rm -f "$3"
	objcopy --dump-section "$2=$3" "$1" /dev/null 2>/dev/null || :
	[ -e "$3" ] || : >"$3"
}

# compare FILE: compares its BTF in both builds.
compare() {
	verdict=equal
	for name in .BTF .BTF.base .BTF_ids; do
		section "theirs/$1" $name a.bin
		section "ours/$1" $name b.bin
		if [ $name = .BTF ] && [ ! -s b.bin ]; then verdict='NO BTF'; fi
		cmp -s a.bin b.bin || verdict="DIFFERENT $name"
		case $name in
		.BTF) sizes="$(wc -c <b.bin) bytes" ;;
		.BTF.base) [ ! -s b.bin ] || sizes="$sizes + $(wc -c <b.bin) of base" ;;
		esac
	done
	echo "$verdict  $1  $sizes"
}

if [ -n "$source" ] && [ -d "$source" ]; then
	src=$source
else
	[ -d src ] || { rm -rf src.part; [ -n "$source" ] || source=$(fetch); say "unpacking $source"; unpack "$source"; }
	src=$work/src
fi
# timed FOLDER: writes a pahole that calls FOLDER/real/pahole and adds the seconds of the call to FOLDER/times: user, system, wall.
timed() {
	rm -f "$1/pahole"
	cat >"$1/pahole" <<-'E'
		#!/usr/bin/env bash
		TIMEFORMAT='%3U %3S %3R'
		{ time "${0%/*}/real/pahole" "$@" 2>&3 3>&-; } 3>&2 2>>"${0%/*}/times"
	E
	chmod +x "$1/pahole"
}

# cost NAME: prints what the calls of an encoder took in its build.
cost() {
	awk -v name="$1" '$1 + $2 > 0 { n++; cpu += $1 + $2; wall += $3; if ($1 + $2 > most) most = $1 + $2 }
		END { printf "%s: %d calls of the encoder, %.2f s of CPU, %.2f s one after the other; the longest call %.2f s of CPU\n", name, n, cpu, wall, most }' "bin/$1/times"
}

mkdir -p bin/theirs/real bin/ours/real
ln -sf "$(realpath "$peer")" bin/theirs/real/pahole
(cd "$repo" && go build -o "$work/bin/ours/real/btfbatch" ./cmd/btfbatch)
ln -sf btfbatch bin/ours/real/pahole
timed bin/theirs
timed bin/ours
[ "$(bin/ours/pahole --version)" = "$(bin/theirs/pahole --version)" ] || {
	echo "kernel-build.sh: $peer is not the version that btfbatch replaces (1.32)" >&2 # the two kernels would be configured differently
	exit 2
}
external

obj=$work/obj
if ! [ -e obj.done ]; then
	configure "$work/obj" "$work/bin/theirs/pahole"
	make_with theirs "$work/bin/theirs/pahole" "$work/obj"
	touch obj.done
fi
if [ $twice = yes ]; then
	obj=$work/obj2
	configure "$obj" "$work/bin/ours/pahole"
fi
make_with ours "$work/bin/ours/pahole" "$obj"

(cd theirs && find . -name vmlinux -o -name '*.ko' | sort) >files
while read -r f; do compare "${f#./}"; done <files | tee result
for name in theirs ours; do [ ! -s bin/$name/times ] || cost $name; done
cmp -s theirs/vmlinux ours/vmlinux && say "both vmlinux files are the same, byte for byte"
if grep -qv '^equal ' result || ! [ -s result ]; then say "DIFFERENT"; exit 1; fi
say "equal BTF in $(wc -l <result) files"
