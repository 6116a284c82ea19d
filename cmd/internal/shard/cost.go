package shard

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/cost"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/store/address"
)

// packed are the extensions of compressed files.
var packed = []string{".zst", ".gz", ".xz", ".bz2"}

// stores are the kinds of stores, by the scheme of their addresses.
var stores = map[string]cost.Store{address.Registry: cost.Registry, address.Bucket: cost.Bucket, address.Folder: cost.Folder}

// isModule reports whether a file is a kernel module by its name.
func isModule(name string) bool {
	name = strings.ToLower(name)
	if slices.Contains(packed, path.Ext(name)) {
		name = strings.TrimSuffix(name, path.Ext(name))
	}
	return strings.HasSuffix(name, ".ko") || strings.HasSuffix(name, ".ko.debug")
}

// imageOf returns what is known of an item before it runs. The size that the lock has counts, if there is one: it is the same for every task,
// whatever a task has fetched already.
func imageOf(it *corpus.Item) cost.Image {
	_, inside := packageOf(it)
	from := it.Image.From
	name := filepath.ToSlash(it.Path)
	switch {
	case inside:
		name = it.Origin.Member
	case from != nil:
		name = from.Where
	}
	im := cost.Image{Stored: it.Size, Inside: inside, Remote: from != nil && !inside, Module: isModule(name),
		Packed: slices.Contains(packed, strings.ToLower(path.Ext(name))), Golden: it.Image.Golden != ""}
	switch l := it.Pins.Lock; {
	case inside && !im.Module: // a package does not list sizes where they would help: a kernel is as large as others
		im.Stored, im.Packed = 0, false
	case l != nil && l.Size > 0:
		im.Stored = l.Size
	case l != nil && l.Source > 0 && !inside:
		im.Stored = l.Source
	}
	for i := range it.Image.Publish {
		if a, err := it.Image.Publish[i].Address(); err == nil {
			im.Store = max(im.Store, stores[a.Scheme])
		}
	}
	im.Files = 1
	if it.Image.Outputs.Evidence != "" {
		im.Files++
	}
	return im
}

// packageCost predicts what it costs to fetch and unpack the package that some items are in.
func packageCost(items []*corpus.Item) cost.Cost {
	var p cost.Package
	for _, it := range items {
		from := it.Image.From
		p.Size = max(p.Size, it.Origin.Size)
		if l := it.Pins.Lock; l != nil {
			p.Size = max(p.Size, l.Source)
		}
		p.Remote = p.Remote || from.Kind == config.FromApt || strings.Contains(from.Where, "://")
		p.Whole = p.Whole || from.SHA256 != ""
		// The kernel is the last file of packages of Fedora and RHEL, and the first large one of those of Debian.
		p.ToEnd = p.ToEnd || from.Kind == config.FromRPM || isModule(it.Origin.Member)
	}
	return p.Cost()
}

// seconds predicts how long an item takes, besides what all items of its package take together.
func seconds(it *corpus.Item) float64 {
	im := imageOf(it)
	return im.Cost().Seconds()
}
