package batch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/measure"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A result is kept when kernels have accepted the BTF of an image, under everything that it was made from: see key. An image whose result is
// known is not encoded and verified again. What depends on other things than the key is not kept and done in every run: the comparison with
// the manifest's pins, with the base and with the golden, and writing outputs that are not in their places.

// A Cache says where results are kept.
type Cache struct {
	*cache.Cache
	Tool   string // digest of this program, which decides what the results are
	Again  bool   // absences that are known are looked at again
	Verify bool   // inputs and outputs are read to compare their digests, even if the file system says that they did not change
}

// A result is what is kept of an image.
type result struct {
	File   corpus.Known     `json:"file"`
	Row    report.Row       `json:"row"`     // without what differs from run to run
	PerCPU *measure.Section `json:"per_cpu"` // of the details, whose JSON lacks it

	PtrSize int `json:"pointer_size"` // of the image

	// Digests of the BTF, of its distilled base, and of the forms of both for the copy of the image. Empty if there is none.
	BTF        string `json:"btf"`
	Base       string `json:"base,omitempty"`
	InsideBTF  string `json:"inside_btf,omitempty"`
	InsideBase string `json:"inside_base,omitempty"`
}

// blobs returns the digests of the blobs of a result.
func (r *result) blobs() (list []string) {
	for _, sum := range []string{r.BTF, r.Base, r.InsideBTF, r.InsideBase} {
		if sum != "" {
			list = append(list, sum)
		}
	}
	return list
}

// kept reports whether the result of an image can be kept. The comparison with an image's own BTF needs what the encoder decides. The
// digest of a file on a server is only known if all of it is fetched, which happens if a pin or the index of an archive has it.
func (b *batch) kept(j *Job) bool {
	e := &b.opt.Encoding
	return b.opt.Cache != nil && j.Check.Policy != config.OwnBTF && e.OnFunc == nil && e.OnVar == nil && (!j.File.Origin.Network || j.File.Origin.SHA256 != "")
}

// recall returns the digest of the image's file if it is known without reading the file.
func (b *batch) recall(j *Job) string {
	path := stored(&j.File)
	if b.opt.Cache.Verify {
		return ""
	}
	if o := &j.File.Origin; o.Network {
		if known, _ := b.opt.Cache.Compared(o.Ref, o.Facts, o.SHA256); !known {
			return ""
		}
		return o.SHA256 // no other bytes are accepted, so there is no need to fetch them
	}
	if path == "" {
		return ""
	}
	r, current, err := b.opt.Cache.Recall(path, cache.StateOf(path))
	b.trouble(err)
	if pin := j.File.Origin.Ref.SHA256; !current || pin != "" && pin != r.SHA256 { // opening a package compares it
		return ""
	}
	return r.SHA256
}

// stateKey identifies the contents of the image's file by its state, which costs nothing: the digest of a kernel takes as long as its BTF. It is
// empty if the state does not say enough, because the file was changed just now, and if the digest is needed anyway.
func (b *batch) stateKey(t *target) string {
	path := stored(&t.File)
	if path == "" || !b.kept(t.Job) || b.opt.Cache.Verify || b.opt.Cache.Shared() || b.hashes(t.Job) || t.File.Pins.SHA256 != "" {
		return ""
	}
	s := cache.StateOf(path)
	if s.ID == "" || t.began.Sub(s.Changed) < cache.Settling {
		return ""
	}
	if r, _, err := b.opt.Cache.Recall(path, s); err == nil && r.State == s.ID { // read when it had just been changed: its result is kept by digest
		return ""
	}
	return stateKey + s.ID
}

// stateKey is the start of a key that is the state of a file.
const stateKey = "state "

// inputKey identifies the contents of the image's file in the cache. It is empty if nothing is known that does.
func (t *target) inputKey() string { return cmp.Or(t.inputSum, t.inputState) }

// stored returns the path of the file that holds an image: of the image, or of its package. It is empty if that is not a file.
func stored(f *corpus.File) string {
	if _, own := f.Source.(source.File); own {
		return f.Path
	}
	return f.Origin.Path
}

// remember notes the digest of the image's file, which was read after it had the given state.
func (b *batch) remember(t *target, before cache.State) {
	path := stored(&t.File)
	if t.inputSum == "" || path == "" || before.ID == "" {
		return
	}
	if cache.StateOf(path) == before {
		b.trouble(b.opt.Cache.Remember(path, before, t.began, t.inputSum, ""))
	}
}

// key returns the name of everything that the result of an image was made from, or "" if that is not known.
func (b *batch) key(ctx context.Context, t *target) (string, error) {
	if t.inputKey() == "" {
		return "", nil
	}
	base, earlier := "", ""
	var err error
	if t.base != nil {
		if base, err = t.base.known(ctx, &b.hash); err != nil {
			return "", err
		}
	}
	if file := b.opt.Lint.earlier(t.Name); b.opt.Lint.On && file != "" {
		in, err := input.Open(file)
		if err != nil {
			return "", err
		}
		defer in.Close()
		if earlier, err = b.hash.Sum(ctx, in); err != nil {
			return "", err
		}
		earlier += fmt.Sprint(" ", b.opt.Lint.Loss)
	}
	var kernels strings.Builder
	for _, k := range t.Settings.Kernels {
		fmt.Fprintf(&kernels, " %s%q", k.Kernel, k.Releases)
	}
	out := &t.Outputs
	return cache.Sum(fmt.Appendf(nil, "result 1\ntool %s\nimage %s %q\nbase %q\noptions %s\nverify%s\noutputs elf %t base %t others %t\nlint %t %q\n",
		b.opt.Cache.Tool, t.inputKey(), t.File.Origin.Member, base, t.Settings.Options.Key(), kernels.String(),
		out.ELF != "", out.Base != "", rawOutputs(out) || t.compared(), b.opt.Lint.On, earlier)), nil
}

// trouble reports what is wrong with the cache.
func (b *batch) trouble(err error) {
	if err != nil && !errors.Is(err, cache.ErrAbsent) && !errors.Is(err, context.Canceled) && b.opt.Events.Cache != nil {
		b.opt.Events.Cache(err)
	}
}

// take sets the target and the row to what is known about the image. It reports whether there is such a result. If there is none, or if
// anything does not fit, for example a pin, the image is made, which says what is wrong.
func (b *batch) take(ctx context.Context, t *target, row *report.Row) bool {
	if t.inputKey() == "" || b.opt.Encoding.VerifyDedup || b.opt.Encoding.Paranoid {
		return false
	}
	key, err := b.key(ctx, t)
	if err != nil || key == "" {
		return false
	}
	text, err := b.opt.Cache.Get(key)
	if err != nil {
		b.trouble(err)
		return false
	}
	var r result
	if err := json.Unmarshal(text, &r); err != nil || b.opt.Details && r.Row.Details == nil {
		return false
	}
	now := *row
	if !t.recognise(&r, &now) {
		return false
	}
	t.key, t.cached = key, true
	if err := b.load(ctx, t, &r); err != nil {
		t.key, t.cached, t.object, t.raw, t.inside, t.inPlace = "", false, nil, encoder.Sections{}, encoder.Sections{}, nil
		b.trouble(err)
		return false
	}
	t.complete(&r, &now, b)
	*row = now
	progress := meter{b: b, size: t.File.Size}
	progress.fill()
	return true
}

// recognise makes the checks of an image that do not need its bytes, and sets the warnings that they give. It reports whether all is well.
func (t *target) recognise(r *result, row *report.Row) bool {
	if want := t.File.Pins.SHA256; want != "" && want != t.inputSum {
		return false
	}
	f := t.File // a File that does not fit must not stay half known
	if f.Recognise(r.File) != nil {
		return false
	}
	if t.base != nil {
		if f.Continues(&t.base.is) != nil || t.base.file != "" && corpus.CheckBase(t.base.sum, t.BaseSHA256, t.File.Pins.Lock != nil) != nil {
			return false
		}
		row.BaseSHA256 = t.base.sum
	}
	known := t.File
	t.File = f
	if identity(t, row) != nil {
		t.File = known
		return false
	}
	return true
}

// complete copies what is kept of a row into the row of this run.
func (t *target) complete(r *result, row *report.Row, b *batch) {
	now := r.Row
	now.Name, now.Line, now.Manifest, now.Path = row.Name, row.Line, row.Manifest, row.Path
	now.Base, now.BaseSHA256, now.Series = row.Base, row.BaseSHA256, row.Series
	now.Arch, now.Source = cmp.Or(t.File.Arch, t.File.Pins.Arch), sourceOf(&t.File)
	now.Warnings = append(row.Warnings, now.Warnings...)
	now.Cached = true
	if b.hashes(t.Job) || t.File.Pins.SHA256 != "" {
		now.InputSHA256 = t.inputSum
	}
	if b.hashes(t.Job) {
		now.OutputSHA256 = r.BTF
	}
	if b.opt.Details {
		d := *now.Details
		d.PerCPU, d.Start = r.PerCPU, t.began.Sub(b.start).Seconds()
		now.Details = &d
	} else {
		now.Details = nil
	}
	*row = now
	t.forget()
}

// forget says that the image will not be opened, for which the others of its package would wait.
func (t *target) forget() {
	if s, ok := t.File.Source.(*source.Member); ok {
		s.Forget()
	}
}

// load reads the bytes of a result, as far as they are needed. Each blob is compared with its digest.
func (b *batch) load(ctx context.Context, t *target, r *result) error {
	t.ptrSize, t.inPlace = r.PtrSize, b.inPlace(t)
	pending := false
	for _, o := range t.Outputs.List() {
		_, there := t.inPlace[o.Path]
		pending = pending || !there
	}
	if !pending && !t.compared() && t.own == nil && b.opt.Outputs.Out == nil {
		return nil
	}
	var err error
	blob := func(sum string) (data []byte) {
		if sum != "" && err == nil {
			data, err = b.opt.Cache.Blob(sum)
		}
		return data
	}
	t.raw = encoder.Sections{BTF: blob(r.BTF), Base: blob(r.Base)}
	t.inside = t.raw
	if r.InsideBTF != "" {
		t.inside = encoder.Sections{BTF: blob(r.InsideBTF), Base: blob(r.InsideBase)}
	}
	if err != nil || !pending && !t.compared() {
		return err
	}
	var base *btf.Object
	switch {
	case t.raw.Base != nil:
		base, err = btf.Parse(t.raw.Base, nil)
	case t.base != nil:
		var e *encoder.Base
		if e, err = t.base.get(ctx, &b.hash); err == nil {
			base = e.Object()
		}
	}
	if err == nil {
		t.object, err = btf.Parse(t.raw.BTF, base)
	}
	return err
}

// keep keeps the result of an image that was made and accepted. Warnings about the identity of the image, which come first, are not kept.
func (b *batch) keep(ctx context.Context, t *target, row *report.Row) {
	if !b.kept(t.Job) || t.beside || t.inputKey() == "" || t.inputSum == "" && t.inputState != b.stateKey(t) { // a file that changed has another key now
		return
	}
	key, err := b.key(ctx, t)
	if err != nil || key == "" {
		return
	}
	r := result{File: t.File.Known(), Row: *row, PtrSize: t.ptrSize}
	r.Row.Warnings = row.Warnings[t.doubts:]
	r.Row.InputSHA256, r.Row.BaseSHA256, r.Row.OutputSHA256 = "", "", ""
	r.Row.Name, r.Row.Line, r.Row.Manifest, r.Row.Path, r.Row.Base, r.Row.Arch, r.Row.Source, r.Row.Series = "", 0, "", "", "", "", nil, nil
	if row.Details != nil {
		r.PerCPU = row.Details.PerCPU
	}
	put := func(data []byte) (sum string) {
		if data != nil && err == nil {
			sum, err = b.opt.Cache.PutBlob(data)
		}
		return sum
	}
	r.BTF, r.Base = put(t.raw.BTF), put(t.raw.Base)
	if t.Outputs.ELF != "" {
		r.InsideBTF, r.InsideBase = put(t.inside.BTF), put(t.inside.Base)
	}
	var text []byte
	if err == nil {
		text, err = json.Marshal(&r)
	}
	if err == nil {
		err = b.opt.Cache.Put(key, text, r.blobs())
	}
	b.trouble(err)
	if err != nil {
		return
	}
	t.key = key
	if b.opt.Cache.Shared() {
		origin := t.File.Origin
		b.shipping.wg.Go(func() {
			b.shipping.slots <- struct{}{}
			defer func() { <-b.shipping.slots }()
			err := b.opt.Cache.Share(key)
			if err == nil {
				err = b.opt.Cache.shareCompared(&origin)
			}
			if ctx.Err() == nil {
				b.trouble(err)
			}
		})
	}
}
