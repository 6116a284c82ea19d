package show

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// partWords are the words for the part that a substitution is about.
var partWords = map[cause.Part][3]string{
	cause.Parameter: {"parameter", "function", "functions"}, cause.Returned: {"returned", "function", "functions"},
	cause.Member: {"member", "type", "types"}, cause.Target: {"type", "declaration", "declarations"},
}

// substitutions writes which types replaced others in many places.
func (t *texter) substitutions() {
	list := t.c.Substitutions
	if len(list) == 0 {
		return
	}
	t.head("the same change in many places")
	most := min(len(list), t.other())
	for i := range list[:most] {
		s := &list[i]
		words := partWords[s.Part]
		var names []string
		for _, id := range s.Causes[:min(len(s.Causes), t.names(maxWords/2))] {
			names = append(names, escape.Line(t.c.Causes[id-1].Name))
		}
		text := strings.Join(names, ", ")
		if n := len(s.Causes) - len(names); n > 0 {
			text += fmt.Sprintf(" and %d more", n)
		}
		t.line(0, yellow, fmt.Sprintf("~ %s  %s → %s", words[0], escape.Line(s.Old), escape.Line(s.New)))
		t.line(4, plain, fmt.Sprintf("in %s: %s", count(len(s.Causes), words[1], words[2]), text))
	}
	if n := len(list) - most; n > 0 {
		t.line(2, dim, fmt.Sprintf("… %d more (--limit 0 lists all)", n))
	}
}

// names returns the largest number of names in a list.
func (t *texter) names(most int) int {
	if t.opt.Limit < 0 {
		return 1 << 30
	}
	return most
}

// functions writes changed signatures.
func (t *texter) functions() {
	t.part("functions", t.other(), func(x *cause.Cause) bool {
		return x.Kind == cause.Func && x.Op == cause.Changed && x.Substitution == 0
	}, func(x *cause.Cause) {
		t.sides(0, yellow, heading(x), tags(x))
		for _, line := range functionLines(x) {
			t.line(4, plain, line)
		}
		t.notAccepted(x)
	})
}

// functionLines returns the changes of a function: its signature on one line, in which + and - mark added and removed parts, and the rest.
func functionLines(x *cause.Cause) (lines []string) {
	changed := false
	for _, m := range x.Members {
		if m.Part == cause.Parameter || m.Part == cause.Returned {
			changed = true
		} else {
			lines = append(lines, changeLine(&m, 0))
		}
	}
	if !changed {
		return lines
	}
	returns := ""
	var params []string
	for i := range x.Signature {
		m := &x.Signature[i]
		old, new := escape.Line(m.Old), escape.Line(m.New)
		switch {
		case m.Part == cause.Tag:
		case m.Part == cause.Returned && m.Op == cause.Same:
			returns = new
		case m.Part == cause.Returned:
			returns = "{" + old + " → " + new + "}"
		case m.Op == cause.Added:
			params = append(params, "+ "+new)
		case m.Op == cause.Removed:
			params = append(params, "- "+old)
		case m.Op == cause.Renamed:
			params = append(params, fmt.Sprintf("%s {%s → %s}", new, escape.Line(m.OldPath), escape.Line(m.Path)))
		case m.Op == cause.Changed:
			name := escape.Line(m.Path)
			if m.OldPath != "" {
				name = fmt.Sprintf("{%s → %s}", escape.Line(m.OldPath), name)
			}
			params = append(params, fmt.Sprintf("%s {%s → %s}", name, old, new))
		default:
			params = append(params, new)
		}
	}
	return append([]string{returns + " (" + strings.Join(params, ", ") + ")"}, lines...)
}

// sections writes the differences between the variables of each section, and then the variables without a section.
func (t *texter) sections() {
	for i := range t.c.Sections {
		t.section(&t.c.Sections[i])
	}
	placed := inSections(t.c)
	t.part("variables", t.other(), func(x *cause.Cause) bool {
		return x.Kind == cause.Var && !placed[x.ID] && x.Op == cause.Changed && x.Substitution == 0
	}, t.cause)
}

// inSections returns the IDs of the variables that sections list among their causes.
func inSections(c *cause.Comparison) map[int]bool {
	placed := map[int]bool{}
	for i := range c.Sections {
		for _, id := range c.Sections[i].Causes {
			placed[id] = true
		}
	}
	return placed
}

func (t *texter) section(s *cause.SectionChange) {
	t.head("section " + escape.Line(s.Name) + "   " + sectionSizes(s))
	shown, all := 0, 0
	var elsewhere []string
	for pass := range 2 { // first changed variables, then added and removed ones
		for _, id := range s.Causes {
			x := &t.c.Causes[id-1]
			if (x.Op == cause.Changed) != (pass == 0) {
				continue
			}
			if onlyPlace(x) && !t.opt.Verbose {
				elsewhere = append(elsewhere, escape.Line(x.Name))
				continue
			}
			if all++; all > t.other() {
				continue
			}
			shown++
			t.variable(x)
		}
	}
	if n := all - shown; n > 0 {
		t.line(2, dim, fmt.Sprintf("… %d more (--limit 0 lists all)", n))
	}
	if len(elsewhere) > 0 {
		text := strings.Join(elsewhere[:min(len(elsewhere), maxWords)], ", ")
		if n := len(elsewhere) - maxWords; n > 0 {
			text += fmt.Sprintf(" and %d more (-v)", n)
		}
		t.line(0, yellow, fmt.Sprintf("~ %s moved past others or aligned otherwise: %s", count(len(elsewhere), "variable", "variables"), text))
	}
	for i := range s.Grown[:min(len(s.Grown), t.names(maxWords))] {
		g := &s.Grown[i]
		t.line(0, plain, fmt.Sprintf("~ %s   %s   because of %s", escape.Line(g.Name), sizes(g.Size, cause.Changed), refs(types(g.Because), maxWords/2)))
	}
	if n := len(s.Grown) - t.names(maxWords); n > 0 {
		t.line(2, dim, fmt.Sprintf("… %d more changed their size because their types did (--limit 0 lists all)", n))
	}
	t.moved(s)
}

// sectionSizes returns the size of a section before and after.
func sectionSizes(s *cause.SectionChange) string {
	size, vars := bytesOf(s.Size.New), count(int(s.Vars.New), "variable", "variables")
	if s.Size.Old != s.Size.New {
		size = fmt.Sprintf("%d → %s", s.Size.Old, size)
	}
	if s.Vars.Old != s.Vars.New {
		vars = fmt.Sprintf("%d → %s", s.Vars.Old, vars)
	}
	return size + " · " + vars
}

// onlyPlace reports whether only the place of a variable changed.
func onlyPlace(x *cause.Cause) bool {
	return x.Op == cause.Changed && len(x.Rules) == 1 && x.Rules[0] == cause.VarPlace && x.Accepted == ""
}

// variable writes a variable of a section.
func (t *texter) variable(x *cause.Cause) {
	left := heading(x)
	for _, m := range x.Members {
		switch {
		case m.NewAt != nil && x.Op == cause.Added:
			left = "+ " + escape.Line(x.Declaration) + "   " + at(m.NewAt) + ", " + bytesOf(m.NewAt.Bytes)
		case m.OldAt != nil && x.Op == cause.Removed:
			left = "- " + escape.Line(x.Declaration) + "   was " + at(m.OldAt) + ", " + bytesOf(m.OldAt.Bytes)
		}
	}
	t.sides(0, signColor[left[:1]], left, tags(x))
	if x.Op == cause.Changed {
		t.changes(x)
	}
}

// types returns the declarations of a list that are not variables. For a variable that grew, these are the reasons.
func types(list []cause.Ref) (of []cause.Ref) {
	for _, r := range list {
		if r.Kind != cause.Var {
			of = append(of, r)
		}
	}
	return of
}

// maxDistances is the number of distances in a text that is not verbose.
const maxDistances = 4

// moved writes which variables only moved.
func (t *texter) moved(s *cause.SectionChange) {
	most := maxDistances
	if t.opt.Verbose {
		most = len(s.Shifts)
	}
	text, more := onlyMoved(s, most)
	if text == "" {
		return
	}
	if more > 0 {
		text += fmt.Sprintf(" and by %s (-v)", count(more, "other distance", "other distances"))
	}
	t.line(2, plain, text)
}

// onlyMoved returns how many variables only moved, and by which distances. more is the number of omitted distances.
func onlyMoved(s *cause.SectionChange, most int) (text string, more int) {
	if len(s.Shifts) == 0 {
		return "", 0
	}
	n := 0
	var parts []string
	for i, m := range s.Shifts {
		if n += m.Count; i < most {
			parts = append(parts, fmt.Sprintf("%d by %s", m.Count, delta(m.Bytes)))
		}
	}
	return fmt.Sprintf("%s only moved: %s", count(n, "variable", "variables"), strings.Join(parts, ", ")), len(s.Shifts) - len(parts)
}

// lists writes the removed and added declarations, by kind.
func (t *texter) lists() {
	t.renamed(t.names(maxList))
	var last cause.Op
	for _, k := range byKind(t.c, inSections(t.c)) {
		if k.op != last {
			t.head(string(k.op))
			last = k.op
		}
		l := t.list(k)
		t.line(0, signColor[signs[k.op]], signs[k.op]+" "+l.text(k.kind))
	}
}

// A kindList holds the removed or the added declarations of one kind.
type kindList struct {
	op     cause.Op
	kind   cause.Kind
	causes []*cause.Cause
}

// byKind returns the removed and then the added declarations, by kind. It leaves out renamed ones, and variables that are shown with their
// section, whose IDs placed has.
func byKind(c *cause.Comparison, placed map[int]bool) []kindList {
	lists := make([]kindList, 0, 2*len(cause.Kinds))
	for _, op := range []cause.Op{cause.Removed, cause.Added} {
		for _, kind := range cause.Kinds {
			lists = append(lists, kindList{op: op, kind: kind})
		}
	}
	for i := range c.Causes {
		x := &c.Causes[i]
		if x.Op != cause.Removed && x.Op != cause.Added || isRenamed(x) || x.Kind == cause.Var && placed[x.ID] {
			continue
		}
		if l := slices.IndexFunc(lists, func(l kindList) bool { return l.op == x.Op && l.kind == x.Kind }); l >= 0 {
			lists[l].causes = append(lists[l].causes, x)
		}
	}
	return slices.DeleteFunc(lists, func(l kindList) bool { return len(l.causes) == 0 })
}

// unnamed reports whether a cause is a type without a name, whose content stands for it.
func unnamed(x *cause.Cause) bool { return strings.HasPrefix(x.Name, string(x.Kind)+" {") }

// isRenamed reports whether a cause is one of the two names of a declaration.
func isRenamed(x *cause.Cause) bool { return x.RenamedTo != "" || x.RenamedFrom != "" }

// renamed writes the declarations that got another name, up to a number of them.
func (t *texter) renamed(most int) {
	n := 0
	for i := range t.c.Causes {
		x := &t.c.Causes[i]
		if x.RenamedTo == "" {
			continue
		}
		if n++; n > most {
			continue
		}
		if n == 1 {
			t.head("renamed, with the same content")
		}
		right := "[breaks: renamed]"
		if x.Accepted != "" {
			right = tags(x)
		}
		t.sides(0, yellow, "~ "+named(x.Kind, x.Name)+" → "+escape.Line(x.RenamedTo), right)
	}
	if n > most {
		t.line(2, dim, fmt.Sprintf("… %d more (--limit 0 lists all)", n-most))
	}
}

// A list holds names that were added or removed.
type list struct {
	names                  []string
	all, unnamed, accepted int
}

// list collects the names of a kind. Types without a name are only counted, unless everything is listed or there are no other names.
func (t *texter) list(k kindList) (l list) {
	most := t.names(maxList)
	var without []string
	for _, x := range k.causes {
		if x.Accepted != "" {
			l.accepted++
		}
		l.all++
		name := escape.Line(x.Name)
		if max(x.OldCopies, x.NewCopies) > 0 {
			name = oneOfSeveral(x)
		}
		switch {
		case unnamed(x):
			without = append(without, name)
		case len(l.names) < most:
			l.names = append(l.names, name)
		}
	}
	if len(without)+len(l.names) <= most {
		l.names = append(l.names, without...)
	} else {
		l.unnamed = len(without)
	}
	return l
}

// oneOfSeveral returns the text for a declaration with an ambiguous name: with its content, if that is known.
func oneOfSeveral(x *cause.Cause) string {
	content, ok := strings.CutPrefix(x.Declaration, string(x.Kind)+" "+x.Name+" ")
	if !ok {
		return escape.Line(x.Name) + " (one of several)"
	}
	return escape.Line(x.Name) + " (one of several: " + escape.Line(content) + ")"
}

func (l *list) text(kind cause.Kind) string {
	text := kindCount(kind, l.all) + ": " + strings.Join(l.names, ", ")
	if n := l.all - l.unnamed - len(l.names); n > 0 {
		text += fmt.Sprintf(" … %d more (--limit 0 lists all)", n)
	}
	if l.unnamed > 0 {
		text += fmt.Sprintf(" … %d without a name (--limit 0 lists all)", l.unnamed)
	}
	if l.accepted > 0 {
		text += fmt.Sprintf(" [accepted: %d]", l.accepted)
	}
	return text
}

// kindWords are the words for one and for several declarations of a kind.
var kindWords = map[cause.Kind][2]string{
	cause.Func: {"function", "functions"}, cause.Var: {"variable", "variables"}, cause.Int: {"number", "numbers"},
	cause.Float: {"floating-point number", "floating-point numbers"},
}

func kindCount(k cause.Kind, n int) string {
	words, ok := kindWords[k]
	if !ok {
		words = [2]string{string(k), string(k) + "s"}
	}
	return count(n, words[0], words[1])
}

// consequences writes the consequences and their causes.
func (t *texter) consequences() {
	list := t.c.Consequences
	if len(list) == 0 {
		return
	}
	t.head("consequences")
	most := min(len(list), t.opt.limit())
	for i := range list[:most] {
		x := &list[i]
		left := named(x.Kind, x.Name)
		if x.OldAt != nil && x.NewAt != nil && x.OldAt.Bit != x.NewAt.Bit {
			left += fmt.Sprintf("   %s → %s", at(x.OldAt), strings.TrimPrefix(at(x.NewAt), "at "))
		} else if s := sizes(x.Size, cause.Changed); s != "" {
			left += "   " + s
		}
		t.line(0, plain, left+"   because of "+refs(x.Because, maxWords/2))
		t.shifts(x.Shifts)
	}
	if n := len(list) - most; n > 0 {
		t.line(2, dim, fmt.Sprintf("… %d more (--limit 0 lists all)", n))
	}
}

func (t *texter) verdict() {
	t.b.WriteByte('\n')
	t.line(0, bold, "verdict: "+Verdict(t.c))
	for _, s := range t.c.StaleExceptions {
		t.line(2, plain, "exception that accepted nothing: "+escape.Line(s))
	}
}
