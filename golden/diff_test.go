package golden

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sebdah/goldie/v2"

	"github.com/btfbatch/btfbatch/golden/dump"
)

// types numbers types, which are written without their ids and with | before each element.
func types(list ...string) string {
	text := ""
	for i, t := range list {
		text += fmt.Sprintf("[%d] %s\n", i+1, strings.ReplaceAll(t, "|", "\n\t"))
	}
	return text
}

const (
	intType  = "INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED"
	longType = "INT 'long' size=8 bits_offset=0 nr_bits=64 encoding=SIGNED"
	ptrToInt = "PTR '(anon)' type_id=1"
)

func TestDiff(t *testing.T) {
	for _, tt := range []struct {
		name     string
		old, new []string
		want     []string // "op KIND name" and its details
	}{
		{"equal", []string{intType, ptrToInt}, []string{intType, ptrToInt}, nil},
		{"nothing", nil, nil, nil},
		{"ids shift", []string{intType, longType, "PTR '(anon)' type_id=2", "TYPEDEF 't' type_id=3"},
			[]string{intType, ptrToInt, longType, "PTR '(anon)' type_id=3", "TYPEDEF 't' type_id=4"},
			[]string{"added PTR int *"}},
		{"added and removed", []string{intType, "FWD 's' fwd_kind=struct"}, []string{intType, "STRUCT 's' size=0 vlen=0"},
			[]string{"added STRUCT s", "removed FWD s"}},
		{"int", []string{intType}, []string{"INT 'int' size=8 bits_offset=0 nr_bits=64 encoding=(none)"},
			[]string{"changed INT int", "size 4 -> 8", "nr_bits 32 -> 64", "encoding 1 -> 0"}},
		{"float", []string{"FLOAT 'd' size=8"}, []string{"FLOAT 'd' size=16"}, []string{"changed FLOAT d", "size 8 -> 16"}},
		{"fwd", []string{"FWD 's' fwd_kind=struct"}, []string{"FWD 's' fwd_kind=union"},
			[]string{"changed FWD s", "fwd_kind struct -> union"}},
		{"typedef", []string{intType, ptrToInt, "TYPEDEF 't' type_id=1"}, []string{intType, ptrToInt, "TYPEDEF 't' type_id=2"},
			[]string{"changed TYPEDEF t", "type int -> int *"}},
		{"members", []string{intType, longType, "STRUCT 's' size=24 vlen=4|'gone' type_id=1 bits_offset=0|'moved' type_id=1 bits_offset=32|'typed' type_id=1 bits_offset=64|'(anon)' type_id=2 bits_offset=128"},
			[]string{intType, longType, "STRUCT 's' size=32 vlen=4|'moved' type_id=1 bits_offset=0|'typed' type_id=2 bits_offset=64 bitfield_size=3|'(anon)' type_id=2 bits_offset=128|'come' type_id=1 bits_offset=192"},
			[]string{"changed STRUCT s", "size 24 -> 32", "- gone (int at bit 0)", "moved: int at bit 32 -> int at bit 0",
				"typed: int at bit 64 -> long at bit 64, 3 wide", "+ come (int at bit 192)"}},
		{"struct behind a pointer", []string{"STRUCT 's' size=4 vlen=0", ptrToInt}, []string{"STRUCT 's' size=8 vlen=0", ptrToInt},
			[]string{"changed STRUCT s", "size 4 -> 8"}},
		{"anonymous struct behind a pointer", []string{"STRUCT '(anon)' size=4 vlen=0", ptrToInt}, []string{"STRUCT '(anon)' size=8 vlen=0", ptrToInt},
			[]string{"added PTR struct { } *", "removed PTR struct { } *", "added STRUCT struct { }", "removed STRUCT struct { }"}},
		{"enum", []string{"ENUM 'e' encoding=UNSIGNED size=4 vlen=2|'A' val=0|'B' val=4294967295"},
			[]string{"ENUM 'e' encoding=SIGNED size=4 vlen=2|'A' val=0|'B' val=-1"},
			[]string{"changed ENUM e", "signed false -> true", "B: 4294967295 -> -1"}},
		{"enum64", []string{"ENUM64 'e' encoding=UNSIGNED size=8 vlen=1|'A' val=18446744073709551615ULL"},
			[]string{"ENUM64 'e' encoding=UNSIGNED size=8 vlen=2|'B' val=1ULL|'A' val=18446744073709551615ULL"},
			[]string{"changed ENUM64 e", "vlen 1 -> 2", "+ B (1)"}},
		{"order of enumerators", []string{"ENUM 'e' encoding=SIGNED size=4 vlen=2|'A' val=0|'B' val=0"},
			[]string{"ENUM 'e' encoding=SIGNED size=4 vlen=2|'B' val=0|'A' val=0"},
			[]string{"changed ENUM e", "elements stand in another order"}},
		{"prototype", []string{intType, "FUNC_PROTO '(anon)' ret_type_id=0 vlen=1|'a' type_id=1", "FUNC 'f' type_id=2 linkage=static"},
			[]string{intType, "FUNC_PROTO '(anon)' ret_type_id=1 vlen=2|'b' type_id=1|'(anon)' type_id=0", "FUNC 'f' type_id=2 linkage=global"},
			[]string{"changed FUNC f", "prototype void f(int a) -> int f(int b, ...)", "linkage 0 -> 1",
				"added FUNC_PROTO int (int b, ...)", "removed FUNC_PROTO void (int a)"}},
		{"variable", []string{intType, "VAR 'v' type_id=1, linkage=global", "DATASEC '.data' size=8 vlen=1|type_id=2 offset=0 size=4 (VAR 'v')"},
			[]string{intType, "VAR 'v' type_id=1, linkage=static", "DATASEC '.data' size=8 vlen=1|type_id=2 offset=4 size=4 (VAR 'v')"},
			[]string{"changed VAR v", "linkage 1 -> 0", "place .data+0, size 4 -> .data+4, size 4"}},
		{"variable without a section", []string{intType, "VAR 'v' type_id=1, linkage=global", "DATASEC '.data' size=8 vlen=1|type_id=2 offset=0 size=4 (VAR 'v')"},
			[]string{intType, "VAR 'v' type_id=1, linkage=global", "DATASEC '.data' size=8 vlen=0"},
			[]string{"changed VAR v", "place .data+0, size 4 -> in no section", "changed DATASEC .data", "vlen 1 -> 0"}},
		{"function in a section", []string{intType, "FUNC 'f' type_id=0 linkage=extern", "DATASEC '.ksyms' size=0 vlen=1|type_id=2 offset=0 size=0 (FUNC 'f')"},
			[]string{intType, "FUNC 'f' type_id=0 linkage=extern", "DATASEC '.ksyms' size=0 vlen=1|type_id=2 offset=8 size=0 (FUNC 'f')"},
			[]string{"changed DATASEC .ksyms", "void f: offset 0, size 0 -> offset 8, size 0"}},
		{"tags", []string{"FUNC 'f' type_id=0 linkage=static", "FUNC 'g' type_id=0 linkage=static", "DECL_TAG 'kfunc' type_id=1 component_idx=-1", "TYPE_TAG 'user' type_id=0"},
			[]string{"FUNC 'f' type_id=0 linkage=static", "FUNC 'g' type_id=0 linkage=static", "DECL_TAG 'kfunc' type_id=2 component_idx=-1", "TYPE_TAG 'rcu' type_id=0"},
			[]string{"removed DECL_TAG kfunc of FUNC f, component -1", "added DECL_TAG kfunc of FUNC g, component -1",
				"added TYPE_TAG rcu void", "removed TYPE_TAG user void"}},
		{"one name twice", []string{intType, "STRUCT 's' size=4 vlen=0", "STRUCT 's' size=8 vlen=0"},
			[]string{intType, "STRUCT 's' size=8 vlen=0", "STRUCT 's' size=12 vlen=0", "STRUCT 's' size=16 vlen=0"},
			[]string{"added STRUCT s", "changed STRUCT s", "size 4 -> 12", "moved STRUCT s"}},
		{"moved", []string{intType, longType, "FLOAT 'd' size=8"}, []string{longType, "FLOAT 'd' size=8", intType}, []string{"moved INT int"}},
		{"relinked", []string{"STRUCT 's' size=4 vlen=0", "STRUCT 's' size=8 vlen=0", ptrToInt},
			[]string{"STRUCT 's' size=4 vlen=0", "STRUCT 's' size=8 vlen=0", "PTR '(anon)' type_id=2"},
			[]string{"relinked PTR struct s *"}},
		{"leads nowhere", []string{"PTR '(anon)' type_id=9"}, []string{"PTR '(anon)' type_id=8"},
			[]string{"added PTR type_id=8 *", "removed PTR type_id=9 *"}},
	} {
		s := Diff(parse(t, types(tt.old...)), parse(t, types(tt.new...)))
		var got []string
		for _, c := range s.Changes {
			got = append(got, fmt.Sprint(c.Op, " ", c.Kind, " ", c.Name))
			got = append(got, s.Details(c)...)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}

// Long prototypes are compared by parameter.
func TestDiffLongPrototype(t *testing.T) {
	proto := func(fifth string) string {
		text := "FUNC_PROTO '(anon)' ret_type_id=1 vlen=12"
		for i := range 12 {
			id := "1"
			if i == 4 {
				id = fifth
			}
			text += fmt.Sprintf("|'a_rather_long_parameter_%d' type_id=%s", i, id)
		}
		return text
	}
	s := Diff(parse(t, types(intType, longType, proto("1"), "FUNC 'f' type_id=3 linkage=static")),
		parse(t, types(intType, longType, proto("2"), "FUNC 'f' type_id=3 linkage=static")))
	i := slices.IndexFunc(s.Changes, func(c Change) bool { return c.Op == Changed })
	if i < 0 {
		t.Fatalf("got %s, want a change", s)
	}
	got := s.Details(s.Changes[i])
	if want := []string{"parameter 5 int a_rather_long_parameter_4 -> long a_rather_long_parameter_4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A base gives names to what a split dump refers to.
func TestDiffSplit(t *testing.T) {
	base := parse(t, types(intType, longType))
	other := parse(t, types(longType, intType))
	old, err := ParseRaw([]byte("[3] PTR '(anon)' type_id=1\n"), base)
	if err != nil {
		t.Fatal(err)
	}
	same, err := ParseRaw([]byte("[3] PTR '(anon)' type_id=2\n"), base)
	if err != nil {
		t.Fatal(err)
	}
	if got := Diff(old, same).String(); got != "PTR +1 -1" {
		t.Errorf("got %s, want PTR +1 -1", got)
	}
	moved, err := ParseRaw([]byte("[3] PTR '(anon)' type_id=2\n"), other)
	if err != nil {
		t.Fatal(err)
	}
	if got := Diff(old, moved).String(); got != "1 relinked" {
		t.Errorf("got %s, want 1 relinked", got)
	}
}

func TestSpelling(t *testing.T) {
	o := parse(t, types(intType, ptrToInt, "CONST '(anon)' type_id=2", "CONST '(anon)' type_id=1", "PTR '(anon)' type_id=4",
		"ARRAY '(anon)' type_id=2 index_type_id=1 nr_elems=3", "PTR '(anon)' type_id=6",
		"FUNC_PROTO '(anon)' ret_type_id=7 vlen=3|'a' type_id=5|'(anon)' type_id=7|'(anon)' type_id=0",
		"PTR '(anon)' type_id=8", "RESTRICT '(anon)' type_id=9",
		"UNION '(anon)' size=8 vlen=2|'f' type_id=9 bits_offset=0|'(anon)' type_id=12 bits_offset=0",
		"ENUM '(anon)' encoding=SIGNED size=4 vlen=2|'A' val=0|'B' val=1",
		"FUNC_PROTO '(anon)' ret_type_id=0 vlen=0", "UNKNOWN '(anon)'", "PTR '(anon)' type_id=15"))
	for id, want := range map[uint32]string{
		0: "void", 2: "int *", 3: "int * const", 4: "const int", 5: "const int *", 6: "int *[3]", 7: "int *(*)[3]",
		8:  "int *(*(const int *a, int *(*)[3], ...))[3]",
		10: "int *(*(* restrict)(const int *a, int *(*)[3], ...))[3]",
		11: "union { int *(*(*f)(const int *a, int *(*)[3], ...))[3]; enum { A, B, }; }",
		13: "void (void)", 14: "UNKNOWN {}", 16: "type_id=16",
	} {
		s := speller{o: o, left: maxSpelt}
		if got := s.declare(id, ""); got != want {
			t.Errorf("type %d: got %q, want %q", id, got, want)
		}
	}
	// A pointer to itself, and a graph that doubles with each step, end.
	if got := spelling(o, 15); !strings.Contains(got, "…") {
		t.Errorf("got %q for a pointer to itself", got)
	}
	var list []string
	for i := range 60 {
		list = append(list, fmt.Sprintf("STRUCT '(anon)' size=1 vlen=2|'a' type_id=%d bits_offset=0|'b' type_id=%d bits_offset=0", i+2, i+2))
	}
	if got := spelling(parse(t, types(list...)), 1); len(got) > maxLength+len("…") {
		t.Errorf("got %d bytes", len(got))
	}
}

func TestSummaryText(t *testing.T) {
	old := parse(t, types(intType, longType, "STRUCT 's' size=4 vlen=1|'a' type_id=1 bits_offset=0", "FUNC 'f' type_id=0 linkage=static",
		"FUNC 'g' type_id=0 linkage=static", "FUNC 'h' type_id=0 linkage=static"))
	new := parse(t, types(longType, intType, "STRUCT 's' size=8 vlen=1|'a' type_id=1 bits_offset=0", "FUNC 'k' type_id=0 linkage=static"))
	s := Diff(old, new)
	if got, want := s.String(), "STRUCT ~1, FUNC +1 -3, 1 moved"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Changes[1].Accepted = "for a test"
	goldie.New(t).Assert(t, "summary", s.AppendText(nil, 2))
	goldie.New(t).Assert(t, "summary-all", s.AppendText(nil, 0))
	if got := string(Diff(old, old).AppendText(nil, 0)); got != "6 types -> 6 types\nno type differs\n" {
		t.Errorf("got %q for equal objects", got)
	}
}

// Whatever two dumps hold: their summary is empty exactly when they are equal, and can be printed.
func FuzzDiff(f *testing.F) {
	kinds := string(bpftoolDump(f, "kinds-x86_64"))
	f.Add([]byte(kinds), []byte(strings.ReplaceAll(kinds, "vlen=3\n\t'RED'", "vlen=3\n\t'PINK'")))
	f.Add([]byte(types(intType, longType, ptrToInt)), []byte(types(longType, intType, ptrToInt)))
	f.Add([]byte(types("STRUCT 's' size=4 vlen=0", "STRUCT 's' size=8 vlen=0", ptrToInt)), []byte(types("PTR '(anon)' type_id=1")))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		old, err := ParseRaw(a, nil)
		if err != nil {
			return
		}
		new, err := ParseRaw(b, nil)
		if err != nil || old.First() != new.First() {
			return
		}
		s := Diff(old, new)
		equal := bytes.Equal(dump.AppendRaw(nil, old), dump.AppendRaw(nil, new))
		if equal != (len(s.Changes) == 0) {
			t.Fatalf("equal: %t, but the summary is: %s", equal, s)
		}
		s.AppendText(nil, 0)
	})
}
