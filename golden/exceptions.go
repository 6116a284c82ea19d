package golden

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/agnivade/levenshtein"

	"github.com/btfbatch/btfbatch/golden/cause"
)

// An Exception accepts differences from a golden, for a reason.
type Exception struct {
	Kind   string // as a comparison has it (struct) or a dump (STRUCT), or * for all
	Name   string // pattern of path.Match, where * stands for a slash too
	What   string // added, removed, changed, moved, relinked, a rule, or * for all; all changes of a declaration must be by the rule
	Image  string // the same; empty for all
	Key    string // of one cause, which is the same for the same change in all images; empty for all causes
	Until  string // the last day, YYYY-MM-DD, on which the exception counts; empty for all days
	Reason string // why it is right to differ
}

// String names the exception in messages.
func (e Exception) String() string {
	s := fmt.Sprintf("%s %s %s", e.What, e.Kind, e.Name)
	if e.Key != "" {
		s = e.Key
	}
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

// fresh returns the same list, of which no entry has been used.
func (e *Exceptions) fresh() *Exceptions {
	if e == nil {
		return nil
	}
	return &Exceptions{e.list, make([]atomic.Bool, len(e.list)), make([]atomic.Bool, len(e.list))}
}

// complete gives an exception with a key what it leaves out: the key names all of it.
func (e *Exception) complete() {
	if e.Key != "" {
		e.Kind, e.Name, e.What = cmp.Or(e.Kind, "*"), cmp.Or(e.Name, "*"), cmp.Or(e.What, "*")
	}
}

// A wrongWord is an error about a word, of which some are known.
type wrongWord struct {
	field, message, word string
	known                []string
}

func (w *wrongWord) Error() string { return w.message + didYouMean(w.word, w.known) }

// kindWords are the words for kinds.
func kindWords() []string {
	words := slices.Collect(maps.Keys(kinds))
	for _, k := range cause.Kinds {
		words = append(words, string(k))
	}
	slices.Sort(words)
	return words
}

// didYouMean names the known word that is most similar to one, if any is.
func didYouMean(word string, known []string) string {
	best, least := "", min(3, 1+len(word)/2)
	for _, k := range known {
		if len(word) > 64 {
			break
		}
		if d := levenshtein.ComputeDistance(word, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// ended reports whether the last day of an exception is over.
func (e Exception) ended(now time.Time) bool {
	return e.Until != "" && now.UTC().Format(time.DateOnly) > e.Until
}

func (e Exception) check() error {
	if parts := strings.Split(e.Key, "/"); e.Key != "" && (len(parts) < 3 || parts[0] == "" || parts[len(parts)-1] == "") {
		return fmt.Errorf("key %q is not kind/name/hash, as a report has it", e.Key)
	}
	if _, err := time.Parse(time.DateOnly, e.Until); e.Until != "" && err != nil {
		return fmt.Errorf("until %q is not a date, YYYY-MM-DD", e.Until)
	}
	if _, ok := kinds[e.Kind]; !ok && e.kinds() == nil && e.Kind != "*" {
		return &wrongWord{"kind", fmt.Sprintf("%q is not a kind", e.Kind), e.Kind, kindWords()}
	}
	isRule := slices.ContainsFunc(cause.Rules, func(r cause.RuleInfo) bool { return string(r.Name) == e.What })
	if words := slices.Concat(ops, orderOps); e.What != "*" && !isRule && !slices.Contains(words, e.What) {
		for _, r := range cause.Rules {
			words = append(words, string(r.Name))
		}
		return &wrongWord{"what", fmt.Sprintf("%q is none of added, removed, changed, moved, relinked, nor a rule", e.What), e.What, words}
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

func (e Exception) serves(image string) bool { return e.Image == "" || cause.Matches(e.Image, image) }

// accepts tells whether a declaration of a kind and name that differs in that way is accepted. rules are those of its changes.
func (e Exception) accepts(kind cause.Kind, name string, op cause.Op, rules []cause.Rule) bool {
	if e.What != "*" && e.What != string(op) && !slices.Contains(orderOps, e.What) &&
		(len(rules) == 0 || slices.ContainsFunc(rules, func(r cause.Rule) bool { return string(r) != e.What })) {
		return false
	}
	if slices.Contains(orderOps, e.What) && kind != cause.Order {
		return false
	}
	return (e.Kind == "*" || slices.Contains(e.kinds(), kind)) && cause.Matches(e.Name, name)
}

// kinds are the kinds that the word of an exception stands for: one of the comparison, or one of a dump.
func (e Exception) kinds() []cause.Kind {
	if slices.Contains(cause.Kinds, cause.Kind(e.Kind)) {
		return []cause.Kind{cause.Kind(e.Kind)}
	}
	return dumpKinds[e.Kind]
}

// dumpKinds are the declarations that a kind of a dump declares. Kinds that are missing here declare nothing: their
// changes are reported with the declarations that use them.
var dumpKinds = map[string][]cause.Kind{
	"INT": {cause.Int}, "FLOAT": {cause.Float}, "STRUCT": {cause.Struct}, "UNION": {cause.Union}, "FWD": {cause.Struct, cause.Union},
	"ENUM": {cause.Enum}, "ENUM64": {cause.Enum}, "TYPEDEF": {cause.Typedef}, "FUNC": {cause.Func}, "VAR": {cause.Var}, "DATASEC": {cause.Section},
}

// ops are the words for what became of a declaration; orderOps those for the order of types.
var (
	ops      = []string{string(cause.Added), string(cause.Removed), string(cause.Changed)}
	orderOps = []string{"moved", "relinked"}
)

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

// acceptAll marks the causes that an exception accepts, each with the reason of the first that does, and tells whether there is at least
// one cause and all are accepted, by this list or before. Consequences of accepted causes are accepted as well. An exception may also name a consequence.
func (e *Exceptions) acceptAll(image string, c *cause.Comparison) bool {
	if e == nil {
		e = new(Exceptions)
	}
	if len(c.Causes) == 0 {
		return false
	}
	first := func(key string, kind cause.Kind, name string, op cause.Op, rules []cause.Rule) string {
		for i, x := range e.list {
			if x.serves(image) && (x.Key == "" || x.Key == key) && x.accepts(kind, name, op, rules) {
				e.used[i].Store(true)
				return x.Reason
			}
		}
		return ""
	}
	all := true
	for i := range c.Causes {
		x := &c.Causes[i]
		x.Accepted = cmp.Or(first(x.Key, x.Kind, x.Name, x.Op, x.Rules), x.Accepted)
		all = all && x.Accepted != ""
	}
	for i := range c.Consequences {
		x := &c.Consequences[i]
		first("", x.Kind, x.Name, cause.Changed, nil)
	}
	c.Settle()
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
