package dwarf

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// The problem: the time to compile an abbreviation table depends on the length of the table, not on that of the unit. If each unit has its own table,
// this is cheap. But any number of units may share a long table, or alternate between several, and each of them would compile it again.
//
// The idea: a table that is longer than its unit is kept for all units and workers when it occurs for the second time. A kept table is never changed.
//
// Tables that do not overlap are together no longer than their section. Overlapping tables could be as many as there are units,
// each as long as the section. Their sizes are therefore added up in the order of the units, and an image is refused if the sum
// is several times the size of the section.

// A table is a compiled abbreviation table.
type table struct {
	dense  []Abbrev // by code; lowCodes or more
	sparse map[uint64]Abbrev
	attrs  []attr
	sec    *section // the section that contains it
	off    uint64
	size   uint64 // in bytes, in the section
	count  uint64 // number of declarations
	key    abbrevKey
	bound  bool // it is valid for only one unit
	uses   Uses
	valid  bool
}

// tables are the long tables of one section.
type tables struct {
	known atomic.Bool // kept has entries
	mu    sync.Mutex
	kept  map[tableID]*table // nil for a table that occurred only once

	counted map[uint64]bool // tables by offset; not guarded: one goroutine counts at a time
	sum     uint64          // of the sizes of counted tables, in bytes
}

// A tableID identifies a table and the meaning of its forms.
type tableID struct {
	off uint64
	key abbrevKey
}

// shortTable is the length up to which a table is compiled for each unit, even if the unit is shorter.
const shortTable = 1 << 10

// id returns the tableID of the table at an offset, for units with a key. The base of references by section
// offset matters only in MergedUnits.
func (s *section) id(off uint64, k abbrevKey) tableID {
	if !k.merged {
		k.abs = 0
	}
	return tableID{s.base + off, k}
}

// get returns a kept table, or nil.
func (ts *tables) get(id tableID) *table {
	if ts == nil || !ts.known.Load() {
		return nil
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.kept[id]
}

// note records a long table that was compiled. A copy of it is kept when it occurs again.
func (ts *tables) note(id tableID, t *table) {
	if ts == nil || t.bound && !t.key.merged {
		return
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	kept, again := ts.kept[id]
	switch {
	case kept != nil:
	case again:
		c := *t
		c.dense, c.attrs = append([]Abbrev(nil), t.dense...), append([]attr(nil), t.attrs...)
		ts.kept[id] = &c
	default:
		if ts.kept == nil {
			ts.kept = make(map[tableID]*table)
		}
		ts.kept[id] = nil
		ts.known.Store(true)
	}
}

// A LongTable is the abbreviation table of a unit, if the table is longer than the unit.
type LongTable struct {
	d    *Data
	unit int
	off  uint64
	size uint64
}

// LongTable returns the table of the unit if it is longer than the unit, otherwise the zero value.
func (u *Unit) LongTable() LongTable {
	if !u.long {
		return LongTable{}
	}
	return LongTable{d: u.d, unit: u.Index, off: u.d.abbrev.base + u.abbrevs.off, size: u.abbrevs.size}
}

// overlapSlack is the allowed size of overlapping tables in the smallest image, in bytes.
const overlapSlack = 1 << 20

// Count adds the size of a table to the sum of its section. It is called for all units, in the order of the section, by one goroutine at a time. The
// error says that tables overlap.
func (l LongTable) Count() error {
	if l.d == nil || l.d.tables == nil || l.d.tables.counted[l.off] {
		return nil
	}
	ts := l.d.tables
	if ts.counted == nil {
		ts.counted = make(map[uint64]bool)
	}
	ts.counted[l.off] = true
	if ts.sum += l.size; ts.sum <= overlapSlack+2*l.d.abbrev.all {
		return nil
	}
	return fmt.Errorf("CU %d: %w", l.unit, &elf.FormatError{Section: l.d.abbrev.s.Name, Offset: l.off,
		Problem: fmt.Sprintf("abbreviation tables overlap: the tables of the units up to this one have %d bytes in total, the section has %d", ts.sum, l.d.abbrev.all)})
}
