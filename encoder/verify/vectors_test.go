package verify

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// A vector is one row of the conformance table: a blob, and the answers of real kernels.
type vector struct {
	id, name string
	verdicts map[Kernel]string // "ok" or the symbol of the error
	line     string            // the last line of the log, without tabs and trailing blanks
	lineOf   Kernel            // the kernel whose log has the line
	blob     []byte
}

// vectors reads testdata/05-vectors.tsv.
func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/05-vectors.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	head := strings.Split(rows[0], "\t")
	var all []vector
	for _, row := range rows[1:] {
		f := strings.Split(row, "\t")
		v := vector{id: f[0], name: f[1], verdicts: map[Kernel]string{}, line: f[7], lineOf: V6_18}
		for i := 2; i <= 6; i++ {
			k, err := ParseKernel(head[i])
			if err != nil {
				t.Fatal(err)
			}
			v.verdicts[k] = f[i]
		}
		if i := strings.LastIndex(v.line, " ("); i >= 0 && v.verdicts[V6_18] == "ok" {
			if v.lineOf, err = ParseKernel(strings.Trim(v.line[i:], " ()")); err != nil {
				t.Fatalf("vector %s: %v", v.id, err)
			}
			v.line = v.line[:i]
		}
		v.blob = unpack(t, v.id, f[9])
		if got := fmt.Sprint(len(v.blob)); got != f[8] {
			t.Fatalf("vector %s: blob of %s bytes, want %s", v.id, got, f[8])
		}
		all = append(all, v)
	}
	return all
}

// unpack decodes a blob of the table, or generates one of the two that are too long for it.
func unpack(t testing.TB, id, text string) []byte {
	t.Helper()
	if text == "-" {
		return wide[id]()
	}
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatalf("vector %s: %v", id, err)
	}
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatalf("vector %s: %v", id, err)
	}
	blob, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("vector %s: %v", id, err)
	}
	return blob
}

// wide generates the vectors that the table only describes: more than 65535 members.
var wide = map[string]func() []byte{
	"567": func() []byte { // struct of 70000 members
		b := newBlob()
		i := b.add(0, info(1, 0), 4, 1<<24|32)
		b.add(b.str("s"), info(4, 70000), 4*70000)
		for n := range uint32(70000) {
			b.words(0, i, 32*n)
		}
		return b.bytes()
	},
	"569": func() []byte { // enum of 70000 values
		b := newBlob()
		name := b.str("a")
		b.add(name, info(6, 70000), 4)
		for n := range uint32(70000) {
			b.words(name, n)
		}
		return b.bytes()
	},
}

// TestVectors is the conformance table: every blob, every kernel.
func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		for k, want := range v.verdicts {
			t.Run(v.id+"/"+k.String(), func(t *testing.T) {
				err := Check(v.blob, Options{Kernel: k, Path: Load})
				got, line := verdict(t, err)
				if got != want {
					t.Errorf("%s: %v, want %s", v.name, err, want)
				}
				if k == v.lineOf && !sameLine(line, v.line) {
					t.Errorf("%s: last line %q, want %q", v.name, line, v.line)
				}
			})
		}
	}
}

// verdict returns a result in the words of the table.
func verdict(t testing.TB, err error) (symbol, line string) {
	t.Helper()
	if err == nil {
		return "ok", ""
	}
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("no refusal: %v", err)
	}
	return r.Errno.String(), r.Line
}

// sameLine compares with a line of the table. Such a line was decoded as UTF-8, reduced to one byte per character, freed of tabs, and if
// long, shortened at the front.
func sameLine(got, want string) bool {
	var b strings.Builder
	for _, r := range got {
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case r >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, byte(r))
		default:
			b.WriteRune(r)
		}
	}
	if tail, cut := strings.CutPrefix(want, "..."); cut {
		return strings.HasSuffix(b.String(), tail)
	}
	return strings.TrimSpace(b.String()) == want
}
