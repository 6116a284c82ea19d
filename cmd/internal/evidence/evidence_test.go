package evidence

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden/report"
	"github.com/btfbatch/btfbatch/golden/report/schematest"
)

// The schema has the fields of a document, all of them and no others, each with a description, and requires those that are always written.
func TestSchemaHasFields(t *testing.T) {
	schematest.Fields(t, schematest.Read(t, "evidence.schema.json"), reflect.TypeFor[Document]())
}

// Sums are in the order of the names, relative to the folder of the sums, and escaped as sha256sum escapes them.
func TestSums(t *testing.T) {
	r := report.New([]string{"z", "a", "failed"})
	z, a := strings.Repeat("1", 64), strings.Repeat("2", 64)
	r.Add(report.Row{Name: "z", Types: 1, Outputs: []report.Output{{Kind: "btf", Path: "out/z.btf", SHA256: z}, {Kind: "dump", Path: "out/a\nb\\", SHA256: a}}})
	r.Add(report.Row{Name: "a", Types: 1, Outputs: []report.Output{{Kind: "btf", Path: "other/a.btf", SHA256: a}}})
	r.Add(report.Row{Name: "failed", Error: "no"})
	for to, want := range map[string]string{
		"out/SHA256SUMS": a + "  ../other/a.btf\n\\" + a + "  a\\nb\\\\\n" + z + "  z.btf\n",
		"SHA256SUMS":     a + "  other/a.btf\n\\" + a + "  out/a\\nb\\\\\n" + z + "  out/z.btf\n",
	} {
		got, err := Sums(r, to)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %q (%v), want %q", to, got, err, want)
		}
	}
}

// A report that lacks the digest of a file cannot become sums or a statement: a line without a digest would vouch for nothing.
func TestWithoutDigest(t *testing.T) {
	r := report.New([]string{"a"})
	r.Add(report.Row{Name: "a", Types: 1, Outputs: []report.Output{{Kind: "btf", Path: "out/a.btf"}}})
	const want = "a: the report has no digest of out/a.btf"
	for name, of := range map[string]func(*report.Report, string) ([]byte, error){"sums": Sums, "provenance": Provenance} {
		if text, err := of(r, "x"); err == nil || err.Error() != want {
			t.Errorf("%s: got %q, %v, want the error %q", name, text, err, want)
		}
	}
}

// A statement has what in-toto and SLSA require, and a batch without outputs has none.
func TestProvenance(t *testing.T) {
	r := report.New([]string{"a"})
	if text, err := Provenance(r, "p.json"); err == nil {
		t.Errorf("no outputs: got %s and no error", text)
	}
	sum := strings.Repeat("1", 64)
	r.Tool = report.Tool{Name: "btfbatch", Version: "v1.2.3", Commit: "abc"}
	r.Manifest = report.Manifest{Path: "/home/me/m.yaml", SHA256: strings.Repeat("3", 64)}
	r.Add(report.Row{Name: "a", Types: 1, Path: "/home/me/vmlinux", InputSHA256: strings.Repeat("2", 64), BuildID: "ab",
		Outputs: []report.Output{{Kind: "btf", Path: "out/a.btf", SHA256: sum}}})
	text, err := Provenance(r, "p.json")
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	digest := func(c string) any { return map[string]any{"sha256": strings.Repeat(c, 64)} }
	manifest := map[string]any{"name": "m.yaml", "digest": digest("3")}
	want := any(map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1",
		"subject": []any{map[string]any{"name": "out/a.btf", "digest": digest("1")}},
		"predicate": map[string]any{
			"buildDefinition": map[string]any{
				"buildType": buildType, "externalParameters": map[string]any{"manifest": manifest, "images": []any{"a"}},
				"resolvedDependencies": []any{manifest, map[string]any{"name": "vmlinux", "digest": digest("2"),
					"annotations": map[string]any{"image": "a", "build_id": "ab"}}},
			},
			"runDetails": map[string]any{"builder": map[string]any{"id": builderID, "version": map[string]any{"btfbatch": "v1.2.3+abc"}}},
		},
	})
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %s", text)
	}
}
