package paths

import (
	"errors"
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
