package input

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestScratchFull: a file system that is full is the cause of the error, which says what to do.
func TestScratchFull(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no device that is always full: %v", err)
	}
	s := &Scratch{file: f, Size: 100}
	defer f.Close()
	_, err = s.Write([]byte("one"))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "no room for a temporary file of 103 bytes: free some, or set TMPDIR") || s.Size != 100 {
		t.Errorf("got %v and %d bytes", err, s.Size)
	}
}

// TestScratch: all that is written to a temporary file counts, also what io.Copy and io.WriteString write.
func TestScratch(t *testing.T) {
	s, err := NewScratch()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Write([]byte("one ")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(s, io.LimitReader(strings.NewReader("two three"), 4)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, "three"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(io.NewSectionReader(s, 0, 100))
	if want := "one two three"; err != nil || string(got) != want || s.Size != int64(len(want)) {
		t.Errorf("got %q, %v, size %d, want %q", got, err, s.Size, want)
	}
}
