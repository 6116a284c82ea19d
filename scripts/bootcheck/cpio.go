package main

import "fmt"

// An entry is one regular file of an archive.
type entry struct {
	name string
	mode uint32 // permissions
	data []byte
}

// archive is a cpio archive in the format "newc", which every kernel unpacks as its initial file system. The kernel brings
// /dev/console itself.
func archive(files []entry) []byte {
	var b []byte
	const regular = 0o100000
	for i, f := range files {
		b = appendEntry(b, i+1, regular|f.mode, f.name, f.data)
	}
	return appendEntry(b, 0, 0, "TRAILER!!!", nil)
}

func appendEntry(b []byte, inode int, mode uint32, name string, data []byte) []byte {
	b = append(b, "070701"...)
	for _, v := range []uint32{
		uint32(inode), mode, 0, 0, 1, 0, // user, group, links, time
		uint32(len(data)), 0, 0, 0, 0, // device numbers
		uint32(len(name) + 1), 0, // checksum
	} {
		b = fmt.Appendf(b, "%08X", v)
	}
	b = align(append(append(b, name...), 0))
	return align(append(b, data...))
}

// align pads to a multiple of four.
func align(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }
