package translate

import (
	"cmp"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// DWARF stores annotations in two ways (rule 01/7): as child DIEs (clang), and as chains that start with an attribute (gcc).

const (
	declTagName = "btf_decl_tag"
	typeTagName = "btf_type_tag"
)

// declTag returns the value of the current annotation DIE, if it is a declaration tag.
func (w *walker) declTag() (value dwarf.StrKey, ok bool) {
	if value, ok = w.tagNamed(declTagName); ok && w.emptyDeclTag(value) {
		return 0, false
	}
	return value, ok
}

func (w *walker) tagNamed(name string) (value dwarf.StrKey, ok bool) {
	if !w.t.Strings.Equal(w.c.Name(), name) {
		return 0, false
	}
	return w.c.ConstString(), true
}

// annotations walks the children of a DIE from pos on, and calls add for the values of its declaration tags. It returns the
// position after them.
func (w *walker) annotations(pos int, add func(value dwarf.StrKey)) int {
	c := &w.c
	for {
		a := c.Read(pos)
		if a == nil {
			return c.Next
		}
		if a.Tag == dwarf.TagLLVMAnnotation || a.Tag == dwarf.TagGNUAnnotation {
			if value, ok := w.declTag(); ok && w.declTags {
				add(value)
			}
		}
		pos = c.Skip(a)
	}
}

// maxAnnotations bounds a chain of annotations, which is circular in some damaged images.
const maxAnnotations = 1 << 12

// chain calls visit for the annotation DIEs of a gcc chain, starting at off, until it returns false. Any number of DIEs may share
// a chain, and each of them gets its own tags. Their total number is limited to the number of bytes of the unit: compilers need
// several bytes per DIE, and chains are short.
func (w *walker) chain(off dwarf.Offset, visit func() bool) {
	if off == 0 {
		return
	}
	for range maxAnnotations {
		if w.chainTags++; w.chainTags > maxAnnotations+w.u.Len() {
			w.c.Fail(w.c.Pos, "too many annotations: DIEs of the unit share chains of them, and would have more than %d in total", w.chainTags-1)
			return
		}
		if off = w.annotation(off, visit); off == 0 {
			return
		}
	}
	w.c.Fail(int(off), "the chain of annotations is circular")
}

// annotation is one step of chain: it returns where the next annotation is, or 0.
func (w *walker) annotation(off dwarf.Offset, visit func() bool) (next dwarf.Offset) {
	if w.mustBe(off); w.c.Err != nil {
		return 0
	}
	defer w.visit(off)()
	if a := w.c.Read(int(off)); a == nil || a.Tag != dwarf.TagGNUAnnotation || !visit() {
		return 0
	}
	return w.ref(dwarf.SlotAnnot)
}

// gnuChain calls add for the declaration tags of a gcc chain.
func (w *walker) gnuChain(off dwarf.Offset, add func(value dwarf.StrKey)) {
	w.chain(off, func() bool {
		if value, ok := w.declTag(); ok {
			add(value)
		}
		return true
	})
}

// tagged collects the tags of a member: first from its children, then from its chain. It returns the position of the next
// sibling.
func (w *walker) tagged(a *dwarf.Abbrev, owner uint32, index int32) int {
	return w.owned(a, func(value dwarf.StrKey) {
		w.t.TypeTags = append(w.t.TypeTags, DeclTag{owner, index, value})
	})
}

func (w *walker) taggedParam(a *dwarf.Abbrev, owner int, index int32) int {
	return w.owned(a, func(value dwarf.StrKey) { w.funcTag(owner, index, value) })
}

func (w *walker) owned(a *dwarf.Abbrev, add func(value dwarf.StrKey)) int {
	next, annot := w.c.Next, w.ref(dwarf.SlotAnnot)
	if a.Children {
		next = w.annotations(next, add)
	}
	w.gnuChain(annot, add)
	return next
}

// pointerTags appends the TYPE_TAGs of a pointer, each with its own id before that of the pointer, and returns what the pointer
// refers to. With clang, the pointer refers to the last tag, which leads to the first; with gcc it is the other way round.
func (w *walker) pointerTags(a *dwarf.Abbrev, target uint32, annot dwarf.Offset) (ref uint32, next int) {
	c := &w.c
	next = c.Next
	var values []dwarf.StrKey
	collect := func() bool {
		value, ok := w.tagNamed(typeTagName)
		if ok && !w.emptyTag(value) {
			values = append(values, value)
		}
		return ok
	}
	if a.Children {
		for {
			b := c.Read(next)
			if b == nil {
				next = c.Next
				break
			}
			if b.Tag == dwarf.TagLLVMAnnotation || b.Tag == dwarf.TagGNUAnnotation {
				collect()
			}
			next = c.Skip(b)
		}
	}
	if len(values) != 0 {
		for _, v := range values {
			target = w.typeTag(v, target)
		}
		return target, next
	}
	w.chain(annot, collect)
	first := uint32(w.t.Types.Len()) + 1
	for i, v := range values {
		ref := (first + uint32(i) + 1) | localMark
		if i == len(values)-1 {
			ref = target
		}
		w.typeTag(v, ref)
	}
	if len(values) != 0 {
		target = first | localMark
	}
	return target, next
}

// typeTag appends a TYPE_TAG and returns a reference to it.
func (w *walker) typeTag(value dwarf.StrKey, target uint32) uint32 {
	id := w.t.Types.Append3(uint32(value), btf.Info(btf.KindTypeTag, 0, false), target)
	words := w.t.Types.Words()
	w.refer(words, len(words)-1, 1)
	w.addedHidden()
	w.moved = true
	return uint32(id) | localMark
}

// byOwner sorts tags by their owners. Tags of one owner keep their order.
func byOwner(tags []DeclTag) {
	order := func(a, b DeclTag) int { return cmp.Compare(a.Owner, b.Owner) }
	if !slices.IsSortedFunc(tags, order) {
		slices.SortStableFunc(tags, order)
	}
}

// TagsOf returns the tags of the DIE at off, in the order in which they were found. The result is a part of tags, which are those
// of the functions or of the variables of a unit.
func TagsOf(tags []DeclTag, off dwarf.Offset) []DeclTag {
	if len(tags) == 0 {
		return nil
	}
	from, found := slices.BinarySearchFunc(tags, uint32(off), func(t DeclTag, off uint32) int { return cmp.Compare(t.Owner, off) })
	if !found {
		return nil
	}
	n := 1
	for from+n < len(tags) && tags[from+n].Owner == uint32(off) {
		n++
	}
	return tags[from : from+n : from+n]
}
