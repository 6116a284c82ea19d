package corpus

import (
	"bytes"
	stdelf "debug/elf"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
)

// An Identity is what an image says about itself: a kernel in its variable linux_banner, a module in its section .modinfo.
type Identity struct {
	Kind    config.Kind // empty for what is neither
	Release string      // as `uname -r` prints it, of the kernel that it is or that it is for; empty if unknown
	// Compiler is what built a kernel, as its linux_banner says; empty if unknown.
	Compiler string
	Module   string // the module's name; empty if unknown

	// Hollow means that the image is a debug file, whose .BTF_ids has a size and no contents.
	Hollow bool
}

// Bounds of what is read to identify an image.
const (
	maxModinfo = 1 << 20
	maxBanner  = 512
)

// moduleSections are the sections that only modules have.
var moduleSections = []string{".modinfo", ".gnu.linkonce.this_module"}

const bannerStart = "Linux version "

// Identify reads what an image says about itself. An error means that the image is damaged.
func Identify(f *elf.File) (id Identity, err error) {
	if ids := f.Section(btf.SectionIDs); ids != nil {
		id.Hollow = !ids.HasData() && ids.Size > 0
	}
	info, err := modinfo(f)
	if err != nil {
		return id, err
	}
	isModule := f.Type == stdelf.ET_REL && slices.ContainsFunc(moduleSections, func(name string) bool { return f.Section(name) != nil })
	if f.Type == stdelf.ET_REL && info != nil {
		id.Module = info["name"]
		if magic, ok := info["vermagic"]; ok || id.Module != "" {
			id.Kind = config.Module
			if release, _, _ := strings.Cut(magic, " "); printable([]byte(release)) {
				id.Release = release
			}
			return id, nil
		}
	}
	found, text, err := banner(f)
	switch {
	case err != nil:
		return id, err
	case found:
		id.Kind, id.Release, id.Compiler = config.Kernel, text.release, text.compiler
	case isModule:
		id.Kind = config.Module // before its last link, or its debug file, which has the sections without their contents
	}
	return id, nil
}

// modinfo returns the fields of .modinfo, or nil if there is no such section. The first of several fields of one name counts.
func modinfo(f *elf.File) (map[string]string, error) {
	s := f.Section(".modinfo")
	if s == nil || !s.HasData() || s.Size > maxModinfo {
		return nil, nil
	}
	data, err := f.Data(s)
	if err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for field := range bytes.SplitSeq(data, []byte{0}) {
		if key, value, ok := strings.Cut(string(field), "="); ok {
			if _, twice := fields[key]; !twice {
				fields[key] = value
			}
		}
	}
	return fields, nil
}

// A bannerFields is what linux_banner says.
type bannerFields struct{ release, compiler string }

// banner finds the variable linux_banner. The fields are empty if the image does not hold its contents, as a debug file does not.
func banner(f *elf.File) (found bool, text bannerFields, err error) {
	syms, err := f.Symbols()
	if err != nil {
		return false, text, err
	}
	if syms == nil {
		return bannerText(f)
	}
	sym, found, err := syms.Named("linux_banner")
	if !found || err != nil {
		return false, text, err
	}
	s := sectionOf(f, &sym)
	if s == nil {
		return false, text, nil
	}
	if !s.HasData() {
		return true, text, nil
	}
	off := sym.Value - f.SymbolBase(s)
	if off >= s.Size || s.Size > 1<<30 || s.Flags&stdelf.SHF_COMPRESSED != 0 {
		return false, text, nil
	}
	data := make([]byte, min(maxBanner, s.Size-off))
	if err := f.ReadAt(s, data, off); err != nil {
		return false, text, err
	}
	text, found = parseBanner(data)
	return found, text, nil
}

// bannerText finds the text of linux_banner in an image that has no symbols.
func bannerText(f *elf.File) (found bool, text bannerFields, err error) {
	s := f.Section(".rodata")
	if s == nil || !s.HasData() || s.Size > 1<<28 || f.Type == stdelf.ET_REL {
		return false, text, nil
	}
	data, err := f.Data(s)
	if err != nil {
		return false, text, err
	}
	for {
		i := bytes.Index(data, []byte(bannerStart))
		if i < 0 {
			return false, text, nil
		}
		if text, ok := parseBanner(data[i:]); ok {
			return true, text, nil
		}
		data = data[i+1:]
	}
}

// parseBanner reads "Linux version 6.1.0-18-amd64 (builder@host) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld 2.40) #1 SMP ...".
func parseBanner(text []byte) (fields bannerFields, ok bool) {
	text, ok = bytes.CutPrefix(text, []byte(bannerStart))
	if !ok {
		return fields, false
	}
	text = text[:min(len(text), maxBanner)]
	if end := bytes.IndexAny(text, "\x00\n"); end >= 0 {
		text = text[:end]
	}
	release, rest, _ := bytes.Cut(text, []byte(" "))
	fields.release = string(release)
	if _, rest, ok := bytes.Cut(rest, []byte(") (")); ok {
		fields.compiler = compilerOf(string(rest))
	}
	return fields, len(release) > 0 && release[0] >= '0' && release[0] <= '9' && printable(release)
}

// compilerOf returns the compiler from "gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils) 2.40) #1 SMP ...": all up to the linker, or up to
// the parenthesis that ends both. It returns "" for a text that a terminal would not show as it is.
func compilerOf(text string) string {
	depth := 0
	for i, c := range []byte(text) {
		switch {
		case c < ' ' || c >= 0x7f:
			return ""
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == ')', c == ',' && depth == 0:
			return text[:i]
		}
	}
	return ""
}

func printable(text []byte) bool {
	return !slices.ContainsFunc(text, func(c byte) bool { return c <= ' ' || c >= 0x7f })
}

func sectionOf(f *elf.File, s *elf.Symbol) *elf.Section {
	if uint64(s.Section) < uint64(len(f.Sections)) {
		return &f.Sections[s.Section]
	}
	return nil
}

// What says what the image is, as words that can follow "is".
func (id *Identity) What() string {
	switch id.Kind {
	case config.Kernel:
		return "a kernel"
	case config.Module:
		return "a module"
	}
	return "neither a kernel (it has no linux_banner) nor a module (it has no .modinfo)"
}

// check compares the identity with the pins.
func (id *Identity) check(pins *Pins) error {
	if want := pins.Kind; want != "" && want != config.AnyKind && want != id.Kind {
		return mismatch{fmt.Errorf("kind: the image is %s, the manifest says %s", id.What(), want)}
	}
	if pins.IsRelease != "" && id.Release != "" && id.Release != pins.IsRelease {
		return fmt.Errorf("release: the image states %s, but its path in the package is that of %s", id.Release, pins.IsRelease)
	}
	if pins.Release == "" {
		return nil
	}
	if id.Release == "" && id.Kind == "" {
		return mismatch{fmt.Errorf("release: the image is %s, the manifest pins %s", id.What(), pins.Release)}
	}
	if ok, err := path.Match(pins.Release, id.Release); err != nil || !ok {
		return &MismatchError{What: "release", Found: id.Release, Pinned: pins.Release}
	}
	return nil
}

// A Use says how an image is used, for Doubts.
type Use struct {
	Name     string // of the image
	Manifest bool   // a manifest names the image, so its kind can be set there
	Embedded bool   // the BTF goes into a copy of the image
	Base     *Base  // of the image; may be nil
}

// A doubt is a reason to suspect that an image is not the one that the user wants, as a sentence. If it is wrong, an image of a manifest fails.
type doubt struct {
	text  string
	wrong bool
}

// Doubts lists reasons to suspect that an opened image is not the one that the user wants, one sentence each. They are not errors.
func (f *File) Doubts(use Use) (list []string) {
	for _, d := range f.doubts(use) {
		if !d.wrong || !use.Manifest {
			list = append(list, d.text)
		}
	}
	return list
}

// Mistaken returns an error, whose cause is ErrMismatch, if an opened image of a manifest is not what its place in the manifest says: the kernel of
// another release, a module of another kernel than its base, or a file that is neither a kernel nor a module. Nobody would notice that their BTF
// is wrong.
func (f *File) Mistaken(use Use) error {
	if !use.Manifest {
		return nil
	}
	var list []string
	for _, d := range f.doubts(use) {
		if d.wrong {
			list = append(list, d.text)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return &mistakenError{list}
}

type mistakenError struct{ reasons []string }

func (e *mistakenError) Error() string { return "identity: " + strings.Join(e.reasons, "; ") }

func (e *mistakenError) Is(target error) bool { return target == ErrMismatch }

func (f *File) doubts(use Use) (list []doubt) {
	id := &f.Identity
	if !f.identified || f.Pins.Kind == config.AnyKind {
		return nil
	}
	add := func(wrong bool, format string, args ...any) {
		list = append(list, doubt{fmt.Sprintf(format, args...), wrong})
	}
	if id.Kind == "" {
		advice := "ignore this warning if it is a program; otherwise, use the vmlinux or .ko file"
		if use.Manifest {
			advice = "if that is intended, write kind: any in the manifest"
		}
		add(true, "it is %s; %s", id.What(), advice)
	}
	if other := otherRelease(use.Name, id.Release); other != "" && f.Pins.Release == "" {
		advice := ""
		if use.Manifest {
			advice = "; if that is intended, state the release in the manifest (release: " + id.Release + ")"
		}
		add(true, "its name says %s, but it is release %s%s", other, id.Release, advice)
	}
	if id.Hollow {
		add(false, "it is a debug file, whose .BTF_ids has no contents: functions that BPF programs may call (kfuncs) are not marked; use the image itself")
	}
	base := use.Base
	if base == nil {
		if id.Kind == config.Module && use.Embedded {
			add(false, "it is a module without a base, but kernels expect the BTF of a module to be split")
		}
		return list
	}
	if id.Kind == config.Kernel {
		add(true, "it is a kernel, but it has a base")
	}
	if base.Identity.Kind == config.Module {
		add(true, "its base is a module")
	}
	if release := base.Identity.Release; id.Release != "" && release != "" && id.Release != release {
		add(true, "it is for release %s, but its base is release %s", id.Release, release)
	}
	return list
}

// version matches what looks like a kernel version in a name, and the letters in front of it.
var version = regexp.MustCompile(`([A-Za-z]*)[-_]?(\d+)\.(\d+)(?:\.(\d+))?`)

// otherVersions are words that, in the name of an image, come before a version that is not a kernel's.
var otherVersions = strings.Fields("rhel el centos ol alma almalinux rocky sles sle opensuse leap gcc clang llvm pahole dwarf btf")

// newestMajor is the greatest major version of Linux. A greater number is taken for the version of a distribution.
const newestMajor = 7

// otherRelease returns the first kernel version in a name if no version in the name is that of the release, and otherwise "". Numbers are
// compared as a whole: 6.1 is not 6.12.
func otherRelease(name, release string) string {
	numbers := version.FindStringSubmatch(release)
	if numbers == nil {
		return ""
	}
	other := ""
	for _, m := range version.FindAllStringSubmatch(name, -1) {
		major, err := strconv.Atoi(m[2])
		if err != nil || major < 2 || major > newestMajor || slices.Contains(otherVersions, strings.ToLower(m[1])) {
			continue
		}
		if m[2] == numbers[2] && m[3] == numbers[3] && (m[4] == "" || m[4] == numbers[4] || numbers[4] == "") {
			return ""
		}
		if other == "" {
			other = strings.TrimSuffix(strings.Join(m[2:], "."), ".")
		}
	}
	return other
}
