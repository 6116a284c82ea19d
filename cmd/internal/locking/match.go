package locking

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/config/lock"
	"github.com/btfbatch/btfbatch/corpus"
)

// A differsError says in what an image differs from the lock. It has the cause corpus.ErrMismatch.
type differsError struct{ text string }

func (e *differsError) Error() string { return e.text }

// Is reports whether target is corpus.ErrMismatch.
func (e *differsError) Is(target error) bool { return target == corpus.ErrMismatch }

func differs(format string, args ...any) error { return &differsError{fmt.Sprintf(format, args...)} }

// A StaleError says that a lock is older than its manifest.
type StaleError struct{ Lock, Manifest string }

func (e *StaleError) Error() string {
	return fmt.Sprintf("%s is older than %s, which now says something else about its images; run btfbatch lock", e.Lock, e.Manifest)
}

// Check returns a *StaleError if the manifest says something else about its sources than when the lock was made.
func Check(m *config.Manifest, l *lock.File) error {
	if m.SourcesSHA256() != l.Manifest {
		return &StaleError{Path(m.File), m.File}
	}
	return nil
}

// Match makes items accept only what a lock has: the digest, the place and the base of each image, and what the image says that it is. An image that
// the lock does not have fails, and an image that only the lock has is added as an item that fails. Where the files of a package could not be listed, the
// images that the lock has of it fail in the place of the list. The items stay in their order.
func Match(m *config.Manifest, l *lock.File, items []corpus.Item) []corpus.Item {
	unread := unreadLists(m, l, items)
	for i := range items {
		it := &items[i]
		if it.Err != nil && l.Image(it.Image.Name) == nil {
			continue
		}
		it.Err = cmp.Or(it.Err, match(m, l, it))
	}
	for _, im := range missing(l, items) {
		if list := unread[listKey{im.From, im.Glob}]; list != nil { // nobody knows whether it is there
			items = list.fail(items, im)
			continue
		}
		where := cmp.Or(im.Path, im.From)
		if im.Member != "" {
			where += ": " + im.Member
		}
		items = append(items, corpus.Item{Image: config.Image{Name: im.Name}, Base: -1,
			Err: differs("the lock has this image (%s), but it is not there any more; btfbatch lock removes it", where)})
	}
	return items
}

// An unreadList stands for the images of a package that could not be looked into.
type unreadList struct {
	err   error
	image config.Image
	at    []int // items that stand for the list
}

// unreadLists finds the items that stand for images of packages that could not be looked into.
func unreadLists(m *config.Manifest, l *lock.File, items []corpus.Item) map[listKey]*unreadList {
	all := map[listKey]*unreadList{}
	for i := range items {
		it := &items[i]
		if it.Err == nil || it.Image.From == nil || it.Origin.Member != "" && it.Origin.Member != it.Image.From.Member || l.Image(it.Image.Name) != nil {
			continue
		}
		key := listKey{m.FromOf(&it.Image), it.Image.From.Member}
		if all[key] == nil {
			all[key] = &unreadList{err: it.Err, image: it.Image}
		}
		all[key].at = append(all[key].at, i)
	}
	return all
}

// fail adds an image of the list, with the error of the list. As long as items stand for the list itself, it takes the place of one of them.
func (u *unreadList) fail(items []corpus.Item, im *lock.Image) []corpus.Item {
	it := corpus.Item{Image: config.Image{Name: im.Name, Line: u.image.Line, Column: u.image.Column}, Base: -1, Err: u.err}
	if len(u.at) == 0 {
		return append(items, it)
	}
	items[u.at[0]] = it
	u.at = u.at[1:]
	return items
}

// match compares an item with a lock, and pins what can be compared only later.
func match(m *config.Manifest, l *lock.File, it *corpus.Item) error {
	was := l.Image(it.Image.Name)
	if was == nil {
		return differs("the lock does not have this image; btfbatch lock adds it")
	}
	var is lock.Image
	place(m, it, &is)
	for _, x := range []struct{ key, is, was string }{
		{"path", is.Path, was.Path}, {"from", is.From, was.From}, {"member", is.Member, was.Member}, {"base", is.Base, was.Base}, {"base_path", is.BasePath, was.BasePath},
	} {
		if x.is != x.was {
			return differs("%s: it is %s, the lock has %s", x.key, cmp.Or(x.is, "none"), cmp.Or(x.was, "none"))
		}
	}
	if was.From == "" {
		if want := it.Pins.SHA256; want != "" && want != was.SHA256 {
			return differs("sha256: the manifest pins %s, the lock has %s", want, was.SHA256)
		}
		it.Pins.SHA256 = was.SHA256
	} else if s := l.Source(was.From); it.Image.From.SHA256 != s.SHA256 {
		return differs("sha256: the manifest pins %s, the lock has %s", it.Image.From.SHA256, s.SHA256)
	} else if o := &it.Origin; o.Package != s.Package {
		return differs("package: it is %s, the lock has %s", cmp.Or(o.Package, "none"), cmp.Or(s.Package, "none"))
	}
	if was.BaseSHA256 != "" {
		it.Image.BaseSHA256 = was.BaseSHA256
	}
	it.Pins.Lock = locked(l, was)
	return nil
}

// locked returns what an opened image is compared with.
func locked(l *lock.File, im *lock.Image) *corpus.Locked {
	k := &corpus.Locked{BuildID: im.BuildID, Release: im.Release, Arch: im.Arch, Size: im.Size}
	if s := l.Source(im.From); s != nil {
		k.Version, k.Source = s.Version, s.Size
	}
	return k
}

// Note makes the report of a run that does not use a lock say in what the images differ from it, and returns a sentence for people about the images
// that only one of them has.
func Note(l *lock.File, items []corpus.Item) string {
	came := 0
	for i := range items {
		it := &items[i]
		if was := l.Image(it.Image.Name); was != nil {
			it.Was = locked(l, was)
		} else if it.Err == nil {
			came++
		}
	}
	var parts []string
	if came > 0 {
		parts = append(parts, fmt.Sprintf("it does not have %d of the images", came))
	}
	if n := len(missing(l, items)); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of its images are not there any more", n))
	}
	return strings.Join(parts, ", and ")
}
