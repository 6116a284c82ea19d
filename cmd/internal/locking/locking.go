// Package locking makes the lock of a manifest, and makes a run take what a lock has.
//
// Input: a manifest, its lock if there is one, and the items that package corpus found. Output: the lock of what the images are now; or
// items that accept nothing but what the lock has. Never: the package writes no file, and decides nothing about what is encoded.
package locking

import (
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/config/lock"
	"github.com/btfbatch/btfbatch/corpus"
)

// Path returns the path of the lock of a manifest.
func Path(manifest string) string { return manifest + lock.Suffix }

// Pin makes references of a manifest stand for what a lock has, and not for what they lead to today. Those for which fresh returns true stay as they
// are. Resolve is called afterwards.
func Pin(m *config.Manifest, l *lock.File, fresh func(from string) bool) {
	for i := range m.Images {
		im := &m.Images[i]
		from := m.FromOf(im)
		s := l.Source(from)
		if s == nil || fresh(from) {
			continue
		}
		pinned := *im.From
		if pinned.SHA256 == "" {
			pinned.SHA256 = s.SHA256
		}
		pinned.Locked = &config.Locked{Package: s.Package, Version: s.Version, Contradicted: pinned.SHA256 != s.SHA256}
		im.From = &pinned
	}
}

// isLocal reports whether a reference names a package that is a file.
func isLocal(from string) bool {
	return (strings.HasPrefix(from, config.FromDeb+"=") || strings.HasPrefix(from, config.FromRPM+"=")) && !strings.Contains(from, "://")
}

// place sets what the manifest says of where an image is.
func place(m *config.Manifest, it *corpus.Item, into *lock.Image) {
	im := &it.Image
	into.Name = im.Name
	into.Path, into.From, into.Glob, into.List = m.PathOf(im), m.FromOf(im), m.PatternOf(im), m.ListOf(im)
	into.Member, into.Base, into.BasePath = it.Origin.Member, im.Base, m.BasePathOf(im)
}

// missing lists the images that a lock has and a list of items does not.
func missing(l *lock.File, items []corpus.Item) (list []*lock.Image) {
	there := map[string]bool{}
	for i := range items {
		there[items[i].Image.Name] = true
	}
	for i := range l.Images {
		if !there[l.Images[i].Name] {
			list = append(list, &l.Images[i])
		}
	}
	return slices.Clip(list)
}
