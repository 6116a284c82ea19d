package dwarf

// numbers are the attributes that are plain numbers. Forms that are not constants give 0 (rule 01/3.1).
var numbers = map[uint16]Slot{
	atByteSize: SlotSize, atEncoding: SlotEncoding, atDeclaration: SlotDecl, atBitSize: SlotBitSize, atBitOffset: SlotBitOffset,
	atCount: SlotCount, atInline: SlotInline, atCallingConvention: SlotCallConv, atExternal: SlotExternal, atArtificial: SlotArtificial,
	atLanguage: SlotLang, atGNUDwoID: SlotDwoID, atLowerBound: SlotLower,
}

// references are the attributes that refer to a DIE.
var references = map[uint16]Slot{
	atType: SlotType, atSpecification: SlotSpec, atAbstractOrigin: SlotOrigin, atSibling: SlotSibling, atGNUAnnotation: SlotAnnot,
	atSignature: SlotSignature, atImport: SlotType,
}

// texts are the attributes that are strings, with their slots for an offset in .debug_str, a key, and an index.
var texts = map[uint16][3]Slot{
	atName:       {SlotName, SlotNameKey, SlotNameX},
	atProducer:   {SlotProducer, SlotProdKey, SlotProdX},
	atConstValue: {SlotConstStr, SlotConstKey, SlotConstX},
	atDwoName:    {SlotDwo, SlotDwoKey, SlotDwoX},
	atGNUDwoName: {SlotDwo, SlotDwoKey, SlotDwoX},
	atCompDir:    {SlotDir, SlotDirKey, SlotDirX},
}

// bases are the attributes of a unit's root with the start of a table.
var bases = map[uint16]Slot{
	atStrOffsetsBase: SlotStrBase, atAddrBase: SlotAddrBase, atGNUAddrBase: SlotAddrBase, atLoclistsBase: SlotListBase,
}

// place decides which slot an attribute fills, and how its value is computed.
func (a *attr) place(name uint16, f form, k abbrevKey) {
	class := classOf(f)
	if slot, ok := numbers[name]; ok {
		a.number(slot, class)
		return
	}
	if slot, ok := references[name]; ok {
		a.reference(slot, f, class, k)
		return
	}
	if slots, ok := texts[name]; ok && a.text(slots, class, k) {
		return
	}
	if slot, ok := bases[name]; ok {
		if class == classSecOffset || class == classConst {
			a.slot = slot
		}
		return
	}
	switch name {
	case atConstValue:
		a.number(SlotConst, class)
	case atUpperBound:
		if class == classConst {
			a.slot = SlotUpper
		} else {
			a.number(SlotUpperOdd, classOdd)
		}
	case atLowPC:
		if class == classAddrX {
			a.slot = SlotLowPCX
		} else {
			a.number(SlotLowPC, class)
		}
	case atDataMemberLocation:
		a.offset(SlotMember, SlotMemberAt, f, class, k)
	case atDataBitOffset:
		a.offset(SlotDataBit, SlotDataBitAt, f, class, k)
	case atLocation:
		a.location(f, class, k)
	}
}

// number makes an attribute fill a slot with a number. If the form is not a number, the slot is filled with 0.
func (a *attr) number(slot Slot, class formClass) {
	a.slot = slot
	if class != classConst && class != classAddr {
		a.blank()
	}
}

// blank makes the value of an attribute 0. The attribute still has the same length.
func (a *attr) blank() {
	if a.shape == shapeFixed {
		a.width, a.add = 0, 0
	} else {
		a.add = blankValue
	}
}

// blankValue in add marks an attribute of varying length whose value is 0.
const blankValue = 1 << 63

// reference is rule 01/3.4: a reference that cannot be followed counts as absent.
func (a *attr) reference(slot Slot, f form, class formClass, k abbrevKey) {
	a.slot = slot
	sup := f == formGNURefAlt || f == formRefSup4 || f == formRefSup8
	switch {
	case class != classRef || f == formRefSig8 && !k.sigs || sup && k.sup == NoRef:
		a.width, a.add = 0, NoRef
		if a.shape != shapeFixed {
			a.slot = noSlot
		}
	case f == formRefSig8:
		a.shape = shapeSig
	case sup:
		a.add = k.sup
	case f == formRefAddr:
		a.add = k.abs
	case k.merged:
		if a.shape = shapeRel; f == formRefUdata {
			a.shape = shapeRelULEB
		}
	}
}

// leaves reports whether a reference of a form can lead out of its unit.
func leaves(f form) bool {
	return f == formRefAddr || f == formGNURefAlt || f == formRefSup4 || f == formRefSup8
}

// text makes a string fill one of three slots: for an offset in .debug_str, a key, or an index. It returns false if the form is no string.
func (a *attr) text(slots [3]Slot, class formClass, k abbrevKey) bool {
	switch class {
	case classStr:
		a.slot, a.add = slots[0], 1
		if k.foreign {
			a.slot, a.add = slots[1], strValue
		}
	case classSupStr:
		a.slot, a.add = slots[1], supStrValue
	case classInline:
		a.slot = slots[1]
	case classLineStr:
		a.slot, a.add = slots[1], lineStrValue
	case classStrX:
		a.slot = slots[2]
	default:
		return false
	}
	return true
}

// Marks of an offset in a section of strings, in attr.add. The marked value is converted to a key when the slot is read.
const (
	lineStrValue = 1 << 62 // .debug_line_str
	supStrValue  = 1 << 61 // .debug_str of the supplementary file
	strValue     = 1 << 60 // .debug_str of a file whose offsets are not keys
)

// offset makes DW_AT_data_member_location or DW_AT_data_bit_offset fill one of two slots: for a constant or an expression (rule 01/3.2). In
// DWARF 2 and 3, the forms data4 and data8 of a member location are location list pointers, which give 0.
func (a *attr) offset(constant, expr Slot, f form, class formClass, k abbrevKey) {
	if class == classBlock {
		a.slot = expr
		return
	}
	if k.version < 4 && constant == SlotMember && (f == formData4 || f == formData8) {
		class = classOdd
	}
	a.number(constant, class)
}

// location makes DW_AT_location fill the slot for its form.
func (a *attr) location(f form, class formClass, k abbrevKey) {
	switch {
	case class == classBlock:
		a.slot = SlotExpr
	case class == classSecOffset, k.version < 4 && (f == formData4 || f == formData8):
		a.slot = SlotList
	case class == classListX:
		a.slot = SlotListX
	default:
		a.number(SlotOddLoc, classOdd)
	}
}
