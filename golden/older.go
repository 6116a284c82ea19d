package golden

import (
	"slices"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
)

// The BTF in an image was made by the encoder of its kernel's build, which may be years older than the rules of today. Such an encoder does not
// err at random: it lacks a rule, and the lack of each rule shows in its own way. This file recognises these ways one by one. Each change of a
// cause must be explained by a rule, by what the two BTFs and the image contain, never by the version of the kernel. What no rule explains
// remains a difference.

// Evidence is what an image says about its functions and variables, beyond the two BTFs. Each field may be nil, which explains nothing.
type Evidence struct {
	// Omitted returns the rule by which the encoder has left out a function, such as "unambiguous-address", or "".
	Omitted func(name string) string
	// OmittedVar is the same for variables.
	OmittedVar func(name string) string
	// Subprograms returns the number of subprograms of a name in the DWARF.
	Subprograms func(name string) int
	// OnlyCopies reports whether the symbol table has a function only under names with one of these suffixes, such as ".part", or with any suffix if there are none.
	OnlyCopies func(name string, suffixes ...string) bool
	// Untraced reports whether ftrace cannot trace a function: the kernel's table of such functions, which the image has, lacks it.
	Untraced func(name string) bool
	// AtZero reports whether the address of a variable is 0.
	AtZero func(name string) bool
}

// An olderRule explains changes by what an older encoder lacks.
type olderRule struct {
	name, about string
	explains    func(a *acceptor, x *cause.Cause, m *cause.Change) bool
}

// olderRules are the rules of older encoders. The first that explains a change counts.
var olderRules = []olderRule{
	{"flattened-arrays", "arrays of several dimensions have one dimension with all elements", func(_ *acceptor, _ *cause.Cause, m *cause.Change) bool {
		return m.Op == cause.Changed && flattened(m.Old, m.New)
	}},
	{"unresolved-forwards", "declarations stay beside the definition of the same name, and what refers to them is kept twice", unresolved},
	{"32-bit-enumerators", "enumerators are 32 bits wide, without a sign", func(a *acceptor, x *cause.Cause, m *cause.Change) bool {
		if x.Kind != cause.Enum || m.Op != cause.Changed {
			return false
		}
		if m.Part == cause.Encoding {
			return m.Old == "unsigned" && m.New == "signed"
		}
		return m.Part == cause.Enumerator && low32(m.Old) == low32(m.New) && !strings.HasPrefix(m.Old, "-") && len(m.Old) <= 10
	}},
	{"unsigned-characters", "characters have no sign", func(_ *acceptor, x *cause.Cause, m *cause.Change) bool {
		return x.Kind == cause.Int && m.Part == cause.Encoding && m.Old == "unsigned, 8 bits" && m.New == "signed, 8 bits"
	}},
	{"floats-as-integers", "floating-point numbers are integers of their size", func(_ *acceptor, x *cause.Cause, m *cause.Change) bool {
		return x.Kind == cause.Float && x.Op == cause.Changed && strings.HasPrefix(m.Old, "unsigned, ") && strings.HasPrefix(m.New, "floating-point number")
	}},
	{"no-variables", "there are no variables", func(a *acceptor, x *cause.Cause, m *cause.Change) bool {
		return x.Op == cause.Added && (x.Kind == cause.Var || x.Kind == cause.Section) && !a.opt.oldVars
	}},
	{"no-variable-at-zero", "a variable at address 0 is left out", func(a *acceptor, x *cause.Cause, _ *cause.Change) bool {
		return x.Kind == cause.Var && x.Op == cause.Added && a.opt.Older.AtZero != nil && a.opt.Older.AtZero(x.Name)
	}},
	{"function-per-prototype", "a function whose subprograms differ has several FUNCs", func(a *acceptor, x *cause.Cause, m *cause.Change) bool {
		return x.Kind == cause.Func && x.Op == cause.Removed && x.OldCopies > x.NewCopies && x.NewCopies > 0
	}},
	{"other-subprogram", "of several subprograms of a function, another one gives the parameters", func(a *acceptor, x *cause.Cause, m *cause.Change) bool {
		return x.Kind == cause.Func && x.Op == cause.Changed && (m.Part == cause.Parameter || m.Part == cause.Returned) && m.Op != cause.Added && m.Op != cause.Removed &&
			a.opt.Older.Subprograms != nil && a.opt.Older.Subprograms(x.Name) > 1
	}},
	{"partial-copies", "a function that exists only as a partial copy (.part) has a FUNC", func(a *acceptor, x *cause.Cause, _ *cause.Change) bool {
		return x.Kind == cause.Func && x.Op == cause.Removed && a.opt.Older.OnlyCopies != nil && a.opt.Older.OnlyCopies(x.Name, "part", "cold")
	}},
	{"no-optimised-copies", "a function that exists only as an optimised copy (.isra, .constprop) has no FUNC", func(a *acceptor, x *cause.Cause, _ *cause.Change) bool {
		return x.Kind == cause.Func && x.Op == cause.Added && a.opt.Older.OnlyCopies != nil && a.opt.Older.OnlyCopies(x.Name)
	}},
	{"traced-functions", "only functions that ftrace can trace have a FUNC", func(a *acceptor, x *cause.Cause, _ *cause.Change) bool {
		return x.Kind == cause.Func && x.Op == cause.Added && a.opt.Older.Untraced != nil && a.opt.Older.Untraced(x.Name)
	}},
}

// withoutRule is the start of the names of the rules for functions and variables that the encoder omits by a rule that an older encoder does not have.
const withoutRule = "without-"

// flattened reports whether a type is an array of one dimension that has all elements of the other, of several: "T[156]" and "T[12][13]".
func flattened(old, new string) bool {
	before, dims, ok := dimensions(old)
	now, more, ok2 := dimensions(new)
	if !ok || !ok2 || len(dims) != 1 || len(more) < 2 || before != now {
		return false
	}
	n := uint64(1)
	for _, d := range more {
		if d != 0 && n > 1<<32/d {
			return false
		}
		n *= d
	}
	return n == dims[0]
}

// dimensions splits a spelled array into its element and its dimensions.
func dimensions(spelled string) (element string, dims []uint64, ok bool) {
	open := strings.IndexByte(spelled, '[')
	if open < 0 || !strings.HasSuffix(spelled, "]") {
		return "", nil, false
	}
	for d := range strings.SplitSeq(spelled[open+1:len(spelled)-1], "][") {
		n, err := strconv.ParseUint(d, 10, 32)
		if err != nil {
			return "", nil, false
		}
		dims = append(dims, n)
	}
	return spelled[:open], dims, true
}

// unresolved reports whether a change is that a reference, or a declaration, exists once instead of twice.
func unresolved(_ *acceptor, x *cause.Cause, m *cause.Change) bool {
	const other = " (another type of this name)"
	switch {
	case x.Op == cause.Removed && (x.Kind == cause.Struct || x.Kind == cause.Union):
		return x.Declaration == string(x.Kind)+" "+x.Name+";"
	case x.Op == cause.Removed && x.Kind == cause.Typedef:
		return x.OldCopies > x.NewCopies && x.NewCopies > 0
	case x.Op == cause.Changed && m.Old != m.New:
		return strings.ReplaceAll(m.Old, other, "") == strings.ReplaceAll(m.New, other, "")
	}
	return false
}

// low32 returns the lowest 32 bits of a number.
func low32(s string) uint32 {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return uint32(n)
	}
	n, _ := strconv.ParseUint(s, 10, 64)
	return uint32(n)
}

// older returns the names of the rules of older encoders that explain all changes of a cause, or nil.
func (a *acceptor) older(x *cause.Cause) (names []string) {
	if a.opt.Older == nil || len(x.Members) == 0 {
		return nil
	}
	for i := range x.Members {
		name := a.olderRule(x, &x.Members[i])
		if name == "" {
			return nil
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (a *acceptor) olderRule(x *cause.Cause, m *cause.Change) string {
	for i := range olderRules {
		if olderRules[i].explains(a, x, m) {
			return olderRules[i].name
		}
	}
	omitted := a.opt.Older.Omitted
	switch x.Kind {
	case cause.Func:
	case cause.Var:
		omitted = a.opt.Older.OmittedVar
	default:
		return ""
	}
	if x.Op == cause.Removed && omitted != nil {
		if rule := omitted(x.Name); rule != "" {
			return withoutRule + rule
		}
	}
	return ""
}

// olderReason describes a rule of older encoders.
func olderReason(name string) string {
	for _, r := range olderRules {
		if r.name == name {
			return r.about
		}
	}
	return "there are functions or variables that the rule " + strings.TrimPrefix(name, withoutRule) + " leaves out"
}
