package synth

import "debug/dwarf"

// A Form says how an attribute value is written.
type Form uint32

// The forms of DWARF 2 to 5 and the GNU extensions.
const (
	FormAddr          Form = 0x01
	FormBlock2        Form = 0x03
	FormBlock4        Form = 0x04
	FormData2         Form = 0x05
	FormData4         Form = 0x06
	FormData8         Form = 0x07
	FormString        Form = 0x08
	FormBlock         Form = 0x09
	FormBlock1        Form = 0x0a
	FormData1         Form = 0x0b
	FormFlag          Form = 0x0c
	FormSdata         Form = 0x0d
	FormStrp          Form = 0x0e
	FormUdata         Form = 0x0f
	FormRefAddr       Form = 0x10
	FormRef1          Form = 0x11
	FormRef2          Form = 0x12
	FormRef4          Form = 0x13
	FormRef8          Form = 0x14
	FormRefUdata      Form = 0x15
	FormIndirect      Form = 0x16
	FormSecOffset     Form = 0x17
	FormExprloc       Form = 0x18
	FormFlagPresent   Form = 0x19
	FormStrx          Form = 0x1a
	FormAddrx         Form = 0x1b
	FormRefSup4       Form = 0x1c
	FormStrpSup       Form = 0x1d
	FormData16        Form = 0x1e
	FormLineStrp      Form = 0x1f
	FormRefSig8       Form = 0x20
	FormImplicitConst Form = 0x21
	FormLoclistx      Form = 0x22
	FormRnglistx      Form = 0x23
	FormRefSup8       Form = 0x24
	FormStrx1         Form = 0x25
	FormStrx2         Form = 0x26
	FormStrx3         Form = 0x27
	FormStrx4         Form = 0x28
	FormAddrx1        Form = 0x29
	FormAddrx2        Form = 0x2a
	FormAddrx3        Form = 0x2b
	FormAddrx4        Form = 0x2c
	FormGNUAddrIndex  Form = 0x1f01
	FormGNUStrIndex   Form = 0x1f02
	FormGNURefAlt     Form = 0x1f20
	FormGNUStrpAlt    Form = 0x1f21
)

// How many bytes a value takes: a positive width or one of these.
const (
	wNone    = -iota - 1 // nothing in the DIE
	wULEB                // unsigned LEB128
	wSLEB                // signed LEB128
	wOffset              // 4 or 8 by the unit's format
	wAddress             // by the unit's address size
	wRefAddr             // an offset, in DWARF 2 an address
	wBlock1              // bytes after a length
	wBlock2
	wBlock4
	wBlock
	wString // bytes and a zero
)

var widths = map[Form]int{
	FormAddr: wAddress, FormBlock2: wBlock2, FormBlock4: wBlock4, FormData2: 2, FormData4: 4, FormData8: 8,
	FormString: wString, FormBlock: wBlock, FormBlock1: wBlock1, FormData1: 1, FormFlag: 1, FormSdata: wSLEB,
	FormStrp: wOffset, FormUdata: wULEB, FormRefAddr: wRefAddr, FormRef1: 1, FormRef2: 2, FormRef4: 4, FormRef8: 8,
	FormRefUdata: wULEB, FormSecOffset: wOffset, FormExprloc: wBlock, FormFlagPresent: wNone, FormStrx: wULEB,
	FormAddrx: wULEB, FormRefSup4: 4, FormStrpSup: wOffset, FormData16: 16, FormLineStrp: wOffset, FormRefSig8: 8,
	FormImplicitConst: wNone, FormLoclistx: wULEB, FormRnglistx: wULEB, FormRefSup8: 8, FormStrx1: 1, FormStrx2: 2,
	FormStrx3: 3, FormStrx4: 4, FormAddrx1: 1, FormAddrx2: 2, FormAddrx3: 3, FormAddrx4: 4, FormGNUAddrIndex: wULEB,
	FormGNUStrIndex: wULEB, FormGNURefAlt: wOffset, FormGNUStrpAlt: wOffset,
}

// Attributes and tags that package debug/dwarf does not name.
const (
	AttrStrOffsetsBase dwarf.Attr = 0x72
	AttrAddrBase       dwarf.Attr = 0x73
	AttrRnglistsBase   dwarf.Attr = 0x74
	AttrLoclistsBase   dwarf.Attr = 0x8c
	AttrGNUAnnotation  dwarf.Attr = 0x2139 // refers to a TagGNUAnnotation

	TagGNUAnnotation  dwarf.Tag = 0x6001
	TagLLVMAnnotation dwarf.Tag = 0x6000
)

// A Lang is a value of DW_AT_language.
type Lang uint32

// The languages a kernel image may hold.
const (
	C89  Lang = 0x01
	C    Lang = 0x02
	CPP  Lang = 0x04
	C99  Lang = 0x0c
	Rust Lang = 0x1c
	C11  Lang = 0x1d
	Asm  Lang = 0x8001
)

// An Encoding is a value of DW_AT_encoding.
type Encoding uint8

// The encodings of base types.
const (
	Address      Encoding = 1
	Boolean      Encoding = 2
	ComplexFloat Encoding = 3
	Float        Encoding = 4
	Signed       Encoding = 5
	SignedChar   Encoding = 6
	Unsigned     Encoding = 7
	UnsignedChar Encoding = 8
	Imaginary    Encoding = 9
	UTF          Encoding = 16
)
