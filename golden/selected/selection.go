package selected

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
)

// kinds are the kinds of declarations that can be selected, in the order in which a golden lists them.
var kinds = []cause.Kind{cause.Struct, cause.Union, cause.Enum, cause.Typedef, cause.Int, cause.Float, cause.Func, cause.Var, cause.Section}

// A Selection says which declarations a golden has.
type Selection struct{ patterns []pattern }

// A pattern selects declarations by name, and perhaps by kind.
type pattern struct {
	text string
	kind cause.Kind // "" for any
	name string     // with * ? [a-z] and \ before a literal character
}

// ParseSelection parses patterns: the name of a declaration, in which * stands for any text, perhaps after a kind and a colon
// ("struct:task_*"). A section stands for itself and its variables. Patterns are sorted, and each counts once. The error names the pattern that is wrong.
func ParseSelection(patterns []string) (*Selection, error) {
	s := new(Selection)
	for _, text := range patterns {
		p := pattern{text: text, name: text}
		if kind, name, ok := strings.Cut(text, ":"); ok && slices.Contains(kinds, cause.Kind(kind)) && !strings.HasPrefix(name, ":") {
			p.kind, p.name = cause.Kind(kind), name
		}
		if p.name == "" {
			return nil, fmt.Errorf("pattern %q has no name", text)
		}
		if strings.ContainsFunc(text, unicode.IsControl) || strings.TrimSpace(text) != text {
			return nil, fmt.Errorf("pattern %q has a control character, or a space at its start or end", text)
		}
		if _, err := path.Match(p.name, ""); err != nil {
			return nil, fmt.Errorf("pattern %q is malformed", text)
		}
		s.patterns = append(s.patterns, p)
	}
	if len(s.patterns) == 0 {
		return nil, errors.New("nothing is selected")
	}
	slices.SortFunc(s.patterns, func(a, b pattern) int { return strings.Compare(a.text, b.text) })
	s.patterns = slices.Compact(s.patterns)
	return s, nil
}

// Patterns returns the patterns, sorted.
func (s *Selection) Patterns() (list []string) {
	for i := range s.patterns {
		list = append(list, s.patterns[i].text)
	}
	return list
}

// Equal reports whether two selections have the same patterns.
func (s *Selection) Equal(t *Selection) bool { return slices.Equal(s.patterns, t.patterns) }

// Has reports whether a declaration is selected by its own name.
func (s *Selection) Has(kind cause.Kind, name string) bool {
	return slices.ContainsFunc(s.patterns, func(p pattern) bool { return p.has(kind, name) })
}

func (p *pattern) has(kind cause.Kind, name string) bool {
	return (p.kind == "" || p.kind == kind) && cause.Matches(p.name, name)
}

// exact reports whether a pattern is the name of one declaration.
func (p *pattern) exact() bool { return !strings.ContainsAny(p.name, `*?[\`) }

// Missing returns the patterns without wildcards that match no declaration of a BTF object.
func (s *Selection) Missing(o *btf.Object) (list []string) {
	found := make([]bool, len(s.patterns))
	for _, r := range o.All() {
		kind, name := kindOf(r), o.Name(r.Name())
		if kind == "" || r.Name() == 0 {
			continue
		}
		for i := range s.patterns {
			p := &s.patterns[i]
			found[i] = found[i] || p.exact() && p.name == name && p.has(kind, name)
		}
	}
	for i := range s.patterns {
		if s.patterns[i].exact() && !found[i] {
			list = append(list, s.patterns[i].text)
		}
	}
	return list
}

// kindOf returns the kind of a declaration, or "" for types that are none.
func kindOf(r btf.Record) cause.Kind {
	switch r.Declares() {
	case btf.KindStruct:
		return cause.Struct
	case btf.KindUnion:
		return cause.Union
	case btf.KindEnum, btf.KindEnum64:
		return cause.Enum
	case btf.KindTypedef:
		return cause.Typedef
	case btf.KindInt:
		return cause.Int
	case btf.KindFloat:
		return cause.Float
	case btf.KindFunc:
		return cause.Func
	case btf.KindVar:
		return cause.Var
	case btf.KindDatasec:
		return cause.Section
	}
	return ""
}
