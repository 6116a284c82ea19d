//go:build !unix

package input

import "io/fs"

// StoredSize is how many bytes of a file are stored, which nobody knows here.
func StoredSize(st fs.FileInfo) uint64 { return uint64(st.Size()) }

// systemVersion is what only some systems know.
func systemVersion(fs.FileInfo, *Version) {}
