package distill

import (
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// ErrNoBase is the error of Distill for an object that is not split.
var ErrNoBase = errors.New("the object has no base")

// Distill makes the distilled base of a split object, and the split object that continues it (rule 03/14). split is not changed.
//
// The base gets the types that the split types reach without entering a named struct or union: integers, floats and forwards whole;
// named structs, unions and enums as name and size only. The other types that they reach cannot be found by name: they are added to
// the new split object, after its own types.
func Distill(split *btf.Object) (base, newSplit *btf.Object, err error) {
	if split.Base == nil {
		return nil, nil, ErrNoBase
	}
	d := &distiller{split: split, first: uint32(split.First()), ids: make([]uint32, split.First())}
	for id, r := range split.All() {
		if err := d.mark(r); err != nil {
			return nil, nil, fmt.Errorf("type %d: %w", id, err)
		}
	}
	base = btf.New(split.Order, nil)
	d.fill(base, inBase)
	newSplit = btf.New(split.Order, base)
	// Own types keep their order, so all ids of theirs move by the same distance.
	d.shift = d.first - uint32(base.End())
	for _, r := range split.All() {
		d.copy(newSplit, r)
	}
	d.fill(newSplit, inSplit)
	// Below this line every marked type has its id.
	d.renumber(newSplit)
	return base, newSplit, nil
}

type distiller struct {
	split *btf.Object
	first uint32   // id of the first own type, one that the split object itself holds
	ids   []uint32 // by id in the old base: marked, later the id in the new pair; 0 for a type that is not reached
	shift uint32   // how far own ids move down
	todo  []uint32 // scratch of mark
}

// marked is the entry of a reached type that has no new id yet.
const marked = ^uint32(0)

// mark marks the base types that a record reaches. It keeps a list of types whose references have yet to be followed, instead of calling
// itself: a base may nest types as deep as it has types.
func (d *distiller) mark(r btf.Record) (err error) {
	d.todo = d.todo[:0]
	for {
		r.References(func(ref *uint32) {
			if err == nil {
				err = d.reach(*ref)
			}
		})
		n := len(d.todo) - 1
		if err != nil || n < 0 {
			return err
		}
		r, _ = d.split.Record(btf.ID(d.todo[n]))
		d.todo = d.todo[:n]
	}
}

// reach marks the type of a reference, if it is in the base.
func (d *distiller) reach(id uint32) error {
	if id >= uint32(d.split.End()) {
		return fmt.Errorf("refers to type %d of %d", id, d.split.End())
	}
	if id == 0 || id >= d.first || d.ids[id] == marked {
		return nil
	}
	t, _ := d.split.Record(btf.ID(id))
	if placeOf(t) == nowhere {
		return fmt.Errorf("refers to type %d of the base, a %s, which cannot be distilled", id, t.Kind())
	}
	d.ids[id] = marked
	if !btf.Composites.Has(t.Kind()) || t.Name() == 0 {
		d.todo = append(d.todo, id)
	}
	return nil
}

// A place is where a reached base type goes.
type place uint8

const (
	nowhere place = iota
	inBase
	inSplit
)

const (
	bare    = btf.KindSet(1<<btf.KindInt | 1<<btf.KindFloat | 1<<btf.KindFwd) // always have a name to be found by
	named   = btf.Composites | btf.Enums                                      // found by name if they have one
	carried = bare | named | btf.References | 1<<btf.KindArray | 1<<btf.KindFuncProto
)

// placeOf returns where a base type goes: into the new base if it can be found there by name, otherwise after the split types.
func placeOf(r btf.Record) place {
	switch k := r.Kind(); {
	case !carried.Has(k):
		return nowhere
	case bare.Has(k), named.Has(k) && r.Name() != 0:
		return inBase
	}
	return inSplit
}

// fill adds the marked base types of one place to o, in the order of their ids, and records their new ids.
func (d *distiller) fill(o *btf.Object, p place) {
	for id := range d.first {
		if d.ids[id] != marked {
			continue
		}
		r, _ := d.split.Record(btf.ID(id))
		if placeOf(r) != p {
			continue
		}
		d.ids[id] = uint32(o.End())
		switch k := r.Kind(); {
		case p == inSplit || k == btf.KindInt || k == btf.KindFloat || k == btf.KindFwd:
			d.copy(o, r)
		case btf.Composites.Has(k):
			o.Append(d.name(o, r.Name()), btf.Info(k, 0, false), r.Size())
		default: // an ENUM64 becomes an ENUM as well
			o.Append(d.name(o, r.Name()), btf.Info(btf.KindEnum, 0, false), r.Size())
		}
	}
}

// copy adds a whole record, with its old references.
func (d *distiller) copy(o *btf.Object, r btf.Record) {
	o.Append(r...)
	o.Last().StringOffsets(func(off *uint32) { *off = d.name(o, *off) })
}

func (d *distiller) name(o *btf.Object, off uint32) uint32 {
	s, _ := d.split.Strings.Get(off)
	return o.Strings.Add(s)
}

// renumber rewrites the references of the new split object.
func (d *distiller) renumber(o *btf.Object) {
	for _, r := range o.All() {
		r.References(func(ref *uint32) {
			if *ref >= d.first {
				*ref -= d.shift
			} else {
				*ref = d.ids[*ref]
			}
		})
	}
}
