package batch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/report"
)

// compared reports whether the job has something to compare its BTF with.
func (j *Job) compared() bool { return j.Golden != "" || j.Check.Policy == config.OwnBTF }

// listed bounds how many changes of each kind a comparison lists.
const listed = 20

// compare compares the BTF as the policy of the image says.
func (b *batch) compare(t *target) (*report.Comparison, error) {
	opt := golden.Options{Image: t.Name, Exceptions: b.opt.Goldens.Exceptions, Semantic: t.Check.Policy == config.Semantic, Dialect: t.Check.Dialect}
	for _, a := range t.Check.Allow {
		opt.Allow = append(opt.Allow, golden.Allow{Rule: cause.Rule(a.Rule), Names: a.Names})
	}
	var res *golden.Result
	var err error
	path := t.Golden
	switch t.Check.Policy {
	case config.Digest:
		res, err = golden.CompareSum(path, t.Name, t.sum())
	case config.OwnBTF:
		path = t.File.Path + " (.BTF)"
		res, err = b.compareOwn(t, opt)
	default:
		res, err = golden.Compare(t.object, path, opt)
	}
	if err != nil {
		return nil, fmt.Errorf("golden: %w", err)
	}
	c := report.Compared(path, res, listed)
	if !c.Verdict.OK() && b.opt.Events.Differ != nil {
		b.mu.Lock()
		b.opt.Events.Differ(t.Name, c)
		b.mu.Unlock()
	}
	return c, nil
}

// rewrite rewrites a golden. c has its difference. It is put in place together with the outputs.
func (b *batch) rewrite(t *target, c *report.Comparison, w *writing) (*report.Comparison, error) {
	<-w.done
	if w.err != nil {
		return c, w.err
	}
	if err := golden.Update(t.Golden, t.Check.Dialect, t.object, w.set.Add); err != nil {
		return c, fmt.Errorf("golden: %w", err)
	}
	was := string(c.Verdict)
	if c.Summary != "" {
		was = c.Summary
	}
	return &report.Comparison{Path: c.Path, Verdict: golden.Equal, Summary: "rewritten, was: " + was}, nil
}

// sum is the digest of the BTF.
func (t *target) sum() string {
	sum := sha256.Sum256(t.raw.BTF)
	return hex.EncodeToString(sum[:])
}

// rewriteSum sets the sum of an image, after its outputs are in place. Images share the file, so they write it one after another.
func (b *batch) rewriteSum(t *target, c *report.Comparison) (*report.Comparison, error) {
	b.sums.Lock()
	defer b.sums.Unlock()
	if err := golden.UpdateSum(t.Golden, t.Name, t.sum(), b.files.File); err != nil {
		return c, fmt.Errorf("golden: %w", err)
	}
	return &report.Comparison{Path: c.Path, Verdict: golden.Equal, Summary: "rewritten, was: " + string(c.Verdict)}, nil
}

// compareOwn compares with the section .BTF of the image. Both continue the own BTF of the base, if there is one.
func (b *batch) compareOwn(t *target, opt golden.Options) (*golden.Result, error) {
	f, err := btffile.FromELF(t.image)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(f.BTF, t.raw.BTF) {
		return &golden.Result{Verdict: golden.Equal, Problem: "byte for byte"}, nil
	}
	var base *btf.Object
	if t.base != nil {
		path := t.BaseFile
		if t.Base >= 0 {
			path = b.jobs[t.Base].File.Path
		}
		if base, _, err = btffile.Base(path); err != nil {
			return nil, fmt.Errorf("policy image needs the own BTF of the base: %w", err)
		}
	}
	own, err := f.Object(t.File.Path, base)
	if err != nil {
		return nil, err
	}
	res := golden.CompareOwn(t.object, cause.Input{Object: own}, opt)
	if res.Verdict == golden.Equal {
		res.Problem = "the same types; ids, order or strings differ"
	}
	return res, nil
}
