package funcs

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A difference is the first difference between the prototypes of two states. The zero value means that there is none.
type difference struct {
	a, b *state
	at   int // parameter, counted from 1, or one of the constants below
}

const (
	differentCount  = -1
	differentReturn = 0
)

// match compares the prototypes of two states (rule 02/5.4). Names of parameters do not matter.
func (c *Collector) match(o *btf.Object, a, b *state) (d difference, ok bool) {
	ap, bp := c.paramsOf(a), c.paramsOf(b)
	if len(ap) != len(bp) {
		return difference{a, b, differentCount}, false
	}
	m := &c.matcher
	if m.o != o {
		*m = matcher{o: o}
	}
	if !m.match(uint32(a.ret), uint32(b.ret), 0) {
		return difference{a, b, differentReturn}, false
	}
	for i := range ap {
		if !m.match(uint32(ap[i].typ), uint32(bp[i].typ), 0) {
			return difference{a, b, i + 1}, false
		}
	}
	return difference{}, true
}

// text describes a difference in pahole's words. A parameter without a name is an ellipsis.
func (d difference) text(c *Collector, o *btf.Object) string {
	if d.a == nil {
		return ""
	}
	ap, bp := c.paramsOf(d.a), c.paramsOf(d.b)
	switch d.at {
	case differentCount:
		return fmt.Sprintf("param count mismatch; %d params != %d params", len(ap), len(bp))
	case differentReturn:
		return "return type mismatch"
	}
	return fmt.Sprintf("param type mismatch for param#%d %s != %s", d.at, o.Name(ap[d.at-1].name), o.Name(bp[d.at-1].name))
}

// A matcher compares the types of two prototypes, before deduplication.
//
// The problem: a plain recursive comparison can take exponential time. A prototype can have parameters that point to other
// prototypes, each several times, and many types can lead into one long chain of references. So the answer is remembered for
// every pair of prototypes that is compared, and for every 16th pair (stride) along a chain.
//
// The object must not change while the matcher is in use.
type matcher struct {
	o     *btf.Object
	known map[pair]bool // false while the comparison runs: a ring of types without a name, which C cannot produce, is different from any other
}

type pair struct{ x, y uint32 }

const (
	maxMatch = 1 << 16 // bounds the recursion
	stride   = 16      // distance of remembered pairs in a chain
)

// match compares two types. Types with a name are equal if kind and name are.
func (m *matcher) match(x, y uint32, depth int) bool {
	for steps := 1; ; steps++ {
		if x == y {
			return true
		}
		if x == 0 || y == 0 {
			return false
		}
		a, _ := m.o.Record(btf.ID(x))
		b, _ := m.o.Record(btf.ID(y))
		ak, bk := matchKind(a), matchKind(b)
		if steps%stride == 0 {
			return m.remember(pair{x, y}, depth, m.match)
		}
		if ak != bk {
			// A const on one side only is skipped.
			switch {
			case ak == btf.KindConst:
				x = a[2]
			case bk == btf.KindConst:
				y = b[2]
			default:
				return false
			}
			continue
		}
		switch ak {
		case btf.KindInt:
			return a[0] == b[0] && a[2] == b[2] && a[3] == b[3]
		case btf.KindFloat:
			return a[0] == b[0] && a[2] == b[2]
		case btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindEnum64, btf.KindTypedef:
			return a[0] == b[0]
		case btf.KindArray:
			if a[5] != b[5] {
				return false
			}
			x, y = a[3], b[3]
		case btf.KindFuncProto:
			return m.remember(pair{x, y}, depth, m.protos)
		default:
			if !btf.References.Has(ak) {
				return false
			}
			x, y = a[2], b[2]
		}
	}
}

// remember returns the remembered answer for a pair, or calls compare and remembers its answer.
func (m *matcher) remember(p pair, depth int, compare func(x, y uint32, depth int) bool) bool {
	if ok, known := m.known[p]; known {
		return ok
	}
	if depth > maxMatch {
		return false
	}
	if m.known == nil {
		m.known = make(map[pair]bool)
	}
	m.known[p] = false
	ok := compare(p.x, p.y, depth+1)
	m.known[p] = ok
	return ok
}

// matchKind returns the kind of a record; a forward has the kind of the type that it declares.
func matchKind(r btf.Record) btf.Kind {
	if k := r.Kind(); k != btf.KindFwd {
		return k
	}
	return r.FwdKind()
}

func (m *matcher) protos(x, y uint32, depth int) bool {
	a, _ := m.o.Record(btf.ID(x))
	b, _ := m.o.Record(btf.ID(y))
	if len(a) != len(b) || !m.match(a[2], b[2], depth) {
		return false
	}
	for i := 4; i < len(a); i += 2 {
		if !m.match(a[i], b[i], depth) {
			return false
		}
	}
	return true
}
