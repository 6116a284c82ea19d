package dedup

import (
	"math/bits"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A graph gives access to the types of an object and its bases, by id.
type graph struct {
	o      *btf.Object
	first  uint32     // first own id
	sparse *sparse    // the base, if it is prepared for a single run
	under  *btf.Table // the types of the base, if it is prepared for many runs
	oddities
	// fine says that all names of enums without values are known. Enums with another name can then be in different lists.
	fine bool
}

// oddities records types that equal several types which do not equal each other.
type oddities struct {
	hollow   map[uint32]bool // names of enums without values, which equal every enum of their name
	empties  bool            // one of these has no name, so all enums without a name must be in one list
	nameless bool            // a declaration has no name, so it equals every struct or union without one
}

// note records a type without elements if it is one of these.
func (o *oddities) note(r btf.Record) {
	switch r.Kind() {
	case btf.KindEnum, btf.KindEnum64:
		if o.hollow == nil {
			o.hollow = make(map[uint32]bool)
		}
		o.hollow[r[0]] = true
		o.empties = o.empties || r[0] == 0
	case btf.KindFwd:
		o.nameless = o.nameless || r[0] == 0
	}
}

var voidRecord = btf.Record{0, 0, 0}

// rec returns the record of any id, of the object or of its base.
func (g *graph) rec(id uint32) btf.Record {
	if id >= g.first {
		return g.o.At(btf.ID(id))
	}
	return g.baseRec(id)
}

// kind returns the kind of any id.
func (g *graph) kind(id uint32) btf.Kind {
	if id >= g.first {
		return g.o.KindOf(btf.ID(id))
	}
	return g.baseRec(id).Kind()
}

func (g *graph) baseRec(id uint32) btf.Record {
	if id == 0 {
		return voidRecord
	}
	if g.sparse != nil {
		return g.sparse.record(id)
	}
	if g.under != nil {
		return g.under.At(btf.ID(id))
	}
	r, _ := g.o.Base.Record(btf.ID(id))
	return r
}

// signature returns the hash by which the candidates for a type are found (rules 03/6, 03/7 and 03/12). Types that a comparison
// can find equal must have equal signatures. Different types may have equal signatures, since the comparison rejects them. A
// finer signature is allowed too: it removes only candidates that cannot be chosen, and keeps the order of the others.
//
// Kernels have hundreds of enums, structs and unions without a name whose members have the same names and offsets. Comparing each
// with all before it would take a third of the run, so their signatures also cover their members' types.
func (g *graph) signature(r btf.Record) uint64 {
	switch r.Kind() {
	case btf.KindEnum, btf.KindEnum64:
		if r[0] == 0 && !g.empties || r[0] != 0 && g.fine && !g.hollow[r[0]] {
			return hashWords(r)
		}
		return mix(uint64(r[0])+1, uint64(btf.KindEnum))
	case btf.KindTypedef:
		return mix(uint64(r[0])+1, uint64(r[1]))
	case btf.KindStruct, btf.KindUnion:
		h := mix(uint64(r[0])<<32|uint64(r[1]), uint64(r[2]))
		for i := 3; i < len(r); i += 3 {
			h = mix(h^uint64(r[i]), uint64(r[i+2]))
		}
		if r[0] == 0 {
			for i := 4; i < len(r); i += 3 {
				h = g.chain(h, r[i])
			}
		}
		return h
	case btf.KindFunc: // the name is enough, and unlike the prototype it does not change
		return mix(uint64(r[0])<<32|uint64(r[1]), uint64(btf.KindFunc))
	default:
		return hashWords(r)
	}
}

// chain adds to a hash what equal members have in common in every comparison (rule 03/8): the qualifiers and pointers up to the
// first type of another kind, and the name of that type. Types that merge have equal names, and so have a declaration and its
// definition.
func (g *graph) chain(h uint64, id uint32) uint64 {
	const far = 16
	for range far {
		r := g.rec(id)
		if !links.Has(r.Kind()) {
			return mix(h, uint64(r[0]))
		}
		h = mix(h^uint64(r[0]), uint64(r[1]))
		id = r[2]
	}
	return h
}

func hashWords(r btf.Record) uint64 {
	h := mix(uint64(r[0])<<32|uint64(r[1]), uint64(r[2]))
	for _, w := range r[3:] {
		h = mix(h, uint64(w))
	}
	return h
}

// mix folds a word into a hash: the two halves of a 128-bit product.
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^0x9e3779b97f4a7c15, v^0xa0761d6478bd642f)
	return hi ^ lo
}
