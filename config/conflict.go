package config

import (
	"fmt"
	"path/filepath"
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

// Conflicts checks images against each other: names, outputs and bases. Images whose glob is open are taken as far as
// they are known. The function real names a file by one path, however it was reached; without a file system that is
// filepath.Clean. The files in reserved are not to be written either.
func Conflicts(images []Image, real func(path string) string, reserved ...string) []Conflict {
	c := conflicts{images: images, real: real, byName: map[string]int{}}
	c.names()
	c.outputs(reserved)
	c.bases()
	return c.list
}

type conflicts struct {
	images []Image
	real   func(string) string
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

// outputs finds files that would be written twice, or written and read.
func (c *conflicts) outputs(reserved []string) {
	inputs := map[string]string{} // path → what it is
	for _, path := range reserved {
		inputs[c.real(path)] = "the manifest"
	}
	for i := range c.images {
		m := &c.images[i]
		read := map[string]string{"golden": m.Golden, "base_path": m.BasePath}
		if m.Glob == "" {
			read["path"] = m.Path
		}
		for _, key := range []string{"path", "golden", "base_path"} {
			if path := read[key]; path != "" && !open(path) {
				if _, seen := inputs[c.real(path)]; !seen {
					inputs[c.real(path)] = fmt.Sprintf("the %s of %q", key, m.Label())
				}
			}
		}
	}
	written := map[string]string{}
	for i := range c.images {
		m := &c.images[i]
		m.Outputs.each(func(key, path string) {
			if open(path) {
				return
			}
			at := c.real(path)
			if what, ok := inputs[at]; ok {
				c.add(i, key, "", "would overwrite %s", what)
			} else if who, ok := written[at]; ok {
				c.add(i, key, "", "writes the same file as %s", who)
			} else {
				written[at] = fmt.Sprintf("%s of %q", key, m.Label())
			}
		})
	}
}

// open tells whether a value waits for the file of a glob.
func open(text string) bool { return strings.Contains(text, filePlaceholder) }

func (c *conflicts) bases() {
	var names []string
	for i := range c.images {
		names = append(names, c.images[i].Name)
	}
	done := make([]bool, len(c.images)) // known to end at an image without a base, or reported
	for i := range c.images {
		m := &c.images[i]
		if m.Base == "" || open(m.Base) {
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
		if b := &c.images[j]; b.Arch != "" && m.Arch != "" && b.Arch != m.Arch {
			c.add(i, "base", "", "base %q is %s, the image is %s", m.Base, b.Arch, m.Arch)
		}
		if cycle := c.follow(i, done); cycle != nil {
			c.add(i, "base", "", "bases form a circle: %s", strings.Join(cycle, " → "))
		}
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
	for _, c := range Conflicts(m.Images, filepath.Clean, m.File) {
		im := &m.Images[c.Image]
		at, ok := im.at[c.Key]
		if !ok {
			at = position{line: im.Line, col: im.Column}
		}
		r.add(at, c.Suggestion, "%s", c.Message)
	}
}
