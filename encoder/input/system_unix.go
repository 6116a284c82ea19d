//go:build unix

package input

import (
	"io/fs"
	"os"
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

// mapFile maps the pages with a part of a file. The part begins at byte at of them.
func mapFile(f *os.File, off, size int64) (pages []byte, at int64, err error) {
	at = off % int64(os.Getpagesize())
	pages, err = syscall.Mmap(int(f.Fd()), off-at, int(at+size), syscall.PROT_READ, syscall.MAP_PRIVATE|mapPopulated)
	return pages, at, err
}

func unmap(pages []byte) { _ = syscall.Munmap(pages) }
