package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/kernel"
)

// An imageKey describes a key of an image: whether defaults may have it, which image.* names its expressions can use, and how to read it.
type imageKey struct {
	key
	inDefaults bool
	refs       []string
	read       func(d *decoder, m *Image, v *value)
}

// imageKeys lists all keys of an image in the order in which they are read. Later keys can refer to earlier ones.
var imageKeys []imageKey

func init() { // the readers refer to the table
	all := imageRefs
	row := func(name, about string, s shape) key { return key{name, about, s, ""} }
	imageKeys = []imageKey{
		{row("matrix", "The image's own matrix, in place of the manifest's.", matrixShape), false, nil, func(*decoder, *Image, *value) {}}, // read by expand
		{row("arch", "Architecture that the ELF header must have.", wordShape(archWords(), true)), true, nil, (*decoder).arch},
		{row("path", "ELF file with DWARF, relative to the manifest. May be a glob with *, **, ?, [a-z] and {a,b}.", fileShape),
			false, []string{"arch"}, (*decoder).path},
		{row("from", "Where the image comes from, in place of path: a package, or a server.", fromShape), true, []string{"arch"}, (*decoder).from},
		{row("name", "Name of the image, in messages and in ${{ image.name }}. Default: ${{ image.file }}.", nameShape),
			false, []string{"arch", "file", "release", "package", "version"}, (*decoder).name},
		{row("sha256", "SHA-256 that the file must have.", digestShape("sha256:", "32")), false, nil, (*decoder).sha256},
		{row("build_id", "GNU build ID that the file must have.", digestShape("", "1,64")), false, nil, (*decoder).buildID},
		{row("kind", "What the image must be. Without it, a file that is neither a kernel nor a module fails.", wordShape(kinds, false)),
			true, nil, (*decoder).kind},
		{row("release", "Release that the kernel must have, or that the module must be for. May have *, ? and [a-z].", textShape),
			true, nil, (*decoder).release},
		{row("profile", "Rules in force: btfbatch's own (default) or those of pahole 1.32.", wordShape(profiles, false)),
			true, nil, (*decoder).profile},
		{row("features", "Optional parts of BTF by pahole's names. A + before the list starts from the default set.",
			wordsShape(words{fixed: featureWords(), first: "+"})), true, nil, (*decoder).features},
		{row("lang_exclude", "Source languages whose compile units are left out.", wordsShape(words{fixed: languages, anyCase: true})),
			true, nil, (*decoder).langExclude},
		{row("sections", "Which variables become VARs, by section. The first rule that matches a section applies.", sectionsShape),
			true, nil, (*decoder).sections},
		{row("sort_by_name", "Whether types are sorted by name, for kernels that search by bisection.", boolShape), true, nil, (*decoder).sortByName},
		{row("kernel", "Whether to do what the build of the image's kernel does to the encoder's BTF: prototypes of kfuncs with implicit "+
			"arguments, and the order of types.", boolShape), true, nil, (*decoder).likeKernel},
		{row("verify", "Kernels that must accept the BTF: generations, newest, or releases that belong to a generation, such as 6.8 or "+
			"5.10.0-28-amd64.", wordsShape(words{fixed: kernel.Words(), pattern: kernel.ReleasePattern, leastNum: oldestMajor(), unique: true})),
			true, nil, (*decoder).verify},
		{row("outputs", "Files to write.", outputsShape), true, all, (*decoder).outputs},
		{row(KeyEvidence, "Whether to write a JSON document with settings, source and digests beside the first output; or the path of the document.",
			evidenceShape), true, all, (*decoder).evidence},
		{row("series", "Name of a series of images. Each is compared with the one of the next older release: one that lost functions, types or "+
			"per-CPU variables fails.", textShape), true, []string{"arch", "name", "file", "package"}, (*decoder).series},
		{row("series_loss", "Share of the functions, types or per-CPU variables of the image before in its series that may be missing, such as 10%.",
			shareShape), true, nil, (*decoder).seriesLoss},
		{row(KeyPublish, "Where run --publish puts the outputs once they are known to be good: the address of a registry, a bucket or a folder, a "+
			"mapping, or a list of these.", publishShape), true, all, (*decoder).publish},
		{row("golden", "What the BTF is compared with: the path of a raw dump, possibly compressed (.zst), or a mapping.", goldenShape),
			true, all, (*decoder).golden},
		{row("base", "Name of the image whose BTF this one extends (split BTF).", textShape), false, all, (*decoder).base},
		{row("base_path", "File to take the base from: raw BTF or ELF.", fileShape), true, all, (*decoder).basePath},
		{row("base_sha256", "SHA-256 that base_path must have.", digestShape("sha256:", "32")), true, nil, (*decoder).baseSHA256},
	}
}

// imageKeyNames lists the names of all keys of an image.
var imageKeyNames = sync.OnceValue(func() []string { return keyNames(func(*imageKey) bool { return true }) })

func keyNamed(name string) *imageKey {
	for i := range imageKeys {
		if imageKeys[i].name == name {
			return &imageKeys[i]
		}
	}
	return nil
}

func keyNames(which func(*imageKey) bool) []string {
	var names []string
	for i := range imageKeys {
		if which(&imageKeys[i]) {
			names = append(names, imageKeys[i].name)
		}
	}
	return names
}

// A decoder reads the values of one image.
type decoder struct {
	*report
	scope *scope
	refs  []string // image.* names that the key being read can use
	// defaults is set if the values are the defaults alone, which may lack what images add.
	defaults bool
}

// image reads merged keys. The result is valid only if no problem was found.
func (d *decoder) image(v *value) Image {
	m := Image{
		Profile: Default, Features: feature.Default(),
		Line: v.line, Column: v.col, src: v.src, at: make([]placed, 0, len(v.entries)+2),
	}
	d.scope.broken["file"] = !located(v)
	d.scope.broken["release"] = !located(v)
	if v.get("name") == nil {
		v = d.named(v)
	}
	for i := range imageKeys {
		k := &imageKeys[i]
		if e := v.get(k.name); e != nil {
			d.refs = k.refs
			m.mark(k.name, e.value.position)
			k.read(d, &m, e.value)
		}
	}
	if e := v.get("base"); e != nil && v.get("base_path") != nil {
		d.add(e.at, "", "base and base_path cannot be used together")
	}
	d.places(v, &m)
	if e := v.get("base_sha256"); e != nil && v.get("base_path") == nil && located(v) {
		d.add(e.at, "", "base_sha256 needs base_path; to pin an image that is a base, set its sha256")
	}
	d.distilled(v, &m)
	return m
}

// located reports whether a mapping says where its image is. The defaults need not.
func located(v *value) bool { return v.get("path") != nil || v.get("from") != nil }

// places checks that an image has one place.
func (d *decoder) places(v *value, m *Image) {
	from := v.get("from")
	if from == nil {
		return
	}
	if v.get("path") != nil {
		d.add(from.at, "", "path and from cannot be used together")
	}
	if m.Outputs.ELF != "" {
		d.add(m.place("outputs.elf"), "", "outputs.elf is a copy of the image at path, and this image has from; extract it, and name it with path")
	}
	if e := v.get("sha256"); e != nil {
		d.add(e.at, "", "sha256 is that of path; to pin what from names, write sha256 inside from")
	}
}

// distilled checks that outputs.base is possible.
func (d *decoder) distilled(v *value, m *Image) {
	at := m.place("outputs.base")
	switch {
	case m.Outputs.Base == "", !located(v): // or the key is only in the defaults
	case !m.Features.Has(feature.DistilledBase):
		d.add(at, "", "outputs.base needs the feature distilled_base")
	case v.get("base") == nil && v.get("base_path") == nil:
		d.add(at, "", "outputs.base needs base or base_path")
	}
}

// named sets the name of an image without one to that of its file.
func (d *decoder) named(v *value) *value {
	at := v.position
	for _, key := range []string{"path", "from"} {
		if e := v.get(key); e != nil {
			at = e.value.position
		}
	}
	at.path = join(v.path, "name")
	name := &value{position: at, kind: scalar, tag: "!!str", text: filePlaceholder}
	return &value{position: v.position, kind: mapping, entries: append(v.entries[:len(v.entries):len(v.entries)],
		entry{"name", at, name})}
}

func (d *decoder) arch(m *Image, v *value) {
	d.scope.broken["arch"] = true
	text, ok := d.text(v)
	if !ok {
		return
	}
	a, ok := ArchByName(text)
	if !ok {
		d.add(v.position, d.nearest(text, ArchNames()), "unknown architecture %q", text)
		return
	}
	m.Arch = a.Name
	d.scope.image["arch"] = a.Name
}

func (d *decoder) path(m *Image, v *value) {
	d.scope.broken["file"], d.scope.broken["release"] = true, false
	text, ok := d.file(v)
	if !ok {
		return
	}
	d.scope.image["release"] = releasePlaceholder
	m.absolute = filepath.IsAbs(text)
	if !strings.ContainsAny(text, "*?[{") {
		m.Path = v.joined(text)
		d.scope.image["file"] = FileStem(m.Path)
		return
	}
	if !doublestar.ValidatePattern(text) {
		d.add(v.position, "", "glob %q is malformed", text)
		return
	}
	start, pattern := doublestar.SplitPattern(filepath.ToSlash(text))
	list, err := Alternatives(pattern)
	if err != nil {
		d.add(v.position, "", "%v", err)
		return
	}
	for _, one := range append(list, pattern) {
		for elem := range strings.SplitSeq(one, "/") {
			if elem == ".." || elem == "." || elem == "" && one == pattern {
				d.add(v.position, "", "glob %q has %q after its first wildcard", text, elem)
				return
			}
		}
	}
	m.Path, m.Glob = v.joined(start), pattern
	d.scope.image["file"] = filePlaceholder
}

func (d *decoder) name(m *Image, v *value) {
	d.scope.broken["name"] = true
	text, ok := d.text(v)
	if !ok {
		return
	}
	if err := checkName(withPlaceholders(text, func(string) string { return "x" })); err != nil {
		d.add(v.position, "", "%v", err)
		return
	}
	m.Name = text
	d.scope.image["name"] = text
}

func (d *decoder) outputs(m *Image, v *value) {
	if v.kind != mapping {
		d.add(v.position, "", "outputs must be a mapping with %s, not %s", strings.Join(namesOf(outputKeys), ", "), v.what())
		return
	}
	d.checkKeys(v, namesOf(outputKeys), "outputs")
	for _, e := range v.entries {
		if to := m.Outputs.byKey(e.key); to != nil {
			m.mark("outputs."+e.key, e.value.position)
			d.readPath(e.value, to)
			d.packing(e.value, e.key, *to)
		}
	}
}

// byKey returns the field of a key of outputs, or nil.
func (o *Outputs) byKey(key string) *string {
	switch key {
	case "btf":
		return &o.BTF
	case "base":
		return &o.Base
	case "dump":
		return &o.Dump
	case "elf":
		return &o.ELF
	case "json":
		return &o.JSON
	case "c":
		return &o.C
	case "archive":
		return &o.Archive
	}
	return nil
}

// packing checks that the compression that the name of an output asks for is supported.
func (d *decoder) packing(v *value, key, path string) {
	if key == "archive" {
		if path != "" && input.Archive(path) == "" {
			d.add(v.position, "", "outputs.archive must end in %s", strings.Join(input.Archives(), ", "))
		}
	} else if err := input.CheckWritable(path); err != nil {
		d.add(v.position, "", "%v", err)
	} else if key == "elf" && input.Compression(path) != "" {
		d.add(v.position, "", "outputs.elf cannot be compressed; the other outputs can")
	}
}

// outputKeys are the keys of outputs.
var outputKeys = []key{
	{"btf", "Raw BTF.", outputShape(input.ReadOnly()), ""},
	{"base", "Raw distilled base, against which the raw BTF is then split.", outputShape(input.ReadOnly()), ""},
	{"dump", "Raw dump of the BTF as text.", outputShape(input.ReadOnly()), ""},
	{"elf", "Copy of the image with the BTF in a section .BTF, and a distilled base in .BTF.base.",
		outputShape(append(input.ReadOnly(), input.Compressed()...)), ""},
	{"json", "The types as JSON, as bpftool prints them.", outputShape(input.ReadOnly()), ""},
	{"c", "The types as C (vmlinux.h), as bpftool prints them.", outputShape(input.ReadOnly()), ""},
	{"archive", "Archive with the raw BTF as RELEASE.btf, as BTFHub has it: .tar.xz, .tar.zst or .tar.gz.", archiveShape, ""},
}

// evidence reads whether an image has a document of evidence, or its path. The document of true is beside the first output.
func (d *decoder) evidence(m *Image, v *value) {
	switch {
	case v.kind != scalar || v.tag != "!!bool" && !strings.EqualFold(v.text, "true") && !strings.EqualFold(v.text, "false"):
		d.readPath(v, &m.Outputs.Evidence)
		d.packing(v, KeyEvidence, m.Outputs.Evidence)
		return
	case strings.EqualFold(v.text, "false"):
		return
	}
	if list := m.Outputs.List(); len(list) > 0 {
		m.Outputs.Evidence = list[0].Path + evidenceEnd
	} else if !d.defaults {
		d.add(v.position, "", "evidence is about outputs, and the image has none; add outputs")
	}
}

// evidenceEnd is what evidence: true adds to the name of the first output.
const evidenceEnd = ".evidence.json"

func (d *decoder) sortByName(m *Image, v *value) { d.flag(v, &m.SortByName) }
func (d *decoder) likeKernel(m *Image, v *value) { d.flag(v, &m.LikeKernel) }

func (d *decoder) basePath(m *Image, v *value) {
	if text, ok := d.file(v); ok {
		m.BasePath, m.baseAbsolute = v.joined(text), filepath.IsAbs(text)
	}
}

func (d *decoder) readPath(v *value, to *string) {
	if text, ok := d.file(v); ok {
		*to = v.joined(text)
	}
}

func (d *decoder) base(m *Image, v *value) { m.Base, _ = d.text(v) }

// joined returns a path that is relative to the text in which it is written.
func (at position) joined(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(at.src.dir, path)
}

// FileStem returns ${{ image.file }}: the base name without its extension. The part after the last dot is an extension if it
// starts with a letter, so vmlinux-6.12 keeps its version.
func FileStem(path string) string {
	base := filepath.Base(path)
	if i := strings.LastIndexByte(base, '.'); i > 0 && i+1 < len(base) && unicode.IsLetter(rune(base[i+1])) {
		return base[:i]
	}
	return base
}

// checkName checks the name of an image, which is used in messages and in paths of outputs.
func checkName(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("name is longer than %d bytes", maxName)
	}
	for _, r := range name {
		if r == unicode.ReplacementChar {
			return fmt.Errorf("name %q is not valid UTF-8", name)
		}
		if !unicode.IsPrint(r) || r == ' ' || r == '\\' {
			return fmt.Errorf("name %q contains the character %q, which is not allowed", name, r)
		}
	}
	for elem := range strings.SplitSeq(name, "/") {
		if elem == "" || elem[0] == '.' {
			return fmt.Errorf("name %q has an empty part or one that starts with a dot", name)
		}
	}
	return nil
}

// Facts are values of ${{ image.* }} that are known only when the image has been found.
type Facts struct {
	File             string // path of the file, or of the member of a package
	Release          string // the kernel's release
	Package, Version string // what the package says about itself
}

// Fill returns the image for one file or member that its Glob or From stands for.
func (m Image) Fill(f Facts) (Image, error) {
	stem := FileStem(f.File)
	if m.From != nil {
		stem = memberStem(f.File)
		from := *m.From
		m.Pattern, from.Member = from.Member, f.File
		m.From = &from
	} else {
		if m.Glob != "" {
			m.folder = m.Path
		}
		m.Path, m.Glob, m.Pattern = f.File, "", m.Glob
	}
	var problem error
	fill := func(p string) string {
		what, text := "release", f.Release
		switch p {
		case filePlaceholder:
			return stem
		case packagePlaceholder:
			what, text = "package", f.Package
		case versionPlaceholder:
			what, text = "version", f.Version
		}
		if !plainFact.MatchString(text) && problem == nil {
			if problem = fmt.Errorf("image.%s is used, but it is %q, which cannot be part of a name", what, text); text == "" {
				problem = fmt.Errorf("image.%s is used, but the image does not state it", what)
			}
		}
		return text
	}
	m.Publish = slices.Clone(m.Publish)
	for _, s := range m.perFile() {
		*s = withPlaceholders(*s, fill)
	}
	for i := range m.Publish {
		if _, err := m.Publish[i].Address(); err != nil && problem == nil {
			problem = fmt.Errorf("publish: %w", err)
		}
	}
	if problem != nil {
		return m, problem
	}
	return m, checkName(m.Name)
}

// plainFact matches what an image or a package may say about itself to become part of a path. It contains no slash.
var plainFact = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+~_:^-]*$`)

// perFile lists the values that may have placeholders.
func (m *Image) perFile() []*string {
	o := &m.Outputs
	list := []*string{&m.Name, &o.BTF, &o.Base, &o.Dump, &o.ELF, &o.JSON, &o.C, &o.Archive, &o.Evidence, &m.Golden, &m.Base, &m.BasePath, &m.Series}
	for i := range m.Publish {
		list = append(list, &m.Publish[i].To)
	}
	return list
}

// NeedsRelease reports whether a value of the image contains ${{ image.release }}.
func (m *Image) NeedsRelease() bool {
	return slices.ContainsFunc(m.perFile(), func(s *string) bool { return strings.Contains(*s, releasePlaceholder) })
}

// memberStem returns ${{ image.file }} of a file in a package: its name without the extensions of debug files, of compression, and its own.
func memberStem(name string) string {
	name = filepath.Base(name)
	for _, end := range []string{".xz", ".zst", ".gz", ".bz2", ".debug"} {
		name = strings.TrimSuffix(name, end)
	}
	return FileStem(name)
}

// NamedByFile reports whether each file that the image's Glob or From stands for gets its own name.
func (m Image) NamedByFile() bool { return strings.Contains(m.Name, filePlaceholder) }

// Label returns the image's name for messages. Values that are unknown until its files are found are replaced by patterns.
func (m Image) Label() string {
	return withPlaceholders(m.Name, func(p string) string {
		switch {
		case p != filePlaceholder:
			return "*"
		case m.From == nil:
			return m.Glob
		case m.From.Member == "":
			return "vmlinux*"
		}
		return m.From.Member
	})
}
