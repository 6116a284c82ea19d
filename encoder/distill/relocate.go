package distill

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Relocate puts a split object that continues a distilled base onto a real base, as the kernel does when it loads a module:
// every type of the distilled base is looked up in the real one, by name and, where the layout of the module depends on it, by size.
// The module's own types keep their order, and their references and names lead to the real base. split is not changed.
//
// The rules are those of the kernel (rule 03/14), with two oddities of its: the kind of the type that a distilled struct or union is
// matched with is not compared, and a forward matches a struct or union by the kind flag, which there means bit fields.
func Relocate(split, distilled, base *btf.Object) (*btf.Object, error) {
	if split.First() != distilled.End() || split.Strings.Start() != distilled.Strings.End() {
		return nil, fmt.Errorf("the split object starts at type %d and string %#x, the distilled base ends at type %d and string %#x",
			split.First(), split.Strings.Start(), distilled.End(), distilled.Strings.End())
	}
	m := &matcher{distilled: distilled, base: base, byName: map[string][]btf.ID{}, to: make([]uint32, distilled.End())}
	if err := m.index(); err != nil {
		return nil, err
	}
	m.findEmbedded(split)
	if err := m.match(); err != nil {
		return nil, err
	}
	// Below this line every type of the distilled base has its counterpart.
	o, err := btf.Parse(split.AppendWire(nil), base)
	if err != nil {
		return nil, err
	}
	return o, m.rewrite(o, split)
}

// A matcher pairs the types of a distilled base with those of a real one.
type matcher struct {
	distilled, base *btf.Object
	byName          map[string][]btf.ID // distilled types
	embedded        []bool              // by distilled id: lies by value in a struct or union of the module
	to              []uint32            // by distilled id: the type of the real base
}

// index checks that a distilled base holds what such a base may hold, and files it by name.
func (m *matcher) index() error {
	for id, r := range m.distilled.All() {
		if !distillable.Has(r.Kind()) {
			return fmt.Errorf("distilled base: type %d is a %s, which no distilled base holds", id, r.Kind())
		}
		name := m.distilled.Name(r.Name())
		if name == "" {
			return fmt.Errorf("distilled base: type %d, a %s, is anonymous", id, r.Kind())
		}
		m.byName[name] = append(m.byName[name], id)
	}
	return nil
}

// findEmbedded marks the distilled types whose size is part of the layout of a struct or union of the module: the types of its members,
// behind modifiers and arrays.
func (m *matcher) findEmbedded(split *btf.Object) {
	m.embedded = make([]bool, m.distilled.End())
	walked := make([]bool, split.Len()) // own types whose chain has been followed
	for _, r := range split.All() {
		if !btf.Composites.Has(r.Kind()) {
			continue
		}
		for i := range r.Vlen() {
			id := btf.ID(r.Elem(i)[1])
			for split.Own(id) && !walked[id-split.First()] {
				walked[id-split.First()] = true
				id = valueOf(split.At(id))
			}
			if id < split.First() {
				m.embedded[id] = true
			}
		}
	}
}

// valueOf returns the type whose values a modifier or array holds, and 0 for other kinds.
func valueOf(r btf.Record) btf.ID {
	switch k := r.Kind(); {
	case btf.Modifiers.Has(k):
		return r.Type()
	case k == btf.KindArray:
		return btf.ID(r[3])
	}
	return 0
}

// match finds, for each distilled type, the type of the real base that it stands for. None and more than one are errors.
func (m *matcher) match() error {
	// By name offset: where a base holds a string twice, these are two names, as they are for the kernel.
	composites := map[uint32]int{}
	for id := btf.ID(1); id < m.base.End(); id++ {
		if r, _ := m.base.Record(id); btf.Composites.Has(r.Kind()) {
			composites[r.Name()]++
		}
	}
	for id := btf.ID(1); id < m.base.End(); id++ {
		r, _ := m.base.Record(id)
		if r.Name() == 0 || !findable.Has(r.Kind()) {
			continue
		}
		for _, d := range m.byName[m.base.Name(r.Name())] {
			if !m.standsFor(r, d, composites[r.Name()] > 1) {
				continue
			}
			if first := m.to[d]; first != 0 {
				return m.errorf(d, "could be type %d and type %d of the base", first, id)
			}
			m.to[d] = uint32(id)
		}
	}
	for id := range m.distilled.All() {
		if m.to[id] == 0 {
			return m.errorf(id, "is not in the base")
		}
	}
	return nil
}

func (m *matcher) errorf(id btf.ID, format string, args ...any) error {
	r := m.distilled.At(id)
	return fmt.Errorf("distilled base: type %d (%s %s, size %d) %s", id, r.Kind(), m.distilled.Name(r.Name()), r.Size(),
		fmt.Sprintf(format, args...))
}

const (
	// distillable are the kinds of which a distilled base is made.
	distillable = btf.Composites | 1<<btf.KindInt | 1<<btf.KindFloat | 1<<btf.KindEnum | 1<<btf.KindFwd
	// findable are the kinds of the real base that a distilled type can stand for.
	findable = distillable | 1<<btf.KindEnum64
)

// standsFor reports whether a type of the base, which has the name of the distilled type id, matches it. ambiguous says that the base
// has several structs and unions of that name.
func (m *matcher) standsFor(r btf.Record, id btf.ID, ambiguous bool) bool {
	d := m.distilled.At(id)
	k := r.Kind()
	switch d.Kind() {
	case btf.KindInt:
		return k == btf.KindInt && r.Size() == d.Size() && encoding(r) == encoding(d)
	case btf.KindFloat:
		return k == btf.KindFloat && r.Size() == d.Size()
	case btf.KindEnum:
		return btf.Enums.Has(k) && r.Size() == d.Size()
	case btf.KindFwd:
		switch k {
		case btf.KindFwd:
			return r.Kflag() == d.Kflag()
		case btf.KindStruct:
			return !r.Kflag() && !d.Kflag()
		case btf.KindUnion:
			return r.Kflag() && d.Kflag()
		}
		return false
	}
	bySize := m.embedded[id]
	if k != btf.KindFwd {
		bySize = bySize || ambiguous || !btf.Composites.Has(k)
	}
	return !bySize || r.Size() == d.Size()
}

// encoding returns the encoding bits of an INT.
func encoding(r btf.Record) uint32 {
	bits, _, _ := btf.IntData(r[3])
	return bits
}

// rewrite replaces the references and name offsets of o, a copy of split, that lead to the distilled base by those of the real one.
func (m *matcher) rewrite(o, split *btf.Object) error {
	names := map[uint32]uint32{0: 0} // distilled offset to real one
	for id, r := range m.distilled.All() {
		t, _ := m.base.Record(btf.ID(m.to[id]))
		names[r.Name()] = t.Name()
	}
	first, firstName := uint32(split.First()), split.Strings.Start()
	for id, r := range o.All() {
		var err error
		r.References(func(ref *uint32) {
			switch {
			case *ref >= uint32(split.End()):
				err = fmt.Errorf("type %d refers to type %d of %d", id, *ref, split.End())
			case *ref >= first:
				*ref += uint32(o.First()) - first
			default:
				*ref = m.to[*ref]
			}
		})
		r.StringOffsets(func(off *uint32) {
			if *off >= firstName {
				*off += o.Strings.Start() - firstName
				return
			}
			to, ok := names[*off]
			if !ok {
				err = fmt.Errorf("type %d has a name at %#x, where the distilled base names no type", id, *off)
			}
			*off = to
		})
		if err != nil {
			return err
		}
	}
	return nil
}
