package cause

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// An enumerator is a name and its value.
type enumerator struct {
	name  string
	value int64
	nth   int32 // index among those with the same name, which C does not allow
}

// enumeratorsOf lists the enumerators of an enum.
func (s *side) enumeratorsOf(id uint32) (list []enumerator, signed bool) {
	r, ok := s.record(id)
	if !ok || categoryOf(r) != enumName {
		return nil, false
	}
	each := int(btf.ShapeOf(r.Kind()).Each)
	for e := r[3:]; len(e) >= each; e = e[each:] {
		list = append(list, enumerator{name: string(s.text(e[0])), value: r.EnumValue(e)})
	}
	seen := make(map[string]int32, len(list))
	for i := range list {
		list[i].nth = seen[list[i].name]
		seen[list[i].name]++
	}
	return list, r.Kflag()
}

func valueText(v int64, signed bool) string {
	if signed {
		return strconv.FormatInt(v, 10)
	}
	return strconv.FormatUint(uint64(v), 10)
}

// enumChanges lists the changes between two enums.
func enumChanges(old *side, o uint32, new *side, n uint32) (changes []Change) {
	was, wasSigned := old.enumeratorsOf(o)
	is, isSigned := new.enumeratorsOf(n)
	type name struct {
		text string
		nth  int32
	}
	at := make(map[name]int32, len(was))
	for i, e := range was {
		at[name{e.name, e.nth}] = int32(i)
	}
	to, from := make([]int32, len(was)), make([]int32, len(is))
	for i := range to {
		to[i] = -1
	}
	for j, e := range is {
		from[j] = -1
		if i, ok := at[name{e.name, e.nth}]; ok {
			to[i], from[j] = int32(j), i
		}
	}
	renamed := renamedEnumerators(was, is, to, from)
	var list []placed
	var order []int32
	for j, e := range is {
		c := Change{Part: Enumerator, Path: e.name, New: valueText(e.value, isSigned)}
		i := from[j]
		switch {
		case i < 0:
			c.Op, c.Rule, c.Severity = Added, EnumValueAdded, Add
		case renamed[j]:
			c.Op, c.Rule, c.Severity = Renamed, EnumValueRemoved, Break
			c.OldPath, c.Old = was[i].name, valueText(was[i].value, wasSigned)
		default:
			order = append(order, i)
			if was[i].value == e.value {
				continue
			}
			c.Op, c.Rule, c.Severity, c.Old = Changed, EnumValueChanged, Break, valueText(was[i].value, wasSigned)
		}
		list = append(list, placed{int32(j), false, c})
	}
	last := int32(-1)
	for i, e := range was {
		if to[i] >= 0 {
			last = to[i]
			continue
		}
		list = append(list, placed{last, true, Change{Part: Enumerator, Path: e.name, Op: Removed, Rule: EnumValueRemoved, Severity: Break, Old: valueText(e.value, wasSigned)}})
	}
	slices.SortStableFunc(list, func(a, b placed) int {
		if a.at != b.at || a.after == b.after {
			return cmp.Compare(a.at, b.at)
		}
		return less(b.after)
	})
	for i := range list {
		changes = append(changes, list[i].Change)
	}
	if wasSigned != isSigned {
		word := map[bool]string{false: "unsigned", true: "signed"}
		changes = append(changes, Change{Part: Encoding, Op: Changed, Rule: TypeEncoding, Severity: Neutral, Old: word[wasSigned], New: word[isSigned]})
	}
	if !slices.IsSorted(order) {
		changes = append(changes, Change{Part: Enumerator, Op: Moved, Rule: OrderRule, Severity: Neutral, New: "another order"})
	}
	return changes
}

// renamedEnumerators pairs enumerators without partners that are the only ones with their value on either side.
func renamedEnumerators(was, is []enumerator, to, from []int32) []bool {
	renamed := make([]bool, len(is))
	type candidates struct{ old, new, oldCount, newCount int32 }
	found := make(map[int64]candidates)
	for i, e := range was {
		if to[i] < 0 {
			c := found[e.value]
			c.old, c.oldCount = int32(i), c.oldCount+1
			found[e.value] = c
		}
	}
	for j, e := range is {
		if c, ok := found[e.value]; ok && from[j] < 0 {
			c.new, c.newCount = int32(j), c.newCount+1
			found[e.value] = c
		}
	}
	for _, c := range found { // each pair has other enumerators
		if c.oldCount == 1 && c.newCount == 1 {
			to[c.old], from[c.new], renamed[c.new] = c.new, c.old, true
		}
	}
	return renamed
}

// A parameter is a parameter of a prototype.
type parameter struct {
	name string
	typ  uint32
	own  uint64
	tags uint64
	last bool // the dots at the end of the list
}

// prototype returns the return type and the parameters of a function.
func (s *side) prototype(id btf.ID) (returns uint32, list []parameter, ok bool) {
	f, _ := s.record(uint32(id))
	r, ok := s.record(f[2])
	if !ok || r.Kind() != btf.KindFuncProto {
		return 0, nil, false
	}
	for i, p := 0, r[3:]; len(p) >= 2; i, p = i+1, p[2:] {
		list = append(list, parameter{string(s.text(p[0])), p[1], s.ref(p[1]).own, s.tags.hash(s, uint32(id), int32(i)),
			p[0] == 0 && p[1] == 0 && len(p) == 2})
	}
	return r[2], list, true
}

// parameterText spells a parameter.
func (s *side) parameterText(p parameter) string {
	if p.last {
		return "..."
	}
	return s.declared(p.typ, p.name)
}

// signature compares two functions. It returns the changes, and both functions spelled as one, parameter by parameter.
func signature(old *side, o btf.ID, new *side, n btf.ID) (changes, all []Change) {
	wasReturned, was, ok := old.prototype(o)
	isReturned, is, ok2 := new.prototype(n)
	if !ok || !ok2 {
		a, b := spellings(old, uint32(o), new, uint32(n))
		return []Change{{Part: Whole, Op: Changed, Rule: FuncSignature, Severity: Break, Old: a, New: b}}, nil
	}
	add := func(c Change) {
		if all = append(all, c); c.Op != Same {
			changes = append(changes, c)
		}
	}
	c := Change{Part: Returned, Op: Same, Old: old.spell(wasReturned), New: new.spell(isReturned)}
	if old.ref(wasReturned).own != new.ref(isReturned).own {
		c.Op, c.Rule, c.Severity = Changed, FuncSignature, severityOfTypes(old, wasReturned, new, isReturned)
		c.Old, c.New = spellings(old, wasReturned, new, isReturned)
	}
	add(c)
	for _, s := range aligned(old, was, new, is) {
		switch i, j := s[0], s[1]; {
		case i < 0:
			add(Change{Part: Parameter, Path: parameterName(is, j), Op: Added, Rule: FuncSignature, Severity: Break, New: new.parameterText(is[j])})
		case j < 0:
			add(Change{Part: Parameter, Path: parameterName(was, i), Op: Removed, Rule: FuncSignature, Severity: Break, Old: old.parameterText(was[i])})
		default:
			for _, c := range parameterChanges(old, o, was, i, new, n, is, j) {
				add(c)
			}
		}
	}
	return changes, all
}

// parameterChanges compares a parameter of both sides.
func parameterChanges(old *side, o btf.ID, was []parameter, i int, new *side, n btf.ID, is []parameter, j int) []Change {
	a, b := was[i], is[j]
	c := Change{Part: Parameter, Path: parameterName(is, j), Op: Same, Old: old.parameterText(a), New: new.parameterText(b)}
	if a.own != b.own {
		c.Op, c.Rule, c.Severity = Changed, FuncSignature, severityOfTypes(old, a.typ, new, b.typ)
		c.Old, c.New = spellings(old, a.typ, new, b.typ)
	} else if a.name != b.name {
		c.Op, c.Rule, c.Severity = Renamed, FuncSignature, Neutral
		c.Old, c.New = old.spell(a.typ), new.spell(b.typ)
	}
	if c.Op != Same && a.name != b.name {
		c.OldPath = parameterName(was, i)
	}
	list := []Change{c}
	if a.tags != b.tags {
		list = append(list, Change{Part: Tag, Path: c.Path, Op: Changed, Rule: TagRule, Severity: Neutral,
			Old: old.tagText(uint32(o), int32(i)), New: new.tagText(uint32(n), int32(j))})
	}
	return list
}

// parameterName returns the name of a parameter, or its number.
func parameterName(list []parameter, i int) string {
	if list[i].name != "" {
		return list[i].name
	}
	return "#" + strconv.Itoa(i+1)
}

// aligned is alignParameters with a result that stays the same if the two sides are exchanged.
func aligned(old *side, was []parameter, new *side, is []parameter) [][2]int {
	texts := func(s *side, list []parameter) (t []string) {
		for _, p := range list {
			t = append(t, s.parameterText(p))
		}
		return t
	}
	if slices.Compare(texts(old, was), texts(new, is)) <= 0 {
		return alignParameters(was, is)
	}
	list := alignParameters(is, was)
	for i := range list {
		list[i][0], list[i][1] = list[i][1], list[i][0]
	}
	return list
}

// alignParameters pairs the parameters of both sides, keeping the order: pairs of indices, -1 if one side has none. It pairs as many as
// possible that agree in name and type, and then in one of them.
func alignParameters(was, is []parameter) (list [][2]int) {
	if len(was)*len(is) > maxAligned {
		for i := range max(len(was), len(is)) {
			s := [2]int{i, i}
			if i >= len(was) {
				s[0] = -1
			}
			if i >= len(is) {
				s[1] = -1
			}
			list = append(list, s)
		}
		return list
	}
	// best[i][j] is the best score of was[i:] and is[j:].
	best := make([][]int, len(was)+1)
	for i := range best {
		best[i] = make([]int, len(is)+1)
	}
	worth := func(i, j int) int {
		n := 0
		if was[i].own == is[j].own {
			n += 3
		}
		if was[i].name == is[j].name && was[i].name != "" {
			n += 4
		}
		if n == 0 && len(was) == len(is) && i == j {
			n = 1
		}
		return n
	}
	for i := len(was) - 1; i >= 0; i-- {
		for j := len(is) - 1; j >= 0; j-- {
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if n := worth(i, j); n > 0 {
				best[i][j] = max(best[i][j], n+best[i+1][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(was) || j < len(is); {
		switch {
		case i < len(was) && j < len(is) && worth(i, j) > 0 && best[i][j] == worth(i, j)+best[i+1][j+1]:
			list = append(list, [2]int{i, j})
			i, j = i+1, j+1
		case j == len(is) || i < len(was) && best[i][j] == best[i+1][j]:
			list = append(list, [2]int{i, -1})
			i++
		default:
			list = append(list, [2]int{-1, j})
			j++
		}
	}
	return list
}

// maxAligned is the largest number of pairs of parameters that are compared each with each.
const maxAligned = 1 << 14
