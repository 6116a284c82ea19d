package encoder

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// Where a type of finished BTF comes from is asked when a kernel refuses it, and hardly ever else. Nothing is remembered for that: the
// units are translated once more, until one has a type of the same contents. That is the one which survived, or one that was merged
// with it.

// Locate tells where a type of o comes from, which the encoder made of the image f: unit, offset, source file and DIE, such as
// "CU 3: .debug_info+0x1f0: fs/inode.c: struct inode". It translates the image once more. The error is ErrNotLocated for types that
// no unit has.
func (e *Encoder) Locate(ctx context.Context, f *elf.File, o *btf.Object, id btf.ID) (string, error) {
	opt := e.quiet()
	l := locator{o: o, want: source(o, id)}
	if l.want == 0 {
		return "", ErrNotLocated
	}
	if l.users = usersOf(o, l.want); len(l.users) > 0 {
		if err := l.search(ctx, f, opt); err == nil || !errors.Is(err, ErrNotLocated) {
			return l.found, err
		}
		l.users = nil
	}
	err := l.search(ctx, f, opt)
	return l.found, err
}

// search translates the image.
func (l *locator) search(ctx context.Context, f *elf.File, opt *Encoder) error {
	var beside openFiles
	defer beside.close()
	in, err := openImage(f, opt, &beside, true)
	if err != nil {
		return explained(err)
	}
	p := in.plan
	if p.typeUnits != nil { // the others refer to them
		err = l.merged(ctx, in, p.typeUnits)
	}
	if p.merged == nil && err == nil && l.found == "" {
		if err = l.units(ctx, in); errors.Is(err, errMustMerge) {
			p, err = p.revised(in, err)
		}
	}
	if p.merged != nil && err == nil && l.found == "" {
		err = l.merged(ctx, in, p.merged)
	}
	if err == nil && l.found == "" {
		err = ErrNotLocated
	}
	return err
}

// LocateRefusal adds to an error which place in the source the type comes from that a kernel refuses. The images are translated once more
// for that. o is what Encode or EncodeAll made of them, s the bytes that were refused (those of o, or a pair with a distilled base), r the
// refusal, and cause the error to add to. If the type comes from none of the images, cause is returned as it is.
func (e *Encoder) LocateRefusal(ctx context.Context, files []*elf.File, o *btf.Object, s Sections, r *verify.Refusal, cause error) error {
	if r == nil || r.TypeID == 0 {
		return cause
	}
	if s.Base != nil { // other ids
		base, err := btf.Parse(s.Base, nil)
		if err == nil {
			o, err = btf.Parse(s.BTF, base)
		}
		if err != nil {
			return cause
		}
	}
	id := btf.ID(r.TypeID)
	if r.Kind == btf.KindDatasec && r.Offset+4 <= uint64(len(s.BTF)) { // an entry begins with its variable
		if v := btf.ID(files[0].Order.Uint32(s.BTF[r.Offset:])); o.Own(v) && o.At(v).Kind() == btf.KindVar {
			id = v
		}
	}
	for _, f := range files {
		if from, err := e.Locate(ctx, f, o, id); err == nil {
			return fmt.Errorf("%w; it comes from %s", cause, from)
		}
	}
	return cause
}

// source is the type that has a DIE of its own, where id is of one that stands for others; 0 where there is none, or that is of a base.
func source(o *btf.Object, id btf.ID) btf.ID {
	for range maxSteps {
		if !o.Own(id) {
			return 0
		}
		switch r := o.At(id); r.Kind() {
		case btf.KindDeclTag:
			id = r.Type()
		case btf.KindDatasec:
			if r.Vlen() == 0 {
				return 0
			}
			id = btf.ID(r.Elem(0)[0])
		case btf.KindFuncProto:
			user := id
			for n, f := range o.All() {
				if f.Kind() == btf.KindFunc && f.Type() == id {
					user = n
				}
			}
			return user
		default:
			return id
		}
	}
	return 0
}

// maxSteps bounds the steps from one type to another.
const maxSteps = 8

// usersOf are the types that refer to one without a name.
func usersOf(o *btf.Object, id btf.ID) (users []btf.ID) {
	if o.At(id).Name() != 0 {
		return nil
	}
	for n, r := range o.All() {
		r.References(func(ref *uint32) {
			if btf.ID(*ref) == id && r.Name() != 0 {
				users = append(users, n)
			}
		})
	}
	return users
}

// A locator looks for one type.
type locator struct {
	o     *btf.Object
	want  btf.ID
	users []btf.ID // types with names that refer to it, where it has none
	t     *translate.Unit
	steps int // from a type to those that it refers to
	found string
}

// maxCompared is how many steps are taken before nothing is found any more. Types without a name that hold others without one can lead
// to any number.
const maxCompared = 1 << 23

// units looks into one unit after the other.
func (l *locator) units(ctx context.Context, in *image) error {
	var w worker
	var u unit
	opt := in.translateOptions(ctx, false)
	for r := in.d.Units(); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := r.Next(&w.raw)
		if err != nil || !more {
			return err
		}
		if err := w.translate(in, opt, &u); err != nil {
			return err
		}
		if u.skip {
			continue
		}
		if pos, ok := l.position(&u.types, &w.subs); ok {
			l.found = u.types.Place.Describe(int(pos))
			return nil
		}
	}
}

// merged looks into units that are translated as one.
func (l *locator) merged(ctx context.Context, in *image, m *dwarf.MergedUnits) error {
	var w worker
	var u unit
	if _, err := w.tr.Merged(m, &in.d.Strings, in.leftOutOfMerged, in.translateOptions(ctx, false), &u.types, &w.subs); err != nil {
		return err
	}
	if pos, ok := l.position(&u.types, &w.subs); ok {
		l.found = m.Describe(pos)
	}
	return nil
}

// position is the offset of the DIE in a unit.
func (l *locator) position(t *translate.Unit, fs *translate.Subprograms) (pos dwarf.Offset, ok bool) {
	l.t = t
	r := l.o.At(l.want)
	name := l.o.Name(r.Name())
	switch r.Kind() {
	case btf.KindFunc:
		base, _, _ := strings.Cut(name, ".")
		for i := range fs.Funcs {
			if f := &fs.Funcs[i]; f.Elf >= 0 && !f.Decl && l.text(uint32(f.Name)) == base {
				return f.Off, true
			}
		}
		return 0, false
	case btf.KindVar:
		for i := range t.Vars {
			if l.text(uint32(t.Vars[i].Name)) == name {
				return t.Vars[i].Off, true
			}
		}
		return 0, false
	}
	if len(l.users) == 0 {
		return l.find(l.want)
	}
	for _, user := range l.users { // what has no name is told from its like by who refers to it
		if _, ok := l.find(user); ok {
			if pos, ok := l.find(l.want); ok {
				return pos, true
			}
		}
	}
	return 0, false
}

// find is the offset of the first type of the unit that has the contents of id.
func (l *locator) find(id btf.ID) (pos dwarf.Offset, ok bool) {
	for i := range l.t.Types.Len() {
		if l.same(id, translate.LocalID(i)+1, 0) {
			return dwarf.Offset(l.t.Dies[i+1].Off), l.t.Dies[i+1].Off != 0
		}
	}
	return 0, false
}

func (l *locator) text(key uint32) string {
	return string(l.t.Strings.Append(nil, dwarf.StrKey(key)))
}

// same reports whether a type of the object has the contents of one of the unit. Types that these refer to are compared by kind and name,
// and those without a name by their contents.
func (l *locator) same(id btf.ID, local translate.LocalID, depth int) bool {
	if depth > 0 {
		if l.steps++; l.steps > maxCompared {
			return false
		}
	}
	if id == 0 || local == 0 || depth > maxSteps {
		return (id == 0) == (local == 0) || depth > maxSteps
	}
	r, ok := l.o.Record(id)
	if !ok {
		return false
	}
	q := l.t.Types.At(btf.ID(local))
	name := l.o.Name(r.Name())
	if name != l.text(q.Name()) {
		return false
	}
	if depth > 0 && name != "" && forwardable(r.Kind()) && forwardable(q.Kind()) {
		return true
	}
	if r[1] != q[1] {
		return false
	}
	shape := btf.ShapeOf(r.Kind())
	switch {
	case r.Kind() == btf.KindArray:
		return r[5] == q[5] && l.same(btf.ID(r[3]), translate.LocalID(q[3]), depth+1)
	case shape.Refers && !l.same(btf.ID(r[2]), translate.LocalID(q[2]), depth+1):
		return false
	case !shape.Refers && r[2] != q[2] && r.Kind() != btf.KindFwd:
		return false
	case depth > 0 && name != "":
		return true
	}
	for i := range r.Vlen() {
		a, b := r.Elem(i), q.Elem(i)
		for k := range a {
			switch int8(k) {
			case shape.NameAt:
				ok = l.o.Name(a[k]) == l.text(b[k])
			case shape.TypeAt:
				ok = l.same(btf.ID(a[k]), translate.LocalID(b[k]), depth+1)
			default:
				ok = a[k] == b[k]
			}
			if !ok {
				return false
			}
		}
	}
	return true
}

// forwardable: what stands for a struct or union in one unit may be declared in another.
func forwardable(k btf.Kind) bool {
	return k == btf.KindFwd || btf.Composites.Has(k)
}
