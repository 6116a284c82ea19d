package funcs

import (
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
)

// A subprogram can occur in many CUs, and only after all have been read is it clear whether it becomes a FUNC. A state is what is
// stored of one subprogram until then (rule 02/5.2): prototype, address and flags. A localState is the same within its CU, with
// local ids.
type (
	state      = stateOf[btf.ID]
	localState = stateOf[translate.LocalID]
)

type stateOf[T btf.ID | translate.LocalID] struct {
	entry    int32
	flags    stateFlags
	ret      T
	first, n uint32 // its parameters, in the list of all parameters
	tags     uint32 // its tags: index in the list of runs of tags, 0 for none
	addr     uint64
}

type stateFlags uint8

const (
	optimizedParms stateFlags = 1 << iota // a parameter is optimised away or has no location
	unexpectedReg
	uncertainLoc
	reordered
	inconsistent
	changedSignature
)

// A param is one parameter of a state: the offset of its name in the object's string table, and its type.
type param struct {
	name uint32
	typ  btf.ID
}

// A localParam is one parameter of a localState.
type localParam struct {
	name dwarf.StrKey
	typ  translate.LocalID
}

// A reduction is a parameter of which only one member is left.
type reduction struct {
	param uint32 // in Unit.params
	name  []byte // the name of the parameter combined with that of the member
}

// A tag is a declaration tag of a function.
type tag struct {
	value     uint32
	component int32
}

// A Unit is what one CU says about functions. Names are string keys, types are local ids. It is reused.
type Unit struct {
	states  []localState
	params  []localParam
	reduced []reduction
	tags    [][]translate.DeclTag // tags[state.tags-1]

	place    dwarf.Place
	nameless []nameless
}

// Forget drops what refers to an image, and keeps memory for another unit.
func (u *Unit) Forget() {
	*u = Unit{states: u.states[:0], params: u.params[:0], reduced: u.reduced[:0]}
}

// Analyze selects the subprograms of a unit that can become functions, and judges their parameters. t and fs must be the
// translation of u; table must be that of the image.
func (a *Analyzer) Analyze(u *dwarf.Unit, t *translate.Unit, fs *translate.Subprograms, table *Table, out *Unit) {
	out.states, out.params, out.reduced, out.tags = out.states[:0], out.params[:0], out.reduced[:0], out.tags[:0]
	out.place, out.nameless = t.Place, out.nameless[:0]
	a.u, a.t, a.fs, a.conv, a.addr = u, t, fs, table.conv, int(t.AddrSize)
	a.peer = table.opt.Peer
	a.packer.start(t, a.conv.maxAlign)
	a.reduce, a.members = u.Clang && table.opt.Features.Has(feature.TrueSignature), a.members[:0]
	a.facts = slices.Grow(a.facts[:0], len(fs.Params))[:len(fs.Params)]
	for i := range fs.Funcs {
		if f := &fs.Funcs[i]; f.Elf >= 0 {
			for j := f.First; j < f.First+f.N; j++ {
				a.read(int(j))
			}
		}
	}
	for i := range fs.Params {
		// Parameters of a block, or of a function without a symbol, can be origins. They only receive facts.
		if j := fs.Params[i].Origin; j >= 0 && !fs.Params[i].HasType {
			a.receive(int(j))
		}
	}
	for i := range fs.Funcs {
		if f := &fs.Funcs[i]; f.Elf >= 0 {
			for j := f.First; j < f.First+f.N; j++ {
				a.share(int(j))
			}
		}
	}
	// Below this line facts are complete.
	for i := range fs.Funcs {
		if f := &fs.Funcs[i]; f.Elf >= 0 && !f.Decl {
			a.save(f, out)
		} else if f.Elf < 0 && f.Addr != 0 && f.Name != 0 {
			out.nameless = append(out.nameless, nameless{f.Off, f.Name, f.Addr})
		}
	}
}

// receive initialises the facts of a parameter that is only an origin.
func (a *Analyzer) receive(i int) {
	if f := &a.facts[i]; f.slots == 0 {
		*f = facts{reg: noReg, slots: 1}
	}
}

func (a *Analyzer) save(f *translate.Func, u *Unit) {
	fs := a.facts[f.First : f.First+f.N]
	ps := a.fs.Params[f.First : f.First+f.N]
	for i := range ps {
		if a.t.Strings.Empty(ps[i].Name) {
			return
		}
	}
	s := localState{entry: f.Elf, ret: f.Type, first: uint32(len(u.params)), addr: f.Addr}
	s.flags = a.flags(f, ps, fs)
	changed := a.reduce && s.flags&changedSignature != 0
	for i := range ps {
		if s.flags&reordered != 0 && (!fs[i].hasLoc || fs[i].optimized) || changed && fs[i].optimized {
			continue
		}
		if changed && a.namedAfterMember(&fs[i], &ps[i]) {
			name := a.reducedName(ps[i].Name, a.members[fs[i].reduced-1].name)
			u.reduced = append(u.reduced, reduction{uint32(len(u.params)), name})
		}
		u.params = append(u.params, localParam{ps[i].Name, a.typeOf(&fs[i], &ps[i])})
	}
	if f.Variadic {
		u.params = append(u.params, localParam{})
	}
	s.n = uint32(len(u.params)) - s.first
	if own := translate.TagsOf(a.fs.Tags, f.Off); len(own) != 0 {
		u.tags = append(u.tags, slices.Clone(own))
		s.tags = uint32(len(u.tags))
	}
	u.states = append(u.states, s)
}

// flags judges a function (rules 01/8.4, 01/9.4, 01/9.5 and 01/10.4).
func (a *Analyzer) flags(f *translate.Func, ps []translate.Param, fs []facts) stateFlags {
	var flags stateFlags
	clang := a.u.Clang
	if clang && a.changedSignature(f) {
		flags |= changedSignature
	}
	switch {
	case clang && flags&changedSignature == 0:
		a.judgeClang(fs, ps)
	case a.reduce:
		a.judgeChanged(fs, ps)
	default:
		a.judge(fs, ps)
	}
	hasStruct := false
	for i := range ps {
		if fs[i].optimized || !fs[i].hasLoc {
			flags |= optimizedParms
		}
		if fs[i].unexpected {
			flags |= unexpectedReg
		}
		hasStruct = hasStruct || a.isStruct(a.typeOf(&fs[i], &ps[i]))
		if p := &ps[i]; !p.HasType && p.Origin >= 0 && p.Index != a.fs.Params[p.Origin].Index {
			flags |= reordered
		}
	}
	if hasStruct {
		flags &^= unexpectedReg
	}
	if a.uncertain(fs, ps) {
		flags |= uncertainLoc
	}
	return flags
}

// nocall is DW_CC_nocall.
const nocall = 3

func (a *Analyzer) changedSignature(f *translate.Func) bool {
	if f.Inline {
		return false
	}
	if f.Origin >= 0 {
		return a.fs.Funcs[f.Origin].CallConv == nocall
	}
	return f.CallConv == nocall
}

// isStruct reports whether a type is a struct. It looks through const and typedef only.
func (a *Analyzer) isStruct(id translate.LocalID) bool {
	for range maxTypes {
		if id == 0 {
			return false
		}
		r := a.t.Types.At(btf.ID(id))
		switch r.Kind() {
		case btf.KindStruct:
			return true
		case btf.KindConst, btf.KindTypedef:
			id = translate.LocalID(r[2])
		default:
			return false
		}
	}
	return false
}

// uncertain reports whether a parameter beyond the argument registers is a packed struct with a name, directly and not through a
// typedef.
func (a *Analyzer) uncertain(fs []facts, ps []translate.Param) bool {
	if len(ps) < a.conv.registers {
		return false
	}
	for i := a.conv.registers; i < len(ps); i++ {
		id := a.typeOf(&fs[i], &ps[i])
		if id == 0 {
			continue
		}
		r := a.t.Types.At(btf.ID(id))
		if r.Kind() == btf.KindStruct && r.Name() != 0 && a.packer.packed(id) {
			return true
		}
	}
	return false
}

// A Collector collects the states of all CUs, in CU order.
type Collector struct {
	table  *Table
	states []state
	params []param
	tags   []tag
	strays []stray
	runs   []uint32 // runs of tags: run i starts at runs[i] in tags, and ends where run i+1 starts

	matcher matcher
}

// NewCollector gathers functions of a table.
func NewCollector(t *Table) *Collector { return &Collector{table: t, runs: []uint32{0, 0}} }

// MakeRoom allocates space for this many states and parameters, before the first is added. Memory that is not touched costs
// nothing.
func (c *Collector) MakeRoom(states, params int) {
	c.states, c.params = make([]state, 0, states), make([]param, 0, params)
}

// Add adds the states of a unit. mapID turns local ids into ids of the object. The names of parameters and the tags enter the
// object's string table here, whether or not the function will be emitted (rule 02/1.2).
func (c *Collector) Add(o *btf.Object, u *Unit, mapID func(local translate.LocalID) btf.ID, name, text func(key dwarf.StrKey, limit int) uint32) {
	reduced, limit := u.reduced, c.table.opt.maxName()
	for i := range u.states {
		own := &u.states[i]
		s := state{entry: own.entry, flags: own.flags, ret: mapID(own.ret), first: uint32(len(c.params)), n: own.n, addr: own.addr}
		from := u.params[own.first : own.first+own.n]
		for j, p := range from {
			off := uint32(0)
			if len(reduced) > 0 && reduced[0].param == own.first+uint32(j) {
				off, reduced = o.Strings.Add(reduced[0].name[:min(len(reduced[0].name), limit)]), reduced[1:]
			} else {
				off = name(p.name, limit)
			}
			c.params = append(c.params, param{off, mapID(p.typ)})
		}
		if own.tags != 0 {
			for _, t := range u.tags[own.tags-1] {
				c.tags = append(c.tags, tag{text(t.Value, limit), t.Component})
			}
			s.tags = uint32(len(c.runs)) - 1
			c.runs = append(c.runs, uint32(len(c.tags)))
		}
		c.states = append(c.states, s)
	}
}

// Names appends the keys of the names of all parameters.
func (u *Unit) Names(keys []uint32) []uint32 {
	for i := range u.params {
		keys = append(keys, uint32(u.params[i].name))
	}
	return keys
}

// Len returns the number of states that were added.
func (c *Collector) Len() int { return len(c.states) }

// Retype maps the types of a unit's states again. first is the value of Len before they were added.
func (c *Collector) Retype(first int, u *Unit, mapID func(local translate.LocalID) btf.ID) {
	for i := range u.states {
		from, to := &u.states[i], &c.states[first+i]
		to.ret = mapID(from.ret)
		for j := range from.n {
			c.params[to.first+j].typ = mapID(u.params[from.first+j].typ)
		}
	}
}

// Renumber maps every type id that the states hold.
func (c *Collector) Renumber(move func(id btf.ID) btf.ID) { c.RenumberSome(0, len(c.states), move) }

// RenumberSome maps every type id that the states from number first on hold, up to number end.
func (c *Collector) RenumberSome(first, end int, move func(id btf.ID) btf.ID) {
	if first == end {
		return
	}
	params := uint32(len(c.params))
	if end < len(c.states) {
		params = c.states[end].first
	}
	for i := c.states[first].first; i < params; i++ {
		c.params[i].typ = move(c.params[i].typ)
	}
	for i := first; i < end; i++ {
		c.states[i].ret = move(c.states[i].ret)
	}
}
