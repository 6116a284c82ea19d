package cause

import (
	"hash/maphash"
	"math/bits"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// How is a declaration of one object found to be the same as one of another, whose ids are all different?
//
// A type reads as C would spell it: a reference to a type with a name is kind and name, which is where the reading ends; a reference to
// one without a name is that type's own content. So `struct list` stays as it was when `struct task` gains a member, though it points
// there, and what points to an anonymous struct changes with it.
//
// What is read is kept as two hashes. One has what a declaration itself says: names, types by name, widths, values, in order. The other
// has what follows from the machine and from what it holds: sizes and offsets. Declarations that agree in both are equal; those that
// agree in the first can only be consequences. Hashes are of 64 bits under a seed that is drawn per comparison and that both sides
// share. They decide only what is compared with what; no order and no text depends on them.
//
// Types without a name can be nested as deep as the file is long, so they are read with a stack of our own, and each is read once.

// A reading is how a type reads.
type reading struct {
	own uint64 // names and types by name; 0 is not known yet
	lay uint64 // sizes and offsets; 0 where there are none
}

// Readings of what has no content.
const (
	readsVoid   = 1 // void
	readsAbsent = 2 // mixed with an id that leads nowhere
	readsName   = 3 // mixed with what a name is of, and the name
	readsOpen   = 5 // a type that contains itself without a name on the way, as it sees itself
	readsBody   = 6 // mixed with content
)

// A side is one of the two objects, and what was found out of it.
type side struct {
	o     *btf.Object
	seed  maphash.Seed
	stub  []bool    // by id: the type only stands for one that is not told of; nil if there are none
	refs  []reading // by id: how a reference to the type reads
	stack []uint32
	tags  tagIndex
	place []place   // by VAR, from the first own id: where sections have it; nil if there are no sections
	secs  []section // own DATASECs
	found []int32   // by id: 1 + the place in differ of the pair that the declaration belongs to

	layouts []layout // by id: size and alignment, known after layoutOf
	pointer uint64   // bytes of a pointer
}

// newSide prepares an object to be read.
func newSide(in Input, seed maphash.Seed) *side {
	s := &side{o: in.Object, seed: seed, stub: in.Stubs, refs: make([]reading, in.Object.End()), found: make([]int32, in.Object.End())}
	s.tags = indexTags(s.o)
	s.readSections()
	s.pointer = pointerSize(s.o)
	return s
}

// mix folds a word into a hash. The hash is rotated, else a hash folded into one that is equal to it would leave nothing of either.
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(bits.RotateLeft64(h, 23)^v^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return hi ^ lo
}

// text is a name as a dump shows it, nil when there is none.
func (s *side) text(off uint32) []byte {
	if off == 0 {
		return nil
	}
	name, ok := s.o.Strings.Get(off)
	switch {
	case !ok:
		return []byte("(invalid)")
	case string(name) == "(anon)":
		return nil
	}
	return name
}

func (s *side) name(off uint32) uint64 { return maphash.Bytes(s.seed, s.text(off)) }

// A category is what a name is a name of: one word of C has one meaning for each.
type category uint8

const (
	noCategory category = iota
	structName
	unionName
	enumName
	plainName // a typedef or number: spelled as a word alone
	funcName
	varName
	sectionName
)

// categoryOf tells what the name of a record is a name of, if it can have one.
func categoryOf(r btf.Record) category {
	switch r.Kind() {
	case btf.KindStruct:
		return structName
	case btf.KindUnion:
		return unionName
	case btf.KindFwd:
		if r.Kflag() {
			return unionName
		}
		return structName
	case btf.KindEnum, btf.KindEnum64:
		return enumName
	case btf.KindInt, btf.KindFloat, btf.KindTypedef:
		return plainName
	case btf.KindFunc:
		return funcName
	case btf.KindVar:
		return varName
	case btf.KindDatasec:
		return sectionName
	}
	return noCategory
}

// named tells whether references to a record end at its name.
func (s *side) named(r btf.Record) bool {
	return categoryOf(r) != noCategory && len(s.text(r.Name())) != 0
}

// record is the record of an id, if there is one.
func (s *side) record(id uint32) (btf.Record, bool) {
	if id == 0 || int(id) >= len(s.refs) {
		return nil, false
	}
	return s.o.Record(btf.ID(id))
}

// ref is how a reference to a type reads.
func (s *side) ref(id uint32) reading {
	if id == 0 {
		return reading{own: readsVoid}
	}
	if int(id) >= len(s.refs) {
		return reading{own: mix(readsAbsent, uint64(id))}
	}
	if s.refs[id].own == 0 {
		s.resolve(id)
	}
	return s.refs[id]
}

// resolve finds out how a type reads, and those without a name that it leads to. What is on the stack twice was read when its lower
// place comes up; what is open when it comes up has all that it leads to read.
func (s *side) resolve(id uint32) {
	s.stack = append(s.stack[:0], id)
	for len(s.stack) > 0 {
		top := s.stack[len(s.stack)-1]
		state := &s.refs[top]
		if state.own != 0 && state.own != readsOpen {
			s.stack = s.stack[:len(s.stack)-1]
			continue
		}
		r, ok := s.record(top)
		switch {
		case !ok:
			state.own = mix(readsAbsent, uint64(top))
			continue
		case s.named(r):
			state.own = s.byName(r)
			continue
		case state.own == 0:
			state.own = readsOpen
			n := len(s.stack)
			r.References(func(id *uint32) {
				if *id != 0 && int(*id) < len(s.refs) && s.refs[*id].own == 0 {
					s.stack = append(s.stack, *id)
				}
			})
			if len(s.stack) > n {
				continue
			}
		}
		s.stack = s.stack[:len(s.stack)-1]
		*state = s.content(top, r)
	}
}

// byName is how a reference to a type with a name reads.
func (s *side) byName(r btf.Record) uint64 {
	return mix(mix(readsName, uint64(categoryOf(r))), s.name(r.Name()))
}

// content is all that a record says, except its name.
func (s *side) content(id uint32, r btf.Record) reading {
	c := reading{own: mix(readsBody, uint64(r.Kind()))}
	switch k := r.Kind(); k {
	case btf.KindArray:
		c.refer(s.ref(r[3]))
		c.own = mix(c.own, uint64(r[5]))
	case btf.KindInt:
		c.own = mix(mix(c.own, uint64(r[2])), uint64(intWord(r[3])))
	case btf.KindFloat:
		c.own = mix(c.own, uint64(r[2]))
	case btf.KindFwd:
		c.own = mix(mix(readsBody, uint64(btf.KindFwd)), uint64(categoryOf(r)))
	case btf.KindStruct, btf.KindUnion:
		s.members(&c, id, r)
	case btf.KindEnum, btf.KindEnum64:
		s.enumerators(&c, r)
	case btf.KindFuncProto:
		s.params(&c, id, r)
	case btf.KindFunc:
		c.refer(s.function(id, r))
		c.own = mix(c.own, uint64(min(r.Vlen(), btf.LinkageExtern+1)))
	case btf.KindVar:
		c.refer(s.ref(r[2]))
		c.own = mix(c.own, uint64(min(r[3], btf.LinkageExtern+1)))
		p := s.placeOf(btf.ID(id))
		c.own = mix(c.own, p.section)
		c.lay = mix(mix(c.lay, uint64(p.off)<<32|uint64(p.size)), p.more)
	case btf.KindDatasec:
		c.lay = mix(1, uint64(r[2]))
		for e := r[3:]; len(e) >= 3; e = e[3:] {
			if !s.isVar(e[0]) { // what is said of a variable belongs to the variable
				c.own = mix(mix(c.own, s.ref(e[0]).own), uint64(e[1])<<32|uint64(e[2]))
			}
		}
	default:
		if k != btf.KindTypedef { // a type tag is its text
			c.own = mix(c.own, s.name(r.Name()))
		}
		if btf.References.Has(k) {
			c.refer(s.ref(r[2]))
		}
	}
	if tag := s.tags.hash(s, id, -1); tag != 0 {
		c.own = mix(c.own, tag)
	}
	if c.own <= readsBody {
		c.own |= 1 << 63 // never one of the small numbers above
	}
	return c
}

// refer folds in how a reference reads.
func (c *reading) refer(to reading) {
	c.own = mix(c.own, to.own)
	if to.lay != 0 {
		c.lay = mix(c.lay, to.lay)
	}
}

// members folds in the members of a struct or union.
func (s *side) members(c *reading, id uint32, r btf.Record) {
	c.lay = mix(1, uint64(r[2]))
	tagged := s.tags.has(id)
	kflag := r.Kflag()
	for i, m := 0, r[3:]; len(m) >= 3; i, m = i+1, m[3:] {
		off, width := btf.MemberOffset(m[2], kflag)
		c.own = mix(mix(c.own, s.name(m[0])), uint64(width))
		c.refer(s.ref(m[1]))
		c.lay = mix(c.lay, uint64(off))
		if tagged {
			c.own = mix(c.own, s.tags.hash(s, id, int32(i)))
		}
	}
}

// enumerators folds in the enumerators of an enum, which has the same whether of 32 or 64 bits.
func (s *side) enumerators(c *reading, r btf.Record) {
	c.own = mix(mix(readsBody, uint64(btf.KindEnum)), uint64(r[1]>>31))
	c.lay = mix(1, uint64(r[2]))
	each := int(btf.ShapeOf(r.Kind()).Each)
	for e := r[3:]; len(e) >= each; e = e[each:] {
		c.own = mix(mix(c.own, s.name(e[0])), uint64(enumValue(r, e)))
	}
}

// params folds in what a prototype returns and takes. Tags of parameters are those of the function.
func (s *side) params(c *reading, _ uint32, r btf.Record) {
	c.refer(s.ref(r[2]))
	for p := r[3:]; len(p) >= 2; p = p[2:] {
		c.own = mix(c.own, s.name(p[0]))
		c.refer(s.ref(p[1]))
	}
}

// function is how the prototype of a function reads, with the tags of parameters.
func (s *side) function(id uint32, r btf.Record) reading {
	c := s.ref(r[2])
	if s.tags.has(id) {
		if proto, ok := s.record(r[2]); ok && proto.Kind() == btf.KindFuncProto {
			for i := range proto.Vlen() {
				if tag := s.tags.hash(s, id, int32(i)); tag != 0 {
					c.own = mix(mix(c.own, uint64(i)), tag)
				}
			}
		}
	}
	return c
}

// intWord is the word of an INT without what a dump does not tell.
func intWord(w uint32) uint32 {
	e := w >> 24 & 0xf
	if e&(e-1) != 0 || e > btf.IntBool {
		e = 0xf
	}
	return e<<24 | w&0xff00ff
}

// enumValue is the value of an enumerator, which is to be read as unsigned unless the record is signed.
func enumValue(r btf.Record, e []uint32) int64 {
	switch {
	case r.Kind() == btf.KindEnum64:
		return int64(uint64(e[2])<<32 | uint64(e[1]))
	case r.Kflag():
		return int64(int32(e[1]))
	}
	return int64(e[1])
}

func (s *side) isVar(id uint32) bool {
	return s.o.Own(btf.ID(id)) && s.o.At(btf.ID(id)).Kind() == btf.KindVar
}
