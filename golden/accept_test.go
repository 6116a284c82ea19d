package golden

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden/cause"
)

// TestAcceptances: a comparison records which entry accepted what, and why an entry that seems to mean a cause does not accept it.
func TestAcceptances(t *testing.T) {
	old := parse(t, types(intType, "FUNC 'f' type_id=0 linkage=static", "STRUCT 's' size=4 vlen=1|'a' type_id=1 bits_offset=0",
		"STRUCT 'outer' size=4 vlen=1|'s' type_id=3 bits_offset=0"))
	new := parse(t, types(intType, "FUNC 'g' type_id=0 linkage=static", "STRUCT 's' size=8 vlen=2|'a2' type_id=1 bits_offset=0|'b' type_id=1 bits_offset=32",
		"STRUCT 'outer' size=8 vlen=1|'s' type_id=3 bits_offset=0"))
	key := ""
	for _, x := range cause.Compare(cause.Input{Object: old}, cause.Input{Object: new}, cause.Options{}).Causes {
		if x.Name == "s" {
			key = x.Key
		}
	}
	for _, tt := range []struct {
		name, list string
		allow      []Allow
		accepted   string // by, and how many
		not        string // why the cause s is not accepted
	}{
		{"none", "", nil, "", ""},
		{"exception", "[{kind: struct, name: s, what: '*', reason: r}]", nil, "line 1: * struct s=1", ""},
		{"consequence", "[{kind: struct, name: '*', what: changed, reason: r}]", nil, "line 1: changed struct *=1+1", ""},
		{"second entry", "- {kind: func, name: x, what: added, reason: r}\n- {kind: func, name: '[fg]', what: '*', reason: r}", nil, "line 2: * func [fg]=2", ""},
		{"allow", "", []Allow{{Rule: cause.FuncAdded}, {Rule: "var-added"}, {Rule: cause.FuncRemoved, Names: []string{"x", "f*"}}},
			"allow: func-added=1, allow: func-removed x, f*=1", ""},
		{"two rules", "", []Allow{{Rule: "member-renamed"}, {Rule: "member-added", Names: []string{"s"}}},
			"allow: member-renamed=1, allow: member-added s=1", ""},
		{"both", "- {kind: func, name: '*', what: added, reason: r}", []Allow{{Rule: cause.FuncAdded}, {Rule: cause.FuncRemoved}},
			"line 1: added func *=1, allow: func-removed=1", ""},
		{"one rule of two", "", []Allow{{Rule: "member-added"}}, "", "allow covers member-added, but not member-renamed"},
		{"other name", "", []Allow{{Rule: "member-added", Names: []string{"x"}}}, "", ""},
		{"other kind", "[{kind: VAR, name: s, what: '*', reason: r}]", nil, "", "line 1 is for the kind VAR"},
		{"other what", "[{kind: struct, name: 's*', what: added, reason: r}]", nil, "", "line 1 is for what: added; it was changed"},
		{"rule", "[{kind: struct, name: s, what: member-added, reason: r}]", nil, "",
			"line 1 is for the rule member-added; the change is also by member-renamed"},
		{"other rule", "[{kind: struct, name: s, what: size, reason: r}]", nil, "",
			"line 1 is for the rule size; the change is by member-added, member-renamed"},
		{"other image", "[{kind: struct, name: s, what: '*', image: 'other-*', reason: r}]", nil, "", "line 1 is for the image other-*"},
		{"key", "[{key: " + key + ", reason: r}]", nil, "line 1: " + key + "=1", ""},
		{"other key", "[{key: struct/s/0123456789, reason: r}]", nil, "",
			"line 1 is for another change of it, with the key struct/s/0123456789; this one has the key " + key},
		{"key of another", "[{key: struct/s/x/0123456789, reason: r}]", nil, "", ""},
	} {
		c := cause.Compare(cause.Input{Object: old}, cause.Input{Object: new}, cause.Options{})
		opt := Options{Image: "img", Exceptions: exceptions(t, tt.list), Allow: tt.allow}
		opt.accept(c)
		var accepted []string
		n := 0
		for _, a := range c.Acceptances {
			text := a.By + "=" + strconv.Itoa(a.Count)
			if a.Consequences > 0 {
				text += "+" + strconv.Itoa(a.Consequences)
			}
			accepted = append(accepted, text)
			if len(a.Sample) != a.Count {
				t.Errorf("%s: got the sample %q of %d", tt.name, a.Sample, a.Count)
			}
			n += a.Count
		}
		if got := strings.Join(accepted, ", "); got != tt.accepted {
			t.Errorf("%s: got accepted %q, want %q", tt.name, got, tt.accepted)
		}
		for _, x := range c.Causes {
			n -= len(x.AcceptedBy)
			for _, i := range x.AcceptedBy {
				if a := c.Acceptances[i-1]; !slices.Contains(a.Sample, string(x.Kind)+" "+x.Name) {
					t.Errorf("%s: %s is accepted by %q, which has %q", tt.name, x.Name, a.By, a.Sample)
				}
			}
			if (x.Accepted != "") != (x.AcceptedBy != nil) {
				t.Errorf("%s: %s: accepted %q by %v", tt.name, x.Name, x.Accepted, x.AcceptedBy)
			}
			if x.Name == "s" && x.NotAccepted != tt.not {
				t.Errorf("%s: got %q, want %q", tt.name, x.NotAccepted, tt.not)
			}
		}
		if n != 0 {
			t.Errorf("%s: the counts of acceptances and causes differ by %d", tt.name, n)
		}
	}
}
