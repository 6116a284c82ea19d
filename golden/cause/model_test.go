package cause

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A program is a list of C declarations. BTF built from it has C's layout.
type program struct {
	decls []*decl
	ptr   uint32
}

// A decl is a declaration of a program.
type decl struct {
	kind    string // struct, union, enum, typedef, int, func, var
	name    string
	members []member
	typ     *expr // of a typedef or variable, what a function returns
	size    uint32
	values  []int32 // of members of an enum
	tags    []string
	linkage uint32
	packed  bool
	id      btf.ID     // of one that was read
	place   *[2]uint32 // of a variable that was read: where it is in its section, and how large
}

type member struct {
	name  string
	typ   *expr
	width uint32
}

// An expr is a type: a name, or an operation on a type.
type expr struct {
	op      string // "name", "ptr", "array", "const", "volatile", "restrict", "tag", "struct", "union", "enum", "proto", "void"
	kind    string // of what the name names
	name    string // of a tag: its text; of an enum without a name: what is in it
	of      *expr
	n       uint32
	members []member
	align   uint32 // at least, of a member with an attribute
}

func ref(kind, name string) *expr { return &expr{op: "name", kind: kind, name: name} }
func ptr(of *expr) *expr          { return &expr{op: "ptr", of: of} }
func array(of *expr, n uint32) *expr {
	return &expr{op: "array", of: of, n: n}
}

var intExpr, longExpr, charExpr = ref("int", "int"), ref("int", "unsigned long"), ref("int", "char")

func newProgram(decls ...*decl) *program {
	return &program{ptr: 8, decls: append([]*decl{{kind: "int", name: "int", size: 4}, {kind: "int", name: "unsigned long", size: 8}, {kind: "int", name: "char", size: 1}}, decls...)}
}

func (p *program) find(kind, name string) *decl {
	for _, d := range p.decls {
		if d.kind == kind && d.name == name {
			return d
		}
	}
	return nil
}

// layout returns the size and alignment of a type by C's rules. replaced overrides sizes of declarations.
func (p *program) layout(e *expr, replaced map[string]uint32) (size, align uint32) {
	switch e.op {
	case "ptr":
		return p.ptr, p.ptr
	case "enum":
		return e.n, e.n
	case "const", "volatile", "restrict", "tag":
		return p.layout(e.of, replaced)
	case "array":
		size, align = p.layout(e.of, replaced)
		return size * e.n, align
	case "struct", "union":
		return p.body(e.op, e.members, false, replaced, nil)
	case "name":
		d := p.find(e.kind, e.name)
		if d == nil {
			return 0, 1
		}
		if size, align = p.declared(d, replaced); replaced != nil {
			if n, ok := replaced[d.kind+" "+d.name]; ok {
				size = n
			}
		}
		return size, align
	}
	return 0, 1
}

func (p *program) declared(d *decl, replaced map[string]uint32) (size, align uint32) {
	switch d.kind {
	case "int", "enum":
		return d.size, d.size
	case "typedef", "var":
		return p.layout(d.typ, replaced)
	}
	return p.body(d.kind, d.members, d.packed, replaced, nil)
}

// body lays out members and passes their offsets in bits to place.
func (p *program) body(kind string, members []member, packed bool, replaced map[string]uint32, place func(i int, bit uint32)) (size, align uint32) {
	align = 1
	at := uint32(0) // bits
	for i, m := range members {
		s, a := p.layout(m.typ, replaced)
		if packed {
			a = 1
		}
		a = max(a, m.typ.align)
		align = max(align, a)
		if kind == "union" {
			size = max(size, s)
			if place != nil {
				place(i, 0)
			}
			continue
		}
		if m.width > 0 {
			if at/(s*8) != (at+m.width-1)/(s*8) {
				at = (at + s*8 - 1) / (s * 8) * s * 8
			}
			if place != nil {
				place(i, at)
			}
			at += m.width
			continue
		}
		at = (at + a*8 - 1) / (a * 8) * a * 8
		if place != nil {
			place(i, at)
		}
		at += s * 8
	}
	if kind == "struct" {
		size = (at + 7) / 8
	}
	return (size + align - 1) / align * align, align
}

// A builder builds the BTF of a program.
type builder struct {
	p     *program
	o     *btf.Object
	named map[string]uint32
	other map[string]uint32
}

// build returns BTF with the declarations in an order drawn from rng, or in their own order.
func (p *program) build(rng *rand.Rand) *btf.Object {
	b := builder{p, btf.New(binary.LittleEndian, nil), map[string]uint32{}, map[string]uint32{}}
	order := make([]int, len(p.decls))
	for i := range order {
		order[i] = i
	}
	if rng != nil {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	ids := make([]uint32, len(p.decls))
	for _, i := range order { // references to a name need its id
		ids[i] = uint32(b.o.Append(make([]uint32, p.words(p.decls[i]))...))
		if key := p.decls[i].kind + " " + p.decls[i].name; b.named[key] == 0 {
			b.named[key] = ids[i]
		}
	}
	for _, i := range order {
		b.declare(p.decls[i], ids[i])
	}
	b.section(ids)
	return b.o
}

// words returns the number of words in the record of a declaration.
func (p *program) words(d *decl) int {
	switch d.kind {
	case "struct", "union":
		return 3 + 3*len(d.members)
	case "enum":
		return 3 + 2*len(d.members)
	case "int", "var":
		return 4
	}
	return 3
}

func (b *builder) name(s string) uint32 { return b.o.Strings.Add([]byte(s)) }

func (b *builder) declare(d *decl, id uint32) {
	var words []uint32
	switch d.kind {
	case "int":
		words = []uint32{b.name(d.name), btf.Info(btf.KindInt, 0, false), d.size, d.size * 8}
	case "struct", "union":
		words = b.bodyWords(d.kind, b.name(d.name), d.members, d.packed)
	case "enum":
		words = []uint32{b.name(d.name), btf.Info(btf.KindEnum, uint32(len(d.members)), false), d.size}
		for i, m := range d.members {
			words = append(words, b.name(m.name), uint32(d.values[i]))
		}
	case "typedef":
		words = []uint32{b.name(d.name), btf.Info(btf.KindTypedef, 0, false), b.typ(d.typ)}
	case "var":
		words = []uint32{b.name(d.name), btf.Info(btf.KindVar, 0, false), b.typ(d.typ), d.linkage}
	case "func":
		words = []uint32{b.name(d.name), btf.Info(btf.KindFunc, d.linkage, false), b.typ(&expr{op: "proto", of: d.typ, members: d.members})}
	case "fwd":
		words = []uint32{b.name(d.name), btf.Info(btf.KindFwd, 0, false), 0}
	}
	copy(b.o.At(btf.ID(id)), words)
	for _, t := range d.tags {
		b.o.Append(b.name(t), btf.Info(btf.KindDeclTag, 0, false), id, 0xffffffff)
	}
}

func (b *builder) bodyWords(kind string, name uint32, members []member, packed bool) []uint32 {
	k, fields := btf.KindStruct, slices.ContainsFunc(members, func(m member) bool { return m.width > 0 })
	if kind == "union" {
		k = btf.KindUnion
	}
	words := []uint32{name, btf.Info(k, uint32(len(members)), fields), 0}
	for _, m := range members {
		words = append(words, b.name(m.name), b.typ(m.typ), m.width<<24)
	}
	words[2], _ = b.p.body(kind, members, packed, nil, func(i int, bit uint32) { words[3+3*i+2] |= bit })
	return words
}

// typ returns the id of a type, which is added once.
func (b *builder) typ(e *expr) uint32 {
	if e.op == "void" {
		return 0
	}
	if e.op == "name" {
		if id := b.named[e.kind+" "+e.name]; id != 0 {
			return id
		}
		panic("test: " + e.kind + " " + e.name + " is not declared")
	}
	key := e.spell()
	if id := b.other[key]; id != 0 {
		return id
	}
	var words []uint32
	switch e.op {
	case "ptr":
		words = []uint32{0, btf.Info(btf.KindPtr, 0, false), b.typ(e.of)}
	case "const":
		words = []uint32{0, btf.Info(btf.KindConst, 0, false), b.typ(e.of)}
	case "array":
		words = []uint32{0, btf.Info(btf.KindArray, 0, false), 0, b.typ(e.of), b.named["int int"], e.n}
	case "struct", "union":
		words = b.bodyWords(e.op, 0, e.members, false)
	case "proto":
		words = []uint32{0, btf.Info(btf.KindFuncProto, uint32(len(e.members)), false), b.typ(e.of)}
		for _, m := range e.members {
			words = append(words, b.name(m.name), b.typ(m.typ))
		}
	}
	id := uint32(b.o.Append(words...))
	b.other[key] = id
	return id
}

// section puts all variables into .data..percpu.
func (b *builder) section(ids []uint32) {
	words := []uint32{b.name(".data..percpu"), 0, 0}
	at := uint32(0)
	for i, d := range b.p.decls {
		if d.kind != "var" {
			continue
		}
		size, align := b.p.declared(d, nil)
		at = (at + align - 1) / align * align
		words = append(words, ids[i], at, size)
		at += size
	}
	if len(words) == 3 {
		return
	}
	words[1], words[2] = btf.Info(btf.KindDatasec, uint32(len(words)/3-1), false), at
	b.o.Append(words...)
}

// spell returns the complete spelling of a type, with the types in it by name.
func (e *expr) spell() string {
	switch e.op {
	case "name":
		return e.kind + " " + e.name
	case "struct", "union", "proto":
		text := e.op
		if e.of != nil {
			text += " " + e.of.spell()
		}
		return text + spellMembers(e.members)
	case "void":
		return "void"
	case "enum":
		return fmt.Sprint("enum ", e.n, e.name)
	}
	return fmt.Sprintf("%s %d (%s)", e.op, e.n, e.of.spell())
}

func spellMembers(list []member) string {
	var b strings.Builder
	for _, m := range list {
		t := ""
		if m.typ != nil {
			t = m.typ.spell()
		}
		fmt.Fprintf(&b, " {%s %s:%d}", t, m.name, m.width)
	}
	return b.String()
}
