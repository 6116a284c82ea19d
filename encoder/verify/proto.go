package verify

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// functionAndPop resolves a FUNC. Types that refer to it get its prototype as the target.
func (v *resolver) functionAndPop(r *record) *Refusal {
	if refusal := v.function(r); refusal != nil {
		return refusal
	}
	v.pop(r.third, 0)
	return nil
}

// function checks that a FUNC refers to a prototype whose parameters all have names.
func (v *resolver) function(r *record) *Refusal {
	if !v.exists(r.third) || v.kindOf(r.third) != btf.KindFuncProto {
		return v.full(r, "Invalid type_id")
	}
	if n := v.firstUnnamed(r.third); n != 0 {
		return v.full(r, fmt.Sprintf("Invalid arg#%d", n))
	}
	return nil
}

// firstUnnamed returns the number, from 1, of the first parameter of a prototype that has a type but no name, or 0 if there is none. The
// result is cached, because many functions may share a prototype.
func (v *resolver) firstUnnamed(id uint32) uint32 {
	if v.unnamed == nil {
		v.unnamed = make([]uint32, len(v.state))
	}
	if known := v.unnamed[id]; known != 0 {
		return known - 1
	}
	proto := v.rec(id)
	found := uint32(0)
	for i := range proto.vlen {
		if p := v.child(&proto, i); p.b != 0 && p.a == 0 {
			found = i + 1
			break
		}
	}
	v.unnamed[id] = found + 1
	return found
}

// proto checks a FUNC_PROTO in the order of ids. The types of its return value and parameters are resolved by separate searches.
func (v *resolver) proto(r *record) *Refusal {
	if id := r.third; id != 0 {
		if !v.exists(id) || !v.gen.returnVar && sourceOnly.Has(v.kindOf(id)) {
			return v.full(r, "Invalid return type")
		}
		if refusal := v.ready(id); refusal != nil {
			return refusal
		}
		if _, _, ok := v.sized(id); !ok {
			return v.full(r, "Invalid return type")
		}
	}
	n := r.vlen
	if n > 0 {
		if last := v.child(r, n-1); last.b == 0 { // the variable part of the parameters
			if last.a != 0 {
				return v.full(r, fmt.Sprintf("Invalid arg#%d", n))
			}
			n--
		}
	}
	for i := range n {
		if refusal := v.param(r, i); refusal != nil {
			return refusal
		}
	}
	return nil
}

func (v *resolver) param(r *record, i uint32) *Refusal {
	p := v.child(r, i)
	invalid := func() *Refusal {
		return v.refuse(fault{rec: r, at: p.at, phrase: fmt.Sprintf("Invalid arg#%d", i+1), line: fullLine})
	}
	if !v.target(p.b) || p.a != 0 && (!v.inStrings(p.a) || !v.named(identifierBytes, p.a)) {
		return invalid()
	}
	if refusal := v.ready(p.b); refusal != nil {
		return refusal
	}
	if _, _, ok := v.sized(p.b); !ok {
		return invalid()
	}
	return nil
}

// ready resolves a type if it needs that and is not resolved yet.
func (v *resolver) ready(id uint32) *Refusal {
	if v.needs(v.kindOf(id)) && v.state[id] != resolved {
		return v.search(id)
	}
	return nil
}
