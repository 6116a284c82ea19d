//go:build unix && !solaris && !aix

package cache

import (
	"os"
	"syscall"
)

// movesOpen says that a file can be renamed and removed while it is open.
const movesOpen = true

// mine locks a new temporary file. It is false if another process has taken it for a leftover.
func mine(f *os.File) bool {
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return false
	}
	have, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(have, there)
}

// abandoned reports whether no process has locked a temporary file, and locks it.
func abandoned(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
