#!/usr/bin/env bash
# Opens HTML reports in headless Chromium: in the light and the dark scheme, at three widths, with and without the script, by keyboard, and
# as assistive technology sees them. The reports are those that the tests of golden/report/html compare with, and that of a run over the
# quick start. It fails if there is no Chromium (Debian's package chromium). The modules for the browser's protocol come from the Go proxy.
#
#   scripts/browser.sh [FOLDER for screenshots]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go run ./cmd/btfbatch run corpus/quickstart.yaml --report "html=$work/quickstart.html" 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
reports=$work/quickstart.html
for page in "$PWD"/golden/report/html/testdata/*.golden; do reports+=:$page; done
if [ $# -gt 0 ]; then
	mkdir -p "$1"
	SHOTS=$(cd "$1" && pwd)
	export SHOTS
fi
cd scripts/browser
go mod tidy -diff
go vet .
BTFBATCH_REQUIRE_BROWSER=1 REPORTS=$reports go test -count=1 -timeout 15m .
