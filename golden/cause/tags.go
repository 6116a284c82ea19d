package cause

import (
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A tag is a DECL_TAG: a text attached to a declaration, to one of its members or to one of its parameters.
type tag struct {
	target    uint32
	component int32 // -1 for the declaration itself
	name      uint32
}

// A tagIndex finds the tags of a type. They are sorted by target and component.
type tagIndex struct {
	list []tag
	on   []uint64 // by id, a bit: the type has tags
}

// indexTags collects the own tags of an object.
func indexTags(o *btf.Object) tagIndex {
	var x tagIndex
	for id := o.First(); id < o.End(); id++ {
		if r := o.At(id); r.Kind() == btf.KindDeclTag && uint64(r[2]) < uint64(o.End()) {
			x.list = append(x.list, tag{r[2], max(int32(r[3]), -1), r.Name()})
		}
	}
	if x.list == nil {
		return x
	}
	x.on = make([]uint64, o.End()/64+1)
	for _, t := range x.list {
		x.on[t.target/64] |= 1 << (t.target % 64)
	}
	slices.SortStableFunc(x.list, func(a, b tag) int {
		if a.target != b.target {
			return int(int64(a.target) - int64(b.target))
		}
		return int(int64(a.component) - int64(b.component))
	})
	return x
}

// has reports whether a type, or a part of it, has a tag.
func (x *tagIndex) has(id uint32) bool { return x.on != nil && x.on[id/64]>>(id%64)&1 != 0 }

// of returns the tags of one component of a type.
func (x *tagIndex) of(id uint32, component int32) []tag {
	if !x.has(id) {
		return nil
	}
	from, _ := slices.BinarySearchFunc(x.list, tag{id, component, 0}, func(a, b tag) int {
		if a.target != b.target {
			return int(int64(a.target) - int64(b.target))
		}
		return int(int64(a.component) - int64(b.component))
	})
	to := from
	for to < len(x.list) && x.list[to].target == id && x.list[to].component == component {
		to++
	}
	return x.list[from:to]
}

// hash returns a hash of the tags of a component that does not depend on their order, or 0 if there are none.
func (x *tagIndex) hash(s *side, id uint32, component int32) (h uint64) {
	for _, t := range x.of(id, component) {
		h += mix(s.name(t.name), 7) | 1
	}
	return h
}

// names returns the texts of the tags of a component, sorted.
func (x *tagIndex) names(s *side, id uint32, component int32) (list []string) {
	for _, t := range x.of(id, component) {
		list = append(list, string(s.text(t.name)))
	}
	slices.Sort(list)
	return list
}
