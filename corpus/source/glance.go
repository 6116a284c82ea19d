package source

import (
	"context"
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
)

// The problem: a package with a pin is fetched as a whole before anything of it is believed. A batch that has to know the names of all images before the
// first one is encoded would fetch all packages first.
//
// The idea: the list of files is read from the beginning of a package that has not been fetched. When an image is opened, the package is fetched and its
// digest compared, and so is what the list said.

// A glance is what a package said about itself before its digest was compared.
type glance struct {
	head     *archive.Package
	size     int64 // stored bytes
	patterns []string
	list     []*Member
	then     []func() // called when the digest was compared
}

// glance returns the files that match the first of the patterns that any file matches, if a look at the package says so. If it does not,
// or anything is wrong, the package is opened, which says what.
func (p *Package) glance(ctx context.Context, patterns []string) []*Member {
	p.opening.Lock()
	defer p.opening.Unlock()
	l, ok := p.origin.(Looker)
	if !ok || p.head != nil || p.failed != nil || p.origin.Facts().SHA256 == "" {
		return nil
	}
	b, err := l.Look(ctx)
	if err != nil || b == nil {
		return nil
	}
	defer b.Close()
	head, err := p.headers(ctx, b)
	if err != nil {
		return nil
	}
	list, err := p.first(head.Files, patterns)
	if err != nil || len(list) == 0 {
		return nil
	}
	p.glances = append(p.glances, glance{head: head, size: max(b.Size, 0), patterns: patterns, list: list})
	return list
}

// confirm compares what glances found with the package, whose digest was compared. The lock is held.
func (p *Package) confirm() error {
	glances := p.glances
	p.glances = nil
	for i := range glances {
		g := &glances[i]
		list, err := p.first(p.head.Files, g.patterns)
		if err != nil || !slices.EqualFunc(list, g.list, func(a, b *Member) bool { return a.Place() == b.Place() }) || g.head.Info != p.head.Info {
			return fmt.Errorf("the package changed while it was fetched: run again")
		}
		for _, then := range g.then {
			then()
		}
	}
	return nil
}

// WhenCompared calls a function when the package, of which only the list of files was read, has been fetched and compared with its digest. It calls it
// immediately if it was opened.
func (p *Package) WhenCompared(then func()) {
	p.opening.Lock()
	defer p.opening.Unlock()
	if n := len(p.glances); n > 0 {
		p.glances[n-1].then = append(p.glances[n-1].then, then)
		return
	}
	then()
}
