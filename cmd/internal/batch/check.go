package batch

import (
	"context"

	"github.com/btfbatch/btfbatch/corpus"
)

// Check looks for what would fail images before they are encoded, pinned sums included. It gives a line for each that would.
func Check(ctx context.Context, items []corpus.Item) []string {
	var bad []string
	var hash corpus.Hasher
	for i := range items {
		it := &items[i]
		err := it.Err
		if err == nil && it.Pinned() {
			_, err = hash.Pin(ctx, it)
		}
		if err != nil {
			bad = append(bad, it.Image.Label()+": "+oneLine(err))
		}
	}
	return bad
}
