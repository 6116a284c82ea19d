package cause

import (
	"fmt"
	"strings"
	"testing"
)

// placedText writes a side of a layout: path@bit+bytes, and the mate of each member.
func placedText(list []Placed) string {
	var parts []string
	for _, p := range list {
		text := fmt.Sprintf("%s@%d+%d=%d", p.Path, p.Bit, p.Bytes, p.Mate)
		if p.Bits > 0 {
			text += fmt.Sprintf(":%d", p.Bits)
		}
		if p.Changed {
			text += "~"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

func TestLayouts(t *testing.T) {
	for _, tt := range []struct {
		name     string
		old, new *decl
		wantOld  string // "" if there is no layout
		wantNew  string
	}{
		{"added and moved", structOf("s", m("a", intExpr), m("b", longExpr)), structOf("s", m("a", intExpr), m("b", longExpr), m("c", charExpr)),
			"a@0+4=0 b@64+8=1", "a@0+4=0 b@64+8=1 c@128+1=-1"},
		{"inserted", structOf("s", m("a", longExpr), m("b", intExpr)), structOf("s", m("a", longExpr), m("n", longExpr), m("b", intExpr)),
			"a@0+8=0 b@64+4=2", "a@0+8=0 n@64+8=-1 b@128+4=1"},
		{"retyped", structOf("s", m("a", longExpr)), structOf("s", m("a", ptr(intExpr))), "a@0+8=0~", "a@0+8=0~"},
		{"bit fields", structOf("s", field("a", 3), field("b", 5)), structOf("s", field("a", 4), field("b", 5)),
			"a@0+4=0:3~ b@3+4=1:5", "a@0+4=0:4~ b@4+4=1:5"},
		{"members of an anonymous union, and an array of structs",
			structOf("s", m("", anon("union", m("x", intExpr), m("y", charExpr))), m("list", array(anon("struct", m("p", intExpr)), 3)), m("z", intExpr)),
			structOf("s", m("", anon("union", m("x", intExpr), m("y", charExpr))), m("list", array(anon("struct", m("p", intExpr)), 3)), m("z", longExpr)),
			"x@0+4=0 y@0+1=1 list@32+12=2 z@128+4=3~", "x@0+4=0 y@0+1=1 list@32+12=2 z@128+8=3~"},
		{"nothing to see: only a function is new", structOf("s", m("a", intExpr)), structOf("s", m("a", intExpr)), "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old, new := newProgram(tt.old), newProgram(tt.new, funcOf("f", intExpr))
			compare := func(most int) []Layout {
				return Compare(Input{Object: old.build(nil)}, Input{Object: new.build(nil)}, Options{Layouts: most}).Layouts
			}
			got := compare(10)
			switch {
			case tt.wantOld == "" && len(got) > 0:
				t.Fatalf("got %v, want no layout", got)
			case tt.wantOld == "":
				return
			case len(got) != 1:
				t.Fatalf("got %d layouts, want 1", len(got))
			}
			if text := placedText(got[0].Old); text != tt.wantOld {
				t.Errorf("old: got %s, want %s", text, tt.wantOld)
			}
			if text := placedText(got[0].New); text != tt.wantNew {
				t.Errorf("new: got %s, want %s", text, tt.wantNew)
			}
			if n := len(compare(0)); n != 0 {
				t.Errorf("got %d layouts without asking for any", n)
			}
		})
	}
}

// TestLayoutsKeepTheirCauses: layouts belong to the same causes after causes were moved, left out or cut.
func TestLayoutsKeepTheirCauses(t *testing.T) {
	names := []string{"first", "second", "third"}
	old, new := newProgram(), newProgram()
	for _, name := range names {
		old.decls = append(old.decls, structOf(name, m("of_"+name, intExpr)))
		new.decls = append(new.decls, structOf(name, m("of_"+name, longExpr)))
	}
	compare := func() *Comparison {
		c := Compare(Input{Object: old.build(nil)}, Input{Object: new.build(nil)}, Options{Layouts: len(names)})
		if len(c.Layouts) != len(names) {
			t.Fatalf("got %d layouts, want %d", len(c.Layouts), len(names))
		}
		return c
	}
	check := func(what string, c *Comparison, want int) {
		t.Helper()
		if len(c.Layouts) != want {
			t.Errorf("%s: got %d layouts, want %d", what, len(c.Layouts), want)
		}
		for _, l := range c.Layouts {
			if l.Cause < 1 || l.Cause > len(c.Causes) {
				t.Errorf("%s: there is no cause %d", what, l.Cause)
			} else if got, want := l.Old[0].Path, "of_"+c.Causes[l.Cause-1].Name; got != want {
				t.Errorf("%s: cause %d has the layout with %s, want %s", what, l.Cause, got, want)
			}
		}
	}
	c := compare()
	c.Causes[0].Accepted = "for a test"
	c.AcceptedLast()
	check("accepted last", c, 3)
	check("cut", c.Cut(2), 2)
	check("after Cut, the whole", c, 3)
	ignore, err := ParseFilter([]string{c.Causes[1].Name})
	if err != nil {
		t.Fatal(err)
	}
	c.Select(nil, ignore)
	check("selected", c, 2)
}
