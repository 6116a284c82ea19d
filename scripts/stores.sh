#!/usr/bin/env bash
# Publishes in a registry and a bucket, which run on loopback in front of a proxy that misbehaves, and reads back what readers see. The
# servers and the readers are modules of other people, so the tests are a module of their own, scripts/stores. They come from the Go proxy.
#
#   scripts/stores.sh [GO TEST FLAGS...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/stores"
go mod tidy -diff
go vet .
go test -count=1 "$@" .
