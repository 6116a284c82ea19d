package funcs

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// A Reason says why a function of the symbol table has no FUNC (rule 02/5.5).
type Reason uint8

// The reasons, in the order in which they are checked. The last one that applies counts.
const (
	Kept Reason = iota
	UnexpectedRegister
	InconsistentPrototype
	UncertainLocation
	ReorderedParameters
	OptimizedParameters
	AmbiguousAddress
	NumReasons
)

// reasons has the name of the rule behind each reason, and the reason in pahole's words, except for peerReason.
var reasons = [NumReasons]struct{ rule, text string }{
	Kept:                  {"kept", "kept"},
	UnexpectedRegister:    {"expected-registers", "unexpected register usage for parameter"},
	InconsistentPrototype: {"consistent-prototype", "inconsistent prototype"},
	UncertainLocation:     {"certain-location", "uncertain parameter location"},
	ReorderedParameters:   {"parameter-order", "reordered parameters"},
	OptimizedParameters:   {"optimized-parameters", "optimized parameters"},
	AmbiguousAddress:      {"unambiguous-address", "ambiguous address"},
}

func (r Reason) String() string { return reasons[r].text }

// Rule returns the name of the rule that a function without FUNC breaks.
func (r Reason) Rule() string { return reasons[r].rule }

// Stats count the decisions.
type Stats struct {
	States, Emitted int
	Dropped         [NumReasons]int
	Renamed         []string // functions whose names kernels refuse; see identifier
}

// A Decision is the outcome for one function.
type Decision struct {
	Name   string
	Reason Reason
	States int    // number of subprograms with that name
	Differ string // the first difference between the prototypes of two of them, in pahole's words; empty if they agree
}

// An Emission appends the functions to the BTF object. Sort and Compare may run concurrently. Call Emit after both.
type Emission struct {
	c       *Collector
	groups  *groups
	entries []int32              // that have states; after Sort ordered by base name
	differ  map[int32]difference // by entry
}

// Emission groups the states of every function. No states may be added afterwards.
func (c *Collector) Emission() *Emission {
	m := &Emission{c: c, groups: c.group()}
	m.entries = m.groups.entries()
	return m
}

// Room returns the highest number of types and words that Emit appends: a prototype and a FUNC per function, and tags. (Pointers
// into arenas are not counted.)
func (m *Emission) Room() (types, words int) {
	c, n := m.c, len(m.entries)
	tags := len(c.tags) + maxKfuncTags*len(c.table.kflags)
	return 2*n + tags, 6*n + 2*len(c.params) + 4*tags
}

// MostRoom returns numbers of types and words that Room of the Emission does not exceed.
func (c *Collector) MostRoom() (types, words int) {
	n, tags := len(c.states), len(c.tags)+maxKfuncTags*len(c.table.kflags)
	return 2*n + tags, 6*n + 2*len(c.params) + 4*tags
}

// Names returns the offsets of names of functions and of their first parameters that are in the string section of the object or its base. Emit uses
// these, and perhaps others.
func (m *Emission) Names(o *btf.Object) []uint32 {
	list := make([]uint32, 0, 2*len(m.entries))
	for _, entry := range m.entries {
		if off, ok := o.Strings.Find(m.c.table.Base(entry)); ok {
			list = append(list, off)
		}
	}
	for i := range m.c.states {
		if p := m.c.paramsOf(&m.c.states[i]); len(p) > 0 {
			list = append(list, p[0].name)
		}
	}
	return list
}

// Sort orders the functions by base name.
func (m *Emission) Sort() { m.c.table.sortByName(m.entries) }

// Compare combines the states of every function. It also makes room for their names.
func (m *Emission) Compare(o *btf.Object) {
	o.Strings.Grow(0, m.groups.n)
	for entry := range int32(m.c.table.Len()) {
		group := m.groups.of(entry)
		if len(group) < 2 {
			continue
		}
		if d := m.c.combine(o, group); d.a != nil {
			if m.differ == nil {
				m.differ = make(map[int32]difference)
			}
			m.differ[entry] = d
		}
	}
}

// PartSize is the number of functions after which Emit calls part. Tests change it.
var PartSize = 16 * atOnce

// Parts is the highest number of calls of part.
func (m *Emission) Parts() int { return len(m.entries) / PartSize }

// Emit appends FUNC_PROTO, FUNC and DECL_TAG records. It calls decided, unless that is nil, for every function, and part, unless that is nil, from time
// to time, when all records of the functions so far have been appended.
func (m *Emission) Emit(o *btf.Object, decided func(Decision), part func()) (Stats, error) {
	stats := Stats{States: len(m.c.states)}
	var names baseNames
	for i, entry := range m.entries {
		if part != nil && i > 0 && i%PartSize == 0 {
			part()
		}
		if i%atOnce == 0 {
			m.c.prefetch(m.entries[i:min(i+atOnce, len(m.entries))], m.groups, o.Strings, &names)
		}
		var differ difference
		if decided != nil {
			differ = m.differ[entry]
		}
		if err := m.c.decideOne(o, entry, names[i%atOnce], m.groups.of(entry), differ, decided, &stats); err != nil {
			return stats, err
		}
	}
	return stats, nil
}

// decideOne decides about the function of a group of combined states, and appends its records if it is kept. base is the base
// name of the entry.
func (c *Collector) decideOne(o *btf.Object, entry int32, base []byte, group []uint32, differ difference, decided func(Decision), stats *Stats) error {
	reason, canonical, name := Kept, (*state)(nil), []byte(nil)
	if c.table.opt.Features.Has(feature.TrueSignature) {
		canonical, name = c.suffixed(entry, group)
	}
	if canonical == nil {
		reason, canonical = c.decide(entry, group)
	}
	if decided != nil {
		decided(Decision{string(base), reason, len(group), differ.text(c, o)})
	}
	if reason != Kept {
		stats.Dropped[reason]++
		return nil
	}
	stats.Emitted++
	return c.emit(o, entry, base, canonical, name, stats)
}

// groups lists the states of every entry: first those with an address, then those without, otherwise in the order in which they
// were saved. (pahole's output shows that it uses this order.)
type groups struct {
	start, order []uint32
	n            int // number of groups that are not empty
}

func (g *groups) of(entry int32) []uint32 { return g.order[g.start[entry]:g.start[entry+1]] }

// group is a counting sort by entry. It is stable, as the rule requires.
func (c *Collector) group() *groups {
	g := &groups{start: make([]uint32, c.table.Len()+2), order: make([]uint32, len(c.states))}
	for i := range c.states {
		count := &g.start[c.states[i].entry+2]
		if *count++; *count == 1 {
			g.n++
		}
	}
	for i := 2; i < len(g.start); i++ {
		g.start[i] += g.start[i-1]
	}
	for _, placed := range []bool{true, false} {
		for i := range c.states {
			if s := &c.states[i]; (s.addr != 0) == placed {
				at := &g.start[s.entry+1]
				g.order[*at] = uint32(i)
				*at++
			}
		}
	}
	return g
}

// entries lists the entries that have states.
func (g *groups) entries() []int32 {
	list := make([]int32, 0, g.n)
	for i := range int32(len(g.start) - 2) {
		if len(g.of(i)) > 0 {
			list = append(list, i)
		}
	}
	return list
}

// combine adds the flags of the later states of a group to the first, and compares their prototypes with that of the first (rule
// 02/5.4). With true_signature, an abstract instance is not compared with a state that has code, since the signature of the code
// may differ. The result is the difference that was found, if any.
func (c *Collector) combine(o *btf.Object, group []uint32) (differ difference) {
	const any = unexpectedReg | uncertainLoc | reordered | inconsistent
	first := &c.states[group[0]]
	codeOnly := first.addr != 0 && c.table.opt.Features.Has(feature.TrueSignature)
	for _, i := range group[1:] {
		s := &c.states[i]
		first.flags |= s.flags & any
		s.flags |= first.flags & any
		if codeOnly && s.addr == 0 {
			continue
		}
		if first.flags&(unexpectedReg|inconsistent|reordered) != 0 {
			continue
		}
		if d, ok := c.match(o, first, s); !ok {
			first.flags |= inconsistent
			s.flags |= inconsistent
			differ = d
		}
	}
	return differ
}

// suffixed returns the state that true_signature chooses before any rule: the first at a symbol whose name has a suffix. The
// symbol's name becomes that of the function (rule 02/5.6).
func (c *Collector) suffixed(entry int32, group []uint32) (*state, []byte) {
	for _, i := range group {
		s := &c.states[i]
		if s.addr == 0 || s.flags&(unexpectedReg|uncertainLoc) != 0 {
			continue // in a relocatable file a symbol can have the value 0, and that does not match an abstract instance
		}
		if name := c.table.suffixedAt(entry, s.addr); name != nil {
			return s, name
		}
	}
	return nil, nil
}

// decide checks the rules, of which the last one that applies counts, and chooses the state that represents the group (rules
// 02/5.4 and 02/5.5).
func (c *Collector) decide(entry int32, group []uint32) (Reason, *state) {
	features, first := c.table.opt.Features, &c.states[group[0]]
	canonical := c.canonical(entry, group)
	reason := Kept
	if first.flags&unexpectedReg != 0 {
		reason = UnexpectedRegister
	}
	if first.flags&inconsistent != 0 && features.Has(feature.ConsistentFunc) {
		reason = InconsistentPrototype
	}
	if first.flags&uncertainLoc != 0 {
		reason = UncertainLocation
	}
	if first.flags&reordered != 0 {
		reason = ReorderedParameters
	}
	if c.optimized(entry, canonical) && !features.Has(feature.TrueSignature) {
		reason = OptimizedParameters
	}
	if c.table.entries[entry].flags&ambiguous != 0 {
		reason = AmbiguousAddress
	}
	return reason, canonical
}

// optimized reports whether the compiler changed the parameters of a state's function.
func (c *Collector) optimized(entry int32, s *state) bool {
	return s.flags&optimizedParms != 0 && (s.flags&changedSignature != 0 || c.table.optimizedSymbol(entry, s.addr))
}

// canonical returns the state that represents a group: the first at the address of a symbol whose parameters are unchanged, else
// the first at the address of any symbol, else the first.
func (c *Collector) canonical(entry int32, group []uint32) *state {
	var at *state
	for _, i := range group {
		s := &c.states[i]
		switch {
		case !c.table.hasAddress(entry, s.addr):
		case !c.optimized(entry, s):
			return s
		case at == nil:
			at = s
		}
	}
	if at != nil {
		return at
	}
	return &c.states[group[0]]
}

func (c *Collector) paramsOf(s *state) []param { return c.params[s.first : s.first+s.n] }

// emit appends one function. name is the symbol's name if true_signature has chosen that; otherwise nil.
func (c *Collector) emit(o *btf.Object, i int32, base []byte, s *state, name []byte, stats *Stats) error {
	features, kfunc := c.table.opt.Features, kfuncFlags{}
	if name == nil { // a name that is given has a suffix, by rule 02/5.6
		name, kfunc = base, c.table.kfunc(i)
	}
	ret, ps, err := arenaTypes(o, kfunc, name, s.ret, c.paramsOf(s), features)
	if err != nil {
		return err
	}
	proto := o.Append(0, btf.Info(btf.KindFuncProto, uint32(len(ps))&btf.MaxVlen, false), uint32(ret))
	words := o.Space(2 * len(ps))
	for i, p := range ps {
		words[2*i], words[2*i+1] = p.name, uint32(p.typ)
	}
	id := o.Append(o.Strings.Add(c.identifier(name, stats)), btf.Info(btf.KindFunc, btf.LinkageStatic, false), uint32(proto))
	if s.tags != 0 {
		for _, t := range c.tags[c.runs[s.tags]:c.runs[s.tags+1]] {
			o.Append(t.value, btf.Info(btf.KindDeclTag, 0, false), uint32(id), uint32(t.component))
		}
	}
	kfuncTags(o, kfunc, id, features)
	return nil
}
