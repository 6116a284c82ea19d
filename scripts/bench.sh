#!/usr/bin/env bash
# Compares btfbatch with pahole on a real kernel in paired runs, and prints a table of medians.
#
#   scripts/bench.sh [-n PAIRS] [-j WORKERS] [-p PAHOLE] [-b BTFBATCH] [--max-cpu R] [--max-mem R]
#                    [-t BPFTOOL] [-d OTHER_VMLINUX] [-m IMAGES] VMLINUX
#
# Each pair runs both programs one after the other: whole processes, warm page cache, detached output. Ratios are computed
# for each pair, so they are valid even if the speed of the machine drifts. With --max-cpu or --max-mem, the exit code is 1 if the
# median ratio is larger. Both outputs must be equal. Further rows: -t compares dumps with bpftool, -d measures a comparison of the
# BTF of two kernels, -m compares a batch of that many images in one process with one image. Needs GNU time (/usr/bin/time).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pairs=7 workers=2 pahole=pahole btfbatch='' max_cpu='' max_mem='' bpftool='' other='' images=''
while [ $# -gt 1 ]; do
  case $1 in
    -n) pairs=$2; shift 2 ;;
    -j) workers=$2; shift 2 ;;
    -p) pahole=$2; shift 2 ;;
    -b) btfbatch=$2; shift 2 ;;
    -t) bpftool=$2; shift 2 ;;
    -d) other=$2; shift 2 ;;
    -m) images=$2; shift 2 ;;
    --max-cpu) max_cpu=$2; shift 2 ;;
    --max-mem) max_mem=$2; shift 2 ;;
    *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
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

# measure NAME COMMAND...: appends "cpu wall kilobytes" to $tmp/NAME. Exit code 3 is accepted: diff returns it for a difference.
measure() {
  local name=$1 code=0; shift
  /usr/bin/time -q -o "$tmp/time" -f '%U %S %e %M' "$@" > "$tmp/log" 2>&1 || code=$?
  [ $code = 0 ] || [ $code = 3 ] || { cat "$tmp/log" >&2; exit 1; }
  awk 'END { print $1 + $2, $3, $4 }' "$tmp/time" >> "$tmp/$name"
}
encode() { # NAME WORKERS [FLAG...]
  local name=$1 n=$2; shift 2
  measure "$name" "$btfbatch" encode --profile pahole --lang-exclude rust -j "$n" "$image" -o "$tmp/ours.btf" "$@"
}
peer() {
  measure peer "$pahole" -J "-j$workers" --btf_features=default --lang_exclude=rust --btf_encode_detached="$tmp/peer.btf" "$image"
}
# paired A B: runs the two functions alternately, after one run of each that is not counted.
paired() {
  "$1"; "$2"; rm -f "$tmp/$1" "$tmp/$2"
  for _ in $(seq "$pairs"); do "$1"; "$2"; done
}
ours() { encode ours "$workers"; }
one() { encode one 1; }
two() { encode two 2; }
our_dump() { measure our_dump "$btfbatch" dump "$tmp/peer.btf"; }
peer_dump() { measure peer_dump "$bpftool" btf dump file "$tmp/peer.btf" format raw; }

paired ours peer
cmp "$tmp/ours.btf" "$tmp/peer.btf" || { echo "bench: the outputs differ" >&2; exit 1; }

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
column() { awk -v c="$2" -v d="$3" '{ print $c / d }' "$tmp/$1" | median; } # NAME COLUMN DIVISOR: its median
echo "$(basename "$image"), $workers workers, $pairs pairs, $("$pahole" --version), medians"
printf '%-22s %10s %10s %8s   %s\n' figure btfbatch pahole ratio 'min - max of the pairs'
failed=0
row() { # A B TITLE COLUMN UNIT DIVISOR LIMIT
  local r range
  paste "$tmp/$1" "$tmp/$2" | awk -v c="$4" '$(c + 3) > 0 { print $c / $(c + 3) }' > "$tmp/ratios"
  r=$(median < "$tmp/ratios")
  range=$(sort -g "$tmp/ratios" | awk '$1 > 0 { if (!lo) lo = 1 / $1; hi = 1 / $1 } END { printf "1/%.1f - 1/%.1f", hi, lo }')
  printf '%-22s %9.2f%s %9.2f%s %8s   %s\n' "$3" "$(column "$1" "$4" "$6")" "$5" "$(column "$2" "$4" "$6")" "$5" \
    "1/$(awk -v r="$r" 'BEGIN { printf "%.1f", 1 / r }')" "$range"
  if [ -n "$7" ] && awk -v r="$r" -v m="$7" 'BEGIN { exit !(r > m) }'; then
    echo "bench: $3: the ratio $r is larger than $7" >&2
    failed=1
  fi
}
row ours peer 'CPU' 1 s 1 "$max_cpu"
row ours peer 'wall' 2 s 1 ''
row ours peer 'peak memory' 3 M 1024 "$max_mem"

"$btfbatch" encode --profile pahole --lang-exclude rust -j "$workers" "$image" -o "$tmp/ours.btf" --timings --log-format json 2> "$tmp/log"
printf '%-22s %10s\n' 'heap allocations' "$(sed -n 's/.*"pass":"total".*"allocs":\([0-9]*\).*/\1/p' "$tmp/log")"

if [ "$(nproc)" -gt 1 ]; then
  paired two one
  printf '%-22s %9.2fx   (%.2f s, %.2f s)\n' '1 to 2 workers, wall' \
    "$(paste "$tmp/one" "$tmp/two" | awk '{ print $2 / $5 }' | median)" "$(column one 2 1)" "$(column two 2 1)"
fi
if [ -n "$bpftool" ]; then
  paired our_dump peer_dump
  printf '%-22s %10s %10s\n' '' btfbatch bpftool
  row our_dump peer_dump 'dump, CPU' 1 s 1 ''
fi
if [ -n "$other" ]; then
  "$btfbatch" encode --profile pahole --lang-exclude rust "$other" -o "$tmp/other.btf" > /dev/null 2>&1
  for _ in $(seq "$pairs"); do measure diff "$btfbatch" diff "$tmp/other.btf" "$tmp/peer.btf"; done
  printf '%-22s %9.2fs\n' 'diff, wall' "$(column diff 2 1)"
fi
if [ -n "$images" ]; then
  # batch NAME N: writes a manifest that lists this image N times
  batch() {
    printf 'version: 1\ndefaults:\n  profile: pahole\n  lang_exclude: [rust]\nmatrix:\n  n: [%s]\nimages:\n  - name: image-${{ matrix.n }}\n    path: %s\n    outputs:\n      btf: %s/batch-${{ matrix.n }}.btf\n' \
      "$(seq -s, "$2")" "$(realpath "$image")" "$tmp" > "$tmp/batch.yaml"
    measure "$1" "$btfbatch" run -j "$workers" "$tmp/batch.yaml"
  }
  for _ in $(seq "$pairs"); do batch single 1; batch many "$images"; done
  printf '%-22s %9.2fs per further image, CPU; %.2fs for the first; peak %.1fM, of one image %.1fM\n' "batch of $images images" \
    "$(paste "$tmp/many" "$tmp/single" | awk -v n="$images" '{ print ($1 - $4) / (n - 1) }' | median)" "$(column single 1 1)" \
    "$(column many 3 1024)" "$(column single 3 1024)"
fi
exit $failed
