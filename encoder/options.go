package encoder

import (
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A Profile says whose rules hold where the reference is wrong.
type Profile uint8

// The profiles.
const (
	Default Profile = iota // right, with every difference from the reference documented
	Pahole                 // what pahole 1.32 gives, byte for byte
)

// Options of one encoding.
type Options struct {
	Profile     Profile
	Off         rules.Set // rules that do not hold although the profile has them, for tests of what each does
	Features    feature.Set
	Sections    []SectionRule // nil: vars.DefaultRules; not used in the profile Pahole
	LangExclude []uint64      // DWARF language codes whose units are left out
	UnitExclude []string      // beginnings of the names of units that are left out
	NamePrefix  string        // names, and other strings of DWARF, that begin so are cut to that; empty: none
	PlainFields bool          // bit fields that fill an aligned storage unit are plain members
	Base        *btf.Object   // what a split object continues, or nil
	Prepared    *PreparedBase // Base for deduplication, which images may share; nil: prepared for this one
	DebugRoots  []string      // folders of separate debug files; nil: debugfile.Roots
	SortByName  bool          // put types in the order of their names, see package sorted
	Workers     int           // goroutines over CUs; 0 is one per processor
	VerifyDedup bool          // run the exact engine beside the fast way and compare
	Exact       bool          // take the exact engine's way alone
	Paranoid    bool          // compare in full what the fast way recognised by its hash
	OnFunc      func(FuncDecision)
	OnVar       func(VarDecision)
	OnProgress  func(doneBytes, totalBytes uint64)
}

// Peer are the rules of the reference that hold.
func (o *Options) Peer() rules.Set {
	if o.Profile == Pahole {
		return rules.Pahole &^ o.Off
	}
	return rules.Default &^ o.Off
}
