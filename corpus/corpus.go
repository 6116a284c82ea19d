// Package corpus finds the files of a manifest's images.
//
// Input: a manifest. Output: items, one for each file, with every base before the images that have it as their base; later, on request,
// the open file of an item, compared with what the manifest says about it. A problem with one image (a missing file, a glob without a
// match, an architecture other than the manifest's, a wrong digest) is stored in its item, so that a batch can run the others. Never: the
// package writes nothing, does not read DWARF, and opens no image twice in a run. It reads headers and notes, and a whole file only to
// hash it.
package corpus

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus/source"
)

// An Item is one image of a manifest.
type Item struct {
	// Image is what the manifest says about this file. Its Path is the file; a glob has been resolved.
	Image config.Image
	File

	Doubts []string // reasons to suspect that it is the wrong image, set by Inspect

	Base     int    // index of the item that this one is based on, or -1
	BaseFile string // the file to take the base from if no item is the base; empty without a base

	// Err says why the image cannot be encoded. It does not name the image.
	Err error
}

// Sources say how Resolve finds images that are not files of their own.
type Sources struct {
	source.Finders
	source.Limits
	// Listed returns the images that a From stands for, if that is known without looking. Their items have no Source. If it returns none, the package is
	// looked for. May be nil.
	Listed func(im *config.Image) []Listed
	// Memory knows what is in packages. May be nil.
	Memory Memory
}

// Memory remembers which files of a package a pattern matches, by the SHA-256 of the package. A package that is known is not opened to find out.
type Memory interface {
	// Compared reports whether it is known that the bytes of an origin have a digest, because they were compared, or because a lock or a signed index
	// says so. note is called once they were opened and compared; it is nil if opening them does not compare them.
	Compared(ref source.Ref, is source.Facts, sha256 string) (known bool, note func())
	// Matches returns what is known, and whether anything is.
	Matches(sha256, pattern string) (Matches, bool)
	// Keep remembers what was found in a package whose digest was compared.
	Keep(sha256, pattern string, m Matches)
}

// Matches are the files of a package that a pattern matches.
type Matches struct {
	Package, Version string
	Size             int64          // of the package, as stored, in bytes
	Files            []source.Place // in the order of the package
	Err              error          // if there are none: why, with the cause source.ErrNoMember
}

// A Listed is an image of a From.
type Listed struct {
	Member           string // path in the package; empty if it is not in one
	Release          string // of the kernel
	Package, Version string
}

// Fill returns an image of a manifest as it is for one of the images that its From stands for.
func (l *Listed) Fill(im *config.Image) (config.Image, error) {
	file, release := l.Member, releaseOf(l.Member)
	if file == "" {
		file = path.Base(im.From.Where)
	}
	return im.Fill(config.Facts{File: file, Release: cmp.Or(release, l.Release), Package: l.Package, Version: l.Version})
}

// Resolve finds the files of all images. It opens none of them, except that it reads the headers of packages. Items are in the order of the
// manifest, and in the order of file names within a glob, or of the files of a package, except that a base comes before the images that
// need it. Each image of the manifest has at least one item. If the context ends, images in packages that were not looked at have its error.
func Resolve(ctx context.Context, m *config.Manifest, s Sources) []Item {
	f := finder{ctx: ctx, Sources: s, origins: map[source.Ref]*found{}}
	items := make([]Item, 0, len(m.Images))
	for _, im := range m.Images {
		items = append(items, f.expand(im)...)
	}
	images := make([]*config.Image, len(items))
	for i := range items {
		images[i] = &items[i].Image
	}
	for _, c := range config.Conflicts(images) {
		if it := &items[c.Image]; it.Err == nil {
			it.Err = fmt.Errorf("%s: %s", c.Key, c.Message)
		}
	}
	link(items)
	items = sortByBase(items)
	passOnFailures(items)
	return items
}

// expand returns the items of one image: one, or one for each file of a glob or of a package.
func (f *finder) expand(im config.Image) []Item {
	if im.From != nil {
		return f.from(im)
	}
	files := []string{im.Path}
	if im.Glob != "" {
		var err error
		if files, err = glob(im); err != nil {
			im.Name = im.Label()
			return []Item{newItem(im, err)}
		}
	} else if !im.NeedsRelease() {
		return []Item{newItem(im, nil)}
	}
	var items []Item
	for _, file := range files {
		facts := config.Facts{File: file}
		if im.NeedsRelease() {
			facts.Release = f.release(source.File(file))
		}
		one, err := im.Fill(facts)
		items = append(items, newItem(named(one), err))
	}
	return items
}

// named returns the image with a name for messages, if its own could not be completed.
func named(im config.Image) config.Image {
	if config.Open(im.Name) {
		im.Name = im.Label()
	}
	return im
}

func newItem(im config.Image, err error) Item {
	it := Item{Image: im, File: File{Pins: pinsOf(&im)}, Base: -1, Err: err}
	if im.Glob == "" && im.From == nil { // otherwise no file was found
		it.File = FileAt(im.Path, it.Pins)
	}
	return it
}

// link sets the base of every item.
func link(items []Item) {
	byName := map[string]int{}
	for i := range items {
		if _, taken := byName[items[i].Image.Name]; !taken {
			byName[items[i].Image.Name] = i
		}
	}
	for i := range items {
		it := &items[i]
		it.BaseFile = it.Image.BasePath
		if it.Image.Base == "" {
			continue
		}
		j, ok := byName[it.Image.Base]
		if !ok {
			if it.Err == nil { // a glob that failed might have matched it
				it.Err = fmt.Errorf("base: no image is named %q", it.Image.Base)
			}
			continue
		}
		it.Base = j
	}
}

// sortByBase moves every base before the items that need it, and otherwise keeps the order.
func sortByBase(items []Item) []Item {
	if !slices.ContainsFunc(items, func(it Item) bool { return it.Base >= 0 }) {
		return items
	}
	sorted := make([]Item, 0, len(items))
	place := make([]int, len(items)) // index in sorted + 1; 0 if not placed
	seen := make([]bool, len(items)) // also ends a cycle of bases, which already is an error
	for i := range items {
		var way []int
		for j := i; j >= 0 && !seen[j]; j = items[j].Base {
			seen[j] = true
			way = append(way, j)
		}
		for _, j := range slices.Backward(way) {
			sorted = append(sorted, items[j])
			place[j] = len(sorted)
		}
	}
	for i := range sorted {
		if b := sorted[i].Base; b >= 0 {
			sorted[i].Base = place[b] - 1
		}
	}
	return sorted
}

// passOnFailures fails the items whose base failed.
func passOnFailures(items []Item) {
	failed := make([]error, len(items)) // of the items themselves
	for i := range items {
		failed[i] = items[i].Err
	}
	for i := range items {
		// A cycle of bases contains a failure, so there are never more steps than items.
		for j, n := items[i].Base, 0; items[i].Err == nil && j >= 0 && n < len(items); j, n = items[j].Base, n+1 {
			if failed[j] != nil {
				items[i].Err = fmt.Errorf("base %q: %w", items[j].Image.Name, failed[j])
			}
		}
	}
}
