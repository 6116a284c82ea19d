// Package corpus finds the files of a manifest's images.
//
// Input: a manifest. Output: items, one for each file, every base before what is based on it; and, when an item's turn has come, its
// open file, compared with what the manifest says of it. What is wrong with one image stays with its item, so that a batch can run the
// others and show a failed row: a missing file, a glob without a match, another architecture than the manifest says, a pin that does
// not hold. Never: it does not write, does not look at DWARF, and opens no file of an image twice in a run. It reads headers and notes;
// whole files it reads only to hash them, and only when asked.
package corpus

import (
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/config"
)

// An Item is one image of a manifest.
type Item struct {
	// Image is what the manifest says, for this file: the glob is gone from its path.
	Image config.Image
	File

	Doubts []string // what Inspect found unlikely about it, a sentence each

	Base     int    // index of the item that this one is based on, or -1
	BaseFile string // the file to take the base from if no item is the base; empty without a base

	// Err says why the image cannot be encoded. It does not name the image.
	Err error
}

// Resolve finds the files of all images, and opens none. Bases come before what is based on them, else the order is the manifest's and
// that of file names within a glob. It always returns at least one item for each image.
func Resolve(m *config.Manifest) []Item {
	var items []Item
	for _, im := range m.Images {
		items = append(items, expand(im)...)
	}
	images := make([]config.Image, len(items))
	for i := range items {
		images[i] = items[i].Image
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

// expand makes the items of one image: one, or for a glob one for each file.
func expand(im config.Image) []Item {
	if im.Glob == "" {
		return []Item{newItem(im, nil)}
	}
	files, err := glob(im)
	if err != nil {
		im.Name = im.Label()
		return []Item{newItem(im, err)}
	}
	var items []Item
	for _, file := range files {
		one, err := im.ForFile(file)
		items = append(items, newItem(one, err))
	}
	return items
}

func newItem(im config.Image, err error) Item {
	return Item{Image: im, File: FileAt(im.Path, pinsOf(&im)), Base: -1, Err: err}
}

// link finds every item's base.
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
			if it.Err == nil { // a glob that failed might have had it
				it.Err = fmt.Errorf("base: no image is named %q", it.Image.Base)
			}
			continue
		}
		it.Base = j
	}
}

// sortByBase puts every base before what is based on it and leaves the order alone otherwise.
func sortByBase(items []Item) []Item {
	sorted := make([]Item, 0, len(items))
	place := make([]int, len(items)) // index in sorted + 1; 0 is not placed
	seen := make([]bool, len(items)) // also ends a circle of bases, which is an error already
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

// passOnFailures fails what is based on an item that failed.
func passOnFailures(items []Item) {
	failed := make([]error, len(items)) // of the items themselves
	for i := range items {
		failed[i] = items[i].Err
	}
	for i := range items {
		// No more steps than items: a circle of bases has a failure in it.
		for j, n := items[i].Base, 0; items[i].Err == nil && j >= 0 && n < len(items); j, n = items[j].Base, n+1 {
			if failed[j] != nil {
				items[i].Err = fmt.Errorf("base %q: %w", items[j].Image.Name, failed[j])
			}
		}
	}
}
