package batch

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/btfbatch/btfbatch/cmd/internal/evidence"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A target is the BTF of an image, before it is published.
type target struct {
	*Job
	image   *elf.File   // its open file
	object  *btf.Object // the BTF of the raw outputs, the dump and the golden
	order   binary.ByteOrder
	ptrSize int
	smp     bool  // the image is built for several processors
	base    *base // nil if the BTF is not split
	clock   encoder.Clock
	began   time.Time
	left    *ledger // nil unless the row gets details

	encoder encoder.Encoder   // that encoded the image
	reading verify.Reading    // of the raw BTF, for the warnings
	refusal *verify.Refusal   // the first refusal; nil if there is none
	refused *encoder.Sections // the sections that it is about

	decisions   map[string]encoder.FuncDecision // by function, for the policy image
	omittedVars map[string]string               // the rule for a variable that is left out, for the policy image

	own        *base                    // what the image is the base of; nil if there is nothing
	inputSum   string                   // digest of its file, as stored; empty if it is not known
	inputState string                   // its stateKey, if that takes the place of the digest; otherwise empty
	beside     bool                     // other files were used, or searched for
	doubts     int                      // number of warnings about its identity
	key        string                   // of its result in the cache; empty if it has none
	cached     bool                     // the result comes from the cache
	inPlace    map[string]report.Output // outputs that need not be written, by path

	raw    encoder.Sections // for the raw outputs
	inside encoder.Sections // for the copy of the image
}

// setResult sets the object and the sections of the target from the encoder's result. f is the image.
func (t *target) setResult(res *encoder.Result, f *elf.File) (err error) {
	t.object, t.order, t.ptrSize = res.Object, f.Order, f.AddrSize()
	percpu := f.Section(btf.SectionPerCPU)
	t.smp = percpu != nil && percpu.Size > 0
	t.raw = encoder.Sections{BTF: res.Wire(), Object: res.Object}
	t.inside = t.raw
	out := &t.Outputs
	if t.base != nil && t.Settings.Features.Has(feature.DistilledBase) && (out.ELF != "" || out.Base != "") {
		if t.inside, err = res.Sections(); err != nil {
			return err
		}
		// The raw outputs are split against the distilled base if that is one of them, or if there are no other raw outputs.
		if out.Base != "" || !rawOutputs(out) && !t.compared() {
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

// rawOutputs reports whether an output has the BTF itself, in one form or another, and not a copy of the image.
func rawOutputs(o *config.Outputs) bool {
	return o.BTF != "" || o.Dump != "" || o.JSON != "" || o.C != "" || o.Archive != ""
}

// A writing writes outputs to temporary files next to their final paths, while the BTF is verified.
type writing struct {
	set     *publish.Set
	hash    bool                     // the report needs the digests of the files
	keep    bool                     // the cache needs them
	there   map[string]report.Output // by path: files that need not be written
	sums    map[string]fresh         // by path
	outputs []report.Output          // that were written
	done    chan struct{}
	err     error
}

// write starts to write the outputs that consist of the verified bytes. With one worker, they have been written when it returns.
func (b *batch) write(t *target, workers int) *writing {
	w := &writing{set: b.files.Set(), hash: b.hashes(t.Job), keep: b.opt.Cache != nil, there: t.inPlace, sums: map[string]fresh{}, done: make(chan struct{})}
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

// add writes one output, if it has a path. It is compressed if the path says so.
func (w *writing) add(key, path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	return w.addAs(key, path, packed(path, write))
}

// addAs writes one output as it is.
func (w *writing) addAs(key, path string, write func(io.Writer) error) error {
	if o, ok := w.there[path]; ok {
		w.outputs = append(w.outputs, o)
		return nil
	}
	sum := w.tally()
	err := w.set.Add(path, func(to io.Writer) error {
		sum.w = to
		return write(sum)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	w.wrote(key, path, sum)
	return nil
}

// wrote records an output for the report.
func (w *writing) wrote(key, path string, sum *tally) {
	o := report.Output{Kind: kindOfOutput(key), Path: path, Bytes: sum.n}
	if w.hash {
		o.SHA256 = sum.digest()
	}
	if w.keep && key != "outputs.elf" {
		w.sums[path] = fresh{key, sum.digest()}
	}
	w.outputs = append(w.outputs, o)
}

func kindOfOutput(key string) string { return strings.TrimPrefix(key, "outputs.") }

// A tally counts and hashes what is written to a file.
type tally struct {
	w    io.Writer
	n    int64
	hash hash.Hash // nil if the digest is not needed
}

func (w *writing) tally() *tally {
	if w.hash || w.keep {
		return &tally{hash: sha256.New()}
	}
	return &tally{}
}

func (t *tally) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	t.n += int64(n)
	if t.hash != nil {
		t.hash.Write(p[:n])
	}
	return n, err
}

// file counts and hashes a file that was written without a tally.
func (t *tally) file(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if t.n = st.Size(); t.hash == nil {
		return nil
	}
	_, err = io.Copy(t.hash, io.NewSectionReader(f, 0, t.n))
	return err
}

func (t *tally) digest() string {
	if t.hash == nil {
		return ""
	}
	return hex.EncodeToString(t.hash.Sum(nil))
}

// packed compresses the output of write if the name of the file asks for it.
func packed(path string, write func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		z, err := input.NewWriter(w, path)
		if err != nil {
			return err
		}
		return errors.Join(write(z), z.Close())
	}
}

// discard removes the files that were not published.
func (w *writing) discard() {
	<-w.done
	w.set.Discard()
}

// prepare writes the remaining outputs under temporary names.
func (b *batch) prepare(t *target, w *writing, row *report.Row) error {
	<-w.done
	if w.err != nil {
		return w.err
	}
	out := &t.Outputs
	if err := t.texts(w); err != nil {
		return err
	}
	if out.ELF != "" {
		sum, place := w.tally(), w.set.Copy(out.ELF)
		err := t.image.Embed(t.inside.List(), func(of fs.FileInfo, write func(f *os.File) error) error {
			return place(of, func(f *os.File) error {
				if err := write(f); err != nil {
					return err
				}
				return sum.file(f)
			})
		})
		if err != nil {
			return fmt.Errorf("outputs.elf: %w", err)
		}
		w.wrote("outputs.elf", out.ELF, sum)
	}
	if out.Evidence != "" {
		if err := w.add(config.KeyEvidence, out.Evidence, b.evidence(t, w, row)); err != nil {
			return err
		}
	}
	return nil
}

// publish renames all outputs to their final paths, and returns what is there.
func (b *batch) publish(t *target, w *writing) ([]report.Output, error) {
	if b.opt.Outputs.Out != nil {
		if _, err := b.opt.Outputs.Out.Write(t.raw.BTF); err != nil {
			return nil, fmt.Errorf("standard output: %w", err)
		}
	}
	if err := w.set.Commit(); err != nil {
		return nil, err
	}
	b.published(t, w)
	for _, o := range t.Outputs.List() {
		if rejectable(o.Key) {
			removeRejected(o.Path) // from an earlier run; usually there is none
		}
	}
	return w.outputs, nil
}

// texts writes the outputs that are made of the BTF once it is verified.
func (t *target) texts(w *writing) error {
	out := &t.Outputs
	for _, o := range []struct {
		key, path string
		write     func(io.Writer) error
	}{
		{"outputs.dump", out.Dump, func(to io.Writer) error { return dump.WriteRaw(to, t.object) }},
		{"outputs.json", out.JSON, func(to io.Writer) error { return dump.WriteJSON(to, t.object, false) }},
		{"outputs.c", out.C, func(to io.Writer) error { return dump.WriteC(to, t.object, dump.COptions{PointerSize: t.ptrSize}) }},
	} {
		if err := w.add(o.key, o.path, o.write); err != nil {
			return err
		}
	}
	if out.Archive == "" {
		return nil
	}
	return w.addAs("outputs.archive", out.Archive, func(to io.Writer) error { return writeArchive(to, out.Archive, t.archiveMember(), t.raw.BTF) })
}

// evidence returns the function that writes the document about the image and the outputs that are written.
func (b *batch) evidence(t *target, w *writing, row *report.Row) func(io.Writer) error {
	of := *row
	of.Outputs = w.outputs
	// That there is nothing to compare with is about the run, and the warning has a path of the machine.
	of.Warnings = slices.DeleteFunc(slices.Clone(row.Warnings), func(w report.Warning) bool { return w.Rule == ruleNoEarlier })
	s := evidence.Subject{Row: &of, Tool: b.opt.Tool, Options: &t.Settings.Options, Object: t.object, File: t.Outputs.Evidence}
	if o := &t.File.Origin; o.Member != "" {
		s.Package = &evidence.Package{File: filepath.Base(cmp.Or(o.URL, o.Path)), Name: o.Package, Version: o.Version, Member: o.Member,
			SHA256: cmp.Or(t.PackageSHA256, o.SHA256), Pinned: o.Pinned()}
	}
	return func(to io.Writer) error { return escape.WriteJSON(to, evidence.Of(&s), "  ") }
}

func bytesOf(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// Rejected returns the path under which a refused output is kept.
func Rejected(path string) string { return path + ".rejected" }

// rejectable reports whether a refused output of this key can be kept.
func rejectable(key string) bool { return key == "outputs.btf" || key == "outputs.base" }

// removeRejected removes the refused output of a path. It removes no other file that happens to have that name.
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
		_ = os.Remove(path) // if this fails, the next run tries again
	}
}

// reject writes refused outputs to the paths of Rejected, if that is wanted.
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
