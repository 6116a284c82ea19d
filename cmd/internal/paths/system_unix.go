//go:build unix

package paths

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Writable returns an error if the user may not write to a file that is there.
func Writable(path string) error {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.W_OK, unix.AT_EACCESS)
}

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
