// Package golden compares BTF with what it is expected to be.
//
// Input: a BTF object (btf.Object) and the name of a golden file: a raw dump, the text of `bpftool btf dump file F format raw`, plain
// or compressed. Output: a verdict and, if the BTF differs, a unified diff of the texts and a summary by type, which ignores ids: types
// that were added, removed or changed. The same summary compares two BTF objects. Never: the package does not check whether types are
// correct, and rewrites a golden only in Update.
package golden

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/dump"
)

// A Verdict says how BTF compares with its golden.
type Verdict string

// The verdicts.
const (
	Equal    Verdict = "equal"    // byte for byte
	Accepted Verdict = "accepted" // an exception accepts every difference
	Differs  Verdict = "differs"
	Missing  Verdict = "missing" // there is no golden
)

// OK tells whether the verdict lets a run pass.
func (v Verdict) OK() bool { return v == Equal || v == Accepted }

// Options of a comparison. The zero value has all defaults.
type Options struct {
	Image      string      // the name that exceptions may ask for
	Exceptions *Exceptions // nil accepts nothing
	Context    int         // lines around a difference in the unified diff; 0 means 3, negative none
	Lines      int         // bound of the unified diff; 0 means 200
}

// A Result is the outcome of a comparison.
type Result struct {
	Verdict Verdict
	// Unified is the bounded diff from the golden's text to the dump; nil when they are equal or there is no golden.
	Unified []byte
	// Summary compares type by type, the golden on the old side; nil as above, and when Problem says why.
	Summary *Summary
	// Problem says why the golden cannot be compared type by type: it is not a raw dump, or continues another base.
	Problem string
}

// errStop ends a dump at its first difference.
var errStop = errors.New("differs")

// Compare compares the raw dump of an object with a golden file. Equal dumps are compared as they are printed, neither
// of them is held. A missing file is a verdict; an unreadable one is an error.
func Compare(o *btf.Object, path string, opt Options) (*Result, error) {
	opt.Exceptions.ask(opt.Image)
	f, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Result{Verdict: Missing}, nil
	}
	if err != nil {
		return nil, input.Named(path, err)
	}
	defer f.Close()
	equal, err := equalText(o, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if equal {
		return &Result{Verdict: Equal}, nil
	}
	got := dump.AppendRaw(nil, o)
	want, err := readSome(path, bytesFor(got)+1)
	if err != nil {
		return nil, err
	}
	if int64(len(want)) > bytesFor(got) || bytes.Count(want, newline) > linesFor(got) {
		return &Result{Verdict: Differs, Problem: fmt.Sprintf("it is many times as long as the dump, which has %d bytes", len(got))}, nil
	}
	return explain(o, got, want, path, opt), nil
}

var newline = []byte("\n")

// bytesFor and linesFor are how long a golden may be to be compared with a dump that it differs from. Longer ones have nothing to do
// with it, and take their time and memory.
func bytesFor(got []byte) int64 { return 8*int64(len(got)) + 4<<20 }
func linesFor(got []byte) int   { return 8*bytes.Count(got, newline) + 100_000 }

// A comparer is written a text and stops it where it differs from another that it reads.
type comparer struct {
	want io.Reader
	buf  []byte
}

func (c *comparer) Write(p []byte) (int, error) {
	if len(c.buf) < len(p) {
		c.buf = make([]byte, len(p))
	}
	n, err := io.ReadFull(c.want, c.buf[:len(p)])
	switch {
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		return 0, errStop
	case err != nil:
		return 0, err
	case !bytes.Equal(c.buf[:n], p):
		return 0, errStop
	}
	return n, nil
}

// equalText tells whether the dump of an object is what a reader holds.
func equalText(o *btf.Object, want io.Reader) (bool, error) {
	c := comparer{want: want}
	if err := dump.WriteRaw(&c, o); err != nil {
		if errors.Is(err, errStop) {
			return false, nil
		}
		return false, err
	}
	var more [1]byte
	switch _, err := io.ReadFull(want, more[:]); err {
	case io.EOF:
		return true, nil
	case nil:
		return false, nil
	default:
		return false, err
	}
}

// explain says how a dump that is not the golden's differs.
func explain(o *btf.Object, got, want []byte, path string, opt Options) *Result {
	if opt.Context == 0 {
		opt.Context = 3
	}
	if opt.Lines == 0 {
		opt.Lines = 200
	}
	res := &Result{Verdict: Differs}
	res.Unified = appendUnified(nil, want, got, path, "encoded", max(opt.Context, 0), opt.Lines)
	golden, err := ParseRaw(want, o.Base)
	if err != nil {
		res.Problem = err.Error()
		return res
	}
	res.Summary = Diff(golden, o)
	// A text that a dump of the same types would not be has differences that no type tells of.
	if opt.Exceptions.acceptAll(opt.Image, res.Summary) && bytes.Equal(dump.AppendRaw(nil, golden), want) {
		res.Verdict = Accepted
	}
	return res
}
