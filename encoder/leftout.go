package encoder

import (
	"bytes"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// leftOut reports whether a unit is left out, by its language or its name.
func (in *image) leftOut(u *dwarf.Unit) bool {
	return slices.Contains(in.opt.LangExclude, Language(u.Lang)) || len(in.opt.UnitExclude) != 0 && in.excluded(u)
}

// leftOutOfMerged is leftOut for one of the units that are translated together (rule 01/2.6).
func (in *image) leftOutOfMerged(u *dwarf.Unit) bool {
	return slices.Contains(in.opt.LangExclude, Language(u.Lang)) || len(in.opt.UnitExclude) != 0 && in.namesCount() && in.excluded(u)
}

// excluded reports whether the name of a unit begins with one of the prefixes of UnitExclude. A unit without a name has the empty name.
func (in *image) excluded(u *dwarf.Unit) bool {
	var scratch [4]byte
	name := in.d.Strings.Get(u.Name, &scratch)
	return slices.ContainsFunc(in.opt.UnitExclude, func(prefix string) bool { return bytes.HasPrefix(name, []byte(prefix)) })
}
