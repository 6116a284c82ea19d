// Package config reads and checks a manifest, the YAML file that says which kernel images to encode and how.
//
// Input: the text of a manifest. Output: a Manifest whose images are complete: defaults are merged, the matrix is expanded, and
// every value has its final type; or all problems of the text in one error, each with its line and column. Values that depend on
// the image's file or package are completed by Image.Fill. Never: the package does not look at the images. Package
// corpus checks that a file exists, is an ELF file and has the architecture given in the manifest.
package config

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// Limits of a manifest. They are far above any practical use. They keep a short text from requiring unbounded memory.
const (
	maxBytes   = 8 << 20   // the text of a manifest
	maxNodes   = 2_500_000 // values and comments of a text, by package bound; 100,000 images with ten keys
	maxAliases = 200_000   // YAML values that a text can have beyond one for each byte; they are counted at each use of an alias
	maxValues  = 8_000_000 // values of expanded images
	maxKeys    = 10_000    // of one mapping
	maxDepth   = 32        // of nesting
	maxText    = 4096      // bytes of one value after its expressions are replaced: the maximum length of a path
	maxName    = 255       // bytes of the name of an image
	maxNames   = 32        // names of a matrix
	maxImages  = 100_000   // images after the matrix is expanded
	maxFiles   = 4096      // manifests and lists that one manifest includes
)

// A Manifest is a manifest after those that it includes are read, its defaults are merged, and its matrix is expanded.
type Manifest struct {
	File   string   // the manifest's own path, as given
	SHA256 string   // of the text, in lower-case hex; of the digests of all texts, if it includes others
	Dir    string   // the folder that relative paths are relative to
	Others []string // paths of the manifests and lists that it includes, in the order of reading
	// Images are in the order of the text, those of included manifests first, and for a matrix in the order of its names.
	Images []Image
}

// A Profile selects btfbatch's own rules or pahole's.
type Profile string

// The two profiles.
const (
	Default Profile = "default"
	Pahole  Profile = "pahole" // all rules of pahole 1.32
)

// A Kind is what an image is.
type Kind string

// The kinds. AnyKind also accepts files that are neither a kernel nor a module.
const (
	Kernel  Kind = "kernel"
	Module  Kind = "module"
	AnyKind Kind = "any"
)

// An Image is one image to encode or, if Glob or From is set, a pattern for several.
type Image struct {
	Name string
	// Path is the image's file. If Glob is set, Path is the folder in which matching starts. It is empty if From is set.
	Path string
	Glob string
	// Pattern is the Glob, or the pattern of From.Member, that found this image; empty until Fill.
	Pattern string
	From    *From  // where the image comes from, if it is not at Path; otherwise nil
	Arch    string // normalised name, see ArchNames; empty if the manifest does not give it

	SHA256  string // pins, lower-case hex, empty if not pinned
	BuildID string
	Kind    Kind   // what the image must be; empty if the manifest does not say
	Release string // path.Match pattern that the kernel's release must have, empty if not pinned

	Profile       Profile
	Features      feature.Set
	FeaturesGiven bool     // else Features is feature.Default()
	LangExclude   []string // lower-case names of source languages whose CUs are left out
	Sections      []SectionRule
	SectionsGiven bool     // else the rules are the profile's; Pahole always uses its own
	SortByName    bool     // sort types by name
	LikeKernel    bool     // the key kernel: do what the build of the image\'s kernel does to the encoder\'s BTF
	Verify        []string // kernels as kernel.Find takes them, "6.1", "newest" or "5.10.0-28-amd64"

	Outputs Outputs
	Publish []Publish // where outputs are published; may be empty
	// Series is the name of the series that the image is compared in; may be empty. SeriesLoss is the share of what the image before it has that may
	// be missing, from 0 to 1.
	Series     string
	SeriesLoss float64
	Golden     string // expected raw dump, possibly .zst, or a file of sums
	Check      Check  // how the BTF is compared with it; an empty policy stands for Exact

	Base       string // name of the image this one is a split BTF of
	BasePath   string // or a file to take the base from, raw BTF or ELF
	BaseSHA256 string // pin of BasePath

	Line, Column int // where the image starts in its text
	Order        int // index in Manifest.Images

	src *source  // the manifest or list that the image is written in
	at  []placed // of single keys, for problems between images

	folder                 string // the folder in which the matching of Pattern started; empty unless it was a Glob
	absolute, baseAbsolute bool   // the manifest has an absolute path, or base_path
}

// A placed is the place of the value of a key.
type placed struct {
	key string
	position
}

// Outputs are the files that an image is written to; an empty path is not written.
type Outputs struct {
	BTF  string // raw BTF
	Base string // raw distilled base, against which BTF is then split
	Dump string // raw dump, the text of `bpftool btf dump file F format raw`
	ELF  string // copy of the image with .BTF inside, and .BTF.base if there is a distilled base
	JSON string // the types as JSON, as `bpftool -j btf dump file F` prints them
	C    string // the types as C, vmlinux.h as `bpftool btf dump file F format c` prints it
	// Archive is a tar archive with the raw BTF, compressed as its name says, as hubs of BTF store it.
	Archive string
	// Evidence is the JSON document that says how the image was encoded, and has the digests of the other outputs.
	Evidence string
}

// KeyEvidence is the key of Outputs.Evidence, which is not one of outputs.
const KeyEvidence = "evidence"

// An Output is a file that an image is written to.
type Output struct{ Key, Path string } // "outputs.btf" and its path

// List lists the outputs that are set.
func (o Outputs) List() []Output {
	all := []Output{
		{"outputs.btf", o.BTF}, {"outputs.base", o.Base}, {"outputs.dump", o.Dump}, {"outputs.elf", o.ELF},
		{"outputs.json", o.JSON}, {"outputs.c", o.C}, {"outputs.archive", o.Archive}, {KeyEvidence, o.Evidence},
	}
	return slices.DeleteFunc(all, func(x Output) bool { return x.Path == "" })
}

// A SectionRule says which variables of the sections it names become VARs. The first matching rule applies.
type SectionRule struct {
	Section string // name or path.Match pattern
	Exclude Exclude
	DataSec bool // whether the VARs are listed in a DATASEC
	Unique  bool // if two VARs have one offset, keep only the strong one; true by default
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

// Parse checks a manifest's text. The name is that of the file, for messages and to resolve relative paths. env looks up the
// value of ${{ env.NAME }}. An error is a *Problems.
func Parse(name string, data []byte, env func(string) (string, bool)) (*Manifest, error) {
	return parse(name, data, env, realDisk())
}

// parse is Parse with a disk that included files are read from.
func parse(name string, data []byte, env func(string) (string, bool), d disk) (*Manifest, error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	l := loader{report: newReport(name, data), env: env, disk: d, read: map[string]position{}}
	m := &Manifest{File: name, Dir: filepath.Dir(name)}
	l.read[d.id(name)] = l.at(1, 1, "")
	l.way = []*source{l.source}
	l.manifest(data, &value{kind: mapping})
	m.Images = l.images
	if !l.found() {
		l.readConflicts(m)
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	m.SHA256 = l.combined()
	for _, s := range l.sources[1:] {
		m.Others = append(m.Others, s.file)
	}
	for _, s := range l.sources {
		s.release()
	}
	return m, nil
}
