package verify

import "github.com/btfbatch/btfbatch/encoder/btf"

// The resolve phase (rule 05/7) checks whether the types that a type refers to may be there. Only a load has this phase.
//
// The problem: references form a graph with cycles. A struct may hold a pointer to itself. But a struct that holds itself by value, or a
// pointer that leads only to pointers, is an error.
//
// The kernel visits types in the order of ids. From each unresolved type it starts a depth-first search, with a stack of 32 entries and a
// mode. The mode limits the search to one sort of edge: inside a pointer it follows pointers and modifiers, inside an aggregate it follows
// types held by value. Each of the errors above is then a loop within one mode. Every type is pushed once. Every child is examined once, or
// twice if its type was pushed in between. So the cost is linear.

type mode uint8

const (
	anyMode mode = iota
	ptrMode
	aggregateMode
)

type visit uint8

const (
	unvisited visit = iota
	onStack
	resolved
)

// A frame is a type on the stack, and the child at which its check continues.
type frame struct{ id, next uint32 }

type resolver struct {
	*checker
	state   []visit  // by id
	to      []uint32 // by id, once resolved: for a modifier or variable, the type with a size that it leads to; for a function, its prototype
	size    []uint32 // by id, once resolved: size of an array in bytes
	unnamed []uint32 // by id of a prototype: 0 unknown, 1 none, else 1 + number of the first parameter without a name
	stack   [maxDepth]frame
	depth   int
	top     record // of the type on top of the stack
	mode    mode
	stuck   string // the reason why the last push was refused
}

var (
	aggregates = btf.Composites | 1<<btf.KindArray
	sourceOnly = btf.Kinds(btf.KindVar, btf.KindDatasec, btf.KindDeclTag)
	sizeless   = btf.Kinds(btf.KindVoid, btf.KindFwd, btf.KindFunc, btf.KindFuncProto, btf.KindDeclTag)
	pointless  = btf.Kinds(btf.KindVoid, btf.KindFwd, btf.KindFuncProto) // no size, but pointers and modifiers may refer to them
	taggable   = btf.Kinds(btf.KindFunc, btf.KindStruct, btf.KindUnion, btf.KindVar, btf.KindTypedef)
	resolving  = btf.References | aggregates | sourceOnly
	// sinks are the kinds at which a search in a mode ends, apart from kinds that need no resolution.
	sinks = [...]btf.KindSet{
		anyMode:       0,
		ptrMode:       ^btf.References,
		aggregateMode: ^(btf.Modifiers | aggregates),
	}
)

// resolve runs the phase.
func (c *checker) resolve() *Refusal {
	n := int(c.firstID) + len(c.recs)
	v := &resolver{checker: c, state: make([]visit, n), to: make([]uint32, n), size: make([]uint32, n)}
	var rec record
	for id := c.firstID; int(id) < n; id++ {
		k := c.kindOf(id)
		if v.needs(k) && v.state[id] != resolved {
			if r := v.search(id); r != nil {
				return r
			}
		}
		switch k {
		case btf.KindFuncProto:
			rec = c.rec(id)
			if r := v.proto(&rec); r != nil {
				return r
			}
		case btf.KindFunc:
			if !c.gen.refFunc { // otherwise it was checked when it was resolved
				rec = c.rec(id)
				if r := v.function(&rec); r != nil {
					return r
				}
			}
		}
	}
	return nil
}

// needs reports whether a kind has to be resolved.
func (v *resolver) needs(k btf.Kind) bool {
	return resolving.Has(k) || k == btf.KindFunc && v.gen.refFunc
}

// search resolves a type and all types that it is made of.
func (v *resolver) search(id uint32) *Refusal {
	v.depth, v.mode, v.stuck = 0, anyMode, ""
	v.push(id)
	for v.depth > 0 && v.stuck == "" {
		f := &v.stack[v.depth-1]
		v.top = v.rec(f.id)
		if r := v.step(f, &v.top); r != nil {
			return r
		}
	}
	if v.stuck != "" {
		rec := v.rec(id)
		return v.full(&rec, v.stuck)
	}
	return nil
}

// step continues with the type on top of the stack until it is resolved, or one of its children was pushed.
func (v *resolver) step(f *frame, r *record) *Refusal {
	switch {
	case btf.References.Has(r.kind):
		return v.reference(r)
	case r.kind == btf.KindArray:
		return v.arrayOf(r)
	case r.kind == btf.KindVar:
		return v.variable(r)
	case r.kind == btf.KindDatasec:
		return v.datasec(f, r)
	case r.kind == btf.KindFunc:
		return v.functionAndPop(r)
	case r.kind == btf.KindDeclTag:
		return v.declTag(r)
	}
	return v.aggregate(f, r)
}

func (v *resolver) push(id uint32) {
	switch {
	case v.depth == maxDepth:
		v.stuck = "Exceeded max resolving depth:32"
		return
	case v.state[id] != unvisited:
		v.stuck = "Loop detected"
		return
	}
	v.state[id] = onStack
	v.stack[v.depth] = frame{id: id}
	v.depth++
	if v.mode == anyMode {
		switch k := v.kindOf(id); {
		case k == btf.KindPtr:
			v.mode = ptrMode
		case aggregates.Has(k):
			v.mode = aggregateMode
		}
	}
}

// pop stores the result for the type on top of the stack and removes it.
func (v *resolver) pop(to, size uint32) {
	v.depth--
	id := v.stack[v.depth].id
	v.state[id], v.to[id], v.size[id] = resolved, to, size
}

// descend pushes a type unless it is resolved or the search in this mode ends at its kind.
func (v *resolver) descend(id uint32) bool {
	k := v.kindOf(id)
	if sinks[v.mode].Has(k) || !v.needs(k) || v.state[id] == resolved {
		return false
	}
	v.push(id)
	return true
}

// sized returns the type that remains without modifiers and variables, and its size. The size of an array that the search has not reached
// is 0.
func (v *resolver) sized(id uint32) (behind record, size uint32, ok bool) {
	r := v.rec(id)
	if btf.Modifiers.Has(r.kind) || r.kind == btf.KindVar {
		r = v.rec(v.to[id])
	}
	switch {
	case btf.Sized.Has(r.kind):
		return r, r.third, true
	case r.kind == btf.KindArray:
		return r, v.size[r.id], true
	case r.kind == btf.KindPtr:
		return r, v.ptrSize, true
	}
	return r, 0, false
}

// target reports whether a type may refer to an id.
func (v *resolver) target(id uint32) bool {
	return v.exists(id) && !sourceOnly.Has(v.kindOf(id))
}

// reference resolves a modifier or a pointer.
func (v *resolver) reference(r *record) *Refusal {
	id := r.third
	if !v.target(id) {
		return v.full(r, "Invalid type_id")
	}
	if v.descend(id) || r.kind == btf.KindPtr && v.descendBehind(id) {
		return nil
	}
	if behind, _, ok := v.sized(id); ok {
		v.pop(behind.id, 0)
		return nil
	}
	if v.state[id] == resolved {
		id = v.to[id]
	}
	if !pointless.Has(v.kindOf(id)) {
		return v.full(r, "Invalid type_id")
	}
	v.pop(id, 0)
	return nil
}

// descendBehind pushes the pointer at which a modifier stopped when it was resolved inside an aggregate, because pointers are not followed
// there.
func (v *resolver) descendBehind(id uint32) bool {
	return btf.Modifiers.Has(v.kindOf(id)) && v.kindOf(v.to[id]) == btf.KindPtr && v.descend(v.to[id])
}

func (v *resolver) arrayOf(r *record) *Refusal {
	a := v.array(r)
	if !v.content(a.index) {
		return v.full(r, "Invalid index")
	}
	if v.descend(a.index) {
		return nil
	}
	if index, _, _ := v.sized(a.index); index.kind != btf.KindInt || !v.integer(&index).regular() {
		return v.full(r, "Invalid index")
	}
	if !v.content(a.elem) {
		return v.full(r, "Invalid elem")
	}
	if v.descend(a.elem) {
		return nil
	}
	elem, size, ok := v.sized(a.elem)
	switch {
	case !ok:
		return v.full(r, "Invalid elem")
	case elem.kind == btf.KindInt && !v.integer(&elem).regular():
		return v.full(r, "Invalid array of int")
	}
	total := uint64(size) * uint64(a.n)
	if total>>32 != 0 {
		return v.full(r, "Array size overflows U32_MAX")
	}
	v.pop(elem.id, uint32(total))
	return nil
}

// content reports whether an id can be the type of an element or a member. It checks only the record of that type.
func (v *resolver) content(id uint32) bool {
	return v.target(id) && !sizeless.Has(v.kindOf(id))
}

// aggregate resolves a struct or a union.
func (v *resolver) aggregate(f *frame, r *record) *Refusal {
	if f.next > 0 { // continue with the member whose type was pushed
		if refusal := v.member(r, v.child(r, f.next-1)); refusal != nil {
			return refusal
		}
	}
	for i := f.next; i < r.vlen; i++ {
		ch := v.child(r, i)
		if !v.content(ch.b) {
			return v.inside(r, ch, "Invalid member")
		}
		f.next = i + 1
		if v.descend(ch.b) {
			return nil
		}
		if refusal := v.member(r, ch); refusal != nil {
			return refusal
		}
	}
	v.pop(0, 0)
	return nil
}

func (v *resolver) variable(r *record) *Refusal {
	if !v.target(r.third) {
		return v.full(r, "Invalid type_id")
	}
	if v.descend(r.third) || v.descendBehind(r.third) {
		return nil
	}
	behind, _, ok := v.sized(r.third)
	if !ok {
		return v.full(r, "Invalid type_id")
	}
	v.pop(behind.id, 0)
	return nil
}

// datasec checks entries. If the variable of an entry had to be pushed, the entry is not checked again, so its size stays unchecked.
func (v *resolver) datasec(f *frame, r *record) *Refusal {
	v.mode = anyMode
	for i := f.next; i < r.vlen; i++ {
		ch := v.child(r, i)
		if !v.exists(ch.a) || v.kindOf(ch.a) != btf.KindVar {
			return v.inside(r, ch, "Not a VAR kind member")
		}
		f.next = i + 1
		if v.descend(ch.a) {
			return nil
		}
		if _, size, _ := v.sized(ch.a); ch.c < size { // only a resolved variable has a size
			return v.inside(r, ch, "Invalid size")
		}
	}
	v.pop(0, 0)
	return nil
}

func (v *resolver) declTag(r *record) *Refusal {
	if !v.exists(r.third) || !taggable.Has(v.kindOf(r.third)) {
		return v.full(r, "Invalid type_id")
	}
	if v.descend(r.third) {
		return nil
	}
	if i := v.word(r.body()); int32(i) != -1 {
		target := v.rec(r.third)
		n := uint32(0) // parts that a tag may refer to
		switch target.kind {
		case btf.KindStruct, btf.KindUnion:
			n = target.vlen
		case btf.KindFunc:
			proto := v.rec(target.third)
			n = proto.vlen
		}
		if i >= n {
			return v.full(r, "Invalid component_idx")
		}
	}
	v.pop(r.third, 0)
	return nil
}
