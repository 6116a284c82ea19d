package config

import (
	"path"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/selected"
)

// A Policy says how the BTF of an image is compared with its golden.
type Policy string

// The policies.
const (
	Exact    Policy = "exact"    // the dumps are the same text
	Semantic Policy = "semantic" // both mean the same: ids and the order of types do not count
	Selected Policy = "selected" // the golden has only some declarations, and those mean the same
	Digest   Policy = "digest"   // the golden is a file of SHA-256 sums with an entry for the image
	OwnBTF   Policy = "image"    // there is no golden; the BTF means the same as the section .BTF of the image
)

var policies = []string{string(Exact), string(Semantic), string(Selected), string(Digest), string(OwnBTF)}

// A Check says how an image is compared.
type Check struct {
	Policy  Policy
	Allow   []Allow
	Dialect string // of the golden's text; empty if the manifest does not say
	// Select says which declarations the golden has if the policy is Selected: patterns that selected.ParseSelection has accepted.
	Select []string
}

// An Allow accepts the changes by a rule.
type Allow struct {
	Rule  string
	Names []string // patterns of declarations; none stands for all
}

// Dialects are the forms of raw dumps that goldens can have.
var Dialects = []string{"bpftool-7.8"}

// goldenKeys are the keys of golden.
var goldenKeys = []key{
	{"path", "Raw dump, possibly compressed (.zst), with policy selected the text of some declarations, or with policy digest a file of SHA-256 sums.", fileShape, ""},
	{"policy", "exact: same text. semantic: same meaning. selected: same meaning of the declarations in select. digest: same SHA-256. image: same meaning as the image's own .BTF. Default: exact.",
		wordShape(policies, false), ""},
	{"allow", "Rules whose changes are accepted: a list, or a mapping of rules to patterns of names.", allowShape, ""},
	{"dialect", "Form of the golden's text, which then has a comment line with it.", wordShape(Dialects, false), ""},
	{"select", "With policy selected: names or patterns of the declarations in the golden, perhaps after a kind: .data..percpu, struct:task_*.",
		selectShape, ""},
}

const selectBar = "only policy selected has select"

// A goldenBar is a key that a policy excludes, and why.
type goldenBar struct {
	policy   Policy
	key, why string
}

var goldenBars = []goldenBar{
	{OwnBTF, "path", "policy image has no path: it compares with the section .BTF of the image"},
	{Digest, "allow", "policy digest knows no differences, so there is nothing to allow"},
	{Digest, "dialect", "policy digest has no text, so it has no dialect"},
	{OwnBTF, "dialect", "policy image has no text, so it has no dialect"},
	{Selected, "dialect", "policy selected has a text of its own, so it has no dialect"},
	{Exact, "select", selectBar},
	{Semantic, "select", selectBar},
	{Digest, "select", selectBar},
	{OwnBTF, "select", selectBar},
}

// causeRules lists the rules that allow can have.
func causeRules() []string {
	var known []string
	for _, r := range cause.Rules {
		known = append(known, string(r.Name))
	}
	return known
}

// golden reads the key golden: the path of a golden, or a mapping.
func (d *decoder) golden(m *Image, v *value) {
	if v.kind != mapping {
		d.readPath(v, &m.Golden)
		return
	}
	m.Check.Policy = Exact
	d.checkKeys(v, namesOf(goldenKeys), "golden")
	if e := v.get("policy"); e != nil {
		if text, ok := d.text(e.value); ok {
			if m.Check.Policy = Policy(text); !slices.Contains(policies, text) {
				d.add(e.value.position, d.nearest(text, policies), "unknown policy %q; use %s", text, strings.Join(policies, ", "))
			}
		}
	}
	if e := v.get("path"); e != nil {
		m.mark("golden", e.value.position)
		d.readPath(e.value, &m.Golden)
	} else if m.Check.Policy != OwnBTF && !d.defaults {
		d.add(v.position, "", "golden needs a path, except with policy: image")
	}
	if e := v.get("select"); e != nil && m.Check.Policy == Selected {
		d.selection(m, e.value)
	} else if m.Check.Policy == Selected && !d.defaults {
		d.add(v.position, "", "policy selected needs select: the names of declarations, such as [.data..percpu, struct:task_struct]")
	}
	for _, bar := range goldenBars {
		if e := v.get(bar.key); e != nil && bar.policy == m.Check.Policy && (v.get("policy") != nil || !d.defaults) {
			d.add(e.at, "", "%s", bar.why)
		}
	}
	if e := v.get("allow"); e != nil {
		d.allow(m, e.value)
	}
	if e := v.get("dialect"); e != nil {
		if text, ok := d.text(e.value); ok && !slices.Contains(Dialects, text) {
			d.add(e.value.position, d.nearest(text, Dialects), "unknown dialect %q; known are %s", text, strings.Join(Dialects, ", "))
		} else {
			m.Check.Dialect = text
		}
	}
}

// mergeGolden applies the default of golden to that of an image, key by key. A path alone is a mapping with that path. If the image sets the policy,
// defaults that this policy excludes do not count.
func mergeGolden(v, def *value) *value {
	v, def = asGolden(v), asGolden(def)
	if v.kind != mapping || def.kind != mapping {
		return v
	}
	if e := v.get("policy"); e != nil {
		kept := &value{position: def.position, kind: mapping}
		for _, d := range def.entries {
			if !slices.ContainsFunc(goldenBars, func(b goldenBar) bool { return string(b.policy) == e.value.text && b.key == d.key }) {
				kept.entries = append(kept.entries, d)
			}
		}
		def = kept
	}
	return overlay(v, def)
}

// asGolden returns a golden as a mapping, if it is a path.
func asGolden(v *value) *value {
	if v.kind != scalar || v.null() {
		return v
	}
	return &value{position: v.position, kind: mapping, entries: []entry{{"path", v.position, v}}}
}

// needsPath reports whether a default of golden is only for images that have a golden of their own: it has no path, and its policy needs one.
func needsPath(def *value) bool {
	if def.kind != mapping || def.get("path") != nil {
		return false
	}
	p := def.get("policy")
	return p == nil || Policy(p.value.text) != OwnBTF
}

// selection reads a list of patterns of declarations.
func (d *decoder) selection(m *Image, v *value) {
	words, ok := d.words(v)
	for _, w := range words {
		if _, err := selected.ParseSelection([]string{w.text}); err != nil {
			d.add(w.at, "", "%v", err)
		}
		m.Check.Select = append(m.Check.Select, w.text)
	}
	if ok && len(words) == 0 {
		d.add(v.position, "", "list is empty")
	}
}

// allow reads a list of rules, or a mapping of rules to lists of names.
func (d *decoder) allow(m *Image, v *value) {
	known := causeRules()
	add := func(rule string, at position, names []string) {
		switch {
		case !slices.Contains(known, rule):
			d.add(at, d.nearest(rule, known), "unknown rule %q", rule)
		case slices.ContainsFunc(m.Check.Allow, func(a Allow) bool { return a.Rule == rule }):
			d.add(at, "", "rule %q is listed twice", rule)
		default:
			m.Check.Allow = append(m.Check.Allow, Allow{rule, names})
		}
	}
	if v.kind == mapping && len(v.entries) == 0 || v.kind == sequence && len(v.list) == 0 {
		d.add(v.position, "", "list is empty")
	}
	if v.kind != mapping {
		words, _ := d.words(v)
		for _, w := range words {
			add(w.text, w.at, nil)
		}
		return
	}
	for _, e := range v.entries {
		var names []string
		words, ok := d.words(e.value)
		for _, w := range words {
			if _, err := path.Match(w.text, ""); err != nil {
				d.add(w.at, "", "glob %q is malformed", w.text)
			}
			names = append(names, w.text)
		}
		if ok && names == nil {
			d.add(e.value.position, "", "list is empty; write * to allow the rule for all names")
		}
		add(e.key, e.at, names)
	}
}
