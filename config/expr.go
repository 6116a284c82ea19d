package config

import (
	"regexp"
	"slices"
	"strings"
)

// Expressions in values have the form ${{ NAMESPACE.NAME }} and are replaced by text. There are no operators.

// Values that depend on the image's file, or on the package that it is in, keep these placeholders until Fill.
const (
	filePlaceholder    = "${{ image.file }}"
	releasePlaceholder = "${{ image.release }}"
	packagePlaceholder = "${{ image.package }}"
	versionPlaceholder = "${{ image.version }}"
)

var placeholders = []string{filePlaceholder, releasePlaceholder, packagePlaceholder, versionPlaceholder}

// withPlaceholders replaces each placeholder by what f returns for it.
func withPlaceholders(text string, f func(placeholder string) string) string {
	if !strings.Contains(text, "${{") {
		return text
	}
	for _, p := range placeholders {
		if strings.Contains(text, p) {
			text = strings.ReplaceAll(text, p, f(p))
		}
	}
	return text
}

// A part of a value is literal text or, if namespace is set, an expression.
type part struct {
	raw             string // as written
	namespace, name string
}

var (
	expression = regexp.MustCompile(`^\s*([A-Za-z_]\w*)\.([A-Za-z_][\w-]*)\s*$`)
	axisName   = regexp.MustCompile(`^[A-Za-z_][\w-]*$`)
)

// imageRefs are the names that expressions can take from the image itself.
var imageRefs = []string{"name", "file", "arch", "release", "package", "version"}

// split splits a value at its expressions and reports malformed ones.
func (r *report) split(v *value) (parts []part, ok bool) {
	rest, ok := v.text, true
	for {
		before, after, found := strings.Cut(rest, "${{")
		if before != "" {
			parts = append(parts, part{raw: before})
		}
		if !found {
			return parts, ok
		}
		body, tail, closed := strings.Cut(after, "}}")
		if !closed {
			r.add(r.find(v.position, "${{"+after), "", "expression has no closing }}")
			return parts, false
		}
		raw := "${{" + body + "}}"
		if p, known := r.parseExpression(v, raw, body); known {
			parts = append(parts, p)
		} else {
			ok = false
		}
		rest = tail
	}
}

func (r *report) parseExpression(v *value, raw, body string) (part, bool) {
	if m := expression.FindStringSubmatch(body); m != nil {
		p := part{raw: raw, namespace: m[1], name: m[2]}
		switch {
		case p.namespace == "matrix" || p.namespace == "env" || p.namespace == "row":
			return p, true
		case p.namespace == "image" && slices.Contains(imageRefs, p.name):
			return p, true
		}
	}
	var known []string
	for _, name := range imageRefs {
		known = append(known, "image."+name)
	}
	word := strings.TrimSpace(body)
	for _, ns := range []string{"matrix", "env", "row"} {
		if _, name, ok := strings.Cut(word, "."); ok && axisName.MatchString(name) {
			known = append(known, ns+"."+name)
		}
	}
	r.add(r.find(v.position, raw), r.nearest(word, known),
		"unknown expression %q; known are matrix.NAME, env.NAME, row.NAME, %s", word, strings.Join(known[:len(imageRefs)], ", "))
	return part{}, false
}

// A scope holds the values that the expressions of one image can refer to.
type scope struct {
	matrix combination
	row    *value // of a list, which fills a template; otherwise nil
	env    func(string) (string, bool)
	image  map[string]string // of imageRefs, as far as they are known, or their placeholders
	broken map[string]bool   // names whose key is wrong and already reported
	closed bool              // no combination is chosen: expressions are checked but not replaced
}

func newScope(c combination, env func(string) (string, bool)) *scope {
	return &scope{matrix: c, env: env, image: map[string]string{}, broken: map[string]bool{}}
}

// fill replaces the expressions of a scalar. In a closed scope it checks their form, and returns false if there are any.
// The refs are the image.* names that are allowed here.
func (r *report) fill(v *value, s *scope, refs []string) (string, bool) {
	parts, ok := r.split(v)
	if !ok {
		return "", false
	}
	var b strings.Builder
	for _, p := range parts {
		if p.namespace == "" {
			b.WriteString(p.raw)
			continue
		}
		if p.namespace == "image" && !slices.Contains(refs, p.name) {
			r.add(r.find(v.position, p.raw), "", "image.%s cannot be used here", p.name)
			ok = false
			continue
		}
		if s.closed {
			ok = false
			continue
		}
		text, found := r.lookup(v, p, s)
		ok = ok && found
		b.WriteString(text)
		if b.Len() > maxText {
			r.add(v.position, "", "value has more than %d bytes after its expressions are replaced", maxText)
			return "", false
		}
	}
	return b.String(), ok
}

func (r *report) lookup(v *value, p part, s *scope) (string, bool) {
	switch p.namespace {
	case "matrix":
		if text, ok := s.matrix[p.name]; ok {
			return text, true
		}
		// A name that the matrix lacks was reported when the image was expanded.
		return "", false
	case "row":
		return r.cell(v, p, s.row)
	case "env":
		text, ok := s.env(p.name)
		if !ok {
			r.add(r.find(v.position, p.raw), "", "environment variable %s is not set", p.name)
		}
		return text, ok
	}
	text, ok := s.image[p.name]
	if !ok && !s.broken[p.name] {
		if p.name == "package" || p.name == "version" {
			r.add(r.find(v.position, p.raw), "", "image.%s is used but the image is not in a package", p.name)
			return text, ok
		}
		r.add(r.find(v.position, p.raw), "", "image.%s is used but the image has no %s", p.name, p.name)
	}
	return text, ok
}

// cell returns a value of a row.
func (r *report) cell(v *value, p part, row *value) (string, bool) {
	at := func() position { return r.find(v.position, p.raw) }
	if row == nil {
		r.add(at(), "", "row.%s is used outside of a template of images_from", p.name)
		return "", false
	}
	e := row.get(p.name)
	switch {
	case e == nil:
		var names []string
		for i := range row.entries {
			names = append(names, "row."+row.entries[i].key)
		}
		r.add(at(), r.nearest("row."+p.name, names), "row.%s is used but the row has no %s", p.name, p.name)
	case e.value.kind != scalar:
		r.add(at(), "", "row.%s is used but it is %s, not a single value", p.name, e.value.what())
	case e.value.null():
		r.add(at(), "", "row.%s is used but it is null", p.name)
	case strings.Contains(e.value.text, "${{"):
		r.add(e.value.position, "", "%s has an expression; expressions are not allowed in a row for a template", p.name)
	default:
		return e.value.text, true
	}
	return "", false
}

// matrixRefs lists the matrix names that a value refers to, with the position of the first use, in the order of the text.
func (r *report) matrixRefs(v *value, seen map[string]position, names []string) []string {
	for _, x := range v.list {
		names = r.matrixRefs(x, seen, names)
	}
	for _, e := range v.entries {
		names = r.matrixRefs(e.value, seen, names)
	}
	if v.kind != scalar || !strings.Contains(v.text, "${{") {
		return names
	}
	quiet := &report{source: r.source} // the form is checked when the value is read
	parts, _ := quiet.split(v)
	for _, p := range parts {
		if _, again := seen[p.name]; p.namespace == "matrix" && !again {
			seen[p.name] = r.find(v.position, p.raw)
			names = append(names, p.name)
		}
	}
	return names
}
