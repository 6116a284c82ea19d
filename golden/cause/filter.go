package cause

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Filter selects differences by kinds, rules and patterns of names.
type Filter struct {
	kinds []Kind
	rules []Rule
	names []string
}

// empty reports whether a filter has no words.
func (f *Filter) empty() bool { return f.kinds == nil && f.rules == nil && f.names == nil }

// ParseFilter parses the words of a filter: kinds (struct), rules (member-added) and patterns of names (task_*), in which * stands for any
// text. The error names a word that is none of them.
func ParseFilter(words []string) (*Filter, error) {
	f := &Filter{}
	for _, w := range words {
		switch {
		case slices.Contains(Kinds, Kind(w)):
			f.kinds = append(f.kinds, Kind(w))
		case severityOf(Rule(w)) != "":
			f.rules = append(f.rules, Rule(w))
		default:
			if _, err := path.Match(w, ""); err != nil {
				return nil, fmt.Errorf("%q: %w", w, err)
			}
			f.names = append(f.names, w)
		}
	}
	return f, nil
}

// Matches reports whether a text matches a pattern that ParseFilter or path.Match has accepted. A * stands for any text, slashes included.
func Matches(pattern, text string) bool {
	if pattern == "*" || pattern == text {
		return true
	}
	if !strings.ContainsAny(pattern, `*?[\`) {
		return false
	}
	const sign = "\x00"
	ok, _ := path.Match(strings.ReplaceAll(pattern, "/", sign), strings.ReplaceAll(text, "/", sign))
	return ok
}

func (f *Filter) name(names ...string) bool {
	return slices.ContainsFunc(f.names, func(p string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return Matches(p, n) })
	})
}

// Select keeps the causes that only selects and ignore does not, and counts the others in Hidden. Either filter may be nil. only selects a
// declaration if each of its non-empty lists matches: the kind, a pattern of the name, and one of its rules; for a variable, a pattern may
// also match the section. ignore drops a declaration if its kind or its name matches, or all of its rules do. If only some rules match,
// those changes are dropped. A consequence is dropped if all of its causes are ignored, if its kind or name does not pass the filters, or
// if only has rules.
func (c *Comparison) Select(only, ignore *Filter) {
	if only == nil {
		only = &Filter{}
	}
	if ignore == nil {
		ignore = &Filter{}
	}
	if only.empty() && ignore.empty() {
		return
	}
	section := map[int]string{} // by ID of causes that are variables
	for i := range c.Sections {
		for _, id := range c.Sections[i].Causes {
			section[id] = c.Sections[i].Name
		}
	}
	asked := func(kind Kind, names ...string) bool {
		return (only.kinds == nil || slices.Contains(only.kinds, kind)) && (only.names == nil || only.name(names...))
	}
	ignored := func(kind Kind, names ...string) bool {
		return slices.Contains(ignore.kinds, kind) || ignore.name(names...)
	}
	dropped := map[int]bool{} // ignored causes, by ID
	keep := func(x *Cause) bool {
		names := []string{x.Name}
		if s := section[x.ID]; s != "" {
			names = append(names, s)
		}
		if !asked(x.Kind, names...) || only.rules != nil && !slices.ContainsFunc(x.Rules, func(r Rule) bool { return slices.Contains(only.rules, r) }) {
			return false
		}
		if ignored(x.Kind, names...) || !x.without(ignore.rules) {
			dropped[x.ID] = true
			return false
		}
		return true
	}
	ids := map[int]int{} // by old ID: the new ID of a cause that stays
	causes := c.Causes[:0:0]
	for i := range c.Causes {
		x := c.Causes[i]
		if !keep(&x) {
			c.Hidden++
			continue
		}
		ids[x.ID] = len(causes) + 1
		causes = append(causes, x)
	}
	consequences := c.Consequences[:0:0]
	for _, x := range c.Consequences {
		all := len(x.Roots) > 0
		for _, id := range x.Roots {
			all = all && dropped[id]
		}
		if all || only.rules != nil || !asked(x.Kind, x.Name) || ignored(x.Kind, x.Name) {
			c.Hidden++
			continue
		}
		consequences = append(consequences, x)
	}
	c.Causes, c.Consequences = causes, consequences
	c.renumber(ids)
	c.recount()
	c.Settle()
}

// AcceptedLast moves the causes that are accepted behind those that are not.
func (c *Comparison) AcceptedLast() {
	causes := make([]Cause, 0, len(c.Causes))
	ids := make(map[int]int, len(c.Causes))
	for _, accepted := range []bool{false, true} {
		for _, x := range c.Causes {
			if (x.Accepted != "") == accepted {
				ids[x.ID] = len(causes) + 1
				causes = append(causes, x)
			}
		}
	}
	c.Causes = causes
	c.renumber(ids)
	for i := range c.Consequences {
		slices.Sort(c.Consequences[i].Roots)
	}
	for i := range c.Substitutions {
		slices.Sort(c.Substitutions[i].Causes)
	}
}

// without removes the changes by some rules from a cause, and reports whether any change is left.
func (x *Cause) without(rules []Rule) bool {
	if !slices.ContainsFunc(x.Rules, func(r Rule) bool { return slices.Contains(rules, r) }) {
		return true
	}
	x.Members = slices.DeleteFunc(slices.Clone(x.Members), func(m Change) bool { return slices.Contains(rules, m.Rule) })
	key := x.Key
	x.Rules, x.Severity = nil, ""
	x.grade()
	x.Key = key // the key identifies the whole change
	return len(x.Members) > 0
}

// renumber sets the IDs of causes to their places, and removes references to dropped causes, and their layouts.
func (c *Comparison) renumber(ids map[int]int) {
	list := func(old []int) []int {
		out := make([]int, 0, len(old))
		for _, id := range old {
			if n := ids[id]; n != 0 {
				out = append(out, n)
			}
		}
		return out
	}
	refs := func(list []Ref) []Ref {
		list = slices.Clone(list)
		for i := range list {
			list[i].Cause = ids[list[i].Cause]
		}
		return list
	}
	for i := range c.Causes {
		x := &c.Causes[i]
		x.ID = i + 1
		x.Because, x.Impact.Sample = refs(x.Because), refs(x.Impact.Sample)
	}
	for i := range c.Consequences {
		x := &c.Consequences[i]
		x.Because, x.Roots = refs(x.Because), list(x.Roots)
	}
	layouts := c.Layouts[:0:0]
	for _, l := range c.Layouts {
		if l.Cause = ids[l.Cause]; l.Cause != 0 {
			layouts = append(layouts, l)
		}
	}
	c.Layouts = layouts
	places := make([]int, len(c.Substitutions)+1) // by place of a substitution: the new place, if it stays
	substitutions := c.Substitutions[:0:0]
	for i, s := range c.Substitutions {
		if s.Causes = list(s.Causes); len(s.Causes) > 0 {
			substitutions = append(substitutions, s)
			places[i+1] = len(substitutions)
		}
	}
	c.Substitutions = substitutions
	for i := range c.Causes {
		x := &c.Causes[i]
		x.Substitution = places[x.Substitution]
		for _, changes := range [][]Change{x.Members, x.Signature} {
			for j := range changes {
				changes[j].Substitution = places[changes[j].Substitution]
			}
		}
	}
	kept := map[string]bool{}
	for _, x := range c.Consequences {
		if x.Kind == Var {
			kept[x.Name] = true
		}
	}
	sections := c.Sections[:0:0]
	for _, s := range c.Sections {
		s.Causes = list(s.Causes)
		s.Grown = slices.DeleteFunc(slices.Clone(s.Grown), func(x Consequence) bool { return !kept[x.Name] })
		s.Shifts = slices.DeleteFunc(slices.Clone(s.Shifts), func(m Shift) bool { return !kept[m.From] })
		if len(s.Causes)+len(s.Grown)+len(s.Shifts) > 0 {
			sections = append(sections, s)
		}
	}
	c.Sections = sections
}

// recount computes Counts from what is left.
func (c *Comparison) recount() {
	counts := make([]Count, len(Kinds))
	for i := range c.Causes {
		counts[rank(c.Causes[i].Kind)].take(c.Causes[i].Op)
	}
	for i := range c.Consequences {
		counts[rank(c.Consequences[i].Kind)].Followed++
	}
	c.Counts = c.Counts[:0:0]
	for i, n := range counts {
		if n.Kind = Kinds[i]; n.Added+n.Removed+n.Changed+n.Followed > 0 {
			c.Counts = append(c.Counts, n)
		}
	}
}
