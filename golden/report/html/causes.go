package html

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/report"
)

// What is wrong with many images often has few causes. This file gathers them over the whole batch: errors by their text, differences from
// goldens by the key of their cause, warnings by their rule. Each is described once, with the images that it concerns.

// Limits of the list of causes.
const (
	maxCauses   = 240 // that are described
	shownCauses = 30  // of these, without unfolding the others
	maxLadders  = 60
	maxRefs     = 40 // images named by a cause
	maxChanges  = 60 // of a cause
	maxWords    = 8  // in a list within a sentence
)

// An imageRef is a link to an image.
type imageRef struct{ Name, Href string }

// A finding is a cause, an error or a warning, over all images.
type finding struct {
	ID      string
	Class   string // of its colour
	Tag     string // in a word
	Title   string
	Note    string // beside it
	Rank    int
	First   bool
	Images  []imageRef // set by refer
	Count   int        // images
	Changes []changeView
	Lines   []string // what follows, in sentences
	Rules   []fact
	Ladder  *ladder
	Key     string       // of the cause, for exceptions
	cause   *cause.Cause // nil for an error or a warning
	weight  int
	rows    []int // the first images
	place   int   // in the list
	last    int   // image
}

// A changeView is a line of a cause.
type changeView struct{ Class, Sign, Text, Note string }

// Ranks order the findings.
const (
	rankFailed = iota
	rankBreak
	rankNeutral
	rankAdd
	rankOther // the golden cannot be compared, or is missing
	rankAccepted
	rankWarning
)

// A gatherer collects findings.
type gatherer struct {
	list    []*finding
	byKey   map[string]*finding
	layouts map[string]*cause.Layout // by key
}

// gather collects the findings of all rows, the most important first.
func gather(rows []report.Row) (list []*finding, byKey map[string]*finding) {
	g := gatherer{byKey: map[string]*finding{}, layouts: map[string]*cause.Layout{}}
	for i := range rows {
		row := &rows[i]
		if row.Details != nil {
			maps.Copy(g.layouts, row.Details.Layouts)
		}
		if row.Status == report.Failed {
			f := g.add(i, "error\x00"+row.Error, rankFailed)
			f.Class, f.Tag, f.Title = "is-failed", "failed", message(row.Error)
		}
		g.golden(i, row.Golden)
		for _, w := range row.Warnings {
			f := g.add(i, "warning\x00"+w.Rule, rankWarning)
			f.Class, f.Tag, f.Title = "is-skipped", "warning", name(w.Rule)
			if len(f.Lines) < maxWords && len(w.Examples) > 0 {
				f.Lines = append(f.Lines, name(row.Name)+": "+message(w.Examples[0]))
			}
			f.weight += w.Count
			f.Note = count(f.weight, "warning", "warnings")
		}
	}
	slices.SortStableFunc(g.list, func(a, b *finding) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(b.Count, a.Count), cmp.Compare(b.weight, a.weight), cmp.Compare(a.rows[0], b.rows[0]))
	})
	ladders := 0
	for n, f := range g.list {
		f.ID, f.place = fmt.Sprintf("c%d", n+1), n
		if x := f.cause; x != nil && n < maxCauses {
			describe(f, x)
			if l := g.layouts[x.Key]; l != nil && ladders < maxLadders {
				f.Ladder = drawLadder(l, f.Title, x.Size)
				ladders++
			}
		}
	}
	return g.list, g.byKey
}

// refer names the images of a finding.
func (f *finding) refer(ref func(row int) imageRef) {
	for _, i := range f.rows {
		f.Images = append(f.Images, ref(i))
	}
}

// add counts an image for a finding.
func (g *gatherer) add(row int, key string, rank int) *finding {
	f := g.byKey[key]
	if f == nil {
		f = &finding{Rank: rank}
		g.byKey[key] = f
		g.list = append(g.list, f)
	}
	if f.Count > 0 && f.last == row { // two declarations of one name can have the same cause
		return f
	}
	if f.Count++; len(f.rows) < maxRefs {
		f.rows = append(f.rows, row)
	}
	f.last = row
	return f
}

// golden adds what a comparison found.
func (g *gatherer) golden(row int, c *report.Comparison) {
	if c == nil {
		return
	}
	if c.Detail == nil {
		if !c.Verdict.OK() {
			f := g.add(row, "golden\x00"+string(c.Verdict)+"\x00"+c.Summary, rankOther)
			f.Class, f.Tag, f.Title = "is-differs", string(c.Verdict), "the golden does not exist"
			if c.Summary != "" {
				f.Title = message(c.Summary)
			}
		}
		return
	}
	for i := range c.Detail.Causes {
		x := &c.Detail.Causes[i]
		rank := map[cause.Severity]int{cause.Break: rankBreak, cause.Neutral: rankNeutral, cause.Add: rankAdd}[x.Severity]
		if x.Accepted != "" {
			rank = rankAccepted
		}
		f := g.add(row, causeKey(x), rank)
		f.weight = max(f.weight, x.Impact.Total())
		if f.cause == nil {
			f.cause, f.Tag = x, severities[x.Severity][0]
		}
	}
}

// causeKey is the key of a cause in a gatherer.
func causeKey(x *cause.Cause) string {
	if x.Accepted != "" {
		return "accepted\x00" + x.Key
	}
	return "cause\x00" + x.Key
}

// severities are the words and colours of severities.
var severities = map[cause.Severity][2]string{cause.Break: {"breaks", "is-failed"}, cause.Neutral: {"neutral", "is-skipped"}, cause.Add: {"adds", "is-ok"}}

// describe fills in what the page says of a cause.
func describe(f *finding, x *cause.Cause) {
	f.Key = name(x.Key)
	words := severities[x.Severity]
	f.Tag, f.Class = words[0], words[1]
	f.Title = named(x.Kind, x.Name)
	if x.Accepted != "" {
		f.Tag, f.Class = "accepted", "is-ok"
		f.Lines = append(f.Lines, "Accepted: "+message(x.Accepted))
	}
	var notes []string
	notes = append(notes, string(x.Op))
	if s := sizeChange(x.Size, x.Op); s != "" {
		notes = append(notes, s)
	}
	if n := x.Impact.Total(); n > 0 {
		notes = append(notes, "affects "+impact(x.Impact))
	}
	f.Note = strings.Join(notes, " · ")
	f.Changes = changesOf(x)
	if len(x.Shifts) > 0 {
		f.Lines = append(f.Lines, "Moved without a change of their own: "+shiftText(x.Shifts)+".")
	}
	if len(x.Because) > 0 {
		f.Lines = append(f.Lines, "It also holds types that changed: "+refText(x.Because)+".")
	}
	if len(x.Impact.Sample) > 0 {
		f.Lines = append(f.Lines, "What follows from it starts with "+refText(x.Impact.Sample)+".")
	}
	for _, r := range x.Rules {
		for _, info := range cause.Rules {
			if info.Name == r {
				f.Rules = append(f.Rules, fact{string(r), info.Text})
			}
		}
	}
}

// named returns a kind and a name as C writes them.
func named(kind cause.Kind, s string) string {
	switch {
	case kind == cause.Pointer:
		return "the size of pointers"
	case strings.HasPrefix(s, string(kind)+" {"):
		return name(s)
	}
	return string(kind) + " " + name(s)
}

func sizeChange(s *cause.Size, op cause.Op) string {
	switch {
	case s == nil:
		return ""
	case op == cause.Added:
		return count(int(s.New), "byte", "bytes")
	case op == cause.Removed:
		return count(int(s.Old), "byte", "bytes")
	case s.Old == s.New:
		return ""
	}
	return fmt.Sprintf("%s → %s", thousands(int(s.Old)), count(int(s.New), "byte", "bytes"))
}

func impact(i cause.Impact) string {
	var parts []string
	for _, x := range []struct {
		n         int
		one, many string
	}{{i.Types, "type", "types"}, {i.Funcs, "function", "functions"}, {i.Vars, "variable", "variables"}} {
		if x.n > 0 {
			parts = append(parts, count(x.n, x.one, x.many))
		}
	}
	return strings.Join(parts, ", ")
}

func refText(list []cause.Ref) string {
	var parts []string
	for _, r := range list[:min(len(list), maxWords)] {
		s := named(r.Kind, r.Name)
		if c := sizeChange(r.Size, r.Op); c != "" && r.Op == cause.Changed {
			s += " (" + c + ")"
		}
		parts = append(parts, s)
	}
	if n := len(list) - maxWords; n > 0 {
		parts = append(parts, fmt.Sprintf("%d more", n))
	}
	return strings.Join(parts, ", ")
}

func shiftText(list []cause.Shift) string {
	var parts []string
	for _, s := range list[:min(len(list), maxWords)] {
		what := name(s.From)
		if s.Count > 1 {
			what = fmt.Sprintf("%s from %s to %s", count(s.Count, "member", "members"), name(s.From), name(s.To))
		}
		parts = append(parts, what+" by "+bitDistance(s.Bits))
	}
	if n := len(list) - maxWords; n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more runs", n))
	}
	return strings.Join(parts, "; ")
}

// signs are the sign and colour of an operation.
var signs = map[cause.Op][2]string{cause.Added: {"+", "plus"}, cause.Removed: {"−", "minus"}, cause.Changed: {"~", "tilde"}, cause.Renamed: {"~", "tilde"},
	cause.Moved: {"↕", "tilde"}, cause.Same: {" ", ""}}

// changesOf lists the changes of a cause.
func changesOf(x *cause.Cause) (list []changeView) {
	if x.Declaration != "" {
		list = append(list, changeView{signs[x.Op][1], signs[x.Op][0], name(x.Declaration), ""})
	}
	for i := range x.Members {
		if len(list) == maxChanges {
			list = append(list, changeView{"", "…", count(len(x.Members)-i, "more change", "more changes"), ""})
			break
		}
		m := &x.Members[i]
		if m.Part == cause.Whole && x.Declaration != "" {
			list[0].Note = placeText(m)
			continue
		}
		list = append(list, changeView{signs[m.Op][1], signs[m.Op][0], changeText(m), placeText(m)})
	}
	return list
}

// changeText says what changed.
func changeText(m *cause.Change) string {
	path := name(m.Path)
	switch {
	case m.Path == "" && m.Part == cause.Whole:
		path = string(m.Op)
	case m.Path == "":
		path = string(m.Part)
	case m.Part == cause.Parameter || m.Part == cause.Enumerator:
		path = string(m.Part) + " " + path
	}
	old, new := name(m.Old), name(m.New)
	var what string
	switch {
	case m.Op == cause.Renamed:
		what = "renamed from " + name(m.OldPath)
		if old != new {
			what += ": " + old + " → " + new
		}
	case old != "" && new != "" && old != new:
		what = old + " → " + new
	default:
		what = cmp.Or(new, old)
	}
	if m.Op == cause.Moved {
		what = "moved: " + what
	}
	if what != "" {
		path += "  " + what
	}
	if m.Hint != "" {
		path += " (" + name(m.Hint) + ")"
	}
	return path
}

// placeText says where a member is and was.
func placeText(m *cause.Change) string {
	at := func(e *cause.Extent) string {
		if e.Bits != 0 || e.Bit%8 != 0 {
			return "bit " + thousands(int(e.Bit))
		}
		return "byte " + thousands(int(e.Bit/8))
	}
	switch {
	case m.OldAt != nil && m.NewAt != nil && m.OldAt.Bit != m.NewAt.Bit:
		return "at " + at(m.OldAt) + " → " + at(m.NewAt)
	case m.NewAt != nil:
		return "at " + at(m.NewAt)
	case m.OldAt != nil:
		return "was at " + at(m.OldAt)
	}
	return ""
}
