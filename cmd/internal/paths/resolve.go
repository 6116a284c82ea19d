package paths

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// maxLinks bounds the links on the way to one file, as systems do.
const maxLinks = 40

// Resolve names the file that a path leads to by an absolute path without links. Of a file that is not there it tells where it would
// be made: a link to nothing is followed too. Each ".." counts from where the links before it lead, as it does for the system.
func Resolve(path string) (string, error) {
	place, _, err := resolve(path)
	return place, err
}

// Opened tells whether a path means a file by a descriptor that some program has open, as /dev/stdout and /dev/fd/5 do. Whoever has it
// open would not see a file that takes the place of that one, which perhaps has no name any more.
func Opened(path string) bool {
	_, opened, err := resolve(path)
	return err == nil && opened
}

// OpenedError is the error about such a path where a file should be made or replaced.
func OpenedError(path string) error {
	return fmt.Errorf("%s is a file that is open already: give the name of a file", path)
}

func resolve(path string) (place string, opened bool, err error) {
	if path == "" {
		return "", false, errors.New("the path is empty")
	}
	rest := path
	if !filepath.IsAbs(path) {
		dir, err := os.Getwd()
		if err != nil {
			return "", false, err
		}
		rest = dir + string(filepath.Separator) + path
	}
	at, rest := root(rest)
	links, missing := 0, false
	for rest != "" {
		var name string
		name, rest, _ = strings.Cut(rest, string(filepath.Separator))
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, name)
		if missing {
			at = next
			continue
		}
		st, err := os.Lstat(next)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = true
		case err != nil:
			return "", false, errorOf(path, err)
		case st.Mode()&fs.ModeSymlink != 0:
			if links++; links > maxLinks {
				return "", false, &fs.PathError{Op: "resolve", Path: path, Err: syscall.ELOOP}
			}
			to, err := os.Readlink(next)
			if err != nil {
				return "", false, errorOf(path, err)
			}
			opened = descriptor.MatchString(next) && strings.Trim(rest, string(filepath.Separator)) == ""
			if filepath.IsAbs(to) {
				at, to = root(to)
			}
			rest = to + string(filepath.Separator) + rest
			continue
		}
		at = next
	}
	return at, opened, nil
}

// descriptor is the name of a link to an open file, on Linux.
var descriptor = regexp.MustCompile(`^/proc/.+/fd/\d+$`)

// root cuts an absolute path behind its root.
func root(path string) (dir, rest string) {
	dir = filepath.VolumeName(path) + string(filepath.Separator)
	return dir, strings.TrimPrefix(path[len(dir)-1:], string(filepath.Separator))
}

// errorOf is an error of the system about a path on the way to another one, which people know.
func errorOf(path string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return &fs.PathError{Op: "resolve", Path: path, Err: err}
}
