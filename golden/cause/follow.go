package cause

import (
	"cmp"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// maxSteps limits the walks that count impact. If thousands of causes lead to the same thousands of consequences, the later causes count
// only what they lead to directly.
const maxSteps = 1 << 24

// A graph has edges from items to the items that follow from them, and to functions and variables that mention them.
type graph struct {
	follows, users     edges
	stamps, userStamps []int32 // by item, and by own id of the new side: 1 + the last cause that reached it
	todo               []int32
	steps              int
}

// edges are lists of numbers, one list per item, stored one after another.
type edges struct {
	start []int32
	list  []int32
}

func (e *edges) of(i int32) []int32 { return e.list[e.start[i]:e.start[i+1]] }

// newEdges builds edges from pairs. The function each passes all pairs to its argument.
func newEdges(n int, each func(add func(from, to int32))) edges {
	e := edges{start: make([]int32, n+2)}
	var pairs [][2]int32
	each(func(from, to int32) {
		e.start[from+2]++
		pairs = append(pairs, [2]int32{from, to})
	})
	for i := 2; i < len(e.start); i++ {
		e.start[i] += e.start[i-1]
	}
	e.list = make([]int32, e.start[n+1])
	for _, p := range pairs {
		e.list[e.start[p[0]+1]] = p[1]
		e.start[p[0]+1]++
	}
	return e
}

// follow decides which items are causes, counts what follows from each, sorts them and finds the roots of consequences.
func (c *comparer) follow() {
	for i := range c.items {
		it := &c.items[i]
		it.because = slices.DeleteFunc(it.because, func(b int32) bool { return b == int32(i) })
	}
	g := graph{stamps: make([]int32, len(c.items)), userStamps: make([]int32, c.new.o.Len())}
	g.follows = newEdges(len(c.items), func(add func(from, to int32)) {
		for i := range c.items {
			for _, b := range c.items[i].because {
				add(b, int32(i))
			}
		}
	})
	c.settle(&g)
	g.users = c.mentions()
	clear(g.stamps)
	for i := range c.items {
		if c.items[i].cause {
			c.count(&g, int32(i))
		}
	}
	c.rank(&g)
}

// settle turns consequences into causes if no cause leads to them.
func (c *comparer) settle(g *graph) {
	reach := func(i int32) {
		g.todo = append(g.todo[:0], i)
		for len(g.todo) > 0 {
			at := g.todo[len(g.todo)-1]
			g.todo = g.todo[:len(g.todo)-1]
			if g.stamps[at] != 0 {
				continue
			}
			g.stamps[at] = 1
			g.todo = append(g.todo, g.follows.of(at)...)
		}
	}
	for i := range c.items {
		if c.items[i].cause {
			reach(int32(i))
		}
	}
	for i := range c.items {
		if it := &c.items[i]; g.stamps[i] == 0 {
			it.cause = true
			it.changes = append(it.changes, c.orphan(it))
			reach(int32(i))
		}
	}
}

// orphan returns the change of an item whose layout differs without an explanation.
func (c *comparer) orphan(it *item) Change {
	if it.kind == Var {
		return Change{Part: Place, Op: Moved, Rule: VarPlace, Severity: Neutral, OldAt: it.at[0], NewAt: it.at[1], New: "at another place"}
	}
	if it.size.Delta() != 0 {
		return unexplained(it, "")[0]
	}
	return Change{Part: Whole, Op: Changed, Rule: SizeChanged, Severity: Neutral, New: "sizes or offsets inside of a type without a name differ"}
}

// mentions returns edges from items to the functions and variables whose declarations mention them. Only functions and variables that both
// sides have count. They are numbered by their id on the new side, minus the first own id.
func (c *comparer) mentions() edges {
	mated := make([]uint64, c.new.o.Len()/64+1)
	for _, n := range c.mates {
		if n != 0 && c.new.o.Own(n) {
			at := n - c.new.o.First()
			mated[at/64] |= 1 << (at % 64)
		}
	}
	return newEdges(len(c.items), func(add func(from, to int32)) {
		for i, n := range c.mates {
			if n != 0 && c.new.o.Own(n) {
				c.mentioned(c.old, c.old.o.First()+btf.ID(i), func(item int32) { add(item, int32(n-c.new.o.First())) })
			}
		}
		for id, r := range c.new.o.All() {
			if at := id - c.new.o.First(); mated[at/64]>>(at%64)&1 != 0 && (r.Kind() == btf.KindFunc || r.Kind() == btf.KindVar) {
				c.mentioned(c.new, id, func(item int32) { add(item, int32(at)) })
			}
		}
	})
}

// mentioned calls f for the items that the declaration of a function or variable mentions.
func (c *comparer) mentioned(s *side, id btf.ID, f func(item int32)) {
	r, _ := s.record(uint32(id))
	switch r.Kind() {
	case btf.KindVar:
		c.named(s, r[2], f)
	case btf.KindFunc:
		proto, ok := s.record(r[2])
		if !ok || proto.Kind() != btf.KindFuncProto {
			return
		}
		c.named(s, proto[2], f)
		for p := proto[3:]; len(p) >= 2; p = p[2:] {
			c.named(s, p[1], f)
		}
	}
}

// named calls f for the items whose names are in the spelling of a type: the type itself, or reached through pointers, arrays and typedefs.
func (c *comparer) named(s *side, id uint32, f func(item int32)) {
	for range maxQualifiers {
		r, ok := s.record(id)
		if !ok {
			return
		}
		if i := s.found[id]; i != 0 {
			f(i - 1)
		}
		switch k := r.Kind(); {
		case k == btf.KindArray:
			id = r[3]
		case btf.References.Has(k):
			id = r[2]
		default:
			return
		}
	}
}

// count counts what follows from a cause: all consequences that it leads to, up to the next causes.
func (c *comparer) count(g *graph, cause int32) {
	it := &c.items[cause]
	stamp := cause + 1
	g.todo = append(g.todo[:0], cause)
	g.stamps[cause] = stamp
	for at := 0; at < len(g.todo); at++ {
		i := g.todo[at]
		if i != cause {
			follower := &c.items[i]
			switch follower.kind {
			case Var, Section:
			default:
				it.impact.Types++
				if len(it.impact.Sample) < maxSample {
					it.impact.Sample = append(it.impact.Sample, Ref{Kind: follower.kind, Name: follower.name, Cause: int(i), Size: follower.size})
				}
			}
			if follower.kind == Var && c.new.o.Own(follower.new) {
				c.use(g, it, stamp, int32(follower.new-c.new.o.First()))
			}
		}
		if it.kind != Func && it.kind != Var {
			for _, user := range g.users.of(i) {
				g.steps++
				c.use(g, it, stamp, user)
			}
		}
		if i != cause && c.items[i].cause || g.steps > maxSteps && i != cause {
			continue
		}
		for _, to := range g.follows.of(i) {
			if g.steps++; g.stamps[to] != stamp {
				g.stamps[to] = stamp
				g.todo = append(g.todo, to)
			}
		}
	}
}

// use counts a function or variable, once for each cause.
func (c *comparer) use(g *graph, it *item, stamp, user int32) {
	if g.userStamps[user] == stamp {
		return
	}
	g.userStamps[user] = stamp
	if c.new.o.At(c.new.o.First()+btf.ID(user)).Kind() == btf.KindFunc {
		it.impact.Funcs++
	} else {
		it.impact.Vars++
	}
}

// rank sorts the causes, gives them IDs and finds the roots of consequences: the causes with the lowest IDs. A consequence with enough
// roots passes no more on, because the items that follow from it have them too.
func (c *comparer) rank(g *graph) {
	var order []int32
	for i := range c.items {
		if c.items[i].cause {
			order = append(order, int32(i))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		x, y := &c.items[a], &c.items[b]
		return cmp.Or(cmp.Compare(y.impact.Total(), x.impact.Total()), cmp.Compare(x.name, y.name), cmp.Compare(rank(x.kind), rank(y.kind)))
	})
	clear(g.stamps)
	for n, i := range order {
		c.items[i].id = n + 1
		g.todo = append(g.todo[:0], i)
		for len(g.todo) > 0 {
			at := g.todo[len(g.todo)-1]
			g.todo = g.todo[:len(g.todo)-1]
			for _, to := range g.follows.of(at) {
				it := &c.items[to]
				if it.cause || g.stamps[to] == int32(n)+1 || len(it.roots) == MaxRoots {
					continue
				}
				g.stamps[to] = int32(n) + 1
				it.roots = append(it.roots, int32(n)+1)
				g.todo = append(g.todo, to)
			}
		}
	}
}
