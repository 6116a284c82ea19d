package golden

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/dense"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/show"
)

// peer is an object of pahole's making, from the fixtures of the room dump.
func peer(t testing.TB) *btf.Object {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("dump", "testdata", "kinds-x86_64.btf"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := btf.Parse(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// write makes a file of a test.
func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func compressed(t testing.TB, data []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(data, nil)
}

func exceptions(t testing.TB, text string) *Exceptions {
	t.Helper()
	e, err := ParseExceptions([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCompare(t *testing.T) {
	whole := bpftoolDump(t, "kinds-x86_64")
	const acceptRed = `
- {kind: ENUM, name: color, what: changed, reason: the colour was renamed}
`
	pink := bytes.Replace(whole, []byte("'RED'"), []byte("'PINK'"), 1)
	for _, tt := range []struct {
		name       string
		golden     []byte
		exceptions string
		want       Verdict
		problem    string
		summary    string
	}{
		{name: "plain", golden: whole, want: Equal},
		{name: "compressed", golden: compressed(t, whole), want: Equal},
		{name: "another name", golden: pink, want: Differs, summary: "enum ~1"},
		{name: "another name, compressed", golden: compressed(t, pink), want: Differs, summary: "enum ~1"},
		{name: "accepted", golden: pink, exceptions: acceptRed, want: Accepted, summary: "enum ~1, 1 accepted"},
		{name: "accepted in part", exceptions: acceptRed, want: Differs, summary: "enum ~1, float ~1, 1 accepted",
			golden: bytes.Replace(pink, []byte("FLOAT 'float' size=4"), []byte("FLOAT 'float' size=8"), 1)},
		{name: "accepted, but no dump is like that", golden: bytes.Replace(bytes.Replace(pink, []byte("'RED'"), nil, 1), []byte("'(anon)' size=8 vlen=2\n"), []byte("'(anon)' size=8 vlen=2 \n"), 1),
			exceptions: acceptRed, want: Differs, problem: "is not a STRUCT"},
		{name: "cut short", golden: whole[:bytes.LastIndexByte(whole[:len(whole)-1], '[')], want: Differs, summary: "section +1, var ~2"},
		{name: "longer", golden: append(bytes.Clone(whole), "[99] FWD 'more' fwd_kind=struct\n"...), want: Differs, problem: "type 99 follows"},
		{name: "empty", want: Differs, summary: "struct +"},
		{name: "not a dump", golden: []byte("struct s;\n"), want: Differs, problem: "line 1: is not a type"},
	} {
		e := exceptions(t, tt.exceptions)
		res, err := Compare(peer(t), write(t, "golden", tt.golden), Options{Exceptions: e})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if res.Verdict != tt.want || !strings.Contains(res.Problem, tt.problem) {
			t.Errorf("%s: got %s (%q), want %s (%q)", tt.name, res.Verdict, res.Problem, tt.want, tt.problem)
		}
		if c := res.Comparison; (c != nil) != (tt.summary != "") || c != nil && !sameSummary(show.Summary(c), tt.summary) {
			t.Errorf("%s: got a comparison %+v, want %q", tt.name, c, tt.summary)
		}
		if (res.Lines != "") != (res.Problem != "") {
			t.Errorf("%s: got lines %q", tt.name, res.Lines)
		}
	}
}

// sameSummary compares the parts of two summaries, in any order; one that ends in + only has to start so.
func sameSummary(got, want string) bool {
	if strings.HasSuffix(want, "+") {
		return strings.HasPrefix(got, want)
	}
	g, w := strings.Split(got, ", "), strings.Split(want, ", ")
	slices.Sort(g)
	slices.Sort(w)
	return slices.Equal(g, w)
}

func TestCompareMissing(t *testing.T) {
	res, err := Compare(peer(t), filepath.Join(t.TempDir(), "none"), Options{})
	if err != nil || res.Verdict != Missing || res.Verdict.OK() {
		t.Errorf("got %v, %v, want the verdict missing", res, err)
	}
	if _, err := Compare(peer(t), t.TempDir(), Options{}); err == nil {
		t.Error("a folder was taken for a golden")
	}
	broken := compressed(t, bpftoolDump(t, "kinds-x86_64"))
	if _, err := Compare(peer(t), write(t, "broken.zst", broken[:len(broken)/2]), Options{}); err == nil {
		t.Error("half of a compressed golden was taken for one")
	}
}

// An exception that accepts every type does not accept a text that differs elsewhere.
func TestCompareForgedText(t *testing.T) {
	o := parse(t, "[1] VAR 'v' type_id=0, linkage=static\n[2] DATASEC '.data' size=8 vlen=1\n\ttype_id=1 offset=0 size=8 (VAR 'v')\n")
	forged := "[1] VAR 'v' type_id=0, linkage=global\n[2] DATASEC '.data' size=8 vlen=1\n\ttype_id=1 offset=0 size=8 (VAR 'other')\n"
	e := exceptions(t, `[{kind: "*", name: "*", what: "*", reason: anything goes}]`)
	res, err := Compare(o, write(t, "golden", []byte(forged)), Options{Exceptions: e})
	if err != nil || res.Verdict != Differs {
		t.Errorf("got %v, %v, want the verdict differs", res, err)
	}
}

// put writes a golden in place.
func put(path string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

func TestUpdate(t *testing.T) {
	t.Setenv("CI", "")
	o := peer(t)
	text := dump.AppendRaw(nil, o)
	for _, tt := range []struct {
		name, file string
		old        []byte // nil: there is none
		form       Form
		compressed bool
		dense      bool
	}{
		{"created", "new.raw", nil, Form{}, false, false},
		{"created compressed", "new.raw.zst", nil, Form{}, true, true},
		{"created with a dialect", "new.raw.zst", nil, Form{Dialect: Dialect}, true, false},
		{"stays plain", "old.zst", []byte("plain"), Form{}, false, false},
		{"stays compressed", "old.raw", compressed(t, []byte("compressed")), Form{}, true, false},
		{"stays dense", "old.raw", compressed(t, []byte(dense.Magic)), Form{}, true, true},
		{"gets a dialect", "old.raw", compressed(t, []byte(dense.Magic)), Form{Dialect: Dialect}, true, false},
	} {
		path := filepath.Join(t.TempDir(), tt.file)
		if tt.old != nil {
			if err := os.WriteFile(path, tt.old, 0o640); err != nil {
				t.Fatal(err)
			}
		}
		if err := Update(path, tt.form, o, put); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}); got != tt.compressed {
			t.Errorf("%s: compressed: got %t, want %t", tt.name, got, tt.compressed)
		}
		want := text
		if tt.form.Dialect != "" {
			want = append([]byte(dialectMark+Dialect+"\n"), text...)
		}
		if tt.dense {
			if want, err = dense.Append(nil, o); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := readSome(path, 1<<20); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got another text (%v)", tt.name, err)
		}
		if res, err := Compare(o, path, Options{}); err != nil || res.Verdict != Equal {
			t.Errorf("%s: got %v, %v after the update, want the verdict equal", tt.name, res, err)
		}
		again := data
		if err := Update(path, Form{}, o, put); err != nil {
			t.Fatal(err)
		}
		if data, _ = os.ReadFile(path); !bytes.Equal(data, again) {
			t.Errorf("%s: the same types gave another file", tt.name)
		}
	}
}

func TestUpdateRefusesInCI(t *testing.T) {
	path := write(t, "golden", []byte("as it was"))
	t.Setenv("CI", "true")
	if err := Update(path, Form{}, peer(t), put); !errors.Is(err, ErrCI) {
		t.Errorf("got %v, want %v", err, ErrCI)
	}
	if got, _ := os.ReadFile(path); string(got) != "as it was" {
		t.Errorf("got %q, the golden was touched", got)
	}
	t.Setenv("CI", "false")
	if err := Update(path, Form{}, peer(t), put); err != nil {
		t.Errorf("got %v with CI=false", err)
	}
}

// Other CI systems set CI to other words than true. Progress and goldens go by the same answer.
func TestCI(t *testing.T) {
	for value, want := range map[string]bool{"": false, " ": false, "0": false, "false": false, "False": false, "FALSE": false, "f": false,
		"1": true, "true": true, " true ": true, "True": true, "woodpecker": true} {
		t.Setenv("CI", value)
		if got := CI(); got != want {
			t.Errorf("CI=%q: got %v, want %v", value, got, want)
		}
	}
}

// Of an equal golden neither text is held: what a comparison allocates does not grow with the dump.
func TestCompareHoldsNothing(t *testing.T) {
	o := btf.New(peer(t).Order, nil)
	for range 200_000 {
		o.Append(0, btf.Info(btf.KindPtr, 0, false), 1)
	}
	path := write(t, "golden", dump.AppendRaw(nil, o))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res, err := Compare(o, path, Options{})
	runtime.ReadMemStats(&after)
	if err != nil || res.Verdict != Equal {
		t.Fatalf("got %v, %v, want the verdict equal", res, err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 2<<20 {
		t.Errorf("got %d bytes allocated for a dump of %d", got, len(dump.AppendRaw(nil, o)))
	}
}

// TestSums: what is written is read back, and a new entry has its place by name whatever comments are in between.
func TestSums(t *testing.T) {
	digest := strings.Repeat("0a", 32)
	text := "# head\n" + digest + "  b\n\n" + digest + " *d e\n"
	s, err := parseSums(text)
	if err != nil {
		t.Fatal(err)
	}
	s.Set("c", digest)
	s.Set("b", strings.Repeat("0b", 32))
	s.Set("z", digest)
	want := "# head\n" + strings.Repeat("0b", 32) + "  b\n\n" + digest + "  c\n" + digest + "  d e\n" + digest + "  z\n"
	if got := string(s.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if s.Get("d e") != digest || s.Get("# head") != "" || s.Get("x") != "" {
		t.Error("an entry is missing, or a comment is one")
	}
	for _, bad := range []string{digest, digest + " b", digest + "  ", "xx" + digest[2:] + "  b", digest + "  b\n" + digest + "  b\n"} {
		if _, err := parseSums(bad); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}
