package feature

import (
	"fmt"
	"strings"
)

// A Feature is one optional part of the output.
type Feature uint8

// The features of pahole 1.32, in the order in which it lists them (rule 02/3).
const (
	EncodeForce Feature = iota
	Var
	Float
	DeclTag
	TypeTag
	Enum64
	OptimizedFunc
	ConsistentFunc
	DeclTagKfuncs
	ReproducibleBuild
	DistilledBase
	GlobalVar
	Attributes
	TrueSignature
	Layout
	ForceCUMerging
	numFeatures
)

// table has, for every feature, its name and whether "default" includes it.
var table = [numFeatures]struct {
	name      string
	inDefault bool
}{
	EncodeForce:       {"encode_force", true},
	Var:               {"var", true},
	Float:             {"float", true},
	DeclTag:           {"decl_tag", true},
	TypeTag:           {"type_tag", true},
	Enum64:            {"enum64", true},
	OptimizedFunc:     {"optimized_func", true},
	ConsistentFunc:    {"consistent_func", true},
	DeclTagKfuncs:     {"decl_tag_kfuncs", true},
	ReproducibleBuild: {"reproducible_build", false},
	DistilledBase:     {"distilled_base", false},
	GlobalVar:         {"global_var", false},
	Attributes:        {"attributes", false},
	TrueSignature:     {"true_signature", false},
	Layout:            {"layout", false},
	ForceCUMerging:    {"force_cu_merging", false},
}

// String is the name that --btf-features takes.
func (f Feature) String() string {
	if f >= numFeatures {
		return fmt.Sprintf("feature(%d)", uint8(f))
	}
	return table[f].name
}

// A Set is a set of features. The zero value means that no set was chosen: it has no feature, and encoder.Options takes it for Default.
// Every set that a function of this package returns counts as chosen, even an empty one.
type Set uint32

// None is the chosen set without any feature.
const None Set = 1 << 31

// Of is the set of the given features.
func Of(fs ...Feature) Set {
	s := None
	for _, f := range fs {
		s |= 1 << f
	}
	return s
}

// Default returns the features that `--btf_features=default` switches on.
func Default() Set {
	s := None
	for f := range numFeatures {
		if table[f].inDefault {
			s |= 1 << f
		}
	}
	return s
}

// All returns every feature, as pahole 1.32 does for "all".
func All() Set { return None | (1<<numFeatures - 1) }

// Chosen reports whether the set was chosen: it is false for the zero value only.
func (s Set) Chosen() bool { return s != 0 }

// Has reports whether f is in the set.
func (s Set) Has(f Feature) bool { return s&(1<<f) != 0 }

// With returns the set with fs added.
func (s Set) With(fs ...Feature) Set { return s | Of(fs...) }

// Without returns the set without fs: None if no feature is left.
func (s Set) Without(fs ...Feature) Set { return s&^Of(fs...) | None }

// String lists the names, comma-separated, in pahole's order.
func (s Set) String() string { return strings.Join(s.Names(), ",") }

// AppendText appends the names, comma-separated: "none" for None, and nothing for the zero value. The error is always nil.
func (s Set) AppendText(b []byte) ([]byte, error) {
	if s == None {
		return append(b, "none"...), nil
	}
	return append(b, s.String()...), nil
}

// MarshalText returns what AppendText appends.
func (s Set) MarshalText() ([]byte, error) { return s.AppendText(nil) }

// UnmarshalText reads what MarshalText writes, and what Parse reads. An unknown name is an *UnknownError.
func (s *Set) UnmarshalText(text []byte) (err error) {
	switch string(text) {
	case "":
		*s = 0
	case "none":
		*s = None
	default:
		*s, err = Parse(string(text))
	}
	return err
}

// Names lists the names of the set's features, in pahole's order.
func (s Set) Names() []string {
	var names []string
	for f := range numFeatures {
		if s.Has(f) {
			names = append(names, table[f].name)
		}
	}
	return names
}

// Names lists the names of all features, in pahole's order.
func Names() []string { return All().Names() }

// An UnknownError is a name that is not a feature.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("unknown BTF feature %q (known: default, all, %s)", e.Name, strings.Join(Names(), ", "))
}

// Parse reads a comma-separated list of names. "default" and "all" stand for their sets. A leading "+" adds the whole list to the
// default set. Empty elements are ignored. An unknown name is an *UnknownError.
func Parse(list string) (Set, error) {
	s := None
	if rest, ok := strings.CutPrefix(list, "+"); ok {
		s, list = Default(), rest
	}
	return s.add(strings.Split(list, ","))
}

// FromNames returns the set of the named features. It follows the rules of Parse, except that of the leading "+".
func FromNames(names []string) (Set, error) { return None.add(names) }

func (s Set) add(names []string) (Set, error) {
	for _, name := range names {
		switch name = strings.TrimSpace(name); name {
		case "":
		case "default":
			s |= Default()
		case "all":
			s |= All()
		default:
			f, ok := lookup(name)
			if !ok {
				return 0, &UnknownError{Name: name}
			}
			s |= 1 << f
		}
	}
	return s, nil
}

func lookup(name string) (Feature, bool) {
	for f := range numFeatures {
		if table[f].name == name {
			return f, true
		}
	}
	return 0, false
}
