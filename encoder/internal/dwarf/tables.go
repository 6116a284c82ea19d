package dwarf

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// Compiling an abbreviation table costs what the table is long, whatever the unit is. Where each unit has a table of its own that is next
// to nothing. But any number of units may share a table, and take turns with several, so that each opening of a unit would cost a long
// table. So tables that are longer than the unit are kept when they come up a second time, for all units and workers. Nobody changes a
// table that is kept.
//
// Tables that lie behind each other are together no longer than their section. Those that overlap can be as many as units, and as long as
// the section each. They are counted by who opens the units in their order, and refused when they come to more than the section
// has several times.

// A table is an abbreviation table that was compiled.
type table struct {
	dense  []Abbrev // by code; lowCodes or more
	sparse map[uint64]Abbrev
	attrs  []attr
	sec    *section // that it stands in
	off    uint64
	size   uint64 // in bytes, as it stands there
	count  uint64 // of declarations
	key    abbrevKey
	bound  bool // compiled for one unit only
	uses   Uses
	valid  bool
}

// tables are the long tables of one section.
type tables struct {
	known atomic.Bool // there is one
	mu    sync.Mutex
	kept  map[tableID]*table // nil when it came up once

	counted map[uint64]bool // tables by offset; guarded by who counts
	sum     uint64          // of their bytes
}

// A tableID says which table in which meaning.
type tableID struct {
	off uint64
	key abbrevKey
}

// shortTable is how long a table may be that is compiled each time, be the unit as short as it will.
const shortTable = 1 << 10

// id is the table of that offset for units of a key. It is nothing for a table that means something else in each unit.
func (s *section) id(off uint64, k abbrevKey) tableID {
	if !k.merged {
		k.abs = 0
	}
	return tableID{s.base + off, k}
}

// get is a table that is kept, or nil.
func (ts *tables) get(id tableID) *table {
	if ts == nil || !ts.known.Load() {
		return nil
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.kept[id]
}

// note takes over a long table that was compiled: a copy of it is kept when it comes up again.
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

// A LongTable is the abbreviation table of a unit, if it is longer than that.
type LongTable struct {
	d    *Data
	unit int
	off  uint64
	size uint64
}

// LongTable is the unit's table, if it is long; else the zero value.
func (u *Unit) LongTable() LongTable {
	if !u.long {
		return LongTable{}
	}
	return LongTable{d: u.d, unit: u.Index, off: u.d.abbrev.base + u.abbrevs.off, size: u.abbrevs.size}
}

// overlapSlack is how many bytes of tables that overlap there may be in the smallest image.
const overlapSlack = 1 << 20

// Count counts a table. It is called for all units, in the order of the section, and by one goroutine at a time. The error says that tables
// overlap.
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
		Problem: fmt.Sprintf("abbreviation tables overlap: those of the units up to this one have %d bytes together, the section has %d", ts.sum, l.d.abbrev.all)})
}
