package verify

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// percpu adds n variables and the section that lists them.
func percpu(b *blob, n uint32) {
	i := b.integer("long", 8)
	var entries []uint32
	for k := range n {
		entries = append(entries, b.add(b.str("v"), info(kVar, 0), i, 1), 8*k, 8)
	}
	b.add(b.str(".data..percpu"), info(kDatasec, n), 8*n+8, entries...)
}

func funcs(b *blob, n int) {
	p := b.add(0, info(kProto, 0), 0)
	for range n {
		b.add(b.str("f"), info(kFunc, 1), p)
	}
}

// kfunc adds a kfunc f whose second parameter, aux, is a const pointer to a const struct or union.
func kfunc(b *blob, name string, kind uint32) {
	i := b.integer("int", 4)
	s := b.add(b.str(name), info(kind, 0), 0)
	p := b.ref(kConst, b.ref(kPtr, b.ref(kConst, s)))
	proto := b.add(0, info(kProto, 2), 0, b.str("n"), i, b.str("aux"), p)
	f := b.add(b.str("f"), info(kFunc, 0), proto)
	b.add(b.str("bpf_kfunc"), info(kDeclTag, 0), f, 0xffffffff)
}

func lintOf(f func(*blob)) []byte {
	b := newBlob()
	f(b)
	return b.bytes()
}

func TestLint(t *testing.T) {
	pair := func(one, other []uint32) []byte {
		return lintOf(func(b *blob) {
			i := b.integer("int", 4)
			u := b.integer("unsigned int", 4)
			name, a, c := b.str("s"), b.str("a"), b.str("c")
			for _, m := range [][]uint32{one, other} {
				b.add(name, info(kStruct, 1), m[0], []uint32{a, c}[m[1]], []uint32{i, u}[m[2]], m[3])
			}
		})
	}
	sorted := lintOf(func(b *blob) {
		b.add(0, info(kProto, 0), 0)
		b.integer("a", 4)
		b.integer("b", 4)
	})
	for _, tc := range []struct {
		name string
		blob []byte
		opt  LintOptions
		rule string // "" is none
		text string // a part of the text
	}{
		{"a member that is only declared", lintOf(func(b *blob) {
			f := b.add(b.str("far"), info(kFwd, 0), 0)
			c := b.ref(kConst, b.ref(kTypedef, f, "t"))
			b.add(b.str("s"), info(kStruct, 1), 4, b.str("m"), c, 0)
		}), LintOptions{Kernel: V6_1}, RuleIncomplete, `type 4, "s": member "m" holds "far", which is only declared`},
		{"a kfunc with an implicit argument", lintOf(func(b *blob) { kfunc(b, "bpf_prog_aux", kStruct) }), LintOptions{Kernel: V6_1}, RuleImplicit,
			`"f": parameter 2, "aux", is a pointer to struct bpf_prog_aux`},
		{"a kfunc with a union of that name", lintOf(func(b *blob) { kfunc(b, "bpf_prog_aux", kUnion) }), LintOptions{Kernel: V6_1}, "", ""},
		{"a kfunc with another struct", lintOf(func(b *blob) { kfunc(b, "other", kStruct) }), LintOptions{Kernel: V6_1}, "", ""},
		{"a function that is no kfunc", lintOf(func(b *blob) {
			s := b.add(b.str("btf_struct_meta"), info(kStruct, 0), 0)
			proto := b.add(0, info(kProto, 1), 0, b.str("meta"), b.ref(kPtr, s))
			b.add(b.str("bpf_kfunc"), info(kDeclTag, 0), b.add(b.str("f"), info(kFunc, 0), proto), 0)
		}), LintOptions{Kernel: V6_1}, "", ""},
		{"a member of void", lintOf(func(b *blob) {
			b.add(b.str("u"), info(kUnion, 1), 4, 0, b.ref(kTypedef, 0, "nullptr_t"), 0)
		}), LintOptions{Kernel: V6_1}, RuleIncomplete, `member without a name holds void`},
		{"an element", lintOf(func(b *blob) {
			i := b.integer("int", 4)
			b.add(0, info(kArray, 0), 0, b.ref(kTypedef, 0, "t"), i, 2)
		}), LintOptions{Kernel: V6_1}, RuleIncomplete, `an element holds void`},
		{"a parameter", lintOf(func(b *blob) {
			b.add(0, info(kProto, 2), 0, b.str("a"), b.ref(kTypedef, b.add(0, info(kProto, 0), 0), "t"), 0, 0)
		}), LintOptions{Kernel: V6_1}, RuleIncomplete, `parameter 1 holds a function`},
		{"pointers to what has no size", lintOf(func(b *blob) {
			f := b.add(b.str("far"), info(kFwd, 0), 0)
			p, v := b.ref(kPtr, f), b.ref(kPtr, 0)
			b.add(b.str("s"), info(kStruct, 2), 16, b.str("m"), p, 0, b.str("n"), v, 64)
		}), LintOptions{Kernel: V6_1}, "", ""},
		{"unreadable", []byte("no BTF"), LintOptions{}, RuleUnreadable, "hdr_len not found"},
		{"duplicate by size", pair([]uint32{4, 0, 0, 0}, []uint32{8, 0, 0, 0}), LintOptions{Kernel: V6_1}, RuleDuplicate, "size: 4 and 8 bytes"},
		{"duplicate by name", pair([]uint32{4, 0, 0, 0}, []uint32{4, 1, 0, 0}), LintOptions{Kernel: V6_1}, RuleDuplicate, `member 1, by its name: "a" and "c"`},
		{"duplicate by type", pair([]uint32{4, 0, 0, 0}, []uint32{4, 0, 1, 0}), LintOptions{Kernel: V6_1}, RuleDuplicate, `INT "int" (type 1) and INT "unsigned int" (type 2)`},
		{"duplicate by place", pair([]uint32{8, 0, 0, 0}, []uint32{8, 0, 0, 32}), LintOptions{Kernel: V6_1}, RuleDuplicate, "place: bits 0 and 32"},
		{"duplicate in nothing", pair([]uint32{4, 0, 0, 0}, []uint32{4, 0, 0, 0}), LintOptions{Kernel: V6_1}, RuleDuplicate, "nothing"},
		{"functions lost", lintOf(func(b *blob) { funcs(b, 90) }), LintOptions{Kernel: V6_1, Loss: 0.09, Earlier: lintOf(func(b *blob) { funcs(b, 100) })},
			RuleLoss, "90 functions, 100 in the earlier BTF: 10.0 % are missing"},
		{"functions lost, as expected", lintOf(func(b *blob) { funcs(b, 90) }),
			LintOptions{Kernel: V6_1, Loss: 0.1, Earlier: lintOf(func(b *blob) { funcs(b, 100) })}, "", ""},
		{"variables lost", lintOf(func(b *blob) { percpu(b, 1) }), LintOptions{Kernel: V6_1, Earlier: lintOf(func(b *blob) { percpu(b, 2) })},
			RuleLoss, "1 per-CPU variables, 2 in the earlier"},
		{"earlier unreadable", sorted, LintOptions{Earlier: []byte{1}}, RuleLoss, "cannot be read"},
		{"no per-CPU section", sorted, LintOptions{SMP: true}, RuleNoPerCPU, ".data..percpu"},
		{"empty per-CPU section", lintOf(func(b *blob) { percpu(b, 0) }), LintOptions{Kernel: V6_1, SMP: true}, RuleNoPerCPU, ".data..percpu"},
		{"per-CPU section", lintOf(func(b *blob) { percpu(b, 1) }), LintOptions{Kernel: V6_1, SMP: true}, "", ""},
		{"one processor", sorted, LintOptions{}, "", ""},
		{"dot in a type", lintOf(func(b *blob) { b.add(b.str("a.b"), info(kStruct, 0), 4) }), LintOptions{}, RuleUnreachable, `holds '.'`},
		{"keyword", lintOf(func(b *blob) { b.ref(kTypedef, 0, "while") }), LintOptions{}, RuleUnreachable, "keyword"},
		{"flavour", lintOf(func(b *blob) { b.ref(kTypedef, 0, "a___b") }), LintOptions{}, RuleUnreachable, `flavour of "a"`},
		{"member", lintOf(func(b *blob) {
			i := b.integer("int", 4)
			b.add(b.str("s"), info(kStruct, 1), 4, b.str("a.b"), i, 0)
		}), LintOptions{}, RuleUnreachable, `cannot reach "a.b"`},
		{"enumerator", lintOf(func(b *blob) { b.add(b.str("e"), info(kEnum, 1), 4, b.str("a.b"), 0) }), LintOptions{}, RuleUnreachable, `cannot reach "a.b"`},
		{"words", lintOf(func(b *blob) { b.integer("long unsigned int", 8) }), LintOptions{}, "", ""},
		{"function", lintOf(func(b *blob) { b.add(b.str("f.isra.0"), info(kFunc, 0), b.add(0, info(kProto, 0), 0)) }), LintOptions{Kernel: V6_1}, "", ""},
		{"unsorted", lintOf(func(b *blob) { b.integer("b", 4); b.integer("a", 4) }), LintOptions{}, RuleUnsorted, "kernel 7.2"},
		{"unsorted, and the kernel does not mind", lintOf(func(b *blob) { b.integer("b", 4); b.integer("a", 4) }), LintOptions{Kernel: V6_18}, "", ""},
		{"sorted", sorted, LintOptions{}, "", ""},
		{"layout", withLayout(4, 0), LintOptions{}, RuleLayout, "up to 6.18"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Lint(tc.blob, tc.opt)
			switch {
			case tc.rule == "" && len(got) > 0:
				t.Errorf("got %v, want none", got)
			case tc.rule != "" && (len(got) != 1 || got[0].Rule != tc.rule || !strings.Contains(got[0].String(), tc.text)):
				t.Errorf("got %v, want one %s with %q", got, tc.rule, tc.text)
			}
			for _, w := range got {
				if !slices.Contains(LintRules(), w.Rule) {
					t.Errorf("rule %q is not listed", w.Rule)
				}
			}
		})
	}
}

func TestLintModule(t *testing.T) {
	base := newBlob()
	base.integer("int", 4)
	split := base.split()
	split.add(split.str("b"), info(kStruct, 1), 4, split.str("m"), 1, 0)
	split.add(split.str("a"), info(kStruct, 1), 4, split.str("m"), 1, 0)
	got := Lint(split.bytes(), LintOptions{Module: true, Base: base.bytes(), SMP: true})
	if len(got) != 1 || got[0].Rule != RuleUnsorted || got[0].TypeID != 3 {
		t.Errorf("got %v, want type 3 unsorted", got)
	}
	if got := Lint(split.bytes(), LintOptions{Module: true}); len(got) != 1 || got[0].Rule != RuleUnreadable {
		t.Errorf("without a base: got %v, want %s", got, RuleUnreadable)
	}
}

// TestLintReading: what Check has read is used for the same blob and base only, and changes no warning.
func TestLintReading(t *testing.T) {
	newBase := func() []byte {
		base := newBlob()
		base.integer("int", 4)
		return base.bytes()
	}
	wire := newBase()
	base, err := NewBase(wire, Newest, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := newBlob()
	b.integer("int", 4)
	split := b.split()
	split.add(split.str("b___x"), info(kStruct, 1), 4, split.str("m"), 1, 0)
	split.add(split.str("a"), info(kStruct, 1), 4, split.str("while"), 1, 0)
	blob := split.bytes()
	want := Lint(blob, LintOptions{Module: true, Base: wire})
	if len(want) != 3 {
		t.Fatalf("got %v, want three warnings", want)
	}
	var read Reading
	if err := Check(blob, Options{Path: Module, Checked: base, Reading: &read}); err != nil || read.c == nil {
		t.Fatalf("Check kept %v: %v", read.c, err)
	}
	kept := read.c
	kept.recs = kept.recs[:1] // as a mark
	for _, tt := range []struct {
		name string
		blob []byte
		opt  LintOptions
		want int
	}{
		{"the same", blob, LintOptions{Module: true, Checked: base, Reading: &read}, 1},
		{"a base that was read again", blob, LintOptions{Module: true, Base: wire, Reading: &read}, 3},
		{"another blob", slices.Clone(blob), LintOptions{Module: true, Checked: base, Reading: &read}, 3},
		{"nothing was kept", blob, LintOptions{Module: true, Checked: base, Reading: new(Reading)}, 3},
		{"another byte order", blob, LintOptions{Module: true, Checked: base, Reading: &read, Order: binary.BigEndian}, 1},
	} {
		got := Lint(tt.blob, tt.opt)
		if len(got) != tt.want {
			t.Errorf("%s: got %v, want %d warnings", tt.name, got, tt.want)
		}
		if tt.opt.Order != nil && got[0].Rule != RuleUnreadable {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
	var none Reading
	if err := Check(blob[:len(blob)-1], Options{Path: Module, Checked: base, Reading: &none}); err == nil || none.c != nil {
		t.Errorf("a blob that is refused was kept: %v", err)
	}
}

// TestOrdinary: a name is ordinary only if no rule has anything against it.
func TestOrdinary(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	names := append([]string{"", "a", "_", "__", "a__b", "a__", "A1", "unsigned_", "registers"}, keywords...)
	for range 20000 {
		name := make([]byte, r.IntN(7))
		for i := range name {
			name[i] = "ab_Z09 .\xe9"[r.IntN(9)]
		}
		names = append(names, string(name))
	}
	plain := 0
	for _, name := range names {
		want := hidden(name, true) == "" && !strings.Contains(name, "___")
		if got := ordinary([]byte(name)); got != want {
			t.Errorf("%q: got %t, want %t", name, got, want)
		}
		if want {
			plain++
		}
	}
	if plain < 100 {
		t.Errorf("%d names are ordinary", plain)
	}
}

func TestKeywordsAreSorted(t *testing.T) {
	if !slices.IsSorted(keywords) {
		t.Error("keywords are searched by bisection and out of order")
	}
}
