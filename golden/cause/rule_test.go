package cause

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// structOf, unionOf and so on are short for declarations.
func structOf(name string, members ...member) *decl {
	return &decl{kind: "struct", name: name, members: members}
}
func unionOf(name string, members ...member) *decl {
	return &decl{kind: "union", name: name, members: members}
}
func varOf(name string, typ *expr) *decl     { return &decl{kind: "var", name: name, typ: typ} }
func typedefOf(name string, typ *expr) *decl { return &decl{kind: "typedef", name: name, typ: typ} }
func m(name string, typ *expr) member        { return member{name: name, typ: typ} }
func field(name string, width uint32) member { return member{name, intExpr, width} }

func enumOf(name string, values ...any) *decl {
	d := &decl{kind: "enum", name: name, size: 4}
	for i := 0; i < len(values); i += 2 {
		d.members, d.values = append(d.members, member{name: values[i].(string)}), append(d.values, int32(values[i+1].(int)))
	}
	return d
}

func funcOf(name string, returns *expr, params ...member) *decl {
	return &decl{kind: "func", name: name, typ: returns, members: params}
}

func anon(op string, members ...member) *expr { return &expr{op: op, members: members} }

// callback is a pointer to a function.
func callback(returns *expr, params ...member) *expr {
	return ptr(&expr{op: "proto", of: returns, members: params})
}

var void = &expr{op: "void"}

// facts returns the results of a comparison, one per line: causes with rules and severity, their changes and shifts, consequences with
// reasons.
func facts(c *Comparison) (list []string) {
	for _, x := range c.Causes {
		list = append(list, fmt.Sprint(signOf(x.Op), " ", x.Kind, " ", x.Name, size(x.Size), " ", x.Severity, " ", x.Rules))
		for _, ch := range x.Members {
			if ch.Part == Whole && x.Op != Changed {
				continue
			}
			text := fmt.Sprintf("  %s %s", ch.Op, ch.Path)
			if ch.OldPath != "" {
				text += " from " + ch.OldPath
			}
			list = append(list, strings.TrimRight(fmt.Sprintf("%s: %s => %s %s", text, ch.Old, ch.New, ch.Hint), " "))
		}
		for _, s := range x.Shifts {
			list = append(list, fmt.Sprintf("  shift %s %d by %d", s.From, s.Count, s.Bytes))
		}
		for _, r := range x.Because {
			list = append(list, "  because "+r.Name)
		}
	}
	for _, x := range c.Consequences {
		var why []string
		for _, r := range x.Because {
			why = append(why, r.Name)
		}
		list = append(list, fmt.Sprint("> ", x.Kind, " ", x.Name, size(x.Size), " because ", strings.Join(why, " ")))
	}
	return list
}

func signOf(op Op) string { return map[Op]string{Added: "+", Removed: "-", Changed: "~"}[op] }

// Each row shows the report of one change of a source.
func TestRules(t *testing.T) {
	inner := structOf("inner", m("a", intExpr))
	for _, tt := range []struct {
		name     string
		old, new []*decl
		want     []string
	}{
		{"member inserted", []*decl{structOf("s", m("a", longExpr), m("b", intExpr), m("c", intExpr))},
			[]*decl{structOf("s", m("n", longExpr), m("a", longExpr), m("b", intExpr), m("c", intExpr))},
			[]string{"~ struct s {16 24} add [member-added]", "  added n:  => unsigned long", "  shift a 3 by 8"}},
		{"member removed", []*decl{structOf("s", m("a", longExpr), m("b", intExpr))}, []*decl{structOf("s", m("b", intExpr))},
			[]string{"~ struct s {16 4} break [member-removed]", "  removed a: unsigned long =>", "  shift b 1 by -8"}},
		{"member renamed", []*decl{structOf("s", m("a", longExpr), m("b", intExpr))}, []*decl{structOf("s", m("z", longExpr), m("b", intExpr))},
			[]string{"~ struct s {16 16} break [member-renamed]", "  renamed z from a: unsigned long => unsigned long"}},
		{"reserved member used", []*decl{structOf("s", m("kabi_reserved1", longExpr))}, []*decl{structOf("s", m("flags", longExpr))},
			[]string{"~ struct s {8 8} neutral [member-renamed]", "  renamed flags from kabi_reserved1: unsigned long => unsigned long"}},
		{"member retyped", []*decl{structOf("s", m("a", longExpr), m("b", intExpr))}, []*decl{structOf("s", m("a", intExpr), m("b", intExpr))},
			[]string{"~ struct s {16 8} break [member-type]", "  changed a: unsigned long => int", "  shift b 1 by -4"}},
		{"pointer to const", []*decl{structOf("s", m("a", ptr(intExpr)))}, []*decl{structOf("s", m("a", ptr(&expr{op: "const", of: intExpr})))},
			[]string{"~ struct s {8 8} neutral [member-type]", "  changed a: int * => const int *"}},
		{"pointer to a type of another size", []*decl{structOf("s", m("a", ptr(intExpr)))}, []*decl{structOf("s", m("a", ptr(charExpr)))},
			[]string{"~ struct s {8 8} break [member-type]", "  changed a: int * => char *"}},
		{"pointer to another struct", []*decl{inner, structOf("s", m("a", ptr(ptr(ref("struct", "s")))))},
			[]*decl{inner, structOf("s", m("a", ptr(ptr(ref("struct", "inner")))))},
			[]string{"~ struct s {8 8} break [member-type]", "  changed a: struct s ** => struct inner **"}},
		{"pointer to void before", []*decl{inner, structOf("s", m("a", ptr(void)))}, []*decl{inner, structOf("s", m("a", ptr(ref("struct", "inner"))))},
			[]string{"~ struct s {8 8} neutral [member-type]", "  changed a: void * => struct inner *"}},
		{"pointer to void after", []*decl{inner, structOf("s", m("a", ptr(ref("struct", "inner"))))}, []*decl{inner, structOf("s", m("a", ptr(void)))},
			[]string{"~ struct s {8 8} break [member-type]", "  changed a: struct inner * => void *"}},
		{"typedef dropped", []*decl{inner, typedefOf("inner_t", ref("struct", "inner")), structOf("s", m("a", ref("typedef", "inner_t")))},
			[]*decl{inner, typedefOf("inner_t", ref("struct", "inner")), structOf("s", m("a", ref("struct", "inner")))},
			[]string{"~ struct s {4 4} neutral [member-type]", "  changed a: inner_t => struct inner"}},
		{"an enum with all values of the other", []*decl{enumOf("e", "A", 1), enumOf("f", "A", 1, "B", 2), structOf("s", m("a", ref("enum", "e")))},
			[]*decl{enumOf("e", "A", 1), enumOf("f", "A", 1, "B", 2), structOf("s", m("a", ref("enum", "f")))},
			[]string{"~ struct s {4 4} neutral [member-type]", "  changed a: enum e => enum f"}},
		{"an enum with other values", []*decl{enumOf("e", "A", 1), enumOf("f", "A", 2), structOf("s", m("a", ref("enum", "e")))},
			[]*decl{enumOf("e", "A", 1), enumOf("f", "A", 2), structOf("s", m("a", ref("enum", "f")))},
			[]string{"~ struct s {4 4} break [member-type]", "  changed a: enum e => enum f"}},
		{"an enum becomes a number", []*decl{enumOf("e", "A", 1), structOf("s", m("a", ref("enum", "e")))}, []*decl{enumOf("e", "A", 1), structOf("s", m("a", intExpr))},
			[]string{"~ struct s {4 4} neutral [member-type]", "  changed a: enum e => int"}},
		{"callback takes a pointer to const", []*decl{structOf("s", m("a", callback(intExpr, m("", ptr(intExpr)))))},
			[]*decl{structOf("s", m("a", callback(intExpr, m("", ptr(&expr{op: "const", of: intExpr})))))},
			[]string{"~ struct s {8 8} neutral [member-type]", "  changed a: int (*)(int *) => int (*)(const int *)"}},
		{"callback takes one more", []*decl{structOf("s", m("a", callback(intExpr, m("", intExpr))))},
			[]*decl{structOf("s", m("a", callback(intExpr, m("", intExpr), m("", intExpr))))},
			[]string{"~ struct s {8 8} break [member-type]", "  changed a: int (*)(int) => int (*)(int, int)"}},
		{"callback returns another number", []*decl{structOf("s", m("a", callback(intExpr)))},
			[]*decl{structOf("s", m("a", callback(longExpr)))},
			[]string{"~ struct s {8 8} break [member-type]", "  changed a: int (*)(void) => unsigned long (*)(void)"}},
		{"members swapped", []*decl{structOf("s", m("a", longExpr), m("b", ptr(intExpr)))}, []*decl{structOf("s", m("b", ptr(intExpr)), m("a", longExpr))},
			[]string{"~ struct s {16 16} neutral [member-moved]", "  moved a: first => after b", "  shift b 1 by -8"}},
		{"array grown by an enumerator", []*decl{enumOf("e", "A", 0, "NR_E", 7), structOf("s", m("a", array(intExpr, 7)))},
			[]*decl{enumOf("e", "A", 0, "B", 7, "NR_E", 8), structOf("s", m("a", array(intExpr, 8)))},
			[]string{"~ enum e {4 4} break [enum-value-added enum-value-changed]", "  added B:  => 7", "  changed NR_E: 7 => 8",
				"~ struct s {28 32} break [member-type]", "  changed a: int[7] => int[8] as enumerator NR_E 7 → 8"}},
		{"bit field widened", []*decl{structOf("s", field("a", 3), field("b", 5))}, []*decl{structOf("s", field("a", 4), field("b", 5))},
			[]string{"~ struct s {4 4} break [member-width]", "  changed a: 3 bits => 4 bits", "  shift b 1 by 0"}},
		{"grown three levels down", []*decl{inner, structOf("b", m("i", ref("struct", "inner"))), structOf("c", m("b", ref("struct", "b")), m("z", intExpr)), structOf("d", m("c", array(ref("struct", "c"), 2)))},
			[]*decl{structOf("inner", m("a", intExpr), m("n", intExpr)), structOf("b", m("i", ref("struct", "inner"))), structOf("c", m("b", ref("struct", "b")), m("z", intExpr)), structOf("d", m("c", array(ref("struct", "c"), 2)))},
			[]string{"~ struct inner {4 8} add [member-added]", "  added n:  => int",
				"> struct b {4 8} because inner", "> struct c {8 12} because b", "> struct d {16 24} because c"}},
		{"inside of a typedef of an anonymous struct", []*decl{typedefOf("t", anon("struct", m("a", intExpr))), structOf("s", m("t", ref("typedef", "t")))},
			[]*decl{typedefOf("t", anon("struct", m("a", intExpr), m("b", intExpr))), structOf("s", m("t", ref("typedef", "t")))},
			[]string{"~ typedef t {4 8} add [member-added]", "  added b:  => int", "> struct s {4 8} because t"}},
		{"inside of anonymous nesting", []*decl{structOf("s", m("", anon("union", m("", anon("struct", m("a", longExpr))), m("b", intExpr))))},
			[]*decl{structOf("s", m("", anon("union", m("", anon("struct", m("a", longExpr), m("n", longExpr))), m("b", intExpr))))},
			[]string{"~ struct s {8 16} add [member-added]", "  added n:  => unsigned long"}},
		{"inside of a member without a type's name", []*decl{structOf("s", m("in", anon("struct", m("a", intExpr))))},
			[]*decl{structOf("s", m("in", anon("struct", m("a", intExpr), m("n", intExpr))))},
			[]string{"~ struct s {4 8} add [member-added]", "  added in.n:  => int"}},
		{"wrapped in a union", []*decl{structOf("s", m("a", longExpr))}, []*decl{structOf("s", m("", anon("union", m("a", longExpr), m("p", ptr(void)))))},
			[]string{"~ struct s {8 8} add [member-added member-moved]", "  moved a: not nested => inside union", "  added p:  => void *"}},
		{"union member added", []*decl{unionOf("u", m("a", intExpr))}, []*decl{unionOf("u", m("a", intExpr), m("b", longExpr))},
			[]string{"~ union u {4 8} add [member-added]", "  added b:  => unsigned long"}},
		{"packed", []*decl{structOf("s", m("a", charExpr), m("b", intExpr))}, []*decl{{kind: "struct", name: "s", members: []member{m("a", charExpr), m("b", intExpr)}, packed: true}},
			[]string{"~ struct s {8 5} neutral [member-moved]", "  moved b:  => aligned or packed otherwise", "  shift b 1 by -3"}},
		{"enumerator removed", []*decl{enumOf("e", "A", 0, "B", 1)}, []*decl{enumOf("e", "A", 0)},
			[]string{"~ enum e {4 4} break [enum-value-removed]", "  removed B: 1 =>"}},
		{"enumerator renamed", []*decl{enumOf("e", "A", 0, "B", 1)}, []*decl{enumOf("e", "A", 0, "C", 1)},
			[]string{"~ enum e {4 4} break [enum-value-removed]", "  renamed C from B: 1 => 1"}},
		{"enumerators in another order", []*decl{enumOf("e", "A", 0, "B", 0)}, []*decl{enumOf("e", "B", 0, "A", 0)},
			[]string{"~ enum e {4 4} neutral [order]", "  moved :  => another order"}},
		{"first parameter", []*decl{funcOf("f", intExpr, m("a", intExpr), m("b", intExpr))}, []*decl{funcOf("f", intExpr, m("a", longExpr), m("b", intExpr))},
			[]string{"~ func f break [func-signature]", "  changed a: int => unsigned long"}},
		{"parameter added", []*decl{funcOf("f", void, m("a", intExpr))}, []*decl{funcOf("f", void, m("n", ptr(intExpr)), m("a", intExpr))},
			[]string{"~ func f break [func-signature]", "  added n:  => int *n"}},
		{"parameter renamed", []*decl{funcOf("f", void, m("a", intExpr))}, []*decl{funcOf("f", void, m("b", intExpr))},
			[]string{"~ func f neutral [func-signature]", "  renamed b from a: int => int"}},
		{"returned type", []*decl{funcOf("f", intExpr)}, []*decl{funcOf("f", void)},
			[]string{"~ func f break [func-signature]", "  changed : int => void"}},
		{"static to global", []*decl{funcOf("f", intExpr)}, []*decl{{kind: "func", name: "f", typ: intExpr, linkage: 1}},
			[]string{"~ func f neutral [func-linkage]", "  changed : static => global"}},
		{"function gone and one added", []*decl{funcOf("f", intExpr)}, []*decl{funcOf("g", intExpr)},
			[]string{"- func f break [func-removed]", "+ func g add [func-added]"}},
		{"tag", []*decl{funcOf("f", intExpr)}, []*decl{{kind: "func", name: "f", typ: intExpr, tags: []string{"bpf_kfunc"}}},
			[]string{"~ func f neutral [tag]", "  changed : no tag => bpf_kfunc"}},
		{"typedef retargeted", []*decl{typedefOf("t", intExpr)}, []*decl{typedefOf("t", longExpr)},
			[]string{"~ typedef t {4 8} break [type-target]", "  changed : int => unsigned long"}},
		{"type added and removed", []*decl{structOf("a", m("x", intExpr))}, []*decl{structOf("b", m("y", intExpr))},
			[]string{"- struct a {4 0} break [type-removed]", "+ struct b {0 4} add [type-added]"}},
		{"only declared", []*decl{{kind: "fwd", name: "s"}}, []*decl{structOf("s", m("a", intExpr))},
			[]string{"~ struct s {0 4} add [type-added]", "  changed : only declared => defined"}},
		{"one of a name split in two", []*decl{structOf("s", m("a", intExpr)), funcOf("f", void, m("p", ptr(ref("struct", "s"))))},
			[]*decl{structOf("s", m("a", intExpr)), structOf("s", m("b", longExpr)), funcOf("f", void, m("p", ptr(ref("struct", "s"))))},
			[]string{"+ struct s {0 8} add [type-added]"}},
		{"number", []*decl{{kind: "int", name: "n", size: 4}}, []*decl{{kind: "int", name: "n", size: 8}},
			[]string{"~ int n {4 8} break [size type-encoding]", "  changed : 4 bytes => 8 bytes", "  changed : unsigned, 32 bits => unsigned, 64 bits"}},
		{"variable in front", []*decl{varOf("a", longExpr), varOf("b", longExpr)}, []*decl{varOf("n", longExpr), varOf("a", longExpr), varOf("b", longExpr)},
			[]string{"+ var n {0 8} add [var-added]", "> var a {8 8} because n", "> var b {8 8} because n", "> section .data..percpu {16 24} because n"}},
		{"variable removed", []*decl{varOf("n", longExpr), varOf("a", longExpr)}, []*decl{varOf("a", longExpr)},
			[]string{"- var n {8 0} break [var-removed]", "> var a {8 8} because n", "> section .data..percpu {16 8} because n"}},
		{"variable grown by its type", []*decl{inner, varOf("a", ref("struct", "inner")), varOf("b", intExpr)},
			[]*decl{structOf("inner", m("a", intExpr), m("n", intExpr)), varOf("a", ref("struct", "inner")), varOf("b", intExpr)},
			[]string{"~ struct inner {4 8} add [member-added]", "  added n:  => int", "> var a {4 8} because inner", "> var b {4 4} because a",
				"> section .data..percpu {8 12} because a"}},
		{"variable past others", []*decl{varOf("a", longExpr), varOf("b", longExpr)}, []*decl{varOf("b", longExpr), varOf("a", longExpr)},
			[]string{"~ var a {8 8} neutral [var-place]", "  moved : first => after b", "> var b {8 8} because a"}},
		{"variable retyped", []*decl{varOf("a", intExpr)}, []*decl{varOf("a", ptr(intExpr))},
			[]string{"~ var a {4 8} break [var-type]", "  changed : int => int *", "> section .data..percpu {4 8} because a"}},
	} {
		old, new := newProgram(tt.old...), newProgram(tt.new...)
		c := Compare(Input{Object: old.build(nil)}, Input{Object: new.build(nil)}, Options{})
		if got := facts(c); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
		checkMirror(t, c, Compare(Input{Object: new.build(nil)}, Input{Object: old.build(nil)}, Options{}))
	}
}

// The same replacement in many functions is reported once.
func TestSubstitution(t *testing.T) {
	program := func(typ *expr) *btf.Object {
		var list []*decl
		for i := range 6 {
			list = append(list, funcOf(fmt.Sprint("f", i), void, m("p", typ)))
		}
		return newProgram(list...).build(nil)
	}
	c := Compare(Input{Object: program(ptr(intExpr))}, Input{Object: program(ptr(charExpr))}, Options{})
	if len(c.Substitutions) != 1 || len(c.Causes) != 6 {
		t.Fatalf("got %d substitutions, %d causes", len(c.Substitutions), len(c.Causes))
	}
	s := c.Substitutions[0]
	if s.Old != "int *" || s.New != "char *" || s.Part != Parameter || s.Count != 6 || len(s.Causes) != 6 || c.Causes[3].Substitution != 1 {
		t.Errorf("got %+v", s)
	}
}

// Keys do not depend on offsets, ids or other differences.
func TestKey(t *testing.T) {
	key := func(before ...member) string {
		old := newProgram(structOf("s", append(before[:len(before):len(before)], m("z", intExpr))...))
		new := newProgram(structOf("s", append(before[:len(before):len(before)], m("n", charExpr), m("z", intExpr))...))
		return Compare(Input{Object: old.build(nil)}, Input{Object: new.build(nil)}, Options{}).Causes[0].Key
	}
	if a, b := key(), key(m("first", longExpr)); a != b || !strings.HasPrefix(a, "struct/s/") {
		t.Errorf("got keys %s and %s", a, b)
	}
}

// Split BTF is compared together with the base of each side: a change in the base explains the changes of types that hold it.
func TestBases(t *testing.T) {
	build := func(members ...member) Input {
		base := newProgram(structOf("inner", members...)).build(nil)
		o := btf.New(binary.LittleEndian, base)
		id := uint32(4) // after the three numbers of a program
		o.Append(o.Strings.Add([]byte("outer")), btf.Info(btf.KindStruct, 1, false), 4*uint32(len(members)), o.Strings.Add([]byte("in")), id, 0)
		return Input{Object: o}
	}
	got := facts(Compare(build(m("a", intExpr)), build(m("a", intExpr), m("b", intExpr)), Options{}))
	want := []string{"~ struct inner {4 8} add [member-added]", "  added b:  => int", "> struct outer {4 8} because inner"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if c := Compare(build(m("a", intExpr)), build(m("a", intExpr)), Options{}); !c.Verdict.Equal {
		t.Errorf("got %q for equal sides", facts(c))
	}
}

// Filters remove what is not selected, and keep references correct.
func TestSelect(t *testing.T) {
	old := newProgram(structOf("inner", m("a", intExpr)), structOf("outer", m("i", ref("struct", "inner"))), funcOf("f", void), varOf("w", intExpr))
	new := newProgram(structOf("inner", m("a", intExpr), m("b", intExpr)), structOf("outer", m("i", ref("struct", "inner"))), varOf("w", intExpr), varOf("v", intExpr))
	for _, tt := range []struct {
		name, only, ignore string
		want               string
		hidden             int
	}{
		{"all", "", "", "inner f v outer .data..percpu", 0},
		{"kind", "struct", "", "inner outer", 3},
		{"pattern", "?", "", "f v", 3},
		{"rule", "func-removed", "", "f", 4},
		{"section", ".data*", "", "v .data..percpu", 3},
		{"ignored kind", "", "func,var", "inner outer", 3},
		{"ignored rule", "", "member-added", "f v .data..percpu", 2},
		{"both", "struct", "inner", "", 5},
	} {
		words := func(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r == ',' }) }
		only, err := ParseFilter(words(tt.only))
		if err != nil {
			t.Fatal(err)
		}
		ignore, err := ParseFilter(words(tt.ignore))
		if err != nil {
			t.Fatal(err)
		}
		c := Compare(Input{Object: old.build(nil)}, Input{Object: new.build(nil)}, Options{})
		c.Select(only, ignore)
		var names []string
		for i, x := range c.Causes {
			names = append(names, x.Name)
			if x.ID != i+1 {
				t.Errorf("%s: cause %d has ID %d", tt.name, i+1, x.ID)
			}
		}
		for _, x := range c.Consequences {
			names = append(names, x.Name)
		}
		if got := strings.Join(names, " "); got != tt.want || c.Hidden != tt.hidden {
			t.Errorf("%s: got %q and %d hidden, want %q and %d", tt.name, got, c.Hidden, tt.want, tt.hidden)
		}
	}
}

// Folding an equal hash into a hash does not cancel it.
func TestMix(t *testing.T) {
	if mix(5, 5) == mix(6, 6) {
		t.Error("equal words cancel each other")
	}
}

// Members with several possible new names are reported as removed and added.
func TestAmbiguousRename(t *testing.T) {
	old := newProgram(unionOf("u", m("a", intExpr), m("b", intExpr)))
	new := newProgram(unionOf("u", m("x", intExpr), m("y", intExpr)))
	got := facts(Compare(Input{Object: old.build(nil)}, Input{Object: new.build(nil)}, Options{}))
	want := []string{"~ union u {4 4} break [member-added member-removed]", "  removed a: int =>", "  removed b: int =>", "  added x:  => int", "  added y:  => int"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A gap of an unnamed bit field, which BTF does not have, stays as large as it was when the member before it grows.
func TestHiddenGap(t *testing.T) {
	build := func(size, at uint32) Input {
		o := newProgram(structOf("inner", m("a", array(charExpr, size)))).build(nil)
		inner := uint32(4)
		o.Append(o.Strings.Add([]byte("s")), btf.Info(btf.KindStruct, 2, false), at+1, o.Strings.Add([]byte("in")), inner, 0, o.Strings.Add([]byte("c")), 3, at*8)
		return Input{Object: o}
	}
	got := facts(Compare(build(4, 6), build(9, 11), Options{}))
	want := []string{"~ struct inner {4 9} break [member-type]", "  changed a: char[4] => char[9]", "> struct s {7 12} because inner"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// A place that neither an alignment nor the gap explains is a cause.
	if c := Compare(build(4, 6), build(9, 13), Options{}); len(c.Causes) != 2 || len(c.Consequences) != 0 {
		t.Errorf("got %q, want two causes", facts(c))
	}
}

// A consequence names the first MaxRoots of many roots.
func TestManyRoots(t *testing.T) {
	program := func(n uint32) Input {
		var list []*decl
		var members []member
		for i := range MaxRoots + 4 {
			name := fmt.Sprint("s", i)
			list = append(list, structOf(name, m("a", array(charExpr, n))))
			members = append(members, m(fmt.Sprint("m", i), ref("struct", name)))
		}
		return Input{Object: newProgram(append(list, structOf("all", members...))...).build(nil)}
	}
	c := Compare(program(1), program(2), Options{})
	if len(c.Consequences) != 1 || len(c.Consequences[0].Roots) != MaxRoots || len(c.Consequences[0].Because) != MaxRoots+4 {
		t.Errorf("got %+v", c.Consequences)
	}
}
