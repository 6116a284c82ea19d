package lock

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/btfbatch/btfbatch/config/bound"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// Limits of a lock. They are far above what a manifest can need.
const (
	maxBytes = 256 << 20
	maxText  = 8192      // bytes of one value
	maxNodes = 4_000_000 // values and comments of a text, by package bound; 100,000 images with all keys
)

// Read reads the lock at a path, and returns its text too. Errors name the path and, where there is one, the line.
func Read(path string) (f *File, text []byte, err error) {
	if text, err = input.ReadText(path, input.Manifest, maxBytes); err == nil {
		f, err = Parse(path, text)
	}
	return f, text, err
}

// A FormatError says where a text breaks the format.
type FormatError struct {
	File    string
	Line    int // from 1; 0 if it is not known
	Problem string
}

func (e *FormatError) Error() string {
	at := e.File
	if e.Line > 0 {
		at += ":" + strconv.Itoa(e.Line)
	}
	return at + ": " + e.Problem
}

// Parse reads the text of a lock. name is that of the file, for messages. The images and sources are sorted, whatever order the text has them
// in. Unknown keys, and references to nothing, are errors: a *FormatError.
func Parse(name string, data []byte) (*File, error) {
	p := &parser{file: name}
	f, err := p.read(data)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// A parser reads one text.
type parser struct{ file string }

func (p *parser) fail(at *yaml.Node, format string, args ...any) error {
	e := &FormatError{File: p.file, Problem: fmt.Sprintf(format, args...)}
	if at != nil {
		e.Line = at.Line
	}
	return e
}

func (p *parser) read(data []byte) (*File, error) {
	if len(data) > maxBytes {
		return nil, p.fail(nil, "the lock is larger than %d bytes", maxBytes)
	}
	if n := bound.Nodes(data); n > maxNodes {
		return nil, p.fail(nil, "the lock may have %d values and comments, and more than %d would fill the memory", n, maxNodes)
	}
	doc, err := p.document(data)
	if err != nil {
		return nil, err
	}
	f := &File{}
	if err := p.version(doc); err != nil {
		return nil, err
	}
	lines := map[string]*yaml.Node{} // by sourceLabel and imageLabel, for messages
	err = p.mapping(doc, "a lock", map[string]func(v *yaml.Node) error{
		"version":  func(v *yaml.Node) error { f.Version = Version; return nil },
		"manifest": func(v *yaml.Node) error { return p.digest(v, &f.Manifest) },
		"sources":  func(v *yaml.Node) error { return list(p, v, "sources", &f.Sources, p.source, sourceLabel, lines) },
		"images":   func(v *yaml.Node) error { return list(p, v, "images", &f.Images, p.image, imageLabel, lines) },
	})
	switch {
	case err != nil:
		return nil, err
	case f.Manifest == "":
		return nil, p.fail(doc, "the key manifest is missing")
	case len(f.Images) == 0:
		return nil, p.fail(doc, "the lock has no images")
	}
	f.Sort()
	return f, p.references(f, lines)
}

// document returns the mapping that the text consists of.
func (p *parser) document(data []byte) (*yaml.Node, error) {
	const hint = "; restore the lock, or remove it and run btfbatch lock"
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && (len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode) {
		return nil, p.fail(nil, "it is not a lock%s", hint)
	}
	if err == nil {
		if err = d.Decode(&next); err == nil {
			return nil, p.fail(nil, "a second YAML document; a lock has only one")
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, p.fail(nil, "%s%s", strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: "), hint)
	}
	return doc.Content[0], nil
}

// version checks the version before anything else: another version may have other keys.
func (p *parser) version(doc *yaml.Node) error {
	for i := 0; i+1 < len(doc.Content); i += 2 {
		if key, v := doc.Content[i], doc.Content[i+1]; key.Value == "version" {
			if v.Kind != yaml.ScalarNode || v.Value != strconv.Itoa(Version) {
				return p.fail(v, "unknown version %q of locks; this program supports version %d", v.Value, Version)
			}
			return nil
		}
	}
	return p.fail(doc, "the key version is missing")
}

// mapping reads the keys of a mapping, each at most once.
func (p *parser) mapping(v *yaml.Node, what string, keys map[string]func(v *yaml.Node) error) error {
	if v.Kind != yaml.MappingNode {
		return p.fail(v, "%s must be a mapping", what)
	}
	var seen []string
	for i := 0; i+1 < len(v.Content); i += 2 {
		key := v.Content[i]
		read := keys[key.Value]
		if read == nil || key.Kind != yaml.ScalarNode {
			return p.fail(key, "unknown key %q in %s", key.Value, what)
		}
		if slices.Contains(seen, key.Value) {
			return p.fail(key, "the key %s is there twice", key.Value)
		}
		seen = append(seen, key.Value)
		if err := read(v.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// list reads a list of elements, no two of which have the same label. It notes the place of each one.
func list[T any](p *parser, v *yaml.Node, what string, all *[]T, read func(v *yaml.Node) (T, error), label func(x *T) string, lines map[string]*yaml.Node) error {
	if v.Kind != yaml.SequenceNode {
		return p.fail(v, "%s must be a list", what)
	}
	for _, n := range v.Content {
		x, err := read(n)
		if err != nil {
			return err
		}
		name := label(&x)
		if lines[name] != nil {
			return p.fail(n, "%s is there twice", name)
		}
		lines[name] = n
		*all = append(*all, x)
	}
	return nil
}

func sourceLabel(s *Source) string { return "the source " + s.From }

func imageLabel(im *Image) string { return fmt.Sprintf("the image %q", im.Name) }

func (p *parser) source(v *yaml.Node) (s Source, err error) {
	err = p.mapping(v, "a source", map[string]func(v *yaml.Node) error{
		"from":    p.to(&s.From),
		"package": p.to(&s.Package),
		"version": p.to(&s.Version),
		"size":    func(v *yaml.Node) error { return p.size(v, &s.Size) },
		"sha256":  func(v *yaml.Node) error { return p.digest(v, &s.SHA256) },
	})
	switch {
	case err != nil:
	case s.From == "":
		err = p.fail(v, "a source has no from")
	case s.SHA256 == "" || s.Size == 0:
		err = p.fail(v, "the source %s has no size or no sha256", s.From)
	}
	return s, err
}

func (p *parser) image(v *yaml.Node) (im Image, err error) {
	err = p.mapping(v, "an image", map[string]func(v *yaml.Node) error{
		"name":        p.to(&im.Name),
		"path":        p.path(&im.Path),
		"from":        p.to(&im.From),
		"glob":        p.to(&im.Glob),
		"member":      p.to(&im.Member),
		"list":        p.path(&im.List),
		"size":        func(v *yaml.Node) error { return p.size(v, &im.Size) },
		"sha256":      func(v *yaml.Node) error { return p.digest(v, &im.SHA256) },
		"build_id":    func(v *yaml.Node) error { return p.hex(v, &im.BuildID) },
		"release":     p.to(&im.Release),
		"arch":        p.to(&im.Arch),
		"base":        p.to(&im.Base),
		"base_path":   p.path(&im.BasePath),
		"base_sha256": func(v *yaml.Node) error { return p.digest(v, &im.BaseSHA256) },
	})
	problem := ""
	switch {
	case err != nil:
	case im.Name == "":
		problem = "an image has no name"
	case (im.Path == "") == (im.From == ""):
		problem = fmt.Sprintf("the image %q must have either path or from", im.Name)
	case im.Path != "" && (im.SHA256 == "" || im.Size == 0):
		problem = fmt.Sprintf("the image %q has no size or no sha256", im.Name)
	case im.Path != "" && im.Member != "":
		problem = fmt.Sprintf("the image %q has path and member, but only a package has members", im.Name)
	case im.From != "" && (im.SHA256 != "" || im.Size != 0):
		problem = fmt.Sprintf("the image %q has from, so its size and sha256 are those of the source", im.Name)
	case im.BasePath != "" && im.Base != "" || (im.BasePath == "") != (im.BaseSHA256 == ""):
		problem = fmt.Sprintf("the image %q must have base, or base_path and base_sha256, or none of them", im.Name)
	}
	if problem != "" {
		err = p.fail(v, "%s", problem)
	}
	return im, err
}

// references checks that what images refer to is there, and that nothing else is.
func (p *parser) references(f *File, lines map[string]*yaml.Node) error {
	used := map[string]bool{}
	for i := range f.Images {
		im := &f.Images[i]
		at := lines[imageLabel(im)]
		if im.From != "" && f.Source(im.From) == nil {
			return p.fail(at, "the image %q is from %s, which is not among the sources", im.Name, im.From)
		}
		if im.Base != "" && f.Image(im.Base) == nil {
			return p.fail(at, "the base %q of the image %q is not among the images", im.Base, im.Name)
		}
		used[im.From] = true
	}
	for i := range f.Sources {
		if s := &f.Sources[i]; !used[s.From] {
			return p.fail(lines[sourceLabel(s)], "no image is from the source %s", s.From)
		}
	}
	return nil
}

// to returns a reader of a text.
func (p *parser) to(text *string) func(v *yaml.Node) error {
	return func(v *yaml.Node) error {
		switch {
		case v.Kind != yaml.ScalarNode || v.Tag == "!!null" || v.Value == "":
			return p.fail(v, "a text is missing")
		case len(v.Value) > maxText:
			return p.fail(v, "the text is longer than %d bytes", maxText)
		case !utf8.ValidString(v.Value) || strings.ContainsFunc(v.Value, func(r rune) bool { return !unicode.IsPrint(r) }):
			return p.fail(v, "%q has characters that cannot be printed", v.Value)
		}
		*text = v.Value
		return nil
	}
}

// path returns a reader of a path.
func (p *parser) path(text *string) func(v *yaml.Node) error {
	return func(v *yaml.Node) error {
		if err := p.to(text)(v); err != nil {
			return err
		}
		if path.IsAbs(*text) {
			return p.fail(v, "the path %s is absolute; paths are relative to the manifest", *text)
		}
		return nil
	}
}

func (p *parser) size(v *yaml.Node, n *int64) (err error) {
	*n, err = strconv.ParseInt(v.Value, 10, 64)
	if v.Kind != yaml.ScalarNode || err != nil || *n <= 0 || strconv.FormatInt(*n, 10) != v.Value {
		return p.fail(v, "the size %q is not a positive number of bytes", v.Value)
	}
	return nil
}

func (p *parser) digest(v *yaml.Node, text *string) error {
	if err := p.hex(v, text); err != nil {
		return err
	}
	if len(*text) != 64 {
		return p.fail(v, "%s is not a SHA-256, which has 64 digits", v.Value)
	}
	return nil
}

func (p *parser) hex(v *yaml.Node, text *string) error {
	if v.Kind != yaml.ScalarNode || v.Value == "" || len(v.Value) > 128 || strings.Trim(v.Value, "0123456789abcdef") != "" {
		return p.fail(v, "%q is not a number of lower-case hexadecimal digits", v.Value)
	}
	*text = v.Value
	return nil
}
