package verify

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A Warning reports a property of BTF that every kernel accepts but that causes problems later.
type Warning struct {
	Rule   string // one of the names in LintRules
	TypeID uint32 // 0 if the warning is not about one type
	Name   string
	Text   string // one sentence
}

// String returns the warning on one line.
func (w Warning) String() string {
	if w.TypeID == 0 {
		return w.Rule + ": " + w.Text
	}
	return fmt.Sprintf("%s: type %d, %s: %s", w.Rule, w.TypeID, quoted(w.Name), w.Text)
}

// LintOptions describe the purpose of the BTF.
type LintOptions struct {
	Kernel Kernel           // the kernel that will read it
	Module bool             // the BTF of a module, with Base or Checked as its base
	Order  binary.ByteOrder // nil: the magic number determines the byte order
	Base   []byte
	// Checked is like Base, for many modules.
	Checked *Base
	// Reading is what Check has read of the blob, if it was asked to keep that.
	Reading *Reading
	SMP     bool // the image is built for several processors, so it has per-CPU variables
	// Earlier is the BTF of an earlier build. If it is given, functions and per-CPU variables are counted and compared. Loss is the share
	// of them that may be missing, such as 0.02.
	Earlier []byte
	Loss    float64
}

// The rules of Lint.
const (
	RuleUnreadable  = "unreadable"       // no kernel can read it
	RuleDuplicate   = "duplicate-struct" // two structs or unions have one name
	RuleLoss        = "fewer-than-before"
	RuleNoPerCPU    = "no-percpu"
	RuleUnreachable = "unreachable-name"  // CO-RE cannot refer to the name
	RuleUnsorted    = "unsorted"          // the kernel searches names by bisection
	RuleLayout      = "layout-header"     // other readers refuse the header
	RuleIncomplete  = "incomplete-type"   // a part has a type without a size
	RuleImplicit    = "implicit-argument" // a kfunc has a parameter that the BPF verifier fills in
)

// LintRules returns the names of all rules.
func LintRules() []string {
	return []string{RuleUnreadable, RuleDuplicate, RuleLoss, RuleNoPerCPU, RuleUnreachable, RuleUnsorted, RuleLayout, RuleIncomplete, RuleImplicit}
}

type linter struct {
	*checker
	opt      LintOptions
	warnings []Warning
}

// Lint reports properties that no kernel refuses but that a publisher wants to know. The warnings are in the order of LintRules, and of
// type ids within a rule.
func Lint(blob []byte, opt LintOptions) []Warning {
	c, err := readable(blob, opt)
	if err != nil {
		return []Warning{{Rule: RuleUnreadable, Text: err.Error()}}
	}
	l := &linter{checker: c, opt: opt}
	l.duplicates()
	l.losses()
	l.perCPU()
	l.unreachable()
	l.unsorted()
	l.layoutHeader()
	l.incomplete()
	l.implicitArguments()
	return l.warnings
}

// readable decodes a blob as far as all rules need. It uses the rules of the newest kernel, which allow most.
func readable(blob []byte, opt LintOptions) (*checker, error) {
	o := Options{Path: Vmlinux, Order: opt.Order}
	var base *checker
	if opt.Module {
		o.Path = Module
		if opt.Checked != nil {
			base = opt.Checked.c
		} else if b, err := readable(opt.Base, LintOptions{Order: opt.Order}); err == nil {
			base = b
		} else {
			return nil, fmt.Errorf("base: %w", err)
		}
	}
	c := newChecker(blob, o)
	if opt.Reading.is(c, base) {
		c = opt.Reading.c
		c.under = base
		return c, nil
	}
	c.under = base
	if r := c.header(base); r != nil {
		return nil, r
	}
	if r := c.meta(); r != nil {
		return nil, r
	}
	return c, nil
}

// is reports whether a reading is what a checker of the newest kernel, with that base, would read.
func (r *Reading) is(c, base *checker) bool {
	if r == nil || r.c == nil {
		return false
	}
	sameBase := r.c.baseStrs == nil
	if base != nil {
		sameBase = r.c.baseStrs == &base.strs
	}
	a, b := r.c.blob, c.blob
	return sameBase && r.c.kernel == c.kernel && r.c.path == c.path && r.c.big == c.big && len(a) == len(b) && &a[0] == &b[0]
}

func (l *linter) warn(rule string, r *record, format string, args ...any) {
	w := Warning{Rule: rule, Text: fmt.Sprintf(format, args...)}
	if r != nil {
		w.TypeID, w.Name = r.id, l.text(r.name)
	}
	l.warnings = append(l.warnings, w)
}

// duplicates finds structs and unions of one name: CO-RE picks one of them, and a program cannot choose.
func (l *linter) duplicates() {
	type key struct {
		kind btf.Kind
		name string
	}
	first := map[key]uint32{}
	for i := range l.recs {
		r := l.rec(l.firstID + uint32(i))
		if !btf.Composites.Has(r.kind) || r.name == 0 {
			continue
		}
		k := key{r.kind, l.text(r.name)}
		id, twice := first[k]
		if !twice {
			first[k] = r.id
			continue
		}
		a := l.rec(id)
		l.warn(RuleDuplicate, &r, "there is another %v of this name, type %d; they differ in %s", r.kind, id, l.difference(&a, &r))
	}
}

// difference describes the first difference between two structs.
func (l *linter) difference(a, b *record) string {
	var parts []string
	if a.third != b.third {
		parts = append(parts, fmt.Sprintf("size: %d and %d bytes", a.third, b.third))
	}
	if a.kflag != b.kflag {
		parts = append(parts, "the kind flag")
	}
	if member := l.memberDifference(a, b); member != "" {
		parts = append(parts, member)
	} else if a.vlen != b.vlen {
		parts = append(parts, fmt.Sprintf("number of members: %d and %d", a.vlen, b.vlen))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}

// memberDifference describes the first member that differs.
func (l *linter) memberDifference(a, b *record) string {
	for i := range min(a.vlen, b.vlen) {
		m, n := memberOf(a, l.child(a, i)), memberOf(b, l.child(b, i))
		var what string
		switch {
		case l.text(m.name) != l.text(n.name):
			what = fmt.Sprintf("name: %s and %s", quoted(l.text(m.name)), quoted(l.text(n.name)))
		case m.off != n.off:
			what = fmt.Sprintf("place: bits %d and %d", m.off, n.off)
		case m.bits != n.bits:
			what = fmt.Sprintf("width: %d and %d bits", m.bits, n.bits)
		case m.typ != n.typ:
			what = fmt.Sprintf("type: %s and %s", l.typeName(m.typ), l.typeName(n.typ))
		default:
			continue
		}
		return fmt.Sprintf("member %d, by its %s", i+1, what)
	}
	return ""
}

func (l *linter) typeName(id uint32) string {
	if id < l.firstID || !l.exists(id) {
		return fmt.Sprintf("type %d", id)
	}
	r := l.rec(id)
	return fmt.Sprintf("%v %s (type %d)", r.kind, quoted(l.text(r.name)), id)
}

// losses compares counts with those of an earlier build.
func (l *linter) losses() {
	if l.opt.Earlier == nil {
		return
	}
	o := l.opt
	o.Order, o.Reading = nil, nil // the earlier build may be for another machine
	before, err := readable(l.opt.Earlier, o)
	if err != nil {
		l.warn(RuleLoss, nil, "the earlier BTF cannot be read: %v", err)
		return
	}
	for _, n := range []struct {
		what        string
		now, before int
	}{
		{"functions", l.functions(), before.functions()},
		{"per-CPU variables", l.perCPUVars(), before.perCPUVars()},
	} {
		if lost := n.before - n.now; float64(lost) > l.opt.Loss*float64(n.before) {
			l.warn(RuleLoss, nil, "%d %s, %d in the earlier BTF: %.1f %% are missing", n.now, n.what, n.before,
				100*float64(lost)/float64(n.before))
		}
	}
}

func (c *checker) functions() int {
	n := 0
	for i := range c.recs {
		if c.kindOf(c.firstID+uint32(i)) == btf.KindFunc {
			n++
		}
	}
	return n
}

// perCPUVars returns the number of entries of the first section of that name, which is the one that kernels use.
func (c *checker) perCPUVars() int {
	for i := range c.recs {
		r := c.rec(c.firstID + uint32(i))
		if r.kind == btf.KindDatasec && c.text(r.name) == perCPU {
			return int(r.vlen)
		}
	}
	return 0
}

func (l *linter) perCPU() {
	if l.opt.SMP && !l.opt.Module && l.perCPUVars() == 0 {
		l.warn(RuleNoPerCPU, nil, "no variable is in .data..percpu, so programs cannot read per-CPU variables of the kernel")
	}
}

// reachable are the kinds that CO-RE looks up by name.
var reachable = btf.Kinds(btf.KindInt, btf.KindFloat, btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindEnum64, btf.KindFwd,
	btf.KindTypedef)

// unreachable finds names of types, members and enumerators that a C program cannot write, or that libbpf shortens: it treats "___" and the
// text after it as a flavour of the type named before it.
func (l *linter) unreachable() {
	for i := range l.recs {
		r := l.rec(l.firstID + uint32(i))
		if !reachable.Has(r.kind) {
			continue
		}
		if r.kind == btf.KindInt || r.kind == btf.KindFloat || !ordinary(l.bytes(r.name)) {
			l.unreachableType(&r)
		}
		if r.kind == btf.KindInt || btf.ShapeOf(r.kind).NameAt != 0 {
			continue
		}
		for i := range r.vlen {
			at := l.child(&r, i).a
			if ordinary(l.bytes(at)) {
				continue
			}
			if name := l.text(at); hidden(name, true) != "" {
				l.warn(RuleUnreachable, &r, "CO-RE cannot reach %s in this type: the name %s", quoted(name), hidden(name, true))
			}
		}
	}
}

// unreachableType warns about the name of a type.
func (l *linter) unreachableType(r *record) {
	name := l.text(r.name)
	if why := hidden(name, r.kind != btf.KindInt && r.kind != btf.KindFloat); why != "" {
		l.warn(RuleUnreachable, r, "CO-RE cannot reach this type: its name %s", why)
	}
	if at := strings.Index(name, "___"); at > 0 {
		l.warn(RuleUnreachable, r, "CO-RE takes this type for a flavour of %s", quoted(name[:at]))
	}
}

// ordinary reports whether a name is certainly reachable: it is a name in C, not a keyword, and no flavour of another. Nearly all names are, and it takes
// no memory to find that out.
func ordinary(name []byte) bool {
	word, low := true, 0
	for i, b := range name {
		switch {
		case b >= 'a' && b <= 'z':
			low = 0
		case b >= 'A' && b <= 'Z', b >= '0' && b <= '9' && i > 0:
			word, low = false, 0
		case b == '_':
			if low++; low == len("___") {
				return false
			}
			word = false
		default:
			return false
		}
	}
	if !word || len(name) > longestKeyword {
		return true
	}
	_, keyword := slices.BinarySearchFunc(keywords, name, func(k string, name []byte) int { return strings.Compare(k, string(name)) })
	return !keyword
}

// hidden returns the reason why C has no such name. Names of basic types may have several words.
func hidden(name string, oneWord bool) string {
	if _, keyword := slices.BinarySearch(keywords, name); keyword && oneWord {
		return "is a keyword of C"
	}
	for i := range len(name) {
		b := name[i]
		switch {
		case b == '_', letter(b) && b < 0x80, b >= '0' && b <= '9' && i > 0, b == ' ' && !oneWord:
		default:
			return fmt.Sprintf("holds %q, which no name of C does", b)
		}
	}
	return ""
}

const longestKeyword = len("register")

// keywords of C that another language may use as names, sorted.
var keywords = []string{
	"auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float", "for",
	"goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct",
	"switch", "typedef", "union", "unsigned", "void", "volatile", "while",
}

// unsorted finds the first type out of order. The order is: anonymous types first, then by name.
func (l *linter) unsorted() {
	if !l.opt.Kernel.generation().bisect {
		return
	}
	last := ""
	for i := range l.recs {
		r := l.rec(l.firstID + uint32(i))
		name := l.text(r.name)
		if name < last {
			why := "so that programs cannot find types by name"
			if l.opt.Module {
				why = "which it cannot do in this module"
			}
			l.warn(RuleUnsorted, &r, "this type sorts before the one in front of it, and kernel %s searches names by bisection, %s",
				l.opt.Kernel, why)
			return
		}
		last = name
	}
}

func (l *linter) layoutHeader() {
	length := order(l.blob[atLength:], l.big)
	if length >= knownHeader && (order(l.blob[atLayoutOff:], l.big) != 0 || order(l.blob[atLayoutLen:], l.big) != 0) {
		l.warn(RuleLayout, nil, "there is a layout section, and kernels up to 6.18 and tools of their time refuse its header")
	}
}
