package cause

import (
	"fmt"
	"slices"
)

// Check returns an error if a comparison that was read from a file is not one that Compare, Select and Cut could have returned: another
// schema, an unknown word, a reference that leads nowhere. Renderers rely on that.
func (c *Comparison) Check() error {
	if c.Schema != Schema {
		return fmt.Errorf("schema is %d, not %d", c.Schema, Schema)
	}
	k := checker{causes: len(c.Causes), substitutions: len(c.Substitutions), acceptances: len(c.Acceptances)}
	for i := range c.Causes {
		k.at = fmt.Sprintf("causes[%d]", i)
		k.cause(&c.Causes[i], i+1)
	}
	for i := range c.Consequences {
		k.at = fmt.Sprintf("consequences[%d]", i)
		k.consequence(&c.Consequences[i])
	}
	for i := range c.Substitutions {
		k.at = fmt.Sprintf("substitutions[%d]", i)
		s := &c.Substitutions[i]
		k.word(slices.Contains([]Part{Parameter, Returned, Member, Target}, s.Part), "part", string(s.Part))
		k.ids(s.Causes)
		k.severity(s.Severity, false)
	}
	for i := range c.Sections {
		k.at = fmt.Sprintf("sections[%d]", i)
		s := &c.Sections[i]
		k.ids(s.Causes)
		for j := range s.Grown {
			k.consequence(&s.Grown[j])
		}
	}
	for i := range c.Counts {
		k.at = fmt.Sprintf("counts[%d]", i)
		k.kind(c.Counts[i].Kind)
	}
	return k.err
}

// A checker keeps the first problem.
type checker struct {
	causes, substitutions, acceptances int
	at                                 string
	err                                error
}

func (k *checker) fail(format string, args ...any) {
	if k.err == nil {
		k.err = fmt.Errorf(k.at+": "+format, args...)
	}
}

func (k *checker) word(ok bool, what, word string) {
	if !ok {
		k.fail("%s %q is not known", what, word)
	}
}

func (k *checker) kind(kind Kind) { k.word(slices.Contains(Kinds, kind), "kind", string(kind)) }

func (k *checker) op(op Op) {
	k.word(slices.Contains([]Op{Added, Removed, Changed, Renamed, Moved, Same}, op), "op", string(op))
}

func (k *checker) severity(s Severity, empty bool) {
	k.word(empty && s == "" || slices.Contains([]Severity{Break, Neutral, Add}, s), "severity", string(s))
}

func (k *checker) rule(r Rule, empty bool) {
	k.word(empty && r == "" || severityOf(r) != "", "rule", string(r))
}

func (k *checker) ids(list []int) {
	for _, id := range list {
		if id < 1 || id > k.causes {
			k.fail("there is no cause %d", id)
		}
	}
}

func (k *checker) refs(list []Ref) {
	for i := range list {
		k.kind(list[i].Kind)
		k.op(list[i].Op)
		if id := list[i].Cause; id != 0 {
			k.ids([]int{id})
		}
	}
}

func (k *checker) cause(x *Cause, id int) {
	if x.ID != id {
		k.fail("id is %d, not %d", x.ID, id)
	}
	k.kind(x.Kind)
	k.op(x.Op)
	k.severity(x.Severity, false)
	for _, r := range x.Rules {
		k.rule(r, false)
	}
	for _, list := range [][]Change{x.Members, x.Signature} {
		for i := range list {
			k.change(&list[i])
		}
	}
	k.refs(x.Because)
	k.refs(x.Impact.Sample)
	k.substitution(x.Substitution)
	for _, at := range x.AcceptedBy {
		if at < 1 || at > k.acceptances {
			k.fail("there is no acceptance %d", at)
		}
	}
}

func (k *checker) change(m *Change) {
	parts := []Part{Member, Enumerator, Returned, Parameter, Target, Whole, SizePart, Linkage, Place, Encoding, Tag, Copies, Ids}
	k.word(slices.Contains(parts, m.Part), "part", string(m.Part))
	k.op(m.Op)
	k.rule(m.Rule, true)
	k.severity(m.Severity, true)
	k.substitution(m.Substitution)
}

func (k *checker) substitution(n int) {
	if n < 0 || n > k.substitutions {
		k.fail("there is no substitution %d", n)
	}
}

func (k *checker) consequence(x *Consequence) {
	k.kind(x.Kind)
	k.refs(x.Because)
	k.ids(x.Roots)
}
