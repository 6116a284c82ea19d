package dedup

import (
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/nominal"
)

// A history goes through the units in C in their order, by the classes of their types, and finds out what languages.go asks: in which unit the declaration
// of a name is bound, and in which units the types of the classes of look-alikes are free.
//
// Terms: a parent is a struct, union or typedef. The children of a parent are the names and the parents without a name that it leads to through pointers,
// qualifiers, arrays and prototypes. Only parents count from which a look-alike can be reached, or that have a shared name as a child. A parent merges
// with the first of its class, unless it is that. The comparison goes from child to child, and merges all that it passes. It does not pass
// a child that is bound in this unit, if the first type of the class of the parent refers to the declaration.
type history struct {
	*languages
	start int // number of the first foreign unit

	parent   []uint32 // by class number: its number in from, from 1; 0 if it is not a parent that counts
	children []child
	ends     []uint32 // by number of a parent: the end of its children
	tracked  []bool   // by tag: it is declared and defined, and counts
	boundIn  []uint32 // by tag: 1 + the unit in which its declaration is bound
	unsure   []bool   // by tag: it may be bound sooner, by a comparison that can fail
	firstIn  []uint32 // by class number, for parents: 1 + the unit in which it first occurs
	counts   []bool   // by class number: whether the pass looks at its types
	declares []bool   // by class number: it is a declaration

	free   []uint64 // by unit: the look-alikes whose types are free, by number - 1
	inside []uint64 // by unit: those whose class first occurs in it
	above  []uint64 // by class number, for walked classes: those that they lead to without passing a name
	strays []uint64 // by unit: those that are not free, and that a type leads to whose class first occurs in a unit in which they are

	// About the current unit.
	here    []occurrence
	ofTag   []seen          // by tag: 1 + the index in here of its definition, 0 if it is declared
	ofClass []seen          // by class number: the index in here of its first type
	unknown nominal.LocalID // the first type without a class, 0 if there is none
	masks   []uint64        // by index in here: the look-alikes that it leads to
	// The holders of the type with index i in here are holders[holderAt[i]:holderAt[i+1]], by their indexes in here.
	holders, holderAt []uint32
	todo              []uint32 // scratch: indexes in here
}

// An occurrence is a type of a unit that counts.
type occurrence struct {
	local nominal.LocalID
	class uint32
}

// A child is a name or a parent without a name.
type child struct {
	tag   uint32 // 1 + the number of its tag; 0 for a parent without a name
	class uint32 // of a parent without a name
	seen  uint8  // whether units with the parent only declare the name, or define it
}

const (
	seenDeclared = 1 << iota
	seenDefined
)

func newHistory(x *languages) *history {
	n := len(x.s.classes)
	h := &history{languages: x, start: x.s.foreign.list[0].number, parent: make([]uint32, n), firstIn: make([]uint32, n), counts: make([]bool, n),
		declares: make([]bool, n), ofClass: make([]seen, n)}
	tags, units := len(x.s.tags), len(x.s.past.types)
	h.tracked, h.unsure, h.boundIn, h.ofTag = make([]bool, tags), make([]bool, tags), make([]uint32, tags), make([]seen, tags)
	h.free, h.inside, h.strays = make([]uint64, units), make([]uint64, units), make([]uint64, units)
	h.ends = append(h.ends, 0)
	h.choose()
	return h
}

// choose chooses the parents that count, and lists their children.
func (h *history) choose() {
	up := h.reaching()
	counted := slices.Clone(up)
	var todo []uint32
	for i, foreign := range h.foreign {
		if foreign {
			continue
		}
		name, named := h.name(uint32(i))
		if !named {
			continue
		}
		n := h.tags[name]
		if t := &h.s.tags[n]; t.declared && t.def != (Hash{}) && (up[i] || h.shared[n]) {
			h.tracked[n] = true
		}
		if h.shared[n] {
			todo = append(todo, uint32(i))
		}
		if h.tracked[n] || up[i] {
			h.counts[h.class[i]] = true
		}
	}
	for len(todo) > 0 { // parents that have a shared name as a child
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, by := range h.from.of(i) {
			if h.foreign[by] || counted[by] {
				continue
			}
			counted[by] = true
			if walked.Has(h.record(by).Kind()) {
				todo = append(todo, by)
			}
		}
	}
	visited := make([]uint32, len(h.class))
	for class := uint32(1); class < uint32(len(h.s.classes)); class++ {
		id := h.s.classes[class].id
		if id == ^uint32(0) {
			continue
		}
		i := h.index(class)
		r := h.record(i)
		_, h.declares[class] = nominal.GroupOf(r)
		if !counted[i] || !parents.Has(r.Kind()) {
			continue
		}
		h.counts[class], h.parent[class] = true, uint32(len(h.ends))
		h.list(r, class, up, visited)
		h.ends = append(h.ends, uint32(len(h.children)))
	}
	h.counts[0] = true // types without a class
	h.climb()
}

// climb finds the walked classes above look-alikes.
func (h *history) climb() {
	for z, class := range h.alike {
		name, named := h.name(h.index(class))
		for j := range h.class {
			if other, ok := h.name(uint32(j)); h.class[j] == class || named && ok && other == name {
				h.keepAbove(uint32(j), 1<<z)
			}
		}
	}
	h.above = make([]uint64, len(h.counts))
	for class, why := range h.k.why {
		if h.above[class] = why &^ everywhere; h.above[class] != 0 {
			h.counts[class] = true
		}
	}
}

// list appends the children of a parent.
func (h *history) list(r btf.Record, class uint32, up []bool, visited []uint32) {
	h.descend(r, func(i uint32) bool {
		if visited[i] == class {
			return false
		}
		visited[i] = class
		name, named := h.name(i)
		kind := h.record(i).Kind()
		switch {
		case named:
			if n := h.tags[name]; up[i] || h.shared[n] {
				h.children = append(h.children, child{tag: n + 1})
			}
		case up[i] && parents.Has(kind):
			h.children = append(h.children, child{class: h.class[i]})
		}
		return !named && walked.Has(kind)
	})
}

// reaching returns, by index in o, the types in C that reach the class of a look-alike.
func (h *history) reaching() []bool {
	up := make([]bool, len(h.class))
	sameName := make(map[uint64][]uint32)
	for i, foreign := range h.foreign {
		if name, named := h.name(uint32(i)); named && !foreign {
			sameName[name] = append(sameName[name], uint32(i))
		}
	}
	var todo []uint32
	add := func(i uint32) {
		if !up[i] && !h.foreign[i] {
			up[i] = true
			todo = append(todo, i)
		}
	}
	for i, class := range h.class {
		if h.bit[class] != 0 {
			add(uint32(i))
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, by := range h.from.of(i) {
			add(by)
		}
		if name, named := h.name(i); named {
			for _, same := range sameName[name] {
				add(same)
			}
			delete(sameName, name)
		}
	}
	return up
}

// of returns the children of a class.
func (h *history) of(class uint32) []child {
	p := h.parent[class]
	if p == 0 {
		return nil
	}
	return h.children[h.ends[p-1]:h.ends[p]]
}

// run goes through all units.
func (h *history) run() {
	for u, n := range h.s.past.types {
		if n == 0 {
			continue // a foreign unit
		}
		alike := h.read(u, int(n))
		h.bind(u)
		if alike && u > h.start {
			h.judge(u)
		}
		for _, t := range h.here {
			if h.firstIn[t.class] == 0 {
				h.firstIn[t.class] = uint32(u) + 1
			}
			h.strays[u] |= h.above[t.class] & h.free[h.firstIn[t.class]-1] &^ h.free[u]
		}
	}
}

// read lists the types of a unit that count, and reports whether one of them has the class of a look-alike.
func (h *history) read(u, n int) (alike bool) {
	h.here, h.unknown = h.here[:0], 0
	runs := h.s.past.of(u)
	for i, run := range runs {
		last := n
		if i+1 < len(runs) {
			last = int(runs[i+1].local)
		}
		class := run.class
		for local := int(run.local); local < last; local++ {
			if h.counts[class] {
				h.note(u, nominal.LocalID(local), class)
				alike = alike || h.bit[class] != 0
			}
			class++
		}
	}
	return alike
}

// note adds a type to here.
func (h *history) note(u int, local nominal.LocalID, class uint32) {
	if class == 0 {
		if h.unknown == 0 {
			h.unknown = local
		}
		return
	}
	h.here = append(h.here, occurrence{local, class})
	at := uint32(len(h.here))
	if tag := h.s.tagOf[class]; tag != 0 {
		n := tag>>tagShift - 1
		if h.ofTag[n].unit == uint32(u)+1 && h.tracked[n] && h.boundIn[n] == 0 {
			h.mixed = true // the unit has two types of the name
		}
		if h.declares[class] {
			at = 0
		}
		h.ofTag[n] = seen{uint32(u) + 1, at}
	} else if h.ofClass[class].unit != uint32(u)+1 {
		h.ofClass[class] = seen{uint32(u) + 1, at}
	}
}

// bind finds the declarations that are bound in a unit.
func (h *history) bind(u int) {
	for _, t := range h.here {
		children := h.of(t.class)
		for i := range children {
			c := &children[i]
			if c.tag == 0 || !h.tracked[c.tag-1] {
				continue
			}
			in := &h.boundIn[c.tag-1]
			if *in != 0 && *in != uint32(u)+1 {
				continue
			}
			seen := c.seen
			switch at := h.ofTag[c.tag-1]; {
			case at.unit != uint32(u)+1: // a type without a class has the name
				h.mixed = true
			case at.value == 0:
				seen |= seenDeclared
			default:
				seen |= seenDefined
			}
			both := seen == seenDeclared|seenDefined
			switch {
			case h.firstIn[t.class] == 0 || h.s.past.state[u] != doubled && !h.ambiguous(t.class):
				if c.seen = seen; both {
					*in = uint32(u) + 1
				}
			case both: // the comparison can fail
				h.unsure[c.tag-1] = true
			}
		}
	}
}

// ambiguous reports whether an ambiguous name can be reached from a class. All of its types go in.
func (h *history) ambiguous(class uint32) bool { return h.k.why[class]&everywhere != 0 }

// childAt returns 1 + the index in here of a child that a comparison passes, 0 if there is none.
func (h *history) childAt(u int, c *child) uint32 {
	at := h.ofClass[c.class]
	if c.tag != 0 {
		if at = h.ofTag[c.tag-1]; h.boundIn[c.tag-1] == uint32(u)+1 && c.seen&seenDeclared != 0 {
			return 0
		}
	}
	if at.unit != uint32(u)+1 {
		return 0
	}
	return at.value
}

// judge finds out which types of the classes of look-alikes are free in a unit.
func (h *history) judge(u int) {
	h.spread(u)
	holder := make([]int, len(h.alike)) // by number of the look-alike - 1: 1 + the index in here of the first type that holds it and merges
	for i, t := range h.here {
		if h.firstIn[t.class] == 0 || h.parent[t.class] == 0 {
			continue
		}
		for z := range holder {
			if holder[z] == 0 && h.masks[i]>>z&1 != 0 && int(h.bit[t.class]) != z+1 {
				holder[z] = i + 1
			}
		}
	}
	for i, t := range h.here {
		if h.bit[t.class] == 0 {
			continue
		}
		z := int(h.bit[t.class]) - 1
		first := holder[z] - 1
		held := first >= 0 && first < i
		switch {
		case h.firstIn[t.class] == 0:
			h.inside[u] |= 1 << z
		case h.unknown != 0 && h.unknown < t.local && !(held && h.here[first].local < h.unknown):
			h.mixed = true // a type without a class can hold it
		case held && h.ambiguous(h.here[first].class):
			h.mixed = true // its comparison can fail
		case !held, h.s.past.state[u] == doubled:
			h.free[u] |= 1 << z
		case h.leadsAstray(u, first, z):
			h.mixed = true
		}
	}
}

// spread computes the masks of a unit.
func (h *history) spread(u int) {
	h.masks = resize(h.masks, len(h.here))
	todo := h.todo[:0]
	for i, t := range h.here {
		h.masks[i] = 0
		if z := h.bit[t.class]; z != 0 {
			h.masks[i] = 1 << (z - 1)
			todo = append(todo, uint32(i))
		}
	}
	h.listHolders(u)
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, by := range h.holders[h.holderAt[i]:h.holderAt[i+1]] {
			if mask := h.masks[by] | h.masks[i]; mask != h.masks[by] {
				h.masks[by] = mask
				todo = append(todo, by)
			}
		}
	}
	h.todo = todo
}

// listHolders lists, for every type of a unit that counts, those of which it is a child that a comparison passes.
func (h *history) listHolders(u int) {
	at := resize(h.holderAt, len(h.here)+2)
	clear(at)
	each := func(do func(child, holder uint32)) {
		for i, t := range h.here {
			children := h.of(t.class)
			for k := range children {
				if at := h.childAt(u, &children[k]); at != 0 {
					do(at-1, uint32(i))
				}
			}
		}
	}
	each(func(child, _ uint32) { at[child+2]++ })
	for i := 2; i < len(at); i++ {
		at[i] += at[i-1]
	}
	holders := resize(h.holders, int(at[len(at)-1]))
	each(func(child, holder uint32) {
		holders[at[child+1]] = holder
		at[child+1]++
	})
	h.holderAt, h.holders = at, holders
}

// leadsAstray reports whether a comparison of a type of a unit, which leads to a look-alike, can pass a type of another unit in which the type of the class
// of the look-alike was free.
func (h *history) leadsAstray(u, from, z int) bool {
	suspect := func(i int) bool {
		t := h.here[i]
		in := h.firstIn[t.class]
		return in != 0 && int(in-1) > h.start && h.free[in-1]>>z&1 != 0
	}
	if suspect(from) {
		return true
	}
	some := false
	for i := range h.here {
		some = some || h.masks[i]>>z&1 != 0 && suspect(i)
	}
	if !some {
		return false
	}
	visited, todo := make([]bool, len(h.here)), []int{from}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if visited[i] || h.masks[i]>>z&1 == 0 {
			continue
		}
		visited[i] = true
		if tag := h.s.tagOf[h.here[i].class]; suspect(i) && (tag == 0 || h.s.tags[tag>>tagShift-1].declared) {
			return true
		}
		children := h.of(h.here[i].class)
		for k := range children {
			if at := h.childAt(u, &children[k]); at != 0 {
				todo = append(todo, int(at-1))
			}
		}
	}
	return false
}

// finish passes the results on.
func (h *history) finish() {
	k, s := h.k, h.s
	f := &Foreign{guarded: make(map[uint32]bool)}
	for _, u := range s.foreign.list {
		if n := len(u.hashes); n != 0 {
			f.Spans = append(f.Spans, Span{u.first, u.first + btf.ID(n) - 1})
		}
	}
	for z, class := range h.alike {
		h.checkChildren(class, z)
		k.why[class] |= 1 << z
		h.keepBelow(class, 1<<z)
	}
	for class, above := range h.above {
		k.why[class] |= above << maxLookalikes
	}
	h.checkUnknown()
	wanted := make([]uint64, len(s.tags)/64+1)
	lost, done := false, make([]bool, len(s.tags))
	for i, foreign := range h.foreign {
		name, named := h.name(uint32(i))
		if !named {
			continue
		}
		n, known := h.tags[name]
		if !known || !h.shared[n] {
			continue
		}
		if h.boundIn[n] == 0 && !foreign {
			h.keepAbove(uint32(i), everywhere)
			wanted[n/64] |= 1 << (n % 64)
			lost = true
		}
		if _, declares := nominal.GroupOf(h.record(uint32(i))); declares && !done[n] {
			done[n] = true
			f.guarded[h.record(uint32(i))[0]] = true
			if in := h.boundIn[n]; in != 0 {
				def := s.classes[s.find(s.tags[n].def.A, s.tags[n].def.B)].id
				f.Bindings = append(f.Bindings, Binding{Unit: int(in - 1), Fwd: h.o.First() + btf.ID(i), Def: btf.ID(def)})
			}
		}
	}
	slices.SortStableFunc(f.Bindings, func(a, b Binding) int { return a.Unit - b.Unit })
	if lost {
		k.Units = append(k.Units, s.sets.with(wanted)...)
	}
	k.here = make(map[int]uint64)
	for u := range h.free {
		if m := h.free[u] | h.inside[u] | h.strays[u]<<maxLookalikes; m != 0 {
			k.here[u] = m
			k.Units = append(k.Units, u)
		}
	}
	slices.Sort(k.Units)
	k.Units = slices.Compact(k.Units)
	f.Same = h.sames()
	k.Foreign = f
}

// checkChildren checks that a comparison with a look-alike ends at the names that it refers to. If a declaration of one of them is not bound before the first
// foreign unit, it depends on the first type of the class whether it refers to the declaration, so that type is as it was in its unit.
func (h *history) checkChildren(class uint32, z int) {
	if name, named := h.name(h.index(class)); named {
		n := h.tags[name]
		h.mixed = h.mixed || h.boundIn[n] != 0 && !h.boundEarly(n) // to a type that is not always the first of its class
	}
	for _, c := range h.of(class) {
		if c.tag == 0 {
			h.mixed = true
			return
		}
		t := &h.s.tags[c.tag-1]
		def := h.s.find(t.def.A, t.def.B)
		h.mixed = h.mixed || t.def != (Hash{}) && h.bit[def] != 0 && def != class
		if h.shared[c.tag-1] && !h.boundEarly(c.tag-1) && h.firstIn[class] != 0 {
			h.inside[h.firstIn[class]-1] |= 1 << z
		}
	}
}

// checkUnknown checks that all bindings are known. A declaration can also be bound by types without a class: two of them that can be equal refer to its
// name.
func (h *history) checkUnknown() {
	type head struct{ name, info, size uint32 }
	for n, unsure := range h.unsure {
		h.mixed = h.mixed || unsure && !h.boundEarly(uint32(n))
	}
	last := make(map[head]uint32) // 1 + the index in o of the last such type
	visited := make([]uint32, len(h.class))
	for i, class := range h.class {
		r := h.record(uint32(i))
		if h.foreign[i] || class != 0 || !parents.Has(r.Kind()) {
			continue
		}
		k := head{r[0], r[1], 0}
		if r.Kind() != btf.KindTypedef {
			k.size = r[2]
		}
		for _, j := range [2]uint32{last[k], uint32(i) + 1} {
			if last[k] != 0 {
				h.mixed = h.mixed || h.touches(h.record(j-1), uint32(i)+1, visited)
			}
		}
		last[k] = uint32(i) + 1
	}
}

// touches reports whether a type has a child whose declaration is not bound early. visited has the round of the last visit of a type.
func (h *history) touches(r btf.Record, round uint32, visited []uint32) (found bool) {
	h.descend(r, func(i uint32) bool {
		if visited[i] == round {
			return false
		}
		visited[i] = round
		name, named := h.name(i)
		if named {
			n := h.tags[name]
			found = found || h.tracked[n] && !h.boundEarly(n)
		}
		return !named && walked.Has(h.record(i).Kind())
	})
	return found
}

// boundEarly reports whether the declaration of a name is bound before the first foreign unit.
func (h *history) boundEarly(tag uint32) bool {
	in := h.boundIn[tag]
	return in != 0 && int(in-1) < h.start
}
