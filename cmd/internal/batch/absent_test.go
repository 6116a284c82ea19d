package batch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/corpus/source"
)

// TestMatches: what a package has and lacks is known to the same version of the program, for the same digest and pattern. What it lacks is forgotten
// after a week, and is looked at again on request, which does not change since when it is known.
func TestMatches(t *testing.T) {
	store, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &Cache{Cache: store, Tool: "tool"}
	sum, other := strings.Repeat("a", 64), strings.Repeat("b", 64)
	has := corpus.Matches{Package: "p", Version: "1", Size: 5, Files: []source.Place{{Name: "vmlinux", Target: "boot/vmlinux", Size: -1}}}
	c.Keep(sum, "v*", has)
	c.Keep(sum, "x*", corpus.Matches{Err: source.Lacks(errors.New("nothing matches x*"))})
	if m, ok := c.Matches(sum, "v*"); !ok || m.Err != nil || m.Package != "p" || m.Version != "1" || m.Size != 5 || !slices.Equal(m.Files, has.Files) {
		t.Errorf("what it has: got %+v, %v", m, ok)
	}
	m, ok := c.Matches(sum, "x*")
	want := fmt.Sprintf("known since %s: nothing matches x*; --retry-missing looks again", time.Now().UTC().Format(time.DateOnly))
	if !ok || !errors.Is(m.Err, source.ErrNoMember) || m.Err.Error() != want || m.Files != nil {
		t.Errorf("what it lacks: got %+v, %v, want %s", m, ok, want)
	}
	unknown := func(what string, c *Cache, sum, pattern string) {
		t.Helper()
		if m, ok := c.Matches(sum, pattern); ok {
			t.Errorf("%s: got %+v", what, m)
		}
	}
	unknown("another package", c, other, "x*")
	unknown("another pattern", c, sum, "y*")
	unknown("another version", &Cache{Cache: store, Tool: "next"}, sum, "x*")
	unknown("again", &Cache{Cache: store, Tool: "tool", Again: true}, sum, "x*")
	unknown("verifying", &Cache{Cache: store, Tool: "tool", Verify: true}, sum, "v*")

	key := c.matchesKey(sum, "x*")
	put := func(since, last string) {
		t.Helper()
		if err := store.Put(key, fmt.Appendf(nil, `{"error": "nothing matches x*", "since": %q, "last": %q}`, since, last), nil); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now().UTC()
	put("2020-01-02T00:00:00Z", now.Add(-cache.AbsentFor-time.Minute).Format(time.RFC3339))
	unknown("a week later", c, sum, "x*")
	put("2020-01-02T00:00:00Z", now.Add(time.Hour).Format(time.RFC3339))
	unknown("a clock that went back", c, sum, "x*")
	c.Keep(sum, "x*", corpus.Matches{Err: source.Lacks(errors.New("nothing matches x*"))})
	if m, ok := c.Matches(sum, "x*"); !ok || !strings.HasPrefix(m.Err.Error(), "known since 2020-01-02: ") {
		t.Errorf("found again: got %+v, %v", m, ok)
	}
}
