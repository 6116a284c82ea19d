package translate

import (
	"cmp"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// A composite collects four words per member: name, offset of the type's DIE, bit offset, and the size of a bit field, which is 0
// for a plain member.
const memberWords = 4

// oldStorage in the fourth word marks a bit field in the old form that has the storage size of its type.
const oldStorage = 1 << 31

const langRust = 0x1c

// maxBits is the largest size of a bit field that kernels accept, in bits.
const maxBits = 128

// composite handles a struct, class, interface or union with its members (rules 01/5.2 and 01/6.6).
func (w *walker) composite(a *dwarf.Abbrev) int {
	c, pos := &w.c, w.c.Pos
	if w.direct && a.Children && c.Only(dwarf.SlotName, dwarf.SlotNameKey, dwarf.SlotSize, dwarf.SlotSibling) {
		if next, ok := w.plainRecord(pos, c.Next, c.Name(), c.Value(dwarf.SlotSize), a.Tag == dwarf.TagUnionType); ok {
			return next
		}
		c.Read(pos)
	}
	return w.mixedComposite(a)
}

// mixedComposite is composite for a DIE that is not plain.
func (w *walker) mixedComposite(a *dwarf.Abbrev) int {
	c, pos, tag := &w.c, w.c.Pos, a.Tag
	name, size, next := w.name(), c.Value(dwarf.SlotSize), c.Next
	spec, annot := w.ref(dwarf.SlotSpec), w.ref(dwarf.SlotAnnot)
	decl, union := c.Value(dwarf.SlotDecl) != 0, tag == dwarf.TagUnionType
	if c.Present(dwarf.SlotSignature) && !w.emptyStub() {
		return w.stub(a)
	}
	base, tags := len(w.elems), len(w.t.TypeTags)
	if a.Children && w.enter() {
		next = w.members(next, pos, union)
		w.depth--
	}
	if w.declTags && annot != 0 {
		chain := w.gnuChain
		if union {
			chain = w.unseenChain
		}
		chain(annot, func(value dwarf.StrKey) {
			w.t.TypeTags = append(w.t.TypeTags, DeclTag{uint32(pos), -1, value})
		})
	}
	if tag == dwarf.TagClassType {
		w.dropTags(tags, pos)
	}
	members := w.elems[base:]
	if decl && name == 0 {
		decl, members = w.namelessDecl(pos, members)
	}
	var id uint32
	if decl {
		w.t.Types.Append(uint32(name), btf.Info(btf.KindFwd, 0, union), 0)
		id = w.added(pos, nominal.Hash{})
		w.t.setSize(id, size, 0)
		w.named(id, name, 0, aggregate(union))
	} else {
		id = w.record(pos, name, size, union, members)
		w.named(id, name, spec, aggregate(union))
	}
	w.own(tags, pos, id)
	w.elems = w.elems[:base]
	return next
}

// plainComposite is composite for the struct or union at pos if that is plain. Otherwise it returns pos.
//
//go:noinline
func (w *walker) plainComposite(pos int) (next int) {
	if !w.direct {
		return pos
	}
	s, child := w.c.Composite(pos)
	if child == 0 {
		return pos
	}
	if next, ok := w.plainRecord(pos, child, s.Name, uint64(s.Size), s.Union); ok {
		return next
	}
	if a := w.c.Read(pos); a != nil {
		return w.mixedComposite(a)
	}
	return pos
}

// own makes a complete type the owner of the tags that were collected for its DIE.
func (w *walker) own(from, pos int, id uint32) {
	for i := from; i < len(w.t.TypeTags); i++ {
		if t := &w.t.TypeTags[i]; t.Owner == uint32(pos) {
			t.Owner = id | localMark
		}
	}
}

// named records that a struct, union or enum has a name, either its own or that of the type at spec.
func (w *walker) named(id uint32, name dwarf.StrKey, spec dwarf.Offset, g nominal.Group) {
	switch {
	case name != 0:
		w.setName(id, name, g)
	case spec != 0:
		w.names = append(w.names, nameFixup{LocalID(id), spec})
	}
}

// setName records what references to a type with this name contribute.
func (w *walker) setName(id uint32, name dwarf.StrKey, g nominal.Group) {
	w.t.Named = append(w.t.Named, LocalID(id))
	w.t.Dies[id].Set(nominal.Name(uint32(name), g))
}

func aggregate(union bool) nominal.Group {
	if union {
		return nominal.Union
	}
	return nominal.Struct
}

// dropTags drops the tags that were collected for a class, which has none in BTF (rule 01/7.2).
func (w *walker) dropTags(from, owner int) {
	keep := w.t.TypeTags[:from]
	for _, t := range w.t.TypeTags[from:] {
		if t.Owner != uint32(owner) {
			keep = append(keep, t)
		}
	}
	w.t.TypeTags = keep
}

// plainRecord appends the STRUCT or UNION at pos if all its children, from next on, are plain members. Otherwise it changes
// nothing, and ok is false.
func (w *walker) plainRecord(pos, next int, name dwarf.StrKey, size uint64, union bool) (behind int, ok bool) {
	t := &w.t.Types
	t.Append3(uint32(name), 0, uint32(size))
	at := t.WordCount()
	run := dwarf.Run{Words: t.Words()}
	run.Read(&w.c, dwarf.RunMembers, next)
	words, n := run.Words, (len(run.Words)-at)/3
	t.SetWords(words)
	if !w.c.Null(run.Next) || union && spread(words[at:]) || n > btf.MaxVlen || run.Bits > maxBits { // of which fieldBits judges each
		t.CutLast()
		return 0, false
	}
	kind := btf.KindStruct
	if union {
		kind = btf.KindUnion
	}
	words[at-2] = btf.Info(kind, uint32(n), run.Bits != 0)
	w.elements(words, at+1, 3)
	if name != 0 {
		w.t.Named = append(w.t.Named, LocalID(w.added(pos, nominal.Name(uint32(name), aggregate(union)))))
	} else {
		w.addedComposed(pos)
	}
	return run.Next + 1, true
}

// spread reports whether any of the members, three words each, has an offset.
func spread(members []uint32) bool {
	for at := 2; at < len(members); at += 3 {
		if members[at] != 0 {
			return true
		}
	}
	return false
}

// members collects the members of a composite that is not plain.
func (w *walker) members(pos, owner int, union bool) int {
	c := &w.c
	index := int32(0)
	for {
		a := c.Read(pos)
		if a == nil {
			return c.Next
		}
		switch a.Tag {
		case dwarf.TagMember:
			if c.Present(dwarf.SlotDecl) && !w.staticMember() {
				pos = c.Skip(a)
				continue
			}
			w.member(union)
			fallthrough
		case dwarf.TagInheritance:
			if a.Tag == dwarf.TagInheritance {
				w.noteUnlessQuiet(NoteLostPart, c.Pos, 0, uint64(a.Tag))
			}
			if w.declTags && (a.Children || c.Present(dwarf.SlotAnnot)) {
				pos = w.tagged(a, uint32(owner), index)
			} else {
				pos = c.Skip(a)
			}
			index++
		case dwarf.TagLLVMAnnotation, dwarf.TagGNUAnnotation:
			if value, ok := w.declTag(); ok && w.declTags {
				w.t.TypeTags = append(w.t.TypeTags, DeclTag{uint32(owner), -1, value})
			}
			pos = c.Skip(a)
		case dwarf.TagTemplateTypeParam, dwarf.TagTemplateValueParam, dwarf.TagSubrangeType:
			pos = c.Skip(a)
		case dwarf.TagVariantPart:
			w.noteUnlessQuiet(NoteLostPart, c.Pos, 0, uint64(a.Tag))
			pos = c.Skip(a)
		default:
			pos = w.generic(a)
		}
	}
}

// member pushes the current member (rule 01/10.1).
func (w *walker) member(union bool) {
	c := &w.c
	name, typ, wide := c.Name(), w.ref(dwarf.SlotType), c.Value(dwarf.SlotBitSize)
	if w.mangle {
		name = w.identifier(name)
	}
	if typ == 0 {
		w.unsized = true
	}
	bits := w.fieldBits(wide)
	var offset uint32
	switch {
	case c.Present(dwarf.SlotDataBit):
		offset = uint32(c.Val[dwarf.SlotDataBit])
	case c.Present(dwarf.SlotDataBitAt):
		offset = uint32(w.u.FirstOperand(c.Val[dwarf.SlotDataBitAt]))
	default:
		offset, bits = w.byteOffset(bits)
	}
	switch {
	case bits == 0 && offset%8 != 0:
		c.Fail(c.Pos, "BTF cannot express a plain member at bit %d", offset)
	case union && offset != 0 && bits&oldStorage == 0:
		c.Fail(c.Pos, "BTF cannot express a union member at bit %d", offset)
	case bits != 0 && bits&oldStorage == 0 && offset > 0xffffff:
		c.Fail(c.Pos, "BTF cannot express a bit field at bit %d", offset)
	}
	w.elems = append(w.elems, uint32(name), uint32(typ), offset, bits)
}

// byteOffset returns the position of a member whose offset is in bytes, and which may be a bit field in the old form.
func (w *walker) byteOffset(bits uint32) (offset, stillBits uint32) {
	c := &w.c
	offset = 8 * uint32(c.Value(dwarf.SlotMember))
	if c.Present(dwarf.SlotMemberAt) {
		offset = 8 * uint32(w.u.FirstOperand(c.Val[dwarf.SlotMemberAt]))
	}
	if bits == 0 {
		return offset, 0
	}
	b := uint32(int32(int8(c.Value(dwarf.SlotBitOffset))))
	if w.u.BigEndian() {
		return offset + b, bits
	}
	offset -= b + bits
	if s := uint32(c.Value(dwarf.SlotSize)); s != 0 {
		return offset + 8*s, bits
	}
	return offset, bits | oldStorage
}

// record appends the STRUCT or UNION of the collected members.
func (w *walker) record(pos int, name dwarf.StrKey, size uint64, union bool, members []uint32) uint32 {
	kind, kflag, n := btf.KindStruct, false, len(members)/memberWords
	if union {
		kind = btf.KindUnion
	}
	for i := 3; i < len(members); i += memberWords {
		if members[i] != 0 {
			kflag = true
		}
	}
	if w.rust && !kflag {
		rustOrder(members)
	}
	if n > btf.MaxVlen {
		w.c.Fail(pos, "%d members are more than BTF allows", n)
	}
	t := &w.t.Types
	t.Append(uint32(name), btf.Info(kind, uint32(n)&btf.MaxVlen, kflag), uint32(size))
	id := w.added(pos, nominal.Hash{})
	if w.rust && kflag {
		w.rustFields = append(w.rustFields, id)
	}
	words := t.Space(3 * n)
	for i := range n {
		m := members[memberWords*i : memberWords*i+memberWords : memberWords*i+memberWords]
		e := words[3*i : 3*i+3 : 3*i+3]
		e[0], e[1], e[2] = m[0], m[1], m[2]
		switch {
		case m[3]&oldStorage != 0:
			w.storage = append(w.storage, storageFixup{id, i, m[2]})
			e[2] = (m[3] &^ oldStorage) << 24
		case m[3] != 0:
			e[2] = m[3]<<24 | m[2]
		}
	}
	w.elements(t.Words(), t.WordCount()-3*n+1, 3)
	return id
}

// rustOrder orders the members of a Rust struct without bit fields by byte offset (rule 01/10.3).
func rustOrder(members []uint32) {
	list := make([][memberWords]uint32, 0, len(members)/memberWords)
	for m := range slices.Chunk(members, memberWords) {
		list = append(list, [memberWords]uint32(m))
	}
	slices.SortStableFunc(list, func(a, b [memberWords]uint32) int { return cmp.Compare(a[2]/8, b[2]/8) })
	for i := range list {
		copy(members[memberWords*i:], list[i][:])
	}
}

// orderRustFields is rustOrder for a struct with bit fields, as soon as the sizes of types are known. The byte offset of a bit field is that of its storage
// unit.
func (w *walker) orderRustFields(id uint32) {
	type member struct {
		words [3]uint32
		at    uint32
	}
	r := w.t.Types.At(btf.ID(id))
	var list []member
	for words := range slices.Chunk(r[3:], 3) {
		m := member{words: [3]uint32(words), at: words[2] & 0xffffff / 8}
		if isField := words[2]>>24 != 0; isField {
			if size := uint32(w.t.SizeOf(LocalID(words[1]))); size != 0 {
				m.at = m.at / size * size
			}
		}
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b member) int { return cmp.Compare(a.at, b.at) })
	for i := range list {
		copy(r[3+3*i:], list[i].words[:])
	}
}
