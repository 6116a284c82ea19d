#!/usr/bin/env bash
# Chooses how btfbatch is installed, before anything is installed.
#
# Environment: VERSION, the input "version"; ACTION_PATH, the tree of the action; DIGESTS, for tests.
# Outputs: mode (none, release or source); for source also folder, where the program goes, and key, by which it is cached. A job that uses two
# versions of the action has a folder for each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=lib.sh
. ./lib.sh

digests=${DIGESTS:-digests.txt}
release=$(awk '$1 == "release" { print $2 }' "$digests")
mode=$VERSION source=''
case $VERSION in
'' | source)
	[ -f "$ACTION_PATH/go.mod" ] || fail "there is no source in $ACTION_PATH"
	source=$(./source.sh "$ACTION_PATH")
	;;
esac
case $VERSION in
'')
	# Between releases, the scripts may need what the last release does not have.
	mode=source
	[ "$source" != "$(awk '$1 == "source" { print $2 }' "$digests")" ] || mode=release
	;;
none | source) ;;
*)
	# The digests of other releases are in other versions of the action.
	[ "$VERSION" = "$release" ] || fail "version '$VERSION' is not the release that this version of the action has digests of (${release:-none}); use the commit of btfbatch/btfbatch that adds the digests of $VERSION, or the version source or none"
	mode=release
	;;
esac
output mode "$mode"
[ "$mode" = source ] || exit 0
output folder "$RUNNER_TEMP/btfbatch-bin-$source"
output key "btfbatch-$(system)-$source"
