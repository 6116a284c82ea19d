package publish

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestClosed puts files in their places as on a system where an open file cannot be moved or removed.
func TestClosed(t *testing.T) {
	was := movesOpen
	movesOpen = false
	t.Cleanup(func() { movesOpen = was })
	dir := t.TempDir()
	leftover := filepath.Join(dir, hashed("a")+"0123456789abcdef")
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "a"), []byte("old"), 0o600), os.WriteFile(leftover, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	var p Publisher
	set := p.Set()
	var open []*os.File
	for _, name := range []string{"a", "b"} {
		if err := set.Add(filepath.Join(dir, name), func(w io.Writer) error {
			open = append(open, w.(*os.File))
			_, err := io.WriteString(w, "new "+name)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := set.Commit(); err != nil {
		t.Fatal(err)
	}
	for _, f := range open {
		if _, err := f.Write(nil); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s took its place while it was open", f.Name())
		}
	}
	set.Discard()
	half := p.Set()
	if err := half.Add(filepath.Join(dir, "c"), func(w io.Writer) error { _, err := io.WriteString(w, "half"); return err }); err != nil {
		t.Fatal(err)
	}
	half.Discard()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("got %v (%v), want a and b", entries, err)
	}
	for _, name := range []string{"a", "b"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != "new "+name {
			t.Errorf("%s: got %q (%v)", name, got, err)
		}
	}
}
