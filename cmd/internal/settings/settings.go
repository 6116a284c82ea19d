// Package settings converts flags or pahole's options to options of the encoder and kernels of the verifier. Its package ofimage does the same
// for an image of a manifest.
//
// Input: the values of flags, or the values of pahole's options. Output: Settings. Never: the package does not parse a command line, opens no
// files, and imports nothing that reads manifests, which would make the start of the program slower.
package settings

import (
	"errors"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/kernel"
	"github.com/btfbatch/btfbatch/encoder/rules"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// Settings decide which BTF an image gets, and which kernels must accept it.
type Settings struct {
	encoder.Options
	Kernels []Kernel // empty: the newest
}

// A Kernel is a generation of kernels that must accept the BTF.
type Kernel struct {
	verify.Kernel
	Releases []string // names of releases that are judged as this generation, as the user wrote them
}

// Flags holds the flags of a command without a manifest. The zero value has the same meaning as the defaults of the flags.
type Flags struct {
	Profile     string   // empty: default
	Features    string   // a list as feature.Parse reads it, or NoFeatures; empty: the default features
	LangExclude []string // names of languages
	SortByName  bool
	LikeKernel  bool
	Kernels     []string // names of kernels
}

// NoFeatures is the list that contains no feature.
const NoFeatures = "none"

// Settings returns the settings of the flags.
func (f *Flags) Settings() (s Settings, err error) {
	if s.Profile, err = Profile(f.Profile); err != nil {
		return s, err
	}
	if s.Features, err = features(f.Features); err != nil {
		return s, err
	}
	if s.LangExclude, err = encoder.ParseLanguages(f.LangExclude); err != nil {
		return s, err
	}
	if s.Kernels, err = Kernels(f.Kernels); err != nil {
		return s, err
	}
	s.SortByName = f.SortByName
	s.LikeKernel = f.LikeKernel
	return s, nil
}

func features(list string) (feature.Set, error) {
	switch list {
	case "":
		return feature.Default(), nil
	case NoFeatures:
		return feature.None, nil
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(list, "+"), ",") {
		if strings.TrimSpace(name) == "" {
			return 0, errors.New("--btf-features has an empty element")
		}
	}
	return feature.Parse(list)
}

// Pahole holds the values of pahole's options and environment variables.
type Pahole struct {
	Features    feature.Set // after all options about features
	LangExclude []encoder.Language
	UnitExclude []string
	NamePrefix  string
	PlainFields bool
	Kernels     []string
	RulesOff    rules.Set // rules of pahole that are switched off, for tests
}

// Settings returns the settings of pahole's options. The profile is always encoder.Pahole.
func (p *Pahole) Settings() (s Settings, err error) {
	s.Kernels, err = Kernels(p.Kernels)
	s.Options = encoder.Options{Profile: encoder.Pahole, Features: p.Features, LangExclude: p.LangExclude, UnitExclude: p.UnitExclude,
		NamePrefix: p.NamePrefix, PlainFields: p.PlainFields, RulesOff: p.RulesOff}
	return s, err
}

// Profile finds a profile by its name in a manifest or a flag. An empty name is the default profile.
func Profile(name string) (encoder.Profile, error) {
	if name == "" {
		return encoder.Default, nil
	}
	return encoder.ParseProfile(name)
}

// Kernels returns the generations of names such as 6.1, newest or 5.10.0-28-amd64. Each generation is listed once, in the order of the names.
func Kernels(names []string) ([]Kernel, error) {
	var list []Kernel
	for _, name := range names {
		k, err := verify.ParseKernel(name)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list, func(have Kernel) bool { return have.Kernel == k })
		if i < 0 { // different names may have the same generation
			i, list = len(list), append(list, Kernel{Kernel: k})
		}
		if Note(name) != "" {
			list[i].Releases = append(list[i].Releases, name)
		}
	}
	return list, nil
}

// Note returns a sentence that says which generation a kernel is judged as, or "" if its name is that of a generation.
func Note(name string) string {
	a, err := kernel.Find(name)
	if err != nil { // Kernels reports it
		return ""
	}
	return a.Note
}
