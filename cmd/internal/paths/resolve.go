package paths

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
)

// maxLinks limits how many links are followed for one path, as systems do.
const maxLinks = 40

// Resolve returns the absolute path, without links, of the file that a path leads to. For a missing file it returns the path at which the
// file would be created; broken links are followed too. A ".." is relative to the target of the links before it, as in system calls.
func Resolve(path string) (string, error) {
	place, _, err := resolve(path)
	return place, err
}

// Opened reports whether a path leads to a file through an open descriptor, as /dev/stdout and /dev/fd/5 do. Such a file cannot be
// replaced: the program that has it open would not see the new one.
func Opened(path string) bool {
	_, opened, err := resolve(path)
	return err == nil && opened
}

// OpenedError is the error about such a path at which a file should be created or replaced.
func OpenedError(path string) error {
	return fmt.Errorf("%s is an open descriptor: give the name of a file", path)
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
			opened = descriptor().MatchString(next) && strings.Trim(rest, string(filepath.Separator)) == ""
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

// descriptor matches the name of a link to an open file on Linux.
var descriptor = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^/proc/.+/fd/\d+$`) })

// root splits an absolute path after its root.
func root(path string) (dir, rest string) {
	dir = filepath.VolumeName(path) + string(filepath.Separator)
	return dir, strings.TrimPrefix(path[len(dir)-1:], string(filepath.Separator))
}

// errorOf rewrites an error of the system about a part of a path to name the path that the user gave.
func errorOf(path string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return &fs.PathError{Op: "resolve", Path: path, Err: err}
}
