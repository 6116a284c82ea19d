//go:build unix

package paths

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// identity names a file that is there, the same for all its hard links.
func identity(path string, st fs.FileInfo) string {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d:%d", sys.Dev, sys.Ino)
	}
	return path
}

// sameDevice tells whether two folders are on one file system.
func sameDevice(a, b string) bool {
	st, err := os.Lstat(a)
	other, err2 := os.Lstat(b)
	if err != nil || err2 != nil {
		return false
	}
	x, ok := st.Sys().(*syscall.Stat_t)
	y, ok2 := other.Sys().(*syscall.Stat_t)
	return ok && ok2 && x.Dev == y.Dev
}
