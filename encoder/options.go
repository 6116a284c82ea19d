package encoder

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A Profile says which rules apply where pahole 1.32 is wrong.
type Profile uint8

// The profiles.
const (
	Default Profile = iota // correct BTF; docs/differences.md lists every difference from pahole 1.32
	Pahole                 // the bytes of pahole 1.32
	numProfiles
)

var profiles = [numProfiles]string{"default", "pahole"}

// String returns the name of the profile, "default" or "pahole".
func (p Profile) String() string {
	if p >= numProfiles {
		return fmt.Sprintf("profile(%d)", uint8(p))
	}
	return profiles[p]
}

// ParseProfile finds a profile by its name.
func ParseProfile(name string) (Profile, error) {
	if i := slices.Index(profiles[:], name); i >= 0 {
		return Profile(i), nil
	}
	return 0, fmt.Errorf("profile %q is none of default, pahole", name)
}

// MarshalText returns the name of the profile.
func (p Profile) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the name of a profile, as ParseProfile does.
func (p *Profile) UnmarshalText(text []byte) (err error) {
	*p, err = ParseProfile(string(text))
	return err
}

// Options say what the BTF of an image contains. They are data: two encodings of the same image, on the same base, with equal options
// give the same bytes, whatever else differs (machine, number of workers, hooks). They can be stored as JSON, and Key returns them as one
// string.
//
// The zero value encodes as `btfbatch encode IMAGE` does: profile Default, the features of feature.Default, per-CPU variables.
type Options struct {
	// Profile says which rules apply where pahole is wrong.
	Profile Profile
	// Features are the optional parts of BTF. The zero value stands for feature.Default(), and feature.None for no feature.
	Features feature.Set
	// Sections say which variables become VARs, by the section that contains them. nil stands for DefaultSections(), and an empty list
	// for no section. They apply only with the feature var or global_var. The profile Pahole ignores them and follows pahole.
	Sections []SectionRule
	// LangExclude are the source languages whose units are left out; see ParseLanguages.
	LangExclude []Language
	// UnitExclude are prefixes of the names of units (CUs) that are left out, such as "drivers/staging/". The name of a unit is the name
	// of its source file.
	UnitExclude []string
	// NamePrefix cuts all names that begin with it to the prefix itself, so that they become equal. An empty prefix cuts none.
	NamePrefix string
	// PlainFields turns bit fields that fill an aligned storage unit into plain members.
	PlainFields bool
	// SortByName sorts types by name, for kernels that use binary search. See package sorted.
	SortByName bool
	// LikeKernel changes the BTF as the build of the image's kernel does after encoding: kfuncs with implicit arguments get two prototypes
	// (see package implicit), and types are sorted by name if that build sorts them. The BTF in the image shows whether it does. If the
	// image has no BTF, Release decides.
	LikeKernel bool
	// Release is the release of the kernel, as `uname -r` prints it. Only LikeKernel uses it.
	Release string
	// RulesOff are rules of the profile that do not apply. It is for tests that show the effect of each rule.
	RulesOff rules.Set
}

// Defaults returns the options that the zero value stands for, with explicit features and sections.
func Defaults() Options {
	return Options{Features: feature.Default(), Sections: DefaultSections()}
}

// Key returns a text that is the same for equal options and different for others. A zero value and the default that it stands for give the
// same text, and the order of LangExclude, UnitExclude and SectionRule.DropSymbols does not matter.
//
// The bytes of an encoding are determined by Key together with the version of btfbatch and the digests of the image, its base and its
// separate debug files. The form of the text may change from version to version.
func (o Options) Key() string { return fmt.Sprintf("%#v", o.canonical()) } // all fields, with quoted strings

// canonical returns the form that is the same for all equal options.
func (o Options) canonical() Options {
	if !o.Features.Chosen() {
		o.Features = feature.Default()
	}
	if o.Sections == nil {
		o.Sections = DefaultSections()
	}
	o.Sections = slices.Clone(o.Sections)
	for i := range o.Sections {
		o.Sections[i].DropSymbols = inOrder(o.Sections[i].DropSymbols)
	}
	o.LangExclude, o.UnitExclude = inOrder(o.LangExclude), inOrder(o.UnitExclude)
	return o
}

// peer returns the rules of pahole that apply.
func (o *Options) peer() rules.Set {
	if o.Profile == Pahole {
		off := o.RulesOff
		if o.LikeKernel { // in the kernel's build the encoder sees .BTF_ids before its sets are sorted
			off |= rules.FlagsAtSymbol
		}
		return rules.Pahole &^ off
	}
	return rules.Default &^ o.RulesOff
}

// inOrder returns a sorted copy of a list without duplicates; nil if it is empty.
func inOrder[T cmp.Ordered](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
