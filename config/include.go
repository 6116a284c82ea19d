package config

import (
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// A manifest can include others. Their images become its own: names are unique among all, and bases are found in all. Everything else is
// read in each manifest by itself, except that the defaults of a manifest also apply to those that it includes, below their own defaults.

// A loader reads a manifest, and those that it includes.
type loader struct {
	*report
	env    func(string) (string, bool)
	disk   disk
	read   map[string]position // by the identity of a file: where it is included
	way    []*source           // from the manifest to the one that is being read
	images []Image
	full   bool // there are more
}

// A disk finds and reads files.
type disk struct {
	read  func(path string) ([]byte, error)        // a manifest
	open  func(path string) (io.ReadCloser, error) // a list
	match func(root, pattern string) ([]string, error)
	id    func(path string) string // equal for two paths of one file
}

func realDisk() disk {
	return disk{
		read: func(path string) ([]byte, error) {
			if _, err := input.Regular(path); err != nil {
				return nil, err
			}
			return input.ReadText(path, input.Manifest, maxBytes)
		},
		open: func(path string) (io.ReadCloser, error) {
			if _, err := input.Regular(path); err != nil {
				return nil, err
			}
			return input.OpenText(path, input.Images)
		},
		match: Match,
		id:    identity,
	}
}

// identity returns the absolute path of a file, without links.
func identity(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}

// include reads the manifests of the key include.
func (l *loader) include(v *value, defaults *value) {
	for _, f := range l.files(v, "include") {
		l.includeOne(f, defaults)
	}
}

// A listed is a file that a manifest names.
type listed struct {
	path string
	at   position
	list listing
}

// files returns the files that a path, a glob, or a list of them stands for.
func (l *loader) files(v *value, key string) (list []listed) {
	if v.kind == sequence {
		if len(v.list) == 0 {
			l.add(v.position, "", "%s is empty", key)
		}
		for _, x := range v.list {
			if x.kind == sequence {
				l.add(x.position, "", "must be a path, not a list")
				continue
			}
			list = append(list, l.files(x, key)...)
		}
		return list
	}
	text, ok := l.plain(v)
	if !ok {
		return nil
	}
	switch {
	case text == "":
		l.add(v.position, "", "is empty")
	case strings.ContainsRune(text, 0):
		l.add(v.position, "", "path contains a zero byte")
	case input.IsURL(text):
		l.add(v.position, "", "%q is a URL; download the file first", text)
	case strings.ContainsAny(text, "*?[{"):
		for _, path := range l.matches(v, text) {
			list = append(list, listed{path, v.position, listing{v.joined(text), filepath.IsAbs(text)}})
		}
	default:
		one := listed{path: v.joined(text), at: v.position}
		if key == "file" {
			one.list = listing{one.path, filepath.IsAbs(text)}
		}
		list = append(list, one)
	}
	return list
}

// matches returns the files that a glob matches, sorted by name.
func (l *loader) matches(v *value, text string) []string {
	if !doublestar.ValidatePattern(text) {
		l.add(v.position, "", "glob %q is malformed", text)
		return nil
	}
	root, pattern := doublestar.SplitPattern(filepath.ToSlash(text))
	paths, err := l.disk.match(v.joined(root), pattern)
	switch {
	case err != nil:
		l.add(v.position, "", "glob %q: %v", text, err)
	case len(paths) == 0:
		l.add(v.position, "", "glob %q matches no file", text)
	}
	return paths
}

// includeOne reads one included manifest.
func (l *loader) includeOne(f listed, defaults *value) {
	data, ok := l.next(f.path, f.at, l.disk.read)
	if !ok {
		return
	}
	before := l.source
	l.open(f.path, data)
	if l.source.list = f.list; f.list.pattern == "" {
		l.source.list = before.list
	}
	l.way = append(l.way, l.source)
	l.manifest(data, defaults)
	l.way = l.way[:len(l.way)-1]
	l.source = before
}

// next reads a file that the manifest names at a place, unless it was read before.
func (l *loader) next(path string, at position, read func(string) ([]byte, error)) ([]byte, bool) {
	if l.full {
		return nil, false
	}
	id := l.disk.id(path)
	if first, again := l.read[id]; again {
		if i := slices.IndexFunc(l.way, func(s *source) bool { return l.disk.id(s.file) == id }); i >= 0 {
			var names []string
			for _, s := range l.way[i:] {
				names = append(names, s.file)
			}
			l.add(at, "", "manifests include each other: %s", strings.Join(append(names, path), " → "))
		} else {
			l.add(at, "", "%s is already included at %s", path, first)
		}
		return nil, false
	}
	if len(l.sources) > maxFiles {
		l.add(at, "", "manifest includes more than %d files", maxFiles)
		l.full = true
		return nil, false
	}
	l.read[id] = at
	data, err := read(path)
	if p, ok := err.(*fs.PathError); ok { //nolint:errorlint // a wrapped one has text before it
		l.add(at, "", "%s: %v", p.Path, p.Err)
	} else if err != nil {
		l.add(at, "", "%v", err) // it names the path
	}
	return data, err == nil
}
