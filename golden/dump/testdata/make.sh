#!/bin/sh
# Makes the fixtures of this folder anew: kinds-ARCH.btf with pahole, the .golden files with bpftool.
# PATH must lead to gcc for both machines, pahole 1.32 and bpftool 7.8.
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
for arch in x86_64 s390x; do
	"$arch-linux-gnu-gcc" -g -O1 -c -o "$scratch/kinds.o" kinds.c
	pahole -J --btf_features=default --btf_encode_detached="kinds-$arch.btf" "$scratch/kinds.o"
	chmod 644 "kinds-$arch.btf"
done
for btf in *.btf; do
	name=${btf%.btf}
	base=
	case $name in *-split) base="-B ${name%-split}.btf" ;; esac
	bpftool $base btf dump file "$btf" format raw >"$name.golden"
	bpftool $base -j btf dump file "$btf" >"$name-json.golden"
	bpftool $base -p btf dump file "$btf" >"$name-pretty.golden"
done
