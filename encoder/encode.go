// Package encoder turns one image into BTF: the pass list, and the ordered join of what its rooms return.
//
// Input: an open image and options. Output: a BTF object with deduplicated types, and counts of what was encoded and left out. Never:
// the package does not write files, and knows no manifest.
package encoder

import (
	"context"
	stdelf "debug/elf"
	"errors"
	"fmt"
	"runtime"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
	"github.com/btfbatch/btfbatch/encoder/sorted"
)

// verify encodes once more by the exact engine over everything, and compares bytes.
func (j *job) verify(ctx context.Context, res *Result) error {
	k, err := openImage(j.f, j.opt.quiet())
	if err != nil {
		return err
	}
	defer k.close()
	var exact Result
	if err := k.encode(ctx, true, &exact); err != nil {
		return fmt.Errorf("exact engine: %w", err)
	}
	return sameObjects(res.Object, exact.Object)
}

// A job is one image on its way.
type job struct {
	f        *elf.File
	d        *dwarf.Data
	syms     *elf.Symbols
	table    *funcs.Table
	ids      *funcs.IDSection // until the kernel functions are marked
	implicit funcs.ImplicitArgs
	secs     *vars.Sections
	opt      *Encoder
	merge    *dwarf.MergedUnits // all units, where they are translated as one
	types    *dwarf.MergedUnits // the units of .debug_types, where these alone are
	clock    Clock

	opened  []*elf.File // beside f
	missing error       // why a supplementary file that is named could not be opened
	split   splitFiles
}

// openImage reads what must be known before the first CU: sections, symbols, functions.
func openImage(f *elf.File, opt *Encoder) (*job, error) {
	j := &job{f: f, opt: opt}
	j.clock.Start()
	if err := j.open(true); err != nil {
		err = explained(err)
		j.close()
		return nil, err
	}
	return j, nil
}

// open opens what every image has of its own: DWARF, symbols, functions; and what the image that leads gives. DWARF and symbols are
// of different sections, and read at once, unless the image is relocatable: that is laid out by its symbols when it is first read.
func (j *job) open(leads bool) error {
	var dwarfErr, symsErr error
	read := j.parallel
	if j.f.Type == stdelf.ET_REL {
		read = inTurn
	}
	read(2, func(i int) {
		if i == 0 {
			if dwarfErr = j.openDWARF(); dwarfErr == nil {
				dwarfErr = j.decideMerging()
			}
		} else if j.syms, symsErr = j.f.Symbols(); j.syms != nil && symsErr == nil {
			symsErr = j.readFunctions(leads)
		}
	})
	switch {
	case dwarfErr != nil:
		return dwarfErr
	case symsErr != nil:
		return symsErr
	case j.syms == nil:
		var err error
		if j.syms, err = j.otherSymbols(); err == nil && j.syms == nil {
			err = ErrNoSymbols
		}
		if err == nil {
			err = j.readFunctions(leads)
		}
		if err != nil {
			return err
		}
	}
	return j.table.IndexStrings(&j.d.Strings, j.workers(), j.parallel)
}

// readFunctions reads the symbols for those who look for functions, and for what the image that leads gives.
func (j *job) readFunctions(leads bool) error {
	j.table = funcs.NewTable(j.f, j.syms, j.funcOptions())
	if leads {
		if err := j.lead(); err != nil {
			return err
		}
	}
	return j.readSymbols(true, leads)
}

// lead opens what only the image gives that the BTF belongs to: kernel functions for BPF, and the sections of variables.
func (j *job) lead() (err error) {
	if j.ids, err = funcs.OpenIDs(j.f, j.funcOptions()); err != nil {
		return err
	}
	j.secs, err = j.opt.sections(j.f)
	return err
}

func (j *job) funcOptions() funcs.Options {
	return funcs.Options{Peer: j.opt.peer(), Features: j.opt.Features, ImplicitArgs: j.opt.LikeKernel}
}

// readSymbols gives every symbol to those who look for functions, or for what the image that leads gives, or for both, so that
// the symbol table of one image alone is read once.
func (j *job) readSymbols(functions, leading bool) error {
	err := j.syms.Each(func(_ int, s *elf.Symbol) {
		if functions {
			j.table.Add(s)
		}
		if leading {
			j.ids.Add(j.syms, s)
			j.secs.Add(j.syms, s)
		}
	})
	if err != nil {
		return err
	}
	if functions {
		j.table.Finish()
	}
	if leading {
		if err := j.ids.Err(); err != nil {
			return err
		}
		j.table.MarkKfuncs(j.ids, j.opt.Base.Object())
		j.implicit = j.table.ImplicitArgs()
		j.ids = nil
	}
	return nil
}

// encode is the pass list.
func (j *job) encode(ctx context.Context, exact bool, res *Result) error {
	j.clock.Stop("open", 0, uint64(j.table.Len()), "ELF functions")
	a, err := j.assemble(ctx, exact)
	if err != nil {
		return err
	}
	a.warn.renamed = a.funcs.Renamed()
	if j.d.File.Waiting() {
		a.warn.waits()
	}
	// Below this line nothing reads DWARF.
	j.forgetDWARF(a)
	return j.finish(ctx, a, res)
}

// finish is the part of the pass list that is behind the join.
func (j *job) finish(ctx context.Context, a *assembler, res *Result) error {
	o := a.o
	merge, err := j.functions(ctx, a)
	if err != nil {
		return err
	}
	j.clock.Stop("functions", 0, uint64(a.stats.Funcs.Emitted), "FUNCs")
	for _, name := range a.stats.Funcs.Renamed {
		a.warn.function(name)
	}
	a.funcs, a.earlier, j.table, j.syms = nil, nil, nil, nil
	if a.stats.Vars, err = a.vars.Finish(o); err != nil {
		return err
	}
	j.opt.onVars(a.vars.Decisions())
	// Below this line no type is added.
	if o.Len() == 0 {
		return ErrNoTypes
	}
	if a.stats.Dedup, err = merge.Finish(o, a.vars.Same()); err != nil {
		return fmt.Errorf("deduplication: %w", err)
	}
	j.clock.Stop("deduplication", 0, uint64(a.stats.Dedup.Before), "types")
	if j.opt.LikeKernel {
		a.warn.kfuncs = splitKfuncs(o, &j.implicit, j.opt.Features)
	}
	if res.Sorted = j.opt.SortByName || j.opt.LikeKernel && kernelSorts(j.f, j.opt); res.Sorted {
		o = sorted.ByName(o)
		j.clock.Stop("sorting", 0, uint64(o.Len()), "types")
	}
	res.Object, res.Stats, res.Phases, res.Warnings = o, a.stats.public(), j.clock.Phases, a.warn.warnings(o)
	return nil
}

// functions appends the functions of all images. Meanwhile the types before them are compared, as far as that can be.
func (j *job) functions(ctx context.Context, a *assembler) (merge *dedup.Merger, err error) {
	opt := dedup.Options{Peer: j.opt.peer(), Base: j.opt.Base.prepared(), Stop: ctx.Err}
	if a.earlier != nil {
		merge = dedup.New(a.o, opt)
		merge.Start()
		a.stats.Funcs, err = funcs.EmitAll(a.o, append(a.earlier, a.funcs), j.opt.onFunc())
		return merge, err
	}
	m := a.funcs.Emission()
	types, words := m.Room()
	a.o.Grow(types, words)
	opt.Room = types
	merge = dedup.New(a.o, opt)
	j.parallel(2, func(i int) {
		if i == 0 {
			m.Sort()
		} else {
			m.Compare(a.o)
			merge.Start()
		}
	})
	if j.table.HasArenas() { // Emit looks at types
		a.stats.Funcs, err = m.Emit(a.o, j.opt.onFunc())
		return merge, err
	}
	room := a.o.WordRoom()
	j.parallel(2, func(i int) {
		if i == 0 {
			a.stats.Funcs, err = m.Emit(a.o, j.opt.onFunc())
		} else {
			merge.References()
		}
	})
	if err == nil && a.o.WordRoom() != room {
		err = fmt.Errorf("internal error: functions took more than the %d words that there was room for", words)
	}
	return merge, err
}

// largeInfo is how much debug information makes an image large: a kernel has ten times as much, a module a tenth.
const largeInfo = 16 << 20

// forgetDWARF releases everything that only the CUs needed. After a large image what their workers leave is collected at once: all that
// follows finds room there, and the peak of memory is that of the translation.
func (j *job) forgetDWARF(a *assembler) {
	large := j.d.InfoSize() >= largeInfo
	a.forget()
	j.d = nil
	if large {
		runtime.GC()
	}
}

// assemble translates all units and joins what the exact engine must see: everything, or one type of every class and all
// of what reaches an ambiguous name.
func (j *job) assemble(ctx context.Context, exact bool) (*assembler, error) {
	for exact = exact || !j.fastPathApplies(); ; exact = true {
		a := newAssembler(j.object(), j, exact)
		o := a.o
		switch err := j.translateAll(ctx, a); {
		case errors.Is(err, errMustMerge):
			if err := j.mergeUnits(); err != nil {
				return nil, err
			}
			continue
		case errors.Is(err, errSplit):
			continue // by the exact engine
		case err != nil:
			return nil, err
		}
		j.clock.Stop("translation", j.d.InfoSize(), uint64(a.stats.Types), "types")
		if exact {
			return a, nil
		}
		if a.classes.Broken {
			continue
		}
		keep := a.classes.Ambiguous(o, a.names.offset)
		if keep == nil {
			return a, nil
		}
		if a.tagged {
			continue
		}
		err := j.rejoinAmbiguous(ctx, a, keep) // the few units that mention an ambiguous name
		j.clock.Stop("ambiguous names", 0, uint64(len(keep.Units)), "CUs")
		return a, err
	}
}

// object is the empty object of an image.
func (j *job) object() *btf.Object {
	o := btf.New(j.f.Order, j.opt.Base.Object())
	o.Layout = j.opt.Features.Has(feature.Layout) && j.opt.Base == nil
	return o
}

// fastPathApplies tells whether the assumptions of the fast way can hold at all: one image, linked, so that equal names have equal
// keys.
func (j *job) fastPathApplies() bool {
	return j.opt.Base == nil && j.opt.NamePrefix == "" && j.f.Type != stdelf.ET_REL && j.merge == nil && j.types == nil
}

func (j *job) translateOptions(ctx context.Context, classes bool) *translate.Options {
	return &translate.Options{Stop: ctx.Err, Classes: classes, EagerRefs: j.opt.Paranoid, Features: j.opt.Features, Peer: j.opt.peer(), PlainFields: j.opt.PlainFields,
		FuncIndex: j.table.Index, FuncLookup: j.table.Lookup, Wanted: j.secs.Wanted}
}
