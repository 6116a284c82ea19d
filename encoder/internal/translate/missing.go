package translate

import "github.com/btfbatch/btfbatch/encoder/internal/dwarf"

// A reference to a DIE without a local id is void, since some DIEs become no type. A reference to a place where no DIE starts is
// an error. This file distinguishes the two, for the few offsets where no type is.

// missing is what is known about such offsets of a unit.
type missing struct {
	asked   int                    // number of checks, without those that seen answered
	seen    map[dwarf.Offset]bool  // offsets at which a DIE starts
	entries map[int]*dwarf.Entries // by unit, after a few checks
	spare   *dwarf.Entries         // memory of an earlier unit
	other   dwarf.Unit             // a unit of MergedUnits that is read in between
}

// The first aFew offsets are checked one by one, by reading DIEs from the nearest type before them, which must be at most nearby
// bytes away. After that, all DIEs of the unit are indexed.
const (
	aFew   = 16
	nearby = 1 << 10
)

// reset forgets the previous unit.
func (m *missing) reset() {
	if m.asked != 0 {
		if e := m.entries[0]; e != nil {
			m.spare = e
		}
		m.asked, m.seen, m.entries = 0, nil, nil
	}
}

// mustBe sets an error if no DIE starts at the offset of a reference.
func (w *walker) mustBe(off dwarf.Offset) {
	m := &w.missing
	if off == 0 || off&localMark != 0 || w.c.Err != nil || m.seen[off] {
		return
	}
	if !w.entryAt(off) {
		w.noEntry(off)
		return
	}
	if m.seen == nil {
		m.seen = make(map[dwarf.Offset]bool)
	}
	m.seen[off] = true
}

// entryAt reports whether a DIE starts at an offset.
func (w *walker) entryAt(off dwarf.Offset) bool {
	m := &w.missing
	m.asked++
	if w.merged == nil && m.asked <= aFew {
		if from, ok := w.typeBefore(off); ok {
			return w.u.EntryAt(from, int(off))
		}
	}
	i, u := 0, w.u
	if w.merged != nil {
		var ok bool
		if i, ok = w.merged.m.Find(off); !ok {
			return false
		}
		if i != w.merged.current {
			u = &m.other
		}
	}
	e := m.entries[i]
	if e == nil {
		if u == &m.other && w.merged.m.Open(i, u) != nil {
			return false
		}
		if e, m.spare = m.spare, nil; e == nil {
			e = &dwarf.Entries{}
		}
		if e.Find(u); m.entries == nil {
			m.entries = make(map[int]*dwarf.Entries)
		}
		m.entries[i] = e
	}
	return e.Has(int(off))
}

// typeBefore returns the offset of the nearest type before an offset, if there is one nearby.
func (w *walker) typeBefore(off dwarf.Offset) (from int, ok bool) {
	for at := int(off); at > max(0, int(off)-nearby); {
		at--
		if id := uint32(w.byOff[at]); id != 0 && id <= min(w.last(), farID-1) && w.t.Dies[id].Off == uint32(at) {
			return at, true
		}
	}
	return 0, false
}

// noEntry sets the error. Its place is the first DIE that refers to the offset.
func (w *walker) noEntry(off dwarf.Offset) {
	const problem = "reference to %#x, where no DIE starts"
	u, at := w.u, w.c.Pos
	if w.merged == nil {
		if pos, ok := u.Referrer(off); ok {
			at = pos
		}
		w.c.Fail(at, problem, u.Place().Off+uint64(off))
		return
	}
	for _, i := range w.merged.m.Order() {
		if w.merged.m.Open(i, &w.missing.other) != nil {
			break
		}
		if pos, ok := w.missing.other.Referrer(off); ok {
			u, at = &w.missing.other, pos
			break
		}
	}
	w.c.FailWith(u.Err(at, problem, u.Place().Off+uint64(off)))
}
