package show

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/sebdah/goldie/v2"

	"github.com/btfbatch/btfbatch/golden/cause"
)

// sample returns a comparison with every kind of content.
func sample() *cause.Comparison {
	c := &cause.Comparison{
		Schema: cause.Schema,
		Old:    cause.Side{Name: "old.btf", Types: 107182}, New: cause.Side{Name: "new.btf", Types: 118363},
		Causes: []cause.Cause{
			{ID: 1, Key: "enum/cgroup_subsys_id/0", Kind: cause.Enum, Name: "cgroup_subsys_id", Op: cause.Changed, Severity: cause.Break,
				Rules: []cause.Rule{cause.EnumValueAdded, cause.EnumValueChanged}, Size: &cause.Size{Old: 4, New: 4},
				Members: []cause.Change{
					{Part: cause.Enumerator, Path: "pids_cgrp_id", Op: cause.Added, Rule: cause.EnumValueAdded, Severity: cause.Add, New: "7"},
					{Part: cause.Enumerator, Path: "CGROUP_SUBSYS_COUNT", Op: cause.Changed, Rule: cause.EnumValueChanged, Severity: cause.Break, Old: "7", New: "8"},
				}},
			{ID: 2, Key: "struct/cgroup/0", Kind: cause.Struct, Name: "cgroup", Op: cause.Changed, Severity: cause.Break,
				Rules: []cause.Rule{cause.MemberType}, Size: &cause.Size{Old: 1920, New: 1984},
				Members: []cause.Change{{Part: cause.Member, Path: "subsys", Op: cause.Changed, Rule: cause.MemberType, Severity: cause.Break,
					Old: "struct cgroup_subsys_state *[7]", New: "struct cgroup_subsys_state *[8]", Hint: "as enumerator CGROUP_SUBSYS_COUNT 7 → 8",
					OldAt: &cause.Extent{Bit: 4096, Bytes: 56}, NewAt: &cause.Extent{Bit: 4096, Bytes: 64}}},
				Shifts: []cause.Shift{{From: "nr_dying_subsys", To: "bpf", Count: 24, Bytes: 8, Bits: 64}},
				Impact: cause.Impact{Types: 1, Funcs: 41, Sample: []cause.Ref{{Kind: cause.Struct, Name: "cgroup_root", Op: cause.Changed, Size: &cause.Size{Old: 6016, New: 6080}}}}},
			{ID: 3, Key: "func/f/0", Kind: cause.Func, Name: "f", Op: cause.Changed, Severity: cause.Break, Rules: []cause.Rule{cause.FuncSignature},
				Members: []cause.Change{{Part: cause.Parameter, Path: "flags", Op: cause.Added, Rule: cause.FuncSignature, New: "int flags"}},
				Signature: []cause.Change{{Part: cause.Returned, Op: cause.Same, New: "size_t"}, {Part: cause.Parameter, Op: cause.Same, Path: "p", New: "void *p"},
					{Part: cause.Parameter, Path: "flags", Op: cause.Added, New: "int flags"}}},
			{ID: 4, Key: "var/storage_busy/0", Kind: cause.Var, Name: "storage_busy", Op: cause.Removed, Severity: cause.Break, Rules: []cause.Rule{cause.VarRemoved},
				Size: &cause.Size{Old: 4}, Declaration: "int storage_busy",
				Members: []cause.Change{{Part: cause.Whole, Op: cause.Removed, Rule: cause.VarRemoved, OldAt: &cause.Extent{Bit: 800, Bytes: 4}}}},
			{ID: 5, Key: "func/gone/0", Kind: cause.Func, Name: "gone", Op: cause.Removed, Severity: cause.Break, Rules: []cause.Rule{cause.FuncRemoved},
				Declaration: "void gone(void)", Members: []cause.Change{{Part: cause.Whole, Op: cause.Removed, Rule: cause.FuncRemoved}}, Accepted: "was never used"},
		},
		Consequences: []cause.Consequence{{Kind: cause.Struct, Name: "cgroup_root", Size: &cause.Size{Old: 6016, New: 6080}, Roots: []int{2},
			Because: []cause.Ref{{Kind: cause.Struct, Name: "cgroup", Cause: 2, Op: cause.Changed, Size: &cause.Size{Old: 1920, New: 1984}}}}},
		Substitutions: []cause.Substitution{{Part: cause.Parameter, Old: "struct a *", New: "const struct a *", Count: 5, Causes: []int{3}, Severity: cause.Neutral}},
		Sections: []cause.SectionChange{{Name: ".data..percpu", Size: cause.Size{Old: 229632, New: 213248}, Vars: cause.Size{Old: 384, New: 383}, Causes: []int{4},
			Shifts: []cause.Shift{{From: "x", To: "y", Count: 52, Bytes: -4, Bits: -32}}}},
		Counts: []cause.Count{{Kind: cause.Struct, Changed: 1, Followed: 1}, {Kind: cause.Enum, Changed: 1}, {Kind: cause.Func, Changed: 1, Removed: 1}, {Kind: cause.Var, Removed: 1, Followed: 52}},
	}
	c.Settle()
	return c
}

func TestForms(t *testing.T) {
	for _, f := range []struct {
		name  string
		write func(*bytes.Buffer) error
	}{
		{"text", func(b *bytes.Buffer) error { return Text(b, sample(), Options{}) }},
		{"narrow", func(b *bytes.Buffer) error { return Text(b, sample(), Options{Width: 60}) }},
		{"verbose", func(b *bytes.Buffer) error { return Text(b, sample(), Options{Verbose: true, Limit: -1}) }},
		{"color", func(b *bytes.Buffer) error { return Text(b, sample(), Options{Color: true}) }},
		{"limited", func(b *bytes.Buffer) error { return Text(b, sample(), Options{Limit: 1}) }},
		{"brief", func(b *bytes.Buffer) error { return Brief(b, sample(), Options{}) }},
		{"markdown", func(b *bytes.Buffer) error { return Markdown(b, sample(), Options{}) }},
		{"json", func(b *bytes.Buffer) error { return JSON(b, sample()) }},
	} {
		var b bytes.Buffer
		if err := f.write(&b); err != nil {
			t.Fatal(err)
		}
		goldie.New(t).Assert(t, f.name, b.Bytes())
	}
}

// A renamed declaration is one item in Markdown, and is not among those that were removed and added.
func TestRenamedMarkdown(t *testing.T) {
	c := &cause.Comparison{Causes: []cause.Cause{
		{ID: 1, Kind: cause.Struct, Name: "old_name", Op: cause.Removed, Severity: cause.Break, RenamedTo: "new|name"},
		{ID: 2, Kind: cause.Struct, Name: "new|name", Op: cause.Added, Severity: cause.Add, RenamedFrom: "old_name"},
		{ID: 3, Kind: cause.Struct, Name: "gone", Op: cause.Removed, Severity: cause.Break},
	}}
	var b bytes.Buffer
	if err := Markdown(&b, c, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"**renamed, with the same content**: struct old\\_name → new\\|name\n", "**1 struct removed**: gone\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), " added**") {
		t.Errorf("the new name is listed as added:\n%s", b.String())
	}
}

func TestEqual(t *testing.T) {
	c := &cause.Comparison{Schema: cause.Schema}
	c.Settle()
	var b bytes.Buffer
	if err := Text(&b, c, Options{}); err != nil || b.String() != "equal\n" {
		t.Errorf("got %q, %v", b.String(), err)
	}
}

// Reading the JSON back gives the same comparison.
func TestJSONReadsBack(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, sample()); err != nil {
		t.Fatal(err)
	}
	var got cause.Comparison
	d := json.NewDecoder(&b)
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if want := sample(); !reflect.DeepEqual(&got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// hostile returns many causes with names that look like markup.
func hostile(n int) *cause.Comparison {
	const name = "|`<script>\x1b[31m\n::error::x ```\u202e"
	c := &cause.Comparison{Schema: cause.Schema, Old: cause.Side{Name: name}, New: cause.Side{Name: name}}
	for i := range n {
		op := []cause.Op{cause.Changed, cause.Added, cause.Removed}[i%3]
		c.Causes = append(c.Causes, cause.Cause{ID: i + 1, Kind: cause.Struct, Name: fmt.Sprint(name, i), Op: op, Severity: cause.Break,
			Rules: []cause.Rule{cause.MemberRemoved}, Size: &cause.Size{Old: 1, New: 2}, Members: []cause.Change{{Part: cause.Member, Path: name, Op: cause.Changed,
				Rule: cause.MemberType, Old: strings.Repeat(name, 10), New: name, Hint: name}}})
	}
	for i := range n {
		c.Substitutions = append(c.Substitutions, cause.Substitution{Part: cause.Member, Old: name, New: name, Count: n, Causes: []int{i + 1}})
	}
	c.Counts = []cause.Count{{Kind: cause.Struct, Changed: n}}
	c.Settle()
	return c
}

// Markdown never exceeds its limit, and says what it omits. No name breaks out of its place.
func TestHostile(t *testing.T) {
	for _, n := range []int{1, 30, 5000} {
		c := hostile(n)
		var b bytes.Buffer
		if err := Markdown(&b, c, Options{Limit: -1}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if len(text) > MaxMarkdown {
			t.Errorf("%d causes: got %d bytes of Markdown", n, len(text))
		}
		if n == 5000 && !strings.Contains(text, " are not on this page") {
			t.Error("nothing is said of what is left out")
		}
		if strings.Contains(text, "<script>") && !strings.Contains(text, "````") {
			t.Error("a name is read as HTML")
		}
		if opened, closed := strings.Count(text, "<details>"), strings.Count(text, "</details>"); opened != closed {
			t.Errorf("%d parts are opened and %d closed", opened, closed)
		}
		for name, write := range map[string]func() error{
			"text": func() error { return Text(&b, c, Options{Limit: -1, Verbose: true}) }, "brief": func() error { return Brief(&b, c, Options{}) },
			"json": func() error { return JSON(&b, c) },
		} {
			b.Reset()
			if err := write(); err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(b.String(), "\x1b\u202e") || strings.Contains(b.String(), "\n::error") {
				t.Errorf("%s: a name is written as it is", name)
			}
		}
	}
}
