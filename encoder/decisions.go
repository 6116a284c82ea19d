package encoder

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

type (
	// A FuncDecision is what became of the function of one name.
	FuncDecision = funcs.Decision
	// A FuncReason says why a function of the symbol table has no FUNC.
	FuncReason = funcs.Reason
	// A VarDecision is what became of one variable.
	VarDecision = vars.Decision
	// A VarReason says why a variable is not a VAR.
	VarReason = vars.Reason
	// A SectionRule says what of the matching sections becomes VAR and DATASEC. The first rule that matches a section's name counts.
	SectionRule = vars.Rule
	// A PreparedBase is a base object with all indexes that deduplication needs. Several encodings may use one at once.
	PreparedBase = dedup.Base
)

// The reasons why a function has no FUNC, in the order in which they are asked; the last one that applies counts.
const (
	FuncKept                  = funcs.Kept
	FuncUnexpectedRegister    = funcs.UnexpectedRegister
	FuncInconsistentPrototype = funcs.InconsistentPrototype
	FuncUncertainLocation     = funcs.UncertainLocation
	FuncReorderedParameters   = funcs.ReorderedParameters
	FuncOptimizedParameters   = funcs.OptimizedParameters
	FuncAmbiguousAddress      = funcs.AmbiguousAddress
	NumFuncReasons            = funcs.NumReasons
)

// The reasons why a variable is not a VAR, in the order in which they are asked.
const (
	VarKept         = vars.Kept
	VarNotTopLevel  = vars.NotTopLevel
	VarArtificial   = vars.Artificial
	VarOtherSection = vars.OtherSection
	VarUnnamed      = vars.Unnamed
	VarNotAVariable = vars.NotAVariable
	VarNoSymbol     = vars.NoSymbol
	VarZeroAddress  = vars.ZeroAddress
	VarExcluded     = vars.Excluded
	VarInvalidName  = vars.InvalidName
	VarVoidType     = vars.VoidType
	VarZeroSize     = vars.ZeroSize
	VarOffsetTooBig = vars.OffsetTooBig
	VarDuplicate    = vars.Duplicate
	NumVarReasons   = vars.NumReasons
)

// PrepareBase indexes a base object for the encodings that continue it.
func PrepareBase(o *btf.Object) *PreparedBase { return dedup.NewBase(o) }

// WantedSections tells for an address of f whether the options ask for the variables there.
func (o *Options) WantedSections(f *elf.File) (wanted func(addr uint64) bool, err error) {
	secs, err := o.sections(f)
	if err != nil {
		return nil, err
	}
	return secs.Wanted, nil
}

// sections are those that variables of f can live in, with the rules that are for them.
func (o *Options) sections(f *elf.File) (*vars.Sections, error) {
	wanted := o.Sections
	if wanted == nil {
		wanted = vars.DefaultRules()
	}
	return vars.NewSections(f, vars.Options{Peer: o.Peer(), PerCPU: o.Features.Has(feature.Var),
		All: o.Features.Has(feature.GlobalVar), Force: o.Features.Has(feature.EncodeForce), Rules: wanted})
}
