package encoder

import (
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// asRead returns f with its debug sections as the profile reads them; see elf.File.AsPeer.
func (in *image) asRead(f *elf.File) *elf.File {
	return f.AsPeer(in.opt.peer())
}

// otherSymbols is rule 01/1.1: if the image has no symbol table, pahole gives up, whether or not the debug file has one. The profile
// default uses the symbol table of the debug file.
func (in *image) otherSymbols() (*elf.Symbols, error) {
	if in.opt.peer().Has(rules.OtherSymbols) || in.d.File == in.f {
		return nil, nil
	}
	return in.d.File.Symbols()
}

// followsSignatures is rule 01/2.5: outside of .debug_types, pahole does not follow DW_FORM_ref_sig8. A type in a type unit is void, and
// the placeholder of a struct is an empty struct. The profile default translates units with such references together.
func (in *image) followsSignatures() bool { return !in.opt.peer().Has(rules.FollowsSignatures) }

// leavesOutAll is rule 01/2.6: if units are translated together, pahole checks the language of the first unit again, and leaves out all
// units if it is excluded. The merged unit has no name.
func (in *image) leavesOutAll(all *dwarf.Unit) bool {
	return in.opt.peer().Has(rules.LeavesOutAll) && in.leftOut(all)
}

// namesCount is rule 01/2.6: if units are translated together, pahole leaves out units by name only if languages are excluded
// as well.
func (in *image) namesCount() bool {
	return !in.opt.peer().Has(rules.NamesCount) || len(in.opt.LangExclude) != 0
}

// readsSplit is rule 01/2.5: pahole reads only the skeletons of split DWARF, which contain no types. The profile default reads the
// .dwo files, or the .dwp file beside the image that contains all of them.
func readsSplit(skeleton *dwarf.Unit, peer rules.Set) bool {
	return !peer.Has(rules.ReadsSplit) && skeleton.Skeleton()
}

// keepsNames is rule 05/6: pahole keeps names that kernels refuse. The profile default replaces them: the join replaces the names of C units,
// package translate those of other languages.
func (in *image) keepsNames() bool { return in.opt.peer().Has(rules.KeepsNames) }
