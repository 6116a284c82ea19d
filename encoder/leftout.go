package encoder

import (
	"bytes"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// leftOut tells whether a unit is left out, by its language or its name.
func (j *job) leftOut(u *dwarf.Unit) bool {
	return slices.Contains(j.opt.LangExclude, Language(u.Lang)) || len(j.opt.UnitExclude) != 0 && j.excluded(u)
}

// leftOutOfMerged is leftOut for one of the units that are translated as one (rule 01/2.6).
func (j *job) leftOutOfMerged(u *dwarf.Unit) bool {
	return slices.Contains(j.opt.LangExclude, Language(u.Lang)) || len(j.opt.UnitExclude) != 0 && j.namesCount() && j.excluded(u)
}

// excluded tells whether the name of a unit begins as one that is not wanted; that of a unit without a name is empty.
func (j *job) excluded(u *dwarf.Unit) bool {
	var scratch [4]byte
	name := j.d.Strings.Get(u.Name, &scratch)
	return slices.ContainsFunc(j.opt.UnitExclude, func(prefix string) bool { return bytes.HasPrefix(name, []byte(prefix)) })
}
