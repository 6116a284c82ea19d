// Package evidence describes how the BTF of an image was made, in files that anybody can check.
//
// Input: a row of a report, the settings of an image, and its BTF. Output: a JSON document about one image, the sums of all files of a
// batch in the format of sha256sum, and an in-toto statement with SLSA provenance. The same image, settings and version of the program
// give the same bytes on every machine: nothing contains a time, the name of a machine, or a path outside of the folder of the file itself.
// Never: the package reads no file, and writes none.
package evidence

import (
	"cmp"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/measure"
	"github.com/btfbatch/btfbatch/golden/report"
)

// Schema is the version of the document. Under one version, fields may be added; none goes away or changes its meaning.
const Schema = 1

// A Document says how one image was encoded. Its JSON form is described by evidence.schema.json.
type Document struct {
	Schema   int                   `json:"schema"`
	Tool     report.Tool           `json:"tool"`
	Image    Image                 `json:"image"`
	Source   Source                `json:"source"`
	Base     *Base                 `json:"base,omitempty"`
	Settings Settings              `json:"settings"`
	BTF      BTF                   `json:"btf"`
	LeftOut  []report.Drop         `json:"left_out"`
	Verdicts []report.Verification `json:"verdicts"`
	Warnings []report.Warning      `json:"warnings"`
	Outputs  []Output              `json:"outputs"`
}

// An Image is what an image says that it is.
type Image struct {
	Name     string `json:"name"` // in the manifest
	Arch     string `json:"arch"`
	Kind     string `json:"kind,omitempty"`     // kernel or module; empty if it says neither
	Release  string `json:"release,omitempty"`  // of the kernel that it is, or is for
	BuildID  string `json:"build_id,omitempty"` // lower-case hex
	Compiler string `json:"compiler,omitempty"` // that built the kernel
}

// A Source is where an image was found. Names of files have no folder.
type Source struct {
	File   string `json:"file"`   // the image, or the member of the package
	Bytes  int64  `json:"bytes"`  // of the image, as stored
	SHA256 string `json:"sha256"` // of the image, as stored; digests are lower-case hex

	Package *Package `json:"package,omitempty"` // that contains the image
}

// A Package is a package that contains an image.
type Package struct {
	File    string `json:"file,omitempty"`
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	Member  string `json:"member"`           // path of the image in the package
	SHA256  string `json:"sha256,omitempty"` // of the package, if the manifest or an index states it
	Pinned  bool   `json:"pinned,omitempty"` // the manifest has the digest, and the package had it
}

// A Base is the base of split BTF.
type Base struct {
	Name   string `json:"name"` // of the image, or of the file without its folder
	SHA256 string `json:"sha256,omitempty"`
}

// Settings are the rules by which an image was encoded.
type Settings struct {
	Profile     string    `json:"profile"`
	Features    []string  `json:"features"`
	LangExclude []string  `json:"lang_exclude,omitempty"`
	Sections    []Section `json:"sections,omitempty"` // absent where the rules are those of the profile
	SortByName  bool      `json:"sort_by_name,omitempty"`
	LikeKernel  bool      `json:"kernel,omitempty"`
}

// A Section is a rule for the variables of a section, with the keys of a manifest.
type Section struct {
	Section string   `json:"section"`
	Exclude []string `json:"exclude"`
	Datasec bool     `json:"datasec"`
	Unique  bool     `json:"unique"`
}

// BTF is the result.
type BTF struct {
	SHA256        string         `json:"sha256"` // of the raw BTF, before it is compressed
	Bytes         int            `json:"bytes"`
	Split         bool           `json:"split,omitempty"`
	DistilledBase int            `json:"distilled_base_bytes,omitempty"`
	Types         int            `json:"types"`
	Funcs         int            `json:"funcs"`
	Vars          int            `json:"vars"`
	Kinds         map[string]int `json:"kinds"` // number of types of each kind, such as STRUCT
}

// An Output is a published file.
type Output struct {
	Kind   string `json:"kind"` // as in the manifest
	Name   string `json:"name"` // relative to the folder of the document if it is below that folder, else without a folder; with slashes
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// A Subject is what a document is about.
type Subject struct {
	Row     *report.Row // complete except for the status, and with the other outputs
	Tool    report.Tool
	Options *encoder.Options
	Object  *btf.Object
	Package *Package // nil if the image is a file of its own
	File    string   // document; its folder is the one that Outputs are relative to
}

// Of returns the document.
func Of(s *Subject) *Document {
	row := s.Row
	d := &Document{
		Schema: Schema, Tool: s.Tool,
		Image:    Image{escape.UTF8(row.Name), row.Arch, row.Kind, row.Release, row.BuildID, escape.UTF8(row.Compiler)},
		Source:   Source{File: escape.UTF8(base(row.Path)), Bytes: row.InputBytes, SHA256: row.InputSHA256, Package: s.Package},
		Settings: settingsOf(s.Options),
		BTF: BTF{SHA256: row.OutputSHA256, Bytes: row.Bytes, Split: row.Split, DistilledBase: row.BaseBytes, Types: row.Types,
			Funcs: row.Funcs, Vars: row.Vars, Kinds: map[string]int{}},
		LeftOut:  append([]report.Drop{}, row.Dropped...),
		Verdicts: append([]report.Verification{}, row.Verify...),
		Warnings: []report.Warning{}, Outputs: []Output{},
	}
	d.Tool.SHA256 = "" // of another file on every platform
	if s.Package != nil {
		d.Source.File = base(s.Package.Member)
	}
	if row.Base != "" {
		d.Base = &Base{escape.UTF8(base(row.Base)), row.BaseSHA256}
	}
	for _, k := range measure.Of(s.Object, row.Bytes).Kinds {
		d.BTF.Kinds[k.Kind] = k.Count
	}
	slices.SortFunc(d.LeftOut, func(a, b report.Drop) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Reason, b.Reason))
	})
	for _, w := range row.Warnings {
		d.Warnings = append(d.Warnings, report.Warning{Rule: w.Rule, Count: w.Count, Examples: withoutFolder(w.Examples, row.Path)})
	}
	for _, o := range row.Outputs {
		d.Outputs = append(d.Outputs, Output{o.Kind, below(filepath.Dir(s.File), o.Path), o.Bytes, o.SHA256})
	}
	return d
}

// base is the name of a file, or of an image, without its folder.
func base(name string) string {
	if name == "" {
		return ""
	}
	return path.Base(filepath.ToSlash(name))
}

// below names a file relative to a folder above it. A file that is somewhere else has only its own name.
func below(folder, file string) string {
	rel, err := filepath.Rel(folder, file)
	if err != nil || !filepath.IsLocal(rel) {
		rel = filepath.Base(file)
	}
	return escape.UTF8(filepath.ToSlash(rel))
}

// withoutFolder removes the folder of the image from texts that name the image.
func withoutFolder(texts []string, file string) []string {
	list := make([]string, len(texts))
	for i, text := range texts {
		if file != "" {
			text = strings.ReplaceAll(text, file, base(file))
		}
		list[i] = escape.UTF8(text)
	}
	return list
}

func settingsOf(o *encoder.Options) Settings {
	s := Settings{Profile: o.Profile.String(), Features: o.Features.Names(), SortByName: o.SortByName, LikeKernel: o.LikeKernel}
	if s.Features == nil {
		s.Features = []string{}
	}
	for _, name := range encoder.LanguageNames() {
		if l, err := encoder.ParseLanguage(name); err == nil && slices.Contains(o.LangExclude, l) {
			s.LangExclude = append(s.LangExclude, name)
		}
	}
	for _, r := range o.Sections {
		out := Section{Section: r.Section, Exclude: []string{}, Datasec: !r.NoDatasec, Unique: !r.KeepDuplicates}
		for _, x := range []struct {
			set  bool
			name string
		}{{r.DropZeroAddress, "zero-address"}, {r.DropNonAllocated, "non-allocated"}, {r.DropUnnamed, "unnamed"}} {
			if x.set {
				out.Exclude = append(out.Exclude, x.name)
			}
		}
		out.Exclude = append(out.Exclude, r.DropSymbols...)
		s.Sections = append(s.Sections, out)
	}
	return s
}
