//go:build unix

package input

import (
	"io/fs"
	"syscall"
)

// StoredSize is how many bytes of a file are stored: of a sparse one, fewer than it is long. It is the length where nobody knows.
func StoredSize(st fs.FileInfo) uint64 {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok || sys.Blocks <= 0 {
		return uint64(st.Size())
	}
	return 512 * uint64(sys.Blocks)
}
