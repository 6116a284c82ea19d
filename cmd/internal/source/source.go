// Package source reads BTF from whatever holds it: a raw file, the sections of an ELF file, a raw dump.
//
// In come paths; out come bytes (for those who judge them) or objects. It never checks types and never writes.
package source

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/golden"
)

// maxBytes is more than any BTF or dump has, so that no file fills the memory.
const maxBytes = 1 << 30

var (
	elfMagic  = []byte("\x7fELF")
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// A File is BTF as a file has it.
type File struct {
	BTF       []byte
	Distilled []byte // of the section .BTF.base, nil if there is none

	// Of the ELF file; zero for a raw one.
	Order   binary.ByteOrder
	PtrSize int
	PerCPU  bool // the ELF file has per-CPU variables, as a kernel for several processors does
}

// Read reads raw BTF or the BTF sections of an ELF file. What is not ELF is taken for raw BTF, whatever it looks like.
func Read(path string) (*File, error) {
	data, isELF, err := read(path)
	if err != nil {
		return nil, err
	}
	if !isELF {
		return &File{BTF: data}, nil
	}
	e, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer e.Close()
	f := &File{Order: e.Order, PtrSize: e.AddrSize()}
	if s := e.Section(".data..percpu"); s != nil {
		f.PerCPU = s.Size > 0
	}
	if f.BTF, err = section(e, ".BTF"); err == nil && f.BTF == nil {
		err = fmt.Errorf("there is no section .BTF")
	}
	if err == nil {
		f.Distilled, err = section(e, ".BTF.base")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// read reads a file that is not ELF; of one that is, or that elf.Open would decompress, it only says so.
func read(path string) (data []byte, isELF bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	head := make([]byte, len(elfMagic))
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, false, err
	}
	head = head[:n]
	if bytes.Equal(head, elfMagic) || bytes.HasPrefix(head, gzipMagic) {
		return nil, true, nil
	}
	size := 0
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
		size = int(min(st.Size(), maxBytes))
	}
	data, err = limited(path, io.MultiReader(bytes.NewReader(head), f), size)
	return data, false, err
}

// limited reads all that there is, which may be about size bytes.
func limited(path string, r io.Reader, size int) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(size + bytes.MinRead)
	if _, err := b.ReadFrom(io.LimitReader(r, maxBytes+1)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if b.Len() > maxBytes {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxBytes)
	}
	return b.Bytes(), nil
}

func section(f *elf.File, name string) ([]byte, error) {
	s := f.Section(name)
	if s == nil || !s.HasData() {
		return nil, nil
	}
	return f.Data(s)
}

// Base reads the BTF that split ones continue. Several goroutines may continue it at once.
func Base(path string) (*btf.Object, []byte, error) {
	f, err := Read(path)
	if err != nil {
		return nil, nil, err
	}
	o, err := Parse(f.BTF)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return o, f.BTF, nil
}

// Parse parses a base.
func Parse(data []byte) (*btf.Object, error) {
	o, err := btf.Parse(data, nil)
	if err != nil {
		return nil, err
	}
	if err := o.CheckReferences(); err != nil {
		return nil, err
	}
	o.Strings.Index()
	return o, nil
}

// Object reads an object, and the size of a pointer, which is 0 where only the types could tell. basePath is the file that the
// object continues; without one, an ELF file's own distilled base counts.
func Object(path, basePath string) (o *btf.Object, ptrSize int, err error) {
	base, err := base(basePath)
	if err != nil {
		return nil, 0, err
	}
	f, err := Read(path)
	if err != nil {
		return nil, 0, err
	}
	o, err = f.object(path, base)
	return o, f.PtrSize, err
}

func base(path string) (*btf.Object, error) {
	if path == "" {
		return nil, nil
	}
	o, _, err := Base(path)
	return o, err
}

// object parses the BTF. A file with a distilled base of its own is put onto base, if there is one, as a kernel would do it.
func (f *File) object(path string, base *btf.Object) (o *btf.Object, err error) {
	own := base
	if f.Distilled != nil {
		if own, err = btf.Parse(f.Distilled, nil); err != nil {
			return nil, fmt.Errorf("%s: .BTF.base: %w", path, err)
		}
	}
	if o, err = btf.Parse(f.BTF, own); err == nil && base != nil && own != base {
		o, err = distill.Relocate(o, own, base)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return o, nil
}

// ObjectOrDump reads an object as Object does, or from a raw dump, plain or compressed.
func ObjectOrDump(path, basePath string) (*btf.Object, error) {
	base, err := base(basePath)
	if err != nil {
		return nil, err
	}
	data, isELF, err := read(path)
	switch {
	case err != nil:
		return nil, err
	case isELF:
		o, _, err := Object(path, basePath)
		return o, err
	case btf.Sniff(data):
		return (&File{BTF: data}).object(path, base)
	case bytes.HasPrefix(data, zstdMagic):
		z, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBytes))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		defer z.Close()
		if data, err = limited(path, z, 0); err != nil {
			return nil, err
		}
	}
	o, err := golden.ParseRaw(data, base)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return o, nil
}
