package golden

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/dense"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/selected"
)

// compareSelected compares the selected declarations of an object with a golden of selected declarations.
func compareSelected(o *btf.Object, golden io.Reader, path string, opt Options) (*Result, error) {
	want, err := io.ReadAll(io.LimitReader(golden, selected.MaxText+1))
	if err != nil {
		return nil, err
	}
	got, err := selected.Append(nil, o, opt.Selection)
	if err != nil {
		return nil, err
	}
	missing := missingText(o, opt.Selection)
	if missing == "" && bytes.Equal(got, want) {
		return &Result{Verdict: Equal}, nil
	}
	res := &Result{Verdict: Differs, Problem: missing}
	was, err := selected.Parse(want)
	if err != nil {
		res.Problem, res.Lines = err.Error(), firstLines(want, got, path)
		return res, nil //nolint:nilerr // a damaged golden differs
	}
	if !was.Selection.Equal(opt.Selection) && res.Problem == "" {
		res.Problem = "it was written for another selection: " + changed(was.Selection.Patterns(), opt.Selection.Patterns())
	}
	is, err := selected.Parse(got)
	if err != nil {
		return nil, err
	}
	c := cause.Compare(was.Input("", ""), is.Input("", ""), cause.Options{Layouts: opt.Layouts})
	accepted := opt.accept(c)
	switch {
	case res.Problem != "":
	case c.Verdict.Equal: // the same in another order, or with comments
		return &Result{Verdict: Equal}, nil
	case accepted:
		res.Verdict = Accepted
	}
	if !c.Verdict.Equal {
		res.Comparison = c
	}
	return res, nil
}

// compareDense compares an object with a golden in the form of package dense. Two of these are equal if their raw dumps are.
func compareDense(o *btf.Object, golden io.Reader, path string, opt Options) (*Result, error) {
	got, err := dense.Append(nil, o)
	if err != nil && !errors.Is(err, dense.ErrCannot) {
		return nil, err
	}
	most := bytesFor(got)
	want, err := io.ReadAll(io.LimitReader(golden, most+1))
	switch {
	case err != nil:
		return nil, err
	case len(got) > 0 && bytes.Equal(got, want):
		return &Result{Verdict: Equal}, nil
	case int64(len(want)) > most:
		return &Result{Verdict: Differs, Problem: fmt.Sprintf("it is many times as long as the BTF in its form, which has %d bytes", len(got))}, nil
	}
	was, err := opt.parsed(o, func(base *btf.Object) (*btf.Object, error) { return dense.Parse(want, base) })
	if err != nil {
		return &Result{Verdict: Differs, Problem: err.Error()}, nil //nolint:nilerr // a damaged golden differs
	}
	text := dump.AppendRaw(nil, o)
	wanted := dump.AppendRaw(nil, was)
	if bytes.Equal(text, wanted) {
		return &Result{Verdict: Equal}, nil
	}
	return compareParsed(o, was, text, wanted, path, opt), nil
}

// selectedText returns the golden of the selected declarations of an object, which must have all that the selection names.
func selectedText(o *btf.Object, s *selected.Selection) ([]byte, error) {
	if missing := missingText(o, s); missing != "" {
		return nil, errors.New(missing)
	}
	return selected.Append(nil, o, s)
}

// missingText says which names of a selection stand for nothing in an object, or is empty.
func missingText(o *btf.Object, s *selected.Selection) string {
	list := s.Missing(o)
	if list == nil {
		return ""
	}
	return "the image does not have what select names: " + strings.Join(list, ", ")
}

// changed lists the patterns of two selections that only one has.
func changed(was, is []string) string {
	var list []string
	for _, p := range is {
		if !slices.Contains(was, p) {
			list = append(list, p+" is not in the golden")
		}
	}
	for _, p := range was {
		if !slices.Contains(is, p) {
			list = append(list, p+" is not in the manifest")
		}
	}
	return strings.Join(list, ", ")
}

// writeText writes a text, compressed or plain.
func writeText(w io.Writer, text []byte, packed string) error {
	z, err := input.NewDensePacker(w, packed)
	if err != nil {
		return err
	}
	_, err = z.Write(text)
	return errors.Join(err, z.Close())
}

// agreeSelected reports whether two objects have the same selected declarations, apart from what options accept.
func agreeSelected(o, other *btf.Object, opt Options) bool {
	is, err := selected.Reduce(o, opt.Selection)
	if err != nil || missingText(other, opt.Selection) != "" {
		return false
	}
	was, err := selected.Reduce(other, opt.Selection)
	if err != nil {
		return false
	}
	c := cause.Compare(was.Input("", ""), is.Input("", ""), cause.Options{})
	opt.Exceptions = opt.Exceptions.fresh()
	return c.Verdict.Equal || opt.accept(c)
}

// A Side is a side of a comparison that may be a golden of selected declarations.
type Side struct {
	cause.Input
	Selected *selected.Golden // nil if the side is complete
}

// Parse reads a golden: a raw dump, its dense form, or selected declarations. base is as for ParseRaw.
func (s *Side) Parse(text []byte, base *btf.Object) (err error) {
	if dense.Is(text) {
		s.Object, err = dense.Parse(text, base)
		return err
	}
	if !selected.Is(text) {
		s.Object, err = ParseRaw(text, base)
		return err
	}
	if s.Selected, err = selected.Parse(text); err == nil {
		s.Input = s.Selected.Input(s.Name, s.Digest)
	}
	return err
}

// Reduce makes two sides comparable: each is reduced to the declarations that the other has selected, if that is a golden of selected
// declarations.
func Reduce(a, b *Side) error {
	of, with := a.Selected, b.Selected
	return errors.Join(reduce(a, with), reduce(b, of))
}

// reduce reduces a side to the declarations that another golden has selected. It leaves the side as it is if that golden is nil.
func reduce(s *Side, other *selected.Golden) error {
	if other == nil {
		return nil
	}
	var g *selected.Golden
	var err error
	if s.Selected != nil {
		g, err = s.Selected.Reduce(other.Selection)
	} else {
		g, err = selected.Reduce(s.Object, other.Selection)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	s.Selected, s.Input = g, g.Input(s.Name, s.Digest)
	return nil
}
