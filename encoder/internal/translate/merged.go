package translate

import (
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// Units that refer to each other are translated as one: the same walk, over one unit after the other, with one set of tables.
// Offsets are positions in the dwarf.MergedUnits. References are resolved after all units have been walked, so they may lead into
// any unit (rule 01/2.3).

// A mergedWalk is the state of a walk over MergedUnits.
type mergedWalk struct {
	m        *dwarf.MergedUnits
	skip     func(u *dwarf.Unit) bool
	current  int          // the unit in which the cursor is
	imported map[int]bool // units whose children were walked where they were imported
	aside    dwarf.Unit   // another unit that is read in between
}

// Merged translates all units of an image into t and fs, except those for which skip returns true. The returned Unit decodes the
// locations in fs; it has the address size, language and compiler of the first unit.
func (tr *Translator) Merged(m *dwarf.MergedUnits, s *dwarf.Strings, skip func(u *dwarf.Unit) bool, opt *Options, t *Unit, fs *Subprograms) (*dwarf.Unit, error) {
	w := &tr.w
	for w.replacements = w.replacements[:0]; ; {
		all, err := w.mergedOnce(m, s, skip, opt, t, fs)
		if err == nil && w.merged != nil && w.replaceStrays() {
			continue
		}
		if w.merged != nil {
			m.Number(func(pos dwarf.Offset) uint32 { return uint32(w.find(pos)) })
			w.merged, w.far = nil, nil
		}
		return all, err
	}
}

func (w *walker) mergedOnce(m *dwarf.MergedUnits, s *dwarf.Strings, skip func(u *dwarf.Unit) bool, opt *Options, t *Unit, fs *Subprograms) (*dwarf.Unit, error) {
	var u, all dwarf.Unit
	var empty []Note
	begun := false
	for _, i := range m.Order() {
		if err := m.Open(i, &u); err != nil {
			return nil, err
		}
		if u.Empty != dwarf.NotEmpty {
			if err := opt.leaveOut(&u); err != nil {
				return nil, err
			}
			empty = append(empty, emptyUnit(&u))
			continue
		}
		if !begun {
			begun = true
			all = m.All(&u)
			t.reset(&u, s)
			t.Merged = true
			fs.Funcs, fs.Params, fs.Tags = fs.Funcs[:0], fs.Params[:0], fs.Tags[:0]
			w.start(&u, t, fs, opt)
			w.indexMerged(m, skip)
		}
		if m.Supplementary(i) {
			w.merged.imported[i] = true // it is walked before all its imports
		}
		w.unit(i, &u)
		if w.c.CheckRefs(); w.c.Err != nil {
			return nil, w.c.Err
		}
	}
	if !begun {
		t.Notes, t.Strings = empty, s
		return &all, nil
	}
	t.Notes = append(empty, t.Notes...)
	return &all, w.finish()
}

// indexMerged prepares one index of types by offset for all units.
func (w *walker) indexMerged(m *dwarf.MergedUnits, skip func(u *dwarf.Unit) bool) {
	w.merged = &mergedWalk{m: m, skip: skip, imported: make(map[int]bool)}
	w.mask, w.farFrom, w.eager = 0, 0, false
	w.byOff, w.far = []uint16{farID}, make(map[uint32]uint32)
}

// unit walks unit i, which is open in u. The tag of its root does not matter.
func (w *walker) unit(i int, u *dwarf.Unit) {
	if w.merged.skip(u) {
		return
	}
	w.u, w.merged.current = u, i
	w.root()
	w.children()
}

// importUnit walks the children of a unit at its first import, whether or not the unit is also walked at its own place.
func (w *walker) importUnit(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	target := w.ref(dwarf.SlotType)
	next := c.Skip(a)
	if w.merged == nil {
		c.Fail(pos, "the imported unit is not a partial unit of this image")
		return next
	}
	i, ok := w.merged.m.Find(target)
	w.mustBe(target)
	if !ok || w.merged.imported[i] || !w.enter() {
		return next
	}
	w.merged.imported[i] = true
	back := w.visit(0)
	var u dwarf.Unit
	if err := w.merged.m.Open(i, &u); err != nil {
		c.FailWith(err)
	} else {
		w.unit(i, &u)
	}
	back()
	w.depth--
	return next
}

// visit prepares for reading the DIE at off, which may be in another unit. back returns the cursor to where it was. An error that
// occurs in between is kept.
func (w *walker) visit(off dwarf.Offset) (back func()) {
	c, u, current := w.c, w.u, 0
	if m := w.merged; m != nil {
		current = m.current
		if i, ok := m.m.Find(off); off != 0 && ok && i != current {
			if err := m.m.Open(i, &m.aside); err != nil {
				w.c.FailWith(err)
			} else {
				w.u, m.current = &m.aside, i
				w.c.Start(w.u)
			}
		}
	}
	return func() {
		w.c.CheckRefs()
		if w.c.Err != nil {
			c.FailWith(w.c.Err)
		}
		w.c, w.u = c, u
		if w.merged != nil {
			w.merged.current = current
		}
	}
}
