package dedup

import "github.com/btfbatch/btfbatch/encoder/internal/nominal"

// A Hash is the nominal class of a type (package nominal).
type Hash = nominal.Hash

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
