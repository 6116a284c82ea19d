package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Conflict is a problem between two images.
type Conflict struct {
	Image      int    // index of the image that has the problem
	Key        string // "outputs.btf"
	Message    string
	Suggestion string
}

// Conflicts finds conflicts between the names and bases of images. For an image whose glob is not resolved, it checks what is known.
// It does not look for conflicts between files, because these depend on the disk.
func Conflicts(images []*Image) []Conflict {
	c := conflicts{images: images, byName: map[string]int{}}
	c.names()
	c.bases()
	return c.list
}

type conflicts struct {
	images []*Image
	byName map[string]int
	list   []Conflict
}

func (c *conflicts) add(i int, key, suggestion, format string, args ...any) {
	c.list = append(c.list, Conflict{i, key, fmt.Sprintf(format, args...), suggestion})
}

func (c *conflicts) names() {
	for i := range c.images {
		m := c.images[i]
		if Open(m.Name) {
			continue
		}
		if j, taken := c.byName[m.Name]; !taken {
			c.byName[m.Name] = i
		} else if first := c.images[j]; first.src == m.src && first.Line == m.Line && first.Column == m.Column {
			c.add(i, "name", "", "the matrix gives several images the name %q; use its values in the name", m.Name)
		} else {
			c.add(i, "name", "", "name %q is already used by the image at %s", m.Name, first.placeFor(m.place("name")))
		}
	}
}

// Open reports whether a value depends on the image's file or package, and the images are not resolved yet.
func Open(text string) bool { return withPlaceholders(text, func(string) string { return "" }) != text }

func (c *conflicts) bases() {
	var names []string
	for i := range c.images {
		names = append(names, c.images[i].Name)
	}
	circle, split := false, []Conflict(nil)
	done := make([]bool, len(c.images)) // ends at an image without a base, or is reported
	for i := range c.images {
		m := c.images[i]
		if m.Base == "" || Open(m.Base) {
			continue
		}
		j, ok := c.byName[m.Base]
		if !ok {
			if !c.mayBecome(m.Base) {
				suggestion := ""
				if len(c.list) < 20 { // comparing all names is slow, and one wrong list can contain all of them
					suggestion = nearest(m.Base, names)
				}
				c.add(i, "base", suggestion, "no image is named %q", m.Base)
			}
			continue
		}
		b := c.images[j]
		if b.Arch != "" && m.Arch != "" && b.Arch != m.Arch {
			c.add(i, "base", "", "base %q is %s, the image is %s", m.Base, b.Arch, m.Arch)
		}
		if cycle := c.follow(i, done); cycle != nil {
			c.add(i, "base", "", "bases form a cycle: %s", strings.Join(cycle, " → "))
			circle = true
		} else if further := cmp.Or(b.Base, b.BasePath); further != "" {
			split = append(split, Conflict{i, "base", fmt.Sprintf("base %q has a base itself, %q; a base cannot be split BTF", m.Base, further), ""})
		}
	}
	if !circle { // a cycle is the more precise error
		c.list = append(c.list, split...)
	}
}

// follow walks from image i to its last base. If it finds a cycle, it returns the names on the path.
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

// mayBecome reports whether an image whose glob is not resolved may get the name.
func (c *conflicts) mayBecome(name string) bool {
	for i := range c.images {
		if m := c.images[i]; Open(m.Name) {
			parts := strings.Split(withPlaceholders(m.Name, func(string) string { return "\x00" }), "\x00")
			if strings.HasPrefix(name, parts[0]) && strings.HasSuffix(name, parts[len(parts)-1]) {
				return true
			}
		}
	}
	return false
}

// readConflicts reports the conflicts between the images of a manifest, at the positions of their keys.
func (r *report) readConflicts(m *Manifest) {
	images := make([]*Image, len(m.Images))
	for i := range images {
		images[i] = &m.Images[i]
	}
	for _, c := range Conflicts(images) {
		im := &m.Images[c.Image]
		r.about = im.start()
		r.add(im.place(c.Key), c.Suggestion, "%s", c.Message)
	}
}

// place returns the position of a key's value, or of the image if it has no such key.
func (m *Image) place(key string) position {
	for i := range m.at {
		if m.at[i].key == key {
			return m.at[i].position
		}
	}
	return m.start()
}

// mark remembers the place of a key's value.
func (m *Image) mark(key string, at position) {
	for i := range m.at {
		if m.at[i].key == key {
			m.at[i].position = at
			return
		}
	}
	m.at = append(m.at, placed{key, at})
}

// placeFor says where the image is, for a message at the given place.
func (m *Image) placeFor(at position) string {
	if m.src == at.src {
		return fmt.Sprintf("line %d", m.Line)
	}
	return m.start().String()
}

// start is the position at which the image starts.
func (m *Image) start() position { return position{src: m.src, line: m.Line, col: m.Column} }

// Included returns the path of the included manifest, or of the list, that the image is written in. It is empty for an image of the manifest
// that was loaded.
func (m *Image) Included() string {
	if m.src == nil || m.src.order == 0 {
		return ""
	}
	return m.src.file
}

// Problem returns a problem with the value of a key, such as "golden" or "outputs.btf", that was found on the file system. file is the
// path of the manifest, for an image that was not read from a text.
func (m *Image) Problem(file, key, message string) Problem {
	at := m.place(key)
	p := Problem{File: file, Line: max(1, at.line), Column: max(1, at.col), Path: at.path, Message: message}
	if at.src != nil {
		p.File, p.order = at.src.file, at.src.order
		if at.src != m.src { // a default, or a template
			p.Message += fmt.Sprintf(", for the image at %s", m.start())
		}
	}
	return p
}
