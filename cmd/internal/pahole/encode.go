package pahole

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// A run is one encoding.
type run struct {
	*commandLine
	signals        Signals
	brief          bool // it has a base, and its files are small modules
	stdout, stderr io.Writer
	out            *bufio.Writer // stdout, for many lines
}

// run encodes the files and writes the output.
func (r *run) run() error {
	size, once := r.look()
	if once && !input.Registered() { // what this run reads would be gone when the program runs again
		return input.ErrNoCodec
	}
	ctx := r.begin(size, once)
	enc := encoder.Encoder{Workers: r.workers, Options: r.want.Options}
	var base *input.File
	if r.base != nil {
		var err error
		enc.Base, base, err = r.openBase()
		switch {
		case errors.Is(err, input.ErrNoCodec):
			return err
		case err != nil:
			return failf("Failed to parse base BTF '%s': %s", *r.base, strings.TrimPrefix(inFile(*r.base, err).Error(), *r.base+": "))
		}
		if base != nil {
			defer base.Close()
		}
	}
	if err := r.checkFiles(); err != nil {
		return err
	}
	files := make([]*elf.File, len(r.files))
	for i, path := range r.files {
		f, err := elf.Open(path)
		if err != nil {
			return inFile(path, err)
		}
		defer f.Close()
		files[i] = f
	}
	res, err := r.encodeWith(ctx, base, files, &enc)
	if input.Missed() { // pahole's rules ignore some errors
		return input.ErrNoCodec
	}
	located := func(s encoder.Sections) func(err error) error {
		return func(err error) error {
			var refusal *verify.Refusal
			errors.As(err, &refusal)
			return enc.LocateRefusal(ctx, files, res.Object, s, refusal, err)
		}
	}
	switch {
	case res == nil:
		return err
	case r.detached != nil:
		wire := res.Object.AppendWire(nil)
		if err := r.judge(files[res.Primary], wire, nil, located(encoder.Sections{BTF: wire})); err != nil {
			return inFile(r.files[res.Primary], err)
		}
		return r.detach(*r.detached, wire)
	}
	path := r.files[res.Primary]
	sections, err := r.sections(files[res.Primary], res)
	if err != nil {
		return inFile(path, err)
	}
	if err := r.judge(files[res.Primary], sections.BTF, sections.Base, located(sections)); err != nil {
		return inFile(path, err)
	}
	if err := paths.Writable(path); err != nil { // pahole writes to the file; replacing it needs no such permission
		return inFile(path, err)
	}
	r.hold()
	set := (&publish.Publisher{Unsynced: r.base != nil}).Set() // see detach
	defer set.Discard()
	if err := files[res.Primary].Embed(sections.List(), set.Copy(path)); err != nil {
		return inFile(path, err)
	}
	return inFile(path, set.Commit())
}

// Sizes in bytes of the modules that are encoded with a base.
const (
	undivided = 16 << 20 // below it, one worker takes less time than it takes to share the work
	brief     = 4 << 20  // below it, the run is brief; see Signals
)

// look returns the size of the files in bytes. once is whether one of them or the base is no regular file: then it can be read only once, as a pipe can.
func (r *run) look() (size int64, once bool) {
	stat := func(path string) (size int64) {
		st, err := os.Stat(path)
		if err != nil {
			return 0 // opening it says why
		}
		once = once || !st.Mode().IsRegular()
		return st.Size()
	}
	if r.base != nil {
		stat(*r.base)
	}
	for _, path := range r.files {
		size += stat(path)
	}
	return size, once
}

// begin uses all processors that were asked for, unless the files are small modules, and listens for signals, unless the run is brief. size and once are
// what look returned.
func (r *run) begin(size int64, once bool) context.Context {
	switch {
	case r.base != nil && size < undivided:
		r.workers = 1
	case r.workers > runtime.GOMAXPROCS(0):
		runtime.GOMAXPROCS(r.workers)
	}
	if r.brief = r.signals.Hold != nil && r.base != nil && !once && size < brief && !r.verbose; r.brief {
		return context.Background()
	}
	return r.signals.Listen()
}

// hold makes a brief run go on when signals come, since it is about to create temporary files.
func (r *run) hold() {
	if r.brief {
		r.signals.Hold()
	}
}

// openBase reads the base. Only a part of it is read, from the file that is returned, unless a distilled base is made of it.
func (r *run) openBase() (*encoder.Base, *input.File, error) {
	if r.want.Features.Has(feature.DistilledBase) {
		o, _, err := btffile.Base(btffile.Paths.Base, *r.base)
		return encoder.NewBase(o), nil, err
	}
	debug.SetPanicOnFault(true)
	o, file, err := btffile.LazyBase(*r.base)
	return encoder.NewLazyBase(o), file, err
}

// encodeWith is encode with a base in a file that must not change meanwhile.
func (r *run) encodeWith(ctx context.Context, base *input.File, files []*elf.File, enc *encoder.Encoder) (res *encoder.Result, err error) {
	if base == nil {
		return r.encode(ctx, files, enc)
	}
	if changed := base.Guarded(func() error {
		res, err = r.encode(ctx, files, enc)
		return nil
	}); changed != nil {
		return nil, inFile(*r.base, changed)
	}
	return res, err
}

// checkFiles refuses to write detached BTF over a file that is read.
func (r *run) checkFiles() error {
	if r.detached == nil {
		return nil
	}
	list := []paths.Use{{Path: *r.detached, Role: paths.Append, What: "--btf_encode_detached"}} // Append also allows a device or pipe
	for _, path := range r.files {
		list = append(list, paths.Use{Path: path, Role: paths.Input, What: path})
	}
	if r.base != nil {
		list = append(list, paths.Use{Path: *r.base, Role: paths.Input, What: "the base"})
	}
	return paths.Refuse(list...)
}

// encode encodes all files into one BTF. If there is nothing to encode, the result and the error are nil.
func (r *run) encode(ctx context.Context, files []*elf.File, enc *encoder.Encoder) (res *encoder.Result, err error) {
	if r.verbose {
		r.out = bufio.NewWriter(r.stdout)
		defer r.out.Flush() // before the BTF, which may be written to the same place
		enc.OnFunc = r.decided
	}
	one := len(files) == 1
	if one {
		res, err = enc.Encode(ctx, files[0])
	} else {
		res, err = enc.EncodeAll(ctx, files)
	}
	names := strings.Join(r.files, " ")
	if r.verbose && res != nil {
		r.warn(res.Warnings)
	}
	switch {
	case errors.Is(err, encoder.ErrNoTypes), errors.Is(err, encoder.ErrNoDWARF) && one: // if only one of several files has no DWARF, that is an error
		// Not an error: a build may have modules whose CUs are all in a language that is left out.
		fmt.Fprintf(r.stderr, "pahole: %s: nothing to encode: %s\n", escape.Line(names), escape.Line(err.Error()))
		return nil, nil
	case err != nil && one:
		err = inFile(names, err)
	}
	return res, err
}

// warn prints the encoder's warnings. pahole has none, so btfbatch prints them only with -V.
func (r *run) warn(warnings []encoder.Warning) {
	for _, w := range warnings {
		for _, text := range w.Examples {
			fmt.Fprintf(r.stderr, "pahole: warning: %s: %s\n", w.Rule, escape.Line(text))
		}
		if more := w.Count - len(w.Examples); more > 0 {
			fmt.Fprintf(r.stderr, "pahole: warning: %s: and %d more\n", w.Rule, more)
		}
	}
}

// sections returns the sections that the image gets.
func (r *run) sections(f *elf.File, res *encoder.Result) (encoder.Sections, error) {
	s, err := res.Sections()
	switch {
	case errors.Is(err, distill.ErrNoBase):
		return s, errors.New("could not generate distilled base BTF: there is no --btf_base")
	case err != nil:
		return s, fmt.Errorf("could not generate distilled base BTF: %w", err)
	}
	if s, err = s.For(f); errors.Is(err, encoder.ErrStaleBase) {
		err = fmt.Errorf("the image has a section %s from an earlier run, which does not fit BTF without distilled_base; add distilled_base to "+
			"--btf_features, or remove the section with objcopy", btf.SectionBase)
	}
	return s, err
}

// decided prints a line if a function was left out, and a line if its prototypes differ.
func (r *run) decided(d encoder.FuncDecision) {
	const skipping = "%s : skipping BTF encoding of function due to %s\n"
	if d.Differ != "" {
		fmt.Fprintf(r.out, skipping, d.Name, d.Differ)
	}
	if d.Reason != encoder.FuncKept {
		fmt.Fprintf(r.out, skipping, d.Name, r.peerReason(d.Reason))
	}
}

// detach writes raw BTF. A regular file is replaced whole or not at all. A device, a pipe, or a file that the program has open, such as the
// standard output, cannot be replaced and is written to.
func (r *run) detach(path string, wire []byte) error {
	switch st, err := os.Stat(path); {
	case err != nil || st.IsDir():
	case st.Mode().IsRegular() && !paths.Opened(path):
		if err := paths.Writable(path); err != nil { // as in place
			return inFile(path, err)
		}
	default:
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, bytes.NewReader(wire))
		return errors.Join(err, f.Close())
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil { // pahole creates no folders
		return fmt.Errorf("%s: %w", path, errors.Unwrap(err))
	}
	r.hold()
	p := publish.Publisher{Mode: 0o640, Unsynced: true} // builds make thousands of files and can repeat it; pahole does not wait for the disk either
	return p.File(path, func(w io.Writer) error {
		_, err := w.Write(wire)
		return err
	})
}

// inFile adds the name of the file to an error that does not have it yet.
func inFile(path string, err error) error {
	var p *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p) && p.Path == path: // leave out the name of the system call
		err = p.Err
	case strings.HasPrefix(err.Error(), path+": "):
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}
