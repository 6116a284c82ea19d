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
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// A run is one encoding.
type run struct {
	*commandLine
	stdout, stderr io.Writer
	out            *bufio.Writer // stdout, for many lines
}

// run encodes, from options to output.
func (r *run) run(ctx context.Context) error {
	enc := encoder.Encoder{Workers: r.workers, Options: r.want.Options}
	if r.base != nil {
		base, _, err := btffile.Base(*r.base)
		if err != nil {
			return failf("Failed to parse base BTF '%s': %s", *r.base, strings.TrimPrefix(inFile(*r.base, err).Error(), *r.base+": "))
		}
		enc.Base = encoder.NewBase(base)
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
	res, err := r.encode(ctx, files, &enc)
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
		return detach(*r.detached, wire)
	}
	path := r.files[res.Primary]
	sections, err := r.sections(files[res.Primary], res)
	if err != nil {
		return inFile(path, err)
	}
	if err := r.judge(files[res.Primary], sections.BTF, sections.Base, located(sections)); err != nil {
		return inFile(path, err)
	}
	set := new(publish.Publisher).Set()
	defer set.Discard()
	if err := files[res.Primary].Embed(sections.List(), set.Copy(path)); err != nil {
		return inFile(path, err)
	}
	return inFile(path, set.Commit())
}

// checkFiles refuses to write detached BTF over a file that is read.
func (r *run) checkFiles() error {
	if r.detached == nil {
		return nil
	}
	list := []paths.Use{{Path: *r.detached, Role: paths.Append, What: "--btf_encode_detached"}} // a device or pipe is fine
	for _, path := range r.files {
		list = append(list, paths.Use{Path: path, Role: paths.Input, What: path})
	}
	if r.base != nil {
		list = append(list, paths.Use{Path: *r.base, Role: paths.Input, What: "the base"})
	}
	return paths.Refuse(list...)
}

// encode makes one BTF of all files. No result, and no error, is nothing to encode.
func (r *run) encode(ctx context.Context, files []*elf.File, enc *encoder.Encoder) (res *encoder.Result, err error) {
	if r.verbose {
		r.out = bufio.NewWriter(r.stdout)
		defer r.out.Flush() // before the BTF, which may go the same way
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
	case errors.Is(err, encoder.ErrNoTypes), errors.Is(err, encoder.ErrNoDWARF) && one: // one of several without DWARF is a mistake
		// Not an error: a build may well have modules whose units are all in a language that is left out.
		fmt.Fprintf(r.stderr, "pahole: %s: nothing to encode: %s\n", escape.Line(names), escape.Line(err.Error()))
		return nil, nil
	case err != nil && one:
		err = inFile(names, err)
	}
	return res, err
}

// warn tells what the BTF does not say as the source means it. The reference never does, so only -V asks for it.
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

// sections are what the image gets.
func (r *run) sections(f *elf.File, res *encoder.Result) (encoder.Sections, error) {
	s, err := res.Sections()
	switch {
	case errors.Is(err, distill.ErrNoBase):
		return s, errors.New("could not generate distilled base BTF: there is no --btf_base")
	case err != nil:
		return s, fmt.Errorf("could not generate distilled base BTF: %w", err)
	}
	if s, err = s.For(f); errors.Is(err, encoder.ErrStaleBase) {
		err = fmt.Errorf("section %s of an earlier run would contradict BTF that is made without distilled_base", btf.SectionBase)
	}
	return s, err
}

// decided prints what became of a function, if it was left out or might have been.
func (r *run) decided(d encoder.FuncDecision) {
	const skipping = "%s : skipping BTF encoding of function due to %s\n"
	if d.Differ != "" {
		fmt.Fprintf(r.out, skipping, d.Name, d.Differ)
	}
	if d.Reason != encoder.FuncKept {
		fmt.Fprintf(r.out, skipping, d.Name, r.peerReason(d.Reason))
	}
}

// detach writes raw BTF. A file appears whole or not at all; a device, a pipe or what is open already, such as the standard output,
// which nobody could replace, is written to.
func detach(path string, wire []byte) error {
	if st, err := os.Stat(path); err == nil && !st.IsDir() && (!st.Mode().IsRegular() || paths.Opened(path)) {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, bytes.NewReader(wire))
		return errors.Join(err, f.Close())
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil { // the reference makes no folders
		return fmt.Errorf("%s: %w", path, errors.Unwrap(err))
	}
	p := publish.Publisher{Mode: 0o640}
	return p.File(path, func(w io.Writer) error {
		_, err := w.Write(wire)
		return err
	})
}

// inFile names the file of an error, unless that does so itself.
func inFile(path string, err error) error {
	var p *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p) && p.Path == path: // without the name of the system call
		err = p.Err
	case strings.HasPrefix(err.Error(), path+": "):
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}
