#!/usr/bin/env bash
# Chooses how btfbatch is installed, before anything is installed.
#
# Environment: VERSION, the input "version"; ACTION_PATH, the tree of the action; DIGESTS, for tests.
# Outputs: mode (none, release or source); for source also folder, where the program goes, and key, by which it is cached.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=lib.sh
. ./lib.sh

release=$(awk '$1 == "release" { print $2 }' "${DIGESTS:-digests.txt}")
mode=$VERSION
case $VERSION in
'') mode=${release:+release} mode=${mode:-source} ;;
none | source) ;;
*)
	# The digests of other releases are in other versions of the action.
	[ "$VERSION" = "$release" ] || fail "version '$VERSION' is not the release that this version of the action has digests of (${release:-none}); use btfbatch/btfbatch@$VERSION, or the version source or none"
	mode=release
	;;
esac
output mode "$mode"
[ "$mode" = source ] || exit 0

# The key has everything that the program is made of.
sums=sha256sum
command -v sha256sum > /dev/null || sums='shasum -a 256' # macOS
list=$(mktemp)
# shellcheck disable=SC2086 # a command with arguments
(cd "$ACTION_PATH" && find . -type f \( -name '*.go' -o -name go.mod -o -name go.sum -o -name '*.pgo' \) -not -name '*_test.go' -print |
	LC_ALL=C sort | tr '\n' '\0' | xargs -0 $sums) > "$list" || true
grep -q 'go\.mod$' "$list" || fail "there is no source in $ACTION_PATH"
output folder "$RUNNER_TEMP/btfbatch-bin"
output key "btfbatch-$(system)-$(sha256 "$list")"
rm -f "$list"
