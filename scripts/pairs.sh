#!/bin/sh
# Rebuilds the images of corpus/pairs: each source twice, as it was and as it became (-DNEW), by two compilers.
#
#   scripts/pairs.sh            write everything
#   scripts/pairs.sh --check    write nothing, print what would change; exit code 1 if anything would
#
# Needs Debian 12's tools: apt-get install gcc binutils clang-19
set -eu

repo=$(cd "$(dirname "$0")/.." && pwd)
pairs=$repo/corpus/pairs
check=no
case ${1-} in
--check) check=yes ;;
"") ;;
*) sed -n '2,5p' "$0" >&2; exit 2 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/out"
cp -r "$pairs/src" "$work/src"
cd "$work"
export LC_ALL=C SOURCE_DATE_EPOCH=0

flags="-O2 -std=gnu11 -gdwarf-5 -ffreestanding -fno-pie -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables
	-fno-unwind-tables -mcmodel=kernel -mno-red-zone -ffile-prefix-map=$work=/src -Wall"

# compile COMPILER SOURCE OBJECT FLAGS...
compile() {
	compiler=$1 source=$2 object=$3
	shift 3
	case $compiler in
	gcc12) gcc $flags -fno-toplevel-reorder -gno-record-gcc-switches "-frandom-seed=$source" "$@" -c "src/$source" -o "$object" ;;
	clang19) clang-19 --target=x86_64-linux-gnu $flags "$@" -c "src/$source" -o "$object" ;;
	esac
}

# image COMPILER NAME SIDE FLAGS...: links the objects of a pair. What no encoder reads is left out, because the images are committed.
image() {
	compiler=$1 name=$2 side=$3
	shift 3
	objects=a.o
	compile "$compiler" "$name.c" a.o "$@"
	if [ -e "src/${name}_b.c" ]; then
		compile "$compiler" "${name}_b.c" b.o "$@"
		objects="a.o b.o"
	fi
	ld -T src/pair.lds -N -e start --no-warn-rwx-segments --build-id=none $objects -o linked
	objcopy --remove-section=.debug_line --remove-section=.debug_aranges --remove-section=.debug_frame linked "out/$name/$compiler-$side.elf"
}

(cd src && ls *.c) | grep -v '_b\.c$' | sed 's/\.c$//' >names
while read -r name; do
	mkdir "out/$name"
	for compiler in gcc12 clang19; do
		image $compiler "$name" old
		image $compiler "$name" new -DNEW
	done
done <names

files() { (cd "$1" && find . -name '*.elf' | sort); }
if [ $check = yes ]; then
	rc=0
	{ files out; files "$pairs"; } | sort -u >list
	while read -r f; do
		cmp -s "out/$f" "$pairs/$f" || { echo "differs or is missing: corpus/pairs/$f"; rc=1; }
	done <list
	[ $rc = 0 ] && echo "corpus/pairs is up to date: $(wc -l <list) images"
	exit $rc
fi
files "$pairs" | while read -r f; do rm "$pairs/$f"; done
cp -r out/. "$pairs/"
