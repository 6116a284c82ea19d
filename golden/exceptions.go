package golden

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"
)

// An Exception accepts differences from a golden, for a reason.
type Exception struct {
	Kind   string // as a dump has it, or * for all
	Name   string // pattern of path.Match, where * stands for a slash too; of a type without a name, its spelling in C
	What   string // added, removed, changed, moved, relinked, or * for all
	Image  string // the same; empty for all
	Reason string // why it is right to differ
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
