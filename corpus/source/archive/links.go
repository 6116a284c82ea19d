package archive

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

const maxLinks = 40 // in the path of one file, as in Linux

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

// Links are the links of a package, by name. A target that begins with a slash counts from the root.
type Links map[string]string

// Add adds the link of an entry.
func (l Links) Add(e *Entry) {
	switch e.Kind {
	case Symlink:
		l[e.Name] = e.Target
	case HardLink:
		l[e.Name] = "/" + e.Target
	}
}

// Resolve follows all links in a path, including links to folders.
func (l Links) Resolve(name string) (string, error) {
	for range maxLinks {
		next, found, err := l.follow(name)
		if err != nil || !found {
			return name, err
		}
		name = next
	}
	return "", errCircle
}

// follow replaces the first link in a path by its target.
func (l Links) follow(name string) (next string, found bool, err error) {
	for end := 0; end < len(name); end++ {
		if i := strings.IndexByte(name[end:], '/'); i >= 0 {
			end += i
		} else {
			end = len(name)
		}
		to, ok := l[name[:end]]
		if !ok {
			continue
		}
		if !strings.HasPrefix(to, "/") {
			to = path.Join(path.Dir(name[:end]), to)
		}
		next = path.Join(strings.TrimPrefix(path.Clean(to), "/"), name[end:])
		if next == ".." || strings.HasPrefix(next, "../") {
			return "", false, fmt.Errorf("the link leads out of the package, to %s", Printable(to))
		}
		return next, true, nil
	}
	return name, false, nil
}
