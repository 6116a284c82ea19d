package config

import (
	"regexp"
	"slices"
	"strings"
)

// Expressions stand inside values as ${{ NAMESPACE.NAME }} and are replaced by text. There are no operators.

// filePlaceholder is how ${{ image.file }} stays in the values of an image whose path is a glob, until ForFile.
const filePlaceholder = "${{ image.file }}"

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
var imageRefs = []string{"name", "file", "arch"}

// split cuts a value at its expressions and reports those that are malformed.
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
		case p.namespace == "matrix" || p.namespace == "env":
			return p, true
		case p.namespace == "image" && slices.Contains(imageRefs, p.name):
			return p, true
		}
	}
	known := []string{"image.name", "image.file", "image.arch"}
	word := strings.TrimSpace(body)
	for _, ns := range []string{"matrix", "env"} {
		if _, name, ok := strings.Cut(word, "."); ok && axisName.MatchString(name) {
			known = append(known, ns+"."+name)
		}
	}
	r.add(r.find(v.position, raw), r.nearest(word, known),
		"unknown expression %q; there are matrix.NAME, image.name, image.file, image.arch and env.NAME", word)
	return part{}, false
}

// A scope is what the expressions of one image can refer to.
type scope struct {
	matrix combination
	env    func(string) (string, bool)
	image  map[string]string // what is known of name, file and arch
	broken map[string]bool   // what would be known if its key were right: no second problem for it
	closed bool              // no combination is chosen: expressions have a form but no text
}

func newScope(c combination, env func(string) (string, bool)) *scope {
	return &scope{matrix: c, env: env, image: map[string]string{}, broken: map[string]bool{}}
}

// fill replaces the expressions of a scalar. In a closed scope it checks their form and fails on any.
// The refs are the image.* names that may stand here.
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
			r.add(r.find(v.position, p.raw), "", "image.%s is not known yet where %s is worked out", p.name, v.path)
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
			r.add(v.position, "", "value grows beyond %d bytes", maxText)
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
		// That the matrix has no such name was found when the image was expanded.
		return "", false
	case "env":
		text, ok := s.env(p.name)
		if !ok {
			r.add(r.find(v.position, p.raw), "", "environment variable %s is not set", p.name)
		}
		return text, ok
	}
	text, ok := s.image[p.name]
	if !ok && !s.broken[p.name] {
		r.add(r.find(v.position, p.raw), "", "image.%s is used but the image has no %s", p.name, p.name)
	}
	return text, ok
}

// matrixRefs lists the matrix names that a value refers to, with the place of the first use, in the order of the text.
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
	quiet := &report{lines: r.lines} // the form is checked when the value is read
	parts, _ := quiet.split(v)
	for _, p := range parts {
		if _, again := seen[p.name]; p.namespace == "matrix" && !again {
			seen[p.name] = r.find(v.position, p.raw)
			names = append(names, p.name)
		}
	}
	return names
}
