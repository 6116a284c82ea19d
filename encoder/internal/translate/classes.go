package translate

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// The class of a type is a hash of its words, with the contributions of the types that it refers to in place of the references
// (package nominal). The contribution of a type with a name is its kind and name; that of any other type is its class.
//
// When the walk appends a type, it computes the contribution if it can: that is, if the type has a name, or refers to one earlier
// type. The end of the unit does the rest: types with references to later types, and the classes of types with a name.

// maxClassChain bounds the recursion from type to type between names. No source nests that deep; a cycle without a name exceeds
// it.
const maxClassChain = 4096

// classify computes the class of every type of the unit, after all references have become local ids or lazy. Until its end, Class
// holds the contributions. It goes from the last type to the first, since references to later types are what is left.
func (w *walker) classify() {
	t := w.t
	w.chained, w.endless = 0, false
	class, words, starts := t.Class, t.Types.Words(), t.Types.Starts()
	for _, id := range w.composed { // done first, so that the loop below rarely recurses
		w.contribution(id)
	}
	for i := len(w.unhashed) - 1; i >= 0; i-- {
		id := w.unhashed[i]
		if class[id].Known() {
			continue
		}
		r := btf.Record(words[starts[id-1]:])
		if btf.References.HasKnown(r.Kind()) && class[r[2]].Known() {
			class[id] = nominal.Begin(uint64(r[0])<<32|uint64(r[1]), class[r[2]])
		} else {
			w.compute(id)
		}
	}
	w.contents = w.contents[:0]
	for _, id := range t.Named {
		w.contents = append(w.contents, w.namedContent(words[starts[id-1]:]))
	}
	for i, id := range t.Named {
		class[id] = w.contents[i]
	}
	if w.endless {
		t.Class = nil
	}
}

// namedContent is content for a struct, union, enum or forward. r has all words of the record, and other records follow it.
func (w *walker) namedContent(r btf.Record) nominal.Hash {
	h := nominal.Begin(uint64(r[0])<<32|uint64(r[1]), nominal.Plain(r[2]))
	switch r.Kind() {
	case btf.KindFwd:
		return h
	case btf.KindStruct, btf.KindUnion:
		return w.memberHash(h, r[3:3+3*r.Vlen()])
	}
	return w.content(r[:3+r.Vlen()*int(btf.ShapeOf(r.Kind()).Each)])
}

// contribution returns what a reference to a type contributes.
func (w *walker) contribution(id uint32) nominal.Hash {
	if h := w.t.Class[id]; h.Known() {
		return h
	}
	return w.compute(id)
}

// compute computes the contribution of a type whose contribution is not known.
func (w *walker) compute(id uint32) nominal.Hash {
	if w.chained++; w.chained > maxClassChain || w.endless {
		w.endless = true
		return nominal.Hash{}
	}
	t := w.t
	h := w.content(t.Types.At(btf.ID(id)))
	w.chained--
	if !h.Known() {
		h.A = 1
	}
	t.Class[id] = h
	return h
}

// content hashes a record. It omits the index type of an array, which is the same for all arrays of an image.
func (w *walker) content(r btf.Record) nominal.Hash {
	head := uint64(r[0])<<32 | uint64(r[1])
	switch r.Kind() {
	case btf.KindStruct, btf.KindUnion:
		return w.memberHash(nominal.Begin(head, nominal.Plain(r[2])), r[3:])
	case btf.KindFuncProto:
		h := nominal.Begin(head, w.contribution(r[2]))
		if w.lazyRefs {
			return w.lazyParams(h, r[3:])
		}
		for at := 4; at < len(r); at += 2 {
			h = h.Element(uint64(r[at-1]), w.contribution(r[at]))
		}
		return h
	case btf.KindArray:
		return nominal.Begin(head|uint64(r[5])<<32, w.contribution(r[3])) // an array has no name
	case btf.KindInt, btf.KindFloat, btf.KindFwd, btf.KindEnum, btf.KindEnum64:
		h := nominal.Begin(head, nominal.Plain(r[2]))
		for e := r[3:]; len(e) > 0; {
			v := uint64(e[0]) << 32
			if e = e[1:]; len(e) > 0 {
				v |= uint64(e[0])
				e = e[1:]
			}
			h = h.Element(v, nominal.Plain(0))
		}
		return h
	}
	return nominal.Begin(head, w.contribution(r[2]))
}

// memberHash continues the hash of a struct or union with its members, three words each.
func (w *walker) memberHash(h nominal.Hash, members []uint32) nominal.Hash {
	if w.lazyRefs {
		return w.lazyMembers(h, members)
	}
	for at := 2; at < len(members); at += 3 {
		h = h.Element(uint64(members[at-2])<<32|uint64(members[at]), w.contribution(members[at-1]))
	}
	return h
}

// lazyMembers is memberHash for members that refer to offsets. It is a hot loop: every reference of a composite is looked up
// once. In a function of its own the loop has all registers, and slow cases are handled outside of it.
//
//go:noinline
func (w *walker) lazyMembers(h nominal.Hash, members []uint32) nominal.Hash {
	dies, byOff := w.t.Dies, w.byOff
	class := w.t.Class[:len(dies)]
	for {
		at := 0
		for ; at < len(members)-2; at += 3 {
			v, off := uint64(members[at])<<32|uint64(members[at+2]), uint(members[at+1])
			if off >= uint(len(byOff)) {
				break
			}
			id := uint(byOff[off])
			if id >= uint(len(dies)) || uint(dies[id].Off) != off || !class[id].Known() {
				break
			}
			h = h.Element(v, class[id])
		}
		if at >= len(members)-2 {
			return h
		}
		h = h.Element(uint64(members[at])<<32|uint64(members[at+2]), w.lazyContribution(members[at+1]))
		members = members[at+3:]
	}
}

// lazyParams is lazyMembers for the parameters of a prototype, two words each.
//
//go:noinline
func (w *walker) lazyParams(h nominal.Hash, params []uint32) nominal.Hash {
	dies, byOff := w.t.Dies, w.byOff
	class := w.t.Class[:len(dies)]
	for {
		at := 0
		for ; at < len(params)-1; at += 2 {
			name, off := uint64(params[at]), uint(params[at+1])
			if off >= uint(len(byOff)) {
				break
			}
			id := uint(byOff[off])
			if id >= uint(len(dies)) || uint(dies[id].Off) != off || !class[id].Known() {
				break
			}
			h = h.Element(name, class[id])
		}
		if at >= len(params)-1 {
			return h
		}
		h = h.Element(uint64(params[at]), w.lazyContribution(params[at+1]))
		params = params[at+2:]
	}
}

// lazyContribution is contribution for the type at an offset. There may be no type, or the index may only say that the id is in
// the map of far ids.
func (w *walker) lazyContribution(off uint32) nominal.Hash {
	if off == 0 || uint64(off) >= uint64(len(w.byOff)) {
		return nominal.Void
	}
	return w.contribution(uint32(w.local(dwarf.Offset(off))))
}
