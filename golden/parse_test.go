package golden

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/show"
)

// bpftoolDump is a dump that bpftool printed, from the fixtures of the room dump.
func bpftoolDump(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("dump", "testdata", name+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// parse reads a dump that is right.
func parse(t testing.TB, text string) *btf.Object {
	t.Helper()
	o, err := ParseRaw([]byte(text), nil)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}

func TestParseRaw(t *testing.T) {
	for _, name := range []string{"kinds-x86_64", "kinds-s390x"} {
		text := bpftoolDump(t, name)
		o, err := ParseRaw(text, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := dump.AppendRaw(nil, o); !bytes.Equal(got, text) {
			t.Errorf("%s: printed again it differs: %s", name, firstLines(text, got, "the dump"))
		}
	}
}

func TestParseRawSplit(t *testing.T) {
	base := parse(t, "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n")
	const text = "[2] PTR '(anon)' type_id=1\n[3] VAR 'v' type_id=2, linkage=static\n" +
		"[4] DATASEC '.data' size=8 vlen=2\n\ttype_id=3 offset=0 size=8 (VAR 'v')\n\ttype_id=1 offset=8 size=4 (INT 'int')\n"
	o, err := ParseRaw([]byte(text), base)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(dump.AppendRaw(nil, o)); got != text {
		t.Errorf("got %s, want %s", got, text)
	}
	alone := parse(t, text)
	if alone.First() != 2 || alone.Len() != 3 {
		t.Errorf("without the base: got %d types from %d, want 3 from 2", alone.Len(), alone.First())
	}
	if _, err := ParseRaw([]byte("[3] PTR '(anon)' type_id=1\n"), base); err == nil {
		t.Error("a dump that continues another base was read")
	}
}

// What a dump tells only in part is read so that it prints the same.
func TestParseRawEdges(t *testing.T) {
	for _, text := range []string{
		"",
		"[1] INT 'x' size=4 bits_offset=255 nr_bits=255 encoding=UNKN\n",
		"[1] UNKNOWN 'param'\n",
		"[1] FUNC 'f' type_id=0 linkage=(unknown)\n[2] VAR 'v' type_id=0, linkage=(unknown)\n",
		"[1] DECL_TAG 'it's' size=3' type_id=0 component_idx=-2147483648\n",
		"[1] TYPEDEF '(invalid)' type_id=4294967295\n",
		"[1] ENUM64 'e' encoding=SIGNED size=8 vlen=2\n\t'A' val=-9223372036854775808LL\n\t'B' val=9223372036854775807LL\n",
		"[1] ENUM64 'e' encoding=UNSIGNED size=8 vlen=1\n\t'A' val=18446744073709551615ULL\n",
		"[1] STRUCT 's' size=1 vlen=1\n\t'far' type_id=0 bits_offset=4294967295\n",
		"[1] STRUCT 's' size=1 vlen=2\n\t'bit' type_id=0 bits_offset=16777215 bitfield_size=255\n\t'(anon)' type_id=0 bits_offset=7\n",
	} {
		if got := string(dump.AppendRaw(nil, parse(t, text))); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
}

func TestParseRawErrors(t *testing.T) {
	const int1 = "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n"
	for _, tt := range []struct {
		name, text string
		line       int
		problem    string
	}{
		{"not a dump", "#include <vmlinux.h>\n", 1, "is not a type"},
		{"empty line", int1 + "\n", 2, "is empty or has no end"},
		{"no end of line", "[1] FWD 's' fwd_kind=struct", 1, "is empty or has no end"},
		{"element first", "\t'x' type_id=1\n", 1, "an element stands before the first type"},
		{"gap in the ids", int1 + "[3] FLOAT 'f' size=4\n", 2, "type 3 follows type 1"},
		{"id 0", "[0] UNKNOWN '(anon)'\n", 1, "type 0 follows"},
		{"unknown kind", "[1] CLASS 'x' size=3\n", 1, "is not a type"},
		{"name with no end", "[1] FLOAT 'f size=4\n", 1, "is not a type"},
		{"empty name", "[1] FLOAT '' size=4\n", 1, "name is empty"},
		{"number too large", "[1] FLOAT 'f' size=4294967296\n", 1, "is not a FLOAT"},
		{"leading zero", "[1] FLOAT 'f' size=04\n", 1, "is not a FLOAT"},
		{"more on the line", "[1] FLOAT 'f' size=4 \n", 1, "is not a FLOAT"},
		{"wrong attribute", "[1] FLOAT 'f' type_id=4\n", 1, "is not a FLOAT"},
		{"INT of 256 bits", "[1] INT 'i' size=32 bits_offset=0 nr_bits=256 encoding=(none)\n", 1, "is not a INT"},
		{"too few elements", "[1] STRUCT 's' size=4 vlen=1\n[2] FLOAT 'f' size=4\n", 2, "fewer elements than its vlen of 1"},
		{"too many elements", "[1] STRUCT 's' size=4 vlen=0\n\t'x' type_id=1 bits_offset=0\n", 2, "more elements than its vlen of 0"},
		{"vlen too large", "[1] ENUM 'e' encoding=SIGNED size=4 vlen=16777216\n", 1, "is not a ENUM"},
		{"bitfield of no bits", "[1] STRUCT 's' size=4 vlen=1\n\t'x' type_id=1 bits_offset=0 bitfield_size=0\n", 2, "is not an element"},
		{"bitfield far out", "[1] STRUCT 's' size=4 vlen=2\n\t'x' type_id=1 bits_offset=16777216\n\t'y' type_id=1 bits_offset=0 bitfield_size=1\n", 3, "2^24 bits"},
		{"minus zero", "[1] ENUM 'e' encoding=SIGNED size=4 vlen=1\n\t'A' val=-0\n", 2, "is not an element"},
		{"value too small", "[1] ENUM 'e' encoding=SIGNED size=4 vlen=1\n\t'A' val=-2147483649\n", 2, "is not an element"},
		{"no suffix", "[1] ENUM64 'e' encoding=SIGNED size=8 vlen=1\n\t'A' val=1\n", 2, "is not an element"},
	} {
		_, err := ParseRaw([]byte(tt.text), nil)
		var at *ParseError
		if !errors.As(err, &at) {
			t.Errorf("%s: got error %v, want a ParseError", tt.name, err)
			continue
		}
		if at.Line != tt.line || !strings.Contains(at.Problem, tt.problem) {
			t.Errorf("%s: got %v, want line %d: …%s…", tt.name, err, tt.line, tt.problem)
		}
	}
}

func FuzzParseRaw(f *testing.F) {
	f.Add(bpftoolDump(f, "kinds-x86_64"))
	f.Add(bpftoolDump(f, "odd"))
	f.Add([]byte("[7] DATASEC '.data' size=8 vlen=1\n\ttype_id=7 offset=0 size=8 (DATASEC '.data')\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := ParseRaw(text, nil)
		if err != nil {
			return
		}
		first := dump.AppendRaw(nil, o)
		again, err := ParseRaw(first, nil)
		if err != nil {
			t.Fatalf("what was printed cannot be read: %v", err)
		}
		if got := dump.AppendRaw(nil, again); !bytes.Equal(got, first) {
			t.Fatalf("got %q the second time, want %q", got, first)
		}
		if c := exact(o, again); !c.Verdict.Equal {
			t.Fatalf("equal dumps differ: %s", show.Summary(c))
		}
	})
}

func BenchmarkParseRaw(b *testing.B) {
	text := bpftoolDump(b, "kinds-x86_64")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRaw(text, nil); err != nil {
			b.Fatal(err)
		}
	}
}
