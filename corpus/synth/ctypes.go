package synth

import "debug/dwarf"

// The functions below write what a C compiler would write, in the forms of the unit's DWARF version. Each adds a child to d and
// returns it, so types may be nested anywhere. A nil type is void. Use Set and Drop to change attributes, and DIE for anything else.

// numForm returns the smallest data form for v.
func numForm(v uint64) Form {
	switch {
	case v <= 0xff:
		return FormData1
	case v <= 0xffff:
		return FormData2
	case v <= 0xffffffff:
		return FormData4
	}
	return FormData8
}

// named creates a DIE, with a name unless that is empty.
func (d *DIE) named(tag dwarf.Tag, name string) *DIE {
	c := d.DIE(tag)
	if name != "" {
		c.Add(Name(name))
	}
	return c
}

func (d *DIE) of(to *DIE) *DIE {
	if to != nil {
		d.Add(Type(to))
	}
	return d
}

func (d *DIE) num(at dwarf.Attr, v uint64) *DIE { return d.Add(Num(at, numForm(v), v)) }

func (d *DIE) flag(at dwarf.Attr) *DIE {
	if d.version() < 4 {
		return d.Add(Num(at, FormFlag, 1))
	}
	return d.Add(Flag(at))
}

// Base adds a base type.
func (d *DIE) Base(name string, size uint64, enc Encoding) *DIE {
	return d.DIE(dwarf.TagBaseType).num(dwarf.AttrByteSize, size).num(dwarf.AttrEncoding, uint64(enc)).Add(Name(name))
}

// Pointer adds a pointer type.
func (d *DIE) Pointer(to *DIE) *DIE {
	c := d.DIE(dwarf.TagPointerType)
	if u := d.cu(); u != nil {
		c.num(dwarf.AttrByteSize, uint64(u.addrSize))
	}
	return c.of(to)
}

// Const adds a const type.
func (d *DIE) Const(of *DIE) *DIE { return d.DIE(dwarf.TagConstType).of(of) }

// Volatile adds a volatile type.
func (d *DIE) Volatile(of *DIE) *DIE { return d.DIE(dwarf.TagVolatileType).of(of) }

// Restrict adds a restrict type.
func (d *DIE) Restrict(of *DIE) *DIE { return d.DIE(dwarf.TagRestrictType).of(of) }

// Typedef adds a typedef.
func (d *DIE) Typedef(name string, of *DIE) *DIE { return d.named(dwarf.TagTypedef, name).of(of) }

// A Member is a field of a struct or union.
type Member struct {
	Name   string
	Type   *DIE
	Off    uint64 // in bytes
	Bits   uint64 // width of a bitfield, 0 for others
	BitOff uint64 // of a bitfield, from the start of the struct as DW_AT_data_bit_offset counts
	Unit   uint64 // bytes of the storage unit; if set, the bitfield is written in the form used before DWARF 4
	Extra  []Part
}

// Struct adds a struct definition; an empty name makes it anonymous.
func (d *DIE) Struct(name string, size uint64, members ...Member) *DIE {
	return d.aggregate(dwarf.TagStructType, name, size, members)
}

// Union adds a union definition.
func (d *DIE) Union(name string, size uint64, members ...Member) *DIE {
	return d.aggregate(dwarf.TagUnionType, name, size, members)
}

// Forward adds a declaration of a struct, union or class.
func (d *DIE) Forward(tag dwarf.Tag, name string) *DIE {
	return d.named(tag, name).flag(dwarf.AttrDeclaration)
}

func (d *DIE) aggregate(tag dwarf.Tag, name string, size uint64, members []Member) *DIE {
	c := d.named(tag, name).num(dwarf.AttrByteSize, size)
	for _, m := range members {
		c.Member(m)
	}
	return c
}

// Member adds a field to the struct or union d.
func (d *DIE) Member(m Member) *DIE {
	c := d.named(dwarf.TagMember, m.Name).of(m.Type)
	version := d.version()
	switch {
	case m.Bits != 0 && m.Unit != 0:
		// The old form counts from the most significant bit of the storage unit.
		off := m.BitOff / (8 * m.Unit) * m.Unit
		bit := m.BitOff % (8 * m.Unit)
		if elfData(d.cu().target) == 1 {
			bit = 8*m.Unit - bit - m.Bits
		}
		c.num(dwarf.AttrByteSize, m.Unit).num(dwarf.AttrBitSize, m.Bits).num(dwarf.AttrBitOffset, bit)
		m.Off = off
		fallthrough
	case m.Bits == 0:
		if d.tag == dwarf.TagUnionType {
			break
		}
		switch {
		case version == 2:
			c.Add(Expr(dwarf.AttrDataMemberLoc, FormBlock1, OpPlusUconst(m.Off)))
		case version == 3 && m.Off > 0xffff:
			c.Add(Num(dwarf.AttrDataMemberLoc, FormUdata, m.Off))
		default:
			c.num(dwarf.AttrDataMemberLoc, m.Off)
		}
	default:
		c.num(dwarf.AttrBitSize, m.Bits).num(dwarf.AttrDataBitOffset, m.BitOff)
	}
	return c.Add(m.Extra...)
}

// A Value is an enumerator of an enum.
type Value struct {
	Name  string
	Value int64
}

// Enum adds an enum. Its underlying type may be nil. Negative values are written as sdata, others as data.
func (d *DIE) Enum(name string, size uint64, underlying *DIE, values ...Value) *DIE {
	c := d.named(dwarf.TagEnumerationType, name).num(dwarf.AttrByteSize, size).of(underlying)
	for _, v := range values {
		form := numForm(uint64(v.Value))
		if v.Value < 0 {
			form = FormSdata
		}
		c.DIE(dwarf.TagEnumerator, Name(v.Name), Int(dwarf.AttrConstValue, form, v.Value))
	}
	return c
}

// Flexible is the dimension of a flexible array.
const Flexible = -1

// Array adds an array of the given dimensions.
func (d *DIE) Array(of, index *DIE, dims ...int64) *DIE {
	c := d.DIE(dwarf.TagArrayType).of(of)
	for _, n := range dims {
		r := c.DIE(dwarf.TagSubrangeType).of(index)
		switch {
		case n == 0:
			r.num(dwarf.AttrCount, 0)
		case n > 0:
			r.num(dwarf.AttrUpperBound, uint64(n-1))
		}
	}
	return c
}

// A Param is a parameter of a function or function type.
type Param struct {
	Name  string
	Type  *DIE
	Extra []Part // most often DW_AT_location
	rest  bool
}

// Rest represents the ... of a variadic function.
var Rest = Param{rest: true}

func (d *DIE) params(params []Param) *DIE {
	for _, p := range params {
		if p.rest {
			d.DIE(dwarf.TagUnspecifiedParameters)
			continue
		}
		d.named(dwarf.TagFormalParameter, p.Name).of(p.Type).Add(p.Extra...)
	}
	return d
}

// FuncType adds a function type.
func (d *DIE) FuncType(ret *DIE, params ...Param) *DIE {
	return d.DIE(dwarf.TagSubroutineType).flag(dwarf.AttrPrototyped).of(ret).params(params)
}

// Func adds a function of size bytes. At Nowhere it has no address, like an abstract instance.
func (d *DIE) Func(name string, at Place, size uint64, ret *DIE, params ...Param) *DIE {
	c := d.named(dwarf.TagSubprogram, name).flag(dwarf.AttrPrototyped).of(ret)
	if at.set {
		c.Add(Addr(dwarf.AttrLowpc, FormAddr, at))
		if d.version() < 4 {
			at.off += size
			c.Add(Addr(dwarf.AttrHighpc, FormAddr, at))
		} else {
			c.Add(Num(dwarf.AttrHighpc, FormData8, size))
		}
	}
	return c.params(params)
}

// External marks a function or variable as visible outside its unit.
func (d *DIE) External() *DIE { return d.flag(dwarf.AttrExternal) }

// Declaration marks a DIE as a declaration.
func (d *DIE) Declaration() *DIE { return d.flag(dwarf.AttrDeclaration) }

// Var adds a variable at an address. At Nowhere it has no location.
func (d *DIE) Var(name string, typ *DIE, at Place) *DIE {
	c := d.named(dwarf.TagVariable, name).of(typ)
	if at.set {
		c.Add(d.cu().Loc(OpAddr(at)))
	}
	return c
}
