#!/usr/bin/env bash
# Prints the SHA-256 of what the program is made of: the Go files of a tree without its tests, what they embed, go.mod, go.sum and the compiler's
# profile.
#
#   source.sh FOLDER
set -euo pipefail
sums=sha256sum
command -v sha256sum > /dev/null || sums='shasum -a 256' # macOS
cd "$1"
# shellcheck disable=SC2086 # a command with arguments
find . -type f \( -name '*.go' -o -name go.mod -o -name go.sum -o -name '*.pgo' -o -name '*.tmpl' -o -name '*.css' -o -name '*.js' \) \
	-not -name '*_test.go' -not -path '*/node_modules/*' -print |
	LC_ALL=C sort | tr '\n' '\0' | xargs -0 $sums | $sums | cut -d ' ' -f 1
