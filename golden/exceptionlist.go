package golden

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// maxExceptions bounds the text of a file of exceptions.
const maxExceptions = 4 << 20

// ReadExceptions reads a file of exceptions.
func ReadExceptions(file string) (*Exceptions, error) {
	data, err := input.ReadText(file, input.Exceptions, maxExceptions)
	if err != nil {
		return nil, err
	}
	if len(data) > maxExceptions {
		return nil, fmt.Errorf("%s: more than %d bytes", file, maxExceptions)
	}
	e, err := parseExceptions(data, time.Now())
	if err != nil {
		return nil, fmt.Errorf("%s:%w", file, err)
	}
	return e, nil
}

// ParseExceptions reads a list of exceptions in YAML. An error begins with the line and column. An exception whose last day is over is an
// error.
func ParseExceptions(data []byte) (*Exceptions, error) { return parseExceptions(data, time.Now()) }

func parseExceptions(data []byte, now time.Time) (*Exceptions, error) {
	root, err := document(data)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return new(Exceptions), nil
	}
	if root.Kind != yaml.SequenceNode {
		return nil, at(root, "exceptions are a list, this is %s", spelt(root))
	}
	list := make([]Exception, len(root.Content))
	for i, n := range root.Content {
		if err := list[i].read(n); err != nil {
			return nil, err
		}
		list[i].complete()
		if err := list[i].check(); err != nil {
			place := n
			if wrong := (*wrongWord)(nil); errors.As(err, &wrong) {
				place = valueOf(n, wrong.field)
			}
			return nil, at(place, "exception %d (%s): %w", i+1, list[i], err)
		}
		if list[i].ended(now) {
			return nil, at(valueOf(n, "until"), "exception %d (%s) ended on %s: remove it, or give it a later date", i+1, list[i], list[i].Until)
		}
	}
	return &Exceptions{list, make([]atomic.Bool, len(list)), make([]atomic.Bool, len(list))}, nil
}

// document reads the one document of a file; it is nil where there is nothing in it.
func document(data []byte) (root *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil { // the library panics on some malformed input
			err = fmt.Errorf("1:1: %v", p)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntax(err)
	}
	if err := dec.Decode(&second); err == nil {
		return nil, at(&second, "second YAML document; a file of exceptions is one")
	} else if !errors.Is(err, io.EOF) {
		return nil, syntax(err)
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return nil, nil
	}
	return doc.Content[0], nil
}

// read takes an exception from a node.
func (e *Exception) read(n *yaml.Node) error {
	where := n
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return at(where, "an exception is a mapping with kind, name, what, image, key, until and reason, this is %s", spelt(n))
	}
	fields := map[string]*string{"kind": &e.Kind, "name": &e.Name, "what": &e.What, "image": &e.Image, "key": &e.Key, "until": &e.Until,
		"reason": &e.Reason}
	given := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field, ok := fields[key.Value]
		if !ok || key.Kind != yaml.ScalarNode {
			return at(key, "unknown key %q in an exception, which has kind, name, what, image, key, until and reason%s", key.Value,
				didYouMean(key.Value, slices.Sorted(maps.Keys(fields))))
		}
		if given[key.Value] {
			return at(key, "key %q is given twice", key.Value)
		}
		given[key.Value] = true
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if value.Kind != yaml.ScalarNode {
			return at(n.Content[i+1], "%s wants a string, this is %s", key.Value, spelt(value))
		}
		if value.Tag != "!!null" {
			*field = value.Value
		}
	}
	return nil
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

// at is an error at the place of a node.
func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%d:%d: %w", max(n.Line, 1), max(n.Column, 1), fmt.Errorf(format, args...))
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// syntax is an error of the YAML parser, which gives a line at best.
func syntax(err error) error {
	message := strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: ")
	line := "1"
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		line, message = m[1], message[len(m[0]):]
	}
	return fmt.Errorf("%s:1: %s", line, message)
}
