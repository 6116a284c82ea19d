package golden

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
)

// An Allow accepts the changes by a rule.
type Allow struct {
	Rule  cause.Rule
	Names []string // patterns as cause.Matches takes them; none stands for all
}

func (a *Allow) allows(name string, rule cause.Rule) bool {
	return a.Rule == rule && (a.Names == nil || slices.ContainsFunc(a.Names, func(p string) bool { return cause.Matches(p, name) }))
}

// CompareOwn compares an object with the BTF that its image has. They are equal if both mean the same.
func CompareOwn(o *btf.Object, own cause.Input, opt Options) *Result {
	opt.Exceptions.ask(opt.Image)
	res := &Result{Verdict: Equal}
	c := cause.Compare(own, cause.Input{Object: o}, cause.Options{Layouts: opt.Layouts})
	if c.Verdict.Equal {
		return res
	}
	res.Verdict, res.Comparison = Differs, c
	opt.oldVars = hasVars(own.Object)
	if opt.accept(c) {
		res.Verdict = Accepted
	}
	return res
}

// hasVars reports whether an object has variables.
func hasVars(o *btf.Object) bool {
	for id := o.First(); id < o.End(); id++ {
		if o.At(id).Kind() == btf.KindVar {
			return true
		}
	}
	return false
}

// Agree reports whether a run would pass if the golden had the BTF of another object. Exceptions do not count as used by it.
func Agree(o, other *btf.Object, opt Options) bool {
	if opt.Selection != nil {
		return agreeSelected(o, other, opt)
	}
	c := cause.Compare(cause.Input{Object: other}, cause.Input{Object: o}, cause.Options{Exact: !opt.Semantic})
	opt.Exceptions = opt.Exceptions.fresh()
	return c.Verdict.Equal || opt.accept(c)
}

// The comment line at the head of a golden that says which program's text it is.
const dialectMark = "# dialect "

// Dialect is the form of raw dumps that this package reads and writes. A golden without a comment line has it.
const Dialect = "bpftool-7.8"

// readDialect reads the comment line of a golden, if there is one. It returns "" if there is none.
func readDialect(r *bufio.Reader) (string, error) {
	if head, _ := r.Peek(len(dialectMark)); string(head) != dialectMark {
		return "", nil
	}
	line, err := r.ReadSlice('\n')
	if err != nil {
		return "", fmt.Errorf("line 1: the name of the dialect has no end")
	}
	name := strings.TrimSpace(string(line[len(dialectMark):]))
	return name, checkDialect(name)
}

func checkDialect(name string) error {
	if name != Dialect {
		return fmt.Errorf("line 1: unknown dialect %q: only %s can be compared", name, Dialect)
	}
	return nil
}
