#!/bin/sh
# Boots a real x86-64 kernel in qemu with the given BTF in place of its own, and checks the result: /sys/kernel/btf/vmlinux and
# the kernel's BTF object have exactly these bytes, the kernel's log has no complaint about BTF, per-CPU variables can be read
# through BPF by their VARs, and programs that use type ids load.
#
#   scripts/boot-check.sh [OPTIONS] VMLINUX [BTF]   raw BTF; without it the kernel keeps its own, which tests the check itself
#   scripts/boot-check.sh [OPTIONS] --lab NAME      encodes $LAB/kernels/NAME.vmlinux (LAB defaults to ../.lab beside the checkout)
#
#   --install      install missing packages (Debian, root)
#   --keep DIR     keep the image, the logs and, with --lab, the BTF in DIR
#   --accel NAME   tcg (default, works everywhere) or kvm
#   --timeout T    limit of one boot, such as 5m (default)
#   --trim         leave out functions if the kernel's section is too small for all of the BTF
#
# VMLINUX must be the unstripped file of a kernel's debug package. A boot that does not reach the checks is repeated once.
# Exit codes: 0 the kernel accepts the BTF, 1 it does not, 2 wrong usage or something is missing. Needs go and qemu-system-x86.
set -eu

usage() {
	sed -n 6,13p "$0" >&2
	exit 2
}

repo=$(cd "$(dirname "$0")/.." && pwd)
lab=${LAB:-$repo/../.lab}
name= keep= install=no accel=tcg timeout=5m trim=
while [ $# -gt 0 ]; do
	case $1 in
	--lab) [ $# -gt 1 ] || usage; name=$2; shift 2 ;;
	--keep) [ $# -gt 1 ] || usage; keep=$2; shift 2 ;;
	--accel) [ $# -gt 1 ] || usage; accel=$2; shift 2 ;;
	--timeout) [ $# -gt 1 ] || usage; timeout=$2; shift 2 ;;
	--trim) trim=-trim; shift ;;
	--install) install=yes; shift ;;
	-*) usage ;;
	*) break ;;
	esac
done
if [ -n "$name" ]; then
	[ $# -eq 0 ] || usage
	vmlinux=$lab/kernels/$name.vmlinux
else
	[ $# -eq 1 ] || [ $# -eq 2 ] || usage
	vmlinux=$(realpath "$1")
	btf=${2:+$(realpath "$2")}
fi
[ -r "$vmlinux" ] || { echo "boot-check.sh: $vmlinux is missing" >&2; exit 2; }
command -v go >/dev/null || { echo "boot-check.sh: go is missing" >&2; exit 2; }
if ! command -v qemu-system-x86_64 >/dev/null; then
	if [ $install = no ]; then
		echo "boot-check.sh: qemu-system-x86_64 is missing: apt-get install qemu-system-x86, or --install" >&2
		exit 2
	fi
	{ apt-get -qq update && apt-get -qq install -y --no-install-recommends qemu-system-x86; } >&2 || exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
dir=$work
if [ -n "$keep" ]; then
	mkdir -p "$keep"
	dir=$(realpath "$keep")
fi
cd "$repo"
CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -ldflags='-s -w' -o "$work/guest" ./scripts/bootcheck/guest || exit 2
go build -o "$work/bootcheck" ./scripts/bootcheck || exit 2
if [ -n "$name" ]; then
	btf=$dir/new.btf
	go build -o "$work/btfbatch" ./cmd/btfbatch || exit 2
	# As in the build of these kernels: no Rust. 5.10 does not know kinds above 15, and its section is too small for all functions.
	# From 7 on, names are found by binary search.
	case $name in
	5.*) trim=-trim; set -- --lang-exclude=rust --btf-features=encode_force,var,consistent_func ;;
	6.*) set -- --lang-exclude=rust ;;
	*) set -- --lang-exclude=rust --sort-by-name ;;
	esac
	echo "encode: $name $*"
	"$work/btfbatch" encode --log-level error "$vmlinux" -o "$btf" "$@"
fi
"$work/bootcheck" -guest "$work/guest" -work "$dir" -accel "$accel" -timeout "$timeout" $trim "$vmlinux" ${btf:+"$btf"}
