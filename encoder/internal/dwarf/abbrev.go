package dwarf

import (
	"errors"
	"fmt"
	"math"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// A Slot is the index of an attribute's value in a Cursor. If forms of one attribute differ in meaning, each meaning has its own
// slot.
type Slot uint8

// The slots. Values are zero- or sign-extended to 64 bits; references are offsets from the start of the unit.
const (
	SlotName       Slot = iota // offset in .debug_str, plus 1
	SlotNameKey                // a StrKey
	SlotNameX                  // index into .debug_str_offsets
	SlotType                   // reference
	SlotSize                   // DW_AT_byte_size
	SlotEncoding               //
	SlotDecl                   // DW_AT_declaration
	SlotSpec                   // reference
	SlotOrigin                 // reference
	SlotSibling                // reference
	SlotMember                 // DW_AT_data_member_location, constant
	SlotMemberAt               // the same, expression: position and length as in SlotExpr
	SlotDataBit                // DW_AT_data_bit_offset, constant
	SlotDataBitAt              // the same, expression
	SlotBitSize                //
	SlotBitOffset              //
	SlotUpper                  // DW_AT_upper_bound, constant; other forms fill SlotUpperOdd
	SlotUpperOdd               //
	SlotCount                  //
	SlotConst                  // DW_AT_const_value, constant; 0 for other forms
	SlotConstKey               // the same, string: a StrKey
	SlotConstStr               // the same, string: offset in .debug_str, plus 1
	SlotConstX                 // the same, string: index into .debug_str_offsets
	SlotLowPC                  //
	SlotLowPCX                 // index into .debug_addr
	SlotInline                 //
	SlotCallConv               //
	SlotExternal               //
	SlotArtificial             //
	SlotExpr                   // DW_AT_location, expression: position in the unit | length << 32
	SlotList                   // the same, list: offset in .debug_loc or .debug_loclists
	SlotListX                  // the same, index into .debug_loclists
	SlotOddLoc                 // the same, in any other form
	SlotLang                   //
	SlotStrBase                // DW_AT_str_offsets_base
	SlotAddrBase               //
	SlotListBase               // DW_AT_loclists_base
	SlotAnnot                  // reference
	SlotSignature              // reference: DW_AT_signature
	SlotProducer               // offset in .debug_str, plus 1
	SlotProdKey                // a StrKey
	SlotProdX                  // index into .debug_str_offsets
	SlotDwo                    // DW_AT_dwo_name: offset in .debug_str, plus 1
	SlotDwoKey                 // a StrKey
	SlotDwoX                   // index into .debug_str_offsets
	SlotDir                    // DW_AT_comp_dir: offset in .debug_str, plus 1
	SlotDirKey                 // a StrKey
	SlotDirX                   // index into .debug_str_offsets
	SlotDwoID                  //
	SlotLower                  // DW_AT_lower_bound
	numSlots
	noSlot Slot = 0xff

	maxSlots = 64 // a power of two, and the number of bits of a mask of slots
)

// NoRef is the value of a reference that cannot be followed inside the unit.
const NoRef = ^uint64(0)

// A shape says how the bytes of an attribute are read.
type shape uint8

const (
	shapeFixed shape = iota // size bytes, of which the first width are the value; then add is added
	shapeString
	shapeULEB
	shapeSLEB
	shapeBlock // length of width bytes, ULEB128 if 0
	shapeIndirect
	shapeRel     // shapeFixed, a reference inside a unit that is read from MergedUnits
	shapeRelULEB // the same, as a ULEB128
	shapeSig     // the signature of a type unit
)

// An attr is one attribute of an abbreviation, ready to be read. 16 bytes.
type attr struct {
	add   uint64
	at    uint16 // offset after the abbreviation code, if all attributes have fixed lengths
	slot  Slot
	shape shape
	size  uint8 // bytes it occupies
	width uint8 // bytes that are loaded: 0, 1, 2, 3, 4 or 8
	name  uint16
}

// An Abbrev is a compiled abbreviation.
type Abbrev struct {
	Tag      Tag
	Children bool
	lead     bool   // the first attribute is a name stored in the DIE, and all others have fixed lengths
	fixed    int16  // length of all attributes after a leading name, in bytes; -1 if it varies
	pre      uint16 // if the length varies: number of attributes in the table before the first that varies
	Has      uint64 // bit per slot that the DIE fills
	first    uint32 // index of its attributes in the table: those that are read, and after the first pre also those that are skipped
	n        uint16
	prefix   uint16 // if the length varies: size of all attributes before the first that varies, in bytes
	layout   layout
}

// abbrevs is the compiled abbreviation table of a unit. It is reused from unit to unit.
type abbrevs struct {
	table
	own       table // memory for compiling, which is reused
	borrowed  bool  // table is a kept table, not own
	memo      [memoSize]memoEntry
	memoKey   abbrevKey            // of memo and decls
	decls     []declaration        // of the same forms, by hash
	declAttrs [][maxDeclAttrs]attr // attributes of each declaration
	win       window
}

// The problem: compiling abbreviations takes time, because nearly every unit has its own table. The idea: all tables contain the same few hundred
// pairs of attribute and form. So the results of classify are cached, which saves most of that time.
const memoSize = 1 << 9

type memoEntry struct {
	name uint16
	form form // 0 is a free entry
	attr attr
}

// classify returns the cached result of the function classify. References by section offset depend on the unit and are not
// cached.
func (t *abbrevs) classify(name uint16, f form, k abbrevKey) (attr, bool) {
	e := &t.memo[(uint32(name)*43+uint32(f))%memoSize]
	if e.form == f && e.name == name && f != 0 {
		return e.attr, true
	}
	a, ok := classify(name, f, k)
	if ok && f != formRefAddr && !k.merged {
		*e = memoEntry{name, f, a}
	}
	return a, ok
}

// An abbrevKey has everything that the meaning of forms depends on.
type abbrevKey struct {
	version  uint16
	addrSize uint8
	dwarf64  bool
	foreign  bool   // offsets in .debug_str of this file are not keys
	merged   bool   // the unit is read from MergedUnits
	sigs     bool   // signatures of type units can be followed
	scan     bool   // only references that leave their unit are read
	all      bool   // attributes of types are read for every tag (peek.go)
	swap     bool   // big endian
	abs      uint64 // added to references by section offset
	sup      uint64 // added to references into the supplementary file; NoRef if they cannot be followed
}

func (u *Unit) key() abbrevKey {
	k := abbrevKey{version: u.Version, addrSize: u.AddrSize, dwarf64: u.dwarf64, foreign: u.d.keys != &u.d.Strings, abs: -u.Off, sup: NoRef,
		sigs: u.d.sigs != nil, swap: u.d.swap}
	if p := u.part; p != nil {
		k.merged, k.scan, k.abs, k.sup, k.sigs = true, p.scan, uint64(p.from), p.sup, p.w.sigs != nil
	}
	return k
}

// Limits of an abbreviation table, which no compiler reaches.
const (
	maxAttrs     = 1 << 12
	maxDenseCode = 1 << 17
	maxFixed     = 1 << 14 // the maximum start of an attribute with a fixed place
)

// compile reads the table at off, for a unit of the given size, unless it is the current table. long reports whether the table is
// longer than the unit. It parses a window of the section, and a larger one if the table does not end within it.
func (t *abbrevs) compile(sec *section, off uint64, k abbrevKey, ts *tables, unit int) (long bool, err error) {
	if t.valid && t.sec == sec && t.off == off && t.key.sameForms(k) && (t.key == k || !t.bound && !k.merged) {
		return t.size > uint64(unit)+shortTable, nil
	}
	id := sec.id(off, k)
	if kept := ts.get(id); kept != nil {
		if !t.borrowed {
			t.own, t.borrowed = t.table, true
		}
		t.table = *kept
		t.sec, t.off = sec, off
		return true, nil
	}
	if t.borrowed {
		t.table, t.borrowed = t.own, false
	}
	if !t.memoKey.sameForms(k) {
		clear(t.memo[:])
		clear(t.decls)
	}
	t.sec, t.off, t.key, t.memoKey = sec, off, k, k
	if off > sec.size {
		return false, sec.err(off, "table starts past the end of the section (%d bytes)", sec.size)
	}
	for n := uint64(minWindow); ; n *= 4 {
		b, err := t.win.at(sec, off, n, aheadWindow)
		if err != nil {
			return false, err
		}
		t.dense, t.attrs, t.sparse, t.bound, t.uses, t.valid, t.count = append(t.dense[:0], Abbrev{}), t.attrs[:0], nil, false, Uses{}, false, 0
		switch err = t.parse(b, k); {
		case err == nil:
			t.valid = true
			if t.size > uint64(unit)+shortTable {
				ts.note(id, &t.table)
				return true, nil
			}
			return false, nil
		case !errors.Is(err, errCut) || off+uint64(len(b)) == sec.size:
			return false, fmt.Errorf("abbreviation table %#x: %w", off, err)
		}
	}
}

// sameForms reports whether forms have the same sizes and meanings, except for the base of references.
func (k abbrevKey) sameForms(o abbrevKey) bool {
	k.abs, k.sup = o.abs, o.sup
	return k == o
}

// minWindow is larger than nearly all tables. A window contains several tables, which are read together.
const (
	minWindow   = 16 << 10
	aheadWindow = 64 << 10
)

// errCut says that a table is cut short.
var errCut = errors.New("table is cut short")

// parse compiles the table at the start of b.
func (t *abbrevs) parse(b []byte, k abbrevKey) error {
	for pos := 0; ; {
		code, p := uleb(b, pos)
		if p != 0 && code == 0 {
			t.upTo(lowCodes - 1)
			t.size = uint64(p)
			return nil
		}
		if p != 0 {
			if next := t.recall(code, b, p); next != 0 {
				pos = next
				continue
			}
		}
		tag, p2 := uint64(0), 0
		if p != 0 {
			tag, p2 = uleb(b, p)
		}
		switch {
		case p2 == 0 || p2 >= len(b):
			return t.fail(pos, errCut)
		case tag > 0xffff:
			return t.fail(p, fmt.Errorf("tag %#x is out of range", tag))
		}
		a := Abbrev{Tag: Tag(tag), Children: b[p2] != 0, first: uint32(len(t.attrs))}
		before := t.uses
		t.uses = Uses{}
		next, err := t.attributes(&a, b, p2+1, k)
		if err != nil {
			return t.fail(pos, fmt.Errorf("declaration of code %d: %w", code, err))
		}
		t.put(code, a)
		if t.uses == (Uses{}) && !k.merged {
			t.remember(a, b, p, next)
		}
		t.uses = t.uses.and(before)
		pos = next
	}
}

// A tableError is a FormatError that keeps its cause.
type tableError struct {
	elf.FormatError
	cause error
}

func (e *tableError) Unwrap() []error { return []error{&e.FormatError, e.cause} }

func (t *abbrevs) fail(pos int, cause error) error {
	return &tableError{elf.FormatError{Section: t.sec.s.Name, Offset: t.off + uint64(pos), Problem: cause.Error()}, cause}
}

// put adds an abbreviation. Codes that are much higher than the number of declarations are stored in a map, so that no memory is needed for the codes
// below them.
func (t *abbrevs) put(code uint64, a Abbrev) {
	if t.count++; code <= maxDenseCode && code <= lowCodes+2*t.count {
		t.upTo(code)
		t.dense[code] = a
		return
	}
	if t.sparse == nil {
		t.sparse = make(map[uint64]Abbrev)
	}
	t.sparse[code] = a
}

// lowCodes is the number of codes with one byte, including 0.
const lowCodes = 1 << 7

// upTo extends dense up to a code.
func (t *abbrevs) upTo(code uint64) {
	if n := int(code) + 1; n > cap(t.dense) {
		t.dense = append(make([]Abbrev, 0, max(2*n, 2*lowCodes)), t.dense...)
	}
	for uint64(len(t.dense)) <= code {
		t.dense = append(t.dense, Abbrev{})
	}
}

// attributes compiles the attribute list of a, which starts at pos. next is the position after it.
func (t *abbrevs) attributes(a *Abbrev, b []byte, pos int, k abbrevKey) (next int, err error) {
	want := interestOf(a.Tag)
	if k.all {
		want = interest(0)
	}
	size, allFixed, scanned := 0, true, 0
	lead := false
	for n := 0; ; n++ {
		name, p := uleb(b, pos)
		if p == 0 {
			return 0, errCut
		}
		f, q := uleb(b, p)
		switch {
		case q == 0:
			return 0, errCut
		case n > maxAttrs:
			return 0, fmt.Errorf("more than %d attributes", maxAttrs)
		}
		if name == 0 && f == 0 {
			pos = q
			break
		}
		at, ok := t.classify(uint16(min(name, 0xffff)), form(min(f, 0xffff)), k)
		if !ok {
			return 0, fmt.Errorf("form %#x is unknown", f)
		}
		if form(f) == formImplicitConst {
			v, r := sleb(b, q)
			if r == 0 {
				return 0, errCut
			}
			at.add, q = uint64(v), r
		}
		t.bound = t.bound || form(f) == formRefAddr
		t.uses.note(form(f))
		if k.scan {
			at.slot = noSlot
			if leaves(form(f)) && scanned < maxScanned {
				at.slot = Slot(scanned)
				scanned++
			}
		} else if at.slot != noSlot && want&(1<<at.slot) == 0 {
			at.slot = noSlot
		}
		if at.slot != noSlot {
			a.Has |= 1 << at.slot
		}
		switch {
		case at.shape == shapeString && at.name == atName && n == 0 && !k.scan:
			lead = true
		case at.shape != shapeFixed && at.shape != shapeRel || size > maxFixed:
			allFixed = false
		}
		at.at = uint16(size & 0x7fff)
		size += int(at.size)
		t.attrs = append(t.attrs, at)
		pos = q
	}
	if a.fixed = -1; allFixed {
		a.fixed, a.lead = int16(size), lead
	}
	t.trim(a)
	if a.layout = t.layoutOf(a); a.layout.fixity != notFixed {
		t.attrs, a.n = t.attrs[:a.first], 0 // the layout covers all attributes
	}
	return pos, nil
}

// trim drops the attributes of a that are not needed for reading. The attributes of a are the last in the table.
func (t *abbrevs) trim(a *Abbrev) {
	own := t.attrs[a.first:]
	keep, varies := own[:0], false
	for i, at := range own {
		fixed := (at.shape == shapeFixed || at.shape == shapeRel) && at.at <= maxFixed
		if !varies && !fixed && !(a.lead && i == 0) {
			varies, a.pre, a.prefix = true, uint16(len(keep)), at.at
		}
		switch {
		case !varies && (at.slot == noSlot || !fixed):
		case varies && at.shape == shapeFixed && at.slot == noSlot && len(keep) > int(a.pre) && keep[len(keep)-1].skips(at.size):
			keep[len(keep)-1].size += at.size
		default:
			keep = append(keep, at)
		}
	}
	t.attrs = t.attrs[:int(a.first)+len(keep)]
	a.n = uint16(len(keep))
}

// skips reports whether an attribute only skips bytes, and can skip n more.
func (a *attr) skips(n uint8) bool {
	return a.shape == shapeFixed && a.slot == noSlot && int(a.size)+int(n) <= math.MaxUint8
}

func bit(s Slot) uint64 { return 1 << s }

// interests has the results of interest for the tags of the standard.
var interests = func() (t [0x4c]uint64) {
	for tag := range t {
		t[tag] = interest(Tag(tag))
	}
	return t
}()

func interestOf(tag Tag) uint64 {
	if int(tag) < len(interests) {
		return interests[tag]
	}
	return interest(tag)
}

// interest returns the set of slots that the rules read for a tag.
func interest(tag Tag) uint64 {
	name := bit(SlotName) | bit(SlotNameKey) | bit(SlotNameX)
	typ := bit(SlotType)
	sib := bit(SlotSibling)
	loc := bit(SlotExpr) | bit(SlotList) | bit(SlotListX) | bit(SlotOddLoc)
	konst := bit(SlotConst) | bit(SlotConstKey) | bit(SlotConstStr) | bit(SlotConstX)
	switch tag {
	case TagMember, TagInheritance:
		return name | typ | sib | bit(SlotMember) | bit(SlotMemberAt) | bit(SlotDataBit) | bit(SlotDataBitAt) | bit(SlotBitSize) | bit(SlotBitOffset) | bit(SlotSize) | bit(SlotAnnot) | bit(SlotDecl)
	case TagEnumerator:
		return name | bit(SlotConst)
	case TagFormalParameter:
		return name | typ | sib | loc | bit(SlotOrigin) | bit(SlotAnnot)
	case TagVariable:
		return name | typ | sib | loc | bit(SlotExternal) | bit(SlotDecl) | bit(SlotArtificial) | bit(SlotSpec) | bit(SlotOrigin) | bit(SlotAnnot)
	case TagSubprogram:
		return name | typ | sib | bit(SlotLowPC) | bit(SlotLowPCX) | bit(SlotDecl) | bit(SlotInline) | bit(SlotOrigin) | bit(SlotSpec) | bit(SlotCallConv) | bit(SlotAnnot)
	case TagSubrangeType:
		return sib | bit(SlotUpper) | bit(SlotUpperOdd) | bit(SlotCount) | bit(SlotLower)
	case TagCompileUnit, TagTypeUnit, TagPartialUnit, TagSkeletonUnit:
		return name | sib | bit(SlotLang) | bit(SlotStrBase) | bit(SlotAddrBase) | bit(SlotListBase) | bit(SlotProducer) | bit(SlotProdKey) | bit(SlotProdX) | bit(SlotLowPC) | bit(SlotLowPCX) |
			bit(SlotDwo) | bit(SlotDwoKey) | bit(SlotDwoX) | bit(SlotDir) | bit(SlotDirKey) | bit(SlotDirX) | bit(SlotDwoID)
	case TagLLVMAnnotation, TagGNUAnnotation:
		return name | konst | sib | bit(SlotAnnot)
	case TagLexicalBlock, TagInlinedSubroutine, TagCallSite, TagGNUCallSite, TagCallSiteParameter, TagGNUCallSiteParam:
		return sib
	case TagBaseType:
		return name | sib | bit(SlotSize) | bit(SlotEncoding) | bit(SlotAnnot)
	default:
		return name | typ | sib | bit(SlotSize) | bit(SlotDecl) | bit(SlotSpec) | bit(SlotAnnot) | bit(SlotSignature)
	}
}

// classify returns how an attribute in a form is read, and where its value goes. ok is false for an unknown form.
func classify(name uint16, f form, k abbrevKey) (a attr, ok bool) {
	offset := uint8(4)
	if k.dwarf64 {
		offset = 8
	}
	a = attr{name: name, slot: noSlot}
	fixed := func(n uint8) { a.shape, a.size, a.width = shapeFixed, n, n }
	switch f {
	case formAddr:
		fixed(k.addrSize)
	case formData1, formFlag, formRef1, formStrx1, formAddrx1:
		fixed(1)
	case formData2, formRef2, formStrx2, formAddrx2:
		fixed(2)
	case formStrx3, formAddrx3:
		fixed(3)
	case formData4, formRef4, formStrx4, formAddrx4, formRefSup4:
		fixed(4)
	case formData8, formRef8, formRefSig8, formRefSup8:
		fixed(8)
	case formData16:
		fixed(16)
		a.width = 0
	case formStrp, formLineStrp, formSecOffset, formStrpSup, formGNURefAlt, formGNUStrpAlt:
		fixed(offset)
	case formRefAddr:
		fixed(offset)
		if k.version <= 2 {
			fixed(k.addrSize)
		}
	case formFlagPresent:
		fixed(0)
		a.add = 1
	case formImplicitConst:
		fixed(0)
	case formString:
		a.shape = shapeString
	case formUdata, formRefUdata, formStrx, formAddrx, formLoclistx, formRnglistx, formGNUAddrIndex, formGNUStrIndex:
		a.shape = shapeULEB
	case formSdata:
		a.shape = shapeSLEB
	case formBlock1, formBlock2, formBlock4:
		a.shape, a.width = shapeBlock, 1
		if f == formBlock2 {
			a.width = 2
		} else if f == formBlock4 {
			a.width = 4
		}
	case formBlock, formExprloc:
		a.shape = shapeBlock
	case formIndirect:
		a.shape = shapeIndirect
		return a, true
	default:
		return a, false
	}
	a.place(name, f, k)
	return a, true
}

// formClass is the class of a form (DWARF 5, section 7.5.5). It distinguishes only what the rules distinguish.
type formClass uint8

const (
	classOdd formClass = iota
	classConst
	classAddr
	classAddrX
	classRef
	classStr    // offset in .debug_str
	classSupStr // offset in .debug_str of the supplementary file
	classLineStr
	classInline
	classStrX
	classBlock
	classSecOffset
	classListX
)

func classOf(f form) formClass {
	switch f {
	case formData1, formData2, formData4, formData8, formUdata, formSdata, formImplicitConst, formFlag, formFlagPresent:
		return classConst
	case formAddr:
		return classAddr
	case formAddrx, formAddrx1, formAddrx2, formAddrx3, formAddrx4, formGNUAddrIndex:
		return classAddrX
	case formRef1, formRef2, formRef4, formRef8, formRefUdata, formRefAddr, formRefSig8, formGNURefAlt, formRefSup4, formRefSup8:
		return classRef
	case formStrp:
		return classStr
	case formLineStrp:
		return classLineStr
	case formStrpSup, formGNUStrpAlt:
		return classSupStr
	case formString:
		return classInline
	case formStrx, formStrx1, formStrx2, formStrx3, formStrx4, formGNUStrIndex:
		return classStrX
	case formExprloc, formBlock, formBlock1, formBlock2, formBlock4:
		return classBlock
	case formSecOffset:
		return classSecOffset
	case formLoclistx:
		return classListX
	default:
		return classOdd
	}
}
