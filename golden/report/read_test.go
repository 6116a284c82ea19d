package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/cause"
)

// testTool is the program of the reports of these tests.
var testTool = Tool{Name: "btfbatch", Version: "1.0.0", Commit: "0123abc", Modified: true, SHA256: strings.Repeat("c3", 32)}

// detailed has comparisons by cause: two images with the same one, and one with another.
func detailed() *Report {
	r := New([]string{"a", "b", "c"})
	r.Tool, r.Manifest, r.Seconds = testTool, Manifest{Path: "kernels/btfbatch.yaml", SHA256: strings.Repeat("d4", 32)}, 3
	r.Strict, r.Stale, r.Used = true, []string{"added func f"}, []string{"added func g"}
	size := &cause.Size{Old: 8, New: 16}
	for i, name := range []string{"a", "b", "c"} {
		d := &cause.Comparison{
			Schema: cause.Schema, Exact: true, Old: cause.Side{Types: 100 + i}, New: cause.Side{Types: 101 + i},
			Verdict: cause.Verdict{Break: 1, Add: 1},
			Causes: []cause.Cause{{ID: 1, Key: "struct/s/0011223344", Kind: cause.Struct, Name: "s", Op: cause.Changed, Severity: cause.Break,
				Rules: []cause.Rule{cause.Rules[0].Name}, Size: size,
				Members: []cause.Change{{Part: cause.Member, Path: "m", Op: cause.Added, Rule: cause.Rules[0].Name, Severity: cause.Break, New: "long",
					NewAt: &cause.Extent{Bit: 64, Bytes: 8}, Substitution: 1}},
				Shifts:  []cause.Shift{{From: "n", To: "o", Count: 2, Bytes: -8, Bits: -64}},
				Because: []cause.Ref{{Kind: cause.Struct, Name: "t", Op: cause.Changed, Size: size}},
				Impact:  cause.Impact{Types: 1, Sample: []cause.Ref{{Kind: cause.Struct, Name: "t", Op: cause.Changed}}}}},
			Consequences: []cause.Consequence{{Kind: cause.Var, Name: "v", Size: size, OldAt: &cause.Extent{Bit: 8, Bytes: 8},
				Because: []cause.Ref{{Kind: cause.Struct, Name: "s", Cause: 1, Op: cause.Changed}}, Roots: []int{1}}},
			Substitutions: []cause.Substitution{{Part: cause.Member, Old: "int", New: "long", Count: 5, Causes: []int{1}, Severity: cause.Break}},
			Sections:      []cause.SectionChange{{Name: ".data..percpu", Size: *size, Causes: []int{1}, Grown: []cause.Consequence{{Kind: cause.Var, Name: "v"}}}},
			Counts:        []cause.Count{{Kind: cause.Struct, Changed: 1}},
		}
		diff := "~ struct s\n"
		if name == "c" {
			d.Causes[0].Name, diff = "other", "~ struct other\n"
		}
		r.Add(Row{
			Name: name, Line: 4 + i, Path: "images/" + name, Types: 100, Release: "6.1.0-18-amd64", InputBytes: 1000, Base: "vmlinux",
			Outputs: []Output{{"btf", "out/" + name + ".btf", 500, strings.Repeat("e5", 32)}},
			Golden: &Comparison{Path: "g/" + name, Verdict: golden.Differs, Summary: "struct ~1", Diff: diff, Breaks: 1, Adds: 1, CauseCount: 1,
				Fingerprint: "0011223344556677", Detail: d},
		})
	}
	return r
}

// stored returns the JSON form of a report.
func stored(t testing.TB, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// all are reports of every sort.
func all() map[string]*Report {
	reports := map[string]*Report{"sample": sample(), "interrupted": interrupted(), "refused": refused(), "detailed": detailed(), "large": large(1500, fails)}
	none := New(nil)
	none.Tool = testTool
	reports["none"] = none
	hostile := New([]string{"bad \xff name", "\u202e\x1b[31m</script>", "##[error]x"})
	hostile.Tool, hostile.Manifest = testTool, Manifest{Path: "\xfe.yaml", SHA256: strings.Repeat("a1", 32)}
	hostile.Add(Row{Name: "bad \xff name", Error: "\xff\x00 is bad", Path: "p\xff"})
	hostile.Add(Row{Name: "\u202e\x1b[31m</script>", Types: 1, Dropped: []Drop{{"func", "\x07", 1}}})
	reports["hostile"] = hostile
	for name, rows := range map[string][]Row{
		"shard": {{Name: "a", Types: 1}}, "empty shard": nil, "skipped shard": {{Name: "a", SkipReason: "enough"}}, "interrupted shard": {{Name: "a", Interrupted: true}},
		"shard to run again": {{Name: "a", Error: "503", Failure: Fetch, Transient: true}, {Name: "b", Error: "none", Failure: NoTypes}},
	} {
		s := planned(rows...)
		s.Shard, s.Strict, s.Stale = &Shard{Index: 2, Count: 8, Images: 40, SHA256: strings.Repeat("a1", 32), Flags: []string{"--profile=pahole"}}, true, []string{"FUNC other"}
		reports[name] = s
	}
	return reports
}

// A report that is stored, read and stored again is the same, and so are all forms of it.
func TestRoundTrip(t *testing.T) {
	for name, r := range all() {
		text := stored(t, r)
		again, err := Read(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := stored(t, again); got != text {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, text)
		}
		for form, write := range map[string]func(*Report, io.Writer) error{
			"text": (*Report).WriteText, "markdown": (*Report).WriteMarkdown, "junit": (*Report).WriteJUnit,
		} {
			var got, want bytes.Buffer
			if err := errors.Join(write(again, &got), write(r, &want)); err != nil || got.String() != want.String() {
				t.Errorf("%s: %s: got (%v)\n%s\nwant\n%s", name, form, err, got.String(), want.String())
			}
		}
	}
}

// What two images share is stored once, and each has it again after it was read.
func TestSharedComparison(t *testing.T) {
	text := stored(t, detailed())
	if n := strings.Count(text, `"key": "struct/s/0011223344"`); n != 2 {
		t.Errorf("the cause is stored %d times, want 2: of a and c", n)
	}
	if !strings.Contains(text, `"same_as": "a"`) || strings.Count(text, "~ struct s") != 1 {
		t.Errorf("b repeats the text of a:\n%s", text)
	}
	r, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := detailed().Rows()
	for i, row := range r.Rows() {
		got, _ := json.Marshal(row)
		whole, _ := json.Marshal(want[i])
		if string(got) != string(whole) {
			t.Errorf("got\n%s\nwant\n%s", got, whole)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := stored(t, detailed())
	change := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the report", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"no JSON", "IMAGE  STATUS", "it is not a report in JSON"},
		{"nothing", "", "it is not a report in JSON"},
		{"another document", `{"images": []}`, "schema is missing"},
		{"an older schema", change(`"schema": 2`, `"schema": 1`), "its schema is 1, and this version of btfbatch reads 2"},
		{"a newer schema", change(`"schema": 2`, `"schema": 3`), "its schema is 3"},
		{"cut short", good[:len(good)/2], "unexpected end of JSON input"},
		{"two documents", good + good, "after top-level value"},
		{"an unknown field", change(`"types": 100`, `"typos": 100`), `unknown field "typos"`},
		{"another type", change(`"types": 100`, `"types": "many"`), `images[0] "a": json: cannot unmarshal string`},
		{"no tool", change(`"name": "btfbatch"`, `"name": ""`), "tool.name is empty"},
		{"no digest", change(strings.Repeat("d4", 32), "d4"), `manifest.sha256 "d4" is not a digest`},
		{"a digest in upper case", change(strings.Repeat("e5", 32), strings.Repeat("E5", 32)), `images[0] "a": outputs[0]: sha256`},
		{"no name", change(`"name": "a"`, `"name": ""`), `images[0] "": name is empty`},
		{"a name twice", change(`"name": "b"`, `"name": "a"`), `images[1] "a": there is another image of this name`},
		{"a status that is not so", change(`"status": "differs",
      "failure": "differs"`, `"status": "ok"`), `images[0] "a": status is "ok", not "differs"`},
		{"an unknown status", change(`"status": "differs",
      "failure"`, `"status": "fine",
      "failure"`), `images[0] "a": failure "differs" is not known for status "fine"`},
		{"a failure of another status", change(`"failure": "differs"`, `"failure": "write"`), `failure "write" is not known for status "differs"`},
		{"a failure that is not so", change(`"failure": "differs"`, `"failure": "no-golden"`), `failure is "no-golden", not "differs"`},
		{"negative", change(`"types": 100`, `"types": -1`), `images[0] "a": types is negative`},
		{"negative deep inside", change(`"bytes": 500`, `"bytes": -5`), `images[0] "a": outputs[0].bytes is negative`},
		{"an unknown output", change(`"kind": "btf"`, `"kind": "exe"`), `outputs[0]: kind "exe" is not known`},
		{"an unknown verdict", change(`"verdict": "differs",
        "summary"`, `"verdict": "nice",
        "summary"`), `golden: verdict "nice" is not known`},
		{"a reference to nothing", change(`"same_as": "a"`, `"same_as": "z"`), `images[1] "b": golden.same_as: no image before it is named "z"`},
		{"a reference to itself", change(`"same_as": "a"`, `"same_as": "b"`), `no image before it is named "b"`},
		{"a cause that is not there", change(`"cause": 1`, `"cause": 2`), `golden: comparison: consequences[0]: there is no cause 2`},
		{"a substitution that is not there", change(`"substitution": 1`, `"substitution": -7`), `causes[0]: there is no substitution -7`},
		{"an unknown kind", change(`"kind": "struct"`, `"kind": "class"`), `causes[0]: kind "class" is not known`},
		{"an unknown rule", change(string(cause.Rules[0].Name), "whim"), `causes[0]: rule "whim" is not known`},
		{"totals that are not so", change(`"differs": 3`, `"differs": 2`), "totals are"},
		{"an exit code that is not so", change(`"exit_code": 1`, `"exit_code": 0`), "exit_code is 0, not 1"},
		{"a batch that claims success", change(`"status": "failed"`, `"status": "ok"`), `status is "ok", not "failed"`},
		{"a long name", change(`"name": "a"`, `"name": "`+strings.Repeat("a", maxName+1)+`"`), "is longer than"},
	} {
		_, err := Read(strings.NewReader(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %.300v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := Read(strings.NewReader(good)); err != nil {
		t.Error(err)
	}
}

// A report without an end is not read until memory is full.
func TestReadIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a quarter of a gigabyte")
	}
	n := int64(0)
	endless := io.TeeReader(io.MultiReader(strings.NewReader("{"), blanks{}), countTo{&n})
	if _, err := Read(endless); !errors.Is(err, errLong) || n > MaxJSON+64<<10 {
		t.Errorf("read %d bytes: %v", n, err)
	}
	n = 0
	if _, err := Read(io.TeeReader(blanks{}, countTo{&n})); !errors.Is(err, errNotReport) || n > 64<<10 {
		t.Errorf("blanks: read %d bytes: %v", n, err)
	}
}

type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

type countTo struct{ n *int64 }

func (c countTo) Write(p []byte) (int, error) { *c.n += int64(len(p)); return len(p), nil }

// FuzzRead: whatever is read can be written in every form, and read again with the same result.
func FuzzRead(f *testing.F) {
	for name, r := range all() {
		if name == "large" { // too slow
			continue
		}
		f.Add([]byte(stored(f, r)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		first := stored(t, r)
		again, err := Read(strings.NewReader(first))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, first)
		}
		if second := stored(t, again); first != second {
			t.Errorf("got\n%s\nwant\n%s", second, first)
		}
		for _, verbose := range []bool{false, true} {
			r.Verbose = verbose
			if err := errors.Join(r.WriteText(io.Discard), r.WriteMarkdown(io.Discard), r.WriteJUnit(io.Discard)); err != nil {
				t.Error(err)
			}
		}
		if _, err := Merge([]Part{{"a", r}, {"b", again}}, nil); err != nil {
			t.Error(err)
		}
	})
}

// Details of a comparison stay within their limit, whatever differs.
func TestDetailIsBounded(t *testing.T) {
	d := &cause.Comparison{Schema: cause.Schema}
	for i := range 5000 {
		x := cause.Cause{ID: i + 1, Key: fmt.Sprint("k", i), Kind: cause.Struct, Name: fmt.Sprint("s", i), Op: cause.Changed, Severity: cause.Break,
			Because: []cause.Ref{{Kind: cause.Struct, Name: "t", Cause: 5000 - i, Op: cause.Changed}}}
		for range 300 {
			x.Members = append(x.Members, cause.Change{Part: cause.Member, Op: cause.Added, Path: strings.Repeat("m", 50)})
		}
		d.Causes = append(d.Causes, x)
	}
	for _, most := range []int{leastOfImage, mostOfImage} {
		got := detail(d, most)
		if got == nil {
			t.Fatalf("%d bytes: nothing is left", most)
		}
		text, err := json.Marshal(got)
		if err != nil || len(text) > most || len(text) < most/8 {
			t.Errorf("got %d bytes (%v), want at most %d", len(text), err, most)
		}
		if err := got.Check(); err != nil {
			t.Error(err)
		}
		if n := len(got.Causes); got.Omitted == nil || n+got.Omitted.Causes != 5000 || got.Omitted.Elements != n*(300-n) {
			t.Errorf("got %d causes, and omitted %+v", n, got.Omitted)
		}
	}
	d.Causes = d.Causes[:1]
	d.Causes[0].Name = strings.Repeat("x", 1<<20)
	if detail(d, mostOfImage) != nil {
		t.Error("a name of a megabyte is in the report")
	}
	if a, b := LimitsFor(1500), LimitsFor(1); a.Bytes*1500 > maxDetail || b.Bytes != mostOfImage {
		t.Errorf("got %+v and %+v", a, b)
	}
}
