#!/usr/bin/env bash
# Installs btfbatch as choose.sh has chosen, and puts its folder on the PATH of later steps.
#
# Environment: MODE; for source FOLDER, where the program goes; ACTION_PATH, the tree of the action; RELEASES, where releases are (default: GitHub); DIGESTS and RETRIES, for tests.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

bin=${FOLDER:-$RUNNER_TEMP/btfbatch-bin}
suffix=''
[ "${RUNNER_OS:-}" != Windows ] || suffix=.exe

# download: the archive of the release for this machine. Nothing of it is used before its digest is right.
download() {
	local digests=${DIGESTS:-$here/digests.txt} release name want got unpacked program
	release=$(awk '$1 == "release" { print $2 }' "$digests")
	read -r want name < <(awk -v machine="$(system)" '
		length($1) == 64 && index($2, machine ".") { print $1, $2; exit }' "$digests") || true
	[ -n "${name:-}" ] || fail "release $release has no archive for $(system); use version: source"
	curl -fsSL --retry "${RETRIES:-5}" --retry-all-errors --max-time 300 -o "$bin/$name" "${RELEASES:-https://github.com/btfbatch/btfbatch/releases/download}/$release/$name" ||
		fail "$name of release $release cannot be downloaded"
	got=$(sha256 "$bin/$name")
	if [ "$got" != "$want" ]; then
		rm -f "$bin/$name"
		fail "$name has SHA-256 $got, but the action wants $want: the download is damaged, or the release was changed"
	fi
	unpacked=$(mktemp -d "$RUNNER_TEMP/btfbatch-unpacked-XXXXXX")
	case $name in
	*.zip) unzip -q "$bin/$name" -d "$unpacked" ;;
	*) tar -xf "$bin/$name" -C "$unpacked" ;;
	esac
	program=$(find "$unpacked" -type f -name "btfbatch$suffix" | head -n 1)
	[ -n "$program" ] || fail "$name contains no btfbatch$suffix"
	mv "$program" "$bin/btfbatch$suffix"
	rm -rf "$unpacked" "${bin:?}/$name"
}

# build: the program from the source of the action. One that is in its folder, from the cache or an earlier step, has the same source.
build() {
	[ ! -x "$bin/btfbatch$suffix" ] || return 0
	command -v go > /dev/null || fail "version source needs Go; see actions/setup-go"
	(cd "$ACTION_PATH" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$bin/btfbatch$suffix" ./cmd/btfbatch) ||
		fail "btfbatch cannot be built from $ACTION_PATH"
}

mkdir -p "$bin"
case $MODE in
none) command -v btfbatch > /dev/null || fail "version none needs btfbatch on the PATH" ;;
release) download ;;
source) build ;;
*) fail "unknown mode '$MODE'" ;;
esac
if [ "$MODE" != none ]; then
	echo "$bin" >> "$GITHUB_PATH"
	PATH=$bin:$PATH
fi
btfbatch version
