package dump

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The .golden files are the output of bpftool 7.8. See testdata/make.sh.
func TestLikeBpftool(t *testing.T) {
	for _, name := range []string{"kinds-x86_64", "kinds-x86_64-split", "kinds-i686", "kinds-s390x", "layout-x86_64", "layout-i686", "layout-s390x",
		"random-0", "random-1", "random-2", "odd", "odd-big", "odd-split"} {
		o := load(t, name)
		for _, tt := range []struct {
			format string
			got    []byte
			golden string
		}{
			{"raw", AppendRaw(nil, o), name + ".golden"},
			{"JSON", AppendJSON(nil, o, false), name + "-json.golden"},
			{"pretty JSON", AppendJSON(nil, o, true), name + "-pretty.golden"},
		} {
			if want := readFixture(t, tt.golden); !bytes.Equal(tt.got, want) {
				t.Errorf("%s, %s: %s", name, tt.format, firstDifference(tt.got, want))
			}
		}
	}
}

// firstDifference quotes the first line that differs.
func firstDifference(got, want []byte) string {
	line := 1
	for len(got) > 0 && len(want) > 0 {
		g, restGot, _ := bytes.Cut(got, []byte("\n"))
		w, restWant, _ := bytes.Cut(want, []byte("\n"))
		if !bytes.Equal(g, w) {
			return fmt.Sprintf("line %d: got %q, want %q", line, g, w)
		}
		got, want, line = restGot, restWant, line+1
	}
	return "one ends before the other"
}

func TestWriteEqualsAppend(t *testing.T) {
	o := btf.New(binary.LittleEndian, nil)
	for range 30_000 { // more than one buffer
		o.Append(o.Strings.Add([]byte("name")), btf.Info(btf.KindTypedef, 0, false), 1)
	}
	for _, tt := range []struct {
		name   string
		write  func(*bytes.Buffer) error
		append []byte
	}{
		{"raw", func(b *bytes.Buffer) error { return WriteRaw(b, o) }, AppendRaw(nil, o)},
		{"JSON", func(b *bytes.Buffer) error { return WriteJSON(b, o, false) }, AppendJSON(nil, o, false)},
		{"pretty JSON", func(b *bytes.Buffer) error { return WriteJSON(b, o, true) }, AppendJSON(nil, o, true)},
	} {
		var b bytes.Buffer
		if err := tt.write(&b); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if !bytes.Equal(b.Bytes(), tt.append) {
			t.Errorf("%s: written and appended text differ", tt.name)
		}
	}
}

// BTF that bpftool refuses to load is printed nevertheless.
func TestBrokenReferences(t *testing.T) {
	o := btf.New(binary.LittleEndian, nil)
	o.Append(99, btf.Info(btf.KindTypedef, 0, false), 77)
	o.Append(o.Strings.Add([]byte("sec")), btf.Info(btf.KindDatasec, 1, false), 8, 50, 0, 8)
	o.Append(o.Strings.Add([]byte("param")), btf.Info(btf.NumKinds, 1, false), 8, 1)
	const want = "[1] TYPEDEF '(invalid)' type_id=77\n" +
		"[2] DATASEC 'sec' size=8 vlen=1\n\ttype_id=50 offset=0 size=8\n" +
		"[3] UNKNOWN 'param'\n"
	if got := AppendRaw(nil, o); string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	const wantJSON = `{"types":[{"id":1,"kind":"TYPEDEF","name":"(invalid)","type_id":77},` +
		`{"id":2,"kind":"DATASEC","name":"sec","size":8,"vlen":1,"vars":[{"type_id":50,"offset":0,"size":8}]},` +
		`{"id":3,"kind":"UNKNOWN","name":"param"}]}` + "\n"
	if got := AppendJSON(nil, o, false); string(got) != wantJSON {
		t.Errorf("got %s, want %s", got, wantJSON)
	}
}

func TestVoid(t *testing.T) {
	o := btf.New(binary.LittleEndian, nil)
	r, _ := o.Record(0)
	if got, want := string(AppendRawType(nil, o, 0, r)), "[0] UNKNOWN '(anon)'\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := AppendRaw(nil, o); len(got) != 0 {
		t.Errorf("got %q for no types, want nothing", got)
	}
	if got, want := string(AppendJSON(nil, o, true)), "{\n    \"types\": []\n}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

var errFull = errors.New("disk is full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	o := load(t, "odd")
	if err := WriteRaw(fullDisk{}, o); !errors.Is(err, errFull) {
		t.Errorf("raw: got error %v, want %v", err, errFull)
	}
	if err := WriteJSON(fullDisk{}, o, false); !errors.Is(err, errFull) {
		t.Errorf("JSON: got error %v, want %v", err, errFull)
	}
}

func TestAllocs(t *testing.T) {
	o := load(t, "kinds-x86_64")
	buf := make([]byte, 0, 1<<16)
	if n := testing.AllocsPerRun(10, func() { AppendRaw(buf, o) }); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}
