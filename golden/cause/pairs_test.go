package cause

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
)

// The pairs of corpus/pairs, whose layout is that of real compilers, have to pass the same checks as random programs. A reader turns BTF
// back into a program. The layout of this program by C's rules must be that of the BTF, so that both implementations agree on what they
// compare.

const pairs = "../../corpus/pairs"

// encodePair encodes an image of a pair. If sorted is set, the ids differ and the meaning is the same.
func encodePair(t *testing.T, path string, sorted bool) *btf.Object {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	res, err := encoder.Encode(context.Background(), f, encoder.Options{SortByName: sorted})
	if err != nil {
		t.Fatal(err)
	}
	return res.Object
}

func TestPairs(t *testing.T) {
	images, err := filepath.Glob(pairs + "/*/*-old.elf")
	if err != nil || len(images) < 60 {
		t.Fatalf("got %d images, %v", len(images), err)
	}
	for _, image := range images {
		t.Run(strings.TrimPrefix(strings.TrimSuffix(image, "-old.elf"), pairs+"/"), func(t *testing.T) {
			newImage := strings.TrimSuffix(image, "old.elf") + "new.elf"
			a, b := Input{Object: encodePair(t, image, false)}, Input{Object: encodePair(t, newImage, false)}
			for path, in := range map[string]Input{image: a, newImage: b} {
				if c := Compare(in, Input{Object: encodePair(t, path, true)}, Options{}); !c.Verdict.Equal {
					t.Errorf("%s differs from itself in another order: %s", path, asJSON(c))
				}
			}
			c := Compare(a, b, Options{})
			old, new := readPrograms(t, a.Object, b.Object)
			if got, want := told(c), differing(old, new); !slices.Equal(got, want) {
				t.Errorf("got %q\nwant %q\n%s", got, want, asJSON(c))
			}
			checkConsequences(t, old, new, c)
			checkPlaces(t, old, new, c)
			checkMirror(t, c, Compare(b, a, Options{}))
		})
	}
}

// checkPlaces recomputes the places of variables that follow from others: each moves by the changes of the variables that explain it, and
// of those before them, rounded up to an alignment.
func checkPlaces(t *testing.T, old, new *program, c *Comparison) {
	t.Helper()
	for _, x := range c.Consequences {
		if x.Kind != Var {
			continue
		}
		o, n := old.find("var", x.Name), new.find("var", x.Name)
		if o.place[0] == n.place[0] {
			continue
		}
		moved := false
		for _, r := range x.Because {
			if r.Kind != Var { // its own type grew, and compilers may align it differently
				moved = moved || r.Size.Delta() != 0
				continue
			}
			before, after := old.find("var", r.Name), new.find("var", r.Name)
			if before != nil && before.place[0] < o.place[0] || after != nil && after.place[0] < n.place[0] {
				moved = true
			}
		}
		if !moved {
			t.Errorf("var %s: nothing that is said to explain it lies in front of it: %s", x.Name, asJSON(c))
		}
	}
}

// A reader reads a program from BTF.
type reader struct {
	t      *testing.T
	o      *btf.Object
	others map[string]bool // the bodies of the other side, for names with several on a side
}

// readPrograms reads both sides. If a name has several bodies, a reference to one that the other side lacks includes the body.
func readPrograms(t *testing.T, old, new *btf.Object) (a, b *program) {
	t.Helper()
	r := []*reader{{t: t, o: old}, {t: t, o: new}}
	bodies := []map[string][]string{r[0].bodies(), r[1].bodies()}
	for i := range r {
		r[i].others = map[string]bool{}
		for key := range bodies[i] {
			if max(len(bodies[i][key]), len(bodies[1-i][key])) > 1 {
				r[i].others[key] = true
				for _, body := range bodies[1-i][key] {
					r[i].others[body] = true
				}
			}
		}
	}
	return r[0].program(), r[1].program()
}

func (r *reader) text(off uint32) string {
	text, _ := r.o.Strings.Get(off)
	return string(text)
}

func (r *reader) at(id uint32) btf.Record { return r.o.At(btf.ID(id)) }

// bodies spells the structs and unions of each name.
func (r *reader) bodies() map[string][]string {
	m := map[string][]string{}
	for _, rec := range r.o.All() {
		if btf.Composites.Has(rec.Kind()) && rec.Name() != 0 {
			key := kindWord(rec) + " " + r.text(rec.Name())
			m[key] = append(m[key], r.bodyText(rec))
		}
	}
	return m
}

func (r *reader) bodyText(rec btf.Record) string {
	return kindWord(rec) + " " + r.text(rec.Name()) + spellMembers(r.members(rec, 0))
}

func kindWord(rec btf.Record) string {
	switch rec.Kind() {
	case btf.KindStruct:
		return "struct"
	case btf.KindUnion:
		return "union"
	case btf.KindFwd:
		return map[bool]string{false: "struct", true: "union"}[rec.Kflag()]
	case btf.KindEnum, btf.KindEnum64:
		return "enum"
	case btf.KindTypedef:
		return "typedef"
	case btf.KindInt:
		return "int"
	case btf.KindFunc:
		return "func"
	case btf.KindVar:
		return "var"
	}
	return ""
}

// tags are the tags of a declaration, or of a member or parameter of it.
func (r *reader) tags(id btf.ID, component int) (list []string) {
	for _, rec := range r.o.All() {
		if rec.Kind() == btf.KindDeclTag && rec.Type() == id && int(int32(rec[3])) == component {
			list = append(list, r.text(rec.Name()))
		}
	}
	slices.Sort(list)
	return list
}

// members are those of a struct or union; with its id, their tags are part of their names.
func (r *reader) members(rec btf.Record, id btf.ID) (list []member) {
	for i := range rec.Vlen() {
		e := rec.Elem(i)
		_, width := btf.MemberOffset(e[2], rec.Kflag())
		m := member{name: r.text(e[0]), typ: r.typ(e[1]), width: width}
		if id != 0 {
			m.name += strings.Join(r.tags(id, i), ",")
		}
		list = append(list, m)
	}
	return list
}

// enumerators are those of an enum, with their values in their names.
func (r *reader) enumerators(rec btf.Record) (list []member) {
	for i := range rec.Vlen() {
		e := rec.Elem(i)
		list = append(list, member{name: fmt.Sprint(r.text(e[0]), " = ", e[1:])})
	}
	return list
}

// typ reads a type, with the named ones in it by name.
func (r *reader) typ(id uint32) *expr {
	if id == 0 {
		return &expr{op: "void"}
	}
	rec := r.at(id)
	switch k := rec.Kind(); k {
	case btf.KindPtr:
		return ptr(r.typ(rec[2]))
	case btf.KindArray:
		return array(r.typ(rec[3]), rec[5])
	case btf.KindConst, btf.KindVolatile, btf.KindRestrict:
		op := map[btf.Kind]string{btf.KindConst: "const", btf.KindVolatile: "volatile", btf.KindRestrict: "restrict"}[k]
		return &expr{op: op, of: r.typ(rec[2])}
	case btf.KindTypeTag:
		return &expr{op: "tag", name: r.text(rec.Name()), of: r.typ(rec[2])}
	case btf.KindFuncProto:
		return r.proto(rec, 0)
	case btf.KindEnum, btf.KindEnum64:
		if rec.Name() == 0 {
			return &expr{op: "enum", n: rec[2], name: fmt.Sprint(r.enumerators(rec), rec.Kflag())}
		}
	case btf.KindStruct, btf.KindUnion:
		if rec.Name() == 0 {
			return &expr{op: kindWord(rec), members: r.members(rec, 0)}
		}
	}
	word := kindWord(rec)
	if word == "" || rec.Name() == 0 {
		r.t.Fatalf("type %d of kind %s cannot be part of another", id, rec.Kind())
	}
	e := ref(word, r.text(rec.Name()))
	if r.others[word+" "+e.name] {
		if body := r.bodyText(rec); !r.others[body] {
			return &expr{op: "const", name: body, of: e} // another one of this name
		}
	}
	return e
}

// proto reads a prototype; with the id of a function, tags are part of the parameters' names.
func (r *reader) proto(rec btf.Record, function btf.ID) *expr {
	e := &expr{op: "proto", of: r.typ(rec[2])}
	for i := range rec.Vlen() {
		p := rec.Elem(i)
		m := member{name: r.text(p[0]), typ: r.typ(p[1])}
		if function != 0 {
			m.name += strings.Join(r.tags(function, i), ",")
		}
		e.members = append(e.members, m)
	}
	return e
}

// program reads everything, and checks that C's rules give the same layout.
func (r *reader) program() *program {
	r.t.Helper()
	p := &program{ptr: 8}
	places := map[uint32]*[2]uint32{}
	var bodies []*decl
	for id, rec := range r.o.All() {
		d := &decl{kind: kindWord(rec), name: r.text(rec.Name()), tags: r.tags(id, -1)}
		switch rec.Kind() {
		case btf.KindInt:
			if d.size = rec[2]; rec[3] != 8*d.size {
				d.values = []int32{int32(rec[3])} // signed and so on
			}
		case btf.KindEnum, btf.KindEnum64:
			if d.name == "" {
				continue
			}
			d.size = rec[2]
			d.members = r.enumerators(rec)
			if rec.Kflag() {
				d.tags = append(d.tags, "signed")
			}
		case btf.KindStruct, btf.KindUnion:
			if d.name == "" {
				continue
			}
			d.members = r.members(rec, id)
			bodies = append(bodies, d)
		case btf.KindFwd:
			d.tags = append(d.tags, "only declared")
		case btf.KindTypedef:
			d.typ = r.typ(rec[2])
		case btf.KindFunc:
			proto := r.proto(r.at(rec[2]), id)
			d.typ, d.members, d.linkage = proto.of, proto.members, uint32(rec.Vlen())
		case btf.KindVar:
			d.typ, d.linkage, d.place = r.typ(rec[2]), rec[3], new([2]uint32)
			places[uint32(id)] = d.place
		case btf.KindDatasec:
			d.kind, d.size = "section", rec[2]
			for i := range rec.Vlen() {
				e := rec.Elem(i)
				*places[e[0]] = [2]uint32{e[1], e[2]}
			}
		default:
			continue
		}
		d.id = id
		p.decls = append(p.decls, d)
	}
	for len(bodies) > 0 { // types held by value come before the types that hold them
		rest := slices.DeleteFunc(slices.Clone(bodies), func(d *decl) bool { return r.lay(p, d) })
		if len(rest) == len(bodies) {
			r.t.Fatalf("C's rules do not give the layout of %s %s", rest[0].kind, rest[0].name)
		}
		bodies = rest
	}
	return p
}

// lay finds the attributes with which C's rules give the layout of a struct or union: none, packed, or members with a larger alignment than
// their types need. It reports whether there are such attributes.
func (r *reader) lay(p *program, d *decl) bool {
	rec := r.o.At(d.id)
	// wrong is the index of the first member with a wrong offset, the number of members if the size is wrong, or -1.
	wrong := func() int {
		at := -1
		size, _ := p.body(d.kind, d.members, d.packed, nil, func(i int, bit uint32) {
			if off, _ := btf.MemberOffset(rec.Elem(i)[2], rec.Kflag()); off != bit && at < 0 {
				at = i
			}
		})
		if at < 0 && size != rec[2] {
			at = len(d.members)
		}
		return at
	}
	for _, d.packed = range []bool{false, true, false} {
		if wrong() < 0 {
			break
		}
	}
	const most = 4096
	i := wrong()
	for ; i >= 0 && i < len(d.members) && d.members[i].typ.align < most; i = wrong() {
		d.members[i].typ.align = max(2*d.members[i].typ.align, 2)
	}
	if i < 0 {
		return true
	}
	for i := range d.members {
		d.members[i].typ.align = 0
	}
	return false
}

// TestReader checks the reader itself: reading the BTF of a program gives that program.
func TestReader(t *testing.T) {
	p := newProgram(
		&decl{kind: "struct", name: "s", members: []member{{name: "a", typ: intExpr, width: 3}, {name: "b", typ: longExpr}, {typ: &expr{op: "union", members: []member{{name: "c", typ: ptr(charExpr)}}}}}},
		&decl{kind: "typedef", name: "t", typ: array(ref("struct", "s"), 3)},
		&decl{kind: "func", name: "f", typ: intExpr, members: []member{{name: "x", typ: ptr(&expr{op: "const", of: ref("typedef", "t")})}}},
	)
	o := p.build(nil)
	got, _ := readPrograms(t, o, o)
	if list := differing(p, got); len(list) > 0 {
		t.Errorf("got %q, want no difference", list)
	}
}
