// Package paths finds out which files paths mean, and which files of a run conflict with each other.
//
// Input: paths, and what a run does with each. Output: conflicts. Never: the package does not open files.
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

// The roles. Several uses of one file are compatible if all are Inputs, or if all are goldens. Those that are all Publish, too: whoever publishes
// knows more about them.
const (
	Input   Role = iota // read
	Golden              // compared with; several images may share one
	Update              // a golden that may be rewritten
	Output              // created or replaced
	Append              // appended to
	Remove              // removed if it exists; may be created
	Publish             // created or replaced in a folder where outputs are published
)

func (r Role) golden() bool { return r == Golden || r == Update }

// rank orders roles that write after roles that read.
func (r Role) rank() int {
	switch {
	case r == Input:
		return 0
	case r.golden():
		return 1
	}
	return 2
}

// writes reports whether the role needs a path at which a file can be created.
func (r Role) writes() bool { return r == Output || r == Update || r == Publish }

// A Use is a path in one role.
type Use struct {
	Path string
	Role Role
	What string // its name in messages about other uses, such as `the golden of "a"`
	Note string // put before messages about this use; may be empty
}

// A Conflict is a problem of one use with another one, or with what is on the disk.
type Conflict struct {
	Use     int
	Message string
	// Alone says that no other use is involved: what is on the disk is not a file, or is in the way.
	Alone bool
}

// ReservedPrefix is the beginning of the names of temporary files. No other file may have such a name.
const ReservedPrefix = ".btfbatch-"

// maxName is the length of the longest file name, in bytes, that systems support.
const maxName = 255

// Check finds the conflicts among uses: one file in two incompatible roles, even if it is reached by different spellings, links or hard
// links, and a file whose path runs through another file. The conflict is reported for the later of the two uses, but never for one that
// is only read.
func Check(uses []Use) []Conflict {
	order := make([]int, len(uses))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(uses[a].Role.rank(), uses[b].Role.rank()) })
	c := newChecker(uses)
	for _, i := range order {
		c.add(i)
	}
	slices.SortStableFunc(c.list, func(a, b Conflict) int { return cmp.Compare(a.Use, b.Use) })
	return c.list
}

// Refuse is Check for a command without a manifest. The error names each use by its What.
func Refuse(uses ...Use) error {
	var errs []error
	for _, c := range Check(uses) {
		errs = append(errs, fmt.Errorf("%s: %s", uses[c.Use].What, c.Message))
	}
	return errors.Join(errs...)
}

type checker struct {
	uses  []Use
	at    map[string][]int // by file: its first use in each role; the others clash as these do
	below map[string]int   // by folder that does not exist: a use of a file below it
	list  []Conflict

	last   string          // the path that was located last; often, many uses follow each other that read one file
	lastAt file            // where it leads to
	folded map[string]bool // by folder: whether its file system ignores case
}

func newChecker(uses []Use) *checker {
	return &checker{uses: uses, at: map[string][]int{}, below: map[string]int{}, folded: map[string]bool{}}
}

// locate is the function of this name, which remembers what many paths have in common.
func (c *checker) locate(path string) (file, error) {
	if path == c.last {
		return c.lastAt, nil
	}
	f, err := locate(path, func(dir string) bool {
		is, known := c.folded[dir]
		if !known {
			is = folding(dir)
			c.folded[dir] = is
		}
		return is
	})
	if err == nil {
		c.last, c.lastAt = path, f
	}
	return f, err
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
			c.report(i, false, "names that start with %s are reserved for temporary files", ReservedPrefix)
		}
		return
	case n > maxName:
		if u.Role.writes() {
			c.report(i, false, "has a name of %d bytes; the limit is %d", n, maxName)
		}
		return
	}
	f, err := c.locate(u.Path)
	switch {
	case err != nil && u.Role.writes():
		if j, ok := c.fileOnTheWay(u.Path); ok {
			c.report(i, false, "is below %s, which is not a folder", c.uses[j].What)
		} else {
			c.report(i, true, "%v", err)
		}
		return
	case err != nil:
		return // reading it will report the error
	case u.Role.writes() && f.there && !f.regular:
		if st, err := os.Stat(u.Path); err == nil && st.IsDir() {
			c.report(i, true, "%s is not a regular file but a folder: name a file in it", u.Path)
			return
		}
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
		c.report(i, false, "would have to be a folder too: %s is below it", c.uses[j].What)
		return
	}
	for _, key := range f.above {
		for _, j := range c.at[key] {
			if u.Role.writes() || c.uses[j].Role.writes() {
				c.report(i, false, "is below %s, which is not a folder", c.uses[j].What)
				return
			}
		}
		if _, ok := c.below[key]; !ok {
			c.below[key] = i
		}
	}
	if !slices.ContainsFunc(c.at[f.key], func(j int) bool { return c.uses[j].Role == u.Role }) {
		c.at[f.key] = append(c.at[f.key], i)
	}
}

// clash says why use i conflicts with the earlier use j of the same file.
func (c *checker) clash(i, j int) string {
	u, v := &c.uses[i], &c.uses[j]
	name := ""
	if filepath.Clean(u.Path) != filepath.Clean(v.Path) {
		name = " (" + v.Path + ")"
	}
	switch {
	case u.Role == Input && v.Role == Input, u.Role.golden() && v.Role.golden(), u.Role == Remove && v.Role == Remove,
		u.Role == Publish && v.Role == Publish:
		return ""
	case u.Role == Golden:
		return "is the same file as " + v.What + name
	case v.Role == Input, v.Role.golden(), u.Role == Publish, v.Role == Publish:
		return "would overwrite " + v.What + name
	}
	return "writes the same file as " + v.What + name
}

// longest is the length of the longest name in a path.
func longest(path string) (n int) {
	for name := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		n = max(n, len(name))
	}
	return n
}

// fileOnTheWay finds the use of a file that a path treats as a folder.
func (c *checker) fileOnTheWay(path string) (use int, ok bool) {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if f, err := locate(dir, folding); err == nil {
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

// A file is what a path leads to.
type file struct {
	key            string   // the same for all paths that mean this file
	above          []string // keys of the missing folders in its path
	there, regular bool
	opened         bool // the path names a descriptor
}

// locate finds out what a path leads to. The key of a missing file consists of the last folder that exists and the names after it. folds says
// whether the file system of a folder ignores case.
func locate(path string, folds func(dir string) bool) (file, error) {
	place, opened, err := resolve(path)
	if err != nil {
		return file{}, fmt.Errorf("%s: %w", path, errors.Unwrap(err))
	}
	dir, rest := place, []string(nil)
	for {
		st, err := os.Lstat(dir)
		if err == nil {
			f := file{key: identity(dir, st), there: len(rest) == 0, regular: st.Mode().IsRegular(), opened: opened}
			if len(rest) > 0 && folds(dir) {
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

// Same reports whether two paths lead to the same file.
func Same(a, b string) bool {
	f, err := locate(a, folding)
	g, err2 := locate(b, folding)
	return err == nil && err2 == nil && f.key == g.key
}

// Key is equal for all paths that lead to the same file. A path that cannot be resolved is its own key.
func Key(path string) string {
	if f, err := locate(path, folding); err == nil {
		return f.key
	}
	return path
}

var folding = folds // replaced in tests, which have no such file system

// folds reports whether the file system of a folder ignores case. It tries an existing name, in the folder or above it on the same file
// system.
func folds(dir string) bool {
	for range 64 { // deeper than folders are in practice
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

// readSome returns some of the names in a folder.
func readSome(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(16)
}

// swapCase changes the case of ASCII letters.
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
