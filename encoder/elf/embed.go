package elf

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// An EmbedSection is a section that an image shall have: of that name, with that content.
type EmbedSection struct {
	Name string
	Data []byte
}

// ErrNoRoom says that a section lies in a segment, where the linker reserved less room than the new content needs.
var ErrNoRoom = errors.New("the new content does not fit the room that the linker reserved")

// A Put makes the file that Embed writes, or puts it in the place of another. like is the image, whose mode the copy should have.
// What write returns is an error of the copy, which is of no use then.
type Put func(like fs.FileInfo, write func(f *os.File) error) error

// NewCopy is the Put of a file that does not exist yet; it never replaces one. A program that replaces files gives a Put that renames
// a complete copy into place, as btfbatch does.
func NewCopy(path string) Put {
	return func(like fs.FileInfo, write func(f *os.File) error) error {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, like.Mode().Perm())
		if err != nil {
			return err
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return errors.Join(err, os.Remove(path))
		}
		return nil
	}
}

// Embed makes a copy of the ELF image in that has the given sections. Where the copy goes is for put to say; that may be the place
// of the image itself, if only put makes another file first.
//
// Whatever the image had stays at its offset: segments, sections, their indices, the program headers. New content, the table of
// section names and the table of section headers go to the end of the file. A section that exists is replaced where it lies when
// the new content fits there, the rest of it filled with zeros. When it does not fit, it moves to the end, unless a program or
// kernel would look for it in a segment: that is ErrNoRoom. A new section is PROGBITS, without flags, aligned to 1.
func Embed(in string, sections []EmbedSection, put Put) error {
	if _, err := input.Regular(in); err != nil {
		return err
	}
	image, err := Open(in)
	if err != nil {
		return input.Named(in, err)
	}
	defer image.Close()
	return image.Embed(sections, put)
}

// Embed is the function of that name for an image that is open. The copy is one of the file that is read, whatever has its name.
func (f *File) Embed(sections []EmbedSection, put Put) error {
	switch {
	case f.Packed != "":
		return fmt.Errorf("%s: packed by %s: BTF is embedded into plain files only; decompress it first", f.Path, f.Packed)
	case f.in == nil || f.in.Info == nil:
		return fmt.Errorf("%s: BTF is embedded into files only", f.Path)
	}
	c, err := f.embed(sections)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	return put(f.in.Info, func(dst *os.File) error {
		if err := c.copyTo(dst, f.r); err != nil {
			return err
		}
		return f.Unchanged()
	})
}

// Reserved is the size of a section that lies in a segment of a linked image, as .BTF does in a kernel. The image may know where
// it ends, so content that shall replace it should be made just as long. ok is false for other sections and where there is none.
func (f *File) Reserved(name string) (size uint64, ok bool) {
	s := f.Section(name)
	if s == nil || !f.fixed(s) {
		return 0, false
	}
	return s.Size, true
}

// fixed reports whether a section is found by its address, so that it cannot move.
func (f *File) fixed(s *Section) bool { return s.Flags&elf.SHF_ALLOC != 0 && f.Type != elf.ET_REL }

// A change is what embedding does to a file: its first keep bytes stay except for the edits, and the tail follows.
type change struct {
	keep  uint64
	edits []edit
	tail  []byte
}

// An edit puts data at an offset of the file.
type edit struct {
	off  uint64
	data []byte
}

// copyTo writes the changed copy of src.
func (c *change) copyTo(dst *os.File, src io.ReaderAt) error {
	var from io.Reader = io.NewSectionReader(src, 0, int64(c.keep))
	if file, ok := src.(*os.File); ok { // the system may copy it by itself
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		from = io.LimitReader(file, int64(c.keep))
	}
	if n, err := io.Copy(dst, from); err != nil {
		return err
	} else if uint64(n) != c.keep {
		return io.ErrUnexpectedEOF
	}
	if _, err := dst.Write(c.tail); err != nil {
		return err
	}
	for _, e := range c.edits {
		if _, err := dst.WriteAt(e.data, int64(e.off)); err != nil {
			return err
		}
	}
	return nil
}
