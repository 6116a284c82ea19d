// Package draft writes a manifest for the images that it finds.
//
// Input: paths of images, of packages with the debug information of kernels, and of folders to search. Output: the text of a manifest with
// comments, which config.Parse accepts and which names exactly these images. Never: the package does not write files, and does not read DWARF.
package draft

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// An image is a file that becomes an image of the manifest.
type image struct {
	path    string // as found
	rel     string // relative to the folder of the manifest, with slashes
	arch    string // normalised name; empty if a manifest cannot name it
	kind    config.Kind
	release string
	golden  string // relative to the folder of the manifest; empty if there is none
	name    string
	base    string      // name of the kernel that a module belongs to
	pkg     source.Kind // of the package whose kernel the image is; empty if the file is the image
}

// A Draft is what was found.
type Draft struct {
	images  []image
	modules []string // all files with a module's extension, for globs
	goldens []string // possible goldens
	dir     string   // of the manifest
	from    corpus.Sources

	// Skipped says which files were left out, and why.
	Skipped []string
	// NoDWARF counts the ELF files in folders that have no DWARF.
	NoDWARF int
	// Packages counts the packages in folders that were not opened, because they do not have names of debug packages of kernels.
	Packages int
}

// moduleExtensions are those of modules, plain and compressed.
var moduleExtensions = []string{".ko", ".ko.xz", ".ko.zst", ".ko.gz"}

// Find searches for images in files and, recursively, in folders. A file that is given must be an image with DWARF, or a package that contains
// a kernel with DWARF. dir is the folder of the manifest. Hidden folders are not searched, and symbolic links not followed. Packages are read
// with the limits of from. If there is no image, the draft that is returned beside the error says what was left out.
func Find(ctx context.Context, given []string, dir string, from corpus.Sources) (*Draft, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	d := &Draft{dir: abs, from: from}
	for _, path := range given {
		st, err := input.Stat(path)
		if err != nil {
			return nil, err
		}
		if !st.IsDir() {
			switch found, err := d.look(ctx, path); {
			case err != nil:
				return nil, fmt.Errorf("%s: %w", path, err)
			case !found:
				return nil, fmt.Errorf("%s has no DWARF: there is no section .debug_info", path)
			}
			d.noteModule(path)
			continue
		}
		if err := d.walk(ctx, path); err != nil {
			return nil, err
		}
	}
	if len(d.images) == 0 {
		err := fmt.Errorf("no image with DWARF in %s", strings.Join(given, ", "))
		if d.NoDWARF > 0 {
			err = fmt.Errorf("%w; %d ELF files there have none: install the packages with debug information", err, d.NoDWARF)
		}
		if d.Packages > 0 {
			err = fmt.Errorf("%w; %d packages there do not have the names of debug packages of kernels: name the one to be read", err, d.Packages)
		}
		return d, err
	}
	d.settle()
	return d, nil
}

// walk looks at all files below a folder.
func (d *Draft) walk(ctx context.Context, root string) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch {
		case err != nil && path == root:
			return err
		case err != nil:
			d.skip(path, err)
			return nil
		case e.IsDir():
			if path != root && strings.HasPrefix(e.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		case !e.Type().IsRegular():
			if hasImageName(path) {
				d.skip(path, irregular(e.Type()))
			}
			return nil
		}
		d.noteModule(path)
		if isGolden(path) {
			d.goldens = append(d.goldens, path)
			return nil
		}
		switch what := mayBe(path); {
		case what == nothing:
			if hasImageName(path) {
				d.skip(path, errors.New("it is neither an ELF file nor a package"))
			}
			return nil
		case what == aPackage && !isDebugPackage(path):
			d.Packages++
			return nil
		}
		found, err := d.look(ctx, path)
		if err != nil {
			d.skip(path, err)
		} else if !found {
			d.NoDWARF++
		}
		return nil
	})
}

// hasImageName reports whether whoever named a file means a debug package of a kernel, a kernel, or a module.
func hasImageName(path string) bool {
	name := filepath.Base(path)
	kernel := name == "vmlinux" || strings.HasPrefix(name, "vmlinux-") || strings.HasSuffix(name, ".vmlinux")
	return isDebugPackage(path) && slices.Contains([]string{".deb", ".ddeb", ".rpm"}, filepath.Ext(name)) || kernel || isModule(path)
}

// irregular says why a file that is no regular one is left out.
func irregular(mode fs.FileMode) error {
	if mode&fs.ModeSymlink != 0 {
		return errors.New("symbolic links are not followed")
	}
	return errors.New("it is not a regular file")
}

func (d *Draft) skip(path string, why error) {
	d.Skipped = append(d.Skipped, fmt.Sprintf("%s: left out: %v", path, why))
}

func (d *Draft) noteModule(path string) {
	if isModule(path) {
		d.modules = append(d.modules, path)
	}
}

func isModule(path string) bool {
	return slices.ContainsFunc(moduleExtensions, func(ext string) bool { return strings.HasSuffix(path, ext) })
}

// What a file in a folder may be.
const (
	nothing = iota
	anImage
	aPackage
)

// mayBe says whether a file is worth opening: it is an ELF file, a package, or a compressed file with the name of a kernel or module.
func mayBe(path string) int {
	switch kind, err := input.KindOf(path); {
	case err != nil || kind == input.ELF: // look says what is wrong
		return anImage
	case kind == input.Deb || kind == input.RPM:
		return aPackage
	case isModule(path) || strings.HasPrefix(filepath.Base(path), "vmlinux") && slices.Contains([]string{".xz", ".zst", ".gz", ".bz2"}, filepath.Ext(path)):
		return anImage
	}
	return nothing
}

// debugPackage matches the names of packages with the debug information of kernels: Debian's linux-image-…-dbg_…, Ubuntu's linux-image-…-dbgsym_…,
// kernel-debuginfo-… of Fedora and others, kernel-default-debuginfo-… of SUSE. Those with kernel-debuginfo-common in their names have the sources.
var debugPackage = regexp.MustCompile(`^(?:linux|kernel)-.*(?:dbg|debug)`)

func isDebugPackage(path string) bool {
	name := filepath.Base(path)
	return debugPackage.MatchString(name) && !strings.Contains(name, "-debuginfo-common-") && !strings.Contains(name, "-debugsource-")
}

// look opens a file. found is false if it has no DWARF.
func (d *Draft) look(ctx context.Context, path string) (found bool, err error) {
	im := image{path: path, rel: d.rel(path), pkg: corpus.PackageAt(path)}
	f := corpus.FileAt(path, corpus.Pins{})
	if im.pkg != "" {
		if f, err = corpus.FileFrom(ctx, source.Ref{Kind: im.pkg, Where: path}, "", d.from); err != nil {
			return false, err
		}
	}
	open, err := f.Open(ctx)
	if err != nil {
		return false, err
	}
	defer open.Close()
	if s := open.Section(".debug_info"); s == nil || s.Size == 0 {
		return false, nil
	}
	if slices.ContainsFunc(d.images, func(other image) bool { return other.rel == im.rel }) {
		return true, nil // given twice
	}
	if !utf8.ValidString(im.rel) || strings.ContainsAny(im.rel, "*?[{\\") && filepath.Separator == '/' || strings.Contains(im.rel, "${{") || input.IsURL(im.rel) {
		return false, errors.New("a manifest cannot name this path; rename the file")
	}
	im.kind, im.release = f.Identity.Kind, f.Identity.Release
	if a, ok := config.ArchByName(f.Arch); ok {
		im.arch = a.Name
	}
	if strings.ContainsAny(im.release, "*?[\\$") {
		im.release = ""
	}
	d.images = append(d.images, im)
	return true, nil
}

// rel returns how the manifest names a file: by the path from its folder, or as it was given if it is elsewhere.
func (d *Draft) rel(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	rel, err := filepath.Rel(d.dir, abs)
	if err != nil || filepath.IsAbs(path) && strings.HasPrefix(rel, "..") {
		rel = abs
	}
	return filepath.ToSlash(rel)
}

// goldenEndings end the names of goldens.
var goldenEndings = []string{".raw.golden", ".raw", ".golden", ".dump"}

func stemOfGolden(path string) (string, bool) {
	base := filepath.Base(path)
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".zst"), ".gz")
	for _, end := range goldenEndings {
		if stem, ok := strings.CutSuffix(base, end); ok && stem != "" {
			return stem, true
		}
	}
	return "", false
}

// isGolden reports whether a file has the name and the contents of a golden.
func isGolden(path string) bool {
	if _, ok := stemOfGolden(path); !ok {
		return false
	}
	f, err := input.Open(path, input.Dump)
	if err != nil {
		return false
	}
	f.Close()
	return true
}
