package source_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/source"
)

// TestFile: what was opened stays what it was when another file takes its name, and when it is removed.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "image")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(path, "\x7fELF the first")
	s := source.File(path)
	if s.Size() != 14 || s.String() != path {
		t.Errorf("got %d bytes of %s", s.Size(), s)
	}
	for _, meddle := range []func() error{
		func() error {
			write(path+".new", "\x7fELF another one")
			return os.Rename(path+".new", path)
		},
		func() error { return os.Remove(path) },
	} {
		f, err := s.Open(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(path)
		if err := errors.Join(err, meddle()); err != nil {
			t.Fatal(err)
		}
		got, err := f.Bytes()
		if string(got) != string(want) || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("some text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                         "is not a regular file but a folder",
		text:                        "not an ELF file but text",
		filepath.Join(dir, "none"):  "no such file or directory",
		filepath.Join(text, "more"): "not a directory",
	} {
		f, err := source.File(path).Open(context.Background())
		if f != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	if _, err := source.File(filepath.Join(dir, "none")).Open(context.Background()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want an error that says that there is no file", err)
	}
	if n := source.File(dir).Size(); n != 0 {
		t.Errorf("a folder has %d bytes, want 0", n)
	}
}
