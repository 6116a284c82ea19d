package dedup

import (
	"sync"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A Base is an object that others continue, prepared for them: the index of its types as the exact engine has it after phase 0,
// and its structs and unions by name. Any number of runs may use one concurrently; none changes it.
type Base struct {
	o    *btf.Object
	once sync.Once
	oddities
	names    lone           // of its structs and unions
	variants [2][2]struct { // by whether rules.BaseTypedefSignature applies, and by graph.empties
		once sync.Once
		c    index
	}
}

// NewBase prepares a base. The first run that needs it does the work.
func NewBase(o *btf.Object) *Base { return &Base{o: o} }

// look prepares what is the same for all objects that continue the base.
func (b *Base) look() {
	b.once.Do(func() {
		b.names = lone{}
		for id := uint32(1); id < uint32(b.o.End()); id++ {
			r, _ := b.o.Record(btf.ID(id))
			if r.Vlen() == 0 {
				b.note(r)
			}
			b.names.add(r, id)
		}
	})
}

// index is phase 0: every type of the base is a candidate.
func (b *Base) index(peer rules.Set, empties bool) *index {
	v := &b.variants[which(peer.Has(rules.BaseTypedefSignature))][which(empties)]
	v.once.Do(func() {
		g := graph{o: b.o, first: uint32(b.o.First()), oddities: oddities{empties: empties}}
		end := uint32(b.o.End())
		v.c.init(int(end), int(end))
		for id := uint32(1); id < end; id++ {
			r := g.rec(id)
			sig := g.signature(r)
			switch k := r.Kind(); {
			case k == btf.KindVar || k == btf.KindDatasec:
				continue
			case k == btf.KindTypedef && peer.Has(rules.BaseTypedefSignature):
				sig = baseTypedefSignature(r)
			}
			v.c.insert(v.c.find(sig), sig, id)
		}
	})
	return &v.c
}

func which(b bool) int {
	if b {
		return 1
	}
	return 0
}

// lone maps a name to the id of the only struct or union of that name, or to ambiguous if there are several.
type lone map[uint32]uint32

const ambiguous = unset

// add adds a canonical type if it is a struct or union.
func (l lone) add(r btf.Record, id uint32) {
	if !btf.Composites.Has(r.Kind()) {
		return
	}
	if _, seen := l[r.Name()]; seen {
		id = ambiguous
	}
	l[r.Name()] = id
}
