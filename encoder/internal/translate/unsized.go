package translate

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// Members, elements and parameters that hold void or a function have no BTF: kernels refuse it. No source in C has any, but a typedef
// of void may be meant for some type that the compiler cannot describe. Outside the profile pahole what they hold is an empty
// struct. Where nothing in a unit hints at void, nobody looks.

// replaceUnsized looks at all members, elements and parameters of a unit whose references are followed.
func (w *walker) replaceUnsized() {
	t := w.t
	for id := uint32(1); id < uint32(len(t.Dies)); id++ {
		r := t.Types.At(btf.ID(id))
		at, step := lazyRefsIn(r.Kind())
		if r.Kind() == btf.KindArray {
			at, step = 3, 3
		}
		for ; step != 0 && at < len(r); at += step {
			if r.Kind() == btf.KindFuncProto && r[at] == 0 || !t.unsized(LocalID(r[at])) {
				continue // any number of parameters
			}
			hole := w.emptyStruct()
			r = t.Types.At(btf.ID(id)) // the table may have moved
			r[at] = hole
			w.noteUnsized(dwarf.Offset(t.Dies[id].Off), nameOf(r, at))
		}
	}
}

// replaceUnsizedParams looks at all parameters of functions.
func (w *walker) replaceUnsizedParams() {
	for i := range w.fs.Params {
		if p := &w.fs.Params[i]; p.HasType && w.t.unsized(p.Type) {
			p.Type = LocalID(w.emptyStruct())
			w.noteUnsized(p.Off, p.Name)
		}
	}
}

func (w *walker) noteUnsized(off dwarf.Offset, name dwarf.StrKey) {
	defer w.visit(off)()
	w.note(NoteUnsized, int(off), name, 0)
}

// emptyStruct is the struct that stands for what has no size.
func (w *walker) emptyStruct() uint32 {
	if w.hole == 0 {
		w.moved = true
		w.hole = uint32(w.t.Types.Append3(0, btf.Info(btf.KindStruct, 0, false), 0))
		w.addedHidden()
	}
	return w.hole
}

// nameOf is the name of the member or parameter whose type is at a word of a record, or that of the type around it.
func nameOf(r btf.Record, at int) (key dwarf.StrKey) {
	if r.Kind() != btf.KindArray && r[at-1] != 0 {
		return dwarf.StrKey(r[at-1])
	}
	return dwarf.StrKey(r[0])
}

// unsized reports whether a type is void or a function, behind typedefs and qualifiers.
func (t *Unit) unsized(id LocalID) bool {
	for range maxChain {
		if id == 0 {
			return true
		}
		r := t.Types.At(btf.ID(id))
		if !btf.Modifiers.Has(r.Kind()) {
			return r.Kind() == btf.KindFuncProto
		}
		id = LocalID(r[2])
	}
	return false
}
