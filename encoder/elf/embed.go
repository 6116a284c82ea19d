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

// An EmbedSection is the name and the content of a section that an image is to have.
type EmbedSection struct {
	Name string
	Data []byte
}

// ErrNoRoom is returned if a section is in a segment, and the linker reserved less space for it than the new content needs.
var ErrNoRoom = errors.New("the new content does not fit the room that the linker reserved")

// A Put creates the file that Embed writes, or replaces another one with it. like describes the image, whose mode the copy should have. It is
// nil if the image is not a file of its own, but stored in a package for example. If write returns an error, the copy is incomplete and must
// not be used.
type Put func(like fs.FileInfo, write func(f *os.File) error) error

// NewCopy returns a Put that creates a file at path. It never replaces an existing file. A program that replaces files passes a Put that
// renames a complete copy into place, as btfbatch does.
func NewCopy(path string) Put {
	return func(like fs.FileInfo, write func(f *os.File) error) error {
		mode := fs.FileMode(0o666)
		if like != nil {
			mode = like.Mode().Perm()
		}
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return errors.Join(err, os.Remove(path))
		}
		return nil
	}
}

// Embed makes a copy of the ELF image in that has the given sections. put decides where the copy goes. It may replace the image itself if
// it writes another file first.
//
// All parts of the image keep their offsets: segments, sections, their indices, the program headers. New content, the table of section
// names and the table of section headers go to the end of the file. An existing section is replaced in place if the new content fits, and
// the rest of it is filled with zeros. If the content does not fit, the section moves to the end of the file. If a program or kernel would
// look for the section in a segment, it cannot move, and the error is ErrNoRoom. A new section is PROGBITS, without flags, aligned to 1.
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

// Embed is like the function Embed, for an open image. It copies the file that is open, even if its path names another file by then.
func (f *File) Embed(sections []EmbedSection, put Put) error {
	switch {
	case f.Packed != "":
		return fmt.Errorf("%s: packed by %s: BTF is embedded into plain files only; decompress it first", f.Path, f.Packed)
	case f.in == nil:
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

// Reserved returns the size in bytes of a section in a segment of a linked image, such as .BTF in a kernel. The code of the image may have
// the section's end built in, so new content should have exactly this size. ok is false for other sections, and if there is no such
// section.
func (f *File) Reserved(name string) (size uint64, ok bool) {
	s := f.Section(name)
	if s == nil || !f.fixed(s) {
		return 0, false
	}
	return s.Size, true
}

// fixed reports whether programs find a section by its address, so that it cannot move.
func (f *File) fixed(s *Section) bool { return s.Flags&elf.SHF_ALLOC != 0 && f.Type != elf.ET_REL }

// A change is the effect of embedding on a file: its first keep bytes stay, except for the edits, and the tail follows.
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

// osFile returns the file that a reader reads, or nil if it reads something else.
func osFile(src io.ReaderAt) *os.File {
	switch src := src.(type) {
	case *os.File:
		return src
	case interface{ OSFile() *os.File }: // see package input
		return src.OSFile()
	}
	return nil
}

// copyTo writes the changed copy of src.
func (c *change) copyTo(dst *os.File, src io.ReaderAt) error {
	var from io.Reader = io.NewSectionReader(src, 0, int64(c.keep))
	if file := osFile(src); file != nil { // the operating system may be able to copy it directly
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
