// Package golden compares BTF with what it is expected to be.
//
// Input: a BTF object (btf.Object) and the name of a golden file: a raw dump, the text of `bpftool btf dump file F format raw`, plain
// or compressed. Output: a verdict and, if the BTF differs, a comparison by cause. Never: the package does not check whether types are
// correct, and rewrites a golden only in Update.
package golden

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/selected"
)

// A Verdict says how BTF compares with its golden.
type Verdict string

// The verdicts.
const (
	Equal    Verdict = "equal"    // as the policy wants it: byte for byte, or in meaning
	Accepted Verdict = "accepted" // exceptions or allowed rules accept every difference
	Differs  Verdict = "differs"
	Missing  Verdict = "missing" // there is no golden
)

// OK tells whether the verdict lets a run pass.
func (v Verdict) OK() bool { return v == Equal || v == Accepted }

// Options of a comparison.
type Options struct {
	Image      string      // the name that exceptions may ask for
	Exceptions *Exceptions // nil accepts nothing
	Allow      []Allow     // rules whose changes are accepted
	Semantic   bool        // ids and the order of types do not count
	Older      *Evidence   // for CompareOwn: differences by older encoders are accepted; nil accepts none
	Dialect    string      // that the golden must be in; empty for any that is known
	// Selection, if it is not nil, says which declarations the golden has. Then it is not a raw dump, but what package selected writes.
	Selection *selected.Selection
	// Layouts is the largest number of layouts; see cause.Options.
	Layouts int
	// Base is what the golden of split BTF continues if that is not the base of the object: the golden of the base, where the two differ. It may be
	// nil. A golden that does not fit it continues the base of the object.
	Base *btf.Object

	oldVars bool // the old side of CompareOwn has variables
}

// A Result is the outcome of a comparison.
type Result struct {
	Verdict Verdict
	// Comparison is an exact comparison, the golden on the old side; nil when they are equal, there is no golden, or Problem says why.
	Comparison *cause.Comparison
	// Problem says why there is no comparison: the golden is not a raw dump, continues another base, or has the same types in another
	// text.
	Problem string
	// Lines shows, where there is a Problem, the first line that differs.
	Lines string
	// Golden is the golden, if it is another text than the dump and could be read. It is nil if the texts are equal.
	Golden *btf.Object
}

// errStop ends a dump at its first difference.
var errStop = errors.New("differs")

// Compare compares an object with a golden file: its raw dump, or its selected declarations. Equal dumps are compared as they are printed, neither
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
	if opt.Selection != nil {
		res, err := compareSelected(o, f, path, opt)
		return res, input.Named(path, err)
	}
	if f.Kind == input.Dense {
		res, err := compareDense(o, f, path, opt)
		return res, input.Named(path, err)
	}
	text := bufio.NewReaderSize(f, 64<<10)
	dialect, err := readDialect(text)
	if err == nil && opt.Dialect != "" && opt.Dialect != cmp.Or(dialect, Dialect) {
		err = fmt.Errorf("its dialect is %s, not %s", cmp.Or(dialect, Dialect), opt.Dialect)
	}
	var equal bool
	if err == nil {
		equal, err = equalText(o, text)
	}
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
	if dialect != "" {
		_, want, _ = bytes.Cut(want, newline)
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
	res := &Result{Verdict: Differs}
	if selected.Is(want) {
		res.Problem = "it is a golden of selected declarations, which needs policy: selected"
		return res
	}
	golden, err := opt.parsed(o, func(base *btf.Object) (*btf.Object, error) { return ParseRaw(want, base) })
	if err != nil {
		res.Problem, res.Lines = err.Error(), firstLines(want, got, path)
		return res
	}
	return compareParsed(o, golden, got, want, path, opt)
}

// OnBase returns what parse makes of a golden with the first base that it continues. If it continues none, the error is that for the last one.
func OnBase[T any](bases []*btf.Object, parse func(base *btf.Object) (T, error)) (golden T, err error) {
	for _, base := range bases {
		if golden, err = parse(base); err == nil {
			break
		}
	}
	return golden, err
}

// parsed returns a golden, whose base is that of the options or that of the object.
func (opt *Options) parsed(o *btf.Object, parse func(base *btf.Object) (*btf.Object, error)) (*btf.Object, error) {
	bases := []*btf.Object{o.Base}
	if opt.Base != nil && o.Base != nil {
		bases = []*btf.Object{opt.Base, o.Base}
	}
	golden, err := OnBase(bases, parse)
	if _, wrong := errors.AsType[*BaseError](err); wrong {
		err = fmt.Errorf("%w: the base is another one than when the golden was written, and has no golden that says which; put a new golden in its place", err)
	}
	return golden, err
}

// compareParsed says how a dump differs from that of a golden.
func compareParsed(o, golden *btf.Object, got, want []byte, path string, opt Options) *Result {
	res := &Result{Verdict: Differs, Golden: golden}
	c := cause.Compare(cause.Input{Object: golden}, cause.Input{Object: o}, cause.Options{Exact: !opt.Semantic, Layouts: opt.Layouts})
	if c.Verdict.Equal && opt.Semantic {
		return &Result{Verdict: Equal, Golden: golden}
	}
	// A text that a dump of the same types would not be has differences that no type tells of.
	same := opt.Semantic || bytes.Equal(dump.AppendRaw(nil, golden), want)
	accepted := opt.accept(c)
	switch {
	case c.Verdict.Equal || !same && accepted:
		res.Problem, res.Lines = "its text is not that of a dump of its types", firstLines(want, got, path)
	case accepted:
		res.Verdict = Accepted
	}
	if !c.Verdict.Equal {
		res.Comparison = c
	}
	return res
}

// firstLines shows the first line in which two texts differ.
func firstLines(golden, got []byte, path string) string {
	const most = 200 // bytes of a line
	line := func(text []byte) string {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return string(text[:min(len(text), most)]) + "\n\\ no newline at the end"
		}
		return string(text[:min(end, most)])
	}
	n := 1
	for {
		i, j := bytes.IndexByte(golden, '\n'), bytes.IndexByte(got, '\n')
		if i < 0 || j < 0 || !bytes.Equal(golden[:i], got[:j]) {
			return fmt.Sprintf("line %d of %s:\n-%s\n+%s\n", n, path, line(golden), line(got))
		}
		golden, got = golden[i+1:], got[j+1:]
		n++
	}
}
