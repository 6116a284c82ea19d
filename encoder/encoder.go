package encoder

import (
	"context"
	"errors"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// An Encoder encodes images. It has the options, the base, the hooks, and settings for the machine. The zero value is ready to use, and
// encodes as the function Encode does with zero Options. Methods do not change an Encoder. Several goroutines may use one at the same time
// if its hooks allow concurrent calls.
type Encoder struct {
	Options
	Hooks
	// Base is the BTF that the result continues, such as the BTF of the kernel for a module. With nil the result has no base.
	Base *Base
	// DebugRoots are the folders that are searched for separate debug files, by build ID and by name. nil stands for /usr/lib/debug, and
	// an empty list for no folder. The folder of the image is always searched.
	DebugRoots []string
	// Workers is the number of goroutines that translate; 0 is one per processor. It does not change the result.
	Workers int

	// The following fields are for tests of the encoder. They cost time and do not change the result.

	// VerifyDedup encodes the image a second time with the exact engine for all types, and compares the bytes. If they differ, the error
	// is ErrDedupDiffers.
	VerifyDedup bool
	// Exact uses the exact engine for all types, without the fast path.
	Exact bool
	// Paranoid compares every type that was recognised by its hash in full. If one differs, the error is ErrCollision.
	Paranoid bool

	apart *vars.Apart // for VariableCosts
	only  string      // for DecideName: leave out units that do not mention this name
	ahead bool        // the tables of the join are allocated while symbols are read

	inPieces bool // the units of a relocatable file are relocated one by one; encode tries that first
	together bool // units in Rust are not kept apart from those in C
}

// Hooks are functions that an encoding calls while it runs. Each of them may be nil. An encoding calls them one at a time, from several
// goroutines, and waits until they return.
type Hooks struct {
	// OnFunc is called for every function that is in the symbol table and that a unit defines, in the order of their names.
	OnFunc func(FuncDecision)
	// OnVar is called for every variable whose address is in a section with wanted variables. The order is that of the units, and the
	// calls come after all units have been read.
	OnVar func(VarDecision)
	// OnProgress is called with the number of bytes of .debug_info that are done, and with their total.
	OnProgress func(doneBytes, totalBytes uint64)
	// Allocs returns the number of objects that the process has allocated on the heap so far. It is called at the borders of phases.
	Allocs func() uint64
}

// A Base is BTF that split BTF continues. Any number of encodings may use one at the same time. The first of them prepares the base for
// deduplication, and the others share the result.
type Base struct {
	object *btf.Object
	dedup  *dedup.Base
}

// NewBase returns a base with finished BTF, whose references are right, which must not be changed afterwards, and which must not continue
// another base.
func NewBase(o *btf.Object) *Base { return &Base{o, dedup.NewBase(o)} }

// NewLazyBase is NewBase for a single encoding, which reads only those parts of the base that it needs. It checks the references of the types that
// it reads (see btf.Object.CheckReferences) and returns an error if one of them is wrong.
func NewLazyBase(o *btf.Object) *Base { return &Base{o, dedup.NewLazyBase(o)} }

// Object returns the BTF of the base; nil for a nil Base.
func (b *Base) Object() *btf.Object {
	if b == nil {
		return nil
	}
	return b.object
}

// lazy reports whether the base is one of NewLazyBase.
func (b *Base) lazy() bool { return b != nil && b.dedup.Lazy() }

// prepared returns the base in the form that deduplication takes.
func (b *Base) prepared() *dedup.Base {
	if b == nil {
		return nil
	}
	return b.dedup
}

// Encode encodes an image with the given options and without base or hooks. See Encoder.Encode.
func Encode(ctx context.Context, f *elf.File, opt Options) (*Result, error) {
	return (&Encoder{Options: opt}).Encode(ctx, f)
}

// Encode encodes an image. The image must have DWARF, or name a separate debug file that has DWARF. It stays open.
//
// An error names its place in the image if it has one: see UnitError and elf.FormatError. If the image or its debug file was changed meanwhile, the
// error is input.ErrChanged, whatever was found in it. When ctx ends, the encoding ends with the error of
// ctx.
func (e *Encoder) Encode(ctx context.Context, f *elf.File) (res *Result, err error) {
	e = e.resolved()
	res, err = encode(ctx, f, e, e.Exact)
	if errors.Is(err, dedup.ErrMixed) {
		together := *e
		together.together = true
		res, err = encode(ctx, f, &together, e.Exact)
	}
	if errors.Is(err, dedup.ErrDoubt) {
		res, err = encode(ctx, f, e, true)
	}
	if err != nil {
		return nil, err
	}
	if e.VerifyDedup && !e.Exact {
		exact, err := encode(ctx, f, e.quiet(), true)
		if err != nil {
			return nil, fmt.Errorf("exact engine: %w", err)
		}
		if err := sameObjects(res.Object, exact.Object); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// resolved returns a copy of the encoder in which the default features are explicit.
func (e *Encoder) resolved() *Encoder {
	r := *e
	if !r.Features.Chosen() {
		r.Features = feature.Default()
	}
	return &r
}

// quiet returns a copy of the encoder without hooks.
func (e *Encoder) quiet() *Encoder {
	q := *e.resolved()
	q.Hooks = Hooks{}
	return &q
}
