package encoder

import (
	"fmt"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/implicit"
	"github.com/btfbatch/btfbatch/encoder/internal/funcs"
	"github.com/btfbatch/btfbatch/encoder/kernel"
	"github.com/btfbatch/btfbatch/encoder/sorted"
)

// RuleImplicit is the rule of the warning that kfuncs with implicit arguments cannot be told from others.
const RuleImplicit = "implicit-arguments"

// kernelSorts reports whether the build of the image's kernel sorts the types of its BTF by name. The BTF in the image shows it. If the image
// has no BTF, its release decides.
func kernelSorts(f *elf.File, opt *Encoder) bool {
	if own := funcs.OwnBTF(f, opt.Base.Object()); own != nil {
		return sorted.IsByName(own)
	}
	return kernel.SortsTypes(opt.Release)
}

// splitKfuncs gives kfuncs with implicit arguments their two prototypes. problem says which kfuncs were left unchanged, and why; it is
// empty if there are none.
func splitKfuncs(o *btf.Object, args *funcs.ImplicitArgs, features feature.Set) (problem string) {
	implicit.Split(o, args.Has)
	switch {
	case args.Known() > 0 && !(features.Has(feature.DeclTag) && features.Has(feature.DeclTagKfuncs)):
		return fmt.Sprintf("%d kfuncs have implicit arguments, which stay in their prototypes: without the features decl_tag and decl_tag_kfuncs nothing marks a function as a kfunc", args.Known())
	case args.Unknown == 0:
		return ""
	}
	return fmt.Sprintf("which of %d kfuncs have implicit arguments is unknown: their sets in .BTF_ids are sorted by type ids, and the image has no .BTF that these are of; "+
		"such kfuncs keep the arguments that the BPF verifier fills in", args.Unknown)
}
