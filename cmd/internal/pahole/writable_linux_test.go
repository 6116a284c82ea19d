package pahole

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// TestReadOnly: a module or an output that the user may not write to is not replaced, although the folder permits it. Nor is a file in a folder that
// does not permit it, and the error says that a folder is the reason.
func TestReadOnly(t *testing.T) {
	images := filepath.Join("..", "..", "..", "corpus", "images")
	base := "--btf_base=" + filepath.Join(images, "gcc12-x86_64-dwarf5-based.btf.golden")
	before, err := os.ReadFile(filepath.Join(images, "gcc12-x86_64-dwarf5-driver.ko"))
	if err != nil {
		t.Fatal(err)
	}
	top := t.TempDir()
	chmod(t, filepath.Dir(top), 0o755)
	for name, tc := range map[string]struct {
		file, folder fs.FileMode
		code         int
		told         string
	}{
		"file": {0o444, 0o777, exitcode.Failed, "m.ko: permission denied\n"}, "folder": {0o666, 0o555, exitcode.Failed, "in its folder"}, "none": {0o666, 0o777, exitcode.OK, ""},
	} {
		for _, detached := range []bool{false, true} {
			dir := filepath.Join(top, fmt.Sprint(name, detached))
			path := filepath.Join(dir, "m.ko")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, before, 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"-J", base, path}
			if detached {
				args = []string{"-J", base, "--btf_encode_detached=" + path, filepath.Join(images, "gcc12-x86_64-dwarf5-driver.ko")}
			}
			chmod(t, path, tc.file)
			chmod(t, dir, tc.folder)
			var told bytes.Buffer
			var code int
			asUser(t, path, func() {
				code, _ = Run(Signals{Listen: t.Context}, "pahole", args, &told, &told)
			})
			chmod(t, dir, 0o700) // so that it can be removed
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if code != tc.code || !strings.Contains(told.String(), tc.told) || bytes.Equal(after, before) == (tc.code == exitcode.OK) {
				t.Errorf("read-only %s, detached %v: got exit code %d and %q, and %d bytes after %d, want %d and %q", name, detached, code, told.String(),
					len(after), len(before), tc.code, tc.told)
			}
		}
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// asUser calls do with the permissions of a user who is not root, and who owns a file and its folder.
func asUser(t *testing.T, path string, do func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		const nobody = 65534
		for _, p := range []string{path, filepath.Dir(path)} {
			if err := os.Chown(p, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
		runtime.LockOSThread() // whose permissions change
		defer runtime.UnlockOSThread()
		become := func(id int) {
			if err := errors.Join(syscall.Setfsgid(id), syscall.Setfsuid(id)); err != nil {
				t.Fatal(err)
			}
		}
		become(nobody)
		defer become(0)
	}
	do()
}
