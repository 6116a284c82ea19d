//go:build !unix

package paths

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Writable returns an error if the user may not write to a file that is there. This system refuses to replace such a file.
func Writable(string) error { return nil }

// identity names a file that is there. This system tells no number of a file, so hard links count as different files; letters of
// either case name the same one.
func identity(path string, _ fs.FileInfo) string { return strings.ToLower(filepath.Clean(path)) }

// sameDevice tells whether two folders are on one file system.
func sameDevice(a, b string) bool {
	for _, dir := range []string{a, b} {
		if _, err := os.Lstat(dir); err != nil {
			return false
		}
	}
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return errA == nil && errB == nil && strings.EqualFold(filepath.VolumeName(a), filepath.VolumeName(b))
}
