package batch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/corpus/source"
)

// A shelf is a store in memory.
type shelf map[string][]byte

func (s shelf) Entry(key string) ([]byte, error) {
	if text, ok := s[key]; ok {
		return text, nil
	}
	return nil, cache.ErrAbsent
}

func (s shelf) Blob(string) ([]byte, error) { return nil, cache.ErrAbsent }

func (s shelf) Put(key string, text []byte, _ []string, _ func(string) ([]byte, error)) error {
	s[key] = text
	return nil
}

// TestCompared: that a digest was compared is known for its address, on every machine that shares results. A lock and an index vouch for all addresses.
// That a local file was compared is known as long as the file does not change.
func TestCompared(t *testing.T) {
	store := shelf{}
	machine := func() *Cache {
		c, err := cache.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		c.Behind(store)
		return &Cache{Cache: c, Tool: "tool"}
	}
	here, there := machine(), machine()
	sum := strings.Repeat("a", 64)
	old := source.Ref{Kind: source.KindURL, Where: "https://example.org/1.elf", SHA256: sum}
	server := source.Facts{Network: true, SHA256: sum}
	known := func(what string, c *Cache, ref source.Ref, sum string, want bool) {
		t.Helper()
		if got, note := c.Compared(ref, server, sum); got != want || note == nil {
			t.Errorf("%s: got %t, want %t", what, got, want)
		}
	}
	known("at first", here, old, sum, false)
	_, note := here.Compared(old, server, sum)
	note()
	known("compared", here, old, sum, true)
	bumped := old
	bumped.Where = "https://example.org/2.elf"
	known("another address", here, bumped, sum, false)
	known("another digest", here, old, strings.Repeat("b", 64), false)
	known("not shared", there, old, sum, false)
	for _, ref := range []source.Ref{old, {Kind: source.KindDeb, Where: old.Where, SHA256: sum}, {Kind: source.KindURL, Where: old.Where, SHA256: sum, Locked: true}} {
		if err := here.shareCompared(&corpus.Origin{Facts: server, Ref: ref}); err != nil {
			t.Error(err)
		}
	}
	known("shared", there, old, sum, true)
	if len(store) != 1 {
		t.Errorf("%d records were shared, want 1", len(store))
	}
	locked := bumped
	locked.Locked = true
	known("locked", here, locked, sum, true)
	known("of an archive", here, source.Ref{Kind: source.KindApt}, sum, true)

	path := filepath.Join(t.TempDir(), "p.deb")
	if err := os.WriteFile(path, []byte("p"), 0o600); err != nil {
		t.Fatal(err)
	}
	local, is := source.Ref{Kind: source.KindDeb, Where: path, SHA256: sum}, source.Facts{Path: path}
	if _, note := here.Compared(source.Ref{Kind: source.KindDeb, Where: path}, is, sum); note != nil {
		t.Error("a package without a pin is compared")
	}
	state := cache.StateOf(path)
	if state.ID == "" {
		t.Skip("the system does not tell the state of files")
	}
	if err := here.Remember(path, state, time.Now().Add(time.Minute), sum, ""); err != nil {
		t.Fatal(err)
	}
	if got, _ := here.Compared(local, is, sum); !got {
		t.Error("a file that was compared is not known")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got, _ := here.Compared(local, is, sum); got {
		t.Error("a file that does not exist is known")
	}
}
