package show

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// Limits of a text that is not verbose.
const (
	maxChanges = 8  // of a cause
	maxRuns    = 2  // of shifts of a cause
	maxWords   = 6  // names in a list
	maxList    = 16 // names that were added or removed, of each kind
	maxOther   = 10 // functions, variables of a section, substitutions; unless Options.Limit is set
)

// Text writes a comparison for people to read from the top: how much differs, causes by impact, functions, substitutions, sections, removed
// and added declarations, the verdict. Without a limit, and unless it is verbose, the text has at most Screens lines.
func Text(w io.Writer, c *cause.Comparison, opt Options) error {
	t := texter{page: page{width: opt.width(), color: opt.Color}, c: c, opt: opt}
	if c.Verdict.Equal {
		_, err := io.WriteString(w, t.paint(green, "equal")+"\n")
		return err
	}
	parts := []func(){t.overview, t.causes, t.substitutions, t.functions, t.sections, t.lists, t.verdict}
	if opt.Verbose {
		parts = slices.Insert(parts, len(parts)-1, t.consequences)
	}
	mayShorten := opt.Limit == 0 && !opt.Verbose
	for _, write := range parts {
		if write(); mayShorten && t.lines() > Screens {
			break
		}
	}
	if mayShorten && t.lines() > Screens {
		lists := gatherLists(c)
		for _, l := range levels {
			t = texter{page: page{width: opt.width(), color: opt.Color}, c: c, opt: opt}
			if t.short(l, lists); t.lines() <= Screens {
				break
			}
		}
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

// A texter writes one text.
type texter struct {
	page
	c   *cause.Comparison
	opt Options
}

func (t *texter) overview() {
	c := t.c
	from := ""
	if c.Old.Name != "" && c.New.Name != "" {
		from = escape.Line(c.Old.Name) + " → " + escape.Line(c.New.Name) + " · "
	}
	t.line(0, plain, fmt.Sprintf("%s%d types → %d types · %s, %s", from, c.Old.Types, c.New.Types,
		count(len(c.Causes), "cause", "causes"), count(len(c.Consequences), "consequence", "consequences")))
	if text := Summary(c); text != "" {
		t.line(0, dim, text+"   (+ added, − removed, ~ changed, → only followed)")
	}
	if c.Hidden > 0 {
		t.line(0, dim, count(c.Hidden, "difference is", "differences are")+" left out by --only and --ignore")
	}
}

// isType reports whether a cause belongs to the first part: changed declarations other than functions and variables.
func isType(x *cause.Cause) bool {
	switch x.Kind {
	case cause.Func, cause.Var:
		return false
	}
	return x.Op == cause.Changed && x.Substitution == 0
}

// part writes the causes of one sort up to a limit, and the number of those that it omits.
func (t *texter) part(title string, most int, belongs func(x *cause.Cause) bool, write func(x *cause.Cause)) {
	shown, all := 0, 0
	for i := range t.c.Causes {
		x := &t.c.Causes[i]
		if !belongs(x) {
			continue
		}
		if all++; all > most {
			continue
		}
		if shown++; shown == 1 {
			t.head(title)
		}
		write(x)
	}
	if n := all - shown; n > 0 {
		t.line(2, dim, fmt.Sprintf("… %d more (--limit 0 lists all)", n))
	}
}

// other returns the limit of the parts after the causes.
func (t *texter) other() int {
	if t.opt.Limit == 0 {
		return maxOther
	}
	return t.opt.limit()
}

func (t *texter) causes() {
	t.part("causes, those with most impact first", t.opt.limit(), isType, t.cause)
}

// cause writes a cause: its heading, its changes, and what follows from it.
func (t *texter) cause(x *cause.Cause) {
	t.sides(0, signColor[signs[x.Op]], heading(x), tags(x))
	t.changes(x)
	t.shifts(x.Shifts)
	if len(x.Because) > 0 {
		t.line(4, plain, "← because of "+refs(x.Because, t.words()))
	}
	if text := impact(&x.Impact); text != "" {
		t.line(4, plain, "→ "+text)
	}
	t.notAccepted(x)
}

// notAccepted writes why a cause is not accepted, if something seems to mean it.
func (t *texter) notAccepted(x *cause.Cause) {
	if x.NotAccepted != "" {
		t.line(4, yellow, "not accepted: "+escape.Line(x.NotAccepted))
	}
}

func (t *texter) words() int {
	if t.opt.Verbose {
		return 1 << 30
	}
	return maxWords / 2
}

// heading returns the first line of a cause.
func heading(x *cause.Cause) string {
	text := signs[x.Op] + " " + named(x.Kind, x.Name)
	if x.OldCopies+x.NewCopies > 0 {
		text += fmt.Sprintf(" (one of several: %d → %d)", x.OldCopies, x.NewCopies)
	}
	if x.Base {
		text += " (of the base)"
	}
	if s := sizes(x.Size, sizeOp(x)); s != "" {
		text += "   " + s
	}
	return text
}

// sizeOp returns which sides have a size. A side that has only a declaration has none.
func sizeOp(x *cause.Cause) cause.Op {
	switch {
	case slices.Contains(x.Rules, cause.TypeAdded):
		return cause.Added
	case slices.Contains(x.Rules, cause.TypeRemoved):
		return cause.Removed
	}
	return x.Op
}

// impact returns the text for what follows from a cause.
func impact(i *cause.Impact) string {
	if i.Total() == 0 {
		return ""
	}
	var parts []string
	for _, p := range []struct {
		n         int
		one, many string
	}{{i.Types, "type", "types"}, {i.Funcs, "function", "functions"}, {i.Vars, "variable", "variables"}} {
		if p.n > 0 {
			parts = append(parts, count(p.n, p.one, p.many))
		}
	}
	text := "impact: " + strings.Join(parts, ", ")
	if len(i.Sample) > 0 {
		text += ": " + refs(i.Sample, maxWords/2)
		if n := i.Types - len(i.Sample); n > 0 && len(i.Sample) <= maxWords/2 {
			text += ", …"
		}
	}
	return text
}

// changes writes the own changes of a cause. Consecutive enumerators whose values changed by the same amount share a line.
func (t *texter) changes(x *cause.Cause) {
	lines, hints, moved := changeLines(x, t.opt.Verbose)
	most := len(lines)
	if !t.opt.Verbose && most > maxChanges {
		most = maxChanges
	}
	for i, l := range lines[:most] {
		t.sides(4, signColor[l[:1]], l, hints[i])
	}
	if n := len(lines) - most; n > 0 {
		t.line(4, dim, fmt.Sprintf("… %d more changes (-v)", n))
	}
	if len(moved) > 0 {
		text := strings.Join(moved[:min(len(moved), maxWords)], ", ")
		if n := len(moved) - maxWords; n > 0 {
			text += fmt.Sprintf(" and %d more (-v)", n)
		}
		t.line(4, yellow, "~ moved past others: "+text)
	}
}

// changeLines returns the own changes of a cause, one per line, and the hint for each. Members that only moved are returned separately,
// unless all is set.
func changeLines(x *cause.Cause, all bool) (lines, hints, moved []string) {
	add := func(line, hint string) { lines, hints = append(lines, line), append(hints, escape.Line(hint)) }
	width := 0
	for _, m := range x.Members {
		if n := len([]rune(m.Path)); n <= 24 {
			width = max(width, n)
		}
	}
	for i := 0; i < len(x.Members); i++ {
		m := &x.Members[i]
		if n := valueRun(x.Members[i:]); n > 3 {
			last := &x.Members[i+n-1]
			add(fmt.Sprintf("~ %d enumerators from %s to %s: %s", n, escape.Line(m.Path), escape.Line(last.Path), delta(valueDelta(m))), "")
			i += n - 1
			continue
		}
		if n := nestRun(x.Members[i:]); n > 1 {
			last := &x.Members[i+n-1]
			add(fmt.Sprintf("~ %d members from %s to %s: %s → %s", n, escape.Line(m.Path), escape.Line(last.Path), m.Old, m.New), "")
			i += n - 1
			continue
		}
		if m.Part == cause.Member && m.Op == cause.Moved && m.Old != "" && !nests(m) && !all && len(x.Members) > 1 {
			moved = append(moved, escape.Line(m.Path))
			continue
		}
		add(changeLine(m, width), m.Hint)
	}
	return lines, hints, moved
}

// changeLine returns the line of a change, without its hint.
func changeLine(m *cause.Change, width int) string {
	sign, path := signs[m.Op]+" ", escape.Line(m.Path)
	old, new := escape.Line(m.Old), escape.Line(m.New)
	name := sign + fmt.Sprintf("%-*s", width, path)
	become := fmt.Sprintf("%s → %s", old, new)
	switch m.Part {
	case cause.Enumerator:
		return enumeratorLine(m, name, old, new)
	case cause.Member, cause.Parameter:
		return memberLine(m, name, old, new, become)
	case cause.Returned:
		return "~ returns " + become
	case cause.Whole:
		if old != "" {
			return "~ " + become
		}
		return "~ " + new
	case cause.Place:
		if old == "" {
			return "~ " + new + moved(m)
		}
		if old == new {
			return "~ moved past others, is still " + new
		}
		return "~ was " + old + ", is " + new
	case cause.Target:
		return "~ type " + become
	case cause.Tag:
		if path != "" {
			return "~ tags of " + path + ": " + become
		}
		return "~ tags: " + become
	case cause.SizePart:
		return "~ size " + become
	case cause.Copies:
		return "~ copies " + become
	case cause.Encoding, cause.Linkage:
		return "~ became " + new + ", was " + old
	}
	return "~ " + new
}

func enumeratorLine(m *cause.Change, name, old, new string) string {
	switch m.Op {
	case cause.Added:
		return name + " = " + new
	case cause.Removed:
		return name + " = " + old
	case cause.Renamed:
		return fmt.Sprintf("~ %s renamed %s = %s", escape.Line(m.OldPath), escape.Line(m.Path), new)
	case cause.Moved:
		return "~ stand in another order"
	}
	return fmt.Sprintf("%s = %s → %s", name, old, new)
}

func memberLine(m *cause.Change, name, old, new, become string) string {
	where := ""
	switch {
	case m.NewAt != nil && m.Op == cause.Added:
		where = "   " + at(m.NewAt) + nested(m.NewAt)
	case m.OldAt != nil && m.Op == cause.Removed:
		where = "   was " + at(m.OldAt)
	case m.NewAt != nil && m.OldAt != nil && m.NewAt.Bit != m.OldAt.Bit:
		where = moved(m)
	case m.NewAt != nil:
		where = "   " + at(m.NewAt)
	}
	switch m.Op {
	case cause.Added:
		return name + "  " + new + width(m.NewAt) + where
	case cause.Removed:
		return name + "  " + old + width(m.OldAt) + where
	case cause.Renamed:
		if old == new {
			return fmt.Sprintf("~ %s renamed %s  %s%s", escape.Line(m.OldPath), escape.Line(m.Path), new, where)
		}
		return fmt.Sprintf("~ %s renamed %s  %s%s", escape.Line(m.OldPath), escape.Line(m.Path), become, where)
	case cause.Moved:
		if old == "" {
			return name + "  " + new + where
		}
		return name + "  moved: " + old + " → " + new + where
	}
	if m.Rule == cause.TagRule {
		return name + "  tags: " + become
	}
	return name + "  " + become + where
}

// moved returns the text for the places before and after a move.
func moved(m *cause.Change) string {
	if m.OldAt == nil || m.NewAt == nil {
		return ""
	}
	return "   " + strings.TrimPrefix(at(m.OldAt), "at ") + " → " + strings.TrimPrefix(at(m.NewAt), "at ")
}

func nested(e *cause.Extent) string {
	if e.Nest == "" {
		return ""
	}
	return ", inside " + e.Nest
}

func width(e *cause.Extent) string {
	if e == nil || e.Bits == 0 {
		return ""
	}
	return fmt.Sprintf(":%d", e.Bits)
}

// nests reports whether a change moves a member into other anonymous structs and unions.
func nests(m *cause.Change) bool {
	return m.Part == cause.Member && m.Op == cause.Moved && m.OldAt != nil && m.NewAt != nil && m.OldAt.Nest != m.NewAt.Nest
}

// nestRun returns how many changes at the start of a list put members into the same structs and unions.
func nestRun(list []cause.Change) int {
	n := 0
	for n < len(list) && nests(&list[n]) && list[n].Old == list[0].Old && list[n].New == list[0].New {
		n++
	}
	return n
}

// valueRun returns how many changes at the start of a list are enumerators whose values changed by the same amount.
func valueRun(list []cause.Change) int {
	n := 0
	for n < len(list) && list[n].Part == cause.Enumerator && list[n].Op == cause.Changed && valueDelta(&list[n]) == valueDelta(&list[0]) {
		n++
	}
	return n
}

// valueDelta returns the change of an enumerator's value.
func valueDelta(m *cause.Change) int64 { return number(m.New) - number(m.Old) }

// number parses the text of a value. Values above the largest signed number wrap.
func number(s string) (n int64) {
	neg := strings.HasPrefix(s, "-")
	for _, d := range strings.TrimPrefix(s, "-") {
		n = n*10 + int64(d-'0')
	}
	if neg {
		return -n
	}
	return n
}

// shifts writes runs of members that moved.
func (t *texter) shifts(list []cause.Shift) {
	if len(list) == 0 {
		return
	}
	shown := slices.Clone(list)
	if !t.opt.Verbose && len(shown) > maxRuns {
		slices.SortStableFunc(shown, func(a, b cause.Shift) int { return b.Count - a.Count })
		shown = shown[:maxRuns]
	}
	var parts []string
	for _, s := range shown {
		what := escape.Line(s.From)
		if s.Count > 1 {
			what = fmt.Sprintf("%d members from %s on", s.Count, what)
		}
		parts = append(parts, what+": "+distance(s))
	}
	text := strings.Join(parts, " · ")
	if n := len(list) - len(shown); n > 0 {
		text += fmt.Sprintf(" · %s (-v)", count(n, "more run", "more runs"))
	}
	t.line(4, plain, text)
}
