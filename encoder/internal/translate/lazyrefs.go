package translate

import "github.com/btfbatch/btfbatch/encoder/btf"

// Of the types of a unit, ninety-nine of a hundred are only recognised and forgotten. What the members of a composite and the
// parameters of a prototype refer to is looked up once, to compute the class. In the record the reference stays the offset of a DIE: it is
// lazy. Lazy references are resolved to local ids where they are needed: in the few records that go into the object, and in the few
// units that deviate.

// resolveEagerly hands the lazy references to resolve, which follows them with the others, if the unit cannot have lazy ones: because one
// of its passes needs their local ids, or because types are not in the order of their offsets, by which Unit.At finds them.
func (w *walker) resolveEagerly() {
	if !w.lazyRefs || !w.moved && inOrder(w.t.Dies) && !w.opt.EagerRefs && !w.opt.PlainFields && len(w.aliases) == 0 && len(w.storage) == 0 && !(w.unsized && !w.opt.keepsUnsized()) {
		return
	}
	w.lazyRefs = false
	words, starts := w.t.Types.Words(), w.t.Types.Starts()
	for i := range starts {
		r := w.t.Types.At(btf.ID(i + 1))
		at, step := lazyRefsIn(r.Kind())
		for ; step != 0 && at < len(r); at += step {
			if words[int(starts[i])+at] != 0 {
				w.forward = append(w.forward, starts[i]+uint32(at))
			}
		}
	}
}

// inOrder reports whether types come in the order of their offsets.
func inOrder(dies []Die) bool {
	last := uint32(0)
	for i := range dies {
		off := dies[i].Off
		if off < last {
			return false
		}
		last = off
	}
	return true
}

// lazyRefsIn is where the references that may be lazy start in a record of a kind, and how far they are apart: 0 if there are none.
func lazyRefsIn(k btf.Kind) (at, step int) {
	switch k {
	case btf.KindStruct, btf.KindUnion:
		return 4, 3
	case btf.KindFuncProto:
		return 4, 2
	}
	return 0, 0
}

// ResolveRefs makes all lazy references local ids. It is the one change of a Unit behind the translation, and is up to the join, which has the
// unit to itself; all others ask Resolved.
func (t *Unit) ResolveRefs() {
	if !t.LazyRefs {
		return
	}
	for i := range t.Types.Len() {
		r := t.Types.At(btf.ID(i + 1))
		at, step := lazyRefsIn(r.Kind())
		for ; step != 0 && at < len(r); at += step {
			r[at] = uint32(t.At(r[at]))
		}
	}
	t.LazyRefs = false
}

// Resolved is the local id that a reference of a member or parameter stands for, whether or not it is lazy.
func (t *Unit) Resolved(ref uint32) LocalID {
	if t.LazyRefs {
		return t.At(ref)
	}
	return LocalID(ref)
}

// At is the local id of the type at an offset, 0 when there is none there. The outermost of the dimensions of an array, which are
// all at one offset, comes last.
func (t *Unit) At(off uint32) LocalID {
	id, end := 0, len(t.Dies)
	for end-id > 1 { // id is at off or before it, as void is; what follows from end on is behind it
		if m := int(uint(id+end) >> 1); t.Dies[m].Off <= off {
			id = m
		} else {
			end = m
		}
	}
	if off == 0 || t.Dies[id].Off != off {
		return 0
	}
	return LocalID(id)
}
