package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden/report"
)

// outputs parses what GitHub Actions would: NAME<<DELIMITER, the value, DELIMITER.
func outputs(t *testing.T, text string) (values map[string]string, delimiter string) {
	t.Helper()
	values = map[string]string{}
	for text != "" {
		head, rest, ok := strings.Cut(text, "\n")
		name, end, isHead := strings.Cut(head, "<<")
		if !ok || !isHead {
			t.Fatalf("%q is not the start of an output", head)
		}
		value, after, ok := strings.Cut(rest, "\n"+end+"\n")
		if !ok {
			t.Fatalf("the output %s does not end", name)
		}
		values[name], delimiter, text = value, end, after
	}
	return values, delimiter
}

// TestOutputs: the outputs are complete JSON, of bounded size, and their delimiters cannot be guessed.
func TestOutputs(t *testing.T) {
	var names []string
	for i := range 1200 {
		names = append(names, fmt.Sprintf("image-%d<&>\"", i))
	}
	r := report.New(names)
	for i, name := range names {
		row := report.Row{Name: name, Types: 1}
		if i > 0 {
			row.Error = "broken"
		}
		r.Add(row)
	}
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := writeOutputs(r, b); err != nil {
			t.Fatal(err)
		}
	}
	got, one := outputs(t, first.String())
	_, two := outputs(t, second.String())
	if one == two || len(one) < 32 {
		t.Errorf("the delimiters are %q and %q", one, two)
	}
	if got["verdict"] != "failed" || got["exit-code"] != "1" || got["differs"] != "[]" || len(got) != 4 {
		t.Errorf("got %q", got)
	}
	var list []string
	if err := json.Unmarshal([]byte(got["failed"]), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != maxNamed || list[0] != names[1] {
		t.Errorf("got %d names that start with %q", len(list), list[0])
	}
}

// TestAnnotateBound: GitHub shows ten annotations of a step. The tenth counts what follows.
func TestAnnotateBound(t *testing.T) {
	for _, tt := range []struct{ bad, most, lines, rest int }{
		{0, 10, 0, 0}, {1, 10, 1, 0}, {10, 10, 10, 0}, {11, 10, 10, 2}, {1500, 10, 10, 1491}, {3, 0, 0, 0},
	} {
		r := report.New(nil)
		for i := range tt.bad {
			r.Add(report.Row{Name: fmt.Sprint(i), Error: "broken"})
		}
		var b bytes.Buffer
		if err := Annotate(&b, r, "m.yaml", tt.most); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "::error "); n != tt.lines {
			t.Errorf("%d bad images: got %d annotations, want %d", tt.bad, n, tt.lines)
		}
		if want := fmt.Sprintf("::and %d more images", tt.rest); tt.rest > 0 != strings.Contains(b.String(), want) {
			t.Errorf("%d bad images: got %q, want %q", tt.bad, b.String(), want)
		}
	}
}
