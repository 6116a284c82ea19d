// Package config reads and checks a manifest, the YAML file that says which kernel images to encode and how.
//
// In comes the text of a manifest; out comes a Manifest whose images are complete: defaults are merged in, the matrix
// is expanded, every value has its final type. Whatever is wrong with the text is reported at once, each problem
// with its line and column. The package never looks at the images: that a file exists, is an ELF file and has the
// architecture that the manifest claims is for corpus to find out. What only a file's name can tell stays open until
// Image.ForFile.
package config

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// Bounds on what a manifest may ask for. They are far above any use and exist so that a short text cannot ask for
// unbounded memory.
const (
	maxBytes  = 1 << 20 // the text of a manifest
	maxValues = 200_000 // YAML values, those behind an alias counted at each use, and values of expanded images
	maxDepth  = 32      // of nesting
	maxText   = 4096    // one value after its expressions are filled in, as long as a path may be
	maxNames  = 32      // axes of a matrix
	maxImages = 4096    // images after the matrix is expanded
)

// A Manifest is a manifest after its defaults and its matrix are worked in.
type Manifest struct {
	File   string  // the manifest's own path, as given
	Dir    string  // the folder that relative paths start from
	Images []Image // in the order of the text; those of one matrix in the order of its axes
}

// A Profile chooses between the tool's own rules and the peer's.
type Profile string

// The two profiles.
const (
	Default Profile = "default"
	Pahole  Profile = "pahole" // every rule as pahole 1.32 has it
)

// A Kind is what an image is.
type Kind string

// The kinds. What the manifest calls AnyKind may be something else, too.
const (
	Kernel  Kind = "kernel"
	Module  Kind = "module"
	AnyKind Kind = "any"
)

// An Image is one image to encode, or, while Glob is set, a pattern for several.
type Image struct {
	Name string
	// Path is the image's file. If Glob is set, Path is the folder that the pattern starts from.
	Path string
	Glob string
	Arch string // normalised name, see ArchNames; empty if the manifest leaves it to the ELF header

	SHA256  string // pins, lower-case hex, empty if not pinned
	BuildID string
	Kind    Kind   // what the image must be; empty if the manifest does not say
	Release string // path.Match pattern that the kernel's release must have, empty if not pinned

	Profile       Profile
	Features      feature.Set
	FeaturesGiven bool     // else Features is feature.Default()
	LangExclude   []string // lower-case names of source languages whose CUs are left out
	Sections      []SectionRule
	SectionsGiven bool     // else the rules are the profile's own; under Pahole they are so in any case
	SortByName    bool     // put types in the order of their names
	Verify        []string // kernels as kernel.Find takes them, "6.1", "newest" or "5.10.0-28-amd64"

	Outputs Outputs
	Golden  string // expected raw dump, possibly .zst

	Base       string // name of the image this one is a split BTF of
	BasePath   string // or a file to take the base from, raw BTF or ELF
	BaseSHA256 string // pin of BasePath

	Line, Column int // where the image starts in the manifest

	at map[string]position // of single keys, for problems between images
}

// Outputs are the files that an image is written to; an empty path is not written.
type Outputs struct {
	BTF  string // raw BTF
	Base string // raw distilled base, which BTF then continues
	Dump string // raw dump, as `bpftool btf dump file F format raw` prints it
	ELF  string // copy of the image with .BTF inside, and .BTF.base if there is a distilled base
}

// An Output is a file that an image is written to.
type Output struct{ Key, Path string } // "outputs.btf" and its path

// List lists the outputs that are set.
func (o Outputs) List() []Output {
	all := []Output{{"outputs.btf", o.BTF}, {"outputs.base", o.Base}, {"outputs.dump", o.Dump}, {"outputs.elf", o.ELF}}
	return slices.DeleteFunc(all, func(x Output) bool { return x.Path == "" })
}

// A SectionRule says which variables of the sections it names become VARs. The first rule that matches a section counts.
type SectionRule struct {
	Section string // name or path.Match pattern
	Exclude Exclude
	DataSec bool // whether the VARs are listed in a DATASEC
	Unique  bool // of two VARs at one offset keep the strong one only; unless the manifest says otherwise
}

// Exclude says which variables a SectionRule leaves out.
type Exclude struct {
	ZeroAddress  bool
	NonAllocated bool
	Unnamed      bool
	Symbols      []string // path.Match patterns of symbol names
}

// Load reads the manifest at path. If the text has problems, the error is a *Problems that lists them all.
func Load(path string) (*Manifest, error) {
	data, err := input.ReadText(path, input.Manifest, maxBytes)
	if err != nil {
		return nil, err
	}
	return Parse(path, data, os.LookupEnv)
}

// Parse checks a manifest's text. The name is the file's, for messages and as the start of relative paths; env looks
// up what ${{ env.NAME }} stands for. An error is a *Problems.
func Parse(name string, data []byte, env func(string) (string, bool)) (*Manifest, error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	rep := newReport(name, data)
	m := &Manifest{File: name, Dir: filepath.Dir(name)}
	if root := rep.readTree(data); root != nil {
		m.Images = rep.readManifest(root, m.Dir, env)
	}
	if !rep.found() {
		rep.readConflicts(m)
	}
	if err := rep.err(); err != nil {
		return nil, err
	}
	return m, nil
}
