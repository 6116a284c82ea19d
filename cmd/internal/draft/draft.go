// Package draft writes a manifest for the images that it finds.
//
// Input: paths of images, and of folders to search. Output: the text of a manifest with comments, which config.Parse accepts and which names
// exactly these images. Never: the package does not write files, and does not read DWARF.
package draft

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
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
	base    string // name of the kernel that a module belongs to
}

// A Draft is what was found.
type Draft struct {
	images  []image
	modules []string // all files with a module's extension, for globs
	goldens []string // possible goldens
	dir     string   // of the manifest

	// Skipped says which files were left out, and why.
	Skipped []string
	// NoDWARF counts the ELF files in folders that have no DWARF.
	NoDWARF int
}

// moduleExtensions are those of modules, plain and compressed.
var moduleExtensions = []string{".ko", ".ko.xz", ".ko.zst", ".ko.gz"}

// Find searches for images in files and, recursively, in folders. A file that is given must be an image with DWARF. dir is the folder of the
// manifest. Hidden folders are not searched, and symbolic links not followed.
func Find(ctx context.Context, given []string, dir string) (*Draft, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	d := &Draft{dir: abs}
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
		return nil, err
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
			return nil
		}
		d.noteModule(path)
		if isGolden(path) {
			d.goldens = append(d.goldens, path)
			return nil
		}
		if !mayBeImage(path) {
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

// mayBeImage reports whether a file is worth opening: it is an ELF file, or a compressed one with the name of a kernel or module.
func mayBeImage(path string) bool {
	head := make([]byte, 4)
	f, _, err := input.OpenRaw(path)
	if err != nil {
		return true // look says what is wrong
	}
	defer f.Close()
	if _, err := f.ReadAt(head, 0); err != nil {
		return false
	}
	if string(head) == "\x7fELF" {
		return true
	}
	return isModule(path) || strings.HasPrefix(filepath.Base(path), "vmlinux") && slices.Contains([]string{".xz", ".zst", ".gz", ".bz2"}, filepath.Ext(path))
}

// look opens a file. found is false if it has no DWARF.
func (d *Draft) look(ctx context.Context, path string) (found bool, err error) {
	f := corpus.FileAt(path, corpus.Pins{})
	open, err := f.Open(ctx)
	if err != nil {
		return false, err
	}
	defer open.Close()
	if s := open.Section(".debug_info"); s == nil || s.Size == 0 {
		return false, nil
	}
	rel := d.rel(path)
	if slices.ContainsFunc(d.images, func(im image) bool { return im.rel == rel }) {
		return true, nil // given twice
	}
	if !utf8.ValidString(rel) || strings.ContainsAny(rel, "*?[{\\") && filepath.Separator == '/' || strings.Contains(rel, "${{") || input.IsURL(rel) {
		return false, errors.New("a manifest cannot name this path; rename the file")
	}
	im := image{path: path, rel: rel, kind: f.Identity.Kind, release: f.Identity.Release}
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
