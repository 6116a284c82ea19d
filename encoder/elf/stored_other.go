//go:build !unix

package elf

import "io/fs"

// storedSize is how many bytes of a file are stored, which nobody knows here.
func storedSize(st fs.FileInfo) uint64 { return uint64(st.Size()) }
