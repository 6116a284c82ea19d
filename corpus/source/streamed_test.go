package source

import (
	"testing"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
)

// TestStreamed: only the path of a file is taken from a package that comes through a pipe without a look at its archive.
func TestStreamed(t *testing.T) {
	p := &Package{origin: &standardInput{}, head: &archive.Package{}}
	for pattern, want := range map[string]bool{"lib/a.ko": true, "lib/*.ko": false, "lib/{a,b}.ko": false, "lib/[a].ko": false, "lib/?.ko": false, `lib/\a.ko`: false, "": false} {
		if got := p.streamed(pattern); got != want {
			t.Errorf("%q: got %v, want %v", pattern, got, want)
		}
	}
}
