package translate

import (
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// Units that refer into each other are translated as one: the same walk, over one unit after the other, with one set of
// tables. Offsets are positions in the dwarf.Whole. References are resolved when all units have been walked, so it does not
// matter which unit they lead into. (Rule 01/2.3.)

// A wholeWalk is where the walk over a Whole is.
type wholeWalk struct {
	m        *dwarf.Whole
	skip     func(u *dwarf.Unit) bool
	current  int          // unit that the cursor is in
	imported map[int]bool // units whose children have been walked where they are imported
	aside    dwarf.Unit   // another unit that is looked into
}

// Whole translates all units of an image into t and fs, leaving out those that skip names. The result is a
// Unit for decoding the locations in fs; it has the address size, the language and the compiler of the first unit.
func (tr *Translator) Whole(m *dwarf.Whole, s *dwarf.Strings, skip func(u *dwarf.Unit) bool, opt *Options, t *Unit, fs *Subprograms) (*dwarf.Unit, error) {
	w := &tr.w
	for w.replacements = w.replacements[:0]; ; {
		all, err := w.wholeOnce(m, s, skip, opt, t, fs)
		if err == nil && w.whole != nil && w.replaceStrays() {
			continue
		}
		if w.whole != nil {
			m.Number(w.find)
			w.whole, w.far = nil, nil
		}
		return all, err
	}
}

func (w *walker) wholeOnce(m *dwarf.Whole, s *dwarf.Strings, skip func(u *dwarf.Unit) bool, opt *Options, t *Unit, fs *Subprograms) (*dwarf.Unit, error) {
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
			t.Whole = true
			fs.Funcs, fs.Params, fs.Tags = fs.Funcs[:0], fs.Params[:0], fs.Tags[:0]
			w.start(&u, t, fs, opt)
			w.indexWhole(m, skip)
		}
		if m.Supplementary(i) {
			w.whole.imported[i] = true // its turn is before all imports
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

// indexWhole makes the index of types by offset one of all units.
func (w *walker) indexWhole(m *dwarf.Whole, skip func(u *dwarf.Unit) bool) {
	w.whole = &wholeWalk{m: m, skip: skip, imported: make(map[int]bool)}
	w.mask, w.farFrom, w.eager = 0, 0, false
	w.byOff, w.far = []uint16{farID}, make(map[uint32]uint32)
}

// unit walks the unit i, which is open in u. What its root is does not matter.
func (w *walker) unit(i int, u *dwarf.Unit) {
	if w.whole.skip(u) {
		return
	}
	w.u, w.whole.current = u, i
	w.root()
	w.children()
}

// importUnit walks the children of a unit where it is imported first, be it walked at its own place or not.
func (w *walker) importUnit(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	target := w.ref(dwarf.SlotType)
	next := c.Skip(a)
	if w.whole == nil {
		c.Fail(pos, "imported unit: its partial unit is not merged")
		return next
	}
	i, ok := w.whole.m.Find(target)
	w.mustBe(target)
	if !ok || w.whole.imported[i] || !w.enter() {
		return next
	}
	w.whole.imported[i] = true
	back := w.visit(0)
	var u dwarf.Unit
	if err := w.whole.m.Open(i, &u); err != nil {
		c.FailWith(err)
	} else {
		w.unit(i, &u)
	}
	back()
	w.depth--
	return next
}

// visit prepares for a look at the DIE at off, which may lie in another unit; back returns to where the cursor was. An error
// met in between stays.
func (w *walker) visit(off uint32) (back func()) {
	c, u, current := w.c, w.u, 0
	if m := w.whole; m != nil {
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
		if w.whole != nil {
			w.whole.current = current
		}
	}
}
