#!/usr/bin/env bash
# Compares btfbatch with pahole, bpftool and cp on a real kernel in paired runs, and prints a table of medians.
#
#   scripts/bench.sh [--quick] [-n PAIRS] [-j WORKERS] [-p PAHOLE] [-b BTFBATCH] [-t BPFTOOL] [-d OTHER_VMLINUX] [-m IMAGES]
#                    [-k MODULES] [--max-cpu R] [--max-mem R] VMLINUX
#
#   -n PAIRS     pairs of each row (default 7)
#   -j WORKERS   workers of btfbatch and pahole in the rows of one kernel (default 2)
#   -t BPFTOOL   also compare dumps
#   -d OTHER     also measure a comparison of the BTF of two kernels
#   -m IMAGES    images of one batch (default 20; 0 leaves the row out)
#   -k MODULES   also encode modules (*.ko with DWARF) of a folder in one process each, and all of them in one batch; valgrind counts the
#                instructions of the smallest call, if it is installed
#   --quick      for CI: 3 pairs, a batch of 4 images, and only the rows of programs that are installed
#   --max-cpu R, --max-mem R   exit code 1 if the median ratio to pahole is larger
#
# Each pair runs both programs one after the other: whole processes, warm page cache, output to files. Ratios are computed for each pair, so
# they are valid even if the speed of the machine drifts. The outputs of both programs must be equal. Needs GNU time (/usr/bin/time).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pairs=7 workers=2 pahole=pahole btfbatch='' max_cpu='' max_mem='' bpftool='' other='' images=20 modules=''
while [ $# -gt 1 ]; do
  case $1 in
    -n) pairs=$2; shift 2 ;;
    -j) workers=$2; shift 2 ;;
    -p) pahole=$2; shift 2 ;;
    -b) btfbatch=$2; shift 2 ;;
    -t) bpftool=$2; shift 2 ;;
    -d) other=$2; shift 2 ;;
    -m) images=$2; shift 2 ;;
    -k) modules=$2; shift 2 ;;
    --quick) pairs=3 images=4; shift ;;
    --max-cpu) max_cpu=$2; shift 2 ;;
    --max-mem) max_mem=$2; shift 2 ;;
    *) sed -n '2,18s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
image=${1:?a vmlinux with DWARF is missing}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
if [ -z "$btfbatch" ]; then
  CGO_ENABLED=0 go build -o "$tmp/btfbatch" ./cmd/btfbatch
  btfbatch=$tmp/btfbatch
fi
[ -x /usr/bin/time ] || { echo "bench: /usr/bin/time is missing (package time)" >&2; exit 2; }
load() { cut -d' ' -f1 /proc/loadavg; }
before=$(load)

# measure NAME COMMAND...: appends "cpu wall kilobytes system" to $tmp/NAME. Exit code 3 is accepted: diff returns it for a difference. The
# shell measures times, because GNU time rounds them to hundredths of a second.
measure() {
  local name=$1 code=0 TIMEFORMAT='%3U %3S %3R'; shift
  { time /usr/bin/time -q -o "$tmp/memory" -f %M "$@" > "$tmp/log" 2>&1 || code=$?; } 2> "$tmp/time"
  [ $code = 0 ] || [ $code = 3 ] || { cat "$tmp/log" >&2; exit 1; }
  echo "$(tail -1 "$tmp/time") $(tail -1 "$tmp/memory")" | awk '{ print $1 + $2, $3, $4, $2 }' >> "$tmp/$name"
}
encode() { # NAME WORKERS [FLAG...]
  local name=$1 n=$2; shift 2
  measure "$name" "$btfbatch" encode --profile pahole --lang-exclude rust -j "$n" "$image" -o "$tmp/ours.btf" "$@"
}
peer() {
  measure peer "$pahole" -J "-j$workers" --btf_features=default --lang_exclude=rust --btf_encode_detached="$tmp/peer.btf" "$image"
}
# paired A B...: runs the functions one after the other, again and again, after one run of each that is not counted.
paired() {
  local f
  for f in "$@"; do "$f"; rm -f "$tmp/$f"; done
  for _ in $(seq "$pairs"); do for f in "$@"; do "$f"; done; done
}
ours() { encode ours "$workers"; }
one() { encode one 1; }
two() { encode two 2; }
both() { # two unrelated processes, one worker each
  local TIMEFORMAT='%3R' i
  { time { for i in 1 2; do
    "$btfbatch" encode --profile pahole --lang-exclude rust -j 1 "$image" -o "$tmp/both-$i.btf" > /dev/null 2>&1 &
  done; wait; }; } 2> "$tmp/time"
  echo "0 $(tail -1 "$tmp/time") 0 0" >> "$tmp/both"
}

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
column() { awk -v c="$2" -v d="$3" '{ print $c / d }' "$tmp/$1" | median; } # NAME COLUMN DIVISOR: its median
head_row() { printf '\n%-30s %10s %10s %8s   %s\n' "$1" "$2" "$3" ratio 'min - max of the pairs'; }
failed=0
row() { # A B TITLE COLUMN UNIT DIVISOR [LIMIT]
  local r text
  paste "$tmp/$1" "$tmp/$2" | awk -v c="$4" '$(c + 4) > 0 { print $c / $(c + 4) }' > "$tmp/ratios"
  r=$(median < "$tmp/ratios")
  text=$(sort -g "$tmp/ratios" | awk -v r="$r" 'function t(x) { return x > 0 && x < 0.67 ? sprintf("1/%.1f", 1 / x) : sprintf("%.2f", x) }
    NR == 1 { lo = $1 } { hi = $1 } END { printf "%8s   %s - %s", t(r), t(lo), t(hi) }')
  printf '%-30s %9.*f%s %9.*f%s %s\n' "$3" 3 "$(column "$1" "$4" "$6")" "$5" 3 "$(column "$2" "$4" "$6")" "$5" "$text"
  if [ -n "${7:-}" ] && awk -v r="$r" -v m="$7" 'BEGIN { exit !(r > m) }'; then
    echo "bench: $3: the ratio $r is larger than $7" >&2
    failed=1
  fi
}

paired ours peer
cmp "$tmp/ours.btf" "$tmp/peer.btf" || { echo "bench: the outputs differ" >&2; exit 1; }
echo "$(basename "$image"), $workers workers, $pairs pairs, $("$pahole" --version), medians"
head_row 'one kernel' btfbatch pahole
row ours peer 'CPU' 1 s 1 "$max_cpu"
row ours peer 'wall' 2 s 1
row ours peer 'peak memory' 3 M 1024 "$max_mem"
"$btfbatch" encode --profile pahole --lang-exclude rust -j "$workers" "$image" -o "$tmp/ours.btf" --timings --log-format json 2> "$tmp/log"
printf '%-30s %10s\n' 'heap allocations' "$(sed -n 's/.*"pass":"total".*"allocs":\([0-9]*\).*/\1/p' "$tmp/log")"

if [ "$(nproc)" -gt 1 ]; then
  head_row 'workers' '2' '1'
  paired one two both
  row two one 'wall' 2 s 1
  row two one 'CPU' 1 s 1
  printf '%-30s %9.1f %%   of the throughput of two unrelated processes\n' '1 to 2 workers' \
    "$(paste "$tmp/both" "$tmp/two" | awk '{ print 100 * $2 / (2 * $6) }' | median)"
  (while :; do :; done) & # the busy neighbour
  neighbour=$!
  trap 'kill $neighbour || true; rm -rf "$tmp"' EXIT
  rm "$tmp/one" "$tmp/two"
  paired one two
  kill "$neighbour"
  wait "$neighbour" 2> /dev/null || true
  trap 'rm -rf "$tmp"' EXIT
  row two one 'CPU, beside a busy neighbour' 1 s 1
fi

plain() { encode plain "$workers"; }
stats() { measure stats "$btfbatch" stats --profile pahole --lang-exclude rust -j "$workers" "$image"; }
explain() { measure explain "$btfbatch" explain --lang-exclude rust -j "$workers" "$image" "$symbol"; }
embed() { measure embed "$btfbatch" embed "$image" --btf "$tmp/peer.btf" -o "$tmp/embedded"; }
# embed waits until its output is on the disk, which costs the process system time. So must the copy.
copy() { measure copy sh -c 'cp "$1" "$2" && sync "$2"' cp "$image" "$tmp/copied"; }
rust() { measure rust "$btfbatch" encode --profile pahole -j "$workers" "$image" -o "$tmp/rust.btf"; }
symbol=$("$btfbatch" dump "$tmp/peer.btf" | awk -F"'" '/^\[[0-9]+\] FUNC / && !name { name = $2 } END { print name }')
head_row 'other commands' '' encode
paired plain stats explain
row stats plain 'stats, CPU' 1 s 1
row explain plain 'explain, CPU' 1 s 1
if "$btfbatch" encode --profile pahole -j "$workers" "$image" -o "$tmp/rust.btf" > /dev/null 2>&1 && ! cmp -s "$tmp/rust.btf" "$tmp/peer.btf"; then
  paired plain rust
  row rust plain 'with Rust units, CPU' 1 s 1
  row rust plain 'with Rust units, memory' 3 M 1024
fi
head_row '' btfbatch cp
paired embed copy
row embed copy 'embed, system time' 4 s 1

our_dump() { measure our_dump "$btfbatch" dump --format "$format" "$tmp/peer.btf"; }
peer_dump() {
  case $format in
    json) measure peer_dump "$bpftool" -j btf dump file "$tmp/peer.btf" ;;
    *) measure peer_dump "$bpftool" btf dump file "$tmp/peer.btf" format "$format" ;;
  esac
}
if [ -n "$bpftool" ]; then
  head_row '' btfbatch bpftool
  for format in raw c json; do
    paired our_dump peer_dump
    row our_dump peer_dump "dump, $format, CPU" 1 s 1
  done
fi
if [ -n "$other" ]; then
  "$btfbatch" encode --profile pahole --lang-exclude rust "$other" -o "$tmp/other.btf" > /dev/null 2>&1
  for _ in $(seq "$pairs"); do measure diff "$btfbatch" diff "$tmp/other.btf" "$tmp/peer.btf"; done
  printf '\n%-30s %9.3fs\n' 'diff, wall' "$(column diff 2 1)"
fi

# batch NAME N: encodes a manifest that lists this image N times
batch() {
  printf 'version: 1\ndefaults:\n  profile: pahole\n  lang_exclude: [rust]\nmatrix:\n  n: [%s]\nimages:\n  - name: image-${{ matrix.n }}\n    path: %s\n    outputs:\n      btf: %s/batch-${{ matrix.n }}.btf\n' \
    "$(seq -s, "$2")" "$(realpath "$image")" "$tmp" > "$tmp/batch.yaml"
  measure "$1" "$btfbatch" run --no-cache -j "$workers" "$tmp/batch.yaml"
}
single() { batch single 1; }
many() { batch many "$images"; }
alone() { # the same images one after the other, in a process each
  local i
  for i in $(seq "$images"); do encode part 1; done
  awk '{ cpu += $1; wall += $2; if ($3 > kb) kb = $3; sys += $4 } END { print cpu, wall, kb, sys }' "$tmp/part" >> "$tmp/alone"
  rm "$tmp/part"
}
if [ "$images" -gt 0 ]; then
  head_row "batch of $images images" "$workers workers" '1 by 1'
  for _ in $(seq $(((pairs + 1) / 2))); do single; many; alone; done
  row many alone 'CPU' 1 s 1
  row many alone 'wall' 2 s 1
  row many single 'memory, against one image' 3 M 1024
  printf '%-30s %9.2fx\n' 'throughput' "$(paste "$tmp/many" "$tmp/alone" | awk '{ print $6 / $2 }' | median)"
fi
if [ -n "$modules" ]; then
  find "$(realpath "$modules")" -name '*.ko' -size +0 | sort > "$tmp/modules"
  mkdir "$tmp/out" "$tmp/bin"
  ln -s "$(realpath "$btfbatch")" "$tmp/bin/pahole"
  call() { # PROGRAM OUT MODULE
    "$1" -J --btf_base="$tmp/peer.btf" --btf_features=default --lang_exclude=rust --btf_encode_detached="$tmp/out/$2" "$3" > "$tmp/log" 2>&1 ||
      { cat "$tmp/log" >&2; exit 1; }
  }
  # calls NAME PROGRAM: appends what the calls for the modules in the array list take together, each $times times
  calls() {
    local m TIMEFORMAT='%3U %3S %3R'
    { time for _ in $(seq "$times"); do for m in "${list[@]}"; do call "$2" "$1" "$m"; done; done; } 2> "$tmp/time"
    awk '{ print $1 + $2, $3, 0, $2 }' "$tmp/time" >> "$tmp/$1"
  }
  our_calls() { calls our_calls "$tmp/bin/pahole"; }
  peer_calls() { calls peer_calls "$pahole"; }
  modules_row() { # TITLE TIMES MODULE...
    title=$1 times=$2
    shift 2
    list=("$@")
    paired our_calls peer_calls
    row our_calls peer_calls "$title, CPU" 1 ms "$(awk -v n=$((times * ${#list[@]})) 'BEGIN { print n / 1000 }')"
  }
  start() { # NAME PROGRAM
    local TIMEFORMAT='%3U %3S %3R'
    { time for _ in $(seq 50); do "$2" --version > /dev/null; done; } 2> "$tmp/time"
    awk '{ print $1 + $2, $3, 0, $2 }' "$tmp/time" >> "$tmp/$1"
  }
  our_start() { start our_start "$tmp/bin/pahole"; }
  peer_start() { start peer_start "$pahole"; }
  head_row 'calls with a base, a call' btfbatch pahole
  mapfile -t some < <(awk -v n="$(wc -l < "$tmp/modules")" 'NR % (int(n / 100) + 1) == 0 || n < 100' "$tmp/modules")
  for m in "${some[@]}"; do
    call "$tmp/bin/pahole" ours.btf "$m"
    call "$pahole" theirs.btf "$m"
    cmp -s "$tmp/out/ours.btf" "$tmp/out/theirs.btf" || { echo "bench: $m: the outputs differ" >&2; failed=1; }
  done
  modules_row "${#some[@]} modules" 1 "${some[@]}"
  smallest=$(xargs -d '\n' ls -LSr < "$tmp/modules" | sed -n 1p)
  modules_row "smallest" 10 "$smallest"
  { for name in cifs nfs btrfs xfs mlx5_core amdgpu; do grep "/$name\.ko\$" "$tmp/modules" || true; done
    xargs -d '\n' ls -LS < "$tmp/modules" | sed -n 1,2p; } | awk '!seen[$0]++' > "$tmp/large"
  while read -r m; do modules_row "$(basename "$m" .ko)" 1 "$m"; done < "$tmp/large"
  paired our_start peer_start
  row our_start peer_start '--version, CPU' 1 ms 0.05
  if [ -x "$(command -v valgrind)" ]; then
    GODEBUG=cpu.rdtscp=off,asyncpreemptoff=1 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$tmp/bin/pahole" -J --btf_base="$tmp/peer.btf" \
      --btf_features=default --lang_exclude=rust --btf_encode_detached="$tmp/out/ours.btf" "$smallest" 2>&1 |
      awk '/Collected/ { printf "%-30s %9.1f million\n", "smallest, user instructions", $NF / 1e6 }'
  fi

  head_row 'modules' 'one batch' '1 by 1'
  {
    printf 'version: 1\ndefaults:\n  profile: pahole\nimages:\n  - name: kernel\n    path: %s\n    lang_exclude: [rust]\n    outputs:\n      btf: %s/out/kernel.btf\n' \
      "$(realpath "$image")" "$tmp"
    n=0
    while read -r ko; do
      n=$((n + 1))
      printf '  - name: m%d\n    path: %s\n    base: kernel\n    outputs:\n      btf: %s/out/m%d.btf\n' "$n" "$ko" "$tmp" "$n"
    done < "$tmp/modules"
  } > "$tmp/modules.yaml"
  all_modules() { measure all_modules "$btfbatch" run --no-cache -j "$workers" "$tmp/modules.yaml"; }
  all_modules
  n=0
  while read -r ko; do
    n=$((n + 1))
    measure peer_module "$pahole" -J --btf_features=default --btf_base="$tmp/peer.btf" --btf_encode_detached="$tmp/module.btf" "$ko"
    cmp -s "$tmp/module.btf" "$tmp/out/m$n.btf" || { echo "bench: $ko: the outputs differ" >&2; failed=1; }
  done < "$tmp/modules"
  all_modules
  { cat "$tmp/peer_module"; tail -1 "$tmp/peer"; } | awk '{ cpu += $1; wall += $2; if ($3 > kb) kb = $3; sys += $4 } END { for (i = 0; i < 2; i++) print cpu, wall, kb, sys }' > "$tmp/peer_modules"
  row all_modules peer_modules "kernel and $n modules, CPU" 1 s 1
  row all_modules peer_modules 'wall' 2 s 1
fi
awk -v a="$before" -v b="$(load)" -v n="$(nproc)" 'BEGIN {
  printf "\nload %s before and %s after, on %d processors: %s\n", a, b, n, a < 0.5 ? "quiet" : "busy" }'
exit $failed
