package dwarf

import (
	"fmt"
	"sort"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// The problem: units that refer to each other cannot be read one by one. The idea: MergedUnits has all sections with units in one piece of memory,
// one after another: .debug_types, .debug_info, and then the .debug_info of the supplementary file. A position in it is used in place of an offset
// in a unit, so a Cursor on one unit can return references into any other. A binary search finds the unit that contains a position.

// MergedUnits are all units of an image in one piece of memory. They are not changed after they were read. Units that they open belong to the caller.
type MergedUnits struct {
	d     *Data
	data  []byte
	size  int
	parts []*part
	units []mergedUnit // sorted by position
	order []int        // numbers of the units to walk, in order
	sigs  map[uint64]uint64

	signed bool // every reference to a signature must lead to a type unit
}

// A part is one section of MergedUnits.
type part struct {
	w       *MergedUnits
	d       *Data
	inTypes bool
	from    int    // position of the section's first byte
	sup     uint64 // position of the first byte of the supplementary file's .debug_info, or NoRef
	scan    bool   // it is only scanned for references
}

type mergedUnit struct {
	part  *part
	off   uint64 // offset in its section
	at    int    // position of its header
	end   int
	index int  // number in section order
	gap   bool // zeros in place of a unit
}

// maxMerged is the maximum size of MergedUnits in bytes. Translation needs one bit of each position.
const maxMerged = 1<<31 - 1

// MergeUnits reads all units of an image. With the argument true, references to signatures of type units can be followed, and a reference to an
// unknown signature is an error.
func (d *Data) MergeUnits(signatures bool) (*MergedUnits, error) {
	w := &MergedUnits{d: d, signed: signatures}
	if signatures {
		w.sigs = make(map[uint64]uint64)
	}
	secs := []*section{&d.types, &d.info}
	owners := []*Data{d, d}
	if d.sup != nil {
		secs, owners = append(secs, &d.sup.info), append(owners, d.sup)
	}
	if err := w.load(secs); err != nil {
		return nil, err
	}
	from := 0
	for i, s := range secs {
		w.parts = append(w.parts, &part{w: w, d: owners[i], inTypes: i == 0, from: from, sup: NoRef})
		from += int(s.size)
	}
	if d.sup != nil {
		for _, p := range w.parts[:2] {
			p.sup = uint64(w.parts[2].from)
		}
	}
	for i, s := range secs {
		if err := w.addUnits(w.parts[i], s); err != nil {
			return nil, err
		}
	}
	return w, w.setOrder()
}

// HasTypeUnits reports whether there are units in .debug_types.
func (d *Data) HasTypeUnits() bool { return d.types.size != 0 }

// TypeUnits reads only the units of .debug_types.
func (d *Data) TypeUnits() (*MergedUnits, error) {
	w := &MergedUnits{d: d, sigs: make(map[uint64]uint64)}
	if err := w.load([]*section{&d.types}); err != nil {
		return nil, err
	}
	w.parts = []*part{{w: w, d: d, inTypes: true, sup: NoRef}}
	d.sigs = make(map[uint64]uint64)
	if err := w.addUnits(w.parts[0], &d.types); err != nil {
		return nil, err
	}
	return w, w.setOrder()
}

// Number sets the local ids of the types of TypeUnits. After that, references to them from units of .debug_info give the sum of Unit.Len and the id.
func (w *MergedUnits) Number(id func(pos Offset) uint32) {
	if w.d.sigs == nil {
		return
	}
	for sig, pos := range w.sigs {
		n := uint64(id(Offset(pos)))
		w.d.sigs[sig], w.d.sigMax = n, max(w.d.sigMax, n)
	}
}

// load reads sections one after another.
func (w *MergedUnits) load(secs []*section) error {
	total := uint64(0)
	for _, s := range secs {
		if total += s.size; total > maxMerged || s.size > maxMerged {
			return s.err(0, "the units refer to each other, and their %d bytes are too many to be read together", total)
		}
	}
	w.size = int(total)
	w.data = make([]byte, total+slack)
	b := w.data
	for _, s := range secs {
		if s.whole != nil {
			copy(b, s.whole[:s.size])
		} else if s.size != 0 {
			if err := s.read(b[:s.size], 0, s.size); err != nil {
				return err
			}
		}
		b = b[s.size:]
	}
	return nil
}

// addUnits finds the units of a part.
func (w *MergedUnits) addUnits(p *part, s *section) error {
	sec := section{s: s.s, size: s.size, whole: w.data[p.from : p.from+int(s.size)+slack]}
	r := &Reader{d: p.d, sec: &sec, inTypes: p.inTypes}
	var u Unit
	for r.off < sec.size {
		if _, err := r.Next(&u); err != nil {
			return err
		}
		at := p.from + int(u.Off)
		w.units = append(w.units, mergedUnit{p, u.Off, at, at + u.end, u.Index, u.Empty == Padding})
		if u.Empty == Padding {
			continue
		}
		if _, err := u.readHeader(); err != nil {
			return err
		}
		if w.sigs != nil && (u.kind == unitType || u.kind == unitSplitType) {
			if _, ok := w.sigs[u.sig]; !ok {
				w.sigs[u.sig] = uint64(at) + u.sigType
			}
		}
	}
	return nil
}

// Order returns the numbers of the units to walk, in order: first the units of the supplementary file that are referred to, then those of the image.
func (w *MergedUnits) Order() []int { return w.order }

// Open opens unit i in u.
func (w *MergedUnits) Open(i int, u *Unit) error {
	e := &w.units[i]
	return w.openIn(e, e.part, u)
}

func (w *MergedUnits) openIn(e *mergedUnit, p *part, u *Unit) error {
	table := u.abbrevs
	if table == nil {
		table = &abbrevs{}
	}
	*u = Unit{Index: e.index, Off: e.off, unitBytes: unitBytes{data: w.data, at: e.at, end: e.end, refEnd: w.size},
		origin: origin{d: p.d, part: p, inTypes: p.inTypes}, abbrevs: table, buf: u.buf}
	if e.gap {
		u.Empty = Padding
	}
	if err := u.Open(); err != nil {
		return err
	}
	return u.LongTable().Count()
}

// Find returns the number of the unit that contains a position.
func (w *MergedUnits) Find(pos Offset) (i int, ok bool) {
	i = sort.Search(len(w.units), func(i int) bool { return w.units[i].end > int(pos) })
	return i, i < len(w.units) && int(pos) >= w.units[i].at
}

// Supplementary reports whether unit i is in the supplementary file.
func (w *MergedUnits) Supplementary(i int) bool { return w.units[i].part.d != w.d }

// All returns a Unit without a name that stands for all units, for decoding locations. Its positions are those of the MergedUnits.
func (w *MergedUnits) All(first *Unit) Unit {
	return Unit{
		unitBytes: unitBytes{data: w.data, end: w.size, refEnd: w.size},
		header:    header{Version: first.Version, AddrSize: first.AddrSize, dwarf64: first.dwarf64},
		rootAttrs: rootAttrs{Clang: first.Clang, Lang: first.Lang},
		origin:    origin{d: w.d},
	}
}

// signed returns the position of the type of the type unit with a signature, as a reference in this unit; NoRef if the signature is not known.
func (u *Unit) signed(sig uint64) uint64 {
	sigs, base := u.d.sigs, uint64(u.end)
	if u.part != nil {
		sigs, base = u.part.w.sigs, 0
	}
	if at, ok := sigs[sig]; ok {
		return base + at
	}
	return NoRef
}

// setOrder decides which units are walked, and in which order.
func (w *MergedUnits) setOrder() error {
	var sup []int
	for i := range w.units {
		if w.Supplementary(i) {
			sup = append(sup, i)
		} else {
			w.order = append(w.order, i)
		}
	}
	if len(sup) == 0 {
		return nil
	}
	referred, err := w.referred()
	if err != nil {
		return err
	}
	var first []int
	for _, i := range sup {
		if referred[i] {
			first = append(first, i)
		}
	}
	w.order = append(first, w.order...)
	return nil
}

// maxScanned is the maximum number of references of one DIE that leave its unit.
const maxScanned = 16

// referred finds the units of the supplementary file to which a walked unit refers.
func (w *MergedUnits) referred() (map[int]bool, error) {
	found := make(map[int]bool)
	todo := append([]int(nil), w.order...)
	var u Unit
	var c Cursor
	for len(todo) != 0 {
		e := &w.units[todo[0]]
		todo = todo[1:]
		p := *e.part
		p.scan = true
		if err := w.openIn(e, &p, &u); err != nil {
			return nil, err
		}
		if u.Empty != NotEmpty {
			continue
		}
		c.Start(&u)
		for pos := u.root; pos < u.end && c.Err == nil; pos = c.Next {
			if c.Read(pos) == nil {
				continue
			}
			for s := Slot(0); s < maxScanned; s++ {
				ref, ok := c.Ref(s)
				if !ok {
					continue
				}
				if i, ok := w.Find(ref); ok && w.Supplementary(i) && !found[i] {
					found[i] = true
					todo = append(todo, i)
				}
			}
		}
		if c.CheckRefs(); c.Err != nil {
			return nil, c.Err
		}
	}
	return found, nil
}

// Supplement makes sup the supplementary file of d. The keys of its strings are keys of d.
func (d *Data) Supplement(sup *Data) error {
	if sup.order != d.order {
		return fmt.Errorf("byte order of the supplementary file differs: %w", &elf.FormatError{Section: "ELF header", Offset: 5, Problem: "other byte order"})
	}
	sup.keys, d.sup = &d.Strings, sup
	return nil
}
