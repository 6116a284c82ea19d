package cause

import (
	"hash/maphash"
	"math/bits"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// How can a declaration of one BTF object be found in another, if all ids differ?
//
// The reading of a type is its content as C would spell it. A reference to a named type reads as kind and name only. A reference to a type
// without a name reads as the content of that type. So `struct list` reads the same after `struct task` gains a member, even if it has
// a pointer to `struct task`. A type that points to an anonymous struct changes with that struct.
//
// A reading has two hashes. One covers the declaration itself: names, types by name, widths and values, in order. The other covers what
// follows from the machine and from the types inside: sizes and offsets. Declarations with equal hashes are equal. Declarations that agree
// only in the first can only be consequences. The hashes have 64 bits, with a random seed that both sides of a comparison share. They only
// decide what is compared with what. No order and no text depends on them.
//
// Types without a name can be nested as deep as the file is long, so the code uses a stack of its own instead of recursion, and reads each
// type once.

// A reading is the hash of a type's content.
type reading struct {
	own uint64 // hash of names and types by name; 0 if not known yet
	lay uint64 // hash of sizes and offsets; 0 if there are none
}

// Readings of types without content, and the marks that start the others.
const (
	readsVoid   = 1 // void
	readsAbsent = 2 // mixed with an id that does not exist
	readsName   = 3 // mixed with the category of a name, and the name
	readsOpen   = 5 // the reading of a type that contains itself without a name between, as seen from inside
	readsBody   = 6 // mixed with content
)

// A side is one of the two BTF objects, with the tables derived from it.
type side struct {
	o      *btf.Object
	seed   maphash.Seed
	stub   []bool    // by id: the type is a stub, see Input.Stubs; nil if there are none
	refs   []reading // by id: the reading of a reference to the type
	stack  []uint32
	tags   tagIndex
	place  map[btf.ID]place // of own variables that a section has
	rows   []row            // memory for the next call of open
	frames []frame
	secs   []section // own DATASECs
	marked []uint64  // by id, a bit: references to the type read as one of several versions of its name
	found  []int32   // by id: 1 + index in differ of the pair that has the declaration

	layouts []layout // by id: size and alignment, known after layoutOf
	pointer uint64   // size of a pointer in bytes
}

// newSide prepares a BTF object for reading.
func newSide(in Input, seed maphash.Seed) *side {
	s := &side{o: in.Object, seed: seed, stub: in.Stubs, refs: make([]reading, in.Object.End()), found: make([]int32, in.Object.End())}
	s.tags = indexTags(s.o)
	s.readSections()
	s.pointer = pointerSize(s.o)
	return s
}

// mix folds a word into a hash. It rotates the hash first; otherwise folding in an equal hash would cancel both.
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(bits.RotateLeft64(h, 23)^v^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return hi ^ lo
}

// text returns a name as a dump shows it, or nil if there is none.
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

// A category is the name space of a name. C has several: `struct x` and `x` are different names.
type category uint8

const (
	noCategory category = iota
	structName
	unionName
	enumName
	plainName // a typedef or number: spelled without a keyword
	funcName
	varName
	sectionName
)

// categoryOf returns the category of a record's name, for kinds that can have one.
func categoryOf(r btf.Record) category {
	switch r.Declares() {
	case btf.KindStruct:
		return structName
	case btf.KindUnion:
		return unionName
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

// named reports whether references to a record read as its name only.
func (s *side) named(r btf.Record) bool {
	return categoryOf(r) != noCategory && len(s.text(r.Name())) != 0
}

// record returns the record of an id, if it exists.
func (s *side) record(id uint32) (btf.Record, bool) {
	if id == 0 || int(id) >= len(s.refs) {
		return nil, false
	}
	return s.o.Record(btf.ID(id))
}

// ref returns the reading of a reference to a type.
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

// resolve computes the reading of a type, and of the types without a name that it refers to. A type can be on the stack twice: when the
// lower entry comes up, the reading is known already. When an open type comes up, all types that it refers to have been read.
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

// byName returns the hash of a reference to a type with a name.
func (s *side) byName(r btf.Record) uint64 {
	return mix(mix(readsName, uint64(categoryOf(r))), s.name(r.Name()))
}

// content returns the reading of a record, except its name.
func (s *side) content(id uint32, r btf.Record) reading {
	c := reading{own: mix(readsBody, uint64(r.Kind()))}
	switch k := r.Kind(); k {
	case btf.KindArray:
		c.refer(s.ref(r[3]))
		c.own = mix(c.own, uint64(r[5]))
	case btf.KindInt:
		c.own = mix(mix(c.own, uint64(r[2])), uint64(btf.PrintedInt(r[3])))
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
			if !s.isVar(e[0]) { // the properties of a variable belong to the variable
				c.own = mix(mix(c.own, s.ref(e[0]).own), uint64(e[1])<<32|uint64(e[2]))
			}
		}
	default:
		if k != btf.KindTypedef { // a type tag is only its text
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
		c.own |= 1 << 63 // never equal to the small numbers above
	}
	return c
}

// refer folds in the reading of a reference.
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

// enumerators folds in the enumerators of an enum. An enum of 32 bits and one of 64 bits read the same.
func (s *side) enumerators(c *reading, r btf.Record) {
	c.own = mix(mix(readsBody, uint64(btf.KindEnum)), uint64(r[1]>>31))
	c.lay = mix(1, uint64(r[2]))
	each := int(btf.ShapeOf(r.Kind()).Each)
	for e := r[3:]; len(e) >= each; e = e[each:] {
		c.own = mix(mix(c.own, s.name(e[0])), uint64(r.EnumValue(e)))
	}
}

// params folds in the return type and the parameters of a prototype. Tags of parameters belong to the function.
func (s *side) params(c *reading, _ uint32, r btf.Record) {
	c.refer(s.ref(r[2]))
	for p := r[3:]; len(p) >= 2; p = p[2:] {
		c.own = mix(c.own, s.name(p[0]))
		c.refer(s.ref(p[1]))
	}
}

// function returns the reading of a function's prototype, with the tags of parameters.
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

func (s *side) isStub(id btf.ID) bool { return s.stub != nil && s.stub[id] }

func (s *side) isVar(id uint32) bool {
	return s.o.Own(btf.ID(id)) && s.o.At(btf.ID(id)).Kind() == btf.KindVar
}
