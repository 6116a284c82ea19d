package cause

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomProgram returns declarations that hold and mention each other.
func randomProgram(rng *rand.Rand) *program {
	p := newProgram()
	for i := range 2 + rng.IntN(3) {
		d := &decl{kind: "enum", name: fmt.Sprint("e", i), size: 4}
		for j := range 1 + rng.IntN(4) {
			d.members, d.values = append(d.members, member{name: fmt.Sprintf("E%d_%d", i, j)}), append(d.values, int32(j))
		}
		p.decls = append(p.decls, d)
	}
	for i := range 3 + rng.IntN(8) {
		kind := "struct"
		if rng.IntN(4) == 0 {
			kind = "union"
		}
		p.decls = append(p.decls, &decl{kind: kind, name: fmt.Sprint("s", i), members: p.randomMembers(rng, i, 1+rng.IntN(6), 2)})
		if rng.IntN(3) == 0 {
			p.decls = append(p.decls, &decl{kind: "typedef", name: fmt.Sprint("t", i), typ: p.randomType(rng, 2)})
		}
	}
	for i := range rng.IntN(6) {
		p.decls = append(p.decls, &decl{kind: "func", name: fmt.Sprint("f", i), typ: p.randomType(rng, 0), members: p.randomParams(rng)})
	}
	for i := range rng.IntN(8) {
		p.decls = append(p.decls, &decl{kind: "var", name: fmt.Sprint("v", i), typ: p.randomType(rng, 2)})
	}
	return p
}

func (p *program) randomParams(rng *rand.Rand) (list []member) {
	for j := range rng.IntN(4) {
		list = append(list, member{name: fmt.Sprint("p", j), typ: p.randomType(rng, 0)})
	}
	return list
}

// randomMembers returns members. Members of anonymous types have distinct names.
func (p *program) randomMembers(rng *rand.Rand, salt, n, depth int) (list []member) {
	for j := range n {
		m := member{name: fmt.Sprintf("m%d_%d_%d", salt, depth, j), typ: p.randomType(rng, depth)}
		switch {
		case m.typ.op == "struct" || m.typ.op == "union":
			if rng.IntN(2) == 0 {
				m.name = ""
			}
		case m.typ == intExpr && rng.IntN(2) == 0:
			m.width = 1 + uint32(rng.IntN(31))
		}
		list = append(list, m)
	}
	return list
}

// randomType returns a type made of the declarations so far.
func (p *program) randomType(rng *rand.Rand, depth int) *expr {
	switch n := rng.IntN(10); {
	case n < 2:
		return []*expr{intExpr, longExpr, charExpr}[rng.IntN(3)]
	case n < 3:
		return array(p.randomType(rng, 0), 1+uint32(rng.IntN(4)))
	case n < 5:
		return ptr(p.randomType(rng, 0))
	case n < 6 && depth > 0:
		return &expr{op: []string{"struct", "union"}[rng.IntN(2)], members: p.randomMembers(rng, rng.IntN(1000), 1+rng.IntN(3), depth-1)}
	case n < 7 && depth > 1:
		return ptr(&expr{op: "struct", members: p.randomMembers(rng, rng.IntN(1000), 1+rng.IntN(2), 0)})
	}
	d := p.decls[rng.IntN(len(p.decls))]
	for d.kind == "func" || d.kind == "var" {
		d = p.decls[rng.IntN(len(p.decls))]
	}
	return ref(d.kind, d.name)
}

// clone copies a program so that it can be changed.
func (p *program) clone() *program {
	q := &program{ptr: p.ptr}
	for _, d := range p.decls {
		e := *d
		e.members, e.values, e.tags = slices.Clone(d.members), slices.Clone(d.values), slices.Clone(d.tags)
		q.decls = append(q.decls, &e)
	}
	return q
}

// change makes one random change. The result can still be laid out: declarations hold only earlier ones.
func (p *program) change(rng *rand.Rand) {
	at := rng.IntN(len(p.decls))
	d := p.decls[at]
	before := &program{ptr: p.ptr, decls: p.decls[:max(at, 3)]}
	switch n := rng.IntN(8); {
	case d.kind == "int":
	case n == 0 && (d.kind == "func" || d.kind == "var"):
		p.decls = slices.Delete(p.decls, at, at+1)
	case n == 1 && (d.kind == "func" || d.kind == "var"):
		e := *d
		e.name, e.members = fmt.Sprint(d.name, "x", rng.IntN(1_000_000)), slices.Clone(d.members)
		p.decls = slices.Insert(p.decls, at, &e)
	case d.kind == "enum":
		i := rng.IntN(len(d.members) + 1)
		d.members = slices.Insert(d.members, i, member{name: fmt.Sprint("N", rng.IntN(100000))})
		d.values = slices.Insert(d.values, i, int32(rng.IntN(9)))
		if n == 7 {
			d.size = 8
		}
	case d.kind == "typedef" || d.kind == "var":
		d.typ = before.randomType(rng, 2)
	case n < 4 || len(d.members) == 0:
		m := member{name: fmt.Sprint("n", rng.IntN(100000)), typ: before.randomType(rng, 2)}
		d.members = slices.Insert(d.members, rng.IntN(len(d.members)+1), m)
	case n == 4:
		i := rng.IntN(len(d.members))
		d.members = slices.Delete(d.members, i, i+1)
	case n == 5:
		rng.Shuffle(len(d.members), func(i, j int) { d.members[i], d.members[j] = d.members[j], d.members[i] })
	case n == 6:
		d.members[rng.IntN(len(d.members))].name = fmt.Sprint("r", rng.IntN(100000))
	default:
		i := rng.IntN(len(d.members))
		d.members[i].typ, d.members[i].width = before.randomType(rng, 1), 0
	}
}

// differing lists the declarations that differ, by a plain comparison of their whole content, including offsets and sizes.
func differing(old, new *program) (list []string) {
	texts := func(p *program) map[string]string {
		m := map[string]string{}
		at := uint32(0)
		for _, d := range p.decls {
			text := p.plain(d)
			if d.kind == "var" && d.place != nil {
				text += fmt.Sprint(*d.place)
			} else if d.kind == "var" {
				size, align := p.declared(d, nil)
				at = (at + align - 1) / align * align
				text += fmt.Sprint(" at ", at, " size ", size)
				at += size
			}
			m[d.kind+" "+d.name] += text
		}
		if at > 0 {
			m["section .data..percpu"] = fmt.Sprint(at)
		}
		return m
	}
	a, b := texts(old), texts(new)
	for k := range a {
		if a[k] != b[k] {
			list = append(list, k)
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			list = append(list, k)
		}
	}
	slices.Sort(list)
	return list
}

// plain returns the whole content of a declaration, with the layout of all types in it.
func (p *program) plain(d *decl) string {
	text := fmt.Sprint(d.kind, " ", d.name, d.size, d.values, d.tags, d.linkage)
	if d.kind == "struct" || d.kind == "union" {
		return text + p.plainBody(d.kind, d.members, d.packed)
	}
	if d.typ != nil {
		text += p.plainType(d.typ)
	}
	for _, m := range d.members {
		text += " " + m.name
		if m.typ != nil {
			text += p.plainType(m.typ)
		}
	}
	return text
}

func (p *program) plainBody(kind string, members []member, packed bool) string {
	text := ""
	size, _ := p.body(kind, members, packed, nil, func(i int, bit uint32) {
		text += fmt.Sprintf(" {%s %s:%d@%d}", p.plainType(members[i].typ), members[i].name, members[i].width, bit)
	})
	return fmt.Sprint(kind, text, size)
}

func (p *program) plainType(e *expr) string {
	switch e.op {
	case "struct", "union":
		return p.plainBody(e.op, e.members, false)
	case "name":
		return e.kind + " " + e.name
	case "void":
		return "void"
	case "enum":
		return fmt.Sprint("enum ", e.n, e.name)
	case "proto":
		text := "proto " + p.plainType(e.of)
		for _, m := range e.members {
			text += ", " + p.plainType(m.typ)
		}
		return text
	}
	return fmt.Sprint(e.op, e.name, e.n, "(", p.plainType(e.of), ")")
}

// told lists the declarations that a comparison reports, each as often as it does.
func told(c *Comparison) (list []string) {
	for _, x := range c.Causes {
		list = append(list, string(x.Kind)+" "+x.Name)
	}
	for _, x := range c.Consequences {
		list = append(list, string(x.Kind)+" "+x.Name)
	}
	slices.Sort(list)
	return list
}

// FuzzCompare compares random programs with changed copies.
func FuzzCompare(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed, uint8(seed%9))
	}
	f.Fuzz(func(t *testing.T, seed uint64, changes uint8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		old := randomProgram(rng)
		new := old.clone()
		for range changes % 16 {
			new.change(rng)
		}
		a, b := Input{Object: old.build(nil)}, Input{Object: new.build(rng)}
		if c := Compare(a, Input{Object: old.build(rng)}, Options{}); !c.Verdict.Equal {
			t.Fatalf("a program differs from itself: %s", asJSON(c))
		}
		c := Compare(a, b, Options{})
		if got, want := told(c), differing(old, new); !slices.Equal(got, want) {
			t.Fatalf("got %q\nwant %q\n%s", got, want, asJSON(c))
		}
		checkConsequences(t, old, new, c)
		checkMirror(t, c, Compare(b, a, Options{}))
	})
}

// checkConsequences recomputes the size of every consequence from the sizes of the declarations that explain it.
func checkConsequences(t *testing.T, old, new *program, c *Comparison) {
	t.Helper()
	for _, x := range c.Consequences {
		if len(x.Roots) == 0 || len(x.Because) == 0 {
			t.Fatalf("%s %s follows from nothing", x.Kind, x.Name)
		}
		for _, id := range x.Roots {
			if id < 1 || id > len(c.Causes) {
				t.Fatalf("%s %s has no root %d", x.Kind, x.Name, id)
			}
		}
		d := old.find(string(x.Kind), x.Name)
		if d == nil || d.kind != "struct" && d.kind != "union" && d.kind != "typedef" {
			continue
		}
		replaced := map[string]uint32{}
		for _, r := range x.Because {
			if r.Size != nil {
				replaced[string(r.Kind)+" "+r.Name] = uint32(r.Size.New)
			}
		}
		// Alignments are those of the new side: BTF does not record them, and they follow from the same causes.
		got, _ := new.declared(d, withOld(old, new, replaced))
		if uint64(got) != x.Size.New {
			t.Fatalf("%s %s: %d bytes follow from what explains it, got %d: %s", x.Kind, x.Name, got, x.Size.New, asJSON(c))
		}
	}
}

// withOld returns the sizes of the old side for types that are reported as unchanged.
func withOld(old, new *program, replaced map[string]uint32) map[string]uint32 {
	for _, d := range old.decls {
		key := d.kind + " " + d.name
		if _, ok := replaced[key]; ok || d.kind == "func" || new.find(d.kind, d.name) == nil {
			continue
		}
		if d.kind == "typedef" { // a name for another type, whose size may be replaced
			continue
		}
		replaced[key], _ = old.declared(d, nil)
	}
	return replaced
}

// checkMirror compares a comparison with that of the exchanged sides.
func checkMirror(t *testing.T, c, m *Comparison) {
	t.Helper()
	got, want := mirrored(m), lines(c)
	if !slices.Equal(got, want) {
		t.Fatalf("the other way round: got also\n%s\nmissing\n%s", strings.Join(without(got, want), "\n"), strings.Join(without(want, got), "\n"))
	}
}

// without returns the lines of a list that another list lacks.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { _, ok := slices.BinarySearch(other, s); return ok })
}

var mirrorOps = map[Op]Op{Added: Removed, Removed: Added}

const anotherOfName = " (another type of this name)"

// lines returns the facts of a comparison, sorted.
func lines(c *Comparison) (list []string) {
	for _, x := range c.Causes {
		list = append(list, fmt.Sprint("cause ", x.Kind, " ", x.Name, " ", x.Op, size(x.Size), " ", x.Impact.Types, x.Impact.Funcs, x.Impact.Vars))
		for _, m := range x.Members {
			was, is := strings.TrimSuffix(m.Old, anotherOfName), strings.TrimSuffix(m.New, anotherOfName) // the order of sides decides which has it
			list = append(list, fmt.Sprint("change ", x.Name, " ", m.Part, " ", m.Path, m.OldPath, " ", m.Op, " ", was, " -> ", is))
		}
		for _, r := range x.Because {
			list = append(list, fmt.Sprint("because ", x.Name, " ", r.Name))
		}
	}
	for _, x := range c.Consequences {
		list = append(list, fmt.Sprint("consequence ", x.Kind, " ", x.Name, size(x.Size)))
	}
	slices.Sort(list)
	return list
}

func size(s *Size) string {
	if s == nil {
		return ""
	}
	return fmt.Sprint(" ", *s)
}

// mirrored returns the facts of a comparison with the sides exchanged.
func mirrored(c *Comparison) []string {
	flip := func(op Op) Op {
		if to, ok := mirrorOps[op]; ok {
			return to
		}
		return op
	}
	flipSize := func(s *Size) *Size {
		if s == nil {
			return nil
		}
		return &Size{s.New, s.Old}
	}
	m := *c
	m.Causes, m.Consequences = slices.Clone(c.Causes), slices.Clone(c.Consequences)
	for i := range m.Causes {
		x := &m.Causes[i]
		x.Op, x.Size, x.Members = flip(x.Op), flipSize(x.Size), slices.Clone(x.Members)
		for j := range x.Members {
			y := &x.Members[j]
			y.Op, y.Old, y.New = flip(y.Op), y.New, y.Old
			if y.OldPath != "" {
				y.Path, y.OldPath = y.OldPath, y.Path
			}
			if y.New == "aligned otherwise" || y.Old == "aligned otherwise" || y.Old == "aligned or packed otherwise" || y.Old == "another order" || strings.HasPrefix(y.Old, "differs inside") {
				y.Old, y.New = y.New, y.Old
			}
		}
	}
	for i := range m.Consequences {
		m.Consequences[i].Size = flipSize(m.Consequences[i].Size)
	}
	return lines(&m)
}

func asJSON(c *Comparison) string {
	text, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}
