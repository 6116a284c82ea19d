#!/usr/bin/env bash
# Downloads pahole 1.32, bpftool, and kernels with debug information from a Debian mirror, for tests and benchmarks.
#
#   scripts/fetch-lab.sh                 pahole, bpftool and the kernel 6.1-cloud-amd64
#   scripts/fetch-lab.sh KERNEL...       pahole, bpftool and these kernels
#   scripts/fetch-lab.sh --modules KERNEL KERNEL...    the same, and some modules of the first kernel
#   scripts/fetch-lab.sh --modules-of PACKAGE KERNEL   only these modules of a kernel, from its package, a file
#   scripts/fetch-lab.sh --list          the names of the kernels
#
# The files are put into $LAB (default: the folder .lab beside the checkout), where the tests look for them:
#   $LAB/bin/pahole   $LAB/bin/bpftool   $LAB/kernels/NAME.vmlinux   $LAB/modules/NAME/...
# The script installs nothing and needs no root. It needs an x86-64 machine with apt-get and dpkg-deb, and Debian's signing keys
# (package debian-archive-keyring). The package of a kernel has a few hundred megabytes.
#
# MIRROR is the Debian mirror. If it no longer has pahole 1.32, look up at https://snapshot.debian.org/package/dwarves/ when Debian
# unstable had it, and use that day: MIRROR=https://snapshot.debian.org/archive/debian/20260101T000000Z
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lab=${LAB:-$repo/../.lab}
mirror=${MIRROR:-http://deb.debian.org/debian}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
pahole=1.32-1

# name, suite, architecture, and the package that depends on the newest kernel of its kind
kernels='5.10-cloud-amd64 bullseye amd64 linux-image-cloud-amd64-dbg
6.1-cloud-amd64 bookworm amd64 linux-image-cloud-amd64-dbg
6.1-cloud-arm64 bookworm arm64 linux-image-cloud-arm64-dbg
6.1-s390x bookworm s390x linux-image-s390x-dbg
6.1-armmp bookworm armhf linux-image-armmp-dbg
6.1-686 bookworm i386 linux-image-686-pae-dbg
6.12-cloud-amd64 trixie amd64 linux-image-cloud-amd64-dbg'

# modules to compare: large ones, and others of different kinds
modules='fs/xfs/xfs fs/btrfs/btrfs fs/nfs/nfs fs/overlayfs/overlay net/ipv6/ipv6 net/netfilter/nf_conntrack net/openvswitch/openvswitch
drivers/net/tun drivers/net/virtio_net drivers/net/veth drivers/net/ethernet/mellanox/mlx5/core/mlx5_core drivers/md/dm-mod'

die() { echo "fetch-lab: $*" >&2; exit 1; }

with_modules='' package=''
case ${1-} in
--list) cut -d' ' -f1 <<<"$kernels"; exit ;;
--modules) shift; [ $# -gt 0 ] || die "--modules needs a kernel"; with_modules=$1 ;;
--modules-of) [ $# = 3 ] && [ -f "$2" ] || die "--modules-of needs a package and a kernel"; package=$(realpath "$2"); shift 2 ;;
-*) sed -n '2,9p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
[ -f "$keys" ] || die "$keys is missing: apt-get install debian-archive-keyring"
for name in "$@"; do
	grep -q "^$name " <<<"$kernels" || die "unknown kernel $name; --list prints the names"
done
mkdir -p "$lab/bin" "$lab/kernels"
lab=$(cd "$lab" && pwd)
work=$(mktemp -d "$lab/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

# apt SUITE ARCH: creates a separate apt configuration for one suite and architecture. Signatures are checked, and the machine's
# packages are not touched. The commands that follow use it.
apt() {
	local dir=$work/apt-$1-$2
	export APT_CONFIG=$dir/conf
	[ ! -f "$dir/conf" ] || return 0
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	: >"$dir/status"
	echo "deb [signed-by=$keys] $mirror $1 main" >"$dir/sources.list"
	cat >"$dir/conf" <<-CONF
		Dir::State "$dir"; Dir::State::Lists "$dir/lists"; Dir::State::status "$dir/status";
		Dir::Cache "$dir"; Dir::Etc::sourcelist "$dir/sources.list"; Dir::Etc::sourceparts "/dev/null";
		APT::Architecture "$2"; APT::Architectures { "$2"; }; APT::Sandbox::User "";
		Acquire::Check-Valid-Until "false"; Acquire::Retries "3"; Acquire::Languages "none";
	CONF
	apt-get -qq update
}

# pahole and bpftool run with their own C library, because they come from a newer Debian than this machine may have.
fetch_peers() {
	local root=$lab/peers ld program
	apt sid amd64
	apt-cache show "pahole=$pahole" >/dev/null 2>&1 || die "$mirror has no pahole $pahole in sid; see MIRROR in this script"
	mkdir "$work/debs"
	(cd "$work/debs" && apt-get -qq download "pahole=$pahole" "libdwarves1=$pahole" bpftool libc6 libelf1t64 libdw1t64 zlib1g \
		libzstd1 liblzma5 libbz2-1.0 libcap2 libssl3t64 libbpf1)
	rm -rf "$root"
	for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$root"; done
	ld=$(find "$root" -name ld-linux-x86-64.so.2 -print -quit)
	for program in usr/bin/pahole usr/sbin/bpftool; do
		printf '#!/bin/sh\nexec %q --library-path %q %q "$@"\n' "$ld" "$root/usr/lib/x86_64-linux-gnu" "$root/$program" \
			>"$lab/bin/${program##*/}"
		chmod +x "$lab/bin/${program##*/}"
	done
}

fetch_kernel() {
	local suite arch meta package patterns part out=$lab/kernels/$1.vmlinux
	read -r suite arch meta < <(grep "^$1 " <<<"$kernels" | cut -d' ' -f2-)
	apt "$suite" "$arch"
	package=$(apt-cache depends --important "$meta" | awk '/Depends: linux-image-/ && !n++ { print $2 }')
	[ -n "$package" ] || die "package $meta of $suite depends on no kernel"
	echo "fetch-lab: $1 is $package"
	mkdir "$work/$1"
	(cd "$work/$1" && apt-get -qq download "$package")
	# Decompressing the package takes 20 seconds, so the kernel and the modules are extracted together.
	patterns=('./usr/lib/debug/boot/vmlinux-*')
	if [ "$1" = "$with_modules" ]; then patterns+=("${module_patterns[@]}"); fi
	unpack "$work/$1"/*.deb "${patterns[@]}"
	part=$(find "$work/unpacked/usr/lib/debug/boot" -type f -name 'vmlinux-*' -size +0 -print -quit 2>/dev/null || true)
	[ -n "$part" ] || die "package $package contains no vmlinux"
	if [ "$1" = "$with_modules" ]; then keep_modules "$1"; fi
	mv "$part" "$out"
	rm -rf "${work:?}/$1"
}

# unpack PACKAGE PATTERN...: extracts files from a package to $work/unpacked.
unpack() {
	rm -rf "$work/unpacked"
	mkdir "$work/unpacked"
	dpkg-deb --fsys-tarfile "$1" | tar -x -C "$work/unpacked" --wildcards "${@:2}" 2>"$work/tar" && return
	# A kernel may have as built-in what is a module of another. Anything else that tar complains of is an error.
	sed -n "s/^tar: \(.*\): Not found in archive$/fetch-lab: not in the package: \1/p" "$work/tar" >&2
	! grep -v -e ': Not found in archive$' -e ': Exiting with failure status due to previous errors$' "$work/tar" >&2
}

module_patterns=()
for m in $modules; do module_patterns+=("./usr/lib/debug/lib/modules/*/kernel/$m.ko"); done

# keep_modules KERNEL: puts the extracted modules where the tests look for them.
keep_modules() {
	[ -n "$(find "$work/unpacked" -name '*.ko' -print -quit)" ] || die "the package has none of the modules"
	mkdir -p "$lab/modules/$1"
	cp -r "$work"/unpacked/usr/lib/debug/lib/modules/*/. "$lab/modules/$1"
}

if [ -n "$package" ]; then
	unpack "$package" "${module_patterns[@]}"
	keep_modules "$1"
	exit
fi
[ -x "$lab/bin/pahole" ] && [ -x "$lab/bin/bpftool" ] || fetch_peers
[ "$("$lab/bin/pahole" --version)" = v1.32 ] || die "$lab/bin/pahole is not version 1.32"
[ $# -gt 0 ] || set -- 6.1-cloud-amd64
for name in "$@"; do
	if [ ! -s "$lab/kernels/$name.vmlinux" ] || { [ "$name" = "$with_modules" ] && [ ! -d "$lab/modules/$name" ]; }; then
		fetch_kernel "$name"
	fi
	echo "$lab/kernels/$name.vmlinux"
done
