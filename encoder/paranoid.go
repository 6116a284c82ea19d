package encoder

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// paranoid compares every type of a unit that is not added with the existing type of its class. It compares everything that the hash of the
// class covers.
func (a *assembler) paranoid(t *translate.Unit) error {
	for id := translate.LocalID(1); int(id) <= t.Types.Len(); id++ {
		if a.decided.IsNew(id) {
			continue
		}
		if !a.sameContent(t, uint32(id), uint32(a.decided.Of(id)), 0) {
			return fmt.Errorf("%w: %w", ErrCollision, t.Place.Err(0, "local type %d %q and type %d", id, a.o.Name(a.nameOf(t.Types.At(btf.ID(id)))), a.decided.Of(id)))
		}
	}
	return nil
}

// maxParanoid bounds the recursion through types without names, as for the hash.
const maxParanoid = 1 << 12

// sameContent compares a local type with a type of the object.
func (a *assembler) sameContent(t *translate.Unit, local, id uint32, depth int) bool {
	if local == 0 || id == 0 || depth > maxParanoid {
		return local == id
	}
	l, o := t.Types.At(btf.ID(local)), a.o.At(btf.ID(id))
	if len(l) != len(o) || l[1] != o[1] {
		return false
	}
	shape := btf.ShapeOf(l.Kind())
	if a.nameOf(l) != o[0] || !shape.Refers && l[2] != o[2] {
		return false
	}
	if shape.Refers && !a.sameReference(t, l[2], o[2], depth) {
		return false
	}
	if l.Kind() == btf.KindArray {
		return l[5] == o[5] && a.sameReference(t, l[3], o[3], depth)
	}
	each := int(shape.Each)
	for at := 3; at < len(l); at++ {
		var same bool
		switch i := at - 3 - int(shape.Once); {
		case i >= 0 && each > 0 && i%each == int(shape.NameAt):
			same = a.names.offset(l[at]) == o[at]
		case i >= 0 && each > 0 && i%each == int(shape.TypeAt):
			same = a.sameReference(t, l[at], o[at], depth)
		default:
			same = l[at] == o[at]
		}
		if !same {
			return false
		}
	}
	return true
}

// sameReference compares what two references contribute to the hash: kind and name of a named struct, union or enum, otherwise the content.
func (a *assembler) sameReference(t *translate.Unit, local, id uint32, depth int) bool {
	if local == 0 || id == 0 {
		return local == id
	}
	l, o := t.Types.At(btf.ID(local)), a.o.At(btf.ID(id))
	lg, og := tagGroup(l), tagGroup(o)
	if lg != 0 && l[0] != 0 {
		return lg == og && a.names.offset(l[0]) == o[0]
	}
	return a.sameContent(t, local, id, depth+1)
}

// tagGroup returns the kind that a reference to a struct, union, enum or a declaration of one contributes; 0 for all other types.
func tagGroup(r btf.Record) btf.Kind {
	switch k := r.Kind(); k {
	case btf.KindFwd:
		return r.FwdKind()
	case btf.KindEnum64:
		return btf.KindEnum
	case btf.KindStruct, btf.KindUnion, btf.KindEnum:
		return k
	}
	return 0
}
