package dedup

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// TestNamesakesPrepared: a base that is prepared for many runs has the same namesakes as one that is searched, for the names that are searched for.
func TestNamesakesPrepared(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	found := 0
	for range 100 {
		base := fromBytes(nil, randomBytes(r, 5+r.IntN(60))).Object
		var tags []tag
		for off := range base.Strings.End() + 5 {
			tags = append(tags, tag{key: off})
		}
		got := NewBase(base).namesakes()
		if want := namedIn(base, tags, func(key uint32) uint32 { return key }); !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		found += len(got)
	}
	if NewLazyBase(fromBytes(nil, nil).Object).namesakes() != nil {
		t.Error("a lazy base is searched for all names")
	}
	if found == 0 {
		t.Error("no base has names")
	}
}
