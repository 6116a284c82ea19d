package dump

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// driving yields the types to request, in order.
func (p *cPrinter) driving(opt COptions) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		switch {
		case opt.Roots != nil:
			for _, id := range opt.Roots {
				if int(id) < len(p.rec) && !yield(uint32(id)) {
					return
				}
			}
		case opt.Unsorted:
			for id := uint32(1); int(id) < len(p.rec); id++ {
				if !yield(id) {
					return
				}
			}
		default:
			// bpftool's list includes void, but bpftool skips the first entry of the sorted list, not void. So the type that sorts first is
			// printed only if another one needs it.
			for _, t := range p.sorted()[1:] {
				if !yield(t.id) {
					return
				}
			}
		}
	}
}

// A sortKey is the key by which types are sorted.
type sortKey struct {
	rank      int
	sort, own string
	hash      uint64
	id        uint32
}

// The ranks of types in the order of printing.
const (
	rankAnonymousEnum = iota
	rankEnum
	rankNumber
	rankStruct
	rankPrototype
	rankOther = 10
)

func (p *cPrinter) sorted() []sortKey {
	list := make([]sortKey, len(p.rec))
	for i := range list {
		if p.err != nil {
			return list[:1]
		}
		id := uint32(i)
		list[i] = sortKey{p.rank(id, false, 0), p.sortName(id, false, 0), p.text(p.rec[id].Name()), p.hash(id, true, 0), id}
	}
	slices.SortFunc(list, func(a, b sortKey) int {
		if a.rank != b.rank {
			return cmp.Compare(a.rank, b.rank)
		}
		if c := strings.Compare(a.sort, b.sort); c != 0 {
			return c
		}
		if c := strings.Compare(a.own, b.own); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.id, b.id))
	})
	return list
}

// through returns the type that a reference kind stands for in sorting.
func through(r btf.Record) (id uint32, ok bool) {
	switch k := r.Kind(); {
	case btf.References.Has(k), k == btf.KindDeclTag:
		return r[2], true
	case k == btf.KindArray:
		return r[3], true
	}
	return 0, false
}

// look counts a step from one type to the next, and reports whether it is allowed. Long chains take many steps for each of their types.
func (p *cPrinter) look(id uint32) bool {
	if p.looks++; p.looks > maxCLooks {
		p.fail(id, "leads to too many others to be sorted")
	}
	return p.err == nil
}

// rank sorts enums before numbers before structs before prototypes. It follows references from a named type inwards.
func (p *cPrinter) rank(id uint32, named bool, depth int) int {
	r := p.rec[id]
	named = named || p.text(r.Name()) != ""
	if to, ok := through(r); ok {
		if !named || depth > maxCDepth || !p.look(id) {
			return rankOther
		}
		return p.rank(to, true, depth+1)
	}
	switch r.Kind() {
	case btf.KindEnum, btf.KindEnum64:
		if named {
			return rankEnum
		}
		return rankAnonymousEnum
	case btf.KindInt, btf.KindFloat:
		return rankNumber
	case btf.KindStruct, btf.KindUnion:
		if named {
			return rankStruct
		}
	case btf.KindFuncProto:
		if named {
			return rankPrototype
		}
	}
	return rankOther
}

// sortName returns the name that a type leads to. An anonymous enum that no other type leads to has the name of its first enumerator.
func (p *cPrinter) sortName(id uint32, led bool, depth int) string {
	r := p.rec[id]
	if to, ok := through(r); ok && depth <= maxCDepth && p.look(id) {
		return p.sortName(to, true, depth+1)
	}
	name := p.text(r.Name())
	if k := r.Kind(); !led && name == "" && (k == btf.KindEnum || k == btf.KindEnum64) && r.Vlen() > 0 {
		return p.text(r[3])
	}
	return name
}

// hash distinguishes types that have no name or the same one.
func (p *cPrinter) hash(id uint32, deep bool, depth int) (h uint64) {
	r := p.rec[id]
	add := func(v uint64) { h = 31*h + v }
	if name := p.text(r.Name()); name != "" {
		add(hashString(name))
	}
	switch k := r.Kind(); k {
	case btf.KindEnum, btf.KindEnum64:
		each := int(btf.ShapeOf(k).Each)
		for e := r[3:]; len(e) >= each; e = e[each:] {
			add(hashString(p.text(e[0])))
		}
	case btf.KindStruct, btf.KindUnion:
		if !deep {
			return h
		}
		for m := r[3:]; len(m) >= 3; m = m[3:] {
			if name := p.text(m[0]); name != "" {
				add(hashString(name))
			}
			if p.look(id) {
				add(p.hash(m[1], false, depth+1))
			}
		}
	case btf.KindArray:
		add(uint64(r[5]))
	}
	if to, ok := through(r); ok && depth <= maxCDepth && p.look(id) {
		add(p.hash(to, deep, depth+1))
	}
	return h
}

// hashString treats bytes as signed, as bpftool does on x86-64.
func hashString(s string) (h uint64) {
	for i := range len(s) {
		h = 31*h + uint64(int64(int8(s[i])))
	}
	return h
}
