package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Conflict is a problem that an image has with another one.
type Conflict struct {
	Image      int    // index of the image that has the problem
	Key        string // "outputs.btf"
	Message    string
	Suggestion string
}

// Conflicts checks images against each other: names and bases. Images whose glob is open are taken as far as they are known. What
// their files have against each other depends on the disk, and is not looked at.
func Conflicts(images []Image) []Conflict {
	c := conflicts{images: images, byName: map[string]int{}}
	c.names()
	c.bases()
	return c.list
}

type conflicts struct {
	images []Image
	byName map[string]int
	list   []Conflict
}

func (c *conflicts) add(i int, key, suggestion, format string, args ...any) {
	c.list = append(c.list, Conflict{i, key, fmt.Sprintf(format, args...), suggestion})
}

func (c *conflicts) names() {
	for i := range c.images {
		m := &c.images[i]
		if m.NamedByFile() {
			continue
		}
		if j, taken := c.byName[m.Name]; !taken {
			c.byName[m.Name] = i
		} else if c.images[j].Line == m.Line && c.images[j].Column == m.Column {
			c.add(i, "name", "", "the matrix makes several images of the name %q; its values belong into the name", m.Name)
		} else {
			c.add(i, "name", "", "name %q is taken by the image at line %d", m.Name, c.images[j].Line)
		}
	}
}

// Open tells whether a value waits for the file of a glob.
func Open(text string) bool { return strings.Contains(text, filePlaceholder) }

func (c *conflicts) bases() {
	var names []string
	for i := range c.images {
		names = append(names, c.images[i].Name)
	}
	circle, split := false, []Conflict(nil)
	done := make([]bool, len(c.images)) // known to end at an image without a base, or reported
	for i := range c.images {
		m := &c.images[i]
		if m.Base == "" || Open(m.Base) {
			continue
		}
		j, ok := c.byName[m.Base]
		if !ok {
			if !c.mayBecome(m.Base) {
				suggestion := ""
				if len(c.list) < 20 { // comparing all names is slow, and one wrong list names all
					suggestion = nearest(m.Base, names)
				}
				c.add(i, "base", suggestion, "no image is named %q", m.Base)
			}
			continue
		}
		b := &c.images[j]
		if b.Arch != "" && m.Arch != "" && b.Arch != m.Arch {
			c.add(i, "base", "", "base %q is %s, the image is %s", m.Base, b.Arch, m.Arch)
		}
		if cycle := c.follow(i, done); cycle != nil {
			c.add(i, "base", "", "bases form a circle: %s", strings.Join(cycle, " → "))
			circle = true
		} else if further := cmp.Or(b.Base, b.BasePath); further != "" {
			split = append(split, Conflict{i, "base", fmt.Sprintf("base %q has a base itself, %q, and BTF is split only once", m.Base, further), ""})
		}
	}
	if !circle { // which says more
		c.list = append(c.list, split...)
	}
}

// follow walks from image i to its last base and returns the names on the way if it comes back to where it was.
func (c *conflicts) follow(i int, done []bool) []string {
	var way []int
	for !done[i] {
		if at := slices.Index(way, i); at >= 0 {
			var names []string
			for _, j := range append(way[at:], i) {
				names = append(names, c.images[j].Name)
				done[j] = true
			}
			return names
		}
		way = append(way, i)
		j, ok := c.byName[c.images[i].Base]
		if !ok {
			break
		}
		i = j
	}
	for _, j := range way {
		done[j] = true
	}
	return nil
}

// mayBecome tells whether an image whose glob is open may turn out to have the name.
func (c *conflicts) mayBecome(name string) bool {
	for i := range c.images {
		if m := &c.images[i]; m.NamedByFile() {
			parts := strings.Split(m.Name, filePlaceholder)
			if strings.HasPrefix(name, parts[0]) && strings.HasSuffix(name, parts[len(parts)-1]) {
				return true
			}
		}
	}
	return false
}

// readConflicts reports what the images of a manifest have against each other, at the places of their keys.
func (r *report) readConflicts(m *Manifest) {
	for _, c := range Conflicts(m.Images) {
		r.add(m.Images[c.Image].place(c.Key), c.Suggestion, "%s", c.Message)
	}
}

// place is where the value of a key stands, or the image if it has no such key.
func (m *Image) place(key string) position {
	if at, ok := m.at[key]; ok {
		return at
	}
	return position{line: m.Line, col: m.Column}
}

// Problem is one with the value of a key, such as "golden" or "outputs.btf", that shows when the files are looked at. It has its place
// in the manifest, file.
func (m *Image) Problem(file, key, message string) Problem {
	at := m.place(key)
	return Problem{File: file, Line: max(1, at.line), Column: max(1, at.col), Path: at.path, Message: message}
}
