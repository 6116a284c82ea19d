package publish

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestSet(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "new", "a"), filepath.Join(dir, "b")
	if err := os.WriteFile(b, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	var p Publisher
	s := p.Set()
	defer s.Discard()
	if err := errors.Join(s.Add(a, text("A")), s.Add(b, text("B"))); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(b); string(got) != "old" {
		t.Errorf("before Commit: got %q, want old", got)
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	s.Discard()
	for path, want := range map[string]string{a: "A", b: "B"} {
		if got, err := os.ReadFile(path); string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
		}
	}
	if st, err := os.Stat(b); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode of a file that was there: got %v, %v, want 0600", st.Mode(), err)
	}
	if got, want := names(t, dir), []string{"b", "new"}; !slices.Equal(got, want) {
		t.Errorf("files: got %v, want %v", got, want)
	}
}

func TestDiscard(t *testing.T) {
	dir := t.TempDir()
	var p Publisher
	s := p.Set()
	bad := errors.New("bad")
	if err := s.Add(filepath.Join(dir, "a"), func(io.Writer) error { return bad }); !errors.Is(err, bad) {
		t.Errorf("got %v, want %v", err, bad)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("before Discard: got files %v, want a temporary one", got)
	}
	s.Discard()
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("got files %v, want none", got)
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	keep := []string{".a.btf", ".a.btf12", ".a.btf123456789012x", ".b.btf1234567890123456", "a.btf1234567890123456"}
	sweep := []string{".a.btf1234567890123456", ".a.btf999999999999"}
	for _, name := range append(slices.Clone(keep), sweep...) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A program that is alive holds its temporary file.
	other := new(Publisher).Set()
	defer other.Discard()
	if err := other.Add(filepath.Join(dir, "a.btf"), text("other")); err != nil {
		t.Fatal(err)
	}
	for _, name := range sweep {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was not swept", name)
		}
	}
	s := new(Publisher).Set()
	defer s.Discard()
	if err := s.Add(filepath.Join(dir, "a.btf"), text("mine")); err != nil {
		t.Fatal(err)
	}
	for _, name := range keep {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s was swept", name)
		}
	}
	if err := other.Commit(); err != nil {
		t.Errorf("the temporary file of a living program was swept: %v", err)
	}
}

func TestDestination(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(real, nil, 0o600), os.Symlink("real", link)); err != nil {
		t.Fatal(err)
	}
	s := new(Publisher).Set()
	defer s.Discard()
	if err := s.Add(link, text("text")); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(real); string(got) != "text" {
		t.Errorf("behind the link: got %q, want text", got)
	}
	if st, _ := os.Lstat(link); st.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	for _, path := range []string{dir, "/dev/null"} {
		if err := s.Add(path, text("")); err == nil {
			t.Errorf("%s was accepted", path)
		}
	}
}
