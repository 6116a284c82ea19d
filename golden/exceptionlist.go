package golden

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/btfbatch/btfbatch/config/bound"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// maxExceptions bounds the text of a file of exceptions.
const maxExceptions = 4 << 20

// maxNodes bounds its values and comments, by package bound: some 60,000 exceptions.
const maxNodes = 1_000_000

// A Problem is one error in a file of exceptions.
type Problem struct {
	File         string // may be empty
	Line, Column int    // from 1; columns count characters
	Message      string
	Suggestion   string // a similar valid word, quoted, or empty
}

// String returns the line that Problems prints for p.
func (p Problem) String() string {
	s := fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message)
	if p.File != "" {
		s = p.File + ":" + s
	}
	if p.Suggestion != "" {
		s += fmt.Sprintf(" (did you mean %s?)", p.Suggestion)
	}
	return s
}

// Problems are all errors in a file of exceptions, in the order of the text.
type Problems []Problem

// Error prints one problem per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// ReadExceptions reads a file of exceptions. If the text is wrong, the error is a Problems.
func ReadExceptions(file string) (*Exceptions, error) {
	data, err := input.ReadText(file, input.Exceptions, maxExceptions)
	if err != nil {
		return nil, err
	}
	if len(data) > maxExceptions {
		return nil, fmt.Errorf("%s: more than %d bytes", file, maxExceptions)
	}
	if n := bound.Nodes(data); n > maxNodes {
		return nil, fmt.Errorf("%s: it may have %d values and comments, and more than %d would fill the memory", file, n, maxNodes)
	}
	return parseExceptions(file, data, time.Now())
}

// ParseExceptions reads a list of exceptions in YAML. The error is a Problems. An exception whose last day is over is an error.
func ParseExceptions(data []byte) (*Exceptions, error) { return parseExceptions("", data, time.Now()) }

func parseExceptions(file string, data []byte, now time.Time) (*Exceptions, error) {
	r := listReader{file: file, now: now}
	list := r.list(data)
	if r.problems != nil {
		slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
		return nil, r.problems
	}
	return &Exceptions{list, make([]atomic.Bool, len(list)), make([]atomic.Bool, len(list))}, nil
}

// A listReader reads a list of exceptions, and collects all errors in it.
type listReader struct {
	file     string
	now      time.Time
	problems Problems
}

// list returns the exceptions. They are valid only if no problem was found.
func (r *listReader) list(data []byte) []Exception {
	root := r.document(data)
	if root == nil {
		return nil
	}
	if root.Kind != yaml.SequenceNode {
		r.add(root, "exceptions are a list, this is %s", spelt(root))
		return nil
	}
	list := make([]Exception, len(root.Content))
	for i, n := range root.Content {
		e := &list[i]
		e.file, e.Line = r.file, max(n.Line, 1)
		found := len(r.problems)
		if r.read(e, n); len(r.problems) > found {
			continue
		}
		e.complete()
		for _, w := range e.wrong() {
			r.suggest(valueOf(n, w.field), w.suggestion(), "exception %d (%s): %s", i+1, *e, w.message)
		}
		if e.ended(r.now) {
			r.add(valueOf(n, "until"), "exception %d (%s) ended on %s: remove it, or give it a later date", i+1, *e, e.Until)
		}
	}
	return list
}

// add reports a problem at the place of a node.
func (r *listReader) add(n *yaml.Node, format string, args ...any) { r.suggest(n, "", format, args...) }

// suggest reports a problem with the word that may be meant.
func (r *listReader) suggest(n *yaml.Node, suggestion, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.file, max(n.Line, 1), max(n.Column, 1), fmt.Sprintf(format, args...), suggestion})
}

// document reads the one document of a file; it is nil where there is nothing in it.
func (r *listReader) document(data []byte) (root *yaml.Node) {
	defer func() {
		if p := recover(); p != nil { // the library panics on some malformed input
			root = nil
			r.add(&yaml.Node{}, "%v", p)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		r.syntax(err)
		return nil
	}
	if err := dec.Decode(&second); err == nil {
		r.add(&second, "second YAML document; a file of exceptions is one")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return nil
	}
	return doc.Content[0]
}

// read takes an exception from a node.
func (r *listReader) read(e *Exception, n *yaml.Node) {
	where := n
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		r.add(where, "an exception is a mapping with kind, name, what, image, key, until and reason, this is %s", spelt(n))
		return
	}
	fields := map[string]*string{"kind": &e.Kind, "name": &e.Name, "what": &e.What, "image": &e.Image, "key": &e.Key, "until": &e.Until,
		"reason": &e.Reason}
	given := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field, ok := fields[key.Value]
		if !ok || key.Kind != yaml.ScalarNode {
			r.suggest(key, nearest(key.Value, slices.Sorted(maps.Keys(fields))),
				"unknown key %q in an exception, which has kind, name, what, image, key, until and reason", key.Value)
			continue
		}
		if given[key.Value] {
			r.add(key, "key %q is given twice", key.Value)
			continue
		}
		given[key.Value] = true
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if value.Kind != yaml.ScalarNode {
			r.add(n.Content[i+1], "%s wants a string, this is %s", key.Value, spelt(value))
			continue
		}
		if value.Tag != "!!null" {
			*field = value.Value
		}
	}
}

// valueOf is the value of a key, or the mapping if it has none.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	m := n
	if m.Kind == yaml.AliasNode {
		m = m.Alias
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return n
}

// spelt says what a node is.
func spelt(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.Tag == "!!null":
		return "empty"
	}
	return fmt.Sprintf("%.40q", n.Value)
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// syntax reports an error of the YAML parser, which gives a line at best.
func (r *listReader) syntax(err error) {
	message := strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: ")
	line := 1
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = message[len(m[0]):]
	}
	r.add(&yaml.Node{Line: line}, "%s", message)
}
