package report

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/report/schematest"
)

// Every stored report is valid by the schema, and a report with an unknown word or field is not.
func TestSchemaAccepts(t *testing.T) {
	s, err := schematest.Read(t, "report.schema.json").Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	valid := func(text string) error {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		return s.Validate(v)
	}
	for name, r := range all() {
		if err := valid(stored(t, r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := stored(t, detailed())
	for _, c := range [][2]string{
		{`"schema": 2`, `"schema": 3`}, {`"failure": "differs"`, `"failure": "odd"`}, {`"types": 100`, `"types": -1`}, {`"types": 100`, `"typos": 100`},
		{`"kind": "btf"`, `"kind": "exe"`}, {`"op": "changed"`, `"op": "odd"`}, {strings.Repeat("e5", 32), "e5"}, {`"name": "a"`, `"name": ""`},
		{`"verdict": "differs"`, `"verdict": "odd"`},
	} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Errorf("%s is not in the report", c[0])
		}
		if err := valid(bad); err == nil {
			t.Errorf("%s is valid", c[1])
		}
	}
}

// The schema has the fields of the model, all of them and no others, each with a description, and requires those that are always written.
func TestSchemaHasFields(t *testing.T) {
	schematest.Fields(t, schematest.Read(t, "report.schema.json"), reflect.TypeFor[document]())
}

// The closed lists of words are those of the model.
func TestSchemaWords(t *testing.T) {
	root := schematest.Read(t, "report.schema.json")
	for name, want := range map[string][]string{
		"failure": failureWords(), "kind": words(cause.Kinds), "severity": words([]cause.Severity{cause.Break, cause.Neutral, cause.Add}),
		"status": words([]Status{OK, Differs, Failed, Skipped, Interrupted}),
	} {
		var got []string
		for _, v := range root.Defs[name].Enum {
			got = append(got, v.(string))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func failureWords() (list []string) {
	for _, f := range Failures {
		list = append(list, string(f.Kind))
	}
	return list
}

func words[T ~string](in []T) (out []string) {
	for _, w := range in {
		out = append(out, string(w))
	}
	return out
}

// docs/reports.md has the kinds of failure with their meaning, and the version of the schema.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/reports.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Failures {
		if row := "| `" + string(f.Kind) + "` | " + f.Meaning + " |"; !strings.Contains(string(text), row) {
			t.Errorf("docs/reports.md lacks the line\n%s", row)
		}
	}
	if !strings.Contains(string(text), `"schema": 2`) || Schema != 2 {
		t.Error("docs/reports.md has another version of the schema")
	}
}
