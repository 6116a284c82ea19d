#!/usr/bin/env bash
# Checks a change before it is committed: formatting, vet on 64 and 32 bits and of what is written for Arm, builds for Windows and macOS, and the
# tests that need neither pahole nor kernels.
#
#   scripts/check.sh           all of these, 2 minutes
#   scripts/check.sh --lint    also golangci-lint, which is built first if necessary, and a count of the tests
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1-} in
"" | --lint) ;;
*) sed -n '2,6p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac

unformatted=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
[ -z "$unformatted" ] || { printf 'not formatted with gofmt:\n%s\n' "$unformatted" >&2; exit 1; }
go mod verify
go mod tidy -diff
go vet ./...
# Each pair of a system and a processor compiles everything once more. So each is checked in one pair, and files for Linux on Arm in their packages.
git ls-files '*_linux_arm64.*' | sed 's|/[^/]*$||; s|^|./|' | sort -u | GOOS=linux GOARCH=arm64 xargs go vet
# Without the program's profile, packages need not be compiled once more for the program.
GOOS=linux GOARCH=386 go vet -pgo=off ./...
# With a profile for all of the build, what is compiled for Windows serves a release, too.
pgo=(-pgo=off)
[[ ${GOFLAGS-} != *-pgo=* ]] || pgo=()
for target in windows/amd64 darwin/arm64; do
	CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/} go build -trimpath "${pgo[@]}" ./...
done
test=(go test)
if [ "${1-}" = --lint ]; then
	.ci/lint
	test=(.ci/test)
fi
# without the lab, as on a machine with only Go
env -u BTFBATCH_REQUIRE_PEERS LAB=none "${test[@]}" ./...
