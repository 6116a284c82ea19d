package translate

import (
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// The walk turns the DIEs of a unit into BTF records.
//
// The problem: BTF numbers types in a fixed order, and a type may refer to others that come later. pahole numbers a type when its
// DIE is complete, after all its children (rule 01/4). A struct can contain the DIEs of other structs, so several composites can
// be open at a time.
//
// The method: a composite collects its members on a stack, above those of the composite that contains it, and becomes a record
// when its DIE ends. A reference to a type that already has a local id becomes that id immediately. Any other reference stays the
// offset of a DIE in the unit until the end of the walk, when resolve turns it into a local id. References of members and
// parameters may even stay offsets longer (lazyrefs.go). Offset 0 is the header of the unit, so a reference of 0 can mean void.

// maxDepth bounds the nesting of DIEs: far beyond what compilers emit, far below what would exhaust memory.
const maxDepth = 2000

// A walker translates one unit, or MergedUnits. Its scratch memory is reused for the next unit.
type walker struct {
	c   dwarf.Cursor
	u   *dwarf.Unit
	t   *Unit
	fs  *Subprograms
	opt *Options
	wanted
	typeIndex
	fixups

	// Collected from DIEs whose end has not been reached:
	depth  int
	elems  []uint32 // stack of member and parameter words of open composites
	params []Param  // stack of parameters of open functions

	merged   *mergedWalk // nil if units are walked one by one
	unsized  bool        // something may have type void (unsized.go)
	hole     uint32      // the empty struct that replaces void, 0 while there is none
	moved    bool        // a type was appended after types with higher offsets
	composed []uint32    // local ids of prototypes, arrays, and structs and unions without a name
	unhashed []uint32    // local ids of other types whose class was not known when they were appended
	contents []nominal.Hash
	chained  int
	endless  bool // types form a cycle without a name
	run      dwarf.Run

	chainTags int // number of annotations that were read in chains
	missing   missing
	funcNames funcMemo
	index     offsetIndex
	pIndex    offsetIndex
}

// wanted holds what the options request, and what follows from the language of the unit.
type wanted struct {
	typeTags, declTags, enum64, float bool

	rust     bool // members are sorted by offset
	lazyRefs bool // references of members and parameters stay offsets (lazyrefs.go)
	classes  bool // classes of types
	direct   bool // members, parameters and enumerators are read without changes
	mangle   bool // names may have to be changed into identifiers
	together bool // links are read by links
}

// A typeIndex finds the type of a DIE by its offset.
type typeIndex struct {
	byOff      []uint16          // by offset in the unit: local id or farID, valid when Dies agrees; never cleared
	eager      bool              // references to earlier types become local ids immediately; not in MergedUnits, where a later type counts
	prefaulted int               // byOff has memory up to this index
	mask       uint32            // applied to offsets for byOff: 0 in MergedUnits, where byOff has one entry
	far        map[uint32]uint32 // by offset: local ids from farFrom on, which hardly any unit has
	farFrom    uint32            // farID; 0 in MergedUnits
}

// fixups are references that wait for the end of the walk, and what follows from them.
type fixups struct {
	forward      []uint32       // indices of words of Types that are still offsets
	later        []uint32       // local ids of links that refer to a later type: their third word is an offset, and their class is not known
	funcs        []pendingFunc  // by index in Funcs
	varTypes     []dwarf.Offset // by index in Vars: offset of its type
	names        []nameFixup    // types that take their name from another
	signs        []signFixup    // ENUM64s that are signed if another type is
	storage      []storageFixup
	rustFields   []uint32 // local ids of Rust structs with bit fields, whose order depends on the sizes of types
	aliases      []alias
	strays       strays
	peek         dwarf.Peek            // at strays
	replacements []replacement         // of strays that an earlier walk over the unit found
	replaced     map[dwarf.Offset]bool // their offsets
}

type nameFixup struct {
	id   LocalID
	spec dwarf.Offset
}

type signFixup struct {
	id  LocalID
	typ dwarf.Offset
}

// A storageFixup is a bit field in the old form that has the storage size of its type.
type storageFixup struct {
	id     uint32
	member int
	base   uint32 // bit offset without the storage size
}

// A pendingFunc keeps the references of a function until they are resolved.
type pendingFunc struct {
	typ, origin, spec  dwarf.Offset
	hasOrigin, hasSpec bool
}

func (w *walker) start(u *dwarf.Unit, t *Unit, fs *Subprograms, opt *Options) {
	w.u, w.t, w.fs, w.opt = u, t, fs, opt
	w.rust = u.Lang == langRust
	w.typeTags, w.declTags = opt.Features.Has(feature.TypeTag), opt.Features.Has(feature.DeclTag)
	w.classes = opt.Classes
	w.lazyRefs, w.moved = w.classes, false
	w.enum64, w.float = opt.Features.Has(feature.Enum64), opt.Features.Has(feature.Float)
	w.depth, w.chainTags = 0, 0
	w.elems, w.params, w.funcs, w.forward = w.elems[:0], w.params[:0], w.funcs[:0], w.forward[:0]
	w.later = w.later[:0]
	w.names, w.signs, w.storage, w.varTypes = w.names[:0], w.signs[:0], w.storage[:0], w.varTypes[:0]
	w.rustFields = w.rustFields[:0]
	w.aliases, w.composed, w.unhashed = w.aliases[:0], w.composed[:0], w.unhashed[:0]
	w.unsized, w.hole = false, 0
	w.strays.forget()
	w.missing.reset()
}

// indexUnit prepares the index of types by offset for a single unit.
func (w *walker) indexUnit() {
	w.mask, w.farFrom = 1<<32-1, farID
	w.eager = true
	n := w.u.Len()
	if n > len(w.byOff) {
		w.byOff, w.prefaulted = make([]uint16, max(n+n/4, 1<<19)), 0
	}
	if n > w.prefaulted {
		btf.Prefault(w.byOff[w.prefaulted:n])
		w.prefaulted = n
	}
}

// root puts the cursor after the root DIE of the unit, which Open has already read.
func (w *walker) root() {
	w.mangle = !w.opt.keepsNames() && !likeC(w.u.Lang)
	w.direct = !w.rust && !w.mangle
	w.together = !w.mangle && w.eager
	w.c.Start(w.u)
	w.c.AskToStop(w.opt.Stop)
	if a := w.c.Read(w.c.Next); a == nil {
		w.c.Next = w.u.Len()
	}
}

// added records that the type that was just appended belongs to the DIE at off. class is the contribution of the type; the zero
// value leaves it to the end of the unit.
func (w *walker) added(off int, class nominal.Hash) uint32 {
	id := w.place(off, class)
	if !class.Known() {
		w.unhashed = append(w.unhashed, id)
	}
	return id
}

// addedComposed is added for a prototype, an array, or a struct or union without a name.
func (w *walker) addedComposed(off int) uint32 {
	id := w.place(off, nominal.Hash{})
	w.composed = append(w.composed, id)
	return id
}

// addedHidden is added for a type without an offset. The types are then moved.
func (w *walker) addedHidden() {
	w.t.Dies = append(w.t.Dies, nominal.Entry{})
	w.unhashed = append(w.unhashed, w.last())
}

// place records that the type that was just appended belongs to the DIE at off, and returns its local id.
func (w *walker) place(off int, class nominal.Hash) uint32 {
	t := w.t
	if uint32(off) < t.Dies[len(t.Dies)-1].Off {
		w.moved = true
	}
	t.Dies = append(t.Dies, nominal.Entry{A: class.A, B: class.B, Off: uint32(off)})
	id := uint32(len(t.Dies)) - 1
	if id >= w.farFrom {
		w.addFar(off, id)
		return id
	}
	w.byOff[off] = uint16(id)
	return id
}

// append appends a record that refers to the DIE at the offset ref, for the DIE at off.
func (w *walker) append(off int, name dwarf.StrKey, info, ref uint32) uint32 {
	t := w.t
	to, known := w.link(ref)
	class := nominal.Hash{}
	if known && w.classes && t.Dies[to].Known() {
		class = nominal.Begin(uint64(name)<<32|uint64(info), t.Dies[to].Hash())
	}
	t.Types.Append3(uint32(name), info, to)
	return w.added(off, class)
}

// link returns the third word of the next record, a reference to the DIE at off: the local id if it is known; otherwise off, and
// the word is recorded for the end of the walk.
func (w *walker) link(off uint32) (word uint32, known bool) {
	id := w.known(off)
	switch {
	case id != 0 || off == 0:
		return id, true
	case off&localMark != 0:
		return off &^ localMark, true
	}
	w.forward = append(w.forward, uint32(w.t.Types.WordCount())+2)
	return off, false
}

// known returns the local id of the type at off, if it has one that no later type can replace; otherwise 0.
func (w *walker) known(off uint32) uint32 {
	if uint64(off) >= uint64(len(w.byOff)) || !w.eager {
		return 0
	}
	id, dies := uint(w.byOff[off]), w.t.Dies
	if id >= uint(len(dies)) || dies[id].Off != off {
		return 0
	}
	return uint32(id)
}

// elements is refer for the members of a composite or the parameters of a prototype, unless their references are lazy.
func (w *walker) elements(words []uint32, at, step int) {
	if !w.lazyRefs {
		w.refer(words, at, step)
	}
}

// refer turns offsets in words[at], words[at+step] and so on into local ids where these are known, and records the other words
// for the end of the walk. words are those of Types. Half of the references lead to earlier types and half to later ones, in no
// predictable order, so the loop has no branch for it.
func (w *walker) refer(words []uint32, at, step int) {
	byOff, dies := w.byOff, w.t.Dies
	if !w.eager {
		byOff = nil
	}
	n, room := len(w.forward), max(0, len(words)-at)
	forward := slices.Grow(w.forward, room)[:n+room]
	for ; uint(at) < uint(len(words)); at += step {
		off := words[at]
		if uint64(off) >= uint64(len(byOff)) {
			if off&localMark != 0 {
				words[at] = off &^ localMark
				continue
			}
			forward[n] = uint32(at)
			n++
			continue
		}
		id := uint32(byOff[off])
		i := uint(id)
		if i >= uint(len(dies)) {
			i = 0
		}
		// If no type has that offset yet, id is stale or 0, and the type with that id has another offset.
		unknown := (uint64(dies[i].Off^off) + 1<<32 - 1) >> 32 // 1 if the offsets differ, else 0
		words[at] = id ^ (id^off)&-uint32(unknown)
		forward[n] = uint32(at)
		n += int(unknown)
	}
	w.forward = forward[:n]
}

// last returns the local id of the last type.
func (w *walker) last() uint32 { return uint32(len(w.t.Dies)) - 1 }

// farID in byOff stands for this local id and all higher ones.
const farID = 1<<16 - 1

// addFar adds a type to the map of far ids.
func (w *walker) addFar(off int, id uint32) {
	if id == farID && w.merged == nil || w.far == nil {
		w.far = make(map[uint32]uint32)
	}
	w.byOff[uint32(off)&w.mask] = farID
	w.far[uint32(off)] = id
}

// local returns the local id of the type whose DIE is at off; 0 if there is none (rule 01/8.2).
func (w *walker) local(off dwarf.Offset) LocalID {
	if id := w.find(off); id != 0 || off == 0 {
		return id
	}
	w.strayed(off)
	return 0
}

// find is local for an offset that need not be valid.
func (w *walker) find(off dwarf.Offset) LocalID {
	id := uint32(w.byOff[uint32(off)&w.mask])
	if id == farID {
		id = w.far[uint32(off)]
	}
	if id != 0 && id <= w.last() && w.t.Dies[id].Off == uint32(off) {
		return LocalID(id)
	}
	return 0
}

// ref returns the offset that a reference of the current DIE leads to, 0 if there is none.
func (w *walker) ref(s dwarf.Slot) dwarf.Offset {
	off, _ := w.c.Ref(s)
	return off
}

// name returns the name of the current DIE.
func (w *walker) name() dwarf.StrKey {
	if w.mangle {
		return w.identifier(w.c.Name())
	}
	return w.c.Name()
}

func (w *walker) enter() bool {
	if w.depth++; w.depth > maxDepth {
		w.c.Fail(w.c.Pos, "DIEs are nested more than %d levels deep", maxDepth)
		return false
	}
	return true
}

// children walks the children of the root.
func (w *walker) children() {
	if w.u.Children {
		w.unitLevel(w.c.Next)
	} else {
		w.c.Ended()
	}
}

// unitLevel walks the children of the root of a unit (rule 01/5.2). It is not inlined into its caller, which lets the compiler
// inline the reading of a DIE into it.
//
//go:noinline
func (w *walker) unitLevel(pos int) {
	c := &w.c
	for ; ; pos = w.atOnce(pos) {
		a := c.Read(pos)
		if a == nil {
			c.Ended()
			return
		}
		switch a.Tag {
		case dwarf.TagVariable:
			pos = w.variable(a, false)
		default:
			pos = w.generic(a)
		}
	}
}

// atOnce walks the DIEs from pos on that need no general reading, which are links, structs and unions. It returns the position after them.
func (w *walker) atOnce(pos int) int {
	for w.together {
		next := pos
		switch w.c.KindAt(pos) {
		case dwarf.RunLinks:
			next = w.links(pos)
		case dwarf.RunComposites:
			next = w.plainComposite(pos)
		}
		if next == pos {
			break
		}
		pos = next
	}
	return pos
}

// namespace walks the children of a namespace (rule 01/5.2). They are like children of the unit, except that variables are not at
// top level.
func (w *walker) namespace(a *dwarf.Abbrev) int {
	c := &w.c
	pos := c.Next
	if !a.Children || !w.enter() {
		return pos
	}
	for {
		a := c.Read(pos)
		if a == nil {
			w.depth--
			return c.Next
		}
		pos = w.generic(a)
	}
}

// generic dispatches on the tag of the current DIE (rule 01/5.1). It returns the position of the next sibling.
func (w *walker) generic(a *dwarf.Abbrev) int {
	c := &w.c
	switch a.Tag {
	case dwarf.TagPointerType:
		return w.pointer(a)
	case dwarf.TagStructureType, dwarf.TagClassType, dwarf.TagUnionType:
		return w.composite(a)
	case dwarf.TagTypedef:
		return w.typedef(a)
	case dwarf.TagConstType:
		return w.modifier(a, btf.KindConst)
	case dwarf.TagVolatileType:
		return w.modifier(a, btf.KindVolatile)
	case dwarf.TagRestrictType:
		return w.modifier(a, btf.KindRestrict)
	case dwarf.TagArrayType:
		return w.array(a)
	case dwarf.TagEnumerationType:
		return w.enumeration(a)
	case dwarf.TagSubroutineType:
		return w.subroutine(a)
	case dwarf.TagBaseType:
		return w.base(a)
	case dwarf.TagSubprogram:
		return w.subprogram(a)
	case dwarf.TagVariable:
		return w.variable(a, true)
	case dwarf.TagNamespace:
		return w.namespace(a)
	case dwarf.TagAtomicType, dwarf.TagReferenceType, dwarf.TagRvalueReferenceType, dwarf.TagPtrToMemberType,
		dwarf.TagStringType, dwarf.TagInterfaceType:
		return w.foreign(a)
	case dwarf.TagPackedType, dwarf.TagSharedType, dwarf.TagImmutableType, dwarf.TagTemplateAlias:
		return w.lostType(a)
	case dwarf.TagUnspecifiedType:
		return w.unspecified(a)
	case dwarf.TagImportedUnit:
		return w.importUnit(a)
	default:
		if a.Tag == dwarf.TagLLVMPtrauthType { // as a case, this number would keep the switch from becoming a jump table
			return w.lostType(a)
		}
		// Labels, imports, and all tags without a rule: neither they nor their children get an id. strays.go handles references
		// to them as types.
		if partOf(a.Tag) {
			c.Fail(c.Pos, "a %s is not allowed here", dwarf.Noun(a.Tag))
		}
		return c.Skip(a)
	}
}

// partOf reports whether DIEs with this tag are read together with the DIE that contains them. Anywhere else, they show that the
// containing DIE ended too early.
func partOf(tag dwarf.Tag) bool {
	switch tag {
	case dwarf.TagMember, dwarf.TagEnumerator, dwarf.TagFormalParameter, dwarf.TagInheritance, dwarf.TagUnspecifiedParams,
		dwarf.TagCompileUnit, dwarf.TagTypeUnit, dwarf.TagPartialUnit, dwarf.TagSkeletonUnit:
		return true
	}
	return false
}

// resolve turns offsets into local ids, after the whole unit has been read (rule 01/8).
func (w *walker) resolve() {
	w.applyReplacements()
	w.resolveEagerly()
	w.followAliases()
	w.resolveTypes()
	for _, f := range w.names {
		if target := w.local(f.spec); target != 0 {
			if r := w.t.Types.At(btf.ID(f.id)); r[0] == 0 {
				r[0] = w.t.Types.At(btf.ID(target)).Name()
				if g, _ := nominal.GroupOf(r); r[0] != 0 && g != nominal.None {
					w.setName(uint32(f.id), dwarf.StrKey(r[0]), g)
				}
			}
		}
	}
	for _, f := range w.signs {
		if w.t.signed(w.local(f.typ)) {
			w.t.Types.At(btf.ID(f.id))[1] |= 1 << 31
		}
	}
	for _, f := range w.storage {
		r := w.t.Types.At(btf.ID(f.id))
		e := r.Elem(f.member)
		e[2] |= (f.base + 8*uint32(w.t.SizeOf(LocalID(e[1])))) & 0xffffff
	}
	for _, id := range w.rustFields {
		w.orderRustFields(id)
	}
	for i := range w.t.TypeTags {
		w.t.TypeTags[i].Owner = w.element(w.t.TypeTags[i].Owner)
	}
	w.resolveVars()
	w.resolveFuncs()
}

// resolveTypes turns references to later types into local ids.
func (w *walker) resolveTypes() {
	w.resolveLater()
	words := w.t.Types.Words()
	for _, at := range w.forward {
		words[at] = uint32(w.local(dwarf.Offset(words[at])))
	}
	if w.unsized && !w.opt.keepsUnsized() {
		w.replaceUnsized()
	}
}

// localMark marks a reference that already is a local id: in an array of an array, or a chain of type tags. Offsets are less than
// 1 << 31.
const localMark = 1 << 31

func (w *walker) element(ref uint32) uint32 {
	if ref&localMark != 0 {
		return ref &^ localMark
	}
	return uint32(w.local(dwarf.Offset(ref)))
}
