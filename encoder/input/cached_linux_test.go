package input

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// openCached writes a file of n random bytes, and opens it.
func openCached(t *testing.T, n int) (*cachedFile, []byte) {
	t.Helper()
	want := make([]byte, n)
	for i := range want {
		want[i] = byte(rand.Uint32())
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	c, ok := cached(f).(*cachedFile)
	if !ok {
		t.Fatal("the reader is not a cachedFile")
	}
	return c, want
}

// TestCachedReads compares bytes, counts and errors with those of the file itself, at and past its end too.
func TestCachedReads(t *testing.T) {
	c, _ := openCached(t, mostCached+1000)
	for _, r := range []struct{ off, n int64 }{
		{0, 0}, {0, 1}, {4095, 2}, {1, mostCached}, {0, mostCached + 1}, {mostCached, 1000}, {mostCached, 1001},
		{mostCached + 1000, 1}, {mostCached + 2000, 5}, {-1, 4},
	} {
		got, want := make([]byte, r.n), make([]byte, r.n)
		n, err := c.ReadAt(got, r.off)
		wantN, wantErr := c.file.ReadAt(want, r.off)
		if n != wantN || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() || !bytes.Equal(got, want) {
			t.Errorf("%d bytes at %d: got %d, %v, want %d, %v", r.n, r.off, n, err, wantN, wantErr)
		}
	}
}

// TestCachedCopy: what was just written is in memory, so it is read without the scheduler, and without an allocation.
func TestCachedCopy(t *testing.T) {
	c, want := openCached(t, 100_000)
	got := make([]byte, 50_000)
	if n := c.copied(got, 25_000); c.refused.Load() {
		t.Skip("the file system of the temporary folder does not support RWF_NOWAIT")
	} else if n != len(got) || !bytes.Equal(got, want[25_000:75_000]) {
		t.Errorf("%d bytes of %d were copied", n, len(got))
	}
	if n := c.copied(got, 90_000); n != 10_000 || !bytes.Equal(got[:n], want[90_000:]) {
		t.Errorf("%d bytes were copied at the end, want 10000", n)
	}
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := c.ReadAt(got, 1000); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations per read, want none", allocs)
	}
}

// TestCachedRefused: files of /proc do not support such reads, and are read in the ordinary way.
func TestCachedRefused(t *testing.T) {
	const path = "/proc/version"
	want, err := os.ReadFile(path)
	if err != nil {
		t.Skip(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := &cachedFile{file: f, fd: f.Fd()}
	for range 2 {
		got := make([]byte, len(want))
		if n, err := c.ReadAt(got, 0); n != len(want) || err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes %q, %v, want %q", n, got, err, want)
		}
	}
	if !c.refused.Load() {
		t.Error("the refusal was not remembered")
	}
}
