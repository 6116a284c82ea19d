package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A matrix defines combinations of values, as in GitHub Actions: the product of the axes, without those that exclude matches.
// An include row is added to the combinations that it agrees with, or is a new combination if it agrees with none.
type matrix struct {
	position
	axes             []axis
	include, exclude []row
}

type axis struct {
	name   string
	at     position
	values []string
}

// A row is one element of include or exclude.
type row struct {
	at    position
	pairs combination
}

// A combination has one value for every name of the matrix.
type combination map[string]string

// readMatrix reads a matrix. It returns nil if it cannot be used.
func (r *report) readMatrix(v *value) *matrix {
	if v.kind != mapping {
		r.add(v.position, "", "matrix must be a mapping from names to lists, not %s", v.what())
		return nil
	}
	m := &matrix{position: v.position}
	before := len(r.problems)
	for _, e := range v.entries {
		switch e.key {
		case "include":
			m.include = r.readRows(e.value)
		case "exclude":
			m.exclude = r.readRows(e.value)
		default:
			if a := r.readAxis(e); a != nil {
				m.axes = append(m.axes, *a)
			}
		}
	}
	if len(m.axes) > maxNames {
		r.add(v.position, "", "matrix has %d names; at most %d are allowed", len(m.axes), maxNames)
	}
	for _, row := range m.exclude {
		for _, name := range sortedNames(row.pairs) {
			if m.axis(name) == nil {
				r.add(row.at, r.nearest(name, m.axisNames()), "exclude uses %q, which is not a name of the matrix", name)
			}
		}
	}
	if len(m.axes) == 0 && len(m.include) == 0 && len(r.problems) == before {
		r.add(v.position, "", "matrix has no names")
	}
	if len(r.problems) > before {
		return nil
	}
	return m
}

func (r *report) readAxis(e entry) *axis {
	switch {
	case !axisName.MatchString(e.key):
		r.add(e.at, "", "%q cannot be a name of the matrix; use letters, digits, _ and -", e.key)
		return nil
	case e.value.kind != sequence:
		r.add(e.value.position, "", "matrix.%s must be a list of values, not %s", e.key, e.value.what())
		return nil
	case len(e.value.list) == 0:
		r.add(e.value.position, "", "matrix.%s has no values", e.key)
		return nil
	}
	a := &axis{name: e.key, at: e.at}
	seen := make(map[string]bool, len(e.value.list))
	for _, x := range e.value.list {
		text, ok := r.plain(x)
		if !ok {
			continue
		}
		if seen[text] {
			r.add(x.position, "", "value %q occurs twice in matrix.%s", text, e.key)
		}
		seen[text] = true
		a.values = append(a.values, text)
		if len(a.values) > maxImages {
			r.add(x.position, "", "matrix.%s has more than %d values", e.key, maxImages)
			return nil
		}
	}
	return a
}

func (r *report) readRows(v *value) []row {
	if v.kind != sequence {
		r.add(v.position, "", "%s must be a list of mappings, not %s", v.path, v.what())
		return nil
	}
	var rows []row
	for _, x := range v.list {
		if x.kind != mapping {
			r.add(x.position, "", "must be a mapping from names to values, not %s", x.what())
			continue
		}
		if n := len(x.entries); n == 0 || n > maxNames {
			r.add(x.position, "", "has %d names; 1 to %d are allowed", n, maxNames)
			continue
		}
		rw := row{x.position, combination{}}
		for _, e := range x.entries {
			if !axisName.MatchString(e.key) {
				r.add(e.at, "", "%q cannot be a name of the matrix", e.key)
			} else if text, ok := r.plain(e.value); ok {
				rw.pairs[e.key] = text
			}
		}
		rows = append(rows, rw)
	}
	return rows
}

// plain returns the text of a scalar in a matrix, where expressions are not allowed.
func (r *report) plain(v *value) (string, bool) {
	if v.kind != scalar || v.null() {
		r.add(v.position, "", "must be a single value, not %s", v.what())
		return "", false
	}
	if strings.Contains(v.text, "${{") {
		r.add(r.find(v.position, "${{"), "", "expressions are not allowed here")
		return "", false
	}
	return v.text, true
}

func (m *matrix) axis(name string) *axis {
	for i := range m.axes {
		if m.axes[i].name == name {
			return &m.axes[i]
		}
	}
	return nil
}

func (m *matrix) axisNames() []string {
	var names []string
	for _, a := range m.axes {
		names = append(names, a.name)
	}
	return names
}

// names lists the names of all combinations.
func (m *matrix) names() []string {
	names := m.axisNames()
	added := combination{}
	for _, rw := range m.include {
		maps.Copy(added, rw.pairs)
	}
	for _, name := range sortedNames(added) {
		if m.axis(name) == nil {
			names = append(names, name)
		}
	}
	return names
}

// combinations computes all combinations of the matrix.
func (r *report) combinations(m *matrix) []combination {
	all := []combination{{}}
	if len(m.axes) == 0 {
		all = nil
	}
	for _, a := range m.axes {
		if len(all)*len(a.values) > maxImages {
			r.add(a.at, "", "matrix has more than %d combinations", maxImages)
			return nil
		}
		if !r.spend(len(all)*len(a.values)*(1+len(all[0])), a.at) {
			return nil
		}
		var longer []combination
		for _, c := range all {
			for _, text := range a.values {
				longer = append(longer, c.with(combination{a.name: text}))
			}
		}
		all = longer
	}
	for _, rw := range m.exclude {
		if !r.spend(len(all), rw.at) {
			return nil
		}
		n := len(all)
		all = slices.DeleteFunc(all, func(c combination) bool { return c.agrees(rw.pairs, m) })
		if len(all) == n {
			r.add(rw.at, "", "exclude matches no combination")
		}
	}
	all = r.included(m, all)
	if len(all) == 0 && r.budget >= 0 {
		r.add(m.position, "", "no combination of the matrix is left")
	}
	return all
}

// included adds the include rows. They extend combinations of the axes, but not those added by earlier rows.
func (r *report) included(m *matrix, all []combination) []combination {
	made := len(all)
	for _, rw := range m.include {
		if !r.spend(1+made*len(rw.pairs), rw.at) {
			return nil
		}
		fits := false
		for i := range all[:made] {
			if all[i].agrees(rw.pairs, m) {
				all[i], fits = all[i].with(rw.pairs), true
			}
		}
		if !fits {
			all = append(all, rw.pairs)
		}
	}
	return all
}

// agrees reports whether pairs contradicts no axis value of c.
func (c combination) agrees(pairs combination, m *matrix) bool {
	for name, text := range pairs {
		if m.axis(name) != nil && c[name] != text {
			return false
		}
	}
	return true
}

func (c combination) with(pairs combination) combination {
	d := maps.Clone(c)
	maps.Copy(d, pairs)
	return d
}

// project reduces the combinations to the names that an image uses, and drops duplicates. A combination without any of the names is
// ignored. A combination with only some of them is a problem.
func (r *report) project(all []combination, used []string, at map[string]position) []combination {
	var out []combination
	seen := map[string]bool{}
	for _, c := range all {
		cut := combination{}
		missing := ""
		for _, name := range used {
			if text, ok := c[name]; ok {
				cut[name] = text
			} else if missing == "" {
				missing = name
			}
		}
		key := cut.String()
		switch {
		case len(cut) == 0 || seen[key]:
		case missing != "":
			r.add(at[missing], "", "matrix.%s has no value where %s", missing, cut)
		default:
			out = append(out, cut)
		}
		seen[key] = true
	}
	return out
}

// String lists the pairs by name.
func (c combination) String() string {
	var pairs []string
	for _, name := range sortedNames(c) {
		pairs = append(pairs, fmt.Sprintf("%s is %q", name, c[name]))
	}
	return strings.Join(pairs, " and ")
}

func sortedNames(c combination) []string { return slices.Sorted(maps.Keys(c)) }
