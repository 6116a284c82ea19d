//go:build unix

package corpus

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestLinks(t *testing.T) {
	x := image(t, "x86_64", nil)
	dir, _ := folder(t, "images: [{path: v}]\n", map[string][]byte{"real/v": x, "k/a": x})
	for link, to := range map[string]string{"link": "real", "k/dangling": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ name, manifest, want string }{
		{"image through a link", "images: [{path: link/v}]", "v\n"},
		{"output beside an image through a link", "images: [{path: real/v, outputs: {elf: link/new/w}}]", "v\n"},
		{"glob with a dangling link", "images: [{path: \"k/*\"}]", "a\ndangling: stat k/dangling: no such file or directory\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := rows(dir, resolve(t, dir, tt.manifest+"\n")); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

// TestPipe: a pipe that matches a glob is not opened. Opening it would block the test.
func TestPipe(t *testing.T) {
	dir, _ := folder(t, "images: [{path: v}]\n", map[string][]byte{"v": image(t, "x86_64", nil)})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Skipf("no pipes here: %v", err)
	}
	got := rows(dir, resolve(t, dir, "images: [{path: pipe}, {path: v, base_path: pipe}]\n"))
	if want := "pipe: pipe is not a regular file but a pipe: give a regular file\nv: base: pipe is not a regular file but a pipe: give a regular file\n"; got != want {
		t.Errorf("got %s", got)
	}
}
