package cause

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// fill turns items into the model.
func (c *comparer) fill(r *Comparison) {
	causes := 0
	for i := range c.items {
		if it := &c.items[i]; it.cause {
			causes++
		} else {
			r.Consequences = append(r.Consequences, c.consequence(it))
		}
	}
	r.Causes = make([]Cause, causes)
	for i := range c.items {
		if it := &c.items[i]; it.cause {
			r.Causes[it.id-1] = c.causeOf(it)
		}
	}
	if c.exact {
		if ids := c.ids(); ids != nil {
			ids.ID = len(r.Causes) + 1
			r.Causes = append(r.Causes, *ids)
		}
	}
	c.renames(r)
	r.recount()
	for i := range c.sections {
		r.Sections = append(r.Sections, c.sectionChange(&c.sections[i]))
	}
	substitute(r)
	hint(r)
	r.Settle()
}

func (n *Count) take(op Op) {
	switch op {
	case Added:
		n.Added++
	case Removed:
		n.Removed++
	default:
		n.Changed++
	}
}

// op returns the operation of an item: added, removed or changed.
func (it *item) op() Op {
	switch {
	case it.kind == Pointer:
		return Changed
	case it.old == 0:
		return Added
	case it.new == 0:
		return Removed
	}
	return Changed
}

// causeOf returns the Cause for an item.
func (c *comparer) causeOf(it *item) Cause {
	cause := Cause{ID: it.id, Kind: it.kind, Name: it.name, Op: it.op(), Base: it.base, Size: it.size, Members: it.changes,
		Signature: it.signature, Declaration: it.text, Shifts: it.shifts, Because: c.refs(it.because), Impact: it.impact}
	if it.oldAll > 1 || it.newAll > 1 {
		cause.OldCopies, cause.NewCopies = int(it.oldAll), int(it.newAll)
	}
	for i := range cause.Impact.Sample {
		ref := &cause.Impact.Sample[i]
		follower := &c.items[ref.Cause]
		ref.Cause, ref.Op = follower.id, follower.op()
	}
	cause.grade()
	return cause
}

// grade sets severity, rules and key of a cause from its changes.
func (x *Cause) grade() {
	for i := range x.Members {
		m := &x.Members[i]
		if grave(m.Severity) > grave(x.Severity) {
			x.Severity = m.Severity
		}
		if !slices.Contains(x.Rules, m.Rule) {
			x.Rules = append(x.Rules, m.Rule)
		}
	}
	if len(x.Rules) > 1 {
		slices.SortFunc(x.Rules, func(a, b Rule) int { return cmp.Compare(ruleRank(a), ruleRank(b)) })
	}
	x.Key = x.key()
}

// key identifies the change in any kernel and image: kind, name and a hash of the changes, without offsets.
func (x *Cause) key() string {
	text := make([]byte, 0, 256)
	add := func(words ...string) {
		for _, w := range words {
			text = append(append(text, w...), 0)
		}
		text[len(text)-1] = '\n'
	}
	add(string(x.Kind), x.Name, string(x.Op), x.Declaration)
	for i := range x.Members {
		m := &x.Members[i]
		add(string(m.Part), m.Path, string(m.Op), m.Old, m.New, m.OldPath)
	}
	sum := sha256.Sum256(text)
	return string(x.Kind) + "/" + x.Name + "/" + hex.EncodeToString(sum[:5])
}

// refs returns references to items.
func (c *comparer) refs(list []int32) []Ref {
	refs := make([]Ref, 0, len(list))
	for _, i := range list {
		it := &c.items[i]
		refs = append(refs, Ref{Kind: it.kind, Name: it.name, Cause: it.id, Op: it.op(), Size: it.size})
	}
	return refs
}

func (c *comparer) consequence(it *item) Consequence {
	roots := make([]int, len(it.roots))
	for i, id := range it.roots {
		roots[i] = int(id)
	}
	return Consequence{Kind: it.kind, Name: it.name, Base: it.base, Size: it.size, OldAt: it.at[0], NewAt: it.at[1], Shifts: it.shifts,
		Because: c.refs(it.because), Roots: roots}
}

func (c *comparer) sectionChange(s *sectionItems) SectionChange {
	out := s.SectionChange
	out.Causes = make([]int, 0, len(s.causes))
	for _, i := range s.causes {
		out.Causes = append(out.Causes, c.items[i].id)
	}
	for _, i := range s.grown {
		out.Grown = append(out.Grown, c.consequence(&c.items[i]))
	}
	return out
}

// Settle computes the verdict, and the accepted of Counts, from the causes. Call it again after accepting or removing causes.
func (r *Comparison) Settle() {
	r.Verdict = Verdict{Equal: len(r.Causes)+len(r.Consequences)+r.Hidden == 0}
	r.Accepted = 0
	accepted := map[Kind]int{}
	for i := range r.Causes {
		x := &r.Causes[i]
		if x.Accepted != "" {
			r.Accepted++
			accepted[x.Kind]++
			continue
		}
		switch x.Severity {
		case Break:
			r.Verdict.Break++
		case Add:
			r.Verdict.Add++
		default:
			r.Verdict.Neutral++
		}
	}
	for i := range r.Counts {
		r.Counts[i].Accepted = accepted[r.Counts[i].Kind]
	}
}

// substitute finds types that replace others in many places.
func substitute(r *Comparison) {
	type replacement struct {
		part     Part
		old, new string
	}
	of := func(m *Change) (replacement, bool) {
		switch m.Part {
		case Parameter, Returned, Member, Target:
			return replacement{m.Part, m.Old, m.New}, m.Op == Changed && (m.Rule == MemberType || m.Rule == FuncSignature || m.Rule == TypeTarget || m.Rule == VarType)
		}
		return replacement{}, false
	}
	found := map[replacement]*Substitution{}
	for i := range r.Causes {
		for _, m := range r.Causes[i].Members {
			k, ok := of(&m)
			if !ok {
				continue
			}
			s := found[k]
			if s == nil {
				s = &Substitution{Part: k.part, Old: k.old, New: k.new}
				found[k] = s
			}
			s.Count++
			if n := len(s.Causes); n == 0 || s.Causes[n-1] != i+1 {
				s.Causes = append(s.Causes, i+1)
			}
			if grave(m.Severity) > grave(s.Severity) {
				s.Severity = m.Severity
			}
		}
	}
	for _, s := range found { // they are sorted below
		if s.Count >= MinSubstitution {
			r.Substitutions = append(r.Substitutions, *s)
		}
	}
	slices.SortFunc(r.Substitutions, func(a, b Substitution) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Old, b.Old), cmp.Compare(a.New, b.New))
	})
	at := map[replacement]int{}
	for i, s := range r.Substitutions {
		at[replacement{s.Part, s.Old, s.New}] = i + 1
	}
	for i := range r.Causes {
		x := &r.Causes[i]
		all := 0 // the substitution that all members have, -1 if there is none
		for j := range x.Members {
			m := &x.Members[j]
			if k, ok := of(m); ok {
				m.Substitution = at[k]
			}
			if all == 0 && j == 0 {
				all = m.Substitution
			} else if all != m.Substitution {
				all = -1
			}
		}
		if all > 0 && len(x.Shifts) == 0 && x.Size.Delta() == 0 {
			x.Substitution = all
		}
		for j := range x.Signature {
			if k, ok := of(&x.Signature[j]); ok {
				x.Signature[j].Substitution = at[k]
			}
		}
	}
}

// hint finds arrays whose length changed in the same way as an enumerator that counts something.
func hint(r *Comparison) {
	counts := map[[2]string]string{}
	for i := range r.Causes {
		for _, m := range r.Causes[i].Members {
			if m.Part == Enumerator && m.Op == Changed && isCount(m.Path) {
				k := [2]string{m.Old, m.New}
				if _, several := counts[k]; several {
					counts[k] = "" // the enumerator is ambiguous
				} else {
					counts[k] = m.Path
				}
			}
		}
	}
	if len(counts) == 0 {
		return
	}
	for i := range r.Causes {
		for j := range r.Causes[i].Members {
			m := &r.Causes[i].Members[j]
			if m.Part != Member && m.Part != Target || m.Op != Changed {
				continue
			}
			if k, ok := lengths(m.Old, m.New); ok && counts[k] != "" {
				m.Hint = fmt.Sprintf("as enumerator %s %s → %s", counts[k], k[0], k[1])
			}
		}
	}
}

// isCount reports whether the name of an enumerator suggests that it is the count of the others.
func isCount(name string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc([]string{"MAX", "NR", "NUM", "COUNT", "CNT", "LAST", "SIZE", "TOTAL", "END", "LEN"}, func(w string) bool {
		return strings.Contains(name, w)
	})
}

// lengths returns the lengths of an array, if they are the only difference between two spellings.
func lengths(a, b string) (k [2]string, ok bool) {
	for {
		i, j := strings.IndexByte(a, '['), strings.IndexByte(b, '[')
		if i < 0 || j < 0 || a[:i] != b[:j] {
			return k, ok && a == b
		}
		a, b = a[i+1:], b[j+1:]
		x, y := strings.IndexByte(a, ']'), strings.IndexByte(b, ']')
		if x < 0 || y < 0 {
			return k, false
		}
		if a[:x] != b[:y] {
			if ok {
				return k, false
			}
			k, ok = [2]string{a[:x], b[:y]}, true
		}
		a, b = a[x:], b[y:]
	}
}
