package golden

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
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
	Line   int    // in its file, from 1

	file string // may be empty
}

// Place returns where the exception is: "exceptions.yaml:12".
func (e Exception) Place() string {
	if e.file == "" {
		return fmt.Sprintf("line %d", e.Line)
	}
	return fmt.Sprintf("%s:%d", e.file, e.Line)
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

// A wrongField is an error about one field of an exception.
type wrongField struct {
	field, message string
	word           string   // that is not known; may be empty
	known          []string // words that are
}

// suggestion returns the known word that is meant, quoted, or "".
func (w *wrongField) suggestion() string { return nearest(w.word, w.known) }

// kindWords are the words for kinds.
func kindWords() []string {
	words := slices.Collect(maps.Keys(kinds))
	for _, k := range cause.Kinds {
		words = append(words, string(k))
	}
	slices.Sort(words)
	return words
}

// nearest returns the known word that is most similar to one, quoted, or "" if none is similar.
func nearest(word string, known []string) string {
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
	return strconv.Quote(best)
}

// ended reports whether the last day of an exception is over.
func (e Exception) ended(now time.Time) bool {
	return e.Until != "" && now.UTC().Format(time.DateOnly) > e.Until
}

// wrong returns the errors of an exception.
func (e Exception) wrong() (list []wrongField) {
	add := func(field, message string) { list = append(list, wrongField{field: field, message: message}) }
	if parts := strings.Split(e.Key, "/"); e.Key != "" && (len(parts) < 3 || parts[0] == "" || parts[len(parts)-1] == "") {
		add("key", fmt.Sprintf("key %q is not kind/name/hash, as a report has it", e.Key))
	} else if kind := parts[0]; e.Key != "" && !slices.Contains(cause.Kinds, cause.Kind(kind)) {
		list = append(list, wrongField{"key", fmt.Sprintf("key %q has an unknown kind", e.Key), kind, kindWords()})
	}
	if _, err := time.Parse(time.DateOnly, e.Until); e.Until != "" && err != nil {
		add("until", fmt.Sprintf("until %q is not a date, YYYY-MM-DD", e.Until))
	}
	if _, ok := kinds[e.Kind]; !ok && e.kinds() == nil && e.Kind != "*" {
		list = append(list, wrongField{"kind", fmt.Sprintf("%q is not a kind", e.Kind), e.Kind, kindWords()})
	}
	isRule := slices.ContainsFunc(cause.Rules, func(r cause.RuleInfo) bool { return string(r.Name) == e.What })
	if words := slices.Concat(ops, orderOps); e.What != "*" && !isRule && !slices.Contains(words, e.What) {
		for _, r := range cause.Rules {
			words = append(words, string(r.Name))
		}
		list = append(list, wrongField{"what", fmt.Sprintf("%q is none of added, removed, changed, moved, relinked, nor a rule", e.What), e.What, words})
	}
	if e.Name == "" {
		add("name", "there is no name")
	}
	if strings.TrimSpace(e.Reason) == "" {
		add("reason", "there is no reason")
	}
	for _, f := range []struct{ field, pattern string }{{"name", e.Name}, {"image", e.Image}} {
		if _, err := path.Match(f.pattern, ""); err != nil {
			add(f.field, fmt.Sprintf("%q: %v", f.pattern, err))
		}
	}
	return list
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

// Stale lists the exceptions that were for an image that was compared, and accepted nothing.
func (e *Exceptions) Stale() []Exception {
	return e.which(func(asked, used bool) bool { return asked && !used })
}

// Used lists the exceptions that accepted a difference.
func (e *Exceptions) Used() []Exception { return e.which(func(_, used bool) bool { return used }) }

// which lists the exceptions by what became of them.
func (e *Exceptions) which(wanted func(asked, used bool) bool) []Exception {
	if e == nil {
		return nil
	}
	var list []Exception
	for i, x := range e.list {
		if wanted(e.asked[i].Load(), e.used[i].Load()) {
			list = append(list, x)
		}
	}
	return list
}
