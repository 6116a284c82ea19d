package encoder

import (
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// asRead is f as the profile reads its debug sections: see elf.File.AsPeer.
func (j *job) asRead(f *elf.File) *elf.File {
	return f.AsPeer(j.opt.peer())
}

// otherSymbols is rule 01/1.1: without a symbol table in the image pahole gives up, whether or not the debug file has one.
// Otherwise it is that of the debug file which counts.
func (j *job) otherSymbols() (*elf.Symbols, error) {
	if j.opt.peer().Has(rules.OtherSymbols) || j.d.File == j.f {
		return nil, nil
	}
	return j.d.File.Symbols()
}

// followsSignatures is rule 01/2.5: pahole never finds what DW_FORM_ref_sig8 refers to outside of .debug_types: a type in
// a type unit is void, the place holder of a struct an empty one. Otherwise units with such references are translated together.
func (j *job) followsSignatures() bool { return !j.opt.peer().Has(rules.FollowsSignatures) }

// leavesOutAll is rule 01/2.6: of units that are translated together pahole asks for the language of the first alone, once more,
// and leaves out all of them. Their name is empty.
func (j *job) leavesOutAll(all *dwarf.Unit) bool {
	return j.opt.peer().Has(rules.LeavesOutAll) && j.leftOut(all)
}

// namesCount is rule 01/2.6: of units that are translated together pahole leaves out none by its name, unless it was given languages to
// leave out as well.
func (j *job) namesCount() bool {
	return !j.opt.peer().Has(rules.NamesCount) || len(j.opt.LangExclude) != 0
}

// readsSplit is rule 01/2.5: pahole reads of split DWARF the skeletons alone, which hold no types. Otherwise the .dwo files
// are read, or the one .dwp file beside the image that has them all.
func readsSplit(skeleton *dwarf.Unit, peer rules.Set) bool {
	return !peer.Has(rules.ReadsSplit) && skeleton.Skeleton()
}

// keepsNames is rule 05/6: see package translate, which does for other languages what the joining does for names of units of C.
func (j *job) keepsNames() bool { return j.opt.peer().Has(rules.KeepsNames) }
