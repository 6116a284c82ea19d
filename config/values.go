package config

import (
	"encoding/hex"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/kernel"
)

// text reads a scalar as a string and replaces its expressions. Numbers are taken as written: 6.10 stays 6.10, and a digest that
// has only digits stays a digest.
func (d *decoder) text(v *value) (string, bool) {
	if v.kind == scalar {
		switch v.tag {
		case "!!str", "!!int", "!!float", "!!timestamp":
			text, ok := d.fill(v, d.scope, d.refs)
			if ok && text == "" {
				d.add(v.position, "", "is empty")
			}
			return text, ok && text != ""
		}
	}
	d.add(v.position, "", "must be a string, not %s", v.what())
	return "", false
}

// file reads the path of a file.
func (d *decoder) file(v *value) (string, bool) {
	text, ok := d.text(v)
	switch {
	case !ok:
	case strings.ContainsRune(text, 0):
		d.add(v.position, "", "path contains a zero byte")
		return "", false
	case text == input.Stdin:
		d.add(v.position, "", "- means standard input or output only on the command line; name a file")
		return "", false
	case input.IsURL(text):
		d.add(v.position, "", "%q is a URL; download the file first", text)
		return "", false
	case strings.HasSuffix(text, "/") || text == "." || text == "..":
		d.add(v.position, "", "path %q is a folder, not a file", text)
		return "", false
	}
	return text, ok
}

// A word is one element of a list of strings.
type word struct {
	text string
	at   position
}

// words reads a list of strings, or one comma-separated string.
func (d *decoder) words(v *value) ([]word, bool) {
	if v.kind == scalar {
		text, ok := d.text(v)
		if !ok {
			return nil, false
		}
		var words []word
		at := v.position
		all := true
		for w := range strings.SplitSeq(text, ",") {
			if w = strings.TrimSpace(w); w == "" {
				d.add(at, "", "list has an empty element")
				all = false
				continue
			}
			at = d.find(at, w)
			words = append(words, word{w, at})
			at.col += utf8.RuneCountInString(w)
		}
		return words, all
	}
	if v.kind != sequence {
		d.add(v.position, "", "must be a list of strings, not %s", v.what())
		return nil, false
	}
	var words []word
	all := true
	for _, x := range v.list {
		text, ok := d.text(x)
		if text = strings.TrimSpace(text); ok && text == "" {
			d.add(x.position, "", "list has an empty element")
			ok = false
		}
		all = all && ok
		if ok {
			words = append(words, word{text, x.position})
		}
	}
	return words, all
}

func (d *decoder) flag(v *value, to *bool) {
	if v.kind != scalar || (v.tag != "!!bool" && v.tag != "!!str") {
		d.add(v.position, "", "must be true or false, not %s", v.what())
		return
	}
	text, ok := d.fill(v, d.scope, d.refs)
	switch strings.ToLower(text) {
	case "true":
		*to = true
	case "false":
		*to = false
	default:
		if ok {
			d.add(v.position, "", "must be true or false, not %q", text)
		}
	}
}

var profiles = []string{string(Default), string(Pahole)}

func (d *decoder) profile(m *Image, v *value) {
	if text, ok := d.text(v); ok {
		if !slices.Contains(profiles, text) {
			d.add(v.position, d.nearest(text, profiles), "unknown profile %q; use default or pahole", text)
		}
		m.Profile = Profile(text)
	}
}

var kinds = []string{string(Kernel), string(Module), string(AnyKind)}

func (d *decoder) kind(m *Image, v *value) {
	if text, ok := d.text(v); ok {
		if !slices.Contains(kinds, text) {
			d.add(v.position, d.nearest(text, kinds), "unknown kind %q; use kernel, module or any", text)
		}
		m.Kind = Kind(text)
	}
}

func (d *decoder) release(m *Image, v *value) {
	if text, ok := d.text(v); ok {
		if _, err := path.Match(text, ""); err != nil {
			d.add(v.position, "", "glob %q is malformed", text)
		}
		m.Release = text
	}
}

// featureWords lists the words that the key features can have.
func featureWords() []string { return append([]string{"default", "all"}, feature.Names()...) }

func (d *decoder) features(m *Image, v *value) {
	m.FeaturesGiven = true
	words, ok := d.words(v)
	known := featureWords()
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = w.text
		bare := w.text
		if i == 0 {
			bare = strings.TrimPrefix(bare, "+")
		}
		if _, err := feature.FromNames([]string{bare}); err == nil {
			continue
		}
		if rest, plus := strings.CutPrefix(bare, "+"); plus && slices.Contains(known, rest) {
			d.add(w.at, `"`+rest+`"`, "feature %q: + is only allowed before the whole list", w.text)
		} else {
			d.add(w.at, d.nearest(bare, known), "unknown feature %q", bare)
		}
		ok = false
	}
	if ok {
		m.Features, _ = feature.Parse(strings.Join(names, ",")) // checked above, name by name
	}
}

// languages are the source languages of DWARF, by pahole's names.
var languages = strings.Fields(`c89 c ada83 c++ cobol74 cobol85 fortran77 fortran90 pascal83 modula2 java c99 ada95
	fortran95 pli objc objc++ upc d python opencl go modula3 haskell c++03 c++11 ocaml rust c11 swift julia dylan c++14
	fortran03 fortran08 renderscript bliss asm`)

// Languages lists the values of the key lang_exclude.
func Languages() []string { return slices.Clone(languages) }

func (d *decoder) langExclude(m *Image, v *value) {
	words, _ := d.words(v)
	for _, w := range words {
		name := strings.ToLower(w.text)
		if !slices.Contains(languages, name) {
			d.add(w.at, d.nearest(name, languages), "unknown language %q", w.text)
		} else if !slices.Contains(m.LangExclude, name) {
			m.LangExclude = append(m.LangExclude, name)
		}
	}
}

// oldestMajor is the first part of the oldest generation's version.
func oldestMajor() int {
	major, _, _ := strings.Cut(kernel.Generations()[0], ".")
	n, _ := strconv.Atoi(major)
	return n
}

func (d *decoder) verify(m *Image, v *value) {
	words, _ := d.words(v)
	for _, w := range words {
		switch {
		case slices.Contains(m.Verify, w.text):
			d.add(w.at, "", "kernel %s is listed twice", w.text)
		default:
			if _, err := kernel.Find(w.text); err != nil {
				d.add(w.at, d.nearest(w.text, kernel.Words()), "%v", err)
				continue
			}
			m.Verify = append(m.Verify, w.text)
		}
	}
}

func (d *decoder) sha256(m *Image, v *value)     { m.SHA256 = d.digest(v, "sha256:", 32, 32) }
func (d *decoder) baseSHA256(m *Image, v *value) { m.BaseSHA256 = d.digest(v, "sha256:", 32, 32) }
func (d *decoder) buildID(m *Image, v *value)    { m.BuildID = d.digest(v, "", 1, 64) }

// digest reads low to high bytes in hexadecimal, with an optional prefix.
func (d *decoder) digest(v *value, prefix string, low, high int) string {
	text, ok := d.text(v)
	if !ok {
		return ""
	}
	text = strings.ToLower(strings.TrimPrefix(text, prefix))
	b, err := hex.DecodeString(text)
	switch {
	case err != nil:
		d.add(v.position, "", "%q is not an even number of hexadecimal digits", text)
	case len(b) > high:
		d.add(v.position, "", "has %d hexadecimal digits; at most %d are allowed", len(text), 2*high)
	case len(b) < low:
		d.add(v.position, "", "has %d hexadecimal digits, not %d", len(text), 2*low)
	}
	return text
}

// sectionKeys are the keys of a section rule.
var sectionKeys = []key{
	{"section", "Name of a section, or a pattern with *, ? and [a-z].", textShape, "section is missing"},
	{"exclude", "Variables left out: zero-address, non-allocated, unnamed, or patterns of symbol names.",
		wordsShape(words{fixed: exclusions, pattern: symbolPattern, numbers: true}), ""},
	{"datasec", "Whether the VARs are listed in a DATASEC.", boolShape, ""},
	{"unique", "Whether of two VARs at one offset only the strong one is kept.", boolShape, ""},
}

// exclusions are the words of exclude that are not patterns.
var exclusions = []string{"zero-address", "non-allocated", "unnamed"}

// defaultExclude is the exclude list of a rule without one.
var defaultExclude = Exclude{ZeroAddress: true, NonAllocated: true}

func (d *decoder) sections(m *Image, v *value) {
	m.SectionsGiven = true
	if v.kind != sequence {
		d.add(v.position, "", "sections must be a list of rules, not %s", v.what())
		return
	}
	m.Sections = []SectionRule{}
	first := map[string]position{}
	for _, x := range v.list {
		if x.kind != mapping {
			d.add(x.position, "", "a rule must be a mapping with a section, not %s", x.what())
			continue
		}
		rule := d.sectionRule(x)
		if f, again := first[rule.Section]; again && rule.Section != "" {
			d.add(x.position, "", "second rule for section %q, the first is at %d:%d", rule.Section, f.line, f.col)
		}
		first[rule.Section] = x.position
		m.Sections = append(m.Sections, rule)
	}
}

func (d *decoder) sectionRule(v *value) SectionRule {
	d.checkKeys(v, namesOf(sectionKeys), "a section rule")
	d.checkRequired(v, sectionKeys)
	rule := SectionRule{Exclude: defaultExclude, DataSec: true, Unique: true}
	if e := v.get("section"); e != nil {
		if text, ok := d.text(e.value); ok {
			if _, err := path.Match(text, ""); err != nil {
				d.add(e.value.position, "", "glob %q is malformed", text)
			}
			rule.Section = text
		}
	}
	if e := v.get("exclude"); e != nil {
		rule.Exclude = d.exclude(e.value)
	}
	if e := v.get("datasec"); e != nil {
		d.flag(e.value, &rule.DataSec)
	}
	if e := v.get("unique"); e != nil {
		d.flag(e.value, &rule.Unique)
	}
	return rule
}

// symbolPattern matches patterns for symbol names. They have no "-" outside of brackets, so a misspelt keyword is not
// mistaken for a pattern.
const symbolPattern = `(?:[\w.$@*?\\]|\[[^\]]+\])+`

var symbolGlob = regexp.MustCompile(`^` + symbolPattern + `$`)

func (d *decoder) exclude(v *value) Exclude {
	var x Exclude
	words, _ := d.words(v)
	flags := map[string]*bool{"zero-address": &x.ZeroAddress, "non-allocated": &x.NonAllocated, "unnamed": &x.Unnamed}
	for _, w := range words {
		if to := flags[w.text]; to != nil {
			*to = true
			continue
		}
		_, err := path.Match(w.text, "")
		near := ""
		if !strings.ContainsAny(w.text, `*?[`) {
			near = d.nearest(w.text, exclusions)
		}
		switch {
		case near != "" || !symbolGlob.MatchString(w.text):
			d.add(w.at, near, "unknown exclusion %q; known are zero-address, non-allocated, unnamed and patterns of symbol names", w.text)
		case err != nil:
			d.add(w.at, "", "glob %q is malformed", w.text)
		default:
			x.Symbols = append(x.Symbols, w.text)
		}
	}
	return x
}
