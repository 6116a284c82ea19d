package batch

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/btfbatch/btfbatch/cmd/internal/embed"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/sorted"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A target is the BTF of an image, before it is published.
type target struct {
	im      *config.Image
	object  *btf.Object // what the raw outputs, the dump and the golden are about
	order   binary.ByteOrder
	ptrSize int
	smp     bool  // the image is built for several processors
	base    *base // what it continues, nil unless split
	clock   encoder.Clock

	raw    form // as raw outputs have it
	inside form // as the copy of the image has it
}

// A form is BTF as it reaches a kernel.
type form struct {
	wire      []byte
	distilled []byte // the distilled base that it continues, nil if there is none
}

// Sections that hold BTF.
const (
	sectionBTF  = ".BTF"
	sectionBase = ".BTF.base"
)

// take gives the target its object and makes its forms. f is the image.
func (t *target) take(o *btf.Object, f *elf.File) error {
	t.object, t.order, t.ptrSize = o, f.Order, f.AddrSize()
	percpu := f.Section(".data..percpu")
	t.smp = percpu != nil && percpu.Size > 0
	t.raw.wire = o.AppendWire(nil)
	t.inside = t.raw
	out := &t.im.Outputs
	if t.base != nil && t.im.Features.Has(feature.DistilledBase) && (out.ELF != "" || out.Base != "") {
		if err := t.distil(); err != nil {
			return err
		}
	}
	if out.ELF == "" {
		t.inside = t.raw
		return nil
	}
	if t.inside.distilled == nil && f.Section(sectionBase) != nil {
		return fmt.Errorf("outputs.elf: %w", embed.ErrStaleBase)
	}
	reserved, _ := f.Reserved(sectionBTF)
	t.inside.wire = btf.Pad(t.inside.wire, t.order, reserved)
	return nil
}

// distil makes the pair of a distilled base and the BTF that continues it. Raw outputs are about it if the base is one of them, or
// if there are none.
func (t *target) distil() error {
	base, split, err := distill.Distill(t.object)
	if err != nil {
		return fmt.Errorf("distilled base: %w", err)
	}
	if t.im.SortByName { // the base has the order of the whole one, but types of it were added to the split part
		split = sorted.ByName(split)
	}
	t.inside = form{split.AppendWire(nil), base.AppendWire(nil)}
	if out := &t.im.Outputs; out.Base != "" || out.BTF == "" && out.Dump == "" && t.im.Golden == "" {
		t.object, t.raw = split, t.inside
	}
	return nil
}

// publish puts the outputs in their places.
func (b *batch) publish(t *target) error {
	set := b.files.Set()
	defer set.Discard()
	out := &t.im.Outputs
	for _, o := range []struct {
		key, path string
		write     func(io.Writer) error
	}{
		{"outputs.btf", out.BTF, bytesOf(t.raw.wire)},
		{"outputs.base", out.Base, bytesOf(t.raw.distilled)},
		{"outputs.dump", out.Dump, func(w io.Writer) error { return dump.WriteRaw(w, t.object) }},
	} {
		if o.path == "" {
			continue
		}
		if err := set.Add(o.path, o.write); err != nil {
			return fmt.Errorf("%s: %w", o.key, err)
		}
	}
	// The copy of the image is the first to take its place, because it is made whole or not at all by itself.
	if out.ELF != "" {
		path, err := b.files.Prepare(out.ELF)
		if err == nil {
			err = elf.Embed(t.im.Path, path, t.inside.sections())
		}
		if err != nil {
			return fmt.Errorf("outputs.elf: %w", err)
		}
	}
	if err := set.Commit(); err != nil {
		return err
	}
	for _, path := range []string{out.BTF, out.Base} {
		if path != "" {
			_ = os.Remove(Rejected(path)) // of an earlier run; usually there is none
		}
	}
	return nil
}

func (f *form) sections() []elf.EmbedSection {
	list := []elf.EmbedSection{{Name: sectionBTF, Data: f.wire}}
	if f.distilled != nil {
		list = append(list, elf.EmbedSection{Name: sectionBase, Data: f.distilled})
	}
	return list
}

func bytesOf(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// Rejected is where a refused output is kept.
func Rejected(path string) string { return path + ".rejected" }

// reject keeps refused outputs beside their places, if that is wanted.
func (b *batch) reject(t *target) error {
	if !b.opt.KeepRejected {
		return nil
	}
	set := b.files.Set()
	defer set.Discard()
	for _, o := range []struct {
		path string
		data []byte
	}{{t.im.Outputs.BTF, t.raw.wire}, {t.im.Outputs.Base, t.raw.distilled}} {
		if o.path == "" {
			continue
		}
		if err := set.Add(Rejected(o.path), bytesOf(o.data)); err != nil {
			return err
		}
	}
	return set.Commit()
}

// listed bounds how many changes of each kind a comparison lists.
const listed = 20

// compare compares with the golden, and rewrites it if that is wanted.
func (b *batch) compare(t *target) (*report.Comparison, error) {
	res, err := golden.Compare(t.object, t.im.Golden, golden.Options{Image: t.im.Name, Exceptions: b.opt.Exceptions})
	if err != nil {
		return nil, fmt.Errorf("golden: %w", err)
	}
	c := report.Compared(t.im.Golden, res, listed)
	if c.Verdict.OK() {
		return c, nil
	}
	if b.opt.OnDiffer != nil {
		b.mu.Lock()
		b.opt.OnDiffer(t.im.Name, c)
		b.mu.Unlock()
	}
	if !b.opt.Update {
		return c, nil
	}
	if err := golden.Update(t.im.Golden, t.object); err != nil {
		return c, fmt.Errorf("golden: %w", err)
	}
	was := string(c.Verdict)
	if c.Summary != "" {
		was = c.Summary
	}
	return &report.Comparison{Path: c.Path, Verdict: golden.Equal, Summary: "rewritten, was: " + was}, nil
}
