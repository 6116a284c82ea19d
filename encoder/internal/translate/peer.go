package translate

import (
	"bytes"
	"cmp"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// fakeInt is the name of integers that BTF cannot express.
func fakeInt(s *dwarf.Strings) dwarf.StrKey { return s.Key("__SANITIZED_FAKE_INT__") }

// oddInteger is rule 02/4.1: an integer whose size BTF cannot express, such as _BitInt(256), becomes an integer of 4 bytes with the name
// fakeInt. In the profile default, oddInteger appends a struct with its size and name instead.
func (w *walker) oddInteger(pos int, name dwarf.StrKey, size uint64) bool {
	switch {
	case w.opt.Peer.Has(rules.OddInteger) && size != 0:
		w.note(NoteFakeInteger, pos, name, size)
		fallthrough
	case w.opt.Peer.Has(rules.OddInteger):
		return false
	case size != 0: // a struct can have size 0, such as Rust's ()
		w.note(NoteOddInteger, pos, name, size)
	}
	w.opaque(pos, w.mangled(name), size)
	return true
}

// foreign is rule 01/6.2: types that C and BTF lack end pahole's run. In the profile default, an atomic type is the type that it
// qualifies, a reference is a pointer, an interface is a struct, and other types become structs of their size.
func (w *walker) foreign(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	if w.opt.Peer.Has(rules.Foreign) {
		c.Fail(pos, "BTF cannot express tag %#x", uint16(a.Tag))
		return c.Next
	}
	switch a.Tag {
	case dwarf.TagAtomicType:
		w.alias(pos, w.ref(dwarf.SlotType))
	case dwarf.TagReferenceType, dwarf.TagRvalueReferenceType:
		w.append(pos, 0, btf.Info(btf.KindPtr, 0, false), uint32(w.ref(dwarf.SlotType)))
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

// leaveOut is rule 01/2.4: pahole stops at an empty unit and loses the units after it. In the profile pahole this is an error, unless
// it is the last unit. The profile default leaves out such a unit.
func (o *Options) leaveOut(u *dwarf.Unit) error {
	if !o.Peer.Has(rules.LeaveOut) || u.Last() {
		return nil
	}
	return u.Err(0, "the unit is empty: %v", u.Empty)
}

// lostType is rule 01/5.1: pahole does not know packed, shared, immutable and signed (ptrauth) types and templates of typedefs.
// References to them are void. In the profile default, templates of typedefs are typedefs, and the others are the types that they
// qualify, like atomic types.
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

// unspecified is rule 01/6.10: unspecified types are void, including that of nullptr. In the profile default, the type of nullptr is a
// pointer to void, which a member can have.
func (w *walker) unspecified(a *dwarf.Abbrev) int {
	if !w.opt.Peer.Has(rules.Unspecified) && w.isNull(w.c.Name()) {
		w.append(w.c.Pos, 0, btf.Info(btf.KindPtr, 0, false), 0)
	}
	return w.c.Skip(a)
}

// isNull reports whether an unspecified type of that name is the type of nullptr: decltype(nullptr), typeof (nullptr), nullptr_t.
func (w *walker) isNull(name dwarf.StrKey) bool {
	var scratch [4]byte
	return bytes.Contains(w.t.Strings.Get(name, &scratch), []byte("nullptr"))
}

// memberPointer returns the size of the current pointer to a member if it is not stated: two words for pointers to functions.
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

// namelessDecl is rule 01/6.6: a declaration without a name, which BTF cannot express, ends pahole's run. In the profile default it is a
// struct without members.
func (w *walker) namelessDecl(pos int, members []uint32) (decl bool, still []uint32) {
	if w.opt.Peer.Has(rules.NamelessDecl) {
		w.c.Fail(pos, "declaration of a struct or union has no name")
		return true, members
	}
	w.note(NoteNameless, pos, 0, 0)
	return false, members[:0]
}

// namelessTypedef is rule 01/6.4: a typedef without a name ends pahole's run. In the profile default it is replaced by its type.
func (w *walker) namelessTypedef(pos int, target dwarf.Offset) {
	if w.opt.Peer.Has(rules.NamelessTypedef) {
		w.c.Fail(pos, "typedef has no name")
		return
	}
	w.alias(pos, target)
}

// namelessBase is rule 01/6.1: a base type without a name ends pahole's run. In the profile default its name is fakeInt.
func (w *walker) namelessBase(pos int) dwarf.StrKey {
	if w.opt.Peer.Has(rules.NamelessBase) {
		w.c.Fail(pos, "base type has no name")
		return 0
	}
	return fakeInt(w.t.Strings)
}

// oddFloat is rule 01/6.1: a float that is not real, or of a size that FLOAT lacks, ends pahole's run. In the profile default it is an
// integer, like all floats without the feature float; oddFloat then returns true.
func (w *walker) oddFloat(pos int, name dwarf.StrKey, size, enc uint64) bool {
	switch {
	case !w.opt.Peer.Has(rules.OddFloat):
		if intSize(size) { // other sizes get a note of their own
			w.note(NoteOddFloat, pos, name, size)
		}
		return true
	case enc != ateFloat:
		w.c.Fail(pos, "BTF cannot express complex and imaginary floats")
	default:
		w.c.Fail(pos, "BTF cannot express a float of %d bytes", size)
	}
	return false
}

// namelessEnumerator is rule 01/6.7: an enumerator without a name ends pahole's run. The profile default leaves it out.
func (w *walker) namelessEnumerator() {
	if w.opt.Peer.Has(rules.NamelessEnumerator) {
		w.c.Fail(w.c.Pos, "enumerator has no name")
	}
}

// emptyTag is rule 01/7.1: a type tag without text ends pahole's run. The profile default leaves it out.
func (w *walker) emptyTag(value dwarf.StrKey) bool {
	empty := w.t.Strings.Empty(value)
	if empty && w.opt.Peer.Has(rules.EmptyTag) {
		w.c.Fail(w.c.Pos, "type tag has no text")
	}
	return empty
}

// emptyDeclTag is rule 01/7.2: a declaration tag without text ends pahole's run at that point. The profile default leaves it out.
func (w *walker) emptyDeclTag(value dwarf.StrKey) bool {
	if w.opt.Peer.Has(rules.EmptyDeclTag) || !w.t.Strings.Empty(value) {
		return false
	}
	w.note(NoteEmptyTag, w.c.Pos, 0, 0)
	return true
}

// lowerBound is rule 01/6.5: for pahole, every array starts at index 0. In the profile default, it starts at its stated lower bound or
// at the default of its language.
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

// unseenChain is rule 01/7.2: pahole does not see gcc's annotations of variables, typedefs and unions. In the profile default they are
// declaration tags, like those of clang.
func (w *walker) unseenChain(annot dwarf.Offset, add func(value dwarf.StrKey)) {
	if !w.opt.Peer.Has(rules.UnseenChain) && w.declTags {
		w.gnuChain(annot, add)
	}
}

// completed is rule 02/6.1: pahole uses the type of a variable's declaration, even if the definition completes it (extern int a[]; int
// a[4];). The array then has no size and is lost. The profile default uses the type of the definition.
func (w *walker) completed(own, declared dwarf.Offset) dwarf.Offset {
	if own == 0 || w.opt.Peer.Has(rules.Completed) {
		return declared
	}
	return own
}

// likeC reports whether the names of a source language are C identifiers. Units without a language, such as dwz's, may be in any.
func likeC(lang uint64) bool {
	switch lang {
	case 0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x3e, 0x8001: // C89, C, C99, C11, C17, C23, assembler
		return true
	}
	return false
}

// keepsNames is rule 05/6: kernels refuse BTF in which the name of a type, enumerator or parameter is not a C identifier, such as
// box<int>. pahole writes such names unchanged. The profile default replaces every other byte by an underscore, and cuts names that
// are too long. For C units, which hardly ever have such names, package encoder does this when a name enters the BTF object.
func (o *Options) keepsNames() bool { return o.Peer.Has(rules.KeepsNames) }

// identifier returns the current name as a C identifier.
func (w *walker) identifier(name dwarf.StrKey) dwarf.StrKey {
	var scratch [4]byte
	b := w.t.Strings.Get(name, &scratch)
	if IsIdentifier(b) || len(b) == 0 {
		return name
	}
	w.note(NoteName, w.c.Pos, name, 0)
	return w.mangled(name)
}

// mangled returns a name as an identifier.
func (w *walker) mangled(name dwarf.StrKey) dwarf.StrKey {
	var scratch [4]byte
	b := w.t.Strings.Get(name, &scratch)
	if IsIdentifier(b) || len(b) == 0 {
		return name
	}
	return w.t.Strings.Key(string(Identifier(b)))
}

// confuseTypeUnits is rule 01/2.5: pahole uses the local id of a type in .debug_types as if it were an id of the unit that refers to
// it. If that unit has no such type, pahole may crash; in the profile pahole the reference is void. The profile default translates such
// units together.
func (w *walker) confuseTypeUnits() {
	if !w.opt.Peer.Has(rules.ConfuseTypeUnits) {
		return
	}
	for id := 1; id <= int(w.u.TypeUnitIDs()); id++ {
		to := dwarf.Offset(0)
		if dies := w.t.Dies; id < len(dies) && (id+1 == len(dies) || dies[id+1].Off != dies[id].Off) {
			to = dwarf.Offset(dies[id].Off) // not an inner dimension of an array, to which references never lead
		}
		w.alias(w.u.Len()+id, to)
	}
}

// oddEnum is rule 02/4.4: an enum whose size BTF cannot express ends pahole's run. In the profile default it is a struct of that size.
func (w *walker) oddEnum(a *dwarf.Abbrev, name dwarf.StrKey, size uint64) int {
	c, pos := &w.c, w.c.Pos
	if w.opt.Peer.Has(rules.OddEnum) {
		c.Fail(pos, "BTF cannot express an enumeration of %d bytes", size)
		return c.Next
	}
	w.note(NoteOpaque, pos, name, size)
	w.opaque(pos, name, size)
	return c.Skip(a)
}

// emptyStub is rule 01/2.5: the placeholder of a type in a type unit is an empty struct without a name. In the profile default it is that type.
func (w *walker) emptyStub() bool { return w.opt.Peer.Has(rules.EmptyStub) }

// staticMember is rule 01/6.6: a static member, as old compilers describe it, is a member at offset 0. The profile default leaves it out.
func (w *walker) staticMember() bool { return w.opt.Peer.Has(rules.StaticMember) }

// fieldBits is rule 01/10.1: only the low 8 bits of a bit field's size are used. In the profile default, a larger size is an error.
func (w *walker) fieldBits(size uint64) uint32 {
	if size > maxBits && !w.opt.Peer.Has(rules.FieldBits) {
		w.c.Fail(w.c.Pos, "BTF cannot express a bit field of %d bits", size)
	}
	return uint32(uint8(size))
}

// keepsUnsized is rule 01/8.2: a member, an element or a parameter whose type is void or missing is void, which kernels refuse. In the
// profile default it is an empty struct.
func (o *Options) keepsUnsized() bool { return o.Peer.Has(rules.KeepsUnsized) }

// unknownTag is rule 01/5.1: a reference to a DIE that no rule turns into a type is void. In the profile default it is the type that the
// DIE refers to, or a struct of its size.
func (w *walker) unknownTag() bool { return w.opt.Peer.Has(rules.UnknownTag) }

// noteUnlessQuiet is rule 01/6.6: pahole leaves out base classes and variant parts without a message. The profile default adds a note.
func (w *walker) noteUnlessQuiet(rule NoteRule, pos int, name dwarf.StrKey, value uint64) {
	if !w.opt.Peer.Has(rules.NoteUnlessQuiet) {
		w.note(rule, pos, name, value)
	}
}

// plainFields is rule 02/2 for --fixup_silly_bitfields: a bit field that has all bits of its type, at a position where a plain member of
// that type could be, becomes a plain member.
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
			if bits != 0 && at%bits == 0 && uint64(bits) == 8*t.SizeOf(LocalID(e[1])) {
				e[2], bits = at, 0
			}
			left = left || bits != 0
		}
		if !left {
			r[1] = btf.Info(r.Kind(), uint32(r.Vlen()), false)
		}
	}
}
