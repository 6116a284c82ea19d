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

// The problem: when a kernel refuses a type, users want to know where in the source it comes from. Finished BTF does not say, and the question
// is so rare that recording every origin would not pay. So the units are translated again, until one has a type with the same contents.
// That type is the survivor, or one that was merged with it.

// Locate returns the place that a type of o comes from: unit, offset, source file and DIE, such as
// "CU 3: .debug_info+0x1f0: fs/inode.c: struct inode". o is the BTF that the encoder created from the image f. Locate translates the image
// again. The error is ErrNotLocated for types that no unit has.
func (e *Encoder) Locate(ctx context.Context, f *elf.File, o *btf.Object, id btf.ID) (string, error) {
	opt := e.quiet()
	l := locator{o: o, want: source(o, id)}
	if l.want == 0 {
		return "", ErrNotLocated
	}
	search := func() error {
		files := openFiles{images: []*elf.File{f}}
		defer files.close()
		return files.guarded(ctx, func() error { return l.search(ctx, f, &files, opt) })
	}
	if l.users = usersOf(o, l.want); len(l.users) > 0 {
		if err := search(); err == nil || !errors.Is(err, ErrNotLocated) {
			return l.found, err
		}
		l.users = nil
	}
	err := search()
	return l.found, err
}

// search translates the image until a unit has the type.
func (l *locator) search(ctx context.Context, f *elf.File, files *openFiles, opt *Encoder) error {
	in, err := openImage(f, opt, files, true)
	if err != nil {
		return err
	}
	p := in.plan
	if p.typeUnits != nil { // the other units refer to them
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

// LocateRefusal adds to the error cause where in the source a refused type comes from. It translates the images again. o is the result of
// Encode or EncodeAll for them, s the bytes that were refused (those of o, or a pair with a distilled base), and r the refusal. If the type
// comes from none of the images, cause is returned unchanged.
func (e *Encoder) LocateRefusal(ctx context.Context, files []*elf.File, o *btf.Object, s Sections, r *verify.Refusal, cause error) error {
	if r == nil || r.TypeID == 0 {
		return cause
	}
	if s.Base != nil { // its ids are not those of o
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

// source returns the type with a DIE that the type id belongs to: the owner of a declaration tag, the first variable of a DATASEC, or the
// last function with a prototype. Other types are returned unchanged. It is 0 if there is none, or if it is part of the base.
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

// maxSteps bounds how many references are followed from one type.
const maxSteps = 8

// usersOf returns the named types that refer to the type id if that has no name.
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
	users []btf.ID // types with names that refer to it, if it has no name
	t     *translate.Unit
	steps int // references that were followed
	found string
}

// maxCompared is the number of followed references after which the search gives up. Types without a name that contain other such types can
// need any number.
const maxCompared = 1 << 23

// units searches the units one after another.
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

// merged searches units that are translated together.
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

// position returns the offset of the wanted type's DIE in a unit.
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
	for _, user := range l.users { // several types without a name can be equal, so one that refers to it must be in the unit too
		if _, ok := l.find(user); ok {
			if pos, ok := l.find(l.want); ok {
				return pos, true
			}
		}
	}
	return 0, false
}

// find returns the offset of the first type of the unit that has the same contents as id.
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

// same reports whether a type of the object and a type of the unit have the same contents. Types that they refer to are compared by kind and
// name, and by their contents if they have no name.
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

// forwardable reports whether types of kind k can be only declared in one unit and defined in another.
func forwardable(k btf.Kind) bool {
	return k == btf.KindFwd || btf.Composites.Has(k)
}
