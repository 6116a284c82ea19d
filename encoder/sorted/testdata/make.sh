#!/bin/sh
# Makes the fixtures of this folder anew with resolve_btfids of Linux 7.2, which sorts what pahole made: NAME.golden is what it
# makes of the BTF of that name in corpus/images or golden/dump/testdata.
#
# RESOLVE_BTFIDS leads to the program; Debian has it in the package linux-kbuild-7.2.*, in tools/bpf/resolve_btfids.
set -eu
cd "$(dirname "$0")"
: "${RESOLVE_BTFIDS:=resolve_btfids}"
images=../../../corpus/images kinds=../../../golden/dump/testdata
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT

# make NAME ELF BTF [BASE]: the ELF file is only looked at.
make() {
	cp "$2" "$scratch/$1"
	"$RESOLVE_BTFIDS" ${4:+--btf_base "$4"} --btf "$3" "$scratch/$1" 2>"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
	cp "$scratch/$1.BTF" "$1.golden"
	chmod 644 "$1.golden"
}

for arch in x86_64 i386 s390x; do
	x=$images/gcc12-$arch-dwarf5-based
	make "$arch-based" "$x.elf" "$x.btf.golden"
done
x=$images/gcc12-x86_64-dwarf5
make x86_64-driver "$x-driver.ko" "$x-driver.split.golden" "$x-based.btf.golden"
make x86_64-kinds "$x-weakpair.elf" $kinds/kinds-x86_64.btf
make s390x-kinds $images/gcc12-s390x-dwarf5-based.elf $kinds/kinds-s390x.btf
