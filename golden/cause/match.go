package cause

import (
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A declaration is a type of one side that can be found on the other side by its name.
type declaration struct {
	key uint64 // hash of category and name
	reading
	id   btf.ID
	base bool // it belongs to the base, or is a stub: it is only compared if the other side has it too
}

// declarations lists the declarations of a side: its own types with names, and the structs, unions and enums without a name that nothing
// refers to. If bases are compared, it also lists the types of the base that own ones hold by value.
func (s *side) declarations(withBase bool) []declaration {
	list := make([]declaration, 0, s.o.Len())
	var used []uint64 // by own id, a bit; computed at the first type without a name
	for id := s.o.First(); id < s.o.End(); id++ {
		r := s.o.At(id)
		key := uint64(0)
		switch {
		case s.named(r):
			key = s.byName(r)
		case len(r) > 3 && (categoryOf(r) == structName || categoryOf(r) == unionName || categoryOf(r) == enumName):
			if used == nil {
				used = s.referred()
			}
			if at := id - s.o.First(); used[at/64]>>(at%64)&1 != 0 {
				continue
			}
			key = s.byMembers(r)
		default:
			continue
		}
		list = append(list, declaration{key: key, id: id, base: s.stub != nil && s.stub[id]})
	}
	if withBase {
		list = s.heldOfBase(list)
	}
	return list
}

// byMembers identifies a type without a name by its first enumerator, or its first two members.
func (s *side) byMembers(r btf.Record) uint64 {
	key := mix(mix(readsBody, uint64(categoryOf(r))), s.name(r[3]))
	if btf.Composites.Has(r.Kind()) && r.Vlen() > 1 {
		key = mix(key, s.name(r.Elem(1)[0]))
	}
	return key
}

// referred returns, for every own type, whether another type refers to it.
func (s *side) referred() []uint64 {
	used := make([]uint64, s.o.Len()/64+1)
	for _, r := range s.o.All() {
		r.References(func(id *uint32) {
			if s.o.Own(btf.ID(*id)) {
				at := btf.ID(*id) - s.o.First()
				used[at/64] |= 1 << (at % 64)
			}
		})
	}
	return used
}

// heldOfBase adds the named types of the base that listed types hold by value.
func (s *side) heldOfBase(list []declaration) []declaration {
	seen := make([]bool, len(s.refs))
	var todo []uint32
	visit := func(id uint32) {
		if id != 0 && int(id) < len(seen) && !seen[id] {
			seen[id] = true
			todo = append(todo, id)
		}
	}
	for _, d := range list {
		visit(uint32(d.id))
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		r, ok := s.record(id)
		if !ok {
			continue
		}
		if s.named(r) && !s.o.Own(btf.ID(id)) {
			list = append(list, declaration{key: s.byName(r), id: btf.ID(id), base: true})
		}
		held(r, visit)
	}
	return list
}

// read computes the readings of the listed declarations, and sorts them by name and content.
func (s *side) read(list []declaration) {
	for i := range list {
		s.readOne(&list[i])
	}
	slices.SortFunc(list, compareDeclarations)
}

// readOne computes the reading of a declaration.
func (s *side) readOne(d *declaration) {
	r, _ := s.record(uint32(d.id))
	d.reading = s.content(uint32(d.id), r)
	if s.stub != nil && s.stub[d.id] {
		d.reading = reading{lay: 1} // only the size of a stub is known
	}
}

// compareDeclarations is the inner loop of a comparison. It does not use cmp.Or, which would always compare all four fields.
func compareDeclarations(a, b declaration) int {
	switch {
	case a.key != b.key:
		return less(a.key < b.key)
	case a.own != b.own:
		return less(a.own < b.own)
	case a.lay != b.lay:
		return less(a.lay < b.lay)
	case a.id != b.id:
		return less(a.id < b.id)
	}
	return 0
}

func less(is bool) int {
	if is {
		return -1
	}
	return 1
}

// A pair is a declaration that both sides have, or only one.
type pair struct {
	old, new             btf.ID // 0 if that side does not have it
	own, lay             bool   // whether the content differs; whether sizes and offsets differ
	base                 bool
	oldCopies, newCopies int32 // how often a side has this name with this content
	oldAll, newAll       int32 // how often a side has this name
}

// A pairing is the result of match.
type pairing struct {
	differ []pair   // all that are not equal
	mates  []btf.ID // by old own id: the new id; 0 if there is none
}

// group is the declarations of one name.
type group struct{ old, new []declaration }

// eachGroup calls f for every name on either side. Both lists are sorted.
func eachGroup(old, new []declaration, f func(g group)) {
	for len(old) > 0 || len(new) > 0 {
		var key uint64
		switch {
		case len(new) == 0:
			key = old[0].key
		case len(old) == 0:
			key = new[0].key
		default:
			key = min(old[0].key, new[0].key)
		}
		g := group{upTo(old, key), upTo(new, key)}
		old, new = old[len(g.old):], new[len(g.new):]
		f(g)
	}
}

// upTo returns the start of a list that has a key.
func upTo(list []declaration, key uint64) []declaration {
	n := 0
	for n < len(list) && list[n].key == key {
		n++
	}
	return list[:n]
}

// match pairs the declarations of both sides. If one name has several contents, references to them must be distinguished: everything is
// read again with a mark for the content that a reference leads to.
func match(old, new *side, withBase bool) pairing {
	oldList, newList := old.declarations(withBase), new.declarations(withBase)
	old.read(oldList)
	new.read(newList)
	if markVersions(old, new, oldList, newList) {
		old.readAgain(oldList)
		new.readAgain(newList)
	}
	p := pairing{mates: make([]btf.ID, old.o.Len())}
	eachGroup(oldList, newList, func(g group) {
		for _, g := range g.apart() {
			p.add(old, new, g)
		}
	})
	return p
}

// markVersions marks references to names that have several contents, and reports whether there are any. The first version of a name reads
// like an unambiguous name. So if one name is split into two contents, types that refer to the first of them stay unchanged.
func markVersions(old, new *side, oldList, newList []declaration) (marked bool) {
	eachGroup(oldList, newList, func(g group) {
		if len(g.old) <= 1 && len(g.new) <= 1 {
			return
		}
		if s := g.category(old, new); s != structName && s != unionName && s != enumName && s != plainName {
			return
		}
		for i, v := range g.versions(old, new) {
			if i == 0 {
				continue
			}
			for _, d := range v.old {
				old.mark(d.id, uint64(i))
			}
			for _, d := range v.new {
				new.mark(d.id, uint64(i))
			}
			marked = true
		}
	})
	return marked
}

// stub reports whether a declaration is a stub.
func (d *declaration) stub() bool { return d.own == 0 }

// apart separates a stub from the definitions of the other side. A side has one stub of a name, and no definition then.
func (g group) apart() []group {
	if len(g.old) == 0 || len(g.new) == 0 || g.old[0].stub() == g.new[0].stub() {
		return []group{g}
	}
	return []group{{old: g.old}, {new: g.new}}
}

// category returns the category of the group's name.
func (g group) category(old, new *side) category {
	s, list := old, g.old
	if len(list) == 0 {
		s, list = new, g.new
	}
	r, _ := s.record(uint32(list[0].id))
	return categoryOf(r)
}

// mark gives references to a declaration the reading of a later version of its name.
func (s *side) mark(id btf.ID, version uint64) {
	r, _ := s.record(uint32(id))
	if s.named(r) {
		s.refs[id] = reading{own: mix(s.byName(r), version)}
		if s.marked == nil {
			s.marked = make([]uint64, len(s.refs)/64+1)
		}
		s.marked[id/64] |= 1 << (id % 64)
	}
}

// maxPasses is the number of passes in which readAgain looks for types that lead to a mark. In a kernel, four are enough.
const maxPasses = 8

// readAgain reads everything again that leads to a mark. The marks are few, and most types do not lead to one.
func (s *side) readAgain(list []declaration) {
	if s.marked == nil {
		return
	}
	leads, all := s.leadToMark()
	changed := func(id btf.ID) bool { return all || leads[id/64]>>(id%64)&1 != 0 }
	for id := range s.refs {
		if !changed(btf.ID(id)) {
			continue
		}
		if r, ok := s.record(uint32(id)); ok && !s.named(r) {
			s.refs[id] = reading{}
		}
	}
	for i := range list {
		if d := &list[i]; changed(d.id) {
			s.readOne(d)
		}
	}
	slices.SortFunc(list, compareDeclarations)
}

// leadToMark returns, for every id, a bit that says whether the content of the type leads to a mark, through types without a name. It looks at
// all types until a pass finds nothing more. If maxPasses are not enough, all says that any type may lead to a mark.
func (s *side) leadToMark() (leads []uint64, all bool) {
	leads = make([]uint64, len(s.marked)) // the content leads to a mark
	reads := slices.Clone(s.marked)       // a reference reads otherwise
	has := func(set []uint64, id uint32) bool { return int(id) < len(s.refs) && set[id/64]>>(id%64)&1 != 0 }
	for range maxPasses {
		found := false
		for id := uint32(1); int(id) < len(s.refs); id++ {
			if has(leads, id) {
				continue
			}
			r, ok := s.record(id)
			if !ok || !leadsTo(r, reads, len(s.refs)) {
				continue
			}
			leads[id/64] |= 1 << (id % 64)
			if !s.named(r) {
				reads[id/64] |= 1 << (id % 64)
				found = true
			}
		}
		if !found {
			return leads, false
		}
	}
	return nil, true
}

// leadsTo reports whether a record refers to an id of a set. n is the number of ids.
func leadsTo(r btf.Record, set []uint64, n int) bool {
	has := func(id uint32) bool { return int(id) < n && set[id/64]>>(id%64)&1 != 0 }
	k := r.Kind()
	shape := btf.ShapeOf(k)
	switch {
	case shape.Refers && has(r[2]), k == btf.KindArray && has(r[3]):
		return true
	case shape.TypeAt < 0:
		return false
	}
	for at := 3 + int(shape.Once) + int(shape.TypeAt); at < len(r); at += int(shape.Each) {
		if has(r[at]) {
			return true
		}
	}
	return false
}

// add adds the declarations of one name.
func (p *pairing) add(old, new *side, g group) {
	if len(g.old) == 1 && len(g.new) == 1 {
		v := version(g)
		p.mate(old, v)
		if q := v.pair(old, new); q.own || q.lay {
			p.append(old, new, v, q)
		}
		return
	}
	for _, v := range g.versions(old, new) {
		p.mate(old, v)
		q := v.pair(old, new)
		q.oldCopies, q.newCopies, q.oldAll, q.newAll = int32(len(v.old)), int32(len(v.new)), int32(len(g.old)), int32(len(g.new))
		alone := q.old == 0 || q.new == 0
		switch {
		case alone && q.base: // the other side does not have to have it
		case alone, q.own, q.lay, q.oldCopies != q.newCopies:
			q.own = q.own || q.oldCopies != q.newCopies
			p.append(old, new, v, q)
		}
	}
}

// pair returns how the two sides of a version differ.
func (v version) pair(old, new *side) (q pair) {
	if v.old != nil {
		q.old, q.base = v.old[0].id, v.old[0].base
	}
	if v.new != nil {
		q.new, q.base = v.new[0].id, q.base || v.new[0].base
	}
	if v.old == nil || v.new == nil {
		return q
	}
	o, n := &v.old[0], &v.new[0]
	if o.stub() { // then both are
		was, is := old.sized(uint32(o.id)), new.sized(uint32(n.id))
		q.lay, q.base = was != is && was != 0 && is != 0, false
		return q
	}
	q.own, q.lay = o.own != n.own, o.lay != n.lay
	return q
}

func (p *pairing) append(old, new *side, v version, q pair) {
	p.differ = append(p.differ, q)
	for _, d := range v.old {
		old.found[d.id] = int32(len(p.differ))
	}
	for _, d := range v.new {
		new.found[d.id] = int32(len(p.differ))
	}
}

// mate records the pairs of a version.
func (p *pairing) mate(old *side, v version) {
	for i := range min(len(v.old), len(v.new)) {
		if o := v.old[i].id; old.o.Own(o) {
			p.mates[o-old.o.First()] = v.new[i].id
		}
	}
}
