package show

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// Two kernels differ in thousands of declarations. A text that shows some of every kind at length is too long to read and says little of
// the rest. The short form fits Screens: the causes with most impact in full, those after them on a line each, and all others in groups by
// what happened to them. Long lists of names are counted by the first word of the names, which is how kernel code names its subsystems.

// Screens is the largest number of lines of a text that is neither verbose nor has a limit: two screens of 50 lines.
const Screens = 100

// A level says how much the short form shows. The first level whose text fits is used.
type level struct {
	full    int // causes with their changes
	changes int // of each of these
	brief   int // causes on a line each
	many    int // substitutions
	vars    int // of each section
	secs    int // sections
}

var levels = []level{
	{10, 4, 12, 8, 8, 3}, {8, 3, 12, 8, 6, 2}, {6, 3, 12, 6, 5, 2}, {5, 3, 10, 6, 4, 2}, {4, 3, 10, 5, 4, 2}, {3, 2, 8, 4, 3, 1}, {2, 2, 6, 3, 2, 1},
}

// short writes the short form.
func (t *texter) short(l level, lists *declared) {
	t.overview()
	t.clip = true
	t.shortCauses(l)
	t.shortSubstitutions(l.many)
	t.shortFunctions()
	t.shortSections(l, lists.variables)
	t.shortLists(lists)
	t.verdict()
	t.line(2, dim, "shortened to fit two screens: -v shows all changes, --limit 0 all causes, --all everything")
}

// lines counts the lines that have been written.
func (t *texter) lines() int { return strings.Count(t.b.String(), "\n") }

// cut shortens a text to some columns.
func cut(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	return strings.TrimRight(string([]rune(text[:min(len(text), 4*columns)])[:columns-1]), " ,") + "…"
}

// fill writes a line with as many names as there is space for. of is how many there are in all, and note follows them.
func (t *texter) fill(color, start string, names []string, of int) {
	text := start
	shown := 0
	for _, name := range names {
		more := ""
		if rest := of - shown - 1; rest > 0 {
			more = fmt.Sprintf(" and %d more", rest)
		}
		next := name
		if shown > 0 {
			next = ", " + name
		}
		if utf8.RuneCountInString(text)+utf8.RuneCountInString(next)+len(more) > t.width {
			break
		}
		text += next
		shown++
	}
	switch rest := of - shown; {
	case shown == 0 && of == 1: // the name alone is too long
		text += names[0]
	case shown == 0:
		text = strings.TrimSuffix(text, ": ")
	case rest > 0:
		text += fmt.Sprintf(" and %d more", rest)
	}
	t.line(0, color, text)
}

// shortCauses writes changed types: some in full, some on a line each, and the rest in groups.
func (t *texter) shortCauses(l level) {
	n := 0
	var rest []*cause.Cause
	for i := range t.c.Causes {
		x := &t.c.Causes[i]
		if !isType(x) {
			continue
		}
		switch n++; {
		case n <= l.full:
			if n == 1 {
				t.head("causes, those with most impact first")
			}
			t.shortCause(x, l.changes)
		case n <= l.full+l.brief:
			t.causeLine(x)
		default:
			rest = append(rest, x)
		}
	}
	if len(rest) == 0 {
		return
	}
	t.line(0, plain, fmt.Sprintf("and %s with less impact:", count(len(rest), "more", "more")))
	t.groups(rest, typeGroups, false)
}

// causeLine writes a cause on one line.
func (t *texter) causeLine(x *cause.Cause) {
	right := "[" + severityWord[x.Severity] + "]"
	if x.Accepted != "" {
		right = "[accepted]"
	}
	if n := x.Impact.Total(); n > 0 {
		right += fmt.Sprintf(" impact %d", n)
	}
	some := *x
	some.Members = slices.Clone(x.Members)
	slices.SortStableFunc(some.Members, func(a, b cause.Change) int { return cmp.Compare(weight(&a), weight(&b)) })
	t.sides(0, signColor[signs[x.Op]], cut(briefText(&some), t.width-utf8.RuneCountInString(right)-2), right)
}

// shortCause writes a cause with its most important changes.
func (t *texter) shortCause(x *cause.Cause, most int) {
	t.sides(0, signColor[signs[x.Op]], heading(x), "["+severityWord[x.Severity]+"]")
	all := x.Members
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(weight(&all[i]), weight(&all[j])) })
	keep := slices.Clone(order[:min(len(order), most)])
	slices.Sort(keep)
	some := *x
	some.Members = make([]cause.Change, len(keep))
	for i, k := range keep {
		some.Members[i] = all[k]
	}
	lines, hints, _ := changeLines(&some, true)
	for i, line := range lines {
		t.sides(4, signColor[line[:1]], cut(line, t.width-6), "")
		if hints[i] != "" {
			t.line(8, dim, hints[i])
		}
	}
	var parts []string
	if n := len(all) - len(keep); n > 0 {
		parts = append(parts, count(n, "more change", "more changes")+" (-v)")
	}
	moved := 0
	for _, s := range x.Shifts {
		moved += s.Count
	}
	switch {
	case len(x.Shifts) == 1:
		s := &x.Shifts[0]
		parts = append(parts, fmt.Sprintf("%s from %s on: %s", count(s.Count, "member", "members"), escape.Line(s.From), distance(*s)))
	case moved > 0:
		parts = append(parts, count(moved, "member", "members")+" only moved")
	}
	if len(x.Because) > 0 {
		parts = append(parts, "because of "+refs(x.Because, 1))
	}
	if len(parts) > 0 {
		t.line(4, plain, "… "+strings.Join(parts, " · "))
	}
	if text := impact(&x.Impact); text != "" {
		t.line(4, plain, "→ "+text)
	}
	t.notAccepted(x)
}

// weight ranks the changes of a cause. Members without a size, which mark places, and members that only moved come last.
func weight(m *cause.Change) int {
	switch {
	case m.Part == cause.Member && m.Op == cause.Moved:
		return 3
	case m.Op == cause.Added && m.NewAt != nil && m.NewAt.Bytes == 0, m.Op == cause.Removed && m.OldAt != nil && m.OldAt.Bytes == 0:
		return 4
	case m.Severity == cause.Break:
		return 0
	case m.Op == cause.Added:
		return 1
	}
	return 2
}

// A group is a set of causes to which something similar happened.
type group struct {
	one, many string
	has       func(x *cause.Cause) bool
}

func hasRule(rules ...cause.Rule) func(x *cause.Cause) bool {
	return func(x *cause.Cause) bool {
		return slices.ContainsFunc(x.Rules, func(r cause.Rule) bool { return slices.Contains(rules, r) })
	}
}

// typeGroups are the groups of types. A type belongs to the first that fits.
var typeGroups = []group{
	{"type lost or renamed members", "types lost or renamed members", hasRule("member-removed", "member-renamed")},
	{"enum lost or renumbered values", "enums lost or renumbered values", hasRule("enum-value-removed", "enum-value-changed")},
	{"type has members of another type", "types have members of another type", hasRule("member-type", "member-width")},
	{"typedef stands for another type", "typedefs stand for other types", hasRule("type-target")},
	{"type got members", "types got members", hasRule("member-added")},
	{"enum got values", "enums got values", hasRule("enum-value-added")},
	{"type changed otherwise", "types changed otherwise", func(*cause.Cause) bool { return true }},
}

// groups writes a line for each group that has causes. With words, many names are counted by their first words.
func (t *texter) groups(list []*cause.Cause, groups []group, words bool) {
	names := make([][]string, len(groups))
	for _, x := range list {
		i := slices.IndexFunc(groups, func(g group) bool { return g.has(x) })
		names[i] = append(names[i], escape.Line(x.Name))
	}
	for i, g := range groups {
		n := len(names[i])
		start := "~ " + count(n, g.one, g.many) + ": "
		switch {
		case n == 0:
		case words:
			t.fillWords(yellow, start, names[i])
		default:
			t.fill(yellow, start, plainFirst(names[i]), n)
		}
	}
}

// plainFirst puts names that start with _ or . behind the others: they are internal helpers.
func plainFirst(names []string) []string {
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(strings.IndexByte("_.", (a + "x")[0])+1, strings.IndexByte("_.", (b + "x")[0])+1)
	})
	return names
}

// shortSubstitutions writes a line for each of the most frequent substitutions.
func (t *texter) shortSubstitutions(most int) {
	list := t.c.Substitutions
	if len(list) == 0 {
		return
	}
	t.head("the same change in many places")
	for i := range list[:min(len(list), most)] {
		s := &list[i]
		words := partWords[s.Part]
		var names []string
		for _, id := range s.Causes {
			names = append(names, escape.Line(t.c.Causes[id-1].Name))
		}
		start := fmt.Sprintf("~ %s  %s → %s", words[0], escape.Line(s.Old), escape.Line(s.New))
		t.fill(yellow, cut(start, t.width*2/3)+"   "+count(len(names), words[1], words[2])+": ", plainFirst(names), len(names))
	}
	if n := len(list) - most; n > 0 {
		t.line(2, dim, fmt.Sprintf("… %d more (--limit 0 lists all)", n))
	}
}

// changed reports whether some part of a signature changed in a way.
func changed(part cause.Part, ops ...cause.Op) func(x *cause.Cause) bool {
	return func(x *cause.Cause) bool {
		return slices.ContainsFunc(x.Members, func(m cause.Change) bool { return m.Part == part && slices.Contains(ops, m.Op) })
	}
}

// functionGroups are the groups of functions with another signature.
var functionGroups = []group{
	{"lost parameters", "lost parameters", changed(cause.Parameter, cause.Removed)},
	{"got parameters", "got parameters", changed(cause.Parameter, cause.Added)},
	{"takes another type", "take other types", func(x *cause.Cause) bool {
		return slices.ContainsFunc(x.Members, func(m cause.Change) bool {
			return m.Part == cause.Parameter && m.Old != m.New && m.Severity == cause.Break
		})
	}},
	{"returns another type", "return another type", changed(cause.Returned, cause.Changed)},
	{"changed in ways that break nothing", "changed in ways that break nothing", func(x *cause.Cause) bool { return x.Severity != cause.Break }},
	{"changed otherwise", "changed otherwise", func(*cause.Cause) bool { return true }},
}

// shortFunctions writes the functions with another signature, in groups.
func (t *texter) shortFunctions() {
	var list []*cause.Cause
	for i := range t.c.Causes {
		if x := &t.c.Causes[i]; x.Kind == cause.Func && x.Op == cause.Changed && x.Substitution == 0 {
			list = append(list, x)
		}
	}
	if len(list) > 0 {
		t.head(count(len(list), "function", "functions") + " changed")
		t.groups(list, functionGroups, true)
	}
}

// shortSections writes the sections, those with most changes first, and the variables without a section, whose names it gets.
func (t *texter) shortSections(l level, variables []string) {
	order := make([]*cause.SectionChange, len(t.c.Sections))
	for i := range order {
		order[i] = &t.c.Sections[i]
	}
	slices.SortStableFunc(order, func(a, b *cause.SectionChange) int { return len(b.Causes) - len(a.Causes) })
	for _, s := range order[:min(len(order), l.secs)] {
		t.shortSection(s, l.vars)
	}
	if n := len(order) - l.secs; n > 0 {
		t.line(0, plain, fmt.Sprintf("and %s (--limit 0 lists all)", count(n, "more section", "more sections")))
	}
	if n := len(variables); n > 0 {
		t.head("variables")
		t.fill(yellow, "~ "+count(n, "variable", "variables")+" changed: ", variables, n)
	}
}

func (t *texter) shortSection(s *cause.SectionChange, most int) {
	t.head("section " + escape.Line(s.Name) + "   " + sectionSizes(s))
	var changed []*cause.Cause
	var added, removed, elsewhere []string
	for _, id := range s.Causes {
		x := &t.c.Causes[id-1]
		name := escape.Line(x.Name)
		switch {
		case x.Op == cause.Added:
			added = append(added, name)
		case x.Op == cause.Removed:
			removed = append(removed, name)
		case onlyPlace(x):
			elsewhere = append(elsewhere, name)
		default:
			changed = append(changed, x)
		}
	}
	for _, x := range changed[:min(len(changed), most)] {
		t.causeLine(x)
	}
	if n := len(changed) - most; n > 0 {
		var names []string
		for _, x := range changed[most:] {
			names = append(names, escape.Line(x.Name))
		}
		t.fill(yellow, fmt.Sprintf("~ %d more: ", n), names, n)
	}
	t.some(red, "- %s: ", removed)
	t.some(green, "+ %s: ", added)
	t.some(yellow, "~ %s moved past others or aligned otherwise: ", elsewhere)
	var grown []string
	for i := range s.Grown {
		grown = append(grown, escape.Line(s.Grown[i].Name)+" "+delta(s.Grown[i].Size.Delta()))
	}
	t.some(plain, "~ %s changed their size because their types did: ", grown)
	if text, more := onlyMoved(s, maxDistances); text != "" {
		if more > 0 {
			text += fmt.Sprintf(" and by %s", count(more, "other distance", "other distances"))
		}
		t.line(2, plain, text)
	}
}

// some writes a line with variables, if there are any.
func (t *texter) some(color, format string, names []string) {
	if n := len(names); n > 0 {
		t.fill(color, fmt.Sprintf(format, count(n, "variable", "variables")), names, n)
	}
}

// manyNames is the number of names from which on they are counted by their first words.
const manyNames = 40

// declared holds the names of the declarations that were renamed, removed and added, and of the changed variables without a section.
type declared struct {
	renamed   []string
	variables []string
	lists     []nameList
}

// A nameList holds the names of removed or of added declarations of one kind, and the number of those without a name.
type nameList struct {
	op      cause.Op
	kind    cause.Kind
	names   []string
	unnamed int
}

// gatherLists collects the names that the short form writes at all its levels.
func gatherLists(c *cause.Comparison) *declared {
	d := &declared{}
	placed := inSections(c)
	for i := range c.Causes {
		x := &c.Causes[i]
		if x.RenamedTo != "" {
			d.renamed = append(d.renamed, escape.Line(x.Name)+" → "+escape.Line(x.RenamedTo))
		}
		if x.Kind == cause.Var && x.Op == cause.Changed && x.Substitution == 0 && !placed[x.ID] {
			d.variables = append(d.variables, escape.Line(x.Name))
		}
	}
	for _, k := range byKind(c, placed) {
		l := nameList{op: k.op, kind: k.kind}
		for _, x := range k.causes {
			if unnamed(x) {
				l.unnamed++
			} else {
				l.names = append(l.names, escape.Line(x.Name))
			}
		}
		d.lists = append(d.lists, l)
	}
	plainFirst(d.renamed)
	return d
}

// shortLists writes the removed and added declarations, a line for each kind.
func (t *texter) shortLists(d *declared) {
	if n := len(d.renamed); n > 0 {
		t.head("renamed, with the same content")
		t.fill(yellow, "~ "+count(n, "declaration", "declarations")+": ", d.renamed, n)
	}
	var last cause.Op
	for i := range d.lists {
		l := &d.lists[i]
		if l.op != last {
			t.head(string(l.op))
			last = l.op
		}
		start := signs[l.op] + " " + kindCount(l.kind, len(l.names)+l.unnamed)
		if l.unnamed > 0 {
			start += fmt.Sprintf(", %d of them without a name", l.unnamed)
		}
		if len(l.names) > 0 {
			start += ": "
		}
		t.fillWords(signColor[signs[l.op]], start, l.names)
	}
}

// A word is the number of names that start with it.
type word struct {
	text string
	n    int
}

// byFirstWord counts names by their first words, the most frequent first. It leaves out names that are the only one with their word, and
// names of one word.
func byFirstWord(names []string) (words []word) {
	counts := map[string]int{}
	for _, name := range names {
		if first, _, ok := strings.Cut(strings.TrimLeft(name, "_."), "_"); ok && first != "" {
			counts[first]++
		}
	}
	for _, text := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[text]; n > 1 {
			words = append(words, word{text, n})
		}
	}
	slices.SortStableFunc(words, func(a, b word) int { return b.n - a.n })
	return words
}

// fillWords is fill, but it counts many names by their first words.
func (t *texter) fillWords(color, start string, names []string) {
	words := byFirstWord(names)
	if len(names) < manyNames || len(words) == 0 {
		t.fill(color, start, plainFirst(names), len(names))
		return
	}
	text, rest := start, len(names)
	for i, w := range words {
		item := fmt.Sprintf("%d %s_*", w.n, w.text)
		if i > 0 {
			item = ", " + item
		}
		if utf8.RuneCountInString(text)+utf8.RuneCountInString(item)+3 > t.width {
			break
		}
		text += item
		rest -= w.n
	}
	switch {
	case rest == len(names): // the first word alone is too long
		text = strings.TrimSuffix(start, ": ")
	case rest > 0:
		text += ", …"
	}
	t.line(0, color, text)
}
