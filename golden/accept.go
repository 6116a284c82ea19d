package golden

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
)

// An acceptor marks the causes of one comparison that exceptions and allowed rules accept, and records which accepted what.
type acceptor struct {
	opt *Options
	c   *cause.Comparison
	// entries has an element for each exception, then for each allowed rule, and then for the rules of older encoders in use.
	entries []cause.Acceptance
}

// accept marks what options accept, and reports whether there is at least one cause and all are accepted. Consequences of accepted causes are
// accepted as well. An exception may also name a consequence. A cause that is not accepted, but that an entry names, gets the reason why the
// entry does not apply.
func (opt *Options) accept(c *cause.Comparison) bool {
	if len(c.Causes) == 0 {
		return false
	}
	a := acceptor{opt: opt, c: c}
	for _, e := range opt.Exceptions.entries() {
		a.entries = append(a.entries, cause.Acceptance{By: e.Place() + ": " + e.String(), Reason: e.Reason})
	}
	for _, x := range opt.Allow {
		a.entries = append(a.entries, cause.Acceptance{By: strings.TrimSpace("allow: " + string(x.Rule) + " " + strings.Join(x.Names, ", ")), Reason: byManifest})
	}
	all := true
	for i := range c.Causes {
		x := &c.Causes[i]
		x.Accepted, x.AcceptedBy, x.NotAccepted = "", nil, ""
		if by := a.exception(x.Key, x.Kind, x.Name, x.Op, x.Rules); by >= 0 {
			a.mark(x, opt.Exceptions.list[by].Reason, by)
		} else if rules := a.allowed(x); rules != nil {
			a.mark(x, byManifest, rules...)
		} else if names := a.older(x); names != nil {
			a.mark(x, "by an older encoder", a.olderEntries(names)...)
		} else {
			x.NotAccepted = a.nearMiss(x)
			all = false
		}
	}
	for i := range c.Consequences {
		x := &c.Consequences[i]
		if by := a.exception("", x.Kind, x.Name, cause.Changed, nil); by >= 0 {
			a.entries[by].Consequences++
		}
	}
	a.finish()
	if !all && c.Acceptances != nil {
		c.AcceptedLast()
	}
	c.Settle()
	return all
}

// byManifest is the reason of a cause that allowed rules accept.
const byManifest = "allowed by the manifest"

func (e *Exceptions) entries() []Exception {
	if e == nil {
		return nil
	}
	return e.list
}

// exception returns the index of the first exception that accepts a difference, or -1.
func (a *acceptor) exception(key string, kind cause.Kind, name string, op cause.Op, rules []cause.Rule) int {
	for i, x := range a.opt.Exceptions.entries() {
		if x.serves(a.opt.Image) && (x.Key == "" || x.Key == key) && x.accepts(kind, name, op, rules) {
			a.opt.Exceptions.used[i].Store(true)
			return i
		}
	}
	return -1
}

// allowed returns the indices of the entries that allow the rules of a cause, or nil if some rule is not allowed.
func (a *acceptor) allowed(x *cause.Cause) (by []int) {
	first := len(a.opt.Exceptions.entries())
	for _, r := range x.Rules {
		i := slices.IndexFunc(a.opt.Allow, func(w Allow) bool { return w.allows(x.Name, r) })
		if i < 0 {
			return nil
		}
		by = append(by, first+i)
	}
	return by
}

// olderEntries returns the indices of the entries of rules of older encoders.
func (a *acceptor) olderEntries(names []string) (by []int) {
	first := len(a.opt.Exceptions.entries()) + len(a.opt.Allow)
	for _, name := range names {
		i := slices.IndexFunc(a.entries[first:], func(e cause.Acceptance) bool { return e.By == olderEncoder+name })
		if i < 0 {
			i = len(a.entries) - first
			a.entries = append(a.entries, cause.Acceptance{By: olderEncoder + name, Reason: olderReason(name)})
		}
		by = append(by, first+i)
	}
	return by
}

// olderEncoder is the start of what accepts a cause by a rule of an older encoder.
const olderEncoder = "older encoder: "

// maxSample is the largest number of names in the sample of an acceptance.
const maxSample = 12

// mark records that entries accept a cause.
func (a *acceptor) mark(x *cause.Cause, reason string, by ...int) {
	x.Accepted = reason
	for _, i := range by {
		e := &a.entries[i]
		if e.Count++; len(e.Sample) < maxSample {
			name := x.Name
			if kind := string(x.Kind) + " "; !strings.HasPrefix(name, kind+"{") { // else it has no name, and this is its spelling
				name = kind + name
			}
			e.Sample = append(e.Sample, name)
		}
		x.AcceptedBy = append(x.AcceptedBy, i+1)
	}
}

// finish moves the entries that accepted something to the comparison.
func (a *acceptor) finish() {
	place := make([]int, len(a.entries)+1)
	a.c.Acceptances = nil
	for i, e := range a.entries {
		if e.Count+e.Consequences > 0 {
			a.c.Acceptances = append(a.c.Acceptances, e)
			place[i+1] = len(a.c.Acceptances)
		}
	}
	for i := range a.c.Causes {
		by := a.c.Causes[i].AcceptedBy
		for j := range by {
			by[j] = place[by[j]]
		}
	}
}

// nearMiss says why a cause is not accepted although an entry seems to mean it; "" if none does. An exception means a cause if it has its name,
// or a key of the same declaration; allowed rules mean it if they cover some of its rules.
func (a *acceptor) nearMiss(x *cause.Cause) string {
	for _, e := range a.opt.Exceptions.entries() {
		if why := e.misses(a.opt.Image, x); why != "" {
			return e.Place() + " " + why
		}
	}
	var covered, open []string
	for _, r := range x.Rules {
		if slices.ContainsFunc(a.opt.Allow, func(w Allow) bool { return w.allows(x.Name, r) }) {
			covered = append(covered, string(r))
		} else {
			open = append(open, string(r))
		}
	}
	if covered != nil {
		return fmt.Sprintf("allow covers %s, but not %s", strings.Join(covered, ", "), strings.Join(open, ", "))
	}
	return ""
}

// misses says why an exception that means a cause does not accept it.
func (e Exception) misses(image string, x *cause.Cause) string {
	switch {
	case e.Key != "":
		if declaration := string(x.Kind) + "/" + x.Name + "/"; !strings.HasPrefix(e.Key, declaration) || strings.Contains(e.Key[len(declaration):], "/") {
			return ""
		}
	case e.Name == "*" || !cause.Matches(e.Name, x.Name):
		return ""
	}
	switch {
	case !e.serves(image):
		return fmt.Sprintf("is for the image %s", e.Image)
	case e.Key != "" && e.Key != x.Key:
		return fmt.Sprintf("is for another change of it, with the key %s; this one has the key %s", e.Key, x.Key)
	case e.Kind != "*" && !slices.Contains(e.kinds(), x.Kind):
		return fmt.Sprintf("is for the kind %s", e.Kind)
	}
	if slices.ContainsFunc(cause.Rules, func(r cause.RuleInfo) bool { return string(r.Name) == e.What }) {
		var others []string
		for _, r := range x.Rules {
			if string(r) != e.What {
				others = append(others, string(r))
			}
		}
		also := ""
		if len(others) < len(x.Rules) {
			also = "also "
		}
		return fmt.Sprintf("is for the rule %s; the change is %sby %s", e.What, also, strings.Join(others, ", "))
	}
	return fmt.Sprintf("is for what: %s; it was %s", e.What, x.Op)
}
