package input

import (
	"io"
	"strings"
	"testing"
)

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
