package cause

import "github.com/btfbatch/btfbatch/encoder/btf"

// A layout is the size of a type, and the alignment that C would give it.
type layout struct {
	size  uint64
	align uint32 // in bytes, a power of two; 0 is not known yet
	known bool   // all types that determine the size exist
}

var noLayout = layout{align: 1}

// pointerSize returns the size of a pointer in bytes. BTF does not record it; it is the size of a long on all machines that Linux supports.
func pointerSize(o *btf.Object) uint64 {
	for o := o; o != nil; o = o.Base {
		for _, r := range o.All() {
			if r.Kind() != btf.KindInt || r[2] != 8 && r[2] != 4 {
				continue
			}
			if name := o.Name(r.Name()); name == "long unsigned int" || name == "unsigned long" || name == "long" || name == "long int" {
				return uint64(r[2])
			}
		}
	}
	return 0
}

// layoutOf returns the layout of a type, computed with a stack instead of recursion, as in resolve.
func (s *side) layoutOf(id uint32) layout {
	if s.layouts == nil {
		s.layouts = make([]layout, len(s.refs))
	}
	if int(id) >= len(s.layouts) || id == 0 {
		return noLayout
	}
	if l := s.layouts[id]; l.align != 0 {
		return l
	}
	s.stack = append(s.stack[:0], id)
	for len(s.stack) > 0 {
		top := s.stack[len(s.stack)-1]
		state := &s.layouts[top]
		r, ok := s.record(top)
		if !ok || state.align != 0 && !state.open() {
			if !ok {
				*state = noLayout
			}
			s.stack = s.stack[:len(s.stack)-1]
			continue
		}
		if state.align == 0 {
			state.align = openAlign
			n := len(s.stack)
			held(r, func(id uint32) {
				if id != 0 && int(id) < len(s.layouts) && s.layouts[id].align == 0 {
					s.stack = append(s.stack, id)
				}
			})
			if len(s.stack) > n {
				continue
			}
		}
		s.stack = s.stack[:len(s.stack)-1]
		*state = s.laid(r)
	}
	return s.layouts[id]
}

// openAlign marks a type whose layout is being computed. It is not a valid alignment.
const openAlign = 3

func (l *layout) open() bool { return l.align == openAlign }

// held calls f for every type that a record holds by value.
func held(r btf.Record, f func(id uint32)) {
	switch k := r.Kind(); {
	case btf.Modifiers.Has(k), k == btf.KindVar:
		f(r[2])
	case k == btf.KindArray:
		f(r[3])
	case btf.Composites.Has(k):
		for m := r[3:]; len(m) >= 3; m = m[3:] {
			f(m[1])
		}
	}
}

// knownLayout returns the layout of a type that laid may use: one that is computed, or none if a type holds itself.
func (s *side) knownLayout(id uint32) layout {
	if id == 0 || int(id) >= len(s.layouts) || s.layouts[id].open() || s.layouts[id].align == 0 {
		return noLayout
	}
	return s.layouts[id]
}

// laid returns the layout of a record. The layouts of all types that it holds are known.
func (s *side) laid(r btf.Record) layout {
	switch k := r.Kind(); {
	case k == btf.KindPtr:
		return layout{s.pointer, natural(s.pointer), s.pointer != 0}
	case btf.Modifiers.Has(k), k == btf.KindVar:
		return s.knownLayout(r[2])
	case k == btf.KindArray:
		l := s.knownLayout(r[3])
		l.size *= uint64(r[5])
		return l
	case btf.Composites.Has(k):
		l := layout{uint64(r[2]), 1, true}
		for m := r[3:]; len(m) >= 3; m = m[3:] {
			if _, width := btf.MemberOffset(m[2], r.Kflag()); width == 0 {
				l.align = max(l.align, s.knownLayout(m[1]).align)
			}
		}
		return l
	case btf.Sized.Has(k):
		return layout{uint64(r[2]), natural(uint64(r[2])), true}
	}
	return noLayout
}

// natural returns the alignment in bytes that C gives to a scalar of a size.
func natural(size uint64) uint32 {
	for a := uint64(16); a > 1; a /= 2 {
		if size >= a && size%a == 0 {
			return uint32(a)
		}
	}
	return 1
}

// sized returns the size of a type in bytes, if it is known.
func (s *side) sized(id uint32) uint64 {
	if l := s.layoutOf(id); l.known {
		return l.size
	}
	return 0
}
