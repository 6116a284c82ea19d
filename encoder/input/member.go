package input

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"
)

// OpenRaw opens a regular file, whatever it contains. Errors name the path only if there is no such file; see Named.
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

// KindOf returns the kind of a regular file by its first 64 bytes.
func KindOf(path string) (Kind, error) {
	f, _, err := OpenRaw(path)
	if err != nil {
		return Unknown, err
	}
	defer f.Close()
	head := make([]byte, 64)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Unknown, err
	}
	return Recognise(head[:n]), nil
}

// An Outer is what an ELF file is stored in, such as a package, or where it was read from, such as a server.
type Outer struct {
	Sum       func(ctx context.Context) (string, error) // returns the SHA-256 of all its bytes, in lower-case hex, or "" if it cannot be known
	Unchanged func() error                              // returns ErrChanged if it changed since it was opened; may be nil
	Ahead     func(ctx context.Context) error           // see File.Ahead; may be nil
	Demand    func() (stay, pass int64)                 // see File.Demand; may be nil
}

// Inside returns an ELF file of the given size that is stored in something else. packed says how, as File.Packed. end is called by Close.
func Inside(outer Outer, packed string, r io.ReaderAt, size int64, end func() error) *File {
	return &File{ReaderAt: r, Size: size, Kind: ELF, Packed: packed, outer: &outer, end: end, opened: time.Now()}
}

// Sum returns the SHA-256 of what the file is stored in, and whether it is stored in something else.
func (f *File) Sum(ctx context.Context) (sum string, inside bool, err error) {
	if f.outer == nil {
		return "", false, nil
	}
	sum, err = f.outer.Sum(ctx)
	return sum, true, err
}

// Ahead fetches from a network what an encoder will read of the file, as far as that is known. It can be called while the file is read, but not after
// it was closed. An error is one of those who read the file, too.
func (f *File) Ahead(ctx context.Context) error {
	if f.outer == nil || f.outer.Ahead == nil {
		return nil
	}
	return f.outer.Ahead(ctx)
}

// Demand returns how many bytes are unpacked while an encoder reads the file, besides the file itself: those that stay until it is closed, and those
// that are given up before. ok is false if the file was unpacked as a whole, or is not packed.
func (f *File) Demand() (stay, pass int64, ok bool) {
	if f.outer == nil || f.outer.Demand == nil {
		return 0, 0, false
	}
	stay, pass = f.outer.Demand()
	return stay, pass, true
}

// Contents returns a file like that of Inside whose contents are in memory, and are of any kind.
func Contents(outer Outer, packed string, kind Kind, data []byte, end func() error) *File {
	f := Inside(outer, packed, bytes.NewReader(data), int64(len(data)), end)
	f.Kind, f.whole = kind, data
	return f
}

// CheckKind returns the error for contents that begin with head and are of none of the wanted kinds, also not once they are decompressed. want
// is as for Open.
func CheckKind(head []byte, want ...Kind) error {
	kind := Recognise(head)
	if slices.Contains(want, kind) || packing(head) != nil || slices.Contains(want, BTF) && booting(head) != nil {
		return nil
	}
	return &KindError{want[0], kind, "", bytes.Clone(head[:min(len(head), 8)])}
}

// CheckELF is CheckKind for an ELF file.
func CheckELF(head []byte) error { return CheckKind(head, ELF) }

// IsELF reports whether contents begin as an ELF file does.
func IsELF(head []byte) bool { return bytes.HasPrefix(head, []byte(elfMagic)) }
