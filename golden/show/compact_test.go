package show

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sebdah/goldie/v2"

	"github.com/btfbatch/btfbatch/golden/cause"
)

// large returns a comparison with n differences of each sort.
func large(n int, name string) *cause.Comparison {
	c := sample()
	add := func(x cause.Cause) int {
		x.ID = len(c.Causes) + 1
		if x.Severity == "" {
			x.Severity = cause.Break
		}
		c.Causes = append(c.Causes, x)
		return x.ID
	}
	member := func(op cause.Op, rule cause.Rule, severity cause.Severity) cause.Change {
		return cause.Change{Part: cause.Member, Path: name + "m", Op: op, Rule: rule, Severity: severity, Old: "int", New: "long int",
			OldAt: &cause.Extent{Bytes: 4}, NewAt: &cause.Extent{Bit: 32, Bytes: 8}}
	}
	section := &c.Sections[0]
	for i := range n {
		id := fmt.Sprintf("%s_%d", name, i)
		for j, rule := range []cause.Rule{"member-removed", "member-type", "member-added", "size"} {
			op := []cause.Op{cause.Removed, cause.Changed, cause.Added, cause.Changed}[j]
			severity := []cause.Severity{cause.Break, cause.Break, cause.Add, cause.Neutral}[j]
			m := member(op, rule, severity)
			add(cause.Cause{Kind: cause.Struct, Name: fmt.Sprintf("%s_%d", id, j), Op: cause.Changed, Severity: severity, Rules: []cause.Rule{rule},
				Size: &cause.Size{Old: 8, New: 16}, Members: []cause.Change{m, m, m, m, m, m}, Impact: cause.Impact{Funcs: n - i},
				Shifts: []cause.Shift{{From: "a", To: "b", Count: 3, Bytes: 8, Bits: 64}, {From: "c", To: "c", Count: 1, Bytes: 4, Bits: 32}}})
		}
		add(cause.Cause{Kind: cause.Enum, Name: "e" + id, Op: cause.Changed, Rules: []cause.Rule{"enum-value-changed"}})
		add(cause.Cause{Kind: cause.Typedef, Name: "t" + id, Op: cause.Changed, Rules: []cause.Rule{"type-target"}})
		for _, op := range []cause.Op{cause.Added, cause.Removed} {
			for _, kind := range []cause.Kind{cause.Struct, cause.Union, cause.Enum, cause.Typedef, cause.Int, cause.Float, cause.Func, cause.Var} {
				add(cause.Cause{Kind: kind, Name: fmt.Sprintf("%s_%s_%s", kind, op, id), Op: op})
			}
			add(cause.Cause{Kind: cause.Enum, Name: fmt.Sprintf("enum { %s_%s }", op, id), Op: op})
			section.Causes = append(section.Causes, add(cause.Cause{Kind: cause.Var, Name: "v" + id, Op: op}))
		}
		for _, m := range []cause.Change{{Part: cause.Parameter, Op: cause.Added}, {Part: cause.Parameter, Op: cause.Removed},
			{Part: cause.Parameter, Op: cause.Changed, Old: "int", New: "long int", Severity: cause.Break}, {Part: cause.Returned, Op: cause.Changed},
			{Part: cause.Tag, Op: cause.Changed}} {
			add(cause.Cause{Kind: cause.Func, Name: "f" + id, Op: cause.Changed, Rules: []cause.Rule{"func-signature"}, Members: []cause.Change{m}})
		}
		section.Causes = append(section.Causes, add(cause.Cause{Kind: cause.Var, Name: "w" + id, Op: cause.Changed, Rules: []cause.Rule{"var-type"}}),
			add(cause.Cause{Kind: cause.Var, Name: "p" + id, Op: cause.Changed, Rules: []cause.Rule{cause.VarPlace}}))
		section.Grown = append(section.Grown, cause.Consequence{Kind: cause.Var, Name: "g" + id, Size: &cause.Size{Old: 4, New: 8}})
		c.Substitutions = append(c.Substitutions, cause.Substitution{Part: cause.Parameter, Old: "struct " + id + " *", New: "int", Count: 5, Causes: []int{3}})
	}
	c.Sections = append(c.Sections, cause.SectionChange{Name: ".other", Causes: section.Causes[:1]}, cause.SectionChange{Name: ".third"})
	c.Settle()
	return c
}

// TestShort: a text of very many differences fits Screens, whatever the width and the names, and every group of differences is on it. A text
// with a limit, and a verbose one, are not shortened.
func TestShort(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, large(60, "net"), Options{}); err != nil {
		t.Fatal(err)
	}
	goldie.New(t).Assert(t, "short", b.Bytes())
	for _, n := range []int{20, 200} {
		for _, name := range []string{"a", strings.Repeat("name_", 50), "\u202e|`\x1b[31m\n::error::x", strings.Repeat("x", 2000)} {
			if len(name) > 1000 && n > 20 {
				continue // hundreds of megabytes
			}
			c := large(n, name)
			for _, width := range []int{40, 100, 250} {
				b.Reset()
				if err := Text(&b, c, Options{Width: width}); err != nil {
					t.Fatal(err)
				}
				lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
				if len(lines) > Screens {
					t.Errorf("%d of each, %.8q, %d columns: got %d lines", n, name, width, len(lines))
				}
				for _, line := range lines {
					if got := utf8.RuneCountInString(line); got > width {
						t.Errorf("%d of each, %.8q, %d columns: got %d columns in %.60q…", n, name, width, got, line)
					}
				}
				if strings.ContainsAny(b.String(), "\x1b\u202e") {
					t.Errorf("%.8q: a name is written as it is", name)
				}
				for _, want := range []string{"with less impact", "lost or renamed members", "got members", "members of another type", "renumbered values", "for other types",
					"types changed otherwise", "lost parameters", "got parameters", "another type", "only moved", "more section", "removed", "added", "verdict: ", "shortened"} {
					if !strings.Contains(b.String(), want) {
						t.Errorf("%d of each, %.8q, %d columns: %q is missing", n, name, width, want)
					}
				}
			}
			if n == 20 && len(name) < 1000 {
				for _, opt := range []Options{{Limit: 20}, {Limit: -1}, {Verbose: true}} {
					b.Reset()
					if err := Text(&b, c, opt); err != nil || strings.Contains(b.String(), "shortened") {
						t.Errorf("%+v: the text is shortened (error %v)", opt, err)
					}
				}
			}
		}
	}
}

// TestFillWords: many names are counted by their first words; dots stand for names that no word counts, and only for those.
func TestFillWords(t *testing.T) {
	many := func(format string, n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf(format, i))
		}
		return names
	}
	for _, tt := range []struct {
		name  string
		names []string
		want  string
	}{
		{"all are counted", append(many("net_%d", 40), many("__bpf_%d", 10)...), "names: 40 net_*, 10 bpf_*"},
		{"one is not", append(many("net_%d", 40), "alone_1"), "names: 40 net_*, …"},
		{"names of one word", append(many("net_%d", 40), "word", "word2"), "names: 40 net_*, …"},
		{"words without space", append(many("net_%d", 40), many(strings.Repeat("x", 60)+"_%d", 2)...), "names: 40 net_*, …"},
		{"a word without space", many(strings.Repeat("x", 60)+"_%d", 40), "names"},
	} {
		x := texter{page: page{width: 60, clip: true}}
		x.fillWords(plain, "names: ", tt.names)
		if got := strings.TrimSuffix(x.b.String(), "\n"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
