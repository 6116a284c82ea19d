package measure

import (
	"cmp"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
)

// A State says how a variable of a section compares with the golden, or that it is not in the BTF.
type State string

// The states.
const (
	Same    State = ""         // as in the golden, or there is no golden
	Added   State = "added"    // the golden does not have it
	Removed State = "removed"  // only the golden has it
	Moved   State = "moved"    // it has another offset
	Changed State = "changed"  // its type, size or linkage changed; it may have moved too
	LeftOut State = "left out" // the image has it, the BTF does not
)

// A Section has the variables of one section of an image.
type Section struct {
	Name      string
	Size      uint64     // in the image
	Old       uint64     // the end of the last variable in the golden, if that differs
	Variables []Variable // by offset; those of LeftOut and Removed too
	Holes     int        // places without a variable or a symbol
	HoleBytes uint64     // their size
	Count     int        // variables in the BTF
}

// A Variable is a variable of a section, or a symbol that is not in the BTF.
type Variable struct {
	Name   string
	Type   string // as C spells it
	Offset uint64 // of a removed one: in the golden
	Size   uint64
	State  State
	// Old is the offset in the golden of a variable that moved, or the same as Offset.
	Old uint64
	// Rule and Reason say why a variable is left out.
	Rule   string
	Reason string
}

// Distance returns by how many bytes a variable moved.
func (v *Variable) Distance() int64 { return int64(v.Offset - v.Old) }

// InSection returns the variables that a DATASEC of an object lists, together with those that were left out. size is the size of the section
// in the image. It returns nil if the section has neither.
func InSection(o *btf.Object, name string, size uint64, leftOut []Variable) *Section {
	s := &Section{Name: name, Size: size}
	types := cause.NewSpeller(o)
	for _, r := range o.All() {
		if r.Kind() != btf.KindDatasec || o.Name(r.Name()) != name {
			continue
		}
		for i := range r.Vlen() {
			e := r.Elem(i)
			v := Variable{Offset: uint64(e[1]), Old: uint64(e[1]), Size: uint64(e[2])}
			if id := btf.ID(e[0]); o.Own(id) {
				x := o.At(id)
				v.Name, v.Type = o.Name(x.Name()), types.Type(x.Type())
			}
			s.Variables = append(s.Variables, v)
		}
		s.Size = max(s.Size, uint64(r.Size()))
	}
	s.Count = len(s.Variables)
	kept := make(map[uint64]bool, s.Count) // by offset
	for i := range s.Variables {
		kept[s.Variables[i].Offset] = true
	}
	for _, v := range leftOut {
		if v.Offset < s.Size && !kept[v.Offset] { // a weak definition of a variable that is there is not drawn
			v.State, v.Old = LeftOut, v.Offset
			s.Variables = append(s.Variables, v)
		}
	}
	if len(s.Variables) == 0 {
		return nil
	}
	s.sort()
	s.Variables = slices.CompactFunc(s.Variables, func(a, b Variable) bool {
		return a.State == LeftOut && b.State == LeftOut && a.Offset == b.Offset && a.Name == b.Name
	})
	s.holes()
	return s
}

func (s *Section) sort() {
	slices.SortStableFunc(s.Variables, func(a, b Variable) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(b.Size, a.Size), cmp.Compare(a.Name, b.Name))
	})
}

// holes counts the places that no variable and no symbol covers.
func (s *Section) holes() {
	s.Holes, s.HoleBytes = 0, 0
	end := uint64(0)
	gap := func(next uint64) {
		if next > end {
			s.Holes++
			s.HoleBytes += next - end
		}
	}
	for i := range s.Variables {
		v := &s.Variables[i]
		if v.State == Removed {
			continue
		}
		gap(v.Offset)
		end = max(end, min(v.Offset+v.Size, s.Size))
	}
	gap(s.Size)
}

// Against marks what a comparison with a golden says about the variables, and adds those that only the golden has.
func (s *Section) Against(c *cause.Comparison) {
	if s == nil || c == nil {
		return
	}
	if !slices.ContainsFunc(c.Sections, func(x cause.SectionChange) bool { return x.Name == s.Name }) {
		return
	}
	type key struct {
		name   string
		offset uint64
	}
	at, named := make(map[key]int, len(s.Variables)), make(map[string]int, len(s.Variables))
	for i := range s.Variables {
		if v := &s.Variables[i]; v.State != LeftOut {
			at[key{v.Name, v.Offset}], named[v.Name] = i, i
		}
	}
	mark := func(name string, place *cause.Extent, state State, old *cause.Extent) {
		i, ok := named[name]
		if place != nil {
			i, ok = at[key{name, place.Bit / 8}]
		}
		if !ok {
			return
		}
		v := &s.Variables[i]
		if v.State == Same || state != Moved {
			v.State = state
		}
		if old != nil {
			v.Old = old.Bit / 8
		}
	}
	for i := range c.Consequences { // variables that moved or grew because of others
		x := &c.Consequences[i]
		if x.Kind != cause.Var || x.NewAt == nil || x.OldAt == nil {
			continue
		}
		state := Moved
		if x.Size.Delta() != 0 {
			state = Changed
		}
		mark(x.Name, x.NewAt, state, x.OldAt)
	}
	var removed []Variable
	for _, sec := range c.Sections {
		if sec.Name != s.Name {
			continue
		}
		if sec.Size.Old != sec.Size.New {
			s.Old = sec.Size.Old
		}
		for _, id := range sec.Causes {
			if id < 1 || id > len(c.Causes) {
				continue
			}
			x := &c.Causes[id-1]
			old, place := extents(x)
			switch {
			case x.Op == cause.Added:
				mark(x.Name, place, Added, place)
			case x.Op == cause.Removed && old != nil:
				removed = append(removed, Variable{Name: x.Name, Type: x.Declaration, Offset: old.Bit / 8, Old: old.Bit / 8, Size: old.Bytes, State: Removed})
			case len(x.Rules) == 1 && x.Rules[0] == cause.VarPlace:
				mark(x.Name, place, Moved, old)
			default:
				mark(x.Name, place, Changed, old)
			}
		}
	}
	s.Variables = append(s.Variables, removed...)
	s.sort()
}

// extents returns the places of a variable before and after, as far as its changes name them.
func extents(x *cause.Cause) (old, new *cause.Extent) {
	for i := range x.Members {
		m := &x.Members[i]
		if m.OldAt != nil {
			old = m.OldAt
		}
		if m.NewAt != nil {
			new = m.NewAt
		}
	}
	return old, new
}
