package funcs

import (
	"bytes"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A run is a sequence of consecutive states of one function in one image.
type run struct {
	c      *Collector
	entry  int32
	states []uint32
}

func (r *run) name() []byte { return r.c.table.Base(r.entry) }

// EmitAll is Emit for the functions of several images, each with its own table and collector, in the order of the images.
// Functions of different images are never compared, and each gets its own FUNC.
func EmitAll(o *btf.Object, cs []*Collector, decided func(Decision)) (Stats, error) {
	var stats Stats
	for _, name := range runsByName(cs, &stats) {
		for _, r := range peerRuns(name) {
			differ := r.c.combine(o, r.states)
			if err := r.c.decideOne(o, r.entry, r.name(), r.states, differ, decided, &stats); err != nil {
				return stats, err
			}
		}
	}
	return stats, nil
}

// runsByName lists all functions by base name. The functions of one name are in the order of the images.
func runsByName(cs []*Collector, stats *Stats) (names [][]run) {
	left := make([][]run, len(cs)) // by image: the functions that are not listed yet, sorted
	for i, c := range cs {
		stats.States += len(c.states)
		m := c.Emission()
		m.Sort()
		for _, entry := range m.entries {
			left[i] = append(left[i], run{c, entry, m.groups.of(entry)})
		}
	}
	for first, ok := firstName(left); ok; first, ok = firstName(left) {
		var same []run
		for i, runs := range left {
			if len(runs) > 0 && bytes.Equal(runs[0].name(), first) {
				same, left[i] = append(same, runs[0]), runs[1:]
			}
		}
		names = append(names, same)
	}
	return names
}

// firstName returns the first name, in order, of sorted lists. ok is false if all are empty.
func firstName(lists [][]run) (first []byte, ok bool) {
	for _, runs := range lists {
		if len(runs) == 0 {
			continue
		}
		if name := runs[0].name(); !ok || bytes.Compare(name, first) < 0 {
			first, ok = name, true
		}
	}
	return first, ok
}
