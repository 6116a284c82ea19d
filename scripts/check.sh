#!/usr/bin/env bash
# Checks a change before it is committed: formatting, vet on 64 and 32 bits and on Arm, builds for Windows and macOS, and the tests that
# need neither pahole nor kernels.
#
#   scripts/check.sh           all of these, 2 minutes
#   scripts/check.sh --lint    also golangci-lint, which is built first if necessary
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
for arch in 386 arm64; do
	[ "$arch" = "$(go env GOHOSTARCH)" ] || GOOS=linux GOARCH=$arch go vet ./...
done
for system in windows darwin; do
	for arch in amd64 arm64; do
		CGO_ENABLED=0 GOOS=$system GOARCH=$arch go build ./...
	done
done
[ "${1-}" != --lint ] || .ci/lint
# without the lab, as on a machine with only Go
env -u BTFBATCH_REQUIRE_PEERS LAB=none go test ./...
