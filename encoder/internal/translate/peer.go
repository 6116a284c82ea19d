package translate

import (
	"bytes"
	"cmp"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// fakeInt is the name of integers that have no BTF.
func fakeInt(s *dwarf.Strings) dwarf.StrKey { return s.Key("__SANITIZED_FAKE_INT__") }

// oddInteger is rule 02/4.1: an integer whose size BTF cannot express, such as _BitInt(256), becomes one of 4 bytes, by the name of
// fakeInt. Otherwise it is a struct of that size and its own name, and oddInteger has appended it.
func (w *walker) oddInteger(pos int, name dwarf.StrKey, size uint64) bool {
	switch {
	case w.opt.Peer.Has(rules.OddInteger) && size != 0:
		w.note(NoteFakeInteger, pos, name, size)
		fallthrough
	case w.opt.Peer.Has(rules.OddInteger):
		return false
	case size != 0: // a struct says well that there is nothing, such as in Rust's ()
		w.note(NoteOddInteger, pos, name, size)
	}
	w.opaque(pos, w.mangled(name), size)
	return true
}

// foreign is rule 01/6.2: types that C and BTF do not have end pahole's run. Otherwise an atomic type is the type that
// it qualifies, a reference is a pointer, an interface a struct, and what else there is keeps its size.
func (w *walker) foreign(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	if w.opt.Peer.Has(rules.Foreign) {
		c.Fail(pos, "tag %#x has no BTF", uint16(a.Tag))
		return c.Next
	}
	switch a.Tag {
	case dwarf.TagAtomicType:
		w.alias(pos, w.ref(dwarf.SlotType))
	case dwarf.TagReferenceType, dwarf.TagRvalueReferenceType:
		w.append(pos, 0, btf.Info(btf.KindPtr, 0, false), w.ref(dwarf.SlotType), uint64(w.t.AddrSize))
	case dwarf.TagInterfaceType:
		return w.composite(a)
	case dwarf.TagPtrToMemberType:
		size := cmp.Or(c.Value(dwarf.SlotSize), w.memberPointer())
		w.note(NoteOpaque, pos, 0, size)
		w.opaque(pos, 0, size)
	default:
		name, size := w.name(), c.Value(dwarf.SlotSize)
		w.note(NoteOpaque, pos, name, size)
		w.opaque(pos, name, size)
	}
	return c.Skip(a)
}

// leaveOut is rule 01/2.4: pahole stops at a unit in which there is nothing, and loses the units behind it; here that is an
// error unless none is behind it. Otherwise such a unit is left out.
func (o *Options) leaveOut(u *dwarf.Unit) error {
	if !o.Peer.Has(rules.LeaveOut) || u.Last() {
		return nil
	}
	return u.Err(0, "there is nothing in the unit: %v", u.Empty)
}

// lostType is rule 01/5.1: pahole does not know packed, shared, immutable and signed (ptrauth) types nor templates of typedefs,
// and what refers to one is void. Otherwise the former are the types that they qualify, like atomic ones, and the latter typedefs.
func (w *walker) lostType(a *dwarf.Abbrev) int {
	switch {
	case w.opt.Peer.Has(rules.LostType):
	case a.Tag == dwarf.TagTemplateAlias:
		return w.typedef(a)
	default:
		w.alias(w.c.Pos, w.ref(dwarf.SlotType))
	}
	return w.c.Skip(a)
}

// unspecified is rule 01/6.10: unspecified types are void, that of nullptr among them. Otherwise that one is a pointer to void, of which
// there can be members.
func (w *walker) unspecified(a *dwarf.Abbrev) int {
	if !w.opt.Peer.Has(rules.Unspecified) && w.isNull(w.c.Name()) {
		w.append(w.c.Pos, 0, btf.Info(btf.KindPtr, 0, false), 0, uint64(w.t.AddrSize))
	}
	return w.c.Skip(a)
}

// isNull tells whether an unspecified type of that name is that of nullptr: decltype(nullptr), typeof (nullptr), nullptr_t.
func (w *walker) isNull(name dwarf.StrKey) bool {
	var scratch [4]byte
	return bytes.Contains(w.t.Strings.Get(name, &scratch), []byte("nullptr"))
}

// memberPointer is the size of the pointer to a member that was just read, where it does not say so: pointers to functions have two words.
func (w *walker) memberPointer() uint64 {
	size, to := uint64(w.t.AddrSize), w.ref(dwarf.SlotType)
	if to == 0 {
		return size
	}
	defer w.visit(to)()
	if a := w.c.Read(int(to)); a != nil && a.Tag == dwarf.TagSubroutineType {
		size *= 2
	}
	return size
}

// namelessDecl is rule 01/6.6: a declaration without a name, which no BTF can express, ends pahole's run. Otherwise it
// is a struct without members.
func (w *walker) namelessDecl(pos int, members []uint32) (decl bool, still []uint32) {
	if w.opt.Peer.Has(rules.NamelessDecl) {
		w.c.Fail(pos, "declaration of a struct or union has no name")
		return true, members
	}
	w.note(NoteNameless, pos, 0, 0)
	return false, members[:0]
}

// namelessTypedef is rule 01/6.4: a typedef without a name ends pahole's run. Otherwise it is the type that it names.
func (w *walker) namelessTypedef(pos int, target uint32) {
	if w.opt.Peer.Has(rules.NamelessTypedef) {
		w.c.Fail(pos, "typedef has no name")
		return
	}
	w.alias(pos, target)
}

// namelessBase is rule 01/6.1: a base type without a name ends pahole's run. Otherwise it gets the one of integers
// that have no BTF.
func (w *walker) namelessBase(pos int) dwarf.StrKey {
	if w.opt.Peer.Has(rules.NamelessBase) {
		w.c.Fail(pos, "base type has no name")
		return 0
	}
	return fakeInt(w.t.Strings)
}

// oddFloat is rule 01/6.1: a float that is not real, or of a size that FLOAT does not have, ends pahole's run.
// Otherwise it is an integer, as all floats are without the feature; then it tells true.
func (w *walker) oddFloat(pos int, name dwarf.StrKey, size, enc uint64) bool {
	switch {
	case !w.opt.Peer.Has(rules.OddFloat):
		if intSize(size) { // else there is more to be told
			w.note(NoteOddFloat, pos, name, size)
		}
		return true
	case enc != ateFloat:
		w.c.Fail(pos, "complex and imaginary floats have no BTF")
	default:
		w.c.Fail(pos, "a float of %d bytes has no BTF", size)
	}
	return false
}

// namelessEnumerator is rule 01/6.7: an enumerator without a name ends pahole's run. Otherwise it is left out.
func (w *walker) namelessEnumerator() {
	if w.opt.Peer.Has(rules.NamelessEnumerator) {
		w.c.Fail(w.c.Pos, "enumerator has no name")
	}
}

// emptyTag is rule 01/7.1: a type tag without a text ends pahole's run. Otherwise it is left out.
func (w *walker) emptyTag(value dwarf.StrKey) bool {
	empty := w.t.Strings.Empty(value)
	if empty && w.opt.Peer.Has(rules.EmptyTag) {
		w.c.Fail(w.c.Pos, "type tag has no text")
	}
	return empty
}

// emptyDeclTag is rule 01/7.2: a declaration tag without a text ends pahole's run, where it is met. Otherwise it is left out.
func (w *walker) emptyDeclTag(value dwarf.StrKey) bool {
	if w.opt.Peer.Has(rules.EmptyDeclTag) || !w.t.Strings.Empty(value) {
		return false
	}
	w.note(NoteEmptyTag, w.c.Pos, 0, 0)
	return true
}

// lowerBound is rule 01/6.5: pahole takes every array to begin with element 0. Otherwise it begins where it does, by what is
// stated or by its language.
func (w *walker) lowerBound() uint64 {
	switch {
	case w.opt.Peer.Has(rules.LowerBound):
		return 0
	case w.c.Present(dwarf.SlotLower):
		return w.c.Val[dwarf.SlotLower]
	}
	switch w.u.Lang {
	case 0x03, 0x0d, 0x2e, 0x2f, 0x05, 0x06, 0x07, 0x08, 0x0e, 0x22, 0x23, 0x2d, 0x1f, 0x0a, 0x17, 0x09, 0x0f:
		return 1 // Ada, Cobol, Fortran, Julia, Modula, Pascal, PL/I
	}
	return 0
}

// unseenChain is rule 01/7.2: pahole does not see what gcc annotates variables, typedefs and unions with. Otherwise these
// are declaration tags like those of clang.
func (w *walker) unseenChain(annot uint32, add func(value dwarf.StrKey)) {
	if !w.opt.Peer.Has(rules.UnseenChain) && w.declTags {
		w.gnuChain(annot, add)
	}
}

// completed is rule 02/6.1: the type of a variable is that of its declaration, also where the definition completes it (extern
// int a[]; int a[4];), so that the array has no size and is lost. Otherwise the definition's own type counts.
func (w *walker) completed(own, declared uint32) uint32 {
	if own == 0 || w.opt.Peer.Has(rules.Completed) {
		return declared
	}
	return own
}

// likeC tells whether the names of a source language are identifiers of C. Units that state none, such as dwz's, are of any.
func likeC(lang uint64) bool {
	switch lang {
	case 0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x3e, 0x8001: // C89, C, C99, C11, C17, C23, assembler
		return true
	}
	return false
}

// keepsNames is rule 05/6: kernels take identifiers of C as names of types, enumerators and parameters, and refuse BTF with
// others, such as box<int>. pahole writes them as they are; otherwise every other byte is an underscore, and what is
// too long is cut. In units of C, which nearly never have such names, that is done when a name enters the object (package encoder).
func (o *Options) keepsNames() bool { return o.Peer.Has(rules.KeepsNames) }

// identifier is the name that was just read as an identifier of C.
func (w *walker) identifier(name dwarf.StrKey) dwarf.StrKey {
	var scratch [4]byte
	b := w.t.Strings.Get(name, &scratch)
	if IsIdentifier(b) || len(b) == 0 {
		return name
	}
	w.note(NoteName, w.c.Pos, name, 0)
	return w.mangled(name)
}

// mangled is a name as an identifier.
func (w *walker) mangled(name dwarf.StrKey) dwarf.StrKey {
	var scratch [4]byte
	b := w.t.Strings.Get(name, &scratch)
	if IsIdentifier(b) || len(b) == 0 {
		return name
	}
	return w.t.Strings.Key(string(Identifier(b)))
}

// confuseTypeUnits is rule 01/2.5: pahole takes the local id of a type in .debug_types for one of the unit that refers to
// it. (Where the unit has no such type it may crash; here that is void.) Otherwise such units are translated together.
func (w *walker) confuseTypeUnits() {
	if !w.opt.Peer.Has(rules.ConfuseTypeUnits) {
		return
	}
	for id := range w.u.TypeUnitIDs() {
		to := uint32(0)
		if dies := w.t.Dies; int(id) < len(dies) && (int(id)+1 == len(dies) || dies[id+1].Off != dies[id].Off) {
			to = dies[id].Off // not of an inner dimension of an array, to which no reference leads
		}
		w.alias(w.u.Len()+int(id)+1, to)
	}
}

// oddEnum is rule 02/4.4: an enumeration whose size BTF cannot express ends pahole's run. Otherwise it is a struct of that size.
func (w *walker) oddEnum(a *dwarf.Abbrev, name dwarf.StrKey, size uint64) int {
	c, pos := &w.c, w.c.Pos
	if w.opt.Peer.Has(rules.OddEnum) {
		c.Fail(pos, "an enumeration of %d bytes has no BTF", size)
		return c.Next
	}
	w.note(NoteOpaque, pos, name, size)
	w.opaque(pos, name, size)
	return c.Skip(a)
}

// emptyStub is rule 01/2.5: what stands for a type in a type unit is an empty struct without a name. Otherwise it is that type.
func (w *walker) emptyStub() bool { return w.opt.Peer.Has(rules.EmptyStub) }

// staticMember is rule 01/6.6: a static member, as old compilers describe it, is a member at offset 0. Otherwise it is none.
func (w *walker) staticMember() bool { return w.opt.Peer.Has(rules.StaticMember) }

// fieldBits is rule 01/10.1: of the size of a bit field the low 8 bits count. Otherwise more of them are an error.
func (w *walker) fieldBits(size uint64) uint32 {
	if size > maxBits && !w.opt.Peer.Has(rules.FieldBits) {
		w.c.Fail(w.c.Pos, "a bit field of %d bits has no BTF", size)
	}
	return uint32(uint8(size))
}

// keepsUnsized is rule 01/8.2: a member, an element or a parameter whose type is void, or is not there, is void, which kernels
// refuse. Otherwise it is an empty struct.
func (o *Options) keepsUnsized() bool { return o.Peer.Has(rules.KeepsUnsized) }

// unknownTag is rule 01/5.1: what refers to an entry of which no rule makes a type is void. Otherwise it is the type that the entry
// refers to, or a struct of its size.
func (w *walker) unknownTag() bool { return w.opt.Peer.Has(rules.UnknownTag) }

// noteUnlessQuiet is rule 01/6.6: pahole leaves base classes and variant parts out, and says nothing. Otherwise that is noted.
func (w *walker) noteUnlessQuiet(rule NoteRule, pos int, name dwarf.StrKey, value uint64) {
	if !w.opt.Peer.Has(rules.NoteUnlessQuiet) {
		w.note(rule, pos, name, value)
	}
}

// plainFields is rule 02/2 for --fixup_silly_bitfields: a bit field that has all bits of its type, at a place where a plain
// member of that type could be, becomes one.
func (t *Unit) plainFields() {
	for id := btf.ID(1); id < t.Types.End(); id++ {
		r := t.Types.At(id)
		if !btf.Composites.Has(r.Kind()) || !r.Kflag() {
			continue
		}
		left := false
		for i := range r.Vlen() {
			e := r.Elem(i)
			at, bits := btf.MemberOffset(e[2], true)
			if bits != 0 && at%bits == 0 && uint64(bits) == 8*t.SizeOf(e[1]) {
				e[2], bits = at, 0
			}
			left = left || bits != 0
		}
		if !left {
			r[1] = btf.Info(r.Kind(), uint32(r.Vlen()), false)
		}
	}
}
