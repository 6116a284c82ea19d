package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// junitRules is what the schemas that are in use for JUnit XML agree on, for each element: its attributes, those that are required, and its
// children in their order. Ant's schema wants the order and a type for each failure, that of Jenkins numbers with a point.
var junitRules = map[string]struct{ attributes, required, children string }{
	"testsuites": {"", "", "testsuite"},
	"testsuite":  {"name tests failures errors skipped time", "name tests failures errors time", "properties testcase"},
	"properties": {"", "", "property"},
	"property":   {"name value", "name value", ""},
	"testcase":   {"classname name time", "classname name time", "skipped error failure system-out"},
	"failure":    {"type message", "type message", ""},
	"error":      {"type message", "type message", ""},
	"skipped":    {"message", "message", ""},
	"system-out": {"", "", ""},
}

var (
	wholeNumber   = regexp.MustCompile(`^[0-9]+$`)
	decimalNumber = regexp.MustCompile(`^[0-9]+\.[0-9]{1,3}$`)
)

// checkJUnit returns the first violation of the rules.
func checkJUnit(text []byte) error {
	type open struct {
		name     string
		child    int // the place of the last child in the order
		children map[string]int
	}
	var stack []*open
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch x := token.(type) {
		case xml.StartElement:
			rule, ok := junitRules[x.Name.Local]
			if !ok {
				return fmt.Errorf("element %s", x.Name.Local)
			}
			have := map[string]string{}
			for _, a := range x.Attr {
				have[a.Name.Local] = a.Value
			}
			for name := range have {
				if !slices.Contains(strings.Fields(rule.attributes), name) {
					return fmt.Errorf("%s has the attribute %s", x.Name.Local, name)
				}
			}
			for name := range strings.FieldsSeq(rule.required) {
				if _, ok := have[name]; !ok {
					return fmt.Errorf("%s has no attribute %s: %v", x.Name.Local, name, slices.Collect(maps.Keys(have)))
				}
			}
			for name, value := range have {
				switch name {
				case "tests", "failures", "errors":
					ok = wholeNumber.MatchString(value)
				case "time":
					ok = decimalNumber.MatchString(value)
				case "type":
					ok = value != ""
				default:
					ok = true
				}
				if !ok {
					return fmt.Errorf("%s: %s is %q", x.Name.Local, name, value)
				}
			}
			if n := len(stack); n > 0 {
				parent := stack[n-1]
				at := slices.Index(strings.Fields(junitRules[parent.name].children), x.Name.Local)
				if at < parent.child {
					return fmt.Errorf("%s is at a wrong place in %s", x.Name.Local, parent.name)
				}
				parent.child = at
				parent.children[x.Name.Local]++
			} else if x.Name.Local != "testsuites" {
				return fmt.Errorf("the root is %s", x.Name.Local)
			}
			stack = append(stack, &open{name: x.Name.Local, children: map[string]int{}})
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
}

// JUnit XML keeps to the rules that its readers check, whatever names images have.
func TestJUnitRules(t *testing.T) {
	reports := all()
	maps.Copy(reports, batches(300))
	for name, r := range reports {
		var b bytes.Buffer
		if err := r.WriteJUnit(&b); err != nil {
			t.Fatal(err)
		}
		if err := checkJUnit(b.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		most := maxJUnit
		for i := range r.rows {
			most += 10*len(r.rows[i].Name) + 4*(maxJUnitDiff+maxMessage) // escaped
		}
		if b.Len() > most {
			t.Errorf("%s: got %d bytes", name, b.Len())
		}
	}
	for _, bad := range []string{
		`<testsuite/>`, `<testsuites><testcase name="a" classname="b" time="0.00"/></testsuites>`, `<testsuites><testsuite name="a"/></testsuites>`,
		`<testsuites><testsuite name="a" tests="1" failures="x" errors="0" time="0.00"/></testsuites>`,
		`<testsuites><testsuite name="a" tests="1" failures="0" errors="0" time="1e9"/></testsuites>`,
	} {
		if checkJUnit([]byte(bad)) == nil {
			t.Errorf("%s passes", bad)
		}
	}
}
