package funcs

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A difference is the first one between the prototypes of two states; the zero one is none.
type difference struct {
	a, b *state
	at   int // parameter, from 1; or one of the others
}

const (
	differentCount  = -1
	differentReturn = 0
)

// match compares the prototypes of two states (specification 02, section 5.4): parameter names do not matter.
func (c *Collector) match(o *btf.Object, a, b *state) (d difference, ok bool) {
	ap, bp := c.paramsOf(a), c.paramsOf(b)
	if len(ap) != len(bp) {
		return difference{a, b, differentCount}, false
	}
	if !matchTypes(o, a.ret, b.ret, 0) {
		return difference{a, b, differentReturn}, false
	}
	for i := range ap {
		if !matchTypes(o, ap[i].typ, bp[i].typ, 0) {
			return difference{a, b, i + 1}, false
		}
	}
	return difference{}, true
}

// text says what a difference is, in the peer's words; a parameter without a name is an ellipsis.
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

// maxMatch bounds the descent; types without a name in between do not nest deeper.
const maxMatch = 1 << 10

// matchTypes compares types before deduplication: named ones by name alone.
func matchTypes(o *btf.Object, x, y uint32, depth int) bool {
	for ; depth < maxMatch; depth++ {
		if x == y {
			return true
		}
		if x == 0 || y == 0 {
			return false
		}
		a, _ := o.Record(btf.ID(x))
		b, _ := o.Record(btf.ID(y))
		ak, bk := matchKind(a), matchKind(b)
		if ak != bk {
			// A const on either side is peeled.
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
		case btf.KindPtr, btf.KindVolatile, btf.KindConst, btf.KindRestrict, btf.KindTypeTag:
			x, y = a[2], b[2]
		case btf.KindArray:
			if a[5] != b[5] {
				return false
			}
			x, y = a[3], b[3]
		case btf.KindFuncProto:
			return matchProtos(o, a, b, depth+1)
		default:
			return false
		}
	}
	return false
}

// matchKind: a forward counts as what it stands for.
func matchKind(r btf.Record) btf.Kind {
	if r.Kind() != btf.KindFwd {
		return r.Kind()
	}
	if r.Kflag() {
		return btf.KindUnion
	}
	return btf.KindStruct
}

func matchProtos(o *btf.Object, a, b btf.Record, depth int) bool {
	if len(a) != len(b) || !matchTypes(o, a[2], b[2], depth) {
		return false
	}
	for i := 4; i < len(a); i += 2 {
		if !matchTypes(o, a[i], b[i], depth) {
			return false
		}
	}
	return true
}
