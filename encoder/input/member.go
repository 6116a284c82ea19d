package input

import (
	"bytes"
	"io/fs"
	"os"
	"time"
)

// OpenRaw opens a regular file for Unpack. Errors name the path only if there is no such file; see Named.
func OpenRaw(path string) (*os.File, fs.FileInfo, error) {
	if _, err := Regular(path); err != nil {
		return nil, nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, st, nil
}

// Unpack returns an ELF file that is stored inside another file, such as a package. unpack writes the contents to a temporary file, which
// the system removes with the program, where it can. Raw, Version and Unchanged are those of the outer file. packed says what the contents
// are in, as File.Packed. Closing the result closes the outer file; after an error the caller has to do so.
func Unpack(outer *os.File, st fs.FileInfo, packed string, unpack func(inner *os.File) error) (*File, error) {
	opened := time.Now()
	inner, err := os.CreateTemp("", "btfbatch-*")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(inner.Name()) // fails on systems that keep the names of open files; then Close removes it
	f := &File{ReaderAt: inner, Kind: ELF, Packed: packed, Info: st, file: outer, inner: inner, opened: opened}
	if err = unpack(inner); err == nil {
		var in fs.FileInfo
		if in, err = inner.Stat(); err == nil {
			f.Size = in.Size()
			return f, nil
		}
	}
	f.file = nil
	f.Close()
	return nil, err
}

// CheckELF returns the error for contents that begin with head and are not an ELF file.
func CheckELF(head []byte) error {
	if kind := Recognise(head); kind != ELF {
		return &KindError{ELF, kind, "", bytes.Clone(head[:min(len(head), 8)])}
	}
	return nil
}
