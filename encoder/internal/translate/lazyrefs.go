package translate

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The problem: 99 of 100 types of a unit are recognised by their class and then dropped. Turning all references of their members
// and parameters into local ids is wasted work.
//
// The idea: such references are looked up once, for the class, but the record keeps the offset of the DIE. These references are
// lazy. They are resolved to local ids only where these are needed: in the few records that go into the object, and in units that
// deviate.

// resolveEagerly passes the lazy references to resolve if the unit cannot have lazy ones. There are two reasons: a pass over the
// unit needs the local ids, or types are not in the order of their offsets, in which Unit.At searches.
func (w *walker) resolveEagerly() {
	needed := w.moved || w.opt.EagerRefs || w.opt.PlainFields || len(w.aliases) != 0 || len(w.storage) != 0 || len(w.rustFields) != 0 ||
		w.unsized && !w.opt.keepsUnsized()
	if !w.lazyRefs || !needed {
		return
	}
	w.lazyRefs = false
	w.forwardLater()
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

// lazyRefsIn returns the first word of a record that can be a lazy reference, and the distance between such words; 0 if the kind
// has none.
func lazyRefsIn(k btf.Kind) (at, step int) {
	switch k {
	case btf.KindStruct, btf.KindUnion:
		return 4, 3
	case btf.KindFuncProto:
		return 4, 2
	}
	return 0, 0
}

// ResolveRefs turns all lazy references into local ids. Nothing else changes a Unit after the translation. Only the join calls
// it, while it is the only user of the unit; everyone else calls Resolved.
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

// Resolved returns the local id that the reference of a member or parameter means, whether or not it is lazy.
func (t *Unit) Resolved(ref uint32) LocalID {
	if t.LazyRefs {
		return t.At(ref)
	}
	return LocalID(ref)
}

// At returns the local id of the type at an offset, 0 if there is none. All dimensions of an array have one offset; At returns
// the outermost, which comes last.
func (t *Unit) At(off uint32) LocalID {
	id, end := 0, len(t.Dies)
	for end-id > 1 { // id is at off or before it, as void is; all types from end on are after it
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
