package translate

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// DWARF base type encodings (DWARF 5, section 7.8).
const (
	ateBoolean        = 2
	ateComplexFloat   = 3
	ateFloat          = 4
	ateSigned         = 5
	ateSignedChar     = 6
	ateImaginaryFloat = 9
)

// oddEncodings has a bit for every encoding that is neither an integer, character, address or boolean, nor a float: decimal and
// fixed-point numbers, and strings.
const oddEncodings = 1<<0x0a | 1<<0x0b | 1<<0x0c | 1<<0x0d | 1<<0x0e | 1<<0x0f | 1<<0x13 | 1<<0x14

// base is rule 01/6.1: integers and floats, by encoding and size.
func (w *walker) base(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	name, size, enc := c.Name(), c.Value(dwarf.SlotSize), c.Value(dwarf.SlotEncoding)
	next := c.Skip(a)
	size &= 0xffff
	if name == 0 {
		if name = w.namelessBase(pos); name == 0 {
			return next
		}
	}
	if w.float && (enc == ateFloat || enc == ateComplexFloat || enc == ateImaginaryFloat) {
		if enc != ateFloat || !floatSize(size) {
			if w.oddFloat(pos, name, size, enc) {
				w.integer(pos, name, size, enc)
			}
			return next
		}
		w.t.Types.Append(uint32(name), btf.Info(btf.KindFloat, 0, false), uint32(size))
		w.added(pos, nominal.Hash{})
		return next
	}
	w.integer(pos, name, size, enc)
	return next
}

// floatSize reports whether a FLOAT can have this size in bytes.
func floatSize(size uint64) bool {
	switch size {
	case 2, 4, 8, 12, 16:
		return true
	}
	return false
}

// intSize reports whether an INT can have this size in bytes.
func intSize(size uint64) bool { return size != 0 && size <= 16 && size&(size-1) == 0 }

func (w *walker) integer(pos int, name dwarf.StrKey, size, enc uint64) {
	bits := uint32(0)
	switch enc {
	case ateSigned, ateSignedChar:
		bits = btf.IntSigned
	case ateBoolean:
		bits = btf.IntBool
	}
	if oddEncodings>>(enc&63)&1 != 0 && enc < 64 {
		w.note(NoteOddEncoding, pos, name, enc)
	}
	stated := size
	isInt := w.t.Int == 0 && w.t.Strings.Equal(name, "int")
	if !intSize(size) {
		if w.oddInteger(pos, name, size) {
			return
		}
		name, size = fakeInt(w.t.Strings), 4
	}
	id := w.t.Types.Append(uint32(name), btf.Info(btf.KindInt, 0, false), uint32(size), bits<<24|uint32(size*8))
	w.t.setSize(w.added(pos, nominal.Hash{}), stated, size)
	if isInt {
		w.t.Int = LocalID(id)
	}
}

// pointer is rules 01/6.3 and 01/7.1: a pointer, preceded by the type tags of its target.
func (w *walker) pointer(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	target, annot, next := uint32(w.ref(dwarf.SlotType)), w.ref(dwarf.SlotAnnot), c.Next
	if w.typeTags && (a.Children || annot != 0) {
		target, next = w.pointerTags(a, target, annot)
	} else if a.Children {
		next = c.Skip(a)
	}
	w.append(pos, 0, btf.Info(btf.KindPtr, 0, false), target)
	return next
}

// modifier is rule 01/6.2: const, volatile or restrict. The type may be void.
func (w *walker) modifier(a *dwarf.Abbrev, k btf.Kind) int {
	c, pos := &w.c, w.c.Pos
	target := uint32(w.ref(dwarf.SlotType))
	id := w.append(pos, 0, btf.Info(k, 0, false), target)
	w.t.setSize(id, c.Value(dwarf.SlotSize), 0)
	return c.Skip(a)
}

// typedef is rule 01/6.4: a name for a type, or for void.
func (w *walker) typedef(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	name, target, spec, annot, next := w.name(), w.ref(dwarf.SlotType), w.ref(dwarf.SlotSpec), w.ref(dwarf.SlotAnnot), c.Next
	tags := len(w.t.TypeTags)
	if a.Children || annot != 0 {
		tag := func(value dwarf.StrKey) { w.t.TypeTags = append(w.t.TypeTags, DeclTag{uint32(pos), -1, value}) }
		if a.Children {
			next = w.annotations(c.Next, tag)
		}
		w.unseenChain(annot, tag)
	}
	if name == 0 && spec == 0 {
		w.t.TypeTags = w.t.TypeTags[:tags]
		w.namelessTypedef(pos, target)
		return next
	}
	if target == 0 {
		w.unsized = true
	}
	id := w.append(pos, name, btf.Info(btf.KindTypedef, 0, false), uint32(target))
	w.own(tags, pos, id)
	if name == 0 {
		w.names = append(w.names, nameFixup{LocalID(id), spec})
		w.t.Dies[id].Set(nominal.Hash{})
		w.unhashed = append(w.unhashed, id)
	}
	return next
}

// maxDims is the highest number of dimensions of an array; further ones are ignored (rule 01/6.5).
const maxDims = 64

// array appends one ARRAY per dimension, innermost first; references lead to the outermost, which comes last
// (rule 01/6.5).
func (w *walker) array(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	elem, next := uint32(w.ref(dwarf.SlotType)), c.Next
	if w.t.Arrays = true; elem == 0 {
		w.unsized = true
	}
	base := len(w.elems)
	if a.Children {
		for next = c.Next; ; {
			b := c.Read(next)
			if b == nil {
				next = c.Next
				break
			}
			switch {
			case b.Tag == dwarf.TagSubrangeType && len(w.elems)-base < maxDims:
				w.elems = append(w.elems, w.dimension())
			case b.Tag == dwarf.TagSubrangeType || b.Tag == dwarf.TagEnumerationType || b.Tag == dwarf.TagGenericSubrange:
				w.noteUnlessQuiet(NoteOddArray, pos, 0, uint64(b.Tag))
			}
			next = c.Skip(b)
		}
	}
	dims := w.elems[base:]
	if len(dims) == 0 {
		dims = append(dims, 0)
	}
	for i := len(dims) - 1; i >= 0; i-- {
		t := &w.t.Types
		t.Append3(0, btf.Info(btf.KindArray, 0, false), 0)
		at := t.WordCount()
		words := append(t.Words(), elem, IndexPending, dims[i])
		t.SetWords(words)
		w.refer(words, at, 3)
		elem = w.addedComposed(pos) | localMark
	}
	w.elems = w.elems[:base]
	return next
}

// dimension returns the number of elements of the current subrange: its upper bound plus one, else its count, else 0.
func (w *walker) dimension() uint32 {
	c := &w.c
	switch {
	case c.Present(dwarf.SlotUpper):
		return uint32(c.Val[dwarf.SlotUpper] + 1 - w.lowerBound())
	case c.Present(dwarf.SlotUpperOdd):
		return 0
	default:
		return uint32(c.Value(dwarf.SlotCount))
	}
}

// enumeration is rules 01/6.7 and 02/4.4: ENUM or ENUM64, depending on the size; signed, depending on the values or the type.
func (w *walker) enumeration(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	name, size, typ, spec, next := w.name(), c.Value(dwarf.SlotSize)&0x1fff, w.ref(dwarf.SlotType), w.ref(dwarf.SlotSpec), c.Next
	if c.Present(dwarf.SlotSignature) && !w.emptyStub() {
		return w.stub(a)
	}
	stated := size
	if size == 0 {
		size = 4
	}
	if size > 8 || size&(size-1) != 0 {
		return w.oddEnum(a, name, size)
	}
	wide := size > 4 && w.enum64
	kind := btf.KindEnum
	if wide {
		kind = btf.KindEnum64
	}
	w.t.Types.Append(uint32(name), btf.Info(kind, 0, false), uint32(size))
	id := w.added(pos, nominal.Hash{})
	w.t.setSize(id, stated, size)
	w.named(id, name, spec, nominal.Enum)
	if wide {
		w.signs = append(w.signs, signFixup{LocalID(id), typ})
	}
	if !a.Children {
		return next
	}
	plain := w.direct && w.enum64 && !wide
	for {
		if plain {
			if next, plain = w.plainEnumerators(next); plain && c.Null(next) {
				return next + 1
			}
		}
		b := c.Read(next)
		if b == nil {
			return c.Next
		}
		if b.Tag == dwarf.TagEnumerator {
			w.enumerator(wide)
		}
		next = c.Skip(b)
	}
}

// plainEnumerators appends the enumerators from pos on, as long as they are plain. If there are more than BTF allows, it appends
// none, and ok is false: the slow path then finds the first one that is too many.
func (w *walker) plainEnumerators(pos int) (next int, ok bool) {
	w.run.Words = w.run.Words[:0]
	w.run.Read(&w.c, dwarf.RunEnumerators, pos)
	words, t := w.run.Words, &w.t.Types
	info := &t.Last()[1]
	n := uint32(len(words) / 3)
	if *info&0xffffff+n > btf.MaxVlen {
		return pos, false
	}
	*info += n
	own := t.Words()
	for at := 0; at < len(words); at += 3 {
		own = append(own, words[at], words[at+2])
	}
	t.SetWords(own)
	return w.run.Next, true
}

func (w *walker) enumerator(wide bool) {
	c := &w.c
	name, value := uint32(w.name()), c.Value(dwarf.SlotConst)
	t := &w.t.Types
	if name == 0 {
		w.namelessEnumerator()
		return
	}
	if t.Last().Vlen() == btf.MaxVlen {
		c.Fail(c.Pos, "more than %d enumerators, the most that BTF allows", btf.MaxVlen)
	}
	switch {
	case wide:
		t.AppendElem(name, uint32(value), uint32(value>>32))
	case !w.enum64:
		// Without enum64, values are cut to 32 bits and unsigned, whatever their size. Kernels before 6.0, for which enum64 is
		// switched off, also refuse an ENUM with the flag for signed values.
		t.AppendElem(name, uint32(value))
	default:
		if v := int64(value); v < -1<<31 || v > 1<<32-1 {
			c.Fail(c.Pos, "enumerator value %d does not fit 32 bits", v)
		} else if v < 0 {
			t.SetKflag()
		}
		t.AppendElem(name, uint32(value))
	}
}

// subroutine handles a function type (rules 01/5.2 and 01/6.8), which becomes a FUNC_PROTO in this position.
func (w *walker) subroutine(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	ret, size, next := w.ref(dwarf.SlotType), c.Value(dwarf.SlotSize), c.Next
	base, variadic := len(w.elems), false
	if a.Children && w.enter() {
		for {
			if w.direct {
				if next = w.plainParams(next); c.Null(next) {
					next++
					break
				}
			}
			b := c.Read(next)
			if b == nil {
				next = c.Next
				break
			}
			switch b.Tag {
			case dwarf.TagFormalParameter:
				w.elems = append(w.elems, uint32(w.name()), uint32(w.ref(dwarf.SlotType)))
				next = c.Skip(b)
			case dwarf.TagUnspecifiedParams:
				variadic = true
				next = c.Skip(b)
			case dwarf.TagSubrangeType:
				next = c.Skip(b)
			default:
				next = w.generic(b)
			}
		}
		w.depth--
	}
	if variadic {
		w.elems = append(w.elems, 0, 0)
	}
	n := (len(w.elems) - base) / 2
	if n > btf.MaxVlen {
		c.Fail(pos, "%d parameters are more than BTF allows", n)
	}
	t := &w.t.Types
	to, _ := w.link(uint32(ret))
	t.Append3(0, btf.Info(btf.KindFuncProto, uint32(n)&btf.MaxVlen, false), to)
	w.t.setSize(w.addedComposed(pos), size, 0)
	at := t.WordCount()
	t.Extend(w.elems[base:])
	w.elements(t.Words(), at+1, 2)
	w.elems = w.elems[:base]
	return next
}

// plainParams pushes the parameters from pos on, as long as they are plain.
func (w *walker) plainParams(pos int) int {
	run := dwarf.Run{Words: w.elems}
	run.Read(&w.c, dwarf.RunParams, pos)
	w.elems = run.Words
	return run.Next
}
