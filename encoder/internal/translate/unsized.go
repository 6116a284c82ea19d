package translate

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// The type of a member, element or parameter cannot be void or a function: kernels refuse such BTF. C does not allow it either,
// but a typedef of void may stand for a type that the compiler cannot describe. In the profile default, an empty struct replaces
// such a type. Units in which nothing hints at void are not searched.

// replaceUnsized checks all members, elements and parameters of a unit whose references have been resolved.
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
				continue // the ellipsis of a prototype
			}
			hole := w.emptyStruct()
			r = t.Types.At(btf.ID(id)) // the table may have moved
			r[at] = hole
			w.noteUnsized(dwarf.Offset(t.Dies[id].Off), nameOf(r, at))
		}
	}
}

// replaceUnsizedParams checks the parameters of all functions.
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

// emptyStruct returns the struct that replaces types without a size.
func (w *walker) emptyStruct() uint32 {
	if w.hole == 0 {
		w.moved = true
		w.hole = uint32(w.t.Types.Append3(0, btf.Info(btf.KindStruct, 0, false), 0))
		w.addedHidden()
	}
	return w.hole
}

// nameOf returns the name of the member or parameter whose type is at a word of a record, or the name of the record.
func nameOf(r btf.Record, at int) (key dwarf.StrKey) {
	if r.Kind() != btf.KindArray && r[at-1] != 0 {
		return dwarf.StrKey(r[at-1])
	}
	return dwarf.StrKey(r[0])
}

// unsized reports whether a type, without its typedefs and qualifiers, is void or a function.
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
