#!/bin/sh
# Rebuilds the images of corpus/images: sources -> objects -> images -> goldens.
#
#   scripts/corpus.sh            write everything
#   scripts/corpus.sh --check    write nothing, print what would change; exit code 1 if anything would
#
# Needs Debian 12's compilers:
#   apt-get install clang-19 lld-19 gcc gcc-i686-linux-gnu gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf \
#       gcc-s390x-linux-gnu gcc-powerpc64le-linux-gnu gcc-powerpc64-linux-gnu gcc-riscv64-linux-gnu \
#       gcc-mips64el-linux-gnuabi64 gcc-mips64-linux-gnuabi64 gcc-mips-linux-gnu gcc-mipsel-linux-gnu gcc-powerpc-linux-gnu \
#       gcc-m68k-linux-gnu gcc-sparc64-linux-gnu gcc-alpha-linux-gnu gcc-hppa-linux-gnu gcc-hppa64-linux-gnu \
#       gcc-sh4-linux-gnu gcc-arc-linux-gnu
# and pahole 1.32 and bpftool 7.8 in $LAB/bin (LAB defaults to ../.lab beside the checkout). The goldens come from
# these two programs, never from btfbatch.
set -eu

repo=$(cd "$(dirname "$0")/.." && pwd)
images=$repo/corpus/images
lab=${LAB:-$repo/../.lab}
check=no
case ${1-} in
--check) check=yes ;;
"") ;;
*) sed -n '2,5p' "$0" >&2; exit 2 ;;
esac
for tool in pahole bpftool; do
	[ -x "$lab/bin/$tool" ] || { echo "corpus.sh: $lab/bin/$tool is missing" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/out"
cp -r "$images/src" "$work/src"
cd "$work"
export LC_ALL=C SOURCE_DATE_EPOCH=0

common="-O2 -std=gnu11 -ffreestanding -fno-pie -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables
	-fno-unwind-tables -fno-common -Wall -Wno-unused -Wno-deprecated-non-prototype"

# target ARCH: the triplet, base address and code model of an architecture.
target() {
	flags= cflags=
	case $1 in
	x86_64) triplet=x86_64-linux-gnu base=0xffffffff81000000 flags="-mcmodel=kernel -mno-red-zone" ;;
	i386) triplet=i686-linux-gnu base=0xc1000000 ;;
	arm64) triplet=aarch64-linux-gnu base=0xffff800080000000 ;;
	arm) triplet=arm-linux-gnueabihf base=0xc0100000 ;;
	s390x) triplet=s390x-linux-gnu base=0x100000 ;;
	ppc64le) triplet=powerpc64le-linux-gnu base=0xc000000000000000 ;;
	ppc64) triplet=powerpc64-linux-gnu base=0xc000000000000000 ;;
	riscv64) triplet=riscv64-linux-gnu base=0xffffffff80000000 flags="-mcmodel=medany" ;;
	loongarch64) triplet=loongarch64-linux-gnu base=0x9000000000200000 flags="-mcmodel=medium -Xclang -target-feature -Xclang +relax" ;; # by clang alone
	mips64el) triplet=mips64el-linux-gnuabi64 base=0xffffffff80100000 flags="-mno-abicalls -G0" ;;
	mips64) triplet=mips64-linux-gnuabi64 base=0xffffffff80100000 flags="-mno-abicalls -G0" ;;
	mipsel | mips) triplet=$1-linux-gnu base=0x80100000 flags="-mno-abicalls -G0" ;;
	ppc) triplet=powerpc-linux-gnu base=0xc0000000 ;;
	m68k | sparc64 | alpha | hppa | hppa64 | sh4 | arc) triplet=$1-linux-gnu base=0x100000 ;;
	*) echo "corpus.sh: no target $1" >&2; exit 2 ;;
	esac
}

# compile COMPILER ARCH DWARF "EXTRA FLAGS" SOURCE...: objects into $work/o, names left in $objects.
compile() {
	compiler=$1 dwarf=$3 extra=$4
	target "$2"
	shift 4
	case $compiler in
	gcc12) cc="$triplet-gcc -gno-record-gcc-switches -Wno-pragmas" ;;
	clang19) cc="clang-19 --target=$triplet" ;;
	esac
	rm -rf o && mkdir o
	objects=
	for s; do
		o=o/${s%.*}.o
		$cc $common $flags $extra "-gdwarf-$dwarf" "-ffile-prefix-map=$work=/src" "-frandom-seed=$s" -c "src/$s" -o "$o"
		objects="$objects $o"
	done
}

# link OUT "LINKER FLAGS" "SCRIPT DEFINES": links $objects.
link() {
	$cc -E -P -x assembler-with-cpp $3 "-DTEXT_BASE=$base" src/vmlinux.lds.S -o o/vmlinux.lds
	case $compiler in
	gcc12) "$triplet-gcc" -nostdlib -static -no-pie -Wl,-T,o/vmlinux.lds,-N,--build-id=none,-e,start_kernel,--no-warn-rwx-segments \
		$2 $objects -o "out/$1" ;;
	clang19) ld.lld-19 -T o/vmlinux.lds -N --build-id=none -e start_kernel -z notext $2 $objects -o "out/$1" ;;
	esac
}

kernel="entry.S main.c sched.c fs.c lib.c"

# image COMPILER ARCH DWARF LAYOUT: one full image. On x86-64, fixed_percpu_data comes first, as in its kernels.
image() {
	layout=
	[ "$4" = zerobased ] && layout=-DZERO_BASED
	first=
	[ "$2" = x86_64 ] && first=-DFIXED_FIRST
	compile "$1" "$2" "$3" "$first" $kernel
	link "$1-$2-dwarf$3-$4.elf" "" "$layout"
}

image gcc12 x86_64 5 zerobased
image gcc12 x86_64 4 zerobased
image gcc12 x86_64 5 based
image clang19 x86_64 5 zerobased
image clang19 x86_64 4 based
image gcc12 i386 5 based
image gcc12 arm64 5 based
image clang19 arm64 5 based
image gcc12 arm 5 based
image gcc12 s390x 5 based
image clang19 s390x 4 based
image gcc12 ppc64le 5 based
image clang19 ppc64le 5 based
image gcc12 ppc64 5 based
image gcc12 riscv64 5 based
image clang19 riscv64 4 based
image gcc12 mips64el 5 based
image gcc12 mips64 4 based
image clang19 loongarch64 5 based

# Linked with --emit-relocs: the relocations are kept although they are already applied.
compile gcc12 i386 4 "" $kernel
link gcc12-i386-dwarf4-emitrelocs.elf -Wl,--emit-relocs ""

# The 64-bit format of DWARF.
compile gcc12 x86_64 5 -gdwarf64 $kernel
link gcc12-x86_64-dwarf5-dwarf64.elf "" -DZERO_BASED

# Link-time optimisation: CUs refer to each other, and the note says so.
compile clang19 x86_64 5 "-flto -DLTO -DFIXED_FIRST" $kernel
link clang19-x86_64-dwarf5-lto.elf "" -DZERO_BASED

for how in zlib zstd; do
	objcopy --compress-debug-sections=$how out/gcc12-x86_64-dwarf5-zerobased.elf out/gcc12-x86_64-dwarf5-$how.elf
done

compile gcc12 arm64 5 "" vectors.c
link gcc12-arm64-dwarf5-vectors.elf "" ""
compile gcc12 x86_64 5 "" weak_a.c weak_b.c
link gcc12-x86_64-dwarf5-weakpair.elf "" -DZERO_BASED
compile gcc12 x86_64 5 -Wno-packed-bitfield-compat differ_a.c differ_b.c
link gcc12-x86_64-dwarf5-differing.elf "" ""

# Relocatable files for every machine.
for arch in x86_64 i386 arm64 arm s390x ppc64le ppc64 riscv64 mips64el mips64 mipsel mips ppc m68k sparc64 alpha hppa hppa64 sh4 arc; do
	compile gcc12 $arch 5 -DMODULE module.c
	"$triplet-ld" -r $objects -o out/gcc12-$arch-dwarf5-module.ko
done
for arch in riscv64 loongarch64; do
	compile clang19 $arch 5 -DMODULE module.c
	ld.lld-19 -r $objects -o out/clang19-$arch-dwarf5-module.ko
done

for arch in mips m68k sparc64; do
	compile gcc12 $arch 5 "" threads.c
	"$triplet-ld" -r $objects -o out/gcc12-$arch-dwarf5-threads.ko
done
for arch in mips mipsel; do # .rel.pdr has an entry past the end of .pdr
	compile gcc12 $arch 5 "" twice_a.c twice_b.c
	"$triplet-ld" -r $objects -o out/gcc12-$arch-dwarf5-twice.ko
done

for arch in x86_64 i386 s390x; do # a module to be encoded over the BTF of the image of its architecture
	compile gcc12 $arch 5 -DMODULE driver.c
	"$triplet-ld" -r $objects -o out/gcc12-$arch-dwarf5-driver.ko
done

for f in out/*.elf out/*.ko; do
	x=${f%.*}
	"$lab/bin/pahole" -J --btf_features=default --lang_exclude=rust "--btf_encode_detached=$x.btf.golden" "$f"
	[ -s "$x.btf.golden" ] || { echo "corpus.sh: pahole wrote nothing for $f" >&2; exit 1; }
	"$lab/bin/bpftool" btf dump file "$x.btf.golden" format raw >"$x.raw.golden"
done

# Split BTF, the same against a distilled base (which pahole writes only into the module), and relocated.
for arch in x86_64 i386 s390x; do
	target $arch
	x=out/gcc12-$arch-dwarf5-driver base=out/gcc12-$arch-dwarf5-based.btf.golden
	"$lab/bin/pahole" -J --btf_features=default --lang_exclude=rust "--btf_base=$base" "--btf_encode_detached=$x.split.golden" "$x.ko"
	cp "$x.ko" o/driver.ko
	LLVM_OBJCOPY=$triplet-objcopy "$lab/bin/pahole" -J --btf_features=default,distilled_base --lang_exclude=rust "--btf_base=$base" o/driver.ko
	"$triplet-objcopy" --dump-section ".BTF=$x.distilled.golden" --dump-section ".BTF.base=$x.base.golden" o/driver.ko o/copy.ko
	"$lab/bin/bpftool" -B "$base" btf dump file o/driver.ko format raw >"$x.relocated.golden"
done

if [ $check = yes ]; then
	rc=0
	for f in $(cd out && ls; cd "$images" && ls *.elf *.ko *.golden); do echo "$f"; done | sort -u >names
	while read -r f; do
		if [ ! -e "out/$f" ]; then echo "not created by this script: corpus/images/$f"; rc=1
		elif [ ! -e "$images/$f" ]; then echo "missing: corpus/images/$f"; rc=1
		elif ! cmp -s "out/$f" "$images/$f"; then echo "differs: corpus/images/$f"; rc=1
		fi
	done <names
	[ $rc = 0 ] && echo "corpus/images is up to date: $(wc -l <names) files"
	exit $rc
fi
rm -f "$images"/*.elf "$images"/*.ko "$images"/*.golden
cp out/* "$images/"
