// Package history shows how a declaration, or a part of one, changed over a row of BTF objects.
//
// Input: objects in the order in which they are given, and a name. Output: stretches of objects in which the name stands for the same,
// as text or JSON. Never: the package does not read files, and does not say what a change means; package cause does.
package history

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
)

// Schema is the number of the JSON form. Under one number, fields may be added, and none changes its meaning.
const Schema = 1

// A History is what a name stands for in a row of objects.
type History struct {
	Schema    int       `json:"schema"`
	Name      string    `json:"name"`
	Files     int       `json:"files"`
	Stretches []Stretch `json:"stretches"`

	finder *cause.Finder
}

// A Stretch is a run of objects in which a name stands for the same.
type Stretch struct {
	Since string `json:"since"` // the name of the first object
	Until string `json:"until"` // the name of the last object
	Files int    `json:"files"`
	There bool   `json:"there"`
	// LayoutOnly says that only sizes and offsets differ from the stretch before.
	LayoutOnly bool `json:"layout_only,omitempty"`
	// Found is what the name stands for; several things if a file has several of one kind.
	Found []cause.Found `json:"found"`
}

// New returns a history without objects. The name is one that cause.NewFinder takes.
func New(name string) (*History, error) {
	f, err := cause.NewFinder(name)
	if err != nil {
		return nil, err
	}
	return &History{Schema: Schema, Name: f.Name(), Stretches: []Stretch{}, finder: f}, nil
}

// Add adds the next object. It keeps nothing of it.
func (h *History) Add(in cause.Input) {
	found := h.finder.In(in)
	h.Files++
	if n := len(h.Stretches); n > 0 {
		last := &h.Stretches[n-1]
		if equal(last.Found, found, (*cause.Found).Same) {
			last.Until = in.Name
			last.Files++
			return
		}
	}
	s := Stretch{Since: in.Name, Until: in.Name, Files: 1, There: len(found) > 0, Found: found}
	if s.Found == nil {
		s.Found = []cause.Found{}
	}
	if n := len(h.Stretches); n > 0 && s.There {
		s.LayoutOnly = equal(h.Stretches[n-1].Found, found, (*cause.Found).SameContent)
	}
	h.Stretches = append(h.Stretches, s)
}

// equal tells whether two lists have the same things, in any order.
func equal(a, b []cause.Found, same func(a, b *cause.Found) bool) bool {
	if len(a) != len(b) {
		return false
	}
	rest := slices.Clone(b)
	for i := range a {
		j := slices.IndexFunc(rest, func(x cause.Found) bool { return same(&a[i], &x) })
		if j < 0 {
			return false
		}
		rest = slices.Delete(rest, j, j+1)
	}
	return true
}

// Check returns an error if the name stands for nothing, or for things of several kinds: Ambiguous.
func (h *History) Check() error {
	var kinds []cause.Kind
	for _, s := range h.Stretches {
		for _, f := range s.Found {
			if !slices.Contains(kinds, f.Kind) {
				kinds = append(kinds, f.Kind)
			}
		}
	}
	switch len(kinds) {
	case 0:
		files := "the file has"
		if h.Files > 1 {
			files = fmt.Sprintf("none of the %d files has", h.Files)
		} else {
			files = strings.Replace(files, "has", "does not have", 1)
		}
		return fmt.Errorf("%s %q; name a type, function or variable, or the path of a member such as task_struct.on_cpu", files, h.Name)
	case 1:
		return nil
	}
	return &Ambiguous{h.Name, kinds}
}

// An Ambiguous is the error of a name that stands for things of several kinds.
type Ambiguous struct {
	Name  string
	Kinds []cause.Kind
}

func (a *Ambiguous) Error() string {
	var kinds, names []string
	for _, k := range a.Kinds {
		kinds = append(kinds, string(k))
		names = append(names, string(k)+":"+a.Name)
	}
	return fmt.Sprintf("%q is ambiguous (%s): write %s", a.Name, strings.Join(kinds, ", "), strings.Join(names, " or "))
}
