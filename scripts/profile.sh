#!/usr/bin/env bash
# Records the profile that the compiler uses to optimise the program (cmd/btfbatch/default.pgo).
#
#   scripts/profile.sh [SECONDS]
#
# The profile is recorded while kernels and modules of the lab (see CONTRIBUTING.md) are encoded, SECONDS for each (default 8), and then while BTF
# is printed as C. It contains names of functions and how often they were sampled, and nothing from the kernels. Functions of the Go runtime are left
# out: inlined into each other they take more stack, and the first stack of a program, of 2 KB, would have to grow at its start. Record it again after
# hot functions were renamed or split.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
BTFBATCH_REQUIRE_PEERS=1 go test -run '^$' -bench '^Benchmark(Kernel|Module)$' -benchtime "${1:-8}s" -trimpath -cpuprofile "$tmp/cpu" -o "$tmp/test" ./encoder
BTFBATCH_REQUIRE_PEERS=1 go test -run '^$' -bench 'CKernel$' -benchtime "${1:-8}s" -trimpath -cpuprofile "$tmp/print" -o "$tmp/print-test" ./golden/dump
go tool pprof -proto -hide '^runtime\.' -trim_path=/ -output="$tmp/pgo" "$tmp/cpu" "$tmp/print" 2> "$tmp/log" || { cat "$tmp/log" >&2; exit 1; }
mv "$tmp/pgo" cmd/btfbatch/default.pgo
ls -l cmd/btfbatch/default.pgo
