package batch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/dump"
)

// A target is the BTF of an image, before it is published.
type target struct {
	*Job
	image   *elf.File   // its open file
	object  *btf.Object // what the raw outputs, the dump and the golden are about
	order   binary.ByteOrder
	ptrSize int
	smp     bool  // the image is built for several processors
	base    *base // what it continues, nil unless split
	clock   encoder.Clock

	encoder encoder.Encoder // that it was encoded with
	refusal *verify.Refusal // the first, and the sections that it is about
	refused *encoder.Sections

	raw    encoder.Sections // as raw outputs have it
	inside encoder.Sections // as the copy of the image has it
}

// take gives the target its object and makes its forms. f is the image.
func (t *target) take(res *encoder.Result, f *elf.File) (err error) {
	t.object, t.order, t.ptrSize = res.Object, f.Order, f.AddrSize()
	percpu := f.Section(btf.SectionPerCPU)
	t.smp = percpu != nil && percpu.Size > 0
	t.raw = encoder.Sections{BTF: res.Object.AppendWire(nil), Object: res.Object}
	t.inside = t.raw
	out := &t.Outputs
	if t.base != nil && t.Settings.Features.Has(feature.DistilledBase) && (out.ELF != "" || out.Base != "") {
		if t.inside, err = res.Sections(); err != nil {
			return err
		}
		// Raw outputs are about the distilled pair if the base is one of them, or if there are none.
		if out.Base != "" || out.BTF == "" && out.Dump == "" && !t.compared() {
			t.object, t.raw = t.inside.Object, t.inside
		}
	}
	if out.ELF == "" {
		t.inside = t.raw
		return nil
	}
	if t.inside, err = t.inside.For(f); err != nil {
		return fmt.Errorf("outputs.elf: %w", err)
	}
	return nil
}

// writing is the writing of outputs under names of their own, beside their places, while the kernels are asked about them.
type writing struct {
	set  *publish.Set
	done chan struct{}
	err  error
}

// write starts to write what is nothing but the bytes that are verified. With one worker it has written them when it returns.
func (b *batch) write(t *target, workers int) *writing {
	w := &writing{set: b.files.Set(), done: make(chan struct{})}
	work := func() {
		defer close(w.done)
		w.err = w.add("outputs.btf", t.Outputs.BTF, bytesOf(t.raw.BTF))
		if w.err == nil {
			w.err = w.add("outputs.base", t.Outputs.Base, bytesOf(t.raw.Base))
		}
		if w.err == nil && workers > 1 {
			w.err = w.set.Sync()
		}
	}
	if workers > 1 {
		go work()
	} else {
		work()
	}
	return w
}

// add writes one output, if it has a path.
func (w *writing) add(key, path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	if err := w.set.Add(path, packed(path, write)); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// packed compresses what write writes, as the name of the file says.
func packed(path string, write func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		z, err := input.NewWriter(w, path)
		if err != nil {
			return err
		}
		return errors.Join(write(z), z.Close())
	}
}

// discard removes what was not published.
func (w *writing) discard() {
	<-w.done
	w.set.Discard()
}

// publish writes the other outputs, and puts all in their places.
func (b *batch) publish(t *target, w *writing) error {
	<-w.done
	if w.err != nil {
		return w.err
	}
	out := &t.Outputs
	if err := w.add("outputs.dump", out.Dump, func(to io.Writer) error { return dump.WriteRaw(to, t.object) }); err != nil {
		return err
	}
	if out.ELF != "" {
		if err := t.image.Embed(t.inside.List(), w.set.Copy(out.ELF)); err != nil {
			return fmt.Errorf("outputs.elf: %w", err)
		}
	}
	if b.opt.Outputs.Out != nil {
		if _, err := b.opt.Outputs.Out.Write(t.raw.BTF); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
	}
	if err := w.set.Commit(); err != nil {
		return err
	}
	for _, o := range out.List() {
		if rejectable(o.Key) {
			removeRejected(o.Path) // of an earlier run; usually there is none
		}
	}
	return nil
}

func bytesOf(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// Rejected is where a refused output is kept.
func Rejected(path string) string { return path + ".rejected" }

// rejectable tells whether a refused output is kept.
func rejectable(key string) bool { return key == "outputs.btf" || key == "outputs.base" }

// removeRejected removes the refused output of a path, and nothing else that has its name by chance.
func removeRejected(of string) {
	path := Rejected(of)
	if st, err := os.Lstat(path); err != nil || !st.Mode().IsRegular() {
		return
	}
	f, err := input.OpenStream(path, input.BTF)
	if err != nil {
		return
	}
	defer f.Close()
	if f.Packed == input.Compression(of) {
		_ = os.Remove(path) // or it stays for the next time
	}
}

// reject keeps refused outputs beside their places, if that is wanted.
func (b *batch) reject(t *target) error {
	if !b.opt.Outputs.KeepRejected {
		return nil
	}
	set := b.files.Set()
	defer set.Discard()
	for _, o := range []struct {
		path string
		data []byte
	}{{t.Outputs.BTF, t.raw.BTF}, {t.Outputs.Base, t.raw.Base}} {
		if o.path == "" {
			continue
		}
		if err := set.Add(Rejected(o.path), packed(o.path, bytesOf(o.data))); err != nil {
			return err
		}
	}
	return set.Commit()
}
