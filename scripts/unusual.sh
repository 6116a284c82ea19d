#!/bin/sh
# Rebuilds the images of corpus/unusual: sources -> objects -> images -> goldens, if pahole writes any.
#
#   scripts/unusual.sh            write everything
#   scripts/unusual.sh --check    write nothing, print what would change; exit code 1 if anything would
#
# Needs Debian 12's tools: apt-get install gcc g++ binutils dwz rustc clang-19 lld-19 llvm-19 clang-22 lld-22
# and gcc 16's compiler proper, which Debian sid has in gcc-16-x86-64-linux-gnu: CC1_16 is the command that runs it,
# and pahole 1.32 and bpftool in $LAB/bin (LAB defaults to ../.lab beside the checkout). Goldens never come from btfbatch. One debug file
# is put into /usr/lib/debug temporarily, where pahole looks for it.
set -eu

repo=$(cd "$(dirname "$0")/.." && pwd)
images=$repo/corpus/unusual
lab=${LAB:-$repo/../.lab}
check=no
case ${1-} in
--check) check=yes ;;
"") ;;
*) sed -n '2,5p' "$0" >&2; exit 2 ;;
esac
for tool in pahole bpftool; do
	[ -x "$lab/bin/$tool" ] || { echo "unusual.sh: $lab/bin/$tool is missing" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/out" "$work/o"
cp -r "$images/src" "$work/src"
cd "$work"
export LC_ALL=C SOURCE_DATE_EPOCH=0

machine="-O2 -ffreestanding -fno-pie -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables -mcmodel=kernel -mno-red-zone
	-ffile-prefix-map=$work=/src -Wall"

# c NAME SOURCE FLAGS...: compiles o/NAME.o with gcc. -gsplit-dwarf also creates o/NAME.dwo.
c() {
	name=$1 source=$2
	shift 2
	gcc $machine -std=gnu11 -gno-record-gcc-switches "-frandom-seed=$name" "$@" -c "src/$source" -o "o/$name.o"
}

# clang NAME SOURCE FLAGS...
clang() {
	name=$1 source=$2
	shift 2
	clang-19 --target=x86_64-linux-gnu $machine -std=gnu11 "$@" -c "src/$source" -o "o/$name.o"
}

# link OUT OBJECT...: links with GNU ld. lld OUT OBJECT...: links with lld. Both accept flags among the objects.
link() {
	out=$1
	shift
	gcc -nostdlib -static -no-pie -Wl,-T,src/odd.lds,-N,-e,start,--no-warn-rwx-segments,--build-id=none "$@" -o "out/$out"
}
lld() {
	out=$1
	shift
	ld.lld-19 -T src/odd.lds -N --build-id=none -e start -z notext "$@" -o "out/$out"
}

for s in a b; do
	c $s $s.c -gdwarf-5
	c $s-types4 $s.c -gdwarf-4 -fdebug-types-section
	c $s-types5 $s.c -gdwarf-5 -fdebug-types-section
	c $s-split4 $s.c -gdwarf-4 -gsplit-dwarf
	c $s-split5 $s.c -gdwarf-5 -gsplit-dwarf
	c $s-splittypes4 $s.c -gdwarf-4 -gsplit-dwarf -fdebug-types-section
	c $s-splittypes5 $s.c -gdwarf-5 -gsplit-dwarf -fdebug-types-section
	clang $s-clang $s.c -gdwarf-5
	clang $s-package5 $s.c -gdwarf-5 -gsplit-dwarf
	clang $s-index $s.c -gdwarf-5 -ggnu-pubnames
	clang $s-lto $s.c -gdwarf-5 -flto
done
c note0 note.S -DLTO=0
c note1 note.S -DLTO=1
c start start.c -gdwarf-5

# The images that the others are compared with.
link plain.elf o/a.o o/b.o
lld clang.elf o/a-clang.o o/b-clang.o

# CUs that refer to each other, and the note.
lld lto.elf o/a-lto.o o/b-lto.o
lld lto-note0.elf o/note0.o o/a-lto.o o/b-lto.o
link note1.elf o/a.o o/b.o o/note1.o

# dwz: partial units in the image, or in a separate file.
dwz -o out/dwz.elf out/plain.elf
link dwz-note0.elf o/note0.o o/a.o o/b.o
dwz out/dwz-note0.elf
cp out/plain.elf out/dwz-multi.elf
cp out/plain.elf o/other.elf
(cd out && dwz -m dwz-multi.alt dwz-multi.elf ../o/other.elf)
cp out/plain.elf out/dwz-sup.elf
cp out/plain.elf o/other.elf
(cd out && dwz -5 -m dwz-sup.alt dwz-sup.elf ../o/other.elf)

# Type units.
link types4.elf o/a-types4.o o/b-types4.o
link types5.elf o/a-types5.o o/b-types5.o
c stub4 stub.c -gdwarf-4 -fdebug-types-section
c stub5 stub.c -gdwarf-5 -fdebug-types-section
c stub stub.c -gdwarf-5
link stub4.elf o/stub4.o
link stub5.elf o/stub5.o
link stub.elf o/stub.o

# Relocatable files: each type unit has a section in its own group, and ld -r keeps it that way.
c groups groups.c -gdwarf-5
c groups4 groups.c -gdwarf-4 -fdebug-types-section
c groups5 groups.c -gdwarf-5 -fdebug-types-section
c groups4-zlib groups.c -gdwarf-4 -fdebug-types-section -gz=zlib
for s in groups groups4 groups5 groups4-zlib; do cp o/$s.o out/$s.elf; done
ld -r o/a.o o/b.o -o out/partial.elf
ld -r o/a-types4.o o/b-types4.o -o out/partial4.elf
ld -r o/a-types5.o o/b-types5.o -o out/partial5.elf

# Objects that wait for link-time optimisation: no code, and sections with the debug information of types under other names.
c waiting groups.c -gdwarf-5 -flto
c waiting-zlib groups.c -gdwarf-4 -flto -gz=zlib
c waiting4 groups.c -gdwarf-4 -flto -fdebug-types-section
# Their intermediate code contains the compiler's options, and therefore the name of this folder.
for s in waiting waiting-zlib waiting4; do objcopy -w -R '.gnu.lto_*' o/$s.o out/$s.elf; done
objcopy --add-section .debug_gdb_scripts=src/groups.c out/waiting.elf out/waiting-hidden.elf
objcopy --add-section .gnu.debuglto_.debug_info=src/groups.c out/groups.elf out/waiting-fat.elf

# Split DWARF: .dwo files, or one .dwp file that contains them.
link split4.elf o/a-split4.o o/b-split4.o
link split5.elf o/a-split5.o o/b-split5.o
link splittypes4.elf o/a-splittypes4.o o/b-splittypes4.o
link splittypes5.elf o/a-splittypes5.o o/b-splittypes5.o
cp o/[ab]-split[45].dwo o/[ab]-splittypes[45].dwo out/
cp out/splittypes4.elf out/packagetypes4.elf
dwp o/a-splittypes4.dwo o/b-splittypes4.dwo -o out/packagetypes4.elf.dwp
cp out/split4.elf out/package4.elf
dwp o/a-split4.dwo o/b-split4.dwo -o out/package4.elf.dwp
lld package5.elf o/a-package5.o o/b-package5.o
llvm-dwp-19 o/a-package5.dwo o/b-package5.dwo -o out/package5.elf.dwp
lld gdbindex.elf --gdb-index o/a-index.o o/b-index.o

# Languages other than C.
g++ $machine -std=gnu++14 -gno-record-gcc-switches -frandom-seed=cxx -fno-exceptions -fno-rtti -gdwarf-5 -c src/cxx.cc -o o/cxx.o
link cxx.elf o/start.o o/cxx.o -Wl,--defsym,_ZTV4base=0
"${RUSTC:-/usr/bin/rustc}" --edition 2021 -g -C opt-level=2 -C panic=abort -C relocation-model=static -C code-model=kernel \
	-C codegen-units=1 "--remap-path-prefix=$work=/src" --emit=obj src/rust.rs -o o/rust.o 2>/dev/null
link rust.elf o/start.o o/rust.o -Wl,--gc-sections,-u,rust_area,-u,count
c atomic atomic.c -gdwarf-5
c atomic-plain atomic.c -gdwarf-5 -DPLAIN
c complex complex.c -gdwarf-5
link atomic.elf o/atomic.o
link atomic-plain.elf o/atomic-plain.o
link complex.elf o/complex.o

# Structs of headers are only declared.
c reduced reduced.c -gdwarf-5 -femit-struct-debug-baseonly -fno-var-tracking
link reduced.elf o/reduced.o

# Types and annotations that only newer compilers emit.
clang-22 --target=aarch64-linux-gnu -march=armv8.3-a -Xclang -fptrauth-intrinsics -Xclang -fptrauth-calls -O2 -ffreestanding \
	"-ffile-prefix-map=$work=/src" -std=gnu11 -gdwarf-5 -c src/ptrauth.c -o o/ptrauth.o
ld.lld-22 -T src/odd.lds -N --build-id=none -e start -z notext o/ptrauth.o -o out/ptrauth.elf
for s in bitint nullptr; do
	clang-22 --target=x86_64-linux-gnu $machine -std=gnu23 -gdwarf-5 -c "src/$s.c" -o "o/$s-clang.o"
done
link bitint.elf o/bitint-clang.o
ld.lld-22 -T src/odd.lds -N --build-id=none -e start -z notext o/nullptr-clang.o -o out/nullptr-clang.elf
for s in annot nullptr; do # by the compiler proper, which runs where the driver of another system would not
	${CC1_16:-cc1-16} -quiet -O2 -ffreestanding -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables "-ffile-prefix-map=$work=/src" \
		-gno-record-gcc-switches -frandom-seed=$s -std=gnu23 -gdwarf-5 "src/$s.c" -o "o/$s.s"
	as "o/$s.s" -o "o/$s.o"
	link $s.elf "o/$s.o"
done

# Names that kernels refuse, and empty units.
c dollar dollar.c -gdwarf-5
link dollar.elf o/dollar.o
c empty empty.S
link empty.elf o/a.o o/empty.o o/b.o

# ELF.
objcopy --compress-debug-sections=zlib-gnu out/plain.elf out/zdebug.elf
objcopy --compress-debug-sections=zlib out/plain.elf out/zlib.elf
objcopy --compress-debug-sections=zstd out/plain.elf out/zstd.elf
link emitrelocs.elf -Wl,--emit-relocs o/a.o o/b.o

# More sections than 16 bits can count. The file is compressed, because the sections are nearly empty.
seq 65300 | sed 's/.*/.section .fill,"a",%nobits,unique,&/' >src/sections.inc
clang sections sections.c -gdwarf-5 -Isrc
gzip -9nc o/sections.o >out/sections.o.gz

# Debug information in a separate file.
gcc -nostdlib -static -no-pie -Wl,-T,src/odd.lds,-N,-e,start,--no-warn-rwx-segments,--build-id=0x0123456789abcdef o/a.o o/b.o -o o/id.elf
mkdir -p out/.build-id/01 out/.debug
objcopy --only-keep-debug o/id.elf out/.build-id/01/23456789abcdef.debug
objcopy --strip-debug o/id.elf out/buildid.elf
objcopy --only-keep-debug out/plain.elf out/.debug/debuglink.debug
(cd out/.debug && objcopy --strip-debug --add-gnu-debuglink=debuglink.debug ../plain.elf ../debuglink.elf)
(cd out/.debug && objcopy --strip-all --add-gnu-debuglink=debuglink.debug ../plain.elf ../nosymtab.elf)

# kfuncs as the kernel's build leaves them: with the ids of the image's own .BTF, sorted by id.
c kfuncs kfuncs.c -gdwarf-5
c linked kfuncs_ids.S -DFINISHED=0 -DBETA=0
link kfuncs-linked.elf o/kfuncs.o o/linked.o
"$lab/bin/pahole" -J --btf_features=default --btf_encode_detached=o/kfuncs.btf out/kfuncs-linked.elf
id() { "$lab/bin/bpftool" btf dump file o/kfuncs.btf format raw | sed -n "s/^\[\([0-9]*\)\] FUNC '$1' .*/\1/p"; }
c finished kfuncs_ids.S -DFINISHED=1 "-DALPHA=$(id alpha)" "-DBETA=$(id beta)" "-DGAMMA=$(id gamma_ray)"
link kfuncs.elf o/kfuncs.o o/finished.o
objcopy --add-section .BTF=o/kfuncs.btf out/kfuncs.elf

# A program with program headers that has BTF. When pahole replaces the BTF in place, it writes a new file layout.
c program program.c -gdwarf-5
gcc -nostdlib -static -no-pie -Wl,-e,start,--build-id=none o/program.o -o out/program.elf
"$lab/bin/pahole" -J --btf_features=default --btf_encode_detached=o/program.btf out/program.elf
objcopy --add-section .BTF=o/program.btf out/program.elf
cp out/program.elf out/program.inplace.golden
"$lab/bin/pahole" -J --btf_features=default out/program.inplace.golden

# golden NAME IMAGE ARGUMENTS...: keeps pahole's output, if any, and otherwise prints its last message.
golden() {
	name=$1 image=$2
	shift 2
	rm -f x.btf
	"$lab/bin/pahole" -J --btf_features=default "--btf_encode_detached=x.btf" "$@" "out/$image" >x.log 2>&1 && code=0 || code=$?
	if [ -s x.btf ]; then mv x.btf "out/$name.btf.golden"; else echo "$name: nothing (exit $code) $(tail -n 1 x.log)"; fi
}
mkdir -p /usr/lib/debug/.build-id/01
cp out/.build-id/01/23456789abcdef.debug /usr/lib/debug/.build-id/01/
(cd out && ls *.elf) >names
while read -r image; do golden "${image%%.*}" "$image"; done <names
rm -r /usr/lib/debug/.build-id/01
golden sections ../o/sections.o
# Only the C units.
golden cxx-without cxx.elf --lang_exclude=c++14
golden rust-without rust.elf --lang_exclude=rust

files() { (cd "$1" && find . -type f ! -path './src/*' ! -name '*.go' ! -name README.md | sort); }
# dwz -5 uses a new random checksum each time.
if [ $check = yes ]; then
	rc=0
	{ files out; files "$images"; } | grep -v dwz-sup | sort -u >names
	while read -r f; do
		cmp -s "out/$f" "$images/$f" || { echo "differs or is missing: corpus/unusual/$f"; rc=1; }
	done <names
	[ $rc = 0 ] && echo "corpus/unusual is up to date: $(wc -l <names) files"
	exit $rc
fi
files "$images" | while read -r f; do rm -f "$images/$f"; done
cp -r out/. "$images/"
