package paths

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestResolve(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := errors.Join(os.MkdirAll("a/b", 0o700), os.WriteFile("a/f", nil, 0o600), os.Symlink("a/b", "l"), os.Symlink("f", "a/lf"),
		os.Symlink("none/x", "dangling"), os.Symlink("../l", "a/abs"), os.Symlink("loop", "loop")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"a/f": "a/f", "./a//f": "a/f", "a/lf": "a/f", "l": "a/b", "l/../f": "a/f", "l/new": "a/b/new", "a/abs/x/y": "a/b/x/y",
		"dangling": "none/x", "new/../l": "l", "new": "new", "../" + filepath.Base(dir) + "/a/f": "a/f", dir + "/l/../lf": "a/f",
	} {
		got, err := Resolve(path)
		if want = filepath.Join(dir, want); path == "new/../l" {
			want = filepath.Join(dir, "l") // no system gets there, whatever it leads to
		}
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", path, got, err, want)
		}
	}
	for _, path := range []string{"", "loop", "loop/x", "a/f/x"} {
		if got, err := Resolve(path); err == nil {
			t.Errorf("%q: got %s, want an error", path, got)
		}
	}
	if got, err := Resolve("/"); err != nil || got != "/" {
		t.Errorf("/: got %s, %v", got, err)
	}
}

// What a descriptor stands for is no place for another file, but a folder's is the folder.
func TestOpened(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("descriptors have no names here")
	}
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	fd := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	link := filepath.Join(dir, "link")
	if err := os.Symlink(fd, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{f.Name(): false, fd: true, link: true, fd + "/": true, "/dev/stdin": true, dir: false, link + "2": false,
		fmt.Sprintf("/proc/self/fd/%d/file", d.Fd()): false, fmt.Sprintf("/proc/self/fd/%d/link", d.Fd()): true} {
		if got := Opened(path); got != want {
			t.Errorf("%s: got %t, want %t", path, got, want)
		}
	}
	if list := Check([]Use{{Path: fd, Role: Output, What: "it"}, {Path: fd, Role: Input, What: "it"}}); len(list) != 1 {
		t.Errorf("got %v, want one conflict", list)
	}
}
