package paths

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxLinks bounds the links on the way to one file, as systems do.
const maxLinks = 40

// Resolve names the file that a path leads to by an absolute path without links. Of a file that is not there it tells where it would
// be made: a link to nothing is followed too. Each ".." counts from where the links before it lead, as it does for the system.
func Resolve(path string) (string, error) {
	if path == "" {
		return "", errors.New("the path is empty")
	}
	rest := path
	if !filepath.IsAbs(path) {
		dir, err := os.Getwd()
		if err != nil {
			return "", err
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
			return "", errorOf(path, err)
		case st.Mode()&fs.ModeSymlink != 0:
			if links++; links > maxLinks {
				return "", &fs.PathError{Op: "resolve", Path: path, Err: syscall.ELOOP}
			}
			to, err := os.Readlink(next)
			if err != nil {
				return "", errorOf(path, err)
			}
			if filepath.IsAbs(to) {
				at, to = root(to)
			}
			rest = to + string(filepath.Separator) + rest
			continue
		}
		at = next
	}
	return at, nil
}

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
