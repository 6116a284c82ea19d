package dwarf

// A Tag is a DW_TAG_* code.
type Tag uint16

// The tags that the rules name (DWARF 5, section 7.5.3, and vendor extensions).
const (
	TagArrayType           Tag = 0x01
	TagClassType           Tag = 0x02
	TagEnumerationType     Tag = 0x04
	TagFormalParameter     Tag = 0x05
	TagImportedDeclaration Tag = 0x08
	TagLabel               Tag = 0x0a
	TagLexicalBlock        Tag = 0x0b
	TagMember              Tag = 0x0d
	TagPointerType         Tag = 0x0f
	TagReferenceType       Tag = 0x10
	TagCompileUnit         Tag = 0x11
	TagStringType          Tag = 0x12
	TagStructureType       Tag = 0x13
	TagSubroutineType      Tag = 0x15
	TagTypedef             Tag = 0x16
	TagUnionType           Tag = 0x17
	TagUnspecifiedParams   Tag = 0x18
	TagInheritance         Tag = 0x1c
	TagInlinedSubroutine   Tag = 0x1d
	TagPtrToMemberType     Tag = 0x1f
	TagSubrangeType        Tag = 0x21
	TagBaseType            Tag = 0x24
	TagConstType           Tag = 0x26
	TagConstant            Tag = 0x27
	TagEnumerator          Tag = 0x28
	TagSubprogram          Tag = 0x2e
	TagTemplateTypeParam   Tag = 0x2f
	TagTemplateValueParam  Tag = 0x30
	TagVariable            Tag = 0x34
	TagVolatileType        Tag = 0x35
	TagDwarfProcedure      Tag = 0x36
	TagRestrictType        Tag = 0x37
	TagPackedType          Tag = 0x2d
	TagVariantPart         Tag = 0x33
	TagInterfaceType       Tag = 0x38
	TagNamespace           Tag = 0x39
	TagImportedModule      Tag = 0x3a
	TagUnspecifiedType     Tag = 0x3b
	TagPartialUnit         Tag = 0x3c
	TagImportedUnit        Tag = 0x3d
	TagSharedType          Tag = 0x40
	TagTypeUnit            Tag = 0x41
	TagRvalueReferenceType Tag = 0x42
	TagTemplateAlias       Tag = 0x43
	TagGenericSubrange     Tag = 0x45
	TagAtomicType          Tag = 0x47
	TagCallSite            Tag = 0x48
	TagCallSiteParameter   Tag = 0x49
	TagSkeletonUnit        Tag = 0x4a
	TagImmutableType       Tag = 0x4b
	TagGNUCallSite         Tag = 0x4109
	TagGNUCallSiteParam    Tag = 0x410a
	TagLLVMPtrauthType     Tag = 0x4300
	TagLLVMAnnotation      Tag = 0x6000
	TagGNUAnnotation       Tag = 0x6001
)

// The attributes that the rules read (DWARF 5, section 7.5.4).
const (
	atSibling            = 0x01
	atLocation           = 0x02
	atName               = 0x03
	atByteSize           = 0x0b
	atBitOffset          = 0x0c
	atBitSize            = 0x0d
	atLowPC              = 0x11
	atLanguage           = 0x13
	atImport             = 0x18
	atCompDir            = 0x1b
	atConstValue         = 0x1c
	atInline             = 0x20
	atProducer           = 0x25
	atLowerBound         = 0x22
	atUpperBound         = 0x2f
	atAbstractOrigin     = 0x31
	atArtificial         = 0x34
	atCallingConvention  = 0x36
	atCount              = 0x37
	atDataMemberLocation = 0x38
	atDeclaration        = 0x3c
	atEncoding           = 0x3e
	atExternal           = 0x3f
	atSpecification      = 0x47
	atType               = 0x49
	atSignature          = 0x69
	atDataBitOffset      = 0x6b
	atStrOffsetsBase     = 0x72
	atAddrBase           = 0x73
	atDwoName            = 0x76
	atLoclistsBase       = 0x8c
	atGNUDwoName         = 0x2130
	atGNUDwoID           = 0x2131
	atGNUAddrBase        = 0x2133
	atGNUAnnotation      = 0x2139
)

// A form is a DW_FORM_* code (DWARF 5, section 7.5.6, and vendor extensions).
type form uint16

const (
	formAddr          form = 0x01
	formBlock2        form = 0x03
	formBlock4        form = 0x04
	formData2         form = 0x05
	formData4         form = 0x06
	formData8         form = 0x07
	formString        form = 0x08
	formBlock         form = 0x09
	formBlock1        form = 0x0a
	formData1         form = 0x0b
	formFlag          form = 0x0c
	formSdata         form = 0x0d
	formStrp          form = 0x0e
	formUdata         form = 0x0f
	formRefAddr       form = 0x10
	formRef1          form = 0x11
	formRef2          form = 0x12
	formRef4          form = 0x13
	formRef8          form = 0x14
	formRefUdata      form = 0x15
	formIndirect      form = 0x16
	formSecOffset     form = 0x17
	formExprloc       form = 0x18
	formFlagPresent   form = 0x19
	formStrx          form = 0x1a
	formAddrx         form = 0x1b
	formRefSup4       form = 0x1c
	formStrpSup       form = 0x1d
	formData16        form = 0x1e
	formLineStrp      form = 0x1f
	formRefSig8       form = 0x20
	formImplicitConst form = 0x21
	formLoclistx      form = 0x22
	formRnglistx      form = 0x23
	formRefSup8       form = 0x24
	formStrx1         form = 0x25
	formStrx2         form = 0x26
	formStrx3         form = 0x27
	formStrx4         form = 0x28
	formAddrx1        form = 0x29
	formAddrx2        form = 0x2a
	formAddrx3        form = 0x2b
	formAddrx4        form = 0x2c
	formGNUAddrIndex  form = 0x1f01
	formGNUStrIndex   form = 0x1f02
	formGNURefAlt     form = 0x1f20
	formGNUStrpAlt    form = 0x1f21
)

// Unit types (DWARF 5, section 7.5.1).
const (
	unitCompile      = 0x01
	unitType         = 0x02
	unitPartial      = 0x03
	unitSkeleton     = 0x04
	unitSplitCompile = 0x05
	unitSplitType    = 0x06
)
