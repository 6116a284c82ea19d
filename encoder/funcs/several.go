package funcs

import (
	"bytes"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A run is neighbouring states of one function of one image.
type run struct {
	c      *Collector
	entry  int32
	states []uint32
}

// EmitAll is Emit for the functions of several images, each with a table and a collector of its own, in the order of the
// images. Functions of different images are never compared, and each gets its own FUNC.
func EmitAll(o *btf.Object, cs []*Collector, decided func(Decision)) (Stats, error) {
	var stats Stats
	for _, name := range runsByName(cs, &stats) {
		for _, r := range peerRuns(name) {
			if err := r.c.settle(o, r.entry, r.states, decided, &stats); err != nil {
				return stats, err
			}
		}
	}
	return stats, nil
}

// runsByName lists all functions, sorted by base name; those of one name are together, in the order of the images.
func runsByName(cs []*Collector, stats *Stats) [][]run {
	var all []run
	for _, c := range cs {
		stats.States += len(c.states)
		groups := c.group()
		for entry := range c.table.entries {
			if states := groups.of(entry); len(states) != 0 {
				all = append(all, run{c, int32(entry), states})
			}
		}
	}
	compare := func(a, b run) int { return bytes.Compare(a.c.table.Base(a.entry), b.c.table.Base(b.entry)) }
	slices.SortStableFunc(all, compare)
	var names [][]run
	for len(all) > 0 {
		n := 1
		for n < len(all) && compare(all[0], all[n]) == 0 {
			n++
		}
		names, all = append(names, all[:n]), all[n:]
	}
	return names
}
