package golden

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/golden/cause"
)

// types numbers types, which are written without their ids and with | before each element.
func types(list ...string) string {
	text := ""
	for i, t := range list {
		text += fmt.Sprintf("[%d] %s\n", i+1, strings.ReplaceAll(t, "|", "\n\t"))
	}
	return text
}

const intType = "INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED"

func TestExceptions(t *testing.T) {
	old := parse(t, types(intType, "FUNC 'old_f' type_id=0 linkage=static", "STRUCT 's' size=4 vlen=1|'a' type_id=1 bits_offset=0",
		"STRUCT 'outer' size=4 vlen=1|'s' type_id=3 bits_offset=0"))
	new := parse(t, types(intType, "FUNC 'new_f' type_id=0 linkage=static", "STRUCT 's' size=8 vlen=2|'a' type_id=1 bits_offset=0|'b' type_id=1 bits_offset=32",
		"STRUCT 'outer' size=8 vlen=1|'s' type_id=3 bits_offset=0"))
	for _, tt := range []struct {
		name, list string
		accepted   string // names of what is accepted
		all        bool
		stale      string
	}{
		{"none", "", "", false, ""},
		{"one", "[{kind: FUNC, name: new_f, what: added, reason: r}]", "new_f", false, ""},
		{"kind of a comparison", "[{kind: func, name: new_f, what: added, reason: r}]", "new_f", false, ""},
		{"pattern", "[{kind: FUNC, name: '*_f', what: '*', reason: r}]", "new_f old_f", false, ""},
		{"all", "[{kind: FUNC, name: '*_f', what: '*', reason: r}, {kind: '*', name: s, what: changed, reason: r}]", "new_f old_f s", true, ""},
		{"rule", "[{kind: FUNC, name: '*_f', what: '*', reason: r}, {kind: '*', name: s, what: member-added, reason: r}]", "new_f old_f s", true, ""},
		{"other rule", "[{kind: struct, name: s, what: member-removed, reason: r}]", "", false, "member-removed struct s"},
		{"consequence", "[{kind: STRUCT, name: outer, what: changed, reason: r}]", "", false, ""},
		{"other kind", "[{kind: VAR, name: new_f, what: added, reason: r}]", "", false, "added VAR new_f"},
		{"no declaration", "[{kind: PTR, name: '*', what: added, reason: r}]", "", false, "added PTR *"},
		{"other op", "[{kind: FUNC, name: new_f, what: removed, reason: r}]", "", false, "removed FUNC new_f"},
		{"order", "[{kind: '*', name: '*', what: moved, reason: r}]", "", false, "moved * *"},
		{"other name", "[{kind: FUNC, name: new, what: added, reason: r}]", "", false, "added FUNC new"},
		{"this image", "[{kind: FUNC, name: new_f, what: added, image: 'img-*', reason: r}]", "new_f", false, ""},
		{"other image", "[{kind: FUNC, name: new_f, what: added, image: other, reason: r}]", "", false, ""},
		{"this image, stale", "[{kind: FUNC, name: x, what: added, image: 'img-*', reason: r}]", "", false, "added FUNC x in img-*"},
		{"shadowed", "[{kind: FUNC, name: '*', what: '*', reason: r}, {kind: FUNC, name: new_f, what: added, reason: r}]", "new_f old_f", false, "added FUNC new_f"},
	} {
		e := exceptions(t, tt.list)
		c := cause.Compare(cause.Input{Object: old}, cause.Input{Object: new}, cause.Options{Exact: true})
		e.ask("img-1")
		all := (&Options{Image: "img-1", Exceptions: e}).accept(c)
		var accepted []string
		for _, x := range c.Causes {
			if x.Accepted == "r" {
				accepted = append(accepted, x.Name)
			}
		}
		slices.Sort(accepted)
		if got := strings.Join(accepted, " "); got != tt.accepted || all != tt.all || c.Accepted != len(accepted) {
			t.Errorf("%s: got %q (all: %t), want %q (all: %t)", tt.name, got, all, tt.accepted, tt.all)
		}
		if got := strings.Trim(fmt.Sprint(e.Stale()), "[]"); got != tt.stale {
			t.Errorf("%s: got stale %q, want %q", tt.name, got, tt.stale)
		}
	}
}

// An entry is stale only when an image that it is for was compared.
func TestStaleNeedsComparison(t *testing.T) {
	e := exceptions(t, "[{kind: FUNC, name: f, what: added, reason: r}]")
	if got := e.Stale(); len(got) != 0 {
		t.Errorf("got %v before any comparison", got)
	}
	if res, err := Compare(peer(t), write(t, "golden", bpftoolDump(t, "kinds-x86_64")), Options{Exceptions: e}); err != nil || res.Verdict != Equal {
		t.Fatalf("got %v, %v", res, err)
	}
	if got := e.Stale(); len(got) != 1 {
		t.Errorf("got %v after a comparison that found nothing, want the entry", got)
	}
	var none *Exceptions
	if got := none.Stale(); got != nil {
		t.Errorf("got %v of no exceptions", got)
	}
}

func TestExceptionErrors(t *testing.T) {
	for _, tt := range []struct{ name, list, want string }{
		{"not a list", "kind: FUNC", "1:1: exceptions are a list, this is a mapping"},
		{"text", "a\n b", `1:1: exceptions are a list, this is "a b"`},
		{"list of words", "\n- a", `2:3: an exception is a mapping with kind, name, what, image, key, until and reason, this is "a"`},
		{"list of nothing", "-", "1:2: an exception is a mapping with kind, name, what, image, key, until and reason, this is empty"},
		{"inside out", "- &a [*a]", "1:3: an exception is a mapping"},
		{"unknown key", "[{kind: FUNC, name: f, what: added, why: r}]", `1:37: unknown key "why" in an exception`},
		{"key twice", "- kind: FUNC\n  kind: VAR", `2:3: key "kind" is given twice`},
		{"no text", "- {kind: [FUNC]}", "1:10: kind wants a string, this is a list"},
		{"nothing", "- {kind: FUNC, name: }", "1:3: exception 1 ( FUNC ): "},
		{"no YAML", "- kind: FUNC\n\tname: f", "2:1: found a tab character"},
		{"second document", "[]\n---\n[]", "2:1: second YAML document"},
		{"unknown kind", "[{kind: FUNCTION, name: f, what: added, reason: r}]", `exception 1 (added FUNCTION f): "FUNCTION" is not a kind`},
		{"no kind", "[{name: f, what: added, reason: r}]", `"" is not a kind`},
		{"unknown op", "[{kind: FUNC, name: f, what: new, reason: r}]", `"new" is none of added, removed,`},
		{"no name", "[{kind: FUNC, what: added, reason: r}]", "there is no name"},
		{"no reason", "[{kind: FUNC, name: f, what: added, reason: ' '}]", "there is no reason"},
		{"similar kind", "[{kind: FUNK, name: f, what: added, reason: r}]", `1:9: exception 1 (added FUNK f): "FUNK" is not a kind (did you mean "FUNC"?)`},
		{"similar rule", "- kind: struct\n  name: s\n  what: member-aded\n  reason: r", `3:9: exception 1 (member-aded struct s): "member-aded" is none of added, removed, changed, moved, relinked, nor a rule (did you mean "member-added"?)`},
		{"similar key", "[{kind: FUNC, nam: f, what: added, reason: r}]", `1:15: unknown key "nam" in an exception, which has kind, name, what, image, key, until and reason (did you mean "name"?)`},
		{"no key", "[{key: task_struct, reason: r}]", `key "task_struct" is not kind/name/hash, as a report has it`},
		{"no date", "[{kind: FUNC, name: f, what: added, until: soon, reason: r}]", `until "soon" is not a date, YYYY-MM-DD`},
		{"ended", "- {kind: FUNC, name: f, what: added, reason: r,\n   until: 2020-02-29}", "2:11: exception 1 (added FUNC f) ended on 2020-02-29: remove it, or give it a later date"},
		{"bad pattern", "[{kind: FUNC, name: '[', what: added, reason: r}]", "syntax error in pattern"},
		{"second entry", "[{kind: FUNC, name: f, what: added, reason: r}, {kind: FUNC, name: g, what: added}]", "exception 2 (added FUNC g)"},
	} {
		if _, err := ParseExceptions([]byte(tt.list)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := ReadExceptions(write(t, "exceptions.yaml", []byte("- {}"))); err == nil || !strings.Contains(err.Error(), "exceptions.yaml:1:3: exception 1") {
		t.Errorf("got %v, want the file's name", err)
	}
}

// TestExceptionKey: a key stands for one change of one declaration, in all images. The last day counts.
func TestExceptionKey(t *testing.T) {
	old := parse(t, types(intType, "FUNC 'a' type_id=0 linkage=static", "FUNC 'b' type_id=0 linkage=static"))
	new := parse(t, types(intType))
	compare := func() *cause.Comparison {
		return cause.Compare(cause.Input{Object: old}, cause.Input{Object: new}, cause.Options{})
	}
	key := compare().Causes[0].Key
	text := []byte("[{key: '" + key + "', until: 2026-06-30, reason: r}]")
	noon := time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)
	e, err := parseExceptions("", text, noon)
	if err != nil {
		t.Fatal(err)
	}
	c := compare()
	if all := (&Options{Image: "img", Exceptions: e}).accept(c); all || c.Causes[0].Accepted != "" || c.Causes[1].Accepted != "r" || c.Causes[1].Key != key || c.Causes[1].ID != 2 {
		t.Errorf("got %+v, want the one with the key accepted, and last", c.Causes)
	}
	if _, err := parseExceptions("", text, noon.AddDate(0, 0, 1)); err == nil {
		t.Error("got no error after the last day")
	}
}

// Names of images may have slashes, and a pattern does not stop at them.
func TestExceptionPatterns(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "a/b", true}, {"debian*", "debian/12/6.1", true}, {"debian/*/6.1", "debian/12/6.1", true}, {"debian?12*", "debian/12/6.1", true},
		{"debian/1[0-2]/*", "debian/12/6.1", true}, {"debian*", "ubuntu/12", false}, {"debian/*", "debian", false}, {"a[1]", "a[1]", true},
	} {
		if got := cause.Matches(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%s, %s: got %t, want %t", tt.pattern, tt.text, got, tt.want)
		}
	}
}
