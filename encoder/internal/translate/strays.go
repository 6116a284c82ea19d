package translate

import (
	"cmp"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// A stray is a DIE that something refers to as a type, but that became none. Either no rule knows its tag, or it is in a place
// where no rule looks for types. Nearly no unit has one. They are found when references are resolved: the offset of a reference
// that leads to no type is recorded.
//
// In the profile pahole, such a reference is void. In the profile default, the unit is translated again, with a replacement for
// each stray:
//
//   - A stray with a type but without a size, such as a qualifier of some language, is replaced by its type.
//   - A stray with a size is replaced by a struct of that size without members.
//   - Any other stray is void.
//
// Each stray gets a note.

// strays lists the strays of the current unit, in the order in which they were found.
type strays struct {
	offs []dwarf.Offset
	seen map[dwarf.Offset]bool
}

func (s *strays) forget() {
	if s.seen != nil {
		*s = strays{}
	}
}

// strayed records the offset of a reference that leads to no type. If no DIE starts there, it sets an error.
func (w *walker) strayed(off dwarf.Offset) {
	s := &w.strays
	if s.seen == nil {
		s.seen = make(map[dwarf.Offset]bool)
	}
	if !s.seen[off] {
		s.seen[off] = true
		s.offs = append(s.offs, off)
		w.mustBe(off)
	}
}

// A replacement says what replaces a stray.
type replacement struct {
	off, to dwarf.Offset // to: the DIE that replaces it, with asTarget
	size    uint32       // the size of the struct, with asOpaque
	name    dwarf.StrKey
	as      outcome
	tag     dwarf.Tag
	at      Note // place
}

// An outcome is the kind of a replacement.
type outcome uint8

const (
	asVoid outcome = iota
	asTarget
	asOpaque
)

// applyReplacements appends the replacements of the strays that an earlier walk over the unit found.
func (w *walker) applyReplacements() {
	for _, m := range w.replacements {
		switch m.as {
		case asTarget:
			w.alias(int(m.off), m.to)
		case asOpaque:
			w.moved = true
			w.opaque(int(m.off), m.name, uint64(m.size))
		}
	}
}

// replaceStrays decides about the strays of a unit that has been walked. It reports whether the unit must be walked again. After
// the last walk it adds the notes.
func (w *walker) replaceStrays() (again bool) {
	if w.strays.offs == nil && len(w.replacements) == 0 {
		return false
	}
	if len(w.replacements) == 0 {
		w.replaced = make(map[dwarf.Offset]bool)
	}
	slices.Sort(w.strays.offs) // opens each unit of MergedUnits once
	defer w.peek.Close()
	for i := 0; i < len(w.strays.offs); i++ { //nolint:intrange // more may be appended
		off := w.strays.offs[i]
		if w.replaced[off] {
			continue
		}
		if m, ok := w.judgeStray(off); ok {
			w.replacements = append(w.replacements, m)
			w.replaced[off] = true
			again = again || m.as != asVoid
			if m.as == asTarget && w.find(m.to) == 0 && m.to != 0 {
				w.strayed(m.to)
			}
		}
	}
	if again {
		return true
	}
	slices.SortFunc(w.replacements, func(a, b replacement) int { return cmp.Compare(a.off, b.off) }) // they were found in the order of references, or of classes
	for _, m := range w.replacements {
		n := m.at
		n.Rule, n.Name, n.Value = NoteUnknownTag, m.name, uint64(m.tag)|uint64(m.as)<<16|uint64(m.size)<<32
		w.t.Notes = append(w.t.Notes, n)
	}
	return false
}

// judgeStray decides about the DIE at an offset. ok is false if it needs neither a replacement nor a note.
func (w *walker) judgeStray(off dwarf.Offset) (m replacement, ok bool) {
	defer w.visit(off)()
	peek := &w.peek
	a := peek.Read(w.u, int(off))
	if a == nil {
		return m, false
	}
	m = replacement{off: off, tag: a.Tag, name: peek.Name(), at: w.placed(int(off))}
	if a.Tag == dwarf.TagUnspecifiedType && (m.name == 0 || w.t.Strings.Equal(m.name, "void")) {
		return m, false // that is void
	}
	if w.unknownTag() || knownTag(a.Tag) {
		return m, true
	}
	to, hasType := peek.Ref(dwarf.SlotType)
	size := uint32(peek.Value(dwarf.SlotSize))
	switch {
	case hasType && (size == 0 || uint64(size) == w.t.SizeOf(w.find(to))):
		m.as, m.to = asTarget, to
	case size != 0:
		m.as, m.size, m.name = asOpaque, size, w.mangled(m.name)
	}
	return m, true
}

// knownTag reports whether the rules know a tag. A DIE with such a tag that became no type is not a type, or is in a place where
// types are not translated, such as an inline expansion.
func knownTag(tag dwarf.Tag) bool {
	switch tag {
	case dwarf.TagArrayType, dwarf.TagClassType, dwarf.TagEnumerationType, dwarf.TagFormalParameter, dwarf.TagImportedDeclaration, dwarf.TagLabel,
		dwarf.TagLexicalBlock, dwarf.TagMember, dwarf.TagPointerType, dwarf.TagReferenceType, dwarf.TagCompileUnit, dwarf.TagStringType,
		dwarf.TagStructureType, dwarf.TagSubroutineType, dwarf.TagTypedef, dwarf.TagUnionType, dwarf.TagUnspecifiedParams, dwarf.TagInheritance,
		dwarf.TagInlinedSubroutine, dwarf.TagPtrToMemberType, dwarf.TagBaseType, dwarf.TagConstType, dwarf.TagConstant, dwarf.TagEnumerator,
		dwarf.TagSubprogram, dwarf.TagTemplateTypeParam, dwarf.TagTemplateValueParam, dwarf.TagVariable, dwarf.TagVolatileType,
		dwarf.TagDwarfProcedure, dwarf.TagRestrictType, dwarf.TagInterfaceType, dwarf.TagNamespace, dwarf.TagImportedModule,
		dwarf.TagUnspecifiedType, dwarf.TagPartialUnit, dwarf.TagImportedUnit, dwarf.TagTypeUnit, dwarf.TagRvalueReferenceType,
		dwarf.TagAtomicType, dwarf.TagCallSite, dwarf.TagCallSiteParameter, dwarf.TagSkeletonUnit, dwarf.TagGNUCallSite,
		dwarf.TagGNUCallSiteParam, dwarf.TagLLVMAnnotation, dwarf.TagGNUAnnotation:
		return true
	}
	return false
}

// opaque appends a struct of a given size without members.
func (w *walker) opaque(pos int, name dwarf.StrKey, size uint64) {
	w.t.Types.Append(uint32(name), btf.Info(btf.KindStruct, 0, false), uint32(size))
	if id := w.added(pos, nominal.Hash{}); name != 0 {
		w.setName(id, name, nominal.Struct)
	}
}
