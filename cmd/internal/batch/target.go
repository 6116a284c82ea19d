package batch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A target is the BTF of an image, before it is published.
type target struct {
	im       *config.Image
	object   *btf.Object
	wire     []byte
	order    binary.ByteOrder
	ptrSize  int
	base     *btf.Object // nil unless split
	baseWire []byte
	reserved uint64 // bytes that the linker reserved for BTF in the image, 0 if it did not
}

// Rejected is where a refused output is kept.
func Rejected(path string) string { return path + ".rejected" }

// verify asks the kernels that the image is for, or the newest if it names none. The error is the first refusal.
func (t *target) verify() ([]report.Verification, error) {
	kernels, err := t.kernels()
	if err != nil {
		return nil, err
	}
	list, err := t.ask(t.wire, kernels)
	if len(list) == 0 && err == nil { // none of them reads this kind of BTF
		kernels = []verify.Kernel{verify.Newest}
		list, err = t.ask(t.wire, kernels)
	}
	if err == nil && t.im.Outputs.ELF != "" && len(t.padded()) != len(t.wire) {
		_, err = t.ask(t.padded(), kernels)
	}
	return list, err
}

func (t *target) kernels() ([]verify.Kernel, error) {
	var list []verify.Kernel
	for _, name := range t.im.Verify {
		k, err := verify.ParseKernel(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, k) { // the newest one also has a name
			list = append(list, k)
		}
	}
	if list == nil {
		list = []verify.Kernel{verify.Newest}
	}
	return list, nil
}

func (t *target) ask(wire []byte, kernels []verify.Kernel) ([]report.Verification, error) {
	opt := verify.Options{Path: verify.Vmlinux, Order: t.order, PtrSize: t.ptrSize}
	if t.base != nil {
		opt.Path, opt.Base = verify.Module, t.baseWire
	}
	var list []report.Verification
	var first error
	for _, k := range kernels {
		opt.Kernel = k
		err := verify.Check(wire, opt)
		if errors.Is(err, verify.ErrNoPath) {
			continue
		}
		v := report.Verification{Kernel: k.String(), Accepted: err == nil, Required: true}
		if err != nil {
			prefix := fmt.Sprintf("kernel %s, path %s: ", k, opt.Path)
			v.Problem = strings.TrimPrefix(err.Error(), prefix)
			if first == nil {
				first = fmt.Errorf("kernel %s refuses it: %s", k, v.Problem)
			}
		}
		list = append(list, v)
	}
	return list, first
}

// publish puts the outputs in their places.
func (b *batch) publish(t *target) error {
	set := b.files.Set()
	defer set.Discard()
	out := &t.im.Outputs
	if out.BTF != "" {
		if err := set.Add(out.BTF, t.writeWire); err != nil {
			return fmt.Errorf("outputs.btf: %w", err)
		}
	}
	if out.Dump != "" {
		if err := set.Add(out.Dump, t.writeDump); err != nil {
			return fmt.Errorf("outputs.dump: %w", err)
		}
	}
	// The copy of the image is the first to take its place, because it is made whole or not at all by itself.
	if out.ELF != "" {
		path, err := b.files.Prepare(out.ELF)
		if err == nil {
			err = elf.Embed(t.im.Path, path, []elf.EmbedSection{{Name: sectionBTF, Data: t.padded()}})
		}
		if err != nil {
			return fmt.Errorf("outputs.elf: %w", err)
		}
	}
	if err := set.Commit(); err != nil {
		return err
	}
	if out.BTF != "" {
		_ = os.Remove(Rejected(out.BTF)) // of an earlier run; usually there is none
	}
	return nil
}

// reject keeps a refused output beside its place, if that is wanted.
func (b *batch) reject(t *target) error {
	if !b.opt.KeepRejected || t.im.Outputs.BTF == "" {
		return nil
	}
	set := b.files.Set()
	defer set.Discard()
	if err := set.Add(Rejected(t.im.Outputs.BTF), t.writeWire); err != nil {
		return err
	}
	return set.Commit()
}

const sectionBTF = ".BTF"

// padded is the BTF as the image takes it.
func (t *target) padded() []byte { return btf.Pad(t.wire, t.order, t.reserved) }

func (t *target) writeWire(w io.Writer) error {
	_, err := w.Write(t.wire)
	return err
}

func (t *target) writeDump(w io.Writer) error { return dump.WriteRaw(w, t.object) }

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
