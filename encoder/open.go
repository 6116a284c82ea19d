package encoder

import (
	"context"
	stdelf "debug/elf"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/debugfile"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// An image is an opened image. Later passes only read it. The exception is split, whose files are opened when units name them; it has its
// own locks.
type image struct {
	f     *elf.File
	opt   *Encoder
	d     *dwarf.Data
	syms  *elf.Symbols
	table *funcs.Table   // the functions among the symbols
	secs  *vars.Sections // the sections with wanted variables
	plan  plan           // how the units are translated, according to the sections

	implicit funcs.ImplicitArgs // of kernel functions
	tables   *joinTables        // for the first join, if they have been allocated; then nil

	mention *dwarf.Mention // if it is not nil, the units that do not mention a name are left out
	missing error          // why the supplementary file could not be found
	split   splitFiles
}

// openImage opens an image. It adds the other files that it opens to files, also after an error. primary says that the BTF will belong to
// this image. Only such an image provides the sections of variables and the kernel functions. DWARF and symbols are in different sections
// and are read in parallel. The exception are relocatable images, where the first read needs the symbols to lay out the sections.
func openImage(f *elf.File, opt *Encoder, files *openFiles, primary bool) (*image, error) {
	in := &image{f: f, opt: opt}
	var dwarfErr, symsErr error
	read := opt.parallel
	if f.Type == stdelf.ET_REL {
		read = inTurn
	}
	read(2, func(i int) {
		if i == 0 {
			if dwarfErr = in.openDWARF(files); dwarfErr == nil {
				in.plan, dwarfErr = in.firstPlan()
			}
			if dwarfErr == nil && opt.ahead && f.Type != stdelf.ET_REL && opt.Base == nil && !in.plan.exact && opt.only == "" {
				in.tables = newJoinTables(in)
			}
		} else if in.syms, symsErr = f.Symbols(); in.syms != nil && symsErr == nil {
			symsErr = in.readSymbols(true, primary)
		}
	})
	switch {
	case dwarfErr != nil:
		return nil, dwarfErr
	case symsErr != nil:
		return nil, symsErr
	case in.syms == nil:
		var err error
		if in.syms, err = in.otherSymbols(); err == nil && in.syms == nil {
			err = ErrNoSymbols
		}
		if err == nil {
			err = in.readSymbols(true, primary)
		}
		if err != nil {
			return nil, err
		}
	}
	few := f.Type == stdelf.ET_REL && in.d.InfoSize() < fewBytes
	if few || in.d.Strings.FewDistinct() { // units look up fewer strings than there are, or each of them once
		return in, nil
	}
	return in, in.table.IndexStrings(&in.d.Strings, opt.workers(), opt.parallel)
}

// readSymbols reads the symbol table once: for the table of functions, for the parts that only the primary image provides, or for both.
func (in *image) readSymbols(functions, primary bool) (err error) {
	opt := funcs.Options{Peer: in.opt.peer(), Features: in.opt.Features, ImplicitArgs: in.opt.LikeKernel}
	if functions {
		in.table = funcs.NewTable(in.f, in.syms, opt)
	}
	var ids *funcs.IDSection
	if primary {
		if ids, err = funcs.OpenIDs(in.f, opt); err != nil {
			return err
		}
		if in.secs, err = in.opt.sections(in.f); err != nil {
			return err
		}
	}
	err = in.syms.Each(func(_ int, s *elf.Symbol) {
		if functions {
			in.table.Add(s)
		}
		if primary {
			ids.Add(in.syms, s)
			in.secs.Add(in.syms, s)
		}
	})
	if err != nil {
		return err
	}
	if functions {
		in.table.Finish()
	}
	if primary {
		if err := ids.Err(); err != nil {
			return err
		}
		in.table.MarkKfuncs(ids, in.opt.Base.Object())
		in.implicit = in.table.ImplicitArgs()
	}
	return nil
}

// openDWARF opens the DWARF of an image, or else that of its separate debug file. It also opens the supplementary file, if the DWARF names
// one. Symbols and section headers are still read from the image.
func (in *image) openDWARF(files *openFiles) (err error) {
	from := in.asRead(in.f)
	if in.d, err = dwarf.OpenAs(from, in.opt.opening()); errors.Is(err, ErrNoDWARF) {
		f, findErr := debugfile.Debug(in.f, in.roots())
		switch {
		case findErr != nil:
			return fmt.Errorf("%w (%s): %w", err, in.advice(), findErr)
		case f == nil:
			return fmt.Errorf("%w (%s)", err, in.advice())
		}
		files.beside = append(files.beside, f)
		from = in.asRead(f)
		if in.d, err = dwarf.OpenAs(from, in.opt.opening()); errors.Is(err, ErrNoDWARF) {
			return emptyDebugFile(f.Path)
		} else if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	if err != nil {
		return err
	}
	in.d.Strings.Cut(in.opt.NamePrefix)
	sup, err := debugfile.Supplementary(from, in.roots())
	if errors.Is(err, debugfile.ErrNotFound) {
		in.missing, err = err, nil // an error only if a reference leads there
	}
	if err != nil || sup == nil {
		return err
	}
	files.beside = append(files.beside, sup)
	d, err := dwarf.Open(sup)
	if err == nil {
		err = in.d.Supplement(d)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", sup.Path, err)
	}
	return nil
}

// opening says how a relocatable file is opened.
func (e *Encoder) opening() dwarf.Opening {
	return dwarf.Opening{Merge: fewBytes, InPieces: e.inPieces}
}

// advice says how to get the DWARF of an image that has none.
func (in *image) advice() string {
	const unstripped = "give the file as it was before it was stripped"
	if name := debugfile.Link(in.f); name != "" && in.f.Path != "" {
		return fmt.Sprintf("put its debug file %s beside it, or %s", name, unstripped)
	}
	return unstripped + "; distributions have it in a debug package, -dbg, -dbgsym or -debuginfo"
}

// An emptyDebugFile is the error that the separate debug file of an image, whose path it is, has no DWARF. It is ErrNoDWARF and ErrNoDebugFile.
type emptyDebugFile string

func (e emptyDebugFile) Error() string { return string(e) + ": " + ErrNoDWARF.Error() }

// Is reports whether target is one of the two errors.
func (e emptyDebugFile) Is(target error) bool {
	return target == ErrNoDWARF || target == ErrNoDebugFile
}

func (in *image) roots() []string {
	if in.opt.DebugRoots == nil {
		return debugfile.Roots
	}
	return in.opt.DebugRoots
}

// object returns an empty BTF object for an image.
func (in *image) object() *btf.Object {
	o := btf.New(in.f.Order, in.opt.Base.Object())
	o.Layout = in.opt.Features.Has(feature.Layout) && in.opt.Base == nil
	return o
}

func (in *image) translateOptions(ctx context.Context, classes bool) *translate.Options {
	return &translate.Options{Stop: ctx.Err, Classes: classes, EagerRefs: in.opt.Paranoid, Features: in.opt.Features, Peer: in.opt.peer(),
		PlainFields: in.opt.PlainFields, FuncIndex: in.table.IndexAll, FuncLookup: in.table.Lookup, Wanted: in.secs.Wanted}
}

// workers returns the number of goroutines to start.
func (e *Encoder) workers() int {
	if e.Workers > 0 {
		return e.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// parallel calls do with each number below n, in parallel if there is more than one worker, and waits. A panic in a call becomes a panic of
// parallel.
func (e *Encoder) parallel(n int, do func(i int)) {
	if e.workers() == 1 {
		inTurn(n, do)
		return
	}
	failed := make([]any, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			debug.SetPanicOnFault(true) // the base may be mapped
			defer func() { failed[i] = recover() }()
			do(i)
		})
	}
	wg.Wait()
	for _, r := range failed {
		if r != nil {
			panic(r)
		}
	}
}

// inTurn calls do with each number below n, one after another.
func inTurn(n int, do func(i int)) {
	for i := range n {
		do(i)
	}
}
