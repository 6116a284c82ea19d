package batch

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/golden/report"
)

// The problem: a package without DWARF, or without the wanted file, fails in every run, and costs a download and its unpacking every day.
//
// The idea: what bytes lack is remembered by their digest, with the version of the program and the rules in force. The image fails in the next runs
// too, but nothing is read. After a week it is looked at again.

// An absence is what is remembered.
type absence struct {
	Error string    `json:"error"`
	Since time.Time `json:"since"` // when it was found for the first time
	Last  time.Time `json:"last"`  // when it was found for the last time
}

// A KnownError says that bytes lack what is wanted, and that this is known from an earlier run.
type KnownError struct {
	Since time.Time
	Text  string
}

func (e *KnownError) Error() string {
	return fmt.Sprintf("known since %s: %s; --retry-missing looks again", e.Since.UTC().Format(time.DateOnly), e.Text)
}

// absent returns a *KnownError if it is known that the result of an action is absent.
func (c *Cache) absent(key string) error {
	a, ok := c.absence(key)
	if !ok || c.Again || c.Verify || !cache.StillAbsent(a.Last) {
		return nil
	}
	return &KnownError{a.Since, a.Error}
}

func (c *Cache) absence(key string) (a absence, ok bool) {
	text, err := c.Get(key)
	return a, err == nil && json.Unmarshal(text, &a) == nil && a.Error != ""
}

// noteAbsent remembers that the result of an action is absent.
func (c *Cache) noteAbsent(key string, err error) error {
	now := time.Now().UTC().Truncate(time.Second)
	a := absence{oneLine(err), now, now}
	if earlier, ok := c.absence(key); ok {
		a.Since = earlier.Since
	}
	text, err := json.Marshal(&a)
	if err != nil {
		return err
	}
	return c.Put(key, text, nil)
}

// Compared implements corpus.Memory. That a server has sent bytes with a digest is remembered for the address, so that a pin that was not updated
// together with its URL is compared, whatever is known about the digest. That a local file has a digest is known by its state.
func (c *Cache) Compared(ref source.Ref, is source.Facts, sha256 string) (known bool, note func()) {
	switch {
	case is.Network && (ref.Locked || ref.Kind == source.KindApt):
		return true, func() {}
	case is.Network:
		key := comparedKey(ref, sha256)
		_, err := c.Get(key)
		return err == nil, func() {
			if err != nil {
				_ = c.Put(key, json.RawMessage("true"), nil) // otherwise it is compared again
			}
		}
	case ref.SHA256 == "":
		return false, nil
	}
	before, began := cache.StateOf(is.Path), time.Now()
	r, current, err := c.Recall(is.Path, before)
	return err == nil && current && r.SHA256 == sha256, func() {
		if cache.StateOf(is.Path) == before {
			_ = c.Remember(is.Path, before, began, sha256, "") // likewise
		}
	}
}

// shareCompared tells other machines that a server has sent an image with its digest. They take its result from the store without fetching the image.
// What is in a package is looked up on each machine, which compares the package.
func (c *Cache) shareCompared(o *corpus.Origin) error {
	if !o.Network || o.Ref.Locked || o.Ref.Kind.IsPackage() {
		return nil
	}
	return c.Share(comparedKey(o.Ref, o.SHA256))
}

func comparedKey(ref source.Ref, sha256 string) string {
	return cache.Sum(fmt.Appendf(nil, "compared 1\nsource %q\nsha256 %s\n", ref, sha256))
}

// Matches implements corpus.Memory.
func (c *Cache) Matches(sha256, pattern string) (m corpus.Matches, ok bool) {
	key := c.matchesKey(sha256, pattern)
	if err := c.absent(key); err != nil {
		m.Err = source.Lacks(err)
		return m, true
	}
	text, err := c.Get(key)
	if err != nil || c.Verify || json.Unmarshal(text, &m) != nil {
		return corpus.Matches{}, false
	}
	return m, len(m.Files) > 0
}

// Keep implements corpus.Memory. What cannot be remembered is found again.
func (c *Cache) Keep(sha256, pattern string, m corpus.Matches) {
	key := c.matchesKey(sha256, pattern)
	if m.Err != nil {
		_ = c.noteAbsent(key, m.Err)
		return
	}
	if text, err := json.Marshal(&m); err == nil {
		_ = c.Put(key, text, nil)
	}
}

func (c *Cache) matchesKey(sha256, pattern string) string {
	return cache.Sum(fmt.Appendf(nil, "matches 1\ntool %s\npackage %s\npattern %q\n", c.Tool, sha256, pattern))
}

// absentKey is the key under which it is remembered that an image has no DWARF, or "" if that cannot be known.
func (b *batch) absentKey(t *target) string {
	if !b.kept(t.Job) || t.inputKey() == "" {
		return ""
	}
	return cache.Sum(fmt.Appendf(nil, "no DWARF 1\ntool %s\nimage %s %q\noptions %s\n", b.opt.Cache.Tool, t.inputKey(), t.File.Origin.Member, t.Settings.Options.Key()))
}

// knownAbsent returns an error if it is known that the image has no DWARF.
func (b *batch) knownAbsent(t *target) error {
	key := b.absentKey(t)
	if key == "" {
		return nil
	}
	err := b.opt.Cache.absent(key)
	if err != nil {
		t.forget()
	}
	return as(report.NoDWARF, err)
}

// keepAbsent remembers that the image has no DWARF, if that is what the error says, or forgets it if there is none. What an image with a separate debug
// file lacks is not remembered: it depends on the files that are installed, which the key does not name.
func (b *batch) keepAbsent(t *target, err error) {
	lacks := errors.Is(err, encoder.ErrNoDWARF) && !errors.Is(err, encoder.ErrNoDebugFile)
	if !lacks && err != nil {
		return
	}
	key := b.absentKey(t)
	switch {
	case key == "":
	case lacks:
		b.trouble(b.opt.Cache.noteAbsent(key, err))
	default:
		b.trouble(b.opt.Cache.Remove(key))
	}
}
