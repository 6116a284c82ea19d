package translate

import "github.com/btfbatch/btfbatch/encoder/internal/dwarf"

// A reference to a DIE that has no local id is void: some DIEs give no type. It is an error where no DIE is. Which of both it is
// is found out for the few offsets that no type has.

// missing has what was found out about a unit.
type missing struct {
	asked   int                    // questions, but those that known answers
	seen    map[dwarf.Offset]bool  // offsets at which DIEs are
	entries map[int]*dwarf.Entries // by unit, after a few questions
	spare   *dwarf.Entries         // memory of an earlier unit
	other   dwarf.Unit             // of MergedUnits, that is looked into
}

// aFew is how many questions are answered one by one, and nearby how far the type in front may be for that.
const (
	aFew   = 16
	nearby = 1 << 10
)

// reset forgets the unit before.
func (m *missing) reset() {
	if m.asked != 0 {
		if e := m.entries[0]; e != nil {
			m.spare = e
		}
		m.asked, m.seen, m.entries = 0, nil, nil
	}
}

// mustBe makes it an error that no DIE is at the offset that something refers to.
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

// typeBefore is the offset of the nearest type in front of one, if it is near.
func (w *walker) typeBefore(off dwarf.Offset) (from int, ok bool) {
	for at := int(off); at > max(0, int(off)-nearby); {
		at--
		if id := uint32(w.byOff[at]); id != 0 && id <= min(w.last(), farID-1) && w.t.Dies[id].Off == uint32(at) {
			return at, true
		}
	}
	return 0, false
}

// noEntry is the error of the first DIE that refers to an offset.
func (w *walker) noEntry(off dwarf.Offset) {
	const problem = "reference to %#x, where no entry is"
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
