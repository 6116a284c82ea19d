#!/usr/bin/env bash
# Builds the library's test user, a module of its own in scripts/consumer, against the checkout, and runs it on small images of the
# corpus: 64 and 32 bits, both byte orders, a kernel and BTF with enums of 64 bits. The other BTF reader comes from the Go proxy.
#
#   scripts/consumer.sh [IMAGE...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
images=corpus/images
[ $# -gt 0 ] || set -- $images/gcc12-x86_64-dwarf5-based.elf $images/gcc12-i386-dwarf5-based.elf $images/gcc12-s390x-dwarf5-based.elf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(
	cd scripts/consumer
	go mod tidy -diff
	go vet .
	go build -o "$work/consumer" .
)
for image; do
	echo "$image"
	"$work/consumer" "$image" "$work/btf"
done
