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

// systemVersion is what only some systems know: the device, the inode, how many names it has, and when its state changed last, which
// unlike the time of a write nobody can set.
func systemVersion(st fs.FileInfo, v *Version) {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		v.device, v.inode, v.links, v.state = uint64(sys.Dev), sys.Ino, uint64(sys.Nlink), changeTime(sys) //nolint:unconvert // types differ by system
	}
}
