package cause

import "slices"

// Omitted counts what Cut left out.
type Omitted struct {
	Causes        int `json:"causes,omitempty"`
	Consequences  int `json:"consequences,omitempty"`
	Substitutions int `json:"substitutions,omitempty"`
	Sections      int `json:"sections,omitempty"`
	// Elements counts the omitted elements of lists in causes, consequences, substitutions and sections that are there.
	Elements int `json:"elements,omitempty"`
}

// Cut returns a copy of a comparison in which no list has more than n elements: the first ones, which for causes are those with most
// impact. Verdict and Counts still count everything, and Omitted counts what is left out. References to omitted causes are removed.
func (c *Comparison) Cut(n int) *Comparison {
	out := *c
	var left Omitted
	if c.Omitted != nil {
		left = *c.Omitted
	}
	out.Causes = firstOf(c.Causes, n, &left.Causes)
	out.Consequences = firstOf(c.Consequences, n, &left.Consequences)
	out.Substitutions = firstOf(c.Substitutions, n, &left.Substitutions)
	out.Sections = firstOf(c.Sections, n, &left.Sections)
	out.StaleExceptions = firstOf(c.StaleExceptions, n, &left.Elements)
	out.Acceptances = firstOf(c.Acceptances, n, &left.Elements)
	last := len(out.Causes) // the largest ID that is left
	out.Layouts = slices.DeleteFunc(slices.Clone(c.Layouts), func(l Layout) bool { return l.Cause > last })
	ids := func(list []int) []int {
		kept := make([]int, 0, min(len(list), n))
		for _, id := range list {
			if id <= last && len(kept) < n {
				kept = append(kept, id)
			}
		}
		left.Elements += len(list) - len(kept)
		return kept
	}
	refs := func(list []Ref) []Ref {
		list = firstOf(list, n, &left.Elements)
		for i := range list {
			if list[i].Cause > last {
				list[i].Cause = 0
			}
		}
		return list
	}
	substitution := func(at *int) {
		if *at > len(out.Substitutions) {
			*at = 0
		}
	}
	for i := range out.Causes {
		x := &out.Causes[i]
		x.Members, x.Signature = firstOf(x.Members, n, &left.Elements), firstOf(x.Signature, n, &left.Elements)
		x.Shifts = firstOf(x.Shifts, n, &left.Elements)
		x.Because, x.Impact.Sample = refs(x.Because), refs(x.Impact.Sample)
		x.AcceptedBy = slices.DeleteFunc(slices.Clone(x.AcceptedBy), func(at int) bool { return at > len(out.Acceptances) })
		substitution(&x.Substitution)
		for _, list := range [][]Change{x.Members, x.Signature} {
			for j := range list {
				substitution(&list[j].Substitution)
			}
		}
	}
	consequences := func(list []Consequence) {
		for i := range list {
			x := &list[i]
			x.Because, x.Roots, x.Shifts = refs(x.Because), ids(x.Roots), firstOf(x.Shifts, n, &left.Elements)
		}
	}
	consequences(out.Consequences)
	for i := range out.Substitutions {
		out.Substitutions[i].Causes = ids(out.Substitutions[i].Causes)
	}
	for i := range out.Sections {
		s := &out.Sections[i]
		s.Causes, s.Grown, s.Shifts = ids(s.Causes), firstOf(s.Grown, n, &left.Elements), firstOf(s.Shifts, n, &left.Elements)
		consequences(s.Grown)
	}
	out.Omitted = nil
	if left != (Omitted{}) {
		out.Omitted = &left
	}
	return &out
}

// firstOf returns a copy of at most n elements of a list, and adds the number of the others to left. An empty list stays as it is.
func firstOf[T any](list []T, n int, left *int) []T {
	if len(list) == 0 {
		return list
	}
	k := min(len(list), n)
	*left += len(list) - k
	return append(make([]T, 0, k), list[:k]...)
}
