package batch

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/report"
	"github.com/btfbatch/btfbatch/golden/selected"
)

// compared reports whether the BTF of the job is compared with a golden or with the image's own BTF.
func (j *Job) compared() bool { return j.Golden != "" || j.Check.Policy == config.OwnBTF }

// goldenOptions returns the options for comparing an image with its golden.
func (b *batch) goldenOptions(t *target) golden.Options {
	form := t.form()
	opt := golden.Options{Image: t.Name, Exceptions: b.opt.Goldens.Exceptions, Semantic: t.Check.Policy == config.Semantic,
		Dialect: form.Dialect, Selection: form.Selection}
	if t.base != nil {
		opt.Base = t.base.was
	}
	if b.opt.Details {
		opt.Layouts = report.MaxLayouts
	}
	for _, a := range t.Check.Allow {
		opt.Allow = append(opt.Allow, golden.Allow{Rule: cause.Rule(a.Rule), Names: a.Names})
	}
	return opt
}

// form returns the form of the golden.
func (j *Job) form() golden.Form {
	f := golden.Form{Dialect: j.Check.Dialect}
	if j.Check.Policy == config.Selected {
		var err error
		if f.Selection, err = selected.ParseSelection(j.Check.Select); err != nil {
			panic(err) // the manifest has been checked
		}
	}
	return f
}

// compare compares the BTF according to the policy of the image.
func (b *batch) compare(ctx context.Context, t *target, row *report.Row) (*report.Comparison, error) {
	opt := b.goldenOptions(t)
	var res *golden.Result
	var err error
	path := t.Golden
	switch t.Check.Policy {
	case config.Digest:
		res, err = golden.CompareSum(path, t.Name, t.sum())
	case config.OwnBTF:
		path = t.File.Where() + report.OwnBTF
		res, err = b.compareOwn(ctx, t, opt)
	default:
		res, err = golden.Compare(t.object, path, opt)
	}
	if err != nil {
		return nil, fmt.Errorf("golden: %w", err)
	}
	if t.own != nil {
		t.own.was = res.Golden
	}
	row.Details.Compare(res.Comparison)
	c := report.Compared(path, res, report.LimitsFor(len(b.jobs)))
	if !c.Verdict.OK() && b.opt.Events.Differ != nil {
		b.mu.Lock()
		b.opt.Events.Differ(t.Name, c)
		b.mu.Unlock()
	}
	return c, nil
}

// rewrite writes a new golden, which is published together with the outputs. c is the comparison with the old golden.
func (b *batch) rewrite(t *target, c *report.Comparison, w *writing) (*report.Comparison, error) {
	<-w.done
	if w.err != nil {
		return c, w.err
	}
	if err := golden.Update(t.Golden, t.form(), t.object, w.set.Add); err != nil {
		return c, fmt.Errorf("golden: %w", err)
	}
	return &report.Comparison{Path: c.Path, Verdict: golden.Equal, Summary: rewrittenSummary(c)}, nil
}

// rewrittenSummary returns the summary for a golden that was created or rewritten. c is the comparison before that.
func rewrittenSummary(c *report.Comparison) string {
	if c.Verdict == golden.Missing {
		return "created"
	}
	return "rewritten, was: " + cmp.Or(c.Summary, string(c.Verdict))
}

// sum returns the SHA-256 digest of the BTF, in hexadecimal.
func (t *target) sum() string {
	sum := sha256.Sum256(t.raw.BTF)
	return hex.EncodeToString(sum[:])
}

// rewriteSum writes the sum of an image into the file of sums, after the outputs are published. Images share the file, so only one writes at a
// time.
func (b *batch) rewriteSum(t *target, c *report.Comparison) (*report.Comparison, error) {
	b.sums.Lock()
	defer b.sums.Unlock()
	if err := golden.UpdateSum(t.Golden, t.Name, t.sum(), b.files.File); err != nil {
		return c, fmt.Errorf("golden: %w", err)
	}
	return &report.Comparison{Path: c.Path, Verdict: golden.Equal, Summary: rewrittenSummary(&report.Comparison{Verdict: c.Verdict})}, nil
}

// compareOwn compares the BTF with the section .BTF of the image. If the image has a base, .BTF is read as a continuation of the base's own
// .BTF.
func (b *batch) compareOwn(ctx context.Context, t *target, opt golden.Options) (*golden.Result, error) {
	f, err := btffile.FromELF(t.image)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(f.BTF, t.raw.BTF) {
		return &golden.Result{Verdict: golden.Equal, Problem: "byte for byte"}, nil
	}
	var base *btf.Object
	if t.base != nil {
		if base, err = b.ownBase(ctx, t); err != nil {
			return nil, fmt.Errorf("policy image needs the own BTF of the base: %w", err)
		}
	}
	own, err := f.Object(t.File.Where(), base)
	if err != nil {
		return nil, err
	}
	if opt.Older, err = t.evidence(); err != nil {
		return nil, err
	}
	res := golden.CompareOwn(t.object, cause.Input{Object: own}, opt)
	if res.Verdict == golden.Equal {
		res.Problem = "the same types; ids, order or strings differ"
	}
	return res, nil
}

// ownBase reads the section .BTF of the image that is the base of another one, or the file of the base. An image in a package is taken out of
// it again.
func (b *batch) ownBase(ctx context.Context, t *target) (*btf.Object, error) {
	if t.Base < 0 {
		in, _, err := t.base.openFile()
		if err != nil {
			return nil, err
		}
		defer in.Close()
		o, _, err := btffile.BaseFrom(in, t.BaseFile)
		return o, err
	}
	f := &b.jobs[t.Base].File
	in, err := f.Source.Open(ctx)
	if err != nil {
		return nil, input.Named(f.Where(), err)
	}
	defer in.Close()
	o, _, err := btffile.BaseFrom(in, f.Where())
	return o, err
}
