//go:build unix

package input

import (
	"io/fs"
	"syscall"
)

// StoredSize returns the number of bytes of a file that are stored, fewer than its length for a sparse file. It is the length if the
// system does not say.
func StoredSize(st fs.FileInfo) uint64 {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok || sys.Blocks <= 0 {
		return uint64(st.Size())
	}
	return 512 * uint64(sys.Blocks)
}

// systemVersion adds what only some systems provide: the device, the inode, the number of links, and the change time, which unlike the
// modification time cannot be set.
func systemVersion(st fs.FileInfo, v *Version) {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		v.device, v.inode, v.links, v.state = uint64(sys.Dev), sys.Ino, uint64(sys.Nlink), changeTime(sys) //nolint:unconvert // types differ by system
	}
}
