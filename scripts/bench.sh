#!/usr/bin/env bash
# bench.sh: btfbatch against pahole on a real kernel, in paired runs, and the table of the medians.
#
#   scripts/bench.sh [-n PAIRS] [-j WORKERS] [-p PAHOLE] [-b BTFBATCH] [--max-cpu R] [--max-mem R] VMLINUX
#
# Each pair runs both programs one after the other, whole processes, page cache warm, output detached; ratios are taken pair by
# pair, so that they hold when the machine's speed drifts. With --max-cpu or --max-mem it exits 1 when the median ratio is
# larger. Both outputs must be equal. Needs GNU time (/usr/bin/time).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pairs=7 workers=2 pahole=pahole btfbatch='' max_cpu='' max_mem=''
while [ $# -gt 1 ]; do
  case $1 in
    -n) pairs=$2; shift 2 ;;
    -j) workers=$2; shift 2 ;;
    -p) pahole=$2; shift 2 ;;
    -b) btfbatch=$2; shift 2 ;;
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

# measure NAME COMMAND...: appends "cpu wall kilobytes" to $tmp/NAME
measure() {
  local name=$1; shift
  /usr/bin/time -o "$tmp/one" -f '%U %S %e %M' "$@" > "$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }
  awk 'END { print $1 + $2, $3, $4 }' "$tmp/one" >> "$tmp/$name"
}
ours() { measure ours "$btfbatch" encode --profile pahole --lang-exclude rust -j "$workers" "$image" -o "$tmp/ours.btf"; }
peer() {
  measure peer "$pahole" -J "-j$workers" --btf_features=default --lang_exclude=rust --btf_encode_detached="$tmp/peer.btf" "$image"
}

ours; peer; rm -f "$tmp/ours" "$tmp/peer" # warm up
for _ in $(seq "$pairs"); do ours; peer; done
cmp "$tmp/ours.btf" "$tmp/peer.btf" || { echo "bench: the outputs differ" >&2; exit 1; }

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
echo "$(basename "$image"), $workers workers, $pairs pairs, $("$pahole" --version), medians"
printf '%-12s %10s %10s %8s   %s\n' figure btfbatch pahole ratio 'min - max of the pairs'
failed=0
row() { # name column unit divisor limit
  local a b r range
  a=$(awk -v c="$2" -v d="$4" '{ print $c / d }' "$tmp/ours" | median)
  b=$(awk -v c="$2" -v d="$4" '{ print $c / d }' "$tmp/peer" | median)
  paste "$tmp/ours" "$tmp/peer" | awk -v c="$2" '{ print $c / $(c + 3) }' > "$tmp/ratios"
  r=$(median < "$tmp/ratios")
  range=$(sort -g "$tmp/ratios" | awk 'NR == 1 { lo = 1 / $1 } { hi = 1 / $1 } END { printf "1/%.1f - 1/%.1f", hi, lo }')
  printf '%-12s %9.2f%s %9.2f%s %8s   %s\n' "$1" "$a" "$3" "$b" "$3" "1/$(awk -v r="$r" 'BEGIN { printf "%.1f", 1 / r }')" "$range"
  if [ -n "$5" ] && awk -v r="$r" -v m="$5" 'BEGIN { exit !(r > m) }'; then
    echo "bench: $1: the ratio $r is larger than $5" >&2
    failed=1
  fi
}
row 'CPU' 1 s 1 "$max_cpu"
row 'wall' 2 s 1 ''
row 'peak memory' 3 M 1024 "$max_mem"
exit $failed
