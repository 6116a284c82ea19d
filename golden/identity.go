package golden

import (
	"hash/maphash"
	"math/bits"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// What makes a type of one dump the same as a type of another, whose ids are all different?
//
// Every type has a shape: its kind, its name and all that a dump says of it, with each id replaced by how a reference to
// that type reads. A reference to a type with a name reads as kind and name, which is where the recursion ends, as it
// does in C; a reference to a type without one reads as that type's shape. So `struct list` stays as it was when
// `struct task` gains a member, though it points there, and a pointer to an anonymous struct changes with it.
//
// A type with a name is found again by kind and name, and has changed when its shape has; one without is found again by
// its shape, and is only ever there or not. Shapes are 64-bit hashes under a seed that the two dumps share, so to
// compare two dumps is to compute and sort two lists: about 100,000 types, some 20 ms each. Hashes decide only who is
// compared with whom; no order and no text depends on them.

// An identity is what one type is found by.
type identity struct {
	key, shape uint64 // equal for types without a name
	id         btf.ID
}

// maxDepth ends the recursion through types without a name, which C does not let be deep.
const maxDepth = 200

// shaper computes the shapes of one object.
type shaper struct {
	o     *btf.Object
	seed  maphash.Seed
	spelt []uint64   // by id, how a reference to the type reads; 0 is not known yet
	place [][]uint64 // by id, what DATASECs say of a VAR; nil when there is none
}

// identities computes what the object's own types are found by, in id order.
func identities(o *btf.Object, sections []btf.Record, seed maphash.Seed) []identity {
	s := shaper{o: o, seed: seed, spelt: make([]uint64, o.End()), place: placements(o, sections, seed)}
	list := make([]identity, 0, o.Len())
	for id := o.First(); id < o.End(); id++ {
		r := o.At(id)
		t := identity{id: id}
		if named(o, r) {
			t.key, t.shape = s.spell(uint32(id), 0), s.shape(id, r, 0)
		} else {
			t.shape = s.spell(uint32(id), 0)
			t.key = t.shape
		}
		list = append(list, t)
	}
	return list
}

// named tells whether a type is found by its name. A tag's text is no name: many types bear the same tag.
func named(o *btf.Object, r btf.Record) bool {
	switch r.Kind() {
	case btf.KindInt, btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindEnum64, btf.KindFwd, btf.KindTypedef,
		btf.KindFunc, btf.KindVar, btf.KindDatasec, btf.KindFloat:
		return len(nameText(o, r.Name())) != 0
	}
	return false
}

// nameText is a name as the dump shows it, empty when there is none.
func nameText(o *btf.Object, off uint32) []byte {
	if off == 0 {
		return nil
	}
	name, ok := o.Strings.Get(off)
	switch {
	case !ok:
		return []byte("(invalid)")
	case string(name) == "(anon)":
		return nil
	}
	return name
}

// mix folds a word into a hash.
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return hi ^ lo
}

func (s *shaper) name(off uint32) uint64 { return maphash.Bytes(s.seed, nameText(s.o, off)) }

// spell is how a reference to a type reads.
func (s *shaper) spell(id uint32, depth int) uint64 {
	if id == 0 {
		return 1
	}
	if int(id) >= len(s.spelt) {
		return mix(2, uint64(id)) // leads nowhere
	}
	if h := s.spelt[id]; h != 0 {
		return h
	}
	r, ok := s.o.Record(btf.ID(id))
	switch {
	case !ok:
		return mix(2, uint64(id)) // to a base that is not there
	case named(s.o, r):
		s.spelt[id] = mix(mix(3, uint64(r.Kind())), s.name(r.Name()))
	case depth >= maxDepth:
		return 4
	default:
		s.spelt[id] = 5 // what a type that contains itself without a name on the way sees of itself
		s.spelt[id] = s.shape(btf.ID(id), r, depth+1)
	}
	return s.spelt[id]
}

// shape is all that a dump says of a type.
func (s *shaper) shape(id btf.ID, r btf.Record, depth int) uint64 {
	k := r.Kind()
	if k >= btf.NumKinds {
		k = btf.KindVoid // a dump calls all of them UNKNOWN
	}
	h := mix(mix(6, uint64(k)), s.name(r.Name()))
	switch k {
	case btf.KindVoid:
	case btf.KindInt:
		h = mix(mix(h, uint64(r[2])), uint64(intWord(r[3])))
	case btf.KindArray:
		h = mix(mix(mix(h, s.spell(r[3], depth)), s.spell(r[4], depth)), uint64(r[5]))
	case btf.KindFwd:
		h = mix(h, uint64(r[1]>>31))
	case btf.KindFunc:
		h = mix(mix(h, s.spell(r[2], depth)), uint64(min(r.Vlen(), btf.LinkageExtern+1)))
	case btf.KindVar:
		h = mix(mix(h, s.spell(r[2], depth)), uint64(min(r[3], btf.LinkageExtern+1)))
		if int(id) < len(s.place) {
			for _, p := range s.place[id] {
				h = mix(h, p)
			}
		}
	case btf.KindFloat:
		h = mix(h, uint64(r[2]))
	case btf.KindDeclTag:
		h = mix(mix(h, s.spell(r[2], depth)), uint64(r[3]))
	default:
		if btf.References.Has(k) {
			h = mix(h, s.spell(r[2], depth))
			break
		}
		h = s.elements(h, r, depth)
	}
	return h | 1<<63 // never one of the small numbers above
}

// elements folds in the third word and the elements of the kinds that have any.
func (s *shaper) elements(h uint64, r btf.Record, depth int) uint64 {
	h = mix(h, uint64(r.Vlen()))
	switch r.Kind() {
	case btf.KindStruct, btf.KindUnion:
		h = mix(h, uint64(r[2]))
		for m := r[3:]; len(m) >= 3; m = m[3:] {
			off, size := btf.MemberOffset(m[2], r.Kflag())
			h = mix(mix(mix(h, s.name(m[0])), s.spell(m[1], depth)), uint64(size)<<32|uint64(off))
		}
	case btf.KindEnum:
		h = mix(h, uint64(r[2])<<1|uint64(r[1]>>31))
		for e := r[3:]; len(e) >= 2; e = e[2:] {
			h = mix(mix(h, s.name(e[0])), uint64(e[1]))
		}
	case btf.KindEnum64:
		h = mix(h, uint64(r[2])<<1|uint64(r[1]>>31))
		for e := r[3:]; len(e) >= 3; e = e[3:] {
			h = mix(mix(h, s.name(e[0])), uint64(e[2])<<32|uint64(e[1]))
		}
	case btf.KindFuncProto:
		h = mix(h, s.spell(r[2], depth))
		for p := r[3:]; len(p) >= 2; p = p[2:] {
			h = mix(mix(h, s.name(p[0])), s.spell(p[1], depth))
		}
	case btf.KindDatasec:
		h = mix(h, uint64(r[2]))
		for e := r[3:]; len(e) >= 3; e = e[3:] {
			if !isVar(s.o, e[0]) { // what is said of a VAR belongs to its own shape
				h = mix(mix(h, s.spell(e[0], depth)), uint64(e[1])<<32|uint64(e[2]))
			}
		}
	}
	return h
}

// intWord is the word of an INT without what a dump does not tell.
func intWord(w uint32) uint32 {
	e := w >> 24 & 0xf
	if e&(e-1) != 0 || e > btf.IntBool {
		e = 0xf
	}
	return e<<24 | w&0xff00ff
}

func isVar(o *btf.Object, id uint32) bool {
	return o.Own(btf.ID(id)) && o.At(btf.ID(id)).Kind() == btf.KindVar
}

// datasecs lists the object's own DATASECs.
func datasecs(o *btf.Object) []btf.Record {
	var list []btf.Record
	for id := o.First(); id < o.End(); id++ {
		if r := o.At(id); r.Kind() == btf.KindDatasec {
			list = append(list, r)
		}
	}
	return list
}

// placements gathers, for every VAR of the object, the sections, offsets and sizes that its DATASECs give it.
func placements(o *btf.Object, sections []btf.Record, seed maphash.Seed) [][]uint64 {
	if len(sections) == 0 {
		return nil
	}
	place := make([][]uint64, o.End())
	for _, sec := range sections {
		name := maphash.Bytes(seed, nameText(o, sec.Name()))
		for e := sec[3:]; len(e) >= 3; e = e[3:] {
			if isVar(o, e[0]) {
				place[e[0]] = append(place[e[0]], name, uint64(e[1])<<32|uint64(e[2]))
			}
		}
	}
	return place
}
