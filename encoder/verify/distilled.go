package verify

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Can the distilled base of a module be applied to a kernel?
//
// A distilled base holds the few types of a kernel that a module refers to. When the module is loaded, the kernel looks them up in its own
// BTF (rule 05/11). For each type of its own BTF it determines which distilled types that type matches. Each distilled type needs exactly
// one match. The index below has one key for each way to match. Every type found under a key does match, so hostile blobs with many types
// of one name cost no more than others.

// Keys of phrases for verdicts that contain names and numbers.
const (
	distilledAnonymous = "distilled type is anonymous"
	distilledKind      = "distilled type has unexpected kind"
	distilledTwice     = "distilled type has multiple candidates"
	distilledMissing   = "distilled type is not mapped"
)

var (
	distillable = btf.Kinds(btf.KindInt, btf.KindFloat, btf.KindEnum, btf.KindStruct, btf.KindUnion, btf.KindFwd)
)

// checkDistilled returns a refusal if a blob holds a type that a distilled base must not hold.
func checkDistilled(d *checker) *Refusal {
	for i := range d.recs {
		r := d.rec(d.firstID + uint32(i))
		switch {
		case !distillable.Has(r.kind):
			return d.refuse(fault{rec: &r, key: distilledKind,
				phrase: fmt.Sprintf("type [%d] in distilled based BTF has unexpected kind [%d]", r.id, r.kind)})
		case r.name == 0:
			return d.refuse(fault{rec: &r, key: distilledAnonymous,
				phrase: fmt.Sprintf("type [%d], kind [%d] is invalid for distilled base BTF; it is anonymous", r.id, r.kind)})
		}
	}
	return nil
}

// A sameness says which properties of a kernel's type must equal those of a distilled type, in addition to the name.
type sameness uint8

const (
	sameInt      sameness = iota // size and encoding
	sameFloat                    // size
	sameEnum                     // size
	sameSize                     // size of a struct or union whose name is not unique in the kernel
	sameEmbedded                 // size of a struct or union that another one holds by value
	sameName                     // nothing else, for any other struct or union
	sameFlag                     // kind flag of a forward declaration
)

type likeness struct {
	name string
	like sameness
	size uint32
	flag uint32
}

// relocate looks up every distilled type in the base.
func relocate(split, distilled, base *checker) *Refusal {
	index := indexDistilled(distilled, embedded(split, distilled))
	names := map[string]bool{}
	for key := range index {
		names[key.name] = true
	}
	// The kernel counts structs and unions by the offset of their name, so a string stored twice counts as two names.
	count := map[uint32]int{}
	for i := range base.recs {
		r := base.rec(base.firstID + uint32(i))
		if btf.Composites.Has(r.kind) {
			count[r.name]++
		}
	}
	to := make([]uint32, len(distilled.recs))
	for i := range base.recs {
		r := base.rec(base.firstID + uint32(i))
		if r.name == 0 || !distillable.Has(r.kind) && r.kind != btf.KindEnum64 {
			continue
		}
		name := base.text(r.name)
		if !names[name] {
			continue
		}
		for _, key := range likenesses(base, &r, name, count[r.name]) {
			for _, id := range index[key] {
				at := &to[id-distilled.firstID]
				if *at != 0 {
					return distilled.twice(id, *at, &r)
				}
				*at = r.id
			}
		}
	}
	for i, id := range to {
		if id == 0 {
			r := distilled.rec(distilled.firstID + uint32(i))
			return distilled.refuse(fault{rec: &r, key: distilledMissing, phrase: fmt.Sprintf(
				"distilled base BTF type '%s' [%d] is not mapped to base BTF id", distilled.text(r.name), r.id)})
		}
	}
	return nil
}

// twice refuses a distilled type that matches two types of the base.
func (c *checker) twice(id, earlier uint32, other *record) *Refusal {
	r := c.rec(id)
	return c.refuse(fault{rec: &r, key: distilledTwice, phrase: fmt.Sprintf(
		"distilled base BTF type '%s' [%d], size %d has multiple candidates of the same size (ids [%d, %d]) in base BTF",
		c.text(r.name), r.id, other.third, other.id, earlier)})
}

// indexDistilled lists every distilled type under the keys by which it is found.
func indexDistilled(d *checker, embedded []bool) map[likeness][]uint32 {
	index := map[likeness][]uint32{}
	put := func(id uint32, key likeness) { index[key] = append(index[key], id) }
	for i := range d.recs {
		r := d.rec(d.firstID + uint32(i))
		key := likeness{name: d.text(r.name), size: r.third}
		switch r.kind {
		case btf.KindInt:
			key.like, key.flag = sameInt, d.integer(&r).encoding
			put(r.id, key)
		case btf.KindFloat:
			key.like = sameFloat
			put(r.id, key)
		case btf.KindEnum:
			key.like = sameEnum
			put(r.id, key)
		case btf.KindFwd:
			put(r.id, likeness{name: key.name, like: sameFlag, flag: flag(&r)})
		default: // struct or union
			key.like = sameSize
			put(r.id, key)
			if embedded[i] {
				key.like = sameEmbedded
			} else {
				key = likeness{name: key.name, like: sameName}
			}
			put(r.id, key)
		}
	}
	return index
}

// likenesses returns the keys of the distilled types that a type of the base matches. The kernel does not compare kinds if the distilled
// type is a struct or a union.
func likenesses(base *checker, r *record, name string, count int) []likeness {
	size := r.third
	bySize := likeness{name: name, like: sameSize, size: size}
	byName := []likeness{{name: name, like: sameName}, {name: name, like: sameEmbedded, size: size}}
	switch r.kind {
	case btf.KindInt:
		return []likeness{bySize, {name: name, like: sameInt, size: size, flag: base.integer(r).encoding}}
	case btf.KindFloat:
		return []likeness{bySize, {name: name, like: sameFloat, size: size}}
	case btf.KindEnum, btf.KindEnum64:
		return []likeness{bySize, {name: name, like: sameEnum, size: size}}
	case btf.KindFwd:
		return append(byName, likeness{name: name, like: sameFlag, flag: flag(r)})
	}
	keys := byName
	if count > 1 {
		keys = []likeness{bySize}
	}
	// A forward declaration is compared by the kind flag. In a struct this flag means that it has bit fields: so a struct with bit fields
	// never matches, and a union matches only with them.
	if (r.kind == btf.KindUnion) == r.kflag {
		keys = append(keys, likeness{name: name, like: sameFlag, flag: flag(r)})
	}
	return keys
}

func flag(r *record) uint32 {
	if r.kflag {
		return 1
	}
	return 0
}

// embedded marks the distilled types that a struct or union of the module holds by value, through modifiers or in arrays.
func embedded(split, distilled *checker) []bool {
	in := make([]bool, len(distilled.recs))
	walked := make([]bool, len(split.recs)) // the walk from these types is done
	for i := range split.recs {
		r := split.rec(split.firstID + uint32(i))
		if !btf.Composites.Has(r.kind) {
			continue
		}
		for m := range r.vlen {
			id := split.child(&r, m).b
			for id >= split.firstID && split.exists(id) && !walked[id-split.firstID] {
				t := split.rec(id)
				switch {
				case btf.Modifiers.Has(t.kind):
					walked[id-split.firstID] = true
					id = t.third
				case t.kind == btf.KindArray:
					walked[id-split.firstID] = true
					id = split.array(&t).elem
				default:
					id = 0
				}
			}
			if id >= distilled.firstID && id < split.firstID {
				in[id-distilled.firstID] = true
			}
		}
	}
	return in
}
