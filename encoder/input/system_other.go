//go:build !unix

package input

import (
	"errors"
	"io/fs"
	"os"
)

// StoredSize returns the length of a file: these systems do not say how much of it is stored.
func StoredSize(st fs.FileInfo) uint64 { return uint64(st.Size()) }

// systemVersion adds nothing on these systems.
func systemVersion(fs.FileInfo, *Version) {}

// mapFile maps nothing on these systems.
func mapFile(*os.File, int64, int64) (pages []byte, at int64, err error) {
	return nil, 0, errors.ErrUnsupported
}

func unmap([]byte) {}
