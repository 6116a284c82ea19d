// Package shard divides the images of a manifest into parts, which run as separate jobs of a scheduler or CI system.
//
// Input: the items of a manifest, or a plan that was written before; what a scheduler tells its tasks; the merged report of the parts.
// Output: parts, plans as JSON, and the command that runs what is missing. Never: the package opens no image, so a plan takes no longer
// for large images than for small ones.
//
// The division depends only on the manifest and on the sizes of files. Every job that computes it gets the same one.
package shard

import (
	"cmp"
	"container/heap"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
)

// A Part is the images that run in one job.
type Part struct {
	Part    int      `json:"part"`    // its number, from 1
	Name    string   `json:"name"`    // for people: an image of it, and how many more
	Seconds float64  `json:"seconds"` // predicted duration
	Images  []string `json:"images"`  // names in the order of the run, bases first
}

// A Plan divides all images of a manifest.
type Plan struct {
	Schema int      `json:"schema"` // schema
	Images []string `json:"images"` // names in the order of the manifest, which is that of reports
	Parts  []Part   `json:"parts"`
}

// schema is the version of the JSON form of a plan. Within one version fields may be added, but not removed or changed in meaning.
const schema = 1

// Limits bound a division.
type Limits struct {
	Parts   int     // the largest number of parts, at least 1
	Seconds float64 // predicted work that justifies another part
}

// Divide divides items into parts of similar predicted duration, the longest part first. Items that depend on each other stay together: a
// base and the images that continue it, images of one package, which is read once for all of them, and images that share a golden, because a
// new golden must agree with all of them.
func Divide(items []corpus.Item, limits Limits) *Plan {
	groups := together(items)
	total := 0.0
	for i := range groups {
		total += groups[i].seconds
	}
	n := len(groups)
	if limits.Seconds > 0 {
		n = min(n, max(1, int(math.Ceil(total/limits.Seconds))))
	}
	n = min(n, limits.Parts)
	parts := divide(groups, n)
	slices.SortStableFunc(parts, func(a, b group) int {
		return cmp.Or(cmp.Compare(b.seconds, a.seconds), cmp.Compare(a.items[0], b.items[0]))
	})
	plan := &Plan{Schema: schema, Images: inOrder(items), Parts: []Part{}}
	for i, p := range parts {
		part := Part{Part: i + 1, Seconds: math.Round(10*p.seconds) / 10}
		for _, at := range p.items {
			part.Images = append(part.Images, items[at].Image.Label())
		}
		part.Name = part.Images[0]
		if more := len(part.Images) - 1; more > 0 {
			part.Name += fmt.Sprintf(" and %d more", more)
		}
		plan.Parts = append(plan.Parts, part)
	}
	return plan
}

// Of returns the items of a share, by index, in the order of the run. It depends on nothing but the items, their sizes, and the number of
// shares, so that all of them cover the batch if each is found by itself. A share may be empty.
func (s Share) Of(items []corpus.Item) []int { return divide(together(items), s.Count)[s.Index].items }

// Names returns the names of all images of a batch, in the order of the manifest, and their SHA-256 as text with a name per line.
func Names(items []corpus.Item) (names []string, sum string) {
	names = inOrder(items)
	h := sha256.Sum256([]byte(strings.Join(names, "\n") + "\n"))
	return names, hex.EncodeToString(h[:])
}

// divide divides groups into n parts. Their items are in the order of the run. The longest group goes to the part with least work, which keeps
// the longest part within a third of the best possible one. Neither depends on the order of the groups: of two equally long ones, that with
// the first name comes first.
func divide(groups []group, n int) []group {
	slices.SortFunc(groups, func(a, b group) int { return cmp.Or(cmp.Compare(b.seconds, a.seconds), cmp.Compare(a.name, b.name)) })
	parts := make([]group, n)
	least := make(byWork, n) // a heap
	for i := range parts {
		least[i] = &parts[i]
		parts[i].part = i
	}
	for i := range groups {
		p := least[0]
		p.seconds += groups[i].seconds
		p.items = append(p.items, groups[i].items...)
		heap.Fix(&least, 0)
	}
	for i := range parts {
		slices.Sort(parts[i].items)
	}
	return parts
}

// byWork is a heap of parts. The one with least work is the first, and of several with equal work the one with the lowest number.
type byWork []*group

func (h byWork) Len() int { return len(h) }
func (h byWork) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].seconds, h[j].seconds), h[i].part-h[j].part) < 0
}
func (h byWork) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *byWork) Push(any)     {} // no part is added
func (h *byWork) Pop() any     { return nil }

// inOrder returns the names of items in the order of the manifest. The order of the items may differ from it, because bases come first.
func inOrder(items []corpus.Item) []string {
	order := make([]*config.Image, len(items))
	for i := range items {
		order[i] = &items[i].Image
	}
	slices.SortStableFunc(order, func(a, b *config.Image) int { return cmp.Compare(a.Order, b.Order) })
	names := make([]string, len(order))
	for i, im := range order {
		names[i] = im.Label()
	}
	return names
}

// A group is items that run in one part, by index.
type group struct {
	seconds float64
	items   []int
	name    string // the first of the names of the items, by their order as text
	part    int    // index of a part
}

// together puts items that depend on each other into one group, in the order of their first items.
func together(items []corpus.Item) []group {
	first := make([]int, len(items)) // by item: another item of its group, which comes before it, or itself
	root := func(i int) int {
		for first[i] != i {
			first[i] = first[first[i]]
			i = first[i]
		}
		return i
	}
	join := func(a, b int) {
		a, b = root(a), root(b)
		first[max(a, b)] = min(a, b)
	}
	goldens, series, packages := map[string]int{}, map[string]int{}, map[config.From]int{}
	inside := map[config.From][]*corpus.Item{} // by package
	for i := range items {
		first[i] = i
		if base := items[i].Base; base >= 0 {
			join(i, base)
		}
		if path := items[i].Image.Golden; path != "" {
			join(i, firstWith(goldens, path, i))
		}
		if name := items[i].Image.Series; name != "" {
			join(i, firstWith(series, name, i))
		}
		if pkg, ok := packageOf(&items[i]); ok {
			join(i, firstWith(packages, pkg, i))
			inside[pkg] = append(inside[pkg], &items[i])
		}
	}
	var groups []group
	at := make([]int, len(items)) // by root: index of the group
	for i := range items {
		r := root(i)
		if r == i {
			at[i] = len(groups)
			groups = append(groups, group{})
		}
		g := &groups[at[r]]
		g.items = append(g.items, i)
		g.seconds += seconds(&items[i])
		if pkg, ok := packageOf(&items[i]); ok && inside[pkg][0] == &items[i] {
			g.seconds += packageCost(inside[pkg]).Seconds()
		}
		if name := items[i].Image.Label(); g.name == "" || name < g.name {
			g.name = name
		}
	}
	return groups
}

// firstWith returns the first item with a key, which is item i if there was none.
func firstWith[K comparable](first map[K]int, key K, i int) int {
	if other, ok := first[key]; ok {
		return other
	}
	first[key] = i
	return i
}

// packageOf returns what identifies the package that an item is in. ok is false for an item that is not in a package.
func packageOf(it *corpus.Item) (pkg config.From, ok bool) {
	from := it.Image.From
	if from == nil || from.Kind == config.FromURL || from.Kind == config.FromDebuginfod {
		return config.From{}, false
	}
	return config.From{Kind: from.Kind, Where: from.Where, Apt: from.Apt}, true
}
