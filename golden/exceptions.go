package golden

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"gopkg.in/yaml.v3"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// An Exception accepts differences from a golden, for a reason.
type Exception struct {
	Kind   string `yaml:"kind"`   // as a dump has it, or * for all
	Name   string `yaml:"name"`   // pattern of path.Match, where * stands for a slash too; of a type without a name, its spelling in C
	What   string `yaml:"what"`   // added, removed, changed, moved, relinked, or * for all
	Image  string `yaml:"image"`  // the same; empty for all
	Reason string `yaml:"reason"` // why it is right to differ
}

// String names the exception in messages.
func (e Exception) String() string {
	s := fmt.Sprintf("%s %s %s", e.What, e.Kind, e.Name)
	if e.Image != "" {
		s += " in " + e.Image
	}
	return s
}

// Exceptions is a list of accepted differences, which may serve many comparisons at once. It counts which entries were
// of use. A nil one accepts nothing.
type Exceptions struct {
	list  []Exception
	asked []atomic.Bool // an image that the entry is for was compared
	used  []atomic.Bool // the entry accepted a difference
}

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
	e, err := ParseExceptions(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return e, nil
}

// ParseExceptions reads a list of exceptions in YAML.
func ParseExceptions(data []byte) (*Exceptions, error) {
	var list []Exception
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(strings.Join(strings.Fields(err.Error()), " ")) // the library writes a line for each
	}
	for i, e := range list {
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("exception %d (%s): %w", i+1, e, err)
		}
	}
	return &Exceptions{list, make([]atomic.Bool, len(list)), make([]atomic.Bool, len(list))}, nil
}

func (e Exception) check() error {
	if _, ok := kinds[e.Kind]; !ok && e.Kind != "*" {
		return fmt.Errorf("%q is not a kind", e.Kind)
	}
	if e.What != "*" && !slices.Contains(opNames[:], e.What) {
		return fmt.Errorf("%q is none of %s", e.What, strings.Join(opNames[:], ", "))
	}
	if e.Name == "" {
		return errors.New("there is no name")
	}
	if strings.TrimSpace(e.Reason) == "" {
		return errors.New("there is no reason")
	}
	for _, pattern := range []string{e.Name, e.Image} {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("%q: %w", pattern, err)
		}
	}
	return nil
}

// matches tells whether a pattern, which was checked, fits a text. Patterns cost, and most names are plain.
func matches(pattern, text string) bool {
	if pattern == "*" || pattern == text {
		return true
	}
	if !strings.ContainsAny(pattern, `*?[\`) {
		return false
	}
	// Neither a name nor an image is a path: * stands for a slash too.
	const sign = "\x00"
	ok, _ := path.Match(strings.ReplaceAll(pattern, "/", sign), strings.ReplaceAll(text, "/", sign))
	return ok
}

func (e Exception) serves(image string) bool { return e.Image == "" || matches(e.Image, image) }

func (e Exception) accepts(c *Change) bool {
	return (e.What == "*" || e.What == c.Op.String()) && (e.Kind == "*" || e.Kind == c.Kind.String()) && matches(e.Name, c.Name)
}

// ask notes that an image is compared.
func (e *Exceptions) ask(image string) {
	if e == nil {
		return
	}
	for i, x := range e.list {
		if x.serves(image) {
			e.asked[i].Store(true)
		}
	}
}

// acceptAll marks the changes that an exception accepts, each with the reason of the first that does, and tells whether
// there is at least one change and all are accepted.
func (e *Exceptions) acceptAll(image string, s *Summary) bool {
	if e == nil || len(s.Changes) == 0 {
		return false
	}
	all := true
	for i := range s.Changes {
		c := &s.Changes[i]
		for j, x := range e.list {
			if x.serves(image) && x.accepts(c) {
				c.Accepted = x.Reason
				e.used[j].Store(true)
				break
			}
		}
		all = all && c.Accepted != ""
	}
	return all
}

// Stale lists the exceptions that were for an image that was compared, and accepted nothing.
func (e *Exceptions) Stale() []Exception {
	if e == nil {
		return nil
	}
	var list []Exception
	for i, x := range e.list {
		if e.asked[i].Load() && !e.used[i].Load() {
			list = append(list, x)
		}
	}
	return list
}
