package publish

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
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

// If one file of a set cannot take its place, none does.
func TestGiveBack(t *testing.T) {
	dir := t.TempDir()
	old, fresh, blocked := filepath.Join(dir, "old"), filepath.Join(dir, "fresh"), filepath.Join(dir, "blocked")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := new(Publisher).Set()
	defer s.Discard()
	if err := errors.Join(s.Add(old, text("new")), s.Add(fresh, text("new")), s.Add(blocked, text("new")), s.Add(filepath.Join(dir, "last"), text("new")),
		os.MkdirAll(filepath.Join(blocked, "x"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(); err == nil || !strings.HasPrefix(err.Error(), blocked+": ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want an error about %s alone", err, blocked)
	}
	s.Discard()
	if got, err := os.ReadFile(old); string(got) != "old" {
		t.Errorf("got %q, %v, want what was there before", got, err)
	}
	if got, want := names(t, dir), []string{"blocked", "old"}; !slices.Equal(got, want) {
		t.Errorf("files: got %v, want %v", got, want)
	}
}

// leave makes what a killed program leaves beside a path.
func leave(t *testing.T, path string) (leftover string) {
	t.Helper()
	leftover = filepath.Join(filepath.Dir(path), hashed(filepath.Base(path))+"0123456789abcdef")
	if err := os.WriteFile(leftover, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return leftover
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	a := filepath.Join(dir, "a.btf")
	gone := leave(t, a)
	keep := []string{leave(t, filepath.Join(dir, "b.btf")), filepath.Join(dir, ".a.btf"), filepath.Join(dir, ".a.btf1234567890123456"),
		filepath.Join(dir, ".btfbatch-"), filepath.Join(dir, hashed("a.btf")), filepath.Join(dir, hashed("a.btf")+"0123456789abcdeg")}
	for _, path := range keep {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A program that is alive holds its temporary file.
	other := new(Publisher).Set()
	defer other.Discard()
	if err := other.Add(a, text("other")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(gone); err == nil {
		t.Errorf("%s was not swept", gone)
	}
	s := new(Publisher).Set()
	defer s.Discard()
	if err := s.Add(a, text("mine")); err != nil {
		t.Fatal(err)
	}
	for _, path := range keep {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s was swept", path)
		}
	}
	if err := other.Commit(); err != nil {
		t.Errorf("the temporary file of a living program was swept: %v", err)
	}
	// What may never be written again is swept as well.
	gone = leave(t, a)
	link := filepath.Join(dir, "link")
	if err := os.Symlink("a.btf", link); err != nil {
		t.Fatal(err)
	}
	new(Publisher).Sweep([]string{filepath.Join(dir, "none", "x"), link})
	if _, err := os.Stat(gone); err == nil {
		t.Errorf("Sweep left %s", gone)
	}
}

// Any name that a file can have, a temporary file can stand in for.
func TestLongNames(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []int{1, 200, 236, 254, 255} {
		name := strings.Repeat("é", n/2) + strings.Repeat("x", n%2)
		if err := new(Publisher).File(filepath.Join(dir, name), text("text")); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	err := new(Publisher).File(filepath.Join(dir, strings.Repeat("x", 256)), text("text"))
	if err == nil || strings.Contains(err.Error(), prefix) {
		t.Errorf("256 bytes: got %v, want an error that does not name the temporary file", err)
	}
	if got := names(t, dir); len(got) != 5 {
		t.Errorf("got %d files, want 5", len(got))
	}
}

// A changed copy has the mode of what it is a copy of, also where it takes the place of that.
func TestCopy(t *testing.T) {
	dir := t.TempDir()
	image, link := filepath.Join(dir, "image"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(image, []byte("old"), 0o600), os.Symlink("image", link)); err != nil {
		t.Fatal(err)
	}
	const mode = os.ModeSetgid | 0o751
	if err := os.Chmod(image, mode); err != nil {
		t.Fatal(err)
	}
	of, err := os.Stat(image)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "new", "copy"), link} {
		s := new(Publisher).Set()
		defer s.Discard()
		err := s.Copy(path)(of, func(f *os.File) error {
			_, err := f.WriteAt([]byte("new"), 0)
			return err
		})
		if err := errors.Join(err, s.Commit()); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); string(got) != "new" {
			t.Errorf("%s: got %q, %v", path, got, err)
		}
		if st, err := os.Stat(path); err != nil || st.Mode() != mode {
			t.Errorf("%s: got mode %v, %v, want %v", path, st.Mode(), err, mode)
		}
	}
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	if got, want := names(t, dir), []string{"image", "link", "new"}; !slices.Equal(got, want) {
		t.Errorf("got files %v, want %v", got, want)
	}
}

// An error names the file that would have been made, and leaves nothing behind.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	err := new(Publisher).File(path, func(w io.Writer) error {
		f := w.(*os.File)
		return &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	})
	if want := path + ": no space left on device"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("got files %v, want none", got)
	}
}

func TestDestination(t *testing.T) {
	dir := t.TempDir()
	real, link, fifo, loop := filepath.Join(dir, "real"), filepath.Join(dir, "link"), filepath.Join(dir, "fifo"), filepath.Join(dir, "loop")
	dangling := filepath.Join(dir, "dangling")
	if err := errors.Join(os.WriteFile(real, nil, 0o600), os.Symlink("real", link), os.Symlink("new/file", dangling),
		mkfifo(fifo), os.Symlink("loop", loop)); err != nil {
		t.Fatal(err)
	}
	for path, behind := range map[string]string{link: real, dangling: filepath.Join(dir, "new", "file")} {
		if err := new(Publisher).File(path, text("text")); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(behind); string(got) != "text" {
			t.Errorf("behind %s: got %q, want text", path, got)
		}
		if st, _ := os.Lstat(path); st.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s was replaced", path)
		}
	}
	for _, path := range []string{"", dir, "/dev/null", fifo, loop, filepath.Join(real, "x")} {
		if err := new(Publisher).File(path, text("")); err == nil {
			t.Errorf("%q was accepted", path)
		}
	}
}
