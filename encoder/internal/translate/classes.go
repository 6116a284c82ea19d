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

// classify computes the class of every type of the unit, after all references have become local ids or lazy. Until its end, Dies
// hold the contributions. It goes from the last type to the first, since references to later types are what is left.
func (w *walker) classify() {
	t := w.t
	w.chained, w.endless = 0, false
	dies, words, starts := t.Dies, t.Types.Words(), t.Types.Starts()
	for _, id := range w.composed { // done first, so that the loop below rarely recurses
		if !dies[id].Known() {
			w.compute(id)
		}
	}
	for i := len(w.unhashed) - 1; i >= 0; i-- {
		id := w.unhashed[i]
		if dies[id].Known() {
			continue
		}
		r := btf.Record(words[starts[id-1]:])
		if btf.References.HasKnown(r.Kind()) && dies[r[2]].Known() {
			dies[id].Set(nominal.Begin(uint64(r[0])<<32|uint64(r[1]), dies[r[2]].Hash()))
		} else {
			w.compute(id)
		}
	}
	w.contents = w.contents[:0]
	for _, id := range t.Named {
		w.contents = append(w.contents, w.content(words[starts[id-1]:]))
	}
	for i, id := range t.Named {
		dies[id].Set(w.contents[i])
	}
	t.Endless = w.endless
}

// contribution returns what a reference to a type contributes.
func (w *walker) contribution(id uint32) nominal.Hash {
	if h := w.t.Dies[id].Hash(); h.Known() {
		return h
	}
	return w.compute(id)
}

// compute computes the contribution of a type whose contribution is not known. It is not inlined, so that contribution is.
//
//go:noinline
func (w *walker) compute(id uint32) nominal.Hash {
	if w.chained++; w.chained > maxClassChain || w.endless {
		w.endless = true
		return nominal.Hash{}
	}
	t := w.t
	h := w.content(t.Types.Words()[t.Types.Starts()[id-1]:])
	w.chained--
	if !h.Known() {
		h.A = 1
	}
	t.Dies[id].Set(h)
	return h
}

// content hashes the record at the start of r, which other records may follow. It omits the index type of an array, which is the same
// for all arrays of an image.
func (w *walker) content(r btf.Record) nominal.Hash {
	_ = r[2] // the only bounds check of these words
	head := uint64(r[0])<<32 | uint64(r[1])
	switch r.Kind() {
	case btf.KindStruct, btf.KindUnion:
		return w.memberHash(nominal.Begin(head, nominal.Plain(r[2])), r[3:3+3*r.Vlen()])
	case btf.KindFuncProto:
		h := nominal.Begin(head, w.contribution(r[2]))
		params := r[3 : 3+2*r.Vlen()]
		if w.lazyRefs {
			return w.lazyParams(h, params)
		}
		for at := 1; at < len(params); at += 2 {
			h = h.Element(uint64(params[at-1]), w.contribution(params[at]))
		}
		return h
	case btf.KindArray:
		return nominal.Begin(head|uint64(r[5])<<32, w.contribution(r[3])) // an array has no name
	case btf.KindInt, btf.KindFloat, btf.KindFwd, btf.KindEnum, btf.KindEnum64:
		h := nominal.Begin(head, nominal.Plain(r[2]))
		shape := btf.ShapeOf(r.Kind())
		for e := r[3 : 3+int(shape.Once)+r.Vlen()*int(shape.Each)]; len(e) > 0; {
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
	for {
		at := 0
		for ; at < len(members)-2; at += 3 {
			v, off := uint64(members[at])<<32|uint64(members[at+2]), uint(members[at+1])
			if off >= uint(len(byOff)) {
				break
			}
			id := uint(byOff[off])
			if id >= uint(len(dies)) {
				break
			}
			die := &dies[id]
			if uint(die.Off) != off || !die.Known() {
				break
			}
			h = h.Element(v, die.Hash())
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
	for {
		at := 0
		for ; at < len(params)-1; at += 2 {
			name, off := uint64(params[at]), uint(params[at+1])
			if off >= uint(len(byOff)) {
				break
			}
			id := uint(byOff[off])
			if id >= uint(len(dies)) {
				break
			}
			die := &dies[id]
			if uint(die.Off) != off || !die.Known() {
				break
			}
			h = h.Element(name, die.Hash())
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
