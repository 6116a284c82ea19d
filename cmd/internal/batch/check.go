package batch

import (
	"context"
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/config"
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

// Notes tells of what a manifest says and Run does not use.
func Notes(items []corpus.Item, opt Options) []string {
	b := batch{opt: opt}
	var names []string
	for i := range items {
		if im := &items[i].Image; im.SectionsGiven && b.profileOf(im) == config.Pahole {
			names = append(names, im.Label())
		}
	}
	if len(names) == 0 {
		return nil
	}
	const shown = 5
	more := ""
	if n := len(names) - shown; n > 0 {
		names, more = names[:shown], fmt.Sprintf(" and %d more", n)
	}
	return []string{"sections are not used under profile pahole, which has its own rules: " + strings.Join(names, ", ") + more}
}
