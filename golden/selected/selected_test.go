package selected

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
)

func parseSelection(t testing.TB, patterns ...string) *Selection {
	t.Helper()
	s, err := ParseSelection(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// images reads the BTF of the committed images.
func images(t testing.TB) map[string]*btf.Object {
	t.Helper()
	list := map[string]*btf.Object{}
	for name, data := range reference.Committed(t) {
		var err error
		if list[name], err = btf.Parse(data, nil); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// same checks that a text is that of a golden, and is written the same once it was read.
func same(t *testing.T, g *Golden, text []byte) {
	t.Helper()
	h, err := Parse(text)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if c := cause.Compare(g.Input("", ""), h.Input("", ""), cause.Options{}); !c.Verdict.Equal {
		t.Errorf("it means something else: %+v", c.Causes)
	}
	again, err := h.Append(nil, h.Selection)
	if err != nil || !bytes.Equal(withoutPlaces(again), withoutPlaces(text)) {
		t.Errorf("%v, %s", err, firstDifference(again, text))
	}
}

// places are what a golden says about places. Where a name stands for several types, of which the golden has one, it says more than it
// needs.
var places = regexp.MustCompile(` (@[0-9.]+( size [0-9]+)?|align [0-9]+)`)

func withoutPlaces(text []byte) []byte { return places.ReplaceAll(text, nil) }

// firstDifference shows the first line in which two texts differ.
func firstDifference(got, want []byte) string {
	a, b := bytes.SplitAfter(got, []byte("\n")), bytes.SplitAfter(want, []byte("\n"))
	n := 0
	for n < min(len(a), len(b))-1 && bytes.Equal(a[n], b[n]) {
		n++
	}
	return fmt.Sprintf("line %d: got %q, want %q", n+1, a[n], b[n])
}

// What is written is read back, and written again it is the same.
func TestRoundTrip(t *testing.T) {
	for name, o := range images(t) {
		for _, patterns := range [][]string{{"*"}, {"func:*"}, {"struct:*", "union:*"}, {".*"}, {"task"}, {"var:*", "enum:*", "int:*", "float:*", "typedef:*"}} {
			s := parseSelection(t, patterns...)
			text, err := Append(nil, o, s)
			if err != nil {
				t.Fatalf("%s %v: %v", name, patterns, err)
			}
			g, err := Parse(text)
			if err != nil {
				t.Fatalf("%s %v: %v in %s", name, patterns, err, text)
			}
			again, err := g.Append(nil, s)
			if err != nil {
				t.Fatal(err)
			}
			same(t, g, again)
			if !bytes.Equal(withoutPlaces(again), withoutPlaces(text)) {
				t.Errorf("%s %v: %s", name, patterns, firstDifference(again, text))
			}
		}
	}
}

// A golden with everything is the BTF itself, except for enums without a name and names that stand for several types.
func TestWhole(t *testing.T) {
	for name, o := range images(t) {
		g, err := Reduce(o, parseSelection(t, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for id, is := range g.Stubs {
			if is {
				t.Errorf("%s: %q is a stub, but everything is selected", name, g.Object.Name(g.Object.At(btf.ID(id)).Name()))
			}
		}
		c := cause.Compare(cause.Input{Object: g.Object}, cause.Input{Object: o}, cause.Options{})
		for i := range c.Causes {
			if x := &c.Causes[i]; !strings.HasPrefix(x.Name, "enum {") && x.OldCopies+x.NewCopies == 0 && !strings.Contains(x.Members[0].New, "another type of this name") {
				t.Errorf("%s: %s differs: %+v", name, x.Name, x.Members)
			}
		}
		if len(c.Consequences) > 0 {
			t.Errorf("%s: %d consequences: %+v", name, len(c.Consequences), c.Consequences[0])
		}
	}
}

func TestSelection(t *testing.T) {
	s := parseSelection(t, "struct:task_*", "x", "struct:task_*", "std::x", `a\*`)
	if got := strings.Join(s.Patterns(), " "); got != `a\* std::x struct:task_* x` {
		t.Errorf("got patterns %s", got)
	}
	for _, tt := range []struct {
		kind cause.Kind
		name string
		want bool
	}{
		{cause.Struct, "task_struct", true}, {cause.Func, "task_struct", false}, {cause.Func, "x", true}, {cause.Func, "xx", false},
		{cause.Typedef, "std::x", true}, {cause.Var, "a*", true}, {cause.Var, "ab", false},
	} {
		if s.Has(tt.kind, tt.name) != tt.want {
			t.Errorf("%s %s: got %v, want %v", tt.kind, tt.name, !tt.want, tt.want)
		}
	}
	for _, wrong := range []string{"", "struct:", "[", "a\n", " a"} {
		if _, err := ParseSelection([]string{wrong}); err == nil {
			t.Errorf("%q is a pattern", wrong)
		}
	}
}

// Edges that images do not have: texts that are read and written unchanged.
func TestEdges(t *testing.T) {
	for _, body := range []string{
		"",
		"struct s declared\n",
		"union u declared tag \"x\"\n",
		"struct \"struct\" 0 {\n}\n",
		"struct \"a b\\\"\" 8 {\n\tint \"\\xff\" align 4 @\n}\n",
		"struct s 16 {\n\tint a @1000\n\tint b @4.3\n\tint :3\n\tint c:2 tag \"t\"\n\tint @100\n}\n\nsize int 4 number\n",
		"struct s 1 {\n\tstruct 4 {\n\t\tunion 4 {\n\t\t\tenum 4 signed {\n\t\t\t\tA = -1\n\t\t\t} e\n\t\t}\n\t} *[3] x\n}\n",
		"struct s 4 tag \"one\" tag \"two\" {\n\tint a\n}\n\nsize int 4 number\n",
		"enum e 1 {\n\tA = 4294967295\n}\n\nenum64 f 8 signed {\n\tB = -9223372036854775808\n}\n",
		"typedef t = const volatile void *const *restrict\n\ntypedef u = attr \"user\" char *attr \"x\"\n",
		"typedef t = int (int[2][3] *, ..., const struct x *y) *[4]\n",
		"int \"...\" 4 unknown 32 255\n\nint int 4 signed 32 0\n\nint long unsigned int 8 unsigned 64 0\n",
		"float double 8\n",
		"func f global tag \"bpf_kfunc\" = void (int a tag \"t\", ...)\n\nfunc g unknown = int (void *) ()\n",
		"var v extern = int[0]\n",
		"section .data 4294967295 tag \"x\" {\n\tint a\n\tint c @3 size 8 tag \"x\"\n\tint b static align 32\n}\n\nsize int 4 number\n",
		"var v static = struct x\n\nsize struct x 96 align 32\n",
	} {
		text := Magic + "\nselect *\n"
		if body != "" {
			text += "\n" + body
		}
		g, err := Parse([]byte(text))
		if strings.Contains(body, "@\n") { // a place without an offset
			if err == nil {
				t.Errorf("%q was read", body)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v in %s", err, text)
			continue
		}
		if again, err := g.Append(nil, g.Selection); err != nil || string(again) != text {
			t.Errorf("%v, got %q, want %q", err, again, text)
		}
	}
}

func TestParseErrors(t *testing.T) {
	deep := strings.Repeat("struct 4 { \n", 100)
	for _, tt := range []struct {
		name, text string
		line       int
		problem    string
	}{
		{"no golden", "[1] INT\n", 1, "is not # btfbatch-golden 1"},
		{"version", "# btfbatch-golden 2\n", 1, `version "2" is not known`},
		{"no selection", Magic + "\n", 1, "nothing is selected"},
		{"wrong pattern", Magic + "\nselect [\n", 1, "is malformed"},
		{"no pattern", Magic + "\nselect\n\nselect *\n", 2, "select has no pattern"},
		{"tag", Magic + "\nselect *\nstruct s 4 tag x {\n}\n", 3, `"x" is not a text in quotes`},
		{"type tag", Magic + "\nselect *\nvar v static = int attr x *\n", 3, `"x" is not a text in quotes`},
		{"tag of a parameter without quotes", Magic + "\nselect *\nfunc f static = int (int a tag x)\n", 3, `"x" is not a text in quotes`},
		{"no end", Magic + "\nselect *\nstruct s declared", 3, "the line has no end"},
		{"word", Magic + "\nselect *\nclass x 3\n", 3, `"class" is not a declaration`},
		{"name", Magic + "\nselect *\n\"x\"\n", 3, `"x" is not a declaration`},
		{"no name", Magic + "\nselect *\nstruct 4 {\n}\n", 3, `"4" is not a name`},
		{"keyword as name", Magic + "\nselect *\nvar const static = int\n", 3, `"const" is not a name`},
		{"no brace", Magic + "\nselect *\nstruct s 4 {\n\tint a\n", 5, `"}" is missing`},
		{"number", Magic + "\nselect *\nstruct s 04 {\n}\n", 3, `"04" is not a number`},
		{"large number", Magic + "\nselect *\nstruct s 4294967296 {\n}\n", 3, "is not a number from 0 to 4294967295"},
		{"wide bit field", Magic + "\nselect *\nstruct s 4 {\n\tint a:256\n}\n", 4, "from 1 to 255"},
		{"far bit field", Magic + "\nselect *\nstruct s 4 {\n\tint a:1 @2097152\n}\n", 4, "the offset of a member does not fit"},
		{"far member", Magic + "\nselect *\nstruct s 4 {\n\tint a @536870912\n}\n", 4, "the offset of a member does not fit"},
		{"bit", Magic + "\nselect *\nstruct s 4 {\n\tint a @1.8\n}\n", 4, "is not an offset"},
		{"alignment", Magic + "\nselect *\nstruct s 4 {\n\tint a align 3\n}\n", 4, "alignment 3 is no power of two"},
		{"enumerator", Magic + "\nselect *\nenum e 4 {\n\tA = -1\n}\n", 4, "is not a number from 0"},
		{"linkage", Magic + "\nselect *\nfunc f local = int ()\n", 3, `"local" is not a linkage`},
		{"encoding", Magic + "\nselect *\nint int 4 big 32 0\n", 3, `"big" is not an encoding`},
		{"void parameter", Magic + "\nselect *\nfunc f static = int (void)\n", 3, "a parameter is void"},
		{"tag of a parameter", Magic + "\nselect *\nvar v static = int (int a tag \"x\") *\n", 3, "only parameters of functions have tags"},
		{"two sizes", Magic + "\nselect *\nsize struct s 4\nsize struct s 8\n", 4, "struct s has a size on line 3 already"},
		{"sort of value", Magic + "\nselect *\nsize s 4 thing\n", 3, `"thing" is not a sort of value`},
		{"rest of a line", Magic + "\nselect *\nstruct s declared x\n", 3, `the end of the line is missing before "x"`},
		{"quotes", Magic + "\nselect *\nstruct \"s declared\n", 3, "a name in quotes has no end"},
		{"NUL", Magic + "\nselect *\nstruct \"\\x00\" declared\n", 3, "is not a name"},
		{"character", Magic + "\nselect *\nstruct s\x01 declared\n", 3, "names with such characters are in quotes"},
		{"depth", Magic + "\nselect *\nvar v static = " + deep, 67, "more than 64 types without a name"},
		{"chain", Magic + "\nselect *\nvar v static = int " + strings.Repeat("*", 3000) + "\n", 3, "follow each other"},
		{"arrays", Magic + "\nselect *\nvar v static = int" + strings.Repeat("[1]", 3000) + "\n", 3, "follow each other"},
		{"parameters", Magic + "\nselect *\nvar v static = int" + strings.Repeat(" (int", 3000) + "\n", 3, "more than 64 types"},
		{"holds itself", Magic + "\nselect *\nstruct s 4 {\n\tstruct s s\n}\n", 4, "holds itself by value"},
	} {
		_, err := Parse([]byte(tt.text))
		at, ok := errors.AsType[*ParseError](err)
		if !ok {
			t.Errorf("%s: got %v, want a ParseError", tt.name, err)
		} else if at.Line != tt.line || !strings.Contains(at.Problem, tt.problem) {
			t.Errorf("%s: got %v, want line %d: %s", tt.name, err, tt.line, tt.problem)
		}
	}
}

// Graphs of types that would have a long or deep text are refused.
func TestHostile(t *testing.T) {
	member := btf.Info(btf.KindStruct, 2, false)
	for name, build := range map[string]func(o *btf.Object){
		"each level twice the one before": func(o *btf.Object) {
			prev := o.Append(0, btf.Info(btf.KindStruct, 0, false), 4)
			for range 40 {
				prev = o.Append(0, member, 4, 0, uint32(prev), 0, 0, uint32(prev), 0)
			}
			o.Append(o.Strings.Add([]byte("s")), member, 4, 0, uint32(prev), 0, 0, uint32(prev), 0)
		},
		"nested deeply": func(o *btf.Object) {
			prev := o.Append(0, btf.Info(btf.KindStruct, 0, false), 4)
			for range 50_000 {
				prev = o.Append(0, btf.Info(btf.KindStruct, 1, false), 4, 0, uint32(prev), 0)
			}
			o.Append(o.Strings.Add([]byte("s")), btf.Info(btf.KindStruct, 1, false), 4, 0, uint32(prev), 0)
		},
		"a pointer to itself":   func(o *btf.Object) { o.Append(0, btf.Info(btf.KindPtr, 0, false), 1) },
		"a type that is absent": func(o *btf.Object) { o.Append(0, btf.Info(btf.KindPtr, 0, false), 1000) },
	} {
		o := btf.New(binary.LittleEndian, nil)
		build(o)
		o.Append(o.Strings.Add([]byte("v")), btf.Info(btf.KindVar, 0, false), uint32(o.End()-1), 0)
		if text, err := Append(nil, o, parseSelection(t, "*")); err == nil {
			t.Errorf("%s: got a text of %d bytes, want an error", name, len(text))
		}
	}
}

// A golden holds its size and alignments, so it can be reduced further.
func TestReduceAgain(t *testing.T) {
	for _, o := range images(t) {
		whole, err := Reduce(o, parseSelection(t, "*"))
		if err != nil {
			t.Fatal(err)
		}
		s := parseSelection(t, "struct:*", ".data*")
		some, err := whole.Reduce(s)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Append(nil, o, s)
		if err != nil {
			t.Fatal(err)
		}
		same(t, some, want)
	}
}

// A stub is not compared with a definition: what a pattern selects on one side only was added or removed.
func TestStubAgainstDefinition(t *testing.T) {
	parse := func(body string) cause.Input {
		g, err := Parse([]byte(Magic + "\nselect *\n\n" + body))
		if err != nil {
			t.Fatal(err)
		}
		return g.Input("", "")
	}
	with := parse("struct a 8 {\n\tstruct b *b\n}\n\nstruct b 4 {\n\tint x\n}\n\nsize int 4 number\nsize long unsigned int 8 number\n")
	without := parse("struct a 8 {\n\tstruct b *b\n}\n\nsize int 4 number\nsize long unsigned int 8 number\n")
	c := cause.Compare(without, with, cause.Options{})
	if len(c.Causes) != 1 || c.Causes[0].Op != cause.Added || c.Causes[0].Name != "b" {
		t.Errorf("got %+v, want struct b added", c.Causes)
	}
	c = cause.Compare(with, without, cause.Options{})
	if len(c.Causes) != 1 || c.Causes[0].Op != cause.Removed || c.Causes[0].Name != "b" {
		t.Errorf("got %+v, want struct b removed", c.Causes)
	}
	grown := parse("struct a 16 {\n\tstruct h h\n}\n\nsize struct h 16 align 8\n")
	small := parse("struct a 8 {\n\tstruct h h\n}\n\nsize struct h 8 align 8\n")
	c = cause.Compare(small, grown, cause.Options{Exact: true})
	if len(c.Causes) != 1 || c.Causes[0].Name != "h" || len(c.Consequences) != 1 || c.Consequences[0].Name != "a" {
		t.Errorf("got causes %+v, consequences %+v; want struct h as the cause of struct a", c.Causes, c.Consequences)
	}
}

// Whatever is read is written, read again, and written the same.
func FuzzParse(f *testing.F) {
	text, err := Append(nil, images(f)["gcc12-s390x-dwarf5-based.btf.golden"], parseSelection(f, "*"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(Magic + "\nselect *\n\nsection .data 8 {\n\tint a\n\tint b static align 32\n}\n\nsize int 4 number\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		g, err := Parse(text)
		if err != nil {
			return
		}
		first, err := g.Append(nil, g.Selection)
		if err != nil {
			return // for example, longer than MaxText
		}
		again, err := Parse(first)
		if err != nil {
			t.Fatalf("%v in %s", err, first)
		}
		second, err := again.Append(nil, again.Selection)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("%v, got %s, want %s", err, second, first)
		}
	})
}
