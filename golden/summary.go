package golden

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// maxDetails bounds what is said about one changed type.
const maxDetails = 12

// A KindCount says how many types of a kind differ.
type KindCount struct {
	Kind     btf.Kind
	Ops      [NumOps]int // by Op
	Accepted int         // of all those
}

// Counts are the numbers of changes by kind, in the order of kinds; kinds without any are left out.
func (s *Summary) Counts() []KindCount {
	var list []KindCount
	for _, c := range s.Changes { // ordered by kind
		if len(list) == 0 || list[len(list)-1].Kind != c.Kind {
			list = append(list, KindCount{Kind: c.Kind})
		}
		n := &list[len(list)-1]
		n.Ops[c.Op]++
		if c.Accepted != "" {
			n.Accepted++
		}
	}
	return list
}

// String is the summary in one line: "FUNC +3 -1, STRUCT ~2, 14 moved".
func (s *Summary) String() string {
	var parts []string
	moved, relinked, accepted := 0, 0, 0
	for _, n := range s.Counts() {
		part := ""
		for op, sign := range []string{Added: "+", Removed: "-", Changed: "~"} {
			if n.Ops[op] > 0 {
				part += fmt.Sprintf(" %s%d", sign, n.Ops[op])
			}
		}
		if part != "" {
			parts = append(parts, n.Kind.String()+part)
		}
		moved, relinked, accepted = moved+n.Ops[Moved], relinked+n.Ops[Relinked], accepted+n.Accepted
	}
	for _, n := range []struct {
		count int
		what  string
	}{{moved, "moved"}, {relinked, "relinked"}, {accepted, "accepted"}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprint(n.count, " ", n.what))
		}
	}
	if parts == nil {
		return "no type differs"
	}
	return strings.Join(parts, ", ")
}

// AppendText appends the summary for people: a table of counts by kind, and the changes. most bounds how many of each
// kind and op are listed, and then types that moved or were relinked are only counted; 0 lists all.
func (s *Summary) AppendText(dst []byte, most int) []byte {
	dst = fmt.Appendf(dst, "%d types -> %d types\n", s.old.Len(), s.new.Len())
	if len(s.Changes) == 0 {
		return append(dst, "no type differs\n"...)
	}
	dst = fmt.Appendf(dst, "%-12s%9s%9s%9s%9s%9s%9s\n", "kind", "added", "removed", "changed", "moved", "relinked", "accepted")
	for _, n := range s.Counts() {
		dst = fmt.Appendf(dst, "%-12s%9d%9d%9d%9d%9d%9d\n", n.Kind, n.Ops[Added], n.Ops[Removed], n.Ops[Changed], n.Ops[Moved],
			n.Ops[Relinked], n.Accepted)
	}
	var shown [btf.NumKinds][NumOps]int
	for _, c := range s.Changes {
		n := &shown[c.Kind][c.Op]
		*n++
		if most > 0 && (c.Op >= Moved || *n > most) {
			continue
		}
		dst = s.appendChange(dst, c)
	}
	for k := range shown {
		for op := range Moved {
			if rest := shown[k][op] - most; most > 0 && rest > 0 {
				dst = fmt.Appendf(dst, "… left out: %d more %s %s\n", rest, btf.Kind(k), op)
			}
		}
	}
	return dst
}

// appendChange appends a change and what there is to say of it.
func (s *Summary) appendChange(dst []byte, c Change) []byte {
	dst = fmt.Appendf(dst, "%c %s '%s'", "+-~>="[c.Op], c.Kind, escape.Line(c.Name))
	if c.Accepted != "" {
		dst = fmt.Appendf(dst, " (accepted: %s)", escape.Line(c.Accepted))
	}
	dst = append(dst, '\n')
	details := s.Details(c)
	for i, d := range details {
		if i == maxDetails {
			dst = fmt.Appendf(dst, "    … left out: %d more\n", len(details)-i)
			break
		}
		dst = fmt.Appendf(dst, "    %s\n", escape.Line(d))
	}
	return dst
}
