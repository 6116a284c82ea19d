#!/bin/sh
# Runs pahole to create the goldens of cmd/internal/pahole/testdata/calls.txt: for every call, the BTF and what -V prints about functions.
#
#   scripts/calls.sh            write everything
#   scripts/calls.sh --check    write nothing, print what would change; exit code 1 if anything would
#
# Needs pahole 1.32 in $LAB/bin (LAB defaults to ../.lab beside the checkout).
set -eu

repo=$(cd "$(dirname "$0")/.." && pwd)
folder=$repo/cmd/internal/pahole/testdata
lab=${LAB:-$repo/../.lab}
check=no
case ${1-} in
--check) check=yes ;;
"") ;;
*) sed -n '2,5p' "$0" >&2; exit 2 ;;
esac
[ -x "$lab/bin/pahole" ] || { echo "calls.sh: $lab/bin/pahole is missing" >&2; exit 2; }
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$repo/corpus"
grep -v '^#' "$folder/calls.txt" | while IFS=: read -r name args; do
	[ -n "$name" ] || continue
	# shellcheck disable=SC2086 # a call is split into words
	"$lab/bin/pahole" -V -J "--btf_encode_detached=$work/$name.btf.golden" $args >"$work/out" 2>"$work/err" || {
		echo "calls.sh: $name: exit code $?" >&2
		exit 1
	}
	[ -s "$work/$name.btf.golden" ] || { echo "calls.sh: $name: pahole wrote nothing" >&2; exit 1; }
	grep ' : skipping BTF encoding of function ' "$work/out" >"$work/$name.skipped.golden" || true
done
rm "$work/out" "$work/err"
if [ $check = yes ]; then
	diff -rq -x calls.txt -x fuzz "$work" "$folder" && echo "cmd/internal/pahole/testdata is up to date"
	exit $?
fi
rm -f "$folder"/*.golden
cp "$work"/*.golden "$folder"
chmod 644 "$folder"/*.golden
