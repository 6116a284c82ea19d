package encoder

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A Profile says whose rules hold where pahole 1.32 is wrong.
type Profile uint8

// The profiles.
const (
	Default Profile = iota // right; docs/differences.md lists every difference from pahole 1.32
	Pahole                 // what pahole 1.32 gives, byte for byte
	numProfiles
)

var profiles = [numProfiles]string{"default", "pahole"}

// String is the name of the profile, "default" or "pahole".
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

// MarshalText is the name of the profile.
func (p Profile) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText writes, as ParseProfile does.
func (p *Profile) UnmarshalText(text []byte) (err error) {
	*p, err = ParseProfile(string(text))
	return err
}

// Options say what the BTF of an image shall be. They are data: two encodings of the same image, on the same base, with equal options
// give the same bytes, whatever else differs (machine, number of workers, hooks). They can be stored as JSON, and Key makes one string
// of them.
//
// The zero value encodes as `btfbatch encode IMAGE` does: profile Default, the features of feature.Default, per-CPU variables.
type Options struct {
	// Profile says whose rules hold.
	Profile Profile
	// Features are the optional parts of BTF. The zero value stands for feature.Default(); feature.None is no feature at all.
	Features feature.Set
	// Sections say which variables become VARs, by the section that they lie in. nil stands for DefaultSections(), and an empty
	// list for no section. They count with the feature var or global_var. The profile Pahole has rules of its own.
	Sections []SectionRule
	// LangExclude are the source languages whose units are left out, see ParseLanguages.
	LangExclude []Language
	// UnitExclude are beginnings of names of units (CUs) that are left out, such as "drivers/staging/". The name of a unit is that of
	// its source file.
	UnitExclude []string
	// NamePrefix shortens the names that begin with it to the prefix itself, so that all of them are equal. An empty one shortens none.
	NamePrefix string
	// PlainFields makes plain members of bit fields that fill an aligned storage unit.
	PlainFields bool
	// SortByName puts types in the order of their names, for kernels that search by bisection. See package sorted.
	SortByName bool
	// LikeKernel does what the build of the image's kernel does to the encoder's BTF: kfuncs with implicit arguments get two prototypes (see
	// package implicit), and types are sorted by name if that build sorts them. The BTF in the image shows whether it does; if there is none,
	// Release decides.
	LikeKernel bool
	// Release is the kernel's own, as `uname -r` prints it. Only LikeKernel asks for it.
	Release string
	// RulesOff are rules of pahole that do not hold although the profile has them. It is for tests of what each of them does.
	RulesOff rules.Set
}

// Defaults are the options that the zero value stands for, spelt out: features and sections to start from.
func Defaults() Options {
	return Options{Features: feature.Default(), Sections: DefaultSections()}
}

// Key is a text that is equal for equal options, and another for others. What a zero value stands for counts as if it were spelt out,
// and the order of LangExclude, UnitExclude and SectionRule.DropSymbols does not count.
//
// The digests of the image, of its base and of the separate debug files, the version of btfbatch, and Key together name the bytes that an
// encoding gives. The form of the text may change from version to version.
func (o Options) Key() string { return fmt.Sprintf("%#v", o.canonical()) } // with every field there is, strings quoted

// canonical is the form that all equal options have.
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

// peer are the rules of pahole that hold.
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

// inOrder is a list without repeats, sorted; nil where it is empty.
func inOrder[T cmp.Ordered](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
