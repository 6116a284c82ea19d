package deb

import (
	"archive/tar"
	"errors"
	"fmt"
	"path"
	"strings"
)

const (
	maxEntries = 1 << 20
	maxLinks   = 40  // in the path of one file, as in Linux
	maxWanted  = 100 // links that match
)

// A tree records the members of an archive while it is read, to find the wanted one.
type tree struct {
	q     Query
	kinds map[string]byte   // the type flag of each member that is not a folder
	links map[string]string // stored targets of links; for hard links with a leading slash
	wants []want
	taken string // name of the member that was chosen for writing
	files int
}

// A want is a link that matches the query.
type want struct {
	name string
	off  int64 // in the archive
}

func newTree(q Query) *tree {
	return &tree{q: q, kinds: map[string]byte{}, links: map[string]string{}}
}

// add adds a member at an offset of the archive and reports whether it is the wanted one.
func (t *tree) add(h *tar.Header, off int64) (wanted bool, err error) {
	name, err := clean(h.Name)
	switch {
	case err != nil:
		return false, err
	case h.Typeflag == tar.TypeDir:
		return false, nil
	case h.Typeflag == tar.TypeXGlobalHeader:
		return false, nil
	}
	if _, ok := t.kinds[name]; ok {
		return false, errors.New("two members have this name")
	}
	if t.files++; t.files > maxEntries {
		return false, fmt.Errorf("the archive has more than %d files", maxEntries)
	}
	t.kinds[name] = h.Typeflag
	match := t.q.Match(name)
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		if !match && !t.leadsTo(name) {
			return false, nil
		}
		if t.taken != "" {
			return false, several(t.taken)
		}
		t.taken = name
		return true, nil
	case tar.TypeSymlink:
		t.links[name] = h.Linkname
	case tar.TypeLink:
		t.links[name] = "/" + h.Linkname
	default:
		if match {
			return false, fmt.Errorf("it is not a file but a device, a pipe or unknown (type %q)", h.Typeflag)
		}
		return false, nil
	}
	if match {
		if t.wants = append(t.wants, want{name, off}); len(t.wants) > maxWanted {
			return false, fmt.Errorf("more than %d links match", maxWanted)
		}
	}
	return false, nil
}

// several returns the error for a second file that matches.
func several(other string) error {
	return fmt.Errorf("several files match, %s too: name one", printable(other))
}

// leadsTo reports whether a matching link leads to a name. Links that cannot be followed are skipped, because later members may complete them.
func (t *tree) leadsTo(name string) bool {
	for _, w := range t.wants {
		if to, err := t.resolve(w.name); err == nil && to == name {
			return true
		}
	}
	return false
}

// result returns the results of walk after the whole archive was read.
func (t *tree) result() (name, target string, err error) {
	for _, w := range t.wants {
		to, err := t.resolve(w.name)
		if err == nil {
			err = t.accept(to, target)
		}
		if err != nil {
			return "", "", &FormatError{w.name, w.off, true, err.Error()}
		}
		target = to
	}
	switch {
	case t.taken != "":
		return t.taken, "", nil
	case target == "":
		return "", "", &NoMemberError{t.files}
	}
	return "", target, nil
}

// accept checks the target of a matching link. other is the target of an earlier matching link, or empty.
func (t *tree) accept(to, other string) error {
	kind, ok := t.kinds[to]
	switch {
	case !ok:
		return fmt.Errorf("the link leads to %s, which is not in the package", printable(to))
	case kind != tar.TypeReg && kind != tar.TypeGNUSparse:
		return fmt.Errorf("the link leads to %s, which is not a file", printable(to))
	case other != "" && other != to:
		return several(other)
	case t.taken != "" && t.taken != to:
		return several(t.taken)
	}
	return nil
}

var (
	errOut    = errors.New("its name leads out of the package")
	errCircle = errors.New("the link leads in a circle")
)

// clean returns the name of a member as a path from the root of the package.
func clean(name string) (string, error) {
	if strings.HasPrefix(name, "/") || strings.ContainsRune(name, 0) {
		return "", errOut
	}
	for e := range strings.SplitSeq(name, "/") {
		if e == ".." {
			return "", errOut
		}
	}
	return path.Clean(name), nil
}

// resolve follows all links in a path, including links to folders.
func (t *tree) resolve(name string) (string, error) {
	for range maxLinks {
		next, found, err := t.follow(name)
		if err != nil || !found {
			return name, err
		}
		name = next
	}
	return "", errCircle
}

// follow replaces the first link in a path by its target.
func (t *tree) follow(name string) (next string, found bool, err error) {
	for end := 0; end < len(name); end++ {
		if i := strings.IndexByte(name[end:], '/'); i >= 0 {
			end += i
		} else {
			end = len(name)
		}
		to, ok := t.links[name[:end]]
		if !ok {
			continue
		}
		if !strings.HasPrefix(to, "/") {
			to = path.Join(path.Dir(name[:end]), to)
		}
		next = path.Join(strings.TrimPrefix(path.Clean(to), "/"), name[end:])
		if next == ".." || strings.HasPrefix(next, "../") {
			return "", false, fmt.Errorf("the link leads out of the package, to %s", printable(to))
		}
		return next, true, nil
	}
	return name, false, nil
}
