// Package paths finds out which files paths mean, and what the files of one run have against each other.
//
// In come paths, and what a run does with each; out come the conflicts. It looks at names and never opens a file.
package paths

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Role says what a run does with a file.
type Role uint8

// The roles. Uses of one file go together if all are Inputs, or all are goldens.
const (
	Input  Role = iota // read
	Golden             // compared with; several images may share one
	Update             // a golden that may be rewritten
	Output             // made or replaced
	Append             // written to, after what is there
	Remove             // removed, if it is there; perhaps made
)

func (r Role) golden() bool { return r == Golden || r == Update }

// rank puts what is written behind what is read.
func (r Role) rank() int {
	switch {
	case r == Input:
		return 0
	case r.golden():
		return 1
	}
	return 2
}

// writes tells whether the role needs a place where a file can be.
func (r Role) writes() bool { return r == Output || r == Update }

// A Use is a path in one role.
type Use struct {
	Path string
	Role Role
	What string // `the golden of "a"`, as messages about other uses have it
	Note string // goes before messages about this one; may be empty
}

// A Conflict is what one use has against another, or against what is on the disk.
type Conflict struct {
	Use     int
	Message string
	// Alone says that no other use has to do with it: what is on the disk is no file, or is in the way.
	Alone bool
}

// ReservedPrefix starts the names of temporary files; no other file may have such a name.
const ReservedPrefix = ".btfbatch-"

// maxName is the longest name of a file, in bytes, that systems have.
const maxName = 255

// Check finds the conflicts among uses: one file in two roles that do not go together, whatever spellings, links or hard links lead to
// it, and a file that would have to be a folder for another one. The later of two uses has the conflict, but never one that is only
// read.
func Check(uses []Use) []Conflict {
	order := make([]int, len(uses))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(uses[a].Role.rank(), uses[b].Role.rank()) })
	c := checker{uses: uses, at: map[string][]int{}, below: map[string]int{}}
	for _, i := range order {
		c.add(i)
	}
	slices.SortStableFunc(c.list, func(a, b Conflict) int { return cmp.Compare(a.Use, b.Use) })
	return c.list
}

// Refuse is Check for a command that has no manifest: an error that names each use by what it is.
func Refuse(uses ...Use) error {
	var errs []error
	for _, c := range Check(uses) {
		errs = append(errs, fmt.Errorf("%s: %s", uses[c.Use].What, c.Message))
	}
	return errors.Join(errs...)
}

type checker struct {
	uses  []Use
	at    map[string][]int // by file: its uses
	below map[string]int   // by path that is not there: a use of a file below it
	list  []Conflict
}

func (c *checker) report(i int, alone bool, format string, args ...any) {
	c.list = append(c.list, Conflict{i, c.uses[i].Note + fmt.Sprintf(format, args...), alone})
}

func (c *checker) add(i int) {
	u := &c.uses[i]
	if u.Path == "" {
		return
	}
	base := filepath.Base(u.Path)
	switch n := longest(u.Path); {
	case strings.HasPrefix(base, ReservedPrefix):
		if u.Role != Remove {
			c.report(i, false, "names that start with %s are for temporary files", ReservedPrefix)
		}
		return
	case n > maxName:
		if u.Role.writes() {
			c.report(i, false, "has a name of %d bytes, and no file can have more than %d", n, maxName)
		}
		return
	}
	f, err := locate(u.Path)
	switch {
	case err != nil && u.Role.writes():
		if j, ok := c.fileOnTheWay(u.Path); ok {
			c.report(i, false, "lies below %s, which is no folder", c.uses[j].What)
		} else {
			c.report(i, true, "%v", err)
		}
		return
	case err != nil:
		return // whoever reads it will tell
	case u.Role.writes() && f.there && !f.regular:
		c.report(i, true, "%s is not a regular file", u.Path)
		return
	case u.Role.writes() && f.opened:
		c.report(i, true, "%v", OpenedError(u.Path))
		return
	}
	for _, j := range c.at[f.key] {
		if message := c.clash(i, j); message != "" {
			c.report(i, false, "%s", message)
			return
		}
	}
	if j, ok := c.below[f.key]; ok && (u.Role.writes() || c.uses[j].Role.writes()) {
		c.report(i, false, "would be in the way of %s, which lies below it", c.uses[j].What)
		return
	}
	for _, key := range f.above {
		for _, j := range c.at[key] {
			if u.Role.writes() || c.uses[j].Role.writes() {
				c.report(i, false, "lies below %s, which is no folder", c.uses[j].What)
				return
			}
		}
		if _, ok := c.below[key]; !ok {
			c.below[key] = i
		}
	}
	c.at[f.key] = append(c.at[f.key], i)
}

// clash says why use i cannot have the file of use j, which comes before it.
func (c *checker) clash(i, j int) string {
	u, v := &c.uses[i], &c.uses[j]
	name := ""
	if filepath.Clean(u.Path) != filepath.Clean(v.Path) {
		name = " (" + v.Path + ")"
	}
	switch {
	case u.Role == Input && v.Role == Input, u.Role.golden() && v.Role.golden(), u.Role == Remove && v.Role == Remove:
		return ""
	case u.Role == Golden:
		return "is the same file as " + v.What + name
	case v.Role == Input, v.Role.golden():
		return "would overwrite " + v.What + name
	}
	return "writes the same file as " + v.What + name
}

// longest is the length of the longest name on a path.
func longest(path string) (n int) {
	for name := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		n = max(n, len(name))
	}
	return n
}

// fileOnTheWay finds the use of a file that a path takes for a folder.
func (c *checker) fileOnTheWay(path string) (use int, ok bool) {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if f, err := locate(dir); err == nil {
			if list := c.at[f.key]; f.there && len(list) > 0 {
				return list[0], true
			}
			return 0, false
		}
		if dir == filepath.Dir(dir) {
			return 0, false
		}
	}
}

// A file is what a path means.
type file struct {
	key            string   // the same for all paths that mean this file
	above          []string // keys of the folders on the way to it that are not there
	there, regular bool
	opened         bool // the path names a descriptor
}

// locate finds out what a path means. A file that is not there is known by the folder that is, and the names from there on.
func locate(path string) (file, error) {
	place, opened, err := resolve(path)
	if err != nil {
		return file{}, fmt.Errorf("%s: %w", path, errors.Unwrap(err))
	}
	dir, rest := place, []string(nil)
	for {
		st, err := os.Lstat(dir)
		if err == nil {
			f := file{key: identity(dir, st), there: len(rest) == 0, regular: st.Mode().IsRegular(), opened: opened}
			if len(rest) > 0 && folding(dir) {
				for i := range rest {
					rest[i] = strings.ToLower(rest[i])
				}
			}
			for i, name := range rest {
				if i > 0 {
					f.above = append(f.above, f.key)
				}
				f.key += "/" + name
			}
			return f, nil
		}
		up := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || up == dir {
			return file{}, fmt.Errorf("%s: %w", path, errors.Unwrap(err))
		}
		rest = append([]string{filepath.Base(dir)}, rest...)
		dir = up
	}
}

// Same tells whether two paths mean one file.
func Same(a, b string) bool {
	f, err := locate(a)
	g, err2 := locate(b)
	return err == nil && err2 == nil && f.key == g.key
}

// Key is the same for all paths that mean one file. A path that means none is its own key.
func Key(path string) string {
	if f, err := locate(path); err == nil {
		return f.key
	}
	return path
}

var folding = folds // tests have no such file system

// folds tells whether names in a folder mean the same in upper and in lower case. It looks at a name that is there, in the folder or
// above it on the same file system.
func folds(dir string) bool {
	for range 64 { // far deeper than folders are
		if entries, err := readSome(dir); err == nil {
			for _, name := range entries {
				if other := swapCase(name); other != name {
					return !slices.Contains(entries, other) && sameEntry(filepath.Join(dir, name), filepath.Join(dir, other))
				}
			}
		}
		up := filepath.Dir(dir)
		if up == dir || !sameDevice(up, dir) {
			return false
		}
		if name := filepath.Base(dir); swapCase(name) != name {
			return sameEntry(dir, filepath.Join(up, swapCase(name)))
		}
		dir = up
	}
	return false
}

// readSome lists some names of a folder.
func readSome(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(16)
}

// swapCase changes the case of the letters of the alphabet that every file system knows.
func swapCase(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, name)
}

func sameEntry(a, b string) bool {
	st, err := os.Lstat(a)
	other, err2 := os.Lstat(b)
	return err == nil && err2 == nil && os.SameFile(st, other)
}
