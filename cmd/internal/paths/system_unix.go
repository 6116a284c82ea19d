//go:build unix

package paths

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// identity is a name for an existing file that all its hard links share.
func identity(path string, st fs.FileInfo) string {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d:%d", sys.Dev, sys.Ino)
	}
	return path
}

// sameDevice reports whether two folders are on the same file system.
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
