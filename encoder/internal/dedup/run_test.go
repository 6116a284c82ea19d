package dedup

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A world is an object that a test fills, type by type.
type world struct{ *btf.Object }

func newWorld(base *btf.Object) world { return world{btf.New(binary.LittleEndian, base)} }

func (w world) name(s string) uint32 { return w.Strings.Add([]byte(s)) }

func (w world) kind(k btf.Kind, name string, third uint32, rest ...uint32) uint32 {
	id := uint32(w.Append(w.name(name), btf.Info(k, 0, false), third))
	w.Extend(rest)
	return id
}

func (w world) int(name string) uint32             { return w.kind(btf.KindInt, name, 4, btf.IntSigned<<24|32) }
func (w world) ptr(to uint32) uint32               { return w.kind(btf.KindPtr, "", to) }
func (w world) constant(of uint32) uint32          { return w.kind(btf.KindConst, "", of) }
func (w world) typedef(n string, o uint32) uint32  { return w.kind(btf.KindTypedef, n, o) }
func (w world) variable(n string, t uint32) uint32 { return w.kind(btf.KindVar, n, t, 0) }
func (w world) tag(n string, of uint32, component int32) uint32 {
	return w.kind(btf.KindDeclTag, n, of, uint32(component))
}
func (w world) array(of, index, n uint32) uint32 { return w.kind(btf.KindArray, "", 0, of, index, n) }

func (w world) fwd(name string, union bool) uint32 {
	return uint32(w.Append(w.name(name), btf.Info(btf.KindFwd, 0, union), 0))
}

func (w world) elems(k btf.Kind, name string, third uint32, n int, words ...uint32) uint32 {
	id := uint32(w.Append(w.name(name), btf.Info(k, uint32(n), false), third))
	w.Extend(words)
	return id
}

// strct is a struct with members a, b, c of the given types.
func (w world) strct(name string, members ...uint32) uint32 {
	return w.composite(btf.KindStruct, name, members)
}

func (w world) union(name string, members ...uint32) uint32 {
	return w.composite(btf.KindUnion, name, members)
}

func (w world) composite(k btf.Kind, name string, members []uint32) uint32 {
	var words []uint32
	for i, m := range members {
		off := uint32(64 * i)
		if k == btf.KindUnion {
			off = 0
		}
		words = append(words, w.name(string(rune('a'+i))), m, off)
	}
	return w.elems(k, name, uint32(8*len(members)), len(members), words...)
}

// enum has values that are named by the words after its own.
func (w world) enum(k btf.Kind, name string, values ...string) uint32 {
	var words []uint32
	for i, v := range values {
		words = append(words, w.name(v), uint32(i))
		if k == btf.KindEnum64 {
			words = append(words, 0)
		}
	}
	return w.elems(k, name, 4, len(values), words...)
}

func (w world) proto(ret uint32, params ...uint32) uint32 {
	var words []uint32
	for _, p := range params {
		words = append(words, 0, p)
	}
	return w.elems(btf.KindFuncProto, "", ret, len(params), words...)
}

func (w world) fn(name string, proto uint32) uint32 { return w.kind(btf.KindFunc, name, proto) }

// text is the object one line per type: id, kind, name, and the ids it refers to.
func text(o *btf.Object) string {
	var out strings.Builder
	for id, r := range o.All() {
		fmt.Fprintf(&out, "%d %s", id, r.Kind())
		if n := o.Name(r.Name()); n != "" {
			out.WriteString(" " + n)
		}
		if (r.Kind() == btf.KindEnum || r.Kind() == btf.KindEnum64) && r.Vlen() > 0 {
			fmt.Fprintf(&out, " {%s}", o.Name(r.Elem(0)[0]))
		}
		r.References(func(ref *uint32) { fmt.Fprintf(&out, " %d", *ref) })
		out.WriteString("\n")
	}
	return strings.TrimSpace(out.String())
}

func lines(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\t", "") }

type row struct {
	name  string
	base  func(w world)
	build func(w world)
	opt   Options
	want  string
	shows rules.Set // rules of pahole; without any one of them the result differs
}

// world is the object that a row is about.
func (r *row) world() world {
	var base *btf.Object
	if r.base != nil {
		base = newWorld(nil).Object
		r.base(world{base})
	}
	w := newWorld(base)
	r.build(w)
	return w
}

func check(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		r.opt.Peer |= rules.Default
		for off := range r.shows.Each {
			w, opt := r.world(), r.opt
			opt.Peer &^= off
			if _, err := Run(w.Object, opt); err != nil || text(w.Object) == lines(r.want) {
				t.Errorf("%s: without rule %#x of what it shows: got the same (%v)", r.name, off, err)
			}
		}
		w := r.world()
		before := w.Len()
		stats, err := Run(w.Object, r.opt)
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		if got := text(w.Object); got != lines(r.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", r.name, got, lines(r.want))
		}
		if stats.Before != before || stats.After != w.Len() {
			t.Errorf("%s: stats say %d to %d, want %d to %d", r.name, stats.Before, stats.After, before, w.Len())
		}
		again := string(w.AppendWire(nil))
		if _, err := Run(w.Object, r.opt); err != nil || string(w.AppendWire(nil)) != again {
			t.Errorf("%s: a second run changes the object (%v)", r.name, err)
		}
	}
}

// Rules 03/6, 03/7, 03/8, 03/9, 03/10 and 03/12: what merges, and what survives.
func TestRun(t *testing.T) {
	check(t, []row{
		{name: "primitives", build: func(w world) {
			w.int("int")
			w.int("int")
			w.int("long")
			w.fwd("s", false)
			w.fwd("s", true)
			w.fwd("s", false)
			w.kind(btf.KindFloat, "float", 4)
			w.kind(btf.KindFloat, "float", 4)
		}, want: `
			1 INT int
			2 INT long
			3 FWD s
			4 FWD s
			5 FLOAT float`},
		{name: "structs: the lowest id survives", build: func(w world) {
			i := w.int("int")
			w.strct("s", i)
			w.strct("s", i)
			w.strct("s", i, i)
			w.ptr(3)
		}, want: `
			1 INT int
			2 STRUCT s 1
			3 STRUCT s 1 1
			4 PTR 2`},
		{name: "lists that lead to themselves", build: func(w world) {
			w.ptr(2)
			w.strct("list", 1)
			w.ptr(4)
			w.strct("list", 3)
		}, want: `
			1 PTR 2
			2 STRUCT list 1`},
		{name: "of equal references the one completed first, depth first, survives", build: func(w world) {
			w.int("int")
			w.strct("a")
			w.strct("b")
			w.typedef("pad", 1)
			w.constant(9)
			w.typedef("pad2", 1)
			w.ptr(3)
			w.typedef("pad3", 1)
			w.ptr(3)
			w.typedef("end", 7)
		}, want: `
			1 INT int
			2 STRUCT a
			3 STRUCT b
			4 TYPEDEF pad 1
			5 CONST 8
			6 TYPEDEF pad2 1
			7 TYPEDEF pad3 1
			8 PTR 3
			9 TYPEDEF end 8`},
		{name: "an array visits its element before its index", build: func(w world) {
			i := w.int("int") // 1
			w.array(4, 3, 2)  // 2: element 4, index 3
			w.constant(i)     // 3
			w.constant(i)     // 4
		}, want: `
			1 INT int
			2 ARRAY 3 3
			3 CONST 1`},
		{name: "identical ignores what arrays hold", shows: rules.IdenticalArrays, build: func(w world) {
			// The first struct has one node where the second has two, which differ inside an array only.
			i, l := w.int("int"), w.int("long") // 1 2
			w.strct("in", w.array(i, i, 3))     // 3 4
			w.strct("out", 4, 4)                // 5
			w.strct("out", 8, 10)               // 6
			w.strct("in", w.array(i, i, 3))     // 7 8
			w.strct("in", w.array(l, i, 3))     // 9 10
		}, want: `
			1 INT int
			2 INT long
			3 ARRAY 1 1
			4 STRUCT in 3
			5 STRUCT out 4 4
			6 ARRAY 2 1
			7 STRUCT in 6`},
		{name: "an empty enum and an enum64 of its name", build: func(w world) {
			w.enum(btf.KindEnum, "e")
			w.ptr(1)
			w.enum(btf.KindEnum64, "e", "A")
			w.enum(btf.KindEnum, "e")
			w.ptr(4)
		}, want: `
			1 PTR 2
			2 ENUM64 e {A}`},
		{name: "a full enum redirects and keeps walking", build: func(w world) {
			w.enum(btf.KindEnum, "e", "A")
			w.enum(btf.KindEnum, "e", "B")
			w.enum(btf.KindEnum, "e")
			w.enum(btf.KindEnum, "e", "A")
			w.ptr(3)
		}, want: `
			1 ENUM e {A}
			2 ENUM e {B}
			3 PTR 2`},
		{name: "an empty enum without a name is like every one without a name", build: func(w world) {
			w.enum(btf.KindEnum, "", "A")
			w.enum(btf.KindEnum, "")
			w.ptr(2)
		}, want: `
			1 ENUM {A}
			2 PTR 1`},
		{name: "a forward takes the struct that it is compared with", build: func(w world) {
			w.fwd("in", false)
			w.strct("out", w.ptr(1)) // 2 3
			w.strct("in")            // 4
			w.strct("out", w.ptr(4)) // 5 6
		}, want: `
			1 PTR 3
			2 STRUCT out 1
			3 STRUCT in`},
		{name: "a lone forward takes the one struct of its name", build: func(w world) {
			w.ptr(w.fwd("s", false)) // 1 2
			w.strct("s")
		}, want: `
			1 PTR 2
			2 STRUCT s`},
		{name: "structs and unions share the names of lone forwards", build: func(w world) {
			w.ptr(w.fwd("s", false))
			w.strct("s")
			w.union("s")
		}, want: `
			1 FWD s
			2 PTR 1
			3 STRUCT s
			4 UNION s`},
		{name: "a lone forward of the other kind stays", build: func(w world) {
			w.ptr(w.fwd("s", true))
			w.strct("s")
		}, want: `
			1 FWD s
			2 PTR 1
			3 STRUCT s`},
		{name: "two structs of one name", build: func(w world) {
			i := w.int("int")
			w.ptr(w.fwd("s", false))
			w.strct("s", i)
			w.strct("s", i, i)
		}, want: `
			1 INT int
			2 FWD s
			3 PTR 2
			4 STRUCT s 1
			5 STRUCT s 1 1`},
		{name: "prototypes whose parameters have different names", build: func(w world) {
			i := w.int("int")
			for _, name := range []string{"x", "y", "x"} {
				w.kind(btf.KindTypedef, "t", w.kind(btf.KindPtr, "", w.elems(btf.KindFuncProto, "", i, 1, w.name(name), i)))
			}
		}, want: `
			1 INT int
			2 FUNC_PROTO 1 1
			3 PTR 2
			4 TYPEDEF t 3
			5 FUNC_PROTO 1 1
			6 PTR 5
			7 TYPEDEF t 6`},
		{name: "variables and sections stay, functions merge", build: func(w world) {
			i := w.int("int")
			w.variable("v", i)
			w.variable("v", i)
			w.fn("f", w.proto(i)) // 4 5
			w.fn("f", w.proto(i)) // 6 7
			w.elems(btf.KindDatasec, ".data", 8, 1, 2, 0, 4)
			w.elems(btf.KindDatasec, ".data", 8, 1, 3, 0, 4)
		}, want: `
			1 INT int
			2 VAR v 1
			3 VAR v 1
			4 FUNC_PROTO 1
			5 FUNC f 4
			6 DATASEC .data 2
			7 DATASEC .data 3`},
		{name: "tags are compared when what they tag is final", build: func(w world) {
			i := w.int("int")
			w.strct("s", i)
			w.tag("t", 2, 0)
			w.strct("s", i)
			w.tag("t", 4, 0)
			w.tag("t", 4, -1)
			w.variable("v", i)
			w.variable("v", i)
			w.tag("t", 7, -1)
			w.tag("t", 8, -1)
		}, want: `
			1 INT int
			2 STRUCT s 1
			3 DECL_TAG t 2
			4 DECL_TAG t 2
			5 VAR v 1
			6 VAR v 1
			7 DECL_TAG t 5
			8 DECL_TAG t 6`},
		{name: "typedefs by name and target", build: func(w world) {
			i, l := w.int("int"), w.int("long")
			w.typedef("t", i)
			w.typedef("t", l)
			w.typedef("t", i)
			w.ptr(5)
		}, want: `
			1 INT int
			2 INT long
			3 TYPEDEF t 1
			4 TYPEDEF t 2
			5 PTR 3`},
		{name: "names of parameters count", build: func(w world) {
			i := w.int("int")
			w.elems(btf.KindFuncProto, "", 0, 1, w.name("a"), i)
			w.elems(btf.KindFuncProto, "", 0, 1, w.name("b"), i)
			w.elems(btf.KindFuncProto, "", 0, 1, w.name("a"), i)
		}, want: `
			1 INT int
			2 FUNC_PROTO 0 1
			3 FUNC_PROTO 0 1`},
		{name: "arrays are compared when element and index are final", build: func(w world) {
			a, b, c := w.int("int"), w.int("int"), w.int("int") // 1 2 3
			w.array(a, b, 3)                                    // 4
			w.array(b, c, 3)
			w.array(c, a, 3)
			w.ptr(6)
		}, want: `
			1 INT int
			2 ARRAY 1 1
			3 PTR 2`},
		{name: "of two that one type equals, the one that was met first takes it", build: func(w world) {
			i, l := w.int("int"), w.int("long")
			w.strct("s", w.ptr(w.strct("x", i))) // 3 4 5
			w.strct("s", w.ptr(w.strct("x", l))) // 6 7 8: equal to 5 except for x
			w.strct("o", w.ptr(5), w.ptr(8))     // 9 10 11
			w.strct("o", 13, 13)                 // 12
			w.ptr(14)
			w.strct("s", 16)         // of an x that is declared only
			w.ptr(w.fwd("x", false)) // 16 15
			w.typedef("t", 14)
		}, want: `
			1 INT int
			2 INT long
			3 STRUCT x 1
			4 PTR 3
			5 STRUCT s 4
			6 STRUCT x 2
			7 PTR 6
			8 STRUCT s 7
			9 PTR 5
			10 PTR 8
			11 STRUCT o 9 10
			12 TYPEDEF t 5`},
		{name: "what merging a struct decides for those inside it", build: func(w world) {
			i := w.int("int")
			w.strct("in", i)         // 2
			w.strct("out", w.ptr(2)) // 3 4
			w.strct("out", w.ptr(7)) // 5 6
			w.strct("in", i)         // 7
			w.ptr(7)
		}, want: `
			1 INT int
			2 STRUCT in 1
			3 PTR 2
			4 STRUCT out 3`},
	})
}

// Rule 03/3: strings stay as they are, wanted or not.
func TestStringsStay(t *testing.T) {
	w := newWorld(nil)
	w.name("orphan")
	w.int("int")
	w.int("int")
	w.typedef("t", 2)
	before := string(w.Strings.Bytes())
	if _, err := Run(w.Object, Options{Peer: rules.Default}); err != nil {
		t.Fatal(err)
	}
	if got := string(w.Strings.Bytes()); got != before || !strings.Contains(got, "orphan") {
		t.Errorf("got strings %q, want %q", got, before)
	}
}

// Rule 03/11: what merges with types of a base.
func TestSplit(t *testing.T) {
	base := func(w world) {
		i := w.int("int")
		w.strct("s", i)   // 2
		w.typedef("t", i) // 3
		w.ptr(2)          // 4
		w.fwd("later", false)
		w.ptr(5) // 6
		w.enum(btf.KindEnum, "e")
		w.ptr(7) // 8
	}
	use := func(w world) {
		i := w.int("int") // 9
		w.strct("s", i)   // 10
		w.ptr(10)         // 11
		w.typedef("t", i) // 12
		w.ptr(12)         // 13
	}
	check(t, []row{
		{name: "own types become those of the base", base: base, build: use, want: `9 PTR 3`},
		{name: "except typedefs, as in pahole", shows: rules.BaseTypedefSignature, base: base, build: use, opt: Options{Peer: rules.Pahole}, want: `
			9 TYPEDEF t 1
			10 PTR 9`},
		// A forward that equals one of the base is merged with it, whatever the split part defines. An empty enum of the base
		// leads to the full one of the split part, so a pointer to it no longer equals the base's.
		{name: "own types redirect empty enums of the base", base: base, build: func(w world) {
			i := w.int("int")                // 9
			w.strct("later", i)              // 10
			w.ptr(w.fwd("later", false))     // 11 12
			w.enum(btf.KindEnum, "e", "A")   // 13
			w.ptr(w.enum(btf.KindEnum, "e")) // 14 15
		}, want: `
			9 STRUCT later 1
			10 ENUM e {A}
			11 PTR 10`},
	})
}

// chain is n pointers, each to the next.
func (w world) chain(n int) {
	for range n {
		w.ptr(uint32(w.End()) + 1)
	}
	w.int("int")
}

// nest is n structs, each with the next inside.
func (w world) nest(n int) {
	for range n {
		w.strct("s", uint32(w.End())+1)
	}
	w.int("int")
}

// Broken objects end with an error.
func TestBroken(t *testing.T) {
	rows := map[string]struct {
		build func(w world)
		want  string
	}{
		"a ring of references":   {func(w world) { w.ptr(2); w.ptr(1) }, "refers to itself"},
		"a pointer to itself":    {func(w world) { w.ptr(1) }, "refers to itself"},
		"a tag that is a member": {func(w world) { w.strct("s", 2); w.tag("t", 1, -1); w.strct("s", 4); w.tag("t", 3, -1) }, "a type refers to a DECL_TAG"},
		"a variable as a member": {func(w world) { w.strct("s", 3); w.int("i"); w.variable("v", 2); w.strct("s", 5); w.variable("v", 2) }, "a type refers to a VAR"},
		"a chain without end":    {func(w world) { w.chain(maxDepth + 10) }, "type 1, a PTR: references between types are nested too deeply"},
		"structs without end":    {func(w world) { w.nest(maxDepth + 10); w.nest(maxDepth + 10) }, `type 2, STRUCT "s": references between types are nested too deeply`},
		"an unknown kind":        {func(w world) { w.Append(0, btf.Info(25, 0, false), 0) }, "cannot be merged"},
	}
	for name, r := range rows {
		w := newWorld(nil)
		r.build(w)
		if _, err := Run(w.Object, Options{Peer: rules.Default}); err == nil || !strings.Contains(err.Error(), r.want) {
			t.Errorf("%s: got error %v, want %q", name, err, r.want)
		}
	}
}

// fromBytes makes an object of any bytes, with or without a base: kinds, names and references are limited to valid ones.
func fromBytes(base *btf.Object, data []byte) world {
	w := newWorld(base)
	n := uint32(w.First()) + uint32(len(data)/4)
	names := []string{"", "a", "b", "int"}
	for i := 0; i+3 < len(data); i += 4 {
		kind, name := data[i], names[data[i+1]%4]
		x, y := uint32(data[i+2])%n, uint32(data[i+3])%n
		switch kind % 18 {
		case 0:
			w.int(name)
		case 1:
			w.ptr(x)
		case 2:
			w.array(x, y, uint32(kind)/18)
		case 3, 4:
			w.strct(name, x, y)
		case 5:
			w.strct(name, x)
		case 6:
			w.union(name, x, y)
		case 7:
			w.enum(btf.KindEnum, name, name)
		case 8:
			w.enum(btf.KindEnum, name)
		case 9:
			w.enum(btf.KindEnum64, name, "b")
		case 10:
			w.fwd(name, data[i+2]&1 != 0)
		case 11:
			w.typedef(name, x)
		case 12:
			w.constant(x)
		case 13:
			w.proto(x, y)
		case 14:
			w.variable(name, x)
		case 15:
			w.fn(name, x)
		case 16:
			w.tag(name, x, int32(data[i+3]))
		case 17:
			w.kind(btf.KindTypeTag, name, x)
		}
	}
	return w
}

// FuzzRun: for any graph, a run ends with an error, or with an object whose references are all valid.
func FuzzRun(f *testing.F) {
	f.Add([]byte{0, 3, 0, 0, 1, 0, 3, 0, 3, 1, 2, 1, 3, 1, 2, 1})
	f.Add([]byte{10, 1, 0, 0, 1, 0, 1, 0, 5, 2, 2, 0, 5, 1, 0, 0, 1, 0, 4, 0, 5, 2, 5, 0})
	f.Add([]byte{8, 1, 0, 0, 7, 1, 0, 0, 9, 1, 0, 0, 8, 0, 0, 0, 7, 0, 0, 0, 1, 0, 4, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4000 {
			return
		}
		w := fromBytes(nil, data)
		before := w.Len()
		if _, err := Run(w.Object, Options{Peer: rules.Default}); err != nil {
			return
		}
		if w.Len() > before {
			t.Fatalf("got %d types of %d", w.Len(), before)
		}
		for id, r := range w.All() {
			r.References(func(ref *uint32) {
				if *ref >= uint32(w.End()) {
					t.Fatalf("type %d refers to %d of %d", id, *ref, w.Len())
				}
			})
		}
		after := w.Len()
		if _, err := Run(w.Object, Options{Peer: rules.Default}); err != nil || w.Len() > after {
			t.Fatalf("second run: %d types, then %d (%v)", after, w.Len(), err)
		}
	})
}
