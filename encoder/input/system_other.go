//go:build !unix

package input

import "io/fs"

// StoredSize returns the length of a file: these systems do not say how much of it is stored.
func StoredSize(st fs.FileInfo) uint64 { return uint64(st.Size()) }

// systemVersion adds nothing on these systems.
func systemVersion(fs.FileInfo, *Version) {}
