package translate

import (
	"cmp"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// A stray is a DIE that something refers to as to a type and that made none: its tag is one that no rule knows, or it stands where no
// rule looks. Nearly no unit has one, so they are found where references are resolved: one that leads to no type is kept.
//
// In the profile pahole such a reference is void. Otherwise the unit is translated once more, with replacements: a stray that has a type
// and no size of its own is that type, such as the qualifiers of some language; one with a size is a struct of that size that says
// nothing else. What is neither stays void. A note tells of each.

// strays are those of the unit at hand, in the order in which they were found.
type strays struct {
	offs []dwarf.Offset
	seen map[dwarf.Offset]bool
}

func (s *strays) forget() {
	if s.seen != nil {
		*s = strays{}
	}
}

// strayed keeps the offset of a reference that leads to no type. It is an error where no DIE is.
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

// A replacement says what a stray is taken for.
type replacement struct {
	off, to dwarf.Offset // with to, what is at that offset
	size    uint32       // else a struct of that size
	name    dwarf.StrKey
	as      outcome
	tag     dwarf.Tag
	at      Note // place
}

// An outcome is what became of a stray.
type outcome uint8

const (
	asVoid outcome = iota
	asTarget
	asOpaque
)

// applyReplacements makes types of the strays that an earlier walk over the unit met.
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

// replaceStrays decides about the strays of a unit that has been walked. It reports whether the unit must be walked once more; after the
// last walk it notes what there is to be told.
func (w *walker) replaceStrays() (again bool) {
	if w.strays.offs == nil && len(w.replacements) == 0 {
		return false
	}
	if len(w.replacements) == 0 {
		w.replaced = make(map[dwarf.Offset]bool)
	}
	slices.Sort(w.strays.offs) // so that each unit of MergedUnits is looked into once
	var peek dwarf.Peek
	for i := 0; i < len(w.strays.offs); i++ { //nolint:intrange // more may be appended
		off := w.strays.offs[i]
		if w.replaced[off] {
			continue
		}
		if m, ok := w.judgeStray(off, &peek); ok {
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
	slices.SortFunc(w.replacements, func(a, b replacement) int { return cmp.Compare(a.off, b.off) }) // found in the order of references, or of classes
	for _, m := range w.replacements {
		n := m.at
		n.Rule, n.Name, n.Value = NoteUnknownTag, m.name, uint64(m.tag)|uint64(m.as)<<16|uint64(m.size)<<32
		w.t.Notes = append(w.t.Notes, n)
	}
	return false
}

// judgeStray looks at the DIE at an offset; ok is false where there is nothing to tell of.
func (w *walker) judgeStray(off dwarf.Offset, peek *dwarf.Peek) (m replacement, ok bool) {
	defer w.visit(off)()
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

// knownTag reports whether rules know a tag. Where such a DIE made no type it is none, or stands where none is looked for, as in an inline
// expansion.
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

// opaque appends a struct of a size that says nothing else.
func (w *walker) opaque(pos int, name dwarf.StrKey, size uint64) {
	w.t.Types.Append(uint32(name), btf.Info(btf.KindStruct, 0, false), uint32(size))
	if id := w.added(pos, size, nominal.Hash{}); name != 0 {
		w.setName(id, name, nominal.Struct)
	}
}
