#!/bin/sh
# Makes the fixtures of this folder anew: NAME-ARCH.btf with pahole, the .golden files with bpftool.
# PATH must lead to gcc for both machines, pahole 1.32 and bpftool 7.8.
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
for arch in x86_64 i686 s390x; do
	for name in kinds layout; do
		"$arch-linux-gnu-gcc" -g -O1 -w -c -o "$scratch/$name.o" "$name.c"
		pahole -J --btf_features=default --btf_encode_detached="$name-$arch.btf" "$scratch/$name.o"
		chmod 644 "$name-$arch.btf"
	done
done
x86_64-linux-gnu-gcc -g -O1 -w -c -o "$scratch/layout.o" layout.c
pahole -J --btf_features=default --btf_base=kinds-x86_64.btf --btf_encode_detached=kinds-x86_64-split.btf "$scratch/layout.o"
chmod 644 kinds-x86_64-split.btf
for btf in *.btf; do
	name=${btf%.btf}
	base=
	case $name in *-split) base="-B ${name%-split}.btf" ;; esac
	bpftool $base btf dump file "$btf" format raw >"$name.golden"
	bpftool $base -j btf dump file "$btf" >"$name-json.golden"
	bpftool $base -p btf dump file "$btf" >"$name-pretty.golden"
	case $name in odd*) continue ;; esac # a quarter of a million lines of padding
	bpftool $base btf dump file "$btf" format c >"$name-c.golden"
	bpftool $base btf dump file "$btf" format c unsorted >"$name-unsorted.golden"
done
