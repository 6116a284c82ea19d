package encoder

import (
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/vars"
)

// WantedSections returns a function that reports whether the options include the variables at an address of f.
func (o *Options) WantedSections(f *elf.File) (wanted func(addr uint64) bool, err error) {
	secs, err := (&Encoder{Options: *o}).resolved().sections(f)
	if err != nil {
		return nil, err
	}
	return secs.Wanted, nil
}

// sections returns the sections of f that can contain variables, with their rules.
func (o *Options) sections(f *elf.File) (*vars.Sections, error) {
	return vars.NewSections(f, vars.Options{Peer: o.peer(), PerCPU: o.Features.Has(feature.Var),
		All: o.Features.Has(feature.GlobalVar), Force: o.Features.Has(feature.EncodeForce), Rules: o.varRules()})
}
