package encoder

import (
	"context"
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
)

// An Encoder encodes images. It is options, and what surrounds an encoding: the BTF to continue, who listens, and what the machine
// gives. The zero value is ready, and does what Encode does with no options. Its methods do not change it; several goroutines may use
// one at once if its hooks can stand that.
type Encoder struct {
	Options
	Hooks
	// Base is the BTF that the result continues, such as that of the kernel that a module belongs to; nil: it stands alone.
	Base *Base
	// DebugRoots are folders in which separate debug files are looked for, by build ID and by name. nil stands for /usr/lib/debug; an
	// empty list for none. Files beside the image are found in any case.
	DebugRoots []string
	// Workers is how many goroutines translate; 0 is one for each processor. Their number changes no byte of the result.
	Workers int

	// What follows is for tests of the encoder: it costs time and changes no byte of the result.

	// VerifyDedup encodes a second time, comparing every type with every other one, and compares the bytes: ErrDedupDiffers.
	VerifyDedup bool
	// Exact compares every type with every other one in the first place.
	Exact bool
	// Paranoid compares in full each type that was recognised by its hash: ErrCollision.
	Paranoid bool
}

// Hooks hear of an encoding while it runs. Each of them may be nil. An encoding calls them one at a time, though not from one goroutine, and
// waits for them.
type Hooks struct {
	// OnFunc hears of every function that the symbol table has and a unit defines, in the order of their names.
	OnFunc func(FuncDecision)
	// OnVar hears of every variable whose address lies in a section of which variables are wanted, in the order of the units, after
	// all of them have been read.
	OnVar func(VarDecision)
	// OnProgress hears how many bytes of .debug_info are done, of how many.
	OnProgress func(doneBytes, totalBytes uint64)
}

// A Base is BTF that split BTF continues. Any number of encodings may use one at once; what they need to know of it is found out by the
// first of them.
type Base struct {
	object *btf.Object
	dedup  *dedup.Base
}

// NewBase makes a base of finished BTF, which must not be changed from then on. It must not continue another base itself.
func NewBase(o *btf.Object) *Base { return &Base{o, dedup.NewBase(o)} }

// Object is the BTF that the base was made of; nil for a nil Base.
func (b *Base) Object() *btf.Object {
	if b == nil {
		return nil
	}
	return b.object
}

// prepared is the base as deduplication needs it.
func (b *Base) prepared() *dedup.Base {
	if b == nil {
		return nil
	}
	return b.dedup
}

// Encode encodes an image, with nothing but options around it. See Encoder.Encode.
func Encode(ctx context.Context, f *elf.File, opt Options) (*Result, error) {
	return (&Encoder{Options: opt}).Encode(ctx, f)
}

// Encode encodes an image. The image must have DWARF, or name a separate debug file that has. It stays open.
//
// An error names the place in the image where there is one: see UnitError and elf.FormatError. When ctx ends, so does the encoding, with the
// error of ctx.
func (e *Encoder) Encode(ctx context.Context, f *elf.File) (*Result, error) {
	e = e.resolved()
	res, err := encode(ctx, f, e, e.Exact)
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
	if err := f.Unchanged(); err != nil {
		return nil, err
	}
	return res, nil
}

// resolved is the encoder with everything spelt out.
func (e *Encoder) resolved() *Encoder {
	r := *e
	if !r.Features.Chosen() {
		r.Features = feature.Default()
	}
	return &r
}

// quiet is the encoder without anybody who listens.
func (e *Encoder) quiet() *Encoder {
	q := *e.resolved()
	q.Hooks = Hooks{}
	return &q
}
